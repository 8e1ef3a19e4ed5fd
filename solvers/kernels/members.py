"""One call of a kernel for many members of one problem: arrays in, outputs and a status each out.

Members that fail in a lane group are run again alone, so that a bad member costs its neighbours steps and never a
result; members marked *regrown* are run again with relative accuracy (see `guards.py`), those that an explicit method
finds *stiff* with an implicit one.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from .itinerary import DERIVATIVES
from .record import DONE, REGROWN, STATUS, STIFF, Record

__all__ = ["Job", "Outcome", "explain", "run_job"]

GROUP_STEPS, MEMBER_STEPS = 20_000, 200_000
CHUNK = 64  # members a task: groups of lanes never straddle two tasks
SMALLEST = 1e-22  # of the span: a step this small is no progress even at time 0


@dataclass(frozen=True, eq=False)
class Job:
    """Numbers of one call; M members, N the extended state, `changes` with kept and amount (C,) or (M, C).

    `tight()` are tolerances for members that regrew, `implicit()` is the kernel for those that turn out stiff. `own`,
    where each member has times of its own: change times (M, C + 1) and output times (M, n_times + 1). `sizes` are
    1 / the sizes of the carried parameters where the error test looks at them.
    """

    kernel: object
    lanes: int
    parameters: np.ndarray
    start: np.ndarray
    changes: object
    kept: np.ndarray
    amount: np.ndarray
    times: np.ndarray
    wanted: np.ndarray
    span: tuple
    tolerances: tuple
    tight: object = None
    largest: float = np.inf
    implicit: object = None
    own: tuple | None = None
    sizes: np.ndarray | None = None

    def chosen(self, rows, **changes):
        """The same job for some members, with changes."""

        def part(table):
            return table if table.ndim == 1 else table[rows]

        slopes = {name: getattr(self.changes, name) for name in DERIVATIVES}
        slopes = {name: table[rows] for name, table in slopes.items() if table.ndim == 3}
        return replace(
            self, parameters=self.parameters[rows], start=self.start[rows], kept=part(self.kept),
            amount=part(self.amount), own=self.own and tuple(table[rows] for table in self.own),
            changes=replace(self.changes, **slopes), **changes,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Outcome:
    """Outputs (M, n_times, n_wanted), status (M,), place of the end (M, 1 + n), gradients (M, n_times, n_wanted, k).

    `again` (M,) marks members that were solved a second time.
    """

    values: np.ndarray
    status: np.ndarray
    reached: np.ndarray
    gradients: np.ndarray | None
    tried: int
    kept: int
    again: np.ndarray


def run_job(job, threads=1) -> Outcome:
    """Run all members; `threads` share them, each without the interpreter's lock."""
    call = _Call(job)
    members = len(job.parameters)
    edges = list(range(0, members, CHUNK)) if threads > 1 else [0]
    tasks = list(zip(edges, [*edges[1:], members], strict=True))
    budget = GROUP_STEPS if job.lanes > 1 else MEMBER_STEPS
    if threads > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda task: call.run(*task, budget), tasks))
    else:
        call.run(0, members, budget)
    again = np.zeros(members, dtype=bool)
    if job.lanes > 1:
        for member in np.flatnonzero(~np.isin(call.status, (DONE, REGROWN, STIFF))):
            call.run(int(member), int(member) + 1, MEMBER_STEPS)
            again[member] = True
    tried, kept, _ = map(int, call.counters)
    found = Outcome(call.values, call.status, call.reached, call.gradients, tried, kept, again)
    if job.implicit:
        found = _again(job, found, np.flatnonzero(~np.isin(found.status, (DONE, REGROWN))), threads)
    regrown = np.flatnonzero(found.status == REGROWN)
    if regrown.size and job.tight:
        found = _again(job, found, regrown, threads, tolerances=job.tight(), tight=None)
    return found


def _again(job, found, rows, threads, **changes):
    """The outcome with some members run again, in another way."""
    if not rows.size:
        return found
    if job.implicit:
        changes |= {"kernel": job.implicit(), "implicit": None}
    again = run_job(job.chosen(rows, **changes), threads)
    found.values[rows], found.status[rows], found.reached[rows] = again.values, again.status, again.reached
    found.again[rows] = True
    if job.changes.start_gradient.shape[-1]:
        found.gradients[rows] = again.gradients
    return replace(found, tried=found.tried + again.tried, kept=found.kept + again.kept)


class _Call:
    """Arrays of a job, and the kernel called on a range of its members."""

    def __init__(self, job):
        members, n = len(job.parameters), len(job.tolerances[1])
        changes, n_times, n_wanted = job.changes, len(job.times), len(job.wanted)
        first, last = job.span
        smallest = SMALLEST * (last - first)
        self.job, k = job, changes.start_gradient.shape[-1]
        self.values = np.empty((members, n_times, n_wanted))
        self.status = np.full(members, -1, dtype=np.int64)
        self.reached = np.empty((members, 1 + n))
        self.counters = np.zeros(3, dtype=np.int64)
        self.gradients = np.empty((members, n_times, n_wanted, k)) if k else None
        self.arrays = {
            "parameters": np.ascontiguousarray(job.parameters, dtype=float),
            "start": np.ascontiguousarray(job.start, dtype=float),
            "change_times": np.append(changes.times, np.inf),
            "change_rows": changes.rows,
            "change_kept": np.ascontiguousarray(job.kept),
            "change_amount": np.ascontiguousarray(job.amount),
            "change_stride": 0 if job.kept.ndim == 1 else changes.n,
            "times": np.append(job.times, np.inf),
            "n_times": n_times,
            "wanted": job.wanted,
            "n_wanted": n_wanted,
            "span": np.array([first, last, smallest, job.largest]),
            "tolerances": np.concatenate([[job.tolerances[0]], *job.tolerances[1:3]]),
            "values": self.values,
            "status": self.status,
            "reached": self.reached,
        }
        self.own = job.own and tuple(np.ascontiguousarray(table) for table in job.own)
        if k:
            self.arrays |= gradient_arrays(changes) | {"gradients": self.gradients}
            self.arrays["sizes"] = np.ones(k) if job.sizes is None else job.sizes

    def run(self, first, last, budget):
        """Members first..last-1; every call has its own counters, so that threads share nothing."""
        counters = np.zeros(3, dtype=np.int64)
        record = Record(**self.arrays, most_steps=budget, counters=counters, step=np.zeros(1))
        if self.job.own is None:
            self.job.kernel.run(record.address, first, last)
        else:
            for member in range(first, last):
                for name, table in zip(("change_times", "times"), self.own, strict=True):
                    record.point(name, table[member])
                self.job.kernel.run(record.address, member, member + 1)
        self.counters += counters


def gradient_arrays(changes) -> dict:
    """The derivatives of start and changes as a kernel takes them."""
    whole = {name: np.ascontiguousarray(getattr(changes, name)) for name in DERIVATIVES}
    return whole | {"shifts": changes.shift.any(axis=-1).astype(np.int64)}


def explain(problem, status, reached) -> str:
    """The reason behind a status, with the state, its value and the time; empty for a run that is done."""
    code = STATUS[int(status)] if 0 <= status < len(STATUS) else "not run"
    if code == "done":
        return ""
    names, t, y = problem.system.states, reached[0], reached[1 : 1 + problem.system.n]
    bad = np.flatnonzero(~np.isfinite(y))
    row = int(bad[0]) if bad.size else int(np.argmax(np.abs(y)))
    place = f"{names[row]} = {y[row]:.6g} at t = {t:g}"
    return {
        "not finite": f"{place}: the next values are not finite numbers; does the solution blow up?",
        "negative": f"a population falls below zero after {place}; try a smaller atol or method='Radau'",
        "step too small": f"the step became too small to go on after {place}; try method='Radau'",
        "too many steps": f"more steps than allowed before t = {t:g} ({place}); try a larger rtol or method='BDF'",
        "stiff": f"the problem is stiff from {place} on, too stiff for an explicit method; try method='Rodas5P'",
        "regrown": f"a population regrew from below the smallest number that is resolved ({place})",
        "not run": "the member was not run",
    }[code]
