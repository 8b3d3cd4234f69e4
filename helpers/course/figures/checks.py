"""What a model leaves, for the report: its residuals, and its groups' effects against normal ones."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np

from ...formulas import distributions as stats
from .style import FAINT, INK, NO, PARTIAL, styled
from .your_data import plain, shortened

SIZE = (3.7, 3.3)  # inches, a column of a phone
EACH = 3000  # rows, up to which each is a dot
GROUPS = 10_000  # groups, up to which each is a dot
_BINS = 24
_BLOCK = 1 << 14  # rows at a time, so that they stay in the cache
_NAMED = 3  # groups named at either end


@styled
def residuals_by_fitted(fitted, residuals, outcome, level=0.0):
    """Residuals beside the fitted values.

    Parameters
    ----------
    fitted, residuals : ndarray of shape (N,)
        In the unit of the outcome.
    outcome : str
        Its name.
    level : float
        What was taken off the fitted values.

    Returns
    -------
    figure, alt : Figure, str
    """
    N, half = len(residuals), stats.norm.isf(0.025) * root_mean_square(residuals)
    figure, ax = plt.subplots(figsize=SIZE)
    if N <= EACH:
        ax.plot(level + fitted.astype(float), residuals, ".", color=NO, ms=5, mew=0, alpha=0.6)
        drawn = "each row a dot"
    else:
        bins = _binned(fitted, residuals)
        bins[:, 0] += level
        few = len(bins) < 5
        for low, high, color in ((1, 5, "#BBD8EA"), (2, 4, "#7FB7D9")):
            if few:
                ax.vlines(bins[:, 0], bins[:, low], bins[:, high], color=color, lw=8)
            else:
                ax.fill_between(bins[:, 0], bins[:, low], bins[:, high], color=color, lw=0)
        ax.plot(bins[:, 0], bins[:, 3], color=NO, marker="o" if few else "", ls="" if few else "-")
        drawn = "their medians, the middle 50% and the middle 95% of them"
    ax.axhline(0, color=INK, lw=1)
    for end in (-half, half):
        ax.axhline(end, color=INK, lw=1, ls=":")
    ax.set_xlabel(f"fitted {plain(outcome, 22)}", parse_math=False)
    ax.set_ylabel("residual")
    ax.locator_params(nbins=5)
    alt = (
        f"The residuals of {N} rows beside the fitted values of {plain(outcome, 40)}, {drawn}; they go "
        f"from {residuals.min():.4g} to {residuals.max():.4g}. Between the dotted lines, {-half:.4g} and "
        f"{half:.4g}, lie 95% of normal ones with the same spread at every fitted value."
    )
    return figure, alt


@styled
def residuals_against_normal(residuals):
    """Residuals in order against normal ones.

    Parameters
    ----------
    residuals : ndarray of shape (N,)

    Returns
    -------
    figure, alt : Figure, str
    """
    N, sd = len(residuals), root_mean_square(residuals)
    figure, ax = plt.subplots(figsize=SIZE)
    k, values = _places(N), np.sort(residuals)
    ax.axline((0, 0), slope=sd, color=INK, lw=1)
    ax.plot(stats.norm.ppf((k + 0.5) / N), values[k], ".", color=NO, ms=5, mew=0)
    ax.set(xlabel="normal quantile", ylabel="residual")
    ax.locator_params(nbins=5)
    alt = (
        f"The residuals of {N} rows in order against normal ones, and the line on which normal ones with "
        f"the same standard deviation, {sd:.4g}, would lie. The lowest is {values[0] / sd:.1f} standard "
        f"deviations from 0, the highest {values[-1] / sd:.1f}."
    )
    return figure, alt


@styled
def effects_against_normal(z, title):
    """Group effects, each over its own sd, in order against normal ones; beyond 10 000 their density.

    Parameters
    ----------
    z : Series
        Effects over their sd, by group.
    title : str
        What they are effects on.

    Returns
    -------
    figure, alt : Figure, str
    """
    z = z.sort_values(kind="stable")
    J, values, (low, high) = len(z), z.to_numpy(), ends(z)
    figure, ax = plt.subplots(figsize=SIZE)
    outside = (_density if J > GROUPS else _in_order)(ax, values)
    how = {"fontsize": 9, "linespacing": 1.25, "transform": ax.transAxes, "parse_math": False}
    ax.text(0.03, 0.98, "\n".join(["highest:", *high]), va="top", **how)
    if J > GROUPS:
        ax.text(0.98, 0.98, "\n".join(["lowest:", *low]), ha="right", va="top", **how)
    else:
        ax.text(0.98, 0.03, "\n".join(["lowest:", *low]), ha="right", va="bottom", **how)
    ax.set_title(plain(title, 40), fontsize=11, loc="left", parse_math=False)
    alt = (
        f"{J} group effects, {plain(title, 80)}, each over its own standard deviation, {outside} The highest "
        f"is {_name(z.index[-1], 40)}, at {values[-1]:.3g}, the lowest {_name(z.index[0], 40)}, at "
        f"{values[0]:.3g}."
    )
    return figure, f"The {alt}"


def ends(z):
    """Names of the lowest, the lowest first, and of the highest, the highest first; z in order."""
    names = [_name(label, 18) for label in (*z.index[:_NAMED], *z.index[-_NAMED:])]
    most = min(_NAMED, max(1, len(z) // 2))
    return names[:most], names[::-1][:most]


def _name(label, most):
    """A label, of two columns or of one, in so many characters."""
    return shortened(" / ".join(map(str, label)) if isinstance(label, tuple) else label, most)


def _in_order(ax, z):
    J = len(z)
    k = np.arange(1, J + 1)
    x = stats.norm.ppf((k - 0.5) / J)
    low, high = (stats.norm.ppf(stats.beta.ppf(p, k, J + 1 - k)) for p in (0.025, 0.975))
    ax.fill_between(x, low, high, color=FAINT, alpha=0.25, lw=0)
    ax.axline((0, 0), slope=1, color=INK, lw=1)
    ax.plot(x, z, "o", color=PARTIAL, ms=6 if J <= 40 else 3.5, mew=0)
    ax.set(xlabel="normal quantile", ylabel="effect over its sd")
    reach = 1.25 * max(2.0, np.abs(z).max(), x[-1])
    ax.set_ylim(-reach, reach)
    ax.locator_params(nbins=5)
    return "in order against normal ones, with a band that holds 95% of these at each place."


def _density(ax, z):
    reach = max(4.0, np.abs(z).max())
    height, edges = np.histogram(z, bins=80, range=(-reach, reach), density=True)
    ax.stairs(height, edges, fill=True, color=PARTIAL, lw=0)
    x = np.linspace(-reach, reach, 400)
    ax.plot(x, stats.norm.pdf(x), color=INK, lw=1.5)
    ax.set(xlabel="effect over its sd", ylabel="density")
    ax.set_ylim(0, 1.4 * max(height.max(), 0.4))
    return "as a histogram beside the normal density."


def root_mean_square(values) -> float:
    """Root of the mean square, in double precision and without a column of squares."""
    return float(np.sqrt(np.einsum("k,k->", values, values, dtype=float) / len(values)))


def _binned(fitted, residuals):
    """Mean fitted value, and five quantiles of the residuals, of each bin of as many rows."""
    cuts = np.unique(np.sort(fitted)[np.arange(1, _BINS) * len(fitted) // _BINS])
    of = np.zeros(len(fitted), dtype=np.int8)
    for start in range(0, len(of), _BLOCK):
        rows = slice(start, start + _BLOCK)
        for cut in cuts:
            of[rows] += fitted[rows] >= cut
    parts = (np.flatnonzero(of == k) for k in range(len(cuts) + 1))
    return np.array([[fitted[k].mean(dtype=float), *_quantiles(residuals[k])] for k in parts if len(k)])


def _quantiles(values):
    """Those that are drawn, at 2.5, 25, 50, 75 and 97.5%; to sort is quicker than to look for each."""
    values = np.sort(values).astype(float)
    return np.interp(
        np.array([0.025, 0.25, 0.5, 0.75, 0.975]) * (len(values) - 1), np.arange(len(values)), values
    )


def _places(N):
    """Which of N in order are drawn: all, or the ends and some between."""
    if N <= EACH:
        return np.arange(N)
    end = np.arange(40)
    return np.unique(np.concatenate([end, np.linspace(40, N - 41, 400).astype(int), N - 1 - end]))
