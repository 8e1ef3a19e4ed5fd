"""Reference values that owe nothing to the kernels under test.

DOP853 at 1e-12 and Radau at 1e-12, both SciPy's, must agree; the classical stiff problems have published end values.
Files are kept in the user's cache folder, named by what was computed.
"""

import hashlib
import os
import pathlib

import numpy as np

from . import sources

VERSION = "1"  # to be changed with the equations of a case


def folder() -> pathlib.Path:
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "remission-benchmarks"


def kept(name, compute, *ingredients):
    """The arrays that `compute()` returns, from the file of an earlier run where there is one."""
    key = hashlib.sha256(repr((VERSION, name, ingredients)).encode()).hexdigest()[:16]
    path = folder() / f"{name.replace(' ', '-')}-{key}.npz"
    if path.exists():
        with np.load(path) as file:
            return [file[k] for k in sorted(file.files)]
    arrays = compute()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.npz")
    np.savez(partial, **{f"a{i:02d}": a for i, a in enumerate(arrays)})
    os.replace(partial, path)
    return arrays


def identity(case):
    """What stands for a case in the name of a file; printing the equations of 200 classes would take longer."""
    return case.p.tolist(), case.start.tolist(), case.times.tolist(), case.pulses


def integrate(case, rates, start, method, rtol, atol, jac=None, jump=1.0):
    """States at the output times, restarted at every pulse."""
    from scipy.integrate import solve_ivp

    rows, y = np.empty((len(case.times), len(start))), np.array(start)
    for begin, end, inside in case.stretches():
        if begin > 0:
            y[case.n - 1] += jump
        wanted = case.times[inside]
        grid = wanted if len(wanted) and wanted[-1] == end else np.append(wanted, end)
        more = {"jac": jac} if jac else {}
        found = solve_ivp(rates, (begin, end), y, method=method, t_eval=grid, rtol=rtol, atol=atol, **more)
        rows[inside], y = found.y.T[: len(wanted)], found.y[:, -1].copy()
    return rows


def _functions(case, p):
    rates, by_states = sources.compiled(case)
    n, p = case.n, np.append(np.array(p, dtype=float), 0.0)

    def f(t, y):
        dy = np.empty(n)
        rates(t, y, dy, p)
        return dy

    def jac(t, y):
        J = np.zeros((n, n))
        by_states(t, y, p, J)
        return J

    return f, jac


def states(case):
    """(n_times, n) reference, and how far the two methods that gave it are apart."""
    if case.published:
        return np.array([case.published]), 0.0

    def compute():
        f, jac = _functions(case, case.p)
        explicit = integrate(case, f, case.start, "DOP853", 1e-12, 1e-14)
        return [explicit, integrate(case, f, case.start, "Radau", 1e-12, 1e-14, jac)]

    explicit, implicit = kept(case.name, compute, identity(case))
    peaks = np.maximum(np.abs(explicit).max(axis=0), case.floor)
    return explicit, float((np.abs(explicit - implicit).max(axis=0) / peaks).max())


def members(case, table):
    """(n_members, n_times, n) reference of some parameter sets, DOP853 at 1e-12."""

    def compute():
        runs = [integrate(case, _functions(case, p)[0], case.start, "DOP853", 1e-12, 1e-14) for p in table]
        return [np.array(runs)]

    return kept(f"{case.name} members", compute, identity(case), table.tolist())[0]


def gradients(case):
    """N = S + R + A (n_times,) and dN/dp (n_times, n_parameters), DOP853 on the joint system."""
    import numba

    rates = numba.njit(sources.filled(case.problem.model))
    both = numba.njit(sources.filled_derivatives(case.problem.model))
    n, p, m = case.n, case.p, len(case.p)

    @numba.njit
    def joint(t, z):
        dz, J, P = np.empty(n + n * m), np.zeros((n, n)), np.zeros((n, m))
        rates(t, z[:n], dz[:n], p)
        both(t, z[:n], p, J, P)
        dz[n:] = (J @ z[n:].copy().reshape(n, m) + P).ravel()
        return dz

    def compute():
        start = np.concatenate([case.start, np.zeros(n * m)])
        z = integrate(case, joint, start, "DOP853", 1e-11, 1e-13)
        return [z[:, :3].sum(axis=1), z[:, n:].reshape(-1, n, m)[:, :3].sum(axis=1)]

    return kept(f"{case.name} gradients", compute, identity(case))
