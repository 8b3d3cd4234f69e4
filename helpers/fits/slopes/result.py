"""What is found where slopes vary: coefficients, the covariance between groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import stats

from ..checks import level_of
from ..terms import index_of, level, to_terms
from . import inference
from .inference import Solution
from .told import Told


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class SlopesEstimate(Told):
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

    method: str
    data: object
    varying: list
    df_method: str
    _solution: Solution
    _whole: object
    _cov: np.ndarray
    _df: np.ndarray | None = None
    withheld: dict = field(default_factory=dict)

    pooling = "partial"

    @cached_property
    def params(self):
        """Estimates by term."""
        estimate = self._turn @ self._solution.gls.beta * self._length + self.data.slopes
        if self.data.intercept is not None:
            estimate[self.data.intercept] += level(self.data)
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
            of = inference.kenward_roger(self._solution)[1]
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
        half = stats.t.ppf(1 - level_of(alpha) / 2, self.df) * self.bse
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

    @cached_property
    def _terms(self):
        return index_of(tuple(self.data.terms))

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


def turn_of(kept, reduced):
    """Rows turn coefficients of the columns in working units into those of the terms as given."""
    return to_terms(kept) / reduced.lengths[:-1]
