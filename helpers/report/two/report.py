"""The report of two groupings: `report.Report` for groups="school/class" and groups=["plate", "sample"]."""

from __future__ import annotations

from ...course import figures
from .. import left, variances
from ..page import WIDE
from ..told import Rooms, Told
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

    ROOMS = Rooms(words, watch, sentence, code, program, variances.of_two, left.of_two)
    GLOSSARY = "words_of_two.html.jinja"

    @property
    def group(self) -> str:
        """What the groupings are called."""
        return words.asked(self)

    def varies(self, term) -> str:
        """Where a predictor varies."""
        return words.varies(self, term)

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
