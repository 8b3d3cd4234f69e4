"""The directive `ledger`: every stated value, who stated it, and what the chapters computed."""

from pathlib import Path

import nbformat
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.util import logging

from helpers.course.stated import checks_in, ledger, rounds_to

logger = logging.getLogger(__name__)
# On a phone the first three are seen.
HEADS = {"stated": 10, "agrees": 8, "checked in": 14, "quantity": 24, "computed": 12, "stated by": 14}


def computed(folder):
    """What each row came to: id to {name of the notebook: value as printed}."""
    found = {}
    for path in sorted(Path(folder).glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            for key, _, value in printed(cell):
                found.setdefault(key, {})[path.stem] = value
    return found


def anchor(key):
    """The id of the cell that checks a row, on the page of its chapter."""
    return "check-" + key.replace(".", "-")


def place(app, doctree):
    """Before each cell that checks rows of the ledger, a place for each that it is the first to check."""
    if not app.env.docname.startswith("notebooks/"):
        return
    path, seen = Path(app.srcdir, f"{app.env.docname}.ipynb"), set()
    cells = nbformat.read(path, as_version=4).cells
    for node in list(doctree.findall(nodes.container)):
        if node.get("nb_element") != "cell_code":
            continue
        keys = dict.fromkeys(key for key, _, _ in printed(cells[node["cell_index"]])).keys() - seen
        seen |= keys
        spans = "".join(f'<span id="{anchor(key)}"></span>' for key in sorted(keys))
        if spans:
            at = node.parent.index(node)
            node.parent[at:at] = [nodes.raw("", f"<div>{spans}</div>", format="html")]


def printed(cell):
    """The checks that a cell printed."""
    for output in cell.get("outputs", ()):
        yield from checks_in(output.get("text") or output.get("data", {}).get("text/plain", ""))


class Ledger(Directive):
    """How many stated values agree, and a table with a row for each."""

    def run(self):
        env = self.state.document.settings.env
        found = computed(Path(env.srcdir, "notebooks"))
        env.note_dependency(str(Path(env.srcdir, "helpers", "data", "stated_values.csv")))
        group = nodes.tgroup(cols=len(HEADS))
        group += [nodes.colspec(colwidth=width) for width in HEADS.values()]
        group += nodes.thead("", self.row(map(nodes.Text, HEADS)))
        rows = [self.line(env, key, row, found.get(key, {})) for key, row in ledger().iterrows()]
        group += nodes.tbody("", *(row for row, _ in rows))
        agree = sum(agrees for _, agrees in rows)
        total = nodes.paragraph("", "", nodes.strong("", f"{agree} of {len(rows)}"), nodes.Text(" agree."))
        return [total, nodes.table("", group, classes=["ledger"])]

    def line(self, env, key, row, where):
        agrees = bool(where) and all(rounds_to(float(value), row["value"]) for value in where.values())
        if not agrees:
            logger.warning("%s is not confirmed by any notebook", key, type="ledger")
        chapters = []
        for name in where:
            uri = env.app.builder.get_relative_uri(env.docname, f"notebooks/{name}")
            number = name.split("_")[0].upper()
            link = nodes.reference("", number, refuri=f"{uri}#{anchor(key)}", internal=True)
            chapters += [link, nodes.Text(" ")]
        shown = min(where.values(), key=len, default="")
        line = self.row(
            [nodes.Text(row["value"]), nodes.Text("yes" if agrees else "no"), chapters[:-1],
             nodes.Text(row["quantity"]), nodes.Text(shown), nodes.Text(row["source"])]
        )  # fmt: skip
        return line, agrees

    def row(self, cells):
        return nodes.row(
            "",
            *(nodes.entry("", nodes.paragraph("", "", *(c if isinstance(c, list) else [c]))) for c in cells),
        )


def setup(app):
    app.add_directive("ledger", Ledger)
    app.connect("doctree-read", place)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
