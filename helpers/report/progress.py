"""How far a report of a large file is, told on one line to whoever sits before a terminal."""

from __future__ import annotations

import sys

from ..fits.waiting import watched

LONG = 5_000_000  # bytes: smaller files are done before one would read it
_WIDTH = 30
STEPS = {
    "reading": (0.0, 0.4),
    "estimating": (0.4, 0.6),
    "looking what to watch": (0.6, 0.8),
    "drawing": (0.8, 1),
}


class Progress:
    """A bar on stderr; nothing where nobody sees it, or where the file is small. Gone when the work is done.

    Parameters
    ----------
    size : int
        Of the file, in bytes.
    """

    def __init__(self, size):
        self._seen, self._line = size >= LONG and watched(), ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._print("")

    def step(self, what, share=0.0):
        """Say that a step of `STEPS` has begun, or how much of it is done."""
        low, high = STEPS[what]
        done = low + share * (high - low)
        self._print(f"[{'#' * round(done * _WIDTH):{_WIDTH}}] {done:4.0%} {what}")

    def reading(self, share):
        """Say what share of the file was read."""
        self.step("reading", share)

    def _print(self, line):
        if self._seen and line != self._line:
            print(f"\r{line:{len(self._line)}}" + "\r" * (not line), end="", file=sys.stderr, flush=True)
            self._line = line
