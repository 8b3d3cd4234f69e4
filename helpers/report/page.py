"""A report as one HTML page that needs nothing else: what `page.html.jinja` is filled with."""

from __future__ import annotations

import base64
import io
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from ..course import figures
from . import variances, words

WIDE, NARROW = 7.2, 3.7  # inches, on a screen and on a phone
PHONE = "(max-width: 40rem)"


def page(report, title=None) -> str:
    """Fill the template with a `report.Report`; all that comes from a file is escaped."""
    pictures = [
        (each.title, each.text, [_image(*panel) for panel in each.panels]) for each in report.pictures
    ]  # first, for the rows that they are made of need memory
    (wide, alt), (narrow, _) = _drawn(report, WIDE), _drawn(report, NARROW)
    return _template().render(
        head=f"Which standard error? {report.outcome} by {report.group}",
        title=title,
        grouping=report.grouping,
        phone=PHONE,
        wide=wide,
        narrow=narrow,
        alt=alt,
        width=f"{WIDE * 100:.0f}",
        drawn=report.drawn,
        caption=_caption(report),
        questions=[
            (question, over, [_cells(report, line, lines) for line in lines])
            for question, over, lines in words.by_question(report)
        ],
        variances=report.variances,
        variances_head=variances.HEAD,
        level=words.percent(report.level),
        pictures=pictures,
        panel=f"{figures.checks.SIZE[0] * 100:.0f}",
        warnings=[warning.split(":", 1) for warning in report.warnings],
        sentence=report.sentence,
        glossary=report.GLOSSARY,
        program=report.program,
    )


@cache
def _template():
    environment = Environment(
        loader=PackageLoader(__package__, ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_printable,
    )
    return environment.get_template("page.html.jinja")


def _printable(value):
    """Take what cannot be printed out of whatever stands in the page, but the ends of lines."""
    text = str(value)
    return text if text.isprintable() else "".join(c if c.isprintable() or c == "\n" else " " for c in text)


def _drawn(report, width):
    """The figure as PNG in base64, and its alt text."""
    return _image(*report.figure(width))


def _image(figure, alt):
    image = io.BytesIO()
    figures.save(figure, image)
    return base64.b64encode(image.getvalue()).decode(), alt


def _caption(report):
    bold = " In bold: each slope of the sentence." if report.slopes else ""
    return (
        f"Estimates of {report.fit.data.formula}, by question; intervals of {words.percent(report.level)} "
        f"from t, for a new group and a new row prediction intervals. {report.means_are}{bold}"
    )


def _cells(report, line, lines):
    """Method, numbers as text, why there are no more than one, and whether the sentence has this slope."""
    cells = words.cells(line, lines)
    why = report.withheld(line) if len(cells) == 1 else ""
    told = (line.term, line.method) in {(slope.term, slope.method) for slope in report.slopes}
    return words.method(line), cells, why, told
