"""One PDF of the whole course, printed by Chromium from the built site: `make pdf`."""

import posixpath
import sys
from pathlib import Path
from urllib.parse import urlsplit

import chromium
import yaml
from bs4 import BeautifulSoup
from playwright.sync_api import sync_playwright

BOOK = Path(__file__).parent
STYLE = """
@page { size: A4; margin: 18mm 16mm 20mm; }
html { font-size: 13.5px; }
.bd-article { padding: 0; max-width: none; }
.bd-article > section > h1 { break-before: page; margin-top: 0; }
.cover { height: 230mm; display: flex; flex-direction: column; justify-content: center; }
.cover ol { list-style: none; padding: 0; } .cover li { margin-block: .35rem; }
a { overflow-wrap: anywhere; }
.headerlink, .copybtn, .toggle-button, se-explorer fieldset p { display: none !important; }
details > summary { list-style: none; } details > summary svg { display: none; }
"""
FOOT = (
    '<div style="width: 100%; font: 8px sans-serif; color: #555; text-align: center">'
    'Which standard error? <span class="pageNumber"></span> / <span class="totalPages"></span></div>'
)
POINTS = ("for", "aria-labelledby", "aria-describedby", "aria-controls")


def order():
    """Names of the pages, as the table of contents has them."""
    contents = yaml.safe_load((BOOK / "_toc.yml").read_text(encoding="utf-8"))
    files = [contents["root"], *(entry["file"] for entry in contents["chapters"])]
    return [file.removesuffix(".ipynb") for file in files]


def anchor(name, fragment=""):
    """Where a place of a page is in the one document."""
    return name.replace("/", "-") + (f"--{fragment}" if fragment else "")


def chapter(html, name, names):
    """The article of a page, its ids and links made those of the one document; and its style sheets."""
    soup = BeautifulSoup((html / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
    article = soup.select_one("article.bd-article")

    def resolve(address):
        return posixpath.normpath(posixpath.join(posixpath.dirname(name), address))

    for node in article.select("[id]"):
        node["id"] = anchor(name, node["id"])
    for attribute in POINTS:
        for node in article.select(f"[{attribute}]"):
            node[attribute] = " ".join(anchor(name, part) for part in node[attribute].split())
    for image in article.select("img[src]"):
        image["src"] = resolve(image["src"])
        image["loading"] = "eager"
    for fold in article.select("details"):
        fold["open"] = ""
    for link in article.select("a[href]"):
        parts = urlsplit(link["href"])
        page = resolve(parts.path).removesuffix(".html") if parts.path else name
        if parts.scheme:
            continue
        if page in names:
            answers = parts.fragment.startswith("/")  # a path of the chooser, which is no place
            link["href"] = "#" + anchor(page, "" if answers else parts.fragment)
        else:
            del link["href"]  # a download: not part of the one document
    article["id"] = anchor(name)
    sheets = [resolve(sheet["href"]) for sheet in soup.select("link[rel=stylesheet]")]
    return article, sheets


def document(html, names):
    """The pages of these names as one HTML text, its addresses relative to the folder of the site."""
    sheets, articles, entries = [], [], []
    for name in names:
        article, own = chapter(html, name, names)
        title = article.select_one("h1")
        for link in title.select(".headerlink"):
            link.decompose()
        entries.append(f'<li><a href="#{anchor(name)}">{title.decode_contents()}</a></li>')
        articles.append(str(article))
        sheets += [sheet for sheet in own if sheet not in sheets]
    heads = "".join(f'<link rel="stylesheet" href="{sheet}">' for sheet in sheets)
    return (
        '<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
        f"<title>Which standard error?</title>{heads}<style>{STYLE}</style></head><body>"
        f'<div class="cover"><p class="h1">Which standard error?</p><ol>{"".join(entries)}</ol></div>'
        f'<main class="bd-content">{"".join(articles)}</main></body></html>'
    )


def write(browser, html, target, names):
    """Print pages of the site in folder `html` to the PDF `target`."""
    whole = html / "whole.html"
    whole.write_text(document(html, names), encoding="utf-8")
    page = browser.new_page(color_scheme="light")
    try:
        page.goto(whole.as_uri(), wait_until="load", timeout=300_000)  # it took over 30 s on a busy machine
        page.pdf(
            path=target, prefer_css_page_size=True, print_background=True, tagged=True, outline=True,
            display_header_footer=True, header_template="<span></span>", footer_template=FOOT,
        )  # fmt: skip
    finally:
        page.close()
        whole.unlink()


def main():
    target = BOOK / "_build" / "which-standard-error.pdf"
    with sync_playwright() as play:
        try:
            browser = chromium.launch(play)
        except FileNotFoundError as missing:
            sys.exit(f"make pdf: {missing}")
        write(browser, BOOK / "_build" / "html", target, order())
        browser.close()
    print(f"The course as one PDF: {target}")


if __name__ == "__main__":
    main()
