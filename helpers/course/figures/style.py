"""What every figure repeats: colours, the look, log scales, notes and legends, how it is shown and saved."""

from __future__ import annotations

import functools
import io

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

# Okabe and Ito's colours: they hold in the three colour-vision deficiencies. Markers differ too.
COMPLETE, NO, PARTIAL, ACCENT = "#E69F00", "#0072B2", "#009E73", "#D55E00"
INK, FAINT = "#222222", "#8C8C8C"
PHONE = 4.4  # inches: at this width its words can be read on a phone

STYLE = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "font.size": 11,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def styled(figure):
    """Draw a figure in the look of the course, which matplotlib has forgotten afterwards."""

    @functools.wraps(figure)
    def drawn(*args, **kwargs):
        with plt.rc_context(STYLE):
            return figure(*args, **kwargs)

    return drawn


def show(figure, alt):
    """Display a figure as a PNG image whose text form is its alt text, and close it."""
    from IPython.display import display  # only notebooks need it

    image = io.BytesIO()
    save(figure, image)
    display({"image/png": image.getvalue(), "text/plain": alt}, raw=True)


def save(figure, file):
    """Write a figure as PNG to a path or a binary file, the same bytes each time, and close it."""
    canvas = FigureCanvasAgg(figure)
    figure.set_dpi(144)
    canvas.draw()  # once; savefig would draw twice, and make a PNG only to be read again
    drawn = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    plt.close(figure)
    # A palette of 256 is as good to the eye as 16 million colours, in a third of the bytes.
    palette = drawn.quantize(256, dither=Image.Dither.NONE)
    palette.save(file, format="png", optimize=True)


def drawing(rows=1, columns=1, height=3.8, width=7.2, **how):
    """Return a figure of the width of a page, or of PHONE, and its axes."""
    return plt.subplots(rows, columns, figsize=(width, height), **how)


def log_scale(ax, x=None, y=None):
    """Put x, y or both in log scale, with these ticks written out and none between them.

    Parameters
    ----------
    x, y : sequence of float, or dict of float to str
        The ticks; a dict says how to write them.
    """
    for ticks, scale, mark in ((x, ax.set_xscale, ax.set_xticks), (y, ax.set_yscale, ax.set_yticks)):
        if ticks is not None:
            scale("log")
            written = ticks if isinstance(ticks, dict) else {tick: f"{tick:g}" for tick in ticks}
            mark(list(written), list(written.values()))
    ax.minorticks_off()


def beside(ax, text, at, shift, **how):
    """Write beside a point of the data, so many points of type to the right and up."""
    ax.annotate(text, at, shift, textcoords="offset points", **how)


def legend_above(figure, *what, **how):
    """Put the legend above everything that is drawn."""
    figure.legend(*what, loc="outside upper center", **how)


def without_left(ax):
    """Take the vertical axis away, where height says nothing."""
    ax.set(yticks=[])
    ax.spines["left"].set_visible(False)


def listed(values, form=".2f"):
    """Labels with their numbers, for an alt text: ``"REML 4.72; ML 4.59"``."""
    return "; ".join(f"{label} {value:{form}}" for label, value in values.items())
