"""Wide tables, visits side by side: recognised, refused with what makes them long, and made long."""

from __future__ import annotations

import re

import pandas as pd

from ...tables.columns import columns_of
from ...tables.labels import Written

ROW = "row"


def side_by_side(names) -> list[list[str]]:
    """Return the columns that seem to be one, measured more than once: a stem and numbers.

    Examples
    --------
    >>> side_by_side(["id", "visit1", "visit2", "visit3", "age"])
    [['visit1', 'visit2', 'visit3']]
    """
    stems = {}
    for name in map(str, names):
        if found := re.fullmatch(r"(.*?)([._ -]?)(\d+)", name):
            stems.setdefault((found[1], found[2]), []).append(name)
    return [found for found in stems.values() if len(found) > 1]


def refuse(data, outcome, group, names):
    """Say so if a table has one row a group, and the outcome is one of several columns side by side."""
    if group not in names or not re.fullmatch(r"\w+", outcome):
        return
    sets = [
        found
        for found in side_by_side(name for name in names if name != group)
        if outcome in found or outcome not in names
    ]
    if not sets:
        return
    label = columns_of(data, [group])[group]
    if len(label) < 2 or label.isna().any() or label.duplicated().any():
        return
    value = outcome if outcome not in names else "value"
    raise ValueError(
        f"the table is wide: one row for each {group}, with {', '.join(map(repr, sets[0]))} side by side. "
        f"Make it long: {option(sets[0], value)}"
    )


def option(found, value) -> str:
    """The option of the command that makes columns one."""
    named = [f'"{name}"' if re.search(r"\W", name) else name for name in found]
    return f"--long {' '.join(named)} --as time {value}, and --outcome {value}"


def lengthened(frame, long, names) -> pd.DataFrame:
    """Return the frame with a row for each of some columns, those of one row together.

    Parameters
    ----------
    frame : DataFrame
    long : list of str
    names : pair of str
        Of the column that says which one it was, as a number where the names are one stem and numbers, and
        of the column of values.
    """
    long, (when, value) = list(long), names
    for name in long:
        if name not in frame.columns:
            raise ValueError(f"no column {name!r} among {', '.join(map(str, frame.columns))}")
    if len(set(long)) < 2 or len(set(long)) < len(long):
        raise ValueError("long must name two different columns or more")
    others = [name for name in frame.columns if name not in long]
    for name in (when, value):
        if name in others:
            raise ValueError(f"there is a column {name!r} already: call the new one otherwise (--as)")
    texts = [name for name in long if not pd.api.types.is_numeric_dtype(frame[name].dtype)]
    if texts:
        raise ValueError(f"column {texts[0]!r} is not of numbers: it cannot be one with the others")
    stacked = frame.copy(deep=False)
    if ROW not in others:
        stacked[ROW] = range(1, len(frame) + 1)
        others.append(ROW)
    place = stacked.index
    stacked = stacked.reset_index(drop=True).melt(others, long, when, value, ignore_index=False)
    stacked = stacked.sort_index(kind="stable")
    stacked.index = place[stacked.index]
    numbers = {name: re.fullmatch(r"(.*?)(\d+)", name) for name in long}
    if all(numbers.values()) and len({found[1] for found in numbers.values()}) == 1:
        stacked[when] = (
            stacked[when].map({name: int(found[2]) for name, found in numbers.items()}).astype("int64")
        )
    else:
        stacked[when] = pd.Categorical(stacked[when], long)
    stacked.attrs = {
        key: Written({name: found for name, found in kept.items() if name in others})
        if isinstance(kept, dict)
        else kept
        for key, kept in frame.attrs.items()
    }
    missing = {}
    for name in long:
        for kind, count in frame.attrs.get("missing", {}).get(name, {}).items():
            missing[kind] = missing.get(kind, 0) + count
    if missing:
        stacked.attrs["missing"] = Written(stacked.attrs.get("missing", {}) | {value: missing})
    stacked.attrs["read"] = f"{frame.attrs['read']}; {', '.join(long)} made one column, {value}, by {when}"
    return stacked
