"""Steady fields: against closed forms, the well-mixed states, and the solver; their branches; the critical nucleus."""

import numpy as np
import pytest
import sympy as sp

from remission.analysis import continue_field, critical_width, steady_field, threshold_amplitude
from remission.analysis.space.equations import equations_at
from remission.analysis.space.steady_fields import leading_eigenvalues
from remission.models import Parameter, bistable_invasion, glioma_invasion, paracrine_invasion, x
from remission.models.errors import ProblemError, SolveError
from remission.solvers import Grid, Problem, Treatment, Wall, solve

LOST = Wall(value={"c": 0.0})
seed = Parameter("seed", 0.01)


def patch(part, n=80):
    """A patch of glioma cells that are lost at both walls, part of the critical width wide."""
    k = Problem(glioma_invasion()).parameters
    width = part * critical_width(k["D"], k["rho"])
    return Problem(
        glioma_invasion(),
        initial={"c": 0.4},
        grid=Grid(n, width, walls={"left": LOST, "right": LOST}),
        t_span=(0, 3000),
    )


def loop_seed(e, B, n=100, geometry="line", radius=10.0):
    """Tumour of amplitude `seed` within 1 mm of the wall or centre, M and P at rest, no X."""
    start = {"tau": sp.Piecewise((seed, x < 1), (0, True)), "X": 0.0, "M": 0.02, "P": 0.04}
    grid = Grid(n, radius, geometry)
    return Problem(paracrine_invasion(), t_span=(0, 300), initial=start, grid=grid).at_constant(e=e, B=B)


def test_a_patch_above_the_critical_width_is_where_the_solver_ends():
    problem = patch(1.5)
    field = steady_field(problem, settle_first=True)
    assert field.stability == "stable"
    assert field.residual < 1e-12
    assert field["c"] == pytest.approx(solve(problem, rtol=1e-8)["c"][-1], abs=1e-6)


def test_eigenvalues_of_the_empty_patch():
    """Cells without crowding: rho - D (pi j / width)^2, to second order."""
    problem = patch(0.8, n=400)
    k = problem.parameters
    exact = k["rho"] - k["D"] * (np.pi * np.arange(1, 4) / problem.grid.length) ** 2
    found = steady_field(problem, {"c": 0.0})
    assert found.eigenvalues[:3].real == pytest.approx(exact, rel=1e-3)
    assert found.stability == "stable"
    assert steady_field(patch(1.2), {"c": 0.0}).n_unstable == 1


def test_shift_and_invert_finds_the_leading_ones_of_all():
    problem = loop_seed(0.6, 0.0, n=120)
    equations = equations_at(problem)
    J = equations.jac(equations.flat(np.tile([[0.3], [100.0], [1.0], [2.0]], 120)))
    every = np.linalg.eigvals(J.toarray())
    every = every[np.argsort(-every.real)]
    assert leading_eigenvalues(J, 4).real == pytest.approx(every[:4].real, rel=1e-8)


@pytest.mark.parametrize("geometry", ["line", "disc", "ball"])
def test_homogeneous_fields_are_the_well_mixed_states(geometry):
    grid = Grid(30, 3.0, geometry)
    start = {"tau": 0.36, "X": 116.0, "M": 1.0, "P": 2.0}
    field = steady_field(Problem(paracrine_invasion(), initial=start, grid=grid).at_constant(e=0.6))
    assert field["tau"] == pytest.approx(np.full(30, 0.364955), abs=1e-6)
    assert field.stability == "stable"
    assert field.eigenvalues[0].real == pytest.approx(-0.054151, abs=1e-6)  # least where it is homogeneous
    assert field.mean("tau") * grid.volumes.sum() == pytest.approx(field.total("tau"))


def test_a_branch_turns_at_the_fold_of_the_well_mixed_loop():
    start = {"tau": 0.36, "X": 116.0, "M": 1.0, "P": 2.0}
    problem = Problem(paracrine_invasion(), initial=start, grid=Grid(10, 1.0, "ball")).at_constant(e=0.6)
    branch = continue_field(steady_field(problem), "B", (0.0, 40.0), max_step=0.2, headings=(1,))
    assert branch.folds[0] == pytest.approx(29.861, abs=0.02)
    assert branch.growth[0] < 0 < branch.growth[-1]
    top = int(np.argmax(branch.values))
    again = steady_field(branch.problem_at(top - 1), branch.fields[top - 1])
    assert again.mean("tau") == pytest.approx(branch.mean("tau")[top - 1])


def test_threshold_amplitude_and_the_nucleus_beside_it():
    """Science file M5 at e = 0.6: 0.0101, which converges to 0.01004."""
    found = threshold_amplitude(loop_seed(0.6, 0.0), seed, (5e-3, 2e-2))
    assert float(found) == pytest.approx(0.010031, rel=2e-3)
    assert found.bracket[0] < float(found) < found.bracket[1]
    nucleus = found.nucleus
    assert (nucleus.n_unstable, nucleus.stability) == (1, "unstable")
    shares = nucleus["tau"] / nucleus["tau"].max()
    assert shares[-1] < 1e-3
    assert shares[0] == shares.max()


def test_a_blockade_beyond_the_fold_leaves_no_amplitude():
    found = threshold_amplitude(loop_seed(0.6, 30.0), "seed", (1e-2, 1.0))
    assert float(found) == np.inf
    assert "vanishes from 0.01 to 1" in str(found)


# (geometry, e, B) -> amplitude at cells of no width, from 200 and 400 cells; the line's in place of the science file's
# 0.0295, 0.0101, 0.159, which came from coarser runs
AMPLITUDES = {
    ("line", 0.8, 0): 0.029029, ("line", 0.6, 0): 0.010037, ("line", 0.6, 10): 0.15680,
    ("disc", 0.8, 0): 0.10923, ("disc", 0.6, 0): 0.031053, ("disc", 0.6, 10): np.inf,
    ("ball", 0.8, 0): 0.64905, ("ball", 0.6, 0): 0.11286, ("ball", 0.6, 10): np.inf,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("at", "amplitude"), AMPLITUDES.items())
def test_m5_amplitudes_by_geometry(at, amplitude):
    geometry, e, B = at
    coarse, fine = (
        float(threshold_amplitude(loop_seed(e, B, n, geometry), seed, (1e-3, 1.0), nucleus=False)) for n in (200, 400)
    )
    assert fine + (fine - coarse) / 3 == pytest.approx(amplitude, rel=2e-4) or fine == amplitude == np.inf


@pytest.mark.parametrize(
    ("ask", "error", "match"),
    [
        (lambda: steady_field(Problem(bistable_invasion())), ProblemError, "the grid is one cell"),
        (lambda: steady_field(patch(1.5), np.zeros((1, 3))), ProblemError, r"shape \(1, 3\)"),
        (lambda: steady_field(patch(1.5), {"d": 0.0}), ProblemError, "no 'c'"),
        (lambda: threshold_amplitude(patch(1.5), "sed", (0.1, 1)), ProblemError, "no parameter 'sed'"),
        (lambda: threshold_amplitude(Problem(bistable_invasion()), "c0", (0.1, 1)), ProblemError, "residual_disease"),
        (lambda: threshold_amplitude(loop_seed(0.6, 0), "seed", (0, 1)), ProblemError, "above 0"),
        (lambda: steady_field(loop_seed(0.6, 0).replace(treatment=Treatment.intermittent({"e": 1}, on=7, off=7))),
         ProblemError, "changes in time"),
        (lambda: steady_field(patch(1.5), np.full((1, 80), np.nan)), SolveError, "not finite"),
    ],
)  # fmt: skip
def test_refusals(ask, error, match):
    with pytest.raises(error, match=match):
        ask()
