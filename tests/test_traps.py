"""The traps of statsmodels: notebook 12's guards speak up when a release mends one, and say what to do."""

import re
from pathlib import Path

import jupytext
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import statsmodels
from statsmodels.regression.linear_model import OLS
from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMResults, MixedLMResultsWrapper

PATH = Path(__file__).parents[1] / "notebooks" / "12_design_and_report.md"
CELLS = [cell.source for cell in jupytext.read(PATH).cells if cell.cell_type == "code"]
TRAPS = [name for cell in CELLS for name in re.findall(r'^\s*guard\("([^"]+)"', cell, re.MULTILINE)]


@pytest.fixture
def scope():
    """What the notebook has defined when the traps begin."""
    plt.switch_backend("Agg")
    found = {}
    for start in ("import", "data = ", "def guard"):
        exec(next(cell for cell in CELLS if cell.startswith(start)), found)
    return found


def run(trap, scope):
    """Run the cell that guards this trap."""
    exec('houses, once = radon(), fit("score ~ 1", data, "classroom")', scope)
    exec('mean_se = once.bse_fe["Intercept"]', scope)
    exec(next(cell for cell in CELLS if f'guard("{trap}"' in cell), scope)


def gls_errors(result):
    """The corner of minus the Hessian, inverted without the rest."""
    k = len(result.model.exog_names)
    corner = result.model.hessian(result.params_object)[0][:k, :k]
    return pd.Series(np.sqrt(np.diag(np.linalg.inv(-corner))), result.model.exog_names)


def by_powell(fit):
    return lambda self, *args, method=None, **kwargs: fit(self, *args, method="powell", **kwargs)


def exactly(fit):
    """Fit to the last digit: a search from where powell ends."""

    def mended(self, *args, **kwargs):
        return fit(self, *args, method=["bfgs"], gtol=1e-10)

    return mended


def ratio_made_variance(conf_int):
    def mended(self, alpha=0.05):
        ends = conf_int(self, alpha)
        ends.iloc[-1] *= self.scale
        return ends

    return mended


def wider(conf_int):
    def mended(self, alpha=0.05):
        ends = conf_int(self, alpha)
        ends.iloc[0] += np.diff(ends.iloc[0]) * [-0.05, 0.05]
        return ends

    return mended


def with_t(fit):
    return lambda self, *args, use_t=None, **kwargs: fit(self, *args, use_t=True, **kwargs)


MENDED = {
    "SE of the variance": (MixedLMResults, "bse_re", property(lambda self: 0.4 * np.diag(self.cov_re))),
    "unbalanced SE": (MixedLMResults, "bse_fe", property(gls_errors)),
    "default fit of M2": (MixedLM, "fit", by_powell(MixedLM.fit)),
    "lbfgs alone": (MixedLM, "fit", by_powell(MixedLM.fit)),
    "z, not t": (MixedLMResultsWrapper, "conf_int", wider(MixedLMResultsWrapper.conf_int)),
    "interval of the ratio": (
        MixedLMResultsWrapper, "conf_int", ratio_made_variance(MixedLMResultsWrapper.conf_int)),
    "no AIC under REML": (MixedLMResults, "aic", property(lambda self: -2 * self.llf + 6)),
    "predict without the class": (
        MixedLMResults, "predict", lambda self, exog=None, **kwargs: self.fittedvalues),
    "cluster-robust z": (OLS, "fit", with_t(OLS.fit)),
    "stops early": (MixedLM, "fit", exactly(MixedLM.fit)),
}  # fmt: skip


def test_every_trap_has_its_guard_and_its_mend():
    assert sorted(TRAPS) == sorted(MENDED)


@pytest.mark.parametrize("trap", TRAPS)
def test_the_trap_is_still_there(trap, scope, monkeypatch):
    seen, guard = {}, scope["guard"]
    monkeypatch.setitem(scope, "guard", lambda name, there: (guard(name, there), seen.update({name: there})))
    run(trap, scope)
    assert seen[trap]


@pytest.mark.parametrize("trap", TRAPS)
def test_a_release_that_mends_a_trap_is_told_so(trap, scope, monkeypatch):
    monkeypatch.setattr(*MENDED[trap])
    said = f"this trap is gone: statsmodels {statsmodels.__version__} mends {trap!r}; change the text"
    with pytest.raises(AssertionError, match=re.escape(said)):
        run(trap, scope)
