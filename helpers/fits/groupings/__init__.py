"""Two groupings of intercepts, nested or crossed: what ``groups="school/class"`` or a list of two opens.

In the order in which a table goes through it: `ask` (what cannot be fitted is refused), `likelihood` and
`outer` (its linear algebra), `search` (where it is highest), `inference` (errors and df), `profile` (one
variance held), `variances`, `sandwich` (errors by outer group), `told` (how it prints) and `fit`.
`tables.groupings` reads the table.
"""

from .ask import asked_for, fit_groupings, fit_summarised
from .fit import GroupingsFit

__all__ = ["GroupingsFit", "asked_for", "fit_groupings", "fit_summarised"]
