"""Which robust, resampled and plain standard errors are one number, and which part."""

from __future__ import annotations

import textwrap

import numpy as np

from .style import COMPLETE, FAINT, NO, PARTIAL, drawing, legend_above, styled, without_left


@styled
def equal_families(balanced, unbalanced, others):
    """Standard errors of one data set on the left, of another on the right: which are equal, which part.

    Parameters
    ----------
    balanced, unbalanced : dict of str to float
        Name to standard error, the same names in both.
    others : dict of str to sequence of str
        Estimates other than the mean of all pupils, two at most, with the names that belong to each.

    Returns
    -------
    figure, alt : Figure, str
    """
    looks = zip((COMPLETE, PARTIAL, NO), ("o", "D", "s"), ("-", "--", ":"), strict=True)
    looks = dict(zip(["mean of all pupils", *others], looks, strict=False))
    of = {name: label for label, names in others.items() for name in names}
    families = [families_of(values) for values in (balanced, unbalanced)]
    spread = [value for family in families for value in family]
    line = 0.046 * (max(spread) - min(spread))
    figure, ax = drawing(height=5.2)
    for name in balanced:
        colour, marker, dash = looks[of.get(name, "mean of all pupils")]
        heights = balanced[name], unbalanced[name]
        ax.plot([0, 1], heights, color=colour, ls=dash, marker=marker, ms=7, lw=1.6)
    for family, x, side in zip(families, (-0.07, 1.07), ("right", "left"), strict=True):
        free = -np.inf
        for value, names in family.items():
            text = textwrap.fill(f"{', '.join(names)}: {value:.3f}", 30)
            half = line * (text.count("\n") + 1) / 2
            at = max(value, free + half)
            ax.text(x + np.sign(x) * 0.02, at, text, ha=side, va="center", fontsize=9.5)
            ax.plot([round(x), x], [value, at], color=FAINT, lw=0.8, zorder=0)
            free = at + half
    for label, (colour, marker, dash) in looks.items():
        ax.plot([], [], color=colour, ls=dash, marker=marker, ms=7, lw=1.6, label=label)
    without_left(ax)
    ax.set(xlim=(-1.2, 2.1), ylim=(min(spread) - 2 * line, None))
    ax.set(xlabel="height: standard error, points")
    ax.set_xticks([0, 1], ["equal sizes", "unequal sizes"])
    legend_above(figure, ncols=3)
    equal, parted = (
        "; ".join(f"{', '.join(names)} {value:.3f}" for value, names in family.items()) for family in families
    )
    alt = (
        f"Standard errors under {len(balanced)} names in two data sets, a line for each. With equal sizes "
        f"there are {len(families[0])} values: {equal}. With unequal sizes {len(families[1])}: {parted}."
    )
    return figure, alt


def families_of(values):
    """Value to the names that have it (to nine digits), from the least up."""
    out = {}
    for name, value in sorted(values.items(), key=lambda item: item[1]):
        last = next(reversed(out), None)
        if last is None or not np.isclose(value, last, rtol=1e-9):
            last = value
        out.setdefault(last, []).append(name)
    order = list(values)  # not that of the last digits, which are rounding
    return {value: sorted(names, key=order.index) for value, names in out.items()}
