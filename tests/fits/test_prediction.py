"""The error of a group's partially pooled mean, averaged over the variances' ratio, and its interval."""

import mpmath
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers import complete_pooling, no_pooling, partial_pooling
from helpers.fits import prediction
from helpers.fits.batch import fit_batch
from helpers.fits.simulate import group_interval_coverage

INTEGRATED = 1e-8  # R's integrate is asked for 1e-9 of each piece
QUADRATURE = 1e-7  # 48 points; what is left out beyond them has weight exp(-20)
SHARE = 4  # Monte Carlo errors


def table(means, sizes, spread=1.0):
    """Rows with these group means, and deviations within that alternate."""
    parts = []
    for j, (mean, n) in enumerate(zip(means, sizes, strict=True)):
        away = spread * np.resize([1.0, -1.0], n)
        parts.append(pd.DataFrame({"g": j, "y": mean + away - away.mean()}))
    return pd.concat(parts, ignore_index=True)


# ---- the right values ----------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_the_classrooms_have_the_error_that_lme4s_criterion_gives(classrooms, reference, method):
    found = partial_pooling("score ~ 1", classrooms, "classroom", method=method).group_means
    expected = np.array(reference("group_error")[f"classrooms.{method}"])
    # lme4's ML estimate, about which the error is taken, stops some digits short of the maximum
    rtol = INTEGRATED if method == "reml" else 1e-7
    np.testing.assert_allclose(found["se_unconditional"].iloc[: len(expected)], expected, rtol=rtol)


@pytest.mark.parametrize(("name", "terms"), [("M1", "floor"), ("M2", "floor + log_uranium")])
def test_with_predictors_it_is_that_of_lme4s_criterion_and_dense_matrices(radon, reference, name, terms):
    found = partial_pooling(f"log_radon ~ {terms}", radon, "county").group_means
    r = reference("group_error")
    np.testing.assert_allclose(
        found["se_unconditional"].loc[r["radon.counties"]], r[f"radon.{name}"], rtol=INTEGRATED
    )


def test_where_psi_is_estimated_as_0_and_sizes_differ_it_is_that_of_lme4s_criterion(reference):
    y = [
        3.1,
        5.4,
        2.2,
        6.0,
        4.9,
        5.5,
        1.0,
        3.3,
        4.1,
        2.5,
        7.1,
        3.9,
        4.4,
        5.0,
        1.8,
        6.6,
        3.2,
        4.7,
        2.9,
        5.8,
        4.0,
    ]
    fit = partial_pooling("y ~ 1", pd.DataFrame({"y": y, "g": np.repeat([1, 2, 3, 4], [2, 3, 4, 12])}), "g")
    assert fit.singular
    np.testing.assert_allclose(
        fit.group_means["se_unconditional"], reference("group_error")["uneven.reml"], rtol=INTEGRATED
    )


def by_truncated_f(ms_between, ms_within, J, n, distances):
    """Balanced data: lambda = 1 - F variate / F, kept where it is not negative; by mpmath."""
    ms_between, ms_within, N = mpmath.mpf(ms_between), mpmath.mpf(ms_within), J * n
    a, b, ratio = mpmath.mpf(J - 1) / 2, mpmath.mpf(N - J) / 2, ms_between / ms_within

    def density(f):  # of F, but for a constant
        return f ** (a - 1) * (1 + a / b * f) ** (-a - b)

    cuts = [ratio * mpmath.mpf(k) / 8 for k in range(9)]
    whole = mpmath.quad(density, cuts)

    def average(of):
        return mpmath.quad(lambda f: density(f) * of(f / ratio), cuts) / whole

    def precision(left):  # left = 1 - lambda
        return (N - 1) / ((N - J) * ms_within + left * (J - 1) * ms_between)

    estimate, theta = min(1, 1 / ratio), 1 / average(precision)
    own = theta / n * average(lambda left: 1 - left + left / J)
    spread = average(lambda left: (left - estimate) ** 2)
    return [mpmath.sqrt(own + spread * distance**2) for distance in distances]


@pytest.mark.parametrize("J", [2, 3, 5, 12])
@pytest.mark.parametrize("n", [2, 6])
@pytest.mark.parametrize("apart", [0.3, 1.2, 5.0])
def test_balanced_it_is_the_f_distribution_read_backwards(J, n, apart):
    means = apart * np.sin(np.arange(J) * 2.3)
    fit = partial_pooling("y ~ 1", table(means, [n] * J), "g")
    found = fit.group_means["se_unconditional"]
    ms_between = n * means.var(ddof=1)
    ms_within = J * n / (J * (n - 1))  # deviations of 1
    ends = [0, J - 1]
    expected = by_truncated_f(ms_between, ms_within, J, n, means[ends] - means.mean())
    for j, error in zip(ends, expected, strict=True):
        assert found[j] == pytest.approx(float(error), rel=1e-5 if J == 2 else QUADRATURE)


def test_a_batch_has_the_errors_of_its_data_sets_one_by_one():
    rng, sizes = np.random.default_rng(3), np.array([2, 2, 7, 11])
    means = rng.normal(0, [[0.2], [0.8], [3.0]], (3, 4))
    ss_within = np.full(3, float(sum(n - n % 2 / n for n in sizes)))
    fit = fit_batch(means, sizes, ss_within)
    found = prediction.mean_squared_errors_batch(means, sizes, ss_within, fit.mean, fit.psi / fit.theta)
    for own, mse in zip(means, found, strict=True):
        alone = partial_pooling("y ~ 1", table(own, sizes), "g").group_means["se_unconditional"]
        np.testing.assert_allclose(np.sqrt(mse), alone, rtol=QUADRATURE)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "sizes", [[2, 2], [1, 3], [1, 1, 1, 2], [2, 2, 2, 100_000], [3] * 400, [1] * 30 + [2]]
)
@pytest.mark.parametrize("apart", [0.0, 1e-6, 1.0, 1e6])
def test_any_sizes_and_spreads_have_a_finite_error_not_far_above_no_poolings(sizes, apart):
    means = apart * np.sin(np.arange(len(sizes)) * 2.3)
    data = table(means, sizes)
    fit, alone = partial_pooling("y ~ 1", data, "g"), no_pooling("y ~ 1", data, "g")
    found = fit.group_means["se_unconditional"].to_numpy()
    raw = alone.group_means["se"].to_numpy()
    assert np.isfinite(found).all()
    assert (found > 0).all()
    if fit.group_df < 3:  # theta may be anything, so groups far apart may belong together
        assert (found <= np.maximum(1.5 * raw, 0.01 * data["y"].std())).all()
    else:
        assert (found <= 1.5 * raw).all()
        if apart == 1e6:  # nothing to draw together
            np.testing.assert_allclose(found, raw, rtol=1e-3)


def test_twice_the_points_move_nothing(monkeypatch, radon):
    fits = [
        partial_pooling("log_radon ~ floor", radon, "county"),
        partial_pooling("y ~ 1", table([0.1, 1.9, -0.4], [1, 2, 40_000]), "g"),
    ]
    found = [fit.group_means["se_unconditional"] for fit in fits]
    x, w = np.polynomial.legendre.leggauss(3 * prediction._NODES)
    monkeypatch.setattr(prediction, "_X", (x + 1) / 2)
    monkeypatch.setattr(prediction, "_W", w / 2)
    for fit, usual in zip(fits, found, strict=True):
        again = partial_pooling(None, fit.data).group_means["se_unconditional"]
        np.testing.assert_allclose(usual, again, rtol=1e-6)


def test_the_unit_of_the_outcome_is_the_unit_of_the_error(radon):
    fit = partial_pooling("log_radon ~ floor", radon, "county")
    other = partial_pooling("y ~ floor", radon.assign(y=1e6 + 1e-3 * radon["log_radon"]), "county")
    np.testing.assert_allclose(
        1e3 * other.group_means["se_unconditional"], fit.group_means["se_unconditional"], rtol=1e-7
    )


def test_two_groups_to_spare_leave_a_finite_error_far_from_their_own_values():
    rng = np.random.default_rng(5)
    data = table(rng.normal(0, 1, 4), [3, 4, 5, 6]).assign(w=lambda d: d["g"] ** 2 % 5.0)
    fit = partial_pooling("y ~ w", data, "g")
    found = fit.group_means["se_unconditional"]
    assert np.isfinite(found).all()
    assert (found < 100 * data["y"].std()).all()


# ---- the interval --------------------------------------------------------------------------------


def test_the_interval_is_t_on_the_df_of_no_pooling(radon):
    fit, alone = (pool("log_radon ~ floor", radon, "county") for pool in (partial_pooling, no_pooling))
    assert fit.group_df == alone.group_df == alone.df.iloc[0] == 919 - 85 - 1
    for pooled, se in ((fit, "se_unconditional"), (alone, "se")):
        ends, means = pooled.group_means_int(0.1), pooled.group_means
        half = stats.t.ppf(0.95, 833) * means[se]
        np.testing.assert_allclose(ends["upper"] - means["estimate"], half, rtol=1e-12)
        np.testing.assert_allclose(means["estimate"] - ends["lower"], half, rtol=1e-12)
    named = alone.conf_int(0.1).iloc[:85]
    np.testing.assert_allclose(alone.group_means_int(0.1), named, rtol=1e-12)


def test_a_group_level_term_takes_no_degree_of_freedom_within(radon):
    fit = partial_pooling("log_radon ~ floor + log_uranium", radon, "county")
    assert fit.group_df == 919 - 85 - 1


def test_what_has_no_group_means_has_no_interval_of_them(radon):
    with pytest.raises(ValueError, match="no group effects"):
        complete_pooling("log_radon ~ 1", radon, "county").group_means_int()
    with pytest.raises(ValueError, match="alpha must lie between 0 and 1"):
        partial_pooling("log_radon ~ 1", radon, "county").group_means_int(1.0)


# ---- how often it holds --------------------------------------------------------------------------

# The hardest of the grid: J of 5 to 50, sizes of 2 to 20 or unequal, intraclass correlations of .02 to .5.
HARD = [
    (5, 2, 0.5), (5, 20, 0.1), (10, 5, 0.1), (10, 10, 0.1), (20, 5, 0.05), (20, 5, 0.2), (30, 2, 0.3),
    (30, 10, 0.1), (30, 20, 0.02), (50, 5, 0.05), (50, 20, 0.02),
    (5, (1, 1, 1, 2, 5), 0.5), (10, (2, 2, 2, 4, 10), 0.3), (30, (2, 2, 2, 4, 10), 0.1),
    (50, (1, 1, 1, 2, 5), 0.2),
    (10, (2,) * 9 + (200,), 0.3), (20, (2,) * 19 + (200,), 0.3), (30, (5,) * 29 + (100,), 0.1),
    (2, 2, 0.2), (3, 20, 0.3), (4, 5, 0.5),
]  # fmt: skip


@pytest.fixture(scope="module")
def grid():
    return group_interval_coverage(HARD, replicates=4000, seed=12)


def test_the_interval_holds_the_groups_on_average_in_every_hard_design(grid):
    assert (grid["coverage"] - SHARE * grid["mcse"] > 0.925).all(), grid
    assert (grid["coverage"] > 0.93).all(), grid


def test_it_holds_them_where_psi_is_estimated_as_0_too(grid):
    often = grid[(grid["zero"] >= 0.1) & (grid.index.get_level_values("J") <= 30)]
    assert len(often) >= 6
    assert (often["coverage_zero"] - SHARE * often["mcse_zero"] > 0.80).all(), often
    assert (often["known_zero"] < 0.85).all(), often  # the variances taken as known do not
    assert often["known_zero"].median() < 0.65


def test_it_is_on_average_shorter_than_no_poolings(grid):
    assert grid["length"].mean() < 0.85
    assert (grid["length"] < 1.01).all(), grid


def test_it_holds_them_with_predictors():
    """One within groups and one of the groups, at the groups' own values: the slow way, one by one."""
    rng, J, sizes = np.random.default_rng(17), 8, np.resize([2, 2, 6], 8)
    g, held = np.repeat(np.arange(J), sizes), []
    data = pd.DataFrame({"g": g, "x": rng.standard_normal(len(g)), "w": rng.standard_normal(J)[g]})
    for _ in range(400):
        effects = rng.normal(0, np.sqrt(0.25), J)
        data["y"] = effects[g] + rng.standard_normal(len(g))
        fit = partial_pooling("y ~ x + w", data, "g")
        means = fit.group_means_at(x=0)
        half = stats.t.ppf(0.975, fit.group_df) * means["se_unconditional"]
        held.append((np.abs(means["estimate"] - effects) <= half).mean())
    error = np.std(held) / np.sqrt(len(held))
    assert np.mean(held) > 0.95 - 3 * error  # 0.96 in 4 000


def test_a_coverage_grid_has_a_seed_and_names_its_cells():
    cells = [(4, 3, 0.0), (5, (1, 1, 4), 0.4)]
    grid = group_interval_coverage(cells, replicates=300, seed=1)
    pd.testing.assert_frame_equal(grid, group_interval_coverage(cells, replicates=300, seed=1))
    assert grid.index.tolist() == [(4, "3", 0.0), (5, "1:1:4", 0.4)]
    with pytest.raises(ValueError, match="intraclass correlation must be at least 0"):
        group_interval_coverage([(4, 3, 1.0)], replicates=10)
