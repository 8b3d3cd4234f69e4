"""Many replicates at once: what the fits cost beside drawing the numbers they are of."""

import numpy as np

from helpers import reml
from helpers.fits import simulate

from .clock import race
from .page import count, milliseconds, paragraphs, significant, table

PSI, THETA, J, N = 400.0, 900.0, 20, 10
SIZES = np.tile(np.arange(1, 11), 2)


class Draws:
    """One generator, and what is drawn from it."""

    def __init__(self, replicates):
        self.rng, self.replicates = np.random.default_rng(476781), replicates

    def observations(self, replicates=None):
        """Every value of balanced replicates, (R, J, n)."""
        R = replicates or self.replicates
        Y = self.rng.normal(0, np.sqrt(THETA), (R, J, N))
        Y += self.rng.normal(1629, np.sqrt(PSI), (R, J, 1))
        return Y

    def unequal(self):
        """Every value of replicates with unequal sizes, (R, sum of sizes)."""
        Y = self.rng.normal(0, np.sqrt(THETA), (self.replicates, SIZES.sum()))
        Y += np.repeat(self.rng.normal(1629, np.sqrt(PSI), (self.replicates, J)), SIZES, axis=1)
        return Y


def reduced(Y):
    """Group means and within sum of squares of unequal replicates."""
    starts = np.cumsum(SIZES) - SIZES
    means = np.add.reduceat(Y, starts, axis=1) / SIZES
    return means, np.square(Y - np.repeat(means, SIZES, axis=1)).sum(axis=1)


def lines(outcomes):
    """A line for each outcome, with its ratio to the first, which draws."""
    drawn = next(iter(outcomes.values()))
    return [[name, milliseconds(o), significant(o.over(drawn))] for name, o in outcomes.items()]


def batches(replicates, rounds):
    """The section on batches."""
    draws = Draws(replicates)
    Y, (means, squares) = draws.observations(), reduced(draws.unequal())
    fitted = {
        f"draw {count(replicates)} replicates of {J} x {N}": lambda: draws.observations() is None,
        "fit them, `fit_balanced_batch`": lambda: reml.fit_balanced_batch(Y) is None,
    }
    unequal = {
        f"draw {count(replicates)} replicates, sizes 1 to 10 twice": lambda: draws.unequal() is None,
        "fit them, `fit_batch`": lambda: reml.fit_batch(means, SIZES, squares) is None,
    }
    each, many = 5 * replicates, 50 * replicates

    def simulated():
        return simulate.replicate(PSI, THETA, J, N, mean=1629, replicates=many, seed=1) is None

    sufficient = {
        f"draw {count(each)} replicates observation by observation": lambda: draws.observations(each) is None,
        f"draw {count(many)} by sufficient statistics and fit them, `simulate.replicate`": simulated,
    }
    header = ["step", "ms", "times drawing"]
    return paragraphs(
        "## Many fits",
        "Each table is one race; the first line draws normal numbers with numpy, and the last column is "
        "relative to it. The fits start from what was drawn before.",
        *(table(header, lines(race(calls, rounds))) for calls in (fitted, unequal, sufficient)),
    )
