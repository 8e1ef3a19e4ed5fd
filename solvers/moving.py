"""The moving state of a run: time, states, sensitivities, what is being given, and the modes of rules.

At an instant tau(p) at which y becomes g(y, p), sensitivities become
    s+ = dg/dy (s- + f- tau') + dg/dp - f+ tau',
with f- and f+ the rates just before and just after. For a state event h(y, p) = 0,
    tau' = -(dh/dy s- + dh/dp) / (dh/dy f-).
"""

from dataclasses import dataclass

import numpy as np

from .flow import make_flow
from .initial import column_size
from .rules import rule_watches, watches
from .schedule import DOSE, EDGE, make_schedule

__all__ = ["Event", "Moving", "Stop"]

MOST_STEPS = 200_000


@dataclass(frozen=True)
class Event:
    """Something that happened during a solution.

    Parameters
    ----------
    time : float
    kind : {"dose", "level", "switch", "gate"}
        A dose or operation, a change of an input's level, a switch of a rule, the extinction of a clone.
    label : str
    values : tuple of float
        States just after.
    """

    time: float
    kind: str
    label: str
    values: tuple

    def __str__(self):
        return f"{self.time:.6g}: {self.label}"


class Stop(Exception):
    """Ends a run early; carries the status and the reason."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status, self.message = status, message


class Moving:
    """Where a run stands. The loops in `integrate` and `sample` move it; instants change it here.

    Attributes
    ----------
    t : float
    y : (n,) array
        States.
    s : (n, k) array
        Sensitivities by the carried parameters.
    active : dict
        Windows of the schedule that are open.
    modes : list of int
        Mode of each rule.
    events : list of Event
    """

    def __init__(self, problem, columns=(), rtol=None, atol=None):
        self.problem, self.system, self.columns = problem, problem.system, list(columns)
        self.p = problem.p
        self.n, self.k = self.system.n, len(columns)
        self.schedule = make_schedule(problem, bool(columns))
        self.rtol, self.atol = problem.tolerances(rtol, atol)
        self.rtol = max(self.rtol, 3e-14)  # SciPy's solvers refuse less
        self.t = problem.t_span[0]
        self.y = self.first_state()
        self.s = self.system.dy0dp(self.p)[:, self.columns] if columns else np.zeros((self.n, 0))
        self.active = {id(w): w for w in self.schedule.windows if w.start < self.t}
        self.modes = [r.rule.mode for r in self.schedule.rules]
        self.switches = [0] * len(self.modes)
        self.events, self.steps = [], 0
        self.width = 1e-13 * max(map(abs, problem.t_span))  # closer moments are one instant
        self.floor = _negative_limits(problem, self.atol)
        self.upcoming = list(reversed(self.schedule.moments))
        self.references = [self.reference(r.rule) for r in self.schedule.rules]

    def first_state(self):
        return self.system.y0(self.p)

    # --- moments of the schedule ----------------------------------------------------------------------------------

    def next_stop(self, end):
        """Pass through all moments of now, and return the time of the next one, or the end."""
        self.check_finite()
        now = []
        while self.upcoming and self.upcoming[-1].time <= self.t + self.width:
            now.append(self.upcoming.pop())
        if now:
            self.instant(now)
        return min(self.upcoming[-1].time, end) if self.upcoming else end

    def instant(self, moments):
        """Doses, then level changes, then visits, and rules that a dose pushed across their threshold."""
        watched = watches(self)
        levels = [float(w.value(np.array([self.t]), self.z()[:, None])[0]) for w in watched]
        dosed = None
        for moment in moments:
            gradient = moment.time_gradient[self.columns] if self.k else np.zeros(0)
            if moment.order == DOSE:
                self.dose(moment.what, gradient)
                dosed = gradient
            elif moment.order == EDGE:
                self.change(lambda m=moment: self.edge(*m.what), gradient)
            else:
                self.visit(moment.what, gradient)
        if dosed is not None:
            for watch, level in zip(watched, levels, strict=True):
                if level < 0 <= watch.value(np.array([self.t]), self.z()[:, None])[0]:
                    self.change(watch.act, dosed)

    def dose(self, dose, gradient):
        old = self.y[dose.row]
        moved = self.s + np.outer(self.rate(), gradient) if gradient.any() else self.s
        self.y = self.y.copy()
        self.y[dose.row] = dose.kept * old + dose.amount
        if self.k:
            self.s = moved.copy()
            direct = old * dose.kept_gradient[self.columns] + dose.amount_gradient[self.columns]
            self.s[dose.row] = dose.kept * moved[dose.row] + direct
            if gradient.any():
                self.s -= np.outer(self.rate(), gradient)
        self.record("dose", dose.label)

    def change(self, act, gradient):
        """Something that changes the rates and not the states, at a time with the given derivative."""
        before = self.rate() if gradient.any() else None
        act()
        if before is not None:
            self.s = self.s + np.outer(before - self.rate(), gradient)

    def edge(self, window, opens):
        if opens:
            self.active[id(window)] = window
        else:
            self.active.pop(id(window), None)
        names = self.system.states if window.into_state else self.system.inputs
        verb = "starts" if opens else "ends"
        self.record("level", f"{names[window.row]} {window.level:g} {verb}")

    def visit(self, number, gradient):
        """A rule looks at its observable and switches where the threshold is passed."""
        for watch in rule_watches(self, number):
            if watch.value(np.array([self.t]), self.z()[:, None])[0] > 0:
                self.change(watch.act, gradient)
                return

    def state_event(self, watch):
        """Act at a located crossing; its time depends on the parameters."""
        gradient = np.zeros(self.k)
        if self.k:
            by_state, by_parameter = watch.gradient(self.t, self.z())
            speed = by_state @ self.rate()
            if speed == 0:
                raise Stop("failed", f"{watch.label} only touches its threshold at t = {self.t:g}: no derivative there")
            gradient = -(by_state @ self.s + by_parameter) / speed
        self.change(watch.act, gradient)

    def switch(self, number, mode, label):
        self.modes[number] = mode
        self.switches[number] += 1
        self.record("switch", label)
        most = self.schedule.rules[number].rule.max_switches
        if self.switches[number] > most:
            raise Stop("chattering", f"the rule on {label} switched more than {most} times before t = {self.t:g}")

    def extinguish(self, row):
        """Set a clone to zero: it fell below one cell."""
        self.y, self.s = self.y.copy(), self.s.copy()
        self.y[row], self.s[row] = 0.0, 0.0
        self.record("gate", f"{self.system.states[row]} falls below one cell")

    # --- what is being watched and given --------------------------------------------------------------------------

    def reference(self, rule):
        if rule.relative_to is None:
            return 1.0, np.zeros(self.k)
        value = float(self.observed(rule.of, np.array([self.t]), self.z()[:, None])[0])
        by_state, direct = self.observed_gradient(rule.of, self.t, self.z())
        return value, by_state @ self.s + direct

    def observed(self, name, t, z):
        """A state or observable over times, for z of shape (n + n k, n_t)."""
        if name in self.system.states:
            return z[self.system.states.index(name)]
        inputs, _ = self.inputs()
        at = self.system.observables.index(name)
        u = np.repeat(inputs[:, None], len(t), axis=1)
        return self.system.observe(t, z[: self.n], self.p, u)[at]

    def observed_gradient(self, name, t, z):
        """Derivatives of a state or observable by the states and, directly, by the carried parameters."""
        direct = np.zeros(self.k)
        if name in self.system.states:
            return np.eye(self.n)[self.system.states.index(name)], direct
        inputs, gradients = self.inputs()
        at = self.system.observables.index(name)
        by_state, by_parameter, by_input = (g[at] for g in self.system.observe_tangent(t, z[: self.n], self.p, inputs))
        for j, column in enumerate(self.columns):
            if column < self.system.n_model_parameters:
                direct[j] = by_parameter[column]
        return by_state, direct + by_input @ gradients

    def inputs(self):
        """Levels of the inputs now, and their derivatives by the carried parameters."""
        levels = self.schedule.defaults.copy()
        gradients = np.zeros((len(levels), self.k))
        for window in self.active.values():
            if not window.into_state:
                levels[window.row] += window.level
                gradients[window.row] += window.level_gradient[self.columns]
        for numeric, mode in zip(self.schedule.rules, self.modes, strict=True):
            for row, level, gradient in zip(
                numeric.rows, numeric.levels[mode], numeric.level_gradients[mode], strict=True
            ):
                levels[row] += level
                gradients[row] += gradient[self.columns]
        return levels, gradients

    def flow(self):
        infusion, gradients = np.zeros(self.n), np.zeros((self.n, self.k))
        for window in self.active.values():
            if window.into_state:
                infusion[window.row] += window.level
                gradients[window.row] += window.level_gradient[self.columns]
        inputs, input_gradients = self.inputs()
        return make_flow(self.system, self.p, inputs, infusion, self.columns, input_gradients, gradients)

    def rate(self):
        """Rates of change of the states now."""
        return np.asarray(self.flow().fun(self.t, self.z()))[: self.n]

    def z(self):
        return np.concatenate([self.y, self.s.T.ravel()])

    def take(self, t, z):
        """Move to a time and a vector of states and sensitivities."""
        self.t, z = float(t), z.copy()
        self.y = z[: self.n]
        self.s = z[self.n :].reshape(self.k, self.n).T

    # --- small helpers --------------------------------------------------------------------------------------------

    def z_atol(self):
        """Absolute tolerances of states and sensitivities, shape (n + n k,)."""
        sizes = [column_size(self.problem, c) for c in self.columns]
        return np.concatenate([self.atol, *(self.atol / s for s in sizes)])

    def record(self, kind, label):
        self.events.append(Event(float(self.t), kind, label, tuple(self.y.tolist())))

    def largest(self, z):
        """Text naming the state that is not finite, or the largest one."""
        y = z[: self.n]
        bad = np.flatnonzero(~np.isfinite(y))
        row = int(bad[0]) if bad.size else int(np.argmax(np.abs(y)))
        return f"{self.system.states[row]} = {y[row]:.6g}"

    def sound(self, log):
        """A log of steps up to the first one that `check` would refuse, where it matters when that was."""
        return log

    def check_finite(self):
        if not np.all(np.isfinite(self.y)):
            raise Stop("not finite", f"{self.largest(self.y)} at t = {self.t:g} is not a finite number")

    def check(self):
        """Refuse too many steps, and populations below zero beyond tolerance."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise Stop("too many steps", f"more than {MOST_STEPS} steps before t = {self.t:g}; try method='BDF'")
        below = np.flatnonzero(self.y < -self.floor)
        if below.size:
            row = int(below[0])
            raise Stop(
                "negative",
                f"{self.system.states[row]} = {self.y[row]:.6g} at t = {self.t:g}, below zero by more than "
                f"{self.floor[row]:.3g}; try a smaller atol or method='Radau'",
            )


def _negative_limits(problem, atol):
    """How far below zero each state may go before it is reported: 10 atol, or a hundredth of a cell."""
    limits = 10 * atol
    for i, state in enumerate(problem.model.states):
        if not state.info.positive:
            limits[i] = np.inf
        elif state.info.cells_per_unit:
            limits[i] = max(limits[i], 1e-2 / state.info.cells_per_unit)
    return limits
