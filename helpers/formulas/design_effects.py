"""What clusters do to precision: correlations, design effects, slopes within and between groups."""

from __future__ import annotations

import numpy as np

from .checks import checked, correlation, positive, varying


def icc(psi, theta):
    """Intraclass correlation, the correlation of two pupils of one class: psi / (psi + theta).

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.icc(400, 900):.4f}")
    0.3077
    """
    psi, theta = positive(*checked(psi=psi, theta=theta))
    return psi / (psi + theta)


def design_effect(icc, n):
    """Variance of the mean of clustered data over that of as many independent pupils: 1 + (n - 1) icc.

    Kish (1965), chapter 5. It is `moulton_factor` for a predictor of classes (``icc_x`` 1).

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.design_effect(0.25, n=21):.4f}")
    6.0000
    """
    return moulton_factor(icc, 1.0, n)


def moulton_factor(icc, icc_x, n):
    """True variance of a least squares slope over the one for independent pupils: 1 + (n - 1) icc icc_x.

    Moulton (1986); notebook 08 derives it. The predictor is held fixed, the errors have ``icc``, and all
    classes have one slope.

    Parameters
    ----------
    icc : float or array_like
        Intraclass correlation of the outcome, given the predictor: from -1 / (n - 1) to 1.
    icc_x : float or array_like
        That of the predictor in these data, (n B - 1) / (n - 1), where B is the share of its sum of
        squares that lies between classes: -1 / (n - 1) if all class means are equal, 1 for a predictor
        of classes.
    n : int or array_like
        Pupils in each class.

    Raises
    ------
    ValueError
        If a correlation is not possible in classes of n.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.moulton_factor(0.25, 0.5, n=21):.4f}")
    3.5000
    """
    (n,) = checked(n=n)
    icc, icc_x = correlation("icc", icc, n), correlation("icc_x", icc_x, n)
    return 1 + (n - 1) * icc * icc_x


def effective_sample_size(icc, J, n):
    """Independent pupils that would give as precise a mean: J n / design effect.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.effective_sample_size(0.25, J=20, n=21):.4f}")
    70.0000
    """
    J, n = checked(J=J, n=n)
    effect = design_effect(icc, n)
    if np.any(effect <= 0):
        raise ValueError("at icc = -1 / (n - 1) the mean has no variance: no sample is as precise")
    return J * n / effect


def se_within_slope(theta, ss_within):
    """SE of the slope within classes: sqrt(theta / ss_within), classes of any size, one slope for all.

    ``ss_within`` is the predictor's sum of squares about the class means, in its squared units.
    The same for no pooling and for the mixed model. Where slopes vary, at least their variance over the
    number of classes is added to the square. Notebook 08.

    Raises
    ------
    ValueError
        If the predictor does not vary within classes.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.se_within_slope(900, ss_within=3600):.4f}")
    0.5000
    """
    theta, ss_within = checked(theta=theta, ss_within=ss_within)
    return np.sqrt(theta / varying("ss_within", ss_within))


def se_between_slope(psi, theta, n, ss_between):
    """SE of the slope between classes, and of any predictor of classes: sqrt((theta + n psi) / ss_between).

    ``ss_between`` is the sum of squares of the class means over all pupils, n times that over the
    classes: the formula is also sqrt((psi + theta / n) / sum of (mean_j - mean)^2). Notebook 08.

    Raises
    ------
    ValueError
        If the predictor does not vary between classes.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.se_between_slope(400, 900, n=10, ss_between=4900):.4f}")
    1.0000
    """
    psi, theta, n, ss_between = checked(psi=psi, theta=theta, n=n, ss_between=ss_between)
    return np.sqrt((theta + n * psi) / varying("ss_between", ss_between))
