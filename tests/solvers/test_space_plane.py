"""The compiled scheme for rectangles: rates against NumPy, order and errors against SciPy, doses, memory, messages."""

import numpy as np
import pytest
import sympy as sp

from remission.models import Model, Parameter, State, glioma_invasion, grad, paracrine_invasion, x, y
from remission.models.errors import ProblemError
from remission.models.symbols import t
from remission.solvers import Grid, Problem, Treatment, solve
from remission.solvers.grid import Wall
from remission.solvers.space.discretise import discretise
from remission.solvers.space.plane.plan import make_plan
from remission.solvers.space.plane.step import ALPHA, LOWER, SECOND, WEIGHTS, Stepper

pytestmark = pytest.mark.optional
ALONG_X, ALONG_Y = dict.fromkeys(("left", "right"), "periodic"), dict.fromkeys(("bottom", "top"), "periodic")
WALLS = {
    "closed": {},
    "tube": ALONG_X,
    "other tube": ALONG_Y,
    "torus": ALONG_X | ALONG_Y,
    "open": {
        "left": Wall(value={"M": 1.0, "tau": 0.2}), "top": Wall(inflow={"X": 3.0}),
        "bottom": Wall(value={"X": 0.5, "M": 0.1}, inflow={"tau": 1.0}),
    },
}  # fmt: skip
START = {"tau": 0.8 * sp.exp(-((x - 2) ** 2) * 2 - (y - 1.5) ** 2 * 3)}


def stepper(problem, inputs=()):
    spatial = discretise(problem)
    return spatial, Stepper(make_plan(spatial), list(inputs), np.zeros(spatial.n))


def porous(shape=(6, 5), walls=None, loss=30.0, spread=1.0):
    """Diffusion that depends on the field, cross diffusion, time in a rate, a map."""
    u, v = State("u", 0.5, unit="1", scale=1.0), State("v", 0.5, unit="1", scale=1.0)
    D, a, w = Parameter("D", 0.1), Parameter("a", 0.3), Parameter("w", 1.0, unit="1/day")
    model = Model(
        "porous",
        rates={u: w * u * (1 - u) * sp.cos(w * t) - a * u * v, v: w * (u - loss * v)},
        fluxes={u: -D * (1 + u) * grad(u) - a * v * grad(v), v: -spread * grad(v)},
    )
    rng = np.random.default_rng(5)
    grid = Grid(shape, (2.0, 1.5), "rectangle", walls=walls or {}, maps={"a": 0.2 + 0.2 * rng.random(shape)})
    return Problem(model, t_span=(0, 2), grid=grid, initial={"u": 0.5 + 0.4 * sp.cos(sp.pi * x / 1.5), "v": 0.1})


@pytest.mark.parametrize("name", WALLS)
@pytest.mark.parametrize("mapped", [False, True])
def test_rates_are_those_of_the_reference(name, mapped):
    rng, shape = np.random.default_rng(3), (7, 9)
    maps = {"D_M": rng.random(shape) + 0.01, "chi": 50 * rng.random(shape)} if mapped else {}
    grid = Grid(shape, (2.0, 3.0), "rectangle", walls=WALLS[name], maps=maps)
    spatial, ours = stepper(Problem(paracrine_invasion(), grid=grid), [0.3, 0.4])
    values, found = rng.random((spatial.n, spatial.size)) * 2, np.empty((spatial.n, spatial.size))
    ours.rates(0.7, values, found)
    expected = spatial.f(0.7, values, [0.3, 0.4])
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13 * np.abs(expected).max())


def test_rates_with_coefficients_that_depend_on_fields_and_time():
    spatial, ours = stepper(porous())
    values, found = np.random.default_rng(4).random((2, spatial.size)), np.empty((2, spatial.size))
    ours.rates(0.7, values, found)
    np.testing.assert_allclose(found, spatial.f(0.7, values, []), rtol=1e-12)


def test_conditions_of_order_with_any_matrix():
    """Hairer and Wanner, Solving Ordinary Differential Equations II, section IV.7: sums over trees, each alone."""
    one = np.ones(4)
    a, g = ALPHA @ one, LOWER @ one
    for weights, order in ((WEIGHTS, 3), (SECOND, 2)):
        sums = [(weights @ one, 1), (weights @ a, 1 / 2), (weights @ g, 0)]
        if order == 3:
            sums += [(weights @ a**2, 1 / 3), (weights @ ALPHA @ a, 1 / 6)]
            sums += [(weights @ part, 0) for part in (ALPHA @ g, LOWER @ a, LOWER @ g)]
        np.testing.assert_allclose(*zip(*sums, strict=True), atol=1e-14)


def wholly_solved(problem, times):
    return solve(problem, method="Radau", t_eval=times, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("walls", [{}, ALONG_X | ALONG_Y])
def test_steps_of_one_length_converge_to_third_order(walls):
    problem = porous(walls=walls, loss=2.0, spread=0.1)
    exact, errors = wholly_solved(problem, [2.0]).y[:, -1], []
    for steps in (20, 40):
        _, ours = stepper(problem)
        values = first_fields(problem)
        for k in range(steps):
            new = np.empty_like(values)
            ours.begin(k * 2 / steps, values, np.ones(2))
            ours.attempt(k * 2 / steps, values, 2 / steps, new, 1e-6, np.ones(2))
            values = new
        errors.append(np.abs(values - exact.reshape(2, -1)).max())
    assert errors[1] < 1e-5
    assert np.log2(errors[0] / errors[1]) > 2.6


def first_fields(problem):
    from remission.solvers.space.start import initial_fields

    return initial_fields(problem)


@pytest.mark.parametrize("name", ["torus", "open"])
def test_errors_follow_the_tolerance(name):
    grid = Grid((6, 7), (3.0, 4.0), "rectangle", walls=WALLS[name])
    problem = Problem(paracrine_invasion(), t_span=(0, 6), grid=grid, initial=START)
    course = Treatment.intermittent({"e": 0.8}, on=2, off=2) + Treatment.bolus({"X": 1.0}, at=3)
    problem, times = problem.replace(treatment=course), [1.0, 2.7, 3.0, 5.3, 6.0]
    exact = wholly_solved(problem, times)
    for tolerance in (1e-4, 1e-5):
        found = solve(problem, t_eval=times, rtol=tolerance, atol=tolerance)
        assert (found.method, found.status) == ("ROS34PW2", "done")
        for state in ("tau", "X", "M", "P"):
            np.testing.assert_allclose(found[state], exact[state], rtol=tolerance, atol=10 * tolerance)


def test_diffusion_that_depends_on_the_field_agrees_with_scipy():
    problem, times = porous(walls={"left": Wall(value={"u": 0.3})}), [0.5, 1.3, 2.0]
    exact, found = wholly_solved(problem, times), solve(problem, t_eval=times, rtol=1e-6, atol=1e-7)
    assert found.method == "ROS34PW2"
    np.testing.assert_allclose(found["u"], exact["u"], atol=5e-6)
    np.testing.assert_allclose(found["v"], exact["v"], atol=5e-6)


def test_rules_switch_at_the_same_times():
    rule = Treatment.adaptive({"e": 1.0}, of="burden", pause_below=0.5, resume_above=1.0, relative_to="start")
    mixed = Problem(paracrine_invasion(), t_span=(0, 30), treatment=rule, parameters={"tau0": 0.5, "rho": 0.1})
    one, many = solve(mixed), solve(mixed.replace(grid=Grid((2, 3), 3.0, "rectangle")))
    assert len(one.events) > 0
    np.testing.assert_allclose([e.time for e in many.events], [e.time for e in one.events], rtol=1e-3)


def test_amounts_are_kept_and_nothing_falls_below_zero():
    M, chi, D = State("M", 1.0, unit="1", scale=1.0), Parameter("chi", 2.0), Parameter("D", 0.01)
    model = Model("climbing", rates={M: 0 * M}, fluxes={M: -D * grad(M) + chi * M * grad(sp.exp(-((x - 1) ** 2) * 2))})
    grid = Grid((5, 60), (1.0, 3.0), "rectangle")
    solution = solve(Problem(model, t_span=(0, 1), grid=grid, initial={"M": 1 + sp.cos(3 * x)}))
    amounts = (solution["M"] * grid.volumes).sum(axis=(1, 2))
    np.testing.assert_allclose(amounts, amounts[0], rtol=1e-12)
    assert solution["M"].min() > -1e-9


def test_fields_are_kept_at_output_times_only():
    problem = Problem(glioma_invasion(), t_span=(0, 30), grid=Grid((6, 8), 20.0, "rectangle"))
    solution = solve(problem, t_eval=[10.0, 20.0])
    assert solution["c"].shape == (2, 6, 8)
    assert solution.at([0.0, 10.0, 30.0], "c").shape == (3, 6, 8)
    with pytest.raises(ProblemError, match=r"t_eval=\[\.\.\., 12\.5, \.\.\.\]"):
        solution.at(12.5, "c")
    assert len(solve(problem).t) == 51
    with pytest.raises(ProblemError, match="for rectangles"):
        solve(problem.replace(grid=Grid()), method="ROS34PW2")


def test_what_blows_up_says_so():
    c, k = State("c", 1.0, unit="1", scale=1.0), Parameter("k", 1.0)
    model = Model("explosion", rates={c: k * c**2}, fluxes={c: -k * grad(c)})
    with pytest.warns(UserWarning, match=r"t = 1"):
        solution = solve(Problem(model, t_span=(0, 2), grid=Grid((3, 3), 1.0, "rectangle")))
    assert solution.status in ("failed", "not finite")


def test_slow_fields_take_explicit_steps():
    start = {"c": 0.9 * sp.exp(-((x - 4) ** 2) - (y - 3) ** 2)}
    problem = Problem(glioma_invasion(), t_span=(0, 60), grid=Grid((8, 10), (8.0, 10.0), "rectangle"), initial=start)
    exact = wholly_solved(problem, [17.0, 60.0])
    slow, fast = (solve(problem, t_eval=[17.0, 60.0], rtol=rtol, atol=0.1 * rtol) for rtol in (1e-7, 1e-2))
    assert slow.trace.evaluations > 5 * slow.trace.steps > 4 * fast.trace.steps
    np.testing.assert_allclose(slow["c"], exact["c"], atol=2e-7)
    np.testing.assert_allclose(fast["c"], exact["c"], atol=1e-2)
