"""The two variances: the criterion that is least, and where it puts psi at 0."""

from __future__ import annotations

import numpy as np

from ... import formulas
from ...fits.profile import Profile
from ...formulas import distributions as stats
from ...tables import summarise
from .style import ACCENT, COMPLETE, FAINT, INK, NO, PARTIAL, beside, drawing, legend_above, styled


@styled
def profile_deviance(data, steps=(), outcome="score", group="classroom"):
    """Rise of the profile criterion above its minimum, against the ratio psi / theta.

    REML and ML with the rise that a 95% interval allows, or REML with the steps of a search.

    Parameters
    ----------
    data : DataFrame
        One row a pupil.
    steps : sequence of float
        Ratios that a search under REML tried, drawn as dots on its curve; the first four are numbered.

    Returns
    -------
    figure, alt : Figure, str
    """
    summary = summarise(data, f"{outcome} ~ 1", group)
    curves = {"REML": (Profile(summary), PARTIAL, "-")}
    if not len(steps):
        curves["ML"] = (Profile(summary, "ml"), NO, "--")
    best = {name: float(profile.best_ratio()) for name, (profile, _, _) in curves.items()}
    r = np.linspace(0, 3.2 * max(best.values()), 600)
    allowed = stats.chi2.ppf(0.95, 1)
    figure, ax = drawing()
    for name, (profile, colour, dash) in curves.items():
        least = profile.criterion(best[name])
        ax.plot(r, profile.criterion(r) - least, color=colour, ls=dash, label=name)
        ax.plot(best[name], 0, "o" if name == "REML" else "D", color=colour, ms=8, clip_on=False)
    if len(steps):
        rise = curves["REML"][0].criterion(np.array(steps)) - curves["REML"][0].criterion(best["REML"])
        ax.plot(steps, rise, "o", color=ACCENT, ms=6, label="tried by halving")
        for k, (ratio, height) in enumerate(zip(steps[:4], rise, strict=False), 1):
            shift = (4, -14) if ratio > best["REML"] and height > 1 else (6, 5)
            beside(ax, f"{k}", (ratio, height), shift)
    else:
        ax.axhline(allowed, color=FAINT, lw=1.5)
        ax.text(1.6 * best["REML"], allowed, f"{allowed:.2f} above the minimum", ha="center", va="bottom")
    ax.set(xlabel="r = psi / theta", ylabel="criterion less its minimum")
    ax.set(xlim=(0, r[-1]), ylim=(0, 12))
    legend_above(figure, ncols=3)
    at_zero = {
        name: curves[name][0].criterion(0.0) - curves[name][0].criterion(best[name]) for name in curves
    }
    if len(steps):
        alt = (
            f"The criterion of REML falls steeply from ratio 0, where it is {at_zero['REML']:.1f} above its "
            f"minimum, is lowest at {best['REML']:.3f} and rises slowly to the right of it. Dots mark the "
            f"ratios tried: {', '.join(f'{ratio:.3g}' for ratio in steps)}."
        )
    else:
        alt = (
            "The criterion of REML and that of ML fall steeply from ratio 0, have one minimum and rise "
            f"slowly to the right of it. REML is lowest at {best['REML']:.3f}, ML at {best['ML']:.3f}. At "
            f"ratio 0 they stand {at_zero['REML']:.1f} and {at_zero['ML']:.1f} above their minima. A level "
            f"line marks a rise of {allowed:.2f}."
        )
    return figure, alt


@styled
def criterion_at_the_boundary(f_ratios, J, n):
    """REML criterion of balanced data against psi / theta, also where psi would be negative.

    Parameters
    ----------
    f_ratios : sequence of float
        Three values of F = MSB / MSW, one curve for each.
    J, n : int
        Groups, and rows in each.

    Returns
    -------
    figure, alt : Figure, str
    """

    def criterion(r, F):
        return (J * n - 1) * np.log((J - 1) * F / (1 + n * r) + J * (n - 1)) + (J - 1) * np.log1p(n * r)

    lowest = [(F - 1) / n for F in f_ratios]
    r = np.linspace(-0.75 / n, max(lowest) + 1 / n, 500)
    styles = zip((NO, COMPLETE, PARTIAL), ("-", "--", "-."), strict=True)
    figure, ax = drawing()
    ax.axvspan(r[0], 0, color=FAINT, alpha=0.25, lw=0)
    ax.axvline(0, color=INK, lw=1)
    for F, least, (colour, dash) in zip(f_ratios, lowest, styles, strict=True):
        bottom, estimate = criterion(least, F), max(least, 0.0)
        ax.plot(r, criterion(r, F) - bottom, color=colour, ls=dash, label=f"F = {F:g}")
        ax.plot(least, 0, "o", color=colour, ms=9, clip_on=False)
        ax.plot(estimate, criterion(estimate, F) - bottom, "X", color=ACCENT, ms=9, mew=0, zorder=3)
    ax.plot([], [], "X", color=ACCENT, ms=9, mew=0, label="estimate")
    ax.set(xlabel="r = psi / theta (in the shade psi is below 0)", ylabel="criterion less its minimum")
    ax.set(xlim=(r[0], r[-1]), ylim=(-0.3, 8))
    legend_above(figure, ncols=4)
    told = "; ".join(
        f"F = {F:g}, lowest at {least:.2f}, estimate {max(least, 0):.2f}"
        for F, least in zip(f_ratios, lowest, strict=True)
    )
    alt = (
        f"Three criteria of {J} groups of {n}, drawn on both sides of ratio 0; the side where psi is below 0 "
        f"is shaded: {told}. A lowest point in the shade is not allowed, and the estimate is 0."
    )
    return figure, alt


@styled
def chance_of_zero(theta, n, group_counts=(3, 5, 10, 20), most=30.0):
    """How often psi is estimated as 0 against the true standard deviation between groups.

    Parameters
    ----------
    theta : float
        Variance within.
    n : int
        Rows in each group.
    group_counts : sequence of int
        Numbers of groups, at most four.
    most : float
        Largest standard deviation between groups.

    Returns
    -------
    figure, alt : Figure, str
    """
    sd = np.linspace(0, most, 200)
    styles = zip((ACCENT, COMPLETE, NO, PARTIAL), (":", "--", "-.", "-"), strict=True)
    figure, ax = drawing()
    for J, (colour, dash) in zip(group_counts, styles, strict=False):
        chance = formulas.probability_of_zero(sd**2, theta, J, n)
        ax.plot(sd, chance, color=colour, ls=dash, lw=2.5, label=f"{J} classes")
    ax.set(xlabel="true standard deviation between classes, points", ylabel="P(psi estimated as 0)")
    ax.set(xlim=(0, most), ylim=(0, 0.7))
    legend_above(figure, ncols=4)
    at = np.array([0, most / 3, 2 * most / 3])
    told = "; ".join(
        f"{J} classes "
        + ", ".join(f"{100 * p:.1f}" for p in formulas.probability_of_zero(at**2, theta, J, n))
        for J in group_counts
    )
    alt = (
        "The chance that psi is estimated as 0 falls as the true standard deviation between classes grows, "
        f"and sooner where there are more classes. In percent, at {at[0]:g}, {at[1]:g} and {at[2]:g} points: "
        f"{told}."
    )
    return figure, alt
