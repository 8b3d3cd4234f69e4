"""How a fit with slopes that vary prints: which vary, how much, and what is on the boundary."""

from __future__ import annotations

import numpy as np

from ...tables import solve


class Told:
    """The lines above the table of such a fit."""

    def _head(self):
        slopes_named = ", ".join(self.varying[1:])
        first = f"{self.title} ({self.method.upper()}), slopes that vary: {slopes_named}"
        return [f"{first}   {self.data.formula}   by {self.data.group}", *super()._head()[1:]]

    def _told(self):
        label = "REML criterion" if self.method == "reml" else "-2 log likelihood"
        sds = "   ".join(f"{name} {sd:.6g}" for name, sd in self.sds.items())
        r = self.correlations.to_numpy()
        pairs = "   ".join(
            f"{self.varying[i]}, {self.varying[k]} {r[i, k]:.4f}"
            for i, k in zip(*np.triu_indices(len(r), 1), strict=True)
        )
        lines = [
            f"sd between groups: {sds}   correlation: {pairs}",
            f"theta (within) {self.theta:.6g}   {label} {self.criterion:.4f}",
        ]
        lines += [f"no cluster-robust error of {term}: {why}" for term, why in self.withheld.items()]
        lost = [name for name in self.varying[1:] if self._is_lost(name)]
        if lost:
            lines.append(f"{', '.join(lost)}: not among the fixed terms, so the average slope is taken as 0")
        return [*lines, f"on the boundary: {self.boundary}"] if self.singular else lines

    def _is_lost(self, name):
        """Whether a varying term is neither a fixed one nor made up of these."""
        if name in self.data.terms:
            return False
        place = self._whole.terms.index(name)
        keep = [
            self._whole.terms.index(term)
            for k, term in enumerate(self.data.terms)
            if k != self.data.intercept
        ]
        cross = self._whole.about_centre()[np.ix_([*keep, place], [*keep, place])]
        along = solve(cross[:-1, :-1], cross[:-1, -1:])[:, 0] if keep else np.zeros(0)
        return cross[-1, -1] - along @ cross[:-1, -1] > 1e-9 * cross[-1, -1]
