"""The data sets of the course, as documented data frames; nothing is read from the network."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pandas as pd

from .rrandom import RRandom


def classrooms():
    """Twenty classrooms of ten pupils: the data of Cross Validated 476781, to the last bit.

    The question's R script, run again in Python::

        set.seed(0)
        groups <- gl(20, 10)
        U0j <- rnorm(20, 0, 20)
        eij <- rnorm(length(groups), 0, 30)
        y <- 1629 + model.matrix(~ groups - 1) %*% U0j + eij

    Returns
    -------
    DataFrame of shape (200, 4)
        ``score`` (test points), ``classroom`` (categorical, 1 to 20), and the truth behind each
        score: ``effect`` (of the classroom) and ``error`` (of the pupil), both in test points.
        ``score`` is 1629 + effect + error.

    Examples
    --------
    >>> from helpers import classrooms
    >>> classrooms().groupby("classroom")["score"].mean().head(3).round(1)
    classroom
    1    1656.3
    2    1627.1
    3    1652.6
    Name: score, dtype: float64
    """
    r = RRandom(0)
    effect = np.repeat(r.rnorm(20, 0, 20), 10)
    error = r.rnorm(200, 0, 30)
    classroom = pd.Categorical(np.repeat(np.arange(1, 21), 10))
    return pd.DataFrame(
        {"score": 1629 + effect + error, "classroom": classroom, "effect": effect, "error": error}
    )


def radon():
    """Radon in 919 homes of 85 Minnesota counties: Gelman and Hill (2007), chapter 12.

    Source: US EPA State Residential Radon Survey (Price, Nero and Gelman 1996), by way of the R
    package rstanarm 2.21.3. The rows stand in file order, and so do the counties (by their federal
    code: MCLEOD before MAHNOMEN, STLOUIS before SCOTT). The book numbers them as the survey's own file
    does, by the alphabet with ST LOUIS before STEARNS. Both have 26 HENNEPIN and 36 LACQUIPARLE; 42 to
    45 and 67 to 70 are other counties. Index by name.

    Returns
    -------
    DataFrame of shape (919, 5)
        ``county`` (categorical, file order), ``floor`` (0 basement, 1 first floor: where it was
        measured), ``radon`` (pCi/L), ``log_radon`` (natural log of radon, the three zeros set to
        log 0.1 as the book does), ``log_uranium`` (natural log of the county's soil uranium, ppm).

    Examples
    --------
    >>> from helpers import radon
    >>> radon()["county"].value_counts().head(3)
    county
    STLOUIS     116
    HENNEPIN    105
    DAKOTA       63
    Name: count, dtype: int64
    """
    data = _read("radon.csv")
    data["county"] = pd.Categorical(data["county"], categories=data["county"].unique())
    activity = data["radon"]
    data.insert(3, "log_radon", np.log(activity.where(activity > 0, 0.1)))
    return data


def high_school():
    """High School and Beyond: 7185 pupils of 160 schools in 1982.

    Source: US Department of Education, NCES, the subset of Raudenbush and Bryk (2002), by way of
    the R package mlmRev 1.0.8 (``Hsb82``); the same records as ``nlme::MathAchieve``.

    Returns
    -------
    DataFrame of shape (7185, 7)
        ``school`` (categorical), ``sector`` (catholic or public), ``math`` (achievement, points),
        ``ses`` (socioeconomic status, standardised), ``minority`` and ``female`` (0 or 1), and
        ``mean_ses``, the mean of ``ses`` over the school's pupils, computed here.

    Examples
    --------
    >>> from helpers import high_school
    >>> high_school().groupby("sector")["school"].nunique()
    sector
    catholic    70
    public      90
    Name: school, dtype: int64
    """
    data = _read("hsb.csv")
    data["school"] = pd.Categorical(data["school"])
    data["mean_ses"] = data.groupby("school", observed=True)["ses"].transform("mean")
    return data


def with_mean_squares(J, n, msb, msw):
    """Balanced data made up to have these mean squares, of mean 0.

    Parameters
    ----------
    J, n : int
        Groups, and rows in each.
    msb, msw : float
        Mean squares between and within groups.

    Returns
    -------
    DataFrame of shape (J n, 2)
        ``group`` (0 to J - 1) and ``score``.

    Examples
    --------
    >>> from helpers import partial_pooling
    >>> from helpers.course.datasets import with_mean_squares
    >>> fit = partial_pooling("score ~ 1", with_mean_squares(6, 5, 30.0, 10.0), "group")
    >>> round(fit.psi, 6), round(fit.theta, 6)
    (4.0, 10.0)
    """
    means, noise = np.linspace(-1, 1, J), np.tile(np.linspace(-1, 1, n), J)
    means *= np.sqrt(msb * (J - 1) / n / (means @ means))
    noise *= np.sqrt(msw * J * (n - 1) / (noise @ noise))
    group = np.repeat(np.arange(J), n)
    return pd.DataFrame({"group": group, "score": means[group] + noise})


def three_levels():
    """Pupils in classes in schools, a treatment given to half of the classes of every school. Simulated.

    Returns
    -------
    DataFrame of shape (480, 5)
        ``school`` (1 to 12), ``class`` (1 to 4, the same numbers in every school), ``pupil`` (1 to 10 in
        every class), ``treated`` (0 or 1, by class) and ``score`` (points).

    Examples
    --------
    >>> from helpers.course.datasets import three_levels
    >>> three_levels().groupby(["school", "class"]).size().unique().tolist()
    [10]
    """
    return _read("three_levels.csv")


def _read(name):
    with files("helpers").joinpath("data", name).open("rb") as file:
        return pd.read_csv(file)
