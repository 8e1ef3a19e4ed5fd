"""Fields on grids against exact solutions: eigenmodes, waves, equilibria, amounts that are kept."""

import numpy as np
import pytest
import sympy as sp

from remission.analysis import continue_branches, steady_states
from remission.models import Model, Parameter, State, bistable_invasion, grad, paracrine_invasion, x, y
from remission.models.errors import ModelError, ProblemError
from remission.models.fluxes import flux_terms
from remission.solvers import Grid, Problem, Treatment, sample, solve
from remission.solvers.grid import Wall
from remission.solvers.space.discretise import discretise

D = Parameter("D", 1.0, unit="mm^2/day")
c = State("c", 1.0, unit="1", scale=1.0)
heat = Model("heat", rates={c: 0 * c}, fluxes={c: -D * grad(c)})
GRIDS = {
    "line": Grid(30, 5.0),
    "uneven": Grid(edges=np.cumsum([0, 0.1, 0.2, 0.15, 0.3, 0.25, 0.2])),
    "periodic": Grid(20, 2.0, walls={"left": "periodic", "right": "periodic"}),
    "disc": Grid(20, 3.0, "disc"),
    "ball": Grid(20, 3.0, "ball"),
    "rectangle": Grid((6, 5), (2.0, 1.0), "rectangle"),
    "torus": Grid((4, 5), (2.0, 1.0), "rectangle", walls=dict.fromkeys(("left", "right", "top", "bottom"), "periodic")),
    "fixed": Grid(10, 1.0, walls={"left": Wall(value={"M": 1.0, "tau": 0.2}), "right": Wall(inflow={"X": 3.0})}),
}


def decay_error(grid, mode, rate, time=0.02):
    above = 2 + mode if isinstance(mode, sp.Basic) else lambda r: 2 + mode(r)
    problem = Problem(heat, t_span=(0, time), grid=grid, initial={"c": above}, rtol=1e-9, atol=1e-12)
    start, end = solve(problem, t_eval=[0.0, time])["c"] - 2
    return np.abs(end - start * np.exp(-rate * time)).max()


@pytest.mark.parametrize(
    ("geometry", "mode", "rate"),
    [
        ("line", lambda r: np.cos(np.pi * r), 9.869604401089),
        ("disc", "bessel", 14.681970642124),
        ("ball", lambda r: np.sinc(4.493409457909064 * r / np.pi), 20.190728556427),
    ],
)
def test_eigenmodes_decay_at_their_rates_to_second_order(geometry, mode, rate):
    if mode == "bessel":
        from scipy.special import j0

        def mode(r):
            return j0(np.sqrt(14.681970642124) * r)

    coarse, fine = (decay_error(Grid(n, 1.0, geometry), mode, rate) for n in (40, 80))
    assert fine < 3e-4
    assert np.log2(coarse / fine) == pytest.approx(2, abs=0.15)


def test_a_mode_of_the_plane():
    grid = Grid((24, 36), (1.0, 1.5), "rectangle")
    mode = sp.cos(sp.pi * y) * sp.cos(2 * sp.pi * x / sp.Float(1.5))
    assert decay_error(grid, mode, np.pi**2 * (1 + (2 / 1.5) ** 2)) < 2e-3


def test_fixed_values_and_inflow_give_the_straight_profile():
    grid = Grid(50, 2.0, walls={"left": Wall(value={"c": 3.0}), "right": Wall(inflow={"c": -0.5})})
    end = solve(Problem(heat, t_span=(0, 60), grid=grid, rtol=1e-8))["c"][-1]
    np.testing.assert_allclose(end, 3.0 - 0.5 * grid.x, atol=1e-6)


@pytest.mark.parametrize("name", GRIDS)
def test_the_jacobian_is_the_derivative(name):
    spatial = discretise(Problem(paracrine_invasion(), grid=GRIDS[name]))
    values, u = np.random.default_rng(1).random((spatial.n, spatial.size)) * 2, [0.3, 0.4]
    exact, step = spatial.jac(0.0, values, u).toarray(), 1e-6
    for k in range(0, exact.shape[0], 7):
        aside = np.zeros_like(values)
        aside[k % spatial.n, k // spatial.n] = step
        difference = (spatial.f(0, values + aside, u) - spatial.f(0, values - aside, u)).T.ravel() / (2 * step)
        np.testing.assert_allclose(exact[:, k], difference, atol=1e-7 * np.abs(exact).max())


@pytest.mark.parametrize("name", [n for n in GRIDS if n != "fixed"])
def test_fluxes_keep_amounts(name):
    spatial = discretise(Problem(paracrine_invasion(), grid=GRIDS[name]))
    values, u = np.random.default_rng(2).random((spatial.n, spatial.size)), [0.0, 0.4]
    moved = spatial.f(0.0, values, u) - spatial.outputs(0.0, values, u)[: spatial.n]
    assert np.abs(moved @ spatial.volumes).max() < 1e-12 * (np.abs(moved) @ spatial.volumes).max()


def test_the_bistable_front_has_its_speed_and_stalls():
    def speed(a, n):
        start = 1 / (1 + sp.exp((x - 6) * sp.sqrt(50)))
        grid = Grid(n, 16.0)
        problem = Problem(bistable_invasion(), parameters={"a": a}, grid=grid, initial={"c": start}, rtol=1e-7)
        solution = solve(problem.replace(t_span=(0, 100)), t_eval=[50, 100])
        return np.diff(solution["c"] @ grid.volumes)[0] / 50

    errors = [abs(speed(0.3, n) - np.sqrt(0.005) * 0.4) for n in (160, 320)]
    assert errors[1] < 1.3e-4
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.3)
    assert abs(speed(0.5, 160)) < 1e-6


def test_taxis_comes_to_rest_where_climbing_and_spreading_balance():
    M, chi = State("M", 1.0, unit="1", scale=1.0), Parameter("chi", 2.0, unit="mm^2/day")
    phi = sp.exp(-((x - 1) ** 2) * 2)
    model = Model("climbing", rates={M: 0 * M}, fluxes={M: -D * grad(M) + chi * M * grad(phi)})
    errors = []
    for n in (50, 100):
        grid = Grid(n, 3.0)
        end = solve(Problem(model, t_span=(0, 80), grid=grid, rtol=1e-9))["M"][-1]
        exact = np.exp(2 * np.exp(-2 * (grid.x - 1) ** 2))
        exact *= end @ grid.volumes / (exact @ grid.volumes)
        assert end @ grid.volumes == pytest.approx(3.0, rel=1e-10)
        errors.append(np.abs(end / exact - 1).max())
    assert errors[1] < 1e-3
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.2)


def test_carried_fields_stay_above_zero():
    M, v = State("M", 0.0, unit="1", scale=1.0), Parameter("v", 1.0, unit="mm/day")
    model = Model("carried", rates={M: 0 * M}, fluxes={M: v * M})
    walls = {"left": "periodic", "right": "periodic"}
    grid = Grid(100, 1.0, walls=walls)
    block = np.where((grid.x > 0.2) & (grid.x < 0.4), 1.0, 0.0)
    solution = solve(Problem(model, t_span=(0, 1), grid=grid, initial={"M": block}), method="RK45", t_eval=[0, 1])
    assert solution["M"].min() > -1e-9
    assert solution["M"][-1] @ grid.volumes == pytest.approx(0.2, rel=1e-12)
    assert np.abs(solution["M"][-1] - block) @ grid.volumes < 0.05


def test_a_homogeneous_start_stays_with_the_well_mixed_model():
    course = Treatment.intermittent({"e": 0.8}, on=5, off=5) + Treatment.bolus({"X": 2.0}, at=12)
    mixed = Problem(paracrine_invasion(), t_span=(0, 20), treatment=course, rtol=1e-8)
    one = solve(mixed, t_eval=[20])
    for grid in (GRIDS["uneven"], GRIDS["ball"], GRIDS["torus"]):
        many = solve(mixed.replace(grid=grid), t_eval=[20])
        for name in ("tau", "X", "M", "P", "protection"):
            np.testing.assert_allclose(many[name], np.full((1, *grid.shape), one[name][0]), rtol=2e-6)


@pytest.mark.optional
def test_the_compiled_line_agrees_with_scipy():
    start = {"tau": 0.8 / (1 + sp.exp((x - 2) * 8))}
    course = Treatment.intermittent({"e": 0.8, "B": 3.0}, on=5, off=5)
    for grid in (Grid(80, 6.0), GRIDS["uneven"], Grid(40, 4.0, "disc"), Grid(40, 4.0, "ball")):
        problem = Problem(paracrine_invasion(), t_span=(0, 12), grid=grid, initial=start, treatment=course, rtol=1e-8)
        one, other = solve(problem), solve(problem, method="BDF", t_eval=[3.0, 7.0, 12.0])
        assert (one.method, other.method) == ("Rodas5P", "BDF")
        for name in ("tau", "X", "M", "P"):
            np.testing.assert_allclose(one.at(other.t, name), other[name], rtol=1e-5, atol=1e-6)


def test_rules_watch_the_mean():
    rule = Treatment.adaptive({"e": 1.0}, of="burden", pause_below=0.5, resume_above=1.0, relative_to="start")
    mixed = Problem(paracrine_invasion(), t_span=(0, 60), treatment=rule, parameters={"tau0": 0.5, "rho": 0.1})
    one, many = solve(mixed), solve(mixed.replace(grid=Grid(6, 3.0)))
    assert len(one.events) > 0
    np.testing.assert_allclose([e.time for e in many.events], [e.time for e in one.events], rtol=1e-3)


def test_maps_make_coefficients_differ_from_place_to_place():
    grid = Grid(40, 1.0, maps={"D": np.where(np.arange(40) < 20, 1.0, 3.0)})
    grid_walls = Grid(40, 1.0, maps=dict(grid.maps), walls={
        "left": Wall(value={"c": 1.0}), "right": Wall(value={"c": 0.0})})  # fmt: skip
    end = solve(Problem(heat, t_span=(0, 20), grid=grid_walls, rtol=1e-8))["c"][-1]
    slopes = np.diff(end) / np.diff(grid_walls.x)
    assert slopes[5] / slopes[30] == pytest.approx(3.0, rel=1e-6)


def test_terms_of_fluxes():
    terms = flux_terms(paracrine_invasion())
    assert [(t.state.name, t.carried, t.diffusive) for t in terms if t.state.name == "M"] == [
        ("M", False, True), ("M", True, False),
    ]  # fmt: skip
    with pytest.raises(ModelError, match="not linear"):
        flux_terms(Model("bad", rates={c: 0 * c}, fluxes={c: grad(c) ** 2}))


def test_verbs_for_one_cell_refuse_grids():
    problem = Problem(paracrine_invasion(), grid=Grid(10, 1.0))
    for ask in (
        lambda: steady_states(problem), lambda: sample(problem, [0, 1], ["tau"]),
        lambda: continue_branches(problem, "e", (0, 1)),
    ):  # fmt: skip
        with pytest.raises(ProblemError, match="one well-mixed cell"):
            ask()


def test_grids_refuse_what_does_not_fit():
    with pytest.raises(ProblemError, match="no geometry 'bal'"):
        Grid(10, 1.0, "bal")
    with pytest.raises(ProblemError, match="no side 'rim'"):
        Grid(10, 1.0, walls={"rim": "no-flux"})
    with pytest.raises(ProblemError, match="periodic together"):
        Grid(10, 1.0, walls={"left": "periodic"})
    with pytest.raises(ProblemError, match="shape"):
        solve(Problem(heat, grid=Grid(10, 1.0), initial={"c": np.ones(9)}))
    with pytest.raises(ProblemError, match="one cell"):
        Problem(heat, initial={"c": sp.cos(x)})
    with pytest.raises(ProblemError, match="does not run on a grid"):
        solve(Problem(heat, grid=Grid(10, 1.0)), method="LSODA")
