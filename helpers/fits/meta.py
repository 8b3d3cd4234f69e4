"""Pooling of estimates whose variances are known: common mean, random effects, Hartung and Knapp."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from ..formulas import distributions as stats
from .bayes import Posterior, Priors, posterior_known
from .bayes.priors import PRIORS
from .checks import level_of

_POINTS = 400  # of the scan for the maxima of the restricted likelihood


@dataclass(frozen=True, eq=False, kw_only=True)
class MetaPooling:
    """What pooling of estimates with known variances found.

    Attributes
    ----------
    estimates, variances : Series
        As given.
    Q, df, pvalue : float
        Cochran's sum of squares about the common mean, its degrees of freedom k - 1, and the probability of
        as large a one where the true means are one.
    tau2 : Series
        The variance between by "DerSimonian-Laird" (1986), "REML" and "Paule-Mandel" (1982); none below 0.
    """

    estimates: pd.Series
    variances: pd.Series

    def _at(self, tau2):
        """The weighted mean, its weights and the weighted sum of squares about it."""
        w = 1 / (self._v + tau2)
        mean = w @ self._y / w.sum()
        return mean, w, w @ (self._y - mean) ** 2

    @cached_property
    def _y(self):
        return self.estimates.to_numpy()

    @cached_property
    def _v(self):
        return self.variances.to_numpy()

    @property
    def df(self):
        """Estimates less one."""
        return float(len(self.estimates) - 1)

    @property
    def Q(self):
        """Cochran's Q."""
        return float(self._at(0.0)[2])

    @property
    def pvalue(self):
        """Upper tail of chi-square at Q."""
        return float(stats.chi2.sf(self.Q, self.df))

    @cached_property
    def tau2(self):
        """The variance between, by method."""
        _, w, Q = self._at(0.0)
        moments = max(0.0, (Q - self.df) / (w.sum() - w @ w / w.sum()))
        found = {
            "DerSimonian-Laird": moments,
            "REML": self._reml(),
            "Paule-Mandel": self._where_q_is(self.df),
        }
        return pd.Series(found, name="tau2")

    def _where_q_is(self, value):
        """The variance between at which Q, with its weights, has fallen to a value; 0 if it is less."""
        if self._at(0.0)[2] <= value:
            return 0.0
        most = (
            (self._y - self._y.mean()) ** 2
        ).sum() / value  # there it is less: every weight is below 1 / tau2
        return float(brentq(lambda t: self._at(t)[2] - value, 0.0, most, xtol=1e-300, rtol=1e-14))

    def _reml(self):
        """The highest of the maxima of the restricted likelihood; a scan comes before the roots."""

        def criterion(t):
            _, w, Q = self._at(t)
            return -np.log(w).sum() + np.log(w.sum()) + Q

        def score(t):
            mean, w, _ = self._at(t)
            return w.sum() - w @ w / w.sum() - w**2 @ (self._y - mean) ** 2

        most = 2 * ((self._y - self._y.mean()) ** 2).sum()
        low = 1e-6 * self._v.min()
        grid = np.append(0.0, np.geomspace(low, max(most, 2 * low), _POINTS))
        values = np.array([score(t) for t in grid])
        roots = [
            brentq(score, grid[k], grid[k + 1], xtol=1e-300, rtol=1e-14)
            for k in np.flatnonzero((values[:-1] < 0) & (values[1:] >= 0))
        ]
        return float(min([0.0, *roots], key=criterion))

    def table(self, alpha=0.05):
        """The mean by each method, with its standard error and interval.

        Parameters
        ----------
        alpha : float
            One minus the level.

        Returns
        -------
        DataFrame
            Rows by method, columns ``tau2``, ``estimate``, ``se``, ``df``, ``lower``, ``upper``. The first
            four take the variances for known, so df is inf. "..., Hartung-Knapp" multiplies the standard
            error by the root of the weighted mean square of the residuals and has k - 1 df (Hartung and
            Knapp 2001); the factor may be below 1.
        """
        level_of(alpha)
        rows = {"common mean": (0.0, False)}
        rows |= {name: (tau2, False) for name, tau2 in self.tau2.items()}
        rows |= {f"{name}, Hartung-Knapp": (tau2, True) for name, tau2 in self.tau2.items()}
        found = {}
        for name, (tau2, knapp) in rows.items():
            mean, w, Q = self._at(tau2)
            se = np.sqrt((Q / self.df if knapp else 1.0) / w.sum())
            df = self.df if knapp else np.inf
            half = -stats.t.ppf(alpha / 2, df) * se
            found[name] = [tau2, mean, se, df, mean - half, mean + half]
        return pd.DataFrame(found, ["tau2", "estimate", "se", "df", "lower", "upper"]).T

    def tau2_int(self, alpha=0.05):
        """Interval for the variance between, by the Q profile (Viechtbauer 2007), exact for normal estimates.

        Returns
        -------
        tuple of float
            Where Q, with the weights of a variance, is a quantile of chi-square on k - 1 df.

        Raises
        ------
        ValueError
            If no variance fits: the estimates are closer together than their variances allow.
        """
        tail = level_of(alpha) / 2
        if stats.chi2.ppf(tail, self.df) > self.Q:
            raise ValueError(
                f"no variance between fits: Q = {self.Q:.3g} on {self.df:g} df, so the {len(self._y)} "
                "estimates are closer together than their variances allow; are these too large?"
            )
        return tuple(self._where_q_is(stats.chi2.isf(p, self.df)) for p in (tail, 1 - tail))

    def posterior(self, between) -> Posterior:
        """The posterior, by quadrature; flat on the mean.

        Parameters
        ----------
        between : Flat, HalfNormal, HalfT or Exponential
            Prior of the standard deviation between.

        Raises
        ------
        TypeError, ValueError
            As `bayes.posterior`.
        """
        if not isinstance(between, PRIORS):
            raise TypeError(f"between must be a prior, such as Flat(); got {between!r}")
        return posterior_known(self._y, self._v, self.estimates.index, Priors(between))


def meta_pooling(estimates, variances):
    """Pool estimates whose sampling variances are known, as in a meta-analysis.

    The model is that of partial pooling with one number a group and a variance of its own for each that need
    not be estimated. With equal variances all methods agree where tau2 > 0 (chapter 16).

    Parameters
    ----------
    estimates : Series or sequence of float
        One a study; the index of a Series names them.
    variances : Series or sequence of float
        Squares of their standard errors, in the same order.

    Returns
    -------
    MetaPooling

    Raises
    ------
    TypeError
        If they are not numbers.
    ValueError
        If there are fewer than two, if they are not as many, or if one is not finite or a variance not
        positive.

    Examples
    --------
    >>> from helpers import meta_pooling
    >>> found = meta_pooling([28, 8, -3, 7, -1, 1, 18, 12], [225, 100, 256, 121, 81, 121, 100, 324])
    >>> found.table().loc[["REML", "REML, Hartung-Knapp"], ["tau2", "estimate", "se"]].round(4)
                         tau2  estimate      se
    REML                  0.0    7.6856  4.0719
    REML, Hartung-Knapp   0.0    7.6856  3.3391
    """
    labels = estimates.index if isinstance(estimates, pd.Series) else None
    given = {}
    for name, values in (("estimates", estimates), ("variances", variances)):
        try:
            given[name] = np.asarray(values, dtype=float)
        except (TypeError, ValueError):
            raise TypeError(f"{name} must be numbers, one a study; got {values!r}") from None
        if given[name].ndim != 1:
            raise ValueError(f"{name} must be one number a study; got shape {given[name].shape}")
    y, v = given["estimates"], given["variances"]
    if len(y) != len(v):
        raise ValueError(f"{len(y)} estimates need as many variances; got {len(v)}")
    if len(y) < 2:
        raise ValueError(f"pooling takes two estimates or more; got {len(y)}")
    index = pd.RangeIndex(1, len(y) + 1, name="study") if labels is None else labels
    if isinstance(variances, pd.Series) and labels is not None and not variances.index.equals(index):
        raise ValueError("estimates and variances have different indices: give both in one order")
    for name, bad in (("estimate", ~np.isfinite(y)), ("variance", ~(np.isfinite(v) & (v > 0)))):
        if bad.any():
            what, k = "finite" if name == "estimate" else "positive and finite", bad.argmax()
            raise ValueError(f"the {name} of study {index[k]!r} must be {what}; got {given[name + 's'][k]}")
    return MetaPooling(
        estimates=pd.Series(y, index, name="estimate"), variances=pd.Series(v, index, name="variance")
    )
