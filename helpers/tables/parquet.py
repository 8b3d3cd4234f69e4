"""A Parquet file, a folder or a glob of them as a table that stays where it is: polars scans it or DuckDB."""

from __future__ import annotations

import importlib
import os
from glob import glob, has_magic
from pathlib import Path

from . import refuse

_ENDINGS = (".parquet", ".pq")
_ENGINES = {
    "polars": lambda polars, files: polars.scan_parquet(files),
    "duckdb": lambda duckdb, files: duckdb.from_parquet(files),
}


def opened(data):
    """Return the table of a path; anything else as it is.

    Parameters
    ----------
    data : str, Path or anything
        A Parquet file, a folder with Parquet files in it, or a glob, ``"folder/*.parquet"``.

    Returns
    -------
    polars.LazyFrame, DuckDBPyRelation or ``data``

    Raises
    ------
    ValueError
        If there is no such file, it is no Parquet, or neither polars nor DuckDB is installed.
    """
    if not isinstance(data, (str, os.PathLike)):
        return data
    files = found(data)
    for name, scan in _ENGINES.items():
        try:
            package = importlib.import_module(name)
        except ImportError:
            continue
        try:
            table = scan(package, files)
            table.collect_schema() if name == "polars" else table.columns
        except Exception as error:  # each package has its own
            said = " ".join(str(error).split()) or type(error).__name__
            raise ValueError(f"{os.fspath(data)!r} cannot be read as Parquet: {said}") from None
        return table
    raise ValueError(
        f"{os.fspath(data)!r} is Parquet, which needs polars or DuckDB: install one (pip install polars)"
    )


def found(path) -> list[str]:
    """Return the Parquet files that a path names, sorted by name; refuse a path without any.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    list of str
    """
    text = os.path.expanduser(os.fspath(path))
    here = Path(text)
    if here.is_dir():
        files = [str(file) for file in here.iterdir() if file.suffix.lower() in _ENDINGS]
        if not files:
            raise ValueError(f"folder {text!r} has no Parquet file in it (name.parquet)")
    elif here.is_file():
        files = [text]
    elif has_magic(text):
        files = [file for file in glob(text, recursive=True) if Path(file).is_file()]
        if not files:
            raise ValueError(f"no file is named as {text!r} says, seen from {os.getcwd()!r}")
    else:
        refuse.no_file(here)
    other = [file for file in files if Path(file).suffix.lower() not in _ENDINGS]
    if other:
        raise ValueError(
            f"{other[0]!r} is no Parquet file: read it first, with helpers.report.read_table or pandas"
        )
    return sorted(files)
