#!/bin/sh
# nbconvert: of two kept keys under one parent, ClearMetadataPreprocessor keeps one.
# Guess of a specialist: both stay, for the mask lists both; or the parent stays whole.
# Seen with nbconvert 7.17.2, nbformat 5.11.1, Python 3.11:
#   asked to keep 2 kept 1
# The mask becomes a dictionary by its first keys, so that a second path under the same parent replaces the first.
# Which one is left follows the order of a set. A notebook whose kernelspec loses its name is then refused as invalid.
# Exit code: 0 if this is what happens still, 1 if it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nbconvert==7.17.2 nbformat==5.11.1
cd "$folder"
venv/bin/python - <<'PYTHON' > seen.txt
from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbformat.v4 import new_notebook

clear = ClearMetadataPreprocessor(enabled=True, preserve_nb_metadata_mask={("lesson", "title"), ("lesson", "level")})
notebook = new_notebook(metadata={"lesson": {"title": "Errors", "level": 2, "draft": True}})
kept = clear.preprocess(notebook, {})[0].metadata["lesson"]
print("asked to keep", 2, "kept", len(kept))
PYTHON
cat seen.txt
cat > expected.txt <<'TEXT'
asked to keep 2 kept 1
TEXT
cmp seen.txt expected.txt || { echo "changed"; exit 1; }
