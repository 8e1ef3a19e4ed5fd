"""Problems on lines, each with its rates in plain loops for the peers."""

from dataclasses import dataclass

import numpy as np

from remission.models import Model, Parameter, State, grad
from remission.solvers import Grid, Problem
from remission.solvers.grid import Wall

__all__ = ["Case", "all_of_them"]

SIGNAL = {
    "Dn": 1e-3, "Dc": 1.0, "Dm": 1e-2, "r": 1.0, "k": 0.8, "d": 0.5, "eps": 0.7, "s": 100.0, "g": 100.0, "chi": 0.05,
    "q": 1.0, "b": 0.5,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Case:
    """A problem, the same as `loops(y (N n,), f (N n,), width of a cell)`, and the exact end where there is one."""

    name: str
    problem: object
    loops: object
    exact: object = None

    @property
    def cells(self):
        return self.problem.grid.size

    @property
    def n(self):
        return len(self.problem.system.states)

    @property
    def start(self):
        from remission.solvers.space.start import initial_fields

        return initial_fields(self.problem).T.ravel()


def _states(names):
    return [State(name, 0.0, scale=1.0, positive=False) for name in names]


def fisher_loops(y, f, h):
    N, q = len(y), 1.0 / (h * h)
    for i in range(N):
        left, right = y[max(i - 1, 0)], y[min(i + 1, N - 1)]
        f[i] = q * (left - 2 * y[i] + right) + y[i] * (1 - y[i])


def signal_loops(y, f, h):
    N, q = len(y) // 3, 1.0 / (h * h)
    fn = fc = fm = 0.0
    for i in range(N):
        n, c, m = y[3 * i], y[3 * i + 1], y[3 * i + 2]
        gn = gc = gm = 0.0
        if i < N - 1:
            slope = (y[3 * i + 4] - c) * q
            gn, gc = 1e-3 * (y[3 * i + 3] - n) * q, slope
            gm = 1e-2 * (y[3 * i + 5] - m) * q - 0.05 * 0.5 * (m + y[3 * i + 5]) * slope
        f[3 * i] = gn - fn + n * (1 - n) - 0.4 * n * (1 - 0.7 * m / (1 + m))
        f[3 * i + 1] = gc - fc + 100.0 * (n - c)
        f[3 * i + 2] = gm - fm + c / (1 + c) - 0.5 * m
        fn, fc, fm = gn, gc, gm


def brusselator_loops(y, f, h):
    N, q = len(y) // 2, 0.02 / (h * h)
    for i in range(N):
        u, v = y[2 * i], y[2 * i + 1]
        lu, lv = (y[2 * i - 2] - u, y[2 * i - 1] - v) if i else (2 * (1 - u), 2 * (3 - v))
        ru, rv = (y[2 * i + 2] - u, y[2 * i + 3] - v) if i < N - 1 else (2 * (1 - u), 2 * (3 - v))
        f[2 * i] = 1 + u * u * v - 4 * u + q * (lu + ru)
        f[2 * i + 1] = 3 * u - u * u * v + q * (lv + rv)


def signal(cells=1000):
    """Tumour, signal and myeloid cells that climb it."""
    n, c, m = _states("ncm")
    p = {name: Parameter(name, value) for name, value in SIGNAL.items()}
    kill = p["k"] * p["d"] * n * (1 - p["eps"] * m / (1 + m))
    rates = {n: p["r"] * n * (1 - n) - kill, c: p["s"] * n - p["g"] * c, m: p["q"] * c / (1 + c) - p["b"] * m}
    fluxes = {n: -p["Dn"] * grad(n), c: -p["Dc"] * grad(c), m: -p["Dm"] * grad(m) + p["chi"] * m * grad(c)}
    grid = Grid(cells, 10.0)
    start = {"n": 0.8 * np.exp(-(((grid.x - 5) / 0.5) ** 2)), "m": 0.1 * np.exp(-(((grid.x - 5) / 3) ** 2)) + 0.05}
    model = Model("tumour_signal_myeloid", rates=rates, fluxes=fluxes)
    return Case("tumour, signal, myeloid", Problem(model, t_span=(0, 10), grid=grid, initial=start), signal_loops)


def fisher(cells=1000):
    """A wave of speed 5 / sqrt(6)."""
    (c,) = _states("c")
    D, r = Parameter("D", 1.0), Parameter("r", 1.0)
    model = Model("fisher", rates={c: r * c * (1 - c)}, fluxes={c: -D * grad(c)})
    grid = Grid(cells, 100.0)

    def wave(time):
        return (1 + np.exp((grid.x - 20 - 5 / np.sqrt(6) * time) / np.sqrt(6))) ** -2

    problem = Problem(model, t_span=(0, 20), grid=grid, initial={"c": wave(0.0)})
    return Case("Fisher's wave", problem, fisher_loops, wave(20.0))


def brusselator(cells=500):
    """Hairer & Wanner, Solving ODEs II: values 1 and 3 at both walls."""
    u, v = _states("uv")
    D = Parameter("D", 0.02)
    rates = {u: 1 + u**2 * v - 4 * u, v: 3 * u - u**2 * v}
    model = Model("brusselator", rates=rates, fluxes={u: -D * grad(u), v: -D * grad(v)})
    walls = dict.fromkeys(("left", "right"), Wall(value={"u": 1.0, "v": 3.0}))
    grid = Grid(cells, 1.0, walls=walls)
    start = {"u": 1 + np.sin(2 * np.pi * grid.x), "v": np.full(cells, 3.0)}
    return Case("Brusselator", Problem(model, t_span=(0, 10), grid=grid, initial=start), brusselator_loops)


def all_of_them():
    return signal(), fisher(), brusselator()
