"""Two groupings of intercepts: against R, balanced theorems, N x N matrices, and what is refused."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import optimize, stats
from scipy.special import ndtri

from helpers import complete_pooling, partial_pooling
from helpers.fits.groupings import outer
from helpers.fits.groupings.inference import kenward_roger
from helpers.fits.groupings.likelihood import Likelihood
from helpers.fits.groupings.search import maximum
from helpers.fits.result import NotOfThisPooling
from helpers.tables import summarise
from helpers.tables.groupings import summarise_groupings

CASES = Path(__file__).parents[1] / "cases"
# name: (formula, groups)
MODELS = {
    "pastes": ("strength ~ 1", "batch/cask"),
    "pastes.few": ("strength ~ 1", "batch/cask"),
    "penicillin": ("diameter ~ 1", ["plate", "sample"]),
    "penicillin.few": ("diameter ~ dose", ["plate", "sample"]),
    "oats": ("yield ~ nitro", "Block/Variety"),
    "cake": ("angle ~ temp", "replicate/recipe"),
    "scots": ("attain ~ verbal + social", ["primary", "second"]),
    "egsingle": ("math ~ year", "schoolid/childid"),
    "three": ("score ~ treated", "school/class"),
    "large.nested": ("y ~ x + w", "school/class"),
    "large.crossed": ("y ~ x", ["a", "b"]),
    "none.nested": ("y ~ x", "a/b"),
    "outer.nested": ("y ~ x", "a/b"),
    "inner.nested": ("y ~ x", "a/b"),
    "none.crossed": ("y ~ x", ["a", "b"]),
    "a.crossed": ("y ~ x", ["a", "b"]),
    "b.crossed": ("y ~ x", ["a", "b"]),
}
LARGE = ("scots", "egsingle", "large.nested", "large.crossed")


def large(name):
    """The tables that R's script makes by a rule."""

    def normal(i, by):
        return ndtri(((i + 0.5) * by) % 1)

    if name == "large.nested":
        every = np.arange(10000)
        classes = np.repeat(every, 1 + every % 5)
        i, school = np.arange(len(classes)), classes * 7 % 500
        x, w = i * np.sqrt(3) % 1, classes * np.sqrt(5) % 1
        y = 1 + x + w + 0.5 * normal(school, np.sqrt(2)) + 0.7 * normal(classes, np.sqrt(7))
        columns = {"class": classes, "school": school, "x": x, "w": w, "y": y + normal(i, np.sqrt(11))}
        return pd.DataFrame(columns)
    i = np.arange(12000)
    a, b, x = (i * i + 3 * i) % 397, (7 * i + i // 397) % 1009, i * np.sqrt(3) % 1
    y = 1 + x + 0.5 * normal(a, np.sqrt(2)) + 0.7 * normal(b, np.sqrt(7)) + normal(i, np.sqrt(11))
    return pd.DataFrame({"a": a, "b": b, "x": x, "y": y})


@pytest.fixture(scope="session")
def table(reference):
    """Return a data set of R's script by the name of its model."""
    r = reference("two_groupings").whole["tables"]

    @cache
    def get(name):
        if name == "three":
            return pd.read_csv(CASES / "three_levels.csv")
        return pd.DataFrame(r[name]) if name in r else large(name)

    return get


@pytest.fixture(scope="session")
def fitted(table):
    """Return the fit of a model of R's script by name and method."""

    @cache
    def fit(name, method="reml"):
        formula, groups = MODELS[name]
        return partial_pooling(formula, table(name), groups, method=method)

    return fit


@pytest.fixture(scope="session")
def of_r(reference):
    """R's value of a model."""
    r = reference("two_groupings")
    return lambda name, what: np.array(r[f"{name}.{what}"])


# ---- against lme4, lmerTest, pbkrtest -------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_estimates_and_errors_are_lme4s(fitted, of_r, reference, name):
    fit, ml = fitted(name), fitted(name, "ml")
    assert fit.criterion <= of_r(name, "criterion") + 1e-12 * fit.nobs
    np.testing.assert_allclose(fit.criterion, of_r(name, "criterion"), rtol=1e-9)
    np.testing.assert_allclose(ml.criterion, of_r(name, "deviance"), rtol=1e-9)
    np.testing.assert_allclose(fit.bse, of_r(name, "se"), rtol=1e-5)
    np.testing.assert_allclose(ml.bse, of_r(name, "se_ml"), rtol=1e-5)
    scale = np.abs(fit.params).max()
    np.testing.assert_allclose(fit.params, of_r(name, "fixef"), rtol=1e-5, atol=1e-6 * scale)
    np.testing.assert_allclose(np.sqrt(fit.theta), of_r(name, "sigma"), rtol=1e-5)
    # lme4's variances are where its optimiser stopped; "b:a" of R is "a/b" here, and order is by size there
    names = reference("two_groupings").whole["values"][f"{name}.psi"]["names"]
    psi = dict(zip(["/" if ":" in key else key for key in names], of_r(name, "psi"), strict=True))
    for grouping, value in fit.psi.items():
        r = psi["/" if "/" in grouping else grouping]
        np.testing.assert_allclose(value, r, rtol=1e-4, atol=1e-6 * fit.theta)


@pytest.mark.parametrize("name", MODELS)
def test_satterthwaite_is_lmertests(fitted, of_r, name):
    df = fitted(name).with_df("satterthwaite").df
    np.testing.assert_allclose(df, of_r(name, "satterthwaite"), rtol=1e-3)  # lmerTest takes steps


@pytest.mark.parametrize("name", [name for name in MODELS if name not in LARGE])
def test_kenward_roger_is_pbkrtests(fitted, of_r, name):
    fit = fitted(name)
    np.testing.assert_allclose(fit.df, of_r(name, "kr_df"), rtol=1e-4)
    adjusted = fit.with_df("kenward-roger")
    np.testing.assert_allclose(adjusted.bse, of_r(name, "kr_se"), rtol=1e-5)
    np.testing.assert_array_equal(adjusted.df, fit.df)
    assert adjusted.df_method == fit.df_method == "kenward-roger"


@pytest.mark.parametrize("name", ["pastes.few", "penicillin.few", "oats"])
def test_effects_of_groups_are_lme4s(fitted, of_r, name):
    for grouping, table in fitted(name).group_effects.items():
        if "/" in grouping:
            first, second = grouping.split("/")
            table.index = [f"{inner}:{outer}" for outer, inner in table.index]
            grouping = f"{second}:{first}"
        mine = table.loc[of_r(name, f"groups.{grouping}").tolist()]
        scale = np.abs(mine["estimate"]).max()
        np.testing.assert_allclose(mine["estimate"], of_r(name, f"ranef.{grouping}"), atol=1e-5 * scale)
        np.testing.assert_allclose(mine["se_conditional"], of_r(name, f"condsd.{grouping}"), rtol=1e-5)


@pytest.mark.parametrize("name", ["pastes.few", "penicillin.few", "oats"])
def test_profile_intervals_are_lme4s(fitted, of_r, name):
    """R interpolates between points of the profile, coarsely near 0; of sds, the larger factor first."""
    fit = fitted(name)
    ends = np.sqrt(fit.profile_int(likelihood="ml").to_numpy())
    r = of_r(name, "ci_profile").astype(float).reshape(2, -1).T
    order = [1, 0, 2] if "/" in fit.psi.index[1] else [0, 1, 2]
    np.testing.assert_allclose(ends[order], r, rtol=1e-2 if name == "oats" else 1e-3)


# ---- balanced data: closed forms ------------------------------------------------------------------


def nested_table(K=9, c=4, n=5, seed=3):
    rng = np.random.default_rng(seed)
    school, of_class = (each.ravel() for each in np.indices((K, c, n))[:2])
    x = np.tile(rng.normal(size=n), K * c)  # the same in each class
    z = np.tile(np.repeat(rng.normal(size=c), n), K)  # of classes, the same in each school
    y = (
        50 + 2 * rng.normal(size=K)[school] + 1.5 * rng.normal(size=K * c)[school * c + of_class]
        + x + z + rng.normal(size=K * c * n)
    )  # fmt: skip
    return pd.DataFrame({"school": school, "class": of_class, "x": x, "z": z, "y": y})


def crossed_table(a=8, b=6, n=1, seed=4):
    rng = np.random.default_rng(seed)
    first, second, _ = (each.ravel() for each in np.indices((a, b, n)))
    y = 20 + rng.normal(size=a)[first] + 2 * rng.normal(size=b)[second] + rng.normal(size=a * b * n)
    return pd.DataFrame({"A": first, "B": second, "x": rng.normal(size=a)[first], "y": y})


def test_nested_and_balanced_leaving_the_middle_out_costs_nothing_for_the_mean():
    data = nested_table()
    K, N = 9, len(data)
    fit = partial_pooling("y ~ 1", data, "school/class")
    assert not fit.singular
    se = np.sqrt(N / K * data.groupby("school")["y"].mean().var() / N)
    alone = partial_pooling("y ~ 1", data, "school")
    robust = complete_pooling("y ~ 1", data, "school")
    for one in (fit, alone, robust.cluster_robust("CR1"), robust.cluster_robust("CR2")):
        np.testing.assert_allclose(one.bse["Intercept"], se, rtol=1e-10)
        np.testing.assert_allclose(one.df["Intercept"], K - 1, rtol=1e-9)
    adjusted = fit.with_df("kenward-roger")
    np.testing.assert_allclose([adjusted.bse.iloc[0], adjusted.df.iloc[0]], [se, K - 1], rtol=1e-9)
    np.testing.assert_allclose(fit.with_df("satterthwaite").df, K - 1, rtol=1e-8)


def test_nested_and_balanced_a_predictor_of_classes_counts_the_middle():
    """Its error is that of the classes within schools; the school alone says too little."""
    data = nested_table()
    K, c, n = 9, 4, 5
    fit = partial_pooling("y ~ x + z", data, "school/class")
    means = data.groupby(["school", "class"])[["y", "z"]].mean()
    means = means - means.groupby("school").transform("mean")
    slope = means["y"] @ means["z"] / (means["z"] @ means["z"])
    of_classes = np.sum((means["y"] - slope * means["z"]) ** 2) / (K * (c - 1) - 1)
    se = np.sqrt(of_classes / (means["z"] @ means["z"]))
    np.testing.assert_allclose([fit.params["z"], fit.bse["z"]], [slope, se], rtol=1e-10)
    np.testing.assert_allclose(fit.df["z"], K * (c - 1) - 1, rtol=1e-9)
    within = data[["y", "x"]] - data.groupby(["school", "class"])[["y", "x"]].transform("mean")
    slope = within["y"] @ within["x"] / (within["x"] @ within["x"])
    rest = np.sum((within["y"] - slope * within["x"]) ** 2) / (K * c * (n - 1) - 1)
    se = np.sqrt(rest / (within["x"] @ within["x"]))
    np.testing.assert_allclose([fit.params["x"], fit.bse["x"]], [slope, se], rtol=1e-10)
    np.testing.assert_allclose(fit.df["x"], K * c * (n - 1) - 1, rtol=1e-9)
    assert partial_pooling("y ~ x + z", data, "school").bse["z"] < 0.8 * fit.bse["z"]


def test_crossed_and_balanced_the_error_of_the_mean_has_two_mean_squares_less_one():
    data = crossed_table()
    a, b = 8, 6
    cells = data["y"].to_numpy().reshape(a, b)
    of_a, of_b = b * cells.mean(axis=1).var(ddof=1), a * cells.mean(axis=0).var(ddof=1)
    rest = cells - cells.mean(axis=1, keepdims=True) - cells.mean(axis=0) + cells.mean()
    of_ab = np.sum(rest**2) / ((a - 1) * (b - 1))
    fit = partial_pooling("y ~ 1", data, ["A", "B"])
    square = of_a + of_b - of_ab
    df = square**2 / (of_a**2 / (a - 1) + of_b**2 / (b - 1) + of_ab**2 / ((a - 1) * (b - 1)))
    np.testing.assert_allclose(fit.psi, [(of_a - of_ab) / b, (of_b - of_ab) / a], rtol=1e-9)
    np.testing.assert_allclose(fit.theta, of_ab, rtol=1e-10)
    np.testing.assert_allclose(fit.bse["Intercept"], np.sqrt(square / (a * b)), rtol=1e-10)
    for one in (fit, fit.with_df("satterthwaite"), fit.with_df("kenward-roger")):
        np.testing.assert_allclose(one.df["Intercept"], df, rtol=1e-8)
        np.testing.assert_allclose(one.bse["Intercept"], np.sqrt(square / (a * b)), rtol=1e-9)


def test_crossed_and_balanced_a_predictor_of_one_grouping_is_a_regression_of_its_means():
    data = crossed_table()
    means = data.groupby("A")[["y", "x"]].mean()
    line = stats.linregress(means["x"], means["y"])
    fit = partial_pooling("y ~ x", data, ["A", "B"])
    np.testing.assert_allclose([fit.params["x"], fit.bse["x"]], [line.slope, line.stderr], rtol=1e-10)
    np.testing.assert_allclose(fit.df["x"], 8 - 2, rtol=1e-8)


# ---- against N x N matrices -----------------------------------------------------------------------


def dense(data, formula, groups):
    """Z of both groupings, X and y."""
    first, second = groups.split("/") if isinstance(groups, str) else groups
    inner = (
        data[first].astype(str) + "/" + data[second].astype(str) if isinstance(groups, str) else data[second]
    )
    Z = [pd.get_dummies(each).to_numpy(dtype=float) for each in (data[first], inner)]
    outcome, right = formula.split(" ~ ")
    X = np.column_stack([np.ones(len(data)), *(data[x] for x in right.split(" + ") if x != "1")])
    return Z, X, data[outcome].to_numpy(dtype=float)


def deviance(Z, X, y, variances, reml=True):
    """-2 log likelihood at the three variances."""
    V = sum(v * each @ each.T for v, each in zip(variances, Z, strict=False)) + variances[-1] * np.eye(len(y))
    inverse = np.linalg.inv(V)
    XX = X.T @ inverse @ X
    r = y - X @ np.linalg.solve(XX, X.T @ inverse @ y)
    value = np.linalg.slogdet(V)[1] + r @ inverse @ r + (len(y) - reml * X.shape[1]) * np.log(2 * np.pi)
    return value + reml * np.linalg.slogdet(XX)[1]


@pytest.mark.parametrize("name", ["pastes.few", "penicillin.few", "oats", "inner.nested"])
@pytest.mark.parametrize("method", ["reml", "ml"])
def test_errors_of_variances_are_those_of_dense_matrices(fitted, table, name, method):
    fit = fitted(name, method)
    Z, X, _ = dense(table(name), *MODELS[name])
    values = fit.variances["estimate"].to_numpy()
    G = [each @ each.T for each in Z] + [np.eye(len(X))]
    inverse = np.linalg.inv(sum(v * each for v, each in zip(values, G, strict=True)))
    P = inverse
    if method == "reml":
        P = inverse - inverse @ X @ np.linalg.solve(X.T @ inverse @ X, X.T @ inverse)
    keep = [k for k in range(3) if values[k] > 0]
    information = np.array([[np.trace(P @ G[i] @ P @ G[k]) / 2 for k in keep] for i in keep])
    np.testing.assert_allclose(
        fit.variances["se"].iloc[keep], np.sqrt(np.linalg.inv(information).diagonal()), rtol=1e-7
    )
    assert fit.variances["se"].isna().sum() == 3 - len(keep)


@pytest.mark.parametrize("name", ["pastes.few", "penicillin.few", "inner.nested"])
def test_errors_of_effects_and_means_are_those_of_the_mixed_model_equations(fitted, table, name):
    fit, (Z, X, y) = fitted(name), dense(table(name), *MODELS[name])
    keep = [k for k, value in enumerate(fit.psi) if value > 0]
    C = np.column_stack([X, *(Z[k] for k in keep)])
    ridge = np.concatenate(
        [np.zeros(X.shape[1]), *(np.full(Z[k].shape[1], fit.theta / fit.psi.iloc[k]) for k in keep)]
    )
    inverse = np.linalg.inv(C.T @ C + np.diag(ridge))
    solution, cov = inverse @ C.T @ y, inverse * fit.theta
    start = X.shape[1]
    for k in keep:
        grouping = fit.psi.index[k]
        size = Z[k].shape[1]
        rows = np.arange(start, start + size)
        effects, means = fit.group_effects[grouping], fit.group_means[grouping]
        np.testing.assert_allclose(effects["estimate"], solution[rows], atol=1e-8 * np.abs(solution).max())
        np.testing.assert_allclose(effects["se"], np.sqrt(cov[rows, rows]), rtol=1e-8)
        take = np.zeros((size, len(cov)))
        take[:, 0], take[range(size), rows] = 1.0, 1.0
        if k == 1 and "/" in grouping and 0 in keep:
            owner = (Z[1].T @ Z[0] > 0).argmax(axis=1)
            take[range(size), X.shape[1] + owner] = 1.0
        np.testing.assert_allclose(means["estimate"], take @ solution, rtol=1e-8)
        np.testing.assert_allclose(means["se"], np.sqrt(np.einsum("jx,xy,jy->j", take, cov, take)), rtol=1e-8)
        start += size


@pytest.mark.parametrize(("name", "method"), [("pastes.few", "reml"), ("oats", "ml")])
def test_profile_intervals_end_where_the_deviance_has_risen(fitted, table, name, method):
    fit, parts = fitted(name, method), dense(table(name), *MODELS[name])
    limit = fit.criterion + stats.chi2.isf(0.05, 1)
    values = fit.variances["estimate"].to_numpy()
    for k, ends in enumerate(fit.profile_int().to_numpy()):
        others = [i for i in range(3) if i != k]
        for end in ends:

            def held(x, end=end, k=k, others=others):
                variances = np.empty(3)
                variances[k], variances[others] = end, x**2
                return deviance(*parts, variances, method == "reml")

            start, options = np.sqrt(values[others]), {"xatol": 1e-5, "fatol": 1e-9, "maxfev": 200}
            least = optimize.minimize(held, start, method="Nelder-Mead", options=options).fun
            assert least < limit + 1e-6
            assert end == 0 or abs(least - limit) < 1e-6


def test_a_test_of_a_variance_is_a_difference_of_two_fits(fitted, table):
    formula, _ = MODELS["penicillin.few"]
    test = fitted("penicillin.few").test_psi("plate")
    alone = partial_pooling(formula, table("penicillin.few"), "sample")
    statistic = alone.criterion - fitted("penicillin.few").criterion
    np.testing.assert_allclose(test, [statistic, stats.chi2.sf(statistic, 1) / 2], rtol=1e-8)
    assert fitted("inner.nested").test_psi("a/b") == (0.0, 1.0)


def test_the_kinds_of_linear_algebra_agree(fitted, table, monkeypatch):
    """Dense and sparse on crossed data, and both on nested ones, whose matrices are diagonal."""
    for name in ("penicillin.few", "pastes.few"):
        formula, groups = MODELS[name]
        nested = isinstance(groups, str)
        groupings = summarise_groupings(table(name), formula, groups.split("/") if nested else groups, nested)
        fit = fitted(name)
        for kind in (outer.Dense, outer.Sparse):
            monkeypatch.setattr(
                "helpers.fits.groupings.likelihood.outer_of", lambda counts, _, kind=kind: kind(counts)
            )
            top = maximum(Likelihood(groupings))
            np.testing.assert_allclose(top.value, fit.criterion, rtol=1e-13)
            np.testing.assert_allclose(top.ratios, fit._point.ratios, rtol=1e-7)
            np.testing.assert_allclose(top.hessian, fit._point.hessian, rtol=1e-6)
            np.testing.assert_allclose(top.factor.diagonal, fit._point.factor.diagonal, rtol=1e-7)
        monkeypatch.undo()


def test_sparse_is_chosen_where_groups_are_many_and_seldom_meet(monkeypatch):
    monkeypatch.setattr(outer, "_DENSE", 50)
    i = np.arange(600)
    data = pd.DataFrame({"a": i // 6, "b": (i + 3) // 5, "y": np.sin(7.0 * i * i)})
    fit = partial_pooling("y ~ 1", data, ["a", "b"])
    assert isinstance(fit._point.of.outer, outer.Sparse)
    monkeypatch.undo()
    other = partial_pooling("y ~ 1", data, ["a", "b"])
    assert isinstance(other._point.of.outer, outer.Dense)
    np.testing.assert_allclose(fit.criterion, other.criterion, rtol=1e-12)
    np.testing.assert_allclose(fit.df, other.df, rtol=1e-6)


# ---- the boundary ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "zero"), [
    ("none.nested", ["a", "a/b"]), ("outer.nested", ["a"]), ("inner.nested", ["a/b"]),
    ("none.crossed", ["a", "b"]), ("a.crossed", ["a"]), ("b.crossed", ["b"]),
])  # fmt: skip
def test_a_variance_on_the_boundary_is_0_exactly(fitted, table, name, zero):
    fit, formula = fitted(name), MODELS[name][0]
    assert fit.psi.index[fit.psi == 0].tolist() == zero
    assert fit.singular
    assert all(f"the variance of {each} is estimated as 0" in fit.summary() for each in zero)
    data = table(name).assign(ab=lambda d: d["a"] * 100 + d["b"])
    if len(zero) == 2:
        ols = complete_pooling(formula, data)
        np.testing.assert_allclose(fit.bse, ols.bse, rtol=1e-10)
        np.testing.assert_allclose(fit.theta, ols.theta, rtol=1e-10)
    else:
        (left,) = set(fit.psi.index) - set(zero)
        alone = partial_pooling(formula, data, left.replace("a/b", "ab"))
        np.testing.assert_allclose(fit.criterion, alone.criterion, rtol=1e-12)
        np.testing.assert_allclose(fit.bse, alone.bse, rtol=1e-9)
        np.testing.assert_allclose(fit.psi[left], alone.psi, rtol=1e-7)
        np.testing.assert_allclose(
            fit.with_df("satterthwaite").df, alone.with_df("satterthwaite").df, rtol=1e-6
        )


def test_degrees_of_freedom_that_collapse_are_bounded():
    """One school of ten holds most rows and its variance is 0: Kenward and Roger's df would be near 0."""
    school = np.repeat(np.arange(10), [100] + [4] * 9)
    data = pd.DataFrame({"s": school, "c": np.arange(136) // 2, "y": np.sin(7.0 * np.arange(136) ** 2)})
    fit = partial_pooling("y ~ 1", data, "s/c")
    assert fit.psi["s"] == 0
    assert kenward_roger(fit._point, fit._working)[1] < 1
    assert fit.df_method == "kenward-roger, bounded"
    assert fit.df["Intercept"] == fit.with_df("kenward-roger").df["Intercept"] == 10 - 1
    assert "df collapse here" in fit.summary()


# ---- tables, labels, words ------------------------------------------------------------------------


def test_order_of_rows_of_names_and_the_frame_change_nothing(fitted, table):
    data, fit = table("penicillin.few"), fitted("penicillin.few")
    shuffled = data.sample(frac=1, random_state=1)
    for other, groups in (
        (shuffled, ["plate", "sample"]), (data, ["sample", "plate"]), (pl.DataFrame(data), ["plate",
        "sample"]), (data.assign(plate=data["plate"].astype("category")), ("plate", "sample")),
    ):  # fmt: skip
        again = partial_pooling("diameter ~ dose", other, groups)
        np.testing.assert_allclose(again.psi[fit.psi.index], fit.psi, rtol=1e-7)
        np.testing.assert_allclose(again.bse, fit.bse, rtol=1e-9)
        np.testing.assert_allclose(
            again.group_effects["plate"].loc[fit.group_effects["plate"].index],
            fit.group_effects["plate"],
            atol=1e-7,
        )
        assert again.psi.index.tolist() == list(groups)


@pytest.mark.parametrize(("offset", "scale"), [(1e6, 1.0), (0.0, 1e-6), (0.0, 1e6)])
def test_units_change_no_digit(fitted, table, offset, scale):
    data = table("oats")
    data = data.assign(nitro=data["nitro"] * scale, **{"yield": data["yield"] + offset})
    fit, plain = partial_pooling("yield ~ nitro", data, "Block/Variety"), fitted("oats")
    np.testing.assert_allclose(fit.psi, plain.psi, rtol=1e-6)
    np.testing.assert_allclose(fit.bse["nitro"] * scale, plain.bse["nitro"], rtol=1e-9)
    np.testing.assert_allclose(fit.df, plain.df, rtol=1e-6)


def test_nested_labels_taken_as_they_are_are_the_same_fit(fitted, table):
    """A list takes labels as they are: with class labels of their own it is "school/class"."""
    data = table("three")
    fit, listed = fitted("three"), partial_pooling("score ~ treated", data, ["class", "school"])
    assert listed._groupings.nested
    assert listed.ngroups.to_dict() == {"class": 48, "school": 12}
    np.testing.assert_allclose(listed.criterion, fit.criterion, rtol=1e-13)
    np.testing.assert_allclose(listed.bse, fit.bse, rtol=1e-9)
    assert "used again" not in fit.summary()


def test_labels_used_again_are_told(fitted):
    summary = fitted("pastes").summary()
    assert max(map(len, summary.splitlines())) < 80
    told = " ".join(summary.split())
    assert "'a' in 10 groups of batch, another group in each; so batch/cask has 30 groups, not 3" in told
    assert "30 of batch/cask (nested)" in told
    assert fitted("penicillin").ngroups.to_dict() == {"plate": 24, "sample": 6}
    assert "(crossed)" in fitted("penicillin").summary()
    assert "(partly crossed)" in fitted("scots").summary()


def test_a_new_group_has_its_variance_on_top(fitted):
    fit = fitted("pastes")
    square, psi, theta = fit.bse["Intercept"] ** 2, fit.psi, fit.theta
    np.testing.assert_allclose(fit.new_group("batch").se ** 2, square + psi["batch"], rtol=1e-12)
    np.testing.assert_allclose(fit.new_group("batch/cask").se ** 2, square + psi.sum(), rtol=1e-12)
    np.testing.assert_allclose(fit.new_observation().se ** 2, square + psi.sum() + theta, rtol=1e-12)
    crossed = fitted("penicillin")
    square, psi = crossed.bse["Intercept"] ** 2, crossed.psi
    np.testing.assert_allclose(crossed.new_group("sample").se ** 2, square + psi["sample"], rtol=1e-12)
    # Balanced and nested, the squared error is MS_batch / 6 (1 + 1/10) less MS_cask / 6 of casks' share
    of_batch, of_cask = 6 * (psi_ms(fit, 1)), 2 * psi_ms(fit, 0)
    change = np.array([1.1 / 6 * of_batch, -of_cask / 6])
    df = change.sum() ** 2 / (change**2 / [9, 20]).sum()
    np.testing.assert_allclose(fit.new_group("batch").df, df, rtol=1e-7)


def psi_ms(fit, batches):
    """Mean square of the batches (1) or casks (0) over the rows of one, from the estimates."""
    cask = fit.psi["batch/cask"] + fit.theta / 2
    return fit.psi["batch"] + cask / 3 if batches else cask


def test_icc_counts_what_two_rows_share(fitted):
    fit = fitted("pastes")
    total = fit.psi.sum() + fit.theta
    np.testing.assert_allclose(fit.icc, [fit.psi["batch"] / total, fit.psi.sum() / total], rtol=1e-14)
    fit = fitted("penicillin")
    np.testing.assert_allclose(fit.icc, fit.psi / (fit.psi.sum() + fit.theta), rtol=1e-14)


def test_missing_groups_are_named_or_dropped(table):
    data = table("penicillin.few").copy()
    data.loc[data.index[3], "plate"] = None
    data.loc[data.index[[5, 8]], "sample"] = None
    data.loc[data.index[9], "diameter"] = np.nan
    with pytest.raises(
        ValueError, match=r"column 'plate' lacks 1 of .* the first in row 3; column 'sample' lacks 2"
    ):
        partial_pooling("diameter ~ 1", data, ["plate", "sample"])
    fit = partial_pooling("diameter ~ 1", data, ["plate", "sample"], missing="drop")
    assert fit.data.dropped == 4
    whole = partial_pooling("diameter ~ 1", data.dropna(), ["plate", "sample"])
    np.testing.assert_allclose(fit.criterion, whole.criterion, rtol=1e-14)
    assert "4 rows dropped" in fit.summary()


def small(**columns):
    i = np.arange(48)
    data = pd.DataFrame({"a": i // 8, "b": i % 4, "x": np.sin(i), "y": np.cos(3.0 * i * i)})
    return data.assign(**columns)


# groups, columns to change, words of the refusal
REFUSED = [
    (["a", "row"], {"row": np.arange(48)}, 'every row has one row only: .*groups="a"'),
    ("a/row", {"row": np.arange(48) % 8}, 'every a/row has one row only: .*groups="a"'),
    (["a", "same"], {"same": lambda d: "s" + d["a"].astype(str)}, "a and same are the same groups"),
    ("a/same", {"same": lambda d: d["a"] % 2}, "every a has one a/same only"),
    (["a", "one"], {"one": 7}, "column 'one' holds one group only, 7"),
    ("one/a", {"one": 7}, "column 'one' holds one group only, 7"),
    (["a", "b", "x"], {}, r"3 groupings \(a, b, x\).*\(1 \| a\) \+ \(1 \| b\) \+ \(1 \| x\)\)"),
    ("a/b/x", {}, r"3 groupings .*\(1 \| a/b/x\)"),
    (["a/b", "x"], {}, "3 groupings"),
    (["a", "a"], {}, "groups names 'a' twice"),
    (["a"], {}, 'groups is a list of one: write groups="a"'),
    ("a/", {}, "write classes within schools"),
    (["a", "nowhere"], {}, "no column 'nowhere'"),
    ("a/nowhere", {}, "no column 'nowhere'"),
    ("a/b", {"y": lambda d: d["a"] + d["b"]}, "'y' does not vary within any a/b"),
    (["a", "b"], {"y": lambda d: d["a"] + d["b"] ** 2}, "a and b explain 'y' but for rounding"),
    (["two", "b"], {"two": lambda d: d["a"] > 2, "x": lambda d: d["a"] > 2}, "2 groups of two and 2 terms"),
]


@pytest.mark.parametrize(("groups", "columns", "words"), REFUSED)
def test_what_cannot_be_fitted_is_refused_by_name(groups, columns, words):
    with pytest.raises(ValueError, match=words):
        partial_pooling("y ~ x", small(**columns), groups)


def test_what_is_not_offered_names_the_call_in_r(fitted):
    with pytest.raises(ValueError, match=r"lmer\(y ~ x \+ \(1 \+ x \| a/b\)\)"):
        partial_pooling("y ~ x", small(), "a/b", slopes="x")
    with pytest.raises(ValueError, match=r"lmer\(y ~ x \+ \(1 \+ x \| a\) \+ \(1 \| b\)\)"):
        partial_pooling("y ~ x", small(), ["a", "b"], slopes=["x"])
    with pytest.raises(TypeError, match="this summary is by 'a' alone"):
        partial_pooling(None, summarise(small(), "y ~ x", "a"), ["a", "b"])
    with pytest.raises(TypeError, match="groups must be the name of a column or a list of two"):
        partial_pooling("y ~ x", small(), ["a", 3])
    with pytest.raises(ValueError, match='method must be "reml" or "ml"'):
        partial_pooling("y ~ x", small(), "a/b", method="mle")
    with pytest.raises(ValueError, match="grouping must be one of 'batch', 'batch/cask'; got 'cask'"):
        fitted("pastes").new_group("cask")
    with pytest.raises(NotOfThisPooling, match="mean_of is not offered for a fit with two groupings"):
        fitted("pastes").mean_of(3)
    with pytest.raises(ValueError, match="satterthwaite degrees of freedom are for partial pooling by REML"):
        fitted("pastes", "ml").with_df("satterthwaite")


def test_a_column_with_a_slash_in_its_name_is_one_grouping():
    data = small().rename(columns={"a": "a/b"})
    assert isinstance(partial_pooling("y ~ x", data, "a/b").psi, float)
