"""Which compiled method a problem gets when none is named: explicit where it is found non-stiff.

Two looks. Before the run: the Jacobian's largest eigenvalue at the start, at every level that the inputs take. An
explicit method needs about one step for each three of its time constants, so a span of few of them is no danger.
During the run: `guards.py` counts steps at the edge of stability, and the caller goes on with an implicit method.
"""

import numpy as np

from ..schedule import make_schedule

__all__ = ["IMPLICIT", "choose_method", "explicit_suits"]

IMPLICIT = "Rodas5P"  # at every tolerance: Rodas3 saves nothing at 1e-3, and there 3 times as many members are wrong
FEW = 500.0  # time constants in the span: fewer explicit steps for stability than either method needs for accuracy
LARGEST = 60  # states; above, eigenvalues cost more than they save


def choose_method(problem, carried=False) -> str:
    """Name of the compiled method for a problem.

    Parameters
    ----------
    problem : Problem
    carried : bool
        Whether sensitivities are wanted: they need the implicit methods' factors.

    Returns
    -------
    str

    Examples
    --------
    >>> from remission.models import paracrine_loop, sensitive_resistant
    >>> from remission.solvers import Problem
    >>> [choose_method(Problem(model())) for model in (sensitive_resistant, paracrine_loop)]
    ['Tsit5', 'Rodas5P']
    """
    return "Tsit5" if not carried and explicit_suits(problem) else IMPLICIT


def explicit_suits(problem) -> bool:
    """Whether the fastest rate at the start, under any level of the inputs, is slow enough for an explicit method."""
    system, p = problem.system, problem.p
    if system.n > LARGEST:
        return False
    first, last = problem.t_span
    with np.errstate(all="ignore"):
        for levels in _levels(problem):
            jacobian = np.asarray(system.jac(first, system.y0(p), p, levels), dtype=float)
            if not np.all(np.isfinite(jacobian)):
                return False
            if np.abs(np.linalg.eigvals(jacobian)).max(initial=0.0) * (last - first) > FEW:
                return False
    return True


def _levels(problem):
    """Inputs at rest, and all at the highest and the lowest level of the treatment."""
    schedule = make_schedule(problem, False)
    found = [[float(value)] for value in schedule.defaults]
    for window in schedule.windows:
        if not window.into_state:
            found[window.row].append(window.level)
    for rule in schedule.rules:
        for mode in rule.levels:
            for row, level in zip(rule.rows, mode, strict=True):
                found[row].append(level)
    return {tuple(pick(levels) for levels in found) for pick in (lambda x: x[0], min, max)}
