"""A table of R calls beside their Python counterparts, each value held against what R printed."""

from __future__ import annotations

import re
import textwrap
from html import escape

import numpy as np

from .stated import StatedValueError, held, row_of

_STOPPED = 1e-5  # relative: how far from the optimum statsmodels' MixedLM may stop


class SideBySide:
    """The same quantities from R, statsmodels and this package, as `side_by_side` found them.

    Attributes
    ----------
    rows : list of tuple
        For each quantity: three of (code, value as shown), the note, and the lines of the checks.
    """

    def __init__(self, rows):
        self.rows = rows

    def __repr__(self):
        blocks = []
        for cells, note, checks in self.rows:
            lines = [
                f"{name:12} {code or '-'}" + (f": {value}" if value else "")
                for name, (code, value) in cells.items()
            ]
            if note:
                lines.append(f"{'':12} ({note})")
            blocks.append("\n".join([_wrapped(line) for line in lines] + checks))
        return "\n\n".join(blocks)

    def _repr_html_(self):
        left = 'style="text-align: left; vertical-align: top"'
        names = [*self.rows[0][0], "where they differ"]
        head = "".join(f'<th scope="col" {left}>{name}</th>' for name in names)
        lines = [f"<thead><tr>{head}</tr></thead>"]
        for cells, note, _ in self.rows:
            texts = [
                "<br>".join([f"<code>{_breakable(code)}</code>"] * bool(code) + [value] * bool(value))
                for code, value in cells.values()
            ]
            texts.append(escape(note))
            row = [
                f'<td data-side="{name}" {left}>{text}</td>' for name, text in zip(names, texts, strict=True)
            ]
            lines.append(f"<tr>{''.join(row)}</tr>")
        return '<table class="dataframe sides">' + "\n".join(lines) + "</table>"


def _breakable(code):
    """Return code as HTML that may be broken after brackets, dots and commas."""
    return re.sub(r"([(\[.,])", r"\1<wbr>", escape(code))


def _wrapped(line):
    """Return the line in as many as a page of the site needs."""
    return textwrap.fill(line, 79, subsequent_indent=" " * 15, break_long_words=False, break_on_hyphens=False)


def side_by_side(rows, names):
    """Hold the Python counterparts of R calls against what R printed, and show them in a table.

    Parameters
    ----------
    rows : list of tuple
        R call; row of the ledger with its value; expression for statsmodels; expression for this
        package; and, if there is something to say, where they differ. An expression is None where there
        is none, and (expression, row of the ledger) where statsmodels gives another number than R. A note
        that starts with "optimiser" lets statsmodels be off by 1e-5, and shows five digits of it.
    names : dict
        What the expressions use: ``globals()``.

    Returns
    -------
    SideBySide

    Raises
    ------
    KeyError
        If the ledger has no such row.
    ValueError
        If there are no rows, or neither expression is for R's own value.
    StatedValueError
        If a value does not round to the stated digits.

    Examples
    --------
    >>> import helpers
    >>> from helpers.course.side_by_side import side_by_side
    >>> fit = helpers.partial_pooling("score ~ 1", helpers.classrooms(), "classroom")
    >>> row = ("sigma(m)^2", "answer.mixed.theta", None, "fit.theta")
    >>> side_by_side([row], {"fit": fit})
    R            sigma(m)^2: 785.9
    statsmodels  -
    helpers      fit.theta: 785.9
                 (not in statsmodels)
    ✓ answer.mixed.theta: stated 785.9, computed 785.8655
    """
    if not rows:
        raise ValueError("rows must hold one quantity at least: there is nothing to compare")
    return SideBySide([_compared(*row, names=names) for row in rows])


def _compared(call, key, theirs, ours, note="", *, names):
    stated = row_of(key).value
    cells, checks = {"R": (call, "" if call.startswith("#") else stated)}, {}
    for name, code in [("statsmodels", theirs), ("helpers", ours)]:
        code, row = code if isinstance(code, tuple) else (code, key)
        if code is None:
            cells[name] = ("", "")
            continue
        value = np.asarray(eval(code, names), dtype=float).item()
        if name == "statsmodels" and note.startswith("optimiser"):
            if not np.isclose(value, float(stated), rtol=_STOPPED, atol=0):
                raise StatedValueError(f"{code} is {value!r}, too far from R's {stated}")
            cells[name] = (code, f"{value:#.5g}")
            continue
        line = held(row, value)
        cells[name] = (code, row_of(row).value)
        checks.setdefault(row, line)
    if key not in checks:
        raise ValueError(f"nothing in the row of {call!r} computes {key!r}")
    missing = [name for name, (code, _) in cells.items() if not code]
    if not note and missing:
        note = f"not in {missing[0]}"
    return cells, note, list(checks.values())
