"""A study repeated: the means it gives, and which intervals miss."""

from __future__ import annotations

import numpy as np

from ...formulas import distributions as stats
from .style import ACCENT, COMPLETE, FAINT, INK, NO, PARTIAL, drawing, listed, styled, without_left


@styled
def repeated_means(repeats):
    """Histograms of the mean over repeats of a study, on one axis, with the normal curve of each formula.

    Parameters
    ----------
    repeats : dict of str to Simulated
        What was repeated, and the means it gave (`simulate.replicate`); three at most.

    Returns
    -------
    figure, alt : Figure, str
    """
    pooled = np.concatenate([repeat.means for repeat in repeats.values()])
    centre, reach = pooled.mean(), 3.5 * max(repeat.sd for repeat in repeats.values())
    edges = np.linspace(centre - reach, centre + reach, 71)
    x = np.linspace(edges[0], edges[-1], 400)
    looks = ((NO, "-"), (COMPLETE, "--"), (PARTIAL, ":"))
    figure, ax = drawing()
    for (label, repeat), (colour, dash) in zip(repeats.items(), looks, strict=False):
        ax.hist(repeat.means, edges, density=True, histtype="stepfilled", color=colour, alpha=0.25)
        curve = stats.norm.pdf(x, repeat.means.mean(), repeat.target)
        ax.plot(x, curve, color=colour, ls=dash, lw=2.5, label=f"{label}: sd {repeat.sd:.2f}")
    without_left(ax)
    ax.set(xlabel="mean of all pupils", xlim=(edges[0], edges[-1]))
    ax.legend(loc="upper left", fontsize=10, borderaxespad=0)
    spreads = "; ".join(
        f"{label} {repeat.sd:.2f} (formula {repeat.target:.2f})" for label, repeat in repeats.items()
    )
    alt = (
        f"Histograms of the mean of all pupils over {len(repeat.means)} repeats of a study, all around "
        f"{centre:.0f}, with the normal curve of each formula on top. Standard deviations: {spreads}."
    )
    return figure, alt


@styled
def interval_ladder(means, halves, truth):
    """Intervals of one study after another, side by side for each method, with the misses marked.

    Parameters
    ----------
    means : array_like of shape (studies,)
    halves : dict of str to array_like
        By method, half the length of the interval of each study.
    truth : float
        The mean that the intervals should hold.

    Returns
    -------
    figure, alt : Figure, str
    """
    means, rungs, missed = np.asarray(means), np.arange(len(means)), {}
    figure, axes = drawing(1, len(halves), height=5, sharex=True, sharey=True)
    for ax, (label, half) in zip(np.atleast_1d(axes), halves.items(), strict=True):
        half = np.broadcast_to(half, means.shape)
        out = np.abs(means - truth) > half
        missed[label] = out.sum()
        for which, colour, width, marker in ((~out, FAINT, 1.5, "o"), (out, ACCENT, 2, "X")):
            low, high = (means - half)[which], (means + half)[which]
            ax.hlines(rungs[which], low, high, color=colour, lw=width)
            size = {"ms": 8, "mec": "white", "mew": 0.8} if which is out else {"ms": 3}
            ax.plot(means[which], rungs[which], marker, color=colour, **size)
        ax.axvline(truth, color=INK, lw=1.5)
        without_left(ax)
        ax.set(xlabel="mean of all pupils")
        ax.set_title(f"{label}\n{out.sum()} of {len(means)} miss", fontsize=11)
    alt = (
        f"Intervals of {len(means)} repeats of a study, one above the other, around a line at the true mean, "
        f"{truth:g}. Intervals that miss the line, by method: {listed(missed, 'd')}."
    )
    return figure, alt
