"""Simulations against closed forms: the same within four Monte Carlo SEs, and what differs beyond them."""

import inspect
import tracemalloc
from itertools import product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers import formulas
from helpers.fits import batch, simulate, waiting
from helpers.fits.simulate.experiment import Study
from helpers.fits.simulate.tally import Tally

# Every simulation here has a seed, so a test that passes today passes tomorrow. Four Monte Carlo SEs:
# of a hundred independent comparisons one in 160 runs would miss, had the seeds been drawn anew.
FOUR = 4
PSI, THETA, J, N_EACH = 400, 900, 20, 10
UNEQUAL = [1, 2, 3, 8, 30]
Z = stats.norm.ppf(0.975)

SCHEMES = {
    "new groups": {"scheme": "new groups"},
    "same groups": {"scheme": "same groups"},
    "independent rows": {"scheme": "independent rows"},
    "25 groups": {"scheme": "finite population", "K": 25},
}
FORMULA = {
    "new groups": formulas.se_partial_pooling(PSI, THETA, J, N_EACH),
    "same groups": formulas.se_no_pooling(THETA, J, N_EACH),
    "independent rows": formulas.se_complete_pooling(PSI, THETA, J, N_EACH),
    "25 groups": formulas.se_finite_population(PSI, THETA, J, N_EACH, K=25),
}
DRAWS = ("sufficient", "observations")
each_scheme = pytest.mark.parametrize("scheme", SCHEMES)
each_draw = pytest.mark.parametrize("draw", DRAWS)


def replicate(n=N_EACH, groups=J, psi=PSI, theta=THETA, **how):
    return simulate.replicate(psi, theta, groups, n, **how)


def agree(value, target, mcse):
    return abs(value - target) < FOUR * mcse


# ---- repeated experiments ------------------------------------------------------------------------


@each_draw
@each_scheme
def test_the_sd_of_each_scheme_is_its_formula_and_no_other(scheme, draw):
    sim = replicate(**SCHEMES[scheme], draw=draw, replicates=10_000, seed=2)
    assert sim.target == pytest.approx(FORMULA[scheme], rel=1e-14)
    for name, se in FORMULA.items():
        assert agree(sim.sd, se, sim.sd_mcse) == (name == scheme), name
    assert 0 < sim.sd_mcse < 0.01 * sim.sd


def by_hand(scheme):
    """The variance of the mean of all rows of unequal groups, from the weights w of their means."""
    w = np.array(UNEQUAL) / sum(UNEQUAL)
    alone = {"same groups": 0, "independent rows": 1 / sum(UNEQUAL)}
    between = alone | {"new groups": w @ w, "25 groups": w @ w - 1 / 25}
    return PSI * between[scheme] + THETA / sum(UNEQUAL)


@each_draw
@each_scheme
def test_unequal_groups_have_the_sd_that_their_weights_give(scheme, draw):
    sim = replicate(UNEQUAL, 5, **SCHEMES[scheme], draw=draw, replicates=4000, seed=3)
    assert sim.target == pytest.approx(np.sqrt(by_hand(scheme)), rel=1e-14)
    assert agree(sim.sd, sim.target, sim.sd_mcse)


@pytest.mark.parametrize("n", [N_EACH, [2, 18] * 10], ids=["equal", "unequal"])
@each_draw
@each_scheme
def test_the_means_scatter_about_the_true_mean(scheme, draw, n):
    sim = replicate(n, **SCHEMES[scheme], draw=draw, mean=1629, replicates=1000, seed=4)
    for values in (sim.means, sim.gls_means) if scheme != "same groups" else (sim.means,):
        found = simulate.monte_carlo(values)  # weighted otherwise, the mean of the same groups is another
        assert agree(found["mean"], 1629, found["mean_mcse"])


def test_the_finite_population_runs_from_the_same_groups_to_new_ones():
    how = {"scheme": "finite population", "replicates": 10_000, "seed": 5}
    these, all_there_are = replicate(K=J, **how), replicate(K=np.inf, **how)
    assert these.target == pytest.approx(FORMULA["same groups"], rel=1e-14)
    assert agree(these.sd, these.target, these.sd_mcse)
    assert all_there_are.target == pytest.approx(FORMULA["new groups"], rel=1e-14)
    assert np.array_equal(all_there_are.means, replicate(replicates=10_000, seed=5).means)


def test_each_fit_has_the_three_standard_errors_of_its_variances():
    sim = replicate(groups=5, psi=100, replicates=500, seed=6)
    inside = sim.psi > 0
    assert 0 < inside.sum() < 500
    assert np.allclose(sim.gls_means, sim.means, rtol=0, atol=1e-12)
    psi, theta = sim.psi[inside], sim.theta[inside]
    lm = np.sqrt(formulas.complete_pooling_variance(psi, theta, 5, N_EACH) / 50)
    assert np.allclose(sim.se_complete[inside], lm, rtol=1e-12, atol=0)
    assert np.allclose(sim.se_no[inside], formulas.se_no_pooling(theta, 5, N_EACH), rtol=1e-12, atol=0)
    partial = formulas.se_partial_pooling(psi, theta, 5, N_EACH)
    assert np.allclose(sim.se_partial[inside], partial, rtol=1e-12, atol=0)
    assert np.allclose(sim.se_partial[~inside], sim.se_complete[~inside], rtol=1e-12, atol=0)


def test_the_estimated_variances_average_to_the_true_ones():
    sim = replicate(replicates=20_000, seed=7)  # psi = 0 hardly happens here, so REML is unbiased
    for values, true in ((sim.psi, PSI), (sim.theta, THETA)):
        found = simulate.monte_carlo(values)
        assert agree(found["mean"], true, found["mean_mcse"])
    spread = THETA * np.sqrt(2 / 180), np.sqrt(2 * ((4900 / 10) ** 2 / 19 + (THETA / 10) ** 2 / 180))
    for values, sd in zip((sim.theta, sim.psi), spread, strict=True):
        found = simulate.monte_carlo(values)
        assert agree(found["sd"], sd, found["sd_mcse"])


# ---- the two ways to draw ------------------------------------------------------------------------

ESTIMATES = ("means", "gls_means", "psi", "theta", "se_complete", "se_no", "se_partial")


def least_p(one, other):
    """The smallest p value of the Kolmogorov-Smirnov tests that two studies have one distribution."""
    return min(stats.ks_2samp(getattr(one, name), getattr(other, name)).pvalue for name in ESTIMATES)


@pytest.mark.parametrize("n", [N_EACH, [5, 15] * 10], ids=["equal", "unequal"])
@each_scheme
def test_sufficient_statistics_and_observations_have_one_distribution(scheme, n):
    how = {**SCHEMES[scheme], "replicates": 2500, "seed": 8}  # the groups that stay come first in the seed
    one, other = (replicate(n, **how, draw=draw) for draw in DRAWS)
    assert not np.array_equal(one.means, other.means)
    assert least_p(one, other) > 0.001


@pytest.mark.parametrize("wrong", [{"theta": 950}, {"psi": 450}, {"groups": 22}], ids=str)
def test_that_comparison_sees_another_variance_or_design(wrong):
    how = {"replicates": 2500, "seed": 8}
    assert least_p(replicate(**how, draw="observations"), replicate(**wrong, **how)) < 0.001


@pytest.mark.parametrize("n", [N_EACH, UNEQUAL * 4], ids=["equal", "unequal"])
def test_intervals_for_groups_do_not_depend_on_the_way_of_drawing(n):
    one, other = (
        simulate.group_coverage(PSI, THETA, J, n, draw=draw, replicates=2000, seed=9) for draw in DRAWS
    )
    for value, mcse in (("coverage", "mcse"), ("mean_length", "length_mcse")):
        both = np.hypot(one[mcse], other[mcse])
        assert ((one[value] - other[value]).abs() < FOUR * both).all()


def test_the_groups_drawn_once_have_variance_psi_and_the_mean_of_the_rows_zero():
    study = Study(PSI, THETA, 5, UNEQUAL, 1, "sufficient", "same groups")
    assert study.population.var(ddof=1) == pytest.approx(PSI, rel=1e-13)
    assert study.population @ UNEQUAL == pytest.approx(0, abs=1e-11)
    study = Study(PSI, THETA, 5, UNEQUAL, 1, "sufficient", "finite population", 9)
    assert study.population.var(ddof=1) == pytest.approx(PSI, rel=1e-13)
    assert study.population.sum() == pytest.approx(0, abs=1e-11)
    drawn = study.effects(200)
    assert all(len(set(row)) == 5 for row in drawn)
    assert set(drawn.ravel()) == set(study.population)


# ---- coverage ------------------------------------------------------------------------------------


@each_scheme
def test_known_intervals_cover_what_the_ratio_of_the_standard_errors_says(scheme):
    table = simulate.coverage(PSI, THETA, J, N_EACH, **SCHEMES[scheme], replicates=20_000, seed=10)
    for pooling, own in (("complete", "independent rows"), ("no", "same groups"), ("partial", "new groups")):
        row = table.loc[f"{pooling} pooling, known"]
        exact = 2 * stats.norm.cdf(Z * FORMULA[own] / FORMULA[scheme]) - 1
        assert agree(row["coverage"], exact, max(row["mcse"], 1e-4))
        assert row["mean_length"] == pytest.approx(2 * Z * FORMULA[own], rel=1e-12)
        assert row["length_mcse"] == pytest.approx(0, abs=1e-12)


def test_the_course_s_coverages_come_out():
    """COURSE.md: .687 and .950 in closed form; .683 and .599 simulated, to three digits."""
    table = simulate.coverage(PSI, THETA, J, N_EACH, replicates=20_000, seed=11)
    for method, stated in (
        ("complete pooling, known", 0.687282), ("complete pooling, t", 0.683), ("no pooling, known", 0.599),
        ("partial pooling, known", 0.95), ("partial pooling, t", 0.95), ("partial pooling, z", 0.935167),
    ):  # fmt: skip
        assert agree(table.loc[method, "coverage"], stated, table.loc[method, "mcse"]), method


@pytest.mark.parametrize("groups", [3, 5, 10, 20, 40])
def test_far_from_the_boundary_z_covers_too_little_and_t_exactly(groups):
    psi = 1e6  # F below 1 does not happen, and the mixed SE is that of the group means
    table = simulate.coverage(psi, THETA, groups, N_EACH, replicates=20_000, seed=12)
    z, t = table.loc["partial pooling, z"], table.loc["partial pooling, t"]
    assert agree(z["coverage"], 2 * stats.t.cdf(Z, groups - 1) - 1, z["mcse"])
    assert agree(t["coverage"], 0.95, t["mcse"])
    assert not agree(t["coverage"], z["coverage"], z["mcse"])
    se = formulas.se_partial_pooling(psi, THETA, groups, N_EACH)
    shrink = stats.chi.mean(groups - 1) / np.sqrt(groups - 1)  # a standard deviation's bias
    assert agree(z["mean_length"], 2 * Z * se * shrink, z["length_mcse"])
    ratio = stats.t.ppf(0.975, groups - 1) / Z
    assert t["mean_length"] == pytest.approx(ratio * z["mean_length"], rel=1e-12)


def test_near_the_boundary_z_covers_more_than_its_closed_form():
    table = simulate.coverage(
        PSI, THETA, 5, N_EACH, methods="partial pooling, z", replicates=100_000, seed=13
    )
    row = table.loc["partial pooling, z"]
    assert row["coverage"] - (2 * stats.t.cdf(Z, 4) - 1) > FOUR * row["mcse"]
    assert agree(row["coverage"], 0.884, row["mcse"])


def test_each_interval_is_honest_for_the_repetition_it_belongs_to():
    """With the t quantile and its own scheme; partial pooling's at the boundary covers a little more."""
    for scheme, method in (("same groups", "no pooling, t"), ("independent rows", "complete pooling, t")):
        table = simulate.coverage(PSI, THETA, J, UNEQUAL * 4, scheme=scheme, methods=[method], seed=14)
        assert agree(table.loc[method, "coverage"], 0.95, table.loc[method, "mcse"])


def test_another_level_is_another_quantile():
    table = simulate.coverage(PSI, THETA, J, N_EACH, level=0.5, replicates=20_000, seed=15)
    for method in ("partial pooling, known", "partial pooling, t"):
        assert agree(table.loc[method, "coverage"], 0.5, table.loc[method, "mcse"])
    groups = simulate.group_coverage(PSI, THETA, J, N_EACH, level=0.5, seed=15).loc[("no pooling", "every")]
    assert groups["coverage"] == pytest.approx(0.5, abs=0.01)


def test_the_table_has_the_methods_asked_for_and_binomial_errors():
    assert list(simulate.coverage(PSI, THETA, J, N_EACH, replicates=50).index) == list(simulate.METHODS)
    methods = ["partial pooling, t", "no pooling, z"]
    table = simulate.coverage(PSI, THETA, J, N_EACH, methods=methods, replicates=5000, seed=16)
    assert list(table.index) == methods
    assert list(table.columns) == ["coverage", "mcse", "mean_length", "length_mcse"]
    binomial = np.sqrt(table["coverage"] * (1 - table["coverage"]) / 5000)
    assert np.allclose(table["mcse"], binomial, rtol=1e-9, atol=0)


def test_an_interval_is_the_estimate_give_or_take_its_own_standard_error():
    how = {"replicates": 3000, "seed": 29}
    table, sim = simulate.coverage(PSI, THETA, 5, UNEQUAL, **how), replicate(UNEQUAL, 5, **how)
    for pooling, df in (("complete", 43), ("no", 39), ("partial", 4)):
        estimate = sim.gls_means if pooling == "partial" else sim.means
        for reference, quantile in (("z", Z), ("t", stats.t.ppf(0.975, df))):
            half = quantile * getattr(sim, f"se_{pooling}")
            row = table.loc[f"{pooling} pooling, {reference}"]
            assert row["coverage"] == pytest.approx(np.mean(np.abs(estimate) <= half), abs=1e-12)
            assert row["mean_length"] == pytest.approx(2 * half.mean(), rel=1e-12)


def test_without_pooling_a_group_s_interval_has_a_closed_coverage():
    table = simulate.group_coverage(PSI, THETA, 5, 4, replicates=20_000, seed=17).loc["no pooling"]
    exact = 2 * stats.t.cdf(Z, 15) - 1
    for group in ("every", "largest true mean"):  # the truth says nothing about the errors
        assert agree(table.loc[group, "coverage"], exact, table.loc[group, "mcse"])
    assert table.loc["largest estimate", "coverage"] < exact - FOUR * table.loc["largest estimate", "mcse"]


def test_partial_pooling_covers_on_average_and_not_at_the_top():
    """COURSE.md: .941 on average, .855 for the truly largest of 20."""
    table = simulate.group_coverage(PSI, THETA, J, N_EACH, replicates=20_000, seed=18)
    for group, stated in (("every", 0.941), ("largest true mean", 0.855)):
        row = table.loc[("partial pooling", group)]
        assert abs(row["coverage"] - stated) < FOUR * row["mcse"] + 0.0005
    length = table["mean_length"].xs("every", level="group")
    assert length["conditional"] < length["partial pooling"] < length["no pooling"] < length["naive sum"]


@pytest.mark.parametrize("n", [N_EACH, UNEQUAL], ids=["equal", "unequal"])
def test_the_lengths_for_groups_are_those_of_the_four_formulas(n):
    psi_true = 10 * PSI  # so that no estimate is 0
    table = simulate.group_coverage(psi_true, THETA, 5, n, replicates=2, seed=19)
    study = Study(psi_true, THETA, 5, n, 19, "sufficient")  # the same two once more
    means, ss_within = study.statistics(2, study.effects(2))
    halves = {"no pooling": [], "conditional": [], "naive sum": [], "partial pooling": []}
    for psi, theta, se, within in zip(
        *batch.fit_batch(means, study.sizes, ss_within)[1:], ss_within, strict=True
    ):
        assert psi > 0
        factor = formulas.shrinkage(psi, theta, study.sizes)
        given_mean = factor * theta / study.sizes
        halves["no pooling"] += [np.sqrt(within / (study.N - 5) / study.sizes)]
        halves["conditional"] += [np.sqrt(given_mean)]
        halves["naive sum"] += [np.sqrt(given_mean + se**2)]
        if n == N_EACH:
            halves["partial pooling"] += [formulas.se_group_mean_partial(psi, theta, 5, n)]
        else:
            halves["partial pooling"] += [np.sqrt(given_mean + (1 - factor) ** 2 * se**2)]
    for method, half in halves.items():
        found = table.loc[(method, "every"), "mean_length"]
        assert found == pytest.approx(2 * Z * np.mean(half), rel=1e-12), method


def test_for_the_group_at_the_top_its_own_interval_counts():
    """Of unequal groups the small ones come out on top, unpooled: their intervals are longer."""
    table = simulate.group_coverage(PSI, THETA, 5, UNEQUAL, replicates=4000, seed=28).loc["no pooling"]
    longer = (table["mean_length"] - table.loc["every", "mean_length"]) / table["length_mcse"]
    assert longer["largest estimate"] > FOUR
    assert abs(longer["largest true mean"]) < FOUR  # the truth is the same whatever the size


# ---- errors of group means -----------------------------------------------------------------------


def test_the_errors_of_group_means_have_the_closed_forms():
    table = simulate.group_errors(PSI, THETA, J, N_EACH, replicates=20_000, seed=31)
    own = formulas.se_group_mean(THETA, N_EACH)
    for method, group, exact in (
        ("no pooling", "every", own), ("no pooling", "largest true mean", own),
        ("variances known", "every", formulas.se_group_mean_partial(PSI, THETA, J, N_EACH)),
    ):  # fmt: skip
        row = table.loc[(method, group)]
        assert agree(row["rmse"], exact, row["rmse_mcse"])
        assert agree(row["bias"], 0, row["bias_mcse"])
        assert 0 < row["rmse_mcse"] < 0.01 * row["rmse"]


def test_with_the_variances_known_unequal_groups_have_the_closed_form_too():
    table = simulate.group_errors(PSI, THETA, 5, UNEQUAL, replicates=40_000, seed=32)
    sizes = np.array(UNEQUAL)
    factor = formulas.shrinkage(PSI, THETA, sizes)
    overall = formulas.se_partial_pooling_unbalanced(PSI, THETA, sizes)
    exact = np.sqrt(np.mean(factor * THETA / sizes + ((1 - factor) * overall) ** 2))
    row = table.loc[("variances known", "every")]
    assert agree(row["rmse"], exact, row["rmse_mcse"])


def rmse_with_estimated_variances(psi, theta, J, n):
    """The typical error of a partially pooled mean by quadrature over both mean squares, balanced data.

    The best guess at known variances misses by what is uncorrelated with the scores, so an estimated
    factor adds the mean of (its error)^2 (class mean less overall mean)^2.
    """
    q = (np.arange(2000) + 0.5) / 2000
    between = (theta + n * psi) * stats.chi2.ppf(q, J - 1)[:, None] / (J - 1)
    within = theta * stats.chi2.ppf(q, J * (n - 1)) / (J * (n - 1))
    wrong = np.maximum(0, 1 - within / between) - formulas.shrinkage(psi, theta, n)
    extra = np.mean(wrong**2 * between) / n * (J - 1) / J
    return np.sqrt(formulas.se_group_mean_partial(psi, theta, J, n) ** 2 + extra)


@pytest.mark.parametrize(("psi", "groups"), [(PSI, J), (PSI, 8), (1000, 3)])
def test_estimated_variances_add_what_the_integral_says(psi, groups):
    table = simulate.group_errors(psi, THETA, groups, N_EACH, replicates=50_000, seed=33)
    row = table.loc[("partial pooling", "every")]
    exact = rmse_with_estimated_variances(psi, THETA, groups, N_EACH)
    assert agree(row["rmse"], exact, row["rmse_mcse"])
    if groups == J:
        assert exact == pytest.approx(8.737, abs=0.001)


def test_partial_pooling_draws_the_largest_mean_down():
    table = simulate.group_errors(PSI, THETA, J, N_EACH, replicates=5000, seed=34)
    for method in ("partial pooling", "variances known"):
        top, every = table.loc[(method, "largest true mean")], table.loc[(method, "every")]
        assert top["bias"] < -FOUR * top["bias_mcse"]
        assert top["nearer"] < 0.5 - FOUR * top["nearer_mcse"]
        assert every["nearer"] > 0.5 + FOUR * every["nearer_mcse"]
    assert (table.loc["no pooling", "nearer"] == 0).all()


def test_of_three_groups_with_a_large_psi_estimated_variances_lose_and_known_ones_gain():
    table = simulate.group_errors(1000, THETA, 3, N_EACH, replicates=100_000, seed=35)
    rmse = table["rmse"].xs("every", level="group")
    assert rmse["variances known"] < rmse["no pooling"] < rmse["partial pooling"]


def test_the_errors_do_not_depend_on_the_way_of_drawing():
    one, other = (
        simulate.group_errors(PSI, THETA, 5, UNEQUAL, draw=draw, replicates=3000, seed=36) for draw in DRAWS
    )
    for value in ("bias", "rmse", "nearer"):
        both = np.hypot(one[f"{value}_mcse"], other[f"{value}_mcse"])
        assert ((one[value] - other[value]).abs() <= FOUR * both).all()


# ---- bootstraps ----------------------------------------------------------------------------------

BY_R = {"rows": "iid", "groups": "cluster", "within": "stratified", "two-stage": "twostage"}


@pytest.mark.parametrize("scheme", simulate.BOOTSTRAPS)
def test_each_bootstrap_has_the_sd_of_its_target_and_of_no_other(classrooms, reference, scheme):
    exact = {name: reference("classrooms")[f"boot.{key}_exact"] for name, key in BY_R.items()}
    sim = simulate.bootstrap(
        classrooms["score"], classrooms["classroom"], scheme=scheme, replicates=8000, seed=20
    )
    assert sim.target == pytest.approx(exact[scheme], rel=1e-12)
    for name, sd in exact.items():
        assert agree(sim.sd, sd, sim.sd_mcse) == (name == scheme), name
    found = simulate.monte_carlo(sim.means)
    assert agree(found["mean"], classrooms["score"].mean(), found["mean_mcse"])


def all_resamples(groups, scheme):
    """The sd of the mean of rows over every resample that can be drawn, each with its probability."""
    if scheme in ("rows", "within"):
        choices = [[sum(groups, [])] if scheme == "rows" else groups]  # noqa: RUF017
    else:
        choices = list(product(groups, repeat=len(groups)))
    means, weights = [], []
    for choice in choices:
        samples = [choice]
        if scheme != "groups":
            samples = list(product(*(product(group, repeat=len(group)) for group in choice)))
        means += [np.concatenate(sample).mean() for sample in samples]
        weights += [1 / len(samples)] * len(samples)
    centre = np.average(means, weights=weights)
    return np.sqrt(np.average((np.array(means) - centre) ** 2, weights=weights))


def as_columns(groups):
    return np.concatenate(groups), np.repeat(np.arange(len(groups)), [len(group) for group in groups])


@pytest.mark.parametrize("scheme", simulate.BOOTSTRAPS)
def test_the_targets_are_the_sd_over_all_resamples_of_equal_groups(scheme):
    groups = [[1.0, 4.0], [2.0, 9.0], [3.5, 7.0]]
    target = simulate.bootstrap(*as_columns(groups), scheme=scheme, replicates=2).target
    assert target == pytest.approx(all_resamples(groups, scheme), rel=1e-12)


@pytest.mark.parametrize("scheme", simulate.BOOTSTRAPS)
def test_unequal_groups_are_resampled_as_the_scheme_says(scheme):
    groups = [[1.0], [2.0, 9.0], [3.5, 7.0, 8.0]]
    exact = all_resamples(groups, scheme)
    sim = simulate.bootstrap(*as_columns(groups), scheme=scheme, replicates=20_000, seed=21)
    assert agree(sim.sd, exact, sim.sd_mcse)
    is_exact = sim.target == pytest.approx(exact, rel=1e-12)
    assert is_exact == (scheme in ("rows", "within"))  # the others are first order


@pytest.mark.parametrize("scheme", simulate.BOOTSTRAPS)
def test_the_targets_of_equal_groups_are_the_closed_forms_of_the_mean_squares(scheme):
    values = np.random.default_rng(3).normal(size=(7, 4))
    squares = {
        "ms_between": 4 * values.mean(axis=1).var(ddof=1),
        "ms_within": values.var(axis=1, ddof=1).mean(),
    }
    formula = getattr(formulas, f"se_bootstrap_{scheme.replace('-', '_')}")
    known = {
        k: v for k, v in (squares | {"J": 7, "n": 4}).items() if k in inspect.signature(formula).parameters
    }
    target = simulate.bootstrap(*as_columns(list(values)), scheme=scheme, replicates=2).target
    assert target == pytest.approx(formula(**known), rel=1e-12)


def test_a_bootstrap_reads_any_labels_in_any_order(classrooms):
    shuffled = classrooms.sample(frac=1, random_state=1)
    labels = shuffled["classroom"].map(lambda label: f"class {label}")
    how = {"scheme": "two-stage", "replicates": 10}
    sims = [simulate.bootstrap(shuffled["score"].tolist(), labels.tolist(), **how),
            simulate.bootstrap(classrooms["score"], classrooms["classroom"], **how)]  # fmt: skip
    assert sims[0].target == pytest.approx(sims[1].target, rel=1e-12)


def test_an_offset_costs_a_bootstrap_no_digits():
    values, labels = as_columns([[1.0, 4.0], [2.0, 9.0]])
    near, far = (simulate.bootstrap(values + shift, labels, seed=1, replicates=50) for shift in (0, 2.0**40))
    assert np.allclose(far.means - 2.0**40, near.means, rtol=0, atol=1e-3)
    assert far.sd == pytest.approx(near.sd, rel=1e-3)


# ---- Monte Carlo standard errors -----------------------------------------------------------------


@pytest.mark.parametrize("law", ["normal", "exponential", "uniform"])
def test_monte_carlo_errors_are_the_sd_over_repeats(law):
    rng = np.random.default_rng(22)
    samples = getattr(rng, law)(size=(1200, 400))
    found = pd.DataFrame([simulate.monte_carlo(sample) for sample in samples])
    for value, mcse in (("mean", "mean_mcse"), ("sd", "sd_mcse")):
        # A tenth: the fourth moment of 400 exponential values is itself a rough and too low estimate.
        assert found[mcse].mean() == pytest.approx(found[value].std(), rel=0.1)
    naive = found["sd"].mean() / np.sqrt(2 * 399)
    assert (found["sd"].std() == pytest.approx(naive, rel=0.1)) == (law == "normal")


def test_values_that_do_not_vary_have_no_monte_carlo_error():
    assert simulate.monte_carlo([3, 3, 3]).tolist() == [3, 0, 0, 0]


def test_a_simulation_says_what_it_found():
    text = repr(replicate(replicates=1000, seed=23))
    assert text.startswith("1000 replicates: sd of the mean ")
    assert text.endswith("formula 4.94975")


# ---- seeds, chunks, progress ---------------------------------------------------------------------


def studies(seed):
    """One run of everything that draws, as arrays."""
    values, labels = as_columns([[1.0, 4.0], [2.0, 9.0], [3.0, 5.0]])
    how = {"replicates": 20, "seed": seed}
    for scheme in SCHEMES.values():
        for draw in DRAWS:
            yield replicate(**scheme, **how, draw=draw).se_partial
    for scheme in simulate.BOOTSTRAPS:
        yield simulate.bootstrap(values, labels, scheme=scheme, **how).means
    yield simulate.coverage(PSI, THETA, J, N_EACH, **how).to_numpy()
    yield simulate.group_coverage(PSI, THETA, J, N_EACH, **how).to_numpy()


def test_a_seed_gives_the_same_numbers_and_another_seed_others():
    for one, same, other in zip(studies(1), studies(1), studies(2), strict=True):
        assert np.array_equal(one, same)
        assert not np.array_equal(one, other)


def test_a_generator_is_a_seed_and_none_is_a_new_one_each_time():
    rng = np.random.default_rng(1)
    first, second = replicate(seed=rng, replicates=9).means, replicate(seed=rng, replicates=9).means
    assert np.array_equal(first, replicate(seed=1, replicates=9).means)
    assert not np.array_equal(first, second)
    assert not np.array_equal(replicate(replicates=9).means, replicate(replicates=9).means)


@each_draw
def test_chunks_change_neither_the_number_nor_the_distribution(monkeypatch, draw):
    whole = replicate(UNEQUAL * 4, draw=draw, replicates=600, seed=24)
    monkeypatch.setattr(waiting, "CHUNK", 11 * (20 if draw == "sufficient" else 176))
    parts = replicate(UNEQUAL * 4, draw=draw, replicates=600, seed=25)
    assert all(getattr(parts, name).shape == (600,) for name in ESTIMATES)
    assert len(np.unique(parts.means)) == 600
    assert least_p(whole, parts) > 0.001


def test_a_tally_in_chunks_is_the_tally_of_all():
    rng = np.random.default_rng(26)
    held, length = rng.random(1000) < 0.9, 1e6 + rng.random(1000)
    tally = Tally()
    for k in range(0, 1000, 130):
        tally.add("a", held[k : k + 130], length[k : k + 130])
    row = tally.table("method").loc["a"]
    expected = [held.mean(), held.std() / np.sqrt(1000), length.mean(), length.std() / np.sqrt(1000)]
    assert np.allclose(row, expected, rtol=1e-9, atol=0)


def test_memory_does_not_grow_with_the_replicates():
    tracemalloc.start()
    simulate.coverage(PSI, THETA, J, N_EACH, replicates=200_000, seed=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10e6  # all group means at once would take 32e6 bytes


@pytest.fixture
def run(monkeypatch, capsys):
    """Return a function: 20 chunks at so many seconds each, watched or not; what stdout and stderr got."""

    def of(seconds, watched=True):
        clock = iter(np.arange(100) * seconds)
        monkeypatch.setattr(waiting, "time", SimpleNamespace(monotonic=lambda: next(clock)))
        monkeypatch.setattr(waiting, "watched", lambda: watched)
        assert sum(waiting.chunks(2000, waiting.CHUNK / 100)) == 2000
        return capsys.readouterr()

    return of


def test_progress_is_told_after_a_second_on_stderr_and_wiped_in_the_end(run):
    out, err = run(0.3)
    assert out == ""
    steps = err.split("\r")[1:]
    assert steps[0].startswith(" 15% of 2000 replicates")  # 0.3 s a chunk of 100: the fourth look at 1.2 s
    assert steps[-3].startswith(" 95%")
    assert set(steps[-2]) == {" "}
    assert len(steps[-2]) >= len(steps[-3])
    assert steps[-1] == ""
    assert "\n" not in err


def test_progress_is_not_told_oftener_than_five_times_a_second(run):
    _, err = run(0.11)
    assert err.count("%") == 6  # at 1.10, 1.32, 1.54, 1.76, 1.98 and 2.20 s


def test_within_a_second_or_where_nobody_waits_nothing_is_told(run):
    assert run(0.04) == ("", "")
    assert run(3.0, watched=False) == ("", "")


def test_the_line_is_wiped_when_the_work_is_broken_off(monkeypatch, capsys):
    clock = iter(range(100))
    monkeypatch.setattr(waiting, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(waiting, "watched", lambda: True)
    chunks = waiting.chunks(2000, waiting.CHUNK / 100)
    for _ in range(5):
        next(chunks)
    chunks.close()
    assert capsys.readouterr().err.endswith(" \r")


@pytest.mark.parametrize(
    ("terminal", "kernel", "watched"),
    [(True, None, True), (False, None, False), (False, True, True), (False, False, False)],
    ids=["terminal", "file", "notebook with a reader", "notebook executed by a tool"],
)
def test_who_is_told(monkeypatch, terminal, kernel, watched):
    shell = None if kernel is None else SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=kernel))
    monkeypatch.setattr(waiting, "get_ipython", lambda: shell)
    monkeypatch.setattr(waiting.sys, "stderr", SimpleNamespace(isatty=lambda: terminal))
    assert waiting.watched() is watched


def test_a_short_study_says_nothing(capsys):
    replicate(replicates=100, seed=1)
    assert capsys.readouterr() == ("", "")


# ---- what is refused -----------------------------------------------------------------------------

DESIGNS = {
    "psi must be": {"psi": -1},
    "psi must be finite": {"psi": np.nan},
    "theta positive; got 400 and 0": {"theta": 0},
    "theta positive": {"theta": -900},
    "theta must be finite": {"theta": np.inf},
    "single numbers": {"psi": [400, 500]},
    "J must be whole and at least 2; got 1": {"J": 1},
    "J must be whole": {"J": 2.5},
    "n must be whole and at least 1": {"n": 0},
    "n must be whole": {"n": [10] * 19 + [0]},
    "n must be one size or J = 20 of them": {"n": [10] * 19},
    "one row only": {"n": 1},
    "replicates must be whole and at least 2; got 1": {"replicates": 1},
    "replicates must": {"replicates": np.nan},
    "draw must be one of 'sufficient', 'observations'; got 'all'": {"draw": "all"},
}
MEANS = {
    "scheme must be one of 'new groups'": {"scheme": "new classes"},
    "K goes with": {"K": 25},
    "got K = None": {"scheme": "finite population"},
    "K must be whole and at least 20; got 19": {"scheme": "finite population", "K": 19},
    "K must": {"scheme": "finite population", "K": np.nan},
}
COVERAGES = {
    "level must lie between 0 and 1; got 95": {"level": 95},
    "level must": {"level": 0},
    "level must lie": {"level": np.nan},
}


@pytest.mark.parametrize(
    ("function", "message", "change"),
    [
        (function, *case)
        for function, cases in (
            (simulate.replicate, DESIGNS | MEANS),
            (simulate.coverage, DESIGNS | MEANS | COVERAGES | {"method must be": {"methods": ["t"]}}),
            (simulate.group_coverage, DESIGNS | COVERAGES),
            (simulate.group_errors, DESIGNS),
        )
        for case in cases.items()
    ],
)
def test_what_cannot_be_simulated_is_refused(function, message, change):
    with pytest.raises(ValueError, match=message):
        function(**({"psi": PSI, "theta": THETA, "J": J, "n": N_EACH, "replicates": 9} | change))


@pytest.mark.parametrize(
    ("message", "change"),
    [
        ("scheme must be one of 'rows'", {"scheme": "clusters"}),
        ("replicates must", {"replicates": 0}),
        ("one length", {"groups": [1, 1, 2]}),
        ("one length", {"values": [[1, 2], [3, 4]], "groups": [[1, 1], [2, 2]]}),
        ("in row 2 is not", {"values": [1, 2, np.inf, 4]}),
        ("must be numbers", {"values": ["a", "b", "c", "d"]}),
        ("two or more, none missing; got 1", {"groups": [1, 1, 1, 1]}),
        ("none missing; got 2 and 1", {"groups": [1, 1, 2, None]}),
    ],
)
def test_what_cannot_be_resampled_is_refused(message, change):
    with pytest.raises(ValueError, match=message):
        simulate.bootstrap(**({"values": [1, 2, 3, 4], "groups": [1, 1, 2, 2], "replicates": 9} | change))


@pytest.mark.parametrize("values", [[1.0], [1.0, np.nan], [[1.0, 2.0]], []], ids=str)
def test_what_has_no_standard_deviation_is_refused(values):
    with pytest.raises(ValueError, match="at least two finite numbers"):
        simulate.monte_carlo(values)


def test_without_variance_between_there_is_still_a_study():
    sim = replicate(psi=0, scheme="same groups", replicates=2000, seed=27)
    assert agree(sim.sd, sim.target, sim.sd_mcse)
    assert simulate.monte_carlo(sim.psi == 0)["mean"] > 0.4
