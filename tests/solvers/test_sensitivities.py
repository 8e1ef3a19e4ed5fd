"""Forward sensitivities against closed forms and differences, through every kind of jump."""

import pickle

import numpy as np
import pytest

from remission.models import Input, Model, Parameter, ProblemError, State, sensitive_resistant
from remission.solvers import Problem, Treatment, check_gradient, sample, solve
from remission.solvers.methods import method_names

r, d = Parameter("r", 0.2, unit="1/day"), Parameter("d", 0.3, unit="1/day")
N = State("N", Parameter("n0", 2.0))
GROWTH = Model("growth", rates={N: r * N}, observables={"twice": 2 * N * Parameter("w", 3.0)})
C = State("C", 0.0, kind="drug", scale=1.0)
DECAY = Model("decay", rates={C: -d * C})


@pytest.mark.parametrize("method", method_names())
def test_exponential_growth(method):
    solution = solve(Problem(GROWTH, t_span=(0, 10)), method, sensitivities=["r", "n0", "w"], rtol=1e-9, atol=1e-12)
    grown = 2 * np.exp(0.2 * solution.t)
    np.testing.assert_allclose(solution.sensitivity("N", "r"), solution.t * grown, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(solution.sensitivity("N", "n0"), grown / 2, rtol=1e-6)
    np.testing.assert_allclose(solution.sensitivity("twice", "w"), 2 * grown, rtol=1e-6)


def test_dose_amount_and_dose_times():
    amount, lag, every = Parameter("amount", 2.0), Parameter("lag", 1.5), Parameter("every", 4.0)
    give = Treatment.bolus({"C": amount}, at=0, every=every, times=3, lag=lag)
    solution = solve(
        Problem(DECAY, t_span=(0, 20), treatment=give), sensitivities="all", t_eval=[3, 8, 19.3], rtol=1e-10
    )
    past = [[max(s - x, -np.inf) for x in (1.5, 5.5, 9.5) if s > x] for s in (3, 8, 19.3)]
    each = [[2 * np.exp(-0.3 * s) for s in row] for row in past]
    np.testing.assert_allclose(solution.sensitivity("C", "amount"), [sum(e) / 2 for e in each], rtol=1e-7)
    np.testing.assert_allclose(solution.sensitivity("C", "lag"), [0.3 * sum(e) for e in each], rtol=1e-7)
    by_every = [sum(0.3 * k * v for k, v in enumerate(e)) for e in each]
    np.testing.assert_allclose(solution.sensitivity("C", "every"), by_every, rtol=1e-7, atol=1e-12)


def test_infusion_rate_and_duration():
    rate, length = Parameter("rate", 3.0), Parameter("length", 0.5)
    give = Treatment.infusion({"C": rate}, start=1, duration=length)
    solution = solve(
        Problem(DECAY, t_span=(0, 6), treatment=give), sensitivities=["rate", "length"], t_eval=[6], rtol=1e-10
    )
    tail = np.exp(-0.3 * (6 - 1.5))
    np.testing.assert_allclose(solution.sensitivity("C", "rate"), [(1 - np.exp(-0.15)) / 0.3 * tail], rtol=1e-7)
    np.testing.assert_allclose(solution.sensitivity("C", "length"), [3 * tail], rtol=1e-7)


def test_fraction_and_day_of_surgery():
    cut, day = Parameter("cut", 0.9, scale="linear"), Parameter("day", 4.0)
    problem = Problem(GROWTH, t_span=(0, 10), treatment=Treatment.surgery({"N": cut}, at=day))
    solution = solve(problem, sensitivities=["cut", "day", "r"], t_eval=[10], rtol=1e-10)
    end = 0.1 * 2 * np.exp(2)
    np.testing.assert_allclose(solution.sensitivity("N", "cut"), [-end / 0.1], rtol=1e-7)
    np.testing.assert_allclose(solution.sensitivity("N", "day"), [0], atol=1e-7)  # growth before equals growth after
    np.testing.assert_allclose(solution.sensitivity("N", "r"), [10 * end], rtol=1e-7)


@pytest.mark.parametrize("method", ["LSODA", "Radau", "DOP853"])
def test_a_switch_whose_time_depends_on_parameters(method):
    """Grow at r to the level L, then decay at r: N(t) = L^2 exp(-r t) / n0, so d/dL = 2 N / L, d/dn0 = -N / n0."""
    level, u = Parameter("level", 50.0), Input("u")
    model = Model("switched", rates={N: r * (1 - 2 * u) * N})
    problem = Problem(model, t_span=(0, 30), treatment=Treatment.switch_when({"u": 1}, of="N", above=level))
    solution = solve(problem, method, sensitivities=["level", "n0", "r"], t_eval=[5, 30], rtol=1e-10)
    end = 50**2 * np.exp(-0.2 * 30) / 2
    assert solution["N"][-1] == pytest.approx(end, rel=1e-7)
    assert solution.sensitivity("N", "level").tolist() == pytest.approx([0, 2 * end / 50], rel=1e-6)
    assert solution.sensitivity("N", "n0")[1] == pytest.approx(-end / 2, rel=1e-6)
    assert solution.sensitivity("N", "r")[1] == pytest.approx(-30 * end, rel=1e-6)


dose, gap = Parameter("dose", 0.9), Parameter("gap", 5.0)
TREATMENTS = {
    "none": Treatment.none(),
    "constant": Treatment.constant({"u": dose}),
    "late": Treatment.constant({"u": dose}, start=gap),
    "intermittent": Treatment.intermittent({"u": dose}, on=gap, off=11),
    "adaptive": Treatment.adaptive({"u": dose}, of="burden", pause_below=0.5, resume_above=1.0),
    "visits": Treatment.adaptive({"u": dose}, of="burden", pause_below=0.6, resume_above=0.9, check_every=17),
    "visit times": Treatment.adaptive({"u": 1}, of="burden", pause_below=0.6, resume_above=0.9, check_every=gap * 3),
    "bolus": Treatment.bolus({"R": 0.01 * dose}, every=gap * 7),
    "surgery and rule": Treatment.surgery({"S": 0.5 * dose}, at=30 + gap)
    + Treatment.adaptive({"u": 1}, of="burden", pause_below=0.3, resume_above=0.8),
    "dose across a rule": Treatment.bolus({"S": 0.6 * dose}, at=gap)
    + Treatment.adaptive({"u": 1}, of="burden", pause_below=0.4, resume_above=1.5, on_at_start=False),
}


@pytest.mark.parametrize("name", TREATMENTS)
def test_every_treatment_kind_against_differences(name):
    problem = Problem(sensitive_resistant(), t_span=(0, 150), treatment=TREATMENTS[name])
    check = check_gradient(problem, outputs=["S", "R", "burden"], tolerance=2e-5)
    assert check.ok, str(check)


def test_a_wrong_gradient_is_noticed():
    problem = Problem(GROWTH, t_span=(0, 10))
    assert not check_gradient(problem, vary=["r"], tolerance=1e-13).ok


@pytest.mark.parametrize("method", ["LSODA", "Radau", "Rodas5P"])
def test_an_initial_value_apart_from_the_parameters_that_it_is_made_of(method):
    """N' = r N, n0 in its initial value: d N / d N(0) = exp(r t), with a dose and surgery on the way."""
    amount = Parameter("amount", 3.0)
    model = Model("grown", rates={N: (r + 0 * amount) * N, C: -d * C}, observables={"both": N + C})
    give = Treatment.bolus({"N": amount}, at=2) + Treatment.surgery({"N": 0.5}, at=4)
    problem = Problem(model, t_span=(0, 10), treatment=give, initial={"N": r * Parameter("n0", 2.0)})
    by = ["N(0)", "r", "C(0)", "n0"]
    solution = solve(problem, method, sensitivities=by, t_eval=[3, 10], rtol=1e-9, atol=1e-12)
    grown = np.exp(0.2 * solution.t) * [1, 0.5]
    np.testing.assert_allclose(solution.sensitivity("N", "N(0)"), grown, rtol=1e-7)
    np.testing.assert_allclose(solution.sensitivity("both", "N(0)"), grown, rtol=1e-7)
    np.testing.assert_allclose(solution.sensitivity("N", "n0"), 0.2 * grown, rtol=1e-7)
    np.testing.assert_allclose(solution.sensitivity("C", "C(0)"), np.exp(-0.3 * solution.t), rtol=1e-7)
    total = 2 * grown + solution.t * 0.4 * grown + 3 * (solution.t - 2) * grown * np.exp(-0.4)
    np.testing.assert_allclose(solution.sensitivity("N", "r"), total, rtol=1e-6)
    assert solution.problem is problem
    assert set(solution.problem.parameters) == {"r", "d", "n0", "amount"}
    found = sample(problem, [3, 10], ["N", "both"], by)
    np.testing.assert_allclose(found.gradients[:, 1, 0], grown, rtol=1e-5)
    pickled = pickle.loads(pickle.dumps(solution))
    np.testing.assert_array_equal(pickled.sensitivity("N", "N(0)"), solution.sensitivity("N", "N(0)"))


@pytest.mark.parametrize("method", ["LSODA", "Rodas5P"])
def test_initial_values_under_an_adaptive_rule_against_differences(method):
    """The rule's thresholds are relative to the burden at the start, which the initial values make up."""
    rule = Treatment.adaptive({"u": 1.0}, of="burden", pause_below=0.5, resume_above=1.0, relative_to="start")
    problem = Problem(sensitive_resistant(), t_span=(0, 150), treatment=rule, rtol=1e-10, atol=1e-12)
    times = [40.3, 97.1, 149.0]
    solution = solve(problem, method, sensitivities=["S(0)", "R(0)"], t_eval=times)
    start = problem.initial_values()
    for name, value in start.items():
        h = 1e-3 * value
        moved = [problem.replace(initial={name: value + c * h}) for c in (-2, -1, 1, 2)]
        shifted = [solve(p, method, t_eval=times)["burden"] for p in moved]
        difference = (shifted[0] - 8 * shifted[1] + 8 * shifted[2] - shifted[3]) / (12 * h)
        np.testing.assert_allclose(solution.sensitivity("burden", f"{name}(0)"), difference, rtol=1e-4, atol=1e-6)


def test_names_of_initial_values():
    problem = Problem(sensitive_resistant())
    with pytest.raises(ProblemError, match=r"its initial value is written 'S\(0\)'"):
        solve(problem, sensitivities=["S"])
    with pytest.raises(ProblemError, match=r"no initial value 'Q\(0\)'"):
        solve(problem, sensitivities=["Q(0)", "r"])
    with pytest.raises(ProblemError, match="twice"):
        sample(problem, [1], ["S"], ["S(0)", "S(0)"])
