"""Mends the theme's pages: valid roles, no script that is not needed, a real index page."""

import re
from pathlib import Path

MENDS = {
    'role="doc-biblioentry"': 'role="listitem"',  # deprecated in DPUB-ARIA 1.1, and its parent is a list
    "<th></th>": "<td></td>",  # the empty corner of a table is no header, be it from pandas
    '<th class="head"><p></p></th>': '<td class="head"></td>',  # or from Markdown
    '<summary aria-label="Toggle hidden content">': "<summary>",  # would hide the words that are seen
}
ICONS = re.compile(r"\s*<(?:script|link)[^>]*scripts/fontawesome\.js[^>]*>(?:</script>)?")
SEARCH = re.compile(r'\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js"></script>')
UNUSED = [
    "scripts/fontawesome.js*",  # the icons' web font does; its script relabels the theme button
    "vendor/fontawesome/webfonts/*.ttf",
    "**/*.map",
    "**/*webpack-macros.html",
]
INDEX = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="_static/favicon.svg">
<meta http-equiv="refresh" content="0; url={page}">
</head>
<body><main><h1>{title}</h1><p><a href="{page}">Read the course</a></p></main></body>
</html>
"""


def mend(app, pagename, templatename, context, doctree):
    for old, new in MENDS.items():
        context["body"] = (context.get("body") or "").replace(old, new)
    if pagename == app.config.root_doc:
        context["docstitle"] = ""  # else the tab says the same twice


def tidy(app, error):
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    for page in out.rglob("*.html"):
        text = ICONS.sub("", page.read_text(encoding="utf-8"))
        if page.name != "search.html":
            text = SEARCH.sub("", text)  # for search as you type, which is off
        page.write_text(text, encoding="utf-8")
    for pattern in UNUSED:
        for file in out.glob(f"_static/{pattern}"):
            file.unlink()
    index = INDEX.format(title=app.config.html_title, page=f"{app.config.root_doc}.html")
    (out / "index.html").write_text(index, encoding="utf-8")


def setup(app):
    app.connect("html-page-context", mend, priority=900)
    app.connect("build-finished", tidy, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
