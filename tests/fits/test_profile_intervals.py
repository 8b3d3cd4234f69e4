"""Profile intervals, the variances' own errors, is psi zero, and the exact interval of the ICC: against R."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from helpers import complete_pooling, partial_pooling

RADON = {"M0": "log_radon ~ 1", "M1": "log_radon ~ floor", "M2": "log_radon ~ floor + log_uranium"}
HSB = {"H0": "math ~ 1", "H2": "math ~ ses_within + mean_ses"}
DESIGNS = ["balanced", "drop1", "sizes_1to10_twice", "half_small", "one_big", "few_clusters5"]
CASES = [
    *(f"radon {name}" for name in RADON),
    *(f"hsb {name}" for name in HSB),
    *(f"classrooms unbalanced.{name}" for name in DESIGNS),
]
WITH_SINGULAR = [*CASES, "classrooms singular"]
# lme4 interpolates between points of the profile: 1e-5 of a variance. A little more with five classes; much
# more in one_big, where the estimate of psi falls to 0 before theta is at its upper end, so that the profile
# has a kink there that a spline does not follow.
OF_LME4 = dict.fromkeys(CASES, 1e-5)
OF_LME4["classrooms unbalanced.few_clusters5"] = 2e-5
OF_LME4["classrooms unbalanced.one_big"] = 5e-4


@pytest.fixture(scope="module")
def case(radon, high_school, designs, singular_data, reference):
    """``case("radon M1")`` is the fit, and a function from a quantity to R's value of it."""

    def of(name, method="reml"):
        file, prefix = name.split()
        if file == "radon":
            arguments = RADON[prefix], radon, "county"
        elif file == "hsb":
            arguments = HSB[prefix], high_school, "school"
        else:
            data = singular_data if prefix == "singular" else designs[prefix.split(".")[1]][0]
            arguments = "score ~ 1", data, "classroom"
        fit = partial_pooling(*arguments, method=method)
        return fit, lambda quantity: reference(file)[f"{prefix}.{quantity}"]

    return of


def as_variances(values):
    """R's lower, upper, lower, ... of two sds and the coefficients: a row each, the sds squared."""
    table = np.reshape(values, (-1, 2))
    return np.vstack([table[:2] ** 2, table[2:]])


def assert_intervals(found, expected, rtol):
    """Variances to a relative tolerance, coefficients to the same part of their interval's width."""
    np.testing.assert_allclose(found[:2], expected[:2], rtol=rtol)
    width = np.diff(expected[2:], axis=1)
    np.testing.assert_allclose(found[2:] / width, expected[2:] / width, rtol=0, atol=rtol)


@pytest.mark.parametrize("name", WITH_SINGULAR)
def test_the_ends_are_where_the_likelihood_says(case, name):
    fit, answer = case(name)
    # R's root-finding on the closed form: the flat likelihood, of size 50 000 at most, is right to
    # 1e-11 and rises by 4 over a standard error.
    assert_intervals(
        fit.profile_int(likelihood="ml").to_numpy(), as_variances(answer("ci_profile_exact")), rtol=1e-8
    )


@pytest.mark.parametrize("name", CASES)
def test_the_ends_are_lme4s_but_for_its_interpolation(case, name):
    fit, answer = case(name)
    expected = as_variances(answer("ci_profile"))
    assert_intervals(fit.profile_int(likelihood="ml").to_numpy(), expected, rtol=OF_LME4[name])


def test_the_classrooms_have_the_intervals_that_r_prints(classrooms, reference):
    found = partial_pooling("score ~ 1", classrooms, "classroom").profile_int(likelihood="ml")
    r = reference("classrooms")
    for suffix, rtol in (("", 1e-5), ("_exact", 1e-8)):  # interpolated, and the root itself
        parts = ("sd_groups", "sigma", "intercept")
        expected = [r[f"ci.profile_{part}{suffix}"] for part in parts]
        assert_intervals(found.to_numpy(), as_variances(expected), rtol)


def test_the_table_names_the_variances_and_the_terms(radon):
    fit = partial_pooling(RADON["M2"], radon, "county")
    table = fit.profile_int(likelihood="ml")
    assert list(table.index) == ["psi", "theta", *fit.params.index]
    assert list(table.columns) == ["lower", "upper"]
    assert (table["lower"] < table["upper"]).all()


def test_a_variance_between_groups_that_may_be_zero_has_the_lower_end_zero(case):
    for name in (
        "classrooms unbalanced.one_big",
        "classrooms unbalanced.few_clusters5",
        "classrooms singular",
    ):
        table = case(name)[0].profile_int(likelihood="ml")
        assert table.loc["psi", "lower"] == 0
        assert table.loc["psi", "upper"] > 0


@pytest.mark.parametrize("name", ["radon M2", "classrooms unbalanced.half_small", "classrooms singular"])
def test_a_reml_fit_has_the_intervals_of_the_ml_likelihood(case, name):
    reml, ml = (case(name, method)[0].profile_int(likelihood="ml") for method in ("reml", "ml"))
    # The same function of the same data.
    assert_intervals(reml.to_numpy(), ml.to_numpy(), rtol=1e-10)


@pytest.mark.parametrize("name", ["radon M1", "classrooms unbalanced.one_big"])
def test_less_alpha_makes_wider_intervals_about_the_estimates(case, name):
    fit = case(name, "ml")[0]
    estimates = np.array([fit.psi, fit.theta, *fit.params])
    narrow, middle, wide = (
        fit.profile_int(alpha=alpha, likelihood="ml").to_numpy().T for alpha in (0.5, 0.05, 0.001)
    )
    assert (narrow[0] < estimates).all()
    assert (narrow[1] > estimates).all()
    for inner, outer in ((narrow, middle), (middle, wide)):
        assert (outer[0] <= inner[0]).all()
        assert (outer[1] > inner[1]).all()


@settings(max_examples=10)  # each searches a dense likelihood eight times
@given(seed=st.integers(0, 10**6))
def test_the_deviance_has_risen_by_the_chi_square_point_at_each_end(seed):
    rng = np.random.default_rng(seed)
    J = rng.integers(5, 9)
    codes = np.repeat(np.arange(J), rng.integers(2, 6, J))
    x = rng.normal(size=len(codes))
    y = x + 1.5 * rng.normal(size=J)[codes] + rng.normal(size=len(codes))
    fit = partial_pooling("y ~ x", pd.DataFrame({"y": y, "x": x, "g": codes}), "g", method="ml")
    assume(fit.psi > 0.1 * fit.theta)
    X = np.column_stack([np.ones(len(y)), x])
    same = np.equal.outer(codes, codes).astype(float)

    def deviance(psi, theta, k=None, value=0.0):
        """-2 log likelihood with N x N matrices, coefficient k held at a value, the others at their best."""
        V = psi * same + theta * np.eye(len(y))
        free = np.delete(X, k, axis=1) if k is not None else X
        left = y - X[:, k] * value if k is not None else y
        inverse = np.linalg.inv(V)
        r = left - free @ np.linalg.solve(free.T @ inverse @ free, free.T @ inverse @ left)
        return len(y) * np.log(2 * np.pi) + np.linalg.slogdet(V)[1] + r @ inverse @ r

    def lowest(f, *starts):
        """The least value of f over log variances, from the estimates and from the first near 0."""
        top = np.log(starts).max()  # beyond e^25 times that V is singular in doubles
        return min(
            optimize.minimize(
                lambda t: f(*np.exp(np.clip(t, top - 30, top + 25))), np.log(at), method="BFGS"
            ).fun
            for at in (starts, (starts[0] * 1e-9, *starts[1:]))
        )

    limit = deviance(fit.psi, fit.theta) + stats.chi2.ppf(0.95, 1)
    table = fit.profile_int(likelihood="ml")
    # BFGS stops at a slope of 1e-5, 1e-9 off the least value; at the ends the profile's slope is near 1.
    for end in ("lower", "upper"):
        psi, theta, *coefficients = table[end]
        if psi > 0:
            assert lowest(lambda t, psi=psi: deviance(psi, t), fit.theta) == pytest.approx(limit, abs=1e-6)
        else:
            assert lowest(lambda t: deviance(0.0, t), fit.theta) <= limit + 1e-6
        assert lowest(lambda p, theta=theta: deviance(p, theta), fit.psi) == pytest.approx(limit, abs=1e-6)
        for k, value in enumerate(coefficients):
            found = lowest(lambda p, t, k=k, value=value: deviance(p, t, k, value), fit.psi, fit.theta)
            assert found == pytest.approx(limit, abs=1e-6)


def test_units_rows_and_names_do_not_matter(designs):
    data = designs["sizes_1to10_twice"][0].assign(x=lambda d: np.arange(len(d)) % 4)
    here = partial_pooling("score ~ x", data, "classroom").profile_int(likelihood="ml")
    mixed = data.assign(classroom="c" + data["classroom"].astype(str)).sample(frac=1, random_state=2)
    there = partial_pooling("score ~ x", mixed, "classroom").profile_int(likelihood="ml")
    assert_intervals(there.to_numpy(), here.to_numpy(), rtol=1e-9)  # the same sums in another order
    for unit in (1e-8, 1e8):
        scaled = data.assign(score=data["score"] * unit)
        there = partial_pooling("score ~ x", scaled, "classroom").profile_int(likelihood="ml")
        factor = np.array([[unit**2], [unit**2], [unit], [unit]])
        assert_intervals(there.to_numpy() / factor, here.to_numpy(), rtol=1e-9)
        scaled = data.assign(x=data["x"] * unit)
        there = partial_pooling("score ~ x", scaled, "classroom").profile_int(likelihood="ml")
        assert_intervals(there.to_numpy() * [[1], [1], [1], [unit]], here.to_numpy(), rtol=1e-9)


@pytest.mark.parametrize("alpha", [0, 1, -0.1, 5, float("nan")])
def test_a_level_outside_0_and_1_is_refused(classrooms, alpha):
    fit = partial_pooling("score ~ 1", classrooms, "classroom")
    for interval in (fit.profile_int, fit.icc_int):
        with pytest.raises(ValueError, match="alpha"):
            interval(alpha)


def test_a_fit_without_two_variances_is_refused(classrooms):
    fit = complete_pooling("score ~ 1", classrooms, "classroom")
    for question in ("profile_int", "test_psi"):
        with pytest.raises(ValueError, match="for partial pooling only"):
            getattr(fit, question)()


@pytest.mark.parametrize("name", [c for c in CASES if not c.startswith("hsb")])
def test_the_variances_have_the_errors_of_the_expected_information(case, name):
    fit, answer = case(name)
    table = fit.variances
    assert list(table.index) == ["psi", "theta"]
    assert list(table.columns) == ["estimate", "se"]
    assert list(table["estimate"]) == [fit.psi, fit.theta]
    # R's traces of N x N matrices stand at lme4's variances, off by a few 1e-8 (tests/reference/README.md).
    np.testing.assert_allclose(table["se"], answer("se_variances"), rtol=1e-7)


def test_balanced_variances_have_closed_form_errors(classrooms, reference):
    se = partial_pooling("score ~ 1", classrooms, "classroom").variances["se"]
    r = reference("classrooms")
    # The closed form at the ANOVA estimates, through the inverse of a 2 x 2 matrix.
    np.testing.assert_allclose(se, [r["vc.se_psi"], r["vc.se_theta"]], rtol=1e-11)


@given(seed=st.integers(0, 10**6))
def test_the_errors_of_the_variances_are_the_dense_definition(seed):
    rng = np.random.default_rng(seed)
    J = rng.integers(4, 10)
    codes = np.repeat(np.arange(J), np.append(5, rng.integers(1, 7, J - 1)))
    x = rng.normal(size=len(codes))
    y = x + 1.5 * rng.normal(size=J)[codes] + rng.normal(size=len(codes))
    fit = partial_pooling("y ~ x", pd.DataFrame({"y": y, "x": x, "g": codes}), "g")
    assume(fit.psi > 0.05 * fit.theta)
    X = np.column_stack([np.ones(len(y)), x])
    G = [np.equal.outer(codes, codes).astype(float), np.eye(len(y))]
    inverse = np.linalg.inv(fit.psi * G[0] + fit.theta * G[1])
    P = inverse - inverse @ X @ np.linalg.solve(X.T @ inverse @ X, X.T @ inverse)
    information = np.array([[np.trace(P @ a @ P @ b) for b in G] for a in G]) / 2
    expected = np.sqrt(np.diag(np.linalg.inv(information)))
    np.testing.assert_allclose(fit.variances["se"], expected, rtol=1e-9)  # N x N and 2 x 2 inverses


@pytest.mark.parametrize("name", CASES)
def test_the_likelihood_ratio_is_lme4s(case, name):
    fit, answer = case(name)
    found = fit.test_psi()
    # A difference of two criteria, each right to about 1e-13 of itself where lme4 stops.
    size = 1e-12 * abs(fit.criterion)
    assert found.statistic == pytest.approx(answer("reml_lrt"), abs=size)
    # The tail falls by about half of itself for each unit of the statistic; R's own digits go further.
    assert found.pvalue == pytest.approx(answer("reml_lrt_p"), rel=size + 1e-12)


def test_the_classrooms_have_rs_likelihood_ratios(classrooms, reference):
    r = reference("classrooms")
    for method, name in (("reml", "lrt.REML"), ("ml", "lrt.ML")):
        found = partial_pooling("score ~ 1", classrooms, "classroom", method=method).test_psi()
        # Two criteria near 2000, right to a few of their last digits.
        assert found.statistic == pytest.approx(r[name], abs=1e-9)
    found = partial_pooling("score ~ 1", classrooms, "classroom").test_psi()
    assert found.pvalue == pytest.approx(r["lrt.p_half_chisq_REML"], rel=1e-9)


def test_a_singular_fit_has_statistic_zero_and_p_value_one(case):
    fit, answer = case("classrooms singular")
    found = fit.test_psi()
    # Not one half: half of the mixture is the point 0, and P(T >= 0) counts it.
    assert (found.statistic, found.pvalue) == (answer("reml_lrt"), answer("reml_lrt_p")) == (0, 1)


@given(seed=st.integers(0, 10**6), between=st.floats(0, 2))
def test_the_p_value_is_half_of_chi_squares(seed, between):
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(8), rng.integers(2, 7, 8))
    y = between * rng.normal(size=8)[codes] + rng.normal(size=len(codes))
    fit = partial_pooling("y ~ 1", pd.DataFrame({"y": y, "g": codes}), "g")
    found = fit.test_psi()
    if fit.singular:
        assert (found.statistic, found.pvalue) == (0, 1)
    else:
        assert found.statistic >= 0
        # The same function of the statistic.
        assert found.pvalue == pytest.approx(stats.chi2.sf(found.statistic, 1) / 2, rel=1e-12)


def test_the_icc_of_the_classrooms_has_the_exact_interval(classrooms, reference):
    lower, upper = partial_pooling("score ~ 1", classrooms, "classroom").icc_int()
    # As printed, and to R's digits: two quantiles of F, of which the two libraries agree to 1e-12 or so.
    assert (round(lower, 6), round(upper, 6)) == (0.175898, 0.531420)
    np.testing.assert_allclose([lower, upper], reference("classrooms")["icc.ci_F_exact"], rtol=1e-10)


@given(seed=st.integers(0, 10**6), J=st.integers(3, 12), n=st.integers(2, 8))
def test_the_ends_of_the_icc_interval_are_where_f_is_at_its_quantiles(seed, J, n):
    rng = np.random.default_rng(seed)
    y = 3 * rng.normal(size=(J, 1)) + rng.normal(size=(J, n))
    fit = partial_pooling("y ~ 1", pd.DataFrame({"y": y.ravel(), "g": np.repeat(np.arange(J), n)}), "g")
    between = n * y.mean(axis=1).var(ddof=1)
    F = between / (y.var(axis=1, ddof=1).mean())
    lower, upper = fit.icc_int(alpha=0.1)
    assume(lower > 0)
    # F over 1 + n ICC / (1 - ICC), its expectation, follows F(J - 1, J (n - 1)).
    pivot = F / (1 + n * np.array([lower, upper]) / (1 - np.array([lower, upper])))
    np.testing.assert_allclose(stats.f.cdf(pivot, J - 1, J * (n - 1)), [0.95, 0.05], rtol=1e-9)  # libraries
