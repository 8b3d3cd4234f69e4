"""A group that two columns name together: class 1 of school A is another than class 1 of school B."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...tables.labels import as_labels, number


def together(frame, names) -> pd.DataFrame:
    """Return the frame with one column more, called ``"school+class"``, whose labels are ``"A / 1"``.

    Parameters
    ----------
    frame : DataFrame
    names : list of str
        Two columns or more; where one lacks a value there is no label.

    Raises
    ------
    ValueError
        If a column is not there, or two pairs would have one label.

    Examples
    --------
    >>> import pandas as pd
    >>> data = pd.DataFrame({"school": ["A", "A", "B"], "class": [1, 2, 1]})
    >>> together(data, ["school", "class"])["school+class"].tolist()
    ['A / 1', 'A / 2', 'B / 1']
    """
    for name in names:
        if name not in frame.columns:
            raise ValueError(f"no column {name!r} among {', '.join(map(str, frame.columns))}")
    parts = [number(as_labels(frame[name])) for name in names]
    gone = np.zeros(len(frame), dtype=bool)
    for _, _, absent in parts:
        gone |= False if absent is None else absent
    codes = np.column_stack([part[0] for part in parts])
    pairs, place = np.unique(codes[~gone], axis=0, return_inverse=True)
    labels = [" / ".join(str(part[1][k]) for part, k in zip(parts, pair, strict=True)) for pair in pairs]
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise ValueError(f"two groups of {' and '.join(names)} would be called {twice!r}: rename one of them")
    of_rows = np.full(len(frame), -1)
    of_rows[~gone] = place.ravel()
    attrs = frame.attrs
    frame = frame.assign(**{"+".join(names): pd.Categorical.from_codes(of_rows, labels)})
    frame.attrs = attrs | {"read": attrs.get("read", "a table") + f"; {'+'.join(names)} made of both columns"}
    return frame
