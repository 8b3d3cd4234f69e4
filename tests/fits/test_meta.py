"""Pooling of estimates with known variances: against metafor, the balanced theorem, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers import complete_pooling, meta_pooling, partial_pooling
from helpers.course.stated import ledger, rounds_to

R = json.loads((Path(__file__).parents[1] / "reference" / "metafor.json").read_text(encoding="utf-8"))[
    "values"
]
NAMES = {"EE": "common mean", "DL": "DerSimonian-Laird", "REML": "REML", "PM": "Paule-Mandel"}
COLUMNS = ["tau2", "estimate", "se", "lower", "upper"]
SETS = {
    "schools": ([28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18]),
    "uneven": ([0.2, 1.9, -0.4, 1.1, 3.6, 0.9, 2.2], [0.3, 0.9, 0.5, 0.2, 1.1, 0.4, 0.7]),
    "pair": ([1, 4], [0.5, 1]),
}


@pytest.fixture
def pooled(classrooms):
    def of(name):
        if name == "rooms":
            scores = classrooms.groupby("classroom", observed=True)["score"]
            return meta_pooling(scores.mean(), np.full(20, scores.var().mean() / 10))
        y, se = SETS[name]
        return meta_pooling(y, np.square(se))

    return of


@pytest.mark.parametrize("method", NAMES)
@pytest.mark.parametrize("name", [*SETS, "rooms"])
def test_every_method_is_metafors(pooled, name, method):
    table = pooled(name).table()
    np.testing.assert_allclose(
        table.loc[NAMES[method], COLUMNS].to_list(), R[f"{name}.{method}"]["value"], rtol=1e-10, atol=1e-12
    )
    if method != "EE":
        np.testing.assert_allclose(
            table.loc[f"{NAMES[method]}, Hartung-Knapp", [*COLUMNS, "df"]].to_list(),
            R[f"{name}.{method}.knha"]["value"], rtol=1e-10, atol=1e-12,
        )  # fmt: skip


@pytest.mark.parametrize("name", [*SETS, "rooms"])
def test_q_and_the_interval_of_tau2_are_metafors(pooled, name):
    found = pooled(name)
    np.testing.assert_allclose([found.Q, found.pvalue], R[f"{name}.Q"]["value"], rtol=1e-9)
    np.testing.assert_allclose(found.tau2_int(), R[f"{name}.Q_profile"]["value"], rtol=1e-8)


def test_with_equal_variances_it_is_partial_pooling(classrooms, pooled):
    """Balanced, psi > 0: one variance, one standard error; Hartung and Knapp's t is that on the means."""
    found, fit = pooled("rooms"), partial_pooling("score ~ 1", classrooms, "classroom")
    np.testing.assert_allclose(found.tau2, fit.psi, rtol=1e-10)
    table = found.table().drop("common mean")
    np.testing.assert_allclose(table["se"].astype(float), fit.bse.iloc[0], rtol=1e-10)
    knapp = table.filter(like="Hartung", axis=0)
    means = classrooms.groupby("classroom", observed=True)["score"].mean()
    test = stats.ttest_1samp(means, 0).confidence_interval()
    np.testing.assert_allclose(knapp[["lower", "upper"]].astype(float), [test] * 3, rtol=1e-12)
    assert complete_pooling("score ~ 1", classrooms).bse.iloc[0] != pytest.approx(table["se"].iloc[0])


def test_the_restricted_likelihood_is_highest_there(pooled):
    found = pooled("uneven")

    y, v = found.estimates.to_numpy(), found.variances.to_numpy()

    def criterion(t):
        w = 1 / (v + t)
        return -np.log(w).sum() + np.log(w.sum()) + w @ (y - w @ y / w.sum()) ** 2

    best = criterion(found.tau2["REML"])
    assert all(criterion(t) >= best for t in np.geomspace(1e-4, 1e2, 2000))


def test_a_series_names_its_studies_and_another_order_changes_nothing():
    y, se = SETS["uneven"]
    index = pd.Index(list("abcdefg"), name="trial")
    found = meta_pooling(pd.Series(y, index), pd.Series(np.square(se), index))
    back = meta_pooling(y[::-1], np.square(se)[::-1])
    assert found.estimates.index.equals(index)
    np.testing.assert_allclose(found.table().astype(float), back.table().astype(float), rtol=1e-10)


@pytest.mark.parametrize(
    ("y", "v", "words"),
    [
        ([1.0], [1.0], "two estimates or more; got 1"),
        ([1.0, 2.0], [1.0], "2 estimates need as many variances; got 1"),
        ([1.0, np.nan], [1.0, 1.0], "estimate of study 2 must be finite"),
        ([1.0, 2.0], [0.0, 1.0], "variance of study 1 must be positive"),
        ([1.0, 2.0], [1.0, -1.0], "variance of study 2 must be positive"),
        ([[1.0, 2.0]], [[1.0, 2.0]], "one number a study"),
    ],
)
def test_what_cannot_be_pooled_is_refused_by_name(y, v, words):
    with pytest.raises(ValueError, match=words):
        meta_pooling(y, v)


def test_words_are_no_numbers_and_orders_must_agree():
    with pytest.raises(TypeError, match="variances must be numbers"):
        meta_pooling([1, 2], ["a", "b"])
    with pytest.raises(ValueError, match="different indices"):
        meta_pooling(pd.Series([1, 2], ["a", "b"]), pd.Series([1, 2], ["b", "a"]))


def test_estimates_closer_than_their_variances_have_no_interval_of_tau2():
    found = meta_pooling([1.0, 1.0, 1.0, 1.01], [4.0, 4, 4, 4])
    with pytest.raises(ValueError, match="no variance between fits"):
        found.tau2_int()
    assert (found.table()["tau2"] == 0).all()


def test_the_ledger_of_the_eight_schools_is_metafors():
    tau2, mean, se, *_ = R["schools.DL"]["value"]
    _, _, knapp, lower, upper, _ = R["schools.REML.knha"]["value"]
    said = ledger()["value"]
    for row, value in {"tau2": tau2, "mean": mean, "se": se, "knapp": knapp, "knapp.lower": lower,
                       "knapp.upper": upper}.items():  # fmt: skip
        assert rounds_to(value, said[f"r.schools.{row}"]), row
