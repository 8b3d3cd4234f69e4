"""The likelihood of intercepts and slopes that vary from group to group, from cross-products by group.

With V = I + Z D Z' in units of theta, a group enters by q numbers a column: the root R_g of Z_g'Z_g and
T_g = R_g'^-1 Z_g'[X_g, y_g]. What these leave of the cross-products is the same sum for every D, so
nothing is N x N and nothing is per row. Formulas: Bates et al. (2015), section 3; Lindstrom and Bates (1988).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np

_SAME = 1e-12  # squared sine of the angle within a group below which two varying terms count as one
_CONSTANT = 1e-20  # and a sum of squares below this share of the whole's as none
_CHUNK = 2**13  # groups that are worked on at a time, so that they stay in the cache


@dataclass(frozen=True, eq=False)
class Reduced:
    """What the likelihood needs of a table, in working units: J groups, q varying terms, c columns.

    Attributes
    ----------
    roots : ndarray of shape (q, q, J)
        Upper triangular R with R'R = Z'Z in each group; a row of zeros where a term adds nothing there.
    sides : ndarray of shape (q, c, J)
        R'^-1 Z'C, C being the fixed columns and the outcome last.
    left : ndarray of shape (c, c)
        Cross-products of the columns less those of ``sides``, summed.
    nobs : float
        Rows.
    lengths : ndarray of shape (c,)
        What the columns were divided by.
    back : ndarray of shape (q, q)
        From effects in working units (terms centred and scaled) to those of the terms as given, but
        for the outcome's unit.
    """

    roots: np.ndarray
    sides: np.ndarray
    left: np.ndarray
    nobs: float
    lengths: np.ndarray
    back: np.ndarray

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
    lengths, unit = np.sqrt(CC.diagonal()), np.sqrt(np.einsum("jaa->a", ZZ) / nobs)
    S = np.moveaxis(ZZ, 0, -1) / (unit[:, None] * unit)[..., None]
    B = np.moveaxis(ZC, 0, -1) / (unit[:, None] * lengths)[..., None]
    roots, sides = triangular(S, B, np.full(len(unit), _CONSTANT * nobs))
    left = CC / (lengths[:, None] * lengths) - np.einsum("kaj,kbj->ab", sides, sides)
    return Reduced(roots, sides, left, nobs, lengths, np.diag(1 / unit))


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
    n, places = summary.sizes, list(places)
    J, q, c = summary.ngroups, 1 + len(places), len(kept.terms) + 1
    columns = kept.centred_means()
    about = kept.about_centre().diagonal()
    lengths = np.sqrt(np.where(about > 0, about, 1.0))
    away = summary.means[:, places] - summary.centre[places]
    unit = np.sqrt((summary.within.diagonal()[places] + n @ away**2) / summary.nobs)
    varying = [place for place in range(len(summary.terms)) if place != summary.intercept]
    rows, own = [varying.index(place) for place in places], [k for k, v in enumerate(varying) if fixed[v]]
    products = summary.products[:, rows].transpose(1, 2, 0) / unit[:, None, None]
    S = products[:, rows] / unit[:, None]
    B = np.zeros((q - 1, c, J))
    columns_of = [k for k in range(c) if k != kept.intercept]
    B[:, columns_of] = products[:, [*own, -1]]
    B /= lengths[:, None]
    roots, sides = np.zeros((q, q, J)), np.empty((q, c, J))
    roots[0, 0] = root = np.sqrt(n)
    np.multiply(away.T / unit[:, None], root, out=roots[0, 1:])
    np.multiply(columns.T / lengths[:, None], root, out=sides[0])
    roots[1:, 1:], sides[1:] = triangular(S, B, np.full(q - 1, _CONSTANT * summary.nobs))
    left = kept.within / (lengths[:, None] * lengths) - (sides[1:] @ sides[1:].swapaxes(1, 2)).sum(axis=0)
    of_effects = [k for k, place in enumerate(np.flatnonzero(fixed).tolist()) if place in places]
    left[of_effects] = left[:, of_effects] = 0.0  # a varying term leaves nothing of itself
    back = np.diag([1.0, *(1 / unit)])
    back[0, 1:] = -(summary.shift + summary.centre)[places] / unit
    return Reduced(roots, sides, left, summary.nobs, lengths, back), kept


def triangular(S, B, least, whole=None):
    """Roots R of S (q, q, J), R'R = S, by Cholesky, and R'^-1 B; zeros where S has lost its rank."""
    S, B, whole = S.copy(), B.copy(), np.diagonal(S).T.copy() if whole is None else whole
    R, T = np.zeros_like(S), np.empty_like(B)
    for k in range(len(S)):
        known = S[k, k] > np.maximum(_SAME * whole[k], least[k])
        inverse = known / np.sqrt(np.where(known, S[k, k], 1.0))
        R[k, k:], T[k] = S[k, k:] * inverse, B[k] * inverse
        S[k + 1 :, k + 1 :] -= R[k, k + 1 :, None] * R[k, k + 1 :]
        B[k + 1 :] -= R[k, k + 1 :, None] * T[k]
    return R, T


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
    ``rss``.
    """

    value: np.ndarray
    gradient: np.ndarray
    hessian: np.ndarray
    score: np.ndarray
    rss: np.ndarray


class Gls(NamedTuple):
    """Generalised least squares at one D (or several), at theta = 1, in working units."""

    root: np.ndarray  # lower triangular, root'root = (X'V^-1 X)^-1
    beta: np.ndarray
    rss: np.ndarray


@lru_cache
def _pairs(q):
    """Places of a symmetric matrix that differ: rows, columns, and which of them each entry is."""
    i, k = np.triu_indices(q)
    which = np.zeros((q, q), dtype=int)
    which[i, k] = which[k, i] = np.arange(len(i))
    return i, k, which


@lru_cache
def _flat(q):
    """Which of `_pairs` each entry of a flat matrix is; where H_ab (c, d) stands for the entry (bc, da)."""
    which = _pairs(q)[2]
    a, b, c, d = np.indices((q, q, q, q))
    place = which[a, b] * q * q + c * q + d
    return which.ravel(), place.transpose(1, 2, 3, 0).reshape(q * q, q * q)


class Likelihood:
    """Minus twice the profile log likelihood of a `Reduced` table as a function of D = Psi / theta.

    Parameters
    ----------
    reduced : Reduced
    method : {"reml", "ml"}
    """

    def __init__(self, reduced, method="reml"):
        self.reml = method == "reml"
        self.c = len(reduced.left)
        self.degrees = reduced.nobs - (self.c - 1 if self.reml else 0)
        self._both, q = np.concatenate([reduced.roots, reduced.sides], axis=1), len(reduced.roots)
        self.reduced = replace(reduced, roots=self._both[:, :q], sides=self._both[:, q:])  # in memory once
        self._chunks = [
            self._both[..., start : start + _CHUNK] for start in range(0, self._both.shape[-1], _CHUNK)
        ]
        self._of_pivots = np.full(self.c, 2.0 * self.reml)
        self._of_pivots[-1] = 2 * self.degrees
        y, x = np.log(reduced.lengths[-1]), np.log(reduced.lengths[:-1]).sum()
        self.constant = self.degrees * (1 + np.log(2 * np.pi / self.degrees) + 2 * y) + 2 * x * self.reml

    def _totals(self, D, order):
        """Sums over the groups as `_of_groups` has them, with what is left added to the cross-products."""
        parts = [self._of_groups(D, both, order) for both in self._chunks]
        log_det, cross, *others = parts[0] if len(parts) == 1 else map(sum, zip(*parts, strict=True))
        return log_det, cross + self.reduced.left, *others

    def sums(self, D, order=2):
        """Return the `Sums` at D, of shape (..., q, q); with order 0 only those of the value itself."""
        log_det, cross, *others = self._totals(D, order)
        if not order:
            return Sums(log_det, cross)
        H, HH, FF = others
        q, c, (_, _, which) = D.shape[-1], self.c, _pairs(D.shape[-1])
        FF = FF.reshape(*D.shape[:-2], -1, q, c, q, c)
        HFF = FF[..., 1 + which, :, :, :, :]
        return Sums(log_det, cross, H[..., which], HH[..., which, :][..., which], FF[..., 0, :, :, :, :], HFF)

    def whitened(self, D, both, start=0):
        """M^-1/2 [R, T] by group, M = I + R D R', and the log determinants of M; Cholesky, group by group.

        ``start`` leaves out the first columns.
        """
        q = D.shape[-1]
        R, both = both[:, :q], both[:, start:]
        RD = D[..., None, :, :] @ R
        M = [[None] * q for _ in range(q)]
        white, det = np.empty((*D.shape[:-2], *both.shape)), 1.0
        for k in range(q):
            for i in range(k, q):
                entry = RD[..., i, k, :] * R[k, k]
                for a in range(k + 1, q):
                    entry += RD[..., i, a, :] * R[k, a]
                for m in range(k):
                    entry -= M[i][m] * M[k][m]
                if i == k:
                    entry += 1.0
                    det = det * entry
                    root = np.sqrt(entry)
                else:
                    entry /= root
                M[i][k] = entry
            row = both[k]
            for m in range(k):
                row = row - M[k][m][..., None, :] * white[..., m, :, :]
            np.divide(row, root[..., None, :], out=white[..., k, :, :])
        return white, np.log(det)

    def by_group(self, D, both):
        """H and F of each group, side by side, of shape (..., q, q + c, J)."""
        white, log_det = self.whitened(D, both)
        q = D.shape[-1]
        return np.einsum("...kaj,...kbj->...abj", white[..., :q, :], white), white, log_det

    def _of_groups(self, D, both, order):
        q = D.shape[-1]
        if not order:
            T, log_det = self.whitened(D, both, q)
        else:
            HF, white, log_det = self.by_group(D, both)
            T = white[..., q:, :]
        value = log_det.sum(axis=-1), (T @ T.swapaxes(-1, -2)).sum(axis=-3)
        if not order:
            return value
        i, k, _ = _pairs(q)
        lead, J = D.shape[:-2], HF.shape[-1]
        H = HF[..., i, k, :]
        F = HF[..., q:, :].reshape(*lead, q * self.c, J)
        FHF = np.empty((*lead, 1 + len(i), q * self.c, J))
        FHF[..., 0, :, :] = F
        np.multiply(H[..., :, None, :], F[..., None, :, :], out=FHF[..., 1:, :, :])
        FF = FHF.reshape(*lead, -1, J) @ F.swapaxes(-1, -2)
        return *value, H.sum(axis=-1), H @ H.swapaxes(-1, -2), FF

    def gls(self, cross):
        """Return the `Gls` that cross-products in V^-1 give."""
        W = np.linalg.inv(np.linalg.cholesky(cross))
        return Gls(W[..., :-1, :-1], -W[..., -1, :-1] / W[..., -1, -1:], W[..., -1, -1] ** -2)

    def _value(self, log_det, root):
        """R's REMLcrit, or -2 log likelihood under ML, from log |V| and the root of C'V^-1 C."""
        pivots = np.log(np.diagonal(root, axis1=-2, axis2=-1))
        return self.constant + log_det + pivots @ self._of_pivots

    def criterion(self, D):
        """The criterion at D, of shape (..., q, q)."""
        log_det, cross = self._totals(D, 0)
        return self._value(log_det, np.linalg.cholesky(cross))

    def expand(self, D, theta=None):
        """Return the `Expansion` of the criterion at D, of shape (..., q, q).

        With a theta (in working units, one for each D) that of minus twice the log likelihood at this theta,
        where it would be profiled out; ``score`` is then minus the derivative of rss / theta.

        With G = Z'V^-1 X, u = Z'V^-1 r and A = (X'V^-1 X)^-1 the derivatives of log |V|, log |X'V^-1 X| and
        rss along dD are sums of tr(H dD), -tr(A G'dD G) and -u'dD u, and so on once more.
        """
        log_det, cross, H, HH, FF = self._totals(D, 2)
        q, c, p, nu, lead = D.shape[-1], self.c, self.c - 1, self.degrees, D.shape[:-2]
        which, turn = _flat(q)
        root = np.linalg.cholesky(cross)
        W = np.linalg.inv(root)  # its last row turns columns into residuals of unit length
        value, rss = self._value(log_det, root), root[..., p, p] ** 2
        W[..., p, :] *= np.sqrt(nu if theta is None else rss / theta)[..., None]
        own = W if self.reml else W[..., p:, :]
        weight = (own.swapaxes(-1, -2) @ own).reshape(*lead, c * c, 1)
        weighted = FF.reshape(*lead, -1, q, c, q, c).swapaxes(-3, -2).reshape(*lead, -1, c * c) @ weight
        weighted = weighted.reshape(*lead, -1, q * q)
        gradient = H[..., which] - weighted[..., 0, :]
        inner = (2 * weighted[..., 1:, :] - HH[..., which]).reshape(*lead, -1)
        EE = W[..., None, :, :] @ FF[..., : q * c, :].reshape(*lead, q, c, q * c)
        EE = EE.reshape(*lead, -1, c) @ W.swapaxes(-1, -2)
        EE = EE.reshape(*lead, q, c, q, c).swapaxes(-3, -2)
        turned = EE.reshape(*lead, q * q, c * c)
        share = np.ones((c, c))
        share[:p, :p], share[p, p] = self.reml, 1 / nu if theta is None else 0.0
        hessian = inner[..., turn] - turned * share.ravel() @ turned.swapaxes(-1, -2)
        if theta is not None:
            off = rss / theta / nu
            value = value + nu * (off - 1 - np.log(off))
        square = (*lead, q, q)
        return Expansion(value, gradient.reshape(square), hessian.reshape(*square, q, q), EE[..., p, p], rss)
