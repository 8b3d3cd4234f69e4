"""Findings in words: how a number or a name is written, the table's words, and its text.

The only place that knows how a number is printed: the sentence, what to watch and the page ask here.
"""

from __future__ import annotations

import re
import textwrap
from itertools import groupby

import numpy as np
import pandas as pd

from .findings import NUMBERS

WIDE = 79  # characters of a line of text

# ---- names and numbers ---------------------------------------------------------------------------


def name(label, most=60) -> str:
    """Write a name or label from somebody's file: on one line, and not endless."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(label)).split())
    return text if len(text) <= most else text[: most - 1] + "\u2026"


def plain(term) -> str:
    """Return a term without center() around it or backticks, which change no slope."""
    found = re.fullmatch(r"center\(([^()]*)\)", term)
    return found[1].strip("`") if found else term


def rows(number) -> str:
    """Count rows."""
    return f"{number:.0f} row" + ("" if number == 1 else "s")


def degrees(df) -> str:
    """Write degrees of freedom."""
    return f"{df:.1f}" if df < 1000 else f"{df:.0f}"


def figures(value) -> str:
    """Write a variance or its root in four figures, or to the last whole one."""
    places = 3 - int(np.floor(np.log10(value))) if value > 0 else 0
    return f"{value:.{max(places, 0)}f}" if -3 <= places <= 8 else f"{value:.4g}"


def fixed(values, se) -> list:
    """Write numbers with the decimals that show three digits of a standard error."""
    se = abs(float(se))
    places = 2 - int(np.floor(np.log10(se))) if se > 0 and np.isfinite(se) else 3
    if not -5 <= places <= 8:
        return [f"{value:.6g}" for value in values]
    return [f"{value + 0.0:.{max(places, 0)}f}" for value in values]


def decimals(value, places) -> str:
    """Write a number with so many decimals: a whole one with 0, an intraclass correlation with 3."""
    return f"{value:.{places}f}"


def digits(value, most=6) -> str:
    """Write a number as it came, in at most so many digits."""
    return f"{value:.{most}g}"


def share(value, places=0) -> str:
    """Write a share in percent."""
    return f"{value:.{places}%}"


def percent(level) -> str:
    """Write the level of an interval."""
    return f"{level * 100:g}%"


def p_value(p) -> str:
    """Write a p value in three decimals, or as below the least of them."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def sizes(found) -> str:
    """How many rows the groups have: least to most, or each."""
    low, high = found.fit.data.sizes.min(), found.fit.data.sizes.max()
    return f"{low:.0f} to {high:.0f} rows each" if low < high else f"{rows(low)} each"


# ---- terms and places ----------------------------------------------------------------------------


def outcome(found) -> str:
    """Name of the outcome."""
    return name(found.fit.data.outcome)


def group(found) -> str:
    """Name of the group column."""
    return name(found.fit.data.group)


def one_group(found, label) -> str:
    """Name one group, by its column and its label; by its label where that begins with the column's name."""
    of, own = group(found), name(label)
    return own if own.casefold().startswith(of.casefold()) else f"{of} {own}"


def level_of_text(found, term):
    """Name, level and first level of a term that is one level of a text column; else None."""
    for column, (first, *others) in found.texts.items():
        for level in others:
            if term == f"{column}[T.{level}]":
                return name(column), name(level), name(first)
    return None


def variation(part) -> str:
    """Where a predictor varies: its share between groups."""
    if part > 1 - 1e-12:
        return "between groups only"
    return f"{share(part)} of its variation between groups" if part else "within groups only"


def slope(found, term) -> str:
    """Name a slope in a sentence."""
    if level := level_of_text(found, term):
        return f"the difference of {level[0]} {level[1]} from {level[2]}"
    return "the slope of " + name(re.sub(r"\[T\.(.*?)\]", r" = \1", plain(term)))


def place(found, terms) -> str:
    """Where these terms are for the means of the table."""
    told = {}
    for term in terms:
        if level := level_of_text(found, term):
            told[level[0]] = f"{level[0]} is {level[2]}"
        elif term in found.centres:
            mean = f" ({digits(found.centres[term], 4)})" if plain(term) == term else ""
            told[term] = f"{name(plain(term))} is at its mean{mean}"
        elif ":" not in term:
            column = name(term.split("[T.")[0])
            told[column] = f"{column} is at its first level"
    return " and ".join(told.values())


def where(found) -> str:
    """Where the means of the table are: numbers at their means, text at its first level."""
    return place(found, found.levels.index)


def _own(found):
    """The group-level predictors, by name."""
    names = dict.fromkeys((level_of_text(found, t) or [name(plain(t))])[0] for t in found.group_level)
    return " and ".join(names)


def means_are(found) -> str:
    """Say where the means are; nothing where there are no predictors."""
    text = f"Means are those where {where(found)}."
    if found.group_level:
        text += f" One group, and just these groups, keep their own {_own(found)}."
    return text if found.predictors else ""


# ---- the table -----------------------------------------------------------------------------------


def questions(found) -> dict:
    """Key of each question but that of slopes to its words and to what would be drawn anew."""
    data, J, one_more = found.fit.data, found.fit.ngroups, f"one more {group(found)}"
    size = data.sizes[found.one]
    known = rows(size)
    if size == data.sizes.max():
        known += ", the largest group" if (data.sizes == size).sum() == 1 else ", no group has more"
    K = "" if found.population is None else digits(found.population)
    at = place(found, found.group_level)  # one place for all groups, where each group has its own
    own = f", each with its own {_own(found)}" if at else ""
    at = f", where {at}" if at else ""
    return {
        "one": (f"How well is the mean of {one_group(found, data.labels[found.one])} known ({known})?",
                "over new rows of that one group"),
        "these": (f"How well is the mean of just these {J} groups known{own}?",
                  "over new rows of the same groups"),
        "finite": (f"How well is the mean of the {K} groups known, of which these are {J}?",
                   f"over new draws of {J} groups from those {K}, and new rows"),
        "all": (f"How well is the mean of all groups there are or could be known{at}?",
                "over new groups and new rows"),
        "new": (f"Where may the mean of {one_more} lie{at}?",
                "over new groups and new rows, and the group to come"),
        "row": (f"Where may one {outcome(found)} of {one_more} lie{at}?",
                "over new groups and new rows, and the row to come"),
        "rows": ("How well is the mean over all rows known?",
                 "over rows drawn one by one (independent), or new groups of such sizes (CR2)"),
    }  # fmt: skip


def _question(found, line, known):
    """The question of a line, and what would be drawn anew, or where its predictor varies."""
    if line.term is None:
        words, over = known[line.question]
        return words, f"SE {over}"
    if level := level_of_text(found, line.term):
        more = f"{level[0]} = {level[1]} in place of {level[2]}"
    else:
        more = f"one more of {name(plain(line.term))}"
    return f"What goes with {more}?", variation(found.levels[line.term])


def by_question(found) -> list:
    """Each question: its words, what would be drawn anew, its lines of the table."""
    known = questions(found)
    keys = groupby(found.lines, key=lambda line: (line.question, line.term))
    parts = [list(lines) for _, lines in keys]
    return [(*_question(found, lines[0], known), lines) for lines in parts]


def _if_independent(line):
    return line.question == "rows" and line.method == "complete pooling"


def method(line) -> str:
    """Name the method of a line."""
    return line.method + (", independent" if _if_independent(line) else "")


def table(found) -> pd.DataFrame:
    """The lines as a table, with the words of each question and estimand."""
    inner = found.levels.index.difference(found.group_level, sort=False)
    at, own = (f" where {at}" if at else "" for at in (where(found), place(found, inner)))
    K = "" if found.population is None else digits(found.population)
    estimands = {
        "one": "mean of one group" + own,
        "these": f"mean of these {found.fit.ngroups} groups" + own,
        "finite": f"mean of {K} groups" + at,
        "all": "mean of all groups" + at,
        "new": "mean of a new group" + at,
        "row": "one row of a new group" + at,
        "rows": "mean of all rows" + at,
    }
    told = []
    for question, _, lines in by_question(found):
        for line in lines:
            if line.term is not None:
                estimand = f"slope of {name(line.term)} ({variation(found.levels[line.term])})"
            elif _if_independent(line):
                estimand = "mean of all rows, as if independent" + at
            else:
                estimand = estimands[line.question]
            told.append((question, estimand, line.method, *(getattr(line, n) for n in NUMBERS)))
    return pd.DataFrame(told, columns=["question", "estimand", "method", *NUMBERS])


def cells(line, lines) -> list:
    """Estimate, SE, df and both ends of a line; without an SE the estimate, in the decimals of the others."""
    if np.isnan(line.estimate):
        return ["-"]
    if np.isnan(line.se):
        known = [other.se for other in lines if not np.isnan(other.se)]
        return fixed([line.estimate], max(known, default=np.nan))
    estimate, se, low, high = fixed([line.estimate, line.se, line.lower, line.upper], line.se)
    return [estimate, se, degrees(line.df), low, high]


def withheld(found, line) -> str:
    """Say why a line has no standard error, or no estimate."""
    data, fits = found.fit.data, found.fits
    if np.isnan(line.estimate):
        return "slopes cannot vary: " + name(fits.unsloped, 120)
    term = data.terms[data.intercept] if line.question == "rows" else line.term
    same = f"every {group(found)} has the same {'slope' if line.term in found.levels else 'mean'}"
    robust = fits.around.get(line.method, fits.robust)
    return "no SE: " + name(robust.withheld.get(term, same))


def text(found) -> str:
    """The table in words and figures, as text of lines of 79 characters."""
    out = [*_wrapped(means_are(found)), ""] if found.predictors else []
    for question, over, lines in by_question(found):
        out += _wrapped(question) + _wrapped(over, "  ")
        for line in lines:
            estimate, *others = cells(line, lines)
            short = method(line).replace("complete pooling, ", "complete, ")
            short = short.replace("partial pooling, slopes", "slopes")
            if not others:
                out += [f"  {short:22}{estimate:>9}", *_wrapped(withheld(found, line), " " * 4)]
                continue
            se, df, low, high = others
            whole = f"  {short:22}{estimate:>9}  SE {se:<8} df {df:<7} {low} to {high}"
            if len(whole) > WIDE:
                whole = f"  {short:22}{estimate}, SE {se}, df {df},\n{'':24}{low} to {high}"
            out.append(whole)
    return "\n".join(out)


# ---- what is said of them ------------------------------------------------------------------------


def grouping(found) -> str:
    """How the data are grouped."""
    fit, alone, data = found.fit, found.alone, found.alone.data
    size = sizes(found)
    if data.sizes.min() < data.sizes.max():
        size += f" (mean {data.sizes.mean():.1f}, harmonic mean {1 / np.mean(1 / data.sizes):.1f})"
    else:
        size = f"{data.sizes[0]:.0f} rows each"
    values, what = found.outcomes, outcome(found)
    spread = f" {what} goes from {digits(values[0])} to {digits(values[-1])}." if len(values) else ""
    between, within, psi, theta = map(figures, [*np.sqrt([alone.psi, alone.theta]), alone.psi, alone.theta])
    aside = ", predictors left aside," if found.predictors else ""
    told = [f"{alone.nobs} rows in {alone.ngroups} groups of {group(found)}, {size}.{spread}"]
    if data.dropped:
        told.append(f"{rows(data.dropped)} dropped for missing values.")
    told.append(
        f"The standard deviation of {what}{aside} is {between} between the groups (psi = {psi}) "
        f"and {within} within them (theta = {theta}): of its variance {share(alone.icc, 1)} lies between "
        f"(the intraclass correlation, {decimals(alone.icc, 3)})."
    )
    if not alone.singular:
        effective = (alone.psi + alone.theta) / alone.bse.iloc[0] ** 2
        told.append(
            f"For the mean of all groups these {alone.nobs} rows are worth as much as {effective:.0f} "
            "independent ones."
        )
    if found.predictors:
        between, within, psi, theta = map(figures, [*np.sqrt([fit.psi, fit.theta]), fit.psi, fit.theta])
        told.append(
            f"Given the predictors it is {between} between (psi = {psi}) and {within} within (theta = "
            f"{theta}), which the table stands on."
        )
    return " ".join(told)


# ---- lines ---------------------------------------------------------------------------------------


def _wrapped(text, indent=""):
    return textwrap.wrap(text, WIDE, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def wrapped(text, bullet="") -> str:
    """Set text in lines of 79 characters, each of its own lines a paragraph.

    Parameters
    ----------
    text : str or sequence of str
    bullet : str
        What stands before each paragraph.

    Examples
    --------
    >>> from helpers import report
    >>> print(report.wrapped(["Few groups: 12.", "Missing values: 3 rows."], "- "))
    - Few groups: 12.
    - Missing values: 3 rows.
    """
    more = " " * len(bullet)
    return "\n".join(
        textwrap.fill(line, WIDE, initial_indent=bullet, subsequent_indent=more, break_on_hyphens=False)
        for line in ([text] if isinstance(text, str) else text)
        for line in line.split("\n")
    )
