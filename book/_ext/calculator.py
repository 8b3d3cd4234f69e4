"""The calculator on its page: scripts and style, loaded there only; the example and the links it needs."""

from pathlib import Path

from chapter_tools import packed

import helpers

PAGE, MARK = "book/calculator", "<!-- calculator -->"
SCRIPTS = (
    "distributions",
    "fit",
    "cells",
    "read",
    "words",
    "watch",
    "picture",
    "answer",
    "page",
)  # each needs those before it
WITHOUT = """<p>The calculator is a script, and none runs here. Its numbers, and more, come from a file by
<code>python -m helpers report FILE --outcome score --group classroom</code>:
<a href="../notebooks/13_your_own_data.html">your own data</a>. For the mean of all groups a spreadsheet is
enough, as said there too.</p>"""


def example():
    """The classrooms, to four decimals, as a spreadsheet would put them on the clipboard."""
    table = helpers.classrooms()[["classroom", "score"]]
    return table.to_csv(sep="\t", index=False, float_format="%.4f", lineterminator="\n")


def element(root):
    """The element, with what its script asks for, and what stands there without one."""
    stems = (path.stem for path in Path(root, "notebooks").glob("[0-9]*.md"))
    links = {stem[:2]: f"../notebooks/{stem}.html" for stem in stems}
    links["Where this course ends"] = "ends.html#yes-or-no"
    data = packed({"example": example(), "links": links})
    return f'<se-calculator><script type="application/json">{data}</script>\n{WITHOUT}</se-calculator>'


def fill(app, docname, source):
    if docname == PAGE:
        source[0] = source[0].replace(MARK, f"```{{raw}} html\n{element(app.srcdir)}\n```")


def script(app, pagename, templatename, context, doctree):
    if pagename == PAGE:
        app.add_css_file("calculator/calculator.css")
        for name in SCRIPTS:
            app.add_js_file(f"calculator/{name}.js", defer="defer")


def setup(app):
    app.connect("source-read", fill)
    app.connect("html-page-context", script)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
