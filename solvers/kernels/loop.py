"""The emitted time loop: lane groups, changes of the schedule, step control, outputs.

    run(record, first, last)

integrates members first..last-1 of a record (`record.py`), `lanes` at a time with a common step; lanes beyond `last`
repeat the last member. The extended state is (states, inputs, infusion rates): a dose, a change of dose level and the
start of an infusion are all "row becomes kept * row + amount" at a known time, and the run stops exactly there.
Between two such changes everything that depends on parameters and inputs alone is computed once (`prepare`).
"""

from contextlib import contextmanager

from .elementary import root_estimate
from .formulas import Formulas, FormulasInFunction, prepare_function
from .guards import Guards
from .linear import IndexedLU, Plan, UnrolledLU
from .record import FIELDS, NOT_FINITE
from .rosenbrock import Dense, attempt, attempt_explicit
from .values import DOUBLE, INTEGER
from .vectors import InMemory, InRegisters

__all__ = ["LARGEST_UNROLLED", "TimeLoop"]

LARGEST_UNROLLED = 30  # states; above, straight code costs more to compile than it saves
SAFETY, LEAST, MOST = 0.9, 0.2, 8.0  # change of the step after a step
FIRST_CHANGE = 5.0  # the first step moves the state by about this many tolerances
FASTEST = 1e100  # more tolerances a unit of time than this are as good as this; its square is finite
ROUNDING = 1e-15  # of the time: a shorter step does not move it
STRETCH = 1.0000001  # a step that would end this near a stop ends on it


class TimeLoop:
    """Writes the body of `run`; `options` as in `build.py`, `carried` the sensitivities or None."""

    def __init__(self, w, lists, options, table, carried=None):
        self.w, self.lists, self.options, self.table, self.carried = w, lists, options, table, carried
        self.record, self.first, self.last = w.arguments
        self.n, self.n_p, self.n_u = lists.n, len(lists.model.parameters), len(lists.model.inputs)
        self.width = self.n + self.n_u + len(options.infused)
        small = self.n <= LARGEST_UNROLLED
        self.space = (InRegisters if small else InMemory)(w, self.n)
        self.moving, self.constants = w.array(self.width), w.array(len(lists.constants))
        self.formulas = (Formulas if small else FormulasInFunction)(w, lists, self.constants)
        self.prepare_constants = prepare_function(w, lists)
        if not table.explicit:
            plan = Plan(self.n, lists.jacobian, lists.weights, len(lists.totals))
            self.lu = (UnrolledLU if small else IndexedLU)(w, plan)
        self.n_seen = len(lists.model.states) + len(lists.observables)
        self.seen, self.care = w.array(max(self.n_seen, self.n)), w.array(self.n)
        with w.count(0, self.n) as i:
            self.care[i] = 1.0
        self.views()
        self.guards = Guards(w, self.space, self.tolerances, options.guarded)
        with self.groups():
            self.integrate()

    def views(self):
        """The fields of the record as arrays and numbers, each under its name."""
        w, fields = self.w, self.w.view(self.record, INTEGER)
        wholes = ("change_rows", "wanted", "status", "counters", "shifts")
        scalars = ("change_stride", "n_times", "n_wanted", "most_steps", "log_capacity")
        for place, name in enumerate(FIELDS):
            if name in scalars:
                setattr(self, name, fields[place])
            else:
                setattr(self, name, w.view(w.address(fields[place]), INTEGER if name in wholes else DOUBLE))
        self.end, self.largest = self.span[1], self.span[3]

    # --- members ------------------------------------------------------------------------------------------------------

    @contextmanager
    def groups(self):
        w, group = self.w, self.w.cell(self.first)
        with w.loop() as loop:
            loop.leave_if(group.value >= self.last)
            self.members = [w.smaller(group.value + k, self.last - 1) for k in range(w.lanes)]
            with w.count(0, self.n_p) as j:
                self.constants[j] = self.gather(self.parameters, self.n_p, j)
            with w.count(0, self.width) as i:
                self.moving[i] = self.gather(self.start, self.width, i)
            yield
            group.value = group.value + w.lanes

    def gather(self, array, stride, at):
        """One number a member, as lanes."""
        return self.w.packed([array[member * stride + at] for member in self.members])

    def prepare(self):
        for m in range(self.n_u):
            self.constants[self.n_p + m] = self.moving[self.n + m]
        self.w.call(self.prepare_constants, self.constants)

    # --- equations, with infusions ------------------------------------------------------------------------------------

    def rates(self, point):
        return self.infuse(self.formulas.rates(point))

    def tangent(self, point):
        rates, jacobian = self.formulas.tangent(point)
        return self.infuse(rates), jacobian

    def weights(self):
        return self.formulas.weights()

    def infuse(self, rates):
        for v, row in enumerate(self.options.infused):
            rates[row] = rates[row] + self.moving[self.n + self.n_u + v]
        return rates

    def smallest(self):
        """Shortest step here: relative to the time, so that a run over 1e11 may begin with steps of 1e-10."""
        w = self.w
        return w.larger(self.span[2], w.absolute(self.t.value) * ROUNDING)

    # --- time ---------------------------------------------------------------------------------------------------------

    def integrate(self):
        w = self.w
        self.t, self.h, self.most = w.cell(self.span[0]), w.cell(self.step[0]), w.cell(MOST)
        self.due, self.change = w.cell(w.whole(0)), w.cell(w.whole(0))
        self.tried, self.kept, self.logged = (w.cell(w.whole(0)) for _ in range(3))
        self.full = w.cell(w.whole(0))
        self.guards.begin(self.moving)
        self.prepare()
        if self.carried:
            self.carried.begin(self)
        self.write_initial()
        with w.loop() as segments:
            segments.leave_if((self.t.value >= self.end) | self.guards.nobody() | (self.full.value != 0))
            self.changes()
            stop = w.smaller(self.change_times[self.change.value], self.end)
            self.choose_first_step(stop)
            with w.loop() as steps:
                steps.leave_if(self.guards.nobody() | (self.full.value != 0) | (self.t.value >= stop))
                self.advance(stop)
            self.h.value = w.where(self.full.value != 0, self.h.value, 0.0)
        self.finish()

    def changes(self):
        """Everything that the schedule has for now; a change at the very end is after it."""
        w = self.w
        with w.loop() as loop:
            c = self.change.value
            loop.leave_if(self.change_times[c] > self.t.value)
            if self.carried:
                self.carried.before_change(self, c)
            row = self.change_rows[c]
            kept, amount = (self.gather(a, self.change_stride, c) for a in (self.change_kept, self.change_amount))
            self.moving[row] = self.moving[row] * kept + amount
            if self.carried:
                self.carried.after_change(self, c)
            self.change.value = c + 1
        self.prepare()

    def choose_first_step(self, stop):
        """A first step from the size of the rates; lanes whose rates are not finite give up here."""
        w, guards = self.w, self.guards
        state = self.space.read(self.moving)
        rates = self.rates(state)

        for _, i in self.space.rows(self.options.guarded):  # a clone that is not there yet asks for no care
            self.care[i] = w.where(state[i] == 0.0, w.real(0.0), 1.0)

        def part(i):
            ratio = w.absolute(rates[i]) / guards.scale(i, w.absolute(state[i]))
            ratio = self.care[i] * w.smaller(ratio, FASTEST)
            return ratio * ratio + (state[i] + rates[i]) * 0.0  # what is not finite shows

        speed = self.space.total(part) * (1.0 / self.n)
        unsound = ~(speed < float("inf"))
        guards.take_out(unsound, NOT_FINITE, self.t.value, self.moving)
        fastest = w.root(w.larger(w.largest_lane(guards.counting(speed)), 0.0))
        h = w.smaller(FIRST_CHANGE / (fastest + 1e-300), stop - self.t.value)
        h = w.larger(w.smaller(h, self.largest), self.smallest())
        self.h.value = w.where(self.h.value > 0.0, self.h.value, h)
        self.most.value = MOST

    def advance(self, stop):
        """Try one step."""
        w, t, h, guards = self.w, self.t.value, self.h.value, self.guards
        last = h * STRETCH >= stop - t
        h = w.where(last, stop - t, h)
        step = self.attempt(t, w.real(h), self.space.read(self.moving))
        each, t_end = guards.error(step), w.where(last, stop, t + h)
        if self.options.controlled:
            each = self.carried.test(self, step, each, self.wanted_by(t_end))
        error = w.largest_lane(guards.counting(each))
        accepted = error <= 1.0
        factor = SAFETY / root_estimate(w, w.larger(error, 1e-30), 2 * self.table.order)
        factor = w.larger(w.smaller(factor, self.most.value), LEAST)
        self.h.value = w.smaller(h * factor, self.largest)
        self.most.value = w.where(accepted, MOST, 1.0)
        self.tried.value = self.tried.value + 1
        with w.when(accepted):
            self.accept(step, t_end)
        hopeless = self.h.value < self.smallest()
        with w.when(~accepted & hopeless):
            guards.give_up(each, t, self.moving)
        self.h.value = w.larger(self.h.value, self.smallest())
        guards.out_of_steps(self.tried.value >= self.most_steps, t, self.moving)

    def attempt(self, t, h, start):
        if self.table.explicit:
            return attempt_explicit(self.w, self.space, self.table, self, t, h, start)
        return attempt(self.w, self.space, self.lu, self.table, self, t, h, start)

    def wanted_by(self, t_end):
        """Whether somebody wants the dense output of a step."""
        outputs = self.times[self.due.value] <= t_end
        return outputs | (self.log_capacity > 0) if self.options.lanes == 1 else outputs

    def accept(self, step, t_end):
        w, row = self.w, self.logged.value
        self.kept.value = self.kept.value + 1
        wanted = self.wanted_by(t_end)
        if self.carried:
            self.carried.accept(self, step, wanted)
        with w.when(wanted):
            dense = Dense.of(self.space, self.table, step.start, step.increments, step.end)
            self.write_outputs(step, dense, t_end)
            if self.options.lanes == 1:
                with w.when(self.log_capacity > 0):
                    self.write_log(row, step, dense, t_end)
        if self.table.explicit:
            self.guards.watch_stiffness(step, t_end)
        self.space.write(self.moving, self.guards.watch(step.end))
        self.t.value = t_end

    # --- outputs ------------------------------------------------------------------------------------------------------

    def write_initial(self):
        w = self.w
        with w.loop() as loop:
            loop.leave_if(self.times[self.due.value] > self.t.value)
            if self.carried:
                self.carried.observe_start(self, self.due.value)
            self.observe(self.moving)

    def write_outputs(self, step, dense, t_end):
        w = self.w
        with w.loop() as loop:
            time = self.times[self.due.value]
            loop.leave_if(time > t_end)
            theta = w.smaller((time - step.t) * w.lane(step.inverse_h, 0), 1.0)
            point = dense.at(w.real(theta))
            if self.carried:
                self.carried.observe(self, self.due.value, w.real(theta), point)
            self.observe(point)

    def observe(self, point):
        """States and observables at a point to the next row of the outputs; NaN for lanes that gave up."""
        w, n_model = self.w, len(self.lists.model.states)
        self.space.write(self.seen, point)  # where there is a clock it comes last, and an observable takes its place
        # Between two steps of 1e308 the polynomial may overflow where both ends do not.
        unsound = ~(self.space.total(lambda i: point[i] * 0.0) == 0.0)
        self.guards.take_out(unsound, NOT_FINITE, self.t.value, self.moving)
        for o, value in enumerate(self.formulas.observables(point), n_model):
            self.seen[o] = value
        due = self.due.value
        running = self.guards.running()
        with w.count(0, self.n_wanted) as k:
            shown = w.where(running, self.seen[self.wanted[k]], float("nan"))
            for lane, member in enumerate(self.members):
                self.values[(member * self.n_times + due) * self.n_wanted + k] = w.lane(shown, lane)
        self.due.value = due + 1

    def write_log(self, row, step, dense, t_end):
        """One kept step: its start and end, the coefficient vectors of the states, those of the sensitivities."""
        n, m = self.n, len(dense.rows)
        length = 2 + m * n * (1 + (self.carried.k if self.carried else 0))
        at = row * length
        self.log[at], self.log[at + 1] = step.t, t_end
        for r, vector in enumerate(dense.rows):
            for i in self.space.indices():
                self.log[at + 2 + r * n + i] = vector[i]
        if self.carried:
            self.carried.write_log(self, self.log.at(at + 2 + m * n), m)
        self.logged.value = row + 1
        self.full.value = self.w.where(row + 1 >= self.log_capacity, self.w.whole(1), 0)

    def finish(self):
        """Blank the outputs that were not reached; write status, place and counts."""
        w, n = self.w, self.n
        with w.count(self.due.value * self.n_wanted, self.n_times * self.n_wanted) as k:
            for member in self.members:
                self.values[member * self.n_times * self.n_wanted + k] = float("nan")
        if self.carried:
            self.carried.blank(self)
        running, verdict = self.guards.running(), self.guards.verdict()
        reached = w.where(running, w.real(self.t.value), self.guards.ended_at.value)
        for lane, member in enumerate(self.members):
            self.status[member] = w.lane(verdict, lane)
            self.reached[member * (n + 1)] = w.lane(reached, lane)
        with w.count(0, n) as i:
            value = w.where(running, self.moving[i], self.guards.ended[i])
            for lane, member in enumerate(self.members):
                self.reached[member * (n + 1) + 1 + i] = w.lane(value, lane)
        for place, cell in enumerate((self.tried, self.kept, self.logged)):
            self.counters[place] = self.counters[place] + cell.value
        self.step[0] = self.h.value
