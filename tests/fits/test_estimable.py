"""No cluster-robust error of a term that one group alone carries: every group left out, one by one."""

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import compare, complete_pooling
from helpers.fits import estimable
from helpers.fits.terms import to_terms
from helpers.tables import summarise

KINDS = ["CR0", "CR1", "CR1S", "CR2", "CR3"]


def rank(X):
    """Rank by singular values, columns of one length; the designs below have rank or lack it by far."""
    length = np.linalg.norm(X, axis=0)
    values = np.linalg.svd(X / np.where(length > 0, length, 1), compute_uv=False)
    return int((values > 1e-9 * values[0]).sum())


def left_out(X, codes):
    """For each coefficient the groups without which the rows do not determine it: what is to be found."""
    unit = np.eye(X.shape[1])
    return [
        [g for g in np.unique(codes) if rank(np.vstack([X[codes != g], a])) > rank(X[codes != g])]
        for a in unit
    ]


def design(rng, scale=1.0):
    """Few groups of unequal sizes; predictors of rows, of groups, and of one or two groups alone."""
    J = rng.integers(4, 9)
    codes = np.repeat(np.arange(J), rng.integers(1, 6, J))
    codes = rng.permutation(codes)
    N, row = len(codes), rng.normal(size=len(codes))
    kinds = [
        rng.normal(size=N), rng.normal(size=J)[codes], (codes == 0) * 1.0, (codes == 1) * row,
        (codes <= 1) * 1.0, (codes == 2) * 1.0, np.where(codes == 3, row, 7.0),
        rng.integers(0, 2, J)[codes] * 1.0, (codes == 0) * 1.0 - (codes == 2), scale * (row + 5 * codes + 20),
    ]  # fmt: skip
    chosen = rng.choice(len(kinds), rng.integers(1, 5), replace=False)
    return codes, np.column_stack([kinds[k] for k in chosen])


def test_a_term_is_withheld_where_leaving_a_group_out_makes_it_inestimable():
    rng = np.random.default_rng(20)
    tried = withheld = designs = refused = 0
    while designs < 200:
        codes, X = design(rng, 10.0 ** rng.integers(-4, 5))
        constant = rng.integers(0, 2)
        whole = np.column_stack([np.ones(len(codes)), X]) if constant else X
        if len(codes) <= whole.shape[1] + 1 or rank(whole) < whole.shape[1]:
            continue
        designs += 1
        names = [f"x{k}" for k in range(X.shape[1])]
        data = pd.DataFrame(X, columns=names).assign(y=rng.normal(size=len(codes)), g=codes)
        formula = f"y ~ {constant} + {' + '.join(names)}"
        expected = left_out(whole, codes)
        fit = complete_pooling(formula, data, "g")
        terms = list(fit.params.index)
        lone = {term: groups for term, groups in zip(terms, expected, strict=True) if groups}
        tried, withheld = tried + len(terms), withheld + len(lone)
        if len(lone) == len(terms):
            refused += 1
            for kind in KINDS:
                with pytest.raises(ValueError, match="no term of"):
                    fit.cluster_robust(kind)
            continue
        for kind in KINDS:
            robust = fit.cluster_robust(kind)
            assert list(robust.withheld) == list(lone), (formula, codes, lone)
            for term in terms:
                assert np.isnan([robust.bse[term], robust.df[term], robust.tvalues[term]]).all() == (
                    term in lone
                )
                if term not in lone:
                    assert robust.df[term] > 0
                    assert robust.bse[term] > 1e-9 * fit.bse[term]
            for term, groups in lone.items():
                assert robust.withheld[term] == f"without g {groups[0]} it cannot be estimated"
    assert tried > 400
    assert 80 < withheld < tried - 80
    assert refused > 8


def test_a_large_spread_in_one_group_is_not_a_term_of_that_group_alone():
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(8), 5)
    data = pd.DataFrame({"g": g, "y": rng.normal(size=40)})
    data["x"] = rng.normal(size=40) * np.where(g == 4, 1e3, 1)  # all but 1e-6 of it in one group
    assert complete_pooling("y ~ x", data, "g").cluster_robust("CR2").withheld == {}
    data["x"] = data["x"].where(g == 4, 0)
    assert list(complete_pooling("y ~ x", data, "g").cluster_robust("CR2").withheld) == ["x"]


@given(seed=st.integers(0, 10**6))
def test_where_the_zero_of_a_predictor_is_does_not_matter(seed):
    codes, X = design(np.random.default_rng(seed))
    whole = np.column_stack([np.ones(len(codes)), X])
    if len(codes) <= whole.shape[1] + 1 or rank(whole) < whole.shape[1]:
        return
    names = [f"x{k}" for k in range(X.shape[1])]
    data = pd.DataFrame(X, columns=names).assign(y=np.arange(len(codes)) ** 2 % 11, g=codes)
    found = []
    for shift in (0.0, 1e3):
        summary = summarise(
            data.assign(**{n: data[n] + shift for n in names}), f"y ~ {' + '.join(names)}", "g"
        )
        found.append(estimable.lone_groups(summary, to_terms(summary))[1:])
    np.testing.assert_array_equal(*found)  # of slopes: the constant is another mean after a shift


def test_many_groups_cost_little():
    rng = np.random.default_rng(1)
    J = 100_000
    g = np.repeat(np.arange(J), 2)
    data = pd.DataFrame(
        {"g": g, "y": rng.normal(size=2 * J), "x": rng.normal(size=2 * J), "d": (g == 7) * 1.0}
    )
    summary = summarise(data, "y ~ x + d", "g")
    start = time.process_time()
    found = estimable.lone_groups(summary, to_terms(summary))
    assert time.process_time() - start < 0.5
    assert found.tolist() == [-1, -1, 7]


def test_what_is_withheld_stays_so_and_is_told_everywhere():
    g = np.repeat(np.arange(6), 4)
    y = np.random.default_rng(5).normal(size=24) + np.random.default_rng(6).normal(size=6)[g]
    data = pd.DataFrame({"g": g, "y": y, "d": (g == 5) * 1.0})
    fit = complete_pooling("y ~ d", data, "g").cluster_robust("CR2")
    told = "no cluster-robust error of d: without g 5 it cannot be estimated"
    assert told in fit.summary()
    assert told in fit._repr_html_()
    assert fit.conf_int().loc["d"].isna().all()
    assert np.isnan(fit.with_df("residual").df["d"])
    assert complete_pooling("y ~ d", data, "g").withheld == {}
    assert fit.cluster_robust("CR1").withheld == fit.withheld
    table = compare("y ~ d", data, "g").set_index(["method", "estimand"])
    row = table.loc[("complete pooling, CR2", "slope of d (no SE: without g 5 it cannot be estimated)")]
    assert row[["se", "df", "lower", "upper"]].isna().all()
    assert row["estimate"] == fit.params["d"]
    other = compare("y ~ d", data.assign(d=1 - data["d"]), "g")  # now the constant is that group's mean
    assert other["estimand"][1].endswith("where the terms are 0 (no SE: without g 5 it cannot be estimated)")
    assert other["se"].isna().sum() == 2
    every = data.assign(t=np.array(list("abcddd"))[g])  # three arms of one group each
    table = compare("y ~ t", every, "g")
    assert table.loc[table["method"] == "complete pooling, CR2", "se"].isna().all()
