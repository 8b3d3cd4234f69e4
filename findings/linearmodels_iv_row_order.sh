#!/bin/sh
# linearmodels: IV2SLS pairs y, x and clusters by position, whatever their index says; PanelOLS refuses the same.
# Guess of a specialist: both pair by index, as pandas does, so that the order of rows does not matter.
# Seen with linearmodels 7.1, pandas 3.1.1, numpy 2.4.6, scipy 1.17.1, Python 3.11:
#   IV2SLS, in order       slope 1.3299 se 0.1854
#   IV2SLS, y mixed        slope 0.0079 se 0.1663
#   IV2SLS, clusters mixed slope 1.3299 se 0.1377
#   PanelOLS, clusters mixed: ValueError
# Mixed is the same Series, with its index, in another order of rows: what a merge or a sort leaves.
# Exit code: 0 if this is what happens still, 1 if it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    linearmodels==7.1 pandas==3.1.1 numpy==2.4.6 scipy==1.17.1
cd "$folder"
venv/bin/python - <<'PYTHON' > seen.txt
import numpy as np
import pandas as pd
from linearmodels.iv import IV2SLS
from linearmodels.panel import PanelOLS

rng = np.random.default_rng(0)
group = np.repeat(np.arange(12), 5)
x = rng.normal(size=60) + rng.normal(size=12)[group]
y = x + rng.normal(size=12)[group] + rng.normal(size=60)
data = pd.DataFrame({"group": group, "x": x, "one": 1.0, "y": y})
mixed = data.iloc[rng.permutation(60)]
for name, of_y, of_clusters in [("in order", data, data), ("y mixed", mixed, data), ("clusters mixed", data, mixed)]:
    fit = IV2SLS(of_y["y"], data[["one", "x"]], None, None).fit(cov_type="clustered", clusters=of_clusters["group"])
    print(f"{'IV2SLS, ' + name:22} slope {fit.params['x']:.4f} se {fit.std_errors['x']:.4f}")
panel = data.assign(time=np.tile(np.arange(5), 12)).set_index(["group", "time"], drop=False)
shuffled = panel.loc[[(row.group, row.time) for row in mixed.assign(time=mixed.index % 5).itertuples()], ["group"]]
try:
    PanelOLS(panel["y"], panel[["one", "x"]]).fit(cov_type="clustered", clusters=shuffled)
except ValueError as error:
    print("PanelOLS, clusters mixed:", type(error).__name__)
PYTHON
cat seen.txt
cat > expected.txt <<'TEXT'
IV2SLS, in order       slope 1.3299 se 0.1854
IV2SLS, y mixed        slope 0.0079 se 0.1663
IV2SLS, clusters mixed slope 1.3299 se 0.1377
PanelOLS, clusters mixed: ValueError
TEXT
cmp seen.txt expected.txt || { echo "changed"; exit 1; }
