"""The notebooks: text and derived file agree, outputs are whole, every number and exercise is held."""

import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import jupytext
import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers import high_school, partial_pooling
from helpers.course.exercises import exercises
from helpers.course.stated import checks_in, ledger, rounds_to

FOLDER = Path(__file__).parents[1] / "notebooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))
CHAPTERS = [path for path in PATHS if path.name[:2].isdigit()]
EXPLORERS = [FOLDER / "explorer.ipynb", FOLDER / "explorer_two.ipynb"]
APPENDIX = FOLDER / "r_and_python.ipynb"
NUMBER = re.compile(r"(?<![\w.])\d+\.\d+(?![\w.]*\w)")
WIDTH = 79  # what a page of the site shows without scrolling
SKELETON = [
    "**The question.**", "**You will learn**", "**You need**", "**Time**",
    "## In short", "## Exercises", "## Further reading",
]  # fmt: skip

APPENDIX_SKELETON = [
    "**What this is.**", "**How to read it.**", "**You need**", "## Where they differ, in short", "**Next**",
]  # fmt: skip

each_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def printed(path):
    """All text that the stored outputs show."""
    texts = []
    for cell in code_cells(path):
        for output in cell.outputs:
            texts.append(output.get("text", "") or output.get("data", {}).get("text/plain", ""))
    return "\n".join(texts)


def words(notebook):
    """The notebook's own words: no headings, code, links' addresses, exercise ids or places in a book."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    text = re.sub(r"```.*?```", " ", text, flags=re.DOTALL)
    text = re.sub(r"`[^`]*`|^#.*$|\]\([^)]*\)|<[^>\n]*>", " ", text, flags=re.MULTILINE)
    text = re.sub(r"\b(equation|figure|section) \d+\.\d+", " ", text, flags=re.IGNORECASE)
    return re.sub("|".join(map(re.escape, sorted(exercises(), key=len, reverse=True))), " ", text)


def test_every_text_has_its_notebook_and_every_notebook_its_text():
    assert PATHS
    assert [path.stem for path in PATHS] == sorted(path.stem for path in FOLDER.glob("*.md"))


@each_notebook
def test_the_text_and_the_notebook_say_the_same(path):
    def cells(notebook):
        return [(cell.cell_type, cell.source, dict(cell.metadata)) for cell in notebook.cells]

    ours, derived = cells(jupytext.read(path.with_suffix(".md"))), cells(read(path))
    for k, (text, cell) in enumerate(zip(ours, derived, strict=False)):
        assert text == cell, f"{path.stem}: cell {k} differs between .md and .ipynb; run `make notebooks`"
    assert len(ours) == len(derived), f"{path.stem}: .md and .ipynb differ in length; run `make notebooks`"


@each_notebook
def test_it_was_run_top_to_bottom_without_a_word_on_stderr(path):
    cells = code_cells(path)
    for cell in cells:
        streams = [output for output in cell.outputs if output.output_type == "stream"]
        assert len(streams) <= 1, f"stream in pieces, run `make notebooks`:\n{cell.source}"
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        assert not cell.source.rstrip().endswith(";"), f"nbval shows what ; hides:\n{cell.source}"
        for output in cell.outputs:
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", output.get("text")


@each_notebook
def test_no_notebook_stores_the_version_of_the_python_that_ran_it(path):
    assert "version" not in read(path).metadata["language_info"], "run `make notebooks`"


@each_notebook
def test_no_line_of_code_or_output_is_cut_on_the_page(path):
    for cell in code_cells(path):
        for line in cell.source.splitlines():
            assert len(line) <= WIDTH, f"{path.stem}: {line}"
        for output in cell.outputs:
            if "image/png" not in output.get("data", {}):
                text = output.get("text", "") or output.data.get("text/plain", "")
                assert max(map(len, text.splitlines())) <= WIDTH, f"{path.stem}:\n{text}"


@each_notebook
def test_every_figure_carries_the_alt_text_made_from_its_data(path):
    for cell in code_cells(path):
        for output in cell.outputs:
            if "image/png" not in output.get("data", {}):
                continue
            drawn = output.data["text/plain"]
            about = cell.metadata.get("mystnb", {})
            assert about.get("image", {}).get("alt") == drawn, f"{path.stem}: set alt to\n{drawn}"
            assert len(about.get("figure", {}).get("caption", "")) > 20, (
                f"{path.stem}: no caption\n{cell.source}"
            )


def test_a_notebook_is_a_chapter_or_one_of_the_two_pages_behind_them():
    assert [*CHAPTERS, *EXPLORERS, APPENDIX] == PATHS


def own_text(path):
    return "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_it_has_the_parts_a_reader_expects(path):
    text = own_text(path)
    for part in SKELETON:
        assert part in text, f"{path.stem} lacks {part!r}"
    exercise = text.split("## Exercises")[1]
    assert len(re.findall(r"^### \d\d\.\d ", exercise, re.MULTILINE)) == 3
    assert "**Next**" in text, f"{path.stem} does not say what comes next"


def test_the_appendix_leads_each_table_with_a_sentence_the_r_objects_and_the_python_objects():
    _, *sections = re.split(r"^## ", own_text(APPENDIX), flags=re.MULTILINE)
    for part in APPENDIX_SKELETON:
        assert part in own_text(APPENDIX), f"the appendix lacks {part!r}"
    for section in sections[:-1]:
        assert re.match(r"[^\n]+\n\n[^\n]+\.\n\n```r\n", section), section[:80]
    tables = [cell for cell in code_cells(APPENDIX) if cell.source.startswith("side_by_side(")]
    assert len(tables) == own_text(APPENDIX).count("```r")
    for cell in tables:
        assert "remove-input" in cell.metadata["tags"]
        assert cell.metadata["jupyter"]["source_hidden"]
        assert "sides" in cell.outputs[0].data["text/html"]


def test_r_ran_what_the_appendix_shows_and_printed_what_it_states():
    reference = Path(__file__).parent / "reference"
    ran = json.loads((reference / "dictionary.json").read_text(encoding="utf-8"))["values"]
    script = (reference / "dictionary.R").read_text(encoding="utf-8")
    for block in re.findall(r"```r\n(.*?)```", own_text(APPENDIX), re.DOTALL):
        for line in block.splitlines():
            if "read.csv" not in line:  # the site's files; test_pasted.py holds that they give the same
                assert line.strip() in script, line
    shown = set()
    blocks = r"^R {12}(.*?)^statsmodels(.*?)(?=^R {12}|\Z)"
    for found in re.finditer(blocks, printed(APPENDIX), re.DOTALL | re.MULTILINE):
        call, _, value = " ".join(found[1].split()).rpartition(": ")
        if call:
            shown.add(call)
            assert rounds_to(ran[call]["value"], value), call
            assert f": stated {value}, computed" in found[2], call
    assert shown == set(ran)


def test_the_appendix_names_the_degrees_of_freedom_that_packages_take_by_default():
    path = Path(__file__).parent / "reference" / "default_df.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    ran = {key: np.atleast_1d(entry["value"]).tolist() for key, entry in content["values"].items()}
    _, table = own_text(APPENDIX).split("takes by default")
    rows = [
        [part.strip() for part in line.split("|")[1:-1]] for line in re.findall(r"^\|.*", table, re.MULTILINE)
    ]
    said = {row[0].split()[0].strip("`,"): row[1:3] for row in rows[2:]}
    schools = high_school()
    schools["cses"] = schools["ses"] - schools["mean_ses"]
    ours = partial_pooling("math ~ cses", schools, groups="school").df
    for package, df in {
        "lmerTest": ran["lmerTest"],
        "helpers": ours,
        "nlme": ran["nlme"],
        "parameters": ran["parameters"],
    }.items():
        assert said[package] == [f"{value:.0f}" for value in df], package
    assert ran["afex.summary"] == ran["lmerTest"]
    assert ran["emmeans.mean.small"] == pytest.approx([ours["Intercept"]], rel=1e-8)
    assert ran["emmeans.mean"] == ran["emmeans.slope"] == ["Inf"]
    assert ran["marginaleffects.slope"] == []
    assert ran["glmmTMB.statistic"] == ["z value"]
    for package, version in re.findall(r"(\w+) `([\d.]+)`", "\n".join(row[0] for row in rows)):
        assert content["meta"][package] == version, package


def checks():
    return [(path.stem, *found) for path in PATHS for found in checks_in(printed(path))]


def test_every_row_of_the_ledger_is_checked_by_a_notebook():
    missing = set(ledger().index) - {key for _, key, _, _ in checks()}
    assert not missing, f"no notebook checks {sorted(missing)}"


def test_every_check_shows_the_value_that_the_ledger_states():
    for notebook, key, stated, computed in checks():
        assert stated == ledger().loc[key, "value"], f"{key} changed since {notebook} was run"
        assert rounds_to(float(computed), stated), f"{notebook}: {key}"


def test_every_stated_value_shifted_in_its_last_digit_is_refused():
    for notebook, key, stated, computed in checks():
        unit = Decimal(1).scaleb(Decimal(stated).as_tuple().exponent)
        for shifted in (Decimal(stated) + unit, Decimal(stated) - unit):
            assert not rounds_to(float(computed), str(shifted)), f"{notebook}: {key} would pass as {shifted}"


def test_the_prose_is_the_words_and_only_they():
    cells = [
        new_markdown_cell("# 01.1 Title 9.99\n\nSaid 1.25, `2.5` and 03.1b. [A link](x/3.5)."),
        new_markdown_cell("```r\n4.5\n```\n\nFigure 12.1 and section 12.8. Ends at $6.75$."),
    ]
    assert NUMBER.findall(words(new_notebook(cells=cells))) == ["1.25", "6.75"]


@each_notebook
def test_every_decimal_number_of_the_prose_is_in_the_ledger_or_the_output(path):
    known = set(NUMBER.findall(printed(path))) | {value.lstrip("-") for value in ledger()["value"]}
    for token in NUMBER.findall(words(read(path))):
        digits = len(token.replace(".", "").lstrip("0"))
        rounded = digits >= 3 and any(rounds_to(abs(float(value)), token) for value in ledger()["value"])
        assert token in known or rounded, f"{path.stem}: {token} stands in the prose only"


def test_every_exercise_stands_in_a_notebook_and_takes_its_solution():
    solved = set()
    for path in PATHS:
        solved |= set(re.findall(r"^(\S+): right\.$", printed(path), re.MULTILINE))
        for cell in code_cells(path):
            if re.search(r"^\s*check_exercise", cell.source, re.MULTILINE):
                assert "hide-cell" in cell.metadata.get("tags", []), f"an open solution:\n{cell.source}"
    assert solved == set(exercises())


def test_a_changed_digit_in_an_output_fails_and_names_the_cell(tmp_path):
    source = "from helpers import classrooms\nprint(f\"{classrooms()['score'].mean():.3f}\")"
    cells = []
    for count, text in enumerate(["1628.976\n", "1628.977\n"], start=1):
        output = new_output("stream", name="stdout", text=text)
        cells.append(new_code_cell(source, execution_count=count, outputs=[output]))
    nbformat.write(new_notebook(cells=cells), tmp_path / "pages.ipynb")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--nbval", "--nbval-current-env"]
    command += ["-rA", "-c", "/dev/null", "pages.ipynb"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 1, run.stdout
    assert re.search(r"^PASSED \S*pages\.ipynb::Cell 0\b", run.stdout, re.MULTILINE), run.stdout
    assert re.search(r"^FAILED \S*pages\.ipynb::Cell 1\b", run.stdout, re.MULTILINE), run.stdout
