"""time_to_relapse: when a tumour that had shrunk is detected again, and from how few cells."""

from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError, refuse_unknown_keywords
from remission.solvers import Problem, Solution, solve

from .. import curves
from ..given import positive
from ..outcomes import Outcome
from .lever import exposed
from .value import Threshold

__all__ = ["time_to_relapse"]


@refuse_unknown_keywords
def time_to_relapse(solution=None, level=None, *, of="burden") -> "Threshold | Outcome":
    """First time after the nadir at which a tumour is detected again.

    Parameters
    ----------
    solution : Solution or Problem, optional
        Without it an `Outcome` is returned, for `sweep` and `sensitivity`. A problem is solved with the sensitivities
        by all its parameters; of a solution those are used that it carries (`solve(problem, sensitivities=[...])`).
    level : float
        Size at which a tumour is detected, in units of `of`.
    of : str
        State or observable.

    Returns
    -------
    Threshold, or Outcome
        Its value counts from the start of the time span in the model's unit; `inf` if the tumour is not back by its
        end. `coefficients` hold the nadir, its time, its size in cells where all tumour states declare
        `cells_per_unit`, and the time since the last change of treatment before the nadir; `conditions` say whether
        the nadir was below one cell, from where the equations may bring back what chance would have ended.

    Raises
    ------
    ProblemError
        If there is no such output, or the level is not above 0.
    SolveError
        If the integration failed.

    Notes
    -----
    A first growth through the level is no relapse: what counts is a return after the tumour had been as large, or had
    shrunk from the start. Of several returns it is the first. A tumour that never falls below the level is detected
    at its nadir.

    Examples
    --------
    >>> from remission.analysis import time_to_relapse
    >>> from remission.models import clonal_relapse
    >>> from remission.solvers import Problem, Treatment
    >>> drug = Treatment.switch_when({"u": 1}, of="burden", above=1e8)
    >>> found = time_to_relapse(Problem(clonal_relapse(), t_span=(0, 400), treatment=drug, rtol=1e-9), 1e7)
    >>> print(found)
    time to relapse: t = 244.46... day (crossing, numerical); burden is back at 1e+07
    >>> round(found.coefficients["since the last change of treatment"], 2), found.conditions
    (151.84, ('burden fell below 1e+07 and is back', 'the nadir is 1258.6 cells, on day 129.51'))
    >>> print(time_to_relapse(level=1e7))
    time to relapse of burden (1e+07)
    """
    if level is None:
        raise ProblemError("time_to_relapse: level= is the size at which a tumour is detected")
    level = positive(level, "time_to_relapse: level, a size,")
    if not np.isfinite(level):
        raise ProblemError("time_to_relapse: level is a finite size")
    if solution is None:
        return Outcome("time_to_relapse", getattr(of, "name", of), (("level", level),))
    problem, solution, shown = _solved(solution)
    of = curves.check_name(problem, getattr(of, "name", of))
    table = curves.nodes(solution, of)
    seen = _seen(table, level)
    place = None
    value, low, slopes = np.inf, None, {}
    if seen.low is not None:
        low = curves.refine_low(solution, of, table, seen.low)
    if seen.back is not None:
        place = curves.crossing(solution, of, level, table, seen.back)
        value = place.time - problem.t_span[0]
    elif seen.always:
        value = low.time - problem.t_span[0]
    if solution.carried and place is not None:
        gradient = curves.crossing_gradient(solution, of, place, np.zeros(len(solution.carried)))
        slopes = {shown.get(n, n): float(g) for n, g in zip(solution.carried, gradient, strict=True)}
    coefficients, told = _nadir(solution, of, low) if low is not None else ({}, [])
    if np.isfinite(value) and low is not None:
        changes = [e.time for e in solution.events if e.time <= low.time]
        if changes:
            coefficients["since the last change of treatment"] = float(value + problem.t_span[0] - changes[-1])
    conditions = (_words(seen, of, level, solution), *told)
    direction = f"{of} is back at {level:g}" if seen.back is not None else ""
    direction = _words(seen, of, level, solution) if seen.always else direction
    return Threshold(
        problem, "time to relapse", "t", float(value), problem.model.time_unit, "crossing", direction, "numerical",
        None, slopes, conditions, None, {}, coefficients,
    )  # fmt: skip


def _solved(given):
    """Problem, solution with what it carries, and names to show for hidden ones."""
    if isinstance(given, Solution):
        return given.problem, given.require(), {}
    if not isinstance(given, Problem):
        raise ProblemError(
            f"time_to_relapse: the first argument is a Solution or a Problem, got {type(given).__name__}"
        )
    problem, shown = exposed(given)
    return given, solve(problem, sensitivities="all").require(), shown


@dataclass(frozen=True)
class _Seen:
    """Numbers of the nodes of the nadir and of the return; whether the curve is above the level all along."""

    low: int | None
    back: int | None
    always: bool = False


def _seen(table, level):
    _, _, values = table
    above = values >= level
    if above.all():
        return _Seen(int(np.argmin(values)), None, True)
    first = 0
    for i in range(1, len(values)):
        if above[i - 1] and not above[i]:
            first = i
        elif above[i] and not above[i - 1]:
            low = first + int(np.argmin(values[first:i]))
            if first > 0 or values[low] < values[0]:
                return _Seen(low, i)
    if above[-1]:
        return _Seen(None, None)
    low = first + int(np.argmin(values[first:]))
    return _Seen(low if first > 0 or low > 0 else None, None)


def _words(seen, of, level, solution):
    end = f"{solution.problem.t_span[1]:g} {solution.problem.model.time_unit}"
    if seen.always:
        return f"{of} never falls below {level:g}: it is detected at its nadir"
    if seen.back is not None:
        return f"{of} fell below {level:g} and is back"
    if seen.low is None:
        return f"{of} does not shrink from above {level:g} and return: there is no relapse by t = {end}"
    return f"{of} is not back at {level:g} by t = {end}"


def _nadir(solution, of, low):
    """Nadir as numbers, and in words whether it was below one cell."""
    problem = solution.problem
    found = {"nadir": low.value, "nadir time": low.time}
    when = f"on {problem.model.time_unit} {low.time:.5g}" if problem.model.time_unit != "1" else f"at {low.time:.5g}"
    tumour = [s for s in problem.model.states if s.info.kind == "tumour"]
    if not tumour or any(s.info.cells_per_unit is None for s in tumour):
        return found, [f"the nadir is {low.value:.5g} {when}; in cells it is not known: no cells_per_unit is declared"]
    side = "right" if low.where == "start" and low.segment > 0 else "left"
    cells = sum(float(solution.at(low.time, s.name, side=side)) * s.info.cells_per_unit for s in tumour)
    found["nadir in cells"] = cells
    told = f"the nadir is {cells:.5g} cells, {when}"
    if low.time >= problem.t_span[1]:
        told += ", still falling at the end"
    if cells < 1:
        told += ": below one cell, where the equations bring back what may be gone (see relapse_probability)"
    if low.value <= curves.noise(solution, of, low):
        told += "; it is within the tolerance of the solution, and so is what grows from it"
    return found, [told]
