"""The glossary: each chapter links a term to it where the term is first used, and every link arrives.

A term is a heading of `book/glossary.md`; the comment below the heading lists the forms that count as a
use of it. What is code, mathematics, a heading or a link already is no use.
"""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GLOSSARY = ROOT / "book" / "glossary.md"
CHAPTERS = sorted((ROOT / "notebooks").glob("*.md"))
LINK = re.compile(r"\[([^\[\]]*)\]\(\.\./book/glossary\.md#([^)\s]*)\)")
ENTRY = re.compile(
    r"^## (?P<term>[^\n]+)\n<!-- forms: (?P<forms>[^\n]+) -->\n\n(?P<text>.+?)(?=\n## |\Z)", re.M | re.S
)
NOTEBOOK = re.compile(r"(\[)?[Nn]otebook (\d\d)(?(1)\]\(\.\./notebooks/(\w+)\.ipynb\))")
NO_PROSE = re.compile(
    r"""\A---\n.*?^---$            # front matter
    | ^```.*?^```$                 # code
    | ^\$\$.*?^\$\$[^\n]*$         # equations
    | <!--.*?-->                   # comments
    | ^\#[^\n]*$                   # headings
    | ^:[^\n]*$                    # directives and their options
    | \{[\w:-]+\}`[^`]*`           # roles
    | `[^`]*`                      # code in a line
    | \$[^$]+\$                    # mathematics in a line
    | !?\[[^\[\]]*\]\([^)\s]*\)    # links
    | <https?:[^>]*>""",
    re.M | re.S | re.X,
)


def anchor(heading):
    """The name a heading has on GitHub, on the site, and in JupyterLab with its MyST extension."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@cache
def glossary():
    """Anchor to (term, forms, text), in the order of the page."""
    entries = ENTRY.finditer(GLOSSARY.read_text(encoding="utf-8"))
    return {anchor(e["term"]): (e["term"], e["forms"].split("; "), e["text"]) for e in entries}


@cache
def pattern():
    """One expression for all forms, the longest first, and the anchor that each form belongs to."""
    owner = {form: key for key, (_, forms, _) in glossary().items() for form in forms}
    assert len(owner) == sum(len(forms) for _, forms, _ in glossary().values()), "a form of two terms"
    parts, owners = [], []
    for form in sorted(owner, key=len, reverse=True):
        words = [re.escape(word) for word in re.split(r"[ -]", form)]
        if form[0].islower():
            words[0] = f"[{words[0][0]}{words[0][0].upper()}]{words[0][1:]}"
        parts.append(r"\*{0,2}[\s-]\*{0,2}".join(words) + "s?")
        owners.append(owner[form])
    return re.compile(r"(?<![\w-])(?:" + "|".join(f"({part})" for part in parts) + r")(?![\w-])"), owners


def uses(text):
    """Where prose uses a term: (start, end, anchor), in order, links left out."""
    prose = NO_PROSE.sub(lambda found: "\0" * len(found[0]), text)
    expression, owners = pattern()
    for found in expression.finditer(prose):
        start, end = found.span()
        if found[0].count("*") % 2:  # *profile* of the likelihood
            start, end = (start - 1, end) if prose[start - 1 : start] == "*" else (start, end + 1)
        elif re.search(r"(?<!\*)\*\Z", prose[:start]) and re.match(r"\*(?!\*)", prose[end:]):
            start, end = start - 1, end + 1
        yield start, end, owners[found.lastindex - 1]


def first_uses(text):
    """Anchor to the first use in prose that is no link yet, of terms that no link stands before."""
    first = {}
    for start, end, key in uses(text):
        first.setdefault(key, (start, end))
    for found in LINK.finditer(text):
        if found[2] in first and first[found[2]][0] > found.start():
            del first[found[2]]
    return first


def with_links(text):
    """The text of a chapter with the first use of each term linked."""
    first = first_uses(text)
    for found in reversed([*LINK.finditer(text)]):  # a link that is not at the first use any more
        if found[2] in first:
            text = text[: found.start()] + found[1] + text[found.end() :]
    for key, (start, end) in sorted(first_uses(text).items(), key=lambda use: -use[1][0]):
        text = f"{text[:start]}[{text[start:end]}](../book/glossary.md#{key}){text[end:]}"
    return text


def with_chapters(text):
    """The text of the glossary with a link to every chapter that is there."""
    names = {path.name[:2]: path.stem for path in CHAPTERS}

    def link(found):
        bracket, number, _ = found.groups()
        if bracket or number not in names:
            return found[0]
        return f"[{found[0]}](../notebooks/{names[number]}.ipynb)"

    return NOTEBOOK.sub(link, text)


each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


@each_chapter
def test_the_first_use_of_a_term_is_a_link(path):
    text = path.read_text(encoding="utf-8")
    missing = [
        f"line {text.count(chr(10), 0, start) + 1}: {text[start:end]!r} -> #{key}"
        for key, (start, end) in first_uses(text).items()
    ]
    assert not missing, f"{path.stem}: link to ../book/glossary.md\n" + "\n".join(missing)


@each_chapter
def test_a_link_is_a_form_of_its_term_and_there_is_one(path):
    expression, owners = pattern()
    seen = set()
    for words, key in LINK.findall(path.read_text(encoding="utf-8")):
        assert key in glossary(), f"{path.stem}: no term #{key}"
        found = expression.fullmatch(words.strip("*"))
        assert found or "*" in words, f"{path.stem}: {words!r} is not among the forms of #{key}"
        assert not found or owners[found.lastindex - 1] == key, f"{path.stem}: {words!r} is not #{key}"
        assert key not in seen, f"{path.stem}: #{key} is linked twice"
        seen.add(key)


def test_every_term_has_its_forms_a_sentence_and_a_chapter():
    headings = re.findall(r"^## (.+)$", GLOSSARY.read_text(encoding="utf-8"), re.M)
    assert headings == [term for term, _, _ in glossary().values()], "an entry without its forms"
    for term, forms, text in glossary().values():
        assert term in forms or term == ", ".join(forms[:4]), f"{term}: not among its forms"
        assert re.match(r"[^\n]{40,}[.:)]", text), f"{term}: no sentence"
        assert NOTEBOOK.search(text), f"{term}: no chapter"


def test_the_terms_stand_in_alphabetical_order():
    terms = [term.lower() for term, _, _ in glossary().values()]
    assert terms == sorted(terms)


def test_every_chapter_that_is_there_is_linked_and_no_other():
    """What names a chapter still to come, without a link, gets its link with the chapter."""
    text = GLOSSARY.read_text(encoding="utf-8")
    assert text == with_chapters(text), "link the chapters that the glossary names"
    for _, number, stem in NOTEBOOK.findall(text):
        assert not stem or (ROOT / "notebooks" / f"{stem}.md").is_file(), stem
        assert stem.startswith(number) or not stem, f"notebook {number} leads to {stem}"


def test_links_inside_the_glossary_arrive():
    for key in re.findall(r"\]\(#([^)]*)\)", GLOSSARY.read_text(encoding="utf-8")):
        assert key in glossary(), f"no term #{key}"


def test_every_term_is_used_by_a_chapter_or_waits_for_one():
    used = {key for path in CHAPTERS for _, key in LINK.findall(path.read_text(encoding="utf-8"))}
    for key, (term, _, text) in glossary().items():
        waits = any(not bracket for bracket, _, _ in NOTEBOOK.findall(text))
        assert key in used or waits, f"no chapter uses {term!r}"


def test_what_counts_as_a_use():
    text = (
        "---\nshrinkage\n---\n\n# Shrinkage\n\n`shrinkage` and $shrinkage$ and [shrinkage](x.md)\n\n"
        "```python\nshrinkage\n```\n\n:::{note} shrinkage\n:::\n\n*Shrinkage* and **complete pooling**, "
        "*profile* of the likelihood, maximum likelihood, XML, Monte Carlo standard errors. Shrinkage.\n"
    )
    linked = with_links(text)
    assert [*LINK.findall(linked)] == [
        ("*Shrinkage*", "shrinkage"),
        ("complete pooling", "complete-pooling"),
        ("*profile* of the likelihood", "profile-likelihood"),
        ("maximum likelihood", "maximum-likelihood"),
        ("Monte Carlo standard errors", "monte-carlo-standard-error"),
    ]
    assert "**[complete pooling](../book/glossary.md#complete-pooling)**" in linked
    assert not first_uses(linked)
    assert with_links(linked) == linked
    moved = "About shrinkage. " + linked.split("\n:::\n\n")[1]
    assert with_links(moved).count("#shrinkage") == 1
    assert with_links(moved).startswith("About [shrinkage]")
