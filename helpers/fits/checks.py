"""Arguments that more than one module of the fits takes: levels, words, whole numbers."""

from __future__ import annotations

from numbers import Real

import numpy as np


def level_of(alpha):
    """One minus the level of an interval, a number between 0 and 1, or refuse it."""
    if not isinstance(alpha, Real):
        raise TypeError(f"alpha must be a number between 0 and 1; got {alpha!r}")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1; got {alpha}")
    return float(alpha)


def upper(level):
    """Probability below the upper end of a two-sided interval that promises this level."""
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1; got {level}")
    return (1 + level) / 2


def one_of(name, value, known):
    """Return a word that is known, or refuse it."""
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}; got {value!r}")
    return value


def whole(name, value, least):
    """Return whole numbers that are at least so large, as an array, or refuse them."""
    number = np.asarray(value, dtype=float)
    if np.any(~np.isfinite(number) | (number < least) | (number % 1 != 0)):
        raise ValueError(f"{name} must be whole and at least {least}; got {value}")
    return number.astype(np.int64)


def real(name, value):
    """Return a finite number as a double, or refuse it."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number; got {value!r}")
    if not np.isfinite(value):
        raise ValueError(f"{name} must be finite; got {value}")
    return float(value)
