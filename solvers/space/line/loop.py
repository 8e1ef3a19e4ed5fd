"""solve on a line with the compiled scheme: it runs from one moment of the schedule to the next and logs its steps."""

import numpy as np

from ...kernels.drive import CompiledLoop, StepLog
from ...kernels.record import DONE, NOT_FINITE, TOO_MANY, TOO_SMALL
from ...kernels.tables import METHODS
from ...moving import MOST_STEPS, Stop
from . import rosenbrock
from .plan import make_plan

__all__ = ["LineLoop"]

STATUS = {
    rosenbrock.DONE: DONE, rosenbrock.FULL: -1, rosenbrock.STUCK: TOO_SMALL, rosenbrock.NOT_FINITE: NOT_FINITE,
}  # fmt: skip
REASONS = {
    TOO_SMALL: ("failed", "the step became too small to go on"),
    NOT_FINITE: ("not finite", "the next values are not finite numbers; does the solution blow up?"),
    TOO_MANY: ("too many steps", f"more than {MOST_STEPS} steps; try a larger rtol"),
}
FIRST = 1e-6  # of the span: the first step that is tried
ROOM = 1 << 24  # numbers that a log holds before it is handed over


class LineLoop(CompiledLoop):
    """The loop of `kernels.drive` over steps on a line of cells."""

    def __init__(self, moving, method="Rodas5P", max_step=np.inf):
        self.moving, self.name, self.max_step, self.tight = moving, method, max_step, True
        self.segments, self.evaluations = [], 0
        self.table, self.plan = METHODS[method], make_plan(moving.spatial)
        self.rows = 2 + len(self.table.dense)
        self.coefficients_of = _method(self.table)

    def run(self, t, z, stop, step, capacity):
        """Steps from t towards `stop`, as many as the log holds: (StepLog, status, time and state reached)."""
        moving, plan, n = self.moving, self.plan, self.moving.n
        inputs = moving.inputs()[0].tolist()
        infusion = np.zeros(n)
        for window in moving.active.values():
            if window.into_state:
                infusion[window.row] += window.level
        y = z.reshape(-1, n).T.copy(order="C")
        room = int(max(1, min(capacity, ROOM // (self.rows * y.size))))
        ts, rows = np.empty(room + 1), np.empty((room, self.rows, y.shape[1], n))
        h = step[0] or min(FIRST * (moving.problem.t_span[1] - moving.problem.t_span[0]), stop - t)
        tapes, field = plan.tables(inputs), (*plan.field, infusion)
        places = rosenbrock.prepare(y, t, tapes, plan.plans, field)
        status, t, h, steps, rejected = rosenbrock.march(
            y, t, stop, h, (0.1 * moving.rtol, 0.1 * moving.atol, int(plan.clock)), self.coefficients_of,
            tapes, plan.plans, field, places, ts, rows, self.max_step, MOST_STEPS, plan.shape,
        )  # fmt: skip
        step[0] = h
        self.evaluations += (steps + rejected) * self.table.stages
        log = StepLog(ts[: steps + 1].copy(), rows[:steps].reshape(steps, self.rows, -1))
        status = STATUS[status] if moving.steps + steps <= MOST_STEPS else TOO_MANY
        return log, DONE if status == -1 else status, np.append(t, y.T.ravel())

    def fail(self, status, reached):
        word, reason = REASONS[status]
        moving = self.moving
        raise Stop(word, f"{moving.largest(reached[1:])} at t = {reached[0]:g}: {reason}")


def _method(table):
    """Coefficients as full arrays: (a, c, dense, gamma, order, points, slants).

    With a = alpha / Gamma and c = 1 / gamma - 1 / Gamma, the sums of the rows of alpha and Gamma are the times of the
    stages and their parts of the derivative by time.
    """
    a, c = np.zeros((table.stages, table.stages)), np.zeros((table.stages, table.stages))
    for square, rows in ((a, table.a), (c, table.c)):
        for i, row in enumerate(rows):
            square[i, : len(row)] = row
    slants = np.linalg.solve(np.eye(table.stages) / table.gamma - c, np.ones(table.stages))
    return a, c, np.array(table.dense), table.gamma, float(table.order), a @ slants, slants
