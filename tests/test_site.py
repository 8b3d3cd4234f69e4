"""The built site is self-contained, typeset, described, linked and accessible; faults stop the build."""

import functools
import gzip
import pickle
import re
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, urlsplit

import chapter_tools
import pandas as pd
import pdf
import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.config import Config

import helpers
from helpers.course.stated import ledger

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "book"
MODES = [(scheme, width) for scheme in ("light", "dark") for width in (1280, 390)]

# Runs in the page: everything the tests ask about it, with all that folds unfolded.
LOOK = r"""async () => {
  document.querySelectorAll("details").forEach((fold) => { fold.open = true; });
  document.querySelectorAll("img").forEach((image) => { image.loading = "eager"; });
  await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
  await new Promise((done) => setTimeout(done, 50));  // the toggle events
  const article = document.querySelector("article") ?? document.body;
  const prose = article.cloneNode(true);
  prose.querySelectorAll(".katex, pre, code, script, style").forEach((part) => part.remove());
  const report = await axe.run({ runOnly: [
    "wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
  return {
    theme: document.documentElement.dataset.theme,
    equations: article.querySelectorAll(".math .katex-html").length,
    refused: document.querySelectorAll(".katex-error").length,
    prose: prose.textContent,
    images: [...article.querySelectorAll("img")].map((image) => [image.alt, image.naturalWidth]),
    ids: [...document.querySelectorAll("[id]")].map((node) => node.id),
    links: [...document.querySelectorAll("a[href]")].map((link) => link.href),
    overflow: document.documentElement.scrollWidth - window.innerWidth,
    axe: report.violations.map((fault) =>
      `${fault.id}: ${fault.nodes.map((node) => node.target.join(" ")).join(" | ")}`),
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
def visits(built, site, browser, axe):
    """What every page showed in every mode, by (page, mode); the index only leads elsewhere."""
    html = built / "html"
    pages = sorted({str(file.relative_to(html)) for file in html.rglob("*.html")} - {"index.html"})
    seen = {}
    for scheme, width in MODES:
        size = {"width": width, "height": 900}
        context = browser.new_context(color_scheme=scheme, viewport=size, reduced_motion="reduce")
        seen |= {(page, f"{scheme} {width}"): visit(context, site, page, axe) for page in pages}
        context.close()
    return seen


def visit(context, site, name, axe):
    page, foreign, failed, errors, asked = context.new_page(), [], [], [], set()
    page.on("request", lambda r: r.url.startswith((site, "data:", "blob:")) or foreign.append(r.url))
    page.on("request", lambda r: r.url.startswith(site) and asked.add(urlsplit(r.url).path.lstrip("/")))
    page.on("response", lambda r: r.ok or r.status == 304 or failed.append(f"{r.status} {r.url}"))
    page.on("requestfailed", lambda r: failed.append(r.url))
    page.on("console", lambda m: m.type in ("error", "warning") and errors.append(m.text))
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.goto(site + name, wait_until="load")
    page.add_script_tag(path=axe)
    saw = page.evaluate(LOOK) | {"foreign": foreign, "failed": failed, "errors": errors, "asked": asked}
    page.close()
    return saw


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
    for (page, mode), saw in visits.items():
        source = built / ".doctrees" / Path(page).with_suffix(".doctree")
        if source.is_file():
            tree = pickle.loads(source.read_bytes())
            expected = sum(isinstance(node, nodes.math | nodes.math_block) for node in tree.findall())
            assert saw["equations"] == expected, f"{page} ({mode})"
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
        links = [link for link in saw["links"] if link.startswith(site) and "#psi=" not in link]  # a setting
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

    def sizes(path):
        content = (built / "html" / path).read_bytes()
        return len(content), len(content if path.endswith((".png", ".woff2")) else gzip.compress(content))

    for (page, mode), saw in visits.items():
        raw, packed = map(sum, zip(*map(sizes, saw["asked"]), strict=True))
        assert raw <= 1_500_000, f"{page} ({mode}): {raw}"
        assert packed <= (350_000 if page == "book/intro.html" else 500_000), f"{page} ({mode}): {packed}"


def test_every_stated_value_is_shown_and_agrees(built):
    page = BeautifulSoup(
        (built / "html" / "book" / "numbers.html").read_text(encoding="utf-8"), "html.parser"
    )
    rows = [[cell.get_text(strip=True) for cell in row("td")] for row in page.select("table.ledger tbody tr")]
    assert [row[1] for row in rows] == ledger()["value"].tolist()
    assert {row[3] for row in rows} == {"yes"}
    assert all(row[5] for row in rows)


def test_each_chapter_can_be_taken_along_with_its_data(built):
    for notebook in ROOT.glob("notebooks/*.ipynb"):
        html = (built / "html" / "notebooks" / f"{notebook.stem}.html").read_text(encoding="utf-8")
        files = re.findall(r'<a download href="\.\./_downloads/([^"]+)"', html)
        assert files[0] == notebook.name
        assert (built / "html" / "_downloads" / files[0]).read_bytes() == notebook.read_bytes()
        assert all((built / "html" / "_downloads" / file).is_file() for file in files)
    for name in chapter_tools.DATA:
        taken = pd.read_csv(built / "html" / "_downloads" / f"{name}.csv")
        assert len(taken) == len(getattr(helpers, name)())


@pytest.mark.parametrize("address", ["", "https://host.invalid/owner/course/"])
def test_launch_buttons_are_there_only_with_a_repository(address, monkeypatch):
    monkeypatch.setenv("REPOSITORY_URL", address)
    config = Config({}, {"html_theme_options": {"search_bar_text": "Search"}})
    config.add("html_theme_options", {}, "html", ())
    chapter_tools.launch(None, config)
    options = config.html_theme_options
    assert options["search_bar_text"] == "Search"
    assert options.get("repository_url") == (address.rstrip("/") or None)
    assert bool(options.get("launch_buttons")) is bool(address)


QUERIES = {"4.716022": "01_the_question", "0.2443936": "01_the_question", "shrinkage": "07_shrinkage",
           "sqrt(psi/J)": "04_balanced_formulas", "√(ψ/J)": "04_balanced_formulas"}  # fmt: skip


@pytest.mark.parametrize("served", [True, False], ids=["served", "from files"])
def test_search_finds_a_term_a_number_and_a_formula(built, site, browser, served):
    page, errors = browser.new_page(), []
    page.on("console", lambda m: m.type in ("error", "warning") and errors.append(m.text))
    page.on("pageerror", lambda e: errors.append(str(e)))
    start = site if served else f"{(built / 'html').as_uri()}/"
    for query, chapter in QUERIES.items():
        page.goto(f"{start}search.html?q={quote(query)}")
        page.locator(f"ul.search a[href*={chapter!r}]").first.wait_for(timeout=10_000)
    page.close()
    assert not errors


def test_pages_work_as_files(built, browser):
    page, errors = browser.new_page(), []
    page.on("console", lambda m: m.type in ("error", "warning") and errors.append(m.text))
    page.on("pageerror", lambda e: errors.append(str(e)))
    notebooks = ("04_balanced_formulas", "explorer", "explorer_two")
    for name in ("book/intro", *(f"notebooks/{name}" for name in notebooks)):
        page.goto((built / "html" / f"{name}.html").as_uri(), wait_until="load")
        assert page.locator("article h1").first.is_visible()
    page.close()
    assert not errors


def test_the_course_prints_to_one_pdf_with_links_and_an_outline(built, browser, tmp_path):
    target = tmp_path / "course.pdf"
    whole = BeautifulSoup(pdf.document(built / "html"), "html.parser")
    ids = [node["id"] for node in whole.select("[id]")]
    assert len(ids) == len(set(ids))
    assert not {a["href"][1:] for a in whole.select("a[href^='#']") if len(a["href"]) > 1} - set(ids)
    assert not [a["href"] for a in whole.select("a[href]") if not re.match("#|https?:", a["href"])]
    pdf.write(browser, built / "html", target)
    content = target.read_bytes()
    assert content.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", content)) > 5 * len(pdf.order())
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


@pytest.mark.parametrize("tex", [r"$\nosuch{a}$", r"$$ \begin{aligned} a $$", r"$\frac{1}$", "$½$"])
def test_bad_tex_stops_the_build(tmp_path, tex):
    run = build_page(tmp_path, f"# Page\n\n{tex}\n")
    assert run.returncode != 0
    assert re.search(r"index\.md:3:.*KaTeX parse error", run.stderr), run.stderr


def test_missing_katex_names_the_command(tmp_path):
    run = build_page(tmp_path, "# Page\n", "-D", f"katex_dist={tmp_path}")
    assert run.returncode != 0
    assert "npm ci --prefix book --ignore-scripts" in run.stderr
