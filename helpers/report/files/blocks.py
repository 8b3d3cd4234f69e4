"""Large text, block by block: numbers are made of it at once, so that their text is never in memory whole."""

from __future__ import annotations

import importlib
import re
from copy import deepcopy

import numpy as np
import pandas as pd

from ...tables.labels import rank
from .typed import KINDS, MANY, MARKS, TOLD

_BLOCK = 1 << 18  # bytes; Arrow reads up to 32 of them ahead
_OF_LONG_LINES = 4 << 20
_HEAD = 1 << 16  # bytes, by which columns of numbers are known
_FIRST = 100  # values that are tried before all are


def read(stored, separator, names, skip, numbers=(), labels=None, told=None) -> dict | None:
    """Return the columns of a text; None where Arrow is not there or finds fault, which pandas words.

    Parameters
    ----------
    stored : Stored
    separator : str
    names : list of str
    skip : int
        Lines before the first row.
    numbers : sequence of str
        Columns that are numbers if they can be: how their fractions were written is not kept.
    labels : sequence of str, optional
        Columns that are names. If it is given, others whose fractions hardly repeat are numbers, too.
    told : callable, optional
        Called with the share of the bytes read so far.

    Returns
    -------
    dict of str to Series
        Whole numbers written as Python writes them as such, ``numbers`` as doubles, others as text; text of
        ``labels`` as categories in alphabetical order.
    """
    try:
        pa, arrow_csv = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.csv")
        compute = importlib.import_module("pyarrow.compute")
    except ImportError:
        return None
    places, quoted = [str(k) for k in range(len(names))], stored.seen.quotes
    perhaps = set() if labels is None else set(names) - set(labels)
    numbers, labels = set(numbers), set(labels or ())
    longest = max(map(len, stored.head.splitlines()))
    size = _BLOCK if 2 * longest < _BLOCK else _OF_LONG_LINES
    read_as = _read_as(pa, arrow_csv, places, separator, size)
    fractions = _fractions(pa, read_as, stored.head, skip, dict(zip(places, names, strict=True)), numbers)
    while True:
        gathered = [
            _Doubles(stored.seen.ends + 1) if name in fractions else
            _Gathered(pa, compute, name in numbers, name in perhaps, name in labels)
            for name in names
        ]  # fmt: skip
        types = [pa.float64() if name in fractions else pa.string() for name in names]
        try:
            done = 0
            for batch in read_as(stored.opened(pa), skip, types, quoted):
                for column, array in zip(gathered, batch.columns, strict=True):
                    column.add(array)
                done += size
                if told is not None:
                    told(min(done / stored.size, 1.0))
            lost = {name for name, column in zip(names, gathered, strict=True) if column.lost}
        except pa.ArrowInvalid:
            if not fractions:
                return None
            lost, numbers = fractions, numbers | fractions  # now as text, which tells what is amiss
            fractions = set()
            continue
        if not lost:
            break
        numbers, perhaps, fractions = numbers - (lost - fractions), perhaps - lost, fractions - lost
    columns = {
        name or f"Unnamed: {place}": column.series()
        for place, name, column in zip(places, names, gathered, strict=True)
    }
    pa.default_memory_pool().release_unused()
    return columns


def _read_as(pa, arrow_csv, places, separator, size):
    """How text becomes batches of columns of the types that are asked for."""

    def read_as(source, skip, types, quoted):
        return arrow_csv.open_csv(
            source,
            arrow_csv.ReadOptions(column_names=places, skip_rows=skip, use_threads=False, block_size=size),
            arrow_csv.ParseOptions(delimiter=separator, newlines_in_values=quoted),
            arrow_csv.ConvertOptions(
                column_types=dict(zip(places, types, strict=True)), null_values=[], strings_can_be_null=False
            ),
        )

    return read_as


def _fractions(pa, read_as, head, skip, names, numbers):
    """Which of ``numbers`` have numbers with fractions, and nothing else, in the first lines."""
    head, found = head[: head.rfind(b"\n", 0, _HEAD) + 1], set()
    try:
        batch = next(iter(read_as(pa.BufferReader(head), skip, [pa.string()] * len(names), quoted=False)))
    except (pa.ArrowInvalid, StopIteration):
        return found
    for name, array in zip(names.values(), batch.columns, strict=True):
        if name in numbers and not _cast(pa, array, pa.int64()) and _cast(pa, array, pa.float64()):
            found.add(name)
    return found


def _cast(pa, array, to):
    """Whether all texts of a block are numbers of a type."""
    try:
        return len(array.cast(to)) > 0
    except pa.ArrowInvalid:
        return False


class _Doubles:
    """A column that the reader made doubles; ``lost`` where one is not a number, whose text is needed."""

    def __init__(self, rows):
        self._values, self._rows, self.lost = np.empty(rows), 0, False

    def add(self, array):
        """Take one more block."""
        part = array.to_numpy()
        end = self._rows + len(part)
        if end > len(self._values):  # lines end with a carriage return alone
            self._values = np.concatenate([self._values[: self._rows], np.empty(end)])
        self._values[self._rows : end] = part
        self._rows, self.lost = end, self.lost or bool(np.isnan(part).any())

    def series(self):
        """The column; nothing was missing."""
        numbers = pd.Series(self._values[: self._rows], copy=False)
        numbers.attrs[KINDS] = {}
        return numbers


class _Gathered:
    """One column: the blocks so far, as whole numbers, else as doubles if that may be, else as text."""

    def __init__(self, pa, compute, is_number, perhaps, is_label):
        self._pa, self._compute, self._is_label = pa, compute, is_label
        self._kind, self._is_number, self._perhaps = "whole", is_number, perhaps
        self._blocks, self._kinds, self.lost = [], {}, False

    def add(self, array):
        """Take one more block; say so in ``lost`` if text is needed that is there no more."""
        if self._kind == "whole":
            if (numbers := self._whole(array)) is not None:
                self._blocks.append(numbers)
                return
            doubles = self._is_number or (self._perhaps and self._hardly_repeats(array))
            self._kind = "doubles" if doubles else "text"
            to = self._pa.float64() if doubles else self._pa.string()
            self._blocks = [block.cast(to, safe=False) for block in self._blocks]
        if self._kind == "doubles":
            if (numbers := self._doubles(array)) is not None:
                self._blocks.append(numbers)
                return
            self._kind, self.lost = "text", bool(self._blocks)
        self._blocks.append(array)

    def _hardly_repeats(self, array):
        array = array.slice(0, MANY)
        return self._compute.count_distinct(array).as_py() > len(array) / 2

    def _whole(self, array):
        try:
            array.slice(0, _FIRST).cast(self._pa.int64())  # Arrow goes through all before it finds fault
            numbers = array.cast(self._pa.int64())
        except self._pa.ArrowInvalid:
            return None
        return numbers if numbers.cast(array.type).equals(array) else None

    def _doubles(self, array):
        gone = self._compute.is_in(array, self._pa.array(MARKS, self._pa.string()))
        if self._compute.any(gone).as_py():
            for kind in self._compute.value_counts(array.filter(gone)).to_pylist():
                if re.fullmatch(TOLD, kind["values"]):
                    self._kinds[kind["values"]] = self._kinds.get(kind["values"], 0) + kind["counts"]
            array = self._compute.if_else(gone, None, array)
        try:
            return array.cast(self._pa.float64())
        except self._pa.ArrowInvalid:
            return None

    def series(self):
        """The column; of numbers what was missing by kind is in ``attrs``."""
        type_of = {"whole": self._pa.int64(), "doubles": self._pa.float64(), "text": self._pa.string()}
        column = self._pa.chunked_array(self._blocks, type_of[self._kind])
        self._blocks = []
        if self._kind == "text" and self._is_label:
            return self._categories(column)
        if self._kind == "text":
            return pd.Series(pd.array(column, dtype=pd.StringDtype("pyarrow", na_value=np.nan)))
        numbers = pd.Series(column.to_numpy(), copy=False)
        numbers.attrs[KINDS] = self._kinds
        return numbers

    def _categories(self, texts):
        """Text as categories in alphabetical order, what is no label without one."""
        found = texts.dictionary_encode().chunks
        codes = np.concatenate([chunk.indices.to_numpy() for chunk in found])
        labels = found[-1].dictionary  # that of all chunks
        order = self._compute.array_sort_indices(labels).to_numpy()
        texts = pd.array(labels.take(order), dtype=pd.StringDtype("pyarrow", na_value=np.nan))
        codes = rank(order).astype(codes.dtype)[codes]
        kind = deepcopy(pd.CategoricalDtype(pd.Index(texts)))  # whose check left an object for each label
        return pd.Series(pd.Categorical.from_codes(codes, dtype=kind, validate=False), copy=False)
