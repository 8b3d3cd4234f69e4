"""From a table to a report: asked, found, told. Each room hands on to the next; this one opens them in order.

    python -m helpers report FILE --outcome score --group classroom

A table is read once and becomes a summary, the summary fits, fits become findings, findings words, words a
page. Where rows of one group are less alike than rows of two, words and code have CR2's standard errors.
"""

from __future__ import annotations

from ..course import figures
from ..tables.parquet import opened
from . import left, of_one, variances, watch, words
from .asked import Asked
from .files import read_table
from .findings import Findings
from .page import WIDE
from .program import code, program
from .sentence import sentence
from .told import Rooms, Told
from .two import ReportOfTwo
from .words import wrapped

__all__ = ["Report", "describe", "read_table", "wrapped"]


def describe(
    data, outcome, group, predictors=(), population=None, missing="raise", level=0.95, one=None
) -> Report:
    """Say how the data are grouped, what is estimated, how well it is known, and what to watch.

    Parameters
    ----------
    data : DataFrame or path
        Any table that narwhals reads; a file comes through `read_table`. Or a path: a Parquet file, a folder
        of them or a glob, of which only the columns named are read.
    outcome : str
        Column, or a term of a formula, ``"np.log(radon)"``.
    group : str or list of two str
        Column; or two groupings as for `partial_pooling`: ``"school/class"``, ``["plate", "sample"]``.
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
        Of two groupings a `two.ReportOfTwo`.

    Raises
    ------
    TypeError
        If an argument is not of its kind.
    ValueError
        As `compare`; if outcome, group and predictors are not different columns, the outcome or a predictor
        is numbers stored as text, a text predictor has more than 50 levels, a term is another one to a
        formula (``hours**2`` is ``hours``), there is no such group, or K is less than J. With two
        groupings as `partial_pooling`, and if ``population`` or ``one`` is asked for.

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
        data = opened(data)
        two = asked.groupings(data)
        return ReportOfTwo.of(asked, data, *two) if two else Report.of(asked, data)
    except (TypeError, ValueError) as error:
        raise error.with_traceback(None) from None  # what to do is in the message, not in the modules below


class Report(Told, Findings):
    """What `describe` found of one grouping, in words; the numbers are those of `findings.Findings`.

    Attributes
    ----------
    fits, alone, population, level, predictors, columns, centres, one
        As in `findings.Findings`.
    """

    ROOMS = Rooms(of_one, watch, sentence, code, program, variances.rows, left.of_one)
    GLOSSARY = "words_of_one.html.jinja"

    def varies(self, term) -> str:
        """Where a predictor varies."""
        return words.variation(self.levels[term])

    @property
    def drawn(self) -> str:
        """What there is to say of the figure."""
        return "The groups with the predictors left aside; the table below has them." * bool(self.predictors)

    def figure(self, width=WIDE):
        """The groups in order of their means, predictors aside, as ``figure, alt``; width in inches."""
        pooled = self.alone._estimate[self.alone.data.intercept] + self.alone._effects()[0]
        return figures.grouped_means(self.means, pooled, self.own, self.level, width)
