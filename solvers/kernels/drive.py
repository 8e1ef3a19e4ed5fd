"""solve with a compiled method: the kernel runs from one moment of the schedule to the next and logs its steps.

`integrate.run` moves a `Moving` through doses, levels, visits and rules as it does for SciPy's methods; here only a
stretch without a jump is integrated. The kernel may run past a state event: its log is searched afterwards, all steps
at once, and the step with the first crossing is taken again up to the crossing.
"""

from dataclasses import dataclass

import numpy as np

from ..events import PROBES, fired, first_crossing, may_rise
from ..moving import MOST_STEPS, Stop
from ..rules import watches
from .build import Options, kernel
from .itinerary import has_clock, itinerary, kernel_tolerances, model_width, seeds
from .jit import host_lanes
from .members import SMALLEST, explain
from .record import DONE, REGROWN, STATUS, Record
from .single import carried_columns, inverse_sizes
from .tables import METHODS

__all__ = ["CompiledLoop", "Regrown", "StepLog"]

WATCHED, UNWATCHED = 32, 256  # rows of a log: with a rule, most of a long log would be thrown away


class Regrown(Exception):
    """A clone grew from below its tolerance: the problem has to be solved again with tight ones."""


@dataclass(frozen=True, eq=False)
class StepLog:
    """Dense output of several steps: `log(t)` is z at times t, of shape (n_z, ...) with the shape of t last.

    Parameters
    ----------
    ts : (steps + 1,) array
        Ends of the steps, under SciPy's name.
    rows : (steps, m, n_z) array
        Coefficient vectors of each step: start, end, and shapes between.
    """

    ts: np.ndarray
    rows: np.ndarray

    def __call__(self, t):
        t = np.asarray(t, dtype=float)
        at = np.clip(np.searchsorted(self.ts, t, side="left") - 1, 0, len(self.rows) - 1)
        theta = (t - self.ts[at]) / (self.ts[at + 1] - self.ts[at])
        bump, weights = theta * (1 - theta), [1 - theta, theta]
        for _ in range(self.rows.shape[1] - 2):
            weights.append(bump)
            bump = bump * theta
        return sum(w[..., None] * self.rows[at, r] for r, w in enumerate(weights)).T

    def step(self, number) -> "StepLog":
        """One step of it."""
        return StepLog(self.ts[number : number + 2], self.rows[number : number + 1])

    def until(self, number) -> "StepLog":
        """The steps before one."""
        return StepLog(self.ts[: number + 1], self.rows[:number])

    def then(self, other) -> "StepLog":
        """This log and the one that goes on from it."""
        if not len(self.rows):
            return other
        return StepLog(np.concatenate([self.ts, other.ts[1:]]), np.concatenate([self.rows, other.rows]))


class CompiledLoop:
    """Stands in for the loop over a SciPy solver in `integrate`: the same `segment`, `segments`, `evaluations`."""

    def __init__(self, moving, method, rtol=None, atol=None, max_step=np.inf, controlled=False, tight=False):
        self.moving, self.max_step, self.name, self.tight = moving, max_step, method, tight
        self.segments, self.evaluations = [], 0
        problem = moving.problem
        *self.tolerances, guarded = kernel_tolerances(problem, rtol, atol, tight)
        self.infused = tuple(sorted({w.row for w in moving.schedule.windows if w.into_state}))
        columns = carried_columns(problem, moving.columns)
        steered, entered = bool(moving.k) and self.steers(), self.seeds() if moving.k else ()
        options = Options(
            method, 1, self.infused, guarded, columns, steered, max(4, host_lanes()), entered, controlled
        )  # fmt: skip
        self.code, self.table = kernel(problem.model, options), METHODS[method]
        self.n, self.clock = model_width(problem.model), has_clock(problem.model)
        self.rows = 2 + len(self.table.dense)

    def steers(self):
        """Whether a level of an input depends on a carried parameter."""
        schedule, columns = self.moving.schedule, self.moving.columns
        gradients = [w.level_gradient for w in schedule.windows if not w.into_state]
        gradients += [g for r in schedule.rules for mode in r.level_gradients for g in mode]
        return any(g[columns].any() for g in gradients)

    def seeds(self):
        """Rows that each carried parameter enters; a rule's switch may move any."""
        moving = self.moving
        if moving.schedule.rules:
            return None
        return seeds(moving.problem, itinerary(moving.problem, moving.columns), moving.columns)

    def segment(self, stop):
        """Integrate to `stop` or to the first state event; return the watches that fired."""
        from ..integrate import Segment

        moving = self.moving
        watched, start, begin = watches(moving), moving.t, moving.z()
        log, found = StepLog(np.array([start]), np.zeros((0, self.rows, len(begin)))), None
        crossed = []
        inputs, gradients = moving.inputs()
        try:
            step = np.zeros(1)
            while found is None and moving.t < stop:
                before = moving.z()
                more, status, reached = self.run(moving.t, before, stop, step, WATCHED if watched else UNWATCHED)
                found = self.search(watched, more) if watched and len(more.rows) else None
                if found is not None:
                    number, watch, time = found
                    start_of = (more.ts[number], more.rows[number, 0] if number else before)
                    more, place = self.land(more, before, number, watch, time)
                    crossed = fired(watched, watch, start_of, place)
                    moving.take(*place)
                elif len(more.rows):
                    sound = moving.sound(more)
                    if len(sound.rows) < len(more.rows):
                        more, status = sound, DONE  # what is wrong at its end is said by moving.check()
                    moving.take(more.ts[-1], more.rows[-1, 1])
                log = log.then(more)
                moving.steps += max(len(more.rows) - 1, 0)
                if found is None and status != DONE:
                    self.fail(status, reached)
                moving.check()
        finally:
            if len(log.rows):
                self.segments.append(
                    Segment(start, moving.t, begin, moving.z(), log, inputs, gradients if moving.k else None)
                )
        return crossed

    def fail(self, status, reached):
        if status == REGROWN and not self.tight:
            raise Regrown
        word = STATUS[status]
        word = word if word in ("not finite", "negative", "too many steps", "stiff", "regrown") else "failed"
        raise Stop(word, explain(self.moving.problem, status, reached))

    # --- the kernel ---------------------------------------------------------------------------------------------------

    def run(self, t, z, stop, step, capacity):
        """Steps from t towards `stop`, as many as the log holds: (StepLog, status, time and state reached)."""
        moving, n = self.moving, self.n
        length = 2 + self.rows * n * (1 + moving.k)
        log, reached, status = np.empty((capacity, length)), np.empty((1, 1 + n)), np.full(1, -1, dtype=np.int64)
        counters, none = np.zeros(3, dtype=np.int64), np.zeros(0)
        wholes = np.zeros(0, dtype=np.int64)
        record = Record(
            parameters=np.array(moving.system.model_part(moving.p), dtype=float), start=self.extended(t, z),
            change_times=np.array([np.inf]), change_rows=wholes, change_kept=none, change_amount=none,
            times=np.array([np.inf]), wanted=wholes, values=none,
            span=np.array([t, stop, SMALLEST * (moving.problem.t_span[1] - moving.problem.t_span[0]), self.max_step]),
            tolerances=np.concatenate([[self.tolerances[0]], *self.tolerances[1:]]), most_steps=MOST_STEPS,
            status=status, reached=reached, counters=counters, step=step, log=log, log_capacity=capacity,
            start_gradient=self.extended_gradient(z), shift=none, shifts=wholes, kept_gradient=none,
            amount_gradient=none, gradients=none, sizes=inverse_sizes(moving.problem, moving.columns),
        )  # fmt: skip
        self.code.run(record.address, 0, 1)
        self.evaluations += int(counters[0]) * self.table.stages
        kept = log[: counters[2]]
        times = np.concatenate([[t], kept[:, 1]])
        return StepLog(times, self.coefficients(kept)), int(status[0]), reached[0]

    def extended(self, t, z):
        """States, clock, inputs and infusion rates now."""
        moving, flowing = self.moving, np.zeros(len(self.infused))
        for window in moving.active.values():
            if window.into_state:
                flowing[self.infused.index(window.row)] += window.level
        return np.concatenate([z[: moving.n], [t] * self.clock, moving.inputs()[0], flowing])

    def extended_gradient(self, z):
        moving = self.moving
        table = np.zeros((self.n + len(moving.system.inputs) + len(self.infused), moving.k))
        if moving.k:
            table[: moving.n] = z[moving.n :].reshape(moving.k, moving.n).T
            table[self.n : self.n + len(moving.system.inputs)] = moving.inputs()[1]
            for window in moving.active.values():
                if window.into_state:
                    at = self.n + len(moving.system.inputs) + self.infused.index(window.row)
                    table[at] += window.level_gradient[moving.columns]
        return table

    def coefficients(self, log):
        """Rows of a log as (steps, m, n_z): states, then the sensitivities parameter by parameter."""
        steps, n, m, model_n, k = len(log), self.n, self.rows, self.moving.n, self.moving.k
        states = log[:, 2 : 2 + m * n].reshape(steps, m, n)[:, :, :model_n]
        if not k:
            return states.copy()
        carried = log[:, 2 + m * n :].reshape(steps, m, k, n)[..., :model_n]
        return np.concatenate([states, carried.reshape(steps, m, k * model_n)], axis=2)

    # --- state events -------------------------------------------------------------------------------------------------

    def search(self, watched, log):
        """(number of the step, watch, time) of the first crossing in a log, or None."""
        times = log.ts[:-1, None] + np.diff(log.ts)[:, None] * np.linspace(0, 1, PROBES)
        times[:, -1] = log.ts[1:]
        theta = np.linspace(0, 1, PROBES)
        weights = np.array([1 - theta, theta, *(theta ** (r + 1) * (1 - theta) for r in range(self.rows - 2))])
        states = np.einsum("rp,srz->zsp", weights, log.rows).reshape(log.rows.shape[2], -1)
        crossed = np.zeros(len(log.rows), dtype=bool)
        for watch in watched:
            values = watch.value(times.ravel(), states).reshape(times.shape)
            crossed |= may_rise(values)[0]
        for number in np.flatnonzero(crossed):
            ends = [(log.ts[number + side], log.rows[number, side]) for side in (0, 1)]
            found = first_crossing(watched, log.step(number), *ends)
            if found is not None:
                return number, found[1], found[0]
        return None

    def land(self, log, before, number, watch, time):
        """The log up to a crossing, and time and state there, as accurate as a step itself."""
        moving = self.moving
        start, z = (log.ts[number], log.rows[number, 0]) if number else (log.ts[0], before)
        if time <= start:
            return log.until(number), (time, z)
        last, _, _ = self.run(start, z, time, np.array([time - start]), UNWATCHED)
        z = last.rows[-1, 1]
        rate = np.asarray(moving.flow().fun(time, z))
        miss = float(watch.value(np.array([time]), z[:, None])[0])
        speed = watch.gradient(time, z)[0] @ rate[: moving.n]
        most = 0.1 * (time - start)
        shift = float(np.clip(-miss / speed if speed > 0 else 0.0, -most, most))
        return log.until(number).then(last), (time + shift, z + shift * rate)
