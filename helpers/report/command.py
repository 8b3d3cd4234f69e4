"""The report as a command (and the chooser beside it): what is asked, the files it writes, what it prints."""

from __future__ import annotations

import argparse
import importlib
import re
import sys
from contextlib import suppress
from datetime import datetime
from functools import partial
from glob import has_magic
from importlib import metadata
from pathlib import Path

import matplotlib

from ..course import which
from . import written
from .files import missing, read_table
from .files.together import together
from .progress import Progress
from .report import describe

_PACKAGE = "which-standard-error"


class _Parser(argparse.ArgumentParser):
    """A parser that says in one line what was wrong."""

    def error(self, message):
        self.exit(2, f"{self.prog}: error: {message}\n")


def _parser():
    parser = _Parser(prog="python -m helpers", description="Standard errors for grouped data.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="{report,which}")
    told = commands.add_parser(
        "report",
        help="say which standard error answers which question about a file, in a page of HTML",
        description="Say how the data of a file are grouped, estimate every mean and slope with its standard "
        "error, and warn of what matters; write it as one self-contained page of HTML.",
    )
    told.add_argument(
        "file",
        metavar="FILE",
        help="text (CSV and the like), SPSS, Stata, SAS, Excel, R, Parquet or Arrow; a "
        "folder of Parquet files",
    )
    told.add_argument("--outcome", required=True, metavar="COLUMN", help="what was measured")
    told.add_argument("--group", required=True, nargs="+", metavar="COLUMN",
                      help="which group a row is in; school/class for classes in schools, plate sample for "
                      "groupings that cross, school+class where it takes both to name one group")  # fmt: skip
    told.add_argument("--predictors", nargs="+", default=[], metavar="TERM",
                      help='columns, blanks between them, or terms such as "np.log(age)"')  # fmt: skip
    told.add_argument(
        "--one", metavar="LABEL", help="the group whose own mean is asked for (default largest)"
    )
    told.add_argument("--classes-in-population", "--population", type=float, metavar="K", dest="population",
                      help="how many groups there are, if these were drawn from finitely many")  # fmt: skip
    told.add_argument("--missing", choices=["raise", "drop"], default="raise",
                      help="refuse rows that lack a value (default), or drop and count them; nothing, NA, "
                      "n/a, NaN, null and None are missing values")  # fmt: skip
    told.add_argument("--level", type=float, default=0.95, help="of the intervals (default 0.95)")
    told.add_argument(
        "--output", metavar="FILE.html", help="default: the file's name with -report.html, here"
    )
    told.add_argument(
        "--table", metavar="FILE", help="write the table too: .csv (all digits), .docx (Word) or .tex (LaTeX)"
    )
    told.add_argument("--sheet", metavar="NAME", help="which sheet of a workbook, or data frame of .RData")
    told.add_argument(
        "--columns", nargs="+", metavar="NAME", help="names of all columns, if the text has none"
    )
    told.add_argument("--missing-values", nargs="+", default=[], metavar="CODE",
                      help="codes of missing values: 9 99, of outcome and predictors; income=9")  # fmt: skip
    told.add_argument("--long", nargs="+", metavar="COLUMN",
                      help="columns of a wide table that are one: a row each")  # fmt: skip
    told.add_argument("--as", nargs=2, default=["time", "value"], metavar=("WHICH", "VALUE"), dest="names",
                      help="with --long: names of the two new columns (default time value)")  # fmt: skip
    told.add_argument(
        "--separator", help='between fields: ",", ";", "tab", "|" or "blank" (default: found out)'
    )
    told.add_argument("--decimal", help='the decimal mark, "." or "," (default: found out)')
    told.add_argument("--encoding", help="of the file (default UTF-8)")
    which.add_command(commands)
    return parser


def main(arguments=None) -> int:
    """Run the command line; return the exit code, 2 for what is wrong with the input."""
    asked = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    if asked.command == "which":
        return which.run(asked)
    matplotlib.use("Agg")
    with suppress(ImportError):  # else Arrow keeps what it gives back
        arrow = importlib.import_module("pyarrow")
        arrow.set_memory_pool(arrow.system_memory_pool())
    try:
        _report(asked)
    except (ValueError, TypeError) as error:
        message = str(error).replace('missing="drop"', "--missing drop")
        return _refuse(message)
    except BrokenPipeError:  # whoever read the words stopped; the files are written
        sys.stdout = None
    except KeyboardInterrupt:
        print("\npython -m helpers report: stopped; no file is half written", file=sys.stderr)
        return 130
    except OSError as error:
        return _refuse(f"cannot write {error.filename!r}: {error.strerror}")
    return 0


def _report(asked):
    source = Path(asked.file)
    named = next((part for part in (source, *source.parents) if not has_magic(part.name)), source)
    targets = [Path(asked.output or f"{named.resolve().stem}-report.html")]
    targets += [Path(asked.table)] if asked.table else []
    for target in targets:
        if target.resolve() == source.resolve():
            raise ValueError(f"{str(target)!r} is the file to read: write elsewhere")
    if asked.table:
        written.check_ending(asked.table)
    with Progress(source.stat().st_size if source.is_file() else 0) as progress:
        found, contents = _contents(asked, source, targets, progress)
    for target, content in zip(targets, contents, strict=True):
        written.whole(target, content)
    print(found)
    print("\nwritten: " + ", ".join(map(str, targets)))


def _contents(asked, source, targets, progress):
    """What was found, and what each file is to hold."""
    group = asked.group if len(asked.group) > 1 else asked.group[0]
    parts = group.split("+") if isinstance(group, str) else []
    labels = {*asked.group, *parts, *_groups(asked)}
    numbers = [*(asked.long or [asked.outcome]), *asked.predictors]
    data = read_table(
        source, asked.separator, asked.decimal, asked.encoding, sheet=asked.sheet, columns=asked.columns,
        missing_values=partial(_codes, asked), long=asked.long, names=asked.names, labels=labels,
        numbers=[name for name in numbers if name not in labels], told=progress.reading,
    )  # fmt: skip
    if len(parts) > 1 and group not in data.columns:
        data = together(data, parts)
    progress.step("estimating")
    found = describe(
        data, asked.outcome, group, asked.predictors, asked.population, asked.missing, asked.level,
        asked.one,
    )  # fmt: skip
    progress.step("looking what to watch")
    used = [asked.outcome, *_groups(asked), *parts, *asked.predictors]
    title = " ".join([*_how_read(source, data), *_of_file(data, used)])
    _ = found.warnings, found.sentence
    progress.step("drawing")
    with suppress(ImportError):  # what the fits gave back goes to the system, which draws in other sizes
        importlib.import_module("pyarrow").default_memory_pool().release_unused()
    contents = [found.to_html(title).encode("utf-8")]
    contents += [written.table(found, targets[1])] if asked.table else []
    return found, contents


def _codes(asked, names):
    """Which codes are missing values of which column: of outcome and predictors, or as said."""
    terms = [*(asked.long or [asked.outcome]), *asked.predictors]
    found = {}
    for code in asked.missing_values:
        name, equals, value = code.rpartition("=")
        for one in [name] if equals else names:
            if equals or any(re.search(rf"(?<![\w.]){re.escape(str(one))}(?![\w.])", term) for term in terms):
                found.setdefault(one, []).append(value)
    return found


def _how_read(source, data):
    """Which file, how it was read, by which program, when."""
    yield f"{source.name}, {data.attrs['read']}. {len(data)} rows."
    if "decimal comma" in data.attrs["read"]:
        yield "Numbers in this report have a decimal point."
    try:
        version = f"{_PACKAGE} {metadata.version(_PACKAGE)}"
    except metadata.PackageNotFoundError:  # run from a folder, without being installed
        version = _PACKAGE
    yield f"Made by {version} on {datetime.now().astimezone():%Y-%m-%d}."


def _of_file(data, used):
    """What a file says of the columns used: what they are called, and what was missing in them."""
    labels = data.attrs.get("labels", {})
    if told := [
        f"{name}: {labels[name]}" for name in map(str, data.columns) if name in used and name in labels
    ]:
        yield "; ".join(told) + "."
    if kinds := missing.told(data.attrs, used):
        yield kinds


def _groups(asked):
    """The columns that are named as groups."""
    return [part for name in asked.group for part in dict.fromkeys([name, *name.split("/")])]


def _refuse(message):
    line = "".join(c if c.isprintable() else " " for c in message)
    print(f"python -m helpers report: error: {' '.join(line.split())}", file=sys.stderr)
    return 2
