"""Standard errors under complete, no and partial pooling: the package behind the course."""

from importlib.metadata import version as _version

from .course.datasets import classrooms, high_school, radon
from .course.exercises import check_exercise
from .course.stated import check_stated
from .fits import compare, complete_pooling, meta_pooling, no_pooling, partial_pooling, posterior

__all__ = [
    "check_exercise",
    "check_stated",
    "classrooms",
    "compare",
    "complete_pooling",
    "high_school",
    "meta_pooling",
    "no_pooling",
    "partial_pooling",
    "posterior",
    "radon",
]

__version__ = _version("which-standard-error")
