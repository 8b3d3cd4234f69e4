"""Sums over groups at one covariance D, for any number of varying terms: by Cholesky, group by group."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


@lru_cache
def pairs(q):
    """Places of a symmetric matrix that differ: rows, columns, and which of them each entry is."""
    i, k = np.triu_indices(q)
    which = np.zeros((q, q), dtype=int)
    which[i, k] = which[k, i] = np.arange(len(i))
    return i, k, which


class Groups:
    """Some groups, each with M = I + R D R' at a D.

    Parameters
    ----------
    both : ndarray of shape (q, k, J)
        R and, beside it, R'^-1 Z'C of other columns C.
    """

    def __init__(self, both):
        self.both = both

    def sums(self, D, order):
        """Sums over the groups at D, of shape (..., q, q).

        Returns
        -------
        log_det : ndarray of shape (...)
            Of M.
        cross : ndarray of shape (..., k, k)
            Of B'M^-1 B, B being ``both``: of `by_group` in the first q rows.
        FF : ndarray of shape (..., m q k, q k)
            `products`, unless the order is 0.
        """
        white, log_det = self._whitened(D)
        value = log_det.sum(axis=-1), (white @ white.swapaxes(-1, -2)).sum(axis=-3)
        return (*value, products(_by_group(white), order)) if order else value

    def by_group(self, D):
        """R'M^-1 B of each group, of shape (..., q, k, J): Z'V^-1 Z and, beside it, Z'V^-1 C."""
        return _by_group(self._whitened(D)[0])

    def _whitened(self, D):
        """M^-1/2 B by group, and log det M; Cholesky, group by group."""
        q, both = D.shape[-1], self.both
        R = both[:, :q]
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


def _by_group(white):
    q = white.shape[-3]
    return np.einsum("...kaj,...kbj->...abj", white[..., :q, :], white)


def products(F, order):
    """Sums over the groups of F_ax F_by; with order 2 also of these times each H_cd that differs.

    Parameters
    ----------
    F : ndarray of shape (..., q, k, J)
        As `Groups.by_group` has it, with H in the first q columns.

    Returns
    -------
    ndarray of shape (..., m q k, q k)
        m is 1, or 1 + q (q + 1) / 2.
    """
    *lead, q, k, J = F.shape
    flat = F.reshape(*lead, q * k, J)
    by = flat
    if order == 2:
        one, other, _ = pairs(q)
        by = np.empty((*lead, 1 + len(one), q * k, J))
        by[..., 0, :, :] = flat
        np.multiply(F[..., one, other, :][..., None, :], flat[..., None, :, :], out=by[..., 1:, :, :])
    return by.reshape(*lead, -1, J) @ flat.swapaxes(-1, -2)
