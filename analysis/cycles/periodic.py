"""The period of a treatment: when it has begun for good, and after what time it repeats itself."""

from dataclasses import dataclass
from fractions import Fraction
from math import gcd, isfinite, lcm

import numpy as np

from remission.models import t
from remission.models.errors import ProblemError

from ..given import positive

__all__ = ["Repeating", "repeating"]

SAME = 1e-9
MOST_PARTS = 1000  # of one period in the common one


@dataclass(frozen=True)
class Repeating:
    """From `start` on everything repeats itself after `period`.

    Attributes
    ----------
    start, period : float
        In the model's unit of time.
    """

    start: float
    period: float


def repeating(problem, period=None) -> Repeating:
    """When a treatment repeats itself.

    Parameters
    ----------
    problem : Problem
    period : float, optional
        Needed where nothing is repeated or time appears in the equations; else it has to be a multiple of what is
        repeated.

    Returns
    -------
    Repeating

    Raises
    ------
    ProblemError
        If the treatment ends, is decided by rules, has parts without a common period, or no period is known.

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem, Treatment
    >>> weekly = Treatment.intermittent({"u": 1.0}, on=5, off=2)
    >>> repeating(Problem(sensitive_resistant(), treatment=weekly))
    Repeating(start=0.0, period=7.0)
    """
    name, treatment = problem.model.name, problem.treatment
    if treatment.rules:
        raise ProblemError(
            f"{name}: the treatment is decided by rules ({treatment}), so its period is not known before it is "
            "solved; hold the inputs with problem.at_constant(...) or give an intermittent treatment"
        )
    values = dict(zip(problem.system.parameter_symbols, problem.p, strict=True))
    timed = any(rate.has(t) for rate in problem.model.equations.values())
    starts, periods = [float(problem.t_span[0])], []
    number = lambda e: float(e) if e.is_infinite else float(e.subs(values))  # noqa: E731
    for thing in (*treatment.windows, *treatment.jumps):
        first = number(thing.start if hasattr(thing, "start") else thing.time)
        if thing.period is not None:
            if thing.repeats is not None:
                raise ProblemError(
                    f"{name}: the treatment ends after {thing.repeats} repetitions ({treatment}), so it forces no "
                    "periodic orbit; leave out cycles= or times="
                )
            periods.append(number(thing.period))
            starts.append(first)
        elif hasattr(thing, "start"):
            starts += [v for v in (first, number(thing.end)) if isfinite(v)]
        else:
            starts.append(np.nextafter(first, np.inf))  # once, and not again every period
    if not periods and period is None:
        raise ProblemError(
            f"{name}: nothing is repeated ({treatment})"
            + (", but time appears in the equations: give its period=" if timed else
               "; a forced orbit needs a periodic treatment (intermittent, bolus or infusion with every=); for cycles "
               "without one use continue_cycles")
        )  # fmt: skip
    if period is not None:
        period = positive(period, f"{name}: period")
    common = _common(name, periods) if periods else period
    if period is not None:
        common = _multiple(name, period, common)
    if timed:
        _check_time(problem, common, period)
    anchor = min(_firsts(treatment, number), default=starts[0])
    start = anchor + common * max(0.0, np.ceil((max(starts) - anchor) / common - SAME))
    return Repeating(float(start), common)


def _firsts(treatment, number):
    """First times of what is repeated."""
    for thing in (*treatment.windows, *treatment.jumps):
        if thing.period is not None:
            yield number(thing.start if hasattr(thing, "start") else thing.time)


def _common(name, periods):
    """Least common multiple of periods whose ratios are those of small whole numbers."""
    for p in periods:
        if not p > 0:
            raise ProblemError(f"{name}: the time between repetitions is {p:g}, but must be above 0")
    ratios = [Fraction(p / periods[0]).limit_denominator(MOST_PARTS) for p in periods]
    for p, ratio in zip(periods, ratios, strict=True):
        if ratio == 0 or abs(p / periods[0] / float(ratio) - 1) > SAME:
            raise ProblemError(
                f"{name}: what is repeated every {periods[0]:g} and every {p:g} has no common period below "
                f"{MOST_PARTS} of them"
            )
    top, bottom = lcm(*(r.numerator for r in ratios)), gcd(*(r.denominator for r in ratios))
    return periods[0] * top / bottom


def _multiple(name, period, common):
    parts = period / common
    if round(parts) < 1 or abs(parts - round(parts)) > SAME * parts:
        raise ProblemError(f"{name}: the treatment repeats itself every {common:g}; {period:g} is no multiple of that")
    return common * round(parts)


def _check_time(problem, period, given):
    """Refuse a period with which the equations themselves do not repeat."""
    system, name = problem.system, problem.model.name
    if given is None:
        raise ProblemError(f"{name}: time appears in the equations: give period=, a multiple of {period:g}")
    levels = np.array([s.info.default for s in problem.model.inputs], dtype=float)
    y = np.asarray(system.y0(problem.p), dtype=float) + 0.1
    for now in (0.137, 0.411, 0.873):
        one, two = (np.asarray(system.f(problem.t_span[0] + (now + k) * period, y, problem.p, levels)) for k in (0, 1))
        if not np.allclose(one, two, rtol=1e-9, atol=1e-12):
            raise ProblemError(f"{name}: the equations do not repeat themselves after {period:g}")
