"""What can be said of one predictor and the groups of its rows: how alike it is within a group."""

from __future__ import annotations

import numpy as np
import pandas as pd


def predictor_icc(x, groups) -> float:
    """Intraclass correlation of a predictor in these rows: the average product of two rows of one group.

    The products are of deviations from the mean of all rows, and their average is over the average
    square. In groups of one size n it is (n B - 1) / (n - 1), B the share of the sum of squares that lies
    between groups. It describes these rows and estimates nothing. Moulton (1986); notebook 08.

    Parameters
    ----------
    x : array_like of shape (rows,)
        The predictor.
    groups : array_like of shape (rows,)
        Which group a row belongs to.

    Returns
    -------
    float
        1 for a predictor of groups (about 1 where sizes differ), about 0 for one unrelated to them.

    Raises
    ------
    TypeError
        If the predictor is not numeric.
    ValueError
        If either is not one column, the lengths differ, a value is missing or not finite, all are the
        same, or every group has one row.

    Examples
    --------
    Who teaches is the same for all pupils of a class, their seat differs within each:

    >>> from helpers.groups import predictor_icc
    >>> classes = ["a", "a", "a", "b", "b", "b"]
    >>> predictor_icc([0, 0, 0, 1, 1, 1], classes)
    1.0
    >>> predictor_icc([1, 2, 3, 1, 2, 3], classes)
    -0.5
    """
    x, groups = np.asarray(x), np.asarray(groups)
    if x.ndim != 1 or x.shape != groups.shape:
        raise ValueError(f"x and groups must be of one length; got shapes {x.shape} and {groups.shape}")
    try:
        x = x.astype(float)
    except (TypeError, ValueError):
        raise TypeError(f"x must be numeric; got {x.dtype}, such as {x[0]!r}") from None
    codes = pd.factorize(groups)[0]
    if not np.isfinite(x).all() or (codes < 0).any():
        raise ValueError("x must be finite and every row must have a group: drop the others first")
    if not len(x) or x.min() == x.max():
        raise ValueError("x does not vary: a constant has no intraclass correlation")
    far, sizes = x - x.mean(), np.bincount(codes)
    pairs = np.sum(sizes * (sizes - 1))
    if not pairs:
        raise ValueError("every group has one row only: there are no two rows of one group to compare")
    squares = np.sum(far**2)
    products = np.sum(np.bincount(codes, far) ** 2) - squares
    return float(products / pairs / (squares / len(x)))
