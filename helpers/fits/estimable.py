"""Which coefficients rest on one group alone, so that no cluster-robust standard error of them exists."""

from __future__ import annotations

import numpy as np

from ..tables import unit_diagonal

_FULL = 1e-10  # a leverage this near 1 is 1, unless rounding is more than that
_NOT_THERE = 1e-8  # share of a contrast along an axis below which it is rounding


def lone_groups(summary, contrasts):
    """The group without which a contrast of the coefficients cannot be estimated, for each contrast.

    With S_g = X_g'X_g, M the inverse of their sum and R'R = M, the rows of the other groups estimate a'beta
    if and only if a is in the range of M^-1 - S_g, that is, if R a is orthogonal to the axes of R S_g R'
    whose eigenvalue is 1. The estimate then moves one to one with that group's mean: its residuals along
    that axis are 0 whatever the group does, and a sandwich, which knows groups by their residuals, counts
    nothing for it. The eigenvalues of all groups add up to p, so at most p groups have one of 1; the others
    are left out by the sum of theirs, which takes one pass over the groups.

    Parameters
    ----------
    summary : GroupSummary
    contrasts : ndarray of shape (k, p)
        Of the coefficients of the centred columns.

    Returns
    -------
    ndarray of int, shape (k,)
        Where among the groups it stands (the first, if there are several); -1 where there is none, and the
        other groups estimate the contrast whichever one is left out.
    """
    p, varying = len(summary.terms), summary.varying
    means, n = summary.centred_means()[:, :p], summary.sizes
    unit, scale = unit_diagonal(summary.about_centre()[:p, :p])
    values, vectors = np.linalg.eigh(unit)
    root = (vectors / np.sqrt(values)) @ vectors.T / scale
    rounding = max(_FULL, 16 * p * np.finfo(float).eps * values[-1] / values[0])
    bread = root.T @ root
    total = n * np.einsum("ji,ik,jk->j", means, bread, means)
    total += np.einsum("jik,ik->j", summary.products[:, :, :-1], bread[np.ix_(varying, varying)])
    along, found = contrasts @ root.T, np.full(len(contrasts), -1)
    length = np.linalg.norm(along, axis=1)
    for g in np.flatnonzero(total > 1 - 2 * p * rounding):
        S = n[g] * np.outer(means[g], means[g])
        S[np.ix_(varying, varying)] += summary.products[g, :, :-1]
        leverage, axes = np.linalg.eigh(root @ S @ root.T)
        share = np.linalg.norm(along @ axes[:, leverage > 1 - rounding], axis=1)
        found[(found < 0) & (share > _NOT_THERE * length)] = g
    return found


def reasons(summary, terms, contrasts):
    """Why terms have no cluster-robust standard error: term to words; those that have one are left out.

    Parameters
    ----------
    summary : GroupSummary
        With a group column.
    terms : sequence of str
    contrasts : ndarray of shape (k, p)
        As `lone_groups`, one for each term.

    Returns
    -------
    dict of str to str
    """
    lone = lone_groups(summary, contrasts)
    return {
        term: f"without {summary.group} {summary.labels[g]} it cannot be estimated"
        for term, g in zip(terms, lone, strict=True)
        if g >= 0
    }


def withheld(summary, contrasts):
    """`reasons` for the terms of a summary, refused where they leave no term with such an error.

    Parameters
    ----------
    summary : GroupSummary
        With a group column.
    contrasts : ndarray of shape (p, p)
        Of the coefficients of the centred columns, one for each term.

    Returns
    -------
    dict of str to str

    Raises
    ------
    ValueError
        If every term rests on one group alone.
    """
    told = reasons(summary, summary.terms, contrasts)
    refuse_all(summary, told)
    return told


def refuse_all(summary, told):
    """Refuse a cluster-robust error where every term has a reason (`reasons`) to have none."""
    if len(told) == len(summary.terms):
        said = "; ".join(f"{term}: {why}" for term, why in told.items())
        raise ValueError(
            f"no term of {summary.formula!r} has a cluster-robust standard error, for each rests on one "
            f"{summary.group} alone ({said}): bring more groups, or leave terms out"
        )
