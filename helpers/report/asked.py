"""What is asked of a table, checked before anything is estimated: names, terms, columns of numbers."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from keyword import iskeyword
from numbers import Real

import narwhals as nw
import numpy as np
import pandas as pd

from ..tables import GroupSummary
from ..tables.columns import columns_of, place_of
from ..tables.formula import factors
from ..tables.groupings import named
from ..tables.labels import as_numbers, is_text
from ..tables.once import in_memory
from .files import wide

TOO_MANY = 50  # levels of a text predictor: each is a term

_WITH_MARKS = r"[+-]?\d{1,3}(?:[.,' \u00a0\u202f\u2019]\d{3})+(?:[.,]\d+)?"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What `describe` is asked, in the words of its parameters; refuses what cannot be meant."""

    outcome: str
    group: str | list
    predictors: tuple
    population: float | None
    missing: str
    level: float
    one: object

    def __post_init__(self):
        groups = self.group if isinstance(self.group, (list, tuple)) else [self.group]
        roles = [("outcome", self.outcome), *(("group", name) for name in groups)]
        for role, name in [*roles, *(("a predictor", p) for p in self.predictors)]:
            if not isinstance(name, str):
                raise TypeError(f"{role} must be the name of a column; got {name!r}")
        for k, name in enumerate(self.predictors):
            if name in (self.outcome, *groups, *self.predictors[:k]):
                raise ValueError(f"column {name!r} cannot be a predictor here: it is used already")
        if self.outcome in groups:
            raise ValueError(f"outcome and group are the same column, {self.outcome!r}")
        if self.population is not None and not isinstance(self.population, Real):
            raise TypeError(f"population must be a number of groups; got {self.population!r}")
        level = self.level
        if not isinstance(level, Real):
            raise TypeError(f"level must be a number between 0 and 1; got {level!r}")
        if not 0 < level < 1:
            hint = f": did you mean {level / 100:g}?" if 1 < level < 100 else ""
            raise ValueError(f"level must lie between 0 and 1; got {level:g}{hint}")

    def groupings(self, data):
        """The two columns that are named as groups and whether they are nested; None for one.

        Raises
        ------
        TypeError, ValueError
            As `tables.groupings.named`; if what is asked besides is offered for one grouping only.
        """
        two = named(self.group, _names_of(data))
        if two:
            for name in two[0]:
                if name in (self.outcome, *self.predictors):
                    raise ValueError(f"column {name!r} cannot be a group here: it is used already")
            for what, value in (("population", self.population), ("one", self.one)):
                if value is not None:
                    raise ValueError(f"{what} is offered for one grouping, not for {' and '.join(two[0])}")
        return two

    def read(self, data, groups):
        """Read the table, once.

        Parameters
        ----------
        data : DataFrame
        groups : list of str
            The columns of the groups.

        Returns
        -------
        formula, columns, table : str, dict of str to Series, DataFrame
            What the fits are asked for; the outcome and the predictors that are columns, as they came; and
            all columns that may be labels, where the table is in memory.
        """
        names = (self.outcome, *self.predictors)
        there = _names_of(data)
        for group in groups:
            wide.refuse(data, self.outcome, group, there)
        terms = [term(name, there) for name in names]
        _refuse_lost(terms, names, there)
        formula = f"{terms[0]} ~ {' + '.join(terms[1:]) or '1'}"
        plain = [name for name in names if name in there]
        table = in_memory(data, formula, groups[0], [*groups[1:], *plain, *_labels_of(data)])
        columns = columns_of(table, [*groups, *plain])
        columns = {name: as_numbers(columns[name], coded=name == self.outcome) for name in plain}
        for name, column in columns.items():
            _refuse_text(column, "outcome" if name == self.outcome else "predictor")
        return formula, columns, table


def term(name, there) -> str:
    """Return a column's name as a formula has it; what is no column must be a term."""
    if name in there:
        if name.isidentifier() and not iskeyword(name):
            return name
        if "`" in name or "|" in name or name in ("", "1", "Intercept") or not name.isprintable():
            raise ValueError(f"column {name!r} has a name that no formula can hold: rename it")
        return f"`{name}`"
    if "~" in name:
        raise ValueError(f"{name!r} is a whole formula: name the outcome and the predictors one by one")
    if not re.search(r"[()*:+^/]", name):
        apart = re.findall(r"[^\s,;]+", name)
        close = difflib.get_close_matches(name, map(str, there), 1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        if len(apart) > 1 and set(apart) <= set(there):
            hint = f": these are {len(apart)} columns, to be named one by one, without commas between"
        raise ValueError(f"no column {name!r} among {', '.join(map(str, there))}{hint}")
    return name


def _names_of(data):
    if isinstance(data, GroupSummary):
        raise TypeError("describe needs the table itself, not a summary of it")
    if isinstance(data, pd.DataFrame):
        return list(data.columns)
    try:
        return nw.from_native(data).collect_schema().names()
    except TypeError:
        raise TypeError(f"data must be a data frame; got {type(data).__name__}") from None


def _labels_of(data):
    """Columns of a table in memory that may be labels; of pandas' all are there anyway."""
    frame = None if isinstance(data, pd.DataFrame) else nw.from_native(data)
    if not isinstance(frame, nw.DataFrame):
        return []
    kinds = (nw.String, nw.Categorical, nw.Enum)
    return [name for name, dtype in frame.schema.items() if dtype.is_integer() or isinstance(dtype, kinds)]


def _refuse_lost(terms, names, there):
    """Refuse what a formula reads as something else (``hours**2`` as ``hours``) or as nothing new."""
    seen = set()
    for term, name in zip(terms, names, strict=True):
        brought = factors(f"{terms[0]} ~ {term}")
        if name not in there:
            if "+" in _outside_brackets(term):
                raise ValueError(f"{name!r} is more than one term: name them one by one")
            plain, asked = [re.sub(r"[\s`]", "", text) for text in (" ".join(*brought[:1]), term)]
            if len(brought) == 1 and len(brought[0]) == 1 and plain != asked:
                raise ValueError(
                    f"{name!r} is in a formula nothing but {plain!r}; arithmetic goes into I(): 'I({name})'"
                )
        if name != names[0] and seen.issuperset(brought):
            raise ValueError(f"{name!r} brings nothing that the predictors before it have not: leave it out")
        seen |= set(brought) if name != names[0] else set()


def _outside_brackets(term):
    """A term without what stands in brackets or backticks."""
    shorter = re.sub(r"`[^`]*`|\([^()]*\)", "", term)
    return term if shorter == term else _outside_brackets(shorter)


def _refuse_text(column, role):
    """Refuse text where numbers are meant; leave what is missing to others."""
    text = isinstance(column.dtype, pd.CategoricalDtype) or is_text(column)
    if not text:
        return
    values = column.dropna()
    if not isinstance(column.dtype, pd.CategoricalDtype) and not values.map(type).eq(str).all():
        return  # numbers in objects
    codes, distinct = pd.factorize(values)  # a text predictor has few, in a million rows too
    numbers = pd.to_numeric(pd.Series(distinct).astype(str).str.strip(), errors="coerce")
    bad = numbers.isna().to_numpy()[codes]
    if len(values) and not bad.any() and is_text(column):
        raise ValueError(
            f"{role} {column.name!r} holds numbers stored as text: make them numbers, as pandas' to_numeric "
            "does"
        )
    example = "" if not bad.any() else f", such as {str(values.iloc[bad.argmax()])[:40]!r}"
    if role == "outcome" or (bad.mean() < 0.5 and is_text(column)):
        row = place_of(column, np.flatnonzero(column.notna())[bad.argmax()]) if bad.any() else ""
        marks = values.astype(str).str.strip()[bad].str.fullmatch(_WITH_MARKS).any()
        raise ValueError(
            f"{role} {column.name!r} holds text{example}{row and ' in ' + row} ({bad.sum()} of {len(column)} "
            "values are no numbers): mend them, or leave them empty where a value is missing"
            + ("; save numbers without thousands marks" if marks else "")
        )
    if values.nunique() > TOO_MANY:
        raise ValueError(
            f"predictor {column.name!r} is text of {values.nunique()} different values{example}: with more "
            f"than {TOO_MANY} it is no predictor; is it a group?"
        )
