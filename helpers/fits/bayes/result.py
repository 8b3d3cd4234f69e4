"""The posterior of a mean, of the two standard deviations and of the groups' means, by quadrature."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd

from ..checks import level_of
from .mixture import Mixture
from .model import of_estimates, of_summary
from .priors import Flat, Priors, named
from .trapezoid import Marginal, integrate

_POWERS = [(0, 0), (1, 0), (2, 0), (4, 0), (0, 1), (0, 2), (0, 4)]


class Posterior:
    """A posterior distribution, known at the nodes of a quadrature.

    Attributes
    ----------
    priors : Priors
    mean : Mixture
        The common mean: ``mean``, ``sd``, ``cdf(x)``, ``quantile(p)``; and the two parts of its variance,
        ``from_known`` (the mean of its variance where the standard deviations are given) and
        ``from_unknown`` (the variance of its mean where they are given).
    between, within : Marginal
        The standard deviations: ``density(x)``, ``cdf(x)``, ``quantile(p)``. ``within`` is None where the
        variances within are known.
    """

    def __init__(self, means, labels, priors):
        self._means, self.labels, self.priors = means, labels, priors
        _proper(means, priors)
        powers = [power for power in _POWERS if means.finite(priors, power)]
        self._powers = powers = [power for power in powers if not (means.known and power[1])]
        nodes = integrate(self._log_density, *_start(means), powers)
        self._tau, self._sigma = np.exp(nodes.axes[0])[:, None], np.exp(nodes.axes[1])
        self._weights = nodes.weights
        self.between = Marginal(nodes.axes[0], nodes.steps[0], nodes.weights.sum(axis=1))
        self.within = None
        if not means.known:
            self.within = Marginal(nodes.axes[1], nodes.steps[1], nodes.weights.sum(axis=0))

    def _log_density(self, tau, sigma):
        """With respect to the logarithms, which are given."""
        between, within = np.exp(tau), np.exp(sigma)
        *_, value = self._means.given(between, within, self.priors.mean)
        value = value + self.priors.between.log_density(between) + tau
        if not self._means.known:
            value = value + self.priors.within.log_density(within) + sigma
        return value

    @cached_property
    def _given(self):
        mean, variance, _ = self._means.given(self._tau, self._sigma, self.priors.mean)
        return mean, variance

    def _exists(self, *powers):
        return all(self._means.finite(self.priors, power) for power in powers)

    @cached_property
    def mean(self):
        """The common mean, a `Mixture`."""
        if self.priors.mean is not None:
            finite = True, True
        else:
            finite = self._exists((1, 0), (0, 1)), self._exists((2, 0), (0, 2))
        return Mixture(self._weights, *self._given, self._means.origin, finite)

    def expect(self, function):
        """Posterior mean of a function of the two standard deviations.

        Parameters
        ----------
        function : callable
            Of arrays ``(between, within)``, smooth; ``within`` is 1 where the variances are known. Whether
            its mean exists is the caller's to know.

        Returns
        -------
        float
        """
        return float(np.sum(self._weights * function(self._tau, self._sigma)))

    def table(self, alpha=0.05):
        """Mean, standard deviation and quantiles of what the model has.

        Parameters
        ----------
        alpha : float
            One minus the level of the interval between equal tails.

        Returns
        -------
        DataFrame
            Rows mean, sd_between, sd_within, psi, theta (with known variances no sd_within and theta),
            columns ``mean``, ``sd``, ``lower``, ``median``, ``upper``. Where a mean or standard deviation
            has no end it is inf, or NaN for the mean of the common mean; a sampler prints some number there.
        """
        ps = np.array([level_of(alpha) / 2, 0.5, 1 - level_of(alpha) / 2])
        found = {"mean": [self.mean.mean, self.mean.sd, *(self.mean.quantile(p) for p in ps)]}
        for k, (name, variance, of) in enumerate(
            [("sd_between", "psi", self.between), ("sd_within", "theta", self.within)]
        ):
            if of is None:
                continue
            ends = np.array([of.quantile(p) for p in ps])
            for row, m in ((name, 1), (variance, 2)):
                once, twice = (tuple((k == i) * power for i in (0, 1)) for power in (m, 2 * m))
                first = of.moment(m) if self._exists(once) else np.inf
                spread = np.sqrt(max(of.moment(2 * m) - first**2, 0)) if self._exists(twice) else np.inf
                found[row] = [first, spread, *ends**m]
        order = [row for row in ("mean", "sd_between", "sd_within", "psi", "theta") if row in found]
        columns = ["mean", "sd", "lower", "median", "upper"]
        return pd.DataFrame(found, columns).T.loc[order]

    def group(self, label):
        """The true mean of one group, a `Mixture`.

        Parameters
        ----------
        label : object
            Of a group.

        Raises
        ------
        ValueError
            If there is no such group.
        """
        if label not in self.labels:
            raise ValueError(f"there is no group {label!r}")
        return self._group(self.labels.get_loc(label))

    def _group(self, j):
        mean, variance = self._given
        psi = self._tau**2
        theta = 1.0 if self._means.known else self._sigma**2
        sampling = theta * self._means.per_mean[self._means.member[j]]
        kept = psi / (psi + sampling)
        left = sampling / (psi + sampling)
        guess = kept * self._means.off[j] + left * mean
        return Mixture(
            self._weights, guess, kept * sampling + left**2 * variance, self._means.origin,
            (True, self._means.known or self._exists((0, 2))),
        )  # fmt: skip

    def groups(self, alpha=0.05):
        """The true means of the groups.

        Parameters
        ----------
        alpha : float
            One minus the level of the intervals.

        Returns
        -------
        DataFrame
            By group: ``mean``, ``sd``, ``lower``, ``upper``.
        """
        tail = level_of(alpha) / 2
        found = [self._group(j) for j in range(len(self.labels))]
        rows = [[of.mean, of.sd, of.quantile(tail), of.quantile(1 - tail)] for of in found]
        return pd.DataFrame(rows, self.labels, ["mean", "sd", "lower", "upper"])


def _proper(means, priors):
    if isinstance(priors.between, Flat) and priors.between.of == "log":
        raise ValueError(
            "the posterior is improper: a prior flat in the logarithm of the standard deviation between has "
            'no end towards 0, and no data keep it away; Flat("sd") has'
        )
    if not means.finite(priors, (0, 0)):
        raise ValueError(
            f"the posterior is improper: {len(means.off)} groups are too few for {priors.between} between "
            f"and {priors.within} within, which have no end themselves; Flat('sd') between takes 3 groups, "
            "with HalfNormal, HalfT or Exponential 2 will do"
        )


def _start(means):
    """Where to begin to look for the mass: ends and steps of the two logarithms."""
    J = len(means.off)
    within = 1.0 if means.known else np.sqrt(means.ss_within / means.df)
    sampling = within**2 * means.per_mean[means.member]
    spread = means.off.var(ddof=1)
    middle = 0.5 * np.log(max(spread - sampling.mean(), 0.1 * sampling.mean()))
    step = min(0.2, 1 / np.sqrt(2 * J))
    if means.known:
        return [(middle - 1, middle + 1), (0.0, 0.0)], [step, 1.0]
    width = 1 / np.sqrt(2 * means.df)
    about = np.log(within)
    return [(middle - 1, middle + 1), (about - 3 * width, about + 3 * width)], [step, min(0.2, width)]


def posterior(summary, prior="flat"):
    """The posterior of mean, variances and group means, without a sampler.

    Given the two standard deviations everything is normal, with the mean and variance that partial pooling
    has there (chapters 05 and 07). What is left are two dimensions, done by the trapezoid rule on the
    logarithms of the two, its step halved until the moments agree to eleven digits.

    Parameters
    ----------
    summary : GroupSummary
        Of a mean alone: ``summarise(data, "score ~ 1", "classroom")``.
    prior : str or Priors
        "flat": flat in both standard deviations. "half-cauchy": between, half-t on 1 df (Gelman 2006), its
        scale the standard deviation of all rows. "complexity": between, exponential, above that deviation
        with probability .05 (Simpson et al. 2017). Both are flat in the logarithm within. "bambi": what
        Bambi 0.17 sets for ``score ~ 1 + (1|classroom)``, half-normal between with a scale of 2.5 such
        deviations, half-t on 4 df within with a scale of one; and a normal mean about that of all rows, of
        2.5 deviations. In the others the mean is flat. All but "flat" look at the rows for their scales.

    Returns
    -------
    Posterior

    Raises
    ------
    TypeError
        If the summary has no groups, or a prior is none.
    ValueError
        If the summary has terms beside the constant, if the posterior is improper (flat in the standard
        deviation between takes three groups), as `Profile`, or where the integrals do not settle.

    Notes
    -----
    Flat in the standard deviation between, the variance of the mean is finite from five groups on
    (Gelman 2006 has when the posterior is proper).

    Examples
    --------
    >>> from helpers import classrooms, posterior
    >>> from helpers.groups import summarise
    >>> found = posterior(summarise(classrooms(), "score ~ 1", "classroom"))
    >>> found.table()[["mean", "sd"]].round(3)
                    mean       sd
    mean        1628.976    5.109
    sd_between    20.569    4.363
    sd_within     28.247    1.505
    psi          442.108  197.788
    theta        800.174   85.667
    """
    means = of_summary(summary)
    if isinstance(prior, str):
        whole = summary.about_centre()[-1, -1]
        prior = named(prior, means.origin, float(np.sqrt(whole / summary.nobs)))
    elif not isinstance(prior, Priors):
        raise TypeError(f"prior must be a name or a Priors of helpers.fits.bayes; got {prior!r}")
    return Posterior(means, summary.labels, prior)


def posterior_known(estimates, variances, labels, prior):
    """As `posterior`, of estimates with known sampling variances."""
    return Posterior(of_estimates(estimates, variances), labels, prior)
