"""The sandwich around classes in schools, by school: against clubSandwich on lmer, and N x N matrices."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import linalg

from helpers import partial_pooling

KINDS = ["CR0", "CR1", "CR1S", "CR2", "CR3"]
FORMULAS = ["score ~ treated + x + size", "score ~ 0 + x"]
SCHOOLS = Path(__file__).parents[2] / "helpers" / "data" / "three_levels.csv"


@pytest.fixture(scope="module")
def schools():
    return pd.read_csv(SCHOOLS)


@pytest.fixture(scope="module")
def uneven(schools):
    """As tests/reference/around_nested.R leaves them."""
    d = schools[(schools["school"] * schools["class"] + 2 * schools["pupil"]) % 5 > 0]
    d = d[(d["school"] % 4 > 0) | (d["class"] < 3)].copy()
    d["x"] = (d["school"] * 7 + d["class"] * 5 + d["pupil"] * 3) % 11
    d["size"] = d.groupby("school")["x"].transform("mean")
    return d


def test_balanced_schools_as_in_r(schools, reference):
    d = schools.assign(
        treated=schools["treated"] - 0.5, sector=schools["school"] % 2 - 0.5, half=schools["pupil"] % 2 - 0.5
    )
    robust = partial_pooling("score ~ sector + treated + half", d, "school/class").cluster_robust()
    np.testing.assert_allclose(
        robust.bse, reference("more_groupings")["nested.terms.around_three"], rtol=1e-10
    )


@pytest.mark.parametrize(("method", "kind"), [*product(["reml", "ml"], KINDS)])
def test_uneven_schools_as_in_r(uneven, reference, method, kind):
    r = reference("around_nested")
    fit = partial_pooling("score ~ treated + x + size", uneven, "school/class", method=method)
    robust = fit.cluster_robust(kind)
    np.testing.assert_allclose(
        robust.bse, r[f"{method}.{kind}"], rtol=1e-6
    )  # lmer's variances are its search's
    if kind == "CR2":
        np.testing.assert_allclose(robust.df, r[f"{method}.CR2_df"], rtol=1e-5)
    else:
        assert (robust.df == uneven["school"].nunique() - 1).all()
    pd.testing.assert_series_equal(robust.params, fit.params)
    assert robust.df_method == kind
    np.testing.assert_array_equal(robust.with_df("residual").bse, fit.bse)


def dense(fit, X, y, school, classes, kind):
    """Covariance and df with V, its roots and projections as N x N matrices."""
    psi, n = fit.psi.to_numpy(), len(y)
    V = psi[0] * np.equal.outer(school, school) + psi[1] * np.equal.outer(classes, classes)
    V = V + fit.theta * np.eye(n)
    W = np.linalg.inv(V)
    M = np.linalg.inv(X.T @ W @ X)
    away = np.eye(n) - X @ M @ X.T @ W
    e, groups, p = away @ y, [np.flatnonzero(school == g) for g in np.unique(school)], X.shape[1]
    J, u, G = len(groups), [], []
    for g in groups:
        own = np.ix_(g, g)
        A = np.eye(len(g))
        if kind == "CR2":
            U = np.linalg.cholesky(V[own]).T
            A = U.T @ linalg.pinvh(linalg.sqrtm(U @ (V[own] - X[g] @ M @ X[g].T) @ U.T).real) @ U
        if kind == "CR3":
            A = np.linalg.inv(away[own])
        G.append(away[g].T @ A.T @ W[own] @ X[g] @ M)  # n x p: the estimate's share, of all errors
        u.append(M @ X[g].T @ W[own] @ A @ e[g])
    factor = {"CR1": J / (J - 1), "CR1S": J / (J - 1) * (n - 1) / (n - p)}.get(kind, 1.0)
    cov = factor * np.array(u).T @ np.array(u)
    if kind != "CR2":
        return cov, np.full(p, J - 1.0)
    P = [np.array([each[:, k] for each in G]) for k in range(p)]
    P = [each @ V @ each.T for each in P]
    return cov, np.array([np.trace(each) ** 2 / np.sum(each**2) for each in P])


@pytest.mark.parametrize(("kind", "formula"), [*product(KINDS, FORMULAS)])
def test_it_is_that_of_matrices_of_all_rows(uneven, kind, formula):
    fit = partial_pooling(formula, uneven, "school/class")
    robust = fit.cluster_robust(kind)
    columns = [np.ones(len(uneven)) if term == "Intercept" else uneven[term] for term in fit.data.terms]
    classes = uneven.groupby(["school", "class"]).ngroup().to_numpy()
    X, y = np.column_stack(columns), uneven["score"].to_numpy()
    cov, df = dense(fit, X.astype(float), y, uneven["school"].to_numpy(), classes, kind)
    np.testing.assert_allclose(robust.cov_params(), cov, rtol=1e-7, atol=1e-9 * np.abs(cov).max())
    np.testing.assert_allclose(robust.df, df, rtol=1e-7)


def test_what_one_school_carries_is_withheld(uneven):
    first = uneven["school"] == uneven["school"].iloc[0]
    d = uneven.assign(only=first * (uneven["class"] == 1) * 1.0)
    robust = partial_pooling("score ~ x + only", d, "school/class").cluster_robust()
    assert list(robust.withheld) == ["only"]
    assert np.isnan(robust.bse["only"])
    assert np.isfinite(robust.bse["x"])
    assert "no cluster-robust error of only: without school 1 it cannot be estimated" in robust.summary()
    assert not robust.with_df("residual").withheld


def test_crossed_and_unknown_kinds_are_refused(uneven):
    crossed = partial_pooling("score ~ x", uneven, ["school", "pupil"])
    with pytest.raises(ValueError, match=r'complete_pooling\(..., groups=\["school", "pupil"\]\)'):
        crossed.cluster_robust()
    with pytest.raises(ValueError, match="kind must be one of"):
        partial_pooling("score ~ x", uneven, "school/class").cluster_robust("CR4")
