"""The likelihood where an intercept and one slope vary, by 2 x 2 algebra: where its maximum is looked for.

With M = I + R D R' of a group, D = L L', adj(M) = I + adj(R)' adj(D) adj(R), so that log |V| and C'V^-1 C are
sums of det M and of T'T + U' adj(D) U over it, U = adj(R) T: few products by group serve every D. Where D is
all but singular and large, parts cancel, so the last step is that of `likelihood.Likelihood`.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

_HELD = 2**18  # products of all groups that are kept between calls; with more they are made again, in parts
_I, _K = np.triu_indices(3)


@lru_cache
def _places(c):
    """Rows and columns of a symmetric matrix that differ, which of them each entry is, and how often."""
    x, y = np.triu_indices(c)
    which = np.zeros((c, c), dtype=int)
    which[x, y] = which[y, x] = np.arange(len(x))
    return x, y, which, np.where(x == y, 1.0, 2.0)


def _jet(L):
    """What D brings to det M, and its derivatives in the entries a, b, c of L to second order: (S, 10, 5)."""
    a, b = L[:, 0, 0], L[:, 1, 0]
    c = L[:, 1, 1] if L.shape[-1] == 2 else np.zeros(len(L))
    aa, cc = a * a, c * c
    jet = np.zeros((len(L), 10, 5))
    jet[:, 0, 0] = 1.0
    jet[:, 0, 1], jet[:, 0, 2], jet[:, 0, 3], jet[:, 0, 4] = aa, a * b, b * b + cc, aa * cc
    jet[:, 1, 1], jet[:, 1, 2], jet[:, 1, 4] = 2 * a, b, 2 * a * cc
    jet[:, 2, 2], jet[:, 2, 3] = a, 2 * b
    jet[:, 3, 3], jet[:, 3, 4] = 2 * c, 2 * aa * c
    jet[:, 4, 1], jet[:, 4, 4] = 2.0, 2 * cc
    jet[:, 5, 2] = 1.0
    jet[:, 6, 4] = 4 * a * c
    jet[:, 7, 3] = jet[:, 9, 3] = 2.0
    jet[:, 9, 4] = 2 * aa
    return jet


class Pair:
    """The criterion of a `likelihood.Likelihood` with q = 2, and its derivatives in L.

    Parameters
    ----------
    likelihood : likelihood.Likelihood
    """

    def __init__(self, likelihood):
        self.likelihood, self.reduced = likelihood, likelihood.reduced
        self.c, J = likelihood.c, self.reduced.roots.shape[-1]
        p, reml, nu = self.c - 1, float(likelihood.reml), likelihood.degrees
        self._of_x = np.append(np.full(p, reml), nu)  # log |X'V^-1 X| and nu log rss, as sums of log pivots
        self._of_xy = np.full((self.c, self.c), nu)
        self._of_xy[:p, :p] = reml
        step = max(1, _HELD // (4 * len(_places(self.c)[0])))
        self._parts = [slice(start, start + step) for start in range(0, J, step)]
        self._held = [self._products(self._parts[0])] if len(self._parts) == 1 else None

    def _products(self, part):
        """By group what det M is made of (5, J), and T'T and the parts of U' adj(D) U (4 m, J)."""
        (r, s), (_, t) = self.reduced.roots[..., part]
        T = self.reduced.sides[..., part]
        x, y, *_ = _places(self.c)
        basis = np.empty((5, len(r)))
        basis[0], basis[1], basis[2], basis[3], basis[4] = 1.0, r * r, 2 * r * s, s * s + t * t, (r * t) ** 2
        U = np.stack([t * T[0] - s * T[1], r * T[1]])
        K = np.empty((4, len(x), len(r)))
        one, two = U[:, x], U[:, y]
        K[3], K[1] = one * two
        np.add(*(T[:, x] * T[:, y]), out=K[0])
        np.add(one[0] * two[1], one[1] * two[0], out=K[2])
        np.negative(K[2], out=K[2])
        return basis, K.reshape(-1, len(r))

    def _all(self):
        return self._held or map(self._products, self._parts)

    def criterion(self, D):
        """The criterion at D, of shape (S, 2, 2)."""
        d = np.ones((len(D), 5))
        d[:, 1], d[:, 2], d[:, 3] = D[:, 0, 0], D[:, 0, 1], D[:, 1, 1]
        d[:, 4] = d[:, 1] * d[:, 3] - d[:, 2] ** 2
        log_det, sums = 0.0, 0.0
        for basis, K in self._all():
            det = d @ basis
            log_det = log_det + np.log(det).sum(axis=-1)
            sums = sums + np.reciprocal(det) @ K.T
        cross = (d[:, None, :4] @ sums.reshape(len(D), 4, -1))[:, 0].T
        cross = cross[_places(self.c)[2]] + self.reduced.left[..., None]
        for k, weight in enumerate(self._of_x):
            pivot, row = cross[0, 0], cross[0, 1:]
            log_det = log_det + weight * np.log(pivot)
            if k < self.c - 1:
                cross = cross[1:, 1:] - row[:, None] * (row / pivot)
        return self.likelihood.constant + log_det

    def in_factor(self, L):
        """Value, gradient and Hessian of the criterion in the free entries of L, of shape (S, 2, r)."""
        S, c = len(L), self.c
        x, y, which, often = _places(c)
        jet = _jet(L)
        value, first, second, sums = 0.0, 0.0, 0.0, 0.0
        for basis, K in self._all():
            J = basis.shape[-1]
            of_det = (jet.reshape(-1, 5) @ basis).reshape(S, 10, J)  # det M and its derivatives
            value = value + np.log(of_det[:, 0]).sum(axis=-1)
            w = 1 / of_det[:, 0]
            of_log = of_det[:, 1:] * w[:, None]
            e, f = of_log[:, :3], of_log[:, 3:]
            ee = e[:, _I] * e[:, _K]
            f -= ee
            totals = of_log.sum(axis=-1)
            first, second = first + totals[:, :3], second + totals[:, 3:]
            of_det[:, 0] = 1.0  # from here those of 1 / det M
            np.negative(e, out=of_det[:, 1:4])
            np.subtract(ee, f, out=of_det[:, 4:])
            of_det *= w[:, None]
            sums = sums + of_det.reshape(-1, J) @ K.T
        products = (jet[:, :, :4] @ sums.reshape(S, 10, 4, -1).swapaxes(1, 2).reshape(S, 4, -1)).reshape(
            S, 10, 10, -1
        )
        one = products[:, 0] + products[:, :, 0]
        inner = products[:, 1:4, 1:4]
        curved = one[:, 4:] + inner[:, _I, _K] + inner[:, _K, _I]
        cross = products[:, 0, 0][:, which] + self.reduced.left
        root = np.linalg.cholesky(cross)
        W = np.linalg.inv(root)
        E = W[:, None] @ one[:, 1:4][..., which] @ W[:, None].swapaxes(-1, -2)
        weight = (W.swapaxes(-1, -2) * self._of_x) @ W
        value = value + 2 * np.log(np.diagonal(root, axis1=-2, axis2=-1)) @ self._of_x
        gradient = first + np.diagonal(E, axis1=-2, axis2=-1) @ self._of_x
        curve = second + (curved @ (weight[:, x, y] * often)[..., None])[..., 0]
        E_ = E.reshape(S, 3, -1)
        hessian = curve[:, _SQUARE] - (E * self._of_xy).reshape(S, 3, -1) @ E_.swapaxes(-1, -2)
        free = 3 if L.shape[-1] == 2 else 2
        return self.likelihood.constant + value, gradient[:, :free], hessian[:, :free, :free]


_SQUARE = _places(3)[2]
