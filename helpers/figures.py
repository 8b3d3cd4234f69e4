"""The figures of the course in one look; each function returns a figure and alt text made of its data."""

from __future__ import annotations

import io

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.ticker import FixedLocator, NullLocator

from . import formulas

# Okabe and Ito's colours: they hold in the three colour-vision deficiencies. Markers differ too.
COMPLETE, NO, PARTIAL, ACCENT = "#E69F00", "#0072B2", "#009E73", "#D55E00"
INK, FAINT = "#222222", "#8C8C8C"

STYLE = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "font.size": 11,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def show(figure, alt):
    """Display a figure as a PNG image whose text form is its alt text, and close it."""
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=144, metadata={"Software": None})
    plt.close(figure)
    display({"image/png": image.getvalue(), "text/plain": alt}, raw=True)


def _axes(rows=1, height=3.8):
    return plt.subplots(rows, figsize=(7.2, height))


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
    with plt.rc_context(STYLE):
        figure, ax = _axes()
        ax.plot(x, data[outcome], "o", color=FAINT, alpha=0.6, ms=4, mew=0, label="a pupil")
        ax.plot(at.values(), means, "D", color=NO, ms=7, label="a class mean")
        ax.axhline(grand, color=ACCENT, lw=1.5, ls="--", label=f"mean of all pupils, {grand:.1f}")
        ax.set(xlabel=group, ylabel=outcome, xticks=list(at.values()))
        ax.set_xticklabels(means.index, fontsize=9)
        figure.legend(loc="outside upper center", ncols=3)
    alt = (
        f"Scores of {len(data)} pupils in {len(means)} classrooms. The class means run from "
        f"{means.min():.1f} to {means.max():.1f} around the mean of all pupils, {grand:.1f}; "
        f"their standard deviation is {means.std():.1f}, that of pupils within a class {within:.1f}."
    )
    return figure, alt


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
    with plt.rc_context(STYLE):
        figure, ax = _axes(height=3.2)
        ax.axvspan(entries[0][1] / 2, bound, color=FAINT, alpha=0.25, lw=0)
        ax.axvline(bound, color=INK, lw=1.5)
        for k, (label, value) in enumerate(entries):
            colour, marker = (ACCENT, "X") if label == impossible[0] else (NO, "o")
            ax.plot(value, k, marker, color=colour, ms=9)
            ax.annotate(f"{value:.4g}", (value, k), (9, 0), textcoords="offset points", va="center")
        ax.set_xscale("log")
        ax.set(
            xlim=(entries[0][1] / 2, entries[-1][1] * 1.8),
            ylim=(-0.5, len(entries)),
            yticks=range(len(entries)),
            xlabel="standard error, points (log scale)",
        )
        ax.set_xticks([0.2, 0.5, 1, 2, 5, 10], ["0.2", "0.5", "1", "2", "5", "10"])
        ax.minorticks_off()
        ax.set_yticklabels([label for label, _ in entries])
        ax.text(bound, len(entries) - 0.35, "not possible here  ", fontsize=10, ha="right", va="center")
    listing = "; ".join(f"{label} {value:.4g}" for label, value in entries)
    alt = (
        f"Standard errors on a log axis: {listing}. A wall stands at {bound:.4g}, the least the "
        f"intercept of the mixed model can have here; only {impossible[0]} lies beyond it."
    )
    return figure, alt


def se_by_population(psi, theta, J, n, most=1000):
    """SE of the mean against K, the number of classes it is about, from K = J on.

    Returns
    -------
    figure, alt : Figure, str
    """
    K = np.unique(np.geomspace(J, most, 200).round())
    se = formulas.se_finite_population(psi, theta, J, n, K)
    low, high = formulas.se_no_pooling(theta, J, n), formulas.se_partial_pooling(psi, theta, J, n)
    with plt.rc_context(STYLE):
        figure, ax = _axes()
        ax.plot(K, se, color=PARTIAL)
        ax.axhline(high, color=FAINT, ls="--", lw=1.5)
        ax.plot(J, low, "o", color=NO, ms=9)
        for k in (25, 40, 100):
            value = formulas.se_finite_population(psi, theta, J, n, k)
            ax.plot(k, value, "D", color=PARTIAL, ms=7)
            ax.annotate(f"K = {k}: {value:.2f}", (k, value), (9, -12), textcoords="offset points")
        ax.annotate(f"just these {J}: {low:.2f}", (J, low), (10, -3), textcoords="offset points")
        ax.text(most, high, f"classes without end: {high:.2f}", ha="right", va="bottom")
        ax.set_xscale("log")
        ax.set_xticks([20, 50, 100, 200, 500, 1000], ["20", "50", "100", "200", "500", "1000"])
        ax.minorticks_off()
        ax.set(xlabel="K, classes the mean is about (log scale)", ylabel="standard error, points")
        ax.set_ylim(0, high * 1.15)
    alt = (
        "The standard error of the mean rises with the number K of classes it is about: "
        f"{low:.2f} for just the {J} classes seen, "
        f"{formulas.se_finite_population(psi, theta, J, n, 40):.2f} for 40, and towards "
        f"{high:.2f} for classes without end."
    )
    return figure, alt


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
    with plt.rc_context(STYLE):
        figure, ax = _axes()
        ax.fill_between(line, 1, line, color=PARTIAL, alpha=0.12, lw=0)
        ax.fill_between(line, line, top, color=ACCENT, alpha=0.12, lw=0)
        ax.plot(line, line, color=INK, lw=1.5)
        for (label, (J, F)), marker in zip(points.items(), "oDsv^", strict=False):
            side = 1 if F < J else -1
            ax.plot(J, F, marker, color=NO, ms=9)
            ax.annotate(
                f"{label}\nF = {F:.2f}", (J, F), (0, -9 * side), textcoords="offset points",
                ha="center", va="top" if side > 0 else "bottom",
            )  # fmt: skip
        ax.text(0.45 * top, 1.15, "F < J: the mixed SE is the smaller", ha="center", va="bottom")
        ax.text(2.15, 0.75 * top, "F > J: the mixed SE is the larger", va="center")
        ax.set_xscale("log")
        ax.set_yscale("log")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(FixedLocator([1, 2, 3, 5, 10, 20]))
            axis.set_major_formatter("{x:.0f}")
            axis.set_minor_locator(NullLocator())
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
    with plt.rc_context(STYLE):
        figure, (top, bottom) = _axes(rows=2)
        left = left_degrees = 0
        for (name, value), colour in zip(parts.items(), (NO, COMPLETE), strict=True):
            for ax, start, width, text in (
                (top, left, value, f"{name}\n{value:.0f}"),
                (bottom, left_degrees, degrees[name], f"{degrees[name]}"),
            ):
                ax.barh(0, width, left=start, color=colour, alpha=0.75)
                ax.text(start + width / 2, 0, text, ha="center", va="center")
            left, left_degrees = left + value, left_degrees + degrees[name]
        top.set(yticks=[], xlabel="sum of squares")
        bottom.set(yticks=[], xlabel="degrees of freedom")
        for ax in (top, bottom):
            ax.spines["left"].set_visible(False)
    alt = (
        f"Two bars split in the same two colours. Of the sum of squares {parts['between']:.0f} lies between "
        f"and {parts['within']:.0f} within the classes; of the degrees of freedom {degrees['between']} and "
        f"{degrees['within']}. The quotients are the mean squares "
        f"{parts['between'] / degrees['between']:.1f} and {parts['within'] / degrees['within']:.1f}."
    )
    return figure, alt


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
    with plt.rc_context(STYLE):
        figure, ax = _axes()
        for label, (se, colour, dash) in lines.items():
            ax.plot(sizes, se, color=colour, ls=dash, lw=2.5, label=label)
            ax.plot(n, se[n - 1], "o", color=colour, ms=7)
        ax.axhline(floor, color=FAINT, lw=1.5)
        text = f"floor sqrt(psi / J) = {floor:.2f}"
        ax.annotate(text, (most, floor), (-4, -4), textcoords="offset points", ha="right", va="top")
        ax.set(xlabel="n, pupils in a class", ylabel="standard error, points", xlim=(0, most), ylim=(0, None))
        figure.legend(loc="outside upper center", ncols=3)
    ends = "; ".join(f"{label} {se[n - 1]:.2f} and {se[-1]:.2f}" for label, (se, _, _) in lines.items())
    alt = (
        f"Three standard errors against class size with {J} classes. At {n} and at {most} pupils a class: "
        f"{ends}. The partial pooling line cannot fall below its floor, {floor:.2f}; "
        "the other two go on towards 0."
    )
    return figure, alt
