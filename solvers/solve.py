"""solve: a problem becomes a solution."""

import logging
import math
import warnings
from typing import TYPE_CHECKING

import numpy as np

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords

from .initial import carried
from .methods import COMPILED, PLANE, UNCOMPILED, find_method
from .saved import is_problem
from .space.plane.kept import default_count

if TYPE_CHECKING:
    from .solution import Solution

__all__ = ["SolveWarning", "all_controlled", "output_times", "parameter_columns", "solve"]

logger = logging.getLogger("remission")
ASKED_AGAIN = ("failed", "negative", "too many steps")  # what a method that pivots may still get through


class SolveWarning(UserWarning):
    """A solution was returned that did not reach the end; its `message` says why."""


@refuse_unknown_keywords
def solve(
    problem, method=None, *, t_eval=None, rtol=None, atol=None, sensitivities=None, max_step=None,
    error_control="all", progress=False,
) -> "Solution":  # fmt: skip
    """Integrate a problem over its time span.

    The span is cut at every dose, switch and end of an infusion, and at located state events.

    Parameters
    ----------
    problem : Problem
    method : str or type, optional
        By default one that is compiled for the model: `"Tsit5"` where the problem is found non-stiff, else
        `"Rodas5P"`. Where that cannot be done, or cannot go on, `"LSODA"` takes over; the solution's `method` says
        what ran, and why. On a rectangle it is `"ROS34PW2"`, which keeps fields at the output times only. Others are
        `"Rodas3"`, SciPy's `"LSODA"`, `"BDF"`, `"Radau"`, `"RK45"`, `"RK23"`, `"DOP853"`, or a subclass of
        `scipy.integrate.OdeSolver`.
    t_eval : (n_t,) array_like, optional
        Output times within `t_span`, increasing. By default 401 even times and every dose and switch; on grids fewer.
    rtol, atol : float, dict, optional
        Tolerances; those of the problem if not given.
    sensitivities : list of str or "all", optional
        Parameters whose exact forward sensitivities are carried, through doses and state events; `"S(0)"` is the
        initial value of the state S. `"all"` is every parameter.
    max_step : float, optional
        Longest step, in the model's unit of time.
    error_control : {"states", "all"}
        What a compiled method's steps are chosen by: the states alone, or the sensitivities too, each times the size
        of its parameter within the tolerance of its state and `rtol` of itself. SciPy's methods always take all.
    progress : bool
        Show a bar for a run on a grid that takes more than a second.

    Returns
    -------
    Solution
        A failed integration is a value too: `success` is False, `message` says why, and outputs after the failure
        are NaN. A warning is given once.

    Raises
    ------
    ProblemError
        If an argument does not fit the problem, before any work is done.

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem, Treatment, solve
    >>> daily = Problem(sensitive_resistant(), t_span=(0, 300), treatment=Treatment.constant({"u": 1}))
    >>> solution = solve(daily, sensitivities=["f_R"])
    >>> solution.success, solution["R"].shape
    (True, (401,))
    """
    from .solution import Solution

    if not is_problem(problem):
        raise ProblemError(f"solve: the first argument must be a Problem, got {type(problem).__name__}")
    moved, columns, names = carried(problem, sensitivities)
    method, shown = _possible(problem, method, columns)
    times = None if t_eval is None else output_times(problem, t_eval)
    step = np.inf if max_step is None else float(max_step)
    if not step > 0:
        raise ProblemError(f"solve: max_step must be above 0, got {max_step!r}")
    _check_problem_tolerances(problem, rtol, atol)
    controlled = all_controlled(error_control) and bool(columns)
    trace, shown = _integrated(moved, method, shown, (rtol, atol, columns, step, controlled, times, bool(progress)))
    if times is None:
        times = _default_times(problem, trace)
    solution = Solution(problem, times, trace, shown, names)
    if not solution.success:
        logger.info("solve: %s: %s", problem.model.name, solution.message)
        warnings.warn(f"{problem.model.name}: {solution.message}", SolveWarning, stacklevel=3)
    return solution


def _possible(problem, method, columns):
    """The method itself, None for our choice, or SciPy's where a compiled one cannot be had; and the name to show."""
    name = None if method is None else find_method(method)[1]
    if problem.grid.spatial:
        from .space.choice import spatial_method

        return spatial_method(problem, method, name)
    if name == PLANE:
        raise ProblemError(f"{problem.model.name}: {name} is for rectangles; leave out `method` on one cell")
    if name is not None and name not in COMPILED:
        return method, name
    from .kernels.single import reason_not

    reason = reason_not(problem)
    if name == "Tsit5" and columns:
        reason = reason or "it carries no sensitivities"
    if not reason:
        return name, name
    logger.info("solve: %s: %s: %s", problem.model.name, UNCOMPILED, reason)
    return UNCOMPILED, f"{UNCOMPILED} (not {name or 'compiled'}: {reason})"


def _integrated(problem, method, shown, how):
    """A trace, and what made it; without a method the choice is ours, and so is the next one where it fails."""
    from .integrate import run

    if method is not None:
        return run(problem, method, *how), shown
    from .kernels.choice import IMPLICIT, choose_method

    method = shown = choose_method(problem, bool(how[2]))
    trace = run(problem, method, *how)
    if trace.status == "stiff":
        method = IMPLICIT
        shown = f"{method} ({shown} found it stiff)"
        trace = run(problem, method, *how)
    if trace.status in ASKED_AGAIN:
        logger.info("solve: %s: %s: %s", problem.model.name, method, trace.message)
        second = run(problem, UNCOMPILED, *how)
        if second.status == "done":
            return second, f"{UNCOMPILED} ({method} failed: {trace.message})"
    return trace, shown


def all_controlled(error_control) -> bool:
    """Whether `error_control` asks for the sensitivities in the error test.

    Parameters
    ----------
    error_control : {"states", "all"}

    Returns
    -------
    bool

    Raises
    ------
    ProblemError
        If it is neither.
    """
    if error_control not in ("states", "all"):
        raise ProblemError(f"error_control is 'states' or 'all', got {error_control!r}")
    return error_control == "all"


def parameter_columns(problem, names) -> tuple:
    """Positions in `problem.p` of named parameters; `"all"` is every one.

    Parameters
    ----------
    problem : Problem
    names : list of str, "all" or None

    Returns
    -------
    tuple of int

    Raises
    ------
    ProblemError
        If a name is not a parameter of the problem, or comes twice.

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem
    >>> parameter_columns(Problem(sensitive_resistant()), ["r"])
    (4,)
    """
    known = problem.system.parameters
    if names is None:
        return ()
    if isinstance(names, str):
        names = known if names == "all" else [names]
    wanted = [getattr(n, "name", n) for n in names]
    for name in wanted:
        if name in problem.system.states:
            raise ProblemError(f"sensitivities: {name!r} is a state; its initial value is written '{name}(0)'")
        if name not in known:
            raise ProblemError(f"sensitivities: no parameter named {name!r}; {did_you_mean(name, known)}")
    if len(set(wanted)) < len(wanted):
        raise ProblemError(f"sensitivities: a name comes twice in {wanted}")
    return tuple(known.index(name) for name in wanted)


def output_times(problem, t_eval) -> np.ndarray:
    """Check output times: finite, not decreasing, within the problem's span.

    Parameters
    ----------
    problem : Problem
    t_eval : array_like

    Returns
    -------
    (n_t,) array

    Raises
    ------
    ProblemError
        If they are not.
    """
    times = np.atleast_1d(np.asarray(t_eval, dtype=float))
    first, last = problem.t_span
    if times.ndim != 1 or not times.size or not np.all(np.isfinite(times)):
        raise ProblemError("output times must be finite, and at least one")
    if np.any(np.diff(times) < 0):
        raise ProblemError("output times must increase")
    slack = 1e-9 * max(abs(first), abs(last))
    if times[0] < first - slack or times[-1] > last + slack:
        raise ProblemError(
            f"output times run from {times[0]:g} to {times[-1]:g}, outside the problem's t_span ({first:g}, {last:g})"
        )
    return np.clip(times, first, last)


def _default_times(problem, trace):
    first, last = problem.t_span
    inside = [e.time for e in trace.events if first < e.time < last]
    count = 101 if problem.grid.spatial else 401
    if len(problem.grid.shape) == 2:
        count = default_count(problem.grid.size * problem.system.n)
    times = np.sort(np.concatenate([np.linspace(first, last, count), inside]))
    return times[np.append(True, np.diff(times) > 0)]  # np.unique would import masked arrays


def _check_problem_tolerances(problem, rtol, atol):
    if rtol is not None or atol is not None:
        problem.replace(rtol=problem.rtol if rtol is None else rtol, atol=problem.atol if atol is None else atol)
    for name, value in problem.initial_values().items():
        if not math.isfinite(value):
            raise ProblemError(f"{problem.model.name}: the initial value of {name} is {value}, not a finite number")
