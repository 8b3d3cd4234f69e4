"""Repeated experiments, vectorised: draws of J groups, and what the three poolings find in them.

An experiment is a draw of J groups of n, or n_j, normal observations. The fits need of it the group means
and the sum of squares within, which are independent: normal, and theta times a chi-square on N - J degrees
of freedom (Searle, Casella and McCulloch 1992, chapter 3). ``draw="sufficient"`` draws just these,
``draw="observations"`` every observation; both have the same distribution.

A seed gives the same numbers on every run: ``seed`` is whatever `numpy.random.default_rng` takes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ... import formulas
from .. import batch
from ..checks import one_of, whole
from ..waiting import chunks
from .tally import monte_carlo

SCHEMES = ("new groups", "same groups", "independent rows", "finite population")


@dataclass(frozen=True, eq=False)
class Simulated:
    """The mean of all rows, replicate by replicate, and the standard error that it should show.

    Attributes
    ----------
    means : ndarray of shape (replicates,)
    target : float
        What the formula gives for the standard deviation of ``means``.
    """

    means: np.ndarray
    target: float

    @property
    def sd(self):
        """Standard deviation of the means."""
        return float(monte_carlo(self.means)["sd"])

    @property
    def sd_mcse(self):
        """Monte Carlo standard error of `sd`."""
        return float(monte_carlo(self.means)["sd_mcse"])

    def __repr__(self):
        return (
            f"{len(self.means)} replicates: sd of the mean {self.sd:.6g}, "
            f"Monte Carlo SE {self.sd_mcse:.2g}, formula {self.target:.6g}"
        )


@dataclass(frozen=True, eq=False, repr=False)
class Replicates(Simulated):
    """Repeated experiments, with what each fit found. All arrays have shape (replicates,).

    Attributes
    ----------
    gls_means : ndarray
        Partial pooling's estimate of the mean; with groups of equal size the mean of all rows.
    psi, theta : ndarray
        REML estimates of the variances.
    se_complete, se_no, se_partial : ndarray
        Estimated standard errors: of complete pooling, as ``lm`` prints it; of the mean of these J
        groups, from the variance within; of partial pooling by REML.
    """

    gls_means: np.ndarray
    psi: np.ndarray
    theta: np.ndarray
    se_complete: np.ndarray
    se_no: np.ndarray
    se_partial: np.ndarray


def replicate(
    psi, theta, J, n, *, scheme="new groups", K=None, mean=0.0, replicates=10_000, seed=None,
    draw="sufficient",
):  # fmt: skip
    """Repeat an experiment, and fit each repetition by complete, no and partial pooling.

    Parameters
    ----------
    psi, theta : float
        True variances between and within groups.
    J : int
        Groups in an experiment.
    n : int or array_like of shape (J,)
        Observations in each group.
    scheme : {"new groups", "same groups", "independent rows", "finite population"}
        What is drawn anew each time: groups and rows; the rows of the same groups; every row by
        itself, each from a group of its own; J of the same K groups, without replacement, and their
        rows. The same J or K groups are drawn once, and centred and scaled so that their mean (by
        rows, where the same J) is ``mean`` and their variance, with divisor J - 1 or K - 1, is ``psi``.
    K : int or inf, optional
        Groups in the finite population.
    mean : float
        The true mean.
    replicates : int
    seed : int, Generator or None
    draw : {"sufficient", "observations"}

    Returns
    -------
    Replicates

    Raises
    ------
    ValueError
        If psi is negative, theta not positive, J below 2, a size below 1, every size 1, there are
        fewer than two replicates, K goes with another scheme or is below J, or a word is not known.

    Examples
    --------
    >>> from helpers.simulate import replicate
    >>> found = replicate(400, 900, 20, 10, replicates=2000, seed=1)
    >>> bool(abs(found.sd - found.target) < 3 * found.sd_mcse)
    True
    """
    study = Study(psi, theta, J, n, seed, draw, scheme, K)
    parts = [study.fits(count) for count in chunks(replicates, study.width)]
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    whole["means"] += mean
    whole["gls_means"] += mean
    return Replicates(target=study.target, **whole)


class Study:
    """A design with its true variances, and draws from it; the true mean is 0."""

    def __init__(self, psi, theta, J, n, seed, draw, scheme="new groups", K=None):
        self.J = J = int(whole("J", J, 2))
        if np.shape(n) not in ((), (J,)):
            raise ValueError(f"n must be one size or J = {J} of them; got shape {np.shape(n)}")
        self.sizes = sizes = np.broadcast_to(whole("n", n, 1), J)
        self.N = N = int(sizes.sum())
        if N == J:
            raise ValueError("every group has one row only (n = 1): psi and theta cannot be told apart")
        if np.ndim(psi) or np.ndim(theta) or not theta > 0:
            raise ValueError(f"psi and theta must be single numbers, theta positive; got {psi} and {theta}")
        one_of("scheme", scheme, SCHEMES)
        if (K is None) == (scheme == "finite population"):
            raise ValueError(f'K goes with scheme="finite population"; got K = {K} and {scheme!r}')
        self.observed = one_of("draw", draw, ("sufficient", "observations")) == "observations"
        # The mean of all rows of unequal groups varies as that of `even` groups of N / even rows does.
        even = N**2 / np.sum(sizes**2)
        design = {"theta": theta, "J": even, "n": N / even}
        self.known = {
            "complete": formulas.se_complete_pooling(psi, **design),
            "no": formulas.se_no_pooling(**design),
            "partial": formulas.se_partial_pooling(psi, **design),
        }
        if K is None:
            by_scheme = {"independent rows": "complete", "same groups": "no", "new groups": "partial"}
            self.target = self.known[by_scheme[scheme]]
        else:
            K = np.inf if np.isposinf(K) else int(whole("K", K, J))
            self.target = formulas.se_finite_population(psi, **design, K=K)
        # Rows of groups of their own are rows without groups.
        self.psi, self.theta = (0.0, psi + theta) if scheme == "independent rows" else (psi, theta)
        self.rng, self.population = np.random.default_rng(seed), None
        if scheme == "same groups" or K not in (None, np.inf):
            u = self.rng.standard_normal(K or J)
            u -= np.average(u, weights=None if K else sizes)
            self.population, self.shuffled = u * np.sqrt(psi) / u.std(ddof=1), K is not None
        self.width = N if self.observed else max(J, 0 if self.population is None else len(self.population))

    def effects(self, count):
        """Draw what each group adds to the mean, shape (count, J)."""
        if self.population is None:
            return np.sqrt(self.psi) * self.rng.standard_normal((self.J, count)).T
        same = np.broadcast_to(self.population, (count, len(self.population)))
        return self.rng.permuted(same, axis=1)[:, : self.J] if self.shuffled else same

    def statistics(self, count, effects=None):
        """Draw group means, shape (count, J), and the sum of squares within, shape (count,).

        Without effects the means serve fits of the overall mean only. Such a fit to groups of equal
        size sees their mean and their sum of squares alone: where the groups are new these are drawn,
        normal and chi-square, and the means laid out to have them.
        """
        if effects is None and (self.observed or self.population is not None):
            effects = self.effects(count)
        normal = self.rng.standard_normal
        if self.observed:
            Y = np.sqrt(self.theta) * normal((count, self.N))
            Y += np.repeat(effects, self.sizes, axis=1)
            means = np.add.reduceat(Y, np.cumsum(self.sizes) - self.sizes, axis=1) / self.sizes
            Y -= np.repeat(means, self.sizes, axis=1)
            return means, np.einsum("ij,ij->i", Y, Y)
        ss_within = self.theta * self.rng.chisquare(self.N - self.J, count)
        # Replicates lie side by side in memory: sums over the groups are fast that way.
        if effects is not None:
            return normal((self.J, count)).T * np.sqrt(self.theta / self.sizes) + effects, ss_within
        spread = np.sqrt(self.psi + self.theta / self.sizes)
        if np.ptp(self.sizes):
            return normal((self.J, count)).T * spread, ss_within
        means = np.tile(spread[0] / np.sqrt(self.J) * normal(count), (self.J, 1)).T
        contrast = spread[0] * np.sqrt(self.rng.chisquare(self.J - 1, count) / 2)
        means[:, 0] += contrast
        means[:, 1] -= contrast
        return means, ss_within

    def fits(self, count):
        """Draw and fit: the fields of `Replicates`, by name."""
        means, ss_within = self.statistics(count)
        fit = batch.fit_batch(means, self.sizes, ss_within)
        rows = means @ self.sizes / self.N
        means -= rows[:, None]
        total = np.square(means, out=means) @ self.sizes + ss_within
        return {
            "means": rows, "gls_means": fit.mean, "psi": fit.psi, "theta": fit.theta,
            "se_complete": np.sqrt(total / (self.N - 1) / self.N),
            "se_no": np.sqrt(ss_within / (self.N - self.J) / self.N), "se_partial": fit.se,
        }  # fmt: skip
