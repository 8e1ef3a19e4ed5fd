"""Doses, infusions and state events where they are awkward, by every compiled method and every way into them."""

import numpy as np
import pytest
import sympy as sp

from remission.models import Input, Model, Parameter, State, t
from remission.solvers import Problem, Treatment, kernels, sample, solve
from remission.solvers.methods import COMPILED

pytest.importorskip("llvmlite")
pytestmark = pytest.mark.optional

ROUTES = [*COMPILED, "default", "sample", "ensemble"]
WITH_SCIPY = [*COMPILED, "LSODA", "DOP853"]  # what `events.py` does for all methods
RTOL = {"Rodas3": 1e-7}  # a method of low order is not asked for nine digits
LOOSE = {"Rodas3": 50}  # units of rtol; 20 for the others


def values(problem, route, times, names):
    """(n_times, n_names) by `solve` with a method, by `sample`, or as the members of an ensemble, all alike."""
    if route == "sample":
        found = sample(problem, times, names)
        assert found.success, found.message
        return found.values
    if route == "ensemble":
        vary = list(problem.parameters)[:1]
        found = kernels.ensemble(problem, vary, [[problem.parameters[v] for v in vary]] * 3, times, names)
        assert set(found.status) == {"done"}, found.messages
        np.testing.assert_array_equal(found.values[0], found.values[2])
        return found.values[1]
    found = solve(problem, None if route == "default" else route, t_eval=times).require()
    assert route in ("default", found.method)
    return np.column_stack([found[name] for name in names])


def allowed(route):
    return LOOSE.get(route, 20) * RTOL.get(route, 1e-9)


def decay(route, treatment, t_span=(0, 10), k=0.4):
    C = State("C", 2.0, kind="drug")
    rtol = RTOL.get(route, 1e-9)
    return Problem(Model("decay", rates={C: -Parameter("k", k) * C}), t_span, treatment=treatment, rtol=rtol, atol=rtol)


def dosed(times, doses, k=0.4):
    """Sum of exponentials; a dose at an output time is not in it yet."""
    times = np.asarray(times, float)
    total = 2.0 * np.exp(-k * times)
    for at, amount in doses:
        total += np.where(times > at, amount * np.exp(-k * (times - at)), 0.0)
    return total


TIMES = [0.0, 1.0, 2.0, 3.0, 4.5, 5.0, 9.0, 10.0]
DOSES = {
    "start": [(0.0, 1.0)],
    "end": [(10.0, 5.0)],
    "two at one instant": [(3.0, 1.0), (3.0, 0.5)],
    "output time": [(2.0, 3.0), (4.5, 1.0)],
    "start, output time and end": [(0.0, 1.0), (5.0, 1.0), (10.0, 1.0)],
    "a moment apart": [(3.0, 1.0), (3.0 + 1e-9, 1.0)],
    "outside": [(-1.0, 7.0), (11.0, 7.0)],
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("doses", DOSES)
def test_doses(doses, route):
    treatment = Treatment.none()
    for at, amount in DOSES[doses]:
        treatment = treatment + Treatment.bolus({"C": amount}, at=at)
    inside = [d for d in DOSES[doses] if 0 <= d[0] <= 10]
    found = values(decay(route, treatment), route, TIMES, ["C"])[:, 0]
    np.testing.assert_allclose(found, dosed(TIMES, inside), rtol=allowed(route))


@pytest.mark.parametrize("method", COMPILED)
def test_both_sides_of_a_dose(method):
    found = solve(decay(method, Treatment.bolus({"C": 1.0}, at=[0.0, 4.0, 10.0])), method)
    rtol = allowed(method)
    for at in (0.0, 4.0, 10.0):
        before = dosed([at], [(d, 1.0) for d in (0.0, 4.0)])[0]
        np.testing.assert_allclose(found.at(at, "C"), before, rtol=rtol)
        np.testing.assert_allclose(found.at(at, "C", side="right"), before + 1, rtol=rtol)
    assert [e.time for e in found.events] == [0.0, 4.0, 10.0]


@pytest.mark.parametrize("route", ROUTES)
def test_doses_after_a_start_that_is_not_zero(route):
    """The time runs from 1e4 on: moments are told apart by 1e-13 of it."""
    problem = decay(route, Treatment.bolus({"C": 1.0}, at=[1e4, 1e4 + 2]), t_span=(1e4, 1e4 + 10))
    times = np.array([0.0, 2.0, 3.0, 10.0])
    found = values(problem, route, 1e4 + times, ["C"])[:, 0]
    np.testing.assert_allclose(found, dosed(times, [(0.0, 1.0), (2.0, 1.0)]), rtol=100 * RTOL.get(route, 1e-9))


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("length", [1e-3, 1e-6, 1e-9])
def test_an_infusion_shorter_than_any_step(length, route):
    """One unit in all: the same as a dose, to the length of the infusion."""
    problem = decay(route, Treatment.infusion({"C": 1 / length}, start=4, duration=length))
    found = values(problem, route, [3.9, 4.0, 5.0, 10.0], ["C"])[:, 0]
    np.testing.assert_allclose(found, dosed([3.9, 4.0, 5.0, 10.0], [(4.0, 1.0)]), rtol=length + 2e-6)


@pytest.mark.parametrize("route", ROUTES)
def test_infusions_over_the_start_the_end_and_each_other(route):
    """From -1 to 1, from 2 to 4 and from 3 to 4, and from 9 on beyond the end: what is inside counts, rates add."""
    windows = [(-1, 2, 1.0), (2, 2, 2.0), (3, 1, 4.0), (9, 5, 8.0)]
    treatment = Treatment.none()
    for start, duration, rate in windows:
        treatment = treatment + Treatment.infusion({"C": rate}, start=start, duration=duration)
    times = np.array(TIMES)
    expected = dosed(times, [])
    for start, duration, rate in windows:
        begin, end = max(start, 0), np.minimum(start + duration, times)
        given = rate / 0.4 * (np.exp(-0.4 * (times - end)) - np.exp(-0.4 * (times - begin)))
        expected += np.where(times > begin, given, 0.0)
    found = values(decay(route, treatment), route, times, ["C"])[:, 0]
    np.testing.assert_allclose(found, expected, rtol=allowed(route))


@pytest.mark.parametrize("route", ROUTES)
def test_dose_surgery_and_level_at_one_instant(route):
    """At 5 a dose, the removal of half and a change of level: in the order in which they were given, then the level."""
    C, u = State("C", 2.0, kind="drug"), Input("u")
    model = Model("both", rates={C: -Parameter("k", 0.4) * C + u})
    treatment = Treatment.bolus({"C": 1.0}, at=5) + Treatment.surgery({"C": 0.5}, at=5)
    treatment = treatment + Treatment.constant({"u": 1.0}, start=5, end=8)
    rtol = RTOL.get(route, 1e-9)
    problem = Problem(model, (0, 10), treatment=treatment, rtol=rtol, atol=rtol)
    found = values(problem, route, [5.0, 6.0, 8.0], ["C", "u"])
    after = (2 * np.exp(-2) + 1) / 2

    def level(s):
        return after * np.exp(-0.4 * s) + (1 - np.exp(-0.4 * s)) / 0.4

    np.testing.assert_allclose(found[:, 0], [2 * np.exp(-2), level(1.0), level(3.0)], rtol=20 * rtol)
    assert found[:, 1].tolist() == [0.0, 1.0, 1.0]


@pytest.mark.parametrize("route", [*COMPILED, "sample"])
def test_one_state_no_parameter_and_an_unused_state(route):
    x, idle = State("x", 3.0), State("idle", 7.0)
    alone = Problem(Model("alone", rates={x: -x}), t_span=(0, 1), rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(values(alone, route, [0.0, 1.0], ["x"])[:, 0], [3.0, 3 / np.e], rtol=1e-6)
    both = Problem(Model("both", rates={x: -x, idle: 0}), t_span=(0, 1), rtol=1e-8, atol=1e-8)
    assert values(both, route, [0.0, 0.5, 1.0], ["idle"])[:, 0].tolist() == [7.0] * 3
    nothing = Problem(Model("nothing", rates={idle: 0}), t_span=(0, 1e6))
    assert values(nothing, route, [0.0, 1e6], ["idle"])[:, 0].tolist() == [7.0] * 2
    dosed_idle = nothing.replace(treatment=Treatment.bolus({"idle": 1.0}, at=10))
    assert values(dosed_idle, route, [10.0, 1e6], ["idle"])[:, 0].tolist() == [7.0, 8.0]


@pytest.mark.parametrize("route", ROUTES)
def test_output_times_may_repeat_and_stop_early(route):
    problem = decay(route, Treatment.bolus({"C": 1.0}, at=[2.0, 6.0]))
    times = [0.0, 0.0, 2.0, 2.0, 2.5]
    expected = dosed(times, [(2.0, 1.0)])
    np.testing.assert_allclose(values(problem, route, times, ["C"])[:, 0], expected, rtol=allowed(route))
    assert values(problem, route, [0.0], ["C"]).tolist() == [[2.0]]


# --- state events: rules go through solve ---------------------------------------------------------------------------


def path(expression, **more):
    """A model whose state A follows a given function of time, and B counts the days on which the rule gives u."""
    A = State("A", float(expression.subs(t, more.pop("start", 0))), positive=False)
    B = State("B", 0.0, positive=False)
    return Model("path", rates={A: sp.diff(expression, t), B: Input("u")})


def events(model, method, end, rule, rtol=1e-9, **more):
    problem = Problem(model, t_span=(0, end), treatment=rule, rtol=RTOL.get(method, rtol), atol=1e-10)
    found = solve(problem, method, **more).require()
    assert found.method == method
    return found


def switch(**more):
    return Treatment.switch_when({"u": 1}, of="A", **more)


@pytest.mark.parametrize("method", COMPILED)
def test_a_crossing_is_as_accurate_as_a_step(method):
    found = events(path(sp.exp(t / 5)), method, 60, switch(above=1e4))
    (event,) = found.events
    assert event.time == pytest.approx(5 * np.log(1e4), abs=1e-4 if method == "Rodas3" else 1e-6)
    assert found["B"][-1] == pytest.approx(60 - event.time, rel=1e-9)


@pytest.mark.parametrize("method", WITH_SCIPY)
@pytest.mark.parametrize(("level", "fires"), [(1e-3, False), (-1e-2, True)])
def test_a_graze_does_not_fire_and_a_crossing_near_the_top_does(level, fires, method):
    assert bool(events(path(-((t - 2) ** 2)), method, 4, switch(above=level)).events) == fires


@pytest.mark.parametrize("method", COMPILED)
def test_two_crossings_within_a_step(method):
    """A is the time, so a step is as long as it may be; the observable goes up and down inside it."""
    A, B, u = State("A", 0.0, positive=False), State("B", 0.0, positive=False), Input("u")
    model = Model("bump", rates={A: 1, B: u}, observables={"bump": sp.exp(-((A - 5) ** 2))})
    rule = Treatment.adaptive(
        {"u": 1}, of="bump", pause_below=0.3, resume_above=0.5, relative_to=None, on_at_start=False
    )
    found = events(model, method, 10, rule)
    exact = [5 - np.sqrt(np.log(2)), 5 + np.sqrt(-np.log(0.3))]
    np.testing.assert_allclose([e.time for e in found.events], exact, atol=1e-6)
    assert found["B"][-1] == pytest.approx(exact[1] - exact[0], abs=1e-6)


@pytest.mark.parametrize("method", WITH_SCIPY)
def test_a_value_on_the_threshold_at_the_start_does_not_fire(method):
    rising = path(1 + t)
    assert events(rising, method, 5, switch(above=1.0)).events == ()
    assert events(rising, method, 5, switch(below=1.0)).events == ()
    assert events(path(1 - t), method, 5, switch(above=1.0)).events == ()
    there = events(path(sp.cos(t)), method, 7, switch(above=1.0 - 1e-6))  # starts above, comes back near 2 pi
    assert [e.time for e in there.events] == [pytest.approx(2 * np.pi - np.sqrt(2e-6), abs=1e-4)]


@pytest.mark.parametrize("method", WITH_SCIPY)
def test_a_start_on_the_threshold_falls_and_comes_back(method):
    """A(0) = 1 is the threshold; A sinks and rises through 1 again at pi: one crossing."""
    (event,) = events(path(1 - sp.sin(t)), method, 6, switch(above=1.0)).events
    assert event.time == pytest.approx(np.pi, abs=1e-5)


@pytest.mark.parametrize("method", COMPILED)
def test_a_dose_over_the_threshold_switches_at_its_instant(method):
    rule = switch(above=10.0) + Treatment.bolus({"A": 50.0}, at=3)
    found = events(path(1 + t), method, 6, rule)
    assert [(e.kind, e.time) for e in found.events] == [("dose", 3.0), ("switch", 3.0)]
    assert found["B"][-1] == pytest.approx(3.0, rel=1e-9)


@pytest.mark.parametrize("method", COMPILED)
def test_a_crossing_at_the_instant_of_a_dose(method):
    """A reaches 4 at 3, when a dose into B is due: both happen once, the dose is not lost and not given twice."""
    for dose_at in (3.0, 3.0 - 1e-12, 3.0 + 1e-12):
        found = events(path(1 + t), method, 6, switch(above=4.0) + Treatment.bolus({"B": 100.0}, at=dose_at))
        assert sorted(e.kind for e in found.events) == ["dose", "switch"]
        np.testing.assert_allclose([e.time for e in found.events], 3.0, atol=1e-7)
        assert found["B"][-1] == pytest.approx(103.0, abs=1e-6)


@pytest.mark.parametrize("method", COMPILED)
def test_a_dose_that_ends_what_would_cross(method):
    """The dose at 2.9 takes A back; the crossing comes later by as much."""
    found = events(path(1 + t), method, 10, switch(above=4.0) + Treatment.bolus({"A": -2.0}, at=2.9))
    assert [e.kind for e in found.events] == ["dose", "switch"]
    assert found.events[1].time == pytest.approx(5.0, abs=1e-7)


@pytest.mark.parametrize("method", WITH_SCIPY)
def test_two_rules_at_one_instant(method):
    A, B, u, v = State("A", 0.0), State("B", 0.0), Input("u"), Input("v")
    model = Model("two", rates={A: 1 + 0 * u * v, B: u + v})
    rule = Treatment.switch_when({"u": 1}, of="A", above=2) + Treatment.switch_when({"v": 1}, of="A", above=2)
    found = events(model, method, 5, rule)
    np.testing.assert_allclose([e.time for e in found.events], [2, 2], atol=1e-8)
    assert found["B"][-1] == pytest.approx(6, abs=1e-6)


@pytest.mark.parametrize("method", COMPILED)
def test_many_switches_match_the_closed_form(method):
    """Growth and decay at one rate between 0.5 and 1: every phase lasts ln 2 / r."""
    A, u = State("A", 1.0), Input("u")
    model = Model("grower", rates={A: Parameter("r", 0.1) * (1 - 2 * u) * A})
    rule = Treatment.adaptive({"u": 1}, of="A", pause_below=0.5, resume_above=1.0, relative_to=None)
    found = events(model, method, 100, rule, rtol=1e-10)
    np.testing.assert_allclose([e.time for e in found.events], np.log(2) / 0.1 * np.arange(1, 15), rtol=1e-5)


@pytest.mark.parametrize("method", COMPILED)
def test_a_clone_below_one_cell_is_gone(method):
    N = State("N", 1e3, unit="1e6 cells", cells_per_unit=1e6)
    model = Model("dying", rates={N: -Parameter("d", 0.5, unit="1/day") * N})
    found = solve(Problem(model, t_span=(0, 60), extinction_gate=True), method, rtol=1e-8, atol=1e-11)
    (event,) = found.events
    assert (event.kind, found["N"][-1]) == ("gate", 0.0)
    assert event.time == pytest.approx(np.log(1e9) / 0.5, rel=1e-5)
