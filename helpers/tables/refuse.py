"""What no table may hold: the refusals that columns in memory and engines share, in the same words."""

from __future__ import annotations

import difflib

WHOLE = 2.0**53  # beyond it doubles skip integers


def signpost(section) -> str:
    """Where the course says what lies outside its model: a section of book/ends.md."""
    return f'see "{section}" on the page "Where this course ends"'


def unknown(wanted, there):
    """Say so if a column is not there."""
    for name in wanted:
        if name not in there:
            close = difflib.get_close_matches(name, map(str, there), 1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise ValueError(f"no column {name!r} among {', '.join(map(str, there))}{hint}")


def no_file(path):
    """Say that there is no such file, and which one beside it is called alike."""
    there = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, there, 1, 0.8)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"no file {path.name!r} in {str(path.parent.resolve())!r}{hint}")


def no_rows(N):
    """Say so if there are no rows."""
    if not N:
        raise ValueError("the table has no rows")


def missing_values(gaps, N, hint=""):
    """Say which columns lack values: name to how many, and where the first is."""
    told = "; ".join(
        f"column {name!r} lacks {count} of {N} values{first}" for name, (count, first) in gaps.items()
    )
    raise ValueError(f'{told}{hint}: fill them, or say missing="drop"')


def none_left(kept, N):
    """Say so if rows with missing values were all there were."""
    if not kept:
        raise ValueError(f"no row is left once those with missing values are dropped ({N} rows)")


def times(name):
    """Say that a column holds dates or times."""
    raise ValueError(f"column {name!r} holds dates or times: make it a number, such as days since the first")


def text_outcome(name, dtype):
    """Say that the outcome is no number."""
    raise ValueError(
        f"the outcome {name!r} is not numeric but {dtype}: if it holds numbers written as text, "
        "make them numbers first, as pandas' to_numeric does"
    )


def beyond_doubles(name, most):
    """Say so if whole numbers are too large to be doubles."""
    if most >= WHOLE:
        raise ValueError(
            f"column {name!r} holds whole numbers beyond 2**53, which doubles cannot tell apart: "
            "subtract one of them first"
        )


def repeated(terms):
    """Say so if two terms have one name."""
    for k, term in enumerate(terms):
        if term in terms[:k]:
            raise ValueError(f"two terms are called {term!r}: rename the column")
