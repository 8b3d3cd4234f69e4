#!/bin/sh
# pandas: value labels of one table are levels in the order of codes from .dta, and sorted as text from .sav.
# Guess of a specialist: the order of the codes from both: it is in both files, and models take the first level as reference.
# Seen with pandas 3.1.1, pyreadstat 1.3.7, Python 3.11:
#   sav ['full', 'half', 'none']
#   dta ['none', 'half', 'full']
# Exit code: 0 if this is what happens still, 1 if it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pandas==3.1.1 pyreadstat==1.3.7
cd "$folder"
venv/bin/python - <<'PYTHON' > seen.txt
import pandas as pd
import pyreadstat

frame = pd.DataFrame({"dose": [1.0, 2.0, 3.0]})
labels = {"dose": {1.0: "none", 2.0: "half", 3.0: "full"}}
pyreadstat.write_sav(frame, "dose.sav", variable_value_labels=labels)
pyreadstat.write_dta(frame, "dose.dta", variable_value_labels=labels)
print("sav", pd.read_spss("dose.sav")["dose"].cat.categories.tolist())
print("dta", pd.read_stata("dose.dta")["dose"].cat.categories.tolist())
PYTHON
cat seen.txt
cat > expected.txt <<'TEXT'
sav ['full', 'half', 'none']
dta ['none', 'half', 'full']
TEXT
cmp seen.txt expected.txt || { echo "changed"; exit 1; }
