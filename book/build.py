"""Make the environment, execute the notebooks, build the site: what `make` calls, for machines without it.

``python book/build.py`` does all three; ``python book/build.py notebooks`` one of them. Python's own library
is all it needs, and no shell.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = ROOT / ".venv"
BIN = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")
SITE = ROOT / "book" / "_build"
OLDEST, NEWEST = (3, 11), (3, 15)


def run(program, *arguments):
    """A program of the environment, in the root of the course; ends the build where it fails."""
    paths = os.pathsep.join([str(BIN), os.environ.get("PATH", "")])
    found = shutil.which(program, path=paths)
    if found is None:
        sys.exit(f"{program} is not in {BIN}; run `python book/build.py environment` first")
    done = subprocess.run([found, *arguments], cwd=ROOT, env={**os.environ, "PATH": paths})
    if done.returncode:
        sys.exit(done.returncode)


def environment():
    """Make .venv from the lock, with what the site needs from npm; anew where one is there."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        low, high = (".".join(map(str, bound)) for bound in (OLDEST, NEWEST))
        sys.exit(f"needs Python {low} to {high}; this is {sys.version.split()[0]}: {sys.executable}")
    venv.create(ENVIRONMENT, with_pip=True, symlinks=os.name != "nt")
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run("python", *pip, "--no-deps", "--require-hashes", "-r", "requirements.txt")  # the lock is whole
    run("python", *pip, "--no-deps", "--no-build-isolation", "-e", ".")
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    run("npm", "ci", "--prefix", "book", *quiet)


def notebooks():
    """Derive each notebook from its .md, execute it, and store what it printed."""
    texts = [str(path) for path in sorted((ROOT / "notebooks").glob("*.md"))]
    files = [text.removesuffix(".md") + ".ipynb" for text in texts]
    run("jupytext", "--quiet", "--to", "ipynb", "--update", *texts)
    convert = ("nbconvert", "--log-level=ERROR", "--to", "notebook", "--inplace")
    with tempfile.TemporaryDirectory() as before:
        for file in files:
            shutil.copy(file, before)
        run("jupyter", *convert, "--execute", "--ExecutePreprocessor.record_timing=False", *files)
        # nbconvert joins what a busy machine printed in pieces before it runs the cells, so once more after
        run("jupyter", *convert, "--coalesce-streams", *files)
        run("python", "book/keep_pictures.py", before)
    for file in files:
        forget_version(Path(file))
    run("python", "book/readme_figure.py")


def forget_version(path):
    """Drop the version of Python from a notebook, so that each Python stores the same bytes."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["metadata"]["language_info"].pop("version", None)
    text = json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")


def site():
    """Build the site from the executed notebooks; a warning is an error."""
    shutil.rmtree(SITE, ignore_errors=True)
    where = ("--config", "book/_config.yml", "--toc", "book/_toc.yml", "--path-output", "book/")
    run("jupyter-book", "build", ".", *where, "-W", "-n", "--keep-going")
    page = SITE / "html" / "index.html"
    print(f"\nThe course: open {page}")
    serve = f"{BIN / 'python'} -m http.server --directory {page.parent} 8000"
    print(f"or serve it: {serve}   and open http://localhost:8000")


STEPS = {"environment": environment, "notebooks": notebooks, "site": site}

if __name__ == "__main__":
    unknown = set(sys.argv[1:]) - set(STEPS)
    if unknown:
        sys.exit(f"no step {', '.join(sorted(unknown))}; the steps are {', '.join(STEPS)}")
    for step in sys.argv[1:] or STEPS:
        STEPS[step]()
