"""Linear algebra of cross-products, whatever the units of the terms; who is a combination of others."""

from __future__ import annotations

import numpy as np

SAME = 1e-12  # squared sine of the angle below which two terms count as one
_NEARLY = 1e-9  # and below which cross-products would leave a standard error fewer than six digits


def unit_diagonal(A) -> tuple[np.ndarray, np.ndarray]:
    """Scale cross-products (..., p, p) to unit diagonal; return them and the roots of the diagonal.

    Without it a term of large spread would cost digits, and one of small spread pass for rounding.
    """
    scale = np.sqrt(np.diagonal(A, axis1=-2, axis2=-1))
    return A / (scale[..., :, None] * scale[..., None, :]), scale


def solve(A, B) -> np.ndarray:
    """Solve A Z = B for cross-products A (..., p, p) and B (..., p, k), whatever the units of the terms."""
    unit, scale = unit_diagonal(A)
    scale = scale[..., :, None]
    return np.linalg.solve(unit, B / scale) / scale


def inverse(A) -> np.ndarray:
    """Inverse of cross-products, by `solve`."""
    return solve(A, np.eye(A.shape[-1]))


def refuse_collinear(cross, terms, before=()) -> None:
    """Name the first term that is a linear combination of those before it.

    Parameters
    ----------
    cross : ndarray
        Cross-products of the terms (more columns may follow).
    terms : list of str
    before : list of str
        Terms already taken off the others: the constant.

    Raises
    ------
    ValueError
    """
    if terms and _inverse_if_apart(cross[: len(terms), : len(terms)]):
        return
    for k, term in enumerate(terms):
        length = rest = cross[k, k]
        if k and length > 0:
            unit, scale = unit_diagonal(cross[:k, :k])
            r = cross[:k, k] / (scale * np.sqrt(length))
            rest = length * (1 - r @ np.linalg.solve(unit, r))
        others = ", ".join([*before, *terms[:k]]) or "nothing"
        if length <= 0 or rest <= SAME * length:
            raise ValueError(f"term {term!r} is a linear combination of {others}: leave one of them out")
        if rest <= _NEARLY * length:
            raise ValueError(
                f"term {term!r} is so nearly a linear combination of {others} that its standard error would "
                "lose its digits: centre the columns they are made of first, as center(year) does, or leave "
                "one of them out"
            )


def along(cross, terms, own, before=()) -> np.ndarray:
    """Return the coefficients of the last column on some of the terms, unless these are combinations.

    Parameters
    ----------
    cross : ndarray of shape (p + 1, p + 1)
        Cross-products of the p terms and of one more column.
    terms : list of str
    own : list of int
        Which of the terms.
    before : list of str
        As `refuse_collinear`, which says what is raised.

    Returns
    -------
    ndarray of shape (len(own),)
    """
    at = np.array([*own, -1])
    part = cross[at[:, None], at]
    apart = _inverse_if_apart(part[:-1, :-1])
    if apart:
        unit, scale = apart
        return unit @ (part[:-1, -1] / scale) / scale
    refuse_collinear(part, [terms[k] for k in own], before)
    return solve(part[:-1, :-1], part[:-1, -1:])[:, 0]


def _inverse_if_apart(cross):
    """Inverse of the correlations and roots of the diagonal, if each term is beyond doubt no combination.

    The diagonal of the inverse is how many times less of a term is its own than it has.
    """
    if not cross.diagonal().all():
        return None
    unit, scale = unit_diagonal(cross)
    try:
        found = np.linalg.inv(unit) if len(unit) > 1 else unit
    except np.linalg.LinAlgError:
        return None
    factors = found.diagonal()
    return (found, scale) if factors.min() > 0 and 2 * _NEARLY * factors.max() < 1 else None


def times(A, B) -> np.ndarray:
    """Products of matrices A (n, m, J) and B (m, k, J), one for each of many groups, which are last."""
    return sum(A[:, i, None] * B[i] for i in range(len(B)))


def eigen_of(A) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues, ascending, and axes of symmetric matrices; two by two as LAPACK's dlaev2, all at once.

    Parameters
    ----------
    A : ndarray of shape (p, p, J)

    Returns
    -------
    values, axes : ndarray of shape (p, J), (p, p, J)
        ``axes[:, k]`` belongs to ``values[k]``.
    """
    if len(A) > 2:
        values, axes = np.linalg.eigh(np.moveaxis(A, -1, 0))
        return np.moveaxis(values, 0, -1), np.moveaxis(axes, 0, -1)
    if len(A) == 1:
        return A[0], np.ones_like(A)
    a, b, d = A[0, 0], A[1, 0], A[1, 1]
    high = (a + d) / 2 + np.hypot((a - d) / 2, b)
    positive = np.where(high > 0, high, 1.0)
    low = np.where(high > 0, np.maximum(a, d) / positive * np.minimum(a, d) - b / positive * b, a + d - high)
    angle = np.arctan2(b, (a - d) / 2) / 2
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([low, high]), np.array([[-sine, cosine], [cosine, sine]])
