"""Problems: names, replacement, tolerances, and travel between processes."""

import concurrent.futures
import multiprocessing
import pickle

import numpy as np
import pytest

from remission.models import Model, Parameter, State, sensitive_resistant
from remission.models.errors import KeywordError, ProblemError
from remission.solvers import Grid, Problem, Treatment, solve


def end_of(problem):
    return solve(problem)["burden"][-1]


def test_replace_merges_parameters_and_initial_values():
    problem = Problem(sensitive_resistant(), parameters={"r": 0.05}, initial={"R": 0.1})
    changed = problem.replace(parameters={"turnover": 0.3}, initial={"S": 0.2})
    assert (changed.parameters["r"], changed.parameters["turnover"]) == (0.05, 0.3)
    assert changed.initial_values() == {"S": 0.2, "R": 0.1}
    assert problem.parameters["turnover"] == 0.25


def test_parameters_of_a_treatment_go_with_it():
    dose = Parameter("dose", 0.5)
    problem = Problem(sensitive_resistant(), treatment=Treatment.constant({"u": dose}), parameters={"dose": 0.7})
    assert problem.parameters["dose"] == 0.7
    assert "dose" not in problem.replace(treatment=Treatment.none()).parameters


def test_two_models_with_equal_letters_keep_their_defaults():
    """Sympy keeps one object per name; the defaults of one model must not leak into another, in either order."""

    def growth(rate, start):
        r = Parameter("r", rate)
        N = State("N", Parameter("n0", start))
        return Model("growth", rates={N: r * N})

    for values in ((0.1, 1.0), (0.2, 2.0)), ((0.2, 2.0), (0.1, 1.0)):
        problems = [Problem(growth(*v), t_span=(0, 10)) for v in values]
        for (rate, start), problem in zip(values, problems, strict=True):
            copied = pickle.loads(pickle.dumps(problem))
            for one in (problem, copied):
                assert one.parameters == {"r": rate, "n0": start}
                np.testing.assert_allclose(solve(one)["N"][-1], start * np.exp(10 * rate), rtol=1e-4)


@pytest.mark.parametrize("start", ["spawn", "forkserver"])
def test_problems_travel_to_other_processes(start):
    problem = Problem(
        sensitive_resistant(), treatment=Treatment.adaptive({"u": 1}, of="burden", pause_below=0.5, resume_above=1)
    )
    context = multiprocessing.get_context(start)
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        assert pool.submit(end_of, problem).result(timeout=120) == end_of(problem)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"parameters": {"turnovr": 1}}, "did you mean 'turnover'"),
        ({"parameters": {"r": float("nan")}}, "must be finite"),
        ({"parameters": {"r": "fast"}}, "is not a number"),
        ({"initial": {"Q": 1}}, "no symbol named 'Q'"),
        ({"initial": {"r": 1}}, "is not a state"),
        ({"initial": {"S": float("inf")}}, "finite"),
        ({"t_span": (10, 0)}, "must run forward"),
        ({"t_span": 10}, "is \\(first, last\\)"),
        ({"rtol": 0}, "rtol must lie between"),
        ({"atol": {"Q": 1e-3}}, "atol names 'Q'"),
        ({"atol": -1.0}, "not be below 0"),
        ({"treatment": {"u": 1}}, "treatment must be a Treatment"),
        ({"extinction_gate": True}, "needs cells_per_unit of S, R"),
    ],
)
def test_faults_are_refused_before_any_work(changes, text):
    with pytest.raises(ProblemError, match=text):
        Problem(sensitive_resistant(), **changes)
    with pytest.raises(ProblemError, match=text):
        Problem(sensitive_resistant()).replace(**changes)


def test_misspelt_arguments_are_answered():
    with pytest.raises(KeywordError, match="did you mean 't_span'"):
        Problem(sensitive_resistant(), tspan=(0, 1))
    with pytest.raises(ProblemError, match="did you mean 'treatment'"):
        Problem(sensitive_resistant()).replace(treatmnt=None)
    with pytest.raises(ProblemError, match="1 or more"):
        Grid(n_cells=0)


def test_constant_inputs_are_read_or_refused():
    problem = Problem(sensitive_resistant(), treatment=Treatment.constant({"u": 0.3}) + Treatment.constant({"u": 0.2}))
    assert problem.inputs() == {"u": 0.5}
    assert problem.at_constant(u=1).inputs() == {"u": 1.0}
    with pytest.raises(ProblemError, match=r"problem.at_constant\(u=...\)"):
        problem.replace(treatment=Treatment.intermittent({"u": 1}, on=1, off=1)).inputs()


def test_default_tolerances_follow_cells_and_scale():
    T = State("T", 1e8, unit="cells", cells_per_unit=1)
    U = State("U", 5.0, unit="1e6 cells", cells_per_unit=1e6)
    C = State("C", 0.0, kind="drug", scale=20.0)
    P = State("P", 3.0, kind="signal")
    Z = State("Z", 0.0, kind="signal")
    k = Parameter("k", 1.0, unit="1/day")
    model = Model("mixed", rates={s: -k * s for s in (T, U, C, P, Z)})
    rtol, atol = Problem(model, rtol=1e-5).tolerances()
    assert rtol == 1e-5
    np.testing.assert_allclose(atol, [1e-3, 1e-9, 2e-4, 3e-5, 1e-5])
    np.testing.assert_allclose(Problem(model, atol={"P": 0.5}).tolerances()[1][3], 0.5)
