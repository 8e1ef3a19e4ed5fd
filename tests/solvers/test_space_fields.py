"""Totals, means, what is kept, text and tables of solutions on grids."""

import pickle

import numpy as np
import pytest
import sympy as sp

import remission as rm
from remission.models import Model, Parameter, State, grad, paracrine_invasion, x, y
from remission.models.errors import ProblemError
from remission.solvers import Grid, Problem, Treatment, solve
from remission.solvers.grid import Wall

D, k = Parameter("D", 0.1, unit="mm^2/day"), Parameter("k", 0.3, unit="1/day")
S, R = (State(name, 0.5, unit="1", kind="tumour", scale=1.0) for name in "SR")
two = Model("two", transfers={(S, R): k * S}, fluxes={S: -D * grad(S)}, observables={"burden": S + R})
GRIDS = [
    Grid(edges=np.cumsum([0, 0.1, 0.2, 0.15, 0.3, 0.25])), Grid(20, 1.0, "disc"), Grid(20, 1.0, "ball"),
    Grid((6, 7), (1.0, 2.0), "rectangle"),
]  # fmt: skip


def profile(grid):
    return sp.exp(-x - y) if grid.geometry == "rectangle" else sp.exp(-x)


@pytest.mark.parametrize("grid", GRIDS, ids=repr)
def test_amounts_are_kept_and_said(grid):
    solution = solve(Problem(two, t_span=(0, 5), grid=grid, initial={"S": profile(grid)}), t_eval=[0, 2, 5])
    totals = solution.total("burden")
    assert totals.shape == (3,)
    np.testing.assert_allclose(totals, totals[0], rtol=1e-9)
    assert list(solution.drift) == ["R + S"]
    assert solution.drift["R + S"] < 1e-12
    np.testing.assert_allclose(solution.total("S"), solution.total("S")[0] * np.exp(-0.3 * solution.t), rtol=1e-4)
    assert "amount of R + S kept to" in str(solution)
    assert 0 < solution.minimum["S"] <= solution["S"].min()
    np.testing.assert_allclose(solution.mean("S") * grid.volumes.sum(), solution.total("S"), rtol=1e-14)


def test_nothing_is_said_of_amounts_that_may_change():
    grid = Grid(8, 1.0)
    problem = Problem(two, t_span=(0, 2), grid=grid)
    assert solve(problem.replace(treatment=Treatment.bolus({"S": 0.1}, at=1))).drift == {}
    leaking = Grid(8, 1.0, walls={"left": Wall(value={"S": 0.0})})
    assert solve(problem.replace(grid=leaking)).drift == {}
    assert solve(Problem(paracrine_invasion(), t_span=(0, 2), grid=grid)).drift == {}
    assert solve(problem.replace(grid=Grid())).drift["R + S"] < 1e-12


def test_regions():
    grid = Grid((4, 6), (2.0, 3.0), "rectangle")
    solution = solve(Problem(two, t_span=(0, 1), grid=grid, initial={"R": x}), t_eval=[0, 1])
    left = solution.total("R", region=lambda x, y: x < 1)[0]
    assert left == pytest.approx(2.0 * 0.5)
    mask = np.zeros(grid.shape, bool)
    mask[:, :2] = True
    assert solution.total("R", mask)[0] == pytest.approx(left)
    with pytest.raises(ProblemError, match="shape"):
        solution.total("R", mask.T)
    with pytest.raises(ProblemError, match="no cell"):
        solution.mean("R", lambda x, y: x > 5)
    with pytest.raises(ProblemError, match="no output 'Q'"):
        solution.mean("Q")


def test_values_at_any_time_tables_and_a_start_from_the_end():
    grid = Grid((4, 6), (2.0, 3.0), "rectangle")
    solution = solve(Problem(two, t_span=(0, 4), grid=grid, initial={"S": profile(grid)}))
    assert solution.at(2.0, "S").shape == (4, 6)
    assert solution.at([2.0, 4.0], "burden").shape == (2, 4, 6)
    data, means, cells = solution.to_xarray(), solution.to_pandas(), solution.to_pandas(fields=True)
    assert data["S"].dims == ("time", "y", "x")
    assert data["x"].attrs["units"] == "mm"
    np.testing.assert_allclose(data["x"], grid.x)
    np.testing.assert_allclose(means["S"], solution.mean("S"))
    assert cells.shape == (51 * 24, 3)
    assert cells.index.names == ["time (day)", "y (mm)", "x (mm)"]
    at = cells.xs(solution.t[3], level=0)["S"].to_numpy()
    np.testing.assert_allclose(at, solution["S"][3].ravel())
    again = pickle.loads(pickle.dumps(solution))
    np.testing.assert_array_equal(again["S"], solution["S"])
    assert again.drift == solution.drift
    halves = solve(solution.problem.replace(t_span=(0, 2)))
    rest = solve(solution.problem.replace(t_span=(2, 4), initial=halves.final()))
    np.testing.assert_allclose(rest["S"][-1], solution["S"][-1], atol=2e-5)


def test_names_at_the_front_door():
    assert rm.Wall is Wall
    assert rm.y is y


def test_a_bar_changes_nothing():
    problem = Problem(two, t_span=(0, 2), grid=Grid(8, 1.0), initial={"S": profile(Grid(8, 1.0))})
    np.testing.assert_array_equal(solve(problem, progress=True)["S"], solve(problem)["S"])
