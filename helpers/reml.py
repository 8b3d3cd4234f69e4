"""``helpers.reml``: the name under which notebooks know `helpers.fits.reml`."""

import sys

from .fits import reml

sys.modules[__name__] = reml
