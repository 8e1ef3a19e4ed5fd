"""The compiled scheme on lines: against SciPy's BDF on the same equations in space, and its parts against NumPy."""

import numpy as np
import pytest
import sympy as sp

from remission.models import Model, Parameter, State, grad, paracrine_invasion, t
from remission.solvers import Grid, Problem, solve
from remission.solvers.grid import Wall
from remission.solvers.kernels.tables import METHODS
from remission.solvers.space.discretise import discretise
from remission.solvers.space.line import assembly, machine, rosenbrock
from remission.solvers.space.line.plan import make_plan, why_not

pytestmark = pytest.mark.optional
RING = {"left": "periodic", "right": "periodic"}
GRIDS = {
    "ring": Grid(30, 3.0, walls=RING),
    "fixed left": Grid(30, 3.0, walls={"left": Wall(value={"M": 1.0, "tau": 0.2}), "right": Wall(inflow={"X": 3.0})}),
    "fixed right": Grid(edges=np.cumsum([0, 0.1, 0.2, 0.15, 0.3, 0.25, 0.2, 0.2]), walls={
        "right": Wall(value={"M": 0.5, "X": 0.4}), "left": Wall(inflow={"tau": 0.1, "M": 0.2})}),
    "rim": Grid(20, 3.0, "ball", walls={"rim": Wall(value={"X": 0.3, "P": 0.1})}),
    "uneven": Grid(edges=np.cumsum([0, 0.1, 0.2, 0.15, 0.3, 0.25, 0.2])),
}  # fmt: skip
c = State("c", 1.0, unit="1", scale=1.0, positive=False)
D = Parameter("D", 0.05)


@pytest.mark.parametrize(("n", "cells"), [(1, 2), (1, 8), (2, 7), (3, 6), (4, 9), (5, 7)])
@pytest.mark.parametrize(("ring", "reach"), [(0, 1), (0, 2), (1, 1), (1, 2)])
def test_elimination_solves_what_numpy_solves(n, cells, ring, reach):
    random, cells = np.random.default_rng(n), max(cells, 6) if ring else cells
    J, full = random.random((5, n, n, cells)), np.zeros((cells, n, cells, n))
    if reach == 1:
        J[[0, 4]] = 0.0
    for k in range(-2, 3):
        for at in range(cells):
            if ring or 0 <= at + k < cells:
                full[at, :, (at + k) % cells] += J[2 + k, :, :, at]
    shape = tuple(range(n)) if n <= 4 else np.zeros(n)
    room, b, found = rosenbrock.rooms(n, cells, ring), random.random((n, cells)), np.zeros((n, cells))
    gain = 7.0 * n
    assert rosenbrock._factor.py_func(J, reach, gain, ring, room, shape)
    rosenbrock._solve.py_func(J, reach, ring, room, b, found, shape)
    exact = np.linalg.solve(gain * np.eye(n * cells) - full.reshape(n * cells, -1), b.T.ravel())
    np.testing.assert_allclose(found.T.ravel(), exact, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", GRIDS)
def test_rates_and_blocks_are_those_of_the_reference(name):
    spatial = discretise(Problem(paracrine_invasion(), grid=GRIDS[name], parameters={"chi": 3.0}))
    plan, (n, N) = make_plan(spatial), (spatial.n, spatial.size)
    values, inputs = np.random.default_rng(1).random((n, N)) * 2, [0.3, 0.4]
    tables, (given, geometry, walls), y = plan.tables(inputs), plan.field, np.zeros((n, N + 2))
    y[:, 1:-1] = values
    assembly.see_walls(y, walls)
    out, J, room = np.zeros((len(tables[1][1]), N + 2)), np.zeros((5, n, n, N)), np.zeros((8, N + 1))
    machine.settle(tables[1], out)
    machine.run_cells(tables[1], 0.0, given, y, out)
    g, f = np.zeros((len(plan.plans[1][0]), N + 1)), np.zeros((n, N))
    assembly.conductances(out, plan.plans[1][0], geometry, g)
    assembly.rates(y, out, plan.plans[1], g, geometry, walls, np.zeros(n), room, f)
    exact = spatial.f(0.0, values, inputs)
    np.testing.assert_allclose(f, exact, atol=1e-13 * np.abs(exact).max())
    for linear in (1, 0):
        assembly.jacobian(y, out, plan.plans[1], geometry, walls, linear, room, J)
    matrix = np.zeros((N, n, N, n))
    for k in range(-2, 3):
        for cell in range(N):
            matrix[cell, :, (cell + k) % N] += J[2 + k, :, :, cell]
    exact = spatial.jac(0.0, values, inputs).toarray()
    np.testing.assert_allclose(matrix.reshape(n * N, -1), exact, atol=1e-13 * np.abs(exact).max())


@pytest.mark.parametrize("name", ["ring", "fixed left", "fixed right", "rim"])
def test_walls_agree_with_scipy(name):
    grid = GRIDS[name]
    start = {"tau": 0.8 / (1 + np.exp((grid.x - 1) * 6)), "M": 0.2 + 0.1 * np.cos(2 * np.pi * grid.x / 3)}
    problem = Problem(paracrine_invasion(), t_span=(0, 8), grid=grid, initial=start, rtol=1e-8)
    one, other = solve(problem), solve(problem, method="BDF", t_eval=[2.0, 8.0])
    assert (one.method, other.method) == ("Rodas5P", "BDF")
    for name in ("tau", "X", "M", "P"):
        np.testing.assert_allclose(one.at(other.t, name), other[name], rtol=1e-5, atol=1e-6)


def test_a_wave_goes_around_a_ring():
    """cos(k (x - v t)) exp(-D k^2 t), with the speed and the rate of the differences in space."""
    v = Parameter("v", 0.7)
    model = Model("carried", rates={c: 0 * c}, fluxes={c: v * c - D * grad(c)})
    grid, k = Grid(60, 1.0, walls=RING), 2 * np.pi
    start = np.cos(k * grid.x)
    end = solve(Problem(model, t_span=(0, 1.3), grid=grid, initial={"c": 2 + start}, rtol=1e-9))["c"][-1] - 2
    h = 1 / 60
    speed, rate = 0.7 * np.sin(k * h) / (k * h), 0.05 * (2 * np.sin(k * h / 2) / h) ** 2
    np.testing.assert_allclose(end, np.cos(k * (grid.x - speed * 1.3)) * np.exp(-rate * 1.3), atol=1e-8)


@pytest.mark.parametrize("method", ["Rodas5P", "Rodas3"])
def test_time_in_the_equations(method):
    """c' = c cos t in a homogeneous field, where diffusion has nothing to do: c = exp(sin t)."""
    w = Parameter("w", 1.0, unit="1/day")
    model = Model("forced", rates={c: w * sp.cos(w * t) * c}, fluxes={c: -D * (2 + sp.sin(w * t)) * grad(c)})
    solution = solve(Problem(model, t_span=(0, 20), grid=Grid(8, 1.0), rtol=1e-7), method)
    assert solution.method == method
    np.testing.assert_allclose(solution["c"][:, 3], np.exp(np.sin(solution.t)), rtol=3e-6)
    assert solution.trace.steps < 300 or method == "Rodas3"  # as many as the same equations take in one cell


def test_times_of_the_stages():
    from remission.solvers.space.line.loop import _method  # it needs llvmlite

    points, slants = _method(METHODS["Rodas5P"])[5:]
    np.testing.assert_allclose(slants[0], METHODS["Rodas5P"].gamma, rtol=1e-12)
    np.testing.assert_allclose(points[[0, 5, 6, 7]], [0, 1, 1, 1], atol=1e-12)
    np.testing.assert_allclose(slants[5:], 0, atol=1e-12)


def test_small_rings_are_left_to_scipy():
    spatial = discretise(Problem(paracrine_invasion(), grid=Grid(4, 1.0, walls=RING)))
    assert "ring" in why_not(spatial)
