"""The committed coverages of notebook 16: computed again in part, held against theory and fits."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers import partial_pooling, posterior
from helpers.fits.simulate.posterior_coverage import (
    GROUPS,
    ICCS,
    METHODS,
    REPLICATES,
    SEED,
    SIZE,
    _log_half,
    coverage_table,
    halves,
    interval_coverage,
    posterior_half,
)
from helpers.tables import summarise

TABLE = coverage_table()


def data_of(J, n, msb, msw):
    """Balanced data with these mean squares."""
    means = np.linspace(-1, 1, J)
    means *= np.sqrt(msb * (J - 1) / n / (means @ means))
    noise = np.tile(np.linspace(-1, 1, n), J)
    noise *= np.sqrt(msw * J * (n - 1) / (noise @ noise))
    group = np.repeat(np.arange(J), n)
    return pd.DataFrame({"g": group, "y": means[group] + noise})


def test_the_table_has_each_method_in_each_cell_once():
    cells = [(J, icc) for J, icc in product(GROUPS, ICCS) for _ in METHODS]
    assert [*zip(TABLE["J"], TABLE["icc"], strict=True)] == cells
    assert TABLE["method"].tolist() == [*METHODS] * (len(GROUPS) * len(ICCS))
    assert TABLE["seed"].unique().tolist() == [f"{SEED}/{k}" for k in range(len(GROUPS) * len(ICCS))]
    by_binomial = np.sqrt(TABLE["coverage"] * (1 - TABLE["coverage"]) / REPLICATES)
    np.testing.assert_allclose(TABLE["mcse"], by_binomial, atol=1e-6)
    assert (TABLE["n"] == SIZE).all()


def test_students_t_is_exact():
    t = TABLE[TABLE["method"] == "t test on group means"]
    assert (abs(t["coverage"] - 0.95) <= 4 * np.sqrt(0.95 * 0.05 / REPLICATES)).all()


def test_the_share_of_zeros_is_that_of_the_f_distribution():
    for (J, icc), cell in TABLE.groupby(["J", "icc"]):
        below = stats.f.cdf(1 / (1 + SIZE * icc / (1 - icc)), J - 1, J * (SIZE - 1))
        assert abs(cell["zero"].iloc[0] - below) <= 4 * np.sqrt(below * (1 - below) / REPLICATES)


def test_a_cell_computed_again_with_another_seed_agrees():
    methods = [*METHODS[:4], "posterior, complexity"]
    again = interval_coverage(20, 10, 0.05, methods=methods, replicates=20_000, seed=77)
    stated = TABLE[(TABLE["J"] == 20) & (TABLE["icc"] == 0.05)].set_index("method").loc[methods]
    p = stated["coverage"]
    allowed = 4.5 * np.sqrt(p * (1 - p) * (1 / 20_000 + 1 / REPLICATES))
    assert ((again["coverage"] - p).abs() <= allowed).all()
    np.testing.assert_allclose(again["length"], stated["length"], rtol=0.01)


@pytest.mark.parametrize(("msb", "msw"), [(40.0, 9.0), (9.5, 9.0), (8.0, 9.0), (2.0, 9.0)])
def test_the_closed_forms_are_the_intervals_of_fits(msb, msw):
    J, n = 6, 4
    data = data_of(J, n, msb, msw)
    found = {k: float(v) for k, v in halves(J, n, np.array(msb), np.array(msw)).items()}
    fit = partial_pooling("y ~ 1", data, "g").with_df("kenward-roger")
    np.testing.assert_allclose(np.ptp(fit.conf_int().to_numpy()) / 2, found["Kenward-Roger"], rtol=1e-8)
    np.testing.assert_allclose(fit.bse.iloc[0] * stats.norm.isf(0.025), found["normal"], rtol=1e-8)
    profile = partial_pooling("y ~ 1", data, "g", method="ml").profile_int()
    np.testing.assert_allclose(np.ptp(profile.loc["Intercept"]) / 2, found["profile"], rtol=1e-6)


@pytest.mark.parametrize("prior", ["flat", "bambi"])
def test_half_an_interval_is_that_of_the_posterior_of_data(prior):
    data = data_of(6, 4, 20.0, 9.0)
    ends = posterior(summarise(data, "y ~ 1", "g"), prior).table().loc["mean"]
    half = posterior_half(6, 4, 20 / 9, prior) * 3
    np.testing.assert_allclose(ends["upper"] - ends["mean"], half, rtol=1e-9)


def test_the_spline_in_f_is_near_the_quadrature_between_its_knots():
    spline = _log_half(20, 10, "complexity", 0.95)
    for F in (0.37, 1.9, 7.3):
        np.testing.assert_allclose(
            np.exp(spline(np.log(F))), posterior_half(20, 10, F, "complexity"), rtol=1e-3
        )


@pytest.mark.parametrize(
    ("J", "n", "icc", "words"), [(2, 5, 0.1, "J must"), (5, 1, 0.1, "n must"), (5, 5, 1.0, "icc")]
)
def test_a_design_that_is_none_is_refused(J, n, icc, words):
    with pytest.raises(ValueError, match=words):
        interval_coverage(J, n, icc)
