"""A file in, a page out: the whole command beside DuckDB's own read and GROUP BY of the same file."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import pandas as pd

from .page import count, paragraphs, significant, table

# Sizes, means, variances and the covariance of each group: what a model with these columns takes.
QUERY = (
    "SELECT count(*), sum(m) FROM (SELECT g, count(*) AS n, avg(y) AS m, var_samp(y), avg(x), var_samp(x), "
    "covar_samp(x, y) FROM read_csv('{file}') GROUP BY g)"
)
DUCKDB, PAGE, TABLE = "DuckDB: read, GROUP BY", "helpers: the page, by command", "helpers: the table alone"
FEW = 1000  # rows of the file that shows what starting takes


class Used(NamedTuple):
    """What a process took: seconds on the clock, seconds of the processor, most bytes held."""

    wall: float
    cpu: float
    held: float


def written(path, N, J):
    """Write N rows of J groups, with names for labels, about a line each."""
    rng = np.random.default_rng(1)
    codes, x = rng.integers(J, size=N), rng.normal(size=N)
    y = rng.normal(size=J)[codes] + 0.3 * x + rng.normal(size=N)
    names = np.array([f"g{k:05d}" for k in range(J)])
    frame = pd.DataFrame({"g": names[codes], "x": x, "y": y})
    frame.to_csv(path, index=False, float_format="%.4f")
    return path.stat().st_size


def commands(path):
    """Name to the command of a process."""
    asked = [
        "--outcome",
        "y",
        "--group",
        "g",
        "--predictors",
        "x",
        "--output",
        str(path.with_suffix(".html")),
    ]
    by_function = (
        "from helpers import report; "
        f"data = report.read_table({str(path)!r}, numbers=['y', 'x'], labels=['g']); "
        "report.describe(data, 'y', 'g', ['x']).text"
    )
    return {
        DUCKDB: ["-c", f"import duckdb; duckdb.sql({QUERY.format(file=path)!r}).fetchall()"],
        TABLE: ["-c", by_function],
        PAGE: ["-m", "helpers", "report", str(path), *asked],
    }


def used(command):
    """Run Python with a command; return what it used."""
    run = subprocess.run([sys.executable, "-S", "-c", _STARTER, *command], capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(f"{command} failed: {run.stderr[-300:]}")
    wall, cpu, held = json.loads(run.stdout.splitlines()[-1])
    return Used(wall, cpu, held * (1 if sys.platform == "darwin" else 1024))


# A small process starts each: one that starts from here would seem to hold what this process holds.
_STARTER = """
import json, os, sys, time
start = time.perf_counter()
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
pid = os.posix_spawn(sys.executable, [sys.executable, *sys.argv[1:]], os.environ, file_actions=quiet)
_, status, found = os.wait4(pid, 0)
print(json.dumps([time.perf_counter() - start, found.ru_utime + found.ru_stime, found.ru_maxrss]))
sys.exit(os.waitstatus_to_exitcode(status))
"""


def race(folder, N, J, rounds):
    """Each in turn, on the whole file and on one of a few rows: medians by name, and the file's bytes."""
    files = {FEW: (FEW, min(J, FEW // 10)), N: (N, J)}
    sizes = {rows: written(folder / f"{rows}.csv", *of) for rows, of in files.items()}
    runs = {}
    for turn in range(rounds + 1):
        for rows in files:
            for name, command in commands(folder / f"{rows}.csv").items():
                if found := used(command) if turn or rows == FEW else None:  # the first turn warms up
                    runs.setdefault((rows, name), []).append(found)
    return {key: Used(*map(median, zip(*all_of, strict=True))) for key, all_of in runs.items()}, sizes[N]


def reports(N, J, rounds):
    """The section of the page."""
    with tempfile.TemporaryDirectory() as folder:
        found, size = race(Path(folder), N, J, rounds)
    lines, beyond = [], []
    base = found[N, DUCKDB]
    for name in (DUCKDB, TABLE, PAGE):
        own, few = found[N, name], found[FEW, name]
        over = [significant(own.wall / base.wall), significant(own.cpu / base.cpu)]
        lines.append(
            [name, significant(own.wall), significant(own.cpu), *over, significant(own.held / 2**20)]
        )
        more = own.cpu - few.cpu
        ratio = more / (base.cpu - found[FEW, DUCKDB].cpu)
        beyond.append(
            [name, significant(few.cpu), significant(more), significant(ratio),
             significant((own.held - few.held) / size)]
        )  # fmt: skip
    return paragraphs(
        "## A file in, a page out",
        f"A CSV file of {count(N)} rows in {count(J)} groups ({significant(size / 2**20)} MiB: a name, two "
        "numbers), read by `python -m helpers report` with one predictor, all models, warnings and pictures, "
        "into a page; by `read_table` and `describe` into the table alone; and by DuckDB, which counts rows, "
        "means, variances and a covariance by group. Each is a process of its own, start included, in turn.",
        table(
            ["process", "clock, s", "processor, s", "times DuckDB, clock", "processor", "most held, MiB"],
            lines,
        ),
        f"What a file of {count(FEW)} rows takes is the start: Python, packages, and drawing the pictures, "
        "which does not grow with the rows. Beyond that:",
        table(
            ["process", f"{count(FEW)} rows, s", "more for all, s", "times DuckDB", "memory, files"], beyond
        ),
        "Memory is the most held, less that with few rows, in the size of the file.",
    )
