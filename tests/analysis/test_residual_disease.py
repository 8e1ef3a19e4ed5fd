"""How much tumour may be left: against runs, the published course of blockade, and a closed form."""

import numpy as np
import pytest

from remission.analysis import residual_disease, separatrix, steady_states
from remission.models import (
    Input,
    Model,
    ProblemError,
    State,
    clonal_inflammation,
    cml_immune_window,
    dose_window,
    logistic_growth,
    paracrine_loop,
)
from remission.solvers import Problem, Treatment, sample, solve


@pytest.fixture(scope="module")
def blockade():
    """Chemotherapy 0.6 with blocker 100 for 60 days."""
    return solve(Problem(paracrine_loop(), t_span=(0, 60), rtol=1e-10, atol=1e-13).at_constant(e=0.6, B=100))


def test_blockade_has_to_last_until_what_is_left_may_be_left(blockade):
    """41.953943 days, 3.9137615 left then: the margin is 1, and falls with time."""
    at = residual_disease(blockade, 41.953943, after={"B": 0})
    assert at.margin == pytest.approx(1, abs=1e-8)
    assert at.left == pytest.approx(3.9137615, abs=1e-6)
    assert float(at.threshold) == pytest.approx(3.9137615, abs=1e-6)
    assert at.threshold.unit == "1e6 cells"
    edge = separatrix(blockade.problem.at_constant(e=0.6))
    margins = [float(edge.residual(blockade, day)) for day in (30, 40, 45, 60)]
    assert np.all(np.diff(margins) < 0)
    assert [m > 1 for m in margins] == [True, True, False, False]
    assert float(edge.residual(blockade, 41.953943)) == pytest.approx(float(at), rel=1e-10)


def test_a_little_more_relapses_and_a_little_less_does_not(blockade):
    found = residual_disease(blockade, 45, after={"B": 0})
    assert not found.comes_back
    assert found.goes_to["T"] == 0
    assert found.composition == {"T": 1.0}
    for factor, relapses in ((1 - 1e-7, False), (1 + 1e-7, True)):
        start = found.threshold.state | {"T": float(found.threshold) * factor}
        run = Problem(paracrine_loop(), t_span=(0, 900), initial=start, rtol=1e-10, atol=1e-13).at_constant(e=0.6)
        assert (sample(run, [900], ["T"]).values[0, 0] > 10) == relapses
    assert found.threshold.conditions[0] == "inputs constant at B = 0, e = 0.6 from then on"
    assert "does not come back" in str(found)


def test_any_residue_or_none(blockade):
    any_one = residual_disease(blockade, 60, after={"B": 0, "e": 0.2})  # below the curative dose
    assert (float(any_one.threshold), any_one.margin, any_one.comes_back) == (0, np.inf, True)
    assert "any residue comes back" in str(any_one)
    none = residual_disease(blockade, 10, after={"e": 1.0})  # above the fold at this blockade
    assert (float(none.threshold), none.margin, none.comes_back) == (np.inf, 0, False)


def test_levels_of_the_schedule_hold_from_then_on():
    """After the last change of the treatment nothing need be said."""
    course = Treatment.constant({"e": 0.6}) + Treatment.constant({"B": 100}, end=45)
    solution = solve(Problem(paracrine_loop(), t_span=(0, 50), treatment=course, rtol=1e-10, atol=1e-13))
    at_stop = residual_disease(solution, 45)
    assert at_stop.threshold.problem.inputs() == {"B": 0, "e": 0.6}
    assert not at_stop.comes_back
    assert not residual_disease(solution).comes_back


def test_two_clones_and_composition():
    """S' = S (S - 1) (3 - S), R' = -R: what may be left is where S is 1, at the composition that is left."""
    S, R = (State(n, v, kind="tumour", bounds=(0, 10)) for n, v in (("S", 2.5), ("R", 1.0)))
    kill = Input("kill", 0.0)
    model = Model("pair", rates={S: S * (S - 1) * (3 - S) - kill * S, R: -R})
    therapy = solve(Problem(model, t_span=(0, 1), rtol=1e-9).at_constant(kill=2))
    found = residual_disease(therapy, 0.5, after={"kill": 0})
    assert sum(found.composition.values()) == pytest.approx(1)
    assert found.composition["R"] == pytest.approx(np.exp(-0.5) / found.left, rel=1e-6)
    assert float(found.threshold) == pytest.approx(1 / found.composition["S"], rel=1e-9)
    assert found.comes_back == (found.start["S"] > 1)


def test_one_tumour_against_another():
    """Sensitive cells hold resistant ones down: enough of the tumour has to be left."""
    problem = Problem(dose_window(), t_span=(0, 100)).at_constant(delta=0.012)
    found = residual_disease(solve(problem), 50)
    assert "above it to (S = 400, R = 0), below to (S = 0, R = 1000)" in str(found.threshold)
    assert found.window == (float(found.threshold), np.inf)
    assert not found.comes_back
    assert "at least 111.9" in str(found)
    assert str(found).endswith("it goes to (S = 400, R = 0)")


def test_immune_window_of_a_leukaemia():
    """The published patient: relapse after a stop in month 6 or 85.9, remission after 12 and 24.

    The saddle lets runs out 32 times faster than in, so that no run comes near it.
    """
    box = {"X": (0, 1e7), "Y": (0, 1e7), "Z": (0, 1e6)}
    drug = solve(Problem(cml_immune_window(), t_span=(0, 86), rtol=1e-10, atol=1e-8).at_constant(u=1))
    stops = {t: residual_disease(drug, t, after={"u": 0}, box=box) for t in (6, 12, 24, 85.9)}
    assert [r.comes_back for r in stops.values()] == [True, False, False, True]
    assert str(stops[85.9]).count("any residue comes back") == 1
    early = stops[6]
    low, high = early.window
    assert 0 < low < high < early.left
    for factor in (1 - 1e-7, 1 + 1e-7):
        for end, relapses in ((low, factor < 1), (high, factor > 1)):
            scaled = {n: early.start[n] * factor * end / early.left for n in "XY"} | {"Z": early.start["Z"]}
            run = Problem(cml_immune_window(), t_span=(0, 400), initial=scaled, rtol=1e-11, atol=1e-9)
            assert (sample(run, [400], ["X"]).values[0, 0] > 1e4) == relapses
    assert "runs leave before they come near the saddle" in early.threshold.conditions[-1]
    states = steady_states(drug.problem.at_constant(u=0), box=box)
    edge = separatrix(states)
    start, shares = early.start, early.composition

    def most(Z):
        return max(float(c) for c in edge.crossings({"X": 0, "Y": 0, "Z": Z}, shares, within=(5e3, 1e5)))

    difference = (most(start["Z"] * 1.001) - most(start["Z"] * 0.999)) / (0.002 * start["Z"])
    assert early.threshold.derivatives["Z(0)"] == pytest.approx(difference, rel=1e-4)


def test_what_is_refused(blockade):
    with pytest.raises(ProblemError, match=r"the first argument is a Solution, got Problem; solve\(problem\) first"):
        residual_disease(blockade.problem)
    with pytest.raises(ProblemError, match="t = 70 lies outside the solution, 0 to 60"):
        residual_disease(blockade, 70)
    resistant = solve(Problem(clonal_inflammation(), t_span=(0, 10)).at_constant(e=0.8))
    with pytest.raises(ProblemError, match="no steady state of clonal_inflammation is stable there"):
        residual_disease(resistant, box={"S": (0, 1500), "A": (0, 1500), "R": (0, 1500), "X": (0, 2000)})
    gone = solve(Problem(logistic_growth(), t_span=(0, 1), initial={"V": 0}))
    with pytest.raises(ProblemError, match="nothing of the tumour is left"):
        residual_disease(gone)
