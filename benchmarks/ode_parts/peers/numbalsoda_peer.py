"""numbalsoda: LSODA in compiled code, right-hand side compiled by numba, the restarts inside compiled code too.

It takes no Jacobian and carries no sensitivities.
"""

import functools

import numpy as np

from .. import sources

NAME, NEEDS = "numbalsoda", ("numbalsoda", "numba")


@functools.cache
def _solver(case):
    import numba
    from numbalsoda import lsoda, lsoda_sig

    rates, n = sources.compiled(case)[0], case.n

    @numba.cfunc(lsoda_sig)
    def right_hand_side(t, y, dy, p):
        rates(t, y, dy, p)

    address, n_times = right_hand_side.address, len(case.times)
    edges = np.array([*(s[0] for s in case.stretches()), case.problem.t_span[1]])
    counts = np.array([len(s[2]) for s in case.stretches()])
    times, start = case.times, case.start

    @numba.njit
    def solve(p, rtol, atol):
        rows, y, place = np.empty((n_times, n)), start.copy(), 0
        for k in range(len(counts)):
            begin, end, count = edges[k], edges[k + 1], counts[k]
            if k > 0:
                y[n - 1] += 1.0
            head = 0 if count and times[place] == begin else 1
            tail = 0 if count and times[place + count - 1] == end else 1
            grid = np.empty(head + count + tail)
            grid[0], grid[-1] = begin, end
            grid[head : head + count] = times[place : place + count]
            found, _ = lsoda(address, y, grid, p, rtol=rtol, atol=atol)
            rows[place : place + count] = found[head : head + count]
            y, place = found[-1].copy(), place + count
        return rows

    @numba.njit
    def burdens(table, rtol, atol):
        out = np.empty((len(table), n_times))
        for i in range(len(table)):
            rows = solve(table[i], rtol, atol)
            out[i] = rows[:, 0] + rows[:, 1] + rows[:, 2]
        return out

    return solve, burdens, right_hand_side


def one(case, rtol):
    solve, p, atol = _solver(case)[0], np.append(case.p, 0.0), rtol * case.part
    return lambda: solve(p, rtol, atol)


def many(case, rtol, table):
    burdens, atol = _solver(case)[1], rtol * case.part
    return lambda: burdens(table, rtol, atol)
