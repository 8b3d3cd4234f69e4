"""A file in, a page out: what is asked, what is estimated, what to watch, the words, the page."""

from .report import Report, describe, read_table, wrapped

__all__ = ["Report", "describe", "read_table", "wrapped"]
