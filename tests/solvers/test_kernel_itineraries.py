"""Schedules of many members at once are those of one problem at a time; so are default tolerances."""

import numpy as np
import pytest

from remission.models import Input, Model, Parameter, State
from remission.solvers import Problem, Treatment
from remission.solvers.kernels.itineraries import groups_of, member_atols, member_tolerances, start_values
from remission.solvers.kernels.itinerary import itinerary, kernel_tolerances

a, d, e, w = Parameter("a", 1.0), Parameter("d", 10.0), Parameter("e", 21.0), Parameter("w", 4.0)
n0 = Parameter("n0", 0.3)
S = State("S", n0, kind="tumour", cells_per_unit=1e9)
R = State("R", n0 / 100, kind="tumour", cells_per_unit=1e9)
C, E = State("C", 2 * n0, kind="signal"), State("E", 0.0, kind="signal", scale=5.0)
u = Input("u", 0.25)
MODEL = Model("four", rates={S: -u * S, R: 0.1 * R, C: S - C, E: C - E})
NAMES = ["a", "d", "e", "w", "n0"]
bolus, infusion = Treatment.bolus, Treatment.infusion
TREATMENTS = {
    "amounts": bolus({"E": a}, at=10) + bolus({"E": 2 * a - 1}, at=20) + Treatment.constant({"u": a}),
    "days": bolus({"E": a}, at=d) + bolus({"C": 1.0}, at=20),
    "every": bolus({"E": a}, every=e, times=5, lag=d),
    "endless": infusion({"C": a}, start=d - 12, duration=w, every=e),
    "overlapping": infusion({"C": a}, start=d - 12, duration=2 * w) + infusion({"C": 1}, start=d, duration=w),
    "levels": Treatment.intermittent({"u": a}, on=w, off=e) + Treatment.surgery({"S": a / 4}, at=d),
    "at the ends": bolus({"E": a}, at=100) + bolus({"E": a}, at=0) + bolus({"E": w}, at=d),
}


@pytest.mark.parametrize("name", TREATMENTS)
def test_each_member_has_the_schedule_of_its_own_problem(name):
    problem = Problem(MODEL, t_span=(0, 100), treatment=TREATMENTS[name])
    names = [n for n in NAMES if n in problem.system.parameters]
    rng = np.random.default_rng(1)
    columns = {"a": rng.uniform(0.5, 2, 40), "d": rng.uniform(-5, 30, 40), "e": rng.uniform(5, 60, 40),
               "w": rng.uniform(0, 8, 40), "n0": rng.uniform(0.1, 1, 40)}  # fmt: skip
    columns["d"][:6] = [0.0, 20.0, 100.0, 10.0, 20.0, 130.0]
    columns["w"][7:9] = [0.0, 4.0]
    table = np.column_stack([columns[n] for n in names])
    p = np.tile(problem.p, (40, 1))
    p[:, [problem.system.parameters.index(n) for n in names]] = table
    groups, refused = groups_of(problem, names, p)
    assert not refused
    assert sorted(m for g in groups for m in g.members) == list(range(40))
    assert len(groups) < 40
    for group in groups:
        for place, member in enumerate(group.members):
            alone = itinerary(problem.replace(parameters=dict(zip(names, table[member], strict=True))))
            times = group.changes.times if group.own_times is None else group.own_times[place]
            np.testing.assert_array_equal(times, alone.times)
            np.testing.assert_array_equal(group.changes.rows, alone.rows)
            assert group.changes.infused == alone.infused
            kept, amount = (x if x.ndim == 1 else x[place] for x in (group.kept, group.amount))
            np.testing.assert_allclose(kept, alone.kept, rtol=1e-15)
            np.testing.assert_allclose(amount, alone.amount, rtol=1e-14)
            np.testing.assert_allclose(group.start[place], alone.start, rtol=1e-15)


def test_treatments_that_cannot_be_are_refused_by_the_member():
    treatment = Treatment.infusion({"C": a}, start=d, duration=w, every=e)
    problem = Problem(MODEL, t_span=(0, 100), treatment=treatment)
    table = np.array(
        [[1.0, 0, 10, 2], [np.inf, 0, 10, 2], [1, 0, -3, 2], [1, 0, 10, -2], [1, 0, 1e-9, 2], [1, 5, 10, 2]]
    )
    p = np.tile(problem.p, (6, 1))
    p[:, [problem.system.parameters.index(n) for n in ("a", "d", "e", "w")]] = table
    groups, refused = groups_of(problem, ["a", "d", "e", "w"], p)
    assert sorted(m for g in groups for m in g.members) == [0, 5]
    for member, text in {1: "not finite", 2: "must be above 0", 3: "backwards", 4: "is the unit right"}.items():
        assert text in refused[member]


@pytest.mark.parametrize("atol", [None, 1e-7, {"C": 1e-5}, {"S": 1e-12}])
def test_default_tolerances_follow_each_member(atol):
    problem = Problem(MODEL, t_span=(0, 100), atol=atol)
    starts = np.array([[1.0], [1e-7], [0.3], [0.0]])
    p = np.tile(problem.p, (4, 1))
    p[:, [problem.system.parameters.index("n0")]] = starts
    y0 = start_values(problem.system, p)
    for tight in (False, True):
        rows = member_tolerances(problem, y0, tight)
        for value, own, row, y in zip(starts[:, 0], member_atols(problem, y0), rows, y0, strict=True):
            one = problem.replace(parameters={"n0": value})
            np.testing.assert_allclose(own, one.tolerances()[1], rtol=1e-14)
            np.testing.assert_array_equal(y, list(one.initial_values().values()))
            rtol, absolute, lowest, _ = kernel_tolerances(one, tight=tight)
            np.testing.assert_allclose(row, [rtol, *absolute, *lowest], rtol=1e-13)
