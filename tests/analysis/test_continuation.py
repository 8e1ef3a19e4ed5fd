"""Branches over one parameter against 20-digit values (Newton steps of 40 digits on the defining systems)."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
import sympy as sp

from remission.analysis import check_complete, continue_branches, plot, steady_states
from remission.models import (
    Model,
    Parameter,
    State,
    clonal_relapse,
    dose_window,
    greene,
    kirschner_panetta,
    kuznetsov,
    logistic_growth,
    mdsc_expansion,
    paracrine_invasion,
    paracrine_loop,
    selective_kill,
)
from remission.models.errors import KeywordError, ProblemError
from remission.solvers import Problem, Treatment

TIGHT = {"rel": 1e-12, "abs": 1e-12}
KUZNETSOV = {"E": (0, 50), "T": (0, 1000)}


def free(name, initial=0.0):
    return State(name, initial, kind="other", positive=False)


def auto_ab(p2):
    """AUTO's demo `ab`: a stirred reactor, p3 = 3."""
    u1, u2 = free("u1"), free("u2")
    p1, b, p3 = Parameter("p1", 0.0), Parameter("p2", p2), Parameter("p3", 3.0)
    made = p1 * (1 - u1) * sp.exp(u2)
    return Problem(Model("ab", rates={u1: -u1 + made, u2: -u2 + b * made - p3 * u2}))


def auto_pp2():
    """AUTO's demo `pp2`: predators, prey and fishing."""
    u1, u2 = free("u1"), free("u2")
    p1, p2, p3, p4 = (Parameter(f"p{i}", v) for i, v in ((1, 0.0), (2, 3.0), (3, 5.0), (4, 3.0)))
    prey = p2 * u1 * (1 - u1) - u1 * u2 - p1 * (1 - sp.exp(-p3 * u1))
    return Problem(Model("pp2", rates={u1: prey, u2: -u2 + p4 * u1 * u2}))


def bykov():
    """Bykov, Yablonskii and Kim (1978): a catalytic oscillator, as in the manuals of MatCont and BifurcationKit."""
    x, y, s = free("x"), free("y"), free("s")
    given = {"q1": 2.5, "q2": 2.204678, "q3": 10.0, "q4": 0.0675, "q5": 1.0, "q6": 0.1, "k": 0.4}
    q1, q2, q3, q4, q5, q6, k = (Parameter(name, value) for name, value in given.items())
    z = 1 - x - y - s
    return Problem(
        Model(
            "bykov",
            rates={
                x: 2 * q1 * z**2 - 2 * q5 * x**2 - q3 * x * y,
                y: q2 * z - q6 * y - q3 * x * y,
                s: q4 * z - k * q4 * s,
            },
        )
    )


def adaptive_control():
    x, y, z = free("x"), free("y"), free("z")
    alpha, beta = Parameter("alpha", 0.5), Parameter("beta", 1.0)
    return Problem(Model("adaptive", rates={x: y, y: z, z: -alpha * z - beta * y - x + x**2}))


def normal_form(rate_of_radius):
    """z' = (mu + 2 i) z + (sign) z |z|^2 in Cartesian coordinates."""
    x, y, mu = free("x"), free("y"), Parameter("mu", -0.1)
    r2 = x**2 + y**2
    rates = {x: mu * x - 2 * y + rate_of_radius * x * r2, y: 2 * x + mu * y + rate_of_radius * y * r2}
    return Problem(Model("normal_form", rates=rates))


def values_of(found, kind):
    return [p.value for p in found.of_kind(kind)]


def test_kuznetsov_over_sigma_has_its_folds_and_no_hopf_point_where_effectors_flow_in():
    start = steady_states(Problem(kuznetsov(scaled=True)), KUZNETSOV)
    assert len(start) == 4
    found = continue_branches(start.problem, "sigma", (0.0, 0.8), start=start)
    fold, transcritical = found.points
    assert (fold.kind, transcritical.kind) == ("fold", "transcritical")
    assert fold.value == pytest.approx(0.19377682306917787259, **TIGHT)
    assert fold["E"] == pytest.approx(0.46355447385464019815, **TIGHT)
    assert fold["T"] == pytest.approx(358.32687229381412037, **TIGHT)
    assert transcritical.value == pytest.approx(0.6123548, **TIGHT)
    assert transcritical["T"] == 0
    assert not found.of_kind("Hopf")
    assert fold.coefficients["opens"] == -1
    assert "two steady states below" in str(fold)


def test_kuznetsov_beyond_the_sign_of_the_influx():
    problem = Problem(kuznetsov(scaled=True))
    found = continue_branches(problem, "sigma", (-0.5, 0.8), box=KUZNETSOV)
    fold = found.of_kind("fold")[0]
    assert fold.value == pytest.approx(-0.41112973952874835442, **TIGHT)
    assert fold["T"] == pytest.approx(57.816645784879688169, **TIGHT)


def test_kuznetsov_over_delta():
    found = continue_branches(Problem(kuznetsov(scaled=True)), "delta", (0.0, 3.0), box=KUZNETSOV)
    assert values_of(found, "fold") == pytest.approx([0.19055870949886780085, 0.7441457796011565183], **TIGHT)
    upper = found.of_kind("fold")[1]
    assert [upper["E"], upper["T"]] == pytest.approx([1.4125310031034589111, 68.297370689651922037], **TIGHT)
    assert values_of(found, "transcritical") == pytest.approx([0.1181 / 1.636], **TIGHT)
    assert not found.of_kind("Hopf")


def test_stability_along_a_branch_is_that_of_its_steady_states():
    found = continue_branches(Problem(kuznetsov(scaled=True)), "delta", (0.0, 3.0), box=KUZNETSOV)
    at = {(round(s["E"], 3), round(s["T"], 2)): s.stability for s in steady_states(found.problem, KUZNETSOV)}
    seen = {}
    for branch in found:
        for i in range(len(branch) - 1):
            a, b = branch.values[i : i + 2]
            if min(a, b) <= 0.3743 < max(a, b):
                row = branch.states[i] + (0.3743 - a) / (b - a) * (branch.states[i + 1] - branch.states[i])
                key = min(at, key=lambda k: np.abs(np.array(k) - row).max())
                seen[key] = "stable" if branch.stable[i] else "unstable"
    assert seen == at


@pytest.mark.parametrize(
    ("p2", "hopf", "frequency", "folds"),
    [
        (14.0, [0.16504204532356095704], [1.0247563754052962478], []),
        (17.0, [0.12086571950938908786, 0.21708050969628930563], [0.65206331618843932223, 5.5294496499815725698],
         [0.11701475042670385864, 0.12190116081078291055]),
        (18.0, [0.11115348418986419043, 0.18383460798598742933], [0.54470809752557766951, 5.8054537366591825909],
         [0.099574136735727885959, 0.11156508007421491447]),
    ],
)  # fmt: skip
def test_the_reactor_of_auto(p2, hopf, frequency, folds):
    found = continue_branches(auto_ab(p2), "p1", (0.0, 0.25), start={"u1": 0, "u2": 0})
    assert values_of(found, "Hopf") == pytest.approx(hopf, **TIGHT)
    assert [p.frequency for p in found.of_kind("Hopf")] == pytest.approx(frequency, rel=1e-11)
    assert values_of(found, "fold") == pytest.approx(folds, **TIGHT)
    assert len(found) == 1
    assert not found.of_kind("transcritical")


def test_the_fishery_of_auto_branches_on_the_faces():
    found = continue_branches(
        auto_pp2(), "p1", (0.0, 1.0), start=[{"u1": 0, "u2": 0}], box={"u1": (-0.5, 2), "u2": (-0.5, 5)}
    )
    assert values_of(found, "fold") == pytest.approx([0.83292932223415685967], **TIGHT)
    assert values_of(found, "Hopf") == pytest.approx([0.67159384747883175205], **TIGHT)
    hopf = found.of_kind("Hopf")[0]
    assert [hopf["u1"], hopf["u2"]] == pytest.approx([1 / 3, 0.36576153597719046491], **TIGHT)
    assert hopf.frequency == pytest.approx(0.60478222194207268621, **TIGHT)
    second = 2 / 3 / (1 - np.exp(-5 / 3))  # u2 comes in where u1 = 1/3 on the face u2 = 0
    assert values_of(found, "transcritical") == pytest.approx([0.6, second], **TIGHT)
    assert len(found) == 3


def test_bykov():
    found = continue_branches(bykov(), "q2", (0.4, 3.0), start={"x": 0.0029538, "y": 0.76211, "s": 0.16781})
    assert values_of(found, "Hopf") == pytest.approx([1.0409915695326162863, 1.0515574624577303969], **TIGHT)
    frequencies = [p.frequency for p in found.of_kind("Hopf")]
    assert frequencies == pytest.approx([0.059106147935775355786, 0.050740344896786340569], **TIGHT)
    assert values_of(found, "fold") == pytest.approx([1.0420485053785266593, 1.0522002878699546925], **TIGHT)
    low, high = found.of_kind("fold")
    assert (low.coefficients["opens"], high.coefficients["opens"]) == (1, -1)


def test_adaptive_control():
    found = continue_branches(adaptive_control(), "alpha", (0.2, 2.0), start=[{"x": 0, "y": 0, "z": 0}])
    (hopf,) = found.points
    assert (hopf.kind, hopf.value, hopf.frequency) == ("Hopf", pytest.approx(1.0, **TIGHT), pytest.approx(1.0, **TIGHT))
    assert hopf.coefficients["l1"] < 0  # supercritical, Kuznetsov (2004), example 5.4


@pytest.mark.parametrize("sign", [-1, 1])
def test_first_lyapunov_coefficient_of_the_normal_form(sign):
    found = continue_branches(normal_form(sign), "mu", (-0.5, 0.5), start=[{"x": 0, "y": 0}])
    (hopf,) = found.points
    # with q = (1, -i)/sqrt(2): x + i y = sqrt(2) z, so c1 = 2 sign and l1 = c1/omega
    assert hopf.coefficients == pytest.approx({"l1": 2 * sign / 2, "crossing": 1.0}, **TIGHT)
    assert ("supercritical" if sign < 0 else "subcritical") in str(hopf)


@pytest.mark.parametrize("sign", [-1, 1])
def test_first_lyapunov_coefficient_through_curved_coordinates_and_a_slaved_state(sign):
    u, v, w, mu = free("u"), free("v"), free("w"), Parameter("mu", -0.1)
    x, y = u + 0.3 * u * v - 0.7 * v**2, v + 0.5 * u**2 + 0.2 * u * v
    r2 = x**2 + y**2
    by_xy = sp.Matrix([mu * x - 2 * y + sign * x * w, 2 * x + mu * y + sign * y * w])
    by_uv = sp.Matrix([x, y]).jacobian([u, v]).inv() * by_xy
    problem = Problem(Model("bent", rates={u: by_uv[0], v: by_uv[1], w: 5 * (r2 - w)}))
    (hopf,) = continue_branches(problem, "mu", (-0.5, 0.5), start=[{"u": 0, "v": 0, "w": 0}]).points
    assert hopf.value == pytest.approx(0, abs=1e-12)
    assert hopf.coefficients["l1"] == pytest.approx(2 * sign / 2, rel=1e-10)  # w follows r2, so r' = mu r + sign r^3


@pytest.mark.parametrize("sign", [-1, 1])
def test_pitchfork_with_its_arms_and_coefficient(sign):
    x, mu = free("x"), Parameter("mu", -0.5)
    problem = Problem(Model("pitchfork", rates={x: mu * x + sign * 3 * x**3}))
    found = continue_branches(problem, "mu", (-1.0, 1.0), start=[{"x": 0}])
    (point,) = found.points
    assert point.kind == "pitchfork"
    assert point.value == pytest.approx(0, abs=1e-12)
    assert point.coefficients["c"] == pytest.approx(3 * sign, **TIGHT)
    assert len(found) == 2
    arms = found[1]
    assert arms["x"].min() == pytest.approx(-np.sqrt(1 / 3))
    assert arms["x"].max() == pytest.approx(np.sqrt(1 / 3))
    assert (np.delete(arms.unstable, list(arms.places)) == (0 if sign < 0 else 1)).all()


def test_fold_coefficients_of_a_quadratic():
    x, mu = free("x", 1.0), Parameter("mu", -1.0)
    found = continue_branches(Problem(Model("quadratic", rates={x: 2 * mu + 3 * x**2})), "mu", (-2, 1),
                              start={"x": -np.sqrt(2 / 3)})  # fmt: skip
    (fold,) = found.points
    assert fold.value == pytest.approx(0, abs=1e-12)
    assert fold.coefficients == {"a": pytest.approx(3.0), "b": pytest.approx(2.0), "opens": -1}


def test_kirschner_panetta_over_nine_decades_of_size():
    problem = Problem(kirschner_panetta(), parameters={"c": 2e-5})
    start = steady_states(problem, dict.fromkeys("ETI", (0, 1e9)))
    found = continue_branches(problem, "c", (1e-6, 0.05), start=start)
    (fold,), (hopf,) = found.of_kind("fold"), found.of_kind("Hopf")
    assert fold.value == pytest.approx(8.55204e-5, rel=1e-6)
    assert fold["T"] == pytest.approx(9.6526e8, rel=1e-5)
    assert hopf.value == pytest.approx(0.0324644, rel=2e-6)
    assert hopf.frequency == pytest.approx(0.0670565, rel=1e-6)
    assert hopf.period == pytest.approx(93.7, rel=1e-3)
    assert hopf.coefficients["l1"] < 0
    assert hopf.coefficients["crossing"] < 0


FOLDS = {0: (1.002801, 39.055), 5: (0.858466, 90.949), 10: (0.779284, 118.992), 20: (0.673392, 155.256),
         30: (0.599105, 179.001), 50: (0.495803, 206.718), 100: (0.359733, 206.244)}  # fmt: skip


@pytest.mark.parametrize("blocker", FOLDS)
def test_folds_of_the_paracrine_loop(blocker):
    found = continue_branches(Problem(paracrine_loop()).at_constant(e=0.2, B=float(blocker)), "e", (0.0, 1.2))
    fold = found.of_kind("fold")[-1]
    assert (fold.value, fold["T"]) == pytest.approx(FOLDS[blocker], rel=2e-6, abs=5e-4)
    assert values_of(found, "transcritical") == pytest.approx([0.333893], abs=5e-7)
    lower = [p for p in found.of_kind("fold") if p["T"] < fold["T"]]
    assert len(lower) == (1 if blocker > 27.501 else 0)  # subcritical from there on


def test_conserved_totals_are_kept_and_their_zero_eigenvalue_is_not_counted():
    A, D = State("A", 3.0), State("D", 1.0)
    k, back, up = Parameter("k", 1.0), Parameter("back", 0.5), Parameter("up", 0.2)
    model = Model("switch", transfers={(A, D): k * A, (D, A): (back + up * D) * D})
    found = continue_branches(Problem(model), "k", (0.1, 4.0), start={"A": 2.0, "D": 2.0})
    (branch,) = found
    assert branch["A"] + branch["D"] == pytest.approx(np.full(len(branch), 4.0), rel=1e-12)
    assert branch.stable.all()
    a, d, value = branch["A"], branch["D"], branch["k"]
    assert value * a == pytest.approx((0.5 + 0.2 * d) * d, rel=1e-10)


def test_a_branch_indexes_prints_pickles_exports_and_is_drawn():
    problem = Problem(paracrine_loop()).at_constant(e=0.2)
    found = continue_branches(problem, "e", (0.0, 1.2))
    branch = max(found, key=lambda b: b["T"].max())
    assert branch["burden"] == pytest.approx(branch["T"])
    again = pickle.loads(pickle.dumps(found))
    assert str(again) == str(found)
    assert np.array_equal(again[0].values, found[0].values)
    table = found.to_pandas()
    assert len(table) == sum(map(len, found))
    assert {"e", "T", "burden", "stable", "branch"} <= set(table.columns)
    assert "fold at e = 1.0028" in str(branch)
    assert branch.at(0.6)[0]["T"] == pytest.approx(364.955, rel=0.01)
    ax = plot(found)
    solid, dashed = (line.get_xydata() for line in ax.get_lines()[:2])
    fold = found.of_kind("fold")[0]
    assert np.nanmax(solid[:, 0][solid[:, 1] > 1]) == pytest.approx(fold.value)  # both reach the fold
    assert np.nanmax(dashed[:, 0]) == pytest.approx(fold.value)
    assert ax.get_xlabel() == "effect of chemotherapy, 0 to 1, e"


def test_a_continuum_at_one_value_is_noted_and_what_lies_beyond_it_is_found():
    problem = Problem(selective_kill())
    found = continue_branches(problem, "u", (0.0, 1.0), start={"S": 0, "R": 0})
    assert [p.kind for p in found.points].count("transcritical") == 1
    assert found.of_kind("transcritical")[0].value == pytest.approx(0.5, **TIGHT)
    assert not found.of_kind("fold")
    assert "a continuum of steady states at u = 0" in found.notes
    resistant = [b for b in found if b["R"].min() == pytest.approx(1.0)]
    assert len(resistant) == 1
    assert resistant[0].stable[5:].all()


def test_the_larger_of_two_has_derivatives_and_a_branch_through_its_kink():
    x, p = State("x", 0.5, bounds=(0, 2)), Parameter("p", 1.0)
    problem = Problem(Model("kink", rates={x: sp.Max(0, p - sp.Rational(1, 2)) ** 2 - x}))
    (branch,) = continue_branches(problem, "p", (0.6, 1.5), start={"x": 0.25})
    assert branch["x"] == pytest.approx((branch.values - 0.5) ** 2, abs=1e-10)
    assert branch.stable.all()


def test_check_complete_finds_the_curve_that_no_branch_point_joins():
    problem = Problem(kirschner_panetta(), parameters={"c": 2e-5})
    box = dict.fromkeys("ETI", (0, 1e9))
    found = continue_branches(problem, "c", (1e-6, 0.05), start={"E": 0, "T": 0, "I": 0})
    assert len(found) == 1
    assert not found.points
    checked = check_complete(found, [2e-5, 0.035], box=box)
    assert len(checked) == 3
    assert [p.kind for p in checked.points] == ["fold", "Hopf"]
    assert "2 branches were missed" in checked.notes[0]
    assert "all on the branches" in checked.notes[1]


def test_refusals_name_what_is_wrong():
    problem = Problem(kuznetsov(scaled=True))
    start = {"E": 1.6, "T": 8.2}
    with pytest.raises(ProblemError, match="did you mean 'sigma'"):
        continue_branches(problem, "sigmaa", (0, 1), start=start)
    with pytest.raises(ProblemError, match="outside the span"):
        continue_branches(problem, "sigma", (0.5, 1), start=start)
    with pytest.raises(ProblemError, match="low has to be less"):
        continue_branches(problem, "sigma", (1, 0), start=start)
    with pytest.raises(ProblemError, match="no value of T"):
        continue_branches(problem, "sigma", (0, 1), start={"E": 1.6})
    with pytest.raises(KeywordError, match="max_step"):
        continue_branches(problem, "sigma", (0, 1), start=start, max_steps=0.1)
    pulsed = Problem(paracrine_loop(), treatment=Treatment.intermittent({"e": 1.0}, on=7, off=7))
    with pytest.raises(ProblemError, match="changes in time"):
        continue_branches(pulsed, "B", (0, 1))


@pytest.mark.parametrize(
    ("model", "over"),
    [
        (clonal_relapse, "u"), (dose_window, "delta"), (greene, "u"), (paracrine_invasion, "e"), (paracrine_loop, "e"),
        (mdsc_expansion, "tumour"), (selective_kill, "u"), (logistic_growth, "K"),
    ],
)  # fmt: skip
def test_branches_of_the_catalogue_hold_every_steady_state(model, over):
    """Between its ends no branch misses a steady state that the search at other values of the parameter finds."""
    problem = Problem(model())
    value = problem.parameters.get(over, 0.0)
    span = (value / 4, value * 3) if value else (0.0, 1.0)
    found = continue_branches(problem, over, span, start=steady_states(problem, n_starts=60))
    low, high = span
    checked = check_complete(found, [low + 0.15 * (high - low), low + 0.83 * (high - low)])
    assert len(checked) == len(found)
    for branch in found:
        assert not any("small" in end or "most" in end for end in branch.ends)


PLAIN = """
import sys
sys.modules["numba"] = None
from remission.analysis import continue_branches
from remission.analysis.continuation import machine
from remission.models import kuznetsov
from remission.solvers import Problem
found = continue_branches(Problem(kuznetsov(scaled=True)), "sigma", (0.0, 0.8),
                          start=[{"E": 1.6, "T": 8.2}, {"E": 0.173, "T": 447.1}])
print(machine.COMPILED, [(p.kind, round(p.value, 10)) for p in found.points])
"""


def test_without_numba_the_same_points_are_found():
    printed = subprocess.run([sys.executable, "-c", PLAIN], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "False [('fold', 0.1937768231), ('transcritical', 0.6123548)]"
