"""The average of slopes that vary: its standard error, and what a model with one slope for all takes it for.

``psi_x`` is the variance of the slopes between groups, ``theta`` the variance within. All J groups have the
same values of x, with the sum of squares ``s`` about their mean.
"""

from __future__ import annotations

import numpy as np

from .checks import checked, several, varying


def se_average_slope(psi_x, theta, J, s):
    """SE of the mean slope of all groups, when J of very many were drawn: sqrt((psi_x + theta / s) / J).

    `se_partial_pooling` with slopes in the place of means: ``s`` counts as ``n`` does there. Whatever the
    variance of the intercepts and their covariance with the slopes. Notebook 14 derives it.

    Raises
    ------
    ValueError
        If x does not vary (s is 0).

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.se_average_slope(1, 25, J=12, s=42):.4f}")
    0.3646
    """
    psi_x, theta, J, s = checked(psi_x=psi_x, theta=theta, J=J, s=s)
    return np.sqrt((psi_x + theta / varying("s", s)) / J)


def one_slope_variance(psi_x, theta, J, n, s):
    """Mean of the variance within if one slope is fitted to all: theta + psi_x s (J - 1) / (J n - J - 1).

    Of no pooling with one slope, and of the random intercept where its psi is not estimated as 0. What the
    slopes differ by is counted as noise of single pupils. The square of the standard error that such a model
    reports for its slope is this over J s, on average. Notebook 14 derives it.

    Raises
    ------
    ValueError
        If J or n is below 2.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.one_slope_variance(1, 25, J=12, n=8, s=42):.4f}")
    30.5663
    """
    psi_x, theta, J, n, s = checked(psi_x=psi_x, theta=theta, J=J, n=n, s=s)
    several(psi_x, theta, J, n)
    return theta + psi_x * varying("s", s) * (J - 1) / (J * (n - 1) - 1)
