"""Profile intervals where slopes vary: against lme4's, dense matrices on the boundary, and the unit of x."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from helpers import partial_pooling

MODELS = {
    "radon": ("log_radon ~ floor", "county", "floor"),
    "sleep": ("Reaction ~ Days", "Subject", "Days"),
    "hsb": ("math ~ cses + mean_ses", "school", "cses"),
}
Z = stats.chi2.ppf(0.95, 1)


@pytest.fixture(scope="module")
def tables(radon, high_school, reference):
    small = {name: pd.DataFrame(rows) for name, rows in reference("slopes").whole["tables"].items()}
    return small | {"radon": radon, "hsb": high_school.assign(cses=high_school["ses_within"])}


@pytest.mark.parametrize(("name", "method"), [*product(MODELS, ["reml", "ml"])])
def test_the_intervals_by_ml_are_lme4s(tables, reference, name, method):
    formula, groups, slopes = MODELS[name]
    found = partial_pooling(formula, tables[name], groups, slopes, method).profile_int(likelihood="ml")
    ends = found.to_numpy().copy()
    ends[3] **= 0.5  # R has sigma
    of_r = np.reshape(reference("slopes_profile")[name], (2, -1)).T[[0, 2, 1, *range(3, len(ends))]]
    # R's ends are read off a spline; of a correlation's, -0.5623 for schools, the deviance rises by 3.851
    np.testing.assert_allclose(np.delete(ends, 2, 0), np.delete(of_r, 2, 0), rtol=2e-6, atol=1e-9)
    np.testing.assert_allclose(ends[2], of_r[2], atol=1e-3)


def test_the_end_of_a_correlation_is_where_the_likelihood_is(tables):
    """The least with the correlation held, by a search without derivatives, at our end and not at R's."""
    fit = partial_pooling("math ~ cses + mean_ses", tables["hsb"], "school", "cses", "ml")
    likelihood = fit._solution.likelihood
    back = np.linalg.inv(likelihood.reduced.back)

    def rise(r):
        def of(logs):
            a, b = np.exp(logs)
            D = np.array([[a * a, a * b * r], [a * b * r, b * b]]) / fit.theta
            return float(likelihood.criterion(back @ D @ back.T))

        found = optimize.minimize(of, np.log(fit.sds), method="Nelder-Mead", options={"fatol": 1e-9})
        return found.fun - fit.criterion

    lower = fit.profile_int()["lower"].iloc[2]
    np.testing.assert_allclose(rise(lower), Z, rtol=1e-6)
    assert rise(lower - 5e-4) > Z + 5e-3


def deviance(data, psi, theta, reml):
    """Minus twice the log likelihood, from the covariance of the rows of each group, all of one size."""
    J = data["g"].nunique()
    x, y = (data[name].to_numpy().reshape(J, -1) for name in "xy")
    X = np.stack([np.ones_like(x), x], axis=-1)
    V = theta * np.eye(x.shape[1]) + X @ psi @ X.swapaxes(1, 2)
    W = np.linalg.inv(V)
    XX, Xy = np.einsum("jna,jnm,jmb->ab", X, W, X), np.einsum("jna,jnm,jm->a", X, W, y)
    r = y - X @ np.linalg.solve(XX, Xy)
    value = np.linalg.slogdet(V)[1].sum() + np.einsum("jn,jnm,jm", r, W, r)
    return value + (y.size - 2 * reml) * np.log(2 * np.pi) + reml * np.linalg.slogdet(XX)[1]


def least(data, fit, row, value, reml):
    """The least of `deviance` with one parameter held, by a search that needs no derivatives."""
    place = {"sd[Intercept]": 0, "sd[x]": 1, "correlation[Intercept, x]": 2, "theta": 3}[row]

    def of(free):
        a, b, r, theta = np.insert(free, place, value)
        r, theta = np.clip(r, -1, 1), abs(theta) + 1e-6
        return deviance(data, np.array([[a * a, a * b * r], [a * b * r, b * b]]), theta, reml)

    r = np.nan_to_num(fit.correlations.to_numpy()[0, 1])
    start = np.delete([*(fit.sds + 0.05), 0.9 * r, fit.theta], place)
    tight = {"xatol": 1e-6, "fatol": 1e-8, "maxiter": 2000}
    starts = (start, np.delete([0.3, 0.3, 0.1, fit.theta], place))
    return min(optimize.minimize(of, s, method="Nelder-Mead", options=tight).fun for s in starts)


@pytest.mark.parametrize(("name", "method"), [("minus", "reml"), ("none", "ml")])
def test_on_the_boundary_the_ends_are_where_a_likelihood_without_derivatives_has_fallen_so_far(
    tables, name, method
):
    data = tables[name].sort_values("g", kind="stable")
    fit = partial_pooling("y ~ x", data, "g", "x", method)
    assert fit.singular
    top = deviance(data, fit.psi.to_numpy(), fit.theta, method == "reml")
    np.testing.assert_allclose(top, fit.criterion, rtol=1e-10)
    for row, ends in fit.profile_int().iloc[1:3].iterrows():
        for end in ends:
            rise = least(data, fit, row, end, method == "reml") - top
            if end == 0 or abs(end) == 1:
                assert rise < Z
            else:
                np.testing.assert_allclose(rise, Z, rtol=2e-5, err_msg=f"{row} {end}")


def test_a_higher_level_is_wider_and_two_slopes_have_three_correlations(tables):
    data = tables["hsb"]
    fit = partial_pooling("math ~ cses + minority", data, "school", ["cses", "minority"])
    narrow, wide = fit.profile_int(alpha=0.2), fit.profile_int(alpha=0.01)
    assert [name for name in wide.index if name.startswith("correlation")] == [
        "correlation[Intercept, cses]", "correlation[Intercept, minority]", "correlation[cses, minority]",
    ]  # fmt: skip
    assert (narrow["lower"] >= wide["lower"]).all()
    assert (narrow["upper"] <= wide["upper"]).all()
    inside = pd.concat([fit.sds, pd.Series(fit.correlations.to_numpy()[np.triu_indices(3, 1)])])
    assert (narrow["lower"].to_numpy()[:-1] <= inside).all()
    assert (inside <= narrow["upper"].to_numpy()[:-1]).all()


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_units_change_no_end(tables, scale):
    data = tables["sleep"].assign(Days=lambda d: d["Days"] * scale, Reaction=lambda d: d["Reaction"] / scale)
    here, there = (
        partial_pooling("Reaction ~ Days", table, "Subject", "Days", "ml").profile_int()
        for table in (tables["sleep"], data)
    )
    unit = np.array([1, 1 / scale, scale, 1 / scale, 1, 1 / scale]) / scale
    unit[3] = scale**-2
    np.testing.assert_allclose(there, here * unit[:, None], rtol=1e-7)


def test_what_cannot_be_is_named(tables):
    fit = partial_pooling("Reaction ~ Days", tables["sleep"], "Subject", "Days")
    with pytest.raises(ValueError, match="likelihood must be one of 'reml', 'ml'; got 'z'"):
        fit.profile_int(likelihood="z")
    with pytest.raises(ValueError, match="alpha must lie"):
        fit.profile_int(alpha=2)
