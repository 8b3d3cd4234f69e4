"""What partial pooling predicts: the effects of its groups, their means, and groups not yet seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import ClassVar, NamedTuple

import numpy as np
import pandas as pd

from .. import formulas
from . import intervals, prediction, small_samples
from .group_means import GroupMeans


class Predicted(NamedTuple):
    """A predicted mean or value, given the variances.

    Attributes
    ----------
    estimate, se : float
    df : float
        Of the t reference; infinite for a mean of K groups under ML.
    """

    estimate: float
    se: float
    df: float


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Predictions(GroupMeans):
    """The part of a fit of partial pooling that predicts, from ``psi``, ``theta`` and the coefficients."""

    _group_se: ClassVar[str] = "se_unconditional"

    @cached_property
    def group_means(self):
        """The mean of each group where the predictors are 0, with its standard error.

        Returns
        -------
        DataFrame
            By group. ``estimate``, ``se`` (prediction SE of intercept plus effect, given the variances:
            counts the uncertainty of the fixed effects; Searle et al. 1992, chapter 7), ``se_conditional``
            (takes the fixed effects as known: R's condVar) and ``se_unconditional`` (takes nothing as known,
            the variances neither: `prediction.mean_squared_errors`). `group_means_int` makes intervals of
            the last.

        Raises
        ------
        ValueError
            If there is no constant.

        Examples
        --------
        >>> from helpers import classrooms, partial_pooling
        >>> partial_pooling("score ~ 1", classrooms(), "classroom").group_means.iloc[0].round(2).tolist()
        [1651.51, 8.09, 8.04, 8.25]
        """
        k = self.data.intercept
        if k is None:
            raise ValueError(f"{self.data.formula!r} has no constant: ask for group_effects")
        return self._predicted(self._estimate[k], self._contrasts[k])

    @cached_property
    def group_effects(self):
        """What each group adds to the fixed part, with its standard error.

        Returns
        -------
        DataFrame
            By group: ``estimate`` (the best linear unbiased prediction, R's ranef), ``se`` (of
            prediction, given the variances; Searle et al. 1992, chapter 7), ``se_conditional``
            (R's condVar: takes the fixed effects as known) and ``se_unconditional`` (takes nothing
            as known).
        """
        return self._predicted(0.0, 0.0)

    def mean_of(self, K):
        """Mean of a population of K groups of which these J are a random part, each counting the same.

        Parameters
        ----------
        K : float
            Groups in the population; ``inf`` gives the constant of the fit and its unadjusted standard
            error, whatever `with_df` was asked; K = J the mean of just these, partially pooled.

        Returns
        -------
        Predicted
            Where the predictors are 0.

        Raises
        ------
        TypeError
            If K is no number.
        ValueError
            If K is smaller than J, or there is no constant.

        Examples
        --------
        >>> from helpers import classrooms, partial_pooling
        >>> fit = partial_pooling("score ~ 1", classrooms(), "classroom")
        >>> [round(fit.mean_of(K).se, 3) for K in (20, 100, float("inf"))]
        [1.982, 4.31, 4.716]
        """
        if not isinstance(K, Real):
            raise TypeError(f"K, the number of groups in the population, must be a number; got {K!r}")
        if not self.ngroups <= K:
            raise ValueError(
                f"K, the number of groups in the population, must be at least {self.ngroups}; got {K}"
            )
        k, (effects, _) = self._constant(), self._effects()
        contrast, data = self._contrasts[k], self.data
        mse, df, of_psi = small_samples.predicted_mean(data, contrast, self.psi, self.theta, K=float(K))
        if self.method != "reml":
            df = np.inf
        elif self.df_method == small_samples.BOUNDED:
            mse, df = small_samples.bounded_mean(data, contrast, self.psi, self.theta, mse, df, of_psi)
        return Predicted(float(self._estimate[k] + effects.sum() / K), float(np.sqrt(mse)), float(df))

    def new_group(self):
        """Mean of a group not yet seen, where the predictors are 0.

        Returns
        -------
        Predicted
            By `intervals.predicted_new`: the standard error counts that psi is estimated, also as 0. (With
            the variances taken for known it would be `formulas.se_new_group_mean`.)

        Raises
        ------
        ValueError
            If there is no constant.
        """
        return self._new(new_row=False)

    def new_observation(self):
        """One outcome in a group not yet seen, where the predictors are 0: as `new_group`."""
        return self._new(new_row=True)

    def _new(self, new_row):
        k = self._constant()
        contrast, beta = self._contrasts[k], self._centred[0]
        mse, df = intervals.predicted_new(self.data, contrast, beta, self.psi, self.theta, new_row)
        return Predicted(float(self._estimate[k]), float(np.sqrt(mse)), float(df))

    def _constant(self):
        """Where among the terms the constant is."""
        if self.data.intercept is None:
            raise ValueError(f"{self.data.formula!r} has no constant, so no mean to predict: add 1")
        return self.data.intercept

    def _means_at(self, design, own, centre):
        data = self.data
        at = design @ self._centred[0] + (design + centre) @ data.slopes
        if data.intercept is not None:
            at += data.shift[-1] + data.centre[-1]
        return self._predicted(at, design)

    def _effects(self):
        """Effect of each group, and which part of its mean's distance from the fixed part that is."""
        factor = formulas.shrinkage(self.psi, self.theta, self.data.sizes)
        residual = np.append(-self._centred[0], 1.0)
        return factor * (self.data.centred_means() @ residual), factor

    def _predicted(self, level, contrast, groups=slice(None)):
        """Table of level plus effect of some groups, where level is ``contrast`` times the coefficients."""
        (beta, cov), data = self._centred, self.data
        effect, factor = (of[groups] for of in self._effects())
        conditional = factor * self.theta / data.sizes[groups]  # with the fixed effects known
        spread = contrast - factor[:, None] * data.centred_means()[groups, :-1]
        variance = conditional + np.einsum("ji,ik,jk->j", spread, cov, spread)
        ratio = self.psi / self.theta
        unknown = prediction.mean_squared_errors(data, contrast, beta, ratio, groups)
        variances = {"se": variance, "se_conditional": conditional, "se_unconditional": unknown}
        columns = {"estimate": level + effect} | {name: np.sqrt(each) for name, each in variances.items()}
        return pd.DataFrame(columns, data.labels[groups])
