"""Files are there whole or not at all; the table as Word and LaTeX; intervals of the variances, p values."""

import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import docx
import numpy as np
import pytest
from reported import ASKED, file, of_schools, small
from scipy import stats

from helpers import classrooms
from helpers.report import command, progress, report, variances, words, written

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "MPLBACKEND": "Agg"}
CSV = "g;y\n" + "".join(f"{'abcdef'[k % 6]};{k % 7},{k % 4}\n" for k in range(60))


def call(path, *more):
    return command.main(["report", str(path), "--outcome", "y", "--group", "g", *map(str, more)])


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_file_that_could_not_be_written_whole_leaves_what_was_there(error, tmp_path, monkeypatch, capsys):
    path, page = file(tmp_path, CSV), tmp_path / "out.html"
    page.write_text("of yesterday", encoding="utf-8")

    def half(self, content):
        with self.open("wb") as target:
            target.write(content[:10])
        raise error

    monkeypatch.setattr("pathlib.Path.write_bytes", half)
    assert call(path, "--output", page) == (130 if error is KeyboardInterrupt else 2)
    assert page.read_text(encoding="utf-8") == "of yesterday"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data.csv", "out.html"]
    said = capsys.readouterr()
    assert said.out == ""
    assert ("stopped" if error is KeyboardInterrupt else "No space left on device") in said.err
    assert ".part" not in said.err


def test_a_stop_while_it_computes_writes_nothing(tmp_path, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "describe", stopped)
    assert call(file(tmp_path, CSV), "--output", tmp_path / "out.html") == 130
    assert [p.name for p in tmp_path.iterdir()] == ["data.csv"]


def on_a_terminal(command, folder, when=None):
    """Run a command whose stderr is a terminal, press Ctrl-C once it shows ``when``; its code and words."""
    ours, theirs = pty.openpty()
    run = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=theirs, env=ENVIRONMENT)
    os.close(theirs)
    said = b""
    with contextlib.suppress(OSError):  # how Linux says that the other side is closed
        while part := os.read(ours, 4096):
            said += part
            if when is not None and when in said:
                run.send_signal(signal.SIGINT)
                when = None
    os.close(ours)
    return run.wait(60), said.decode()


@pytest.mark.parametrize("step", ["estimating", "drawing", None])
def test_ctrl_c_at_any_step_leaves_no_half_file_and_a_terminal_sees_the_bar(step, tmp_path):
    file(tmp_path, CSV + "a;1,5\n" * 600)
    (tmp_path / "out.html").write_text("of yesterday", encoding="utf-8")
    shorter = (
        "from helpers.report import command, progress; progress.LONG = 0; raise SystemExit(command.main())"
    )
    asked = [
        "report",
        "data.csv",
        "--outcome",
        "y",
        "--group",
        "g",
        "--output",
        "out.html",
        "--table",
        "out.csv",
    ]
    code, said = on_a_terminal([sys.executable, "-c", shorter, *asked], tmp_path, step and step.encode())
    there = sorted(path.name for path in tmp_path.iterdir())
    if step is None:
        assert code == 0
        assert there == ["data.csv", "out.csv", "out.html"]
        assert all(what in said for what in progress.STEPS if what != "reading")  # small text has no blocks
        assert said.endswith(" \r")  # nothing is left of the bar
    else:
        assert code == 130
        assert "stopped; no file is half written" in said
        assert there == ["data.csv", "out.html"]
        assert (tmp_path / "out.html").read_text(encoding="utf-8") == "of yesterday"


def test_no_bar_where_nobody_sees_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(progress, "LONG", 0)
    assert call(file(tmp_path, CSV), "--output", tmp_path / "o.html") == 0
    assert capsys.readouterr().err == ""


def test_a_table_of_no_known_kind_is_refused_before_anything_is_written(tmp_path, capsys):
    assert call(file(tmp_path, CSV), "--output", tmp_path / "o.html", "--table", tmp_path / "t.xls") == 2
    assert ".docx, .tex" in capsys.readouterr().err
    assert not (tmp_path / "o.html").exists()


def cells_of(found):
    """What each line of the table must say, from the table itself."""
    return [line for _, _, lines in words.by_question(found) for line in lines]


def test_the_table_in_word_has_the_numbers_of_the_page(tmp_path):
    path = tmp_path / "t.docx"
    assert call(file(tmp_path, CSV), "--output", tmp_path / "o.html", "--table", path) == 0
    found = report.describe(report.read_table(tmp_path / "data.csv"), "y", "g")
    first, second = docx.Document(str(path)).tables
    rows = [[cell.text for cell in row.cells] for row in first.rows[1:]]
    numbers = [row for row in rows if len(set(row)) > 1]
    lines = cells_of(found)
    assert len(numbers) == len(lines) == len(found.table)
    for row, line in zip(numbers, lines, strict=True):
        assert float(row[1]) == pytest.approx(line.estimate, abs=10.0 ** -len(row[1].split(".")[1]))
        assert float(row[2]) == pytest.approx(line.se, rel=6e-3)
    assert [row.cells[0].text.split(",")[0] for row in second.rows[1:3]] == ["psi", "theta"]
    page = (tmp_path / "o.html").read_text(encoding="utf-8")
    assert "Numbers in this report have a decimal point." in page
    assert re.search(r"60 rows\. .*Made by which-standard-error\S* .*on \d{4}-\d\d-\d\d\.", page)


def test_latex_takes_no_name_for_a_command():
    name = r"a_b & 50% #1 {x} \input ^~$ [c]"
    text = written.table(report.describe(small().rename(columns={"g": name}), "y", name), "t.tex").decode()
    left = re.sub(r"\\[&%#{}$_]", "", text)
    assert r"\input" not in left
    for line in left.splitlines():
        body = line.removesuffix(r" \\").removesuffix(r" \\ \hline")
        assert body.count("&") in (0, 4), line
        assert not set("#%$_~^") & set(body), line
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")


def test_latex_needs_no_package_for_a_sign():
    name = 'say "ψ" ≤ 2² Ω ο'
    text = written.table(report.describe(small().rename(columns={"g": name}), "y", name), "t.tex").decode()
    greek = r"say ''\ensuremath{\psi}'' \ensuremath{\leq} 2\ensuremath{^2} \ensuremath{\Omega} ο"
    assert greek in text
    known = r"hline|textless|multicolumn|linewidth|begin|end|noindent|ensuremath|psi|leq|Omega"
    assert set(re.findall(r"\\([A-Za-z]+)", text)) <= set(known.split("|"))


def test_intervals_and_p_values_of_balanced_rooms_are_those_of_the_mean_squares(reference):
    r = reference("left")
    data = classrooms()
    data = data[data["classroom"].astype(int) <= 6]
    data["classroom"] = data["classroom"].astype(str)
    found = report.describe(data, "score", "classroom")
    psi, theta, icc = variances.rows(found)
    assert theta[1] == f"{r['rooms.theta']:.1f}"
    assert theta[2] == "{:.1f} to {:.0f}".format(*r["rooms.theta_int"])
    assert icc[2] == "{:.3f} to {:.3f}".format(*r["rooms.icc_int"])
    assert psi[2] == "{:.1f} to {:.0f}".format(*r["rooms.psi_int"])
    assert psi[3] == "<0.001"
    assert found.fit.test_psi().pvalue == pytest.approx(r["rooms.psi_p"], rel=1e-5)


def test_the_page_of_uneven_months_has_the_intervals_of_r(reference, tmp_path):
    path = file(tmp_path, reference("report").whole["files"]["airquality"])
    found = report.describe(report.read_table(path), **ASKED["airquality"][0])
    r = reference("left")
    shown = {
        "psi, between groups": "{:.4f} to {:.1f}".format(*r["ozone.psi_int"]),
        "theta, within groups": "{:.1f} to {:.1f}".format(*r["ozone.theta_int"]),
        "intraclass correlation": "{:.3f} to {:.3f}".format(*r["ozone.icc_int"]),
    }
    html = found.to_html()
    for what, interval in shown.items():
        assert re.search(rf"{what}\W.*?{interval}<", html, re.DOTALL), what
    assert {row[0]: row[2] for row in variances.rows(found)[:3]} == shown


def test_intervals_and_p_values_by_other_ways():
    found = of_schools()
    rows = {row[0]: row for row in variances.rows(found)}
    fit = found.fit
    assert rows["intraclass correlation"][2] == "{:.3f} to {:.3f}".format(*fit.icc_int())
    assert rows["psi, between groups"][3] == "<0.001"
    sector = next(line for line in found.slopes if line.term.startswith("sector"))
    assert abs(sector.estimate / sector.se) > stats.t.isf(0.0005, sector.df)
    assert [row[3] for row in variances.rows(found)[3:]] == ["<0.001", "<0.001"]


def test_a_p_value_is_that_of_the_t_test():
    data = small(x=np.random.default_rng(2).normal(size=24))
    found = report.describe(data, "y", "g", ["x"])
    line, row = found.slopes[0], variances.rows(found)[-1]
    p = (
        1
        - stats.t.cdf(abs(line.estimate) / line.se, line.df)
        + stats.t.cdf(-abs(line.estimate) / line.se, line.df)
    )
    assert p > 0.001
    assert float(row[3]) == pytest.approx(p, abs=5.01e-4)
    assert (p < 0.05) == (line.lower > 0 or line.upper < 0)
