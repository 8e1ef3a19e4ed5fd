"""Steps of many members, kept: what is needed for an answer that is read off the whole course and not at given times.

A member runs through all its doses and switches in one call of the one-lane kernel, whose log is copied. `StepLogs` has
the steps of all members one after another, so that a question is asked of all of them at once.
"""

from dataclasses import dataclass

import numpy as np

from .build import Options, kernel
from .choice import IMPLICIT
from .itineraries import groups_of, member_atols, member_tolerances, start_values
from .itinerary import kernel_tolerances, model_width
from .members import MEMBER_STEPS, Job, _Call, explain
from .record import DONE, REGROWN, STATUS, Record
from .tables import METHODS

__all__ = ["StepLogs", "step_logs"]

CAPACITY = 1024  # rows of a log at first; it grows when a member has more steps


@dataclass(frozen=True, eq=False)
class StepLogs:
    """M members, S steps in all, n states, n_u inputs, m coefficient vectors a step.

    Attributes
    ----------
    member : (S,) int array
        Whose step it is; increasing.
    start, end : (S,) array
    rows : (S, m, n) array
        Coefficients as in `drive.StepLog`.
    begins : (S,) bool array
        Whether something may have jumped at the start of the step.
    inputs : (S, n_u) array
    initial, final : (M, n) array
        States before anything happens, and after everything that happens at the end.
    status : tuple of str
        A word a member; a member that is not done has no steps.
    messages : tuple of str
    again : (M,) bool array
        Members that were solved a second time, more tightly.
    p : (M, n_p) array
        Parameters, in the order of `problem.p`.
    atol : (M, n) array
        Absolute tolerances of the problem for each member.
    """

    member: np.ndarray
    start: np.ndarray
    end: np.ndarray
    rows: np.ndarray
    begins: np.ndarray
    inputs: np.ndarray
    initial: np.ndarray
    final: np.ndarray
    status: tuple
    messages: tuple
    again: np.ndarray
    p: np.ndarray
    atol: np.ndarray

    def states(self, steps, times) -> np.ndarray:
        """States (n, k) at times (k,), each within the step that stands beside it."""
        first, last = self.start[steps], self.end[steps]
        theta = np.clip((times - first) / (last - first), 0.0, 1.0)
        return np.einsum("rk,krn->nk", weights(theta, self.rows.shape[1]), self.rows[steps])

    def looks(self, theta, state) -> np.ndarray:
        """One state (S k,) at the same k fractions of all steps."""
        return (self.rows[:, :, state] @ weights(np.asarray(theta), self.rows.shape[1])).ravel()


def weights(theta, rows) -> np.ndarray:
    """Weight of each coefficient vector at fractions of a step, (rows, k)."""
    bump = theta * (1 - theta)
    return np.array([1 - theta, theta, *(bump * theta**r for r in range(rows - 2))])


def step_logs(problem, names, table) -> StepLogs:
    """Solve a problem for every row of a table and keep all steps.

    Parameters
    ----------
    problem : Problem
        Without rules and extinction gate, and one that `single.reason_not` has nothing against.
    names : sequence of str
        Parameters of the problem.
    table : (M, len(names)) array

    Returns
    -------
    StepLogs
    """
    system, members = problem.system, len(table)
    p = np.tile(np.array(problem.p, dtype=float), (members, 1))
    p[:, [system.parameters.index(name) for name in names]] = table
    groups, refused = groups_of(problem, names, p)
    found = [None] * members
    for group in groups:
        for member, one in zip(group.members, _runs(problem, p[group.members], group), strict=True):
            found[member] = one
    words, messages = [], []
    for member, one in enumerate(found):
        words.append("refused" if one is None else STATUS[one.status])
        message = refused[member] if one is None else "" if one.status == DONE else explain(
            problem, one.status, one.reached
        )  # fmt: skip
        messages.append(message)
    return _joined(problem, found, words, messages, p)


@dataclass(frozen=True, eq=False)
class _One:
    """One member: its log and what happens to it."""

    status: int
    reached: np.ndarray
    log: np.ndarray
    start: np.ndarray
    rows: np.ndarray
    times: np.ndarray
    kept: np.ndarray
    amount: np.ndarray
    again: bool


def _runs(problem, p, group):
    """One `_One` a member of a group."""
    *tolerances, guarded = kernel_tolerances(problem)
    options = Options(IMPLICIT, 1, group.changes.infused, guarded)
    job = Job(
        kernel(problem.model, options), 1, p[:, : problem.system.n_model_parameters], group.start, group.changes,
        group.kept, group.amount, np.zeros(0), np.zeros(0, dtype=np.int64), problem.t_span, tuple(tolerances),
    )  # fmt: skip
    width = model_width(problem.model)
    rows = 2 + len(METHODS[options.method].dense)
    starts = group.start[:, : problem.system.n]
    run, tight = (
        _Logger(job, 2 + rows * width, group.own_times, member_tolerances(problem, starts, tight))
        for tight in (False, True)
    )
    for member in range(len(p)):
        status, reached, log = run(member)
        again = status == REGROWN
        if again:
            status, reached, log = tight(member)
        tables = (group.changes.times if group.own_times is None else group.own_times, group.kept, group.amount)
        mine = (table if table.ndim == 1 else table[member] for table in tables)
        yield _One(status, reached, log, group.start[member], group.changes.rows, *mine, again)


class _Logger:
    """A kernel that is called for one member after another, with one record and one log."""

    def __init__(self, job, length, own_times, tolerances):
        self.call, self.length, self.tolerances = _Call(job), length, tolerances
        self.counters, self.step = np.zeros(3, dtype=np.int64), np.zeros(1)
        self.own = None if own_times is None else np.hstack([own_times, np.full((len(own_times), 1), np.inf)])
        self.grow(CAPACITY)

    def grow(self, capacity):
        self.capacity, self.log = capacity, np.empty((capacity, self.length))
        self.record = Record(
            **self.call.arrays, most_steps=MEMBER_STEPS, counters=self.counters, step=self.step, log=self.log,
            log_capacity=capacity,
        )  # fmt: skip

    def __call__(self, member):
        """(status, place reached, log) of a member."""
        self.counters[:], self.step[0] = 0, 0.0
        self.record.point("tolerances", self.tolerances[member])
        if self.own is not None:
            self.record.point("change_times", self.own[member])
        self.call.job.kernel.run(self.record.address, member, member + 1)
        steps = int(self.counters[2])
        if steps >= self.capacity:  # full: it stopped there
            self.grow(4 * self.capacity)
            return self(member)
        return int(self.call.status[member]), self.call.reached[member].copy(), self.log[:steps].copy()


# --- all members in one -----------------------------------------------------------------------------------------------


def _joined(problem, found, words, messages, p):
    n, n_u, width = problem.system.n, len(problem.system.inputs), model_width(problem.model)
    initial, final = np.full((len(found), n), np.nan), np.full((len(found), n), np.nan)
    done = [m for m, one in enumerate(found) if one is not None and one.status == DONE]
    logs, begins, inputs = [], [], []
    for m in done:
        one = found[m]
        initial[m] = one.start[:n]
        final[m] = _after(problem, one, one.log[-1, 2 + width : 2 + width + n])
        logs.append(one.log)
        begins.append(_begins(one))
        inputs.append(_levels(one, width, n_u))
    log = np.concatenate(logs) if logs else np.zeros((0, 2 + 2 * width))
    rows = log[:, 2:].reshape(len(log), (log.shape[1] - 2) // width, width)[:, :, :n]
    return StepLogs(
        np.repeat(np.array(done, dtype=int), [len(one) for one in logs]), log[:, 0].copy(), log[:, 1].copy(), rows,
        np.concatenate(begins) if logs else np.zeros(0, dtype=bool),
        np.concatenate(inputs) if logs else np.zeros((0, n_u)), initial, final, tuple(words), tuple(messages),
        np.array([one is not None and one.again for one in found], dtype=bool), p,
        member_atols(problem, start_values(problem.system, p)),
    )  # fmt: skip


def _begins(one):
    """Steps that start at a change; the kernel stops exactly there."""
    begins = np.zeros(len(one.log), dtype=bool)
    at = np.searchsorted(one.log[:, 0], one.times)
    at = at[at < len(begins)]
    begins[at] = one.log[at, 0] == one.times[: len(at)]
    begins[0] = True
    return begins


def _after(problem, one, state):
    """The last state after the doses of the last instant, which the kernel leaves out."""
    state = state.copy()
    for c in range(np.searchsorted(one.times, problem.t_span[1]), len(one.times)):
        if one.rows[c] < problem.system.n:
            state[one.rows[c]] = one.kept[c] * state[one.rows[c]] + one.amount[c]
    return state


def _levels(one, width, n_u):
    """Level of each input during each step, (steps, n_u)."""
    table = np.empty((len(one.log), n_u))
    for m in range(n_u):
        own = np.flatnonzero(one.rows == width + m)
        levels = np.append(one.start[width + m], one.amount[own])
        table[:, m] = levels[np.searchsorted(one.times[own], one.log[:, 0], side="right")]
    return table
