"""The ledger of stated values, the answers of the exercises, and the checks the notebooks call."""

from __future__ import annotations

import json
import re
import textwrap
from decimal import Decimal, InvalidOperation
from functools import cache
from html import escape
from importlib.resources import files

import numpy as np
import pandas as pd

_CHECK = re.compile(r"^✓ (\S+): stated (\S+), computed (\S+)$", re.MULTILINE)
_SAME = 1e-6  # relative: what is left of another order of adding up
_STOPPED = 1e-5  # relative: how far from the optimum statsmodels' MixedLM may stop


class StatedValueError(AssertionError):
    """A computed value does not round to the digits that were stated."""


@cache
def ledger():
    """Return the ledger: ``id`` (index), ``quantity``, ``value`` (text, as printed), ``source``."""
    with files(__package__).joinpath("data", "stated_values.csv").open("rb") as file:
        rows = pd.read_csv(file, dtype=str, keep_default_na=False).set_index("id")
    if not rows.index.is_unique:
        raise ValueError(f"the ledger states {rows.index[rows.index.duplicated()][0]!r} twice")
    return rows


@cache
def exercises():
    """Return the exercises: id to ``answer`` (list of numbers), ``what`` (their names) and ``hints``."""
    text = files(__package__).joinpath("data", "exercises.json").read_text(encoding="utf-8")
    return json.loads(text)


def rounds_to(value, stated):
    """Whether a value, rounded to the decimals that were printed, gives just those digits.

    Parameters
    ----------
    value : float
    stated : str
        As printed: ``"4.716"``, ``"-0.7621"``, ``"7.2e-11"``.

    Returns
    -------
    bool

    Raises
    ------
    ValueError
        If either is no number.
    """
    try:
        printed = Decimal(stated)
        exact = Decimal(float(value))
    except (InvalidOperation, TypeError, ValueError):
        printed = exact = Decimal("nan")
    if not printed.is_finite():
        raise ValueError(f"cannot compare {value!r} with {stated!r}: both must be numbers")
    if not exact.is_finite():
        return False
    step = Decimal(1).scaleb(printed.as_tuple().exponent)
    return abs(exact - printed) <= step / 2


def check_stated(key, value):
    """Hold a computed value against what was printed, to every printed digit.

    Parameters
    ----------
    key : str
        Row of the ledger, ``"answer.partial_pooling.se"``.
    value : float
        What the notebook computed.

    Raises
    ------
    KeyError
        If the ledger has no such row.
    ValueError
        If the value is no number.
    StatedValueError
        If the value does not round to the stated digits.
    """
    print(_held(key, value))


def _row(key):
    """Return a row of the ledger."""
    if key not in ledger().index:
        raise KeyError(f"no row {key!r} in the ledger (helpers/data/stated_values.csv)")
    return ledger().loc[key]


def _held(key, value):
    """Return the line that `check_stated` prints."""
    row = _row(key)
    if not rounds_to(value, row.value):
        raise StatedValueError(f"{key}: {row.source} states {row.value}, computed is {float(value)!r}")
    decimals = max(0, -Decimal(row.value).as_tuple().exponent)
    return f"✓ {key}: stated {row.value}, computed {float(value):.{decimals + 3}f}"


def checks_in(text):
    """Find what `check_stated` printed in a text, such as the outputs of a notebook.

    Returns
    -------
    list of tuple of str
        Row of the ledger, value as stated, value as computed; in order.
    """
    return _CHECK.findall(text)


def check_exercise(key, answer):
    """Say whether an answer is right; if not, the hint that belongs to it, never the solution.

    Parameters
    ----------
    key : str
        The exercise, ``"01.2"``.
    answer : float or sequence of float
        As many numbers as the exercise asks for, in its order; four digits are enough.

    Raises
    ------
    KeyError
        If there is no such exercise.
    """
    if key not in exercises():
        raise KeyError(f"no exercise {key!r}; there are {', '.join(sorted(exercises()))}")
    print(f"{key}: {_reply(exercises()[key], answer)}")


def _reply(exercise, answer):
    right = exercise["answer"]
    try:
        given = np.atleast_1d(np.asarray(answer, dtype=float)).ravel()
    except (TypeError, ValueError):
        return f"the answer must be {_count(right)}, not {answer!r}."
    if given.size != len(right):
        return f"the answer is {_count(right)} ({', '.join(exercise['what'])}); yours has {given.size}."
    if not np.isfinite(given).all():
        return "the answer must be finite."
    near = np.array([_same(g, r, digits=4) for g, r in zip(given, right, strict=True)])
    if near.all():
        return "right."
    for hint in exercise["hints"]:
        at = [k for k, wrong in enumerate(hint["wrong"]) if wrong is not None]
        if all(_same(given[k], hint["wrong"][k], digits=4) for k in at):
            return "not yet. " + hint["hint"]
    if all(_same(g, r, digits=2) for g, r in zip(given, right, strict=True)):
        return "nearly: give four digits, and round only at the end."
    good = [name for name, ok in zip(exercise["what"], near, strict=True) if ok]
    if good:
        return f"not yet. Right already: {', '.join(good)}. For the rest: {exercise['start']}"
    return "not yet. " + exercise["start"]


def _same(given, value, digits):
    """Whether two numbers agree, or one is the other rounded to so many digits or more."""
    rounded = (float(f"{value:.{k}g}") for k in range(digits, 16))
    return bool(np.isclose(given, value, rtol=_SAME, atol=0)) or given in rounded


def _count(right):
    return "one number" if len(right) == 1 else f"{len(right)} numbers"


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
    """
    if not rows:
        raise ValueError("rows must hold one quantity at least: there is nothing to compare")
    return SideBySide([_compared(*row, names=names) for row in rows])


def _compared(call, key, theirs, ours, note="", *, names):
    stated = _row(key).value
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
        line = _held(row, value)
        cells[name] = (code, _row(row).value)
        checks.setdefault(row, line)
    if key not in checks:
        raise ValueError(f"nothing in the row of {call!r} computes {key!r}")
    missing = [name for name, (code, _) in cells.items() if not code]
    if not note and missing:
        note = f"not in {missing[0]}"
    return cells, note, list(checks.values())
