"""Lineages along solutions against closed forms of the birth-death process, and what is assumed or refused."""

import logging
import math

import numpy as np
import pytest

from remission.analysis import cure_fraction, expected_lineages, relapse_free_survival, relapse_probability
from remission.models import Input, Lineage, Model, Parameter, ProblemError, SolveError, State, oncogene_withdrawal
from remission.solvers import Problem, Treatment, solve

B, D, LOSS, NU = 0.3, 0.2, 0.5, 1e-7
PI = 1 - D / B


def shrinking(R0=0.0, cells_per_unit=1.0, **changes):
    """S falls at a constant rate and founds resistant cells, whose births and deaths are constant."""
    b, d, loss, nu, kill = (Parameter(n, v) for n, v in {"b": B, "d": D, "loss": LOSS, "nu": NU, "kill": 0.05}.items())
    S, R = State("S", 1e6, cells_per_unit=cells_per_unit), State("R", R0, cells_per_unit=cells_per_unit)
    u = Input("u")
    founding = nu * S
    model = Model(
        "shrinking",
        rates={S: -loss * S, R: (b - d - kill * u) * R + founding},
        observables={"burden": S + R},
        lineages={R: Lineage(birth=b, death=d + kill * u, source=founding)},
    )
    return Problem(model, t_span=(0, 80), rtol=1e-10).replace(**changes)


def test_constant_rates():
    """Lambda = (nu S0 / loss) (1 - d/b): every family has the same chance."""
    found = expected_lineages(solve(shrinking()))
    assert found.total == pytest.approx(NU * 1e6 / LOSS * PI, rel=1e-9)
    assert found.relapse_probability == pytest.approx(-math.expm1(-found.total))
    assert found.cure_fraction == pytest.approx(math.exp(-found.total))
    assert found.by_clone == {"R": found.total}
    assert found.phases == ((0.0, 80.0),)


def test_survival_is_the_published_limit_for_large_families():
    """exp(-pi N exp(-r (t - s))) per family; at N = 1e7 the exact formula agrees to 1e-6."""
    from scipy.integrate import quad

    solution = solve(shrinking(t_span=(0, 300)))
    days, size = np.array([120.0, 150.0, 200.0, 300.0]), 1e7

    def hazard(t):
        def families(s):
            return NU * 1e6 * math.exp(-LOSS * s) * PI * math.exp(-PI * size * math.exp(-(B - D) * (t - s)))

        return quad(families, 0, 60, epsabs=1e-15, epsrel=1e-11, limit=200)[0]

    wanted = [math.exp(-hazard(t)) for t in days]
    found = relapse_free_survival(solution, days, size)
    np.testing.assert_allclose(1 - found, 1 - np.array(wanted), rtol=2e-6, atol=1e-12)


def test_a_phase_in_which_families_die_is_survived_or_not():
    """Drug that makes r = -0.05 (b = 0.3, d = 0.35) for 20 days: a family of day 0 survives with G / (I + 1/pi)."""
    course = Treatment.constant({"u": 3.0}, end=20)
    one = shrinking(treatment=course, parameters={"nu": 0.0}, initial={"R": 1.0})
    r, b = -0.05, B
    G, integral = math.exp(20 * r), b * (math.exp(20 * r) - 1) / r
    wanted = G / (integral + B / (B - D))  # G / (1 + I), carried on at constant rates for ever
    found = expected_lineages(solve(one))
    assert found.total == pytest.approx(wanted, rel=1e-8)
    assert found.founders == found.total
    assert found.phases == ((0.0, 20.0), (20.0, 80.0))


def test_cells_at_the_start_and_in_doses_are_founders():
    still = shrinking(parameters={"nu": 0.0})
    assert relapse_probability(solve(still.replace(initial={"R": 3.0}))) == pytest.approx(1 - math.exp(-3 * PI))
    dosed = still.replace(treatment=Treatment.bolus({"R": 2.0}, at=10))
    found = expected_lineages(solve(dosed))
    assert found.total == pytest.approx(2 * PI, rel=1e-8)
    survival = relapse_free_survival(solve(dosed), [9.9, 80.0], 1.0)
    assert survival[0] == 1.0
    assert survival[1] == pytest.approx(math.exp(-2 * PI), rel=1e-3)


def test_states_in_other_units_count_cells():
    """S and R in millions: the same tumour has the same Lambda."""
    millions = shrinking(cells_per_unit=1e6, initial={"S": 1.0})
    assert expected_lineages(solve(millions)).total == pytest.approx(expected_lineages(solve(shrinking())).total)


def test_clones_add():
    S = State("S", 1e6, cells_per_unit=1)
    Q, R = State("Q", 0.0, cells_per_unit=1), State("R", 0.0, cells_per_unit=1)
    b, d, loss, nu = Parameter("b", B), Parameter("d", D), Parameter("loss", LOSS), Parameter("nu", NU)
    lineages = {c: Lineage(birth=b, death=d, source=nu * S) for c in (Q, R)}
    model = Model("two", rates={S: -loss * S, Q: (b - d) * Q + nu * S, R: (b - d) * R + nu * S}, lineages=lineages)
    solution = solve(Problem(model, t_span=(0, 80)))
    both, one = expected_lineages(solution), expected_lineages(solution, "R")
    assert both.total == pytest.approx(2 * one.total)
    assert relapse_probability(solution, "Q") == pytest.approx(one.relapse_probability)


def test_cure_fraction_is_an_outcome():
    solution = solve(shrinking())
    assert cure_fraction(solution) == pytest.approx(math.exp(-NU * 1e6 / LOSS * PI), rel=1e-6)
    assert cure_fraction().needs_lineages
    assert cure_fraction("R").label == "cure fraction of R"
    assert cure_fraction("R").unit(solution.problem) == "1"
    crowd = solve(shrinking(initial={"S": 1e10}))
    assert cure_fraction(crowd) == pytest.approx(math.exp(-NU * 1e10 / LOSS * PI), rel=1e-3)  # e-290, not zero


def test_subjects_that_differ():
    """Gamma: (1 + H/q)^-q in closed form. Log-normal: the quadrature of `relapse_counts`; both lower relapse."""
    solution = solve(shrinking(initial={"S": 1e7}))
    found, times = expected_lineages(solution), np.array([0.0, 40, 80])
    hazard = -np.log(relapse_free_survival(solution, times, 1e2))
    assert found.between_subjects(shape=0.5) == pytest.approx(1 - (1 + found.total / 0.5) ** -0.5)
    gamma = relapse_free_survival(solution, times, 1e2, shape=2.0)
    np.testing.assert_allclose(gamma, (1 + hazard / 2) ** -2, rtol=1e-12)
    z = np.exp(np.random.default_rng(1).normal(-0.5, 1.0, 200_000))
    drawn = np.exp(-hazard[:, None] * z).mean(axis=1)
    np.testing.assert_allclose(relapse_free_survival(solution, times, 1e2, sd=1.0), drawn, atol=2e-3)
    assert found.between_subjects(sd=1.0) < found.relapse_probability
    for wrong in ({}, {"sd": 1.0, "shape": 1.0}):
        with pytest.raises(ProblemError, match="one of them"):
            found.between_subjects(**wrong)


def test_no_net_growth_after_the_end_means_cure():
    assert expected_lineages(solve(shrinking(treatment=Treatment.constant({"u": 3.0})))).total == 0.0


def test_an_early_end_is_said(caplog):
    """Ending at day 5 leaves exp(-2.5) of the families out; the estimate of them is exact for an exponential."""
    with caplog.at_level(logging.WARNING, "remission"):
        found = expected_lineages(solve(shrinking(t_span=(0, 5))))
    assert "longer t_span" in caplog.text
    assert found.neglected == pytest.approx(NU * 1e6 / LOSS * PI * math.exp(-2.5), rel=0.02)
    assert "left out" in str(found)


def test_rates_that_still_move_are_said(caplog):
    S, R, K = State("S", 1e6, cells_per_unit=1), State("R", 0.0, cells_per_unit=1), Parameter("K", 2e6)
    b, d, nu, growth = Parameter("b", B), Parameter("d", 0.1), Parameter("nu", NU), Parameter("growth", -0.02)
    birth = d + (b - d) * (1 - S / K)
    lineages = {R: Lineage(birth=birth, death=d, source=nu * S)}
    model = Model("braked", rates={S: growth * S, R: (birth - d) * R + nu * S}, lineages=lineages)
    with caplog.at_level(logging.WARNING, "remission"):
        expected_lineages(solve(Problem(model, t_span=(0, 40))))
    assert "still change" in caplog.text


def test_families_that_feel_each_other_are_said(caplog):
    R, K, b, d = State("R", 1.0, cells_per_unit=1), Parameter("K", 1e3), Parameter("b", B), Parameter("d", 0.1)
    birth = d + (b - d) * (1 - R / K)
    model = Model("crowded", rates={R: (birth - d) * R}, lineages={R: Lineage(birth=birth, death=d)})
    with caplog.at_level(logging.WARNING, "remission"):
        expected_lineages(solve(Problem(model, t_span=(0, 30))))
    assert "feel each other" in caplog.text


def test_refusals():
    solution = solve(shrinking())
    with pytest.raises(ProblemError, match="no lineage of 'S'"):
        expected_lineages(solution, "S")
    with pytest.raises(ProblemError, match="within the solution's span"):
        relapse_free_survival(solution, [81.0])
    with pytest.raises(ProblemError, match="cells_per_unit of State 'R'"):
        expected_lineages(solve(shrinking(cells_per_unit=None)))
    operated = shrinking(treatment=Treatment.surgery({"R": 0.5}, at=30))
    with pytest.raises(ProblemError, match="a part of R is removed at t = 30"):
        expected_lineages(solve(operated))
    with pytest.warns(UserWarning, match="blow up|cannot move on"):
        failed = solve(shrinking(parameters={"loss": -50.0}))
    with pytest.raises(SolveError):
        expected_lineages(failed)


def test_cell_numbers_a_little_below_zero_found_nothing():
    """Without growth all dies out; the solver leaves S at about -1e-4 cells, and a source may not be negative."""
    protocol = Treatment.switch_when({"u": 1}, of="at_risk", above=1e8, before={"cin": 1})
    problem = Problem(oncogene_withdrawal(), t_span=(0, 400), treatment=protocol, atol=1e-3)
    dying = {
        "p_on": 8.03372538e-03,
        "f_r": 2.96e-06,
        "f_v": 0.22354,
        "kap_S": 0.34844,
        "kap_A": 0.34667,
        "d_R": 0.39182,
    }
    solution = solve(problem.replace(parameters=dying), "LSODA")
    assert np.min(solution["at_risk"]) < 0
    assert expected_lineages(solution).total == 0
