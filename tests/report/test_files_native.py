"""Files of SPSS, Stata, SAS, Excel, R and Arrow: the table that R, or the file's maker, has."""

import datetime
import decimal
import io
import re
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import polars
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pyreadstat
import pytest
from reported import small

from helpers import complete_pooling, partial_pooling
from helpers.report import report

CASES = Path(__file__).parents[1] / "cases"
BY_R = CASES / "files"
SITES = ["low", "mid", "high"]


def rows():
    """The rows of tests/cases/files/make.R."""
    y = [1.5, 2, 2.25, 3, 4.125, 5, 5.75, 6.1, 7.3, 8.7, 9, 10.9]
    ids = [f"{k:02d}" for k in range(1, 13)]
    return pd.DataFrame({"site": np.repeat(SITES, 4), "id": ids, "y": y, "n": [*range(1, 12), np.nan]})


def same(frame):
    """Whether a table is that of `rows`, to the last digit."""
    expected = rows()
    assert list(frame.columns) == list(expected.columns)
    assert frame["site"].astype(str).tolist() == expected["site"].tolist()
    assert frame["y"].tolist() == expected["y"].tolist()
    np.testing.assert_array_equal(frame["n"].to_numpy(dtype=float, na_value=np.nan), expected["n"])


@pytest.mark.parametrize("case", ["ward.sav", "ward.dta"])
def test_the_wards_are_those_of_lme4(case):
    found = report.describe(report.read_table(CASES / case), "score", "ward")
    fit = found.fit
    assert (fit.ngroups, fit.nobs) == (8, 48)
    assert [f"{v:.4f}" for v in (fit.psi, fit.theta, fit.params.iloc[0], fit.bse.iloc[0])] == [
        "6.8157", "0.9125", "11.2479", "0.9333",
    ]  # fmt: skip


def written_by_others(folder):
    """The same rows by pyreadstat, openpyxl, pyarrow and an SPSS-like CSV; path by name."""
    frame, paths = rows(), {}
    for kind in ("sav", "dta", "por", "xpt"):
        paths[kind] = folder / f"rows.{kind}"
        getattr(pyreadstat, "write_xport" if kind == "xpt" else f"write_{kind}")(frame, str(paths[kind]))
    paths["zsav"] = folder / "rows.zsav"
    pyreadstat.write_sav(frame, str(paths["zsav"]), compress=True)
    paths["xlsx"] = folder / "rows.xlsx"
    frame.to_excel(paths["xlsx"], index=False)
    paths["parquet"] = folder / "rows.parquet"
    frame.to_parquet(paths["parquet"])
    paths["feather"] = folder / "rows.feather"
    pyarrow.feather.write_feather(pa.Table.from_pandas(frame, preserve_index=False), paths["feather"])
    text = frame.to_csv(index=False, na_rep="#NULL!")
    paths["spss csv"] = folder / "spss.csv"
    paths["spss csv"].write_text(text, encoding="utf-8-sig")
    for kind in ("gz", "bz2", "xz", "zip"):
        paths[kind] = folder / f"rows.csv.{kind}"
        frame.to_csv(paths[kind], index=False)
    paths["zst"] = folder / "rows.csv.zst"
    with pa.output_stream(paths["zst"], compression="zstd") as stream:
        stream.write(frame.to_csv(index=False).encode())
    return paths


KINDS = [
    "sav",
    "zsav",
    "por",
    "dta",
    "xpt",
    "xlsx",
    "parquet",
    "feather",
    "spss csv",
    "gz",
    "bz2",
    "xz",
    "zst",
    "zip",
]


@pytest.mark.parametrize("kind", KINDS)
def test_what_others_write_is_the_same_table(kind, tmp_path):
    path = written_by_others(tmp_path)[kind]
    frame = report.read_table(path)
    if kind == "por":
        frame.columns = frame.columns.str.lower()
    same(frame)
    ids = report.describe(frame, "y", "site", one="mid")
    assert ids.fit.ngroups == 3
    texts = (
        frame["id"] if frame["id"].dtype.kind not in "iuf" else pd.Series(list(frame.attrs["written"]["id"]))
    )
    assert texts.tolist() == rows()["id"].tolist()


@pytest.mark.parametrize(
    "name",
    [
        "rows.rds",
        "rows_ascii.rds",
        "rows_xz.rds",
        "rows_table.txt",
        "rows_table_na.txt",
        "rows.csv",
        "rows2.csv",
    ],
)
def test_what_r_writes_is_the_same_table(name):
    frame = report.read_table(BY_R / name)
    same(frame)
    if name.endswith("rds"):
        assert frame["site"].cat.categories.tolist() == SITES


def test_an_rdata_file_with_two_tables_wants_a_name():
    with pytest.raises(
        ValueError, match=re.escape("2 data frames, 'rows', 'other': say which with sheet (--sheet)")
    ):
        report.read_table(BY_R / "two.RData")
    same(report.read_table(BY_R / "two.RData", sheet="rows"))
    with pytest.raises(ValueError, match="no data frame 'row'"):
        report.read_table(BY_R / "two.RData", sheet="row")


def test_integer64_days_and_haven_s_labels_of_r():
    odd = report.read_table(BY_R / "odd.rds")
    assert odd["big"].tolist() == [2**32 + k for k in (7, 8, 9)] + [0]
    assert odd["gap"].tolist()[:3] == [1, 2, 3]
    assert odd["gap"].isna().tolist() == [False] * 3 + [True]
    assert odd["day"].dt.strftime("%Y-%m-%d").tolist()[:3] == ["2020-02-28", "2020-02-29", "2020-03-01"]
    assert odd["lab"].tolist() == ["mid", "low", "high", "mid"]
    assert odd["lab"].cat.categories.tolist() == ["low", "mid", "high"]


def test_what_is_no_table_of_r_is_refused_and_a_matrix_in_one_left_out():
    with pytest.raises(ValueError, match="holds no data frame"):
        report.read_table(BY_R / "list.rds")
    data = report.read_table(BY_R / "matrix.rds")
    assert list(data.columns) == ["site", "id", "y", "n"]
    assert "without m (matrix or list)" in data.attrs["read"]


# ---- labels and missing values -------------------------------------------------------------------

LABELS = {3: "never", 1: "often", 2: "at times"}  # as text the order would be another


def survey():
    """Forty rows, an answer with labels, an income with user-missing values."""
    rng = np.random.default_rng(5)
    school = np.repeat(np.arange(1, 9), 5)
    answer = rng.integers(1, 4, 40)
    income = rng.normal(50, 5, 40).round(1) + answer
    income[[3, 17]], income[[8, 9, 30]] = 98, 99
    return pd.DataFrame({"school": school, "answer": answer, "income": income})


def labelled(folder, kind):
    """The survey as SPSS and Stata have it."""
    frame, path = survey(), folder / f"survey.{kind}"
    more = {"variable_value_labels": {"answer": LABELS}, "column_labels": {"income": "Income, in thousands"}}
    if kind == "sav":
        more["missing_ranges"] = {"income": [98, 99]}
        pyreadstat.write_sav(frame, str(path), **more)
    else:
        frame["income"] = frame["income"].astype(object).replace({98.0: "a", 99.0: "b"})
        pyreadstat.write_dta(frame, str(path), missing_user_values={"income": ["a", "b"]}, **more)
    return path


@pytest.mark.parametrize("kind", ["sav", "dta"])
def test_labels_keep_the_order_of_their_codes_and_missing_values_are_counted(kind, tmp_path):
    data = report.read_table(labelled(tmp_path, kind))
    assert data["answer"].cat.categories.tolist() == ["often", "at times", "never"]
    assert data["income"].isna().sum() == 5
    kinds = {"sav": {"98": 2, "99": 3}, "dta": {".a": 2, ".b": 3}}[kind]
    assert data.attrs["missing"] == {"income": kinds}
    assert data.attrs["labels"] == {"income": "Income, in thousands"}
    known = survey().query("income < 98")
    fit = partial_pooling("income ~ answer", data, "school", missing="drop")
    by_hand = known.assign(answer=pd.Categorical(known["answer"].map(LABELS), ["often", "at times", "never"]))
    expected = partial_pooling("income ~ answer", by_hand, "school")
    assert list(fit.params.index) == ["Intercept", "answer[T.at times]", "answer[T.never]"]
    np.testing.assert_array_equal(fit.bse, expected.bse)


@pytest.mark.parametrize("kind", ["sav", "dta"])
def test_a_labelled_outcome_is_a_number_and_a_labelled_group_has_names(kind, tmp_path):
    data = report.read_table(labelled(tmp_path, kind))
    outcome = complete_pooling("answer ~ 1", data)
    assert outcome.params["Intercept"] == pytest.approx(survey()["answer"].mean(), rel=1e-14)
    found = report.describe(data, "answer", "school")
    assert found.fit.nobs == 40
    named = report.describe(data, "income", "answer", missing="drop", one="never")
    assert list(named.fit.data.labels) == ["often", "at times", "never"]


def test_labels_of_some_values_name_groups_and_leave_numbers(tmp_path):
    path = tmp_path / "ages.sav"
    frame = survey().assign(age=np.tile([18, 19, 20, 21], 10))
    pyreadstat.write_sav(frame, str(path), variable_value_labels={"age": {18: "of age"}})
    data = report.read_table(path)
    assert data["age"].tolist() == frame["age"].tolist()
    assert list(report.describe(data, "income", "age").fit.data.labels) == ["of age", "19", "20", "21"]


def test_two_codes_with_one_label_stay_two_groups(tmp_path):
    path = tmp_path / "other.sav"
    pyreadstat.write_sav(
        survey(), str(path), variable_value_labels={"answer": {1: "other", 2: "other", 3: "none"}}
    )
    data = report.read_table(path)
    assert data["answer"].cat.categories.tolist() == ["other (1)", "other (2)", "none"]


def test_days_are_days_from_every_program(tmp_path):
    days = [datetime.date(2021, 3, d) for d in (1, 2, 3)]
    frame = pd.DataFrame({"day": days, "y": [1.0, 2.0, 3.0]})
    for kind, write in (
        ("sav", pyreadstat.write_sav),
        ("dta", pyreadstat.write_dta),
        ("xpt", pyreadstat.write_xport),
    ):
        write(frame, str(tmp_path / f"days.{kind}"))
        read = report.read_table(tmp_path / f"days.{kind}")["day"]
        assert read.dt.date.tolist() == days, kind


def test_days_of_sas_transport_files_are_days(tmp_path):
    frame = pd.DataFrame({"day": [0.0, 22340.0], "y": [1.0, 2.0]})
    pyreadstat.write_xport(frame, str(tmp_path / "days.xpt"), variable_format={"day": "DATE9."})
    read = report.read_table(tmp_path / "days.xpt")["day"]
    assert read.dt.strftime("%Y-%m-%d").tolist() == ["1960-01-01", "2021-03-01"]


# ---- workbooks -----------------------------------------------------------------------------------


def workbook(folder, **sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, lines in sheets.items():
        sheet = book.create_sheet(name)
        for line in lines:
            sheet.append(line)
    book.save(folder / "book.xlsx")
    return folder / "book.xlsx"


def test_a_sheet_is_asked_for_where_there_are_two(tmp_path):
    lines = [["g", "y"], ["a", 1], ["a", 2.5], ["b", 3]]
    path = workbook(tmp_path, first=lines, second=[["h", "y"], [1, 2]], nothing=[])
    with pytest.raises(ValueError, match="2 sheets with cells, 'first', 'second': say which"):
        report.read_table(path)
    assert report.read_table(path, sheet="first")["y"].tolist() == [1, 2.5, 3]
    with pytest.raises(ValueError, match="no sheet 'third'"):
        report.read_table(path, sheet="third")


def test_cells_that_excel_made_dates_of_are_told(tmp_path):
    day = datetime.datetime(2026, 2, 1)
    path = workbook(tmp_path, only=[["class", "y"], ["a", 1], [day, 2], ["01", "NA"], [1, 4]])
    data = report.read_table(path)
    assert data["class"].tolist() == ["a", "2026-02-01", "01", "1"]
    assert data["y"].isna().sum() == 1
    assert "class has dates in 1 of 4 cells" in data.attrs["read"]


def test_an_open_document_sheet_is_read(tmp_path):
    row = "<table:table-row>{}</table:table-row>"
    text = '<table:table-cell office:value-type="string"><text:p>{0}</text:p></table:table-cell>'
    value = text.replace('"string"', '"float" office:value="{0}"')
    body = [row.format(text.format("g") + text.format("y"))]
    body += [row.format(text.format(g) + value.format(y)) for g, y in (("a", 1.25), ("b", 2))]
    names = " ".join(
        f'xmlns:{k}="urn:oasis:names:tc:opendocument:xmlns:{k}:1.0"' for k in ("office", "table", "text")
    )
    content = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f"<office:document-content {names}><office:body><office:spreadsheet>"
        f'<table:table table:name="s">{"".join(body)}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    manifest = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    with zipfile.ZipFile(tmp_path / "s.ods", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", f'<manifest:manifest xmlns:manifest="{manifest}"/>')
    data = report.read_table(tmp_path / "s.ods")
    assert (data["g"].tolist(), data["y"].tolist()) == (["a", "b"], [1.25, 2])


# ---- Arrow, and tables by function ---------------------------------------------------------------


def test_decimals_are_averaged_as_doubles(tmp_path):
    y = [decimal.Decimal(v) for v in (2, 3, 3, 5)]
    table = pa.table({"g": list("aabb"), "y": pa.array(y, pa.decimal128(5, 0))})
    pyarrow.parquet.write_table(table, tmp_path / "d.parquet")
    mean = float(np.mean([2, 3, 3, 5]))
    for data in (report.read_table(tmp_path / "d.parquet"), table, polars.from_arrow(table)):
        assert complete_pooling("y ~ 1", data).params["Intercept"] == mean
        assert partial_pooling("y ~ 1", data, "g").group_means["estimate"].mean() == pytest.approx(mean)


def test_dictionaries_with_nulls_lose_no_row_to_another_group(tmp_path):
    codes = pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 2, 0, 1]), pa.array(["x", "y", None]))
    table = pa.table({"g": codes, "y": [1.0, 2, 3, 4, 5, 7]})
    pyarrow.feather.write_feather(table, tmp_path / "d.feather")
    data = report.read_table(tmp_path / "d.feather")
    assert data["g"].isna().tolist() == [False, False, True, True, False, False]
    assert partial_pooling("y ~ 1", data, "g", missing="drop").nobs == 4


def test_single_precision_is_read_as_doubles_before_any_sum(tmp_path):
    y = np.full(3000, 16777217.0 / 3, dtype="float32")
    y[::3] += 1
    table = pa.table({"g": np.repeat(["a", "b", "c"], 1000), "y": y})
    pyarrow.feather.write_feather(table, tmp_path / "f.feather")
    expected = y.astype(float).mean()
    for data in (report.read_table(tmp_path / "f.feather"), table.to_pandas(), polars.from_arrow(table)):
        assert complete_pooling("y ~ 1", data).params["Intercept"] == pytest.approx(expected, rel=1e-14)


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.sav", b"$FL2 and nothing", "cannot be read as a file of SPSS"),
        ("x.sav", b"g,y\na,1\n", "no file of SPSS in spite of its name"),
        ("x.dta", b"<stata_dta>", "cannot be read as a file of Stata"),
        ("x.rds", b"RDX3\nnothing", "cannot be read as a file of R"),
        ("x.arrow", b"ARROW1\0\0none", "cannot be read as Arrow"),
        ("x.mdm", b"\0\1", "a data file of HLM"),
        ("x.wsz", b"\0\1", "a worksheet of MLwiN"),
        ("x.csv.gz", b"\x1f\x8b\x08 and more", "cannot be unpacked"),
        ("x.csv.xz", b"\xfd7zXZ\0 and more", "cannot be unpacked"),
        ("x.csv.zst", b"\x28\xb5\x2f\xfd and more", "cannot be unpacked"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        report.read_table(tmp_path / name)


def test_an_archive_of_two_files_is_refused(tmp_path):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.csv", "g,y\na,1\n")
        file.writestr("b.csv", "g,y\na,1\n")
    (tmp_path / "two.zip").write_bytes(archive.getvalue())
    with pytest.raises(ValueError, match="archive of 2 files"):
        report.read_table(tmp_path / "two.zip")


def test_a_reader_that_is_not_there_is_named(tmp_path, monkeypatch):
    small().to_excel(tmp_path / "s.xlsx", index=False)
    monkeypatch.setitem(__import__("sys").modules, "python_calamine", None)
    with pytest.raises(ValueError, match="a workbook, which needs python-calamine"):
        report.read_table(tmp_path / "s.xlsx")
