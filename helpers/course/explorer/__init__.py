"""The live explorers: sliders that move the standard errors, in a notebook and on a page without a kernel.

`one` has rows in groups, `two` classes in schools and readers by texts; `parts` is what all of them are made
of. The arithmetic is Python's first and then that of `helpers/data/explorer.js`; tests hold them together.
"""

from .one import Explorer, values
from .two import CrossedExplorer, NestedExplorer, crossed_values, nested_values

__all__ = [
    "CrossedExplorer",
    "Explorer",
    "NestedExplorer",
    "crossed_values",
    "nested_values",
    "values",
]
