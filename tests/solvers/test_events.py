"""State events: located, direction-aware, in order, and honest about touches."""

import numpy as np
import pytest
import sympy as sp

from remission.models import Input, Model, Parameter, State, sensitive_resistant, t
from remission.solvers import Problem, SolveWarning, Treatment, solve
from remission.solvers.methods import method_names


def grower(rate=0.2):
    N, u = State("N", 1.0, unit="cells", cells_per_unit=1), Input("u")
    r = Parameter("r", rate, unit="1/day")
    return Model("grower", rates={N: r * (1 - 2 * u) * N})


def path(expression):
    """A model whose state follows a given function of time, with an input that a rule can switch."""
    A, B = State("A", float(expression.subs(t, 0)), positive=False), State("B", 0.0, positive=False)
    return Model("path", rates={A: sp.diff(expression, t), B: Input("u")})


@pytest.mark.parametrize("method", method_names())
def test_a_crossing_is_found_at_the_accuracy_of_the_step(method):
    problem = Problem(grower(), t_span=(0, 100), treatment=Treatment.switch_when({"u": 1}, of="N", above=1e4))
    solution = solve(problem, method, rtol=1e-9)
    (event,) = solution.events
    assert event.time == pytest.approx(np.log(1e4) / 0.2, abs=2e-6)
    assert solution["N"][-1] == pytest.approx(1e4 * np.exp(-0.2 * (100 - event.time)), rel=1e-5)


def test_many_crossings_match_the_closed_form():
    """Growth and decay at rate r between 0.5 and 1: every phase lasts ln 2 / r."""
    keep = Treatment.adaptive({"u": 1}, of="N", pause_below=0.5, resume_above=1.0, relative_to=None)
    solution = solve(Problem(grower(0.1), t_span=(0, 100), treatment=keep), rtol=1e-10)
    times = [e.time for e in solution.events]
    np.testing.assert_allclose(times, np.log(2) / 0.1 * np.arange(1, 15), rtol=1e-7)


def test_a_value_on_the_threshold_at_the_start_does_not_fire():
    problem = Problem(grower(), t_span=(0, 5), treatment=Treatment.switch_when({"u": 1}, of="N", above=1.0))
    assert solve(problem).events == ()
    falling = Treatment.switch_when({"u": 1}, of="N", below=1.0)
    assert solve(Problem(grower(), t_span=(0, 5), treatment=falling)).events == ()


def test_direction_matters():
    model = path(1 - sp.cos(t))  # rises through 1 at pi/2, falls through 1 at 3 pi/2
    for way, when in (("above", np.pi / 2), ("below", 3 * np.pi / 2)):
        problem = Problem(model, t_span=(0, 6), treatment=Treatment.switch_when({"u": 1}, of="A", **{way: 1.0}))
        (event,) = solve(problem, rtol=1e-10, atol=1e-12).events
        assert event.time == pytest.approx(when, abs=1e-7)


def test_a_graze_does_not_fire_and_a_near_miss_neither():
    model = path(-((t - 2) ** 2))
    for level, fires in ((1e-3, False), (-1e-2, True)):
        rule = Treatment.switch_when({"u": 1}, of="A", above=level)
        solution = solve(Problem(model, t_span=(0, 4), treatment=rule), rtol=1e-10, atol=1e-12)
        assert bool(solution.events) == fires


def test_two_crossings_within_one_step_are_both_seen():
    """A step of a smooth solver may hold a whole excursion of the observable."""
    A, B, u = State("A", 0.0, positive=False), State("B", 0.0, positive=False), Input("u")
    bump = sp.exp(-((A - 5) ** 2))
    model = Model("bump", rates={A: 1, B: u}, observables={"bump": bump})
    rule = Treatment.adaptive(
        {"u": 1}, of="bump", pause_below=0.3, resume_above=0.5, relative_to=None, on_at_start=False
    )
    solution = solve(Problem(model, t_span=(0, 10), treatment=rule), "DOP853")
    times = [e.time for e in solution.events]
    np.testing.assert_allclose(times, [5 - np.sqrt(np.log(2)), 5 + np.sqrt(-np.log(0.3))], atol=1e-6)


def test_a_dose_that_crosses_the_threshold_switches_at_its_instant():
    rule = Treatment.switch_when({"u": 1}, of="N", above=10.0) + Treatment.bolus({"N": 50.0}, at=3)
    solution = solve(Problem(grower(), t_span=(0, 6), treatment=rule))
    assert [(e.kind, e.time) for e in solution.events] == [("dose", 3.0), ("switch", 3.0)]
    assert solution.at(3.0, "u", side="left") == 0
    assert solution.at(3.0, "u", side="right") == 1


def test_visits_decide_only_at_visits():
    keep = Treatment.adaptive(
        {"u": 1}, of="N", pause_below=0.5, resume_above=1.0, relative_to=None, check_every=10, lead_in=3
    )
    solution = solve(Problem(grower(0.1), t_span=(0, 60), treatment=keep), rtol=1e-9)
    # Day 3: 0.74; 13: 0.27, pause; 23: 0.74; 33: 2.0, resume; 43: 0.74; 53: 0.27, pause.
    assert [e.time for e in solution.events] == [13.0, 33.0, 53.0]


def test_the_end_of_a_lead_in_is_a_decision():
    keep = Treatment.adaptive({"u": 1}, of="N", pause_below=0.5, resume_above=1.0, relative_to=None, lead_in=20)
    solution = solve(Problem(grower(0.1), t_span=(0, 60), treatment=keep), rtol=1e-9)
    assert solution.events[0].time == 20.0  # long below 0.5 by then
    assert solution.events[1].time == pytest.approx(40.0, abs=1e-5)


def test_chattering_ends_with_its_name():
    keep = Treatment.adaptive({"u": 1}, of="N", pause_below=0.999, resume_above=1.0, relative_to=None, max_switches=20)
    with pytest.warns(SolveWarning, match="more than 20 times"):
        solution = solve(Problem(grower(0.5), t_span=(0, 100), treatment=keep))
    assert solution.status == "chattering"


def test_two_rules_act_on_two_inputs():
    A, u, v = State("A", 0.0), Input("u"), Input("v")
    model = Model("two", rates={A: 1 + 0 * u * v, State("B", 0.0): u + v})
    both = Treatment.switch_when({"u": 1}, of="A", above=2) + Treatment.switch_when({"v": 1}, of="A", above=2)
    solution = solve(Problem(model, t_span=(0, 5), treatment=both))
    np.testing.assert_allclose([e.time for e in solution.events], [2, 2], atol=1e-8)
    assert solution["B"][-1] == pytest.approx(6, abs=1e-6)


def test_extinction_gate_sets_a_clone_to_zero_at_one_cell():
    N = State("N", 1e3, unit="1e6 cells", cells_per_unit=1e6)
    model = Model("dying", rates={N: -Parameter("d", 0.5, unit="1/day") * N})
    gated = solve(Problem(model, t_span=(0, 60), extinction_gate=True), rtol=1e-9, atol=1e-12)
    (event,) = gated.events
    assert event.kind == "gate"
    assert event.time == pytest.approx(np.log(1e9) / 0.5, rel=1e-6)
    assert gated["N"][-1] == 0
    assert solve(Problem(model, t_span=(0, 60)))["N"][-1] < 1e-9


def test_rules_relative_to_the_start_use_the_initial_value():
    problem = Problem(sensitive_resistant(), t_span=(0, 400), initial={"S": 0.3, "R": 0.0})
    rule = Treatment.adaptive({"u": 1}, of="burden", pause_below=0.5, resume_above=1.0)
    solution = solve(problem.replace(treatment=rule), rtol=1e-9)
    first = solution.events[0]
    assert solution.at(first.time, "burden") == pytest.approx(0.15, rel=1e-7)
