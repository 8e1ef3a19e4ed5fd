"""Forward sensitivities in the same step: the method of states and sensitivities needs only the LU of the states.

The augmented system s_c' = J s_c + df/dp_c is block triangular, so each stage of each s_c is one more solve with the
same factors (see `lists.SensitivityLists` for its right-hand side). Two kinds of lanes: the model's derivatives are
evaluated at all stages at once, a stage a lane (`slopes.py`); then the stages run for a block of parameters at once, a
parameter a lane. `shapes.py` says which parameter goes where, and which states it never reaches; `blocks.py` is the
memory.

Inputs and infusion rates may depend on parameters, and so may the times of changes: their sensitivities are rows of
the same extended table as in `loop.py`. At a change whose time tau depends on a parameter,

    s+ = kept (s- + f- tau') + y dkept + damount - f+ tau',

with f- and f+ the rates just before and just after (as in `solvers/moving.py`).

By default the step is chosen by the states alone, and the sensitivities are advanced once it is accepted. With
`options.controlled` they are advanced before, beside where they stand, and take part in the error test: s_c times the
size of p_c is an amount of y, so its tolerance is that of y, and relative to itself,

    error_ic <= (atol_i + rtol |y_i|) / size_c + rtol |s_ic|   in the mean square over i, for each c.
"""

from .blocks import Blocks, Columns
from .lists import sensitivity_lists
from .rosenbrock import Dense, run_stages
from .shapes import arrange, reach
from .slopes import IndexedSlopes, UnrolledSlopes
from .vectors import InMemory, InRegisters

__all__ = ["Carried"]


class Carried:
    """Companion of a one-lane `TimeLoop`; made before it, because it lifts constants of its own."""

    def __init__(self, lists, options):
        self.lists, self.options, self.k = lists, options, len(options.columns)
        self.terms = sensitivity_lists(lists, options.columns, options.steered)
        self.shapes = arrange([self.reach(c) for c in range(self.k)], options.width)
        self.places = {}
        for shape in self.shapes:
            for number, c in enumerate(shape.columns):
                first, lane = shape.place(number)
                self.places[c] = first, shape.width, lane

    def reach(self, c):
        """Slots that a carried parameter can reach, through equations, initial values and the schedule."""
        n, n_u, seeds = self.lists.n, len(self.lists.model.inputs), self.options.seeds
        if not seeds or seeds[c] is None:
            return frozenset(range(len(self.terms.start)))
        sources = {i for i, column in self.terms.forcing if column == c}
        for row in seeds[c]:
            if row < n:
                sources.add(row)
            elif row < n + n_u:
                sources |= {i for i, m in self.terms.steering if m == row - n}
            else:
                sources.add(self.options.infused[row - n - n_u])
        return reach(sources, self.terms.jacobian, self.lists.weights, n)

    def begin(self, loop):
        w = loop.w
        self.in_memory = isinstance(loop.space, InMemory)
        self.columns = Columns(w, [self.places[c] for c in range(self.k)])
        self.slopes = (IndexedSlopes if self.in_memory else UnrolledSlopes)(loop, self.terms, self.shapes, self.places)
        self.moving, self.seen = Blocks(w, self.shapes, loop.width), Blocks(w, self.shapes, loop.n_seen)
        self.dense = Blocks(w, self.shapes, (2 + len(loop.table.dense)) * loop.n)
        for blocks in (self.moving, self.seen, self.dense):
            blocks.clear()
        self.slopes.begin()
        self.next = Blocks(w, self.shapes, loop.width) if self.options.controlled else self.moving
        if self.options.controlled:
            self.read_sizes(loop)
        given = loop.start_gradient.at(loop.members[0] * (loop.width * self.k))
        with w.count(0, loop.width) as row, w.count(0, self.k) as c:
            self.moving.numbers[self.columns.place(self.moving, c, row)] = given[row * self.k + c]

    def read_sizes(self, loop):
        w, self.sizes = loop.w, Blocks(loop.w, self.shapes, 1)
        with w.count(0, self.sizes.lanes) as lane:
            self.sizes.numbers[lane] = 1.0  # of the lanes that no parameter has
        with w.count(0, self.k) as c:
            self.sizes.numbers[self.columns.place(self.sizes, c, 0)] = loop.sizes[c]

    def vectors(self, loop, shape, array):
        """Space of a block's state vectors, and the vector at the head of an array."""
        if self.in_memory:
            return InMemory(loop.w, loop.n, array.kind), array
        return InRegisters(loop.w, loop.n), [array[i] if i in shape.reach else None for i in range(loop.n)]

    # --- changes of the schedule --------------------------------------------------------------------------------------

    def before_change(self, loop, c):
        w, given = loop.w, self.given(loop, c)
        with w.when(loop.shifts[given] != 0):
            self.shift(loop, given, 1.0)
        row, old, kept = loop.change_rows[c], loop.moving[loop.change_rows[c]], loop.change_kept[given]
        with w.count(0, self.k) as j:
            at, by = self.columns.place(self.moving, j, row), given * self.k + j
            moved = self.moving.numbers[at] * kept + loop.kept_gradient[by] * old
            self.moving.numbers[at] = moved + loop.amount_gradient[by]

    def after_change(self, loop, c):
        given = self.given(loop, c)
        with loop.w.when(loop.shifts[given] != 0):
            loop.prepare()
            self.shift(loop, given, -1.0)

    def given(self, loop, c):
        """Row of a change in the caller's tables: members may share them."""
        return loop.members[0] * loop.change_stride + c

    def shift(self, loop, given, sign):
        """Add sign * f * tau' to the sensitivities."""
        rates = loop.rates(loop.space.read(loop.moving))
        with loop.w.count(0, self.k) as j:
            by = loop.shift[given * self.k + j] * sign
            for i in loop.space.indices():
                at = self.columns.place(self.moving, j, i)
                self.moving.numbers[at] = self.moving.numbers[at] + by * rates[i]

    # --- one step -----------------------------------------------------------------------------------------------------

    def accept(self, loop, step, wanted):
        """Move on to the end of an accepted step."""
        if not self.options.controlled:
            self.advance(loop, step, wanted)
            return
        for shape in self.shapes:
            with loop.w.count(0, shape.count) as b:
                space, end = self.vectors(loop, shape, self.next.block(shape, b))
                store(space, self.moving.block(shape, b), end)

    def test(self, loop, step, each, wanted):
        """The larger of the states' error and that of the worst sensitivity; NaN where one is not finite."""
        w = loop.w
        self.worst, self.unsound = w.cell(0.0), w.cell(0.0)
        with w.when(each <= 1.0):
            self.advance(loop, step, wanted)
        return w.larger(each, self.worst.value) + self.unsound.value

    def advance(self, loop, step, wanted):
        self.slopes.evaluate(step)
        for shape in self.shapes:
            with loop.w.count(0, shape.count) as b:
                self.advance_block(loop, step, wanted, shape, b)

    def advance_block(self, loop, step, wanted, shape, b):
        mine = self.moving.block(shape, b)
        space, start = self.vectors(loop, shape, mine)
        slope = self.slopes.slope_of(shape, b, mine)
        _, increments, end = run_stages(space, loop.lu, loop.table, step.inverse_h, start, slope)
        with loop.w.when(wanted):
            rows, kept = Dense.of(space, loop.table, start, increments, end).rows, self.dense.block(shape, b)
            for r, vector in enumerate(rows):
                store(space, kept.at(r * loop.n), vector)
        if self.options.controlled:
            self.judge(loop, step, space, self.sizes.block(shape, b)[0], (start, end, increments[-1]))
        store(space, self.next.block(shape, b), end)

    def judge(self, loop, step, space, size, carried):
        """Keep the worst error of the columns of a block."""
        w, guards, (before, after, error) = loop.w, loop.guards, carried

        def part(i):
            largest = w.larger(w.absolute(step.start[i]), w.absolute(step.end[i]))
            own = w.larger(w.absolute(before[i]), w.absolute(after[i]))
            ratio = error[i] / (guards.scale(i, largest) * size + guards.relative * own + 1e-300)
            return ratio * ratio

        total = w.cell(w.to(size.kind, 0.0))
        for i in space.indices():
            if self.in_memory or error[i] is not None:
                total.value = total.value + part(i)
        for lane in range(size.kind.count):
            square = w.lane(total.value, lane) * (1.0 / loop.n)
            self.worst.value = w.larger(self.worst.value, square)
            self.unsound.value = self.unsound.value + square * 0.0

    # --- outputs ------------------------------------------------------------------------------------------------------

    def observe_start(self, loop, due):
        def at_start(shape, b):
            return self.vectors(loop, shape, self.moving.block(shape, b))[1]

        self._observe(loop, due, loop.moving, at_start)

    def observe(self, loop, due, theta, point):
        def inside(shape, b):
            kept, n = self.dense.block(shape, b), loop.n
            vectors = [self.vectors(loop, shape, kept.at(r * n)) for r in range(2 + len(loop.table.dense))]
            return Dense(vectors[0][0], [vector for _, vector in vectors]).at(theta)

        self._observe(loop, due, point, inside)

    def _observe(self, loop, due, point, vector_at):
        """Gradients of states and observables; called before the values move the counter of outputs."""
        w, terms, n_model = loop.w, self.terms, len(loop.lists.model.states)
        groups = terms.observed_by_state, terms.observed_by_parameter, terms.observed_by_input
        values = iter(loop.formulas.evaluate([value for group in groups for value in group.values()], point))
        by_state, by_parameter, by_input = ([(*place, next(values)) for place in group] for group in groups)
        for shape in self.shapes:
            with w.count(0, shape.count) as b:
                s = vector_at(shape, b)
                seen, moving = self.seen.block(shape, b), self.moving.block(shape, b)
                store(InMemory(w, n_model) if self.in_memory else InRegisters(w, n_model), seen, s)
                totals = dict.fromkeys(range(len(loop.lists.observables)), w.to(seen.kind, 0.0))
                for o, j, value in by_state:
                    if self.in_memory or s[j] is not None:
                        totals[o] = totals[o] + s[j] * value
                for o, m, value in by_input:
                    totals[o] = totals[o] + moving[loop.n + m] * value
                for o, total in totals.items():
                    seen[n_model + o] = total
        for o, c, value in by_parameter:
            first, width, lane = self.places[c]
            at = first * self.seen.rows + (n_model + o) * width + lane
            self.seen.numbers[at] = self.seen.numbers[at] + value
        self.write(loop, due)

    def write(self, loop, due):
        w, row = loop.w, (loop.members[0] * loop.n_times + due) * loop.n_wanted
        with w.count(0, loop.n_wanted) as q:
            wanted, out = loop.wanted[q], loop.gradients.at((row + q) * self.k)
            with w.count(0, self.k) as c:
                out[c] = self.seen.numbers[self.columns.place(self.seen, c, wanted)]

    def blank(self, loop):
        """NaN for the outputs that were not reached."""
        length = loop.n_wanted * self.k
        first = loop.members[0] * loop.n_times
        with loop.w.count((first + loop.due.value) * length, (first + loop.n_times) * length) as at:
            loop.gradients[at] = float("nan")

    def write_log(self, loop, log, rows):
        """The dense output of a step: coefficient vectors, each parameter by parameter."""
        w, n = loop.w, loop.n
        with w.count(0, rows) as r, w.count(0, self.k) as c, w.count(0, n) as i:
            log[(r * self.k + c) * n + i] = self.dense.numbers[self.columns.place(self.dense, c, r * n + i)]


def store(space, array, vector):
    """Write a vector, but for what is always zero."""
    for i in space.indices():
        value = vector[i]
        if value is not None:
            array[i] = value
