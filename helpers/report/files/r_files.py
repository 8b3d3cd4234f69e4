"""Files of R: a data frame of .rds or .RData, factors in the order of their levels, integer64 whole."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd

from ...tables.labels import Written
from .kinds import needed, one_line
from .native import labelled, whole


def read(raw, path, name) -> pd.DataFrame:
    """Read a data frame from what R's save or saveRDS wrote, as `read_table` says."""
    rdata = needed("rdata", path, "a file of R")
    classes = dict(rdata.conversion.DEFAULT_CLASS_MAP)
    classes |= dict.fromkeys(("AsIs", "difftime", "noquote", "table"), lambda values, attrs: values)
    classes |= dict.fromkeys(("haven_labelled", "labelled"), _with_labels)
    classes |= {"data.frame": _frame, "integer64": _integer64, "Date": _days, "POSIXct": _seconds}
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
    frames = {key: value for key, value in found.items() if isinstance(value, _Frame)}
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
    told = table.attrs.pop("left out")
    table.attrs["read"] = (f"data frame {key!r} of R" if key else "a data frame of R") + told
    return table


def _list(names):
    return ", ".join(repr(str(name)) for name in names) or "none"


def _table(frame):
    """A data frame of R as pandas has it, value labels beside it."""
    columns, coded, left_out = {}, Written(), []
    for name, values in frame.columns.items():
        labels = {}
        if isinstance(values, _Labelled):
            values, labels = values
        if isinstance(values, list) or np.ndim(values) != 1:
            left_out.append(str(name))
            continue
        column = _column(values)
        if labels:
            column, codes = labelled(whole(column), labels)
            if isinstance(column.dtype, pd.CategoricalDtype):
                coded[str(name)] = codes
        columns[str(name)] = column
    table = pd.DataFrame(columns)
    if coded:
        table.attrs["coded"] = coded
    table.attrs["left out"] = f", without {', '.join(left_out)} (matrix or list)" if left_out else ""
    return table


def _column(values):
    """A vector of R: masked where it is NA, text as text."""
    if isinstance(values, np.ma.MaskedArray):
        if values.mask.any():
            kind = "boolean" if values.dtype.kind == "b" else "Int64"
            return pd.Series(pd.array(values.filled(0), dtype=kind)).mask(np.ma.getmaskarray(values))
        values = values.data
    if isinstance(values, np.ndarray) and values.dtype.kind in "OU":
        return pd.Series([value if isinstance(value, str) else np.nan for value in values], dtype="str")
    return pd.Series(values.astype("int64") if getattr(values, "dtype", None) == "int32" else values)


class _Frame(NamedTuple):
    """A data frame: name to vector."""

    columns: dict


class _Labelled(NamedTuple):
    """Numbers that R's haven has value labels for."""

    values: np.ndarray
    labels: dict


def _frame(columns, attrs):
    return _Frame(dict(columns)) if isinstance(columns, dict) else _Frame({})


def _with_labels(values, attrs):
    labels, values = attrs.get("labels"), np.asarray(values)
    if not hasattr(labels, "dims") or values.dtype.kind not in "iuf":
        return values
    names, codes = labels.coords[labels.dims[0]].to_numpy(), labels.to_numpy()
    return _Labelled(values, {float(c): str(n) for c, n in zip(codes, names, strict=True) if c == c})


def _integer64(values, attrs):
    """Whole numbers, whose bits R keeps in doubles; the least is NA."""
    whole = np.asarray(values, dtype=float).view("int64")
    gone = whole == np.iinfo("int64").min
    return np.ma.array(whole, mask=gone) if gone.any() else whole


def _days(values, attrs):
    return _moments(np.asarray(values, dtype=float) * 86400)


def _seconds(values, attrs):
    return _moments(np.asarray(values, dtype=float))


def _moments(seconds):
    moments = np.full(len(seconds), np.datetime64("NaT"), dtype="datetime64[s]")
    known = np.isfinite(seconds)
    moments[known] = seconds[known].round().astype("int64").astype("datetime64[s]")
    return moments
