"""The page: whole, safe whatever the names in a file, accessible in light and dark, wide and narrow."""

import io
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from reported import flat, of_schools, small, wrong_with

from helpers import classrooms, high_school
from helpers.report import report


@pytest.fixture(scope="module")
def schools():
    return of_schools()


class Tags(HTMLParser):
    """Reads a page; keeps its tags, what it links to, and what does not close."""

    VOID = frozenset({"meta", "img", "br", "source"})

    def __init__(self, page):
        super().__init__()
        self.seen, self.links, self.faults, self.open, self.attributes = [], [], [], [], []
        self.feed(page)
        self.close()
        self.faults += self.open

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes.append((tag, dict(attrs)))
        self.links += [value for name, value in attrs if name in ("href", "src", "srcset", "action", "style")]
        self.faults += [name for name, _ in attrs if name.startswith("on")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}>")


NASTY = [
    '<script>alert("x")</script>', "a & b", 'say "it"', "it's", "$x_1$", "=cmd()", "-1", "naïve ü", "{0}",
    "np.log(x)", "__import__('os').system('x')", "class", "my score", "%s", "\\alpha", "C", "0",
]  # fmt: skip


@pytest.mark.parametrize("name", NASTY)
def test_any_name_is_a_name_and_nothing_else(name):
    data = small().rename(columns={"y": name, "g": name + " g"})
    data[name + " x"] = np.random.default_rng(5).normal(size=24)
    data[name + " g"] = name + " " + data[name + " g"]
    if name == "C":
        data = data.rename(columns={"C": "y"})
    outcome = data.columns[0]
    found = report.describe(data, outcome, name + " g", [name + " x"])
    page = found.to_html(title=name)
    tags = Tags(page)
    assert tags.faults == []
    assert "script" not in tags.seen
    for line in pd.read_csv(io.StringIO(found.to_csv()), dtype=str)[
        ["question", "estimand", "method"]
    ].to_numpy():
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in line)
    reference = report.describe(small(x=data[name + " x"]), "y", "g", "x").table
    pd.testing.assert_frame_equal(found.table.iloc[:, 3:], reference.iloc[:, 3:])


@pytest.mark.usefixtures("letters")
@pytest.mark.parametrize("name", ["$x_{$", "$x_1$", "\\alpha", "%s{0}"])
def test_no_name_in_a_figure_is_taken_for_mathematics(name):
    data = small(x=np.random.default_rng(5).normal(size=24))
    data["g"] = name + data["g"]
    data.columns = [name + column for column in data]
    assert Tags(report.describe(data, name + "y", name + "g", [name + "x"]).to_html()).faults == []


def test_a_group_column_may_have_any_name():
    for name in ("a`b", "a|b", "", "1", "two\nlines", "Intercept"):
        found = report.describe(small().rename(columns={"g": name}), "y", name)
        assert Tags(found.to_html()).faults == []
        assert len(found.table) == 8


def test_a_field_that_looks_like_a_formula_is_made_text(monkeypatch):
    found = report.describe(small(), "y", "g")
    monkeypatch.setitem(found.__dict__, "table", found.table.assign(estimand="=HYPERLINK(1)"))
    assert "'=HYPERLINK(1)" in found.to_csv()


@pytest.mark.usefixtures("pixels")
def test_the_page_is_whole_and_needs_nothing_else(schools):
    page = schools.to_html()
    tags = Tags(page)
    assert page.startswith("<!DOCTYPE html>")
    assert tags.faults == []
    assert len(tags.links) == 2 + 2 + 2  # groups, wide and narrow; residuals; effects on means and slopes
    assert all(link.startswith("data:image/png;base64,") for link in tags.links)
    assert not {"script", "link", "iframe", "object", "form", "a"} & set(tags.seen)
    assert "://" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", page)
    assert "@import" not in page
    assert "url(" not in page
    by = dict(tags.attributes)
    assert by["html"] == {"lang": "en"}
    assert min(len(attrs["alt"]) for tag, attrs in tags.attributes if tag == "img") > 100
    assert {"title", "h1", "h2", "caption", "main"} <= set(tags.seen)
    assert all(attrs.get("scope") for tag, attrs in tags.attributes if tag == "th")
    assert tags.seen.count("h1") == 1


@pytest.mark.usefixtures("pixels")
def test_the_page_has_the_same_bytes_each_time(schools):
    again = report.describe(high_school(), "math", "school", ["ses", "sector"])
    assert schools.to_html() == schools.to_html() == again.to_html()


@pytest.mark.usefixtures("pixels")
def test_the_page_is_accessible(schools, tmp_path, browser):
    assert wrong_with(schools.to_html("hsb.csv"), tmp_path / "page.html", browser) == {}


def crowd():
    """Eleven thousand groups of two rows: their picture is one of bands."""
    rng = np.random.default_rng(11)
    g = np.repeat(np.arange(11_000), 2)
    return pd.DataFrame({"y": rng.normal(size=11_000)[g] + rng.normal(size=len(g)), "g": g})


KINDS = {
    "no predictor": lambda: report.describe(classrooms(), "score", "classroom"),
    "many groups": lambda: report.describe(crowd(), "y", "g"),
    "singular": lambda: report.describe(flat(), "y", "g"),
    "few groups, two values": lambda: report.describe(
        small(y=np.tile([0, 1, 1, 0, 1, 1, 1, 0], 3)), "y", "g"
    ),
    "crossed": lambda: report.describe(
        small(h=np.tile(list("uvw"), 8), y=np.tile([0.0, 2, 5], 8) + np.arange(24) * 7 % 5), "y", ["g", "h"]
    ),
}


@pytest.mark.usefixtures("pixels")
@pytest.mark.parametrize("kind", KINDS)
def test_pages_of_other_kinds_are_accessible(kind, tmp_path, browser):
    html = KINDS[kind]().to_html("data.csv")
    assert wrong_with(html, tmp_path / "page.html", browser) == {}
