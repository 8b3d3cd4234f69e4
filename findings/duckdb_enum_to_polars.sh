#!/bin/sh
# DuckDB to polars: an ENUM arrives as Categorical and sorts as text; to pandas it keeps its order.
# Guess of a specialist: polars.Enum with the ENUM's order, as pandas gets an ordered category.
# Seen with duckdb 2.0.1, polars 2.1.0, pyarrow 26.0.1, pandas 3.1.1, Python 3.11:
#   DuckDB  ['low', 'mid', 'high']
#   pandas  ['low', 'mid', 'high'] True
#   polars  ['high', 'low', 'mid'] Categorical
# A reference level that follows the order of levels is another one by that way.
# Exit code: 0 if this is what happens still, 1 if it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1 polars==2.1.0 pyarrow==26.0.1 pandas==3.1.1
cd "$folder"
venv/bin/python - <<'PYTHON' > seen.txt
import duckdb

table = duckdb.sql("SELECT unnest(['low', 'high', 'mid'])::ENUM('low', 'mid', 'high') AS dose")
print("DuckDB ", [row[0] for row in table.order("dose").fetchall()])
frame = table.df()
print("pandas ", frame.sort_values("dose")["dose"].tolist(), frame["dose"].cat.ordered)
frame = table.pl()
print("polars ", frame.sort("dose")["dose"].to_list(), frame["dose"].dtype)
PYTHON
cat seen.txt
cat > expected.txt <<'TEXT'
DuckDB  ['low', 'mid', 'high']
pandas  ['low', 'mid', 'high'] True
polars  ['high', 'low', 'mid'] Categorical
TEXT
cmp seen.txt expected.txt || { echo "changed"; exit 1; }
