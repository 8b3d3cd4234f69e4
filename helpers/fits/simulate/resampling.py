"""Bootstraps of a data set: rows, groups, rows within groups, or both drawn with replacement."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..checks import one_of
from ..waiting import chunks
from .experiment import Simulated

BOOTSTRAPS = ("rows", "groups", "within", "two-stage")


def bootstrap(values, groups, *, scheme="groups", replicates=10_000, seed=None):
    """Resample a data set with replacement, and take the mean of all rows each time.

    Parameters
    ----------
    values : array_like of shape (N,)
        The outcome.
    groups : array_like of shape (N,)
        The group of each row.
    scheme : {"rows", "groups", "within", "two-stage"}
        Rows, whatever their group; whole groups; rows within each group; groups, and then rows within
        each group drawn (Davison and Hinkley 1997, section 3.8).
    replicates : int
    seed : int, Generator or None

    Returns
    -------
    Simulated
        Its ``target`` is the standard deviation over all possible resamples. It is exact but for
        "groups" and "two-stage" with groups of unequal size: the rows resampled then vary in number,
        and the target is that of the first-order expansion, CR0 for "groups".

    Raises
    ------
    ValueError
        If the two differ in length, a value is missing, infinite or no number, a label is missing,
        there are fewer than two groups or replicates, or the scheme is not known.

    Examples
    --------
    >>> from helpers import classrooms
    >>> from helpers.simulate import bootstrap
    >>> data = classrooms()
    >>> found = bootstrap(data["score"], data["classroom"], replicates=100, seed=1)
    >>> round(float(found.target), 3)
    4.597
    """
    scheme = one_of("scheme", scheme, BOOTSTRAPS)
    centre, blocks = _blocks(values, groups)
    sizes, sums = (np.array([f(block) for block in blocks]) for f in (len, np.sum))
    N, J = sizes.sum(), len(sizes)
    within = sum(np.sum((block - block.mean()) ** 2) for block in blocks)
    variance = {"rows": within + np.sum(sums**2 / sizes), "groups": np.sum(sums**2), "within": within}
    variance["two-stage"] = variance["groups"] + within
    if scheme == "rows":
        blocks, sizes = [np.concatenate(blocks)], np.array([N])
    rng, means = np.random.default_rng(seed), []
    for count in chunks(replicates, N):
        if scheme in ("groups", "two-stage"):
            times = rng.multinomial(J, np.full(J, 1 / J), count)
        else:
            times = np.ones((count, len(blocks)), dtype=int)
        if scheme == "groups":
            totals = times @ sums
        else:
            totals = sum(
                rng.multinomial(drawn * len(block), np.full(len(block), 1 / len(block))) @ block
                for drawn, block in zip(times.T, blocks, strict=True)
            )
        means.append(centre + totals / (times @ sizes))
    return Simulated(np.concatenate(means), np.sqrt(variance[scheme]) / N)


def _blocks(values, groups):
    """Return the mean of the values, and the rest of them group by group."""
    try:
        y = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise ValueError("values must be numbers, none of them missing") from None
    if y.ndim != 1 or y.shape != np.shape(groups):
        raise ValueError(f"values {y.shape} and groups {np.shape(groups)} must be two columns of one length")
    if not np.isfinite(y).all():
        raise ValueError(f"values must be finite; the one in row {np.argmin(np.isfinite(y))} is not")
    codes, labels = pd.factorize(np.asarray(groups))
    if len(labels) < 2 or codes.min() < 0:
        raise ValueError(f"groups must be two or more, none missing; got {len(labels)} and {sum(codes < 0)}")
    centre, order = y.mean(), np.argsort(codes, kind="stable")
    return centre, np.split((y - centre)[order], np.cumsum(np.bincount(codes))[:-1])
