"""The figures of the course in one look; each function returns a figure and alt text made of its data."""

from __future__ import annotations

import io
import textwrap

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.ticker import FixedLocator, NullLocator
from PIL import Image
from scipy import stats

from .. import formulas
from ..fits.profile import Profile
from ..tables.summary import summarise

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
    save(figure, image)
    display({"image/png": image.getvalue(), "text/plain": alt}, raw=True)


def save(figure, file):
    """Write a figure as PNG to a path or a binary file, the same bytes each time, and close it."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=144)
    plt.close(figure)
    # A palette of 256 is as good to the eye as 16 million colours, in a third of the bytes.
    palette = Image.open(drawn).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    palette.save(file, format="png", optimize=True)


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
        ax.set(ylabel="share of intervals that cover the mean of K")
        ax.set(xlim=(J, 1.5 * most), ylim=(None, 1.01))
        figure.legend(loc="outside upper center", ncols=3)
    listing = "; ".join(f"{label} {low:.3f} and {high:.3f}" for label, (low, high) in ends.items())
    alt = (
        f"Share of intervals that cover the mean of K classes, {J} of them drawn, against K; a line marks "
        f"the {level:.0%} promised. Every curve falls. At K = {J} and for infinitely many classes: "
        f"{listing}. Complete pooling meets the line at K = {meets:.1f}."
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
        ax.text(most, high, f"infinitely many classes: {high:.2f}", ha="right", va="bottom")
        ax.set_xscale("log")
        ax.set_xticks([20, 50, 100, 200, 500, 1000], ["20", "50", "100", "200", "500", "1000"])
        ax.minorticks_off()
        ax.set(xlabel="K, classes the mean is about (log scale)", ylabel="standard error, points")
        ax.set_ylim(0, high * 1.15)
    alt = (
        "The standard error of the mean rises with the number K of classes it is about: "
        f"{low:.2f} for just the {J} classes seen, "
        f"{formulas.se_finite_population(psi, theta, J, n, 40):.2f} for 40, and towards "
        f"{high:.2f} for infinitely many classes."
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


def grouped_means(means, pooled, fit, level=0.95, width=7.2):
    """Group means in order, each with its interval, its partially pooled mean and its size.

    Parameters
    ----------
    means : Series
        The mean of each group's rows, by label.
    pooled : array_like of shape (J,)
        The partially pooled means.
    fit : Fit
        No pooling, of the outcome alone: its variance within groups makes the intervals.
    level : float
        Level of the intervals.
    width : float
        Inches; below 5 the legend stands in one column, for phones.

    Returns
    -------
    figure, alt : Figure, str
    """
    data = fit.data
    own, order = means.to_numpy(), np.argsort(means.to_numpy(), kind="stable")
    size, pooled = data.sizes[order], np.asarray(pooled)[order]
    half = (stats.t.isf((1 - level) / 2, fit.df.iloc[0]) * np.sqrt(fit.theta / data.sizes))[order]
    J, y, own = len(own), np.arange(1, len(own) + 1), own[order]
    named = J <= 40
    mark = 6 if named else 3.4
    small = width < 5
    wide = 1.8 if named else max(0.25, 1.8 * 60 / J)
    with plt.rc_context(STYLE):
        figure, (left, right) = plt.subplots(
            1, 2, figsize=(width, min(7.5, 2.2 + 0.2 * min(J, 40))), sharey=True, width_ratios=(3, 1)
        )
        left.hlines(y, own - half, own + half, color=FAINT, lw=wide)
        left.plot(own, y, "D", color=NO, ms=mark * 0.9, mew=0, label="mean of the group's rows")
        left.hlines(y, own, pooled, color=PARTIAL, lw=max(1, wide))
        bar = {"marker": "|", "ms": 11, "mew": 2.5} if named else {"marker": "|", "ms": 4, "mew": 1.2}
        left.plot(pooled, y, ls="", color=PARTIAL, label="partially pooled", **bar)
        left.plot([], [], color=FAINT, label=f"{level * 100:g}% interval without pooling")
        right.hlines(y, 0, size, color=NO, lw=max(0.6, wide * (4 if named else 1)))
        if named:
            for k, n in enumerate(size, 1):
                right.annotate(
                    f"{n:.0f}", (n, k), (4, 0), textcoords="offset points", va="center", fontsize=9
                )
            names = [_plain(data.labels[k], 9 if small else 18) for k in order]
            left.set_yticks(y, names, fontsize=9, parse_math=False)
        else:
            left.set_ylabel(f"{J} groups, from the lowest mean to the highest")
        left.set_ylim(0.2, J + 0.8)  # no tick at 0: the lowest is group 1
        left.set_xlabel(f"mean of {_plain(data.outcome, 20 if small else 40)}", parse_math=False)
        right.set(xlabel="rows", xlim=(0, 1.3 * size.max() if named else None))
        right.locator_params(axis="x", nbins=3)
        right.tick_params(axis="y", left=False)
        figure.legend(
            loc="outside upper center", ncols=1 if small else 3, fontsize=9, markerscale=1 if named else 2
        )
    low, high = (f"{means.iloc[k]:.4g} ({_plain(data.labels[k], 40)})" for k in (order[0], order[-1]))
    alt = (
        f"The means of {_plain(data.outcome, 40)} in {J} groups, from the lowest to the highest, each with "
        f"its {level * 100:g}% interval, and beside them the number of rows. The lowest mean is {low}, the "
        f"highest {high}; partial pooling has them from {pooled.min():.4g} to "
        f"{pooled.max():.4g}. "
        f"The groups have {size.min():.0f} to {size.max():.0f} rows."
    )
    return figure, alt


def _plain(label, most):
    """A label from somebody's file, on one line and no longer than it may be."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(label)).split())
    return text if len(text) <= most else text[: most - 1] + "\u2026"


def slopes_within_and_between(
    data, within, between, mixed, outcome="math", predictor="ses", group="school", every=8
):
    """Lines within groups, one through the group means, and that of a plain random-intercept model.

    Parameters
    ----------
    data : DataFrame
        One row a pupil.
    within : float
        Slope within groups.
    between, mixed : (level, slope)
        The lines between groups and of the random-intercept model.
    every : int
        Lines within are drawn for every so many-th group, in the order of the predictor's means.

    Returns
    -------
    figure, alt : Figure, str
    """
    grouped = data.groupby(group, observed=True)
    x, y = grouped[predictor].mean(), grouped[outcome].mean()
    chosen = x.sort_values().index[every // 2 :: every]
    middle = grouped[predictor].quantile([0.1, 0.9]).unstack().loc[chosen]
    ends = np.array([x.min(), x.max()])
    (between_level, between_slope), (mixed_level, mixed_slope) = between, mixed
    with plt.rc_context(STYLE):
        figure, ax = _axes(height=4.6)
        ax.plot(x, y, "o", color=FAINT, ms=3, mew=0, alpha=0.5)
        for k in chosen:
            reach = middle.loc[k].to_numpy()
            ax.plot(reach, y[k] + within * (reach - x[k]), color=NO, lw=1, alpha=0.6)
        ax.plot(x[chosen], y[chosen], "o", color=NO, ms=5, mew=0)
        label = f"within {group}s {within:.2f}"
        ax.plot([], [], "o-", color=NO, lw=1, ms=5, mew=0, label=label)
        label = f"between {group}s {between_slope:.2f}"
        ax.plot(ends, between_level + between_slope * ends, color=ACCENT, ls="--", lw=3, label=label)
        whole = np.array(ax.get_xlim())
        label = f"one for both {mixed_slope:.2f}"
        ax.plot(whole, mixed_level + mixed_slope * whole, color=PARTIAL, lw=3, label=label)
        ax.set(xlabel=predictor, ylabel=outcome)
        figure.legend(loc="outside upper center", ncols=3, columnspacing=1.2, handlelength=1.8)
    alt = (
        f"Mean {outcome} against mean {predictor} of {len(x)} {group}s, and straight lines of three slopes. "
        f"Short parallel lines through {len(chosen)} of the {group}s rise by {within:.2f} for each unit of "
        f"{predictor}. A steep line through the {group} means, from {ends[0]:.1f} to {ends[1]:.1f}, rises by "
        f"{between_slope:.2f}. The line of the model with one slope for both rises by {mixed_slope:.2f}."
    )
    return figure, alt


def se_ratio_by_icc(psi, theta, n):
    """Two standard errors of a slope, over the one for independent pupils, against the predictor's ICC.

    Returns
    -------
    figure, alt : Figure, str
    """
    rho, least = float(formulas.icc(psi, theta)), -1 / (n - 1)
    of_x = np.linspace(least, 1, 400)

    def true(of_x):
        return np.sqrt(formulas.moulton_factor(rho, of_x, n))

    def mixed(of_x):
        share = (1 + (n - 1) * of_x) / n
        return 1 / np.sqrt((psi + theta) * ((1 - share) / theta + share / (theta + n * psi)))

    low, high = float(true(least)), float(true(1))
    with plt.rc_context(STYLE):
        figure, ax = _axes(height=4.2)
        ax.axhline(1, color=FAINT, lw=1.5)
        ax.plot(of_x, true(of_x), color=COMPLETE, ls="--", lw=2.5, label="lm's slope, true SE")
        ax.plot(of_x, mixed(of_x), color=PARTIAL, lw=2.5, label="mixed model's slope")
        ax.plot([0, rho], [1, 1], "o", color=INK, ms=6, zorder=3)
        ax.plot([least, 1], [low, high], "D", color=NO, ms=8, zorder=3, clip_on=False)
        for text, at, shift, look in (
            (f"class-centred {low:.2f}", (least, low), (8, -12), {"va": "top"}),
            (f"class-level {high:.2f}", (1, high), (4, 12), {"ha": "right"}),
            ("0", (0, 1), (-4, 6), {"ha": "right"}),
            (f"ICC of the outcome, {rho:.2f}", (rho, 1), (6, -6), {"va": "top"}),
        ):
            ax.annotate(text, at, shift, textcoords="offset points", **look)
        ax.set(xlabel="ICC of the predictor", ylabel="standard error over what lm reports")
        ax.set(xlim=(least, 1), ylim=(0.7 * low, 1.12 * high))
        figure.legend(loc="outside upper center", ncols=2)
    alt = (
        f"Two standard errors of a slope, each over the one that lm reports, against the intraclass "
        f"correlation of the predictor, for classes of {n} and an outcome with {rho:.2f}. Both rise from "
        f"{low:.2f} for a class-centred predictor, at {least:.2f}, to {high:.2f} for a class-level one. "
        f"The true one of lm's slope passes 1 at 0. That of the mixed model lies below it in between, and "
        f"passes 1 at {rho:.2f}."
    )
    return figure, alt


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
    with plt.rc_context(STYLE):
        figure, ax = _axes(height=4.2)
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
                ax.annotate(
                    f"{value:.3f}", (k, value), shift, textcoords="offset points", ha="center", va="center"
                )
        ax.set(xscale="log", xlabel="number of classes (log scale)", ylabel="share that hold the mean")
        ax.set_xticks(counts, [f"{k}" for k in counts])
        ax.minorticks_off()
        ax.set(xlim=(counts[0] / 1.2, counts[-1] * 1.3), ylim=(0.78, 1.02))
        figure.legend(loc="outside upper center", ncols=2)
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
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            len(fits), figsize=(7.2, 2.1 * len(fits) + 0.6), sharex=True, squeeze=False
        )
        for ax, (name, fit) in zip(axes[:, 0], fits.items(), strict=True):
            varies = zip(fit.data.terms, fit.data.varies_within(), strict=True)
            within = {term for term, inside in varies if inside}
            for k, (term, df) in enumerate(fit.df.items()):
                marker, colour = ("D", PARTIAL) if term in within else ("o", NO)
                ax.plot(df, k, marker, color=colour, ms=9)
                ax.text(df * 1.12, k, f"{df:.0f}", va="center", bbox={"fc": "white", "ec": "none", "pad": 1})
            ax.axvline(fit.ngroups, color=FAINT, lw=1.5, ls="--", zorder=0)
            ax.axvline(fit.nobs, color=FAINT, lw=1.5, ls=":", zorder=0)
            ax.set(xscale="log", xlim=(30, 20_000), ylim=(len(fit.df) - 0.4, -0.6))
            ax.set_yticks(range(len(fit.df)), fit.df.index)
            ax.set_title(f"{name}: {fit.ngroups} groups, {fit.nobs} rows", fontsize=11, loc="left")
            ax.set_xlabel("degrees of freedom (log scale)" if ax is axes[-1, 0] else " ")
            ax.set_xticks([50, 200, 1000, 5000], ["50", "200", "1000", "5000"])
            ax.minorticks_off()
            terms = (
                f"{term} {df:.0f} ({'varies within groups' if term in within else 'the same within a group'})"
                for term, df in fit.df.items()
            )
            told.append(f"{name}, {fit.ngroups} groups and {fit.nobs} rows: {', '.join(terms)}")
        keys = [("D", PARTIAL, "varies within groups"), ("o", NO, "the same within a group")]
        handles = [plt.Line2D([], [], marker=m, color=c, ls="", ms=9, label=t) for m, c, t in keys]
        lines = [("--", "groups"), (":", "rows")]
        handles += [plt.Line2D([], [], color=FAINT, lw=1.5, ls=dash, label=t) for dash, t in lines]
        figure.legend(handles=handles, loc="outside upper center", ncols=4, fontsize=10)
    alt = f"Degrees of freedom of each term on a log axis. {'; '.join(told)}."
    return figure, alt


def equal_families(balanced, unbalanced, others):
    """Standard errors of one data set on the left, of another on the right: which are equal, which part.

    Parameters
    ----------
    balanced, unbalanced : dict of str to float
        Name to standard error, the same names in both.
    others : dict of str to sequence of str
        Estimates other than the mean of all pupils, two at most, with the names that belong to each.

    Returns
    -------
    figure, alt : Figure, str
    """
    looks = zip((COMPLETE, PARTIAL, NO), ("o", "D", "s"), ("-", "--", ":"), strict=True)
    looks = dict(zip(["mean of all pupils", *others], looks, strict=False))
    of = {name: label for label, names in others.items() for name in names}
    families = [_families(values) for values in (balanced, unbalanced)]
    spread = [value for family in families for value in family]
    line = 0.046 * (max(spread) - min(spread))
    with plt.rc_context(STYLE):
        figure, ax = _axes(height=5.2)
        for name in balanced:
            colour, marker, dash = looks[of.get(name, "mean of all pupils")]
            heights = balanced[name], unbalanced[name]
            ax.plot([0, 1], heights, color=colour, ls=dash, marker=marker, ms=7, lw=1.6)
        for family, x, side in zip(families, (-0.07, 1.07), ("right", "left"), strict=True):
            free = -np.inf
            for value, names in family.items():
                text = textwrap.fill(f"{', '.join(names)}: {value:.3f}", 30)
                half = line * (text.count("\n") + 1) / 2
                at = max(value, free + half)
                ax.text(x + np.sign(x) * 0.02, at, text, ha=side, va="center", fontsize=9.5)
                ax.plot([round(x), x], [value, at], color=FAINT, lw=0.8, zorder=0)
                free = at + half
        for label, (colour, marker, dash) in looks.items():
            ax.plot([], [], color=colour, ls=dash, marker=marker, ms=7, lw=1.6, label=label)
        ax.set(xlim=(-1.2, 2.1), ylim=(min(spread) - 2 * line, None), yticks=[])
        ax.set(xlabel="height: standard error, points")
        ax.set_xticks([0, 1], ["equal sizes", "unequal sizes"])
        ax.spines["left"].set_visible(False)
        figure.legend(loc="outside upper center", ncols=3)
    equal, parted = (
        "; ".join(f"{', '.join(names)} {value:.3f}" for value, names in family.items()) for family in families
    )
    alt = (
        f"Standard errors under {len(balanced)} names in two data sets, a line for each. With equal sizes "
        f"there are {len(families[0])} values: {equal}. With unequal sizes {len(families[1])}: {parted}."
    )
    return figure, alt


def _families(values):
    """Value to the names that have it (to nine digits), from the least up."""
    out = {}
    for name, value in sorted(values.items(), key=lambda item: item[1]):
        last = next(reversed(out), None)
        if last is None or not np.isclose(value, last, rtol=1e-9):
            last = value
        out.setdefault(last, []).append(name)
    order = list(values)  # not that of the last digits, which are rounding
    return {value: sorted(names, key=order.index) for value, names in out.items()}


def means_by_size(panels, sizes, overall, marked):
    """Group means against group size, one panel for each way to estimate them, with bars of one SE.

    Groups of one size are spread out evenly, by up to a tenth either way, so that their bars can be seen.

    Parameters
    ----------
    panels : dict of str to tuple
        Title to (means, their standard errors).
    sizes : Series
        Rows in each group, by label.
    overall : float
        The mean that a line marks.
    marked : label
        The group to circle.

    Returns
    -------
    figure, alt : Figure, str
    """
    rank, shared = (sizes.groupby(sizes).transform(how) for how in ("cumcount", "size"))
    x = sizes * np.exp(0.1 * (2 * (rank + 1) / (shared + 1) - 1))
    where = sizes.index.get_loc(marked)
    told = []
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(panels), figsize=(7.2, 4), sharey=True)
        for ax, (title, panel), colour in zip(axes, panels.items(), (NO, PARTIAL), strict=True):
            means, se = map(np.asarray, panel)
            ax.vlines(x, means - se, means + se, color=colour, lw=1)
            ax.plot(x, means, "o" if colour == NO else "D", color=colour, ms=3.5)
            ax.axhline(overall, color=INK, lw=1, ls="--")
            ax.plot(x.iloc[where], means[where], "o", color=ACCENT, ms=16, mfc="none", mew=2)
            ax.set_xscale("log")
            ax.set_xticks([1, 3, 10, 30, 100], ["1", "3", "10", "30", "100"])
            ax.minorticks_off()
            ax.set(title=title, xlabel="houses in the county (log scale)")
            top = int(means.argmax())
            told.append(
                f"{title}, means from {means.min():.2f} to {means.max():.2f}, bars from {se.min():.2f} to "
                f"{se.max():.2f} either way, the circled one "
                + ("the highest" if top == where else f"{np.sum(means > means[where])} below the highest")
            )
        axes[0].set(ylabel="mean log radon")
    alt = (
        f"Means of {len(sizes)} counties against their number of houses, {sizes.min()} to {sizes.max()}, "
        f"with bars of one standard error and a line at {overall:.2f}: {'; '.join(told)}."
    )
    return figure, alt


def two_logarithms(levels, group, names):
    """How far log(x + 0.1) lies above log x at each level, and how many rows there are at each level.

    Parameters
    ----------
    levels : array_like
        The x, 0 or more; at 0 the logarithm of 0.1 stands for that of 0.
    group : array_like
        0 or 1 for each row.
    names : sequence of str
        What 0 and 1 mean.

    Returns
    -------
    figure, alt : Figure, str
    """
    levels, group = np.asarray(levels, dtype=float), np.asarray(group)
    at_zero = 0.06  # where on the axis zero stands
    shown = np.where(levels > 0, levels, at_zero)
    raised = np.where(levels > 0, np.log1p(0.1 / shown), 0.0)
    edges = np.geomspace(0.05, 60, 25)
    means = [raised[group == k].mean() for k in (0, 1)]
    medians = [np.median(levels[group == k]) for k in (0, 1)]
    with plt.rc_context(STYLE):
        figure, (top, bottom) = plt.subplots(2, figsize=(7.2, 5), sharex=True)
        at = np.unique(shown[levels > 0])
        top.plot(at, np.log1p(0.1 / at), "o-", color=PARTIAL, ms=4, lw=1.2)
        top.plot(at_zero, 0, "X", color=ACCENT, ms=9, mew=0, clip_on=False)
        note = f"{np.sum(levels == 0)} zeros: no difference"
        top.annotate(note, (at_zero, 0), (12, 5), textcoords="offset points")
        styles = (("stepfilled", NO, 0.35, "-"), ("step", ACCENT, 1, "--"))
        for k, (kind, colour, alpha, dash) in enumerate(styles):
            rows = shown[group == k]
            share = np.full(len(rows), 100 / len(rows))
            bottom.hist(
                rows, edges, weights=share, histtype=kind, color=colour, alpha=alpha, ls=dash, lw=2,
                label=f"{names[k]}: raised by {means[k]:.3f} on average",
            )  # fmt: skip
        for ax in (top, bottom):
            ax.set(xlabel="x, radon in pCi/L (log scale)", xscale="log")
        top.set(ylabel="log(x + 0.1)\nabove log x", ylim=(0, None))
        bottom.set(ylabel="% of the houses")
        ticks = [0.1, 0.3, 1, 3, 10, 30]
        bottom.set_xticks([at_zero, *ticks], ["0", *(f"{tick:g}" for tick in ticks)])
        bottom.minorticks_off()
        bottom.set_xlim(0.05, 60)
        bottom.margins(y=0.2)
        bottom.legend(loc="upper left", fontsize=10)
    alt = (
        f"Above: log(x + 0.1) less log x against the radon level x, {raised.max():.2f} at {at[0]:g} pCi/L, "
        f"{np.log1p(0.1):.2f} at 1 and {np.log1p(0.01):.2f} at 10; at {np.sum(levels == 0)} zeros no "
        f"difference. Below: how the levels are spread, {names[0]} (median {medians[0]:.1f}, raised by "
        f"{means[0]:.3f} on average) and {names[1]} (median {medians[1]:.1f}, by {means[1]:.3f})."
    )
    return figure, alt


def county_standard_errors(panels, sizes, marked):
    """Standard errors of group intercepts against group size: without pooling, conditional and full.

    Parameters
    ----------
    panels : dict of str to tuple
        Title to (theta, table of group means as from `Fit.group_means`).
    sizes : array_like of shape (J,)
        Rows in each group.
    marked : label
        The group to circle, as the tables name it.

    Returns
    -------
    figure, alt : Figure, str
    """
    sizes, told = np.asarray(sizes), []
    n = np.geomspace(sizes.min(), sizes.max(), 200)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(panels), figsize=(7.2, 4), sharey=True, squeeze=False)
        axes = axes[0]
        for ax, (title, (theta, means)) in zip(axes, panels.items(), strict=True):
            full, conditional = means["se"].to_numpy(), means["se_conditional"].to_numpy()
            ax.plot(n, formulas.se_group_mean(theta, n), color=NO, ls=":", label="no pooling")
            ax.plot(sizes, full, "D", color=PARTIAL, ms=4.5, mew=0, alpha=0.8, label="full")
            where = means.index.get_loc(marked)
            ax.plot(sizes[where], full[where], "o", color=ACCENT, ms=16, mfc="none", mew=2)
            by_size = np.argsort(sizes)
            ax.plot(sizes[by_size], conditional[by_size], color=INK, lw=1.5, label="conditional")
            ax.set(title=title, xlabel="houses in the county (log scale)", xscale="log", yscale="log")
            ax.set_xticks([1, 3, 10, 30, 100], ["1", "3", "10", "30", "100"])
            ax.set_yticks([0.05, 0.1, 0.2, 0.4, 0.8], ["0.05", "0.1", "0.2", "0.4", "0.8"])
            ax.minorticks_off()
            small = sizes == sizes.min()
            told.append(
                f"{title}: {formulas.se_group_mean(theta, sizes.min()):.2f} without pooling, "
                f"{conditional[small].mean():.3f} conditional, {full[small].min():.3f} to "
                f"{full[small].max():.3f} full; the circled one of {sizes[where]} {conditional[where]:.3f} "
                f"conditional, {full[where]:.3f} full"
            )
        axes[0].set(ylabel="standard error (log scale)")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    alt = (
        f"Standard errors of {len(sizes)} county intercepts against the number of houses, on log axes. The "
        "full ones are points on or above the conditional curve; the line without pooling falls straight "
        f"from far above and comes near them at large counties. In a county of {sizes.min()} house, "
        f"{'; '.join(told)}."
    )
    return figure, alt


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
    with plt.rc_context(STYLE):
        figure, ax = _axes(height=4.6)
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
            ax.annotate(f"SE {se:g}", (n[-1], need[-1]), (6, 0), textcoords="offset points", va="center")
            ax.annotate(f"cost {cost:.0f}", (best, J), (9, 8), textcoords="offset points")
        ax.text(best * 1.06, 6.4, f"n = {best:.2f}", va="bottom")
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xticks([1, 2, 5, 10, 20, 50], ["1", "2", "5", "10", "20", "50"])
        ax.set_yticks([10, 20, 50, 100], ["10", "20", "50", "100"])
        ax.minorticks_off()
        ax.set(xlabel="n, pupils in a class (log scale)", ylabel="J, classes (log scale)")
        ax.set(xlim=(1, 75), ylim=(6, 200))
        figure.legend(loc="outside upper center", ncols=3)
    alt = (
        "The plane of class size n and number of classes J, on log axes. Falling lines of equal standard "
        "error level off to the right; each is touched from below by a line of equal cost, in units of a "
        f"pupil, always at n = {best:.2f}: {'; '.join(told)}."
    )
    return figure, alt


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
    with plt.rc_context(STYLE):
        figure, ax = _axes()
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
            ax.annotate(text, at, shift, textcoords="offset points", ha=side)
        ax.set(xlabel="true effect, points", ylabel="power", xlim=(0, effect[-1]), ylim=(0, 1.02))
        figure.legend(loc="outside upper center", ncols=3)
    listing = "; ".join(f"{label} {value:.1f}" for label, value in least.items())
    alt = (
        f"Power against the true effect for {J} classes of {n}, half of them in each arm. Effects found with "
        f"{share:.0%} power: {listing}. At {believed:.1f} points, where the curve that ignores classes "
        f"promises {share:.0%}, the power is really {real:.2f}."
    )
    return figure, alt
