"""Pictures drawn with other arithmetic look like the stored ones, which the build then leaves alone."""

import base64
import copy
import io
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import keep_pictures
import matplotlib.pyplot as plt
import pytest
from numpy._core import _multiarray_umath as umath

from helpers.course.figures import style

ROOT = Path(__file__).parents[1]
CHAPTER = ROOT / "notebooks" / "05_unbalanced_classes.ipynb"

# Runs the cells of a chapter; its pictures, with what the processor may do, are what it prints.
DRAW = """
import base64, contextlib, io, json, sys
import matplotlib
matplotlib.use("agg")
from numpy._core import _multiarray_umath as umath
from helpers import figures
from helpers.course.figures import style
drawn = []
def show(figure, alt):
    style.save(figure, file := io.BytesIO())
    drawn.append([alt, base64.b64encode(file.getvalue()).decode()])
figures.show = show
names = {}
with contextlib.redirect_stdout(io.StringIO()):
    for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
able = [name for name in umath.__cpu_dispatch__ if umath.__cpu_features__[name]]
json.dump({"able": able, "drawn": drawn}, sys.stdout)
"""


def test_a_chapter_drawn_with_another_blas_and_without_simd_looks_as_it_is_stored():
    able = [name for name in umath.__cpu_dispatch__ if umath.__cpu_features__[name]]
    if not able:
        pytest.skip("this processor has none of the instructions that numpy can leave out")
    other = {
        "NPY_DISABLE_CPU_FEATURES": " ".join(able),  # numpy's own loops
        "OPENBLAS_CORETYPE": "Nehalem",  # a BLAS for processors of 2008
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4",  # exp and log of the C library
    }
    command = [sys.executable, "-c", DRAW, str(CHAPTER)]
    done = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", env={**os.environ, **other}, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["able"] == []
    stored = [data for _, data in keep_pictures.pictures(json.loads(CHAPTER.read_text(encoding="utf-8")))]
    assert len(told["drawn"]) == len(stored) == 2
    for (alt, png), data in zip(told["drawn"], stored, strict=True):
        assert alt == "".join(data["text/plain"])
        assert keep_pictures.equal_to_the_eye(base64.b64decode(png), base64.b64decode(data["image/png"]))


@cache
def drawn(end=1.0, text="psi = 3", colour=style.PARTIAL, width=3.6):
    figure, ax = plt.subplots(figsize=(width, 2.4))
    ax.plot([0, 0.5, 1], [0, 0.7, end], color=colour)
    ax.axvline(0.25, color=style.INK)
    ax.set(xlim=(0, 1.1), ylim=(0, 1.1), title=text)
    style.save(figure, file := io.BytesIO())
    return file.getvalue()


PIXEL = 1.1 / (2.4 * 144 * 0.77)  # of the vertical axis, whose part of the figure is matplotlib's default


@pytest.mark.parametrize(
    ("change", "equal"),
    [
        ({"end": 1 + 1e-9}, True),
        ({"end": 1 + 0.5 * PIXEL}, True),
        ({"end": 1 + 3 * PIXEL}, False),
        ({"text": "psi = 8"}, False),
        ({"text": "psi = 3."}, False),
        ({"colour": style.COMPLETE}, False),
        ({"width": 3.7}, False),
    ],
    ids=str,
)
def test_less_than_a_pixel_is_equal_to_the_eye_and_a_digit_is_not(change, equal):
    assert keep_pictures.equal_to_the_eye(drawn(), drawn(**change)) is equal
    assert keep_pictures.equal_to_the_eye(drawn(**change), drawn()) is equal


def notebook(png, alt="A line."):
    data = {"image/png": base64.b64encode(png).decode(), "text/plain": alt}
    return {"cells": [{"source": ["show()"], "outputs": [{"text": "1"}, {"data": data}]}]}


def test_the_stored_picture_is_put_back_where_only_the_bytes_are_new():
    before, after = notebook(drawn()), notebook(drawn(end=1 + 0.5 * PIXEL))
    assert after != before
    keep_pictures.keep(after, before)
    assert after == before


@pytest.mark.parametrize(
    "after",
    [
        notebook(drawn(end=1 + 3 * PIXEL)),
        notebook(drawn(end=1 + 0.5 * PIXEL), "Another line."),
        {"cells": [{"source": ["other()"], "outputs": notebook(drawn(text="")).get("cells")[0]["outputs"]}]},
    ],
    ids=["other looks", "other alt text", "other cell"],
)
def test_a_new_picture_stays(after):
    held = copy.deepcopy(after)
    keep_pictures.keep(after, notebook(drawn()))
    assert after == held
