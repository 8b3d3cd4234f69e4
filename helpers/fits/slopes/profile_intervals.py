"""Profile likelihood intervals of sds, correlations, theta and coefficients where slopes vary.

A parameter is held, the rest is at its best by Newton's method, and an end is where minus twice the log
likelihood has risen by the quantile of chi-square on 1 degree of freedom, or the end of what a parameter
can be (an sd of 0, a correlation of -1 or 1).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import linalg, optimize

from ...formulas import distributions as stats
from ..terms import estimates
from .likelihood import Likelihood
from .search import descend, in_factor, maximum, minimise


def profile_intervals(fit, alpha, method):
    """Intervals for all that the likelihood of a method has, in the units of the terms, as a DataFrame.

    Parameters
    ----------
    fit : result.SlopesEstimate
    alpha : float
        One minus the level.
    method : {"reml", "ml"}
    """
    likelihood, top, names = fit._solution.likelihood, fit._solution.top, fit.varying
    if method != fit.method:
        likelihood = Likelihood(likelihood.reduced, method)
        top = maximum(likelihood)
    terms = fit.data.terms if method == "ml" else []
    sds, correlations, theta, coefficients = _ends(likelihood, top, fit._contrasts[: len(terms)], alpha)
    pairs = zip(*np.triu_indices(len(names), 1), strict=True)
    rows = [f"sd[{name}]" for name in names]
    rows += [f"correlation[{names[i]}, {names[k]}]" for i, k in pairs] + ["theta", *terms]
    y, none = fit._length, np.zeros(len(fit.data.terms))
    from_none = estimates(fit.data, fit._contrasts, none)[: len(terms), None]
    ends = np.concatenate([sds * y, correlations, theta[None] * y**2, coefficients * y + from_none])
    return pd.DataFrame(ends, rows, ["lower", "upper"])


def _ends(likelihood, top, contrasts, alpha):
    """Ends for everything that a likelihood of slopes has, in working units.

    Parameters
    ----------
    likelihood : likelihood.Likelihood
    top : search.Maximum
        Where it is highest.
    contrasts : ndarray of shape (k, p)
        Of the coefficients in working units; none under REML, whose likelihood has no coefficients.
    alpha : float
        One minus the level.

    Returns
    -------
    sds : ndarray of shape (q, 2)
        Of the terms as given, over the outcome's length.
    correlations : ndarray of shape (q (q - 1) / 2, 2)
        Pairs in the order of `numpy.triu_indices`.
    theta : ndarray of shape (2,)
        In units of the squared length.
    coefficients : ndarray of shape (k, 2)
    """
    q, back = len(top.factor), likelihood.reduced.back
    most = top.criterion + stats.chi2.ppf(1 - alpha, 1)
    of_sds = [Sd(likelihood, top, back[[k]]) for k in range(q)]
    sds, at_zero = np.empty((q, 2)), np.empty(q)
    for k, held in enumerate(of_sds):
        at_zero[k] = held.least(0.0)
        low = 0.0 if at_zero[k] <= most else held.end(most, 0.0)
        sds[k] = low, held.end(most, np.inf)
    correlations = []
    for i, k in zip(*np.triu_indices(q, 1), strict=True):
        # Where one of the two may be 0 the correlation may be anything.
        face = min(at_zero[i], at_zero[k])
        if face <= most:
            correlations.append((-1.0, 1.0))
            continue
        held = Correlation(likelihood, top, back[[i, k]], face)
        correlations.append([r if held.least(r) <= most else held.end(most, r) for r in (-1.0, 1.0)])
    held = Theta(likelihood, top)
    theta = held.end(most, 0.0), held.end(most, np.inf)
    coefficients = [
        [held.end(most, side) for side in (-np.inf, np.inf)]
        for held in (Coefficient(likelihood, top, a) for a in contrasts)
    ]
    return sds, np.reshape(correlations, (-1, 2)), np.array(theta), np.reshape(coefficients, (-1, 2))


class Held:
    """The likelihood with one parameter held: a kind says where it starts and what it is at its best.

    Attributes
    ----------
    best : float
        The parameter at the maximum.
    step : float
        How far out to look first.
    """

    def least(self, value):
        """Minus twice the log likelihood at a value of the parameter, everything else at its best."""
        raise NotImplementedError

    def end(self, most, side):
        """Where `least` reaches ``most`` on the way from the best to a side, by its root, near a line."""
        quantile = np.sqrt(most - self.lowest)

        def excess(value):
            return np.sqrt(max(self.least(value) - self.lowest, 0.0)) - quantile

        inner, outer = self.best, side
        if np.isinf(side) or not self.reaches(side):
            inner, outer = self._bracket(excess, side)
        return optimize.brentq(excess, inner, outer, xtol=1e-300, rtol=1e-10)

    def reaches(self, side):
        """Whether the likelihood is defined at the end of the parameter's range."""
        return True

    def _bracket(self, excess, side):
        inner, step = self.best, self.step
        while True:
            outer = inner + step if side > self.best else inner - step
            if excess(outer) >= 0:
                return inner, outer
            inner, step = outer, 2 * step


class _OfVariances(Held):
    """One of the variance parameters held: the others as a lower triangular factor in turned coordinates.

    ``rows`` (k, q), effects in working units, come first in the coordinates; what completes them is
    orthogonal in the metric of an average group.
    """

    def __init__(self, likelihood, top, rows):
        self.likelihood, self.lowest = likelihood, top.criterion
        C = np.linalg.cholesky(likelihood.reduced.average)
        v = np.linalg.solve(C, rows.T).T
        self.unit = np.linalg.norm(v, axis=1)
        v = v / self.unit[:, None]
        turn = np.concatenate([v, linalg.null_space(v).T]) if len(v) else np.eye(len(C))
        self.into = np.linalg.solve(C.T, np.linalg.inv(turn))  # from the coordinates to working units
        half = np.linalg.qr((turn @ C.T @ top.factor).T)[1].T
        half = half * np.where(half.diagonal() < 0, -1.0, 1.0)
        q = len(C)
        self.factor = np.zeros((q, q))
        self.factor[:, : half.shape[1]] = half
        self.places = np.nonzero(np.tri(q, dtype=bool))
        self.theta = likelihood.gls(likelihood.sums(top.D, 0).cross).rss / likelihood.degrees

    def expand(self, entries, theta=None):
        """Value, gradient and Hessian in the entries of the factor, then in log theta if it is given."""
        q, T = len(self.factor), self.into
        factor = np.zeros((q, q))
        factor[self.places] = entries
        half = T @ factor
        now = self.likelihood.expand(half @ half.T, theta)
        turned = now._replace(
            gradient=T.T @ now.gradient @ T,
            hessian=np.einsum("ijkl,ia,jb,kc,ld->abcd", now.hessian, T, T, T, T, optimize=True),
        )
        J, gradient, hessian = in_factor(turned, factor)
        if theta is None:
            return now.value, gradient, hessian
        across, off = (T.T @ now.score @ T).ravel() @ J, now.rss / theta
        more = np.empty((len(gradient) + 1,) * 2)
        more[:-1, :-1], more[-1, :-1], more[:-1, -1], more[-1, -1] = hessian, across, across, off
        return now.value, np.append(gradient, self.likelihood.degrees - off), more


class Sd(_OfVariances):
    """The sd of one varying coefficient held, over the outcome's length."""

    def __init__(self, likelihood, top, rows):
        super().__init__(likelihood, top, rows)
        self.best = self.factor[0, 0] * np.sqrt(self.theta) * self.unit[0]
        self.step = max(0.3 * self.best, 0.3 * self.unit[0] * np.sqrt(self.theta))
        self.rest = np.append(self.factor[self.places][1:], np.log(self.theta))

    def least(self, value):
        """As `Held.least`."""

        def of(rest):
            first = value / self.unit[0] * np.exp(-rest[-1] / 2)
            least, gradient, hessian = self.expand(np.append(first, rest[:-1]), np.exp(rest[-1]))
            slope, own = gradient[0], hessian[0, 0]
            change = -first / 2  # of the first entry with log theta
            across = hessian[0, 1:] * change
            gradient, hessian = gradient[1:], hessian[1:, 1:]
            gradient[-1] += slope * change
            hessian[-1] += across
            hessian[:, -1] += across
            hessian[-1, -1] += own * change**2 + slope * first / 4
            return least, gradient, hessian

        self.rest, least = minimise(of, self.rest)
        return least


class Theta(_OfVariances):
    """Theta held, in units of the outcome's squared length."""

    def __init__(self, likelihood, top):
        super().__init__(likelihood, top, np.empty((0, len(top.factor))))
        self.best, self.entries = self.theta, self.factor[self.places]
        self.step = self.theta * np.sqrt(8 / likelihood.degrees)

    def reaches(self, side):
        """Not at 0 nor beyond all bounds."""
        return False

    def _bracket(self, excess, side):
        # evenly in the logarithm, so that 0 is never reached
        inner, ratio = self.best, np.exp(self.step / self.best * np.sign(side - self.best))
        while excess(outer := inner * ratio) < 0:
            inner = outer
        return inner, outer

    def least(self, value):
        """As `Held.least`."""

        def of(entries):
            least, gradient, hessian = self.expand(entries, value)
            return least, gradient[:-1], hessian[:-1, :-1]

        self.entries, least = minimise(of, self.entries)
        return least


class Correlation(_OfVariances):
    """The correlation of two varying coefficients held; ``face`` is the least where one does not vary."""

    def __init__(self, likelihood, top, rows, face):
        super().__init__(likelihood, top, rows)
        length = np.hypot(*self.factor[1, :2])
        self.face, self.best = face, float(np.clip(self.factor[1, 0] / length, -1, 1))
        entries = self.factor[self.places]
        self.rest = np.concatenate([[entries[0], length], entries[3:]])
        self.start = self.rest

    def least(self, value):
        """As `Held.least`; `face` where the best lies across it."""
        direction = np.array([value, np.sqrt(1 - value**2)])
        M = np.zeros((len(self.rest) + 1, len(self.rest)))
        M[0, 0], M[1:3, 1] = 1.0, direction
        M[3:, 2:] = np.eye(len(self.rest) - 2)

        def of(rest):
            least, gradient, hessian = self.expand(M @ rest)
            return least, gradient @ M, M.T @ hessian @ M

        self.rest, least = minimise(of, self.rest)
        if self.rest[0] * self.rest[1] > 0:
            return least
        self.rest = self.start  # across the face the correlation has the other sign
        return self.face


class Coefficient(Held):
    """A contrast of the coefficients held, by ML: it leaves the columns, and its share leaves the outcome."""

    def __init__(self, likelihood, top, contrast):
        self.likelihood, self.lowest, self.contrast = likelihood, top.criterion, contrast
        gls = likelihood.gls(likelihood.sums(top.D, 0).cross)
        self.best = float(contrast @ gls.beta)
        se = np.linalg.norm(gls.root @ contrast) * np.sqrt(gls.rss / likelihood.degrees)
        self.step = 2 * float(se)
        self.factor = np.zeros((len(top.factor),) * 2)
        self.factor[:, : top.factor.shape[1]] = top.factor

    def least(self, value):
        """As `Held.least`."""
        a, reduced = self.contrast, self.likelihood.reduced
        k = int(np.abs(a).argmax())
        A = np.delete(np.eye(len(a) + 1), k, axis=1)
        A[k] = np.append(-np.delete(a, k), -value) / a[k]
        A[-1] = np.append(np.zeros(len(a) - 1), 1.0)
        A[k, -1] = -value / a[k]
        sides = np.einsum("kcj,cd->kdj", reduced.sides, A, optimize=True)
        held = replace(
            reduced,
            both=np.concatenate([reduced.roots, sides], axis=1),
            columns=len(sides) + np.arange(len(a)),
            left=A.T @ reduced.left @ A,
            lengths=np.delete(reduced.lengths, k),
        )
        there = descend(Likelihood(held, "ml"), self.factor[None])
        self.factor = there.factor
        return there.criterion
