"""A file in, a table out, whatever program wrote it; what is in doubt is refused in words."""

from .read import read_table

__all__ = ["read_table"]
