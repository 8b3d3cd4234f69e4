"""What a model leaves to be looked at: the residual of each row, and the effect of each group."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from ..tables import columns
from ..tables.labels import as_labels, number

_BLOCK = 1 << 16  # rows at a time, so that what is made on the way fits a cache


class Effects(NamedTuple):
    """What the groups of one grouping add to a coefficient.

    Attributes
    ----------
    what, of : str
        The coefficient, "Intercept" or a term, and the column of the groups.
    labels : Index of length J
    z : ndarray of shape (J,)
        Best linear unbiased predictions, each over its own sd given the variances, the root of psi less its
        conditional variance (Lange and Ryan 1989); none where psi is 0.
    """

    what: str
    of: str
    labels: pd.Index
    z: np.ndarray


class Left(NamedTuple):
    """Residuals and effects.

    Attributes
    ----------
    level : float
        Mean of the outcome.
    fitted, residuals : ndarray of shape (N,)
        In the unit of the outcome: fixed part and effects, less ``level``; and the outcome less fixed part
        and effects. Of single precision, which has seven digits of how far a row is off.
    groups : CategoricalIndex
        Group of each row (of the first of two groupings).
    effects : list of Effects
    slopes : list of str
        Terms whose slopes vary in the model.
    """

    level: float
    fitted: np.ndarray
    residuals: np.ndarray
    groups: pd.CategoricalIndex
    effects: list
    slopes: list


def of_one(found) -> Left:
    """Of one grouping: by the model in which slopes vary, where they can, else by random intercepts."""
    data, sloped = found.fit.data, found.fits.sloped
    model = found.fit if sloped is None else sloped
    table = columns.read(found.whole, data.formula, data.group, "drop" if data.dropped else "raise")
    groups = _groups_of(found.whole[data.group], table, data)
    outcome, named = table.columns[-1], dict(zip(_terms(table), table.columns[:-1], strict=True))
    del table  # whose codes are as large as a column
    (means, share), psi = found.fit._effects(), found.fit.psi
    effects = [_effects("Intercept", data.group, data.labels, means, psi, psi * (1 - share))]
    added = {"Intercept": means}
    if sloped is not None:
        estimates, _, errors = sloped._effects()
        added = dict(zip(sloped.varying, estimates, strict=True))
        for term, error in zip(sloped.varying[1:], errors[1:], strict=True):
            psi = sloped.psi.loc[term, term]
            effects.append(_effects(term, data.group, data.labels, added[term], psi, error**2))
        del errors
    level = float(outcome.mean())
    fitted, residuals = (np.empty(len(outcome), dtype=np.float32) for _ in range(2))
    for start in range(0, len(outcome), _BLOCK):
        rows = slice(start, start + _BLOCK)
        here, own = {term: column[rows] for term, column in named.items()}, groups.codes[rows]
        of_rows = _fixed(model.params, here, found.centres, len(own))
        for term, effect in added.items():
            effect = effect.take(own)
            of_rows += effect if term == "Intercept" else _times(effect, here[term], found.centres.get(term))
        fitted[rows], residuals[rows] = of_rows - level, outcome[rows] - of_rows
    slopes = [] if sloped is None else list(sloped.varying[1:])
    return Left(level, fitted, residuals, groups, effects, slopes)


def of_two(found) -> Left:
    """Of two groupings: by the model with both."""
    fit = found.fit
    table = columns.read(found.whole, fit.data.formula, found.names[0], "raise")
    named = dict(zip(_terms(table), table.columns[:-1], strict=True))
    fitted = _fixed(fit.params, named, found.centres, len(table.codes))
    by_row = []
    for name in found.names:
        codes, labels, _ = number(as_labels(found.whole[name]))
        by_row.append(labels[codes])
    pairs = [by_row[0], pd.MultiIndex.from_arrays(by_row) if found.fits.nested else by_row[1]]
    effects = []
    for name, own, rows in zip(found.order, found.names, pairs, strict=True):
        of = fit.group_effects[name]
        estimate, variance = of["estimate"].to_numpy(), of["se_conditional"].to_numpy() ** 2
        fitted += estimate[of.index.get_indexer(rows)]
        effects.append(_effects("Intercept", own, of.index, estimate, fit.psi[name], variance))
    labels = pd.CategoricalIndex(by_row[0], name=found.names[0])
    outcome = table.columns[-1]
    level = float(outcome.mean())
    fitted, residuals = (of.astype(np.float32) for of in (fitted - level, outcome - fitted))
    return Left(level, fitted, residuals, labels, effects, [])


def _groups_of(column, table, data):
    """The group of each row; of a column of categories that all occur the column itself, without a copy."""
    if isinstance(column.dtype, pd.CategoricalDtype) and not data.dropped and (table.counts > 0).all():
        return pd.CategoricalIndex(column.array, name=data.group)
    place = (np.cumsum(table.counts > 0) - 1).astype(np.int32)
    codes = pd.Categorical.from_codes(place[table.codes], data.labels, validate=False)
    return pd.CategoricalIndex(codes, name=data.group)


def _terms(table):
    return [term for k, term in enumerate(table.terms) if k != table.intercept]


def _fixed(params, named, centres, rows):
    """Fixed part of each row; numbers were counted from their means."""
    fitted = np.full(rows, float(params["Intercept"]))
    for term, column in named.items():
        fitted += _times(params[term], column, centres.get(term))
    return fitted


def _times(slope, column, centre):
    """A slope times a column counted from its centre, with one new column in memory."""
    away = column - (centre or 0.0)
    away *= slope
    return away


def _effects(what, of, labels, estimate, psi, conditional):
    """Effects over their own sd, from their variance psi and what of it is left when the rows are known."""
    own = np.maximum(psi - conditional, 1e-12 * psi)
    return Effects(what, of, labels, estimate / np.sqrt(own) if psi > 0 else np.empty(0))
