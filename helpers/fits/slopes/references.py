"""What estimates of average slopes are held against: the model's errors and df, by name, and the sandwich."""

from __future__ import annotations

from functools import partial

import numpy as np

from .. import estimable, result
from ..mixed import normal, residual
from ..result import Reference
from ..terms import to_terms
from . import inference, sandwich


def by_term(fit, cov):
    """Covariance of the terms, from that of the coefficients in working units."""
    return fit._contrasts @ cov @ fit._contrasts.T * fit._length**2


def _each(of, contrasts):
    return np.array([of(a) for a in contrasts])


def _adjusted(fit):
    cov, of = inference.kenward_roger(fit._solution)
    if not np.isfinite(cov).all():
        raise ValueError("Kenward-Roger is not defined here: the information on the variances has no inverse")
    return fit._solution.theta * cov, of


def satterthwaite(fit):
    """The fit with Satterthwaite's df beside the model's errors; on the boundary those of the face."""
    of = inference.satterthwaite(fit._solution)
    return fit._with(Reference("satterthwaite", fit._by_term, partial(_each, of)))


def kenward_roger(fit):
    """The fit with Kenward and Roger's df and errors."""
    cov, of = _adjusted(fit)
    return fit._with(Reference("kenward-roger", by_term(fit, cov), partial(_each, of)))


def unadjusted(fit):
    """Kenward and Roger's df, worked out when asked for, beside the errors that lme4 prints."""

    def df(contrasts):
        return _each(inference.kenward_roger(fit._solution)[1], contrasts)

    return Reference("kenward-roger", fit._by_term, df)


def robust(fit, kind):
    """A sandwich's errors and df, and which terms have none: the reference, and term to reason."""
    withheld = estimable.withheld(fit.data, to_terms(fit.data))
    cov, of = sandwich.cluster_robust(fit._solution, fit.data, kind)
    none = np.isin(fit.data.terms, list(withheld))
    return result.robust(kind, by_term(fit, cov), of, fit._contrasts, none), withheld


ASKED = {"residual": residual, "satterthwaite": satterthwaite, "kenward-roger": kenward_roger}
UNASKED = {"reml": unadjusted, "ml": normal}
