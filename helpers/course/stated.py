"""The ledger of stated values, the answers of the exercises, and the checks the notebooks call."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd

_CHECK = re.compile(r"^✓ (\S+): stated (\S+), computed (\S+)$", re.MULTILINE)
_SAME = 1e-6  # relative: what is left of another order of adding up


class StatedValueError(AssertionError):
    """A computed value does not round to the digits that were stated."""


@cache
def ledger():
    """Return the ledger: ``id`` (index), ``quantity``, ``value`` (text, as printed), ``source``."""
    with files("helpers").joinpath("data", "stated_values.csv").open("rb") as file:
        rows = pd.read_csv(file, dtype=str, keep_default_na=False).set_index("id")
    if not rows.index.is_unique:
        raise ValueError(f"the ledger states {rows.index[rows.index.duplicated()][0]!r} twice")
    return rows


@cache
def exercises():
    """Return the exercises: id to ``answer`` (list of numbers), ``what`` (their names) and ``hints``."""
    text = files("helpers").joinpath("data", "exercises.json").read_text(encoding="utf-8")
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
    print(held(key, value))


def row_of(key):
    """Return a row of the ledger."""
    if key not in ledger().index:
        raise KeyError(f"no row {key!r} in the ledger (helpers/data/stated_values.csv)")
    return ledger().loc[key]


def held(key, value):
    """Return the line that `check_stated` prints."""
    row = row_of(key)
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
