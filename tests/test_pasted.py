"""R code of the pages: pasted.py ran what they show, from files that the site offers, and it agrees."""

import importlib.util
import json
import re
from pathlib import Path

import chapter_tools
import numpy as np
import pytest

from helpers import complete_pooling, partial_pooling
from helpers.course.stated import rounds_to

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "tests" / "reference" / "pasted.py"
spec = importlib.util.spec_from_file_location("pasted", SCRIPT)
pasted = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pasted)

HELD = json.loads(SCRIPT.with_suffix(".json").read_text(encoding="utf-8"))["pages"]
SESSIONS = pasted.sessions()
STATED = [
    (name, shown)
    for name, page in HELD.items()
    for block in page["blocks"]
    for shown in block.get("shown", ())
]


def test_every_block_of_every_page_was_run_as_it_stands():
    now = {name: [pasted.hashed(code) for code, block in parts if block] for name, parts in SESSIONS.items()}
    ran = {name: [block["hash"] for block in page["blocks"]] for name, page in HELD.items()}
    assert now == ran, "run tests/reference/pasted.py"


def test_pages_say_what_r_printed_and_the_chapters_on_small_samples_do():
    for name, parts in SESSIONS.items():
        said = [pasted.stated(code) for code, block in parts if block]
        assert said == [block.get("shown", []) for block in HELD[name]["blocks"]], name
    assert {"01_the_question", "09_few_clusters", "10_robust_and_resampled"} <= {name for name, _ in STATED}


def test_each_file_that_a_page_reads_is_offered_on_it():
    for name, parts in SESSIONS.items():
        read = {file for code, _ in parts for file in pasted.READS.findall(code)}
        if name.startswith("which "):
            template = (ROOT / "book" / "_ext" / "chooser.md.jinja").read_text(encoding="utf-8")
            offered = set(re.search(r"for file in \(([^)]*)\)", template)[1].replace('"', "").split(", "))
        else:
            source = ROOT / "notebooks" / f"{name}.md"
            offered = set(chapter_tools.needs(source.read_text(encoding="utf-8")))
        assert read <= offered, f"{name}: {read - offered}"
        assert read <= set(chapter_tools.DATA)


def small(data):
    """`half_small` of notebook 05: two pupils of the first ten classes, all of the others."""
    place = data.groupby("classroom", observed=True).cumcount()
    return data[(data["classroom"].astype(int) > 10) | (place < 2)]


def numbers_of_09(data, radon):
    half = partial_pooling("score ~ 1", small(data), "classroom")
    houses = partial_pooling("log_radon ~ floor + log_uranium", radon, "county").with_df("kenward-roger")
    kr = half.with_df("kenward-roger")
    all_classes = partial_pooling("score ~ 1", data, "classroom").with_df("kenward-roger")
    yield from (all_classes.bse.iloc[0], all_classes.df.iloc[0])
    yield from (half.bse.iloc[0], half.with_df("satterthwaite").df.iloc[0], kr.bse.iloc[0], kr.df.iloc[0])
    yield from kr.conf_int().iloc[0]
    yield from (houses.bse["log_uranium"], houses.df["log_uranium"])


def numbers_of_10(data, radon):
    equal = complete_pooling("score ~ 1", data, "classroom").cluster_robust("CR2")
    half = complete_pooling("score ~ 1", small(data), "classroom").cluster_robust("CR2")
    means = small(data).groupby("classroom", observed=True, as_index=False)["score"].mean()
    by_mean = complete_pooling("score ~ 1", means)
    yield from (equal.bse.iloc[0], equal.df.iloc[0])
    yield partial_pooling("score ~ 1", data, "classroom").cluster_robust("CR2").bse.iloc[0]
    for fit in (half, by_mean):
        yield from (fit.bse.iloc[0], fit.df.iloc[0], *fit.conf_int().iloc[0])


@pytest.mark.parametrize(
    ("name", "ours"), [("09_few_clusters", numbers_of_09), ("10_robust_and_resampled", numbers_of_10)]
)
def test_what_r_prints_in_a_recipe_is_what_the_helpers_give(name, ours, classrooms, radon):
    lines = [shown for page, shown in STATED if page == name and not re.search("Coef|  314  |  315  ", shown)]
    shown = [number for line in lines for number in re.findall(r"\d+\.\d+", line)]
    for printed, value in zip(shown, ours(classrooms, radon), strict=True):
        assert rounds_to(value, printed) or value == pytest.approx(float(printed), rel=1e-6), printed


def test_the_tables_of_r_and_python_hold_on_the_page_as_pasted(reference):
    ours, theirs = HELD["r_and_python"]["calls"], reference("dictionary").values
    assert set(ours) == set(theirs)
    for call, value in ours.items():  # where a mean is read and not computed, an optimiser stops elsewhere
        np.testing.assert_allclose(value, np.ravel(theirs[call]["value"]), rtol=1e-6, err_msg=call)


def test_the_chooser_s_calls_give_from_the_files_of_the_site_what_the_reference_has(reference):
    for name, entry in reference("which").values.items():
        if "." not in name:
            np.testing.assert_allclose(
                HELD[f"which {name}"]["value"], np.ravel(entry["value"]), rtol=1e-9, err_msg=name
            )
