"""Folds, transcritical and Hopf points proved: published digits in the enclosures, forged certificates rejected."""

import copy
import json

import numpy as np
import pytest
import sympy as sp

from remission import models
from remission.analysis import (
    certified_points,
    certify_fold,
    certify_hopf,
    certify_transcritical,
    steady_states,
    verify,
)
from remission.models import Model, Parameter, ProblemError, State
from remission.models.errors import CertificateError
from remission.solvers import Problem

pytestmark = pytest.mark.optional


def holds(enclosure, digits):
    """Whether an enclosure holds a decimal number of which the last digit is uncertain."""
    value, unit = sp.Rational(digits), sp.Rational(1, 10 ** len(digits.partition(".")[2]))
    low, high = (sp.Rational(v) for v in enclosure)
    return low - unit <= value <= high + unit


def problem_of(name, values, states, rates, **changes):
    k = {n: Parameter(n, v) for n, v in values.items()}
    s = {n: State(n, 0.1, kind="other", bounds=b) for n, b in states.items()}
    written = rates(*s.values(), **k)
    return Problem(Model(name, rates=dict(zip(s.values(), written, strict=True))), parameters=changes)


def kuznetsov(**changes):
    values = {
        "sigma": 0.1181,
        "rho": 1.131,
        "eta": 20.19,
        "mu": 0.00311,
        "delta": 0.3743,
        "alpha": 1.636,
        "beta": 0.002,
    }

    def rates(x, y, sigma, rho, eta, mu, delta, alpha, beta):
        return sigma + rho * x * y / (eta + y) - mu * x * y - delta * x, alpha * y * (1 - beta * y) - x * y

    return problem_of("kuznetsov", values, {"x": (0, 50), "y": (0, 1000)}, rates, **changes)


def bykov(**changes):
    values = {"q1": 2.5, "q2": 1.05, "q3": 10.0, "q4": 0.0675, "q5": 1.0, "q6": 0.1, "k": 0.4}

    def rates(x, y, s, q1, q2, q3, q4, q5, q6, k):
        z = 1 - x - y - s
        return 2 * q1 * z**2 - 2 * q5 * x**2 - q3 * x * y, q2 * z - q6 * y - q3 * x * y, q4 * z - k * q4 * s

    return problem_of("bykov", values, dict.fromkeys("xys", (0, 1)), rates, **changes)


def ab(**changes):
    def rates(u1, u2, p1, p2, p3):
        e = sp.exp(u2)
        return -u1 + p1 * (1 - u1) * e, -u2 + p1 * p2 * (1 - u1) * e - p3 * u2

    return problem_of("ab", {"p1": 0.1, "p2": 14.0, "p3": 3.0}, {"u1": (0, 2), "u2": (0, 10)}, rates, **changes)


def pp2():
    def rates(u1, u2, p1, p2, p3, p4):
        return p2 * u1 * (1 - u1) - u1 * u2 - p1 * (1 - sp.exp(-p3 * u1)), -u2 + p4 * u1 * u2

    values = {"p1": 0.5, "p2": 3.0, "p3": 5.0, "p4": 3.0}
    return problem_of("pp2", values, {"u1": (0, 2), "u2": (0, 2)}, rates)


def loop(B=20.0):
    return Problem(models.paracrine_loop()).at_constant(B=B)


LOOP = {"T": 155.3, "F": 0.673, "X": 45.0, "M": 0.7, "P": 1.4}

# 40-digit Newton steps on the defining system, of the models' decimal parameters (AUTO's demos ab and pp2; the
# catalytic oscillator of the MatCont manual)
POINTS = [
    (certify_fold, kuznetsov, {}, "sigma", (0.46, 358.0), "0.19377682306917787259", "stable"),
    (certify_fold, kuznetsov, {}, "delta", (1.41, 68.0), "0.7441457796011565183", "stable"),
    (certify_fold, kuznetsov, {}, "delta", (0.36, 390.0), "0.19055870949886780085", "stable"),
    (certify_transcritical, kuznetsov, {}, "sigma", (1.6, 0.0), "0.6123548", "stable"),
    (certify_fold, bykov, {}, "q2", (0.0247, 0.45, 0.375), "1.0420485053785266593", "unstable"),
    (certify_fold, bykov, {}, "q2", (0.054, 0.302, 0.46), "1.0522002878699546925", "unstable"),
    (certify_hopf, bykov, {}, "q2", (0.0164, 0.524, 0.328), "1.0515574624577303969", "stable"),
    (certify_hopf, bykov, {}, "q2", (0.078, 0.233, 0.492), "1.0409915695326162863", "stable"),
    (certify_hopf, ab, {"p2": 14.0}, "p1", (0.406, 1.42), "0.16504204532356095704", "stable"),
    (certify_fold, ab, {"p2": 17.0}, "p1", (0.37, 1.9), "0.12190116081078291055", "undecided"),
    (certify_fold, ab, {"p2": 18.0}, "p1", (0.333, 1.5), "0.11156508007421491447", "undecided"),
    (certify_fold, ab, {"p2": 18.0}, "p1", (0.667, 3.0), "0.099574136735727885959", "undecided"),
    (certify_fold, pp2, {}, "p1", (0.411, 0.0), "0.83292932223415685967", "unstable"),
    (certify_transcritical, pp2, {}, "p1", (0.333, 0.0), "0.82190", "undecided"),
    (certify_hopf, pp2, {}, "p1", (0.333, 0.366), "0.67159384747883175205", "stable"),
]


@pytest.mark.parametrize(("how", "make", "changes", "of", "guess", "digits", "others"), POINTS)
def test_published_digits(how, make, changes, of, guess, digits, others):
    point = how(make(**changes), of, guess, float(digits) * 1.001)
    assert holds(point.enclosure, digits)
    assert point.relative_width < 1e-10
    assert others in ("undecided", point.others)
    assert all(low > 0 or high < 0 for low, high in point.intervals.values())
    assert verify(json.loads(json.dumps(point.certificate)))


def test_signs_of_a_fold_by_hand():
    """x' = p - x^2 + q x^3 near 0: a = 1, b = -1, two states above."""
    problem = problem_of("fold", {"p": 0.1, "q": 0.3}, {"x": (-1, 1)}, lambda x, p, q: (p - x**2 + q * x**3,))
    point = certify_fold(problem, "p", (0.05,), 0.01)
    assert point.opens == 1
    assert point.others == "stable"
    assert point.enclosure[0] <= 0 <= point.enclosure[1]
    assert point.coefficients == pytest.approx({"a": 1.0, "b": -1.0})


@pytest.mark.parametrize(("q", "criticality"), [(0.5, "subcritical"), (-0.5, "supercritical")])
def test_criticality_by_hand(q, criticality):
    """x' = x (p + q x + z), z' = -z + x/4: on the face b = 1, and c = q + 1/4 with the driven z."""
    problem = problem_of("normal", {"p": 0.1, "q": q}, {"x": (0, 1), "z": (0, 1)},
                         lambda x, z, p, q: (x * (p + q * x + z), -z + x / 4))  # fmt: skip
    point = certify_transcritical(problem, "p", (0.0, 0.0), 0.01, absent=["x"])
    assert point.coefficients == pytest.approx({"b": 1.0, "c": q + 0.25})
    assert point.criticality == criticality
    assert point.state == {"x": 0.0, "z": pytest.approx(0.0, abs=1e-12)}


def switching():
    """Two phenotypes that turn into each other, neither of which divides its own equation."""

    def rates(a, b, growth, kill, on, off):
        room = 1 - a - b
        return a * (growth * room - kill) - on * a + off * b, b * (growth * room / 2) + on * a - off * b - b / 10

    return problem_of(
        "switching", {"growth": 0.5, "kill": 0.2, "on": 0.1, "off": 0.05}, {"a": (0, 1), "b": (0, 1)}, rates
    )


def test_clones_that_turn_into_each_other():
    """The larger eigenvalue of the 2x2 growth matrix is zero where its determinant is: kill = g - on + on off/(...)."""
    point = certify_transcritical(switching(), "kill", (0.0, 0.0), 0.4)
    g, on, off = (sp.Rational(v) for v in (0.5, 0.1, 0.05))
    lower = g / 2 - off - sp.Rational(1, 10)
    exact = g - on - on * off / lower
    low, high = (sp.Rational(v) for v in point.enclosure)
    assert low - sp.Rational(1, 10**16) <= exact <= high + sp.Rational(1, 10**16)
    assert point.absent == ("a", "b")
    assert verify(point.certificate)


def test_loop():
    """The table of the paracrine loop, and the exact doses at which T = 0 changes."""
    table = {0.0: (1.002801, 39.055), 20.0: (0.673392, 155.256), 100.0: (0.359733, 206.244)}
    for B, (e, T) in table.items():
        guess = LOOP | {"T": T, "F": e, "P": 1.5 if B else 1.0}
        point = certify_fold(loop(B), "e", guess, e)
        assert point.value == pytest.approx(e, abs=5e-7)
        assert point["T"] == pytest.approx(T, abs=5e-4)
        assert point.others == "stable"
        assert point.opens == -1
    below, above = (
        certify_transcritical(loop(B), "e", {"T": 0, "F": 0.33, "X": 0, "M": 0.02, "P": 0.04}, 0.33)
        for B in (27.4, 27.6)
    )
    assert below.value == pytest.approx(0.333893, abs=5e-7)
    assert (below.criticality, above.criticality) == ("subcritical", "supercritical")


def test_kirschner_panetta():
    problem = Problem(models.kirschner_panetta())
    point = certify_hopf(problem, "c", (21600.0, 19900.0, 10300.0), 0.0325)
    assert point.value == pytest.approx(0.0324644, abs=5e-8)
    assert point.coefficients["omega"] == pytest.approx(0.0670565, abs=5e-8)
    assert 2 * np.pi / point.coefficients["omega"] == pytest.approx(93.70, abs=5e-3)


def test_a_conserved_total():
    """x + z is kept: x' = x (p z - 1), z' = -x': at p = 1/total the state x = 0 changes."""
    x, z, p = State("x", 0.25), State("z", 0.5), Parameter("p", 1.0)
    rate = x * (p * z - 1)
    point = certify_transcritical(Problem(Model("kept", rates={x: rate, z: -rate})), "p", (0.0, 0.75), 1.3)
    assert point.value == pytest.approx(4 / 3, rel=1e-14)
    assert point["z"] == pytest.approx(0.75)
    assert point.criticality == "supercritical"
    assert verify(point.certificate)


@pytest.mark.parametrize(
    ("how", "changes", "of", "guess", "value"),
    [
        (certify_fold, {"sigma": 0.94247308135203415}, "delta", (1.19, 136.125), 1.3531644516511567),  # a cusp
        (certify_transcritical, {}, "sigma", (1.6, 8.0), 0.6),  # on no face
        (certify_hopf, {}, "sigma", (0.76, 267.0), 0.15),  # a neutral saddle at most
    ],
)
def test_what_is_not_there_is_not_proved(how, changes, of, guess, value):
    with pytest.raises(CertificateError):
        how(kuznetsov(**changes), of, guess, value)


def test_faults_of_the_caller():
    with pytest.raises(ProblemError, match="sigma"):
        certify_fold(kuznetsov(), "sigmma", (0.46, 358.0), 0.19)
    with pytest.raises(ProblemError, match="no state 'y'"):
        certify_fold(kuznetsov(), "sigma", {"x": 0.46}, 0.19)


# --- all of them ------------------------------------------------------------------------------------------------------


def summary(found):
    """Kinds in order, and (states, stable ones) between the points."""
    return [p.kind for p in found], [(s.count, s.stabilities.count("stable")) for s in found.stretches]


@pytest.mark.parametrize(
    ("make", "of", "within", "kinds", "between"),
    [
        (kuznetsov, "sigma", (0.001, 1.0), ["fold", "transcritical"], [(4, 2), (2, 1), (1, 1)]),
        (kuznetsov, "delta", (0.01, 1.0), ["transcritical", "fold", "fold"], [(1, 1), (2, 1), (4, 2), (2, 1)]),
        (bykov, "q2", (0.5, 1.5), ["Hopf", "fold", "Hopf", "fold"], [(1, 1), (1, 0), (3, 0), (3, 1), (1, 1)]),
        (ab, "p1", (0.01, 0.5), ["Hopf", "Hopf"], [(1, 1), (1, 0), (1, 1)]),
    ],
)
def test_exactly_these_points(make, of, within, kinds, between):
    found = certified_points(make(), of, within)
    assert found.complete
    assert summary(found) == (kinds, between)
    assert all(s.stable_throughout for s in found.stretches)
    assert not found.undecided
    assert not found.leaving


def test_loop_over_the_dose():
    """At B = 50 a second fold lies just under the transcritical point: three points, up to four states."""
    found = certified_points(loop(50.0), "e", (0.0, 1.2))
    assert found.complete
    assert summary(found) == (["fold", "transcritical", "fold"], [(2, 1), (4, 2), (3, 2), (1, 1)])
    assert [p.value for p in found] == pytest.approx([0.33350898, 0.33389315, 0.49580297], abs=1e-8)


def test_kirschner_panetta_in_a_wide_box():
    """The published fold at c = 8.55e-5 and Hopf point at 0.0325, and no other."""
    box = {"E": (0, 1e8), "T": (0, 1.1e9), "I": (0, 1e8)}
    found = certified_points(Problem(models.kirschner_panetta()), "c", (1e-5, 0.05), box)
    assert found.complete
    assert [p.kind for p in found] == ["fold", "Hopf"]
    assert found[0].value == pytest.approx(8.55204e-5, rel=1e-6)
    assert found[0]["T"] == pytest.approx(9.6527e8, rel=1e-4)
    assert found[1].value == pytest.approx(0.0324644, abs=5e-8)


def test_states_that_may_be_negative():
    """x' = x (p + q x - x^2), x from -1 to 1: fold at p = -q^2/4 on the side of q, transcritical at 0."""
    values = {"p": 0.1, "q": -0.25}
    problem = problem_of("both", values, {"x": (-1, 1)}, lambda x, p, q: (x * (p + q * x - x**2),))
    found = certified_points(problem, "p", (-0.2, 0.5))
    assert found.complete
    assert summary(found) == (["fold", "transcritical"], [(1, 1), (3, 2), (3, 2)])
    assert found[0].enclosure[0] <= -(0.25**2) / 4 <= found[0].enclosure[1]
    assert found[0]["x"] == pytest.approx(-0.125)
    assert verify(found.certificate)


def test_what_is_not_decided_is_said():
    """u1 = 0 does not divide its equation as it is written, so its branch point at p1 = p2/p3 looks degenerate."""
    found = certified_points(pp2(), "p1", (0.1, 1.0))
    assert not found.complete
    assert [b["p1"][0] <= 0.6 <= b["p1"][1] for b in found.undecided] == [True]
    assert "not decided near p1 = 0.6" in str(found)
    assert [p.kind for p in found] == ["Hopf", "transcritical", "fold"]


def test_a_state_that_leaves_the_box_is_said():
    found = certified_points(kuznetsov(), "sigma", (0.001, 0.15), {"x": (0, 2.0), "y": (0, 440)})
    assert [(name, side) for name, side, _ in found.leaving] == [("y", "upper")]
    low, high = found.leaving[0][2]
    at = steady_states(kuznetsov(sigma=0.5 * (low + high)), {"x": (0, 2.0), "y": (0, 500)})
    assert max(s["y"] for s in at) == pytest.approx(440)


def test_a_block_of_five_states_has_no_pairs():
    """Folds and transcritical points are complete, Hopf points are not, and stabilities hold in the middle."""
    a = Parameter("a", 1.5)
    s = [State(f"x{i}", 0.5, kind="other", bounds=(0, 4)) for i in range(5)]
    ring = Problem(Model("ring", rates={s[i]: a / (1 + s[i - 1] ** 2) - s[i] for i in range(5)}))
    assert not certified_points(ring, "a", (0.5, 1.5)).complete
    found = certified_points(ring, "a", (0.5, 1.5), kinds=("fold", "transcritical"))
    assert found.complete
    assert [(s.count, s.stable_throughout) for s in found.stretches] == [(1, False)]


def test_little_time_is_said():
    found = certified_points(bykov(), "q2", (0.5, 1.5), time_limit=1e-6)
    assert not found.complete
    assert any("time" in note for note in found.notes)


def test_a_range_for_the_loop():
    """Which cells could not decide: with F = e at the edge of its box, and the fold."""
    found = steady_states(loop(), {"F": (0, 1.3)}, over={"e": (0.0, 1.2)})
    assert [c.count for c in found.cells if c.count is not None] == [2, 3, 1]
    assert sum(high - low for c in found.undecided for low, high in c.ranges.values()) < 1e-8


def test_faults_of_a_range():
    with pytest.raises(ProblemError, match="finite"):
        certified_points(kuznetsov(), "sigma", (0.5, 0.1))
    with pytest.raises(ProblemError, match=r"kind 'folds'.*fold"):
        certified_points(kuznetsov(), "sigma", (0.1, 0.5), kinds=("folds",))
    with pytest.raises(ProblemError, match="box names 'z'"):
        certified_points(kuznetsov(), "sigma", (0.1, 0.5), {"z": (0, 1)})


# --- forged certificates ----------------------------------------------------------------------------------------------


def moved(pair, by):
    return [(float.fromhex(v) * (1 + by)).hex() for v in pair]


def forge(c, what):
    if what == "shifted enclosure":
        c["enclosure"][-1] = moved(c["enclosure"][-1], 1e-11)
    elif what == "shifted region":
        c["region"] = [moved(side, 1e-3) for side in c["region"]]
        c["enclosure"] = [moved(side, 1e-3) for side in c["enclosure"]]
    elif what == "widened":
        wide = [[(float.fromhex(v) + s * (abs(float.fromhex(v)) + 1)).hex() for v, s in zip(side, (-1, 1), strict=True)]
                for side in c["region"]]  # fmt: skip
        c["region"] = c["enclosure"] = wide
    elif what == "enclosure outside the region":
        c["enclosure"] = [moved(side[:1], -1e-2) + moved(side[1:], 1e-2) for side in c["region"]]
    elif what == "wrong sign":
        name = sorted(c["coefficients"])[-1]
        c["coefficients"][name] = [(-float.fromhex(v)).hex() for v in reversed(c["coefficients"][name])]
    elif what == "wrong parameter":
        name = sorted(c["parameters"])[0]
        c["parameters"][name] = moved(c["parameters"][name], 1e-6)
    elif what == "moves another":
        c["of"], c["parameters"] = "alpha", {n: v for n, v in c["parameters"].items() if n != "alpha"}
        c["parameters"]["sigma"] = c["enclosure"][-1]
    elif what == "other kind":
        c["kind"] = "transcritical" if c["kind"] == "fold" else "fold"
    elif what == "others":
        c["others"] = {"stable": "unstable", "unstable": "stable"}[c["others"]]
    elif what == "absent":
        c["present"], c["absent"] = c["absent"] + c["present"][1:], c["present"][:1]
    elif what == "normals":
        c["normals"] = c["normals"][:-1]
    return c


FORGERIES = ["shifted enclosure", "shifted region", "widened", "enclosure outside the region", "wrong sign",
             "wrong parameter", "moves another", "other kind", "others", "absent", "normals"]  # fmt: skip


@pytest.fixture(scope="module")
def certificates():
    return {
        "fold": certify_fold(kuznetsov(), "sigma", (0.46, 358.0), 0.194).certificate,
        "transcritical": certify_transcritical(kuznetsov(), "sigma", (1.6, 0.0), 0.6).certificate,
        "Hopf": certify_hopf(bykov(), "q2", (0.0164, 0.524, 0.328), 1.05).certificate,
    }


@pytest.mark.parametrize("what", FORGERIES)
@pytest.mark.parametrize("kind", ["fold", "transcritical", "Hopf"])
def test_a_forged_certificate_is_rejected(certificates, kind, what):
    if kind == "Hopf" and what == "moves another":
        what = "wrong parameter"
    forged = forge(copy.deepcopy(certificates[kind]), what)
    checked = verify(forged)
    assert not checked
    assert checked.reasons


# --- certificates that these are all ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole():
    return json.loads(json.dumps(certified_points(loop(50.0), "e", (0.0, 1.2)).certificate))


def test_that_they_are_all_is_verified(whole):
    checked = verify(whole)
    assert checked
    assert str(checked).startswith("verified: 3 special points")


@pytest.mark.parametrize(("make", "of", "within"), [(kuznetsov, "sigma", (0.001, 1.0)), (ab, "p1", (0.01, 0.5))])
def test_others_that_are_all(make, of, within):
    assert verify(certified_points(make(), of, within).certificate)


def spoil(c, what):
    if what == "a point is left out":
        c["points"] = c["points"][1:]
    elif what == "a point of another problem":
        c["points"][0]["parameters"] = c["points"][0]["parameters"] | {"r": ["0x1p-3", "0x1p-3"]}
    elif what == "no folds":
        c["events"] = [e for e in c["events"] if e["kind"] != "fold"]
    elif what == "no pairs":
        c["events"] = [e for e in c["events"] if e["kind"] != "Hopf"]
    elif what == "a case is left out":
        c["cases"] = c["cases"][1:]
    elif what == "a smaller box":
        event = next(e for e in c["events"] if e["kind"] == "fold" and "T" in e["part"]["divided"])
        event["box"]["T"] = [(10.0).hex(), event["box"]["T"][1]]
    elif what == "a box that is not empty":
        event = next(e for e in c["events"] if e["kind"] == "fold" and "T" in e["part"]["divided"])
        event["part"] |= {"kinds": [-1], "points": [(0.0).hex()], "regions": [], "enclosures": []}
    elif what == "other parameters":
        c["parameters"]["kap"] = moved(c["parameters"]["kap"], 1e-3)
    return c


@pytest.mark.parametrize(
    "what",
    ["a point is left out", "a point of another problem", "no folds", "no pairs", "a case is left out",
     "a smaller box", "a box that is not empty", "other parameters"],
)  # fmt: skip
def test_a_spoilt_certificate_is_rejected(whole, what):
    checked = verify(spoil(copy.deepcopy(whole), what), 5.0)
    assert not checked
    assert checked.reasons


def test_no_certificate_where_they_are_not_all():
    with pytest.raises(CertificateError, match=r"not decided near p1 = 0\.6"):
        certified_points(pp2(), "p1", (0.1, 1.0)).certificate  # noqa: B018
