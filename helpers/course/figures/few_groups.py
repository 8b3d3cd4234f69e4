"""Few groups: what z and t cover, and the degrees of freedom of each term."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np

from ... import formulas
from .style import COMPLETE, FAINT, NO, PARTIAL, beside, drawing, legend_above, log_scale, styled


@styled
def coverage_by_groups(simulated, level=0.95):
    """How often z and t intervals hold the mean, against the number of groups: closed form and simulated.

    Parameters
    ----------
    simulated : dict of int to DataFrame
        Number of groups to what `simulate.coverage` found for "partial pooling, z" and "..., t".
    level : float
        What the intervals promise.

    Returns
    -------
    figure, alt : Figure, str
    """
    counts = sorted(simulated)
    J = np.geomspace(counts[0], counts[-1], 200)
    shown = {"z": ("o", COMPLETE), "t": ("D", PARTIAL)}
    figure, ax = drawing(height=4.2)
    ax.plot(J, formulas.z_coverage(J - 1, level), "--", color=COMPLETE, label="z, by formula")
    ax.axhline(level, color=PARTIAL, label="t, by formula")
    for reference, (marker, colour) in shown.items():
        rows = [simulated[k].loc[f"partial pooling, {reference}"] for k in counts]
        found, error = (np.array([row[name] for row in rows]) for name in ("coverage", "mcse"))
        label = f"{reference}, simulated with REML"
        ax.errorbar(counts, found, 2 * error, fmt=marker, color=colour, ms=7, capsize=4, label=label)
        for k, value in zip(counts, found, strict=True):
            below = reference == "z" and value < formulas.z_coverage(k - 1, level) + 0.01
            shift = (14, -14) if below else (0, 13)
            beside(ax, f"{value:.3f}", (k, value), shift, ha="center", va="center")
    log_scale(ax, x=counts)
    ax.set(xlabel="number of classes (log scale)", ylabel="share that hold the mean")
    ax.set(xlim=(counts[0] / 1.2, counts[-1] * 1.3), ylim=(0.78, 1.02))
    legend_above(figure, ncols=2)
    told = "; ".join(
        f"{k} classes, z {simulated[k].loc['partial pooling, z', 'coverage']:.3f} where the formula has "
        f"{formulas.z_coverage(k - 1, level):.3f}, t {simulated[k].loc['partial pooling, t', 'coverage']:.3f}"
        for k in counts
    )
    alt = (
        f"The share of {100 * level:g}% intervals that hold the mean, against the number of classes. "
        f"Intervals with z rise towards the promise from below, those with t lie on it or above. "
        f"Simulated: {told}."
    )
    return figure, alt


@styled
def df_by_predictor(fits):
    """Degrees of freedom of each term on a log axis, one panel a fit, the level of each term marked.

    Parameters
    ----------
    fits : dict of str to Fit
        Partial pooling, by the name of the data.

    Returns
    -------
    figure, alt : Figure, str
    """
    told = []
    figure, axes = drawing(len(fits), height=2.1 * len(fits) + 0.6, sharex=True, squeeze=False)
    for ax, (name, fit) in zip(axes[:, 0], fits.items(), strict=True):
        varies = zip(fit.data.terms, fit.data.varies_within(), strict=True)
        within = {term for term, inside in varies if inside}
        for k, (term, df) in enumerate(fit.df.items()):
            marker, colour = ("D", PARTIAL) if term in within else ("o", NO)
            ax.plot(df, k, marker, color=colour, ms=9)
            ax.text(df * 1.12, k, f"{df:.0f}", va="center", bbox={"fc": "white", "ec": "none", "pad": 1})
        ax.axvline(fit.ngroups, color=FAINT, lw=1.5, ls="--", zorder=0)
        ax.axvline(fit.nobs, color=FAINT, lw=1.5, ls=":", zorder=0)
        log_scale(ax, x=[50, 200, 1000, 5000])
        ax.set(xlim=(30, 20_000), ylim=(len(fit.df) - 0.4, -0.6))
        ax.set_yticks(range(len(fit.df)), fit.df.index)
        ax.set_title(f"{name}: {fit.ngroups} groups, {fit.nobs} rows", fontsize=11, loc="left")
        ax.set_xlabel("degrees of freedom (log scale)" if ax is axes[-1, 0] else " ")
        terms = (
            f"{term} {df:.0f} ({'varies within groups' if term in within else 'the same within a group'})"
            for term, df in fit.df.items()
        )
        told.append(f"{name}, {fit.ngroups} groups and {fit.nobs} rows: {', '.join(terms)}")
    keys = [("D", PARTIAL, "varies within groups"), ("o", NO, "the same within a group")]
    handles = [plt.Line2D([], [], marker=m, color=c, ls="", ms=9, label=t) for m, c, t in keys]
    lines = [("--", "groups"), (":", "rows")]
    handles += [plt.Line2D([], [], color=FAINT, lw=1.5, ls=dash, label=t) for dash, t in lines]
    legend_above(figure, handles=handles, ncols=4, fontsize=10)
    alt = f"Degrees of freedom of each term on a log axis. {'; '.join(told)}."
    return figure, alt
