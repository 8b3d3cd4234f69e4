"""Group means with a variance between them: the likelihood of the two standard deviations, and its tails."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..profile import Profile


@dataclass(frozen=True, eq=False)
class Means:
    """J group means, those of one sampling variance collapsed, and what is known of the variance within.

    Attributes
    ----------
    off : ndarray of shape (J,)
        The means, less ``origin``.
    member : ndarray of shape (J,)
        Which of the K sampling variances belongs to each.
    per_mean : ndarray of shape (K,)
        The sampling variances: themselves where they are known, else in units of theta, 1 / n.
    df, ss_within : float
        Rows less groups, and the sum of squares within; 0 where the variances are known.
    known : bool
        Whether the sampling variances are known.
    origin : float
    """

    off: np.ndarray
    member: np.ndarray
    per_mean: np.ndarray
    df: float
    ss_within: float
    known: bool
    origin: float

    def given(self, between, within, prior=None):
        """Mean and variance of the common mean at given standard deviations, and the log likelihood.

        Parameters
        ----------
        between, within : ndarray
            Standard deviations that broadcast.
        prior : Normal, optional
            Of the common mean; flat without it.

        Returns
        -------
        mean, variance, log_likelihood : ndarray
            The likelihood up to a constant, the common mean integrated out.
        """
        psi, theta = between**2, np.ones_like(within) if self.known else within**2
        counts = np.bincount(self.member)
        sums = np.bincount(self.member, self.off)
        squares = np.bincount(self.member, self.off**2)
        total = first = second = log_det = 0.0
        for c, s, q, each in zip(counts, sums, squares, self.per_mean, strict=True):
            variance = psi + theta * each
            total = total + c / variance
            first = first + s / variance
            second = second + q / variance
            log_det = log_det + c * np.log(variance)
        mean = first / total
        value = -0.5 * (log_det + second - mean * first)
        if not self.known:
            value = value - self.df * np.log(within) - 0.5 * self.ss_within / theta
        precision = total
        if prior is not None:
            asked = prior.sd**-2
            precision, off = total + asked, mean - (prior.mean - self.origin)
            value = value - 0.5 * off**2 * asked * total / precision
            mean = mean - off * asked / precision
        return mean, 1 / precision, value - 0.5 * np.log(precision)

    def finite(self, priors, power):
        """Whether the posterior mean of (between to a power, within to a power) exists.

        Far out the density of the one standard deviation, of the other, and of both together falls like a
        power; each must fall faster than 1 / distance, in as many directions as there are.
        """
        J, flat = len(self.off), priors.mean is None
        of_between = priors.between.power - (J - flat) + power[0] + 1
        if self.known:
            return of_between < 0
        of_within = priors.within.power - (J + self.df - flat) + power[1] + 1
        both = of_within + priors.between.power + power[0] + 1
        return max(of_between, of_within, both) < 0


def of_summary(summary):
    """The means of a `GroupSummary` of a constant alone; what cannot be fitted is refused as by `Profile`."""
    if summary.group is None:
        raise TypeError("a posterior needs groups, the name of the column that says which group a row is in")
    if summary.intercept is None or len(summary.terms) > 1:
        raise ValueError(
            f"the posterior is worked out for a mean alone, {summary.outcome!r} ~ 1; this summary has the "
            f"terms {', '.join(summary.terms) or 'none'}"
        )
    Profile(summary)
    sizes, member = np.unique(summary.sizes, return_inverse=True)
    means = summary.means[:, -1]
    centre = summary.centre[-1]
    return Means(
        off=means - centre, member=member, per_mean=1 / sizes, df=float(summary.nobs - summary.ngroups),
        ss_within=float(summary.within[-1, -1]), known=False, origin=float(summary.shift[-1] + centre),
    )  # fmt: skip


def of_estimates(estimates, variances):
    """Estimates whose sampling variances are known."""
    each, member = np.unique(variances, return_inverse=True)
    centre = float(np.average(estimates, weights=1 / variances))
    return Means(
        off=estimates - centre, member=member, per_mean=each, df=0.0, ss_within=0.0, known=True,
        origin=centre,
    )  # fmt: skip
