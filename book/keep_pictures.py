"""Put a stored picture back where the new one is equal to the eye: `python book/keep_pictures.py FOLDER`.

FOLDER holds the notebooks as they were before they were executed. Another processor rounds the last bit
otherwise, a line is then drawn one pixel to the side, and a file would change that nobody can see.
"""

import base64
import io
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import maximum_filter, minimum_filter

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
LEVELS = 32  # of 255; a palette of 256 colours, made anew for each picture, moves a shade by less
REACH = (3, 3, 1)  # a pixel to each side; the three colours apart


def equal_to_the_eye(one, other):
    """Whether each pixel of either PNG has, within one pixel in the other, colours of about its own."""
    first, second = (
        np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=int) for png in (one, other)
    )
    if first.shape != second.shape:
        return False
    for a, b in ((first, second), (second, first)):
        low, high = minimum_filter(b, REACH), maximum_filter(b, REACH)
        if (a < low - LEVELS).any() or (a > high + LEVELS).any():
            return False
    return True


def pictures(notebook):
    """Each output that is a picture, by its cell's code and its place among the outputs."""
    for cell in notebook["cells"]:
        for place, output in enumerate(cell.get("outputs", ())):
            if "image/png" in output.get("data", {}):
                yield ("".join(cell["source"]), place), output["data"]


def keep(notebook, before):
    """Put back the pictures of the notebook as it was, where alt text and looks are the same."""
    stored = dict(pictures(before))
    for where, new in pictures(notebook):
        old = stored.get(where)
        if old is None or old["text/plain"] != new["text/plain"] or old["image/png"] == new["image/png"]:
            continue
        if equal_to_the_eye(*(base64.b64decode(data["image/png"]) for data in (old, new))):
            new["image/png"] = old["image/png"]


def main(folder):
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        if (Path(folder) / path.name).exists():
            notebook, before = (
                json.loads(file.read_text(encoding="utf-8")) for file in (path, Path(folder) / path.name)
            )
            keep(notebook, before)
            text = json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"
            path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(sys.argv[1])
