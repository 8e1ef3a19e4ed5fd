"""Steps of a Rosenbrock method on a line of cells, with its error control and its output between the ends of steps."""

import numpy as np

from .assembly import conductances, jacobian, rates, see_walls
from .compile import compiled
from .elimination import factor, factor_ring, solve, solve_ring
from .machine import run_cells, settle
from .tridiagonal import factor_inwards, solve_inwards

__all__ = ["DONE", "FULL", "NOT_FINITE", "STUCK", "march", "prepare", "rooms"]

DONE, FULL, STUCK, NOT_FINITE = range(4)
SAFETY, SHRINK, GROW = 0.9, 0.2, 6.0
APART = 1e-7  # of the step or of time: half the distance of a difference by time


@compiled
def _error(u, y, new, rtol, atol):
    """Root mean square of the error over all unknowns, in units of the tolerance."""
    total = 0.0
    n, N = u.shape
    for i in range(n):
        for c in range(N):
            q = u[i, c] / (atol[i] + rtol * max(abs(y[i, c + 1]), abs(new[i, c + 1])))
            total += q * q
    return np.sqrt(total / (N * n))


@compiled
def _combine(stage, a, c, step, y, U, point, f):
    """Point of a stage and what it inherits: point = y + sum a U, f = sum c U / step."""
    n, N = f.shape
    for i in range(n):
        for q in range(N):
            f[i, q] = 0.0
        again = stage > 1 and a[stage, stage - 1] == 1.0
        for e in range(stage - 1):
            again = again and a[stage, e] == a[stage - 1, e]
        if not again:
            for q in range(N):
                point[i, q + 1] = y[i, q + 1]
        for e in range(0, stage - 1, 2):
            r, s = c[stage, e] / step, c[stage, e + 1] / step
            for q in range(N):
                f[i, q] += r * U[e, i, q] + s * U[e + 1, i, q]
            if not again:
                r, s = a[stage, e], a[stage, e + 1]
                for q in range(N):
                    point[i, q + 1] += r * U[e, i, q] + s * U[e + 1, i, q]
        if stage % 2:
            r = c[stage, stage - 1] / step
            for q in range(N):
                f[i, q] += r * U[stage - 1, i, q]
        if again or stage % 2:
            r = a[stage, stage - 1]
            for q in range(N):
                point[i, q + 1] += r * U[stage - 1, i, q]


@compiled
def _evaluate(y, time, tape, field, plan, work, out, f):
    """Add the rates at a time to f."""
    given, geometry, walls, infusion = field
    g, room = work
    see_walls(y, walls)
    run_cells(tape, time, given, y, out)
    rates(y, out, plan, g, geometry, walls, infusion, room, f)


@compiled
def _by_time(y, t, step, tape, field, plan, work, out, f, other):
    """f becomes the derivative of the rates by time, a central difference."""
    d = APART * max(abs(t), step)
    other[:] = 0.0
    for side in range(2):
        f[:] = 0.0
        _evaluate(y, t + d - 2 * d * side, tape, field, plan, work, out, f)
        for i in range(f.shape[0]):
            for c in range(f.shape[1]):
                other[i, c] = f[i, c] if side == 0 else (other[i, c] - f[i, c]) / (2.0 * d)
    f[:] = other


@compiled
def _factor(J, reach, gain, cyclic, room, shape):
    A, P, G, W, F, Z, S, _ = room
    if cyclic:
        return factor_ring(J, reach, gain, F, P, Z, S, shape)
    if reach == 1:
        return factor_inwards(J, gain, A, P, G, W, shape)
    return factor(J, reach, gain, J.shape[3], F, P, shape)


@compiled
def _solve(J, reach, cyclic, room, b, x, shape):
    """x (n, N) from b (n, N)."""
    _, P, G, W, F, Z, S, y = room
    N, n = y.shape
    if reach == 1 and not cyclic:
        solve_inwards(P, G, W, b, y, x, shape)
        return
    for i in range(n):
        for c in range(N):
            y[c, i] = b[i, c]
    if cyclic:
        solve_ring(J, F, reach, P, Z, S, y, shape)
    else:
        solve(F, reach, P, N, y, shape)
    for i in range(n):
        for c in range(N):
            x[i, c] = y[c, i]


@compiled
def _write(y, new, U, dense, row):
    """A row of the log (2 + m, N, n): start, end, shapes between."""
    n, N = U.shape[1:]
    line = np.empty(N)
    for i in range(n):
        for c in range(N):
            row[0, c, i], row[1, c, i] = y[i, c + 1], new[i, c + 1]
        for d in range(dense.shape[0]):
            line[:] = 0.0
            for s in range(U.shape[0]):
                w = dense[d, s]
                for c in range(N):
                    line[c] += w * U[s, i, c]
            for c in range(N):
                row[2 + d, c, i] = line[c]


def rooms(n, N, cyclic):
    """Room for elimination; what a run does not touch takes no memory."""
    q = 2 * n if cyclic else 1
    A, P, G, W = np.zeros((2, n, n)), np.empty((N, n, n)), np.zeros((N, n, n)), np.zeros((N, n, n))
    F, Z, S = np.zeros((N, 5, n, n)), np.empty((q, N if cyclic else 1, n)), np.empty((q, q))
    return A, P, G, W, F, Z, S, np.empty((N, n))


def prepare(state, t, tapes, plans, field):
    """What `march` works in: outputs of both tapes with what never moves, linear parts of the rates, room."""
    (short, full), (given, geometry, walls, _), (n, N) = tapes, field, state.shape
    y, out, less = np.zeros((n, N + 2)), np.zeros((len(full[1]), N + 2)), np.zeros((len(short[1]), N + 2))
    g, scratch, base = np.zeros((len(plans[1][0]), N + 1)), np.zeros((8, N + 1)), np.zeros((5, n, n, N))
    y[:, 1 : N + 1] = state
    see_walls(y, walls)
    settle(full, out)
    settle(short, less)
    run_cells(full, t, given, y, out)
    conductances(out, plans[1][0], geometry, g)
    jacobian(y, out, plans[1], geometry, walls, 1, scratch, base)
    return (less, out), (g, scratch), (base, np.zeros((5, n, n, N))), rooms(n, N, walls[0])


@compiled
def march(state, t, stop, h, settings, method, tapes, plans, field, places, ts, rows, longest, most, shape):
    """Advance state (n, N) in place from t to stop.

    settings: (rtol, atol (n,), 1 if time is in the equations); method: (a, c, dense, gamma, order, points, slants), the
    last two the times of the stages and their parts of the derivative by time; tapes and plans: those without and with
    derivatives; field: (given (n_given, N + 2), geometry, walls, infusion); places: of `prepare`. The log: ts
    (room + 1,) ends of steps, rows (room, 2 + m, N, n) start, end and shapes of each. Returns (status, t, next h,
    steps, rejected).
    """
    rtol, atol, clock = settings
    a, c, dense, gamma, order, points, slants = method
    (short, full), (short_plan, plan) = tapes, plans
    geometry, walls = field[1], field[2]
    cyclic = walls[0]
    stages, (n, N) = a.shape[0], state.shape
    y, point = np.zeros((n, N + 2)), np.zeros((n, N + 2))
    f, first, by_time, U = np.zeros((n, N)), np.zeros((n, N)), np.zeros((n, N)), np.zeros((stages, n, N))
    (less, out), work, (base, J), room = places
    widest = 1
    y[:, 1 : N + 1] = state
    steps, rejected = 0, 0
    ts[0] = t
    tiny = 1e-14 * max(abs(t), abs(stop))
    while stop - t > tiny:
        if steps == rows.shape[0] or rejected > most:
            break
        first[:] = 0.0
        if clock:
            _by_time(y, t, min(h, stop - t), short, field, short_plan, work, less, by_time, first)
            first[:] = 0.0
        _evaluate(y, t, full, field, plan, work, out, first)
        J[1:4] = base[1:4]
        if widest == 2:
            J[0], J[4] = 0.0, 0.0
        reach = jacobian(y, out, plan, geometry, walls, 0, work[1], J)
        widest = max(reach, widest)
        accepted = False
        while not accepted:
            h = min(h, longest)
            last = t + h >= stop - tiny
            step = stop - t if last else h
            if step < 1e-14 * max(abs(t), abs(stop)) + 1e-300 or rejected > most:
                state[:] = y[:, 1 : N + 1]
                return STUCK, t, h, steps, rejected
            if not _factor(J, reach, 1.0 / (gamma * step), cyclic, room, shape):
                h = 0.25 * step
                rejected += 1
                continue
            for s in range(stages):
                _combine(s, a, c, step, y, U, point, f)
                if s == 0:
                    f[:] = first
                else:
                    _evaluate(point, t + points[s] * step, short, field, short_plan, work, less, f)
                if clock:
                    r = step * slants[s]
                    for i in range(n):
                        for q in range(N):
                            f[i, q] += r * by_time[i, q]
                _solve(J, reach, cyclic, room, f, U[s], shape)
            for i in range(n):
                for q in range(N):
                    point[i, q + 1] += U[stages - 1, i, q]
            e = _error(U[stages - 1], y, point, rtol, atol)
            if not e < np.inf:
                h, rejected = 0.25 * step, rejected + 1
                if h < 1e-12 * max(abs(t), abs(stop)):
                    state[:] = y[:, 1 : N + 1]
                    return NOT_FINITE, t, h, steps, rejected
                continue
            factor_h = min(GROW, max(SHRINK, SAFETY * max(e, 1e-10) ** (-1.0 / order)))
            if e > 1.0:
                h, rejected = step * min(factor_h, 0.9), rejected + 1
                continue
            accepted = True
            _write(y, point, U, dense, rows[steps])
            y[:, 1 : N + 1] = point[:, 1 : N + 1]
            t = stop if last else t + step
            if not last or factor_h < 1.0:
                h = step * factor_h
            steps += 1
            ts[steps] = t
    state[:] = y[:, 1 : N + 1]
    return DONE if stop - t <= tiny else FULL, t, h, steps, rejected
