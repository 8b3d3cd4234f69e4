"""The wild cluster bootstrap against least squares on rows, the parametric one against rows drawn."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers import complete_pooling, partial_pooling
from helpers.fits.wild import WEIGHTS, BootstrapT
from helpers.tables import summarise

SIZES = (3, 1, 6, 4, 2, 5)


def table(sizes=SIZES, seed=4):
    """Rows with a predictor that varies everywhere and one that is the group's own."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(len(sizes)), sizes)
    x = rng.normal(size=len(g)) + 0.3 * g
    of_group = rng.normal(size=len(sizes))[g]
    y = 100 + 2 * x - of_group + rng.normal(size=len(sizes))[g] + rng.normal(size=len(g))
    return pd.DataFrame({"y": y, "x": x, "level": of_group, "g": g.astype(str)})


def design(data, terms):
    columns = {"Intercept": np.ones(len(data)), "x": data["x"], "level": data["level"]}
    return np.column_stack([columns[term] for term in terms])


def t_on_rows(X, y, codes, k, value):
    """CR1 t statistic of coefficient k against a value, from the rows."""
    beta = np.linalg.lstsq(X, y, rcond=None)[0]
    bread = np.linalg.inv(X.T @ X)
    scores = np.array([X[codes == g].T @ (y - X @ beta)[codes == g] for g in np.unique(codes)])
    J = len(scores)
    cov = J / (J - 1) * bread @ scores.T @ scores @ bread
    return (beta[k] - value) / np.sqrt(cov[k, k])


def on_rows(data, terms, k, null, kind, values):
    """Every abs(t) by making every sample row by row, and the data's own."""
    X, y, codes = design(data, terms), data["y"].to_numpy(), pd.factorize(data["g"])[0]
    beta, about = np.linalg.lstsq(X, y, rcond=None)[0], null
    if kind == "restricted":
        others = np.delete(X, k, axis=1)
        rest = np.linalg.lstsq(others, y - null * X[:, k], rcond=None)[0] if others.size else np.zeros(0)
        beta = np.insert(rest, k, null)
    else:
        about = beta[k]
    fitted = X @ beta
    drawn = [
        abs(t_on_rows(X, fitted + np.array(w)[codes] * (y - fitted), codes, k, about))
        for w in product(values, repeat=codes.max() + 1)
    ]
    return np.array(drawn), t_on_rows(X, y, codes, k, null)


MODELS = {"y ~ 1": ["Intercept"], "y ~ x": ["Intercept", "x"], "y ~ x + level": ["Intercept", "x", "level"],
          "y ~ x - 1": ["x"]}  # fmt: skip


@pytest.mark.parametrize("kind", ["restricted", "unrestricted"])
@pytest.mark.parametrize(("formula", "term", "null"), [
    ("y ~ 1", "Intercept", 100.0), ("y ~ 1", "Intercept", 103.0), ("y ~ x", "x", 1.0),
    ("y ~ x", "Intercept", 99.0), ("y ~ x + level", "level", 0.0), ("y ~ x + level", "x", 0.0),
    ("y ~ x - 1", "x", 30.0),
])  # fmt: skip
def test_every_sign_vector_gives_the_t_statistic_of_least_squares_on_its_rows(formula, term, null, kind):
    data, terms = table(), MODELS[formula]
    found = complete_pooling(formula, data, "g").wild_bootstrap(term, null, kind)
    drawn, t = on_rows(data, terms, terms.index(term), null, kind, (1, -1))
    assert found.exact
    assert found.draws == 64
    assert found.t == pytest.approx(t, rel=1e-9)
    np.testing.assert_allclose(np.repeat(np.sort(found._drawn), 2), np.sort(drawn), rtol=1e-7, atol=1e-7)
    assert found.pvalue == np.mean(drawn >= abs(t) * (1 - 1e-9))


def test_webbs_weights_give_the_t_statistics_of_least_squares_on_rows():
    data = table(sizes=(3, 2, 4, 2))
    found = complete_pooling("y ~ x", data, "g").wild_bootstrap("x", 1.0, weights="webb")
    drawn, t = on_rows(data, ["Intercept", "x"], 1, 1.0, "restricted", WEIGHTS["webb"])
    assert found.draws == 6**4
    np.testing.assert_allclose(np.repeat(np.sort(found._drawn), 2), np.sort(drawn), rtol=1e-7, atol=1e-7)
    assert found.pvalue == np.mean(drawn >= abs(t) * (1 - 1e-9))


@pytest.mark.parametrize(("formula", "term"), [("y ~ 1", "Intercept"), ("y ~ x + level", "level")])
def test_the_interval_holds_just_the_nulls_that_samples_made_on_rows_do_not_reject(formula, term):
    data, terms = table(), MODELS[formula]
    found = complete_pooling(formula, data, "g").wild_bootstrap(term, 99.0)

    def p(null):
        drawn, t = on_rows(data, terms, terms.index(term), null, "restricted", (1, -1))
        return np.mean(drawn >= abs(t) * (1 - 1e-9))

    lower, upper = found.conf_int(0.1)
    step = 1e-6 * (upper - lower)
    assert p(lower + step) > 0.1 >= p(lower - step)
    assert p(upper - step) > 0.1 >= p(upper + step)
    assert found.pvalue_of(upper + step) == p(upper + step)
    for inside in np.linspace(lower, upper, 9)[1:-1]:
        assert p(inside) > 0.1


def test_the_unrestricted_interval_holds_just_the_nulls_with_a_larger_p_value():
    fit = complete_pooling("y ~ x", table(), "g")
    lower, upper = fit.wild_bootstrap("x", kind="unrestricted").conf_int(0.1)
    step = 1e-6 * (upper - lower)
    for inside, outside in ((lower + step, lower - step), (upper - step, upper + step)):
        assert fit.wild_bootstrap("x", inside, "unrestricted").pvalue > 0.1
        assert fit.wild_bootstrap("x", outside, "unrestricted").pvalue <= 0.1


@pytest.mark.parametrize("null", [1620.0, 1624.0, 1640.0])
def test_with_equal_sizes_the_mean_is_tested_by_flipping_the_signs_of_the_class_means(classrooms, null):
    few = classrooms[classrooms["classroom"].astype(int) <= 10]
    means = few.groupby("classroom", observed=True)["score"].mean().to_numpy()
    by_scipy = stats.permutation_test(
        (means - null,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=False
    )
    found = complete_pooling("score ~ 1", few, "classroom").wild_bootstrap("Intercept", null)
    assert found.exact
    assert found.pvalue == pytest.approx(by_scipy.pvalue, abs=1e-12)


@pytest.mark.parametrize("kind", ["restricted", "unrestricted"])
def test_random_signs_come_near_what_all_of_them_say(kind):
    fit = complete_pooling("y ~ x", table(sizes=(3, 1, 6, 4, 2, 5, 3, 2, 4, 6, 2)), "g")
    every = fit.wild_bootstrap("x", 1.7, kind)
    some = fit.wild_bootstrap("x", 1.7, kind, draws=2000, seed=2)
    assert every.exact
    assert not some.exact
    assert abs(some.pvalue - every.pvalue) < 4 * np.sqrt(every.pvalue * (1 - every.pvalue) / 2000)
    assert some.pvalue != every.pvalue
    assert some.pvalue * 2001 == pytest.approx(round(some.pvalue * 2001))


def test_a_seed_gives_the_same_samples():
    fit = complete_pooling("y ~ 1", table(sizes=(2, 3) * 8), "g")
    first, again, other = (fit.wild_bootstrap("Intercept", seed=seed) for seed in (1, 1, 2))
    assert first.conf_int() == again.conf_int()
    assert first.conf_int() != other.conf_int()


@pytest.mark.parametrize("kind", ["restricted", "unrestricted"])
def test_units_and_offsets_of_the_outcome_do_not_matter(kind):
    data = table(sizes=(2, 3, 5, 2, 4, 3, 2))
    fit = complete_pooling("y ~ x", data, "g").wild_bootstrap("x", 1.5, kind)
    large, little = data.assign(y=1e6 + 1e3 * data["y"]), data.assign(y=1e-6 * data["y"])
    scaled = complete_pooling("y ~ x", large, "g").wild_bootstrap("x", 1.5e3, kind)
    small = complete_pooling("y ~ x", little, "g").wild_bootstrap("x", 1.5e-6, kind)
    assert fit.pvalue == scaled.pvalue == small.pvalue
    np.testing.assert_allclose(np.array(scaled.conf_int()) / 1e3, fit.conf_int(), rtol=1e-8)


def test_a_summary_serves_as_well_as_the_rows():
    data = table()
    by_rows = complete_pooling("y ~ x", data, "g").wild_bootstrap("x")
    summary = summarise(data, "y ~ x", "g")
    assert complete_pooling(None, summary).wild_bootstrap("x").pvalue == by_rows.pvalue


def test_five_groups_have_no_interval_at_95_per_cent_and_the_refusal_says_why():
    found = complete_pooling("y ~ 1", table(sizes=(3, 2, 4, 5, 2)), "g").wild_bootstrap("Intercept", 1e6)
    assert found.pvalue == 2 / 32  # the least there is
    with pytest.raises(ValueError, match=r"no interval of level 0\.95 for 'Intercept': 32 samples"):
        found.conf_int()
    assert np.isfinite(found.conf_int(0.1)).all()


def test_a_term_that_one_group_alone_decides_is_refused():
    data = table().assign(treated=lambda d: (d["g"] == "2").astype(float))
    with pytest.raises(ValueError, match="g '2' alone decides 'treated'"):
        complete_pooling("y ~ treated", data, "g").wild_bootstrap("treated")


def test_groups_whose_residuals_cancel_are_refused():
    data = pd.DataFrame({"y": [1.0, 3, 0, 4, 1, 3], "g": list("aabbcc")})
    with pytest.raises(ValueError, match="the residuals of each g sum to 0 along 'Intercept'"):
        complete_pooling("y ~ 1", data, "g").wild_bootstrap("Intercept")


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"term": "z"}, ValueError, "no term 'z': there are Intercept, x"),
        ({"kind": "both"}, ValueError, "kind must be one of 'restricted', 'unrestricted'"),
        ({"weights": "normal"}, ValueError, "weights must be one of 'rademacher', 'webb'"),
        ({"draws": 10}, ValueError, "draws must be whole and at least 99"),
        ({"null": "0"}, TypeError, "null must be a number; got '0'"),
        ({"null": np.inf}, ValueError, "null must be finite"),
    ],
)
def test_what_cannot_be_asked_is_refused(arguments, error, words):
    fit = complete_pooling("y ~ x", table(), "g")
    with pytest.raises(error, match=words):
        fit.wild_bootstrap(**({"term": "x"} | arguments))


def test_only_complete_pooling_with_groups_has_a_wild_bootstrap():
    with pytest.raises(ValueError, match="bootstraps are for complete pooling; this fit is of partial"):
        partial_pooling("y ~ 1", table(), "g").wild_bootstrap("Intercept")
    with pytest.raises(ValueError, match="wild cluster bootstraps need the groups"):
        complete_pooling("y ~ 1", table()).wild_bootstrap("Intercept")


@pytest.mark.parametrize("alpha", [0, 1, -0.1])
def test_a_level_that_is_none_is_refused(alpha):
    fit = complete_pooling("y ~ x", table(), "g")
    for kind in ("restricted", "unrestricted"):
        with pytest.raises(ValueError, match="alpha must lie between 0 and 1"):
            fit.wild_bootstrap("x", kind=kind).conf_int(alpha)


def test_the_result_says_in_a_line_what_was_done():
    found = complete_pooling("y ~ 1", table(), "g").wild_bootstrap("Intercept", 100)
    assert repr(found).endswith("restricted wild cluster bootstrap, Rademacher weights, all 64 samples")


# ---- the parametric bootstrap --------------------------------------------------------------------


def balanced_t(psi, theta, J, n, draws, rng):
    """T statistics of balanced REML by the analysis of variance."""
    between = (n * psi + theta) * rng.chisquare(J - 1, draws)
    within = theta * rng.chisquare(J * (n - 1), draws)
    mean = rng.normal(0, np.sqrt((n * psi + theta) / (J * n)), draws)
    one, other = between / (J - 1), within / (J * (n - 1))
    return mean / np.sqrt(np.where(one > other, one, (between + within) / (J * n - 1)) / (J * n))


def test_with_equal_sizes_the_samples_are_those_of_the_analysis_of_variance(classrooms):
    fit = partial_pooling("score ~ 1", classrooms, "classroom")
    found = fit.parametric_bootstrap("Intercept", 1620, draws=20_000, seed=3)
    by_hand = balanced_t(fit.psi, fit.theta, 20, 10, 200_000, np.random.default_rng(4))
    assert stats.ks_2samp(found._drawn, np.abs(by_hand)).pvalue > 0.001
    half = (found.conf_int()[1] - found.estimate) / found.se
    assert half == pytest.approx(np.quantile(np.abs(by_hand), 0.95), abs=0.06)
    assert found.pvalue == pytest.approx(np.mean(np.abs(by_hand) >= found.t), abs=0.008)


def by_rows(data, formula, term, fit, draws, rng):
    """T statistics from outcomes drawn row by row about 0, each fitted from its table."""
    codes, out = pd.factorize(data["g"])[0], []
    for _ in range(draws):
        y = np.sqrt(fit.psi) * rng.normal(size=codes.max() + 1)[codes]
        again = partial_pooling(
            formula, data.assign(y=y + np.sqrt(fit.theta) * rng.normal(size=len(y))), "g", method=fit.method
        )
        out.append(abs(again.tvalues[term]))
    return out


@pytest.mark.parametrize(
    ("formula", "term", "method"),
    [("y ~ 1", "Intercept", "reml"), ("y ~ 1", "Intercept", "ml"), ("y ~ x + level", "x", "reml"),
     ("y ~ x + level", "Intercept", "reml"), ("y ~ x + level", "level", "ml")],
)  # fmt: skip
def test_samples_of_sums_are_distributed_as_samples_of_rows(formula, term, method):
    data = table(sizes=(3, 1, 6, 4, 2, 5, 3, 2))
    fit = partial_pooling(formula, data, "g", method=method)
    found = fit.parametric_bootstrap(term, draws=1500, seed=6)
    drawn = by_rows(data, formula, term, fit, 250, np.random.default_rng(7))
    assert isinstance(found, BootstrapT)
    assert found.se == pytest.approx(fit.bse[term])
    assert stats.ks_2samp(found._drawn, drawn).pvalue > 0.01


def test_kenward_and_rogers_errors_change_nothing_in_the_bootstrap():
    fit = partial_pooling("y ~ 1", table(sizes=(3, 4, 6, 4, 2, 5)), "g")
    assert not fit.singular
    one, other = (f.parametric_bootstrap("Intercept", seed=1) for f in (fit, fit.with_df("kenward-roger")))
    assert one.conf_int() == other.conf_int()


def test_only_partial_pooling_has_a_parametric_bootstrap():
    with pytest.raises(ValueError, match="for partial pooling only"):
        complete_pooling("y ~ 1", table(), "g").parametric_bootstrap("Intercept")


def test_too_few_samples_for_a_level_are_refused():
    found = partial_pooling("y ~ 1", table(), "g").parametric_bootstrap("Intercept", draws=99, seed=1)
    with pytest.raises(ValueError, match=r"no interval of level 0\.999"):
        found.conf_int(0.001)
