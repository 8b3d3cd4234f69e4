"""The posterior by quadrature: against other quadratures, a closed form; what does not exist."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, special, stats

from helpers import classrooms, meta_pooling, partial_pooling, posterior, radon
from helpers.fits.bayes import Exponential, Flat, HalfNormal, HalfT, Normal, Priors
from helpers.tables import summarise

SCHOOLS = [28, 8, -3, 7, -1, 1, 18, 12], np.array([15, 10, 16, 11, 9, 11, 10, 18.0]) ** 2


def made(sizes, effects, seed=3):
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    y = 50 + np.asarray(effects)[group] + rng.normal(0, 2, len(group))
    return pd.DataFrame({"g": group, "y": y})


UNEVEN = made([2, 5, 3, 9, 4, 1], [0, 3, -2, 1, 4, -3])
ZERO = made([4, 6, 3, 5, 8], [0.0, 0, 0, 0, 0], seed=5)
EVEN = made([6] * 7, [0, 3, -2, 1, 4, -3, 0])


def summary_of(data):
    return summarise(data, "y ~ 1", "g")


# ---- against a quadrature in the ratio of the variances, theta integrated out by hand ------------


class InRatio:
    """Flat on both standard deviations: integrals over r = psi / theta alone, by Gauss and Legendre.

    Given r the precision 1 / theta is a gamma variable of shape (N - 3) / 2 and rate rss / 2. The axis is
    t in (0, 1) with r = (t / (1 - t))^2, so that dr / sqrt(r) is smooth.
    """

    def __init__(self, data):
        y, group = data["y"].to_numpy(), data["g"].to_numpy()
        labels = np.unique(group)
        self.n = np.array([np.sum(group == g) for g in labels], dtype=float)
        self.means = np.array([y[group == g].mean() for g in labels])
        within = sum(((y[group == g] - y[group == g].mean()) ** 2).sum() for g in labels)
        self.N = len(y)
        edges = np.concatenate([[0, 1e-3, 1e-2], np.linspace(0.05, 0.95, 31), [0.99, 0.999, 1]])
        nodes, weights = np.polynomial.legendre.leggauss(30)
        t = (edges[:-1, None] + np.diff(edges)[:, None] * (nodes + 1) / 2).ravel()
        self.r = r = (t / (1 - t)) ** 2
        w = self.n / (1 + r[:, None] * self.n)
        self.total = w.sum(axis=1)
        self.mean = w @ self.means / self.total
        self.rss = within + np.sum(w * (self.means - self.mean[:, None]) ** 2, axis=1)
        log_det = np.log1p(r[:, None] * self.n).sum(axis=1)
        log = -0.5 * (log_det + np.log(self.total) + (self.N - 3) * np.log(self.rss))
        weight = np.exp(log - log.max()) / (1 - t) ** 2 * (np.diff(edges)[:, None] * weights).ravel()
        self.weight = weight / weight.sum()

    def expect(self, values):
        return self.weight @ values

    def theta(self, power=1.0):
        """Mean of theta to a power, at each r."""
        shape = (self.N - 3) / 2
        return (self.rss / 2) ** power * np.exp(special.gammaln(shape - power) - special.gammaln(shape))

    def below(self, theta):
        """Probability that theta is below a value, at each r."""
        return special.gammaincc((self.N - 3) / 2, self.rss / 2 / theta)


@pytest.mark.parametrize("name", ["classrooms", "uneven", "zero", "even"])
def test_flat_priors_against_a_quadrature_in_the_ratio(name):
    data = {"uneven": UNEVEN, "zero": ZERO, "even": EVEN}.get(name)
    if data is None:
        data = classrooms().rename(columns={"classroom": "g", "score": "y"})[["g", "y"]].astype({"g": int})
    found, other = posterior(summary_of(data)), InRatio(data)
    table, r = found.table(), other.r
    mean = other.expect(other.mean)
    known = other.expect(other.theta() / other.total)
    unknown = other.expect((other.mean - mean) ** 2)
    same = {"rtol": 1e-8, "atol": 0}
    np.testing.assert_allclose(found.mean.mean, mean, **same)
    np.testing.assert_allclose(found.mean.sd, np.sqrt(known + unknown), **same)
    np.testing.assert_allclose(found.mean.from_known, known, **same)
    np.testing.assert_allclose(found.mean.from_unknown, unknown, rtol=1e-8, atol=1e-12)
    theirs = {
        "sd_between": other.expect(np.sqrt(r) * other.theta(0.5)),
        "sd_within": other.expect(other.theta(0.5)),
        "psi": other.expect(r * other.theta()),
        "theta": other.expect(other.theta()),
    }
    for row, value in theirs.items():
        np.testing.assert_allclose(table.loc[row, "mean"], value, err_msg=row, **same)
    square = other.expect(other.theta(2))
    np.testing.assert_allclose(table.loc["theta", "sd"], np.sqrt(square - theirs["theta"] ** 2), **same)
    if len(other.n) > 6:
        square = other.expect(r**2 * other.theta(2))
        np.testing.assert_allclose(table.loc["psi", "sd"], np.sqrt(square - theirs["psi"] ** 2), **same)
    else:
        assert np.isinf(table.loc["psi", "sd"])
    for column, p in [("lower", 0.025), ("median", 0.5), ("upper", 0.975)]:
        psi, theta = table.loc[["psi", "theta"], column]
        np.testing.assert_allclose(other.expect(other.below(psi / r)), p, **same)
        np.testing.assert_allclose(other.expect(other.below(theta)), p, **same)
    j = 1
    kept = r * other.n[j] / (1 + r * other.n[j])
    guess = kept * other.means[j] + (1 - kept) * other.mean
    first = other.expect(guess)
    error = kept / other.n[j] + (1 - kept) ** 2 / other.total
    square = other.expect(error * other.theta() + (guess - first) ** 2)
    group = found.group(found.labels[j])
    np.testing.assert_allclose([group.mean, group.sd], [first, np.sqrt(square)], **same)


# ---- against a quadrature in the two standard deviations themselves, with the matrix of the model

PRIORS = {
    "bambi": "bambi",
    "half-t": Priors(HalfT(3, 2.0), HalfT(3, 2.0)),
    "cauchy": Priors(HalfT(1, 5.0), Flat("log")),
    "complexity": Priors(Exponential(3.0, 0.05), Flat("log"), Normal(49.0, 1.0)),
    "narrow": Priors(HalfNormal(0.3), HalfNormal(1.5)),
}


def density(prior, sd):
    if isinstance(prior, Flat):
        return sd ** {"sd": 0.0, "log": -1.0, "variance": 1.0}[prior.of]
    if isinstance(prior, HalfNormal):
        return stats.norm.pdf(sd, 0, prior.scale)
    if isinstance(prior, HalfT):
        return stats.t.pdf(sd, prior.df, 0, prior.scale)
    return stats.expon.pdf(sd, 0, -prior.beyond / np.log(prior.probability))


def panels(edges, points=24):
    """Gauss-Legendre nodes and weights between each two edges; towards inf by a / u."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    u, w = (nodes + 1) / 2, weights / 2
    x = [a / u if np.isinf(b) else a + (b - a) * u for a, b in pairwise(edges)]
    return np.concatenate(x), np.concatenate(
        [w * a / u**2 if np.isinf(b) else w * (b - a) for a, b in pairwise(edges)]
    )


@pytest.mark.parametrize("name", PRIORS)
def test_priors_of_all_kinds_against_a_quadrature_in_the_deviations(name):
    data = UNEVEN
    found = posterior(summary_of(data), PRIORS[name])
    priors = found.priors
    y, Z = data["y"].to_numpy(), pd.get_dummies(data["g"]).to_numpy(float)
    values, vectors = np.linalg.eigh(Z @ Z.T)
    y, ones = vectors.T @ y, vectors.T @ np.ones(len(y))
    tau, tau_weight = panels([0, 0.25, 0.5, 1, 2, 3, 4, 6, 8, 12, 20, 50, np.inf])
    sigma, sigma_weight = panels([0.4, *np.linspace(0.8, 5, 22), 7, 10, 20, np.inf])
    variance = sigma[:, None] ** 2 + tau[:, None, None] ** 2 * values
    asked, at = (0.0, 0.0) if priors.mean is None else (priors.mean.sd**-2, priors.mean.mean)
    precision = (ones**2 / variance).sum(axis=-1) + asked
    mean = ((ones * y / variance).sum(axis=-1) + asked * at) / precision
    rest = (y**2 / variance).sum(axis=-1) + asked * at**2 - mean**2 * precision
    log = -0.5 * (np.log(variance).sum(axis=-1) + np.log(precision) + rest)
    weight = np.exp(log - log.max()) * sigma_weight * density(priors.within, sigma)
    weight *= (tau_weight * density(priors.between, tau))[:, None]
    weight /= weight.sum()
    first = np.sum(weight * mean)
    spread = np.sum(weight * (1 / precision + (mean - first) ** 2))
    theirs = [first, np.sqrt(spread), np.sum(weight.T * tau), np.sum(weight * sigma)]
    table = found.table()
    ours = [*table.loc["mean", ["mean", "sd"]], *table.loc[["sd_between", "sd_within"], "mean"]]
    np.testing.assert_allclose(ours, theirs, rtol=1e-8)
    end = table.loc["mean", "upper"]
    np.testing.assert_allclose(
        np.sum(weight * stats.norm.cdf((end - mean) * np.sqrt(precision))), 0.975, rtol=1e-8
    )
    icc = found.expect(lambda between, within: between**2 / (between**2 + within**2))
    square = tau[:, None] ** 2
    np.testing.assert_allclose(icc, np.sum(weight * square / (square + sigma**2)), rtol=1e-8)


# ---- closed forms --------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [EVEN, made([6] * 9, np.zeros(9), seed=8)], ids=["apart", "alike"])
def test_flat_in_both_variances_is_a_ratio_of_beta_functions_where_balanced(data):
    """theta + n psi and theta are inverse gammas there, the former held above the latter (Hill 1965)."""
    J, n = data["g"].nunique(), 6
    means = data.groupby("g")["y"].mean()
    between, within = n * ((means - means.mean()) ** 2).sum(), data.groupby("g")["y"].var().sum() * (n - 1)
    a, c = (J - 3) / 2, (J * (n - 1) - 2) / 2
    share = between / (between + within)

    def moment(k, m):
        log = special.gammaln([a - k, c - m]).sum() - special.gammaln([a, c]).sum()
        ratio = special.betainc(a - k, c - m, share) / special.betainc(a, c, share)
        return ratio * np.exp(log) * (between / 2) ** k * (within / 2) ** m

    table = posterior(summary_of(data), Priors(Flat("variance"), Flat("variance"))).table()
    np.testing.assert_allclose(table.loc["mean", "sd"], np.sqrt(moment(1, 0) / (J * n)), rtol=1e-9)
    np.testing.assert_allclose(table.loc["theta", "mean"], moment(0, 1), rtol=1e-9)
    np.testing.assert_allclose(table.loc["theta", "sd"], np.sqrt(moment(0, 2) - moment(0, 1) ** 2), rtol=1e-8)
    np.testing.assert_allclose(table.loc["psi", "mean"], (moment(1, 0) - moment(0, 1)) / n, rtol=1e-9)


def test_a_deviation_between_that_is_squeezed_to_0_leaves_complete_pooling():
    """There 1 / theta is a gamma variable, of shape (N - 2) / 2 where the prior is flat in its root."""
    squeezed = posterior(summary_of(UNEVEN), Priors(HalfNormal(1e-6), Flat()))
    N, rest = len(UNEVEN), UNEVEN["y"].var(ddof=0) * len(UNEVEN)
    np.testing.assert_allclose(squeezed.mean.mean, UNEVEN["y"].mean(), rtol=1e-9)
    np.testing.assert_allclose(squeezed.mean.sd, np.sqrt(rest / (N - 4) / N), rtol=1e-9)


# ---- known variances -----------------------------------------------------------------------------


def test_eight_schools_against_scipys_quadrature():
    """Rubin (1981): flat on the mean and on tau; one dimension."""
    y, v = np.array(SCHOOLS[0], dtype=float), SCHOOLS[1]

    def at(tau, j=0):
        w = 1 / (v + tau**2)
        mean = w @ y / w.sum()
        weight = np.exp(-0.5 * (w @ (y - mean) ** 2) + 0.5 * np.log(w * 100).sum() - 0.5 * np.log(w.sum()))
        kept = tau**2 * w[j]
        group = kept * y[j] + (1 - kept) * mean
        return weight, mean, 1 / w.sum(), group, kept * v[j] + (1 - kept) ** 2 / w.sum()

    def total(f):
        ends = [0, 5, 10, 20, 40, 80, np.inf]
        return sum(integrate.quad(lambda t: at(t)[0] * f(t), a, b, epsabs=0, epsrel=1e-11, limit=200)[0]
                   for a, b in pairwise(ends))  # fmt: skip

    found = meta_pooling(*SCHOOLS).posterior(Flat())
    one = total(lambda t: 1)
    mean = total(lambda t: at(t)[1]) / one
    sd = np.sqrt(total(lambda t: at(t)[2] + (at(t)[1] - mean) ** 2) / one)
    np.testing.assert_allclose([found.mean.mean, found.mean.sd], [mean, sd], rtol=1e-8)
    np.testing.assert_allclose(found.table().loc["sd_between", "mean"], total(lambda t: t) / one, rtol=1e-8)
    first = total(lambda t: at(t)[3]) / one
    spread = np.sqrt(total(lambda t: at(t)[4] + (at(t)[3] - first) ** 2) / one)
    np.testing.assert_allclose([found.group(1).mean, found.group(1).sd], [first, spread], rtol=1e-8)
    median = found.between.quantile(0.5)
    halves = pairwise([0, median / 2, median])
    below = sum(integrate.quad(lambda t: at(t)[0], a, b, epsrel=1e-11)[0] for a, b in halves)
    np.testing.assert_allclose(below / one, 0.5, rtol=1e-8)


def test_density_and_distribution_of_a_deviation_agree():
    between = posterior(summary_of(EVEN)).between
    for a, b in [(0.1, 1.0), (1.0, 3.0), (3.0, 9.0)]:
        area = integrate.quad(between.density, a, b, epsabs=0, epsrel=1e-10)[0]
        np.testing.assert_allclose(area, between.cdf(b) - between.cdf(a), rtol=1e-9)


def test_other_units_and_another_origin_change_nothing_else():
    plain = posterior(summary_of(UNEVEN)).table()
    moved = posterior(summary_of(UNEVEN.assign(y=1e6 + 1e3 * UNEVEN["y"]))).table()
    unit = np.array([1e3, 1e3, 1e3, 1e6, 1e6])
    np.testing.assert_allclose(moved["sd"], plain["sd"] * unit, rtol=1e-8)
    np.testing.assert_allclose(moved["upper"] - [1e6, 0, 0, 0, 0], plain["upper"] * unit, rtol=1e-8)


def test_radon_with_its_85_sizes_of_1_to_116_is_worked_out():
    found = posterior(summarise(radon(), "log_radon ~ 1", "county"))
    fit = partial_pooling("log_radon ~ 1", radon(), "county")
    assert 1 < found.mean.sd / fit.bse.iloc[0] < 1.05
    far = found.groups()["sd"] / fit.group_means["se"].to_numpy()
    assert far.between(0.97, 1.1).all()


# ---- what does not exist, and what is refused ----------------------------------------------------


def test_moments_that_have_no_end_are_not_given_a_number():
    three, four, five = (posterior(summary_of(made([5] * J, np.arange(J)))) for J in (3, 4, 5))
    assert np.isnan(three.mean.mean)
    assert np.isinf(three.mean.sd)
    assert np.isfinite(four.mean.mean)
    assert np.isinf(four.mean.sd)
    assert np.isfinite(five.mean.sd)
    assert np.isinf(three.table().loc["sd_between", "mean"])
    assert np.isfinite(four.table().loc["sd_between", "mean"])
    for few in (three, four):
        assert np.isfinite(few.table()[["lower", "median", "upper"]]).all(axis=None)
        assert np.isfinite(few.groups()).all(axis=None)


def test_an_integral_without_end_grows_with_its_reach_and_one_with_an_end_does_not():
    """What `finite` says of four and five groups, seen in the other quadrature."""
    for J, ends in [(4, False), (5, True)]:
        other = InRatio(made([5] * J, np.arange(J)))
        part = other.weight * other.theta() / other.total
        far = part[other.r > 1e4].sum() / part.sum()
        assert bool(far < 0.05) is ends


@pytest.mark.parametrize(
    ("data", "prior", "words"),
    [
        (made([4, 4], [0, 3]), "flat", "improper: 2 groups are too few"),
        (made([4, 4, 4], [0, 3, 1]), Priors(Flat("variance")), "improper: 3 groups are too few"),
        (EVEN, Priors(Flat("log")), "no end towards 0"),
        (EVEN, "jeffreys", "prior must be one of"),
        (made([1, 1, 1, 1], [0, 1, 2, 3]), "flat", "one row only"),
    ],
)
def test_what_has_no_posterior_is_refused_by_name(data, prior, words):
    with pytest.raises(ValueError, match=words):
        posterior(summary_of(data), prior)


def test_two_groups_have_a_posterior_under_a_half_t_prior():
    assert np.isfinite(posterior(summary_of(made([4, 4], [0, 3])), Priors(HalfT(3, 2), HalfT(3, 2))).mean.sd)


def test_what_is_no_summary_of_a_mean_or_no_prior_is_refused():
    data = EVEN.assign(x=np.arange(len(EVEN)))
    with pytest.raises(ValueError, match="has the terms Intercept, x"):
        posterior(summarise(data, "y ~ x", "g"))
    with pytest.raises(TypeError, match="needs groups"):
        posterior(summarise(data, "y ~ 1"))
    with pytest.raises(TypeError, match="a Priors"):
        posterior(summary_of(EVEN), HalfNormal(1))
    with pytest.raises(TypeError, match="must be one of Flat"):
        Priors("flat")
    with pytest.raises(ValueError, match="scale must be positive"):
        HalfT(3, 0)
    with pytest.raises(ValueError, match="no group 'none'"):
        posterior(summary_of(EVEN)).group("none")
    with pytest.raises(TypeError, match="must be a prior"):
        meta_pooling(*SCHOOLS).posterior("flat")
