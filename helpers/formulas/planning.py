"""Planning a study: class sizes, numbers of classes, and the power of a test."""

from __future__ import annotations

import numpy as np
from scipy.special import nctdtr, nctdtrinc, ndtr, ndtri

from .checks import checked, critical, finite, positive


def optimal_group_size(psi, theta, cost_ratio):
    """Class size of the least SE for the money: sqrt(cost_ratio theta / psi), not rounded.

    Where it is below 1, one pupil a class is best. Notebook 12 derives it; Cochran (1977), chapter 10, has
    it for samples in two stages.

    Parameters
    ----------
    psi, theta : float
        The two variances, psi positive.
    cost_ratio : float
        What one more class costs without its pupils, over what one more pupil costs.

    Raises
    ------
    ValueError
        If psi is 0: then no class size is too large.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.optimal_group_size(400, 900, cost_ratio=16):.4f}")
    6.0000
    """
    psi, theta, ratio = checked(psi=psi, theta=theta, cost_ratio=cost_ratio)
    if np.any(psi == 0):
        raise ValueError("psi must be positive: where classes do not differ no class is too large; got 0")
    return np.sqrt(ratio * theta / psi)


def groups_needed(psi, theta, n, se):
    """Fewest classes of n with a standard error of the mean of at most ``se``: (psi + theta / n) / se^2, up.

    Two at least, for one class tells nothing of psi. Notebook 12.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.groups_needed(400, 900, n=10, se=4):.0f}")
    31
    """
    psi, theta, n, se = checked(psi=psi, theta=theta, n=n, se=se)
    if np.any(se == 0):
        raise ValueError("se must be positive: no number of classes brings it down to 0; got 0")
    exact = (psi + theta / n) / se**2
    return np.maximum(np.ceil(exact * (1 - 1e-12)), 2)  # 50 is 50 in spite of rounding


def se_two_arms(psi, theta, J, n):
    """SE of the difference of two arms, J classes in all: sqrt((psi + theta / n) (1 / J1 + 1 / J2)).

    Whole classes are assigned, half to each arm (J1 = J2 = J / 2: twice `se_partial_pooling`); if J is
    odd, one more to one of them. The variances are the same in both arms. Notebook 12 derives it;
    Donner and Klar (2000), chapter 5, have the sample size that follows.

    Raises
    ------
    ValueError
        If J is not whole and at least 2.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.se_two_arms(400, 900, J=20, n=10):.4f}")
    9.8995
    """
    psi, theta, J, n = checked(psi=psi, theta=theta, J=J, n=n)
    if np.any((J < 2) | (J % 1 != 0)):
        raise ValueError(f"J, the classes of both arms, must be whole and at least 2; got {J}")
    return np.sqrt((psi + theta / n) * (1 / (J // 2) + 1 / (J - J // 2)))


def power(effect, se, alpha=0.05, df=np.inf):
    """How often a two-sided test of level alpha finds a true effect, and with the right sign.

    1 - T(t; df, effect / se), T the noncentral t distribution and t the 1 - alpha / 2 quantile of t on df
    degrees of freedom (normal at df = inf). Exact where the estimate is normal and ``se`` is estimated on
    df degrees of freedom. Notebook 12.

    Parameters
    ----------
    effect : float
        The true effect, not negative, in the unit of ``se``.
    se : float
        Standard error of its estimate, at the true variances.
    alpha : float
        Level of the test.
    df : float
        Degrees of freedom of the test, at least 1; inf for a known standard error.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.power(30, se=10):.4f}")
    0.8508
    >>> print(f"{formulas.power(30, se=10, df=18):.4f}")
    0.8097
    """
    effect, se, alpha = checked(effect=effect, se=se, alpha=alpha)
    if np.any(se == 0):
        raise ValueError("se must be positive: an estimate that never varies needs no test; got 0")
    t, df = critical(alpha, df)
    away = effect / se
    return np.where(np.isinf(df), ndtr(away - t), 1 - nctdtr(finite(df), away, t))[()]


def minimum_detectable_effect(se, power=0.8, alpha=0.05, df=np.inf):
    """Least true effect that a two-sided test of level alpha finds with this power.

    The effect whose `power` is as given; at df = inf it is (z(1 - alpha / 2) + z(power)) se
    (Bloom 1995). Notebook 12.

    Raises
    ------
    ValueError
        If the power is not above alpha / 2, what no effect has, and below 1.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.minimum_detectable_effect(se=10):.4f}")
    28.0159
    >>> print(f"{formulas.minimum_detectable_effect(se=10, df=18):.4f}")
    29.6268
    """
    se, share = checked(se=se, power=power)
    t, df = critical(alpha, df)
    if np.any((share <= np.asarray(alpha) / 2) | (share >= 1)):
        raise ValueError(f"power must lie between alpha / 2 and 1; got {share}")
    return se * np.where(np.isinf(df), t + ndtri(share), nctdtrinc(finite(df), 1 - share, t))[()]


def groups_needed_two_arms(psi, theta, n, effect, power=0.8, alpha=0.05):
    """Fewest classes of n, half to each arm, whose t test finds a true effect with this power.

    The least even J, 4 at least, with `power` at `se_two_arms` and J - 2 degrees of freedom not below the
    one asked for. The normal 4 (psi + theta / n) (z(1 - alpha / 2) + z(power))^2 / effect^2 is a little less.
    For normal data; Donner and Klar (2000), chapter 5, have such sample sizes. Notebook 12.

    Raises
    ------
    ValueError
        If the effect is 0, or so small that it would take more than a million classes.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.groups_needed_two_arms(400, 900, n=10, effect=20):.0f}")
    42
    """
    times = minimum_detectable_effect(1.0, power, alpha)
    psi, theta, effect = positive(*checked(psi=psi, theta=theta, effect=effect))
    two = se_two_arms(psi, theta, 2, n)  # that of J classes times sqrt(J / 2)
    if np.any(times * two > effect * np.sqrt(1e6 / 2)):
        raise ValueError(f"effect must be larger: it would take more than a million classes; got {effect}")
    J = np.maximum(2 * np.ceil((times * two / effect) ** 2), 4)
    while True:
        t, df = critical(alpha, J - 2)
        short = 1 - nctdtr(df, effect / (two * np.sqrt(2 / J)), t) < power
        if not np.any(short):
            return J
        J = J + 2 * short
