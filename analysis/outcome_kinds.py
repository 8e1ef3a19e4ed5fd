"""How each kind of outcome is computed, differentiated, named and measured."""

import functools
import math
from dataclasses import dataclass

import numpy as np

from remission.models import dimension_of
from remission.models.errors import ProblemError, RemissionError

from . import curves

__all__ = ["Kind", "unit_of"]


@dataclass(frozen=True)
class Kind:
    """Functions of one kind of outcome.

    Attributes
    ----------
    value : callable
        (solution, of, **options) -> float.
    gradient : callable or None
        (solution, of, **options) -> one number a carried parameter; None if there is no exact one.
    label : callable
        (of, **options) -> str.
    unit, check : callable
        (problem, of) -> str, and the refusal of what the problem does not have.
    asked : callable or None
        (problem, of, base, **options) -> float where the problem need not be solved; `base` is one at other numbers
        that answers may be followed from, or None.
    on_grids : bool
        Whether it is for solutions on grids too: of the mean over the grid, or of fronts.
    """

    value: object
    gradient: object
    label: object
    unit: object
    check: object
    asked: object = None
    on_grids: bool = False


# --- value at the end -------------------------------------------------------------------------------------------------


def _end(solution, of):
    return curves.value_at(solution, solution.problem.t_span[1], of)


def _end_gradient(solution, of):
    return [solution.sensitivity(of, p, t=[solution.problem.t_span[1]])[0] for p in solution.carried]


# --- nadir ------------------------------------------------------------------------------------------------------------


def _nadir(solution, of):
    return curves.lowest(solution, of).value


def _nadir_gradient(solution, of):
    return curves.value_gradient(solution, of, curves.lowest(solution, of))


def _nadir_time(solution, of):
    return curves.lowest(solution, of).time


# --- time to progression ----------------------------------------------------------------------------------------------


def _progression(solution, of, factor, since):
    """Place of the crossing (or None), place of the reference, and whether the reference is noise."""
    table = curves.nodes(solution, of)
    if since == "start":
        start = curves.value_at(solution, solution.problem.t_span[0], of)
        if start <= 0:
            raise ProblemError(
                f"time to progression: {of} is {start:g} at the start, and growth by a factor of nothing has no "
                "meaning; since='nadir' or at_end() may be what you want"
            )
        at = curves.Place(0, solution.problem.t_span[0], start, "start")
        above = np.flatnonzero(table[2][1:] >= factor * start) + 1
        return _first(solution, of, factor * start, table, above), at, False
    return _since_nadir(solution, of, factor, table)


def _since_nadir(solution, of, factor, table):
    """The smallest value so far lies between nodes: put it in and look again, until it does not move."""
    numbers, times, values = table
    refined = {}
    while True:
        low = np.minimum.accumulate(values)
        floor = curves.noise(solution, of, curves.Place(int(numbers[0]), float(times[0]), float(values[0])))
        above = np.flatnonzero(values[1:] >= factor * np.maximum(low[:-1], floor)) + 1
        if not above.size:
            return None, None, False
        i = int(np.argmin(values[: above[0]]))
        key = (int(numbers[i]), float(times[i]))
        if key in refined:
            break
        place = curves.refine_low(solution, of, (numbers, times, values), i)
        refined[key] = refined[place.segment, place.time] = place
        if place.time != times[i]:
            j = i + int(place.time > times[i])
            numbers, times = np.insert(numbers, j, place.segment), np.insert(times, j, place.time)
            values = np.insert(values, j, place.value)
    reference = max(refined[key].value, floor)
    found = _first(solution, of, factor * reference, (numbers, times, values), above)
    return found, refined[key], refined[key].value <= floor


def _first(solution, of, level, table, above):
    return curves.crossing(solution, of, level, table, int(above[0])) if above.size else None


def _ttp(solution, of, factor, since):
    found, _, _ = _progression(solution, of, factor, since)
    return math.inf if found is None else found.time - solution.problem.t_span[0]


def _ttp_gradient(solution, of, factor, since):
    found, at, noise = _progression(solution, of, factor, since)
    if noise:
        level = np.zeros(len(solution.carried))
    elif since == "start":
        level = factor * np.array([solution.sensitivity(of, p, t=[at.time])[0] for p in solution.carried])
    else:
        level = factor * curves.value_gradient(solution, of, at)
    return curves.crossing_gradient(solution, of, found, level)


def _ttp_label(of, factor, since):
    extra = [f"x{factor:g}"] * (factor != 1.2) + ["since nadir"] * (since == "nadir")
    return f"time to progression of {of}" + (f" ({', '.join(extra)})" if extra else "")


# --- doubling time ----------------------------------------------------------------------------------------------------


def _window(solution, between):
    return solution.problem.t_span if between is None else between


def _window_ends(solution, of, between):
    first, last = _window(solution, between)
    start = solution.problem.t_span[0]
    side = "left" if first <= start else "right"
    return curves.value_at(solution, first, of, side), curves.value_at(solution, last, of)


def _doubling(solution, of, between):
    first, last = _window(solution, between)
    a, b = _window_ends(solution, of, between)
    if not (a > 0 and b > 0):
        return math.nan  # a logarithm of nothing
    growth = math.log(b / a)
    return math.log(2) * (last - first) / growth if growth else math.inf


def _doubling_gradient(solution, of, between):
    first, last = _window(solution, between)
    a, b = _window_ends(solution, of, between)
    side = "left" if first <= solution.problem.t_span[0] else "right"
    growth = math.log(b / a)
    slopes = [
        solution.sensitivity(of, p, t=[last])[0] / b - solution.sensitivity(of, p, t=[first], side=side)[0] / a
        for p in solution.carried
    ]
    return -math.log(2) * (last - first) / growth**2 * np.array(slopes)


def _doubling_label(of, between):
    return f"doubling time of {of}" + ("" if between is None else f" ({between[0]:g} to {between[1]:g})")


# --- relapse and functions --------------------------------------------------------------------------------------------


def _relapse(solution, of):
    from .lineages import expected_lineages

    return expected_lineages(solution, of).relapse_probability


def _cure(solution, of):
    from .lineages import expected_lineages

    return expected_lineages(solution, of).cure_fraction


def _relapse_check(problem, of):
    from .lineages import clones_of

    clones_of(problem.model, of)


def _function(solution, of, function):
    return float(function(solution))


def _threshold(problem, of, base=None, **options):
    from .critical.number import number

    return number(problem, of, base=base, **options)


def _threshold_gradient(problem, of, **options):
    from .critical.number import derivatives

    return derivatives(problem, of, **options)


def _threshold_label(of, which, within, clone):
    what = f"{which} of {clone}" if clone else which
    return f"{what} ({of})" if of else what


def _threshold_unit(problem, of):
    from .critical.moved import moved_of

    return "" if of is None else moved_of(problem, of).unit


def _threshold_check(problem, of):
    from .critical.moved import moved_of

    if of is not None:  # some kinds move nothing
        moved_of(problem, of)


def _time_to_relapse(solution, of, level):
    from .critical.relapse import time_to_relapse

    return float(time_to_relapse(solution, level, of=of))


def _time_to_relapse_gradient(solution, of, level):
    from .critical.relapse import time_to_relapse

    found = time_to_relapse(solution, level, of=of).derivatives
    return [found.get(name, math.nan) for name in solution.carried]


def _front(kind, solution, of, **options):
    from . import fronts

    return fronts.NUMBERS[kind](solution, of, **options)


def _front_label(kind, of, **options):
    from . import fronts

    return fronts.label(kind, of, **options)


def _front_unit(kind, problem, of):
    from . import fronts

    return fronts.unit(kind, problem)


def _front_check(problem, of):
    from . import fronts

    fronts.check(problem, of)


def _nothing_to_check(problem, of):
    return None


# --- units ------------------------------------------------------------------------------------------------------------


def unit_of(problem, of) -> str:
    """Unit of a state, observable or input.

    Parameters
    ----------
    problem : Problem
    of : str

    Returns
    -------
    str
        `""` where it is not declared, `"1"` for a pure number.
    """
    symbols = {s.name: s for s in (*problem.model.states, *problem.model.inputs)}
    if of in symbols:
        return symbols[of].info.unit
    try:
        unit = dimension_of(problem.model.observables[of], problem.model.time_unit)
    except RemissionError:
        return ""
    return "" if unit is None else str(unit)


def _time_unit(problem, of):
    return problem.model.time_unit


KINDS = {
    "at_end": Kind(_end, _end_gradient, lambda of: f"{of} at the end", unit_of, curves.check_name, on_grids=True),
    "nadir": Kind(_nadir, _nadir_gradient, lambda of: f"nadir of {of}", unit_of, curves.check_name, on_grids=True),
    "nadir_time": Kind(
        _nadir_time, None, lambda of: f"time of the nadir of {of}", _time_unit, curves.check_name, on_grids=True
    ),
    "time_to_progression": Kind(_ttp, _ttp_gradient, _ttp_label, _time_unit, curves.check_name, on_grids=True),
    "doubling_time": Kind(_doubling, _doubling_gradient, _doubling_label, _time_unit, curves.check_name, on_grids=True),
    "relapse_probability": Kind(
        _relapse,
        None,
        lambda of: "relapse probability" + (f" by {of}" if of else ""),
        lambda problem, of: "1",
        _relapse_check,
    ),
    "cure_fraction": Kind(
        _cure,
        None,
        lambda of: "cure fraction" + (f" of {of}" if of else ""),
        lambda problem, of: "1",
        _relapse_check,
    ),
    "time_to_relapse": Kind(
        _time_to_relapse,
        _time_to_relapse_gradient,
        lambda of, level: f"time to relapse of {of} ({level:g})",
        _time_unit,
        curves.check_name,
    ),
    "threshold": Kind(None, _threshold_gradient, _threshold_label, _threshold_unit, _threshold_check, _threshold),
    "function": Kind(
        _function,
        None,
        lambda of, function: getattr(function, "__name__", type(function).__name__),
        lambda problem, of: "",
        _nothing_to_check,
        on_grids=True,
    ),
    **{
        kind: Kind(
            functools.partial(_front, kind),
            None,
            functools.partial(_front_label, kind),
            functools.partial(_front_unit, kind),
            _front_check,
            on_grids=True,
        )
        for kind in ("front_position", "front_width", "invasion_speed")
    },
}
