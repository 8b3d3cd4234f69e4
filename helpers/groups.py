"""``helpers.groups``: the name under which notebooks know what a table becomes; see `helpers.tables`."""

from .tables import GroupSummary, inverse, predictor_icc, refuse_collinear, summarise

__all__ = ["GroupSummary", "inverse", "predictor_icc", "refuse_collinear", "summarise"]
