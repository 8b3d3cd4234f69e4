"""Text, however its fields are separated, with a line of names or without."""

from __future__ import annotations

import csv
import io
import re
from contextlib import suppress

import numpy as np
import pandas as pd

from . import blocks, typed
from .kinds import one_line
from .stored import LARGE as _LARGE

_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_BLANK = " "
_NAMED = {"tab": "\t", "blank": _BLANK}
_SAMPLE = 65536  # letters
_MARKS_OF_16 = (b"\xff\xfe", b"\xfe\xff")
_NUMBER = re.compile(r"\s*[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?\s*")
ROW_NAMES = "row names"


def check(separator, decimal):
    """Refuse what is no separator or decimal mark."""
    if separator not in (None, *_SEPARATORS, *_NAMED, _BLANK):
        raise ValueError(f'separator must be ",", ";", "tab", "|" or "blank"; got {separator!r}')
    if decimal not in (None, ".", ","):
        raise ValueError(f'decimal must be "." or ","; got {decimal!r}')


def read(
    stored, path, separator, decimal, encoding, columns=None, numbers=(), labels=None, told=None
) -> pd.DataFrame:
    """Read text as `read_table` says; ``numbers``, ``labels`` and ``told`` as of `blocks.read`."""
    plain = encoding in (None, "utf-8", "utf8", "UTF-8") and stored.head[:2] not in _MARKS_OF_16
    large = plain and stored.size > _LARGE  # then Arrow, if it is there, splits the lines: four times as fast
    head = stored.head[: stored.head.rfind(b"\n") + 1] if large else b""
    sampled = head.strip() and not stored.seen.zeros
    text = _decoded(head if sampled else stored.whole(), path, encoding)
    if not text.strip():
        raise ValueError(f"{str(path)!r} is empty")
    sample, skip = text[:_SAMPLE], 0
    if len(sample) < len(text):
        sample = sample[: max(sample.rfind("\n"), 0) or len(sample)]
    said = re.match(r'"?sep=(.)"?\r?\n', sample)
    if said:  # Excel's
        sample, skip = sample[said.end() :], 1
        separator = separator or said[1]
        check(separator, decimal)
    separator = _NAMED.get(separator, separator) or _separator(sample, path, columns)
    rows = _records(sample, separator) or [[]]
    names, lines_before, row_names = _names(rows, columns, path, sample)
    texts = None
    if large and separator != _BLANK and not any("\n" in name for name in names):
        ends = stored.seen.ends
        if decimal == ",":
            numbers, labels = (), None
        texts = blocks.read(stored, separator, names, skip + lines_before, numbers, labels, told)
    if texts is None:
        text = _decoded(stored.whole(), path, encoding)
        ends = text.rstrip().count("\n")
        texts = _by_pandas(text, separator, names, skip, lines_before, path)
    sure = decimal or ("." if separator == "," else None)
    frame, comma = typed.frame_of(texts, sure, path)
    if row_names:
        frame = _without_row_names(frame, path)
    told = (
        "fields separated by " + _SEPARATORS.get(separator, "blanks") + (", decimal comma" if comma else "")
    )
    told += ", row names" if row_names else ""
    told += ", columns as named" if columns is not None else ""
    frame.attrs["read"] = told
    first = skip + lines_before
    index = pd.RangeIndex(first + 1, first + 1 + len(frame))
    if ends + 1 - first != len(frame):  # fields of more lines, or lines of nothing
        index = _lines(_decoded(stored.whole(), path, encoding), separator, skip, lines_before)
    return frame.set_index(pd.Index(index, name="line")) if len(index) == len(frame) else frame


def _lines(text, separator, skip, before):
    """The line of the file in which each record ends."""
    ends = []
    with suppress(csv.Error):
        rows = _reader(text, separator)
        ends = [rows.line_num for row in rows if len(row) > 1 or "".join(row).strip()]
    return ends[skip + before :]


def _decoded(raw, path, encoding):
    """The text of a file, without its byte order mark."""
    if encoding is None:
        encoding = "utf-16" if raw[:2] in _MARKS_OF_16 else "utf-8-sig"
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


def _reader(text, separator):
    blank = separator == _BLANK
    lines = io.StringIO(text, newline="")
    # R's write.table puts a backslash before a quote, where CSV has two quotes.
    how = {"escapechar": "\\", "doublequote": False} if blank else {}
    return csv.reader((line.strip(" \t\r\n") for line in lines) if blank else lines,
                      delimiter=separator, skipinitialspace=blank, **how)  # fmt: skip


def _records(sample, separator):
    """The first hundred records that are not empty."""
    if separator == _BLANK:
        sample = sample.replace("\t", " ")
    try:
        return [
            row
            for row, _ in zip((row for row in _reader(sample, separator) if row), range(100), strict=False)
        ]
    except csv.Error:
        return []


def _separator(sample, path, columns):
    agreed, longest = {}, 1
    for mark in _SEPARATORS:
        counts = [len(row) for row in _records(sample, mark)]
        longest = max([longest, *counts])
        if counts and counts[0] > 1:
            agreed[mark] = np.mean([count == counts[0] for count in counts])
    whole = [mark for mark, share in agreed.items() if share == 1] or list(agreed)
    if not whole and _by_blanks(sample, columns):
        return _BLANK
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


def _by_blanks(sample, columns):
    """Whether blanks split all lines alike; a line of names may have one field less (R's row names)."""
    counts = [len(row) for row in _records(sample, _BLANK)]
    if len(counts) < 2 or len(set(counts[1:])) > 1:
        return False
    if columns is not None:
        return counts[0] == counts[1] == len(columns)
    return counts[1] > 1 and counts[0] in (counts[1], counts[1] - 1)


def _names(rows, columns, path, sample):
    """Names of the columns, how many lines hold them, and whether the first column is of row names."""
    if columns is not None:
        columns = [str(name) for name in columns]
        if len(columns) != len(rows[0]):
            raise ValueError(
                f"line 1 of {str(path)!r} has {len(rows[0])} fields, and columns has {len(columns)} names"
            )
        _refuse_twice(columns, path)
        return columns, 0, False
    names = [name.strip() for name in rows[0]]
    numbers = [name for name in names if _NUMBER.fullmatch(name)]
    if (names and len(numbers) == len(names)) or any(re.search(r"[.,]\d", name) for name in numbers):
        raise ValueError(
            f"line 1 of {str(path)!r} has numbers ({numbers[0]}) where the names of the columns should be: "
            f"name all {len(rows[0])} with columns (--columns)"
        )
    _refuse_twice(names, path)
    longer = {len(row) - len(names) for row in rows[1:]}
    row_names = longer == {1} and rows[1][-1] != ""
    if row_names:
        ids = [row[0] for row in rows[1:]]
        if len(set(ids)) < len(ids):
            raise ValueError(
                f"every line of {str(path)!r} has one field more than the line of names, and the first are "
                "no names of rows, which would differ: name all columns"
            )
        names = [ROW_NAMES, *names]
    elif names[0] == "" and "" not in names[1:]:  # R's write.csv, pandas' to_csv
        names, row_names = [ROW_NAMES, *names[1:]], True
    _refuse_values(names, rows[1:], path)
    line = re.match(r"(\s*\n)*", sample)[0].count("\n") + 1
    return names, line, row_names


def _refuse_values(names, rows, path):
    """Say so if the line of names holds values: text that is found below it, beside a number."""
    if not any(_NUMBER.fullmatch(name) for name in names):
        return
    for k, name in enumerate(names):
        below = {row[k].strip() for row in rows if k < len(row)}
        if name and not _NUMBER.fullmatch(name) and name in below:
            raise ValueError(
                f"line 1 of {str(path)!r} has {name!r}, which lines below it have in the same column: if it "
                f"is no line of names, name all {len(names)} with columns (--columns)"
            )


def _refuse_twice(names, path):
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise ValueError(f"{str(path)!r} has two columns called {twice[0]!r}: rename one of them")


def _without_row_names(frame, path):
    """The frame without row names that only count the rows."""
    names = frame[ROW_NAMES]
    if names.duplicated().any():
        raise ValueError(
            f"{str(path)!r} has a column without a name at its left, of values that repeat: name it"
        )
    attrs = frame.attrs
    if names.dtype.kind == "i" and (names.diff().iloc[1:] == 1).all():
        frame = frame.drop(columns=ROW_NAMES)
    frame.attrs = attrs
    return frame


def _by_pandas(text, separator, names, skip, before, path):
    how = {"sep": r"\s+" if separator == _BLANK else separator, "keep_default_na": False, "dtype": str}
    how |= {"escapechar": "\\"} if separator == _BLANK else {}
    names = [name or f"Unnamed: {k}" for k, name in enumerate(names)]
    how |= {"names": names, "header": 0 if before else None, "skiprows": skip, "index_col": False}
    lines = io.StringIO(text)
    try:
        _refuse_long(text, separator, len(names), path)
        frame = pd.read_csv(lines, **how)
    except pd.errors.ParserError as error:
        found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        why = f"line {found[2]} has {found[3]} fields, the first {found[1]}" if found else one_line(error)
        raise ValueError(f"{str(path)!r} cannot be read: {why}; is a quote missing?") from None
    except pd.errors.EmptyDataError:
        raise ValueError(f"{str(path)!r} is empty") from None
    return {name: frame[name] for name in names}


def _refuse_long(text, separator, width, path):
    """Say so if a line has more fields than the first, which pandas would cut off."""
    with suppress(csv.Error):
        rows = _reader(text, separator)
        for row in rows:
            if len(row) > width and "".join(row[width:]).strip():
                raise ValueError(
                    f"{str(path)!r} cannot be read: line {rows.line_num} has {len(row)} fields, the first "
                    f"{width}; is a quote missing?"
                )
