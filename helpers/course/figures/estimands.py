"""The question, and the populations a mean can be about: chapters 01 to 03."""

from __future__ import annotations

import numpy as np

from ... import formulas
from .style import (
    ACCENT,
    COMPLETE,
    FAINT,
    INK,
    NO,
    PARTIAL,
    PHONE,
    beside,
    drawing,
    legend_above,
    listed,
    log_scale,
    styled,
)


@styled
def students_by_class(data, outcome="score", group="classroom"):
    """Every pupil by classroom, with the class means and the grand mean.

    Parameters
    ----------
    data : DataFrame
        One row a pupil.

    Returns
    -------
    figure, alt : Figure, str
    """
    grouped = data.groupby(group, observed=True)[outcome]
    means, grand = grouped.mean(), data[outcome].mean()
    deviations = data[outcome] - grouped.transform("mean")
    within = np.sqrt((deviations**2).sum() / (len(data) - len(means)))
    at = {label: k + 1 for k, label in enumerate(means.index)}
    x = data[group].map(at).astype(float)
    figure, ax = drawing()
    ax.plot(x, data[outcome], "o", color=FAINT, alpha=0.6, ms=4, mew=0, label="a pupil")
    ax.plot(at.values(), means, "D", color=NO, ms=7, label="a class mean")
    ax.axhline(grand, color=ACCENT, lw=1.5, ls="--", label=f"mean of all pupils, {grand:.1f}")
    ax.set(xlabel=group, ylabel=outcome, xticks=list(at.values()))
    ax.set_xticklabels(means.index, fontsize=9)
    legend_above(figure, ncols=3)
    alt = (
        f"Scores of {len(data)} pupils in {len(means)} classrooms. The class means run from "
        f"{means.min():.1f} to {means.max():.1f} around the mean of all pupils, {grand:.1f}; "
        f"their standard deviation is {means.std():.1f}, that of pupils within a class {within:.1f}."
    )
    return figure, alt


@styled
def standard_errors_and_bound(named, bound, impossible):
    """Standard errors on a log axis, the least possible one as a wall, one value beyond the wall.

    Parameters
    ----------
    named : dict of str to float
        Standard errors that the data allow, by label.
    bound : float
        What no random-intercept standard error can fall below here.
    impossible : tuple of str and float
        Label and value of the one that does.

    Returns
    -------
    figure, alt : Figure, str
    """
    entries = sorted([*named.items(), impossible], key=lambda item: item[1])
    figure, ax = drawing(height=3, width=PHONE)
    ax.axvspan(entries[0][1] / 2, bound, color=FAINT, alpha=0.25, lw=0)
    ax.axvline(bound, color=INK, lw=1.5)
    for k, (label, value) in enumerate(entries):
        colour, marker = (ACCENT, "X") if label == impossible[0] else (NO, "o")
        ax.plot(value, k, marker, color=colour, ms=9)
        beside(ax, f"{value:.4g}", (value, k), (9, 0), va="center")
    ax.set(
        xlim=(entries[0][1] / 2, entries[-1][1] * 1.8),
        ylim=(-0.5, len(entries)),
        yticks=range(len(entries)),
        yticklabels=[label for label, _ in entries],
        xlabel="standard error, points (log scale)",
    )
    log_scale(ax, x=[0.2, 0.5, 1, 2, 5, 10])  # widens the axis to its ticks
    ax.text(bound, len(entries) - 0.35, "not possible here ", fontsize=10, ha="right", va="center")
    alt = (
        f"Standard errors on a log axis: {listed(dict(entries), '.4g')}. A wall stands at {bound:.4g}, the "
        f"least the intercept of the mixed model can have here; only {impossible[0]} lies beyond it."
    )
    return figure, alt


@styled
def coverage_by_population(psi, theta, J, n, most=1000, level=0.95):
    """How often three intervals cover the mean of K classes, J of them drawn, against K; variances known.

    Returns
    -------
    figure, alt : Figure, str
    """
    K = np.geomspace(J, most, 400)
    lines = {
        "partial pooling": (formulas.se_partial_pooling(psi, theta, J, n), PARTIAL, "-"),
        "complete pooling": (formulas.se_complete_pooling(psi, theta, J, n), COMPLETE, "--"),
        "no pooling": (formulas.se_no_pooling(theta, J, n), NO, ":"),
    }

    def covers(se, K):
        return formulas.normal_coverage(se, formulas.se_finite_population(psi, theta, J, n, K), level)

    ends = {label: (covers(se, J), covers(se, np.inf)) for label, (se, _, _) in lines.items()}
    meets = J * n / (n - 1)  # there the finite population's SE is complete pooling's
    figure, ax = drawing()
    ax.axhline(level, color=FAINT, lw=1.5)
    for label, (se, colour, dash) in lines.items():
        ax.plot(K, covers(se, K), color=colour, ls=dash, lw=2.5, label=label)
        ax.plot(1.5 * most, ends[label][1], "D", color=colour, ms=7, clip_on=False)
    ax.plot(meets, level, "o", color=INK, ms=6)
    text = f"complete pooling: K = {meets:.1f}"
    beside(ax, text, (meets, level), (26, -5), va="top")
    ticks = {k: f"{k}" for k in (20, 50, 100, 200, 500, 1000) if J <= k <= most}
    log_scale(ax, x=ticks | {1.5 * most: "\u221e"})
    ax.set(xlabel="K, classes the mean is about (log scale)")
    ax.set(ylabel="share of intervals that cover the mean of K")
    ax.set(xlim=(J, 1.5 * most), ylim=(None, 1.01))
    legend_above(figure, ncols=3)
    listing = "; ".join(f"{label} {low:.3f} and {high:.3f}" for label, (low, high) in ends.items())
    alt = (
        f"Share of intervals that cover the mean of K classes, {J} of them drawn, against K; a line marks "
        f"the {level:.0%} promised. Every curve falls. At K = {J} and for infinitely many classes: "
        f"{listing}. Complete pooling meets the line at K = {meets:.1f}."
    )
    return figure, alt


@styled
def se_by_population(psi, theta, J, n, most=1000):
    """SE of the mean against K, the number of classes it is about, from K = J on.

    Returns
    -------
    figure, alt : Figure, str
    """
    K = np.unique(np.geomspace(J, most, 200).round())
    se = formulas.se_finite_population(psi, theta, J, n, K)
    low, high = formulas.se_no_pooling(theta, J, n), formulas.se_partial_pooling(psi, theta, J, n)
    figure, ax = drawing()
    ax.plot(K, se, color=PARTIAL)
    ax.axhline(high, color=FAINT, ls="--", lw=1.5)
    ax.plot(J, low, "o", color=NO, ms=9)
    for k in (25, 40, 100):
        value = formulas.se_finite_population(psi, theta, J, n, k)
        ax.plot(k, value, "D", color=PARTIAL, ms=7)
        beside(ax, f"K = {k}: {value:.2f}", (k, value), (9, -12))
    beside(ax, f"just these {J}: {low:.2f}", (J, low), (10, -3))
    ax.text(most, high, f"infinitely many classes: {high:.2f}", ha="right", va="bottom")
    log_scale(ax, x=[20, 50, 100, 200, 500, 1000])
    ax.set(xlabel="K, classes the mean is about (log scale)", ylabel="standard error, points")
    ax.set_ylim(0, high * 1.15)
    alt = (
        "The standard error of the mean rises with the number K of classes it is about: "
        f"{low:.2f} for just the {J} classes seen, "
        f"{formulas.se_finite_population(psi, theta, J, n, 40):.2f} for 40, and towards "
        f"{high:.2f} for infinitely many classes."
    )
    return figure, alt
