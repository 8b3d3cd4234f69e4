"""The likelihood of intercepts and slopes that vary from group to group, from cross-products by group.

With V = I + Z D Z' in units of theta, a group enters by q numbers a column: the root R_g of Z_g'Z_g and
T_g = R_g'^-1 Z_g'[X_g, y_g]. What these leave of the cross-products is the same sum for every D, so
nothing is N x N and nothing is per row. A fixed column that varies stands in R_g already and is not worked on
twice. Formulas: Bates et al. (2015), section 3; Lindstrom and Bates (1988).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from scipy.linalg import lapack

from . import pair
from .sums import Groups, pairs

_SAME = 1e-12  # squared sine of the angle within a group below which two varying terms count as one
_CONSTANT = 1e-20  # and a sum of squares below this share of the whole's as none
_CHUNK = 2**13  # groups that are worked on at a time, so that they stay in the cache
_FEW = 8  # columns up to which products of two of them are kept by group


@dataclass(frozen=True, eq=False)
class Reduced:
    """What the likelihood needs of a table, in working units: J groups, q varying terms, c columns.

    Attributes
    ----------
    both : ndarray of shape (q, k, J)
        `roots` and, beside them, R'^-1 Z'C of the columns that are no varying terms.
    columns : ndarray of int, shape (c,)
        Where in ``both`` the fixed columns stand, and the outcome, last.
    left : ndarray of shape (c, c)
        Cross-products of the columns less those of `sides`, summed.
    nobs : float
        Rows.
    lengths : ndarray of shape (c,)
        What the columns were divided by.
    back : ndarray of shape (q, q)
        From effects in working units (terms centred and scaled) to those of the terms as given, but
        for the outcome's unit.
    """

    both: np.ndarray
    columns: np.ndarray
    left: np.ndarray
    nobs: float
    lengths: np.ndarray
    back: np.ndarray

    @property
    def roots(self):
        """Upper triangular R with R'R = Z'Z in each group; a row of zeros where a term adds nothing there."""
        return self.both[:, : len(self.both)]

    @property
    def sides(self):
        """R'^-1 Z'C, C being the fixed columns and the outcome last, of shape (q, c, J)."""
        return self.both[:, self.columns]

    def of_columns(self, cross):
        """Sums by pair of what is in ``both``, of shape (..., k, k), as those of the columns, (..., c, c)."""
        return cross[..., self.columns[:, None], self.columns]

    def in_both(self, W):
        """Contrasts of the columns, of shape (..., c), as contrasts of what is in ``both``, (..., k)."""
        wide = np.zeros((*W.shape[:-1], self.both.shape[1]))
        wide[..., self.columns] = W
        return wide

    @cached_property
    def average(self):
        """Mean of Z'Z over the groups, of shape (q, q)."""
        return np.einsum("kaj,kbj->ab", self.roots, self.roots) / self.roots.shape[-1]

    @cached_property
    def ranks(self):
        """How many of the varying terms each group can tell apart."""
        return (np.diagonal(self.roots) > 0).sum(axis=-1)


def of_products(ZZ, ZC, CC, nobs):
    """Reduce cross-products by group of any varying terms, with or without a constant.

    Parameters
    ----------
    ZZ : ndarray of shape (J, q, q)
    ZC : ndarray of shape (J, q, c)
        Of the varying terms with the fixed columns and the outcome, last.
    CC : ndarray of shape (c, c)
        Of the columns, over all rows.
    nobs : int

    Returns
    -------
    Reduced
    """
    lengths, unit = np.sqrt(CC.diagonal() / nobs), np.sqrt(np.einsum("jaa->a", ZZ) / nobs)
    A = np.moveaxis(np.concatenate([ZZ, ZC], axis=2), 0, -1)
    A = A / (unit[:, None] * np.append(unit, lengths))[..., None]
    both = triangular(A, _CONSTANT * nobs)
    sides = both[:, len(unit) :]
    left = CC / (lengths[:, None] * lengths) - np.einsum("kaj,kbj->ab", sides, sides)
    columns = np.arange(len(unit), both.shape[1])
    return Reduced(both, columns, left, nobs, lengths, np.diag(1 / unit))


def of_summary(summary, places, fixed):
    """Reduce a `GroupSummary`, with the constant as the first varying term.

    Parameters
    ----------
    summary : GroupSummary
        Of all terms, fixed or varying; of those that are not fixed nothing was taken off the outcome.
    places : sequence of int
        Where among the terms those stand whose slopes vary.
    fixed : ndarray of bool, shape (p,)
        Which terms are fixed effects.

    Returns
    -------
    reduced : Reduced
    kept : GroupSummary
        Of the fixed terms alone.
    """
    kept = summary if fixed.all() else summary.keeping(fixed)
    q, places = 1 + len(places), list(places)
    stay = [*(k for k, own in enumerate(fixed.tolist()) if own), len(fixed)]
    known = [] if kept.intercept is None else [summary.intercept, *places]  # else fixed ones are not centred
    others = [place for place in stay if place not in known]  # the outcome last
    beside = [*places, *others]  # what stands beside the constant
    centre = summary.centre[beside]
    if not known:
        centre[q - 1 :] = 0.0
    away = summary.means.T[beside] - centre[:, None]
    about = (summary.within.diagonal()[beside] + away**2 @ summary.sizes) / summary.nobs
    unit = np.sqrt(np.where(about > 0, about, 1.0))[:, None]
    both = np.zeros((q, q + len(others), summary.ngroups))
    both[0, 0] = root = np.sqrt(summary.sizes)
    np.multiply(away, root / unit, out=both[0, 1:])
    slope = {place: k for k, place in enumerate(k for k in range(len(fixed)) if k != summary.intercept)}
    rows, every = [slope[place] for place in places], [slope.get(place, -1) for place in beside]
    inside = both[1:, 1:]  # cross-products within the groups, of the terms that vary
    inside[...] = summary.products[:, rows][:, :, every].transpose(1, 2, 0)
    inside /= unit[: q - 1, None] * unit
    sides = triangular(inside, _CONSTANT * summary.nobs)[:, q - 1 :]
    columns = np.array([known.index(place) if place in known else q + others.index(place) for place in stay])
    lengths = np.concatenate([[1.0], unit[:, 0]])[columns]
    left, own = kept.within / (lengths[:, None] * lengths), np.flatnonzero(columns >= q)
    left[own[:, None], own] -= (sides @ sides.swapaxes(1, 2)).sum(axis=0)
    still = [k for k, place in enumerate(stay) if place in places or place in known]
    left[still] = left[:, still] = 0.0  # a varying term leaves nothing of itself
    back = np.eye(q)
    back[1:] /= unit[: q - 1]
    back[0, 1:] = -(summary.shift + summary.centre)[places] / unit[: q - 1, 0]
    return Reduced(both, columns, left, summary.nobs, lengths, back), kept


def triangular(A, least, whole=None):
    """Roots R, R'R = S, by Cholesky and beside them R'^-1 B, of A = [S, B]; zeros where S has lost its rank.

    Parameters
    ----------
    A : ndarray of shape (m, m + c, J)
        What is returned takes its place.
    least : float
        What a pivot must exceed.
    whole : ndarray of shape (m, J), optional
        What it must also exceed a small share of; else the diagonal of S.
    """
    m = len(A)
    least = np.maximum(_SAME * (np.einsum("kkj->kj", A[:, :m]) if whole is None else whole), least)
    for k in range(m):
        pivot = A[k, k]
        known = pivot > least[k]
        A[k, k:] *= known / np.sqrt(np.where(known, pivot, 1.0))
        if k + 1 < m:
            A[k + 1 :, k + 1 :] -= A[k, k + 1 : m, None] * A[k, k + 1 :]
            A[k + 1 :, k] = 0.0
    return A


def inverse_root(A):
    """Lower triangular W with W A W' = I; by LAPACK itself, for numpy takes longer to call it than it takes.

    Raises
    ------
    LinAlgError
        If A is not positive definite.
    """
    root, off = lapack.dpotrf(A, lower=1)
    if off:
        raise np.linalg.LinAlgError("not positive definite")
    return lapack.dtrtri(root, lower=1)[0]


class Sums(NamedTuple):
    """Sums over the groups at one D (or several, leading axes), with H = Z'V^-1 Z and F = Z'V^-1 C.

    ``log_det`` of V; ``cross`` C'V^-1 C; ``H`` (q, q); ``HH`` (q, q, q, q) of H_ab H_cd; ``FF`` (q, c, q, c)
    of F_ax F_by; ``HFF`` (q, q, q, c, q, c) of H_ab F_cx F_dy. The last four are None if not asked for.
    """

    log_det: np.ndarray
    cross: np.ndarray
    H: np.ndarray | None = None
    HH: np.ndarray | None = None
    FF: np.ndarray | None = None
    HFF: np.ndarray | None = None


class Expansion(NamedTuple):
    """The criterion at one D (or several) to second order in D, and what inference needs besides.

    ``value``; ``gradient`` (q, q), symmetric, with change tr(gradient dD); ``hessian`` (q, q, q, q), to be
    applied to symmetric changes; ``score`` (q, q), minus the derivative of log rss times the degrees;
    ``rss``; ``cross`` and ``FF`` as in `Sums`. To first order ``hessian`` and ``score`` are None.
    """

    value: np.ndarray
    gradient: np.ndarray
    hessian: np.ndarray | None
    score: np.ndarray | None
    rss: np.ndarray
    cross: np.ndarray
    FF: np.ndarray


class Gls(NamedTuple):
    """Generalised least squares at one D, at theta = 1, in working units."""

    root: np.ndarray  # lower triangular, root'root = (X'V^-1 X)^-1
    beta: np.ndarray
    rss: np.ndarray


@lru_cache
def _turn(q):
    """Where H_ab (c, d), flat, with the pair a, b as in `sums.pairs`, stands for the entry (bc, da)."""
    a, b, c, d = np.indices((q, q, q, q))
    place = pairs(q)[2][a, b] * q * q + c * q + d
    return place.transpose(1, 2, 3, 0).reshape(q * q, q * q)


class Likelihood:
    """Minus twice the profile log likelihood of a `Reduced` table as a function of D = Psi / theta.

    Parameters
    ----------
    reduced : Reduced
    method : {"reml", "ml"}
    """

    def __init__(self, reduced, method="reml"):
        self.reduced, self.reml = reduced, method == "reml"
        self.c = len(reduced.left)
        self.degrees = reduced.nobs - (self.c - 1 if self.reml else 0)

    @cached_property
    def constant(self):
        """What of the criterion depends on no D."""
        *x, y = np.log(self.reduced.lengths).tolist()
        return self.degrees * (1 + np.log(2 * np.pi / self.degrees) + 2 * y) + 2 * sum(x) * self.reml

    @cached_property
    def of_pivots(self):
        """By how much the logarithm of each pivot of C'V^-1 C counts."""
        return np.append(np.full(self.c - 1, 2.0 * self.reml), 2 * self.degrees)

    @cached_property
    def chunks(self):
        """The groups, so many at a time."""
        both = self.reduced.both
        q, k, J = both.shape
        of = pair.Groups if q == 2 and k <= _FEW and J <= _CHUNK else Groups
        return [of(both[..., start : start + _CHUNK]) for start in range(0, J, _CHUNK)]

    def _totals(self, D, order):
        """Sums over all groups, as `sums.Groups.sums` has them."""
        parts = [groups.sums(D, order) for groups in self.chunks]
        return parts[0] if len(parts) == 1 else tuple(map(sum, zip(*parts, strict=True)))

    def sums(self, D, order=2):
        """Return the `Sums` at D, of shape (..., q, q); with order 0 only those of the value itself."""
        log_det, cross, *FF = self._totals(D, order)
        of_columns = self.reduced.of_columns(cross) + self.reduced.left
        if not order:
            return Sums(log_det, of_columns)
        q, k, columns = D.shape[-1], cross.shape[-1], self.reduced.columns
        FF = FF[0].reshape(*D.shape[:-2], -1, q, k, q, k)
        HH = FF[..., 0, :, :q, :, :q]
        FF = FF.take(columns, axis=-3).take(columns, axis=-1)
        HFF = FF[..., 1 + pairs(q)[2], :, :, :, :]
        return Sums(log_det, of_columns, cross[..., :q, :q], HH, FF[..., 0, :, :, :, :], HFF)

    def gls(self, cross):
        """Return the `Gls` that cross-products in V^-1 give."""
        W = inverse_root(cross)
        return Gls(W[:-1, :-1], W[-1, :-1] / -W[-1, -1], W[-1, -1] ** -2)

    def value(self, log_det, root):
        """R's REMLcrit, or -2 log likelihood under ML, from log |V| and the root of C'V^-1 C."""
        pivots = np.log(np.diagonal(root, axis1=-2, axis2=-1))
        return self.constant + log_det + pivots @ self.of_pivots

    def criterion(self, D):
        """The criterion at D, of shape (..., q, q)."""
        sums = self.sums(D, 0)
        return self.value(sums.log_det, np.linalg.cholesky(sums.cross))

    def expand(self, D, theta=None, order=2):
        """Return the `Expansion` of the criterion at D, of shape (..., q, q), to this order.

        With a theta (in working units, one for each D) that of minus twice the log likelihood at this theta,
        where it would be profiled out; ``score`` is then minus the derivative of rss / theta.

        With G = Z'V^-1 X, u = Z'V^-1 r and A = (X'V^-1 X)^-1 the derivatives of log |V|, log |X'V^-1 X| and
        rss along dD are sums of tr(H dD), -tr(A G'dD G) and -u'dD u, and so on once more.
        """
        log_det, cross, FF = self._totals(D, order)
        q, k, p, nu, lead = D.shape[-1], cross.shape[-1], self.c - 1, self.degrees, D.shape[:-2]
        H, cross = cross[..., :q, :q], self.reduced.of_columns(cross) + self.reduced.left
        root = np.linalg.cholesky(cross)
        value, rss = self.value(log_det, root), root[..., p, p] ** 2
        if theta is not None:
            off = rss / theta / nu
            value = value + nu * (off - 1 - np.log(off))
        W = self.reduced.in_both(np.linalg.inv(root))  # the last row makes residuals of unit length
        W[..., p, :] *= np.sqrt(nu if theta is None else rss / theta)[..., None]
        own = W if self.reml else W[..., p:, :]
        weight = (own.swapaxes(-1, -2) @ own).reshape(*lead, k * k, 1)
        weighted = FF.reshape(*lead, -1, q, k, q, k).swapaxes(-3, -2).reshape(*lead, -1, k * k) @ weight
        weighted = weighted.reshape(*lead, -1, q * q)
        gradient = H - weighted[..., 0, :].reshape(H.shape)
        FF = FF[..., : q * k, :].reshape(*lead, q, k, q, k)
        if order == 1:
            return Expansion(value, gradient, None, None, rss, cross, FF)
        one, other, _ = pairs(q)
        HH = FF[..., :q, :, :q][..., one, other, :, :].reshape(*lead, -1, q * q)
        inner = (2 * weighted[..., 1:, :] - HH).reshape(*lead, -1)
        EE = W[..., None, :, :] @ FF.reshape(*lead, q, k, q * k)
        EE = EE.reshape(*lead, -1, k) @ W.swapaxes(-1, -2)
        EE = EE.reshape(*lead, q, p + 1, q, p + 1).swapaxes(-3, -2)
        turned = EE.reshape(*lead, q * q, -1)
        share = np.ones((p + 1, p + 1))
        share[:p, :p], share[p, p] = self.reml, 1 / nu if theta is None else 0.0
        hessian = inner[..., _turn(q)] - turned * share.ravel() @ turned.swapaxes(-1, -2)
        return Expansion(value, gradient, hessian.reshape(*lead, q, q, q, q), EE[..., p, p], rss, cross, FF)
