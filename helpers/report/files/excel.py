"""Workbooks: a sheet's cells as they are, numbers, texts and dates."""

from __future__ import annotations

import io
from datetime import date, datetime, time, timedelta

import pandas as pd

from . import typed
from .kinds import needed, one_line


def read(raw, path, sheet) -> pd.DataFrame:
    """Read a sheet of .xlsx, .xlsm, .xlsb, .xls or .ods as `read_table` says."""
    calamine = needed("python_calamine", path, "a workbook")
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(raw))
    except Exception as error:  # calamine's own kinds
        raise ValueError(
            f"{str(path)!r} is a workbook or an archive that cannot be read ({one_line(error)}): save the "
            "sheet as CSV (UTF-8)"
        ) from None
    names = book.sheet_names
    if sheet is not None and sheet not in names:
        raise ValueError(f"{str(path)!r} has no sheet {sheet!r}: it has {', '.join(map(repr, names))}")
    try:
        found = {name: _rows(book, name) for name in ([sheet] if sheet is not None else names)}
    except Exception as error:
        raise ValueError(f"{str(path)!r} has a sheet that cannot be read: {one_line(error)}") from None
    filled = [name for name, rows in found.items() if rows]
    if not filled:
        raise ValueError(f"{str(path)!r} has no cells" + (f" in sheet {sheet!r}" if sheet else ""))
    if len(filled) > 1:
        raise ValueError(
            f"{str(path)!r} has {len(filled)} sheets with cells, {', '.join(map(repr, filled))}: say which "
            "with sheet (--sheet)"
        )
    frame = _table(found[filled[0]], path)
    frame.attrs["read"] = f"sheet {filled[0]!r} of a workbook" + frame.attrs.pop("dates", "")
    return frame


def _rows(book, name):
    """Rows of a sheet that have a cell, each with its number, from the first column that has one."""
    sheet = book.get_sheet_by_name(name)
    rows = [(k, row) for k, row in enumerate(sheet.to_python(skip_empty_area=False), 1)]
    rows = [(k, row) for k, row in rows if any(cell != "" for cell in row)]
    left = min((next(i for i, cell in enumerate(row) if cell != "") for _, row in rows), default=0)
    return [(k, row[left:]) for k, row in rows]


def _table(rows, path):
    (line, head), body = rows[0], rows[1:]
    names = [str(name).strip() for name in head]
    if sum(name != "" for name in names) == 1 and body and sum(cell != "" for cell in body[0][1]) > 1:
        raise ValueError(
            f"row {line} of {str(path)!r} has one cell, {names[0][:60]!r}; it must hold the names of the "
            "columns: if it is a title, take it out"
        )
    if all(isinstance(name, int | float) for name in head if name != ""):
        raise ValueError(f"row {line} of {str(path)!r} has numbers where the names of the columns should be")
    texts, dates = {}, []
    for k, name in enumerate(names):
        cells = [row[k] if k < len(row) else "" for _, row in body]
        if name == "" and all(cell == "" for cell in cells):
            continue
        name = name or f"Unnamed: {k}"
        if name in texts:
            raise ValueError(f"{str(path)!r} has two columns called {name!r}: rename one of them")
        kinds = [isinstance(cell, date | datetime) for cell in cells if cell != ""]
        if any(kinds):
            dates.append((name, sum(kinds), len(kinds)))
        texts[name] = pd.Series([_text(cell) for cell in cells], dtype="str")
    frame, _ = typed.frame_of(texts, ".", path)
    frame.attrs["dates"] = "".join(
        f"; {name} has dates in {count} of {of} cells: did Excel make them of names such as 1-2?"
        for name, count, of in dates
    )
    return frame.set_index(pd.Index([k for k, _ in body], name="line"))


def _text(cell):
    """A cell as CSV has it; a whole number without a point."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ") if cell.time() != time() else cell.date().isoformat()
    if isinstance(cell, timedelta | date | time):
        return str(cell)
    return str(cell)
