"""No pooling: one fixed mean for each group, one variance within."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import ClassVar

import numpy as np
import pandas as pd

from ..tables import inverse, refuse_collinear, solve, summarise
from . import absorbed
from .group_means import GroupMeans
from .result import Reference, same
from .terms import counted, grouped, level


def _residual(fit):
    """The fit with N less the coefficients for its df, beside the errors as they are."""
    if fit._robust is None:
        return fit
    df = partial(same, fit.nobs - len(fit._estimate))
    return replace(fit, _robust=fit._robust._replace(name="residual", df=df))


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class NoPooling(GroupMeans):
    """What was found without pooling: a mean for each group, then the slopes; `Fit` has what every fit says.

    Attributes
    ----------
    theta : float
        Variance within groups.
    withheld : dict of str to str
        Slopes that have no cluster-robust error (NaN), and why; after `cluster_robust` the means have none.
    """

    pooling: ClassVar[str] = "no"
    title: ClassVar[str] = "No pooling"
    method: ClassVar[str] = "ols"
    REFERENCES: ClassVar[dict] = {"residual": _residual}
    _group_se: ClassVar[str] = "se"

    theta: float
    withheld: dict = field(default_factory=dict)
    _estimate: np.ndarray
    _unscaled: np.ndarray  # covariance of the slopes over theta
    _robust: Reference | None = None  # of the slopes, where their errors are cluster-robust

    def cluster_robust(self, kind="CR2", count_groups=False):
        """Return this fit with slopes whose errors allow any dependence within groups.

        The groups are the clusters and their means are absorbed: the fixed effects ("within") regression
        clustered by its own effects. The means themselves have no such error, for each rests on one group
        alone: NaN in ``bse``, while `group_means` keeps the errors of the model.

        Parameters
        ----------
        kind : {"CR0", "CR1", "CR1S", "CR2", "CR3"}
            As for `CompletePooling.cluster_robust`, of the deviations from the group means.
        count_groups : bool
            Of CR1S: whether k in (N - 1) / (N - k) counts the J group means, or the slopes and one constant.

        Returns
        -------
        NoPooling
            Estimates as before. t on J - 1 degrees of freedom; under CR2 on Satterthwaite's. A slope that
            one group alone carries has no such error: NaN, and why in `withheld`.

        Raises
        ------
        TypeError
            If count_groups is no bool.
        ValueError
            If the kind is none of these, there are no slopes, or none has such an error; if group means are
            to be counted where nothing is.

        Notes
        -----
        ================================== =================================================================
        here                               elsewhere
        ================================== =================================================================
        "CR0"                              linearmodels ``PanelOLS(entity_effects=True)`` with
                                           ``debiased=False``
        "CR1"                              pyfixest with ``ssc(k_adj=False)``; clubSandwich
        "CR1S"                             pyfixest and Stata's ``xtreg, fe``; linearmodels with a constant
                                           and ``group_debias=True``
        "CR1S", count_groups=True          statsmodels and clubSandwich with the groups as dummies; Stata's
                                           ``areg``; pyfixest with ``ssc(k_fixef="full")``
        "CR2"                              clubSandwich with the groups as dummies
        ================================== =================================================================

        linearmodels without ``group_debias`` takes N / (N - k) times CR0. CR2 and its degrees of freedom are
        those with dummies, for these change nothing where clusters are the groups absorbed and least squares
        has no weights (Pustejovsky and Tipton 2018).

        Examples
        --------
        >>> from helpers import no_pooling, radon
        >>> fit = no_pooling("log_radon ~ floor", radon(), "county")
        >>> [round(float(fit.cluster_robust(kind).bse["floor"]), 4) for kind in ("CR1S", "CR2")]
        [0.0858, 0.0865]
        """
        reference, withheld = absorbed.cluster_robust(self.data, kind, count_groups)
        return replace(self, withheld=withheld, _robust=reference)

    @property
    def df_method(self):
        """Where the degrees of freedom come from."""
        return "residual" if self._robust is None else self._robust.name

    @cached_property
    def _terms(self):
        data = self.data
        slopes = (data.terms[k] for k in data.varying)
        return pd.Index([*(f"{data.group}[{label}]" for label in data.labels), *slopes])

    @cached_property
    def _cov(self):
        """Made when asked for, since it has J x J entries."""
        if self._robust is not None:
            cov = np.full((len(self._estimate),) * 2, np.nan)
            cov[self.ngroups :, self.ngroups :] = self._robust.cov
            return cov
        unscaled, origin = self._unscaled, _origin(self.data)
        cross = -origin @ unscaled
        means = np.diag(1 / self.data.sizes) - cross @ origin.T
        return self.theta * np.block([[means, cross], [cross.T, unscaled]])

    @cached_property
    def _se(self):
        if self._robust is None:
            return self._of_model
        return np.append(np.full(self.ngroups, np.nan), np.sqrt(self._robust.cov.diagonal()))

    @cached_property
    def _of_model(self):
        """Standard errors of means and slopes where rows of a group are independent given its mean."""
        origin = _origin(self.data)
        variance = 1 / self.data.sizes + np.einsum("ji,ik,jk->j", origin, self._unscaled, origin)
        return np.sqrt(self.theta * np.concatenate([variance, self._unscaled.diagonal()]))

    @cached_property
    def _df(self):
        if self._robust is None:
            return same(self.nobs - len(self._estimate), self._estimate)
        slopes = np.eye(len(self._estimate) - self.ngroups)
        df = np.append(np.full(self.ngroups, np.nan), self._robust.df(slopes))
        return np.where(np.isnan(self._se), np.nan, df)

    @cached_property
    def group_means(self):
        """The mean of each group where the predictors are 0: columns ``estimate`` and ``se``, by group."""
        J = self.ngroups
        return pd.DataFrame({"estimate": self._estimate[:J], "se": self._of_model[:J]}, self.data.labels)

    def _means_at(self, design, own, centre):
        data = self.data
        k = data.varying
        away = (design - own)[:, k]
        at_own = data.shift[-1] + data.means[:, -1] + data.means[:, k] @ data.slopes[k]
        variance = self.theta * (1 / data.sizes + np.einsum("ji,ik,jk->j", away, self._unscaled, away))
        estimate = at_own + away @ self._estimate[data.ngroups :]
        return pd.DataFrame({"estimate": estimate, "se": np.sqrt(variance)}, data.labels)

    def _told(self):
        told = [f"no cluster-robust error of {term}: {why}" for term, why in self.withheld.items()]
        if self._robust is not None:
            told.insert(0, f"no cluster-robust error of the means: each rests on one {self.data.group} alone")
        return [*super()._told(), *told]

    def _mean_of_groups(self):
        """Estimate and SE of the unweighted mean of the group means."""
        J, origin = self.ngroups, _origin(self.data).mean(axis=0)
        variance = np.sum(1 / self.data.sizes) / J**2 + origin @ self._unscaled @ origin
        return self._estimate[:J].mean(), np.sqrt(self.theta * variance)


def no_pooling(formula, data, groups=None, missing="raise"):
    """One fixed mean for each group, one variance within: R's ``lm(score ~ classroom - 1)``.

    Parameters
    ----------
    formula : str
        Outcome and the terms that vary within groups; the constant of ``"score ~ 1"`` stands for
        the group means.
    data : DataFrame, path or GroupSummary
    groups : str
        The group column; a GroupSummary knows its own.
    missing : {"raise", "drop"}

    Returns
    -------
    NoPooling
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

    Examples
    --------
    >>> from helpers import classrooms, no_pooling
    >>> no_pooling("score ~ 1", classrooms(), "classroom").group_means.iloc[0].round(2).tolist()
    [1656.34, 8.86]
    """
    summary = grouped(summarise(data, formula, groups, missing), "no_pooling")
    slopes = _refuse(summary)
    keep = [*slopes, len(summary.terms)]
    means, within = summary.centred_means()[:, keep], summary.within[np.ix_(keep, keep)]
    refuse_collinear(within, [summary.terms[k] for k in slopes])
    df = summary.nobs - summary.ngroups - len(slopes)
    if df < 1:
        raise ValueError(
            f"{summary.nobs} rows, {summary.ngroups} group means and {counted(len(slopes), 'slope')} leave "
            "nothing to estimate the variance within from"
        )
    b = solve(within[:-1, :-1], within[:-1, -1:])[:, 0]
    left = summary.unexplained(summary.within)
    if not left:
        raise ValueError(
            f"{summary.outcome!r} does not vary within any {summary.group} beyond what the terms say: "
            "nothing is left to estimate the variance within from"
        )
    at_zero = level(summary) + means[:, -1] - _origin(summary) @ b
    return NoPooling(
        data=summary,
        theta=float(left / df),
        _estimate=np.concatenate([at_zero, b + summary.slopes[slopes]]),
        _unscaled=inverse(within[:-1, :-1]),
    )


def _refuse(summary):
    """Return which terms are slopes, or say what of the formula or the groups no pooling cannot take."""
    if summary.intercept is None:
        raise ValueError(f"{summary.formula!r} has no constant for the group means to replace: add 1")
    if summary.nobs == summary.ngroups:
        raise ValueError(
            f"every {summary.group} has one row only: nothing is left to estimate the variance within from"
        )
    slopes = summary.varying
    for k, varies in zip(slopes, summary.varies_within()[slopes], strict=True):
        if not varies:
            raise ValueError(
                f"term {summary.terms[k]!r} does not vary within any {summary.group}, so the {summary.group} "
                "means absorb it: leave it out, or use partial_pooling"
            )
    return slopes


def _origin(summary):
    """Means of the predictors in each group, from 0."""
    return summary.centred_means()[:, summary.varying] + (summary.shift + summary.centre)[summary.varying]
