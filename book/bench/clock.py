"""Contenders are timed in turn within one run, so that whatever else the machine does hits all alike."""

import gc
import time
import warnings
from dataclasses import dataclass, field
from statistics import median
from typing import Any, NamedTuple

SLOW = 10.0  # seconds: what takes longer is called once


class Timed(NamedTuple):
    """The answer of a contender that brings its own clock: R."""

    seconds: float
    value: Any


@dataclass
class Outcome:
    """What a contender answered, how long its calls took, or why there is no answer."""

    value: Any = None
    seconds: list = field(default_factory=list)
    error: str | None = None

    @property
    def time(self):
        """Median seconds of a call; None without an answer."""
        return median(self.seconds) if self.seconds else None

    def over(self, other):
        """How many times as long as another outcome; None if either has no time."""
        return self.time / other.time if self.time and other.time else None


def clocked(call):
    """Call once; return seconds and value."""
    start = time.perf_counter()
    value = call()
    seconds = time.perf_counter() - start
    return (value.seconds, value.value) if isinstance(value, Timed) else (seconds, value)


def first(call):
    """Call for the first time, unmeasured (imports, caches), unless it is slow."""
    try:
        seconds, value = clocked(call)
    except ImportError:
        return Outcome(error="not installed")
    except Exception as error:
        return Outcome(error=f"fails: {type(error).__name__}")
    return Outcome(value, [seconds] if seconds > SLOW else [])


def turn(call, least):
    """Call again and again for at least so many seconds in all; return the seconds of each call."""
    calls = []
    while not calls or sum(calls) < least:
        calls.append(clocked(call)[0])
    return calls


def race(contenders, rounds, least=0.02):
    """Time contenders in turn, round by round.

    Parameters
    ----------
    contenders : dict of str to callable
    rounds : int
    least : float
        Seconds of a turn; a contender that needs longer is called once a turn.

    Returns
    -------
    dict of str to Outcome
    """
    with warnings.catch_warnings(record=True):
        outcomes = {name: first(call) for name, call in contenders.items()}
        running = [name for name, outcome in outcomes.items() if not (outcome.error or outcome.seconds)]
        gc.disable()
        try:
            for _ in range(rounds):
                gc.collect()
                for name in running:
                    outcomes[name].seconds += turn(contenders[name], least)
        finally:
            gc.enable()
    return outcomes
