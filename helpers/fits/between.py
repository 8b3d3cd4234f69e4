"""What partial pooling says of the two variances: errors, intervals, and a test of psi = 0."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from ..formulas import distributions as stats
from . import information, intervals, profile_intervals
from .checks import level_of
from .profile import Profile
from .terms import level


class LikelihoodRatio(NamedTuple):
    """A likelihood-ratio test of psi = 0.

    Attributes
    ----------
    statistic : float
        Fall of the criterion from psi = 0 to the estimate.
    pvalue : float
        Half the upper tail of chi-square on 1 degree of freedom; 1 where the statistic is 0.
    """

    statistic: float
    pvalue: float


class Variances:
    """The part of a fit of partial pooling that asks about psi and theta: of its ``data`` and ``method``."""

    @property
    def icc(self):
        """Intraclass correlation psi / (psi + theta)."""
        return self.psi / (self.psi + self.theta)

    @property
    def singular(self):
        """Whether the variance between groups is estimated as 0."""
        return self.psi == 0

    @property
    def variances(self):
        """The two variances and their standard errors.

        Returns
        -------
        DataFrame
            Rows psi and theta, columns ``estimate`` and ``se``, on the variances' own scale, by the inverse
            expected information. They say how well a variance is known; for an interval use `profile_int`,
            for its distribution is skewed. Where psi is 0 its standard error is NaN.
        """
        se = information.variance_ses(self.data, self.psi, self.theta, self.method)
        return pd.DataFrame({"estimate": [self.psi, self.theta], "se": se}, index=["psi", "theta"])

    def profile_int(self, alpha=0.05, likelihood=None):
        """Profile likelihood intervals for psi and theta, and under ML for the coefficients.

        Parameters
        ----------
        alpha : float
            One minus the level.
        likelihood : {"reml", "ml"}, optional
            Whose profile; without it that of the fit's own method. R's ``confint`` takes ML's also after a
            REML fit. With few groups ML's interval for psi lies too low and covers less often (notebook 06).

        Returns
        -------
        DataFrame
            Columns ``lower`` and ``upper``; rows psi, theta and, under "ml", the terms: the restricted
            likelihood has no coefficients in it, `conf_int` has their intervals. Of variances, where R has
            standard deviations.

        Raises
        ------
        ValueError
            If alpha does not lie between 0 and 1, or if the likelihood is neither of the two.

        Examples
        --------
        >>> from helpers import classrooms, partial_pooling
        >>> fit = partial_pooling("score ~ 1", classrooms(), "classroom")
        >>> fit.profile_int().round(1)
               lower  upper
        psi    170.7  827.3
        theta  643.6  973.4
        """
        data, likelihood = self.data, self.method if likelihood is None else likelihood
        if likelihood not in ("reml", "ml"):
            raise ValueError(f'likelihood must be "reml" or "ml"; got {likelihood!r}')
        alpha, rows = level_of(alpha), ["psi", "theta"]
        if likelihood == "reml":
            ends = profile_intervals.profile_intervals(data, [], alpha, "reml")
        else:
            ends = profile_intervals.profile_intervals(data, self._contrasts, alpha)
            rows += data.terms
            ends[2:] += data.slopes[:, None]
            if data.intercept is not None:
                ends[2 + data.intercept] += level(data)
        return pd.DataFrame(ends, rows, columns=["lower", "upper"])

    def icc_int(self, alpha=0.05):
        """Exact interval for the intraclass correlation, for groups of any sizes and any predictors.

        Returns
        -------
        tuple of float
            Lower and upper end, by `intervals.variance_ratio_interval`. With groups of one size and a
            constant alone it is the interval of Searle et al. (1992), section 3.6. Where psi is 0 in truth
            it covers with probability 1 - alpha / 2.

        Raises
        ------
        ValueError
            If alpha does not lie between 0 and 1.

        Examples
        --------
        >>> from helpers import classrooms, partial_pooling
        >>> fit = partial_pooling("score ~ 1", classrooms(), "classroom")
        >>> [round(end, 3) for end in fit.icc_int()]
        [0.176, 0.531]
        """
        return tuple(r / (1 + r) for r in intervals.variance_ratio_interval(self.data, level_of(alpha)))

    def psi_int(self, alpha=0.05):
        """Interval for psi that does not lean on many groups, by `intervals.between_variance_interval`.

        Returns
        -------
        tuple of float
            Lower and upper end.

        Raises
        ------
        ValueError
            As `icc_int`.
        """
        return intervals.between_variance_interval(self.data, level_of(alpha))

    def test_psi(self):
        """Likelihood-ratio test of psi = 0, under this fit's own likelihood.

        Returns
        -------
        LikelihoodRatio
            Where psi is 0 in truth the statistic is 0 half of the time and chi-square on 1 degree of
            freedom the other half, in large samples (Self and Liang 1987).
        """
        at_zero = float(Profile(self.data, self.method).criterion(0.0))
        statistic = 0.0 if self.singular else max(0.0, at_zero - self.criterion)
        return LikelihoodRatio(statistic, float(stats.chi2.sf(statistic, 1)) / 2 if statistic else 1.0)
