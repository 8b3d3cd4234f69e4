"""``helpers.simulate``: the name under which notebooks know `helpers.fits.simulate`."""

import sys

from .fits import simulate

sys.modules[__name__] = simulate
