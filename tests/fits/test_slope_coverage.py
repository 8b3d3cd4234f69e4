"""The committed coverages of an average slope: computed again in part, held against theory and fits."""

import numpy as np
import pandas as pd
import pytest

from helpers import complete_pooling, partial_pooling
from helpers.fits.simulate import lines as many
from helpers.fits.simulate.slope_coverage import (
    METHODS,
    REPLICATES,
    SEED,
    cells,
    compute,
    coverage_table,
    inferences,
    interval_coverage,
)

TABLE = coverage_table()
WHERE = ["design", "J", "n", "ratio", "correlation"]
RULE = "slopes vary, CR2"


def of(method):
    return TABLE[TABLE["method"] == method].set_index(WHERE)


def test_the_table_has_each_method_in_each_cell_once():
    first = TABLE.drop_duplicates(WHERE)
    assert [tuple(row) for row in first[WHERE].to_numpy()] == cells()
    assert first["seed"].tolist() == [f"{SEED}/{k}" for k in range(len(first))]
    assert (TABLE.groupby(WHERE)["method"].agg(list).map(tuple) == METHODS).all()
    by_binomial = np.sqrt(TABLE["coverage"] * (1 - TABLE["coverage"]) / REPLICATES)
    np.testing.assert_allclose(TABLE["mcse"], by_binomial, atol=1e-5)


def test_the_file_is_one_whoever_computes_it_and_goes_on_where_a_run_broke_off(tmp_path):
    which = [2, 18, 300]
    paths = [tmp_path / name for name in ("alone.csv", "together.csv", "again.csv")]
    compute(paths[0], 1, 20, which)
    compute(paths[1], 2, 20, which)
    lines = paths[0].read_text().splitlines()
    head, _, replicates = lines[1].rsplit(",", 2)
    first = [
        lines[0],
        f"{head},7,{replicates}",
        *lines[2 : 1 + len(METHODS)],
    ]  # another length, to be known by
    (tmp_path / "again.csv.part").write_text("\n".join([*first, *lines[-3:]]) + "\n")
    compute(paths[2], 1, 20, which)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert paths[2].read_text().splitlines() == [*first, *lines[1 + len(METHODS) :]]
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in paths}


@pytest.mark.parametrize(
    "cell", [("drawn", 10, 3, 1.0, 0.5), ("even", 5, 10, 4.0, 0.0), ("spread", 20, 3, 0.0, 0.0)]
)
def test_a_cell_computed_again_with_another_seed_agrees(cell):
    again = interval_coverage(*cell, replicates=500, seed=77)
    stated = TABLE.set_index(WHERE).loc[[cell]].set_index("method").loc[again.index]
    p = stated["coverage"].clip(0.002, 0.998)
    allowed = 4.5 * np.sqrt(p * (1 - p) * (1 / 500 + 1 / REPLICATES)) + 0.002
    far = (again["coverage"] - stated["coverage"]).abs()
    assert (far <= allowed).all(), pd.DataFrame({"far": far, "allowed": allowed})
    assert (again["length"] / stated["length"]).between(0.85, 1.18).all()


@pytest.mark.parametrize("method", ["least squares, CR2", "random intercept, CR2", "t test on group slopes"])
def test_with_the_same_x_everywhere_the_sandwich_is_students_t(method):
    """The theorem of notebook 14: the t test on J independent normal slopes of one variance, exactly."""
    even = of(method).loc["even"]
    assert (abs(even["coverage"] - 0.95) <= 4 * np.sqrt(0.95 * 0.05 / REPLICATES)).all()
    assert abs(even["coverage"].mean() - 0.95) <= 4 * np.sqrt(0.95 * 0.05 / REPLICATES / len(even))


def test_the_random_intercept_holds_where_slopes_do_not_vary_and_not_where_they_do():
    model = of("random intercept")["coverage"]
    assert model.xs(0.0, level="ratio").between(0.92, 0.98).all()
    assert model.xs(1.0, level="ratio").max() < 0.93
    assert model.xs(16.0, level="ratio").max() < 0.85


def test_the_rule_is_off_with_few_groups_only_and_short_only_where_variances_are_estimated():
    rule, known = of(RULE)["coverage"], of("the same, variances known")["coverage"]
    assert rule.between(0.915, 0.985).all()
    assert rule.between(0.93, 0.97).mean() > 0.9
    assert rule[~rule.between(0.93, 0.97)].index.get_level_values("J").max() <= 20
    assert known.min() >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / REPLICATES)
    assert (known - rule)[rule < 0.93].min() > 0
    assert set(rule[rule > 0.97].index.get_level_values("J")) == {5}


def test_the_t_test_on_group_slopes_never_falls_short():
    """Ibragimov and Mueller (2010): normal slopes of any variances."""
    cells = of("t test on group slopes")
    assert (cells["coverage"] >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / REPLICATES)).all()


def one_by_one(lines, k):
    """A table whose groups have these lines and sums of squares about them, in three rows each."""
    parts = []
    for j, (line, S) in enumerate(zip(lines.b[k], lines.S[k], strict=True)):
        n, sums, squares = S[0, 0], S[0, 1], S[1, 1]
        m = round(n)
        spread = np.sqrt((squares - sums**2 / n) / 2)
        x = sums / n + np.array([-spread, spread, *np.zeros(m - 2)])
        noise = np.array([1.0, 1, -2, *np.zeros(m - 3)])
        parts.append(pd.DataFrame({"g": j, "x": x, "y": line[0] + line[1] * x, "noise": noise}))
    data = pd.concat(parts)
    return data.assign(y=data["y"] + data["noise"] * np.sqrt(lines.rss[k] / np.sum(data["noise"] ** 2)))


def test_fits_of_many_are_those_of_one_by_one():
    rng, R, J = np.random.default_rng(3), 8, 7
    sizes = np.array([3, 5, 3, 9, 4, 6, 3])
    S = many.symmetric(sizes + np.zeros((R, J)), rng.normal(size=(R, J)), sizes + rng.gamma(2, 2, (R, J)))
    b = rng.normal(size=(R, J, 2)) * np.array([1.0, 0.5]) * np.linspace(0.2, 1.5, R)[:, None, None]
    lines = many.Lines(b, S, rng.chisquare(sizes.sum() - 2 * J, R), int(sizes.sum()))
    found = inferences(lines, np.array([1.0, 0.2, 0.5]))
    p = many.test(lines, many.fit(lines, many.INTERCEPTS), many.fit(lines))
    singular = 0
    for k in range(R):
        data = one_by_one(lines, k)
        least, model = complete_pooling("y ~ x", data, "g"), partial_pooling("y ~ x", data, "g")
        vary = partial_pooling("y ~ x", data, "g", slopes="x")
        singular += vary.singular
        fits = {
            "least squares": least,
            "least squares, CR2": least.cluster_robust("CR2"),
            "random intercept": model.with_df("kenward-roger"),
            "random intercept, CR2": model.cluster_robust("CR2"),
            "slopes vary, Kenward-Roger": vary.with_df("kenward-roger"),
            "slopes vary, Satterthwaite": vary.with_df("satterthwaite"),
            "slopes vary, CR2": vary.cluster_robust("CR2"),
        }
        for method, fit in fits.items():
            ours = [values[k] for values in found[method]]
            theirs = [fit.params["x"], fit.bse["x"], fit.df["x"]]
            assert ours == pytest.approx(theirs, rel=5e-3), (k, method)  # of a search that ends early
        assert p[k] == pytest.approx(vary.test_slope().pvalue, abs=1e-4)
    assert 0 < singular < R


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"design": "odd"}, "design must be one of 'even', 'spread', 'uneven', 'drawn'"),
        ({"J": 2}, "J must be whole and at least 3"),
        ({"design": "uneven", "n": 7}, "n must be one of 3, 10, 50"),
        ({"ratio": -1}, "ratio must be at least 0"),
        ({"correlation": 2}, "correlation from -1 to 1"),
        ({"methods": "CR9"}, "method must be one of 'least squares'"),
        ({"level": 95}, "level must lie between 0 and 1"),
    ],
)
def test_what_cannot_be_asked_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        interval_coverage(**({"design": "even", "J": 5, "n": 5, "ratio": 1, "replicates": 2} | arguments))
