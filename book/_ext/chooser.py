"""The chooser on its page and the first one, and the calls where the course ends: from `which.json`."""

import re
from html import escape
from pathlib import Path

import jinja2
from chapter_tools import packed, title_of

from helpers.course import which

DATA = Path(which.__file__).parents[1] / "data"
PAGE, FIRST, ENDS = "book/which", "book/intro", "book/ends"
TEMPLATE, CALLS, TABS = "chooser.md.jinja", "calls.md.jinja", "languages.md.jinja"
MARK, CALLS_OF = "<!-- chooser -->", re.compile(r"<!-- calls: (\w+) -->")
USUAL = ("number", "once", "one")  # what the first page takes for given
CALCULATED = (  # ends whose number the calculator gives
    "one_alone", "one_pooled", "these", "all_groups", "few_groups", "all_rows", "new_group", "new_row", "icc",
    "independent",
)  # fmt: skip
SHOWN = {  # key of the data: what stands on the tab, how the code is coloured, what is said of every call
    "python": ("Python", "python", "With `helpers`, this course's package."),
    "statsmodels": ("statsmodels", "python", "In Python."),
    "r": ("R", "r", ""),
    "stata": ("Stata", "stata", "Read, not run."),
    "julia": ("Julia", "julia", "With MixedModels. Read, not run."),
    "sas": ("SAS", "sas", "Read, not run."),
}


def titles(folder):
    """Name of each notebook's file, without ending: its title."""
    paths = Path(folder, "notebooks").glob("*.md")
    return {path.stem: title_of(path.read_text(encoding="utf-8")) for path in paths}


def said(answers):
    """What the answers of a path say, without those that are the usual ones."""
    place, words = which.tree()["start"], []
    for name in answers:
        answer = which.tree()["questions"][place]["answers"][name]
        words += [answer["say"]] if place not in ("outcome", "rows") or name not in USUAL else []
        place = answer["to"]
    return words


def low(text):
    """Text with its subscripts set low, code left as it is."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(p if p[:1] == "`" else re.sub(r"(\w\u0304?)_(\w+)", r"\1<sub>\2</sub>", p) for p in parts)


def stacked(tex):
    """TeX with a line for each of its formulas, so that it fits a phone."""
    parts = tex.split(r"\qquad")
    lines = "\\\\[.5em]\n".join(f"& {part.strip()} " for part in parts)
    return tex if len(parts) == 1 else rf"\begin{{aligned}}{lines}\end{{aligned}}"


def template(name):
    """A template that lies beside this module."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    blocks = {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}
    environment = jinja2.Environment(loader=loader, **blocks)
    environment.filters |= {"low": low, "stacked": stacked}
    return environment.get_template(name)


def calls(end):
    """The calls of one standard error, in each language that has it."""
    return template(CALLS).render(end=which.tree()["ends"][end], tree=which.tree(), shown=SHOWN)


def page(folder):
    """The chooser as Markdown: the questions for the script, a table of all paths, each standard error."""
    tree = which.tree()
    asked = {key: tree[key] for key in ("start", "questions")}
    return template(TEMPLATE).render(
        tree=tree,
        shown=SHOWN,
        calculated=CALCULATED,
        titles=titles(folder),
        paths=[(said(answers), end) for answers, end in which.paths()],
        data=packed(asked),
    )


def start():
    """The question of what to speak of, each answer a link into the chooser."""
    question = which.tree()["questions"][which.reached("/".join(USUAL))]
    links = "\n".join(
        f'<li><a href="which.html#/{"/".join((*USUAL, name))}">{escape(answer["say"])}</a></li>'
        for name, answer in question["answers"].items()
    )
    ask = f"<p><strong>{escape(question['ask'])}</strong></p>"
    return f'<div class="which-start">\n{ask}\n<ul>\n{links}\n</ul>\n</div>'


def fill(app, docname, source):
    if docname in (PAGE, FIRST):
        source[0] = source[0].replace(MARK, page(app.srcdir) if docname == PAGE else start())
    if docname == ENDS:
        source[0] = CALLS_OF.sub(lambda found: calls(found[1]), source[0])


def script(app, pagename, templatename, context, doctree):
    if pagename == PAGE:
        app.add_js_file("which.js", defer="defer")


def depend(app, env):
    """The pages are made anew when the data or the template change."""
    parts = [
        DATA / "which.json",
        *map(Path(__file__).with_name, (TEMPLATE, CALLS, TABS)),
    ]
    for docname in {PAGE, FIRST, ENDS} & env.found_docs:
        for part in parts:
            env.dependencies[docname].add(str(part))


def setup(app):
    app.connect("source-read", fill)
    app.connect("html-page-context", script)
    app.connect("env-updated", depend)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
