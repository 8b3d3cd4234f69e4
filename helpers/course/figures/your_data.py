"""The groups of anybody's table, for the report."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np

from ...formulas import distributions as stats
from .style import FAINT, NO, PARTIAL, beside, legend_above, styled

_EACH = 1000  # groups, beyond which this many of them are drawn


@styled
def grouped_means(means, pooled, fit, level=0.95, width=7.2):
    """Group means in order, each with its interval, its partially pooled mean and its size.

    Parameters
    ----------
    means : Series
        The mean of each group's rows, by label.
    pooled : array_like of shape (J,)
        The partially pooled means.
    fit : Fit
        No pooling, of the outcome alone: its variance within groups makes the intervals.
    level : float
        Level of the intervals.
    width : float
        Inches; below 5 the legend stands in one column, for phones.

    Returns
    -------
    figure, alt : Figure, str
    """
    data, J, every = fit.data, len(means), np.asarray(pooled)
    order = np.argsort(means.to_numpy(), kind="stable")
    shown = np.unique(np.linspace(0, J - 1, _EACH).round().astype(int)) if J > _EACH else np.arange(J)
    y, drawn = shown + 1, order[shown]  # a picture has fewer lines than there may be groups
    own, size, pooled = means.to_numpy()[drawn], data.sizes[drawn], every[drawn]
    half = stats.t.isf((1 - level) / 2, fit._df[0]) * np.sqrt(fit.theta / size)
    named = J <= 40
    mark = 6 if named else 3.4
    small = width < 5
    wide = 1.8 if named else max(0.25, 1.8 * 60 / J)
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(width, min(7.5, 2.2 + 0.2 * min(J, 40))), sharey=True, width_ratios=(3, 1)
    )
    if J > _EACH:
        _crowd(left, right, y, own, half, pooled, size)
    else:
        left.hlines(y, own - half, own + half, color=FAINT, lw=wide)
        left.plot(own, y, "D", color=NO, ms=mark * 0.9, mew=0, label="mean of the group's rows")
        left.hlines(y, own, pooled, color=PARTIAL, lw=max(1, wide))
        bar = {"marker": "|", "ms": 11, "mew": 2.5} if named else {"marker": "|", "ms": 4, "mew": 1.2}
        left.plot(pooled, y, ls="", color=PARTIAL, label="partially pooled", **bar)
        right.hlines(y, 0, size, color=NO, lw=max(0.6, wide * (4 if named else 1)))
    left.plot([], [], color=FAINT, label=f"{level * 100:g}% interval without pooling")
    if named:
        for k, n in enumerate(size, 1):
            beside(right, f"{n:.0f}", (n, k), (4, 0), va="center", fontsize=9)
        names = [shortened(data.labels[k], 9 if small else 18) for k in order]
        left.set_yticks(y, names, fontsize=9, parse_math=False)
    else:
        part = "" if J <= _EACH else f", {_EACH} of them drawn"
        left.set_ylabel(f"{J} groups{part}, from the lowest mean to the highest")
    left.set_ylim(0.2, J + 0.8)  # no tick at 0: the lowest is group 1
    left.set_xlabel(f"mean of {plain(data.outcome, 20 if small else 40)}", parse_math=False)
    right.set(xlabel="rows", xlim=(0, 1.3 * data.sizes.max() if named else None))
    right.locator_params(axis="x", nbins=3)
    right.tick_params(axis="y", left=False)
    legend_above(figure, ncols=1 if small else 3, fontsize=9, markerscale=1 if named else 2)
    low, high = (f"{means.iloc[k]:.4g} ({plain(data.labels[k], 40)})" for k in (order[0], order[-1]))
    alt = (
        f"The means of {plain(data.outcome, 40)} in {J} groups, from the lowest to the highest, each with "
        f"its {level * 100:g}% interval, and beside them the number of rows. The lowest mean is {low}, the "
        f"highest {high}; partial pooling has them from {every.min():.4g} to "
        f"{every.max():.4g}. "
        f"The groups have {data.sizes.min():.0f} to {data.sizes.max():.0f} rows."
        + ("" if J <= _EACH else f" {_EACH} groups are drawn, evenly spread over that order.")
    )
    return figure, alt


def _crowd(left, right, y, own, half, pooled, size):
    """Draw so many groups that they are lines and bands."""
    left.fill_betweenx(y, own - half, own + half, color=FAINT, lw=0)
    left.plot(own, y, "-", color=NO, lw=2, label="mean of the group's rows")
    left.plot(pooled, y, "-", color=PARTIAL, lw=2, label="partially pooled")
    right.fill_betweenx(y, 0, size, color=NO, lw=0)


def shortened(label, most):
    """A label cut in its middle, for the ends of labels tell them apart: clinic number 1, clinic number 2."""
    text = plain(label, 1000)
    return text if len(text) <= most else f"{text[: most // 2]}\u2026{text[-(most - 1) // 2 :]}"


def plain(label, most):
    """A label from somebody's file, on one line and no longer than it may be."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(label)).split())
    return text if len(text) <= most else text[: most - 1] + "\u2026"
