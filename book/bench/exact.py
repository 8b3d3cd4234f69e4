"""What the answers are measured against: REML in 50 digits, by means that share nothing with `helpers`."""

from dataclasses import dataclass

import numpy as np
from mpmath import mp, mpf

mp.dps = 50
MOST_EXACT_ROWS = 10_000  # beyond, sums are taken in the machine's long double: 18 digits


@dataclass(frozen=True)
class Exact:
    """Variances between and within groups, the SE of the intercept, R's REML criterion."""

    psi: mpf
    theta: mpf
    se: mpf
    criterion: mpf


def digits(value, exact, scale=None):
    """How many digits agree: -log10 of the relative error, from 0 to 16, more than a double can say.

    Parameters
    ----------
    value : float
    exact : mpf
    scale : mpf, optional
        What the error is relative to, where ``exact`` is 0.
    """
    error = abs(mpf(float(value)) - exact) / abs(scale or exact)
    if not mp.isfinite(error):
        return 0.0
    return float(min(max(-mp.log10(error), 0), 16)) if error else 16.0


def balanced(y, codes):
    """Closed form for ``y ~ 1`` and J groups of n rows: the analysis of variance."""
    J, n = len(np.unique(codes)), len(y) // len(np.unique(codes))
    groups = [[mpf(float(v)) for v in y[codes == j]] for j in range(J)]
    means = [mp.fsum(group) / n for group in groups]
    grand = mp.fsum(means) / J
    msb = n * mp.fsum((m - grand) ** 2 for m in means) / (J - 1)
    msw = mp.fsum((v - m) ** 2 for m, g in zip(means, groups, strict=True) for v in g) / (J * (n - 1))
    if msb <= msw:
        raise ValueError("the closed form is for MSB > MSW")
    return Exact((msb - msw) / n, msw, mp.sqrt(msb / (J * n)), _criterion_balanced(msb, msw, J, n))


def _criterion_balanced(msb, msw, J, n):
    rest = (J - 1) * mp.log(msb) + J * (n - 1) * mp.log(msw) + mp.log(J * n)
    return (J * n - 1) * (1 + mp.log(2 * mp.pi)) + rest


def columns(formula, data):
    """Terms and outcome of a formula of plain columns, outcome last, as (N, p + 1) doubles."""
    outcome, terms = (side.strip() for side in formula.split("~"))
    named = {"1": np.ones(len(data))}
    names = [*(term.strip() for term in terms.split("+")), outcome]
    return np.column_stack([named.get(name, data.get(name)) for name in names])


class Profile:
    """Minus twice the restricted log likelihood in r = psi / theta, the rest at its best."""

    def __init__(self, Z, codes):
        Z, codes = np.asarray(Z, dtype=float), np.asarray(codes)
        self.N, self.p = len(Z), Z.shape[1] - 1
        member, sizes = np.unique(codes, return_inverse=True, return_counts=True)[1:]
        Z = Z.astype(np.longdouble) if self.N > MOST_EXACT_ROWS else _precise(Z)
        Z[:, -1] -= Z[0, -1]  # the intercept takes it up: an offset costs no digits
        totals = np.zeros((len(sizes), self.p + 1), dtype=Z.dtype)
        np.add.at(totals, member, Z)
        self.whole = _products(Z)
        self.sizes, self.counts = np.unique(sizes, return_counts=True)
        self.between = [_products(totals[sizes == n]) for n in self.sizes]

    def solve(self, r):
        """Cross-products weighted by V^-1 at theta = 1, and theta."""
        r = mp.mpf(r)
        cross = self.whole.copy()
        for n, total in zip(self.sizes.tolist(), self.between, strict=True):
            cross -= r / (1 + r * n) * total
        terms = cross[: self.p, : self.p]
        return terms, mp.det(cross) / mp.det(terms) / (self.N - self.p)

    def criterion(self, r):
        """R's REMLcrit."""
        terms, theta = self.solve(r)
        sizes = zip(self.counts.tolist(), self.sizes.tolist(), strict=True)
        groups = mp.fsum(count * mp.log(1 + r * n) for count, n in sizes)
        return (self.N - self.p) * (1 + mp.log(2 * mp.pi * theta)) + groups + mp.log(mp.det(terms))

    def best_ratio(self):
        """Lowest point of a grid, then the root of the numerical derivative between its neighbours."""
        grid = [mpf(0), *(mpf(10) ** (mpf(k) / 8) for k in range(-64, 65))]
        k = min(range(len(grid)), key=lambda i: self.criterion(grid[i]))
        if k == 0:
            return grid[0]
        between = (grid[k - 1], grid[min(k + 1, len(grid) - 1)])
        return mp.findroot(lambda r: mp.diff(self.criterion, r), between, solver="anderson", tol=1e-60)


def reml(Z, codes):
    """The exact REML answer; the intercept is the first column of Z, the outcome its last."""
    profile = Profile(Z, codes)
    r = profile.best_ratio()
    terms, theta = profile.solve(r)
    return Exact(r * theta, theta, mp.sqrt(theta * mp.inverse(terms)[0, 0]), profile.criterion(r))


def _products(Z):
    """Cross-products of the columns, each sum taken pairwise."""
    return mp.matrix(_precise(np.array([[(a * b).sum() for b in Z.T] for a in Z.T])).tolist())


def _precise(A):
    """An array of mpf, to the last digit of doubles and long doubles."""
    if A.dtype == object:
        return A
    high = A.astype(float)
    return np.vectorize(lambda a, b: mpf(a) + mpf(b), otypes=[object])(high, (A - high).astype(float))
