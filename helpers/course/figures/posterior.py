"""Posteriors: of the standard deviation between groups, and their intervals beside those of fits."""

from __future__ import annotations

import numpy as np

from .style import (
    ACCENT,
    COMPLETE,
    FAINT,
    INK,
    NO,
    PARTIAL,
    drawing,
    legend_above,
    listed,
    styled,
    without_left,
)

_LINES = [(NO, "-"), (COMPLETE, "--"), (PARTIAL, "-."), (ACCENT, ":")]


@styled
def posterior_of_sd(posteriors, points):
    """Posterior densities of the standard deviation between groups, a panel a data set, a line a prior.

    Parameters
    ----------
    posteriors : dict of str to dict of str to Posterior
        By data set and prior, the same priors in each.
    points : dict of str to float
        REML's standard deviation, by data set.

    Returns
    -------
    figure, alt : Figure, str
    """
    figure, axes = drawing(columns=len(posteriors), height=3.4, squeeze=False)
    parts = []
    for ax, (data, by_prior) in zip(axes[0], posteriors.items(), strict=True):
        end = max(of.between.quantile(0.95) for of in by_prior.values())
        x = np.linspace(end / 400, end, 400)
        for (prior, of), (color, line) in zip(by_prior.items(), _LINES, strict=False):
            ax.plot(x, of.between.density(x), line, color=color, label=prior)
        ax.plot(points[data], 0, "o", color=INK, ms=9, clip_on=False, zorder=3, label="REML")
        ax.set(xlim=(0, end), ylim=(0, None), xlabel="sd between", title=data)
        without_left(ax)
        medians = listed({prior: of.between.quantile(0.5) for prior, of in by_prior.items()}, ".1f")
        parts.append(f"{data}: REML's point at {points[data]:.1f}, medians {medians}")
    legend_above(figure, *axes[0, 0].get_legend_handles_labels(), ncols=len(_LINES) + 1, columnspacing=1.2)
    alt = (
        "Posterior densities of the standard deviation between groups under "
        f"{len(by_prior)} priors, each skewed to the right. {'. '.join(parts)}."
    )
    return figure, alt


@styled
def posterior_ladder(intervals):
    """Intervals of one mean about its estimate, a panel a data set, a rung a method.

    Parameters
    ----------
    intervals : dict of str to DataFrame
        By data set: ``lower`` and ``upper``, less the estimate, a row a method, the same in each.

    Returns
    -------
    figure, alt : Figure, str
    """
    figure, axes = drawing(columns=len(intervals), height=3.8, sharey=True, squeeze=False)
    parts = []
    for ax, (data, table) in zip(axes[0], intervals.items(), strict=True):
        rungs = -np.arange(len(table))
        for rung, (method, row) in zip(rungs, table.iterrows(), strict=True):
            color = PARTIAL if method.startswith("posterior") else NO
            ax.plot([row["lower"], row["upper"]], [rung, rung], color=color, lw=4, solid_capstyle="butt")
        ax.axvline(0, color=FAINT, lw=1)
        ax.set(yticks=rungs, yticklabels=table.index, xlabel="points from the mean", title=data)
        halves = listed(((table["upper"] - table["lower"]) / 2).to_dict(), ".1f")
        parts.append(f"{data}: {halves}")
    alt = f"Intervals of 95 % for one mean, half of each length in points. {'. '.join(parts)}."
    return figure, alt
