"""The fast path must say what `solve` says."""

import numpy as np
import pytest

from remission.models import Parameter, ProblemError, State, sensitive_resistant
from remission.models.model import Model
from remission.solvers import Problem, Treatment, sample, solve

dose, gap = Parameter("dose", 0.9), Parameter("gap", 5.0)
TREATMENTS = [
    Treatment.none(),
    Treatment.intermittent({"u": dose}, on=gap, off=11, start=3) + Treatment.bolus({"R": 0.01 * dose}, every=gap * 2),
    Treatment.infusion({"S": 0.01 * dose}, start=gap, duration=2, every=20) + Treatment.surgery({"S": 0.5}, at=50),
    Treatment.adaptive({"u": dose}, of="burden", pause_below=0.5, resume_above=1.0),
]


@pytest.mark.parametrize("treatment", TREATMENTS, ids=str)
def test_values_and_gradients_agree_with_solve(treatment):
    problem = Problem(sensitive_resistant(), t_span=(0, 200), treatment=treatment, rtol=1e-9)
    vary = [p for p in problem.parameters if p not in ("cost",)]
    times, names = [0, 3, 5, 8, 50, 55.5, 200], ["burden", "S", "u"]
    fast = sample(problem, times, names, vary)
    slow = solve(problem, t_eval=times, sensitivities=vary)
    for i, name in enumerate(names):
        np.testing.assert_allclose(fast.values[:, i], slow[name], rtol=2e-7, atol=1e-10)
    for i, name in enumerate(names[:2]):
        for j, parameter in enumerate(vary):
            expected = slow.sensitivity(name, parameter)
            np.testing.assert_allclose(
                fast.gradients[:, i, j], expected, rtol=1e-5, atol=1e-7 * np.abs(expected).max() + 1e-9
            )


def test_gradient_of_an_input_is_that_of_its_level():
    problem = Problem(sensitive_resistant(), treatment=Treatment.constant({"u": dose**2}))
    assert sample(problem, [1, 2], ["u"], ["dose", "r"]).gradients[:, 0].tolist() == [[1.8, 0], [1.8, 0]]


def test_a_failure_is_a_value():
    problem = Problem(
        sensitive_resistant(), t_span=(0, 2000), initial={"S": 1.55}, treatment=Treatment.constant({"u": 1})
    )
    result = sample(problem, [10, 1900], ["S"])
    assert not result.success
    assert result.message
    assert np.isnan(result.values[-1, 0])


def test_negative_populations_fail_here_too():
    result = sample(Problem(Model("drain", rates={State("T", 1.0): -Parameter("k", 0.3)})), [1, 100], ["T"])
    assert not result.success
    assert "below zero" in result.message


def test_unknown_names_are_answered():
    with pytest.raises(ProblemError, match="did you mean 'burden'"):
        sample(Problem(sensitive_resistant()), [1], ["burdn"])
    with pytest.raises(ProblemError, match="must increase"):
        sample(Problem(sensitive_resistant()), [3, 1], ["burden"])
    with pytest.raises(ProblemError, match="outside"):
        sample(Problem(sensitive_resistant()), [3000], ["burden"])
