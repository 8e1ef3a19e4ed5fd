"""Values of a parameter at which an outcome passes a level."""

import math
from itertools import pairwise

import numpy as np

from remission.models.errors import ProblemError
from remission.solvers import solve
from remission.solvers.initial import column_size

from .. import members
from ..chunks import Work, chunk_size, way_of
from ..outcomes import as_outcome
from ..remarks import kept_remarks
from ..sweep_results import InMemory
from ..sweep_table import as_table
from .lever import exposed, lever
from .value import Threshold, Thresholds

__all__ = ["find"]

LOOKED = 33  # points of a range, if not said
CLOSE = 1e-13  # relative width to which a crossing is solved
STEP, ROUNDS = 5e-4, 3  # of a parameter's size, in differences; and how often it is shortened
ROUGH = 1e-4  # of a slope: difference between two orders at which a shorter step is tried
TURNS = 12  # evaluations in search of a turning point beyond the level


def find(problem, of, within=None, kinds=None, *, outcome, level, n=None, rtol=1e-10, progress=True) -> Thresholds:
    """All values found at which an outcome passes a level.

    The outcome is computed at points of the range in one sweep, at turning points near the level too; each change of
    side is solved for by Brent's method on solutions of their own.

    Parameters
    ----------
    problem : Problem
    of : str
        What is moved: a parameter, an input held at one level, an initial value such as `"T(0)"`, or `"cycles"`.
    within : (float, float), optional
        Range; the plausible one of the parameter if not given.
    kinds : sequence of str, optional
        One name for what is found, such as `"critical missegregation"`; `"crossing"` if not given.
    outcome : str, Outcome or callable
        A name means its value at the end.
    level : float
    n : int, optional
        Points, 33 if not given, even on the parameter's scale.
    rtol : float
        Tolerance of the solutions at the crossing, if the problem's own is not less.
    progress : bool
        Show a bar when the sweep takes more than a second.

    Returns
    -------
    Thresholds
        `coefficients` hold the slope of the outcome by `of`. Derivatives are those of the outcome, exact where it has
        an exact gradient, else differences (`conditions` say which), divided by that slope.

    Raises
    ------
    ProblemError
        If the outcome does not fit the problem, `of` is unknown or more than one kind is named.

    Examples
    --------
    >>> from remission.analysis import time_to_progression
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem, Treatment
    >>> daily = Problem(sensitive_resistant(), t_span=(0, 900), treatment=Treatment.constant({"u": 1}))
    >>> print(find(daily, "f_R", outcome=time_to_progression(), level=365, progress=False)[0])
    crossing: f_R = 0.0083957216 (crossing, numerical); time to progression of burden falls below 365
    """
    if outcome is None or level is None:
        raise ProblemError("thresholds: a crossing needs both outcome= and level=")
    outcome, level = as_outcome(outcome), float(level)
    outcome.check(problem)
    if not math.isfinite(level):
        raise ProblemError(f"thresholds: level is a finite number, got {level!r}")
    kind, moved = _kind(kinds), lever(problem, of)
    within = moved.range(within)
    points = moved.points(within, LOOKED if n is None else n)
    looked = _Looked(moved, outcome, level, min(rtol, problem.rtol))
    looked.scan(points, progress)
    looked.turn()
    items = tuple(_threshold(looked, kind, low, high) for low, high in looked.changes())
    return Thresholds(problem, moved.of, within, items, False, looked.status(within, items), looked.notes())


def _kind(kinds):
    kinds = tuple(kinds or ("crossing",))
    if len(kinds) != 1:
        raise ProblemError(f"thresholds: a crossing gets one kind, as its name; got {', '.join(kinds)}")
    return kinds[0]


class _Looked:
    """What is known of the outcome over the range: value of the lever -> outcome."""

    def __init__(self, moved, outcome, level, rtol):
        self.moved, self.outcome, self.level, self.rtol = moved, outcome, level, rtol
        self.known, self.why, self.remarks = {}, "", []

    def scan(self, points, progress):
        """All points at once, at the problem's own tolerances."""
        if self.moved.role == "cycles":
            for value in points.tolist():
                self(value)
            return
        values, self.why = _ensemble(self.moved.problem, (self.moved.name,), points[:, None], self.outcome, progress)
        self.known = dict(zip(points.tolist(), values.tolist(), strict=True))

    def problem(self, value):
        """The problem at a value, solved tightly."""
        return self.moved.at(value).replace(rtol=self.rtol)

    def __call__(self, value):
        """The outcome at a value."""
        value = float(value)
        if value not in self.known:
            self.known[value] = self.exact(value) + self.level
        return self.known[value]

    def exact(self, value):
        """The outcome less the level, solved tightly whether or not it was scanned."""
        with kept_remarks() as self.remarks:
            return self.outcome(solve(self.problem(value))) - self.level

    def finite(self):
        """(value, outcome less level) in order, without members that failed."""
        return [(v, f - self.level) for v, f in sorted(self.known.items()) if not math.isnan(f)]

    def turn(self):
        """Look for turning points between points where the outcome bends towards the level and away again."""
        if self.moved.role == "cycles":
            return
        from scipy.optimize import minimize_scalar

        rows = self.finite()
        for (a, fa), (_, fb), (c, fc) in zip(rows[:-2], rows[1:-1], rows[2:], strict=True):
            if not all(map(math.isfinite, (fa, fb, fc))) or not (fa > 0) == (fb > 0) == (fc > 0):
                continue
            way = 1 if fb > 0 else -1
            if way * fb < min(way * fa, way * fc) and way * fb < max(way * (fa - fb), way * (fc - fb)):
                minimize_scalar(
                    lambda v, way=way: way * (self(v) - self.level), bounds=(a, c), method="bounded",
                    options={"maxiter": TURNS},
                )  # fmt: skip

    def changes(self):
        """Neighbouring values with the level between their outcomes."""
        rows = self.finite()
        return [(a, b) for (a, fa), (b, fb) in pairwise(rows) if (fa > 0) != (fb > 0)]

    def status(self, within, items):
        where = f"{self.moved.of} from {within[0]:g} to {within[1]:g}"
        values = [f + self.level for _, f in self.finite()]
        if not values:
            return f"{self.outcome.label} is not known anywhere in {where}: {self.why}"
        if items:
            return f"{len(items)} found in {where}, at {len(self.known)} points looked at"
        side = "above" if values[0] > self.level else "below"
        return (
            f"{self.outcome.label} stays {side} {self.level:g} in {where}: {min(values):.6g} to {max(values):.6g} at "
            f"{len(values)} points"
        )

    def notes(self):
        lost = [v for v, f in self.known.items() if math.isnan(f)]
        if not lost:
            return ()
        return (f"{len(lost)} of {len(self.known)} points failed, the first at {min(lost):g}: {self.why}",)


def _ensemble(problem, names, table, outcome, progress):
    """The outcome of each row of a table, and why the first failed; what `sweep` logs is not for steps aside."""
    work = Work(problem, names, (outcome,), None, way_of(problem, (outcome,)))
    held = InMemory(work)
    members.run_chunks(work, as_table(problem, table, names), chunk_size(len(table), work.way, 1), None, progress, held)
    parts = [held.parts[number] for number in sorted(held.parts)]
    values = np.concatenate([part[1] for part in parts])[:, 0]
    return values, next((text for part in parts for i, text in part[3].items() if part[2][i] != "done"), "")


def _threshold(looked, kind, low, high):
    moved, outcome = looked.moved, looked.outcome
    rising = looked.known[high] > looked.level
    conditions = [f"{outcome.label} = {looked.level:g}"]
    if kind == "critical missegregation":
        conditions.append("definition: the rate at which an outcome passes a level")
    if moved.role == "cycles":
        value, derivatives, coefficients, told = high, {}, {}, ["every whole number of the range was looked at"]
    else:
        value, jump = _solved(looked, low, high)
        derivatives, coefficients, told = ({}, {}, [jump]) if jump else _slopes(looked, value)
        told.append(
            f"no other crossing seen between {low:.6g} and {high:.6g}, neighbouring points that were looked at; two "
            "that undo each other between such points are missed"
        )
    way = "rises above" if rising else "falls below"
    return Threshold(
        moved.given, kind, moved.of, float(value), moved.unit, "crossing", f"{outcome.label} {way} {looked.level:g}",
        "numerical", None, derivatives, (*conditions, *told, *looked.remarks), None, {}, coefficients,
    )  # fmt: skip


def _solved(looked, low, high):
    """The value, and a sentence if the outcome jumps over the level there."""
    from scipy.optimize import brentq

    ends = {v: looked.exact(v) for v in (low, high)}
    span = abs(ends[high] - ends[low])
    while not (math.isfinite(ends[low]) and math.isfinite(ends[high])):
        middle = looked.moved.middle(low, high)
        if middle in (low, high) or high - low <= CLOSE * abs(middle):
            break
        ends[middle] = looked.exact(middle)
        if math.isnan(ends[middle]):
            return middle, f"the outcome is not known at {middle:.10g}, between {low:.10g} and {high:.10g}"
        low, high = (middle, high) if (ends[middle] > 0) == (ends[low] > 0) else (low, middle)
    if math.isfinite(ends[low]) and math.isfinite(ends[high]) and (ends[low] > 0) == (ends[high] > 0):
        low, high, ends = _widened(looked, low, high, ends)
    if math.isfinite(ends[low]) and math.isfinite(ends[high]) and (ends[low] > 0) != (ends[high] > 0):
        value = brentq(looked.exact, low, high, xtol=CLOSE * max(abs(low), abs(high)), rtol=4 * np.finfo(float).eps)
        width = 1e-8 * max(abs(value), 1e-300)
        beside = [looked.exact(max(low, value - width)), looked.exact(min(high, value + width))]
        if not abs(beside[1] - beside[0]) > 1e-3 * span:  # of an infinite span too
            return value, ""
    else:
        value, beside = looked.moved.middle(low, high), (ends[low], ends[high])
        if (beside[0] > 0) == (beside[1] > 0):
            return value, "the outcome touches the level to within the tolerance of the solutions"
    below, above = (b + looked.level for b in beside)
    return value, f"the outcome jumps here, from {below:.6g} to {above:.6g}: no derivatives"


def _widened(looked, low, high, ends):
    """Ends moved apart: the scan, less tightly solved, took a crossing at one of them to be on the other side."""
    step = 1e-9 * (high - low)
    while step < high - low:
        for value in (low - step, high + step):
            ends[value] = looked.exact(value)
            if (ends[value] > 0) != (ends[low] > 0):
                return (value, low, ends) if value < low else (high, value, ends)
        step *= 10
    return low, high, ends


def _slopes(looked, value):
    """Derivatives of the value, the slope of the outcome, and what they are."""
    problem, shown = exposed(looked.problem(value))
    moved, outcome = looked.moved, looked.outcome
    if moved.name not in moved.given.parameters:
        shown = {k: v for k, v in shown.items() if k != moved.name}
    names = [moved.name, *(name for name in problem.system.parameters if name != moved.name)]
    gradient, told = _exact(outcome, problem, names), "derivatives by the outcome's exact gradient"
    if gradient is None:
        gradient, apart = _differences(outcome, problem, names)
        told = f"derivatives by central differences, of fourth order; those of second order agree to {max(apart):.0e}"
        if max(apart) > ROUGH:
            told += f" (worst by {shown.get(names[np.argmax(apart)], names[np.argmax(apart)])})"
    slope = gradient[0]
    if not (math.isfinite(slope) and slope):
        return {}, {"slope": slope}, ["the outcome has no slope here: no derivatives"]
    found = {shown.get(name, name): float(-g / slope) for name, g in zip(names[1:], gradient[1:], strict=True)}
    return found, {"slope": float(slope)}, [told]


def _exact(outcome, problem, names):
    if not outcome.differentiable:
        return None
    try:
        found = outcome.gradient(solve(problem, sensitivities=names).require())
    except ProblemError:
        return None
    return np.array([found[name] for name in names])


def _differences(outcome, problem, names):
    """Slopes, and how far those of second order are off, relative to them; shorter steps where that is much."""
    sizes = np.array([column_size(problem, problem.system.parameters.index(name)) for name in names])
    slopes, apart = np.full(len(names), np.nan), np.full(len(names), np.inf)
    steps = STEP * sizes
    for _ in range(ROUNDS):
        again = np.flatnonzero(apart > ROUGH)
        if not len(again):
            break
        found, off = _by_steps(outcome, problem, [names[i] for i in again], steps[again])
        better = off < apart[again]
        slopes[again[better]], apart[again[better]] = found[better], off[better]
        steps[again] /= 30
    return slopes, np.where(np.isfinite(apart), apart, 0.0)


def _by_steps(outcome, problem, names, steps):
    """Slopes of fourth order by each name, and their relative distance from those of second order."""
    base = np.array([problem.parameters[name] for name in names])
    table = np.repeat(base[None], 4 * len(names), axis=0)
    own = np.repeat(np.arange(len(names)), 4)
    rows = np.arange(len(table))
    table[rows, own] += np.outer(steps, (1.0, -1.0, 2.0, -2.0)).ravel()
    moves = table[rows, own].reshape(-1, 4)
    values = _ensemble(problem, tuple(names), table, outcome, False)[0].reshape(-1, 4)
    near = (values[:, 0] - values[:, 1]) / (moves[:, 0] - moves[:, 1])
    far = (values[:, 2] - values[:, 3]) / (moves[:, 2] - moves[:, 3])
    slopes = (4 * near - far) / 3
    # Where an outcome does not depend on a parameter at all, what is left is the noise of the solutions.
    least = 1e-9 * np.nanmax(np.abs(values), axis=1, initial=0.0) / steps
    return slopes, np.abs(near - slopes) / np.maximum(np.abs(slopes), least + 1e-300)
