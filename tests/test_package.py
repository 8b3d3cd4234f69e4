"""The package as a release: what the wheel holds, and that it runs where only the wheel is installed."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

import helpers
from helpers.course import which

ROOT = Path(__file__).parents[1]


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_citation_changelog_and_package_name_the_same_release():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    latest = re.search(r"^## \[(\d+\.\d+\.\d+)\] - (\S+)$", changes, re.MULTILINE)
    assert citation["version"] == PROJECT["version"] == helpers.__version__ == latest[1]
    assert str(citation["date-released"]) == latest[2]
    assert " AND ".join(citation["license"]) == PROJECT["license"]
    assert citation["title"].split("? ")[0] == PROJECT["description"].split("? ")[0]
    required = {"cff-version", "message", "title", "abstract", "type", "authors", "keywords"}
    assert required <= citation.keys()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel, built from a copy so that nothing is left in the checkout."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "helpers", source / "helpers", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, "--no-build-isolation", "-w", str(built), str(source)], check=True)
    (path,) = built.glob("*.whl")
    return path


def test_the_wheel_holds_every_file_of_the_package(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    files = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "helpers").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "helpers/py.typed" in files
    assert files <= held
    assert {name.split("/")[0] for name in held - files} == {wheel.name.split("-py3")[0] + ".dist-info"}


def test_installed_from_the_wheel_it_is_imported_reports_on_a_file_and_chooses(wheel, tmp_path):
    place = tmp_path / "place"
    quiet = ("--quiet", "--no-deps", "--no-index", "--no-compile")
    install = [sys.executable, "-m", "pip", "install", *quiet, "--target", str(place), str(wheel)]
    subprocess.run(install, check=True)
    environment = {**os.environ, "PYTHONPATH": str(place), "PYTHONSAFEPATH": "1"}

    def run(*arguments):
        how = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True}
        done = subprocess.run([sys.executable, *arguments], **how)
        assert done.returncode == 0, done.stderr
        return done.stdout

    code = (
        "print(helpers.__file__, helpers.__version__); command.main(['which', 'number/once/one/mean/rows'])"
    )
    where, version, chosen = run("-c", f"import helpers; from helpers.report import command; {code}").split(
        None, 2
    )
    assert Path(where).is_relative_to(place)
    assert version == helpers.__version__ == wheel.name.split("-")[1]
    radon = place / "helpers" / "data" / "radon.csv"
    said = run("-m", "helpers", "report", str(radon), "--outcome", "radon", "--group", "county")
    assert "85 groups" in said or "85 counties" in said, said
    assert which.told("these") in chosen
