"""What search engines and shared links show of a page: its own description; its address where one is set."""

import os
import re
from html import escape
from pathlib import Path

from docutils import nodes

SHORTEST, LONGEST = 40, 200
COURSE = "A notebook course on the standard errors of complete, no and partial pooling."
PICTURE = "_static/which-standard-error.png"
LOST = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>No such page: {title}</title>
<link rel="icon" href="{site}_static/favicon.svg">
<style>:root {{ color-scheme: light dark; }}
body {{ font: 1.1rem/1.6 system-ui, sans-serif; max-width: 36rem; margin: 15vh auto; padding: 0 1rem; }}
</style>
</head>
<body><main><h1>There is no such page</h1>
<p>It may have moved. <a href="{site}{home}.html">Begin at the first page</a>,
<a href="{site}book/which.html">choose a standard error</a>, or
<a href="{site}search.html">search the course</a>.</p></main></body>
</html>
"""


def site():
    """Address of the published site, with a stroke at its end, or nothing."""
    address = os.environ.get("SITE_URL", "").rstrip("/")
    return address and f"{address}/"


def plain(node):
    """The text of a paragraph, a null in the place of each piece of mathematics."""
    return "".join(
        "\0" if isinstance(child.parent, nodes.math) else child.astext() for child in node.findall(nodes.Text)
    )


def sentences(text):
    """The first sentences of a text, as many as fit, without those that have mathematics."""
    told = ""
    for sentence in re.split(r"(?<=[.?!])\s+", " ".join(text.split())):
        if len(told) + len(sentence) > LONGEST:
            break
        if "\0" in sentence:
            continue
        told += f" {sentence}"
    return told.strip()


def described(doctree):
    """The first paragraph of a page that says something: of a chapter, the question that it answers."""
    for node in doctree.findall(nodes.paragraph):
        if re.match(r"(You need|You will learn|Time)\b", plain(node)):
            continue
        told = sentences(re.sub(r"^(The question|What this is)\.\s*", "", plain(node)))
        if isinstance(node.parent, nodes.section) and len(told) > SHORTEST:
            return told
    return COURSE


def tell(app, pagename, templatename, context, doctree):
    told = described(doctree) if doctree else COURSE
    title = re.sub(r"<[^>]+>", "", context.get("title") or "")
    facts = {"og:type": "website", "og:site_name": app.config.html_title, "og:title": title}
    facts["og:description"] = told
    if site():
        facts["og:url"] = f"{site()}{pagename}.html"
        facts["og:image"] = site() + PICTURE
    names = [f'<meta property="{name}" content="{escape(text)}">' for name, text in facts.items()]
    description = f'<meta name="description" content="{escape(told)}">'
    context["metatags"] = "\n".join([context.get("metatags") or "", description, *names])


def address(app, config):
    config.html_baseurl = site()  # Sphinx then writes the canonical link of each page


def lost(app, error):
    if not error and app.builder.format == "html" and site():
        page = LOST.format(title=app.config.html_title, site=site(), home=app.config.root_doc)
        Path(app.outdir, "404.html").write_text(page, encoding="utf-8")


def setup(app):
    app.connect("config-inited", address)
    app.connect("html-page-context", tell)
    app.connect("build-finished", lost, priority=990)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
