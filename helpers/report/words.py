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
_WORD = re.compile(r"(?=.*[aeiouyäöüéè])[^\W\d_]{3,}", re.IGNORECASE)
_OF_SENTENCES = {  # words that a sentence needs: as a column's name they read as something else
    "a", "all", "an", "and", "any", "at", "by", "each", "every", "few", "for", "from", "in", "is", "just",
    "mean", "means", "more", "new", "no", "none", "of", "on", "one", "or", "other", "row", "rows", "slope",
    "some", "that", "the", "these", "this", "those", "to", "two", "value", "values", "where", "with",
}  # fmt: skip
_PLURAL = re.compile(r".*[^siu]s", re.IGNORECASE)
_LIKE_A_NOUN = re.compile(r"[^\W\d_]{3,}([ -][^\W\d_]{2,}){0,3}")  # a label of one to four words

# ---- names and numbers ---------------------------------------------------------------------------


def name(label, most=60) -> str:
    """Write a name or label from somebody's file: on one line, and not endless."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(label)).split())
    return text if len(text) <= most else text[: most - 1] + "\u2026"


def column(label) -> str:
    """Write the name of a column within a sentence: in quotes where it is a number or a word of sentences."""
    text = name(label)
    return f'"{text}"' if re.fullmatch(r"[\d.,+-]+", text) or _of_sentences(text) else text


def _of_sentences(text):
    """Whether a name begins or ends with a word that a sentence needs."""
    words = text.casefold().split() or [""]
    return words[0] in _OF_SENTENCES or words[-1] in _OF_SENTENCES


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
    return column(found.fit.data.outcome)


def group(found) -> str:
    """Name of the group column."""
    return column(found.fit.data.group)


def thing(found, of) -> str | None:
    """What a column is of, as a noun: its label in the file, else its name; None where that reads as neither.

    ``clinic_id`` is of a clinic; ``schid``, ``g2``, ``clinics`` or ``one`` is no word that one more could be
    had of.
    """
    label = name(found.whole.attrs.get("labels", {}).get(of, ""))
    if _LIKE_A_NOUN.fullmatch(label) and not _of_sentences(label):
        return label if label[1].isupper() else label[0].lower() + label[1:]
    text = re.sub(r"(?<=[a-z])(?=[A-Z])|[_.\s]+", " ", name(of)).strip()
    text = re.sub(r" (id|no|nr|num|number|code|key)$", "", text, flags=re.IGNORECASE)
    words = text.split()
    known = words and all(_WORD.fullmatch(word) for word in words) and not _of_sentences(text)
    known = known and not _PLURAL.fullmatch(words[-1])
    return text if known and not re.search(r"[a-z]id$", words[-1], re.IGNORECASE) else None


def one_more(found, of=None, what="one more") -> str:
    """One more clinic; of a column that is no noun, one more group of it."""
    of = found.fit.data.group if of is None else of
    return f"{what} {thing(found, of) or f'group of {column(of)}'}"


def one_value(found) -> str:
    """One outcome: "one systolic blood pressure", "one value of math"."""
    noun = thing(found, found.fit.data.outcome)
    return f"one {noun}" if noun and " " in noun else f"one value of {outcome(found)}"


def one_group(found, label, of=None) -> str:
    """Name one group, by its column and its label; by its label where that begins with the column's name."""
    of = found.fit.data.group if of is None else of
    own, known = name(label), thing(found, of) or name(of)
    if own.casefold().startswith(known.casefold()):
        return own
    return f"group {own} of {column(of)}" if column(known) != known else f"{known} {own}"


def level_of_text(found, term):
    """Name, level and first level of a term that is one level of a text column; else None."""
    for of, (first, *others) in found.texts.items():
        for level in others:
            if term == f"{of}[T.{level}]":
                return column(of), name(level), name(first)
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
    return "the slope of " + column(re.sub(r"\[T\.(.*?)\]", r" = \1", plain(term)))


def place(found, terms) -> str:
    """Where these terms are for the means of the table."""
    told = {}
    for term in terms:
        if level := level_of_text(found, term):
            told[level[0]] = f"{level[0]} is {level[2]}"
        elif term in found.centres:
            mean = f" ({digits(found.centres[term], 4)})" if plain(term) == term else ""
            told[term] = f"{column(plain(term))} is at its mean{mean}"
        elif ":" not in term:
            text = column(term.split("[T.")[0])
            told[text] = f"{text} is at its first level"
    return " and ".join(told.values())


def where(found) -> str:
    """Where the means of the table are: numbers at their means, text at its first level."""
    return place(found, found.levels.index)


# ---- the table -----------------------------------------------------------------------------------


def _question(found, line, known):
    """The question of a line, and what would be drawn anew, or where its predictor varies."""
    if line.term is None:
        words, over = known[line.question]
        return words, f"SE {over}"
    if level := level_of_text(found, line.term):
        more = f"{level[0]} = {level[1]} in place of {level[2]}"
    else:
        more = f"one more of {column(plain(line.term))}"
    return f"What goes with {more}?", found.varies(line.term)


def by_question(found) -> list:
    """Each question: its words, what would be drawn anew, its lines of the table."""
    known = found.questions
    keys = groupby(found.lines, key=lambda line: (line.question, line.term))
    parts = [list(lines) for _, lines in keys]
    return [(*_question(found, lines[0], known), lines) for lines in parts]


def _if_independent(line):
    return line.question == "rows" and line.method == "complete pooling"


def method(line) -> str:
    """Name the method of a line, short enough for a phone: slopes vary in partial pooling only."""
    short = name(line.method.replace("partial pooling, slopes", "slopes"), 140)
    return short + (", independent" if _if_independent(line) else "")


def table(found) -> pd.DataFrame:
    """The lines as a table, with the words of each question and estimand."""
    told = []
    for question, _, lines in by_question(found):
        for line in lines:
            if line.term is not None:
                estimand = f"slope of {name(line.term)} ({found.varies(line.term)})"
            else:
                also = _if_independent(line)
                estimand = found.estimands[line.question]
                estimand = estimand.replace("of all rows", "of all rows, as if independent", also)
            told.append((question, estimand, name(line.method, 140), *(getattr(line, n) for n in NUMBERS)))
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


def _short(line):
    short = method(line).replace("complete pooling, ", "complete, ")
    return short if len(short) < 22 else short.replace("partial pooling, ", "partial, ")


def text(found) -> str:
    """The table in words and figures, as text of lines of 79 characters."""
    shorts = {id(line): _short(line) for line in found.lines}
    column = max(22, *(len(short) + 1 for short in shorts.values() if len(short) < 36))
    out = [*_wrapped(found.means_are), ""] if found.predictors else []
    for question, over, lines in by_question(found):
        out += _wrapped(question) + _wrapped(over, "  ")
        for line in lines:
            estimate, *others = cells(line, lines)
            short = shorts[id(line)]
            if not others:
                out += [f"  {short:{column - 1}} {estimate:>9}", *_wrapped(found.withheld(line), " " * 4)]
                continue
            se, df, low, high = others
            whole = f"  {short:{column - 1}} {estimate:>9}  SE {se:<8} df {df:<7} {low} to {high}"
            if len(whole) > WIDE:
                whole = f"  {short:{column - 1}} {estimate}, SE {se}, df {df},\n{'':24}{low} to {high}"
            out.append(whole)
    return "\n".join(out)


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
