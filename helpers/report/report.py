"""From a table to a report: asked, found, told. Each room hands on to the next; this one opens them in order.

    python -m helpers report FILE --outcome score --group classroom

A table is read once and becomes a summary, the summary fits, fits become findings, findings words, words a
page. Where rows of one group are less alike than rows of two, words and code have CR2's standard errors.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from ..course import figures
from . import watch, words
from .asked import Asked
from .files import read_table
from .findings import Findings
from .page import WIDE, page
from .program import code
from .sentence import sentence
from .words import wrapped

__all__ = ["Report", "describe", "read_table", "wrapped"]

_START_OF_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def describe(
    data, outcome, group, predictors=(), population=None, missing="raise", level=0.95, one=None
) -> Report:
    """Say how the data are grouped, what is estimated, how well it is known, and what to watch.

    Parameters
    ----------
    data : DataFrame
        Any table that narwhals reads; a file comes through `read_table`.
    outcome, group : str
        Columns; the outcome may be a term of a formula, ``"np.log(radon)"``.
    predictors : str or sequence of str
        Columns, whatever their names, or terms of a formula: ``["ses", "np.log(income)"]``.
    population : float, optional
        K, the number of groups there are, if these are a random part of finitely many.
    missing : {"raise", "drop"}
        What to do with rows that lack a value.
    level : float
        Level of the intervals.
    one : label, optional
        The group whose mean is asked for, as its label or as text; the largest without it.

    Returns
    -------
    Report

    Raises
    ------
    TypeError
        If an argument is not of its kind.
    ValueError
        As `compare`; if outcome, group and predictors are not different columns, the outcome or a predictor
        is numbers stored as text, a text predictor has more than 50 levels, a term is another one to a
        formula (``hours**2`` is ``hours``), there is no such group, or K is less than J.

    Examples
    --------
    >>> from helpers import classrooms, report
    >>> found = report.describe(classrooms(), "score", "classroom")
    >>> len(found.table)
    8
    >>> [warning.split(":")[0] for warning in found.warnings]
    ['Few groups']
    >>> print(found.text.splitlines()[2])
      no pooling              1656.34  SE 8.86     df 180.0   1638.85 to 1673.83
    """
    predictors = (predictors,) if isinstance(predictors, str) else tuple(predictors)
    try:
        asked = Asked(
            outcome=outcome,
            group=group,
            predictors=predictors,
            population=population,
            missing=missing,
            level=level,
            one=one,
        )
        return Report.of(asked, *asked.of(data))
    except (TypeError, ValueError) as error:
        raise error.with_traceback(None) from None  # what to do is in the message, not in the modules below


class Report(Findings):
    """What `describe` found, in words; the numbers are those of `findings.Findings`.

    Attributes
    ----------
    fits, alone, population, level, predictors, columns, centres, one
        As in `findings.Findings`.
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
    def grouping(self) -> str:
        """How the data are grouped, in words."""
        return words.grouping(self)

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

    @cached_property
    def warnings(self) -> list:
        """What matters with these data: a sentence or two each, the matter before the colon."""
        return watch.warnings(self)

    @cached_property
    def sentence(self) -> str:
        """A sentence to report, numbers rounded: the table's."""
        return sentence(self)

    @property
    def code(self) -> tuple:
        """The fit of the sentence in Python, and in R where every predictor is a column."""
        return code(self)

    def figure(self, width=WIDE):
        """The groups in order of their means, predictors aside, as ``figure, alt``; width in inches."""
        pooled = self.alone.group_means["estimate"]
        return figures.grouped_means(self.means, pooled, self.own, self.level, width)

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
