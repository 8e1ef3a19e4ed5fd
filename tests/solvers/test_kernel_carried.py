"""Sensitivities in the compiled kernels: what is never reached, many states, against LSODA and differences."""

import numpy as np
import pytest

from remission.models import Input, Model, Parameter, State, oncogene_withdrawal, sensitive_resistant
from remission.models.errors import ProblemError
from remission.solvers import Problem, Treatment, sample, solve

pytest.importorskip("llvmlite")

from remission.solvers.kernels import build, loop
from remission.solvers.kernels.shapes import arrange, reach
from remission.solvers.kernels.single import compiled_sample
from remission.solvers.sample import _by_lsoda
from remission.solvers.solve import output_times

pytestmark = pytest.mark.optional


def cascade():
    """Drug -> signal -> two competing clones; the weight of one in their sum depends on a parameter and an input."""
    r, K, alpha, kill = Parameter("r", 0.3), Parameter("K", 2.0), Parameter("alpha", 0.7), Parameter("kill", 0.5)
    made, lost, gone, cost = (Parameter(n, v) for n, v in (("made", 1.0), ("lost", 0.8), ("gone", 0.4), ("cost", 0.2)))
    S, R, T, D = State("S", Parameter("s0", 0.5)), State("R", 0.1), State("T", 0.0), State("D", 0.0)
    u = Input("u")
    N = S + alpha * (1 + u) * R
    rates = {
        S: r * S * (1 - N / K) - kill * T * S / (1 + T),
        R: r * (1 - cost) * R * (1 - N / K),
        T: made * D * (1 + u) - lost * T,
        D: -gone * D,
    }
    return Model("cascade", rates=rates, observables={"burden": S + R, "mean": N * r})


def ladder(m):
    """Clones in one niche, each feeding the next; one with a growth rate of its own and another with a weight."""
    r, K, d, mu, w, own = (
        Parameter(n, v) for n, v in (("r", 0.3), ("K", 1.0), ("d", 0.1), ("mu", 0.01), ("w", 0.8), ("own", 0.35))
    )
    clones = [State(f"c{i}", 0.2 * 0.7**i + 1e-4) for i in range(m)]
    total = sum(clones[:-1]) + w * clones[-1]
    rates = {}
    for i, c in enumerate(clones):
        growth = own if i == 2 else r * (1 + 0.5 * i / m)
        rates[c] = (
            growth * c * (1 - total / K) - d * c + (mu * clones[i - 1] if i else 0) - (mu * c if i < m - 1 else 0)
        )
    return Model(f"ladder{m}", rates=rates, observables={"N": sum(clones)})


def treated():
    dose, rate, level, day = (Parameter(n, v) for n, v in (("dose", 2.0), ("rate", 0.5), ("level", 0.6), ("day", 7.0)))
    give = Treatment.bolus({"D": dose}, at=2) + Treatment.infusion({"D": rate}, start=5, duration=3)
    return give + Treatment.constant({"u": level}, start=day)


def differences(problem, times, names, by):
    """Central differences of fourth order at tight tolerances."""
    columns = []
    for name in by:
        x, values = problem.parameters[name], []
        for step in (-2, -1, 1, 2):
            moved = problem.replace(parameters={name: x * (1 + 1e-3 * step)}, rtol=1e-12, atol=1e-15)
            values.append(compiled_sample(moved, times, names)[0])
        columns.append((values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12e-3 * x))
    return np.stack(columns, axis=-1)


def test_reach_follows_the_arrows_and_totals():
    jacobian = {(0, 0), (0, 4), (1, 1), (2, 1), (3, 2)}  # slot 4 is a total of states 2 and 3
    assert reach([1], jacobian, {(0, 2), (0, 3)}, 4) == {0, 1, 2, 3, 4}
    assert reach([0], jacobian, {(0, 2), (0, 3)}, 4) == {0}


@pytest.mark.parametrize("count", [1, 4, 5, 12, 25, 33])
@pytest.mark.parametrize("width", [4, 8])
def test_every_column_has_one_lane_and_its_reach(count, width):
    kinds = [frozenset(range(2 + i % 3)) for i in range(count)]
    shapes = arrange(kinds, width)
    assert sorted(c for s in shapes for c in s.columns) == list(range(count))
    assert all(kinds[c] <= s.reach for s in shapes for c in s.columns)
    lanes = [sum(s.place(i)) for s in shapes for i in range(len(s.columns))]
    assert len(set(lanes)) == count
    assert all(s.first % s.width == 0 for s in shapes)


@pytest.mark.parametrize("in_memory", [False, True])
@pytest.mark.parametrize("method_rtol", [1e-9, 1e-3])
def test_both_forms_against_differences(in_memory, method_rtol, monkeypatch):
    monkeypatch.setenv("REMISSION_CACHE", "off")
    if in_memory:
        monkeypatch.setattr(loop, "LARGEST_UNROLLED", 0)
    build.kernel.cache_clear()
    problem = Problem(cascade(), t_span=(0, 20), treatment=treated(), rtol=method_rtol, atol=method_rtol * 1e-3)
    times, names = np.array([0.0, 3.0, 6.5, 20.0]), ["S", "R", "T", "D", "burden", "mean"]
    by = problem.system.parameters
    _, gradients, _, message = compiled_sample(problem, times, names, tuple(range(len(by))))
    build.kernel.cache_clear()
    assert not message
    expected = differences(problem, times, names, by)
    size = np.abs(expected).max(axis=(0, 1)) + 1e-9
    np.testing.assert_allclose(gradients / size, expected / size, atol=2e-7 if method_rtol == 1e-9 else 2e-2)
    assert not gradients[:, names.index("D"), [by.index(n) for n in ("r", "K", "kill", "lost", "level", "s0")]].any()


def test_forty_states_against_lsoda_and_differences():
    problem = Problem(ladder(40), t_span=(0, 25), rtol=1e-8, atol=1e-12)
    times, names, by = np.array([10.0, 25.0]), ["c0", "c2", "c39", "N"], problem.system.parameters
    columns = tuple(range(len(by)))
    values, gradients, _, message = compiled_sample(problem, times, names, columns)
    assert not message
    lsoda = _by_lsoda(problem, output_times(problem, times), names, columns)
    np.testing.assert_allclose(values, lsoda.values, rtol=1e-6)
    size = np.abs(lsoda.gradients).max(axis=0)
    np.testing.assert_allclose(gradients / size, lsoda.gradients / size, atol=1e-5)
    expected = differences(problem, times, names, by)
    np.testing.assert_allclose(gradients / size, expected / size, atol=5e-6)


def elasticities(problem, times, outputs, **how):
    by = problem.system.parameters
    found = sample(problem, times, outputs, by, **how)
    assert found.success
    return found.gradients * np.abs(problem.p)


@pytest.mark.parametrize("model", [sensitive_resistant, oncogene_withdrawal])
def test_sensitivities_in_the_error_test_are_more_accurate_and_follow_rtol(model):
    problem, times = Problem(model(), t_span=(0, 200)), np.linspace(0, 200, 41)
    outputs = list(problem.system.states)
    exact = elasticities(problem.replace(rtol=1e-10, atol=1e-14), times, outputs)
    size, errors = np.abs(exact).max(axis=(0, 2))[None, :, None], []
    for rtol in (1e-4, 1e-5, 1e-6, 1e-7):
        rough = problem.replace(rtol=rtol, atol=rtol * 1e-3)
        found = [elasticities(rough, times, outputs, error_control=c) for c in ("states", "all")]
        errors.append([np.abs((f - exact) / size).max() for f in found])
    by_states, by_all = np.transpose(errors)
    assert np.all(by_all < by_states)
    assert np.all(by_all[1:] < by_all[:-1] / 4)
    assert np.all(by_all < [2e-4, 2e-5, 3e-6, 2e-7])


@pytest.mark.parametrize("in_memory", [False, True])
def test_the_error_test_is_the_same_in_both_forms(in_memory, monkeypatch):
    monkeypatch.setenv("REMISSION_CACHE", "off")
    if in_memory:
        monkeypatch.setattr(loop, "LARGEST_UNROLLED", 0)
    build.kernel.cache_clear()
    problem = Problem(cascade(), t_span=(0, 20), treatment=treated(), rtol=1e-6, atol=1e-9)
    names, by = ["S", "R", "T"], problem.system.parameters
    _, gradients, _, _ = compiled_sample(problem, np.array([3.0, 20.0]), names, tuple(range(len(by))), True)
    build.kernel.cache_clear()
    expected = differences(problem, np.array([3.0, 20.0]), names, by)
    np.testing.assert_allclose(gradients, expected, atol=2e-6 * np.abs(expected).max())


def test_error_control_in_solve_takes_more_steps_and_keeps_the_solution():
    problem = Problem(sensitive_resistant(), t_span=(0, 200), treatment=Treatment.constant({"u": 1}, start=50))
    found = {c: solve(problem, "Rodas5P", sensitivities="all", error_control=c) for c in ("states", "all")}
    assert len(found["all"].trace.segments) == len(found["states"].trace.segments)
    assert found["all"].trace.steps > found["states"].trace.steps
    np.testing.assert_allclose(found["all"]["burden"], found["states"]["burden"], rtol=1e-5)
    alone = solve(problem, "Rodas5P", error_control="all")  # nothing is carried, so nothing changes
    assert alone.trace.steps == solve(problem, "Rodas5P").trace.steps
    with pytest.raises(ProblemError, match="'states' or 'all'"):
        solve(problem, error_control="both")
