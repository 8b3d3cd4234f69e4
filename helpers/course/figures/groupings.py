"""Standard errors where data have two groupings: by level, and clustered two ways."""

from __future__ import annotations

from itertools import cycle

import numpy as np

from ... import formulas
from .style import ACCENT, COMPLETE, FAINT, NO, PARTIAL, drawing, legend_above, listed, log_scale, styled

# Colour, marker, what fills it; a sixth method would start again.
_LOOKS = [
    (COMPLETE, "s", "full"),
    (ACCENT, "^", "full"),
    (NO, "D", "full"),
    (PARTIAL, "o", "full"),
    (ACCENT, "v", "none"),
]


@styled
def errors_by_level(errors):
    """Standard errors of each term over those of the first model, a row a term.

    Parameters
    ----------
    errors : DataFrame
        A row a method, a column a term, standard errors; the first row is what the others are held against.

    Returns
    -------
    figure, alt : Figure, str
    """
    right, others = errors.iloc[0], errors.iloc[1:]
    ratios = others / right
    names = {"Intercept": "mean"}
    terms = [names.get(term, term) for term in errors.columns]
    figure, ax = drawing(height=3.9)
    ax.axvline(1, color=FAINT, lw=1.5)
    spread = np.linspace(0.28, -0.28, len(others))
    for (method, row), shift, look in zip(ratios.iterrows(), spread, cycle(_LOOKS), strict=False):
        color, marker, fill = look
        heights = -np.arange(len(terms)) + shift
        ax.plot(row, heights, marker, color=color, fillstyle=fill, mew=1.5, ms=8, label=method)
    for k in range(1, len(terms)):
        ax.axhline(0.5 - k, color=FAINT, lw=0.5)
    ax.set(yticks=-np.arange(len(terms)), yticklabels=terms, ylim=(0.5 - len(terms), 0.5))
    low, high = 0.92 * ratios.to_numpy().min(), 1.08 * ratios.to_numpy().max()
    log_scale(ax, x=[x for x in (0.25, 0.5, 0.75, 1, 1.5, 2) if low <= x <= high])
    ax.set(xlim=(low, high), xlabel=f"standard error over that of {errors.index[0]}")
    legend_above(figure, ncols=3, columnspacing=1.2)
    parts = ". ".join(
        f"{name}: {listed(ratios[term].to_dict())}" for name, term in zip(terms, errors.columns, strict=True)
    )
    return figure, f"Standard errors of {len(terms)} terms, each over that of {errors.index[0]}. {parts}."


@styled
def two_way_by_groups(psi_a, psi_b, theta, most=100):
    """Share of the variance of a crossed mean that clustering sees on average, against the number of groups.

    As many groups of either kind, from 3 to ``most``; clustered by the one, by the other and both ways.

    Returns
    -------
    figure, alt : Figure, str
    """
    groups = np.arange(3, most + 1)

    def shares(G):
        true = formulas.se_crossed(psi_a, psi_b, theta, G, G) ** 2
        readers, texts, _ = formulas.expected_mean_squares_crossed(psi_a, psi_b, theta, G, G)
        two = formulas.expected_two_way(psi_a, psi_b, theta, G, G)
        return {
            "both ways": two / true,
            "by text": texts / G**2 / true,
            "by reader": readers / G**2 / true,
        }

    figure, ax = drawing(height=3.8)
    ax.axhline(1, color=FAINT, lw=1.5)
    looks = {"both ways": (PARTIAL, "-"), "by text": (NO, "--"), "by reader": (COMPLETE, ":")}
    for name, values in shares(groups).items():
        color, line = looks[name]
        ax.plot(groups, values, line, color=color, lw=2.5, label=name)
    log_scale(ax, x=[3, 5, 10, 20, 50, 100])
    ax.set(xlabel="readers, and as many texts", ylabel="share of the true variance", ylim=(0, 1.08))
    legend_above(figure, ncols=3)
    ends = [f"At {G} of each: " + listed({k: float(x) for k, x in shares(G).items()}) for G in (3, 10, most)]
    alt = (
        "What clustering sees of the variance of a mean over readers and texts, on average, as a share of "
        f"the true variance, against the number of readers and of texts. {'. '.join(ends)}. Both ways tends "
        "to 1, either way alone does not."
    )
    return figure, alt
