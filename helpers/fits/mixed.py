"""What fits of mixed models share: a reference of their own until another is asked for, and two of these."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import ClassVar

import numpy as np

from .result import Fit, Reference, same


def residual(fit):
    """The fit with N less the coefficients for its df, beside the model's errors."""
    return fit._with(Reference("residual", fit._by_term, partial(same, fit.nobs - len(fit._estimate))))


def normal(fit):
    """The errors as they are and no end of df, of ML."""
    return Reference("normal", fit._by_term, partial(same, np.inf))


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class MixedFit(Fit):
    """A fit by REML or ML; a kind of it brings ``_by_term``, ``ASKED`` and ``UNASKED``.

    Attributes
    ----------
    method : str
        "reml" or "ml".
    withheld : dict of str to str
        Terms without a cluster-robust error, where one was asked for, and why.

    Notes
    -----
    ``_by_term`` is the covariance of the estimates, the variances taken for known; ``ASKED`` has what
    `with_df` offers under REML, ``UNASKED`` the reference by method until then.
    """

    REFERENCES: ClassVar[dict] = {"residual": residual}
    ASKED: ClassVar[dict]
    UNASKED: ClassVar[dict]

    method: str
    withheld: dict = field(default_factory=dict)
    _given: tuple = ()  # the reference that was asked for, if one was

    @cached_property
    def _reference(self):
        return self._given[0] if self._given else self.UNASKED[self.method](self)

    @property
    def _cov(self):
        return self._given[0].cov if self._given else self._by_term  # no df need be known for it

    def _with(self, reference, withheld=()):
        return replace(self, _given=(reference,), withheld=dict(withheld))

    def _references(self):
        return self.ASKED if self.method == "reml" else self.REFERENCES
