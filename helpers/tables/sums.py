"""Sums by label of columns that may be somebody else's memory, without a copy of them."""

from __future__ import annotations

import numpy as np

_MANY = 2**14  # rows from which a copy costs more than what spares it


class _Unlocked:
    """The memory of an array, not marked read only; it keeps the array."""

    def __init__(self, values):
        self._of = values
        self.__array_interface__ = values.__array_interface__ | {"data": (values.ctypes.data, False)}


def _for_bincount(values):
    """The same memory for `numpy.bincount`, which only reads, and copies what is marked read only."""
    if values.flags.writeable or len(values) < _MANY:
        return values
    return np.asarray(_Unlocked(values))


def counted(codes, K) -> np.ndarray:
    """Return how often each of K codes occurs."""
    return np.bincount(_for_bincount(codes), minlength=K)


def added_up(codes, values, K) -> np.ndarray:
    """Return the sum of the values of each of K codes."""
    return np.bincount(_for_bincount(codes), _for_bincount(values), K)
