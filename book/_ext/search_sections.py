"""Search by section: the words of each section for MiniSearch, in a script so that it works from files too.

What Sphinx indexes, and where its own search leads, is the page. `search.js` reads what is written here.
"""

import json
import re
import shutil
from pathlib import Path

from docutils import nodes
from search_numbers import NAMES
from sphinx import addnodes
from sphinx.errors import ExtensionError

LIBRARY = Path(__file__).parents[1] / "node_modules" / "minisearch" / "dist" / "umd" / "index.js"
SCRIPTS = ("language_data.js", "minisearch.js", "sections.js", "search.js")
SPHINX = re.compile(r'\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js"></script>')
# Pages on which everything is mentioned are seldom what is looked for.
WEIGHTS = {
    "book/api": 0.4, "book/numbers": 0.2, "book/exercises": 0.3, "book/references": 0.2, "book/bench": 0.5,
    "notebooks/r_and_python": 0.7,
}  # fmt: skip
GREEK = {name.strip(): letter for letter, name in NAMES.items()} | {
    "tau": "τ",
    "Sigma": "Σ",
    "Delta": "Δ",
    "delta": "δ",
}
SAME = (nodes.raw, nodes.image, nodes.comment, nodes.system_message, nodes.section, addnodes.desc)


def readable(tex):
    """TeX as a line of text: letters for their names, a root as √( ), no marks of layout."""
    for _ in range(3):
        tex = re.sub(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}", r"(\1)/(\2)", tex)
        tex = re.sub(r"\\sqrt\{([^{}]*)\}", r"√(\1)", tex)
        tex = re.sub(r"\\(?:text|mathrm|operatorname|hat|bar|tilde|boldsymbol)\s*\{([^{}]*)\}", r"\1", tex)
    tex = re.sub(r"\\(?:begin|end)\{[^}]*\}", " ", tex)
    tex = re.sub(r"\\([A-Za-z]+)", lambda found: GREEK.get(found[1], " "), tex)
    return re.sub(r"\s+", " ", re.sub(r"[{}&$]|\\.", "", tex)).strip()


def words(node):
    """The prose of a node, with its mathematics; and its code and outputs apart."""
    prose, code = [], []

    def walk(part):
        if isinstance(part, SAME) or (isinstance(part, nodes.Element) and part.get("refdomain") == "cite"):
            return
        if isinstance(part, nodes.literal_block):
            code.append(part.astext())
        elif isinstance(part, nodes.math | nodes.math_block):
            prose.append(readable(part.astext()))
        elif isinstance(part, nodes.Text):
            prose.append(str(part))
        else:
            for child in part.children:
                walk(child)
            if isinstance(part, nodes.paragraph | nodes.entry | nodes.title | nodes.caption):
                prose.append(" ")

    for child in node.children:
        if not isinstance(child, nodes.title):
            walk(child)
    return " ".join("".join(prose).split()), " ".join(code)


def also(node):
    """The forms of a term, or other words for what a section is about: comments on its page."""
    raw = " ".join(child.astext() for child in node.children if isinstance(child, nodes.raw | nodes.comment))
    return " ".join(re.findall(r"<!-- (?:forms|found by): (.*?)-->", raw, re.DOTALL))


def anchor(ids):
    """The id of a section; in the chooser that which opens the answer."""
    return next((name for name in ids if name.startswith("end-")), ids[0])


def sections(docname, tree):
    """Each section of a page: address, title of the page, heading, prose, words of the code, other words."""
    page = next(iter(tree.findall(nodes.title)), nodes.title()).astext()
    for node in tree.findall(lambda n: isinstance(n, nodes.section | addnodes.desc)):
        if isinstance(node, nodes.section):
            title = node.next_node(nodes.title)
            heading, place = readable(title.astext()) if title else page, anchor(node["ids"])
        else:
            signature = node[0]
            if not signature.get("ids"):
                continue
            heading = place = signature["ids"][0]
        prose, code = words(node if isinstance(node, nodes.section) else node[-1])
        seen = set(re.findall(r"\w+", prose))
        only = sorted(set(re.findall(r"\d+\.\d+|[A-Za-z_]\w+", code)) - seen)
        top = isinstance(node.parent, nodes.document)
        yield {
            "address": f"{docname}.html" + ("" if top else f"#{place}"),
            "page": page,
            "title": heading,
            "text": prose,
            "code": " ".join(only),
            "also": also(node),
            "weight": WEIGHTS.get(docname, 1),
        }


def write(app, error):
    if error or app.builder.format != "html":
        return
    out, env = Path(app.outdir), app.env
    found = [s for name in sorted(env.found_docs) for s in sections(name, env.get_doctree(name))]
    content = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    (out / "_static" / "sections.js").write_text(f"const COURSE_SECTIONS = {content};\n", encoding="utf-8")
    shutil.copyfile(LIBRARY, out / "_static" / "minisearch.js")
    page = out / "search.html"
    scripts = "".join(f'\n<script defer src="_static/{name}"></script>' for name in SCRIPTS)
    text = SPHINX.sub("", page.read_text(encoding="utf-8"))
    page.write_text(text.replace("</head>", f"{scripts}\n</head>", 1), encoding="utf-8")
    (out / "_static" / "searchtools.js").unlink(missing_ok=True)


def start(app):
    if not LIBRARY.is_file():
        raise ExtensionError(
            f"MiniSearch is missing: run `npm ci --prefix book --ignore-scripts` ({LIBRARY})"
        )


def setup(app):
    app.connect("builder-inited", start)
    app.connect("build-finished", write, priority=950)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
