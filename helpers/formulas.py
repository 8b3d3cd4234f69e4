"""Every closed form of the course, one short function each; each takes numbers or arrays that broadcast.

Symbols: ``psi`` is the variance between groups and ``theta`` the variance within, both in squared units
of the outcome; ``J`` groups of ``n`` observations, N = J n in all. Unless a function says otherwise the
groups are of equal size and the variances are known; with estimates put in, the results are estimates.
lme4's ``theta`` is another thing: the ratio of the two standard deviations.

Every function raises ValueError where a variance is negative, a count below one, or a value not finite,
and returns a float, or an array where it was given one.
"""

from __future__ import annotations

import numpy as np
from scipy.special import fdtr, nctdtr, nctdtrinc, ndtr, ndtri, stdtr, stdtrit


def se_complete_pooling(psi, theta, J, n):
    """SE of the grand mean if pupils were drawn one by one: sqrt((psi + theta) / (J n)).

    The answer's formula for complete pooling. With the ANOVA estimates put in (psi > 0, n > 1) it is
    slightly larger than what ``lm(y ~ 1)`` prints, for the reason in `complete_pooling_variance`.
    Notebooks 02 and 04 derive the two.
    """
    psi, theta, J, n = _checked(psi=psi, theta=theta, J=J, n=n)
    return np.sqrt((psi + theta) / (J * n))


def se_partial_pooling(psi, theta, J, n):
    """SE of the mean of all classes, when J of very many were drawn: sqrt((psi + theta / n) / J).

    The answer's formula for the mixed model. Notebook 02 derives it.
    """
    psi, theta, J, n = _checked(psi=psi, theta=theta, J=J, n=n)
    return np.sqrt((psi + theta / n) / J)


def se_no_pooling(theta, J, n):
    """SE of the mean of just these J classes: sqrt(theta / (J n)).

    The answer's formula for no pooling; notebook 02 derives it. The SE of one class mean is `se_group_mean`.
    Notebook 03 tells the two apart.
    """
    theta, J, n = _checked(theta=theta, J=J, n=n)
    return np.sqrt(theta / (J * n))


def se_group_mean(theta, n):
    """SE of the mean of one class, without pooling: sqrt(theta / n). Holds for unequal n too."""
    theta, n = _checked(theta=theta, n=n)
    return np.sqrt(theta / n)


def se_finite_population(psi, theta, J, n, K, M=np.inf):
    """SE of the mean of K classes of M pupils, J and n of them drawn.

    sqrt((1 - J/K) psi/J + (1 - J n / (K M)) theta / (J n)). K = J and M = inf give `se_no_pooling`; K = inf
    gives `se_partial_pooling`, whatever M is. M = inf overstates the variance by theta / (K M). Notebook 02
    derives it; Cochran (1977), chapter 10, has the general two-stage formula.
    On average over populations ``psi`` and ``theta`` are the variances of the model; it is exact in a single
    one if ``theta`` is the mean variance inside its classes (divisor M - 1) and ``psi`` the variance of its
    K class means (divisor K - 1) less theta / M.

    Raises
    ------
    ValueError
        If K is smaller than J, or M than n.
    """
    psi, theta, J, n = _checked(psi=psi, theta=theta, J=J, n=n)
    K, M = _population(K, J), _population(M, n, "M, the number of pupils in a class", "n")
    return np.sqrt((1 - J / K) * psi / J + (1 - (J / K) * (n / M)) * theta / (J * n))


def se_finite_population_unbalanced(psi, theta, sizes, K):
    """SE of the mean of K classes when J of them, of any size, were drawn: of its best linear predictor.

    The predictor is (sum of the J partially pooled means + (K - J) times the GLS mean) / K. With L_j the
    `shrinkage` of class j and V the squared SE of the GLS mean, its mean squared error is
    (1 - sum(L_j) / K)^2 V + sum(L_j theta / n_j) / K^2 + (K - J) psi / K^2. Equal sizes give
    `se_finite_population`; K = inf gives `se_partial_pooling_unbalanced`. Notebook 13 derives it.

    Parameters
    ----------
    psi, theta : float
        The two variances, psi + theta > 0.
    sizes : array_like of shape (J,)
        Observations in each of the J classes drawn.
    K : float or array_like
        Classes in the population, of which each mean counts the same.

    Raises
    ------
    ValueError
        If K is smaller than J.
    """
    psi, theta, sizes = _of_sizes(psi, theta, sizes)
    J = len(sizes)
    K = _population(K, J)
    factor = shrinkage(psi, theta, sizes)
    of_mean = (1 - np.sum(factor) / K) ** 2 * se_partial_pooling_unbalanced(psi, theta, sizes) ** 2
    return np.sqrt(of_mean + (np.sum(factor * theta / sizes) / K + (1 - J / K) * psi) / K)


def normal_coverage(se, sd, level=0.95):
    """How often the estimate, give or take z times ``se``, covers its mean: 2 Phi(z se / sd) - 1.

    ``sd`` is the estimate's standard deviation over the repeats that count, ``se`` what its interval is
    made with, z the normal quantile of ``level``. For a normal estimate and a known ``se``. Notebook 02.
    """
    se, sd, level = _checked(se=se, sd=sd, level=level)
    if np.any(sd == 0):
        raise ValueError("sd must be positive: an estimate that never varies needs no interval; got 0")
    return 2 * ndtr(_normal_quantile(level) * se / sd) - 1


def se_partial_pooling_unbalanced(psi, theta, sizes):
    """SE of the generalised least squares mean, groups of any size: sum(1 / (psi + theta / n_j))^(-1/2).

    Parameters
    ----------
    psi, theta : float
        The two variances, psi + theta > 0.
    sizes : array_like of shape (J,)
        Observations in each group.
    """
    psi, theta, sizes = _of_sizes(psi, theta, sizes)
    return 1 / np.sqrt(np.sum(1 / (psi + theta / sizes)))


def se_bracket(psi, theta, sizes):
    """Bounds of the SE of the generalised least squares mean: the balanced formula at two mean sizes.

    `se_partial_pooling` with n the arithmetic mean of the sizes is at most, with their harmonic mean at
    least, `se_partial_pooling_unbalanced` at the same psi and theta. The second is also the SE of the
    unweighted mean of the class means. Notebook 05 proves both.

    Parameters
    ----------
    psi, theta : float
        The two variances, psi + theta > 0.
    sizes : array_like of shape (J,)
        Observations in each group.

    Returns
    -------
    low, high : float
    """
    psi, theta, sizes = _of_sizes(psi, theta, sizes)
    J = len(sizes)
    low = se_partial_pooling(psi, theta, J, np.mean(sizes))
    return low, se_partial_pooling(psi, theta, J, 1 / np.mean(1 / sizes))


def se_group_difference(theta, n, shrinkage=1.0):
    """SE of the difference of two class means: sqrt(2 shrinkage theta / n).

    Without pooling (``shrinkage`` 1) the sampling SE; with the factor of `shrinkage` the prediction SE
    of the partially pooled difference (the estimated mean cancels). Notebook 03.
    """
    theta, n, factor = _checked(theta=theta, n=n, shrinkage=shrinkage)
    if np.any(factor > 1):
        raise ValueError(f"shrinkage must lie between 0 and 1; got {factor}")
    return np.sqrt(2 * factor * theta / n)


def se_group_mean_partial(psi, theta, J, n):
    """Prediction SE of a partially pooled class mean: sqrt((theta / n) (L + (1 - L) / J)), L the shrinkage.

    Counts the uncertainty of the estimated overall mean, not that of the two variances
    (Searle, Casella and McCulloch 1992, chapter 7).
    """
    psi, theta, J, n = _checked(psi=psi, theta=theta, J=J, n=n)
    factor = shrinkage(psi, theta, n)
    return np.sqrt(theta / n * (factor + (1 - factor) / J))


def rmse_group_mean_partial_at(distance, psi, theta, n):
    """Root mean squared error of the partially pooled mean of one class, over new pupils of that class.

    sqrt(L^2 theta / n + (1 - L)^2 distance^2), L the shrinkage: scatter, and the bias of a class so far
    from the overall mean, which is taken as known. Below `se_group_mean` where distance^2 is below
    2 psi + theta / n. Notebook 07 derives both.
    """
    distance, psi, theta, n = _checked(distance=distance, psi=psi, theta=theta, n=n)
    factor = shrinkage(psi, theta, n)
    return np.sqrt(factor**2 * theta / n + ((1 - factor) * distance) ** 2)


def coverage_group_mean_partial_at(distance, psi, theta, n, level=0.95):
    """How often the interval for the mean of one class holds it, over new pupils of that class, normal data.

    The partially pooled mean, give or take z sqrt(L theta / n), L the shrinkage; ``distance`` as for
    `rmse_group_mean_partial_at`. On average over normal classes it is ``level``. Notebook 07.
    """
    distance, psi, theta, n, level = _checked(distance=distance, psi=psi, theta=theta, n=n, level=level)
    if np.any((psi == 0) | (theta == 0)):
        raise ValueError("psi and theta must be positive: else the interval has no length; got 0")
    factor = shrinkage(psi, theta, n)
    scatter = factor * np.sqrt(theta / n)
    half = _normal_quantile(level) * np.sqrt(factor * theta / n) / scatter
    bias = (1 - factor) * distance / scatter
    return ndtr(half - bias) - ndtr(-half - bias)


def se_new_group_mean(psi, theta, J, n):
    """Prediction SE of the true mean of a class not yet seen: sqrt(psi + se_partial_pooling^2)."""
    return np.sqrt(psi + se_partial_pooling(psi, theta, J, n) ** 2)


def se_new_observation(psi, theta, J, n):
    """Prediction SE of one pupil's score in a class not yet seen."""
    return np.sqrt(theta + se_new_group_mean(psi, theta, J, n) ** 2)


def se_new_observation_known_group(psi, theta, J, n):
    """Prediction SE of a new pupil's score in one of the J classes."""
    return np.sqrt(theta + se_group_mean_partial(psi, theta, J, n) ** 2)


def icc(psi, theta):
    """Intraclass correlation, the correlation of two pupils of one class: psi / (psi + theta)."""
    psi, theta = _positive(*_checked(psi=psi, theta=theta))
    return psi / (psi + theta)


def design_effect(icc, n):
    """Variance of the mean of clustered data over that of as many independent pupils: 1 + (n - 1) icc.

    Kish (1965), chapter 5. It is `moulton_factor` for a predictor of classes (``icc_x`` 1).
    """
    return moulton_factor(icc, 1.0, n)


def moulton_factor(icc, icc_x, n):
    """True variance of a least squares slope over the one for independent pupils: 1 + (n - 1) icc icc_x.

    Moulton (1986); notebook 08 derives it. The predictor is held fixed, the errors have ``icc``, and all
    classes have one slope.

    Parameters
    ----------
    icc : float or array_like
        Intraclass correlation of the outcome, given the predictor: from -1 / (n - 1) to 1.
    icc_x : float or array_like
        That of the predictor in these data, (n B - 1) / (n - 1), where B is the share of its sum of
        squares that lies between classes: -1 / (n - 1) if all class means are equal, 1 for a predictor
        of classes.
    n : int or array_like
        Pupils in each class.

    Raises
    ------
    ValueError
        If a correlation is not possible in classes of n.
    """
    (n,) = _checked(n=n)
    icc, icc_x = _correlation("icc", icc, n), _correlation("icc_x", icc_x, n)
    return 1 + (n - 1) * icc * icc_x


def se_within_slope(theta, ss_within):
    """SE of the slope within classes: sqrt(theta / ss_within), classes of any size, one slope for all.

    ``ss_within`` is the predictor's sum of squares about the class means, in its squared units.
    The same for no pooling and for the mixed model. Where slopes vary, at least their variance over the
    number of classes is added to the square. Notebook 08.

    Raises
    ------
    ValueError
        If the predictor does not vary within classes.
    """
    theta, ss_within = _checked(theta=theta, ss_within=ss_within)
    return np.sqrt(theta / _varying("ss_within", ss_within))


def se_between_slope(psi, theta, n, ss_between):
    """SE of the slope between classes, and of any predictor of classes: sqrt((theta + n psi) / ss_between).

    ``ss_between`` is the sum of squares of the class means over all pupils, n times that over the
    classes: the formula is also sqrt((psi + theta / n) / sum of (mean_j - mean)^2). Notebook 08.

    Raises
    ------
    ValueError
        If the predictor does not vary between classes.
    """
    psi, theta, n, ss_between = _checked(psi=psi, theta=theta, n=n, ss_between=ss_between)
    return np.sqrt((theta + n * psi) / _varying("ss_between", ss_between))


def effective_sample_size(icc, J, n):
    """Independent pupils that would give as precise a mean: J n / design effect."""
    J, n = _checked(J=J, n=n)
    effect = design_effect(icc, n)
    if np.any(effect <= 0):
        raise ValueError("at icc = -1 / (n - 1) the mean has no variance: no sample is as precise")
    return J * n / effect


def shrinkage(psi, theta, n):
    """Weight of a class's own mean in its partially pooled mean: n psi / (n psi + theta)."""
    psi, theta, n = _positive(*_checked(psi=psi, theta=theta, n=n))
    return n * psi / (n * psi + theta)


def se_floor(psi, J):
    """What the SE of the population mean cannot fall below, however large the classes: sqrt(psi / J)."""
    psi, J = _checked(psi=psi, J=J)
    return np.sqrt(psi / J)


def complete_pooling_variance(psi, theta, J, n):
    """What lm's residual variance s^2 estimates: theta + psi n (J - 1) / (J n - 1).

    Less than psi + theta where psi > 0 and n > 1, because the pupils' mean follows the classes drawn.
    With the ANOVA estimates of psi and theta it is s^2 exactly. Notebook 04 derives it.
    """
    psi, theta, J, n = _checked(psi=psi, theta=theta, J=J, n=n)
    if np.any(J * n < 2):
        raise ValueError("one observation has no residual variance: J n must be at least 2")
    return theta + psi * n * (J - 1) / (J * n - 1)


def expected_mean_squares(psi, theta, n):
    """Expected mean squares (between, within) of the one-way layout: (theta + n psi, theta)."""
    psi, theta, n = _checked(psi=psi, theta=theta, n=n)
    return theta + n * psi, theta


def variances_from_mean_squares(ms_between, ms_within, n):
    """(psi, theta) from the mean squares: the ANOVA estimates ((MSB - MSW) / n, MSW).

    Equal to REML where MSB >= MSW (balanced data). Where MSB < MSW psi comes out negative:
    it is returned as it is, and is no REML estimate.
    """
    ms_between, ms_within, n = _checked(ms_between=ms_between, ms_within=ms_within, n=n)
    return (ms_between - ms_within) / n, ms_within


def se_variances(psi, theta, J, n):
    """SEs of the ANOVA estimates of (psi, theta), normal data.

    (sqrt(2 / n^2 (tau^2 / (J - 1) + theta^2 / (J (n - 1)))), theta sqrt(2 / (J (n - 1)))), where
    tau = theta + n psi. Exact at the true variances; REML where psi is far from 0. Notebook 06.
    """
    psi, theta, J, n = _several(*_checked(psi=psi, theta=theta, J=J, n=n))
    within = 2 * theta**2 / (J * (n - 1))
    between = 2 * (theta + n * psi) ** 2 / (J - 1)
    return np.sqrt(between + within) / n, np.sqrt(within)


def probability_of_zero(psi, theta, J, n):
    """How often REML estimates psi as 0, normal data: P(F <= theta / (theta + n psi)).

    F has J - 1 and J (n - 1) degrees of freedom. Notebook 06 derives it.
    """
    psi, theta, J, n = _positive(*_several(*_checked(psi=psi, theta=theta, J=J, n=n)))
    return fdtr(J - 1, J * (n - 1), theta / (theta + n * psi))


def z_coverage(df, level=0.95):
    """How often the estimate, give or take z estimated SEs, covers its mean: 2 T(z) - 1.

    T is the distribution function of t on ``df`` degrees of freedom (inf where the SE is known), z the normal
    quantile of ``level``. Exact where the estimate over its SE is t on ``df``: the mean of J equal classes,
    normal data, the SE from the class means, df = J - 1. REML's SE is this one or larger (psi = 0), so its
    z interval covers at least as often. Notebook 09.
    """
    (level,), df = _checked(level=level), _degrees(df)
    return np.where(np.isinf(df), level, 2 * stdtr(_finite(df), _normal_quantile(level)) - 1)[()]


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
    """
    psi, theta = _checked(psi=psi, theta=theta)
    if np.any(theta == 0):
        raise ValueError("theta must be positive; got 0")
    n = _sizes(sizes)
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
    """
    ms_between, ms_within, J, n = _checked(ms_between=ms_between, ms_within=ms_within, J=J, n=n)
    return np.sqrt((J - 1) * ms_between + J * (n - 1) * ms_within) / (J * n)


def se_bootstrap_groups(ms_between, J, n):
    """SE by resampling whole classes, replicates without end: sqrt((J - 1) / J) sqrt(MSB / (J n)).

    CR0, and ML where its psi > 0. Notebook 10.
    """
    ms_between, J, n = _checked(ms_between=ms_between, J=J, n=n)
    return np.sqrt((J - 1) / J * ms_between / (J * n))


def se_bootstrap_within(ms_within, J, n):
    """SE by resampling rows within each class, replicates without end: sqrt((n - 1) / n) sqrt(MSW / (J n)).

    No pooling's SE of the mean of these J classes times sqrt((n - 1) / n). Notebook 10.
    """
    ms_within, J, n = _checked(ms_within=ms_within, J=J, n=n)
    return np.sqrt((n - 1) / n * ms_within / (J * n))


def se_bootstrap_two_stage(ms_between, ms_within, J, n):
    """SE by resampling classes, and then rows within each class drawn, replicates without end.

    The squares of `se_bootstrap_groups` and `se_bootstrap_within` add. Notebook 10; Davison and Hinkley
    (1997), section 3.8, compare the schemes.
    """
    return np.hypot(se_bootstrap_groups(ms_between, J, n), se_bootstrap_within(ms_within, J, n))


def optimal_group_size(psi, theta, cost_ratio):
    """Class size of the least SE for the money: sqrt(cost_ratio theta / psi), not rounded.

    Where it is below 1, one pupil a class is best. Notebook 12 derives it; Cochran (1977), chapter 10, has
    it for samples in two stages.

    Parameters
    ----------
    psi, theta : float
        The two variances, psi positive.
    cost_ratio : float
        What one more class costs without its pupils, over what one more pupil costs.

    Raises
    ------
    ValueError
        If psi is 0: then no class size is too large.
    """
    psi, theta, ratio = _checked(psi=psi, theta=theta, cost_ratio=cost_ratio)
    if np.any(psi == 0):
        raise ValueError("psi must be positive: where classes do not differ no class is too large; got 0")
    return np.sqrt(ratio * theta / psi)


def groups_needed(psi, theta, n, se):
    """Fewest classes of n with a standard error of the mean of at most ``se``: (psi + theta / n) / se^2, up.

    Two at least, for one class tells nothing of psi. Notebook 12.
    """
    psi, theta, n, se = _checked(psi=psi, theta=theta, n=n, se=se)
    if np.any(se == 0):
        raise ValueError("se must be positive: no number of classes brings it down to 0; got 0")
    exact = (psi + theta / n) / se**2
    return np.maximum(np.ceil(exact * (1 - 1e-12)), 2)  # 50 is 50 in spite of rounding


def se_two_arms(psi, theta, J, n):
    """SE of the difference of two arms, J classes in all: sqrt((psi + theta / n) (1 / J1 + 1 / J2)).

    Whole classes are assigned, half to each arm (J1 = J2 = J / 2: twice `se_partial_pooling`); if J is
    odd, one more to one of them. The variances are the same in both arms. Notebook 12 derives it;
    Donner and Klar (2000), chapter 5, have the sample size that follows.

    Raises
    ------
    ValueError
        If J is not whole and at least 2.
    """
    psi, theta, J, n = _checked(psi=psi, theta=theta, J=J, n=n)
    if np.any((J < 2) | (J % 1 != 0)):
        raise ValueError(f"J, the classes of both arms, must be whole and at least 2; got {J}")
    return np.sqrt((psi + theta / n) * (1 / (J // 2) + 1 / (J - J // 2)))


def power(effect, se, alpha=0.05, df=np.inf):
    """How often a two-sided test of level alpha finds a true effect, and with the right sign.

    1 - T(t; df, effect / se), T the noncentral t distribution and t the 1 - alpha / 2 quantile of t on df
    degrees of freedom (normal at df = inf). Exact where the estimate is normal and ``se`` is estimated on
    df degrees of freedom. Notebook 12.

    Parameters
    ----------
    effect : float
        The true effect, not negative, in the unit of ``se``.
    se : float
        Standard error of its estimate, at the true variances.
    alpha : float
        Level of the test.
    df : float
        Degrees of freedom of the test, at least 1; inf for a known standard error.
    """
    effect, se, alpha = _checked(effect=effect, se=se, alpha=alpha)
    if np.any(se == 0):
        raise ValueError("se must be positive: an estimate that never varies needs no test; got 0")
    t, df = _critical(alpha, df)
    away = effect / se
    return np.where(np.isinf(df), ndtr(away - t), 1 - nctdtr(_finite(df), away, t))[()]


def minimum_detectable_effect(se, power=0.8, alpha=0.05, df=np.inf):
    """Least true effect that a two-sided test of level alpha finds with this power.

    The effect whose `power` is as given; at df = inf it is (z(1 - alpha / 2) + z(power)) se
    (Bloom 1995). Notebook 12.

    Raises
    ------
    ValueError
        If the power is not above alpha / 2, what no effect has, and below 1.
    """
    se, share = _checked(se=se, power=power)
    t, df = _critical(alpha, df)
    if np.any((share <= np.asarray(alpha) / 2) | (share >= 1)):
        raise ValueError(f"power must lie between alpha / 2 and 1; got {share}")
    return se * np.where(np.isinf(df), t + ndtri(share), nctdtrinc(_finite(df), 1 - share, t))[()]


def groups_needed_two_arms(psi, theta, n, effect, power=0.8, alpha=0.05):
    """Fewest classes of n, half to each arm, whose t test finds a true effect with this power.

    The least even J, 4 at least, with `power` at `se_two_arms` and J - 2 degrees of freedom not below the
    one asked for. The normal 4 (psi + theta / n) (z(1 - alpha / 2) + z(power))^2 / effect^2 is a little less.
    For normal data; Donner and Klar (2000), chapter 5, have such sample sizes. Notebook 12.

    Raises
    ------
    ValueError
        If the effect is 0, or so small that it would take more than a million classes.
    """
    times = minimum_detectable_effect(1.0, power, alpha)
    psi, theta, effect = _positive(*_checked(psi=psi, theta=theta, effect=effect))
    two = se_two_arms(psi, theta, 2, n)  # that of J classes times sqrt(J / 2)
    if np.any(times * two > effect * np.sqrt(1e6 / 2)):
        raise ValueError(f"effect must be larger: it would take more than a million classes; got {effect}")
    J = np.maximum(2 * np.ceil((times * two / effect) ** 2), 4)
    while True:
        t, df = _critical(alpha, J - 2)
        short = 1 - nctdtr(df, effect / (two * np.sqrt(2 / J)), t) < power
        if not np.any(short):
            return J
        J = J + 2 * short


def _critical(alpha, df):
    """Return the two-sided critical value of t on df degrees of freedom, and df as floats."""
    alpha, df = np.asarray(alpha, dtype=float)[()], _degrees(df, least=1)
    if np.any(~((alpha > 0) & (alpha < 1))):
        raise ValueError(f"alpha must lie between 0 and 1; got {alpha}")
    # From the lower tail: 1 - alpha / 2 would round a small alpha away.
    return np.where(np.isinf(df), -ndtri(alpha / 2), -stdtrit(_finite(df), alpha / 2))[()], df


def _degrees(df, least=0):
    """Return degrees of freedom as floats: positive, at least so many, inf for a known standard error."""
    df = np.asarray(df, dtype=float)[()]
    if np.any(~((df > 0) & (df >= least))):
        bound = f"at least {least}" if least else "positive"
        raise ValueError(f"df must be {bound}, inf for a known standard error; got {df}")
    return df


def _finite(df):
    """Return df with 1 in place of inf, for the branch that is not taken."""
    return np.where(np.isinf(df), 1.0, df)


def _sizes(sizes):
    """Return the sizes of the groups of one design as floats."""
    (sizes,) = _checked(n=sizes)
    if np.ndim(sizes) != 1 or not np.size(sizes):
        raise ValueError(f"sizes must be one row of numbers, one for each class; got shape {np.shape(sizes)}")
    return sizes


def _of_sizes(psi, theta, sizes):
    """Return the arguments of a sum over the groups: two single variances, not both 0, and the sizes."""
    psi, theta = _positive(*_checked(psi=psi, theta=theta))
    if np.ndim(psi) or np.ndim(theta):
        raise ValueError(
            f"psi and theta must be single numbers; got shapes {np.shape(psi)} and {np.shape(theta)}"
        )
    return psi, theta, _sizes(sizes)


def _population(K, J, name="K, the number of classes in the population", drawn="J"):
    """Return the number of classes (pupils) in a population (class), of which J (n) were drawn."""
    K = np.asarray(K, dtype=float)[()]
    if np.any(np.isnan(K) | (K < J)):
        raise ValueError(f"{name}, must be at least {drawn} = {J}; got {K}")
    return K


def _positive(psi, theta, *others):
    if np.any(psi + theta <= 0):
        raise ValueError("psi + theta must be positive: without any variance there is nothing to divide")
    return psi, theta, *others


def _several(psi, theta, J, n):
    if np.any((J < 2) | (n < 2)):
        raise ValueError(f"J and n must be at least 2 to tell psi from theta; got J = {J} and n = {n}")
    return psi, theta, J, n


def _correlation(name, value, n):
    """Return an intraclass correlation that classes of n allow; one made from data may miss by rounding."""
    value, least = np.asarray(value, dtype=float), -1 / np.maximum(n - 1, 1)
    if np.any(np.isnan(value) | (value < least - 1e-9) | (value > 1 + 1e-9)):
        raise ValueError(f"{name} must lie between -1 / (n - 1) and 1; got {value}")
    return np.clip(value, least, 1.0)[()]


def _varying(name, value):
    if np.any(value == 0):
        raise ValueError(f"{name} must be positive: without variation there is no slope; got {value}")
    return value


def _normal_quantile(level):
    if np.any((level == 0) | (level >= 1)):
        raise ValueError(f"level must lie between 0 and 1; got {level}")
    return ndtri((1 + level) / 2)


_LEAST = {"n": 1, "J": 1}


def _checked(**values):
    """Return the values as floats, or say which of them no formula can take."""
    out = []
    for name, value in values.items():
        least = _LEAST.get(name, 0)
        value = np.asarray(value, dtype=float)
        if np.any(~np.isfinite(value) | (value < least)):
            raise ValueError(f"{name} must be finite and at least {least}; got {value}")
        out.append(value[()])
    return out
