#!/bin/sh
# pyarrow: ChunkedArray.to_numpy gives a null of a dictionary column the LAST value of the dictionary.
# Guess of a specialist: None (or nan), as Array.to_numpy, to_pandas and to_pylist of the same data give.
# Seen with pyarrow 26.0.1, numpy 2.4.6, pandas 3.1.1, Python 3.11:
#   pylist   ['a', 'c', None]
#   array    ['a', 'c', None]
#   pandas   ['a', 'c', nan]
#   chunked  ['a', 'c', 'c']
#   Series   ['a', 'c', 'c']
# The code of the null is -1 by then, and an index of -1 counts from the end. pandas.Series(ChunkedArray),
# by which narwhals' to_pandas goes, asks for numpy and so has the row in the last group too.
# Exit code: 0 if this is what happens still, 1 if it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1 numpy==2.4.6 pandas==3.1.1
cd "$folder"
venv/bin/python - <<'PYTHON' > seen.txt
import pandas as pd
import pyarrow as pa

array = pa.array(["a", "c", None]).dictionary_encode()
chunked = pa.chunked_array([array])
print("pylist  ", chunked.to_pylist())
print("array   ", array.to_numpy(zero_copy_only=False).tolist())
print("pandas  ", chunked.to_pandas().tolist())
print("chunked ", chunked.to_numpy().tolist())
print("Series  ", pd.Series(chunked).tolist())
PYTHON
cat seen.txt
cat > expected.txt <<'TEXT'
pylist   ['a', 'c', None]
array    ['a', 'c', None]
pandas   ['a', 'c', nan]
chunked  ['a', 'c', 'c']
Series   ['a', 'c', 'c']
TEXT
cmp seen.txt expected.txt || { echo "changed"; exit 1; }
