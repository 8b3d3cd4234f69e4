"""The wild cluster bootstrap of a coefficient of complete pooling, from the scores of the groups alone.

A wild bootstrap keeps the predictors and gives the residuals of a whole group one random sign (or weight).
The t statistic of a sample so made needs of each group its score X_g'e_g and X_g'X_g, not its rows: a draw
costs J numbers (Roodman et al. 2019 use the same algebra).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from .bootstrap_t import TIE, BootstrapT
from .checks import level_of, one_of, real, whole
from .estimable import lone_groups
from .sandwich import group_scores
from .waiting import chunks

WEIGHTS = {
    "rademacher": np.array([1.0, -1.0]),
    "webb": np.array([np.sqrt(0.5), 1, np.sqrt(1.5), -np.sqrt(0.5), -1, -np.sqrt(1.5)]),
}
KINDS = ("restricted", "unrestricted")
_NOTHING = 1e-24  # a variance below this share of the whole is rounding
_FARTHEST = 1e6  # standard errors from the estimate beyond which no end of an interval is looked for


@dataclass(frozen=True, eq=False, repr=False)
class RestrictedWild(BootstrapT):
    """As `BootstrapT`, with the null imposed: each value has samples of its own, and is tested by them."""

    _sums: tuple  # A, C, alpha, beta, gamma of `_rejects`
    _variance: float

    def pvalue_of(self, null):
        """The p value of another null, with the same weights.

        Parameters
        ----------
        null : float

        Returns
        -------
        float
        """
        return float(self._share(self.estimate - real("null", null)))

    def _share(self, distance):
        hits = np.count_nonzero(_as_far(self._sums, self._variance, distance))
        return hits / len(self._drawn) if self.exact else (1 + hits) / (1 + len(self._drawn))

    def conf_int(self, alpha=0.05):
        """All values that the test at level alpha does not reject, each by samples that impose it.

        The p value is a step function of the value; its outermost step across alpha is found by a scan and
        then by halving, to the last digits.

        Parameters
        ----------
        alpha : float

        Returns
        -------
        tuple of float
            Lower and upper end. Not symmetric about the estimate.

        Raises
        ------
        ValueError
            As `BootstrapT.conf_int`.
        """
        alpha = level_of(alpha)
        grid = np.concatenate([[0.0], np.geomspace(1e-3, _FARTHEST, 181)]) * self.se
        ends = []
        for side in (1, -1):
            inside = np.array([self._share(side * x) > alpha for x in grid])
            if inside[-1]:
                self._refuse(alpha)
            k = np.flatnonzero(inside)[-1]
            low, high = grid[k], grid[k + 1]
            while low < (middle := (low + high) / 2) < high:
                low, high = (middle, high) if self._share(side * middle) > alpha else (low, middle)
            ends.append(float(self.estimate - side * low))
        return ends[0], ends[1]


def wild_bootstrap(
    summary, centred, contrast, term, estimate, *, null=0.0, kind="restricted", weights="rademacher",
    draws=9999, seed=None,
):  # fmt: skip
    """Wild cluster bootstrap of a least squares coefficient (Cameron, Gelbach and Miller 2008).

    With M, u_g and S_g as in `sandwich.group_scores`, a the coefficient and d = estimate - null, the samples
    y* = X b + w_g e_g of group g have the t statistic sum w_g z_g over the root of
    c sum (w_g z_g - a'M S_g M sum w_k u_k)^2, z_g = a'M u_g, c = J / (J - 1). Unrestricted, b and e are those
    of least squares and t is about the estimate. Restricted, they are those of least squares with the null
    imposed: u_g + S_g M a d / a'Ma takes the place of u_g, and t is about the null.

    The t statistic is Cameron, Gelbach and Miller's, with CR1 on both sides; c, like any other constant,
    cancels between data and samples. The p value is two-sided, by abs(t), and counts samples as far as the
    data (>=, which is a test of its level where all sign vectors are tried and the errors of groups are
    symmetric; programs that count > reject one pair of sign vectors more).

    Parameters
    ----------
    summary : GroupSummary
    centred : tuple
        Least squares coefficients of the centred columns, shape (p,), and anything (their covariance).
    contrast : ndarray of shape (p,)
        What of them the coefficient is, up to a constant.
    term : str
    estimate : float
        The coefficient.
    null : float
    kind : {"restricted", "unrestricted"}
    weights : {"rademacher", "webb"}
        1 or -1; or the six of Webb (2014), for few groups: plus or minus the roots of 1/2, 1, 3/2.
    draws : int
        Random samples; where there are no more in all (2^J or 6^J), each is taken once, and seed is not used.
    seed : int, Generator or None

    Returns
    -------
    BootstrapT or RestrictedWild

    Raises
    ------
    TypeError, ValueError
        If null is not a finite number, a word is not known, draws is below 99, one group alone decides the
        coefficient, or the scores of all groups are 0.
    """
    one_of("kind", kind, KINDS)
    values = WEIGHTS[one_of("weights", weights, WEIGHTS)]
    distance = float(estimate - real("null", null))
    draws, J = int(whole("draws", draws, 99)), summary.ngroups
    root, S, u = group_scores(summary, centred[0])
    a = root @ contrast
    (alone,) = lone_groups(summary, contrast[None])
    if alone >= 0:
        raise ValueError(
            f"{summary.group} {summary.labels[alone]!r} alone decides {term!r}: its residuals are 0 "
            "there and say nothing of the error, so no resampling of them does"
        )
    z, e = a @ u, a @ S
    variance = float(z @ z)
    if not variance > _NOTHING * (a @ a) * summary.about_centre()[-1, -1]:
        raise ValueError(
            f"the residuals of each {summary.group} sum to 0 along {term!r}: nothing to resample"
        )
    Q = e / (a @ a)
    q = a @ Q

    def sums(W):
        """Numerators and variances of t as functions of d: A + d C over alpha + 2 beta d + gamma d^2."""
        zero = W * z - (W @ u.T) @ e
        one = W * q - (W @ Q.T) @ e
        squares = ((zero * zero).sum(axis=1), (zero * one).sum(axis=1), (one * one).sum(axis=1))
        return W @ z, W @ q, *squares

    exact = len(values) ** J <= draws
    if exact:
        half = values[: len(values) // 2]  # opposite signs give opposite t: one of each pair
        W = [np.array(list(product(half, *[values] * (J - 1))))]
    else:
        rng = np.random.default_rng(seed)
        W = (values[rng.integers(len(values), size=(count, J))] for count in chunks(draws, J))
    found = tuple(np.concatenate(part) for part in zip(*map(sums, W), strict=True))
    se = float(np.sqrt(variance * J / (J - 1)))
    at = distance if kind == "restricted" else 0.0
    A, C, alpha, beta_, gamma = found
    top, below = np.abs(A + at * C), alpha + 2 * beta_ * at + gamma * at**2
    floor = _NOTHING * (top**2 + below.max(initial=0.0))
    flat = below <= floor
    drawn = np.where(flat, np.where(top**2 > floor, np.inf, 0.0), top / np.sqrt(np.where(flat, 1.0, below)))
    drawn *= np.sqrt((J - 1) / J)
    t = distance / se
    far = _as_far(found, variance, at) if kind == "restricted" else drawn >= abs(t) * (1 - TIE)
    hits = np.count_nonzero(far)
    known = {
        "term": term, "estimate": float(estimate), "se": se, "null": float(null), "t": t,
        "pvalue": hits / len(drawn) if exact else (1 + hits) / (1 + len(drawn)),
        "draws": len(values) ** J if exact else draws, "exact": exact,
        "method": f"{kind} wild cluster bootstrap, {weights.capitalize()} weights", "_drawn": drawn,
    }  # fmt: skip
    if kind == "unrestricted":
        return BootstrapT(**known)
    return RestrictedWild(**known, _sums=found, _variance=variance)


def _as_far(sums, variance, d):
    """Which samples under the null at distance d have an abs(t) of at least the data's."""
    A, C, alpha, beta, gamma = sums
    return (A + d * C) ** 2 * variance >= d * d * (alpha + d * (2 * beta + d * gamma)) * (1 - TIE)
