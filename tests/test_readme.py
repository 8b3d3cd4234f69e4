"""The README: its commands are those that CI and the Makefile know, its links and figure are real."""

import re
import runpy
from pathlib import Path

from helpers.course.stated import ledger, rounds_to

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_its_two_commands_are_targets_and_the_second_is_what_ci_runs():
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    (block,) = (block for block in blocks if re.search(r"^make ", block, re.MULTILINE))
    commands = block.split("\n")[:-1]
    assert commands == ["make book", "make test"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in commands:
        assert re.search(rf"^{command.split()[1]}:", makefile, re.MULTILINE)
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == commands[1]


def test_every_file_it_links_to_is_there():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", TEXT) if not link.startswith("http")]
    assert links
    for link in links:
        assert (ROOT / link).is_file(), link


def test_every_notebook_stands_among_its_chapters():
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        assert f"notebooks/{path.name}" in TEXT


def test_its_figure_is_the_one_that_notebook_01_draws():
    script = runpy.run_path(str(ROOT / "book" / "readme_figure.py"))
    assert script["FIGURE"].read_bytes() == script["drawn"](), "run `make notebooks`"


def test_its_example_runs(capsys):
    exec(re.search(r"```python\n(.*?)```", TEXT, re.DOTALL).group(1), {})
    assert "4.71602" in capsys.readouterr().out


def test_every_number_it_and_the_first_page_of_the_book_state_is_in_the_ledger():
    intro = (ROOT / "book" / "intro.md").read_text(encoding="utf-8")
    numbers = re.findall(r"(?<![\w.])\d+\.\d+(?![\w.]*\w)", TEXT + intro)
    numbers = [number for number in numbers if number not in ("3.11", "3.15", "4.0")]  # versions
    assert numbers
    for number in numbers:
        assert any(rounds_to(abs(float(value)), number) for value in ledger()["value"]), number
