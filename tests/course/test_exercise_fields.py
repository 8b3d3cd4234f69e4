"""The fields of the exercises on the site reply as `check_exercise` does and work by keyboard."""

import json
import math
import re
from pathlib import Path

import exercise_fields
import pytest
from accessible import faults

from helpers.course.exercises import _reply, exercises

ROOT = Path(__file__).parents[2]
SCRIPTS = [ROOT / "book" / "_static" / f"{name}.js" for name in ("course", "exercises")]
STORE = "which-standard-error.solved"
HEAD = '<!doctype html><html lang="en"><title>x</title><meta name="viewport" content="width=device-width">'
ALL = """(text) => {  // as text, which Playwright hands over in a tenth of the time
  const [exercises, cases] = JSON.parse(text);
  const reply = ([key, texts]) => customElements.get("se-exercise").reply(exercises[key], texts);
  return JSON.stringify(cases.map(reply));
}"""


@pytest.fixture
def open_page(browser):
    """Open a page of some exercises; a console message or an error fails the test."""
    said, contexts = [], []

    def open_(*keys, together=None, **options):
        contexts.append(context := browser.new_context(**options))
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        body = (
            "".join(map(exercise_fields.fields, keys))
            + "<article><ul><li><a href='#'>01.1 x</a></li></ul></article>"
        )
        if together:
            data = exercise_fields.packed(together)
            body += f'<div><se-solved><script type="application/json">{data}</script></se-solved></div>'
        code = "".join(f"<script>{file.read_text(encoding='utf-8')}</script>" for file in SCRIPTS)
        html = f"{HEAD}<main><h1>x</h1>{body}</main>{code}"
        page.route("**/*", lambda route: route.fulfill(content_type="text/html", body=html))
        page.goto("http://exercises.invalid/")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not said


def replies(page, cases):
    """What the page replies to each (key, texts)."""
    return json.loads(page.evaluate(ALL, json.dumps([exercises(), cases])))


def said(page):
    return page.locator("se-exercise [role=status]").first.inner_text()


def answers(exercise):
    """Right answers and each documented wrong one, in several roundings; parts right; none near."""
    right = exercise["answer"]
    filled = [[r if w is None else w for w, r in zip(hint["wrong"], right, strict=True)]
              for hint in exercise["hints"]]  # fmt: skip
    apart = [[r * 1.37 + 3 if w is None else w for w, r in zip(hint["wrong"], right, strict=True)]
             for hint in exercise["hints"]]  # fmt: skip
    for numbers in (right, *filled, *apart):
        for digits in (2, 3, 4, 5, 6, 9, 15, 17):
            yield [float(f"{value:.{digits}g}") for value in numbers]
        for off in (9e-7, -9e-7, 1.1e-6, -1.1e-6, 0.004):
            yield [value * (1 + off) for value in numbers]
        yield [-value for value in numbers]
        yield numbers[:-1]
    for k in range(len(right)):
        yield [value if i == k else value * 1.37 + 3 for i, value in enumerate(right)]
    yield [math.inf] * len(right)


def test_every_reply_is_pythons_to_the_letter_with_point_and_with_comma(open_page):
    asked = [(key, given) for key, exercise in exercises().items() for given in answers(exercise)]
    assert len(asked) > 1000
    expected = [_reply(exercises()[key], given) for key, given in asked]
    kinds = [
        "right.",
        "not yet. ",
        "not yet. Right already",
        "nearly: ",
        "the answer is ",
        "the answer must be finite",
    ]
    assert all(any(reply.startswith(kind) for reply in expected) for kind in kinds)
    hints = {hint["hint"] for exercise in exercises().values() for hint in exercise["hints"]}
    assert hints <= {reply.removeprefix("not yet. ") for reply in expected}
    page = open_page()
    texts = [[repr(float(value)) for value in given] for _, given in asked]
    keys = [key for key, _ in asked]
    found = replies(page, [*zip(keys, texts, strict=True)])
    wrong = [x for x in zip(asked, found, expected, strict=True) if x[1] != x[2]]
    assert not wrong, wrong[:3]
    commas = [[f" {part.replace('.', ',')} " for part in text] for text in texts]
    assert replies(page, [*zip(keys, commas, strict=True)]) == expected


@pytest.mark.parametrize(
    ("text", "number"),
    [("1,982", "1.982"), ("+1.982e0", "1.982"), (" 1.982 ", "1.982"), (",982", ".982"),
     ("\u22121.982", "-1.982"),
     ("inf", "inf"), ("NaN", "nan"), ("-Infinity", "-inf"), ("seven", "seven"), ("1,982.25", "1,982.25"),
     ("1 982", "1 982"), ("2 %", "2 %"), ("0x10", "0x10"), ("<b>", "<b>")],
)  # fmt: skip
def test_what_is_typed_is_read_as_python_reads_it(open_page, text, number):
    found = replies(open_page(), [["01.1", [text]]])
    assert found == [_reply(exercises()["01.1"], number)]


def test_fields_have_names_enter_checks_and_the_reply_is_announced(open_page):
    page = open_page("01.2", "13.1")
    first = page.get_by_role("group", name="Your answer to 01.2")
    assert first.locator("label").all_inner_texts() == exercises()["01.2"]["what"]
    page.keyboard.press("Tab")
    page.keyboard.type("8,865")
    page.keyboard.press("Enter")
    assert said(page) == "01.2: " + _reply(exercises()["01.2"], [8.865])
    intercept, difference = first.get_by_role("textbox").all()
    assert [box.get_attribute("aria-invalid") for box in (intercept, difference)] == [None, "true"]
    difference.fill("12.54")
    page.get_by_role("button", name="Check").first.press("Space")
    assert said(page) == "01.2: right."
    assert page.locator("[aria-invalid]").count() == 0
    assert page.locator(".exercise-mark").all_inner_texts() == ["solved", ""]
    assert faults(page) == []


def solve(page, key):
    """Type the right numbers of an exercise, and check them."""
    group = page.get_by_role("group", name=f"Your answer to {key}", exact=True)
    for box, value in zip(group.get_by_role("textbox").all(), exercises()[key]["answer"], strict=True):
        box.fill(repr(float(value)))
    group.get_by_role("button").click()


def test_what_was_solved_is_marked_after_a_reload_counted_and_forgotten(open_page):
    page = open_page("01.1", "01.2", together={"01.1": ["01.1"], "01.2": ["01.1", "01.2"]})
    counted = page.locator("se-solved [role=status]")
    assert counted.inner_text() == "Solved in this browser: 0 of 2."
    solve(page, "01.1")
    page.reload()
    assert page.locator("se-exercise .exercise-mark").all_inner_texts() == ["solved", ""]
    assert counted.inner_text() == "Solved in this browser: 1 of 2."
    assert page.locator("article .exercise-mark").inner_text() == "solved"
    page.get_by_role("button", name="Forget").click()
    assert counted.inner_text() == "Solved in this browser: 0 of 2."
    page.reload()
    assert page.locator("se-exercise .exercise-mark").all_inner_texts() == ["", ""]


@pytest.mark.parametrize("kept", ["{", "5", "null", None])
def test_a_store_with_something_else_in_it_or_none_at_all_stops_no_check(open_page, kept):
    page = open_page("01.1")
    refuse = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('refused'); } })"
    page.add_init_script(refuse if kept is None else f"localStorage.setItem({STORE!r}, {kept!r})")
    page.reload()
    solve(page, "01.1")
    assert said(page) == "01.1: right."


def test_without_scripts_there_is_nothing_to_see(open_page):
    page = open_page("01.1", java_script_enabled=False)
    assert page.locator("input").count() == 0
    assert page.locator("main").inner_text().split() == ["x", "01.1", "x"]


def test_each_exercise_is_listed_once_with_all_its_checks():
    text = exercise_fields.overview(ROOT)
    listed = re.findall(r"^- \[(\d\d\.\d) ", text, re.MULTILINE)
    assert len(listed) == len(set(listed)) == 3 * text.count("\n## ")
    keys = [key for path in sorted(ROOT.glob("notebooks/*.md")) for _, found in exercise_fields.headings(path)
            for key in found]  # fmt: skip
    assert sorted(keys) == sorted(exercises())
