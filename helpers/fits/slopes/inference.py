"""Small samples where slopes vary: Kenward-Roger, Satterthwaite, errors of variances and of group effects.

Blockwise, from sums over the groups (`likelihood.Sums`). The variance parameters are the entries of Psi, each
with its G_s = Z E_s Z', and theta, whose G is I = V - sum D_s G_s: what theta needs follows from V and the
others. Everything is in units of theta and in working units of the columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .search import in_factor
from .sums import pairs


@dataclass(frozen=True, eq=False)
class Solution:
    """A maximum and what generalised least squares says there.

    Attributes
    ----------
    likelihood : likelihood.Likelihood
    top : search.Maximum
    """

    likelihood: object
    top: object

    @property
    def D(self):
        """Covariance of the effects over theta, in working units."""
        return self.top.D

    @cached_property
    def sums(self):
        """The `likelihood.Sums` at D."""
        return self.likelihood.sums(self.D)

    @cached_property
    def gls(self):
        """The `likelihood.Gls` at D."""
        known = self.top.cross
        return self.likelihood.gls(self.likelihood.sums(self.D, 0).cross if known is None else known)

    @cached_property
    def cov(self):
        """(X'V^-1 X)^-1 at theta = 1."""
        return self.gls.root.T @ self.gls.root

    @property
    def residual(self):
        """Turns columns into residuals."""
        return np.append(-self.gls.beta, 1.0)

    @property
    def theta(self):
        """Variance within, in units of the squared length of the outcome."""
        return float(self.gls.rss / self.likelihood.degrees)

    @cached_property
    def information(self):
        """The `Information` at D."""
        return _information(self)


@dataclass(frozen=True)
class Information:
    """What coefficients and variances know of each other, at theta = 1; the last variance is theta.

    ``cov`` is (X'V^-1 X)^-1, ``P`` (m + 1, p, p) the derivatives of its inverse, ``Q`` those X'V^-1 G_i V^-1
    G_j V^-1 X; ``expected`` and ``marginal`` twice the expected REML and ML information.
    """

    cov: np.ndarray
    P: np.ndarray
    Q: np.ndarray
    expected: np.ndarray
    marginal: np.ndarray

    def spread(self, reml=True):
        """Covariance of the variances' estimates; NaN where the information has no inverse."""
        known = self.expected if reml else self.marginal
        unit = 1 / np.sqrt(np.where(known.diagonal() > 0, known.diagonal(), np.nan))
        scaled = known * unit[:, None] * unit
        if not np.isfinite(scaled).all() or np.linalg.eigvalsh(scaled)[0] < 1e-12:
            return np.full_like(known, np.nan)
        return 2 * np.linalg.inv(scaled) * unit[:, None] * unit


def basis(q):
    """Symmetric matrices E_s (m, q, q): times the entries of an upper triangle they are the matrix."""
    i, k, _ = pairs(q)
    E = np.zeros((len(i), q, q))
    E[np.arange(len(i)), i, k] = E[np.arange(len(i)), k, i] = 1.0
    return E


def _information(solution):
    sums, cov, D = solution.sums, solution.cov, solution.D
    q, p = len(D), len(cov)
    E = basis(q)
    m = len(E)
    XX, FX = sums.cross[:p, :p], sums.FF[:, :p, :, :p]
    P, Q, trace = np.empty((m + 1, p, p)), np.empty((m + 1, m + 1, p, p)), np.empty((m + 1, m + 1))
    P[:m], P[m] = -np.einsum("sab,axby->sxy", E, FX), -XX  # at first with V in the place of theta's I
    Q[:m, :m] = np.einsum("sab,tcd,bcaxdy->stxy", E, E, sums.HFF[:, :, :, :p, :, :p], optimize=True)
    Q[m], Q[:, m] = -P, -P
    trace[:m, :m] = np.einsum("sab,tcd,bcda->st", E, E, sums.HH, optimize=True)
    trace[m, :m] = trace[:m, m] = np.einsum("sab,ab->s", E, sums.H)
    trace[m, m] = solution.likelihood.reduced.nobs
    change = np.eye(m + 1)
    change[m, :m] = -D[pairs(q)[:2]]
    P = np.einsum("st,txy->sxy", change, P)
    Q = np.einsum("su,tv,uvxy->stxy", change, change, Q)
    trace = change @ trace @ change.T
    AP = cov @ P
    expected = trace - 2 * np.einsum("xy,styx->st", cov, Q) + np.einsum("sxy,tyx->st", AP, AP)
    return Information(cov, P, Q, expected, trace)


def kenward_roger(solution):
    """Kenward and Roger's (1997) adjustment for all the estimated variances and covariances.

    Parameters
    ----------
    solution : Solution
        By REML.

    Returns
    -------
    cov : ndarray of shape (p, p)
        Adjusted covariance of the coefficients of the columns in working units, over theta.
    df : callable
        ``df(a)`` is the denominator degrees of freedom of the contrast a, an array of shape (p,).
    """
    known = solution.information
    cov, P, spread = known.cov, known.P, known.spread()
    bias = np.einsum("st,stxy->xy", spread, known.Q - np.einsum("sxu,uv,tvy->stxy", P, cov, P, optimize=True))
    return cov + cov @ (bias + bias.T) @ cov, _df(cov, P, spread)


def _df(cov, P, spread):
    def of(a):
        change = np.einsum("x,sxy,y->s", cov @ a, P, cov @ a) / (a @ cov @ a)
        return float(2 / (change @ spread @ change))

    return of


def satterthwaite(solution):
    """Satterthwaite's degrees of freedom, from the observed REML information (what lmerTest finds by steps).

    On the boundary the information is that of the face: what is estimated as 0 stays 0.

    Parameters
    ----------
    solution : Solution
        By REML.

    Returns
    -------
    df : callable
        ``df(a)`` is the degrees of freedom of the contrast a, an array of shape (p,).

    Raises
    ------
    ValueError
        If the likelihood is not curved at its maximum.
    """
    likelihood, L, cov = solution.likelihood, solution.top.factor, solution.cov
    now, p, nu = likelihood.expand(solution.D), len(cov), likelihood.degrees
    k = 0
    J = np.zeros((now.gradient.size, 0))
    if L.shape[1]:
        J, _, hessian = in_factor(now, L)
        k = len(hessian)
    observed = np.empty((k + 1, k + 1))
    observed[k, k] = nu  # the last parameter is log theta
    if k:
        score = now.score.ravel() @ J
        observed[:k, :k], observed[k, :k], observed[:k, k] = (
            hessian + np.outer(score, score) / nu,
            score,
            score,
        )
    unit = np.sqrt(np.where(observed.diagonal() > 0, observed.diagonal(), 1.0))
    values, vectors = np.linalg.eigh(observed / unit[:, None] / unit)
    if values[0] < -1e-8:
        raise ValueError(
            "Satterthwaite's degrees of freedom are not defined here: the likelihood is not curved at its "
            'maximum; use with_df("kenward-roger") or "residual"'
        )
    held = values > 1e-10  # a turn of the factor that leaves D as it is has no curvature, and no effect
    root = vectors[:, held] / np.sqrt(values[held]) / unit[:, None]
    FX = solution.sums.FF[:, :p, :, :p].transpose(0, 2, 1, 3).reshape(-1, p * p)
    B = (J.T @ FX).reshape(k, p, p)

    def of(a):
        along = cov @ a
        change = np.append(np.einsum("x,sxy,y->s", along, B, along) / (a @ along), 1.0)
        return float(1 / np.sum((change @ root) ** 2))

    return of


def covariance_errors(solution):
    """Covariance of the estimates of (Psi's upper triangle, theta), in working units, over theta squared.

    By the inverse expected information. Searle et al. (1992), chapter 4.
    """
    return solution.information.spread(solution.likelihood.reml)


def predicted(solution, contrast, effect, new_rows=0):
    """Squared error over theta, and Satterthwaite's df, of a mean in a group not yet seen.

    Parameters
    ----------
    solution : Solution
    contrast : ndarray of shape (p,)
        Of the coefficients in working units.
    effect : ndarray of shape (q,)
        Of the effects of the new group in working units.
    new_rows : int
        Whether the error of a row comes on top.

    Returns
    -------
    mse, df : float
    """
    known, along = solution.information, solution.cov @ contrast
    mse = contrast @ along + effect @ solution.D @ effect + new_rows
    change = -np.einsum("x,sxy,y->s", along, known.P, along)
    change[:-1] += np.einsum("a,sab,b->s", effect, basis(len(effect)), effect)
    change[-1] += new_rows
    return mse, float(2 * mse**2 / (change @ known.spread() @ change))


def group_effects(solution, contrasts, effects):
    """Best linear unbiased predictions of fixed part plus effect of each group, and their errors.

    Parameters
    ----------
    solution : Solution
    contrasts : ndarray of shape (k, p)
        Of the coefficients in working units; zeros leave the fixed part out of the prediction and its error.
    effects : ndarray of shape (k, q)
        Of the effects in working units.

    Returns
    -------
    estimate, se, conditional : ndarray of shape (k, J)
        Predicted effects (without the fixed part), the prediction's standard error (Searle et al. 1992,
        chapter 7; counts that of the coefficients) and that given the coefficients, over root theta.
    """
    likelihood, D, p = solution.likelihood, solution.D, len(solution.cov)
    q, ED, done = len(D), effects @ D, 0
    found = np.empty((3, len(effects), likelihood.reduced.both.shape[-1]))
    for groups in likelihood.chunks:
        HF = groups.by_group(D)
        H, F = HF[:, :q], HF[:, likelihood.reduced.columns]
        DF = np.einsum("ka,acj->kcj", ED, F)
        estimate, se, conditional = found[..., done : done + HF.shape[-1]]
        np.einsum("kcj,c->kj", DF, solution.residual, out=estimate)
        known = np.einsum("ka,ka->k", ED, effects)[:, None] - np.einsum("ka,abj,kb->kj", ED, H, ED)
        known = np.maximum(known, 0.0)
        away = contrasts[:, :, None] - DF[:, :p]
        spread = np.einsum("kxj,xy,kyj->kj", away, solution.cov, away, optimize=True)
        np.sqrt(known + spread, out=se)
        np.sqrt(known, out=conditional)
        done += HF.shape[-1]
    return tuple(found)
