"""Standard errors that correct or replace the plain ones: Kenward and Roger's, and four bootstraps."""

from __future__ import annotations

import numpy as np

from .checks import checked, group_sizes


def kenward_roger_mean(psi, theta, sizes):
    """Kenward and Roger's SE and degrees of freedom of the generalised least squares mean.

    With w_j = 1 / (psi + theta / n_j), their sum S, and the rates a_0 = w, a_1 = w / n at which log w falls
    in psi and theta: SE^2 = 1 / S + 2 sum W_ik C_ik, where C_ik = sum w (a_i - m_i)(a_k - m_k) / S^2, m the
    means of the a weighted by w, and W the inverse expected REML information; df = 2 / sum W_ik m_i m_k.
    Kenward and Roger (1997) for a constant alone and one contrast; notebook 09 derives it.

    Parameters
    ----------
    psi, theta : array_like
        REML estimates, theta > 0; the results have their shape.
    sizes : array_like of shape (J,)
        Observations in each of two or more groups, not all 1.

    Returns
    -------
    se, df : float or ndarray

    Raises
    ------
    ValueError
        As the others, and if theta is 0, there is one group, or every size is 1.

    Examples
    --------
    >>> from helpers import formulas
    >>> se, df = formulas.kenward_roger_mean(400, 900, sizes=[10, 10, 10, 10])
    >>> print(f"{se:.4f} {df:.4f}")
    11.0680 3.0000
    >>> se, df = formulas.kenward_roger_mean(400, 900, sizes=[2, 10, 30])
    >>> print(f"{se:.4f} {df:.4f}")
    14.2054 1.7072
    """
    psi, theta = checked(psi=psi, theta=theta)
    if np.any(theta == 0):
        raise ValueError("theta must be positive; got 0")
    n = group_sizes(sizes)
    J = len(n)
    if J < 2 or np.all(n == 1):
        raise ValueError(f"sizes must be two or more, not all 1, to tell psi from theta; got {n}")
    ratio = (psi / theta)[..., None]  # in units of theta
    w = 1 / (ratio + 1 / n)
    a = np.stack([w, w / n], axis=-2)
    S = np.sum(w, axis=-1)
    mean = np.sum(w[..., None, :] * a, axis=-1) / S[..., None]
    apart = a - mean[..., None]
    spread = np.einsum("...j,...ij,...kj->...ik", w, apart, apart) / S[..., None, None]
    twice = a @ np.swapaxes(a, -1, -2) - 2 * spread - mean[..., None] * mean[..., None, :]
    twice[..., 1, 1] += np.sum(n) - J
    W = 2 * np.linalg.inv(twice)
    variance = (1 + 2 * np.sum(W * spread, axis=(-1, -2))) / S
    relative = np.einsum("...i,...ik,...k", mean, W, mean)  # variance of the estimated variance's logarithm
    return np.sqrt(theta * variance), 2 / relative


def se_bootstrap_rows(ms_between, ms_within, J, n):
    """SE by resampling rows whatever their class, replicates without end: sqrt(SST) / N.

    SST = (J - 1) MSB + J (n - 1) MSW. Complete pooling's SE times sqrt((N - 1) / N). Notebook 10.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.se_bootstrap_rows(4900, 900, J=20, n=10):.4f}")
    2.5254
    """
    ms_between, ms_within, J, n = checked(ms_between=ms_between, ms_within=ms_within, J=J, n=n)
    return np.sqrt((J - 1) * ms_between + J * (n - 1) * ms_within) / (J * n)


def se_bootstrap_groups(ms_between, J, n):
    """SE by resampling whole classes, replicates without end: sqrt((J - 1) / J) sqrt(MSB / (J n)).

    CR0, and ML where its psi > 0. Notebook 10.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.se_bootstrap_groups(4900, J=20, n=10):.4f}")
    4.8244
    """
    ms_between, J, n = checked(ms_between=ms_between, J=J, n=n)
    return np.sqrt((J - 1) / J * ms_between / (J * n))


def se_bootstrap_within(ms_within, J, n):
    """SE by resampling rows within each class, replicates without end: sqrt((n - 1) / n) sqrt(MSW / (J n)).

    No pooling's SE of the mean of these J classes times sqrt((n - 1) / n). Notebook 10.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.se_bootstrap_within(900, J=20, n=10):.4f}")
    2.0125
    """
    ms_within, J, n = checked(ms_within=ms_within, J=J, n=n)
    return np.sqrt((n - 1) / n * ms_within / (J * n))


def se_bootstrap_two_stage(ms_between, ms_within, J, n):
    """SE by resampling classes, and then rows within each class drawn, replicates without end.

    The squares of `se_bootstrap_groups` and `se_bootstrap_within` add. Notebook 10; Davison and Hinkley
    (1997), section 3.8, compare the schemes.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.se_bootstrap_two_stage(4900, 900, J=20, n=10):.4f}")
    5.2273
    """
    return np.hypot(se_bootstrap_groups(ms_between, J, n), se_bootstrap_within(ms_within, J, n))
