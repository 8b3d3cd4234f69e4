"""The three fits against closed forms, R, statsmodels and dense matrices, and the theorems of the course."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from helpers import compare, complete_pooling, formulas, no_pooling, partial_pooling
from helpers.fits.profile import Profile
from helpers.tables import summarise

# Closed forms: the root is exact, what is left is the rounding of sums of N terms.
EXACT = 1e-12
# lme4's optimiser stops where SEs have a relative error near 1e-9 and variances near 3e-8
# (tests/reference/README.md); the largest seen here is 4.3e-8, in effects near 0.
OF_LME4 = 1e-7
# Least squares on both sides: R by QR, here by centred cross-products.
OF_LM = 1e-10
# REMLcrit and the likelihoods are flat at the optimum: lme4's error there is squared.
OF_CRITERION = 1e-11


def close(found, expected, rel):
    np.testing.assert_allclose(np.asarray(found, dtype=float), expected, rtol=rel, atol=0)


# ---- the classrooms ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def r(reference):
    return reference("classrooms")


@pytest.fixture(scope="module")
def complete(classrooms):
    return complete_pooling("score ~ 1", classrooms, "classroom")


@pytest.fixture(scope="module")
def separate(classrooms):
    return no_pooling("score ~ 1", classrooms, "classroom")


@pytest.fixture(scope="module")
def partial(classrooms):
    return partial_pooling("score ~ 1", classrooms, "classroom")


@pytest.fixture(scope="module")
def by_ml(classrooms):
    return partial_pooling("score ~ 1", classrooms, "classroom", method="ml")


def test_complete_pooling_is_lm(complete, r):
    close(complete.params["Intercept"], r["cp.estimate"], EXACT)
    close(complete.bse["Intercept"], r["cp.se"], EXACT)
    close(complete.theta, r["cp.sigma"] ** 2, EXACT)
    close(complete.tvalues["Intercept"], r["cp.t"], EXACT)
    close(complete.conf_int().loc["Intercept"], r["cp.ci"], EXACT)
    assert complete.df["Intercept"] == r["cp.df"] == 199
    assert complete.df_method == "residual"


def test_no_pooling_is_lm_with_a_mean_for_each_class(separate, r):
    close(separate.params, r["np.estimates"], EXACT)
    close(separate.bse, np.full(20, r["np.se_class_mean"]), EXACT)
    close(separate.theta, r["np.sigma"] ** 2, EXACT)
    assert (separate.df == r["np.df"]).all()
    assert separate.params.index[[0, 19]].tolist() == ["classroom[1]", "classroom[20]"]


def test_no_pooling_gives_the_mean_of_just_these_classes_and_their_difference(separate, r):
    cov = separate.cov_params().to_numpy()
    mean, difference = np.full(20, 1 / 20), np.eye(20)[0] - np.eye(20)[1]
    close(np.sqrt(mean @ cov @ mean), r["np.se_grand_mean"], EXACT)
    close(np.sqrt(difference @ cov @ difference), r["np.se_difference"], EXACT)


def test_partial_pooling_is_the_analysis_of_variance(partial, r):
    close(partial.params["Intercept"], r["data.grand_mean"], EXACT)
    close(partial.bse["Intercept"], r["pp.se_exact"], EXACT)
    close(partial.psi, r["anova.psi"], EXACT)
    close(partial.theta, r["anova.theta"], EXACT)
    close(partial.icc, r["icc"], EXACT)


def test_partial_pooling_is_lmer_as_far_as_lmers_optimiser_goes(partial, r):
    close(partial.bse["Intercept"], r["pp.se"], 1e-8)
    close(partial.tvalues["Intercept"], r["pp.t"], 1e-8)
    close(partial.psi, r["pp.psi_lme4"], 1e-8)
    close(partial.theta, r["pp.theta_lme4"], 1e-8)
    close(partial.criterion, r["pp.REMLcrit"], OF_CRITERION)


def test_the_reml_optimum_is_at_least_as_high_as_lmers(partial, by_ml, r):
    assert partial.criterion <= r["pp.REMLcrit"] + 1e-9  # rounding of a sum of 1900
    assert by_ml.criterion <= r["ml.deviance"] + 1e-9


def test_maximum_likelihood_is_its_closed_form_and_lmers(by_ml, r):
    close(by_ml.bse["Intercept"], r["ml.se_exact"], EXACT)
    close(by_ml.psi, r["ml.psi_exact"], EXACT)
    close(by_ml.theta, r["anova.MSW"], EXACT)
    close(by_ml.bse["Intercept"], r["ml.se"], 1e-8)
    close(by_ml.psi, r["ml.psi"], 3e-8)  # see the top: variances
    close(by_ml.criterion, r["ml.deviance"], OF_CRITERION)
    close(by_ml.criterion, -2 * r["ml.logLik"], OF_CRITERION)


def test_class_effects_are_ranef_with_both_their_standard_errors(partial, r):
    effects = partial.group_effects
    close(effects["estimate"], r["re.ranef"], OF_LME4)
    close(effects["se_conditional"], np.full(20, r["re.se_cond_formula"]), EXACT)
    close(effects["se"], np.full(20, r["re.se_u_pred_error"]), EXACT)
    close(effects["se"], np.full(20, r["re.henderson_u_se"]), EXACT)


def test_class_means_are_coef_with_both_their_standard_errors(partial, r):
    means = partial.group_means
    close(means["estimate"], r["re.coef"], OF_LME4)
    close(means["se"], np.full(20, r["re.se_classmean_pred_error"]), EXACT)
    close(means["se"], np.full(20, r["re.henderson_classmean_se"]), EXACT)
    close(means["se_conditional"], np.full(20, r["re.se_cond_formula"]), EXACT)


def test_group_tables_are_labelled_by_the_group(partial, separate):
    for table in (partial.group_means, partial.group_effects, separate.group_means):
        assert table.index.tolist() == list(range(1, 21))
        assert table.index.name == "classroom"
    assert list(partial.group_means) == ["estimate", "se", "se_conditional", "se_unconditional"]
    assert list(separate.group_means) == ["estimate", "se"]


def test_the_interval_on_19_degrees_of_freedom_is_the_t_test_of_the_class_means(partial, r):
    # Kenward-Roger's df come through a 2 x 2 inverse: some digits fewer than the closed forms.
    close(partial.df["Intercept"], 19, 1e-10)
    assert partial.df_method == "kenward-roger"
    close(partial.conf_int().loc["Intercept"], r["ci.t19"], EXACT)
    close(partial.conf_int().loc["Intercept"], r["ci.ttest_class_means"], EXACT)


def test_maximum_likelihood_has_the_normal_interval(by_ml):
    assert by_ml.df_method == "normal"
    assert np.isinf(by_ml.df).all()
    half = stats.norm.ppf(0.975) * by_ml.bse
    close(by_ml.conf_int()["upper"], by_ml.params + half, EXACT)


# ---- radon ---------------------------------------------------------------------------------------

RADON = {"M0": "log_radon ~ 1", "M1": "log_radon ~ floor", "M2": "log_radon ~ floor + log_uranium"}


@pytest.fixture(scope="module")
def radon_fits(radon):
    return {name: partial_pooling(formula, radon, "county") for name, formula in RADON.items()}


@pytest.fixture(scope="module")
def rr(reference):
    return reference("radon")


def by_county(fit_table, rr, key):
    """R's vector, laid beside ours by the name of the county."""
    return pd.Series(rr[key], index=rr["data.counties"]).loc[fit_table.index].to_numpy()


@pytest.mark.parametrize("name", RADON)
def test_radon_coefficients_and_standard_errors_are_lmers(radon_fits, rr, name):
    close(radon_fits[name].params, rr[f"{name}.fixef"], OF_LME4)
    close(radon_fits[name].bse, rr[f"{name}.se"], OF_LME4)


@pytest.mark.parametrize("name", RADON)
def test_radon_covariances_are_lmers(radon_fits, rr, name):
    p = len(radon_fits[name].params)
    close(radon_fits[name].cov_params(), np.reshape(rr[f"{name}.vcov"], (p, p)), OF_LME4)


@pytest.mark.parametrize("name", RADON)
def test_radon_variances_are_lmers(radon_fits, rr, name):
    fit = radon_fits[name]
    close(fit.psi, rr[f"{name}.var_county"], OF_LME4)
    close(fit.theta, rr[f"{name}.var_resid"], OF_LME4)
    close(np.sqrt([fit.psi, fit.theta]), [rr[f"{name}.sd_county"], rr[f"{name}.sigma"]], OF_LME4)
    close(fit.icc, rr[f"{name}.icc"], OF_LME4)


@pytest.mark.parametrize("name", RADON)
def test_radon_criteria_are_lmers(radon_fits, rr, name):
    close(radon_fits[name].criterion, rr[f"{name}.REMLcrit"], OF_CRITERION)


@pytest.mark.parametrize(("name", "formula"), RADON.items())
def test_radon_by_maximum_likelihood_is_lmers(radon, rr, name, formula):
    fit = partial_pooling(formula, radon, "county", method="ml")
    close(fit.params, rr[f"{name}.ml_fixef"], OF_LME4)
    close(fit.bse, rr[f"{name}.ml_se"], OF_LME4)
    close(np.sqrt([fit.psi, fit.theta]), rr[f"{name}.ml_sds"], OF_LME4)
    close(fit.criterion, rr[f"{name}.deviance_ML"], OF_CRITERION)


@pytest.mark.parametrize("name", RADON)
def test_county_effects_are_ranef(radon_fits, rr, name):
    effects = radon_fits[name].group_effects
    expected = by_county(effects, rr, f"{name}.ranef")
    # Relative to their spread: some effects are near 0, where lme4's error shows.
    np.testing.assert_allclose(effects["estimate"], expected, rtol=0, atol=OF_LME4 * expected.std())
    close(effects["se_conditional"], by_county(effects, rr, f"{name}.se_ranef"), OF_LME4)


@pytest.mark.parametrize("name", RADON)
def test_county_intercepts_are_coef(radon_fits, rr, name):
    means = radon_fits[name].group_means
    close(means["estimate"], by_county(means, rr, f"{name}.coef_intercept"), OF_LME4)


@pytest.mark.parametrize(("name", "key"), [("M0", "county_mean"), ("M1", "county_intercept")])
def test_full_standard_errors_of_county_intercepts_are_rs(radon_fits, rr, name, key):
    means = radon_fits[name].group_means
    close(means["se"], by_county(means, rr, f"{name}.se_{key}_full"), OF_LME4)


def test_full_standard_errors_at_the_countys_own_uranium_are_rs(radon, radon_fits, rr):
    means = radon_fits["M2"].group_means_at(floor=0)
    close(means["estimate"], by_county(means, rr, "M2.county_intercept"), OF_LME4)
    close(means["se"], by_county(means, rr, "M2.se_county_intercept_full"), OF_LME4)
    close(means["se_conditional"], by_county(means, rr, "M2.se_ranef"), OF_LME4)


def test_a_first_floor_in_county_26_has_the_mean_that_r_predicts(radon_fits, rr):
    means = radon_fits["M2"].group_means_at(floor=1)
    close(means.loc["HENNEPIN", "estimate"], rr["pred12_8.county26_point"], OF_LME4)


@pytest.mark.parametrize("pooling", ["partial", "no"])
def test_group_means_are_those_at_0_of_all_predictors(radon, radon_fits, pooling):
    fit = radon_fits["M1"] if pooling == "partial" else no_pooling(RADON["M1"], radon, "county")
    np.testing.assert_allclose(fit.group_means_at(floor=0), fit.group_means, rtol=1e-13)
    assert list(fit.group_means_at()) == list(fit.group_means)
    if pooling == "partial":
        at_zero = radon_fits["M2"].group_means_at(floor=0, log_uranium=0)
        np.testing.assert_allclose(at_zero, radon_fits["M2"].group_means, rtol=1e-12)
        np.testing.assert_allclose(
            radon_fits["M0"].group_means_at(), radon_fits["M0"].group_means, rtol=1e-13
        )


@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_group_means_at_own_values_are_hendersons(radon, shift):
    data = radon.assign(floor=radon["floor"] + shift)
    fit = partial_pooling("log_radon ~ floor + log_uranium", data, "county")
    solution, C, _ = henderson(fit, radon, ["floor", "log_uranium"], "county")
    x = radon.groupby("county", observed=True)[["floor", "log_uranium"]].mean()
    for setting, floor in [({}, x["floor"]), ({"floor": x["floor"] + shift + 0.5}, x["floor"] + 0.5)]:
        L = np.column_stack([np.ones(85), floor, x["log_uranium"], np.eye(85)])
        means = fit.group_means_at(**setting)
        # A shift of 1e6 costs the floor six of its sixteen digits before the fit sees it.
        np.testing.assert_allclose(means["estimate"], L @ solution, rtol=1e-8)
        np.testing.assert_allclose(means["se"], np.sqrt(np.diag(L @ C @ L.T)), rtol=1e-8)


def test_group_means_at_without_pooling_are_contrasts_of_the_coefficients(radon):
    fit = no_pooling("log_radon ~ floor", radon, "county")
    own = radon.groupby("county", observed=True)["floor"].mean()
    for setting, at in [({}, own), ({"floor": 0.25}, own * 0 + 0.25), ({"floor": list(own)}, own)]:
        L = np.column_stack([np.eye(85), at])
        means = fit.group_means_at(**setting)
        np.testing.assert_allclose(means["estimate"], L @ fit.params, rtol=1e-12)
        np.testing.assert_allclose(means["se"], np.sqrt(np.diag(L @ fit.cov_params() @ L.T)), rtol=1e-9)
    raw = radon.groupby("county", observed=True)["log_radon"].mean()
    np.testing.assert_allclose(fit.group_means_at()["estimate"], raw, rtol=1e-12)


def test_group_means_at_without_a_constant_are_the_regression_and_the_effect(radon):
    fit = partial_pooling("log_radon ~ floor - 1", radon, "county")
    means, effects = fit.group_means_at(floor=2), fit.group_effects
    np.testing.assert_allclose(
        means["estimate"], 2 * fit.params["floor"] + effects["estimate"], rtol=1e-12, atol=1e-14
    )
    np.testing.assert_allclose(fit.group_means_at(floor=0), effects, rtol=1e-12, atol=1e-14)


def test_a_value_for_each_group_goes_by_label_or_in_order(radon, radon_fits):
    fit = radon_fits["M2"]
    uranium = radon.groupby("county", observed=True)["log_uranium"].first()
    expected = fit.group_means_at(floor=0)
    for given_ in (uranium, uranium.sample(frac=1, random_state=1), uranium.tolist(), uranium.to_numpy()):
        found = fit.group_means_at(floor=0, log_uranium=given_)
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert found.index.equals(fit.group_means.index)


@pytest.mark.parametrize(
    ("values", "error", "said"),
    [
        ({"florr": 0}, ValueError, "has no term 'florr' to set: there are floor, log_uranium"),
        ({"Intercept": 0}, ValueError, "has no term 'Intercept' to set"),
        ({"floor": "basement"}, TypeError, "'floor' takes one number, or one for each of the 85 groups"),
        ({"floor": None}, ValueError, "values of 'floor' must be finite"),
        ({"floor": [0, 1]}, TypeError, "one for each of the 85 groups"),
        ({"floor": np.nan}, ValueError, "values of 'floor' must be finite; got nan"),
        (
            {"log_uranium": pd.Series({"AITKIN": 0.1})},
            ValueError,
            "values of 'log_uranium' lack county 'ANOKA'",
        ),
    ],
)
def test_values_that_cannot_be_set_are_named(radon_fits, values, error, said):
    with pytest.raises(error, match=said):
        radon_fits["M2"].group_means_at(**values)


def test_a_group_named_twice_is_refused(radon, radon_fits):
    uranium = radon.groupby("county", observed=True)["log_uranium"].first()
    with pytest.raises(ValueError, match="values of 'log_uranium' name county 'ANOKA' twice"):
        radon_fits["M2"].group_means_at(log_uranium=pd.concat([uranium, uranium.loc[["ANOKA"]]]))


def test_a_predictor_may_be_called_self(radon, radon_fits):
    fit = partial_pooling("log_radon ~ self", radon.rename(columns={"floor": "self"}), "county")
    np.testing.assert_array_equal(fit.group_means_at(**{"self": 1}), radon_fits["M1"].group_means_at(floor=1))


def test_group_means_at_needs_groups_and_says_where_nothing_can_be_set(radon, radon_fits):
    with pytest.raises(ValueError, match="complete pooling has no group means"):
        complete_pooling("log_radon ~ floor", radon, "county").group_means_at(floor=0)
    with pytest.raises(ValueError, match="there is none but the constant"):
        radon_fits["M0"].group_means_at(floor=0)


@pytest.mark.parametrize("name", ["M0", "M1", "M2"])
def test_radon_degrees_of_freedom_are_kenward_and_rogers(radon_fits, rr, name):
    # pbkrtest starts from lme4's variances (3e-8), and df respond to them more than linearly.
    close(radon_fits[name].df, rr[f"{name}.kr_df"], 1e-6)


def test_county_26_is_the_one_the_book_speaks_of(radon_fits, rr):
    fit = radon_fits["M1"]
    county = fit.group_means.loc["HENNEPIN"]
    interval = county["estimate"] + np.array([-2, 2]) * county["se_conditional"]
    close(interval, rr["book.county26_ci"], OF_LME4)


@pytest.mark.parametrize(
    ("name", "formula"), [("lm0", RADON["M0"]), ("lm1", RADON["M1"]), ("lm2", RADON["M2"])]
)
def test_radon_with_complete_pooling_is_lm(radon, rr, name, formula):
    for groups in (None, "county"):
        fit = complete_pooling(formula, radon, groups)
        close(fit.params, rr[f"{name}.coef"], OF_LM)
        close(fit.bse, rr[f"{name}.se"], OF_LM)
        close(np.sqrt(fit.theta), rr[f"{name}.sigma"], OF_LM)


def test_radon_without_pooling_is_lm_with_a_mean_for_each_county(radon, rr):
    fit = no_pooling(RADON["M0"], radon, "county")
    means = fit.group_means
    close(means["estimate"], by_county(means, rr, "np0.est"), OF_LM)
    close(means["se"], by_county(means, rr, "np0.se"), OF_LM)
    close(np.sqrt(fit.theta), rr["np0.sigma"], OF_LM)


def test_radon_without_pooling_but_one_slope_is_lm(radon, rr):
    fit = no_pooling(RADON["M1"], radon, "county")
    means = fit.group_means
    close(means["estimate"], by_county(means, rr, "np1.est"), OF_LM)
    close(means["se"], by_county(means, rr, "np1.se"), OF_LM)
    close(fit.params["floor"], rr["np1.floor"], OF_LM)
    close(fit.bse["floor"], rr["np1.floor_se"], OF_LM)
    close(np.sqrt(fit.theta), rr["np1.sigma"], OF_LM)
    assert (fit.df == 919 - 85 - 1).all()


def test_the_floor_split_into_within_and_between_is_rs(radon, rr):
    mean = radon.groupby("county", observed=True)["floor"].transform("mean")
    data = radon.assign(mean=mean, deviation=radon["floor"] - mean)
    split = partial_pooling("log_radon ~ deviation + mean", data, "county")
    mundlak = partial_pooling("log_radon ~ floor + mean", data, "county")
    close(split.params, rr["within_between.fixef"], OF_LME4)
    close(split.bse, rr["within_between.se"], OF_LME4)
    close(mundlak.params, rr["mundlak.fixef"], OF_LME4)
    close(mundlak.bse, rr["mundlak.se"], OF_LME4)


def test_no_pooling_refuses_a_predictor_of_the_county_by_name(radon):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(
            ValueError, match=r"term 'log_uranium' does not vary within any county.*partial_pooling"
        ):
            no_pooling(RADON["M2"], radon, "county")


# ---- High School and Beyond ----------------------------------------------------------------------

HSB = {
    "H1": "math ~ ses",
    "H2": "math ~ ses_within + mean_ses",
    "H3": "math ~ ses + mean_ses",
    "H4": "math ~ ses_within + mean_ses + catholic",
}


@pytest.fixture(scope="module")
def rh(reference):
    return reference("hsb")


def test_the_null_model_of_high_school_is_lmers(high_school, rh):
    fit = partial_pooling("math ~ 1", high_school, "school")
    close(fit.params["Intercept"], rh["H0.est"], OF_LME4)
    close(fit.bse["Intercept"], rh["H0.se"], OF_LME4)
    close(fit.psi, rh["H0.psi"], OF_LME4)
    close(fit.theta, rh["H0.theta"], OF_LME4)
    close(fit.icc, rh["H0.icc"], OF_LME4)
    close(fit.criterion, rh["H0.REMLcrit"], OF_CRITERION)
    assert f"{fit.bse['Intercept']:.7f}" == rh["H0.se_7digits"] == "0.2443936"


def test_the_null_model_by_maximum_likelihood_is_lmers(high_school, rh):
    fit = partial_pooling("math ~ 1", high_school, "school", method="ml")
    close(fit.bse["Intercept"], rh["H0.ml_se"], OF_LME4)


@pytest.mark.parametrize(("name", "formula"), HSB.items())
def test_high_school_models_are_lmers(high_school, rh, name, formula):
    fit = partial_pooling(formula, high_school, "school")
    close(fit.params, rh[f"{name}.fixef"], OF_LME4)
    close(fit.bse, rh[f"{name}.se"], OF_LME4)
    close([fit.psi, fit.theta], rh[f"{name}.var"], OF_LME4)


def test_high_school_with_complete_pooling_is_lm(high_school, rh):
    null = complete_pooling("math ~ 1", high_school)
    close([null.params.iloc[0], null.bse.iloc[0]], [rh["cp.est"], rh["cp.se"]], OF_LM)
    one = complete_pooling("math ~ ses", high_school)
    close(one.params, rh["ols_ses.coef"], OF_LM)
    close(one.bse, rh["ols_ses.se"], OF_LM)
    all_of_them = complete_pooling(HSB["H4"], high_school)
    close(all_of_them.params, rh["ols.fixef"], OF_LM)
    close(all_of_them.bse, rh["ols.se"], OF_LM)


def test_high_school_without_pooling_is_lm(high_school, rh):
    null = no_pooling("math ~ 1", high_school, "school")
    close(np.sqrt(null.theta), rh["np.sigma"], OF_LM)
    close([null.bse.min(), null.bse.max()], rh["np.se_range"], OF_LM)
    slope = no_pooling("math ~ ses", high_school, "school")
    close([slope.params["ses"], slope.bse["ses"]], rh["fe.ses"], OF_LM)


# ---- unbalanced subsets, the boundary ------------------------------------------------------------

DESIGNS = ["balanced", "drop1", "sizes_1to10_twice", "half_small", "one_big", "few_clusters5"]


@pytest.mark.parametrize("name", DESIGNS)
def test_the_designs_are_those_of_the_rules(designs, name):
    data, answers = designs[name]
    assert data.groupby("classroom", observed=True).size().tolist() == answers["n_j"]
    assert len(data) == answers["N"]


def test_no_design_of_r_is_left_out(reference):
    assert sorted(reference("classrooms").whole["unbalanced"]) == sorted(DESIGNS)


@pytest.mark.parametrize("name", DESIGNS)
def test_unbalanced_fits_are_lmers(designs, name):
    data, answers = designs[name]
    fit = partial_pooling("score ~ 1", data, "classroom")
    close(fit.params["Intercept"], answers["lmer_estimate"], OF_LME4)
    close(fit.bse["Intercept"], answers["lmer_se"], OF_LME4)
    close(fit.theta, answers["lmer_theta"], OF_LME4)
    close(fit.criterion, answers["REMLcrit"], OF_CRITERION)
    close(fit.psi, answers["lmer_psi"], OF_LME4)
    assert fit.singular is False
    assert answers["singular"] is False


@pytest.mark.parametrize("name", DESIGNS)
def test_unbalanced_standard_errors_are_the_formula_at_the_fitted_variances(designs, name):
    data, answers = designs[name]
    fit = partial_pooling("score ~ 1", data, "classroom")
    formula = formulas.se_partial_pooling_unbalanced(fit.psi, fit.theta, answers["n_j"])
    close(fit.bse["Intercept"], formula, EXACT)


@pytest.mark.parametrize("name", DESIGNS)
def test_unbalanced_complete_pooling_is_lm(designs, name):
    data, answers = designs[name]
    fit = complete_pooling("score ~ 1", data, "classroom")
    close(fit.params["Intercept"], answers["cp_estimate"], EXACT)
    close(fit.bse["Intercept"], answers["cp_se"], EXACT)


@pytest.mark.parametrize("name", DESIGNS)
def test_unbalanced_degrees_of_freedom_are_kenward_and_rogers(designs, name):
    data, answers = designs[name]
    fit = partial_pooling("score ~ 1", data, "classroom")
    close(fit.df["Intercept"], answers["kr_df"], 1e-6)  # as for radon


@pytest.fixture(scope="module")
def at_the_boundary(singular_data):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return partial_pooling("score ~ 1", singular_data, "classroom")


def test_at_the_boundary_partial_pooling_is_complete_pooling(at_the_boundary, singular_data, reference):
    answers = reference("classrooms").whole["singular"]
    complete = complete_pooling("score ~ 1", singular_data)
    assert at_the_boundary.psi == 0
    assert at_the_boundary.singular is True
    assert answers["isSingular"] is True
    close(at_the_boundary.bse, complete.bse, EXACT)
    close(at_the_boundary.bse["Intercept"], answers["se"], EXACT)
    close(at_the_boundary.bse["Intercept"], answers["cp_se"], EXACT)
    close(at_the_boundary.theta, answers["theta"], EXACT)
    assert at_the_boundary.df_method == "kenward-roger"
    close(at_the_boundary.df["Intercept"], 19, 1e-10)  # a 2 x 2 inverse


def test_at_the_boundary_the_summary_says_so(at_the_boundary, partial):
    assert "psi is estimated as 0" in at_the_boundary.summary()
    assert "complete pooling" in at_the_boundary.summary()
    assert "psi is estimated as 0" not in partial.summary()


@pytest.mark.filterwarnings("error")
def test_at_the_boundary_no_class_differs_from_another(at_the_boundary):
    effects, means = at_the_boundary.group_effects, at_the_boundary.group_means
    assert (effects[["estimate", "se", "se_conditional"]] == 0).all(axis=None)
    assert (effects["se_unconditional"] > 0).all()  # psi is estimated as 0, and need not be 0
    assert (means["se_unconditional"] > means["se"]).all()
    close(means["estimate"], np.full(20, at_the_boundary.params.iloc[0]), EXACT)
    close(means["se"], np.full(20, at_the_boundary.bse.iloc[0]), EXACT)
    assert (means["se_conditional"] == 0).all()


# ---- Henderson's mixed model equations, written out densely --------------------------------------


def henderson(fit, data, columns, group):
    """Covariance of the errors of all fixed and random effects, by inverting the whole matrix."""
    X = np.column_stack([np.ones(len(data)), *(data[c] for c in columns)])
    Z = (data[group].to_numpy()[:, None] == fit.data.labels.to_numpy()[None, :]).astype(float)
    W = np.hstack([X, Z])
    ridge = np.diag([0.0] * X.shape[1] + [fit.theta / fit.psi] * Z.shape[1])
    y = data[fit.data.outcome].to_numpy()
    C = np.linalg.inv(W.T @ W + ridge)
    return C @ W.T @ y, fit.theta * C, X.shape[1]


HENDERSON = [("M0", []), ("M1", ["floor"]), ("M2", ["floor", "log_uranium"])]


@pytest.mark.parametrize(("name", "columns"), HENDERSON)
def test_hendersons_equations_give_the_same_effects_and_means_of_counties(radon, radon_fits, name, columns):
    fit = radon_fits[name]
    solution, C, p = henderson(fit, radon, columns, "county")
    # One inverse of an 88 x 88 matrix of condition near 1000, and effects near 0.
    np.testing.assert_allclose(fit.params, solution[:p], rtol=1e-10)
    np.testing.assert_allclose(fit.bse, np.sqrt(np.diag(C)[:p]), rtol=1e-10)
    np.testing.assert_allclose(fit.group_effects["estimate"], solution[p:], rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(fit.group_effects["se"], np.sqrt(np.diag(C)[p:]), rtol=1e-10)
    np.testing.assert_allclose(fit.group_means["estimate"], solution[0] + solution[p:], rtol=1e-10)
    full = np.sqrt(C[0, 0] + np.diag(C)[p:] + 2 * C[0, p:])
    np.testing.assert_allclose(fit.group_means["se"], full, rtol=1e-10)


@pytest.mark.parametrize("name", DESIGNS)
def test_hendersons_equations_give_the_same_class_means_of_unbalanced_designs(designs, name):
    data, _ = designs[name]
    fit = partial_pooling("score ~ 1", data, "classroom")
    solution, C, p = henderson(fit, data, [], "classroom")
    np.testing.assert_allclose(fit.group_means["estimate"], solution[0] + solution[p:], rtol=1e-10)
    full = np.sqrt(C[0, 0] + np.diag(C)[p:] + 2 * C[0, p:])
    np.testing.assert_allclose(fit.group_means["se"], full, rtol=1e-10)


# ---- statsmodels ---------------------------------------------------------------------------------


def test_statsmodels_finds_the_same_classrooms(classrooms, partial):
    theirs = smf.mixedlm("score ~ 1", classrooms, groups=classrooms["classroom"]).fit(method=["powell"])
    # statsmodels' optimiser stops early, here 2e-5 off in the variance between.
    close(theirs.bse_fe.iloc[0], partial.bse.iloc[0], 1e-5)
    close(theirs.fe_params.iloc[0], partial.params.iloc[0], 1e-10)
    close(theirs.cov_re.iloc[0, 0], partial.psi, 1e-4)
    close(theirs.scale, partial.theta, 1e-5)


def test_statsmodels_finds_the_same_likelihood(classrooms, by_ml):
    theirs = smf.mixedlm("score ~ 1", classrooms, groups=classrooms["classroom"]).fit(
        reml=False, method=["powell"]
    )
    close(-2 * theirs.llf, by_ml.criterion, 1e-10)  # flat at the optimum


def test_statsmodels_finds_the_same_radon_slope(radon, radon_fits):
    theirs = smf.mixedlm("log_radon ~ floor", radon, groups=radon["county"]).fit(method=["powell"])
    fit = radon_fits["M1"]
    close(theirs.fe_params, fit.params, 1e-5)
    close(theirs.cov_re.iloc[0, 0], fit.psi, 1e-5)
    close(theirs.scale, fit.theta, 1e-5)


def test_ols_with_dummies_is_no_pooling(radon):
    theirs = smf.ols("log_radon ~ C(county) + floor - 1", radon).fit()
    fit = no_pooling("log_radon ~ floor", radon, "county")
    close(theirs.params, fit.params, OF_LM)
    close(theirs.bse, fit.bse, OF_LM)
    close(theirs.pvalues, fit.pvalues, 1e-8)  # a tail probability magnifies the error of t
    covariance = fit.cov_params().to_numpy()
    np.testing.assert_allclose(theirs.cov_params().to_numpy(), covariance, rtol=1e-9, atol=1e-12)


def test_ols_is_complete_pooling(high_school):
    theirs = smf.ols("math ~ ses + C(sector)", high_school).fit()
    fit = complete_pooling("math ~ ses + C(sector)", high_school)
    terms = theirs.params.index  # statsmodels puts categorical terms first
    assert sorted(terms) == sorted(fit.params.index)
    close(theirs.params, fit.params[terms], OF_LM)
    close(theirs.bse, fit.bse[terms], OF_LM)
    close(theirs.conf_int(0.1).to_numpy(), fit.conf_int(0.1).loc[terms], OF_LM)


# ---- the result ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def every_fit(radon, radon_fits, partial, by_ml, complete, separate, at_the_boundary):
    return [*radon_fits.values(), partial, by_ml, complete, separate, at_the_boundary,
            no_pooling(RADON["M1"], radon, "county"), complete_pooling(RADON["M2"], radon)]  # fmt: skip


def test_t_p_intervals_and_covariances_go_together(every_fit):
    for fit in every_fit:
        close(fit.bse, np.sqrt(np.diag(fit.cov_params())), EXACT)
        close(fit.tvalues, fit.params / fit.bse, EXACT)
        close(fit.pvalues, 2 * stats.t.sf(np.abs(fit.params / fit.bse), fit.df), EXACT)
        for alpha in (0.05, 0.5, 0.001):
            interval = fit.conf_int(alpha)
            close(interval.mean(axis=1), fit.params, EXACT)
            width = 2 * stats.t.ppf(1 - alpha / 2, fit.df) * fit.bse
            close(interval["upper"] - interval["lower"], width, 1e-9)  # upper less lower cancels


def test_every_series_carries_the_terms(every_fit):
    for fit in every_fit:
        terms = fit.params.index
        for part in (fit.bse, fit.df, fit.tvalues, fit.pvalues, fit.conf_int(), fit.cov_params()):
            assert part.index.equals(terms)
        assert fit.cov_params().columns.equals(terms)
        assert list(fit.conf_int()) == ["lower", "upper"]
        np.testing.assert_allclose(fit.cov_params(), fit.cov_params().T, rtol=1e-10, atol=1e-18)


def test_numbers_of_rows_and_groups_are_told(every_fit):
    for fit in every_fit:
        assert fit.nobs in (200, 919)
        assert fit.ngroups in (1, 20, 85)


def refuse_what_is_of_the_variances_between(fit):
    """An attribute that is not there says which pooling has it."""
    for name in ("psi", "icc", "criterion", "singular"):
        with pytest.raises(AttributeError, match=f"for partial pooling only; this fit is of {fit.pooling} p"):
            getattr(fit, name)
        assert not hasattr(fit, name)


def test_variances_between_belong_to_partial_pooling_alone(complete, separate, partial):
    for fit in (complete, separate):
        refuse_what_is_of_the_variances_between(fit)
    assert partial.icc == partial.psi / (partial.psi + partial.theta)


@pytest.mark.parametrize("alpha", [0, 1, -0.05, 1.5, float("nan")])
def test_a_level_that_is_none_is_refused(partial, alpha):
    with pytest.raises(ValueError, match="alpha must lie between 0 and 1"):
        partial.conf_int(alpha)


def test_effects_are_asked_of_partial_pooling_only(complete, separate):
    for fit in (complete, separate):
        with pytest.raises(ValueError, match=f"{fit.pooling} pooling has no group effects"):
            _ = fit.group_effects
    with pytest.raises(ValueError, match="complete pooling has no group effects"):
        _ = complete.group_means


def test_group_means_need_a_constant(radon):
    fit = partial_pooling("log_radon ~ floor - 1", radon, "county")
    with pytest.raises(ValueError, match="has no constant: ask for group_effects"):
        _ = fit.group_means
    assert np.isfinite(fit.group_effects).all(axis=None)


def test_the_summary_holds_the_numbers(every_fit):
    for fit in every_fit:
        text = fit.summary()
        assert isinstance(text, str)
        assert text == repr(fit) == str(fit)
        assert fit.data.formula in text
        assert f"{fit.nobs} rows" in text
        assert f"{fit.theta:.6g}" in text
        if len(fit.params) <= 40:
            for value in [*fit.params, *fit.bse, *fit.conf_int().to_numpy().ravel()]:
                assert f"{value:.6g}" in text
        if fit.pooling == "partial":
            assert f"{fit.psi:.6g}" in text
            assert f"{fit.criterion:.4f}" in text
            assert f"{fit.icc:.4f}" in text


def test_the_summary_names_pooling_method_and_degrees_of_freedom(complete, separate, partial, by_ml):
    assert re.search(r"Complete pooling \(OLS\).*residual", complete.summary(), re.DOTALL)
    assert re.search(r"No pooling \(OLS\).*20 groups.*residual", separate.summary(), re.DOTALL)
    assert re.search(
        r"Partial pooling \(REML\).*by classroom.*kenward-roger.*REML", partial.summary(), re.DOTALL
    )
    assert re.search(r"Partial pooling \(ML\).*normal.*-2 log likelihood", by_ml.summary(), re.DOTALL)


def test_a_fit_cannot_be_changed(partial):
    with pytest.raises(AttributeError):
        partial.psi = 1.0


# ---- theorems, balanced and intercept only --------------------------------------------------------


def balanced(seed, J, n, ratio):
    """J groups of n with the given variance ratio: the data frame, MSB and MSW."""
    rng = np.random.default_rng(seed)
    y = 50 + np.sqrt(ratio) * rng.normal(size=(J, 1)) + rng.normal(size=(J, n))
    between = n * np.var(y.mean(axis=1), ddof=1)
    within = np.sum((y - y.mean(axis=1, keepdims=True)) ** 2) / (J * (n - 1))
    return pd.DataFrame({"y": y.ravel(), "g": np.repeat(np.arange(J), n)}), between, within


designs_at_random = {
    "seed": st.integers(0, 10**6),
    "J": st.integers(2, 15),
    "n": st.integers(2, 10),
    "ratio": st.sampled_from([0.0, 0.05, 0.3, 1.0, 5.0, 50.0]),
}
# For estimates that cancel where F is near 1: assume(F > 1.01) leaves 1e-12 / 0.01 of them.
NEAR = 1e-9


def inside(between, within):
    """Keep clear of the boundary, where psi has no digits."""
    assume(between > 1.01 * within)


@given(**designs_at_random)
def test_t1_partial_pooling_is_the_sd_of_the_group_means_over_root_j(seed, J, n, ratio):
    data, between, within = balanced(seed, J, n, ratio)
    inside(between, within)
    fit = partial_pooling("y ~ 1", data, "g")
    means = data.groupby("g")["y"].mean()
    close(fit.bse.iloc[0], means.std() / np.sqrt(J), NEAR)
    close(fit.psi, (between - within) / n, NEAR)
    close(fit.theta, within, NEAR)
    close(fit.df.iloc[0], J - 1, 1e-6)  # a quotient of 2 x 2 determinants, near-singular when F is near 1


@given(**designs_at_random)
def test_t2_the_squared_ratio_to_the_complete_pooling_formula_is_the_design_effect(seed, J, n, ratio):
    data, between, within = balanced(seed, J, n, ratio)
    inside(between, within)
    fit = partial_pooling("y ~ 1", data, "g")
    complete = formulas.se_complete_pooling(fit.psi, fit.theta, J, n)
    close((fit.bse.iloc[0] / complete) ** 2, formulas.design_effect(fit.icc, n), NEAR)


@given(**designs_at_random)
def test_t3_the_variance_that_lm_reports_is_theta_and_most_of_psi(seed, J, n, ratio):
    data, between, within = balanced(seed, J, n, ratio)
    inside(between, within)
    fit, complete = partial_pooling("y ~ 1", data, "g"), complete_pooling("y ~ 1", data)
    close(complete.theta, formulas.complete_pooling_variance(fit.psi, fit.theta, J, n), NEAR)


@given(**designs_at_random)
def test_t4_maximum_likelihood_shrinks_the_standard_error_by_the_root_of_one_less_the_inverse_of_j(
    seed, J, n, ratio
):
    data, between, within = balanced(seed, J, n, ratio)
    assume((J - 1) / J * between > 1.01 * within)
    reml, ml = (partial_pooling("y ~ 1", data, "g", method=m).bse.iloc[0] for m in ("reml", "ml"))
    close(ml, reml * np.sqrt((J - 1) / J), NEAR)


@given(**designs_at_random)
def test_t6_a_group_mean_is_drawn_to_the_grand_mean_by_the_inverse_of_f(seed, J, n, ratio):
    data, between, within = balanced(seed, J, n, ratio)
    inside(between, within)
    fit = partial_pooling("y ~ 1", data, "g")
    deviations = data.groupby("g")["y"].mean() - data["y"].mean()
    drawn = (1 - within / between) * deviations
    # Deviations of means near 50 keep 1e-14 absolute.
    np.testing.assert_allclose(fit.group_effects["estimate"], drawn, rtol=NEAR, atol=1e-11)


@given(**designs_at_random)
def test_t7_the_prediction_errors_of_group_means_and_effects_have_closed_forms(seed, J, n, ratio):
    data, between, within = balanced(seed, J, n, ratio)
    inside(between, within)
    fit = partial_pooling("y ~ 1", data, "g")
    weight = 1 - within / between
    mean_variance = within / n * (weight + (1 - weight) / J)
    effect_variance = fit.psi * (1 - weight) + weight**2 * between / (J * n)
    close(fit.group_means["se"] ** 2, np.full(J, mean_variance), NEAR)
    close(fit.group_effects["se"] ** 2, np.full(J, effect_variance), NEAR)
    close(fit.group_means["se_conditional"] ** 2, np.full(J, weight * within / n), NEAR)


@given(**designs_at_random)
def test_t7_no_group_mean_is_predicted_worse_with_pooling_than_without(seed, J, n, ratio):
    data, between, within = balanced(seed, J, n, ratio)
    inside(between, within)
    partial, separate = partial_pooling("y ~ 1", data, "g"), no_pooling("y ~ 1", data, "g")
    assert (partial.group_means["se"] <= separate.group_means["se"] * (1 + NEAR)).all()


@given(seed=st.integers(0, 10**6), J=st.integers(3, 12))
def test_t7_unbalanced_too_no_group_mean_is_predicted_worse_given_the_variances(seed, J):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 12, J)
    sizes[0] += 3
    group = np.repeat(np.arange(J), sizes)
    data = pd.DataFrame({"g": group, "y": rng.normal(size=J)[group] * 2 + rng.normal(size=len(group))})
    fit = partial_pooling("y ~ 1", data, "g")
    raw = formulas.se_group_mean(fit.theta, sizes)
    assert (fit.group_means["se"].to_numpy() <= raw * (1 + NEAR)).all()


@given(**designs_at_random)
def test_t8_the_error_of_a_difference_is_that_of_the_raw_difference_times_the_root_of_the_shrinkage(
    seed, J, n, ratio
):
    data, between, within = balanced(seed, J, n, ratio)
    inside(between, within)
    fit = partial_pooling("y ~ 1", data, "g")
    _, C, p = henderson(fit, data, [], "g")
    difference = C[p, p] + C[p + 1, p + 1] - 2 * C[p, p + 1]
    se = formulas.se_group_difference(fit.theta, n, formulas.shrinkage(fit.psi, fit.theta, n))
    close(np.sqrt(difference), se, 1e-7)  # a dense inverse, near-singular where psi is small


@given(**designs_at_random)
def test_t10_the_mixed_se_is_below_that_of_one_group_mean_exactly_where_f_is_below_j(seed, J, n, ratio):
    data, between, within = balanced(seed, J, n, ratio)
    inside(between, within)
    assume(abs(between / within - J) > 1e-6)
    mixed = partial_pooling("y ~ 1", data, "g").bse.iloc[0]
    one_group = no_pooling("y ~ 1", data, "g").bse.iloc[0]
    assert (mixed < one_group) == (between / within < J)


def test_t10_both_sides_of_f_equal_to_j_occur(classrooms):
    classes = classrooms["classroom"].astype(int)
    outcomes = {}
    for first, last in ((1, 5), (9, 11), (1, 20)):
        data = classrooms[classes.between(first, last)]
        mixed = partial_pooling("score ~ 1", data, "classroom").bse.iloc[0]
        outcomes[first, last] = mixed < no_pooling("score ~ 1", data, "classroom").bse.iloc[0]
    assert outcomes == {(1, 5): True, (9, 11): False, (1, 20): True}


@given(**designs_at_random)
def test_t10_balanced_the_mixed_se_is_never_below_complete_pooling(seed, J, n, ratio):
    data, between, within = balanced(seed, J, n, ratio)
    mixed = partial_pooling("y ~ 1", data, "g")
    complete = complete_pooling("y ~ 1", data).bse.iloc[0]
    if mixed.singular:
        close(mixed.bse.iloc[0], complete, NEAR)
    else:
        assert mixed.bse.iloc[0] > complete * (1 - NEAR)
    assert mixed.singular == (between <= within)


@given(seed=st.integers(0, 10**6), J=st.integers(3, 12), method=st.sampled_from(["reml", "ml"]))
def test_t10_no_fit_to_any_sizes_reports_less_than_the_root_of_theta_over_n(seed, J, method):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 12, J)
    sizes[0] += 3
    group = np.repeat(np.arange(J), sizes)
    data = pd.DataFrame({"g": group, "y": rng.normal(size=J)[group] + rng.normal(size=len(group))})
    fit = partial_pooling("y ~ 1", data, "g", method=method)
    assert fit.bse.iloc[0] >= np.sqrt(fit.theta / len(group)) * (1 - NEAR)


def test_t10_unbalanced_the_mixed_se_may_lie_below_complete_pooling(counterexample):
    mixed = partial_pooling("y ~ 1", counterexample, "group").bse.iloc[0]
    complete = complete_pooling("y ~ 1", counterexample).bse.iloc[0]
    # R's two numbers, printed with six decimals.
    assert f"{mixed:.6f}" == "1.262794"
    assert f"{complete:.6f}" == "1.529778"
    assert mixed < complete


@given(seed=st.integers(0, 10**6), J=st.integers(3, 12))
def test_t11_the_standard_error_of_any_fit_lies_in_its_bracket(seed, J):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 12, J)
    sizes[0] += 3
    group = np.repeat(np.arange(J), sizes)
    data = pd.DataFrame({"g": group, "y": 2 * rng.normal(size=J)[group] + rng.normal(size=len(group))})
    fit = partial_pooling("y ~ 1", data, "g")
    low = formulas.se_partial_pooling(fit.psi, fit.theta, J, sizes.mean())
    high = formulas.se_partial_pooling(fit.psi, fit.theta, J, J / np.sum(1 / sizes))
    if fit.singular:
        close(fit.bse.iloc[0], low, NEAR)
    assert low * (1 - NEAR) <= fit.bse.iloc[0] <= high * (1 + NEAR)


def test_a_fit_of_a_summary_keeps_what_it_was_made_of(classrooms):
    summary = summarise(classrooms, "score ~ 1", "classroom")
    assert partial_pooling("score ~ 1", summary).data is summary


# ---- what a fit prints and what it refuses, word for word ----------------------------------------


def ten_rows():
    """Three groups; with a predictor within and one between them, and an outcome that differs by group."""
    data = pd.DataFrame({"x": [2.0, 7, 1, 8, 2, 8, 1, 8, 2, 8], "z": [1.0, 1, 1, 2, 2, 2, 2, 4, 4, 4],
                         "flat": [3.0, 1, 4, 1, 5, 9, 2, 6, 5, 3.5], "g": list("aaabbbbccc")})  # fmt: skip
    return data.assign(y=data["flat"] + data["g"].map({"a": 0, "b": 4, "c": 9}))


PRINTED = {
    "complete": (
        lambda data: complete_pooling(
            "flat ~ x", data.assign(x=data["x"].replace(7, np.nan)), missing="drop"
        ),
        """Complete pooling (OLS)   flat ~ x
        9 rows, df: residual, 1 row dropped for missing values
        theta (residual variance) 5.92324
                  estimate       se  df     t  P>|t|     lower    upper
        Intercept  3.46386  1.38811 7.0 2.495 0.0413  0.181508   6.7462
        x         0.183133 0.253432 7.0 0.723 0.4933 -0.416139 0.782404""",
    ),
    "no": (
        lambda data: no_pooling("y ~ x", data, "g"),
        """No pooling (OLS)   y ~ x   by g
        10 rows, 3 groups, df: residual
        theta (residual variance) 7.76324
               estimate       se  df     t  P>|t|    lower    upper
        g[a]    2.64442  1.89063 6.0 1.399 0.2114 -1.98179  7.27064
        g[b]     8.2183  1.98608 6.0 4.138 0.0061  3.35853  13.0781
        g[c]    13.7933  2.40516 6.0 5.735 0.0012  7.90807  19.6785
        x    0.00667302 0.298006 6.0 0.022 0.9829 -0.72252 0.735866""",
    ),
    "partial": (
        lambda data: partial_pooling("y ~ x", data, "g"),
        """Partial pooling (REML)   y ~ x   by g
        10 rows, 3 groups, df: kenward-roger
        psi (between) 27.7744   theta (within) 7.79578   ICC 0.7808
        REML criterion 51.0005
                   estimate       se  df     t  P>|t|     lower    upper
        Intercept   8.01588  3.46359 2.8 2.314 0.1107  -3.52549  19.5573
        x         0.0498677 0.297081 6.1 0.168 0.8721 -0.673506 0.773241""",
    ),
    "boundary": (
        lambda data: partial_pooling("flat ~ 1", data, "g"),
        """Partial pooling (REML)   flat ~ 1   by g
        10 rows, 3 groups, df: kenward-roger
        psi (between) 0   theta (within) 6.025   ICC 0.0000
        REML criterion 44.0067
        psi is estimated as 0: the standard errors are those of complete pooling
                  estimate       se  df     t  P>|t|    lower   upper
        Intercept     3.95 0.776209 1.9 5.089 0.0406 0.434889 7.46511""",
    ),
    "boundary by ml": (
        lambda data: partial_pooling("flat ~ 1", data, "g", method="ml"),
        """Partial pooling (ML)   flat ~ 1   by g
        10 rows, 3 groups, df: normal
        psi (between) 0   theta (within) 5.4225   ICC 0.0000
        -2 log likelihood 45.2843
        psi is estimated as 0: the standard errors are those of complete pooling, times sqrt((N - p) / N)
                  estimate       se  df     t  P>|t|   lower   upper
        Intercept     3.95 0.736376 inf 5.364 0.0000 2.50673 5.39327""",
    ),
}


@pytest.mark.parametrize(("fit", "expected"), PRINTED.values(), ids=PRINTED)
def test_a_fit_prints_as_it_always_has(fit, expected):
    printed = fit(ten_rows()).summary()
    # Column widths are pandas' affair.
    assert [line.split() for line in printed.splitlines()] == [line.split() for line in expected.splitlines()]


def test_in_a_notebook_the_head_is_a_paragraph_and_the_numbers_a_table_without_border():
    fit = partial_pooling("y ~ x", ten_rows(), "g")
    html = fit._repr_html_()
    head, table = html.split("\n", 1)
    assert head == f"<p>{'<br>'.join(fit.summary().splitlines()[:4])}</p>"
    assert table.startswith('<table class="dataframe">')
    assert re.findall("<td>(.*?)</td>", table)[:5] == ["8.01588", "3.46359", "2.8", "2.314", "0.1107"]


def test_only_forty_rows_of_many_groups_are_printed():
    many = pd.DataFrame({"y": np.arange(120.0) % 7, "g": np.repeat(np.arange(60), 2)})
    lines = no_pooling("y ~ 1", many, "g").summary().splitlines()
    assert len(lines) == 3 + 1 + 40 + 1  # with the head, the names and a row of dots


def test_every_column_of_a_fit_has_its_name():
    fit = partial_pooling("y ~ x", ten_rows(), "g")
    series = {"estimate": fit.params, "se": fit.bse, "df": fit.df, "t": fit.tvalues, "p": fit.pvalues}
    for name, values in series.items():
        assert values.name == name
        assert values.dtype == float
    assert list(fit.conf_int()) == ["lower", "upper"]
    assert list(fit.profile_int(likelihood="ml")) == ["lower", "upper"]
    assert list(fit.profile_int(likelihood="ml").index) == ["psi", "theta", "Intercept", "x"]
    for other in (no_pooling("y ~ x", ten_rows(), "g"), complete_pooling("y ~ x", ten_rows())):
        assert list(other.variances) == ["estimate", "se"]
        assert list(other.variances.index) == ["theta"]
        assert other.method == "ols"
        assert other.df_method == "residual"
        refuse_what_is_of_the_variances_between(other)
    assert list(fit.variances) == ["estimate", "se"]
    assert list(fit.variances.index) == ["psi", "theta"]
    assert fit.df_method == "kenward-roger"
    assert fit.with_df("satterthwaite").df_method == "satterthwaite"
    assert complete_pooling("y ~ x", ten_rows(), "g").cluster_robust().df_method == "CR2"
    assert partial_pooling("y ~ x", ten_rows(), "g", method="ml").df_method == "normal"


def test_the_intercept_may_stand_anywhere_among_the_terms():
    """A column of ones after the others is the constant: nothing but the order may change."""
    data = ten_rows().assign(one=1.0)
    usual, other = (partial_pooling(f, data, "g") for f in ("y ~ x", "y ~ x + one - 1"))
    np.testing.assert_allclose(
        other.profile_int(likelihood="ml").iloc[[0, 1, 3, 2]], usual.profile_int(likelihood="ml"), rtol=1e-9
    )
    np.testing.assert_allclose(other.params.iloc[::-1], usual.params, rtol=1e-9)
    np.testing.assert_allclose(other.group_means, usual.group_means, rtol=1e-9)


REFUSED = {
    "no groups to be robust by": (
        lambda data: complete_pooling("y ~ x", data).cluster_robust(),
        "need the groups: name them in complete_pooling",
    ),
    "robust by an unknown kind": (
        lambda data: complete_pooling("y ~ x", data, "g").cluster_robust("HC1"),
        'kind must be "CR0", "CR1", "CR1S", "CR2" or "CR3"; got \'HC1\'',
    ),
    "wild where groups are modelled": (
        lambda data: partial_pooling("y ~ x", data, "g").wild_bootstrap("x"),
        "are for complete pooling; this fit is of partial pooling, which accounts for the groups itself",
    ),
    "robust without pooling or slopes": (
        lambda data: no_pooling("y ~ 1", data, "g").cluster_robust(),
        "'y ~ 1' has no slope, and a group mean has no cluster-robust standard error",
    ),
    "df of another fit": (
        lambda data: no_pooling("y ~ x", data, "g").with_df("satterthwaite"),
        'this fit is of no pooling by ols: use "residual"',
    ),
    "df at the boundary": (
        lambda data: partial_pooling("flat ~ 1", data, "g").with_df("satterthwaite"),
        'lmerTest counts rows, as if there were no groups: use "kenward-roger", which counts groups',
    ),
    "icc of complete pooling": (
        lambda data: complete_pooling("y ~ 1", data, "g").icc_int(),
        "an interval of the intraclass correlation: for partial pooling only; this fit is of complete",
    ),
    "profile of no pooling": (
        lambda data: no_pooling("y ~ 1", data, "g").profile_int(likelihood="ml"),
        "profile intervals: for partial pooling only; this fit is of no pooling",
    ),
    "test of complete pooling": (
        lambda data: complete_pooling("y ~ 1", data, "g").test_psi(),
        "a test of psi = 0: for partial pooling only; this fit is of complete pooling",
    ),
    "group means without a constant": (
        lambda data: partial_pooling("y ~ x - 1", data, "g").group_means,
        "'y ~ x - 1' has no constant: ask for group_effects",
    ),
    "group effects of one group": (
        lambda data: complete_pooling("y ~ x", data).group_effects,
        "complete pooling has no group effects to predict: use partial_pooling",
    ),
    "no pooling without a constant": (
        lambda data: no_pooling("y ~ x - 1", data, "g"),
        "'y ~ x - 1' has no constant for the group means to replace: add 1",
    ),
    "comparing without a constant": (
        lambda data: compare("y ~ x - 1", data, "g"),
        "'y ~ x - 1' has no constant, so no mean to compare: add 1",
    ),
    "a term absorbed": (
        lambda data: no_pooling("y ~ z", data, "g"),
        "term 'z' does not vary within any g, so the g means absorb it: leave it out, or use partial_pooling",
    ),
    "collinear within groups only": (
        lambda data: no_pooling("y ~ x + I(x + z)", data, "g"),
        "term 'I(x + z)' is a linear combination of x: leave one of them out",
    ),
    "no rows left": (
        lambda data: no_pooling("y ~ x", data.iloc[[0, 1, 3, 7]], "g"),
        "4 rows, 3 group means and 1 slope leave nothing to estimate the variance within from",
    ),
    "singletons": (
        lambda data: no_pooling("y ~ 1", data.iloc[[0, 3, 7]], "g"),
        "every g has one row only: nothing is left to estimate the variance within from",
    ),
    "singletons, partially pooled": (
        lambda data: partial_pooling("y ~ 1", data.iloc[[0, 3, 7]], "g"),
        "cannot be told apart; complete_pooling is what such data allow",
    ),
    "nothing varies": (
        lambda data: no_pooling("z ~ 1", data, "g"),
        "'z' does not vary within any g beyond what the terms say: nothing is left to estimate",
    ),
    "alpha that is no number": (
        lambda data: complete_pooling("y ~ 1", data).conf_int("a"),
        "alpha must be a number between 0 and 1; got 'a'",
    ),
}


@pytest.mark.parametrize(("do", "told"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_is_refused_with_what_it_was_and_the_remedy(do, told):
    with pytest.raises((ValueError, TypeError), match=re.escape(told)):
        do(ten_rows())


@pytest.mark.parametrize("fit", [no_pooling, partial_pooling, compare])
def test_a_fit_that_needs_groups_says_which_it_is(fit):
    with pytest.raises(TypeError, match=f"^{fit.__name__} needs groups, the name of the column"):
        fit("y ~ x", ten_rows())


def test_one_row_more_than_groups_and_slopes_is_enough():
    fit = no_pooling("y ~ x", ten_rows().iloc[[0, 1, 3, 4, 7]], "g")
    assert (fit.df == 1).all()
    assert np.isfinite(fit.bse).all()


def test_comparisons_have_intervals_of_95_percent_unless_told():
    pd.testing.assert_frame_equal(
        compare("y ~ x", ten_rows(), "g"), compare("y ~ x", ten_rows(), "g", alpha=0.05)
    )


def test_a_likelihood_ratio_below_one_is_told_as_it_is(classrooms):
    """Class means pulled together until psi is nearly 0: the statistic is small, and not 0."""
    data = classrooms[["score", "classroom"]].copy()
    means = data.groupby("classroom", observed=True)["score"].transform("mean")
    data["score"] -= 0.55 * (means - means.mean())
    fit = partial_pooling("score ~ 1", data, "classroom")
    test = fit.test_psi()
    at_zero = Profile(fit.data).criterion(0.0)
    assert 0 < test.statistic < 1
    assert test.statistic == pytest.approx(at_zero - fit.criterion, rel=1e-9)  # of two numbers near 1900
    assert test.pvalue == pytest.approx(stats.chi2.sf(test.statistic, 1) / 2, rel=1e-12)


# ---- the mean of K groups, a new group, a new row ------------------------------------------------


def test_the_mean_of_k_groups_is_the_best_linear_unbiased_predictor_written_out(radon):
    """All N rows at once: the weights and their error from the equations of a linear predictor."""
    fit = partial_pooling("log_radon ~ floor + log_uranium", radon, groups="county")
    X = np.column_stack([np.ones(919), radon[["floor", "log_uranium"]]])
    Z = np.equal.outer(radon["county"].cat.codes.to_numpy(), np.arange(85)).astype(float)
    V = fit.psi * Z @ Z.T + fit.theta * np.eye(919)
    for K in (85, 120, 1000):
        with_target = fit.psi * Z.sum(axis=1) / K
        left = np.block([[V, X], [X.T, np.zeros((3, 3))]])
        weights = np.linalg.solve(left, np.concatenate([with_target, [1, 0, 0]]))[:919]
        mse = weights @ V @ weights - 2 * weights @ with_target + fit.psi / K
        found = fit.mean_of(K)
        assert found.estimate == pytest.approx(weights @ radon["log_radon"], rel=1e-10)
        assert found.se == pytest.approx(np.sqrt(mse), rel=1e-10)


def test_the_mean_of_k_groups_has_the_df_of_its_ends(classrooms):
    fit = partial_pooling("score ~ 1", classrooms, groups="classroom")
    assert fit.mean_of(20).df == pytest.approx(180, rel=1e-10)
    assert fit.mean_of(np.inf).df == pytest.approx(19, rel=1e-10)
    # Between them Satterthwaite's own formula: ((1 - f) MSB + f MSW) / N, f = J / K.
    msb, msw = fit.theta + 10 * fit.psi, fit.theta
    for K in (25, 100):
        parts = np.array([(1 - 20 / K) * msb, 20 / K * msw])
        assert fit.mean_of(K).se == pytest.approx(np.sqrt(parts.sum() / 200), rel=1e-10)
        assert fit.mean_of(K).df == pytest.approx(parts.sum() ** 2 / (parts**2 @ [1 / 19, 1 / 180]), rel=1e-8)


@pytest.mark.parametrize("df_method", ["residual", "satterthwaite", "kenward-roger"])
def test_the_mean_of_k_groups_is_the_same_whatever_df_were_asked(radon, df_method):
    fit = partial_pooling("log_radon ~ 1", radon, groups="county")
    assert fit.with_df(df_method).mean_of(np.inf) == fit.mean_of(np.inf)
    assert fit.mean_of(np.inf).se == pytest.approx(np.sqrt(fit._centred[1][0, 0]), rel=1e-10)


def test_the_mean_of_k_groups_is_for_partial_pooling(classrooms):
    for fit in (complete_pooling, no_pooling):
        with pytest.raises(ValueError, match="the mean of K groups: for partial pooling only"):
            fit("score ~ 1", classrooms, groups="classroom").mean_of(20)


def test_without_end_the_mean_of_k_groups_is_the_constant(radon):
    fit = partial_pooling("log_radon ~ floor", radon, groups="county")
    found, k = fit.mean_of(np.inf), "Intercept"
    assert found == pytest.approx((fit.params[k], fit.bse[k], fit.df[k]), rel=1e-10)


def test_a_new_group_and_a_new_row_have_rs_standard_errors(classrooms, reference):
    r, fit = reference("classrooms"), partial_pooling("score ~ 1", classrooms, groups="classroom")
    # Of a group the standard error is larger than with the variances known: MSB / n (1 + 1 / J), on 19 df.
    msb, msw = fit.theta + 10 * fit.psi, fit.theta
    assert fit.new_group().se > r["re.se_newclass_mean"]
    assert fit.new_group() == pytest.approx((fit.params.iloc[0], np.sqrt(msb / 10 * 1.05), 19), rel=1e-10)
    assert fit.new_observation().se == pytest.approx(r["re.se_newstudent"], rel=1e-10)
    # psi + theta + (psi + theta / n) / J = MSB / n (1 + 1 / J) + MSW (1 - 1 / n), Satterthwaite's sum.
    parts = np.array([msb / 10 * 1.05, msw * 0.9])
    expected = parts.sum() ** 2 / (parts**2 @ [1 / 19, 1 / 180])
    assert fit.new_observation().df == pytest.approx(expected, rel=1e-8)


def test_predicted_means_of_a_singular_fit_and_of_ml(singular_data, classrooms):
    fit = partial_pooling("score ~ 1", singular_data, groups="classroom")
    assert fit.mean_of(20).se == pytest.approx(fit.bse.iloc[0], rel=1e-12)
    # 20 of 20 groups, N - J; no end of groups, J - 1, also here.
    assert [fit.mean_of(K).df for K in (20, np.inf)] == pytest.approx([180, 19], rel=1e-10)
    assert fit.new_group().df == pytest.approx(19, rel=1e-12)
    ml = partial_pooling("score ~ 1", classrooms, groups="classroom", method="ml")
    assert ml.mean_of(25).df == np.inf
    # Nothing is estimated as below 0; what is not there is refused.
    with pytest.raises(ValueError, match="must be at least 20; got 19"):
        ml.mean_of(19)
    with pytest.raises(ValueError, match="must be at least 20; got nan"):
        ml.mean_of(np.nan)
    with pytest.raises(TypeError, match="must be a number"):
        ml.mean_of("all")
    with pytest.raises(ValueError, match="for partial pooling only"):
        complete_pooling("score ~ 1", classrooms, groups="classroom").new_group()
    with pytest.raises(ValueError, match="no constant"):
        partial_pooling("score ~ effect - 1", classrooms, groups="classroom").new_group()
