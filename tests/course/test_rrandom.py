"""R's random numbers: every double R drew, compared with ==."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from helpers.course.rrandom import RRandom

SEEDS = [0, 1, 42, 476781, 2147483647, -5]


def draws(reference, seed):
    """R's draws under one seed: id to entry."""
    values = reference("rrandom").values
    return {key: entry for key, entry in values.items() if "first" in entry and entry["seed"] == seed}


def drawn(key, entry):
    """The same draw here, from the entry's own numbers."""
    r = RRandom(entry["seed"])
    if key.startswith("rnorm"):
        return r.rnorm(entry["n"], entry.get("mean", 0), entry.get("sd", 1))
    return r.runif(entry["n"], entry.get("min", 0), entry.get("max", 1))


def test_all_of_rs_draws_are_tested(reference):
    kinds = [key.split(".")[0] for key in reference("rrandom").values]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "runif": 60, "rnorm": 60, "mixture": 6, "mixture_across": 6, "qnorm": 1,
    }  # fmt: skip
    assert sum(len(draws(reference, seed)) for seed in SEEDS) == 120


@pytest.mark.parametrize("seed", SEEDS)
def test_the_first_and_last_numbers_are_rs_to_the_bit(reference, seed):
    for key, entry in draws(reference, seed).items():
        x = drawn(key, entry)
        assert len(x) == entry["n"], key
        assert x[:3].tolist() == [float(text) for text in entry["first"]], key
        assert x[-3:].tolist() == [float(text) for text in entry["last"]], key


@pytest.mark.parametrize("seed", SEEDS)
def test_the_numbers_between_add_up_to_rs_sum(reference, seed):
    for key, entry in draws(reference, seed).items():
        x = drawn(key, entry)
        # R adds in 64-bit mantissas: off by no more than n half-units of the largest partial sum.
        tolerance = len(x) * 2.0**-64 * np.abs(x).sum() + 2.0**-52 * abs(float(entry["sum"]))
        assert math.fsum(x) == pytest.approx(float(entry["sum"]), rel=0, abs=tolerance), key


@pytest.mark.parametrize("seed", SEEDS)
def test_uniforms_and_normals_share_one_stream(reference, seed):
    r = RRandom(seed)
    mixed = [*r.runif(3), *r.rnorm(2), *r.runif(1)]
    assert mixed == [float(text) for text in reference("rrandom")[f"mixture.seed{seed}"]]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_normal_may_straddle_two_blocks_of_the_twister(reference, seed):
    r = RRandom(seed)
    mixed = [*r.runif(623)[-3:], *r.rnorm(2), *r.runif(1)]
    assert mixed == [float(text) for text in reference("rrandom")[f"mixture_across.seed{seed}"]]


def test_the_normal_quantile_of_the_standard_library_is_rs_qnorm(reference):
    entry = reference("rrandom").values["qnorm"]
    quantile = NormalDist().inv_cdf
    assert [quantile(float(p)) for p in entry["p"]] == [float(z) for z in entry["value"]]


def test_two_short_draws_are_one_long_draw():
    apart, together = RRandom(3), RRandom(3)
    assert [*apart.rnorm(400), *apart.rnorm(300)] == together.rnorm(700).tolist()


def test_two_streams_do_not_disturb_each_other():
    first, second = RRandom(1), RRandom(1)
    first.runif(10)
    assert second.runif(1)[0] == RRandom(1).runif(1)[0]


@pytest.mark.parametrize("seed", [np.int32(42), np.int64(42), np.uint8(42)])
def test_numpy_integers_are_seeds(seed):
    assert RRandom(seed).rnorm(5).tolist() == RRandom(42).rnorm(5).tolist()


def test_a_normal_without_spread_is_the_mean_and_consumes_nothing():
    r = RRandom(8)
    assert r.rnorm(4, 7, 0).tolist() == [7.0] * 4
    assert r.runif(3).tolist() == RRandom(8).runif(3).tolist()


def test_an_interval_without_width_is_its_end_and_consumes_nothing():
    r = RRandom(8)
    assert r.runif(4, 2.5, 2.5).tolist() == [2.5] * 4
    assert r.rnorm(3).tolist() == RRandom(8).rnorm(3).tolist()


def test_no_numbers_are_an_empty_array_and_consume_nothing():
    r = RRandom(8)
    assert r.rnorm(0).shape == r.runif(0).shape == (0,)
    assert r.runif(3).tolist() == RRandom(8).runif(3).tolist()


def test_uniforms_stay_strictly_inside_the_interval():
    u = RRandom(0).runif(100_000)
    assert u.min() > 0
    assert u.max() < 1


@pytest.mark.parametrize("seed", [1.0, "1", None, float("nan"), np.float64(3)])
def test_a_seed_that_is_no_whole_number_is_refused(seed):
    with pytest.raises(TypeError, match="seed must be a whole number"):
        RRandom(seed)


@pytest.mark.parametrize("seed", [2**31, -(2**31), 10**20])
def test_a_seed_too_large_for_r_is_refused_by_its_value(seed):
    with pytest.raises(ValueError, match=str(seed)):
        RRandom(seed)


@pytest.mark.parametrize("draw", [RRandom.rnorm, RRandom.runif])
def test_a_count_below_zero_or_not_whole_is_refused(draw):
    with pytest.raises(ValueError, match="n must be 0 or more; got -1"):
        draw(RRandom(0), -1)
    with pytest.raises(TypeError):
        draw(RRandom(0), 2.5)


@pytest.mark.parametrize(
    ("mean", "sd"),
    [(0, -1), (0, math.nan), (math.nan, 1), (math.inf, 1), (0, math.inf), (math.nan, 0)],
)
def test_a_normal_that_is_none_is_refused(mean, sd):
    with pytest.raises(ValueError, match="rnorm needs a finite mean and a finite sd >= 0"):
        RRandom(0).rnorm(1, mean, sd)


@pytest.mark.parametrize(
    ("low", "high"), [(1, 0), (math.nan, 1), (0, math.nan), (-math.inf, 0), (0, math.inf)]
)
def test_an_interval_that_is_none_is_refused(low, high):
    with pytest.raises(ValueError, match="runif needs finite min <= max"):
        RRandom(0).runif(1, low, high)
