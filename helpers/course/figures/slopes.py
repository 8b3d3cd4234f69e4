"""Slopes that vary from group to group: how well their average is known, and how each is shrunk."""

from __future__ import annotations

import numpy as np

from ... import formulas
from .style import ACCENT, COMPLETE, FAINT, INK, PARTIAL, beside, drawing, legend_above, log_scale, styled


@styled
def average_slope_by_size(psi_x, theta, J, largest=100):
    """Standard error of an average slope against group size, and what a random intercept reports of it.

    The predictor has variance 1 in each group: its sum of squares there is the group's size.

    Returns
    -------
    figure, alt : Figure, str
    """
    n = np.arange(2, largest + 1)
    true = formulas.se_average_slope(psi_x, theta, J, n)
    reported = formulas.se_within_slope(formulas.one_slope_variance(psi_x, theta, J, n, n), J * n)
    floor = float(formulas.se_floor(psi_x, J))
    figure, ax = drawing(height=3.8)
    ax.plot(n, true, color=PARTIAL, label="true: slopes that vary")
    ax.plot(n, reported, color=COMPLETE, ls="--", label="reported: random intercept")
    ax.axhline(floor, color=FAINT, lw=1.5)
    beside(ax, f"floor {floor:.2f}", (2, floor), (4, -5), va="top")
    for values, shift in ((true, (0, 9)), (reported, (0, 9))):
        ax.plot(n[-1], values[-1], "o", color=INK, ms=5, clip_on=False)
        beside(ax, f"{values[-1]:.2f}", (n[-1], values[-1]), shift, ha="center")
    log_scale(ax, x=[k for k in (2, 5, 10, 20, 50, 100, 200, 500) if k <= largest])
    ax.set(xlabel="pupils in each group, n", ylabel="standard error", ylim=(0, 1.05 * true[0]))
    legend_above(figure, ncols=2)
    alt = (
        f"Two standard errors of the average slope of {J} groups against the size of a group, from 2 "
        f"to {largest}. The true one falls from {true[0]:.2f} to {true[-1]:.2f}, and never below a floor at "
        f"{floor:.2f}. What a random intercept reports falls from {reported[0]:.2f} to {reported[-1]:.2f} "
        "and has no floor."
    )
    return figure, alt


@styled
def own_and_shrunk_lines(own, shrunk, reach, average, sd, outcome="math", predictor="ses", group="school"):
    """The line of each group by least squares on it alone, and as the model with varying slopes has it.

    Parameters
    ----------
    own, shrunk : DataFrame
        By group: ``level`` at the group's mean of the predictor, and ``slope``.
    reach : DataFrame
        By group: ``mean`` of the predictor, and ``low`` and ``high`` between which the line is drawn.
    average : float
        The average slope.
    sd : float
        Standard deviation of the true slopes, as the model estimates it.

    Returns
    -------
    figure, alt : Figure, str
    """
    figure, axes = drawing(columns=2, height=4.2, sharex=True, sharey=True)
    ends = reach[["low", "high"]].to_numpy()
    away = ends - reach[["mean"]].to_numpy()
    told = []
    for ax, lines, name in zip(axes, (own, shrunk), ("each alone", "partially pooled"), strict=True):
        slope = lines["slope"].to_numpy()
        height = lines[["level"]].to_numpy() + slope[:, None] * away
        for falls, colour, width, opacity in ((False, PARTIAL, 0.8, 0.5), (True, ACCENT, 1.6, 0.9)):
            chosen = (slope < 0) == falls
            ax.plot(ends[chosen].T, height[chosen].T, color=colour, lw=width, alpha=opacity)
        ax.set_title(f"{name}: sd {slope.std(ddof=1):.2f}, {np.sum(slope < 0)} fall", fontsize=11)
        told.append(
            f"from {slope.min():.2f} to {slope.max():.2f} with standard deviation {slope.std(ddof=1):.2f}, "
            f"and {np.sum(slope < 0)} lines fall"
        )
        ax.set(xlabel=predictor)
    axes[0].set(ylabel=outcome)
    alt = (
        f"Two panels of {len(own)} straight lines of {outcome} against {predictor}, one a {group}. Left, "
        f"each fitted to its {group} alone: the slopes run {told[0]}. Right, partially pooled: they run "
        f"{told[1]}. Their average is {average:.2f}, and the model's standard deviation of the true slopes "
        f"is {sd:.2f}."
    )
    return figure, alt
