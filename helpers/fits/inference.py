"""Small-sample, cluster-robust and likelihood inference: Satterthwaite, Kenward-Roger, CR0-CR3, profiles.

All of it works on a `GroupSummary`: V has the eigenvalue theta within groups and theta + n_j psi along
the constant of group j, so no N x N matrix is ever made. Everything is computed in units of theta, so
that no unit of the outcome over- or underflows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
from scipy import optimize, special, stats

from ..tables.summary import inverse, unit_diagonal
from .reml import Profile

_FULL = 1e-12  # a leverage this near 1 is 1: the group's residuals are 0 and it says nothing of the error
_FINE = 256  # points of the scan for the end of a profile interval, before the climb


@dataclass(frozen=True)
class _Information:
    """What the covariance of the coefficients and the variances know of each other, at theta = 1.

    With G_0 = dV/dpsi and G_1 = dV/dtheta: ``cov`` is (X'V^-1 X)^-1, ``P[i]`` the derivative
    -X'V^-1 G_i V^-1 X of its inverse, ``Q[i, j]`` is X'V^-1 G_i V^-1 G_j V^-1 X, and ``expected`` and
    ``marginal`` twice the expected REML and ML information of (psi, theta).
    """

    cov: np.ndarray
    P: np.ndarray
    Q: np.ndarray
    expected: np.ndarray
    marginal: np.ndarray


def _information(summary, ratio):
    p, groups = len(summary.terms), summary.by_size
    n, W = groups.sizes, summary.within[:p, :p]
    tau = 1 + n * ratio

    def both(weight, inside):
        return groups.weighted(weight)[:p, :p] + inside * W

    cov = inverse(both(n / tau, 1))
    P = np.array([-both(n**2 / tau**2, 0), -both(n / tau**2, 1)])
    Q = np.empty((2, 2, p, p))
    expected, marginal = np.empty((2, 2, 2))
    for i, j in product((0, 1), repeat=2):
        power = 2 - i - j  # how many of G_i, G_j are dV/dpsi, which is n_j along a group's constant
        inside = float(power == 0)
        Q[i, j] = both(n ** (power + 1) / tau**3, inside)
        marginal[i, j] = groups.counts @ (n**power / tau**2) + inside * (summary.nobs - summary.ngroups)
        expected[i, j] = marginal[i, j] - 2 * np.trace(cov @ Q[i, j]) + np.trace(cov @ P[i] @ cov @ P[j])
    return _Information(cov, P, Q, expected, marginal)


def _df(cov, P, spread):
    """Degrees of freedom of a contrast a: 2 / variance of log a'cov a, as a function of a."""

    def of(a):
        change = np.array([a @ cov @ P[i] @ cov @ a for i in (0, 1)]) / (a @ cov @ a)
        return float(2 / (change @ spread @ change))

    return of


def kenward_roger(summary, psi, theta):
    """Kenward and Roger's (1997) adjustment for the estimated variances.

    Parameters
    ----------
    summary : GroupSummary
    psi, theta : float
        REML estimates, theta > 0.

    Returns
    -------
    cov : ndarray of shape (p, p)
        Adjusted covariance of the coefficients of the centred columns, as in `reml.VarianceFit`.
    df : callable
        ``df(a)`` is the denominator degrees of freedom of the contrast a, an array of shape (p,).
    """
    known = _information(summary, psi / theta)
    cov, P = known.cov, known.P
    spread = 2 * np.linalg.inv(known.expected)
    bias = sum(spread[i, j] * (known.Q[i, j] - P[i] @ cov @ P[j]) for i, j in product((0, 1), repeat=2))
    return theta * (cov + 2 * cov @ bias @ cov), _df(cov, P, spread)


def shares(summary, contrast, ratio):
    """Of psi and of theta in the variance of a contrast of the coefficients, A psi + B theta, weights fixed.

    Parameters
    ----------
    summary : GroupSummary
    contrast : ndarray of shape (p,)
        Of the coefficients of the centred columns.
    ratio : float
        psi / theta that the weights are made with.

    Returns
    -------
    A, B : float
    """
    known = _information(summary, ratio)
    along = known.cov @ contrast
    return tuple(float(-along @ P @ along) for P in known.P)


def predicted_mean(summary, contrast, psi, theta, K=np.inf):
    """Squared error and degrees of freedom of the predicted mean of K groups.

    The predictor is the best linear unbiased one: its mean squared error is A psi + B theta, where A and B
    are squares of its weights, and by the envelope theorem also its derivatives in psi and theta. Hence
    Satterthwaite's degrees of freedom, 2 (A psi + B theta)^2 / Var(A psi-hat + B theta-hat), from the
    expected REML information; for K = inf they are Kenward and Roger's.

    Parameters
    ----------
    summary : GroupSummary
    contrast : ndarray of shape (p,)
        The coefficients of the centred columns whose sum is the mean of all groups.
    psi, theta : float
        REML estimates, theta > 0.
    K : float
        Groups in the population, J of them seen.

    Returns
    -------
    mse, df, of_psi : float
        ``of_psi`` is A.
    """
    known, ratio = _information(summary, psi / theta), psi / theta
    J, n, means = summary.ngroups, summary.sizes, summary.centred_means()[:, :-1]
    tau = 1 + n * ratio
    factor, unseen = n * ratio / tau, (1 - J / K) / K
    left = contrast - factor @ means / K
    weights = n / tau * (means @ known.cov @ left) + factor / K  # of the groups, in the predictor
    mse = left @ known.cov @ left + np.sum(factor / n) / K**2 + unseen * ratio
    of_psi = np.sum((weights - 1 / K) ** 2) + unseen
    change = np.array([of_psi, mse - of_psi * ratio]) / mse
    return theta * mse, float(1 / (change @ np.linalg.inv(known.expected) @ change)), float(of_psi)


def satterthwaite(summary, beta, psi, theta):
    """Satterthwaite's degrees of freedom, from the observed REML information.

    The variance of a coefficient's estimated variance by the delta method, with twice the inverse of
    the second derivatives of -2 log restricted likelihood in (psi, theta) for their covariance
    (Giesbrecht and Burns 1985; what lmerTest computes numerically).

    Parameters
    ----------
    summary : GroupSummary
    beta : ndarray of shape (p,)
        Coefficients of the centred columns, as in `reml.VarianceFit`.
    psi, theta : float
        REML estimates, psi > 0.

    Returns
    -------
    df : callable
        ``df(a)`` is the degrees of freedom of the contrast a, an array of shape (p,).

    Raises
    ------
    ValueError
        If the information is not positive definite, as it may be where psi is 0.
    """
    known = _information(summary, psi / theta)
    n, W = summary.by_size.sizes, summary.within
    tau = 1 + n * psi / theta
    residual = np.append(-beta, 1.0)

    def both(weight, inside):
        return (summary.by_size.weighted(weight) + inside * W) @ residual

    score = [both(n**2 / tau**2, 0)[:-1], both(n / tau**2, 1)[:-1]]
    observed = np.empty((2, 2))
    for i, j in product((0, 1), repeat=2):
        power = 2 - i - j
        square = residual @ both(n ** (power + 1) / tau**3, power == 0)
        observed[i, j] = 2 * (square - score[i] @ known.cov @ score[j]) / theta - known.expected[i, j]
    if np.linalg.eigvalsh(observed)[0] <= 0:
        raise ValueError(
            "Satterthwaite's degrees of freedom are not defined here: the likelihood is not curved "
            'at its maximum (psi is at or near 0); use with_df("residual")'
        )
    return _df(known.cov, known.P, 2 * np.linalg.inv(observed))


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
    S : ndarray of shape (J, p, p)
        root X_g'X_g root': its eigenvalues, between 0 and 1, are the leverages of the group.
    u : ndarray of shape (J, p)
        root X_g'e_g, e the residuals.
    """
    p, varying, means, n = len(summary.terms), summary.varying, summary.centred_means(), summary.sizes
    S = n[:, None, None] * means[:, :p, None] * means[:, None, :p]
    S[:, varying[:, None], varying] += summary.products[:, :, :-1]
    residual = np.append(-beta, 1.0)
    u = (n * (means @ residual))[:, None] * means[:, :p]
    u[:, varying] += summary.products @ residual[[*varying, p]]
    unit, scale = unit_diagonal(S.sum(axis=0))
    values, vectors = np.linalg.eigh(unit)
    root = (vectors / np.sqrt(values)) @ vectors.T / scale
    return root, root @ S @ root.T, u @ root.T


def cluster_robust(summary, beta, kind):
    """Cluster-robust (sandwich) covariance of least squares coefficients, by group.

    With S_g = X_g'X_g, M the inverse of their sum and u_g = X_g'e_g, CR0 is M (sum u_g u_g') M; CR1 is
    J / (J - 1) times that; CR2 and CR3 put (I - S_g M)^-1/2 u_g and (I - S_g M)^-1 u_g in the place of
    u_g (Bell and McCaffrey 2002; generalised inverses where a group has leverage 1, as clubSandwich).

    Parameters
    ----------
    summary : GroupSummary
    beta : ndarray of shape (p,)
        Least squares coefficients of the centred columns.
    kind : {"CR0", "CR1", "CR2", "CR3"}

    Returns
    -------
    cov : ndarray of shape (p, p)
        Covariance of the coefficients of the centred columns.
    df : callable
        ``df(a)`` is the degrees of freedom of the contrast a: under CR2 Satterthwaite's for independent
        errors (Bell and McCaffrey 2002; Pustejovsky and Tipton 2018), else J - 1.
    """
    J = summary.ngroups
    root, S, u = group_scores(summary, beta)
    leverage, axes = np.linalg.eigh(S)
    power = {"CR0": 0, "CR1": 0, "CR2": -0.5, "CR3": -1}[kind]
    left = 1 - leverage
    factor = np.where(left > _FULL, np.maximum(left, _FULL) ** power, 0.0) if power else np.ones_like(left)
    score = np.einsum("jik,jk,jlk,jl->ji", axes, factor, axes, u, optimize=True)
    cov = root.T @ (score.T @ score) @ root
    if kind == "CR1":
        cov *= J / (J - 1)

    def df(a):
        if kind != "CR2":
            return float(J - 1)
        along = np.einsum("jik,i->jk", axes, root @ a)
        own = np.sum(leverage * factor**2 * along**2, axis=1)
        q = np.einsum("jik,jk->ji", axes, leverage * factor * along)
        inner = q.T @ q
        trace = own.sum() - np.trace(inner)
        return float(trace**2 / (np.sum(own**2) - 2 * own @ np.sum(q**2, axis=1) + np.sum(inner**2)))

    return cov, df


def variance_ses(summary, psi, theta, method):
    """Standard errors of (psi, theta) by the inverse expected information, on the variances' own scale.

    Where psi is 0 its own is NaN, for the estimate has no normal distribution there, and theta's is that
    of complete pooling. Searle et al. (1992), chapter 4.

    Parameters
    ----------
    summary : GroupSummary
    psi, theta : float
    method : {"reml", "ml"}

    Returns
    -------
    tuple of float
    """
    if psi == 0:
        rows = summary.nobs - (len(summary.terms) if method == "reml" else 0)
        return np.nan, theta * np.sqrt(2 / rows)
    known = _information(summary, psi / theta)
    expected = known.expected if method == "reml" else known.marginal
    return tuple(float(se) for se in theta * np.sqrt(2 * np.linalg.inv(expected).diagonal()))


def icc_interval(f_ratio, J, n, alpha=0.05):
    """Exact interval for the intraclass correlation of balanced normal data, from F = MSB / MSW.

    With f = F / quantile of F on J - 1 and J (n - 1) degrees of freedom, the ends are (f - 1) / (f + n - 1):
    Searle et al. (1992), section 3.6. Ends below 0 are set to 0.

    Parameters
    ----------
    f_ratio : float
        Mean square between over mean square within.
    J, n : int
        Groups, and rows in each.
    alpha : float
        One minus the level.

    Returns
    -------
    tuple of float
    """
    f = f_ratio / stats.f.ppf([1 - alpha / 2, alpha / 2], J - 1, J * (n - 1))
    lower, upper = np.maximum((f - 1) / (f + n - 1), 0.0)
    return float(lower), float(upper)


def profile_intervals(summary, contrasts, alpha, method="ml"):
    """Likelihood intervals for psi, theta and contrasts of the coefficients.

    All values that a likelihood-ratio test at level alpha would not reject, everything else at its best: the
    set of (ratio, value) whose deviance is within a chi-square quantile of the least, seen from the side.
    For each ratio r the values have closed form ends, so one climb in r finds each end.

    Parameters
    ----------
    summary : GroupSummary
    contrasts : ndarray of shape (k, p)
        Of the coefficients of the centred columns; none under "reml", whose likelihood has no coefficients.
    alpha : float
    method : {"ml", "reml"}
        Which likelihood.

    Returns
    -------
    ndarray of shape (2 + k, 2)
        Lower and upper ends for psi, theta, and each contrast.
    """
    profile = Profile(summary, method)
    N, best = profile.degrees, profile.best_ratio()

    def log_det(r, XX):
        return profile.log_det(r) + (np.linalg.slogdet(XX)[1] if profile.reml else 0.0)

    def deviance(r):
        XX, _, rss = profile.gls(r)
        return N * np.log(rss) + log_det(r, XX)

    most = deviance(best) + stats.chi2.ppf(1 - alpha, 1)
    low, high = _crossings(lambda r: deviance(r) - most, best)
    y = profile.scale[-1]

    def theta(r, branch):
        XX, _, rss = profile.gls(r)
        # rss / theta = N s, where s - log s = 1 + room
        room = np.maximum(most - N * np.log(rss) - log_det(r, XX), 0.0) / N
        return y**2 * rss / (-N * special.lambertw(-np.exp(-1 - room), branch).real)

    def coefficient(r, a):
        """Lower end of a'beta."""
        XX, beta, rss = profile.gls(r)
        room = np.maximum(np.expm1((most - profile.log_det(r)) / N - np.log(rss)), 0.0) * rss
        variance = np.linalg.solve(XX, np.broadcast_to(a[:, None], (*np.shape(r), len(a), 1)))[..., 0] @ a
        return beta @ a - np.sqrt(variance * room)

    ends = [
        [_least(lambda r: r * theta(r, -1), low, high), -_least(lambda r: -r * theta(r, 0), low, high)],
        [_least(lambda r: theta(r, -1), low, high), -_least(lambda r: -theta(r, 0), low, high)],
    ]
    for contrast in contrasts:
        lower, upper = (partial(coefficient, a=contrast / profile.scale[:-1] * sign) for sign in (1, -1))
        ends.append([y * _least(lower, low, high), -y * _least(upper, low, high)])
    return np.array(ends)


def _crossings(excess, best):
    """Return the outermost ratios where the deviance is no more than allowed; it is so at ``best``."""
    grid = np.concatenate([[0.0], np.geomspace(1e-9, 1e9, 500)])
    grid = np.unique(np.append(grid * max(best, 1e-3), best))
    inside = np.flatnonzero(excess(grid) <= 0)
    first, last = inside[0], inside[-1]
    low = (
        0.0 if first == 0 else optimize.brentq(excess, grid[first - 1], grid[first], xtol=1e-300, rtol=1e-14)
    )
    return low, optimize.brentq(excess, grid[last], grid[last + 1], xtol=1e-300, rtol=1e-14)


def _least(value, low, high):
    """Least value of a function between two ratios: a scan, then a search about the best point."""
    grid = (
        np.linspace(low, high, _FINE) if low > 0 else np.append(0.0, np.geomspace(high * 1e-6, high, _FINE))
    )
    values = np.nan_to_num(value(grid), nan=np.inf)  # lambertw is NaN where an interval shrinks to a point
    k = values.argmin()
    bounds = grid[max(k - 1, 0)], grid[min(k + 1, len(grid) - 1)]
    found = optimize.minimize_scalar(
        value, bounds=bounds, method="bounded", options={"xatol": 1e-9 * bounds[1]}
    )
    return min(float(values[k]), float(found.fun))
