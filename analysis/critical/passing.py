"""Where a solution ends at a saddle: Newton steps on the unstable coordinate, and what is checked of the answer."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Crossing", "look", "on_a_saddle", "saddle_moves"]

SPAN = 60.0  # time constants of the slowest steady state that a path near a saddle is followed for
NEAR = 1.0  # of a saddle, relative to its own size, where its unstable coordinate is worth a Newton step


@dataclass(frozen=True, eq=False)
class Crossing:
    """Where a solution ends at a saddle."""

    value: float
    saddle: object
    time: float
    y: np.ndarray
    slope: float
    distance: float


def on_a_saddle(world, name, value, low, high):
    """A Crossing between two values, by way of a saddle that the solution at a value passes near, or None."""
    for number in world.land(value).saddles:
        at = _newton(world, name, value, low, high, number)
        if at is not None and _confirmed(world, name, at, low, high):
            return at
    return None


def _newton(world, name, value, low, high, number):
    """Newton steps on the unstable coordinate of one saddle: a Crossing, or None."""
    last = np.inf
    for _ in range(15):
        at = look(world, name, value, number)
        if at is None:
            return None
        step = -at.saddle.phi(at.y) / at.slope
        tiny = abs(step) <= 1e-11 * abs(value)
        if abs(step) <= 2e-15 * abs(value) or (tiny and abs(step) >= 0.5 * last):
            return at
        slow = abs(step) > 0.3 * last and not tiny  # Newton steps near the right saddle shrink ever faster
        if slow or not low < value + step < high:
            return None
        value, last = value + step, abs(step)
    return at if tiny else None


def look(world, name, value, number, rtol=None):
    """The solution where it is nearest to a saddle, and the slope of the unstable coordinate by the lever."""
    land = world.land(value)
    times, found = world.path(value, SPAN, (name,), rtol)
    if not found.success or number not in land.saddles:
        return None
    saddle = world.saddle(land, number)
    away = saddle.distance(found.values)
    best = int(np.argmin(away))
    if away[best] > NEAR:
        return None
    y = found.values[best]
    moves = saddle_moves(world.problem(value), land, saddle, (name,), found.gradients[best])
    slope = float(saddle.by_parameters(y, found.gradients[best], moves)[0])
    return Crossing(value, saddle, float(times[best]), y, slope, float(away[best])) if slope else None


def saddle_moves(problem, land, saddle, names, sensitivities) -> np.ndarray:
    """Derivatives (n, k) of a saddle by parameters, those of its conserved totals included."""
    system, p = problem.system, problem.p
    columns = [system.parameters.index(name) for name in names]
    _, jacobian, by_parameter, by_input = system.tangent(0.0, saddle.y, p, land.u)
    full = np.zeros((system.n, len(system.parameters)))
    full[:, : system.n_model_parameters] = by_parameter
    full += by_input @ _level_gradients(problem)
    forcing = full[:, columns]
    if land.basis.shape[1] == system.n:
        return -np.linalg.solve(jacobian, forcing)
    weights = np.linalg.svd((land.basis * land.scale[:, None]).T)[2][land.basis.shape[1] :]  # totals, absent clones
    stacked = np.vstack([jacobian, weights])
    return np.linalg.lstsq(stacked, np.vstack([-forcing, weights @ sensitivities]), rcond=None)[0]


def _level_gradients(problem):
    """Derivatives of the final levels of the inputs by all parameters, (n_u, n_p)."""
    settings, inputs = problem.system.settings, problem.system.inputs
    table = np.zeros((len(inputs), len(problem.system.parameters)))
    levels = [(w.target, w.level) for w in problem.treatment.windows if w.end.is_infinite and not w.into_state]
    levels += [level for rule in problem.treatment.rules for level in rule.levels[-1]]
    if levels:
        rows = settings.gradients(problem.p)
        for name, level in levels:
            table[inputs.index(name)] += rows[settings.index[level]]
    return table


def _confirmed(world, name, at, low, high):
    """Whether the fates just below and above are those of the ends, and the solution leaves the saddle either way.

    A solution may also pass very near a saddle that is not between the fates, always on the same side.
    """
    width = max(1e-9 * abs(at.value), 1e-300)
    sides = []
    for value, end in ((max(low, at.value - width), low), (min(high, at.value + width), high)):
        world.fate_of(value, tight=True)
        if not world.same(value, end):
            return False
        land = world.land(value)
        beside = world.sampled(world.problem(value), [at.time])
        if not beside.success or at.saddle.number not in land.saddles:
            return False
        sides.append(world.saddle(land, at.saddle.number).phi(beside.values[0]))
    return sides[0] * sides[1] < 0
