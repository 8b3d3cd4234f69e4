"""Text as programs and people write it: separators, names, marks of missing values, codes; wide tables."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from reported import file, leads

from helpers import partial_pooling
from helpers.report import report
from helpers.report.command import main
from helpers.report.files import text as rooms
from helpers.report.files.stored import LARGE, Stored
from helpers.tables.labels import as_numbers

CASES = Path(__file__).parents[1] / "cases"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("g y x\na 1.5 2\nb 2.5 3\n", "blanks"),
        ("  g   y  x\n  a  1.5   2\n  b  2.5   3\n", "blanks"),
        ('"g" "y" "x"\n"1" "a" 1.5 2\n"2" "b" 2.5 3\n', "blanks, row names"),
        ("sep=;\ng;y;x\na;1,5;2\nb;2,5;3\n", "semicolon, decimal comma"),
        ('"","g","y","x"\n"1","a",1.5,2\n"2","b",2.5,3\n', "comma, row names"),
        ("g\ty\tx\n1\ta\t1.5\t2\n2\tb\t2.5\t3\n", "tab, row names"),
    ],
)
def test_every_way_to_write_it_is_one_table(content, told, tmp_path):
    data = report.read_table(file(tmp_path, content))
    assert list(data.columns) == ["g", "y", "x"]
    assert data["g"].tolist() == ["a", "b"]
    assert data["y"].tolist() == [1.5, 2.5]
    assert data["x"].tolist() == [2, 3]
    assert data.attrs["read"] == f"fields separated by {told}"
    first = 3 if content.startswith("sep") else 2
    assert data.index.tolist() == [first, first + 1]


def test_row_names_that_say_something_stay(tmp_path):
    data = report.read_table(file(tmp_path, '"g" "y"\n"anna" "a" 1\n"bert" "a" 2\n"carl" "b" 3\n'))
    assert data["row names"].tolist() == ["anna", "bert", "carl"]


def test_quotes_inside_blanks_and_r_s_backslash(tmp_path):
    data = report.read_table(file(tmp_path, '"g" "y"\n"1" "a b" 1\n"2" "say \\"no\\"" 2\n'))
    assert data["g"].tolist() == ["a b", 'say "no"']


def test_a_line_of_values_is_not_taken_for_names(tmp_path):
    path = file(tmp_path, "26 A L\n30 A L\n54 B M\n25 B H\n")
    with pytest.raises(ValueError, match="has 'A', which lines below it have"):
        report.read_table(path)
    assert report.read_table(path, columns=["breaks", "wool", "tension"])["breaks"].tolist() == [
        26,
        30,
        54,
        25,
    ]
    years = report.read_table(file(tmp_path, "country,1990,1991\nA,1,2\nB,2,4\n"))
    assert list(years.columns) == ["country", "1990", "1991"]


@pytest.mark.parametrize("content", ["1,2.5\n1,3\n2,4\n2,7\n", "a 2.5\na 3\nb 4\nb 7\n"])
def test_a_file_without_names_wants_them(content, tmp_path):
    path = file(tmp_path, content)
    with pytest.raises(ValueError, match=r"has numbers \(.*\) where the names .* \(--columns\)"):
        report.read_table(path)
    data = report.read_table(path, columns=["g", "y"])
    assert data["y"].tolist() == [2.5, 3, 4, 7]
    assert data.index.tolist() == [1, 2, 3, 4]
    with pytest.raises(ValueError, match="has 2 fields, and columns has 3 names"):
        report.read_table(path, separator="," if "," in content else "blank", columns=["g", "y", "z"])


@pytest.mark.parametrize("mark", [" ", "#NULL!", ".", "NA", ""])
def test_marks_of_programs_are_missing(mark, tmp_path):
    path = file(tmp_path, f"g,y\na,1\na,{mark}\nb,2\nb,4\nc,{mark}\nc,9\n")
    data = report.read_table(path)
    assert data["y"].isna().tolist() == [False, True, False, False, True, False]
    assert data.attrs.get("missing", {}) == ({"y": {mark: 2}} if mark in (".", "#NULL!") else {})


def test_letters_after_a_point_are_missing_among_numbers_only(tmp_path):
    data = report.read_table(file(tmp_path, "g,y,t\na,1,.a\na,.a,no\nb,.b,.b\nb,.a,no\nc,7,no\n"))
    assert data["y"].isna().sum() == 3
    assert data.attrs["missing"] == {"y": {".a": 2, ".b": 1}}
    assert data["t"].tolist() == [".a", "no", ".b", "no", "no"]


def test_a_point_for_a_missing_value_is_counted_and_left_out():
    data = report.read_table(CASES / "missing_dot.csv")
    found = report.describe(data, "score", "ward", missing="drop")
    fit = found.fit
    assert [f"{v:.4f}" for v in (fit.psi, fit.theta, fit.params.iloc[0], fit.bse.iloc[0])] == [
        "6.7939", "0.9577", "11.2455", "0.9328",
    ]  # fmt: skip
    assert fit.nobs == 46


def test_rows_left_out_are_counted_by_column_and_reason(tmp_path):
    lines = ["g,y,x"] + [f"{'abcd'[k % 4]},{k * k % 11},{k % 7}" for k in range(40)]
    for row, line in ((3, "a,9,1"), (7, "b,9,2"), (11, "c,.,3"), (15, "d,4,"), (19, ",5,NA"), (23, ",6,1")):
        lines[row] = line
    path = file(tmp_path, "\n".join(lines))
    raw = pd.read_csv(path, na_values={"y": ["."]})
    nines = int((raw["y"] == 9).sum())
    raw["y"] = raw["y"].where(raw["y"] != 9)
    gone = raw.isna()
    data = report.read_table(path, missing_values={"y": [9]})
    told = (
        f"left out: y is missing in {gone['y'].sum()} (1 as ., {nines} as 9), x is missing in "
        f"{gone['x'].sum()}, g is missing in {gone['g'].sum()} ({(gone.sum(axis=1) > 1).sum()} lack more "
        "than one)."
    )
    found = report.describe(data, "y", "g", ["x"], missing="drop")
    assert found.fit.data.dropped == gone.any(axis=1).sum()
    assert told in found.warnings[0]
    two = report.describe(data.assign(h=data["g"].fillna("a") + (data["x"].fillna(0) > 3).astype(str)), "y",
                          ["g", "h"], missing="drop")  # fmt: skip
    assert f"y is missing in {gone['y'].sum()} (1 as ., {nines} as 9), g is" in two.warnings[0]


# ---- codes ---------------------------------------------------------------------------------------


def test_a_declared_code_is_missing_in_its_column_only():
    data = report.read_table(CASES / "code_nine.csv", missing_values={"admitted": [9]})
    raw = pd.read_csv(CASES / "code_nine.csv")
    assert data["student"].tolist() == raw["student"].tolist()
    assert data.attrs["missing"] == {"admitted": {"9": (raw["admitted"] == 9).sum()}}
    found = report.describe(data, "gpa", "student", ["admitted"], missing="drop")
    assert found.fit.nobs == (raw["admitted"] != 9).sum()
    assert f"{found.fit.params['admitted']:.4f}" == "0.4316"  # lme4
    assert f"{found.fit.bse['admitted']:.4f}" == "0.0975"


def test_the_command_leaves_a_declared_code_out_and_says_how_often(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = ["report", str(CASES / "code_nine.csv"), "--outcome", "gpa", "--group", "student"]
    asked += ["--predictors", "admitted", "--missing", "drop", "--table", "table.csv"]
    for said in (["9"], ["admitted=9"]):
        assert main([*asked, "--missing-values", *said]) == 0
        page = (tmp_path / "code_nine-report.html").read_text(encoding="utf-8")
        count = (pd.read_csv(CASES / "code_nine.csv")["admitted"] == 9).sum()
        assert f"Missing values by kind: admitted {count} as 9." in page
        table = pd.read_csv(tmp_path / "table.csv")
        slope = table[
            table["estimand"].str.contains("slope of admitted") & (table["method"] == "partial pooling")
        ]
        assert f"{slope['se'].iloc[0]:.4f}" == "0.0975"


def test_declared_codes_are_of_a_column(tmp_path):
    path = file(tmp_path, "g,y\na,1\na,-99\nb,3\nb,5\n")
    assert report.read_table(path, missing_values={"y": [-99]})["y"].isna().sum() == 1
    with pytest.raises(TypeError, match="for which column"):
        report.read_table(path, missing_values=[9])
    with pytest.raises(ValueError, match="no column 'z'"):
        report.read_table(path, missing_values={"z": [9]})


def of_values(values):
    """Whether the report warns of an outcome that has these values in turn."""
    y = np.resize(values, 120)
    data = pd.DataFrame({"g": np.repeat(np.arange(12), 10), "y": np.random.default_rng(1).permutation(y)})
    return "Values far off" in leads(report.describe(data, "y", "g"))


@pytest.mark.parametrize(
    ("values", "due"),
    [
        ([0, 1, 9], True), ([0, 1, 0, 1, 99], True), ([1, 2, 3, 4, 5, 9, 9], True), ([-9, 0, 1], True),
        ([1, 2, 3, 4, 5, 6, 7], False), ([0, 1, 2], False), ([0, 1, 5], False), ([7, 8, 9], False),
        ([0, 0, 0, 1, 1, 2, 3, 4, 4, 5, 5, 6, 7, 9], False), ([1, 2, 4, 9, 16], False), ([0.5, 1, 9], False),
    ],
)  # fmt: skip
def test_a_code_that_was_not_declared_is_warned_of_among_few_values_too(values, due):
    assert of_values(values) == due


def test_the_wards_of_code_nine_are_warned_of():
    found = report.describe(report.read_table(CASES / "code_nine.csv"), "gpa", "student", ["admitted"])
    assert any(w.startswith("Values far off: admitted has 9 in 84 rows") for w in found.warnings)


# ---- groups are names ----------------------------------------------------------------------------


@pytest.mark.parametrize("large", [False, True])
def test_long_ids_and_zeros_before_stay_whether_arrow_reads_them_or_not(large, tmp_path, monkeypatch):
    if large:
        monkeypatch.setattr(rooms, "_LARGE", 0)
    ids = [f"1234567890123456{k}" for k in range(8)]
    lines = [
        "id,z,y",
        *(f"{i},{k % 4:03d},{k + n * n}" for n in range(3) for k, i in enumerate(ids)),
        ",001,5",
    ]
    data = report.read_table(file(tmp_path, "\n".join(lines)))
    assert report.describe(data, "y", "id", missing="drop").fit.ngroups == 8
    found = report.describe(data, "y", "z", one="001")
    assert list(found.fit.data.labels) == ["000", "001", "002", "003"]


@pytest.mark.parametrize(
    "content",
    [
        "g,y,b\n01,1.10,TRUE\n1,1.1,true\n02,2,FALSE\n2,7,false\n",
        "g,y\n0x1F,1e3\n31,+5\n7, 8\n7,9 \n",
        'g,y\n"a, b",1\n"a\nb",2\n c ,3\nc,4\n',
        "g;y\na;1,5\nb;2\nc;-3,25\n",
        "g,y\na,.\nb,2\n",
        "g,y\n1,inf\n2,3\n",
        "g,y\n18446744073709551617,1\n18446744073709551618,2\n",
        "g,y\n,1\n2,2\n",
    ],
)
def test_arrow_and_pandas_read_one_table(content, tmp_path, monkeypatch):
    path = file(tmp_path, content)
    plain = report.read_table(path)
    monkeypatch.setattr(rooms, "_LARGE", 0)
    by_arrow = report.read_table(path)
    pd.testing.assert_frame_equal(plain.astype(object), by_arrow.astype(object))
    assert plain.attrs == by_arrow.attrs
    assert plain.index.tolist() == by_arrow.index.tolist()


@pytest.mark.parametrize("block", [60, 4 << 20])
@pytest.mark.parametrize(
    "content",
    [
        "g,y,x\n" + "".join(f"0{k % 7},{k / 8},{k % 5}\n" for k in range(90)),
        "g,y,x\n" + "".join(f"{k % 7},{k},{k * 0.37 + 0.5:.3f}\n" for k in range(90)) + "3,.,1\n2,NA,.a\n",
        "g,y,x\n" + "".join(f"{k % 7},{k + 1},{'fm'[k % 2]}\n" for k in range(90)) + "3,#NULL!,\n",
        "g,y,x\n" + "".join(f"{k % 7},{k + 0.5},1\n" for k in range(90)) + "x,+5, 7\n",
        "g,y,x\n" + "".join(f"{k % 7},{k + 0.5},{k * 1e9}\n" for k in range(90)) + "x,2e3,09\n",
        "g,y,x\n"
        + "".join(f"n{90 - k % 7},{k + 0.5},{k / 8}\n" for k in range(90))
        + " NA,1.5,nan\n#NULL!,2.5,.a\n",
        "g;y;x\n" + "".join(f"{k % 7},5;{k},25;{k / 8}\n".replace(".", ",") for k in range(90)),
    ],
    ids=["zeros before", "marks", "text", "plus sign", "late change", "names and marks", "decimal commas"],
)
def test_numbers_made_block_by_block_are_those_of_the_whole(content, block, tmp_path, monkeypatch):
    path, asked = file(tmp_path, content), {"numbers": ["y", "x"], "labels": ["g"]}
    plain = report.read_table(path, **asked)
    monkeypatch.setattr(rooms, "_LARGE", 0)
    monkeypatch.setattr(rooms.blocks, "_BLOCK", block)
    shares = []
    found = report.read_table(path, **asked, told=shares.append)
    assert shares[-1] == 1
    assert found.attrs.get("missing") == plain.attrs.get("missing")
    assert found["g"].astype(object).equals(plain["g"].astype(object))
    for name in ("y", "x"):
        one, other = (as_numbers(table[name]).astype(object) for table in (plain, found))
        assert one.where(one.notna(), None).tolist() == other.where(other.notna(), None).tolist()
    assert report.describe(found, "y", "g", missing="drop").fit.psi == pytest.approx(
        report.describe(plain, "y", "g", missing="drop").fit.psi, rel=1e-12
    )


def test_a_large_text_is_never_in_memory_whole(tmp_path, monkeypatch):
    lines = [f"g{k % 999},{k / 8},{k % 7}\n" for k in range(90_000)]
    path = file(tmp_path, "g,y,x\n" + "".join(lines) + "\n")
    assert path.stat().st_size > LARGE

    def whole(_):
        raise AssertionError("all bytes were asked for")

    monkeypatch.setattr(Stored, "whole", whole)
    found = report.read_table(path, numbers=["y", "x"], labels=["g"])
    assert found["y"].tolist() == [k / 8 for k in range(90_000)]
    assert found["g"].tolist() == [f"g{k % 999}" for k in range(90_000)]
    assert found.index[-1] == 90_001


@pytest.mark.parametrize("size", [1 << 8, 1 << 20])
def test_lines_longer_than_a_block_are_read(size, tmp_path, monkeypatch):
    monkeypatch.setattr(rooms, "_LARGE", 0)
    monkeypatch.setattr(rooms.blocks, "_BLOCK", size)
    path = file(tmp_path, "g,y,note\n" + "".join(f"a{k % 3},{k / 8},{'n' * 300}\n" for k in range(30)))
    found = report.read_table(path, numbers=["y"], labels=["g"])
    assert found["y"].tolist() == [k / 8 for k in range(30)]
    assert (found["note"] == "n" * 300).all()


@pytest.mark.parametrize("end", ["\r\n", "\r"])
@pytest.mark.parametrize("large", [False, True])
def test_lines_may_end_with_a_carriage_return(end, large, tmp_path, monkeypatch):
    if large:
        monkeypatch.setattr(rooms, "_LARGE", 0)
    path = file(tmp_path, "g,y\n".replace("\n", end) + "".join(f"a{k % 3},{k / 8}{end}" for k in range(40)))
    found = report.read_table(path, numbers=["y"], labels=["g"])
    assert found["y"].tolist() == [k / 8 for k in range(40)]
    assert found.index[-1] == 41


def test_names_of_large_text_are_categories_in_alphabetical_order(tmp_path, monkeypatch):
    monkeypatch.setattr(rooms, "_LARGE", 0)
    names = ["b", "\u00e4", "a b", "Z", "10", "NA", "a", ""]
    path = file(tmp_path, "g,y\n" + "".join(f"{names[k % 8]},{k / 8}\n" for k in range(80)))
    found = report.read_table(path, numbers=["y"], labels=["g"])["g"]
    assert found.cat.categories.tolist() == sorted(set(names) - {"NA", ""})
    assert found.isna().sum() == 20


def test_numbers_are_the_doubles_nearest_to_what_is_written(tmp_path):
    values = np.random.default_rng(2).normal(size=2000) * 10.0 ** np.arange(-100, 100).repeat(10)
    data = report.read_table(file(tmp_path, "g,y\n" + "".join(f"a,{v!r}\n" for v in values.tolist())))
    assert data["y"].tolist() == values.tolist()


# ---- wide tables ---------------------------------------------------------------------------------

WIDE = "person,sex,visit1,visit2,visit3\n" + "".join(
    f"p{k},{'fm'[k % 2]},{k + 1.5},{k * 1.1 + 3:.2f},{k * k % 7 + 4}\n" for k in range(12)
)


def test_a_wide_table_is_refused_with_the_option_that_works(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file(tmp_path, WIDE)
    asked = ["report", "data.csv", "--outcome", "score", "--group", "person"]
    assert main(asked) == 2
    told = capsys.readouterr().err
    assert "one row for each person, with 'visit1', 'visit2', 'visit3' side by side" in told
    option = "--long visit1 visit2 visit3 --as time score"
    assert option in told
    assert main([*asked, *option.split(), "--predictors", "time", "sex"]) == 0
    long = report.read_table("data.csv", long=["visit1", "visit2", "visit3"], names=("time", "score"))
    assert (len(long), long["time"].tolist()[:4]) == (36, [1, 2, 3, 1])
    by_pandas = pd.wide_to_long(pd.read_csv("data.csv"), "visit", "person", "time").reset_index()
    expected = report.describe(by_pandas, "visit", "person", ["time", "sex"])
    found = report.describe(long, "score", "person", ["time", "sex"])
    np.testing.assert_allclose(found.table["estimate"], expected.table["estimate"], rtol=1e-12)
    np.testing.assert_allclose(found.table["se"], expected.table["se"], rtol=1e-9)


def test_one_of_the_visits_as_outcome_is_refused_and_schools_of_persons_are_not(tmp_path):
    data = report.read_table(file(tmp_path, WIDE))
    with pytest.raises(ValueError, match=r"--long visit1 visit2 visit3 --as time value, and --outcome value"):
        report.describe(data, "visit2", "person")
    assert report.describe(data, "visit2", "sex").fit.ngroups == 2


def test_long_says_what_is_wrong(tmp_path):
    path = file(tmp_path, WIDE)
    for how, message in (
        ({"long": ["visit1", "visit9"]}, "no column 'visit9'"),
        ({"long": ["visit1"]}, "two different columns"),
        ({"long": ["visit1", "sex"]}, "column 'sex' is not of numbers"),
        ({"long": ["visit1", "visit2"], "names": ("sex", "v")}, "there is a column 'sex' already"),
    ):
        with pytest.raises(ValueError, match=message):
            report.read_table(path, **how)


def test_options_of_other_files_are_refused(tmp_path):
    path = file(tmp_path, "g,y\na,1\nb,2\n")
    with pytest.raises(ValueError, match="sheet is for workbooks"):
        report.read_table(path, sheet="x")
    with pytest.raises(ValueError, match="separator is for text"):
        report.read_table(CASES / "ward.sav", separator=",")


@pytest.mark.filterwarnings("error")
def test_a_native_file_by_the_command(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["report", str(CASES / "ward.sav"), "--outcome", "score", "--group", "ward"]) == 0
    assert capsys.readouterr().err == ""
    assert "ward.sav, a file of SPSS." in (tmp_path / "ward-report.html").read_text(encoding="utf-8")
    assert leads(report.describe(report.read_table(CASES / "ward.dta"), "score", "ward"))


def test_two_columns_name_a_group(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    nested = CASES / "implicit_nesting.csv"
    data = report.read_table(nested, group=["school", "class"])
    assert report.describe(data, "score", "school+class").fit.ngroups == 32
    fit = partial_pooling("score ~ 1", data, "school+class")
    assert [f"{v:.4f}" for v in (fit.psi, fit.theta, fit.params.iloc[0], fit.bse.iloc[0])] == [
        "16.7942", "30.5354", "48.4100", "0.7884",
    ]  # fmt: skip
    assert fit.ngroups == 32
    assert (
        main(["report", str(nested), "--outcome", "score", "--group", "school+class", "--one", "S2 / 1"]) == 0
    )
    with pytest.raises(ValueError, match="no column 'room'"):
        report.read_table(nested, group=["school", "room"])
    odd = file(tmp_path, "s,c,y\na,b / c,1\na / b,c,2\n")
    with pytest.raises(ValueError, match="would be called 'a / b / c'"):
        report.read_table(odd, group=["s", "c"])
