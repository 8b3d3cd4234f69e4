"""Equal class sizes: sums of squares, the line F = J, the floor."""

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
    beside,
    drawing,
    legend_above,
    log_scale,
    styled,
    without_left,
)


@styled
def sum_of_squares_split(data, outcome="score", group="classroom"):
    """Total sum of squares split between and within groups, and the mean squares they give.

    Returns
    -------
    figure, alt : Figure, str
    """
    y = data[outcome].to_numpy()
    fitted = data.groupby(group, observed=True)[outcome].transform("mean").to_numpy()
    J = data[group].nunique()
    parts = {"between": np.sum((fitted - y.mean()) ** 2), "within": np.sum((y - fitted) ** 2)}
    degrees = {"between": J - 1, "within": len(y) - J}
    figure, (top, bottom) = drawing(rows=2)
    left = left_degrees = 0
    for (name, value), colour in zip(parts.items(), (NO, COMPLETE), strict=True):
        for ax, start, width, text in (
            (top, left, value, f"{name}\n{value:.0f}"),
            (bottom, left_degrees, degrees[name], f"{degrees[name]}"),
        ):
            ax.barh(0, width, left=start, color=colour, alpha=0.75)
            ax.text(start + width / 2, 0, text, ha="center", va="center")
        left, left_degrees = left + value, left_degrees + degrees[name]
    for ax, counted in ((top, "sum of squares"), (bottom, "degrees of freedom")):
        without_left(ax)
        ax.set(xlabel=counted)
    alt = (
        f"Two bars split in the same two colours. Of the sum of squares {parts['between']:.0f} lies between "
        f"and {parts['within']:.0f} within the classes; of the degrees of freedom {degrees['between']} and "
        f"{degrees['within']}. The quotients are the mean squares "
        f"{parts['between'] / degrees['between']:.1f} and {parts['within'] / degrees['within']:.1f}."
    )
    return figure, alt


@styled
def f_against_groups(points):
    """The plane of J and F, with the line F = J that decides which of two standard errors is larger.

    Parameters
    ----------
    points : dict of str to tuple
        Label to (J, F).

    Returns
    -------
    figure, alt : Figure, str
    """
    top = 1.6 * max(max(pair) for pair in points.values())
    line = np.array([2.0, top])
    figure, ax = drawing()
    ax.fill_between(line, 1, line, color=PARTIAL, alpha=0.12, lw=0)
    ax.fill_between(line, line, top, color=ACCENT, alpha=0.12, lw=0)
    ax.plot(line, line, color=INK, lw=1.5)
    for (label, (J, F)), marker in zip(points.items(), "oDsv^", strict=False):
        side = 1 if F < J else -1
        ax.plot(J, F, marker, color=NO, ms=9)
        beside(ax, f"{label}\nF = {F:.2f}", (J, F), (0, -9 * side),
            ha="center", va="top" if side > 0 else "bottom",
        )  # fmt: skip
    ax.text(0.45 * top, 1.15, "F < J: the mixed SE is the smaller", ha="center", va="bottom")
    ax.text(2.15, 0.75 * top, "F > J: the mixed SE is the larger", va="center")
    ticks = [1, 2, 3, 5, 10, 20]
    log_scale(ax, x=ticks, y=ticks)
    ax.set(xlabel="J, number of classes", ylabel="F = MSB / MSW", xlim=(2, top), ylim=(1, top))
    sides = "; ".join(
        f"{label} (J = {J}, F = {F:.2f}) lies {'below' if F < J else 'above'} it"
        for label, (J, F) in points.items()
    )
    alt = (
        "The plane of the number of classes J and the variance ratio F, cut by the line F = J. Below "
        f"the line the mixed standard error is smaller than that of one class mean, above it larger: {sides}."
    )
    return figure, alt


@styled
def se_by_class_size(psi, theta, J, n, most=100):
    """The three standard errors against the class size, J fixed, with the floor sqrt(psi / J).

    Returns
    -------
    figure, alt : Figure, str
    """
    sizes = np.arange(1, most + 1)
    lines = {
        "partial pooling": (formulas.se_partial_pooling(psi, theta, J, sizes), PARTIAL, "-"),
        "complete pooling": (formulas.se_complete_pooling(psi, theta, J, sizes), COMPLETE, "--"),
        f"no pooling, mean of the {J}": (formulas.se_no_pooling(theta, J, sizes), NO, ":"),
    }
    floor = float(formulas.se_floor(psi, J))
    figure, ax = drawing()
    for label, (se, colour, dash) in lines.items():
        ax.plot(sizes, se, color=colour, ls=dash, lw=2.5, label=label)
        ax.plot(n, se[n - 1], "o", color=colour, ms=7)
    ax.axhline(floor, color=FAINT, lw=1.5)
    text = f"floor sqrt(psi / J) = {floor:.2f}"
    beside(ax, text, (most, floor), (-4, -4), ha="right", va="top")
    ax.set(xlabel="n, pupils in a class", ylabel="standard error, points", xlim=(0, most), ylim=(0, None))
    legend_above(figure, ncols=3)
    ends = "; ".join(f"{label} {se[n - 1]:.2f} and {se[-1]:.2f}" for label, (se, _, _) in lines.items())
    alt = (
        f"Three standard errors against class size with {J} classes. At {n} and at {most} pupils a class: "
        f"{ends}. The partial pooling line cannot fall below its floor, {floor:.2f}; "
        "the other two go on towards 0."
    )
    return figure, alt
