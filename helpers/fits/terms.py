"""From the shifted and centred columns of a summary back to the terms as given."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd


@lru_cache(maxsize=256)
def index_of(terms):
    """Terms as pandas has them; kept, for pandas takes its time to make an index of text."""
    return pd.Index(terms, tupleize_cols=False)


def to_terms(summary):
    """Rows turn coefficients of the centred columns into those of the terms as given."""
    change = np.eye(len(summary.terms))
    if summary.intercept is not None and len(change) > 1:
        change[summary.intercept] = -(summary.shift + summary.centre)[:-1]
        change[summary.intercept, summary.intercept] = 1.0
    return change


def level(summary):
    """What shifting and centring took off the outcome, where every term but the constant is 0."""
    return summary.shift[-1] + summary.centre[-1] - summary.shift[:-1] @ summary.slopes


def estimates(summary, change, beta):
    """Coefficients of the terms as given, from those of the centred columns."""
    found = change @ beta + summary.slopes
    if summary.intercept is not None:
        found[summary.intercept] += level(summary)
    return found


def by_group(term, value, data):
    """A value given for all groups or for each, as an array."""
    if isinstance(value, pd.Series):
        lacking = data.labels[~data.labels.isin(value.index)]
        if len(lacking):
            raise ValueError(f"the values of {term!r} lack {data.group} {lacking[0]!r}")
        twice = value.index[value.index.duplicated()]
        if len(twice):
            raise ValueError(f"the values of {term!r} name {data.group} {twice[0]!r} twice")
        value = value.loc[data.labels]
    try:
        value = np.asarray(value, dtype=float)
        value = np.broadcast_to(value, (data.ngroups,))
    except (TypeError, ValueError):
        raise TypeError(
            f"{term!r} takes one number, or one for each of the {data.ngroups} groups; got {value!r}"
        ) from None
    if not np.isfinite(value).all():
        raise ValueError(f"the values of {term!r} must be finite; got {value[~np.isfinite(value)][0]}")
    return value


def grouped(summary, name):
    """Return a summary that has groups, or refuse it in the name of who needs them."""
    if summary.group is None:
        raise TypeError(f"{name} needs groups, the name of the column that says which group a row is in")
    return summary


def counted(number, noun):
    """A number with its noun, in the plural but for one."""
    return f"{number} {noun}{'s' * (number != 1)}"
