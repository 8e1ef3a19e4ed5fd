"""Ensembles: lanes, groups and threads change nothing; failing members are told and disturb nobody."""

import numpy as np
import pytest

from remission.models import Input, Model, Parameter, State, sensitive_resistant
from remission.models.errors import ProblemError
from remission.solvers import Problem, Treatment, kernels, sample

TIMES = [0.0, 100.0, 365.0]


def logistic(**more):
    N, r, K = State("N", 0.5, kind="tumour"), Parameter("r", 0.1), Parameter("K", 2.0)
    model = Model("logistic", rates={N: r * N * (1 - N / K)}, observables={"double": 2 * N})
    return Problem(model, t_span=(0, 50), rtol=1e-8, atol=1e-11, **more)


def test_members_against_the_closed_form():
    rates = np.linspace(0.05, 0.3, 21)
    found = kernels.ensemble(logistic(), ["r"], rates[:, None], [0, 10, 50], ["N", "double"])
    exact = 2 / (1 + 3 * np.exp(-rates[:, None] * [0, 10, 50]))
    np.testing.assert_allclose(found.values, np.stack([exact, 2 * exact], -1), rtol=1e-6)
    assert set(found.status) == {"done"}
    assert not found.failed.size


def test_threads_and_the_rest_of_the_table_change_nothing():
    rates = np.random.default_rng(1).uniform(0.05, 0.3, (200, 1))
    one, two = (kernels.ensemble(logistic(), ["r"], rates, [50], ["N"], threads=k).values for k in (1, 2))
    np.testing.assert_array_equal(one, two)
    first = kernels.ensemble(logistic(), ["r"], rates[:64], [50], ["N"]).values
    np.testing.assert_array_equal(one[:64], first)


def test_initial_values_doses_and_times_may_vary():
    """Two members with other dose times and amounts, other initial values; `sample` solves each alone."""
    dose, day, start = Parameter("dose", 0.3), Parameter("day", 40.0), Parameter("start", 0.2)
    problem = logistic(treatment=Treatment.bolus({"N": dose}, at=day / 2), initial={"N": start})
    names = ["dose", "day", "start"]
    table = [[0.3, 40.0, 0.2], [0.5, 40.0, 0.1], [0.3, 30.0, 0.2], [0.1, 20.0, 0.4]]
    found = kernels.ensemble(problem, names, table, [10, 20, 50], ["N"])
    for row, values in zip(table, found.values, strict=True):
        alone = sample(
            problem.replace(parameters=dict(zip(["dose", "day", "start"], row, strict=True))), [10, 20, 50], ["N"]
        )
        np.testing.assert_allclose(values, alone.values, rtol=1e-6)


@pytest.mark.parametrize("output", ["u", "burden", "S"])
def test_inputs_states_and_observables(output):
    treatment = Treatment.intermittent({"u": 0.8}, on=30, off=20)
    problem = Problem(sensitive_resistant(), treatment=treatment, rtol=1e-8)
    found = kernels.ensemble(problem, ["r"], [[0.02], [0.03]], TIMES, [output, "R"])
    for row, values in zip([0.02, 0.03], found.values, strict=True):
        alone = sample(problem.replace(parameters={"r": row}), TIMES, [output, "R"])
        np.testing.assert_allclose(values, alone.values, rtol=1e-5)


def explosive():
    """N' = r N^2 reaches infinity at t = 1 / (r N0)."""
    N, r = State("N", 1.0), Parameter("r", 0.01)
    return Problem(Model("explosive", rates={N: r * N**2}), t_span=(0, 50), rtol=1e-8, atol=1e-10)


def test_a_member_that_blows_up_is_told_and_its_neighbours_are_right():
    rates = np.array([0.001, 0.01, 0.1, 0.002, 0.019, np.nan, 0.005, 0.003, 0.004, 1e300])
    found = kernels.ensemble(explosive(), ["r"], rates[:, None], [1, 50], ["N"])
    good = [i for i, r in enumerate(rates) if r * 50 < 1]
    assert list(found.failed) == [2, 5, 9]
    assert all(found.messages[i] and not found.messages[good[0]] for i in found.failed)
    np.testing.assert_allclose(found.values[good, :, 0], 1 / (1 - rates[good, None] * [1, 50]), rtol=1e-5)
    assert np.isnan(found.values[found.failed, 1]).all()
    np.testing.assert_allclose(found.values[2, 0, 0], 1 / (1 - 0.1), rtol=1e-5)  # it was right as long as it lived


def test_hostile_numbers_never_end_as_done_with_values_that_are_not_finite():
    numbers = [1e-300, 1e300, -1e300, 0.0, np.inf, np.nan, 1e17]
    found = kernels.ensemble(logistic(), ["K"], np.array(numbers)[:, None], [50], ["N"])
    for value, word, message in zip(found.values[:, 0, 0], found.status, found.messages, strict=True):
        assert np.isfinite(value) == (word == "done")
        assert bool(message) == (word != "done")
    assert found.status[1] == "done"
    assert found.status[5] != "done"


def test_a_clone_that_regrows_from_below_the_tolerance_is_solved_again():
    """N falls as exp(-2 t) for 20 days, to 1e-18 of its tolerance, and grows again with what was left."""
    pytest.importorskip("llvmlite")
    N, k, g = State("N", 1.0, kind="tumour"), Parameter("k", 2.0), Parameter("g", 2.0)
    from remission.models import Input

    u = Input("u")
    model = Model("regrowth", rates={N: g * N - (g + k) * u * N})
    problem = Problem(model, t_span=(0, 40), treatment=Treatment.constant({"u": 1.0}, end=20), rtol=1e-8, atol=1e-6)
    found = kernels.ensemble(problem, ["k"], [[2.0], [2.1]], [20, 40], ["N"])
    assert found.status == ("done", "done")
    expected = [[np.exp(-40), 1.0], [np.exp(-42), np.exp(-2)]]
    np.testing.assert_allclose(found.values[:, :, 0], expected, rtol=1e-5)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ProblemError, match="did you mean 'r'"):
        kernels.ensemble(logistic(), ["rr"], [[1.0]], [1], ["N"])
    with pytest.raises(ProblemError, match="no output"):
        kernels.ensemble(logistic(), ["r"], [[1.0]], [1], ["M"])
    with pytest.raises(ProblemError, match="shape"):
        kernels.ensemble(logistic(), ["r"], [[1.0, 2.0]], [1], ["N"])


def test_without_llvmlite_the_same_numbers_come_from_scipy(monkeypatch):
    compiled = kernels.ensemble(logistic(), ["r"], [[0.1], [0.2]], [50], ["N"])
    monkeypatch.setattr("remission.solvers.kernels.single.available", lambda: False)
    plain = kernels.ensemble(logistic(), ["r"], [[0.1], [0.2], [np.nan]], [50], ["N"])
    np.testing.assert_allclose(plain.values[:2], compiled.values, rtol=1e-6)
    assert plain.status == ("done", "done", "not finite")


def test_a_rule_is_solved_member_by_member():
    treatment = Treatment.adaptive({"u": 1.0}, of="burden", pause_below=0.5, resume_above=1.0, relative_to="start")
    problem = Problem(sensitive_resistant(), treatment=treatment)
    found = kernels.ensemble(problem, ["f_R"], [[0.01], [0.02]], TIMES, ["burden"])
    assert found.status == ("done", "done")
    alone = sample(problem.replace(parameters={"f_R": 0.02}), TIMES, ["burden"]).values
    np.testing.assert_allclose(found.values[1], alone, rtol=1e-6)


def gradients_one_by_one(problem, names, table, times, outputs, by):
    found = [
        sample(problem.replace(parameters=dict(zip(names, row, strict=True))), times, outputs, by) for row in table
    ]
    return np.array([f.gradients for f in found])


@pytest.mark.parametrize("kind", ["shared", "own"])
def test_gradients_are_those_of_the_members_alone(kind):
    """`shared`: one treatment for all; `own`: amounts, times and initial values differ from member to member."""
    dose, gap, cut = Parameter("dose", 0.8), Parameter("gap", 12.0), Parameter("cut", 0.5)
    treatment = Treatment.intermittent({"u": dose}, on=gap, off=9) + Treatment.surgery({"S": cut}, at=gap * 2)
    problem = Problem(sensitive_resistant(), t_span=(0, 90), treatment=treatment, rtol=1e-7, atol=1e-10)
    names = ["r", "n0"] + ["dose", "gap", "cut"] * (kind == "own")
    spread = 1 + 0.2 * np.random.default_rng(2).random((70, len(names)))
    table = np.array([problem.parameters[n] for n in names]) * spread
    times, outputs, by = [0, 30.5, 90], ["S", "burden", "u"], ["n0", "gap", "dose", "r", "R(0)", "cut"]
    one, two = (kernels.ensemble(problem, names, table, times, outputs, threads=k, sensitivities=by) for k in (1, 2))
    assert one.gradients.shape == (70, 3, 3, 6)
    assert set(one.status) == {"done"}
    np.testing.assert_array_equal(one.gradients, two.gradients)
    alone = gradients_one_by_one(problem, names, table[::9], times, outputs, by)
    np.testing.assert_allclose(one.gradients[::9], alone, rtol=1e-6, atol=1e-12)
    part = kernels.ensemble(problem, names, table[5:7], times, outputs, sensitivities=by)
    # A table is solved to the tolerance of its smallest clone at the start: another table, other last digits.
    np.testing.assert_allclose(part.gradients, one.gradients[5:7], rtol=1e-7, atol=1e-12)


@pytest.mark.optional
def test_gradients_of_members_that_fail_or_regrow():
    pytest.importorskip("llvmlite")
    x, r = State("x", 1.0, kind="other"), Parameter("r", 1.0)
    problem = Problem(Model("explosive", rates={x: r * x**2}), t_span=(0, 3), rtol=1e-8)
    found = kernels.ensemble(problem, ["r"], [[0.1], [1.0], [0.2]], [0.5, 2.9], ["x"], sensitivities=["r"])
    assert found.status[1] != "done"
    assert np.isnan(found.gradients[1, 1]).all()
    exact = [[t / (1 - k * t) ** 2 for t in (0.5, 2.9)] for k in (0.1, 0.2)]
    np.testing.assert_allclose(found.gradients[[0, 2], :, 0, 0], exact, rtol=1e-6)
    clone, kill = State("clone", 1.0, kind="tumour", cells_per_unit=1e9), Parameter("kill", 3.0)
    u = Input("u")
    model = Model("sunk", rates={clone: (0.5 - (0.5 + kill) * u) * clone})
    given = Treatment.constant({"u": 1.0}, end=40)
    sunk = Problem(model, t_span=(0, 200), treatment=given, rtol=1e-8, atol=1e-12)
    by_kill = kernels.ensemble(sunk, ["kill"], [[0.1], [2.0], [0.2]], [200], ["clone"], sensitivities=["kill"])
    end = [np.exp(80 - 40 * k) for k in (0.1, 2.0, 0.2)]
    assert set(by_kill.status) == {"done"}
    np.testing.assert_allclose(by_kill.values[:, 0, 0], end, rtol=1e-5)
    np.testing.assert_allclose(by_kill.gradients[:, 0, 0, 0], -40 * np.array(end), rtol=1e-5)


def test_gradients_under_a_rule_are_solved_one_by_one():
    rule = Treatment.adaptive({"u": 1.0}, of="burden", pause_below=0.5, resume_above=1.0)
    problem = Problem(sensitive_resistant(), t_span=(0, 60), treatment=rule)
    found = kernels.ensemble(problem, ["r"], [[0.02], [0.03]], [60], ["burden"], sensitivities=["r", "S(0)"])
    alone = gradients_one_by_one(problem, ["r"], [[0.02], [0.03]], [60], ["burden"], ["r", "S(0)"])
    np.testing.assert_array_equal(found.gradients, alone)
