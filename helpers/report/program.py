"""The fit of the sentence as a program: in Python, and in R where every predictor is a column."""

from __future__ import annotations

import json
import re

from ..fits import PARTIAL_ROBUST, SLOPED_ROBUST
from .asked import term


def code(found) -> tuple:
    """The fit of the sentence in Python, and in R; None for R where a predictor is no column."""
    data, columns = found.fit.data, [found.fit.data.outcome, *found.predictors, found.fit.data.group]
    outcome = data.formula.split(" ~ ")[0]
    right, right_in_r = right_sides(found)
    dropped = ', missing="drop"' if data.dropped else ""
    pooling, errors = "partial_pooling", 'with_df("kenward-roger")'
    if found.strangers.found:
        pooling, errors = "complete_pooling", 'cluster_robust("CR2")'
    python = f"{pooling}({f'{outcome} ~ {right}'!r}, data, groups={data.group!r}{dropped}).{errors}"
    if not has_r(found, [data.group]):
        return python, None
    right, group, kept = right_in_r, in_r(data.group), rows_in_r(found, columns)
    if found.strangers.found:
        return python, f'coef_test(lm({outcome} ~ {right}, {kept}), "CR2", cluster = {kept}${group})'
    fit = f"lmer({outcome} ~ {right} + (1 | {group}), {kept})"
    return python, f'summary({fit}, ddf = "Kenward-Roger")'


def right_sides(found) -> tuple:
    """The right side of the formula in Python and in R, numbers counted from their means."""
    numbers = found.centres.keys() & found.columns.keys()
    terms = [(name in numbers, term(name, found.columns)) for name in found.predictors]
    return _right(terms, "center({0})"), _right(terms, "I({0} - mean({0}))")


def has_r(found, groups) -> bool:
    """Whether R can be asked the same: every predictor is a column, and R can have the names."""
    data, columns = found.fit.data, [found.fit.data.outcome, *found.predictors]
    unheard = data.formula.count(" ~ ") > 1 or any(re.search(r"[\\`]", group) for group in groups)
    return not unheard and set(columns) <= set(found.columns)


def in_r(column) -> str:
    """The name of a column in a formula of R."""
    return column if re.fullmatch(r"[A-Za-z][A-Za-z0-9.]*", column) else f"`{column}`"


def rows_in_r(found, columns) -> str:
    """The rows that were fitted."""
    if not found.fit.data.dropped:
        return "data"
    return f"na.omit(data[c({', '.join(json.dumps(name, ensure_ascii=False) for name in columns)})])"


def code_of_slopes(found) -> tuple:
    """The fit that the slopes of the sentence have where it is another one: in Python, and in R or None.

    None, None where the sentence has one fit.
    """
    fits, (python, in_r) = found.fits, code(found)
    methods = {line.method for line in found.slopes} & {SLOPED_ROBUST, PARTIAL_ROBUST}
    if found.strangers.found or not methods:
        return None, None
    start = python.removesuffix('.with_df("kenward-roger")')
    if in_r:
        in_r = in_r.removeprefix("summary(").removesuffix(', ddf = "Kenward-Roger")')
    if SLOPED_ROBUST in methods:
        numbers = found.centres.keys() & found.columns.keys()
        inner = [(name in numbers, term(name, found.columns)) for name in found.predictors
                 if any(t == name or t.startswith(f"{name}[") for t in fits.inner)]  # fmt: skip
        names = [f"center({term(t, found.columns)})" if t in numbers else t for t in fits.inner]
        for name in found.texts:
            own = [t for t in names if t.startswith(f"{name}[T.")]
            if own and name.isidentifier():
                names = [name, *(t for t in names if t not in own)]
        start = f"{start[:-1]}, slopes={names!r})"
        if in_r:
            in_r = in_r.replace(" + (1 | ", f" + (1 + {_right(inner, 'I({0} - mean({0}))')} | ")
    return f'{start}.cluster_robust("CR2")', in_r and f'coef_test({in_r}, "CR2")'


def _right(terms, centred):
    """The right side of a formula, numbers counted from their means."""
    return " + ".join(centred.format(text) if is_number else text for is_number, text in terms) or "1"


def program(found) -> str:
    """The code as the page has it, whole, with K and the level where they were asked for."""
    (python, in_r), (of_slopes, slopes_in_r) = code(found), code_of_slopes(found)
    lines = [f"from helpers import {python.split('(')[0]}"]
    for variable, call in (("fit", python), ("slopes", of_slopes)):
        if call:
            lines += [f"{variable} = {call}", f"print({variable})"]
            if found.level != 0.95:
                lines.append(f"print({variable}.conf_int({1 - found.level:.10g}))")
    if found.population is not None and not found.strangers.found:
        lines.append(f"print(fit.mean_of({found.population:g}))")
    package = "clubSandwich" if found.strangers.found else "lmerTest"
    if in_r:
        lines += ["", f"# R, {package}: {in_r}"]
    if slopes_in_r:
        lines.append(f"# and, clubSandwich: {slopes_in_r}")
    return "\n".join(lines)
