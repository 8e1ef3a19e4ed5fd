"""What ranges of parameters need: the problem at a value, a box for all values, proved steady states at one."""

from functools import lru_cache

import numpy as np
import sympy as sp

from remission.models.errors import ProblemError

from ..given import box_sides
from . import answer, events, reduce

__all__ = []  # of use inside the package only


def with_value(problem, of, value):
    """The problem with a parameter or input at a value."""
    if of in problem.inputs():
        return problem.at_constant(**problem.inputs() | {of: value})
    return problem.replace(parameters={of: value})


def box_over(problem, over, given=None) -> dict:
    """Box of states for all values in ranges of parameters: given, declared and invariant bounds, widened a little.

    Parameters
    ----------
    problem : Problem
    over : dict of str -> (low, high)
    given : dict, optional
        State or its name -> (low, high), which hold instead.

    Returns
    -------
    dict of str -> (low, high)
    """
    names = problem.system.states
    given = box_sides(given, names, problem.model.name)
    hulls = {name: [given[name]] if name in given else [] for name in names}
    if len(given) < len(names):
        corners = [problem]
        for name, ends in over.items():
            corners = [with_value(p, name, end) for p in corners for end in ends]
        inputs = {n: (level, level) for n, level in problem.inputs().items()} | {
            n: over[n] for n in over if n in problem.inputs()
        }
        for at in corners if any(n not in inputs for n in over) else corners[:1]:
            _declared(at, hulls, given)
            _invariant(at, inputs, hulls, given)
    found = {}
    for name in names:
        if not hulls[name]:
            raise ProblemError(
                f"{problem.model.name}: {name} has no bounds, and no box is found that solutions stay in; "
                f"say where to look: box={{{name!r}: (low, high)}}"
            )
        low, high = min(h[0] for h in hulls[name]), max(h[1] for h in hulls[name])
        slack = 0.0 if name in given else events.SLACK * (high - low)
        found[name] = (low - slack if low != 0 else 0.0, high + slack)
    return found


def _declared(problem, hulls, given):
    values = {s: problem.parameters[s.name] for s in problem.system.parameter_symbols}
    for state in problem.model.states:
        if state.info.bounds is not None and state.name not in given:
            ends = tuple(float(sp.sympify(b).subs(values)) for b in state.info.bounds)
            if np.all(np.isfinite(ends)):
                hulls[state.name].append(ends)


def _invariant(problem, inputs, hulls, given):
    model = problem.model
    own = tuple((p.name, problem.parameters[p.name]) for p in model.parameters)
    for name, ends in _invariant_bounds(model, own, tuple(inputs.items())):
        if name not in given:
            hulls[name].append(tuple(float(e) for e in ends))


@lru_cache(maxsize=64)
def _invariant_bounds(model, parameters, inputs):
    from remission.models import invariant_box

    return tuple(invariant_box(model, dict(parameters), dict(inputs)).bounds.items())


def states_at(problem, box):
    """Steady states in a box where that is proved: (enclosure (n, 2), stability) of each; None where it is not.

    Lower sides at zero are moved below it, but for states that divide their own equation.
    """
    lowered = [box[n] for n in problem.system.states]
    lowered = {
        n: (-events.SLACK * (high - low) if low == 0 else low, high)
        for n, (low, high) in zip(problem.system.states, lowered, strict=True)
    }
    try:
        proof = answer.prove(problem, lowered, answer.parameter_intervals(problem), 10.0)
    except reduce.NotReducible:
        return None
    found = proof.found
    if not found.complete or found.undecided or any(r.family for r in found.roots):
        return None
    at = {s: i for i, s in enumerate(problem.model.states)}
    return [
        (root.enclosure, verdict)
        for root, verdict in zip(found.roots, proof.verdicts, strict=True)
        if not any(root.enclosure[at[s], 1] < 0 == box[s.name][0] for s in root.part.divided)
    ]
