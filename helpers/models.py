"""The three fits of the course, and the result they share, which speaks statsmodels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from html import escape
from numbers import Real
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from . import formulas, inference, slopes_ask, slopes_sandwich
from .groups import GroupSummary, inverse, refuse_collinear, solve, summarise
from .reml import Profile


class LikelihoodRatio(NamedTuple):
    """A likelihood-ratio test of psi = 0.

    Attributes
    ----------
    statistic : float
        Fall of `Fit.criterion` from psi = 0 to the estimate.
    pvalue : float
        Half the upper tail of chi-square on 1 degree of freedom; 1 where the statistic is 0.
    """

    statistic: float
    pvalue: float


class Predicted(NamedTuple):
    """A predicted mean or value, given the variances.

    Attributes
    ----------
    estimate, se : float
    df : float
        Satterthwaite's, of the t reference; N - p where psi is 0, infinite under ML.
    """

    estimate: float
    se: float
    df: float


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
        Where df comes from: "residual", "kenward-roger", "satterthwaite", "normal", or the kind of
        cluster-robust error. Kenward and Roger's df stand beside the unadjusted standard error that
        lme4 prints until `with_df` asks for their own, which in unbalanced data is larger.
    """

    pooling: str
    method: str
    data: GroupSummary
    df_method: str
    theta: float
    _estimate: np.ndarray
    _se: np.ndarray
    _df: np.ndarray | None
    _cov: np.ndarray | None
    psi: float | None = None
    criterion: float | None = None
    _centred: tuple = ()

    @cached_property
    def _terms(self):
        data = self.data
        if self.pooling != "no":
            return _index(tuple(data.terms))
        slopes = (data.terms[k] for k in data.varying)
        return pd.Index([*(f"{data.group}[{label}]" for label in data.labels), *slopes])

    @cached_property
    def params(self):
        """Estimates by term."""
        return pd.Series(self._estimate, self._terms, name="estimate")

    @cached_property
    def bse(self):
        """Standard errors by term."""
        return pd.Series(self._se, self._terms, name="se")

    @cached_property
    def df(self):
        """Degrees of freedom by term."""
        values = self._df
        if values is None:
            of = inference.kenward_roger(self.data, self.psi, self.theta)[1]
            values = [of(a) for a in _to_terms(self.data)]
        return pd.Series(values, self._terms, dtype=float, name="df")

    def cov_params(self):
        """Covariance of the estimates, terms by terms."""
        cov = _no_pooling_cov(self.data, self.theta) if self._cov is None else self._cov
        return pd.DataFrame(cov, self._terms, self._terms)

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
        ValueError
            If alpha does not lie between 0 and 1.
        """
        half = stats.t.ppf(1 - _level_of(alpha) / 2, self.df) * self.bse
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
        if df_method == "residual":
            df = np.full(len(self._estimate), float(self.nobs - len(self._estimate)))
            return replace(self, df_method=df_method, _df=df)
        if self.pooling != "partial" or self.method != "reml" or self.singular:
            raise ValueError(
                f"{df_method} degrees of freedom are for partial pooling by REML with psi > 0; "
                f'this fit is of {self.pooling} pooling by {self.method}, psi {self.psi}: use "residual"'
            )
        if df_method == "satterthwaite":
            of = inference.satterthwaite(self.data, self._centred[0], self.psi, self.theta)
            return replace(self, df_method=df_method, _df=[of(a) for a in _to_terms(self.data)])
        return self._with_errors(df_method, *inference.kenward_roger(self.data, self.psi, self.theta))

    def cluster_robust(self, kind="CR2"):
        """Return this fit with standard errors that allow any dependence within groups; not for no pooling.

        Parameters
        ----------
        kind : {"CR0", "CR1", "CR2", "CR3"}
            The sandwich as it is; times J / (J - 1); corrected for leverage, exact where errors are
            independent, with Satterthwaite's degrees of freedom (Bell and McCaffrey 2002); or the
            jackknife over groups, nearly. All but CR2 have J - 1 degrees of freedom.

        Returns
        -------
        Fit
            Estimates as before.

        Raises
        ------
        ValueError
            If the kind is none of these, the fit is of no pooling, or no groups were named.
        """
        if kind not in ("CR0", "CR1", "CR2", "CR3"):
            raise ValueError(f'kind must be "CR0", "CR1", "CR2" or "CR3"; got {kind!r}')
        if self.pooling == "partial":
            of = slopes_sandwich.around_intercepts(self.data, self.psi, self.theta, self.method, kind)
            return self._with_errors(kind, *of)
        if self.pooling != "complete":
            raise ValueError(
                f"cluster-robust standard errors are for complete and partial pooling; this fit is of "
                f"{self.pooling} pooling, which accounts for the groups itself"
            )
        if self.data.group is None:
            raise ValueError("cluster-robust standard errors need the groups: name them in complete_pooling")
        return self._with_errors(kind, *inference.cluster_robust(self.data, self._centred[0], kind))

    def _with_errors(self, df_method, cov, of):
        """Return this fit with another covariance of the centred coefficients, and its df."""
        change = _to_terms(self.data)
        cov = change @ cov @ change.T
        df = [of(a) for a in change]
        return replace(self, df_method=df_method, _cov=cov, _se=np.sqrt(cov.diagonal()), _df=df)

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

    @property
    def variances(self):
        """The two variances and their standard errors.

        Returns
        -------
        DataFrame
            Rows psi and theta (theta alone unless partial pooling), columns ``estimate`` and ``se``, on
            the variances' own scale, by the inverse expected information. They say how well a variance
            is known; for an interval use `profile_int`, for its distribution is skewed.
            Where psi is 0 its standard error is NaN.
        """
        if self.pooling != "partial":
            se = self.theta * np.sqrt(2 / self._df[0])
            return pd.DataFrame({"estimate": [self.theta], "se": [se]}, index=["theta"])
        se = inference.variance_ses(self.data, self.psi, self.theta, self.method)
        return pd.DataFrame({"estimate": [self.psi, self.theta], "se": se}, index=["psi", "theta"])

    def profile_int(self, alpha=0.05):
        """Profile likelihood intervals for psi, theta and the coefficients.

        Parameters
        ----------
        alpha : float
            One minus the level.

        Returns
        -------
        DataFrame
            Rows psi, theta and the terms, columns ``lower`` and ``upper``: as R's ``confint``, from the
            ML likelihood also where the fit is REML, but of variances where R has standard deviations.

        Raises
        ------
        ValueError
            Unless the fit is of partial pooling, or if alpha does not lie between 0 and 1.
        """
        self._refuse_unless_partial("profile intervals")
        data = self.data
        ends = inference.profile_intervals(data, _to_terms(data), _level_of(alpha))
        ends[2:] += data.slopes[:, None]
        if data.intercept is not None:
            ends[2 + data.intercept] += _level(data)
        return pd.DataFrame(ends, ["psi", "theta", *data.terms], columns=["lower", "upper"])

    def icc_int(self, alpha=0.05):
        """Exact interval for the intraclass correlation of balanced data.

        Returns
        -------
        tuple of float
            Lower and upper end, by `inference.icc_interval`.

        Raises
        ------
        ValueError
            Unless the fit is of partial pooling, of a constant alone, to groups of one size; or if alpha
            does not lie between 0 and 1.
        """
        self._refuse_unless_partial("an interval of the intraclass correlation")
        data = self.data
        sizes, counts, between = data.by_size
        if len(sizes) > 1 or len(data.terms) > 1 or data.intercept is None:
            raise ValueError(
                "the exact interval of the intraclass correlation is for balanced data and a constant alone; "
                f"this is {data.formula!r} with groups of {sizes[0]:g} to {sizes[-1]:g} rows: use profile_int"
            )
        J, n = counts[0], sizes[0]
        f_ratio = n * between[0, -1, -1] / (J - 1) / (data.within[-1, -1] / (J * (n - 1)))
        return inference.icc_interval(f_ratio, J, n, _level_of(alpha))

    def test_psi(self):
        """Likelihood-ratio test of psi = 0, under this fit's own likelihood.

        Returns
        -------
        LikelihoodRatio
            Where psi is 0 in truth the statistic is 0 half of the time and chi-square on 1 degree of
            freedom the other half, in large samples (Self and Liang 1987).

        Raises
        ------
        ValueError
            Unless the fit is of partial pooling.
        """
        self._refuse_unless_partial("a test of psi = 0")
        at_zero = float(Profile(self.data, self.method).criterion(0.0))
        statistic = 0.0 if self.singular else max(0.0, at_zero - self.criterion)
        return LikelihoodRatio(statistic, float(stats.chi2.sf(statistic, 1)) / 2 if statistic else 1.0)

    def _refuse_unless_partial(self, what):
        if self.pooling != "partial":
            raise ValueError(f"{what}: for partial pooling only; this fit is of {self.pooling} pooling")

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
            return pd.DataFrame({"estimate": self._estimate[:J], "se": self._se[:J]}, self.data.labels)
        if self.data.intercept is None:
            raise ValueError(f"{self.data.formula!r} has no constant: ask for group_effects")
        k = self.data.intercept
        return self._predicted(self._estimate[k], _to_terms(self.data)[k])

    def group_means_at(self, /, **values):
        """The mean of each group at chosen values of the predictors, with its standard error.

        A predictor that is not named stays at the group's own mean; `group_means` sets all to 0. After
        ``"log_radon ~ floor + log_uranium"``, ``group_means_at(floor=0)`` is the mean of each county's
        basements at the county's own uranium.

        Parameters
        ----------
        **values : float, sequence or Series
            By term of the formula: one value for all groups, or one for each, in their order or, in a
            Series, by label. (A term whose name is not a Python name goes in as
            ``**{"center(age)": 10}``; a product of two columns is a term of its own.)

        Returns
        -------
        DataFrame
            As `group_means`, under the same assumptions.

        Raises
        ------
        TypeError
            If a value is neither a number nor one number for each group.
        ValueError
            For complete pooling; if there is no such term, or it is the constant; if a Series lacks a
            group or names one twice; or if a value is not finite.
        """
        if self.pooling == "complete":
            raise ValueError("complete pooling has no group means: use no_pooling or partial_pooling")
        data = self.data
        own, centre = data.centred_means()[:, :-1], data.centre[:-1]
        if data.intercept is None:
            centre = np.zeros_like(centre)
        design = own.copy()
        for term, value in values.items():
            k = self._place(term)
            design[:, k] = _by_group(term, value, data) - data.shift[k] - centre[k]
        if self.pooling == "partial":
            level = design @ self._centred[0] + (design + centre) @ data.slopes
            if data.intercept is not None:
                level += data.shift[-1] + data.centre[-1]
            return self._predicted(level, design)
        k = data.varying
        away, unscaled = (design - own)[:, k], inverse(data.within[np.ix_(k, k)])
        level = data.shift[-1] + data.means[:, -1] + data.means[:, k] @ data.slopes[k]
        variance = self.theta * (1 / data.sizes + np.einsum("ji,ik,jk->j", away, unscaled, away))
        estimate = level + away @ self._estimate[data.ngroups :]
        return pd.DataFrame({"estimate": estimate, "se": np.sqrt(variance)}, data.labels)

    def _place(self, term):
        """Where among the terms one stands that can have a value."""
        names = [self.data.terms[k] for k in self.data.varying]
        if term not in names:
            known = f"there are {', '.join(names)}" if names else "there is none but the constant"
            raise ValueError(f"{self.data.formula!r} has no term {term!r} to set: {known}")
        return self.data.terms.index(term)

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

    def mean_of(self, K):
        """Mean of a population of K groups of which these J are a random part, each counting the same.

        Parameters
        ----------
        K : float
            Groups in the population; ``inf`` gives the constant of the fit and its unadjusted standard
            error, whatever `with_df` was asked; K = J the mean of just these, partially pooled.

        Returns
        -------
        Predicted
            Where the predictors are 0.

        Raises
        ------
        TypeError
            If K is no number.
        ValueError
            If K is smaller than J; unless the fit is of partial pooling and has a constant.
        """
        self._refuse_unless_partial("the mean of K groups")
        if not isinstance(K, Real):
            raise TypeError(f"K, the number of groups in the population, must be a number; got {K!r}")
        if not self.ngroups <= K:
            raise ValueError(
                f"K, the number of groups in the population, must be at least {self.ngroups}; got {K}"
            )
        effects = self.group_effects["estimate"].to_numpy()
        return self._mean("the mean of K groups", effects.sum() / K, K=float(K))

    def new_group(self):
        """Mean of a group not yet seen, where the predictors are 0, as `Predicted`."""
        return self._mean("a new group", new_groups=1)

    def new_observation(self):
        """One outcome in a group not yet seen, where the predictors are 0, as `Predicted`."""
        return self._mean("a new observation", new_groups=1, new_rows=1)

    def _mean(self, what, more=0.0, **of):
        self._refuse_unless_partial(what)
        k = self.data.intercept
        if k is None:
            raise ValueError(f"{self.data.formula!r} has no constant, so no mean to predict: add 1")
        mse, df = inference.predicted_mean(self.data, _to_terms(self.data)[k], self.psi, self.theta, **of)
        if self.singular or self.method != "reml":
            df = float(self.df.iloc[k])
        return Predicted(float(self._estimate[k] + more), float(np.sqrt(mse)), df)

    def _predicted(self, level, contrast):
        """Table of level plus effect of each group, where level is ``contrast`` times the coefficients."""
        if self.pooling != "partial":
            raise ValueError(f"{self.pooling} pooling has no group effects to predict: use partial_pooling")
        beta, cov = self._centred
        means, factor = self.data.centred_means(), formulas.shrinkage(self.psi, self.theta, self.data.sizes)
        conditional = factor * self.theta / self.data.sizes  # with the fixed effects known
        spread = contrast - factor[:, None] * means[:, :-1]
        variance = conditional + np.einsum("ji,ik,jk->j", spread, cov, spread)
        estimate = level + factor * (means[:, -1] - means[:, :-1] @ beta)
        columns = {"estimate": estimate, "se": np.sqrt(variance), "se_conditional": np.sqrt(conditional)}
        return pd.DataFrame(columns, self.data.labels)

    def _head(self):
        """What `summary` says above its table, line by line."""
        data = self.data
        names = {"complete": "Complete pooling", "no": "No pooling", "partial": "Partial pooling"}
        lines = [
            f"{names[self.pooling]} ({self.method.upper()})   {data.formula}"
            + (f"   by {data.group}" if data.group else ""),
            f"{self.nobs} rows, "
            + (f"{self.ngroups} groups, " if data.group else "")
            + f"df: {self.df_method}"
            + (f", {_counted(data.dropped, 'row')} dropped for missing values" if data.dropped else ""),
        ]
        if self.pooling != "partial":
            return [*lines, f"theta (residual variance) {self.theta:.6g}"]
        label = "REML criterion" if self.method == "reml" else "-2 log likelihood"
        lines += [
            f"psi (between) {self.psi:.6g}   theta (within) {self.theta:.6g}   ICC {self.icc:.4f}",
            f"{label} {self.criterion:.4f}",
        ]
        if self.singular:
            ml = "" if self.method == "reml" else ", times sqrt((N - p) / N)"
            lines.append(f"psi is estimated as 0: the standard errors are those of complete pooling{ml}")
        return lines

    def _table(self):
        """A row for each term, and how its columns are printed."""
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
    df = float(summary.nobs - len(beta))
    theta = float(summary.unexplained(cross) / df)
    cov = theta * inverse(cross[:-1, :-1])
    return _fit("complete", "ols", summary, "residual", theta, beta, cov, np.full(len(beta), df))


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
    slopes = summary.varying
    keep = [*slopes, len(summary.terms)]
    means, within = summary.centred_means()[:, keep], summary.within[np.ix_(keep, keep)]
    names = [summary.terms[k] for k in slopes]
    for term, varies in zip(names, summary.varies_within()[slopes], strict=True):
        if not varies:
            raise ValueError(
                f"term {term!r} does not vary within any {summary.group}, so the {summary.group} means "
                "absorb it: leave it out, or use partial_pooling"
            )
    refuse_collinear(within, names)
    df = summary.nobs - summary.ngroups - len(slopes)
    if df < 1:
        raise ValueError(
            f"{summary.nobs} rows, {summary.ngroups} group means and {_counted(len(slopes), 'slope')} leave "
            "nothing to estimate the variance within from"
        )
    b = solve(within[:-1, :-1], within[:-1, -1:])[:, 0]
    left = summary.unexplained(summary.within)
    if not left:
        raise ValueError(
            f"{summary.outcome!r} does not vary within any {summary.group} beyond what the terms say: "
            "nothing is left to estimate the variance within from"
        )
    theta = float(left / df)
    origin = _origin(summary)
    level = _level(summary) + means[:, -1] - origin @ b
    unscaled = inverse(within[:-1, :-1])
    variance = theta * (1 / summary.sizes + np.einsum("ji,ik,jk->j", origin, unscaled, origin))
    return Fit(
        "no", "ols", summary, "residual", theta,
        _estimate=np.concatenate([level, b + summary.slopes[slopes]]),
        _se=np.sqrt(np.concatenate([variance, theta * unscaled.diagonal()])),
        _df=np.full(len(level) + len(b), float(df)),
        _cov=None,
    )  # fmt: skip


def _origin(summary):
    """Means of the predictors in each group, from 0."""
    return summary.centred_means()[:, summary.varying] + (summary.shift + summary.centre)[summary.varying]


def _no_pooling_cov(summary, theta):
    """Covariance of group means and slopes: made when asked for, since it has J x J entries."""
    slopes = summary.varying
    unscaled, origin = inverse(summary.within[np.ix_(slopes, slopes)]), _origin(summary)
    cross = -origin @ unscaled
    return theta * np.block([[np.diag(1 / summary.sizes) - cross @ origin.T, cross], [cross.T, unscaled]])


def partial_pooling(formula, data, groups=None, slopes=None, method="reml", missing="raise"):
    """Random intercepts by exact REML or ML: R's ``lmer(score ~ 1 + (1 | classroom))``; with slopes, too.

    The variance ratio is the root of the analytic profile score (`reml.Profile`), not where an
    optimiser stopped, so that balanced data give the ANOVA estimates to the last digits.

    Parameters
    ----------
    formula : str
        Outcome and fixed effects.
    data : DataFrame or GroupSummary
    groups : str
        The group column; a GroupSummary knows its own.
    slopes : str or list of str, optional
        Terms or columns whose slopes differ from group to group together with the intercept, with any
        covariance: R's ``(1 + ses | school)``. One that is not a fixed term has average slope 0.
    method : {"reml", "ml"}
    missing : {"raise", "drop"}

    Returns
    -------
    Fit
        With ``slopes`` a `slopes_fit.SlopesFit`.
        Standard errors are those of generalised least squares at the estimated variances, as lme4's.
        Under REML ``df`` is Kenward and Roger's (1997); where psi is 0 it is N - p, under ML infinite.

    Raises
    ------
    TypeError
        As `groups.summarise`, and if there is no group column.
    ValueError
        As `groups.summarise` and `reml.Profile`; with ``slopes`` as `slopes_ask.fit`.
    """
    if slopes is not None:
        return slopes_ask.fit(formula, data, groups, slopes, method, missing)
    summary = _grouped(summarise(data, formula, groups, missing), "partial_pooling")
    best = Profile(summary, method).fit()
    if method == "ml":
        df, df_method = np.full(len(best.beta), np.inf), "normal"
    elif best.psi == 0:  # the model is complete pooling, and so is its reference distribution
        df, df_method = np.full(len(best.beta), float(summary.nobs - len(best.beta))), "residual"
    else:
        df, df_method = None, "kenward-roger"  # made when asked for
    return _fit(
        "partial", method, summary, df_method, best.theta, best.beta, best.cov, df, best.psi, best.criterion
    )


def compare(formula, data, groups=None, missing="raise", alpha=0.05):
    """Fit all three poolings and say of each which mean it speaks of, and how well it knows it.

    Parameters
    ----------
    formula : str
        Outcome and terms, with a constant.
    data : DataFrame or GroupSummary
    groups : str
        The group column; a GroupSummary knows its own.
    missing : {"raise", "drop"}
    alpha : float
        One minus the level of the intervals.

    Returns
    -------
    DataFrame
        Columns ``method``, ``estimand``, ``estimate``, ``se``, ``df``, ``lower``, ``upper``. For the
        constant: complete pooling (as if rows were independent, and cluster-robust CR2), no pooling
        (one group, the largest, and the mean of just these J), partial pooling (that one group, and
        the mean of the population the groups are drawn from). Then the slope of each term, by each
        method that estimates it. The SE of one partially pooled group mean is given the variances and
        counts the uncertainty of the fixed effects; its interval is on the df of the constant.

    Raises
    ------
    TypeError, ValueError
        As the three fits.
    """
    summary = _grouped(summarise(data, formula, groups, missing), "compare")
    return compared(poolings(summary), alpha)


class Poolings(NamedTuple):
    """The fits that `compare` sets side by side: OLS, the same with CR2, no pooling, partial pooling."""

    complete: Fit
    robust: Fit
    no: Fit
    partial: Fit


def poolings(summary):
    """Fit all three poolings to a `GroupSummary` with a constant; without pooling what varies within."""
    if summary.intercept is None:
        raise ValueError(f"{summary.formula!r} has no constant, so no mean to compare: add 1")
    complete, partial = complete_pooling(None, summary), partial_pooling(None, summary)
    no = no_pooling(None, _within_terms(summary))
    return Poolings(complete, complete.cluster_robust("CR2"), no, partial)


def compared(fits, alpha=0.05, one=None):
    """Say what `compare` says of fits made before, of one group by its place or of the largest."""
    tail, (complete, robust, no, partial) = _level_of(alpha) / 2, fits
    summary = partial.data
    pooled = [("complete pooling", complete), ("complete pooling, CR2", robust)]
    J, k = summary.ngroups, summary.intercept
    one = int(summary.sizes.argmax()) if one is None else one
    rows = []

    def add(method, estimand, *numbers):
        rows.append((method, estimand, *map(float, numbers)))

    def add_term(method, fit, estimand, i):
        add(method, estimand, fit._estimate[i], fit._se[i], fit.df.iloc[i])

    at = " where the terms are 0" if len(summary.terms) > 1 else ""
    alone = f"{summary.group} {summary.labels[one]} alone{at}"
    add_term(*pooled[0], f"mean over all rows, if independent{at}", k)
    add_term(*pooled[1], f"mean over all rows{at}", k)
    add_term("no pooling", no, alone, one)
    add("no pooling", f"mean over these {J} groups{at}", *_mean_of_groups(no), no._df[0])
    add("partial pooling", alone, *partial.group_means.iloc[one][["estimate", "se"]], partial.df.iloc[k])
    add_term("partial pooling", partial, f"mean over all groups there are{at}", k)
    for i, term in enumerate(summary.terms):
        if i != k:
            for method, fit in pooled:
                add_term(method, fit, f"slope of {term}", i)
            if term in no.data.terms:
                add_term("no pooling", no, f"slope of {term}", no._terms.get_loc(term))
            add_term("partial pooling", partial, f"slope of {term}", i)
    table = pd.DataFrame(rows, columns=["method", "estimand", "estimate", "se", "df"])
    half = stats.t.isf(tail, table["df"]) * table["se"]
    return table.assign(lower=table["estimate"] - half, upper=table["estimate"] + half)


def _within_terms(summary):
    """The same summary without the terms that do not vary within groups: the group means absorb them."""
    stay = summary.varies_within()
    stay[summary.intercept] = True
    return summary if stay.all() else summary.keeping(stay)


def _mean_of_groups(no):
    """Estimate and SE of the unweighted mean of the group means without pooling."""
    data, J = no.data, no.ngroups
    slopes, origin = data.varying, _origin(data).mean(axis=0)
    variance = np.sum(1 / data.sizes) / J**2 + origin @ inverse(data.within[np.ix_(slopes, slopes)]) @ origin
    return no._estimate[:J].mean(), np.sqrt(no.theta * variance)


def _fit(pooling, method, summary, df_method, theta, beta, cov, df, psi=None, criterion=None):
    """Return the `Fit` for the terms as given, from what was found for the centred columns."""
    change = _to_terms(summary)
    estimate = change @ beta + summary.slopes
    if summary.intercept is not None:
        estimate[summary.intercept] += _level(summary)
    by_term = change @ cov @ change.T
    se = np.sqrt(by_term.diagonal())
    return Fit(
        pooling, method, summary, df_method, theta, estimate, se, df, by_term, psi, criterion, (beta, cov)
    )


def _level_of(alpha):
    if not isinstance(alpha, Real):
        raise TypeError(f"alpha must be a number between 0 and 1; got {alpha!r}")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1; got {alpha}")
    return float(alpha)


@lru_cache(maxsize=256)
def _index(terms):
    """Terms as pandas has them; kept, for pandas takes its time to make an index of text."""
    return pd.Index(terms, tupleize_cols=False)


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


def _by_group(term, value, data):
    """A value given for all groups or for each, as an array."""
    if isinstance(value, pd.Series):
        lacking = data.labels[~data.labels.isin(value.index)]
        if len(lacking):
            raise ValueError(f"the values of {term!r} lack {data.group} {lacking[0]!r}")
        twice = value.index[value.index.duplicated()]
        if len(twice):
            raise ValueError(f"the values of {term!r} name {data.group} {twice[0]!r} twice")
        value = value.loc[data.labels]
    try:
        value = np.asarray(value, dtype=float)
        value = np.broadcast_to(value, (data.ngroups,))
    except (TypeError, ValueError):
        raise TypeError(
            f"{term!r} takes one number, or one for each of the {data.ngroups} groups; got {value!r}"
        ) from None
    if not np.isfinite(value).all():
        raise ValueError(f"the values of {term!r} must be finite; got {value[~np.isfinite(value)][0]}")
    return value


def _counted(number, noun):
    return f"{number} {noun}{'s' * (number != 1)}"
