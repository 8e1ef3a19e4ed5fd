"""Sensitivity: Sobol indices against closed forms, local against differences, failures, what is refused."""

import math
import pickle

import numpy as np
import pytest

from remission.analysis import at_end, nadir, relapse_probability, sensitivity, time_to_progression
from remission.analysis.sobol import base_sample, estimate, more_runs, sobol_of
from remission.models import Model, Parameter, ProblemError, State, oncogene_withdrawal, sensitive_resistant
from remission.solvers import Problem, Treatment, solve

DAILY = Problem(sensitive_resistant(), t_span=(0, 200), treatment=Treatment.constant({"u": 1.0}))


# --- the estimator ----------------------------------------------------------------------------------------------------


def ishigami(x):
    """sin x1 + 7 sin^2 x2 + 0.1 x3^4 sin x1 on (-pi, pi)^3."""
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def test_ishigami():
    V1 = 0.5 * (1 + 0.1 * math.pi**4 / 5) ** 2
    V2, V13 = 49 / 8, 0.01 * math.pi**8 * (1 / 18 - 1 / 50)
    V = V1 + V2 + V13
    found = sobol_of(ishigami, [(-math.pi, math.pi)] * 3, 4096, rng=1)
    np.testing.assert_allclose(found.first[0], [V1 / V, V2 / V, 0], atol=0.015)
    np.testing.assert_allclose(found.total[0], [(V1 + V13) / V, V2 / V, V13 / V], atol=0.01)
    assert np.all(found.total_halfwidth < 0.05)
    assert found.runs == 4096 * 5


def test_sobol_g():
    """Product of (|4 x - 2| + a) / (1 + a): V_i = 1 / (3 (1 + a)^2), total variance prod(1 + V_i) - 1."""
    a = np.array([0, 1, 4.5, 9])
    V_i = 1 / (3 * (1 + a) ** 2)
    V = np.prod(1 + V_i) - 1

    def g(x):
        return np.prod((np.abs(4 * x - 2) + a) / (1 + a), axis=1)

    found = sobol_of(g, [(0, 1)] * 4, 4096, rng=0)
    np.testing.assert_allclose(found.first[0], V_i / V, atol=0.01)
    np.testing.assert_allclose(found.total[0], V_i * np.prod(1 + V_i) / (1 + V_i) / V, atol=0.01)


def test_the_same_estimates_as_scipy():
    from scipy.stats import sobol_indices

    rng = np.random.default_rng(5)
    f_A, f_B, f_AB = rng.normal(size=64), rng.normal(size=64), rng.normal(size=(3, 64))
    ours = estimate(f_A[None], f_B[None], f_AB[None])
    theirs = sobol_indices(func={"f_A": f_A[None], "f_B": f_B[None], "f_AB": f_AB[:, None]}, n=64)
    np.testing.assert_allclose(ours[0][0], theirs.first_order, rtol=1e-12)
    np.testing.assert_allclose(ours[1][0], theirs.total_order, rtol=1e-12)


def test_a_linear_function_on_logarithmic_ranges():
    """c1 ln x1 + c2 ln x2 over e^0..e^1 and e^0..e^2: variances c^2 / 12 and 4 c^2 / 12."""

    def f(x):
        return np.column_stack([np.log(x) @ [3.0, 1.0], np.full(len(x), 4.2)])

    found = sobol_of(f, [(1, math.e, "log"), (1, math.e**2, "log")], 1024)
    np.testing.assert_allclose(found.first[0], [9 / 13, 4 / 13], atol=0.01)
    np.testing.assert_allclose(found.total[0], [9 / 13, 4 / 13], atol=0.005)
    assert np.isnan(found.total[1]).all()  # a constant has no variance


def test_half_widths_cover():
    """The 95 % intervals hold the exact value in most repeats; they come from rows, which are nearly independent."""
    V1 = 0.5 * (1 + 0.1 * math.pi**4 / 5) ** 2
    V = V1 + 49 / 8 + 0.01 * math.pi**8 * (1 / 18 - 1 / 50)
    hits = 0
    for seed in range(40):
        found = sobol_of(ishigami, [(-math.pi, math.pi)] * 3, 256, rng=seed)
        hits += abs(found.first[0, 0] - V1 / V) <= found.first_halfwidth[0, 0]
    assert hits >= 34


def test_rows_that_fail_are_left_out():
    def holed(x):
        values = ishigami(x)
        values[::50] = np.nan
        return values

    full, found = (sobol_of(f, [(-math.pi, math.pi)] * 3, 4096, rng=1) for f in (ishigami, holed))
    assert found.failed == math.ceil(4096 * 5 / 50)
    assert found.used[0] == pytest.approx(4096 * (1 - 5 / 50), rel=0.01)
    np.testing.assert_allclose(found.total, full.total, atol=0.03)


def test_base_sample_and_more_runs():
    assert [base_sample(n) for n in (4, 5, 64, 100)] == [4, 8, 64, 128]
    assert more_runs(256, 4, 0.1) == 0
    assert more_runs(256, 4, 0.2) == (1024 - 256) * 6
    with pytest.raises(ProblemError, match="4 or more"):
        base_sample(0)


# --- global, on problems ----------------------------------------------------------------------------------------------


def linear_problem():
    """y(t) = y0 + (a + 3 b) t: linear in all, so that shares of variance are exact."""
    a = Parameter("a", 0.5, plausible=(0.0, 1.0), scale="linear")
    b = Parameter("b", 0.5, plausible=(0.0, 1.0), scale="linear")
    S = State("S", Parameter("y0", 1.0), scale=1.0)
    return Problem(Model("linear", rates={S: a + 3 * b}), t_span=(0, 2))


def test_a_linear_model_is_exact():
    found = sensitivity(linear_problem(), "S", method="sobol", n=512, progress=False)
    assert found.parameters == ("a", "b")  # y0 has no plausible range
    np.testing.assert_allclose(found.total, [[0.1, 0.9]], atol=0.005)
    np.testing.assert_allclose(found.first, [[0.1, 0.9]], atol=0.02)
    assert found.resolved.all()
    assert found.n_failed == 0


def test_the_result_is_repeatable_and_says_what_is_not_resolved():
    ranges = {"f_R": (1e-5, 0.25)}
    runs = [
        sensitivity(DAILY, ["burden", "R"], vary=["turnover", "f_R"], method="sobol", n=16, ranges=ranges, **k)
        for k in ({"progress": False}, {"progress": False, "workers": 2})
    ]
    np.testing.assert_array_equal(runs[0].total, runs[1].total)
    np.testing.assert_array_equal(runs[0].first_halfwidth, runs[1].first_halfwidth)
    found = runs[0]
    assert found.ranges == {"turnover": (0.0, 0.5, "linear"), "f_R": (1e-5, 0.25, "log")}
    assert not found.resolved.all()
    assert "not resolved" in str(found)
    assert "more runs" in str(found)
    assert str(pickle.loads(pickle.dumps(found))) == str(found)


def test_failed_members_are_tolerated_and_counted():
    """S' = r S^2 blows up before t = 5 for r > 0.2: those rows are left out."""
    r, k = Parameter("r", 0.1, plausible=(0.01, 0.21)), Parameter("k", 1.0, plausible=(0.1, 1))
    S, Q = State("S", 1.0), State("Q", 1.0)
    problem = Problem(Model("blowing", rates={S: r * S**2, Q: -k * Q}), t_span=(0, 5))
    found = sensitivity(problem, ["S", "Q"], method="sobol", n=64, progress=False)
    assert 0 < found.n_failed < 64
    assert found.n_used[0] < 64
    np.testing.assert_allclose(found.total[1], [1, 0], atol=0.1)  # parameters k, r
    assert "failed" in str(found)


def test_a_generator_leaves_its_seed():
    one = sensitivity(linear_problem(), "S", method="sobol", n=8, rng=np.random.default_rng(4), progress=False)
    again = sensitivity(linear_problem(), "S", method="sobol", n=8, rng=one.rng, progress=False)
    np.testing.assert_array_equal(one.total, again.total)


# --- local ------------------------------------------------------------------------------------------------------------


def test_local_is_exact_for_the_linear_model():
    found = sensitivity(linear_problem(), "S")
    assert found.parameters == ("a", "b", "y0")
    np.testing.assert_allclose(found.raw, [[2, 6, 1]], rtol=1e-6)
    np.testing.assert_allclose(found.values, [[0.2, 0.6, 0.2]], rtol=1e-6)
    assert found.how == ("exact",)
    assert found.at == pytest.approx([5.0])


def test_local_against_differences():
    problem = DAILY.replace(t_span=(0, 600), rtol=1e-9)
    outputs = [at_end("burden"), nadir("burden"), time_to_progression()]
    found = sensitivity(problem, outputs, vary=["turnover", "f_R", "r"])
    for j, name in enumerate(found.parameters):
        value = problem.parameters[name]
        low, high = (solve(problem.replace(parameters={name: value * f})) for f in (1 - 1e-4, 1 + 1e-4))
        for i, outcome in enumerate(outputs):
            difference = (outcome(high) - outcome(low)) / 2e-4 / outcome(solve(problem))
            assert found.values[i, j] == pytest.approx(difference, rel=1e-3, abs=1e-4), (outcome.label, name)


def test_relapse_probability_by_differences():
    """Lambda is proportional to f_r: d P / d ln f_r = Lambda exp(-Lambda)."""
    protocol = Treatment.switch_when({"u": 1}, of="at_risk", above=1e8, before={"cin": 1})
    problem = Problem(oncogene_withdrawal(), t_span=(0, 350), treatment=protocol, rtol=1e-8)
    found = sensitivity(problem, [relapse_probability(), "at_risk"], vary=["f_r"])
    P = relapse_probability(solve(problem))
    Lambda = -math.log1p(-P)
    assert found.how == ("differences", "exact")
    assert found.values[0, 0] == pytest.approx(Lambda * math.exp(-Lambda) / P, rel=1e-5)


def test_sobol_of_relapse_probability():
    """Only f_r varies, so that it takes all of the variance."""
    protocol = Treatment.switch_when({"u": 1}, of="at_risk", above=1e8, before={"cin": 1})
    problem = Problem(oncogene_withdrawal(), t_span=(0, 300), treatment=protocol)
    ranges = {"f_r": (1e-9, 1e-7, "log")}
    found = sensitivity(
        problem, relapse_probability(), vary=["f_r"], method="sobol", n=32, ranges=ranges, progress=False
    )
    assert found.total[0, 0] == pytest.approx(1, abs=0.15)
    assert found.n_failed == 0


def test_refusals():
    with pytest.raises(ProblemError, match="did you mean 'turnover'"):
        sensitivity(DAILY, "burden", vary=["turnovr"])
    with pytest.raises(ProblemError, match="'local' or 'sobol'"):
        sensitivity(DAILY, "burden", method="morris")
    with pytest.raises(ProblemError, match="y0 has no plausible range"):
        sensitivity(linear_problem(), "S", vary=["y0"], method="sobol")
    with pytest.raises(ProblemError, match="the range of a"):
        sensitivity(linear_problem(), "S", method="sobol", ranges={"a": (2, 1)})
    with pytest.raises(ProblemError, match="cannot be varied on the scale"):
        sensitivity(linear_problem(), "S", method="sobol", ranges={"a": (0, 1, "log")})
    with pytest.raises(ProblemError, match="no parameter named 'z'"):
        sensitivity(linear_problem(), "S", method="sobol", ranges={"z": (0, 1)})
