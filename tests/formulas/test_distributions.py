"""The four distributions against scipy.stats, whose import they spare, and against closed forms."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from helpers.formulas import distributions as own

DF = np.array([0.3, 1, 2.5, 19, 155.4, 1e5, np.inf, np.nan])
SHARES = np.array([1e-12, 0.001, 0.025, 0.5, 0.9, 0.975])
VALUES = np.array([-3.0, 0.0, 0.1, 2.0, 30.0])
ASKED = [
    *((("t", what), (SHARES[:, None], DF)) for what in ("ppf", "isf")),
    (("t", "sf"), (VALUES[:, None], DF)),
    *((("f", what), (VALUES[:, None], 2.3, DF[:6])) for what in ("cdf", "sf")),
    (("f", "ppf"), (SHARES[:, None], 5, DF[:6])),
    (("chi2", "sf"), (VALUES[:, None], DF[:6])),
    *((("chi2", what), (SHARES[:, None], DF[:6])) for what in ("ppf", "isf")),
    (("norm", "pdf"), (VALUES,)),
    (("norm", "pdf"), (VALUES, 1.5, 0.7)),
    (("beta", "ppf"), (SHARES[:, None], [0.5, 2.0, 30.0], [0.5, 7.0, 4.0])),
    (("norm", "ppf"), (SHARES,)),
    (("norm", "isf"), (SHARES,)),
    (("norm", "sf"), (VALUES,)),
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("name", "arguments"), ASKED, ids=lambda value: ".".join(map(str, value))[:8])
def test_the_numbers_are_those_of_scipy_stats(name, arguments):
    distribution, what = name
    found = getattr(getattr(own, distribution), what)(*arguments)
    expected = getattr(getattr(stats, distribution), what)(*arguments)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_t_of_one_and_two_degrees_are_their_closed_forms():
    p = np.array([0.6, 0.9, 0.999])
    np.testing.assert_allclose(own.t.ppf(p, 1), np.tan(np.pi * (p - 0.5)), rtol=1e-12)
    np.testing.assert_allclose(own.t.ppf(p, 2), (2 * p - 1) * np.sqrt(2 / (4 * p * (1 - p))), rtol=1e-12)


def test_the_report_starts_without_scipy_stats_and_ipython():
    code = (
        "import sys, helpers.report.command; print(sorted({'scipy.stats', 'IPython'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
