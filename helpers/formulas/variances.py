"""The two variances: what mean squares estimate, how well, and how often psi comes out as 0."""

from __future__ import annotations

import numpy as np
from scipy.special import fdtr

from .checks import checked, positive, several


def complete_pooling_variance(psi, theta, J, n):
    """What lm's residual variance s^2 estimates: theta + psi n (J - 1) / (J n - 1).

    Less than psi + theta where psi > 0 and n > 1, because the pupils' mean follows the classes drawn.
    With the ANOVA estimates of psi and theta it is s^2 exactly. Notebook 04 derives it.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.complete_pooling_variance(400, 900, J=20, n=10):.4f}")
    1281.9095
    """
    psi, theta, J, n = checked(psi=psi, theta=theta, J=J, n=n)
    if np.any(J * n < 2):
        raise ValueError("one observation has no residual variance: J n must be at least 2")
    return theta + psi * n * (J - 1) / (J * n - 1)


def expected_mean_squares(psi, theta, n):
    """Expected mean squares (between, within) of the one-way layout: (theta + n psi, theta).

    Examples
    --------
    >>> from helpers import formulas
    >>> between, within = formulas.expected_mean_squares(400, 900, n=10)
    >>> print(f"{between:g} {within:g}")
    4900 900
    """
    psi, theta, n = checked(psi=psi, theta=theta, n=n)
    return theta + n * psi, theta


def variances_from_mean_squares(ms_between, ms_within, n):
    """(psi, theta) from the mean squares: the ANOVA estimates ((MSB - MSW) / n, MSW).

    Equal to REML where MSB >= MSW (balanced data). Where MSB < MSW psi comes out negative:
    it is returned as it is, and is no REML estimate.

    Examples
    --------
    >>> from helpers import formulas
    >>> psi, theta = formulas.variances_from_mean_squares(4900, 900, n=10)
    >>> print(f"{psi:g} {theta:g}")
    400 900
    """
    ms_between, ms_within, n = checked(ms_between=ms_between, ms_within=ms_within, n=n)
    return (ms_between - ms_within) / n, ms_within


def se_variances(psi, theta, J, n):
    """SEs of the ANOVA estimates of (psi, theta), normal data.

    (sqrt(2 / n^2 (tau^2 / (J - 1) + theta^2 / (J (n - 1)))), theta sqrt(2 / (J (n - 1)))), where
    tau = theta + n psi. Exact at the true variances; REML where psi is far from 0. Notebook 06.

    Examples
    --------
    >>> from helpers import formulas
    >>> of_psi, of_theta = formulas.se_variances(400, 900, J=20, n=10)
    >>> print(f"{of_psi:.4f} {of_theta:.4f}")
    159.2598 94.8683
    """
    psi, theta, J, n = several(*checked(psi=psi, theta=theta, J=J, n=n))
    within = 2 * theta**2 / (J * (n - 1))
    between = 2 * (theta + n * psi) ** 2 / (J - 1)
    return np.sqrt(between + within) / n, np.sqrt(within)


def probability_of_zero(psi, theta, J, n):
    """How often REML estimates psi as 0, normal data: P(F <= theta / (theta + n psi)).

    F has J - 1 and J (n - 1) degrees of freedom. Notebook 06 derives it.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.probability_of_zero(100, 900, J=5, n=10):.4f}")
    0.2452
    """
    psi, theta, J, n = positive(*several(*checked(psi=psi, theta=theta, J=J, n=n)))
    return fdtr(J - 1, J * (n - 1), theta / (theta + n * psi))
