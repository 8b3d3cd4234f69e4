"""A path is a table: a Parquet file, a folder of them, a glob; by polars, by DuckDB, and refused without."""

import sys

import numpy as np
import pandas as pd
import pytest

from helpers import compare, complete_pooling, no_pooling, partial_pooling, report
from helpers.report.command import main
from helpers.tables import summarise
from helpers.tables.parquet import found, opened

PARTS = 4


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(18)
    school = rng.integers(0, 30, 2000)
    x = rng.normal(size=2000)
    y = 50 + rng.normal(0, 2, 30)[school] + x + rng.normal(0, 3, 2000)
    names = pd.Series(school).map("s{:02d}".format)
    return pd.DataFrame({"y": y, "x": x, "school": names, "class": school * 4 + rng.integers(0, 4, 2000)})


@pytest.fixture(scope="module")
def folder(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    for k in range(PARTS):
        table.iloc[k::PARTS].to_parquet(folder / f"{k}.parquet", index=False)
    (folder / "readme.txt").write_text("no table", encoding="utf-8")
    return folder


@pytest.fixture(params=["polars", "duckdb"])
def engine(request, monkeypatch):
    """With that package only."""
    monkeypatch.setitem(sys.modules, {"polars": "duckdb", "duckdb": "polars"}[request.param], None)
    return request.param


def ways(folder):
    """The same rows by all names that they have."""
    return [folder, str(folder), folder / "*.parquet", f"{folder}/[0-9].parquet"]


def test_a_folder_and_a_glob_are_the_same_files_in_order(folder):
    names = [f"{k}.parquet" for k in range(PARTS)]
    for path in ways(folder):
        assert [one.rsplit("/", 1)[-1] for one in found(path)] == names


@pytest.mark.parametrize("way", range(4))
def test_every_fit_takes_a_path(engine, folder, table, way):
    path = ways(folder)[way]
    assert type(opened(path)).__module__.startswith(("polars", "duckdb", "_duckdb"))
    for fit in (complete_pooling, no_pooling, partial_pooling):
        one, other = fit("y ~ x", table, "school"), fit("y ~ x", path, "school")
        assert other.params["x"] == pytest.approx(one.params["x"], rel=1e-12)
        assert other.bse["x"] == pytest.approx(one.bse["x"], rel=1e-12)
        assert other.theta == pytest.approx(one.theta, rel=1e-12)
    assert other.psi == pytest.approx(one.psi, rel=1e-12)
    assert other.data.labels.tolist() == one.data.labels.tolist()


def test_one_file_is_a_path_too(engine, folder, table):
    one, other = (summarise(data, "y ~ 1", "school") for data in (table[::PARTS], folder / "0.parquet"))
    np.testing.assert_allclose(other.means + other.shift, one.means + one.shift, rtol=1e-12)


def test_slopes_two_groupings_functions_comparison_and_report_take_a_path(engine, folder, table):
    for ask in (
        lambda data: partial_pooling("y ~ x", data, "school", slopes="x").bse,
        lambda data: partial_pooling("y ~ x", data, "school/class").bse,
        lambda data: partial_pooling("y ~ np.exp(x)", data, "class").bse,
        lambda data: complete_pooling("y ~ x", data, ["school", "class"]).bse,
        lambda data: compare("y ~ x", data, "school")["se"],
        lambda data: report.describe(data, "y", "school", "x").table["se"],
    ):
        # The rows of the folder come in another order.
        np.testing.assert_allclose(ask(folder).to_numpy(float), ask(table).to_numpy(float), rtol=1e-9)


@pytest.mark.parametrize("name", ["", "*.parquet"])
def test_the_command_takes_a_folder_or_a_glob(folder, name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["report", str(folder / name), "--outcome", "y", "--group", "school"]) == 0
    (page,) = tmp_path.iterdir()
    assert page.name == f"{folder.name}-report.html"
    assert f"{PARTS} files of Parquet. 2000 rows" in page.read_text(encoding="utf-8")
    assert "2000 rows in 30 groups of school" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "has no Parquet file in it"),
        ("nosuch/*.parquet", "no file is named as '.*nosuch/.*parquet' says, seen from"),
        ("part.parquet", "no file 'part.parquet' in .*; did you mean 'parts.parquet'"),
        ("scores.csv", "'.*scores.csv' is no Parquet file: read it first, with helpers.report.read_table"),
        ("*", "is no Parquet file"),
        ("parts.parquet", "'.*parts.parquet' cannot be read as Parquet: "),
    ],
)
def test_what_is_no_parquet_is_refused(engine, tmp_path, name, told):
    if name:
        (tmp_path / "parts.parquet").write_bytes(b"PAR1 and no more")
        (tmp_path / "scores.csv").write_text("y,g\n1,a\n", encoding="utf-8")
    for path in (tmp_path / name, str(tmp_path / name)):
        with pytest.raises(ValueError, match=told):
            partial_pooling("y ~ 1", path, "g")


def test_without_an_engine_its_name_is_told(folder, monkeypatch):
    for package in ("polars", "duckdb"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ValueError, match=r"which needs polars or DuckDB: install one \(pip install polars\)"):
        partial_pooling("y ~ 1", folder, "school")
