"""Files of SPSS, Stata and SAS: missing values by kind, value labels in the order of their codes, dates."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from ...tables.labels import Written
from .kinds import NATIVE, needed, one_line

_SPSS_DAY = r"(A|E|S|J)?DATE\d*|MOYR\d*|QYR\d*|WKYR\d*|DATETIME[\d.]*|YMDHMS[\d.]*"
_SAS_SECONDS = r"(E8601|B8601|N8601)?DT.*|DATETIME.*|DATEAMPM.*"
_SAS_DAYS = (
    r"DATE\d*|DAY\d*|DDMMYY.*|MMDDYY.*|YYMMDD.*|MONYY\d*|JULIAN\d*|YYQ.*|YYMM.*|MMYY.*|WEEKDATE.*|WORDDATE.*|"
    r"(E8601|B8601)DA.*|NLDATE\d*|EURDF(DD|DE|MY).*"
)
_EPOCHS = {"SPSS": "1582-10-14", "Stata": "1960-01-01", "SAS": "1960-01-01", "SAS transport": "1960-01-01"}


def read(path, kind, encoding) -> pd.DataFrame:
    """Read a file of a kind of `kinds.NATIVE` as `read_table` says."""
    program = NATIVE[kind]
    reader = needed("pyreadstat", path, f"a file of {program}")
    how = {"disable_datetime_conversion": True} | ({"encoding": encoding} if encoding else {})
    if kind in ("sav", "dta", "sas7bdat"):
        how["user_missing"] = True
    try:
        frame, meta = getattr(reader, {"xpt": "read_xport"}.get(kind, f"read_{kind}"))(path, **how)
    except Exception as error:  # pyreadstat's own kinds, and those of Cython
        raise ValueError(f"{str(path)!r} cannot be read as a file of {program}: {one_line(error)}") from None
    if not frame.shape[1]:
        raise ValueError(f"{str(path)!r} has no columns")
    columns, counted, coded, written = {}, {}, Written(), Written()
    for name in frame:
        column, kinds = _without_missing(frame[name], name, meta, program)
        if kinds:
            counted[name] = kinds
        labels = meta.variable_value_labels.get(name, {})
        column = _dates(column, str(meta.original_variable_types.get(name) or ""), program)
        if labels and column.dtype.kind != "M":
            column, codes = labelled(column, labels)
            if isinstance(column.dtype, pd.CategoricalDtype):
                coded[name] = codes
            elif codes:
                written[name] = codes
        columns[name] = column
    table = pd.DataFrame(columns)
    for key, found in (("written", written), ("coded", coded), ("missing", Written(counted))):
        if found:
            table.attrs[key] = found
    told = {
        name: label.strip() for name, label in meta.column_names_to_labels.items() if label and label.strip()
    }
    if told:
        table.attrs["labels"] = Written(told)
    table.attrs["read"] = f"a file of {program}"
    return table


def _without_missing(column, name, meta, program):
    """The column without its user-missing values, and how many there were of each kind."""
    gone = np.zeros(len(column), dtype=bool)
    if program == "SPSS":
        for span in (meta.missing_ranges or {}).get(name, []):
            low, high = span["lo"], span["hi"]
            gone |= ((column >= low) & (column <= high)).to_numpy(dtype=bool, na_value=False)
    elif pd.api.types.is_object_dtype(column) and name in (meta.missing_user_values or {}):
        gone = column.map(lambda value: isinstance(value, str)).to_numpy(dtype=bool)
    labels = meta.variable_value_labels.get(name, {})
    kinds = {}
    for value, count in column[gone].value_counts().items():
        mark = f".{value.lower()}" if program != "SPSS" else _plain(value)
        label = labels.get(value, "")
        kinds[f"{mark} ({label})" if label else mark] = int(count)
    if gone.any():
        column = column.where(~gone, np.nan)
    if pd.api.types.is_object_dtype(column) and not column.dropna().map(lambda v: isinstance(v, str)).any():
        column = column.astype(float)
    if not pd.api.types.is_numeric_dtype(column):
        column = column.where(column.notna() & (column != ""), np.nan)
    return whole(column), dict(sorted(kinds.items()))


def whole(column) -> pd.Series:
    """Doubles that are whole numbers as such, so that a group is called 1 and not 1.0."""
    if column.dtype.kind != "f":
        return column
    column = column.astype(float)
    known = column[column.notna()]
    if not len(known) or known.mod(1).any() or known.abs().max() >= 2**53:
        return column
    return column.astype("int64" if len(known) == len(column) else "Int64")


def _plain(value):
    return f"{value:g}" if isinstance(value, float) else str(value)


def labelled(column, labels) -> tuple[pd.Series, dict]:
    """Return a column with value labels, and label to code.

    Where all values that occur have labels it is one of categories, in the order of the codes. Else it stays
    as it is, and the labels are what its values are called as groups.
    """
    used = sorted(column.dropna().unique().tolist(), key=lambda code: (isinstance(code, str), code))
    there = [code for code in used if code in labels]
    if not there:
        return column, {}
    texts = [str(labels.get(code, _plain(code))).strip() or _plain(code) for code in used]
    twice = {text for text in texts if texts.count(text) > 1}
    texts = [
        f"{text} ({_plain(code)})" if text in twice else text for text, code in zip(texts, used, strict=True)
    ]
    known = dict(zip(texts, used, strict=True))
    if len(there) < len(used):
        return column, known if column.dtype.kind in "iuf" else {}
    places = pd.Index(used).get_indexer(pd.Index(column.astype(object).where(column.notna(), None)))
    return pd.Series(pd.Categorical.from_codes(places, texts), column.index, name=column.name), known


def _dates(column, form, program):
    """A column of days or moments as such."""
    if column.dtype.kind not in "iuf":
        return column
    form = form.upper().strip()
    if program == "SPSS":
        unit = "s" if re.fullmatch(_SPSS_DAY, form) else None
    elif program == "Stata":
        unit = {"D": "D", "C": "ms"}.get(form[2:3] if form.startswith("%-T") else form[1:3].removeprefix("T"))
        unit = unit if re.match(r"%-?T[DC]", form) else None
    else:
        unit = "s" if re.fullmatch(_SAS_SECONDS, form) else "D" if re.fullmatch(_SAS_DAYS, form) else None
    if unit is None:
        return column
    scale = {"D": 86400, "s": 1, "ms": 0.001}[unit]
    seconds = column.to_numpy(dtype=float, na_value=np.nan) * scale
    moments = np.full(len(seconds), np.datetime64("NaT", "s"))
    known = np.isfinite(seconds)
    moments[known] = np.datetime64(_EPOCHS[program], "s") + seconds[known].round().astype("timedelta64[s]")
    return pd.Series(moments, column.index, name=column.name)
