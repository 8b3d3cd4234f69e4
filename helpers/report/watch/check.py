"""What a check is: a function that yields warnings, its threshold and the reason for it beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Watch(NamedTuple):
    """A check, and what it watches for.

    Attributes
    ----------
    warning : str
        The matter: what its warnings say before the colon.
    due : str
        From where on it warns.
    why : str
        Why there, or what for.
    check : callable
        Of `findings.Findings`; yields warnings.
    """

    warning: str
    due: str
    why: str
    check: Callable


def watch(warning, due, why):
    """Make a function that yields warnings a `Watch`."""
    return lambda check: Watch(warning, due, why, check)
