"""The posterior by quadrature lies within the Monte Carlo errors of what Bambi and PyMC drew."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from helpers import classrooms, meta_pooling, posterior
from helpers.fits.bayes import Flat
from helpers.tables import summarise

DRAWN = json.loads((Path(__file__).parents[1] / "reference" / "posterior.json").read_text(encoding="utf-8"))
DIVERGED = "bambi.five"
SCHOOLS = [28, 8, -3, 7, -1, 1, 18, 12], np.array([15, 10, 16, 11, 9, 11, 10, 18.0]) ** 2


def of_draws(name):
    prior, data, *_ = name.split(".")
    prior = {"bambi": "bambi", "pymc": "flat"}[prior]
    if data == "schools":
        return meta_pooling(*SCHOOLS).posterior(Flat())
    table = classrooms().astype({"classroom": int})
    if data == "five":
        table = table[table["classroom"] <= 5]
    return posterior(summarise(table, "score ~ 1", "classroom"), prior)


def far(name):
    """How many of its Monte Carlo errors each drawn mean and standard deviation is off; the groups apart."""
    drawn, found = DRAWN["values"][name]["value"], of_draws(name)
    table = found.table().rename({"mean": "beta", "sd_between": "between", "sd_within": "within"})
    alone = {
        (row, what): (drawn[row][what][0] - table.loc[row, what]) / drawn[row][f"mcse_{what}"][0]
        for row in drawn.keys() - {"groups"}
        for what in ("mean", "sd")
    }
    groups, them = found.groups(), drawn["groups"]
    each = [(groups[what] - them[what]) / them[f"mcse_{what}"] for what in ("mean", "sd")]
    return alone, np.abs(each)


@pytest.mark.parametrize("name", [name for name in DRAWN["values"] if name != DIVERGED])
def test_what_samplers_drew_lies_within_their_monte_carlo_errors(name):
    alone, groups = far(name)
    assert max(map(abs, alone.values())) < 3, alone
    # as three errors are to one number, so is this to the largest of all groups
    assert groups.max() < stats.norm.isf(stats.norm.sf(3) / groups.size)
    for row in DRAWN["values"][name]["value"].values():
        assert max(row["rhat"]) < 1.01
        assert max(np.divide(row["mcse_mean"], row["sd"])) < 0.03


def test_where_bambi_diverged_it_drew_too_little_of_the_tail_and_smaller_steps_mend_it():
    """Five classes with Bambi's defaults: the sampler warns; with target_accept .99 it does not."""
    default, careful = (DRAWN["values"][name] for name in (DIVERGED, f"{DIVERGED}.careful"))
    assert default["diverging"] >= 10
    assert careful["diverging"] == 0
    assert far(DIVERGED)[0]["between", "sd"] < -3
    assert abs(far(f"{DIVERGED}.careful")[0]["between", "sd"]) < 3


@pytest.mark.parametrize("name", [name for name in DRAWN["values"] if name.startswith("bambi")])
def test_the_priors_are_those_that_bambi_set(name):
    said, ours = DRAWN["values"][name]["asked"]["priors"], of_draws(name).priors
    np.testing.assert_allclose(
        [ours.mean.mean, ours.mean.sd], [said["mean"]["mu"], said["mean"]["sigma"]], rtol=1e-6
    )
    np.testing.assert_allclose(ours.between.scale, said["between"]["sigma"], rtol=1e-6)
    np.testing.assert_allclose(
        [ours.within.df, ours.within.scale], [said["within"]["nu"], said["within"]["sigma"]], rtol=1e-6
    )
