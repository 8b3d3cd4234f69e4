"""Partial pooling with two groupings: the result, which speaks the language of the other fits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import ClassVar

import numpy as np
import pandas as pd

from ..checks import one_of
from ..mixed import MixedFit, normal, residual
from ..predicted import Predicted
from ..result import ELSEWHERE, NotOfThisPooling, Reference, found
from ..small_samples import BOUNDED
from ..terms import estimates
from . import inference
from .likelihood import Point
from .sandwich import Around
from .told import Told
from .variances import Variances


def satterthwaite(fit):
    """The fit with Satterthwaite's df beside the errors as they are."""
    df = inference.satterthwaite(fit._point, fit._working)
    return fit._with(Reference("satterthwaite", fit._by_term, partial(found, df)))


def kenward_roger(fit):
    """The fit with Kenward and Roger's df and errors."""
    cov, df = inference.kenward_roger(fit._point, fit._working)
    df, bounded = inference.bounded(fit._point, df)
    if not np.isfinite(cov).all():
        raise ValueError(
            "Kenward-Roger is not defined here: the information on the variances has no inverse; use "
            '"residual"'
        )
    return fit._with(
        Reference(BOUNDED if bounded else "kenward-roger", fit._of_terms(cov), partial(found, df))
    )


def unadjusted(fit):
    """Kenward and Roger's df, bounded where they collapse, beside the errors that lme4 prints."""
    _, df = inference.kenward_roger(fit._point, fit._working)
    df, bounded = inference.bounded(fit._point, df)
    return Reference(BOUNDED if bounded else "kenward-roger", fit._by_term, partial(found, df))


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class GroupingsFit(Variances, Around, Told, MixedFit):
    """Intercepts of two groupings, nested or crossed; `Fit` has what every fit says.

    Attributes
    ----------
    method : str
        "reml" or "ml".
    data : GroupSummary
        By the finer grouping.
    df_method : str
        "kenward-roger", "satterthwaite", "residual" or "normal". Kenward and Roger's df stand beside the
        unadjusted standard error that lme4 prints until `with_df` asks for their own. "kenward-roger,
        bounded": theirs collapsed for some term (`inference.bounded`), and an interval that holds needs
        their standard error as well, by `with_df`.
    withheld : dict of str to str
        Terms without a cluster-robust error, and why.

    Notes
    -----
    ``psi``, ``icc`` and ``ngroups`` are Series by grouping, ``group_effects`` and ``group_means`` dicts of
    DataFrames by grouping.
    """

    pooling: ClassVar[str] = "partial"
    title: ClassVar[str] = "Partial pooling"
    ASKED: ClassVar[dict] = {
        "residual": residual, "satterthwaite": satterthwaite, "kenward-roger": kenward_roger
    }  # fmt: skip
    UNASKED: ClassVar[dict] = {"reml": unadjusted, "ml": normal}

    _groupings: object
    _point: Point

    def __getattr__(self, name):
        if name in ELSEWHERE:
            raise NotOfThisPooling(f"{name} is not offered for a fit with two groupings, only for one")
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

    @property
    def groupings(self):
        """How the table is grouped: `tables.groupings.Groupings`."""
        return self._groupings

    # ---- estimates and what they are held against ------------------------------------------------

    @cached_property
    def _working(self):
        """Contrasts of the coefficients of the columns in working units."""
        return self._contrasts / self._point.of.lengths[:-1]

    def _of_terms(self, cov):
        """Covariance by term, of one in working units over theta."""
        return self._working @ cov @ self._working.T * self.theta

    @cached_property
    def _estimate(self):
        beta = self._point.beta * self._length / self._point.of.lengths[:-1]
        return estimates(self.data, self._contrasts, beta)

    @cached_property
    def _by_term(self):
        """Covariance of the estimates, the variances taken for known."""
        return self._of_terms(self._point.cov)

    @property
    def ngroups(self):
        """Groups of each grouping."""
        return pd.Series(self._groupings.ngroups, self._groupings.names, name="groups")

    # ---- groups ----------------------------------------------------------------------------------

    @cached_property
    def group_effects(self):
        """What each group adds to the fixed part, with its standard error, by grouping.

        Returns
        -------
        dict of str to DataFrame
            By group, columns ``estimate`` (the best linear unbiased prediction, R's ranef), ``se`` (of
            prediction, given the variances; Searle et al. 1992, chapter 7) and ``se_conditional`` (R's
            condVar: takes the fixed effects as known). A class has what it adds to its school.
        """
        return self._by_grouping(0.0, None)

    @cached_property
    def group_means(self):
        """The mean of each group where the predictors are 0, by grouping, columns as `group_effects`.

        The mean of a class has its school's effect in it; that of a plate is one over all samples.

        Raises
        ------
        ValueError
            If there is no constant.
        """
        k = self._constant()
        return self._by_grouping(self._estimate[k], self._working[k])

    def _by_grouping(self, level, contrast):
        parts, names, root = (
            inference.group_effects(self._point, contrast),
            self._groupings.names,
            np.sqrt(self.theta),
        )
        found = {}
        for name, place, labels in zip(names, self._order, self._groupings.labels, strict=True):
            estimate, mse, conditional = parts[place]
            columns = {
                "estimate": level + estimate * self._length,
                "se": root * np.sqrt(mse),
                "se_conditional": root * np.sqrt(conditional),
            }
            found[name] = pd.DataFrame(columns, labels)
        return found

    def new_group(self, grouping):
        """Mean of a group not yet seen, where the predictors are 0.

        Parameters
        ----------
        grouping : str
            As in ``psi``. Of "school/class" it is a new class in a new school; of a crossed grouping the mean
            of a new group over all groups of the other.

        Returns
        -------
        Predicted
            Squared error psi plus that of the constant, given the variances; Satterthwaite's df from the
            expected information, infinite under ML.

        Raises
        ------
        ValueError
            If there is no such grouping, or no constant.
        """
        names = self._groupings.names
        place = self._order[names.index(one_of("grouping", grouping, names))]
        effects = np.eye(2)[place]
        return self._new(np.ones(2) if self._groupings.nested and place == 1 else effects, 0)

    def new_observation(self):
        """One outcome in groups not yet seen, where the predictors are 0: as `new_group`."""
        return self._new(np.ones(2), 1)

    def _new(self, effects, rows):
        k = self._constant()
        mse, df = inference.predicted(self._point, self._working[k], effects, rows)
        df = df if self.method == "reml" else np.inf
        return Predicted(float(self._estimate[k]), float(np.sqrt(mse * self.theta)), df)

    def _constant(self):
        if self.data.intercept is None:
            raise ValueError(f"{self.data.formula!r} has no constant, so no mean to predict: add 1")
        return self.data.intercept
