"""What a fit varies: `Own` and `Shared` values, priors, and the scale on which each number moves."""

import math
from dataclasses import dataclass

from remission.models.errors import ProblemError, refuse_unknown_keywords

__all__ = ["LogNormal", "Normal", "Own", "Range", "Shared", "range_of"]


@refuse_unknown_keywords
@dataclass(frozen=True)
class Normal:
    """A normal prior: the value of a parameter is about `mean`, give or take `sd`.

    Parameters
    ----------
    mean : float or None
        In the parameter's unit. `None`: estimated with the fit, one value for all subjects.
    sd : float
        Standard deviation, in the parameter's unit.

    Examples
    --------
    >>> Normal(0.25, sd=0.1)
    Normal(mean=0.25, sd=0.1)
    """

    mean: float | None = None
    sd: float = 1.0

    def __post_init__(self):
        _check_prior(self, "mean", self.mean, "sd", self.sd)

    @property
    def centre(self):
        """The mean, or None where it is estimated."""
        return self.mean

    @property
    def width(self):
        """Standard deviation of `inside`."""
        return self.sd

    scale = "linear"


@refuse_unknown_keywords
@dataclass(frozen=True)
class LogNormal:
    """A log-normal prior: the value of a parameter is about `median`, within a factor of exp(`sigma`).

    Parameters
    ----------
    median : float or None
        In the parameter's unit. `None`: estimated with the fit, one value for all subjects.
    sigma : float
        Standard deviation of the natural logarithm; 0.7 is a factor of 2.

    Examples
    --------
    >>> LogNormal(sigma=0.5).median is None
    True
    """

    median: float | None = None
    sigma: float = 1.0

    def __post_init__(self):
        _check_prior(self, "median", self.median, "sigma", self.sigma)
        if self.median is not None and not self.median > 0:
            raise ProblemError(f"LogNormal: median must be above 0, got {self.median!r}")

    @property
    def centre(self):
        """The median, or None where it is estimated."""
        return self.median

    @property
    def width(self):
        """Standard deviation of the logarithm."""
        return self.sigma

    scale = "log"


def _check_prior(prior, centre_name, centre, width_name, width):
    name = type(prior).__name__
    for part, value in ((centre_name, centre), (width_name, width)):
        if value is None and part == centre_name:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ProblemError(f"{name}: {part} must be a finite number, got {value!r}")
    if not width > 0:
        raise ProblemError(f"{name}: {width_name} must be above 0, got {width!r}")


class _Varied:
    """Checks that `Own` and `Shared` have in common."""

    def __post_init__(self):
        who = type(self).__name__
        if self.scale not in (None, "log", "linear"):
            raise ProblemError(f"{who}: scale is 'log' or 'linear', got {self.scale!r}")
        if self.prior is not None and not isinstance(self.prior, Normal | LogNormal):
            raise ProblemError(f"{who}: prior is Normal(mean, sd) or LogNormal(median, sigma), got {self.prior!r}")
        if self.bounds is not None:
            try:
                low, high = (float(v) for v in self.bounds)
            except (TypeError, ValueError):
                raise ProblemError(f"{who}: bounds are (low, high), got {self.bounds!r}") from None
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise ProblemError(f"{who}: bounds must be finite and increasing, got ({low:g}, {high:g})")
            object.__setattr__(self, "bounds", (low, high))


@refuse_unknown_keywords
@dataclass(frozen=True)
class Own(_Varied):
    """A parameter that has a value of its own in each subject.

    Parameters
    ----------
    bounds : (low, high), optional
        Closed range of the value. By default the parameter's `plausible` range.
    scale : {"log", "linear"}, optional
        Scale on which it is varied. By default the parameter's own.
    start : float or dict, optional
        Where the first search starts, one value or subject -> value. By default the value in the problem.
    prior : Normal or LogNormal, optional
        What is known of it before the data. With the centre left out, subjects are drawn towards a common value that
        is estimated too: subjects with few data borrow from the others.

    Examples
    --------
    >>> Own(bounds=(1e-4, 0.2), prior=LogNormal(sigma=0.5)).bounds
    (0.0001, 0.2)
    """

    bounds: tuple | None = None
    scale: str | None = None
    start: float | dict | None = None
    prior: Normal | LogNormal | None = None


@refuse_unknown_keywords
@dataclass(frozen=True)
class Shared(_Varied):
    """A parameter that has one value for all subjects.

    Parameters
    ----------
    bounds : (low, high), optional
        Closed range of the value. By default the parameter's `plausible` range.
    scale : {"log", "linear"}, optional
        Scale on which it is varied. By default the parameter's own.
    start : float, optional
        Where the first search starts. By default the value in the problem.
    prior : Normal or LogNormal, optional
        What is known of it before the data.

    Examples
    --------
    >>> Shared(scale="linear").scale
    'linear'
    """

    bounds: tuple | None = None
    scale: str | None = None
    start: float | None = None
    prior: Normal | LogNormal | None = None

    def __post_init__(self):
        super().__post_init__()
        if self.prior is not None and self.prior.centre is None:
            raise ProblemError("Shared: a prior needs its centre; only Own values can have one that is estimated")


@dataclass(frozen=True)
class Range:
    """A number that a search moves, on its own scale: `low`, `high` and `start` are logarithms when `log`."""

    name: str
    subject: str | None
    low: float
    high: float
    start: float
    log: bool
    prior: Normal | LogNormal | None = None
    centre_of: str | None = None  # set where this is the estimated centre of another parameter's prior
    unit: str = ""

    def natural(self, x):
        """Value in the parameter's unit."""
        return math.exp(x) if self.log else x

    def slope(self, x):
        """Derivative of the natural value by x."""
        return math.exp(x) if self.log else 1.0


def range_of(symbol, varied, default, subject=None) -> Range:
    """Bounds, scale and start of one varied parameter; a missing or impossible range is refused.

    Parameters
    ----------
    symbol : Parameter
    varied : Own or Shared
    default : float
        Value in the problem, the start if none is given.
    subject : str, optional
        Whose value it is.

    Returns
    -------
    Range

    Raises
    ------
    ProblemError
        If there are no bounds, or a logarithmic scale meets a bound that is not above 0.

    Examples
    --------
    >>> from remission.models import Parameter
    >>> range_of(Parameter("r", 0.1, plausible=(0.01, 1)), Shared(scale="linear"), 0.1).high
    1.0
    """
    info, name = symbol.info, symbol.name
    bounds, scale = varied.bounds or info.plausible, varied.scale or info.scale
    kind = type(varied).__name__
    if bounds is None:
        raise ProblemError(
            f"fit: parameter {name!r} has no range to vary it in; write {kind}(bounds=(low, high)), "
            "or declare plausible=(low, high) with the Parameter"
        )
    low, high = bounds
    if scale == "log" and not low > 0:
        raise ProblemError(
            f"fit: parameter {name!r} is varied on a log scale and its lower bound is {low:g}; give a lower bound "
            f'above 0, as in {kind}(bounds=({high / 1e4:g}, {high:g})), or write {kind}(scale="linear")'
        )
    if isinstance(varied.prior, LogNormal) and not low > 0:
        raise ProblemError(f"fit: parameter {name!r} has a log-normal prior and a lower bound of {low:g}, not above 0")
    start = varied.start.get(subject, default) if isinstance(varied.start, dict) else varied.start
    inside = min(max(float(default if start is None else start), low), high)
    log = scale == "log"
    move = math.log if log else float
    return Range(name, subject, move(low), move(high), move(inside), log, varied.prior, unit=info.unit)
