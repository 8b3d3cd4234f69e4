"""One group: its mean without and with pooling, the difference of two, a group or a row not yet seen."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from .checks import checked, normal_quantile, positive
from .means import se_partial_pooling


def shrinkage(psi, theta, n):
    """Weight of a class's own mean in its partially pooled mean: n psi / (n psi + theta).

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.shrinkage(400, 900, n=10):.4f}")
    0.8163
    """
    psi, theta, n = positive(*checked(psi=psi, theta=theta, n=n))
    return n * psi / (n * psi + theta)


def se_group_mean(theta, n):
    """SE of the mean of one class, without pooling: sqrt(theta / n). Holds for unequal n too.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.se_group_mean(900, n=10):.4f}")
    9.4868
    """
    theta, n = checked(theta=theta, n=n)
    return np.sqrt(theta / n)


def se_group_difference(theta, n, shrinkage=1.0):
    """SE of the difference of two class means: sqrt(2 shrinkage theta / n).

    Without pooling (``shrinkage`` 1) the sampling SE; with the factor of `shrinkage` the prediction SE
    of the partially pooled difference (the estimated mean cancels). Notebook 03.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.se_group_difference(900, n=10):.4f}")
    13.4164
    >>> print(f"{formulas.se_group_difference(900, n=10, shrinkage=formulas.shrinkage(400, 900, n=10)):.4f}")
    12.1218
    """
    theta, n, factor = checked(theta=theta, n=n, shrinkage=shrinkage)
    if np.any(factor > 1):
        raise ValueError(f"shrinkage must lie between 0 and 1; got {factor}")
    return np.sqrt(2 * factor * theta / n)


def se_group_mean_partial(psi, theta, J, n):
    """Prediction SE of a partially pooled class mean: sqrt((theta / n) (L + (1 - L) / J)), L the shrinkage.

    Counts the uncertainty of the estimated overall mean, not that of the two variances
    (Searle, Casella and McCulloch 1992, chapter 7).

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.se_group_mean_partial(400, 900, J=20, n=10):.4f}")
    8.6195
    """
    psi, theta, J, n = checked(psi=psi, theta=theta, J=J, n=n)
    factor = shrinkage(psi, theta, n)
    return np.sqrt(theta / n * (factor + (1 - factor) / J))


def rmse_group_mean_partial_at(distance, psi, theta, n):
    """Root mean squared error of the partially pooled mean of one class, over new pupils of that class.

    sqrt(L^2 theta / n + (1 - L)^2 distance^2), L the shrinkage: scatter, and the bias of a class so far
    from the overall mean, which is taken as known. Below `se_group_mean` where distance^2 is below
    2 psi + theta / n. Notebook 07 derives both.

    Examples
    --------
    >>> from helpers import formulas
    >>> formulas.rmse_group_mean_partial_at([0, 60], 400, 900, n=10).round(4)
    array([ 7.7444, 13.4694])
    """
    distance, psi, theta, n = checked(distance=distance, psi=psi, theta=theta, n=n)
    factor = shrinkage(psi, theta, n)
    return np.sqrt(factor**2 * theta / n + ((1 - factor) * distance) ** 2)


def coverage_group_mean_partial_at(distance, psi, theta, n, level=0.95):
    """How often the interval for the mean of one class holds it, over new pupils of that class, normal data.

    The partially pooled mean, give or take z sqrt(L theta / n), L the shrinkage; ``distance`` as for
    `rmse_group_mean_partial_at`. On average over normal classes it is ``level``. Notebook 07.

    Examples
    --------
    >>> from helpers import formulas
    >>> formulas.coverage_group_mean_partial_at([0, 60], 400, 900, n=10).round(4)
    array([0.9699, 0.7721])
    """
    distance, psi, theta, n, level = checked(distance=distance, psi=psi, theta=theta, n=n, level=level)
    if np.any((psi == 0) | (theta == 0)):
        raise ValueError("psi and theta must be positive: else the interval has no length; got 0")
    factor = shrinkage(psi, theta, n)
    scatter = factor * np.sqrt(theta / n)
    half = normal_quantile(level) * np.sqrt(factor * theta / n) / scatter
    bias = (1 - factor) * distance / scatter
    return ndtr(half - bias) - ndtr(-half - bias)


def se_new_group_mean(psi, theta, J, n):
    """Prediction SE of the true mean of a class not yet seen: sqrt(psi + se_partial_pooling^2).

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.se_new_group_mean(400, 900, J=20, n=10):.4f}")
    20.6034
    """
    return np.sqrt(psi + se_partial_pooling(psi, theta, J, n) ** 2)


def se_new_observation(psi, theta, J, n):
    """Prediction SE of one pupil's score in a class not yet seen.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.se_new_observation(400, 900, J=20, n=10):.4f}")
    36.3937
    """
    return np.sqrt(theta + se_new_group_mean(psi, theta, J, n) ** 2)


def se_new_observation_known_group(psi, theta, J, n):
    """Prediction SE of a new pupil's score in one of the J classes.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.se_new_observation_known_group(400, 900, J=20, n=10):.4f}")
    31.2137
    """
    return np.sqrt(theta + se_group_mean_partial(psi, theta, J, n) ** 2)
