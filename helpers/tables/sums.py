"""Sums by label of columns that may be somebody else's memory, without a copy; some rows at a time."""

from __future__ import annotations

import numpy as np

_MANY = 2**14  # rows from which a copy costs more than what spares it
_ROWS = 2**16  # rows that are worked on at a time
_ALL = [slice(None)]


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


def parts(N, K) -> list[slice]:
    """Parts of N rows that are worked on at a time: a cache holds one, but each has sums of K labels."""
    step = max(_ROWS, 2 * K)
    return _ALL if step >= N else [slice(start, start + step) for start in range(0, N, step)]


def counted(codes, K) -> np.ndarray:
    """Return how often each of K codes occurs."""
    first, *others = parts(len(codes), K)
    found = np.bincount(_for_bincount(codes[first]), minlength=K)
    for part in others:
        found += np.bincount(_for_bincount(codes[part]), minlength=K)
    return found


def added_up(codes, values, K) -> np.ndarray:
    """Return the sum of the values of each of K codes."""
    return np.bincount(_for_bincount(codes), _for_bincount(values), K)
