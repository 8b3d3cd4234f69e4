"""What every report says, whatever the groups: names, table, text, CSV and page, from what its kind says."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from . import words
from .page import page
from .words import wrapped

_START_OF_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Told:
    """The part of a report that is the same for every kind.

    A kind of report brings ``grouping``, ``questions`` and ``estimands`` (dicts by question), ``withheld``,
    ``varies``, ``means_are``, ``variances``, ``warnings``, ``sentence``, ``program``, ``figure`` and
    ``drawn``, the lines and fits of its findings, and ``GLOSSARY``, the template of the words it uses.
    """

    @property
    def outcome(self) -> str:
        """Name of the outcome."""
        return words.outcome(self)

    @property
    def group(self) -> str:
        """Name of the group column."""
        return words.group(self)

    @property
    def where(self) -> str:
        """Where the means of the table are: numbers at their means, text at its first level."""
        return words.where(self)

    @cached_property
    def table(self):
        """Every estimand with its estimate, standard error, degrees of freedom and interval.

        Returns
        -------
        DataFrame
            Columns ``question``, ``estimand``, ``method``, ``estimate``, ``se``, ``df``, ``lower``,
            ``upper``: the rows of `compare`, with Kenward and Roger's standard errors, and the mean of K
            groups (where K was given), of a group and (unless the outcome has two values) of a row not yet
            seen.
        """
        return words.table(self)

    @cached_property
    def text(self) -> str:
        """The table in words and figures, as text of lines of 79 characters."""
        return words.text(self)

    # ---- to take away

    def to_csv(self, path=None) -> str | None:
        """Write the table as CSV, all digits; return it as text where no path is given.

        A field that a spreadsheet would take for a formula gets an apostrophe before it.
        """
        table = self.table.copy()
        for name in ("question", "estimand", "method"):
            table[name] = [f"'{s}" if s.startswith(_START_OF_FORMULA) else s for s in table[name]]
        text = table.to_csv(index=False, lineterminator="\n")
        if path is None:
            return text
        Path(path).write_text(text, encoding="utf-8", newline="\n")
        return None

    def to_html(self, title=None) -> str:
        """The whole report as one HTML page that needs nothing else.

        Parameters
        ----------
        title : str, optional
            What the data are called.

        Returns
        -------
        str
        """
        return page(self, title)

    def __repr__(self):
        parts = [self.grouping, self.text, "\n".join(self.warnings), self.sentence]
        return "\n\n".join(part if part == self.text else wrapped(part) for part in parts if part)
