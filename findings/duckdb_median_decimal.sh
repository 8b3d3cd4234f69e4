#!/bin/sh
# DuckDB: the median of DECIMALs stays in the column's scale, and halves are cut off; the mean is a double.
# Guess of a specialist: 2.5 (a double), as for INTEGER and as avg of the same DECIMALs; or an error.
# Seen with duckdb 2.0.1, Python 3.11:
#   [2, 3] 2.5 2.5 2 2
#   [2, 5] 3.5 3.5 3 3
#   [-2, -3] -2.5 -2.5 -2 -2
# Exit code: 0 if this is what happens still, 1 if it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1
cd "$folder"
venv/bin/python - <<'PYTHON' > seen.txt
import duckdb

for numbers in ("[2, 3]", "[2, 5]", "[-2, -3]"):
    table = f"(SELECT unnest({numbers}) x)"
    ask = "SELECT avg(x::DECIMAL(5, 0)), median(x::INTEGER), median(x::DECIMAL(5, 0)), quantile_cont(x::DECIMAL(5, 0), 0.5)"
    print(numbers, *map(str, duckdb.sql(f"{ask} FROM {table}").fetchall()[0]))
PYTHON
cat seen.txt
cat > expected.txt <<'TEXT'
[2, 3] 2.5 2.5 2 2
[2, 5] 3.5 3.5 3 3
[-2, -3] -2.5 -2.5 -2 -2
TEXT
cmp seen.txt expected.txt || { echo "changed"; exit 1; }
