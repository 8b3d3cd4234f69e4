"""The live explorer: the page's own arithmetic equals helpers.formulas, and everything works by keyboard."""

import math
import random
import re
from statistics import NormalDist

import numpy as np
import pytest
from accessible import paint, wrong
from scipy import integrate

from helpers import formulas
from helpers.course import explorer
from helpers.course.explorer import Explorer

PAGE = '<!doctype html><html lang="en"><title>x</title><meta name="viewport" content="width=device-width">'
NAMES = ["psi", "theta", "n", "J", "K", "psi_x"]
SHOWN = """() => Object.fromEntries(
    [...document.querySelectorAll("data")].map((cell) => [cell.dataset.of, Number(cell.value)]))"""


@pytest.fixture
def page(show):
    """The seed's explorer on a page of its own."""
    return show(PAGE + html())


def html(**settings):
    return f"<main><h1>x</h1>{Explorer(**settings)._repr_html_()}</main>"


def slider(page, name):
    return page.locator(f"input[type=range][name={name}]")


def box(page, name):
    return page.locator(f"input[type=text][name={name}]")


def status(page):
    return page.locator("[role=status]").inner_text()


def type_in(page, name, text):
    box(page, name).fill(text)
    box(page, name).press("Enter")


# ---- in Python ---------------------------------------------------------------------------------------


def test_it_starts_at_the_seeds_values(classrooms):
    found = Explorer().values
    shown = {"group": "8.865", "these": "1.982", "all": "4.716", "finite": "4.716", "rows": "2.400",
             "new": "19.710", "effect": "3.861", "effective": "51.801", "F": "5.660"}  # fmt: skip
    assert {name: f"{found[name]:.3f}" for name in shown} == shown
    assert repr(Explorer()).splitlines()[:2] == [
        "8.865  one class of the study",
        "1.982  just these J classes",
    ]
    assert found["F"] == pytest.approx(
        10 * classrooms.groupby("classroom", observed=True)["score"].mean().var() / Explorer().at["theta"],
        rel=1e-10,
    )


def test_the_values_are_those_of_the_formulas():
    found = explorer.values(400, 900, 5, 12, 30)
    assert found["finite"] == formulas.se_finite_population(400, 900, 12, 5, 30)
    assert found["new"] == formulas.se_new_group_mean(400, 900, 12, 5)
    assert found["effective"] == pytest.approx(60 / found["effect"])
    assert found["F"] == pytest.approx(1 + 5 * 400 / 900)


def test_the_average_slope_is_that_of_classes_whose_predictor_has_variance_1():
    found = explorer.values(400, 900, n=5, J=12, psi_x=50)
    x = np.array([-1, -1, 0, 1, 1]) * math.sqrt(5 / 4)
    s = float(x @ x)
    assert s == pytest.approx(5)
    assert found["slope"] == pytest.approx(math.sqrt((50 + 900 / s) / 12), rel=1e-14)
    assert found["reported"] == pytest.approx(
        math.sqrt((900 + 50 * s * 11 / (12 * 4 - 1)) / (12 * s)), rel=1e-14
    )
    assert found["floor"] == formulas.se_floor(50, 12) < found["slope"]
    assert explorer.values(400, 900, n=5, J=12)["slope"] == pytest.approx(
        explorer.values(400, 900, n=5, J=12)["reported"], rel=1e-14
    )


def test_how_often_the_intervals_hold_is_by_t_of_the_errors_shown():
    found = explorer.values(400, 900, n=5, J=12, psi_x=50)
    covers = {
        "holds_all": (1, 11),
        "holds_these": (found["these"] / found["all"], 12 * 4),
        "holds_rows": (
            math.sqrt(formulas.complete_pooling_variance(400, 900, 12, 5) / 60) / found["all"],
            59,
        ),
        "holds_slope": (1, 11),
        "holds_reported": (found["reported"] / found["slope"], 12 * 4 - 1),
    }
    z = NormalDist().inv_cdf(0.975)
    for name, (ratio, df) in covers.items():
        density, _ = integrate.quad(lambda t, df=df: (1 + t * t / df) ** (-(df + 1) / 2), 0, z * ratio)
        scale = 2 * math.gamma((df + 1) / 2) / math.gamma(df / 2) / math.sqrt(math.pi * df)
        assert found[name] == pytest.approx(scale * density, rel=1e-10), name
    assert found["holds_these"] < found["holds_rows"] < found["holds_all"] > found["holds_reported"]


def test_one_pupil_a_class_has_no_slope():
    found = Explorer(n=1, psi_x=50)
    assert math.isnan(found.values["slope"])
    assert "–  as a random intercept reports it" in repr(found)
    assert found._repr_html_().count(">–</data>") == 5
    assert found.values["holds_rows"] == found.values["holds_all"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"theta": 0}, "theta must be positive"),
        ({"psi_x": -1}, "psi_x must be finite and at least 0"),
        ({"psi": -1}, "psi must be finite and at least 0"),
        ({"n": 0.5}, "n must be finite and at least 1"),
        ({"K": 19}, "K, the number of classes in the population, must be at least J = 20"),
        ({"J": math.nan}, "J must be finite"),
        ({"J": 1}, "J must be a whole number from 2; got 1"),
        ({"n": 2.5}, "n must be a whole number from 1; got 2.5"),
        ({"J": 20.5}, "J must be a whole number from 2; got 20.5"),
        ({"K": 40.5}, "K must be a whole number from J, or inf; got 40.5"),
    ],
)
def test_what_no_formula_takes_is_refused(settings, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Explorer(**settings)


@pytest.mark.parametrize(
    ("name", "value", "takes"),
    [
        ("K", "inf", "a whole number from J, or inf"),
        ("psi", [1, 2], "a number from 0"),
        ("n", "10", "a"),
    ],
)
def test_what_is_no_number_is_refused(name, value, takes):
    with pytest.raises(TypeError, match=re.escape(f"{name} must be {takes}")):
        Explorer(**{name: value})


def test_the_output_is_the_same_each_time_whole_without_a_script_and_asks_for_nothing():
    text = Explorer()._repr_html_()
    assert text == Explorer()._repr_html_()
    assert not re.search(r"https?:|src=|@import|url\(", text)
    assert re.search(r'<data data-of="all" value="4.71602185\d*">4.716</data>', text)


# ---- in Chromium -------------------------------------------------------------------------------------


def test_what_python_shows_stays_when_the_script_takes_over(page):
    assert page.evaluate(SHOWN) == pytest.approx(Explorer().values, rel=1e-14)
    assert [cell.inner_text() for cell in page.locator("td data").all()][:2] == ["8.865", "1.982"]
    assert status(page) == (
        "F = 5.660 is below J = 20, so the SE of the mean of all classes, 4.716, is smaller than that of "
        "one class mean, 8.865."
    )


def test_two_hundred_random_settings_equal_the_formulas(page):
    rng, settings = random.Random(7), []
    for _ in range(200):
        J = rng.randint(2, 300)
        psi, theta = rng.choice([0.0, 10 ** rng.uniform(-4, 5)]), 10 ** rng.uniform(-4, 5)
        K = rng.choice([math.inf, J, J + rng.randint(1, 10_000)])
        psi_x = rng.choice([0.0, 10 ** rng.uniform(-4, 5)])
        settings.append(
            {"psi": psi, "theta": theta, "n": rng.randint(1, 500), "J": J, "K": K, "psi_x": psi_x}
        )
    addresses = ["&".join(f"{name}={value!r}" for name, value in at.items()) for at in settings]
    found = page.evaluate(
        f"""async (addresses) => {{ const shown = {SHOWN}, found = [];
        for (const address of addresses) {{
          const heard = new Promise((done) => addEventListener("hashchange", done, {{ once: true }}));
          location.hash = address;
          await heard;
          found.push(shown());
        }}
        return found; }}""",
        addresses,
    )
    for at, told in zip(settings, found, strict=True):
        assert told == pytest.approx(explorer.values(**at), rel=1e-9, abs=1e-12, nan_ok=True), at


def test_every_seventh_place_of_every_slider_shows_what_the_formulas_give(page):
    for name in NAMES:
        last = int(slider(page, name).get_attribute("max"))
        found = slider(page, name).evaluate(
            f"""(slider, places) => {{ const shown = {SHOWN};
            return places.map((place) => {{
              slider.value = place;
              slider.dispatchEvent(new Event("input", {{ bubbles: true }}));
              return [{{ ...document.querySelector("se-explorer").at }}, shown()];
            }}); }}""",
            [*range(0, last, 7), last],
        )
        assert len({at[name] for at, _ in found}) > 4
        for at, told in found:
            assert told == pytest.approx(explorer.values(**at), rel=1e-12, abs=1e-12, nan_ok=True), at


def test_degrees_of_freedom_without_end_and_very_few_are_told_as_the_formulas_tell_them(page):
    sizes = [(2, 1), (2, 2), (3, 1), (3, 2), (2, 15_000), (2, 15_001), (3, 10_001), (1000, 10**9)]
    for J, n in sizes:
        at = {"psi": 400.0, "theta": 900.0, "n": n, "J": J, "K": math.inf, "psi_x": 50.0}
        page.evaluate("([at, K]) => document.querySelector('se-explorer').set({...at, K})", [at, math.inf])
        assert page.evaluate(SHOWN) == pytest.approx(explorer.values(**at), rel=1e-10, nan_ok=True), at


def test_the_link_holds_the_state_and_an_address_with_it_brings_it_back(page):
    type_in(page, "psi", "123.456")
    type_in(page, "K", "40")
    page.get_by_role("link", name="Link to these settings").click()
    assert "psi=123.456" in page.url
    before = page.evaluate(SHOWN)
    page.get_by_role("button", name="Back to the start").click()
    assert page.evaluate(SHOWN) == pytest.approx(Explorer().values, rel=1e-14)
    page.goto("about:blank")
    page.goto("http://explorer.invalid/#psi=123.456&K=40&n=oops&constructor=1")
    assert page.evaluate(SHOWN) == before


@pytest.mark.parametrize(
    ("name", "text"),
    [("theta", "0"), ("theta", "a lot"), ("n", "2.5"), ("J", "1"), ("psi", "-1"), ("K", ""), ("psi_x", "-1")],
)
def test_what_is_no_setting_is_said_and_changes_nothing(page, name, text):
    before, was = page.evaluate(SHOWN), box(page, name).input_value()
    type_in(page, name, text)
    assert page.evaluate(SHOWN) == before
    assert box(page, name).input_value() == was
    assert status(page).startswith(f"{name} takes ")


def test_the_population_holds_at_least_the_classes_of_the_study(page):
    type_in(page, "K", "5")
    assert box(page, "K").input_value() == "20"
    assert status(page) == "K takes a whole number from J, or inf: it is 20 now."
    type_in(page, "J", "30")
    assert box(page, "K").input_value() == "30"
    assert page.evaluate(SHOWN)["finite"] == pytest.approx(page.evaluate(SHOWN)["these"], rel=1e-12)


def test_it_works_by_keyboard_alone(page):
    visited = []
    for _ in range(14):
        page.keyboard.press("Tab")
        visited.append(page.evaluate("() => document.activeElement.name || document.activeElement.tagName"))
    assert visited == [*(name for name in NAMES for _ in range(2)), "BUTTON", "A"]
    slider(page, "n").focus()
    for key, value in [("ArrowRight", "11"), ("ArrowUp", "12"), ("Home", "1"), ("End", "100")]:
        page.keyboard.press(key)
        assert box(page, "n").input_value() == value
        assert slider(page, "n").get_attribute("aria-valuetext") == value
    page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("10")
    page.keyboard.press("Tab")
    assert page.evaluate(SHOWN)["all"] == pytest.approx(Explorer().values["all"], rel=1e-12)
    assert slider(page, "K").get_attribute("aria-valuetext") == "infinitely many"


def test_the_line_f_equals_j_is_crossed(page):
    type_in(page, "J", "3")
    assert "is above J = 3" in status(page)
    assert "is larger than that of one class mean" in status(page)
    assert float(page.locator("circle").get_attribute("cx")) < 200 - float(
        page.locator("circle").get_attribute("cy")
    )


def test_more_pupils_bring_down_what_is_reported_and_not_the_average_slope(page):
    type_in(page, "psi_x", "50")
    type_in(page, "n", "100")
    found = page.evaluate(SHOWN)
    assert found["floor"] == pytest.approx(math.sqrt(50 / 20), rel=1e-12)
    assert found["reported"] < found["floor"] < found["slope"]
    widths = [float(page.locator(f"rect[data-of={k}]").get_attribute("width")) for k in ("slope", "reported")]
    assert widths[0] / widths[1] == pytest.approx(found["slope"] / found["reported"], rel=1e-9)
    type_in(page, "n", "1")
    assert page.locator("data[data-of=slope]").inner_text() == "–"
    assert page.locator("rect[data-of=slope]").get_attribute("width") == "0"


def test_axe_finds_nothing_and_no_width_is_too_narrow(page):
    assert wrong(page, show=paint) == {}
