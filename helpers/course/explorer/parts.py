"""What an explorer is made of: settings, tables, bars, and the page's own script and style."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from math import inf, isnan
from numbers import Real
from typing import ClassVar, NamedTuple


class Table(NamedTuple):
    """A table of an explorer: rows of the words in front and the cells, a formula or a `Value` each."""

    caption: str
    heads: tuple
    rows: list


class Value(NamedTuple):
    """The place of a number: its name among the values, and what print calls it; "" where it is silent."""

    of: str
    told: str


def lines(said, told=True) -> list:
    """Rows of words, a formula and a value, from name: (words, formula); ``told``: whether print has them."""
    return [(what, formula, Value(name, what if told else "")) for name, (what, formula) in said.items()]


def square(models, terms) -> list:
    """Rows of a model and its error of each term, which has the name "model_term"."""
    return [(words, *(Value(f"{model}_{term}", "") for term in terms)) for model, words in models.items()]


class Sliders:
    """An explorer: settings, what they give, and the page of both.

    A kind of explorer brings its ``KIND`` (that of the script), its ``SETTINGS`` (name: label and what it
    takes), ``WHOLE`` (the least of each setting that is a whole number), ``TABLES``, ``DRAWN`` (name of a
    value: what its bar is called), ``BESIDE`` (another drawing) and the function ``work_out``.

    Parameters
    ----------
    **at
        Every setting.

    Raises
    ------
    TypeError
        If one of them is no number.
    ValueError
        As the formulas; if a size is not whole, or below its least.
    """

    KIND: ClassVar[str]
    SETTINGS: ClassVar[dict]
    WHOLE: ClassVar[dict]
    TABLES: ClassVar[tuple]
    DRAWN: ClassVar[dict]
    BESIDE: ClassVar[str] = ""

    def __init__(self, **at):
        self.at = at
        for name, value in at.items():
            if not isinstance(value, Real):
                raise TypeError(f"{name} must be {self.SETTINGS[name][1]}; got {value!r}")
        self.values = self.work_out(**at)
        for name, least in self.WHOLE.items():
            value = at[name]
            if (value != inf and value % 1) or value < least:
                raise ValueError(f"{name} must be {self.SETTINGS[name][1]}; got {value!r}")

    def __repr__(self):
        cells = [cell for table in self.TABLES for _, *row in table.rows for cell in row]
        told = [cell for cell in cells if isinstance(cell, Value) and cell.told]
        return "\n".join(f"{shown(self.values[cell.of])}  {cell.told}" for cell in told)

    def _repr_html_(self):
        settings = "".join(
            _setting(self.KIND, name, *said, self.at[name]) for name, said in self.SETTINGS.items()
        )
        return (
            f'<style>{_part("css")}</style><se-explorer data-kind="{self.KIND}">'
            f"<fieldset><legend>Settings</legend>{settings}"
            '<p><button type="button" disabled>Back to the start</button>'
            '<a href="#">Link to these settings</a></p></fieldset>'
            "<noscript><p>The explorer needs JavaScript; the tables show its start.</p></noscript>"
            '<p role="status"></p>'
            f'<div class="drawings">{_bars(self.DRAWN)}{self.BESIDE}</div>'
            + "".join(_table(table, self.values) for table in self.TABLES)
            + f"</se-explorer><script>{_part('js')}</script>"
        )


def shown(value):
    """A value with three decimals."""
    return "–" if isnan(value) else f"{value:.3f}"


@cache
def _part(kind):
    return files("helpers").joinpath("data", f"explorer.{kind}").read_text(encoding="utf-8")


def _setting(kind, name, label, takes, value):
    text = "∞" if value == inf else f"{value:.6g}"
    plain = re.sub("<.*?>", "", label)
    common = f'name="{name}" data-lm-suppress-shortcuts disabled'  # JupyterLab would take the arrow keys
    return (
        f'<div class="setting"><label for="se-{kind}-{name}">{label}</label>'
        f'<input type="range" id="se-{kind}-{name}" min="0" step="1" {common}>'
        f'<input type="text" value="{text}" data-value="{_exact(value)}" title="{takes}" '
        f'aria-label="{plain}: {takes}" inputmode="decimal" autocomplete="off" {common}></div>'
    )


def _bars(drawn):
    height = 30 * len(drawn)
    return (
        f'<svg class="bars" viewBox="-95 0 425 {height}" role="img" '
        'aria-label="A bar for each standard error; the tables below have the values.">'
        + "".join(
            f'<text x="-8" y="{30 * k + 19}" text-anchor="end">{short}</text>'
            f'<rect data-of="{name}" x="0" y="{30 * k + 4}" width="0" height="20"/>'
            f'<text data-of="{name}" x="6" y="{30 * k + 19}"></text>'
            for k, (name, short) in enumerate(drawn.items())
        )
        + f'<path class="axis" d="M0 0V{height}"/></svg>'
    )


def _table(table, found):
    formula = {k for _, *row in table.rows for k, cell in enumerate(row, 1) if not isinstance(cell, Value)}
    kind = {k: ' class="formula"' if k in formula else ' class="number"' for k in range(1, len(table.heads))}
    head = "".join(f'<th scope="col"{kind.get(k, "")}>{text}</th>' for k, text in enumerate(table.heads))
    body = "".join(
        f'<tr><th scope="row">{what}</th>'
        + "".join(f"<td{kind[k]}>{_cell(cell, found)}</td>" for k, cell in enumerate(row, 1))
        + "</tr>"
        for what, *row in table.rows
    )
    return (
        f'<div class="scroll"><table><caption>{table.caption}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(cell, found):
    if not isinstance(cell, Value):
        return cell
    return f'<data data-of="{cell.of}" value="{found[cell.of]!r}">{shown(found[cell.of])}</data>'


def _exact(value):
    """A number as JavaScript reads it."""
    return "Infinity" if value == inf else repr(float(value))
