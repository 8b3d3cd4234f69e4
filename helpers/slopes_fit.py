"""Partial pooling with slopes that vary: the result, which speaks the language of the other fits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from numbers import Real
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from . import slopes, slopes_inference, slopes_sandwich
from .slopes_inference import Solution
from .slopes_search import maximum


class SlopeTest(NamedTuple):
    """A likelihood-ratio test that a slope does not vary.

    Attributes
    ----------
    statistic : float
        Fall of the criterion from the model where it does not vary.
    pvalue : float
        Of the half-and-half mixture of chi-squares; 1 where the statistic is 0.
    df : tuple of int
        Degrees of freedom of the two.
    """

    statistic: float
    pvalue: float
    df: tuple


class PredictedMean(NamedTuple):
    """A predicted mean of a group not yet seen, given the variances; ``df`` is Satterthwaite's."""

    estimate: float
    se: float
    df: float


@dataclass(frozen=True, eq=False, kw_only=True)
class SlopesFit:
    """Intercepts and slopes that vary from group to group: what REML or ML found, by term.

    Attributes
    ----------
    method : str
        "reml" or "ml".
    data : GroupSummary
        Of the fixed terms.
    varying : list of str
        Terms whose coefficients differ between groups, "Intercept" first.
    df_method : str
        "kenward-roger", "satterthwaite", "residual", "normal" or a kind of cluster-robust error. As in the
        other fits, Kenward and Roger's df stand beside the unadjusted error until `with_df` asks for theirs.
    """

    method: str
    data: object
    varying: list
    df_method: str
    _solution: Solution
    _whole: object
    _cov: np.ndarray
    _df: np.ndarray | None = None

    pooling = "partial"

    @cached_property
    def params(self):
        """Estimates by term."""
        estimate = self._turn @ self._solution.gls.beta * self._length + self.data.slopes
        if self.data.intercept is not None:
            estimate[self.data.intercept] += _level(self.data)
        return pd.Series(estimate, self._terms, name="estimate")

    @cached_property
    def bse(self):
        """Standard errors by term."""
        return pd.Series(np.sqrt(self._cov.diagonal()), self._terms, name="se")

    @cached_property
    def df(self):
        """Degrees of freedom by term, of the t reference."""
        values = self._df
        if values is None:
            of = slopes_inference.kenward_roger(self._solution)[1]
            values = [of(a) for a in self._turn]
        return pd.Series(values, self._terms, dtype=float, name="df")

    def cov_params(self):
        """Covariance of the estimates, terms by terms."""
        return pd.DataFrame(self._cov, self._terms, self._terms)

    @property
    def tvalues(self):
        """Estimates over their standard errors."""
        return (self.params / self.bse).rename("t")

    @property
    def pvalues(self):
        """Two-sided p values of t, on df degrees of freedom."""
        return pd.Series(2 * stats.t.sf(np.abs(self.tvalues), self.df), self._terms, name="p")

    def conf_int(self, alpha=0.05):
        """Two-sided t intervals of level 1 - alpha, as a DataFrame with columns lower and upper.

        Raises
        ------
        TypeError, ValueError
            If alpha is no number between 0 and 1.
        """
        half = stats.t.ppf(1 - _level_of(alpha) / 2, self.df) * self.bse
        return pd.DataFrame({"lower": self.params - half, "upper": self.params + half})

    @property
    def nobs(self):
        """Rows fitted."""
        return self.data.nobs

    @property
    def ngroups(self):
        """Groups in the data."""
        return self.data.ngroups

    @property
    def criterion(self):
        """R's ``REMLcrit``, or -2 log likelihood under ML."""
        return self._solution.top.criterion

    @property
    def theta(self):
        """Variance within groups (lme4's theta is another thing)."""
        return self._solution.theta * self._length**2

    @cached_property
    def psi(self):
        """Covariance of the coefficients between groups, terms by terms, "Intercept" first."""
        half = np.where(self._is_zero[:, None], 0.0, self._back @ self._solution.top.factor)
        return pd.DataFrame(self.theta * half @ half.T, self.varying, self.varying)

    @cached_property
    def sds(self):
        """Standard deviations of the coefficients between groups, by term."""
        return pd.Series(np.sqrt(np.diag(self.psi)), self.varying, name="sd")

    @cached_property
    def correlations(self):
        """Correlations of the coefficients between groups; NaN with one that does not vary."""
        sd = self.sds.replace(0.0, np.nan).to_numpy()
        values = self.psi.to_numpy() / sd / sd[:, None]
        np.fill_diagonal(values, np.where(np.isnan(sd), np.nan, 1.0))
        return pd.DataFrame(np.clip(values, -1, 1), self.varying, self.varying)

    @property
    def rank(self):
        """Rank of psi: below the number of varying terms where it is on its boundary."""
        return self._solution.top.factor.shape[1]

    @property
    def singular(self):
        """Whether psi is on its boundary."""
        return self.rank < len(self.varying)

    @property
    def boundary(self):
        """Say in words which boundary psi is on; "" inside."""
        if not self.singular:
            return ""
        names, still = self.varying, list(self.sds.index[self._is_zero])
        parts = [f"the variance of {name} is estimated as 0" for name in still]
        moving = [k for k, name in enumerate(names) if name not in still]
        if self.rank < len(moving):
            if self.rank == 1:
                r = self.correlations.to_numpy()
                parts += [
                    f"the correlation of {names[i]} and {names[k]} is estimated as {r[i, k]:+.0f}"
                    for n, i in enumerate(moving)
                    for k in moving[n + 1 :]
                ]
            else:
                named = ", ".join(names[k] for k in moving)
                parts.append(f"the {len(moving)} coefficients {named} vary in {self.rank} directions only")
        return "; ".join(parts)

    @cached_property
    def _is_zero(self):
        """Which of the varying terms have no variance, but for rounding."""
        half = self._back @ self._solution.top.factor
        information = self._solution.likelihood.reduced.average.diagonal()
        return (half**2).sum(axis=1) <= 1e-16 * (self._back**2 @ (1 / information))

    @property
    def variances(self):
        """Variances and covariances between groups and theta, with their standard errors.

        Returns
        -------
        DataFrame
            A row for each entry of psi ("psi[Intercept]", "psi[Intercept, x]", ...) and theta, columns
            ``estimate`` and ``se``, on the variances' own scale, by the inverse expected information. On the
            boundary those of psi are NaN, for the estimates have no normal distribution there.
        """
        q = len(self.varying)
        i, k = np.triu_indices(q)
        spread = slopes_inference.covariance_errors(self._solution) * self.theta**2
        E = slopes_inference.basis(q)
        turn = np.array([(self._back @ e @ self._back.T)[i, k] for e in E]).T
        se = np.sqrt(np.append(np.diag(turn @ spread[:-1, :-1] @ turn.T), spread[-1, -1]))
        if self.singular:
            se[:-1] = np.nan
        names = [f"psi[{', '.join(dict.fromkeys((self.varying[a], self.varying[b])))}]" for a, b in zip(i, k)]
        estimate = np.append(self.psi.to_numpy()[i, k], self.theta)
        return pd.DataFrame({"estimate": estimate, "se": se}, [*names, "theta"])

    def with_df(self, df_method):
        """Return this fit with other degrees of freedom.

        Parameters
        ----------
        df_method : {"residual", "satterthwaite", "kenward-roger"}
            N less the coefficients; Satterthwaite's, from the observed REML information (on the boundary
            that of the face, as lmerTest's); or Kenward and Roger's (1997), which bring their adjusted
            standard errors with them.

        Returns
        -------
        SlopesFit

        Raises
        ------
        ValueError
            If the method is none of these, or not "residual" under ML.
        """
        if df_method not in ("residual", "satterthwaite", "kenward-roger"):
            raise ValueError(
                f'df_method must be "residual", "satterthwaite" or "kenward-roger"; got {df_method!r}'
            )
        if df_method == "residual":
            df = np.full(len(self._cov), float(self.nobs - len(self._cov)))
            return replace(self, df_method=df_method, _df=df)
        if self.method != "reml":
            raise ValueError(
                f'{df_method} degrees of freedom are for REML; this fit is by ML: use "residual"'
            )
        if df_method == "satterthwaite":
            of = slopes_inference.satterthwaite(self._solution)
            return replace(self, df_method=df_method, _df=np.array([of(a) for a in self._turn]))
        cov, of = slopes_inference.kenward_roger(self._solution)
        if not np.isfinite(cov).all():
            raise ValueError(
                "Kenward-Roger is not defined here: the information on the variances has no inverse"
            )
        return self._with_errors(df_method, self._solution.theta * cov, of)

    def cluster_robust(self, kind="CR2"):
        """Return this fit with sandwich standard errors by group, R's ``vcovCR(lmer(...), kind)``.

        Parameters
        ----------
        kind : {"CR0", "CR1", "CR1S", "CR2", "CR3"}
            As `slopes_sandwich.cluster_robust`; CR2 has Satterthwaite's df, the others J - 1.

        Returns
        -------
        SlopesFit

        Raises
        ------
        ValueError
            If the kind is none of these.
        """
        if kind not in slopes_sandwich.KINDS:
            raise ValueError(f"kind must be one of {', '.join(slopes_sandwich.KINDS)}; got {kind!r}")
        return self._with_errors(kind, *slopes_sandwich.cluster_robust(self._solution, self.data, kind))

    def _with_errors(self, df_method, cov, of):
        cov = self._turn @ cov @ self._turn.T * self._length**2
        return replace(self, df_method=df_method, _cov=cov, _df=np.array([of(a) for a in self._turn]))

    def test_slope(self, term=None):
        """Likelihood-ratio test that the slope of a term does not differ between groups.

        Parameters
        ----------
        term : str, optional
            One of ``varying``; without one the only slope there is.

        Returns
        -------
        SlopeTest
            Under the null hypothesis, in large samples, the statistic is chi-square on q - 1 degrees of freedom
            half of the time and on q the other half, q the number of varying terms, this one among them
            (Self and Liang 1987; Stram and Lee 1994). Exact for J to infinity, where the other variances are
            above 0.

        Raises
        ------
        ValueError
            If there is no such term, or several and none was named.
        """
        known = self.varying[1:]
        term = known[0] if term is None and len(known) == 1 else term
        if term not in known:
            raise ValueError(f"name the slope to test, one of {', '.join(known)}; got {term!r}")
        rest = [name for name in known if name != term]
        places = [self._whole.terms.index(name) for name in rest]
        fixed = np.isin(self._whole.terms, self.data.terms)
        top = maximum(slopes.Likelihood(slopes.of_summary(self._whole, places, fixed)[0], self.method))
        statistic, q = max(0.0, top.criterion - self.criterion), len(self.varying)
        if statistic <= 1e-12 * abs(self.criterion):
            return SlopeTest(0.0, 1.0, (q - 1, q))
        tails = stats.chi2.sf(statistic, [q - 1, q])
        return SlopeTest(float(statistic), float(tails.mean()), (q - 1, q))

    @cached_property
    def group_effects(self):
        """What each group adds to the coefficients, with standard errors.

        Returns
        -------
        DataFrame
            By group, columns (term, ``estimate``), (term, ``se``) and (term, ``se_conditional``): the best
            linear unbiased prediction (R's ranef); its error given the variances, that of the fixed effects
            counted (Searle et al. 1992, chapter 7); and with the fixed effects known (R's condVar).
        """
        return self._by_group(np.zeros((len(self.varying), len(self._cov))), np.zeros(len(self.varying)))

    @cached_property
    def group_coefficients(self):
        """The coefficients of each group, fixed part plus effect, as `group_effects`; R's ``coef``."""
        contrasts, level = np.zeros((len(self.varying), len(self._cov))), np.zeros(len(self.varying))
        for k, name in enumerate(self.varying):
            if name in self.data.terms:
                contrasts[k] = self._turn[self.data.terms.index(name)]
                level[k] = self.params[name]
        return self._by_group(contrasts, level)

    @property
    def group_means(self):
        """The mean of each group where the predictors are 0: ``estimate``, ``se``, ``se_conditional``.

        Raises
        ------
        ValueError
            If the model has no constant.
        """
        self._constant()
        return self.group_coefficients["Intercept"]

    def _by_group(self, contrasts, level):
        found = slopes_inference.group_effects(self._solution, contrasts, self._back)
        root = np.sqrt(self.theta)
        estimate = level[:, None] + found[0] * self._length
        columns = zip(estimate, root * found[1], root * found[2], strict=True)
        names = ("estimate", "se", "se_conditional")
        table = {
            (term, name): v for term, values in zip(self.varying, columns) for name, v in zip(names, values)
        }
        return pd.DataFrame(table, self.data.labels)

    def new_group(self):
        """Mean of a group not yet seen, where the predictors are 0, as `PredictedMean`."""
        return self._new(0)

    def new_observation(self):
        """One outcome in a group not yet seen, where the predictors are 0, as `PredictedMean`."""
        return self._new(1)

    def _new(self, rows):
        k = self._constant()
        mse, df = slopes_inference.predicted(self._solution, self._turn[k], self._back[0], rows)
        df = df if self.method == "reml" else float(self.df.iloc[k])
        return PredictedMean(float(self.params.iloc[k]), float(np.sqrt(mse * self.theta)), df)

    def _constant(self):
        if self.data.intercept is None:
            raise ValueError(f"{self.data.formula!r} has no constant, so no mean to predict: add 1")
        return self.data.intercept

    @cached_property
    def _terms(self):
        return pd.Index(self.data.terms, tupleize_cols=False)

    @property
    def _length(self):
        return float(self._solution.likelihood.reduced.lengths[-1])

    @property
    def _back(self):
        return self._solution.likelihood.reduced.back

    @cached_property
    def _turn(self):
        """Rows turn coefficients of the columns in working units into those of the terms as given."""
        return turn_of(self.data, self._solution.likelihood.reduced)

    def _head(self):
        data = self.data
        slopes_named = ", ".join(self.varying[1:])
        label = "REML criterion" if self.method == "reml" else "-2 log likelihood"
        dropped = f", {data.dropped} rows dropped for missing values" if data.dropped else ""
        sds = "   ".join(f"{name} {sd:.6g}" for name, sd in self.sds.items())
        r = self.correlations.to_numpy()
        pairs = "   ".join(
            f"{self.varying[i]}, {self.varying[k]} {r[i, k]:.4f}"
            for i, k in zip(*np.triu_indices(len(r), 1), strict=True)
        )
        lines = [
            f"Partial pooling ({self.method.upper()}), slopes that vary: {slopes_named}   {data.formula}"
            f"   by {data.group}",
            f"{self.nobs} rows, {self.ngroups} groups, df: {self.df_method}{dropped}",
            f"sd between groups: {sds}   correlation: {pairs}",
            f"theta (within) {self.theta:.6g}   {label} {self.criterion:.4f}",
        ]
        lost = [name for name in self.varying if name not in data.terms and name != "Intercept"]
        if lost:
            lines.append(f"{', '.join(lost)}: not among the fixed terms, so the average slope is taken as 0")
        return [*lines, f"on the boundary: {self.boundary}"] if self.singular else lines

    def _table(self):
        columns = {
            "estimate": self.params, "se": self.bse, "df": self.df, "t": self.tvalues, "P>|t|": self.pvalues
        }  # fmt: skip
        formats = dict.fromkeys(["estimate", "se", "lower", "upper"], "{:.6g}".format)
        formats |= {"df": "{:.1f}".format, "t": "{:.3f}".format, "P>|t|": "{:.4f}".format}
        return pd.DataFrame(columns).join(self.conf_int()), {"formatters": formats, "max_rows": 40}

    def summary(self):
        """Everything at a glance, as text: the fit, the variances, a row for each term."""
        table, options = self._table()
        return "\n".join([*self._head(), table.to_string(**options)])

    def __repr__(self):
        return self.summary()

    def _repr_html_(self):
        table, options = self._table()
        head = "<br>".join(escape(line) for line in self._head())
        return f"<p>{head}</p>\n{table.to_html(border=0, **options)}"


def turn_of(kept, reduced):
    """Rows turn coefficients of the columns in working units into those of the terms as given."""
    turn = np.eye(len(kept.terms))
    if kept.intercept is not None:
        turn[kept.intercept] = -(kept.shift + kept.centre)[:-1]
        turn[kept.intercept, kept.intercept] = 1.0
    return turn / reduced.lengths[:-1]


def _level(data):
    """What shifting and centring took off the outcome, where every term but the constant is 0."""
    return data.shift[-1] + data.centre[-1] - data.shift[:-1] @ data.slopes


def _level_of(alpha):
    if not isinstance(alpha, Real):
        raise TypeError(f"alpha must be a number between 0 and 1; got {alpha!r}")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1; got {alpha}")
    return float(alpha)
