"""Fields and a check below each exercise, from `helpers/data/exercises.json`; the page that lists all."""

import re
from pathlib import Path

from chapter_tools import packed, title_of
from docutils import nodes
from myst_parser.mdit_to_docutils.base import default_slugify
from sphinx.util import logging

from helpers.course import exercises as course

logger = logging.getLogger(__name__)
DATA = Path(course.__file__).parents[1] / "data" / "exercises.json"
PAGE, MARK = "book/exercises", "<!-- exercises -->"
ASKED = re.compile(r'^# check_exercise\("([^"]+)"', re.MULTILINE)  # the cell that a reader fills in


def fields(key):
    """The exercise as the script takes it; without scripts, nothing to be seen."""
    exercise = packed({"key": key, **course.exercises()[key]})
    return f'<se-exercise><script type="application/json">{exercise}</script></se-exercise>'


def place(app, doctree):
    """Below each cell that asks for an exercise, its fields."""
    name = app.env.docname
    if not name.startswith("notebooks/"):
        return
    for block in list(doctree.findall(nodes.literal_block)):
        keys = ASKED.findall(block.astext())
        for key in keys:
            if key not in course.exercises():
                logger.warning("no exercise %s in %s", key, DATA.name, location=name, type="exercises")
        cell = block
        while keys and "cell" not in cell.get("classes", ()):
            cell = cell.parent
        at = cell.parent.index(cell) + 1
        known = [key for key in keys if key in course.exercises()]
        cell.parent[at:at] = [nodes.raw("", fields(key), format="html") for key in known]
    app.env.note_dependency(str(DATA))


def headings(path):
    """Each exercise of a notebook: its heading in Markdown, and the keys of its checks."""
    for part in re.split(r"^###? ", path.read_text(encoding="utf-8"), flags=re.MULTILINE):
        if keys := ASKED.findall(part):
            yield part.splitlines()[0], keys


def overview(folder):
    """Markdown of the list of all exercises by chapter; what belongs together, for the script that counts."""
    lines, together = [], {}
    for path in sorted(Path(folder, "notebooks").glob("[0-9]*.md")):
        lines += ["", f"## {title_of(path.read_text(encoding='utf-8'))}", ""]
        for heading, keys in headings(path):
            anchor = default_slugify(re.sub(r"[*_`]", "", heading))
            lines.append(f"- [{heading}](../notebooks/{path.stem}.ipynb#{anchor})")
            together[heading.split()[0]] = keys
    data = f'<script type="application/json">{packed(together)}</script>'
    counted = f"<div><se-solved>{data}</se-solved></div>"  # a block: within a paragraph quotes would turn
    return "\n".join([counted, *lines])


def fill(app, docname, source):
    if docname == PAGE:
        source[0] = source[0].replace(MARK, overview(app.srcdir))


def script(app, pagename, templatename, context, doctree):
    if re.search("<se-(exercise|solved)>", context.get("body") or ""):
        app.add_js_file("exercises.js", defer="defer")


def depend(app, env):
    """The overview is made anew when a heading changes."""
    if PAGE in env.found_docs:
        env.dependencies[PAGE] |= {str(path) for path in Path(app.srcdir, "notebooks").glob("[0-9]*.md")}


def setup(app):
    app.connect("source-read", fill)
    app.connect("doctree-read", place)
    app.connect("html-page-context", script)
    app.connect("env-updated", depend)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
