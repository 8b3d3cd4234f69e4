"""Coverage of the mean: nine intervals, three poolings by three references."""

from __future__ import annotations

import numpy as np
from scipy import stats

from ..checks import one_of, upper
from ..waiting import chunks
from .experiment import Study
from .tally import Tally

METHODS = tuple(
    f"{pooling} pooling, {reference}"
    for pooling in ("complete", "no", "partial")
    for reference in ("known", "z", "t")
)


def coverage(
    psi, theta, J, n, *, methods=METHODS, level=0.95, scheme="new groups", K=None, replicates=10_000,
    seed=None, draw="sufficient",
):  # fmt: skip
    """How often intervals for the mean cover it, and how long they are.

    Parameters
    ----------
    psi, theta, J, n, scheme, K, replicates, seed, draw
        As for `replicate`; the scheme says whose mean is to be covered.
    methods : sequence of str
        From `METHODS`: "complete pooling", "no pooling" or "partial pooling", then "known" (the mean
        of all rows, give or take the normal quantile times the closed form at the true variances),
        "z" or "t" (the estimate, give or take the quantile times the estimated standard error; t on
        N - 1, N - J and J - 1 degrees of freedom). ``"partial pooling, t"`` is one of the nine.
    level : float
        What the intervals promise.

    Returns
    -------
    DataFrame
        By method: ``coverage``, ``mcse``, ``mean_length``, ``length_mcse``.

    Raises
    ------
    ValueError
        As `replicate`, and if a method is not known or the level not between 0 and 1.
    """
    study = Study(psi, theta, J, n, seed, draw, scheme, K)
    methods = [methods] if isinstance(methods, str) else list(methods)
    for method in methods:
        one_of("method", method, METHODS)
    tail = upper(level)
    z = stats.norm.ppf(tail)
    degrees = {"complete": study.N - 1, "no": study.N - study.J, "partial": study.J - 1}
    t = {pooling: stats.t.ppf(tail, df) for pooling, df in degrees.items()}
    tally = Tally()
    for count in chunks(replicates, study.width):
        fit = study.fits(count)
        for method in methods:
            pooling, reference = method.split(" pooling, ")
            estimate = fit["means"]
            if reference == "known":
                half = np.full(count, z * study.known[pooling])
            else:
                half = (z if reference == "z" else t[pooling]) * fit[f"se_{pooling}"]
                estimate = fit["gls_means"] if pooling == "partial" else estimate
            tally.add(method, np.abs(estimate) <= half, 2 * half)
    return tally.table("method")
