"""Intervals that hold: exact pivots against dense matrices and other algorithms; coverage by simulation."""

import mpmath
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from helpers import compare, partial_pooling
from helpers.fits.intervals import (
    between_variance_interval,
    icc_interval,
    of_new,
    variance_ratio_f,
    variance_ratio_interval,
)
from helpers.fits.simulate import grids as coverage
from helpers.fits.small_samples import bounded_kenward_roger, kenward_roger
from helpers.report.report import describe
from helpers.tables import summarise


def unequal(seed, sizes, terms=("x", "z"), sd=1.0):
    """A table of groups of such sizes, with a term of both levels and one of the groups."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(len(sizes)), sizes)
    x = rng.normal(size=len(sizes))[codes] + rng.normal(size=len(codes))
    z = rng.normal(size=len(sizes))[codes]
    y = sd * rng.normal(size=len(sizes))[codes] + rng.normal(size=len(codes))
    return pd.DataFrame({"y": y, "g": codes, "x": x, "z": z})


@given(seed=st.integers(0, 10**6), r=st.floats(0, 50), formula=st.sampled_from(["1", "x", "x + z", "x - 1"]))
def test_the_pivot_is_a_ratio_of_two_projections(seed, r, formula):
    """By N x N matrices: least squares in the metric of V(r), and with a column for each group."""
    sizes = np.random.default_rng(seed).integers(1, 9, 6)
    sizes[0] += 2
    data = unequal(seed, sizes)
    columns = {"1": [], "x": ["x"], "x + z": ["x", "z"], "x - 1": ["x"]}[formula]
    X = np.column_stack([np.ones(len(data))] * (formula != "x - 1") + [data[c] for c in columns])
    Z = np.equal.outer(data["g"].to_numpy(), np.arange(6)).astype(float)
    y = data["y"].to_numpy()
    root = np.linalg.cholesky(np.eye(len(y)) + r * Z @ Z.T)

    def left(A, b):
        return np.sum((b - A @ np.linalg.lstsq(A, b)[0]) ** 2)

    full = np.column_stack([X, Z])
    rank = np.linalg.matrix_rank(full)
    of_full = left(full, y)
    of_terms = left(np.linalg.solve(root, X), np.linalg.solve(root, y))
    df = rank - X.shape[1], len(y) - rank
    found = variance_ratio_f(summarise(data, f"y ~ {formula}", "g"), r)
    assert (found.df_between, found.df_within) == df
    # Least squares by orthogonal factors, here by cross-products.
    assert found.f == pytest.approx((of_terms - of_full) / df[0] / (of_full / df[1]), rel=1e-7, abs=1e-10)
    assert found.lower_tail == pytest.approx(stats.f.cdf(found.f, *df), rel=1e-12)


@given(
    seed=st.integers(0, 10**6), J=st.integers(2, 12), n=st.integers(2, 8), alpha=st.sampled_from([0.05, 0.2])
)
def test_balanced_the_interval_of_the_icc_is_the_closed_form(seed, J, n, alpha):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(J, 1)) + rng.normal(size=(J, n))
    fit = partial_pooling("y ~ 1", pd.DataFrame({"y": y.ravel(), "g": np.repeat(np.arange(J), n)}), "g")
    F = n * y.mean(axis=1).var(ddof=1) / y.var(axis=1, ddof=1).mean()
    np.testing.assert_allclose(fit.icc_int(alpha), icc_interval(F, J, n, alpha), rtol=1e-12, atol=1e-14)


def test_the_ends_hold_the_pivot_at_its_quantiles_with_predictors_and_unequal_sizes(radon):
    summary = summarise(radon, "log_radon ~ floor + log_uranium", "county")
    ends = np.array(variance_ratio_interval(summary, 0.1))
    assert ends[0] > 0
    assert [variance_ratio_f(summary, r).lower_tail for r in ends] == pytest.approx([0.95, 0.05], rel=1e-9)
    fit = partial_pooling("log_radon ~ floor + log_uranium", radon, "county")
    assert fit.icc_int(0.1) == pytest.approx(tuple(ends / (1 + ends)), rel=1e-14)
    assert fit.icc_int(0.1)[0] < fit.icc < fit.icc_int(0.1)[1]


@pytest.mark.parametrize("sd", [0.0, 0.6])
def test_the_exact_interval_covers_as_often_as_it_says(sd):
    """Seven unequal groups and two predictors; where psi is 0 only the lower end can miss."""
    sizes, reps = [1, 2, 2, 3, 6, 10, 30], 1000
    data = unequal(5, sizes)
    rng = np.random.default_rng(6)
    held = 0
    for _ in range(reps):
        y = sd * rng.normal(size=7)[data["g"]] + rng.normal(size=len(data))
        summary = summarise(data.assign(y=y), "y ~ x + z", "g")
        lower, upper = variance_ratio_interval(summary)
        held += lower <= sd**2 <= upper
    expected = 0.95 if sd else 0.975
    assert held / reps == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / reps))


def test_balanced_the_interval_of_psi_is_williams_and_tukeys():
    rng = np.random.default_rng(1)
    J, n = 8, 5
    y = rng.normal(size=(J, 1)) + rng.normal(size=(J, n))
    data = pd.DataFrame({"y": 1000 * y.ravel(), "g": np.repeat(np.arange(J), n)})
    ssb = 1e6 * n * (J - 1) * y.mean(axis=1).var(ddof=1)
    F = ssb / (J - 1) / (1e6 * y.var(axis=1, ddof=1).mean())
    q, k = stats.f.ppf([0.975, 0.025], J - 1, J * (n - 1)), stats.chi2.ppf([0.975, 0.025], J - 1)
    expected = ssb * (1 - q / F) / (n * k)  # Searle et al. (1992), section 3.6
    found = between_variance_interval(summarise(data, "y ~ 1", "g"))
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert partial_pooling("y ~ 1", data, "g").psi_int() == found


# ---- Kenward and Roger's df at the boundary, and where they collapse ---------------------------------------

DESIGNS = {"even": [10] * 20, "mixed": [2, 3, 5, 10, 20], "one_large": [100] + [2] * 9, "three": [2, 2, 50]}


def at_zero(sizes):
    """R's tests/reference/boundary.R: every group has the mean 0, so psi is estimated as 0."""
    y = np.concatenate([np.arange(1, n + 1) - (n + 1) / 2 for n in sizes])
    return pd.DataFrame({"y": y, "g": np.repeat(np.arange(len(sizes)), sizes)})


@pytest.mark.parametrize("name", DESIGNS)
def test_kenward_and_rogers_df_where_psi_is_zero_are_pbkrtests(reference, name):
    sizes = DESIGNS[name]
    r = reference("boundary").whole["values"][name]
    r = dict(zip(r["names"], r["value"], strict=True))
    fit = partial_pooling("y ~ 1", at_zero(sizes), "g")
    assert fit.singular
    cov, df, bounded = bounded_kenward_roger(fit.data, np.ones((1, 1)), fit.psi, fit.theta)
    # Theirs is made of two inverses and lme4's theta, which is exactly 0 here.
    assert np.sqrt(cov[0, 0]) == pytest.approx(r["se"], rel=1e-7)
    theirs = kenward_roger(fit.data, fit.psi, fit.theta)[1](np.ones(1))
    assert theirs == pytest.approx(r["df"], rel=1e-6)
    J = len(sizes)
    assert bounded[0] == (r["df"] < max((J - 1) / 2, 1))
    assert df[0] == pytest.approx(J - 1 if bounded[0] else r["df"], rel=1e-6)
    adjusted = fit.with_df("kenward-roger")
    assert adjusted.bse.iloc[0] == pytest.approx(r["se"], rel=1e-7)
    if bounded[0]:
        assert fit.df_method == adjusted.df_method == "kenward-roger, bounded"
        assert "Kenward and Roger's df collapse here" in fit.summary()
        assert 'need their standard errors: with_df("kenward-roger")' in fit.summary()
        assert "the standard errors are theirs" in adjusted.summary()
    else:
        assert fit.df_method == adjusted.df_method == "kenward-roger"
        assert "collapse" not in fit.summary()
    assert fit.bse.iloc[0] == pytest.approx(r["plain"], rel=1e-7)


def test_the_mean_of_k_groups_is_bounded_as_that_of_all_is():
    fit = partial_pooling("y ~ 1", at_zero(DESIGNS["one_large"]), "g").with_df("kenward-roger")
    assert fit.mean_of(np.inf) == pytest.approx((fit.params.iloc[0], fit.bse.iloc[0], 9), rel=1e-9, abs=1e-9)
    errors = [fit.mean_of(K).se for K in (10, 11, 20, 100, 1e9)]
    assert errors == sorted(errors)
    assert {fit.mean_of(K).df for K in (10, 11, 20, 100)} == {9}


# ---- a new group and a new row ----------------------------------------------------------------------------


def test_the_grid_has_the_intervals_of_the_fit():
    """The vectorised grid against `Fit`, draw by draw."""
    sizes = np.array([100, 2, 2, 5, 1])
    for study, fits, means, ss_within in coverage._samples(0.05, 1.0, 5, sizes, 40, 3):
        assert 5 < np.sum(fits.psi == 0) < 35
        for k in range(40):
            rows = []
            for j, n in enumerate(sizes):
                away = np.resize([1.0, -1.0], n) if n % 2 == 0 else np.zeros(n)
                rows.append(pd.DataFrame({"g": j, "y": away, "m": means[k, j]}))
            data = pd.concat(rows)
            data["y"] = data["m"] + data["y"] * np.sqrt(ss_within[k] / np.sum(data["y"] ** 2))
            fit = partial_pooling("y ~ 1", data, "g")
            weights = 1 / (fit.psi + fit.theta / sizes)
            weights /= weights.sum()
            known = np.sum(weights**2), np.sum(weights**2 / sizes), np.mean(1 / sizes), 5, 4, 105
            within = ss_within[k] / 105
            for new_row, found in ((False, fit.new_group()), (True, fit.new_observation())):
                mse, df = of_new(means[k].var(ddof=1), fit.theta, within, *known, new_row)
                assert (found.se, found.df) == pytest.approx((np.sqrt(mse), df), rel=1e-7)  # REML to REML
            assert fit.psi == pytest.approx(fits.psi[k], rel=1e-6, abs=1e-9)
        assert study.J == 5


HARD = [  # psi as a share of psi + theta, groups, sizes: where the grid of 150 cells has its lowest values
    (0.1, 5, 20), (0.5, 5, 2), (0.2, 10, 5), (0.02, 50, 2), (0.5, 5, [100, 2, 2, 2, 2]),
    (0.2, 50, [2, 3, 5, 10, 20] * 10), (0.1, 8, [1, 1, 1, 12] * 2),
]  # fmt: skip


@pytest.mark.parametrize(("rho", "J", "n"), HARD)
def test_intervals_hold_where_they_are_hardest(rho, J, n):
    design = {"replicates": 20_000, "seed": 11}
    new = coverage.new_group_coverage(rho, 1 - rho, J, n, **design)
    mean = coverage.mean_coverage(rho, 1 - rho, J, n, methods=["bounded", "group means"], **design)
    for table, methods in ((new, ["new group", "new row"]), (mean, ["bounded"])):
        found = table.loc[methods]
        assert (found["coverage"] > 0.94).all()
        if table.attrs["zero"] > 0.1:
            assert (found["given_zero"] > 0.84).all()
    # The t test on the group means holds for any variances (Bakirov and Szekely 2005).
    assert mean.loc["group means", "coverage"] > 0.95 - 4 * mean.loc["group means", "mcse"]


def test_today_as_before_the_known_variances_fall_short():
    """What the intervals replace: Satterthwaite's with psi-hat, and Kenward and Roger's without a bound."""
    mean = coverage.mean_coverage(0.05, 0.95, 10, [100] + [2] * 9, replicates=5000, seed=2)
    assert mean.loc["z", "coverage"] < 0.9
    assert mean.loc["Kenward-Roger", "mean_length"] > 1e20
    assert mean.loc["bounded", "mean_length"] < 2


@given(seed=st.integers(0, 10**6), J=st.integers(2, 12))
def test_no_interval_of_a_new_group_is_wider_than_twice_that_from_the_group_means(seed, J):
    sizes = np.random.default_rng(seed).integers(1, 30, J)
    sizes[0] += 1
    data = unequal(seed, sizes, sd=0.1)
    found = partial_pooling("y ~ 1", data, "g").new_group()
    means = data.groupby("g")["y"].mean()
    assert found.df == pytest.approx(J - 1, rel=1e-12)
    assert found.se <= 2 * means.std() * np.sqrt(1 + 1 / J) * (1 + 1e-9)


@pytest.mark.parametrize(("formula", "sd"), [("z", 0.3), ("x + z", 0.3), ("x", 1.0)])
def test_with_predictors_a_new_group_and_row_are_held(formula, sd):
    sizes, reps = [1, 2, 2, 3, 6, 10, 30, 4], 500
    data, rng = unequal(8, sizes), np.random.default_rng(9)
    held = np.zeros((reps, 2))
    for k in range(reps):
        group = sd * rng.normal(size=9)
        y = group[data["g"]] + rng.normal(size=len(data))
        fit = partial_pooling(f"y ~ {formula}", data.assign(y=y), "g")
        for i, (new, truth) in enumerate(
            ((fit.new_group(), group[8]), (fit.new_observation(), group[8] + rng.normal()))
        ):
            held[k, i] = abs(new.estimate - truth) <= stats.t.ppf(0.975, new.df) * new.se
    assert (held.mean(axis=0) > 0.93).all()


# ---- profiles by REML -------------------------------------------------------------------------------------


@pytest.mark.parametrize("likelihood", ["reml", "ml"])
def test_the_ends_of_a_profile_by_root_finding_at_40_digits(likelihood):
    rng = np.random.default_rng(4)
    J, n = 6, 4
    y = rng.normal(size=(J, 1)) + rng.normal(size=(J, n))
    data = pd.DataFrame({"y": y.ravel(), "g": np.repeat(np.arange(J), n)})
    exact = mpmath.MPContext()
    exact.dps = 40
    Y = exact.matrix(y.tolist())
    m = [exact.fsum(Y[j, i] for i in range(n)) / n for j in range(J)]
    grand = exact.fsum(m) / J
    ssb = n * exact.fsum((value - grand) ** 2 for value in m)
    ssw = exact.fsum((Y[j, i] - m[j]) ** 2 for j in range(J) for i in range(n))
    a, b = J - (likelihood == "reml"), J * (n - 1)

    def criterion(psi, theta):
        tau = theta + n * psi
        return a * exact.log(tau) + ssb / tau + b * exact.log(theta) + ssw / theta

    def at_psi(psi):
        def slope(theta):
            tau = theta + n * psi
            return a / tau - ssb / tau**2 + b / theta - ssw / theta**2

        return criterion(psi, exact.findroot(slope, ssw / b, tol=1e-30))

    theta_hat, tau_hat = ssw / b, ssb / a
    assert tau_hat > theta_hat
    least = criterion((tau_hat - theta_hat) / n, theta_hat)
    rise = exact.mpf(2) * exact.erfinv(exact.mpf("0.95")) ** 2
    fit = partial_pooling("y ~ 1", data, "g", method="ml")
    found = fit.profile_int(likelihood=likelihood).loc["psi"]
    for end in found:
        if end > 0:
            root = exact.findroot(lambda psi: at_psi(psi) - least - rise, end)
            assert end == pytest.approx(float(root), rel=1e-8)  # a search to 1e-9 of the ratio
    assert found["upper"] > 0


def test_a_fit_has_the_profile_of_its_own_likelihood_unless_told(radon):
    reml = partial_pooling("log_radon ~ floor", radon, "county")
    ml = partial_pooling("log_radon ~ floor", radon, "county", method="ml")
    assert list(reml.profile_int().index) == ["psi", "theta"]
    pd.testing.assert_frame_equal(reml.profile_int(), ml.profile_int(likelihood="reml"))
    pd.testing.assert_frame_equal(ml.profile_int(), reml.profile_int(likelihood="ml"))
    assert reml.profile_int().loc["psi", "upper"] > ml.profile_int().loc["psi", "upper"]
    with pytest.raises(ValueError, match="likelihood must be"):
        reml.profile_int(likelihood="REML")


def test_intervals_of_psi_cover_as_chapter_06_says():
    few = coverage.variance_coverage(0.3, 0.7, 5, 10, replicates=20_000, seed=1)
    many = coverage.variance_coverage(0.3, 0.7, 20, 10, replicates=20_000, seed=1)
    # Independent simulations gave, for 20 groups, 90.2, 93.9, 94.8 and 95.2 percent; for 5, ML 89.5.
    expected = {"Wald": 0.902, "ML profile": 0.939, "REML profile": 0.948, "Williams-Tukey": 0.952}
    for method, value in expected.items():
        assert many.loc[method, "coverage"] == pytest.approx(value, abs=0.008)
    assert few.loc["ML profile", "coverage"] == pytest.approx(0.895, abs=0.01)
    assert few.loc["ML profile", "too_low"] > 5 * few.loc["ML profile", "too_high"]


# ---- many small data sets ---------------------------------------------------------------------------------


def widths(number, seed):
    """Widths in standard deviations of the outcome, and df, of `report`, `compare` and `profile_int`."""
    rng = np.random.default_rng(seed)
    most, least, done = 0.0, np.inf, 0
    for _ in range(number):
        J = rng.integers(2, 13)
        data = unequal(int(rng.integers(10**9)), rng.integers(1, 31, J), sd=rng.choice([0, 0.2, 1.0]))
        predictors = [[], ["x"], ["z"], ["x", "z"]][rng.integers(4)]
        try:
            report = describe(data, "y", "g", predictors)
            table = compare(f"y ~ {' + '.join(predictors) or 1}", data, "g")
        except ValueError:  # no such model: as many terms as groups, say
            continue
        done += 1
        sd, slope = data["y"].std(), data[predictors].std().min() if predictors else 1.0
        for found in (report.table, table):
            scale = np.where(found["estimand"].str.startswith("slope"), sd / slope, sd)
            most = max(most, float(((found["upper"] - found["lower"]) / scale).max()))
            least = min(least, float(found["df"].min()))
        for likelihood in ("reml", "ml"):
            ends = np.sqrt(report.fit.profile_int(likelihood=likelihood).loc["psi":"theta", "upper"])
            most = max(most, float(ends.max() / sd))
    return most, least, done


@pytest.mark.filterwarnings("error")
def test_no_interval_of_small_data_is_endless():
    most, least, done = widths(40, 0)
    assert done > 25
    assert most < 100
    assert least >= 1 - 1e-9
