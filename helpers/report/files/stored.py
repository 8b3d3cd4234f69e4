"""The bytes of a file: a small one whole, of a large one its beginning and what one pass over it tells."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from ...tables import refuse

LARGE = 1_000_000  # bytes, from where on a text is read in blocks and never in memory whole
_HEAD = 1 << 18  # bytes
_BLOCK = 1 << 20


class Seen(NamedTuple):
    """What one pass over a text tells.

    Attributes
    ----------
    zeros, quotes : bool
        Whether it holds zero bytes, and quotes.
    ends : int
        How often a line ends before its last character that is no blank.
    """

    zeros: bool
    quotes: bool
    ends: int


class Stored:
    """A file on a disk, or bytes that were unpacked from one.

    Parameters
    ----------
    path : Path
    raw : bytes, optional
        What was unpacked.

    Attributes
    ----------
    size : int
    head : bytes
        Its beginning.

    Raises
    ------
    ValueError
        If there is no such file, it cannot be read, or nothing is in it.
    """

    def __init__(self, path: Path, raw: bytes | None = None):
        self._path, self._raw = path, raw
        if raw is None:
            if not path.exists():
                refuse.no_file(path)
            if not path.is_file():
                raise ValueError(f"{str(path)!r} is no file")
            self.size = path.stat().st_size
            if self.size <= LARGE:
                self._raw = self._bytes()
        if self._raw is not None:
            self.size = len(self._raw)
        self.head = self._bytes(_HEAD) if self._raw is None else self._raw[:_HEAD]
        if not (self.head.strip() or self.whole().strip()):
            raise ValueError(f"{str(path)!r} is empty")

    def whole(self) -> bytes:
        """All bytes; a large file is read once more."""
        return self._bytes() if self._raw is None else self._raw

    def opened(self, pa):
        """What Arrow reads from, from the beginning."""
        return pa.OSFile(str(self._path)) if self._raw is None else pa.BufferReader(self._raw)

    @cached_property
    def seen(self) -> Seen:
        """What one pass tells of a text."""
        zeros, quotes, ends, before = False, False, 0, 0
        for block in self._blocks():
            zeros, quotes = zeros or b"\0" in block, quotes or b'"' in block
            if last := len(block.rstrip()):
                ends = before + block.count(b"\n", 0, last)
            before += block.count(b"\n")
        return Seen(zeros, quotes, ends)

    def _blocks(self):
        if self._raw is not None:
            yield from (self._raw[k : k + _BLOCK] for k in range(0, self.size, _BLOCK))
            return
        with self._path.open("rb", buffering=0) as file:
            while block := file.read(_BLOCK):
                yield block

    def _bytes(self, most=-1):
        try:
            with self._path.open("rb") as file:
                return file.read(most)
        except OSError as error:
            raise ValueError(f"{str(self._path)!r} cannot be read: {error.strerror}") from None
