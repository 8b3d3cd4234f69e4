"""Complete pooling with errors clustered two ways: firms by years, answers by readers of texts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from ..tables import TwoWays, by_two, solve
from . import estimable, sandwich
from .checks import one_of
from .least_squares import CompletePooling, least_squares
from .result import robust
from .terms import counted, to_terms

KINDS = ("CR0", "CR1", "CR1S")
FACTORS = ("own", "least")
_BELOW = -1e-10  # an eigenvalue below this share of the variances counted is negative, not rounding
_NONE = 1e-10  # and a variance below this share is none


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class TwoWayPooling(CompletePooling):
    """Complete pooling of rows that are grouped by two columns; `CompletePooling` has the rest.

    Attributes
    ----------
    clusters : TwoWays
        The rows by the one column, by the other, and by the cells of both, which ``data`` is too.
    notes : tuple of str
        What `summary` says of the clustering.
    """

    title: ClassVar[str] = "Complete pooling, two ways"

    clusters: TwoWays
    notes: tuple = ()

    @property
    def ngroups(self):
        """Groups by column, as a Series."""
        first, second = self.clusters[:2]
        return pd.Series({first.group: first.ngroups, second.group: second.ngroups}, name="groups")

    def cluster_robust(self, kind="CR1S", factor="own"):
        """Return this fit with standard errors that allow dependence within the groups of either column.

        Parameters
        ----------
        kind : {"CR0", "CR1", "CR1S"}
            As of one grouping. CR2 and CR3 are not defined for two.
        factor : {"own", "least"}
            Under CR1 and CR1S, G / (G - 1) with the number of groups of each of the three sandwiches, or
            for all of them with the smaller number of groups of the two columns.

        Returns
        -------
        TwoWayPooling
            Estimates as before, t on the smaller number of groups less one. `summary` says so if an
            eigenvalue of the covariance was negative and was set to 0. A term that one group alone carries,
            of either column, or whose variance is then 0, has no such error: NaN, and why in `withheld`.

        Raises
        ------
        ValueError
            If the kind is none of these, or no term has such an error.

        Notes
        -----
        V = V_a + V_b - V_ab, one-way sandwiches by the one column, by the other and by their cells, whose
        pairs of rows both the others count (Cameron, Gelbach and Miller 2011; Thompson 2011). It need not
        be a covariance: negative eigenvalues are set to 0 (Cameron, Gelbach and Miller, section 2.3), of V
        by the terms as given, so that the outcome of that depends on their units.

        ========================== =========================================================================
        here                       elsewhere
        ========================== =========================================================================
        "CR0"                      sandwich ``vcovCL(type = "HC0", cadjust = FALSE)``; linearmodels
                                   ``PooledOLS.fit(cov_type="clustered", debiased=False)``
        "CR1"                      sandwich ``vcovCL(type = "HC0")``
        "CR1S"                     statsmodels; sandwich ``vcovCL(type = "HC1")``; linearmodels with
                                   ``group_debias=True``; pyfixest with ``ssc(G_df="conventional")``
        "CR1S", factor="least"     pyfixest
        ========================== =========================================================================

        Examples
        --------
        >>> import pandas as pd
        >>> from helpers import complete_pooling
        >>> read = pd.DataFrame({"text": list("aabbccdd"), "reader": list("uvuvuvuv")})
        >>> read["mark"] = [1.0, 3, 2, 5, 4, 4, 6, 9]
        >>> complete_pooling("mark ~ 1", read, ["text", "reader"]).cluster_robust().bse.round(3)
        Intercept    1.256
        Name: se, dtype: float64
        """
        clusters, (first, second) = self.clusters, self.clusters.names
        if not isinstance(kind, str) or kind not in KINDS:
            also = ""
            if kind in ("CR2", "CR3"):
                also = f", which is defined for one grouping only: for it, name {first!r} or {second!r} alone"
            raise ValueError(f'clustered two ways, kind must be "CR0", "CR1" or "CR1S"; got {kind!r}{also}')
        one_of("factor", factor, FACTORS)
        least = int(self.ngroups.min())
        parts = [self._one_way(summary, kind, least if factor == "least" else None) for summary in clusters]
        cov, notes = _covariance(*parts, self.data.terms)
        none = cov.diagonal() <= _NONE * (parts[0] + parts[1]).diagonal()
        withheld = {
            term: "what two-way clustering counts comes out at 0 or below"
            for term, no in zip(self.data.terms, none, strict=True)
            if no
        }
        for summary in clusters[:2]:
            withheld |= estimable.reasons(summary, summary.terms, to_terms(summary))
        if len(withheld) == len(self._estimate):
            told = "; ".join(f"{term}: {why}" for term, why in withheld.items())
            raise ValueError(
                f"no term of {self.data.formula!r} has a standard error clustered by {first!r} and "
                f"{second!r} ({told}): cluster by one of them, or fit partial_pooling"
            )
        none = np.array([term in withheld for term in self.data.terms])
        name = f"{kind}, least G" if factor == "least" else kind
        reference = robust(name, cov, lambda a: least - 1.0, self._contrasts, none)
        return replace(self, withheld=withheld, notes=notes, _reference=reference)

    def _one_way(self, summary, kind, groups):
        """One of the three sandwiches, of the terms as given."""
        cross, change = summary.about_centre(), to_terms(summary)
        beta = solve(cross[:-1, :-1], cross[:-1, -1:])[:, 0]
        cov, _ = sandwich.cluster_robust(summary, beta, kind)
        if groups is not None:
            scale, N, p = sandwich.KINDS[kind].scale, summary.nobs, len(beta)
            cov *= scale(groups, N, p) / scale(summary.ngroups, N, p)
        return change @ cov @ change.T

    def wild_bootstrap(self, *args, **kwargs):
        """Refused: what is drawn are the signs of whole groups, and these are groups two ways."""
        first, second = self.clusters.names
        raise ValueError(
            f"wild cluster bootstraps are by one grouping: name {first!r} or {second!r} in complete_pooling"
        )

    def _head(self):
        (first, second), (G, H) = self.clusters.names, self.ngroups
        title, rows, *told = super()._head()
        title = title.replace(f"by {self.data.group}", f"by {first} and {second}")
        rows = rows.replace(f"{self.ngroups} groups", f"{G} groups of {first} and {H} of {second}")
        return [title, rows, *told]

    def _told(self):
        told = [*super()._told(), *self.notes]
        if self.clusters.within:
            inner, outer = self.clusters.within
            told.append(
                f"each {inner} is in one {outer}: clustered two ways, the errors are those by {outer}"
            )
        return told


def _covariance(first, second, cells, terms):
    """V_a + V_b - V_ab with negative eigenvalues set to 0, and what is said of that."""
    cov, both = first + second - cells, first + second
    counted_once = np.sqrt(np.where(both.diagonal() > 0, both.diagonal(), 1.0))
    values = np.linalg.eigvalsh(cov / np.outer(counted_once, counted_once))
    number = int((values < _BELOW).sum())
    if not number:
        return cov, ()
    before = cov.diagonal()
    values, axes = np.linalg.eigh(cov)
    fixed = (axes * np.maximum(values, 0.0)) @ axes.T
    below = [term for term, value in zip(terms, before, strict=True) if value < 0]
    own = f"; the variance of {', '.join(below)} was below 0 itself" if below else ""
    note = f"{counted(number, 'negative eigenvalue')} of the two-way covariance set to 0{own}"
    return fixed, (note,)


def two_way(formula, data, groups, missing="raise"):
    """`complete_pooling` of a table with two groupings.

    Parameters
    ----------
    formula, data, groups, missing
        As for `tables.by_two`.

    Returns
    -------
    TwoWayPooling

    Raises
    ------
    TypeError, ValueError
        As `tables.by_two`.
    """
    clusters = by_two(data, formula, groups, missing)
    return TwoWayPooling(clusters=clusters, **least_squares(clusters.cells))
