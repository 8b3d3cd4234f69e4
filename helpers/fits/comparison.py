"""How `compare` prints: an estimand, and below it what each method says, in lines of 80 characters."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd

COLUMNS = ["method", "estimand", "estimate", "se", "df", "lower", "upper"]
_NUMBERS = ["estimate", "se", "lower", "upper"]
_WIDTH = 80


class Comparison(pd.DataFrame):
    """A DataFrame whose text has all columns of `compare`; what is made of it is a plain DataFrame.

    pandas itself leaves the middle columns out where a line has 80 characters: the standard errors.
    """

    @property
    def _constructor(self):
        return pd.DataFrame

    def __repr__(self):
        if list(self.columns) != COLUMNS or not len(self):
            return pd.DataFrame(self).__repr__()
        cells = [[f"  {row.method}", *_cells(row)] for row in self.itertuples()]
        head = ["", "estimate", "se", "df", "lower", "upper"]
        widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
        widths[0] = min(widths[0], max(_WIDTH - sum(widths[1:]) - len(widths) + 1, 24))
        lines, before = [_line(head, widths)], None
        for estimand, row in zip(self["estimand"], cells, strict=True):
            if estimand != before:
                lines += textwrap.wrap(estimand, _WIDTH, subsequent_indent="    ")
            *more, row[0] = textwrap.wrap(row[0][2:], widths[0] - 2)
            lines += [f"  {part}" for part in more]
            lines.append(_line([f"  {row[0]}", *row[1:]], widths))
            before = estimand
        return "\n".join(lines)


def _cells(row):
    """Numbers as text, to three figures of the standard error; nothing where there is none."""
    if not np.isfinite(row.se) or row.se <= 0:
        estimate = f"{row.estimate:.4g}" if np.isfinite(row.estimate) else ""
        return [estimate, "", "", "", ""]
    places = 2 - int(np.floor(np.log10(row.se)))
    form = f".{max(places, 0)}f" if -5 < places < 9 else ".4g"
    estimate, se, lower, upper = (f"{getattr(row, name):{form}}" for name in _NUMBERS)
    return [estimate, se, f"{row.df:.1f}", lower, upper]


def _line(cells, widths):
    first, *numbers = cells
    aligned = [f"{cell:>{width}}" for cell, width in zip(numbers, widths[1:], strict=True)]
    return " ".join([f"{first:<{widths[0]}}", *aligned]).rstrip()
