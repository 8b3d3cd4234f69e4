"""The data sets: R's own numbers, the documented columns, a fresh copy on every call."""

import csv
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from conftest import REFERENCE

import helpers
from helpers.course.datasets import three_levels

DATA = {"classrooms": helpers.classrooms, "radon": helpers.radon, "high_school": helpers.high_school}


def exactly(path):
    """Read a CSV file column by column with Python's float, which rounds correctly."""
    header, *rows = csv.reader(path.read_text(encoding="utf-8").splitlines())
    return dict(zip(header, zip(*rows, strict=True), strict=True))


@pytest.mark.parametrize("column", ["score", "effect", "error"])
def test_the_classrooms_are_rs_to_the_bit(classrooms, column):
    r = exactly(REFERENCE / "classrooms.csv")
    assert len(r[column]) == 200
    assert classrooms[column].tolist() == [float(text) for text in r[column]]


def test_the_classrooms_are_numbered_as_rs(classrooms):
    r = exactly(REFERENCE / "classrooms.csv")
    assert classrooms["classroom"].astype(int).tolist() == [int(text) for text in r["classroom"]]
    assert classrooms["classroom"].cat.categories.tolist() == list(range(1, 21))


def test_the_classrooms_are_the_json_files_too(classrooms, reference):
    r = reference("classrooms")
    assert classrooms["score"].tolist() == r["data.y"]
    assert classrooms["effect"].tolist() == np.repeat(r["data.U0j"], 10).tolist()


def test_a_score_is_1629_and_effect_and_error(classrooms):
    assert (classrooms["score"] == 1629 + classrooms["effect"] + classrooms["error"]).all()


COLUMNS = {
    "classrooms": {"score": "f", "classroom": "category", "effect": "f", "error": "f"},
    "radon": {"county": "category", "floor": "i", "radon": "f", "log_radon": "f", "log_uranium": "f"},
    "high_school": {
        "school": "category", "sector": "text", "math": "f", "ses": "f", "minority": "i", "female": "i",
        "mean_ses": "f",
    },
}  # fmt: skip


def kind(column):
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "category"
    return column.dtype.kind if pd.api.types.is_numeric_dtype(column) else "text"


@pytest.mark.parametrize("name", DATA)
def test_columns_stand_in_the_documented_order_and_kind(name):
    data = DATA[name]()
    assert [(column, kind(data[column])) for column in data] == list(COLUMNS[name].items())


@pytest.mark.parametrize(("name", "rows"), [("classrooms", 200), ("radon", 919), ("high_school", 7185)])
def test_rows_are_complete_and_numbered_from_zero(name, rows):
    data = DATA[name]()
    assert data.index.equals(pd.RangeIndex(rows))
    assert not data.isna().any().any()


@pytest.mark.parametrize("name", DATA)
def test_every_documented_column_is_in_the_docstring(name):
    for column in COLUMNS[name]:
        assert f"``{column}``" in DATA[name].__doc__


@pytest.mark.parametrize("name", DATA)
def test_every_call_gives_a_fresh_copy(name):
    first = DATA[name]()
    before = first.copy(deep=True)
    first.iloc[:, -1] = 0.0
    del first[first.columns[0]]
    pd.testing.assert_frame_equal(DATA[name](), before)


def test_radon_has_85_counties_in_file_order(radon, reference):
    r = reference("radon")
    assert radon["county"].cat.categories.tolist() == r["data.counties"]
    assert radon["county"].cat.categories.size == 85
    assert radon.groupby("county", observed=False).size().tolist() == r["data.nj"]


def test_the_counties_have_the_books_numbers_but_for_eight(radon):
    ours = radon["county"].cat.categories.tolist()
    book = sorted(ours, key=lambda name: name.replace("STLOUIS", "ST LOUIS"))  # as the survey spells it
    assert ours[26 - 1] == book[26 - 1] == "HENNEPIN"
    assert ours[36 - 1] == book[36 - 1] == "LACQUIPARLE"
    others = [k for k, names in enumerate(zip(ours, book, strict=True), 1) if len({*names}) == 2]
    assert others == [42, 43, 44, 45, 67, 68, 69, 70]
    assert (ours[70 - 1], book[70 - 1]) == ("SIBLEY", "STLOUIS")


def test_three_houses_without_radon_are_coded_as_the_book_codes_them(radon, reference):
    zero = radon["radon"] == 0
    assert zero.sum() == reference("radon")["data.n_zero"] == 3
    assert (radon.loc[zero, "log_radon"] == np.log(0.1)).all()
    assert (radon.loc[~zero, "log_radon"] == np.log(radon.loc[~zero, "radon"])).all()


def test_radon_adds_up_to_rs_sum(radon, reference):
    # Two sums of 919 rounded logarithms: 919 half-units of 2**-52 is 1e-13.
    assert radon["log_radon"].sum() == pytest.approx(reference("radon")["data.sum_y"], rel=1e-13)


def test_uranium_is_one_number_a_county(radon, reference):
    by_county = radon.groupby("county", observed=False)["log_uranium"]
    assert (by_county.nunique() == 1).all()
    # The file has 13 digits; R and Python may read the last bit of them differently.
    assert by_county.first().to_numpy() == pytest.approx(reference("radon")["data.u_county"], rel=1e-15)


@pytest.mark.parametrize(("name", "file"), [("radon", "radon.csv"), ("high_school", "hsb.csv")])
def test_numbers_are_the_doubles_that_the_file_writes(name, file):
    stored = exactly(files("helpers") / "data" / file)
    data = DATA[name]()
    for column, texts in stored.items():
        read = float if kind(data[column]) in "fi" else str
        assert data[column].astype(read).tolist() == [read(text) for text in texts], column


def test_high_school_has_160_schools_of_14_to_67_pupils(high_school, reference):
    sizes = high_school.groupby("school", observed=False).size()
    assert len(sizes) == reference("hsb")["data.J"] == 160
    assert [sizes.min(), sizes.max()] == reference("hsb")["data.nj_range"]
    assert len(high_school) == reference("hsb")["data.N"] == 7185


def test_mean_ses_is_the_mean_over_the_schools_own_pupils(high_school):
    for school, pupils in high_school.groupby("school", observed=True):
        # pandas and numpy add in different orders: 67 terms, some of them cancelling.
        assert pupils["mean_ses"].to_numpy() == pytest.approx(np.mean(pupils["ses"]), rel=0, abs=1e-15), (
            school
        )


def test_a_school_is_catholic_or_public_throughout(high_school):
    assert set(high_school["sector"]) == {"catholic", "public"}
    assert (high_school.groupby("school", observed=True)["sector"].nunique() == 1).all()


@pytest.mark.parametrize("column", ["minority", "female"])
def test_yes_and_no_are_0_and_1(high_school, column):
    assert set(high_school[column]) == {0, 1}


def test_the_floor_is_0_for_the_basement_and_1_above_it(radon, reference):
    assert set(radon["floor"]) == {0, 1}
    # One division of whole numbers: the same double in both languages.
    assert radon["floor"].mean() == reference("radon")["data.prop_floor"]


def test_the_three_levels_are_the_file_of_the_cases_with_class_numbers_used_again():
    ours, case = three_levels(), pd.read_csv(REFERENCE.parent / "cases" / "three_levels.csv")
    assert ours.groupby(["school", "class"])["pupil"].agg(list).map(lambda p: p == [*range(1, 11)]).all()
    assert case["class"].eq(ours["school"].astype(str) + "-" + ours["class"].astype(str)).all()
    assert ours[["school", "treated", "score"]].equals(case[["school", "treated", "score"]])
