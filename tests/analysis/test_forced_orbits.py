"""Forced orbits and pulsed thresholds against closed forms, two integrators and long runs of a small tumour."""

import pickle

import numpy as np
import pytest
import sympy as sp

from remission.analysis import (
    floquet_multipliers,
    forced_orbit,
    forced_orbits,
    plot,
    steady_states,
    thresholds,
)
from remission.analysis.cycles.periodic import repeating
from remission.analysis.plots import plot_multipliers
from remission.models import (
    Input,
    Model,
    Parameter,
    State,
    bolus_1cpt,
    clonal_relapse,
    kirschner_panetta,
    paracrine_loop,
    selective_kill,
    t,
)
from remission.models.errors import KeywordError, ProblemError
from remission.solvers import Problem, Treatment, solve

WEEKLY = Treatment.intermittent({"u": 1.0}, on=5, off=2)


def pulsed_linear(on=2.0, off=8.0, r=0.1, kap=0.7):
    x, u = State("x", 1.0, kind="tumour"), Input("u")
    r, kap = Parameter("r", r), Parameter("kap", kap)
    model = Model("pulsed", rates={x: r * x - kap * u * x})
    return Problem(model, treatment=Treatment.intermittent({u: 1.0}, on=on, off=off))


def test_linear_kill_has_the_exponential_of_the_integral():
    (multiplier,) = floquet_multipliers(pulsed_linear())
    assert multiplier == pytest.approx(np.exp(0.1 * 10 - 0.7 * 2), rel=1e-9)
    orbit = forced_orbit(pulsed_linear(), start="tumour-free")
    assert orbit.stable
    assert orbit.max("x") == 0.0
    assert forced_orbit(pulsed_linear(kap=0.3), start={"x": 0.0}).stability == "unstable"


@pytest.mark.parametrize("at", [0.0, 2.3])
def test_repeated_boluses_have_the_trough_of_the_closed_form(at):
    model = bolus_1cpt()
    problem = Problem(model, treatment=Treatment.bolus({"central": 10.0}, every=1.5, at=at))
    orbit, k = forced_orbit(problem), problem.parameters["CL"] / problem.parameters["V_c"]
    trough = 10.0 * np.exp(-k * 1.5) / (1 - np.exp(-k * 1.5))
    assert orbit.start["central"] == pytest.approx(trough, rel=1e-9) == orbit.min("central")
    assert orbit.max("central") == pytest.approx(trough + 10.0, rel=1e-9)
    assert orbit.mean("central") == pytest.approx(10.0 / (k * 1.5), rel=1e-9)
    assert orbit.multipliers[0] == pytest.approx(np.exp(-k * 1.5), rel=1e-9)
    assert orbit.t[0] == pytest.approx(at)
    assert orbit.period == 1.5


def test_infusions_have_the_mean_of_their_clearance():
    problem = Problem(bolus_1cpt(), treatment=Treatment.infusion({"central": 4.0}, duration=0.5, every=2.0, start=0.25))
    orbit, k = forced_orbit(problem), problem.parameters["CL"] / problem.parameters["V_c"]
    assert orbit.mean("central") == pytest.approx(4.0 * 0.5 / 2.0 / k, rel=1e-9)


def test_a_logistic_tumour_under_pulses_against_its_solution():
    """x' = x (r - r x/K - kap u): 1/x is linear, so the orbit is known between the switches."""
    problem = Problem(
        selective_kill(), parameters={"f_R": 0.0}, treatment=Treatment.intermittent({"u": 0.1}, on=5, off=2)
    )
    found = forced_orbits(problem, starts=[{"S": 0.8, "R": 0.0}])
    alone = next(o for o in found if o.max("R") == 0.0 and o.min("S") > 0)
    p = problem.parameters
    r, kill = p["r"], 0.1 * p["kill"]
    # y = 1/S: y' = r - (r - kill u) y
    on, off = np.exp(-(r - kill) * 5), np.exp(-r * 2)
    a, b = r / (r - kill), 1.0
    start = (a * (1 - on) * off + b * (1 - off)) / (1 - on * off)
    assert alone.start["S"] == pytest.approx(1 / start, rel=1e-8)
    assert alone.stability == "unstable"  # resistant cells come in
    assert alone.multipliers[1] == pytest.approx(on * off, rel=1e-8)


def test_orbits_of_the_paracrine_loop():
    """Chemotherapy 7 of 14 days: without tumour stable, a small unstable orbit, a large stable one (522.7)."""
    problem = Problem(paracrine_loop(), treatment=Treatment.intermittent({"e": 1.0}, on=7, off=7))
    found = forced_orbits(problem)
    assert [o.stability for o in found] == ["stable", "unstable", "stable"]
    assert found[0].max("T") == 0.0
    assert found[2].max("T") == pytest.approx(522.7, abs=0.1)
    assert found[2].mean("e") == pytest.approx(0.5, rel=1e-12)
    for orbit in found:  # one more period, by another method
        y0 = {name: max(value, 0.0) for name, value in orbit.start.items()}
        later = solve(orbit.problem.replace(initial=y0, rtol=1e-9), "LSODA")
        for name, value in orbit.start.items():
            assert later[name][-1] == pytest.approx(value, rel=1e-4, abs=1e-6)


def test_multipliers_are_slopes_of_the_period_map():
    problem = Problem(paracrine_loop(), treatment=Treatment.intermittent({"e": 1.0}, on=7, off=7))
    orbit = forced_orbits(problem)[2]
    ends = []
    for sign in (1, -1):  # a push along the slowest direction comes back multiplied
        start = {k: max(v, 0.0) for k, v in orbit.start.items()}
        start["T"] *= 1 + sign * 1e-3
        pushed = solve(orbit.problem.replace(initial=start, t_span=(0, 42), rtol=1e-11, atol=1e-12))
        ends.append(pushed.at([28.0, 42.0], "T"))
    gap = ends[0] - ends[1]
    assert gap[1] / gap[0] == pytest.approx(orbit.multipliers[0].real, rel=1e-2)


def test_where_a_treatment_starts_and_repeats():
    model = kirschner_panetta()
    both = Treatment.intermittent({"s1": 1.0}, on=3, off=4) + Treatment.intermittent({"s2": 1.0}, on=2, off=19, start=5)
    assert repeating(Problem(model, treatment=both)).period == pytest.approx(21)
    once = both + Treatment.constant({"s1": 1.0}, start=30)
    assert repeating(Problem(model, treatment=once)).start == pytest.approx(42)
    every = Parameter("every", 3.5)
    dosed = Treatment.bolus({"E": 1.0}, every=every) + Treatment.bolus({"I": 1.0}, every=1.4)
    assert repeating(Problem(model, treatment=dosed)).period == pytest.approx(7.0)
    assert repeating(Problem(model, treatment=both), period=42).period == pytest.approx(42)


def test_what_has_no_period_is_refused():
    model = kirschner_panetta()
    cases = (
        (Treatment.none(), "nothing is repeated"),
        (Treatment.intermittent({"s1": 1}, on=1, off=1, cycles=4), "ends after 4"),
        (Treatment.adaptive({"s1": 1}, of="T", pause_below=0.5, resume_above=1), "rules"),
        (Treatment.bolus({"E": 1}, every=1) + Treatment.bolus({"I": 1}, every=sp.sqrt(2)), "no common period"),
    )
    for treatment, words in cases:
        with pytest.raises(ProblemError, match=words):
            forced_orbit(Problem(model, treatment=treatment))
    with pytest.raises(ProblemError, match="no multiple"):
        forced_orbit(Problem(model, treatment=Treatment.bolus({"E": 1}, every=2)), period=3)
    with pytest.raises(ProblemError, match="names 'y'"):
        forced_orbit(pulsed_linear(), start={"y": 1})
    with pytest.raises(ProblemError, match="no periodic orbit"):
        forced_orbit(Problem(bolus_1cpt(), parameters={"CL": 0.0}, treatment=Treatment.bolus({"central": 1}, every=1)))
    with pytest.raises(KeywordError, match="start"):
        forced_orbit(pulsed_linear(), stert="settled")


def test_equations_with_their_own_season():
    """x' = -k x + 1 + cos(2 pi t / 7): the mean is 1/k; another period is refused."""
    x, k = State("x", 0.0, kind="other"), Parameter("k", 0.3)
    problem = Problem(Model("season", rates={x: -k * x + 1 + sp.cos(2 * sp.pi * t / 7)}))
    orbit = forced_orbit(problem, period=7)
    assert orbit.mean("x") == pytest.approx(1 / 0.3, rel=1e-8)
    w = 2 * np.pi / 7
    assert orbit.max("x") == pytest.approx(1 / 0.3 + 1 / np.hypot(0.3, w), rel=2e-3)
    with pytest.raises(ProblemError, match="do not repeat"):
        forced_orbit(problem, period=5)
    with pytest.raises(ProblemError, match="period="):
        forced_orbit(problem)


def test_results_print_pickle_and_draw():
    found = forced_orbits(Problem(selective_kill(), treatment=WEEKLY))
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again[0].multipliers, found[0].multipliers)
    assert "forced orbit of selective_kill, period 7 days" in str(found)
    assert {"t", "S", "R", "u"} <= set(found[-1].to_pandas().columns)
    assert plot(found[-1], names=["S", "R", "u"]).get_xlim()[1] == pytest.approx(14)
    assert plot_multipliers(found[-1]).get_legend_handles_labels()[1] == ["inside"]
    assert np.isnan(found[0].value)


# --- pulsed thresholds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("on", "off"), [(7, 14), (5, 2)])
def test_pulsed_curative_dose_of_clones_scales_with_the_duty_cycle(on, off):
    """M1: u_S and u_R under pulses are the constant ones divided by on / (on + off), exactly."""
    problem = Problem(
        clonal_relapse(), parameters={"kap_R": 0.1}, treatment=Treatment.intermittent({"u": 1}, on=on, off=off)
    )
    kinds = ("curative dose", "clone dose")
    pulsed, constant = thresholds(problem, "u"), thresholds(problem.at_constant(u=1.0), "u", kinds=kinds)
    assert [t.kind for t in pulsed] == [t.kind for t in constant] == ["clone dose", "curative dose"]
    for one, other in zip(pulsed, constant, strict=True):
        assert one.value == pytest.approx(other.value * (on + off) / on, rel=1e-12)
        assert one.found == "symbolic"
        assert one.mechanism == "multiplier"
        assert one.coefficients["mean level"] == pytest.approx(other.value, rel=1e-12)
        assert one.coefficients["ratio to spread evenly"] == pytest.approx(1.0, rel=1e-9)
        numbers = {s: problem.parameters[s.name] for s in one.formula.free_symbols}
        assert float(one.formula.subs(numbers)) == pytest.approx(one.value, rel=1e-12)
        for name, slope in other.derivatives.items():
            assert one.derivatives[name] == pytest.approx(slope * (on + off) / on, rel=1e-8, abs=1e-9)


def test_pulsed_duration_that_is_curative():
    on = Parameter("on", 3.0)
    problem = Problem(
        clonal_relapse(), parameters={"kap_R": 0.1}, treatment=Treatment.intermittent({"u": 2.0}, on=on, off=21 - on)
    )
    (found,) = thresholds(problem, "on", within=(0.5, 20.5), kinds="curative dose")
    assert found.value == pytest.approx(21 * 0.08 / (0.1 * 2.0), rel=1e-10)  # r_R / (kap_R u) of the period
    assert found.derivatives["r_R"] == pytest.approx(21 / (0.1 * 2.0), rel=1e-6)
    assert found.derivatives["u"] == pytest.approx(-found.value / 2.0, rel=1e-6)
    free = thresholds(problem.replace(parameters={"on": 4.0}), "u", kinds="curative dose")[0]
    assert free.derivatives["on"] == pytest.approx(-free.value / 4.0, rel=1e-6)


@pytest.fixture(scope="module")
def loop():
    """M3 with myeloid cells that the drug kills too: without tumour the protection swings with the doses."""
    treatment = Treatment.intermittent({"e": 1.0}, on=7, off=7) + Treatment.constant({"B": 30.0})
    return Problem(paracrine_loop(), parameters={"kM": 0.3, "m0": 0.3}, treatment=treatment)


def test_pulsed_threshold_of_the_loop_is_where_a_small_tumour_turns(loop):
    (found,) = thresholds(loop, "e", kinds="curative dose")
    assert found.found == "numerical"
    assert found.coefficients["part of the period"] == pytest.approx(0.5)
    free = forced_orbit(loop, start="tumour-free").start
    for factor, way in ((0.999, 1), (1.001, -1)):
        level = found.value * factor
        treatment = Treatment.intermittent({"e": level}, on=7, off=7) + Treatment.constant({"B": 30.0})
        start = {k: max(v, 0.0) for k, v in free.items()} | {"T": 1e-7}
        run = loop.replace(treatment=treatment, initial=start, t_span=(0, 14 * 120), rtol=1e-10, atol=1e-16)
        logs = np.log(solve(run, t_eval=14.0 * np.array([20, 120]))["T"])
        assert np.sign(logs[1] - logs[0]) == way
        slope = found.coefficients["growth slope"] * (level - found.value)
        assert (logs[1] - logs[0]) / 1400 == pytest.approx(slope, rel=2e-3)


def test_multiplier_at_the_threshold_is_one(loop):
    (found,) = thresholds(loop, "e", kinds="curative dose")
    treatment = Treatment.intermittent({"e": found.value}, on=7, off=7) + Treatment.constant({"B": 30.0})
    orbit = forced_orbit(loop.replace(treatment=treatment), start="tumour-free")
    assert orbit.multipliers[0] == pytest.approx(1.0, abs=1e-8)
    assert orbit.start["M"] == pytest.approx(found.state["M"], rel=1e-7)


@pytest.mark.parametrize("name", ["kM", "r", "m0"])
def test_derivatives_of_the_pulsed_threshold_are_its_differences(loop, name):
    (found,) = thresholds(loop, "e", kinds="curative dose")
    step = 1e-3 * loop.parameters[name]
    low, high = (
        thresholds(loop.replace(parameters={name: loop.parameters[name] + d}), "e", kinds="curative dose")[0].value
        for d in (-step, step)
    )
    assert found.derivatives[name] == pytest.approx((high - low) / (2 * step), rel=1e-4)


def test_clones_that_found_one_another_share_a_multiplier():
    """Two clones that switch into one another: the matrix of a period is a product of two exponentials."""
    from scipy.linalg import expm

    A, B = State("A", 1.0, kind="tumour"), State("B", 0.0, kind="tumour")
    u, a, b, kill = Input("u"), Parameter("a", 0.02), Parameter("b", 0.05), Parameter("kill", 0.3)
    model = Model("switching", rates={A: (0.1 - kill * u) * A - a * A + b * B, B: 0.03 * B + a * A - b * B})
    problem = Problem(model, treatment=Treatment.intermittent({u: 1.0}, on=4, off=3))
    found = thresholds(problem, "u", within=(0.0, 20.0))
    for one in found:
        on, off = (np.array([[0.1 - 0.3 * v - 0.02, 0.05], [0.02, 0.03 - 0.05]]) for v in (one.value, 0.0))
        largest = np.max(np.abs(np.linalg.eigvals(expm(3 * off) @ expm(4 * on))))
        assert largest == pytest.approx(1.0, abs=1e-9)
    (one,) = found
    assert one.clones == ("A", "B")
    assert one.formula is None
    step = 1e-4
    values = [
        thresholds(problem.replace(parameters={"a": 0.02 + d}), "u", within=(0.0, 20.0))[0].value for d in (step, -step)
    ]
    assert one.derivatives["a"] == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-4)
    assert one.coefficients["ratio to spread evenly"] != pytest.approx(1.0, rel=1e-3)


def test_an_input_held_at_zero_changes_nothing():
    dose = Parameter("dose", 0.5)
    pulses = Treatment.intermittent({"e": dose}, on=7, off=7)
    alone, beside = (
        thresholds(Problem(paracrine_loop(), treatment=t), of="dose", kinds="curative dose")[0].value
        for t in (pulses, pulses + Treatment.constant({"B": 0.0}))
    )
    assert beside == pytest.approx(alone, rel=1e-12)


def test_no_pulsed_threshold_is_said(loop):
    problem = Problem(clonal_relapse(), parameters={"kap_R": 0.0}, treatment=WEEKLY)
    found = thresholds(problem, "u", kinds="curative dose")
    assert len(found) == 0
    assert "mean rate lies between" in found.status
    surgery = Treatment.bolus({"S": 1.0}, every=7)
    with pytest.raises(ProblemError, match="itself"):
        thresholds(problem.replace(treatment=WEEKLY + surgery), "u", kinds="curative dose")


def test_the_orbit_without_tumour_is_the_steady_state_under_constant_doses(loop):
    """Off for no time: the forced orbit is the steady state of the constant dose."""
    always = loop.replace(treatment=Treatment.intermittent({"e": 0.5}, on=7, off=0) + Treatment.constant({"B": 30.0}))
    orbit = forced_orbit(always, start="tumour-free")
    rest = next(s for s in steady_states(loop.at_constant(e=0.5, B=30.0)) if s.values["T"] == 0)
    for name, value in rest.values.items():
        assert orbit.mean(name) == pytest.approx(value, rel=1e-7, abs=1e-9)
