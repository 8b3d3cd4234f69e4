"""Priors of a standard deviation: their log density, and how fast it falls where the deviation is large."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..checks import one_of, real

_SCALES = {"sd": 0.0, "variance": 1.0, "log": -1.0}  # the power of the standard deviation in its density


def _positive(name, value):
    value = real(name, value)
    if value <= 0:
        raise ValueError(f"{name} must be positive; got {value:g}")
    return value


@dataclass(frozen=True)
class Flat:
    """The same density everywhere, on the scale that is named; no probability distribution.

    Parameters
    ----------
    of : {"sd", "variance", "log"}
        Flat in the standard deviation, in its square or in its logarithm.
    """

    of: str = "sd"

    def __post_init__(self):
        one_of("of", self.of, _SCALES)

    @property
    def power(self):
        """Of the standard deviation, in its density far out."""
        return _SCALES[self.of]

    def log_density(self, sd):
        """Up to a constant."""
        return self.power * np.log(sd)


@dataclass(frozen=True)
class HalfNormal:
    """The upper half of a normal distribution about 0.

    Parameters
    ----------
    scale : float
        Standard deviation of the whole normal distribution.
    """

    scale: float
    power = -np.inf

    def __post_init__(self):
        _positive("scale", self.scale)

    def log_density(self, sd):
        """Up to a constant."""
        return -0.5 * (sd / self.scale) ** 2


@dataclass(frozen=True)
class HalfT:
    """The upper half of a t distribution about 0 (Gelman 2006); on 1 df it is the half-Cauchy.

    Parameters
    ----------
    df, scale : float
    """

    df: float
    scale: float

    def __post_init__(self):
        _positive("df", self.df)
        _positive("scale", self.scale)

    @property
    def power(self):
        """Of the standard deviation, in its density far out."""
        return -self.df - 1.0

    def log_density(self, sd):
        """Up to a constant."""
        return -0.5 * (self.df + 1) * np.log1p((sd / self.scale) ** 2 / self.df)


@dataclass(frozen=True)
class Exponential:
    """The prior that penalises complexity (Simpson et al. 2017), exponential in the standard deviation.

    Parameters
    ----------
    beyond, probability : float
        The standard deviation exceeds ``beyond`` with this probability; INLA's U and alpha.
    """

    beyond: float
    probability: float
    power = -np.inf

    def __post_init__(self):
        _positive("beyond", self.beyond)
        if not 0 < real("probability", self.probability) < 1:
            raise ValueError(f"probability must lie between 0 and 1; got {self.probability}")

    def log_density(self, sd):
        """Up to a constant."""
        return sd * (np.log(self.probability) / self.beyond)


PRIORS = (Flat, HalfNormal, HalfT, Exponential)


class Normal(NamedTuple):
    """A normal prior of the mean.

    Attributes
    ----------
    mean, sd : float
    """

    mean: float
    sd: float


@dataclass(frozen=True)
class Priors:
    """What is taken for known before the data: of the two standard deviations, and of the mean.

    Parameters
    ----------
    between, within : Flat, HalfNormal, HalfT or Exponential
        Independent of one another. ``within`` has no use where the variances within are known.
    mean : Normal, optional
        Without one the prior of the mean is flat.
    """

    between: object = Flat()
    within: object = Flat()
    mean: Normal | None = None

    def __post_init__(self):
        for name in ("between", "within"):
            if not isinstance(getattr(self, name), PRIORS):
                kinds = ", ".join(kind.__name__ for kind in PRIORS)
                raise TypeError(
                    f"the prior {name} must be one of {kinds} of helpers.fits.bayes; "
                    f"got {getattr(self, name)!r}"
                )
        if self.mean is not None:
            if not isinstance(self.mean, Normal):
                raise TypeError(f"the prior of the mean must be None (flat) or a Normal; got {self.mean!r}")
            real("mean", self.mean.mean)
            _positive("sd", self.mean.sd)


def _bambi(mean, sd):
    """What Bambi 0.17 sets for ``y ~ 1 + (1|group)``."""
    return Priors(HalfNormal(2.5 * sd), HalfT(4, sd), Normal(mean, 2.5 * sd))


NAMED = {
    "flat": lambda mean, sd: Priors(),
    "half-cauchy": lambda mean, sd: Priors(HalfT(1, sd), Flat("log")),
    "bambi": _bambi,
    "complexity": lambda mean, sd: Priors(Exponential(sd, 0.05), Flat("log")),
}


def named(prior, mean, sd):
    """Return the priors of a name, for data of this mean and standard deviation (that divides by N)."""
    return NAMED[one_of("prior", prior, NAMED)](mean, sd)
