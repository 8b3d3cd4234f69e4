"""The posterior of partial pooling by quadrature: priors, likelihood, trapezoid rule, result."""

from .priors import Exponential, Flat, HalfNormal, HalfT, Normal, Priors
from .result import Posterior, posterior, posterior_known

__all__ = [
    "Exponential",
    "Flat",
    "HalfNormal",
    "HalfT",
    "Normal",
    "Posterior",
    "Priors",
    "posterior",
    "posterior_known",
]
