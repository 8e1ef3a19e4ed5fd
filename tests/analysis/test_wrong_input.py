"""What the verbs of thresholds say to input that they cannot take: a RemissionError that names the argument."""

import pytest

import remission as rm
from remission import Grid, Problem, Treatment

KIRSCHNER_PANETTA = {"E": (0, 1e9), "T": (0, 1e9), "I": (0, 1e9)}


@pytest.fixture(scope="module")
def loop():
    return Problem(rm.models.paracrine_loop()).at_constant(e=0.6)


@pytest.mark.optional
def test_ranges_boxes_and_numbers_are_checked_in_one_way(loop):
    cases = [
        (lambda: rm.thresholds(loop, "e", kinds=3), "kinds is a kind"),
        (lambda: rm.thresholds(loop, "e", box=(0, 1)), "box is a dict"),
        (lambda: rm.thresholds(loop, "e", box={"Q": (0, 1)}), "thresholds: box names 'Q'"),
        (lambda: rm.thresholds(loop, "e", time_limit="a"), "time_limit is a number of seconds"),
        (lambda: rm.thresholds(loop, "e", time_limit=-1), "time_limit is a number of seconds"),
        (lambda: rm.certified_points(loop, "e", "x"), r"range of e is \(low, high\)"),
        (lambda: rm.certified_points(loop, "e", (1, 0)), "low has to be less"),
        (lambda: rm.certified_points(loop, "e", (0, 1), kinds="folds"), "no kind 'folds'"),
        (lambda: rm.stability_map(loop, "e", progress=False), "over is a dict"),
        (lambda: rm.stability_map(loop, {"e": 3, "B": (0, 1)}, progress=False), r"range of e is \(low, high\)"),
        (lambda: rm.steady_states(loop, box=3), "box is a dict"),
        (lambda: rm.steady_states(loop, over={"e": 3}), r"range of e is \(low, high\)"),
        (lambda: rm.separatrix(loop, 7), "saddle=7"),
        (lambda: rm.fate(loop, box=[1]), "box is a dict"),
        (lambda: rm.forced_orbit(loop, "a"), "period is a number above 0"),
        (lambda: rm.certify_fold(loop, "e", 3, 0.78), "guess is a dict"),
        (lambda: rm.certify_fold(loop, "e", loop.initial_values(), "x"), "guess of e is a number"),
        (lambda: rm.certify_fold(loop.model, "e", {}, 0.78), "must be a Problem, got Model"),
        (lambda: rm.time_to_relapse(level="a"), "a number above 0"),
        (lambda: rm.time_to_relapse(level=-1), "a number above 0"),
    ]
    for call, words in cases:
        with pytest.raises(rm.ProblemError, match=words):
            call()


@pytest.mark.optional
def test_proofs_over_parameters_refuse_a_grid():
    """Steady states of one cell are no answer about a tissue."""
    spread = Problem(rm.models.sensitive_resistant(), grid=Grid(10, 1.0))
    with pytest.raises(rm.ProblemError, match=r"certified_points: .* one well-mixed cell"):
        rm.certified_points(spread, "u", (0, 1))
    with pytest.raises(rm.ProblemError, match=r"stability_map: .* one well-mixed cell"):
        rm.stability_map(spread, {"u": (0, 1), "turnover": (0, 0.5)}, progress=False)
    with pytest.raises(rm.ProblemError, match=r"certify transcritical: .* one well-mixed cell"):
        rm.certify_transcritical(spread, "u", {"S": 0, "R": 0}, 0.5)


@pytest.mark.optional
def test_one_hopf_point_and_one_kind_need_no_list():
    steady = rm.continue_branches(Problem(rm.models.kirschner_panetta()), "c", (0.02, 0.05), box=KIRSCHNER_PANETTA)
    with pytest.raises(rm.ProblemError, match="hopf= takes Hopf points over c, got int"):
        rm.continue_cycles(steady, hopf=9)
    found = rm.certified_points(Problem(rm.models.paracrine_loop()), "e", (0, 1.2), kinds="fold", counts=False)
    assert [p.kind for p in found] == ["fold"]


@pytest.mark.optional
def test_verify_says_where_the_certificate_is():
    found = rm.steady_states(Problem(rm.models.logistic_growth()))
    with pytest.raises(rm.CertificateError, match=r"SteadyStates, give its \.certificate"):
        rm.verify(found)
    with pytest.raises(rm.CertificateError, match="got 3"):
        rm.verify(3)


def test_a_repeated_treatment_still_takes_its_period():
    weekly = Treatment.intermittent({"e": 1.0}, on=3, off=4)
    loop = Problem(rm.models.paracrine_loop(), treatment=weekly)
    assert rm.forced_orbit(loop, 14, start="tumour-free").period == pytest.approx(14)


def test_a_rate_without_value_at_an_end_of_the_range_is_said():
    """u / (u + h) at h = 0 is 0 / 0 without drug, where a division by zero was raised before."""
    h, u = rm.Parameter("h", 0.0), rm.Input("u")
    T = rm.State("T", 1.0, kind="tumour", bounds=(0, 2))
    problem = Problem(rm.Model("steep", rates={T: T * (0.1 - 0.1 * T - 0.5 * u / (u + h))}))
    found = rm.thresholds(problem, "u", within=(0, 1))
    assert len(found) == 0
    assert any("has no value at an end" in note for note in found.notes)


def test_a_tumour_that_was_never_small_is_said_to_be_so():
    """Before, the line ended after "t = 0"."""
    grown = rm.solve(Problem(rm.models.logistic_growth(), t_span=(0, 10)))
    assert "never falls below" in str(rm.time_to_relapse(grown, 1e-9, of=grown.names[0]))


def test_a_clone_that_is_not_there_is_no_infinite_dose():
    outcome = rm.threshold("clone dose", of="u", within=(0, 1), clone="Q")
    with pytest.raises(rm.ProblemError, match="no clone 'Q'"):
        rm.sensitivity(Problem(rm.models.clonal_relapse()), [outcome], vary=["r_R"])
