"""What to watch: each warning where it is due, and not elsewhere."""

import re

import numpy as np
import pandas as pd
import pytest
from reported import leads, of_schools, small, unequal

from helpers import high_school
from helpers.report import report


@pytest.fixture(scope="module")
def schools():
    return of_schools()


def test_levels_say_where_a_predictor_varies(schools):
    ses, sector = schools.levels
    data = high_school()
    between = ((data["mean_ses"] - data["ses"].mean()) ** 2).sum()
    assert ses == pytest.approx(between / ((data["ses"] - data["ses"].mean()) ** 2).sum())
    assert sector == 1
    inner = data.assign(within=data["ses"] - data["mean_ses"])
    found = report.describe(inner, "math", "school", ["within", "mean_ses"])
    # The slopes of ses do differ from school to school: 0.129 by CR2, 0.109 if they did not.
    assert leads(found) == ["A slope that differs", "A group-level predictor"]
    assert found.levels["within"] == 0
    assert "more than there are groups" not in found.warnings[1]
    assert "within groups only" in found.text


def test_a_predictor_whose_group_means_are_there_too_is_not_called_mixed():
    data = high_school()
    assert "A predictor of both levels" in leads(report.describe(data, "math", "school", "ses"))
    found = report.describe(data, "math", "school", ["ses", "mean_ses"])
    assert "A predictor of both levels" not in leads(found)


def test_a_predictor_without_a_group_part_is_not_called_mixed():
    x = np.random.default_rng(4).normal(size=24)
    assert "A predictor of both levels" not in leads(report.describe(small(x=x), "y", "g", "x"))


def test_slopes_within_and_the_group_means_beside_them_may_have_more_df_than_groups():
    rng = np.random.default_rng(8)
    data = small(x=rng.normal(size=24) + np.repeat([0.0, 0.2, 0.1, 0.3], 6))
    data["mean_x"] = data.groupby("g")["x"].transform("mean")
    found = report.describe(data, "y", "g", ["x", "mean_x"])
    own = found.fit.df["mean_x"]
    assert ("more than there are groups" in repr(found).replace("\n", " ")) == (own > 4)


def test_names_alike_are_told():
    data = small(g=["A"] * 6 + ["A "] * 6 + ["a"] * 6 + ["b"] * 6, sex=["M", "m", "f", "f"] * 6)
    found = [w for w in report.describe(data, "y", "g", ["sex"]).warnings if w.startswith("Names alike")]
    assert found[0].startswith("Names alike: 'A' and 'A ' and 'a' are 3 groups of g.")
    assert found[1].startswith("Names alike: 'M' and 'm' are 2 levels of sex.")


def test_values_far_off_are_told_and_others_not():
    data = unequal()
    data.loc[[3, 9], "score"] = -99
    found = report.describe(data, "score", "school")
    assert "Values far off: score has -99 in 2 rows; the nearest other value is" in found.warnings[0]
    assert f"score goes from -99 to {data['score'].max():.6g}." in found.grouping
    data["hours"] = data["hours"].where(np.arange(51) != 5, 999)
    assert (
        "Values far off: hours has 999 in 1 row;"
        in report.describe(data, "score", "school", "hours").warnings[1]
    )
    for rows in (np.arange(51.0), np.random.default_rng(1).normal(size=51), np.arange(51) % 2):
        assert "Values far off" not in leads(report.describe(unequal().assign(score=rows), "score", "school"))


def test_a_code_taken_for_a_number_is_questioned():
    data = unequal()
    for values, asked in (
        ((1, 2, 3), True),
        ((2000, 2001, 2002), True),
        ((8, 10, 12), False),
        ((0, 1), False),
    ):
        found = report.describe(data.assign(k=np.resize(values, 51)), "score", "school", ["k"])
        assert ("Perhaps a category" in leads(found)) is asked
    found = report.describe(data.assign(k=np.resize([1, 2, 3], 51)), "score", "school", ["C(k)"])
    assert "Perhaps a category" not in leads(found)
    assert "C(k) is at its first level" in found.where


def test_more_warnings():
    two = small(y=np.tile([0, 1, 1], 8))
    assert "Two values" in leads(report.describe(two, "y", "g"))
    identity = pd.DataFrame({"y": [1.0, 2, 4, 3, 7, 5], "g": [1, 1, 2, 3, 4, 5]})
    assert "A group for each row, nearly" in leads(report.describe(identity, "y", "g"))
    ones = small(g=["a"] + ["b"] * 7 + ["c"] * 8 + ["d"] * 8)
    assert "Groups of one row" in leads(report.describe(ones, "y", "g"))
    assert "Very unequal sizes" in leads(report.describe(ones, "y", "g"))
    rng = np.random.default_rng(2)
    many = pd.DataFrame({"g": np.repeat(np.arange(60), 8)})
    many["y"] = rng.normal(size=480) + rng.normal(size=60)[many["g"]] + 12 * (many["g"] == 7)
    assert leads(report.describe(many, "y", "g")) == ["A group far out"]
    quiet = report.describe(many[many["g"] != 7], "y", "g")
    assert quiet.warnings == []
    assert "Nothing that this report looks for" in quiet.to_html()


def test_very_unequal_sizes_name_the_three_means_of_the_table_once_and_the_groups_by_their_labels():
    sizes = np.array([2, 2, 3, 4, 60, 30, 2, 3])
    rng, j = np.random.default_rng(2), np.repeat(np.arange(8), sizes)
    y = 2 * rng.normal(size=8)[j] + rng.normal(size=len(j))
    data = pd.DataFrame({"y": y, "school": [f"School {k}" for k in j], "level": j % 3})
    found = report.describe(data, "y", "school")
    with_level = report.describe(data, "y", "school", ["level"])
    by_group = pd.Series(y).groupby(j).mean().mean()
    for told, aside in ((found, ""), (with_level, ", predictors left aside")):
        (warning,) = [w for w in told.warnings if w.startswith("Very unequal sizes")]
        three = re.search(
            rf"part{aside}: (\S+) over all rows, (\S+) by partial pooling, (\S+) with each group",
            warning,
        )
        means = [y.mean(), found.fit.params.iloc[0], by_group]
        assert [float(mean) for mean in three.groups()] == pytest.approx(means, abs=0.00501)
    # A label that begins with the column's name stands alone, another one after it.
    assert "the mean of School 4 known (60 rows" in found.text
    assert "school School" not in found.text + found.to_html()
    short = report.describe(data.assign(school=j), "y", "school")
    assert "the mean of school 4 known (60 rows" in short.text
