"""A hundred million rows on a cluster of two workers: time, memory of each process, a worker killed."""

import gc
import logging
import os
import signal
import tempfile
import threading
from importlib.metadata import version

import numpy as np
import pandas as pd

from helpers import partial_pooling
from helpers.tables import summarise

from .clock import clocked
from .page import count, paragraphs, significant, table
from .scale import HONEST, resident

WORKERS = 2
PART = 500_000  # rows of a partition
GROUPS = (1000, 100_000)
MOST_HERE = 10**7  # rows that one process is asked to hold


def part(k, rows, groups):
    """Partition k, made by whoever needs it: no process ever holds the table."""
    rng = np.random.default_rng(k)
    g = rng.integers(groups, size=rows)
    return pd.DataFrame({"g": g, "y": 100 + np.sin(g) + rng.normal(0, 2, rows)})


def in_parts(N, groups):
    """The table of N rows, to be made by the workers."""
    import dask.dataframe as dd

    rows = min(PART, N // 4)
    return dd.from_map(part, range(N // rows), rows=rows, groups=groups, meta=part(0, 1, groups))


def whole(N, groups):
    """The same rows in this process."""
    rows = min(PART, N // 4)
    return pd.concat([part(k, rows, groups) for k in range(N // rows)], ignore_index=True)


def one_process(N, groups):
    """Seconds to make the rows, and to summarise them."""
    making, data = clocked(lambda: whole(N, groups))
    return making, clocked(lambda: summarise(data, "y ~ 1", "g"))[0]


def peaks(client=None):
    """Most memory that each process has held since the last reset."""
    return [resident("VmHWM"), *(client.run(resident, "VmHWM").values() if client else [])]


def reset(client=None):
    """Start to count anew; return what each process holds now."""
    gc.collect()
    return [
        resident("VmRSS", reset=True),
        *(client.run(resident, "VmRSS", reset=True).values() if client else []),
    ]


def killed(client, after, call):
    """Call, and kill -9 one of the workers when so many seconds have passed."""
    worker = min(client.run(os.getpid).values())
    killer = threading.Timer(after, os.kill, [worker, signal.SIGKILL])
    killer.start()
    found = clocked(call)
    client.wait_for_workers(WORKERS)
    if worker in client.run(os.getpid).values():
        raise RuntimeError("the call was over before the worker was killed")
    return found


def apart(one, other):
    """Largest relative difference of psi, theta and the standard error in two summaries."""
    mine, theirs = (partial_pooling(None, summary) for summary in (one, other))
    values = [np.array([fit.psi, fit.theta, fit.bse.iloc[0]]) for fit in (mine, theirs)]
    return f"{np.abs(values[1] / values[0] - 1).max():.1e}"


def lines(client, N, groups):
    """Time, memory and agreement for one number of groups, as cells of three tables."""
    ask = lambda rows: summarise(in_parts(rows, groups), "y ~ 1", "g")  # noqa: E731
    few, here = min(N, 10**6), min(N, MOST_HERE)
    small, _ = ask(few), client.run(gc.collect)  # imports, too
    alone = summarise(whole(few, groups), "y ~ 1", "g")
    making, summing = one_process(here, groups)
    before = reset(client)
    seconds, found = clocked(lambda: ask(N))
    held = np.subtract(peaks(client), before) / (16 * N)
    longer, again = killed(client, seconds / 4, lambda: ask(N))
    rate = (making + summing) / here * N
    times = [count(groups), rate, seconds, rate / seconds, N / seconds / WORKERS / 1e6, longer]
    return (
        [times[0], *map(significant, times[1:])],
        [times[0], *(f"{share:.1%}" for share in (held[0], max(held[1:])))],
        [times[0], apart(alone, small), apart(found, again)],
    )


def cluster(N):
    """The section on a table that no process holds."""
    import dask
    from distributed import Client, LocalCluster

    with (
        dask.config.set({"distributed.nanny.pre-spawn-environ": HONEST}),
        tempfile.TemporaryDirectory() as folder,
        LocalCluster(
            n_workers=WORKERS, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0",
            local_directory=folder, silence_logs=logging.CRITICAL,
        ) as workers,
        Client(workers) as client,
    ):  # fmt: skip
        times, memory, digits = zip(
            *(lines(client, N, groups) for groups in GROUPS if groups < N), strict=True
        )
    return paragraphs(
        "## A table that no process holds",
        f"`y ~ 1`, {count(N)} rows, two columns of 8 bytes, on a cluster of {WORKERS} workers of one thread "
        f"each on this machine (Dask {version('dask')}). The workers make the rows, {count(PART)} at a time "
        "and once, and reduce them to one row a group; these are merged, and what comes back is one of each. "
        "One process makes "
        f"{count(min(N, MOST_HERE))} of the same rows once and holds them; its time is that of as many as on "
        "the cluster, at this rate. In the last column a worker is killed after a quarter of the time.",
        table(
            ["groups", "one process, s", "cluster, s", "ratio", "million rows/s/worker", "one killed, s"],
            times,
        ),
        "Most memory held less that before, in the size of the table (16 bytes a row). Rows are held "
        f"{count(PART)} at a time; what is counted besides is one row a group from each partition, which "
        "waits to be merged with others.",
        table(["groups", "client", "a worker, at most"], memory),
        "Largest relative difference of psi, theta and the standard error: of a million rows on the cluster "
        "from the same in one process, and of all rows with a worker killed from all rows without.",
        table(["groups", "cluster, one process", "killed, not killed"], digits),
    )


if __name__ == "__main__":
    import sys

    print(cluster(int(float(sys.argv[1]))))
