"""The radon data: counties of very different size, and a logarithm that was given a little help."""

from __future__ import annotations

import numpy as np

from ... import formulas
from .style import ACCENT, INK, NO, PARTIAL, beside, drawing, legend_above, log_scale, styled


@styled
def means_by_size(panels, sizes, overall, marked):
    """Group means against group size, one panel for each way to estimate them, with bars of one SE.

    Groups of one size are spread out evenly, by up to a tenth either way, so that their bars can be seen.

    Parameters
    ----------
    panels : dict of str to tuple
        Title to (means, their standard errors).
    sizes : Series
        Rows in each group, by label.
    overall : float
        The mean that a line marks.
    marked : label
        The group to circle.

    Returns
    -------
    figure, alt : Figure, str
    """
    rank, shared = (sizes.groupby(sizes).transform(how) for how in ("cumcount", "size"))
    x = sizes * np.exp(0.1 * (2 * (rank + 1) / (shared + 1) - 1))
    where = sizes.index.get_loc(marked)
    told = []
    figure, axes = drawing(1, len(panels), height=4, sharey=True)
    for ax, (title, panel), colour in zip(axes, panels.items(), (NO, PARTIAL), strict=True):
        means, se = map(np.asarray, panel)
        ax.vlines(x, means - se, means + se, color=colour, lw=1)
        ax.plot(x, means, "o" if colour == NO else "D", color=colour, ms=3.5)
        ax.axhline(overall, color=INK, lw=1, ls="--")
        ax.plot(x.iloc[where], means[where], "o", color=ACCENT, ms=16, mfc="none", mew=2)
        log_scale(ax, x=[1, 3, 10, 30, 100])
        ax.set(title=title, xlabel="houses in the county (log scale)")
        top = int(means.argmax())
        told.append(
            f"{title}, means from {means.min():.2f} to {means.max():.2f}, bars from {se.min():.2f} to "
            f"{se.max():.2f} either way, the circled one "
            + ("the highest" if top == where else f"{np.sum(means > means[where])} below the highest")
        )
    axes[0].set(ylabel="mean log radon")
    alt = (
        f"Means of {len(sizes)} counties against their number of houses, {sizes.min()} to {sizes.max()}, "
        f"with bars of one standard error and a line at {overall:.2f}: {'; '.join(told)}."
    )
    return figure, alt


@styled
def two_logarithms(levels, group, names):
    """How far log(x + 0.1) lies above log x at each level, and how many rows there are at each level.

    Parameters
    ----------
    levels : array_like
        The x, 0 or more; at 0 the logarithm of 0.1 stands for that of 0.
    group : array_like
        0 or 1 for each row.
    names : sequence of str
        What 0 and 1 mean.

    Returns
    -------
    figure, alt : Figure, str
    """
    levels, group = np.asarray(levels, dtype=float), np.asarray(group)
    at_zero = 0.06  # where on the axis zero stands
    shown = np.where(levels > 0, levels, at_zero)
    raised = np.where(levels > 0, np.log1p(0.1 / shown), 0.0)
    edges = np.geomspace(0.05, 60, 25)
    means = [raised[group == k].mean() for k in (0, 1)]
    medians = [np.median(levels[group == k]) for k in (0, 1)]
    figure, (top, bottom) = drawing(2, height=5, sharex=True)
    at = np.unique(shown[levels > 0])
    top.plot(at, np.log1p(0.1 / at), "o-", color=PARTIAL, ms=4, lw=1.2)
    top.plot(at_zero, 0, "X", color=ACCENT, ms=9, mew=0, clip_on=False)
    note = f"{np.sum(levels == 0)} zeros: no difference"
    beside(top, note, (at_zero, 0), (12, 5))
    styles = (("stepfilled", NO, 0.35, "-"), ("step", ACCENT, 1, "--"))
    for k, (kind, colour, alpha, dash) in enumerate(styles):
        rows = shown[group == k]
        share = np.full(len(rows), 100 / len(rows))
        bottom.hist(
            rows, edges, weights=share, histtype=kind, color=colour, alpha=alpha, ls=dash, lw=2,
            label=f"{names[k]}: raised by {means[k]:.3f} on average",
        )  # fmt: skip
    for ax in (top, bottom):
        log_scale(ax, x={at_zero: "0"} | {tick: f"{tick:g}" for tick in (0.1, 0.3, 1, 3, 10, 30)})
        ax.set(xlabel="x, radon in pCi/L (log scale)")
    top.set(ylabel="log(x + 0.1)\nabove log x", ylim=(0, None))
    bottom.set(ylabel="% of the houses")
    bottom.set_xlim(0.05, 60)
    bottom.margins(y=0.2)
    bottom.legend(loc="upper left", fontsize=10)
    alt = (
        f"Above: log(x + 0.1) less log x against the radon level x, {raised.max():.2f} at {at[0]:g} pCi/L, "
        f"{np.log1p(0.1):.2f} at 1 and {np.log1p(0.01):.2f} at 10; at {np.sum(levels == 0)} zeros no "
        f"difference. Below: how the levels are spread, {names[0]} (median {medians[0]:.1f}, raised by "
        f"{means[0]:.3f} on average) and {names[1]} (median {medians[1]:.1f}, by {means[1]:.3f})."
    )
    return figure, alt


@styled
def county_standard_errors(panels, sizes, marked):
    """Standard errors of group intercepts against group size: without pooling, conditional and full.

    Parameters
    ----------
    panels : dict of str to tuple
        Title to (theta, table of group means as from `Fit.group_means`).
    sizes : array_like of shape (J,)
        Rows in each group.
    marked : label
        The group to circle, as the tables name it.

    Returns
    -------
    figure, alt : Figure, str
    """
    sizes, told = np.asarray(sizes), []
    n = np.geomspace(sizes.min(), sizes.max(), 200)
    figure, axes = drawing(1, len(panels), height=4, sharey=True, squeeze=False)
    axes = axes[0]
    for ax, (title, (theta, means)) in zip(axes, panels.items(), strict=True):
        full, conditional = means["se"].to_numpy(), means["se_conditional"].to_numpy()
        ax.plot(n, formulas.se_group_mean(theta, n), color=NO, ls=":", label="no pooling")
        ax.plot(sizes, full, "D", color=PARTIAL, ms=4.5, mew=0, alpha=0.8, label="full")
        where = means.index.get_loc(marked)
        ax.plot(sizes[where], full[where], "o", color=ACCENT, ms=16, mfc="none", mew=2)
        by_size = np.argsort(sizes)
        ax.plot(sizes[by_size], conditional[by_size], color=INK, lw=1.5, label="conditional")
        log_scale(ax, x=[1, 3, 10, 30, 100], y=[0.05, 0.1, 0.2, 0.4, 0.8])
        ax.set(title=title, xlabel="houses in the county (log scale)")
        small = sizes == sizes.min()
        told.append(
            f"{title}: {formulas.se_group_mean(theta, sizes.min()):.2f} without pooling, "
            f"{conditional[small].mean():.3f} conditional, {full[small].min():.3f} to "
            f"{full[small].max():.3f} full; the circled one of {sizes[where]} {conditional[where]:.3f} "
            f"conditional, {full[where]:.3f} full"
        )
    axes[0].set(ylabel="standard error (log scale)")
    legend_above(figure, *axes[0].get_legend_handles_labels(), ncols=3)
    alt = (
        f"Standard errors of {len(sizes)} county intercepts against the number of houses, on log axes. The "
        "full ones are points on or above the conditional curve; the line without pooling falls straight "
        f"from far above and comes near them at large counties. In a county of {sizes.min()} house, "
        f"{'; '.join(told)}."
    )
    return figure, alt
