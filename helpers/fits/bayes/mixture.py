"""Quantities that are normal once the variances are known: mixtures of normals over the nodes."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

_LIGHT = 1e-16  # nodes that weigh less are left out of distribution and quantiles


class Mixture:
    """A mixture of normal distributions.

    Parameters
    ----------
    weights, means, variances : ndarray
        Of one shape, or such that they broadcast; the weights add up to 1.
    origin : float
        What was taken off the means.
    finite : (bool, bool)
        Whether mean and variance exist.
    """

    def __init__(self, weights, means, variances, origin=0.0, finite=(True, True)):
        weights, means, variances = (a.ravel() for a in np.broadcast_arrays(weights, means, variances))
        self._centre = float(weights @ means) if finite[0] else np.nan
        self.mean = origin + self._centre
        self.from_known = float(weights @ variances) if finite[1] else np.inf
        self.from_unknown = float(weights @ (means - self._centre) ** 2) if finite[1] else np.nan
        kept = weights > _LIGHT
        self._weights, self._means, self._sds = weights[kept], means[kept], np.sqrt(variances[kept])
        self._origin, self._unit = origin, np.sqrt(np.median(variances[kept]))

    @property
    def sd(self):
        """Standard deviation, inf where the variance has no end."""
        return float(np.sqrt(self.from_known + self.from_unknown)) if np.isfinite(self.from_known) else np.inf

    def cdf(self, x):
        """Probability of at most x."""
        return float(self._weights @ ndtr((x - self._origin - self._means) / self._sds))

    def quantile(self, p):
        """The x below which there is probability p."""
        middle, reach = self._origin + float(self._weights @ self._means), self._unit
        low, high = middle - reach, middle + reach
        while self.cdf(low) > p:
            low, reach = low - reach, 2 * reach
        while self.cdf(high) < p:
            high, reach = high + reach, 2 * reach
        return brentq(lambda x: self.cdf(x) - p, low, high, xtol=1e-13 * max(abs(low), abs(high)) + 1e-300)
