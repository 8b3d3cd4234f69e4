"""A bootstrap test by the t statistic, and the interval that inverts it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .checks import level_of

TIE = 1e-9  # draws whose t statistic is as large as the data's but for rounding count as as large


@dataclass(frozen=True, eq=False, repr=False)
class BootstrapT:
    """A bootstrap test of one coefficient, by the t statistic, and its interval.

    Attributes
    ----------
    term : str
    estimate, se : float
        The coefficient and the standard error in the t statistic.
    null, t : float
        What was tested, and (estimate - null) / se.
    pvalue : float
        Share of the samples whose abs(t) is at least that of the data. The data count as one more sample;
        where all sign vectors are tried, under the null, they are one of them.
    draws : int
        Samples: the random ones, or all there are.
    exact : bool
        Whether these are all there are.
    method : str
        What was drawn.
    """

    term: str
    estimate: float
    se: float
    null: float
    t: float
    pvalue: float
    draws: int
    exact: bool
    method: str
    _drawn: np.ndarray  # abs(t) of the samples, one of each pair of opposite signs

    def conf_int(self, alpha=0.05):
        """All values that the test at level alpha does not reject.

        Parameters
        ----------
        alpha : float

        Returns
        -------
        tuple of float
            Lower and upper end: the estimate give or take a quantile of the samples' abs(t) times ``se``.

        Raises
        ------
        ValueError
            If alpha does not lie between 0 and 1, or if there are too few samples, or the data are such,
            that no value however far away is rejected.
        """
        alpha = level_of(alpha)
        allowed = _allowed(alpha, len(self._drawn), self.exact)
        if not 0 <= allowed < len(self._drawn):
            self._refuse(alpha)
        half = np.partition(self._drawn, -1 - allowed)[-1 - allowed] * self.se
        if not np.isfinite(half):
            self._refuse(alpha)
        return float(self.estimate - half), float(self.estimate + half)

    def _refuse(self, alpha):
        raise ValueError(
            f"no interval of level {1 - alpha:g} for {self.term!r}: {self.draws} samples by the "
            f"{self.method} reject no value however far away (groups are too few, or one weighs too much); "
            'see cluster_robust("CR2") with its own df, or the t test on group means'
        )

    def __repr__(self):
        drawn = f"all {self.draws}" if self.exact else f"{self.draws} random"
        return (
            f"{self.term}: {self.estimate:.6g}, t {self.t:.4f} against {self.null:.6g}, p {self.pvalue:.4f}; "
            f"{self.method}, {drawn} samples"
        )


def _allowed(alpha, samples, exact):
    """How many samples may lie beyond the end of the interval."""
    least = alpha * samples if exact else alpha * (samples + 1) - 1
    return int(np.floor(least * (1 + 1e-12) + 1e-9))
