"""What a fit that tells groups apart says of their means: without pooling and partially pooled."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import pandas as pd

from ..formulas import distributions as stats
from . import prediction
from .checks import level_of
from .result import Fit
from .terms import by_group


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class GroupMeans(Fit):
    """A fit with a mean for each group.

    A kind of fit says in ``_group_se`` which column of `group_means` its intervals are made of, and has
    ``_means_at``, which takes the design, a row a group, and what is taken off it.
    """

    _group_se: ClassVar[str]

    def group_means_int(self, alpha=0.05):
        """Two-sided t intervals for the group means, on `group_df` degrees of freedom.

        Without pooling from ``se``, partially pooled from ``se_unconditional``, by REML or ML. At 95 % these
        hold 93 % of the groups or more on average (notebook 07 has the designs), also at psi near 0.

        Parameters
        ----------
        alpha : float
            One minus the level.

        Returns
        -------
        DataFrame
            By group, columns ``lower`` and ``upper``.

        Raises
        ------
        ValueError
            As `group_means`, or if alpha does not lie between 0 and 1.
        """
        found, quantile = self.group_means, stats.t.isf(level_of(alpha) / 2, self.group_df)
        half = quantile * found[self._group_se]
        return pd.DataFrame({"lower": found["estimate"] - half, "upper": found["estimate"] + half})

    @cached_property
    def group_df(self):
        """Degrees of freedom of the t reference of a group's mean: N - J - slopes within, as theta's."""
        return prediction.degrees_of_freedom(self.data)

    def group_means_at(self, /, **values):
        """The mean of each group at chosen values of the predictors, with its standard error.

        A predictor that is not named stays at the group's own mean; `group_means` sets all to 0. After
        ``"log_radon ~ floor + log_uranium"``, ``group_means_at(floor=0)`` is the mean of each county's
        basements at the county's own uranium.

        Parameters
        ----------
        **values : float, sequence or Series
            By term of the formula: one value for all groups, or one for each, in their order or, in a
            Series, by label. (A term whose name is not a Python name goes in as
            ``**{"center(age)": 10}``; a product of two columns is a term of its own.)

        Returns
        -------
        DataFrame
            As `group_means`, under the same assumptions.

        Raises
        ------
        TypeError
            If a value is neither a number nor one number for each group.
        ValueError
            For complete pooling; if there is no such term, or it is the constant; if a Series lacks a
            group or names one twice; or if a value is not finite.

        Examples
        --------
        >>> from helpers import partial_pooling, radon
        >>> fit = partial_pooling("log_radon ~ floor", radon(), "county")
        >>> fit.group_means_at(floor=0).loc["AITKIN", ["estimate", "se"]].round(3).tolist()
        [1.192, 0.25]
        """
        data = self.data
        own, centre = data.centred_means()[:, :-1], data.centre[:-1]
        if data.intercept is None:
            centre = np.zeros_like(centre)
        design = own.copy()
        for term, value in values.items():
            k = self._place(term)
            design[:, k] = by_group(term, value, data) - data.shift[k] - centre[k]
        return self._means_at(design, own, centre)

    def _place(self, term):
        """Where among the terms one stands that can have a value."""
        names = [self.data.terms[k] for k in self.data.varying]
        if term not in names:
            known = f"there are {', '.join(names)}" if names else "there is none but the constant"
            raise ValueError(f"{self.data.formula!r} has no term {term!r} to set: {known}")
        return self.data.terms.index(term)
