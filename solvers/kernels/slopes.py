"""Right-hand sides of the sensitivities' stages: the model's derivatives at all stages, and their products with s.

`evaluate` computes every entry of the matrices in `lists.SensitivityLists` for all stages of a step at once, a stage a
lane; `slope` then multiplies and adds for one block of parameters, a parameter a lane. `UnrolledSlopes` writes the
products out; `IndexedSlopes` runs them from tables of indices, so that the code does not grow with the system.
"""

from llvmlite import ir

from .blocks import Blocks
from .emit import Writer
from .formulas import emit_expressions
from .values import DOUBLE, POINTER

__all__ = ["IndexedSlopes", "UnrolledSlopes"]

PART = 200  # entries a function: the compiler's time grows faster than the length of a function


class UnrolledSlopes:
    """For systems in registers; entries of a vector that are None are zero for all times (see `shapes.py`)."""

    def __init__(self, loop, terms, shapes, places):
        w = loop.w
        self.loop, self.terms, self.shapes, self.places = loop, terms, shapes, places
        self.n, self.stages, self.slots = loop.n, loop.table.stages, len(terms.start)
        self.kind = ir.VectorType(DOUBLE, self.stages)
        self.groups = (terms.jacobian, terms.curvature, terms.steering, terms.forcing)
        self.arrays = [w.array(len(group), self.kind) for group in self.groups[:3]]
        self.allocate()

    def allocate(self):
        self.forcing = Blocks(self.loop.w, self.shapes, self.stages * self.slots)
        self.rows = {shape: {i for i, c in self.terms.forcing if c in shape.columns} for shape in self.shapes}

    def begin(self):
        """Once a member: what no step writes."""
        self.forcing.clear()

    # --- the model's derivatives at all stages ------------------------------------------------------------------------

    def evaluate(self, step):
        w, terms, formulas = self.loop.w, self.terms, self.loop.formulas
        self.weights = formulas.weights()

        def packed(vectors):
            return [w.packed([v[i] for v in vectors]) for i in range(self.n)]

        start, increments = [step.start[i] for i in range(self.n)], packed(step.increments)
        extra = dict(zip(terms.start, self.with_totals(start), strict=True))
        extra |= dict(zip(terms.increment, self.with_totals(increments), strict=True))
        wanted = [value for group in self.groups for value in group.values()]
        values = [w.to(self.kind, v) for v in formulas.evaluate(wanted, packed(step.points), extra)]
        for array, group in zip(self.arrays, self.groups, strict=False):
            for place, _ in enumerate(group):
                array[place] = values.pop(0)
        self.keep_forcing(values)

    def keep_forcing(self, values):
        w = self.loop.w
        for (i, c), value in zip(self.terms.forcing, values, strict=True):
            for stage in range(self.stages):
                self.forcing.put(self.places[c], stage * self.slots + i, w.lane(value, stage))

    def with_totals(self, vector):
        """States and the totals that they make; None for a total that nothing is in."""
        sums = [None] * (self.slots - self.n)
        for (k, j), weight in self.weights.items():
            if vector[j] is not None:
                term = vector[j] if self.loop.lists.weights[k, j] == 1 else vector[j] * weight
                sums[k] = term if sums[k] is None else sums[k] + term
        return [*vector, *sums]

    # --- one block of parameters --------------------------------------------------------------------------------------

    def slope_of(self, shape, b, mine):
        """`slope(stage, point)` for a block; `mine` its rows of the extended state (see `loop.py`)."""
        loop, n = self.loop, self.n
        forcing, reached = self.forcing.block(shape, b), self.rows[shape]
        inputs = [mine[n + m] for m in range(loop.n_u)] if self.terms.steering else []
        jacobian, curvature, steering = (array.seen_as(DOUBLE) for array in self.arrays)
        at_start = []

        def add(rows, group, array, stage, vector):
            for place, (i, j) in enumerate(group):
                if i in rows and vector[j] is not None:
                    product = vector[j] * array[place * self.stages + stage]
                    total[i] = product if total[i] is None else total[i] + product

        def slope(stage, point):
            nonlocal total
            states, sums = ([i for i in shape.reach if (i < n) == small] for small in (True, False))
            total = [forcing[stage * self.slots + i] if i in reached else None for i in range(self.slots)]
            add(sums, self.terms.steering, steering, stage, inputs)
            extended = [_sum(a, b) for a, b in zip(self.with_totals(point), [None] * n + total[n:], strict=True)]
            if stage == 0:  # the first point is the start
                at_start[:] = extended
            for v, i in enumerate(loop.options.infused):
                if i in shape.reach:
                    total[i] = _sum(total[i], mine[n + loop.n_u + v])
            add(states, self.terms.curvature, curvature, stage, at_start)
            add(states, self.terms.steering, steering, stage, inputs)
            add(states, self.terms.jacobian, jacobian, stage, extended)
            return total[:n]

        total = []
        return slope


def _sum(a, b):
    return b if a is None else a if b is None else a + b


class IndexedSlopes(UnrolledSlopes):
    """For systems in memory: the same sums as emitted loops over tables made here, the entries in functions."""

    def allocate(self):
        w, n, terms = self.loop.w, self.n, self.terms
        self.arrays.append(w.array(len(terms.forcing), self.kind))
        self.points, self.increments = (w.array(self.slots, self.kind) for _ in range(2))
        self.start, self.weighing = w.array(self.slots), w.array(len(self.loop.lists.weights))
        self.weight_rows = _Rows(w, self.loop.lists.weights, range(self.slots - n))
        self.sparse = [_Rows(w, group, range(n)) for group in self.groups[:3]]
        self.into_totals = _Rows(w, terms.steering, range(n, self.slots))
        self.entries = {
            (shape, states): _Entries(w, terms.forcing, shape, lambda i, states=states: (i < n) == states)
            for shape in self.shapes
            for states in (True, False)
        }
        self.functions = list(self.write_functions())

    def begin(self):
        """Nothing is kept from one step to the next."""

    def write_functions(self):
        """Functions (constants, points, start, increments, arrays...) that write the entries, some rows each."""
        entries = [(i, g, e, v) for g, group in enumerate(self.groups) for e, ((i, _), v) in enumerate(group.items())]
        entries.sort(key=lambda entry: entry[0])
        lists, terms = self.loop.lists, self.terms
        constants = (*lists.constants.symbols, *lists.constants.lifted.values())
        symbols = (constants, (*lists.states, *lists.totals), terms.start, terms.increment)
        for part in range(0, len(entries), PART):
            inner = Writer(self.loop.w.module, f"slopes_{part}", 1, [POINTER] * 8, internal=True)
            kinds = (DOUBLE, self.kind, DOUBLE, *[self.kind] * 5)
            given = [inner.own(a, kind) for a, kind in zip(inner.arguments, kinds, strict=True)]
            scope = _Scope(dict(zip(symbols, given[:4], strict=True)))
            mine = entries[part : part + PART]
            for (_, g, e, _), value in zip(mine, emit_expressions(inner, [v for *_, v in mine], scope), strict=True):
                given[4 + g][e] = inner.to(self.kind, value)
            inner.finish()
            yield inner.function

    def evaluate(self, step):
        w, n = self.loop.w, self.n
        for e, weight in enumerate(self.loop.formulas.weights().values()):
            self.weighing[e] = weight
        with w.count(0, n) as i:
            self.points[i] = w.packed([v[i] for v in step.points])
            self.increments[i] = w.packed([v[i] for v in step.increments])
            self.start[i] = step.start[i]
        for vector in (self.points, self.increments, self.start):
            with w.count(0, self.slots - n) as k:
                vector[n + k] = self.total(k, vector).value
        for function in self.functions:
            w.call(function, self.loop.constants, self.points, self.start, self.increments, *self.arrays)

    def total(self, k, vector):
        """A cell with total k of a vector."""
        total = self.loop.w.cell(self.loop.w.to(vector.kind, 0.0))
        self.weight_rows.add(total, k, vector, lambda e: self.weighing[e])
        return total

    def slope_of(self, shape, b, mine):
        loop, w, n = self.loop, self.loop.w, self.n
        kind, (jacobian, curvature, steering, forcing) = mine.kind, (a.seen_as(DOUBLE) for a in self.arrays)
        inputs, at_start = mine.at(n), w.array(self.slots, mine.kind)

        def force(vector, stage, states):
            self.entries[shape, states].add(b, vector, forcing, self.stages, stage)

        def extended(stage, point):
            vector = w.array(self.slots, kind)
            with w.count(0, n) as i:
                vector[i] = point[i]
            with w.count(0, self.slots - n) as k:
                total = self.total(k, point)
                self.into_totals.add(total, k, inputs, lambda e: steering[e * self.stages + stage])
                vector[n + k] = total.value
            force(vector, stage, False)
            return vector

        def slope(stage, point):
            vector, result = extended(stage, point), w.array(n, kind)
            if stage == 0:
                with w.count(0, self.slots) as i:
                    at_start[i] = vector[i]
            with w.count(0, n) as i:
                total = w.cell(w.to(kind, 0.0))
                for rows, array, by in zip(
                    self.sparse, (jacobian, curvature, steering), (vector, at_start, inputs), strict=True
                ):
                    rows.add(total, i, by, lambda e, array=array: array[e * self.stages + stage])
                result[i] = total.value
            force(result, stage, True)
            for v, i in enumerate(loop.options.infused):
                result[i] = result[i] + mine[n + loop.n_u + v]
            return result

        return slope


class _Scope(dict):
    """Symbol -> Number on first use, from (symbols, array) pairs."""

    def __init__(self, pairs):
        super().__init__()
        self._places = {s: (array, k) for symbols, array in pairs.items() for k, s in enumerate(symbols)}

    def __missing__(self, symbol):
        array, place = self._places[symbol]
        self[symbol] = array[place]
        return self[symbol]


class _Rows:
    """Entries (i, j) of a sparse matrix, row by row, as tables: which entry, which column, where a row ends."""

    def __init__(self, w, group, rows):
        self.w, entries, columns, ends = w, [], [], [0]
        for row in rows:
            found = [(place, j) for place, (i, j) in enumerate(group) if i == row]
            entries += [place for place, _ in found]
            columns += [j for _, j in found]
            ends.append(len(entries))
        self.empty = not entries
        self.entries, self.columns, self.ends = map(w.table, (entries, columns, ends))

    def add(self, total, row, vector, number):
        """Add number(entry) * vector[column] over a row."""
        if self.empty:
            return
        with self.w.count(self.ends[row], self.ends[row + 1]) as e:
            total.value = total.value + vector[self.columns[e]] * number(self.entries[e])


class _Entries:
    """Entries of the forcing that fall into a block, as tables: which entry, where among the numbers of a vector."""

    def __init__(self, w, forcing, shape, chosen):
        place = {c: divmod(number, shape.width) for number, c in enumerate(shape.columns)}
        entries, targets, ends = [], [], [0]
        for block in range(shape.count):
            for entry, (i, c) in enumerate(forcing):
                if chosen(i) and c in place and place[c][0] == block:
                    entries.append(entry)
                    targets.append(i * shape.width + place[c][1])
            ends.append(len(entries))
        self.w, self.empty = w, not entries
        self.entries, self.targets, self.ends = map(w.table, (entries, targets, ends))

    def add(self, block, vector, forced, stages, stage):
        if self.empty:
            return
        numbers = vector.seen_as(DOUBLE)
        with self.w.count(self.ends[block], self.ends[block + 1]) as e:
            target = self.targets[e]
            numbers[target] = numbers[target] + forced[self.entries[e] * stages + stage]
