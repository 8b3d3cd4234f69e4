"""The three fits of the course, and the result they share, which speaks statsmodels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import stats

from . import formulas
from .groups import GroupSummary, inverse, refuse_collinear, solve, summarise
from .inference import kenward_roger, satterthwaite
from .reml import Profile


@dataclass(frozen=True, eq=False)
class Fit:
    """What a fit found: estimates, standard errors, degrees of freedom, by term.

    Attributes
    ----------
    pooling : str
        "complete", "no" or "partial".
    method : str
        "ols", "reml" or "ml".
    data : GroupSummary
        What was fitted.
    params, bse, df : Series
        Estimates, standard errors and degrees of freedom of the t reference, by term.
    theta : float
        Variance within groups; for complete pooling the residual variance.
    psi, icc, criterion, singular : float, float, float, bool or None
        Partial pooling only: variance between groups, psi / (psi + theta), R's ``REMLcrit`` (under ML
        -2 log likelihood), and whether psi is 0.
    df_method : str
        Where df comes from: "residual", "kenward-roger" or "normal". Kenward and Roger's df stand
        beside the unadjusted standard error that lme4 prints; in unbalanced data their own is larger.
    """

    pooling: str
    method: str
    data: GroupSummary
    params: pd.Series
    df: pd.Series
    _cov: np.ndarray
    df_method: str
    theta: float
    psi: float | None = None
    criterion: float | None = None
    _centred: tuple = ()

    @property
    def bse(self):
        """Standard errors by term."""
        return pd.Series(np.sqrt(self._cov.diagonal()), self.params.index, name="se")

    def cov_params(self):
        """Covariance of the estimates, terms by terms."""
        return pd.DataFrame(self._cov, self.params.index, self.params.index)

    @property
    def tvalues(self):
        """Estimates over their standard errors."""
        return (self.params / self.bse).rename("t")

    @property
    def pvalues(self):
        """Two-sided p values of t, on df degrees of freedom."""
        return pd.Series(2 * stats.t.sf(np.abs(self.tvalues), self.df), self.params.index, name="p")

    def conf_int(self, alpha=0.05):
        """Two-sided intervals of level 1 - alpha, as a DataFrame with columns lower and upper.

        Raises
        ------
        ValueError
            If alpha does not lie between 0 and 1.
        """
        if not 0 < alpha < 1:
            raise ValueError(f"alpha must lie between 0 and 1; got {alpha}")
        half = stats.t.ppf(1 - alpha / 2, self.df) * self.bse
        return pd.DataFrame({"lower": self.params - half, "upper": self.params + half})

    def with_df(self, df_method):
        """Return this fit with other degrees of freedom.

        Parameters
        ----------
        df_method : {"residual", "satterthwaite", "kenward-roger"}
            N less the coefficients; Satterthwaite's (from the observed REML information); or Kenward
            and Roger's (1997), which bring their adjusted standard errors with them.

        Returns
        -------
        Fit
            Estimates, variances and group means as before.

        Raises
        ------
        ValueError
            If the method is not one of these; if it is not "residual" and the fit is not partial
            pooling by REML with psi > 0.
        """
        if df_method not in ("residual", "satterthwaite", "kenward-roger"):
            raise ValueError(
                f'df_method must be "residual", "satterthwaite" or "kenward-roger"; got {df_method!r}'
            )
        cov = self._cov
        if df_method == "residual":
            df = np.full(len(self.params), float(self.nobs - len(self.params)))
        else:
            if self.pooling != "partial" or self.method != "reml" or self.singular:
                raise ValueError(
                    f"{df_method} degrees of freedom are for partial pooling by REML with psi > 0; "
                    f'this fit is of {self.pooling} pooling by {self.method}, psi {self.psi}: use "residual"'
                )
            change = _to_terms(self.data)
            if df_method == "kenward-roger":
                adjusted, of = kenward_roger(self.data, self.psi, self.theta)
                cov = change @ adjusted @ change.T
            else:
                of = satterthwaite(self.data, self._centred[0], self.psi, self.theta)
            df = [of(a) for a in change]
        df = pd.Series(df, self.params.index, name="df")
        return replace(self, df=df, df_method=df_method, _cov=cov)

    @property
    def nobs(self):
        """Rows fitted."""
        return self.data.nobs

    @property
    def ngroups(self):
        """Groups in the data."""
        return self.data.ngroups

    @property
    def icc(self):
        """Intraclass correlation psi / (psi + theta); None unless partial pooling."""
        return None if self.psi is None else self.psi / (self.psi + self.theta)

    @property
    def singular(self):
        """Whether the variance between groups is estimated as 0; None unless partial pooling."""
        return None if self.psi is None else self.psi == 0

    @cached_property
    def group_means(self):
        """The mean of each group where the predictors are 0, with its standard error.

        Returns
        -------
        DataFrame
            By group. No pooling: ``estimate``, ``se``. Partial pooling: ``estimate``, ``se`` (prediction
            SE of intercept plus effect, given the variances: counts the uncertainty of the fixed effects;
            Searle et al. 1992, chapter 7) and ``se_conditional`` (takes the fixed effects as known:
            R's condVar).

        Raises
        ------
        ValueError
            For complete pooling, which has none, and for partial pooling without a constant.
        """
        if self.pooling == "no":
            J = self.ngroups
            index = self.data.labels
            return pd.DataFrame(
                {"estimate": self.params.to_numpy()[:J], "se": self.bse.to_numpy()[:J]}, index
            )
        if self.data.intercept is None:
            raise ValueError(f"{self.data.formula!r} has no constant: ask for group_effects")
        k = self.data.intercept
        return self._predicted(self.params.iloc[k], _to_terms(self.data)[k])

    @cached_property
    def group_effects(self):
        """What each group adds to the fixed part, with its standard error.

        Returns
        -------
        DataFrame
            By group: ``estimate`` (the best linear unbiased prediction, R's ranef), ``se`` (of
            prediction, given the variances; Searle et al. 1992, chapter 7) and ``se_conditional``
            (R's condVar: takes the fixed effects as known).

        Raises
        ------
        ValueError
            Unless the fit is of partial pooling.
        """
        return self._predicted(0.0, 0.0)

    def _predicted(self, level, contrast):
        """Table of level plus effect of each group, where level is ``contrast`` times the coefficients."""
        if self.pooling != "partial":
            raise ValueError(f"{self.pooling} pooling has no group effects to predict: use partial_pooling")
        beta, cov = self._centred
        means, factor = self.data.centred_means(), formulas.shrinkage(self.psi, self.theta, self.data.sizes)
        conditional = self.psi * (1 - factor)  # with the fixed effects known
        spread = contrast - factor[:, None] * means[:, :-1]
        variance = conditional + np.einsum("ji,ik,jk->j", spread, cov, spread)
        estimate = level + factor * (means[:, -1] - means[:, :-1] @ beta)
        columns = {"estimate": estimate, "se": np.sqrt(variance), "se_conditional": np.sqrt(conditional)}
        return pd.DataFrame(columns, self.data.labels)

    def summary(self):
        """Everything at a glance, as text: the fit, the variances, a row for each term."""
        data, interval = self.data, self.conf_int()
        names = {"complete": "Complete pooling", "no": "No pooling", "partial": "Partial pooling"}
        lines = [
            f"{names[self.pooling]} ({self.method.upper()})   {data.formula}"
            + (f"   by {data.group}" if data.group else ""),
            f"{self.nobs} rows, "
            + (f"{self.ngroups} groups, " if data.group else "")
            + f"df: {self.df_method}"
            + (f", {data.dropped} rows dropped for missing values" if data.dropped else ""),
        ]
        if self.pooling == "partial":
            label = "REML criterion" if self.method == "reml" else "-2 log likelihood"
            lines.append(
                f"psi (between) {self.psi:.6g}   theta (within) {self.theta:.6g}   ICC {self.icc:.4f}"
            )
            lines.append(f"{label} {self.criterion:.4f}")
            if self.singular:
                ml = "" if self.method == "reml" else ", times sqrt((N - p) / N)"
                lines.append(f"psi is estimated as 0: the standard errors are those of complete pooling{ml}")
        else:
            lines.append(f"theta (residual variance) {self.theta:.6g}")
        table = pd.DataFrame(
            {"estimate": self.params, "se": self.bse, "df": self.df, "t": self.tvalues, "P>|t|": self.pvalues}
        ).join(interval)
        formats = dict.fromkeys(["estimate", "se", "lower", "upper"], "{:.6g}".format)
        formats |= {"df": "{:.1f}".format, "t": "{:.3f}".format, "P>|t|": "{:.4f}".format}
        return "\n".join([*lines, table.to_string(formatters=formats, max_rows=40)])

    def __repr__(self):
        return self.summary()


def complete_pooling(formula, data, groups=None, missing="raise"):
    """Ordinary least squares, as if there were no groups: R's ``lm(score ~ 1)``.

    Parameters
    ----------
    formula : str
        Outcome and terms, ``"score ~ 1"``.
    data : DataFrame or GroupSummary
        A table, or what `groups.summarise` made of one.
    groups : str, optional
        The group column. The estimates and standard errors do not use it.
    missing : {"raise", "drop"}

    Returns
    -------
    Fit
        With N - p residual degrees of freedom.

    Raises
    ------
    TypeError, ValueError
        As `groups.summarise`.
    """
    summary = summarise(data, formula, groups, missing)
    cross = summary.about_centre()
    beta = solve(cross[:-1, :-1], cross[:-1, -1:])[:, 0]
    df = summary.nobs - len(beta)
    theta = float(summary.unexplained(cross) / df)
    cov = theta * inverse(cross[:-1, :-1])
    return Fit("complete", "ols", summary, *_by_term(summary, beta, cov, df), "residual", theta)


def no_pooling(formula, data, groups=None, missing="raise"):
    """One fixed mean for each group, one variance within: R's ``lm(score ~ classroom - 1)``.

    Parameters
    ----------
    formula : str
        Outcome and the terms that vary within groups; the constant of ``"score ~ 1"`` stands for
        the group means.
    data : DataFrame or GroupSummary
    groups : str
        The group column; a GroupSummary knows its own.
    missing : {"raise", "drop"}

    Returns
    -------
    Fit
        ``params`` holds the group means (``classroom[1]``, ...; where predictors are 0) and then the
        slopes, on N - J - slopes degrees of freedom.

    Raises
    ------
    TypeError
        As `groups.summarise`, and if there is no group column.
    ValueError
        As `groups.summarise`; if the formula has no constant, if a term does not vary within any
        group or is there a combination of others, if no group has two rows, or if nothing is left to
        estimate the variance within from.
    """
    summary = _grouped(summarise(data, formula, groups, missing), "no_pooling")
    if summary.intercept is None:
        raise ValueError(f"{summary.formula!r} has no constant for the group means to replace: add 1")
    _refuse_singletons(summary)
    slopes = [k for k in range(len(summary.terms)) if k != summary.intercept]
    keep = [*slopes, len(summary.terms)]
    means, within = summary.centred_means()[:, keep], summary.within[np.ix_(keep, keep)]
    total = summary.about_centre().diagonal()[slopes]
    names = [summary.terms[k] for k in slopes]
    for k, term in enumerate(names):
        if within[k, k] <= 1e-20 * total[k]:
            raise ValueError(
                f"term {term!r} does not vary within any {summary.group}, so the {summary.group} means "
                "absorb it: leave it out, or use partial_pooling"
            )
    refuse_collinear(within, names)
    df = summary.nobs - summary.ngroups - len(slopes)
    if df < 1:
        raise ValueError(
            f"{summary.nobs} rows, {summary.ngroups} group means and {len(slopes)} slopes leave nothing "
            "to estimate the variance within from"
        )
    unscaled = inverse(within[:-1, :-1])
    b = solve(within[:-1, :-1], within[:-1, -1:])[:, 0]
    left = summary.unexplained(summary.within)
    if not left:
        raise ValueError(
            f"{summary.outcome!r} does not vary within any {summary.group} beyond what the terms say: "
            "nothing is left to estimate the variance within from"
        )
    theta = float(left / df)
    origin = means[:, :-1] + (summary.shift + summary.centre)[slopes]
    level = _level(summary) + means[:, -1] - origin @ b
    names = [*(f"{summary.group}[{label}]" for label in summary.labels), *names]
    cross = -origin @ unscaled
    cov = theta * np.block([[np.diag(1 / summary.sizes) - cross @ origin.T, cross], [cross.T, unscaled]])
    params = pd.Series(np.concatenate([level, b + summary.slopes[slopes]]), names, name="estimate")
    return Fit("no", "ols", summary, params, pd.Series(float(df), names, name="df"), cov, "residual", theta)


def partial_pooling(formula, data, groups=None, method="reml", missing="raise"):
    """Random intercepts by exact REML or ML: R's ``lmer(score ~ 1 + (1 | classroom))``.

    The variance ratio is the root of the analytic profile score (`reml.Profile`), not where an
    optimiser stopped, so that balanced data give the ANOVA estimates to the last digits.

    Parameters
    ----------
    formula : str
        Outcome and fixed effects.
    data : DataFrame or GroupSummary
    groups : str
        The group column; a GroupSummary knows its own.
    method : {"reml", "ml"}
    missing : {"raise", "drop"}

    Returns
    -------
    Fit
        Standard errors are those of generalised least squares at the estimated variances, as lme4's.
        Under REML ``df`` is Kenward and Roger's (1997); where psi is 0 it is N - p, under ML infinite.

    Raises
    ------
    TypeError
        As `groups.summarise`, and if there is no group column.
    ValueError
        As `groups.summarise` and `reml.Profile`.
    """
    summary = _grouped(summarise(data, formula, groups, missing), "partial_pooling")
    best = Profile(summary, method).fit()
    if method == "ml":
        df, df_method = np.inf, "normal"
    elif best.psi == 0:  # the model is complete pooling, and so is its reference distribution
        df, df_method = summary.nobs - len(best.beta), "residual"
    else:
        contrasts = _to_terms(summary)
        of = kenward_roger(summary, best.psi, best.theta)[1]
        df, df_method = [of(a) for a in contrasts], "kenward-roger"
    found = _by_term(summary, best.beta, best.cov, df)
    return Fit(
        "partial", method, summary, *found, df_method, best.theta,
        best.psi, best.criterion, (best.beta, best.cov),
    )  # fmt: skip


def _grouped(summary, name):
    if summary.group is None:
        raise TypeError(f"{name} needs groups, the name of the column that says which group a row is in")
    return summary


def _refuse_singletons(summary):
    if summary.nobs == summary.ngroups:
        raise ValueError(
            f"every {summary.group} has one row only: nothing is left to estimate the variance within from"
        )


def _to_terms(summary):
    """Rows turn coefficients of the centred columns into those of the terms as given."""
    change = np.eye(len(summary.terms))
    if summary.intercept is not None:
        change[summary.intercept] = -(summary.shift + summary.centre)[:-1]
        change[summary.intercept, summary.intercept] = 1.0
    return change


def _level(summary):
    """What shifting and centring took off the outcome, where every term but the constant is 0."""
    return summary.shift[-1] + summary.centre[-1] - summary.shift[:-1] @ summary.slopes


def _by_term(summary, beta, cov, df):
    """Estimates, df and covariance for the terms as given, from those of the centred columns."""
    change = _to_terms(summary)
    estimate = change @ beta + summary.slopes
    if summary.intercept is not None:
        estimate[summary.intercept] += _level(summary)
    index = pd.Index(summary.terms)
    params = pd.Series(estimate, index, name="estimate")
    return params, pd.Series(df, index, dtype=float, name="df"), change @ cov @ change.T
