"""Files: every kind of text is one table, and what is in doubt is refused in words."""

import re

import pytest
from reported import file, small

from helpers.report import report

BODY = [("a", "1.5", "2"), ("a", "2.5", "1"), ("b", "3.5", "4"), ("b", "1.25", "3")]


def written(separator, decimal=".", names=("g", "y", "x")):
    lines = [names, *BODY]
    return "\n".join(separator.join(v.replace(".", decimal) for v in line) for line in lines) + "\n"


@pytest.mark.parametrize(
    "content",
    [
        written(","), written(";"), written("\t"), written("|"), written(";", ","), written("\t", ","),
        written(",").replace("\n", "\r\n"), "\ufeff" + written(","), written(";", ",").encode("utf-16"),
        written(", "), written(",").replace("g,y,x", '"g","y","x"'),
    ],
)  # fmt: skip
def test_every_kind_of_text_gives_the_same_table(tmp_path, content):
    frame = report.read_table(file(tmp_path, content))
    assert list(frame.columns) == ["g", "y", "x"]
    assert frame["y"].tolist() == [1.5, 2.5, 3.5, 1.25]
    assert frame["x"].tolist() == [2, 1, 4, 3]


def test_how_the_file_was_read_is_said(tmp_path):
    assert report.read_table(file(tmp_path, written(";", ","))).attrs["read"] == (
        "fields separated by semicolon, decimal comma"
    )


def test_commas_in_quotes_do_not_separate(tmp_path):
    text = 'g,y\n"a, b",1\n"a, b",2\n"c\nd",3\n"c\nd",4\n'
    frame = report.read_table(file(tmp_path, text))
    assert frame["g"].tolist() == ["a, b", "a, b", "c\nd", "c\nd"]
    assert frame.index.tolist() == [2, 3, 5, 7]


def test_parquet_is_read(tmp_path):
    small().to_parquet(tmp_path / "data.parquet")
    found = report.describe(report.read_table(tmp_path / "data.parquet"), "y", "g")
    assert found.fit.nobs == 24
    with pytest.raises(ValueError, match="cannot be read as Parquet"):
        report.read_table(file(tmp_path, b"PAR1 and nothing", "bad.parquet"))


BAD_FILES = {
    "empty": (b"", "is empty"),
    "blank": (b"\n \n", "is empty"),
    "binary": (bytes(range(256)) * 4, "is no text"),
    "workbook": (b"PK\x03\x04 and more", "is a workbook"),
    "latin": ("g,y\né,1\n".encode("latin-1"), "is not utf-8: line 2 has the byte 0xe9"),
    "one column": (b"y\n1\n2\n", "'y', is one field, whether"),
    "title": (
        b"My survey\ng,y\na,1\n",
        "'My survey', is one field, whether comma, semicolon, tab or bar "
        "separates; it must hold the names of the columns, two or more. Others have more: if line 1 is",
    ),
    "twice": (b"g,y,y\na,1,2\n", "two columns called 'y'"),
    "row names": (b"g,y\n1,a,2\n1,b,3\n", "one field more"),
    "long line": (b"g,y\na,1\na,2\na,1,2\n", "line 4 has 3 fields, the first 2"),
    "open quote": (b'g,y\n"a,1\na,2\n', "cannot be read"),
    "in doubt": (b"g;a,y;b\n1;2,3;4\n1;2,3;4\n", "may be separated by comma or semicolon"),
    "both marks": (b"g;y;x\na;1,5;1.25\nb;2,5;2.5\n", "decimal point and with a decimal comma"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_refused_in_words(name, tmp_path):
    content, message = BAD_FILES[name]
    with pytest.raises(ValueError, match=re.escape(message)):
        report.read_table(file(tmp_path, content))


def test_a_file_that_is_not_there_is_refused_with_a_hint(tmp_path):
    file(tmp_path, "g,y\n", "scores.csv")
    with pytest.raises(ValueError, match=r"no file .*did you mean 'scores.csv'"):
        report.read_table(tmp_path / "score.csv")
    file(tmp_path, "g,y\n", "one.csv")
    with pytest.raises(
        ValueError, match=re.escape(f"no file 'nofile.csv' in {str(tmp_path.resolve())!r}") + "$"
    ):
        report.read_table(tmp_path / "nofile.csv")
    with pytest.raises(ValueError, match="has no Parquet file in it"):
        report.read_table(tmp_path)
    with pytest.raises(ValueError, match="the table has no rows"):
        report.describe(report.read_table(tmp_path / "scores.csv"), "y", "g")


def test_what_was_said_is_heeded(tmp_path):
    path = file(tmp_path, "g;y\né;1,5\né;2\nb;3\nb;4\n".encode("latin-1"))
    frame = report.read_table(path, separator=";", decimal=",", encoding="latin-1")
    assert frame["y"].tolist() == [1.5, 2, 3, 4]
    for wrong, message in (
        ({"separator": "x"}, "separator must be"),
        ({"decimal": ";"}, "decimal must be"),
        ({"encoding": "klingon"}, "no encoding 'klingon'"),
    ):
        with pytest.raises(ValueError, match=message):
            report.read_table(path, **wrong)
