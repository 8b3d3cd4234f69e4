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
    if terms and _far_apart(cross[: len(terms), : len(terms)]):
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


def _far_apart(cross):
    """Whether each term has a part of its own beyond doubt: the pivots of the Cholesky factor."""
    if not cross.diagonal().all():
        return False
    unit, _ = unit_diagonal(cross)
    try:
        return np.linalg.cholesky(unit).diagonal().min() ** 2 > 2 * _NEARLY
    except np.linalg.LinAlgError:
        return False
