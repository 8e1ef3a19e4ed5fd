"""Numbers of a problem: span, parameter values and tolerances, checked alike for declared and for saved problems."""

import math

import numpy as np

from remission.models.errors import ProblemError, did_you_mean

__all__ = ["by_name", "check_tolerances", "parameter_values", "time_span", "tolerances"]

SHORTEST = 1e-11  # of the largest time: moments within 1e-13 of it are one


def by_name(mapping):
    """A dictionary with names instead of symbols as keys."""
    if not hasattr(mapping, "items"):
        raise ProblemError(f"Problem: give a dictionary of names and values, got {mapping!r}")
    return {getattr(k, "name", k): v for k, v in mapping.items()}


def time_span(problem):
    """First and last time as floats."""
    try:
        start, end = (float(v) for v in problem.t_span)
    except (TypeError, ValueError):
        raise ProblemError(f"{problem.model.name}: t_span is (first, last), got {problem.t_span!r}") from None
    if not (math.isfinite(start) and math.isfinite(end) and start < end):
        raise ProblemError(f"{problem.model.name}: t_span must run forward between finite times, got {start}, {end}")
    if end - start < SHORTEST * max(abs(start), abs(end)):
        raise ProblemError(
            f"{problem.model.name}: t_span from {start!r} to {end!r} is too short to be told apart in doubles there; "
            "count the time from its start"
        )
    return start, end


def parameter_values(model, numbers):
    """Parameter values as floats."""
    found = {}
    for name, value in numbers.items():
        try:
            found[name] = float(value)
        except (TypeError, ValueError):
            raise ProblemError(f"{model.name}: parameter {name} is {value!r}, which is not a number") from None
        if not math.isfinite(found[name]):
            raise ProblemError(f"{model.name}: parameter {name} must be finite, got {found[name]}")
    return found


def tolerances(problem, rtol=None, atol=None) -> tuple:
    """Relative tolerance, and absolute tolerance per state, shape (n,)."""
    rtol = problem.rtol if rtol is None else rtol
    atol = problem.atol if atol is None else atol
    if atol is None or hasattr(atol, "items"):
        given = by_name(atol or {})
        defaults = _default_atols(problem, rtol)
        return rtol, np.array([given.get(n, d) for n, d in zip(problem.system.states, defaults, strict=True)])
    return rtol, np.full(problem.system.n, float(atol))


def _default_atols(problem, rtol):
    """Absolute tolerance per state; clones share one in cells, so that a tumour founded by one cell is resolved."""
    starts = dict(zip(problem.model.states, problem.system.y0(problem.p).tolist(), strict=True))
    counted = [abs(y) * s.info.cells_per_unit for s, y in starts.items() if s.info.cells_per_unit and y]
    cells = min([1e-3, *(rtol * c for c in counted)])
    return [
        cells / s.info.cells_per_unit if s.info.cells_per_unit else rtol * (s.info.scale or abs(y) or 1.0)
        for s, y in starts.items()
    ]


def check_tolerances(problem):
    """Refuse tolerances that are no numbers, too small or too large, or of states that are not there."""
    rtol, atol = problem.rtol, problem.atol
    if not (isinstance(rtol, (int, float)) and 0 < rtol < 1):
        raise ProblemError(f"{problem.model.name}: rtol must lie between 0 and 1, got {rtol!r}")
    names = problem.system.states
    for name, value in (
        by_name(atol).items() if hasattr(atol, "items") else ([("atol", atol)] if atol is not None else [])
    ):
        if hasattr(atol, "items") and name not in names:
            raise ProblemError(f"{problem.model.name}: atol names {name!r}; {did_you_mean(name, names)}")
        if not (value >= 0 and math.isfinite(value)):
            raise ProblemError(f"{problem.model.name}: atol must not be below 0, got {value!r}")
