"""Files and tables that the tests of the report share, and how they are looked at."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from accessible import wrong

from helpers import high_school
from helpers.report import report

ROOT = Path(__file__).parents[2]


# What is asked of each file, and the warnings that belong to it.
ASKED = {
    "airquality": (
        {"outcome": "Ozone", "group": "Month", "predictors": ["Temp"], "missing": "drop"},
        ["Missing values", "Very few groups", "A predictor of both levels"],
    ),
    "iris": ({"outcome": "Sepal.Length", "group": "Species"}, ["Very few groups"]),
    "dyestuff2": ({"outcome": "Yield", "group": "Batch"}, ["Very few groups", "Singular fit"]),
    "orthodont": (
        {"outcome": "distance", "group": "Subject", "predictors": ["age", "Sex"]},
        ["Few groups", "A group-level predictor"],
    ),
    "flights": ({"outcome": "arr_delay", "group": "carrier"}, ["Few groups", "Very unequal sizes"]),
}


def flights():
    """Rows with R's counts, sums and sums of squares: the rule of report.R, written out again."""
    parts = []
    for row in pd.read_csv(ROOT / "tests" / "reference" / "flights.csv").itertuples():
        pairs, mean = row.rows // 2, row.sum / row.rows
        step = np.sqrt((row.sum_of_squares - row.sum**2 / row.rows) / (2 * pairs))
        delays = mean + np.append(np.tile([step, -step], pairs), np.zeros(row.rows % 2))
        parts.append(pd.DataFrame({"carrier": row.carrier, "arr_delay": delays}))
    return pd.concat(parts, ignore_index=True)


def write_files(folder, texts):
    """Write the five files; return their paths by name."""
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    flights().to_csv(folder / "flights.csv", index=False)
    return {name: folder / f"{name}.csv" for name in ASKED}


def number(found, start, method, column):
    """A number of the table, by the start of its estimand and its method."""
    rows = found.table[found.table["estimand"].str.startswith(start) & (found.table["method"] == method)]
    assert len(rows) == 1
    return rows[column].iloc[0]


def leads(found):
    return [warning.split(":")[0] for warning in found.warnings]


def small(**more):
    """Twenty-four rows, four groups."""
    rng = np.random.default_rng(1)
    y = rng.normal(size=24) + np.repeat([0, 1, 2, 3], 6)
    return pd.DataFrame({"y": y, "g": np.repeat(list("abcd"), 6)}).assign(**more)


def unequal():
    """Ten unequal groups, with a psi above 0, and a predictor."""
    rng = np.random.default_rng(6)
    g = np.repeat(np.arange(10), [2, 3, 3, 5, 8, 2, 12, 4, 9, 3])
    hours = rng.gamma(4, 2, len(g))
    y = 10 + 2 * rng.normal(size=10)[g] + rng.normal(size=len(g)) + 0.3 * hours
    return pd.DataFrame({"score": y, "school": g, "hours": hours})


def flat(**more):
    """Sixty rows of six groups, more alike than chance has them, if not by much."""
    y = np.random.default_rng(3).normal(size=60)
    g = np.repeat(list("abcdef"), 10)
    y -= 0.3 * pd.Series(y).groupby(g).transform("mean").to_numpy()
    return pd.DataFrame({"y": y, "g": g}).assign(**more)


def file(tmp_path, content, name="data.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


@cache
def of_schools():
    """The report that several modules look at."""
    return report.describe(high_school(), "math", "school", ["ses", "sector"])


def wrong_with(html, path, browser):
    """What is wrong with a page in Chromium, by mode."""
    path.write_text(html, encoding="utf-8")
    page = browser.new_page(bypass_csp=True)
    page.goto(path.as_uri())
    found = wrong(page)
    page.close()
    return found
