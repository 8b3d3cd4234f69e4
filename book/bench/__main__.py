"""Measure, and write the page. With --quick: few rounds, small sizes, printed and not stored; with --section
that one alone is measured, and put in its place."""

import argparse
import os
import platform
import re
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .batch import batches
from .clock import SLOW
from .cluster import cluster
from .fits import speed, who_is_right
from .page import paragraphs
from .peers import R
from .report import reports
from .scale import scales
from .slopes import slopes

PAGE = Path(__file__).parents[1] / "bench.md"
PACKAGES = ("numpy", "scipy", "pandas", "polars", "statsmodels", "mixedlm-rs", "lme-python", "linearmodels")
FULL = {
    "fits": 40, "batches": 15, "large": 5, "sizes": (10**4, 10**5, 10**6, 10**7), "replicates": 20_000,
    "cluster": 10**8, "slopes": ((7_230, 1_721), (10**6, 10**5)), "report": (10**6, 10**5), "once": 1,
}  # fmt: skip
QUICK = {
    "fits": 2, "batches": 2, "large": 1, "sizes": (10**4, 10**5), "replicates": 400,
    "cluster": 10**6, "slopes": ((900, 200), (10**5, 10**4)), "report": (10**5, 10**4), "once": 1,
}  # fmt: skip

# Name to what measures a section, from R, the effort and the rounds; and to the effort that has these.
SECTIONS = {
    "fits": (lambda r, effort, rounds: speed(r, rounds), "fits"),
    "slopes": (
        lambda r, effort, rounds: slopes(r, rounds, effort["slopes"], min(rounds, effort["large"])), "fits"
    ),
    "batches": (lambda r, effort, rounds: batches(effort["replicates"], rounds), "batches"),
    "scales": (lambda r, effort, rounds: scales(r, effort["sizes"], rounds), "large"),
    "report": (lambda r, effort, rounds: reports(*effort["report"], rounds), "large"),
    "cluster": (lambda r, effort, rounds: cluster(effort["cluster"]), "once"),
}  # fmt: skip


def installed(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def measured_on(r, effort):
    """What was measured, when, on what: no name of a machine, no path."""
    packages = [f"{package} {installed(package)}" for package in PACKAGES]
    packages += [f"{package} {r.version(package) or 'not installed'}" for package in ("R", "lme4", "nlme")]
    return (
        f"Measured on {date.today()}: {platform.system()} on {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}; {', '.join(packages)}.\n\n"
        "All times of a table are from one run. The contenders take turns, so that whatever else the "
        f"machine does hits all of them alike: {effort['fits']} rounds for the single fits, "
        f"{effort['batches']} for the batches, {effort['large']} for the large tables. In a turn a call is "
        "repeated for 20 ms, at least once. Before the first round each is called once without the clock; "
        f"what takes longer than {SLOW:.0f} seconds is called only that once, with the clock. Times are "
        "medians over all calls, ratios are ratios of medians."
    )


def page(r, effort):
    """The whole page."""
    return paragraphs(
        "# How fast, and how right",
        "This page is written by `make bench`; nothing in it is typed. It puts `helpers` beside the other "
        "packages that fit a random intercept, and beside the least the machine could do. The packages are "
        "an optional extra: none of them is needed for the course.",
        measured_on(r, effort),
        *(measure(r, effort, effort[rounds]) for measure, rounds in SECTIONS.values()),
        who_is_right(),
    )


def replaced(text, section, rounds):
    """The page with a section in place of the one of the same title, and what it says of its run."""
    title, rest = section.split("\n\n", 1)
    old = re.search(rf"^{re.escape(title)}$.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if old is None:
        raise ValueError(f"the page has no section {title!r}")
    load = f"{os.getloadavg()[1]:.0f} programs at work on {os.cpu_count()} cores"
    taken = "one round" if rounds == 1 else f"{rounds} rounds"
    own = f"This section is of a run of its own: {taken}, {date.today()}, {load}."
    new = paragraphs(title, own, rest) + "\n" + "\n" * (old.end() < len(text))
    return text[: old.start()] + new + text[old.end() :]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: print the page, store nothing")
    parser.add_argument("--section", choices=SECTIONS, help="measure that one alone, and put it in its place")
    parser.add_argument("--rounds", type=int, help="of that section; else as many as for the whole page")
    asked = parser.parse_args()
    quick, r = asked.quick, R()
    effort = QUICK if quick else FULL
    if asked.section:
        measure, own = SECTIONS[asked.section]
        rounds = asked.rounds or effort[own]
        text = replaced(PAGE.read_text(encoding="utf-8"), measure(r, effort, rounds), rounds)
    else:
        text = page(r, effort) + "\n"
    r.close()
    if quick:
        print(text)
    else:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
