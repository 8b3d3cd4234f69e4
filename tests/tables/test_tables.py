"""Any table gives the same numbers; any label, name or formula is understood or refused; none runs code."""

import datetime as dt
import re
import warnings
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import compare, complete_pooling, no_pooling, partial_pooling
from helpers.fits.batch import fit_balanced_batch, fit_batch
from helpers.tables import GroupSummary, summarise


@pytest.fixture(autouse=True)
def _no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def table(**columns):
    """Twenty-four rows, four groups, two predictors."""
    rng = np.random.default_rng(3)
    y, x, z = rng.normal(size=(3, 24)).round(3)
    return pd.DataFrame({"y": y, "x": x, "z": z, "g": list("abcd") * 6}).assign(**columns)


def of_four(labels):
    """Labels in turn, as Python objects."""
    out = pd.Series([None] * 24, dtype=object)
    for i in range(24):
        out.iloc[[i]] = [labels[i % 4]]
    return out


def duck(query, **tables):
    connection = duckdb.connect()
    for name, native in tables.items():
        connection.register(name, native)
    return connection.sql(query)


def backed(data, like):
    """The table as pandas holds what came from elsewhere."""
    return data.convert_dtypes(dtype_backend=like)


def arrow(data):
    return pa.Table.from_pandas(data, preserve_index=False)


ENGINES = {
    "nullable": lambda d: backed(d, "numpy_nullable"),
    "pyarrow-backed": lambda d: backed(d, "pyarrow"),
    "polars": lambda d: pl.from_arrow(arrow(d)),
    "polars lazy": lambda d: pl.from_arrow(arrow(d)).lazy(),
    "pyarrow": arrow,
    "duckdb": lambda d: duck("select * from d", d=arrow(d)),
}
each_engine = pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)


def lacks_one(engine, column, row):
    """The refusal to expect; a relation of DuckDB's has no order of rows to count in."""
    place = "" if engine is ENGINES["duckdb"] else f", the first in row {row}"
    return f"column '{column}' lacks 1 of 24 values{place}: fill them"


FITS = {
    "complete": complete_pooling,
    "no": no_pooling,
    "reml": partial_pooling,
    "ml": lambda *a, **k: partial_pooling(*a, method="ml", **k),
}
ALL = list(FITS.values())


def same_numbers(one, other, rtol=1e-12):
    """Two fits: DuckDB may hand back rows in another order, which costs the last digits."""
    assert (one.nobs, one.ngroups, one.data.dropped) == (other.nobs, other.ngroups, other.data.dropped)
    assert one.data.terms == other.data.terms
    np.testing.assert_allclose(one.bse, other.bse, rtol=rtol)
    np.testing.assert_allclose(one.params, other.params, rtol=rtol, atol=rtol * one.bse.max())
    assert one.theta == pytest.approx(other.theta, rel=rtol)


# ---- the same data, whatever holds them ----------------------------------------------------------

COURSE = {
    "classrooms": ("score ~ 1", "classroom", []),
    "radon": ("log_radon ~ floor + log_uranium", "county", []),
    "high_school": ("math ~ sector", "school", ["mean_ses"]),
}


@each_engine
@pytest.mark.parametrize("name", COURSE)
def test_the_courses_data_give_the_same_fits_from_any_engine(request, name, engine):
    formula, groups, _ = COURSE[name]
    data = request.getfixturevalue(name)
    data = data.assign(**{groups: data[groups].astype(str)})
    one, other = summarise(data, formula, groups), summarise(engine(data), formula, groups)
    assert one.labels.tolist() == other.labels.tolist()
    for part in ("sizes", "means", "within", "shift", "slopes", "products"):
        mine, theirs = getattr(one, part), getattr(other, part)
        if engine in (ENGINES["duckdb"], ENGINES["polars lazy"]):
            continue  # which add up in an order of their own
        np.testing.assert_array_equal(mine, theirs, err_msg=part)
    same_numbers(complete_pooling(None, one), complete_pooling(None, other))
    same_numbers(partial_pooling(None, one), partial_pooling(None, other), rtol=1e-10)


LABELS = {
    "text": list("abcd"),
    "whole numbers": [0, 1, 2, 3],
    "negative whole numbers": [-7, -3, 0, 4],
    "whole numbers far apart": [-(2**63), 0, 1, 2**63 - 1],
    "whole numbers beyond 2**53": [2**53 + k for k in range(4)],
    "whole numbers near 2**64": [2**64 - 4 + k for k in range(4)],
    "booleans": [False, True, False, True],
    "fractions": [-1.5, 0.0, 0.25, 1e300],
    "dates": [dt.date(2020, 1, k) for k in range(1, 5)],
    "decimals that doubles cannot tell apart": [Decimal(2**53) + k for k in range(4)],
    "empty and white text": ["", " ", "  ", "a"],
    "long text": ["a" * 10_000 + str(k) for k in range(4)],
    "text beyond ASCII": ["é", "ß", "日本", "𝛼"],
}


@each_engine
@pytest.mark.parametrize("gap", [False, True], ids=["whole", "with a gap"])
@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_any_kind_stay_apart_in_any_engine(engine, kind, gap):
    labels = of_four(LABELS[kind])
    if gap:
        labels.iloc[5] = None
    if all(type(label) is int for label in LABELS[kind]):  # pandas' own guess would make them doubles
        labels = labels.astype("UInt64" if max(LABELS[kind]) >= 2**63 else "Int64")
    data = table(g=labels)
    codes = pd.Series([LABELS[kind][i % 4] for i in range(24)], dtype=object).map(LABELS[kind].index)
    plain = table(g=codes)
    if gap:
        with pytest.raises(ValueError, match=lacks_one(engine, "g", 5)):
            summarise(engine(data), "y ~ x", "g")
        plain = plain.drop(index=5)
    fit = partial_pooling("y ~ x", engine(data), "g", missing="drop")
    assert [str(label) for label in fit.data.labels] == [
        str(pd.Timestamp(label)) if isinstance(fit.data.labels[0], pd.Timestamp) else str(label)
        for label in sorted(set(LABELS[kind]))
    ]
    expected = partial_pooling("y ~ x", plain, "g")
    np.testing.assert_allclose(fit.bse, expected.bse, rtol=1e-12)
    assert fit.data.dropped == gap


@each_engine
@pytest.mark.parametrize("column", ["y", "x", "g"])
def test_nulls_are_refused_by_name_and_row_or_dropped_at_the_callers_word(engine, column):
    data = table()
    data[column] = data[column].where(data.index != 7, None)
    with pytest.raises(ValueError, match=lacks_one(engine, column, 7)):
        partial_pooling("y ~ x", engine(data), "g")
    found = partial_pooling("y ~ x", engine(data), "g", missing="drop")
    assert found.data.dropped == 1
    same = partial_pooling("y ~ x", table().drop(index=7), "g")
    np.testing.assert_allclose(found.bse, same.bse, rtol=1e-12)


@each_engine
@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_rows_does_not_matter_in_any_engine(engine, seed):
    data = table()
    shuffled = data.sample(frac=1, random_state=seed)
    same_numbers(partial_pooling("y ~ x", data, "g"), partial_pooling("y ~ x", engine(shuffled), "g"))


COLUMNS = {
    "decimals": (lambda v: [Decimal(str(x)) for x in v], lambda v: v),
    "truth values": (lambda v: v > 0, lambda v: (v > 0) * 1.0),
    "whole numbers": (lambda v: (v * 1000).round().astype(int), lambda v: (v * 1000).round()),
    "single precision": (lambda v: v.astype("float32"), lambda v: v.astype("float32").astype(float)),
}


@each_engine
@pytest.mark.parametrize("kind", COLUMNS)
@pytest.mark.parametrize("column", ["y", "x"])
@pytest.mark.parametrize("gap", [False, True], ids=["whole", "with a gap"])
def test_numbers_of_any_type_are_numbers_in_any_engine(engine, kind, column, gap):
    make, clean = COLUMNS[kind]
    data = table()
    odd = data.assign(**{column: make(data[column])})
    if gap:
        odd[column] = odd[column].astype(object).where(odd.index != 2, None)
        data = data.drop(index=2)
    data = data.assign(**{column: clean(data[column])})
    found = partial_pooling("y ~ x", engine(odd), "g", missing="drop")
    assert found.data.terms == ["Intercept", "x"]
    np.testing.assert_allclose(found.bse, partial_pooling("y ~ x", data, "g").bse, rtol=1e-11)


@each_engine
@pytest.mark.parametrize("column", ["y", "x"])
@pytest.mark.parametrize("start", [2**53, 2**62, 2**63], ids=["2**53", "2**62", "2**63"])
def test_whole_numbers_that_doubles_cannot_tell_apart_are_refused(engine, column, start):
    data = table(**{column: np.arange(24, dtype="uint64") % np.uint64(2) + np.uint64(start)})
    with pytest.raises(ValueError, match=rf"column '{column}' holds whole numbers beyond 2\*\*53"):
        summarise(engine(data), "y ~ x", "g")


@each_engine
def test_text_predictors_have_the_same_terms_in_any_engine(engine):
    data = table(k=list("pqr") * 8)
    same_numbers(partial_pooling("y ~ k", data, "g"), partial_pooling("y ~ k", engine(data), "g"))


def test_orders_of_categories_are_kept_where_the_engine_has_one_else_sorted():
    labels = [["b", "a", "d", "c"][i % 4] for i in range(24)]
    data = pl.DataFrame({"y": table()["y"].to_numpy(), "g": labels})
    enum = data.with_columns(pl.col("g").cast(pl.Enum(["d", "unused", "c", "b", "a"])))
    assert summarise(enum, "y ~ 1", "g").labels.tolist() == ["d", "c", "b", "a"]
    categorical = data.with_columns(pl.col("g").cast(pl.Categorical))
    assert summarise(categorical, "y ~ 1", "g").labels.tolist() == ["a", "b", "c", "d"]
    query = "select y, g::enum('d', 'unused', 'c', 'b', 'a') as g from d"
    assert summarise(duck(query, d=data.to_arrow()), "y ~ 1", "g").labels.tolist() == ["d", "c", "b", "a"]
    dictionary = data.to_arrow().set_column(1, "g", pa.array(labels).dictionary_encode())
    assert summarise(dictionary, "y ~ 1", "g").labels.tolist() == ["a", "b", "c", "d"]


def test_polars_nan_and_null_are_both_missing():
    data = pl.from_pandas(table()[["y", "g"]].astype({"g": object}))
    data = data.with_columns(
        y=pl.when(pl.int_range(24) == 3).then(None).when(pl.int_range(24) == 8).then(np.nan).otherwise("y")
    )
    with pytest.raises(ValueError, match="column 'y' lacks 2 of 24 values, the first in row 3"):
        summarise(data, "y ~ 1", "g")
    assert summarise(data, "y ~ 1", "g", missing="drop").dropped == 2


@pytest.mark.parametrize("dtype", ["Int128", "UInt128"])
def test_polars_128_bit_labels_stay_apart(dtype):
    if not hasattr(pl, dtype):
        pytest.skip(f"this polars has no {dtype}")
    labels = pl.Series([10**25 + i % 4 for i in range(24)], dtype=getattr(pl, dtype))
    data = pl.DataFrame({"y": table()["y"].to_numpy(), "g": labels})
    assert summarise(data, "y ~ 1", "g").labels.tolist() == [10**25 + k for k in range(4)]
    with pytest.raises(ValueError, match=r"column 'g' holds whole numbers beyond 2\*\*53"):
        summarise(data.with_columns(h=pl.int_range(24) % 3), "g ~ 1", "h")


def test_duckdbs_hugeint_is_exact():
    query = (
        "select 9007199254740992::hugeint + i % 4 as g, i % 5 as y, (i % 7)::hugeint as x from range(24) t(i)"
    )
    data = duck(query)
    assert [int(label) for label in summarise(data, "y ~ x", "g").labels] == [2**53 + k for k in range(4)]
    with pytest.raises(ValueError, match=r"column 'g' holds whole numbers beyond 2\*\*53"):
        summarise(data, "g ~ 1", "y")


# ---- bad and unusual input -----------------------------------------------------------------------


def renamed(name):
    return table().rename(columns={"x": name})


def tops(*names):
    return table()[["y", "x", "g"]].set_axis(pd.MultiIndex.from_tuples([(n, "top") for n in names]), axis=1)


EACH = [complete_pooling, no_pooling, partial_pooling]
GROUPED = [no_pooling, partial_pooling]
LONE = table(g=["a"] * 2 + [f"b{i}" for i in range(22)])
objects = np.array([[1], [2]] * 12, dtype=object)
# name: (fits, arguments, error or None, what the message must name; without an error, the cleaned equivalent)
INPUTS = {
    "a repeated index": (EACH, ("y ~ x", table().set_axis([0] * 24), "g"), None, table()),
    "unused categories": (
        EACH, ("y ~ x", table(g=pd.Categorical(table()["g"], list("zabcd"))), "g"), None, table()),
    "unused levels of a predictor": (
        EACH, ("y ~ k", table(k=pd.Categorical(list("pqr") * 8, list("pxqr"))), "g"),
        None, table(k=list("pqr") * 8)),
    "groups as floats": (EACH, ("y ~ x", table(g=of_four([0.5, 1.5, 2.5, 3.5])), "g"), None, table()),
    "groups in half precision": (
        EACH, ("y ~ x", table(g=of_four([1, 2, 3, 4]).astype("float16")), "g"), None, table()),
    "groups that are 0.0 and -0.0": (
        EACH, ("y ~ x", table(g=of_four([0.0, -0.0, 1.0, 2.0]).astype(float)), "g"),
        None, table(g=list("aacd") * 6)),
    "an infinite group": (
        EACH, ("y ~ x", table(g=of_four([-np.inf, 0.0, 1.0, np.inf]).astype(float)), "g"), None, table()),
    "nullable booleans": (
        EACH, ("y ~ x", table(x=(table()["x"] > 0).astype("boolean")), "g"),
        None, table(x=(table()["x"] > 0) * 1.0)),
    "a boolean outcome": (
        EACH, ("y ~ x", table(y=table()["y"] > 0), "g"), None, table(y=(table()["y"] > 0) * 1.0)),
    "numbers as objects": (EACH, ("y ~ x", table().astype({"y": object, "x": object}), "g"), None, table()),
    "objects that are numbers of many types": (
        EACH, ("y ~ x", table(x=pd.Series([1, 2.5, Decimal(2), np.float32(4), True, 0] * 4, dtype=object)),
        "g"), None, table(x=[1, 2.5, 2, 4, 1, 0] * 4)),
    "truth values as objects": (
        EACH, ("y ~ x", table(x=(table()["x"] > 0).astype(object)), "g"),
        None, table(x=(table()["x"] > 0) * 1.0)),
    "whole numbers as objects, too large": (
        EACH, ("y ~ x", table(x=pd.Series([10**400 + i for i in range(24)], dtype=object)), "g"),
        ValueError, "column 'x' holds numbers too large"),
    "objects with None": (
        EACH, ("y ~ x", table(x=table()["x"].astype(object).where(table().index != 3, None)), "g"),
        ValueError, "column 'x' lacks 1 .* row 3"),
    "dates as objects": (
        EACH, ("y ~ x", table(x=pd.Series([dt.date(2020, 1, 1 + i) for i in range(24)], dtype=object)), "g"),
        ValueError, "'x' holds dates"),
    "sparse columns": (
        EACH, ("y ~ x", table(x=pd.arrays.SparseArray(table()["x"]), y=pd.arrays.SparseArray(table()["y"])),
        "g"), None, table()),
    "half precision": (
        EACH, ("y ~ x", table(y=table()["y"].astype("float16")), "g"),
        None, table(y=table()["y"].astype("float16").astype(float))),
    "lists in a predictor": (
        EACH, ("y ~ x", table(x=[[1]] * 24), "g"), ValueError, "'y ~ x' cannot be evaluated.*list"),
    "text of pandas' nullable type": (
        EACH, ("y ~ x", table(x=pd.array(["p", "q", "r"] * 8, dtype="string")), "g"),
        None, table(x=["p", "q", "r"] * 8)),
    "a predictor of one level": (
        EACH, ("y ~ k", table(k="only"), "g"), ValueError, "term 'k' has one level only"),
    "a predictor of one level among others": (
        EACH, ("y ~ x + C(k)", table(k=1), "g"), ValueError, r"term 'C\(k\)' has one level only"),
    "groups of any type": (
        EACH, ("y ~ x", table(g=of_four([1, "a", 2.5, (1, 2)])), "g"), None, table()),
    "groups as tuples": (
        EACH, ("y ~ x", table(g=of_four([(0, 1), (0, 2), (1, 0), (2, 1)])), "g"), None, table()),
    "groups as tuples of different lengths": (
        EACH, ("y ~ x", table(g=of_four([(), (0,), (1, 0), (2, 1, 3)])), "g"), None, table()),
    "groups as intervals": (
        EACH, ("y ~ x", table(g=pd.arrays.IntervalArray.from_tuples([(i % 4, i % 4 + 1) for i in range(24)])),
        "g"), None, table()),
    "groups as times": (
        EACH, ("y ~ x", table(g=of_four(list(pd.date_range("2020", periods=4))).astype("datetime64[ns]")),
        "g"), None, table()),
    "groups as periods": (
        EACH, ("y ~ x", table(g=pd.period_range("2020", periods=4, freq="M").take(np.arange(24) % 4)), "g"),
        None, table()),
    "text and number that look alike": (EACH, ("y ~ x", table(g=of_four([1, 2, "1",
    "2"])), "g"), None, table()),
    "whole numbers beyond 64 bits": (
        EACH, ("y ~ x", table(g=of_four([10**30 + k for k in range(4)])), "g"), None, table()),
    "a NaN group": (
        EACH, ("y ~ x", table(g=of_four([1.0, 2.0, np.nan, 3.0]).astype(float)), "g"),
        ValueError, "'g' lacks 6 .* row 2"),
    "a NaN group of pandas' own floats": (
        EACH, ("y ~ x", table(g=pd.arrays.FloatingArray(np.array([1, 2, np.nan, 3] * 6), np.zeros(24, bool))),
        "g"), ValueError, "'g' lacks 6 .* row 2"),
    "a None group": (
        EACH, ("y ~ x", table(g=of_four(["a", "b", "c", None])), "g"), ValueError, "'g' lacks 6 .* row 3"),
    "groups that cannot be hashed": (
        EACH, ("y ~ x", table(g=of_four([[1], [2], [3], [4]])), "g"), TypeError, "'g' holds labels"),
    "an offset of 1e12": (EACH, ("y ~ x", table(x=table()["x"] + 2**40), "g"), None,
        table(x=table()["x"] + 2**40 - 2**40)),
    "values near 1e308": (
        EACH, ("y ~ x", table(y=table()["y"] * 4e307), "g"), ValueError, "'y' varies by .*change its unit"),
    "subnormal values": (
        EACH, ("y ~ x", table(y=table()["y"] * 1e-310), "g"), ValueError, "'y' varies by .*change its unit"),
    "a scale of 1e150": (
        EACH, ("y ~ x", table(y=table()["y"] * 1e150), "g"), ValueError, "'y' varies by .*change its unit"),
    "zeros of both signs": (
        EACH, ("y ~ x", table(y=[0.0, -0.0] * 12), "g"), ValueError, "'y' to the last digit.*constant"),
    "an outcome constant throughout": (
        EACH, ("y ~ x", table(y=1629.1), "g"), ValueError, "'y' to the last digit.*constant"),
    "an outcome constant within every group": (
        GROUPED, ("y ~ 1", table(y=of_four([0.1, 0.2, 0.4, 0.7]).astype(float)), "g"),
        ValueError, "'y' does not vary within any g"),
    "two groups": (EACH, ("y ~ x", table(g=list("ab") * 12), "g"), None, table(g=list("cd") * 12)),
    "one observation in all groups but one": (EACH, ("y ~ 1", LONE, "g"), None, LONE.set_axis(range(9, 33))),
    "one row more than terms": (
        [complete_pooling], ("y ~ x", table().iloc[:3], "g"), None, table().iloc[:3].reset_index(drop=True)),
    "a table without columns": (EACH, ("y ~ x", pd.DataFrame(index=range(5)), "g"), ValueError, "no column"),
    "columns of two levels": (EACH, ("y ~ x", tops("y", "x", "g"), "g"), ValueError, "2 levels.*flatten"),
    "columns named by numbers": (EACH, ("y ~ x", table().rename(columns={"x": 1}), "g"), ValueError,
        "no column 'x' among y, 1"),
    "columns named by NaN": (EACH, ("y ~ x", table().assign(q=1).rename(columns={"q": np.nan}), "g"), None,
        table()),
    "a column called as the constant is": (
        EACH, ("y ~ Intercept", renamed("Intercept"), "g"), ValueError, "'Intercept'.*rename"),
    "a column called 1": (EACH, ("y ~ `1`", renamed("1"), "g"), ValueError, "`1`.*rename"),
    "a column called nothing": (EACH, ("y ~ ``", renamed(""), "g"), ValueError, "``.*rename"),
    "a function's name as its argument": (
        EACH, ("y ~ log(log)", renamed("log"), "g"), ValueError, "'log' is both a function and a column"),
    "a column called np beside numpy": (
        EACH, ("y ~ np.exp(x) + np", table(np=table()["z"]), "g"), ValueError, "'np' is both"),
    "a keyword inside a term": (
        EACH, ("y ~ I(class + 1)", renamed("class"), "g"),
        ValueError, r"'y ~ I\(class \+ 1\)' cannot be read"),
    "two outcomes": (EACH, ("y + z ~ x", table(), "g"), ValueError, "'y [+] z ~ x' must be one numeric"),
    "a spline that spans the constant": (
        EACH, ("y ~ cc(x, df=3)", table(), "g"), ValueError, r"cc\(x, df=3\)"),
}  # fmt: skip


def cases():
    for name, (fits, *rest) in INPUTS.items():
        for fit in fits:
            yield pytest.param(fit, *rest, id=f"{name}-{fit.__name__}")


@pytest.mark.parametrize(("fit", "arguments", "error", "told"), list(cases()))
def test_unusual_input_gives_the_cleaned_answer_or_is_refused_by_name(fit, arguments, error, told):
    if error:
        with pytest.raises(error) as caught:
            fit(*arguments)
        assert re.search(told, str(caught.value)), str(caught.value)
        return
    formula, _, groups = arguments
    found, clean = fit(*arguments), fit(formula, told, groups)
    rtol = 1e-10
    assert (found.nobs, found.ngroups) == (clean.nobs, clean.ngroups)
    np.testing.assert_allclose(found.bse.iloc[-1], clean.bse.iloc[-1], rtol=rtol)
    assert found.theta == pytest.approx(clean.theta, rel=rtol)
    assert found.data.terms == clean.data.terms


NAMES = [
    "a b", "café", "α", "日本", "class", "lambda", "if", "True", "None", "x'y", 'x"y', "x-1", "+", "y ~ x",
    "a.b", "a:b", "{x}", "2x", "0", "a\\b", "\n", "_", "sum", "list", "print", "eval", "__import__", "log",
    "C", "Q", "I", "np", "contr", "poly", "open('flag', 'w')", "__class__",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fit", EACH, ids=lambda fit: fit.__name__)
def test_a_column_may_have_any_name(fit, name):
    found, plain = fit(f"y ~ `{name}`", renamed(name), "g"), fit("y ~ x", table(), "g")
    assert found.params.index[-1] == name
    assert found.bse.tolist() == plain.bse.tolist()
    with pytest.raises(ValueError, match=re.escape(f"no column {name!r}")):
        fit(f"y ~ `{name}`", table(), "g")


@pytest.mark.parametrize("name", ["sum", "print", "list", "__import__", "exec"])
def test_a_builtin_is_no_column_and_no_function(name):
    with pytest.raises(ValueError, match=f"no column '{name}'"):
        partial_pooling(f"y ~ {name}", table(), "g")
    with pytest.raises(ValueError, match="is refused"):
        partial_pooling(f"y ~ {name}(x)", table(), "g")


OPEN = "open('FLAG', 'w')"
ATTACKS = [
    f"y ~ {OPEN}", f"y ~ I({OPEN})", f"I({OPEN}) ~ x", f"{OPEN} ~ x", f"y ~ {{{OPEN}}}", f"y ~ x + 2:{OPEN}",
    f"y ~ x:{OPEN}", f"y ~ C({OPEN})", f"y ~ np.exp({OPEN})", f"y ~ log(x, {OPEN})",
    f"y ~ poly(x, degree={OPEN})",
    f"y ~ Q({OPEN})", f"y ~ Q('x' + {OPEN})", f"y ~ Q(\"{OPEN}\")", f"y ~ `{OPEN}`", f"y ~ `x` + {OPEN}",
    f"y ~ `x`.__class__({OPEN})", f"y ~ I(`x`, {OPEN})", f"y ~ I(x=`{OPEN}`)", f"y ~ x\n+ {OPEN}",
    f"y ~ I(x\n+ {OPEN})", f"y ~ I(x);{OPEN}", f"y ~ I(x) # {OPEN}", f"y ~ I(x)\n{OPEN}",
    f"y ~ C(g, contr.treatment(base={OPEN}))", f"y ~ C(g, levels=[{OPEN}])", f"y ~ C(g, levels=({OPEN},))",
    f"y ~ C(g, {{'a': {OPEN}}})", f"y ~ hashed(x, levels={OPEN})", f"y ~ hashed({OPEN}, levels=2)",
    f"y ~ I(lambda: {OPEN})", f"y ~ I((lambda: {OPEN})())", f"y ~ I([{OPEN} for i in x])",
    f"y ~ I({{{OPEN} for i in x}})", f"y ~ I(sum({OPEN} for i in x))", f"y ~ I((f := {OPEN}))",
    f"y ~ I(f'{{{OPEN}}}')", f"y ~ Q(f'{{{OPEN}}}')", f"y ~ I(x if {OPEN} else x)", f"y ~ I(x and {OPEN})",
    f"y ~ I(not {OPEN})", f"y ~ I(x[{OPEN}])", f"y ~ I(*{OPEN})", f"y ~ I(**{OPEN})", f"y ~ C(g, *[{OPEN}])",
    f"y ~ I(x @ {OPEN})", f"y ~ I(x << {OPEN})", f"y ~ I(x < {OPEN})", f"y ~ I(-{OPEN})",
    f"y ~ I(await {OPEN})",
    f"y ~ I((yield {OPEN}))", f"y ~ I({'(' * 40}{OPEN}{')' * 40})",
    "y ~ __import__('os').mkdir('FLAG')", "y ~ I(__import__('pathlib').Path('FLAG').touch())",
    "y ~ eval(\"open('FLAG', 'w')\")", "y ~ exec(\"open('FLAG', 'w')\")", "y ~ I(eval('1'))",
    "y ~ C(g, contr.treatment(base=__import__('os').mkdir('FLAG')))",
    "y ~ I(getattr(np, 'save')('FLAG', x))", "y ~ np.save('FLAG', x)", "y ~ np.savetxt('FLAG', x)",
    "y ~ np.load('FLAG')", "y ~ np.fromfile('FLAG')", "y ~ np.memmap('FLAG', mode='w+', shape=(1,))",
    "y ~ np.lib.format.open_memmap('FLAG', 'w+', shape=(1,))", "y ~ np.ndarray.tofile(x, 'FLAG')",
    "y ~ np.linalg.norm(x)", "y ~ np.linalg.linalg.os.mkdir('FLAG')", "y ~ np.f2py.os.mkdir('FLAG')",
    "y ~ np.testing.os.mkdir('FLAG')", "y ~ np.add.reduce(x)", "y ~ np.add.at(x, 0, 1)",
    "y ~ np.frompyfunc(print, 1, 1)(x)", "y ~ np.vectorize(open)(x)", "y ~ np.apply_along_axis(open, 0, x)",
    "y ~ np.exp(x, x)", "y ~ np.exp(x, out=x)", "y ~ np.exp.__call__(x)", "y ~ np['exp'](x)", "y ~ I(np)",
    "y ~ x.to_csv('FLAG')", "y ~ I(x.to_csv('FLAG'))", "y ~ I(x.to_pickle('FLAG'))", "y ~ y.values",
    "y ~ I(y.values)", "y ~ I(x.pipe(open))", "y ~ I(x.__class__)", "y ~ I(().__class__.__base__)",
    "y ~ I(x.__array__().tofile('FLAG'))", "y ~ I(x.map(lambda v: open('FLAG', 'w')))", "y ~ I('FLAG')",
    "y ~ contr.__init__('FLAG')", "y ~ C(g, contr.__class__)", "y ~ C(g, contr.treatment.__init__)",
    "y ~ C(g, contr.treatment.__globals__['os'].mkdir('FLAG'))", "y ~ C.__globals__['os'].mkdir('FLAG')",
    "y ~ log.__class__(x)", "y ~ I(I)(x)", "y ~ poly.__wrapped__(x)", "y ~ stateful_transform(open)(x)",
    "y ~ I(9**9**9**9)", "y ~ I(x * 9**9**9)", "y ~ I(2**(9**9))", "y ~ I(x * ('a' * 10**9))",
    "y ~ I(x, state=1)", "y ~ I(\\x41)", "y ~ I(x", "y ~ x)", "y ~ 'FLAG'", "y ~ b'x'",
    "y ~ ...", "y ~ I(...)", "y ~ I(1j)", "y ~ `x", "y ~ `x`(`x`)", "y ~ I(`a` := 1)", "y ~ \0", "y ~ I(\0)",
    "y ~ \u202eI(x)", "y ~ ｅval('FLAG')", "y ~ I(ｏpen('FLAG'))", "y ~ @open('FLAG')", "y ~ %x", "y ~ !ls",
    "y ~ $(touch FLAG)", "y ~ x | open('FLAG', 'w')", "[y ~ open('FLAG', 'w')] ~ x",
    "y ~ [open('FLAG', 'w') ~ x]",
    "y ~ I(" + "(" * 5000 + "x" + ")" * 5000 + ")", "y ~ I(" + "-" * 5000 + "x)",
    "y ~ I(" + "9" * 5000 + " * x)",
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_a_formula_runs_no_code(tmp_path, monkeypatch, attack):
    monkeypatch.chdir(tmp_path)
    data = table()
    before = data.copy(deep=True)
    for fit in (complete_pooling, partial_pooling):
        with pytest.raises(ValueError, match=r"formula|no column|not finite|write the groups") as caught:
            fit(attack.replace("FLAG", "flag"), data, "g")
        assert "flag" in str(caught.value) or "FLAG" not in attack, "it must say what it refuses"
    assert list(tmp_path.iterdir()) == []
    pd.testing.assert_frame_equal(data, before)


def test_what_a_formula_may_say_is_evaluated():
    data = table(k=list("pqr") * 8)
    for formula in (
        "y ~ np.exp(x)", "y ~ I(x**2)", "y ~ C(k, contr.treatment(base='q'))", "y ~ C(k, contr.sum)",
        "y ~ poly(x, 2)",
        "y ~ I(x > 0)", "y ~ Q('x')", "y ~ x*z", "y ~ scale(x) + center(z)", "y ~ bs(x, df=4)", "y ~ k:x",
        "exp(y) ~ x",
    ):  # fmt: skip
        assert np.isfinite(partial_pooling(formula, data, "g").bse).all(), formula


# ---- the other public functions ------------------------------------------------------------------


def asked(call, alpha):
    if call == "compare":
        return compare("y ~ 1", table(), "g", alpha=alpha)
    return getattr(partial_pooling("y ~ 1", table(), "g"), call)(alpha)


each_interval = pytest.mark.parametrize("call", ["conf_int", "profile_int", "icc_int", "compare"])


@each_interval
@pytest.mark.parametrize("alpha", [0, 1, -0.1, 1.1, 2, np.nan, np.inf, -np.inf, True, False], ids=repr)
def test_a_level_outside_0_and_1_is_refused(call, alpha):
    with pytest.raises(ValueError, match="alpha must lie between 0 and 1; got"):
        asked(call, alpha)


@each_interval
@pytest.mark.parametrize("alpha", [None, "0.05", [0.05], np.array([0.1, 0.2]), 1j, Decimal("0.05")], ids=repr)
def test_a_level_that_is_no_number_is_refused_by_name(call, alpha):
    with pytest.raises((ValueError, TypeError), match="alpha"):
        asked(call, alpha)


@pytest.mark.parametrize("word", [None, 1, "", ["residual"], "Residual", "CR9"], ids=repr)
def test_a_method_that_is_none_is_refused_with_those_there_are(word):
    with pytest.raises(ValueError, match='"residual", "satterthwaite" or "kenward-roger"; got'):
        partial_pooling("y ~ x", table(), "g").with_df(word)
    with pytest.raises(ValueError, match='"CR0", "CR1", "CR1S", "CR2" or "CR3"; got'):
        complete_pooling("y ~ x", table(), "g").cluster_robust(word)


def levels(*columns):
    values = {"u": [1.0, 2.0, 3.0, 5.0], "v": [1.0, -2.0, 4.0, 5.0], "w": [0.0, 0.0, 4.0, 1.0]}
    return table(**{name: of_four(values[name]).astype(float) for name in columns})


COMPARED = {
    "no groups": ("y ~ x", table(), None, TypeError, "compare needs groups"),
    "no constant": ("y ~ x - 1", table(), "g", ValueError, "'y ~ x - 1' has no constant"),
    "terms that leave nothing": ("y ~ u + v + w", levels(*"uvw"), "g", ValueError, "Intercept, u, v, w"),
    "groups of one": ("y ~ 1", table(g=range(24)), "g", ValueError, "every g has one row only"),
    "an unknown column": ("y ~ q", table(), "g", ValueError, "no column 'q'"),
}


@pytest.mark.parametrize(("formula", "data", "groups", "error", "told"), COMPARED.values(), ids=COMPARED)
def test_what_cannot_be_compared_is_refused(formula, data, groups, error, told):
    with pytest.raises(error, match=re.escape(told)):
        compare(formula, data, groups)


@pytest.mark.parametrize("formula", ["y ~ u", "y ~ u + v", "y ~ x + u", "y ~ 1"])
def test_terms_of_the_groups_are_compared_where_they_can_be(formula):
    found = compare(formula, levels("u", "v"), "g")
    assert np.isfinite(found.drop(columns=["method", "estimand"]).to_numpy(dtype=float)).all()
    slopes = found.loc[found["method"] == "no pooling", "estimand"].str.startswith("slope")
    assert slopes.sum() == ("x" in formula)


Y = np.arange(24.0).reshape(2, 3, 4) % 7
MEANS, SIZES, WITHIN = Y[:, :, 0], [2, 3, 4], [1.0, 2.0]
BATCHES = {
    "two dimensions": (fit_balanced_batch, (Y[0],), "shape"),
    "one group": (fit_balanced_batch, (Y[:, :1],), "two groups"),
    "one row a group": (fit_balanced_batch, (Y[:, :, :1],), "two rows"),
    "NaN": (fit_balanced_batch, (np.where(Y == 5, np.nan, Y),), "data set 0"),
    "nothing varies": (fit_balanced_batch, (np.ones((2, 3, 4)),), "data set 0"),
    "ragged lists": (fit_balanced_batch, ([[[1, 2], [3]]],), "inhomogeneous"),
    "text": (fit_balanced_batch, ([[["a"]]],), "'a'"),
    "nothing": (fit_balanced_batch, (None,), "shape"),
    "means of one dimension": (fit_batch, (MEANS[0], SIZES, WITHIN), "shape"),
    "too few sizes": (fit_batch, (MEANS, SIZES[:2], WITHIN), "shape"),
    "too few sums": (fit_batch, (MEANS, SIZES, WITHIN[:1]), "shape"),
    "a negative sum": (fit_batch, (MEANS, SIZES, [1.0, -1.0]), "data set 1"),
    "a sum of zero": (fit_batch, (MEANS, SIZES, [1.0, 0.0]), "data set 1"),
    "a sum of zero, balanced": (fit_batch, (MEANS, [3, 3, 3], [0.0, 1.0]), "data set 0"),
    "a mean that is NaN": (fit_batch, (MEANS * np.nan, SIZES, WITHIN), "data set 0"),
    "a size of zero": (fit_batch, (MEANS, [0, 3, 4], WITHIN), "sizes must be 1 or more"),
    "a negative size": (fit_batch, (MEANS, [-1, 3, 4], WITHIN), "sizes must be 1 or more"),
    "a size that is NaN": (fit_batch, (MEANS, [np.nan, 3, 4], WITHIN), "sizes must be 1 or more"),
    "all sizes one": (fit_batch, (MEANS, [1, 1, 1], WITHIN), "not all 1"),
    "an infinite value": (fit_balanced_batch, (np.where(Y == 5, np.inf, Y),), "data set 0"),
    "values too large to be squared": (fit_balanced_batch, (Y * 1e200,), "data set 0"),
    "complex numbers": (fit_balanced_batch, (Y * 1j,), "complex"),
    "means too large to be squared": (fit_batch, (MEANS * 1e200, SIZES, WITHIN), "data set 0"),
    "complex means": (fit_batch, (MEANS * 1j, SIZES, WITHIN), "complex"),
    "sizes that are not whole": (fit_batch, (MEANS, [2.5, 3, 4], WITHIN), "sizes"),
    "no data sets": (fit_batch, (MEANS[:0], SIZES, WITHIN[:0]), "no data sets"),
    "masked values": (fit_balanced_batch, (np.ma.masked_equal(Y, 5),), "masked"),
    "one group only": (fit_batch, (MEANS[:, :1], [2], WITHIN), "two or more"),
}


@pytest.mark.parametrize(("fit", "arguments", "told"), BATCHES.values(), ids=BATCHES)
def test_bad_batches_are_refused(fit, arguments, told):
    with pytest.raises((ValueError, TypeError), match=told):
        fit(*arguments)


@pytest.mark.parametrize("make", [np.ndarray.tolist, lambda a: a.astype(int), lambda a: a.astype("float32")])
def test_batches_take_lists_and_whole_numbers(make):
    for one, other in zip(fit_balanced_batch(make(Y)), fit_balanced_batch(Y), strict=True):
        assert one.tolist() == other.tolist()
    ours, theirs = fit_batch(make(MEANS), SIZES, make(np.array(WITHIN))), fit_batch(MEANS, SIZES, WITHIN)
    assert ours.se.tolist() == theirs.se.tolist()


# ---- anything at all -----------------------------------------------------------------------------

numbers = st.one_of(st.integers(-3, 3), st.floats(-10, 10), st.none(), st.booleans())
values = st.one_of(
    numbers, st.sampled_from(["a", "", "1", (1, 2), np.nan, np.inf, -0.0, 2**60, 1e200, 1e-200]),
    st.decimals(-9, 9, places=2), st.dates(dt.date(2020, 1, 1), dt.date(2020, 1, 9)),
)  # fmt: skip
TYPES = ["object", "float64", "Int64", "string", "boolean", "category", "float16", "double[pyarrow]"]
pieces = st.sampled_from([
    "x", "z", "`a b`", "C(x)", "I(x**2)", "x:z", "log(x)", "np.exp(x)", "1", "0", "-1", "(x + z)",
    "q", "x.real", "open('f')", "Q('x')", "center(z)", "I(x > 0)", "C(z, contr.sum)", "9", "~", "``", "x*z",
    "poly(x, 2)", "y",
])  # fmt: skip


@st.composite
def columns(draw, rows):
    raw = pd.Series(
        draw(st.lists(draw(st.sampled_from([numbers, values])), min_size=rows, max_size=rows)), dtype=object
    )
    try:
        return raw.astype(draw(st.sampled_from(TYPES)))
    except (ValueError, TypeError, OverflowError, Warning, pa.ArrowException):
        return raw


@st.composite
def tables(draw):
    rows = draw(st.integers(1, 16))
    numeric = st.lists(st.integers(-9, 9), min_size=rows, max_size=rows)
    few = st.lists(st.integers(0, 2), min_size=rows, max_size=rows)
    odd = draw(st.sampled_from(["y", "x", "g", "all"]))  # where all is odd, nearly all is refused
    y, x, g = (
        draw(columns(rows) if odd in (name, "all") else few if name == "g" else numeric) for name in "yxg"
    )
    return pd.DataFrame({"y": y, "g": g, "x": x, "z": draw(numeric), "a b": draw(numeric)})


@given(
    data=tables(),
    terms=st.lists(pieces, min_size=1, max_size=3),
    missing=st.sampled_from(["raise", "drop"]),
    fit=st.sampled_from([*ALL, summarise]),
)
def test_any_table_and_formula_give_finite_numbers_or_a_reason(data, terms, missing, fit):
    formula = f"y ~ {' + '.join(terms)}"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            arguments = (data, formula) if fit is summarise else (formula, data)
            found = fit(*arguments, "g", missing=missing)
        except (ValueError, TypeError) as error:
            told = str(error)
            named = [repr(formula), *map(repr, [*data.columns, *terms])]
            counted = re.search(r"term .|\d+ (rows|groups)|any g|every g", told)
            assert counted or any(name in told for name in named), told
        else:
            if isinstance(found, GroupSummary):
                parts = [found.means, found.within, found.products]
            else:
                parts = [found.params, found.bse, [found.theta]]
            assert all(np.isfinite(part).all() for part in parts)
