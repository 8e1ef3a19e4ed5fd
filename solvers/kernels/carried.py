"""Forward sensitivities in the same step: the method of states and sensitivities needs only the LU of the states.

The augmented system s_j' = J s_j + df/dp_j is block triangular, so each stage of each s_j is one more solve with the
same factors (see `lists.SensitivityLists` for its right-hand side). Two kinds of lanes: the model's derivatives are
evaluated at all stages at once, a stage a lane; then the stages run for `width` parameters at once, a parameter a lane.

Inputs and infusion rates may depend on parameters, and so may the times of changes: their sensitivities are rows of
the same extended table as in `loop.py`. At a change whose time tau depends on a parameter,

    s+ = kept (s- + f- tau') + y dkept + damount - f+ tau',

with f- and f+ the rates just before and just after (as in `solvers/moving.py`). The step is chosen by the states alone.
"""

from llvmlite import ir

from .emit import Array
from .lists import sensitivity_lists
from .rosenbrock import Dense, run_stages
from .values import DOUBLE

__all__ = ["Carried"]


class Carried:
    """Companion of a one-lane `TimeLoop`; made before it, because it lifts constants of its own."""

    def __init__(self, lists, options):
        self.lists, self.terms, self.options = lists, sensitivity_lists(lists), options
        self.width = options.width
        self.blocks = -(-len(options.columns) // self.width)
        self.row = self.blocks * self.width
        self.column = {p: j for j, p in enumerate(options.columns) if p is not None}

    def own(self, table):
        """Entries of a table by parameters that are carried, as (row, column carried) -> expression."""
        return {(i, self.column[p]): value for (i, p), value in table.items() if p in self.column}

    def begin(self, loop):
        w, n, stages = loop.w, loop.n, loop.table.stages
        self.kind = ir.VectorType(DOUBLE, self.width)
        self.stage_kind = ir.VectorType(DOUBLE, stages)
        self.forcing_terms = self.own(self.terms.forcing)
        self.moving = w.array(loop.width * self.blocks, self.kind)
        self.rows = w.array(self.blocks * (2 + len(loop.table.dense)) * n, self.kind)
        self.forcing = w.array(stages * n * self.blocks, self.kind)
        self.jacobian = w.array(len(self.terms.jacobian), self.stage_kind)
        self.curvature = w.array(len(self.terms.curvature), self.stage_kind)
        self.steering = w.array(len(self.terms.steering), self.stage_kind)
        self.direct = w.array(len(loop.lists.observables) * self.blocks, self.kind)
        self.seen = w.array(loop.n_seen, self.kind)
        given = self.outside(loop, loop.start_gradient)
        with w.count(0, loop.width * self.blocks) as c:
            self.moving[c] = given[c]
        for array, count in (
            (self.forcing, stages * n * self.blocks),
            (self.direct, len(loop.lists.observables) * self.blocks),
        ):
            with w.count(0, count) as c:
                array[c] = 0.0

    def outside(self, loop, array):
        """A caller's doubles as vectors of lanes."""
        return Array(loop.w, array.address, self.kind, 8)

    # --- changes of the schedule --------------------------------------------------------------------------------------

    def before_change(self, loop, c):
        w = loop.w
        with w.when(loop.shifts[c] != 0):
            self.shift(loop, c, 1.0)
        kept_by, amount_by = self.outside(loop, loop.kept_gradient), self.outside(loop, loop.amount_gradient)
        row, old, kept = loop.change_rows[c], loop.moving[loop.change_rows[c]], loop.change_kept[c]
        with w.count(0, self.blocks) as b:
            at, given = row * self.blocks + b, c * self.blocks + b
            moved = self.moving[at] * kept + kept_by[given] * old
            self.moving[at] = moved + amount_by[given]

    def after_change(self, loop, c):
        with loop.w.when(loop.shifts[c] != 0):
            loop.prepare()
            self.shift(loop, c, -1.0)

    def shift(self, loop, c, sign):
        """Add sign * f * tau' to the sensitivities."""
        w, moved_by = loop.w, self.outside(loop, loop.shift)
        rates = loop.rates(loop.space.read(loop.moving))
        with w.count(0, self.blocks) as b:
            by = moved_by[c * self.blocks + b] * sign
            for i in range(loop.n):
                at = self.blocks * i + b
                self.moving[at] = self.moving[at] + by * rates[i]

    # --- one step -----------------------------------------------------------------------------------------------------

    def advance(self, loop, step, wanted):
        w, n, table, space = loop.w, loop.n, loop.table, loop.space
        self.evaluate(loop, step)
        with w.count(0, self.blocks) as b:
            start = [self.moving[self.blocks * i + b] for i in range(n)]

            def slope(stage, point):
                return self.slope(loop, stage, point, start, b)

            _, increments, end = run_stages(space, loop.lu, table, step.inverse_h, start, slope)
            with w.when(wanted):
                rows = Dense.of(space, table, start, increments, end).rows
                for r, vector in enumerate(rows):
                    for i in range(n):
                        self.rows[(b * len(rows) + r) * n + i] = vector[i]
            for i in range(n):
                self.moving[self.blocks * i + b] = end[i]

    def evaluate(self, loop, step):
        """The derivatives of the model at the stages of a step."""
        w, terms, stages = loop.w, self.terms, loop.table.stages

        def packed(vectors):
            return [w.packed([v[i] for v in vectors]) for i in range(loop.n)]

        extra = dict(zip(terms.start, step.start, strict=True))
        extra |= dict(zip(terms.increment, packed(step.increments), strict=True))
        steering = terms.steering if self.options.steered else {}
        groups = (terms.jacobian, terms.curvature, steering, self.forcing_terms)
        wanted = [value for group in groups for value in group.values()]
        values = iter(w.to(self.stage_kind, v) for v in loop.formulas.evaluate(wanted, packed(step.points), extra))
        for array, group in zip((self.jacobian, self.curvature, self.steering), groups, strict=False):
            for place, _ in enumerate(group):
                array[place] = next(values)
        plain = self.forcing.seen_as(DOUBLE)
        for i, j in self.forcing_terms:
            value = next(values)
            for stage in range(stages):
                plain[(stage * loop.n + i) * self.row + j] = w.lane(value, stage)

    def slope(self, loop, stage, point, start, b):
        n, stages = loop.n, loop.table.stages
        slope = [self.forcing[(stage * n + i) * self.blocks + b] for i in range(n)]
        tables = [(self.terms.curvature, self.curvature, start)]
        if self.options.steered:
            inputs = [self.moving[(n + m) * self.blocks + b] for m in range(loop.n_u)]
            tables.append((self.terms.steering, self.steering, inputs))
        tables.append((self.terms.jacobian, self.jacobian, point))
        for v, i in enumerate(self.options.infused):
            slope[i] = slope[i] + self.moving[(n + loop.n_u + v) * self.blocks + b]
        for entries, array, vector in tables:
            by_stage = array.seen_as(DOUBLE)
            for place, (i, j) in enumerate(entries):
                slope[i] = slope[i] + vector[j] * by_stage[place * stages + stage]
        return slope

    # --- outputs ------------------------------------------------------------------------------------------------------

    def observe_start(self, loop, due):
        self._observe(loop, due, loop.moving, lambda b: [self.moving[self.blocks * i + b] for i in range(loop.n)])

    def observe(self, loop, due, theta, point):
        rows, n = 2 + len(loop.table.dense), loop.n

        def inside(b):
            vectors = [[self.rows[(b * rows + r) * n + i] for i in range(n)] for r in range(rows)]
            return Dense(loop.space, vectors).at(theta)

        self._observe(loop, due, point, inside)

    def _observe(self, loop, due, point, at_block):
        """Gradients of states and observables; called before the values move the counter of outputs."""
        w, n_model = loop.w, len(loop.lists.model.states)
        by_state, own = self.terms.observed_by_state, self.own(self.terms.observed_by_parameter)
        by_input = self.terms.observed_by_input if self.options.steered else {}
        values = loop.formulas.evaluate([*by_state.values(), *own.values(), *by_input.values()], point)
        direct = self.direct.seen_as(DOUBLE)
        for (o, j), value in zip(own, values[len(by_state) :], strict=False):
            direct[o * self.row + j] = value
        inputs = dict(zip(by_input, values[len(by_state) + len(own) :], strict=True))
        out = self.outside(loop, loop.gradients)
        with w.count(0, self.blocks) as b:
            s = at_block(b)
            for i in range(n_model):
                self.seen[i] = s[i]
            for o in range(len(loop.lists.observables)):
                total = self.direct[self.blocks * o + b]
                for (row, j), value in zip(by_state, values, strict=False):
                    total = total + s[j] * value if row == o else total
                for (row, m), value in inputs.items():
                    total = total + self.moving[(loop.n + m) * self.blocks + b] * value if row == o else total
                self.seen[n_model + o] = total
            with w.count(0, loop.n_wanted) as k:
                out[(due * loop.n_wanted + k) * self.blocks + b] = self.seen[loop.wanted[k]]

    def log_length(self, rows):
        return self.blocks * rows * self.lists.n * self.width

    def write_log(self, loop, at, rows):
        log = self.outside(loop, loop.log.at(at))
        with loop.w.count(0, self.blocks * rows * loop.n) as c:
            log[c] = self.rows[c]
