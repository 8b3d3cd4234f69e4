#!/bin/sh
# pandas: GroupBy.var of float32 adds up in float32; Series.var of the same column is right to seven digits.
# Guess of a specialist: the same number from both, or both as rough: float32 has seven digits.
# Seen with pandas 3.1.1, numpy 2.4.6, Python 3.11:
#   as float64 1.00135
#   Series.var 1.00135
#   grouped    1.00091
# A million values about 1000 with variance 1, one group. The grouped variance is off in the fourth digit.
# Exit code: 0 if this is what happens still, 1 if it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pandas==3.1.1 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON' > seen.txt
import numpy as np
import pandas as pd

draws = np.random.default_rng(0).standard_normal(1_000_000)
column = pd.Series((1000 + draws).astype("float32"))
exact = column.astype("float64").var()
grouped = column.groupby(np.zeros(len(column), int)).var().iloc[0]
print(f"as float64 {exact:.5f}")
print(f"Series.var {column.var():.5f}")
print(f"grouped    {grouped:.5f}")
PYTHON
cat seen.txt
cat > expected.txt <<'TEXT'
as float64 1.00135
Series.var 1.00135
grouped    1.00091
TEXT
cmp seen.txt expected.txt || { echo "changed"; exit 1; }
