"""The directive `ledger`: every stated value, who stated it, and what the chapters computed."""

from pathlib import Path

import nbformat
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.util import logging

from helpers.course.stated import checks_in, ledger, rounds_to

logger = logging.getLogger(__name__)
HEADS = {"value": 24, "stated": 10, "computed": 12, "agrees": 8, "stated by": 14, "checked in": 14}


def computed(folder):
    """What each row came to: id to {name of the notebook: value as printed}."""
    found = {}
    for path in sorted(Path(folder).glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            for output in cell.get("outputs", ()):
                text = output.get("text") or output.get("data", {}).get("text/plain", "")
                for key, _, value in checks_in(text):
                    found.setdefault(key, {})[path.stem] = value
    return found


class Ledger(Directive):
    """A table with a row for each stated value."""

    def run(self):
        env = self.state.document.settings.env
        found = computed(Path(env.srcdir, "notebooks"))
        env.note_dependency(str(Path(env.srcdir, "helpers", "data", "stated_values.csv")))
        group = nodes.tgroup(cols=len(HEADS))
        group += [nodes.colspec(colwidth=width) for width in HEADS.values()]
        group += nodes.thead("", self.row(map(nodes.Text, HEADS)))
        group += nodes.tbody(
            "", *(self.line(env, key, row, found.get(key, {})) for key, row in ledger().iterrows())
        )
        return [nodes.table("", group, classes=["ledger"])]

    def line(self, env, key, row, where):
        agrees = bool(where) and all(rounds_to(float(value), row["value"]) for value in where.values())
        if not agrees:
            logger.warning("%s is not confirmed by any notebook", key, type="ledger")
        chapters = []
        for name in where:
            uri = env.app.builder.get_relative_uri(env.docname, f"notebooks/{name}")
            number = name.split("_")[0].upper()
            chapters += [nodes.reference("", number, refuri=uri, internal=True), nodes.Text(" ")]
        shown = min(where.values(), key=len, default="")
        return self.row(
            [nodes.Text(row["quantity"]), nodes.Text(row["value"]), nodes.Text(shown),
             nodes.Text("yes" if agrees else "no"), nodes.Text(row["source"]), chapters[:-1]]
        )  # fmt: skip

    def row(self, cells):
        return nodes.row(
            "",
            *(nodes.entry("", nodes.paragraph("", "", *(c if isinstance(c, list) else [c]))) for c in cells),
        )


def setup(app):
    app.add_directive("ledger", Ledger)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
