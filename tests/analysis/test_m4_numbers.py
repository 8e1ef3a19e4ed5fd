"""M4 of the science file: unstable clones under the inflammatory loop, by `clonal_inflammation`.

Computed twice, by LSODA and by Radau at rtol 1e-10. The file's numbers have R in the crowding (`crowd_R = 1`); its days
of return are whole days (494, 858, 915 and 316, 716, 780), ours are the crossings.
"""

import numpy as np
import pytest
from scipy.optimize import brentq

from remission.analysis import expected_lineages
from remission.models import clonal_inflammation
from remission.solvers import Problem, Treatment, sample, solve

MODEL = clonal_inflammation()
LOW, HIGH = 2.5e-4, 2.5e-3
DAYS = np.array([7.0, 14, 30, 60, 120, 300])


def course(B, e=0.8, p_on=HIGH, days=1200, **parameters):
    """From one cell to 100 (1e6 cells) with instability, then chemotherapy with a blocker and without instability."""
    treatment = Treatment.switch_when({"e": e, "B": B}, of="at_risk", above=100, before={"cin": 1})
    return Problem(
        MODEL, t_span=(0, days), treatment=treatment, parameters={"p_on": p_on, "crowd_R": 1.0, **parameters},
        rtol=1e-9, atol={"S": 1e-15, "A": 1e-15, "R": 1e-15},
    )  # fmt: skip


@pytest.fixture(scope="module")
def solutions():
    return {(p_on, B): solve(course(B, p_on=p_on)) for p_on in (LOW, HIGH) for B in (0, 10, 30)}


@pytest.mark.parametrize(
    ("p_on", "B", "sizes", "returns"),
    [
        (LOW, 0, (78.3481, 66.1760, 48.1174, 29.0426, 10.7376, 0.0510890), 493.5763),
        (LOW, 10, (71.9687, 50.8907, 17.9676, 0.141005, 1.14786e-5, 2.79424e-4), 858.2118),
        (LOW, 30, (64.0044, 32.3183, 2.25793, 4.07386e-3, 5.36981e-6, 1.38448e-4), 914.2787),
        (HIGH, 0, (84.2110, 73.9097, 57.2842, 38.0375, 17.7166, 4.70525), 315.2170),
        (HIGH, 10, (79.8265, 62.8412, 33.1175, 2.15254, 1.57070e-4, 3.68640e-3), 715.4992),
        (HIGH, 30, (73.6766, 46.6905, 7.98911, 0.0245459, 6.15455e-5, 1.58948e-3), 779.2540),
    ],
)
def test_chemotherapy_and_blockade(solutions, p_on, B, sizes, returns):
    solution = solutions[p_on, B]
    (event,) = solution.events
    np.testing.assert_allclose(solution.at(event.time + DAYS, "burden"), sizes, rtol=1e-5)

    def excess(day):
        return float(solution.at(event.time + day, "burden")) - 10

    assert brentq(excess, 250, 1000) == pytest.approx(returns, abs=5e-3)


@pytest.mark.parametrize(("p_on", "T1", "cells"), [(LOW, 128.359724, 0.22534344), (HIGH, 172.833197, 3.58959957)])
def test_growth_before_treatment(solutions, p_on, T1, cells):
    (event,) = solutions[p_on, 0].events
    assert event.time == pytest.approx(T1, abs=2e-5)
    values = dict(zip((s.name for s in MODEL.states), event.values, strict=False))
    assert values["R"] * 1e6 == pytest.approx(cells, rel=2e-6)


@pytest.mark.parametrize("B", [0, 10, 30])
def test_without_resistant_lineages_every_arm_goes_extinct(B):
    solution = solve(course(B, f_r=0.0, days=1500))
    assert solution.at(1500, "burden") * 1e6 < 1
    assert not expected_lineages(solution).total


def test_blockade_deepens_the_response_and_slows_relapse(solutions):
    nadirs = [np.nanmin(solutions[HIGH, B]["burden"][-200:]) for B in (0, 10, 30)]
    assert nadirs == sorted(nadirs, reverse=True)


@pytest.mark.parametrize(
    ("p_on", "B", "parts"),
    [
        (LOW, 0, (0.0234828, 0.1500216)),
        (LOW, 30, (0.0144206, 0.0168241)),
        (HIGH, 0, (0.2900155, 0.1942154)),
        (HIGH, 30, (0.2004354, 0.0226983)),
    ],
)
def test_lineages_before_and_during_treatment(p_on, B, parts):
    """R takes no room here; sums 0.173504, 0.0312445, 0.484247 and 0.223143 by trapezoids over the solution.

    Without a blocker and at low instability most relapses are founded during chemotherapy, by sheltered S and A.
    """
    found = expected_lineages(solve(course(B, p_on=p_on, days=900, crowd_R=0.0)))
    np.testing.assert_allclose(found.by_phase, parts, rtol=2e-5)


def test_net_growth_of_resistant_cells_under_shelter():
    """0.018 per day without protection, 0.056 at theta = 0.8, for e = 0.8 in an empty tumour."""
    problem = Problem(MODEL).at_constant(e=0.8)
    row = problem.system.states.index("R")
    for theta, growth in ((0.0, 0.018), (0.8, 0.05592)):
        y = np.zeros(7)
        y[-1] = np.sqrt(theta / (1 - theta))
        level = {"B": 0.0, "cin": 0.0, "e": 0.8, "u": 0.0}
        values = [level[name] for name in problem.system.inputs]
        assert problem.system.jac(0.0, y, problem.p, values)[row, row] == pytest.approx(growth, abs=1e-12)


def test_tumour_free_thresholds():
    """Three transcritical doses e_i = (g_i - da (1 - rhoa theta_0))/(kap_i (1 - rho theta_0)), theta_0 = 0.0016."""
    theta = 0.04**2 / (1 + 0.04**2)
    assert theta == pytest.approx(0.0016, abs=3e-6)
    m = 1 - (1 - LOW) ** 40
    growth = {"S": 0.2 - 2 * m * 0.5, "A": 0.17 - 2 * m * 0.2 * 0.47, "R": 0.1}
    problem = Problem(MODEL)
    names, inputs = problem.system.states, problem.system.inputs

    def rate(e, clone):
        y = np.array([0, 0, 0, e, 0, 0.02, 0.04])
        level = [{"e": e}.get(name, 0.0) for name in inputs]
        row = names.index(clone)
        return problem.system.jac(0.0, y, problem.p, level)[row, row]

    for clone, kap in (("S", 0.5), ("A", 0.4), ("R", 0.04)):
        exact = (growth[clone] - 0.05 * (1 - 0.5 * theta)) / (kap * (1 - 0.7 * theta))
        assert brentq(rate, 0, 5, args=(clone,), xtol=1e-13) == pytest.approx(exact, rel=1e-10)
    assert exact > 1  # R is beyond the reach of chemotherapy alone


def test_copy_gain_of_the_chemokine_shelters_the_tumour():
    """The bridge: with w_A = 3 in place of 1 the unstable tumour is larger after two months of chemotherapy."""
    sizes = []
    for w_A in (1.0, 3.0):
        solution = solve(course(0, days=260, w_A=w_A))
        (event,) = solution.events
        sizes.append(float(solution.at(event.time + 60, "burden")))
    assert sizes[1] > 1.1 * sizes[0]


def test_withdrawal_without_chemotherapy_leaves_tnf_alone():
    problem = Problem(MODEL, t_span=(0, 30), initial={"S": 50, "A": 50}).at_constant(u=1)
    F, S = sample(problem, [30], ["F", "S"]).values[0]
    assert F == 0
    assert S < 0.01
