"""Intervals that hold: exact pivots against dense matrices and other algorithms; coverage by simulation."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from helpers import partial_pooling
from helpers.groups import summarise
from helpers.inference import icc_interval
from helpers.intervals import between_variance_interval, variance_ratio_f, variance_ratio_interval


def unequal(seed, sizes, terms=("x", "z"), sd=1.0):
    """A table of groups of such sizes, with a term of both levels and one of the groups."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(len(sizes)), sizes)
    x = rng.normal(size=len(sizes))[codes] + rng.normal(size=len(codes))
    z = rng.normal(size=len(sizes))[codes]
    y = sd * rng.normal(size=len(sizes))[codes] + rng.normal(size=len(codes))
    return pd.DataFrame({"y": y, "g": codes, "x": x, "z": z})


@given(seed=st.integers(0, 10**6), r=st.floats(0, 50), formula=st.sampled_from(["1", "x", "x + z", "x - 1"]))
def test_the_pivot_is_a_ratio_of_two_projections(seed, r, formula):
    """By N x N matrices: least squares in the metric of V(r), and with a column for each group."""
    sizes = np.random.default_rng(seed).integers(1, 9, 6)
    sizes[0] += 2
    data = unequal(seed, sizes)
    columns = {"1": [], "x": ["x"], "x + z": ["x", "z"], "x - 1": ["x"]}[formula]
    X = np.column_stack([np.ones(len(data))] * (formula != "x - 1") + [data[c] for c in columns])
    Z = np.equal.outer(data["g"].to_numpy(), np.arange(6)).astype(float)
    y = data["y"].to_numpy()
    root = np.linalg.cholesky(np.eye(len(y)) + r * Z @ Z.T)

    def left(A, b):
        return np.sum((b - A @ np.linalg.lstsq(A, b)[0]) ** 2)

    full = np.column_stack([X, Z])
    rank = np.linalg.matrix_rank(full)
    of_full = left(full, y)
    of_terms = left(np.linalg.solve(root, X), np.linalg.solve(root, y))
    df = rank - X.shape[1], len(y) - rank
    found = variance_ratio_f(summarise(data, f"y ~ {formula}", "g"), r)
    assert (found.df_between, found.df_within) == df
    # Least squares by orthogonal factors, here by cross-products.
    assert found.f == pytest.approx((of_terms - of_full) / df[0] / (of_full / df[1]), rel=1e-7, abs=1e-10)
    assert found.lower_tail == pytest.approx(stats.f.cdf(found.f, *df), rel=1e-12)


@given(
    seed=st.integers(0, 10**6), J=st.integers(2, 12), n=st.integers(2, 8), alpha=st.sampled_from([0.05, 0.2])
)
def test_balanced_the_interval_of_the_icc_is_the_closed_form(seed, J, n, alpha):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(J, 1)) + rng.normal(size=(J, n))
    fit = partial_pooling("y ~ 1", pd.DataFrame({"y": y.ravel(), "g": np.repeat(np.arange(J), n)}), "g")
    F = n * y.mean(axis=1).var(ddof=1) / y.var(axis=1, ddof=1).mean()
    np.testing.assert_allclose(fit.icc_int(alpha), icc_interval(F, J, n, alpha), rtol=1e-12, atol=1e-14)


def test_the_ends_hold_the_pivot_at_its_quantiles_with_predictors_and_unequal_sizes(radon):
    summary = summarise(radon, "log_radon ~ floor + log_uranium", "county")
    ends = np.array(variance_ratio_interval(summary, 0.1))
    assert ends[0] > 0
    assert [variance_ratio_f(summary, r).lower_tail for r in ends] == pytest.approx([0.95, 0.05], rel=1e-9)
    fit = partial_pooling("log_radon ~ floor + log_uranium", radon, "county")
    assert fit.icc_int(0.1) == pytest.approx(tuple(ends / (1 + ends)), rel=1e-14)
    assert fit.icc_int(0.1)[0] < fit.icc < fit.icc_int(0.1)[1]


@pytest.mark.parametrize("sd", [0.0, 0.6])
def test_the_exact_interval_covers_as_often_as_it_says(sd):
    """Seven unequal groups and two predictors; where psi is 0 only the lower end can miss."""
    sizes, reps = [1, 2, 2, 3, 6, 10, 30], 2000
    data = unequal(5, sizes)
    rng = np.random.default_rng(6)
    held = 0
    for _ in range(reps):
        y = sd * rng.normal(size=7)[data["g"]] + rng.normal(size=len(data))
        summary = summarise(data.assign(y=y), "y ~ x + z", "g")
        lower, upper = variance_ratio_interval(summary)
        held += lower <= sd**2 <= upper
    expected = 0.95 if sd else 0.975
    assert held / reps == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / reps))


def test_balanced_the_interval_of_psi_is_williams_and_tukeys():
    rng = np.random.default_rng(1)
    J, n = 8, 5
    y = rng.normal(size=(J, 1)) + rng.normal(size=(J, n))
    data = pd.DataFrame({"y": 1000 * y.ravel(), "g": np.repeat(np.arange(J), n)})
    ssb = 1e6 * n * (J - 1) * y.mean(axis=1).var(ddof=1)
    F = ssb / (J - 1) / (1e6 * y.var(axis=1, ddof=1).mean())
    q, k = stats.f.ppf([0.975, 0.025], J - 1, J * (n - 1)), stats.chi2.ppf([0.975, 0.025], J - 1)
    expected = ssb * (1 - q / F) / (n * k)  # Searle et al. (1992), section 3.6
    found = between_variance_interval(summarise(data, "y ~ 1", "g"))
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert partial_pooling("y ~ 1", data, "g").psi_int() == found
