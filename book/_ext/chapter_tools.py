"""Under the title of each notebook: the file and its data to take along, and how long it runs."""

import json
import os
import re
import shutil
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

import helpers
from helpers import report
from helpers.course import datasets

DATA = ("classrooms", "radon", "high_school", "three_levels")  # what a notebook calls; its file is named so
FOLDER = "_downloads"
SAMPLE = "13_your_own_data"  # the chapter whose report of its own data can be looked at


def title_of(text):
    """The title of a notebook, from its Markdown."""
    return re.search(r"^# (.+)$", text, re.MULTILINE)[1]


def packed(content):
    """JSON that can stand within a script element."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")


def repository():
    """Address of the public repository that the build is told, or nothing."""
    return os.environ.get("REPOSITORY_URL", "").rstrip("/")


def needs(source):
    """The data sets that a notebook or its R code loads, in the order of DATA."""
    return [name for name in DATA if re.search(rf'\b{name}\(\)|read\.csv\("{name}\.csv"\)', source)]


def write(name, folder):
    """Write a data set as the file that the site offers."""
    getattr(datasets, name)().to_csv(Path(folder, f"{name}.csv"), index=False)


def tools(app, pagename):
    """The line under the title, as HTML."""
    source = Path(app.srcdir, f"{pagename}.md").read_text(encoding="utf-8")
    files = [
        (f"{Path(pagename).name}.ipynb", "this notebook"),
        *((f"{name}.csv", f"{name}.csv") for name in needs(source)),
    ]
    links = [f'<a download href="../{FOLDER}/{file}">{said}</a>' for file, said in files]
    sample = (
        f' <a href="../{FOLDER}/{SAMPLE}-report.html">A sample report</a>.'
        if pagename.endswith(SAMPLE)
        else ""
    )
    seconds = json.loads(Path(app.srcdir, "book", "seconds.json").read_text(encoding="utf-8"))
    took = seconds.get(Path(pagename).name)
    runs = f" It runs in about {took:.0f} s." if took else ""
    install = f'%pip install "which-standard-error[course,scale] @ git+{repository()}"'
    colab = f" In Colab run <code>{escape(install)}</code> first." if repository() else ""
    package = ' It needs <a href="../book/use.html#run-it">this course\'s package</a>.'
    return f'<p class="chapter-tools">Download {", ".join(links)}.{sample}{package}{runs}{colab}</p>'


def add(app, pagename, templatename, context, doctree):
    if pagename.startswith("notebooks/"):
        context["body"] = context["body"].replace("</h1>", "</h1>" + tools(app, pagename), 1)


def copy(app, error):
    if error or app.builder.format != "html":
        return
    target = Path(app.outdir, FOLDER)
    target.mkdir(exist_ok=True)
    for notebook in Path(app.srcdir, "notebooks").glob("*.ipynb"):
        shutil.copyfile(notebook, target / notebook.name)
    for name in DATA:
        write(name, target)
    found = report.describe(helpers.high_school(), "math", "school", ["ses", "sector"])
    page = found.to_html("A sample report: High School and Beyond.")
    (target / f"{SAMPLE}-report.html").write_text(page, encoding="utf-8")


def launch(app, config):
    """Links to Binder and Colab, where the build is told the public repository: else they would be dead."""
    if repository():
        host = urlsplit(repository()).netloc
        known = [name for name in ("github", "gitlab", "bitbucket") if name in host]
        buttons = {"binderhub_url": "https://mybinder.org", "notebook_interface": "jupyterlab"}
        if host == "github.com":
            buttons["colab_url"] = (
                "https://colab.research.google.com"  # it opens what lies there, and no more
            )
        config.html_theme_options |= {
            "repository_url": repository(),
            "repository_branch": os.environ.get("REPOSITORY_BRANCH", "main"),
            # The theme wants one of three names, also of a forge that has none of them.
            "repository_provider": known[0] if known else "github",
            "use_repository_button": bool(known),  # it bears that forge's mark
            "launch_buttons": buttons,
        }


def setup(app):
    app.connect("config-inited", launch)
    app.connect("html-page-context", add, priority=950)
    app.connect("build-finished", copy)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
