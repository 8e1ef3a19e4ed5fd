"""The time loop: segment by segment, restarted at every dose, switch and event; sensitivities jump with the states.

A step longer than an infusion never sees it, so every segment ends at the next moment of the schedule.
At an instant tau(p) at which y becomes g(y, p), sensitivities become
    s+ = dg/dy (s- + f- tau') + dg/dp - f+ tau',
with f- and f+ the rates just before and just after. For a state event h(y, p) = 0,
    tau' = -(dh/dy s- + dh/dp) / (dh/dy f-).
"""

from dataclasses import dataclass

import numpy as np

from .events import Watch, first_crossing
from .flow import make_flow
from .methods import ONE_STEP, TAKES_JACOBIAN, find_method
from .schedule import DOSE, EDGE, make_schedule

__all__ = ["Event", "Segment", "run"]

MOST_STEPS = 200_000


@dataclass(frozen=True)
class Event:
    """Something that happened: `kind` is "dose", "switch", "gate" or "level"; `values` are the states just after."""

    time: float
    kind: str
    label: str
    values: tuple

    def __str__(self):
        return f"{self.time:.6g}: {self.label}"


@dataclass(frozen=True, eq=False)
class Segment:
    """A stretch without a jump: dense output of z = (y, sensitivities), constant inputs and infusions."""

    start: float
    end: float
    z_start: np.ndarray
    z_end: np.ndarray
    dense: object
    inputs: np.ndarray
    input_gradients: np.ndarray | None


@dataclass
class Trace:
    """What a run leaves behind."""

    segments: list
    events: list
    status: str = "done"
    message: str = ""
    evaluations: int = 0
    steps: int = 0
    z_initial: np.ndarray | None = None
    z_final: np.ndarray | None = None


class Stop(Exception):
    """Ends a run early; carries the status and the reason."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status, self.message = status, message


def run(problem, method=None, rtol=None, atol=None, columns=(), max_step=np.inf) -> Trace:
    """Integrate a problem over its span.

    Parameters
    ----------
    problem : Problem
    method : str or type, optional
    rtol, atol : optional
        Tolerances; the problem's own if not given.
    columns : tuple of int
        Positions of the parameters whose sensitivities are carried along.
    max_step : float

    Returns
    -------
    Trace
        Segments up to the end or to the failure; never raises for numerical trouble.
    """
    runner = _Runner(problem, method, rtol, atol, tuple(columns), max_step)
    trace = runner.trace
    try:
        runner.to_the_end()
    except Stop as stop:
        trace.status, trace.message = stop.status, stop.message
    return trace


class _Runner:
    """The moving state of one run."""

    def __init__(self, problem, method, rtol, atol, columns, max_step):
        self.problem, self.system, self.columns, self.max_step = problem, problem.system, columns, max_step
        self.p = problem.p
        self.n, self.k = self.system.n, len(columns)
        self.schedule = make_schedule(problem, bool(columns))
        self.method, self.name = find_method(method)
        self.rtol, self.atol = problem.tolerances(rtol, atol)
        self.t = problem.t_span[0]
        self.y = self.system.y0(self.p)
        self.s = self.system.dy0dp(self.p)[:, list(columns)] if columns else np.zeros((self.n, 0))
        self.active = {id(w): w for w in self.schedule.windows if w.start < self.t}
        self.modes = [r.rule.mode for r in self.schedule.rules]
        self.switches = [0] * len(self.modes)
        self.instant_width = 1e-13 * max(map(abs, problem.t_span))  # closer moments are one instant
        self.trace = Trace([], [], z_initial=self.z())
        self.floor = _negative_limits(problem, self.atol)
        self.check_finite("the initial value")
        self.references = [self.reference(r.rule) for r in self.schedule.rules]

    # --- the loop -------------------------------------------------------------------------------------------------

    def to_the_end(self):
        moments, end = list(self.schedule.moments), self.problem.t_span[1]
        at = 0
        while True:
            now = []
            while at < len(moments) and moments[at].time <= self.t + self.instant_width:
                now.append(moments[at])
                at += 1
            if now:
                self.instant(now)
            if self.t >= end - self.instant_width:
                self.trace.z_final = self.z()
                return
            stop = moments[at].time if at < len(moments) else end
            watch = self.segment(min(stop, end))
            if watch is not None:
                self.state_event(watch)

    def segment(self, stop):
        """Integrate to `stop` or to the first state event, whichever comes first; return the event's watch."""
        flow, watches = self.flow(), self.watches()
        z = self.z()
        start, begin = self.t, z
        solver = self.make_solver(flow, self.t, z, stop)
        times, pieces, found = [self.t], [], None
        try:
            while found is None and solver.status == "running":
                before = (solver.t, solver.y.copy())
                self.step(solver)
                dense = solver.dense_output()
                after = (solver.t, solver.y)
                found = first_crossing(watches, dense, before, after) if watches else None
                if found is not None:
                    dense, after = self.land(flow, before, dense, *found)
                self.t, z = after[0], after[1].copy()
                times.append(self.t)
                pieces.append(dense)
                self.take(z)
                self.check()
        finally:
            self.trace.evaluations += solver.nfev
            if pieces:
                self.keep(times, pieces, start, begin, z, flow)
        return found[1] if found else None

    def keep(self, times, pieces, start, begin, z, flow):
        from scipy.integrate import OdeSolution

        dense = OdeSolution(times, pieces)
        self.trace.segments.append(Segment(start, times[-1], begin, z, dense, flow.inputs, flow.input_gradients))

    def make_solver(self, flow, t, z, stop):
        jac = {"jac": flow.jac} if self.name in TAKES_JACOBIAN else {}
        try:
            return self.method(
                flow.fun, t, z, stop, rtol=max(self.rtol, 3e-14), atol=self.z_atol(), max_step=self.max_step, **jac
            )
        except (ValueError, ArithmeticError, np.linalg.LinAlgError) as fault:
            raise Stop("failed", f"{self.name} could not start at t = {t:g}: {fault}") from None

    def step(self, solver):
        """One step of SciPy's solver; whatever goes wrong in it becomes a status and a reason."""
        try:
            with np.errstate(all="ignore"):
                message = solver.step()
        except (ValueError, ArithmeticError, np.linalg.LinAlgError) as fault:
            message = str(fault)
        if solver.status == "failed" or message:
            raise Stop("failed", f"{self.name} stopped at t = {solver.t:g}: {message}; {self.largest(solver.y)}")
        if not np.all(np.isfinite(solver.y)):
            raise Stop("not finite", f"{self.largest(solver.y)} at t = {solver.t:g}; does the solution blow up?")

    def land(self, flow, before, dense, time, watch):
        """State at a crossing, as accurate as the step itself."""
        if self.name not in ONE_STEP or time <= before[0]:
            return dense, (time, dense(time))
        solver = self.make_solver(flow, before[0], before[1], time)
        times, pieces = [before[0]], []
        while solver.status == "running":
            self.step(solver)
            times.append(solver.t)
            pieces.append(solver.dense_output())
        z = solver.y.copy()
        rate = np.asarray(flow.fun(time, z))
        miss = float(watch.value(np.array([time]), z[:, None])[0])
        speed = watch.gradient(time, z)[0] @ rate[: self.n]
        shift = -miss / speed if speed > 0 else 0.0
        shift = float(np.clip(shift, -0.1 * (time - before[0]), 0.1 * (time - before[0])))
        times[-1] = time + shift
        return _joined(times, pieces), (time + shift, z + shift * rate)

    # --- instants -------------------------------------------------------------------------------------------------

    def instant(self, moments):
        """Doses, then level changes, then visits, and rules that a dose pushed across their threshold."""
        watches = self.watches()
        levels = [float(w.value(np.array([self.t]), self.z()[:, None])[0]) for w in watches]
        dosed = None
        for moment in moments:
            gradient = moment.time_gradient[list(self.columns)] if self.k else np.zeros(0)
            if moment.order == DOSE:
                self.dose(moment.what, gradient)
                dosed = gradient
            elif moment.order == EDGE:
                self.change(lambda m=moment: self.edge(*m.what), gradient)
            else:
                self.visit(moment.what, gradient)
        if dosed is not None:
            for watch, level in zip(watches, levels, strict=True):
                if level < 0 <= watch.value(np.array([self.t]), self.z()[:, None])[0]:
                    self.change(watch.act, dosed)

    def dose(self, dose, gradient):
        columns, old = list(self.columns), self.y[dose.row]
        moved = self.s + np.outer(self.rate(), gradient) if gradient.any() else self.s
        self.y = self.y.copy()
        self.y[dose.row] = dose.kept * old + dose.amount
        if self.k:
            self.s = moved.copy()
            direct = old * dose.kept_gradient[columns] + dose.amount_gradient[columns]
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
        for watch in self.rule_watches(number):
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

    # --- rules and gates ------------------------------------------------------------------------------------------

    def watches(self):
        found = []
        for number, numeric in enumerate(self.schedule.rules):
            if numeric.rule.check_every is None and self.t >= numeric.starts - self.instant_width:
                found += self.rule_watches(number)
        if self.problem.extinction_gate:
            found += [self.gate(i) for i, s in enumerate(self.problem.model.states) if s.info.kind == "tumour"]
        return found

    def rule_watches(self, number):
        numeric, (reference, reference_gradient) = self.schedule.rules[number], self.references[number]
        rule, found = numeric.rule, []
        for i, (source, target, _, way) in enumerate(rule.transitions):
            if source != self.modes[number]:
                continue
            level = numeric.thresholds[i] * reference
            by_parameter = numeric.threshold_gradients[i][list(self.columns)] * reference
            by_parameter = by_parameter + numeric.thresholds[i] * reference_gradient

            def value(t, z, level=level, way=way):
                return way * (self.observed(rule.of, t, z) - level)

            def gradient(t, z, by_parameter=by_parameter, way=way):
                by_state, direct = self.observed_gradient(rule.of, t, z)
                return way * by_state, way * (direct - by_parameter)

            label = f"{rule.of} {'falls below' if way < 0 else 'rises above'} {level:.6g}"
            found.append(Watch(value, gradient, lambda n=number, m=target, x=label: self.switch(n, m, x), label))
        return found

    def switch(self, number, mode, label):
        self.modes[number] = mode
        self.switches[number] += 1
        self.record("switch", label)
        most = self.schedule.rules[number].rule.max_switches
        if self.switches[number] > most:
            raise Stop("chattering", f"the rule on {label} switched more than {most} times before t = {self.t:g}")

    def gate(self, row):
        state = self.problem.model.states[row]
        one_cell = 1.0 / state.info.cells_per_unit
        unit = np.zeros(self.n)
        unit[row] = -1.0
        label = f"{state.name} falls below one cell"

        def act():
            self.y, self.s = self.y.copy(), self.s.copy()
            self.y[row], self.s[row] = 0.0, 0.0
            self.record("gate", label)

        return Watch(lambda t, z: one_cell - z[row], lambda t, z: (unit, np.zeros(self.k)), act, label)

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

    # --- small helpers --------------------------------------------------------------------------------------------

    def inputs(self):
        """Levels of the inputs now, and their derivatives by the carried parameters."""
        columns = list(self.columns)
        levels = self.schedule.defaults.copy()
        gradients = np.zeros((len(levels), self.k))
        for window in self.active.values():
            if not window.into_state:
                levels[window.row] += window.level
                gradients[window.row] += window.level_gradient[columns]
        for numeric, mode in zip(self.schedule.rules, self.modes, strict=True):
            for row, level, gradient in zip(
                numeric.rows, numeric.levels[mode], numeric.level_gradients[mode], strict=True
            ):
                levels[row] += level
                gradients[row] += gradient[columns]
        return levels, gradients

    def flow(self):
        infusion, gradients = np.zeros(self.n), np.zeros((self.n, self.k))
        for window in self.active.values():
            if window.into_state:
                infusion[window.row] += window.level
                gradients[window.row] += window.level_gradient[list(self.columns)]
        inputs, input_gradients = self.inputs()
        return make_flow(self.system, self.p, inputs, infusion, self.columns, input_gradients, gradients)

    def rate(self):
        """Rates of change of the states now."""
        return np.asarray(self.flow().fun(self.t, self.z()))[: self.n]

    def z(self):
        return np.concatenate([self.y, self.s.T.ravel()])

    def take(self, z):
        self.y = z[: self.n]
        self.s = z[self.n :].reshape(self.k, self.n).T

    def z_atol(self):
        scales = [max(abs(self.p[c]), 1e-12) for c in self.columns]
        return np.concatenate([self.atol, *(self.atol / s for s in scales)])

    def record(self, kind, label):
        self.trace.events.append(Event(float(self.t), kind, label, tuple(self.y.tolist())))

    def largest(self, z):
        """Text naming the state that is not finite, or the largest one."""
        y = z[: self.n]
        bad = np.flatnonzero(~np.isfinite(y))
        row = int(bad[0]) if bad.size else int(np.argmax(np.abs(y)))
        return f"{self.system.states[row]} = {y[row]:.6g}"

    def check_finite(self, what):
        if not np.all(np.isfinite(self.y)):
            raise Stop("not finite", f"{what} of {self.largest(self.y)} is not a finite number")

    def check(self):
        """Refuse too many steps, and populations below zero beyond tolerance."""
        self.trace.steps += 1
        if self.trace.steps > MOST_STEPS:
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


def _joined(times, pieces):
    """Dense output of several steps as one."""
    from scipy.integrate import OdeSolution

    return pieces[0] if len(pieces) == 1 else OdeSolution(times, pieces)
