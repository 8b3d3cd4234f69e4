"""Sums over groups where an intercept and one slope vary: in closed form, from few products by group.

With M = I + R D R' of a group, adj(M) = I + adj(R)' adj(D) adj(R), so that with B = [R, T] and A = R'R

    det M = 1 + tr(A D) + det A det D,    R'M^-1 B = (R'B + adj(D) det R adj(R) B) / det M,
    T'M^-1 T = (T'T + U' adj(D) U) / det M,  U = adj(R) T:

but for D and det M what stands here is the same for every D.
"""

from __future__ import annotations

import numpy as np

from .sums import pairs, products


class Groups:
    """Some groups, as `sums.Groups` for q = 2."""

    def __init__(self, both):
        (r, s), (_, t) = both[:, :2]
        T, det, (x, y, _) = both[:, 2:], r * t, pairs(both.shape[1] - 2)
        U = np.array([t * T[0] - s * T[1], r * T[1]])
        self._shape, self._of_det = both.shape, np.array([r * r, 2 * r * s, s * s + t * t, det * det])
        self._of_products = np.zeros((2, *both.shape))  # R'B and det R adj(R) B
        np.einsum("kaj,kbj->abj", both[:, :2], both, out=self._of_products[0])
        self._of_products[1, 0, 0] = self._of_products[1, 1, 1] = self._of_det[3]
        np.multiply(U, det, out=self._of_products[1, :, 2:])
        (one, two), (three, four) = [(column[x], column[y]) for column in U]
        self._of_cross = np.concatenate([
            T[0, x] * T[0, y] + T[1, x] * T[1, y], three * four, -(one * four + three * two), one * two
        ])  # fmt: skip

    def sums(self, D, order):
        """Sums over the groups at D, of shape (..., 2, 2), as `sums.Groups.sums`."""
        d, det = self._determinants(D)
        lead, k, over = d.shape[:-1], self._shape[1], np.reciprocal(det)
        if order:
            F = self._by_group(D, over)
            top = F.sum(axis=-1)
        else:
            still, turned = np.moveaxis(
                (over @ self._of_products.reshape(4 * k, -1).T).reshape(*lead, 2, 2, k), -3, 0
            )
            top = still + _adjoint(D) @ turned
        rest = (d[..., None, :4] @ (over @ self._of_cross.T).reshape(*lead, 4, -1))[..., 0, :]
        cross = np.empty((*lead, k, k))
        cross[..., :2, :] = top
        cross[..., 2:, :2] = top[..., 2:].swapaxes(-1, -2)
        cross[..., 2:, 2:] = rest[..., pairs(k - 2)[2]]
        value = np.log(det).sum(axis=-1), cross
        return (*value, products(F, order)) if order else value

    def by_group(self, D):
        """R'M^-1 B of each group, of shape (..., 2, k, J)."""
        return self._by_group(D, np.reciprocal(self._determinants(D)[1]))

    def _by_group(self, D, over):
        still, turned = self._of_products
        F = (_adjoint(D) @ turned.reshape(2, -1)).reshape(*D.shape[:-2], *self._shape)
        F += still
        F *= over[..., None, None, :]
        return F

    def _determinants(self, D):
        """1, D_11, D_12, D_22 and det D, of shape (..., 5), and det M by group."""
        d = np.ones((*D.shape[:-2], 5))
        d[..., 1:3], d[..., 3] = D[..., 0, :], D[..., 1, 1]
        d[..., 4] = d[..., 1] * d[..., 3] - d[..., 2] ** 2
        det = d[..., 1:] @ self._of_det
        det += 1.0
        return d, det


def _adjoint(D):
    return D[..., ::-1, ::-1] * [[1, -1], [-1, 1]]
