"""One output along a solution: its pieces between jumps, lowest points, crossings, and their derivatives.

A curve jumps at doses and bends where the treatment changes. Everything here therefore works on the segments of the
integration, on their dense output, and never between output times. On a grid the curve is that of the mean over it; a
rectangle keeps its output times alone, and the curve goes through those.
"""

from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError, did_you_mean
from remission.solvers.space.fields import mean_values, region_weights

__all__ = ["Place", "lowest"]

PER_STEP = 4  # looks per solver step: dense outputs are polynomials of low order


@dataclass(frozen=True)
class Place:
    """A point of a curve.

    Attributes
    ----------
    segment : int
        Number of the segment of the integration.
    time, value : float
    where : {"start", "inside", "end"}
        Whether it is the first or last point of its segment.
    """

    segment: int
    time: float
    value: float
    where: str = "inside"


def check_name(problem, name):
    """Refuse a name that the problem does not put out."""
    known = (*problem.system.states, *problem.system.observables, *problem.system.inputs)
    if name not in known:
        raise ProblemError(f"{problem.model.name} has no output {name!r}; {did_you_mean(name, known)}")
    return name


def states_in(segment, times) -> np.ndarray:
    """States and sensitivities of a segment at times within it, its two ends as the integration has them."""
    z = segment.dense(np.clip(times, segment.start, segment.end))
    z = np.where(times <= segment.start, segment.z_start[:, None], z)
    return np.where(times >= segment.end, segment.z_end[:, None], z)


def values_in(solution, name, number, times) -> np.ndarray:
    """Values of a state, observable or input in one segment, shape of `times` (1D); means over a grid."""
    system, segment = solution.problem.system, solution.trace.segments[number]
    times = np.asarray(times, dtype=float)
    if name in system.inputs:
        return np.full(times.shape, segment.inputs[system.inputs.index(name)])
    if hasattr(segment.dense, "values"):
        return _between_kept(solution, name, number)(times)
    if solution.problem.grid.spatial:
        return mean_values(solution.problem, name, times, lambda now: states_in(segment, now), segment.inputs)
    z = states_in(segment, times)
    if name in system.states:
        return z[system.states.index(name)]
    u = np.repeat(segment.inputs[:, None], len(times), axis=1)
    return system.observe(times, z[: system.n], solution.problem.p, u)[system.observables.index(name)]


def _between_kept(solution, name, number):
    """Means of a rectangle, which keeps fields at output times alone, as a curve through those."""
    from scipy.interpolate import PchipInterpolator

    segment = solution.trace.segments[number]
    times = np.unique([segment.start, *segment.dense.times, segment.end])
    key = ("mean", name, number)
    if key not in solution._cache:
        values = mean_values(solution.problem, name, times, lambda now: states_in(segment, now), segment.inputs)
        solution._cache[key] = PchipInterpolator(times, values)
    return solution._cache[key]


def value_at(solution, time, name, side="left") -> float:
    """Value of an output at a time, of a field the mean over the grid."""
    value = solution.at(time, name, side=side)
    if not value.ndim:
        return float(value)
    weights = region_weights(solution.problem.grid, None)
    return float(value.ravel() @ weights / weights.sum())


def nodes(solution, name):
    """All points looked at: arrays of segment number, time and value, in order; jumps appear as equal times."""
    numbers, times, values = [], [], []
    for i, segment in enumerate(solution.trace.segments):
        kept = getattr(segment.dense, "times", None)
        ends = np.unique([segment.start, *kept, segment.end]) if kept is not None else np.array(segment.dense.ts)
        ends[0], ends[-1] = segment.start, segment.end
        inner = ends[:-1, None] + np.diff(ends)[:, None] * np.arange(PER_STEP) / PER_STEP
        looks = np.append(inner.ravel(), segment.end)
        times.append(looks)
        values.append(values_in(solution, name, i, looks))
        numbers.append(np.full(len(looks), i))
    if solution.trace.z_final is not None and solution.trace.segments:  # a dose at the very end
        last = solution.problem.t_span[1]
        times.append([last])
        values.append([value_at(solution, last, name, "right")])
        numbers.append([len(solution.trace.segments)])
    return tuple(np.concatenate(part) for part in (numbers, times, values))


def lowest(solution, name, table=None) -> Place:
    """Lowest point of a curve.

    Parameters
    ----------
    solution : Solution
    name : str
        State, observable or input.
    table : tuple of arrays, optional
        What `nodes` returned, if it is known already.

    Returns
    -------
    Place
    """
    numbers, times, values = nodes(solution, name) if table is None else table
    return refine_low(solution, name, (numbers, times, values), int(np.argmin(values)))


def refine_low(solution, name, table, i) -> Place:
    """The local low near node i, to the rounding of the dense output."""
    from scipy.optimize import minimize_scalar

    numbers, times, values = table
    number = int(numbers[i])
    first = i == 0 or numbers[i - 1] != number
    last = i == len(times) - 1 or numbers[i + 1] != number
    if first or last:
        return Place(number, float(times[i]), float(values[i]), "start" if first else "end")
    found = minimize_scalar(
        lambda t: float(values_in(solution, name, number, np.array([t]))[0]),
        bounds=(times[i - 1], times[i + 1]),
        method="bounded",
        options={"xatol": 1e-9 * (times[i + 1] - times[i - 1])},
    )
    if found.fun < values[i]:
        return Place(number, float(found.x), float(found.fun))
    return Place(number, float(times[i]), float(values[i]))


def crossing(solution, name, level, table, i) -> Place:
    """Where the curve first reaches a level, given that node i is the first one at or above it."""
    from scipy.optimize import brentq

    numbers, times, values = table
    number = int(numbers[i])
    if i == 0 or numbers[i - 1] != number or values[i] == level:
        where = "start" if i == 0 or numbers[i - 1] != number else "inside"
        return Place(number, float(times[i]), level, where)

    def above(t):
        return float(values_in(solution, name, number, np.array([t]))[0]) - level

    a, b = times[i - 1], times[i]
    if above(a) >= 0:  # a node moved to its refined low by less than rounding
        return Place(number, float(a), level)
    return Place(number, float(brentq(above, a, b, xtol=1e-14 * max(abs(b), 1e-300), rtol=1e-14)), level)


# --- derivatives ------------------------------------------------------------------------------------------------------


def slope(solution, name, number, z) -> float:
    """Rate of change in time of an output in a segment, at a time and vector (t, z)."""
    problem, system = solution.problem, solution.problem.system
    t, z = z
    segment, y = solution.trace.segments[number], z[: system.n]
    u = segment.inputs
    rate = system.f(t, y, problem.p, u.tolist()) + _infusion(problem, segment)
    if name in system.states:
        return float(rate[system.states.index(name)])
    if name in system.inputs:
        return 0.0
    row = system.observables.index(name)
    total = float(system.observe_tangent(t, y, problem.p, u)[0][row] @ rate)
    return total + _explicit(system, row, t, y, problem.p, u)


def _explicit(system, row, t, y, p, u):
    """Part of an observable's rate that comes from `t` in its expression, by a central difference."""
    from remission.models import t as time

    name = system.observables[row]
    if not system.model.observables[name].has(time):
        return 0.0
    h = 1e-5 * max(abs(t), 1.0)
    times = np.array([t - h, t + h])
    both = system.observe(times, np.repeat(y[:, None], 2, 1), p, np.repeat(u[:, None], 2, 1))[row]
    return float((both[1] - both[0]) / (2 * h))


def _infusion(problem, segment):
    from remission.solvers.schedule import make_schedule

    rate = np.zeros(problem.system.n)
    if not any(w.into_state for w in problem.treatment.windows):
        return rate
    middle = (segment.start + segment.end) / 2
    for window in make_schedule(problem, False).windows:
        if window.into_state and window.start <= middle < window.end:
            rate[window.row] += window.level
    return rate


def value_gradient(solution, name, place) -> np.ndarray:
    """Derivative of the value at a low by the carried parameters, shape (k,).

    Inside a segment the curve is flat at a low, so that the low's movement adds nothing; at an end of a segment the
    time of the change moves with the parameters.
    """
    segments = solution.trace.segments
    number = min(place.segment, len(segments) - 1)
    side = "right" if place.where == "start" and place.segment > 0 else "left"
    s = _sensitivities(solution, name, place.time, side)
    if place.where == "inside":
        return s
    boundary = place.segment if place.where == "start" else place.segment + 1
    moved = instant_gradient(solution, boundary)
    if not moved.any() or place.segment >= len(segments):
        return s
    z = segments[number].z_start if place.where == "start" else segments[number].z_end
    return s + slope(solution, name, number, (place.time, z)) * moved


def instant_gradient(solution, boundary) -> np.ndarray:
    """Derivative by the carried parameters of the time at which segment `boundary` starts, shape (k,).

    A dose or visit has its own; a rule's switch is found from the jump in the sensitivities, which is
    (f- - f+) times it.
    """
    from remission.solvers.schedule import make_schedule

    problem, segments = solution.problem, solution.trace.segments
    k, n = len(solution.carried), problem.system.n
    if boundary <= 0:
        return np.zeros(k)
    time = segments[boundary - 1].end
    known = problem.system.parameters
    near = 1e-12 * max(map(abs, problem.t_span))
    for moment in make_schedule(problem, True).moments:
        if abs(moment.time - time) <= near:
            return np.array([moment.time_gradient[known.index(p)] if p in known else 0.0 for p in solution.carried])
    if boundary >= len(segments):
        return np.zeros(k)
    before, after = segments[boundary - 1], segments[boundary]
    rates = [
        problem.system.f(time, z[:n], problem.p, s.inputs.tolist()) + _infusion(problem, s)
        for s, z in ((before, before.z_end), (after, after.z_start))
    ]
    jump = rates[1] - rates[0]
    row = int(np.argmax(np.abs(jump) / (np.abs(rates[0]) + np.abs(rates[1]) + 1e-300)))
    if jump[row] == 0:
        return np.zeros(k)
    left, right = (z[n:].reshape(k, n)[:, row] for z in (before.z_end, after.z_start))
    return (left - right) / jump[row]


def crossing_gradient(solution, name, place, level_gradient) -> np.ndarray:
    """Derivative of the time of a crossing by the carried parameters, by implicit differentiation."""
    if place.where == "start":
        return instant_gradient(solution, place.segment)
    segment = solution.trace.segments[place.segment]
    z = states_in(segment, np.array([place.time]))[:, 0]
    speed = slope(solution, name, place.segment, (place.time, z))
    if speed == 0:
        raise ProblemError(f"{name} only touches its level at t = {place.time:g}: its time has no derivative there")
    side = "left" if place.time < segment.end else "right"
    return (level_gradient - _sensitivities(solution, name, place.time, side)) / speed


def _sensitivities(solution, name, time, side):
    return np.array([solution.sensitivity(name, p, t=[time], side=side)[0] for p in solution.carried])


def noise(solution, name, place) -> float:
    """Ten absolute tolerances of an output: what lies below is the solver's, not the tumour's."""
    problem, system = solution.problem, solution.problem.system
    _, atol = problem.tolerances()
    if name in system.states:
        return 10 * float(atol[system.states.index(name)])
    if name in system.inputs:
        return 0.0
    segment = solution.trace.segments[min(place.segment, len(solution.trace.segments) - 1)]
    y = states_in(segment, np.array([place.time]))[:, 0]
    y = y.reshape(-1, system.n).mean(axis=0) if problem.grid.spatial else y[: system.n]
    slopes = system.observe_tangent(place.time, y, problem.p, segment.inputs)[0][system.observables.index(name)]
    return float(np.nan_to_num(10 * np.abs(slopes) @ atol))
