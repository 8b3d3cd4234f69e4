"""Small samples with two groupings: Kenward-Roger, Satterthwaite, errors of variances and of group effects.

The variances are (outer, inner, theta), with G_s = Z_s Z_s' and, of theta, I = V - g_1 G_1 - g_2 G_2: what
theta needs follows from V and the others, so that nothing is N x N and Kenward and Roger's adjustment costs
no more than a step of the search. All is in units of theta and in working units of the columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_RANK = 1e-12
_COLLAPSED = (
    1 / 3
)  # of the groups left: balanced and crossed, with no variance between, it is 1/2 or little less


@dataclass(frozen=True)
class Information:
    """What coefficients and variances know of each other, at theta = 1; the last variance is theta.

    ``P`` (3, p, p) has the derivatives of X'V^-1 X, ``Q`` (3, 3, p, p) X'V^-1 G_i V^-1 G_j V^-1 X;
    ``expected`` and ``marginal`` are twice the expected REML and ML information.
    """

    P: np.ndarray
    Q: np.ndarray
    expected: np.ndarray
    marginal: np.ndarray

    def spread(self, reml=True, keep=(True, True, True)):
        """Covariance of the estimated variances, those not kept being known; NaN if it does not exist."""
        keep = np.flatnonzero(keep)
        known = (self.expected if reml else self.marginal)[np.ix_(keep, keep)]
        unit = 1 / np.sqrt(np.where(known.diagonal() > 0, known.diagonal(), np.nan))
        scaled = known * unit[:, None] * unit
        found = np.full((3, 3), np.nan)
        if np.isfinite(scaled).all() and np.linalg.eigvalsh(scaled)[0] > 1e-12:
            found[np.ix_(keep, keep)] = 2 * np.linalg.inv(scaled) * unit[:, None] * unit
        return found


def information(point):
    """Return the `Information` at a `likelihood.Point`."""
    p = point.of.p
    XX, FF, FHF = point.cross[:p, :p], point.FF[:, :p, :p], point.FHF[:, :, :p, :p]
    P, Q, trace = np.empty((3, p, p)), np.empty((3, 3, p, p)), np.empty((3, 3))
    P[:2], P[2] = -FF, -XX  # at first with V in the place of theta's I
    Q[:2, :2], Q[2], Q[:, 2] = FHF, -P, -P
    trace[:2, :2], trace[2, :2], trace[:2, 2] = point.traces, point.trace, point.trace
    trace[2, 2] = point.of.nobs
    change = np.eye(3)
    change[2, :2] = -point.ratios
    P = np.einsum("st,txy->sxy", change, P)
    Q = np.einsum("su,tv,uvxy->stxy", change, change, Q)
    trace = change @ trace @ change.T
    turned = point.cov @ P
    expected = trace - 2 * np.einsum("xy,styx->st", point.cov, Q) + np.einsum("sxy,tyx->st", turned, turned)
    return Information(P, Q, expected, trace)


def kenward_roger(point, contrasts):
    """Kenward and Roger's (1997) adjustment for all three estimated variances.

    Parameters
    ----------
    point : likelihood.Point
        Where the restricted likelihood is highest.
    contrasts : ndarray of shape (k, p)
        Of the coefficients of the columns in working units.

    Returns
    -------
    cov : ndarray of shape (p, p)
        Adjusted covariance of these coefficients, over theta; NaN where it is not defined.
    df : ndarray of shape (k,)
    """
    known = information(point)
    cov, P, spread = point.cov, known.P, known.spread()
    bias = np.einsum("st,stxy->xy", spread, known.Q - np.einsum("sxu,uv,tvy->stxy", P, cov, P, optimize=True))
    change = np.einsum("kx,sxy,ky->ks", contrasts @ cov, P, contrasts @ cov)
    change /= np.einsum("kx,xy,ky->k", contrasts, cov, contrasts)[:, None]
    return cov + cov @ (bias + bias.T) @ cov, 2 / np.einsum("ks,st,kt->k", change, spread, change)


def bounded(point, df):
    """Kenward and Roger's df, and what to take where they collapse.

    Where a variance is estimated as 0 and one group holds most rows their first-order expansion breaks down,
    and gives df near 0. Below a third of the groups left, of the grouping that leaves fewer, or below 1, that
    number takes their place: as for one grouping (`small_samples.bounded_kenward_roger`, there below a half).

    Parameters
    ----------
    point : likelihood.Point
    df : ndarray

    Returns
    -------
    df : ndarray
    bounded : bool
        Whether any was replaced.
    """
    left = min(groups_left(point.of.groupings))
    low = ~(df >= max(_COLLAPSED * left, 1 - 1e-9))
    return np.where(low, float(left), df), bool(low.any())


def groups_left(groupings):
    """Groups less the coefficients on their level or above, of the outer and the inner grouping."""
    rows, counts = groupings.rows, groupings.counts
    p = len(rows.terms)
    sums = groupings.moved + counts @ rows.centred_means()
    whole = rows.about_centre()
    scale = np.sqrt(np.where(whole.diagonal() > 0, whole.diagonal(), 1.0))[:p]
    found = []
    within_outer = whole - sums.T @ (sums / counts.sum(axis=1)[:, None])
    for within, groups in ((within_outer, counts.shape[0]), (rows.within, counts.shape[1])):
        unit = within[:p, :p] / scale / scale[:, None]
        found.append(groups - p + int(np.linalg.matrix_rank(unit, tol=_RANK, hermitian=True)))
    return found


def satterthwaite(point, contrasts):
    """Satterthwaite's degrees of freedom, from the observed REML information (what lmerTest finds by steps).

    On the boundary the information is that of the face: what is estimated as 0 stays 0.

    Parameters
    ----------
    point, contrasts
        As for `kenward_roger`.

    Returns
    -------
    ndarray of shape (k,)

    Raises
    ------
    ValueError
        If the likelihood is not curved at its maximum.
    """
    p, nu, score = point.of.p, point.of.degrees, point.score
    observed = np.empty((3, 3))
    observed[:2, :2] = point.hessian + np.outer(score, score) / nu
    observed[2, :2] = observed[:2, 2] = score
    observed[2, 2] = nu  # the last parameter is log theta
    keep = np.append(point.ratios > 0, True)
    observed = observed[np.ix_(keep, keep)]
    unit = np.sqrt(np.where(observed.diagonal() > 0, observed.diagonal(), 1.0))
    values, vectors = np.linalg.eigh(observed / unit[:, None] / unit)
    if values[0] <= 1e-12:
        raise ValueError(
            "Satterthwaite's degrees of freedom are not defined here: the likelihood is not curved at its "
            'maximum; use with_df("kenward-roger") or "residual"'
        )
    along = contrasts @ point.cov
    change = np.einsum("kx,sxy,ky->ks", along, point.FF[:, :p, :p], along)
    change /= np.einsum("kx,kx->k", along, contrasts)[:, None]
    change = np.column_stack([change, np.ones(len(contrasts))])[:, keep]
    return 1 / np.sum((change @ (vectors / np.sqrt(values) / unit[:, None])) ** 2, axis=1)


def predicted(point, contrast, effects, new_rows):
    """Squared error over theta, and Satterthwaite's df, of a mean in groups not yet seen.

    Parameters
    ----------
    point : likelihood.Point
    contrast : ndarray of shape (p,)
        Of the coefficients in working units.
    effects : ndarray of shape (2,)
        Whether the outer and the inner group are new.
    new_rows : int
        Whether the error of a row comes on top.

    Returns
    -------
    mse, df : float
    """
    known, along = information(point), point.cov @ contrast
    mse = float(contrast @ along + effects @ point.ratios + new_rows)
    change = -np.einsum("x,sxy,y->s", along, known.P, along) + np.append(effects, new_rows)
    return mse, float(2 * mse**2 / (change @ known.spread() @ change))


def group_effects(point, contrast=None):
    """Best linear unbiased predictions of the effects of outer and inner groups, and their errors.

    Parameters
    ----------
    point : likelihood.Point
    contrast : ndarray of shape (p,), optional
        Of the coefficients in working units: a fixed part whose error counts. With it the effect of an inner
        group that is nested has that of its outer group added.

    Returns
    -------
    list of two tuples of ndarray
        Of the outer and the inner groups: predicted effects; their squared errors, which count those of the
        coefficients (Searle et al. 1992, chapter 7), and those given the coefficients, over theta.
    """
    of, p = point.of, point.of.p
    B = of.counts.multiply(point.left[None, :]).tocsr()
    g, h = point.ratios
    away = [g * point.F[0], h * point.F[1]]
    inner = of.n * point.left - g * point.factor.within_columns(B)
    conditional = [g * point.factor.diagonal, h * (1 - h * inner)]
    if contrast is not None and of.groupings.nested:
        owner = of.outer.outer_of
        away[1] = away[1] + away[0][owner]
        across = point.factor.diagonal[owner] * of.n * point.left  # Z_1'V^-1 Z_2, of an inner and its outer
        conditional[1] = conditional[1] + conditional[0][owner] - 2 * g * h * across
    found = []
    for part, known in zip(away, conditional, strict=True):
        known = np.maximum(known, 0.0)
        left = (np.zeros(p) if contrast is None else contrast) - part[:, :p]
        spread = np.einsum("jx,xy,jy->j", left, point.cov, left, optimize=True)
        found.append((part @ point.residual, known + spread, known))
    return found
