"""What a fit with two groupings says of its three variances: errors, intervals, a test of each."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd

from ...formulas import distributions as stats
from ..between import LikelihoodRatio
from ..checks import level_of, one_of
from . import inference
from .likelihood import Likelihood
from .profile import profile_intervals
from .search import maximum

_ROUNDING = 1e-12  # a statistic below this share of the criterion is 0


class Variances:
    """The part of a fit that asks about the variances: of its ``_point`` and ``_groupings``."""

    @property
    def _order(self):
        """Where among (outer, inner) the groupings stand, as they were named."""
        return [1, 0] if self._groupings.inner == 0 else [0, 1]

    @property
    def _length(self):
        """Unit of the outcome: what its working units are multiplied by."""
        return float(self._point.of.lengths[-1])

    @property
    def theta(self):
        """Variance within, of the rows (lme4's theta is another thing)."""
        return self._point.theta * self._length**2

    @cached_property
    def psi(self):
        """Variances between groups, by grouping: those of "school/class" are within schools."""
        return pd.Series(self._point.ratios[self._order] * self.theta, self._groupings.names, name="psi")

    @property
    def icc(self):
        """Correlation of two rows of one group, by grouping.

        Of two pupils of one class both variances are shared, of two of one school only the school's; where
        groupings are crossed, of two rows that share this one and not the other.
        """
        shared = self.psi.to_numpy().copy()
        if self._groupings.nested:
            shared[self._groupings.inner] = shared.sum()
        return pd.Series(shared / (self.psi.sum() + self.theta), self._groupings.names, name="icc")

    @property
    def criterion(self):
        """R's ``REMLcrit``, or -2 log likelihood under ML."""
        return self._point.value

    @property
    def singular(self):
        """Whether a variance between groups is estimated as 0."""
        return bool((self._point.ratios == 0).any())

    @property
    def boundary(self):
        """Say in words which variances are estimated as 0; "" where none is."""
        return "; ".join(
            f"the variance of {name} is estimated as 0" for name in self.psi.index[self.psi == 0]
        )

    @property
    def _names(self):
        return [*(f"psi[{name}]" for name in self._groupings.names), "theta"]

    @property
    def variances(self):
        """The three variances and their standard errors.

        Returns
        -------
        DataFrame
            Rows "psi[school]", "psi[school/class]" and "theta", say, columns ``estimate`` and ``se``, on the
            variances' own scale, by the inverse expected information; one estimated as 0 has NaN, and is
            taken as known for the others. Searle et al. (1992), chapter 4.
        """
        keep = np.append(self._point.ratios > 0, True)
        known = inference.information(self._point).spread(self.method == "reml", keep)
        se = np.sqrt(known.diagonal())[[*self._order, 2]] * self.theta
        return pd.DataFrame({"estimate": [*self.psi, self.theta], "se": se}, self._names)

    def profile_int(self, alpha=0.05, likelihood=None):
        """Profile likelihood intervals of the three variances.

        Parameters
        ----------
        alpha : float
            One minus the level.
        likelihood : {"reml", "ml"}, optional
            Whose profile; without it that of the fit's own method. R's ``confint`` takes ML's, and gives
            standard deviations, which are the roots of these.

        Returns
        -------
        DataFrame
            As `variances`, columns ``lower`` and ``upper``. A lower end is 0 where 0 is not rejected by
            chi-square on 1 degree of freedom, an upper one infinite where no value is.

        Raises
        ------
        TypeError, ValueError
            If alpha is no number between 0 and 1, or the likelihood neither of the two.
        """
        alpha = level_of(alpha)
        likelihood = one_of("likelihood", self.method if likelihood is None else likelihood, ("reml", "ml"))
        top = self._point
        if likelihood != self.method:
            top = maximum(Likelihood(self._groupings, likelihood))
        ends = profile_intervals(top, alpha)[[*self._order, 2]] * self._length**2
        return pd.DataFrame(ends, self._names, columns=["lower", "upper"])

    def test_psi(self, grouping):
        """Likelihood-ratio test that the variance of a grouping is 0, under this fit's own likelihood.

        Parameters
        ----------
        grouping : str
            As in ``psi``.

        Returns
        -------
        LikelihoodRatio
            Half the upper tail of chi-square on 1 degree of freedom: exact for many groups, where the
            variance of the other grouping is above 0 (Self and Liang 1987).

        Raises
        ------
        ValueError
            If there is no such grouping.
        """
        names = self._groupings.names
        place = self._order[names.index(one_of("grouping", grouping, names))]
        without = maximum(self._point.of, fixed=(place,))
        statistic = without.value - self._point.value
        if self._point.ratios[place] == 0 or statistic <= _ROUNDING * abs(self.criterion):
            return LikelihoodRatio(0.0, 1.0)
        return LikelihoodRatio(float(statistic), float(stats.chi2.sf(statistic, 1)) / 2)
