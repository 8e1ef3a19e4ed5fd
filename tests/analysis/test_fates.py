"""Fates, and thresholds between them, against published numbers, other methods, and the thresholds solved anew.

M3 numbers are of the science file and of `test_m2_m3_numbers`, Kuznetsov's table is recomputed from the scaled
system. Trajectories on both sides of a threshold decide without any of the machinery under test.
"""

import math

import pytest

from remission.analysis import fate, nadir, sensitivity, separatrix, steady_states, sweep, threshold, thresholds
from remission.models import (
    Model,
    Parameter,
    State,
    clonal_inflammation,
    kuznetsov,
    metastasis,
    oncogene_withdrawal,
    paracrine_loop,
    sensitive_resistant,
)
from remission.models.errors import ProblemError
from remission.solvers import Problem, Treatment, sample

DAYS = Parameter("days", 40.0, unit="day", plausible=(5, 120), scale="linear")
LOOP = paracrine_loop()


def blocked(e=0.6, B=100, **parameters):
    """Chemotherapy for ever, the blocker for some days."""
    treatment = Treatment.constant({"e": e}) + Treatment.constant({"B": B}, end=DAYS)
    return Problem(LOOP, treatment=treatment, parameters=parameters)


def duration(problem, within=(35, 50)):
    (found,) = thresholds(problem, "days", within=within)
    return found


def five_points(function, value, h):
    """Derivative by differences of fourth order."""
    one, two = (function(value + h) - function(value - h), function(value + 2 * h) - function(value - 2 * h))
    return (8 * one - two) / (12 * h)


# --- fate -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "back"), [(41.9, True), (42.0, False)])
def test_a_fate_is_where_the_solution_ends(days, back):
    """0.05 days beside the threshold the tumour on day 365 says little; 2000 days later it does."""
    found = fate(blocked(days=days))
    assert found.status == "settled"
    assert found.comes_back is back
    assert found.changed == days
    late = sample(blocked(days=days).replace(t_span=(0, 4000), rtol=1e-10), [4000], ["T"]).values[0, 0]
    assert late == pytest.approx(found.attractor["T"], rel=1e-6, abs=1e-9)


def test_a_fate_is_certain_only_near_a_stable_state():
    found = fate(blocked(days=42.0))
    at = sample(blocked(days=42.0).replace(t_span=(0, 4000)), [found.time], ["T"]).values[0, 0]
    assert at < 2.739  # the saddle is passed
    assert "the tumour goes (no tumour)" in str(found)


def test_where_nothing_is_stable_there_is_no_fate():
    x = State("x", 1.0, bounds=(0, 4), kind="tumour")
    y = State("y", 0.0, bounds=(-4, 4), kind="other", positive=False)
    spring = Model("spring", rates={x: y, y: 2 - x})  # round and round x = 2
    with pytest.raises(ProblemError, match="none of 1 steady states in the box is stable"):
        fate(Problem(spring))


def test_a_fate_needs_constant_inputs_in_the_end():
    endless = Problem(LOOP, treatment=Treatment.intermittent({"e": 1}, on=7, off=7))
    with pytest.raises(ProblemError, match=r"repeated without end.*cycles="):
        fate(endless)
    ruled = Treatment.adaptive({"e": 1}, of="burden", pause_below=0.5, resume_above=1)
    with pytest.raises(ProblemError, match="switches again and again"):
        fate(Problem(LOOP, treatment=ruled))


def test_an_absent_clone_stays_absent():
    """Without R the tumour-free state of the loop's sensitive cells is stable in what is left; T = 0 never grows."""
    gone = fate(Problem(LOOP, initial={"T": 0}).at_constant(e=0))
    assert gone.comes_back is False
    assert fate(Problem(LOOP, initial={"T": 1e-9}).at_constant(e=0)).comes_back is True


# --- minimal duration -------------------------------------------------------------------------------------------------


def test_blockade_has_to_last_41_95_days():
    """The file has 41.94, from P(0) = 0; the tumour is 3.913761 then."""
    found = duration(blocked(), (5, 120))
    assert found.kind == "minimal duration"
    assert found.value == pytest.approx(41.9539430517, abs=2e-9)
    assert found.coefficients["T at the last change"] == pytest.approx(3.91376148, abs=1e-7)
    assert found.state["T"] == pytest.approx(2.739069, abs=1e-6)
    assert found.direction == "T = 364.955 below, no tumour above"
    after = [
        sample(blocked(days=found.value + s).replace(t_span=(0, 1500), rtol=1e-11), [1500], ["T"]).values[0, 0]
        for s in (-1e-8, 1e-8)
    ]
    assert after[0] > 100
    assert after[1] < 1e-3


@pytest.mark.optional
def test_derivatives_of_the_duration_are_those_of_durations_solved_anew():
    found = duration(blocked())
    for name in ("r", "T_X", "T0"):
        value = LOOP_VALUES[name]
        wanted = five_points(lambda v, name=name: duration(blocked(**{name: v})).value, value, 1e-4 * value)
        assert found.derivatives[name] == pytest.approx(wanted, rel=1e-7)
    assert found.derivatives["e"] == pytest.approx(
        five_points(lambda e: duration(blocked(e=e)).value, 0.6, 1e-4), rel=1e-6
    )
    assert found.derivatives["B"] == pytest.approx(
        five_points(lambda B: duration(blocked(B=B)).value, 100, 0.1), rel=1e-6
    )
    assert found.elasticities["r"] == pytest.approx(found.derivatives["r"] * 0.15 / found.value)


LOOP_VALUES = {p.name: p.info.value for p in LOOP.parameters}


def test_smallest_number_of_courses():
    courses = Treatment.constant({"e": 0.6}) + Treatment.intermittent({"B": 100}, on=10, off=4, cycles=3)
    (found,) = thresholds(Problem(LOOP, treatment=courses), "cycles", within=(1, 12))
    assert (found.value, found.kind) == (6, "minimal duration")
    assert "from 6 on" in found.direction
    for n, back in ((5, True), (6, False)):
        given = Treatment.constant({"e": 0.6}) + Treatment.intermittent({"B": 100}, on=10, off=4, cycles=n)
        assert fate(Problem(LOOP, treatment=given)).comes_back is back


@pytest.mark.optional
def test_with_the_extinction_gate_the_last_cell_decides():
    """At e = 0 in the end any residue grows back; the treatment has to reach one cell, 1e-6 of a unit."""
    treatment = Treatment.constant({"e": 0.8, "B": 30}, start=0, end=DAYS)
    gated = Problem(LOOP, treatment=treatment, extinction_gate=True)
    (found,) = thresholds(gated, "days", within=(130, 150))
    free = gated.replace(extinction_gate=False, t_span=(0, 300))
    (level,) = thresholds(free, "days", within=(130, 150), outcome=nadir("T"), level=1e-6)
    assert found.value == pytest.approx(139.83131621, abs=1e-6)
    assert level.value == pytest.approx(found.value, abs=1e-6)
    assert "extinction gate" in found.conditions[-1]


@pytest.mark.optional
def test_treatment_that_begins_when_the_tumour_is_seen():
    """The largest tumour at which chemotherapy with a weak blocker may begin; the day of that moves along."""
    size = Parameter("size", 60.0, unit="1e6 cells", plausible=(50, 80))
    started = Treatment.switch_when({"e": 0.8, "B": 7}, of="burden", above=size)
    problem = Problem(LOOP, t_span=(0, 200), initial={"T": 1e-3, "X": 1e-4}, treatment=started)
    (found,) = thresholds(problem, "size", n=3)
    assert found.value == pytest.approx(66.3715154344, abs=1e-7)
    assert found.direction.startswith("no tumour below")
    assert found.coefficients["T at the last change"] == pytest.approx(found.value, rel=1e-8)
    slope = five_points(lambda v: thresholds(problem.replace(parameters={"r": v}), "size", n=2)[0].value, 0.15, 5e-5)
    assert found.derivatives["r"] == pytest.approx(slope, rel=1e-5)
    early = fate(problem.replace(t_span=(0, 10)))
    assert early.status == "undecided"
    assert "by t = 10 the rule has not switched" in early.message


# --- surgery ----------------------------------------------------------------------------------------------------------


def operated(day, cut=0.999):
    treatment = Treatment.surgery({"T1": cut}, at=day) + Treatment.constant({"e": 0.6}, start=day + 7)
    return Problem(metastasis(), treatment=treatment)


def test_latest_day_of_surgery():
    """Metastases have then passed their own separatrix; T1 is at 1.7 when chemotherapy begins."""
    day = Parameter("day", 100.0, unit="day", plausible=(140, 165), scale="linear")
    (found,) = thresholds(operated(day), "day")
    assert found.kind == "latest surgery"
    assert found.value == pytest.approx(153.7817650, abs=2e-7)
    assert (found.state["T1"], round(found.state["T2"], 5)) == (0.0, 2.79573)
    ends = [
        sample(operated(found.value + s).replace(t_span=(0, 1500), rtol=1e-10), [1500], ["T2"]).values[0, 0]
        for s in (-1e-4, 1e-4)
    ]
    assert ends[0] < 1e-3
    assert ends[1] > 50


@pytest.mark.optional
def test_part_to_be_removed():
    cut = Parameter("cut", 0.9, unit="1", plausible=(0.9, 0.97), scale="linear")
    (found,) = thresholds(operated(100, cut), "cut", kinds="change of fate")
    assert found.value == pytest.approx(0.942789900223, abs=1e-10)

    def again(T0):
        return thresholds(operated(100, cut).replace(parameters={"T0": T0}), "cut")[0].value

    assert found.derivatives["T0"] == pytest.approx(five_points(again, 1e-3, 1e-7), rel=1e-6)


# --- residual disease -------------------------------------------------------------------------------------------------


def test_residue_from_which_the_loop_relapses():
    """3.339 with signals at rest with the tumour, 4.124 before there are any."""
    T0, T_X, m0, mP = (LOOP.symbol(name) for name in ("T0", "T_X", "m0", "mP"))
    M = m0 + (1 - m0) * (T0 / T_X) / (1 + T0 / T_X)
    rested = Problem(LOOP, initial={"X": T0 / T_X, "M": M, "P": M / mP}).at_constant(e=0.6)
    (found,) = thresholds(rested, "T0", within=(0.1, 100))
    assert found.kind == "residual disease"
    assert found.value == pytest.approx(3.33937705, abs=5e-9)
    bare = Problem(LOOP, initial={"X": 0}).at_constant(e=0.6)
    (found,) = thresholds(bare, "T(0)", within=(0.1, 100))
    assert found.value == pytest.approx(4.12438415, abs=5e-9)
    assert (found.of, found.unit) == ("T(0)", "1e6 cells")


KUZNETSOV = Problem(kuznetsov(scaled=True))


@pytest.mark.parametrize(
    ("E", "T"),
    [(0.05, 5.08417), (0.1, 10.1393), (0.1181 / 0.3743, 63.7347), (0.5, 136.737), (1.0, 411.819)],
)
def test_kuznetsov_separatrix_by_trajectories_and_by_the_manifold(E, T):
    """The table has the tumour-free E = sigma/delta rounded to 0.315522, which would give 63.7346."""
    start = KUZNETSOV.replace(initial={"E": E})
    (found,) = thresholds(start, "T(0)", within=(0.5, 480), box={"E": (0, 6)})
    assert found.value == pytest.approx(T, rel=1e-5)
    assert found.state["T"] == pytest.approx(267.798, abs=1e-3)
    edge = separatrix(KUZNETSOV, box={"E": (0, 6)})
    (other,) = edge.at(E=E)  # backwards from the saddle
    assert found.value == pytest.approx(other, rel=1e-8)
    assert found.coefficients["moves with 100 times the tolerance by"] < 1e-8 * T


@pytest.mark.parametrize("mu", [1.0, 0.1, pytest.param(0.02, marks=pytest.mark.optional)])
def test_saddles_that_are_left_sooner_than_they_are_reached(mu):
    """The stable rate is mu, the unstable one 1: for 0.02 no solution in doubles comes near the saddle."""
    k, m = Parameter("k", 1.0, unit="1"), Parameter("mu", mu, unit="1/day")
    T = State("T", 0.4, bounds=(0, 2), kind="tumour")
    y = State("y", 0.6, bounds=(0, 3), kind="other")
    model = Model("slowly", rates={T: 4 * T * (1 - T) * (T - 0.5 - k * T * y**2), y: -m * y * (1 + 0.3 * T * y)})
    problem = Problem(model)
    (found,) = thresholds(problem, "T(0)", within=(0.3, 0.99))
    (other,) = separatrix(problem).at(y=0.6)
    assert found.mechanism == "separatrix"
    assert found.value == pytest.approx(other, rel=2e-10)

    def anew(k):
        return thresholds(problem.replace(parameters={"k": k}), "T(0)", within=(0.3, 0.99))[0].value

    assert found.derivatives["k"] == pytest.approx((anew(1.001) - anew(0.999)) / 0.002, rel=1e-5)
    assert bool(found.state) is (mu > 0.05)


@pytest.mark.optional
def test_clones_that_were_never_there_take_no_part():
    """M4 without R and without f_r: sixteen days of blockade; with R there is no fate but relapse."""
    treatment = Treatment.constant({"e": 0.6}) + Treatment.constant({"B": 100}, end=DAYS)
    start, box = {"S": 95, "A": 5, "R": 0}, {"S": (0, 1000), "A": (0, 1000), "R": (0, 1000), "X": (0, 800)}
    problem = Problem(clonal_inflammation(), parameters={"f_r": 0}, initial=start, treatment=treatment)
    (found,) = thresholds(problem, "days", within=(10, 25), box=box, n=3)
    assert found.value == pytest.approx(16.570193, abs=1e-6)
    assert "R never there, and founded by nothing" in found.conditions
    assert math.isnan(found.derivatives["f_r"])
    ends = [
        sample(problem.replace(parameters={"days": found.value + s}, t_span=(0, 1500), rtol=1e-10), [1500], ["A"])
        for s in (-1e-5, 1e-5)
    ]
    assert ends[0].values[0, 0] == pytest.approx(187.363, abs=1e-3)
    assert ends[1].values[0, 0] < 1e-3
    with pytest.raises(ProblemError, match="none of 3 steady states in the box is stable"):
        fate(problem.replace(initial={"R": 1e-6}), box=box)


@pytest.mark.optional
def test_conserved_totals_move_the_saddle():
    """A tumour that needs half of the receptors free: U + V is kept, so that the saddle lies at T = c U."""
    c = Parameter("c", 1.0, unit="1")
    T = State("T", 0.3, bounds=(0, 2), kind="tumour")
    U = State("U", 0.7, bounds=(0, 2), kind="other")
    V = State("V", 0.1, bounds=(0, 2), kind="other")
    exchange = V - 3 * U
    problem = Problem(Model("kept", rates={T: T * (1 - T) * (T - c * U), U: exchange, V: -exchange}))

    def size(**changes):
        return thresholds(problem.replace(**changes), "T(0)", within=(0.05, 0.95))[0]

    found = size()
    assert found.state["U"] == pytest.approx(0.2, abs=1e-12)
    assert found.state["T"] == pytest.approx(0.2, abs=1e-12)
    by_c = (size(parameters={"c": 1.0005}).value - size(parameters={"c": 0.9995}).value) / 1e-3
    assert found.derivatives["c"] == pytest.approx(by_c, rel=1e-6)
    u = Parameter("u", 0.7, unit="1")
    moved = size(initial={"U": u})
    by_u = (size(initial={"U": 0.7005}).value - size(initial={"U": 0.6995}).value) / 1e-3
    assert moved.derivatives["u"] == pytest.approx(by_u, rel=1e-6)


# --- a landscape that moves -------------------------------------------------------------------------------------------


@pytest.mark.optional
def test_threshold_of_a_rate_that_moves_the_saddle_too():
    """Effector influx that holds a tumour of 100; the same saddle, its movement included, and solved anew."""
    large = KUZNETSOV.replace(initial={"T": 100})

    def influx(**parameters):
        problem = large.replace(parameters=parameters)
        (found,) = thresholds(problem, "sigma", within=(0.14, 0.16), box={"E": (0, 20)}, kinds="change of fate")
        return found

    found = influx()
    assert found.value == pytest.approx(0.151813437823, abs=1e-10)
    slope = (influx(alpha=1.6362).value - influx(alpha=1.6358).value) / 4e-4
    assert found.derivatives["alpha"] == pytest.approx(slope, rel=1e-5)
    back = large.replace(parameters={"sigma": found.value})
    (residue,) = thresholds(back, "T(0)", within=(10, 300), box={"E": (0, 20)})
    assert residue.value == pytest.approx(100, rel=1e-9)
    slope = (held(100.1) - held(99.9)) / 0.2
    assert residue.derivatives["sigma"] == pytest.approx(1 / slope, rel=1e-5)


def held(T):
    """Effector influx that just holds a tumour of size T."""
    start = KUZNETSOV.replace(initial={"T": T})
    return thresholds(start, "sigma", within=(0.14, 0.16), box={"E": (0, 20)}, kinds="change of fate")[0].value


@pytest.mark.optional
def test_dose_that_turns_the_fate_lies_between_curative_and_fold_dose():
    at = Problem(LOOP).at_constant(B=10, e=0.6)
    (found,) = thresholds(at, "e", within=(0.6, 0.9), kinds="change of fate")
    assert found.value == pytest.approx(0.711108815223, abs=1e-9)
    assert 0.333893 < found.value < 0.779284
    saddle = steady_states(at.at_constant(B=10, e=found.value))[1]
    assert found.state["T"] == pytest.approx(saddle["T"], rel=1e-7)


@pytest.mark.optional
def test_a_state_that_ends_in_a_fold_changes_the_fate_too():
    """A tumour of 100 rests at 27.4 as soon as there is such a state: rho = 0.472875, the fold."""
    problem = Problem(LOOP).at_constant(e=0.6)
    (found,) = thresholds(problem, "rho", within=(0.4, 0.6), kinds="change of fate")
    (fold,) = thresholds(problem, "rho", within=(0.4, 0.6), kinds=("fold dose", "fold"))
    assert (found.mechanism, found.direction) == ("fold", "no tumour below, T = 35.3625 above")
    assert found.value == pytest.approx(fold.value, rel=1e-7)
    assert found.derivatives["kap"] == pytest.approx(fold.derivatives["kap"], rel=1e-9)


# --- no threshold, and refusals ---------------------------------------------------------------------------------------


def test_without_a_change_the_fate_at_both_ends_is_told():
    found = thresholds(blocked(), "days", within=(1, 20))
    assert not found
    assert found.status == "no change of fate in days from 1 to 20: T = 364.955 at both ends and at 17 points"
    with pytest.raises(ProblemError, match="no change of fate in days"):
        found["minimal duration"]


def test_durations_as_an_output_of_sweeps():
    """None in the range: -inf where less is enough, inf where more is needed; a residue the other way round."""
    problem = blocked()
    inside, below, above = (threshold("minimal duration", of="days", within=w) for w in ((35, 50), (60, 80), (5, 20)))
    found = sweep(problem, {"rho": [0.78, 0.8]}, inside, progress=False).values[:, 0]
    assert found[0] < found[1] == pytest.approx(41.9539430517, abs=1e-8)
    assert (below(problem), above(problem)) == (-math.inf, math.inf)
    local = sensitivity(problem, inside, vary=["r", "rho"])
    assert local.values[0] == pytest.approx([3.0984078580, 0.5512232158], rel=1e-6)
    assert "(exact)" in str(local)
    rest = Problem(LOOP).at_constant(e=0.6)
    assert threshold("residual disease", of="T0", within=(50, 80))(rest) == -math.inf
    assert threshold("residual disease", of="T0", within=(0.1, 1))(rest) == math.inf


@pytest.mark.parametrize(
    ("kinds", "text"),
    [("latest surgery", "gives 'minimal duration', not 'latest surgery'"), ("minimal durations", "did you mean")],
)
def test_refusal_of_kinds_that_cannot_be(kinds, text):
    with pytest.raises(ProblemError, match=text):
        thresholds(blocked(), "days", kinds=kinds)


def test_refusals():
    with pytest.raises(ProblemError, match="nothing in the treatment is repeated"):
        thresholds(blocked(), "cycles", within=(1, 5), kinds="minimal duration")
    courses = Treatment.intermittent({"e": 0.6}, on=10, off=4, cycles=3)
    with pytest.raises(ProblemError, match="whole numbers of 1 or more"):
        thresholds(Problem(LOOP, treatment=courses), "cycles", within=(0.5, 5))
    with pytest.raises(ProblemError, match="say where to look: box="):
        thresholds(Problem(oncogene_withdrawal()), "S(0)", within=(1, 10))
    with pytest.raises(ProblemError, match=r"none of .* is stable"):
        fate(Problem(sensitive_resistant()))  # S and R are equal without a drug: a continuum


@pytest.mark.optional
def test_points_without_a_fate_are_told():
    """Above e = 1 the declared box holds no steady state."""
    found = thresholds(Problem(LOOP).at_constant(B=10, e=0.6), "e", within=(0.8, 1.2), kinds="change of fate")
    assert not found
    assert any("the fate is undecided at 8 points from 1.025 to 1.2" in note for note in found.notes)
