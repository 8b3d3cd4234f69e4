"""`compare` of two groupings: each error beside R's, and which lines there are."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers import compare, complete_pooling, partial_pooling
from helpers.course.datasets import three_levels
from helpers.course.rrandom import RRandom

CASES = Path(__file__).parents[1] / "cases"
COLUMNS = ["method", "estimand", "estimate", "se", "df", "lower", "upper"]
NESTED = [
    "complete pooling", "complete pooling, CR2 by school", "partial pooling, school alone",
    "partial pooling, school alone, CR2", "partial pooling, school/class",
]  # fmt: skip
CROSSED = [
    "complete pooling", "complete pooling, CR2 by text", "complete pooling, CR2 by reader",
    "complete pooling, clustered two ways", "partial pooling, text and reader",
]  # fmt: skip


@pytest.fixture(scope="module")
def schools():
    """As more_groupings.R has them."""
    data = three_levels()
    return data.assign(treated=data["treated"] - 0.5, sector=data["school"].astype(int) % 2 - 0.5,
                       half=data["pupil"] % 2 - 0.5)  # fmt: skip


@pytest.fixture(scope="module")
def answers():
    """Readers of texts, of R's random numbers."""
    r = RRandom(15)
    reader, text = r.rnorm(12, 0, 2), r.rnorm(8, 0, 3)
    i, j = np.tile(np.arange(8), 12), np.repeat(np.arange(12), 8)
    score = 50 + reader[j] + text[i] + r.rnorm(96, 0, 4)
    return pd.DataFrame({"text": i + 1, "reader": j + 1, "score": score, "long": (i > 3) - 0.5})


def lines(table, estimand):
    """Standard errors and df of an estimand, by method."""
    found = table[table["estimand"].str.startswith(estimand)]
    return found.set_index("method")[["se", "df"]]


@pytest.mark.parametrize("term", [None, "sector", "treated", "half"])
def test_classes_in_schools_are_rs(schools, reference, term):
    r, k = reference("more_groupings"), ["Intercept", "sector", "treated", "half"].index(term or "Intercept")
    table = compare("score ~ sector + treated + half", schools, "school/class")
    assert list(table.columns) == COLUMNS
    found = lines(table, f"slope of {term}" if term else "mean")
    assert found.index.tolist() == NESTED
    expected = [r[f"nested.terms.{name}"][k] for name in
                ("lm", "school.CR2", "school_kr", "around_school", "three_kr")]  # fmt: skip
    np.testing.assert_allclose(found["se"], expected, rtol=1e-6)
    df = found["df"][["partial pooling, school alone", "partial pooling, school/class"]]
    np.testing.assert_allclose(df, [r["nested.terms.school_df"][k], r["nested.terms.three_df"][k]], rtol=1e-6)


def test_leaving_the_middle_out_costs_the_mean_nothing_and_the_treatment_much(schools):
    table = compare("score ~ treated", schools, "school/class")
    mean, treated = lines(table, "mean"), lines(table, "slope of treated")
    alone, both = NESTED[2], NESTED[4]
    np.testing.assert_allclose(mean["se"][alone], mean["se"][both], rtol=1e-9)
    assert treated["se"][alone] < treated["se"][both] / 2


@pytest.mark.parametrize("name", ["mean", "long"])
def test_readers_by_texts_are_rs(answers, reference, name):
    r, term, k = reference("more_groupings"), {"mean": "1", "long": "long"}[name], int(name == "long")
    np.testing.assert_allclose(answers["score"].iloc[[0, 1, 2, -3, -2, -1]], r["crossed.score"], rtol=1e-13)
    found = lines(compare(f"score ~ {term}", answers, ["text", "reader"]), ["mean", "slope of long"][k])
    assert found.index.tolist() == CROSSED
    of_r = "crossed.cr1" if name == "mean" else "crossed.long.cr1"
    two = np.ravel(r[f"{of_r}.reader_text"])[k] * np.sqrt(95 / (95 - k))  # CR1S has (N - 1) / (N - p)
    assert found["se"][CROSSED[3]] == pytest.approx(two, rel=1e-8)
    assert found["df"][CROSSED[3]] == 7
    se, df = (np.ravel(r[f"crossed.{name}_{what}"])[k] for what in ("kr", "kr_df"))
    np.testing.assert_allclose(found.loc[CROSSED[4]], [se, df], rtol=1e-5)
    for by in ("text", "reader"):
        one = complete_pooling(f"score ~ {term}", answers, by).cluster_robust("CR2")
        assert found["se"][f"complete pooling, CR2 by {by}"] == pytest.approx(one.bse.iloc[k], rel=1e-12)


def test_labels_used_again_are_other_groups_under_a_slash(reference):
    data = pd.read_csv(CASES / "implicit_nesting.csv")
    nested, crossed = (
        compare("score ~ 1", data, "school/class"),
        compare("score ~ 1", data, ["school", "class"]),
    )
    row = nested.iloc[-1]
    np.testing.assert_allclose(row[["estimate", "se", "df"]].astype(float),
                               reference("cases")["implicit_nesting.both"], rtol=1e-5)  # fmt: skip
    assert row["estimand"] == "mean over all groups of school there are"
    assert crossed["estimand"].iloc[-1] == "mean over all groups of school and class there are"


def test_a_list_whose_second_is_within_the_first_is_nested(schools):
    data = schools.assign(room=schools["school"].astype(str) + "-" + schools["class"].astype(str))
    listed = compare("score ~ treated", data, ["room", "school"])
    slashed = compare("score ~ treated", data, "school/room")
    assert listed["method"].iloc[-1] == "partial pooling, room and school"
    pd.testing.assert_frame_equal(listed[COLUMNS[2:]], slashed[COLUMNS[2:]], rtol=1e-8)


def test_the_same_rows_behind_every_line(schools):
    data = schools.copy()
    data["class"] = data["class"].astype(object)
    data.loc[3, "class"], data.loc[7, "score"] = None, np.nan
    with pytest.raises(ValueError, match="missing"):
        compare("score ~ treated", data, "school/class")
    left = compare("score ~ treated", data, "school/class", missing="drop")
    pd.testing.assert_frame_equal(left, compare("score ~ treated", data.drop([3, 7]), "school/class"))


def test_a_term_that_one_group_alone_carries_says_why(schools):
    data = schools.assign(first=(schools["school"].astype(int) == 1) * 1.0)
    table = compare("score ~ first", data, "school/class")
    told = table[table["estimand"].str.startswith("slope of first")]
    robust = told[told["method"].str.contains("CR2")]
    assert robust["se"].isna().all()
    assert robust["estimand"].str.contains("no SE: ").all()
    assert told["se"].notna().sum() == 3


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_intervals_are_the_fits(answers, alpha):
    found = compare("score ~ long", answers, ["text", "reader"], alpha=alpha)
    fit = partial_pooling("score ~ long", answers, ["text", "reader"]).with_df("kenward-roger")
    last = found[found["method"] == CROSSED[4]][["lower", "upper"]]
    np.testing.assert_allclose(last, fit.conf_int(alpha), rtol=1e-8)


def test_a_formula_without_a_constant_is_refused(answers):
    with pytest.raises(ValueError, match="no constant, so no mean to compare"):
        compare("score ~ 0 + long", answers, ["text", "reader"])
