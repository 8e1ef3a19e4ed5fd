"""Sparse LU of W = I / (gamma h) - J without pivoting: what to eliminate when, and two ways to write it.

W tends to a multiple of the identity as h gets small, so pivots on the diagonal are safe at small steps. Whether they
were at this one is looked at: the last system solved in a step must satisfy, row by row,

    |b - W x| <= TRUSTED (|W| |x| + |b|) + NOTHING,

which a stable elimination does with room to spare (its left side is some roundings). Where it does not, the step is
refused and tried again with a smaller h, and a member that cannot go on is left to a method that pivots.

The sign of the determinant comes with the pivots. It is positive as long as the step resolves every mode that grows
(1 / (gamma h) above its eigenvalue); beyond, the method damps what should grow, and its error estimate sees nothing:
it steps over the pole of y' = y^2. `too_long` marks such lanes, and the step is refused (`guards.py`).

`Plan` orders the pivots by Markowitz's count (least fill) from the pattern alone. A total (a sum shared by several
equations) can be folded into the columns of its states, or kept as one more unknown z with the row
z - sum of weights * states = 0. With 50 clones in one niche the second costs 109 times fewer operations; the plan takes
whichever is cheaper.

`UnrolledLU` keeps every entry in a register; `IndexedLU` runs the same plan from tables of indices, so that the code
does not grow with the system.
"""

from .emit import Writer
from .values import POINTER

__all__ = ["IndexedLU", "Plan", "UnrolledLU"]

STRAIGHT = 4000  # entries of L and U, up to which the substitutions are written out
TRUSTED = 1e-11  # 1e5 roundings: elements that grew more than that in the elimination have eaten digits of the step
NOTHING = 1e-250  # a clone on its way to zero passes numbers without 1e5 roundings; no tolerance asks for them


class Plan:
    """Order of pivots and pattern of L and U, for given positions of the Jacobian and of the totals' weights."""

    def __init__(self, n, jacobian, weights, n_totals):
        members = [[j for k, j in weights if k == total] for total in range(n_totals)]
        folded = {(i, j) for i, j in jacobian if j < n}
        folded |= {(i, j) for i, k in jacobian if k >= n for j in members[k - n]}
        candidates = [_eliminate(n, folded)]
        if n_totals:
            kept = set(jacobian) | {(n + k, j) for k, j in weights}
            candidates.append(_eliminate(n + n_totals, kept))
        self.operations, self.size, self.order, self.entries = min(candidates, key=lambda c: c[0])
        self.n, self.keeps_totals = n, self.size > n
        rank = {k: r for r, k in enumerate(self.order)}
        self.before = {i: [k for k in self.order[: rank[i]] if (i, k) in self.entries] for i in self.order}
        self.after = {i: [k for k in self.order[rank[i] + 1 :] if (i, k) in self.entries] for i in self.order}
        self.index = {ij: c for c, ij in enumerate(sorted(self.entries))}

    def pivots(self):
        """(pivot, rows still below it, columns still right of it), in the order of elimination."""
        below = {k: [] for k in self.order}
        for i in self.order:
            for k in self.before[i]:
                below[k].append(i)
        for k in self.order:
            yield k, below[k], self.after[k]

    def matrix(self, w, diagonal, jacobian, weights):
        """Entries of W as values; `jacobian` has the totals in columns n and beyond."""
        n, entries = self.n, dict.fromkeys(((i, i) for i in range(self.n)), diagonal)

        def subtract(i, j, value):
            entries[i, j] = entries[i, j] - value if (i, j) in entries else -value

        for (i, j), value in jacobian.items():
            if j < n or self.keeps_totals:
                subtract(i, j, value)
            else:
                for (k, state), weight in weights.items():
                    if k == j - n:
                        subtract(i, state, value * weight)
        if self.keeps_totals:
            for (k, state), weight in weights.items():
                entries[n + k, n + k] = w.real(1.0)
                entries[n + k, state] = -weight
        return entries


def _eliminate(size, pattern):
    """(operations, size, order, entries of L and U) by least Markowitz count."""
    row, column = [{i} for i in range(size)], [{i} for i in range(size)]
    for i, j in pattern:
        row[i].add(j)
        column[j].add(i)
    left, order, entries, operations = set(range(size)), [], set(), 0
    while left:
        pivot = min(left, key=lambda k: ((len(row[k]) - 1) * (len(column[k]) - 1), k))
        left.discard(pivot)
        order.append(pivot)
        below, right = column[pivot] - {pivot}, row[pivot] - {pivot}
        entries |= {(pivot, pivot), *((i, pivot) for i in below), *((pivot, j) for j in right)}
        operations += 1 + len(below) * (1 + 2 * len(right))
        for i in below:
            row[i].discard(pivot)
            row[i] |= right
        for j in right:
            column[j].discard(pivot)
            column[j] |= below
    return operations, size, order, entries


class UnrolledLU:
    """`factor`, then `solve` as often as wanted; vectors are lists of Numbers, None where they are always zero."""

    def __init__(self, w, plan):
        self.w, self.plan = w, plan

    def factor(self, diagonal, jacobian, weights):
        w, sign = self.w, self.w.real(1.0)
        self.matrix = self.plan.matrix(w, diagonal, jacobian, weights)
        a = self.entries = dict(self.matrix)
        for k, below, right in self.plan.pivots():
            sign = w.where(a[k, k] < 0.0, -sign, sign)
            a[k, k] = 1.0 / a[k, k]  # the inverse is kept: back substitution multiplies
            for i in below:
                a[i, k] = a[i, k] * a[k, k]
                for j in right:
                    product = a[i, k] * a[k, j]
                    a[i, j] = a[i, j] - product if (i, j) in a else -product
        self.too_long = sign < 0.0

    def solve(self, b):
        a, plan = self.entries, self.plan
        x = list(b) + [None] * (plan.size - plan.n)

        def subtract(i, k):
            if x[k] is not None:
                product = a[i, k] * x[k]
                x[i] = -product if x[i] is None else x[i] - product

        for i in plan.order:
            for k in plan.before[i]:
                subtract(i, k)
        for i in reversed(plan.order):
            for k in plan.after[i]:
                subtract(i, k)
            x[i] = None if x[i] is None else x[i] * a[i, i]
        self.last = b, x
        return x[: plan.n]

    def doubtful(self):
        """Lanes in which the last solve does not satisfy its equations."""
        w, (b, x), n = self.w, self.last, self.plan.n
        misses = {i: b[i] for i in range(n)} | {i: w.real(0.0) for i in range(n, self.plan.size)}
        sizes = {i: w.absolute(miss) for i, miss in misses.items()}
        for (i, j), value in self.matrix.items():
            term = value * x[j]
            misses[i], sizes[i] = misses[i] - term, sizes[i] + w.absolute(term)
        found = None
        for i, miss in misses.items():
            wrong = w.absolute(miss) > sizes[i] * TRUSTED + NOTHING
            found = wrong if found is None else found | wrong
        return found


class IndexedLU:
    """The same with matrix and vectors in memory: emitted loops over tables made here.

    The substitutions, eight times a step, are straight code in a function of their own where that stays short.
    """

    def __init__(self, w, plan):
        self.w, self.plan = w, plan
        self.entries = w.array(len(plan.index))
        self.functions = {}
        at = plan.index
        pivots, rows, row_ends, targets, sources, update_ends = [], [], [0], [], [], [0]
        for k, below, right in plan.pivots():
            pivots.append(at[k, k])
            for i in below:
                rows.append(at[i, k])
                targets += [at[i, j] for j in right]
                sources += [at[k, j] for j in right]
                update_ends.append(len(targets))
            row_ends.append(len(rows))
        tables = (pivots, rows, row_ends, targets, sources, update_ends)
        self.pivots, self.rows, self.row_ends, self.targets, self.sources, self.update_ends = map(w.table, tables)
        self.down = self._sweep(plan.order, plan.before)
        self.up = self._sweep(plan.order[::-1], plan.after)
        self.diagonals = w.table([at[k, k] for k in plan.order[::-1]])

    def _sweep(self, order, neighbours):
        """Tables of one substitution: the unknowns in turn, and for each the entries and columns that it needs."""
        entries, columns, ends = [], [], [0]
        for i in order:
            entries += [self.plan.index[i, k] for k in neighbours[i]]
            columns += neighbours[i]
            ends.append(len(entries))
        return tuple(map(self.w.table, (order, entries, columns, ends)))

    def factor(self, diagonal, jacobian, weights):
        w, plan, m = self.w, self.plan, self.entries
        sign = w.cell(w.real(1.0))
        with w.count(0, len(plan.index)) as c:
            m[c] = 0.0
        matrix = plan.matrix(w, diagonal, jacobian, weights)
        self.pattern, self.matrix = list(matrix), w.array(len(matrix))
        for place, (ij, value) in enumerate(matrix.items()):
            m[plan.index[ij]] = self.matrix[place] = value
        with w.count(0, plan.size) as p:
            pivot = self.pivots[p]
            sign.value = w.where(m[pivot] < 0.0, -sign.value, sign.value)
            inverse = 1.0 / m[pivot]
            m[pivot] = inverse
            with w.count(self.row_ends[p], self.row_ends[p + 1]) as r:
                row = self.rows[r]
                multiplier = m[row] * inverse
                m[row] = multiplier
                with w.count(self.update_ends[r], self.update_ends[r + 1]) as u:
                    target = self.targets[u]
                    m[target] = m[target] - multiplier * m[self.sources[u]]
        self.too_long = sign.value < 0.0

    def solve(self, b):
        w, plan = self.w, self.plan
        x = w.array(plan.size, b.kind)
        with w.count(0, plan.n) as i:
            x[i] = b[i]
        for k in range(plan.n, plan.size):
            x[k] = 0.0
        if len(plan.index) <= STRAIGHT:
            w.call(self._straight(x.kind), self.entries, x)
        else:
            self._substitute(x, self.down)
            self._substitute(x, self.up, scaled=True)
        self.last = b, x
        return x

    def _straight(self, kind):
        """`solve(entries, x)` for vectors of a kind, without an index that is looked up."""
        if kind not in self.functions:
            w = Writer(self.w.module, f"solve_{len(self.functions)}", self.w.lanes, [POINTER] * 2, internal=True)
            m, x = w.own(w.arguments[0]), w.own(w.arguments[1], kind)
            for order, neighbours, scaled in ((self.plan.order, self.plan.before, False),
                                              (self.plan.order[::-1], self.plan.after, True)):  # fmt: skip
                for i in order:
                    if neighbours[i] or scaled:
                        value = x[i]
                        for k in neighbours[i]:
                            value = value - m[self.plan.index[i, k]] * x[k]
                        x[i] = value * m[self.plan.index[i, i]] if scaled else value
            w.finish()
            self.functions[kind] = w.function
        return self.functions[kind]

    def doubtful(self):
        w, (b, x), size = self.w, self.last, self.plan.size
        rows, columns = (w.table([ij[side] for ij in self.pattern]) for side in (0, 1))
        misses, sizes, wrong = w.array(size), w.array(size), w.cell(w.real(0.0))
        with w.count(0, self.plan.n) as i:
            misses[i], sizes[i] = b[i], w.absolute(b[i])
        for i in range(self.plan.n, size):
            misses[i] = sizes[i] = 0.0
        with w.count(0, len(self.pattern)) as c:
            i, term = rows[c], self.matrix[c] * x[columns[c]]
            misses[i], sizes[i] = misses[i] - term, sizes[i] + w.absolute(term)
        with w.count(0, size) as i:
            wrong.value = w.where(w.absolute(misses[i]) > sizes[i] * TRUSTED + NOTHING, w.real(1.0), wrong.value)
        return wrong.value != 0.0

    def _substitute(self, x, tables, scaled=False):
        w, (order, entries, columns, ends) = self.w, tables
        with w.count(0, self.plan.size) as r:
            i = order[r]
            value = w.cell(x[i])
            with w.count(ends[r], ends[r + 1]) as c:
                value.value = value.value - self.entries[entries[c]] * x[columns[c]]
            x[i] = value.value * self.entries[self.diagonals[r]] if scaled else value.value
