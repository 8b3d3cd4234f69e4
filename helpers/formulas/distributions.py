"""Tails and quantiles of t, F, chi-square, beta and normal: as `scipy.stats`, without its import.

`scipy.stats` brings a hundred distributions, a second and 45 MB at every start. Each of these is a call
of `scipy.special`, the one that `scipy.stats` makes. Names and arguments are those of `scipy.stats`.
"""

from __future__ import annotations

import numpy as np
from scipy import special


class t:
    """Student's t; with infinite df the normal distribution."""

    @staticmethod
    def ppf(q, df):
        """Quantile; NaN where df is NaN."""
        q, df = np.asarray(q, dtype=float), np.asarray(df, dtype=float)
        return np.where(np.isinf(df), special.ndtri(q), special.stdtrit(df, q))[()]

    @staticmethod
    def isf(q, df):
        """Value that a share q lies above."""
        return -t.ppf(q, df)

    @staticmethod
    def sf(x, df):
        """Chance of more than x."""
        x, df = np.asarray(x, dtype=float), np.asarray(df, dtype=float)
        return np.where(np.isinf(df), special.ndtr(-x), special.stdtr(df, -x))[()]


class f:
    """Fisher's F."""

    @staticmethod
    def cdf(x, dfn, dfd):
        """Chance of x or less."""
        return special.fdtr(dfn, dfd, np.maximum(x, 0.0))

    @staticmethod
    def sf(x, dfn, dfd):
        """Chance of more than x."""
        return special.fdtrc(dfn, dfd, np.maximum(x, 0.0))

    @staticmethod
    def ppf(q, dfn, dfd):
        """Quantile."""
        return special.fdtri(dfn, dfd, q)


class chi2:
    """Chi-square."""

    @staticmethod
    def sf(x, df):
        """Chance of more than x."""
        return special.chdtrc(df, np.maximum(x, 0.0))

    @staticmethod
    def isf(q, df):
        """Value that a share q lies above."""
        return special.chdtri(df, q)

    @staticmethod
    def ppf(q, df):
        """Quantile."""
        return 2 * special.gammaincinv(np.asarray(df, dtype=float) / 2, q)


class beta:
    """Beta."""

    @staticmethod
    def ppf(q, a, b):
        """Quantile."""
        return special.betaincinv(a, b, q)


class norm:
    """The normal distribution, of mean 0 and variance 1 where nothing else is said."""

    @staticmethod
    def pdf(x, loc=0.0, scale=1.0):
        """Density."""
        z = (np.asarray(x, dtype=float) - loc) / scale
        return np.exp(-(z**2) / 2) / (scale * np.sqrt(2 * np.pi))

    @staticmethod
    def ppf(q):
        """Quantile."""
        return special.ndtri(q)

    @staticmethod
    def sf(x):
        """Chance of more than x."""
        return special.ndtr(-np.asarray(x, dtype=float))

    @staticmethod
    def isf(q):
        """Quantile from above."""
        return -special.ndtri(q)
