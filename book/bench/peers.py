"""Everyone who fits the model: calls that end with psi and the standard error of the intercept in hand."""

import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
import pandas as pd

from helpers import groups, partial_pooling

from . import exact
from .clock import Timed


@dataclass(frozen=True, eq=False)
class Case:
    """A model of a data set: pandas frame of numbers, the group column apart."""

    title: str
    formula: str
    data: pd.DataFrame
    group: str

    @cached_property
    def columns(self):
        """Terms and outcome, the outcome last."""
        return exact.columns(self.formula, self.data)

    @cached_property
    def codes(self):
        """Groups numbered from 0."""
        return pd.factorize(self.data[self.group], sort=True)[0]


# ---- each package, by formula and by arrays ------------------------------------------------------


def of_helpers(fit):
    return fit.psi, fit.bse.iloc[0]


def helpers_formula(case):
    return lambda: of_helpers(partial_pooling(case.formula, case.data, case.group))


def helpers_polars(case):
    data = polars_frame(case)
    return lambda: of_helpers(partial_pooling(case.formula, data, case.group))


def helpers_summary(case):
    summary = groups.summarise(case.data, case.formula, case.group)
    return lambda: of_helpers(partial_pooling(case.formula, summary))


def of_statsmodels(fit):
    return float(np.asarray(fit.cov_re)[0, 0]), float(np.asarray(fit.bse_fe)[0])


def statsmodels_formula(case, **options):
    from statsmodels.formula.api import mixedlm

    return lambda: of_statsmodels(mixedlm(case.formula, case.data, groups=case.group).fit(**options))


def statsmodels_arrays(case):
    from statsmodels.regression.mixed_linear_model import MixedLM

    X, y = case.columns[:, :-1], case.columns[:, -1]
    return lambda: of_statsmodels(MixedLM(y, X, groups=case.codes).fit())


def mixedlm_rs_formula(case):
    from mixedlm_rs import mixedlm

    return lambda: of_statsmodels(mixedlm(case.formula, case.data, groups=case.group).fit())


def mixedlm_rs_arrays(case):
    from mixedlm_rs import MixedLM

    X, y = case.columns[:, :-1].copy(), case.columns[:, -1].copy()
    return lambda: of_statsmodels(MixedLM(endog=y, exog=X, groups=case.codes).fit())


def of_lme_python(fit):
    return fit.var_corr[0][3], fit.std_errors[0]


def lme_python_formula(case, data=None):
    from lme_python import lmer

    formula, data = f"{case.formula} + (1 | {case.group})", case.data if data is None else data
    return lambda: of_lme_python(lmer(formula, data=data))


def lme_python_polars(case):
    return lme_python_formula(case, polars_frame(case))


def lme_python_prepared(case):
    from lme_python import prepare_lmer

    prepared = prepare_lmer(f"{case.formula} + (1 | {case.group})", case.data)
    y = case.columns[:, -1].tolist()
    return lambda: of_lme_python(prepared.fit(y=y))


def of_linearmodels(fit):
    return fit.variance_decomposition["Effects"], fit.std_errors.iloc[0]


def linearmodels_formula(case):
    from linearmodels.panel import RandomEffects

    data = panel(case)
    return lambda: of_linearmodels(RandomEffects.from_formula(case.formula, data).fit())


def linearmodels_arrays(case):
    from linearmodels.panel import RandomEffects

    index, Z = panel(case).index, case.columns
    names = [f"x{k}" for k in range(Z.shape[1] - 1)]
    X, y = pd.DataFrame(Z[:, :-1], index, names), pd.DataFrame(Z[:, -1:], index, ["y"])
    return lambda: of_linearmodels(RandomEffects(y, X).fit())


def panel(case):
    """The frame as linearmodels wants it: indexed by group and by number within the group."""
    number = pd.Series(case.codes).groupby(case.codes).cumcount().to_numpy()
    return case.data.set_index([pd.Index(case.codes, name="entity"), pd.Index(number, name="time")])


def polars_frame(case):
    import polars

    return polars.from_pandas(case.data)


# ---- R --------------------------------------------------------------------------------------------


class R:
    """R in a process of its own, which keeps its own time; every question raises ImportError without R."""

    def __init__(self):
        self.program, self.process, self.loaded = shutil.which("Rscript"), None, None

    def ask(self, *words):
        """Send a request of lme4.R; return the fields of its answer."""
        if self.program is None:
            raise ImportError("Rscript")
        if self.process is None:
            script = Path(__file__).with_name("lme4.R")
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
            self.process = subprocess.Popen([self.program, "--vanilla", script], text=True, **pipes)
        print(*words, sep="\t", file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().split()
        if not answer or answer == ["error"]:
            raise RuntimeError(f"R cannot {words[0]}")
        return answer

    def version(self, package):
        """Version of a package, of R itself by the name R; None where it is not installed."""
        try:
            (answer,) = self.ask("version", package)
        except ImportError:
            return None
        return None if answer == "NA" else answer

    def load(self, case):
        """Hand a case over, once."""
        if self.loaded is case:
            return
        outcome, terms = case.formula.replace(" ", "").split("~")
        names = [outcome, *(term for term in terms.split("+") if term != "1")]
        with NamedTemporaryFile(suffix=".bin") as file:
            for column in (*(case.data[name] for name in names), case.codes):
                file.write(np.asarray(column, dtype=float).tobytes())
            file.flush()
            self.ask("load", file.name, len(case.data), ",".join([*names, case.group]))
        self.loaded = case

    def formula(self, function, package):
        """A contender: the fit of a case by lmer or lme."""

        def prepare(case):
            if not self.version(package):
                raise ImportError(package)
            self.load(case)

            def call():
                self.load(case)
                seconds, *found = map(float, self.ask("fit", function, case.formula))
                return Timed(seconds, tuple(found))

            return call

        return prepare

    def close(self):
        """End the process."""
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()


# ---- who takes part -------------------------------------------------------------------------------


def by_formula(r):
    """Name to a function that prepares the call of a case: formula and data frame."""
    return {
        "helpers": helpers_formula,
        "helpers, polars frame": helpers_polars,
        "statsmodels": statsmodels_formula,
        "mixedlm-rs": mixedlm_rs_formula,
        "lme-python": lme_python_formula,
        "lme-python, polars frame": lme_python_polars,
        "linearmodels, RandomEffects": linearmodels_formula,
        "R, lme4::lmer": r.formula("lmer", "lme4"),
        "R, nlme::lme": r.formula("lme", "nlme"),
    }


def by_arrays():
    """The same for what is ready before the clock starts: arrays, a summary, a prepared design."""
    return {
        "helpers, GroupSummary": helpers_summary,
        "statsmodels, MixedLM": statsmodels_arrays,
        "mixedlm-rs, MixedLM": mixedlm_rs_arrays,
        "lme-python, prepared": lme_python_prepared,
        "linearmodels, RandomEffects": linearmodels_arrays,
    }


def calls(prepared, case):
    """Name to the call of a case; what cannot be prepared raises when called."""

    def guarded(prepare):
        try:
            return prepare(case)
        except Exception as error:
            caught = error  # Python forgets `error` at the end of this block

            def raises():
                raise caught

            return raises

    return {name: guarded(prepare) for name, prepare in prepared.items()}
