"""Thresholds of steady states: published numbers, 20-digit references, and differences of thresholds found again."""

import pickle

import numpy as np
import pytest
import sympy as sp

from remission.analysis import at_end, certified_points, plot, sensitivity, sweep, threshold, thresholds, verify
from remission.analysis.critical.closed_form import solve_for
from remission.analysis.critical.moved import moved_of
from remission.analysis.critical.special import rare_threshold
from remission.analysis.critical.tumour_free import tumour_free
from remission.models import (
    Model,
    Parameter,
    State,
    clonal_inflammation,
    clonal_relapse,
    de_pillis_radunskaya,
    karyotype_ladder,
    kirschner_panetta,
    kuznetsov,
    metastasis,
    oncogene_withdrawal,
    paracrine_loop,
    power_law_growth,
)
from remission.models.errors import KeywordError, ProblemError
from remission.solvers import Problem, Treatment

KUZNETSOV = {"E": (0, 50), "T": (0, 1000)}
RARE = ("curative dose", "clone dose")

# M3: blocker -> fold dose and size of the tumour there, Newton steps of 40 digits on the balance of T and its slope;
# `tests/reference.toml` has them to 8 digits, and 155.256253 for the size at B = 20, which is 155.256453
FOLDS = {
    0: (1.0028008700554205626, 39.054708789848306371), 5: (0.85846618009987081048, 90.948641030880915856),
    10: (0.77928362259654693983, 118.99172602829126985), 20: (0.67339243716406645782, 155.25645284110437492),
    30: (0.59910546380492321671, 179.00123950846943101), 50: (0.49580296769786013174, 206.71809741018950263),
    100: (0.3597329062228943377, 206.24383329916837953),
}  # fmt: skip
BLOCKADES = {0.4: 80.0107676, 0.5: 49.0007314, 0.6: 29.8613657, 0.8: 8.51091639, 1.0: 0.0542471354}


def loop(e=0.6, B=0.0, **parameters):
    return Problem(paracrine_loop(), parameters=parameters).at_constant(e=e, B=B)


def moved(problem, name, value):
    if name in problem.parameters:
        return problem.replace(parameters={name: value})
    return problem.at_constant(**(problem.inputs() | {name: value}))


def assert_derivatives(problem, threshold, again, names=None, rel=2e-5):
    """Derivatives against central differences of the threshold found again."""
    known = dict(problem.parameters) | problem.inputs()
    for name in names or threshold.derivatives:
        h = 1e-4 * (abs(known[name]) or 1e-2)
        sides = [float(again(moved(problem, name, known[name] + way * h))) for way in (-1, 1)]
        difference = (sides[1] - sides[0]) / (2 * h)
        scale = abs(threshold.value) / (abs(known[name]) or 1e-2)
        assert threshold.derivatives[name] == pytest.approx(difference, rel=rel, abs=1e-7 * scale), name


def test_each_clone_of_m1_has_its_dose_and_the_largest_cures():
    found = thresholds(Problem(clonal_relapse(), parameters={"kap_R": 0.1}), kinds=RARE)
    assert [(t.kind, t.clones) for t in found] == [("clone dose", ("S",)), ("curative dose", ("R",))]
    assert [t.value for t in found] == pytest.approx([(0.2 - 1e-7 * 0.5) / 0.55, 0.8], rel=1e-14)
    assert found.complete
    assert "R still grows" in found[0].conditions
    r_R, kap_R = found.problem.model.symbol("r_R"), found.problem.model.symbol("kap_R")
    assert found["curative dose"].formula == r_R / kap_R
    assert found["curative dose"].derivatives["r_R"] == pytest.approx(10.0, rel=1e-13)


def test_each_clone_of_m2_has_its_dose():
    problem = Problem(oncogene_withdrawal())
    found = thresholds(problem, "u", kinds=RARE)
    assert [t.value for t in found] == pytest.approx([0.3455429018, 0.4003074668, 2.1428571429], rel=1e-9)
    assert [t.kind for t in found] == ["clone dose", "clone dose", "curative dose"]
    assert all(t.found == "symbolic" for t in found)

    for t in found:
        assert_derivatives(problem, t, threshold("clone dose", "u", clone=t.clones[0]))


def test_error_threshold_of_missegregation_is_the_same_question_asked_of_p():
    """m = (b_S - d_S)/(2 b_S) = 0.2: a power with a symbol in the exponent is undone, not searched."""
    found = thresholds(Problem(oncogene_withdrawal()), "p_off", within=(0, 0.1), kinds="clone dose")
    m = [1 - (1 - t.value) ** 40 for t in found]
    assert m == pytest.approx([0.2, 0.17 / (2 * 0.47 * 0.2)], rel=1e-12)
    assert [t.clones for t in found] == [("S",), ("A",)]
    assert all(t.formula is not None for t in found)


def test_ladder_stops_regrowing_at_beta_c():
    problem = Problem(karyotype_ladder()).at_constant(u=1)
    (found,) = thresholds(problem, "beta", kinds="curative dose")
    assert found.value == pytest.approx(0.0585267, abs=6e-8)
    assert (found.found, found.formula) == ("numerical", None)
    assert "shrinks above; supercritical" in found.direction
    assert_derivatives(problem, found, threshold("curative dose", "beta"), ["kap", "slope", "b", "u"])


@pytest.mark.parametrize("B", [0, 30, 100])
def test_curative_dose_of_m3_does_not_depend_on_the_blocker(B):
    (found,) = thresholds(loop(B=B), "e", kinds=RARE)
    assert found.value == pytest.approx(0.33389315419, rel=1e-10)
    assert found.found == "symbolic"
    assert "kM = 0" in found.conditions
    assert found.derivatives["B"] == 0
    assert found.state["M"] == pytest.approx(0.02)


def test_curative_dose_of_m3_moves_as_found_again():
    """Myeloid cells that chemotherapy kills make the equation for e cubic: no formula, the same derivatives."""
    for problem in (loop(), loop(kM=0.1)):
        (found,) = thresholds(problem, "e", kinds="curative dose")
        assert (found.formula is None) == (problem.parameters["kM"] > 0)
        names = ["r", "da", "kap", "rho", "rhoa", "m0", "mP", "kM", "dM"]
        assert_derivatives(problem, found, threshold("curative dose", "e"), names, rel=1e-4)


def test_curative_dose_of_m3_is_subcritical_below_a_blocker_of_27_5():
    from scipy.optimize import brentq

    def quadratic(B):
        return thresholds(loop(B=B), "e", kinds="curative dose")[0].coefficients["a"]

    assert brentq(quadratic, 25, 30, xtol=1e-8) == pytest.approx(27.5005489, abs=1e-6)
    assert "subcritical" in thresholds(loop(B=27), "e", kinds="curative dose")[0].direction
    assert "supercritical" in thresholds(loop(B=28), "e", kinds="curative dose")[0].direction


@pytest.mark.optional  # slow without compiled steps
@pytest.mark.parametrize("B", list(FOLDS))
def test_fold_doses_of_m3(B):
    found = thresholds(loop(B=B), "e")
    fold = found["fold dose"]
    assert (fold.value, fold.state["T"]) == pytest.approx(FOLDS[B], rel=1e-11)
    assert "none above" in fold.direction
    assert found["curative dose"].value < fold.value


@pytest.mark.optional  # slow without compiled steps
@pytest.mark.parametrize("e", list(BLOCKADES))
def test_critical_blockades_of_m3(e):
    found = thresholds(loop(e=e), "B")
    assert [t.kind for t in found] == ["critical blockade"]
    assert found[0].value == pytest.approx(BLOCKADES[e], rel=1e-8)
    assert any("T, where rare, shrinks at -" in note for note in found.notes)


@pytest.mark.parametrize(("kind", "of", "B"), [("fold dose", "e", 10), ("critical blockade", "B", 0)])
def test_derivatives_of_a_fold_and_of_a_blockade(kind, of, B):
    problem, again = loop(B=B), threshold(kind, of)
    fold = thresholds(problem, of)[kind]
    names = ["r", "kap", "etaF", "mP", "K", "T_X", "e" if of == "B" else "B"]
    assert_derivatives(problem, fold, lambda p: again.asked(p, problem), names)
    assert fold.derivatives["gP"] == pytest.approx(0, abs=1e-12)  # speeds move no steady state
    assert fold.elasticities["K"] == pytest.approx(-fold.elasticities["T_X"], rel=1e-9)  # only K/T_X counts


def test_folds_and_transcritical_of_kuznetsov():
    problem = Problem(kuznetsov(scaled=True))
    by_sigma = thresholds(problem, "sigma", within=(0, 0.8), box=KUZNETSOV)
    assert [t.kind for t in by_sigma] == ["fold", "curative dose"]  # the dormant tumour outlives the fold
    assert by_sigma[0].value == pytest.approx(0.19377682306917787, rel=1e-12)
    assert by_sigma[1].value == pytest.approx(1.636 * 0.3743, rel=1e-14)
    by_delta = thresholds(problem, "delta", within=(0.1, 3), box=KUZNETSOV)
    assert [t.value for t in by_delta] == pytest.approx([0.19055870949886780, 0.7441457796011565], rel=1e-12)
    again = by_delta.problem.replace  # the same fold found again by continuation
    for name in ("sigma", "rho"):
        value, h = problem.parameters[name], 1e-4
        low, high = (
            thresholds(again(parameters={name: value + way * h}), "delta", within=(0.5, 3), box=KUZNETSOV)[0].value
            for way in (-1, 1)
        )
        assert by_delta[1].derivatives[name] == pytest.approx((high - low) / (2 * h), rel=1e-5)
    assert not by_delta.of_kind("onset of cycles")


@pytest.mark.optional  # slow without compiled steps
def test_fold_and_onset_of_cycles_of_kirschner_and_panetta():
    problem = Problem(kirschner_panetta(), parameters={"c": 2e-5})

    def again(p):
        return thresholds(p, "c", within=(1e-6, 0.05), box=dict.fromkeys("ETI", (0, 1e9)))

    found = again(problem)
    assert [t.kind for t in found] == ["fold", "onset of cycles"]
    fold, hopf = found
    assert fold.value == pytest.approx(8.55204e-5, rel=1e-6)
    assert hopf.value == pytest.approx(0.0324644, rel=2e-6)
    assert "cycles below, steady above; supercritical, period 93.69" in hopf.direction
    assert_derivatives(problem, hopf, lambda p: again(p)["onset of cycles"], ["mu2"])


@pytest.mark.optional  # slow without compiled steps
def test_a_drug_that_is_dosed_is_no_blockade():
    (found,) = thresholds(Problem(de_pillis_radunskaya()), box={"u": (0, 10)})
    assert found.kind == "fold dose"


def test_none_in_the_range_is_a_status():
    found = thresholds(Problem(clonal_relapse()), "u", within=(0, 0.3))
    assert len(found) == 0
    assert "0 to 0.3" in found.status
    assert "unstable" in found.status
    assert any("R, where rare, grows at 0.08 all over" in note for note in found.notes)
    assert "no threshold" in str(found)
    with pytest.raises(ProblemError, match=r"0 thresholds of kind 'curative dose'"):
        found["curative dose"]


def test_what_is_moved_has_to_be_said_where_it_could_be_several():
    with pytest.raises(ProblemError, match=r"say what is moved, of=\.\.\.; several could be: B, e"):
        thresholds(Problem(paracrine_loop()))
    with pytest.raises(ProblemError, match="did you mean 'kap'"):
        thresholds(Problem(paracrine_loop()), "kapp")
    with pytest.raises(ProblemError, match="did you mean 'curative dose'"):
        thresholds(Problem(paracrine_loop()), "e", kinds="curativ dose")
    with pytest.raises(ProblemError, match="low has to be less"):
        thresholds(Problem(paracrine_loop()), "e", within=(1, 0))
    with pytest.raises(ProblemError, match="go together"):
        thresholds(Problem(paracrine_loop()), "e", level=1)
    with pytest.raises(KeywordError, match="did you mean 'within'"):
        thresholds(Problem(paracrine_loop()), "e", witin=(0, 1))


def test_a_range_that_does_not_hold_the_value_is_fine():
    found = thresholds(loop(e=0.0), "e", within=(0.5, 2), kinds="fold dose")
    assert found[0].value == pytest.approx(FOLDS[0][0], abs=1e-8)


def test_a_tumour_without_rate_at_zero_is_told():
    found = thresholds(Problem(power_law_growth()), "r")
    assert any("no slope" in note for note in found.notes)


def test_a_tumour_fed_from_outside_has_no_state_without_it():
    S, k = State("S", 1.0), Parameter("k", 0.5, plausible=(0.1, 1))
    fed = Model("fed", rates={S: 1 - k * S})
    with pytest.raises(ProblemError):
        thresholds(Problem(fed), "k", kinds="curative dose", box={"S": (0, 100)})["curative dose"]


def immune_model():
    """Effectors that crowd each other: without tumour E = (sqrt(d^2 + 4 k s) - d)/(2 k), which is not looked for."""
    values = {"d": 0.1, "k": 0.2, "s": 0.3, "r": 0.5, "c": 0.4, "b": 0.01}
    d, k, s, r, c, b = (Parameter(name, v, plausible=(v / 5, v * 5)) for name, v in values.items())
    T, E = State("T", 1.0, bounds=(0, 200)), State("E", 1.0, kind="immune", bounds=(0, 50))
    return Model("immune", rates={T: r * T * (1 - b * T) - c * E * T, E: s - d * E - k * E**2})


def test_a_state_without_tumour_that_has_no_closed_form_is_followed():
    problem = Problem(immune_model())
    (found,) = thresholds(problem, "r")
    assert (found.kind, found.clones) == ("curative dose", ("T",))
    assert found.value == pytest.approx(0.4, rel=1e-13)
    assert found.formula is None
    assert [found.derivatives[n] for n in "dksc"] == pytest.approx([-0.8, -0.8, 0.8, 1.0], rel=1e-12)
    d = np.array([0.05, 0.2])
    swept = sweep(problem, {"d": d}, outputs=threshold("curative dose", "r"), progress=False).values[:, 0]
    assert swept == pytest.approx(np.sqrt(d**2 + 0.24) - d, rel=1e-12)


@pytest.mark.optional
def test_a_state_without_tumour_beside_another_is_found_by_the_proof():
    """Effectors with an Allee effect rest at 0, 1 or 2; a tumour that grows at r - c E where rare can enter at each."""
    r, c = Parameter("r", 0.5, plausible=(-0.5, 2)), Parameter("c", 0.4, plausible=(0.1, 1))
    T, E = State("T", 1.0, bounds=(0, 50)), State("E", 1.0, kind="immune", bounds=(0, 5))
    model = Model("two_rests", rates={T: T * (r - 0.1 * T - c * E), E: E * (E - 1) * (2 - E)})
    found = thresholds(Problem(model), "r")
    assert [(t.kind, round(t.value, 12)) for t in found if t.mechanism == "transcritical"] == [
        ("curative dose", 0.0), ("clone dose", 0.4), ("curative dose", 0.8)
    ]  # fmt: skip
    assert [t.state["E"] for t in found] == [0, 1, 2]
    assert found.complete


def test_derivatives_by_complex_steps_are_those_of_second_derivatives():
    problem = Problem(oncogene_withdrawal()).at_constant(cin=0.5)
    free, of = tumour_free(problem.model), moved_of(problem, "u")
    for t in thresholds(problem, "u", kinds=RARE):
        group = tuple(i for i, s in enumerate(free.tumour) if s.name in t.clones)
        known = dict(problem.parameters) | problem.inputs() | {"u": t.value}
        numbers = tuple(float(known[s.name]) for s in free.symbols)
        stepped = rare_threshold(problem, of, t.value, t.state, t.kind, group, free, numbers)
        assert stepped.derivatives == {k: pytest.approx(v, rel=1e-11, abs=1e-14) for k, v in t.derivatives.items()}


def test_growth_that_only_touches_zero_is_no_threshold():
    T, E, a = State("T", 1.0, bounds=(0, 9)), Parameter("E", 2.0, plausible=(0, 4)), Parameter("a", 1.0)
    touching = Model("touching", rates={T: T * (-((E - a) ** 2) - T)})
    assert len(thresholds(Problem(touching), "E", kinds=RARE)) == 0
    crossing = Model("crossing", rates={T: T * ((E - a) * (3 - E) - T)})
    found = thresholds(Problem(crossing), "E", kinds=RARE)
    assert [t.value for t in found] == pytest.approx([1, 3], rel=1e-14)
    assert ["shrinks below" in t.direction for t in found] == [True, False]


def test_thresholds_pickle_and_print():
    found = pickle.loads(pickle.dumps(thresholds(loop(), "e")))
    assert found[0].value == pytest.approx(0.33389315, abs=1e-8)
    assert str(found).startswith("thresholds of paracrine_loop over e, 0 to 100")
    assert found.to_pandas()["kind"].tolist() == ["curative dose", "fold dose"]


def test_zeros_of_expressions_without_a_solver():
    x, a, b, n = sp.symbols("x a b n", positive=True)
    assert solve_for(a - b * (1 - (1 - x) ** n), x).formulas[0].subs({a: 1, b: 4, n: 2}) == 1 - sp.sqrt(3) / 2
    assert solve_for(a * sp.exp(-b * x) - 1, x).formulas == (sp.log(1 / a) / -b,)
    assert sorted(f.subs({a: 3}) for f in solve_for(x**2 - 4 * x + a, x).formulas) == [1, 3]
    assert solve_for(x**5 + a * x - b, x).formulas == ()
    assert len(solve_for(x**5 + a * x - b, x).polynomial) == 6
    assert solve_for(sp.exp(x) + x - a, x).polynomial == ()


@pytest.mark.optional  # slow without compiled steps
def test_a_threshold_is_an_output_of_sweeps_and_sensitivities():
    problem = loop(B=5)
    n = 24
    draws = np.random.default_rng(1).standard_normal((n, 3))
    samples = {name: problem.parameters[name] * np.exp(0.2 * draws[:, i]) for i, name in enumerate(("r", "kap", "T_X"))}
    asked = [threshold("curative dose", "e"), threshold("fold dose", "e"), threshold("critical blockade", "B")]
    table = sweep(problem, samples, outputs=asked, progress=False)
    assert set(table.status) == {"done"}
    for i in range(0, n, 6):
        member = problem.replace(parameters={name: float(v[i]) for name, v in samples.items()})
        assert table.values[i] == pytest.approx([o(member) for o in asked], rel=1e-10)
    r, kap = samples["r"], samples["kap"]
    theta = 0.04**2 / (1 + 0.04**2)
    assert table.values[:, 0] == pytest.approx((r - 0.05 * (1 - 0.5 * theta)) / (kap * (1 - 0.8 * theta)), rel=1e-12)
    assert np.isinf(table.values[:, 2]).any()  # some tumours no blockade clears at this dose


def test_a_threshold_beside_an_outcome_that_is_solved_for():
    problem = loop(B=5).replace(t_span=(0, 50))
    outputs = [at_end("T"), threshold("curative dose", "e")]
    table = sweep(problem, {"r": np.array([0.1, 0.15])}, outputs=outputs, progress=False)
    alone = [sweep(problem, {"r": np.array([0.1, 0.15])}, outputs=o, progress=False).values[:, 0] for o in outputs]
    assert np.array_equal(table.values, np.column_stack(alone))


@pytest.mark.optional  # slow without compiled steps
def test_local_sensitivities_of_thresholds_are_their_derivatives():
    problem = loop(B=10)
    effects = sensitivity(
        problem, [threshold("fold dose", "e"), threshold("curative dose", "e")], vary=["r", "K", "T0"]
    )
    assert effects.how == ("exact", "exact")
    fold = thresholds(problem, "e")["fold dose"]
    assert effects.raw[0] == pytest.approx([fold.derivatives[name] for name in ("r", "K", "T0")], rel=1e-12)
    assert effects.raw[1, 1:].tolist() == [0, 0]


def test_a_threshold_out_of_reach_is_infinite_never_nan():
    problem = Problem(clonal_relapse())
    assert threshold("curative dose", "u")(problem) == np.inf
    assert threshold("clone dose", "u", clone="S")(problem) == pytest.approx(0.3636362727, rel=1e-9)
    assert threshold("curative dose", "e", within=(0, 1))(loop(r=0.04)) == -np.inf  # shrinks without chemotherapy
    assert threshold("critical blockade", "B")(loop(e=0.2)) == np.inf
    assert str(threshold("clone dose", "u", clone="S")) == "clone dose of S (u)"
    assert threshold("curative dose", "u").unit(problem) == "1"
    with pytest.raises(ProblemError, match="did you mean 'fold dose'"):
        threshold("fold dos")


@pytest.mark.optional
@pytest.mark.parametrize(
    ("problem", "of", "within", "box"),
    [
        (loop(), "e", None, None),
        (loop(), "B", None, None),
        (Problem(clonal_relapse(), parameters={"kap_R": 0.1}), "u", None, None),
        (Problem(kuznetsov(scaled=True)), "delta", (0.1, 3), KUZNETSOV),
    ],
)
def test_thresholds_are_proved_to_be_all(problem, of, within, box):
    found = thresholds(problem, of, within=within, box=box)
    assert found.complete
    assert all(t.enclosure is not None for t in found)
    assert any("proved for steady states within" in note for note in found.notes)
    assert not thresholds(problem, of, within=within, box=box, complete=False).complete


@pytest.mark.optional
def test_folds_that_no_branch_of_the_start_passes_through_are_found():
    """Two sites, one loop: of eight folds two lie at tumours below zero, and no branch of the start passes one."""
    problem = Problem(metastasis())
    proved = thresholds(problem, "e", within=(0, 1.2), kinds=("fold", "fold dose"))
    points = certified_points(problem, "e", (0, 1.2), kinds=("fold",), counts=False)
    there = [p.value for p in points if min(p.state.values()) > -1e-12]
    assert (len(points), len(there)) == (8, 6)
    assert [t.value for t in proved] == pytest.approx(there, rel=1e-9)
    assert proved.complete
    assert proved["fold dose"].value == pytest.approx(1.0028426, abs=1e-7)


@pytest.mark.optional
def test_enclosures_hold_the_references_and_certificates_verify():
    found = thresholds(loop(), "e")
    for t, value in zip(found, (None, FOLDS[0][0]), strict=True):
        low, high = t.enclosure
        assert 0 < high - low < 1e-12
        assert low <= t.value <= high
        assert value is None or low <= value <= high
    assert (found[0].found, found[1].found) == ("symbolic", "certified")
    assert verify(found[1].require_certificate())


@pytest.mark.optional  # slow without compiled steps
def test_a_parameter_of_constant_doses_is_moved_like_an_input():
    dose = Parameter("dose", 0.3, unit="1")
    problem = Problem(paracrine_loop(), treatment=Treatment.constant({"e": 2 * dose}))
    found = thresholds(problem, "dose")
    assert [t.value for t in found] == pytest.approx([0.33389315419 / 2, FOLDS[0][0] / 2], rel=1e-9)
    assert found[1].derivatives["r"] == pytest.approx(thresholds(loop(), "e")[1].derivatives["r"] / 2, rel=1e-9)
    assert threshold("fold dose", "dose")(problem) == pytest.approx(FOLDS[0][0] / 2, rel=1e-11)


@pytest.mark.optional  # slow without compiled steps
def test_a_tumour_is_found_where_the_present_dose_has_cleared_it():
    assert thresholds(loop(B=40), "B")["critical blockade"].value == pytest.approx(BLOCKADES[0.6], rel=1e-8)
    assert thresholds(loop(e=3.0), "e")["fold dose"].value == pytest.approx(FOLDS[0][0], rel=1e-11)


def test_tornado_of_thresholds():
    found = thresholds(loop(B=10), "e")
    ax = plot(found)
    assert ax.get_legend_handles_labels()[1] == ["curative dose, e = 0.3339", "fold dose, e = 0.7793"]
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    assert names[-1] == "r = 0.15 per day"
    assert "K = 1000 \N{MULTIPLICATION SIGN} 10\N{SUPERSCRIPT SIX} cells" in names
    ax = plot(found["fold dose"])
    longest = max(ax.patches, key=lambda bar: abs(np.nan_to_num(bar.get_width())))
    assert longest.get_width() == pytest.approx(found["fold dose"].elasticities["rho"])
    with pytest.raises(ProblemError, match="no threshold of u"):
        plot(thresholds(Problem(clonal_relapse()), "u", within=(0, 0.3), kinds="curative dose"))


def test_a_conserved_total_moves_the_fold_through_the_initial_value():
    """T' = T (r (1 - T) - u + a X), X + Y = N0: u = r (1 - T) + a N0 b T/(d + b T) has its top at the fold."""
    values = {"r": 0.1, "a": 1.0, "b": 2.0, "d": 0.3, "N0": 0.4, "u": 0.2}
    r, a, b, d, N0, u = (Parameter(name, v, plausible=(v / 10, v * 10)) for name, v in values.items())
    T, X = State("T", 0.5, bounds=(0, 20)), State("X", 0.0, kind="immune", bounds=(0, 5))
    Y = State("Y", N0, kind="immune", bounds=(0, 5))
    kept = Model("kept", rates={T: T * (r * (1 - T) - u + a * X)}, transfers={(Y, X): b * T * Y, (X, Y): d * X})
    cure, fold = thresholds(Problem(kept), "u", within=(0, 2))
    top = (np.sqrt(1.0 * 0.4 * 2.0 * 0.3 / 0.1) - 0.3) / 2.0
    gain = 2.0 * top / (0.3 + 2.0 * top)
    assert (cure.kind, fold.kind) == ("curative dose", "fold dose")
    assert cure.value == pytest.approx(0.1, rel=1e-12)
    assert fold.value == pytest.approx(0.1 * (1 - top) + 0.4 * gain, rel=1e-12)
    assert fold.derivatives["N0"] == pytest.approx(gain, rel=1e-9)
    assert fold.derivatives["a"] == pytest.approx(0.4 * gain, rel=1e-9)


def test_doses_of_m4_without_signals_are_those_of_m2():
    problem = Problem(clonal_inflammation(), parameters={"da": 0.0, "rho": 0.0})
    k = problem.parameters
    m = 1 - (1 - k["p_off"]) ** k["n_chromosomes"]
    net = [k["b_S"] * (1 - 2 * m) - k["d_S"], k["b_A"] * (1 - 2 * m * (1 - k["f_v"])) - k["d_A"], k["b_R"] - k["d_R"]]
    found = thresholds(problem, "e", kinds=RARE)
    assert [t.value for t in found] == pytest.approx(np.array(net) / [k["kap_S"], k["kap_A"], k["kap_R"]], rel=1e-12)


@pytest.mark.optional  # slow without compiled steps
def test_thresholds_between_fates_are_outputs_too():
    days = Parameter("days", 30, unit="day", plausible=(10, 80), scale="linear")
    course = Treatment.constant({"e": 0.6}) + Treatment.constant({"B": 100}, end=days)
    problem, shortest = Problem(paracrine_loop(), treatment=course), threshold("minimal duration", "days")
    assert shortest(problem) == pytest.approx(41.9539430, abs=1e-5)
    effects = sensitivity(problem, shortest, vary=["r"])
    low, high = (shortest(problem.replace(parameters={"r": 0.15 + h})) for h in (-1e-4, 1e-4))
    assert effects.raw[0, 0] == pytest.approx((high - low) / 2e-4, rel=1e-4)
    assert shortest.unit(problem) == "day"
