"""Initial fields: numbers, expressions in x and y, arrays, functions of position, or a solution's last state."""

import numpy as np
import sympy as sp

from remission.models.errors import ProblemError
from remission.models.symbols import x, y

__all__ = ["initial_fields", "is_profile", "letters_of_profiles"]


def is_profile(value) -> bool:
    """Whether an initial value differs from place to place: an array, a function, or an expression in x or y.

    Parameters
    ----------
    value : object

    Returns
    -------
    bool
    """
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    if isinstance(value, sp.Basic):
        return bool(value.free_symbols & {x, y})
    return callable(value) or isinstance(value, (list, tuple))


def letters_of_profiles(profiles) -> set:
    """Parameters in profiles that are expressions.

    Parameters
    ----------
    profiles : dict of str -> object

    Returns
    -------
    set of Symbol
    """
    return {s for v in profiles.values() if isinstance(v, sp.Basic) for s in v.free_symbols - {x, y}}


def initial_fields(problem) -> np.ndarray:
    """Initial values of all states in all cells.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    (n, N) array

    Raises
    ------
    ProblemError
        If an array does not have the grid's shape, or a value is not finite.
    """
    grid, model = problem.grid, problem.model
    found = np.repeat(np.asarray(problem.system.y0(problem.p))[:, None], grid.size, axis=1)
    for i, name in enumerate(problem.system.states):
        if name in problem.profiles:
            found[i] = _field(problem, name, problem.profiles[name])
    bad = ~np.isfinite(found).all(axis=1)
    if bad.any():
        name = problem.system.states[int(np.flatnonzero(bad)[0])]
        raise ProblemError(f"{model.name}: the initial value of {name} is not finite everywhere on the grid")
    return found


def _field(problem, name, value):
    grid, places = problem.grid, problem.grid.positions
    if isinstance(value, sp.Basic):
        letters = [s for s in value.free_symbols if s not in (x, y)]
        numbers = {s: problem.parameters[s.name] for s in letters}
        function = sp.lambdify((x, y), value.subs(numbers), modules="numpy")
        return np.broadcast_to(function(places["x"], places.get("y", 0.0)), grid.size)
    if callable(value):
        value = value(*(places[k].reshape(grid.shape) for k in ("x", "y") if k in places))
    values = np.asarray(value, dtype=float)
    if values.shape != grid.shape and values.shape != ():
        raise ProblemError(
            f"{problem.model.name}: the initial field of {name} has shape {values.shape}, the grid {grid.shape}"
        )
    return np.broadcast_to(values, grid.shape).ravel()
