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


def z_coverage(df, level=0.95):
    """How often the estimate, give or take z estimated SEs, covers its mean: 2 T(z) - 1.

    T is the distribution function of t on ``df`` degrees of freedom (inf where the SE is known), z the normal
    quantile of ``level``. Exact where the estimate over its SE is t on ``df``: the mean of J equal classes,
    normal data, the SE from the class means, df = J - 1. REML's SE is this one or larger (psi = 0), so its
    z interval covers at least as often. Notebook 09.

    Examples
    --------
    >>> from helpers import formulas
    >>> formulas.z_coverage([2, 19, float("inf")]).round(4)
    array([0.8109, 0.9352, 0.95  ])
    """
    (level,), df = checked(level=level), degrees(df)
    return np.where(np.isinf(df), level, 2 * stdtr(finite(df), normal_quantile(level)) - 1)[()]
