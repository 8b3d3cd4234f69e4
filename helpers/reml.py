"""``helpers.reml``: the name under which notebooks know `helpers.fits.profile` and `helpers.fits.batch`."""

from .fits.batch import BatchFit, fit_balanced_batch, fit_batch
from .fits.profile import Profile, VarianceFit

__all__ = ["BatchFit", "Profile", "VarianceFit", "fit_balanced_batch", "fit_batch"]
