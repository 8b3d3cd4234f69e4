"""The committed table of coverages: computed again in part, held against theory; its intervals by fits."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers import complete_pooling, formulas, partial_pooling
from helpers.fits.simulate.cluster_coverage import (
    DESIGNS,
    GROUPS,
    ICCS,
    METHODS,
    REPLICATES,
    SEED,
    _Draws,
    coverage_table,
    cr2_df,
    interval_coverage,
    sizes_of,
)  # fmt: skip

TABLE = coverage_table()
CELLS = TABLE.set_index(["icc", "design", "J", "method"]).sort_index()


def test_the_table_has_each_method_in_each_design_once():
    assert len(TABLE) == len(ICCS) * len(DESIGNS) * len(GROUPS) * len(METHODS)
    assert CELLS.index.is_unique
    assert (TABLE["replicates"] == REPLICATES).all()
    seeds = TABLE.drop_duplicates(["icc", "design", "J"])["seed"].tolist()
    assert seeds == [f"{SEED}/{k}" for k in range(len(seeds))]
    by_binomial = np.sqrt(TABLE["coverage"] * (1 - TABLE["coverage"]) / REPLICATES)
    np.testing.assert_allclose(TABLE["mcse"], by_binomial, atol=1e-5)


@pytest.mark.parametrize(
    ("design", "J", "icc"),
    [("dominant", 6, 0.3), ("even", 10, 0.05), ("dominant", 10, 0.05)],
)
def test_a_cell_computed_again_with_another_seed_agrees(design, J, icc):
    again = interval_coverage(sizes_of(design, J), icc, replicates=2000, lengths=200, seed=77)
    stated = CELLS.loc[(icc, design, J)].loc[again.index]
    p = stated["coverage"]
    far = (again["coverage"] - p).abs()
    # The parametric bootstrap's quantiles have an error of their own, of 20 000 samples, in both.
    allowed = 4.5 * np.sqrt(p * (1 - p) / 2000 + stated["mcse"] ** 2) + 0.004
    assert (far <= allowed).all(), pd.DataFrame({"far": far, "allowed": allowed})
    # Where the df are near 0 half of the lengths are beyond any use, and their median is of no size.
    short = stated["length"] < 10 * stated.loc["t test on group means", "length"]
    assert (again["length"][~short] > 10 * stated.loc["t test on group means", "length"]).all()
    ratio = again["length"][short] / stated["length"][short]
    assert ratio.between(0.85, 1.18).all(), ratio


@pytest.mark.parametrize("J", [5, 6, 10])
@pytest.mark.parametrize("design", DESIGNS)
def test_the_restricted_wild_bootstrap_covers_what_counting_sign_vectors_says(design, J):
    """Of the 2^(J-1) pairs of sign vectors the data's is any with equal chance, whatever the sizes."""
    pairs = 2 ** (J - 1)
    for icc in ICCS:
        cell = CELLS.loc[(icc, design, J)]
        for method, rejected in [("wild, restricted", np.floor(0.05 * pairs)),
                                 ("wild, restricted (>)", np.floor(0.05 * pairs) + 1)]:  # fmt: skip
            exact = 1 - rejected / pairs
            assert abs(cell.loc[method, "coverage"] - exact) <= 4 * np.sqrt(exact * (1 - exact) / REPLICATES)


@pytest.mark.parametrize("J", GROUPS)
@pytest.mark.parametrize("icc", ICCS)
def test_with_equal_sizes_four_methods_cover_what_students_t_says(icc, J):
    cell = CELLS.loc[(icc, "even", J), "coverage"]
    t = stats.t(J - 1)
    exact = {
        "CR1, z": 2 * t.cdf(stats.norm.ppf(0.975)) - 1, "CR1, t(J-1)": 0.95, "CR2, own df": 0.95,
        "t test on group means": 0.95, "CR3, t(J-1)": 2 * t.cdf(t.ppf(0.975) * np.sqrt(J / (J - 1))) - 1,
    }  # fmt: skip
    for method, p in exact.items():
        assert abs(cell[method] - p) <= 4 * np.sqrt(p * (1 - p) / REPLICATES), method


def test_the_t_test_on_group_means_never_falls_short():
    """Bakirov and Szekely (2005); Ibragimov and Mueller (2010): normal means of any variances."""
    cells = TABLE[TABLE["method"] == "t test on group means"]
    assert (cells["coverage"] >= 0.95 - 4 * cells["mcse"]).all()


def test_the_six_clusters_of_the_course():
    """50, 2, 2, 2, 2, 2 at ICC .3: CR1 40 per cent, unrestricted 27, restricted (>) 94, CR2 95.5, t 95.3."""
    assert sizes_of("dominant", 6).tolist() == [50, 2, 2, 2, 2, 2]
    cell = CELLS.loc[(0.3, "dominant", 6), "coverage"]
    said = {"CR1, t(J-1)": 0.40, "wild, unrestricted": 0.27, "wild, restricted (>)": 15 / 16,
            "CR2, own df": 0.955, "t test on group means": 0.953}  # fmt: skip
    for method, value in said.items():
        assert cell[method] == pytest.approx(value, abs=0.01), method


@pytest.mark.parametrize("sizes", [[50, 2, 2, 2, 2, 2], [3, 7, 2, 9, 4, 4, 8]])
def test_each_interval_is_that_of_the_fit_to_the_rows(sizes):
    study = _Draws(np.array(sizes, dtype=float), 0.3, np.random.default_rng(8), 6)
    held, lengths = study.restricted(0.05, 6)["wild, restricted"]
    by_samples = study.half("parametric bootstrap", 0.975)[0]
    for k in range(6):
        rows = []
        for j, n in enumerate(sizes):
            spread = np.linspace(-1, 1, n) - np.mean(np.linspace(-1, 1, n))
            rows += [(str(j), value) for value in spread]
        data = pd.DataFrame(rows, columns=["g", "y"])
        data["y"] *= np.sqrt(study.ss_within[k] / np.sum(data["y"] ** 2))
        data["y"] += study.means[k][data["g"].astype(int)]
        complete, partial = complete_pooling("y ~ 1", data, "g"), partial_pooling("y ~ 1", data, "g")
        means = data.groupby("g")["y"].mean()
        ends = {
            "CR1, t(J-1)": complete.cluster_robust("CR1").conf_int().iloc[0],
            "CR2, own df": complete.cluster_robust("CR2").conf_int().iloc[0],
            "CR3, t(J-1)": complete.cluster_robust("CR3").conf_int().iloc[0],
            "t test on group means": stats.ttest_1samp(means, 0).confidence_interval(),
            "wild, unrestricted": complete.wild_bootstrap("Intercept", kind="unrestricted").conf_int(),
        }
        if partial.psi > 0:
            ends["Kenward-Roger"] = partial.with_df("kenward-roger").conf_int().iloc[0]
        for method, (lower, upper) in ends.items():
            half, centre = study.half(method, 0.975)
            assert (centre[k] - half[k], centre[k] + half[k]) == pytest.approx((lower, upper), rel=1e-6), (
                method
            )
        found = complete.wild_bootstrap("Intercept")
        lower, upper = found.conf_int()
        assert lengths[k] == pytest.approx(upper - lower, rel=1e-6)
        assert held[k] == (lower <= 0 <= upper)
        drawn = partial.parametric_bootstrap("Intercept", draws=4000, seed=k).conf_int()
        assert by_samples[k] == pytest.approx((drawn[1] - drawn[0]) / 2, rel=0.12)


@pytest.mark.parametrize("sizes", [[10, 8, 6, 4, 2], [50, 2, 2, 2, 2, 2], [10] * 7])
def test_the_df_of_cr2_are_those_of_the_fit(sizes):
    g = np.repeat(np.arange(len(sizes)), sizes)
    data = pd.DataFrame({"g": g.astype(str), "y": np.random.default_rng(1).normal(size=len(g))})
    by_fit = complete_pooling("y ~ 1", data, "g").cluster_robust("CR2").df.iloc[0]
    assert cr2_df(sizes) == pytest.approx(by_fit, rel=1e-9)


def test_where_psi_is_zero_kenward_and_roger_are_asked_too():
    """None of the samples is left out: the df count groups there as elsewhere."""
    study = _Draws(np.full(5, 10.0), 0.0, np.random.default_rng(2), 50)
    half, _ = study.half("Kenward-Roger", 0.975)
    assert formulas.kenward_roger_mean(0.0, 1.0, [10] * 5)[1] == pytest.approx(4)
    assert (half >= stats.t.ppf(0.975, 4) * 0.5 * np.sqrt(study.ss_within / 45 / 50)).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"sizes": [1, 1]}, "two groups or more"),
        ({"sizes": [5]}, "two groups or more"),
        ({"icc": 1}, "icc must be at least 0 and below 1"),
        ({"methods": "CR9"}, "method must be one of 'CR1, z'"),
        ({"level": 95}, "level must lie between 0 and 1"),
        ({"replicates": 0}, "replicates must be whole and at least 2"),
    ],
)
def test_what_cannot_be_asked_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        interval_coverage(**({"sizes": [4, 5, 6], "icc": 0.3, "replicates": 2, "lengths": 2} | arguments))


def test_a_design_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match="design must be one of 'even', 'uneven', 'dominant'"):
        sizes_of("odd", 5)
