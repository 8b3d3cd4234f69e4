"""Run every notebook once and keep the seconds each took, for the line under its title: `make times`."""

import json
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

BOOK = Path(__file__).parent
SECONDS = BOOK / "seconds.json"


def seconds(path):
    """Time to execute a notebook from top to bottom, start of the kernel included."""
    notebook = nbformat.read(path, as_version=4)
    start = time.perf_counter()
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": path.parent}}).execute()
    return round(time.perf_counter() - start, 1)


if __name__ == "__main__":
    took = {path.stem: seconds(path) for path in sorted(BOOK.parent.glob("notebooks/*.ipynb"))}
    SECONDS.write_text(json.dumps(took, indent=1) + "\n", encoding="utf-8")
