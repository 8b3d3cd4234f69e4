"""Variances and intraclass correlation with their intervals; p values of psi and of each slope."""

from __future__ import annotations

import numpy as np

from ..formulas import distributions as stats
from . import words

HEAD = ("what", "estimate", "interval", "p", "by")


def rows(found) -> list:
    """Five texts a row: what, estimate, interval, p of the hypothesis that it is 0, and the method."""
    fit, alpha = found.fit, 1 - found.level
    low, high = fit.psi_int(alpha)
    out = [
        ("psi, between groups", words.figures(fit.psi), _to(words.figures, low, high),
         words.p_value(fit.test_psi().pvalue),
         "interval by psi_int, for few groups too; p from half a chi-square"),
        ("theta, within groups", words.figures(fit.theta), _to(words.figures, *theta_int(found)), "",
         "chi-square of the rows within groups; holds for normal rows"),
        ("intraclass correlation", words.decimals(fit.icc, 3),
         _to(lambda end: words.decimals(end, 3), *fit.icc_int(alpha)), "",
         "exact for normal rows and groups of any sizes"),
    ]  # fmt: skip
    return out + slopes(found)


def of_two(found) -> list:
    """The same of two groupings: a psi each, by the profile of the restricted likelihood."""
    fit = found.fit
    ends = fit.profile_int(1 - found.level)
    profile = "profile of the likelihood"
    out = [
        (f"psi, {name}", words.figures(fit.psi[name]), _to(words.figures, *ends.loc[f"psi[{name}]"]),
         words.p_value(fit.test_psi(name).pvalue), f"{profile}; p from half a chi-square")
        for name in fit.psi.index
    ]  # fmt: skip
    theta = _to(words.figures, *ends.loc["theta"])
    return [*out, ("theta, of the rows", words.figures(fit.theta), theta, "", profile), *slopes(found)]


def slopes(found) -> list:
    """A row for each slope of the sentence."""
    out = []
    for line in found.slopes:
        if np.isnan(line.se):
            continue
        estimate, _, df, low, high = words.cells(line, [line])
        p = 2 * stats.t.sf(abs(line.estimate / line.se), line.df)
        out.append((words.slope(found, line.term), estimate, f"{low} to {high}", words.p_value(p),
                    f"{line.method}, t with {df} df"))  # fmt: skip
    return out


def theta_int(found):
    """Interval for theta from no pooling's residual variance, which is theta chi-square / df."""
    no, alpha = found.fits.no, 1 - found.level
    df = float(no._df[0])  # by number: names of all groups would take longer
    return df * no.theta / stats.chi2.isf([alpha / 2, 1 - alpha / 2], df)


def _to(written, low, high):
    return f"{written(low)} to {written(high) if np.isfinite(high) else 'no end'}"
