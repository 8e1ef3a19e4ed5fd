"""A plane of two states: its ranges and scales, and what the other states are there."""

from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError, did_you_mean
from remission.solvers.grid import refuse_grid

__all__ = ["Plane", "plane_of"]

OTHERS = ("held", "quasi-steady")
SCALES = ("linear", "log")


@dataclass(frozen=True, eq=False)
class Plane:
    """Two states of a problem with constant inputs.

    Attributes
    ----------
    problem : Problem
    names : (str, str)
        Of the horizontal and the vertical axis.
    ranges : tuple of (low, high)
    scales : (str, str)
        `"linear"` or `"log"`.
    others : str
        `"held"` or `"quasi-steady"`.
    held : dict of str -> float
        Values of the other states where they are held.
    expressions : dict of State -> sympy expression
        Every other state in terms of the two, numbers put in.
    """

    problem: object
    names: tuple
    ranges: tuple
    scales: tuple
    others: str
    held: dict
    expressions: dict

    @property
    def symbols(self) -> tuple:
        """The two states."""
        return tuple(self.problem.model.symbol(name) for name in self.names)

    def axis(self, i, n):
        """n values along an axis, even in its scale."""
        return (np.geomspace if self.scales[i] == "log" else np.linspace)(*self.ranges[i], n)

    def to_unit(self, i, values):
        """Values of an axis as parts of its length, 0 at the low end and 1 at the high end."""
        low, high = self.ranges[i]
        with np.errstate(all="ignore"):
            if self.scales[i] == "log":
                return np.log(np.asarray(values, dtype=float) / low) / np.log(high / low)
            return (np.asarray(values, dtype=float) - low) / (high - low)

    def from_unit(self, i, parts):
        """The inverse of `to_unit`."""
        low, high = self.ranges[i]
        if self.scales[i] == "log":
            return low * np.exp(np.asarray(parts) * np.log(high / low))
        return low + np.asarray(parts) * (high - low)

    def stretch(self, i, values):
        """Derivative of a state by the part of its axis."""
        low, high = self.ranges[i]
        if self.scales[i] == "log":
            return np.asarray(values) * np.log(high / low)
        return np.full(np.shape(values), high - low)

    def with_box(self, box) -> dict:
        """The least box around a box and the plane; the lower ends stay where a state cannot be below them."""
        wider = dict(box)
        for name, (low, high) in zip(self.names, self.ranges, strict=True):
            least = box[name][0] if self.problem.model.symbol(name).info.positive else min(low, box[name][0])
            wider[name] = (least, max(high, box[name][1]))
        return wider

    def holds(self, values) -> bool:
        """Whether a point of all states (name -> value) lies in the plane, its other states as they are there."""
        inside = all(low <= values[n] <= high for n, (low, high) in zip(self.names, self.ranges, strict=True))
        if not inside or self.others == "quasi-steady":
            return inside
        return all(abs(values[n] - v) <= 1e-6 * max(abs(v), abs(values[n]), 1e-12) for n, v in self.held.items())

    def states(self, x, y):
        """All states (k, n) of points of the plane, each (k,)."""
        functions = self._functions()
        columns = []
        for state in self.problem.model.states:
            if state.name in self.names:
                columns.append(np.broadcast_to((x, y)[self.names.index(state.name)], np.shape(x)))
            else:
                columns.append(np.broadcast_to(functions[state](x, y), np.shape(x)))
        return np.column_stack(columns).astype(float)

    def rates(self) -> tuple:
        """Rates of the two states as expressions in them."""
        values = self.numbers()
        return tuple(self.problem.model.equations[s].xreplace(values).xreplace(self.expressions) for s in self.symbols)

    def velocity(self):
        """A function of arrays x and y: the velocity (2, ...) in parts of the plane."""
        import sympy as sp

        f = sp.lambdify(self.symbols, list(self.rates()), "numpy", cse=True)

        def flow(x, y):
            with np.errstate(all="ignore"):
                rates = (np.broadcast_to(r, np.shape(x)).astype(float) for r in f(x, y))
                return np.stack([r / self.stretch(i, v) for i, (r, v) in enumerate(zip(rates, (x, y), strict=True))])

        return flow

    def numbers(self) -> dict:
        """Parameter or input -> its value."""
        return _numbers(self.problem)

    def _functions(self):
        import sympy as sp

        with np.errstate(all="ignore"):
            return {s: sp.lambdify(self.symbols, e, "numpy", cse=True) for s, e in self.expressions.items()}


def _numbers(problem):
    import sympy as sp

    given = {s: sp.Float(float(v)) for s, v in zip(problem.system.parameter_symbols, problem.p, strict=True)}
    levels = problem.inputs()
    return given | {s: sp.Float(float(levels[s.name])) for s in problem.model.inputs}


def plane_of(problem, over, scale="linear", others="held", at=None, verb="plane") -> Plane:
    """The plane that was asked for.

    Parameters
    ----------
    problem : Problem
    over : dict or (str, str)
        Two states -> (low, high), the horizontal one first; names alone take declared bounds.
    scale : {"linear", "log"} or dict
        Of both axes, or state -> scale.
    others : {"held", "quasi-steady"}
    at : dict, optional
        State -> value it is held at; the problem's initial value where it is not named.
    verb : str
        Put before messages.

    Returns
    -------
    Plane
    """
    refuse_grid(problem, verb)
    problem.inputs()  # refuses what changes in time
    model, known = problem.model, [s.name for s in problem.model.states]
    ranges = _ranges(problem, over, verb)
    names = tuple(ranges)
    scales = tuple(_scale(scale, name, ranges[name], verb) for name in names)
    if others not in OTHERS:
        raise ProblemError(f"{verb}: others is one of {', '.join(OTHERS)}, got {others!r}")
    at = {getattr(k, "name", k): float(v) for k, v in (at or {}).items()}
    for name in at:
        if name not in known or name in names:
            rest = [n for n in known if n not in names]
            raise ProblemError(f"{verb}: at names {name!r}, which is no other state; {did_you_mean(name, rest)}")
    rest = [s for s in model.states if s.name not in names]
    if others == "quasi-steady":
        return Plane(problem, names, tuple(ranges.values()), scales, others, {}, _eliminated(problem, rest, verb))
    import sympy as sp

    values = problem.initial_values() | at
    held = {s.name: values[s.name] for s in rest}
    return Plane(
        problem, names, tuple(ranges.values()), scales, others, held, {s: sp.Float(held[s.name]) for s in rest}
    )


def _ranges(problem, over, verb):
    known = {s.name: s for s in problem.model.states}
    if not isinstance(over, dict):
        over = dict.fromkeys([over] if isinstance(over, str) else over)
    over = {getattr(k, "name", k): v for k, v in over.items()}
    for name in over:
        if name not in known:
            raise ProblemError(f"{verb}: over names {name!r}, no state; {did_you_mean(name, known)}")
    if len(over) != 2:
        raise ProblemError(f"{verb}: over names two states of {', '.join(known)}, got {', '.join(over) or 'none'}")
    values = dict(zip(problem.system.parameter_symbols, problem.p, strict=True))
    for name, side in over.items():
        if side is None and (side := known[name].info.bounds) is None:
            raise ProblemError(f"{verb}: {name} declares no bounds; say over={{{name!r}: (low, high), ...}}")
        low, high = (float(getattr(v, "subs", lambda _, v=v: v)(values)) for v in side)
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise ProblemError(f"{verb}: the range of {name} is {low:g} to {high:g}; low has to be below high")
        over[name] = (low, high)
    return over


def _scale(scale, name, side, verb):
    scale = (
        {getattr(k, "name", k): v for k, v in scale.items()}.get(name, "linear") if isinstance(scale, dict) else scale
    )
    if scale not in SCALES:
        raise ProblemError(f"{verb}: the scale of {name} is 'linear' or 'log', got {scale!r}")
    if scale == "log" and side[0] <= 0:
        raise ProblemError(f"{verb}: {name} from {side[0]:g} has no logarithm; start its range above 0")
    return scale


def _eliminated(problem, rest, verb):
    """Other states at rest with the two of the plane, one after the other where they enter their rates linearly."""
    import sympy as sp

    values = _numbers(problem)
    rates = {s: problem.model.equations[s].xreplace(values) for s in rest}
    found = {}
    while rates:
        for state, rate in rates.items():
            slope = sp.diff(rate, state)
            if slope != 0 and not slope.has(state):
                break
        else:
            names = ", ".join(s.name for s in rates)
            raise ProblemError(
                f"{verb}: {names} of {problem.model.name} at rest are not given by equations that are linear in them; "
                'hold them: others="held", at={...}'
            )
        value = -rates.pop(state).xreplace({state: sp.Integer(0)}) / slope
        rates = {s: r.xreplace({state: value}) for s, r in rates.items()}
        found = {s: e.xreplace({state: value}) for s, e in found.items()} | {state: value}
    return found
