"""The report of two groupings: what is found, said and watched where rows are in groups of two kinds.

`findings` has the fits and the lines of the table, `words` what is said of groups and questions, `sentence`
and `program` what is taken away, `watch` the warnings, `report` all of them as one.
"""

from .report import ReportOfTwo

__all__ = ["ReportOfTwo"]
