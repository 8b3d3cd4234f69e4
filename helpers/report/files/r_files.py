"""Files of R: a data frame of .rds or .RData, factors in the order of their levels, integer64 whole."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from ...tables.labels import Written
from .kinds import needed, one_line
from .native import labelled, whole


def read(raw, path, name) -> pd.DataFrame:
    """Read a data frame from what R's save or saveRDS wrote, as `read_table` says."""
    rdata = needed("rdata", path, "a file of R")
    classes = rdata.conversion.DEFAULT_CLASS_MAP | {
        "integer64": _integer64, "Date": _days, "POSIXct": _seconds, "AsIs": lambda values, attrs: values,
        "haven_labelled": _with_labels, "labelled": _with_labels, "difftime": lambda values, attrs: values,
        "noquote": lambda values, attrs: values, "table": lambda values, attrs: values,
    }  # fmt: skip
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of classes it does not know
            parsed = rdata.parser.parse_data(raw)
            found = rdata.conversion.convert(parsed, classes, default_encoding="utf-8")
    except Exception as error:  # what a reader of bytes raises
        raise ValueError(
            f"{str(path)!r} cannot be read as a file of R ({one_line(error)}): save it there with "
            "write.csv(data, row.names = FALSE)"
        ) from None
    if raw[:3] not in (b"RDX", b"RDA"):
        found = {"": found}
    frames = {key: value for key, value in found.items() if isinstance(value, pd.DataFrame)}
    if name is not None and name not in frames:
        raise ValueError(f"{str(path)!r} has no data frame {name!r}: it has {_list(frames)}")
    if not frames:
        raise ValueError(
            f"{str(path)!r} holds no data frame of R, but {_list(found) if any(found) else 'another object'}"
        )
    if name is None and len(frames) > 1:
        raise ValueError(
            f"{str(path)!r} has {len(frames)} data frames, {_list(frames)}: say which with sheet (--sheet)"
        )
    key = name if name is not None else next(iter(frames))
    table = _table(frames[key])
    table.attrs["read"] = f"data frame {key!r} of R" if key else "a data frame of R"
    return table


def _list(names):
    return ", ".join(repr(str(name)) for name in names) or "none"


def _table(frame):
    """The frame with columns as pandas has them, value labels beside it."""
    columns, coded = {}, Written()
    for name in frame.columns:
        column = pd.Series(frame[name].array)
        labels = getattr(column.array, "labels", None)
        if isinstance(column.dtype, pd.CategoricalDtype):
            columns[str(name)] = column
            continue
        if pd.api.types.is_object_dtype(column) and len(column) and isinstance(column.iloc[0], _Labelled):
            labels = column.iloc[0].labels
            column = whole(pd.Series([value.value for value in column], dtype=float))
        elif column.dtype == "string" or (pd.api.types.is_string_dtype(column) and column.dtype != object):
            column = column.astype(object).where(column.notna(), np.nan).astype("str")
        elif column.dtype == "boolean" and not column.isna().any():
            column = column.astype(bool)
        elif isinstance(column.dtype, pd.core.dtypes.dtypes.ExtensionDtype) and column.dtype.kind == "i":
            column = column if column.isna().any() else column.astype("int64")
        if labels:
            column, codes = labelled(column, labels)
            if isinstance(column.dtype, pd.CategoricalDtype):
                coded[name] = codes
        columns[str(name)] = column
    table = pd.DataFrame(columns)
    if coded:
        table.attrs["coded"] = coded
    return table


class _Labelled:
    """A number that R's haven has value labels for."""

    __slots__ = ("labels", "value")

    def __init__(self, value, labels):
        self.value, self.labels = value, labels


def _with_labels(values, attrs):
    """Values of haven's class, with the labels in each, for a frame of rdata has no place beside them."""
    labels = attrs.get("labels")
    codes = np.asarray(getattr(labels, "values", labels))
    names = (
        None
        if labels is None
        else labels.coords[labels.dims[0]].to_numpy()
        if hasattr(labels, "dims")
        else None
    )
    values = np.asarray(values)
    if names is None or values.dtype.kind not in "iuf":
        return values
    known = {float(code): str(label) for code, label in zip(codes, names, strict=True) if code == code}
    return np.array([_Labelled(float(value), known) for value in values], dtype=object)


def _integer64(values, attrs):
    """Whole numbers, whose bits R keeps in doubles; the least is NA."""
    whole = np.asarray(values, dtype=float).view("int64")
    gone = whole == np.iinfo("int64").min
    return pd.array(np.where(gone, 0, whole), dtype="Int64") if not gone.any() else _with_gaps(whole, gone)


def _with_gaps(whole, gone):
    found = pd.array(np.where(gone, 0, whole), dtype="Int64")
    found[gone] = pd.NA
    return found


def _days(values, attrs):
    return _moments(np.asarray(values, dtype=float) * 86400)


def _seconds(values, attrs):
    return _moments(np.asarray(values, dtype=float))


def _moments(seconds):
    moments = np.full(len(seconds), np.datetime64("NaT"), dtype="datetime64[s]")
    known = np.isfinite(seconds)
    moments[known] = seconds[known].round().astype("int64").astype("datetime64[s]")
    return moments
