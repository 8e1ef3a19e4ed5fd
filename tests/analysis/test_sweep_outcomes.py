"""Every outcome of a sweep is the one of `solve`, whichever way its members go; courses; members that fail."""

import math

import numpy as np
import pytest

from remission.analysis import (
    at_end,
    doubling_time,
    nadir,
    nadir_time,
    plot,
    relapse_probability,
    sweep,
    time_to_progression,
)
from remission.analysis.chunks import chunk_size, way_of
from remission.models import Model, Parameter, ProblemError, State, sensitive_resistant
from remission.solvers import Problem, Treatment, solve

pytest.importorskip("llvmlite")
amount, day = Parameter("amount", 0.2), Parameter("day", 50.0)
TREATMENTS = {
    "none": Treatment.none(),
    "constant": Treatment.constant({"u": 1}),
    "pulses": Treatment.intermittent({"u": 1}, on=30, off=25),
    "surgery": Treatment.constant({"u": 0.8}) + Treatment.surgery({"S": 0.6, "R": 0.6}, at=100),
    "dose at both ends": Treatment.bolus({"R": 0.05}, at=0) + Treatment.bolus({"R": 0.4}, at=400),
    "infusion": Treatment.infusion({"R": 1e-3}, start=20, duration=30, every=60, times=3),
}
OUTCOMES = [
    at_end("burden"),
    nadir("burden"),
    nadir_time("burden"),
    time_to_progression(),
    time_to_progression(factor=2, since="nadir"),
    doubling_time("R"),
    doubling_time(between=(100, 300)),
    nadir("resistant_fraction"),
    time_to_progression(of="R", factor=3),
]


def table(n, seed=2):
    rng = np.random.default_rng(seed)
    return {"r": rng.uniform(0.02, 0.05, n), "f_R": 10 ** rng.uniform(-4, -1, n), "turnover": rng.uniform(0.1, 0.4, n)}


@pytest.mark.parametrize("treatment", TREATMENTS)
def test_outcomes_equal_those_of_solve(treatment):
    """The sweep at its own tolerance against LSODA at a tight one."""
    problem = Problem(sensitive_resistant(), t_span=(0, 400), treatment=TREATMENTS[treatment])
    assert way_of(problem, tuple(OUTCOMES)) == "steps"
    samples = table(6)
    found = sweep(problem, samples, OUTCOMES, progress=False)
    assert not found.failed.any()
    for i in (0, 3, 5):
        solution = solve(problem.replace(parameters={k: v[i] for k, v in samples.items()}, rtol=1e-10, atol=1e-14))
        expected = [outcome(solution) for outcome in OUTCOMES]
        np.testing.assert_allclose(found.values[i], expected, rtol=3e-5, err_msg=treatment)


def test_the_nadir_of_many_members_is_that_of_the_closed_form():
    """N = exp(-k t) + c exp(g t) is least where its slope is 0."""
    A, B = State("A", 1.0, kind="tumour"), State("B", 0.01, kind="tumour")
    k, g = Parameter("k", 0.2), Parameter("g", 0.05)
    problem = Problem(Model("two", rates={A: -k * A, B: g * B}, observables={"N": A + B}), t_span=(0, 60), rtol=1e-9)
    rng = np.random.default_rng(0)
    ks, gs = rng.uniform(0.1, 0.4, 150), rng.uniform(0.03, 0.08, 150)
    found = sweep(problem, {"k": ks, "g": gs}, [nadir("N"), nadir_time("N")], progress=False)
    times = np.log(ks / (0.01 * gs)) / (ks + gs)
    np.testing.assert_allclose(found.values[:, 0], np.exp(-ks * times) + 0.01 * np.exp(gs * times), rtol=1e-7)
    np.testing.assert_allclose(found.values[:, 1], times, rtol=1e-3)


def test_lanes_and_steps_agree_and_the_way_is_chosen_by_the_question():
    problem = Problem(sensitive_resistant(), t_span=(0, 400), treatment=TREATMENTS["pulses"])
    assert way_of(problem, (at_end("burden"), doubling_time("R"))) == "lanes"
    assert way_of(problem, (at_end("burden"), doubling_time("R", between=(0, 400)))) == "lanes"
    assert way_of(problem, (at_end("burden"), nadir("R"))) == "steps"
    assert way_of(problem.replace(treatment=Treatment.none()), (relapse_probability(),)) == "solve"
    rule = Treatment.adaptive({"u": 1}, of="burden", pause_below=0.5, resume_above=1.0, relative_to="start")
    assert way_of(problem.replace(treatment=rule), (at_end("burden"),)) == "solve"
    lanes = sweep(problem, table(30), ["burden", doubling_time("R")], progress=False)
    steps = sweep(problem, table(30), ["burden", doubling_time("R"), nadir("R")], progress=False)
    np.testing.assert_allclose(lanes.values, steps.values[:, :2], rtol=3e-5)


def test_a_varied_treatment_by_every_way():
    """Amounts and times of doses are parameters: neither way builds a problem a member, both give `solve`'s numbers."""
    treatment = Treatment.bolus({"R": amount}, at=day) + Treatment.intermittent({"u": amount}, on=day / 2, off=20)
    problem = Problem(sensitive_resistant(), t_span=(0, 300), treatment=treatment)
    rng = np.random.default_rng(4)
    samples = {"amount": rng.uniform(0.1, 0.3, 12), "day": rng.choice([40.0, 55.0, 70.5], 12)}
    outcomes = [at_end("burden"), nadir("burden"), time_to_progression(of="R", factor=5)]
    found = sweep(problem, samples, outcomes, progress=False)
    ends = sweep(problem, samples, "burden", progress=False)
    np.testing.assert_allclose(ends["burden"], found["burden"], rtol=3e-5)
    for i in range(0, 12, 4):
        solution = solve(problem.replace(parameters={k: v[i] for k, v in samples.items()}, rtol=1e-10, atol=1e-14))
        np.testing.assert_allclose(found.values[i], [o(solution) for o in outcomes], rtol=3e-5)


def test_members_that_start_small_keep_their_own_tolerance():
    """A signal without a scale, 1e4 times smaller than the problem's own: its default tolerance follows it."""
    c0, k, g = Parameter("c0", 1.0), Parameter("k", 0.5), Parameter("g", 0.03)
    C, D = State("C", c0, kind="signal"), State("D", 0.0, kind="signal")
    problem = Problem(Model("signal", rates={C: -k * C, D: k * C - g * D}), t_span=(0, 40))
    sizes = np.array([1.0, 1e-4, 1e-2, 1e-3])
    exact = sizes * np.exp(-0.5 * 40)
    for outputs in ("C", ["C", nadir("C")]):
        found = sweep(problem, {"c0": sizes}, outputs, progress=False)["C"]
        assert (np.abs(found - exact) < 1e-7 * sizes).all()


def test_courses():
    """Values over times, as `solve` has them, with a rule and without; before a dose at its time."""
    times = [0, 60, 100, 400]
    problem = Problem(sensitive_resistant(), t_span=(0, 400), treatment=TREATMENTS["surgery"])
    rule = Treatment.adaptive({"u": 1}, of="burden", pause_below=0.5, resume_above=1.0, relative_to="start")
    for one in (problem, problem.replace(treatment=rule)):
        found = sweep(one, table(3), ["burden", "S"], times=times, progress=False)
        assert found.values.shape == (3, 4, 2)
        assert found.outputs == ("burden", "S")
        np.testing.assert_array_equal(found["S"], found.values[:, :, 1])
        for i in range(3):
            member = one.replace(parameters={k: v[i] for k, v in table(3).items()}, rtol=1e-9)
            solution = solve(member, t_eval=times)
            np.testing.assert_allclose(found["burden"][i], solution["burden"], rtol=1e-4)
    assert "at 4 times, 0 to 400" in str(found)
    assert found.to_pandas()["S at 60"].shape == (3,)
    ax = plot(found, output="S")
    assert ax.get_xlabel() == "time (days)"
    assert len(ax.collections) == 1


def test_courses_are_refused_where_they_make_no_sense():
    problem = Problem(sensitive_resistant(), t_span=(0, 400))
    with pytest.raises(ProblemError, match="times= is for names"):
        sweep(problem, table(3), [nadir("burden")], times=[1, 2])
    with pytest.raises(ProblemError, match="outside the problem's t_span"):
        sweep(problem, table(3), "burden", times=[1, 500])


def explosive():
    """N' = r N^2 reaches infinity at t = 1 / r."""
    N, r = State("N", 1.0), Parameter("r", 0.01)
    return Problem(Model("explosive", rates={N: r * N**2}), t_span=(0, 50), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("outputs", ["N", ["N", nadir("N")]])
def test_members_that_fail_are_marked_and_disturb_nobody(outputs):
    rates = np.array([0.001, 0.01, 0.1, 0.002, 0.019, np.nan, 0.005, 0.003, 0.004, 1e300])
    found = sweep(explosive(), {"r": rates}, outputs, progress=False)
    good = np.array([0, 1, 3, 4, 6, 7, 8])
    assert np.flatnonzero(found.failed).tolist() == [2, 5, 9]
    assert found.status[5] == "refused"
    np.testing.assert_allclose(found["N"][good], 1 / (1 - rates[good] * 50), rtol=1e-5)
    assert np.isnan(found.values[[2, 5, 9]]).all()
    assert all(found.messages[i] for i in (2, 5, 9))
    if outputs == "N":  # solved again alone: nobody else was
        assert np.flatnonzero(found.again).tolist() == [2, 9]
        assert "solved a second time: 2" in str(found)
    courses = sweep(explosive(), {"r": rates}, "N", times=[5, 50], progress=False)
    assert courses["N"][2].tolist() == [pytest.approx(2.0, rel=1e-5), pytest.approx(math.nan, nan_ok=True)]


def test_threads_do_not_let_warnings_through(recwarn):
    """Many members that blow up at once, each solved again by `solve`, which warns."""
    found = sweep(explosive(), {"r": np.linspace(0.03, 0.5, 48)}, ["N", nadir("N")], workers=4, progress=False)
    assert found.failed.all()
    assert not [w for w in recwarn if "explosive" in str(w.message)]


def test_a_question_without_meaning_is_refused_by_the_member():
    problem = Problem(sensitive_resistant(), t_span=(0, 100))
    found = sweep(problem, {"n0": [0.0, 0.2]}, time_to_progression(), progress=False)
    assert found.status == ("refused", "done")
    assert "growth by a factor of nothing" in found.messages[0]


def test_workers_change_nothing_by_any_way():
    problem = Problem(sensitive_resistant(), t_span=(0, 200), treatment=TREATMENTS["pulses"])
    samples = table(300)
    for outputs, more in (("burden", {}), ([nadir("burden")], {}), (["R", "S"], {"times": [50, 200]})):
        one = sweep(problem, samples, outputs, workers=1, progress=False, **more)
        for workers in (2, 5, map, None):
            other = sweep(problem, samples, outputs, workers=workers, progress=False, **more)
            np.testing.assert_array_equal(one.values, other.values)


def test_chunks_are_a_function_of_the_number_of_members():
    assert [chunk_size(n, "lanes") for n in (1, 100, 2000, 10**6)] == [64, 64, 128, 4096]
    assert chunk_size(10**6, "lanes", width=1000) == 1048 // 8 * 8
    assert chunk_size(None, "steps") == 512
    assert [chunk_size(n, "solve") for n in (3, 100, 10**4)] == [1, 7, 32]
