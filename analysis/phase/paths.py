"""Lines of starts: rays in the space of states, and starts that a Parameter moves."""

from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError, did_you_mean

__all__ = ["LEVEL", "Path", "asked_path", "path_along", "ray"]

ORIGIN, DIRECTION, LEVEL = "origin_of_", "direction_of_", "level_of_"
ALONG = "position_along_ray"
POSITION = "position"  # what it goes by in answers


@dataclass(frozen=True, eq=False)
class Path:
    """Starts that depend on one Parameter.

    Attributes
    ----------
    problem : Problem
        Inputs and, on a ray, origin and direction are Parameters of it.
    name : str
        The Parameter that moves the start.
    low, high : float
    shown : dict of str -> str
        Parameter -> the name it goes by in answers.
    """

    problem: object
    name: str
    low: float
    high: float
    shown: dict

    def starts(self, positions):
        """Initial states (k, n) at positions."""
        return np.array([self.at(a).system.y0(self.at(a).p) for a in positions])

    def at(self, position):
        """The problem at a position."""
        return self.problem.replace(parameters={self.name: float(position)})


def _levels_as_parameters(problem):
    """The problem with its constant inputs as Parameters, and their names."""
    from remission.models import Parameter
    from remission.solvers import Treatment

    given = problem.inputs()
    own = {name: Parameter(LEVEL + name, level) for name, level in given.items()}
    treatment = Treatment.constant(own) if own else Treatment.none()
    return problem.replace(treatment=treatment), {p.name: name for name, p in own.items()}


def _that_matter(problem):
    """Parameters that enter the rates or the initial values."""
    inner = {s.name for rate in problem.model.equations.values() for s in rate.free_symbols}
    outer = np.any(problem.system.dy0dp(problem.p) != 0, axis=0)
    return [n for n, moves in zip(problem.system.parameters, outer, strict=True) if n in inner or moves]


def ray(problem, origin, direction, within) -> Path:
    """Starts ``origin + a direction``.

    Parameters
    ----------
    problem : Problem
    origin, direction : (n,) arrays
    within : (float, float)
        Range of a.

    Returns
    -------
    Path
    """
    from remission.models import Parameter

    levelled, shown = _levels_as_parameters(problem)
    a, initial, values = Parameter(ALONG, 0.0), {}, {}
    for state, begin, along in zip(problem.model.states, origin, direction, strict=True):
        own = Parameter(ORIGIN + state.name, 0.0, unit=state.info.unit), Parameter(DIRECTION + state.name, 0.0)
        initial[state] = own[0] + a * own[1]
        values |= {own[0].name: float(begin), own[1].name: float(along)}
        if not along:
            shown[own[0].name] = f"{state.name}(0)"
    path = levelled.replace(initial=initial, parameters=values)
    shown |= {n: n for n in _that_matter(path) if not n.startswith((ORIGIN, DIRECTION)) and n != ALONG}
    return Path(path, ALONG, *map(float, within), shown)


def path_along(problem, name, within=None) -> Path:
    """Starts of a problem as a Parameter moves its initial values.

    Parameters
    ----------
    problem : Problem
    name : str
        Parameter that only initial values depend on.
    within : (float, float), optional
        Its plausible range by default.

    Returns
    -------
    Path
    """
    name = getattr(name, "name", name)
    levelled, shown = _levels_as_parameters(problem)
    system = levelled.system
    if name not in problem.parameters:
        raise ProblemError(f"crossing: along names {name!r}; {did_you_mean(name, problem.parameters)}")
    column = system.parameters.index(name)
    inner = {s.name for rate in problem.model.equations.values() for s in rate.free_symbols}
    if name in inner or not np.any(system.dy0dp(levelled.p)[:, column]):
        what = "enters the rates, which moves the saddle" if name in inner else "enters no initial value"
        raise ProblemError(f"crossing: {name} {what}; along has to be a Parameter of initial values alone")
    if within is None:
        within = system.parameter_symbols[column].info.plausible
        if within is None:
            raise ProblemError(f"crossing: {name} has no plausible range; say within=(low, high)")
    shown |= {n: n for n in _that_matter(levelled) if n != name and n not in shown}
    return Path(levelled, name, *map(float, within), shown)


def asked_path(problem, box, origin, direction, within, along):
    """The line that was asked for.

    Parameters
    ----------
    problem : Problem
    box : dict
        State -> (low, high).
    origin, direction, within, along
        As in `Separatrix.crossing`.

    Returns
    -------
    (Path, str, str, tuple of str)
        The starts, what is moved, its unit, and what is held, in words.
    """
    states = {s.name: s for s in problem.model.states}
    if along is not None:
        if origin is not None or direction is not None:
            raise ProblemError("crossing: give origin and direction, or along, not both")
        path = path_along(problem, along, within)
        symbol = path.problem.system.parameter_symbols[path.problem.system.parameters.index(path.name)]
        return _ordered(path), path.name, symbol.info.unit, (f"initial values as {path.name} sets them",)
    if direction is None:
        raise ProblemError(f"crossing: direction is a state ({', '.join(states)}) or state -> amount")
    moved = {direction: 1.0} if isinstance(getattr(direction, "name", direction), str) else dict(direction)
    moved = {getattr(k, "name", k): float(v) for k, v in moved.items()}
    given = {getattr(k, "name", k): float(v) for k, v in (origin or {}).items()}
    for name in (*moved, *given):
        if name not in states:
            raise ProblemError(f"crossing: {problem.model.name} has no state {name!r}; {did_you_mean(name, states)}")
    begin = problem.initial_values() | dict.fromkeys(moved, 0.0) | given
    first = next(iter(moved))
    single = first if list(moved.values()) == [1.0] and not begin[first] else None
    arrays = [np.array([values.get(n, 0.0) for n in states]) for values in (begin, moved)]
    path = ray(problem, *arrays, _room(box, *arrays) if within is None else within)
    held = ", ".join(f"{n} = {v:g}" for n, v in begin.items() if n not in moved)
    unit = states[single].info.unit if single else "1"
    return _ordered(path), single or POSITION, unit, (f"start at {held}",) if held else ()


def _ordered(path):
    if not path.low < path.high:
        raise ProblemError(f"crossing: within goes from {path.low:g} to {path.high:g}; low has to be below high")
    return path


def _room(box, origin, direction):
    """How far a ray goes in the box."""
    low, high = np.array(list(box.values())).T
    with np.errstate(all="ignore"):
        ahead, behind = (high - origin) / direction, (low - origin) / direction
    return 0.0, float(np.where(direction > 0, ahead, np.where(direction < 0, behind, np.inf)).min())
