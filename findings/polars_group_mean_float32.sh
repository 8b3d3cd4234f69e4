#!/bin/sh
# polars: the mean of Float32 is a double for a Series, and rounded to Float32 in group_by.
# Guess of a specialist: the same number, one type.
# Seen with polars 2.1.0, numpy 2.4.6, Python 3.11:
#   Series   1000.0009985760
#   group_by 1000.0009765625 Float32
# Exit code: 0 if this is what happens still, 1 if it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON' > seen.txt
import numpy as np
import polars as pl

draws = np.random.default_rng(0).standard_normal(1_000_000)
frame = pl.DataFrame({"g": np.zeros(len(draws), int), "y": (1000 + draws).astype("float32")})
print(f"Series   {frame['y'].mean():.10f}")
mean = frame.group_by("g").agg(pl.col("y").mean())["y"]
print(f"group_by {mean[0]:.10f} {mean.dtype}")
PYTHON
cat seen.txt
cat > expected.txt <<'TEXT'
Series   1000.0009985760
group_by 1000.0009765625 Float32
TEXT
cmp seen.txt expected.txt || { echo "changed"; exit 1; }
