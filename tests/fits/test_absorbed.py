"""Cluster-robust slopes within groups: against dummies and against what other programs name."""

import numpy as np
import pandas as pd
import pytest

from helpers import complete_pooling, no_pooling
from tests.conftest import REFERENCE

SLOPES = ["x", "x2"]


@pytest.fixture(scope="module")
def data():
    panel = pd.read_csv(REFERENCE / "petersen.csv")
    return panel[(panel.firm <= 20) & ((panel.firm + panel.year) % 4 > 0)].assign(x2=lambda d: d.x**2)


@pytest.fixture(scope="module")
def fit(data):
    return no_pooling("y ~ x + x2", data, "firm")


@pytest.fixture(scope="module")
def r(reference):
    return reference("petersen")


@pytest.mark.parametrize(
    ("kind", "counted", "name"),
    [
        ("CR0", False, "linearmodels.plain"),
        ("CR1", False, "pyfixest.k_adj"),
        ("CR1S", False, "pyfixest"),
        ("CR1S", False, "linearmodels.group_debias"),
        ("CR1S", True, "statsmodels"),
        ("CR1S", True, "pyfixest.full"),
        ("CR1S", True, "linearmodels.count_effects"),
    ],
)
def test_each_is_what_its_program_names(fit, reference, kind, counted, name):
    robust = fit.cluster_robust(kind, count_groups=counted)
    np.testing.assert_allclose(robust.bse[SLOPES], reference("clustering")[f"absorbed.{name}"], rtol=1e-9)
    assert set(robust.df[SLOPES]) == {19.0}


@pytest.mark.parametrize(("kind", "counted"), [("CR0", 0), ("CR1", 0), ("CR1S", 1), ("CR2", 0)])
def test_they_are_clubsandwichs_with_dummies(fit, r, kind, counted):
    robust = fit.cluster_robust(kind, count_groups=bool(counted))
    np.testing.assert_allclose(robust.bse[SLOPES], r[f"absorbed.{kind}"], rtol=1e-9)
    if kind == "CR2":
        np.testing.assert_allclose(robust.df[SLOPES], r["absorbed.df"], rtol=1e-8)


def test_one_slope_is_worked_out_from_the_deviations(data):
    x, y = (data[name] - data.groupby("firm")[name].transform("mean") for name in ("x", "y"))
    b = x @ y / (x @ x)
    scores = (x * (y - b * x)).groupby(data.firm).sum()
    leverage = (x**2).groupby(data.firm).sum() / (x @ x)
    fit = no_pooling("y ~ x", data, "firm")
    for kind, power in {"CR0": 0, "CR2": -0.5, "CR3": -1}.items():
        expected = np.sqrt(np.sum((scores * (1 - leverage) ** power) ** 2)) / (x @ x)
        assert fit.cluster_robust(kind).bse["x"] == pytest.approx(expected, rel=1e-10)


def test_balanced_pairs_are_the_paired_t(reference):
    rng = np.random.default_rng(2)
    pairs = pd.DataFrame({"pair": np.repeat(np.arange(12), 2), "arm": np.tile([0.0, 1], 12)})
    pairs["y"] = rng.normal(size=12)[pairs.pair] + pairs.arm + rng.normal(size=24)
    difference = pairs.y[1::2].to_numpy() - pairs.y[::2].to_numpy()
    for kind in ("CR1", "CR2"):
        robust = no_pooling("y ~ arm", pairs, "pair").cluster_robust(kind)
        assert robust.bse["arm"] == pytest.approx(difference.std(ddof=1) / np.sqrt(12), rel=1e-12)
        assert robust.df["arm"] == pytest.approx(11, rel=1e-9)


def test_means_have_none_and_keep_the_models(fit):
    robust = fit.cluster_robust()
    assert robust.bse.drop(SLOPES).isna().all()
    assert robust.df.drop(SLOPES).isna().all()
    assert np.isfinite(robust.pvalues[SLOPES]).all()
    pd.testing.assert_series_equal(robust.params, fit.params)
    pd.testing.assert_frame_equal(robust.group_means, fit.group_means)
    pd.testing.assert_frame_equal(robust.group_means_int(), fit.group_means_int())
    np.testing.assert_allclose(np.sqrt(robust.cov_params().loc[SLOPES, SLOPES].to_numpy().diagonal()),
                               robust.bse[SLOPES])  # fmt: skip
    assert "no cluster-robust error of the means: each rests on one firm alone" in robust.summary()
    assert (fit.df_method, robust.df_method) == ("residual", "CR2")
    plain = robust.with_df("residual")
    assert set(plain.df[SLOPES]) == set(fit.df) == {fit.nobs - 20 - 2}
    pd.testing.assert_series_equal(plain.bse, robust.bse)
    assert fit.with_df("residual") is fit
    assert robust.cluster_robust("CR1").df_method == "CR1"


def test_a_slope_that_one_group_alone_carries_has_none(data):
    some = data.assign(mine=np.where(data.firm == 3, data.year, 0.0))
    fit = no_pooling("y ~ x + mine", some, "firm").cluster_robust("CR2")
    assert fit.withheld == {"mine": "without firm 3 it cannot be estimated"}
    assert np.isnan([fit.bse["mine"], fit.df["mine"]]).all()
    assert np.isfinite([fit.bse["x"], fit.df["x"]]).all()
    with pytest.raises(ValueError, match=r"no slope of 'y ~ mine' has a cluster-robust.*without firm 3"):
        no_pooling("y ~ mine", some, "firm").cluster_robust()


def test_what_cannot_be_asked(fit, data):
    with pytest.raises(ValueError, match="'y ~ 1' has no slope, and a group mean has no cluster-robust"):
        no_pooling("y ~ 1", data, "firm").cluster_robust()
    for kind in ("HC1", 2, None):
        with pytest.raises(ValueError, match="kind must be one of 'CR0', 'CR1', 'CR1S', 'CR2', 'CR3'; got"):
            fit.cluster_robust(kind)
    with pytest.raises(ValueError, match="count_groups is of CR1S"):
        fit.cluster_robust("CR1", count_groups=True)
    with pytest.raises(TypeError, match="count_groups must be True or False; got 'yes'"):
        fit.cluster_robust("CR1S", count_groups="yes")


def test_the_dummies_change_nothing_of_complete_poolings(fit, data):
    dummies = complete_pooling("y ~ x + x2 + C(firm)", data, "firm")
    for kind in ("CR0", "CR1", "CR2", "CR3"):
        with_dummies, within = dummies._robust(kind), fit.cluster_robust(kind)
        np.testing.assert_allclose(within.bse[SLOPES], with_dummies.bse[SLOPES], rtol=1e-8)
        np.testing.assert_allclose(within.df[SLOPES], with_dummies.df[SLOPES], rtol=1e-6)
    counted = fit.cluster_robust("CR1S", count_groups=True)
    np.testing.assert_allclose(counted.bse[SLOPES], dummies._robust("CR1S").bse[SLOPES], rtol=1e-8)
