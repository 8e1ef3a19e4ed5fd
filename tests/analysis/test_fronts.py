"""Outcomes on grids: means as of one cell, positions, speeds and widths of fronts against closed forms."""

import numpy as np
import pytest
import sympy as sp

from remission.analysis import (
    at_end,
    bistable_speed,
    doubling_time,
    front_position,
    front_speed_between,
    front_width,
    invasion_speed,
    nadir,
    nadir_time,
    relapse_probability,
    sensitivity,
    sweep,
    time_to_progression,
)
from remission.models import bistable_invasion, glioma_invasion, paracrine_invasion, x, y
from remission.models.errors import ProblemError
from remission.solvers import Grid, Problem, Treatment, solve


def test_outcomes_of_the_mean_are_those_of_one_cell():
    course = Treatment.intermittent({"e": 1.0}, on=10, off=40)
    mixed = Problem(
        paracrine_invasion(), t_span=(0, 50), treatment=course, parameters={"tau0": 0.5, "rho": 0.1}, rtol=1e-8
    )
    one, many = solve(mixed), solve(mixed.replace(grid=Grid(5, 1.0, "ball")))
    asked = (
        at_end("tau"), nadir("burden"), nadir_time("burden"), time_to_progression(of="burden", since="nadir"),
        doubling_time("tau", between=(20, 40)),
    )  # fmt: skip
    for outcome in asked:
        assert outcome(many) == pytest.approx(outcome(one), rel=2e-5), outcome.label
    assert np.isfinite(asked[3](one))


def test_the_mean_of_a_profile_is_by_volume():
    grid = Grid(50, 2.0, "ball")
    solution = solve(
        Problem(bistable_invasion(), t_span=(0, 1), grid=grid, initial={"c": 1 / (1 + sp.exp(9 * (x - 1)))})
    )
    assert at_end("c")(solution) == pytest.approx(solution.mean("c")[-1], rel=1e-12)
    with pytest.raises(ProblemError, match="one well-mixed cell"):
        relapse_probability()(solution)


def test_the_bistable_front_has_its_speed_and_width():
    start = 1 / (1 + sp.exp((x - 6) * sp.sqrt(50)))
    problem = Problem(bistable_invasion(), t_span=(0, 100), grid=Grid(400, 16.0), initial={"c": start}, rtol=1e-8)
    solution = solve(problem, t_eval=[0, 50, 100])
    speed = invasion_speed(solution, "c", between=(50, 100))
    assert speed == pytest.approx(bistable_speed(0.01, 1.0, 0.3), rel=4e-3)
    np.testing.assert_allclose(front_width(solution, "c"), 2 * np.log(9) / np.sqrt(50), rtol=6e-3)
    np.testing.assert_allclose(front_position(solution, "c")[0], 6.0, atol=1e-3)
    outcome = invasion_speed("c", between=(50, 100))
    assert outcome(solution) == speed
    assert outcome.unit(problem) == "mm/day"
    mirrored = solve(problem.replace(initial={"c": start.subs(x, 16 - x)}), t_eval=[100])
    assert front_position(mirrored, "c", side="left")[0] == pytest.approx(
        16 - front_position(solution, "c")[-1], abs=1e-6
    )


def test_the_front_of_fisher_lags_as_bramson_says():
    problem = Problem(
        glioma_invasion(), t_span=(0, 160), parameters={"D": 0.01, "rho": 0.2}, grid=Grid(1000, 20.0), rtol=1e-7,
        atol=1e-30, initial={"c": lambda x: 1.0 * (x < 1)},
    )  # fmt: skip
    speed = invasion_speed(solve(problem, t_eval=[120, 160]), "c", between=(120, 160))
    assert speed == pytest.approx(0.08700, abs=1e-4)
    assert speed == pytest.approx(front_speed_between(0.01, 0.2, 120, 160), abs=2e-4)


def test_radii_on_a_rectangle():
    disc = 1 / (1 + sp.exp(20 * (sp.sqrt((x - 2) ** 2 + (y - 2) ** 2) - 1.2)))
    grid = Grid((80, 80), (4.0, 4.0), "rectangle")
    round_one = solve(Problem(bistable_invasion(), t_span=(0, 1), grid=grid, initial={"c": disc}), t_eval=[0])
    assert front_position(round_one, "c")[0] == pytest.approx(1.2, abs=2e-3)
    band = round_one.problem.replace(initial={"c": 1 / (1 + sp.exp(20 * (x - 1.7)))})
    assert front_position(solve(band, t_eval=[0]), "c", along="x")[0] == pytest.approx(1.7, abs=1e-3)


def test_outcomes_of_the_mean_over_a_rectangle():
    course = Treatment.intermittent({"e": 1.0}, on=10, off=40)
    mixed = Problem(paracrine_invasion(), t_span=(0, 40), treatment=course, parameters={"tau0": 0.5, "rho": 0.1})
    one = solve(mixed)
    many = solve(mixed.replace(grid=Grid((3, 4), (1.0, 1.0), "rectangle")), t_eval=np.linspace(0, 40, 161))
    for outcome in (at_end("tau"), nadir("tau"), time_to_progression(of="tau", since="nadir")):
        assert outcome(many) == pytest.approx(outcome(one), rel=2e-3), outcome.label


def test_sweeps_over_problems_on_a_grid():
    problem = Problem(
        bistable_invasion(), t_span=(0, 40), grid=Grid(100, 8.0), initial={"c": 1 / (1 + sp.exp(7 * (x - 4)))}
    )
    found = sweep(problem, {"a": [0.3, 0.7]}, [at_end("c"), invasion_speed("c")])
    assert found.values[0, 1] > 0.02
    assert found.values[1, 1] < -0.02
    assert found.values[0, 0] > 0.5 > found.values[1, 0]


def test_local_sensitivity_of_a_front_by_differences():
    start = 1 / (1 + sp.exp((x - 4) * sp.sqrt(50)))
    problem = Problem(bistable_invasion(), t_span=(0, 40), grid=Grid(160, 8.0), initial={"c": start}, rtol=1e-7)
    found = sensitivity(problem, [invasion_speed("c"), at_end("c")], vary=["a"])
    assert found.how == ("differences", "differences")
    assert found.raw[0, 0] == pytest.approx(-2 * np.sqrt(0.005), rel=0.02)


def test_what_has_no_front():
    problem = Problem(bistable_invasion(), t_span=(0, 1), grid=Grid(10, 1.0))
    assert np.isnan(front_position(solve(problem), "c", level=0.9)).all()
    with pytest.raises(ProblemError, match="has no front"):
        front_position("c").check(problem.replace(grid=Grid()))
    with pytest.raises(ProblemError, match="the same everywhere"):
        front_position(solve(Problem(paracrine_invasion(), t_span=(0, 1), grid=Grid(10, 1.0))), "e")
