"""Sandwiches of slopes within groups: the group means absorbed, the clusters the groups themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..tables import solve
from . import estimable, sandwich
from .checks import one_of
from .result import robust


def demeaned(summary):
    """The summary of the rows less their group means: the slopes for its terms, and no constant."""
    slopes = summary.varying
    keep = [*slopes, len(summary.terms)]
    return replace(
        summary,
        terms=[summary.terms[k] for k in slopes],
        intercept=None,
        means=np.zeros((summary.ngroups, len(keep))),
        within=summary.within[np.ix_(keep, keep)],
        shift=np.zeros(len(keep)),
        slopes=summary.slopes[slopes],
    )


def cluster_robust(summary, kind, count_groups=False):
    """`NoPooling.cluster_robust`, of the slopes alone.

    Parameters
    ----------
    summary : GroupSummary
    kind : {"CR0", "CR1", "CR1S", "CR2", "CR3"}
    count_groups : bool

    Returns
    -------
    reference : Reference
        Of the slopes.
    withheld : dict of str to str
        Slopes without such an error, and why.

    Raises
    ------
    TypeError, ValueError
        As `NoPooling.cluster_robust`.
    """
    one_of("kind", kind, sandwich.KINDS)
    if not isinstance(count_groups, (bool, np.bool_)):
        raise TypeError(f"count_groups must be True or False; got {count_groups!r}")
    if count_groups and kind != "CR1S":
        raise ValueError(f"count_groups is of CR1S, whose factor has an N - k; {kind} counts no coefficients")
    rows = demeaned(summary)
    if not rows.terms:
        raise ValueError(
            f"{summary.formula!r} has no slope, and a group mean has no cluster-robust standard error, "
            "for it rests on one group alone: use complete_pooling or partial_pooling for the mean of all"
        )
    p, every = len(rows.terms), np.eye(len(rows.terms))
    withheld = estimable.reasons(rows, rows.terms, every)
    if len(withheld) == p:
        told = "; ".join(f"{term}: {why}" for term, why in withheld.items())
        raise ValueError(
            f"no slope of {summary.formula!r} has a cluster-robust standard error, for each rests on one "
            f"{summary.group} alone ({told}): bring more groups, or leave terms out"
        )
    b = solve(rows.within[:-1, :-1], rows.within[:-1, -1:])[:, 0]
    counted = p + (summary.ngroups if count_groups else 1)
    cov, of = sandwich.cluster_robust(rows, b, kind, counted)
    none = np.array([term in withheld for term in rows.terms])
    name = f"{kind}, groups counted" if count_groups else kind
    return robust(name, cov, of, every, none), withheld
