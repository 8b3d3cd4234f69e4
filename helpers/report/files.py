"""A file in, a table out, however its fields are separated; what is in doubt is refused in words."""

from __future__ import annotations

import csv
import difflib
import io
import re
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd

from ..tables.labels import is_text, keep_written

_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_COMMA_NUMBER = r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?"
_MANY = 10_000  # rows, beyond which a column of fractions that hardly repeat is taken for a measurement
_WHOLE_NUMBER = r"[+-]?\d+(?:[eE][+-]?\d+)?"


def read_table(path, separator=None, decimal=None, encoding=None) -> pd.DataFrame:
    r"""Read a file with a line of column names, whatever separates its fields; refuse what is in doubt.

    Parameters
    ----------
    path : str or Path
        Text (CSV), or Parquet where pyarrow is installed.
    separator : {",", ";", "tab", "|"}, optional
        Without it: the one that splits the first lines into equally many fields, two or more.
    decimal : {".", ","}, optional
        Without it: the point; the comma where fields are not separated by commas, numbers with a comma are
        there, and none with a point.
    encoding : str, optional
        Without it: UTF-8, or UTF-16 where the file begins with its mark.

    Returns
    -------
    DataFrame
        How the file was read stands in ``attrs["read"]``; the index, ``"line"``, counts the lines of the
        file. What is empty or reads NA, n/a, NaN, null or None is missing, in every column. A column of
        numbers is numbers, but as groups its values are the texts of the file, 001 or 1.10, which
        ``attrs["written"]`` has. Where two texts are one number (1.1 and 1.10, 01 and 1, TRUE and true, ids
        of 17 digits with a blank among them) the column holds the texts; fits take them for numbers where
        an outcome or a predictor is meant, and in code of your own `pandas.to_numeric` does.

    Raises
    ------
    ValueError
        If the file is not there, is empty, is no text or of another encoding; if the separator is in doubt;
        if column names repeat, or a line has more fields than the first.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from helpers import report
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "scores.csv")
    ...     _ = file.write_text("class;score\na;1,5\na;2,5\nb;3\n", encoding="utf-8")
    ...     data = report.read_table(file)
    >>> data["score"].tolist(), data.attrs["read"]
    ([1.5, 2.5, 3.0], 'fields separated by semicolon, decimal comma')
    """
    path = Path(path)
    if separator not in (None, *_SEPARATORS, "tab"):
        raise ValueError(f'separator must be ",", ";", "tab" or "|"; got {separator!r}')
    if decimal not in (None, ".", ","):
        raise ValueError(f'decimal must be "." or ","; got {decimal!r}')
    if not path.exists():
        there = path.parent.iterdir() if path.parent.is_dir() else []
        close = difflib.get_close_matches(path.name, [file.name for file in there], 1, 0.8)
        raise ValueError(
            f"no file {path.name!r} in {str(path.parent.resolve())!r}"
            + (f"; did you mean {close[0]!r}?" if close else "")
        )
    if not path.is_file():
        raise ValueError(f"{str(path)!r} is no file")
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    if raw[:4] == b"PAR1":
        return _parquet(path)
    text = _decoded(raw, path, encoding)
    if not text.strip():
        raise ValueError(f"{str(path)!r} is empty")
    sample = text[:65536]
    if len(sample) < len(text):
        sample = sample[: max(sample.rfind("\n"), 0) or len(sample)]
    separator = "\t" if separator == "tab" else separator or _separator(sample, path)
    _refuse_bad_lines(sample, separator, path)
    sign = decimal or "."
    frame = _parsed(text, separator, sign, path)
    if decimal is None and separator != "," and _commas(frame):
        if any(frame[name].dtype.kind == "f" and frame[name].mod(1).any() for name in frame):
            raise ValueError(
                f"{str(path)!r} has numbers with a decimal point and with a decimal comma: say which with "
                "decimal"
            )
        sign, frame = ",", _parsed(text, separator, ",", path)
    texts = [k for k in range(frame.shape[1]) if _may_name(frame.iloc[:, k])]
    if texts:
        keep_written(frame, _parsed(text, separator, sign, path, texts).iloc[:, texts])
    told = _SEPARATORS[separator] + ("" if sign == "." else ", decimal comma")
    frame.attrs["read"] = f"fields separated by {told}"
    return _with_lines(frame, text, separator)


def _with_lines(frame, text, separator):
    """The frame with the line of the file that each row ends in as its index."""
    index = pd.RangeIndex(2, len(frame) + 2)
    if text.rstrip().count("\n") != len(frame):  # fields of more lines, or lines of nothing
        rows, index = csv.reader(io.StringIO(text, newline=""), delimiter=separator), []
        with suppress(csv.Error):
            index = [rows.line_num for row in rows if len(row) > 1 or "".join(row).strip()][1:]
    return frame.set_index(pd.Index(index, name="line")) if len(index) == len(frame) else frame


def _parquet(path):
    try:
        frame = pd.read_parquet(path)
    except ImportError:
        raise ValueError(f"{str(path)!r} is Parquet, which needs pyarrow: install it, or save CSV") from None
    except Exception as error:  # pyarrow's own kinds
        raise ValueError(f"{str(path)!r} cannot be read as Parquet: {_one_line(error)}") from None
    frame.attrs["read"] = "Parquet"
    return frame


def _decoded(raw, path, encoding):
    """The text of a file, without its byte order mark."""
    if raw[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        raise ValueError(
            f"{str(path)!r} is a workbook or an archive, not text: save the sheet as CSV (UTF-8)"
        )
    if encoding is None:
        encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        if encoding != "utf-16" and b"\0" in raw:
            raise ValueError(f"{str(path)!r} is no text (it holds zero bytes): save it as CSV (UTF-8)")
    try:
        return raw.decode(encoding)
    except LookupError:
        raise ValueError(f"there is no encoding {encoding!r}; try utf-8, cp1252 or latin-1") from None
    except UnicodeError as error:
        at = getattr(error, "start", 0)
        line = raw[:at].count(b"\n") + 1
        name = encoding.removesuffix("-sig")
        raise ValueError(
            f"{str(path)!r} is not {name}: line {line} has the byte 0x{raw[at]:02x}. Save it as UTF-8, or "
            "say its encoding, such as cp1252"
        ) from None


def _records(sample, separator):
    """The first hundred records that are not empty."""
    try:
        rows = csv.reader(io.StringIO(sample, newline=""), delimiter=separator)
        return [row for row, _ in zip((row for row in rows if row), range(100), strict=False)]
    except csv.Error:
        return []


def _separator(sample, path):
    agreed, longest = {}, 1
    for mark in _SEPARATORS:
        counts = [len(row) for row in _records(sample, mark)]
        longest = max([longest, *counts])
        if counts and counts[0] > 1:
            agreed[mark] = np.mean([count == counts[0] for count in counts])
    whole = [mark for mark, share in agreed.items() if share == 1] or list(agreed)
    if not whole:
        line = sample.splitlines()[0]
        raise ValueError(
            f"line 1 of {str(path)!r}, {line[:60]!r}, is one field, whether comma, semicolon, tab or bar "
            "separates; it must hold the names of the columns, two or more"
            + ("" if longest == 1 else ". Others have more: if line 1 is a title, take it out")
        )
    if len(whole) > 1:
        names = " or ".join(_SEPARATORS[mark] for mark in whole)
        raise ValueError(f"{str(path)!r} may be separated by {names}: say which with separator")
    return whole[0]


def _refuse_bad_lines(sample, separator, path):
    rows = _records(sample, separator) or [[]]
    names = [name.strip() for name in rows[0]]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise ValueError(f"{str(path)!r} has two columns called {twice[0]!r}: rename one of them")
    longer = {len(row) - len(names) for row in rows[1:]}
    if longer == {1} and rows[1][-1] != "":
        raise ValueError(
            f"every line of {str(path)!r} has one field more than the line of names: row names without a "
            "name? Save it without them"
        )


def _may_name(column):
    """Whether a column that was read as numbers may hold names written in figures, such as 01 or 1.10."""
    if isinstance(column.dtype, pd.StringDtype):
        return False
    if column.dtype.kind != "f" or len(column) <= _MANY or not column.mod(1).any():
        return True
    return column.nunique() <= len(column) / 2  # else most rows have a fraction of their own


def _parsed(text, separator, decimal, path, texts=()):
    """The text as a table, the columns at some places as text."""
    how = {"sep": separator, "decimal": decimal, "low_memory": False}
    try:
        if texts:
            names = pd.read_csv(io.StringIO(text), nrows=0, **how).columns
            how["dtype"] = {names[k]: str for k in texts}
        frame = pd.read_csv(io.StringIO(text), **how)
    except pd.errors.ParserError as error:
        found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        why = f"line {found[2]} has {found[3]} fields, the first {found[1]}" if found else _one_line(error)
        raise ValueError(f"{str(path)!r} cannot be read: {why}; is a quote missing?") from None
    except pd.errors.EmptyDataError:
        raise ValueError(f"{str(path)!r} is empty") from None
    frame.columns = [str(name).strip() for name in frame.columns]
    return frame


def _commas(frame):
    """Whether some column is of numbers with a decimal comma."""
    for name in frame:
        if not is_text(frame[name]):
            continue
        values = frame[name].dropna().astype(str).str.strip()
        comma = values.str.fullmatch(_COMMA_NUMBER)
        if comma.any() and (comma | values.str.fullmatch(_WHOLE_NUMBER)).all():
            return True
    return False


def _one_line(error):
    return " ".join(str(error).split())
