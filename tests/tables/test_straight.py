"""Plain columns go straight to numpy, those of polars and Arrow without pandas: the numbers are the same."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from helpers import partial_pooling
from helpers.tables import columns, straight, summarise

RNG = np.random.default_rng(18)
N = 300
NAMES = np.array(["zeta", "älpha", "Beta", "beta", "g 10", "g 9", "", "日本"])
CODES = RNG.integers(len(NAMES), size=N)
FRAME = pd.DataFrame(
    {"g": NAMES[CODES], "y": 1e6 + RNG.normal(size=N) + CODES, "x": RNG.integers(9, size=N), "b": CODES > 3}
)
ORDER = NAMES[::-1].tolist()


def _dictionary(ordered):
    codes = pa.array([ORDER.index(name) for name in FRAME["g"]], pa.int8())
    return pa.DictionaryArray.from_arrays(codes, pa.array(ORDER), ordered=ordered)


POLARS = pl.DataFrame({name: FRAME[name].to_list() for name in FRAME})
ARROW = pa.table({name: FRAME[name].tolist() for name in FRAME}).drop(["b"])
STRAIGHT = {
    "polars, text": (POLARS, sorted(NAMES)),
    "polars, categorical": (POLARS.with_columns(pl.col("g").cast(pl.Categorical)), sorted(NAMES)),
    "polars, enum": (POLARS.with_columns(pl.col("g").cast(pl.Enum(ORDER))), ORDER),
    "polars, whole numbers": (POLARS.with_columns(g=pl.Series(CODES)), list(range(len(NAMES)))),
    "polars, large numbers": (POLARS.with_columns(g=pl.Series(CODES - 2**60)), [k - 2**60 for k in range(8)]),
    "polars, 32 bits": (POLARS.with_columns(pl.col("x").cast(pl.Int32)), sorted(NAMES)),
    "polars in chunks": (pl.concat([POLARS[:100], POLARS[100:]], rechunk=False), sorted(NAMES)),
    "Arrow, text": (ARROW, sorted(NAMES)),
    "Arrow, whole numbers": (ARROW.set_column(0, "g", pa.array(CODES)), list(range(len(NAMES)))),
    "pandas, text": (FRAME, sorted(NAMES)),
    "pandas, categorical": (FRAME.assign(g=pd.Categorical(FRAME["g"], ORDER)), ORDER),
    "pandas, whole numbers": (FRAME.assign(g=CODES), list(range(len(NAMES)))),
    "pandas, large numbers": (FRAME.assign(g=CODES - 2**60), [k - 2**60 for k in range(8)]),
}


@pytest.fixture
def no_pandas(monkeypatch):
    """Whoever takes the longer way, by pandas' columns, fails."""

    def asked(*_):
        raise AssertionError("the columns went the longer way")

    monkeypatch.setattr(columns, "columns_of", asked)


@pytest.mark.parametrize(("data", "labels"), STRAIGHT.values(), ids=STRAIGHT)
@pytest.mark.parametrize("formula", ["y ~ 1", "y ~ x", "y ~ x - 1"])
def test_the_numbers_are_those_of_brute_force(no_pandas, data, labels, formula):
    found = summarise(data, formula, "g")
    rows = FRAME.assign(g=pd.Categorical.from_codes(CODES, NAMES) if isinstance(labels[0], str) else CODES)
    assert found.labels.tolist() == labels
    assert found.labels.name == "g"
    for place, label in enumerate(labels):
        code = list(NAMES).index(label) if isinstance(label, str) else label - labels[0]
        own = rows[code == CODES]
        assert found.sizes[place] == len(own)
        y = found.means[place, -1] + found.shift[-1] + found.slopes @ found.means[place, :-1]
        assert y == pytest.approx(own["y"].mean(), rel=1e-14)
    if found.intercept is None:
        return  # about 0 an outcome of a million leaves the sum of squares few digits
    back = np.append(found.slopes, 1.0)
    squares = FRAME["y"] - FRAME["y"].groupby(CODES).transform("mean")
    assert back @ found.within @ back == pytest.approx(squares @ squares, rel=1e-11)


@pytest.mark.parametrize("frame", [POLARS, POLARS.with_columns(pl.col("g").cast(pl.Categorical))])
def test_a_fit_is_that_of_the_pandas_frame(no_pandas, frame, monkeypatch):
    fit = partial_pooling("y ~ b + x", frame, "g")
    monkeypatch.undo()
    same = partial_pooling("y ~ b + x", FRAME.astype({"b": float}), "g")
    assert (fit.psi, fit.theta) == pytest.approx((same.psi, same.theta), rel=1e-13)
    np.testing.assert_allclose(fit.bse, same.bse, rtol=1e-13)
    assert fit.group_means.index.tolist() == same.group_means.index.tolist()
    assert pickle.loads(pickle.dumps(partial_pooling("y ~ x", frame, "g"))).data.labels.tolist() == sorted(
        NAMES
    )


def _many():
    codes = np.concatenate([np.arange(5000), RNG.integers(5000, size=straight._MANY)])
    return codes, pl.DataFrame({"g": [f"group {k}" for k in codes], "y": RNG.normal(size=len(codes))})


def test_many_texts_are_counted_by_hash_and_sorted(no_pandas):
    codes, data = _many()
    found = summarise(data, "y ~ 1", "g")
    assert found.labels.tolist() == sorted(f"group {k}" for k in range(5000))
    counts = np.bincount(codes)
    assert found.sizes.tolist() == [counts[int(label[6:])] for label in found.labels]


def test_texts_of_one_hash_are_not_merged(monkeypatch):
    codes, data = _many()
    monkeypatch.setattr(straight, "_SEEDS", (0, 1))
    original = pl.Series.hash

    def colliding(self, seed=0):
        return original(self, seed) % 1000 if seed == 0 else original(self, seed)

    monkeypatch.setattr(pl.Series, "hash", colliding)
    assert straight._hashed(data["g"]) is None
    assert summarise(data, "y ~ 1", "g").ngroups == 5000
    assert len(codes) == data.height


ELSEWHERE = {
    "a gap": (POLARS.with_columns(y=pl.when(pl.col("x") > 0).then("y")), "y ~ 1", "column 'y' lacks"),
    "NaN": (POLARS.with_columns(y=pl.col("y") * float("nan")), "y ~ 1", "column 'y' lacks 300"),
    "infinite": (POLARS.with_columns(y=pl.col("y") * float("inf")), "y ~ 1", "'y' holds an infinite value"),
    "both infinities": (POLARS.with_columns(y=(2 * pl.col("x") - 9) / 0), "y ~ x", "'y' holds an infinite"),
    "a sum beyond doubles": (POLARS.with_columns(y=1e307 * pl.col("x")), "y ~ 1", "'y' varies by 8e.307"),
    "text": (POLARS, "g ~ 1", "the outcome 'g' is not numeric"),
    "no column": (POLARS, "y ~ z", "no column 'z'"),
    "beyond doubles": (POLARS.with_columns(x=2**53 + pl.col("x")), "y ~ x", "holds whole numbers beyond"),
    "empty": (POLARS[:0], "y ~ 1", "the table has no rows"),
    "a text with a gap": (POLARS.with_columns(g=pl.when(pl.col("x") > 0).then("g")), "y ~ 1", "'g' lacks"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("data", "formula", "told"), ELSEWHERE.values(), ids=ELSEWHERE)
@pytest.mark.parametrize(
    "of", [lambda d: d, lambda d: d.to_arrow(), lambda d: d.to_pandas()], ids=["polars", "Arrow", "pandas"]
)
def test_what_wants_a_closer_look_gets_it(data, formula, told, of):
    with pytest.raises(ValueError, match=told):
        summarise(of(data), formula, "g")
