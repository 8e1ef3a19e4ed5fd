"""A problem's schedule as changes of the extended state (states, inputs, infusion rates), ready for a kernel.

Every dose, change of dose level and start or end of an infusion is one row "x[row] becomes kept * x[row] + amount" at a
time, in the order in which `Moving` goes through them. Rules are not here: they depend on the states (`drive.py`).
"""

import functools
from dataclasses import dataclass, replace

import numpy as np

from ..schedule import DOSE, make_schedule
from .build import model_is_saved

__all__ = [
    "DERIVATIVES",
    "Changes",
    "has_clock",
    "itinerary",
    "kernel_tolerances",
    "model_width",
    "resolved",
    "second_time",
    "seeds",
]

DERIVATIVES = ("start_gradient", "shift", "kept_gradient", "amount_gradient")  # what may be given a member each
CLOSE = 1e-13  # of the largest time: closer moments are one instant, as in `Moving`
CLOSER = 0.1  # of the tolerances that were asked
TIGHTER = 1e-14  # how much more of a clone is resolved than was asked, unless a tolerance was given


@dataclass(frozen=True, eq=False)
class Changes:
    """Where a member starts and what happens to it; k carried parameters.

    Attributes
    ----------
    start : (N,) array
        Extended state before anything of the first instant happens.
    times, rows, kept, amount : (changes,) arrays
    infused : tuple of int
        States that infusions run into, in the order of their rows.
    start_gradient : (N, k) array
    shift, kept_gradient, amount_gradient : (changes, k) arrays
        Derivatives of time, kept part and amount. Those of several members have the member first.
    """

    start: np.ndarray
    times: np.ndarray
    rows: np.ndarray
    kept: np.ndarray
    amount: np.ndarray
    infused: tuple
    start_gradient: np.ndarray
    shift: np.ndarray
    kept_gradient: np.ndarray
    amount_gradient: np.ndarray

    @property
    def n(self):
        return len(self.times)


@functools.lru_cache(maxsize=256)
def has_clock(model) -> bool:
    """Whether a model names `t`; its kernel then carries one more state."""
    if model_is_saved(model):
        return model.clock
    from remission.models.symbols import t as time_symbol

    return any(time_symbol in e.free_symbols for e in (*model.equations.values(), *model.observables.values()))


def model_width(model) -> int:
    """States of the kernel: those of the model and the clock, if it needs one."""
    return len(model.states) + has_clock(model)


def itinerary(problem, columns=()) -> Changes:
    """Changes of a problem; derivatives by the parameters at `columns` of its `p`.

    Parameters
    ----------
    problem : Problem
        Without rules.
    columns : sequence of int

    Returns
    -------
    Changes
    """
    kept, key = problem._kept, ("changes", tuple(columns))
    changes = kept.get(key) if kept is not None else None
    if changes is None:
        changes = _all_changes(problem, list(columns))
        if kept is not None:
            kept[key] = changes
    n = model_width(problem.model)
    y, gradient = _start(problem, list(columns), n)
    start = np.concatenate([y, changes.start[n:]])
    return replace(changes, start=start, start_gradient=np.concatenate([gradient, changes.start_gradient[n:]]))


def _all_changes(problem, columns):
    """Changes of a problem; of its start only what the treatment decides."""
    schedule = make_schedule(problem, bool(columns))
    n, n_u, begin = model_width(problem.model), len(problem.model.inputs), problem.t_span[0]
    infused = tuple(sorted({w.row for w in schedule.windows if w.into_state}))
    active = {id(w): w for w in schedule.windows if w.start < begin}

    def row_of(window):
        return n + n_u + infused.index(window.row) if window.into_state else n + window.row

    def level(row):
        """Level of a row now and its derivatives: everything that is open adds."""
        value = schedule.defaults[row - n] if row < n + n_u else 0.0
        gradient = np.zeros(len(columns))
        for window in active.values():
            if row_of(window) == row:
                value += window.level
                gradient += window.level_gradient[columns]
        return value, gradient

    later = [level(row) for row in range(n, n + n_u + len(infused))]
    start = np.concatenate([np.zeros(n), [value for value, _ in later]])
    start_gradient = np.vstack([np.zeros((n, len(columns))), *(gradient for _, gradient in later)])
    rows = []
    for moment in schedule.moments:
        if moment.order == DOSE:
            dose = moment.what
            row = (dose.row, dose.kept, dose.amount, dose.kept_gradient[columns], dose.amount_gradient[columns])
        else:
            window, opens = moment.what
            if opens:
                active[id(window)] = window
            else:
                active.pop(id(window), None)
            value, gradient = level(row_of(window))
            row = (row_of(window), 0.0, value, np.zeros(len(columns)), gradient)
        rows.append((moment.time, *row, moment.time_gradient[columns]))
    return _changes(start, start_gradient, rows, infused, CLOSE * max(map(abs, problem.t_span)))


def seeds(problem, changes, columns) -> tuple:
    """Rows of the extended state that each carried parameter enters by initial values and changes; None for any row.

    Parameters
    ----------
    problem : Problem
    changes : Changes
    columns : sequence of int

    Returns
    -------
    tuple of (tuple of int or None), or None
        None for a problem from a file: its kernel was written for any numbers.
    """
    if model_is_saved(problem.model):
        return None if columns else ()
    kept, key = problem._kept, ("seeds", tuple(columns))
    if kept is None:
        return _seeds(problem, changes, columns)
    if key not in kept:
        kept[key] = _seeds(problem, changes, columns)
    return kept[key]


def _seeds(problem, changes, columns):
    settings, n = problem.system.settings, problem.system.n
    start = [divmod(int(place), settings.n_parameters) for place in settings.gradient_at]

    def entered(table, j):
        return np.atleast_2d(table[..., j]).any(axis=0)  # by any member

    def rows_of(j, column):
        if changes.shift[..., j].any():
            return None
        rows = {row for row, parameter in start if row < n and parameter == column}
        rows |= {int(row) for row in np.flatnonzero(entered(changes.start_gradient, j)) if row >= n}
        for table in (changes.kept_gradient, changes.amount_gradient):
            rows |= {int(row) for row in changes.rows[entered(table, j)]}
        return tuple(sorted(rows))

    return tuple(rows_of(j, column) for j, column in enumerate(columns))


def _start(problem, columns, n):
    y, system = problem.system.y0(problem.p), problem.system
    gradient = system.dy0dp(problem.p)[:, columns] if columns else np.zeros((len(y), 0))
    if n > len(y):  # the clock
        y, gradient = np.append(y, problem.t_span[0]), np.vstack([gradient, np.zeros(len(columns))])
    return y, gradient


def _changes(start, start_gradient, rows, infused, width):
    k = start_gradient.shape[1]
    if not rows:
        none, wide = np.zeros(0), np.zeros((0, k))
        return Changes(start, none, np.zeros(0, dtype=np.int64), none, none, infused, start_gradient, wide, wide, wide)
    times, places, kept, amount, kept_gradient, amount_gradient, shift = zip(*rows, strict=True)
    times = list(times)
    for i in range(1, len(times)):
        if times[i] <= times[i - 1] + width:
            times[i] = times[i - 1]
    return Changes(
        start, np.array(times), np.array(places, dtype=np.int64), np.array(kept, dtype=float),
        np.array(amount, dtype=float), infused, start_gradient, np.array(shift).reshape(len(times), k),
        np.array(kept_gradient).reshape(len(times), k), np.array(amount_gradient).reshape(len(times), k),
    )  # fmt: skip


def kernel_tolerances(problem, rtol=None, atol=None, tight=False, start=None):
    """Relative tolerance, and for each state of the kernel: absolute tolerance, lowest value, whether it is guarded.

    The kernels work to a tenth of the tolerances that were asked: what they commit in a step is multiplied by the
    problem's own conditioning. Measured on 10,000 members with every parameter log-normal (sigma 1), ten-fold doses:
    64 beyond ten times the tolerance without this, none with it.

    Where no absolute tolerance is given for a tumour state it is resolved far below one cell, because a clone that
    regrows from the tolerance's noise is wrong without a sign; `tight` does so whatever was given. A given one is
    lowered where a clone starts from less.

    Parameters
    ----------
    problem : Problem
    rtol, atol : optional
    tight : bool
    start : (n,) array, optional
        Initial values; those of the problem if not given.

    Returns
    -------
    (float, (n,) array, (n,) array, tuple of int)
    """
    rtol, absolute = problem.tolerances(rtol, atol)
    given = problem.atol if atol is None else atol
    positive, clones, floor, guarded = _populations(problem.model)
    own, start = _named(problem, given), problem.system.y0(problem.p) if start is None else start
    absolute = np.where(own, absolute, absolute * CLOSER)
    if tight:
        absolute = second_time(clones, absolute, start)
    else:
        absolute = np.where(clones & ~own, absolute * TIGHTER, absolute)
        if given is not None:
            absolute = resolved(clones, absolute, rtol, start)
    lowest = np.where(positive, np.minimum(-10 * absolute, floor), -np.inf)
    if has_clock(problem.model):
        absolute, lowest = np.append(absolute, 1.0), np.append(lowest, -np.inf)
    return max(rtol * CLOSER, min(rtol, 1e-12), 3e-14), absolute, lowest, guarded


def resolved(clones, absolute, rtol, start):
    """Absolute tolerances under which clones are seen at the size from which they start.

    Parameters
    ----------
    clones : (n,) bool array
    absolute, start : (..., n) array
    rtol : float

    Returns
    -------
    (..., n) array
    """
    size = 1e-2 * rtol * np.abs(start)
    return np.where(clones & (size > 0), np.minimum(absolute, size), absolute)


def second_time(clones, absolute, start):
    """Absolute tolerances of the second run: clones by relative accuracy alone, as far as doubles go.

    A clone that is founded from nothing has no size to be relative to at first; a hundred of them in a row would ask
    for steps of nothing.

    Parameters
    ----------
    clones : (n,) bool array
    absolute, start : (..., n) array

    Returns
    -------
    (..., n) array
    """
    return np.where(clones, np.where(start == 0, 1e-100, 1e-200), absolute)


def _named(problem, given):
    """Which states have an absolute tolerance that the user gave."""
    if not hasattr(given, "items"):
        return np.full(problem.system.n, given is not None)
    named = {str(getattr(key, "name", key)) for key in given}
    return np.array([name in named for name in problem.system.states])


@functools.lru_cache(maxsize=256)
def _populations(model):
    """Masks of populations and of clones, how far below zero is nothing, and the rows of clones."""
    infos = [s.info for s in model.states]
    positive = np.array([bool(i.positive) for i in infos])
    clones = positive & [i.kind == "tumour" for i in infos]
    floor = [-1e-2 / i.cells_per_unit if i.cells_per_unit and i.kind != "tumour" else 0.0 for i in infos]
    return positive, clones, np.array(floor), tuple(np.flatnonzero(clones).tolist())
