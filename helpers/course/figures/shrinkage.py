"""Partially pooled means: how far they move, what their errors are made of, whom pooling helps."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np

from ... import formulas
from .style import ACCENT, COMPLETE, NO, PARTIAL, beside, drawing, legend_above, listed, styled


@styled
def shrinkage_fan(own, pooled, truth):
    """Class means, the partially pooled means and the true ones on three lines, joined class by class.

    Parameters
    ----------
    own, pooled, truth : array_like of shape (J,)
        Mean of the class's pupils, partially pooled mean, true mean.

    Returns
    -------
    figure, alt : Figure, str
    """
    own, pooled, truth = (np.asarray(x, dtype=float) for x in (own, pooled, truth))
    nearer = np.abs(pooled - truth) < np.abs(own - truth)
    figure, ax = drawing()
    for mask, colour, dash, label in (
        (nearer, PARTIAL, "-", f"pooling came nearer to the truth: {nearer.sum()}"),
        (~nearer, ACCENT, "--", f"pooling went away from it: {(~nearer).sum()}"),
    ):
        lines = ax.plot([own[mask], pooled[mask], truth[mask]], [2, 1, 0], color=colour, ls=dash, lw=1.4)
        for line in lines[:1]:
            line.set_label(label)
    for y, (values, marker) in enumerate(((truth, "s"), (pooled, "o"), (own, "D"))):
        ax.plot(values, np.full(len(values), y), marker, color=NO, ms=6, mew=0)
    ax.set(xlabel="score, points", ylim=(-0.25, 2.25))
    ax.set_yticks([0, 1, 2], ["true\nmean", "partial\npooling", "class\nmean"])
    legend_above(figure, ncols=2)
    alt = (
        f"The {len(own)} class means run from {own.min():.1f} to {own.max():.1f}; partial pooling draws "
        f"them together, from {pooled.min():.1f} to {pooled.max():.1f}. The true means run from "
        f"{truth.min():.1f} to {truth.max():.1f}. In {nearer.sum()} classes the partially pooled "
        f"mean is the nearer to the truth, in {(~nearer).sum()} the class mean is."
    )
    return figure, alt


@styled
def class_mean_variance_parts(psi, theta, J, n):
    """What four standard errors of a class mean are made of, as variances, bar by bar.

    Returns
    -------
    figure, alt : Figure, str
    """
    factor, overall = formulas.shrinkage(psi, theta, n), formulas.se_partial_pooling(psi, theta, J, n) ** 2
    given = factor * theta / n
    bars = {
        "naive sum": (given, overall),
        "no pooling": (theta / n, 0.0),
        "full": (given, (1 - factor) ** 2 * overall),
        "conditional": (given, 0.0),
    }
    figure, ax = drawing(height=3.2)
    for k, (name, (first, second)) in enumerate(reversed(bars.items())):
        ax.barh(k, first, height=0.6, color=NO if name == "no pooling" else PARTIAL)
        ax.barh(k, second, left=first, height=0.6, color=COMPLETE)
        text = f"SE {np.sqrt(first + second):.2f}"
        beside(ax, text, (first + second, k), (6, 0), va="center")
    ax.set_yticks(range(len(bars)), list(reversed(bars)))
    ax.set(xlabel="variance, points squared", xlim=(0, 1.25 * (given + overall)))
    keys = {"given the overall mean": PARTIAL, "overall mean": COMPLETE, "own mean alone": NO}
    handles = [plt.Rectangle((0, 0), 1, 1, color=colour) for colour in keys.values()]
    legend_above(figure, handles, keys, ncols=3)
    listing = listed({name: np.sqrt(sum(parts)) for name, parts in bars.items()})
    alt = (
        f"Four bars, the variances behind four standard errors of one class mean: {listing}. "
        f"Conditional, full and naive sum share a part of {given:.1f}; on top of it the overall mean adds "
        f"{bars['full'][1]:.1f} to the full one and {overall:.1f} to the naive sum."
    )
    return figure, alt


@styled
def shrinkage_by_distance(psi, theta, n, level=0.95):
    """Error and coverage of the partially pooled mean of a class against its distance from the mean of all.

    Returns
    -------
    figure, alt : Figure, str
    """
    sd, raw = np.sqrt(psi), float(formulas.se_group_mean(theta, n))
    edge = float(np.sqrt(2 * psi + theta / n))
    u = np.linspace(-3 * sd, 3 * sd, 301)
    error = formulas.rmse_group_mean_partial_at(np.abs(u), psi, theta, n)
    held = formulas.coverage_group_mean_partial_at(np.abs(u), psi, theta, n, level)
    figure, (top, bottom) = drawing(rows=2, height=5.4)
    top.plot(u, error, color=PARTIAL, label="partial pooling")
    top.axhline(raw, color=NO, ls="--", label="no pooling")
    bottom.plot(u, held, color=PARTIAL)
    bottom.axhline(level, color=NO, ls="--")
    for ax in (top, bottom):
        ax.axvspan(-edge, edge, color=PARTIAL, alpha=0.1, lw=0)
    top.text(0, raw / 2, "here pooling helps", ha="center", va="center")
    top.set(ylabel="typical error, points", xlabel="distance of the class from the mean of all, points")
    bottom.set(ylabel="share covered", xlabel="distance of the class from the mean of all, points")
    top.set_ylim(0, None)
    legend_above(figure, ncols=2)
    centre, end = (formulas.coverage_group_mean_partial_at(d, psi, theta, n, level) for d in (0, 3 * sd))
    alt = (
        f"Two panels against the distance of a class from the mean of all. Above, the typical error: "
        f"{raw:.2f} points without pooling, wherever the class lies; with partial pooling "
        f"{error.min():.2f} in the middle, the same as without at {edge:.1f} points out, and "
        f"{error.max():.2f} at {3 * sd:.0f} points. Below, the share of {level:.0%} intervals that hold the "
        f"mean: {centre:.3f} in the middle, {end:.3f} at {3 * sd:.0f} points."
    )
    return figure, alt
