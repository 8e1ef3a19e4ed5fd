"""Outcomes against closed forms, and their gradients against differences of whole solutions."""

import math
import pickle

import numpy as np
import pytest

from remission.analysis import (
    Outcome,
    at_end,
    doubling_time,
    nadir,
    nadir_time,
    relapse_probability,
    time_to_progression,
)
from remission.models import Model, Parameter, ProblemError, State, exponential_growth, sensitive_resistant
from remission.solvers import Problem, Treatment, solve

TIGHT = {"rtol": 1e-10, "atol": 1e-12}


def two_exponentials(**changes):
    """S falls at rate a and R rises at rate b: every outcome of S + R has a closed form or one scalar equation."""
    a, b, S0, R0 = Parameter("a", 0.3), Parameter("b", 0.1), Parameter("S0", 1.0), Parameter("R0", 1e-3)
    S, R = State("S", S0), State("R", R0)
    model = Model("two", rates={S: -a * S, R: b * R}, observables={"burden": S + R})
    return Problem(model, t_span=(0, 100), **TIGHT).replace(**changes)


def strobl(treatment, **changes):
    return Problem(sensitive_resistant(), t_span=(0, 900), treatment=treatment, **TIGHT).replace(**changes)


ADAPTIVE = Treatment.adaptive({"u": 1}, of="burden", pause_below=0.5, resume_above=1.0)


def test_nadir_of_two_exponentials():
    """d/dt (exp(-a t) + c exp(b t)) = 0 at t = ln(a / (b c)) / (a + b)."""
    solution = solve(two_exponentials())
    t = math.log(0.3 / (0.1 * 1e-3)) / 0.4
    assert nadir_time(solution, "burden") == pytest.approx(t, abs=1e-5)
    assert nadir(solution, "burden") == pytest.approx(math.exp(-0.3 * t) + 1e-3 * math.exp(0.1 * t), rel=1e-9)


def test_progression_of_two_exponentials():
    from scipy.optimize import brentq

    solution = solve(two_exponentials())

    def y(t):
        return math.exp(-0.3 * t) + 1e-3 * math.exp(0.1 * t)

    low = nadir(solution, "burden")
    from_start = brentq(lambda t: y(t) - 1.2 * 1.001, 25, 100)
    from_nadir = brentq(lambda t: y(t) - 1.2 * low, 20, 100)
    assert time_to_progression(solution) == pytest.approx(from_start, rel=1e-9)
    assert time_to_progression(solution, since="nadir") == pytest.approx(from_nadir, rel=1e-8)
    assert time_to_progression(solution, factor=1e6) == math.inf


def test_progression_does_not_depend_on_output_times():
    problem = strobl(Treatment.constant({"u": 1}))
    few, many = solve(problem, t_eval=[0, 900]), solve(problem, t_eval=np.linspace(0, 900, 5000))
    assert time_to_progression(few) == time_to_progression(many)


def test_progression_under_three_ways_to_dose():
    """Strobl et al. at the defaults: every day 356.4, adaptive watched always 470, every 28 days 496, every 90 237."""
    visits = {
        days: Treatment.adaptive({"u": 1}, of="burden", pause_below=0.5, resume_above=1.0, check_every=days)
        for days in (28, 90)
    }
    ways = (Treatment.constant({"u": 1}), ADAPTIVE, visits[28], visits[90])
    found = [time_to_progression(solve(strobl(way, t_span=(0, 2500)))) for way in ways]
    assert found[0] == pytest.approx(356.4, abs=0.05)
    np.testing.assert_allclose(found[1:], [470, 496, 237], atol=0.5)


def test_time_counts_from_the_start_of_the_span():
    late = two_exponentials(t_span=(50, 150))
    assert time_to_progression(solve(late)) == pytest.approx(time_to_progression(solve(two_exponentials())), rel=1e-8)


def test_doubling_time_of_exponential_growth():
    solution = solve(Problem(exponential_growth(), t_span=(0, 30), **TIGHT))
    name, r = solution.problem.system.states[0], solution.problem.parameters["r"]
    assert doubling_time(solution, name) == pytest.approx(math.log(2) / r, rel=1e-8)
    assert doubling_time(solution, name, between=(3, 4)) == pytest.approx(math.log(2) / r, rel=1e-7)
    halving = solve(two_exponentials())
    assert doubling_time(halving, "S", between=(0, 20)) == pytest.approx(-math.log(2) / 0.3, rel=1e-7)


def test_a_dose_is_seen_from_both_sides():
    """Surgery at day 10 leaves a tenth: the nadir is the value just after; adding cells at day 30 is progression."""
    plain = two_exponentials(parameters={"a": -0.05, "b": -0.05})  # both clones as S' = 0.05 S, R' = -0.05 R
    operated = plain.replace(treatment=Treatment.surgery({"S": 0.9}, at=10), t_span=(0, 20))
    solution = solve(operated)
    assert nadir(solution, "S") == pytest.approx(0.1 * math.exp(0.5), rel=1e-8)
    assert nadir_time(solution, "S") == pytest.approx(10)
    added = plain.replace(treatment=Treatment.bolus({"S": 5.0}, at=3), t_span=(0, 20))
    assert time_to_progression(solve(added), "S", factor=2) == pytest.approx(3)


def test_a_nadir_of_noise_counts_as_ten_tolerances():
    """S falls to nothing; below ten absolute tolerances there is no progression from noise."""
    problem = two_exponentials(parameters={"R0": 0.0}, t_span=(0, 400), atol=1e-6)
    assert nadir(solve(problem), "S") < 1e-6
    assert time_to_progression(solve(problem), "S", since="nadir") == math.inf


def test_nothing_cannot_grow_by_a_factor():
    with pytest.raises(ProblemError, match="growth by a factor of nothing"):
        time_to_progression(solve(two_exponentials(parameters={"R0": 0.0})), "R")


def test_a_failed_solution_gives_nan():
    with pytest.warns(UserWarning, match="blow up|cannot move on"):
        solution = solve(two_exponentials(parameters={"b": 20.0}))
    assert not solution.success
    for outcome in (at_end("R"), nadir("R"), time_to_progression("R"), doubling_time("R"), nadir_time("R")):
        assert math.isnan(outcome(solution))


# --- gradients --------------------------------------------------------------------------------------------------------


def assert_gradient(problem, outcome, names, rel=2e-6, step=1e-4):
    solution = solve(problem, sensitivities=names)
    exact, size = outcome.gradient(solution), abs(outcome(solution))
    for name in names:
        value = problem.parameters[name]
        h = step * (abs(value) or 1.0)
        a, b, c, d = (outcome(solve(problem.replace(parameters={name: value + k * h}))) for k in (-2, -1, 1, 2))
        difference = (a - 8 * b + 8 * c - d) / (12 * h)
        assert exact[name] == pytest.approx(difference, rel=rel, abs=1e-6 * size / (abs(value) or 1.0)), (
            outcome.label,
            name,
        )


@pytest.mark.parametrize(
    "outcome",
    [
        at_end("burden"),
        nadir("burden"),
        time_to_progression(),
        time_to_progression(since="nadir", factor=1.5),
        doubling_time("burden", between=(20, 60)),
    ],
    ids=str,
)
def test_gradients_of_two_exponentials(outcome):
    assert_gradient(two_exponentials(), outcome, ["a", "b", "S0", "R0"])


@pytest.mark.parametrize("outcome", [nadir("burden"), time_to_progression(since="nadir")], ids=str)
def test_gradients_where_the_nadir_sits_at_a_switch(outcome):
    """Under adaptive dosing the burden is lowest where the rule pauses: at 0.5 n0 whatever the growth rate."""
    problem = strobl(ADAPTIVE, t_span=(0, 120))
    assert nadir(solve(problem)) == pytest.approx(0.25, rel=1e-8)
    assert_gradient(problem, outcome, ["r", "n0", "turnover"])
    if outcome.kind == "nadir":
        assert outcome.gradient(solve(problem, sensitivities=["n0"]))["n0"] == pytest.approx(0.5, rel=1e-6)


def test_gradients_through_many_switches():
    assert_gradient(strobl(ADAPTIVE, t_span=(0, 600)), time_to_progression(), ["turnover", "f_R"], rel=1e-5)


def test_gradients_at_doses_whose_time_is_a_parameter():
    """The nadir just after surgery at day `when`, and progression at a dose: both move with it."""
    when = Parameter("when", 10.0)
    growing = two_exponentials(parameters={"a": -0.05}, t_span=(0, 20))
    operated = growing.replace(treatment=Treatment.surgery({"S": 0.9}, at=when))
    exact = nadir("S").gradient(solve(operated, sensitivities=["when", "a"]))
    low = 0.1 * math.exp(0.5)
    assert exact["when"] == pytest.approx(0.05 * low, rel=1e-7)
    assert exact["a"] == pytest.approx(-10 * low, rel=1e-7)
    added = growing.replace(treatment=Treatment.bolus({"S": 5.0}, at=when))
    found = time_to_progression("S", factor=3).gradient(solve(added, sensitivities=["when", "a"]))
    assert found == pytest.approx({"when": 1.0, "a": 0.0}, abs=1e-9)


def test_gradients_under_an_infusion():
    flow, a = Parameter("flow", 2.0), 0.3
    treatment = Treatment.infusion({"S": flow}, start=5, duration=50)
    problem = two_exponentials(treatment=treatment, t_span=(0, 60))
    # S' = flow - a S from S(5) = exp(-1.5): the level 1.2 is reached a time ln((q - s) / (q - 1.2)) / a later
    q, s = 2.0 / a, math.exp(-1.5)
    outcome = time_to_progression("S")
    assert outcome(solve(problem)) == pytest.approx(5 + math.log((q - s) / (q - 1.2)) / a, rel=1e-8)
    assert_gradient(problem, outcome, ["flow", "a"])


def test_infinite_times_have_no_gradient():
    solution = solve(two_exponentials(), sensitivities=["a"])
    assert math.isnan(time_to_progression(factor=1e6).gradient(solution)["a"])


# --- values -----------------------------------------------------------------------------------------------------------


def test_outcomes_are_values():
    one, other = time_to_progression(factor=1.5), time_to_progression(factor=1.5)
    assert one == other
    assert hash(one) == hash(other)
    assert pickle.loads(pickle.dumps(one)) == one
    assert one != time_to_progression()
    assert str(one) == "time to progression of burden (x1.5)"
    assert at_end("S") == Outcome("at_end", "S")
    assert [relapse_probability().needs_lineages, one.needs_lineages] == [True, False]


def test_units():
    problem = strobl(Treatment.none())
    assert [o.unit(problem) for o in (at_end("burden"), time_to_progression())] == ["1", "day"]


def test_refusals():
    solution = solve(two_exponentials())
    with pytest.raises(ProblemError, match="above 1 to mean growth"):
        time_to_progression(solution, factor=1.0)
    with pytest.raises(ProblemError, match="'start' or 'nadir'"):
        time_to_progression(solution, since="nadr")
    with pytest.raises(ProblemError, match="did you mean 'burden'"):
        at_end(solution, "burdn")
    with pytest.raises(ProblemError, match="a Solution or a name"):
        nadir(solution.problem)
    with pytest.raises(ProblemError, match="sensitivities="):
        at_end("S").gradient(solution)
    with pytest.raises(ProblemError, match="no exact gradient"):
        nadir_time("S").gradient(solution)
    with pytest.raises(ProblemError, match=r"lineages=\{R: Lineage"):
        relapse_probability(solution)
    with pytest.raises(ProblemError, match="t1 < t2"):
        doubling_time(solution, between=(3, 3))
