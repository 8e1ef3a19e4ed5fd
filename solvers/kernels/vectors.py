"""State vectors of the emitted program: in registers for small systems, in memory for large ones.

A method is written once against `combine`, `indices`, `total` and `v[i]`. In registers an entry may be None: zero for
all times and parameters, so that nothing is written for it.
"""

__all__ = ["InMemory", "InRegisters"]


class InRegisters:
    """A vector is a Python list of Numbers; everything unrolls."""

    def __init__(self, writer, n):
        self.w, self.n = writer, n

    def read(self, array):
        return [array[i] for i in range(self.n)]

    def write(self, array, vector):
        for i in range(self.n):
            array[i] = vector[i]

    def combine(self, terms):
        """Sum of coefficient * vector. What was computed last goes last: one multiply-add then waits for it."""
        return [_sum_at(terms, i) for i in range(self.n)]

    def indices(self):
        """`for i in space.indices():` writes its body once a state, or once within an emitted loop."""
        return range(self.n)

    def rows(self, chosen):
        """`for place, i in space.rows(chosen):` does so for some states and their places among these."""
        return enumerate(chosen)

    def total(self, function):
        """Sum of function(i) over the states."""
        result = function(0)
        for i in range(1, self.n):
            result = result + function(i)
        return result


class InMemory(InRegisters):
    """A vector is an Array of one kind; everything is an emitted loop over the states."""

    def __init__(self, writer, n, kind=None):
        super().__init__(writer, n)
        self.kind = kind or writer.vector

    def read(self, array):
        return self.combine([(1.0, array)])

    def write(self, array, vector):
        with self.w.count(0, self.n) as i:
            array[i] = vector[i]

    def combine(self, terms):
        result = self.w.array(self.n, self.kind)
        with self.w.count(0, self.n) as i:
            result[i] = _sum_at(terms, i)
        return result

    def indices(self):
        with self.w.count(0, self.n) as i:
            yield i

    def rows(self, chosen):
        table = self.w.table(chosen)
        with self.w.count(0, len(chosen)) as place:
            yield place, table[place]

    def total(self, function):
        result = self.w.cell(function(0))
        with self.w.count(1, self.n) as i:
            result.value = result.value + function(i)
        return result.value


def _sum_at(terms, i):
    result = None
    for coefficient, vector in terms:
        if isinstance(coefficient, float) and coefficient == 0.0:
            continue
        entry = vector[i]
        if entry is None:
            continue
        term = entry if isinstance(coefficient, float) and coefficient == 1.0 else entry * coefficient
        result = term if result is None else result + term
    return result
