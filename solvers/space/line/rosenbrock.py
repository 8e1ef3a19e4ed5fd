"""Steps of a Rosenbrock method on a line of cells, with its error control and its output between the ends of steps."""

import numpy as np

from .assembly import jacobian, rates
from .compile import compiled
from .elimination import factor, solve
from .machine import run_cells

__all__ = ["DONE", "FULL", "NOT_FINITE", "STUCK", "march"]

DONE, FULL, STUCK, NOT_FINITE = range(4)
SAFETY, SHRINK, GROW = 0.9, 0.2, 6.0


@compiled
def _error(u, y, new, rtol, atol):
    """Root mean square of the error over all unknowns, in units of the tolerance."""
    total = 0.0
    N, n = y.shape
    for c in range(N):
        for i in range(n):
            q = u[c, i] / (atol[i] + rtol * max(abs(y[c, i]), abs(new[c, i])))
            total += q * q
    return np.sqrt(total / (N * n))


@compiled
def _evaluate(y, tape, given, plan, geometry, infusion, out, f):
    code, outputs, registers, first = tape
    run_cells(code, outputs, registers, first, given, y, out)
    rates(y, out, plan, geometry, infusion, f)


@compiled
def march(
    y, t, stop, h, settings, method, short, full, given, short_plan, plan, geometry, infusion, ts, rows, longest, most
):
    """Advance y (N, n) in place from t to stop.

    settings: (rtol, atol (n,)); method: (a, c, dense, gamma, order); short and full: tapes (code, outputs, registers,
    first) without and with derivatives. The log: ts (room + 1,) ends of steps, rows (room, 2 + m, N, n) start, end and
    shapes of each. Returns (status, t, next h, steps, rejected).
    """
    rtol, atol = settings
    a, c, dense, gamma, order = method
    stages, (N, n) = a.shape[0], y.shape
    f, first, point, new = np.empty((N, n)), np.empty((N, n)), np.empty((N, n)), np.empty((N, n))
    U = np.empty((stages, N, n))
    J, F, P = np.empty((N, 5, n, n)), np.zeros((N, 5, n, n)), np.empty((N, n, n))
    out, less = np.empty((full[1].shape[0], N)), np.empty((short[1].shape[0], N))
    steps, rejected = 0, 0
    ts[0] = t
    tiny = 1e-14 * max(abs(t), abs(stop))
    while stop - t > tiny:
        if steps == rows.shape[0] or rejected > most:
            return FULL, t, h, steps, rejected
        _evaluate(y, full, given, plan, geometry, infusion, out, first)
        reach = jacobian(y, out, plan, geometry, J)
        accepted = False
        while not accepted:
            h = min(h, longest)
            last = t + h >= stop - tiny
            step = stop - t if last else h
            if step < 1e-14 * max(abs(t), abs(stop)) + 1e-300 or rejected > most:
                return STUCK, t, h, steps, rejected
            if not factor(J, reach, 1.0 / (gamma * step), F, P):
                h = 0.25 * step
                rejected += 1
                continue
            for s in range(stages):
                if s == 0:
                    f[:] = first
                else:
                    for q in range(N):
                        for i in range(n):
                            v = y[q, i]
                            for e in range(s):
                                v += a[s, e] * U[e, q, i]
                            point[q, i] = v
                    _evaluate(point, short, given, short_plan, geometry, infusion, less, f)
                for q in range(N):
                    for i in range(n):
                        w = 0.0
                        for e in range(s):
                            w += c[s, e] * U[e, q, i]
                        U[s, q, i] = f[q, i] + w / step
                solve(F, reach, P, U[s])
            for q in range(N):
                for i in range(n):
                    new[q, i] = point[q, i] + U[stages - 1, q, i]
            e = _error(U[stages - 1], y, new, rtol, atol)
            if not e < np.inf:
                h, rejected = 0.25 * step, rejected + 1
                if h < 1e-12 * max(abs(t), abs(stop)):
                    return NOT_FINITE, t, h, steps, rejected
                continue
            factor_h = min(GROW, max(SHRINK, SAFETY * max(e, 1e-10) ** (-1.0 / order)))
            if e > 1.0:
                h, rejected = step * min(factor_h, 0.9), rejected + 1
                continue
            accepted = True
            for q in range(N):
                for i in range(n):
                    rows[steps, 0, q, i], rows[steps, 1, q, i] = y[q, i], new[q, i]
                    for d in range(dense.shape[0]):
                        w = 0.0
                        for s in range(stages):
                            w += dense[d, s] * U[s, q, i]
                        rows[steps, 2 + d, q, i] = w
                    y[q, i] = new[q, i]
            t = stop if last else t + step
            if not last or factor_h < 1.0:
                h = step * factor_h
            steps += 1
            ts[steps] = t
    return DONE, t, h, steps, rejected
