"""One step of ROS34PW2, a Rosenbrock-W method of order 3, with its systems solved direction by direction.

A W-method [1]_ keeps its order whatever matrix stands in for the Jacobian J. Here, field by field,

    W = (d - g Ax) d^-1 (d - g Ay),   d = 1 - g dF/du,   g = gamma h,

with Ax, Ay the diffusion along x and y: the error of the product is g^2 Ax d^-1 Ay, small where a field decays fast;
where diffusion is strong, one pass on the residual takes it down. A pass more or less is another W, no error.
Derivatives by fields that were solved before stand on the right (the fields are put in the order in which the strongest
influences come first), so a signal follows its source within a stage. Taxis is explicit.

References
----------
.. [1] Rang and Angermann (2005), BIT Numerical Mathematics 45, 761-787.
"""

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from .compile import compiled
from .machine import run_fields
from .plan import CONSTANT, FIELD
from .rates import rates
from .sweeps import even_factors, even_residual, sweep_x, sweep_x_even, sweep_y, sweep_y_even

__all__ = ["GAMMA", "ORDER", "STAGES", "Stepper"]

STAGES, ORDER = 4, 3
GAMMA = 4.3586652150845900e-01
ALPHA = np.array([
    [0, 0, 0, 0], [8.7173304301691801e-01, 0, 0, 0], [8.4457060015369423e-01, -1.1299064236484185e-01, 0, 0],
    [0, 0, 1, 0],
])  # fmt: skip
LOWER = np.array([
    [0, 0, 0, 0], [-8.7173304301691801e-01, 0, 0, 0], [-9.0338057013044082e-01, 5.4180672388095326e-02, 0, 0],
    [2.4212380706095346e-01, -1.2232505839045147, 5.4526025533510214e-01, 0],
]) + GAMMA * np.eye(STAGES)  # fmt: skip
WEIGHTS = np.array([2.4212380706095346e-01, -1.2232505839045147, 1.5452602553351020, 4.3586652150845900e-01])
SECOND = np.array([3.7810903145819369e-01, -9.6042292212423178e-02, 0.5, 2.1793326075422950e-01])
_INVERSE = np.linalg.inv(LOWER)
A, C = np.tril(ALPHA @ _INVERSE, -1), np.tril(np.eye(STAGES) / GAMMA - _INVERSE, -1)
ERROR = (WEIGHTS - SECOND) @ _INVERSE
TIMES = ALPHA.sum(axis=1)
MOST_ORDERED = 6  # fields up to which every order of solution is looked at
STRONG = 1.0  # g D / spacing^2 above which the error of the product is taken down by one more pass
UNEVEN = 0.5  # variation of d over the cells above which it is not replaced by one number


@compiled
def _point(y, U, a, s, out):
    """out = y + sum of a[e] U[e] over e < s."""
    n, N = y.shape
    for i in range(n):
        base, found = y[i], out[i]
        if s == 1:
            p, x = U[0, i], a[0]
            for c in range(N):
                found[c] = base[c] + x * p[c]
        elif s == 2:
            p, q, x, z = U[0, i], U[1, i], a[0], a[1]
            for c in range(N):
                found[c] = base[c] + x * p[c] + z * q[c]
        else:
            p, q, r, x, z, w = U[0, i], U[1, i], U[2, i], a[0], a[1], a[2]
            for c in range(N):
                found[c] = base[c] + x * p[c] + z * q[c] + w * r[c]


@compiled
def _scale(f, g):
    for i in range(f.shape[0]):
        for c in range(f.shape[1]):
            f[i, c] *= g


@compiled
def _add(x, factor, y, out):
    """out += factor x y for fields."""
    for c in range(out.shape[0]):
        out[c] += factor * x[c] * y[c]


@compiled
def _add_even(factor, y, out):
    for c in range(out.shape[0]):
        out[c] += factor * y[c]


@compiled
def _finish(point, U, error, y, new, rtol, atol, sizes, low):
    """new = point + U[3]; sizes (n,): mean square of the error over tolerance; low (n,): smallest value."""
    n, N = y.shape
    for i in range(n):
        total, lowest = 0.0, np.inf
        a, b, c, d, p = U[0, i], U[1, i], U[2, i], U[3, i], point[i]
        old, out, floor = y[i], new[i], atol[i]
        for k in range(N):
            v = p[k] + d[k]
            e = error[0] * a[k] + error[1] * b[k] + error[2] * c[k] + error[3] * d[k]
            q = e / (floor + rtol * max(abs(old[k]), abs(v)))
            total += q * q
            lowest = min(lowest, v)
            out[k] = v
        sizes[i], low[i] = total / N, lowest


@dataclass(frozen=True, eq=False)
class _Field:
    """How one field is solved for: d and the coefficient of diffusion, each a number or a field; ends at walls."""

    decay: object
    diffusion: object
    walls: tuple


class Stepper:
    """Steps of one stretch with constant inputs.

    Parameters
    ----------
    plan : Plan
    inputs : list of float
    infusion : (n,) array
    """

    def __init__(self, plan, inputs, infusion):
        spatial = plan.spatial
        self.plan, self.infusion, self.n, self.size = plan, infusion, spatial.n, spatial.size
        self.shape = spatial.grid.shape
        self.registers = [t.registers([*spatial.parameters, *inputs, 0.0]) for t in (plan.short, plan.full)]
        self.aux = np.empty((len(plan.short.varied), self.size))
        self.slopes = np.empty((len(plan.full.varied), self.size))
        self.U, self.point = np.empty((STAGES, self.n, self.size)), np.empty((self.n, self.size))
        self.first = np.empty((self.n, self.size))
        self.sizes, self.low = np.empty(self.n), np.empty(self.n)
        self.evaluations = 0

    def rates(self, t, y, f):
        """f becomes the rates of y (n, N) at time t."""
        plan, short = self.plan, self.plan.short
        registers = self.registers[0]
        registers[short.tape.first_variable - 1] = t
        tape = (short.code, registers, short.tape.first_variable, short.rated, short.varied, short.constant)
        rates(
            y, tape, plan.given, plan.terms, plan.spreading, plan.geometry, (plan.fixed, plan.value, plan.inflow),
            self.infusion, self.aux, f,
        )  # fmt: skip
        self.evaluations += 1

    def begin(self, t, y, scale):
        """Rates and derivatives at the start of a step; scale (n,) are sizes of the fields."""
        self.rates(t, y, self.first)
        plan, full, registers = self.plan, self.plan.full, self.registers[1]
        registers[full.tape.first_variable - 1] = t
        run_fields(
            full.code, registers, full.tape.first_variable, plan.given, y, np.zeros(0, np.int64), y, full.varied,
            self.slopes,
        )  # fmt: skip
        found = {(i, j): self._output(kind, place, y) for i, j, kind, place in plan.by}
        self.by = {key: value for key, value in found.items() if np.ndim(value) or value != 0.0}
        self.order = _order(self.n, self.by, scale)
        rank = {s: r for r, s in enumerate(self.order)}
        self.before = [[(j, v) for (i, j), v in self.by.items() if i == s and rank[j] < rank[s]] for s in range(self.n)]
        self.fields = [self._field(s, y) for s in range(self.n)]

    def _output(self, kind, place, y):
        if kind == CONSTANT:
            return float(self.registers[1][self.plan.full.constant[place], 0])
        return self.slopes[place] if kind == FIELD else y[place]

    def _field(self, s, y):
        parts = [-self._output(kind, place, y) for state, kind, place in self.plan.diffusion if state == s]
        diffusion = sum(parts) if parts else 0.0
        diffusion = np.maximum(diffusion, 0.0) if np.ndim(diffusion) else max(diffusion, 0.0)
        return _Field(self.by.get((s, s), 0.0), diffusion, tuple(2.0 * self.plan.fixed[:, s]))

    def attempt(self, t, y, h, new, rtol, atol):
        """A step from y to `new`: its error in units of the tolerance; `self.low` holds the smallest values."""
        solvers = [self._solver(s, GAMMA * h) for s in range(self.n)]
        if any(s is None for s in solvers):
            return np.inf
        U = self.U
        for s in range(STAGES):
            if s == 0:
                U[0] = self.first
            else:
                _point(y, U, A[s], s, self.point)
                self.rates(t + TIMES[s] * h, self.point, U[s])
                _point(U[s], U, C[s] / h, s, U[s])
            _scale(U[s], GAMMA * h)
            for i in self.order:
                for j, slope in self.before[i]:
                    if np.ndim(slope):
                        _add(slope, GAMMA * h, U[s, j], U[s, i])
                    else:
                        _add_even(GAMMA * h * slope, U[s, j], U[s, i])
                solvers[i](U[s, i].reshape(self.shape))
        _finish(self.point, U, ERROR, y, new, rtol, atol, self.sizes, self.low)
        return float(np.sqrt(self.sizes.max()))

    def _solver(self, s, g):
        """A function that solves W v = r in place; None where the step is too long for the growth of a field."""
        field, (ny, nx, dy, dx, periodic_y, periodic_x) = self.fields[s], self.plan.geometry
        d, D = 1.0 - g * field.decay, field.diffusion
        ky, kx = g / dy**2, g / dx**2
        left, right, bottom, top = field.walls
        if np.ndim(d):
            low, high = float(d.min()), float(d.max())
            if not low > 0.1:
                return None
            if high - low <= UNEVEN:
                d = float(d.mean())
        elif not d > 0.1:
            return None
        if not np.ndim(d) and not np.ndim(D):
            if D == 0.0:
                return lambda r: _scale(r, 1.0 / d)
            along_x = even_factors(d, kx * D, nx, periodic_x, left * kx * D, right * kx * D)
            along_y = even_factors(d, ky * D, ny, periodic_y, bottom * ky * D, top * ky * D)

            walls = (left * kx * D, right * kx * D, bottom * ky * D, top * ky * D)

            def swept(r):
                sweep_x_even(r, kx * D, along_x, periodic_x)
                sweep_y_even(r, ky * D, along_y, periodic_y, d)

            def even(r):
                if min(ky, kx) * D < STRONG * d:
                    swept(r)
                    return
                right, rest = r.copy(), np.empty_like(r)
                swept(r)
                even_residual(right, r, d, (ky * D, kx * D), (periodic_y, periodic_x), walls, rest)
                swept(rest)
                r += rest

            return even
        d, D = (np.broadcast_to(v.reshape(self.shape) if np.ndim(v) else v, self.shape) for v in (d, D))
        d, D = np.ascontiguousarray(d), np.ascontiguousarray(D)

        def uneven(r):
            sweep_x(r, d, D, kx, periodic_x, left * kx, right * kx)
            sweep_y(r, d, D, ky, periodic_y, bottom * ky, top * ky)

        return uneven


def _order(n, by, scale):
    """Order of the fields in which the influences that are left out are least."""
    weight = np.zeros((n, n))
    for (i, j), value in by.items():
        if i != j:
            size = float(np.abs(value).max()) if np.ndim(value) else abs(value)
            weight[i, j] = size * scale[j] / scale[i]
    if n > MOST_ORDERED:
        rest, found = list(range(n)), []
        while rest:
            found.append(min(rest, key=lambda i: sum(weight[i, j] for j in rest)))
            rest.remove(found[-1])
        return tuple(found)

    def left_out(order):
        return sum(weight[order[a], order[b]] for a in range(n) for b in range(a + 1, n))

    return min(permutations(range(n)), key=left_out)
