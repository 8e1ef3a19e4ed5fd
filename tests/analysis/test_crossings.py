"""Levels that outcomes pass, and the thresholds with a name of their own."""

import numpy as np
import pytest

from remission.analysis import (
    at_end,
    nadir,
    relapse_probability,
    rescue,
    sensitivity,
    sweep,
    thresholds,
    time_to_progression,
    time_to_relapse,
)
from remission.analysis.critical import crossing
from remission.models import (
    Parameter,
    clonal_relapse,
    karyotype_ladder,
    logistic_growth,
    oncogene_withdrawal,
    paracrine_loop,
    rescue_by_aneuploidy,
    sensitive_resistant,
)
from remission.models.errors import ProblemError
from remission.solvers import Problem, Treatment, solve

PROTOCOL = Treatment.switch_when({"u": 1}, of="at_risk", above=1e8, before={"cin": 1})
DAILY = Problem(sensitive_resistant(), t_span=(0, 900), treatment=Treatment.constant({"u": 1}))


# --- critical missegregation, three definitions -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("brake", "critical"), [(0, 3.594571547e-3), pytest.param(1, 3.722540463e-3, marks=pytest.mark.slow)]
)
def test_missegregation_at_which_half_of_the_animals_relapse(brake, critical):
    """The science file has 3.59457e-3; there m = 0.134148533. Derivatives against the closed scaling in f_r."""
    problem = Problem(oncogene_withdrawal(), t_span=(0, 500), treatment=PROTOCOL, parameters={"brake_R": brake})
    kinds = ("critical missegregation",)
    found = crossing.find(problem, "p_on", (3e-3, 5e-3), kinds, outcome=relapse_probability(), level=0.5, n=3)
    (found,) = found
    assert found.value == pytest.approx(critical, rel=1e-8)
    assert found.direction == "relapse probability rises above 0.5"
    assert found.coefficients["slope"] > 0
    # Lambda is proportional to f_r, so that P = 1/2 gives dP/df_r = ln 2 / (2 f_r)
    by_f_r = -np.log(2) / (2 * 2e-8) / found.coefficients["slope"]
    assert found.derivatives["f_r"] == pytest.approx(by_f_r, rel=1e-5)
    if brake == 0:
        assert 1 - (1 - found.value) ** 40 == pytest.approx(0.134148533, abs=1e-8)


def test_missegregation_at_which_therapy_growth_of_the_ladder_ends():
    problem = Problem(karyotype_ladder()).at_constant(u=1)
    (found,) = thresholds(problem, "beta", within=(1e-3, 0.2), kinds="critical missegregation")
    assert found.value == pytest.approx(0.0585267, abs=5e-8)
    assert "growth of the whole tumour" in found.conditions[0]


def test_error_thresholds_of_missegregation():
    """m = r/(2 b) = 0.2 for S, 0.904255 for A with 0.8 of abnormal daughters viable."""
    problem = Problem(oncogene_withdrawal()).at_constant(cin=1)
    found = thresholds(problem, "p_on", within=(1e-4, 0.2), kinds="critical missegregation")
    assert [t.coefficients["missegregation"] for t in found] == pytest.approx([0.2, 0.17 / (2 * 0.47 * 0.2)], rel=1e-12)
    assert all("error threshold, net growth of one clone" in t.conditions[0] for t in found)
    assert (
        "outcome= and level="
        in thresholds(problem, "p_on", within=(1e-4, 1e-3), kinds="critical missegregation").status
    )


# --- crossings --------------------------------------------------------------------------------------------------------


def test_crossing_of_a_closed_form():
    """Logistic growth passes a size on a day: K at which it is 1000 then, by the formula."""
    problem = Problem(logistic_growth(), t_span=(0, 60))
    p = problem.parameters
    V0, growth = problem.initial_values()["V"], np.exp(p["r"] * 60)
    level = 1000.0
    exact = level * V0 * (growth - 1) / (V0 * growth - level)
    (found,) = thresholds(problem, "K", within=(exact / 2, 2 * exact), outcome="V", level=level)
    assert found.value == pytest.approx(exact, rel=1e-8)
    assert found.conditions[1] == "derivatives by the outcome's exact gradient"
    by_r = -level * V0 * 60 * growth * (level - V0) / (V0 * growth - level) ** 2
    assert found.derivatives["r"] == pytest.approx(by_r, rel=1e-6)


def test_derivatives_of_a_crossing_are_those_of_crossings_solved_anew():
    def share(**parameters):
        problem = DAILY.replace(parameters=parameters)
        return thresholds(problem, "f_R", within=(1e-3, 0.1), outcome=time_to_progression(), level=365)[0]

    found = share()
    for name in ("r", "turnover", "n0"):
        value, h = DAILY.parameters[name], 1e-3 * DAILY.parameters[name]
        anew = (share(**{name: value + h}).value - share(**{name: value - h}).value) / (2 * h)
        assert found.derivatives[name] == pytest.approx(anew, rel=2e-4)
    assert "u" in found.derivatives  # the dose, a number in the treatment


def late_burden(solution):
    """An outcome of the user's own, with a top inside the range."""
    r = solution.problem.parameters["r"]
    return float(r * np.exp(-r * 40.0))


def test_all_crossings_of_an_outcome_that_rises_and_falls():
    """r exp(-40 r) has its top, 0.00920, at r = 1/40; the level 0.008 is passed twice."""
    found = thresholds(DAILY, "r", within=(0.005, 0.2), outcome=late_burden, level=0.008)
    assert [t.direction.split()[1] for t in found] == ["rises", "falls"]
    assert [late_of(t.value) for t in found] == pytest.approx([0.008, 0.008], rel=1e-9)
    assert "fourth order" in found[0].conditions[1]
    assert found.complete is False


def late_of(r):
    return r * np.exp(-40 * r)


def test_a_top_between_two_points_is_looked_for():
    top = late_of(1 / 40)
    found = thresholds(DAILY, "r", within=(0.005, 0.2), outcome=late_burden, level=top * (1 - 1e-5))
    assert len(found) == 2
    assert found[0].value < 1 / 40 < found[1].value
    none = thresholds(DAILY, "r", within=(0.005, 0.2), outcome=late_burden, level=top * 1.01)
    assert not none
    assert "stays below" in none.status


def test_a_crossing_at_a_point_of_the_scan_is_not_lost():
    """The root is the middle of the range, where a loose scan may see either side."""
    problem = Problem(logistic_growth(), t_span=(0, 60))
    (one,) = crossing.find(problem, "K", (1000, 4000), outcome="V", level=900.0)
    for rtol in (1e-3, 1e-4, 1e-5, 1e-6):
        within = (one.value / 2, 2 * one.value)
        (found,) = crossing.find(problem.replace(rtol=rtol), "K", within, outcome="V", level=900.0, n=9)
        assert found.value == pytest.approx(one.value, rel=1e-8)


def test_a_jump_is_told():
    """Above a turnover of 0.3999 the tumour never progresses within the span: 900 days, then never."""
    (found,) = thresholds(DAILY, "turnover", within=(0.3, 0.5), outcome=time_to_progression(), level=1e4)
    assert found.value == pytest.approx(0.39993575, abs=1e-7)
    assert "jumps here, from 900 to inf" in found.conditions[1]
    assert not found.derivatives


def test_initial_values_inputs_and_cycles_can_be_moved():
    day = Problem(paracrine_loop(), t_span=(0, 60))
    (start,) = thresholds(day.at_constant(e=0.6), "T(0)", within=(1, 1000), outcome="burden", level=100)
    moved = day.at_constant(e=0.6).replace(initial={"T": start.value}, rtol=1e-10)
    assert solve(moved).at(60, "T") == pytest.approx(100, rel=1e-7)
    (dose,) = thresholds(day.at_constant(e=0.6, B=10), "e", within=(0.1, 1), outcome=nadir("T"), level=50)
    assert nadir(solve(day.replace(rtol=1e-10).at_constant(e=dose.value, B=10)), of="T") == pytest.approx(50, rel=1e-7)
    courses = Treatment.intermittent({"e": 1}, on=4, off=3, cycles=1)
    (least,) = thresholds(day.replace(treatment=courses), "cycles", within=(1, 8), outcome="burden", level=700)
    assert least.value == 5
    assert least.direction == "burden at the end falls below 700"


def test_refusals_of_crossings():
    with pytest.raises(ProblemError, match="outcome= and level= go together"):
        thresholds(DAILY, "r", outcome="burden")
    with pytest.raises(ProblemError, match="no output"):
        thresholds(DAILY, "r", outcome=at_end("burdn"), level=1)
    with pytest.raises(ProblemError, match="level is a finite number"):
        thresholds(DAILY, "r", outcome="burden", level=np.nan)
    two = Treatment.constant({"u": 1}, end=30) + Treatment.constant({"u": 0.5}, start=60)
    with pytest.raises(ProblemError, match="has several levels in the treatment"):
        thresholds(DAILY.replace(treatment=two), "u", within=(0, 1), outcome="burden", level=0.6)


@pytest.mark.slow
def test_course_of_the_drug_against_unstable_cells():
    """M2b: 9.724 days at full level, or a level of 0.3596 for ever, bring the chance of relapse to 0.2."""
    days, v = Parameter("days", 10.0, unit="day"), Parameter("level", 1.0, unit="1")
    withdrawn = 118.77860099
    base = Problem(oncogene_withdrawal(unstable_drug=True), t_span=(0, 500), rtol=1e-9, atol=1e-10)
    course = PROTOCOL + Treatment.constant({"v": 1}, start=withdrawn, end=withdrawn + days)
    ever = PROTOCOL + Treatment.constant({"v": v}, start=withdrawn)
    for of, treatment, within, wanted in ((days, course, (8, 12), 9.72401233), (v, ever, (0.3, 0.45), 0.359606574)):
        asked = {"outcome": relapse_probability(), "level": 0.2, "n": 2, "kinds": "minimal duration"}
        (found,) = thresholds(base.replace(treatment=treatment), of, within=within, **asked)
        assert found.value == pytest.approx(wanted, rel=1e-5)
        assert found.direction == "relapse probability falls below 0.2"


# --- threshold size ---------------------------------------------------------------------------------------------------


def test_threshold_sizes_of_rescue():
    """N*_m = 4.0e7, N*_a = 4.449e6, and 1/p_s = 4.0329e6 of the branching process."""
    problem = Problem(rescue_by_aneuploidy())
    exact, by_aneuploidy, direct = thresholds(problem, kinds="threshold size")
    assert (exact.value, by_aneuploidy.value) == (pytest.approx(4.0329e6, rel=1e-5), pytest.approx(4.449e6, rel=1e-4))
    assert direct.value == pytest.approx(4.0e7, rel=1e-12)
    assert rescue(problem).probability(exact.value) == pytest.approx(1 - np.exp(-1), abs=1e-6)
    assert by_aneuploidy.value / direct.value == pytest.approx(0.111, abs=5e-4)
    assert (
        float(direct.formula.subs({s: problem.parameters[s.name] for s in direct.formula.free_symbols})) == direct.value
    )

    def size(mu_a):
        return rescue(problem.replace(parameters={"mu_a": mu_a})).exact

    h = 1e-6 * 0.09
    assert exact.derivatives["mu_a"] == pytest.approx((size(0.09 + h) - size(0.09 - h)) / (2 * h), rel=1e-6)
    with pytest.raises(ProblemError, match=r"rescue: .* has no parameter"):
        thresholds(DAILY, kinds="threshold size")


# --- time to relapse --------------------------------------------------------------------------------------------------

DRUG = Treatment.switch_when({"u": 1}, of="burden", above=1e8)


def relapse(days=400, **parameters):
    problem = Problem(clonal_relapse(), t_span=(0, days), treatment=DRUG, parameters=parameters, rtol=1e-10)
    return time_to_relapse(solve(problem), 1e7)


@pytest.mark.parametrize(
    ("parameters", "day"),
    [({}, 151.836717), ({"al": 1e-6}, 131.273), ({"al": 1e-5}, 104.876), ({"al": 1e-4}, 76.362)],
)
def test_time_to_relapse_after_therapy(parameters, day):
    """From one cell to 1e8 first: growth through 1e7 on the way up is no relapse."""
    found = relapse(**parameters)
    assert found.coefficients["since the last change of treatment"] == pytest.approx(day, abs=2e-3)
    assert found.value == pytest.approx(found.problem.t_span[0] + found.value)
    if not parameters:
        assert found.coefficients["nadir in cells"] == pytest.approx(1258.557068, rel=1e-7)
        assert found.coefficients["nadir time"] - 92.63022742 == pytest.approx(36.8841, abs=1e-3)


@pytest.mark.parametrize(("dose", "day"), [(0.5, 392.032066), (0.7, 1202.000003)])
def test_time_to_relapse_of_a_partly_resistant_tumour(dose, day):
    """kap_R = 0.1: relapse comes later with the dose, and never above 0.8."""
    start = {"S": 1e8 - 43.3322, "R": 43.3322}
    problem = Problem(
        clonal_relapse(), t_span=(0, 1500), parameters={"kap_R": 0.1}, initial=start, rtol=1e-10, atol=1e-9
    )
    assert time_to_relapse(solve(problem.at_constant(u=dose)), 1e7).value == pytest.approx(day, abs=5e-3)
    never = time_to_relapse(solve(problem.at_constant(u=0.81)), 1e7)
    assert never.value == np.inf
    assert "still falling at the end" in never.conditions[1]


def test_gradient_of_the_time_to_relapse():
    problem = Problem(clonal_relapse(), t_span=(0, 400), treatment=DRUG, rtol=1e-10)
    (found,) = thresholds(problem, kinds="time to relapse", level=1e7)
    for name in ("r_R", "nu", "kap_S"):
        value = problem.parameters[name]
        h = 1e-4 * value
        ends = [time_to_relapse(solve(problem.replace(parameters={name: value + s * h})), 1e7).value for s in (1, -1)]
        assert found.derivatives[name] == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-5)


def test_time_to_relapse_as_an_outcome():
    problem = Problem(clonal_relapse(), t_span=(0, 400), treatment=DRUG, rtol=1e-9)
    back = time_to_relapse(level=1e7)
    found = sweep(problem, {"al": [0, 1e-6, 1e-4]}, back, progress=False).values[:, 0]
    np.testing.assert_allclose(np.diff(found), np.diff([151.836717, 131.273, 76.362]), atol=5e-3)
    local = sensitivity(problem, back, vary=["r_R", "nu"])
    assert "(exact)" in str(local)
    wanted = time_to_relapse(problem, 1e7).elasticities
    assert local.values[0] == pytest.approx([wanted["r_R"], wanted["nu"]], rel=1e-6)
    (cross,) = thresholds(problem, "nu", within=(1e-8, 1e-6), outcome=back, level=230)
    assert time_to_relapse(problem.replace(parameters={"nu": cross.value}), 1e7).value == pytest.approx(230, abs=1e-5)


def test_no_relapse_is_infinite_and_says_why():
    late = relapse(days=200)
    assert late.value == np.inf
    assert late.conditions[0] == "burden is not back at 1e+07 by t = 200 day"
    assert not late.derivatives
    grown = time_to_relapse(solve(Problem(logistic_growth(), t_span=(0, 300))), 2000, of="V")
    assert grown.value == np.inf
    assert "does not shrink" in grown.conditions[0]


def test_relapse_from_below_one_cell_is_told():
    """Chemotherapy and blocker for 200 days leave 1e-8 cells, and the equations bring them back."""
    drugs = Treatment.constant({"e": 0.8, "B": 30}, start=0, end=200)
    problem = Problem(paracrine_loop(), t_span=(0, 900), treatment=drugs, rtol=1e-10)
    found = time_to_relapse(solve(problem), 100)
    assert np.isfinite(found.value)
    assert found.coefficients["nadir in cells"] < 1
    assert "below one cell" in found.conditions[1]


def test_a_tumour_that_stays_detected_is_detected_at_its_nadir():
    problem = Problem(paracrine_loop(), t_span=(0, 300), rtol=1e-9).at_constant(e=0.8)
    found = time_to_relapse(solve(problem), 50)
    assert found.value == pytest.approx(7.013183, abs=1e-4)
    assert "never falls below" in found.conditions[0]
    back = time_to_relapse(solve(problem), 80)  # from 100 down to 62.35 and up again
    assert back.value == pytest.approx(time_up(problem, 80), abs=1e-5)


def time_up(problem, level):
    from scipy.optimize import brentq

    solution = solve(problem)
    return brentq(lambda t: float(solution.at(t, "T")) - level, 7.1, 100, xtol=1e-10)


def test_level_of_detection_is_needed():
    with pytest.raises(ProblemError, match="needs level="):
        thresholds(DAILY, kinds="time to relapse")
    with pytest.raises(ProblemError, match="level, a size, is a number above 0"):
        time_to_relapse(solve(DAILY), -1)
    with pytest.raises(ProblemError, match="a Solution or a Problem"):
        time_to_relapse(3, 1)


def test_doses_of_surgery_are_seen_by_the_time_to_relapse():
    """A jump below the level, then growth: the nadir is the start of a segment."""
    cut = Parameter("cut", 0.99, unit="1")
    operated = Problem(logistic_growth(), t_span=(0, 400), treatment=Treatment.surgery({"V": cut}, at=200), rtol=1e-10)
    found = time_to_relapse(operated, 1000, of="V")
    p, V0 = operated.parameters, operated.initial_values()["V"]
    before = p["K"] / (1 + (p["K"] / V0 - 1) * np.exp(-200 * p["r"]))
    left = before * 0.01
    exact = 200 + np.log((p["K"] / left - 1) / (p["K"] / 1000 - 1)) / p["r"]
    assert found.value == pytest.approx(exact, rel=1e-7)
    assert found.coefficients["nadir"] == pytest.approx(left, rel=1e-7)
    by_cut = before * 1 / left**2 * p["K"] / (p["K"] / left - 1) / p["r"]
    assert found.derivatives["cut"] == pytest.approx(by_cut, rel=1e-5)
