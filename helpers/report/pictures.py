"""Pictures of residuals and of group effects, with what to look for and what there is to see."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from ..course import figures
from ..course.figures.checks import GROUPS, ends
from . import words

_BLOCK = 1 << 16  # rows at a time


class Picture(NamedTuple):
    """What a picture shows.

    Attributes
    ----------
    title, text : str
        What it is of, and what to look for.
    panels : list of (Figure, str)
        Figures and their alt texts.
    """

    title: str
    text: str
    panels: list


def of(found) -> list:
    """Pictures of residuals and of group effects; a text alone where there is nothing to draw."""
    left = found.left
    return [_residuals(found, left), _effects(left)]


def _residuals(found, left):
    title = "What the model leaves of each row"
    if found.has_two_values:
        text = (
            f"{found.outcome} has two values: its residuals lie on two curves, whatever the model, and are "
            "not drawn."
        )
        return Picture(title, text, [])
    level, fitted, residuals, groups, _, slopes = left
    sd = figures.checks.root_mean_square(residuals)
    k = max(int(residuals.argmax()), int(residuals.argmin()), key=lambda k: abs(residuals[k]))
    lower, spread = fitted <= np.median(fitted), ""
    if not lower.all():
        low, high = (
            words.figures(figures.checks.root_mean_square(residuals[half])) for half in (lower, ~lower)
        )
        spread = (
            f"; the standard deviation is {low} in the lower half of the fitted values, {high} in the upper"
        )
    by = "all groups have the same slopes"
    if slopes:
        terms = " and ".join(words.name(words.plain(term)) for term in slopes)
        by = f"each group has its own slope of {terms}"
    of = words.one_group(found, groups[k], groups.name)
    whose = f"In the model in which {by}, the" if found.predictors else "The"
    text = (
        "Look for rows far from all others, for dots that leave the line at one end (skew) or at both (long "
        "tails), and for a spread that grows or shrinks from left to right. "
        f"{whose} farthest residual, of {of}, is {words.decimals(residuals[k] / sd, 1)} "
        f"standard deviations from 0, and the skewness is {words.decimals(_skewness(residuals), 2)}{spread}."
    )
    panels = [figures.residuals_by_fitted(fitted, residuals, found.outcome, level)]
    return Picture(title, text, [*panels, figures.residuals_against_normal(residuals)])


def _skewness(values):
    """Third central moment over the cube of the standard deviation."""
    mean, squares, cubes = values.mean(dtype=float), 0.0, 0.0
    for start in range(0, len(values), _BLOCK):
        away = values[start : start + _BLOCK] - mean
        square = away * away
        squares, cubes = squares + square.sum(), cubes + np.vdot(square, away)
    return cubes / len(values) / (squares / len(values)) ** 1.5


def _effects(left):
    panels, told = [], []
    for effects in left.effects:
        term = (
            "means" if effects.what == "Intercept" else f"slopes of {words.name(words.plain(effects.what))}"
        )
        title = f"{term}, by {words.name(effects.of)}"
        if not len(effects.z):
            told.append(f"Of the {title}, there is no picture: their psi is estimated as 0.")
            continue
        z = pd.Series(effects.z, effects.labels)
        panels.append(figures.effects_against_normal(z, title))
        low, high = (", ".join(names) for names in ends(z.sort_values(kind="stable")))
        told.append(f"Of the {title}, the highest are {high}, the lowest {low}.")
    most = max((len(effects.labels) for effects in left.effects if len(effects.z)), default=0)
    look = ""
    if most:
        shape = "a shape other than the curve's" if most > GROUPS else (
            "dots outside the band, which holds 95% of normal effects at each place"
        )  # fmt: skip
        both = (
            "Effects on means are those of the random-intercept model, on slopes those of the model in which "
            "slopes vary. "
            if left.slopes
            else ""
        )
        look = (
            f"Look for groups far from all others, and for {shape}. Where groups have few rows, their "
            f"effects look more normal than they are. {both}"
        )
    return Picture("What the groups add", look + " ".join(told), panels)
