"""Copy the README's figure out of the executed notebook that draws it."""

import base64
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[1]
FIGURE = ROOT / "book" / "_static" / "which-standard-error.png"


def drawn():
    """Bytes of the figure named fig-01-bound, as notebook 01 stores it."""
    notebook = nbformat.read(ROOT / "notebooks" / "01_the_question.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.metadata.get("mystnb", {}).get("figure", {}).get("name") == "fig-01-bound":
            return base64.b64decode(cell.outputs[0].data["image/png"])
    raise LookupError("notebook 01 has no figure named fig-01-bound")


if __name__ == "__main__":
    FIGURE.write_bytes(drawn())
