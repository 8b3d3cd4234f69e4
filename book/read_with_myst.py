"""Let the parser of Jupyter Book 2 read every page: `python book/read_with_myst.py`, outside `make test`.

It fetches mystmd from npm into a temporary folder, and no theme. An error ends it, an unknown directive or
role among them; what mystmd only warns of is counted by its wording.
"""

import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
MYSTMD = "1.8.3"
# A site needs a theme, and stock ones are fetched; this one is a name and no more.
THEME = 'jtex: v1\ntitle: none\nkind: site\nbuild:\n  install: "true"\n  start: "true"\n'


def pages():
    """The files of the table of contents, the first page first."""
    toc = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text(encoding="utf-8"))
    files = [toc["root"], *(chapter["file"] for chapter in toc["chapters"])]
    return [file if file.endswith(".ipynb") else f"{file}.md" for file in files]


def lay_out(folder):
    """Copy the pages and what they show, with a configuration for mystmd."""
    shutil.copytree(ROOT / "book" / "_static", folder / "book" / "_static")
    (folder / "notebooks").mkdir()
    for file in (*pages(), "book/references.bib"):
        shutil.copyfile(ROOT / file, folder / file)
    (folder / "theme").mkdir()
    (folder / "theme" / "template.yml").write_text(THEME, encoding="utf-8")
    project = {
        "title": "Which standard error?",
        "bibliography": ["book/references.bib"],
        "toc": [{"file": file} for file in pages()],
    }
    settings = {"version": 1, "project": project, "site": {"template": "./theme"}}
    (folder / "myst.yml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")


def complaints(said):
    """The errors that mystmd printed, and how often each kind of warning."""
    errors = [line.split(" ", 1)[1].strip() for line in said.splitlines() if line.startswith("⛔")]
    warnings = re.findall(r"^⚠\S*\s+\S+ (.*)$", said, re.MULTILINE)
    kinds = collections.Counter(re.sub(r'"[^"]*"(?= to an)|\(at .*\)', "...", text) for text in warnings)
    return errors, kinds


def main():
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        lay_out(folder)
        npm = shutil.which("npm") or sys.exit("npm is missing: it comes with Node.js")
        quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        subprocess.run([npm, "install", *quiet, f"mystmd@{MYSTMD}"], cwd=folder, check=True)
        myst = folder / "node_modules" / ".bin" / ("myst.cmd" if os.name == "nt" else "myst")
        done = subprocess.run(
            [myst, "build", "--site"], cwd=folder, capture_output=True, text=True, encoding="utf-8"
        )
    said = done.stdout + done.stderr
    errors, warnings = complaints(said)
    built = set(re.findall(r"Built (\S+\.(?:md|ipynb)) in", said))
    for page in sorted(set(pages()) - built):
        errors.append(f"{page} was not built")
    for kind, count in warnings.most_common():
        print(f"warned {count} times: {kind}")
    for error in errors:
        print(f"error: {error}")
    print(f"mystmd {MYSTMD}: {len(built)} pages, {len(errors)} errors, {sum(warnings.values())} warnings")
    return bool(errors) or done.returncode


if __name__ == "__main__":
    sys.exit(main())
