"""Work in chunks, so that memory does not grow with it; the person who waits is told how far it is."""

from __future__ import annotations

import sys
import time

from .checks import whole

CHUNK = 2**17  # doubles drawn at a time: what a processor's cache holds


def chunks(replicates, width):
    """Yield how many replicates to do next; after a second, tell the person who waits how far it is."""
    replicates = int(whole("replicates", replicates, 2))
    size = max(1, CHUNK // int(width))
    start = time.monotonic()
    said, line = start, ""
    try:
        for done in range(0, replicates, size):
            now = time.monotonic()
            if done and now - said > (0.2 if line else 1) and watched():
                left = (now - start) * (replicates - done) / done
                said, line = now, f"{done / replicates:4.0%} of {replicates} replicates, {left:.0f} s left "
                print("\r" + line, end="", file=sys.stderr, flush=True)
            yield min(size, replicates - done)
    finally:
        if line:
            print("\r" + " " * len(line) + "\r", end="", file=sys.stderr, flush=True)


def get_ipython():
    """The shell where IPython runs; importing the package does not import it."""
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


def watched():
    """Whether a person sees stderr: a terminal, or a notebook that could ask its reader for input.

    Notebooks executed by nbconvert or nbval cannot: what they store must not depend on the clock.
    """
    kernel = getattr(get_ipython(), "kernel", None)
    return sys.stderr.isatty() or getattr(kernel, "_allow_stdin", False)
