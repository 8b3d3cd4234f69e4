"""How a fit with two groupings prints: which they are, how they lie to each other, what is 0."""

from __future__ import annotations

import textwrap

from ..printing import Printed
from ..small_samples import BOUNDED
from ..terms import counted


class Told(Printed):
    """The lines above the table of such a fit."""

    def _head(self):
        data, groupings = self.data, self._groupings
        by = (
            groupings.names[1]
            if groupings.names[1].startswith(f"{groupings.names[0]}/")
            else " and ".join(groupings.names)
        )
        dropped = f", {counted(data.dropped, 'row')} dropped for missing values" if data.dropped else ""
        sizes = ", ".join(f"{size} of {name}" for name, size in self.ngroups.items())
        return [
            f"{self.title} ({self.method.upper()})   {data.formula}   by {by}",
            f"{self.nobs} rows, groups: {sizes} ({self._lie}), df: {self.df_method}{dropped}",
            *self._told(),
        ]

    @property
    def _lie(self):
        """How the two groupings lie to each other."""
        groupings = self._groupings
        if groupings.nested:
            return "nested"
        return (
            "crossed"
            if groupings.counts.nnz == len(self.data.sizes) * groupings.counts.shape[0]
            else "partly crossed"
        )

    def _told(self):
        label = "REML criterion" if self.method == "reml" else "-2 log likelihood"
        between = "   ".join(f"{name} {value:.6g}" for name, value in self.psi.items())
        shares = "   ".join(f"{name} {value:.4f}" for name, value in self.icc.items())
        lines = [f"psi (between): {between}   theta (within) {self.theta:.6g}", f"ICC: {shares}"]
        lines.append(f"{label} {self.criterion:.4f}")
        lines += [f"no cluster-robust error of {term}: {why}" for term, why in self.withheld.items()]
        if self._groupings.again:
            label, users, labels = self._groupings.again
            outer, inner = self._groupings.names
            told = (
                f"labels are used again: {label!r} in {users} groups of {outer}, another group in each; so "
                f"{inner} has {self.ngroups[inner]} groups, not {labels}"
            )
            lines.extend(textwrap.wrap(told, 79, break_on_hyphens=False))
        if self.df_method == BOUNDED:
            lines.append(
                "Kenward and Roger's df collapse here (few groups hold most of the information): the "
                "number of "
                "groups left takes their place; intervals that hold need their standard errors: "
                'with_df("kenward-roger")'
            )
        return [*lines, f"on the boundary: {self.boundary}"] if self.singular else lines
