"""What complete pooling found: ordinary least squares, and errors robust to the groups of one column."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar

import numpy as np

from ..tables import inverse, solve
from . import estimable, sandwich, wild
from .result import Fit, Reference, robust, same
from .terms import estimates, to_terms


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class CompletePooling(Fit):
    """What complete pooling found; `Fit` has what every fit says.

    Attributes
    ----------
    theta : float
        Residual variance.
    withheld : dict of str to str
        Terms that have no standard error (NaN) because there is none, and why: `cluster_robust`.
    """

    pooling: ClassVar[str] = "complete"
    title: ClassVar[str] = "Complete pooling"
    method: ClassVar[str] = "ols"

    theta: float
    withheld: dict = field(default_factory=dict)
    _estimate: np.ndarray
    _centred: tuple  # coefficients of the centred columns, and their covariance
    _reference: Reference

    def cluster_robust(self, kind="CR2"):
        """Return this fit with standard errors that allow any dependence within groups.

        Parameters
        ----------
        kind : {"CR0", "CR1", "CR1S", "CR2", "CR3"}
            The sandwich as it is; times J / (J - 1); that times (N - 1) / (N - p), the default of Stata,
            statsmodels and pyfixest; corrected for leverage, exact where errors are independent, with
            Satterthwaite's degrees of freedom (Bell and McCaffrey 2002); or the jackknife over groups,
            nearly. All but CR2 have J - 1 degrees of freedom.

        Returns
        -------
        CompletePooling
            Estimates as before. A term that one group alone carries (without it the others cannot estimate
            it, `estimable.lone_groups`) has no such error: NaN, and the reason in `withheld`.

        Raises
        ------
        ValueError
            If the kind is none of these, no groups were named, or no term has such an error.

        Examples
        --------
        >>> from helpers import classrooms, complete_pooling
        >>> fit = complete_pooling("score ~ 1", classrooms(), "classroom")
        >>> fit.cluster_robust("CR2").bse.round(3)
        Intercept    4.716
        Name: se, dtype: float64
        """
        if not isinstance(kind, str) or kind not in sandwich.KINDS:
            raise ValueError(f'kind must be "CR0", "CR1", "CR1S", "CR2" or "CR3"; got {kind!r}')
        self._refuse_without_groups("cluster-robust standard errors")
        fit = self._robust(kind)
        estimable.refuse_all(self.data, fit.withheld)
        return fit

    def _robust(self, kind):
        """`cluster_robust`, with NaN for every term where none has such an error."""
        data, change = self.data, self._contrasts
        withheld = estimable.reasons(data, data.terms, change)
        cov, of = sandwich.cluster_robust(data, self._centred[0], kind)
        cov = change @ cov @ change.T
        none = np.array([term in withheld for term in data.terms])
        return replace(self, withheld=withheld, _reference=robust(kind, cov, of, change, none))

    def wild_bootstrap(
        self, term, null=0.0, kind="restricted", weights="rademacher", draws=9999, seed=None
    ):  # fmt: skip
        """Wild cluster bootstrap of a coefficient: `wild.wild_bootstrap`, q.v.

        Parameters
        ----------
        term : str
            As in ``params``.
        null, kind, weights, draws, seed
            As there.

        Returns
        -------
        BootstrapT or RestrictedWild
            ``pvalue``, ``conf_int()`` and what was drawn.

        Raises
        ------
        TypeError, ValueError
            As there, and unless the fit has groups and the term.
        """
        self._refuse_without_groups("wild cluster bootstraps")
        return wild.wild_bootstrap(
            self.data, self._centred, *self._coefficient(term), null=null, kind=kind,
            weights=weights, draws=draws, seed=seed,
        )  # fmt: skip

    def _refuse_without_groups(self, what):
        if self.data.group is None:
            raise ValueError(f"{what} need the groups: name them in complete_pooling")

    def _told(self):
        told = [f"no cluster-robust error of {term}: {why}" for term, why in self.withheld.items()]
        return [*super()._told(), *told]


def least_squares(summary):
    """What `CompletePooling` holds, of a `GroupSummary`: a dict by name."""
    cross = summary.about_centre()
    beta = solve(cross[:-1, :-1], cross[:-1, -1:])[:, 0]
    df = summary.nobs - len(beta)
    theta = float(summary.unexplained(cross) / df)
    cov, change = theta * inverse(cross[:-1, :-1]), to_terms(summary)
    return {
        "data": summary,
        "theta": theta,
        "_estimate": estimates(summary, change, beta),
        "_centred": (beta, cov),
        "_reference": Reference("residual", change @ cov @ change.T, partial(same, df)),
    }
