"""The sandwich around random intercepts: against clubSandwich on lmer, complete pooling, theorems."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from mpmath import mp, mpf

from helpers import complete_pooling, partial_pooling

KINDS = ["CR0", "CR1", "CR1S", "CR2", "CR3"]
each_kind = pytest.mark.parametrize("kind", KINDS)
FORMULAS = {
    "radon": ("log_radon ~ floor + log_uranium", "county"),
    "hsb": ("math ~ cses + mean_ses + sector", "school"),
    "apart": ("y ~ x + w", "g"),
}


@pytest.fixture(scope="module")
def fits(radon, high_school, reference):
    apart = pd.DataFrame(reference("around_intercepts").whole["tables"]["apart"])
    tables = {"radon": radon, "hsb": high_school.assign(cses=high_school["ses_within"]), "apart": apart}
    return {
        (name, method): partial_pooling(formula, tables[name], groups, method=method)
        for name, (formula, groups) in FORMULAS.items()
        for method in ("reml", "ml")
    }


@pytest.mark.parametrize(("name", "method", "kind"), [*product(FORMULAS, ["reml", "ml"], KINDS)])
def test_the_sandwich_is_clubsandwichs(fits, reference, name, method, kind):
    fit, r = fits[name, method], reference("around_intercepts")
    robust = fit.cluster_robust(kind)
    # lmer's psi is where its optimiser stopped: radon's to 4e-7, which is 2e-8 of the sandwich
    np.testing.assert_allclose(robust.bse, r[f"{name}.{method}.{kind}"], rtol=5e-8)
    if kind == "CR2":
        np.testing.assert_allclose(robust.df, r[f"{name}.{method}.CR2_df"], rtol=1e-6)
    else:
        assert (robust.df == fit.ngroups - 1).all()
    pd.testing.assert_series_equal(robust.params, fit.params)
    assert (robust.psi, robust.theta, robust.df_method) == (fit.psi, fit.theta, kind)


@pytest.mark.parametrize(("method", "kind"), [*product(["reml", "ml"], ["CR0", "CR1", "CR2", "CR3"])])
def test_at_psi_0_it_is_the_sandwich_of_complete_pooling(fits, method, kind):
    fit = fits["apart", method]
    assert fit.psi == 0
    lm = complete_pooling(fit.data.formula, fit.data).cluster_robust(kind)
    robust = fit.cluster_robust(kind)
    np.testing.assert_allclose(robust.cov_params(), lm.cov_params(), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(robust.df, lm.df, rtol=1e-9)
    assert "psi is estimated as 0\n" in robust.summary()  # and the errors are not those of complete pooling


def test_balanced_means_have_one_error(classrooms):
    fit = partial_pooling("score ~ 1", classrooms, "classroom")
    for kind in ("CR1", "CR2"):
        robust = fit.cluster_robust(kind)
        np.testing.assert_allclose(robust.bse, fit.bse, rtol=1e-12)
        np.testing.assert_allclose(robust.df, 19, rtol=1e-12)


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_df_of_the_model_bring_its_errors_back(fits, method):
    fit = fits["radon", method]
    for df_method in ["residual", "satterthwaite", "kenward-roger"][: None if method == "reml" else 1]:
        straight = fit.with_df(df_method)
        for before in (
            fit.cluster_robust("CR2"),
            fit.cluster_robust("CR0"),
            straight,
            fit.with_df("residual"),
        ):
            again = before.with_df(df_method)
            np.testing.assert_array_equal(again.bse, straight.bse)
            np.testing.assert_array_equal(again.df, straight.df)
        np.testing.assert_array_equal(straight.cluster_robust("CR2").bse, fit.cluster_robust("CR2").bse)
        kept = straight.bse if df_method == "kenward-roger" else fit.bse
        np.testing.assert_array_equal(straight.bse, kept)
    if method == "reml":
        assert (fit.with_df("kenward-roger").bse > fit.bse).all()


@each_kind
def test_what_one_group_alone_carries_has_no_robust_error(kind):
    rng = np.random.default_rng(2)
    J, n = 20, 6
    g, x, odd = np.repeat(np.arange(J), n), rng.normal(size=J * n), np.arange(J * n) % 2
    y = x + rng.normal(size=J)[g] + rng.normal(size=J * n)
    data = pd.DataFrame({"g": g, "x": x, "y": y, "d": (g == 3) * odd})
    fit = partial_pooling("y ~ x + d", data, "g")
    robust = fit.cluster_robust(kind)
    assert robust.withheld == {"d": "without g 3 it cannot be estimated"}
    for found in (
        robust.bse,
        robust.df,
        robust.pvalues,
        robust.conf_int()["lower"],
        np.diag(robust.cov_params()),
    ):
        assert np.isnan(found).tolist() == [False, False, True]
    assert "no cluster-robust error of d: without g 3" in robust.summary()
    again = robust.with_df("residual")
    assert np.isfinite(again.bse).all()
    assert not again.withheld
    assert "cluster-robust" not in again.summary()


def test_what_cannot_be_is_named(fits):
    fit = fits["radon", "reml"]
    with pytest.raises(ValueError, match="kind must be one of 'CR0', 'CR1', 'CR1S', 'CR2', 'CR3'; got 'HC3'"):
        fit.cluster_robust("HC3")
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(8), 4)
    data = pd.DataFrame(
        {"g": g, "y": rng.normal(size=8)[g] + rng.normal(size=32), "d": (g == 2) * rng.normal(size=32)}
    )
    with pytest.raises(ValueError, match=r"no term of 'y ~ d - 1' has .* one g alone \(d: without g 2"):
        partial_pooling("y ~ d - 1", data, "g").cluster_robust()


@pytest.mark.parametrize("apart", [1.0, 30.0, 1e3, 1e6])
def test_cr2_is_that_of_dense_matrices_in_fifty_digits_however_far_groups_lie_apart(apart):
    rng = np.random.default_rng(17)
    g = np.repeat(np.arange(6), [2, 3, 4, 4, 5, 6])
    x = rng.normal(size=len(g)) + g % 3
    table = pd.DataFrame({"g": g, "x": x, "y": apart * rng.normal(size=6)[g] + x + rng.normal(size=len(g))})
    fit = partial_pooling("y ~ x", table, "g")
    np.testing.assert_allclose(fit.cluster_robust("CR2").bse, _dense_cr2(fit, table), rtol=1e-7)


def _dense_cr2(fit, table):
    """Standard errors by the definition: A = D'(D B D')^(-1/2) D with D the symmetric root of V."""
    with mp.workdps(50):
        psi, theta = mpf(float(fit.psi)), mpf(float(fit.theta))
        groups, bread, right = [], mp.zeros(2), mp.zeros(2, 1)
        for _, rows in table.groupby("g"):
            n = len(rows)
            X = mp.matrix([[1, mpf(x)] for x in rows["x"]])
            y, V = mp.matrix(rows["y"].tolist()), theta * mp.eye(n) + psi * mp.ones(n)
            WX = mp.inverse(V) * X
            bread, right = bread + X.T * WX, right + WX.T * y
            groups.append((X, y, V, WX))
        M = mp.inverse(bread)
        beta, meat = M * right, mp.zeros(2)
        for X, y, V, WX in groups:
            D = _power(V, mpf(1) / 2)
            A = D * _power(D * (V - X * M * X.T) * D, -mpf(1) / 2) * D
            u = WX.T * A * (y - X * beta)
            meat += u * u.T
        cov = M * meat * M
        return [float(mp.sqrt(cov[k, k])) for k in range(2)]


def _power(matrix, k):
    values, axes = mp.eigsy(matrix)
    return axes * mp.diag([value**k for value in values]) * axes.T
