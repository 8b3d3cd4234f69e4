"""Any table to the few numbers a fit needs.

In the order in which a table goes through it: `formula` (what is asked for), `labels` (what a row is called),
`columns` (the table as numbers, by `straight` where these are plain; or `engines`, where it
stays where it is), `reduction` (which makes of either the one) `summary`. What none of them takes is said in
`refuse`; `linear` is the algebra of cross-products,
`predictors` what can be said of one column, `two_ways` a table grouped by two columns at once.
"""

from .linear import inverse, refuse_collinear, solve, unit_diagonal
from .predictors import predictor_icc
from .reduction import summarise
from .summary import BySize, GroupSummary
from .two_ways import TwoWays, by_two

__all__ = [
    "BySize",
    "GroupSummary",
    "TwoWays",
    "by_two",
    "inverse",
    "predictor_icc",
    "refuse_collinear",
    "solve",
    "summarise",
    "unit_diagonal",
]
