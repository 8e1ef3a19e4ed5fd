"""M2 and M3 of the science file through the public calls: protocol, relapse, trajectories, rest points.

The numbers of M2 were computed twice, by explicit and by implicit methods at 1e-9 to 1e-12. Those of relapse come in
two sets: without crowding of the resistant families (`brake_R = 0`), and with it (`brake_R = 1`, the default).
"""

import numpy as np
import pytest

from remission.analysis import expected_lineages, relapse_free_survival, relapse_probability, steady_states
from remission.models import oncogene_withdrawal, paracrine_loop
from remission.solvers import Problem, Treatment, sample, solve

LOW, HIGH = 2.5e-4, 2.5e-3
PROTOCOL = Treatment.switch_when({"u": 1}, of="at_risk", above=1e8, before={"cin": 1})


def withdrawal(p_on, brake, days=500):
    problem = Problem(oncogene_withdrawal(), t_span=(0, days), treatment=PROTOCOL, rtol=1e-10, atol=1e-11)
    return problem.replace(parameters={"p_on": p_on, "brake_R": brake})


def switch_of(solution):
    (event,) = solution.events
    return event


# --- M2 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("p_on", "T1", "aneuploid", "left"),
    [
        (LOW, 96.03216908, 0.244501630, (0.3653460884, 1.622932e-4)),
        (HIGH, 118.77860099, 0.997803870, (0.4532360305, 4.889123e-4)),
    ],
)
def test_regression_after_withdrawal(p_on, T1, aneuploid, left):
    solution = solve(withdrawal(p_on, 1, 150))
    event = switch_of(solution)
    S, A, _ = event.values
    assert event.time == pytest.approx(T1, abs=2e-6)
    assert pytest.approx(aneuploid, rel=1e-7) == A / (S + A)
    days = solution.at(event.time + np.array([3.0, 30.0]), "at_risk") / 1e8
    np.testing.assert_allclose(days, left, rtol=1e-6)


@pytest.mark.parametrize(
    ("p_on", "brake", "R"), [(LOW, 1, 0.47529075), (HIGH, 1, 18.0597582), (LOW, 0, 0.50864), (HIGH, 0, 19.91360)]
)
def test_expected_resistant_cells_at_withdrawal(p_on, brake, R):
    assert switch_of(solve(withdrawal(p_on, brake, 130))).values[2] == pytest.approx(R, rel=2e-6)


@pytest.mark.parametrize(
    ("p_on", "brake", "parts", "probability"),
    [
        (LOW, 0, (0.0375866134, 0.0158480045), 0.05203208),
        (HIGH, 0, (0.4501004874, 0.0191582346), 0.37453426),
        (LOW, 1, (0.0362697662, 0.0156372653), 0.05058287),
        (HIGH, 1, (0.4327773985, 0.0188517407), 0.36340979),
    ],
)
def test_lineages_by_phase(p_on, brake, parts, probability):
    found = expected_lineages(solve(withdrawal(p_on, brake)))
    np.testing.assert_allclose(found.by_phase, parts, rtol=1e-7)
    assert found.relapse_probability == pytest.approx(probability, abs=2e-8)
    assert found.neglected < 1e-12


@pytest.mark.parametrize(
    ("p_on", "free", "braked"),
    [
        (1e-4, 0.02948133, 0.02880244),
        (5e-4, 0.09030744, 0.08753141),
        (1e-3, 0.16762113, 0.16220065),
        (5e-3, 0.63478144, 0.62050260),
        (7e-3, 0.77979436, None),
        (1e-2, 0.91172124, 0.90314689),
        (1.5e-2, 0.98896907, None),
        (2e-2, 0.99952033, 0.99936170),
        (3e-2, 0.9999999993, None),
    ],
)
def test_relapse_probability_against_missegregation(p_on, free, braked):
    for brake, wanted in ((0, free), (1, braked)):
        if wanted is not None:
            assert relapse_probability(solve(withdrawal(p_on, brake))) == pytest.approx(wanted, abs=2e-8)


@pytest.mark.parametrize(("brake", "critical"), [(0, 3.594571547e-3), (1, 3.722540463e-3)])
def test_critical_missegregation(brake, critical):
    """Half of the animals relapse; there m = 1 - (1 - p)^40 is 0.134148533 without crowding."""
    from scipy.optimize import brentq

    def excess(p_on):
        return relapse_probability(solve(withdrawal(p_on, brake))) - 0.5

    found = brentq(excess, 3e-3, 4.5e-3, xtol=1e-11)
    assert found == pytest.approx(critical, rel=1e-7)
    if brake == 0:
        assert 1 - (1 - found) ** 40 == pytest.approx(0.134148533, abs=1e-8)


@pytest.mark.parametrize(
    ("brake", "relapsed"),
    [
        (0, (3.53165e-4, 0.02095762, 0.32701540, 0.37359412)),
        (1, (2.99462e-4, 0.01800357, 0.31463329, 0.36244159)),
    ],
)
def test_relapsed_by_day(brake, relapsed):
    solution = solve(withdrawal(HIGH, brake, 520))
    days = switch_of(solution).time + np.array([100, 150, 200, 250])
    np.testing.assert_allclose(1 - relapse_free_survival(solution, days, 1e7), relapsed, rtol=3e-6)


def test_survival_falls_to_the_cure_fraction():
    solution = solve(withdrawal(HIGH, 1, 700))
    days = np.linspace(0, 700, 30)
    survival = relapse_free_survival(solution, days)
    assert np.all(np.diff(survival) <= 1e-12)
    assert survival[-1] == pytest.approx(expected_lineages(solution).cure_fraction, abs=1e-8)


def test_counting_resistant_cells_as_tumour_hides_relapse():
    """The trap: with the stop on S + A + R, P seems to fall from 0.9995 to 0.204 at p = 2e-2.

    The published number takes the stop from the run with crowding of R, and the families without it.
    """
    wrong = Treatment.switch_when({"u": 1}, of="burden", above=1e8, before={"cin": 1})
    early = switch_of(solve(withdrawal(2e-2, 1, 600).replace(treatment=wrong))).time
    same_time = Treatment.constant({"cin": 1}, end=early) + Treatment.constant({"u": 1}, start=early)
    solution = solve(withdrawal(2e-2, 0, 700).replace(treatment=same_time))
    assert relapse_probability(solution) == pytest.approx(0.2039365, abs=1e-6)


@pytest.mark.parametrize(("name", "threshold"), [("S", 0.3455), ("A", 0.400), ("R", 2.14)])
def test_withdrawal_thresholds(name, threshold):
    """Net growth of an empty tumour changes sign at u_S, u_A, u_R (p = 2.5e-4)."""
    problem = Problem(oncogene_withdrawal())
    row = problem.system.states.index(name)

    def growth(u):
        return problem.system.jac(0.0, np.zeros(3), problem.p, [0.0, u])[row, row]

    exact = growth(0.0) / (growth(0.0) - growth(1.0))
    assert exact == pytest.approx(threshold, rel=2e-3)


# --- M3 ---------------------------------------------------------------------------------------------------------------

EQUILIBRIA = {
    (0, 0): "799.345518",
    (0.2, 0): "654.911903",
    (0.4, 0): "0.943108 510.214112",
    (0.6, 0): "2.739069 364.955328",
    (0.8, 0): "5.967114 217.981522",
    (1.0, 0): "30.983629 49.140247",
    (0.6, 10): "33.629394 330.872684",
    (0.8, 10): "",
    (0, 30): "779.218153",
    (0.5, 30): "73.031374 350.086282",
    (0.6, 30): "",
    (0, 1e9): "666.932909",
    (0.3, 1e9): "67.699682",
}


@pytest.mark.parametrize(("e", "B"), list(EQUILIBRIA))
def test_rest_points_of_the_loop(e, B):
    """One tumour state is stable; of two the smaller is the threshold; tumour-free is stable above e = 0.3339."""
    found = steady_states(Problem(paracrine_loop()).at_constant(e=e, B=B), n_starts=120)
    sizes = [float(v) for v in EQUILIBRIA[e, B].split()]
    np.testing.assert_allclose([s["T"] for s in found], [0.0, *sizes], atol=6e-7)
    wanted = ["stable" if e > 0.333893 else "unstable", *(["stable"] if len(sizes) == 1 else ["unstable", "stable"])]
    assert [s.stability for s in found] == wanted[: len(found)]
    assert not any(s.family for s in found)


def test_eigenvalues_of_the_loop():
    found = steady_states(Problem(paracrine_loop()).at_constant(e=0.6))
    wanted = [
        (-0.07973003, -0.25, -1, -1.44, -20),
        (0.03524931, -0.31412805, -0.95235173, -1.45918038, -20),
        (-0.05410267, -0.25094145, -0.99947256, -1.44022662, -20),
    ]
    for state, eigenvalues in zip(found, wanted, strict=True):
        np.testing.assert_allclose(state.eigenvalues.real, eigenvalues, atol=6e-9)
        assert np.all(state.eigenvalues.imag == 0)


def test_transcritical_dose_of_the_loop():
    """At e_c the tumour-free state has a zero eigenvalue and is called undecided."""
    from scipy.optimize import brentq

    problem = Problem(paracrine_loop())

    def growth(e):
        y = np.array([0, e, 0, 0.02, 0.04])
        return problem.system.jac(0.0, y, problem.p, [0.0, e])[0, 0]

    e_c = brentq(growth, 0.2, 0.5, xtol=1e-15)
    assert e_c == pytest.approx(0.33389315, abs=1e-8)
    free = steady_states(problem.at_constant(e=e_c))[0]
    assert free["T"] == 0
    assert free.stability == "undecided"


@pytest.mark.parametrize(
    ("e", "B", "sizes"),
    [
        (0, 0, (326.689302, 658.308232, 794.644597, 799.341916, 799.345518)),
        (0, 30, (294.080543, 601.889446, 770.851579, 779.206836, 779.218153)),
        (0.6, 0, (103.294934, 173.975283, 299.414729, 361.864553, 364.955144)),
        (0.6, 10, (77.962993, 105.059877, 185.530600, 309.394329, 330.861409)),
        (0.6, 30, (51.808899, 30.886752, 5.065443, 0.0442340, 2.589e-8)),
        (0.8, 10, (44.802763, 31.601410, 6.224667, 0.00204364, 2.3e-14)),
    ],
)
def test_runs_of_the_loop(e, B, sizes):
    problem = Problem(paracrine_loop(), t_span=(0, 300), rtol=1e-10, atol=1e-13).at_constant(e=e, B=B)
    found = sample(problem, [14, 30, 60, 120, 300], ["T"]).values[:, 0]
    np.testing.assert_allclose(found, sizes, rtol=1e-6, atol=1e-11)


def test_response_then_relapse_of_the_loop():
    from remission.analysis import nadir, nadir_time, time_to_progression

    problem = Problem(paracrine_loop(), t_span=(0, 300), rtol=1e-10, atol=1e-12).at_constant(e=0.8)
    solution = solve(problem)
    assert nadir(solution) == pytest.approx(62.348555, abs=1e-6)
    assert nadir_time(solution) == pytest.approx(7.013183, abs=1e-4)
    back = time_to_progression(solution, factor=1 + 1e-12)
    assert back == pytest.approx(35.702973, abs=1e-5)
    assert solution.at(300, "T") == pytest.approx(217.918387, abs=1e-5)


def test_pulsed_chemotherapy_with_and_without_blocker():
    """e = 1 on days 0 to 7 of every 14: relapse alone, clearance with B = 30, at day 224."""
    pulses = Treatment.intermittent({"e": 1}, on=7, off=7)
    problem = Problem(paracrine_loop(), t_span=(0, 224), treatment=pulses, rtol=1e-10, atol=1e-13)
    both = problem.replace(treatment=pulses + Treatment.constant({"B": 30}))
    assert sample(problem, [224], ["T"]).values[0, 0] == pytest.approx(522.652518, rel=1e-7)
    assert sample(both, [224], ["T"]).values[0, 0] == pytest.approx(0.00339671, rel=1e-5)


@pytest.mark.parametrize(
    ("signals", "threshold"),
    [("untreated", 3.33937705), ("none", 4.12438415)],
)
def test_separatrix_of_the_loop(signals, threshold):
    """Tumours at e = 0.6 above 3.34 (signals at rest with it) or 4.12 (no signals yet) relapse, smaller ones clear."""
    problem = Problem(paracrine_loop(), t_span=(0, 600), rtol=1e-9).at_constant(e=0.6)

    def fate(T0):
        X = T0 / 10 if signals == "untreated" else 0.0
        M = 0.02 + 0.98 * X / (1 + X)
        start = {"T": T0, "X": X, "M": M, "P": M / 0.5}
        return sample(problem.replace(initial=start), [600], ["T"]).values[0, 0]

    assert fate(threshold * 0.9999) < 1
    assert fate(threshold * 1.0001) > 10


def test_blockade_has_to_last_until_the_separatrix():
    """B = 100 with e = 0.6: 41.953943 days are enough; the tumour is 3.913761 then."""

    def after(days):
        treatment = Treatment.constant({"e": 0.6}) + Treatment.constant({"B": 100}, end=days)
        problem = Problem(paracrine_loop(), t_span=(0, 900), treatment=treatment, rtol=1e-10, atol=1e-12)
        return sample(problem, [days, 900], ["T"]).values[:, 0]

    short, enough = after(41.953943 - 2e-4), after(41.953943 + 2e-4)
    assert enough[0] == pytest.approx(3.913761, abs=1e-4)
    assert short[1] > 10
    assert enough[1] < 1
