"""Solutions against closed forms, published numbers, and each other."""

import pickle

import numpy as np
import pytest

from remission.models import Input, Model, Parameter, ProblemError, SolveError, State, sensitive_resistant, t
from remission.solvers import Problem, SolveWarning, Treatment, solve
from remission.solvers.methods import method_names

METHODS = method_names()


def decay(k=0.3):
    C = State("C", 0.0, kind="drug", scale=1.0)
    return Model("decay", rates={C: -Parameter("k", k, unit="1/day") * C})


def first_time_above(solution, factor=1.2):
    from scipy.optimize import brentq

    burden = solution["burden"]
    i = np.flatnonzero(burden > factor * burden[0])[0]
    return brentq(lambda s: solution.at(s, "burden") - factor * burden[0], solution.t[i - 1], solution.t[i])


@pytest.mark.parametrize(("visits", "days"), [(None, 470.05), (28, 495.97), (90, 236.66)])
@pytest.mark.parametrize("method", ["LSODA", "DOP853"])
def test_adaptive_dosing_of_strobl(visits, days, method):
    """470 days watched continuously, 496 with 28-day visits, 237 with 90-day visits; 356.4 without pauses."""
    daily = Problem(sensitive_resistant(), t_span=(0, 900), treatment=Treatment.constant({"u": 1.0}), rtol=1e-9)
    pauses = Treatment.adaptive({"u": 1.0}, of="burden", pause_below=0.5, resume_above=1.0, check_every=visits)
    assert first_time_above(solve(daily, method)) == pytest.approx(356.4056, abs=2e-4)
    assert first_time_above(solve(daily.replace(treatment=pauses), method)) == pytest.approx(days, abs=6e-3)


@pytest.mark.parametrize("method", METHODS)
def test_three_boluses_meet_the_closed_form(method):
    problem = Problem(decay(), t_span=(0, 20), treatment=Treatment.bolus({"C": 2.0}, at=1, every=6, times=3))
    times = np.linspace(0, 20, 201)
    expected = sum(np.where(times > d, 2 * np.exp(-0.3 * (times - d)), 0) for d in (1, 7, 13))
    solution = solve(problem, method, t_eval=times, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(solution["C"], expected, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_an_infusion_shorter_than_any_step_is_not_stepped_over(method):
    """Six hours in a hundred days: one long step would miss it."""
    give = Treatment.infusion({"C": 8.0}, start=50, duration=0.25)
    solution = solve(Problem(decay(), t_span=(0, 100), treatment=give), method, t_eval=[50, 50.25, 60], rtol=1e-8)
    plateau = 8.0 / 0.3 * (1 - np.exp(-0.3 * 0.25))
    np.testing.assert_allclose(solution["C"], [0, plateau, plateau * np.exp(-0.3 * 9.75)], rtol=1e-6, atol=1e-9)


def test_outputs_at_a_dose_are_those_before_it():
    give = Treatment.bolus({"C": 1.0}, at=[0, 5, 10]) + Treatment.bolus({"C": 0.5}, at=5)
    solution = solve(Problem(decay(0.1), t_span=(0, 10), treatment=give), t_eval=[0, 5, 10], rtol=1e-9)
    after_five = np.exp(-0.5) + 1.5  # two doses at one instant add
    np.testing.assert_allclose(solution["C"], [0, np.exp(-0.5), after_five * np.exp(-0.5)], rtol=1e-7)
    right = solution.at([0, 5, 10], "C", side="right")
    np.testing.assert_allclose(right, [1, after_five, after_five * np.exp(-0.5) + 1], rtol=1e-7)
    assert [e.kind for e in solution.events] == ["dose"] * 4


def test_surgery_keeps_a_fraction():
    T = State("T", 1.0)
    model = Model("growth", rates={T: Parameter("r", 0.1) * T})
    solution = solve(Problem(model, t_span=(0, 20), treatment=Treatment.surgery({"T": 0.9}, at=10)), rtol=1e-9)
    np.testing.assert_allclose(solution["T"][-1], 0.1 * np.exp(2), rtol=1e-6)


def test_levels_that_overlap_add_and_end():
    u = Input("u")
    A = State("A", 0.0, kind="drug")
    give = Treatment.constant({"u": 1}, start=2, end=6) + Treatment.constant({"u": 2}, start=4, end=8)
    solution = solve(Problem(Model("sum", rates={A: u}), t_span=(0, 10), treatment=give), t_eval=[1, 3, 5, 7, 10])
    assert solution["u"].tolist() == [0, 1, 3, 2, 0]
    np.testing.assert_allclose(solution["A"], [0, 1, 5, 10, 12], atol=1e-9)


def test_an_input_keeps_its_default_unless_a_treatment_names_it():
    u = Input("u", 3.0)
    A = State("A", 0.0, kind="drug")
    model = Model("default", rates={A: u})
    assert solve(Problem(model, t_span=(0, 1)))["A"][-1] == pytest.approx(3)
    late = Treatment.constant({"u": 1}, start=0.5)
    assert solve(Problem(model, t_span=(0, 1), treatment=late))["A"][-1] == pytest.approx(0.5)


def test_time_may_appear_in_rates():
    A = State("A", 0.0, positive=False)
    solution = solve(Problem(Model("clock", rates={A: 2 * t}), t_span=(1, 3)))
    assert solution["A"][-1] == pytest.approx(8, rel=1e-5)


@pytest.mark.parametrize("method", [None, *(m for m in METHODS if m != "Tsit5")])
def test_methods_agree_on_a_stiff_model(method):
    """Robertson's kinetics; the values at t = 40 are those of the ROBER problem of the stiff test set."""
    A, B, C = State("A", 1.0), State("B", 0.0, scale=1e-5), State("C", 0.0)
    one, two, three = 0.04 * A, 3e7 * B**2, 1e4 * B * C
    model = Model("robertson", transfers={(A, B): one, (B, C): two, (B, A): three})
    solution = solve(Problem(model, t_span=(0, 40)), method, rtol=1e-6, t_eval=[40])
    np.testing.assert_allclose(solution.y[:, 0], [0.7158270688, 9.185534765e-06, 0.2841637457], rtol=2e-5)
    assert np.sum(solution.y) == pytest.approx(1, abs=1e-8)


def test_a_blow_up_is_a_value_with_a_reason():
    """At full dose the drug term turns into growth above the carrying capacity: no bound from S(0) = 1.55."""
    problem = Problem(
        sensitive_resistant(), t_span=(0, 2000), initial={"S": 1.55}, treatment=Treatment.constant({"u": 1})
    )
    for method in ("LSODA", "Radau", "DOP853"):
        with pytest.warns(SolveWarning):
            solution = solve(problem, method)
        assert not solution.success
        assert "S = " in solution.message
        assert np.isfinite(solution["S"][0])
        assert np.isnan(solution["S"][-1])
        with pytest.raises(SolveError, match="sensitive_resistant"):
            solution.require()


def test_a_population_below_zero_is_never_a_success():
    T = State("T", 1.0)
    with pytest.warns(SolveWarning, match="below zero"):
        solution = solve(Problem(Model("drain", rates={T: -Parameter("k", 0.3)}), t_span=(0, 10)))
    assert solution.status == "negative"
    allowed = Model("drain", rates={State("T", 1.0, positive=False): -Parameter("k", 0.3)})
    assert solve(Problem(allowed, t_span=(0, 10)))["T"][-1] == pytest.approx(-2)


@pytest.mark.parametrize("value", [1e-300, 1e300])
def test_hostile_numbers_give_values_or_reasons(value):
    T = State("T", value)
    model = Model("square", rates={T: T**2})
    with pytest.warns(SolveWarning) if value > 1 else _nothing():
        solution = solve(Problem(model, t_span=(0, 1)))
    assert solution.success == (value < 1)
    assert solution.success or solution.message


def _nothing():
    import contextlib

    return contextlib.nullcontext()


def test_one_state_no_parameter_and_an_unused_state():
    N, idle = State("N", 1.0), State("idle", 7.0)
    solution = solve(Problem(Model("bare", rates={N: -N, idle: 0}), t_span=(0, 1)), rtol=1e-9)
    np.testing.assert_allclose([solution["N"][-1], solution["idle"][-1]], [np.exp(-1), 7], rtol=1e-7)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"method": "LSODE"}, "did you mean 'LSODA'"),
        ({"t_eval": [0, 400]}, "outside the problem's t_span"),
        ({"t_eval": [3, 1]}, "must increase"),
        ({"t_eval": [np.nan]}, "must be finite"),
        ({"rtol": -1}, "rtol must lie"),
        ({"max_step": 0}, "max_step must be above 0"),
        ({"sensitivities": ["turnovr"]}, "did you mean 'turnover'"),
        ({"sensitivities": ["S"]}, "its initial value is written"),
        ({"sensitivities": ["r", "r"]}, "comes twice"),
    ],
)
def test_arguments_are_checked_before_work(arguments, text):
    with pytest.raises(ProblemError, match=text):
        solve(Problem(sensitive_resistant()), **arguments)


def test_a_solution_is_read_by_name_exported_and_pickled():
    pauses = Treatment.adaptive({"u": 1.0}, of="burden", pause_below=0.5, resume_above=1.0)
    solution = solve(Problem(sensitive_resistant(), t_span=(0, 400), treatment=pauses), sensitivities=["r"])
    frame, data = solution.to_pandas(), solution.to_xarray()
    assert list(frame.columns) == list(solution.names)
    np.testing.assert_array_equal(frame["burden"], solution["S"] + solution["R"])
    np.testing.assert_array_equal(data["S"].values, solution["S"])
    assert data.attrs["model"] == "sensitive_resistant"
    copy = pickle.loads(pickle.dumps(solution))
    np.testing.assert_array_equal(copy.sensitivity("burden", "r"), solution.sensitivity("burden", "r"))
    np.testing.assert_array_equal(copy.at([3.3, 390], "R"), solution.at([3.3, 390], "R"))
    with pytest.raises(ProblemError, match="did you mean 'burden'"):
        solution["burdn"]
    with pytest.raises(ProblemError, match="within the problem's t_span"):
        solution.at(401)
    with pytest.raises(ProblemError, match="sensitivities="):
        solution.sensitivity("S", "turnover")
    assert "burden" in solution
    assert "switch" in {e.kind for e in solution.events}


def test_a_scipy_solver_class_may_be_given():
    from scipy.integrate import RK45

    class Mine(RK45):
        pass

    solution = solve(Problem(decay(), t_span=(0, 1), initial={"C": 1.0}), Mine)
    assert solution.method == "Mine"
    assert solution["C"][-1] == pytest.approx(np.exp(-0.3), rel=1e-5)
