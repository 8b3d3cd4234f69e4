"""The outer groups' share of V: K + 1 numbers where the inner ones are nested, a dense or sparse matrix else.

With the inner grouping eliminated what is left of V is M = I + g S, S = Z'W Z for the outer groups' Z and the
inner grouping's W. The likelihood needs M's determinant, M^-1 times something and traces with M^-1. Each
class has these for one kind of S; ``weighted(w)`` is C diag(w) C', C being the counts of the cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.linalg import cho_solve, lapack
from scipy.sparse.linalg import splu

_DENSE = 3000  # outer groups up to which a matrix is dense, whatever its zeros
_FULL = 0.1  # share of entries that are not 0 from which it is dense with more
_BLOCK = 256  # columns that a sparse factor solves at a time


class Traces(NamedTuple):
    """With H = M^-1: traces of HS, HE and HF, and of HSHS, HEH, HEHE."""

    S: float
    E: float
    F: float
    SS: float
    EI: float
    EE: float


def outer_of(counts, nested):
    """Return what fits the cells: `Nested`, `Dense` or `Sparse`, of its counts (K, J)."""
    if nested:
        return Nested(counts)
    K = counts.shape[0]
    pattern = counts.astype(bool).astype(float)
    if K <= _DENSE or (pattern @ pattern.T).nnz > _FULL * K * K:
        return Dense(counts)
    return Sparse(counts)


class Nested:
    """Each inner group in one outer group: all matrices are diagonal, and kept as their diagonals."""

    def __init__(self, counts):
        by_inner = counts.tocsc()
        self.outer_of, self.squares = by_inner.indices, by_inner.data**2
        self.K = counts.shape[0]

    def weighted(self, w):
        """Diagonal of C diag(w) C'."""
        return np.bincount(self.outer_of, self.squares * w, self.K)

    def unmoved(self, sizes, n):
        """S where the inner groups' variance is without end: the rows' own share, 0 here."""
        return np.zeros(self.K)

    def factor(self, g, S):
        """M of a ratio g and S."""
        return NestedFactor(g, S)


@dataclass(frozen=True)
class NestedFactor:
    """M = I + g S, S diagonal."""

    g: float
    S: np.ndarray

    @cached_property
    def log_det(self):
        """Log determinant."""
        return float(np.log1p(self.g * self.S).sum())

    @property
    def diagonal(self):
        """That of M^-1."""
        return 1 / (1 + self.g * self.S)

    def solve(self, B):
        """M^-1 B."""
        return B * self.diagonal[:, None]

    def dot_S(self, B):
        """S B."""
        return B * self.S[:, None]

    def traces(self, E, F):
        """The `Traces`."""
        h = self.diagonal
        hs, he = h * self.S, h * E
        return Traces(hs.sum(), he.sum(), h @ F, hs @ hs, he @ h, he @ he)

    def within_columns(self, B):
        """Diagonal of B'M^-1 B of a sparse B."""
        return B.multiply(B).T @ self.diagonal


class Dense:
    """Crossed, with at most some thousands of outer groups: matrices as they are."""

    def __init__(self, counts):
        self.counts = counts

    def weighted(self, w):
        """C diag(w) C'."""
        return (self.counts * w @ self.counts.T).toarray()

    def unmoved(self, sizes, n):
        """S where the inner groups' variance is without end."""
        return np.diag(sizes) - self.weighted(1 / n)

    def factor(self, g, S):
        """M of a ratio g and S."""
        return DenseFactor(g, S)


@dataclass(frozen=True)
class DenseFactor:
    """M = I + g S, by Cholesky."""

    g: float
    S: np.ndarray

    @cached_property
    def _root(self):
        M = self.g * self.S
        M[np.diag_indices(len(M))] += 1.0
        return lapack.dpotrf(M.T, lower=1, overwrite_a=1)[
            0
        ]  # M is symmetric: its transpose is in column order

    @cached_property
    def log_det(self):
        """Log determinant."""
        return float(2 * np.log(self._root.diagonal()).sum())

    @cached_property
    def _inverse(self):
        H = lapack.dpotri(self._root, lower=1)[0]  # its upper half is 0, as the root's is
        H += np.tril(H, -1).T
        return H

    @property
    def diagonal(self):
        """That of M^-1."""
        return self._inverse.diagonal()

    def solve(self, B):
        """M^-1 B."""
        return cho_solve((self._root, True), B, check_finite=False)

    def dot_S(self, B):
        """S B."""
        return self.S @ B

    def traces(self, E, F):
        """The `Traces`."""
        H = self._inverse
        first = np.vdot(H, self.S), np.vdot(H, E), np.vdot(H, F)
        HE = H @ E
        if self.g * self.S.diagonal().max() > 1e-3:
            beside = H.ravel("K")[1:].reshape(len(H) - 1, len(H) + 1)[:, :-1]  # all but the diagonal, no copy
            square = np.einsum("jk,jk", beside, beside) + np.sum((1 - H.diagonal()) ** 2)
            square = square / self.g**2  # HS = (I - H) / g
        else:
            HS = H @ self.S
            square = np.einsum("jk,kj", HS, HS)
        return Traces(*first, square, np.vdot(HE, H), np.einsum("jk,kj", HE, HE))

    def within_columns(self, B):
        """Diagonal of B'M^-1 B of a sparse B."""
        return _by_columns(self.solve, B)


class Sparse:
    """Crossed, with many outer groups few of which meet: matrices are sparse, and so is their LU."""

    def __init__(self, counts):
        self.counts = counts

    def weighted(self, w):
        """C diag(w) C'."""
        return (self.counts * w @ self.counts.T).tocsc()

    def unmoved(self, sizes, n):
        """S where the inner groups' variance is without end."""
        return (sparse.diags_array(sizes) - self.weighted(1 / n)).tocsc()

    def factor(self, g, S):
        """M of a ratio g and S."""
        return SparseFactor(g, S)


@dataclass(frozen=True)
class SparseFactor:
    """M = I + g S, by SuperLU, which keeps symmetry where it does not pivot."""

    g: float
    S: sparse.csc_array

    @cached_property
    def _lu(self):
        M = (sparse.eye_array(self.S.shape[0]) + self.g * self.S).tocsc()
        return splu(M, "MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})

    @cached_property
    def log_det(self):
        """Log determinant."""
        return float(np.log(self._lu.U.diagonal()).sum())

    @cached_property
    def diagonal(self):
        """That of M^-1."""
        return np.concatenate([H[columns, range(H.shape[1])] for columns, H in self._inverse()])

    def solve(self, B):
        """M^-1 B."""
        return self._lu.solve(np.ascontiguousarray(B))

    def dot_S(self, B):
        """S B."""
        return self.S @ B

    def _inverse(self):
        """Blocks of columns of M^-1, and which these are."""
        K = self.S.shape[0]
        for start in range(0, K, _BLOCK):
            columns = np.arange(start, min(start + _BLOCK, K))
            unit = np.zeros((K, len(columns)))
            unit[columns, range(len(columns))] = 1.0
            yield columns, self._lu.solve(unit)

    def traces(self, E, F):
        """The `Traces`."""
        total = np.zeros(6)
        for columns, H in self._inverse():
            SH, EH = self.S @ H, E @ H
            own = columns, range(len(columns))
            total[:3] += SH[own].sum(), EH[own].sum(), (F @ H)[own].sum()
            total[3] += np.vdot(SH, SH)  # S and M^-1 commute
            total[4] += np.vdot(EH, H)
            total[5] += np.vdot(EH, self.solve(E[:, columns].toarray()))
        return Traces(*total)

    def within_columns(self, B):
        """Diagonal of B'M^-1 B of a sparse B."""
        return _by_columns(self.solve, B)


def _by_columns(solve, B):
    B, found = B.tocsc(), np.empty(B.shape[1])
    for start in range(0, B.shape[1], _BLOCK):
        part = B[:, start : start + _BLOCK].toarray()
        found[start : start + _BLOCK] = np.einsum("kj,kj->j", part, solve(part))
    return found
