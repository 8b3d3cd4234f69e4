"""The report as a command, and notebook 13: pages in seconds, one line for what is wrong."""

import os
import subprocess
import sys
import time

import jupytext
import numpy as np
import pandas as pd
import pytest
from reported import ASKED, ROOT, file, write_files

from helpers.course.exercises import exercises
from helpers.report import command, report


@pytest.fixture(scope="module")
def files(tmp_path_factory, reference):
    """The five files, by name."""
    return write_files(tmp_path_factory.mktemp("files"), reference("report").whole["files"])


def started(*arguments, cwd):
    """The command in a process of its own, whose output is ASCII and to which a warning is an error."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}
    call = [sys.executable, "-W", "error", "-m", "helpers", "report", *map(str, arguments)]
    return subprocess.run(call, capture_output=True, text=True, cwd=cwd, env=environment)


@pytest.mark.parametrize(
    ("how", "threads"), [(["-m", "helpers", "--help"], "1"), (["-c", "import helpers"], None)]
)
def test_the_command_alone_takes_one_thread_of_blas(how, threads):
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    run = subprocess.run(
        [sys.executable, "-i", *how],  # which hands on to what is asked then
        input="import os; print('threads', os.environ.get('OMP_NUM_THREADS'))",
        capture_output=True, text=True, cwd=ROOT, env=environment | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert run.stdout.splitlines()[-1] == f"threads {threads}"


def processor(run):
    """What a call returns, and the seconds of the processor that the programs it started used."""
    before = os.times()
    result = run()
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return result, used


@pytest.fixture(scope="module")
def of_libraries():
    """Seconds of the processor that importing the libraries takes."""
    names = (
        "IPython.display, formulaic, jinja2, matplotlib.pyplot, narwhals, pandas, scipy.optimize, scipy.stats"
    )
    _, used = processor(lambda: subprocess.run([sys.executable, "-c", f"import {names}"], check=True))
    return used


def asked_of(name, files):
    asked = ASKED[name][0]
    arguments = [files[name], "--outcome", asked["outcome"], "--group", asked["group"]]
    arguments += ["--predictors", *asked["predictors"]] if "predictors" in asked else []
    return [*arguments, *(["--missing", "drop"] if "missing" in asked else [])]


def is_told(name, folder, output):
    page = (folder / f"{name}-report.html").read_text(encoding="utf-8")
    for lead in ASKED[name][1]:
        assert f"<strong>{lead}:</strong>" in page
    assert f"{name}-report.html" in output.splitlines()[-1]


@pytest.mark.parametrize("name", ["airquality", "flights"])
def test_the_command_writes_a_page_in_hardly_more_time_than_its_libraries_load(
    name, files, tmp_path, of_libraries
):
    run, used = processor(lambda: started(*asked_of(name, files), cwd=tmp_path))
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    assert used < 3 * of_libraries  # a ratio in one run: seconds depend on the machine
    is_told(name, tmp_path, run.stdout)


@pytest.mark.usefixtures("pixels")
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ASKED)
def test_a_page_takes_no_more_time_than_twice_what_the_libraries_take_to_load(
    name, files, tmp_path, of_libraries, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    start = time.process_time()
    code = command.main(["report", *map(str, asked_of(name, files))])
    used = time.process_time() - start
    said = capsys.readouterr()
    assert (code, said.err) == (0, "")
    assert used < 2 * of_libraries
    is_told(name, tmp_path, said.out)


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        (None, ["--outcome", "y", "--group", "g"], "no file 'data.csv'"),
        (b"\x00\x01", ["--outcome", "y", "--group", "g"], "is no text"),
        (b"g,y\na,1\na,\nb,3\nb,5\n", ["--outcome", "y", "--group", "g"], "say --missing drop"),
        (b"g,y\na,1\na,2\nb,3\nb,5\n", ["--outcome", "z\x1b[31m", "--group", "g"], "no column 'z\\x1b[31m'"),
        (b"g,y\na,1\na,2\nb,3\nb,5\n", ["--outcome", "y"], "required: --group"),
        (
            b"g,y\na,1\na,2\nb,3\nb,5\n",
            ["--outcome", "y", "--group", "g", "--output", "data.csv"],
            "elsewhere",
        ),
        (
            b"g,y\na,1\na,2\nb,3\nb,5\n",
            ["--outcome", "y", "--group", "g", "--output", "no/x.html"],
            "cannot write",
        ),
        (b"g,y\na,1\na,2\nb,3\nb,5\n", ["--outcome", "y", "--group", "g", "--level", "x"], "invalid float"),
    ],
)
def test_a_bad_call_ends_with_2_and_one_line(content, arguments, message, tmp_path, capsys, monkeypatch):
    if content is not None:
        file(tmp_path, content)
    before = sorted(tmp_path.iterdir())
    monkeypatch.chdir(tmp_path)
    try:
        code = command.main(["report", "data.csv", *arguments])
    except SystemExit as left:  # what argparse refuses
        code = left.code
    said = capsys.readouterr()
    assert code == 2
    assert said.out == ""
    assert message in said.err
    assert len(said.err.splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--outcome", "z\x1b[31m\u03b8", "--group", "g"], "no column 'z\\x1b[31m\\u03b8'"),
        (["--outcome", "y"], "required: --group"),
    ],
)
def test_a_bad_call_ends_its_process_with_2_and_one_line_of_ascii(arguments, message, tmp_path):
    run = started(file(tmp_path, b"g,y\na,1\na,2\nb,3\nb,5\n"), *arguments, cwd=tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    assert message in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_the_command_has_all_that_describe_has(tmp_path):
    lines = ["g;my score;x", *(f"{'abcdef'[k % 6]}é;{k % 7},{k % 4};{k * k % 11}" for k in range(60))]
    path = file(tmp_path, "\n".join(lines))
    asked = [path, "--outcome", "my score", "--group", "g", "--classes-in-population", "20", "--level", "0.9"]
    asked += ["--one", "cé", "--output", "out.html", "--table", "t.csv", "--predictors", "x", "np.sqrt(x)"]
    run = started(*asked, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    page, table = (tmp_path / "out.html").read_text(encoding="utf-8"), pd.read_csv(tmp_path / "t.csv")
    assert "decimal comma" in page
    assert "90% CI" in page
    x = np.array([k * k % 11 for k in range(60)])
    place = f"x is at its mean ({x.mean():.4g}) and np.sqrt(x) is at its mean ({np.sqrt(x).mean():.4g})"
    assert f"mean of 20 groups where {place}" in set(table["estimand"])
    assert table["question"][0].startswith("How well is the mean of g cé known")
    expected = report.describe(
        report.read_table(path), "my score", "g", ["x", "np.sqrt(x)"], 20, level=0.9, one="cé"
    )
    np.testing.assert_array_equal(table["se"], expected.table["se"])


def cells_of_the_report():
    """The code of notebook 13 but that of its exercises."""
    cells = jupytext.read(ROOT / "notebooks" / "13_your_own_data.md").cells
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    return [source for source in code if "schools" not in source and "check_exercise(" not in source]


def test_the_answers_of_its_exercises_are_r_s(reference):
    r, own = reference("hsb"), reference("report")
    one = [r["np.se_range"][0], r["np.se_grand_unweighted"], r["H0.se"]]
    np.testing.assert_allclose(exercises()["13.1"]["answer"], one, rtol=1e-7)
    of_320, colleague = own["hsb.K320"][1], r["H0.se"] * np.sqrt(0.5)
    two = [of_320, colleague, np.sqrt(of_320**2 - colleague**2)]
    np.testing.assert_allclose(exercises()["13.2"]["answer"], two, rtol=1e-6)
    three = [r["H2.fixef"][1], r["H2.se"][1], r["H2.fixef"][2], r["H2.se"][2]]
    np.testing.assert_allclose(exercises()["13.3"]["answer"], three, rtol=1e-7)


@pytest.mark.parametrize("name", ASKED)
def test_the_notebook_runs_on_each_file(name, files, capsys, monkeypatch):
    monkeypatch.setattr("IPython.display.display", lambda *args, **kwargs: None)
    asked, (first, *rest) = ASKED[name][0], cells_of_the_report()
    assert first.startswith("FILE = None")
    space = {}
    exec(first, space)
    assert {"FILE", "OUTCOME", "GROUP", "PREDICTORS", "ONE", "POPULATION", "MISSING", "SAVE"} <= set(space)
    assert any("se_finite_population_unbalanced" in source for source in rest)
    space |= {"FILE": files[name], "OUTCOME": asked["outcome"], "GROUP": asked["group"]}
    space |= {"PREDICTORS": asked.get("predictors", []), "MISSING": asked.get("missing", "raise")}
    start = time.process_time()
    for source in rest:
        exec(source, space)
    assert time.process_time() - start < 5
    shown = capsys.readouterr().out
    for lead in ASKED[name][1]:
        assert lead in shown
