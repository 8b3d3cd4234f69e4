"""What the tests of the package share: R's answers and the three data sets."""

import json
from collections import Counter
from functools import cache
from pathlib import Path

import chromium
import pandas as pd
import pytest
from accessible import AXE
from hypothesis import settings
from playwright.sync_api import sync_playwright

import helpers

REFERENCE = Path(__file__).parent / "reference"

# The same examples on every run and every machine: a test that fails today fails tomorrow.
settings.register_profile("course", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("course")


def pytest_collection_modifyitems(items):
    """Begin with the files that need a browser: they take longest, and one worker has a file to itself."""
    pages = Counter(item.path for item in items if "browser" in getattr(item, "fixturenames", ()))
    items.sort(key=lambda item: -pages[item.path])


@cache
def _load(name):
    return json.loads((REFERENCE / f"{name}.json").read_text(encoding="utf-8"))


class Reference:
    """R's values of one script: ``r["pp.se"]`` is a value, ``r.designs`` the unbalanced ones."""

    def __init__(self, name):
        self.whole = _load(name)
        self.values = self.whole["values"]

    def __getitem__(self, key):
        return self.values[key]["value"]


@pytest.fixture(scope="session")
def reference():
    """Load tests/reference/NAME.json: ``reference("radon")["M0.se"]``."""
    return Reference


@pytest.fixture(scope="session")
def classrooms():
    return helpers.classrooms()


@pytest.fixture(scope="session")
def radon():
    return helpers.radon()


@pytest.fixture(scope="session")
def high_school():
    """HSB as R's script has it: besides the documented columns, catholic and ses about its school mean."""
    data = helpers.high_school()
    data["catholic"] = (data["sector"] == "catholic").astype(int)
    data["ses_within"] = data["ses"] - data["mean_ses"]
    return data


@pytest.fixture(scope="session")
def designs(classrooms, reference):
    """The six unbalanced subsets of the classrooms: name to (data frame, R's answers)."""
    rows = classrooms.groupby("classroom", observed=True).cumcount()
    out = {}
    for name, answers in reference("classrooms").whole["unbalanced"].items():
        sizes = _sizes_by_rule(name)
        keep = rows < classrooms["classroom"].map(sizes).astype(int)
        out[name] = classrooms[keep], answers
    return out


def _sizes_by_rule(name):
    """How many of its first rows each class keeps, written out from the rule in the JSON."""
    classes = range(1, 21)
    return {
        "balanced": dict.fromkeys(classes, 10),
        "drop1": {j: 9 if j == 1 else 10 for j in classes},
        "sizes_1to10_twice": {j: (j - 1) % 10 + 1 for j in classes},
        "half_small": {j: 2 if j <= 10 else 10 for j in classes},
        "one_big": {j: 10 if j == 1 else 1 for j in classes},
        "few_clusters5": {j: 12 - 2 * j if j <= 5 else 0 for j in classes},
    }[name]


@pytest.fixture(scope="session")
def singular_data(classrooms):
    """R's d0: the class means alternate about 1629, so the variance between is estimated as 0."""
    data = classrooms[["score", "classroom"]].copy()
    means = data.groupby("classroom", observed=True)["score"].transform("mean")
    number = data["classroom"].astype(int)
    data["score"] = data["score"] - means + 1629 + number.map(lambda j: -1 if j % 2 else 1)
    return data


@pytest.fixture(scope="session")
def counterexample():
    """Seven groups of one value and one of three: some balanced truths do not hold here."""
    groups = [[0.1], [-0.2], [0.0], [9.5, 10.0, 10.5], [0.2], [-0.1], [0.1], [-0.1]]
    return pd.DataFrame([(j, y) for j, values in enumerate(groups) for y in values], columns=["group", "y"])


@pytest.fixture(scope="session")
def browser():
    """Chromium of the machine."""
    if not AXE.is_file():
        pytest.fail("axe-core is missing: run `npm ci --prefix book --ignore-scripts`", pytrace=False)
    with sync_playwright() as play, chromium.launch(play) as browser:
        yield browser
