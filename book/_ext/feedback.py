"""At the foot of each page "Report a mistake": an issue with page and version in it, if it can be sent."""

import re
from html import unescape
from urllib.parse import urlencode

from chapter_tools import repository

import helpers

BODY = """Page: {page}
Version: {version}

What the page says:

What it should say, and how you know (a computation, with its software and version; a source):
"""


def address(page, title):
    """Where the form is opened, with page and version in it; nothing without a repository."""
    if not repository():
        return ""
    filled = {"title": f"Mistake: {title}", "body": BODY.format(page=page, version=helpers.__version__)}
    return f"{repository()}/issues/new?{urlencode(filled)}"


def add(app, pagename, templatename, context, doctree):
    title = unescape(re.sub(r"<[^>]+>", "", context.get("title") or pagename))
    context["mistake"] = address(pagename, title)


def setup(app):
    app.connect("html-page-context", add)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
