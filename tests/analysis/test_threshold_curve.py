"""Thresholds over a second parameter: against reference digits, closed forms, and steady states beside the curve."""

import pickle

import numpy as np
import pytest

from remission.analysis import combination_index, plot, steady_states, threshold_curve, thresholds
from remission.analysis.critical.curve_track import track
from remission.analysis.critical.moved import moved_of
from remission.models import (
    Input,
    Model,
    Parameter,
    State,
    clonal_relapse,
    kuznetsov,
    paracrine_loop,
    sensitive_resistant,
)
from remission.models.errors import KeywordError, ProblemError
from remission.solvers import Problem, Treatment

KUZNETSOV = {"E": (0, 50), "T": (0, 1000)}


@pytest.fixture(scope="module")
def blockade():
    return threshold_curve(Problem(paracrine_loop()), "B", "e", (0.0, 1.0), within=(0.0, 150.0))


@pytest.fixture(scope="module")
def dormancy():
    problem = Problem(kuznetsov(scaled=True))
    return threshold_curve(problem, "sigma", "delta", (0.0, 2.0), within=(0.0, 2.0), box=KUZNETSOV)


@pytest.mark.parametrize(
    ("e", "critical"),
    [(0.4, 80.0107676), (0.5, 49.0007314), (0.6, 29.8613657), (0.8, 8.51091639), (1.0, 0.0542471354)],
)
def test_critical_blockade_of_the_paracrine_loop(blockade, e, critical):
    (found,) = blockade.at(e, "critical blockade")
    assert found.value == pytest.approx(critical, rel=2e-9)
    assert found.problem.inputs()["e"] == e


def test_what_at_gives_is_solved_again_and_moves_as_its_derivative_says(blockade):
    low, here, high = (float(blockade.at(e)["critical blockade"]) for e in (0.599, 0.6, 0.601))
    (again,) = thresholds(Problem(paracrine_loop()).at_constant(e=0.6), "B", within=(0, 150), kinds="critical blockade")
    assert here == pytest.approx(again.value, rel=1e-12)
    slope = blockade.at(0.6)["critical blockade"].derivatives["e"]
    assert slope == pytest.approx((high - low) / 0.002, rel=1e-4)


def test_the_boundary_has_its_cusp_its_change_of_criticality_and_its_kinds(blockade):
    where = {p.kind: (p["e"], p["B"]) for p in blockade.points}
    assert where["change of criticality"] == (pytest.approx(0.33389315, abs=6e-9), pytest.approx(27.5005489, abs=6e-8))
    assert where["cusp"] == pytest.approx((0.32077657, 134.45032), rel=1e-7)
    below, above = sorted(blockade.of_kind("curative dose"), key=lambda p: p.values.min())
    assert below.of == above.of == "e"  # the blocker does not move it
    assert "subcritical" in below.direction
    assert "supercritical" in above.direction
    (piece,) = blockade.of_kind("critical blockade")
    assert piece.against.min() == pytest.approx(0.3338931542, rel=1e-6)  # left of it a small tumour is left
    assert "the last stable tumour state vanishes" in piece.direction


def test_both_sides_of_the_boundary_have_the_states_that_it_says(blockade):
    for e in (0.45, 0.7, 0.95):
        critical = float(blockade.at(e, "critical blockade")[0])
        for B, stable in ((0.999 * critical, 1), (1.001 * critical, 0)):
            states = steady_states(Problem(paracrine_loop()).at_constant(e=e, B=B))
            assert sum(s.stability == "stable" and s["T"] > 0 for s in states) == stable


def test_regions_of_dose_and_blocker(blockade):
    regions = blockade.regions(80)
    assert regions.name_at(0.1, 50) == "grows back from any size"
    assert regions.name_at(0.45, 20) == "depends on the size"
    assert regions.name_at(0.9, 100) == "cleared from any size"


def test_kuznetsov_folds_with_their_cusp_and_the_line_where_the_tumour_comes_in(dormancy):
    cusp = next(p for p in dormancy.points if p.kind == "cusp")
    assert (cusp["sigma"], cusp["delta"]) == pytest.approx((0.94247308135203415, 1.353164451651156746), rel=1e-12)
    (line,) = dormancy.of_kind("curative dose")
    assert line.values == pytest.approx(1.636 * line.against, abs=1e-10)
    assert dormancy.at(0.3743)["curative dose"].value == pytest.approx(0.6123548, rel=1e-13)
    folds = [t.value for t in dormancy.at(0.3743) if t.mechanism == "fold"]
    assert folds == pytest.approx([0.19377682306917787259], rel=1e-12)
    two = [t.value for t in dormancy.at(1.3) if t.mechanism == "fold"]
    assert len(two) == 2
    (left,) = dormancy.of_kind("fold dose")  # the dormant tumour is there where sigma < alpha delta
    assert left.against.max() == pytest.approx(left.values.max() / 1.636, rel=1e-4)


def test_a_curve_of_folds_in_the_other_parameter_is_the_same(dormancy):
    over = threshold_curve(Problem(kuznetsov(scaled=True)), "delta", "sigma", (0.0, 1.2), within=(0.0, 2.0),
                           kind="fold", box=KUZNETSOV)  # fmt: skip
    for delta in (0.3743, 0.9):
        for fold in (t for t in dormancy.at(delta) if t.mechanism == "fold"):
            assert min(abs(t.value - delta) for t in over.at(fold.value)) < 1e-10


def test_a_dose_found_anew_at_each_value_follows_its_closed_form():
    problem = Problem(sensitive_resistant(), parameters={"f_R": 0.0})
    of, against = moved_of(problem, "u"), moved_of(problem, "turnover")
    pieces, holes, _ = track(problem, of, against, (0.0, 1.0), (0.05, 0.95), "clone dose", 15, {}, False)
    (piece,) = pieces
    assert piece.values == pytest.approx((1 - piece.against) / 1.5, rel=1e-10)  # r (1 - kill u) = turnover r
    assert not holes
    assert len(piece) == 8  # straight: no value is added


def test_clones_that_turn_into_each_other_are_followed_through_their_common_growth():
    """[[r - u - m, m], [m, q - m]] is singular at u = r - m + m^2/(m - q)."""
    S, R = (State(name, 0.1, kind="tumour", bounds=(0, 2)) for name in "SR")
    u, m = Parameter("u", 0.1, plausible=(0, 2)), Parameter("m", 0.3)
    room = 1 - S - R
    rates = {S: S * (room - u) - m * S + m * R, R: 0.1 * R * room + m * S - m * R}
    curve = threshold_curve(Problem(Model("pair", rates=rates)), "u", "m", (0.2, 0.5), within=(0.0, 2.0))
    (piece,) = curve.of_kind("curative dose")
    assert piece.values == pytest.approx(1 - piece.against + piece.against**2 / (piece.against - 0.1), rel=1e-9)
    assert float(curve.at(0.3)["curative dose"]) == pytest.approx(0.7 + 0.09 / 0.2, rel=1e-12)


def test_models_without_a_tumour_have_regions_by_stable_states():
    x = State("x", 0.0, kind="other", positive=False)
    a, b = Parameter("a", 1.0), Parameter("b", 0.0)
    problem = Problem(Model("cusp", rates={x: b + a * x - x**3}))
    curve = threshold_curve(problem, "b", "a", (-1.0, 2.0), within=(-2.0, 2.0), box={"x": (-5, 5)})
    (cusp,) = curve.points
    assert (cusp["a"], cusp["b"]) == pytest.approx((0, 0), abs=1e-10)
    assert [t.value for t in curve.at(1.5)] == pytest.approx([-np.sqrt(0.5), np.sqrt(0.5)], rel=1e-12)  # 27 b^2 = 4 a^3
    regions = curve.regions(60)
    assert regions.name_at(1.5, 0.0) == "2 stable states"
    assert regions.name_at(-0.5, 0.0) == regions.name_at(1.5, 1.5) == "1 stable state"


def test_holes_are_told_and_their_edge_is_near():
    problem = Problem(sensitive_resistant())
    of, against = moved_of(problem, "u"), moved_of(problem, "turnover")
    pieces, holes, _ = track(problem, of, against, (0.3, 1.0), (0.05, 0.95), "clone dose", 17, {}, False)
    (piece,) = pieces
    assert piece.against.max() == pytest.approx(1 - 1.5 * 0.3, abs=0.01)
    assert min(x for x, _ in holes) == pytest.approx(1 - 1.5 * 0.3, abs=0.01)
    assert "no clone dose" in holes[0][1]


def test_a_pulsed_dose_over_the_days_on_follows_its_mean():
    amplitude, on = (
        Parameter("amplitude", 1.0, unit="1"),
        Parameter("on", 7.0, unit="day", about="days on of each cycle"),
    )
    treatment = Treatment.intermittent({"u": amplitude}, on=on, off=7)
    problem = Problem(clonal_relapse(), parameters={"kap_R": 0.1}, treatment=treatment)
    curve = threshold_curve(
        problem, "amplitude", "on", (1, 13), kind="curative dose", within=(0, 20), n=9, progress=False
    )
    (piece,) = curve
    assert piece.mechanism == "multiplier"
    assert piece.values == pytest.approx(0.8 * (piece.against + 7) / piece.against, rel=1e-8)  # r_R/kap_R as the mean
    assert piece.slopes == pytest.approx(-0.8 * 7 / piece.against**2, rel=1e-6)
    assert np.max(np.diff(piece.against)) > 2.9 * np.min(np.diff(piece.against))  # more values where it bends
    assert float(curve.at(4)[0]) == pytest.approx(0.8 * 11 / 4, rel=1e-9)
    ax = plot(curve)
    assert ax.get_xlabel() == "days on of each cycle, on (days)"
    assert {t.get_text().replace("\n", " ") for t in ax.texts} == {"grows back", "a rare tumour is cleared"}


def test_how_long_a_blocker_has_to_last_over_the_dose_beside_it():
    days, dose = Parameter("days", 30, unit="day"), Parameter("dose", 0.6, unit="1")
    course = Treatment.constant({"e": dose}) + Treatment.constant({"B": 100}, end=days)
    problem = Problem(paracrine_loop(), treatment=course)
    curve = threshold_curve(problem, "days", "dose", (0.36, 0.8), kind="minimal duration", within=(1, 100), n=5,
                            progress=False)  # fmt: skip
    assert float(curve.at(0.6)[0]) == pytest.approx(41.953943, abs=2e-6)
    (piece,) = curve
    assert (np.diff(piece.values) < 0).all()
    assert curve.holes[0][0] == 0.36  # chemotherapy at 0.36 needs more than 100 days of it
    assert "no value at" in str(curve)
    with pytest.raises(ProblemError, match="not bifurcations of steady states"):
        curve.regions()


def test_drugs_that_replace_each_other_have_index_one_and_a_helper_less(blockade):
    found = combination_index(blockade, "critical blockade")
    assert found.alone["B"] == np.inf
    assert found.alone["e"] == np.inf  # 1.0028 is beyond the span
    wider = threshold_curve(
        Problem(paracrine_loop()), "B", "e", (0.0, 1.1), within=(0.0, 150.0), kind="critical blockade"
    )
    found = combination_index(wider)
    assert found.alone["e"] == pytest.approx(1.00280087, rel=1e-7)
    regions = wider.regions(50)  # of all kinds, the curve of one
    assert (regions.name_at(0.1, 50), regions.name_at(0.45, 20)) == ("grows back from any size", "depends on the size")
    i = np.argmin(abs(found.doses["e"] - 0.6))
    assert found.index[i] == pytest.approx(found.doses["e"][i] / 1.00280087)
    assert "alone: B = inf, e = 1.0028" in str(found)


def test_a_curve_prints_pickles_exports_and_is_drawn(blockade, dormancy):
    again = pickle.loads(pickle.dumps(blockade))
    assert str(again) == str(blockade)
    assert float(again.at(0.6)["critical blockade"]) == float(blockade.at(0.6)["critical blockade"])
    table = blockade.to_pandas()
    assert {"piece", "kind", "e", "B", "T"} <= set(table.columns)
    assert len(blockade["B"]) == len(table) + len(blockade) - 1
    assert "critical blockade (fold)" in str(blockade)
    ax = plot(blockade)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("effect of chemotherapy, 0 to 1, e", "CXCR2 blocker / its K_B, B")
    texts = [t.get_text().replace("\n", " ") for t in ax.texts]
    assert {"cusp", "criticality changes", "cleared from any size", "depends on the size"} <= set(texts)
    assert {"fold", "fold dose", "curative dose"} <= set(plot(dormancy).get_legend_handles_labels()[1])


def test_refusals_say_what_is_wrong(blockade):
    problem = Problem(paracrine_loop())
    with pytest.raises(ProblemError, match="both `of` and `against`"):
        threshold_curve(problem, "B", "B", (0, 1))
    with pytest.raises(ProblemError, match="did you mean 'fold dose'"):
        threshold_curve(problem, "B", "e", (0, 1), kind="fold dos")
    with pytest.raises(ProblemError, match="low has to be less"):
        threshold_curve(problem, "B", "e", (1, 0))
    with pytest.raises(KeywordError, match="within"):
        threshold_curve(problem, "B", "e", (0, 1), withn=(0, 1))
    with pytest.raises(ProblemError, match="known for e within 0 to 1"):
        blockade.at(2.0)
    with pytest.raises(ProblemError, match="say which kind is the boundary"):
        combination_index(blockade)


def test_the_curve_of_a_clone_that_mutation_feeds():
    """A resistant clone that comes from the sensitive one is absent where that is absent: its curve is followed.

    Both clones feel u^2 / (h^2 + u^2); R alone is cleared where kR u^2 / (h^2 + u^2) = q - d.
    """
    r, q, d, mu = (Parameter(n, v) for n, v in (("r", 0.1), ("q", 0.08), ("d", 0.02), ("mu", 1e-3)))
    kS, kR, h = (Parameter(n, v) for n, v in (("kS", 0.5), ("kR", 0.15), ("h", 0.4)))
    S, R = (State(n, v, kind="tumour", bounds=(0, 1.2)) for n, v in (("S", 0.5), ("R", 0.01)))
    u = Input("u")
    felt = u**2 / (h**2 + u**2)
    rates = {S: r * S * (1 - S - R) - d * S - kS * felt * S, R: q * R * (1 - S - R) - d * R - kR * felt * R}
    problem = Problem(Model("two clones", rates=rates, transfers={(S, R): mu * S}))
    curve = threshold_curve(problem, "u", "q", (0.05, 0.12), within=(0, 3), progress=False)
    (cure,) = (p for p in curve if p.kind == "curative dose")
    part = (cure.against - 0.02) / 0.15
    np.testing.assert_allclose(cure.values, 0.4 * np.sqrt(part / (1 - part)), rtol=1e-6)
    kept = {(p.kind, round(float(p.values.min()), 6), round(float(p.values.max()), 6)) for p in curve}
    assert len(kept) == len(curve.pieces)  # none twice
