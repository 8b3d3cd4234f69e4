"""The lists of packages agree, and the modules of the package have one order."""

import ast
import re
import sys
import tomllib
from graphlib import TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def name_of(requirement):
    """The normalised name at the head of a requirement string (PEP 503)."""
    return re.sub(r"[-_.]+", "-", re.match(r"[A-Za-z0-9._-]+", requirement)[0]).lower()


def direct():
    """Every requirement written by hand."""
    extras = [EXTRAS[name] for name in ("course", "files", "scale", "test")]
    return [requirement for part in (PROJECT["dependencies"], *extras) for requirement in part]


# ---- the lists of packages -----------------------------------------------------------------------


def test_pyproject_lists_each_package_once_in_a_list_and_in_order():
    for requirements in (PROJECT["dependencies"], *EXTRAS.values()):
        names = [name_of(requirement) for requirement in requirements]
        assert names == sorted(set(names))


def environment():
    """environment.yml: conda's part (strings) and pip's."""
    content = yaml.safe_load(read("environment.yml"))
    conda = [entry for entry in content["dependencies"] if isinstance(entry, str)]
    (nested,) = (entry for entry in content["dependencies"] if not isinstance(entry, str))
    assert list(nested) == ["pip"]
    return conda, nested["pip"]


def test_environment_yml_asks_for_the_same_packages_within_the_same_bounds():
    _, pip = environment()
    asked = [re.sub(r"\s", "", requirement) for requirement in pip if requirement not in (".", "-e .")]
    assert set(asked) == set(direct())
    assert len(asked) == len(set(asked))


def test_environment_yml_has_the_same_bounds_of_python():
    conda, _ = environment()
    (python,) = (re.sub(r"\s", "", entry) for entry in conda if name_of(entry) == "python")
    assert python == "python" + PROJECT["requires-python"]


def test_environment_yml_has_nothing_of_condas_but_python_and_pip():
    conda, _ = environment()
    assert {name_of(entry) for entry in conda} <= {"python", "pip"}


# ---- the lock ------------------------------------------------------------------------------------


def locked():
    """requirements.txt: name to (version, text of its entry)."""
    text = re.sub(r"\\\n", " ", read("requirements.txt"))
    entries = [
        line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    pins = [re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;]+)", entry) for entry in entries]
    unpinned = [entry for entry, pin in zip(entries, pins, strict=True) if not pin]
    assert not unpinned, unpinned
    return [(name_of(pin[1]), pin[2], entry) for pin, entry in zip(pins, entries, strict=True)]


def test_the_lock_pins_every_direct_dependency():
    pinned = {name for name, _, _ in locked()}
    assert {name_of(requirement) for requirement in direct()} <= pinned


def test_the_lock_has_not_what_it_leaves_out():
    left = tomllib.loads(read("pyproject.toml"))["tool"]["uv"]["override-dependencies"]
    assert left
    assert not {name_of(requirement) for requirement in left} & {name for name, _, _ in locked()}


def test_every_package_in_the_lock_has_a_hash():
    for name, _, entry in locked():
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), name


def test_the_lock_has_no_address_and_no_index():
    text = read("requirements.txt")
    assert "://" not in text
    assert not re.search(
        r"^\s*(-i|-f|--index-url|--extra-index-url|--find-links|--trusted-host)\b", text, re.MULTILINE
    )
    assert not re.search(r" @ |^\s*-e\b|^\s*git\+", text, re.MULTILINE)


def test_what_is_locked_lies_within_the_bounds():
    packaging = pytest.importorskip("packaging.requirements")
    versions = {}
    for name, version, _ in locked():
        versions.setdefault(name, []).append(version)
    for requirement in direct():
        parsed = packaging.Requirement(requirement)
        for version in versions[name_of(requirement)]:
            assert version in parsed.specifier, f"{requirement} against {version}"


# ---- the order of the doors ----------------------------------------------------------------------

HELPERS = ROOT / "helpers"
DOORS = ["formulas", "tables", "fits", "course", "report"]  # each imports only from those before it
MODULES = sorted(HELPERS.rglob("*.py"))
INSIDE = [path for path in MODULES if path.parent != HELPERS]


def name_in(path):
    """The dotted name of a module of the package, ``fits.reml``; of a door itself, ``fits``."""
    parts = path.relative_to(HELPERS).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_in(path) for path in MODULES}


def imports(path):
    """Modules of the package, and packages of others, that a module imports anywhere."""
    own, others = set(), set()
    here = path.relative_to(HELPERS).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = ".".join((*here[: len(here) + 1 - node.level], *filter(None, [node.module])))
            for alias in node.names:
                full = f"{base}.{alias.name}".strip(".")
                own.add(full if full in NAMES else base)
        elif isinstance(node, ast.ImportFrom):
            others.add(node.module)
        elif isinstance(node, ast.Import):
            others |= {alias.name for alias in node.names}
    assert not any(name.split(".")[0] == "helpers" for name in others), f"{path}: import relatively"
    return own, {name.split(".")[0] for name in others}


def door_of(name):
    return name.split(".")[0]


def test_everything_is_behind_a_door():
    assert {door_of(name_in(path)) for path in INSIDE} == set(DOORS)


@pytest.mark.parametrize("path", INSIDE, ids=name_in)
def test_each_door_opens_only_on_those_below_it(path):
    own, _ = imports(path)
    allowed = DOORS[: DOORS.index(door_of(name_in(path))) + 1]
    assert {door_of(name) for name in own} <= set(allowed)


def test_no_import_comes_back_to_where_it_began():
    graph = TopologicalSorter({name_in(path): imports(path)[0] - {name_in(path)} for path in INSIDE})
    graph.prepare()  # raises CycleError, which names the circle


def test_nothing_that_ships_with_the_package_needs_an_extra():
    """IPython and the like must be among the dependencies if a module imports them."""
    declared = {name_of(requirement) for requirement in PROJECT["dependencies"]}
    brings = packages_distributions()  # PIL comes with pillow
    for path in MODULES:
        _, others = imports(path)
        foreign = {name_of(brings[name][0]) for name in others - set(sys.stdlib_module_names)}
        assert foreign <= declared, f"{name_in(path)} imports {sorted(foreign - declared)}"


def test_what_the_package_offers_is_what_it_imports():
    import helpers

    for name in helpers.__all__:
        assert callable(getattr(helpers, name))
    assert list(helpers.__all__) == sorted(helpers.__all__)


def test_no_room_is_too_large_to_be_seen_at_once():
    """No module of more than 400 lines, no class of more than 200, and none that asks which pooling it is."""
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= 400, f"{name_in(path)}: {text.count(chr(10))} lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef):
                assert node.end_lineno - node.lineno <= 200, f"{name_in(path)}.{node.name}"
        assert not re.search(r"\bself\.pooling\s*[!=]=", text), name_in(path)
