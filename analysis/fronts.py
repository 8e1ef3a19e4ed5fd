"""Fronts of a solution on a grid: where they are, how fast they move, how wide they are."""

import math

import numpy as np

from remission.models.errors import ProblemError, refuse_unknown_keywords
from remission.solvers import Solution

from . import curves
from .outcomes import Outcome

__all__ = ["front_position", "front_width", "invasion_speed"]

ALONG = (None, "x", "y")


@refuse_unknown_keywords
def front_position(solution=None, of=None, *, level=0.5, side="right", along=None):
    """Where a field passes a level, interpolated between cells.

    Parameters
    ----------
    solution : Solution, optional
        On a grid; without it an `Outcome` is returned; the name may stand in its place.
    of : str
        State or observable; `"burden"` if not given.
    level : float
        In units of `of`.
    side : {"right", "left"}
        Of a line: the outermost place seen from that side. Of a disc or ball it is the outermost radius.
    along : {"x", "y"}, optional
        Of a rectangle: the front of a band, area above the level / height (or width). Without it the radius of a disc
        of the same area.

    Returns
    -------
    (n_t,) array or Outcome
        At the output times, in the grid's unit of length; NaN where the field is above, or below, everywhere. The
        `Outcome` is the position at the end.

    Raises
    ------
    ProblemError
        If the problem is one cell, or has no such output.

    Examples
    --------
    >>> from remission.models import glioma_invasion
    >>> from remission.solvers import Grid, Problem, solve
    >>> seed = {"c": lambda x: 1.0 * (x < 3)}
    >>> glioma = Problem(glioma_invasion(), t_span=(0, 600), grid=Grid(200, 60.0), initial=seed)
    >>> front_position(solve(glioma, t_eval=[0, 300, 600]), "c").round(1).tolist()
    [3.0, 14.8, 34.2]
    """
    return _ask(solution, of, "front_position", positions, level=_number(level), side=_side(side), along=_along(along))


@refuse_unknown_keywords
def invasion_speed(solution=None, of=None, *, level=0.5, between=None, side="right", along=None):
    """Mean speed of a front between two times; positive to the right and outwards.

    Parameters
    ----------
    solution, of, level, side, along
        As in `front_position`.
    between : (t1, t2), optional
        The second half of the span if not given.

    Returns
    -------
    float or Outcome
        In the grid's unit of length per unit of time; NaN where there is no front at one of the times. What a formula
        says is in `front_speed_between` and `bistable_speed`.

    Examples
    --------
    >>> print(invasion_speed("tau", between=(100, 200)))
    speed of the front of tau (100 to 200)
    """
    if between is not None:
        first, last = (float(v) for v in between)
        if not first < last:
            raise ProblemError(f"invasion_speed: between=(t1, t2) needs t1 < t2, got {between!r}")
        between = (first, last)
    options = {"level": _number(level), "side": _side(side), "along": _along(along), "between": between}
    return _ask(solution, of, "invasion_speed", _speed, **options)


@refuse_unknown_keywords
def front_width(solution=None, of=None, *, levels=(0.1, 0.9), side="right", along=None):
    """Distance between the places where a field passes two levels.

    Parameters
    ----------
    solution, of, side, along
        As in `front_position`.
    levels : (float, float)
        In units of `of`.

    Returns
    -------
    (n_t,) array or Outcome
        At the output times, in the grid's unit of length. The `Outcome` is the width at the end.

    Examples
    --------
    >>> print(front_width("tau"))
    width of the front of tau at the end
    """
    levels = tuple(_number(v) for v in levels)
    if len(levels) != 2 or levels[0] == levels[1]:
        raise ProblemError(f"front_width: levels are two different numbers, got {levels!r}")
    return _ask(solution, of, "front_width", widths, levels=levels, side=_side(side), along=_along(along))


def _ask(solution, of, kind, measured, **options):
    """What is measured of a solution, or the outcome; the first argument may be the name instead."""
    if isinstance(solution, str) or hasattr(solution, "info"):
        if of is not None:
            raise ProblemError(f"{kind}: give a Solution first, or one name; got {solution!r} and {of!r}")
        solution, of = None, solution
    of = "burden" if of is None else getattr(of, "name", of)
    if solution is None:
        return Outcome(kind, of, tuple(sorted(options.items())))
    if not isinstance(solution, Solution):
        raise ProblemError(f"{kind}: the first argument is a Solution or a name, got {solution!r}")
    check(solution.problem, of)
    return measured(solution, of, **options)


def _number(value):
    if not np.isfinite(value):
        raise ProblemError(f"a level is a number, got {value!r}")
    return float(value)


def _side(side):
    if side not in ("right", "left"):
        raise ProblemError(f"side is 'right' or 'left', got {side!r}")
    return side


def _along(along):
    if along not in ALONG:
        raise ProblemError(f"along is 'x', 'y' or None, got {along!r}")
    return along


# --- what is measured -------------------------------------------------------------------------------------------------


def positions(solution, of, level, side, along, times=None) -> np.ndarray:
    """Positions at the output times, or others; (n_t,)."""
    fields = solution[of] if times is None else solution.at(times, of)
    return np.array([place(solution.problem.grid, field, level, side, along) for field in fields])


def widths(solution, of, levels, side, along, times=None) -> np.ndarray:
    """Widths at the output times, or others; (n_t,)."""
    one, other = (positions(solution, of, level, side, along, times) for level in levels)
    return np.abs(one - other)


def _speed(solution, of, level, side, along, between):
    first, last = solution.problem.t_span
    times = np.array([0.5 * (first + last), last] if between is None else between)
    moved = np.diff(positions(solution, of, level, side, along, times))[0]
    return float(moved / (times[1] - times[0]))


def place(grid, field, level, side, along) -> float:
    """Place of a front in one field: a point of a line, a radius, or what the area above the level makes of it."""
    above = field >= level
    if above.all() or not above.any() or not np.isfinite(field).all():
        return math.nan
    if grid.geometry == "rectangle":
        area = _area_above(grid, field - level)
        height, width = grid.length
        return {None: math.sqrt(area / math.pi), "x": area / height, "y": area / width}[along]
    changes = np.flatnonzero(above[1:] != above[:-1])
    i = int(changes[-1] if side == "right" else changes[0])
    share = (level - field[i]) / (field[i + 1] - field[i])
    return float(grid.x[i] + share * (grid.x[i + 1] - grid.x[i]))


def _area_above(grid, height):
    """Area on which a field, linear between the middles of cells along x and flat to the walls, is above zero."""
    dy, dx = (edges[1] - edges[0] for edges in grid.cell_edges)
    left, right = height[:, :-1], height[:, 1:]
    size = np.abs(left) + np.abs(right)
    mixed = np.maximum(left, 0) + np.maximum(right, 0)
    share = np.where(size > 0, mixed / np.where(size > 0, size, 1.0), 1.0)
    ends = 0.5 * ((height[:, 0] >= 0).sum() + (height[:, -1] >= 0).sum())
    return float((share.sum() + ends) * dx * dy)


# --- as outcomes ------------------------------------------------------------------------------------------------------


def _at_end(measured):
    def number(solution, of, **options):
        return float(measured(solution, of, times=[solution.problem.t_span[1]], **options)[0])

    return number


NUMBERS = {"front_position": _at_end(positions), "front_width": _at_end(widths), "invasion_speed": _speed}


def label(kind, of, between=None, **options) -> str:
    """Text for axes and tables."""
    if kind == "invasion_speed":
        return f"speed of the front of {of}" + ("" if between is None else f" ({between[0]:g} to {between[1]:g})")
    return f"{kind.removeprefix('front_')} of the front of {of} at the end"


def unit(kind, problem) -> str:
    """Unit of length of the grid, of a speed per unit of time."""
    length = problem.grid.unit
    return f"{length}/{problem.model.time_unit}" if kind == "invasion_speed" else length


def check(problem, of):
    """Refuse one cell, inputs, and names that are not there."""
    if not problem.grid.spatial:
        raise ProblemError(
            f"{problem.model.name} is one well-mixed cell and has no front; give the problem a grid, Grid(200, 20.0)"
        )
    curves.check_name(problem, of)
    if of in problem.system.inputs:
        raise ProblemError(f"{of} is an input, the same everywhere: it has no front")
