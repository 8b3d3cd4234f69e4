"""Compare R's answers here with those that the same scripts gave under another R: `python again.py FOLDER`.

FOLDER holds the JSON files of the other run. Writes again.json beside itself: both stamps, the number of
values, and every value that moved by more than a part in ten million.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
MOVED = 1e-7
NO_PROGRAM = {"RNGkind", "script", "setup", "source", "symbols"}
# What a script says or was given, not what it computed: the tables, and the columns of the random designs.
NO_ANSWER = {"command", "g", "meta", "note", "tables", "x1", "x2", "y"}


def numbers(value, path=""):
    """Every number that a script computed, by where it stands."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in NO_ANSWER:
                yield from numbers(inner, f"{path}/{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from numbers(inner, f"{path}[{index}]")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, float(value)


def compared(ours, theirs):
    """Return how many numbers both have, and those that moved: where, here, there."""
    here, there = dict(numbers(ours)), dict(numbers(theirs))
    both = here.keys() & there.keys()
    moved = [
        {"where": where, "here": here[where], "there": there[where]}
        for where in here
        if where in both and abs(here[where] - there[where]) > MOVED * max(1.0, abs(here[where]))
    ]
    absent = sorted(here.keys() ^ there.keys())
    return {"values": len(both), "moved": moved, "only in one": absent}


def stamp(content):
    """The versions a file was made with: what its meta says of programs."""
    meta = content["meta"].items()
    return {key: value for key, value in meta if isinstance(value, str) and key not in NO_PROGRAM}


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    result = {}
    for path in sorted(HERE.glob("*.json")):
        other = folder / path.name
        if path.name != "again.json" and other.exists():
            ours, theirs = (json.loads(one.read_text(encoding="utf-8")) for one in (path, other))
            if stamp(ours) != stamp(theirs):
                result[path.stem] = {"here": stamp(ours), "there": stamp(theirs), **compared(ours, theirs)}
    (HERE / "again.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    for name, found in result.items():
        print(name, found["values"], len(found["moved"]), len(found["only in one"]))
