"""The closed forms: R's values, their limits, the theorems that tie them together, what they refuse."""

import inspect
import math
from fractions import Fraction
from itertools import combinations, product
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import NormalIndPower, TTestIndPower

from helpers import formulas

ROUNDING = 1e-13  # a dozen operations in another order than R's: some units in the last place

variances = st.floats(1e-6, 1e6)
ratios = st.floats(1e-4, 1e4)  # psi / theta: beyond that the smaller variance is lost in the sum
group_counts = st.integers(2, 500)
sizes = st.integers(1, 500)


def close(value, expected, rel=ROUNDING):
    return value == pytest.approx(expected, rel=rel, abs=0)


@pytest.fixture(scope="module")
def r(reference):
    return reference("classrooms")


@pytest.fixture(scope="module")
def known(r):
    """The ANOVA variances of the classrooms, 20 groups of 10."""
    return {"psi": r["anova.psi"], "theta": r["anova.theta"], "J": 20, "n": 10}


def given_to(function, known):
    """Those of the known numbers that a function asks for."""
    return {name: known[name] for name in inspect.signature(function).parameters if name in known}


BY_R = {
    "se_complete_pooling": "se.formula_OLS",
    "se_partial_pooling": "se.formula_Mixed",
    "se_no_pooling": "se.formula_NoPool",
    "se_group_mean": "se.formula_NoPool_class",
    "se_group_mean_partial": "re.se_classmean_pred_error",
    "se_new_group_mean": "re.se_newclass_mean",
    "se_new_observation": "re.se_newstudent",
    "se_new_observation_known_group": "re.se_newstudent_oldclass",
    "icc": "icc",
    "shrinkage": "shrink.lambda",
    "se_floor": "design.floor_J20",
    "complete_pooling_variance": "se.s2_cp",
    "se_group_difference": "np.se_difference",
}


@pytest.mark.parametrize(("name", "key"), BY_R.items())
def test_each_formula_gives_rs_value_on_the_classrooms(r, known, name, key):
    function = getattr(formulas, name)
    assert close(function(**given_to(function, known)), r[key])


def test_the_design_effect_and_the_effective_sample_size_are_rs(r):
    assert close(formulas.design_effect(r["icc"], 10), r["deff"])
    assert close(formulas.effective_sample_size(r["icc"], 20, 10), r["n_eff"])


@pytest.mark.parametrize(
    ("name", "key"), [("rows", "iid"), ("groups", "cluster"), ("within", "stratified"),
                      ("two_stage", "twostage")],
)  # fmt: skip
def test_the_bootstraps_of_the_mean_squares_are_rs(r, name, key):
    function = getattr(formulas, f"se_bootstrap_{name}")
    squares = {"ms_between": r["anova.MSB"], "ms_within": r["anova.MSW"], "J": 20, "n": 10}
    assert close(function(**given_to(function, squares)), r[f"boot.{key}_exact"])


@pytest.mark.parametrize("K", [20, 25, 40, 100, 1000])
def test_the_finite_population_se_is_rs(r, known, K):
    assert close(formulas.se_finite_population(**known, K=K), r[f"fpc.K{K}"])


def test_the_difference_of_two_shrunken_means_is_rs(r):
    se = formulas.se_group_difference(r["anova.theta"], 10, r["shrink.lambda"])
    assert close(se, r["re.se_difference"])


@pytest.mark.parametrize(("J", "n", "key"), [(40, 5, "J40_n5"), (10, 20, "J10_n20"), (200, 1, "J200_n1")])
def test_other_designs_are_rs(r, J, n, key):
    assert close(formulas.se_partial_pooling(r["anova.psi"], r["anova.theta"], J, n), r[f"design.{key}"])


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (formulas.se_complete_pooling(400, 900, 20, 10), "se.true_params_OLSnaive"),
        (formulas.se_partial_pooling(400, 900, 20, 10), "se.true_params_Mixed"),
        (formulas.se_no_pooling(900, 20, 10), "se.true_params_grand_fixed"),
        (formulas.se_group_mean(900, 10), "se.true_params_class"),
        (formulas.icc(400, 900), "se.true_icc"),
    ],
)
def test_the_true_variances_give_rs_values(r, value, key):
    assert close(value, r[key])


def test_the_mean_squares_give_rs_variances_and_back(r):
    psi, theta = formulas.variances_from_mean_squares(r["anova.MSB"], r["anova.MSW"], 10)
    assert close(psi, r["anova.psi"])
    assert theta == r["anova.MSW"]
    between, within = formulas.expected_mean_squares(psi, theta, 10)
    assert close(between, r["anova.MSB"])
    assert within == theta


def test_the_errors_of_the_variances_are_those_of_rs_information(r, known):
    se_psi, se_theta = formulas.se_variances(**known)
    assert close(se_psi, r["vc.se_psi"])
    assert close(se_theta, r["vc.se_theta"])


def test_the_errors_of_the_variances_are_those_of_two_chi_squares():
    """Exact at any true variances: the two mean squares have them by their own theory, from scipy."""
    psi, theta, J, n = 4.0, 9.0, 5, 3
    between = (theta + n * psi) / (J - 1) * stats.chi2(J - 1).std()
    within = theta / (J * (n - 1)) * stats.chi2(J * (n - 1)).std()
    se_psi, se_theta = formulas.se_variances(psi, theta, J, n)
    assert close(se_psi, math.hypot(between, within) / n)
    assert close(se_theta, within)


@pytest.mark.parametrize(("psi", "J"), [(0, 20), (100, 5), (400, 3)])
def test_the_chance_of_zero_is_the_lower_tail_of_f(psi, J):
    chance = formulas.probability_of_zero(psi, 900, J, 10)
    assert close(chance, stats.f.cdf(900 / (900 + 10 * psi), J - 1, 9 * J), rel=1e-12)


def test_the_chance_of_zero_falls_as_classes_differ_and_as_they_become_many():
    chances = formulas.probability_of_zero(np.array([0, 25, 100, 400]), 900, np.array([[3], [5], [20]]), 10)
    assert (np.diff(chances) < 0).all()
    assert (np.diff(chances, axis=0) < 0).all()


@pytest.mark.parametrize("function", [formulas.se_variances, formulas.probability_of_zero])
@pytest.mark.parametrize(("J", "n"), [(1, 5), (5, 1)])
def test_one_group_or_one_row_a_group_cannot_tell_the_variances_apart(function, J, n):
    with pytest.raises(ValueError, match=rf"J and n must be at least 2.*J = {J}.* n = {n}"):
        function(4, 9, J, n)


@pytest.mark.filterwarnings("error")
def test_two_variances_of_zero_have_no_chance_of_zero():
    with pytest.raises(ValueError, match=r"psi \+ theta must be positive"):
        formulas.probability_of_zero(0, 0, 5, 5)


def test_the_generalised_least_squares_se_is_rs_on_every_unbalanced_design(r):
    for name, design in r.whole["unbalanced"].items():
        psi, theta, n = design["lmer_psi"], design["lmer_theta"], design["n_j"]
        assert close(formulas.se_partial_pooling_unbalanced(psi, theta, n), design["gls_se_formula"]), name
        for size, key in (("n_mean", "mean_n"), ("n_harmonic", "harmonic_n"), ("n0", "n0")):
            se = formulas.se_partial_pooling(psi, theta, design["J"], design[size])
            assert close(se, design[f"formula_with_{key}"]), (name, size)


# ---- arrays, limits ------------------------------------------------------------------------------


OF_SIZES = [
    formulas.se_partial_pooling_unbalanced,
    formulas.se_finite_population_unbalanced,
    formulas.se_bracket,
    formulas.kenward_roger_mean,
]


def elementwise():
    """Every formula that broadcasts over its arguments."""
    public = [f for name, f in vars(formulas).items() if inspect.isfunction(f) and not name.startswith("_")]
    return [f for f in public if f not in [*OF_SIZES, formulas.reml_mean_squares_nested]]  # it takes rows


EXAMPLE = {
    "psi": [4.0, 9.0], "theta": [25.0, 16.0], "J": [5, 8], "n": [3, 7], "K": [9, 8], "M": [7, 9],
    "icc": [0.1, 0.4], "icc_x": [-0.1, 1.0], "ss_within": [12.0, 30.0], "ss_between": [5.0, 40.0],
    "ms_between": [40.0, 50.0], "ms_within": [25.0, 16.0], "se": [2.0, 3.0], "sd": [4.0, 3.0],
    "level": [0.95, 0.9], "df": [4, 2.5], "distance": [2.0, 5.0], "shrinkage": [0.5, 0.9],
    "cost_ratio": [10.0, 3.0], "effect": [5.0, 2.0], "power": [0.8, 0.9], "alpha": [0.05, 0.1],
    "psi_x": [2.0, 0.5], "s": [12.0, 42.0], "ratio": [0.4, 0.9],
    "psi_school": [4.0, 9.0], "psi_class": [2.0, 1.0], "psi_a": [4.0, 9.0], "psi_b": [2.0, 1.0],
    "m": [4, 2], "a": [5, 8], "b": [3, 7], "ms_a": [40.0, 50.0], "ms_b": [30.0, 60.0],
    "ms_rest": [25.0, 16.0],
}  # fmt: skip


@pytest.mark.parametrize("function", elementwise(), ids=lambda f: f.__name__)
def test_arrays_broadcast_as_one_call_for_each_element(function):
    names = list(inspect.signature(function).parameters)
    both = np.asarray(function(**{name: np.array(EXAMPLE[name]) for name in names}))
    one_by_one = [function(**{name: EXAMPLE[name][k] for name in names}) for k in (0, 1)]
    assert both.T.tolist() == np.asarray(one_by_one).tolist()


@pytest.mark.parametrize("function", elementwise(), ids=lambda f: f.__name__)
def test_a_column_against_a_row_makes_a_table(function):
    first, *rest = inspect.signature(function).parameters
    table = function(np.array(EXAMPLE[first])[:, None], *(np.array(EXAMPLE[name]) for name in rest))
    assert (
        np.broadcast_arrays(*table)[0].shape == (2, 2) if isinstance(table, tuple) else table.shape == (2, 2)
    )


@pytest.mark.parametrize("function", elementwise(), ids=lambda f: f.__name__)
def test_numbers_in_are_numbers_out(function):
    out = function(**{name: EXAMPLE[name][0] for name in inspect.signature(function).parameters})
    for value in out if isinstance(out, tuple) else [out]:
        assert np.ndim(value) == 0
        assert math.isfinite(value)


@given(theta=variances, J=group_counts, n=sizes)
def test_without_variance_between_all_three_ses_of_the_mean_agree(theta, J, n):
    no = formulas.se_no_pooling(theta, J, n)
    assert close(formulas.se_partial_pooling(0, theta, J, n), no)
    assert close(formulas.se_complete_pooling(0, theta, J, n), no)
    assert formulas.icc(0, theta) == formulas.shrinkage(0, theta, n) == 0


@given(psi=variances, theta=variances, J=group_counts)
def test_with_one_pupil_a_class_clustering_makes_no_difference(psi, theta, J):
    complete = formulas.se_complete_pooling(psi, theta, J, 1)
    assert close(formulas.se_partial_pooling(psi, theta, J, 1), complete)
    assert formulas.design_effect(formulas.icc(psi, theta), 1) == 1


@given(psi=variances, ratio=ratios, J=group_counts)
def test_large_classes_bring_the_se_down_to_its_floor_and_no_further(psi, ratio, J):
    floor = formulas.se_floor(psi, J)
    # theta / (n psi) is at most 1e4 / 1e12, and the root halves it.
    assert close(formulas.se_partial_pooling(psi, psi * ratio, J, 1e12), floor, rel=1e-8)
    assert close(formulas.shrinkage(psi, psi * ratio, 1e12), 1, rel=1e-8)


@given(psi=variances, ratio=ratios, J=group_counts, n=sizes)
def test_no_class_size_beats_the_floor(psi, ratio, J, n):
    assert formulas.se_partial_pooling(psi, psi * ratio, J, n) > formulas.se_floor(psi, J)


# ---- the theorems --------------------------------------------------------------------------------


@given(psi=variances, ratio=ratios, J=group_counts, n=sizes)
def test_t2_the_squared_ratio_of_partial_to_complete_is_the_design_effect(psi, ratio, J, n):
    theta = psi * ratio
    squared = (
        formulas.se_partial_pooling(psi, theta, J, n) / formulas.se_complete_pooling(psi, theta, J, n)
    ) ** 2
    assert close(squared, formulas.design_effect(formulas.icc(psi, theta), n))


@given(psi=variances, ratio=ratios, J=group_counts, n=sizes)
def test_t2_as_many_independent_pupils_as_the_effective_size_give_the_same_se(psi, ratio, J, n):
    theta = psi * ratio
    effective = formulas.effective_sample_size(formulas.icc(psi, theta), J, n)
    assert close(math.sqrt((psi + theta) / effective), formulas.se_partial_pooling(psi, theta, J, n))


@given(between=variances, within=variances, J=group_counts, n=st.integers(2, 500))
def test_t3_the_anova_variances_put_lms_residual_variance_back_together(between, within, J, n):
    between += within  # MSB >= MSW: psi is not negative
    psi, theta = formulas.variances_from_mean_squares(between, within, n)
    total = (J - 1) * between + J * (n - 1) * within
    assert close(formulas.complete_pooling_variance(psi, theta, J, n), total / (J * n - 1))


@given(psi=variances, ratio=ratios, J=group_counts, n=st.integers(2, 500))
def test_t3_lms_residual_variance_lies_below_psi_plus_theta(psi, ratio, J, n):
    theta = psi * ratio
    assert theta < formulas.complete_pooling_variance(psi, theta, J, n) < psi + theta


@given(between=variances, within=variances, n=st.integers(2, 500))
def test_t6_shrinkage_is_one_less_the_inverse_of_f(between, within, n):
    between += within
    psi, theta = formulas.variances_from_mean_squares(between, within, n)
    # Near F = 1 the difference of two nearly equal mean squares keeps few digits: absolute, then.
    assert formulas.shrinkage(psi, theta, n) == pytest.approx(1 - within / between, rel=0, abs=1e-12)


@given(psi=variances, ratio=ratios, J=group_counts, n=sizes)
def test_t7_a_shrunken_class_mean_is_never_predicted_worse_than_a_raw_one(psi, ratio, J, n):
    theta = psi * ratio
    raw = formulas.se_group_mean(theta, n)
    assert formulas.se_group_mean_partial(psi, theta, J, n) <= raw * (1 + ROUNDING)


@given(psi=variances, ratio=ratios, J=group_counts, n=sizes)
def test_t7_the_class_mean_counts_the_conditional_variance_and_that_of_the_overall_mean(psi, ratio, J, n):
    theta = psi * ratio
    weight = formulas.shrinkage(psi, theta, n)
    conditional = weight * theta / n
    overall = ((1 - weight) * formulas.se_partial_pooling(psi, theta, J, n)) ** 2
    # 1 - weight may cancel where weight is near 1, but then it is squared and adds next to nothing.
    assert close(formulas.se_group_mean_partial(psi, theta, J, n) ** 2, conditional + overall, rel=1e-11)


@given(psi=variances, ratio=ratios, n=sizes)
def test_shrinking_helps_a_class_up_to_the_root_of_two_psi_plus_theta_over_n(psi, ratio, n):
    theta = psi * ratio
    edge, raw = math.sqrt(2 * psi + theta / n), formulas.se_group_mean(theta, n)
    # Where the shrinkage is near 1 the three all but agree, so their order is lost in rounding.
    assert formulas.rmse_group_mean_partial_at(edge, psi, theta, n) == pytest.approx(raw, rel=1e-11)
    near, far = formulas.rmse_group_mean_partial_at(edge * np.array([0.9, 1.1]), psi, theta, n)
    assert near <= raw * (1 + ROUNDING)
    assert far >= raw * (1 - ROUNDING)


def over_normal_classes(function, sd):
    """Average of a function of the distance over normal class effects, by Gauss and Hermite."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    return weights @ function(np.abs(nodes) * sd) / weights.sum()


@pytest.mark.parametrize(("psi", "theta", "n"), [(400, 900, 10), (1, 9, 4), (25, 4, 1)])
def test_on_average_over_classes_the_error_and_the_coverage_are_as_promised(psi, theta, n):
    sd, factor = math.sqrt(psi), formulas.shrinkage(psi, theta, n)
    squared = over_normal_classes(lambda u: formulas.rmse_group_mean_partial_at(u, psi, theta, n) ** 2, sd)
    assert squared == pytest.approx(factor * theta / n, rel=1e-12)
    for level in (0.5, 0.95):
        held = over_normal_classes(
            lambda u, level=level: formulas.coverage_group_mean_partial_at(u, psi, theta, n, level), sd
        )
        assert held == pytest.approx(level, abs=1e-6)  # of the quadrature


@given(psi=variances, ratio=st.floats(1e-2, 1e2), n=sizes, steps=st.integers(0, 50))
def test_the_further_out_a_class_the_less_its_interval_covers(psi, ratio, n, steps):
    distance = math.sqrt(psi) * np.array([steps, steps + 1]) / 10
    near, far = formulas.coverage_group_mean_partial_at(distance, psi, psi * ratio, n)
    assert 0 <= far <= near <= 1


@pytest.mark.parametrize(("psi", "theta"), [(0, 1), (1, 0)])
def test_an_interval_without_length_is_refused(psi, theta):
    with pytest.raises(ValueError, match="psi and theta must be positive"):
        formulas.coverage_group_mean_partial_at(1, psi, theta, 5)


@given(psi=variances, ratio=ratios, n=sizes)
def test_t8_the_squared_ratio_of_the_differences_is_the_shrinkage(psi, ratio, n):
    theta = psi * ratio
    weight = formulas.shrinkage(psi, theta, n)
    partial, no = formulas.se_group_difference(theta, n, weight), formulas.se_group_difference(theta, n)
    assert close((partial / no) ** 2, weight)
    assert close(no, math.sqrt(2) * formulas.se_group_mean(theta, n))


@given(psi=variances, ratio=ratios, J=group_counts, n=sizes)
def test_t9_seeing_every_class_leaves_only_the_no_pooling_se(psi, ratio, J, n):
    theta = psi * ratio
    assert close(formulas.se_finite_population(psi, theta, J, n, J), formulas.se_no_pooling(theta, J, n))


@given(psi=variances, ratio=ratios, J=group_counts, n=sizes)
def test_t9_classes_without_end_give_the_partial_pooling_se(psi, ratio, J, n):
    theta = psi * ratio
    infinite = formulas.se_finite_population(psi, theta, J, n, math.inf)
    assert close(infinite, formulas.se_partial_pooling(psi, theta, J, n))


@given(psi=variances, ratio=ratios, J=group_counts, n=sizes, more=st.integers(0, 10_000))
def test_t9_the_se_rises_with_the_number_of_classes_it_is_about(psi, ratio, J, n, more):
    theta = psi * ratio
    se = formulas.se_finite_population(psi, theta, J, n, np.array([J + more, J + more + 1, math.inf]))
    assert se[0] <= se[1] <= se[2]


@pytest.mark.parametrize(
    ("J", "n", "K", "M"), [(2, 2, 3, 3), (1, 2, 3, 4), (3, 1, 3, 4), (2, 3, 4, 3), (2, 2, 2, 4)]
)
def test_t9_every_sample_of_a_small_population_has_the_variance_of_the_formula(J, n, K, M):
    """J of K classes and n of M pupils in each, drawn in every possible way."""
    town = np.random.default_rng(J + 10 * M).integers(0, 100, (K, M)) + 300 * np.arange(K)[:, None]
    samples = [
        np.mean([town[k, list(c)] for k, c in zip(classes, chosen, strict=True)])
        for classes in combinations(range(K), J)
        for chosen in product(combinations(range(M), n), repeat=J)
    ]
    theta = town.var(axis=1, ddof=1).mean()
    psi = town.mean(axis=1).var(ddof=1) - theta / M
    census = np.var(samples)
    assert close(formulas.se_finite_population(psi, theta, J, n, K, M) ** 2, census, rel=1e-11)
    endless = formulas.se_finite_population(psi, theta, J, n, K) ** 2
    assert close(endless - census, theta / (K * M), rel=1e-8)


@given(psi=variances, ratio=ratios, J=group_counts, n=sizes, more=st.integers(0, 10_000))
def test_t9_few_pupils_a_class_move_the_mean_of_the_classes_seen_and_not_that_of_all(psi, ratio, J, n, more):
    theta, M = psi * ratio, n + more
    seen = formulas.se_finite_population(psi, theta, J, n, J, M)
    assert close(seen**2, (1 - n / M) * theta / (J * n), rel=1e-9) or more == 0
    endless = formulas.se_finite_population(psi, theta, J, n, math.inf, M)
    assert close(endless, formulas.se_partial_pooling(psi, theta, J, n))


@given(psi=variances, ratio=ratios, J=group_counts, n=sizes, more=st.integers(0, 10_000))
def test_t9_classes_of_one_size_are_a_case_of_classes_of_any(psi, ratio, J, n, more):
    theta = psi * ratio
    K = np.array([J, J + more, math.inf])
    any_size = [formulas.se_finite_population_unbalanced(psi, theta, np.full(J, n), k) for k in K]
    assert close(np.array(any_size), formulas.se_finite_population(psi, theta, J, n, K), rel=1e-11)


@given(psi=variances, ratio=ratios, unequal=st.lists(sizes, min_size=2, max_size=40))
def test_t9_classes_of_any_size_without_end_give_the_gls_se(psi, ratio, unequal):
    theta = psi * ratio
    infinite = formulas.se_finite_population_unbalanced(psi, theta, unequal, math.inf)
    assert close(infinite, formulas.se_partial_pooling_unbalanced(psi, theta, unequal))


@given(psi=variances, ratio=ratios, unequal=st.lists(sizes, min_size=2, max_size=40))
def test_t9_the_predicted_mean_of_just_these_errs_no_more_than_their_own_means(psi, ratio, unequal):
    theta, J = psi * ratio, len(unequal)
    own = math.sqrt(theta * np.sum(1 / np.array(unequal))) / J
    assert formulas.se_finite_population_unbalanced(psi, theta, unequal, J) <= own * (1 + 1e-12)


@given(se=variances, level=st.floats(0.01, 0.999))
def test_an_interval_of_the_right_se_covers_what_it_promises(se, level):
    assert formulas.normal_coverage(se, se, level) == pytest.approx(level, rel=0, abs=1e-14)


@given(sd=variances, level=st.floats(0.01, 0.999), ratio=st.floats(0.01, 3))
def test_a_longer_interval_covers_more(sd, level, ratio):
    short, long = formulas.normal_coverage(sd * np.array([ratio, 1.01 * ratio]), sd, level)
    assert 0 < short < long <= 1


@given(psi=variances, ratio=ratios, J=group_counts, n=sizes)
def test_the_naive_interval_covers_by_the_design_effect_alone(psi, ratio, J, n):
    theta = psi * ratio
    naive = formulas.se_complete_pooling(psi, theta, J, n)
    covers = formulas.normal_coverage(naive, formulas.se_partial_pooling(psi, theta, J, n))
    effect = formulas.design_effect(formulas.icc(psi, theta), n)
    assert covers == pytest.approx(math.erf(NormalDist().inv_cdf(0.975) / math.sqrt(2 * effect)), abs=1e-13)


@given(psi=variances, ratio=ratios, J=group_counts, n=st.integers(2, 500))
def test_the_complete_pooling_se_is_right_for_one_size_of_population(psi, ratio, J, n):
    """J n / (n - 1) groups, whatever the variances; it need not be whole."""
    theta = psi * ratio
    complete = formulas.se_complete_pooling(psi, theta, J, n)
    # 1 - J / K is 1 / n, a difference of numbers near 1: n times the rounding.
    assert close(formulas.se_finite_population(psi, theta, J, n, J * n / (n - 1)), complete, rel=1e-12)


def test_the_coverage_of_the_naive_interval_at_the_true_variances_is_the_stated_one():
    naive, honest = (f(400, 900, 20, 10) for f in (formulas.se_complete_pooling, formulas.se_partial_pooling))
    assert formulas.normal_coverage(naive, honest) == pytest.approx(0.687282, abs=5e-7)
    assert formulas.normal_coverage(0, honest) == 0


@given(psi=variances, ratio=ratios, n=st.integers(2, 500))
def test_t12_the_factor_at_its_two_ends_and_where_it_is_one(psi, ratio, n):
    rho = formulas.icc(psi, psi * ratio)
    assert formulas.moulton_factor(rho, 1, n) == formulas.design_effect(rho, n)
    # 1 - rho may be as small as 1e-4, a difference of numbers near 1
    assert close(formulas.moulton_factor(rho, -1 / (n - 1), n), 1 - rho, rel=1e-11)
    assert formulas.moulton_factor(rho, 0, n) == formulas.moulton_factor(0, 1, n) == 1


@given(psi=variances, ratio=ratios, n=st.integers(2, 500), share=st.floats(0, 1), total=variances)
def test_t12_the_factor_is_an_average_of_the_variances_within_and_between(psi, ratio, n, share, total):
    """By the share of the predictor that lies between: theta for the rest, theta + n psi for that share."""
    theta = psi * ratio
    factor = formulas.moulton_factor(formulas.icc(psi, theta), (n * share - 1) / (n - 1), n)
    between, within = formulas.expected_mean_squares(psi, theta, n)
    average = (1 - share) * within + share * between
    assert close((psi + theta) * factor, average, rel=1e-10)


@given(psi=variances, ratio=ratios, n=st.integers(2, 500))
def test_t13_the_mixed_slope_has_lms_usual_variance_where_the_predictor_has_the_outcomes_icc(psi, ratio, n):
    """So the standard error goes down below that, and up above."""
    theta = psi * ratio
    rho = formulas.icc(psi, theta)

    def precision(icc_x):
        share = (1 + (n - 1) * icc_x) / n
        within = formulas.se_within_slope(theta, 1 - share) ** -2
        return within + formulas.se_between_slope(psi, theta, n, share) ** -2

    # 1 - share and 1 - rho may be as small as 1e-4
    assert close(precision(rho), 1 / (psi + theta), rel=1e-10)
    # an icc halfway to either end: more precise below, less above
    assert precision(rho / 2) * (psi + theta) > 1
    assert precision((1 + rho) / 2) * (psi + theta) < 1


@given(psi=variances, theta=variances, n=sizes, J=group_counts)
def test_t13_a_dummy_for_half_of_the_classes_has_the_se_of_a_difference_of_two_means(psi, theta, n, J):
    """2 J classes: the sum of squares of a 0/1 predictor is J n / 2."""
    half = formulas.se_partial_pooling(psi, theta, J, n)
    assert close(formulas.se_between_slope(psi, theta, n, J * n / 2), math.sqrt(2) * half)


@given(psi=variances, ratio=ratios, J=group_counts, s=st.integers(1, 500))
def test_the_average_slope_is_the_mean_of_all_classes_over_again(psi, ratio, J, s):
    assert close(
        formulas.se_average_slope(psi, psi * ratio, J, s), formulas.se_partial_pooling(psi, psi * ratio, J, s)
    )
    assert close(formulas.se_average_slope(0, psi, J, s), formulas.se_within_slope(psi, J * s))


@pytest.mark.parametrize(("J", "x"), [(2, [0, 1]), (5, [0, 1, 3]), (12, range(8))])
def test_one_slope_for_all_counts_the_slopes_as_noise_by_the_trace_of_the_residuals(J, x):
    """The mean of the residual variance of J means and one slope, by matrices: tr(M V) over tr(M)."""
    x, psi_x, theta = np.array(x, dtype=float), 1.7, 9.0
    n, s = len(x), np.sum((x - x.mean()) ** 2)
    dummies = np.kron(np.eye(J), np.ones((n, 1)))
    design = np.column_stack([dummies, np.tile(x, J)])
    M = np.eye(J * n) - design @ np.linalg.pinv(design)
    V = psi_x * np.kron(np.eye(J), np.outer(x, x)) + theta * np.eye(J * n)
    assert close(formulas.one_slope_variance(psi_x, theta, J, n, s), np.trace(M @ V) / np.trace(M), rel=1e-10)


@pytest.mark.filterwarnings("error")
def test_a_predictor_of_one_value_has_no_average_slope():
    for function in (
        formulas.se_average_slope,
        lambda p, t, J, s: formulas.one_slope_variance(p, t, J, 4, s),
    ):
        with pytest.raises(ValueError, match="s must be positive: without variation"):
            function(1, 4, 5, [2, 0])
    with pytest.raises(ValueError, match="J and n must be at least 2"):
        formulas.one_slope_variance(1, 4, 5, 1, 2)


def test_t12_and_t13_on_the_classrooms_are_rs_to_the_digits_the_course_states(r):
    assert f"{formulas.moulton_factor(r['icc'], -1 / 9, 10):.6f}" == "0.682118"
    assert close(formulas.moulton_factor(r["icc"], 1, 10), r["deff"])


@given(between=variances, within=variances, J=group_counts, n=sizes)
def test_t15_the_four_bootstraps_are_the_usual_ses_with_divisors_that_are_too_large(between, within, J, n):
    N = J * n
    total = (J - 1) * between + J * (n - 1) * within
    rows = formulas.se_bootstrap_rows(between, within, J, n)
    assert close(rows, math.sqrt(total / (N - 1) / N * (N - 1) / N))
    groups, inside = formulas.se_bootstrap_groups(between, J, n), formulas.se_bootstrap_within(within, J, n)
    assert close(groups, math.sqrt(between / N * (J - 1) / J))
    assert close(inside, formulas.se_no_pooling(within, J, n) * math.sqrt((n - 1) / n))
    both = formulas.se_bootstrap_two_stage(between, within, J, n)
    assert close(both**2, groups**2 + inside**2)


@given(psi=variances, ratio=ratios, n=st.lists(sizes, min_size=2, max_size=40))
def test_t10_no_design_beats_the_root_of_theta_over_n(psi, ratio, n):
    theta = psi * ratio
    se = formulas.se_partial_pooling_unbalanced(psi, theta, n)
    assert se >= math.sqrt(theta / sum(n)) * (1 - ROUNDING)


@given(psi=variances, ratio=ratios, n=st.lists(sizes, min_size=2, max_size=40))
def test_t11_the_arithmetic_and_the_harmonic_mean_size_bracket_the_se(psi, ratio, n):
    theta, J = psi * ratio, len(n)
    low = formulas.se_partial_pooling(psi, theta, J, np.mean(n))
    high = formulas.se_partial_pooling(psi, theta, J, J / np.sum(1 / np.array(n)))
    se = formulas.se_partial_pooling_unbalanced(psi, theta, n)
    assert low * (1 - ROUNDING) <= se <= high * (1 + ROUNDING)


@given(psi=variances, ratio=ratios, n=st.lists(st.integers(1, 9), min_size=2, max_size=20))
def test_t11_the_bracket_is_open_where_the_sizes_differ(psi, ratio, n):
    theta, J = psi * ratio, len(n)
    low = formulas.se_partial_pooling(psi, theta, J, np.mean(n))
    high = formulas.se_partial_pooling(psi, theta, J, J / np.sum(1 / np.array(n)))
    assert (high > low * (1 + ROUNDING)) == (len(set(n)) > 1)


def test_t11_the_bracket_is_rs_on_every_unbalanced_design(r):
    for name, design in r.whole["unbalanced"].items():
        low, high = formulas.se_bracket(design["lmer_psi"], design["lmer_theta"], design["n_j"])
        assert close(low, design["formula_with_mean_n"]), name
        assert close(high, design["formula_with_harmonic_n"]), name
        assert low * (1 - ROUNDING) <= design["lmer_se"] <= high * (1 + ROUNDING), name


@given(psi=variances, ratio=ratios, n=st.lists(sizes, min_size=2, max_size=40))
def test_t11_the_upper_bound_is_the_se_of_the_unweighted_mean_of_the_class_means(psi, ratio, n):
    theta, J = psi * ratio, len(n)
    unweighted = math.sqrt(np.sum(psi + theta / np.array(n))) / J
    assert close(formulas.se_bracket(psi, theta, n)[1], unweighted, rel=1e-12)  # sums of J terms


@given(psi=variances, ratio=ratios, n=st.lists(sizes, min_size=2, max_size=40))
def test_at_the_same_variances_the_gls_se_is_at_least_that_of_independent_pupils(psi, ratio, n):
    theta = psi * ratio
    se = formulas.se_partial_pooling_unbalanced(psi, theta, n)
    assert se >= math.sqrt((psi + theta) / sum(n)) * (1 - ROUNDING)


@given(psi=variances, theta=variances, J=group_counts, n=sizes)
def test_equal_sizes_make_the_unbalanced_formula_the_balanced_one(psi, theta, J, n):
    unbalanced = formulas.se_partial_pooling_unbalanced(psi, theta, [n] * J)
    assert close(unbalanced, formulas.se_partial_pooling(psi, theta, J, n), rel=1e-12)  # a sum of J terms


@given(psi=variances, theta=variances, J=group_counts, n=sizes)
def test_the_new_things_to_predict_add_their_own_variance(psi, theta, J, n):
    mean = formulas.se_partial_pooling(psi, theta, J, n)
    new_group = formulas.se_new_group_mean(psi, theta, J, n)
    assert close(new_group, math.hypot(mean, math.sqrt(psi)))
    assert close(formulas.se_new_observation(psi, theta, J, n), math.hypot(new_group, math.sqrt(theta)))
    known_group = formulas.se_group_mean_partial(psi, theta, J, n)
    new_pupil = formulas.se_new_observation_known_group(psi, theta, J, n)
    assert close(new_pupil, math.hypot(known_group, math.sqrt(theta)))


# ---- few groups ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("J", "by_r"),
    [(3, 0.8109376), (5, 0.8784403), (10, 0.9183509), (20, 0.9351665), (40, 0.9428267)],
)
def test_t16_the_coverage_of_z_is_rs(J, by_r):
    """In R: 2 * pt(qnorm(.975), J - 1) - 1, to the seven digits that it prints."""
    assert formulas.z_coverage(J - 1) == pytest.approx(by_r, abs=5e-8)


@given(df=st.floats(0.5, 1e6), level=st.floats(0.01, 0.999))
def test_t16_z_covers_less_than_it_says_and_the_more_so_the_fewer_the_df(df, level):
    few, more = formulas.z_coverage(df * np.array([1, 2]), level)
    assert 0 < few < more < level
    assert formulas.z_coverage(1e12, level) == pytest.approx(level, abs=1e-9)


def test_t16_the_coverage_of_ses_that_aim_beside_is_that_of_simulated_studies():
    """Rows drawn, intervals made of them; exact for one mean square, at most that where two are added up."""
    rng, J, n, psi, theta, psi_x, repeats = np.random.default_rng(2016), 6, 4, 9.0, 16.0, 4.0, 40_000
    x = np.array([-1.0, -1.0, 1.0, 1.0])
    slopes = rng.normal(0, math.sqrt(psi_x), (repeats, J, 1)) * x
    y = slopes + rng.normal(0, math.sqrt(psi), (repeats, J, 1)) + rng.normal(0, 4.0, (repeats, J, n))
    flat = y - (y @ x / n)[..., None] * x  # without the slopes, which take one df a class
    b, group = y @ x / n, y.mean(axis=2)
    z = NormalDist().inv_cdf(0.975)

    def holds(estimate, squared):
        return np.mean(np.abs(estimate) <= z * np.sqrt(squared))

    def off(found, told):
        return (found - told) / math.sqrt(told * (1 - told) / repeats)

    mean, own = group.mean(axis=1), ((flat - group[..., None]) ** 2).sum(axis=(1, 2))
    df = J * (n - 2)
    honest = formulas.se_partial_pooling(psi, theta, J, n)
    told = formulas.z_coverage(df, ratio=formulas.se_no_pooling(theta, J, n) / honest)
    assert abs(off(holds(mean, own / df / (J * n)), told)) < 4
    assert abs(off(holds(mean, group.var(axis=1, ddof=1) / J), formulas.z_coverage(J - 1))) < 4
    plain = own + n * group.var(axis=1, ddof=1) * (J - 1)  # complete pooling's, without the slopes
    square = (df * theta + (J - 1) * (theta + n * psi)) / (df + J - 1)
    told = formulas.z_coverage(df + J - 1, ratio=math.sqrt(square / (J * n)) / honest)
    assert told - 0.05 < holds(mean, plain / (df + J - 1) / (J * n)) < told
    one = own + n * b.var(axis=1, ddof=1) * (J - 1)  # what one slope for all leaves
    square = formulas.one_slope_variance(psi_x, theta, J, n, s=n)
    told = formulas.z_coverage(
        J * (n - 1) - 1,
        ratio=formulas.se_within_slope(square, J * n) / formulas.se_average_slope(psi_x, theta, J, n),
    )
    assert told - 0.05 < holds(b.mean(axis=1), one / (J * (n - 1) - 1) / (J * n)) < told


@given(df=st.floats(1, 1e6), level=st.floats(0.01, 0.999), ratio=st.floats(0, 3))
def test_t16_a_known_se_that_aims_beside_covers_as_the_normal_interval(df, level, ratio):
    assert formulas.z_coverage(math.inf, level, ratio) == pytest.approx(
        formulas.normal_coverage(ratio, 1, level), abs=1e-14
    )
    assert formulas.z_coverage(df, level, ratio) <= formulas.z_coverage(math.inf, level, ratio) + 1e-14


def test_no_degrees_of_freedom_are_refused():
    with pytest.raises(ValueError, match="df must be positive"):
        formulas.z_coverage([4, 0])


# Sums over groups and one inverse of two by two: what pbkrtest does with N by N.
OF_PBKRTEST = 1e-9


def test_kenward_roger_of_a_mean_is_pbkrtests_on_every_unbalanced_design(r):
    for name, design in r.whole["unbalanced"].items():
        psi, theta, n = design["lmer_psi"], design["lmer_theta"], design["n_j"]
        answer = formulas.kenward_roger_mean(psi, theta, n)
        assert answer == pytest.approx((design["kr_se"], design["kr_df"]), rel=OF_PBKRTEST), name


def test_kenward_roger_of_the_radon_mean_is_pbkrtests(reference):
    r = reference("radon")
    se, df = formulas.kenward_roger_mean(r["M0.var_county"], r["M0.var_resid"], r["data.nj"])
    assert se == pytest.approx(r["M0.kr_se"], rel=OF_PBKRTEST)
    assert df == pytest.approx(r["M0.kr_df"], rel=OF_PBKRTEST)


@given(psi=variances, ratio=ratios, J=group_counts, n=st.integers(2, 500))
def test_equal_groups_leave_nothing_to_repair_and_j_less_one_df(psi, ratio, J, n):
    theta = psi * ratio
    se, df = formulas.kenward_roger_mean(psi, theta, [n] * J)
    # The information of (psi, theta) is the nearer to singular the larger n psi / theta is: up to 5e6 here.
    assert close(se, formulas.se_partial_pooling(psi, theta, J, n), rel=1e-9)
    assert close(df, J - 1, rel=1e-6)


@given(psi=variances, ratio=ratios, n=st.lists(st.integers(1, 60), min_size=2, max_size=40))
def test_the_repair_makes_the_se_larger_and_knows_no_unit(psi, ratio, n):
    n[0] = 2 if max(n) == 1 else n[0]
    theta = psi * ratio
    se, df = formulas.kenward_roger_mean(psi, theta, n)
    assert se >= formulas.se_partial_pooling_unbalanced(psi, theta, n) * (1 - ROUNDING)
    assert df > 0
    tenfold = formulas.kenward_roger_mean(100 * psi, 100 * theta, n)
    assert tenfold == pytest.approx((10 * se, df), rel=1e-6)


def test_kenward_roger_of_many_fits_is_that_of_each():
    psi, theta, n = np.array([[1.0, 2.0, 0.0], [4.0, 0.5, 9.0]]), np.array([3.0, 1.0, 2.0]), [5, 1, 3, 8]
    se, df = formulas.kenward_roger_mean(psi, theta, n)
    assert se.shape == df.shape == (2, 3)
    for i, k in np.ndindex(2, 3):
        one = formulas.kenward_roger_mean(psi[i, k], theta[k], n)
        assert (se[i, k], df[i, k]) == pytest.approx(one, rel=1e-13)


@pytest.mark.parametrize("n", [[5], [1, 1, 1]])
def test_kenward_roger_refuses_sizes_that_cannot_tell_the_variances_apart(n):
    with pytest.raises(ValueError, match="sizes must be two or more, not all 1"):
        formulas.kenward_roger_mean(1, 1, n)


def test_kenward_roger_refuses_a_variance_within_of_zero():
    with pytest.raises(ValueError, match="theta must be positive"):
        formulas.kenward_roger_mean(1, [1, 0], [3, 4])


# ---- designing a study ---------------------------------------------------------------------------


def test_the_three_answers_of_the_design_exercises(r):
    psi, theta = r["anova.psi"], r["anova.theta"]
    assert close(formulas.optimal_group_size(psi, theta, 10), r["design.n_opt_cost10"])
    assert formulas.groups_needed(psi, theta, 10, 3) == 50
    se = formulas.se_two_arms(psi, theta, 20, 10)
    assert close(se, 9.432043712134114)
    assert close(formulas.minimum_detectable_effect(se), 26.424674240510303)
    # R: power.t.test(n = 10, sd = sqrt(psi + theta / 10), power = 0.8)$delta, to R's own tolerance
    assert close(formulas.minimum_detectable_effect(se, df=18), 27.9440877, rel=1e-7)


@given(psi=variances, ratio=ratios, cost=st.floats(0.1, 1000), factor=st.floats(0.5, 2))
def test_t17_twice_or_half_the_best_class_size_adds_at_most_an_eighth_to_the_variance(
    psi, ratio, cost, factor
):
    theta = psi * ratio
    best = formulas.optimal_group_size(psi, theta, cost)

    def product(n):
        """Variance times budget, whatever the budget."""
        return (psi + theta / n) * (cost + n)

    assert product(best) <= product(factor * best) * (1 + ROUNDING)
    assert product(factor * best) <= 1.125 * product(best) * (1 + ROUNDING)
    assert close(product(best), (math.sqrt(psi * cost) + math.sqrt(theta)) ** 2, rel=1e-12)


def test_where_the_eighth_is_reached():
    """Class and pupils cost the same share: psi c = theta; then twice the best size adds just 1/8."""
    best = formulas.optimal_group_size(9, 90, 10)
    assert best == 10
    assert (9 + 90 / 20) * (10 + 20) / ((9 + 90 / 10) * (10 + 10)) == 1.125


@given(psi=variances, ratio=ratios, n=sizes, se=st.floats(1e-2, 10))
def test_so_many_groups_are_needed_and_not_one_fewer(psi, ratio, n, se):
    theta, se = psi * ratio, se * math.sqrt(psi)
    J = formulas.groups_needed(psi, theta, n, se)
    assert round(J) == J
    assert formulas.se_partial_pooling(psi, theta, J, n) <= se * (1 + 1e-11)
    if J > 2:
        assert formulas.se_partial_pooling(psi, theta, J - 1, n) > se


def test_a_whole_number_of_groups_is_not_rounded_up_and_one_group_is_never_enough():
    assert formulas.groups_needed(0.1, 0.7, 7, 0.1) == 20  # 0.2 / 0.01 is a little more in doubles
    assert formulas.groups_needed(1, 1, 1, 100) == 2


@given(psi=variances, ratio=ratios, J=st.integers(1, 250), n=sizes)
def test_two_arms_have_twice_the_error_of_one_mean(psi, ratio, J, n):
    theta = psi * ratio
    two, one = formulas.se_two_arms(psi, theta, 2 * J, n), formulas.se_partial_pooling(psi, theta, 2 * J, n)
    assert close(two, 2 * one)


def test_an_odd_class_more_goes_to_one_arm():
    by_arm = [formulas.se_partial_pooling(4, 9, J, 3) for J in (2, 3)]
    assert close(formulas.se_two_arms(4, 9, 5, 3), math.hypot(*by_arm))


@pytest.mark.parametrize("J", [1, 4.5])
def test_two_arms_need_whole_classes_and_one_each(J):
    with pytest.raises(ValueError, match=rf"J, the classes of both arms, must be whole.*got {J}"):
        formulas.se_two_arms(4, 9, J, 3)


@pytest.mark.parametrize(("J", "effect", "alpha"), [(4, 2.0, 0.05), (20, 0.9, 0.05), (50, 1.1, 0.01)])
def test_the_power_is_that_of_statsmodels_t_test_of_class_means(J, effect, alpha):
    """Less the findings of the wrong sign, which it counts."""
    wrong_sign = stats.nct.cdf(stats.t.ppf(alpha / 2, J - 2), J - 2, effect / math.sqrt(4 / J))
    theirs = TTestIndPower().power(effect, J / 2, alpha)
    ours = formulas.power(effect, math.sqrt(4 / J), alpha, J - 2)
    assert ours == pytest.approx(theirs - wrong_sign, abs=1e-9)


@pytest.mark.parametrize(("effect", "se"), [(3.0, 1.0), (10.0, 4.0)])
def test_the_power_with_a_known_error_is_that_of_statsmodels_normal_test(effect, se):
    wrong_sign = stats.norm.cdf(-effect / se - stats.norm.ppf(0.975))
    theirs = NormalIndPower().power(effect / se, 1, 0.05, ratio=0)
    assert formulas.power(effect, se) == pytest.approx(theirs - wrong_sign, abs=1e-12)


@pytest.mark.parametrize("df", [1, 2, 3.58, 18, 198])
def test_the_power_is_the_tail_of_the_noncentral_t(df):
    t = stats.t.ppf(0.975, df)
    for away in (0.0, 1.0, 2.5, 6.0):
        assert formulas.power(3 * away, 3, df=df) == pytest.approx(stats.nct.sf(t, df, away), abs=1e-10)


@given(
    se=variances, share=st.floats(0.1, 0.99), alpha=st.floats(0.001, 0.15),
    df=st.one_of(st.just(math.inf), st.floats(2, 1000)),
)  # fmt: skip
def test_the_least_effect_that_is_found_is_found_as_often_as_asked(se, share, alpha, df):
    effect = formulas.minimum_detectable_effect(se, share, alpha, df)
    assert effect > 0
    assert formulas.power(effect, se, alpha, df) == pytest.approx(share, abs=1e-5)  # scipy's root


@given(se=variances, share=st.floats(0.1, 0.99), df=st.floats(2, 500))
def test_the_fewer_the_degrees_of_freedom_the_larger_an_effect_must_be(se, share, df):
    few, more, known = (formulas.minimum_detectable_effect(se, share, df=k) for k in (df, 2 * df, math.inf))
    assert few > more > known


@pytest.mark.parametrize("alpha", [1e-12, 1e-17, 1e-30])
def test_a_level_however_small_is_not_rounded_away(alpha):
    quantile = -NormalDist().inv_cdf(alpha / 2)
    least = formulas.minimum_detectable_effect(1, 0.8, alpha)
    assert least == pytest.approx(quantile + NormalDist().inv_cdf(0.8), rel=1e-12)
    assert formulas.power(least, 1, alpha) == pytest.approx(0.8, abs=1e-12)
    t = stats.t.isf(alpha / 2, 18)
    assert formulas.power(40, 1, alpha, 18) == pytest.approx(stats.nct.sf(t, 18, 40), abs=1e-8)


def test_no_effect_is_found_half_as_often_as_the_level_says():
    assert close(formulas.power(0, 1, 0.05), 0.025)
    assert formulas.power(0, 1, 0.05, 7) == pytest.approx(0.025, abs=1e-12)


@pytest.mark.parametrize(
    ("n", "effect", "in_each_arm"),
    [(10, 10, 77.8911179), (5, 10, 92.0172855), (10, 30, 9.60873)],
)
def test_the_classes_for_an_effect_are_rs_rounded_up(n, effect, in_each_arm):
    """R: power.t.test(delta = effect, sd = sqrt(400 + 900 / n), power = 0.8)$n."""
    assert formulas.groups_needed_two_arms(400, 900, n, effect) == 2 * math.ceil(in_each_arm)


@given(
    psi=variances, ratio=ratios, n=sizes, effect=st.floats(0.2, 20),
    share=st.floats(0.05, 0.99), alpha=st.floats(0.001, 0.09),
)  # fmt: skip
def test_so_many_classes_find_the_effect_and_two_fewer_do_not(psi, ratio, n, effect, share, alpha):
    theta, effect = psi * ratio, effect * math.sqrt(psi + psi * ratio / n)
    J = formulas.groups_needed_two_arms(psi, theta, n, effect, share, alpha)

    def found(J):
        return formulas.power(effect, formulas.se_two_arms(psi, theta, J, n), alpha, J - 2)

    assert J % 2 == 0
    assert found(J) >= share - 1e-9
    assert J == 4 or found(J - 2) < share + 1e-9


def test_what_no_design_formula_takes():
    with pytest.raises(ValueError, match=r"effect must be larger: .* more than a million classes; got 0"):
        formulas.groups_needed_two_arms(1, 1, 5, 0)
    with pytest.raises(ValueError, match=r"psi \+ theta must be positive"):
        formulas.groups_needed_two_arms(0, 0, 5, 1)
    with pytest.raises(ValueError, match="psi must be positive"):
        formulas.optimal_group_size(0, 1, 10)
    with pytest.raises(ValueError, match="se must be positive: no number of classes"):
        formulas.groups_needed(1, 1, 5, 0)
    with pytest.raises(ValueError, match="se must be positive"):
        formulas.power(1, 0)
    for alpha in (0, 1, 5):
        with pytest.raises(ValueError, match="alpha must lie between 0 and 1; got"):
            formulas.power(1, 1, alpha)
    for share in (0.02, 1, 80):
        with pytest.raises(ValueError, match="power must lie between alpha / 2 and 1; got"):
            formulas.minimum_detectable_effect(1, share)
    with pytest.raises(ValueError, match=r"df must be at least 1.*; got 0\.5"):
        formulas.power(1, 1, df=0.5)


# ---- what no formula takes -----------------------------------------------------------------------


def every_argument():
    return [
        pytest.param(function, name, id=f"{function.__name__}-{name}")
        for function in [*elementwise(), *OF_SIZES]
        for name in inspect.signature(function).parameters
    ]


def spoilt(function, name, value):
    example = {**{key: pair[0] for key, pair in EXAMPLE.items()}, "sizes": [3, 7]}
    arguments = {key: example[key] for key in inspect.signature(function).parameters}
    arguments[name] = [3, value] if name == "sizes" else value
    return arguments


def named(name):
    return "n" if name == "sizes" else name


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("function", "name"), every_argument())
@pytest.mark.parametrize("value", [-1.0, math.nan], ids=["negative", "nan"])
def test_a_negative_or_missing_number_is_refused_by_name(function, name, value):
    with pytest.raises(ValueError, match=rf"\b{named(name)}\b.*must.*got"):
        function(**spoilt(function, name, value))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("function", "name"), every_argument())
def test_an_infinite_number_is_refused_but_for_a_population_and_df(function, name):
    if name in ("K", "M", "df"):
        assert math.isfinite(function(**spoilt(function, name, math.inf)))
    else:
        with pytest.raises(ValueError, match=rf"\b{named(name)}\b.*must.*got"):
            function(**spoilt(function, name, math.inf))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("function", "name"), [case for case in every_argument() if case.values[1] in ("n", "J", "sizes")]
)
@pytest.mark.parametrize("value", [0, 0.5])
def test_sizes_and_counts_below_one_are_refused_by_name(function, name, value):
    with pytest.raises(ValueError, match=rf"{named(name)} must be finite and at least 1; got"):
        function(**spoilt(function, name, value))


def test_one_bad_element_of_an_array_is_enough():
    with pytest.raises(ValueError, match=r"theta must be finite and at least 0; got \[ 1. -2.\]"):
        formulas.se_group_mean([1, -2], 5)


def test_a_population_smaller_than_the_sample_is_refused():
    with pytest.raises(
        ValueError, match=r"K, the number of classes in the population, must be at least J = 5.*; got 4"
    ):
        formulas.se_finite_population(1, 1, 5, 3, 4)
    with pytest.raises(ValueError, match="must be at least J"):
        formulas.se_finite_population(1, 1, 5, 3, [10, 4])
    with pytest.raises(ValueError, match=r"M, .*pupils in a class, must be at least n = 3.*; got 2"):
        formulas.se_finite_population(1, 1, 5, 3, 10, 2)
    for few in (1, math.nan):
        with pytest.raises(ValueError, match="must be at least J = 2"):
            formulas.se_finite_population_unbalanced(1, 1, [3, 4], few)


@pytest.mark.parametrize("level", [0, 1, 95])
def test_a_level_that_is_no_share_is_refused(level):
    with pytest.raises(ValueError, match="level must lie between 0 and 1; got"):
        formulas.normal_coverage(1, 1, level)


def test_an_estimate_that_never_varies_is_refused():
    with pytest.raises(ValueError, match="sd must be positive"):
        formulas.normal_coverage(1, 0)


def test_exact_numbers_of_any_size_are_numbers_too():
    everyone = formulas.se_partial_pooling(1, 1, 5, 3)
    assert close(formulas.se_finite_population(1, 1, 5, 3, 10**30), everyone)  # beyond 64 bits
    assert formulas.design_effect(Fraction(1, 2), 3) == 2


@pytest.mark.parametrize(("icc", "n", "effect"), [(-0.5, 3, 0), (1, 3, 3), (-1, 1, 1), (0.3, 1, 1)])
@pytest.mark.filterwarnings("error")
def test_the_ends_of_the_iccs_that_a_design_allows_are_allowed(icc, n, effect):
    assert formulas.design_effect(icc, n) == effect


@pytest.mark.parametrize(("icc", "n"), [(1.01, 3), (-0.51, 3), ([0.2, 1.01], 3), (-1.01, 1)])
def test_an_icc_that_no_design_allows_is_refused(icc, n):
    with pytest.raises(ValueError, match=r"icc must lie between -1 / \(n - 1\) and 1; got .*1"):
        formulas.design_effect(icc, n)


@pytest.mark.parametrize(("icc_x", "n"), [(1.01, 3), (-0.51, 3), ([0.2, 1.01], 3), (-1.01, 1)])
def test_an_icc_of_a_predictor_that_no_design_allows_is_refused(icc_x, n):
    with pytest.raises(ValueError, match=r"icc_x must lie between -1 / \(n - 1\) and 1; got .*1"):
        formulas.moulton_factor(0.5, icc_x, n)


def test_a_correlation_that_misses_its_end_by_rounding_is_taken_for_that_end():
    assert formulas.moulton_factor(1, -1 / 9 - 1e-12, 10) == 0
    assert formulas.moulton_factor(0.5, 1 + 1e-12, 10) == 5.5


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("ss", [0, [2, 0]])
def test_a_predictor_that_does_not_vary_has_no_slope(ss):
    with pytest.raises(ValueError, match="ss_within must be positive: without variation"):
        formulas.se_within_slope(4, ss)
    with pytest.raises(ValueError, match="ss_between must be positive: without variation"):
        formulas.se_between_slope(1, 4, 5, ss)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("function", OF_SIZES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("wrong", [[], [[1, 2], [3, 4]], 5], ids=["none", "table", "one number"])
def test_sizes_are_one_row_and_at_least_one(function, wrong):
    population = {"K": 50} if "K" in inspect.signature(function).parameters else {}
    with pytest.raises(ValueError, match=r"sizes must be one row of numbers.*; got shape \("):
        function(400, 900, wrong, **population)


@pytest.mark.parametrize("function", OF_SIZES[:3], ids=lambda f: f.__name__)
def test_a_sum_over_classes_takes_one_pair_of_variances(function):
    population = {"K": 20} if "K" in inspect.signature(function).parameters else {}
    for psi, theta in (([400, 100], 900), (400, [900, 100])):
        with pytest.raises(ValueError, match=r"psi and theta must be single numbers; got shapes"):
            function(psi, theta, [10, 10], **population)


@pytest.mark.parametrize("factor", [1.01, [0.5, 1.01]])
def test_a_shrinkage_above_one_is_refused(factor):
    with pytest.raises(ValueError, match=r"shrinkage must lie between 0 and 1; got .*1\.01"):
        formulas.se_group_difference(1, 5, factor)


@pytest.mark.parametrize("icc", [-0.5, [0.5, -0.5]])
def test_a_mean_without_variance_has_no_effective_sample_size(icc):
    with pytest.raises(ValueError, match="the mean has no variance: no sample is as precise"):
        formulas.effective_sample_size(icc, 4, 3)


def test_one_observation_has_no_residual_variance_and_two_have():
    for J in (1, [1, 2]):
        with pytest.raises(ValueError, match="no residual variance: J n must be at least 2"):
            formulas.complete_pooling_variance(3, 4, J, 1)
    assert formulas.complete_pooling_variance(3, 4, 2, 1) == 7
    assert formulas.complete_pooling_variance(3, 4, 1, 2) == 4


@pytest.mark.filterwarnings("error")
def test_two_variances_of_zero_are_no_warning():
    """A user never meets a numpy warning: either a number or a ValueError that names the variances."""
    for function in (formulas.icc, lambda psi, theta: formulas.shrinkage(psi, theta, 5)):
        for nothing in (0, [1, 0]):
            with pytest.raises(ValueError, match=r"psi \+ theta must be positive: without any variance"):
                function(nothing, nothing)


@pytest.mark.filterwarnings("error")
def test_the_unbalanced_se_without_any_variance_is_no_warning():
    for function in OF_SIZES:
        population = {"K": 5} if "K" in inspect.signature(function).parameters else {}
        with pytest.raises(ValueError, match=r"psi|theta"):
            function(0, 0, [3, 4], **population)
