"""Unequal class sizes: weights, and the two bounds of the standard error."""

from __future__ import annotations

import numpy as np

from ... import formulas
from .style import COMPLETE, FAINT, NO, PARTIAL, beside, drawing, legend_above, log_scale, styled


@styled
def weights_by_size(iccs, most=100):
    """Weight of a class in the generalised least squares mean, in classes of one pupil, by its size.

    Parameters
    ----------
    iccs : dict of str to float
        Label to intraclass correlation, one curve each, above 0 and below 1.

    Returns
    -------
    figure, alt : Figure, str
    """
    sizes = np.arange(1, most + 1)
    dashes = ["-", (0, (6, 2)), (0, (3, 1.5)), "-."]
    ends = []
    figure, ax = drawing(height=4.2)
    ax.plot(sizes, sizes, color=COMPLETE, ls="--", label="mean of all pupils: n")
    for (label, icc), dash in zip(iccs.items(), dashes, strict=False):
        worth = formulas.effective_sample_size(icc, 1, sizes)
        ax.plot(sizes, worth, color=PARTIAL, ls=dash, lw=2.5)
        ax.text(most * 1.06, worth[-1], f"{label}\nICC {icc:.2f}: {worth[-1]:.1f}", va="center")
        ends.append(f"{label}, {icc:.2f}, {worth[9]:.1f} and {worth[-1]:.1f}, ceiling {1 / icc:.1f}")
    ax.plot([], [], color=PARTIAL, lw=2.5, label="GLS")
    ax.plot(sizes, np.ones(most), color=NO, ls=":", label="mean of the class means: 1")
    log_scale(ax, x=[1, 2, 5, 10, 20, 50, 100], y=[1, 2, 5, 10, 20, 50])
    ax.set(xlabel="n, pupils in the class (log scale)")
    ax.set(ylabel="weight, in classes of one pupil (log scale)")
    ax.set(xlim=(0.95, most), ylim=(0.85, 60))
    legend_above(figure, ncols=3)
    alt = (
        f"Weight of a class against its size, 1 to {most} pupils, a class of one pupil counting 1, on log "
        "axes. In the mean of all pupils it is the size itself, a rising straight line; in the mean of the "
        "class means it is 1, a level one. The generalised least squares weights lie between and level off; "
        f"for each intraclass correlation, the weight of a class of 10 and of {most}: {'; '.join(ends)}."
    )
    return figure, alt


@styled
def se_brackets(designs):
    """The SE of each design between its two bounds, in per cent above the lower one.

    Parameters
    ----------
    designs : dict of str to tuple
        Label to (lower bound, SE, upper bound), as from `formulas.se_bracket`.

    Returns
    -------
    figure, alt : Figure, str
    """
    above = {
        name: [100 * (value / low - 1) for value in (se, high)] for name, (low, se, high) in designs.items()
    }
    figure, ax = drawing(height=1.6 + 0.36 * len(above))
    for k, (se, high) in enumerate(above.values()):
        ax.plot([0, high], [k, k], color=FAINT, lw=5, alpha=0.6, solid_capstyle="butt")
        ax.plot(0, k, "|", color=COMPLETE, ms=16, mew=3)
        ax.plot(high, k, "|", color=NO, ms=16, mew=3)
        ax.plot(se, k, "D", color=PARTIAL, ms=8)
        beside(ax, f"GLS +{se:.1f}%", (high, k), (8, 0), va="center")
    for marker, colour, label in (
        ("|", COMPLETE, "formula, mean size"),
        ("D", PARTIAL, "GLS"),
        ("|", NO, "formula, harmonic mean size"),
    ):
        ax.plot([], [], marker, color=colour, ms=9, mew=3 if marker == "|" else None, label=label)
    ax.set(
        yticks=range(len(above)),
        yticklabels=list(above),
        ylim=(len(above) - 0.4, -0.6),
        xlim=(-0.6, 1.25 * max(high for _, high in above.values()) + 1),
        xlabel="standard error, % above the formula with the mean size",
    )
    legend_above(figure, ncols=3)
    listing = "; ".join(f"{name} {se:.1f} of {high:.1f}" for name, (se, high) in above.items())
    alt = (
        "Each design's standard error between two bounds, in per cent above the balanced formula with the "
        f"mean class size; the upper bound is the formula with the harmonic mean size. {listing}."
    )
    return figure, alt
