"""A table that stays in its engine gives the one-machine answer, on a cluster too, with workers killed."""

import logging
import os
import shutil
import signal
import threading
import time
import warnings

import dask
import dask.dataframe as dd
import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest
from distributed import Client, LocalCluster

from helpers import complete_pooling, no_pooling, partial_pooling
from helpers.tables import summarise

FITS = (complete_pooling, no_pooling, partial_pooling)
PARTS = 5


@pytest.fixture(autouse=True)
def _quiet_and_here():
    """No warning, and Dask's answers from this process but where a test asks for the cluster."""
    with warnings.catch_warnings(), dask.config.set(scheduler="synchronous"):
        warnings.simplefilter("error")
        yield


@pytest.fixture
def brought(monkeypatch):
    """How many rows came back, each time that an engine was asked."""
    rows, collect = [], nw.LazyFrame.collect

    def counted(self, *args, **kwargs):
        found = collect(self, *args, **kwargs)
        rows.append(len(found))
        return found

    monkeypatch.setattr(nw.LazyFrame, "collect", counted)
    return rows


def part(k, rows, groups):
    """Partition k: groups of very different sizes; predictors within them (x), of them (z), and both (u)."""
    rng = np.random.default_rng(k)
    g = np.minimum(rng.exponential(groups / 5, rows).astype(int), groups - 1)
    x, u, error = rng.normal(size=(3, rows))
    return pd.DataFrame(
        {"g": g, "x": x, "u": u + g % 3, "z": np.sin(g), "y": 100 + np.cos(g) + x / 2 + error}
    )


def whole(rows, groups):
    return pd.concat([part(k, rows, groups) for k in range(PARTS)], ignore_index=True)


def parts(rows, groups, make=part, **how):
    """The same rows, made by whoever is asked for them."""
    return dd.from_map(make, range(PARTS), rows=rows, groups=groups, meta=part(0, 2, groups), **how)


def raw(summary):
    """Means and cross-products, shift and slopes put back, in units of the SDs."""
    back = np.eye(len(summary.terms) + 1)
    back[-1, :-1] = summary.slopes
    sd = np.sqrt(np.diag(back @ summary.about_centre() @ back.T) / summary.nobs)
    unit = np.outer(sd, sd)
    within = back @ summary.within @ back.T / unit / summary.nobs
    products = summary.products.copy()
    products[..., -1] += products[..., :-1] @ summary.slopes[summary.varying]
    products /= unit[np.ix_(summary.varying, [*summary.varying, -1])] * summary.sizes[:, None, None]
    return (summary.means @ back.T + summary.shift) / sd, within, products


def fits(summary):
    """Those that the model has: no pooling has none without a constant or of a term that is the groups'."""
    if summary.group is None:
        return [complete_pooling]
    return FITS[::2] if summary.intercept is None or "z" in summary.terms else FITS


def same(one, other, digits=1e-12):
    """Two summaries of one table, and the fits to them, to the digits."""
    for name in ("formula", "outcome", "group", "terms", "intercept", "nobs", "ngroups", "dropped"):
        assert getattr(one, name) == getattr(other, name), name
    assert one.labels.tolist() == other.labels.tolist()
    assert one.labels.name == other.labels.name
    assert one.sizes.tolist() == other.sizes.tolist()
    for mine, theirs in zip(raw(one), raw(other), strict=True):
        np.testing.assert_allclose(theirs, mine, rtol=digits, atol=digits)
    for fit in fits(one):
        mine, theirs = fit(None, one), fit(None, other)
        np.testing.assert_allclose(theirs.params, mine.params, rtol=digits, atol=digits * mine.bse.max())
        np.testing.assert_allclose(theirs.bse, mine.bse, rtol=digits)
        assert theirs.theta == pytest.approx(mine.theta, rel=digits)
        if mine.pooling == "partial":
            assert theirs.psi == pytest.approx(mine.psi, rel=digits)


# ---- a cluster -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def _client(tmp_path_factory):
    """Two workers, each a process of its own, and a nanny that starts another where one dies."""
    folder = tmp_path_factory.mktemp("workers")
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0",
            local_directory=folder, silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):  # fmt: skip
        yield client


@pytest.fixture
def cluster(_client):
    """The cluster asked, for two minutes at most; it may warn of what the tests do to it."""

    def give_up(*_):
        raise TimeoutError("the cluster does not answer")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(120)
    warnings.simplefilter("default")
    with dask.config.set(scheduler="distributed"), _client.as_current():
        _client.wait_for_workers(2)
        yield _client
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("formula", ["y ~ 1", "y ~ 1 + z + x"])
def test_a_million_rows_on_a_cluster_give_the_one_machine_answer(cluster, brought, formula):
    rows, groups = 200_000, 3000
    found = summarise(parts(rows, groups), formula, "g")
    again = [found.ngroups] * ("z" in formula)
    assert brought == again, "no row of the one pass is fetched; a second where a column is the groups'"
    same(summarise(whole(rows, groups), formula, "g"), found)


def waiting(k, rows, groups, folder, killed):
    """As `part`; but who is asked for partition 3 for one of the times ``killed`` waits to be killed."""
    if k == 3:
        times = len(list(folder.iterdir()))
        (folder / "new").write_text(str(os.getpid()))
        (folder / "new").rename(folder / str(times))
        if times in killed:
            time.sleep(600)
    return part(k, rows, groups)


def kill(folder, killed):
    """Kill -9 each who waits for it."""
    for times in killed:
        sign = folder / str(times)
        while not sign.exists():
            time.sleep(0.01)
        os.kill(int(sign.read_text()), signal.SIGKILL)


def test_a_worker_killed_halfway_through_the_group_by_changes_nothing(cluster, tmp_path):
    killed = (0,)
    killer = threading.Thread(target=kill, args=[tmp_path, killed], daemon=True)
    killer.start()
    found = summarise(parts(4000, 60, waiting, folder=tmp_path, killed=killed), "y ~ x", "g")
    killer.join()
    asked = [int((tmp_path / str(times)).read_text()) for times in range(len(list(tmp_path.iterdir())))]
    assert len(asked) == 2, "partition 3 is made for the one pass, and again for him who was killed"
    for times in killed:
        assert asked[times] not in asked[times + 1 :]
    same(summarise(whole(4000, 60), "y ~ x", "g"), found)
    cluster.wait_for_workers(2)
    assert not set(asked[::2]) & set(cluster.run(os.getpid).values())


# ---- any engine ----------------------------------------------------------------------------------


def in_dask(data):
    return dd.from_pandas(data, npartitions=3, sort=False)


def in_duckdb(data):
    connection = duckdb.connect()
    connection.register("data", data)
    return connection.sql("select * from data")


def came(engine, found, *before, again=0):
    """Rows that come back: a value amid each column, one a group, and again; Dask's first are its own."""
    first = [] if engine is in_dask else [1, found.ngroups]
    return [*before, *first, *[found.ngroups] * again]


ENGINES = {"dask": in_dask, "duckdb": in_duckdb, "polars": lambda data: pl.from_pandas(data).lazy()}
each_engine = pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)


def table(**columns):
    return part(1, 400, 12).assign(**columns)


@each_engine
@pytest.mark.parametrize("formula", ["y ~ 1", "y ~ x", "y ~ x + u", "u ~ y - 1", "y ~ x + one - 1"])
def test_the_rows_stay_where_they_are(engine, brought, formula):
    data = table(one=1.0)
    found = summarise(engine(data), formula, "g")
    assert brought == came(engine, found)
    same(summarise(data, formula, "g"), found)


@each_engine
def test_without_groups_all_rows_are_one_group(engine, brought):
    one, other = summarise(table(), "y ~ x"), summarise(engine(table()), "y ~ x")
    assert brought == came(engine, other)
    same(one, other)


@each_engine
def test_columns_may_have_the_names_that_the_engine_is_given(engine):
    data = table().rename(columns={"y": "x0", "x": "mean x0", "g": "group"})
    same(
        summarise(data, "x0 ~ `mean x0`", "group"),
        summarise(engine(data), "x0 ~ `mean x0`", "group"),
    )


@each_engine
@pytest.mark.parametrize("offset", [1e6, -1e9])
def test_a_large_offset_costs_no_digits(engine, offset):
    far = table().assign(y=lambda d: d["y"] + offset, x=lambda d: d["x"] + offset)
    near = far.assign(y=far["y"] - offset, x=far["x"] - offset)  # exact: the digits that far has left
    one, other = summarise(near, "y ~ x", "g"), summarise(engine(far), "y ~ x", "g")
    np.testing.assert_allclose(other.products, one.products, rtol=1e-11, atol=1e-11)
    for fit in FITS:
        mine, theirs = fit(None, one), fit(None, other)
        assert theirs.theta == pytest.approx(mine.theta, rel=1e-12)
        assert theirs.bse["x"] == pytest.approx(mine.bse["x"], rel=1e-12)
        assert theirs.params["x"] == pytest.approx(mine.params["x"], rel=1e-12)


@each_engine
def test_groups_far_apart_cost_no_digits(engine):
    far = table().assign(y=lambda d: d["y"] + 2.0**30 * d["g"])
    near = far.assign(y=far["y"] - 2.0**30 * far["g"])  # exact
    mine, theirs = no_pooling("y ~ 1", near, "g"), no_pooling("y ~ 1", engine(far), "g")
    assert theirs.theta == pytest.approx(mine.theta, rel=1e-12)
    np.testing.assert_allclose(theirs.bse, mine.bse, rtol=1e-12)


@each_engine
@pytest.mark.parametrize("slope", [1e4, 1e7])
def test_terms_that_explain_nearly_all_are_taken_off_row_by_row(engine, brought, slope):
    data = table(y=table()["y"] + slope * table()["x"])
    one, other = summarise(data, "y ~ x", "g"), summarise(engine(data), "y ~ x", "g")
    assert brought == came(engine, one, again=1), "a second GROUP BY"
    for fit in FITS:
        mine, theirs = fit(None, one), fit(None, other)
        # In y the errors are rounded by what the slope makes of them.
        assert theirs.theta == pytest.approx(mine.theta, rel=1e-16 * slope + 1e-13)
        assert theirs.bse["x"] == pytest.approx(mine.bse["x"], rel=1e-16 * slope + 1e-13)


@each_engine
def test_a_group_of_one_row_is_a_group(engine):
    data = table(g=lambda d: np.where(d.index < 20, d.index + 100, d["g"]))
    same(summarise(data, "y ~ x", "g"), summarise(engine(data), "y ~ x", "g"))


@each_engine
@pytest.mark.parametrize("column", ["y", "x", "g"])
@pytest.mark.parametrize("kind", ["text", "numbers"])
def test_missing_values_are_refused_with_their_number_or_dropped_in_the_engine(engine, brought, column, kind):
    data = table()
    if kind == "text":
        data["g"] = data["g"].map("g{:02d}".format)
    data[column] = data[column].where(~data.index.isin([3, 50, 51]))
    with pytest.raises(
        ValueError, match=f"column '{column}' lacks 3 of 400 values(, the first in row 3)?: fill"
    ):
        summarise(engine(data), "y ~ x", "g")
    brought.clear()
    found = summarise(engine(data), "y ~ x", "g", missing="drop")
    assert (found.dropped, brought) == (3, came(engine, found, 1))
    same(summarise(data, "y ~ x", "g", missing="drop"), found)


@each_engine
def test_nothing_to_drop_is_no_fault(engine):
    same(summarise(table(), "y ~ x", "g"), summarise(engine(table()), "y ~ x", "g", missing="drop"))


def test_categories_keep_their_order():
    data = table(
        g=lambda d: pd.Categorical(d["g"].map("g{:02d}".format), [f"g{k:02d}" for k in range(12, -2, -1)])
    )
    found = summarise(in_dask(data), "y ~ x", "g")
    assert found.labels[0] == "g11"
    same(summarise(data, "y ~ x", "g"), found)
    labels = ", ".join(f"'{label}'" for label in data["g"].cat.categories)
    relation = duckdb.sql(f"select * replace (g::varchar::enum({labels}) as g) from data")
    same(summarise(data, "y ~ x", "g"), summarise(relation, "y ~ x", "g"))


REFUSED = {
    "an infinite value": ({"x": [np.inf] + [1.0] * 399}, "y ~ x", "column 'x' holds an infinite value"),
    "minus infinity": ({"y": [-np.inf] + [1.0] * 399}, "y ~ x", "column 'y' holds an infinite value"),
    "no such column": ({}, "y ~ xx", "no column 'xx' among g, x, u, z, y; did you mean 'x'"),
    "a text outcome": ({"y": "a"}, "y ~ x", "the outcome 'y' is not numeric but"),
    "dates": ({"x": pd.Timestamp("2026-01-01")}, "y ~ x", "column 'x' holds dates or times"),
    "one group": ({"g": 7}, "y ~ x", "column 'g' holds one group only, 7"),
    "a constant outcome": ({"y": 3.25}, "y ~ x", "the terms explain 'y' to the last digit"),
    "a constant outcome that no double holds": ({"y": 1629.1}, "y ~ x", "explain 'y' to the last digit"),
    "a constant predictor": ({"x": 3.25}, "y ~ x", "term 'x' is a linear combination of Intercept"),
    "collinear terms": ({"z": lambda d: 2 * d["x"] - d["u"]}, "y ~ x + u + z", "term 'z' is a linear comb"),
    "whole numbers beyond 2**53": ({"x": lambda d: 2**53 + d["g"]}, "y ~ x", r"'x' holds whole numbers"),
    "too large to be squared": ({"x": lambda d: d["x"] * 1e200}, "y ~ x", "'x' varies by .*change its unit"),
    "too small to be squared": ({"x": lambda d: d["x"] * 1e-200}, "y ~ x", "'x' varies by .*change its unit"),
    "all values missing": ({"x": np.nan}, "y ~ x", "column 'x' lacks 400 of 400 values"),
    "a name taken twice": ({"Intercept": 1.5}, "y ~ Intercept", "two terms are called 'Intercept'"),
}  # fmt: skip


@each_engine
@pytest.mark.parametrize(("columns", "formula", "told"), REFUSED.values(), ids=REFUSED)
def test_bad_input_is_refused_as_on_one_machine(engine, columns, formula, told):
    for data in (table(**columns), engine(table(**columns))):
        with pytest.raises(ValueError, match=told):
            summarise(data, formula, "g")


@each_engine
@pytest.mark.parametrize("missing", ["raise", "drop"])
def test_an_empty_table_is_refused(engine, missing):
    with pytest.raises(ValueError, match="the table has no rows"):
        summarise(engine(table().iloc[:0]), "y ~ x", "g", missing=missing)


@each_engine
def test_a_table_of_which_nothing_is_left_is_refused(engine):
    with pytest.raises(ValueError, match=r"no row is left .* \(400 rows\)"):
        summarise(engine(table(x=np.nan)), "y ~ x", "g", missing="drop")


@each_engine
def test_more_terms_than_rows_are_refused(engine):
    with pytest.raises(ValueError, match="3 rows cannot tell 3 terms apart"):
        summarise(engine(table(g=range(400)).iloc[:3]), "y ~ x + u", "g")


@each_engine
def test_groups_of_one_are_refused(engine):
    with pytest.raises(ValueError, match="every g has one row only"):
        partial_pooling("y ~ x", engine(table(g=range(400))), "g")


@each_engine
@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        (("y ~ x", 3), TypeError, "groups must be the name of a column; got 3"),
        ((None, "g"), TypeError, "formula must be a string"),
        (("y ~ x", "g", "ignore"), ValueError, 'missing must be "raise" or "drop"'),
    ],
)
def test_words_of_the_wrong_kind_are_refused(engine, arguments, error, told):
    with pytest.raises(error, match=told):
        summarise(engine(table()), *arguments)


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        ("y ~ np.exp(x)", "needs functions or products, but the table stays in dask: make a numeric column"),
        ("y ~ x:u", "needs functions or products"),
        ("y ~ kind", "needs 'kind' as numbers, but the table stays in dask"),
        ("y ~ C(kind)", "needs 'kind' as numbers"),
    ],
)
def test_what_takes_more_than_numeric_columns_is_fetched_from_duckdb_only(brought, formula, told):
    data = table(kind=lambda d: np.where(d["x"] > 0, "b", "a"))
    same(summarise(data, formula, "g"), summarise(in_duckdb(data), formula, "g"))
    assert brought == [400]
    with pytest.raises(ValueError, match=told):
        summarise(in_dask(data), formula, "g")
    assert brought == [400]


# ---- Spark, where it is installed ----------------------------------------------------------------


@pytest.fixture(scope="module")
def spark():
    if not shutil.which("java"):
        pytest.skip("Spark runs on Java, and there is none here")
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed: it asks for pandas before 3")
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2",
    }
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        session = sql.SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
        yield session
        session.stop()


@pytest.mark.parametrize("formula", ["y ~ 1", "y ~ x", "y ~ x + u"])
def test_spark_gives_the_one_machine_answer(spark, brought, formula):
    data = table(g=lambda d: d["g"].map("g{:02d}".format))
    frame = spark.createDataFrame(list(data.itertuples(index=False, name=None)), list(data.columns))
    found = summarise(frame, formula, "g")
    assert brought == [1, found.ngroups]
    same(summarise(data, formula, "g"), found)
    with pytest.raises(ValueError, match="the table stays in pyspark"):
        summarise(frame, "y ~ np.exp(x)", "g")
