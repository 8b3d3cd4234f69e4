"""Inputs that other packages get wrong without a word: units, near-perfect fits, many maxima, odd columns."""

import warnings

import numpy as np
import pandas as pd
import pytest

from helpers import complete_pooling, no_pooling, partial_pooling
from helpers.fits.profile import Profile
from helpers.tables import summarise

FITS = {"complete": complete_pooling, "no": no_pooling, "partial": partial_pooling}
each_fit = pytest.mark.parametrize("fit", FITS.values(), ids=FITS)


@pytest.fixture(autouse=True)
def _no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture(scope="module")
def table(classrooms):
    """The classrooms with a predictor, once in points and once in a categorical column."""
    rng = np.random.default_rng(7)
    data = classrooms.assign(x=rng.normal(size=200) + classrooms["effect"] / 20)
    data["k"] = pd.Categorical(np.where(data["x"] > 0, "b", "a"), categories=["a", "b", "never"])
    return data


@each_fit
@pytest.mark.parametrize("unit", [2.0**-400, 2.0**60, 1e100, 2.0**400], ids="{:.0e}".format)
@pytest.mark.parametrize("rows", [200, 189], ids=["balanced", "unbalanced"])
def test_the_unit_of_a_predictor_does_not_matter(table, fit, unit, rows):
    data = table.iloc[:rows]
    one, other = (fit("score ~ x", data.assign(x=data["x"] * u), "classroom") for u in (1.0, unit))
    scale = np.where(one.params.index == "x", unit, 1.0)
    # The unit may cost the last bits of each product, nothing that grows with it.
    np.testing.assert_allclose(other.bse * scale, one.bse, rtol=1e-11)
    np.testing.assert_allclose(other.params * scale, one.params, rtol=1e-9)
    assert other.theta == pytest.approx(one.theta, rel=1e-11)


@each_fit
@pytest.mark.parametrize("unit", [1e-12, 1e12], ids="{:.0e}".format)
def test_two_predictors_may_have_very_different_units(table, fit, unit):
    data = table.assign(w=np.sin(np.arange(200)) - table["effect"] / 9)
    one, other = (fit("score ~ x + w", data.assign(w=data["w"] * u), "classroom") for u in (1.0, unit))
    scale = np.where(one.params.index == "w", unit, 1.0)
    np.testing.assert_allclose(other.bse * scale, one.bse, rtol=1e-11)
    assert other.theta == pytest.approx(one.theta, rel=1e-11)


@each_fit
@pytest.mark.parametrize("unit", [2.0**-400, 2.0**400], ids="{:.0e}".format)
def test_the_unit_of_the_outcome_does_not_matter(table, fit, unit):
    one, other = (fit("score ~ x", table.assign(score=table["score"] * u), "classroom") for u in (1.0, unit))
    # Powers of two change no digit but the root's stopping point.
    np.testing.assert_allclose(other.bse / unit, one.bse, rtol=1e-12)
    np.testing.assert_allclose(other.df, one.df, rtol=1e-9)


@each_fit
@pytest.mark.parametrize("unit", [2.0**-490, 2.0**480], ids="{:.0e}".format)
def test_units_at_the_edge_of_what_can_be_squared_still_do_not_matter(table, fit, unit):
    both = table.assign(score=table["score"] * unit, x=table["x"] * unit)
    one, other = fit("score ~ x", table, "classroom"), fit("score ~ x", both, "classroom")
    scale = np.where(one.params.index == "x", 1.0, unit)
    np.testing.assert_allclose(other.bse / scale, one.bse, rtol=1e-11)


@each_fit
def test_an_offset_of_1e12_costs_only_what_the_doubles_lost(table, fit):
    far = table.assign(score=table["score"] + 2.0**40, x=table["x"] + 2.0**40)
    near = far.assign(score=far["score"] - 2.0**40, x=far["x"] - 2.0**40)  # exact: all of far but the offset
    one, other = fit("score ~ x", near, "classroom"), fit("score ~ x", far, "classroom")
    assert other.theta == pytest.approx(one.theta, rel=1e-12)
    assert other.bse["x"] == pytest.approx(one.bse["x"], rel=1e-12)
    assert other.params["x"] == pytest.approx(one.params["x"], rel=1e-11)


@each_fit
@pytest.mark.parametrize("slope", [1e4, 1e6, 1e8])
def test_a_term_that_explains_nearly_all_costs_only_the_digits_the_outcome_lost(table, fit, slope):
    steep = table.assign(score=table["score"] + slope * table["x"])
    one, other = (fit("score ~ x", data, "classroom") for data in (table, steep))
    lost = slope * np.finfo(float).eps  # of the outcome's own rounding, against an SD of about 30
    assert other.theta == pytest.approx(one.theta, rel=lost)
    np.testing.assert_allclose(other.bse, one.bse, rtol=lost)


def test_the_highest_maximum_is_found_where_large_groups_say_zero():
    """Three large groups with one mean, three single values far apart: a higher maximum beyond 0."""
    sizes, means = [200, 200, 200, 1, 1, 1], [0, 0, 0, 4, -4, 4]
    signs = np.concatenate([np.tile([1.0, -1.0], n // 2) if n > 1 else [0.0] for n in sizes])
    data = pd.DataFrame({"y": np.repeat(means, sizes) + signs, "g": np.repeat(range(6), sizes)})
    profile = Profile(summarise(data, "y ~ 1", "g"))
    assert profile.score(0.0) > 0, "0 is no local maximum: the case would prove nothing"
    fine = np.append(0.0, np.geomspace(1e-8, 1e8, 100_001))
    fit = partial_pooling("y ~ 1", data, "g")
    assert fit.criterion <= profile.criterion(fine).min() + 1e-9  # of a criterion near 1700
    assert fit.psi / fit.theta == pytest.approx(fine[profile.criterion(fine).argmin()], rel=1e-3)


@pytest.mark.parametrize("formula", ["score ~ z", "score ~ C(classroom)"])
def test_terms_that_take_all_there_is_between_groups_are_refused(table, formula):
    data = table[table["classroom"].isin([1, 2])].assign(z=lambda d: d["classroom"].astype(float))
    with pytest.raises(ValueError, match=r"leave nothing between the groups.*constant within classroom"):
        partial_pooling(formula, data, "classroom")


@each_fit
def test_unused_levels_of_a_predictor_are_left_out(table, fit):
    used = table.assign(k=table["k"].cat.remove_unused_categories())
    one, other = (fit("score ~ k", data, "classroom") for data in (used, table))
    pd.testing.assert_series_equal(one.params, other.params)


@each_fit
def test_a_transform_finds_its_column(table, fit):
    by_hand = fit("score ~ c", table.assign(c=table["x"] - table["x"].mean()), "classroom")
    found = fit("score ~ center(x)", table, "classroom")
    np.testing.assert_allclose(found.params, by_hand.params, rtol=1e-12)


REFUSED = {
    "dates": ({"x": pd.Timestamp("2026-01-01")}, "score ~ x", "'x' holds dates.*days since"),
    "complex": ({"x": 1j}, "score ~ x", "'x' is complex.*real"),
    "lme4's groups": ({}, "score ~ 1 + (1 | classroom)", 'groups="classroom"'),
    "too large": ({"x": np.geomspace(1, 1e160, 200)}, "score ~ x", "'x' varies by.*change its unit"),
    "too small": ({"x": np.linspace(0, 1e-160, 200)}, "score ~ x", "'x' varies by.*change its unit"),
}


@each_fit
@pytest.mark.parametrize(("columns", "formula", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_fitted_is_refused_by_name(table, fit, columns, formula, message):
    with pytest.raises(ValueError, match=message):
        fit(formula, table.assign(**columns), "classroom")


@each_fit
def test_columns_of_one_name_are_refused(table, fit):
    twice = pd.concat([table, table[["x"]]], axis=1)
    with pytest.raises(ValueError, match=r"unique.*x"):
        fit("score ~ 1", twice, "classroom")


@each_fit
def test_labels_that_cannot_be_hashed_are_refused(table, fit):
    with pytest.raises(TypeError, match="'g' holds labels that cannot be hashed"):
        fit("score ~ 1", table.assign(g=[[1]] * 200), "g")


@each_fit
def test_the_row_named_is_the_readers_row_also_when_rows_were_dropped(table, fit):
    data = table.assign(x=table["x"].where(table.index != 3))
    data.loc[10, "x"] = np.inf
    with pytest.raises(ValueError, match="'x' holds an infinite value, the first in row 10"):
        fit("score ~ x", data, "classroom", missing="drop")
