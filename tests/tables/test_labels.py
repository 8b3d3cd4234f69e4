"""Every row is in its own group, whatever holds the table, whatever the labels are, and no gap is a label."""

import datetime as dt
import io
import warnings
from collections import Counter
from decimal import Decimal
from itertools import product
from pathlib import Path
from statistics import fmean

import dask
import dask.dataframe as dd
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers import partial_pooling
from helpers.__main__ import main
from helpers.report import report
from helpers.tables import summarise


@pytest.fixture(autouse=True)
def _quiet_and_in_one_thread():
    with warnings.catch_warnings(), dask.config.set(scheduler="synchronous"):
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Dask support is moving", FutureWarning)
        yield


# ---- any table: frame library x label type x gaps x what is done with them ------------------------

N = 30
PLACES = [0, 1, 2, 3, 0, 1, 0, 2, 3, 1, 1, 1, 3, 0, 2, 2, 2, 2, 0, 3, 1, 0, 2, 1, 1, 3, 0, 2, 1, 1]
OUTCOME = np.random.default_rng(12).normal(size=N).round(3).tolist()
NUMBERS = np.random.default_rng(13).normal(size=N).round(3).tolist()
NAIVE = dt.datetime(2026, 3, 1, 12)
KINDS = {  # the labels, and their type in Arrow
    "whole": ([1, 2, 10, 300], pa.int64()),
    "small whole": ([-3, 0, 1, 2], pa.int8()),
    "large": ([2**60 + k for k in range(4)], pa.int64()),
    "larger": ([2**64 - 4 + k for k in range(4)], pa.uint64()),
    "fraction": ([-0.5, 0.25, 1.0, 1e9], pa.float64()),
    "text": (["", "1", "01", "a"], pa.string()),
    "large text": (["z", "y", "01", "1"], pa.large_string()),
    "truth": ([False, True, False, True], pa.bool_()),
    "date": ([dt.date(2026, 1, k) for k in (1, 2, 10, 11)], pa.date32()),
    "time": ([NAIVE + dt.timedelta(hours=k) for k in range(4)], pa.timestamp("us")),
    "decimal": ([Decimal("0.10"), Decimal("0.11"), Decimal("1.00"), Decimal("10.00")], pa.decimal128(20, 2)),
    "dictionary": (["c", "b", "d", "a"], pa.dictionary(pa.int8(), pa.string())),
    "dictionary in order": (["low", "mid", "high", "top"], pa.dictionary(pa.int8(), pa.string(), True)),
    "dictionary of numbers": ([3, 2, 10, 1], pa.dictionary(pa.int32(), pa.int64())),
    "dictionary of fractions": ([1.5, 2.5, -1.0, 0.25], pa.dictionary(pa.int32(), pa.float64())),
}  # fmt: skip
GAPS = {"whole": [], "one gap": [5], "gaps": [0, 1, 2, 3, 12, 13, 14, 29]}
NULLABLE = {
    pa.int64(): pd.Int64Dtype(), pa.int8(): pd.Int8Dtype(), pa.uint64(): pd.UInt64Dtype(),
    pa.float64(): pd.Float64Dtype(), pa.bool_(): pd.BooleanDtype(), pa.string(): pd.StringDtype(),
}  # fmt: skip


def in_pandas(table):
    return table.to_pandas(integer_object_nulls=True)


def in_chunks(table):
    """Three pieces, each with a dictionary of its own."""
    whole = []
    for start in (0, 11, 22):
        piece = table.slice(start, 11).combine_chunks()
        for k, field in enumerate(table.schema):
            if pa.types.is_dictionary(field.type) and not field.type.ordered:
                values = pa.array(piece[k].to_pylist(), field.type.value_type)
                piece = piece.set_column(k, field.name, values.dictionary_encode().cast(field.type))
        whole.append(piece)
    return pa.concat_tables(whole)


def in_duckdb(table):
    connection, names = duckdb.connect(), []
    plain = table
    for k, field in enumerate(table.schema):
        name = f'"{field.name}"'
        if pa.types.is_dictionary(field.type):
            values = field.type.value_type
            plain = plain.set_column(k, field.name, pa.array(table[k].to_pylist(), values))
            if values == pa.string():
                levels = ", ".join(repr(v) for v in dict.fromkeys(table[k].to_pylist()) if v is not None)
                name = f"{name}::enum({levels}) as {name}"
        names.append(name)
    connection.register("plain", plain)
    return connection.sql(f"select {', '.join(names)} from plain")


def in_parquet(table):
    file = io.BytesIO()
    pq.write_table(table, file)
    file.seek(0)
    return file


FRAMES = {
    "pandas": in_pandas,
    "pandas, objects": lambda t: in_pandas(t).astype({"g": object}),
    "pandas, nullable": lambda t: t.to_pandas(types_mapper=NULLABLE.get),
    "pandas on Arrow": lambda t: t.to_pandas(types_mapper=pd.ArrowDtype),
    "polars": pl.from_arrow,
    "polars, lazy": lambda t: pl.from_arrow(t).lazy(),
    "Arrow": lambda t: t,
    "Arrow in chunks": in_chunks,
    "Parquet by Arrow": lambda t: pq.read_table(in_parquet(t)),
    "Parquet by pandas": lambda t: pd.read_parquet(in_parquet(t), dtype_backend="pyarrow"),
    "DuckDB": in_duckdb,
    "Dask": lambda t: dd.from_pandas(t.to_pandas(types_mapper=NULLABLE.get), npartitions=3),
}
MATRIX = [(f, k, g, m) for f, k, g, m in product(FRAMES, KINDS, GAPS, ["raise", "drop"])]


def arrow(kind, gaps):
    """A table in Arrow, and its labels as Python has them."""
    labels, dtype = KINDS[kind]
    column = [None if row in gaps else labels[place] for row, place in enumerate(PLACES)]
    return pa.table({"g": encoded(column, dtype), "y": OUTCOME}), column


def encoded(values, dtype):
    if not pa.types.is_dictionary(dtype):
        return pa.array(values, dtype)
    known = list(dict.fromkeys(value for value in values if value is not None))
    codes = [None if value is None else known.index(value) for value in values]
    return pa.DictionaryArray.from_arrays(
        pa.array(codes, dtype.index_type), pa.array(known, dtype.value_type), ordered=dtype.ordered
    )


def as_python(label, like):
    """A label as the type that it was given as."""
    if isinstance(like, dt.date):
        label = pd.Timestamp(label).to_pydatetime()
        return label if isinstance(like, dt.datetime) else label.date()
    if isinstance(like, Decimal):
        return Decimal(label)  # Dask makes text of objects
    return label.item() if isinstance(label, np.generic) else label


@pytest.mark.parametrize(("frame", "kind", "gaps", "missing"), MATRIX, ids=lambda value: str(value))
def test_groups_are_those_that_python_counts(frame, kind, gaps, missing):
    table, labels = arrow(kind, GAPS[gaps])
    data = FRAMES[frame](table)
    if GAPS[gaps] and missing == "raise":
        with pytest.raises(ValueError, match=f"column 'g' lacks {len(GAPS[gaps])} of {N} values"):
            summarise(data, "y ~ 1", "g", missing)
        return
    found = summarise(data, "y ~ 1", "g", missing)
    kept = [(label, y) for label, y in zip(labels, OUTCOME, strict=True) if label is not None]
    like = kept[0][0]
    sizes = {as_python(g, like): int(n) for g, n in zip(found.labels, found.sizes, strict=True)}
    assert sizes == Counter(label for label, _ in kept)
    assert (found.nobs, found.dropped) == (len(kept), N - len(kept))
    for label, mean in zip(found.labels, found.means[:, -1] + found.shift[-1], strict=True):
        own = [y for other, y in kept if other == as_python(label, like)]
        assert mean == pytest.approx(fmean(own), abs=1e-12)


def test_the_matrix_is_as_large_as_it_says():
    assert len(MATRIX) == len(FRAMES) * len(KINDS) * len(GAPS) * 2 == 1080


HOLDERS = [frame for frame in FRAMES if frame != "Dask"]  # where a term of text is no column of numbers


@pytest.mark.parametrize("frame", HOLDERS)
@pytest.mark.parametrize("column", ["y", "x", "k"])
@pytest.mark.parametrize("missing", ["raise", "drop"])
def test_a_gap_in_an_outcome_or_predictor_that_is_a_dictionary_is_none_of_its_values(frame, column, missing):
    kinds = [["p", "q", "r"][place % 3] for place in PLACES]
    columns = {"y": OUTCOME, "x": NUMBERS, "k": kinds}
    whole = pd.DataFrame({"g": [str(place) for place in PLACES], **columns})
    gaps = [4, 17, 29]
    columns[column] = [None if row in gaps else value for row, value in enumerate(columns[column])]
    stored = {"k": pa.dictionary(pa.int8(), pa.string())}
    if frame != "pandas":  # whose categories of numbers are kinds, not numbers
        stored |= {name: pa.dictionary(pa.int32(), pa.float64()) for name in "yx"}
    types = {name: stored.get(name, pa.float64()) for name in "yxk"}
    data = FRAMES[frame.split(",")[0] if frame == "pandas, objects" else frame](
        pa.table({"g": whole["g"].tolist(), **{name: encoded(columns[name], types[name]) for name in "yxk"}})
        if frame not in ("pandas", "pandas, objects", "pandas, nullable")
        else pa.table(
            {
                "g": whole["g"].tolist(),
                **{n: encoded(columns[n], stored["k"] if n == "k" else pa.float64()) for n in "yxk"},
            }
        )
    )
    if missing == "raise":
        with pytest.raises(ValueError, match=f"column '{column}' lacks 3 of {N} values"):
            partial_pooling("y ~ x + k", data, "g")
        return
    found = partial_pooling("y ~ x + k", data, "g", missing="drop")
    clean = partial_pooling("y ~ x + k", whole.drop(index=gaps), "g")
    assert (found.nobs, found.data.dropped, found.data.terms) == (N - 3, 3, clean.data.terms)
    np.testing.assert_allclose(found.bse, clean.bse, rtol=1e-9)


def test_the_example_of_nine_rows():
    data = pd.DataFrame({"g": pd.Categorical([*"aaabbbccc", None]), "y": [1.0, 2, 3, 4, 5, 7, 9, 8, 7, 100]})
    for table in (data, pa.Table.from_pandas(data), pl.from_pandas(data).to_arrow()):
        found = partial_pooling("y ~ 1", table, groups="g", missing="drop")
        assert found.nobs == 9
        # balanced: the standard deviation of the three means over the root of three
        expected = np.std([2, 16 / 3, 8], ddof=1) / np.sqrt(3)
        assert found.bse.iloc[0] == pytest.approx(expected, rel=1e-12)
        assert found.bse.iloc[0] == pytest.approx(1.735611039090377, rel=1e-12)
        with pytest.raises(ValueError, match="column 'g' lacks 1 of 10 values"):
            partial_pooling("y ~ 1", table, groups="g")


NOTHING = {"None": None, "NaN": np.nan, "NA": pd.NA, "NaT": pd.NaT, "decimal NaN": Decimal("NaN")}


@pytest.mark.parametrize("nothing", NOTHING.values(), ids=NOTHING)
@pytest.mark.parametrize(
    "labels", [["a", "b", ""], [1, 2, 3], [1.5, "a", (1, 2)], [True, "x", dt.date(2026, 1, 1)]]
)
def test_whatever_stands_for_nothing_is_no_label(labels, nothing):
    column = pd.Series([None] * 12, dtype=object)
    for row in range(12):
        column.iloc[[row]] = [labels[row % 3] if row != 7 else nothing]
    data = pd.DataFrame({"g": column, "y": OUTCOME[:12]})
    with pytest.raises(ValueError, match="column 'g' lacks 1 of 12 values, the first in row 7"):
        summarise(data, "y ~ 1", "g")
    found = summarise(data, "y ~ 1", "g", "drop")
    assert dict(zip(found.labels, found.sizes, strict=True)) == {labels[0]: 4, labels[1]: 3, labels[2]: 4}


@pytest.mark.parametrize(
    "make", [pl.DataFrame, lambda d: pl.DataFrame(d).to_arrow(), lambda d: pl.DataFrame(d).lazy()]
)
def test_a_label_that_is_nan_is_as_missing_as_one_that_is_null(make):
    data = make({"g": [1.5, 2.5, None, float("nan")] * 4, "y": OUTCOME[:16]})
    with pytest.raises(ValueError, match="column 'g' lacks 8 of 16 values, the first in row 2"):
        summarise(data, "y ~ 1", "g")
    assert summarise(data, "y ~ 1", "g", "drop").sizes.tolist() == [4, 4]


# ---- files: a label is the text that stands there -------------------------------------------------

CASES = Path(__file__).parents[1] / "cases"
LONG = ["12345678901234567", "12345678901234568", "12345678901234569", "9007199254740993"]
WRITINGS = {
    "points": ["1.1", "1.2", "1.10", "1.20"],
    "zeros before": ["01", "1", "02", "2", "10"],
    "zeros before, and no others": ["001", "002", "010", "100"],
    "zeros after": ["1.10", "2.10", "3.00"],
    "powers": ["1E1", "10", "1e1", "2E0"],
    "powers, and no others": ["1E1", "2E1", "1E2"],
    "truth": ["TRUE", "true", "False", "FALSE"],
    "truth, and no others": ["TRUE", "FALSE"],
    "long": LONG,
    "longer": ["123456789012345678901234", "0123456789012345678901234", "123456789012345678901235"],
    "signs": ["+1", "1", "-0", "0"],
    "blanks after numbers": ["1", "1 ", "2"],
    "blanks after text": ["a", "a ", "b", " b"],
    "without end": ["inf", "Infinity", "1"],
    "plain": ["1", "2", "10", "3"],
    "fractions": ["0.5", "1.5", "10.5"],
    "text": ["b", "a", "1", "01"],
}


def file_of(tmp_path, labels, gap):
    """A file of four rows a label in an uneven order, and its labels."""
    column = [label for k, label in enumerate(labels) for _ in range(3 + k)]
    column = [column[k] for k in np.random.default_rng(1).permutation(len(column))]
    if gap:
        column.insert(4, "")
    path = tmp_path / "data.csv"
    rows = [f"{label},{y}" for label, y in zip(column, OUTCOME, strict=False)]
    path.write_text("\n".join(["g,y", *rows]) + "\n", encoding="utf-8")
    return path, [label for label in column if label]


@pytest.mark.parametrize("gap", [False, True], ids=["whole", "with a blank"])
@pytest.mark.parametrize("labels", WRITINGS.values(), ids=WRITINGS)
def test_a_label_is_text_from_the_file_to_the_page(tmp_path, labels, gap):
    path, column = file_of(tmp_path, labels, gap)
    data = report.read_table(path)
    if gap:
        with pytest.raises(ValueError, match="column 'g' lacks 1 of"):
            report.describe(data, "y", "g")
    counted = Counter(column)
    for one in labels:
        found = report.describe(data, "y", "g", missing="drop", one=one)
        names = [str(label) for label in found.fit.data.labels]
        assert dict(zip(names, found.fit.data.sizes, strict=True)) == counted
        assert names[found.one] == one
    code = {"partial_pooling": partial_pooling, "data": data}
    assert eval(found.code[0], code).ngroups == len(labels)


def test_groups_in_figures_are_in_order_of_their_numbers(tmp_path):
    for labels, order in (
        (["10", "2", "1"], ["1", "2", "10"]),
        (["10", "02", "2", "1"], ["1", "02", "2", "10"]),
        (["1.20", "1.10", "1.1", "0.5"], ["0.5", "1.1", "1.10", "1.20"]),
    ):
        found = report.describe(report.read_table(file_of(tmp_path, labels, False)[0]), "y", "g")
        assert [str(label) for label in found.fit.data.labels] == order


def test_numbers_that_are_written_in_two_ways_are_numbers_as_outcome_and_predictor(tmp_path):
    path = tmp_path / "data.csv"
    y = ["1.1", "1.10", "2", "2.0", "3.5", "04", "4", "1E1", "10", "7"]
    x = ["TRUE", "true", "False", "FALSE", "true", "false", "TRUE", "true", "FALSE", "false"]
    rows = [f"{g},{a},{b}" for g, a, b in zip("abcabcabca", y, x, strict=True)]
    path.write_text("\n".join(["g,y,x", *rows]), encoding="utf-8")
    plain = pd.DataFrame({"g": list("abcabcabca"), "y": map(float, y), "x": [t.lower() == "true" for t in x]})
    found = report.describe(report.read_table(path), "y", "g", ["x"])
    expected = report.describe(plain, "y", "g", ["x"])
    pd.testing.assert_frame_equal(found.table, expected.table)
    fit = partial_pooling("y ~ C(x)", report.read_table(path), "g")  # as labels they stay five
    assert len(fit.data.terms) == 5


def test_columns_whose_numbers_show_what_was_written_are_left_as_they_are(tmp_path):
    data = report.read_table(file_of(tmp_path, WRITINGS["zeros after"], False)[0])
    assert data["g"].dtype == float
    assert data["g"].mean() > 0
    data.to_parquet(tmp_path / "data.parquet")  # what attrs hold can be written
    assert "y" not in report.read_table(file_of(tmp_path, ["1", "2"], False)[0]).attrs.get("written", {})


def test_names_alike_in_figures_are_told(tmp_path):
    found = report.describe(report.read_table(CASES / "leading_zero.csv"), "y", "site")
    told = [warning for warning in found.warnings if warning.startswith("Names alike")]
    assert told[0].startswith("Names alike: '01' and '1' are 2 groups of site.")
    ids = report.describe(report.read_table(file_of(tmp_path, LONG, True)[0]), "y", "g", missing="drop")
    assert not any(warning.startswith("Names alike") for warning in ids.warnings)


def test_classes_with_points_are_four():
    rows = {"1.1": "3.1 2.9 3.4", "1.2": "7.0 7.3 6.6", "1.10": "5.2 4.9 5.5", "1.20": "9.1 8.8 9.6"}
    path = CASES / "classes_with_points.csv"
    found = report.describe(report.read_table(path), "score", "class")
    means = [fmean(map(float, values.split())) for values in rows.values()]
    assert found.fit.bse.iloc[0] == pytest.approx(np.std(means, ddof=1) / 2, rel=1e-12)
    assert found.fit.bse.iloc[0] == pytest.approx(1.283405481377429, rel=1e-12)
    assert found.fit.df.iloc[0] == pytest.approx(3)


def test_sites_with_a_leading_zero_by_command_and_function(tmp_path, capsys):
    # lme4: 6 groups, psi 3.8517, theta 1.0784
    found = report.describe(report.read_table(CASES / "leading_zero.csv"), "y", "site", one="01")
    assert found.fit.ngroups == 6
    np.testing.assert_allclose([found.fit.psi, found.fit.theta], [3.8517, 1.0784], atol=5e-5)
    asked = ["report", str(CASES / "leading_zero.csv"), "--outcome", "y", "--group", "site", "--one", "01"]
    page = tmp_path / "page.html"
    assert main([*asked, "--output", str(page)]) == 0
    assert "36 rows in 6 groups of site" in " ".join(capsys.readouterr().out.split())
    assert "mean of site 01 known (6 rows" in page.read_text(encoding="utf-8")
    assert main([*asked[:-1], "001", "--output", str(page)]) == 2
    assert "no group '001' in 'site', which has 6; did you mean '01'" in capsys.readouterr().err


def test_wards_with_missing_marks_are_eight_groups():
    data = report.read_table(CASES / "missing_dot.csv")
    scores = pd.to_numeric(data["score"], errors="coerce")  # a point is no mark of read_table's yet
    found = summarise(data.assign(score=scores), "score ~ 1", "ward", "drop")
    assert (found.labels.tolist(), found.sizes.tolist()) == (list("ABCDEFGH"), [5, 6, 6, 5, 6, 6, 6, 6])
