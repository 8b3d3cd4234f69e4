"""Repeated experiments, bootstraps and coverage, vectorised; every figure with its Monte Carlo SE."""

from .experiment import SCHEMES, Replicates, Simulated, replicate
from .groups import group_coverage, group_errors, group_interval_coverage
from .poolings import METHODS, coverage
from .resampling import BOOTSTRAPS, bootstrap
from .tally import monte_carlo

__all__ = [
    "BOOTSTRAPS",
    "METHODS",
    "SCHEMES",
    "Replicates",
    "Simulated",
    "bootstrap",
    "coverage",
    "group_coverage",
    "group_errors",
    "group_interval_coverage",
    "monte_carlo",
    "replicate",
]
