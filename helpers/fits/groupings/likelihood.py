"""The likelihood of two groupings of intercepts, nested or crossed, from cell counts and group means.

V = I + g_1 Z_1 Z_1' + g_2 Z_2 Z_2' in units of theta. The inner grouping's part of V is diagonal and goes
first; what it leaves of the outer one is a K x K matrix (`outer`). Nothing is N x N and nothing is per row.
Formulas: Bates et al. (2015), section 3; Harville (1977).
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from .outer import outer_of

_NOTHING = 1e-13  # of the outcome's sum of squares: below it what V^-1 leaves is rounding


class Likelihood:
    """Minus twice the profile log likelihood as a function of the ratios g = (outer, inner) of variances.

    Parameters
    ----------
    groupings : tables.groupings.Groupings
    method : {"reml", "ml"}
    """

    def __init__(self, groupings, method="reml"):
        rows = groupings.rows
        self.groupings, self.reml, self.nobs = groupings, method == "reml", rows.nobs
        about = rows.about_centre().diagonal()
        self.lengths = np.sqrt(np.where(about > 0, about, 1.0))
        self.within = rows.within / (self.lengths[:, None] * self.lengths)
        self.means = rows.centred_means() / self.lengths
        self.moved = groupings.moved / self.lengths
        self.counts, self.n = groupings.counts, rows.sizes
        self.p = len(rows.terms)
        self.outer = outer_of(groupings.counts, groupings.nested)
        self.sizes = groupings.counts.sum(axis=1)
        self.unmoved = self.outer.unmoved(self.sizes, self.n)
        self.degrees = self.nobs - (self.p if self.reml else 0)
        y, x = np.log(self.lengths[-1]), np.log(self.lengths[:-1]).sum()
        self.constant = self.degrees * (1 + np.log(2 * np.pi / self.degrees) + 2 * y) + 2 * x * self.reml

    def at(self, ratios):
        """Return the `Point` at ratios (outer, inner), both 0 or more."""
        return Point(self, *map(float, ratios))


class Point:
    """All that is asked of one pair of ratios, each worked out when it is asked for.

    With s, t the groupings, outer first: F_s = Z_s'V^-1 C (groups by columns, the outcome last), ``FF[s]``
    = F_s'F_s, ``FHF[s, t]`` = F_s'Z_s'V^-1 Z_t F_t, ``trace[s]`` = tr Z_s'V^-1 Z_s and ``traces[s, t]`` the
    sum of squares of Z_s'V^-1 Z_t.
    """

    def __init__(self, likelihood, outer, inner):
        self.of, self.ratios = likelihood, np.array([outer, inner])
        self.g, self.h = outer, inner
        self.left = 1 / (1 + inner * likelihood.n)  # what of a mean of an inner group is left over

    @cached_property
    def factor(self):
        """That of what the inner grouping leaves of the outer one."""
        of = self.of
        return of.outer.factor(self.g, of.unmoved + of.outer.weighted(self.left / of.n))

    @cached_property
    def sides(self):
        """Z_1'W C, of the outer groups."""
        return self.of.moved + self.of.counts @ (self.of.means * self.left[:, None])

    @cached_property
    def F(self):
        """F of the outer and of the inner grouping."""
        of = self.of
        outer = self.factor.solve(self.sides)
        inner = (of.n[:, None] * of.means - self.g * (of.counts.T @ outer)) * self.left[:, None]
        return outer, inner

    @cached_property
    def cross(self):
        """C'V^-1 C."""
        of = self.of
        between = (of.means * (of.n * self.left)[:, None]).T @ of.means
        return of.within + between - self.g * self.sides.T @ self.F[0]

    @cached_property
    def root(self):
        """Lower triangular, root'root = (X'V^-1 X)^-1."""
        return np.linalg.inv(np.linalg.cholesky(self.cross[:-1, :-1]))

    @cached_property
    def cov(self):
        """(X'V^-1 X)^-1."""
        return self.root.T @ self.root

    @cached_property
    def beta(self):
        """Coefficients of the columns in working units."""
        return self.root.T @ (self.root @ self.cross[:-1, -1])

    @cached_property
    def rss(self):
        """Residual sum of squares in the metric of V^-1; FloatingPointError where it is but rounding."""
        half = self.root @ self.cross[:-1, -1]
        left = float(self.cross[-1, -1] - half @ half)
        if not left > _NOTHING:
            raise FloatingPointError
        return left

    @property
    def theta(self):
        """Variance within, in units of the squared length of the outcome."""
        return self.rss / self.of.degrees

    @cached_property
    def log_det(self):
        """Of V, and of X'V^-1 X under REML."""
        both = np.log1p(self.h * self.of.n).sum() + self.factor.log_det
        return float(both - 2 * np.log(self.root.diagonal()).sum() * self.of.reml)

    @cached_property
    def value(self):
        """R's REMLcrit, or -2 log likelihood under ML."""
        return self.of.constant + self.of.degrees * np.log(self.rss) + self.log_det

    # ---- first and second order ------------------------------------------------------------------

    @cached_property
    def _found(self):
        of, left = self.of, self.left
        return self.factor.traces(of.outer.weighted(left**2), of.outer.weighted(of.n * left**3))

    @property
    def trace(self):
        """Traces of Z_s'V^-1 Z_s."""
        return np.array([self._found.S, (self.of.n * self.left).sum() - self.g * self._found.E])

    @property
    def traces(self):
        """Sums of squares of Z_s'V^-1 Z_t."""
        found, d = self._found, self.of.n * self.left
        inner = d @ d - 2 * self.g * found.F + self.g**2 * found.EE
        return np.array([[found.SS, found.EI], [found.EI, inner]])

    @cached_property
    def FF(self):
        """F_s'F_s, of shape (2, p + 1, p + 1)."""
        return np.array([F.T @ F for F in self.F])

    @cached_property
    def FHF(self):
        """F_s'Z_s'V^-1 Z_t F_t, of shape (2, 2, p + 1, p + 1)."""
        outer, inner = self.F
        again = self.factor.solve(outer)
        across = self.of.counts @ (inner * self.left[:, None])
        ss = outer.T @ self.factor.dot_S(again)
        st = again.T @ across
        tt = (inner * (self.of.n * self.left)[:, None]).T @ inner
        tt = tt - self.g * across.T @ self.factor.solve(across)
        return np.array([[ss, st], [st.T, tt]])

    @cached_property
    def _weight(self):
        """C'V^-1.. to numbers: the coefficients' covariance (REML) plus residuals times degrees over rss."""
        r = self.residual
        weight = np.outer(r, r) * (self.of.degrees / self.rss)
        if self.of.reml:
            weight[:-1, :-1] += self.cov
        return weight

    @property
    def residual(self):
        """Turns columns into residuals."""
        return np.append(-self.beta, 1.0)

    @cached_property
    def score(self):
        """Minus the derivatives of log rss, times the degrees."""
        r = self.residual
        return np.array([r @ FF @ r for FF in self.FF]) * (self.of.degrees / self.rss)

    @cached_property
    def gradient(self):
        """Of the value, in the ratios."""
        return self.trace - np.einsum("sxy,xy->s", self.FF, self._weight)

    @cached_property
    def curve(self):
        """Second derivatives of rss in the ratios, times the degrees over rss."""
        r, p = self.residual, self.of.p
        half = self.FF[:, :p] @ r @ self.root.T
        return 2 * (np.einsum("stxy,x,y->st", self.FHF, r, r) - half @ half.T) * (self.of.degrees / self.rss)

    @cached_property
    def hessian(self):
        """Of the value, in the ratios."""
        found = self.curve - np.outer(self.score, self.score) / self.of.degrees - self.traces
        if self.of.reml:
            p = self.of.p
            turned = self.FF[:, :p, :p] @ self.cov
            found = found + 2 * np.einsum("stxy,xy->st", self.FHF[:, :, :p, :p], self.cov)
            found = found - np.einsum("sxy,tyx->st", turned, turned)
        return (found + found.T) / 2
