"""R's random numbers without R: ``set.seed``, ``runif`` and ``rnorm``, to the last bit."""

from __future__ import annotations

from operator import index
from statistics import NormalDist

import numpy as np

_WORDS = 624  # state words of the Mersenne Twister
_WARM_UP = 50  # steps of the congruential generator that R throws away first
_STEP = 2.3283064365386963e-10  # what R multiplies 32 bits by: 1 / (2**32 - 1), as R writes it
_BIG = 134217728  # 2**27: rnorm joins two uniforms into one of 59 bits


class RRandom:
    """One stream of R's random numbers, as after ``set.seed(seed)``.

    R's defaults since version 1.7: ``RNGkind("Mersenne-Twister", "Inversion")``.
    The generator is that of Matsumoto and Nishimura (1998), the seeding R's own
    linear congruential scrambling, the normal quantile Wichura's AS 241 (1988).

    Parameters
    ----------
    seed : int
        What R would be given in ``set.seed``: between -2147483647 and 2147483647.

    Raises
    ------
    TypeError
        If the seed is not a whole number.
    ValueError
        If R would not take it as an integer.

    Examples
    --------
    >>> r = RRandom(0)
    >>> r.rnorm(2).round(4).tolist()
    [1.263, -0.3262]
    """

    def __init__(self, seed):
        try:
            seed = index(seed)
        except TypeError:
            raise TypeError(f"seed must be a whole number, as in R's set.seed; got {seed!r}") from None
        if abs(seed) > 2**31 - 1:
            raise ValueError(f"seed {seed} is no integer to R: use one from -2147483647 to 2147483647")
        word, words = seed % 2**32, []
        for _ in range(_WARM_UP + 1 + _WORDS):  # one more: R's first word is the position, overwritten
            word = (69069 * word + 1) % 2**32
            words.append(word)
        self._twister = np.random.MT19937()
        self._twister.state = {
            "bit_generator": "MT19937",
            "state": {"key": np.array(words[-_WORDS:], dtype=np.uint32), "pos": _WORDS},
        }

    def _uniforms(self, n):
        """Draw n doubles strictly between 0 and 1."""
        u = self._twister.random_raw(n) * _STEP
        return np.clip(u, 0.5 * _STEP, 1 - 0.5 * _STEP)

    def runif(self, n, min=0.0, max=1.0):
        """Uniform numbers, as R's ``runif(n, min, max)``.

        Parameters
        ----------
        n : int
            How many.
        min, max : float
            The interval. Where both are equal R draws nothing, and so does this.

        Returns
        -------
        ndarray of shape (n,)

        Raises
        ------
        TypeError
            If n is not a whole number.
        ValueError
            If n is negative, or the interval is not finite or runs backwards.
        """
        n = _count(n)
        if not (np.isfinite(min) and np.isfinite(max) and min <= max):
            raise ValueError(f"runif needs finite min <= max; got min={min}, max={max}")
        if min == max:
            return np.full(n, float(min))
        return min + (max - min) * self._uniforms(n)

    def rnorm(self, n, mean=0.0, sd=1.0):
        """Normal numbers, as R's ``rnorm(n, mean, sd)``.

        Parameters
        ----------
        n : int
            How many.
        mean, sd : float
            Mean and standard deviation. Where sd is 0 R draws nothing, and so does this.

        Returns
        -------
        ndarray of shape (n,)

        Raises
        ------
        TypeError
            If n is not a whole number.
        ValueError
            If n is negative, the mean is not finite, or sd is negative or not finite.
        """
        n = _count(n)
        if not (np.isfinite(mean) and np.isfinite(sd) and sd >= 0):
            raise ValueError(f"rnorm needs a finite mean and a finite sd >= 0; got mean={mean}, sd={sd}")
        if sd == 0:
            return np.full(n, float(mean))
        high, low = self._uniforms(2 * n).reshape(n, 2).T
        quantile = NormalDist().inv_cdf  # AS 241; scipy's ndtri differs from R in the last bits
        u = (np.floor(_BIG * high) + low) / _BIG
        return mean + sd * np.fromiter(map(quantile, u.tolist()), float, n)


def _count(n):
    try:
        n = index(n)
    except TypeError:
        raise TypeError(f"n must be a whole number; got {n!r}") from None
    if n < 0:
        raise ValueError(f"n must be 0 or more; got {n}")
    return n
