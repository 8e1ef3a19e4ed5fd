"""Compiled methods under `solve` and `sample`: catalogue models under every kind of treatment, against SciPy."""

import pickle

import numpy as np
import pytest

from remission.models import Input, Model, Parameter, State, catalogue, sensitive_resistant
from remission.models.errors import ProblemError
from remission.solvers import Problem, SolveWarning, Treatment, kernels, sample, solve
from remission.solvers.kernels.single import reason_not

pytest.importorskip("llvmlite")
pytestmark = pytest.mark.optional

# One of each kind of equation; the catalogue is long, and test_kernel_formulas compiles all of it.
NAMES = (
    "exponential_growth", "gompertz_growth", "logistic_growth", "oncogene_withdrawal", "paracrine_loop",
    "selective_kill", "sensitive_resistant", "two_clone_competition", "von_bertalanffy_growth",
)  # fmt: skip
MODELS = {name: getattr(catalogue, name) for name in NAMES}
KINDS = ("none", "constant", "intermittent", "bolus", "infusion", "surgery", "rule", "visits")
DAYS = np.array([0.0, 3.0, 7.0, 10.0, 21.5, 40.0, 60.0])


def treated(kind, model):
    """A treatment of a kind with parameters of its own, or None where the model has nothing to give it to."""
    state, names = model.states[0].name, [u.name for u in model.inputs]
    level, day, amount = Parameter("level", 0.8), Parameter("day", 7.0), Parameter("amount", 0.02)
    given = {names[-1]: level} if names else None
    of = next(iter(model.observables))
    start = Problem(model).system.observe(np.array([0.0]), Problem(model).system.y0(Problem(model).p)[:, None],
                                          Problem(model).p, np.zeros((len(names), 1)))[0, 0]  # fmt: skip
    rule = {"of": of, "pause_below": 0.97 * start, "resume_above": 1.03 * start, "relative_to": None}
    make = {
        "none": lambda: Treatment.none(),
        "constant": lambda: given and Treatment.constant(given),
        "intermittent": lambda: given and Treatment.intermittent(given, on=day, off=day / 2, start=1),
        "bolus": lambda: Treatment.bolus({state: amount * start}, at=3, every=day, times=4),
        "infusion": lambda: Treatment.infusion({state: amount * start}, start=day, duration=2, every=20, times=2),
        "surgery": lambda: Treatment.surgery({state: amount * 10}, at=day),
        "rule": lambda: given and Treatment.adaptive(given, **rule),
        "visits": lambda: given and Treatment.adaptive(given, check_every=day, **rule),
    }
    return make[kind]()


def cases():
    for name, make in MODELS.items():
        for kind in KINDS:
            if treated(kind, make()) is not None:
                yield pytest.param(name, kind, id=f"{name}-{kind}")


def carried(problem):
    """Two parameters of the model and those of the treatment."""
    inside = problem.system.n_model_parameters
    return [*problem.system.parameters[:2], *problem.system.parameters[inside:]][:4]


@pytest.mark.parametrize(("name", "kind"), list(cases()))
def test_values_and_gradients_agree_with_scipy(name, kind):
    model = MODELS[name]()
    problem = Problem(model, t_span=(0, 60), treatment=treated(kind, model), rtol=1e-9)
    by = carried(problem)
    ours = solve(problem, "Rodas5P", sensitivities=by, t_eval=DAYS).require()
    scipy = solve(problem, "LSODA" if kind == "rule" else "Radau", sensitivities=by, t_eval=DAYS, rtol=1e-10).require()
    assert ours.method == "Rodas5P"
    assert [e.kind for e in ours.events] == [e.kind for e in scipy.events]
    np.testing.assert_allclose([e.time for e in ours.events], [e.time for e in scipy.events], atol=1e-5)
    for output in (*problem.system.states, *problem.system.observables):
        scale = np.abs(scipy[output]).max() + 1e-12
        np.testing.assert_allclose(ours[output], scipy[output], rtol=1e-6, atol=1e-7 * scale)
        for p in by:
            expected = scipy.sensitivity(output, p)
            size = np.abs(expected).max() + 1e-6 * scale / max(abs(problem.parameters[p]), 1e-3)
            np.testing.assert_allclose(ours.sensitivity(output, p), expected, rtol=1e-4, atol=1e-5 * size)


@pytest.mark.parametrize(("name", "kind"), [c for c in cases() if c.values[1] not in ("rule", "visits")])
def test_sample_agrees_with_its_own_other_path(name, kind, monkeypatch):
    model = MODELS[name]()
    problem = Problem(model, t_span=(0, 60), treatment=treated(kind, model), rtol=1e-9)
    outputs = [*problem.system.states, *problem.system.observables, *problem.system.inputs]
    by = carried(problem)
    ours = sample(problem, DAYS, outputs, by)
    monkeypatch.setattr("remission.solvers.kernels.single.available", lambda: False)
    scipy = sample(problem, DAYS, outputs, by)
    assert ours.success
    assert scipy.success
    scale = np.abs(scipy.values).max(axis=0) + 1e-12
    np.testing.assert_allclose(ours.values / scale, scipy.values / scale, atol=1e-6)
    size = np.abs(scipy.gradients).max(axis=0) + 1e-5 * scale[:, None]
    np.testing.assert_allclose(ours.gradients / size, scipy.gradients / size, atol=3e-5)


def test_dense_output_between_steps():
    """.at any time, on both sides of a dose, is as accurate as the steps."""
    N, r = State("N", 1.0, kind="tumour"), Parameter("r", 0.1)
    problem = Problem(
        Model("growth", rates={N: r * N}), t_span=(0, 20), treatment=Treatment.bolus({"N": 2.0}, at=10), rtol=1e-8
    )
    solution = solve(problem, "Rodas5P")
    times = np.linspace(0, 20, 501)
    exact = np.exp(0.1 * times) + np.where(times > 10, 2 * np.exp(0.1 * (times - 10)), 0)
    np.testing.assert_allclose(solution.at(times, "N"), exact, rtol=1e-7)
    np.testing.assert_allclose(solution.at(10.0, "N", side="right"), np.exp(1) + 2, rtol=1e-7)
    again = pickle.loads(pickle.dumps(solution))
    np.testing.assert_array_equal(again.at(times, "N"), solution.at(times, "N"))


def test_more_steps_than_a_log_holds():
    """A hundred periods of an oscillator at a tight tolerance: the log is emptied and the run goes on."""
    a, b = State("a", 1.0, positive=False), State("b", 0.0, positive=False)
    problem = Problem(Model("swing", rates={a: b, b: -a}), t_span=(0, 628), rtol=1e-9, atol=1e-11)
    solution = solve(problem, "Rodas5P")
    assert solution.trace.steps > 600
    times = np.linspace(0, 628, 999)
    np.testing.assert_allclose(solution.at(times, "a"), np.cos(times), atol=1e-5)


def test_longest_step_is_kept():
    solution = solve(Problem(sensitive_resistant()), "Rodas5P", max_step=5.0)
    (segment,) = solution.trace.segments
    assert np.diff(segment.dense.ts).max() <= 5.0 * (1 + 1e-6)


def test_blow_up_is_a_value_with_a_reason():
    N = State("N", 1.0)
    problem = Problem(Model("explosive", rates={N: N**2}), t_span=(0, 2))
    with pytest.warns(SolveWarning):
        solution = solve(problem, "Rodas5P")
    assert not solution.success
    assert "N" in solution.message
    assert np.isnan(solution["N"][-1])
    np.testing.assert_allclose(solution.at(0.5, "N"), 2.0, rtol=1e-5)
    ours = sample(problem, [0.5, 2.0], ["N"])
    assert not ours.success
    assert "N" in ours.message
    np.testing.assert_allclose(ours.values[:, 0], [2.0, np.nan], rtol=1e-5)


def test_a_clone_far_below_its_tolerance_is_not_made_of_noise():
    """Down to exp(-40) of a tolerance of 1e-6 and up again: solved a second time with relative accuracy."""
    N, g, u = State("N", 1.0, kind="tumour"), Parameter("g", 2.0), Input("u")
    model = Model("regrowth", rates={N: g * N * (1 - 2 * u)})
    problem = Problem(model, t_span=(0, 40), treatment=Treatment.constant({"u": 1.0}, end=20), rtol=1e-8, atol=1e-6)
    np.testing.assert_allclose(solve(problem, "Rodas5P").at([20, 40], "N"), [np.exp(-40), 1.0], rtol=1e-5)
    np.testing.assert_allclose(sample(problem, [20, 40], ["N"]).values[:, 0], [np.exp(-40), 1.0], rtol=1e-5)


def test_what_cannot_be_compiled_is_solved_by_scipy_and_said():
    import sympy as sp

    x = State("x", 0.5)
    problem = Problem(Model("odd", rates={x: -x}, observables={"y": sp.sin(x)}), t_span=(0, 1))
    assert not reason_not(problem)


def test_without_llvmlite(monkeypatch):
    monkeypatch.setattr("remission.solvers.kernels.single.available", lambda: False)
    problem = Problem(sensitive_resistant())
    solution = solve(problem, "Rodas5P", t_eval=[365])
    assert "llvmlite" in solution.method
    np.testing.assert_allclose(sample(problem, [365], ["S"]).values[0], solution["S"], rtol=1e-5)


def test_a_misspelt_method_is_answered():
    with pytest.raises(ProblemError, match="did you mean 'Rodas5P'"):
        solve(Problem(sensitive_resistant()), "Rodas5")
    assert kernels.available()
