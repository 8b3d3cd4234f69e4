"""What the fits need of a table: group sizes, group means and pooled cross-products."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
import pandas as pd

from .labels import Later
from .linear import SAME, unit_diagonal

ROUNDING = 1e-26  # a sum of squares below this share of the whole is rounding, not data
_CONSTANT = 1e-20  # a term whose sum of squares within groups is below this share does not vary there
_FEW = 1000  # numbers that are added up by size in one product
_EXPLAINED = 1e-13  # and so is what the terms leave, below this share of what they explain


class BySize(NamedTuple):
    """Sums over all groups of one size.

    Attributes
    ----------
    sizes : ndarray of shape (K,)
        The distinct sizes.
    counts : ndarray of shape (K,)
        Groups of each.
    between : ndarray of shape (K, p + 1, p + 1)
        Cross-products of their centred means.
    """

    sizes: np.ndarray
    counts: np.ndarray
    between: np.ndarray

    def weighted(self, weights) -> np.ndarray:
        """Cross-products of the means, summed with a weight (..., K) for each size."""
        K, q = self.between.shape[:2]
        return (weights @ self.between.reshape(K, q * q)).reshape(*weights.shape[:-1], q, q)


class Unit(NamedTuple):
    """The sums of a summary for columns of unit length, so that no unit costs digits or overflows.

    Attributes
    ----------
    scale : ndarray of shape (p + 1,)
        Lengths of the columns about their centres; 1 where that is 0.
    within : ndarray of shape (p + 1, p + 1)
    by_size : BySize
    left : float
        `GroupSummary.unexplained` of ``within``.
    """

    scale: np.ndarray
    within: np.ndarray
    by_size: BySize
    left: float


@dataclass(frozen=True, eq=False)
class GroupSummary:
    """What the fits need of a table: J groups, p terms, and the outcome as column p.

    Attributes
    ----------
    formula, outcome, group : str
        What was asked for; ``group`` is the grouping column, None where all rows are one group.
    terms : list of str
        Names of the p columns of the design matrix.
    intercept : int or None
        Where among the terms the constant stands.
    labels : Index of length J
        The groups: categories in their order, else sorted.
    sizes : ndarray of shape (J,)
        Rows in each group.
    means : ndarray of shape (J, p + 1)
        Group means of terms and outcome, less ``shift``.
    within : ndarray of shape (p + 1, p + 1)
        Cross-products of the deviations from the group means, summed over all groups.
    shift : ndarray of shape (p + 1,)
        A value amid each column, taken off before anything is added up, so that a large offset
        costs no digits. 0 for the constant, and for all where there is none.
    slopes : ndarray of shape (p,)
        Coefficients of the shifted terms that were taken off the shifted outcome, row by row, so
        that terms which explain nearly all of it cost no digits either. 0 for the constant.
    products : ndarray of shape (J, v, v + 1)
        Within each group, cross-products of the v terms other than the constant with one another and
        with the outcome (last); ``within`` has their sums.
    dropped : int
        Rows left out, for missing values, at the caller's word.
    """

    formula: str
    outcome: str
    group: str | None
    terms: list
    intercept: int | None
    labels: pd.Index = Later()  # noqa: RUF009
    sizes: np.ndarray
    means: np.ndarray
    within: np.ndarray
    shift: np.ndarray
    slopes: np.ndarray
    products: np.ndarray = Later()  # noqa: RUF009
    dropped: int = 0

    @cached_property
    def nobs(self) -> int:
        """Rows in all."""
        return int(self.sizes.sum())

    @property
    def ngroups(self) -> int:
        """How many groups."""
        return len(self.sizes)

    @property
    def varying(self) -> np.ndarray:
        """Where among the terms those other than the constant stand, as an array."""
        every = np.arange(len(self.terms))
        return every if self.intercept is None else np.delete(every, self.intercept)

    @cached_property
    def centre(self) -> np.ndarray:
        """Overall mean of each column, less ``shift``, in the order of ``means``."""
        return np.einsum("j,jk->k", self.sizes, self.means) / self.nobs

    def centred_means(self) -> np.ndarray:
        """Group means about the overall means; about zero where the model has no constant."""
        if self.intercept is None:
            return self.means
        centre = self.centre.copy()
        centre[self.intercept] = 0.0
        return self.means - centre

    @cached_property
    def by_size(self) -> BySize:
        """The groups collapsed to their distinct sizes, as `BySize`: a weight depends on nothing else."""
        sizes = self.sizes.astype(np.intp)
        of_size = np.bincount(sizes)
        distinct = np.flatnonzero(of_size)
        counts = of_size[distinct].astype(float)
        of_size[distinct] = np.arange(len(distinct))
        member = of_size[sizes]
        means = self.centred_means()
        if means.size <= _FEW:
            products = (means[:, :, None] * means[:, None]).reshape(len(means), -1)
            between = (member == np.arange(len(distinct))[:, None]).astype(float) @ products
            return BySize(distinct.astype(float), counts, between.reshape(-1, means.shape[1], means.shape[1]))
        between = np.empty((len(distinct), means.shape[1], means.shape[1]))
        for i, k in combinations_with_replacement(range(means.shape[1]), 2):
            between[:, i, k] = between[:, k, i] = np.bincount(member, means[:, i] * means[:, k])
        return BySize(distinct.astype(float), counts, between)

    @cached_property
    def unit(self) -> Unit:
        """What of this summary depends on no variance, as `Unit`."""
        whole = self._about_centre.diagonal()
        scale = np.sqrt(np.where(whole > 0, whole, 1.0))
        square = scale[:, None] * scale
        by_size = self.by_size._replace(between=self.by_size.between / square)
        left = self.unexplained(self.within) / square[-1, -1]
        return Unit(scale, self.within / square, by_size, left)

    def keeping(self, stay) -> GroupSummary:
        """Return the summary of the same rows with some of the terms only.

        Parameters
        ----------
        stay : ndarray of bool, shape (p,)
            Which terms; the constant must stay where there is one.

        Returns
        -------
        GroupSummary
        """
        stay = np.asarray(stay, dtype=bool)
        keep = [*np.flatnonzero(stay), len(stay)]
        change = np.eye(len(stay) + 1)
        change[:-1, -1] = np.where(stay, 0.0, self.slopes)  # what was taken off for the others goes back
        change = change[:, keep]
        varying = np.append(self.varying, len(stay))
        rows = [k for k, place in enumerate(self.varying) if stay[place]]
        constant = [keep.index(self.intercept)] if self.intercept is not None else []
        return replace(
            self,
            terms=[term for term, kept in zip(self.terms, stay, strict=True) if kept],
            intercept=constant[0] if constant else None,
            means=self.means @ change,
            within=change.T @ self.within @ change,
            shift=self.shift[keep],
            slopes=self.slopes[stay],
            products=self.products[:, rows] @ np.delete(change[varying], constant, axis=1),
        )

    def about_centre(self) -> np.ndarray:
        """Cross-products of all rows about the overall means (zero without a constant)."""
        return self._about_centre.copy()

    @cached_property
    def _about_centre(self):
        means = self.centred_means()
        return self.within + (means.T * self.sizes) @ means

    def varies_within(self) -> np.ndarray:
        """Which of the terms vary within groups, by more than rounding; an array of p bools."""
        within, whole = self.within.diagonal()[:-1], self._about_centre.diagonal()[:-1]
        return within > _CONSTANT * whole

    def unexplained(self, cross) -> float:
        """What the terms leave of the outcome's sum of squares; 0.0 where that is only rounding.

        Parameters
        ----------
        cross : ndarray of shape (p + 1, p + 1)
            Cross-products of some or all of the variation: ``within`` or `about_centre`.

        Returns
        -------
        float
        """
        whole = self.within.diagonal() + self.sizes @ self.means**2
        left, floor = cross[-1, -1], ROUNDING * whole[-1]
        varies = cross.diagonal()[:-1] > ROUNDING * whole[:-1]
        if self.intercept is not None:
            varies[self.intercept] = False  # about the centre nothing is left for it to explain
        varies = np.flatnonzero(varies)
        if varies.size:
            unit, scale = unit_diagonal(cross[varies[:, None], varies])
            values, vectors = np.linalg.eigh(unit) if len(unit) > 1 else (np.ones(1), np.ones((1, 1)))
            along = (cross[varies, -1] / scale) @ vectors
            left -= along @ (along / np.where(values > SAME, values, np.inf))
            floor = max(floor, _EXPLAINED * cross[-1, -1])
        return left if left > floor else 0.0
