"""Slopes within and between groups, and their standard errors."""

from __future__ import annotations

import numpy as np

from ... import formulas
from .style import ACCENT, COMPLETE, FAINT, INK, NO, PARTIAL, beside, drawing, legend_above, styled


@styled
def slopes_within_and_between(
    data, within, between, mixed, outcome="math", predictor="ses", group="school", every=8
):
    """Lines within groups, one through the group means, and that of a plain random-intercept model.

    Parameters
    ----------
    data : DataFrame
        One row a pupil.
    within : float
        Slope within groups.
    between, mixed : (level, slope)
        The lines between groups and of the random-intercept model.
    every : int
        Lines within are drawn for every so many-th group, in the order of the predictor's means.

    Returns
    -------
    figure, alt : Figure, str
    """
    grouped = data.groupby(group, observed=True)
    x, y = grouped[predictor].mean(), grouped[outcome].mean()
    chosen = x.sort_values().index[every // 2 :: every]
    middle = grouped[predictor].quantile([0.1, 0.9]).unstack().loc[chosen]
    ends = np.array([x.min(), x.max()])
    (between_level, between_slope), (mixed_level, mixed_slope) = between, mixed
    figure, ax = drawing(height=4.6)
    ax.plot(x, y, "o", color=FAINT, ms=3, mew=0, alpha=0.5)
    for k in chosen:
        reach = middle.loc[k].to_numpy()
        ax.plot(reach, y[k] + within * (reach - x[k]), color=NO, lw=1, alpha=0.6)
    ax.plot(x[chosen], y[chosen], "o", color=NO, ms=5, mew=0)
    label = f"within {group}s {within:.2f}"
    ax.plot([], [], "o-", color=NO, lw=1, ms=5, mew=0, label=label)
    label = f"between {group}s {between_slope:.2f}"
    ax.plot(ends, between_level + between_slope * ends, color=ACCENT, ls="--", lw=3, label=label)
    whole = np.array(ax.get_xlim())
    label = f"one for both {mixed_slope:.2f}"
    ax.plot(whole, mixed_level + mixed_slope * whole, color=PARTIAL, lw=3, label=label)
    ax.set(xlabel=predictor, ylabel=outcome)
    legend_above(figure, ncols=3, columnspacing=1.2, handlelength=1.8)
    alt = (
        f"Mean {outcome} against mean {predictor} of {len(x)} {group}s, and straight lines of three slopes. "
        f"Short parallel lines through {len(chosen)} of the {group}s rise by {within:.2f} for each unit of "
        f"{predictor}. A steep line through the {group} means, from {ends[0]:.1f} to {ends[1]:.1f}, rises by "
        f"{between_slope:.2f}. The line of the model with one slope for both rises by {mixed_slope:.2f}."
    )
    return figure, alt


@styled
def se_ratio_by_icc(psi, theta, n):
    """Two standard errors of a slope, over the one for independent pupils, against the predictor's ICC.

    Returns
    -------
    figure, alt : Figure, str
    """
    rho, least = float(formulas.icc(psi, theta)), -1 / (n - 1)
    of_x = np.linspace(least, 1, 400)

    def true(of_x):
        return np.sqrt(formulas.moulton_factor(rho, of_x, n))

    def mixed(of_x):
        share = (1 + (n - 1) * of_x) / n
        return 1 / np.sqrt((psi + theta) * ((1 - share) / theta + share / (theta + n * psi)))

    low, high = float(true(least)), float(true(1))
    figure, ax = drawing(height=4.2)
    ax.axhline(1, color=FAINT, lw=1.5)
    ax.plot(of_x, true(of_x), color=COMPLETE, ls="--", lw=2.5, label="lm's slope, true SE")
    ax.plot(of_x, mixed(of_x), color=PARTIAL, lw=2.5, label="mixed model's slope")
    ax.plot([0, rho], [1, 1], "o", color=INK, ms=6, zorder=3)
    ax.plot([least, 1], [low, high], "D", color=NO, ms=8, zorder=3, clip_on=False)
    for text, at, shift, look in (
        (f"class-centred {low:.2f}", (least, low), (8, -12), {"va": "top"}),
        (f"class-level {high:.2f}", (1, high), (4, 12), {"ha": "right"}),
        ("0", (0, 1), (-4, 6), {"ha": "right"}),
        (f"ICC of the outcome, {rho:.2f}", (rho, 1), (6, -6), {"va": "top"}),
    ):
        beside(ax, text, at, shift, **look)
    ax.set(xlabel="ICC of the predictor", ylabel="standard error over what lm reports")
    ax.set(xlim=(least, 1), ylim=(0.7 * low, 1.12 * high))
    legend_above(figure, ncols=2)
    alt = (
        f"Two standard errors of a slope, each over the one that lm reports, against the intraclass "
        f"correlation of the predictor, for classes of {n} and an outcome with {rho:.2f}. Both rise from "
        f"{low:.2f} for a class-centred predictor, at {least:.2f}, to {high:.2f} for a class-level one. "
        f"The true one of lm's slope passes 1 at 0. That of the mixed model lies below it in between, and "
        f"passes 1 at {rho:.2f}."
    )
    return figure, alt
