"""Errors clustered two ways, and CR1S: against R, statsmodels, linearmodels and pyfixest, and written out."""

import numpy as np
import pandas as pd
import pytest

from helpers import complete_pooling
from helpers.fits import CompletePooling
from helpers.tables import by_two, summarise
from tests.conftest import REFERENCE


@pytest.fixture(scope="module")
def panel():
    return pd.read_csv(REFERENCE / "petersen.csv")


@pytest.fixture(scope="module")
def fit(panel):
    return complete_pooling("y ~ x", panel, ["firm", "year"])


@pytest.fixture(scope="module")
def r(reference):
    return reference("petersen")


@pytest.fixture(scope="module")
def others(reference):
    return reference("clustering")


@pytest.mark.parametrize("by", ["firm", "year"])
def test_cr1s_by_one_column_is_theirs(panel, r, others, by):
    robust = complete_pooling("y ~ x", panel, by).cluster_robust("CR1S")
    for expected in (
        r[f"{by}.CR1S"],
        others[f"one.{by}.statsmodels"],
        others[f"one.{by}.pyfixest"],
    ):
        np.testing.assert_allclose(robust.bse, expected, rtol=1e-10)
    assert round(robust.bse["x"], 4) == {"firm": 0.0506, "year": 0.0334}[by]  # as Petersen prints them
    assert set(robust.df) == {panel[by].nunique() - 1}
    assert robust.df_method == "CR1S"


@pytest.mark.parametrize(
    ("kind", "factor", "program", "name"),
    [
        ("CR0", "own", "r", "two.CR0"),
        ("CR1", "own", "r", "two.CR1"),
        ("CR1S", "own", "r", "two.CR1S"),
        ("CR1S", "own", "others", "two.statsmodels"),
        ("CR1S", "own", "others", "two.pyfixest.conventional"),
        ("CR1S", "own", "others", "two.linearmodels.group_debias"),
        ("CR0", "own", "others", "two.linearmodels.plain"),
        ("CR1S", "least", "others", "two.pyfixest"),
    ],
)
def test_two_ways_each_is_what_its_program_names(fit, request, kind, factor, program, name):
    robust = fit.cluster_robust(kind, factor=factor)
    np.testing.assert_allclose(robust.bse, request.getfixturevalue(program)[name], rtol=1e-9)
    assert set(robust.df) == {9.0}
    pd.testing.assert_series_equal(robust.params, fit.params)


def test_the_fit_itself_is_complete_pooling(fit, panel, r):
    assert isinstance(fit, CompletePooling)
    plain = complete_pooling("y ~ x", panel)
    np.testing.assert_allclose(fit.params, r["coef"], rtol=1e-10)
    np.testing.assert_allclose(fit.bse, plain.bse, rtol=1e-10)
    assert fit.ngroups.to_dict() == {"firm": 500, "year": 10}
    assert "5000 rows, 500 groups of firm and 10 of year, df: residual" in fit.summary()
    assert "by firm and year" in fit.summary()
    assert fit.cluster_robust().df_method == "CR1S"
    assert fit.cluster_robust("CR1", "least").df_method == "CR1, least G"


def pairs(X, e, M, same):
    """M (sum over pairs of rows in a common group) M, written out row by row."""
    score = X * e[:, None]
    return M @ (score.T @ same @ score) @ M


def test_it_sums_over_the_pairs_that_share_either_group():
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"a": rng.integers(0, 9, 90), "b": rng.integers(0, 6, 90), "x": rng.normal(size=90)})
    data["y"] = rng.normal(size=9)[data.a] + rng.normal(size=6)[data.b] + data.x + rng.normal(size=90)
    X, y = np.column_stack([np.ones(90), data.x]), data.y.to_numpy()
    M = np.linalg.inv(X.T @ X)
    either = (data.a.to_numpy()[:, None] == data.a.to_numpy()) | (
        data.b.to_numpy()[:, None] == data.b.to_numpy()
    )
    expected = pairs(X, y - X @ (M @ X.T @ y), M, either)
    labels = data.assign(a="g" + data.a.astype(str), b=data.b.astype("category"))
    for table in (data, labels, labels.sample(frac=1, random_state=1)):
        fit = complete_pooling("y ~ x", table, ["a", "b"]).cluster_robust("CR0")
        np.testing.assert_allclose(fit.cov_params(), expected, rtol=1e-10)
    swapped = complete_pooling("y ~ x", data, ("b", "a")).cluster_robust("CR0")
    np.testing.assert_allclose(swapped.cov_params(), expected, rtol=1e-10)


def test_balanced_crossed_is_the_mean_squares_less_that_of_the_cells():
    rng = np.random.default_rng(8)
    a, b, n = 7, 5, 3
    data = pd.DataFrame(list(np.ndindex(a, b, n)), columns=["a", "b", "k"])
    data["y"] = 2 * rng.normal(size=a)[data.a] + 2 * rng.normal(size=b)[data.b] + rng.normal(size=len(data))
    squares = {}
    for name, by in {"a": ["a"], "b": ["b"], "cells": ["a", "b"]}.items():
        means = data.groupby(by)["y"].mean()
        squares[name] = len(data) / len(means) * means.var()
    expected = (squares["a"] + squares["b"] - squares["cells"]) / len(data)
    fit = complete_pooling("y ~ 1", data, ["a", "b"]).cluster_robust("CR1")
    assert fit.bse.iloc[0] ** 2 == pytest.approx(expected, rel=1e-12)


def test_a_negative_eigenvalue_is_set_to_0_and_said(panel, r):
    few = panel[(panel.firm <= 5) & (panel.year <= 5) & ((panel.firm + panel.year) % 3 > 0)]
    assert min(r["few.values"]) < 0
    fit = complete_pooling("y ~ x", few, ["firm", "year"]).cluster_robust("CR1")
    np.testing.assert_allclose(fit.bse, r["few.fixed"], rtol=1e-9)
    assert np.linalg.eigvalsh(fit.cov_params()).min() > -1e-12
    assert "1 negative eigenvalue of the two-way covariance set to 0" in fit.summary()
    assert "eigenvalue" not in complete_pooling("y ~ x", few, ["firm", "year"]).summary()


def test_a_mean_whose_variance_is_below_0_has_no_error():
    marks = pd.DataFrame(
        {"a": list("uuvv"), "b": list("stst"), "y": [1.0, -1, -1, 1.01]}
    )  # all is interaction
    with pytest.raises(ValueError, match=r"no term .* clustered by 'a' and 'b' \(Intercept: what two-way"):
        complete_pooling("y ~ 1", marks, ["a", "b"]).cluster_robust("CR0")


def test_groups_within_groups_are_clustered_by_the_outer_ones():
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"school": np.repeat(np.arange(6), 12), "room": np.repeat(np.arange(18), 4)})
    data["y"] = rng.normal(size=6)[data.school] + rng.normal(size=18)[data.room] + rng.normal(size=72)
    for kind in ("CR0", "CR1", "CR1S"):
        both = complete_pooling("y ~ 1", data, ["school", "room"]).cluster_robust(kind)
        outer = complete_pooling("y ~ 1", data, "school").cluster_robust(kind)
        np.testing.assert_allclose([both.bse, both.df], [outer.bse, outer.df], rtol=1e-12)
    assert "each room is in one school: clustered two ways, the errors are those by school" in both.summary()


def test_rows_without_either_label_are_dropped_at_the_callers_word(panel):
    some = panel[panel.firm <= 40].reset_index(drop=True).astype({"firm": object, "year": float})
    some.loc[[3, 17], "firm"], some.loc[[17, 90], "year"], some.loc[200, "x"] = None, np.nan, np.nan
    fit = complete_pooling("y ~ x", some, ["firm", "year"], missing="drop").cluster_robust()
    left = complete_pooling("y ~ x", some.dropna(), ["firm", "year"]).cluster_robust()
    np.testing.assert_allclose(fit.bse, left.bse, rtol=1e-12)
    assert fit.data.dropped == 4
    assert "4 rows dropped for missing values" in fit.summary()
    with pytest.raises(ValueError, match="column 'firm' lacks 2 of 400 values, the first in row 3"):
        complete_pooling("y ~ 1", some, ["firm", "year"])
    with pytest.raises(ValueError, match="column 'year' lacks 1 of 398 values"):
        complete_pooling("y ~ 1", some.dropna(subset="firm"), ["firm", "year"])


@pytest.mark.parametrize("frame", ["polars", "duckdb"])
def test_other_tables(panel, frame):
    module, some = pytest.importorskip(frame), panel[panel.firm <= 30]
    expected = complete_pooling("y ~ x", some, ["firm", "year"]).cluster_robust().bse
    table = module.from_pandas(some) if frame == "polars" else module.from_df(some)
    found = complete_pooling("y ~ x", table, ["firm", "year"]).cluster_robust().bse
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("groups", "error", "said"),
    [
        (["firm", "year", "x"], ValueError, r"names 3 columns.*vcovCL\(lm.*cluster = ~ firm \+ year \+ x\)"),
        (["firm"], ValueError, "a list of one: write groups="),
        (["firm", "firm"], ValueError, "names 'firm' twice"),
        (["firm", 3], TypeError, "groups must be the name of a column, or a list of two"),
        (7, TypeError, "groups must be the name of a column, or a list of two"),
        (["firm", "yeer"], ValueError, "no column 'yeer' among firm, year, x, y; did you mean 'year'"),
        (
            ["firm", "row"],
            ValueError,
            "column 'row' has a label of its own for each.*'firm' alone",
        ),
        (["firm", "name"], ValueError, "'firm' and 'name' group the rows alike"),
        (["firm", "one"], ValueError, "column 'one' holds one group only"),
    ],
)
def test_what_two_groupings_cannot_be(panel, groups, error, said):
    table = panel[panel.firm <= 4]
    asked = groups if isinstance(groups, list) else []
    if "row" in asked:
        table = table.assign(row=np.arange(40))
    elif "name" in asked:
        table = table.assign(name="f" + table.firm.astype(str))
    elif "one" in asked:
        table = table.assign(one="a")
    with pytest.raises(error, match=said):
        complete_pooling("y ~ x", table, groups)


def test_what_two_ways_do_not_have(fit, panel):
    with pytest.raises(ValueError, match=r"got 'CR2', which is defined for one grouping only.* 'year'"):
        fit.cluster_robust("CR2")
    for kind in ("HC1", None, ["CR1"]):
        with pytest.raises(ValueError, match='clustered two ways, kind must be "CR0", "CR1" or "CR1S"; got'):
            fit.cluster_robust(kind)
    with pytest.raises(ValueError, match="factor must be one of 'own', 'least'; got 'min'"):
        fit.cluster_robust("CR1", factor="min")
    with pytest.raises(ValueError, match="wild cluster bootstraps are by one grouping"):
        fit.wild_bootstrap("x")
    with pytest.raises(TypeError, match="two groupings need the table itself"):
        complete_pooling(None, summarise(panel, "y ~ x", "firm"), ["firm", "year"])


def test_a_term_that_one_group_alone_carries_has_none(panel):
    some = panel[panel.firm <= 20].assign(first=lambda d: (d.year == 1) * 1.0)
    fit = complete_pooling("y ~ x + first", some, ["firm", "year"]).cluster_robust()
    assert fit.withheld == {"first": "without year 1 it cannot be estimated"}
    assert np.isnan([fit.bse["first"], fit.df["first"]]).all()
    assert "no cluster-robust error of first: without year 1" in fit.summary()


def test_the_cells_name_is_free(panel):
    some = panel[panel.firm <= 9].assign(**{"firm:year": 1.0})
    assert by_two(some, "y ~ x", ["firm", "year"]).cells.group == "firm:year'"


def test_classes_within_schools_are_clustered_by_school(panel):
    with pytest.raises(ValueError, match=r'of year within firm are clustered by firm, .* groups="firm"'):
        complete_pooling("y ~ x", panel, "firm/year")
    some = panel[panel.firm <= 9]
    slashed = complete_pooling("y ~ x", some.rename(columns={"firm": "a/b"}), "a/b").cluster_robust()
    np.testing.assert_array_equal(slashed.bse, complete_pooling("y ~ x", some, "firm").cluster_robust().bse)
