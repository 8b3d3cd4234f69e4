"""What the page "Use, teach, cite, contribute" says in numbers: minutes of the chapters, version, address."""

import json
import re
from pathlib import Path

import yaml
from chapter_tools import repository, title_of

PAGE = "book/use"
SUM = re.compile(r"<!-- minutes ((?:\d\d ?)+) -->")


def minutes(text):
    """Minutes of a chapter, on a first reading and with everything, from its line **Time**."""
    line = re.search(r"^\*\*Time\*\* (.*)$", text, re.MULTILINE)[1].replace("an hour", "60")
    line = re.sub(r"\([^)]*\)", "", line)  # addresses of links
    first, *more = (int(number) for number in re.findall(r"\b\d+\b", line))
    last = max([first, *more])
    return first, first + more[0] if re.search(r"\d more", line) else last


def chapters(root):
    """Number of each chapter: its file without ending, its title, and its minutes."""
    found = {}
    for path in sorted(Path(root, "notebooks").glob("[0-9]*.md")):
        text = path.read_text(encoding="utf-8")
        found[path.name[:2]] = path.stem, title_of(text), *minutes(text)
    return found


def rows(root):
    """The lines of the table of chapters, with their sum."""
    seconds = json.loads(Path(root, "book", "seconds.json").read_text(encoding="utf-8"))
    told = chapters(root).values()
    for stem, title, first, full in told:
        yield f"| [{title}](../notebooks/{stem}.ipynb) | {first} | {full} | {seconds[stem]:.0f} s |"
    first, full = (sum(chapter[k] for chapter in told) for k in (2, 3))
    yield f"| all | {first} | {full} | {sum(seconds[stem] for stem, *_ in told):.0f} s |"


def citation(root):
    """How to cite, from CITATION.cff: in a sentence and for BibTeX."""
    cff = yaml.safe_load(Path(root, "CITATION.cff").read_text(encoding="utf-8"))
    author, year = cff["authors"][0]["name"], str(cff["date-released"])[:4]
    address = f" {repository()}" if repository() else ""
    url = f"  url = {{{repository()}}},\n" if repository() else ""
    name = author[0].upper() + author[1:]
    return (
        f"> {name} ({year}). *{cff['title']}*, version {cff['version']}.{address}\n\n"
        f"```bibtex\n@software{{which_standard_error,\n  title = {{{cff['title']}}},\n"
        f"  author = {{{{{author}}}}},\n  year = {{{year}}},\n  version = {{{cff['version']}}},\n{url}}}\n```"
    )


def contact():
    """Where to write to, if the build is told the public repository."""
    if not repository():
        return ""
    return f"The repository is <{repository()}>; tell what is wrong or missing at <{repository()}/issues>."


def fill(app, docname, source):
    if docname != PAGE:
        return
    root, text = app.srcdir, source[0]
    text = text.replace("<!-- minutes -->", "\n".join(rows(root)))
    text = text.replace("<!-- citation -->", citation(root)).replace("<!-- contact -->", contact())
    told = chapters(root)
    source[0] = SUM.sub(lambda found: str(sum(told[number][2] for number in found[1].split())), text)


def depend(app, env):
    parts = [
        "book/seconds.json",
        "CITATION.cff",
        *(f"notebooks/{c[0]}.md" for c in chapters(app.srcdir).values()),
    ]
    env.dependencies[PAGE] |= {str(Path(app.srcdir, part)) for part in parts}


def setup(app):
    app.connect("source-read", fill)
    app.connect("env-updated", depend)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
