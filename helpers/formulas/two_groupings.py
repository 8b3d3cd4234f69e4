"""Two groupings in balanced data: classes in schools, or answers by readers of texts; means and their errors.

Nested: J schools of m classes of n pupils, N = J m n. ``psi_school`` is the variance between schools,
``psi_class`` that between the classes of a school, ``theta`` that within classes.
Crossed: each of ``a`` readers gives n answers about each of ``b`` texts, N = a b n. ``psi_a`` and ``psi_b``
are the variances between readers and between texts, ``theta`` all the rest.
"""

from __future__ import annotations

import numpy as np

from .checks import checked


def expected_mean_squares_nested(psi_school, psi_class, theta, m, n):
    """Expected mean squares of classes in schools: between schools, between their classes, within classes.

    (theta + n psi_class + m n psi_school, theta + n psi_class, theta). Notebook 15.

    Examples
    --------
    >>> from helpers import formulas
    >>> schools, classes, within = formulas.expected_mean_squares_nested(0.6, 2, 2.3, m=4, n=10)
    >>> print(f"{schools:g} {classes:g} {within:g}")
    46.3 22.3 2.3
    """
    psi_school, psi_class, theta, m, n = checked(
        psi_school=psi_school, psi_class=psi_class, theta=theta, m=m, n=n
    )
    between_classes = theta + n * psi_class
    return between_classes + m * n * psi_school, between_classes, theta


def se_nested(psi_school, psi_class, theta, J, m, n):
    """SE of the mean of all schools: sqrt((psi_school + (psi_class + theta / n) / m) / J). Notebook 15.

    With one class a school, or ``psi_class`` 0, it is `se_partial_pooling`.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.se_nested(0.6, 2, 2.3, J=12, m=4, n=10):.4f}")
    0.3106
    """
    psi_school, psi_class, theta, J, m, n = checked(
        psi_school=psi_school, psi_class=psi_class, theta=theta, J=J, m=m, n=n
    )
    return np.sqrt((psi_school + (psi_class + theta / n) / m) / J)


def reml_mean_squares_nested(squares, df):
    """REML's estimates of the expected mean squares of a balanced nested layout, from the top level down.

    The expected mean squares cannot rise on the way down, since no variance is below 0. Where the mean
    squares do not either, they are the estimates; where one rises, it is pooled with that above it (sums of
    squares over sums of df) until none does. Each pooling is a variance estimated as 0. Notebook 15; the
    algorithm is that of isotonic regression (Robertson, Wright and Dykstra 1988, section 1.2).

    Parameters
    ----------
    squares : array_like of shape (levels,)
        Mean squares, that of the highest level first, that within the smallest groups last.
    df : array_like of shape (levels,)
        Their degrees of freedom.

    Returns
    -------
    ndarray of shape (levels,)

    Raises
    ------
    ValueError
        If a mean square is negative, a df below 1, or the two are not of one length.

    Examples
    --------
    >>> from helpers import formulas
    >>> formulas.reml_mean_squares_nested([47, 22, 2], df=[11, 36, 432])
    array([47., 22.,  2.])
    >>> formulas.reml_mean_squares_nested([10, 22, 2], df=[12, 36, 432])
    array([19., 19.,  2.])
    """
    (squares,), df = checked(squares=squares), np.asarray(df, dtype=float)
    if not np.all(np.isfinite(df) & (df >= 1)):
        raise ValueError(f"df must be finite and at least 1; got {df}")
    if np.ndim(squares) != 1 or np.shape(squares) != np.shape(df):
        raise ValueError(
            f"squares and df must be two rows of one length; got shapes {np.shape(squares)}, {np.shape(df)}"
        )
    blocks = []
    for square, count in zip(squares, df, strict=True):
        blocks.append((square, count, 1))
        while len(blocks) > 1 and blocks[-2][0] < blocks[-1][0]:
            (above, of_above, wide), (below, of_below, more) = blocks[-2:]
            together = of_above + of_below
            blocks[-2:] = [((above * of_above + below * of_below) / together, together, wide + more)]
    return np.concatenate([np.full(width, square) for square, _, width in blocks])


def expected_mean_squares_crossed(psi_a, psi_b, theta, a, b, n=1):
    """Expected mean squares of readers by texts: of readers, of texts, of the rest.

    (theta + b n psi_a, theta + a n psi_b, theta). Notebook 15.

    Examples
    --------
    >>> from helpers import formulas
    >>> readers, texts, rest = formulas.expected_mean_squares_crossed(4, 9, 16, a=12, b=8)
    >>> print(f"{readers:g} {texts:g} {rest:g}")
    48 124 16
    """
    psi_a, psi_b, theta, a, b, n = checked(psi_a=psi_a, psi_b=psi_b, theta=theta, a=a, b=b, n=n)
    return theta + b * n * psi_a, theta + a * n * psi_b, theta


def se_crossed(psi_a, psi_b, theta, a, b, n=1):
    """SE of the mean over all readers and texts: sqrt(psi_a / a + psi_b / b + theta / (a b n)). Notebook 15.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.se_crossed(4, 9, 16, a=12, b=8):.4f}")
    1.2748
    """
    psi_a, psi_b, theta, a, b, n = checked(psi_a=psi_a, psi_b=psi_b, theta=theta, a=a, b=b, n=n)
    return np.sqrt(psi_a / a + psi_b / b + theta / (a * b * n))


def df_crossed(ms_a, ms_b, ms_rest, a, b, n=1):
    """Satterthwaite's df of the mean over readers and texts, from the mean squares.

    (MSA + MSB - MSR)^2 / (MSA^2 / (a - 1) + MSB^2 / (b - 1) + MSR^2 / (N - a - b + 1)), MSR of the
    rest; also that of Kenward and Roger where both variances are estimated above 0. Satterthwaite (1946);
    notebook 15.

    Raises
    ------
    ValueError
        If there are fewer than two readers or texts, or the combination of the mean squares is not positive.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.df_crossed(48, 124, 16, a=12, b=8):.4f}")
    10.1006
    """
    ms_a, ms_b, ms_rest, a, b, n = checked(ms_a=ms_a, ms_b=ms_b, ms_rest=ms_rest, a=a, b=b, n=n)
    if np.any((a < 2) | (b < 2)):
        raise ValueError(f"a and b must be at least 2; got a = {a} and b = {b}")
    combined = ms_a + ms_b - ms_rest
    if np.any(combined <= 0):
        raise ValueError(
            f"MSA + MSB less the rest must be positive to be a squared error; got {combined} times N"
        )
    spread = ms_a**2 / (a - 1) + ms_b**2 / (b - 1) + ms_rest**2 / (a * b * n - a - b + 1)
    return combined**2 / spread


def expected_two_way(psi_a, psi_b, theta, a, b, n=1):
    """What two-way clustering's squared SE of the mean is on average, each part times G / (G - 1).

    `se_crossed` squared, less (psi_a (a - 1) / a + psi_b (b - 1) / b) / (a b - 1), where the third clustering
    is by cells. (Cameron, Gelbach and Miller 2011 have the estimator; notebook 15 derives what it lacks.)

    Raises
    ------
    ValueError
        If there are fewer than two readers or texts.

    Examples
    --------
    >>> from helpers import formulas
    >>> print(f"{formulas.expected_two_way(4, 9, 16, a=12, b=8) ** 0.5:.4f}")
    1.2262
    """
    psi_a, psi_b, theta, a, b, n = checked(psi_a=psi_a, psi_b=psi_b, theta=theta, a=a, b=b, n=n)
    if np.any((a < 2) | (b < 2)):
        raise ValueError(f"a and b must be at least 2; got a = {a} and b = {b}")
    lost = (psi_a * (a - 1) / a + psi_b * (b - 1) / b) / (a * b - 1)
    return se_crossed(psi_a, psi_b, theta, a, b, n) ** 2 - lost
