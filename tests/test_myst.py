"""The pages keep to what Sphinx and Jupyter Book 2 both read; its parser is asked outside these tests."""

import re
from pathlib import Path

import read_with_myst
import sphinx_only
import yaml

ROOT = Path(__file__).parents[1]
# What mystmd 1.8.3 read without an error, asked by book/read_with_myst.py.
BOTH = {"admonition", "bibliography", "code-cell", "figure", "grid", "grid-item-card", "image"}
FENCE = re.compile(r"^[ \t]*(?:`{3,}|:{3,})\{([\w-]+)\}", re.MULTILINE)
ROLE = re.compile(r"(?<!`)\{([\w-]+)\}`[^`\n]+`")


def source(page):
    return (ROOT / page).with_suffix(".md").read_text(encoding="utf-8")


def test_no_page_has_a_directive_or_a_role_that_only_sphinx_knows():
    pages = read_with_myst.pages()
    assert {name for page in pages for name in FENCE.findall(source(page))} <= BOTH
    assert {name for page in pages for name in ROLE.findall(source(page))} <= {"cite", "eq"}


def test_what_only_sphinx_knows_is_put_in_when_sphinx_reads():
    for docname, (written, read) in sphinx_only.WRITTEN.items():
        text = source(docname)
        (name,) = set(FENCE.findall(read))
        assert name not in BOTH
        got = [text]
        sphinx_only.fill(None, docname, got)
        assert len(FENCE.findall(got[0])) == text.count(written) > 0


def test_the_parser_is_given_every_page_that_the_site_has(tmp_path):
    read_with_myst.lay_out(tmp_path)
    settings = yaml.safe_load((tmp_path / "myst.yml").read_text(encoding="utf-8"))
    files = [entry["file"] for entry in settings["project"]["toc"]]
    assert len(files) == len(set(files)) == len(read_with_myst.pages())
    assert set((ROOT / "notebooks").glob("*.ipynb")) == {ROOT / f for f in files if f.endswith(".ipynb")}
    assert all((tmp_path / file).is_file() for file in files)


def test_an_unknown_directive_is_an_error_and_a_hint_is_a_warning():
    said = (
        '⚠️  book/a.md:54 unexpected option "gutter" provided (in grid)\n'
        "⛔️ book/a.md:7 unknown directive: eval-rst\n"
        '⚠️  book/b.md:10 Linking "x" to an implicit heading reference\n'
        '⚠️  book/b.md:12 Linking "y" to an implicit heading reference\n'
        "📖 Built book/a.md in 14 s.\n"
    )
    errors, warnings = read_with_myst.complaints(said)
    assert errors == ["book/a.md:7 unknown directive: eval-rst"]
    assert sorted(warnings.values()) == [1, 2]
