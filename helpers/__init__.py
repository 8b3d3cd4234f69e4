"""Standard errors under complete, no and partial pooling: the package behind the course."""

import os as _os
import sys as _sys
from importlib.metadata import version as _version

if _sys.argv[:1] == ["-m"]:  # python -m helpers, before numpy is there: its matrices are small, and the
    _os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads of BLAS would burn time waiting for each other

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
