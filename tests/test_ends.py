"""Where this course ends: each refusal that points there arrives, and each section says what changes."""

import ast
import re
from pathlib import Path

import pandas as pd
import pytest

from helpers import complete_pooling, partial_pooling
from helpers.course import which

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "book" / "ends.md").read_text(encoding="utf-8")
SECTIONS = re.findall(r"^\((ends-[\w-]+)\)=\n## (.+)$", TEXT, re.MULTILINE)
ROWS = pd.DataFrame(
    {"y": range(24), "x": [3, 1, 2] * 8, "a": [1, 2] * 12, "b": [1, 1, 2, 2] * 6, "c": [1] * 12 + [2] * 12}
)


def pointed():
    """The sections that `signpost` is called with, anywhere in the package."""
    for path in (ROOT / "helpers").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = getattr(node, "func", None)
            if "signpost" in (getattr(called, "attr", None), getattr(called, "id", None)):
                yield node.args[0].value


def test_what_points_there_names_a_section():
    assert set(pointed()) <= {title for _, title in SECTIONS}
    assert len(set(pointed())) >= 3


@pytest.mark.parametrize(
    ("ask", "section"),
    [
        (lambda: partial_pooling("y ~ x", ROWS, groups=["a", "b", "c"]), "Three groupings and more"),
        (lambda: complete_pooling("y ~ x", ROWS, groups=["a", "b", "c"]), "Three groupings and more"),
        (
            lambda: partial_pooling("y ~ x", ROWS, groups=["a", "b"], slopes="x"),
            "Slopes that vary, and two groupings",
        ),
    ],
    ids=["three", "three ways", "slopes"],
)
def test_a_refusal_says_where_to_go_on(ask, section):
    with pytest.raises(ValueError, match=f'see "{section}" on the page "Where this course ends"'):
        ask()


def test_every_section_says_what_changes_and_has_its_calls_or_why_there_are_none():
    for (label, title), text in zip(
        SECTIONS, re.split(r"^\(ends-[\w-]+\)=$", TEXT, flags=re.MULTILINE)[1:], strict=True
    ):
        if label in ("ends-known", "ends-questions"):
            continue
        assert "**What changes.**" in text, title
        if label != "ends-designs":
            end = label.removeprefix("ends-").replace("-", "_")
            assert f"<!-- calls: {end} -->" in text, title
            assert {"r", "stata", "sas"} <= set(which.tree()["ends"][end]), title


def test_ten_questions_are_pointed_to_a_section():
    table = TEXT.split("(ends-questions)=")[1]
    asked = re.findall(r"^\| \"", table, re.MULTILINE)
    aims = re.findall(r"\]\(#(ends-[\w-]+)\)", table)
    assert len(asked) == len(aims) == 10
    assert set(aims) <= {label for label, _ in SECTIONS}
