"""The answers of the exercises with their hints, and the check that a notebook calls."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

import numpy as np

_SAME = 1e-6  # relative: what is left of another order of adding up


@cache
def exercises():
    """Return the exercises: id to ``answer`` (list of numbers), ``what`` (their names) and ``hints``.

    Examples
    --------
    >>> from helpers.course.exercises import exercises
    >>> exercises()["01.1"]["what"]
    ['the bound']
    """
    text = files("helpers").joinpath("data", "exercises.json").read_text(encoding="utf-8")
    return json.loads(text)


def check_exercise(key, answer):
    """Say whether an answer is right; if not, the hint that belongs to it, never the solution.

    Parameters
    ----------
    key : str
        The exercise, ``"01.2"``.
    answer : float or sequence of float
        As many numbers as the exercise asks for, in its order; four digits are enough.

    Raises
    ------
    KeyError
        If there is no such exercise.

    Examples
    --------
    >>> from helpers import check_exercise
    >>> check_exercise("01.1", "seven")
    01.1: the answer must be one number, not 'seven'.
    """
    if key not in exercises():
        raise KeyError(f"no exercise {key!r}; there are {', '.join(sorted(exercises()))}")
    print(f"{key}: {_reply(exercises()[key], answer)}")


def _reply(exercise, answer):
    right = exercise["answer"]
    try:
        given = np.atleast_1d(np.asarray(answer, dtype=float)).ravel()
    except (TypeError, ValueError):
        return f"the answer must be {_count(right)}, not {answer!r}."
    if given.size != len(right):
        return f"the answer is {_count(right)} ({', '.join(exercise['what'])}); yours has {given.size}."
    if not np.isfinite(given).all():
        return "the answer must be finite."
    near = np.array([_same(g, r, digits=4) for g, r in zip(given, right, strict=True)])
    if near.all():
        return "right."
    for hint in exercise["hints"]:
        at = [k for k, wrong in enumerate(hint["wrong"]) if wrong is not None]
        if all(_same(given[k], hint["wrong"][k], digits=4) for k in at):
            return "not yet. " + hint["hint"]
    if all(_same(g, r, digits=2) for g, r in zip(given, right, strict=True)):
        return "nearly: give four digits, and round only at the end."
    good = [name for name, ok in zip(exercise["what"], near, strict=True) if ok]
    if good:
        return f"not yet. Right already: {', '.join(good)}. For the rest: {exercise['start']}"
    return "not yet. " + exercise["start"]


def _same(given, value, digits):
    """Whether two numbers agree, or one is the other rounded to so many digits or more."""
    rounded = (float(f"{value:.{k}g}") for k in range(digits, 16))
    return bool(np.isclose(given, value, rtol=_SAME, atol=0)) or given in rounded


def _count(right):
    return "one number" if len(right) == 1 else f"{len(right)} numbers"
