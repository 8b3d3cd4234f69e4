"""The bench measures what it says: references, digits, turns, tables, and the page it left."""

import gc
import re
import tomllib
from functools import cache
from pathlib import Path

import dask
import numpy as np
import pandas as pd
import pytest
import yaml
from bench import __main__ as bench_main
from bench import clock, cluster, exact, fits, page, peers, report, scale, slopes
from mpmath import mpf

from helpers.report import read_table

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "book" / "bench.md").read_text(encoding="utf-8")
SECTIONS = [
    "One fit", "A slope that varies", "Many fits", "Large tables", "A file in, a page out",
    "A table that no process holds", "Who is right",
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _what_is_there_is_not_collected_anew():
    """The clock collects garbage before each round: not what pytest holds, half a second a time."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="module")
def cases():
    return {case.title: case for case in fits.cases()}


@pytest.fixture(scope="module")
def truths(cases):
    """The exact answer to a case of this title, found once."""
    return cache(lambda title: fits.truth(cases[title]))


# ---- the exact answers ---------------------------------------------------------------------------


def test_two_ways_to_the_exact_answer_agree_to_thirty_digits(cases):
    case = cases["Classrooms"]
    closed, found = fits.truth(case), exact.reml(case.columns, case.codes)
    for key in fits.KEYS:
        assert abs(getattr(found, key) / getattr(closed, key) - 1) < mpf(10) ** -30, key


@pytest.mark.parametrize("title", ["Radon M0", "Radon M1", "Radon M2"])
def test_the_exact_answer_is_lme4s_to_what_lme4_stops_at(truths, reference, title):
    answer, r, model = truths(title), reference("radon"), title.split()[1]
    assert float(answer.psi) == pytest.approx(r[f"{model}.var_county"], rel=1e-6)
    assert float(answer.theta) == pytest.approx(r[f"{model}.var_resid"], rel=1e-7)
    assert float(answer.se) == pytest.approx(np.ravel(r[f"{model}.se"])[0], rel=1e-7)
    assert float(answer.criterion) == pytest.approx(r[f"{model}.REMLcrit"], rel=1e-12)


def test_the_exact_answer_of_the_singular_design_is_zero(singular_data, reference):
    case = fits.singular()
    assert case.data["score"].equals(singular_data["score"])
    answer = fits.truth(case)
    assert answer.psi == 0
    assert float(answer.se) == pytest.approx(reference("classrooms").whole["singular"]["se"], rel=1e-13)


def test_the_closed_form_refuses_what_it_does_not_hold_for():
    case = fits.singular()
    with pytest.raises(ValueError, match="MSB > MSW"):
        exact.balanced(case.columns[:, -1], case.codes)


def test_large_tables_are_measured_against_sums_good_to_eighteen_digits(monkeypatch):
    case = scale.case(5000)
    precise = exact.reml(case.columns, case.codes)
    monkeypatch.setattr(exact, "MOST_EXACT_ROWS", 0)
    quick = exact.reml(case.columns, case.codes)
    assert precise.psi != quick.psi
    assert abs(quick.psi / precise.psi - 1) < mpf(10) ** -18


@pytest.mark.parametrize(
    ("value", "of", "scale", "expected"),
    [
        (1.0, 1, None, 16.0),
        (1.25, 1, None, -np.log10(0.25)),
        (0.999, 1, None, 3.0),
        (5.0, 1, None, 0.0),
        (float("nan"), 1, None, 0.0),
        (0.0, 0, 700, 16.0),
        (0.007, 0, 700, 5.0),
    ],
)
def test_digits(value, of, scale, expected):
    assert exact.digits(value, mpf(of), scale and mpf(scale)) == pytest.approx(expected, abs=1e-12)


@pytest.fixture(scope="module")
def lines(reference):
    """lme4's sleepstudy, its group numbered and its predictor called x."""
    table = reference("slopes").whole["tables"]["sleep"]
    data = pd.DataFrame(
        {"y": table["Reaction"], "x": table["Days"], "g": pd.factorize(np.array(table["Subject"]))[0]}
    )
    return peers.Case("sleepstudy", slopes.FORMULA, data, "g")


def test_the_exact_answer_where_slopes_vary_is_lme4s_to_what_lme4_stops_at(lines, reference):
    answer, r = slopes.answer(lines), reference("slopes")
    a, b, c = map(float, answer.psi)
    np.testing.assert_allclose([a, b, b, c], np.ravel(r["sleep.psi"]), rtol=1e-4)
    assert float(answer.se) == pytest.approx(r["sleep.se"][1], rel=1e-6)


def test_the_exact_answer_where_slopes_vary_does_not_depend_on_the_origin(lines):
    data = lines.data.assign(x=lines.data["x"] + 3, y=lines.data["y"] - 100)
    here, there = slopes.answer(lines), slopes.answer(peers.Case("moved", slopes.FORMULA, data, "g"))
    v11, v12, v22 = there.psi
    for moved, value in zip((v11 + 6 * v12 + 9 * v22, v12 + 3 * v22, v22), here.psi, strict=True):
        assert abs(moved / value - 1) < mpf(10) ** -18
    assert abs(there.se / here.se - 1) < mpf(10) ** -18


def test_helpers_answer_where_slopes_vary(lines):
    answer = slopes.answer(lines)
    for prepare in (slopes.helpers_formula, slopes.helpers_polars):
        assert min(slopes.digits(prepare(lines)(), answer)) > 11
    off = [float(value) for value in (*answer.psi, answer.se)]
    off[1] += 1e-3 * np.sqrt(off[0] * off[2])
    assert slopes.digits(off, answer) == pytest.approx((3, 16), abs=0.5)


# ---- the clock -----------------------------------------------------------------------------------


def test_contenders_take_turns_after_one_call_that_does_not_count():
    order = []
    outcomes = clock.race({name: lambda name=name: order.append(name) for name in "abc"}, 2, least=0)
    assert "".join(order) == "abc" * 3
    assert [len(outcome.seconds) for outcome in outcomes.values()] == [2, 2, 2]


def test_a_short_call_is_repeated_for_the_whole_turn():
    outcome = clock.race({"R": lambda: clock.Timed(0.004, "answer")}, 3, least=0.02)["R"]
    assert outcome.seconds == [0.004] * 15
    assert outcome.value == "answer"
    assert outcome.time == 0.004


def test_a_slow_call_is_made_once(monkeypatch):
    monkeypatch.setattr(clock, "SLOW", 0.5)
    calls = []
    outcome = clock.race({"slow": lambda: calls.append(1) or clock.Timed(2.0, None)}, 5)["slow"]
    assert (len(calls), outcome.seconds) == (1, [2.0])


def test_who_is_absent_or_fails_has_a_line_all_the_same(cases):
    case = cases["Classrooms"]

    def absent(case):
        raise ModuleNotFoundError

    def fails(case):
        raise ZeroDivisionError

    prepared = {"helpers": peers.helpers_formula, "absent": absent, "fails": fails}
    found = clock.race(peers.calls(prepared, case), 1, least=0)
    lines = [fits.row(name, outcome, found["helpers"], fits.truth(case)) for name, outcome in found.items()]
    assert lines[0][2] == "1.00"
    assert lines[1] == ["absent", "not installed", "–", "–", "–"]
    assert lines[2] == ["fails", "fails: ZeroDivisionError", "–", "–", "–"]


def test_without_r_its_lines_say_so(cases):
    r = peers.R()
    r.program = None
    assert r.version("lme4") is None
    call = peers.calls({"lmer": r.formula("lmer", "lme4")}, cases["Classrooms"])["lmer"]
    assert clock.first(call).error == "not installed"


def test_helpers_answer_whatever_the_way_in(cases, truths):
    case, answer = cases["Radon M2"], truths("Radon M2")
    for prepare in (peers.helpers_formula, peers.helpers_polars, peers.helpers_summary):
        psi, se = prepare(case)()
        assert exact.digits(psi, answer.psi) > 12
        assert exact.digits(se, answer.se) > 12


# ---- what is measured ----------------------------------------------------------------------------


@pytest.mark.parametrize("labels", ["integer", *scale.LABELS])
def test_the_label_of_a_large_table_changes_nothing_but_the_label(labels):
    plain, named = scale.case(2000), scale.case(2000, labels)
    assert np.array_equal(plain.codes, named.codes)
    assert plain.data["y"].equals(named.data["y"])


def test_memory_is_that_of_the_call():
    held = scale.fresh("helpers", "integer", 200_000)
    assert 0.2 < float(held) < 20


def test_memory_with_slopes_is_that_of_the_call():
    assert 0.2 < float(slopes.held("slopes that vary", 100_000, 10_000)) < 20


@pytest.mark.parametrize("groups", cluster.GROUPS)
def test_the_cluster_makes_the_rows_that_one_process_makes(groups):
    N = 4 * 1000
    with dask.config.set(scheduler="synchronous"):
        made = cluster.in_parts(N, groups).compute()
    assert len(made) == N
    assert made.reset_index(drop=True).equals(cluster.whole(N, groups))


# ---- the page ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [(12345.6, "12346"), (12.345, "12.3"), (0.00123456, "0.00123"), (0, "0"), (None, "–"), (1.0, "1.00")],
)
def test_significant(value, text):
    assert page.significant(value) == text


def test_a_table_has_its_numbers_to_the_right():
    assert page.table(["fit", "ms"], [["a|b", 1]]) == "| fit | ms |\n| :--- | ---: |\n| a\\|b | 1 |"
    with pytest.raises(ValueError, match="2 columns"):
        page.table(["fit", "ms"], [["a"]])
    with pytest.raises(ValueError, match="without a heading"):
        page.table(["", "ms"], [["a", 1]])


def test_the_page_has_every_section_and_no_failure():
    assert re.findall(r"^## (.*)$", PAGE, re.MULTILINE) == SECTIONS
    assert "fails" not in PAGE
    assert "not installed" not in PAGE
    for title in (case.title for case in fits.cases()):
        assert f"### {title}: `" in PAGE


def test_a_section_measured_again_takes_the_place_of_the_old_one_and_says_so():
    text = bench_main.replaced("## A\n\none\n\n## B\n\ntwo\n", "## A\n\nnew", 3)
    assert text.startswith("## A\n\nThis section is of a run of its own: 3 rounds, ")
    assert text.endswith("\n\nnew\n\n## B\n\ntwo\n")
    assert bench_main.replaced(text, "## B\n\nlast", 1).endswith("\n\nlast\n")
    with pytest.raises(ValueError, match="no section '## C'"):
        bench_main.replaced(text, "## C\n\nnew", 1)


def test_every_contender_with_slopes_stands_in_their_section():
    section = PAGE.split("## A slope that varies")[1].split("\n## ")[0]
    assert section.count("\n### ") == 3
    for name in [*slopes.contenders(peers.R()), *slopes.ALONE_AND_BOTH]:
        assert f"\n| {name} |" in section, name


def test_the_file_of_the_report_s_section_is_read_alike_by_all(tmp_path):
    path = tmp_path / "rows.csv"
    assert report.written(path, 3000, 200) == path.stat().st_size
    found = pd.read_csv(path)
    (groups, means), *_ = pytest.importorskip("duckdb").sql(report.QUERY.format(file=path)).fetchall()
    assert groups == found["g"].nunique()
    assert means == pytest.approx(found.groupby("g")["y"].mean().sum(), rel=1e-9)
    read = read_table(path, numbers=["y", "x"], labels=["g"])
    pd.testing.assert_frame_equal(read.reset_index(drop=True), found, check_dtype=False)
    assert list(report.commands(path)) == [report.DUCKDB, report.TABLE, report.PAGE]


def test_what_a_process_used_is_its_own():
    here = np.ones(40_000_000)  # which a process started from this one must not seem to hold
    took = report.used(["-c", "held = bytearray(50_000_000)"])
    assert took.wall > 0
    assert 50e6 < took.held < 150e6 < here.nbytes
    with pytest.raises(RuntimeError, match="failed"):
        report.used(["-c", "raise SystemExit(3)"])


def test_every_process_stands_in_the_report_s_section():
    section = PAGE.split("## A file in, a page out")[1].split("\n## ")[0]
    for name in (report.DUCKDB, report.TABLE, report.PAGE):
        assert section.count(f"\n| {name} |") == 2, name


def test_every_contender_stands_on_the_page():
    for name in [*peers.by_formula(peers.R()), *peers.by_arrays(), *scale.contenders(peers.R()), *scale.HELD]:
        assert f"\n| {name} |" in PAGE, name


def test_the_page_says_on_what_it_was_measured_and_not_where():
    (line,) = re.findall(r"^Measured on .*$", PAGE, re.MULTILINE)
    assert re.match(r"Measured on \d{4}-\d\d-\d\d: \w+ on \w+, \d+ cores, Python 3\.\d+\.\d+; ", line)
    for name in ("numpy", "pandas", "statsmodels", "mixedlm-rs", "lme-python", "linearmodels", "R", "lme4"):
        assert re.search(rf"\b{name} \d+\.\d+", line), name
    assert not re.search(r"/(home|tmp|work|root|usr)\b|\\\\|https?://", PAGE)


def test_the_book_lists_the_page_and_make_writes_it():
    toc = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text(encoding="utf-8"))
    assert {"file": "book/bench"} in toc["chapters"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^bench: \.venv-bench/ready\n\t.* -m bench", makefile, re.MULTILINE)
    assert ".venv-bench/" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()


def test_the_peers_are_an_extra_that_nothing_else_needs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.match(r"[\w-]+", entry)[0] for entry in project["optional-dependencies"]["bench"]}
    assert names == {"linearmodels", "lme-python", "mixedlm-rs"}
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert not any(re.search(rf"^{name}==", lock, re.MULTILINE) for name in names)
