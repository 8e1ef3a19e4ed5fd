"""Which compiled method runs, and what takes over: explicit, implicit, SciPy's; the elimination that is not trusted."""

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from remission.models import Input, Model, Parameter, State, oncogene_withdrawal, paracrine_loop, sensitive_resistant
from remission.solvers import Problem, Treatment, kernels, solve
from remission.solvers.kernels import linear
from remission.solvers.kernels.build import emit
from remission.solvers.kernels.choice import explicit_suits
from remission.solvers.kernels.tables import METHODS, TSIT5

pytestmark = pytest.mark.optional


def test_tsit5_satisfies_the_order_conditions():
    """All 17 trees of order five, eight of order four for the embedded method, and those of the dense output."""
    a = np.zeros((7, 7))
    for i, row in enumerate(TSIT5.a):
        a[i, : len(row)] = row
    b, c, error = a[6], a.sum(axis=1), np.array(TSIT5.error)
    ac, ac2 = a @ c, a @ c**2
    four = [np.ones(7), c, c**2, ac, c**3, c * ac, ac2, a @ ac]
    five = [c**4, c**2 * ac, ac * ac, c * ac2, c * (a @ ac), a @ c**3, a @ (c * ac), a @ ac2, a @ (a @ ac)]
    sizes = [1, 2, 3, 6, 4, 8, 12, 24, 5, 10, 20, 15, 30, 20, 40, 60, 120]
    np.testing.assert_allclose([b @ tree for tree in four + five], 1 / np.array(sizes), atol=2e-15)
    np.testing.assert_allclose([(b - error) @ tree for tree in four], 1 / np.array(sizes[:8]), atol=2e-15)
    assert abs((b - error) @ c**4 - 1 / 5) > 1e-4
    powers = np.array([1, 2, 3, 3, 4, 4, 4, 4])
    for theta in (0.3, 0.7):
        inside = theta * b + theta * (1 - theta) * sum(np.array(d) * theta**k for k, d in enumerate(TSIT5.dense))
        wanted = theta**powers / np.array(sizes[:8])
        np.testing.assert_allclose([inside @ tree for tree in four], wanted, atol=1e-13)


def test_slow_problems_are_explicit_and_stiff_ones_are_not():
    assert explicit_suits(Problem(sensitive_resistant()))
    assert explicit_suits(Problem(oncogene_withdrawal(), t_span=(0, 120)))
    assert not explicit_suits(Problem(paracrine_loop()))
    assert solve(Problem(sensitive_resistant())).method == "Tsit5"
    assert solve(Problem(paracrine_loop())).method == "Rodas5P"
    assert solve(Problem(paracrine_loop(), rtol=1e-2)).method == "Rodas5P"
    assert solve(Problem(sensitive_resistant()), sensitivities=["r"]).method == "Rodas5P"


def test_a_drug_level_alone_may_make_a_problem_stiff():
    A, u = State("A", 1.0), Input("u")
    model = Model("fast", rates={A: -1e4 * u * (A - 0.5)})
    late = Treatment.constant({"u": 1.0}, start=5)
    assert explicit_suits(Problem(model, t_span=(0, 10)))
    assert not explicit_suits(Problem(model, t_span=(0, 10), treatment=late))


def late_stiffness():
    """z grows slowly from 1, and A is drawn to 1 / z at the rate z**2: not stiff at the start, stiff at the end."""
    z, A, r = State("z", 1.0), State("A", 1.0), Parameter("r", 0.5, plausible=(0.1, 1))
    return Model("later", rates={z: r * z, A: z**2 * (1 / z - A) - r * A})


def test_a_stretch_that_becomes_stiff_changes_the_method():
    problem = Problem(late_stiffness(), t_span=(0, 12))
    solution = solve(problem, t_eval=[12])
    assert solution.method == "Rodas5P (Tsit5 found it stiff)"
    assert solution["z"][-1] == pytest.approx(np.exp(6), rel=1e-5)
    reference = solve(problem, "Radau", rtol=1e-10, atol=1e-14, t_eval=[12])
    assert solution["A"][-1] == pytest.approx(reference["A"][-1], rel=1e-5)


def test_a_named_explicit_method_says_that_the_problem_is_stiff():
    with pytest.warns(UserWarning, match="too stiff for an explicit method; try method='Rodas5P'"):
        solution = solve(Problem(late_stiffness(), t_span=(0, 12)), "Tsit5")
    assert solution.status == "stiff"


def test_members_that_become_stiff_are_solved_implicitly_and_the_others_stay():
    rates = np.linspace(0.05, 0.6, 40)[:, None]
    problem = Problem(late_stiffness(), t_span=(0, 12))
    found = kernels.ensemble(problem, ["r"], rates, [6, 12], ["z", "A"])
    assert found.method.startswith("Tsit5")
    assert set(found.status) == {"done"}
    np.testing.assert_allclose(found.values[:, 1, 0], np.exp(12 * rates[:, 0]), rtol=1e-5)
    for member in (0, 20, 39):
        exact = solve(problem.replace(parameters={"r": rates[member, 0]}), "Radau", rtol=1e-10, atol=1e-14, t_eval=[12])
        assert found.values[member, 1, 1] == pytest.approx(exact["A"][-1], rel=1e-5)


def coupled():
    """Two states, stiff, both in both equations."""
    x, y = State("x", 1.0, positive=False, scale=1), State("y", 0.0, positive=False, scale=1)
    return Model("pivots", rates={x: -1e4 * y, y: 1e4 * x - 1e4 * y})


def test_an_elimination_that_loses_digits_is_refused(monkeypatch):
    """With a limit that only exact arithmetic passes, every step is refused: the watch decides."""
    problem = Problem(coupled(), t_span=(0, 1))
    assert solve(problem, "Rodas5P").success
    monkeypatch.setattr(linear, "TRUSTED", 0.0)
    monkeypatch.setenv("REMISSION_CACHE", "off")
    from remission.solvers.kernels import build

    build.kernel.cache_clear()
    with pytest.warns(UserWarning, match="too small"):
        assert solve(problem, "Rodas5P").status == "failed"
    solution = solve(problem)
    build.kernel.cache_clear()
    assert solution.success
    assert solution.method.startswith("LSODA (Rodas5P failed: the step became too small")


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_emitted_in_registers_and_in_memory(method):
    from remission.solvers.kernels.build import Options

    for n in (3, 35):
        clones = [State(f"c{i}", 1.0) for i in range(n)]
        room = 1 - sum(clones) / 100
        model = Model(f"niche{n}", rates={c: 0.1 * (1 + i / n) * c * room for i, c in enumerate(clones)})
        assert len(emit(model, Options(method, 2))) > 1000
        ends = [solve(Problem(model, t_span=(0, 20)), m, rtol=1e-8, t_eval=[20]).y[:, 0] for m in (method, "DOP853")]
        np.testing.assert_allclose(*ends, rtol=2e-6)


def test_classes_from_nothing_that_sink_and_grow_again_stay_with_the_kernel():
    """A pulsed ladder at a given tolerance: its small classes regrow, and the second run starts them from zero."""
    classes = [State(f"x{i}", 0.2 if i == 0 else 0.0, kind="tumour") for i in range(40)]
    drug, moved = State("D", 0.0, kind="drug", scale=1), Parameter("moved", 0.02)
    room, rates = 1 - sum(classes), {drug: -10 * drug}
    for i, x in enumerate(classes):
        near = classes[max(i - 1, 0)] + classes[min(i + 1, 39)]
        rates[x] = 0.15 * x * room - 60 * (1 - i / 50) * drug * x + moved * (near / 2 - x)
    model = Model("pulsed_ladder", rates=rates, observables={"N": sum(classes)})
    pulses = Treatment.bolus({"D": 1.0}, every=21, at=14, times=6)
    problem = Problem(model, t_span=(0, 200), treatment=pulses, rtol=1e-6, atol=1e-8)
    solution = solve(problem, t_eval=[100, 200])
    assert solution.method == "Rodas5P"
    reference = solve(problem, "Radau", rtol=1e-9, atol=1e-16, t_eval=[100, 200])
    np.testing.assert_allclose(solution["N"], reference["N"], rtol=1e-5)
