"""continue_branches: every branch of steady states that can be reached from some of them, over one parameter."""

import numpy as np

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords
from remission.solvers import Problem
from remission.solvers.grid import refuse_grid

from ..steady_states import SteadyState, SteadyStates, steady_states
from .equations import equations_of, moved_symbols

__all__ = ["continue_branches"]

ASIDE = (1e-2, 1e-3, 1e-4)  # distances at which a crossing branch is sought, in units of size
MOST_BRANCHES = 60
SAME = 1e-6
FAR = 1e6  # sizes of the starts: how far a branch without declared limit is followed


@refuse_unknown_keywords
def continue_branches(problem, over, span, *, start=None, box=None, max_step=0.1, max_points=3000, switch=True):
    """Branches of steady states over a parameter, with stability, folds, Hopf points and branch points.

    Parameters
    ----------
    problem : Problem
        With constant inputs. Steady states are known, or sought, at its value of the parameter.
    over : str
        Parameter or input that is moved.
    span : (low, high)
        Of the parameter.
    start : SteadyStates, SteadyState, dict, or a sequence of these, optional
        Where to start; all steady states that `steady_states(problem)` finds if not given. Starts on a branch
        already known add nothing.
    box : dict, optional
        State -> (low, high): where branches end. By default states declared positive end at 0, and all at a million
        times the largest value of a start. It is also where steady states are sought if no start is given.
    max_step : float
        Largest step, relative to the sizes of states and parameter.
    max_points : int
        Of a branch, each way.
    switch : bool
        Follow the other branch at branch points too.

    Returns
    -------
    Branches

    Raises
    ------
    ProblemError
        If there is no such parameter, the span is empty or does not hold the problem's value, no steady state is
        known, or an operation of the equations has no derivative in closed form.

    Notes
    -----
    Pseudo-arclength steps with exact derivatives [1]_. Special points are found by changes of sign between steps and
    solved for on the equations that define them. What lies on no branch through a start or a branch point is not
    found: isolated curves need a start of their own.

    References
    ----------
    .. [1] Keller (1977), Numerical solution of bifurcation and nonlinear eigenvalue problems.
    .. [2] Kuznetsov (2004), Elements of Applied Bifurcation Theory, 3rd ed., doi:10.1007/978-1-4757-3978-7.

    Examples
    --------
    >>> from remission.analysis import continue_branches
    >>> from remission.models import kuznetsov
    >>> from remission.solvers import Problem
    >>> problem = Problem(kuznetsov(scaled=True))
    >>> found = continue_branches(problem, "sigma", (0.0, 0.8), box={"E": (0, 50), "T": (0, 1000)})
    >>> [(p.kind, round(p.value, 6)) for p in found.points]
    [('fold', 0.193777), ('transcritical', 0.612355)]
    """
    if not isinstance(problem, Problem):
        raise ProblemError(f"continue_branches: the first argument must be a Problem, got {type(problem).__name__}")
    refuse_grid(problem, "continue_branches")
    over = str(getattr(over, "name", over))
    symbol = moved_symbols(problem, (over,))[0]
    low, high = _span(problem, symbol, span)
    box = {str(getattr(k, "name", k)): v for k, v in (box or {}).items()}
    starts, notes = _starts(problem, start, box)
    equations = equations_of(problem, (over,), starts)
    return _grow(equations, starts, (low, high), box, (max_step, max_points, switch), notes)


def value_of(problem, symbol):
    """Value of a parameter or input of a problem."""
    return float(problem.inputs()[symbol.name] if symbol in problem.model.inputs else problem.parameters[symbol.name])


def _span(problem, symbol, span):
    try:
        low, high = (float(v) for v in span)
    except (TypeError, ValueError):
        raise ProblemError(f"continue_branches: span is (low, high) of {symbol.name}, got {span!r}") from None
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ProblemError(f"continue_branches: the span of {symbol.name} is {low:g} to {high:g}; low has to be less")
    value = value_of(problem, symbol)
    if not low <= value <= high:
        change = "at_constant(" if symbol in problem.model.inputs else "replace(parameters="
        raise ProblemError(
            f"continue_branches: {symbol.name} = {value:g} is outside the span {low:g} to {high:g}, and the start has "
            f"to be inside: use problem.{change}...)"
        )
    return low, high


def _starts(problem, start, box):
    """Steady states as dicts, and notes on those left out."""
    names, notes = problem.system.states, []
    if start is None:
        start = steady_states(problem, box={k: v for k, v in box.items() if np.all(np.isfinite(v))} or None)
    many = [start] if isinstance(start, (dict, SteadyState)) else list(start)
    found = []
    for one in many:
        if getattr(one, "family", False):
            notes.append(f"a continuum of steady states was left out: {one}")
            continue
        values = one if isinstance(one, dict) else getattr(one, "values", None)
        if not isinstance(values, dict):
            raise ProblemError(
                f"continue_branches: start holds steady states or dicts of state -> value, got {type(one).__name__}"
            )
        values = {str(getattr(k, "name", k)): float(v) for k, v in values.items()}
        for name in values:
            if name not in names:
                raise ProblemError(f"continue_branches: start names {name!r}; {did_you_mean(name, names)}")
        missing = [name for name in names if name not in values]
        if missing:
            raise ProblemError(f"continue_branches: the start has no value of {', '.join(missing)}")
        found.append(values)
    if not found:
        where = "in the box" if isinstance(start, SteadyStates) else "given"
        raise ProblemError(f"continue_branches: no isolated steady state {where} to start from")
    return found, notes


def bounds_of(state, box, size) -> tuple:
    """Where a state's branches end: the box, else 0 if it is declared positive, and far away."""
    low, high = box.get(state.name, (0.0 if state.info.positive else -np.inf, np.inf))
    return max(float(low), -FAR * size), min(float(high), FAR * size)


def limits_of(equations, span, box, max_step, max_points):
    """Limits of states and parameter and lengths of steps, in units of the scale."""
    from .walk import Limits

    names = tuple(s.name for s in equations.written.variables)
    for name in box:
        if name not in equations.problem.system.states:
            raise ProblemError(
                f"continue_branches: box names {name!r}; {did_you_mean(name, list(equations.problem.system.states))}"
            )
    sides = [
        bounds_of(s, box, size) for s, size in zip(equations.written.variables[:-1], equations.scale, strict=False)
    ]
    low, high = (np.array(side, dtype=float) for side in zip(*sides, span, strict=True))
    steps = (min(0.01, max_step / 4), 1e-9, float(max_step))
    return Limits(low / equations.scale, high / equations.scale, names, steps, int(max_points))


@np.errstate(all="ignore")
def _grow(equations, starts, span, box, options, notes):
    from .result import Branches
    from .walk import Steps, lies_on, walk

    max_step, max_points, switch = options
    problem, n = equations.problem, equations.n
    limits = limits_of(equations, span, box, max_step, max_points)
    steps, walks = Steps(equations), []
    names = [s.name for s in equations.written.variables[:n]]
    value = value_of(problem, equations.written.variables[-1])
    heading = np.append(np.zeros(n), 1.0)
    for values in starts:
        z = np.array([*(values[name] for name in names), value]) / equations.scale
        w = steps.on_plane(z, n, z[n])
        if w is None:  # at a fold or branch point the plane of constant parameter does not cut the curve
            notes.append(f"no branch was found from {values}")
            continue
        if any(lies_on(one, w, steps) for one in walks):
            continue
        one = walk(equations, w, heading, limits, steps=steps)
        if one is None:
            notes.append(f"no branch could be followed from {values}: it is degenerate")
        else:
            walks.append(one)
    if switch:
        follow_crossing(equations, walks, limits, steps, notes)
    branches = described(equations, walks)
    shown = {s.name: box.get(s.name, (0.0 if s.info.positive else -np.inf, np.inf)) for s in problem.model.states}
    return Branches(problem, equations.over[0], span, shown, tuple(branches), tuple(notes))


def described(equations, walks):
    """Walks as branches with their special points in words, continua at one value of the parameter left out."""
    from .describe import branch_of, special_point
    from .walk import is_upright

    kept = [one for one in walks if not is_upright(one)]
    return [branch_of(equations, one, [special_point(equations, f) for f in one.found]) for one in kept]


def follow_crossing(equations, walks, limits, steps, notes, first=0):
    """Follow what crosses at the branch points of walks from the first on, those found on the way included."""
    from .describe import cleaned
    from .normal_forms import branch_tangents, quadratic_vanishes
    from .walk import is_upright, join, lies_on, reverse, walk, within

    done = first
    while done < len(walks):
        for f in [f for f in walks[done].found if f.kind == "branch point"]:
            at = f.z * f.local.scale / equations.scale
            for tangent in branch_tangents(f.local, f.z, f.extra):
                sides = []
                for sign in (1, -1):
                    t = sign * tangent * f.local.scale / equations.scale
                    w = _beside(at, t, steps)
                    inside = w is not None and within(w, limits)
                    if not inside or any(lies_on(one, w, steps) for one in walks):
                        continue
                    one = walk(equations, w, t, limits, both=False, steps=steps)
                    if one is not None and np.max(np.abs(one.Z[-1] - at) / steps.sizes(at)) > SAME:  # else a stub
                        sides.append(_from_point(one, at, w, t))
                if sides:
                    walks.append(join(reverse(sides[1]), sides[0]) if len(sides) == 2 else sides[0])
                    if is_upright(walks[-1]) and quadratic_vanishes(f.local, f.z):
                        value = cleaned(f.z * f.local.scale, equations)[-1]
                        notes.append(f"a continuum of steady states at {equations.over[0]} = {value:.8g}")
                if len(walks) > MOST_BRANCHES:
                    notes.append(f"more than {MOST_BRANCHES} branches: the rest was not followed")
                    return
        done += 1


def _beside(at, t, steps):
    """A point of the branch with tangent t, a little away from the branch point."""
    size = steps.sizes(at)
    tau = t / size
    tau = tau / np.linalg.norm(tau)
    for h in ASIDE:
        w = steps.correct(at + h * tau * size, at, tau, h, size)
        if w is not None:
            moved = (w - at) / size
            if moved @ tau > 0.97 * np.linalg.norm(moved):
                return w
    return None


def _from_point(one, at, w, t):
    """The same walk with the branch point before its first point."""
    from .walk import Found, Walk

    found = [Found(f.kind, f.at + 1, f.z, f.local, f.extra) for f in one.found]
    return Walk(
        np.vstack([at, one.Z]), np.vstack([t, one.T]), np.append(one.unstable[0], one.unstable), found,
        ("branch point", one.ends[1]),
    )  # fmt: skip
