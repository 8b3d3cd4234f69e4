"""Planning a study: equal errors against equal costs, and power."""

from __future__ import annotations

import numpy as np

from ... import formulas
from .style import (
    ACCENT,
    COMPLETE,
    FAINT,
    NO,
    PARTIAL,
    beside,
    drawing,
    legend_above,
    listed,
    log_scale,
    styled,
)


@styled
def design_contours(psi, theta, cost_ratio, ses):
    """The plane of class size and classes: lines of equal SE, the least budget of each, where they touch.

    Parameters
    ----------
    cost_ratio : float
        What one more class costs without its pupils, over what one more pupil costs.
    ses : sequence of float
        Standard errors of the mean, one pair of lines each.

    Returns
    -------
    figure, alt : Figure, str
    """
    n = np.geomspace(1, 50, 200)
    best = float(formulas.optimal_group_size(psi, theta, cost_ratio))
    told = []
    figure, ax = drawing(height=4.6)
    ax.axvline(best, color=FAINT, lw=1.5, ls=":")
    for k, se in enumerate(ses):
        need = (psi + theta / n) / se**2
        J = (psi + theta / best) / se**2
        cost = J * (cost_ratio + best)
        pay = cost / (cost_ratio + n)
        told.append(f"SE {se:g}, {J:.1f} classes, cost {cost:.0f}")
        ax.plot(n, need, color=PARTIAL, lw=2.5, label=None if k else "equal standard error")
        ax.plot(n, pay, color=COMPLETE, ls="--", label=None if k else "equal cost (in pupils)")
        ax.plot(best, J, "o", color=ACCENT, ms=8, zorder=3, label=None if k else "best design")
        beside(ax, f"SE {se:g}", (n[-1], need[-1]), (6, 0), va="center")
        beside(ax, f"cost {cost:.0f}", (best, J), (9, 8))
    ax.text(best * 1.06, 6.4, f"n = {best:.2f}", va="bottom")
    log_scale(ax, x=[1, 2, 5, 10, 20, 50], y=[10, 20, 50, 100])
    ax.set(xlabel="n, pupils in a class (log scale)", ylabel="J, classes (log scale)")
    ax.set(xlim=(1, 75), ylim=(6, 200))
    legend_above(figure, ncols=3)
    alt = (
        "The plane of class size n and number of classes J, on log axes. Falling lines of equal standard "
        "error level off to the right; each is touched from below by a line of equal cost, in units of a "
        f"pupil, always at n = {best:.2f}: {'; '.join(told)}."
    )
    return figure, alt


@styled
def power_curves(psi, theta, J, n, share=0.8):
    """Power of a test of two arms of classes against the true effect, and what it seems without classes.

    Parameters
    ----------
    share : float
        Power at which the least effect that is found is marked.

    Returns
    -------
    figure, alt : Figure, str
    """
    se = formulas.se_two_arms(psi, theta, J, n)
    naive = 2 * formulas.se_complete_pooling(psi, theta, J, n)
    lines = {
        "classes ignored": (naive, J * n - 2, COMPLETE, "--", "s"),
        "z": (se, np.inf, NO, ":", "D"),
        f"t, {J - 2} df": (se, J - 2, PARTIAL, "-", "o"),
    }
    least = {
        label: float(formulas.minimum_detectable_effect(error, share, df=df))
        for label, (error, df, *_) in lines.items()
    }
    believed = least["classes ignored"]
    real = float(formulas.power(believed, se, df=J - 2))
    effect = np.linspace(0, 1.6 * max(least.values()), 300)
    figure, ax = drawing()
    ax.axhline(share, color=FAINT, lw=1.5)
    for label, (error, df, colour, dash, marker) in lines.items():
        chance = formulas.power(effect, error, df=df)
        ax.plot(effect, chance, color=colour, ls=dash, lw=2.5, label=label)
        ax.plot(least[label], share, marker, color=colour, ms=7)
    ax.plot(believed, real, "X", color=ACCENT, ms=10, mew=0)
    exact = least[f"t, {J - 2} df"]
    for text, at, shift, side in (
        (f"{believed:.1f}", (believed, share), (-6, 5), "right"),
        (f"really {real:.2f}", (believed, real), (9, -13), "left"),
        (f"{least['z']:.1f}", (least["z"], share), (-6, 5), "right"),
        (f"{exact:.1f}", (exact, share), (7, -13), "left"),
        (f"power {share:g}", (0, share), (5, 4), "left"),
    ):
        beside(ax, text, at, shift, ha=side)
    ax.set(xlabel="true effect, points", ylabel="power", xlim=(0, effect[-1]), ylim=(0, 1.02))
    legend_above(figure, ncols=3)
    alt = (
        f"Power against the true effect for {J} classes of {n}, half of them in each arm. Effects found with "
        f"{share:.0%} power: {listed(least, '.1f')}. At {believed:.1f} points, where the curve that ignores "
        f"classes promises {share:.0%}, the power is really {real:.2f}."
    )
    return figure, alt
