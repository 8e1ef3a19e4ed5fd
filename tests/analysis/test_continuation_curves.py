"""Curves of special points over two parameters, their cusps and ends, against 20-digit values."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from remission.analysis import continue_branches, continue_points, plot
from remission.models import Model, Parameter, State, kuznetsov, paracrine_loop
from remission.models.errors import ProblemError
from remission.solvers import Problem

TIGHT = {"rel": 1e-10, "abs": 1e-10}


def bykov():
    """Bykov, Yablonskii and Kim (1978)."""
    x, y, s = (State(name, 0.0, kind="other", positive=False) for name in "xys")
    q2, k = Parameter("q2", 2.204678), Parameter("k", 0.4)
    z = 1 - x - y - s
    rates = {x: 5 * z**2 - 2 * x**2 - 10 * x * y, y: q2 * z - 0.1 * y - 10 * x * y, s: 0.0675 * (z - k * s)}
    return Problem(Model("bykov", rates=rates))


@pytest.fixture(scope="module")
def bykov_curves():
    branches = continue_branches(bykov(), "q2", (0.4, 3.0), start={"x": 0.0029538, "y": 0.76211, "s": 0.16781})
    return continue_points(branches, "k", (0.05, 3.0))


def of_kind(curves, kind):
    return [p for p in curves.points if p.kind == kind]


def test_bykov_has_one_fold_curve_with_a_cusp_and_one_hopf_curve(bykov_curves):
    assert sorted(c.kind for c in bykov_curves) == ["Hopf", "fold"]
    (cusp,) = of_kind(bykov_curves, "cusp")
    assert (cusp["q2"], cusp["k"]) == pytest.approx((1.0064083296783176227, 0.35599127320867654995), **TIGHT)
    wanted = [0.035940636548891808241, 0.35200543094660268625, 0.45137011173840729271]
    assert list(cusp.values.values()) == pytest.approx(wanted, **TIGHT)


def test_hopf_and_fold_curve_of_bykov_end_in_the_same_bogdanov_takens_points(bykov_curves):
    first, second = of_kind(bykov_curves, "Bogdanov-Takens")
    assert (first["q2"], first["k"]) == pytest.approx((1.1611987088217386739, 0.72233907252222896711), **TIGHT)
    assert (second["q2"], second["k"]) == pytest.approx((1.417627637600646401, 0.97139757348531338925), **TIGHT)
    for curve in bykov_curves:
        assert sum(p.kind == "Bogdanov-Takens" for p in curve.points) == 2


def test_generalised_hopf_points_of_bykov(bykov_curves):
    first, second = of_kind(bykov_curves, "generalised Hopf")
    assert (first["q2"], first["k"]) == pytest.approx((0.891319, 0.232487), abs=1e-6)  # as AUTO prints them
    assert (second["q2"], second["k"]) == pytest.approx((0.924255, 0.305879), abs=1e-6)


def test_points_of_a_curve_are_folds_and_hopf_points(bykov_curves):
    from remission.models.derive import jacobian

    problem = bykov()
    J, parameters = jacobian(problem.model), problem.model.parameters
    for curve in bykov_curves:
        for row, at in list(zip(curve.states, curve.values, strict=True))[::9]:
            numbers = dict(zip(problem.model.states, row, strict=True))
            numbers |= {s: at[curve.parameters.index(s.name)] for s in parameters}
            eigenvalues = np.linalg.eigvals(np.array(J.subs(numbers), dtype=float))
            near = eigenvalues[np.argmin(np.abs(eigenvalues.real))]
            assert abs(near.real) < 1e-7
            if curve.kind == "Hopf":
                i = np.argmin(np.abs(curve.values - at).sum(axis=1))
                assert abs(near.imag) == pytest.approx(curve.frequency[i], rel=1e-5)


def test_kuznetsov_cusp_and_the_line_on_which_the_tumour_comes_in():
    problem = Problem(kuznetsov(scaled=True))
    branches = continue_branches(problem, "sigma", (0.0, 2.0), box={"E": (0, 50), "T": (0, 1000)})
    curves = continue_points(branches, "delta", (0.0, 3.0))
    (cusp,) = curves.points
    wanted = (0.94247308135203415367, 1.353164451651156746, 1.1905995616937390003, 136.12482833320935198)
    assert (cusp["sigma"], cusp["delta"], cusp["E"], cusp["T"]) == pytest.approx(wanted, **TIGHT)
    line = next(c for c in curves if c.kind == "transcritical")
    assert line["sigma"] == pytest.approx(1.636 * line["delta"], abs=1e-10)
    assert (line["T"] == 0).all()
    assert line["sigma"].max() == pytest.approx(2.0)
    fold = next(c for c in curves if c.kind == "fold")
    assert fold["sigma"].max() < cusp["sigma"]
    assert fold.coefficient[0] * fold.coefficient[-1] < 0


def test_the_dose_and_blocker_boundary_of_the_paracrine_loop():
    branches = continue_branches(Problem(paracrine_loop()).at_constant(e=0.2, B=30.0), "e", (0.0, 1.2))
    curves = continue_points(branches, "B", (0.0, 150.0), max_step=0.02)
    line = next(c for c in curves if c.kind == "transcritical")
    assert np.ptp(line["e"]) < 1e-12
    assert line["e"][0] == pytest.approx(0.333893, abs=5e-7)
    (fold,) = [c for c in curves if c.kind == "fold"]  # both folds at B = 30 are on it, and meet at the cusp
    assert len(of_kind(curves, "cusp")) == 1
    upper = np.sign(fold.coefficient) == np.sign(fold.coefficient[np.argmax(fold["e"])])
    order = np.argsort(fold["B"][upper])
    for e, critical in ((0.4, 80.011), (0.5, 49.001), (0.6, 29.861), (0.8, 8.5109)):
        found = np.interp(-e, -fold["e"][upper][order], fold["B"][upper][order])
        assert found == pytest.approx(critical, rel=4e-3)
    lower = np.min(fold["B"][~upper])
    assert lower == pytest.approx(27.501, abs=0.2)  # where the fold meets the tumour-free state


def test_curves_pickle_print_export_and_are_drawn(bykov_curves):
    again = pickle.loads(pickle.dumps(bykov_curves))
    assert str(again) == str(bykov_curves)
    table = bykov_curves.to_pandas()
    assert {"q2", "k", "x", "kind", "frequency"} <= set(table.columns)
    ax = plot(bykov_curves)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("q2", "k")
    assert sorted(ax.get_legend_handles_labels()[1]) == ["Hopf", "fold"]


def test_refusals():
    branches = continue_branches(Problem(paracrine_loop()).at_constant(e=0.2), "e", (0.0, 1.2))
    with pytest.raises(ProblemError, match="first parameter already"):
        continue_points(branches, "e", (0, 1))
    with pytest.raises(ProblemError, match="outside the span"):
        continue_points(branches, "B", (5, 10))
    with pytest.raises(ProblemError, match="what continue_branches returns"):
        continue_points(branches[0], "B", (0, 10))


def test_a_transcritical_changes_criticality_where_the_fold_curve_meets_it():
    branches = continue_branches(Problem(paracrine_loop()).at_constant(e=0.2, B=30.0), "e", (0.0, 1.2))
    curves = continue_points(branches, "B", (0.0, 150.0), max_step=0.02)
    (change,) = of_kind(curves, "change of criticality")
    assert (change["e"], change["B"]) == (pytest.approx(0.33389315, abs=6e-9), pytest.approx(27.5005489, abs=6e-8))
    line = next(c for c in curves if c.kind == "transcritical")
    assert (np.sign(line.coefficient) == np.where(line["B"] < change["B"], 1, -1)).all()  # a jump below, none above
    fold = next(c for c in curves if c.kind == "fold")
    end = np.argmin(fold["T"])
    assert fold["T"][end] == pytest.approx(0, abs=1e-12)
    assert (fold["e"][end], fold["B"][end]) == pytest.approx((change["e"], change["B"]), rel=1e-6)


def test_coefficients_along_curves_are_those_of_the_single_points(bykov_curves):
    from remission.analysis.continuation.equations import equations_of
    from remission.analysis.continuation.normal_forms import first_lyapunov, fold_coefficients
    from remission.analysis.continuation.points import Local

    for curve in bykov_curves:
        equations = equations_of(curve.problem, curve.parameters, [dict(zip("xys", curve.states[0], strict=True))])
        largest = np.max(np.abs(curve.coefficient))
        for i in range(1, len(curve) - 1, 7):
            local = Local(equations, np.append(curve.states[i], curve.values[i]))
            z = np.append(curve.states[i], curve.values[i]) / local.scale
            if curve.kind == "fold":  # the sign hangs on the direction of the null vector
                found, wanted = abs(curve.coefficient[i]), abs(fold_coefficients(local, z)["a"])
            else:
                found, wanted = curve.coefficient[i], first_lyapunov(local, z, curve.frequency[i])["l1"]
            assert found == pytest.approx(wanted, rel=1e-8, abs=1e-9 * largest)


def test_a_second_process_loads_the_driver_from_disk(bykov_curves):
    pytest.importorskip("numba")
    code = (
        "from remission.analysis import continue_branches\n"
        "from remission.analysis.continuation import machine\n"
        "from remission.models import kuznetsov\n"
        "from remission.solvers import Problem\n"
        "start = {'E': 1.6092032797937964, 'T': 8.1897066644876386}\n"
        "continue_branches(Problem(kuznetsov(scaled=True)), 'delta', (0.0, 3.0), start=start)\n"
        "print(sum(machine.follow.stats.cache_hits.values()), sum(machine.follow.stats.cache_misses.values()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["1", "0"]
    assert "compiling" not in done.stderr
