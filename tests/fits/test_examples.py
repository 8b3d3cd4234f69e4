"""The examples in the docstrings of the fits run and print what they say."""

import doctest
import importlib
import pkgutil

import pytest

from helpers import fits

NAMES = [module.name for module in pkgutil.walk_packages(fits.__path__, "helpers.fits.")]


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_print_what_they_say(name):
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_there_are_examples_of_all_three_poolings():
    found = {name: doctest.testmod(importlib.import_module(name)).attempted for name in NAMES}
    assert all(found[f"helpers.fits.{name}"] for name in ("complete", "no", "partial", "compare"))
