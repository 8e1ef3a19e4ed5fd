"""What keeps a run honest: the error test, populations below zero, values that are not finite, lanes that give up.

* A step is kept when the mean square of error / (atol + rtol |y|) is at most 1 in every lane that still runs. A value
  that is not finite makes that mean NaN (an infinite scale would otherwise hide an infinite state), and every test is
  written so that NaN fails it.
* A step whose linear algebra is doubtful (`linear.py`) is refused like one with too large an error.
* A step too long for a mode that grows (`linear.py`) is refused like one whose values are not finite.
* A step that takes a state below its lowest value is refused like one with too large an error.
* A tumour state that sinks to its absolute tolerance and grows again, or that would end a step below zero, grew from
  noise: the lane is marked *regrown*, and the caller solves that member again with relative accuracy. (Measured on
  2,000 members with every parameter log-normal, sigma 1: without this 14 were wrong and reported as done.)
* An explicit method that takes steps at the edge of its stability, many in a row, has met a stiff stretch: the lane is
  marked *stiff*, and the caller solves that member with an implicit method.
* A lane that fails at the smallest step leaves its group with a reason; the other lanes go on.
"""

from .record import DONE, NEGATIVE, NOT_FINITE, REGROWN, STIFF, TOO_MANY, TOO_SMALL
from .values import INTEGER, like

__all__ = ["Guards"]

BELOW = 1e12  # stands for the squared error of a state below its lowest value
DOUBTFUL = 1e9  # and for that of a step that cannot be trusted; below BELOW over the number of states
EXTINCT = 1e-90  # tolerances below it are those of the second run: what is set to zero there is gone for good
NOTHING = 1e-30  # of any unit of cells: in the second run a clone that grows again and stays below it harms nobody
NEVER_UP = -1.0  # a clone that starts from nothing is founded by a source; that it is small at first is no noise
STABLE, STIFF_STEPS, FORGET = 3.25, 15.0, 0.8  # h |lambda| of explicit steps (Hairer & Wanner II, IV.2); how many count
SUNK, GREW = 1e2, 1e3  # in absolute tolerances: was below the one, is above the other
FAR = 1e9  # growth from its least value that would take a clone of the size of the tolerance to something that counts


class Guards:
    """Error test and reasons of one lane group; `status` holds one whole number a lane."""

    def __init__(self, w, space, tolerances, guarded):
        n = space.n
        self.w, self.space, self.guarded = w, space, guarded
        self.relative = w.real(tolerances[0])
        self.absolute, self.lowest = w.array(n), w.array(n)
        with w.count(0, n) as i:
            self.absolute[i], self.lowest[i] = tolerances[1 + i], tolerances[1 + n + i]
        self.whole = like(w.vector, INTEGER)
        self.status = w.cell(w.to(self.whole, DONE))
        self.sunk, self.least, self.doubt = w.array(len(guarded)), w.array(len(guarded)), w.cell(w.real(0.0))
        self.ended_at, self.ended = w.cell(w.real(0.0)), w.array(n)
        self.stiff = w.cell(w.real(0.0))

    def begin(self, state):
        w = self.w
        self.stiff.value = w.real(0.0)
        self.status.value, self.doubt.value = w.to(self.whole, DONE), w.real(0.0)
        for g, i in self.space.rows(self.guarded):
            self.sunk[g], self.least[g] = w.where(state[i] == 0.0, w.real(NEVER_UP), 0.0), w.real(float("inf"))

    def scale(self, i, size):
        return self.absolute[i] + self.relative * size

    def error(self, step):
        """Mean square of the scaled error of each lane."""
        w = self.w

        def part(i):
            start, end = step.start[i], step.end[i]
            ratio = step.error[i] / self.scale(i, w.larger(w.absolute(start), w.absolute(end)))
            square = w.where(end < self.lowest[i], BELOW, ratio * ratio)
            return square + end * 0.0

        error = self.space.total(part) * (1.0 / self.space.n)
        error = error if step.doubtful is None else w.where(step.doubtful, w.real(DOUBTFUL), error)
        return error if step.too_long is None else w.where(step.too_long, float("inf"), error)

    def counting(self, error):
        """The errors that decide: infinite where not a number, 0 in lanes that have given up."""
        w = self.w
        return w.where(self.running(), w.where(error == error, error, float("inf")), 0.0)

    def watch_stiffness(self, step, t):
        """Count the steps of an explicit method at the edge of stability; the last two points share their time."""
        w = self.w

        def squared(vector, before):
            def part(i):
                ratio = (vector[i] - before[i]) / self.scale(i, w.absolute(step.end[i]))
                return ratio * ratio

            return self.space.total(part)

        rates = squared(step.increments[-1], step.increments[-2])
        at_edge = rates > squared(step.points[-1], step.points[-2]) * STABLE**2
        self.stiff.value = w.where(at_edge, self.stiff.value + 1.0, self.stiff.value * FORGET)
        self.take_out(self.stiff.value >= STIFF_STEPS, STIFF, t, step.end)

    def running(self):
        return self.status.value == DONE

    def nobody(self):
        return ~self.w.any_lane(self.running())

    def watch(self, end):
        """The state to keep of an accepted step; marks lanes that grow from noise."""
        w, kept = self.w, end
        for g, i in self.space.rows(self.guarded):
            value, absolute, sunk = end[i], self.absolute[i], self.sunk[g]
            sunk = w.where((value < absolute * SUNK) & (sunk != NEVER_UP), 1.0, sunk)
            high = value > w.where(absolute > EXTINCT, absolute * GREW, NOTHING)
            lost = (value < 0.0) & (absolute > EXTINCT) & (sunk != NEVER_UP)
            least = self.least[g] = w.where(value < self.least[g], value, self.least[g])
            far = (value > least * FAR) & (absolute > EXTINCT)
            doubt = w.where(((high | far) & (sunk == 1.0)) | lost, w.real(1.0), 0.0)
            self.doubt.value = w.larger(doubt, self.doubt.value)
            self.sunk[g] = w.where(high & (sunk == NEVER_UP), 0.0, sunk)
            kept[i] = w.where(value < 0.0, 0.0, value)
        return kept

    def give_up(self, error, t, state):
        """Take out the lanes that fail at the smallest step."""
        w = self.w

        def reason(code):
            return w.to(self.whole, code)

        unsound = (error != error) | (error == float("inf"))
        below = error >= BELOW / self.space.n
        code = w.where(unsound, reason(NOT_FINITE), w.where(below, reason(NEGATIVE), reason(TOO_SMALL)))
        self.take_out(~(error <= 1.0), code, t, state)

    def take_out(self, lanes, code, t, state):
        """End these lanes, if they still run, with a reason; their time and state are kept for the message."""
        w = self.w
        lanes = lanes & self.running()
        self.ended_at.value = w.where(lanes, w.real(t), self.ended_at.value)
        for i in self.space.indices():
            self.ended[i] = w.where(lanes, state[i], self.ended[i])
        self.status.value = w.where(lanes, w.to(self.whole, code), self.status.value)

    def out_of_steps(self, exhausted, t, state):
        with self.w.when(exhausted):
            self.take_out(self.running(), TOO_MANY, t, state)

    def verdict(self):
        doubtful = self.running() & (self.doubt.value > 0.0)
        return self.w.where(doubtful, self.w.to(self.whole, REGROWN), self.status.value)
