"""Schedule: a treatment at given parameter values, as times, levels and thresholds with their derivatives."""

import math
from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError

__all__ = ["Moment", "NumericRule", "NumericWindow", "Schedule", "make_schedule"]

MOST_MOMENTS = 200_000
DOSE, EDGE, VISIT = 0, 1, 2  # at one instant: doses, then changes of level, then visits of rules


@dataclass(frozen=True)
class NumericWindow:
    """A level that holds from `start` (included) to `end`; `row` is the input's or the state's position."""

    row: int
    into_state: bool
    level: float
    level_gradient: np.ndarray
    start: float
    end: float


@dataclass(frozen=True)
class Moment:
    """Something that happens at a time that is known before the integration."""

    time: float
    order: int
    what: object
    time_gradient: np.ndarray


@dataclass(frozen=True)
class Dose:
    """A jump of one state: y[row] -> kept * y[row] + amount."""

    row: int
    amount: float
    kept: float
    amount_gradient: np.ndarray
    kept_gradient: np.ndarray
    label: str


@dataclass(frozen=True)
class NumericRule:
    """A rule with its thresholds as numbers."""

    rule: object
    levels: tuple
    level_gradients: tuple
    rows: tuple
    thresholds: tuple
    threshold_gradients: tuple
    starts: float


@dataclass(frozen=True)
class Schedule:
    """All that is known of a treatment before the integration starts."""

    windows: tuple
    moments: tuple
    rules: tuple
    defaults: np.ndarray


def make_schedule(problem, gradients: bool) -> Schedule:
    """Put numbers into a problem's treatment.

    Parameters
    ----------
    problem : Problem
    gradients : bool
        Whether derivatives by the parameters are wanted; they are zero arrays otherwise.

    Returns
    -------
    Schedule
        Moments sorted by time, then doses before level changes before visits.

    Raises
    ------
    ProblemError
        If a time or level is not finite, an interval is negative, or there are too many moments.

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem, Treatment
    >>> pulses = Treatment.intermittent({"u": 1}, on=7, off=7, cycles=2)
    >>> [m.time for m in make_schedule(Problem(sensitive_resistant(), treatment=pulses), False).moments]
    [0.0, 7.0, 14.0, 21.0]
    """
    kept = problem._kept
    if kept is None:
        return _schedule(problem, gradients)
    if gradients not in kept:
        kept[gradients] = _schedule(problem, gradients)
    return kept[gradients]


def _schedule(problem, gradients):
    look = _Numbers(problem, gradients)
    system, treatment = problem.system, problem.treatment
    windows = [n for w in treatment.windows for n in _windows(w, look, problem)]
    moments = [m for w, (m_start, m_end) in windows for m in (m_start, m_end) if m is not None]
    moments += [m for j in treatment.jumps for m in _doses(j, look, problem)]
    rules = tuple(_rule(r, look, system, problem) for r in treatment.rules)
    moments += [m for i, rule in enumerate(rules) for m in _visits(i, rule, look, problem)]
    prescribed = {w.row for w, _ in windows if not w.into_state} | {row for r in rules for row in r.rows}
    defaults = np.array([0.0 if i in prescribed else s.info.default for i, s in enumerate(problem.model.inputs)])
    moments.sort(key=lambda m: (m.time, m.order))
    return Schedule(tuple(w for w, _ in windows), tuple(moments), rules, defaults)


class _Numbers:
    """Values and derivatives of the treatment's expressions."""

    def __init__(self, problem, gradients):
        settings = problem.system.settings
        self.problem, self.index = problem, settings.index
        self.values = settings.values(problem.p)
        self.none = np.zeros(settings.n_parameters)
        self.rows = settings.gradients(problem.p) if gradients else None

    def __call__(self, expression):
        if expression.is_infinite:
            return float(expression), self.none
        at = self.index[expression]
        value = float(self.values[at])
        if not math.isfinite(value):
            raise ProblemError(
                f"{self.problem.model.name}: {expression} in the treatment is {value} at these parameters"
            )
        return value, self.none if self.rows is None else self.rows[at]


def _repeats(thing, first, look, problem):
    """Offsets k * period of the repetitions that begin before the end, with the derivative of each."""
    if thing.period is None:
        return [(0.0, look.none)]
    period, gradient = look(thing.period)
    if not period > 0:
        raise ProblemError(f"{problem.model.name}: the time between repetitions is {period:g}, but must be above 0")
    span = problem.t_span[1] - first
    count = max(0, math.floor(span / period) + 1)
    if count > MOST_MOMENTS:
        raise ProblemError(
            f"{problem.model.name}: a repetition every {period:g} happens {count} times; is the unit right?"
        )
    count = count if thing.repeats is None else min(count, thing.repeats)
    return [(k * period, k * gradient) for k in range(count)]


def _windows(window, look, problem):
    system = problem.system
    names = system.states if window.into_state else system.inputs
    row = names.index(window.target)
    level, level_gradient = look(window.level)
    start, start_gradient = look(window.start)
    end, end_gradient = look(window.end)
    if not end >= start:
        raise ProblemError(
            f"{problem.model.name}: {window.target} is given from {start:g} to {end:g}, which is backwards"
        )
    begin, stop = problem.t_span
    for offset, gradient in _repeats(window, start, look, problem) if math.isfinite(start) else [(0.0, look.none)]:
        a, b = start + offset, end + offset
        if b <= begin or a >= stop or a == b:
            continue
        numeric = NumericWindow(row, window.into_state, level, level_gradient, a, b)
        opens = Moment(a, EDGE, (numeric, True), start_gradient + gradient) if a >= begin else None
        closes = Moment(b, EDGE, (numeric, False), end_gradient + gradient) if b <= stop else None
        yield numeric, (opens, closes)


def _doses(jump, look, problem):
    row = problem.system.states.index(jump.target)
    time, time_gradient = look(jump.time)
    amount, amount_gradient = look(jump.amount)
    kept, kept_gradient = look(jump.kept)
    label = f"{amount:g} into {jump.target}" if jump.kept == 1 else f"{1 - kept:g} of {jump.target} removed"
    dose = Dose(row, amount, kept, amount_gradient, kept_gradient, label)
    for offset, gradient in _repeats(jump, time, look, problem):
        if problem.t_span[0] <= time + offset <= problem.t_span[1]:
            yield Moment(time + offset, DOSE, dose, time_gradient + gradient)


def _rule(rule, look, system, problem):
    rows = tuple(system.inputs.index(name) for name, _ in rule.levels[0])
    levels = [[look(level) for _, level in mode] for mode in rule.levels]
    thresholds = [look(threshold) for _, _, threshold, _ in rule.transitions]
    if len(thresholds) == 2 and not thresholds[0][0] < thresholds[1][0]:
        low, high = (value for value, _ in thresholds)
        raise ProblemError(
            f"{problem.model.name}: the rule pauses below {low:g} and resumes above {high:g}: never both"
        )
    lead_in = look(rule.lead_in)[0]
    if lead_in < 0:
        raise ProblemError(f"{problem.model.name}: lead_in is {lead_in:g}, but must not be below 0")
    return NumericRule(
        rule,
        tuple(tuple(value for value, _ in mode) for mode in levels),
        tuple(tuple(gradient for _, gradient in mode) for mode in levels),
        rows,
        tuple(value for value, _ in thresholds),
        tuple(gradient for _, gradient in thresholds),
        problem.t_span[0] + lead_in,
    )


def _visits(number, numeric, look, problem):
    """Visits of a rule; the end of a lead-in is one, whether or not there are further visits."""
    rule, (begin, stop) = numeric.rule, problem.t_span
    lead_in, lead_gradient = look(rule.lead_in)
    if lead_in > 0 and begin + lead_in < stop:
        yield Moment(begin + lead_in, VISIT, number, lead_gradient)
    if rule.check_every is None:
        return
    every, gradient = look(rule.check_every)
    if not every > 0:
        raise ProblemError(f"{problem.model.name}: check_every is {every:g}, but must be above 0")
    count = math.floor((stop - begin - lead_in) / every)
    if count > MOST_MOMENTS:
        raise ProblemError(f"{problem.model.name}: a visit every {every:g} happens {count} times; is the unit right?")
    for k in range(1, count + 1):
        yield Moment(begin + lead_in + k * every, VISIT, number, lead_gradient + k * gradient)
