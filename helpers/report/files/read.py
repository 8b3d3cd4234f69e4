"""The door: what kind of file it is, which room reads it, and what is said of how it was read."""

from __future__ import annotations

from glob import has_magic
from pathlib import Path

import pandas as pd

from . import arrow, excel, missing, native, r_files, text, wide
from .kinds import NATIVE, kind_of, may_be_packed, unpacked
from .stored import Stored
from .together import together


def read_table(
    path,
    separator=None,
    decimal=None,
    encoding=None,
    *,
    sheet=None,
    columns=None,
    missing_values=None,
    long=None,
    names=("time", "value"),
    group=None,
    numbers=(),
    labels=None,
    told=None,
) -> pd.DataFrame:
    r"""Read a table from a file, whichever program wrote it; refuse what is in doubt.

    Parameters
    ----------
    path : str or Path
        Text with a line of column names (CSV and its relatives, what R's write.table writes), packed by gz,
        bz2, xz, zst or zip or not; and, with the packages of the extra ``files``: SPSS (.sav, .zsav, .por),
        Stata (.dta), SAS (.sas7bdat, .xpt), Excel and its relatives (.xlsx, .xls, .xlsb, .ods), R (.rds,
        .RData), Parquet, Feather and Arrow. A folder of Parquet files or a glob of them,
        ``"parts/*.parquet"``, is one table, with polars or DuckDB.
    separator : {",", ";", "tab", "|", "blank"}, optional
        Without it: what a first line ``sep=;`` says, or the one that splits the first lines into equally
        many fields, two or more; blanks if no other does.
    decimal : {".", ","}, optional
        Without it: the point; the comma where fields are not separated by commas, numbers with a comma are
        there, and none with a point.
    encoding : str, optional
        Without it: UTF-8, or UTF-16 where the file begins with its mark; of files that are no text, what
        they say.
    sheet : str, optional
        Which sheet of a workbook, or which object of an .RData file; the only one without it.
    columns : list of str, optional
        The names of the columns, of text that has no line of names.
    missing_values : dict of str to list, or callable, optional
        Codes that stand for a missing value, by column: ``{"income": [9, 99]}``; or what makes this
        dictionary of the list of columns.
    long : list of str, optional
        Columns of a wide table that are one: each row becomes as many rows as there are columns.
    names : pair of str
        With ``long``: what the column is called that says which column it was, and the one of its values.
    group : list of str, optional
        Columns that name the groups together; ``["school", "class"]`` adds a column ``"school+class"``.
    numbers : sequence of str
        Columns of large text that are to be measurements if they can be, and no names: 1.1 and 1.10 are one
        then, and their texts are not kept, which spares time and memory.
    labels : sequence of str, optional
        Columns of large text that are to be names; those of text are categories in alphabetical order. If it
        is given, others whose fractions hardly repeat are taken for measurements, too.
    told : callable, optional
        Called with the share of a large text that was read so far, as it is read.

    Returns
    -------
    DataFrame
        How the file was read stands in ``attrs["read"]``; the index of text, ``"line"``, counts the lines of
        the file. In text, what is empty or blank or reads NA, n/a, NaN, null, None, #NULL! or . is missing,
        and among numbers .a to .z too. A column of numbers is numbers, but as groups its values are the
        texts of the file, 001 or 1.10, which ``attrs["written"]`` has. Where two texts are one number (1.1
        and 1.10, 01 and 1, TRUE and true, ids of 17 digits with a blank among them) the column holds the
        texts; fits take them for numbers where an outcome or a predictor is meant, and in code of your own
        `pandas.to_numeric` does.

        SPSS's user-missing values and the .a to .z of Stata and SAS are missing; how many of each kind is
        in ``attrs["missing"]``. Columns with value labels are categories in the order of their *codes*
        (``attrs["coded"]``), so that the reference level is the same from every program; where such a
        column is the outcome, fits take the codes. Variable labels are in ``attrs["labels"]``.

    Raises
    ------
    ValueError
        If the file is not there, is empty, is of a kind that is not read or of another encoding, or the
        package that reads it is missing; if the separator or the sheet is in doubt; if column names
        repeat, or a line has more fields than the first.

    Notes
    -----
    pandas 3.1 sorts SPSS's value labels as text, pyreadstat 1.3.7 takes the days of SAS transport files for
    seconds, pyreadr 0.5.8 hands over the bits of R's integer64: here labels keep the order of their codes,
    days are days, and integer64 are whole numbers.

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
    text.check(separator, decimal)
    several = path.is_dir() or (has_magic(str(path)) and not path.exists())
    stored, packed = (None, "") if several else _unpacked(Stored(path), path)
    within = path.with_suffix("") if packed and path.suffix.lower() in _PACKED else path
    kind = "folder" if several else kind_of(stored.head, within)
    if kind == "text":
        frame = text.read(stored, path, separator, decimal, encoding, columns, numbers, labels, told)
    else:
        for option, value in (("separator", separator), ("decimal", decimal), ("columns", columns)):
            if value is not None:
                raise ValueError(f"{option} is for text; {str(path)!r} is none")
        if kind in NATIVE:
            if packed:
                raise ValueError(f"{str(path)!r} is a packed file of {NATIVE[kind]}: unpack it")
            frame = native.read(path, kind, encoding)
        elif kind == "excel":
            frame = excel.read(stored.whole(), path, sheet)
        elif kind == "r":
            frame = r_files.read(stored.whole(), path, sheet)
        else:
            frame = arrow.read_all(path) if several else arrow.read(stored.whole(), path, kind)
    if sheet is not None and kind not in ("excel", "r"):
        raise ValueError(f"sheet is for workbooks and files of R; {str(path)!r} is neither")
    del stored  # and what was unpacked
    if packed:
        frame.attrs["read"] += f", unpacked ({packed})"
    if callable(missing_values):
        missing_values = missing_values(list(frame.columns))
    if missing_values:
        frame = missing.declared(frame, missing_values)
    if long is not None:
        frame = wide.lengthened(frame, long, names)
    return frame if group is None else together(frame, list(group))


_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")


def _unpacked(stored, path):
    """What is in a file that may be packed, and how it was packed."""
    if not may_be_packed(stored.head):
        return stored, ""
    raw, packed = unpacked(stored.whole(), path)
    return (Stored(path, raw), packed) if packed else (stored, "")
