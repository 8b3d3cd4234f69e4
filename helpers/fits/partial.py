"""Partial pooling: random intercepts by REML or ML, and the small-sample references of its estimates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import ClassVar

import numpy as np

from ..tables import summarise
from ..tables.labels import Later
from . import alike, estimable, parametric, small_samples
from .between import Variances
from .checks import one_of
from .groupings import asked_for, fit_groupings
from .mixed import MixedFit, normal, residual
from .predicted import Predictions
from .profile import maximum
from .result import Reference, found, robust
from .slopes import fit_slopes
from .slopes.sandwich import KINDS, around_intercepts
from .terms import estimates, grouped


def satterthwaite(fit):
    """The fit with Satterthwaite's df, beside the model's errors."""
    if fit.singular:
        raise ValueError(
            "satterthwaite degrees of freedom need psi > 0; where psi is estimated as 0 lmerTest "
            'counts rows, as if there were no groups: use "kenward-roger", which counts groups'
        )
    of = small_samples.satterthwaite(fit.data, fit._centred[0], fit.psi, fit.theta)
    df = [of(a) for a in fit._contrasts]
    return fit._with(Reference("satterthwaite", fit._by_term, partial(found, df)))


def kenward_roger(fit):
    """The fit with Kenward and Roger's df and errors, bounded where the df collapse."""
    cov, df, bounded = small_samples.bounded_kenward_roger(fit.data, fit._contrasts, fit.psi, fit.theta)
    name = small_samples.BOUNDED if bounded.any() else "kenward-roger"
    cov = fit._contrasts @ cov @ fit._contrasts.T
    return fit._with(Reference(name, cov, partial(found, df)))


def unadjusted(fit):
    """Kenward and Roger's df, bounded where they collapse, beside the errors that lme4 prints."""
    data, psi, theta = fit.data, fit.psi, fit.theta
    if small_samples.has_closed_form(data):
        return Reference("kenward-roger", fit._by_term, partial(small_samples.df_of, data, psi, theta))
    _, df, bounded = small_samples.bounded_kenward_roger(data, fit._contrasts, psi, theta)
    name = small_samples.BOUNDED if bounded.any() else "kenward-roger"
    return Reference(name, fit._by_term, partial(found, df))


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PartialPooling(Variances, Predictions, MixedFit):
    """What partial pooling found; `Fit` has what every fit says.

    Attributes
    ----------
    method : str
        "reml" or "ml".
    psi, theta : float
        Variance between and within groups.
    icc : float
        psi / (psi + theta).
    criterion : float
        R's ``REMLcrit``, under ML -2 log likelihood.
    singular : bool
        Whether psi is 0.
    df_method : str
        "kenward-roger", "satterthwaite", "residual", "normal" or a kind of cluster-robust error. Kenward and
        Roger's df stand beside the unadjusted standard error that lme4 prints until `with_df` asks for their
        own, which in unbalanced data is larger. "kenward-roger, bounded": theirs were below half of J - q for
        some term (with 100 rows in one group and 2 in each other, say); there they are J - q, and an interval
        that holds needs Kenward and Roger's standard error as well, by `with_df`.
    withheld : dict of str to str
        Terms without a cluster-robust standard error, where one was asked for, and why.
    """

    pooling: ClassVar[str] = "partial"
    title: ClassVar[str] = "Partial pooling"
    ASKED: ClassVar[dict] = {
        "residual": residual, "satterthwaite": satterthwaite, "kenward-roger": kenward_roger
    }  # fmt: skip
    UNASKED: ClassVar[dict] = {"reml": unadjusted, "ml": normal}

    psi: float
    theta: float
    criterion: float = Later()
    _centred: tuple  # coefficients of the centred columns, and their covariance

    @cached_property
    def _estimate(self):
        return estimates(self.data, self._contrasts, self._centred[0])

    @cached_property
    def _by_term(self):
        """Covariance of the estimates, the variances taken for known."""
        cov = self._centred[1]
        return cov if len(cov) == 1 else self._contrasts @ cov @ self._contrasts.T

    def cluster_robust(self, kind="CR2"):
        """Return this fit with sandwich standard errors by group, R's ``vcovCR(lmer(...), kind)``.

        They hold whatever the dependence within groups, if the groups are many and independent, also where
        slopes vary or rows of a group are alike in other ways than the model says.

        Parameters
        ----------
        kind : {"CR0", "CR1", "CR1S", "CR2", "CR3"}
            As `slopes.sandwich.cluster_robust`. CR2 is exact in expectation where the model is right and psi
            and theta are known, with Satterthwaite's df; the others have J - 1.

        Returns
        -------
        PartialPooling
            Estimates and variances as before. A term that one group alone carries
            (`estimable.lone_groups`) has no such error: NaN, and the reason in ``withheld``. `with_df` of it
            gives the model's own errors again.

        Raises
        ------
        ValueError
            If the kind is none of these, or no term has such an error.

        Examples
        --------
        >>> from helpers import high_school, partial_pooling
        >>> data = high_school().eval("cses = ses - mean_ses")
        >>> fit = partial_pooling("math ~ cses + mean_ses", data, "school")
        >>> [round(float(of.bse["cses"]), 4) for of in (fit, fit.cluster_robust("CR2"))]
        [0.1087, 0.1298]
        """
        one_of("kind", kind, KINDS)
        withheld = estimable.withheld(self.data, self._contrasts)
        cov, of = around_intercepts(self.data, self.psi, self.theta, self.method, kind)
        cov = self._contrasts @ cov @ self._contrasts.T
        none = np.isin(self.data.terms, list(withheld))
        return self._with(robust(kind, cov, of, self._contrasts, none), withheld)

    def parametric_bootstrap(self, term, null=0.0, draws=1999, seed=None):
        """Parametric bootstrap of a coefficient: `parametric.parametric_bootstrap`, q.v.

        Parameters
        ----------
        term : str
            As in ``params``.
        null, draws, seed
            As there.

        Returns
        -------
        BootstrapT
            ``pvalue``, ``conf_int()`` and what was drawn.

        Raises
        ------
        TypeError, ValueError
            As there, and unless the fit has the term.
        """
        return parametric.parametric_bootstrap(
            self.data, self._centred, *self._coefficient(term), variances=(self.psi, self.theta),
            method=self.method, null=null, draws=draws, seed=seed,
        )  # fmt: skip

    def _told(self):
        label = "REML criterion" if self.method == "reml" else "-2 log likelihood"
        bounded = self.df_method == small_samples.BOUNDED
        lines = [
            f"psi (between) {self.psi:.6g}   theta (within) {self.theta:.6g}   ICC {self.icc:.4f}",
            f"{label} {self.criterion:.4f}",
        ]
        lines += [f"no cluster-robust error of {term}: {why}" for term, why in self.withheld.items()]
        adjusted = not np.allclose(self._se**2, self._by_term.diagonal(), 1e-9, 0)
        if self.singular:
            ml = "" if self.method == "reml" else ", times sqrt((N - p) / N)"
            same = f": the standard errors are those of complete pooling{ml}"
            lines.append("psi is estimated as 0" + same * (not adjusted))
        if bounded:
            lines.append(
                "Kenward and Roger's df collapse here (one group holds most of the information): where they "
                "fell below half of J - q, J - q takes their place; "
                + (
                    "the standard errors are theirs"
                    if adjusted
                    else 'intervals that hold need their standard errors: with_df("kenward-roger")'
                )
            )
        strangers = alike.less_alike(self.data)
        if strangers.found:
            lines.append(
                f"rows of one {self.data.group} are less alike than rows of two ({strangers.words}): no psi "
                'fits, so take complete_pooling(...).cluster_robust("CR2")'
            )
        return lines


def partial_pooling(formula, data, groups=None, slopes=None, method="reml", missing="raise"):
    """Random intercepts by exact REML or ML: R's ``lmer(score ~ 1 + (1 | classroom))``; with slopes, too.

    The variance ratio is the root of the analytic profile score (`reml.Profile`), not where an
    optimiser stopped, so that balanced data give the ANOVA estimates to the last digits.

    Parameters
    ----------
    formula : str
        Outcome and fixed effects.
    data : DataFrame, path or GroupSummary
    groups : str or list of str
        The group column; a GroupSummary knows its own. Two groupings of intercepts: ``"school/class"``,
        classes within schools whatever their labels, R's ``(1 | school/class)``; or ``["plate", "sample"]``,
        taken as labelled, crossed or nested, R's ``(1 | plate) + (1 | sample)``.
    slopes : str or list of str, optional
        Terms or columns whose slopes differ from group to group together with the intercept, with any
        covariance: R's ``(1 + ses | school)``. One that is not a fixed term has average slope 0.
    method : {"reml", "ml"}
    missing : {"raise", "drop"}

    Returns
    -------
    PartialPooling
        With ``slopes`` a `slopes.SlopesFit`, with two groupings a `groupings.GroupingsFit`.
        Standard errors are those of generalised least squares at the estimated variances, as lme4's.
        Under REML ``df`` is Kenward and Roger's (1997), also where psi is 0, and bounded where they
        collapse (`small_samples.bounded_kenward_roger`; ``df_method`` says so): an interval that holds there
        needs their standard error as well, by ``with_df("kenward-roger")``. Under ML df is infinite.

    Raises
    ------
    TypeError
        As `groups.summarise`, and if there is no group column.
    ValueError
        As `groups.summarise` and `reml.Profile`; with ``slopes`` as `slopes.fit_slopes`, with two
        groupings as `groupings.fit_groupings`.

    Examples
    --------
    >>> from helpers import classrooms, partial_pooling
    >>> fit = partial_pooling("score ~ 1", classrooms(), "classroom")
    >>> round(fit.psi, 2), round(fit.theta, 2)
    (366.23, 785.87)
    >>> fit.bse.round(3)
    Intercept    4.716
    Name: se, dtype: float64

    Rows of classes that are numbered anew in each school:

    >>> import pandas as pd
    >>> school, row = [1] * 6 + [2] * 6 + [3] * 6, [1, 1, 1, 2, 2, 2] * 3
    >>> score = [5, 6, 7, 3, 4, 4, 9, 8, 8, 7, 5, 6, 2, 2, 3, 5, 4, 6]
    >>> pupils = pd.DataFrame({"school": school, "class": row, "score": score})
    >>> partial_pooling("score ~ 1", pupils, "school/class").psi.round(2).to_dict()
    {'school': 1.68, 'school/class': 2.78}
    """
    two = asked_for(data, groups)
    if two:
        return fit_groupings(formula, data, *two, slopes, method, missing)
    if slopes is not None:
        return fit_slopes(formula, data, groups, slopes, method, missing)
    summary = grouped(summarise(data, formula, groups, missing), "partial_pooling")
    best = maximum(summary, method)
    return PartialPooling(
        data=summary,
        method=method,
        psi=best.psi,
        theta=best.theta,
        criterion=best.criterion,
        _centred=(best.beta, best.cov),
    )
