"""Travelling waves as boundary value problems: closed forms, grids, stalls, and time stepping as the other method."""

import numpy as np
import pytest

from remission.analysis import (
    bistable_speed,
    continue_waves,
    front_speed,
    front_stall,
    linear_speed,
    plot,
    thresholds,
    travelling_wave,
)
from remission.models import bistable_invasion, glioma_invasion, paracrine_invasion
from remission.models.errors import ProblemError
from remission.solvers import Grid, Problem, solve

NAGUMO = {"D": 0.01, "k": 1.0, "a": 0.3}


def nagumo(**changes):
    return Problem(bistable_invasion(), parameters=NAGUMO | changes)


def invasion(e, B=0.0):
    return Problem(paracrine_invasion()).at_constant(e=e, B=B)


@pytest.fixture(scope="module")
def wave():
    return travelling_wave(nagumo())


@pytest.fixture(scope="module")
def loop_wave():
    return travelling_wave(invasion(0.6))


def test_speed_profile_and_order_of_the_bistable_front(wave):
    exact = bistable_speed(**NAGUMO)
    assert abs(wave.speed - exact) < 5e-8
    assert abs(wave.speed - exact) < 10 * wave.speed_error
    errors = [abs(c - exact) for _, c in wave.speeds]
    assert np.log2(np.array(errors[:-1]) / errors[1:]) == pytest.approx(2.0, abs=0.05)
    assert wave.order == pytest.approx(2.0, abs=0.05)
    shape = 1 / (1 + np.exp(wave.x * np.sqrt(NAGUMO["k"] / (2 * NAGUMO["D"]))))
    assert np.abs(wave["c"] - shape).max() < 1e-3
    assert wave.width == pytest.approx(4 * np.sqrt(2 * NAGUMO["D"] / NAGUMO["k"]), rel=2e-3)
    assert wave.residual < 1e-10
    assert wave.behind["c"] == pytest.approx(1)
    assert abs(wave.ahead["c"]) < 1e-6


def test_derivatives_of_the_speed(wave):
    D, k, a = NAGUMO.values()
    found = wave.derivatives()
    for name, exact in (("D", bistable_speed(D, k, a) / (2 * D)), ("k", bistable_speed(D, k, a) / (2 * k)),
                        ("a", -2 * np.sqrt(D * k / 2))):  # fmt: skip
        assert found[name] == pytest.approx(exact, rel=1e-3)


def test_speed_over_the_threshold_and_the_stall(wave):
    branch = continue_waves(wave, "a", (0.1, 0.7), n_cells=300)
    assert branch.speeds == pytest.approx([bistable_speed(0.01, 1.0, a) for a in branch.values], abs=2e-5)
    assert branch.ended == ("end of the span", "end of the span")
    assert branch.speed_at(0.4) == pytest.approx(bistable_speed(0.01, 1.0, 0.4), abs=2e-5)
    stall = front_stall(wave, "a", (0.1, 0.7))
    assert stall.kind == "front stall"
    assert float(stall) == pytest.approx(0.5, abs=1e-9)
    assert stall.coefficients["speed slope"] == pytest.approx(-2 * np.sqrt(0.005), rel=1e-3)
    assert abs(stall.derivatives["D"]) < 1e-6
    assert "invades below and retreats above" in str(stall)


def test_a_retreating_front_is_found_from_scratch():
    wave = travelling_wave(nagumo(a=0.8))
    assert wave.speed == pytest.approx(bistable_speed(0.01, 1.0, 0.8), abs=1e-6)
    assert "retreats" in str(wave)


def test_pulled_fronts_are_refused_and_their_least_speed_is_that_of_fisher():
    problem = Problem(glioma_invasion())
    k = problem.parameters
    assert linear_speed(problem) == pytest.approx(front_speed(k["D"], k["rho"]), rel=1e-9)
    assert linear_speed(nagumo()) == 0.0
    with pytest.raises(ProblemError, match="pulled"):
        travelling_wave(problem)


def test_figures_show_the_front_and_mark_the_stall(wave):
    axis = plot(wave)
    assert next(line.get_label() for line in axis.get_lines()) == "c / 1"
    axis = plot(continue_waves(wave, "a", (0.2, 0.6), n_cells=200))
    assert "stall at 0.5" in axis.get_legend_handles_labels()[1]


@pytest.mark.parametrize(
    ("ask", "match"),
    [
        (lambda w: front_stall(w, "a", (0.2, 0.4)), "does not pass zero"),
        (lambda w: continue_waves(w, "aa", (0.2, 0.4)), "no parameter or input 'aa'"),
        (lambda w: continue_waves(w, "a", (0.4, 0.6)), "around its value"),
        (lambda w: travelling_wave(invasion(0.6, 60.0)), "no stable state with a tumour"),
        (lambda w: w["tau"], "the wave has no 'tau'"),
    ],
)
def test_refusals(wave, ask, match):
    with pytest.raises(ProblemError, match=match):
        ask(wave)


def test_front_of_the_paracrine_loop(loop_wave):
    assert loop_wave.speed == pytest.approx(0.0359668, abs=2e-7)
    assert loop_wave.speed_error < 1e-6
    assert loop_wave.order == pytest.approx(2.0, abs=0.05)


def test_the_blockade_that_stalls_the_front_lies_below_the_well_mixed_one(loop_wave):
    stall = front_stall(loop_wave, "B", (0.0, 29.0), grids=2)
    assert float(stall) == pytest.approx(20.568645, abs=2e-5)
    other = front_stall(travelling_wave(invasion(0.61)), "B", (0.0, 29.0), grids=2, derivatives=False)
    nearby = front_stall(travelling_wave(invasion(0.59)), "B", (0.0, 29.0), grids=2, derivatives=False)
    assert (float(other) - float(nearby)) / 0.02 == pytest.approx(stall.derivatives["e"], rel=5e-3)


# (e, B) -> mm/day, in place of the science file's 0.0359, 0.0220, 0.0060, 0.0026, 0.0005, -0.0020, -0.0036 (B = 0) and
# 0.024, 0.0155, 0.008, 0.00084, -0.0080 (e = 0.6), which came from time stepping; equal on lines 1.4 times as long
SPEEDS = {
    (0.6, 0): 0.03596685, (0.8, 0): 0.02209480, (0.95, 0): 0.00610480, (0.97, 0): 0.00272826, (0.98, 0): 0.00068217,
    (0.99, 0): -0.00183132, (0.995, 0): -0.00343370, (0.6, 5): 0.02366524, (0.6, 10): 0.01563548,
    (0.6, 15): 0.00837840, (0.6, 20): 0.00090557, (0.6, 25): -0.00794694,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("at", "speed"), SPEEDS.items())
def test_m5_speeds(at, speed):
    wave = travelling_wave(invasion(*at))
    assert wave.speed == pytest.approx(speed, abs=2e-7)
    assert wave.speed_error < 1e-6


@pytest.mark.slow
def test_m5_stalls_lie_below_the_well_mixed_folds(loop_wave):
    over_e = front_stall(loop_wave, "e", (0.5, 1.0))
    assert float(over_e) == pytest.approx(0.982967, abs=1e-6)
    assert over_e.coefficients["error"] < 1e-6
    over_B = front_stall(loop_wave, "B", (0.0, 29.0))
    assert float(over_B) == pytest.approx(20.568645, abs=2e-6)
    fold = thresholds(Problem(paracrine_invasion()).at_constant(e=0.6), "B", kinds="critical blockade")[0]
    assert float(over_B) < float(fold) == pytest.approx(29.861, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("at", [(0.6, 0.0), (0.97, 0.0), (0.995, 0.0), (0.6, 25.0)])
def test_m5_speeds_by_time_stepping_on_two_grids(at):
    """The wave, let go on a line with walls, moves at the speed of the boundary value problem."""
    problem, measured = invasion(*at), []
    behind, ahead = (np.array(list(s.values())) for s in _ends(problem))
    for n in (600, 1200):
        grid = Grid(n, 100.0)
        step = 0.5 * (1 - np.tanh(grid.x - 40.0))
        start = {s.name: a + (b - a) * step for s, a, b in zip(problem.model.states, ahead, behind, strict=True)}
        times = np.array([0.0, 900.0, 1300.0])
        solution = solve(problem.replace(grid=grid, initial=start, t_span=(0, 1300)), t_eval=times, rtol=1e-8)
        amount = solution["tau"] @ grid.volumes / (behind[0] - ahead[0])
        measured.append((amount[2] - amount[1]) / 400)
    extrapolated = (4 * measured[1] - measured[0]) / 3
    assert extrapolated == pytest.approx(SPEEDS[at], abs=2e-6)


def _ends(problem):
    wave = travelling_wave(problem)
    return wave.behind, wave.ahead
