"""Cluster-robust (sandwich) covariances of least squares coefficients: CR0, CR1, CR1S, CR2, CR3."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from ..tables.linear import eigen_of, unit_diagonal

_FULL = 1e-12  # a leverage this near 1 is 1: the group's residuals are 0 and it says nothing of the error


def group_scores(summary, beta):
    """What a sandwich and a wild bootstrap need of the groups: X_g'X_g and X_g'e_g, in the metric of M.

    Parameters
    ----------
    summary : GroupSummary
    beta : ndarray of shape (p,)
        Least squares coefficients of the centred columns.

    Returns
    -------
    root : ndarray of shape (p, p)
        root' root = M, the inverse of X'X.
    S : ndarray of shape (p, p, J)
        root X_g'X_g root': its eigenvalues, between 0 and 1, are the leverages of the group.
    u : ndarray of shape (p, J)
        root X_g'e_g, e the residuals.
    """
    p, varying, means, n = len(summary.terms), summary.varying, summary.centred_means().T, summary.sizes
    S, residual = n * means[:p, None] * means[:p], np.append(-beta, 1.0)
    S[varying[:, None], varying] += np.moveaxis(summary.products[:, :, :-1], 0, -1)
    u = n * (residual @ means) * means[:p]
    u[varying] += (summary.products @ residual[[*varying, p]]).T
    unit, scale = unit_diagonal(S.sum(axis=-1))
    values, vectors = np.linalg.eigh(unit)
    root = (vectors / np.sqrt(values)) @ vectors.T / scale
    return root, root @ np.moveaxis(root @ S, 0, 1), root @ u


class Kind(NamedTuple):
    """A kind of sandwich.

    Attributes
    ----------
    factor : callable
        Of 1 - leverage, for the scores along each axis of a group.
    scale : callable
        Of J, N and k, for the whole.
    df : callable
        Of the sandwich's parts and a contrast.
    """

    factor: Callable
    scale: Callable
    df: Callable


class _Parts(NamedTuple):
    root: np.ndarray
    leverage: np.ndarray
    axes: np.ndarray
    factor: np.ndarray


def _power(exponent):
    """(1 - leverage) to a power; generalised: 0 where the leverage is 1."""
    return lambda left: np.where(left > _FULL, np.maximum(left, _FULL) ** exponent, 0.0)


def _groups_less_one(parts, a):
    return float(parts.leverage.shape[-1] - 1)


def _of_independent_rows(parts, a):
    """Satterthwaite's for independent errors: Bell and McCaffrey (2002); Pustejovsky and Tipton (2018)."""
    root, leverage, axes, factor = parts
    along = np.einsum("ikj,i->kj", axes, root @ a)
    own = np.sum(leverage * factor**2 * along**2, axis=0)
    q = np.einsum("ikj,kj->ij", axes, leverage * factor * along)
    inner = q @ q.T
    trace = own.sum() - np.trace(inner)
    return float(trace**2 / (np.sum(own**2) - 2 * own @ np.sum(q**2, axis=0) + np.sum(inner**2)))


def _one(J, N, k):
    return 1.0


def _of_groups(J, N, k):
    return J / (J - 1)


def _of_groups_and_rows(J, N, k):
    """Stata's and statsmodels' factor, and pyfixest's."""
    return J / (J - 1) * (N - 1) / (N - k)


KINDS = {
    "CR0": Kind(np.ones_like, _one, _groups_less_one),
    "CR1": Kind(np.ones_like, _of_groups, _groups_less_one),
    "CR1S": Kind(np.ones_like, _of_groups_and_rows, _groups_less_one),
    "CR2": Kind(_power(-0.5), _one, _of_independent_rows),
    "CR3": Kind(_power(-1), _one, _groups_less_one),
}


def cluster_robust(summary, beta, kind, coefficients=None):
    """Cluster-robust (sandwich) covariance of least squares coefficients, by group.

    With S_g = X_g'X_g, M the inverse of their sum and u_g = X_g'e_g, CR0 is M (sum u_g u_g') M; CR1 is
    J / (J - 1) times that, CR1S (N - 1) / (N - k) times CR1; CR2 and CR3 put (I - S_g M)^-1/2 u_g and
    (I - S_g M)^-1 u_g in the place of u_g (Bell and McCaffrey 2002; generalised inverses where a group has
    leverage 1, as clubSandwich).

    Parameters
    ----------
    summary : GroupSummary
    beta : ndarray of shape (p,)
        Least squares coefficients of the centred columns.
    kind : {"CR0", "CR1", "CR1S", "CR2", "CR3"}
    coefficients : int, optional
        The k of CR1S; p without it.

    Returns
    -------
    cov : ndarray of shape (p, p)
        Covariance of the coefficients of the centred columns.
    df : callable
        ``df(a)`` is the degrees of freedom of the contrast a: under CR2 Satterthwaite's for independent
        errors (Bell and McCaffrey 2002; Pustejovsky and Tipton 2018), else J - 1.
    """
    corrected, scale, df = KINDS[kind]
    root, S, u = group_scores(summary, beta)
    leverage, axes = eigen_of(S)
    factor = corrected(1 - leverage)
    score = np.einsum("ikj,kj->ij", axes, factor * np.einsum("ikj,ij->kj", axes, u))
    cov, p = root.T @ (score @ score.T) @ root, len(root)
    cov *= scale(summary.ngroups, summary.nobs, p if coefficients is None else coefficients)
    return cov, partial(df, _Parts(root, leverage, axes, factor))
