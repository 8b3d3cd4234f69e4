"""The theorems of the course that tie fits to one another, to resampling and to the closed forms.

T1-T4, T6, T8, T10 and T11 stand in test_models.py and test_formulas.py, as do the parts of T7 and T9 that
are not here; cluster-robust standard errors, the other half of T5, in test_cluster_robust.py.
"""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from helpers import complete_pooling, formulas, no_pooling, partial_pooling
from helpers.fits import sandwich

# Two ways to the same number. Each is a ratio of sums of N terms, and what cancels is kept below a factor
# of a thousand by `inside` and by predictors of size 1: measured 1e-13 at worst.
NEAR = 1e-11

seeds = st.integers(0, 10**6)
group_counts = st.integers(3, 12)
sizes = st.integers(2, 9)
ratios = st.sampled_from([0.1, 0.5, 2.0, 20.0])  # psi / theta
methods = st.sampled_from(["reml", "ml"])


def close(value, expected, rel=NEAR):
    np.testing.assert_allclose(np.asarray(value), np.asarray(expected), rtol=rel)


def simulated(seed, sizes, ratio=1.0):
    """Groups of these sizes with a predictor x that varies within and between, and one, z, between only."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    x = rng.normal(size=len(group)) + rng.normal(size=len(sizes))[group]
    z = rng.normal(size=len(sizes))[group]
    effect = math.sqrt(ratio) * rng.normal(size=len(sizes))[group]
    y = 5 + x - 0.5 * z + effect + rng.normal(size=len(group))
    x_mean = (np.bincount(group, x) / sizes)[group]
    return pd.DataFrame({"y": y, "x": x, "z": z, "g": group, "x_mean": x_mean, "x_within": x - x_mean})


def balanced(seed, J, n, ratio=1.0):
    return simulated(seed, [n] * J, ratio)


def unbalanced(seed, J, ratio=1.0):
    sizes = np.random.default_rng(seed + 1).integers(1, 9, J)
    sizes[0] = 4
    return simulated(seed, sizes, ratio)


def inside(fit):
    """Keep clear of the boundary, where psi has no digits."""
    assume(fit.psi > 0.01 * fit.theta)
    return fit


def by_group(data, column="y"):
    return np.bincount(data["g"], data[column]) / np.bincount(data["g"])


# ---- T5: resampling whole classes -----------------------------------------------------------------


@given(seed=seeds, J=group_counts, n=sizes, ratio=ratios)
def test_t5_the_mixed_model_is_the_jackknife_over_classes(seed, J, n, ratio):
    data = balanced(seed, J, n, ratio)
    fit = inside(partial_pooling("y ~ 1", data, "g"))
    without = [complete_pooling("y ~ 1", data[data["g"] != j]).params.iloc[0] for j in range(J)]
    jackknife = math.sqrt((J - 1) / J * np.sum((without - np.mean(without)) ** 2))
    close(fit.bse, jackknife)


@given(seed=seeds, J=group_counts, n=sizes, ratio=ratios, about=st.floats(-10, 10))
def test_t5_the_mixed_model_is_the_t_test_of_the_class_means(seed, J, n, ratio, about):
    data = balanced(seed, J, n, ratio)
    fit = inside(partial_pooling("y ~ 1", data.assign(y=data["y"] - about), "g"))
    test = stats.ttest_1samp(by_group(data), about)
    assert fit.tvalues.iloc[0] == pytest.approx(test.statistic, rel=NEAR, abs=1e-11)
    # The tail of t magnifies: d log p / d log t is at most t^2 / 2, and J - 1 comes out of two inverses.
    assert fit.pvalues.iloc[0] == pytest.approx(test.pvalue, rel=1e-7)
    close(fit.conf_int(), [tuple(test.confidence_interval(0.95) - np.float64(about))], 1e-7)


@given(seed=seeds, J=st.integers(3, 5), n=sizes, ratio=ratios)
def test_t5_maximum_likelihood_is_the_bootstrap_of_classes(seed, J, n, ratio):
    """All J^J resamples, not some of them: no Monte Carlo error."""
    data = balanced(seed, J, n, ratio)
    fit = inside(partial_pooling("y ~ 1", data, "g", method="ml"))
    every = by_group(data)[list(itertools.product(range(J), repeat=J))].mean(axis=1)
    close(fit.bse, np.std(every))


@given(seed=seeds, J=group_counts, ratio=ratios)
def test_t5_cr3_is_how_far_the_mean_moves_when_a_class_is_left_out(seed, J, ratio):
    """Classes of any size; the jackknife, about the mean of those means, is no more than balanced."""
    data = unbalanced(seed, J, ratio)
    complete = complete_pooling("y ~ 1", data, "g")
    moves = [data.loc[data["g"] != j, "y"].mean() - data["y"].mean() for j in range(J)]
    cr3 = complete.cluster_robust("CR3").bse.iloc[0]
    close(cr3, np.linalg.norm(moves))
    jackknife = math.sqrt((J - 1) * np.var(moves))
    assert jackknife <= cr3 * math.sqrt((J - 1) / J) * (1 + NEAR)


@given(seed=seeds, J=group_counts, ratio=ratios)
def test_t5_maximum_likelihood_is_cr0_of_its_own_mean_for_classes_of_any_size(seed, J, ratio):
    data = unbalanced(seed, J, ratio)
    fit = inside(partial_pooling("y ~ 1", data, "g", method="ml"))
    weights = 1 / (fit.psi + fit.theta / data.groupby("g").size().to_numpy())
    parts = weights / weights.sum() * (by_group(data) - fit.params.iloc[0])
    close(fit.bse, np.linalg.norm(parts), 1e-8)  # psi is a root found to about half the digits


@pytest.mark.parametrize("seed", range(8))
def test_t5_gee_is_cr0_and_bias_reduced_cr3_for_classes_of_any_size(seed):
    data = unbalanced(seed, 4 + seed)
    complete = complete_pooling("y ~ 1", data, "g")
    for cov_type, kind in (("robust", "CR0"), ("bias_reduced", "CR3")):
        gee = smf.gee("y ~ 1", "g", data).fit(cov_type=cov_type)
        close(gee.bse, complete.cluster_robust(kind).bse, 1e-10)


@pytest.mark.parametrize("seed", range(8))
def test_t5_gee_of_equal_classes_is_the_same_at_any_working_correlation(seed):
    data = balanced(seed, 4 + seed, 5)
    exchangeable = smf.gee("y ~ 1", "g", data, cov_struct=sm.cov_struct.Exchangeable()).fit()
    assert abs(exchangeable.cov_struct.dep_params) > 0.01
    close(exchangeable.bse, complete_pooling("y ~ 1", data, "g").cluster_robust("CR0").bse, 1e-10)


@given(seed=seeds, J=group_counts, ratio=ratios, method=methods)
def test_t5_the_mixed_models_se_is_the_sandwich_of_its_own_mean(seed, J, ratio, method):
    """Classes of any size: the criterion has slope 0. Under REML less the sum of the squared weights."""
    data = unbalanced(seed, J, ratio)
    fit = inside(partial_pooling("y ~ 1", data, "g", method=method))
    weights = 1 / (fit.psi + fit.theta / fit.data.sizes)
    weights /= weights.sum()
    sandwich = np.sum((weights * (by_group(data) - fit.params.iloc[0])) ** 2)
    seen = 1 - weights @ weights if method == "reml" else 1.0
    close(sandwich, fit.bse.iloc[0] ** 2 * seen, 1e-9)  # the root of the slope, to some last digits


@pytest.mark.parametrize("n", [1, 2, 5])
def test_t5_the_corrected_sandwich_is_unbiased_whatever_the_classes_variances_are(n):
    """Six equal classes of unequal variances, each class one sign times its scale: all 64 outcomes."""
    J, scales = 6, np.array([0.1, 1.0, 2.0, 3.0, 5.0, 20.0])
    squares = []
    for signs in itertools.product([-1, 1], repeat=J):
        data = pd.DataFrame({"y": np.repeat(signs * scales, n), "g": np.repeat(np.arange(J), n)})
        squares.append(complete_pooling("y ~ 1", data, "g").cluster_robust("CR2").bse.iloc[0] ** 2)
    close(np.mean(squares), np.sum(scales**2) / J**2)


def test_t5_parts_where_sizes_differ(designs):
    """In half_small; what is left are the two names of GEE, and CR1S, which is CR1."""
    data, _ = designs["half_small"]
    complete = complete_pooling("score ~ 1", data, "classroom")
    ses = [complete.cluster_robust(kind).bse.iloc[0] for kind in ("CR0", "CR1", "CR2", "CR3")]
    ses += [
        partial_pooling("score ~ 1", data, "classroom", method=method).bse.iloc[0]
        for method in ("reml", "ml")
    ]
    means = data.groupby("classroom", observed=True)["score"].mean()
    without = [data.loc[data["classroom"] != j, "score"].mean() for j in means.index]
    ses += [means.std() / math.sqrt(20), math.sqrt(19 * np.var(without))]
    assert np.diff(np.sort(ses)).min() > 0.02
    clusters = {"groups": data["classroom"].cat.codes}
    cr1s = smf.ols("score ~ 1", data).fit(cov_type="cluster", cov_kwds=clusters)
    close(cr1s.bse, ses[1], 1e-10)


@given(seed=seeds, J=group_counts, ratio=ratios, kind=st.sampled_from(["CR0", "CR1"]))
def test_t5_the_cluster_robust_ses_of_class_dummies_are_zero(seed, J, ratio, kind):
    data = unbalanced(seed, J, ratio).astype({"g": str})
    dummies = complete_pooling("y ~ 0 + g", data, "g")
    rounding = 1e-12 * np.abs(data["y"]).max()
    cov, _ = sandwich.cluster_robust(dummies.data, dummies._centred[0], kind)
    assert (np.sqrt(cov.diagonal()) < rounding).all()
    assert (dummies.bse > 0).all()
    with pytest.raises(ValueError, match=r"no term of .* has a cluster-robust standard error"):
        dummies.cluster_robust(kind)


# ---- T7: predicted class means --------------------------------------------------------------------


@given(seed=seeds, J=group_counts, n=sizes, ratio=ratios)
def test_t7_the_estimated_mean_and_the_error_of_an_effect_covary_by_minus_the_shrinkage(seed, J, n, ratio):
    """What a naive sum of the two variances leaves out."""
    fit = inside(partial_pooling("y ~ 1", balanced(seed, J, n, ratio), "g"))
    naive = fit.bse.iloc[0] ** 2 + fit.group_effects["se"] ** 2
    covariance = (fit.group_means["se"] ** 2 - naive) / 2
    close(covariance, np.full(J, -formulas.shrinkage(fit.psi, fit.theta, n) * fit.bse.iloc[0] ** 2), 1e-9)


@given(seed=seeds, J=group_counts, ratio=ratios, method=methods)
def test_t7_no_unbiased_weighting_of_the_class_means_has_a_smaller_error(seed, J, ratio, method):
    """Classes of any size, variances taken as known: the raw mean is one of the weightings."""
    data = unbalanced(seed, J, ratio)
    fit = inside(partial_pooling("y ~ 1", data, "g", method=method))
    n, means = fit.data.sizes, by_group(data)

    def error(weights):
        """Mean squared error about the class's own mean; weights sum to 1 in each row, a row a class."""
        return fit.psi * np.sum((weights - np.eye(J)) ** 2, axis=1) + weights**2 @ (fit.theta / n)

    overall = 1 / (fit.psi + fit.theta / n)
    kept = formulas.shrinkage(fit.psi, fit.theta, n)[:, None]
    best = kept * np.eye(J) + (1 - kept) * overall / overall.sum()
    close(fit.group_means["estimate"], best @ means)
    close(fit.group_means["se"] ** 2, error(best))
    others = np.random.default_rng(seed).normal(size=(20, J, J))
    others -= others.mean(axis=2, keepdims=True)  # changes that leave the sum of the weights at 1
    for change in [np.eye(J) - best, *others, *(0.01 * others)]:
        assert (error(best) <= error(best + change) * (1 + NEAR)).all()


# ---- T9: how many classes there are ---------------------------------------------------------------


@given(seed=seeds, J=group_counts, n=sizes, ratio=ratios)
def test_t9_no_pooling_and_partial_pooling_are_the_two_ends_of_one_formula(seed, J, n, ratio):
    data = balanced(seed, J, n, ratio)
    partial, separate = inside(partial_pooling("y ~ 1", data, "g")), no_pooling("y ~ 1", data, "g")
    of_these = math.sqrt(separate.cov_params().to_numpy().sum()) / J
    close(of_these, formulas.se_finite_population(partial.psi, partial.theta, J, n, J))
    close(partial.bse, formulas.se_finite_population(partial.psi, partial.theta, J, n, math.inf))
    close(separate.params.mean(), partial.params.iloc[0])


@given(seed=seeds, J=st.integers(2, 5), more=st.integers(0, 3), n=sizes)
def test_t9_the_formula_is_the_variance_over_all_samples_of_classes(seed, J, more, n):
    """Every choice of J classes out of K, each equally likely, pupils without error."""
    K = J + more
    population = np.random.default_rng(seed).normal(size=K)
    every = [np.mean(sample) for sample in itertools.combinations(population, J)]
    se = formulas.se_finite_population(np.var(population, ddof=1), 0.0, J, n, K)
    # Where K = J the one sample there is has no variance: rounding of a mean of five.
    assert se == pytest.approx(np.std(every), rel=NEAR, abs=1e-15)


@given(seed=seeds, J=group_counts, ratio=ratios)
def test_t9_unequal_classes_weighted_by_their_pupils_have_the_mean_and_the_se_of_all_pupils(seed, J, ratio):
    data = unbalanced(seed, J, ratio)
    separate = no_pooling("y ~ 1", data, "g")
    n = separate.data.sizes
    weights, cov = n / n.sum(), separate.cov_params().to_numpy()
    close(weights @ separate.params, complete_pooling("y ~ 1", data).params.iloc[0])
    close(weights @ cov @ weights, separate.theta / len(data))
    assert weights @ cov @ weights <= cov.sum() / J**2 * (1 + NEAR)  # the least that any weights give


# ---- T12: Moulton's factor ------------------------------------------------------------------------


@given(seed=seeds, J=group_counts, n=sizes, ratio=ratios, column=st.sampled_from(["x", "z", "x_within"]))
def test_t12_the_variance_of_a_pooled_slope_is_moultons_factor_times_the_usual_one(seed, J, n, ratio, column):
    """The intraclass correlation of x is the share of it that lies between classes, on another scale."""
    data = balanced(seed, J, n, ratio)
    mixed = inside(partial_pooling(f"y ~ {column}", data, "g"))
    complete = complete_pooling(f"y ~ {column}", data)
    x = data[column].to_numpy() - data[column].mean()
    same = np.equal.outer(data["g"].to_numpy(), data["g"].to_numpy())
    V = mixed.psi * same + mixed.theta * np.eye(len(x))
    actual = x @ V @ x / (x @ x) ** 2
    usual = (mixed.psi + mixed.theta) * complete.bse[column] ** 2 / complete.theta
    of_x = (x @ same @ x / (x @ x) - 1) / (n - 1)
    if column != "x":
        close(of_x, {"z": 1.0, "x_within": -1 / (n - 1)}[column])
    close(actual / usual, formulas.moulton_factor(mixed.icc, of_x, n))
    between = n * np.sum((by_group(data, column) - data[column].mean()) ** 2)
    # The share is 0 but for rounding where x is centred.
    assert 1 + of_x * (n - 1) == pytest.approx(n * between / (x @ x), rel=NEAR, abs=NEAR)
    if column == "x_within":
        close(actual / usual, 1 - mixed.icc)


@given(seed=seeds, J=group_counts, n=sizes, ratio=ratios, column=st.sampled_from(["x", "z", "x_within"]))
def test_t12_what_lms_residual_variance_estimates_depends_on_the_predictor(seed, J, n, ratio, column):
    """theta + psi n (J - 1 - B) / (J n - 2), B the share of the predictor between classes."""
    data = balanced(seed, J, n, ratio)
    N, same = J * n, np.equal.outer(data["g"].to_numpy(), data["g"].to_numpy())
    x = data[column].to_numpy() - data[column].mean()
    V = ratio * same + np.eye(N)
    left = np.eye(N) - np.outer(x, x) / (x @ x) - 1 / N  # makes residuals
    share = n * np.sum((by_group(data, column) - data[column].mean()) ** 2) / (x @ x)
    close(np.trace(left @ V) / (N - 2), 1 + ratio * n * (J - 1 - share) / (N - 2))


# ---- T13: the slope within and the slope between --------------------------------------------------


@given(seed=seeds, J=group_counts, ratio=ratios, method=methods)
def test_t13_a_class_centred_predictor_has_the_slope_of_no_pooling(seed, J, ratio, method):
    data = unbalanced(seed, J, ratio)
    mixed = partial_pooling("y ~ x_within", data, "g", method=method)
    separate = no_pooling("y ~ x", data, "g")
    close(mixed.params["x_within"], separate.params["x"])
    ss_within = np.sum(data["x_within"] ** 2)
    close(mixed.bse["x_within"], formulas.se_within_slope(mixed.theta, ss_within))
    close(separate.bse["x"], formulas.se_within_slope(separate.theta, ss_within))


@given(seed=seeds, J=st.integers(4, 12), n=sizes, ratio=ratios)
def test_t13_a_class_level_predictor_has_the_slope_and_the_se_of_a_regression_of_class_means(
    seed, J, n, ratio
):
    data = balanced(seed, J, n, ratio)
    mixed = inside(partial_pooling("y ~ z", data, "g"))
    means = data.groupby("g").mean()
    regression = complete_pooling("y ~ z", means)
    close(mixed.params, regression.params)
    close(mixed.bse, regression.bse)
    spread = np.sum((means["z"] - means["z"].mean()) ** 2)
    close(mixed.bse["z"], math.sqrt((mixed.psi + mixed.theta / n) / spread))
    close(mixed.bse["z"], formulas.se_between_slope(mixed.psi, mixed.theta, n, n * spread))
    # As for the mean: through two inverses of 2 x 2 matrices.
    close(mixed.df["z"], J - 2, 1e-7)


@given(seed=seeds, J=st.integers(4, 12), ratio=ratios, method=methods)
def test_t13_the_mixed_slope_weighs_the_slopes_within_and_between_by_their_precision(seed, J, ratio, method):
    data = unbalanced(seed, J, ratio)
    mixed = inside(partial_pooling("y ~ x", data, "g", method=method))
    n = mixed.data.sizes
    weights = 1 / (mixed.psi + mixed.theta / n)
    x, y = (by_group(data, name) for name in ("x", "y"))
    x, y = (v - weights @ v / weights.sum() for v in (x, y))
    between, precise_between = weights @ (x * y) / (weights @ x**2), weights @ x**2
    within, precise_within = (
        no_pooling("y ~ x", data, "g").params["x"],
        np.sum(data["x_within"] ** 2) / mixed.theta,
    )
    precision = precise_within + precise_between
    close(mixed.params["x"], (within * precise_within + between * precise_between) / precision, 1e-9)
    close(mixed.bse["x"], precision**-0.5)
    least, most = sorted([within, between])
    assert least - 1e-9 <= mixed.params["x"] <= most + 1e-9


@given(seed=seeds, J=st.integers(4, 12), n=sizes, ratio=ratios, method=methods)
def test_t13_balanced_the_mixed_variance_is_a_harmonic_average_and_lms_an_arithmetic_one(
    seed, J, n, ratio, method
):
    """Of theta and theta + n psi, by the share of x between classes: so the mixed one is the smaller."""
    data = balanced(seed, J, n, ratio)
    mixed = inside(partial_pooling("y ~ x", data, "g", method=method))
    between, within = formulas.expected_mean_squares(mixed.psi, mixed.theta, n)
    total, ss_within = (np.sum(v**2) for v in (data["x"] - data["x"].mean(), data["x_within"]))
    share = 1 - ss_within / total
    harmonic = 1 / ((1 - share) / within + share / between)
    close(mixed.bse["x"] ** 2, harmonic / total)
    assert harmonic <= ((1 - share) * within + share * between) * (1 + NEAR)
    parts = (
        formulas.se_within_slope(within, ss_within),
        formulas.se_between_slope(mixed.psi, mixed.theta, n, total - ss_within),
    )
    close(mixed.bse["x"], math.hypot(*(1 / se for se in parts)) ** -1, 1e-9)  # of the difference of sums
    # Down below the outcome's intraclass correlation, up above it.
    of_x = (n * share - 1) / (n - 1)
    if abs(of_x - mixed.icc) > 1e-6:
        assert (harmonic < mixed.psi + mixed.theta) == (of_x < mixed.icc)


# ---- T14: Mundlak ---------------------------------------------------------------------------------


@given(seed=seeds, J=st.integers(4, 12), ratio=ratios, method=methods)
def test_t14_with_the_class_mean_beside_it_a_predictor_has_the_slope_of_no_pooling(seed, J, ratio, method):
    data = unbalanced(seed, J, ratio)
    mundlak = partial_pooling("y ~ x + x_mean", data, "g", method=method)
    close(mundlak.params["x"], no_pooling("y ~ x", data, "g").params["x"], 1e-9)
    close(mundlak.bse["x"], math.sqrt(mundlak.theta / np.sum(data["x_within"] ** 2)))


@given(seed=seeds, J=st.integers(4, 12), ratio=ratios, method=methods)
def test_t14_the_class_mean_has_the_difference_of_the_slopes_between_and_within(seed, J, ratio, method):
    data = unbalanced(seed, J, ratio)
    mundlak = partial_pooling("y ~ x + x_mean", data, "g", method=method)
    split = partial_pooling("y ~ x_within + x_mean", data, "g", method=method)
    assert mundlak.psi == pytest.approx(split.psi, rel=1e-8, abs=1e-12)  # 1e-13 over what is left near 0
    close(mundlak.theta, split.theta, 1e-9)
    assume(abs(mundlak.params["x_mean"]) > 1e-3)
    close(mundlak.params["x_mean"], split.params["x_mean"] - split.params["x_within"], 1e-8)
    # Slopes within and between are uncorrelated: their variances add.
    close(mundlak.bse["x_mean"], math.hypot(split.bse["x_mean"], split.bse["x_within"]), 1e-9)


@given(seed=seeds, J=st.integers(4, 12), n=sizes, ratio=ratios)
def test_t14_balanced_the_slope_between_is_that_of_the_class_means(seed, J, n, ratio):
    data = balanced(seed, J, n, ratio)
    split = inside(partial_pooling("y ~ x_within + x_mean", data, "g"))
    regression = complete_pooling("y ~ x", data.groupby("g").mean())
    close(split.params["x_mean"], regression.params["x"])
    close(split.bse["x_mean"], regression.bse["x"])
    close(split.bse["x_within"], no_pooling("y ~ x", data, "g").bse["x"])


# ---- T15: four bootstraps, every resample of each -------------------------------------------------

tiny = pytest.mark.parametrize(("J", "n"), [(2, 2), (3, 2), (2, 3)])
few = pytest.mark.parametrize("seed", range(5))


def small(seed, J, n):
    """A few pupils, the classes far enough apart for psi > 0 by REML and by ML."""
    y = np.random.default_rng(seed).normal(size=(J, n)) + 5 * np.arange(J)[:, None]
    return y, pd.DataFrame({"y": y.ravel(), "g": np.repeat(np.arange(J), n)})


@tiny
@few
def test_t15_pupils_one_by_one_give_complete_pooling_times_the_root_of_one_less_one_over_n(seed, J, n):
    y, data = small(seed, J, n)
    N = J * n
    every = y.ravel()[np.array(list(itertools.product(range(N), repeat=N)))].mean(axis=1)
    close(np.std(every), complete_pooling("y ~ 1", data).bse.iloc[0] * math.sqrt((N - 1) / N))


@tiny
@few
def test_t15_whole_classes_give_maximum_likelihood(seed, J, n):
    y, data = small(seed, J, n)
    every = [np.mean(y[list(classes)]) for classes in itertools.product(range(J), repeat=J)]
    close(np.std(every), inside_ml(data).bse.iloc[0])


@tiny
@few
def test_t15_pupils_within_their_classes_give_no_pooling_times_the_root_of_one_less_one_over_n(seed, J, n):
    y, data = small(seed, J, n)
    resamples = list(itertools.product(range(n), repeat=n))
    every = [
        np.mean([y[j, list(rows)] for j, rows in enumerate(chosen)])
        for chosen in itertools.product(resamples, repeat=J)
    ]
    theta = no_pooling("y ~ 1", data, "g").theta
    close(np.std(every), formulas.se_no_pooling(theta, J, n) * math.sqrt((n - 1) / n))


@tiny
@few
def test_t15_classes_and_then_pupils_add_the_variances_of_the_last_two(seed, J, n):
    """So the two-stage bootstrap counts the pupils twice: it is too large for the mean of all classes."""
    y, data = small(seed, J, n)
    resamples = list(itertools.product(range(n), repeat=n))
    one_class = [np.mean(y[j, list(rows)]) for j in range(J) for rows in resamples]
    every = [np.mean(drawn) for drawn in itertools.product(one_class, repeat=J)]
    theta = no_pooling("y ~ 1", data, "g").theta
    within = formulas.se_no_pooling(theta, J, n) * math.sqrt((n - 1) / n)
    classes = inside_ml(data).bse.iloc[0]
    close(np.std(every), math.hypot(classes, within))
    assert np.std(every) > classes


def inside_ml(data):
    fit = partial_pooling("y ~ 1", data, "g", method="ml")
    assert fit.psi > 0, "choose another seed"
    return fit


# ---- T16: the normal interval ---------------------------------------------------------------------


@given(seed=seeds, J=group_counts, n=sizes, ratio=ratios, z=st.sampled_from([1.0, 1.96, 2.576]))
def test_t16_a_normal_interval_is_a_t_interval_of_a_lower_level(seed, J, n, ratio, z):
    fit = inside(partial_pooling("y ~ 1", balanced(seed, J, n, ratio), "g"))
    level = 2 * stats.t.cdf(z, J - 1) - 1
    assert level < 2 * stats.norm.cdf(z) - 1
    half = fit.params.iloc[0] + z * fit.bse.iloc[0] * np.array([[-1, 1]])
    close(fit.conf_int(1 - level), half, 1e-7)  # df by two inverses of 2 x 2 matrices


@pytest.mark.parametrize(("J", "level"), [(3, 0.811), (5, 0.878), (10, 0.918), (20, 0.935), (40, 0.943)])
def test_t16_the_levels_that_the_course_states(J, level):
    assert f"{2 * stats.t.cdf(1.96, J - 1) - 1:.3f}" == f"{level:.3f}"


def test_t16_intervals_of_simulated_data_cover_as_often_as_stated():
    """Three classes far apart, so that psi is never 0, which the closed form leaves out."""
    rng, repeats = np.random.default_rng(16), 500
    covered = np.zeros(2)
    for _ in range(repeats):
        y = 10 * rng.normal(size=(3, 1)) + rng.normal(size=(3, 4))
        fit = partial_pooling("y ~ 1", pd.DataFrame({"y": y.ravel(), "g": np.repeat(range(3), 4)}), "g")
        if fit.singular:
            continue
        lower, upper = fit.conf_int().iloc[0]
        covered += [abs(fit.params.iloc[0]) <= 1.96 * fit.bse.iloc[0], lower <= 0 <= upper]
    for share, level in zip(covered / repeats, (0.811, 0.95), strict=True):
        assert abs(share - level) < 3 * math.sqrt(level * (1 - level) / repeats)  # Monte Carlo errors


# ---- T17: the class size that a budget buys -------------------------------------------------------


@given(
    psi=st.floats(0.01, 100),
    theta=st.floats(0.01, 100),
    a_class=st.floats(1, 1000),
    a_pupil=st.floats(0.1, 10),
    other=st.floats(1, 10_000),
)
def test_t17_no_class_size_buys_a_smaller_se_than_the_root_of_the_two_ratios(
    psi, theta, a_class, a_pupil, other
):
    best = math.sqrt(a_class / a_pupil * theta / psi)
    assume(best >= 1)

    def se(n):
        budget = 1e9  # so much that the number of classes may be a fraction
        return formulas.se_partial_pooling(psi, theta, budget / (a_class + a_pupil * n), n)

    assert se(best) <= se(other) * (1 + NEAR)
    if abs(math.log(other / best)) > 0.01:  # the minimum is flat
        assert se(best) < se(other)


# ---- limits ---------------------------------------------------------------------------------------


@given(
    seed=seeds, J=st.integers(4, 12), method=methods, formula=st.sampled_from(["y ~ 1", "y ~ x", "y ~ x + z"])
)
def test_without_variance_between_partial_pooling_is_complete_pooling(seed, J, method, formula):
    """Classes of any size, any predictors: by ML the residual variance has divisor N instead of N - p."""
    data = unbalanced(seed, J, 0.0)
    mixed, complete = partial_pooling(formula, data, "g", method=method), complete_pooling(formula, data)
    assume(mixed.singular)
    divisor = 1.0 if method == "reml" else (complete.nobs - len(complete.params)) / complete.nobs
    assert mixed.psi == mixed.icc == 0
    close(mixed.theta, complete.theta * divisor)
    close(mixed.params, complete.params, 1e-9)  # some are near 0
    close(mixed.bse, complete.bse * math.sqrt(divisor))
    close(mixed.group_effects["estimate"] + 1, np.ones(J))


@given(seed=seeds, J=group_counts, ratio=ratios, method=methods)
def test_with_little_variance_within_classes_stand_for_themselves(seed, J, ratio, method):
    """theta / (n psi) is at most 1e-8 here: each class keeps its own mean, and each counts as one value."""
    data = unbalanced(seed, J, ratio)
    data["y"] = data.groupby("g")["y"].transform("mean") + 1e-5 * data["x_within"] * data["y"]
    mixed, separate = partial_pooling("y ~ 1", data, "g", method=method), no_pooling("y ~ 1", data, "g")
    ratio = mixed.theta / mixed.psi
    assert ratio < 1e-6
    means = by_group(data)
    far = np.abs(means - means.mean()).max()
    np.testing.assert_allclose(mixed.group_means["estimate"], separate.params, rtol=0, atol=3 * ratio * far)
    close(mixed.params.iloc[0], means.mean(), 10 * ratio + NEAR)
    divisor = J - 1 if method == "reml" else J
    close(mixed.bse.iloc[0], math.sqrt(np.sum((means - means.mean()) ** 2) / divisor / J), 10 * ratio + NEAR)


@given(seed=seeds, J=group_counts, small=st.sampled_from([1.0, 1e-3, 1e-6]), method=methods)
def test_the_conditional_se_of_a_class_is_that_of_its_mean_times_the_root_of_its_shrinkage(
    seed, J, small, method
):
    """However near 1 the shrinkage is: psi (1 - shrinkage), which is the same, would lose every digit."""
    data = unbalanced(seed, J, 20.0)
    data["y"] = data.groupby("g")["y"].transform("mean") + small * data["x_within"] * data["y"]
    fit = inside(partial_pooling("y ~ 1", data, "g", method=method))
    kept = formulas.shrinkage(fit.psi, fit.theta, fit.data.sizes)
    alone = formulas.se_group_mean(fit.theta, fit.data.sizes) * np.sqrt(kept)
    close(fit.group_means["se_conditional"], alone)
    close(fit.group_effects["se_conditional"], alone)
    assert (fit.group_means["se"] >= alone * (1 - NEAR)).all()


@given(seed=seeds, J=group_counts, ratio=ratios)
def test_many_pupils_bring_every_class_to_its_own_mean_and_the_se_to_its_floor(seed, J, ratio):
    data = unbalanced(seed, J, ratio)
    many = data.loc[data.index.repeat(2000)]
    few, fit = partial_pooling("y ~ 1", data, "g"), inside(partial_pooling("y ~ 1", many, "g"))
    assume(not few.singular)
    means = by_group(data)
    kept = formulas.shrinkage(fit.psi, fit.theta, fit.data.sizes)
    assert (1 - kept).max() < 0.05
    raw = np.abs(fit.group_means["estimate"].to_numpy() - means)
    assert (raw <= (1 - kept) * np.ptp(means) * (1 + NEAR) + 1e-12).all()
    floor = formulas.se_floor(fit.psi, J)
    assert floor < fit.bse.iloc[0] < floor * (1 + 0.5 * fit.theta / (fit.psi * 2000))


# ---- T16: few groups ------------------------------------------------------------------------------


@given(seed=seeds, J=st.integers(2, 12), n=sizes, ratio=st.sampled_from([0.0, 0.02, 0.1, 2.0]))
def test_t16_the_mixed_se_is_never_below_that_of_the_class_means(seed, J, n, ratio):
    """Also where psi is estimated as 0: so t on J - 1 holds the mean at least as often as it says."""
    data = balanced(seed, J, n, ratio)
    fit = partial_pooling("y ~ 1", data, "g")
    of_means = by_group(data).std(ddof=1) / math.sqrt(J)
    assert fit.bse.iloc[0] >= of_means * (1 - NEAR)
    if not fit.singular:
        close(fit.bse, of_means, 1e-7)  # F near 1: psi is a small difference


@given(seed=seeds, J=st.integers(4, 12), n=st.integers(3, 9), ratio=ratios)
def test_t16_balanced_degrees_of_freedom_are_counted_level_by_level(seed, J, n, ratio):
    """Groups less the coefficients between; rows less the groups and the coefficients within."""
    data = balanced(seed, J, n, ratio)
    fit = inside(partial_pooling("y ~ x_within + z", data, "g"))
    expected = [J - 2, J * (n - 1) - 1, J - 2]
    close(fit.with_df("kenward-roger").df, expected, 1e-8)
    close(fit.with_df("satterthwaite").df, expected, 1e-6)  # at the optimum only


# ---- what must not matter -------------------------------------------------------------------------


@given(seed=seeds, J=st.integers(4, 12), ratio=ratios, method=methods)
def test_mixing_the_predictors_changes_their_coefficients_and_nothing_else(seed, J, ratio, method):
    """Under REML the criterion counts the unit of the terms: minus twice log |det A| of the change A."""
    data = unbalanced(seed, J, ratio)
    one = inside(partial_pooling("y ~ x + z", data, "g", method=method))
    other = partial_pooling(
        "y ~ a + b", data.assign(a=2 * data["x"] + data["z"], b=data["x"] - data["z"]), "g", method=method
    )
    A = np.array([[1.0, 0, 0], [0, 2, 1], [0, 1, -1]])  # x = 2 a + b, z = a - b in the coefficients
    close(A @ other.params, one.params, 1e-9)
    close(A @ other.cov_params() @ A.T, one.cov_params(), 1e-8)  # entries off the diagonal may be small
    close([other.psi, other.theta], [one.psi, one.theta], 1e-10)
    unit = 2 * math.log(3) if method == "reml" else 0.0
    assert other.criterion == pytest.approx(one.criterion + unit, rel=1e-12)
    close(other.group_effects, one.group_effects, 1e-8)


@given(seed=seeds, J=st.integers(4, 12), ratio=ratios, slope=st.floats(-5, 5), method=methods)
def test_a_multiple_of_a_predictor_added_to_the_outcome_moves_its_slope_only(seed, J, ratio, slope, method):
    data = unbalanced(seed, J, ratio)
    one = inside(partial_pooling("y ~ x + z", data, "g", method=method))
    moved = partial_pooling("y ~ x + z", data.assign(y=data["y"] + slope * data["x"]), "g", method=method)
    np.testing.assert_allclose(moved.params - [0, slope, 0], one.params, rtol=1e-10, atol=1e-10)
    close(moved.bse, one.bse, 1e-10)  # adding rounds the data
    close([moved.psi, moved.theta], [one.psi, one.theta], 1e-10)
