"""A branch of cycles walked from a Hopf point: steps, adaptive mesh, multipliers, folds located, ends."""

from dataclasses import dataclass, field, replace

import numpy as np

from .collocation import Cycle
from .located import crossing_between, crossings, fold_between
from .multipliers import multipliers_of

__all__ = ["Walked", "first_cycle", "walk_cycles"]

FIRST, LEAST = 0.02, 1e-7
COSINE = 0.9  # of the angle between tangents that a step may turn
ADAPT = 2  # steps between two meshes
MOST_INTERVALS = 480
ACCURATE, LAVISH = 1e-6, 1e-10  # errors of the trivial multiplier above and below which the mesh is refined, coarsened
UNBOUNDED = "the period grows without bound (the orbit meets a steady state)"
LOST = 1e-3  # error above which nothing is told of multipliers
LOWEST = -600.0  # of a logarithm


@dataclass(frozen=True, eq=False)
class Options:
    """How a branch is walked.

    Attributes
    ----------
    low, high : float
        Of the parameter, in its scale.
    intervals : int
        At the start.
    grow : bool
        Whether the mesh may be doubled.
    max_step : float
    most : int
        Orbits.
    longest : float
        Period at which the branch ends.
    """

    low: float
    high: float
    intervals: int
    grow: bool
    max_step: float
    most: int
    longest: float


@dataclass(eq=False)
class Walked:
    """Orbits of a branch with their multipliers; what was found between them.

    Attributes
    ----------
    cycles : list of Cycle
    multipliers : list of (n,) complex arrays
    errors : list of float
    found : list of (kind, position, Cycle or None)
    end : str
    """

    cycles: list = field(default_factory=list)
    multipliers: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    found: list = field(default_factory=list)
    end: str = ""

    def add(self, cycle, told=None):
        values, error = told or multipliers_of(cycle.steps)
        self.cycles.append(cycle)
        self.multipliers.append(values)
        self.errors.append(error)


def first_cycle(solver, point, parameter, intervals) -> Cycle:
    """The degenerate cycle at a Hopf point; its tangent is the eigenvector turning.

    Parameters
    ----------
    solver : Solver
    point : (n,) array
        States of the Hopf point in their own units.
    parameter : float
        In its scale.
    intervals : int
    """
    from . import machine

    n = solver.n
    z = solver.mine(point)
    f, J = np.empty(n), np.empty((n, n + 1))
    machine.rates_at(z, parameter, solver.system, solver.logs, f, J, np.empty(n))
    values, vectors = np.linalg.eig(J[:, :n])
    i = min((i for i in range(n) if values[i].imag > 0), key=lambda i: abs(values[i].real))
    angle = 2j * np.pi * np.arange(intervals * solver.m + 1)[:, None] / (intervals * solver.m)
    V = (np.exp(angle) * vectors[:, i]).real
    V[-1] = V[0]
    period = 2 * np.pi / values[i].imag
    steps = np.tile(np.eye(n), (intervals, 1, 1))
    ends = np.array([np.log(period), parameter])
    mesh = np.linspace(0, 1, intervals + 1)
    return Cycle(np.tile(z, (len(V), 1)), ends, mesh, V, np.zeros(2), steps)


def walk_cycles(solver, start, options) -> Walked:
    """Walk from a degenerate cycle.

    Parameters
    ----------
    solver : Solver
    start : Cycle
        Of `first_cycle`.
    options : Options

    Returns
    -------
    Walked
        Without the degenerate cycle.
    """
    walked = Walked()
    cycle, length = _born(solver, start)
    if cycle is None:
        walked.end = "no cycle was found at the Hopf point"
        return walked
    walked.add(cycle)
    since = 0
    while not walked.end:
        if len(walked.cycles) >= options.most:
            walked.end = f"{options.most} orbits"
            break
        cycle, since = _meshed(solver, walked, options, since)
        ahead, length = _ahead(solver, cycle, length, options)
        if ahead is None:
            walked.end = "no further orbit was found"
            break
        _accept(solver, walked, cycle, ahead, length, options)
        if ahead.taken <= 4:
            length = min(1.5 * length, options.max_step)
    return walked


def _born(solver, start):
    """The first small cycle: on a plane across the eigenvector, at a small length along it."""
    for length in (FIRST, FIRST / 5, FIRST / 50):
        size, end_size = solver.sizes(start.U, start.ends)
        V, _ = solver.unit(start, size, end_size)
        along = solver.along(V, start.h, size)
        turning = Cycle(V, start.ends, start.mesh, V, start.direction, start.steps)
        rows = np.stack([solver.phase(turning.U), along])
        here = np.sum(along * solver.pieces(start.U))
        # the state about which the cycle turns moves too: its plane is across the turning part alone
        target = np.array([np.sum(rows[0] * solver.pieces(start.U)), here + length])
        cycle = solver.correct(start.U + length * V, start.ends, start.mesh, rows, np.zeros((2, 2)), target)
        if cycle is not None and np.sum(along * solver.pieces(cycle.V)) > 0:
            return cycle, length
    return None, 0.0


def _meshed(solver, walked, options, since):
    """The last cycle, on a new mesh where it is time for one."""
    cycle, count = walked.cycles[-1], len(walked.cycles[-1].mesh) - 1
    wanted = count
    if options.grow and walked.errors[-1] > ACCURATE and count < MOST_INTERVALS:
        wanted = min(int(1.5 * count), MOST_INTERVALS)
    if options.grow and walked.errors[-1] < LAVISH and since + 1 >= ADAPT:
        wanted = max(int(0.8 * count), options.intervals)
    if wanted == count and since + 1 < ADAPT:
        return cycle, since + 1
    moved = solver.moved(cycle, solver.equidistributed(cycle, wanted))
    settled = solver.at_parameter(moved, moved.ends[1]) if wanted != count else None
    if settled is not None:  # the orbit itself is better known on the finer mesh
        told = multipliers_of(settled.steps)
        if told[1] < walked.errors[-1]:
            settled = replace(settled, V=moved.V, direction=moved.direction, bend=moved.bend)
            walked.cycles[-1], walked.multipliers[-1], walked.errors[-1] = settled, *told
            moved = settled
    return moved, 0


def _ahead(solver, cycle, length, options):
    while length > LEAST:
        ahead = solver.step(cycle, length)
        if ahead is not None and ahead.cosine > COSINE:
            return ahead, length
        length /= 2
    return None, length


def _accept(solver, walked, cycle, ahead, length, options):
    """Take an orbit, unless the branch has ended before it; note what lies between."""
    one, two = cycle.U - np.mean(cycle.U, axis=0), ahead.U - np.mean(ahead.U, axis=0)
    if np.sum(one * two) < 0:  # through amplitude zero, and back along the same cycles half a period later
        walked.end = "Hopf point"
        return
    low, high = options.low, options.high
    limit = low if ahead.ends[1] < low else high if ahead.ends[1] > high else None
    if limit is not None:
        last = solver.at_parameter(_between(cycle, ahead, limit), limit)
        if last is not None:
            walked.add(_headed(last, ahead))
        walked.end = "limit of the parameter"
        return
    told = multipliers_of(ahead.steps)
    place = len(walked.cycles) - 1
    fold = cycle.direction[1] * ahead.direction[1] < 0
    sure = max(told[1], walked.errors[-1]) < LOST
    if fold and sure and len(walked.cycles) > 1:
        walked.found.append(("fold", place, fold_between(solver, cycle, length)))
    for kind in crossings(walked.multipliers[-1], told[0], fold) if sure else ():
        walked.found.append((kind, place, crossing_between(solver, cycle, length, kind)))
    walked.add(ahead, told)
    if ahead.ends[0] > np.log(options.longest):
        walked.end = UNBOUNDED
    if np.any(ahead.U[:, solver.logs] < LOWEST):
        walked.end = "a state comes too near to zero"
    if min(told[1], walked.errors[-2]) > LOST and (len(ahead.h) == MOST_INTERVALS or not options.grow):
        walked.end = _lost(walked)


def _lost(walked):
    """Drop the orbits that the mesh does not resolve, and say what they run into."""
    keep = next(i for i in range(len(walked.errors), 0, -1) if i == 1 or walked.errors[i - 1] <= LOST)
    for rows in (walked.cycles, walked.multipliers, walked.errors):
        del rows[keep:]
    ends = np.array([c.ends for c in walked.cycles[-4:]])
    if len(ends) == 4 and np.ptp(ends[:, 0]) > 0.1 and np.ptp(ends[:, 1]) < 1e-4 * np.max(np.abs(ends[:, 1])):
        return UNBOUNDED
    return "the mesh no longer resolves the orbit"


def _headed(cycle, ahead):
    """With the tangent's sign of a neighbour: a row of fixed parameter orients by the parameter alone."""
    sign = 1.0 if cycle.direction[1] * ahead.direction[1] >= 0 else -1.0
    return Cycle(cycle.U, cycle.ends, cycle.mesh, sign * cycle.V, sign * cycle.direction, cycle.steps, cycle.taken)


def _between(cycle, ahead, value):
    part = (value - cycle.ends[1]) / (ahead.ends[1] - cycle.ends[1])
    mix = lambda a, b: a + part * (b - a)  # noqa: E731
    return Cycle(mix(cycle.U, ahead.U), mix(cycle.ends, ahead.ends), ahead.mesh, ahead.V, ahead.direction, ahead.steps)
