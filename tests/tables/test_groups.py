"""From a table to sizes, means and cross-products: right to the last digits; no bad input gets through."""

import re
import tracemalloc
import warnings
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import complete_pooling, no_pooling, partial_pooling
from helpers.fits import Fit
from helpers.tables import GroupSummary, inverse, predictor_icc, refuse_collinear, summarise


def table():
    """Ten rows, three groups, a predictor within and one between groups."""
    return pd.DataFrame(
        {
            "y": [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0],
            "x": [2.0, 7.0, 1.0, 8.0, 2.0, 8.0, 1.0, 8.0, 2.0, 8.0],
            "z": [1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 4.0, 4.0, 4.0],
            "g": ["a", "a", "a", "b", "b", "b", "b", "c", "c", "c"],
        }
    )


def by_brute_force(data, columns, group):
    """Sizes, means and within cross-products in exact rational arithmetic on the same doubles."""
    rows = [[Fraction(v) for v in row] for row in data[columns].to_numpy(dtype=float).tolist()]
    labels = data[group].tolist()
    p = len(columns)
    sizes, means, within = [], [], [[Fraction(0)] * p for _ in range(p)]
    for label in sorted(set(labels)):
        own = [row for row, at in zip(rows, labels, strict=True) if at == label]
        mean = [sum(column) / len(own) for column in zip(*own, strict=True)]
        for row in own:
            off = [value - m for value, m in zip(row, mean, strict=True)]
            for i in range(p):
                for j in range(p):
                    within[i][j] += off[i] * off[j]
        sizes.append(len(own))
        means.append(mean)
    return sizes, means, np.array(within, dtype=float)


def put_back(summary):
    """Means and cross-products about the shift, with what the slopes took off the outcome put back."""
    back = np.eye(len(summary.terms) + 1)
    back[-1, :-1] = summary.slopes
    return summary.means @ back.T, back @ summary.within @ back.T


def agrees_with_brute_force(summary, data, columns, group="g", digits=1e-12):
    sizes, means, within = by_brute_force(data, columns, group)
    assert summary.sizes.tolist() == sizes
    scale = np.sqrt(np.diag(within))
    found_means, found_within = put_back(summary)
    # relative to the spread of each pair of columns: what the fits can lose by it
    unit = np.outer(scale, scale)
    np.testing.assert_allclose(found_within[1:, 1:] / unit, within / unit, rtol=0, atol=digits)
    for found, exact in zip(found_means[:, 1:], means, strict=True):
        off = [
            float(Fraction(float(m)) + Fraction(float(s)) - e)
            for m, s, e in zip(found, summary.shift[1:], exact, strict=True)
        ]
        np.testing.assert_allclose(off / scale, 0, atol=digits)


# ---- what it returns -----------------------------------------------------------------------------


def test_the_numbers_are_those_of_brute_force():
    data = table()
    summary = summarise(data, "y ~ x", "g")
    agrees_with_brute_force(summary, data, ["x", "y"])


def test_the_names_say_what_was_asked_for():
    summary = summarise(table(), "y ~ x + z", "g")
    assert (summary.formula, summary.outcome, summary.group) == ("y ~ x + z", "y", "g")
    assert summary.terms == ["Intercept", "x", "z"]
    assert summary.intercept == 0
    assert summary.labels.tolist() == ["a", "b", "c"]
    assert (summary.nobs, summary.ngroups, summary.dropped) == (10, 3, 0)
    assert summary.shift[0] == 0


def test_the_cross_products_about_the_centre_are_those_of_all_rows():
    data = table()
    summary = summarise(data, "y ~ x", "g")
    shifted = np.column_stack([np.ones(10), data["x"], data["y"]]) - summary.shift
    shifted[:, -1] -= shifted[:, :-1] @ summary.slopes
    centred = shifted - [0, *shifted[:, 1:].mean(axis=0)]
    # sums of ten products
    np.testing.assert_allclose(summary.about_centre(), centred.T @ centred, rtol=1e-13, atol=1e-12)
    np.testing.assert_allclose(summary.centre, shifted.mean(axis=0), rtol=1e-13, atol=1e-14)


def test_what_the_terms_leave_is_the_residual_sum_of_squares():
    data = table()
    summary = summarise(data, "y ~ x", "g")
    y, x = (data[c] - data.groupby("g")[c].transform("mean") for c in ("y", "x"))
    within = (y**2).sum() - (x * y).sum() ** 2 / (x**2).sum()
    assert summary.unexplained(summary.within) == pytest.approx(within, rel=1e-13)  # sums of ten
    y, x = (data[c] - data[c].mean() for c in ("y", "x"))
    whole = (y**2).sum() - (x * y).sum() ** 2 / (x**2).sum()
    assert summary.unexplained(summary.about_centre()) == pytest.approx(whole, rel=1e-13)


def test_terms_that_explain_nearly_everything_cost_no_digits():
    data = table()
    noise = data["y"] - data["y"].mean()
    data["y"] = 1e6 * data["x"] + noise
    data["rest"] = data["y"] - 1e6 * data["x"]  # the noise as the doubles hold it
    summary = summarise(data, "y ~ x", "g")
    alone = summarise(data, "rest ~ x", "g")
    # The doubles hold y to 1e-9, and so the noise of size 1.
    left, expected = (s.unexplained(s.within) for s in (summary, alone))
    assert left == pytest.approx(expected, rel=1e-9)


def test_a_model_without_constant_is_not_shifted():
    summary = summarise(table(), "y ~ x - 1", "g")
    assert summary.intercept is None
    assert summary.terms == ["x"]
    assert not summary.shift.any()


def test_what_a_term_leaves_without_a_constant_is_the_residual_sum_of_squares_about_zero():
    data = table()
    summary = summarise(data, "y ~ x - 1", "g")
    left = data["y"] @ data["y"] - (data["x"] @ data["y"]) ** 2 / (data["x"] @ data["x"])
    assert summary.unexplained(summary.about_centre()) == pytest.approx(left, rel=1e-13)  # sums of ten
    y, x = (data[c] - data.groupby("g")[c].transform("mean") for c in ("y", "x"))
    within = (y**2).sum() - (x * y).sum() ** 2 / (x**2).sum()
    assert summary.unexplained(summary.within) == pytest.approx(within, rel=1e-13)


def test_means_that_no_double_holds_cost_no_digits_far_from_zero():
    """At 1e12 the mean of three is rounded by 1e-4: what that leaves is taken off again."""
    data = table()
    for column in ("x", "y"):
        data[column] += 1e12
    data["y"] += np.arange(10) % 3 / 8
    summary = summarise(data, "y ~ x", "g")
    agrees_with_brute_force(summary, data, ["x", "y"], digits=1e-13)
    np.testing.assert_allclose(summary.products.sum(axis=0), summary.within[1:2, 1:], rtol=0, atol=1e-12)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("formula", ["y ~ 1", "y ~ x"])
def test_what_cannot_be_squared_is_refused_without_a_warning(formula):
    data = table().assign(y=table()["y"] * 1e307, x=table()["x"] * 1e307)
    with pytest.raises(ValueError, match="too far from 1 to be squared: change its unit"):
        summarise(data, formula, "g")


@pytest.mark.parametrize(("share", "kept"), [(2e-26, True), (0.5e-26, False)])
@pytest.mark.parametrize("unit", [1e-3, 1e5])
def test_what_is_left_within_groups_counts_only_where_it_is_more_than_rounding(share, kept, unit):
    data = table().assign(y=table()["y"] * unit)
    summary = summarise(data, "y ~ 1", "g")
    # All of the whole is then between the groups.
    summary = replace(summary, within=np.zeros((2, 2)), means=summary.means * [1, 1e3])
    whole = summary.sizes @ summary.means[:, -1] ** 2
    left = np.diag([0.0, share * whole])
    assert summary.unexplained(left) == (share * whole if kept else 0.0)


@pytest.mark.parametrize(("share", "kept"), [(2e-13, True), (0.5e-13, False)])
@pytest.mark.parametrize("unit", [1e-3, 1e5])
def test_what_terms_leave_counts_only_where_it_is_more_than_the_rounding_of_what_they_explain(
    share, kept, unit
):
    summary = summarise(table(), "y ~ x", "g")
    cross = np.array([[0.0, 0, 0], [0, 4, 2 * unit], [0, 2 * unit, unit**2 * (1 + share)]])
    # 1 + share is rounded to 2e-16, a part in 250 of the share.
    expected = pytest.approx(share * unit**2, rel=0.01) if kept else 0.0
    assert summary.unexplained(cross) == expected


def test_many_matrices_are_inverted_as_one_by_one():
    stack = np.array([[[2.0, 1, 0], [1, 3, 0], [0, 0, 5]], [[1e8, 0, 0], [0, 1, 0.5], [0, 0.5, 1]]])
    for one, two in zip(inverse(stack), stack, strict=True):
        np.testing.assert_allclose(one @ two, np.eye(3), atol=1e-14)  # the units are scaled away first


def test_a_summary_alone_is_handed_back():
    summary = summarise(table(), "y ~ x", "g")
    assert summarise(summary) is summary


@pytest.mark.parametrize("rows", [127, 128, 129, 1000])
def test_blocks_leave_no_row_out(rows):
    rng = np.random.default_rng(rows)
    x, codes = rng.normal(size=rows), np.arange(rows) % 3
    summary = summarise(pd.DataFrame({"y": x, "g": codes}), "y ~ 1", "g")
    deviations = x - (np.bincount(codes, x) / np.bincount(codes))[codes]
    assert summary.within[-1, -1] == pytest.approx(deviations @ deviations, rel=1e-13)  # a sum of rows


def test_rounding_does_not_grow_with_the_rows():
    data = pd.DataFrame({"y": np.tile([0.1, -0.1], 500_000), "g": np.repeat([0, 1], 500_000)})
    exact = float(Fraction(0.1) ** 2 * 1_000_000)
    # Added up in one row the squares are off by 9e-15, in blocks by 4e-16.
    assert summarise(data, "y ~ 1", "g").within[-1, -1] == pytest.approx(exact, rel=2e-15)


def test_a_column_of_zeros_is_a_combination_of_nothing_and_says_what_to_do():
    with pytest.raises(ValueError, match="'x' is a linear combination of nothing: leave one of them out"):
        refuse_collinear(np.zeros((2, 2)), ["x"])


def test_without_groups_all_rows_are_one_group():
    summary = summarise(table(), "y ~ x")
    assert (summary.group, summary.ngroups, summary.nobs) == (None, 1, 10)


def test_a_categorical_predictor_becomes_its_contrasts(high_school):
    terms = summarise(high_school, "math ~ sector", "school").terms
    assert terms == ["Intercept", "sector[T.public]"]


def same(first, second, digits=1e-12):
    """Two summaries of the same data: the shift may be another row's."""
    assert first.labels.tolist() == second.labels.tolist()
    assert first.sizes.tolist() == second.sizes.tolist()
    (means, within), (other_means, other_within) = put_back(first), put_back(second)
    np.testing.assert_allclose(within, other_within, rtol=digits, atol=digits)
    np.testing.assert_allclose(means + first.shift, other_means + second.shift, rtol=digits, atol=digits)


@given(order=st.permutations(range(10)))
def test_the_order_of_rows_does_not_matter(order):
    same(summarise(table().iloc[order], "y ~ x", "g"), summarise(table(), "y ~ x", "g"))


@pytest.mark.parametrize("index", [[0] * 10, list("abcdefghij"), range(9, -1, -1)])
def test_the_index_does_not_matter(index):
    same(summarise(table().set_axis(index), "y ~ x", "g"), summarise(table(), "y ~ x", "g"))


def test_a_multiindex_does_not_matter():
    index = pd.MultiIndex.from_product([[1, 2], range(5)])
    same(summarise(table().set_axis(index), "y ~ x", "g"), summarise(table(), "y ~ x", "g"))


def test_unused_categories_are_left_out_and_the_order_of_the_others_kept():
    data = table()
    data["g"] = pd.Categorical(data["g"], categories=["nobody", "c", "b", "none", "a"])
    summary = summarise(data, "y ~ 1", "g")
    assert summary.labels.tolist() == ["c", "b", "a"]
    assert summary.sizes.tolist() == [3, 4, 3]


def test_the_callers_table_is_left_as_it_was():
    data = table()
    data["g"] = pd.Categorical(data["g"], categories=["nobody", "c", "b", "a"])
    before = data.copy(deep=True)
    summarise(data, "y ~ x + z", "g", missing="drop")
    pd.testing.assert_frame_equal(data, before)


LABELS = {
    "text": (["b", "a", "c"], ["a", "b", "c"]),
    "whole numbers": ([10, 9, 100], [9, 10, 100]),
    "fractions": ([0.5, -1.5, 2.25], [-1.5, 0.5, 2.25]),
    "booleans": ([True, False, True], [False, True]),
    "dates": (list(pd.to_datetime(["2020-02-01", "2019-01-01", "2021-01-01"])), None),
    "numbers and text": (["b", 1, 2.5], [1, 2.5, "b"]),
    "without any order": (["b", pd.Timestamp("2020-01-01"), 1], ["b", pd.Timestamp("2020-01-01"), 1]),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_any_kind_are_sorted_or_stay_in_order_of_appearance(kind):
    labels, expected = LABELS[kind]
    data = table()
    data["g"] = data["g"].map(dict(zip("abc", labels, strict=True)))
    summary = summarise(data, "y ~ 1", "g")
    assert summary.labels.tolist() == (expected or sorted(labels))
    for label, size, mean in zip(summary.labels, summary.sizes, summary.means[:, -1], strict=True):
        own = data.loc[data["g"] == label, "y"]
        assert size == len(own)
        assert mean + summary.shift[-1] == pytest.approx(own.mean(), rel=1e-14)  # a sum of ten numbers


@pytest.mark.parametrize("dtype", ["int8", "int64", "float32", "Int64", "Float64", "bool"])
def test_a_numeric_outcome_of_any_kind_is_taken(dtype):
    data = table()
    data["y"] = (data["y"] > 3).astype(dtype) if dtype == "bool" else data["y"].astype(dtype)
    agrees_with_brute_force(summarise(data, "y ~ x", "g"), data, ["x", "y"])


def test_a_term_may_be_a_function_of_a_column():
    data = table()
    summary = summarise(data, "np.log(y) ~ I(x - 1)", "g")
    assert summary.terms[1] == "I(x - 1)"
    data["log"], data["less"] = np.log(data["y"]), data["x"] - 1
    agrees_with_brute_force(summary, data, ["less", "log"])


# ---- digits --------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [0.0, 1e6, 1e9, -1e9])
def test_a_large_offset_costs_no_digits(classrooms, offset):
    data = classrooms[["classroom"]].copy()
    data["y"] = classrooms["score"] - 1629 + offset
    data["x"] = classrooms["error"] + offset
    summary = summarise(data, "y ~ x", "classroom")
    agrees_with_brute_force(summary, data, ["x", "y"], "classroom", digits=1e-13)


@given(
    values=st.lists(st.floats(-1e3, 1e3), min_size=12, max_size=12),
    offset=st.sampled_from([0.0, 1e9]),
    codes=st.permutations([0] * 5 + [1] * 4 + [2] * 3),
)
def test_any_numbers_at_any_offset_are_summed_as_exactly(values, offset, codes):
    data = pd.DataFrame({"y": np.array(values) + offset, "g": codes})
    _, _, within = by_brute_force(data, ["y"], "g")
    spread = data["y"].max() - data["y"].min()
    if within[0, 0] <= 1e-6 * spread**2:  # nothing but between: the relative error says nothing
        return
    agrees_with_brute_force(summarise(data, "y ~ 1", "g"), data, ["y"])


# ---- a summary in place of a table ---------------------------------------------------------------

FITS = {
    "complete": complete_pooling,
    "no": no_pooling,
    "reml": partial_pooling,
    "ml": lambda *a, **k: partial_pooling(*a, method="ml", **k),
}


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_every_fit_takes_a_summary_in_place_of_a_table(classrooms, fit):
    summary = summarise(classrooms, "score ~ 1", "classroom")
    ours, theirs = fit("score ~ 1", summary), fit("score ~ 1", classrooms, "classroom")
    assert isinstance(ours, Fit)
    assert isinstance(summary, GroupSummary)
    assert ours.bse.tolist() == theirs.bse.tolist()
    assert ours.summary() == theirs.summary()


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_a_summary_may_be_given_with_the_names_it_knows(classrooms, fit):
    summary = summarise(classrooms, "score ~ 1", "classroom")
    assert fit("score ~ 1", summary, "classroom").bse.equals(fit(None, summary).bse)


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
@pytest.mark.parametrize(
    ("formula", "groups", "told"), [("effect ~ 1", None, "effect ~ 1"), ("score ~ 1", "school", "school")]
)
def test_a_summary_of_something_else_is_refused(classrooms, fit, formula, groups, told):
    summary = summarise(classrooms, "score ~ 1", "classroom")
    with pytest.raises(ValueError, match=re.escape(repr(told)) + ".*summarise the table again"):
        fit(formula, summary, groups)


# ---- missing values at the caller's word ---------------------------------------------------------


def with_gaps():
    data = table()
    data.loc[2, "y"] = np.nan
    data.loc[5, "x"] = np.nan
    data["g"] = data["g"].where(data.index != 9)
    data["unused"] = np.nan
    return data


def test_rows_with_missing_values_are_dropped_and_counted_at_the_callers_word():
    dropped = summarise(with_gaps(), "y ~ x", "g", missing="drop")
    assert dropped.dropped == 3
    same(dropped, summarise(table().drop(index=[2, 5, 9]), "y ~ x", "g"))


def test_the_summary_of_a_fit_says_how_many_rows_were_dropped():
    fit = partial_pooling("y ~ x", with_gaps(), "g", missing="drop")
    assert fit.nobs == 7
    assert "3 rows dropped" in fit.summary()


def test_missing_values_in_columns_not_used_do_not_matter():
    assert summarise(with_gaps().drop(index=[2, 5, 9]), "y ~ x", "g").dropped == 0


# ---- bad input -----------------------------------------------------------------------------------


def changed(**columns):
    return table().assign(**columns)


def at(row, value, column="y"):
    data = table()
    data.loc[row, column] = value
    return data


ALL = list(FITS.values())
GROUPED = [no_pooling, partial_pooling]
# name: (call, error, what the message must name)
REFUSED = {
    "a column that is not there, with the nearest name": (
        ALL, ("score ~ 1", table().rename(columns={"y": "scores"}), "g"), ValueError,
        "no column 'score'.*did you mean 'scores'"),
    "a predictor that is not there": (ALL, ("y ~ xx", table(), "g"), ValueError, "no column 'xx'.*mean 'x'"),
    "a group column that is not there": (ALL, ("y ~ 1", table(), "group"), ValueError, "no column 'group'"),
    "a missing outcome": (
        ALL, ("y ~ x", at([3, 7], np.nan), "g"), ValueError,
        "column 'y' lacks 2 of 10 values, the first in row 3.*missing=\"drop\""),
    "a missing predictor": (
        ALL, ("y ~ x", at(4, np.nan, "x"), "g"), ValueError, "column 'x' lacks 1 of 10.*row 4"),
    "a missing group": (
        ALL, ("y ~ x", at(6, None, "g"), "g"), ValueError, "column 'g' lacks 1 of 10.*row 6"),
    "a row number where the index says otherwise": (
        ALL, ("y ~ x", at(4, np.nan, "x").set_axis(range(100, 110)), "g"), ValueError, "row 4"),
    "a missing group among categories": (
        ALL, ("y ~ x", changed(g=pd.Categorical(["a", "b"] * 4 + [None, "a"])), "g"),
        ValueError, "column 'g' lacks 1 of 10.*row 8"),
    "pandas' own NA": (
        ALL, ("y ~ x", changed(y=pd.array([1, None, *range(8)], dtype="Int64")), "g"), ValueError,
        "column 'y' lacks 1 of 10.*row 1"),
    "an infinite outcome": (ALL, ("y ~ x", at(8, np.inf), "g"), ValueError, "column 'y' .*infinite.*row 8"),
    "an infinite predictor": (
        ALL, ("y ~ x", at(2, -np.inf, "x"), "g"), ValueError, "column 'x' .*infinite.*row 2"),
    "a term that is not finite": (
        ALL, ("y ~ np.log(x)", at(1, 0.0, "x"), "g"), ValueError, r"np\.log\(x\).* not finite in row 1"),
    "a term that is not defined": (
        ALL, ("y ~ np.log(x)", at(1, -1.0, "x"), "g"), ValueError, r"np\.log\(x\).*row 1"),
    "a text outcome": (ALL, ("g ~ x", table(), "z"), ValueError, "outcome 'g' is not numeric"),
    "numbers written as text": (
        ALL, ("y ~ x", changed(y=[f"{v}" for v in table()["y"]]), "g"), ValueError, "'y' is not numeric"),
    "a categorical outcome": (
        ALL, ("y ~ x", changed(y=pd.Categorical(table()["y"])), "g"), ValueError, "'y' is not numeric"),
    "an empty table": (ALL, ("y ~ x", table().iloc[:0], "g"), ValueError, "no rows"),
    "nothing left once rows are dropped": (
        ALL, ("y ~ x", changed(y=np.nan), "g", {"missing": "drop"}), ValueError, "no row is left.*10 rows"),
    "a word for missing that is none": (
        ALL, ("y ~ x", table(), "g", {"missing": "ignore"}), ValueError, "missing must be.*'ignore'"),
    "one group only": (
        ALL, ("y ~ x", changed(g="only"), "g"), ValueError, "column 'g' holds one group.*'only'"),
    "every group of size one": (
        GROUPED, ("y ~ x", changed(g=range(10)), "g"), ValueError, "every g has one row only"),
    "more terms than rows": (
        ALL, ("y ~ x + z", table().iloc[[0, 3]], "g"), ValueError, r"2 rows .* 3 terms .*Intercept, x, z"),
    "as many terms as rows": (
        ALL, ("y ~ x + z", table().iloc[[0, 3, 5]], "g"), ValueError, r"3 rows .* 3 terms"),
    "two terms that are one": (
        ALL, ("y ~ x + twice", changed(twice=2 * table()["x"]), "g"), ValueError,
        "term 'twice' is a linear combination of Intercept, x"),
    "a term that is the sum of two": (
        ALL, ("y ~ x + z + both", changed(both=table()["x"] + table()["z"]), "g"), ValueError,
        "term 'both' is a linear combination of Intercept, x, z"),
    "a term that is constant": (
        ALL, ("y ~ x + c", changed(c=3.0), "g"), ValueError, "term 'c' is a linear combination of Intercept"),
    "a term that is zero": (
        ALL, ("y ~ c - 1", changed(c=0.0), "g"), ValueError, "term 'c' is a linear combination of nothing"),
    "a formula without outcome": (ALL, ("~ x", table(), "g"), ValueError, "formula '~ x' has no outcome"),
    "a formula of one column": (ALL, ("y", table(), "g"), ValueError, "formula 'y' has no outcome"),
    "a formula without terms": (ALL, ("y ~ 0", table(), "g"), ValueError, "no terms"),
    "two outcomes": (ALL, ("y + x ~ 1", table(), "g"), ValueError, "one numeric column; got y, x"),
    "a formula that is no string": (ALL, (3, table(), "g"), TypeError, "formula must be a string.*3"),
    "no formula": (ALL, (None, table(), "g"), TypeError, "formula must be a string.*None"),
    "a formula that cannot be read": (
        ALL, ("y ~ x +* z", table(), "g"), ValueError, "cannot be read|evaluated"),
    "a formula with an open bracket": (
        ALL, ("y ~ (x", table(), "g"), ValueError, r"'y ~ \(x' cannot be read"),
    "an empty formula": (ALL, ("", table(), "g"), ValueError, "formula ''"),
    "lme4's way of writing groups": (
        ALL, ("y ~ x + (1 | g)", table(), "g"), ValueError, r"1 \| g|groups"),
    "a function that is not there": (ALL, ("y ~ nofun(x)", table(), "g"), ValueError, "nofun"),
    "a method that is not there": (
        [partial_pooling], ("y ~ x", table(), "g", {"method": "mle"}), ValueError, "method must be.*'mle'"),
    "a list of one group": (
        [complete_pooling, partial_pooling], ("y ~ x", table(), ["g"]), ValueError,
        'a list of one: write groups="g"'),
    "a list of groups": (
        [no_pooling], ("y ~ x", table(), ["g"]), TypeError, r"groups must be the name.*\['g'\]"),
    "groups as a column": (ALL, ("y ~ x", table(), table()["g"]), TypeError, "groups must be the name"),
    "no groups": (GROUPED, ("y ~ x", table(), None), TypeError, "needs groups"),
    "data that are an array": (ALL, ("y ~ x", np.ones((3, 3)), "g"), TypeError, "data frame; got ndarray"),
    "data that are a dictionary": (ALL, ("y ~ x", {"y": [1]}, "g", {}), TypeError, "data frame; got dict"),
    "data that are a series": (ALL, ("y ~ x", table()["y"], "g"), TypeError, "data frame; got Series"),
    "no data": (ALL, ("y ~ x", None, "g"), TypeError, "data frame; got NoneType"),
    "the table in place of the formula": (
        ALL, (table(), "y ~ x", "g"), TypeError, "formula must be a string"),
    "an outcome that the groups tell wholly": (
        [partial_pooling], ("y ~ 1", changed(y=table()["z"]), "g"),
        ValueError, "'y' does not vary within any g"),
    "a level of the groups as a predictor": (
        [no_pooling], ("y ~ x + z", table(), "g"), ValueError, "term 'z' does not vary within any g"),
    "no constant for the group means": ([no_pooling], ("y ~ x - 1", table(), "g"), ValueError, "add 1"),
    "two columns of one name": (
        ALL, ("y ~ x", table().rename(columns={"z": "x"}), "g"), ValueError, "'x'|x"),
}  # fmt: skip


def cases():
    for name, (fits, arguments, error, message) in REFUSED.items():
        for fit in fits:
            label = next(key for key, value in {**FITS, "reml": partial_pooling}.items() if value is fit)
            yield pytest.param(fit, arguments, error, message, id=f"{name}-{label}")


@pytest.mark.parametrize(("fit", "arguments", "error", "message"), list(cases()))
def test_bad_input_is_refused_by_name_and_without_a_warning(fit, arguments, error, message):
    *positional, options = arguments if isinstance(arguments[-1], dict) else (*arguments, {})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises((ValueError, TypeError)) as caught:
            fit(*positional, **options)
    assert isinstance(caught.value, error)
    assert re.search(message, str(caught.value)), str(caught.value)


@pytest.mark.filterwarnings("error")
def test_nearly_collinear_terms_are_not_refused():
    """The limit is 1e-9 of the squared sine: here it is 2e-8."""
    noise = np.array([1, -1, 1, 1, -1, 1, -1, -1, 1, -1]) * 1e-3
    data = changed(near=table()["x"] * 2 + noise)
    assert np.isfinite(complete_pooling("y ~ x + near", data, "g").bse).all()


@pytest.mark.filterwarnings("error")
def test_what_would_lose_its_digits_is_refused_with_the_remedy_and_the_remedy_works():
    years = pd.DataFrame({"year": np.tile(np.arange(2000.0, 2021.0), 4), "g": np.repeat(list("abcd"), 21)})
    years["y"] = np.sin(years["year"]) + years["g"].map(dict(zip("abcd", range(4), strict=True)))
    with pytest.raises(ValueError, match=r"'I\(year \*\* 3\)' is so nearly .*Intercept.*center"):
        partial_pooling("y ~ year + I(year**2) + I(year**3)", years, "g")
    centred = "y ~ center(year) + I(center(year)**2) + I(center(year)**3)"
    fit = partial_pooling(centred, years, "g")
    by_poly = partial_pooling("y ~ poly(year, degree=3)", years, "g")
    # The same space of predictors, by a route that orthogonalises: the variances must agree.
    assert fit.theta == pytest.approx(by_poly.theta, rel=1e-10)
    assert fit.tvalues.iloc[-1] == pytest.approx(by_poly.tvalues.iloc[-1], rel=1e-9)


@pytest.mark.filterwarnings("error")
def test_collinear_terms_are_named_at_any_scale_and_offset():
    data = changed(x=table()["x"] * 1e-8 + 1, tiny=3e-9 * table()["x"] + 5)
    with pytest.raises(ValueError, match="term 'tiny' is a linear combination of Intercept, x"):
        summarise(data, "y ~ x + tiny", "g")


@pytest.mark.parametrize("stay", ["1", "floor", "log_uranium", "floor + log_uranium"])
def test_a_summary_with_fewer_terms_is_that_of_the_shorter_formula(radon, stay):
    whole = summarise(radon, "log_radon ~ floor + log_uranium", "county")
    short = summarise(radon, f"log_radon ~ {stay}", "county")
    kept = whole.keeping([term in short.terms for term in whole.terms])
    assert kept.terms == short.terms
    assert kept.intercept == short.intercept
    for summary in (kept, short):
        assert summary.products.shape == short.products.shape
    for fit in (complete_pooling, partial_pooling):
        one, two = fit(None, kept), fit(None, short)
        np.testing.assert_allclose(one.params, two.params, rtol=1e-9)
        np.testing.assert_allclose(one.bse, two.bse, rtol=1e-9)
    one, two = (complete_pooling(None, summary).cluster_robust("CR2").bse for summary in (kept, short))
    np.testing.assert_allclose(one, two, rtol=1e-9)


# ---- the intraclass correlation of a predictor ---------------------------------------------------


def test_the_intraclass_correlation_of_a_predictor_is_the_average_product_over_the_average_square():
    x, groups = np.array([1.0, 4.0, 2.0, 7.0, 5.0, 5.5]), np.array(["b", "a", "b", "a", "a", "c"])
    far = x - x.mean()
    products = [far[i] * far[k] for i in range(6) for k in range(6) if i != k and groups[i] == groups[k]]
    assert predictor_icc(x, groups) == pytest.approx(np.mean(products) / np.mean(far**2), rel=1e-13)
    assert predictor_icc(list(x), pd.Categorical(groups)) == predictor_icc(pd.Series(x), pd.Series(groups))


def test_the_terms_that_vary_within_groups_are_known_in_spite_of_rounding():
    data = table().assign(tenth=lambda d: d["z"] / 10 + 1e6, little=lambda d: d["z"] + 1e-7 * d["x"])
    for term, varies in (("x", True), ("z", False), ("tenth", False), ("little", True)):
        assert summarise(data, f"y ~ {term}", "g").varies_within().tolist() == [False, varies]


@pytest.mark.parametrize(("J", "n"), [(2, 2), (5, 3), (4, 10)])
def test_the_intraclass_correlation_of_a_predictor_at_both_ends(J, n):
    groups = np.repeat(np.arange(J), n)
    assert predictor_icc(groups, groups) == pytest.approx(1, rel=1e-13)
    assert predictor_icc(np.tile(np.arange(n), J), groups) == pytest.approx(-1 / (n - 1), rel=1e-13)


@pytest.mark.parametrize(
    ("x", "groups", "says"),
    [
        ([1, 2, 3], [1, 1], "one length"),
        ([[1, 2]], [1, 1], "one length"),
        (1.0, 1, r"one length; got shapes \(\) and \(\)"),
        ([1, 2], [[1, 2], [1, 2]], r"one length; got shapes \(2,\) and \(2, 2\)"),
        ([1, np.nan], [1, 1], "finite"),
        ([1, np.inf], [1, 1], "finite"),
        ([1, 2], ["a", None], "every row must have a group"),
        ([3, 3], [1, 1], "does not vary"),
        ([], [], "does not vary"),
        ([1, 2], [1, 2], "every group has one row only"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_has_no_intraclass_correlation_is_refused(x, groups, says):
    with pytest.raises(ValueError, match=says):
        predictor_icc(x, groups)


def test_a_predictor_of_text_is_refused_by_name():
    with pytest.raises(TypeError, match=r"x must be numeric; got .*'low'"):
        predictor_icc(["low", "high"], [1, 1])


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_memory_at_the_peak_is_little_above_one_and_a_half_times_the_data(kind):
    rng, rows = np.random.default_rng(18), 2**17
    data = pd.DataFrame({"g": rng.integers(0, rows // 10, rows), "x": rng.normal(size=rows), "y": 1.0})
    data["y"] = data["x"] + rng.normal(size=rows)
    size = data.memory_usage(index=False).sum()
    if kind == "polars":
        data = pl.from_pandas(data)
    summarise(data.head(100), "y ~ x", "g")  # imports
    tracemalloc.start()
    try:
        summarise(data, "y ~ x", "g")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.55 * size
