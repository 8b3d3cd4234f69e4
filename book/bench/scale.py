"""Ten thousand to ten million rows: time and memory beside the limit, two passes of np.bincount."""

import gc
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from . import exact, peers
from .clock import race
from .page import count, paragraphs, significant, table

# The most rows each is asked for; the page says why.
MOST = {
    "statsmodels": 10**5,
    "lme-python": 10**5,
    "R, lme4::lmer": 10**6,
    "R, nlme::lme": 10**5,
}
LABELS = ("string", "categorical")


def frame(N, labels="integer"):
    """N rows in N / 10 groups in random order, so that sizes differ: y and g, a number or a name."""
    rng = np.random.default_rng(1)
    J = N // 10
    codes = rng.integers(J, size=N)
    y = rng.normal(100, 1, J)[codes] + rng.normal(0, 2, N)
    if labels == "integer":
        return pd.DataFrame({"y": y, "g": codes})
    names = pd.Index([f"group {k:07d}" for k in range(J)], dtype="str")
    g = names.take(codes) if labels == "string" else pd.Categorical.from_codes(codes, names)
    return pd.DataFrame({"y": y, "g": g})


def case(N, labels="integer"):
    return peers.Case(f"{N} rows", "y ~ 1", frame(N, labels), "g")


def bincounts(case):
    """The limit: how many rows and what sum in each group, its codes ready."""
    codes, y, J = case.data["g"].to_numpy(), case.data["y"].to_numpy(), len(case.data) // 10
    return lambda: (np.bincount(codes, minlength=J), np.bincount(codes, y, J))


def aggregated(case):
    """What pandas itself takes for the means and variances."""
    data = case.data
    return lambda: data.groupby("g", observed=True)["y"].agg(["mean", "var"])


def contenders(r):
    """Name to a function that prepares the call of a case."""
    chosen = ("helpers", "statsmodels", "mixedlm-rs", "lme-python", "R, lme4::lmer", "R, nlme::lme")
    return {"two bincounts": bincounts} | {name: peers.by_formula(r)[name] for name in chosen}


def scales(r, sizes, rounds):
    """The section on large tables."""
    raced = {N: integers(r, N, rounds) for N in sizes}
    return paragraphs(
        "## Large tables",
        "`y ~ 1`, N rows in N / 10 groups in random row order, sizes of about ten. The limit is two passes "
        "of `np.bincount` over group numbers that are ready: the rows and the sum of each group. "
        "A dash: not asked for. statsmodels and R's `lme` are slow there; lme-python asks for a dense "
        "matrix of J x J doubles and ends the process when it does not get it.",
        "### Integer labels: seconds",
        by_size("seconds", raced, lambda o, _: o.error or significant(o.time)),
        "### Integer labels: times the two bincounts",
        by_size("ratio", raced, lambda o, found: significant(o.over(found["two bincounts"]))),
        growth(raced),
        "### Integer labels: digits of psi",
        f"Up to {count(exact.MOST_EXACT_ROWS)} rows against 50-digit arithmetic, "
        "beyond against sums in extended precision, good to 18.",
        by_size("digits", raced, lambda o, found: o.digits, leave="two bincounts"),
        "### Names for labels",
        "Beside `groupby(g, observed=True)[y].agg([mean, var])` of pandas on the same frame, seconds.",
        table(
            ["rows, labels", "helpers", "pandas groupby", "helpers / groupby"],
            [named(N, labels, rounds) for N in sizes for labels in LABELS],
        ),
        "### Memory",
        f"{count(sizes[-1])} rows, each fit in a fresh process: the most memory held during the "
        "call, less what was held before it, in units of the two columns of the frame.",
        memory(sizes[-1]),
    )


def integers(r, N, rounds):
    """Race on integer labels; each outcome gets the digits of its psi."""
    data = case(N)
    asked = {name: prepare for name, prepare in contenders(r).items() if MOST.get(name, N) >= N}
    outcomes = race(peers.calls(asked, data), rounds)
    answer = exact.reml(data.columns, data.codes)
    for name, outcome in outcomes.items():
        fits = name != "two bincounts" and not outcome.error
        outcome.digits = f"{exact.digits(outcome.value[0], answer.psi):.1f}" if fits else "–"
        outcome.value = None
    return outcomes


def by_size(what, raced, show, leave=None):
    """A line for each contender, a column for each N."""
    names = dict.fromkeys(name for found in raced.values() for name in found if name != leave)
    rows = [
        [name, *(show(found[name], found) if name in found else "–" for found in raced.values())]
        for name in names
    ]
    return table([what, *(f"N = {count(N)}" for N in raced)], rows)


def growth(raced):
    """How the ratio to the limit grows from 1e5 rows to the most."""
    ratios = {N: found["helpers"].over(found["two bincounts"]) for N, found in raced.items() if N >= 10**5}
    few, many = min(ratios, default=0), max(ratios, default=0)
    if few == many or None in ratios.values():
        return ""
    start, end = significant(ratios[few]), significant(ratios[many])
    return (
        f"From {count(few)} to {count(many)} rows the ratio of `helpers` to the limit goes from {start} to "
        f"{end}: by a factor of {significant(ratios[many] / ratios[few])}."
    )


def named(N, labels, rounds):
    """A line of the table on names."""
    both = {"helpers": peers.helpers_formula, "pandas": aggregated}
    ours, theirs = race(peers.calls(both, case(N, labels)), rounds).values()
    times = [o.error or significant(o.time) for o in (ours, theirs)]
    return [f"{count(N)} {labels}", *times, significant(ours.over(theirs))]


# ---- memory ---------------------------------------------------------------------------------------

# What is freed goes back to the system at once, so that no call lives on memory left over from before.
HONEST = {"MALLOC_MMAP_THRESHOLD_": "65536", "ARROW_DEFAULT_MEMORY_POOL": "system"}
HELD = {
    "helpers": peers.helpers_formula,
    "pandas groupby": aggregated,
    "mixedlm-rs": peers.mixedlm_rs_formula,
}


def memory(N):
    """Peak memory of each by the kind of label."""
    kinds = ("integer", *LABELS)
    rows = [[name, *(fresh(name, labels, N) for labels in kinds)] for name in HELD]
    return table(["call", *kinds], rows)


def fresh(name, labels, N):
    """Measure one call in a process of its own."""
    command = [sys.executable, "-m", "bench.scale", name, labels, str(N)]
    folder = Path(__file__).parents[1]
    run = subprocess.run(command, cwd=folder, env=os.environ | HONEST, capture_output=True, text=True)
    if "ModuleNotFoundError" in run.stderr:
        return "not installed"
    return significant(float(run.stdout)) if run.returncode == 0 else "fails"


def peak(name, labels, N):
    """Most memory held during a call less that before it, in units of the two columns."""
    HELD[name](case(1000, labels))()  # imports
    table = case(N, labels)
    columns = table.data.memory_usage(index=False, deep=True).sum()
    call = HELD[name](table)
    gc.collect()
    before = resident("VmRSS", reset=True)
    call()
    return (resident("VmHWM") - before) / columns


def resident(field, reset=False):
    """Bytes of memory held now (VmRSS) or at most since the reset (VmHWM); Linux, else since the start."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    (line,) = (line for line in lines if line.startswith(field))
    return 1024 * int(line.split()[1])


if __name__ == "__main__":
    print(peak(sys.argv[1], sys.argv[2], int(sys.argv[3])))
