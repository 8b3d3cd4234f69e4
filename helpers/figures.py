"""The figures of the course in one look; each function returns a figure and alt text made of its data."""

from __future__ import annotations

import io

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.ticker import FixedLocator, NullLocator
from PIL import Image
from scipy import stats

from . import formulas
from .groups import summarise
from .reml import Profile

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
    drawn, image = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=144)
    plt.close(figure)
    # A palette of 256 is as good to the eye as 16 million colours, in a third of the bytes.
    palette = Image.open(drawn).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    palette.save(image, format="png", optimize=True)
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
    with plt.rc_context(STYLE):
        figure, ax = _axes()
        for (label, repeat), (colour, dash) in zip(repeats.items(), looks, strict=False):
            ax.hist(repeat.means, edges, density=True, histtype="stepfilled", color=colour, alpha=0.25)
            curve = stats.norm.pdf(x, repeat.means.mean(), repeat.target)
            ax.plot(x, curve, color=colour, ls=dash, lw=2.5, label=f"{label}: sd {repeat.sd:.2f}")
        ax.set(xlabel="mean of all pupils", yticks=[], xlim=(edges[0], edges[-1]))
        ax.spines["left"].set_visible(False)
        ax.legend(loc="upper left", fontsize=10, borderaxespad=0)
    spreads = "; ".join(
        f"{label} {repeat.sd:.2f} (formula {repeat.target:.2f})" for label, repeat in repeats.items()
    )
    alt = (
        f"Histograms of the mean of all pupils over {len(repeat.means)} repeats of a study, all around "
        f"{centre:.0f}, with the normal curve of each formula on top. Standard deviations: {spreads}."
    )
    return figure, alt


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
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(halves), figsize=(7.2, 5), sharex=True, sharey=True)
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
            ax.set(yticks=[], xlabel="mean of all pupils")
            ax.set_title(f"{label}\n{out.sum()} of {len(means)} miss", fontsize=11)
            ax.spines["left"].set_visible(False)
    counts = "; ".join(f"{label} {count}" for label, count in missed.items())
    alt = (
        f"Intervals of {len(means)} repeats of a study, one above the other, around a line at the true mean, "
        f"{truth:g}. Intervals that miss the line, by method: {counts}."
    )
    return figure, alt


def coverage_by_population(psi, theta, J, n, most=1000, level=0.95):
    """How often three intervals hold the mean of K classes, J of them drawn, against K; variances known.

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
    with plt.rc_context(STYLE):
        figure, ax = _axes()
        ax.axhline(level, color=FAINT, lw=1.5)
        for label, (se, colour, dash) in lines.items():
            ax.plot(K, covers(se, K), color=colour, ls=dash, lw=2.5, label=label)
            ax.plot(1.5 * most, ends[label][1], "D", color=colour, ms=7, clip_on=False)
        ax.plot(meets, level, "o", color=INK, ms=6)
        text = f"complete pooling: K = {meets:.1f}"
        ax.annotate(text, (meets, level), (26, -5), textcoords="offset points", va="top")
        ax.set_xscale("log")
        ticks = [k for k in (20, 50, 100, 200, 500, 1000) if J <= k <= most]
        ax.set_xticks([*ticks, 1.5 * most], [*map(str, ticks), "\u221e"])
        ax.minorticks_off()
        ax.set(xlabel="K, classes the mean is about (log scale)")
        ax.set(ylabel="share of intervals that hold the mean of K")
        ax.set(xlim=(J, 1.5 * most), ylim=(None, 1.01))
        figure.legend(loc="outside upper center", ncols=3)
    listing = "; ".join(f"{label} {low:.3f} and {high:.3f}" for label, (low, high) in ends.items())
    alt = (
        f"Share of intervals that hold the mean of K classes, {J} of them drawn, against K; a line marks the "
        f"{level:.0%} promised. Every curve falls. At K = {J} and for classes without end: {listing}. "
        f"Complete pooling meets the line at K = {meets:.1f}."
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


def weights_by_size(iccs, most=100):
    """Weight of a class in the generalised least squares mean, in classes of one pupil, by its size.

    Parameters
    ----------
    iccs : dict of str to float
        Label to intraclass correlation, one curve each, above 0 and below 1.

    Returns
    -------
    figure, alt : Figure, str
    """
    sizes = np.arange(1, most + 1)
    dashes = ["-", (0, (6, 2)), (0, (3, 1.5)), "-."]
    ends = []
    with plt.rc_context(STYLE):
        figure, ax = _axes(height=4.2)
        ax.plot(sizes, sizes, color=COMPLETE, ls="--", label="mean of all pupils: n")
        for (label, icc), dash in zip(iccs.items(), dashes, strict=False):
            worth = formulas.effective_sample_size(icc, 1, sizes)
            ax.plot(sizes, worth, color=PARTIAL, ls=dash, lw=2.5)
            ax.text(most * 1.06, worth[-1], f"{label}\nICC {icc:.2f}: {worth[-1]:.1f}", va="center")
            ends.append(f"{label}, {icc:.2f}, {worth[9]:.1f} and {worth[-1]:.1f}, ceiling {1 / icc:.1f}")
        ax.plot([], [], color=PARTIAL, lw=2.5, label="GLS")
        ax.plot(sizes, np.ones(most), color=NO, ls=":", label="mean of the class means: 1")
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xticks([1, 2, 5, 10, 20, 50, 100], ["1", "2", "5", "10", "20", "50", "100"])
        ax.set_yticks([1, 2, 5, 10, 20, 50], ["1", "2", "5", "10", "20", "50"])
        ax.minorticks_off()
        ax.set(xlabel="n, pupils in the class (log scale)")
        ax.set(ylabel="weight, in classes of one pupil (log scale)")
        ax.set(xlim=(0.95, most), ylim=(0.85, 60))
        figure.legend(loc="outside upper center", ncols=3)
    alt = (
        f"Weight of a class against its size, 1 to {most} pupils, a class of one pupil counting 1, on log "
        "axes. In the mean of all pupils it is the size itself, a rising straight line; in the mean of the "
        "class means it is 1, a level one. The generalised least squares weights lie between and level off; "
        f"for each intraclass correlation, the weight of a class of 10 and of {most}: {'; '.join(ends)}."
    )
    return figure, alt


def se_brackets(designs):
    """The SE of each design between its two bounds, in per cent above the lower one.

    Parameters
    ----------
    designs : dict of str to tuple
        Label to (lower bound, SE, upper bound), as from `formulas.se_bracket`.

    Returns
    -------
    figure, alt : Figure, str
    """
    above = {
        name: [100 * (value / low - 1) for value in (se, high)] for name, (low, se, high) in designs.items()
    }
    with plt.rc_context(STYLE):
        figure, ax = _axes(height=1.6 + 0.36 * len(above))
        for k, (se, high) in enumerate(above.values()):
            ax.plot([0, high], [k, k], color=FAINT, lw=5, alpha=0.6, solid_capstyle="butt")
            ax.plot(0, k, "|", color=COMPLETE, ms=16, mew=3)
            ax.plot(high, k, "|", color=NO, ms=16, mew=3)
            ax.plot(se, k, "D", color=PARTIAL, ms=8)
            ax.annotate(f"GLS +{se:.1f}%", (high, k), (8, 0), textcoords="offset points", va="center")
        for marker, colour, label in (
            ("|", COMPLETE, "formula, mean size"),
            ("D", PARTIAL, "GLS"),
            ("|", NO, "formula, harmonic mean size"),
        ):
            ax.plot([], [], marker, color=colour, ms=9, mew=3 if marker == "|" else None, label=label)
        ax.set(
            yticks=range(len(above)),
            yticklabels=list(above),
            ylim=(len(above) - 0.4, -0.6),
            xlim=(-0.6, 1.25 * max(high for _, high in above.values()) + 1),
            xlabel="standard error, % above the formula with the mean size",
        )
        figure.legend(loc="outside upper center", ncols=3)
    listing = "; ".join(f"{name} {se:.1f} of {high:.1f}" for name, (se, high) in above.items())
    alt = (
        "Each design's standard error between two bounds, in per cent above the balanced formula with the "
        f"mean class size; the upper bound is the formula with the harmonic mean size. {listing}."
    )
    return figure, alt


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
    with plt.rc_context(STYLE):
        figure, ax = _axes()
        for name, (profile, colour, dash) in curves.items():
            least = profile.criterion(best[name])
            ax.plot(r, profile.criterion(r) - least, color=colour, ls=dash, label=name)
            ax.plot(best[name], 0, "o" if name == "REML" else "D", color=colour, ms=8, clip_on=False)
        if len(steps):
            rise = curves["REML"][0].criterion(np.array(steps)) - curves["REML"][0].criterion(best["REML"])
            ax.plot(steps, rise, "o", color=ACCENT, ms=6, label="tried by halving")
            for k, (ratio, height) in enumerate(zip(steps[:4], rise, strict=False), 1):
                shift = (4, -14) if ratio > best["REML"] and height > 1 else (6, 5)
                ax.annotate(f"{k}", (ratio, height), shift, textcoords="offset points")
        else:
            ax.axhline(allowed, color=FAINT, lw=1.5)
            ax.text(1.6 * best["REML"], allowed, f"{allowed:.2f} above the minimum", ha="center", va="bottom")
        ax.set(xlabel="r = psi / theta", ylabel="criterion less its minimum")
        ax.set(xlim=(0, r[-1]), ylim=(0, 12))
        figure.legend(loc="outside upper center", ncols=3)
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
    with plt.rc_context(STYLE):
        figure, ax = _axes()
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
        figure.legend(loc="outside upper center", ncols=4)
    told = "; ".join(
        f"F = {F:g}, lowest at {least:.2f}, estimate {max(least, 0):.2f}"
        for F, least in zip(f_ratios, lowest, strict=True)
    )
    alt = (
        f"Three criteria of {J} groups of {n}, drawn on both sides of ratio 0; the side where psi is below 0 "
        f"is shaded: {told}. A lowest point in the shade is not allowed, and the estimate is 0."
    )
    return figure, alt


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
    with plt.rc_context(STYLE):
        figure, ax = _axes()
        for J, (colour, dash) in zip(group_counts, styles, strict=False):
            chance = formulas.probability_of_zero(sd**2, theta, J, n)
            ax.plot(sd, chance, color=colour, ls=dash, lw=2.5, label=f"{J} classes")
        ax.set(xlabel="true standard deviation between classes, points", ylabel="P(psi estimated as 0)")
        ax.set(xlim=(0, most), ylim=(0, 0.7))
        figure.legend(loc="outside upper center", ncols=4)
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
    with plt.rc_context(STYLE):
        figure, ax = _axes()
        for mask, colour, dash, label in (
            (nearer, PARTIAL, "-", f"pooling came nearer to the truth: {nearer.sum()}"),
            (~nearer, ACCENT, "--", f"pooling went away from it: {(~nearer).sum()}"),
        ):
            lines = ax.plot([own[mask], pooled[mask], truth[mask]], [2, 1, 0], color=colour, ls=dash, lw=1.4)
            for line in lines[:1]:
                line.set_label(label)
        for y, (values, marker) in enumerate(((truth, "s"), (pooled, "o"), (own, "D"))):
            ax.plot(values, np.full(len(values), y), marker, color=NO, ms=6, mew=0)
        ax.set(xlabel="score, points", yticks=[0, 1, 2], ylim=(-0.25, 2.25))
        ax.set_yticklabels(["true\nmean", "partial\npooling", "class\nmean"])
        figure.legend(loc="outside upper center", ncols=2)
    alt = (
        f"The {len(own)} class means run from {own.min():.1f} to {own.max():.1f}; partial pooling draws "
        f"them together, from {pooled.min():.1f} to {pooled.max():.1f}. The true means run from "
        f"{truth.min():.1f} to {truth.max():.1f}. In {nearer.sum()} classes the partially pooled "
        f"mean is the nearer to the truth, in {(~nearer).sum()} the class mean is."
    )
    return figure, alt


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
    with plt.rc_context(STYLE):
        figure, ax = _axes(height=3.2)
        for k, (name, (first, second)) in enumerate(reversed(bars.items())):
            ax.barh(k, first, height=0.6, color=NO if name == "no pooling" else PARTIAL)
            ax.barh(k, second, left=first, height=0.6, color=COMPLETE)
            text = f"SE {np.sqrt(first + second):.2f}"
            ax.annotate(text, (first + second, k), (6, 0), textcoords="offset points", va="center")
        ax.set_yticks(range(len(bars)), list(reversed(bars)))
        ax.set(xlabel="variance, points squared", xlim=(0, 1.25 * (given + overall)))
        keys = {"given the overall mean": PARTIAL, "overall mean": COMPLETE, "own mean alone": NO}
        handles = [plt.Rectangle((0, 0), 1, 1, color=colour) for colour in keys.values()]
        figure.legend(handles, keys, loc="outside upper center", ncols=3)
    listing = "; ".join(f"{name} {np.sqrt(sum(parts)):.2f}" for name, parts in bars.items())
    alt = (
        f"Four bars, the variances behind four standard errors of one class mean: {listing}. "
        f"Conditional, full and naive sum share a part of {given:.1f}; on top of it the overall mean adds "
        f"{bars['full'][1]:.1f} to the full one and {overall:.1f} to the naive sum."
    )
    return figure, alt


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
    with plt.rc_context(STYLE):
        figure, (top, bottom) = _axes(rows=2, height=5.4)
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
        figure.legend(loc="outside upper center", ncols=2)
    centre, end = (formulas.coverage_group_mean_partial_at(d, psi, theta, n, level) for d in (0, 3 * sd))
    alt = (
        f"Two panels against the distance of a class from the mean of all. Above, the typical error: "
        f"{raw:.2f} points without pooling, wherever the class lies; with partial pooling "
        f"{error.min():.2f} in the middle, the same as without at {edge:.1f} points out, and "
        f"{error.max():.2f} at {3 * sd:.0f} points. Below, the share of {level:.0%} intervals that hold the "
        f"mean: {centre:.3f} in the middle, {end:.3f} at {3 * sd:.0f} points."
    )
    return figure, alt
