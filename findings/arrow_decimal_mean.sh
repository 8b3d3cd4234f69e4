#!/bin/sh
# Arrow: the mean of DECIMALs is rounded to the column's scale, the variance is not; 2, 3, 3 have mean 3.
# Guess of a specialist: 8/3 as a double, as polars gives, or a decimal with more places, as SQL engines give.
# Seen with pyarrow 26.0.1, polars 2.1.0, Python 3.11:
#   mean     3
#   grouped  3
#   variance 0.2222
#   polars   2.6667
# Exit code: 0 if this is what happens still, 1 if it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1 polars==2.1.0
cd "$folder"
venv/bin/python - <<'PYTHON' > seen.txt
import decimal

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

values = pa.array([decimal.Decimal(one) for one in (2, 3, 3)], pa.decimal128(5, 0))
table = pa.table({"g": ["a"] * 3, "y": values})
print("mean    ", pc.mean(values))
print("grouped ", table.group_by("g").aggregate([("y", "mean")])["y_mean"][0])
print(f"variance {pc.variance(values).as_py():.4f}")
print(f"polars   {pl.from_arrow(table)['y'].mean():.4f}")
PYTHON
cat seen.txt
cat > expected.txt <<'TEXT'
mean     3
grouped  3
variance 0.2222
polars   2.6667
TEXT
cmp seen.txt expected.txt || { echo "changed"; exit 1; }
