"""``helpers.figures``: the name under which notebooks know `helpers.course.figures`."""

import sys

from .course import figures

sys.modules[__name__] = figures
