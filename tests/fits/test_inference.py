"""Satterthwaite, and Kenward and Roger: against R, dense matrices and closed forms."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from helpers import no_pooling, partial_pooling
from helpers.fits.information import variance_ses
from helpers.fits.intervals import icc_interval
from helpers.fits.small_samples import kenward_roger, satterthwaite
from helpers.fits.terms import to_terms
from helpers.tables import summarise

RADON = {"M0": "log_radon ~ 1", "M1": "log_radon ~ floor", "M2": "log_radon ~ floor + log_uranium"}
# pbkrtest starts from lme4's variances, off by up to 3e-8 (tests/reference/README.md).
OF_PBKRTEST = 1e-6
DESIGNS = ["balanced", "drop1", "sizes_1to10_twice", "half_small", "one_big", "few_clusters5"]


def adjusted(fit):
    """Adjusted standard errors and degrees of freedom by term."""
    cov, df = kenward_roger(fit.data, fit.psi, fit.theta)
    contrasts = to_terms(fit.data)
    return np.sqrt(np.diag(contrasts @ cov @ contrasts.T)), np.array([df(a) for a in contrasts])


@pytest.mark.parametrize(("name", "formula"), RADON.items())
def test_radon_is_pbkrtests(radon, reference, name, formula):
    se, df = adjusted(partial_pooling(formula, radon, "county"))
    np.testing.assert_allclose(se, reference("radon")[f"{name}.kr_se"], rtol=OF_PBKRTEST)
    np.testing.assert_allclose(df, reference("radon")[f"{name}.kr_df"], rtol=OF_PBKRTEST)


@pytest.mark.parametrize("name", DESIGNS)
def test_unbalanced_classrooms_are_pbkrtests(designs, name):
    data, answers = designs[name]
    se, df = adjusted(partial_pooling("score ~ 1", data, "classroom"))
    np.testing.assert_allclose(se, answers["kr_se"], rtol=OF_PBKRTEST)
    np.testing.assert_allclose(df, answers["kr_df"], rtol=OF_PBKRTEST)


def test_the_balanced_classrooms_need_no_adjustment(classrooms, reference):
    fit = partial_pooling("score ~ 1", classrooms, "classroom")
    se, df = adjusted(fit)
    r = reference("classrooms")
    # Exactly 19 and no bias in theory; a 2 x 2 inverse in practice.
    np.testing.assert_allclose(df, 19, rtol=1e-10)
    np.testing.assert_allclose(se, fit.bse, rtol=1e-10)
    np.testing.assert_allclose(se, r["se.kenward_roger"], rtol=1e-8)  # lme4's SE
    np.testing.assert_allclose(se, r["df.pbkrtest_vcovAdj_se"], rtol=1e-8)


def dense(fit, data, columns, group):
    """Kenward and Roger (1997) written out with N x N matrices, for the terms as given."""
    X = np.column_stack([np.ones(len(data)), *(data[c] for c in columns)])
    codes = data[group].to_numpy()
    G = [np.equal.outer(codes, codes).astype(float), np.eye(len(data))]
    inverse = np.linalg.inv(fit.psi * G[0] + fit.theta * G[1])
    cov = np.linalg.inv(X.T @ inverse @ X)
    P = [-X.T @ inverse @ g @ inverse @ X for g in G]
    Q = [[X.T @ inverse @ g @ inverse @ h @ inverse @ X for h in G] for g in G]
    information = np.array(
        [
            [
                np.trace(inverse @ G[i] @ inverse @ G[j])
                - 2 * np.trace(cov @ Q[i][j])
                + np.trace(cov @ P[i] @ cov @ P[j])
                for j in (0, 1)
            ]
            for i in (0, 1)
        ]
    )
    V = np.linalg.inv(information / 2)
    bias = sum(V[i, j] * (Q[i][j] - P[i] @ cov @ P[j]) for i in (0, 1) for j in (0, 1))
    df = []
    for k in range(X.shape[1]):
        change = np.array([(cov @ P[i] @ cov)[k, k] / cov[k, k] for i in (0, 1)])
        df.append(2 / (change @ V @ change))
    return np.sqrt(np.diag(cov + 2 * cov @ bias @ cov)), np.array(df)


@given(seed=st.integers(0, 10**6))
def test_block_by_block_is_the_dense_definition(seed):
    rng = np.random.default_rng(seed)
    J = rng.integers(4, 10)
    sizes = rng.integers(1, 8, J)
    sizes[0] += 3
    group = np.repeat(np.arange(J), sizes)
    x, z = rng.normal(size=len(group)), rng.normal(size=J)[group]
    y = x - z + 1.5 * rng.normal(size=J)[group] + rng.normal(size=len(group))
    data = pd.DataFrame({"y": y, "x": x, "z": z, "g": group})
    fit = partial_pooling("y ~ x + z", data, "g")
    assume(fit.psi > 0.05 * fit.theta)  # the dense inverse of an ill-conditioned V proves little
    se, df = adjusted(fit)
    dense_se, dense_df = dense(fit, data, ["x", "z"], "g")
    # Two inverses of N x N and 2 x 2 matrices.
    np.testing.assert_allclose(se, dense_se, rtol=1e-8)
    np.testing.assert_allclose(df, dense_df, rtol=1e-7)


@given(seed=st.integers(0, 10**6), J=st.integers(3, 12), n=st.integers(2, 8))
def test_balanced_data_have_j_less_one_degrees_of_freedom_and_no_adjustment(seed, J, n):
    rng = np.random.default_rng(seed)
    y = 2 * rng.normal(size=(J, 1)) + rng.normal(size=(J, n))
    fit = partial_pooling("y ~ 1", pd.DataFrame({"y": y.ravel(), "g": np.repeat(np.arange(J), n)}), "g")
    assume(fit.psi > 0.05 * fit.theta)
    se, df = adjusted(fit)
    np.testing.assert_allclose(df, J - 1, rtol=1e-8)  # closed form, through two inverses
    np.testing.assert_allclose(se, fit.bse, rtol=1e-8)


def test_the_adjustment_never_makes_these_standard_errors_smaller(radon, designs):
    fits = [partial_pooling(formula, radon, "county") for formula in RADON.values()]
    fits += [partial_pooling("score ~ 1", data, "classroom") for data, _ in designs.values()]
    for fit in fits:
        # equal where balanced, up to rounding
        assert (adjusted(fit)[0] >= fit.bse * (1 - 1e-12)).all()


def test_the_degrees_of_freedom_of_a_contrast_do_not_depend_on_its_length(radon):
    fit = partial_pooling(RADON["M2"], radon, "county")
    df = kenward_roger(fit.data, fit.psi, fit.theta)[1]
    a = np.array([1.0, 0.3, -2.0])
    assert df(5 * a) == pytest.approx(df(a), rel=1e-12)  # the factor cancels but for rounding
    assert isinstance(df(a), float)


def test_the_origin_of_a_predictor_leaves_its_slope_alone(radon):
    moved = radon.assign(floor=radon["floor"] + 100.0)
    here, there = (adjusted(partial_pooling(RADON["M1"], data, "county")) for data in (radon, moved))
    # At +100 the columns keep 1e-14 of their digits, the flat profile some of these.
    np.testing.assert_allclose(there[0][1], here[0][1], rtol=1e-8)
    np.testing.assert_allclose(there[1][1], here[1][1], rtol=1e-7)


def test_the_summary_alone_is_enough(radon):
    summary = summarise(radon, RADON["M1"], "county")
    fit = partial_pooling(RADON["M1"], radon, "county")
    cov, _ = kenward_roger(summary, fit.psi, fit.theta)
    assert cov.shape == (2, 2)
    np.testing.assert_allclose(cov, cov.T, rtol=1e-12)  # symmetric by construction, but for rounding


HSB = {"H1": "math ~ ses", "H2": "math ~ ses_within + mean_ses", "H3": "math ~ ses + mean_ses",
       "H4": "math ~ ses_within + mean_ses + catholic"}  # fmt: skip
# lmerTest differentiates the deviance numerically; seen: 1e-7 on the schools, 2e-8 elsewhere.
OF_LMERTEST = 1e-6


@pytest.mark.parametrize(("name", "formula"), RADON.items())
def test_radon_has_lmertests_satterthwaite_df(radon, reference, name, formula):
    df = partial_pooling(formula, radon, "county").with_df("satterthwaite").df
    np.testing.assert_allclose(df, reference("radon")[f"{name}.satterthwaite_df"], rtol=OF_LMERTEST)


@pytest.mark.parametrize(("name", "formula"), HSB.items())
def test_the_schools_have_lmertests_satterthwaite_df(high_school, reference, name, formula):
    df = partial_pooling(formula, high_school, "school").with_df("satterthwaite").df
    np.testing.assert_allclose(df, reference("hsb")[f"{name}.df_satt"], rtol=OF_LMERTEST)


@pytest.mark.parametrize("name", DESIGNS)
def test_unbalanced_classrooms_have_lmertests_satterthwaite_df(designs, name):
    data, answers = designs[name]
    df = partial_pooling("score ~ 1", data, "classroom").with_df("satterthwaite").df
    np.testing.assert_allclose(df, answers["satterthwaite_df"], rtol=OF_LMERTEST)


def test_kenward_roger_brings_its_standard_errors_and_leaves_the_rest(radon, reference):
    fit = partial_pooling(RADON["M2"], radon, "county")
    other = fit.with_df("kenward-roger")
    np.testing.assert_allclose(other.bse, reference("radon")["M2.kr_se"], rtol=OF_PBKRTEST)
    pd.testing.assert_series_equal(other.df, fit.df)
    pd.testing.assert_series_equal(other.params, fit.params)
    pd.testing.assert_frame_equal(other.group_means, fit.group_means)
    assert (other.psi, other.theta, other.criterion) == (fit.psi, fit.theta, fit.criterion)


def test_residual_degrees_of_freedom_are_rows_less_terms(radon):
    fit = partial_pooling(RADON["M1"], radon, "county").with_df("residual")
    assert (fit.df == 919 - 2).all()
    assert fit.df_method == "residual"


def test_the_observed_information_is_the_curvature_of_the_likelihood(radon):
    """Satterthwaite's df for the county model from second differences of the dense -2 log likelihood."""
    fit = partial_pooling(RADON["M1"], radon.iloc[:150], "county")
    data = radon.iloc[:150]
    X = np.column_stack([np.ones(150), data["floor"]])
    same = np.equal.outer(data["county"].to_numpy(), data["county"].to_numpy())
    y = data["log_radon"].to_numpy()

    def cov_and_deviance(psi, theta):
        V = psi * same + theta * np.eye(150)
        inverse = np.linalg.inv(V)
        cov = np.linalg.inv(X.T @ inverse @ X)
        r = y - X @ cov @ X.T @ inverse @ y
        return cov, np.linalg.slogdet(V)[1] - np.linalg.slogdet(cov)[1] + r @ inverse @ r

    at = np.array([fit.psi, fit.theta])
    step = 1e-3 * at  # second differences: rounding and truncation are both near 1e-6 here

    def deviance(i, j):
        return cov_and_deviance(*(at + np.array([i, j]) * step))[1]

    H = np.empty((2, 2))
    H[0, 0] = (deviance(1, 0) - 2 * deviance(0, 0) + deviance(-1, 0)) / step[0] ** 2
    H[1, 1] = (deviance(0, 1) - 2 * deviance(0, 0) + deviance(0, -1)) / step[1] ** 2
    cross = deviance(1, 1) - deviance(1, -1) - deviance(-1, 1) + deviance(-1, -1)
    H[0, 1] = H[1, 0] = cross / (4 * step[0] * step[1])
    up = [np.diag(cov_and_deviance(*(at + step * k))[0]) for k in np.eye(2)]
    down = [np.diag(cov_and_deviance(*(at - step * k))[0]) for k in np.eye(2)]
    slope = (np.array(up) - np.array(down)) / (2 * step[:, None])
    variance = np.diag(cov_and_deviance(*at)[0])
    df = 2 * variance**2 / np.einsum("ik,ij,jk->k", slope, 2 * np.linalg.inv(H), slope)
    np.testing.assert_allclose(fit.with_df("satterthwaite").df, df, rtol=1e-4)


@pytest.mark.parametrize("df_method", ["satterthwaite", "kenward-roger"])
def test_degrees_of_freedom_that_are_not_defined_are_refused(classrooms, singular_data, df_method):
    for fit in (
        partial_pooling("score ~ 1", classrooms, "classroom", method="ml"),
        no_pooling("score ~ 1", classrooms, "classroom"),
    ):
        with pytest.raises(ValueError, match=f'{df_method} degrees.*use "residual"'):
            fit.with_df(df_method)
    with pytest.raises(ValueError, match=r"df_method must be.*'kr'"):
        fit.with_df("kr")
    with pytest.raises(ValueError, match=r'satterthwaite degrees.*need psi > 0.*use "kenward-roger"'):
        partial_pooling("score ~ 1", singular_data, "classroom").with_df("satterthwaite")


@pytest.mark.parametrize("times", [4, 20])
def test_far_from_the_maximum_there_is_no_satterthwaite_df(classrooms, times):
    """There the likelihood is curved downwards along one direction, upwards along another."""
    fit = partial_pooling("score ~ 1", classrooms, "classroom")
    with pytest.raises(ValueError, match=r'not curved at its maximum.*use with_df\("residual"\)'):
        satterthwaite(fit.data, fit._centred[0], times * fit.psi, fit.theta)


@pytest.mark.parametrize("ratio", [3.0, 1e4])
def test_balanced_data_have_j_less_one_satterthwaite_df_whatever_the_variances(ratio):
    rng = np.random.default_rng(5)
    y = np.sqrt(ratio) * rng.normal(size=(9, 1)) + rng.normal(size=(9, 4))
    fit = partial_pooling("y ~ 1", pd.DataFrame({"y": y.ravel(), "g": np.repeat(np.arange(9), 4)}), "g")
    assert fit.psi > 0
    # A closed form, through two inverses that lose as many digits as the ratio has.
    assert fit.with_df("satterthwaite").df.iloc[0] == pytest.approx(8, rel=1e-9)


@pytest.mark.parametrize(("method", "rows"), [("reml", 200 - 1), ("ml", 200)])
def test_where_psi_is_zero_the_variance_within_has_the_error_of_complete_pooling(singular_data, method, rows):
    fit = partial_pooling("score ~ 1", singular_data, "classroom", method=method)
    psi_se, theta_se = variance_ses(fit.data, fit.psi, fit.theta, method)
    assert fit.psi == 0
    assert np.isnan(psi_se)
    assert theta_se == pytest.approx(fit.theta * np.sqrt(2 / rows), rel=1e-14)  # one product


def test_intervals_of_the_icc_have_level_95_percent_unless_told():
    assert icc_interval(4.0, 10, 5) == icc_interval(4.0, 10, 5, 0.05)


def test_no_end_of_an_interval_of_the_icc_is_below_zero():
    lower, upper = icc_interval(0.5, 10, 5)
    assert lower == 0 < upper
    assert icc_interval(0.01, 10, 5) == (0, 0)
