"""The ledger of stated values, and the check by which a notebook holds a number against it."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.resources import files

import pandas as pd

_CHECK = re.compile(r"^✓ (\S+): stated (\S+), computed (\S+)$", re.MULTILINE)


class StatedValueError(AssertionError):
    """A computed value does not round to the digits that were stated."""


@cache
def ledger():
    """Return the ledger: ``id`` (index), ``quantity``, ``value`` (text, as printed), ``source``.

    Examples
    --------
    >>> from helpers.course.stated import ledger
    >>> list(ledger().columns)
    ['quantity', 'value', 'source']
    """
    with files("helpers").joinpath("data", "stated_values.csv").open("rb") as file:
        rows = pd.read_csv(file, dtype=str, keep_default_na=False).set_index("id")
    if not rows.index.is_unique:
        raise ValueError(f"the ledger states {rows.index[rows.index.duplicated()][0]!r} twice")
    return rows


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

    Examples
    --------
    >>> from helpers.course.stated import rounds_to
    >>> rounds_to(4.71602, "4.716"), rounds_to(4.71662, "4.716")
    (True, False)
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

    Examples
    --------
    >>> import helpers
    >>> fit = helpers.partial_pooling("score ~ 1", helpers.classrooms(), "classroom")
    >>> helpers.check_stated("answer.mixed.se", fit.bse.iloc[0])
    ✓ answer.mixed.se: stated 4.716, computed 4.716022
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
    # where statsmodels' optimiser stops depends on the processor in the digits after
    decimals += 1 if key.startswith("statsmodels.") else 3
    return f"✓ {key}: stated {row.value}, computed {float(value):.{decimals}f}"


def checks_in(text):
    """Find what `check_stated` printed in a text, such as the outputs of a notebook.

    Returns
    -------
    list of tuple of str
        Row of the ledger, value as stated, value as computed; in order.
    """
    return _CHECK.findall(text)
