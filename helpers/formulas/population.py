"""The mean of a population of so many groups, some of them drawn."""

from __future__ import annotations

import numpy as np

from .checks import checked, of_sizes, population
from .groups import shrinkage
from .means import se_partial_pooling_unbalanced


def se_finite_population(psi, theta, J, n, K, M=np.inf):
    """SE of the mean of K classes of M pupils, J and n of them drawn.

    sqrt((1 - J/K) psi/J + (1 - J n / (K M)) theta / (J n)). K = J and M = inf give `se_no_pooling`; K = inf
    gives `se_partial_pooling`, whatever M is. M = inf overstates the variance by theta / (K M). Notebook 02
    derives it; Cochran (1977), chapter 10, has the general two-stage formula.
    On average over populations ``psi`` and ``theta`` are the variances of the model; it is exact in a single
    one if ``theta`` is the mean variance inside its classes (divisor M - 1) and ``psi`` the variance of its
    K class means (divisor K - 1) less theta / M.

    Raises
    ------
    ValueError
        If K is smaller than J, or M than n.

    Examples
    --------
    >>> from helpers import formulas
    >>> formulas.se_finite_population(400, 900, J=20, n=10, K=[20, 40, float("inf")]).round(4)
    array([2.1213, 3.8079, 4.9497])
    """
    psi, theta, J, n = checked(psi=psi, theta=theta, J=J, n=n)
    K, M = population(K, J), population(M, n, "M, the number of pupils in a class", "n")
    return np.sqrt((1 - J / K) * psi / J + (1 - (J / K) * (n / M)) * theta / (J * n))


def se_finite_population_unbalanced(psi, theta, sizes, K):
    """SE of the mean of K classes when J of them, of any size, were drawn: of its best linear predictor.

    The predictor is (sum of the J partially pooled means + (K - J) times the GLS mean) / K. With L_j the
    `shrinkage` of class j and V the squared SE of the GLS mean, its mean squared error is
    (1 - sum(L_j) / K)^2 V + sum(L_j theta / n_j) / K^2 + (K - J) psi / K^2. Equal sizes give
    `se_finite_population`; K = inf gives `se_partial_pooling_unbalanced`. Notebook 13 derives it.

    Parameters
    ----------
    psi, theta : float
        The two variances, psi + theta > 0.
    sizes : array_like of shape (J,)
        Observations in each of the J classes drawn.
    K : float or array_like
        Classes in the population, of which each mean counts the same.

    Raises
    ------
    ValueError
        If K is smaller than J.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.se_finite_population_unbalanced(400, 900, sizes=[2, 10, 30], K=6):.4f}")
    10.6651
    """
    psi, theta, sizes = of_sizes(psi, theta, sizes)
    J = len(sizes)
    K = population(K, J)
    factor = shrinkage(psi, theta, sizes)
    of_mean = (1 - np.sum(factor) / K) ** 2 * se_partial_pooling_unbalanced(psi, theta, sizes) ** 2
    return np.sqrt(of_mean + (np.sum(factor * theta / sizes) / K + (1 - J / K) * psi) / K)
