"""What a run kept: the smallest value of each state, and the drift of amounts that nothing should change."""

from types import SimpleNamespace

import numpy as np

__all__ = ["amount_drift", "kept_totals", "lowest_values"]


def amount_drift(solution) -> dict:
    """Largest change of each amount that is kept, over all steps, relative to the amount at the start.

    Parameters
    ----------
    solution : Solution

    Returns
    -------
    dict of str -> float
        Total -> drift; empty where nothing is kept.
    """
    problem = solution.problem
    totals = kept_totals(problem)
    if not totals or not solution.trace.segments:
        return {}
    weights = np.array([[float(total.coeff(s)) for s in problem.model.states] for total in totals])
    volumes = np.asarray(problem.grid.volumes, dtype=float).ravel()
    start = _amounts(solution.trace.z_initial[None], volumes, problem.system.n)[0]
    size = np.abs(weights) @ _amounts(np.abs(solution.trace.z_initial)[None], volumes, problem.system.n)[0]
    most = np.zeros(len(totals))
    for steps in _steps(solution):
        amounts = _amounts(steps, volumes, problem.system.n)
        most = np.maximum(most, np.abs((amounts - start) @ weights.T).max(axis=0))
    return {
        str(total): float(change / scale if scale > 0 else change)
        for total, change, scale in zip(totals, most, size, strict=True)
    }


def kept_totals(problem) -> tuple:
    """Weighted sums of states that reactions, walls and treatment leave as they are.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    tuple of sympy.Expr
        Parameters that are zero, and inputs that are never given, count as the zero that they are.

    Examples
    --------
    >>> from remission.models import paracrine_invasion
    >>> from remission.solvers import Grid, Problem
    >>> kept_totals(Problem(paracrine_invasion(), parameters={"dM": 0}, grid=Grid(9, 1.0)))
    (M,)
    """
    from remission.models.derive import conserved_totals

    model, grid = problem.model, problem.grid
    if not all(isinstance(wall, str) for wall in grid.walls.values()) or problem.extinction_gate:
        return ()
    given, touched = _given(problem)
    absent = {s: 0 for s in model.inputs if s.name not in given and s.info.default == 0}
    numbers = problem.parameters
    absent |= {s: 0 for s in model.parameters if s.name not in grid.maps and numbers[s.name] == 0}
    equations = {s: rate.subs(absent) for s, rate in model.equations.items()}
    found = conserved_totals(SimpleNamespace(states=model.states, equations=equations))
    return tuple(total for total in found if not touched & {s.name for s in total.free_symbols})


def lowest_values(solution) -> dict:
    """Smallest value of each state over all steps and cells.

    Parameters
    ----------
    solution : Solution

    Returns
    -------
    dict of str -> float
    """
    n = solution.problem.system.n
    low = _cells(solution.trace.z_initial[None], n).min(axis=(0, 1))
    if solution.trace.lowest is not None:
        low = np.fmin(low, solution.trace.lowest)
    for steps in _steps(solution):
        low = np.fmin(low, _cells(steps, n).min(axis=(0, 1)))
    return dict(zip(solution.problem.system.states, low.tolist(), strict=True))


def _given(problem):
    """Names of inputs that are given, and of states that something is added to or taken from."""
    from ..schedule import DOSE, make_schedule

    schedule, system = make_schedule(problem, False), problem.system
    inputs = {system.inputs[w.row] for w in schedule.windows if not w.into_state}
    inputs |= {system.inputs[row] for rule in schedule.rules for row in rule.rows}
    touched = {system.states[w.row] for w in schedule.windows if w.into_state}
    touched |= {system.states[m.what.row] for m in schedule.moments if m.order == DOSE}
    return inputs, touched


def _steps(solution):
    """States at the ends of the steps, (k, N n), some at a time; of a rectangle at the output times."""
    width = solution.problem.system.n * solution.problem.grid.size
    for segment in solution.trace.segments:
        yield segment.z_start[None, :width]
        dense = segment.dense
        if hasattr(dense, "rows"):
            yield dense.rows[:, 1, :width]
        elif hasattr(dense, "values"):  # of a rectangle, which keeps its output times only
            for field in dense.values:
                yield field.T.ravel()[None]
        else:
            for time in np.asarray(dense.ts)[1:-1]:
                yield dense(time)[None, :width]
        yield segment.z_end[None, :width]


def _cells(z, n):
    """(k, N n, ...) as (k, N, n)."""
    return z.reshape(len(z), -1, n)


def _amounts(z, volumes, n):
    return np.einsum("c,kcs->ks", volumes, _cells(z[:, : len(volumes) * n], n))
