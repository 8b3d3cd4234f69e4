"""The calculator's page: keyboard, paste, file and drop; what it says, shows and hands on; no scripts."""

import io
from pathlib import Path

import calculator as extension
import numpy as np
import pandas as pd
import pytest
from accessible import faults

import helpers
from helpers import figures, report

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "book" / "_static" / "calculator"
HEAD = '<!doctype html><html lang="en"><title>x</title><meta name="viewport" content="width=device-width">'
ROWS = "class\tscore\nA\t1,5\nA\t2,5\nB\t3,5\nB\t5,5\nC\t\nC\t2,5\nC\t4\n"


@pytest.fixture
def open_page(browser):
    """Open a page of the calculator; a console message, an error or a request fails the test."""
    said, contexts = [], []

    def open_(**options):
        contexts.append(context := browser.new_context(**options))
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        scripts = [FOLDER.parent / "course.js", *(FOLDER / f"{name}.js" for name in extension.SCRIPTS)]
        code = "".join(f"<script>{file.read_text(encoding='utf-8')}</script>" for file in scripts)
        style = f"<style>{(FOLDER / 'calculator.css').read_text()}</style>"
        html = f"{HEAD}{style}<main><h1>x</h1>{extension.element(ROOT)}</main>{code}"
        page.route("**/*", lambda route: route.fulfill(content_type="text/html; charset=utf-8", body=html))
        page.goto("http://calculator.invalid/")
        page.on("request", lambda request: said.append(request.url))
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not said


def status(page):
    return page.locator(".calculator-status").inner_text()


def work(page, text):
    page.get_by_role("textbox").fill(text)
    page.get_by_role("button", name="Work it out").click()


def show(page, text):
    """As a long paste, which needs no typing."""
    page.evaluate("(text) => document.querySelector('se-calculator').show(text)", text)


def taken(page, what):
    """What is copied: ``tsv`` or ``markdown``."""
    code = "calculator[what](result.found, result.read)"
    return page.evaluate(
        f"(what) => {{ const {{ result }} = document.querySelector('se-calculator'); return {code}; }}", what
    )


def test_the_example_has_the_four_numbers_at_once_and_the_report_s_table(open_page):
    page = open_page()
    page.get_by_role("button", name="example").click()
    assert status(page).startswith("200 rows in 20 groups. Standard errors: ")
    for number in ("4.716", "8.865", "2.383", "1.982"):
        assert f" {number}" in status(page)
    found = report.describe(helpers.classrooms(), "score", "classroom")
    shown = " ".join(page.locator(".calculator-result").inner_text().split())
    for text in (found.sentence, found.grouping, *found.warnings, *found.questions["all"]):
        assert text in shown
    assert page.get_by_role("img").get_attribute("aria-label") == found.figure()[1]
    assert "Both columns" not in shown
    links = [link.get_attribute("href") for link in page.locator(".calculator-result li a").all()]
    assert links == ["../notebooks/09_few_clusters.html"]


def test_what_the_picture_says_is_what_the_report_s_says(open_page):
    page = open_page()
    for data, outcome, group in (
        (helpers.radon(), "log_radon", "county"),
        (helpers.high_school(), "math", "school"),
    ):
        show(page, data[[outcome, group]].to_csv(sep="\t", index=False))
        found = report.describe(data, outcome, group)
        expected = figures.grouped_means(found.means, found.fit.group_means["estimate"], found.own)[1]
        assert page.get_by_role("img").get_attribute("aria-label") == expected


def test_it_is_worked_by_keyboard_alone_and_what_it_found_is_announced(open_page):
    page = open_page()
    assert faults(page) == []
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.value") == "rows"
    page.keyboard.press("Tab")
    page.keyboard.type("class;score\nA;1,5\nA;2,5\nB;3,5\nB;x\n")
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Work it out"
    page.keyboard.press("Enter")
    told = "Not worked out. Line 5 of column “score” has “x” where a number should be."
    assert status(page).startswith(told)
    assert page.get_by_role("textbox").get_attribute("aria-invalid") == "true"
    assert faults(page) == []
    page.get_by_role("textbox").focus()
    page.keyboard.press("Control+End")
    for _ in range(2):
        page.keyboard.press("Backspace")
    page.keyboard.type("5,5\n")
    page.get_by_role("button", name="Work it out").press("Enter")
    assert status(page).startswith(
        "4 rows in 2 groups. Standard errors: of the mean of all groups there are "
    )
    assert page.locator("[aria-invalid]").count() == 0
    assert "a decimal comma, names in the first line" in page.locator(".calculator-result").inner_text()
    assert faults(page) == []
    page.get_by_role("button", name="Clear").press("Enter")
    assert status(page) == ""
    assert page.evaluate("document.activeElement.id") == "calculator-text"


def test_what_was_left_out_is_shown_with_its_line(open_page):
    page = open_page()
    work(page, ROWS)
    assert "6 rows in 3 groups, 1 row left out. " in status(page)
    assert "line 6: no value of score" in page.locator(".calculator-result").inner_text()


def test_of_more_columns_two_are_chosen_and_two_of_numbers_can_be_turned(open_page):
    page = open_page()
    numbers, groups = (page.get_by_role("combobox", name=name) for name in ("numbers", "groups"))
    work(page, "pupil;class;score\n1;A;1,5\n2;A;2,5\n3;B;4,5\n4;B;3")
    assert "There are 3 columns" in status(page)
    numbers.select_option("score")
    groups.select_option("class")
    assert status(page).startswith("4 rows in 2 groups")
    work(page, "1\t2\n1\t3\n2\t4\n2\t5\n")
    assert (numbers.input_value(), groups.input_value()) == ("1", "0")
    assert "Both columns are numbers." in page.locator(".calculator-result").inner_text()
    work(page, "g;y\nA;1,234\nA;2,345\nB;3,456\nB;4,500\n")
    assert "choose that below" in status(page)
    page.get_by_label("decimal mark").select_option("comma")
    assert status(page).startswith("4 rows in 2 groups")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_file_is_read_whatever_its_encoding(open_page, encoding):
    page = open_page()
    raw = "höhe;schule\r\n1,5;Süd\r\n2;Süd\r\n3;Nord\r\n4,5;Nord\r\n".encode(encoding)
    page.locator("input[type=file]").set_input_files(
        {"name": "höhen.csv", "mimeType": "text/csv", "buffer": raw}
    )
    page.get_by_text("4 rows in 2 groups").first.wait_for()
    shown = page.locator(".calculator-result").inner_text()
    assert "The file höhen.csv" in shown
    assert "The standard deviation of höhe" in shown
    assert "Süd" in shown
    work(page, ROWS)
    assert "The text above" in page.locator(".calculator-result").inner_text()


def test_a_workbook_is_refused_and_a_dropped_table_is_read(open_page):
    page = open_page()
    file = {"name": "a.xlsx", "mimeType": "application/zip", "buffer": b"PK\x03\x04\x14\x00\x06\x00"}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_text("an Excel or OpenDocument workbook").wait_for()
    page.evaluate(
        """(text) => {
          const data = new DataTransfer();
          data.items.add(new File([text], "dropped.csv", { type: "text/csv" }));
          const dropped = new DragEvent("drop", { dataTransfer: data, cancelable: true });
          document.querySelector("se-calculator").dispatchEvent(dropped);
        }""",
        ROWS,
    )
    page.get_by_text("The file dropped.csv").wait_for()


def test_a_pasted_table_needs_no_button(open_page):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("textbox").focus()
    page.evaluate("(text) => navigator.clipboard?.writeText(text)", ROWS)
    page.evaluate(
        """(text) => {
          const box = document.querySelector("textarea");
          box.value = text;
          box.dispatchEvent(new Event("input"));
          box.dispatchEvent(new ClipboardEvent("paste", { bubbles: true }));
        }""",
        ROWS,
    )
    page.get_by_text("6 rows in 3 groups").first.wait_for()


def test_the_table_can_be_taken_away_with_all_digits_in_the_reader_s_decimal_mark(open_page):
    page = open_page()
    work(page, ROWS)
    text = taken(page, "tsv")
    ours = pd.read_csv(io.StringIO(text), sep="\t", decimal=",")
    frame = pd.read_csv(io.StringIO(ROWS), sep="\t", decimal=",")
    theirs = report.describe(frame, "score", "class", missing="drop").table
    ours = ours[ours["method"] != "t test on group means"].reset_index(drop=True)
    assert list(ours.columns) == list(theirs.columns)
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False, rtol=1e-9)
    markdown = taken(page, "markdown")
    assert len(markdown.splitlines()) == 2 + len(theirs) + 1
    page.evaluate("document.addEventListener('copy', () => { window.copied = (window.copied ?? 0) + 1; })")
    page.get_by_role("button", name="Copy the sentence").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("window.copied") == 1


def test_the_python_call_gives_the_numbers_of_the_page(open_page, capsys):
    page = open_page()
    page.get_by_role("button", name="example").click()
    code = page.locator(".calculator-code").first.inner_text()
    data = pd.read_csv(io.StringIO(extension.example()), sep="\t")
    exec(code, {"data": data})
    printed = " ".join(capsys.readouterr().out.split())
    assert page.locator("blockquote").inner_text() in printed


def test_groups_by_size_mean_and_deviation(open_page):
    page = open_page()
    page.get_by_label("A row for each group").check()
    work(page, "school n mean sd\nnorth 12 50,3 8,1\nsouth 9 47,2 7,7\nwest 15 55,0 9,4")
    assert status(page).startswith("36 rows in 3 groups")
    assert page.locator(".calculator-code").count() == 0
    assert page.locator(".calculator-columns").is_hidden()


def test_without_scripts_the_page_says_what_it_needs_and_where_to_go(open_page):
    page = open_page(java_script_enabled=False)
    text = page.locator("main").inner_text()
    assert "python -m helpers report" in text
    assert page.locator("main a").get_attribute("href") == "../notebooks/13_your_own_data.html"
    assert page.locator("textarea").count() == 0


def test_many_groups_and_large_numbers_make_a_picture_that_fits(open_page):
    rng = np.random.default_rng(1)
    for width, J, offset in ((390, 900, 1e9), (1280, 50, 0.001), (390, 8, 123456)):
        page = open_page(viewport={"width": width, "height": 800})
        frame = pd.DataFrame({"g": np.repeat(np.arange(J), 3), "y": offset + rng.normal(size=3 * J)})
        show(page, frame.to_csv(index=False))
        page.add_style_tag(content="svg text { letter-spacing: 0.15em }")  # a wider font than this machine's
        wide = page.evaluate(
            """() => [...document.querySelectorAll("svg text")].every((node) => {
              const [text, all] = [node, node.closest("svg")].map((each) => each.getBoundingClientRect());
              return text.left >= all.left - 1 && text.right <= all.right + 1;
            })"""
        )
        assert wide, (width, J)
