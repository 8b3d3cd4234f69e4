"""R's answers under two versions of R: what moved is said, and moved within what the tests allow."""

import json
from pathlib import Path

HERE = Path(__file__).parent / "reference"
AGAIN = json.loads((HERE / "again.json").read_text(encoding="utf-8"))
GLMER = ("binary", "counts")  # outside the model; its optimiser stops elsewhere
MOVED = [(name, one) for name, found in AGAIN.items() for one in found["moved"]]


def test_every_value_is_there_under_both_and_was_made_with_what_the_file_says():
    for name, found in AGAIN.items():
        meta = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))["meta"]
        assert found["here"]["R"] == meta["R"] != found["there"]["R"], name
        assert found["only in one"] == [], name


def test_what_moved_is_in_the_readme_and_moved_little():
    text = (HERE / "README.md").read_text(encoding="utf-8")
    for name, one in MOVED:
        value = one["where"].split("/")[1:-1]
        assert f"`{name}.json`" in text, name
        assert ".".join(value) in text, one["where"]
        within = 5e-3 if name == "which" and value[0] in GLMER else 5e-4
        assert abs(one["here"] - one["there"]) < within * abs(one["here"]), one
    table = text.split("## Again")[1]
    assert table.count(".json`, `") == len({(name, one["where"].rpartition("/")[0]) for name, one in MOVED})
