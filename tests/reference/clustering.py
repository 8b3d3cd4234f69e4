"""What pyfixest, linearmodels and statsmodels call cluster-robust, on Petersen's panel.

Writes clustering.json beside this script.

Needs an environment of its own (pip install pyfixest==0.60.0 linearmodels==7.1 statsmodels==0.15.0):
python tests/reference/clustering.py
"""

import json
import warnings
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import pyfixest as pf
import statsmodels.formula.api as smf
from linearmodels import PanelOLS, PooledOLS

HERE = Path(__file__).parent
warnings.simplefilter("ignore")

panel = pd.read_csv(HERE / "petersen.csv")
absorbed = panel[(panel["firm"] <= 20) & ((panel["firm"] + panel["year"]) % 4 > 0)].assign(
    x2=lambda d: d.x**2
)
values = {}
PROGRAMS = {"pf": pf, "smf": smf, "PanelOLS": PanelOLS, "PooledOLS": PooledOLS}


def add(name, data, command):
    """Run a command on the data, and keep both."""
    fit = eval(command, PROGRAMS | {"data": data})
    errors = next(getattr(fit, name) for name in ("std_errors", "bse", "_se") if hasattr(fit, name))
    errors = errors if isinstance(errors, pd.Series) else fit.se()
    wanted = [name for name in ("Intercept", "const", "x", "x2") if name in errors.index]
    values[name] = {"command": command, "value": [float(errors[name]) for name in wanted]}


def indexed(data):
    """As linearmodels has a panel, with a constant."""
    return data.assign(const=1.0, firms=data["firm"], years=data["year"]).set_index(["firm", "year"])


for by in ("firm", "year"):
    add(f"one.{by}.statsmodels", panel,
        f'smf.ols("y ~ x", data).fit(cov_type="cluster", cov_kwds={{"groups": data["{by}"]}})')  # fmt: skip
    add(f"one.{by}.pyfixest", panel, f'pf.feols("y ~ x", data, vcov={{"CRV1": "{by}"}})')
add("two.statsmodels", panel,
    'smf.ols("y ~ x", data).fit(cov_type="cluster", '
    'cov_kwds={"groups": data[["firm", "year"]].to_numpy()})')  # fmt: skip
add("two.pyfixest", panel, 'pf.feols("y ~ x", data, vcov={"CRV1": "firm + year"})')
add("two.pyfixest.conventional", panel,
    'pf.feols("y ~ x", data, vcov={"CRV1": "firm + year"}, ssc=pf.ssc(G_df="conventional"))')  # fmt: skip
for name, how in {"plain": "debiased=False", "group_debias": "group_debias=True"}.items():
    add(f"two.linearmodels.{name}", indexed(panel),
        'PooledOLS(data["y"], data[["const", "x"]]).fit(cov_type="clustered", '
        f'clusters=data[["firms", "years"]], {how})')  # fmt: skip

# Group means absorbed, clusters the groups.
add("absorbed.statsmodels", absorbed,
    'smf.ols("y ~ x + x2 + C(firm)", data).fit(cov_type="cluster", '
    'cov_kwds={"groups": data["firm"]})')  # fmt: skip
add("absorbed.pyfixest", absorbed, 'pf.feols("y ~ x + x2 | firm", data, vcov={"CRV1": "firm"})')
add("absorbed.pyfixest.full", absorbed,
    'pf.feols("y ~ x + x2 | firm", data, vcov={"CRV1": "firm"}, ssc=pf.ssc(k_fixef="full"))')  # fmt: skip
add("absorbed.pyfixest.k_adj", absorbed,
    'pf.feols("y ~ x + x2 | firm", data, vcov={"CRV1": "firm"}, ssc=pf.ssc(k_adj=False))')  # fmt: skip
for name, how in {
    "plain": ", debiased=False", "default": "", "group_debias": ", group_debias=True",
    "count_effects": ", group_debias=True, auto_df=False, count_effects=True",
}.items():  # fmt: skip
    add(f"absorbed.linearmodels.{name}", indexed(absorbed),
        'PanelOLS(data["y"], data[["const", "x", "x2"]], entity_effects=True)'
        f'.fit(cov_type="clustered", cluster_entity=True{how})')  # fmt: skip
for entry in values.values():
    if len(entry["value"]) == 3:
        del entry["value"][0]  # the constant that linearmodels takes out of the effects

meta = {name: version(name) for name in ("pyfixest", "linearmodels", "statsmodels", "pandas", "numpy")}
meta["script"] = Path(__file__).name
text = json.dumps({"meta": meta, "values": values}, indent=2)
(HERE / "clustering.json").write_text(text + "\n", encoding="utf-8", newline="\n")
