"""What every report says, whatever the groups: names, table, text, CSV and page, from what its kind says."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import ClassVar, NamedTuple

from . import pictures, words
from .page import page
from .words import wrapped

_START_OF_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Rooms(NamedTuple):
    """Where a kind of report finds its words: modules for the first two, functions of the findings then.

    ``words`` has ``grouping``, ``questions``, ``estimands``, ``means_are`` and ``withheld``, ``watch`` has
    ``warnings``. ``left`` has what the model leaves of rows and groups.
    """

    words: ModuleType
    watch: ModuleType
    sentence: Callable
    code: Callable
    program: Callable
    variances: Callable
    left: Callable


class Told:
    """The part of a report that is the same for every kind.

    A kind of report brings its ``ROOMS``, ``varies``, ``figure`` and ``drawn``, the lines and fits of its
    findings, and ``GLOSSARY``, the template of the words it uses.
    """

    ROOMS: ClassVar[Rooms]
    GLOSSARY: ClassVar[str]

    @cached_property
    def grouping(self) -> str:
        """How the data are grouped, in words."""
        return self.ROOMS.words.grouping(self)

    @cached_property
    def questions(self) -> dict:
        """Key of each question but that of slopes to its words and to what would be drawn anew."""
        return self.ROOMS.words.questions(self)

    @cached_property
    def estimands(self) -> dict:
        """Key of each question but that of slopes to what the table calls its estimand."""
        return self.ROOMS.words.estimands(self)

    @property
    def means_are(self) -> str:
        """Say where the means of the table are; nothing where there are no predictors."""
        return self.ROOMS.words.means_are(self)

    def withheld(self, line) -> str:
        """Say why a line has no standard error, or no estimate."""
        return self.ROOMS.words.withheld(self, line)

    @cached_property
    def warnings(self) -> list:
        """What matters with these data: a sentence or two each, the matter before the colon."""
        return self.ROOMS.watch.warnings(self)

    @cached_property
    def sentence(self) -> str:
        """A sentence to report, numbers rounded: the table's."""
        return self.ROOMS.sentence(self)

    @property
    def code(self) -> tuple:
        """The fit of the sentence in Python, and in R where every predictor is a column."""
        return self.ROOMS.code(self)

    @property
    def program(self) -> str:
        """The code as the page has it, whole."""
        return self.ROOMS.program(self)

    @property
    def variances(self) -> list:
        """Rows of the table of variances and tests, as text."""
        return self.ROOMS.variances(self)

    @property
    def left(self):
        """Residuals and group effects of the model, as `left.Left`: made anew, for they are long."""
        return self.ROOMS.left(self)

    @property
    def pictures(self) -> list:
        """Residuals, and group effects: `pictures.Picture` of each, with what to look for."""
        return pictures.of(self)

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
