"""The three standard errors of a mean, groups of one size or of any."""

from __future__ import annotations

import numpy as np

from .checks import checked, of_sizes


def se_complete_pooling(psi, theta, J, n):
    """SE of the grand mean if pupils were drawn one by one: sqrt((psi + theta) / (J n)).

    The answer's formula for complete pooling. With the ANOVA estimates put in (psi > 0, n > 1) it is
    slightly larger than what ``lm(y ~ 1)`` prints, for the reason in `complete_pooling_variance`.
    Notebooks 02 and 04 derive the two.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.se_complete_pooling(400, 900, J=20, n=10):.4f}")
    2.5495
    """
    psi, theta, J, n = checked(psi=psi, theta=theta, J=J, n=n)
    return np.sqrt((psi + theta) / (J * n))


def se_partial_pooling(psi, theta, J, n):
    """SE of the mean of all classes, when J of very many were drawn: sqrt((psi + theta / n) / J).

    The answer's formula for the mixed model. Notebook 02 derives it.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.se_partial_pooling(400, 900, J=20, n=10):.4f}")
    4.9497
    >>> formulas.se_partial_pooling(400, 900, J=20, n=[10, 40]).round(4)
    array([4.9497, 4.5962])
    """
    psi, theta, J, n = checked(psi=psi, theta=theta, J=J, n=n)
    return np.sqrt((psi + theta / n) / J)


def se_no_pooling(theta, J, n):
    """SE of the mean of just these J classes: sqrt(theta / (J n)).

    The answer's formula for no pooling; notebook 02 derives it. The SE of one class mean is `se_group_mean`.
    Notebook 03 tells the two apart.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.se_no_pooling(900, J=20, n=10):.4f}")
    2.1213
    """
    theta, J, n = checked(theta=theta, J=J, n=n)
    return np.sqrt(theta / (J * n))


def se_floor(psi, J):
    """What the SE of the population mean cannot fall below, however large the classes: sqrt(psi / J).

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.se_floor(400, J=20):.4f}")
    4.4721
    """
    psi, J = checked(psi=psi, J=J)
    return np.sqrt(psi / J)


def se_partial_pooling_unbalanced(psi, theta, sizes):
    """SE of the generalised least squares mean, groups of any size: sum(1 / (psi + theta / n_j))^(-1/2).

    Parameters
    ----------
    psi, theta : float
        The two variances, psi + theta > 0.
    sizes : array_like of shape (J,)
        Observations in each group.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.se_partial_pooling_unbalanced(400, 900, sizes=[2, 10, 30]):.4f}")
    13.4318
    """
    psi, theta, sizes = of_sizes(psi, theta, sizes)
    return 1 / np.sqrt(np.sum(1 / (psi + theta / sizes)))


def se_bracket(psi, theta, sizes):
    """Bounds of the SE of the generalised least squares mean: the balanced formula at two mean sizes.

    `se_partial_pooling` with n the arithmetic mean of the sizes is at most, with their harmonic mean at
    least, `se_partial_pooling_unbalanced` at the same psi and theta. The second is also the SE of the
    unweighted mean of the class means. Notebook 05 proves both.

    Parameters
    ----------
    psi, theta : float
        The two variances, psi + theta > 0.
    sizes : array_like of shape (J,)
        Observations in each group.

    Returns
    -------
    low, high : float

    Examples
    --------
    >>> from helpers import formulas
    >>> low, high = formulas.se_bracket(400, 900, sizes=[2, 10, 30])
    >>> print(f"{low:.4f} {high:.4f}")
    12.4403 14.0238
    """
    psi, theta, sizes = of_sizes(psi, theta, sizes)
    J = len(sizes)
    low = se_partial_pooling(psi, theta, J, np.mean(sizes))
    return low, se_partial_pooling(psi, theta, J, 1 / np.mean(1 / sizes))
