"""From polynomials to values: orbits, extremes and means of states and observables, orbits at a value."""

import numpy as np

from remission.models import State
from remission.solvers.tape import make_tape, run_python

from .collocation import Cycle
from .extremes import ends_of
from .multipliers import multipliers_of
from .orbit import Orbit

__all__ = ["extremes_of", "logarithmic", "orbit_of", "orbits_at", "problem_at", "states_of"]

FINEST = 120  # intervals of a cycle that is asked for by its parameter
FINE = 3  # points between two nodes at which extremes are looked for


def problem_at(problem, parameter, value):
    """The problem with the moved parameter or input at a value."""
    if parameter in problem.parameters:
        return problem.replace(parameters={parameter: value})
    return problem.at_constant(**(problem.inputs() | {parameter: value}))


def states_of(solver, U, parameter) -> np.ndarray:
    """All states (k, N) of the model in their own units, those that totals give included."""
    equations = solver.equations
    kept = solver.own(U)
    recovered = equations.written.recovered
    if not recovered:
        return kept
    total = equations.n + len(recovered)
    found, gone = np.empty((len(U), total)), [at for at, _ in recovered]
    found[:, [i for i in range(total) if i not in gone]] = kept
    tape = make_tape([e for _, e in recovered], equations.written.variables, equations.written.given)
    values = run_python(tape, equations.numbers, [*kept.T, parameter * equations.scale[equations.n]])
    for at, column in zip(gone, values, strict=True):
        found[:, at] = column
    return found


def _finer(solver, cycle):
    """Values of the polynomials at even points between the nodes: positions (k,) in [0, 1] and U (k, n)."""
    inner = np.arange(solver.m * FINE) / (solver.m * FINE)
    pieces = solver.basis.at(inner) @ solver.pieces(cycle.U)
    positions = (cycle.mesh[:-1, None] + cycle.h[:, None] * inner).ravel()
    U = pieces.reshape(-1, solver.n)
    return np.append(positions, 1.0), np.vstack([U, U[:1]])


def _numbers(problem, parameter, value):
    """Parameters (n_p,) and inputs (n_inputs,) with the moved one at a value."""
    system = problem.system
    p = [value if name == parameter else known for name, known in zip(system.parameters, problem.p, strict=True)]
    levels = problem.inputs() | {parameter: value}
    return p, np.array([levels[name] for name in system.inputs])


def extremes_of(problem, parameter, solver, cycle) -> dict:
    """Least value, largest value and mean over the period of each state and observable.

    Parameters
    ----------
    problem : Problem
    parameter : str
    solver : Solver
    cycle : Cycle

    Returns
    -------
    dict of str -> (3,) array
    """
    system = problem.system
    p, levels = _numbers(problem, parameter, float(cycle.ends[1] * solver.equations.scale[solver.n]))
    positions, fine = _finer(solver, cycle)
    rows = states_of(solver, fine, cycle.ends[1]).T
    if system.observables:
        inputs = np.repeat(levels[:, None], len(fine), axis=1)
        rows = np.vstack([rows, np.asarray(system.observe(np.zeros(len(fine)), rows, p, inputs))])
    low, high = ends_of(positions, rows)
    means = rows[:, ::FINE] @ _weights(solver, cycle)
    return dict(zip((*system.states, *system.observables), np.column_stack([low, high, means]), strict=True))


def _weights(solver, cycle):
    """(N m + 1,) of the mean over the period."""
    parts = cycle.h[:, None] * solver.basis.mean
    weights = np.append(parts[:, :-1].ravel(), 0.0)
    weights[solver.m :: solver.m] += parts[:, -1]
    return weights


def orbit_of(problem, parameter, solver, cycle, multipliers) -> Orbit:
    """A cycle in its own units.

    Parameters
    ----------
    problem : Problem
    parameter : str
    solver : Solver
    cycle : Cycle
    multipliers : (n,) complex array
    """
    value = float(cycle.ends[1] * solver.equations.scale[solver.n])
    period = float(np.exp(cycle.ends[0]))
    states = states_of(solver, cycle.U, cycle.ends[1])
    start = dict(zip(problem.system.states, states[0].tolist(), strict=True))
    problem = problem_at(problem, parameter, value).replace(t_span=(0.0, period), initial=start)
    positions = (cycle.mesh[:-1, None] + cycle.h[:, None] * solver.basis.nodes[:-1]).ravel()
    t = period * np.append(positions, 1.0)
    error = float(np.min(np.abs(multipliers - 1)))
    levels = _numbers(problem, parameter, value)[1]
    return Orbit(
        problem, period, t, states, np.tile(levels, (len(t), 1)), np.asarray(multipliers), False, parameter, error,
        _weights(solver, cycle),
    )  # fmt: skip


def orbits_at(branch, value) -> list:
    """Cycles of a branch at a value of the parameter.

    Parameters
    ----------
    branch : CycleBranch
    value : float

    Returns
    -------
    list of Orbit
    """
    solver, cycles, found = branch.solver, branch.cycles, []
    aim = value / solver.equations.scale[solver.n]
    ends = np.array([c.ends[1] for c in cycles])
    for i in range(len(ends) - 1):
        low, high = sorted((ends[i], ends[i + 1]))
        if not (low <= aim < high or (i == len(ends) - 2 and aim == high)):
            continue
        cycle = _reached(solver, _start(solver, cycles[i], cycles[i + 1], aim), aim)
        if cycle is not None:
            cycle = _finest(solver, cycle, aim)
            found.append(orbit_of(branch.problem, branch.parameter, solver, cycle, multipliers_of(cycle.steps)[0]))
    return found


def _finest(solver, cycle, aim):
    """The same cycle on a mesh fine enough for its extremes."""
    count = len(cycle.h)
    if count >= FINEST:
        return cycle
    return solver.at_parameter(solver.moved(cycle, solver.equidistributed(cycle, FINEST)), aim) or cycle


def _start(solver, one, two, aim):
    """The nearer of two cycles; near a Hopf point the other, shrunk as the root of the distance."""
    for point, other in ((one, two), (two, one)):
        if not np.any(np.ptp(point.U, axis=0)):
            part = (aim - point.ends[1]) / (other.ends[1] - point.ends[1])
            centre = np.mean(other.U, axis=0) + (1 - part) * (point.U[0] - np.mean(other.U, axis=0))
            U = centre + np.sqrt(part) * (other.U - np.mean(other.U, axis=0))
            ends = point.ends + part * (other.ends - point.ends)
            return Cycle(U, ends, other.mesh, np.zeros_like(U), np.array([0.0, 1.0]), other.steps)
    return one if abs(one.ends[1] - aim) < abs(two.ends[1] - aim) else two


def _reached(solver, cycle, aim):
    """The cycle at a value of the parameter, in small moves where one is too large; None if it is not reached."""
    for parts in (1, 4, 16, 64):
        now = cycle
        for k in range(1, parts + 1):
            value = cycle.ends[1] + (aim - cycle.ends[1]) * k / parts
            move = (value - now.ends[1]) / now.direction[1] if now.direction[1] else 0.0
            U, ends = now.U + move * now.V, now.ends + move * now.direction
            ahead = Cycle(U, ends, now.mesh, now.V, now.direction, now.steps)
            now = solver.at_parameter(ahead, value)
            if now is None or np.max(np.ptp(now.U, axis=0)) < 0.2 * np.max(np.ptp(ahead.U, axis=0)):
                now = None  # fallen onto the steady state
                break
        if now is not None:
            return now
    return None


def logarithmic(problem, equations, point) -> np.ndarray:
    """(n,) bool: states that are declared positive and are above zero at a point (n,)."""
    states = equations.written.variables[: equations.n]
    return np.array([isinstance(s, State) and s.info.positive and x > 0 for s, x in zip(states, point, strict=True)])
