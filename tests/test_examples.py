"""Every example in a docstring runs and gives what it says, and what a user calls has one."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import helpers
from helpers import formulas, report, simulate

SHIMS = {f"helpers.{name}" for name in ("figures", "groups", "reml", "simulate")}  # another name of a module
MODULES = sorted({module.name for module in pkgutil.walk_packages(helpers.__path__, "helpers.")} - SHIMS)
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

# Names that may still be without an example; none is to be added.
WANTED = {
    "helpers": {"compare", "complete_pooling", "no_pooling", "partial_pooling"},
    "helpers.fits.simulate": {
        "bootstrap", "coverage", "get_ipython", "group_coverage", "group_errors", "group_interval_coverage",
        "monte_carlo", "replicate",
    },
    "helpers.report": {"describe", "read_table", "wrapped"},
}  # fmt: skip


def examples(thing):
    return doctest.DocTestParser().get_examples(inspect.getdoc(thing) or "")


def public(module):
    """The functions of this package that a module offers."""
    names = getattr(module, "__all__", None) or [name for name in vars(module) if name[0] != "_"]
    things = {name: getattr(module, name) for name in names}
    return [
        name
        for name, thing in things.items()
        if inspect.isfunction(thing)
        and thing.__module__.startswith("helpers." if "__all__" in vars(module) else module.__name__)
    ]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name):
    module = importlib.import_module(name)
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner(optionflags=OPTIONS)
    said = []
    for test in finder.find(module):
        runner.run(test, out=said.append)
    assert not runner.summarize(verbose=False).failed, "".join(said)


def test_examples_are_found_at_all():
    assert any(examples(getattr(formulas, name)) for name in public(formulas))


@pytest.mark.parametrize("module", [helpers, formulas, simulate, report], ids=lambda module: module.__name__)
def test_what_a_user_calls_has_an_example(module):
    bare = {name for name in public(module) if not examples(getattr(module, name))}
    assert bare <= WANTED.get(module.__name__, set())
