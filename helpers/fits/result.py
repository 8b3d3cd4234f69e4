"""What every fit says, whatever was pooled: estimates, errors, degrees of freedom, intervals, in print."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import ClassVar, NamedTuple

import numpy as np
import pandas as pd

from ..formulas import distributions as stats
from ..tables import GroupSummary
from .checks import level_of
from .printing import Printed
from .terms import index_of, to_terms

_PARTIAL = "{what}: for partial pooling only; this fit is of {{pooling}} pooling"
_COMPLETE = (
    "{what} are for complete pooling; this fit is of {{pooling}} pooling, which accounts for the groups "
    "itself"
)
ELSEWHERE = {
    name: _PARTIAL.format(what=what)
    for name, what in {
        "psi": "the variance between groups", "icc": "the intraclass correlation",
        "singular": "whether psi is 0", "criterion": "the criterion of the variances",
        "profile_int": "profile intervals", "icc_int": "an interval of the intraclass correlation",
        "psi_int": "an interval of psi", "test_psi": "a test of psi = 0", "mean_of": "the mean of K groups",
        "new_group": "a new group", "new_observation": "a new observation",
        "parametric_bootstrap": "the parametric bootstrap",
    }.items()
} | {
    "cluster_robust": (
        "cluster-robust standard errors are for complete and partial pooling; "
        "this fit is of {pooling} pooling"
    ),
    "wild_bootstrap": _COMPLETE.format(what="wild cluster bootstraps"),
    "group_effects": "{pooling} pooling has no group effects to predict: use partial_pooling",
    "group_means_at": "{pooling} pooling has no group means: use no_pooling or partial_pooling",
} | dict.fromkeys(
    ["group_means", "group_means_int", "group_df"],
    "{pooling} pooling has no group effects, so no group has a mean of its own: use no_pooling or "
    "partial_pooling",
)  # fmt: skip
"""What some fits have and others lack: the attribute, and what is said where it is missing."""

KNOWN_DF = ("residual", "satterthwaite", "kenward-roger")


class NotOfThisPooling(AttributeError, ValueError):
    """A fit was asked what fits of its pooling do not have; the words say which do."""


class Reference(NamedTuple):
    """What estimates are held against: the covariance of their errors, and the df of t.

    Attributes
    ----------
    name : str
        `Fit.df_method`.
    cov : ndarray
        Terms by terms.
    df : callable
        Of contrasts of the centred coefficients, one a row; returns an array, one number a row.
    """

    name: str
    cov: np.ndarray
    df: Callable


def same(number, contrasts):
    """Degrees of freedom that all contrasts share."""
    return np.full(len(contrasts), float(number))


def found(numbers, contrasts):
    """Degrees of freedom worked out before, for these contrasts."""
    return np.asarray(numbers, dtype=float)


def robust(name, cov, of, contrasts, none):
    """A sandwich's `Reference`, ``of(a)`` the df of a contrast: NaN for the terms that have no such error."""
    df = [np.nan if no else of(a) for a, no in zip(contrasts, none, strict=True)]
    return Reference(name, np.where(none[:, None] | none, np.nan, cov), partial(found, df))


def residual(fit):
    """The fit with N less the coefficients for its df, beside the errors as they are."""
    df = np.where(np.isnan(fit._se), np.nan, float(fit.nobs - len(fit._estimate)))
    return fit._with(Reference("residual", fit._cov, partial(found, df)))


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Fit(Printed):
    """What a fit found: estimates, standard errors, degrees of freedom, by term.

    Attributes
    ----------
    data : GroupSummary
        What was fitted.
    pooling : str
        "complete", "no" or "partial".
    method : str
        "ols", "reml" or "ml".
    theta : float
        Variance within groups; for complete pooling the residual variance.
    df_method : str
        Where df comes from: "residual", "kenward-roger", "satterthwaite", "normal", or the kind of
        cluster-robust error.

    Notes
    -----
    A kind of fit inherits from this class and says what it found: ``_estimate``, by term, and ``_reference``,
    a `Reference`, worked out before or when asked; ``_cov`` and ``_se`` may be given apart from it.
    Attributes of other poolings (`ELSEWHERE`) raise `NotOfThisPooling`, an AttributeError.
    """

    pooling: ClassVar[str]
    title: ClassVar[str]
    REFERENCES: ClassVar[dict] = {"residual": residual}
    ELSEWHERE: ClassVar[dict] = ELSEWHERE

    data: GroupSummary

    def __getattr__(self, name):
        if name not in self.ELSEWHERE:
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        raise NotOfThisPooling(self.ELSEWHERE[name].format(pooling=self.pooling))

    @property
    def _terms(self):
        return index_of(tuple(self.data.terms))

    @cached_property
    def _contrasts(self):
        """What of the coefficients of the centred columns each term is, but for a constant."""
        return to_terms(self.data)

    @property
    def _cov(self):
        return self._reference.cov

    @cached_property
    def _se(self):
        square = self._cov.diagonal()
        return np.sqrt(np.where(square >= 0, square, np.nan))  # below 0 by rounding: there is none

    @cached_property
    def _df(self):
        return self._reference.df(self._contrasts)

    def _with(self, reference):
        """Return this fit, held against another reference."""
        return replace(self, _reference=reference)

    def _references(self):
        """The kinds of df that this fit has: name to a function that returns the fit with them."""
        return self.REFERENCES

    def _coefficient(self, term):
        """What a resampling needs of a coefficient: its contrast, its name and its estimate."""
        data = self.data
        if term not in data.terms:
            raise ValueError(f"{data.formula!r} has no term {term!r}: there are {', '.join(data.terms)}")
        k = data.terms.index(term)
        return self._contrasts[k], term, float(self._estimate[k])

    @property
    def df_method(self):
        """Where the degrees of freedom come from."""
        return self._reference.name

    @cached_property
    def params(self):
        """Estimates by term."""
        return pd.Series(self._estimate.copy(), self._terms, name="estimate", copy=False)

    @cached_property
    def bse(self):
        """Standard errors by term."""
        return pd.Series(self._se.copy(), self._terms, name="se", copy=False)

    @cached_property
    def df(self):
        """Degrees of freedom by term, worked out when asked for."""
        return pd.Series(self._df, self._terms, dtype=float, name="df")

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

        Examples
        --------
        >>> from helpers import classrooms, partial_pooling
        >>> partial_pooling("score ~ 1", classrooms(), "classroom").conf_int().round(2)
                     lower    upper
        Intercept  1619.11  1638.85
        """
        half = stats.t.ppf(1 - level_of(alpha) / 2, self.df) * self.bse
        return pd.DataFrame({"lower": self.params - half, "upper": self.params + half})

    def with_df(self, df_method):
        """Return this fit with other degrees of freedom.

        Parameters
        ----------
        df_method : {"residual", "satterthwaite", "kenward-roger"}
            N less the coefficients; Satterthwaite's (from the observed REML information; psi > 0, or where
            slopes vary that of the face of the boundary, as lmerTest's); or Kenward and Roger's (1997), which
            bring their adjusted standard errors with them. Where their df collapse they are bounded
            (`small_samples.bounded_kenward_roger`; not where slopes vary), and `df_method` says so.

        Returns
        -------
        Fit
            Estimates, variances and group means as before. In partial pooling the df are the model's and
            stand beside the model's errors, whatever was asked before: after `cluster_robust` they are back.

        Raises
        ------
        ValueError
            If the method is not one of these; if it is not "residual" and the fit is not partial
            pooling by REML; if it is "satterthwaite" and psi is 0; if Kenward and Roger's are not defined,
            where slopes vary.
        """
        if not isinstance(df_method, str) or df_method not in KNOWN_DF:
            raise ValueError(
                f'df_method must be "residual", "satterthwaite" or "kenward-roger"; got {df_method!r}'
            )
        known = self._references()
        if df_method not in known:
            raise ValueError(
                f"{df_method} degrees of freedom are for partial pooling by REML; "
                f'this fit is of {self.pooling} pooling by {self.method}: use "residual"'
            )
        return known[df_method](self)

    @property
    def nobs(self):
        """Rows fitted."""
        return self.data.nobs

    @property
    def ngroups(self):
        """Groups in the data."""
        return self.data.ngroups

    @property
    def variances(self):
        """The variances and their standard errors.

        Returns
        -------
        DataFrame
            A row, theta; columns ``estimate`` and ``se``, by the expected information.
        """
        se = self.theta * np.sqrt(2 / (self.nobs - len(self._estimate)))
        return pd.DataFrame({"estimate": [self.theta], "se": [se]}, index=["theta"])
