"""The built site is self-contained, typeset, described, linked and accessible; faults stop the build."""

import functools
import gzip
import os
import pickle
import re
import subprocess
import sys
import threading
import tomllib
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import chapter_tools
import feedback
import pandas as pd
import pdf
import pytest
import use_page
from accessible import ALL_MODES, MODES, faults, thin, turn
from bs4 import BeautifulSoup, SoupStrainer
from docutils import nodes
from jinja2 import Template
from sphinx.config import Config

import helpers
from helpers.course import datasets, which
from helpers.course.stated import ledger

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "book"
# Every eighth page on paper; `ALL_MODES=1 make test` has all.
PRINTED = pdf.order()[:: 1 if MODES == ALL_MODES else 8]

# Runs in the page: everything the tests ask about it, with all that folds unfolded.
LOOK = r"""async () => {
  document.querySelectorAll("details").forEach((fold) => { fold.open = true; });
  document.querySelectorAll("img").forEach((image) => { image.loading = "eager"; });
  await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
  await new Promise((done) => setTimeout(done, 50));  // the toggle events
  const article = document.querySelector("article") ?? document.body;
  const prose = article.cloneNode(true);
  prose.querySelectorAll(".katex, pre, code, script, style").forEach((part) => part.remove());
  return {
    theme: document.documentElement.dataset.theme,
    equations: article.querySelectorAll(".math .katex-html").length,
    wide: [...article.querySelectorAll("div.math .katex-html")].map((equation) => {  // in em
      const inside = document.createRange();
      inside.selectNodeContents(equation);
      return inside.getBoundingClientRect().width / parseFloat(getComputedStyle(equation).fontSize);
    }),
    refused: document.querySelectorAll(".katex-error").length,
    prose: prose.textContent,
    images: [...article.querySelectorAll("img")].map((image) => [image.alt, image.naturalWidth]),
    ids: [...document.querySelectorAll("[id]")].map((node) => node.id),
    links: [...document.querySelectorAll("a[href]")].map((link) => link.href),
    overflow: document.documentElement.scrollWidth - window.innerWidth,
  };
}"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The folder of the book, built afresh from the stored outputs of the working tree."""
    target = tmp_path_factory.mktemp("site")
    options = ["--config", "book/_config.yml", "--toc", "book/_toc.yml", "--path-output", target]
    book = Path(sys.executable).with_name("jupyter-book")  # the package does not run with -m
    command = [book, "build", ".", *options, "-W", "-n", "--keep-going"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if run.returncode:
        pytest.fail(f"the book does not build:\n{run.stdout[-2000:]}\n{run.stderr}", pytrace=False)
    return target / "_build"


@pytest.fixture(scope="session")
def site(built):
    """The address of the built book, served on this machine."""
    handler = functools.partial(Quiet, directory=built / "html")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="session")
def visits(built, site, browser):
    """What every page showed in every mode, by (page, mode); the index only leads elsewhere."""
    html = built / "html"
    pages = {str(file.relative_to(html)) for file in html.rglob("*.html")} - {"index.html"}
    pages = sorted(
        page for page in pages if not page.startswith("_downloads")
    )  # reports have tests of their own
    page = opened(browser, "about:blank", *MODES[0])  # one for all: half the time
    seen = {}
    for k, name in enumerate(pages):  # loaded in one mode, turned to the others
        modes = MODES[k % len(MODES) :] + MODES[: k % len(MODES)]
        seen |= {(name, mode): saw for mode, saw in visit(page, site, name, modes)}
    page.context.close()
    return seen


def opened(browser, address, scheme, width):
    """A page in one mode, in a context of its own."""
    size = {"width": width, "height": 900}
    page = browser.new_context(color_scheme=scheme, viewport=size, reduced_motion="reduce").new_page()
    page.goto(address, wait_until="load")
    return page


def visit(page, site, name, modes):
    """What a page loaded in the first of the modes shows in each, a pair of the mode and what was seen."""
    foreign, failed, errors, asked = [], [], [], set()

    def on_request(request):
        if request.url.startswith(site):
            asked.add(urlsplit(request.url).path.lstrip("/"))
        elif not request.url.startswith(("data:", "blob:")):
            foreign.append(request.url)

    listeners = {
        "request": on_request,
        "response": lambda r: r.ok or r.status == 304 or failed.append(f"{r.status} {r.url}"),
        "requestfailed": lambda r: failed.append(r.url),
        "console": lambda m: m.type in ("error", "warning") and errors.append(m.text),
        "pageerror": lambda e: errors.append(str(e)),
    }
    for event, listener in listeners.items():
        page.on(event, listener)
    seen = {}
    for mode in modes:
        turn(page, *mode)
        if not seen:
            page.goto(site + name, wait_until="load")
        seen[mode] = page.evaluate(LOOK)
    thin(page)
    for mode in reversed(modes):
        turn(page, *mode)
        seen[mode]["axe"] = faults(page)
    for event, listener in listeners.items():
        page.remove_listener(event, listener)
    heard = {"foreign": foreign, "failed": failed, "errors": errors, "asked": asked}
    return [(f"{scheme} {width}", saw | heard) for (scheme, width), saw in seen.items()]


def expect_none(visits, find):
    """Fail with a line for every page and mode in which `find` finds something."""
    bad = [f"{page} ({mode}): {fault}" for (page, mode), saw in visits.items() if (fault := find(saw))]
    assert not bad, "\n".join(bad)


@pytest.mark.parametrize("what", ["foreign", "failed", "errors", "axe"])
def test_pages_have_no_faults(visits, what):
    """No request to another host, no failed response, no console message, no axe violation."""
    expect_none(visits, lambda saw: saw[what])


def test_every_chapter_is_seen_in_both_themes(visits):
    chapters = {file.with_suffix(".html").name for file in ROOT.glob("notebooks/*.ipynb")}
    assert chapters <= {Path(page).name for page, _ in visits}
    assert all(mode.startswith(saw["theme"]) for (_, mode), saw in visits.items())


def test_every_equation_is_typeset(built, visits):
    """As many as the parsed sources hold, and no TeX left in the prose."""
    for page in {page for page, _ in visits}:
        source = built / ".doctrees" / Path(page).with_suffix(".doctree")
        if source.is_file():
            tree = pickle.loads(source.read_bytes())
            expected = sum(isinstance(node, nodes.math | nodes.math_block) for node in tree.findall())
            found = {mode: saw["equations"] for (name, mode), saw in visits.items() if name == page}
            assert set(found.values()) == {expected}, (page, found)
    expect_none(visits, lambda saw: saw["refused"])
    expect_none(visits, lambda saw: re.findall(r"\$\$|\$\S+\$|\\[a-zA-Z]+", saw["prose"]))


def test_figures_are_described_and_load(visits):
    def poor(image):
        alt, width = image
        return len(alt) <= 20 or re.search(r"\.(png|svg|jpe?g)$", alt) or not width

    expect_none(visits, lambda saw: [*filter(poor, saw["images"])])


def test_internal_links_resolve(built, site, visits):
    ids = {page: {*saw["ids"], "", "top"} for (page, _), saw in visits.items()}

    def dead(saw):
        settings = ("#psi=", "#of=", "#/")  # of the explorers, of the chooser
        links = [
            link for link in saw["links"] if link.startswith(site) and not any(s in link for s in settings)
        ]
        paths = [urlsplit(link.removeprefix(site)) for link in links]
        return [
            p.geturl()
            for p in paths
            if p.fragment not in ids.get(p.path, {""}) or not (built / "html" / p.path).is_file()
        ]

    expect_none(visits, dead)


def test_no_page_scrolls_sideways(visits):
    expect_none(visits, lambda saw: saw["overflow"] > 0 and f"{saw['overflow']} px too wide")


def test_no_page_is_heavy(built, visits):
    """Everything a page asks for: 1.5 MB unpacked; packed 350 kB for the first page, 500 kB for a chapter."""
    most = {"book/intro.html": 350_000, CALCULATOR: 400_000}

    def sizes(path):
        content = (built / "html" / path).read_bytes()
        return len(content), len(content if path.endswith((".png", ".woff2")) else gzip.compress(content))

    for (page, mode), saw in visits.items():
        raw, packed = map(sum, zip(*map(sizes, saw["asked"]), strict=True))
        assert raw <= 1_500_000, f"{page} ({mode}): {raw}"
        assert packed <= most.get(page, 500_000), f"{page} ({mode}): {packed}"


def test_every_stated_value_is_shown_and_agrees(built):
    page = BeautifulSoup(
        (built / "html" / "book" / "numbers.html").read_text(encoding="utf-8"), "html.parser"
    )
    rows = [[cell.get_text(strip=True) for cell in row("td")] for row in page.select("table.ledger tbody tr")]
    assert [row[0] for row in rows] == ledger()["value"].tolist()
    assert {row[1] for row in rows} == {"yes"}
    assert all(row[2] for row in rows)
    assert f"{len(ledger())} of {len(ledger())} agree." in page.get_text()
    links = [a["href"].split("#") for a in page.select("table.ledger tbody a")]
    assert len(links) >= len(rows)
    assert all(place.startswith("check-") for _, place in links)


def test_each_chapter_can_be_taken_along_with_its_data(built):
    for notebook in ROOT.glob("notebooks/*.ipynb"):
        html = (built / "html" / "notebooks" / f"{notebook.stem}.html").read_text(encoding="utf-8")
        files = re.findall(r'<a download href="\.\./_downloads/([^"]+)"', html)
        assert files[0] == notebook.name
        assert (built / "html" / "_downloads" / files[0]).read_bytes() == notebook.read_bytes()
        assert all((built / "html" / "_downloads" / file).is_file() for file in files)
    taken = built / "html" / "_downloads" / f"{chapter_tools.SAMPLE}-report.html"
    assert "mean of all groups" in BeautifulSoup(taken.read_text(encoding="utf-8"), "html.parser").get_text()
    for name in chapter_tools.DATA:
        taken = pd.read_csv(built / "html" / "_downloads" / f"{name}.csv")
        assert len(taken) == len(getattr(datasets, name)())


@pytest.mark.parametrize(
    ("address", "provider", "buttons"),
    [
        ("", None, set()),
        ("https://host.invalid/owner/course/", "github", {"binderhub_url"}),
        ("https://gitlab.host.invalid/owner/course", "gitlab", {"binderhub_url"}),
        ("https://github.com/owner/course", "github", {"binderhub_url", "colab_url"}),
    ],
)
def test_launch_buttons_are_there_only_with_a_repository(address, provider, buttons, monkeypatch):
    monkeypatch.setenv("REPOSITORY_URL", address)
    config = Config({}, {"html_theme_options": {"search_bar_text": "Search"}})
    config.add("html_theme_options", {}, "html", ())
    chapter_tools.launch(None, config)
    options = config.html_theme_options
    assert options["search_bar_text"] == "Search"
    assert options.get("repository_url") == (address.rstrip("/") or None)
    assert options.get("repository_provider") == provider
    assert options.get("use_repository_button", False) is bool(provider and provider in address)
    assert options.get("launch_buttons", {}).keys() - {"notebook_interface"} == buttons


@pytest.mark.parametrize("address", ["", "https://host.invalid/owner/course/"])
def test_the_foot_of_a_page_reports_a_mistake_with_page_and_version_if_there_is_a_repository(
    address, monkeypatch
):
    monkeypatch.setenv("REPOSITORY_URL", address)
    context = {"title": "07 <em>Shrinkage</em> &amp; more", "pathto": lambda page: f"../{page}.html"}
    feedback.add(None, "notebooks/07_shrinkage", "page.html", context, None)
    text = (BOOK / "_templates" / "course-footer.html").read_text(encoding="utf-8")
    links = BeautifulSoup(Template(text).render(context), "html.parser")("a")
    assert [link.get_text() for link in links[1:]] == ["Report a mistake on this page"] * bool(address)
    for link in links[1:]:
        parts = urlsplit(link["href"])
        assert parts._replace(query="").geturl() == "https://host.invalid/owner/course/issues/new"
        (title,), (body,) = (parse_qs(parts.query, strict_parsing=True)[key] for key in ("title", "body"))
        assert title == "Mistake: 07 Shrinkage & more"
        assert f"Page: notebooks/07_shrinkage\nVersion: {helpers.__version__}\n" in body


# What is asked, and where the first hit may lead: a section, by its address.
QUERIES = {
    "lmer standard error smaller than lm": "intro.html#what-brought-you-here",
    "random slope": "glossary.html#random-slope|14_slopes_that_vary",
    "singular": "glossary.html#singular-fit|06_estimating_the_variances.html#when",
    "intraclass": "glossary.html#intraclass-correlation|06_estimating_the_variances.html#an-exact",
    "licence": "use.html#licence",
    "install": "use.html#run-it",
    "Excel": "13_your_own_data.html#your-file",
    "slides": "use.html#teach-with-it",
    "Kenward-Roger": "glossary.html#kenward-roger|09_few_clusters",
    "report": "12_design_and_report.html#a-report|13_your_own_data.html#a-sentence",
    "0.2443936": "01_the_question.html",
    "shrinkage": "glossary.html#shrinkage|07_shrinkage",
}
FORMULA = "04_balanced|03_four|12_design"
FOUND = {"4.716022": "01_the_question", "sqrt(psi/J)": FORMULA, "√(ψ/J)": FORMULA}


@pytest.mark.parametrize("served", [True, False], ids=["served", "from files"])
def test_search_leads_to_the_right_section_first_and_shows_its_words(built, site, browser, served):
    page, errors, sections = browser.new_page(), [], set()
    page.on("console", lambda m: m.type in ("error", "warning") and errors.append(m.text))
    page.on("pageerror", lambda e: errors.append(str(e)))
    start = site if served else f"{(built / 'html').as_uri()}/"
    for query, right in [*(QUERIES | FOUND).items()][:: 1 if served else 4]:
        page.goto(f"{start}search.html?q={quote(query)}")
        hits = page.locator("ul.search li")
        hits.first.wait_for(timeout=10_000)
        found = [hit.get_attribute("href") for hit in page.locator("ul.search a").all()[:10]]
        assert re.search(right, found[0] if query in QUERIES else " ".join(found)), (query, found)
        told = hits.first.locator("p.context").inner_text()
        assert 20 < len(told) < 260, (query, told)
        assert not re.search(r"\\\\[a-z]|Contents\b.*Contents", told), (query, told)
        sections |= set(found)
    page.close()
    assert not errors
    for address in sections:  # each hit is a place that there is
        name, _, place = address.partition("#")
        html = (built / "html" / name).read_text(encoding="utf-8")
        assert not place or f'id="{place}"' in html, address


def test_pages_work_as_files(built, browser):
    page, errors = browser.new_page(), []
    page.on("console", lambda m: m.type in ("error", "warning") and errors.append(m.text))
    page.on("pageerror", lambda e: errors.append(str(e)))
    notebooks = ("04_balanced_formulas", "explorer", "explorer_two")
    for name in ("book/intro", "book/which", "book/calculator", *(f"notebooks/{name}" for name in notebooks)):
        page.goto((built / "html" / f"{name}.html").as_uri(), wait_until="load")
        assert page.locator("article h1").first.is_visible()
    page.close()
    assert not errors


# ---- paper, and a phone ----

PAPER = """() => {
  const height = (node) => node.getBoundingClientRect().height;
  const solutions = [...document.querySelectorAll("details.hide")];
  const size = (node) => parseFloat(getComputedStyle(node).fontSize);
  return {
    solutions: solutions.map((fold) => height(fold.querySelector(".highlight pre"))),
    notes: [...document.querySelectorAll(".admonition.toggle > :not(.admonition-title)")].map(height),
    buttons: [...document.querySelectorAll(".toggle-button, .copybtn, .enlarge")].filter(height).length,
    smallest: Math.min(...[...document.querySelectorAll("div.math .katex")].map(size)),
    text: size(document.querySelector("article p")),
  };
}"""
PHONE = """() => ({
  figures: [...document.querySelectorAll("figure img")].map((image) => image.getBoundingClientRect().right),
  scrolls: [...document.querySelectorAll("article pre")].filter((box) => box.scrollWidth > box.clientWidth)
    .map((box) => [box.tabIndex, getComputedStyle(box).backgroundImage.split("linear-gradient").length - 1]),
  copy: [...document.querySelectorAll("button.copybtn")].map((button) => getComputedStyle(button).opacity),
})"""


def test_paper_shows_what_is_folded_and_equations_in_the_size_of_the_text(site, browser):
    page = browser.new_page()
    page.goto(f"{site}notebooks/10_robust_and_resampled.html", wait_until="load")
    page.emulate_media(media="print")
    seen = page.evaluate(PAPER)
    page.close()
    assert len(seen["solutions"]) >= 3
    assert min(seen["solutions"]) > 20
    assert min(seen["notes"]) > 0
    assert seen["buttons"] == 0
    assert seen["smallest"] >= seen["text"]


def test_no_equation_is_wider_than_the_paper(visits):
    """A4 leaves 562 px beside an equation's number, and its em there is 10.5 pt times 1.12."""
    expect_none(visits, lambda saw: [wide for wide in saw["wide"] if wide > 562 / (14 * 1.12)])
    assert max(wide for saw in visits.values() for wide in saw["wide"]) > 30


def test_on_a_phone_figures_fit_and_what_scrolls_says_so(site, browser):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{site}notebooks/01_the_question.html", wait_until="load")
    seen = page.evaluate(PHONE)
    assert seen["figures"]
    assert max(seen["figures"]) <= 390
    assert seen["scrolls"]
    assert all(index == 0 and shades == 4 for index, shades in seen["scrolls"])
    assert set(seen["copy"]) == {"1"}
    page.get_by_role("button", name="Enlarge the figure").first.click()
    assert max(page.evaluate(PHONE)["figures"]) > 390
    page.get_by_role("button", name="Fit the figure to the page").click()
    assert max(page.evaluate(PHONE)["figures"]) <= 390
    assert page.locator("se-exercise .exercise-mark:empty").first.is_hidden()
    narrow = page.locator("#fig-01-bound")  # drawn for a phone: 11 points are 22 of its own pixels
    assert 22 * narrow.locator("img").evaluate("(image) => image.width / image.naturalWidth") > 11
    assert narrow.locator("button").count() == 0
    context.close()


def test_the_shadow_at_the_edge_of_a_table_shows_through_its_stripes(site, browser):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{site}book/bench.html", wait_until="load")
    grounds = page.evaluate("""() => [...document.querySelectorAll(".pst-scrollable-table-container")]
      .filter((box) => box.scrollWidth > box.clientWidth)
      .flatMap((box) => [...box.querySelectorAll("table, tr, th, td")])
      .map((part) => getComputedStyle(part).backgroundColor)""")
    context.close()
    assert grounds
    assert {ground for ground in grounds if not ground.startswith("rgba")} == set()


# ---- the chooser ---------------------------------------------------------------------------------

CHOOSER = "book/which.html"


def chosen(page):
    """The name of the end that the chooser shows, or nothing."""
    ends = page.locator("se-which section h3").all_inner_texts()
    return ends[0].removesuffix("#").strip() if ends else None


def press_link(page, target):
    """Reach a link by Tab from where the focus is, and follow it."""
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('href')") == target:
            return page.keyboard.press("Enter")
    raise AssertionError(f"no Tab reaches {target}")


def walk(page, given, answers):
    """From where some answers lead, give the others by keyboard alone."""
    arrived = "address => location.hash === address && document.activeElement.matches('se-which h2')"
    page.evaluate("address => { location.hash = address; }", "#/" + "/".join(given))
    page.wait_for_function("document.activeElement.matches('se-which h2')")
    for k in range(len(given) + 1, len(answers) + 1):
        address = "#/" + "/".join(answers[:k])
        press_link(page, address)
        page.wait_for_function(arrived, arg=address)


@pytest.mark.parametrize("served", [True, False], ids=["served", "from files"])
def test_every_path_of_the_chooser_is_walked_by_keyboard_alone(built, site, browser, served):
    """Served, each answer once, from where the answers before it lead; from files, each tenth whole path."""
    page, errors, asked = browser.new_page(reduced_motion="reduce"), [], []
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.goto((site if served else f"{(built / 'html').as_uri()}/") + CHOOSER, wait_until="load")
    page.on("request", lambda r: r.url.endswith("favicon.svg") or asked.append(r.url))
    walks = dict(which.paths())
    starts = {answers[:k]: answers[: k - 1] for answers in walks for k in range(1, len(answers) + 1)}
    for answers, given in starts.items() if served else [(path, ()) for path in [*walks][::10]]:
        walk(page, given, answers)
        if answers in walks:
            assert chosen(page) == which.tree()["ends"][walks[answers]]["name"]
            assert page.locator("[role=status]").inner_text() == "Answer"
            assert page.locator("se-which section").count() == 1
        else:
            asks = which.tree()["questions"][which.reached("/".join(answers))]["ask"]
            assert page.locator("se-which h2").inner_text() == asks
    page.close()
    assert not errors
    assert not asked


def test_an_address_of_the_chooser_can_be_sent_and_is_taken_as_far_as_it_goes(site, browser):
    page = browser.new_page()
    for address, heading in {
        "#/number/once/one/mean/rows": "Your standard error",
        "#end-these": "Your standard error",
        "#/number/once/one/mean/never": "What would be drawn anew if the study were repeated?",
        "#/": "What kind of outcome?",
        "#data-radon": "What kind of outcome?",
    }.items():
        page.goto("about:blank")
        page.goto(f"{site}{CHOOSER}{address}", wait_until="load")
        assert page.locator("se-which h2").inner_text() == heading
        assert (chosen(page) is not None) is (heading == "Your standard error")
        assert ("that there is not: never" in page.locator("[role=status]").inner_text()) is (
            "never" in address
        )
    page.goto(f"{site}{CHOOSER}#/number/once/one/mean/rows")
    page.locator(".which-trail a").nth(3).click()
    assert page.locator("se-which h2").inner_text() == "What do you want to speak of?"
    page.go_back()
    page.get_by_text("Your standard error").wait_for()
    page.close()


@pytest.mark.parametrize(("scheme", "width"), MODES)
def test_no_state_of_the_chooser_has_a_fault(site, browser, scheme, width):
    page = opened(browser, site + CHOOSER, scheme, width)
    questions = {which.reached("/".join(a[:k])): "/" + "/".join(a[:k])
                 for a, _ in which.paths() for k in range(len(a))}  # fmt: skip
    states = [*questions.values(), *(f"end-{end.replace('_', '-')}" for end in which.tree()["ends"])]
    for state in states:
        wide = page.evaluate(STATE, state)
        assert wide <= 0, f"{state}: {wide} px too wide"
    thin(page)
    for state in (max(questions.values(), key=len), "/" + "/".join(next(which.paths())[0])):
        page.evaluate(STATE, state)
        assert faults(page, "article") == [], state
    page.evaluate("document.querySelector('se-which').ends.hidden = false")  # every end at once
    page.evaluate("window.dispatchEvent(new Event('resize'))")
    assert faults(page, "article") == []
    page.context.close()


# Run in the page: how much wider it is after a change of address.
STATE = """async (state) => {
  location.hash = state;
  await new Promise((done) => setTimeout(done, 5));
  return document.documentElement.scrollWidth - window.innerWidth;
}"""


def test_without_scripts_the_chooser_is_a_table_and_every_end_can_be_read(site, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site + CHOOSER)
    rows = page.locator("table.which-table tbody tr")
    assert rows.count() == len(list(which.paths()))
    for end in which.tree()["ends"]:
        link = page.locator(f"table.which-table a[href='#end-{end.replace('_', '-')}']").first
        assert link.is_visible()
    assert page.locator("#which-ends ~ section, section#the-standard-errors").first.is_visible()
    context.close()


@pytest.mark.parametrize("served", [True, False], ids=["served", "from files"])
def test_a_language_is_chosen_by_keyboard_and_remembered_on_every_page(built, site, browser, served):
    base = site if served else f"{(built / 'html').as_uri()}/"
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{base}{CHOOSER}#/number/once/one/mean/rows", wait_until="load")
    page.locator("se-which .sd-tab-set input").first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert "lm(" in page.locator("se-which .sd-tab-content:visible").inner_text()
    page.close()
    page = context.new_page()  # another visit
    page.goto(f"{base}book/ends.html", wait_until="load")
    sets = page.locator(".sd-tab-set:has([data-sync-id=r])")
    assert sets.locator("input:checked + label").all_inner_texts() == ["R"] * sets.count()
    assert sets.count()
    page.locator("label[data-sync-id=sas]").first.click()
    assert set(
        page.locator(".sd-tab-set:has([data-sync-id=sas]) input:checked + label").all_inner_texts()
    ) == {"SAS"}
    context.close()


@pytest.mark.parametrize(("scheme", "width"), MODES)
def test_no_tab_of_a_language_has_a_fault(site, browser, scheme, width):
    page = opened(browser, f"{site}book/ends.html", scheme, width)
    languages = [page.locator(f"label[data-sync-id={key}]").first for key in ("statsmodels", "julia", "sas")]
    for label in languages:
        label.click()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), label
    thin(page)
    for label in languages:
        label.click()
        assert faults(page, "article") == [], label
    page.context.close()


@pytest.mark.parametrize("where", ["paper", "no scripts"])
def test_every_language_is_shown_on_paper_and_without_scripts(site, browser, where):
    context = browser.new_context(java_script_enabled=where == "paper")
    page = context.new_page()
    page.goto(f"{site}book/ends.html")
    page.emulate_media(media="print" if where == "paper" else "screen")
    for part in (".sd-tab-content", ".sd-tab-label"):
        assert page.locator(f"{part}:visible").count() == page.locator(part).count() > 0
    assert {"R", "Stata", "Julia", "SAS"} <= set(page.locator(".sd-tab-label").all_inner_texts())
    assert page.locator(".sd-tab-set > input:visible").count() == 0
    context.close()


@pytest.mark.parametrize(("scheme", "width"), MODES)
def test_no_reply_to_an_exercise_has_a_fault(site, browser, scheme, width):
    page = opened(browser, f"{site}notebooks/01_the_question.html", scheme, width)
    exercise = page.locator("se-exercise").first
    answer, hints = exercise.evaluate("({ exercise }) => [exercise.answer, exercise.hints]")
    states = {
        "must be": "a word",
        hints[0]["hint"]: hints[0]["wrong"][0],
        "right.": answer[0],
    }

    def replied():
        for said, typed in states.items():
            exercise.locator("input").fill(str(typed))
            exercise.get_by_role("button", name="Check").press("Enter")
            assert said in exercise.locator("[role=status]").inner_text()
            yield said

    for said in replied():
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), said
    thin(page)
    for said in replied():
        assert faults(page, "se-exercise") == [], said
    page.context.close()


def test_the_first_page_leads_into_the_chooser(site, browser):
    page = browser.new_page()
    page.goto(f"{site}book/intro.html")
    links = [link.get_attribute("href") for link in page.locator(".which-start a").all()]
    assert len(links) > 3
    for link in links:
        assert link.startswith("which.html#/")
        assert which.reached(link.split("#")[1])
    page.locator(".which-start a").first.click()
    page.wait_for_url("**/which.html#/**")
    assert page.locator("se-which h2").inner_text().endswith("?")
    page.close()


# ---- the calculator ------------------------------------------------------------------------------

CALCULATOR = "book/calculator.html"
TABLES = {  # what is pasted, and how the answer begins
    "refused": ("class;score\nA;x\nA;2\nB;3\nB;4", "Not worked out. Line 2"),
    "to be chosen": ("pupil;class;score\n1;A;1\n2;A;2\n3;B;3", "Not worked out. There are 3 columns"),
    "warned": (
        "class;score\nA;1,5\nA;\nB;2,5\nB;3,25\nC c;4\nCc;5\nA;2",
        "6 rows in 4 groups, 1 row left out.",
    ),
    "same means": ("g y\na 1\na 2\nb 1\nb 2\nc 1\nc 2", "6 rows in 3 groups."),
}


@pytest.mark.parametrize(("scheme", "width"), MODES)
def test_no_state_of_the_calculator_has_a_fault(site, browser, scheme, width):
    page, asked = opened(browser, site + CALCULATOR, scheme, width), []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="Show it with an example").click()
    for name, (text, begins) in {"example": (None, "200 rows in 20 groups"), **TABLES}.items():
        if text:
            page.get_by_role("textbox", name="Paste two columns").fill(text)
            page.get_by_role("button", name="Work it out").press("Enter")
        assert page.locator(".calculator-status").inner_text().startswith(begins), name
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
        assert faults(page, "article") == [], name
    page.get_by_label("A row for each group").check()
    page.get_by_role("textbox", name="a line for each group").fill("a 5 1,5 2\nb 6 3 2\nc 4 4 2,5")
    page.get_by_role("button", name="Work it out").press("Enter")
    assert page.locator(".calculator-status").inner_text().startswith("15 rows in 3 groups.")
    assert faults(page, "article") == []
    page.context.close()
    static = (f"{site}_static/", "data:", "blob:")  # axe reads the style sheets again
    assert [url for url in asked if not url.startswith(static)] == []


def test_the_calculator_works_from_a_file_and_is_linked_from_where_readers_come(built, browser):
    page, errors = browser.new_page(), []
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.goto((built / "html" / CALCULATOR).as_uri(), wait_until="load")
    page.get_by_role("button", name="Show it with an example").click()
    assert "4.716" in page.locator(".calculator-status").inner_text()
    page.locator(".calculator-result a").first.click()
    page.wait_for_url("**/09_few_clusters.html")
    page.close()
    assert not errors
    for name in ("book/intro", "book/use", "book/which", "notebooks/13_your_own_data"):
        html = (built / "html" / f"{name}.html").read_text(encoding="utf-8")
        assert BeautifulSoup(html, "html.parser").select("article a[href$='calculator.html']"), name


# ---- found and shared ----------------------------------------------------------------------------


def head(file):
    """What a page tells search engines and those it is sent to: name or property, and content."""
    said = SoupStrainer(["meta", "link", "footer"])
    soup = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser", parse_only=said)
    tags = [(tag.get("name") or tag.get("property"), tag["content"]) for tag in soup.select("meta[content]")]
    names = [name for name, _ in tags]
    assert len(names) == len(set(names) - {"viewport"}) + names.count("viewport"), file.name
    return dict(tags), soup


def test_every_page_describes_itself_and_no_two_chapters_alike(built):
    pages = [
        f for f in (built / "html").rglob("*.html") if f.name != "index.html" and "-report" not in f.name
    ]
    told = {}
    for file in pages:
        tags, soup = head(file)
        assert tags["description"] == tags["og:description"]
        assert 30 < len(tags["description"]) <= 200, f"{file.name}: {tags['description']}"
        assert "og:url" not in tags
        assert not soup.select("link[rel=canonical]")
        told[file.name] = tags["description"]
        footer = soup.select_one(".course-footer a")["href"]
        assert footer == "#" if file.name == "use.html" else footer.endswith("use.html")
    chapters = [told[f"{path.stem}.html"] for path in ROOT.glob("notebooks/*.ipynb")]
    assert len(set(chapters)) == len(chapters)
    assert told["03_four_estimands.html"].endswith("Which one is yours?")


PROJECT = """import sys
sys.path[:0] = [{extensions!r}]
extensions = ["myst_parser", "found_and_shared"]
myst_enable_extensions = ["dollarmath"]
html_title = "Course"
"""


def test_with_a_site_address_pages_say_it_and_a_lost_reader_finds_back(tmp_path):
    (tmp_path / "conf.py").write_text(PROJECT.format(extensions=str(BOOK / "_ext")), encoding="utf-8")
    words = "A page of some words. They are as many as a description needs. $x$ is left out.\n"
    (tmp_path / "index.md").write_text(f"# Page\n\n{words}", encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-W", "-q"]
    run = subprocess.run(
        [*command, tmp_path, tmp_path / "out"], capture_output=True, text=True, timeout=60,
        env=os.environ | {"SITE_URL": "https://host.invalid/course"},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    tags, soup = head(tmp_path / "out" / "index.html")
    assert tags["description"] == "A page of some words. They are as many as a description needs."
    assert tags["og:url"] == "https://host.invalid/course/index.html"
    assert tags["og:image"].endswith("/course/_static/which-standard-error.png")
    assert soup.select_one("link[rel=canonical]")["href"] == tags["og:url"]
    lost = BeautifulSoup((tmp_path / "out" / "404.html").read_text(encoding="utf-8"), "html.parser")
    assert all(a["href"].startswith("https://host.invalid/course/") for a in lost.select("a"))


def test_the_page_of_use_adds_up_and_plans_fit_their_time(built):
    told = use_page.chapters(ROOT)
    minutes = {number: (first, full) for number, (_, _, first, full) in told.items()}
    assert {"01": (20, 20), "05": (25, 40), "09": (25, 60), "13": (25, 45)}.items() <= minutes.items()
    html = (built / "html" / "book" / "use.html").read_text(encoding="utf-8")
    tables = [[[cell.get_text(strip=True) for cell in row("td")] for row in table.select("tbody tr")]
              for table in BeautifulSoup(html, "html.parser").select("table")]  # fmt: skip
    chapters, plans = tables
    assert len(chapters) == len(told) + 1
    assert chapters[-1][1] == str(sum(int(row[1]) for row in chapters[:-1]))
    for hours, (_, named, reading, _) in zip((1, 3, 6), plans, strict=True):
        text = re.sub(
            r"(\d\d) to (\d\d)",
            lambda m: ", ".join(f"{k:02}" for k in range(int(m[1]), int(m[2]) + 1)),
            named,
        )
        assert int(reading) == sum(minutes[number][0] for number in re.findall(r"\d\d", text))
        assert 30 * hours <= int(reading) <= 50 * hours
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"version {version}" in html


def test_the_course_prints_to_one_pdf_with_links_and_an_outline(built, browser, tmp_path):
    target = tmp_path / "course.pdf"
    whole = BeautifulSoup(pdf.document(built / "html", PRINTED), "html.parser")
    ids = [node["id"] for node in whole.select("[id]")]
    assert len(ids) == len(set(ids))
    assert not {a["href"][1:] for a in whole.select("a[href^='#']") if len(a["href"]) > 1} - set(ids)
    assert not [a["href"] for a in whole.select("a[href]") if not re.match("#|https?:", a["href"])]
    pdf.write(browser, built / "html", target, PRINTED)
    content = target.read_bytes()
    assert content.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", content)) > 5 * len(PRINTED)
    assert content.count(b"/Subtype /Link") > 20
    assert b"/Outlines" in content
    assert b"file://" not in content


def test_index_leads_to_the_first_page(site, browser):
    page = browser.new_page()
    page.goto(site)
    page.wait_for_url("**/book/intro.html")
    assert page.title() == "Which standard error?"
    page.close()


def build_page(folder, text, *options):
    """Build a project of one page with the course's KaTeX extension; warnings are errors."""
    conf = f"import sys\nsys.path.insert(0, {str(BOOK / '_ext')!r})\n"
    conf += "extensions = ['myst_parser', 'katex_math']\nmyst_enable_extensions = ['dollarmath']\n"
    (folder / "conf.py").write_text(conf + "html_math_renderer = 'katex'\n", encoding="utf-8")
    (folder / "index.md").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-W", "-q", *options, folder, folder / "out"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_good_tex_builds(tmp_path):
    run = build_page(tmp_path, "# Page\n\n$$ a^2 $$ (square)\n\nSee {eq}`square` and $b$.\n")
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "out" / "index.html").read_text(encoding="utf-8").count('class="katex-html"') == 2


def test_bad_tex_stops_the_build_and_each_place_is_told(tmp_path):
    bad = [r"$\nosuch{a}$", r"$$ \begin{aligned} a $$", r"$\frac{1}$", "$½$"]
    run = build_page(tmp_path, "# Page\n\n" + "\n\n".join(bad) + "\n", "--keep-going")
    assert run.returncode != 0
    told = re.findall(r"index\.md:(\d+):.*KaTeX parse error", run.stderr)
    assert told == ["3", "5", "7", "9"], run.stderr


def test_missing_katex_names_the_command(tmp_path):
    run = build_page(tmp_path, "# Page\n", "-D", f"katex_dist={tmp_path}")
    assert run.returncode != 0
    assert "npm ci --prefix book --ignore-scripts" in run.stderr
