"""What the model leaves: residuals and group effects as lme4 has them, and what the report says of them."""

import numpy as np
import pandas as pd
import pytest
from reported import ROOT, small

from helpers import classrooms
from helpers.course.datasets import three_levels
from helpers.report import report


@pytest.fixture(scope="module")
def clinics():
    return report.describe(pd.read_csv(ROOT / "tests/cases/random_slope.csv"), "response", "clinic", "dose")


def test_residuals_and_effects_where_slopes_vary_are_those_of_r(clinics, reference):
    r, left = reference("left"), clinics.left
    # lme4 stops its search where the criterion is flat: the sixth digit is free, the sd of effects most
    np.testing.assert_allclose(left.residuals[:40], r["slopes.residuals"], atol=2e-4)
    means, slopes = left.effects
    np.testing.assert_allclose(means.z, r["slopes.z_means"], atol=2e-4)
    np.testing.assert_allclose(slopes.z, r["slopes.z_slopes"], atol=2e-3)
    assert slopes.what == "dose"


def test_residuals_and_effects_of_two_groupings_are_those_of_r(reference):
    r = reference("left")
    left = report.describe(three_levels(), "score", "school/class", ["treated"]).left
    np.testing.assert_allclose(left.residuals[:40], r["nested.residuals"], atol=2e-4)
    assert [effects.of for effects in left.effects] == ["school", "class"]
    np.testing.assert_allclose(left.effects[0].z, r["nested.z_schools"], atol=1e-3)


def test_rows_that_lack_a_value_have_no_residual():
    data = small(x=np.arange(24) % 5)
    data.loc[[2, 20], "x"] = np.nan
    whole = report.describe(data.dropna(), "y", "g", ["x"])
    found = report.describe(data, "y", "g", ["x"], missing="drop")
    np.testing.assert_allclose(found.left.residuals, whole.left.residuals)
    assert found.left.groups.tolist() == whole.left.groups.tolist()


def test_the_report_names_the_farthest_row_and_the_groups_at_the_ends(clinics):
    data = classrooms()
    data.loc[57, "score"] += 400
    residuals, effects = report.describe(data, "score", "classroom").pictures
    assert f"of classroom {data['classroom'][57]}, is" in residuals.text
    data = classrooms()
    data.loc[data["classroom"] == 7, "score"] += 300
    _, effects = report.describe(data, "score", "classroom").pictures
    assert "the highest are 7, " in effects.text
    assert len(clinics.pictures[1].panels) == 2


def test_where_there_is_nothing_to_draw_the_report_says_so():
    data = small(y=np.tile([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 4))
    _, effects = report.describe(data, "y", "g").pictures
    assert effects.panels == []
    assert "estimated as 0" in effects.text
    data = small(y=np.arange(24) % 5 % 2)
    residuals, _ = report.describe(data, "y", "g").pictures
    assert residuals.panels == []
    assert "two values" in residuals.text


@pytest.mark.parametrize(
    ("outcome", "group", "labels", "asked"),
    [
        ("sys_blood_pressure", "clinic_id", {}, "one sys blood pressure in one more clinic lie?"),
        ("sbp", "c1", {"sbp": "Systolic blood pressure", "c1": "Clinic"},
         "one systolic blood pressure in one more clinic lie?"),
        ("math", "schid", {}, "one value of math in one more group of schid lie?"),
        ("y", "g", {"y": "How tired are you?", "g": "Where?"}, "one value of y in one more group of g lie?"),
    ],
)  # fmt: skip
def test_questions_are_in_words_whatever_the_columns_are_called(outcome, group, labels, asked):
    data = small().rename(columns={"y": outcome, "g": group})
    data[group] = data[group].map(dict(zip("abcd", [5, 6, 7, 8], strict=True)))
    data.attrs["labels"] = labels
    found = report.describe(data, outcome, group)
    assert found.questions["row"][0] == f"Where may {asked}"
    if "clinic" in asked:
        assert "the mean of clinic 5 known" in found.questions["one"][0]
