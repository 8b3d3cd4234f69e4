"""How often an interval made with normal quantiles covers its mean."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, stdtr

from .checks import checked, degrees, finite, normal_quantile


def normal_coverage(se, sd, level=0.95):
    """How often the estimate, give or take z times ``se``, covers its mean: 2 Phi(z se / sd) - 1.

    ``sd`` is the estimate's standard deviation over the repeats that count, ``se`` what its interval is
    made with, z the normal quantile of ``level``. For a normal estimate and a known ``se``. Notebook 02.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.normal_coverage(se=2.5, sd=5):.4f}")
    0.6729
    """
    se, sd, level = checked(se=se, sd=sd, level=level)
    if np.any(sd == 0):
        raise ValueError("sd must be positive: an estimate that never varies needs no interval; got 0")
    return 2 * ndtr(normal_quantile(level) * se / sd) - 1


def z_coverage(df, level=0.95, ratio=1.0):
    """How often the estimate, give or take z estimated SEs, covers its mean: 2 T(z ratio) - 1.

    T is the distribution function of t on ``df`` degrees of freedom (inf where the SE is known), z the normal
    quantile of ``level``. Exact where the estimate over its SE is t on ``df``: the mean of J equal classes,
    normal data, the SE from the class means, df = J - 1. REML's SE is this one or larger (psi = 0), so its
    z interval covers at least as often. Notebook 09.

    ``ratio`` is the SE that is estimated, in estimates' true ones: the root of its mean square over the
    estimate's standard deviation. Exact where the SE's square is a chi-square of ``df`` times a constant and
    independent of the estimate: SE / sd = ratio sqrt(chi2 / df), so their quotient is t over ``ratio``. Where
    the square is a sum of mean squares of different means the coverage is at most this one: 2 T - 1 is
    concave in the square, so Jensen's inequality bounds its mean over how that sum is shared out.

    Examples
    --------
    >>> from helpers import formulas
    >>> formulas.z_coverage([2, 19, float("inf")]).round(4)
    array([0.8109, 0.9352, 0.95  ])
    >>> print(f"{formulas.z_coverage(180, ratio=0.42):.4f}")
    0.5885
    """
    (level, ratio), df = checked(level=level, ratio=ratio), degrees(df)
    z = ratio * normal_quantile(level)
    known = np.where(ratio == 1, level, 2 * ndtr(z) - 1)
    return np.where(np.isinf(df), known, 2 * stdtr(finite(df), z) - 1)[()]
