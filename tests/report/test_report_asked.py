"""What describe refuses, and in which words."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from reported import file, small

from helpers.report import report


@pytest.mark.parametrize(
    ("outcome", "predictors", "message"),
    [
        ("y", ["x**2"], r"'x\*\*2' is in a formula nothing but 'x'; .* 'I\(x\*\*2\)'"),
        ("y", ["x ^ 2"], "nothing but 'x'"),
        ("y", ["x:x"], "nothing but 'x'"),
        ("y", ["np.sqrt(x)**2"], r"nothing but 'np.sqrt\(x\)'"),
        ("y", ["x", "x**2"], "nothing but 'x'"),
        ("y", ["x", "w", "x*w", "x:w"], "'x:w' brings nothing"),
        ("y", ["x + w**2"], "more than one term"),
        ("y**2", ["x"], "nothing but 'y'"),
        ("y", ["x,w"], "these are 2 columns, to be named one by one"),
        ("y", ["x w"], "these are 2 columns, to be named one by one"),
    ],
)
def test_a_term_that_is_another_to_a_formula_is_refused(outcome, predictors, message):
    data = small(x=np.arange(24.0) % 7, w=np.arange(24.0) % 5)
    with pytest.raises(ValueError, match=message):
        report.describe(data, outcome, "g", predictors)


def test_powers_and_products_are_taken_when_written_so():
    data = small(x=np.arange(24.0) % 7, w=np.arange(24.0) % 5)
    for predictors, terms in (
        (["x", "I(x**2)"], ["x", "I(x ** 2)"]), (["(x + w)**2"], ["x", "w", "x:w"]),
        (["x", "np.log(x + 1)"], ["x", "np.log(x + 1)"]), (["center( x )"], ["center(x)"]),
    ):  # fmt: skip
        found = report.describe(data, "y", "g", predictors)
        assert list(found.levels.index) == terms


@pytest.mark.parametrize("name", ["a`b", "a|b", "", "1", "two\nlines", "Intercept"])
def test_a_name_that_no_formula_can_hold_is_refused(name):
    with pytest.raises(ValueError, match="rename"):
        report.describe(small(**{name: 1.0}), "y", "g", [name])


def test_no_term_runs_code():
    for term in ("__import__('os').getcwd()", "exec('1')", "y.__class__()"):
        with pytest.raises(ValueError, match=r"refused|cannot be read"):
            report.describe(small(x=1.0), "y", "g", [term])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"outcome": "z"}, ValueError, "no column 'z' among y, g, x, t, n, m, id"),
        ({"group": "gg"}, ValueError, "no column 'gg'.*did you mean 'g'"),
        ({"predictors": ["zz"]}, ValueError, "no column 'zz'"),
        ({"outcome": "t"}, ValueError, "outcome 't' holds text, such as 'low' in row 0"),
        ({"outcome": "n"}, ValueError, "outcome 'n' holds numbers stored as text"),
        ({"predictors": ["n"]}, ValueError, "predictor 'n' holds numbers stored as text"),
        ({"outcome": "m"}, ValueError, r"outcome 'm' holds text, such as 'n/k' in row 3 \(1 of 24"),
        ({"predictors": ["m"]}, ValueError, "predictor 'm' holds text, such as 'n/k' in row 3"),
        ({"group": "y"}, ValueError, "outcome and group are the same column"),
        ({"predictors": ["y"]}, ValueError, "used already"),
        ({"predictors": ["x", "x"]}, ValueError, "used already"),
        ({"predictors": ["x - 1"]}, ValueError, "no column 'x - 1'"),
        ({"predictors": ["y ~ x"]}, ValueError, "whole formula"),
        ({"group": "id"}, ValueError, "every id has one row only"),
        ({"predictors": ["id:x", "np.nosuch(x)"]}, ValueError, "refused"),
        ({"population": 3}, ValueError, "must be at least 4"),
        ({"population": "3"}, TypeError, "population must be a number"),
        ({"level": 1.5}, ValueError, "level must lie between"),
        ({"level": 95}, ValueError, r"level must lie between 0 and 1; got 95: did you mean 0\.95"),
        ({"level": "x"}, TypeError, "level must be a number"),
        ({"outcome": 3}, TypeError, "outcome must be the name"),
        ({"predictors": [3]}, TypeError, "a predictor must be the name"),
        ({"missing": "skip"}, ValueError, "missing must be"),
        ({"data": 7}, TypeError, "data must be a data frame"),
    ],
)
def test_what_cannot_be_answered_is_refused(change, error, message):
    n = [str(k) for k in range(24)]
    data = small(x=np.arange(24.0) ** 2, t=["low", "high"] * 12, n=n, m=[*n[:3], "n/k", *n[4:]], id=range(24))
    with pytest.raises(error, match=message):
        report.describe(**({"data": data, "outcome": "y", "group": "g"} | change))


def test_missing_values_one_group_and_too_many_labels_are_refused():
    with pytest.raises(ValueError, match="lacks 1 of 24 values"):
        report.describe(small(y=[None, *range(23)]), "y", "g")
    with pytest.raises(ValueError, match="one group only"):
        report.describe(small(g="a"), "y", "g")
    many = pd.concat([small(t=[f"{k} kg {i}" for i in range(24)]) for k in range(3)])
    with pytest.raises(ValueError, match="text of 72 different values"):
        report.describe(many, "y", "g", ["t"])


def test_the_place_of_a_fault_is_its_line_in_the_file(tmp_path):
    gaps = "g,y,x\n\na,1,2\na,,3\nNA,3,1\nb,4,\n"
    with pytest.raises(
        ValueError, match=r"'x' lacks 1 of 4 .* in line 6; .*'y' lacks 1 .* line 4; .*'g' .* 5 \("
    ):
        report.describe(report.read_table(file(tmp_path, gaps)), "y", "g", ["x"])
    text = "g;y\na;1\na;n/k\nb;3\nb;4\n"
    with pytest.raises(ValueError, match="such as 'n/k' in line 3"):
        report.describe(report.read_table(file(tmp_path, text)), "y", "g")
    marks = "g;y\na;1.100,50\na;2.000,00\nb;3,5\nb;4,5\n"
    with pytest.raises(ValueError, match=r"'1\.100,50' in line 2.*save numbers without thousands marks"):
        report.describe(report.read_table(file(tmp_path, marks)), "y", "g")


def test_a_refusal_comes_without_the_modules_below():
    with pytest.raises(ValueError, match="lacks") as refused:
        report.describe(small(y=[None, *range(23)]), "y", "g")
    assert [Path(entry.path).name for entry in refused.traceback] == ["test_report_asked.py", "report.py"]
