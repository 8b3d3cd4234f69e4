"""What is found where slopes vary: coefficients, the covariance between groups, and their references."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import pandas as pd

from ..mixed import MixedFit
from ..result import ELSEWHERE
from ..terms import estimates, index_of, to_terms
from . import references
from .inference import Solution, group_effects
from .told import Told

_ONE = "{what} is worked out for random intercepts alone; where slopes vary {instead}"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class SlopesEstimate(Told, MixedFit):
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
    withheld : dict of str to str
        Terms without a cluster-robust standard error, where one was asked for, and why.
    """

    pooling: ClassVar[str] = "partial"
    title: ClassVar[str] = "Partial pooling"
    ASKED: ClassVar[dict] = references.ASKED
    UNASKED: ClassVar[dict] = references.UNASKED
    ELSEWHERE: ClassVar[dict] = ELSEWHERE | {
        "icc": (
            "the intraclass correlation differs with the predictors where slopes vary; where they are 0 it "
            "is psi.iloc[0, 0] / (psi.iloc[0, 0] + theta)"
        )
    } | {
        name: _ONE.format(what=what, instead=instead)
        for name, what, instead in (
            ("icc_int", "an exact interval", "profile_int has those of the sds"),
            ("psi_int", "an exact interval", "profile_int has those of the sds"),
            ("test_psi", "the test of psi = 0", "test_slope tests that one does not vary"),
            ("mean_of", "the mean of K groups", "new_group predicts one not yet seen"),
            ("parametric_bootstrap", "the parametric bootstrap", "profile_int and with_df have intervals"),
            ("group_means_at", "a mean at chosen values", "group_coefficients has what it is made of"),
            ("group_means_int", "an interval of a group's mean", "group_means has its standard error"),
            ("group_df", "the df of a group's mean", "group_means has its standard error"),
        )
    }  # fmt: skip

    varying: list
    _solution: Solution
    _whole: object

    @cached_property
    def _estimate(self):
        return estimates(self.data, self._contrasts, self._solution.gls.beta * self._length)

    @cached_property
    def _contrasts(self):
        """What of the coefficients of the columns in working units each term is, but for a constant."""
        return to_terms(self.data) / self._solution.likelihood.reduced.lengths[:-1]

    @cached_property
    def _by_term(self):
        """Covariance of the estimates, the variances taken for known."""
        half = self._solution.gls.root @ self._contrasts.T
        return half.T @ half * self.theta

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
        half, names = self._back @ self._solution.top.factor, index_of(tuple(self.varying))
        if self.singular:
            half[self._is_zero] = 0.0
        return pd.DataFrame(self.theta * half @ half.T, names, names, copy=False)

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
        if not self.singular:
            return np.zeros(len(self.varying), dtype=bool)
        half = self._back @ self._solution.top.factor
        information = self._solution.likelihood.reduced.average.diagonal()
        return (half**2).sum(axis=1) <= 1e-16 * (self._back**2 @ (1 / information))

    def _effects(self, contrasts=None):
        """Estimates, errors and conditional errors of the groups' effects, each of shape (q, J)."""
        if contrasts is None:
            contrasts = np.zeros((len(self.varying), len(self._estimate)))
        found = group_effects(self._solution, contrasts, self._back)
        for values, unit in zip(found, (self._length, *[np.sqrt(self.theta)] * 2), strict=True):
            values *= unit
        return found

    @property
    def _length(self):
        return float(self._solution.likelihood.reduced.lengths[-1])

    @property
    def _back(self):
        return self._solution.likelihood.reduced.back
