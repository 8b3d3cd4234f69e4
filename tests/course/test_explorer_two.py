"""The explorers of two groupings: equal to helpers.formulas in Python and in Chromium, both on one page."""

import math
import random
import re

import numpy as np
import pytest
from accessible import paint, wrong

from helpers import formulas, partial_pooling
from helpers.course import explorer
from helpers.course.datasets import three_levels
from helpers.course.explorer import CrossedExplorer, Explorer, NestedExplorer

PAGE = '<!doctype html><html lang="en"><title>x</title><meta name="viewport" content="width=device-width">'
KINDS = {
    "nested": (NestedExplorer, explorer.nested_values),
    "crossed": (CrossedExplorer, explorer.crossed_values),
}
SHOWN = """(kind) => Object.fromEntries([...document.querySelectorAll(`[data-kind=${kind}] data`)].map(
    (cell) => [cell.dataset.of, Number(cell.value)]))"""


@pytest.fixture
def page(show):
    """All three on one page, as a site or a notebook may have them."""
    body = "".join(
        f"<section><h2>x</h2>{kind()._repr_html_()}</section>"
        for kind in (Explorer, NestedExplorer, CrossedExplorer)
    )
    return show(f"{PAGE}<main><h1>x</h1>{body}</main>")


def of(page, kind):
    return page.locator(f"[data-kind={kind}]")


def settings(kind, rng):
    """Random settings: variances of any size, 0 among them."""
    psi = [rng.choice([0.0, 10 ** rng.uniform(-4, 4)]) for _ in range(2)]
    theta, sizes = 10 ** rng.uniform(-4, 4), [rng.randint(3, 60), rng.randint(3, 40), rng.randint(2, 50)]
    names = {
        "nested": ["psi_school", "psi_class", "theta", "J", "m", "n"],
        "crossed": ["psi_a", "psi_b", "theta", "a", "b", "n"],
    }
    return dict(zip(names[kind], [*psi, theta, *sizes], strict=True))


# ---- in Python ---------------------------------------------------------------------------------------


def test_classes_in_schools_start_at_the_chapters_estimates():
    fit = partial_pooling("score ~ 1", three_levels(), "school/class")
    found = NestedExplorer().values
    assert found["schools"] == pytest.approx(fit.bse.iloc[0], rel=1e-9)
    assert found["icc_class"] == pytest.approx(fit.psi.sum() / (fit.psi.sum() + fit.theta), rel=1e-9)


def test_means_are_those_of_the_formulas():
    found = explorer.nested_values(4, 9, 16, 12, 4, 10)
    assert (
        found["schools"]
        == found["both_mean"]
        == pytest.approx(formulas.se_nested(4, 9, 16, 12, 4, 10), rel=1e-14)
    )
    assert found["new"] ** 2 == pytest.approx(4 + found["schools"] ** 2)
    found = explorer.crossed_values(4, 9, 16, 12, 8)
    assert found["both_mean"] == formulas.se_crossed(4, 9, 16, 12, 8)
    assert found["two_way"] ** 2 == pytest.approx(formulas.expected_two_way(4, 9, 16, 12, 8))
    assert found["reader_mean"] == pytest.approx(math.sqrt(4 / 12 + 16 / 96))


def blocks(labels):
    return (labels[:, None] == labels).astype(float)


def contrast(labels, within=None):
    """A predictor of these groups that adds up to 0 in each of the others, with variance 1."""
    rng = np.random.default_rng(int(labels.max()))
    values = rng.normal(size=labels.max() + 1)[labels]
    for other in within or []:
        values = values - blocks(other) @ values / blocks(other).sum(axis=1)
    values = values - values.mean()
    return values / math.sqrt(np.mean(values**2))


@pytest.mark.parametrize("kind", list(KINDS))
def test_what_is_reported_is_the_trace_of_what_each_model_leaves(kind):
    """E(y'Py)/df = trace(P V)/df, P the projection on what a model takes for rows of one variance."""
    first, second, per = 5, 4, 3
    one, two, _ = (x.ravel() for x in np.indices((first, second, per)))
    rows, N = np.arange(first * second * per), first * second * per
    if kind == "nested":
        two, rest = one * second + two, None
        predictors = [contrast(one), contrast(two, [one]), contrast(rows, [two])]
    else:
        rest = rows
        predictors = [contrast(one), contrast(two), contrast(rest)]
        X = np.column_stack(
            [np.ones(N), blocks(one)[:, :: second * per], blocks(two)[:, : second * per : per]]
        )
        free = predictors[2] - X @ np.linalg.lstsq(X, predictors[2])[0]
        predictors[2] = free / math.sqrt(np.mean(free**2))
    V = 2.0 * blocks(one) + 3.0 * blocks(two) + 5.0 * np.eye(N)
    X = np.column_stack([np.ones(N), *predictors])
    left = np.eye(N) - X @ np.linalg.solve(X.T @ X, X.T)
    A, B = (blocks(each) / blocks(each).sum(axis=1) for each in (one, two))
    between = {"both": None, "school": A, "reader": A, "room": B, "text": B}

    def squared(model, k):
        if model == "lm":
            P = left
        else:
            G = between[model]
            inside = np.allclose(G @ X[:, k], X[:, k])  # the term varies between the model's groups
            P = left @ (G if inside else np.eye(N) - G) @ left
        return np.trace(P @ V) / round(np.trace(P @ P)) / N

    found = KINDS[kind][1](2.0, 3.0, 5.0, first, second, per)
    terms = {"nested": ["mean", "school", "class", "pupil"], "crossed": ["mean", "reader", "text", "answer"]}[
        kind
    ]
    for model in {"nested": ["school", "room", "lm"], "crossed": ["reader", "text", "lm"]}[kind]:
        for k, term in enumerate(terms):
            assert found[f"{model}_{term}"] ** 2 == pytest.approx(squared(model, k), rel=1e-9), (model, term)
    right = np.linalg.inv(X.T @ np.linalg.solve(V, X)).diagonal()
    for k, term in enumerate(terms):
        assert found[f"both_{term}"] ** 2 == pytest.approx(right[k], rel=1e-9)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NestedExplorer(J=2), "J must be a whole number from 3"),
        (lambda: NestedExplorer(m=1), "m must be a whole number from 2"),
        (lambda: NestedExplorer(n=2.5), "n must be a whole number from 2; got 2.5"),
        (lambda: NestedExplorer(psi_class=-1), "psi_class must be finite and at least 0"),
        (lambda: NestedExplorer(theta=0), "theta must be positive"),
        (lambda: NestedExplorer(J=math.inf), "J must be finite"),
        (lambda: CrossedExplorer(a=2), "a must be a whole number from 3"),
        (lambda: CrossedExplorer(b=7.5), "b must be a whole number from 3; got 7.5"),
        (lambda: CrossedExplorer(n=0), "n must be finite and at least 1"),
        (lambda: CrossedExplorer(psi_b=math.nan), "psi_b must be finite"),
    ],
)
def test_what_no_formula_takes_is_refused(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


def test_what_is_no_number_is_refused():
    with pytest.raises(TypeError, match="psi_a must be a number from 0; got '4'"):
        CrossedExplorer(psi_a="4")


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_output_is_the_same_each_time_and_asks_for_nothing(kind):
    make, _ = KINDS[kind]
    text = make()._repr_html_()
    assert text == make()._repr_html_()
    assert not re.search(r"https?:|src=|@import|url\(", text)


# ---- in Chromium -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_script_equals_the_formulas(page, kind):
    make, values = KINDS[kind]
    assert page.evaluate(SHOWN, kind) == pytest.approx(make().values, rel=1e-14)
    rng = random.Random(16)
    asked = [settings(kind, rng) for _ in range(200)]
    found = page.evaluate(
        f"""([kind, asked]) => {{ const shown = {SHOWN};
        const one = document.querySelector(`[data-kind=${{kind}}]`);
        return asked.map((at) => {{ one.set(at); return shown(kind); }}); }}""",
        [kind, asked],
    )
    for at, told in zip(asked, found, strict=True):
        assert told == pytest.approx(values(**at), rel=1e-9, abs=1e-12), at
    widths = [float(bar.get_attribute("width")) for bar in of(page, kind).locator("rect").all()]
    drawn = [values(**asked[-1])[name] for name in make.DRAWN]
    assert np.divide(widths, max(widths)) == pytest.approx(np.divide(drawn, max(drawn)), rel=1e-9)


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_slider_shows_what_the_formulas_give(page, kind):
    make, values = KINDS[kind]
    for name in make.SETTINGS:
        slider = of(page, kind).locator(f"input[type=range][name={name}]")
        for place in (0, int(slider.get_attribute("max"))):
            slider.evaluate(
                "(s, p) => { s.value = p; s.dispatchEvent(new Event('input', {bubbles: true})); }", place
            )
            at = page.evaluate("(kind) => ({...document.querySelector(`[data-kind=${kind}]`).at})", kind)
            assert page.evaluate(SHOWN, kind) == pytest.approx(values(**at), rel=1e-12, abs=1e-12)


def test_an_address_sets_its_own_explorer_and_no_other(page):
    others = {kind: page.evaluate(SHOWN, kind) for kind in ("one", "nested")}
    box = of(page, "crossed").locator("input[type=text][name=theta]")
    box.fill("33.3")
    box.press("Enter")
    of(page, "crossed").get_by_role("link", name="Link to these settings").click()
    assert "#of=crossed&" in page.url
    address, before = page.url, page.evaluate(SHOWN, "crossed")
    assert before == pytest.approx(explorer.crossed_values(4, 9, 33.3, 12, 8), rel=1e-12)
    page.goto("about:blank")
    page.goto(f"{address}&a=oops&b=2&K=4&constructor=1")
    assert page.evaluate(SHOWN, "crossed") == before
    assert {kind: page.evaluate(SHOWN, kind) for kind in others} == others
    of(page, "crossed").get_by_role("button").click()
    assert page.evaluate(SHOWN, "crossed") == pytest.approx(CrossedExplorer().values, rel=1e-14)


@pytest.mark.parametrize(
    ("kind", "name", "text"),
    [("nested", "J", "2"), ("nested", "m", "2.5"), ("crossed", "theta", "0"), ("crossed", "b", "inf")],
)
def test_what_is_no_setting_is_said_and_changes_nothing(page, kind, name, text):
    before = page.evaluate(SHOWN, kind)
    box = of(page, kind).locator(f"input[type=text][name={name}]")
    box.fill(text)
    box.press("Enter")
    assert page.evaluate(SHOWN, kind) == before
    assert of(page, kind).locator("[role=status]").inner_text().startswith(f"{name} takes ")


def test_it_works_by_keyboard_and_says_what_changed(page):
    slider = of(page, "nested").locator("input[type=range][name=psi_class]")
    slider.focus()
    page.keyboard.press("Home")
    assert slider.get_attribute("aria-valuetext") == "0"
    found = page.evaluate(SHOWN, "nested")
    assert found["school_class"] == pytest.approx(found["both_class"], rel=1e-12)
    assert "12 schools alone reports 100% for a predictor of classes" in (
        of(page, "nested").locator("[role=status]").inner_text()
    )
    visited = []
    for _ in range(12):
        page.keyboard.press("Tab")
        visited.append(page.evaluate("() => document.activeElement.name || document.activeElement.tagName"))
    assert visited == [
        "psi_class",
        *[name for name in ("theta", "J", "m", "n") for _ in (0, 1)],
        "BUTTON",
        "A",
        "psi_a",
    ]


def test_axe_finds_nothing_and_no_width_is_too_narrow(page):
    assert wrong(page, show=paint) == {}
