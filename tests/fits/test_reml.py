"""The profile likelihood: its score, its highest maximum, the likelihood that it claims to be."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from helpers import formulas, partial_pooling
from helpers.fits import batch as batches
from helpers.fits.batch import fit_balanced_batch, fit_batch
from helpers.fits.profile import Profile, _root
from helpers.tables import summarise

METHODS = ["reml", "ml"]


def unbalanced(seed, sizes=None, ratio=None):
    """Random groups with a predictor within and one between; sizes and variance ratio random too."""
    rng = np.random.default_rng(seed)
    if sizes is None:
        sizes = rng.integers(1, 9, rng.integers(4, 12))
        sizes[0] = 5
    ratio = rng.choice([0.0, 0.1, 1.0, 10.0]) if ratio is None else ratio
    group = np.repeat(np.arange(len(sizes)), sizes)
    x, z = rng.normal(size=len(group)), rng.normal(size=len(sizes))[group]
    effect = np.sqrt(ratio) * rng.normal(size=len(sizes))[group]
    y = 3 + 0.5 * x - z + effect + rng.normal(size=len(group))
    return pd.DataFrame({"y": y, "x": x, "z": z, "g": group})


def multimodal(seed):
    """Fifteen groups of one and one of 200: the profile often has two maxima."""
    rng = np.random.default_rng(seed)
    sizes = np.array([1] * 15 + [200])
    group = np.repeat(np.arange(16), sizes)
    spread = rng.choice([0.3, 1.0, 3.0])
    y = rng.normal(size=16)[group] * rng.choice([0.1, 0.5, 2.0]) + rng.normal(size=215) * np.where(
        group == 15, 1.0, spread
    )
    return pd.DataFrame({"y": y, "g": group})


def profile(data, formula="y ~ x + z", method="reml"):
    return Profile(summarise(data, formula, "g"), method)


# ---- the score -----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(12))
def test_the_score_is_the_derivative_of_the_criterion(seed, method):
    p = profile(unbalanced(seed), method=method)
    r = np.array([1e-3, 0.02, 0.3, 1.0, 7.0, 100.0])
    h = 1e-4 * r
    # Fourth order: error h**4 times the fifth derivative, 1e-16 relative, and rounding 1e-12 / h.
    slope = (
        8 * (p.criterion(r + h) - p.criterion(r - h)) - (p.criterion(r + 2 * h) - p.criterion(r - 2 * h))
    ) / (12 * h)
    np.testing.assert_allclose(p.score(r) * r, slope * r, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(6))
def test_the_score_at_zero_is_the_derivative_on_the_right(seed, method):
    p = profile(unbalanced(seed), method=method)
    h = 1e-4
    # One-sided, second order: h**2 times the third derivative.
    slope = (4 * p.criterion(h) - p.criterion(2 * h) - 3 * p.criterion(0.0)) / (2 * h)
    assert p.score(0.0) == pytest.approx(slope, rel=1e-3, abs=1e-3)


# ---- the root ------------------------------------------------------------------------------------


def fine_grid():
    return np.concatenate([[0.0], np.geomspace(1e-9, 1e6, 4_000)])


def is_the_highest_maximum(p):
    best = p.best_ratio()
    lowest = p.criterion(fine_grid()).min()
    # The criterion is a sum of some hundred terms of size 1: rounding stays below 1e-10.
    assert p.criterion(best) <= lowest + 1e-10
    if best > 0:
        nearby = best * (1 + np.array([-1e-3, 1e-3]))
        assert (p.criterion(nearby) > p.criterion(best)).all()
        assert p.score(best * (1 - 1e-6)) < 0 < p.score(best * (1 + 1e-6))
    else:
        assert p.score(0.0) >= 0


@pytest.mark.parametrize("method", METHODS)
def test_the_root_is_the_highest_maximum_of_random_designs(method):
    for seed in range(60):
        is_the_highest_maximum(profile(unbalanced(seed), method=method))


@pytest.mark.parametrize("method", METHODS)
def test_the_root_is_the_highest_maximum_where_there_are_several(method):
    several = 0
    for seed in range(150):
        p = profile(multimodal(seed), "y ~ 1", method)
        is_the_highest_maximum(p)
        rises = p.score(fine_grid()) > 0
        several += (np.count_nonzero(~rises[:-1] & rises[1:]) + rises[0]) > 1
    assert several > 0, "no profile of these had two maxima: the test would prove nothing"


@pytest.mark.parametrize("method", METHODS)
def test_three_lone_values_far_from_one_large_group_have_their_maximum_found(method):
    """With a maximum at 0 and a higher one far beyond 1000 / 200, where the scan must not have stopped."""
    lone = [3.0, -3.3, 3.6]
    data = pd.DataFrame({"y": [*lone, *([-1.0, 1.0] * 100)], "g": [0, 1, 2] + [3] * 200})
    is_the_highest_maximum(profile(data, "y ~ 1", method))


def test_the_boundary_and_the_inside_both_occur_among_the_random_designs():
    ratios = [profile(unbalanced(seed)).best_ratio() for seed in range(60)]
    assert 5 < sum(ratio == 0 for ratio in ratios) < 55


def root_of(slope, low, high, n=5.0, around=0):
    """Root that `_root` finds for a slope given in u = log(1 + n r), in u, and how often it looked."""
    looks = []

    def score(r):
        u = np.log1p(n * np.asarray(r))
        looks.append(u)
        return slope(u) * np.exp(-u)

    before = min(around, int(low / (high - low)))
    grid = np.expm1(low + (high - low) * np.arange(-before, around + 2)) / n
    root = _root(score, grid, score(grid), before, n)
    return np.log1p(n * root), len(looks) - 1


@pytest.mark.parametrize(("bend", "most"), [(-0.3, 1), (0.3, 1), (-1, 2), (1, 2), (-2, 3), (2, 3)])
@pytest.mark.parametrize("at", [0.81, 1.0, 1.17])
def test_a_slope_that_rises_has_its_root_found_in_one_look_beyond_the_scan_or_two_or_three(bend, most, at):
    root, looks = root_of(  # as wide as the scan's steps
        lambda u: np.expm1(bend * (u - at)) / bend, 0.8, 1.18, around=3
    )
    assert looks <= most
    assert root == pytest.approx(at, rel=1e-14)  # u and 1 + n r are known to some units in the last place


@pytest.mark.parametrize("at", [0.9, 1.4])
@pytest.mark.parametrize(("below", "above"), [(0.9, 0.8), (0.5, 0.9), (0.9, 0.5)])
def test_a_slope_that_does_not_rise_all_the_way_has_its_root_found_too(at, below, above):
    root, looks = root_of(lambda u: np.sin(3 * (u - at)), at - below, at + above)
    assert looks > 2
    assert root == pytest.approx(at, rel=1e-14)


@pytest.mark.filterwarnings("error")
def test_a_root_at_the_end_of_a_step_is_that_end():
    assert root_of(lambda u: u, 0.0, 0.3)[0] == 0


@pytest.mark.parametrize("method", METHODS)
def test_a_maximum_next_to_zero_is_not_taken_for_zero(method):
    """Between 0 and the first point of the scan beyond it."""
    data = unbalanced(3, sizes=[2, 3, 5, 8, 8], ratio=0.0)
    effect = np.array([-1.0, 2, 0, -2, 1])[data["g"]]
    within = data["y"] - data.groupby("g")["y"].transform("mean")

    def at(strength):
        return profile(data.assign(y=within + strength * effect), "y ~ 1", method)

    boundary = optimize.brentq(lambda a: at(a).score(0.0), 0, 10, xtol=1e-15)
    assert at(boundary * (1 - 1e-5)).best_ratio() == 0
    p = at(boundary * (1 + 1e-5))
    best = p.best_ratio()
    assert 0 < best < 1e-3 / 8
    assert p.score(best * (1 - 1e-3)) < 0 < p.score(best * (1 + 1e-3))


@pytest.mark.parametrize("method", METHODS)
def test_balanced_data_have_a_closed_form_and_no_scan(method, monkeypatch):
    data = balanced(0)[0]
    closed = profile(data, "y ~ 1", method).best_ratio()
    monkeypatch.setattr(Profile, "score", None)
    assert profile(data, "y ~ 1", method).best_ratio() == closed


@pytest.mark.parametrize("method", METHODS)
def test_balanced_data_without_a_constant_have_none(method):
    for seed in range(5):
        is_the_highest_maximum(profile(unbalanced(seed, [4] * 8, 1.0), "y ~ x - 1", method))


# ---- batches -------------------------------------------------------------------------------------


def many(sizes, seed, offset=0.0):
    """Data sets of one design: variance ratios from 0 to 1e6, some with several maxima."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    ratios = [0.0, 0.0, 0.01, 0.1, 1.0, 10.0, 1e6] * 5
    out = [rng.normal(size=len(sizes))[group] * np.sqrt(r) + rng.normal(size=len(group)) for r in ratios]
    lone = np.asarray(sizes)[group] == 1
    several = [np.where(lone, rng.choice([0.3, 3.0]), 1.0) * y for y in out]
    return group, offset + np.array([*out, *several])


def one_by_one(group, batch):
    """Mean, psi, theta and standard error of each data set, by `partial_pooling`."""
    fits = [partial_pooling("y ~ 1", pd.DataFrame({"y": y, "g": group}), "g") for y in batch]
    return np.array([(f.params.iloc[0], f.psi, f.theta, f.bse.iloc[0]) for f in fits]).T


def agree_with_single_fits(found, expected, offset):
    np.testing.assert_allclose(found.mean - offset, expected[0] - offset, rtol=1e-9, atol=1e-9)
    # psi is the difference of two mean squares, and lost beside theta where their ratio is 1e-10.
    np.testing.assert_allclose(found.psi, expected[1], rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(found.theta, expected[2], rtol=1e-9)
    np.testing.assert_allclose(found.se, expected[3], rtol=1e-9)


@pytest.mark.parametrize(
    "sizes", [[1] * 15 + [200], [2, 3, 3, 5, 8], [1, 7]], ids=["several maxima", "unequal", "two groups"]
)
def test_a_batch_of_unequal_groups_is_the_fits_one_by_one(sizes, monkeypatch):
    group, batch = many(sizes, seed=len(sizes))
    means = np.array([np.bincount(group, y) for y in batch]) / sizes
    ss_within = ((batch - means[:, group]) ** 2).sum(axis=1)
    expected = one_by_one(group, batch)
    assert 5 < (expected[1] == 0).sum() < 65, "the boundary and the inside must both occur"
    for chunk in (2**16, 1):
        monkeypatch.setattr(batches, "_CHUNK", chunk)
        agree_with_single_fits(fit_batch(means, sizes, ss_within), expected, 0.0)


def test_a_batch_takes_the_highest_of_several_maxima():
    data = [multimodal(seed) for seed in range(150)]
    group, batch = data[0]["g"].to_numpy(), np.array([one["y"] for one in data])
    sizes = np.bincount(group)
    means = np.array([np.bincount(group, y) for y in batch]) / sizes
    found = fit_batch(means, sizes, ((batch - means[:, group]) ** 2).sum(axis=1))
    agree_with_single_fits(found, one_by_one(group, batch), 0.0)


@pytest.mark.parametrize(("J", "n", "offset"), [(2, 2, 0.0), (6, 4, 1e6), (3, 9, 0.0)])
def test_a_balanced_batch_is_the_fits_one_by_one(J, n, offset, monkeypatch):
    group, batch = many([n] * J, seed=J, offset=offset)
    expected = one_by_one(group, batch)
    assert 5 < (expected[1] == 0).sum() < 65, "the boundary and the inside must both occur"
    for chunk in (2**16, 50, 1):
        monkeypatch.setattr(batches, "_CHUNK", chunk)
        agree_with_single_fits(fit_balanced_batch(batch.reshape(-1, J, n)), expected, offset)


def test_a_batch_of_one_data_set_and_of_lists_is_a_batch():
    once = fit_balanced_batch([[[1, 2], [4, 7]]])
    again = fit_batch([[1.5, 5.5]], [2, 2], [5])
    for one, two in zip(once, again, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-15)
    # By hand: mean squares 16 and 2.5.
    np.testing.assert_allclose(np.ravel(once), [3.5, 6.75, 2.5, 2.0], rtol=1e-15)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (([[1.0, 2]], [3, 4, 5], [1.0]), r"got \(1, 2\), \(3,\) and \(1,\)"),
        (([[1.0, 2]], [3, 4], [1.0, 2]), r"got \(1, 2\), \(2,\) and \(2,\)"),
        (([1.0, 2], [3, 4], [1.0]), r"got \(2,\), \(2,\) and \(1,\)"),
        (([[1.0]], [3], [1.0]), "comparing groups takes two or more; got 1$"),
        (([[1.0, 2]], [3, 0], [1.0]), r"sizes must be.* got \[3. 0.\]"),
        (([[1.0, 2]], [1, 1], [1.0]), r"not all 1; got \[1. 1.\]"),
        (([[1.0, 2]], [np.inf, 2], [1.0]), r"sizes must be.* got \[inf  2.\]"),
        (([[1.0, 2], [np.nan, 2]], [2, 3], [1.0, 1]), "data set 1 has a value that is not finite"),
        (([[1.0, 2], [1.0, 2]], [2, 3], [1.0, np.nan]), "data set 1 has a value that is not finite"),
        (([[1.0, 2], [1.0, 2]], [2, 3], [1.0, np.inf]), "data set 1 has a value that is not finite"),
        (([[1.0, 2], [1.0, 2]], [2, 3], [1.0, 0]), "data set 1 .*nothing varies within its groups"),
        (([[1.0, 2], [1.0, 2]], [2, 2], [1.0, 0]), "data set 1 .*nothing varies within its groups"),
    ],
)
def test_what_no_batch_can_be_is_refused_with_what_it_was(arguments, told):
    with pytest.raises(ValueError, match=told):
        fit_batch(*arguments)


@pytest.mark.parametrize(
    ("shape", "told"),
    [((4, 3), r"\(replicates, J, n\); got \(4, 3\)"), ((2, 1, 5), "got 1 groups of 5"),
     ((2, 5, 1), "two groups of two rows or more; got 5 groups of 1")],
)  # fmt: skip
def test_a_balanced_batch_says_what_shape_it_needs(shape, told):
    with pytest.raises(ValueError, match=told):
        fit_balanced_batch(np.arange(np.prod(shape), dtype=float).reshape(shape))


# ---- the likelihood ------------------------------------------------------------------------------


def by_definition(data, columns, psi, theta, method):
    """Minus twice the log density of N(X b, V), at the best b; under REML that of the error contrasts."""
    X = np.column_stack([np.ones(len(data)), *(data[c] for c in columns)])
    y, same = data["y"].to_numpy(), np.equal.outer(data["g"].to_numpy(), data["g"].to_numpy())
    V = theta * np.eye(len(y)) + psi * same
    inverse = np.linalg.inv(V)
    XVX = X.T @ inverse @ X
    b = np.linalg.solve(XVX, X.T @ inverse @ y)
    residual = y - X @ b
    value = np.linalg.slogdet(V)[1] + residual @ inverse @ residual
    if method == "ml":
        return value + len(y) * np.log(2 * np.pi), b, np.linalg.inv(XVX)
    value += np.linalg.slogdet(XVX)[1] + (len(y) - X.shape[1]) * np.log(2 * np.pi)
    return value, b, np.linalg.inv(XVX)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("columns", [[], ["x"], ["x", "z"]])
@pytest.mark.parametrize("seed", range(5))
def test_the_criterion_is_the_density_of_the_multivariate_normal(seed, columns, method):
    data = unbalanced(seed)
    formula = " + ".join(["y ~ 1", *columns])
    p = profile(data, formula, method)
    for r in (0.0, 0.1, 1.0, 30.0):
        rss = p.gls(r)[2] * p.scale[-1] ** 2
        theta = float(rss) / p.degrees
        value = by_definition(data, columns, r * theta, theta, method)[0]
        # Solving with a dense 50 x 50 matrix of condition at most 1000 keeps 1e-11.
        assert p.criterion(r) == pytest.approx(value, rel=1e-11, abs=1e-10)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(5))
def test_the_fit_is_generalised_least_squares_at_its_own_variances(seed, method):
    data = unbalanced(seed, ratio=1.0)
    fit = partial_pooling("y ~ x + z", data, "g", method=method)
    value, b, cov = by_definition(data, ["x", "z"], fit.psi, fit.theta, method)
    # The dense inverse, as above.
    assert fit.criterion == pytest.approx(value, rel=1e-11)
    np.testing.assert_allclose(fit.params, b, rtol=1e-10)
    np.testing.assert_allclose(fit.cov_params(), cov, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(8))
def test_no_other_theta_and_psi_near_by_are_likelier(seed, method):
    data = unbalanced(seed)
    fit = partial_pooling("y ~ x + z", data, "g", method=method)
    for up_psi in (0.99, 1.0, 1.01):
        for up_theta in (0.99, 1.0, 1.01):
            psi, theta = fit.psi * up_psi, fit.theta * up_theta
            other = by_definition(data, ["x", "z"], psi, theta, method)[0]
            assert other >= fit.criterion - 1e-9  # rounding of the dense determinant


# ---- balanced data -------------------------------------------------------------------------------

EXACT = 1e-12  # the root is found to the last bits; the mean squares are sums of N terms


def balanced(seed):
    rng = np.random.default_rng(seed)
    J, n = rng.integers(3, 12), rng.integers(2, 9)
    y = 100 + 2 * rng.normal(size=(J, 1)) + rng.normal(size=(J, n))
    between = n * np.var(y.mean(axis=1), ddof=1)
    within = np.sum((y - y.mean(axis=1, keepdims=True)) ** 2) / (J * (n - 1))
    data = pd.DataFrame({"y": y.ravel(), "g": np.repeat(np.arange(J), n)})
    return data, J, n, between, within


@pytest.mark.parametrize("seed", range(20))
def test_t1_reml_on_balanced_data_is_the_analysis_of_variance(seed):
    data, J, n, between, within = balanced(seed)
    assert between > within, "choose another seed"
    fit = partial_pooling("y ~ 1", data, "g")
    psi, theta = formulas.variances_from_mean_squares(between, within, n)
    assert fit.theta == pytest.approx(theta, rel=EXACT)
    assert fit.psi == pytest.approx(
        psi, rel=EXACT * between / (between - within)
    )  # what the difference loses
    assert fit.bse.iloc[0] == pytest.approx(np.sqrt(between / (J * n)), rel=EXACT)


@pytest.mark.parametrize("seed", range(20))
def test_t4_ml_on_balanced_data_divides_by_the_number_of_groups(seed):
    data, J, n, between, within = balanced(seed)
    shrunk = (J - 1) / J * between
    assert shrunk > within, "choose another seed"
    fit = partial_pooling("y ~ 1", data, "g", method="ml")
    assert fit.theta == pytest.approx(within, rel=EXACT)
    assert fit.psi == pytest.approx((shrunk - within) / n, rel=EXACT * between / (shrunk - within))
    reml = partial_pooling("y ~ 1", data, "g").bse.iloc[0]
    assert fit.bse.iloc[0] == pytest.approx(reml * np.sqrt((J - 1) / J), rel=EXACT)


# ---- what must not matter ------------------------------------------------------------------------

seeds = st.integers(0, 10_000)
# What the variances may lose when the data are written otherwise. The score is a difference of
# terms of size N, known to about 1e-13, and flat profiles magnify that.
LOST = 1e-8


def agree(first, second, change=lambda fit: (fit.params, fit.bse, fit.psi, fit.theta)):
    for one, two in zip(change(first), change(second), strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(two), rtol=LOST, atol=1e-9)


@given(seed=seeds, method=st.sampled_from(METHODS))
def test_the_order_of_the_rows_changes_nothing(seed, method):
    data = unbalanced(seed)
    shuffled = data.sample(frac=1, random_state=seed)
    agree(*(partial_pooling("y ~ x + z", d, "g", method=method) for d in (data, shuffled)))


@given(seed=seeds, method=st.sampled_from(METHODS))
def test_the_names_of_the_groups_change_nothing(seed, method):
    data = unbalanced(seed)
    order = np.random.default_rng(seed).permutation(data["g"].max() + 1)
    renamed = data.assign(g=[f"group {order[g]}" for g in data["g"]])
    agree(*(partial_pooling("y ~ x + z", d, "g", method=method) for d in (data, renamed)))


@given(seed=seeds, method=st.sampled_from(METHODS), shift=st.floats(-1e6, 1e6))
def test_a_shift_of_the_outcome_moves_the_intercept_and_nothing_else(seed, method, shift):
    data = unbalanced(seed)
    fit = partial_pooling("y ~ x + z", data, "g", method=method)
    moved = partial_pooling("y ~ x + z", data.assign(y=data["y"] + shift), "g", method=method)
    # Adding 1e6 in floating point rounds the data themselves to 1e-10.
    np.testing.assert_allclose(moved.params - [shift, 0, 0], fit.params, rtol=1e-7, atol=1e-7)
    for name in ("psi", "theta"):
        np.testing.assert_allclose(getattr(moved, name), getattr(fit, name), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(moved.bse, fit.bse, rtol=1e-6)


@given(seed=seeds, method=st.sampled_from(METHODS), scale=st.sampled_from([1e-6, 0.01, -1.0, 3.0, 1e5]))
def test_the_unit_of_the_outcome_scales_everything(seed, method, scale):
    data = unbalanced(seed)
    fit = partial_pooling("y ~ x + z", data, "g", method=method)
    scaled = partial_pooling("y ~ x + z", data.assign(y=data["y"] * scale), "g", method=method)
    agree(
        fit,
        scaled,
        lambda f: (
            (f.params, f.bse, f.psi, f.theta)
            if f is fit
            else (f.params / scale, f.bse / abs(scale), f.psi / scale**2, f.theta / scale**2)
        ),
    )


@given(seed=seeds, method=st.sampled_from(METHODS), scale=st.sampled_from([1e-5, 0.1, 40.0, 1e6]))
def test_the_unit_of_a_predictor_scales_its_slope_only(seed, method, scale):
    data = unbalanced(seed)
    fit = partial_pooling("y ~ x + z", data, "g", method=method)
    scaled = partial_pooling("y ~ x + z", data.assign(x=data["x"] * scale), "g", method=method)
    back = np.array([1, scale, 1])
    np.testing.assert_allclose(scaled.params * back, fit.params, rtol=LOST, atol=1e-9)
    np.testing.assert_allclose(scaled.bse * back, fit.bse, rtol=LOST)
    np.testing.assert_allclose(scaled.psi, fit.psi, rtol=LOST, atol=1e-9)


@given(seed=seeds, shift=st.floats(-1e3, 1e3))
def test_the_origin_of_a_predictor_moves_the_intercept_only(seed, shift):
    data = unbalanced(seed)
    fit = partial_pooling("y ~ x + z", data, "g")
    moved = partial_pooling("y ~ x + z", data.assign(x=data["x"] + shift), "g")
    np.testing.assert_allclose(moved.params.iloc[1:], fit.params.iloc[1:], rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(moved.bse.iloc[1:], fit.bse.iloc[1:], rtol=1e-7)
    level = moved.params.iloc[0] + shift * moved.params["x"]
    np.testing.assert_allclose(level, fit.params.iloc[0], rtol=1e-7, atol=1e-7)


def test_a_constant_written_as_a_column_gives_the_same_fit():
    data = unbalanced(3, ratio=1.0).assign(one=1.0)
    with_constant = partial_pooling("y ~ x", data, "g")
    by_column = partial_pooling("y ~ one + x - 1", data, "g")
    np.testing.assert_allclose(by_column.params, with_constant.params, rtol=LOST)
    np.testing.assert_allclose(by_column.bse, with_constant.bse, rtol=LOST)
    assert by_column.criterion == pytest.approx(with_constant.criterion, rel=LOST)


def test_a_model_without_any_constant_agrees_with_the_definition():
    data = unbalanced(4, ratio=1.0)
    fit = partial_pooling("y ~ x - 1", data, "g")
    same = np.equal.outer(data["g"].to_numpy(), data["g"].to_numpy())
    inverse = np.linalg.inv(fit.theta * np.eye(len(data)) + fit.psi * same)
    x = data["x"].to_numpy()
    assert fit.bse["x"] == pytest.approx(1 / np.sqrt(x @ inverse @ x), rel=1e-10)  # the dense inverse


# ---- extremes ------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("ratio", [1e-6, 1e6, 1e10])
def test_very_small_and_very_large_ratios_are_found(ratio):
    data = unbalanced(7, sizes=[4] * 12, ratio=ratio)
    fit = partial_pooling("y ~ 1", data, "g")
    y = data["y"].to_numpy().reshape(12, 4)
    between = 4 * np.var(y.mean(axis=1), ddof=1)
    within = np.sum((y - y.mean(axis=1, keepdims=True)) ** 2) / 36
    assert fit.psi == pytest.approx(max(between - within, 0) / 4, rel=1e-10)  # within is lost in 1e10
    assert fit.singular == (between <= within)


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match=r'method must be "reml" or "ml"; got \'REML\''):
        profile(unbalanced(0), method="REML")


@pytest.mark.filterwarnings("error")
def test_an_outcome_that_does_not_vary_within_groups_is_refused():
    data = unbalanced(0)
    with pytest.raises(ValueError, match=r"'z' does not vary within any g .* average to one row per g"):
        profile(data, "z ~ 1")


@pytest.mark.filterwarnings("error")
def test_an_outcome_that_a_predictor_tells_wholly_within_groups_is_refused():
    data = unbalanced(0)
    with pytest.raises(ValueError, match="'sum' does not vary within any g beyond what the terms say"):
        profile(data.assign(sum=2 * data["x"] + data["g"]), "sum ~ x")


@pytest.mark.filterwarnings("error")
def test_terms_that_leave_nothing_between_the_groups_are_refused():
    data = pd.DataFrame({"y": [1.0, 2, 4, 3, 7, 5], "z": [0.0, 0, 1, 1, 4, 4], "w": [0.0, 0, 1, 1, 0, 0],
                         "g": [0, 0, 1, 1, 2, 2]})  # fmt: skip
    with pytest.raises(ValueError, match=r"3 groups and 3 terms \(Intercept, z, w\).*constant within g"):
        profile(data, "y ~ z + w")
    assert np.isfinite(profile(data, "y ~ z").fit().theta)


def test_as_many_terms_as_groups_are_fitted_if_they_vary_within_groups():
    data = unbalanced(5, sizes=[6, 7, 8]).assign(w=lambda d: d["x"] ** 2)
    is_the_highest_maximum(profile(data, "y ~ x + w"))
    with pytest.raises(ValueError, match="3 groups and 4 terms"):
        profile(data.assign(v=data["g"] == 1), "y ~ x + z + v")


def test_a_batch_takes_the_highest_of_several_maxima_too():
    """Three large groups near one mean and three lone values: about one profile in ten has two maxima."""
    sizes = np.array([200, 200, 200, 1, 1, 1])
    signs = np.concatenate([np.tile([1.0, -1.0], n // 2) if n > 1 else [0.0] for n in sizes])
    rng = np.random.default_rng(0)
    spread = np.where(sizes > 1, 0.03, rng.uniform(1, 8, (100, 1)))
    means = rng.normal(size=(100, 6)) * spread
    batch = fit_batch(means, sizes, np.full(100, 600.0))
    group = np.repeat(range(6), sizes)
    for k, own in enumerate(means):
        fit = partial_pooling("y ~ 1", pd.DataFrame({"y": own[group] + signs, "g": group}), "g")
        # the rows' sums are rounded where the batch was given them; psi of either side is that well known
        assert batch.psi[k] == pytest.approx(fit.psi, rel=1e-9, abs=1e-12)
        assert batch.se[k] == pytest.approx(fit.bse.iloc[0], rel=1e-9)
