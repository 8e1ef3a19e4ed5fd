"""Schedules of many members at once, for a treatment whose amounts, levels or times are varied.

Members whose doses and switches come in the same order share a plan: what happens, to which row, and which expression
of the treatment is its amount. Amounts and times of all of them are then read off the expressions' values, so that no
problem is built and no schedule is sorted a member.
"""

import functools
from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError
from remission.models.operations import ARRAY

from ..schedule import MOST_MOMENTS
from .itinerary import CLOSE, Changes, _populations, itinerary, kernel_tolerances, resolved, second_time

__all__ = ["Group", "groups_of", "member_atols", "member_tolerances", "start_values"]

ENOUGH = 4  # members with the same times, from which lanes that share a step cost less than one member after another


@dataclass(frozen=True, eq=False)
class Group:
    """Members that one call of a kernel can take; m members, C changes, N extended states.

    Attributes
    ----------
    members : (m,) int array
    changes : Changes
        Of the first member: what is common is read from it.
    start : (m, N) array
    kept, amount : (C,) or (m, C) array
    own_times : (m, C) array or None
        Times of the changes where each member has its own.
    """

    members: np.ndarray
    changes: Changes
    start: np.ndarray
    kept: np.ndarray
    amount: np.ndarray
    own_times: np.ndarray | None = None


def groups_of(problem, names, p):
    """Groups of members, and the refusals of those whose treatment cannot be.

    Parameters
    ----------
    problem : Problem
        Without rules.
    names : sequence of str
        What is varied.
    p : (n_members, n_p) array

    Returns
    -------
    list of Group, dict of int -> str
    """
    treated = {s.name for s in problem.treatment.parameters()}
    if set(names) & treated:
        return _treated(problem, p)
    changes = itinerary(problem)
    start = np.tile(changes.start, (len(p), 1))
    start[:, : problem.system.n] = start_values(problem.system, p)
    return [Group(np.arange(len(p)), changes, start, changes.kept, changes.amount)], {}


def start_values(system, p) -> np.ndarray:
    """Initial values of many members, (n_members, n)."""
    return _expressions(system)(p)[: system.n].T


@functools.lru_cache(maxsize=64)
def _expressions(system):
    """Initial values and expressions of the treatment, in the order of `system.settings`, over members."""
    from remission.models.expressions import function_source

    model, initial, listed = system.settings.source
    given = dict(initial)
    expressions = [given.get(s.name, s.info.initial) for s in model.states]
    expressions += [e for e in listed if e is not None and e.is_finite is not False]
    space = {**ARRAY, "nan": np.nan}
    exec(function_source("values", expressions, ((), system.parameter_symbols, ())), space)

    def values(p):
        with np.errstate(all="ignore"):
            found = space["values"](0.0, (), list(p.T), ())
        return np.array([np.broadcast_to(np.asarray(v, dtype=float), len(p)) for v in found])

    return values


def member_atols(problem, start) -> np.ndarray:
    """Absolute tolerance of each state of each member, (n_members, n): `Problem.tolerances` over members.

    Parameters
    ----------
    problem : Problem
    start : (n_members, n) array
        Initial values.
    """
    given = problem.atol
    if given is not None and not hasattr(given, "items"):
        return np.full(start.shape, float(given))
    infos, size = [s.info for s in problem.model.states], np.abs(np.nan_to_num(start))
    cells = np.full(len(start), 1e-3)
    for i, info in enumerate(infos):
        if info.cells_per_unit:
            counted = problem.rtol * size[:, i] * info.cells_per_unit
            cells = np.where(size[:, i] > 0, np.minimum(cells, counted), cells)
    given = {getattr(k, "name", k): v for k, v in (given or {}).items()}
    table = np.empty(start.shape)
    for i, (name, info) in enumerate(zip(problem.system.states, infos, strict=True)):
        own = np.where(size[:, i] > 0, size[:, i], 1.0)
        unit = cells / info.cells_per_unit if info.cells_per_unit else problem.rtol * (info.scale or own)
        table[:, i] = given.get(name, unit)
    return table


def member_tolerances(problem, start, tight=False) -> np.ndarray:
    """Each member's row of tolerances for a kernel, (n_members, 1 + 2 n): see `kernel_tolerances`.

    Parameters
    ----------
    problem : Problem
    start : (n_members, n) array
    tight : bool
    """
    nowhere = np.zeros(problem.system.n)  # which leaves tolerances as they are; the members' own starts lower them
    rtol, absolute, lowest, _ = kernel_tolerances(problem, tight=tight, start=nowhere)
    shared, n = problem.tolerances()[1], problem.system.n
    table = np.tile(np.concatenate([[rtol], absolute, lowest]), (len(start), 1))
    own = member_atols(problem, start) / shared
    table[:, 1 : 1 + n] *= own
    positive, clones, floor, _ = _populations(problem.model)
    if tight:
        table[:, 1 : 1 + n] = second_time(clones, table[:, 1 : 1 + n], start)
    elif problem.atol is not None:
        table[:, 1 : 1 + n] = resolved(clones, table[:, 1 : 1 + n], problem.rtol, start)
    lowest = np.minimum(-10 * table[:, 1 : 1 + n], floor)
    table[:, 1 + len(absolute) : 1 + len(absolute) + n] = np.where(positive, lowest, -np.inf)
    return table


# --- a treatment that is varied ---------------------------------------------------------------------------------------


def _treated(problem, p):
    values = _expressions(problem.system)(p)
    refused = {}
    for member in np.flatnonzero(~np.isfinite(values[problem.system.n :]).all(axis=0)):
        refused[int(member)] = f"{problem.model.name}: a time, level or amount of the treatment is not finite"
    sound = np.array([m for m in range(len(p)) if m not in refused], dtype=int)
    groups = []
    if sound.size:
        times, order = _moments(problem, values[:, sound])
        _, first, which = np.unique(order, axis=1, return_index=True, return_inverse=True)
        for number, example in enumerate(first):
            inside = np.flatnonzero(which.ravel() == number)
            members = sound[inside]
            try:
                plan = itinerary(_Example(problem, p[sound[example]], values[:, sound[example]]), range(len(values)))
            except ProblemError:
                groups += _singly(problem, p, members, values, refused)
                continue
            for part in _alike(times[:, inside]):
                groups.append(_group(problem, plan, members[part], values[:, members[part]], times[:, inside[part]]))
    return groups, refused


def _alike(times):
    """Positions of members with the same times, where they fill a lane group; those of all others in one."""
    _, which, count = np.unique(times, axis=1, return_inverse=True, return_counts=True)
    which = which.ravel()
    large = np.flatnonzero(count >= ENOUGH)
    parts = [np.flatnonzero(which == number) for number in large]
    rest = np.flatnonzero(~np.isin(which, large))
    return [*parts, rest] if rest.size else parts


def _singly(problem, p, members, values, refused):
    """Each member's own refusal, where their common example was refused."""
    found = []
    for member in members:
        try:
            plan = itinerary(_Example(problem, p[member], values[:, member]), range(len(values)))
        except ProblemError as own:
            refused[int(member)] = str(own)
            continue
        one = np.array([member])
        found.append(_group(problem, plan, one, values[:, one], plan.times[:, None]))
    return found


def _group(problem, plan, members, values, times):
    """Numbers of all members from the plan of one: every entry is a sum of values of expressions."""
    times = _snapped(times[: plan.n].T, CLOSE * max(map(abs, problem.t_span)))
    same = (times == times[0]).all()
    start = _sums(plan.start, plan.start_gradient, values)
    kept, amount = (
        _sums(base, by, values) for base, by in ((plan.kept, plan.kept_gradient), (plan.amount, plan.amount_gradient))
    )
    none = np.zeros((len(plan.start), 0))
    few = np.zeros((plan.n, 0))
    plain = Changes(plan.start, times[0], plan.rows, plan.kept, plan.amount, plan.infused, none, few, few, few)
    return Group(members, plain, start, kept, amount, None if same else times)


def _sums(base, gradient, values):
    """(members, rows): sums of the expressions that a row takes; what takes none is the same for all."""
    table = np.tile(base[:, None], (1, values.shape[1]))
    single = (gradient != 0).sum(axis=1) == 1
    single &= gradient.sum(axis=1) == 1
    table[single] = values[np.argmax(gradient[single], axis=1)] if single.any() else 0.0
    for row in np.flatnonzero(gradient.any(axis=1) & ~single):
        table[row] = sum(gradient[row, e] * values[e] for e in np.flatnonzero(gradient[row]))
    return np.ascontiguousarray(table.T)


def _snapped(times, width):
    """Closer moments are one instant, as in `itinerary`."""
    times = np.array(times)
    for i in range(1, times.shape[1]):
        close = times[:, i] <= times[:, i - 1] + width
        times[:, i] = np.where(close, times[:, i - 1], times[:, i])
    return times


class _Example:
    """A member as `itinerary` wants a problem, with expressions of the treatment in the place of parameters."""

    _kept = None  # nothing of it is worth keeping

    def __init__(self, problem, p, values):
        self.model, self.treatment, self.t_span = problem.model, problem.treatment, problem.t_span
        self.p, self.system = list(p), self
        self.states, self.inputs = problem.system.states, problem.system.inputs
        self.settings, self.index, self.n_parameters = self, problem.system.settings.index, len(values)
        self.all = values

    def values(self, p):
        return self.all

    def gradients(self, p):
        return np.eye(len(self.all))

    def y0(self, p):
        return self.all[: len(self.states)]

    def dy0dp(self, p):
        return np.eye(len(self.all))[: len(self.states)]


# --- when things happen -----------------------------------------------------------------------------------------------


def _moments(problem, values):
    """When things happen to each member, sorted, and what members share that share a plan: two (rows, members) arrays.

    What does not happen to a member has time infinity. The sums are those of `schedule.py`, over members. The second
    array is the order of the moments, and for every window whether it is there at all and whether it is in order.
    """
    index, (begin, stop) = problem.system.settings.index, problem.t_span

    def look(expression):
        return values[index[expression]] if expression in index else np.full(values.shape[1], float(expression))

    doses, edges, shared = [], [], []
    for jump in problem.treatment.jumps:
        time = look(jump.time)
        for offset, comes in _repeated(jump, time, look, stop, shared):
            at = time + offset
            doses.append(np.where(comes & (begin <= at) & (at <= stop), at, np.inf))
    for window in problem.treatment.windows:
        start, end = look(window.start), look(window.end)
        shared.append(end >= start)
        for offset, comes in _repeated(window, start, look, stop, shared):
            a, b = start + offset, end + offset
            there = comes & ~((b <= begin) | (a >= stop) | (a == b))
            edges.append(np.where(there & (a >= begin), a, np.inf))
            edges.append(np.where(there & (b <= stop), b, np.inf))
            shared.append(there)
    times = np.array([*doses, *edges]).reshape(-1, values.shape[1])
    order = np.argsort(times, axis=0, kind="stable")
    times = np.take_along_axis(times, order, axis=0)
    order[np.isinf(times)] = -1
    return times, np.vstack([order, np.array(shared, dtype=int).reshape(-1, values.shape[1])])


def _repeated(thing, first, look, stop, shared):
    """(offset, whether it comes) of each repetition, counted as in `schedule.py`; refused periods are marked."""
    if thing.period is None or not np.isfinite(first).all():
        return [(np.zeros(len(first)), np.ones(len(first), dtype=bool))]
    period = look(thing.period)
    with np.errstate(all="ignore"):
        count = np.maximum(0, np.floor((stop - first) / period) + 1)
    sound = (period > 0) & (count <= MOST_MOMENTS)
    shared.append(sound)
    count = np.where(sound, count if thing.repeats is None else np.minimum(count, thing.repeats), 0)
    return [(k * period, k < count) for k in range(int(count.max(initial=0)))]
