"""continue_cycles: branches of cycles from Hopf points."""

import numpy as np

from remission.models.errors import ProblemError, refuse_unknown_keywords

from ..continuation import Branch, Branches, SpecialPoint
from ..continuation.equations import equations_of
from ..given import low_high
from .result import CycleBranch, CycleBranches, CyclePoint

__all__ = ["continue_cycles"]

SAME = 2e-3  # of the parameter and period: two Hopf points that one branch joins
WORDS = {"fold": "fold of cycles"}


@refuse_unknown_keywords
def continue_cycles(
    branches, span=None, *, hopf=None, ntst=None, ncol=4, max_step=0.15, max_points=400, max_period=100.0,
    logarithms=None,
) -> CycleBranches:  # fmt: skip
    """Cycles born at Hopf points, followed over the parameter with their Floquet multipliers.

    Parameters
    ----------
    branches : Branches or Branch
        Of `continue_branches`.
    span : (low, high), optional
        Of the parameter; that of the branches if not given.
    hopf : SpecialPoint or sequence of SpecialPoint, optional
        Where to start: Hopf points of the branches. All of them if not given; one in which the branch from another
        ended is not followed again.
    ntst : int, optional
        Mesh intervals. By default 20, and more along the branch where the trivial multiplier is not 1 to 1e-6.
    ncol : int
        Degree of the polynomials, and Gauss points in each interval.
    max_step : float
        Largest step, relative to the sizes of states and parameter; of states in logarithms, in units of e.
    max_points : int
        Orbits of a branch.
    max_period : float
        In periods of the Hopf point: a branch ends where its period grows beyond, as it does towards a homoclinic
        orbit.
    logarithms : bool, optional
        Whether states that are declared positive, and are, are followed in logarithms. By default they are: cycles of
        relapse span many decades.

    Returns
    -------
    CycleBranches

    Raises
    ------
    ProblemError
        If there is no Hopf point to start from, or the span does not hold it.

    Notes
    -----
    Orthogonal collocation at Gauss points with an integral phase condition and a mesh that spreads the error [1]_,
    pseudo-arclength steps in orbit, period and parameter, exact derivatives. Each interval is condensed to its ends;
    multipliers come from the product of the condensed blocks by orthogonal iteration, so that small ones are not lost
    beside large ones. A multiplier below the accuracy of the mesh is small, but not known to its digits. Folds of
    cycles, period doublings, tori and branch points are located, and what is born there is not followed.

    References
    ----------
    .. [1] Doedel, Keller and Kernevez (1991), International Journal of Bifurcation and Chaos 1, 745-772.

    Examples
    --------
    >>> from remission.analysis import continue_branches
    >>> from remission.models import kirschner_panetta
    >>> from remission.solvers import Problem
    >>> box = {"E": (0, 1e9), "T": (0, 1e9), "I": (0, 1e9)}
    >>> found = continue_branches(Problem(kirschner_panetta()), "c", (0.025, 0.05), box=box)
    >>> cycles = continue_cycles(found)
    >>> cycle = cycles.at(0.03)[0]
    >>> round(cycle.period, 2), round(cycle.max("T") / cycle.min("T")), cycle.stability
    (107.05, 31, 'stable')
    """
    branches, points, notes = _points(branches, hopf)
    span = _span(branches, points, span)
    _check(ntst=ntst, ncol=ncol, max_points=max_points)
    options = (ntst, int(ncol), float(max_step), int(max_points), float(max_period), logarithms)
    found, used = [], []
    for point in points:
        if any(_same(point, other) for other in used):
            continue
        one = _branch(branches.problem, branches.parameter, point, points, span, options)
        if len(one) < 2:
            notes.append(f"{one.end} at {point.parameter} = {point.value:.8g}")
            continue
        found.append(one)
        used += [p for p in points if one.end.startswith("Hopf point") and _same_value(p, one) and p is not point]
    steady = branches if isinstance(branches, Branches) else None
    return CycleBranches(branches.problem, branches.parameter, tuple(found), steady, tuple(notes))


def _points(branches, hopf):
    if isinstance(branches, SpecialPoint):
        raise ProblemError(
            "continue_cycles: a special point does not know its problem: continue_cycles(branches, hopf=point)"
        )
    if not isinstance(branches, Branches | Branch):
        raise ProblemError(
            f"continue_cycles: the first argument must be what continue_branches returned, got "
            f"{type(branches).__name__}"
        )
    points = [p for p in branches.points if p.kind == "Hopf"]
    name = branches.problem.model.name
    if not points:
        raise ProblemError(f"continue_cycles: there is no Hopf point on the branches of {name}, so no cycle is born")
    if hopf is None:
        return branches, points, []
    wanted = list(hopf) if isinstance(hopf, list | tuple) else [hopf]
    for one in wanted:
        kind = getattr(one, "kind", type(one).__name__)
        if kind != "Hopf" or one.parameter != branches.parameter:
            raise ProblemError(f"continue_cycles: hopf= takes Hopf points over {branches.parameter}, got {kind}")
    return branches, wanted, []


def _span(branches, points, span):
    if span is None:
        span = getattr(branches, "span", None) or (float(branches.values.min()), float(branches.values.max()))
    low, high = low_high(span, f"continue_cycles: the span of {branches.parameter}")
    for p in points:
        if not low <= p.value <= high:
            raise ProblemError(
                f"continue_cycles: the Hopf point at {p.parameter} = {p.value:.6g} is outside the span {low:g} to "
                f"{high:g}; choose points with hopf="
            )
    return low, high


def _check(**given):
    for name, value in given.items():
        least = 2
        if value is not None and not (int(value) == value and value >= least):
            raise ProblemError(f"continue_cycles: {name} must be a whole number, {least} or more, got {value!r}")


def _same(one, other):
    return one is other or (one.value == other.value and one.values == other.values)


def _same_value(point, branch):
    near = abs(point.value - branch.values[-1]) <= SAME * max(abs(point.value), 1e-12)
    return near and abs(point.period / branch.periods[-1] - 1) < 0.05


def _branch(problem, over, point, points, span, options):
    from .collocation import Solver
    from .read import logarithmic
    from .walk import Options, first_cycle, walk_cycles

    ntst, ncol, max_step, max_points, max_period, logarithms = options
    equations = equations_of(problem, (over,), [point.values])
    names = [s.name for s in equations.written.variables[: equations.n]]
    at = np.array([point.values[name] for name in names])
    logs = logarithmic(problem, equations, at) if logarithms is not False else np.zeros(len(at), dtype=bool)
    solver, scale = Solver(equations, logs, ncol), equations.scale[equations.n]
    start = first_cycle(solver, at, point.value / scale, ntst or 20)
    longest = max_period * float(np.exp(start.ends[0]))
    walked = walk_cycles(
        solver, start,
        Options(span[0] / scale, span[1] / scale, ntst or 20, ntst is None, max_step, max_points, longest),
    )  # fmt: skip
    ending = [p for p in points if p is not point] if walked.end == "Hopf point" else []
    return _result(problem, over, solver, point, start, walked, _last(solver, walked, ending, names))


def _last(solver, walked, points, names):
    """The degenerate cycle in which the branch ends, and its Hopf point, where there is a known one near."""
    from .walk import first_cycle

    n, scale = solver.n, solver.equations.scale[solver.n]
    last = walked.cycles[-1] if walked.cycles else None
    for p in points:
        U = solver.mine(np.array([p.values[name] for name in names]))
        size, _ = solver.sizes(last.U, last.ends)
        apart = np.max(np.abs(np.mean(last.U, axis=0) - U) / size)
        near = abs(p.value / scale - last.ends[1]) < 0.05 * max(abs(last.ends[1]), 1e-3)
        if near and apart < 0.5 and abs(np.log(p.period) - last.ends[0]) < 0.3:
            point = np.array([p.values[name] for name in names])
            return first_cycle(solver, point, p.value / scale, max(len(last.mesh) - 1, 4)), p
    return None, n


def _result(problem, over, solver, point, start, walked, last):
    from .read import extremes_of, orbit_of

    scale = solver.equations.scale[solver.n]
    ends = walked.end
    cycles = [start, *walked.cycles]
    multipliers = [_at_hopf(solver, point), *walked.multipliers]
    residuals = [0.0, *walked.errors]
    if last[0] is not None:
        cycles.append(last[0])
        multipliers.append(_at_hopf(solver, last[1]))
        residuals.append(0.0)
        ends = f"Hopf point at {over} = {last[1].value:.8g}"
    values = np.array([c.ends[1] for c in cycles]) * scale
    points = []
    for kind, place, cycle in walked.found:
        between = float(values[place + 1]), float(values[place + 2])
        orbit, value, period = None, float(np.mean(between)), float(np.exp(walked.cycles[place].ends[0]))
        if cycle is not None:
            from .multipliers import multipliers_of

            orbit = orbit_of(problem, over, solver, cycle, multipliers_of(cycle.steps)[0])
            value, period = float(cycle.ends[1] * scale), orbit.period
        points.append(CyclePoint(WORDS.get(kind, kind), over, value, period, between, orbit))
    tables = [extremes_of(problem, over, solver, c) for c in cycles]
    extremes = {name: np.array([t[name] for t in tables]) for name in tables[0]}
    return CycleBranch(
        problem, over, values, np.exp([c.ends[0] for c in cycles]), extremes, np.array(multipliers),
        np.array(residuals), tuple(points), point, ends, solver, tuple(cycles),
    )  # fmt: skip


def _at_hopf(solver, point):
    """Multipliers of the degenerate cycle, as many as the equations have states; the critical pair is exactly 1."""
    found = np.exp(point.eigenvalues * point.period)
    found = found[np.argsort(np.abs(found - 1), kind="stable")]
    found = np.concatenate([[1.0, 1.0], found[2:]])[: solver.n]
    return found[np.argsort(-np.abs(found), kind="stable")].astype(complex)
