"""Standard errors under complete, no and partial pooling: the package behind the course."""

from .datasets import classrooms, high_school, radon
from .models import compare, complete_pooling, no_pooling, partial_pooling
from .stated import check_exercise, check_stated

__all__ = [
    "check_exercise",
    "check_stated",
    "classrooms",
    "compare",
    "complete_pooling",
    "high_school",
    "no_pooling",
    "partial_pooling",
    "radon",
]
