"""How a fit prints: two lines on what was fitted, what it says of the variances, a row for each term."""

from __future__ import annotations

from html import escape

import pandas as pd

from .terms import counted


class Printed:
    """The part of a fit that puts it into text and HTML."""

    def _head(self):
        """What `summary` says above its table, line by line."""
        data = self.data
        by = f"   by {data.group}" if data.group else ""
        groups = f"{self.ngroups} groups, " if data.group else ""
        dropped = f", {counted(data.dropped, 'row')} dropped for missing values" if data.dropped else ""
        return [
            f"{self.title} ({self.method.upper()})   {data.formula}{by}",
            f"{self.nobs} rows, {groups}df: {self.df_method}{dropped}",
            *self._told(),
        ]

    def _told(self):
        """What `summary` says of the variances, line by line."""
        return [f"theta (residual variance) {self.theta:.6g}"]

    def _table(self):
        """A row for each term, and how its columns are printed."""
        columns = {
            "estimate": self.params, "se": self.bse, "df": self.df, "t": self.tvalues, "P>|t|": self.pvalues
        }  # fmt: skip
        formats = dict.fromkeys(["estimate", "se", "lower", "upper"], "{:.6g}".format)
        formats |= {"df": "{:.1f}".format, "t": "{:.3f}".format, "P>|t|": "{:.4f}".format}
        return pd.DataFrame(columns).join(self.conf_int()), {"formatters": formats, "max_rows": 40}

    def summary(self):
        """Everything at a glance, as text: the fit, the variances, a row for each term."""
        table, options = self._table()
        return "\n".join([*self._head(), table.to_string(**options)])

    def __repr__(self):
        return self.summary()

    def _repr_html_(self):
        table, options = self._table()
        head = "<br>".join(escape(line) for line in self._head())
        return f"<p>{head}</p>\n{table.to_html(border=0, **options)}"
