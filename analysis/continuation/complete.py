"""check_complete: do branches hold every steady state at chosen values of the parameter?"""

from dataclasses import replace

import numpy as np

from remission.models.errors import ProblemError, refuse_unknown_keywords

from ..steady_states import steady_states
from .branches import described, follow_crossing, limits_of
from .equations import equations_of
from .result import Branches

__all__ = ["check_complete"]


@refuse_unknown_keywords
def check_complete(branches, values=None, *, box=None, max_step=0.1, max_points=3000):
    """Compare branches with all steady states at some values of the parameter, and follow what was missed.

    Parameters
    ----------
    branches : Branches
    values : sequence of float, optional
        Of the parameter; five spread over the span if not given.
    box : dict, optional
        Where `steady_states` looks; the declared bounds if not given.
    max_step, max_points : float, int
        Of the branches that are added.

    Returns
    -------
    Branches
        The same branches and those added; `notes` says what was found at each value.

    Raises
    ------
    ProblemError
        If a value is outside the span, or no box is known.

    Notes
    -----
    As sure as `steady_states` is at these values; between them an isolated curve may still hide.

    Examples
    --------
    >>> from remission.analysis import check_complete, continue_branches
    >>> from remission.models import paracrine_loop
    >>> from remission.solvers import Problem
    >>> problem = Problem(paracrine_loop()).at_constant(e=0.2)
    >>> one = continue_branches(problem, "e", (0.0, 1.2), start={"T": 654.9, "F": 0.2, "X": 140, "M": 1, "P": 2},
    ...                         switch=False)
    >>> checked = check_complete(one, [0.6])
    >>> len(one), len(checked), checked.notes
    (1, 2, ('e = 0.6: 3 steady states, 1 branch was missed and followed',))
    """
    if not isinstance(branches, Branches) or not len(branches):
        raise ProblemError(
            "check_complete: the first argument is what continue_branches returns, with one branch or more"
        )
    low, high = branches.span
    values = low + (high - low) * np.array([0.1, 0.3, 0.5, 0.7, 0.9]) if values is None else values
    values = [float(v) for v in np.atleast_1d(values)]
    for value in values:
        if not low <= value <= high:
            raise ProblemError(
                f"check_complete: {branches.parameter} = {value:g} is outside the span {low:g} to {high:g}"
            )
    return _checked(branches, values, box, max_step, max_points)


@np.errstate(all="ignore")
def _checked(branches, values, box, max_step, max_points):
    from .walk import Steps, Walk, lies_on, walk

    problem, over = branches.problem, branches.parameter
    rested = [[s for s in steady_states(_at(problem, over, value), box) if not s.family] for value in values]
    states = problem.system.states
    points = [dict(zip(states, row.tolist(), strict=True)) for b in branches for row in b.states]
    equations = equations_of(problem, (over,), points + [s.values for found in rested for s in found])
    own = [s.name for s in equations.written.variables]
    walks = [Walk(np.column_stack([b[name] for name in own]) / equations.scale, None, None) for b in branches]
    steps, known, notes = Steps(equations), len(walks), []
    limits = limits_of(equations, branches.span, branches.box, max_step, max_points)
    for value, found in zip(values, rested, strict=True):
        missed = 0
        for state in found:
            z = np.array([*(state.values[name] for name in own[:-1]), value]) / equations.scale
            w = steps.on_plane(z, equations.n, z[-1])
            if w is None or any(lies_on(one, w, steps) for one in walks):
                continue
            one = walk(equations, w, np.append(np.zeros(equations.n), 1.0), limits, steps=steps)
            missed += one is not None
            walks += [one] if one is not None else []
        words = "1 branch was" if missed == 1 else f"{missed} branches were"
        said = f"{words} missed and followed" if missed else "all on the branches"
        notes.append(f"{over} = {value:g}: {len(found)} steady states, {said}")
    follow_crossing(equations, walks, limits, steps, notes, first=known)
    added = described(equations, walks[known:])
    return replace(branches, branches=(*branches.branches, *added), notes=(*branches.notes, *notes))


def _at(problem, over, value):
    if any(s.name == over for s in problem.model.inputs):
        return problem.at_constant(**(problem.inputs() | {over: value}))
    return problem.replace(parameters={over: value})
