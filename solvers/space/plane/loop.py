"""solve on a rectangle with the compiled scheme, from one moment of the schedule to the next."""

import numpy as np

from ...events import fired, first_crossing
from ...moving import MOST_STEPS, Stop
from ...rules import watches
from . import explicit
from .explicit import REACH, Explicit, spectral_radius
from .kept import Between, Kept, default_count
from .plan import make_plan
from .step import ORDER, Stepper

__all__ = ["PlaneLoop"]

SAFETY, SHRINK, GROW = 0.9, 0.2, 5.0
FIRST = 1e-3  # of the time in which fields change by their own size: the first step that is tried
RECHECK = 25  # explicit steps after which one by sweeps is tried
POINTS = 4  # ends of steps that values between them are read from


class PlaneLoop:
    """Stands in for the loop over a SciPy solver in `integrate`: the same `segment`, `segments`, `evaluations`."""

    def __init__(self, moving, times, max_step=np.inf):
        self.moving, self.max_step = moving, max_step
        self.plan = make_plan(moving.spatial)
        first, last = moving.problem.t_span
        even = np.linspace(first, last, default_count(moving.y.size))
        self.times = even if times is None else np.asarray(times, dtype=float)
        self.segments, self.evaluations, self.rejected = [], 0, 0
        self.smooth = not any(term.carried for term in moving.spatial.written.terms)
        self.explicit, self.one, self.radius, self.since = False, None, np.inf, 0
        self.rtol, self.atol = 0.1 * moving.rtol, 0.1 * np.asarray(moving.atol)

    def segment(self, stop):
        """Integrate to `stop` or to the first state event; return the watches that fired."""
        from ...integrate import Segment

        moving = self.moving
        watched, start, begin = watches(moving), moving.t, moving.z()
        inputs, crossed = moving.inputs()[0], []
        stepper = self.stepper(inputs)
        points, kept = [(start, moving.y)], []
        h = self.first_step(stepper, stop)
        try:
            while not crossed and moving.t < stop:
                before = (moving.t, moving.y)
                t, y, h = self.advance(stepper, *before, stop, h)
                if watched:
                    found = self.search(watched, [*points, (t, y)], before)
                    if found is not None:
                        t, y = self.land(stepper, before, *found)
                        crossed = fired(watched, found[1], _flat(before), _flat((t, y)))
                points = [*points, (t, y)][-POINTS:]
                self.keep(kept, points, before[0], t)
                moving.t, moving.y = t, y
                moving.lowest = np.minimum(moving.lowest, y.min(axis=1))
                moving.check()
        finally:
            self.evaluations += stepper.evaluations
            if moving.t > start:
                dense = Kept(np.array([k[0] for k in kept]), [k[1] for k in kept], moving.y.size, (start, moving.t))
                self.segments.append(Segment(start, moving.t, begin, moving.z(), dense, inputs, None))
        return crossed

    def stepper(self, inputs):
        infusion = np.zeros(self.moving.n)
        for window in self.moving.active.values():
            if window.into_state:
                infusion[window.row] += window.level
        return Stepper(self.plan, inputs.tolist(), infusion)

    def scale(self, y):
        """Sizes of the fields."""
        return np.maximum(np.abs(y).max(axis=1), self.atol)

    def first_step(self, stepper, stop):
        moving = self.moving
        stepper.rates(moving.t, moving.y, stepper.first)
        weights = self.atol[:, None] + self.rtol * np.abs(moving.y)
        change = float(np.sqrt(np.mean((stepper.first / weights) ** 2)))
        size = float(np.sqrt(np.mean((moving.y / weights) ** 2)))
        guess = FIRST * size / change if change > 0 and size > 0 and np.isfinite(change) else np.inf
        span = moving.problem.t_span[1] - moving.problem.t_span[0]
        return min(max(guess, 1e-9 * span), 1e-2 * span, stop - moving.t)

    def advance(self, stepper, t, y, stop, h):
        """One accepted step from (t, y): (time, fields, next h)."""
        tiny = 1e-14 * max(abs(t), abs(stop))
        self.prepare(stepper, t, y, h)
        new, order = np.empty_like(y), explicit.ORDER if self.explicit else ORDER
        while True:
            h = min(h, self.max_step)
            last = t + h >= stop - tiny
            step = stop - t if last else h
            if not last and t + 2 * h > stop:
                step = 0.5 * (stop - t)
            if step < tiny + 1e-300:
                raise self.stuck(t, y)
            if self.moving.steps + self.rejected > MOST_STEPS:
                raise Stop("too many steps", f"more than {MOST_STEPS} steps before t = {t:g}; try a larger rtol")
            error = self.attempt(stepper, t, y, step, new)
            below = bool(np.any(stepper.low < np.minimum(-self.moving.floor, 2.0 * y.min(axis=1))))
            if not error < np.inf or below:
                h, self.rejected = 0.25 * step, self.rejected + 1
                if h < 1e-12 * max(abs(t), abs(stop)):
                    raise self.stuck(t, new)
                continue
            factor = min(GROW, max(SHRINK, SAFETY * max(error, 1e-10) ** (-1.0 / order)))
            if error > 1.0:
                h, self.rejected = step * min(factor, 0.9), self.rejected + 1
                continue
            longer = step * factor if not last or factor < 1.0 else max(h, step)
            if self.explicit:
                longer = min(longer, REACH / self.radius)
            return (stop if last else t + step), new, longer

    def prepare(self, stepper, t, y, h):
        """Rates, and for a step by sweeps derivatives, at the start of a step; which of both it will be.

        Now and then a step by sweeps is taken even so: its error says whether much longer ones would do by now.
        """
        self.since += 1
        self.explicit = self.smooth and self.radius * h <= REACH and self.since < RECHECK
        if not self.explicit:
            stepper.begin(t, y, self.scale(y))
            self.radius, self.since = spectral_radius(stepper), 0
        elif self.one is not None and self.one.stepper is stepper and self.one.known == t:
            stepper.first[:] = self.one.K[-1]
        else:
            stepper.rates(t, y, stepper.first)

    def attempt(self, stepper, t, y, h, new):
        if not self.explicit:
            return stepper.attempt(t, y, h, new, self.rtol, self.atol)
        if self.one is None or self.one.stepper is not stepper:
            self.one = Explicit(stepper)
        return self.one.attempt(t, y, h, new, self.rtol, self.atol)

    def stuck(self, t, y):
        finite = bool(np.all(np.isfinite(y)))
        status = "failed" if finite else "not finite"
        reason = "the step became too small" if finite else "the next values are not finite; does the solution blow up?"
        return Stop(status, f"{self.moving.largest(y.T.ravel())} at t = {t:g}: {reason}")

    def keep(self, kept, points, before, t):
        """Keep the fields at the output times that the last step passed."""
        between = self.between(points)
        for time in self.times[(self.times > before) & (self.times <= t)]:
            kept.append((time, points[-1][1] if time == t else between.field(time)))

    def between(self, points):
        """Values within the last step."""
        start, end, one = points[-2][0], points[-1][0], self.one
        its_own = self.explicit and one is not None and one.began == start and abs(one.known - end) <= 1e-14 * abs(end)
        return Between(points, one if its_own else None)

    # --- state events -------------------------------------------------------------------------------------------------

    def search(self, watched, points, before):
        """(time, watch) of the first crossing in the last step, or None."""
        return first_crossing(watched, self.between(points[-POINTS:]), _flat(before), _flat(points[-1]))

    def land(self, stepper, before, time, watch):
        """Time and fields at a crossing, as accurate as a step itself."""
        t, y = before
        if time <= t:
            return before
        h = time - t
        while t < time:
            t, y, h = self.advance(stepper, t, y, time, h)
        rate, z = np.empty_like(y), y.T.ravel()
        stepper.rates(t, y, rate)
        eps = 1e-6 * (t - before[0])
        miss, ahead = (float(watch.value(np.array([t]), p[:, None])[0]) for p in (z, (y + eps * rate).T.ravel()))
        speed = (ahead - miss) / eps
        most = 0.1 * (t - before[0])
        shift = float(np.clip(-miss / speed if speed > 0 else 0.0, -most, most))
        return t + shift, y + shift * rate


def _flat(place):
    return place[0], place[1].T.ravel()
