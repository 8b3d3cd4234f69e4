"""The explorers of two groupings: classes in schools, and readers by texts."""

from __future__ import annotations

from functools import cache
from typing import ClassVar

import numpy as np

from ... import formulas
from ...fits import partial_pooling
from ..datasets import three_levels
from .parts import Sliders, Table, lines, square

_VARIANCE, _ABOVE = "a number from 0", "a number above 0"
_MEAN = ("Standard error of the mean, by what would be drawn anew", ("Which mean?", "Formula", "SE"))
_REPORTED = (
    "What models report, on average in squares: of the mean, and of slopes of predictors with variance 1, "
    "one of each level. The first is right."
)
_MADE_OF = ("Quantity", "Formula", "Value")
_EVERY = [[0, 1, 2]] * 4  # mean squares that each error of `lm` is made of
_NESTED = {  # model: which mean squares it pools for the mean and for a predictor of schools, classes, pupils
    "both": [[0], [0], [1], [2]],
    "school": [[0], [0], [1, 2], [1, 2]],
    "room": [[0, 1], [0, 1], [0, 1], [2]],
    "lm": _EVERY,
}
_CROSSED = {  # the same for the mean and for a predictor of readers, texts, single answers
    "both": [[0], [0], [1], [2]],  # but the mean, which has all three
    "reader": [[0], [0], [1, 2], [1, 2]],
    "text": [[1], [0, 2], [1], [0, 2]],
    "lm": _EVERY,
}
_OF_NESTED = ("mean", "school", "class", "pupil")
_OF_CROSSED = ("mean", "reader", "text", "answer")


class NestedExplorer(Sliders):
    """Sliders over classes in schools, balanced; as the last line of a cell it shows itself.

    Settings come by the page's address too (``#of=nested&psi_school=4&psi_class=9&theta=16&J=12&m=4&n=10``).

    Parameters
    ----------
    psi_school, psi_class, theta : float, optional
        Variances between schools, between the classes of a school, and within classes, the last positive;
        without them the REML estimates of chapter 15's data.
    J, m, n : int
        Schools, at least 3, classes in each and pupils in each of these, at least 2.

    Raises
    ------
    TypeError
        If one of them is no number.
    ValueError
        As `nested_values`; if a size is not whole.

    Examples
    --------
    >>> from helpers.course.explorer import NestedExplorer
    >>> NestedExplorer(4, 9, 16, J=12, m=4, n=10)
    0.183  just these classes, over new pupils
    0.470  just these schools, over new classes in them
    0.744  all schools there could be
    2.134  one school not yet seen
    """

    KIND = "nested"
    SETTINGS: ClassVar[dict] = {
        "psi_school": ("ψ<sub>s</sub>, variance between schools", _VARIANCE),
        "psi_class": ("ψ<sub>c</sub>, between the classes of a school", _VARIANCE),
        "theta": ("θ, variance within a class", _ABOVE),
        "J": ("J, schools", "a whole number from 3"),
        "m": ("m, classes in a school", "a whole number from 2"),
        "n": ("n, pupils in a class", "a whole number from 2"),
    }
    WHOLE: ClassVar[dict] = {"J": 3, "m": 2, "n": 2}
    DRAWN: ClassVar[dict] = {
        "pupils": "new pupils", "classes": "new classes", "schools": "new schools", "room_mean": "by class",
        "both_class": "slope, both", "school_class": "school alone", "room_class": "class alone",
        "lm_class": "lm",
    }  # fmt: skip
    TABLES = (
        Table(*_MEAN, lines({
            "pupils": ("just these classes, over new pupils", "√(θ/(J m n))"),
            "classes": ("just these schools, over new classes in them", "√((ψ<sub>c</sub> + θ/n)/(J m))"),
            "schools": ("all schools there could be", "√((ψ<sub>s</sub> + (ψ<sub>c</sub> + θ/n)/m)/J)"),
            "new": ("one school not yet seen", "√(ψ<sub>s</sub> + the square above), of prediction"),
        })),
        Table(_REPORTED, ("Model", "Mean", "schools", "classes", "pupils"), square({
            "both": "(1 | school/class)", "school": "(1 | school)",
            "room": "(1 | room)", "lm": "lm",
        }, _OF_NESTED)),
        Table("What they are made of", _MADE_OF, lines({
            "mss": ("E(MSS), of school means", "θ + n ψ<sub>c</sub> + m n ψ<sub>s</sub>"),
            "msc": ("E(MSC), of class means within schools", "θ + n ψ<sub>c</sub>"),
            "msw": ("E(MSW), of pupils within classes", "θ"),
            "icc_school": ("correlation of two pupils of one school, in two classes",
                           "ψ<sub>s</sub>/(ψ<sub>s</sub> + ψ<sub>c</sub> + θ)"),
            "icc_class": ("correlation of two pupils of one class",
                          "(ψ<sub>s</sub> + ψ<sub>c</sub>)/(ψ<sub>s</sub> + ψ<sub>c</sub> + θ)"),
            "effect": ("design effect of the mean", "E(MSS)/(ψ<sub>s</sub> + ψ<sub>c</sub> + θ)"),
        }, told=False)),
    )  # fmt: skip

    def __init__(self, psi_school=None, psi_class=None, theta=None, J=12, m=4, n=10):
        seed = _seed()
        given = zip((psi_school, psi_class, theta), (*seed.psi, seed.theta), strict=True)
        psi_school, psi_class, theta = (float(own) if value is None else value for value, own in given)
        super().__init__(psi_school=psi_school, psi_class=psi_class, theta=theta, J=J, m=m, n=n)

    @staticmethod
    def work_out(**at):
        """The values at these settings."""
        return nested_values(**at)


class CrossedExplorer(Sliders):
    """Sliders over answers of readers about texts, balanced; as the last line of a cell it shows itself.

    Settings come by the page's address too (``#of=crossed&psi_a=4&psi_b=9&theta=16&a=12&b=8&n=1``).

    Parameters
    ----------
    psi_a, psi_b, theta : float
        Variances between readers, between texts and of the rest, the last positive; at first those that
        chapter 15 draws its answers from.
    a, b : int
        Readers and texts, at least 3.
    n : int
        Answers of each reader about each text, at least 1.

    Raises
    ------
    TypeError
        If one of them is no number.
    ValueError
        As `crossed_values`; if a size is not whole.

    Examples
    --------
    >>> from helpers.course.explorer import CrossedExplorer
    >>> CrossedExplorer(4, 9, 16, a=12, b=8)
    0.408  just these readers and texts, over new answers
    0.707  these texts, all readers
    1.137  these readers, all texts
    1.275  all readers and all texts
    1.226  the same, as clustering two ways has it on average
    1.061  the same, with readers without end
    """

    KIND = "crossed"
    SETTINGS: ClassVar[dict] = {
        "psi_a": ("ψ<sub>a</sub>, variance between readers", _VARIANCE),
        "psi_b": ("ψ<sub>b</sub>, variance between texts", _VARIANCE),
        "theta": ("θ, variance of the rest", _ABOVE),
        "a": ("a, readers", "a whole number from 3"),
        "b": ("b, texts", "a whole number from 3"),
        "n": ("n, answers of each about each", "a whole number from 1"),
    }
    WHOLE: ClassVar[dict] = {"a": 3, "b": 3, "n": 1}
    DRAWN: ClassVar[dict] = {
        "answers": "new answers", "readers": "new readers", "texts": "new texts", "all": "both new",
        "two_way": "two ways", "both_text": "slope, both", "reader_text": "reader alone", "lm_text": "lm",
    }  # fmt: skip
    TABLES = (
        Table(*_MEAN, lines({
            "answers": ("just these readers and texts, over new answers", "√(θ/(a b n))"),
            "readers": ("these texts, all readers", "√(ψ<sub>a</sub>/a + θ/(a b n))"),
            "texts": ("these readers, all texts", "√(ψ<sub>b</sub>/b + θ/(a b n))"),
            "all": ("all readers and all texts", "√(ψ<sub>a</sub>/a + ψ<sub>b</sub>/b + θ/(a b n))"),
            "two_way": ("the same, as clustering two ways has it on average",
                        "√(its square − ((a − 1)/a ψ<sub>a</sub> + (b − 1)/b ψ<sub>b</sub>)/(a b − 1))"),
            "floor": ("the same, with readers without end", "√(ψ<sub>b</sub>/b)"),
        })),
        Table(_REPORTED, ("Model", "Mean", "readers", "texts", "answers"), square({
            "both": "(1 | reader) + (1 | text)", "reader": "(1 | reader)",
            "text": "(1 | text)", "lm": "lm",
        }, _OF_CROSSED)),
        Table("What they are made of", _MADE_OF, lines({
            "msa": ("E(MSA), of readers' means", "θ + b n ψ<sub>a</sub>"),
            "msb": ("E(MSB), of texts' means", "θ + a n ψ<sub>b</sub>"),
            "msab": ("E(MSAB), of the rest", "θ"),
            "icc_reader": ("correlation of two answers of one reader, about two texts",
                           "ψ<sub>a</sub>/(ψ<sub>a</sub> + ψ<sub>b</sub> + θ)"),
            "icc_text": ("correlation of two readers' answers about one text",
                         "ψ<sub>b</sub>/(ψ<sub>a</sub> + ψ<sub>b</sub> + θ)"),
            "effect": ("design effect of the mean",
                       "(E(MSA) + E(MSB) − E(MSAB))/(ψ<sub>a</sub> + ψ<sub>b</sub> + θ)"),
        }, told=False)),
    )  # fmt: skip

    def __init__(self, psi_a=4, psi_b=9, theta=16, a=12, b=8, n=1):
        super().__init__(psi_a=psi_a, psi_b=psi_b, theta=theta, a=a, b=b, n=n)

    @staticmethod
    def work_out(**at):
        """The values at these settings."""
        return crossed_values(**at)


def nested_values(psi_school, psi_class, theta, J, m, n):
    """Everything the explorer of classes in schools shows, by the name it has there.

    Parameters
    ----------
    psi_school, psi_class, theta, J, m, n
        As for `NestedExplorer`.

    Returns
    -------
    dict of str to float

    Raises
    ------
    ValueError
        If theta is 0, J below 3, m or n below 2, or as the formulas.

    Examples
    --------
    >>> from helpers.course.explorer import nested_values
    >>> f"{nested_values(4, 9, 16, J=12, m=4, n=10)['room_mean']:.3f}"
    '0.543'
    """
    right = formulas.se_nested(psi_school, psi_class, theta, J, m, n)
    squares = formulas.expected_mean_squares_nested(psi_school, psi_class, theta, m, n)
    _refuse(theta, {"J": (J, 3), "m": (m, 2), "n": (n, 2)})
    df = [J - 2, J * (m - 1) - 1, J * m * (n - 1) - 1]  # one less for the predictor of each level
    whole = psi_school + psi_class + theta
    found = {
        "pupils": formulas.se_nested(0, 0, theta, J, m, n),
        "classes": formulas.se_nested(0, psi_class, theta, J, m, n),
        "schools": right,
        "new": np.hypot(np.sqrt(psi_school), right),
        **_errors(_NESTED, _OF_NESTED, squares, df, J * m * n),
        **dict(zip(("mss", "msc", "msw"), squares, strict=True)),
        "icc_school": psi_school / whole,
        "icc_class": (psi_school + psi_class) / whole,
        "effect": right**2 * J * m * n / whole,
    }
    return {name: float(value) for name, value in found.items()}


def crossed_values(psi_a, psi_b, theta, a, b, n=1):
    """Everything the explorer of readers by texts shows, by the name it has there.

    Parameters
    ----------
    psi_a, psi_b, theta, a, b, n
        As for `CrossedExplorer`.

    Returns
    -------
    dict of str to float

    Raises
    ------
    ValueError
        If theta is 0, a or b below 3, or as the formulas.

    Examples
    --------
    >>> from helpers.course.explorer import crossed_values
    >>> f"{crossed_values(4, 9, 16, a=12, b=8)['reader_mean']:.3f}"
    '0.707'
    """
    right = formulas.se_crossed(psi_a, psi_b, theta, a, b, n)
    squares = formulas.expected_mean_squares_crossed(psi_a, psi_b, theta, a, b, n)
    _refuse(theta, {"a": (a, 3), "b": (b, 3)})
    N, whole = a * b * n, psi_a + psi_b + theta
    df = [a - 2, b - 2, N - a - b]  # one less for the predictor of each level
    found = {
        "answers": formulas.se_crossed(0, 0, theta, a, b, n),
        "readers": formulas.se_crossed(psi_a, 0, theta, a, b, n),
        "texts": formulas.se_crossed(0, psi_b, theta, a, b, n),
        "all": right,
        "two_way": np.sqrt(formulas.expected_two_way(psi_a, psi_b, theta, a, b, n)),
        "floor": formulas.se_floor(psi_b, b),
        **_errors(_CROSSED, _OF_CROSSED, squares, df, N),
        "both_mean": right,  # MSA + MSB - MSAB, which is no pool of them
        **dict(zip(("msa", "msb", "msab"), squares, strict=True)),
        "icc_reader": psi_a / whole,
        "icc_text": psi_b / whole,
        "effect": right**2 * N / whole,
    }
    return {name: float(value) for name, value in found.items()}


def _errors(models, terms, squares, df, N):
    """What each model reports of each term: mean squares pooled by df, over the sum of squares N."""
    squares, df = np.asarray(squares, dtype=float), np.asarray(df, dtype=float)
    return {
        f"{model}_{term}": np.sqrt(np.average(squares[pool], weights=df[pool]) / N)
        for model, pools in models.items()
        for term, pool in zip(terms, pools, strict=True)
    }


def _refuse(theta, sizes):
    if theta == 0:
        raise ValueError("theta must be positive: without it no model of single rows can be fitted")
    for name, (size, least) in sizes.items():
        if size < least:
            raise ValueError(
                f"{name} must be a whole number from {least}, for a predictor of that level; got {size!r}"
            )


@cache
def _seed():
    return partial_pooling("score ~ 1", three_levels(), groups="school/class")
