"""The explorer of rows in groups of one kind: means, and the average slope."""

from __future__ import annotations

from functools import cache
from math import inf, nan
from typing import ClassVar

import numpy as np

from ... import formulas
from ...fits import partial_pooling
from ..datasets import classrooms
from .parts import Sliders, Table, lines

_MEANS = {  # name: which mean, formula
    "group": ("one class of the study", "√(θ/n)"),
    "these": ("just these J classes", "√(θ/(J n)), the answer's no pooling"),
    "finite": ("the K classes there are, J of them drawn", "√((1 − J/K) ψ/J + θ/(J n))"),
    "all": ("all classes there could be", "√((ψ + θ/n)/J), the answer's mixed model"),
    "new": ("one class not yet seen", "√(ψ + (ψ + θ/n)/J), of prediction"),
    "rows": ("all pupils, if drawn one by one", "√((ψ + θ)/(J n)), complete pooling"),
}
_SLOPES = {  # of a predictor with variance 1 in each class: its sum of squares there is n
    "slope": ("the average slope, where slopes vary", "√((ψₓ + θ/n)/J)"),
    "reported": ("as a random intercept reports it", "√((θ/n + (J − 1)/(J n − J − 1) ψₓ)/J)"),
    "floor": ("the average slope, in endless classes", "√(ψₓ/J)"),
}
_HOLDS = {  # estimate ± 1.96 of its estimated SE; T is of t, with the degrees of freedom behind it
    "holds_all": ("the mean of all classes, the SE from the class means", "2 T(1.96) − 1, J − 1 df"),
    "holds_these": (
        "the mean of all classes, no pooling’s SE",
        "2 T(1.96 these / all) − 1, J (n − 1) df",
    ),
    "holds_rows": (
        "the mean of all classes, complete pooling’s SE: at most",
        "2 T(1.96 √(s²/(J n)) / all) − 1, J n − 1 df",
    ),
    "holds_slope": ("the average slope, the SE from the slopes of the classes", "2 T(1.96) − 1, J − 1 df"),
    "holds_reported": (
        "the average slope, a random intercept’s SE: at most",
        "2 T(1.96 reported / slope) − 1, J (n − 1) − 1 df",
    ),
}
_MORE = {
    "s2": ("s², complete pooling’s residual variance on average", "θ + n ψ (J − 1)/(J n − 1)"),
    "icc": ("intraclass correlation ρ", "ψ/(ψ + θ)"),
    "effect": ("design effect", "1 + (n − 1) ρ"),
    "effective": ("effective sample size", "J n / design effect"),
    "F": ("F, the ratio of the mean squares", "(θ + n ψ)/θ"),
}
_SETTINGS = {  # name: label, what it takes
    "psi": ("ψ, variance between classes", "a number from 0"),
    "theta": ("θ, variance within a class", "a number above 0"),
    "n": ("n, pupils in a class", "a whole number from 1"),
    "J": ("J, classes in the study", "a whole number from 2"),
    "K": ("K, classes in the population", "a whole number from J, or inf"),
    "psi_x": ("ψₓ, variance of the slopes", "a number from 0"),
}
_DRAWN = {
    "group": "one class", "these": "these J", "finite": "of K", "all": "all classes", "new": "a new class",
    "rows": "independent", "slope": "avg. slope", "reported": "as reported",
}  # fmt: skip
_PLANE = (
    '<svg class="plane" viewBox="-34 -8 242 232" role="img" aria-label="The number of classes J against F, '
    'both from 1 to 200 on log scales, with the line F = J and a dot at these settings.">'
    '<path class="below" d="M0 200L200 0V200Z"/><path class="axis" d="M0 0V200H200M0 200L200 0"/>'
    '<text x="130" y="165">F &lt; J</text><text x="40" y="60">F &gt; J</text>'
    '<text x="100" y="218" text-anchor="middle">J, classes</text><text x="-24" y="104">F</text>'
    '<text x="0" y="216">1</text><text x="200" y="216" text-anchor="end">200</text>'
    '<text x="-8" y="200" text-anchor="end">1</text><text x="-8" y="8" text-anchor="end">200</text>'
    '<circle r="7"/></svg>'
)


_TABLES = (
    Table("Standard error of each mean", ("Which mean?", "Formula", "SE"), lines(_MEANS)),
    Table(
        "Standard error of the average slope of a predictor with variance 1 in each class",
        ("Which, and how?", "Formula", "SE"),
        lines(_SLOPES),
    ),
    Table(
        "How often a 95% interval holds it: the share of studies, each with classes drawn anew",
        ("What, and with which SE?", "Formula", "Holds"),
        lines(_HOLDS),
    ),
    Table("What they are made of", ("Quantity", "Formula", "Value"), lines(_MORE, told=False)),
)


class Explorer(Sliders):
    """Sliders over the closed forms of the course; as the last line of a cell it shows itself.

    Standard errors are those of known variances; how often an interval holds is that of 1.96 estimated ones,
    from normal data.

    The first values are computed here, by `helpers.formulas`; a script in the page does the same when a
    slider moves, and reads settings from the page's address (``#psi=400&theta=900&n=10&J=20&psi_x=50``).

    Parameters
    ----------
    psi, theta : float, optional
        Variances between and within classes, theta positive; without them the REML estimates of the
        classrooms.
    n, J : int
        Pupils in a class and classes.
    K : int or inf
        Classes in the population, at least J.
    psi_x : float
        Variance between classes of the slope of a predictor that has variance 1 in each class.

    Raises
    ------
    TypeError
        If one of them is no number.
    ValueError
        As the formulas; if n, J or K (unless inf) is not whole; if J is below 2.

    Examples
    --------
    >>> from helpers.course.explorer import Explorer
    >>> Explorer(psi=400, theta=900, n=10, J=20, K=40, psi_x=50)
    9.487  one class of the study
    2.121  just these J classes
    3.808  the K classes there are, J of them drawn
    4.950  all classes there could be
    20.603  one class not yet seen
    2.550  all pupils, if drawn one by one
    2.646  the average slope, where slopes vary
    2.183  as a random intercept reports it
    1.581  the average slope, in endless classes
    0.935  the mean of all classes, the SE from the class means
    0.598  the mean of all classes, no pooling’s SE
    0.683  the mean of all classes, complete pooling’s SE: at most
    0.935  the average slope, the SE from the slopes of the classes
    0.892  the average slope, a random intercept’s SE: at most
    """

    KIND = "one"
    SETTINGS = _SETTINGS
    WHOLE: ClassVar[dict] = {"n": 1, "J": 2, "K": 2}
    TABLES = _TABLES
    DRAWN = _DRAWN
    BESIDE = _PLANE

    def __init__(self, psi=None, theta=None, n=10, J=20, K=inf, psi_x=0):
        seed = _seed()
        psi = seed.psi if psi is None else psi
        theta = seed.theta if theta is None else theta
        super().__init__(psi=psi, theta=theta, n=n, J=J, K=K, psi_x=psi_x)

    @staticmethod
    def work_out(**at):
        """The values at these settings."""
        return values(**at)


def values(psi, theta, n, J, K=inf, psi_x=0):
    """Everything the explorer shows, by the name it has there.

    Parameters
    ----------
    psi, theta, n, J, K, psi_x
        As for `Explorer`.

    Returns
    -------
    dict of str to float
        NaN for the slope of classes of one pupil, in which no predictor varies.

    Raises
    ------
    ValueError
        If theta is 0, or as the formulas.

    Examples
    --------
    >>> from helpers.course.explorer import values
    >>> f"{values(400, 900, n=10, J=20)['F']:.3f}"
    '5.444'
    """
    if theta == 0:
        raise ValueError("theta must be positive: F divides by it")
    icc = formulas.icc(psi, theta)
    between, within = formulas.expected_mean_squares(psi, theta, n)
    found = {
        "group": formulas.se_group_mean(theta, n),
        "these": formulas.se_no_pooling(theta, J, n),
        "finite": formulas.se_finite_population(psi, theta, J, n, K),
        "all": formulas.se_partial_pooling(psi, theta, J, n),
        "new": formulas.se_new_group_mean(psi, theta, J, n),
        "rows": formulas.se_complete_pooling(psi, theta, J, n),
        "icc": icc,
        "effect": formulas.design_effect(icc, n),
        "effective": formulas.effective_sample_size(icc, J, n),
        "F": between / within,
        "slope": formulas.se_average_slope(psi_x, theta, J, n) if n > 1 else nan,
        "reported": _reported(psi_x, theta, n, J) if n > 1 and J > 1 else nan,
        "floor": formulas.se_floor(psi_x, J),
        "s2": formulas.complete_pooling_variance(psi, theta, J, n) if J * n >= 2 else nan,
    }
    found |= _holds(found, n, J)
    return {name: float(value) for name, value in found.items()}


def _holds(found, n, J):
    """How often the intervals hold, from the standard errors."""
    if J < 2:
        return dict.fromkeys(_HOLDS, nan)
    share = formulas.z_coverage
    rows = share(J * n - 1, ratio=np.sqrt(found["s2"] / (J * n)) / found["all"])
    if n == 1:
        return {**dict.fromkeys(_HOLDS, nan), "holds_all": share(J - 1), "holds_rows": rows}
    return {
        "holds_all": share(J - 1),
        "holds_these": share(J * (n - 1), ratio=found["these"] / found["all"]),
        "holds_rows": rows,
        "holds_slope": share(J - 1),
        "holds_reported": share(J * (n - 1) - 1, ratio=found["reported"] / found["slope"]),
    }


def _reported(psi_x, theta, n, J):
    """What one slope for all reports of the average slope, the root of its mean square."""
    return formulas.se_within_slope(formulas.one_slope_variance(psi_x, theta, J, n, s=n), J * n)


@cache
def _seed():
    return partial_pooling("score ~ 1", classrooms(), groups="classroom")
