#!/bin/sh
# statsmodels: rows whose cluster label is missing become one more cluster, without a word.
# Guess of a specialist: an error, as pyfixest raises, or the rows left out, as R's sandwich does for a formula.
# Seen with statsmodels 0.15.0, pandas 3.1.1, numpy 2.4.6, scipy 1.17.1, Python 3.11:
#   missing   60 rows 0.423095 0.135516
#   a seventh 60 rows 0.423095 0.135516
# Six clusters of ten; the labels of four rows are gone. The errors are those of seven clusters.
# Exit code: 0 if this is what happens still, 1 if it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check statsmodels==0.15.0 pandas==3.1.1 numpy==2.4.6 scipy==1.17.1
cd "$folder"
venv/bin/python - <<'PYTHON' > seen.txt
import numpy as np
import pandas as pd
import statsmodels.formula.api as smf

rng = np.random.default_rng(3)
cluster = np.repeat(np.arange(6.0), 10)
x = rng.normal(size=60)
data = pd.DataFrame({"x": x, "y": x + rng.normal(size=6)[cluster.astype(int)] + rng.normal(size=60)})
gaps = cluster.copy()
gaps[:4] = np.nan
for name, labels in {"missing": gaps, "a seventh": np.where(np.isnan(gaps), 99.0, gaps)}.items():
    fit = smf.ols("y ~ x", data).fit(cov_type="cluster", cov_kwds={"groups": labels})
    print(f"{name:9}", int(fit.nobs), "rows", *(f"{se:.6f}" for se in fit.bse))
PYTHON
cat seen.txt
cat > expected.txt <<'TEXT'
missing   60 rows 0.423095 0.135516
a seventh 60 rows 0.423095 0.135516
TEXT
cmp seen.txt expected.txt || { echo "changed"; exit 1; }
