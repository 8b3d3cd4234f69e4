"""Simulated values summed up, each figure with its Monte Carlo standard error."""

from __future__ import annotations

import numpy as np
import pandas as pd


def monte_carlo(values):
    """Mean and standard deviation of simulated values, each with its Monte Carlo standard error.

    Parameters
    ----------
    values : array_like of shape (replicates,)

    Returns
    -------
    Series
        ``mean``, ``mean_mcse`` (sd / sqrt(R)), ``sd``, ``sd_mcse``. The last is
        sqrt((m4 - sd^4) / R) / (2 sd), m4 the fourth central moment: unlike sd / sqrt(2 (R - 1)) it
        does not take the values for normal, which estimated variances are not.

    Raises
    ------
    ValueError
        If there are fewer than two values or one is not finite.

    Examples
    --------
    >>> from helpers.simulate import monte_carlo
    >>> monte_carlo([1.0, 2.0, 3.0, 6.0]).round(3).to_dict()
    {'mean': 3.0, 'mean_mcse': 1.08, 'sd': 2.16, 'sd_mcse': 0.191}
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
        raise ValueError(f"values must be at least two finite numbers in a row; got shape {values.shape}")
    R, mean, sd = len(values), values.mean(), values.std(ddof=1)
    unit = (values - mean) / (sd or 1.0)
    excess = max(np.mean(unit**4) - 1, 0.0)
    out = {"mean": mean, "mean_mcse": sd / np.sqrt(R), "sd": sd, "sd_mcse": sd * np.sqrt(excess / R) / 2}
    return pd.Series(out)


class Tally:
    """Running means of hits and lengths, by name (Chan et al. 1983), and their Monte Carlo errors."""

    def __init__(self):
        self.sums = {}

    def add(self, name, *measures):
        """Take in what a chunk gave, an array for each measure: whether it was held, the length, ..."""
        new = np.array(measures, dtype=float)
        k, centre = new.shape[1], new.mean(axis=1)
        spread = np.sum((new - centre[:, None]) ** 2, axis=1)
        count, mean, ss = self.sums.get(name, (0, 0.0, 0.0))
        step, total = centre - mean, count + k
        self.sums[name] = (total, mean + step * k / total, ss + spread + step**2 * count * k / total)

    def table(self, names, columns=("coverage", "mcse", "mean_length", "length_mcse")):
        """One row for each name; for hits sqrt(ss) / R is sqrt(p (1 - p) / R)."""
        rows = [np.ravel([mean, np.sqrt(ss) / R], order="F") for R, mean, ss in self.sums.values()]
        return pd.DataFrame(rows, pd.Index(self.sums), columns).rename_axis(names)
