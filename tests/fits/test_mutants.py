"""What a mutation tool could change in formulas and tables before another test noticed."""

import re

import numpy as np
import pandas as pd
import pytest

from helpers import complete_pooling, partial_pooling
from helpers.tables import summarise


def table(**more):
    """Twelve rows, three groups, two predictors that vary within them."""
    x = np.array([0.5, 2, -1, 3, 1.5, -2, 4, 0.25, 2.5, -0.5, 1, 3.5])
    z = np.array([1.0, 0, 2, 1, 3, 0, 1, 2, 0, 4, 2, 1])
    y = 1 + x - z / 2 + np.array([0.3, -0.2, 0.1, 0.9, -0.4, 0.2, -0.7, 0.5, 0.1, -0.3, 0.6, -0.1])
    return pd.DataFrame({"y": y, "x": x, "z": z, "g": np.repeat(["a", "b", "c"], 4)} | more)


ARITHMETIC = {
    "-x": lambda x, z: -x,
    "+x": lambda x, z: x,
    "~(x > 1)": lambda x, z: ~(x > 1),
    "x - 1.5": lambda x, z: x - 1.5,
    "x * z": lambda x, z: x * z,
    "x / 4": lambda x, z: x / 4,
    "x // 2": lambda x, z: x // 2,
    "x % 2": lambda x, z: x % 2,
    "x**2": lambda x, z: x**2,
    "x**z": lambda x, z: x**z,
    "(x > 1) & (z < 3)": lambda x, z: (x > 1) & (z < 3),
    "x >= z": lambda x, z: x >= z,
    "x + Q('z')": lambda x, z: x + z,
    "np.hypot(x, z)": np.hypot,
}


@pytest.mark.parametrize(("term", "function"), ARITHMETIC.items())
def test_arithmetic_in_a_formula_is_that_of_the_columns(term, function):
    data = table()
    if "**z" in term:
        data["x"] = data["x"].abs()
    by_hand = data.assign(w=function(data["x"], data["z"]).astype(float))
    found = partial_pooling(f"y ~ I({term})", data, "g")
    expected = partial_pooling("y ~ w", by_hand, "g")
    # The same numbers by another route: nothing may differ.
    assert found.params.tolist() == expected.params.tolist()
    assert found.bse.tolist() == expected.bse.tolist()


@pytest.mark.parametrize(
    ("formula", "column", "function"),
    [("y ~ Q('x') + Q", "Q", "Q"), ("y ~ C(g, contr.sum) + contr", "contr", "contr"),
     ("y ~ np.exp(x) + np", "np", "np"), ("y ~ log(x + 9) + log", "log", "log")],
)  # fmt: skip
def test_a_column_called_like_a_function_that_the_formula_uses_is_refused(formula, column, function):
    data = table(**{column: table()["z"]})
    with pytest.raises(ValueError, match=f"'{function}' is both a function and a column: rename the column"):
        complete_pooling(formula, data)


REMEDIES = {
    "y ~ x + 0:z": "multiplies by 0: leave the term out",
    "y ~ open(x)": re.escape("is refused; a term may use columns, numbers, arithmetic"),
    "y ~ (x": r"cannot be read: \S+",
    "y ~ 0": 'has no terms on its right: "outcome ~ 1" has one',
    "y ~ xx": r"no column 'xx' among y, x, z, g; did you mean 'x'\?$",
    "y ~ quite": "no column 'quite' among y, x, z, g$",
    "g ~ x": "not numeric but .*: if it holds numbers written as text, make them numbers first",
}


@pytest.mark.parametrize(("formula", "told"), REMEDIES.items())
def test_a_formula_that_cannot_be_used_is_refused_with_the_remedy(formula, told):
    with pytest.raises(ValueError, match=told):
        complete_pooling(formula, table())


def test_one_number_too_large_for_a_double_is_enough_and_the_last_that_fits_is_taken():
    big = [2**53 - 1, *range(11)]
    assert summarise(table(x=big), "y ~ x").nobs == 12
    big[0] += 2
    with pytest.raises(ValueError, match=r"'x' holds whole numbers beyond 2\*\*53.*: subtract one of them"):
        summarise(table(x=big), "y ~ x")


@pytest.mark.parametrize("terms", ["one + np.exp(x) - 1", "np.exp(x) + one - 1", "np.exp(x) + one + z - 1"])
def test_a_column_of_ones_is_the_constant_wherever_it_stands(terms):
    data = table(one=1.0)
    summary = summarise(data, f"y ~ {terms}", "g")
    assert summary.terms[summary.intercept] == "one"
    nearly = data.assign(one=np.where(data.index == 0, 1.0, 2.0))
    assert summarise(nearly, f"y ~ {terms}", "g").intercept is None


def test_an_outcome_that_is_computed_keeps_its_name_whatever_the_terms():
    assert summarise(table(), "np.exp(y) ~ x + z", "g").outcome == "np.exp(y)"
    assert summarise(table(), "np.exp(y) ~ 1", "g").outcome == "np.exp(y)"


@pytest.mark.parametrize("labels", [[-1, 0, 7], [-5, -1, 2], [0, 1, 24], [0, 1, 25], [5, 3, 4]])
def test_whole_numbers_of_any_size_and_sign_are_labels(labels):
    found = summarise(table(g=np.repeat(labels, 4)), "y ~ x", "g")
    assert found.labels.tolist() == sorted(labels)
    expected = summarise(table(g=np.repeat([f"{labels.index(g)}" for g in labels], 4)), "y ~ x", "g")
    np.testing.assert_array_equal(found.sizes, expected.sizes)
    order = np.argsort(labels)
    np.testing.assert_array_equal(found.means, expected.means[order])


def test_labels_of_mixed_types_are_sorted_numbers_before_text():
    data = table(g=pd.Series(np.repeat(np.array(["b", 2, "a"], dtype=object), 4)))
    found = summarise(data, "y ~ x", "g")
    assert found.labels.tolist() == [2, "a", "b"]
    y = data["y"].to_numpy().reshape(3, 4).mean(axis=1)
    means = found.means[:, -1] + found.means[:, 1] * found.slopes[1] + found.shift[-1]
    np.testing.assert_allclose(means, y[[1, 2, 0]], rtol=1e-14)  # sums of four


def test_a_column_of_numbers_too_large_for_a_double_is_named():
    data = table(x=pd.Series([10**400, *range(11)], dtype=object))
    with pytest.raises(ValueError, match="column 'x' holds numbers too large for a double"):
        complete_pooling("y ~ x", data)


def test_columns_of_several_levels_are_refused_by_the_first_name():
    data = table()
    data.columns = pd.MultiIndex.from_product([["first"], data.columns])
    with pytest.raises(ValueError, match=r"2 levels, such as \('first', 'y'\): flatten them"):
        complete_pooling("y ~ x", data)


def test_labels_that_cannot_be_hashed_are_refused_with_the_remedy():
    with pytest.raises(TypeError, match="column 'g' holds labels that cannot be hashed: make them text"):
        complete_pooling("y ~ x", table(g=[[1]] * 12), "g")
