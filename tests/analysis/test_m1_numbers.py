"""M1 of the science file: growth, response and relapse of sensitive and resistant cells.

Computed twice, by DOP853 and by Radau at rtol 1e-11, from the equations in the docstring of `clonal_relapse`. The
science file differs in the fourth digit of what follows the start of therapy (0.3375, 0.0820, 0.00706, 3.20e-5; nadir
1258.8 on day 37.0; back on day 152.2); the closed forms below say which is right.
"""

import numpy as np
import pytest
from scipy.optimize import brentq

from remission.analysis import (
    expected_lineages,
    nadir,
    nadir_time,
    relapse_probability,
    steady_states,
    time_to_progression,
)
from remission.models import clonal_relapse
from remission.solvers import Problem, Treatment, sample, solve

MODEL = clonal_relapse()
GROWN = (1e8 - 43.3322, 43.3322)  # S and R when S + R reaches 1e8
EXACT = {"rtol": 1e-11, "atol": 1e-12}


def from_one_cell(**parameters):
    grow = Treatment.switch_when({"u": 1}, of="burden", above=1e8)
    return Problem(MODEL, t_span=(0, 500), treatment=grow, parameters=parameters, **EXACT)


def treated(u, days, **parameters):
    """Therapy at a level u from the tumour of 1e8 cells on."""
    start = dict(zip("SR", GROWN, strict=True))
    problem = Problem(MODEL, t_span=(0, days), parameters=parameters, initial=start, rtol=1e-10, atol=1e-9)
    return problem.at_constant(u=u)


def back_at(problem, size=1e7):
    """Last day on which the burden passes a size upwards."""
    solution = solve(problem)
    days = np.linspace(0, problem.t_span[1], 4001)
    values = solution.at(days, "burden")
    i = np.flatnonzero((values[:-1] < size) & (values[1:] >= size))[-1]
    return brentq(lambda t: float(solution.at(t, "burden")) - size, days[i], days[i + 1], xtol=1e-9)


def test_growth_response_and_relapse():
    solution = solve(from_one_cell())
    (event,) = solution.events
    S, R = event.values
    assert event.time == pytest.approx(92.63022742, abs=1e-6)
    assert pytest.approx(43.3321967, rel=1e-7) == R
    left = solution.at(event.time + np.array([3.0, 7, 14, 30]), "burden") / 1e8
    np.testing.assert_allclose(left, (0.3374048317, 0.0820124735, 0.00704853355, 3.19543557e-5), rtol=1e-7)
    after = treated(1, 200).replace(initial={"S": S, "R": R})
    assert nadir(solve(after)) == pytest.approx(1258.557068, rel=1e-7)
    assert nadir_time(solve(after)) == pytest.approx(36.8841, abs=1e-3)
    assert back_at(after) == pytest.approx(151.836717, abs=1e-4)


def test_the_response_is_that_of_a_logistic_tumour_with_a_kill():
    """S alone: a exp(-k t) / (1 + a r (1 - exp(-k t))/k), k the net loss, a = S/K. The file's 0.3375 is not that."""
    r, kill, a = 0.2, 0.55 + 5e-8, 0.1
    k, days = kill - r, np.array([3.0, 7, 14])
    closed = np.exp(-k * days) / (1 + a * r / k * (1 - np.exp(-k * days)))
    np.testing.assert_allclose(closed, (0.3374043, 0.08201158, 0.007046897), rtol=2e-6)
    found = sample(treated(1, 14), days, ["S"]).values[:, 0] / 1e8
    np.testing.assert_allclose(found, closed, rtol=1e-6)


def test_time_to_relapse_formula():
    """151.39 days for a large K; crowding by S and by R itself adds 0.28 and 0.125 to it."""
    R0, S0, slow, fast = 43.3322, 1e8, 0.08, 0.35
    formula = np.log(1e7 / (R0 + 5e-8 * S0 / (slow + fast))) / slow
    assert formula == pytest.approx(151.39, abs=5e-3)
    assert round(formula, 1) == 151.4
    large = treated(1, 200, K=1e13)
    assert back_at(large) == pytest.approx(formula, abs=2e-3)
    assert back_at(treated(1, 200)) == pytest.approx(formula + 0.1 / 0.36 + 0.01 / 0.08, abs=0.1)


@pytest.mark.parametrize(("al", "day"), [(1e-6, 131.273495), (1e-5, 104.876386), (1e-4, 76.361884)])
def test_induced_resistance_brings_relapse_forward(al, day):
    """The file has 131.6, 105.1 and 76.4."""
    assert back_at(treated(1, 200, al=al)) == pytest.approx(day, abs=1e-3)


@pytest.mark.optional
def test_incomplete_resistance_and_dose():
    """kap_R = 0.1: no response at u = 0.3, relapse later and smaller with the dose, none above u_R = 0.8."""
    pytest.importorskip("llvmlite")
    for u, size in ((0.3, 6.25e8), (0.5, 3.75e8), (0.7, 1.25e8)):
        stable = [s for s in steady_states(treated(u, 10, kap_R=0.1)) if s.stability == "stable"]
        assert [s["R"] for s in stable] == pytest.approx([size], rel=1e-6)
        assert [s["S"] for s in stable] == pytest.approx([0], abs=1)
    assert nadir(solve(treated(0.3, 100, kap_R=0.1))) == pytest.approx(1e8)
    assert back_at(treated(0.5, 800, kap_R=0.1)) == pytest.approx(392.032066, abs=1e-3)
    assert back_at(treated(0.7, 2000, kap_R=0.1)) == pytest.approx(1202.000003, abs=5e-3)
    for u in (0.81, 1.0):
        ends = sample(treated(u, 5000, kap_R=0.1), [2500, 5000], ["burden"]).values[:, 0]
        assert -1e-9 < ends[1] < ends[0] < 10
        assert steady_states(treated(u, 10, kap_R=0.1))[0].stability == "stable"


@pytest.mark.parametrize(("clone", "kap_R", "threshold"), [("S", 0.0, 0.363636), ("R", 0.1, 0.8)])
def test_thresholds(clone, kap_R, threshold):
    """Growth from nothing changes sign at u_S and u_R; the tumour-free Jacobian is triangular."""
    system, problem = (p := treated(1, 10, kap_R=kap_R)).system, p
    row = "SR".index(clone)

    def jacobian(u):
        return system.jac(0.0, np.zeros(2), problem.p, [u])

    found = brentq(lambda u: jacobian(u)[row, row], 0.1, 1, xtol=1e-14)
    assert found == pytest.approx(threshold, abs=1e-6)
    assert jacobian(0.5)[0, 1] == 0
    if clone == "S":
        assert found == pytest.approx((0.2 - 5e-8) / 0.55, rel=1e-12)
        induced = treated(1, 10, al=1e-3)
        exact = brentq(lambda u: system.jac(0.0, np.zeros(2), induced.p, [u])[0, 0], 0.1, 1, xtol=1e-14)
        assert exact == pytest.approx((0.2 - 5e-8) / (0.55 + 1e-3), rel=1e-12)


def test_steady_states():
    """At u = 0.2 S keeps N_S = K (1 - (kap_S u + nu b_S)/r_S) only if that is above N_R = K (1 - kap_R u/r_R)."""
    N_S, N_R = 1e9 * (1 - (0.11 + 5e-8) / 0.2), 1e9 * (1 - 0.3 * 0.2 / 0.08)
    found = steady_states(treated(0.2, 10, kap_R=0.3))
    mixed = [s for s in found if s["S"] > 1]
    assert len(mixed) == 1
    assert mixed[0]["S"] + mixed[0]["R"] == pytest.approx(N_S, rel=1e-9)
    assert mixed[0].stability == "stable"
    alone = [s for s in found if s["S"] < 1 < s["R"]]
    assert [s["R"] for s in alone] == pytest.approx([N_R], rel=1e-9)
    assert alone[0].stability == "unstable"
    without_cost = steady_states(treated(0.2, 10))  # N_R = K is above N_S: R alone
    assert [s.stability for s in without_cost if s["S"] < 1 < s["R"]] == ["stable"]
    assert not [s for s in without_cost if s["S"] > 1]


def test_relapse_lineages():
    """With a large K and constant rates, Lambda of a shrinking S is nu b_S S0 / |r_S'| times 1 - d/b."""
    problem = treated(1, 200, K=1e14, crowd_R=0.0).replace(initial={"S": 1e6, "R": 0})
    found = expected_lineages(solve(problem))
    assert found.total == pytest.approx(5e-8 * 1e6 / 0.35 * (0.08 / 0.3), rel=1e-6)
    assert relapse_probability(solve(problem)) == pytest.approx(-np.expm1(-found.total))
    partial = problem.replace(parameters={"kap_R": 0.05})
    assert expected_lineages(solve(partial)).total == pytest.approx(5e-8 * 1e6 / 0.35 * (0.03 / 0.3), rel=1e-6)


def test_progression_verb_on_relapse():
    """The same day by the outcome: 1e7 is 0.1 of the start, so ask from the nadir."""
    solution = solve(treated(1, 200))
    factor = 1e7 / nadir(solution)
    assert time_to_progression(solution, factor=factor, since="nadir") == pytest.approx(151.8367, abs=1e-3)
