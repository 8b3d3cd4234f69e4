"""Columns that may be another level: found where there is one, and not where there is none."""

import numpy as np
import pandas as pd
import pytest

from helpers import classrooms, high_school, radon
from helpers.report import report
from helpers.tables import levels

LEADS = ("A level above", "A level within", "A label used again")


def told(found):
    return [warning for warning in found.warnings if warning.startswith(LEADS)]


def wards(rng, hospitals=8, each=5, n=6, between=1.0):
    """Wards in hospitals, as texts; a number of theirs and one of the rows."""
    hospital = np.repeat(np.arange(hospitals), each * n)
    ward = np.repeat(np.arange(hospitals * each), n)
    y = between * rng.normal(size=hospitals)[hospital] + rng.normal(size=hospitals * each)[ward]
    return pd.DataFrame({
        "hospital": np.array(list("ABCDEFGHIJKLMNOP"))[hospital], "ward": [f"w{k:02d}" for k in ward],
        "beds": rng.normal(size=hospitals * each)[ward], "y": y + rng.normal(size=len(ward)),
    })  # fmt: skip


@pytest.mark.parametrize("how", ["text", "numbers", "category", "polars", "gaps elsewhere", "rows dropped"])
def test_a_hospital_above_wards(how):
    data, more = wards(np.random.default_rng(1)), {}
    if how == "numbers":
        data["hospital"] = pd.factorize(data["hospital"])[0] + 1
    elif how == "category":
        data["hospital"] = data["hospital"].astype("category")
    elif how == "gaps elsewhere":
        data["note"] = [None, "x"] * (len(data) // 2)
    elif how == "rows dropped":
        data.loc[[4, 7], "y"], data.loc[4, "hospital"], more = np.nan, None, {"missing": "drop"}
    elif how == "polars":
        data = pytest.importorskip("polars").from_pandas(data)
    (warning,) = told(report.describe(data, "y", "ward", **more))
    assert "hospital may be a level above ward: each of these 40 is in one of 8" in warning
    assert "with hospital/ward" in warning
    assert "by CR2 of hospital" in warning


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.assign(hospital=d.hospital.isin(list("ABCD")).map({True: "old", False: "new"})),
        lambda d: d.drop(columns="hospital"),  # beds, a number of each ward, is none
        lambda d: d.assign(hospital=pd.factorize(d.hospital)[0] ** 3 * 17),  # amounts, of no run
        lambda d: d.assign(hospital=d.hospital.where(d.index > 0)),  # gaps among rows used
        lambda d: d.assign(hospital="h" + d.ward),  # the wards by another name
        lambda d: d.assign(hospital=[f"{k}" for k in range(len(d))]),  # a name for each row
    ],
)
def test_no_level_is_made_of_other_columns(change):
    assert told(report.describe(change(wards(np.random.default_rng(1))), "y", "ward")) == []


def test_a_level_that_is_a_predictor_is_in_the_model():
    found = report.describe(wards(np.random.default_rng(1)), "y", "ward", ["hospital"])
    assert told(found) == []


@pytest.mark.parametrize(
    ("data", "asked"),
    [
        (classrooms, ["score", "classroom"]),
        (radon, ["log_radon", "county", ["floor", "log_uranium"]]),
        (radon, ["log_radon", "county"]),
        (high_school, ["math", "school", ["ses", "sector"]]),
        (high_school, ["math", "school", ["ses", "mean_ses"]]),
        (high_school, ["ses", "school"]),
    ],
)
def test_nothing_is_said_of_the_courses_data(data, asked):
    assert told(report.describe(data(), *asked)) == []


def again(rows, group, other):
    """Whether labels seem to be used again."""
    return (
        levels.used_again(rows, "y", levels.labels_of(rows[group]), levels.labels_of(rows[other])) is not None
    )


def test_attributes_of_rows_and_readers_of_texts_are_no_labels_used_again():
    rng, draws, attribute, crossed = np.random.default_rng(12), 60, 0, 0
    for _ in range(draws):
        g, kind = np.repeat(np.arange(12), 30), rng.integers(0, 6, 360)
        y = rng.normal(size=12)[g] + rng.normal(size=6)[kind] + rng.normal(size=360)
        attribute += again(pd.DataFrame({"y": y, "g": g, "kind": kind}), "g", "kind")
        text, reader = np.repeat(np.arange(12), 24), np.tile(np.repeat(np.arange(8), 3), 12)
        y = (
            rng.normal(size=12)[text]
            + rng.normal(size=8)[reader]
            + rng.normal(size=(12, 8))[text, reader] / 2
        )
        y += rng.normal(size=288)
        crossed += again(pd.DataFrame({"y": y, "text": text, "reader": reader}), "text", "reader")
    assert attribute <= draws * levels.ALIKE + 3 * np.sqrt(draws * levels.ALIKE)
    assert crossed <= 0.05 * draws  # whose own variance, four times the cells', is not seen


def test_labels_numbered_anew_are_seen():
    rng, draws, seen = np.random.default_rng(13), 60, 0
    for _ in range(draws):
        school, room = np.repeat(np.arange(8), 40), np.tile(np.repeat(np.arange(4), 10), 8)
        y = rng.normal(size=8)[school] + rng.normal(size=(8, 4))[school, room] + rng.normal(size=320)
        seen += again(pd.DataFrame({"y": y, "school": school, "room": room}), "room", "school")
    expected = 1 - levels.APART
    assert abs(seen / draws - expected) < 3 * np.sqrt(expected * levels.APART / draws)


def test_a_predictor_that_is_another_columns_name_is_no_level():
    data = wards(np.random.default_rng(4))
    data["arm"] = np.random.default_rng(5).integers(0, 2, len(data))
    data["treatment"] = data["arm"].map({0: "placebo", 1: "drug"})
    assert [w for w in told(report.describe(data, "y", "ward", ["arm"])) if "within" in w[:20]] == []


def test_a_level_within_whose_labels_are_used_again():
    rng = np.random.default_rng(6)
    school, room = np.repeat(np.arange(10), 40), np.tile(np.repeat(np.arange(4), 10), 10)
    arm = rng.permuted(np.tile([0, 0, 1, 1], (10, 1)), axis=1)[school, room]
    y = rng.normal(size=10)[school] + rng.normal(size=(10, 4))[school, room] + rng.normal(size=400)
    rows = pd.DataFrame({"y": y, "school": school, "room": room, "arm": arm})
    warnings = told(report.describe(rows, "y", "school", ["arm"]))
    assert any("room may be a level within school" in w and "rests on 40 of them" in w for w in warnings)


@pytest.mark.parametrize(
    ("values", "there"),
    [
        (["a", "b"], True), ([1, 2], True), ([1.5, 2.0], False), ([True, False], False), (["a", None], False),
        ([pd.Timestamp(0), pd.Timestamp(1)], False), ([[1], [2]], False), (pd.Categorical(["a", "b"]), True),
    ],
)  # fmt: skip
def test_what_may_be_a_label(values, there):
    assert (levels.labels_of(pd.Series(values, name="c")) is not None) == there


def test_what_both_columns_leave_is_least_squares():
    rng = np.random.default_rng(7)
    g, c = np.divmod(rng.permutation(35)[:25], 7)
    y, n = rng.normal(size=25), rng.integers(1, 5, 25).astype(float)
    X = np.column_stack([g[:, None] == np.arange(5), c[:, None] == np.arange(7)]) * np.sqrt(n)[:, None]
    fitted = np.linalg.lstsq(X, y * np.sqrt(n))[0]
    expected = np.sum((y * np.sqrt(n) - X @ fitted) ** 2)
    for one, two, J, K in ((g, c, 5, 7), (c, g, 7, 5)):
        left, rank = levels._both(n, y, one, two, J, K)
        assert left == pytest.approx(expected, rel=1e-10)
        assert rank == np.linalg.matrix_rank(X)


def test_groups_called_by_fractions_have_no_level_looked_for_beside_them():
    rng = np.random.default_rng(7)
    table = pd.DataFrame({"g": np.arange(80) % 8 + 0.5, "town": np.arange(80) % 8 // 2 + 1})
    table["y"] = rng.normal(size=80)
    assert not [told for told in report.describe(table, "y", "g").warnings if "level" in told.split(":")[0]]
