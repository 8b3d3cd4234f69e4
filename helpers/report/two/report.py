"""The report of two groupings: `report.Report` for groups="school/class" and groups=["plate", "sample"]."""

from __future__ import annotations

from functools import cached_property

from ...course import figures
from .. import variances
from ..page import WIDE
from ..told import Told
from . import watch, words
from .findings import FindingsOfTwo
from .program import code, program
from .sentence import sentence


class ReportOfTwo(Told, FindingsOfTwo):
    """What `describe` found of two groupings, in words; the numbers are those of `findings.FindingsOfTwo`.

    Attributes
    ----------
    fits, alone, names, slash, level, predictors, columns, centres
        As in `findings.FindingsOfTwo`.
    """

    GLOSSARY = "words_of_two.html.jinja"

    @property
    def group(self) -> str:
        """What the groupings are called."""
        return words.asked(self)

    @cached_property
    def grouping(self) -> str:
        """How the data are grouped, in words."""
        return words.grouping(self)

    @cached_property
    def questions(self) -> dict:
        """Key of each question but that of slopes to its words and to what would be drawn anew."""
        return words.questions(self)

    @cached_property
    def estimands(self) -> dict:
        """Key of each question but that of slopes to what the table calls its estimand."""
        return words.estimands(self)

    @property
    def means_are(self) -> str:
        """Say where the means of the table are; nothing where there are no predictors."""
        return words.means_are(self)

    def varies(self, term) -> str:
        """Where a predictor varies."""
        return words.varies(self, term)

    def withheld(self, line) -> str:
        """Say why a line has no standard error."""
        return words.withheld(self, line)

    @cached_property
    def warnings(self) -> list:
        """What matters with these data: a sentence or two each, the matter before the colon."""
        return watch.warnings(self)

    @cached_property
    def sentence(self) -> str:
        """A sentence to report, numbers rounded: the table's."""
        return sentence(self)

    @property
    def variances(self) -> list:
        """Rows of the table of variances and tests, as text."""
        return variances.of_two(self)

    @property
    def code(self) -> tuple:
        """The fit of the sentence in Python, and in R where every predictor is a column."""
        return code(self)

    @property
    def program(self) -> str:
        """The code as the page has it, whole."""
        return program(self)

    @property
    def drawn(self) -> str:
        """What there is to say of the figure."""
        aside = ", predictors left aside" * bool(self.predictors)
        return (
            f"The groups of {words.name(self.names[0])}{aside}; their intervals without "
            f"pooling take rows of one "
            f"for independent, whatever their {words.name(self.names[1])}. The table has both."
        )

    def figure(self, width=WIDE):
        """The groups of the first grouping in order of their means, as ``figure, alt``; width in inches."""
        pooled = self.alone.group_means[self.order[0]]["estimate"]
        return figures.grouped_means(self.means, pooled, self.own, self.level, width)
