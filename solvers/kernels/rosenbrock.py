"""One step of a method, written once for states and sensitivities, in registers or in memory.

This is the room to change a method in: `run_stages` reads like the formula at the head of `tables.py`. A `space`
(see `vectors.py`) adds vectors, an `lu` (see `linear.py`) solves with W = I / (gamma h) - J, `slope` is the right-hand
side. All of it emits code; the loops below unroll.
"""

from dataclasses import dataclass

__all__ = ["Dense", "Step", "attempt", "attempt_explicit", "run_stages"]


@dataclass
class Step:
    """A tried step; vectors belong to a space of `vectors.py`.

    `error` estimates the error of `end`; `doubtful` says in which lanes the linear algebra cannot be trusted.
    """

    t: object
    h: object
    inverse_h: object
    start: object
    points: list
    increments: list
    end: object
    error: object
    doubtful: object = None
    too_long: object = None


def run_stages(space, lu, table, inverse_h, start, slope):
    """Points Y_i, increments u_i and the new value; `slope(i, Y_i)` is the right-hand side of stage i."""
    points, increments = [], []
    for i in range(table.stages):
        points.append(_point(space, table, i, start, points, increments))
        right = slope(i, points[i])
        if i:
            carried = space.combine(list(zip(table.c[i], increments, strict=True)))
            right = space.combine([(inverse_h, carried), (1.0, right)])
        increments.append(lu.solve(right))
    return points, increments, space.combine([(1.0, points[-1]), (1.0, increments[-1])])


def _point(space, table, i, start, points, increments):
    row = table.a[i]
    if not any(row):
        return start
    if i > 1 and row == (*table.a[i - 1], 1.0):  # the last point and its increment: two additions in place of i
        return space.combine([(1.0, points[-1]), (1.0, increments[-1])])
    return space.combine([(1.0, start), *zip(row, increments, strict=True)])


def attempt(w, space, lu, table, equations, t, h, start):
    """Factor W at the start of the step and run the stages."""
    inverse_h = 1.0 / h
    first, jacobian = equations.tangent(start)
    lu.factor(inverse_h * (1.0 / table.gamma), jacobian, equations.weights())

    def slope(i, point):
        return first if not any(table.a[i]) else equations.rates(point)

    points, increments, end = run_stages(space, lu, table, inverse_h, start, slope)
    return Step(t, h, inverse_h, start, points, increments, end, increments[-1], lu.doubtful(), lu.too_long)


def attempt_explicit(w, space, table, equations, t, h, start):
    """The stages of an explicit method; the increments are h times the rates, and the last point is the new value."""
    points, increments = [], []
    for row in table.a:
        points.append(space.combine([(1.0, start), *zip(row, increments, strict=True)]) if row else start)
        increments.append(space.combine([(h, equations.rates(points[-1]))]))
    error = space.combine(list(zip(table.error, increments, strict=True)))
    return Step(t, h, 1.0 / h, start, points, increments, points[-1], error)


class Dense:
    """The polynomial of a step: `rows` are its coefficient vectors, `at(theta)` the value at t + theta h."""

    def __init__(self, space, rows):
        self.space, self.rows = space, rows

    @classmethod
    def of(cls, space, table, start, increments, end):
        shapes = [space.combine(list(zip(row, increments, strict=True))) for row in table.dense]
        return cls(space, [start, end, *shapes])

    def at(self, theta):
        rest = 1.0 - theta
        weights, bump = [rest, theta], theta * rest
        for _ in self.rows[2:]:
            weights.append(bump)
            bump = bump * theta
        return self.space.combine(list(zip(weights, self.rows, strict=True)))
