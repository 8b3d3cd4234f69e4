"""Cluster-robust standard errors: against clubSandwich, an N x N definition, and closed forms."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from helpers import complete_pooling, partial_pooling

KINDS = ["CR0", "CR1", "CR2", "CR3"]
each_kind = pytest.mark.parametrize("kind", KINDS)
RADON = {"lm0": "log_radon ~ 1", "lm1": "log_radon ~ floor", "lm2": "log_radon ~ floor + log_uranium"}
HSB = {"cp": "math ~ 1", "wb": "math ~ ses_within + mean_ses"}
DESIGNS = ["balanced", "drop1", "sizes_1to10_twice", "half_small", "one_big", "few_clusters5"]
# Small designs with predictors made by rule (see tests/reference/classrooms.R): formula and rows.
HARD = {
    "within": ("score ~ x", "sizes_1to10_twice"),
    "few": ("score ~ x + z", "few_clusters5"),
    "no_intercept": ("score ~ 0 + x + z", "half_small"),
    "leverage": ("score ~ x + fifth", "sizes_1to10_twice"),
    "leverage_single": ("score ~ x + first", "sizes_1to10_twice"),
}
CASES = [
    *(f"radon {name}" for name in RADON),
    *(f"hsb {name}" for name in HSB),
    *(f"classrooms unbalanced.{name}" for name in DESIGNS),
    *(f"classrooms hard.{name}" for name in HARD),
]


@pytest.fixture(scope="module")
def with_predictors(designs):
    """R's ``hard``: a predictor that varies unevenly within classes, and three that do not vary."""

    def add(data):
        i = data.groupby("classroom", observed=True).cumcount() + 1
        j = data["classroom"].astype(int)
        return data.assign(x=(i**2 * j) % 7, z=j, first=(j == 1).astype(int), fifth=(j == 5).astype(int))

    return {name: add(data) for name, (data, _) in designs.items()}


@pytest.fixture(scope="module")
def case(radon, high_school, with_predictors, reference):
    """``case("radon lm1")`` is the fit, and a function from a quantity to R's value of it."""

    def of(name):
        file, prefix = name.split()
        if file == "radon":
            fit = complete_pooling(RADON[prefix], radon, "county")
        elif file == "hsb":
            fit = complete_pooling(HSB[prefix], high_school, "school")
        else:
            of_what, design = prefix.split(".")
            formula, rows = HARD[design] if of_what == "hard" else ("score ~ 1", design)
            fit = complete_pooling(formula, with_predictors[rows], "classroom")
        return fit, lambda quantity: reference(file)[f"{prefix}.{quantity}"]

    return of


# Where a leverage is 1 clubSandwich's CR3 inverts a singular matrix, and stops or returns noise.
@pytest.mark.parametrize(
    ("name", "kind"), [(c, k) for c in CASES for k in KINDS if not ("leverage" in c and k == "CR3")]
)
def test_standard_errors_are_clubsandwichs(case, name, kind):
    fit, answer = case(name)
    found, expected = fit.cluster_robust(kind), np.atleast_1d(answer(kind)).astype(float)
    expected[[term in found.withheld for term in fit.params.index]] = np.nan  # which: test_estimable
    # Closed forms, but with the inverse root of a matrix of the size of a group in R's.
    np.testing.assert_allclose(found.bse, expected, rtol=1e-10)


@pytest.mark.parametrize("name", CASES)
def test_cr2_has_clubsandwichs_satterthwaite_df(case, name):
    fit, answer = case(name)
    found, expected = fit.cluster_robust("CR2"), np.atleast_1d(answer("CR2_df")).astype(float)
    expected[[term in found.withheld for term in fit.params.index]] = np.nan
    # A ratio of sums over pairs of groups of what is itself good to 1e-10.
    np.testing.assert_allclose(found.df, expected, rtol=1e-8)


@pytest.mark.parametrize("kind", ["CR0", "CR1", "CR3"])
def test_the_others_have_one_less_degrees_of_freedom_than_groups(case, kind):
    assert (case("radon lm2")[0].cluster_robust(kind).df == 84).all()
    assert (case("classrooms hard.few")[0].cluster_robust(kind).df == 4).all()


@each_kind
def test_only_the_standard_errors_and_their_df_change(radon, kind):
    fit = complete_pooling(RADON["lm2"], radon, "county")
    before = fit.bse
    other = fit.cluster_robust(kind)
    pd.testing.assert_series_equal(other.params, fit.params)
    assert (other.theta, other.nobs, other.ngroups) == (fit.theta, fit.nobs, fit.ngroups)
    pd.testing.assert_series_equal(fit.bse, before)
    assert fit.df_method == "residual"
    assert isinstance(other.df_method, str)
    assert other.df_method != fit.df_method
    assert list(other.bse.index) == list(other.df.index) == list(fit.params.index)
    # One is the root of the other, up to its last bit.
    np.testing.assert_allclose(np.diag(other.cov_params()), other.bse**2, rtol=1e-14)
    np.testing.assert_allclose(other.tvalues, fit.params / other.bse, rtol=1e-14)
    assert (other.conf_int()["lower"] < other.params).all()


def test_one_kind_may_follow_another(radon):
    fit = complete_pooling(RADON["lm1"], radon, "county")
    again = fit.cluster_robust("CR3").cluster_robust("CR2")
    pd.testing.assert_series_equal(again.bse, fit.cluster_robust("CR2").bse)
    pd.testing.assert_series_equal(again.df, fit.cluster_robust("CR2").df)


def test_cr1_is_cr0_times_a_factor_of_the_number_of_groups(case):
    for name in CASES:
        fit, _ = case(name)
        J = fit.ngroups
        expected = fit.cluster_robust("CR0").bse * np.sqrt(J / (J - 1))
        np.testing.assert_allclose(fit.cluster_robust("CR1").bse, expected, rtol=1e-13)  # a product


def dense(kind, X, y, codes):
    """Covariance of least squares and df, by Bell and McCaffrey (2002), with N x N matrices.

    The residuals of group j are multiplied by a power of I - H_jj, generalised where it is singular.
    """
    bread = np.linalg.inv(X.T @ X)
    left = np.eye(len(y)) - X @ bread @ X.T  # I - H
    e = left @ y
    J = codes.max() + 1
    power = {"CR0": 0, "CR1": 0, "CR2": -1 / 2, "CR3": -1}[kind]
    meat = np.zeros_like(bread)
    G = np.empty((J, X.shape[1], len(y)))  # row by coefficient of what multiplies y, group by group
    for j in range(J):
        rows = codes == j
        values, vectors = np.linalg.eigh(left[np.ix_(rows, rows)])
        # Eigenvalues lie between 0 and 1; leverage 1 leaves 1e-16 of them, and power 0 inverts nothing.
        kept = values > (1e-10 if power else -1)
        factors = np.where(kept, np.where(kept, np.abs(values), 1) ** power, 0)
        adjusted = X[rows].T @ (vectors * factors) @ vectors.T
        total = adjusted @ e[rows]
        meat += np.outer(total, total)
        G[j] = bread @ adjusted @ left[rows]
    cov = bread @ meat @ bread * (J / (J - 1) if kind == "CR1" else 1)
    if kind != "CR2":
        return cov, np.full(X.shape[1], J - 1.0)
    products = np.einsum("ikn,jkn->kij", G, G)  # covariance of the groups' parts if the rows were iid
    return cov, np.trace(products, axis1=1, axis2=2) ** 2 / (products**2).sum(axis=(1, 2))


def random_design(seed, marked=False):
    """Unequal groups, a predictor of each level, and an indicator of the first group if ``marked``."""
    rng = np.random.default_rng(seed)
    J = rng.integers(5, 10)
    sizes = rng.integers(1, 7, J)
    codes = rng.permutation(np.repeat(np.arange(J), sizes))
    x, z = rng.normal(size=len(codes)) + 0.5 * codes, rng.normal(size=J)[codes]
    y = x - z + rng.normal(size=J)[codes] + rng.normal(size=len(codes))
    data = pd.DataFrame({"y": y, "x": x, "z": z, "d": (codes == 0) * 1.0, "g": codes})
    columns = ["x", "z", "d"] if marked else ["x", "z"]
    return data, columns, codes


@each_kind
@pytest.mark.parametrize("constant", [1, 0], ids=["intercept", "no intercept"])
@given(seed=st.integers(0, 10**6))
def test_group_by_group_is_the_dense_definition(kind, constant, seed):
    data, columns, codes = random_design(seed)
    X = data[columns].to_numpy()
    if constant:
        X = np.column_stack([np.ones(len(data)), X])
    cov, df = dense(kind, X, data["y"].to_numpy(), codes)
    fit = complete_pooling(f"y ~ {constant} + x + z", data, "g").cluster_robust(kind)
    # Roots and inverses of I - H_jj, whose least eigenvalue may be 1e-3 or less in so few groups.
    scale = np.sqrt(np.outer(np.diag(cov), np.diag(cov)))
    np.testing.assert_allclose(fit.cov_params() / scale, cov / scale, atol=1e-9)
    np.testing.assert_allclose(fit.df, df, rtol=1e-8)


@each_kind
@given(seed=st.integers(0, 10**6))
def test_a_group_of_leverage_one_takes_the_generalised_inverse(kind, seed):
    data, columns, codes = random_design(seed, marked=True)
    assume((codes != 0).sum() > 5)
    X = np.column_stack([np.ones(len(data)), data[columns]])
    cov, df = dense(kind, X, data["y"].to_numpy(), codes)
    fit = complete_pooling("y ~ x + z + d", data, "g").cluster_robust(kind)
    scale = np.sqrt(np.outer(np.diag(cov), np.diag(cov)))
    assert list(fit.withheld) == ["d"]  # which the first group alone carries; the others have the formula's
    cov[3] = cov[:, 3] = df[3] = np.nan
    # As above; the zero eigenvalue is rounding, and has to be taken for zero.
    np.testing.assert_allclose(fit.cov_params() / scale, cov / scale, atol=1e-8)
    np.testing.assert_allclose(fit.df, df, rtol=1e-7)


@given(seed=st.integers(0, 10**6), J=st.integers(3, 12), n=st.integers(2, 8))
def test_balanced_means_have_the_standard_errors_of_partial_pooling(seed, J, n):
    rng = np.random.default_rng(seed)
    y = 2 * rng.normal(size=(J, 1)) + rng.normal(size=(J, n))
    data = pd.DataFrame({"y": y.ravel(), "g": np.repeat(np.arange(J), n)})
    reml, ml = (partial_pooling("y ~ 1", data, "g", method=method) for method in ("reml", "ml"))
    assume(ml.psi > 0)  # then REML's, which is larger, is too
    ols = complete_pooling("y ~ 1", data, "g")
    # All of them sqrt(MSB / N) but for a factor of J: closed forms, and an exact root of the score.
    for kind in ("CR1", "CR2"):
        np.testing.assert_allclose(ols.cluster_robust(kind).bse, reml.bse, rtol=1e-10)
    np.testing.assert_allclose(ols.cluster_robust("CR3").bse, reml.bse * np.sqrt(J / (J - 1)), rtol=1e-10)
    np.testing.assert_allclose(ols.cluster_robust("CR0").bse, ml.bse, rtol=1e-10)
    np.testing.assert_allclose(ols.cluster_robust("CR2").df, J - 1, rtol=1e-10)


def test_the_classrooms_have_the_closed_forms_of_r(classrooms, reference):
    fit, r = complete_pooling("score ~ 1", classrooms, "classroom"), reference("classrooms")
    for kind in ("CR0", "CR1", "CR3"):
        np.testing.assert_allclose(fit.cluster_robust(kind).bse, r[f"cr.{kind}_formula"], rtol=1e-12)
    # CR2 takes the roots of a matrix, and is CR1 in theory.
    np.testing.assert_allclose(fit.cluster_robust("CR2").bse, r["cr.CR1_formula"], rtol=1e-12)
    np.testing.assert_allclose(fit.cluster_robust("CR2").df, 19, rtol=1e-12)


@each_kind
def test_names_and_order_of_groups_and_rows_do_not_matter(with_predictors, kind):
    data = with_predictors["sizes_1to10_twice"]
    here = complete_pooling("score ~ x + z", data, "classroom").cluster_robust(kind)
    renamed = data.assign(classroom="c" + ((data["z"] * 7) % 23).astype(str))  # 7 and 23 have no factor
    shuffled = renamed.sample(frac=1, random_state=3)
    for other in (data.sample(frac=1, random_state=1), renamed, shuffled):
        there = complete_pooling("score ~ x + z", other, "classroom").cluster_robust(kind)
        # The same sums in another order; the intercept takes the means off again.
        np.testing.assert_allclose(there.bse, here.bse, rtol=1e-11)
        np.testing.assert_allclose(there.df, here.df, rtol=1e-10)


@each_kind
@pytest.mark.parametrize("unit", [1e-8, 1e8], ids="{:.0e}".format)
def test_the_unit_of_a_column_does_not_matter(with_predictors, kind, unit):
    data = with_predictors["sizes_1to10_twice"]
    here = complete_pooling("score ~ x + z", data, "classroom").cluster_robust(kind)
    other = data.assign(x=data["x"] * unit)
    there = complete_pooling("score ~ x + z", other, "classroom").cluster_robust(kind)
    # A unit changes the last bits of each product, and nothing that grows with it.
    np.testing.assert_allclose(there.bse * [1, unit, 1], here.bse, rtol=1e-11)
    np.testing.assert_allclose(there.df, here.df, rtol=1e-10)
    other = data.assign(score=data["score"] * unit)
    there = complete_pooling("score ~ x + z", other, "classroom").cluster_robust(kind)
    np.testing.assert_allclose(there.bse / unit, here.bse, rtol=1e-11)
    np.testing.assert_allclose(there.df, here.df, rtol=1e-10)


@each_kind
def test_the_origin_of_a_predictor_leaves_its_slope_alone(with_predictors, kind):
    data = with_predictors["half_small"]
    here = complete_pooling("score ~ x", data, "classroom").cluster_robust(kind)
    moved = data.assign(x=data["x"] + 1e6)
    there = complete_pooling("score ~ x", moved, "classroom").cluster_robust(kind)
    # Whole numbers: at a million the column keeps every digit, its mean all but ten.
    np.testing.assert_allclose(there.bse["x"], here.bse["x"], rtol=1e-9)
    np.testing.assert_allclose(there.df["x"], here.df["x"], rtol=1e-8)


@pytest.mark.parametrize("kind", ["CR4", "cr2", "HC1", "", None])
def test_an_unknown_kind_is_refused(classrooms, kind):
    with pytest.raises(ValueError, match=r"CR0.*CR1.*CR2.*CR3"):
        complete_pooling("score ~ 1", classrooms, "classroom").cluster_robust(kind)


@each_kind
def test_a_fit_that_knows_no_groups_is_refused(classrooms, kind):
    with pytest.raises((TypeError, ValueError), match="groups"):
        complete_pooling("score ~ 1", classrooms).cluster_robust(kind)
