#!/bin/sh
# lme-python: with_kenward_roger has Kenward and Roger's df, and leaves the standard errors unadjusted.
# Guess of a specialist: df and standard errors of pbkrtest, as both belong to the method and the docstring names pbkrtest.
# Seen with lme-python 0.2.7, polars 2.1.0, numpy 2.4.6, Python 3.11:
#   df     5.941 51.685 5.510
#   before 1.11012 0.47145 1.53067
#   after  1.11012 0.47145 1.53067
# Eight unequal groups, a predictor between them. pbkrtest's adjusted errors are 1.12977 for the intercept and 1.55416
# for z, 2 percent above; the p values here take the unadjusted ones with its df (5.941, 5.510).
# Exit code: 0 if this is what happens still, 1 if it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check lme-python==0.2.7 polars==2.1.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON' > seen.txt
import numpy as np
import polars as pl
from lme_python import lmer

rng = np.random.default_rng(1)
group = np.repeat(np.arange(8), [2, 3, 4, 6, 8, 10, 12, 15])
effect, z, x = rng.normal(0, 2, 8), group % 2, rng.normal(size=60)
y = 5 + x + z + effect[group] + rng.normal(0, 3, 60)
data = pl.DataFrame({"y": y, "x": x, "z": z.astype(float), "g": [f"s{one}" for one in group]})
fit = lmer("y ~ x + z + (1|g)", data=data)
before = list(fit.std_errors)
fit.with_kenward_roger(data)
print("df    ", *(f"{df:.3f}" for df in fit.kenward_roger_dfs))
print("before", *(f"{se:.5f}" for se in before))
print("after ", *(f"{se:.5f}" for se in fit.std_errors))
PYTHON
cat seen.txt
cat > expected.txt <<'TEXT'
df     5.941 51.685 5.510
before 1.11012 0.47145 1.53067
after  1.11012 0.47145 1.53067
TEXT
cmp seen.txt expected.txt || { echo "changed"; exit 1; }
