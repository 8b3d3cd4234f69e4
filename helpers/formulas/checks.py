"""What a closed form asks of its arguments, and the quantiles that several share."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri, stdtrit

LEAST = dict.fromkeys(("n", "J", "m", "a", "b"), 1)


def checked(**values):
    """Return the values as floats, or say which of them no formula can take."""
    out = []
    for name, value in values.items():
        least = LEAST.get(name, 0)
        value = np.asarray(value, dtype=float)
        if np.any(~np.isfinite(value) | (value < least)):
            raise ValueError(f"{name} must be finite and at least {least}; got {value}")
        out.append(value[()])
    return out


def positive(psi, theta, *others):
    """Return the arguments, of which the first two are variances that are not both 0."""
    if np.any(psi + theta <= 0):
        raise ValueError("psi + theta must be positive: without any variance there is nothing to divide")
    return psi, theta, *others


def several(psi, theta, J, n):
    """Return the arguments, if J and n are large enough to tell the two variances apart."""
    if np.any((J < 2) | (n < 2)):
        raise ValueError(f"J and n must be at least 2 to tell psi from theta; got J = {J} and n = {n}")
    return psi, theta, J, n


def group_sizes(sizes):
    """Return the sizes of the groups of one design as floats."""
    (sizes,) = checked(n=sizes)
    if np.ndim(sizes) != 1 or not np.size(sizes):
        raise ValueError(f"sizes must be one row of numbers, one for each class; got shape {np.shape(sizes)}")
    return sizes


def of_sizes(psi, theta, sizes):
    """Return the arguments of a sum over the groups: two single variances, not both 0, and the sizes."""
    psi, theta = positive(*checked(psi=psi, theta=theta))
    if np.ndim(psi) or np.ndim(theta):
        raise ValueError(
            f"psi and theta must be single numbers; got shapes {np.shape(psi)} and {np.shape(theta)}"
        )
    return psi, theta, group_sizes(sizes)


def population(K, J, name="K, the number of classes in the population", drawn="J"):
    """Return the number of classes (pupils) in a population (class), of which J (n) were drawn."""
    K = np.asarray(K, dtype=float)[()]
    if np.any(np.isnan(K) | (K < J)):
        raise ValueError(f"{name}, must be at least {drawn} = {J}; got {K}")
    return K


def correlation(name, value, n):
    """Return an intraclass correlation that classes of n allow; one made from data may miss by rounding."""
    value, least = np.asarray(value, dtype=float), -1 / np.maximum(n - 1, 1)
    if np.any(np.isnan(value) | (value < least - 1e-9) | (value > 1 + 1e-9)):
        raise ValueError(f"{name} must lie between -1 / (n - 1) and 1; got {value}")
    return np.clip(value, least, 1.0)[()]


def varying(name, value):
    """Return a sum of squares that is not 0."""
    if np.any(value == 0):
        raise ValueError(f"{name} must be positive: without variation there is no slope; got {value}")
    return value


def degrees(df, least=0):
    """Return degrees of freedom as floats: positive, at least so many, inf for a known standard error."""
    df = np.asarray(df, dtype=float)[()]
    if np.any(~((df > 0) & (df >= least))):
        bound = f"at least {least}" if least else "positive"
        raise ValueError(f"df must be {bound}, inf for a known standard error; got {df}")
    return df


def finite(df):
    """Return df with 1 in place of inf, for the branch that is not taken."""
    return np.where(np.isinf(df), 1.0, df)


def critical(alpha, df):
    """Return the two-sided critical value of t on df degrees of freedom, and df as floats."""
    alpha, df = np.asarray(alpha, dtype=float)[()], degrees(df, least=1)
    if np.any(~((alpha > 0) & (alpha < 1))):
        raise ValueError(f"alpha must lie between 0 and 1; got {alpha}")
    # From the lower tail: 1 - alpha / 2 would round a small alpha away.
    return np.where(np.isinf(df), -ndtri(alpha / 2), -stdtrit(finite(df), alpha / 2))[()], df


def normal_quantile(level):
    """Return the half length, in SEs, of the two-sided normal interval of a level."""
    if np.any((level == 0) | (level >= 1)):
        raise ValueError(f"level must lie between 0 and 1; got {level}")
    return ndtri((1 + level) / 2)
