"""The fits: complete, no and partial pooling, what each result says, and simulations that test it."""

from .bayes import Posterior, posterior
from .compare import PARTIAL, PARTIAL_ROBUST, SLOPED_ROBUST, Poolings, compare, compared, poolings
from .compare_groupings import TwoGroupings, two_groupings
from .complete import CompletePooling, complete_pooling
from .groupings import GroupingsFit
from .meta import MetaPooling, meta_pooling
from .no import NoPooling, no_pooling
from .partial import PartialPooling, partial_pooling
from .result import Fit, NotOfThisPooling
from .slopes import SlopesFit

__all__ = [
    "PARTIAL",
    "PARTIAL_ROBUST",
    "SLOPED_ROBUST",
    "CompletePooling",
    "Fit",
    "GroupingsFit",
    "MetaPooling",
    "NoPooling",
    "NotOfThisPooling",
    "PartialPooling",
    "Poolings",
    "Posterior",
    "SlopesFit",
    "TwoGroupings",
    "compare",
    "compared",
    "complete_pooling",
    "meta_pooling",
    "no_pooling",
    "partial_pooling",
    "poolings",
    "posterior",
    "two_groupings",
]
