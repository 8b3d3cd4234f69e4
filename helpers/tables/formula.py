"""What a formula asks for: its outcome, terms and columns; formulaic reads it, and no code in it runs.

formulaic would run any Python that it is given, so only columns, numbers, arithmetic, comparisons and its own
functions are let through.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache

import formulaic
import numpy as np
from formulaic.errors import FormulaicError
from formulaic.transforms import TRANSFORMS
from formulaic.utils.code import sanitize_variable_names

_FUNCTIONS = sorted(set(TRANSFORMS) - {"np", "contr"})
_LEVELS = {"C", "hashed"}  # functions to which a number is a label
_TIMES_ZERO = re.compile(r"(?<![\w.])0\s*[*:]|[*:]\s*0(?![\w.])")
_ALLOWED = (
    "columns, numbers, arithmetic, comparisons, numpy's functions of numbers such as np.sqrt, and "
    + ", ".join(_FUNCTIONS)
)


@dataclass(frozen=True)
class Asked:
    """What formulaic read; the columns it names, those used as levels; outcome and terms if all are plain."""

    parsed: formulaic.Formula
    outcomes: list
    names: list
    levels: set
    plain: tuple | None


def parse(formula, groups, missing) -> Asked:
    """Return what is asked for, as `_parse` reads it, once all three words are of the right kind."""
    if missing not in ("raise", "drop"):
        raise ValueError(f'missing must be "raise" or "drop"; got {missing!r}')
    if not isinstance(formula, str):
        raise TypeError(f'formula must be a string such as "score ~ 1"; got {formula!r}')
    asked = _parse(formula)
    if groups is not None and not isinstance(groups, str):
        raise TypeError(f"groups must be the name of a column; got {groups!r}")
    return asked


@lru_cache(maxsize=256)
def _parse(formula):
    if "|" in formula:
        raise ValueError(f'write the groups as groups="classroom", not as (1 | classroom): {formula!r}')
    if _TIMES_ZERO.search(formula):  # of which formulaic drops the other part too
        raise ValueError(f"formula {formula!r} multiplies by 0: leave the term out; the constant goes by - 1")
    if "``" in formula or "`1`" in formula:  # which formulaic takes for nothing and for the constant
        raise ValueError(
            f"formula {formula!r} names a column that it cannot tell from the constant: rename it"
        )
    try:
        parsed = formulaic.Formula(formula)
    except (FormulaicError, SyntaxError, ValueError, RecursionError) as error:  # ValueError until 3.11.3
        raise ValueError(f"formula {formula!r} cannot be read: {str(error).splitlines()[0]}") from None
    if not hasattr(parsed, "lhs"):
        raise ValueError(f'formula {formula!r} has no outcome: write it as "outcome ~ 1"')
    names, levels, called = set(), set(), set()
    try:
        outcomes, names = (
            set().union(*(_names(factor, levels, called) for term in side for factor in term.factors))
            for side in (parsed.lhs, parsed.rhs)
        )
    except _Refused as refused:
        raise ValueError(f"formula {formula!r}: {refused} is refused; a term may use {_ALLOWED}") from None
    names |= outcomes
    for name in sorted(names & called):
        raise ValueError(f"formula {formula!r}: {name!r} is both a function and a column: rename the column")
    left, right = [[term.factors for term in side] for side in (parsed.lhs, parsed.rhs)]
    names_only = all(
        len(factors) == 1 and factors[0].eval_method.value != "python" for factors in left + right
    )
    plain = None
    if names_only and len(left) == len(outcomes) == 1 and right:
        terms = [None if factor.eval_method.value == "literal" else factor.expr for (factor,) in right]
        plain = (left[0][0].expr, terms)
    return Asked(parsed, outcomes, sorted(names), levels, plain)


def factors(formula) -> list[frozenset[str]]:
    """Return the factors of each term on the right of a formula but the constant, as formulaic has them."""
    terms = _parse(formula).parsed.rhs
    return [frozenset(f.expr for f in term.factors) for term in terms if str(term) != "1"]


class _Refused(Exception):
    """A part of a formula that is neither arithmetic nor a known function."""


def _names(factor, levels, called):
    """Columns that a factor names; those used as labels are added to ``levels``, functions to ``called``."""
    if factor.eval_method.value == "lookup":
        return {factor.expr}
    if factor.eval_method.value == "literal":
        return set()
    aliases = {}
    try:
        tree = ast.parse(sanitize_variable_names(factor.expr, {}, aliases), mode="eval")
    except SyntaxError:
        raise _Refused(repr(factor.expr)) from None
    names = set()

    def walk(node, label=False):
        match node:
            case ast.Name(name):
                names.add(aliases.get(name, name))
                if label:
                    levels.add(aliases.get(name, name))
            case ast.Constant(int() | float() | None):
                pass
            case ast.UnaryOp(ast.UAdd() | ast.USub() | ast.Invert(), operand):
                walk(operand, label)
            case ast.BinOp(
                left, ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.FloorDiv() | ast.Mod(), right
            ):
                walk(left, label), walk(right, label)
            case ast.BinOp(left, ast.BitAnd(), right):
                walk(left, label), walk(right, label)
            case ast.BinOp(left, ast.Pow(), right) if any(isinstance(n, ast.Name) for n in ast.walk(left)):
                walk(left, label), walk(right, label)  # of numbers alone, 9**9**9 would never end
            case ast.Compare(left, _, others):
                for part in (left, *others):
                    walk(part, label)
            case ast.Call(ast.Name("Q"), [ast.Constant(str(name))], []):
                called.add("Q")
                names.add(name)
            case ast.Call(ast.Name(name), args, keywords) if name in _FUNCTIONS:
                called.add(name)
                for part in (*args, *(keyword.value for keyword in keywords)):
                    argument(part, label or name in _LEVELS)
            case ast.Call(ast.Attribute(ast.Name("np"), name), args, []) if (
                isinstance(function := getattr(np, name, None), np.ufunc) and len(args) <= function.nin
            ):  # one argument more would be written to
                called.add("np")
                for part in args:
                    walk(part, label)
            case ast.Call(ast.Attribute(ast.Name("contr"), name), args, keywords) if name[0] != "_":
                called.add("contr")
                for part in (*args, *(keyword.value for keyword in keywords)):
                    argument(part, label)
            case _:
                raise _Refused(repr(ast.unparse(node)))

    def argument(node, label):
        match node:
            case ast.Constant(str()):
                pass
            case ast.Attribute(ast.Name("contr"), name) if name[0] != "_":
                called.add("contr")
            case ast.List(parts) | ast.Tuple(parts):
                for part in parts:
                    argument(part, label)
            case _:
                walk(node, label)

    walk(tree.body)
    return names
