"""Partial pooling with slopes that vary: the result, which speaks the language of the other fits.

The line of one group, its fixed part plus its effect:

>>> from helpers import partial_pooling, radon
>>> fit = partial_pooling("log_radon ~ floor", radon(), "county", slopes="floor")
>>> fit.group_coefficients.xs("estimate", axis=1, level=1).loc["ANOKA"].round(3).tolist()
[0.933, -0.771]
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from ...formulas import distributions as stats
from ..checks import level_of, one_of
from . import inference, references, sandwich
from .likelihood import Likelihood, of_summary
from .profile_intervals import profile_intervals
from .result import SlopesEstimate
from .search import maximum


class SlopeTest(NamedTuple):
    """A likelihood-ratio test that a slope does not vary.

    Attributes
    ----------
    statistic : float
        Fall of the criterion from the model where it does not vary.
    pvalue : float
        Of the half-and-half mixture of chi-squares; 1 where the statistic is 0.
    df : tuple of int
        Degrees of freedom of the two.
    """

    statistic: float
    pvalue: float
    df: tuple


class PredictedMean(NamedTuple):
    """A predicted mean of a group not yet seen, given the variances; ``df`` is Satterthwaite's."""

    estimate: float
    se: float
    df: float


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class SlopesFit(SlopesEstimate):
    """Intercepts and slopes that vary from group to group, and what can be asked of them.

    `SlopesEstimate` has the attributes: estimates, errors and df by term, ``psi``, ``theta``, ``singular``.
    """

    @property
    def variances(self):
        """Variances and covariances between groups and theta, with their standard errors.

        Returns
        -------
        DataFrame
            A row for each entry of psi ("psi[Intercept]", "psi[Intercept, x]", ...) and theta, columns
            ``estimate`` and ``se``, on the variances' own scale, by the inverse expected information. On the
            boundary those of psi are NaN, for the estimates have no normal distribution there.
        """
        q = len(self.varying)
        i, k = np.triu_indices(q)
        spread = inference.covariance_errors(self._solution) * self.theta**2
        E = inference.basis(q)
        turn = np.array([(self._back @ e @ self._back.T)[i, k] for e in E]).T
        se = np.sqrt(np.append(np.diag(turn @ spread[:-1, :-1] @ turn.T), spread[-1, -1]))
        if self.singular:
            se[:-1] = np.nan
        pairs = [dict.fromkeys((self.varying[a], self.varying[b])) for a, b in zip(i, k, strict=True)]
        names = [f"psi[{', '.join(pair)}]" for pair in pairs]
        estimate = np.append(self.psi.to_numpy()[i, k], self.theta)
        return pd.DataFrame({"estimate": estimate, "se": se}, [*names, "theta"])

    def cluster_robust(self, kind="CR2"):
        """Return this fit with sandwich standard errors by group, R's ``vcovCR(lmer(...), kind)``.

        Parameters
        ----------
        kind : {"CR0", "CR1", "CR1S", "CR2", "CR3"}
            As `sandwich.cluster_robust`; CR2 has Satterthwaite's df, the others J - 1.

        Returns
        -------
        SlopesFit
            A term that one group alone carries (`estimable.lone_groups`) has no such error: NaN, and the
            reason in ``withheld``.

        Raises
        ------
        ValueError
            If the kind is none of these, or no term has such an error.

        Examples
        --------
        >>> from helpers import partial_pooling, radon
        >>> fit = partial_pooling("log_radon ~ floor", radon(), "county", slopes="floor")
        >>> fit.bse.round(4).tolist(), fit.cluster_robust("CR2").bse.round(4).tolist()
        ([0.0539, 0.0876], [0.0539, 0.0875])
        """
        one_of("kind", kind, sandwich.KINDS)
        return self._with(*references.robust(self, kind))

    def profile_int(self, alpha=0.05, likelihood=None):
        """Profile likelihood intervals for sds, correlations and theta, and under ML for the coefficients.

        Parameters
        ----------
        alpha : float
            One minus the level.
        likelihood : {"reml", "ml"}, optional
            Whose profile; without it that of the fit's own method. R's ``confint`` takes ML's also after a
            REML fit.

        Returns
        -------
        DataFrame
            Columns ``lower`` and ``upper``; rows "sd[Intercept]", ..., "correlation[Intercept, x]", ...,
            "theta" (a variance, where R has sigma) and, under "ml", the terms. An sd ends at 0, a correlation
            at -1 or 1; where an sd may be 0 its correlations may be anything. For many groups, away from the
            boundary: at an sd of 0 the nominal 95 % covers 97.5 % for the only sd, 90 % for one slope's.

        Raises
        ------
        TypeError, ValueError
            If alpha is no number between 0 and 1, or the likelihood neither of the two.

        Examples
        --------
        >>> from helpers import partial_pooling, radon
        >>> fit = partial_pooling("log_radon ~ floor", radon(), "county", slopes="floor")
        >>> fit.profile_int().round(2)
                                       lower  upper
        sd[Intercept]                   0.26   0.46
        sd[floor]                       0.00   0.59
        correlation[Intercept, floor]  -1.00   1.00
        theta                           0.51   0.62
        """
        name = one_of("likelihood", self.method if likelihood is None else likelihood, ("reml", "ml"))
        return profile_intervals(self, level_of(alpha), name)

    def test_slope(self, term=None):
        """Likelihood-ratio test that the slope of a term does not differ between groups.

        Parameters
        ----------
        term : str, optional
            One of ``varying``; without one the only slope there is.

        Returns
        -------
        SlopeTest
            Under the null hypothesis the statistic is chi-square on q - 1 degrees of freedom half of the time
            and on q the other half, q the number of varying terms with this one (Self and Liang 1987; Stram
            and Lee 1994). Exact for J to infinity, where the covariance of the others has full rank.

        Raises
        ------
        ValueError
            If there is no such term, or several and none was named.

        Examples
        --------
        >>> from helpers import partial_pooling, radon
        >>> fit = partial_pooling("log_radon ~ floor", radon(), "county", slopes="floor")
        >>> print("{:.2f}, P = {:.3f}".format(*fit.test_slope()[:2]))
        2.98, P = 0.155
        """
        known = self.varying[1:]
        term = known[0] if term is None and len(known) == 1 else term
        if term not in known:
            raise ValueError(f"name the slope to test, one of {', '.join(known)}; got {term!r}")
        rest = [name for name in known if name != term]
        places = [self._whole.terms.index(name) for name in rest]
        fixed = np.isin(self._whole.terms, self.data.terms)
        top = maximum(Likelihood(of_summary(self._whole, places, fixed)[0], self.method))
        statistic, q = max(0.0, top.criterion - self.criterion), len(self.varying)
        if statistic <= 1e-12 * abs(self.criterion):
            return SlopeTest(0.0, 1.0, (q - 1, q))
        tails = stats.chi2.sf(statistic, [q - 1, q])
        return SlopeTest(float(statistic), float(tails.mean()), (q - 1, q))

    @cached_property
    def group_effects(self):
        """What each group adds to the coefficients, with standard errors.

        Returns
        -------
        DataFrame
            By group, columns (term, ``estimate``), (term, ``se``) and (term, ``se_conditional``): the best
            linear unbiased prediction (R's ranef); its error given the variances, that of the fixed effects
            counted (Searle et al. 1992, chapter 7); and with the fixed effects known (R's condVar).
        """
        return self._by_group(None, np.zeros(len(self.varying)))

    @cached_property
    def group_coefficients(self):
        """The coefficients of each group, fixed part plus effect, as `group_effects`; R's ``coef``."""
        contrasts, level = np.zeros((len(self.varying), len(self._estimate))), np.zeros(len(self.varying))
        for k, name in enumerate(self.varying):
            if name in self.data.terms:
                contrasts[k] = self._contrasts[self.data.terms.index(name)]
                level[k] = self.params[name]
        return self._by_group(contrasts, level)

    @property
    def group_means(self):
        """The mean of each group where the predictors are 0: ``estimate``, ``se``, ``se_conditional``.

        Raises
        ------
        ValueError
            If the model has no constant.
        """
        self._constant()
        return self.group_coefficients["Intercept"]

    def _by_group(self, contrasts, level):
        estimate, se, conditional = self._effects(contrasts)
        columns = {"estimate": level[:, None] + estimate, "se": se, "se_conditional": conditional}
        table = {
            (term, name): values[k] for k, term in enumerate(self.varying) for name, values in columns.items()
        }
        return pd.DataFrame(table, self.data.labels)

    def new_group(self):
        """Mean of a group not yet seen, where the predictors are 0, as `PredictedMean`."""
        return self._new(0)

    def new_observation(self):
        """One outcome in a group not yet seen, where the predictors are 0, as `PredictedMean`."""
        return self._new(1)

    def _new(self, rows):
        k = self._constant()
        mse, df = inference.predicted(self._solution, self._contrasts[k], self._back[0], rows)
        df = df if self.method == "reml" else float(self.df.iloc[k])
        return PredictedMean(float(self.params.iloc[k]), float(np.sqrt(mse * self.theta)), df)

    def _constant(self):
        if self.data.intercept is None:
            raise ValueError(f"{self.data.formula!r} has no constant, so no mean to predict: add 1")
        return self.data.intercept
