"""Are rows of one group less alike than rows of two? The test of it, and the correlation it finds.

A random intercept makes rows of one group more alike, never less: psi is a variance. Rows that share out
something, as pups of one litter share milk, may correlate negatively. Then psi-hat is 0 and the fit treats
the rows as independent: standard errors within groups come out too small, those of means too large.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..formulas import distributions as stats
from ..tables import inverse
from .intervals import variance_ratio_f

LEVEL = 0.05  # chance, at most, that groups with psi >= 0 are called less alike than strangers


class LessAlike(NamedTuple):
    """A test of psi >= 0 against a negative correlation of rows of one group.

    Attributes
    ----------
    f, df_between, df_within : float
        The F statistic of the groups after the terms, and its degrees of freedom.
    pvalue : float
        Its lower tail at psi = 0. Where psi is above 0, F is larger in distribution, so that the chance of
        a p value this small is at most the p value.
    icc : float
        Correlation of two rows of one group: (F - 1) / (F + n0 - 1), where F - 1 estimates n0 psi / theta.
        In groups of one size it is the REML estimate where psi + theta / n >= 0 is all that is asked.
    """

    f: float
    df_between: float
    df_within: float
    pvalue: float
    icc: float

    @property
    def found(self):
        """Whether the p value is below 0.05."""
        return self.pvalue < LEVEL

    @property
    def words(self):
        """The test in words."""
        p = f"= {self.pvalue:.2g}" if self.pvalue >= 5e-4 else "< 0.0005"
        return f"F = {self.f:.2g} on {self.df_between} and {self.df_within} df, P {p}"


def less_alike(summary):
    """Test whether rows of one group are less alike than psi = 0 has them.

    Parameters
    ----------
    summary : GroupSummary
        With a group column; sizes may differ, and there may be predictors.

    Returns
    -------
    LessAlike

    Raises
    ------
    ValueError
        As `intervals.variance_ratio_f`.

    Notes
    -----
    With Q the difference of two projections, on the terms and groups and on the terms, the sum of squares
    between groups is y'Qy, and theta chi-square where psi = 0. Its part along each eigenvector of QZZ'Q has
    the variance theta + psi d with d >= 0; so any psi > 0 makes it larger, draw by draw. The mean of y'Qy is
    theta df + psi tr(Z'QZ), and n0 = tr(Z'QZ) / df: groups of one size n, a constant alone, n0 = n.
    """
    p, n = len(summary.terms), summary.sizes
    found, means = variance_ratio_f(summary, 0.0), summary.centred_means()[:, :p]
    taken = np.einsum("j,ji,ik,jk->", n**2, means, inverse(summary.about_centre()[:p, :p]), means)
    f, n0 = float(found.f), (summary.nobs - taken) / found.df_between
    lower = float(stats.f.cdf(f, found.df_between, found.df_within))
    return LessAlike(f, found.df_between, found.df_within, lower, float((f - 1) / (f + n0 - 1)))
