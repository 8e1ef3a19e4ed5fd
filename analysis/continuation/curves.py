"""continue_points: folds, Hopf points and transcritical points of branches followed over a second parameter."""

import numpy as np
import sympy as sp

from remission.models.errors import ProblemError, refuse_unknown_keywords

from . import machine
from .branches import bounds_of, value_of
from .equations import Equations, equations_of, moved_symbols, write
from .result import Branches

__all__ = ["continue_points"]

KINDS = ("fold", "Hopf", "transcritical")
CRITICAL = 1e-5  # of the largest eigenvalue, up to which a growth rate at a located point counts as zero


@refuse_unknown_keywords
def continue_points(branches, also, span, *, kinds=KINDS, points=None, max_step=0.1, max_points=3000):
    """Curves of special points in the plane of two parameters, with cusps and the other points on them.

    Parameters
    ----------
    branches : Branches
        Of the first parameter, whose span is kept.
    also : str
        Second parameter or input.
    span : (low, high)
        Of the second.
    kinds : tuple of str
        Which special points are followed: `"fold"`, `"Hopf"`, `"transcritical"` (where a state can come in that
        cannot arise from nothing).
    points : sequence of SpecialPoint, optional
        Which of `branches.points`; all of these kinds if not given.
    max_step : float
        Largest step, relative to the sizes of the unknowns.
    max_points : int
        Of a curve, each way.

    Returns
    -------
    Curves

    Raises
    ------
    ProblemError
        If there is no such parameter, it is the first one, or its span does not hold the problem's value.

    Notes
    -----
    The defining systems of the points are followed, with exact second derivatives: J v = 0 for folds,
    (J J + kappa) v = 0 for Hopf points (kappa the square of the frequency; a Hopf curve ends where it is 0, at a
    Bogdanov-Takens point). A point that lies on a curve already followed starts none.

    Examples
    --------
    >>> from remission.analysis import continue_branches, continue_points
    >>> from remission.models import kuznetsov
    >>> from remission.solvers import Problem
    >>> problem = Problem(kuznetsov(scaled=True))
    >>> branches = continue_branches(problem, "sigma", (0.0, 2.0), box={"E": (0, 50), "T": (0, 1000)})
    >>> curves = continue_points(branches, "delta", (0.0, 3.0), kinds=("fold",))
    >>> [(p.kind, round(p["sigma"], 8), round(p["delta"], 8)) for p in curves.points]
    [('cusp', 0.94247308, 1.35316445)]
    """
    from .curve_result import Curves

    if not isinstance(branches, Branches):
        raise ProblemError(
            f"continue_points: the first argument is what continue_branches returns, got {type(branches).__name__}"
        )
    also = str(getattr(also, "name", also))
    problem = branches.problem
    symbol = moved_symbols(problem, (also,))[0]
    if also == branches.parameter:
        raise ProblemError(f"continue_points: {also} is the first parameter already; name another one")
    for kind in kinds:
        if kind not in KINDS:
            raise ProblemError(f"continue_points: there are no curves of {kind!r}; kinds are {', '.join(KINDS)}")
    low, high = (float(v) for v in span)
    if not low <= value_of(problem, symbol) <= high:
        raise ProblemError(
            f"continue_points: {also} = {value_of(problem, symbol):g} is outside the span {low:g} to {high:g}"
        )
    chosen = [p for p in (branches.points if points is None else points) if p.kind in kinds]
    spans = (branches.span, (low, high))
    curves, notes = [], []
    for point in chosen:
        follow = _transcritical if point.kind == "transcritical" else _critical
        try:
            curve = follow(branches, point, also, spans, max_step, max_points, curves)
        except ProblemError as error:
            notes.append(str(error))
            continue
        if curve is not None:
            curves.append(curve)
    return Curves(problem, (branches.parameter, also), spans, tuple(curves), tuple(notes))


def _limits(branches, variables, scale, spans, most_step, max_points):
    from .walk import Limits

    sides = []
    for s, size in zip(variables, scale, strict=True):
        if s.name == branches.parameter:
            sides.append(spans[0])
        elif s not in branches.problem.model.states:
            sides.append(spans[1])
        else:
            sides.append(bounds_of(s, branches.box, size))
    low, high = (np.array(side, dtype=float) / scale for side in zip(*sides, strict=True))
    steps = (min(0.01, most_step / 4), 1e-9, float(most_step))
    return Limits(low, high, tuple(s.name for s in variables), steps, int(max_points))


def _start(branches, point, also):
    return point.values | {
        branches.parameter: point.value,
        also: value_of(branches.problem, moved_symbols(branches.problem, (also,))[0]),
    }


def _critical(branches, point, also, spans, max_step, max_points, known):
    """A curve of folds or Hopf points."""
    from .curve_walk import walk_critical

    kind = machine.FOLD if point.kind == "fold" else machine.HOPF
    equations = equations_of(branches.problem, (branches.parameter, also), [point.values])
    start = _start(branches, point, also)
    own = np.array([start[s.name] for s in equations.written.variables])
    if any(c.kind == point.kind and c.passes(own) for c in known):
        return None
    limits = _limits(branches, equations.written.variables, equations.scale, spans, max_step, max_points)
    return walk_critical(kind, equations, own, limits)


def _transcritical(branches, point, also, spans, max_step, max_points, known):
    """A curve on which a state that is absent changes from going to coming, with that state left out."""
    from .face_walk import walk_face

    model = branches.problem.model
    first, second = moved_symbols(branches.problem, (branches.parameter, also))
    start = _start(branches, point, also)
    state, growth = _comes_in(branches.problem, point, start)
    equations = equations_of(branches.problem, (first.name, second.name), [point.values])
    if equations.written.recovered:
        raise ProblemError(
            f"the transcritical at {first.name} = {point.value:g} was not followed: totals are conserved"
        )
    others = [s for s in model.states if s != state]
    rates = [(s, sp.sympify(model.equations[s]).subs(state, 0)) for s in others] + [(second, growth)]
    written = write(tuple(rates), (), (first,), equations.written.given)
    place = {s: i for i, s in enumerate(equations.written.variables)}
    scale = np.array([equations.scale[place[s]] for s in written.variables])
    face = Equations(branches.problem, (first.name,), written, equations.numbers, scale)
    own = np.array([start[s.name] for s in equations.written.variables])
    if any(c.kind == "transcritical" and c.passes(own) for c in known):
        return None
    limits = _limits(branches, written.variables, scale, spans, max_step, max_points)
    return walk_face(face, equations, state, [start[s.name] for s in written.variables], limits)


def _comes_in(problem, point, start):
    """The absent state whose growth rate is zero at a point, and that rate."""
    model = problem.model
    values = {s: problem.parameters[s.name] for s in model.parameters} | {
        s: problem.inputs()[s.name] for s in model.inputs
    }
    values |= {s: start[s.name] for s in (*model.parameters, *model.inputs) if s.name in start}
    values |= {s: point.values[s.name] for s in model.states}
    absent = {s: 0 for s in model.states if point.values[s.name] == 0}
    most = CRITICAL * max(np.abs(point.eigenvalues), default=np.inf)
    rates = []
    for s in absent:
        rate = sp.sympify(model.equations[s])
        if sp.simplify(rate.subs(absent)) == 0:  # what comes from other absent clones, as by mutation, is absent too
            growth = sp.diff(rate, s).subs(s, 0)
            rates.append((abs(float(growth.subs(values))), s, growth))
    size, state, growth = min(rates, key=lambda r: r[0], default=(np.inf, None, None))
    if not size <= most:
        raise ProblemError(f"the {point.kind} at {point.value:g} was not followed: no state is absent there")
    return state, growth
