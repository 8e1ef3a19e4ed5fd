"""SciPy's LSODA through odeint, its fastest way, with right-hand side and analytic Jacobian compiled by numba."""

import numpy as np

from .. import sources

NAME, NEEDS = "SciPy LSODA", ("scipy", "numba")


def one(case, rtol, p=None):
    from scipy.integrate import odeint

    rates, by_states = sources.compiled(case)
    n, p, atol = case.n, np.append(case.p if p is None else p, 0.0), rtol * case.part

    def f(t, y):
        dy = np.empty(n)
        rates(t, y, dy, p)
        return dy

    def jac(t, y):
        J = np.zeros((n, n))
        by_states(t, y, p, J)
        return J

    stretches, times, start = list(case.stretches()), case.times, case.start
    grids = [np.unique(np.concatenate([[a], times[inside], [b]])) for a, b, inside in stretches]

    def go():
        rows, y = np.empty((len(times), n)), start
        for (begin, _, inside), grid in zip(stretches, grids, strict=True):
            if begin > 0:
                y = y.copy()
                y[-1] += 1.0
            found = odeint(f, y, grid, Dfun=jac, tfirst=True, rtol=rtol, atol=atol, mxstep=500_000)
            rows[inside], y = found[np.searchsorted(grid, times[inside])], found[-1]
        return rows

    return go


def many(case, rtol, table):
    calls = [one(case, rtol, p) for p in table]
    return lambda: np.array([call()[:, :3].sum(axis=1) for call in calls])


def gradients(case, rtol):
    """The system joined with its sensitivities; LSODA differences that Jacobian itself."""
    import numba
    from scipy.integrate import odeint

    model, n, p, m = case.problem.model, case.n, case.p, len(case.p)
    rates, both = numba.njit(sources.filled(model)), numba.njit(sources.filled_derivatives(model))

    @numba.njit
    def joint(t, z):
        dz, J, P = np.empty(n + n * m), np.zeros((n, n)), np.zeros((n, m))
        rates(t, z[:n], dz[:n], p)
        both(t, z[:n], p, J, P)
        dz[n:] = (J @ z[n:].copy().reshape(n, m) + P).ravel()
        return dz

    stretches, times = list(case.stretches()), case.times
    grids = [np.unique(np.concatenate([[a], times[inside], [b]])) for a, b, inside in stretches]

    def go():
        rows, z = np.empty((len(times), n + n * m)), np.concatenate([case.start, np.zeros(n * m)])
        for (begin, _, inside), grid in zip(stretches, grids, strict=True):
            if begin > 0:
                z[n - 1] += 1.0
            found = odeint(joint, z, grid, tfirst=True, rtol=rtol, atol=rtol * case.part, mxstep=500_000)
            rows[inside], z = found[np.searchsorted(grid, times[inside])], found[-1].copy()
        return rows[:, :3].sum(axis=1), rows[:, n:].reshape(-1, n, m)[:, :3].sum(axis=1)

    return go
