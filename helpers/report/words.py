"""Names and numbers as the report writes them."""

from __future__ import annotations

import re

import numpy as np


def _name(label):
    """A name or label from somebody's file, on one line, and not endless."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(label)).split())
    return text if len(text) <= 60 else text[:59] + "\u2026"


def _plain(term):
    """A term without center() around it or backticks, which change no slope."""
    found = re.fullmatch(r"center\(([^()]*)\)", term)
    return found[1].strip("`") if found else term


def _rows(number):
    return f"{number:.0f} row" + ("" if number == 1 else "s")


def _df(df):
    return f"{df:.1f}" if df < 1000 else f"{df:.0f}"


def _figures(value):
    """A variance or its root as text, in four figures, or to the last whole one."""
    places = 3 - int(np.floor(np.log10(value))) if value > 0 else 0
    return f"{value:.{max(places, 0)}f}" if -3 <= places <= 8 else f"{value:.4g}"


def _level_of(share):
    if share > 1 - 1e-12:
        return "between groups only"
    return f"{share:.0%} of its variation between groups" if share else "within groups only"


def _fixed(values, se):
    """Numbers as text, with the decimals that show three digits of a standard error."""
    se = abs(float(se))
    places = 2 - int(np.floor(np.log10(se))) if se > 0 and np.isfinite(se) else 3
    if not -5 <= places <= 8:
        return [f"{value:.6g}" for value in values]
    return [f"{value + 0.0:.{max(places, 0)}f}" for value in values]
