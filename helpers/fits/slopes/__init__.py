"""Intercepts and slopes that vary from group to group, with any covariance: what ``slopes=`` opens.

In the order in which a table goes through it: `ask` (columns found, what cannot be fitted refused),
`likelihood` (from `sums` over groups, or `pair` where one slope varies), `search` (where it is highest),
`balanced` (the same in closed form), `inference` and `sandwich` (errors and df), `told` (how it prints),
`result` (estimates) and `fit` (what can be asked).
"""

from .ask import fit_slopes
from .fit import SlopesFit

__all__ = ["SlopesFit", "fit_slopes"]
