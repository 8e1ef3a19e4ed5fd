"""Fields against exact solutions: a wave, spreading with a sharp rim, a source in a ball, patterns, blow-up."""

import numpy as np
import pytest
import sympy as sp

from remission.analysis import invasion_speed
from remission.models import Model, Parameter, State, catalogue, grad, x, y
from remission.solvers import Grid, Problem, SolveWarning, solve

D = Parameter("D", 1.0)


def scaled(name, initial=1.0):
    return State(name, initial, scale=1.0)


def order(errors):
    return np.log2(errors[0] / errors[1])


def test_the_wave_of_ablowitz_and_zeppetella():
    """u = (1 + exp((x - 5 t/sqrt 6)/sqrt 6))^-2 solves u_t = u_xx + u (1 - u): Bull Math Biol 41 (1979), 835."""
    u, root = scaled("u"), np.sqrt(6)
    model = Model("fisher", rates={u: u * (1 - u)}, fluxes={u: -D * grad(u)})
    errors, speeds = [], []
    for n in (140, 280):
        grid = Grid(n, 70.0)
        start = 1 / (1 + sp.exp((x - 25) / sp.sqrt(6))) ** 2
        problem = Problem(model, t_span=(0, 6), grid=grid, initial={"u": start}, rtol=1e-8, atol=1e-12)
        solution = solve(problem, t_eval=[0, 2, 6])
        exact = (1 + np.exp((grid.x - 25 - 30 / root) / root)) ** -2
        near = (grid.x > 20) & (grid.x < 60)
        errors.append(np.abs(solution["u"][-1] - exact)[near].max())
        speeds.append(abs(invasion_speed(solution, "u", between=(2, 6)) - 5 / root))
    assert errors[1] < 1.5e-3
    assert order(errors) == pytest.approx(2, abs=0.2)
    assert speeds[1] < 1e-3


@pytest.mark.parametrize(("geometry", "d"), [("line", 1), ("disc", 2), ("ball", 3)])
def test_the_sharp_rim_of_barenblatt(geometry, d):
    """u_t = Lap u^2 from a point: u = t^-a (1 - k r^2 t^-2b)+, a = d b = d/(d + 2), k = b/4 (Barenblatt 1952)."""
    u, b = scaled("u"), 1 / (d + 2)
    model = Model("porous", rates={u: 0 * u}, fluxes={u: -2 * u * grad(u)})

    def exact(r, t):
        return t ** (-d * b) * np.maximum(1 - b / 4 * r**2 * t ** (-2 * b), 0)

    errors = []
    for n in (40, 80):
        grid = Grid(n, 6.0, geometry)
        problem = Problem(model, t_span=(1, 3), grid=grid, initial={"u": lambda x: exact(x, 1.0)}, rtol=1e-7)
        solution = solve(problem, t_eval=[1, 3]).require()
        error = np.abs(solution["u"][-1] - exact(grid.x, 3.0))
        errors.append(error @ grid.volumes / solution.total("u")[0])
        assert solution.drift["u"] < 1e-12
        rim = grid.x[solution["u"][-1] > 1e-3].max()
        assert rim == pytest.approx(2 * 3**b / np.sqrt(b), abs=1.5 * 6.0 / n)
    assert errors[1] < 2e-3
    assert order(errors) > 1.2


def test_a_source_inside_a_ball():
    """Case (c) of the tissue model: X made at rate S within radius a, lost at rate g, at rest."""
    X, S, g = scaled("X", 0.0), Parameter("S", 100.0), Parameter("g", 24.0)
    model = Model("source", rates={X: S - g * X}, fluxes={X: -D * grad(X)})
    reach = np.sqrt(8.64 / 24)

    def exact(r):
        a, s = 1 / reach, r / reach
        inside = 1 - (1 + a) * np.exp(-a) * np.sinh(s) / s
        outside = (a * np.cosh(a) - np.sinh(a)) * np.exp(-s) / s
        return 100 / 24 * np.where(r < 1, inside, outside)

    errors = []
    for n in (100, 200):
        bare = Grid(n, 10.0, "ball")
        grid = Grid(n, 10.0, "ball", maps={"S": np.where(bare.x < 1, 100.0, 0.0)})
        end = solve(Problem(model, t_span=(0, 3), grid=grid, parameters={"D": 8.64}, rtol=1e-8))["X"][-1]
        errors.append(np.abs(end - exact(grid.x)).max())
    assert order(errors) == pytest.approx(2, abs=0.2)
    found = np.interp([0.025, 1.0, 2.0], grid.x, end)
    np.testing.assert_allclose(found, [2.068049, 0.952247, 0.089928], rtol=4e-3)


def test_the_brusselator_against_another_discretisation():
    from scipy.integrate import solve_ivp

    u, v = scaled("u"), scaled("v", 3.0)
    model = Model(
        "brusselator", rates={u: 1 + u**2 * v - 4 * u, v: 3 * u - u**2 * v}, fluxes={u: -D * grad(u), v: -D * grad(v)}
    )
    grid = Grid(60, 1.0)
    start = 1 + 0.5 * sp.cos(sp.pi * x)
    problem = Problem(model, t_span=(0, 10), grid=grid, parameters={"D": 0.02}, initial={"u": start}, rtol=1e-8)

    def rates(t, z):
        u, v = z.reshape(2, -1)
        spread = [0.02 * np.diff(np.pad(w, 1, mode="edge"), 2) * 3600 for w in (u, v)]
        return np.concatenate([1 + u**2 * v - 4 * u + spread[0], 3 * u - u**2 * v + spread[1]])

    first = np.concatenate([1 + 0.5 * np.cos(np.pi * grid.x), np.full(60, 3.0)])
    band = sp_band(60)
    other = solve_ivp(rates, (0, 10), first, "Radau", rtol=1e-9, atol=1e-11, jac_sparsity=band).y[:, -1]
    ours = solve(problem, t_eval=[10])
    np.testing.assert_allclose(np.concatenate([ours["u"][0], ours["v"][0]]), other, rtol=2e-6)


def sp_band(n):
    from scipy.sparse import diags_array, kron

    near = diags_array([np.ones(n - 1), np.ones(n), np.ones(n - 1)], offsets=[-1, 0, 1])
    return kron(np.ones((2, 2)), near)


def schnakenberg(**more):
    u, v = scaled("u"), scaled("v", 0.9)
    ratio = Parameter("ratio", 40.0)
    return Model(
        "schnakenberg", rates={u: 0.1 - u + u**2 * v, v: 0.9 - u**2 * v},
        fluxes={u: -D * grad(u), v: -D * ratio * grad(v)},
    )  # fmt: skip


def test_patterns_have_the_wavelength_of_turing():
    """Small waves cos(k x) grow at the largest eigenvalue of J - k^2 diag(1, 40); the fastest one wins."""
    J = np.array([[0.8, 1.0], [-1.8, -1.0]])

    def growth(k):
        values, vectors = np.linalg.eig(J - k**2 * np.diag([1.0, 40.0]))
        best = np.argmax(values.real)
        return values[best].real, vectors[:, best].real

    length, modes = 60.0, np.arange(1, 30)
    rates = np.array([growth(m * np.pi / length)[0] for m in modes])
    fastest = int(modes[np.argmax(rates)])
    grid = Grid(300, length)
    _, shape = growth(fastest * np.pi / length)
    wave = np.cos(fastest * np.pi * grid.x / length)
    start = {"u": 1 + 1e-4 * shape[0] * wave, "v": 0.9 + 1e-4 * shape[1] * wave}
    problem = Problem(schnakenberg(), t_span=(0, 10), grid=grid, initial=start, rtol=1e-8, atol=1e-12)
    grown = (solve(problem, t_eval=[10])["u"][0] - 1) @ wave / (1e-4 * shape[0] * wave @ wave)
    assert np.log(grown) / 10 == pytest.approx(rates.max(), rel=2e-3)
    noise = 1 + 1e-3 * np.random.default_rng(3).standard_normal(300)
    end = solve(problem.replace(t_span=(0, 400), initial={"u": noise, "v": 0.9}, rtol=1e-6), t_eval=[400])["u"][0]
    power = [abs((end - end.mean()) @ np.cos(m * np.pi * grid.x / length)) for m in modes]
    assert abs(int(modes[np.argmax(power)]) - fastest) <= 2


def keller_segel(mass, width=0.25):
    """Unit diffusion, production and chi: in the plane more than 8 pi in one place blows up."""
    u, v = scaled("u"), scaled("v", 0.0)
    chi = Parameter("chi", 1.0)
    model = Model(
        "keller_segel", rates={u: 0 * u, v: u - v}, fluxes={u: -D * grad(u) + chi * u * grad(v), v: -D * grad(v)}
    )
    return model, {"u": mass / (2 * np.pi * width**2) * sp.exp(-(x**2) / (2 * width**2))}


def test_keller_segel_above_critical_mass_is_said_to_blow_up():
    for n in (60, 120):
        model, start = keller_segel(20 * np.pi)
        with pytest.warns(SolveWarning, match="gathers"):
            solution = solve(Problem(model, t_span=(0, 2), grid=Grid(n, 3.0, "disc"), initial=start, rtol=1e-5))
        assert not solution.success
        assert "blow" in solution.message
        assert "more cells" in solution.message
        assert solution.trace.segments[-1].end < 0.5
    model, start = keller_segel(4 * np.pi)
    below = solve(Problem(model, t_span=(0, 2), grid=Grid(60, 3.0, "disc"), initial=start, rtol=1e-5))
    assert below.success
    assert below.drift["u"] < 1e-12
    assert below["u"][-1].max() < 0.2 * below["u"][0].max()


def test_keller_segel_in_the_plane_above_critical_mass():
    model, _ = keller_segel(1.0)
    start = {"u": 20 * np.pi / (2 * np.pi * 0.25**2) * sp.exp(-((x - 1.5) ** 2 + (y - 1.5) ** 2) * 8)}
    grid = Grid((30, 30), (3.0, 3.0), "rectangle")
    with pytest.warns(SolveWarning, match="gathers"):
        assert not solve(Problem(model, t_span=(0, 2), grid=grid, initial=start, rtol=1e-4)).success


GRIDS = (Grid(5, 2.0), Grid(edges=[0, 0.3, 1.0, 1.2]), Grid(4, 1.0, "disc"), Grid(4, 1.0, "ball"),
         Grid((3, 2), (1.0, 1.0), "rectangle"))  # fmt: skip
FAMILIES = [name for name in catalogue.__all__ if name not in ("BY_QUESTION", "list_models")]


@pytest.mark.parametrize("name", FAMILIES)
def test_a_homogeneous_start_on_any_grid_is_the_well_mixed_model(name):
    model, grid = getattr(catalogue, name)(), GRIDS[FAMILIES.index(name) % len(GRIDS)]
    if not model.fluxes:
        speed = Parameter("D_any", 0.3)
        model = model.replace(fluxes={s: -speed * (i + 1) * grad(s) for i, s in enumerate(model.states)})
    mixed = Problem(model, t_span=(0, 5), rtol=1e-8)
    one, many = solve(mixed, "BDF", t_eval=[0, 2, 5]), solve(mixed.replace(grid=grid), "BDF", t_eval=[0, 2, 5])
    for state in model.states:
        values = many[state.name].reshape(3, -1)
        np.testing.assert_allclose(values, np.repeat(one[state.name][:, None], grid.size, 1), rtol=2e-6, atol=1e-9)
