"""Steady states that are proved: published values in the enclosures, none missed, certificates and their checker."""

import copy
import itertools
import json

import numpy as np
import pytest
import sympy as sp

from remission import models
from remission.analysis import steady_states, verify
from remission.models import Model, Parameter, ProblemError, State
from remission.models.errors import CertificateError
from remission.solvers import Problem

pytestmark = pytest.mark.optional


def holds(enclosure, digits):
    """Whether an enclosure holds a decimal number of which the last digit is uncertain."""
    value, unit = sp.Rational(digits), sp.Rational(1, 10 ** len(digits.partition(".")[2]))
    low, high = (sp.Rational(v) for v in enclosure)
    return low - unit <= value <= high + unit


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
    k = {name: Parameter(name, value) for name, value in values.items()}
    x, y = State("x", 0.32, kind="immune", bounds=(0, 50)), State("y", 5.0, bounds=(0, 1000))
    rates = {
        x: k["sigma"] + k["rho"] * x * y / (k["eta"] + y) - k["mu"] * x * y - k["delta"] * x,
        y: k["alpha"] * y * (1 - k["beta"] * y) - x * y,
    }
    return Problem(Model("kuznetsov", rates=rates, time_unit="1"), parameters=changes)


def bykov(**changes):
    values = {"q1": 2.5, "q2": 1.05, "q3": 10.0, "q4": 0.0675, "q5": 1.0, "q6": 0.1, "k": 0.4}
    q = {name: Parameter(name, value) for name, value in values.items()}
    x, y, s = (State(n, 0.1, kind="other", bounds=(0, 1)) for n in "xys")
    z = 1 - x - y - s
    rates = {
        x: 2 * q["q1"] * z**2 - 2 * q["q5"] * x**2 - q["q3"] * x * y,
        y: q["q2"] * z - q["q6"] * y - q["q3"] * x * y,
        s: q["q4"] * z - q["k"] * q["q4"] * s,
    }
    return Problem(Model("bykov", rates=rates), parameters=changes)


def clones(count, rng=None):
    """Clones in one niche with a mutation chain, a signal they make and myeloid cells that protect them."""

    def draw(low, high, default):
        return default if rng is None else float(rng.uniform(low, high))

    n = [State(f"n{i}", 0.1, bounds=(0, 1.2)) for i in range(count)]
    c, m = State("c", 0.1, kind="signal", bounds=(0, 12)), State("m", 0.1, kind="immune", bounds=(0, 12))
    r = [Parameter(f"r{i}", draw(0.4, 1.2, 1.0 - 0.1 * i)) for i in range(count)]
    kill = [Parameter(f"k{i}", draw(0.05, 1.2, (1.0, 0.6, 0.3, 0.15, 0.1)[i])) for i in range(count)]
    s, g = Parameter("s", draw(1, 10, 5.0)), Parameter("g", 2.0)
    q, b, eps = Parameter("q", draw(0.3, 3, 1.2)), Parameter("b", 0.5), Parameter("eps", draw(0.3, 0.95, 0.7))
    mu, d = Parameter("mu", 10 ** draw(-6, -2, -3.0)), Parameter("d", draw(0.2, 1.2, 0.6))
    total = sum(n)
    rates = {
        x: r[i] * x * (1 - total) - kill[i] * d * (1 - eps * m / (1 + m)) * x
        + (mu * n[i - 1] if i else 0) - (mu * x if i < count - 1 else 0)
        for i, x in enumerate(n)
    }  # fmt: skip
    return Problem(Model("clones", rates=rates | {c: s * total - g * c, m: q * c / (1 + c) - b * m}))


KUZNETSOV = [
    ("0.31552230830884317392", "0", "unstable"),
    ("1.6092032797937964464", "8.1897066644876386204", "stable"),
    ("0.7597650701002942993", "267.79796146079025082", "unstable"),
    ("0.17297680277471954365", "447.13422898083143531", "stable"),
]


def test_kuznetsov():
    """40-digit Newton values, 20 digits of them; the parameters are doubles here, which moves them by 1e-15."""
    found = steady_states(kuznetsov())
    assert found.proved
    assert found.complete
    assert len(found) == 4
    for state, (x, y, stability) in zip(found, KUZNETSOV, strict=True):
        assert state.proved
        assert state.stability == stability
        for name, digits in (("x", x), ("y", y)):
            low, high = state.enclosure[name]
            assert low * (1 - 1e-14) <= float(digits) <= high * (1 + 1e-14)
            assert high - low <= 1e-13 * max(1, high)
    assert found[0].enclosure["y"] == (0, 0)


def test_enclosures_hold_twenty_digits_where_parameters_are_exact():
    """Adaptive control's neighbour with dyadic numbers: x^2 = 2, y = x / 4: the 20 digits of the square root of 2."""
    x, y = State("x", 1.0, bounds=(0, 4)), State("y", 1.0, bounds=(0, 4))
    (state,) = steady_states(Problem(Model("root", rates={x: 2 - x**2, y: x / 4 - y})))
    assert holds(state.enclosure["x"], "1.41421356237309504880")
    assert holds(state.enclosure["y"], "0.35355339059327376220")


def test_bykov():
    found = steady_states(bykov())
    assert found.proved
    assert len(found) == 3
    for state in found:
        assert state.residual < 1e-14
    other = steady_states(bykov(), method="search")
    np.testing.assert_allclose(
        [list(s.values.values()) for s in found], [list(s.values.values()) for s in other], rtol=1e-10
    )


@pytest.mark.parametrize(("q2", "count"), [(1.0420, 1), (1.0421, 3), (1.0522, 3), (1.0523, 1)])
def test_bykov_folds(q2, count):
    """Folds at q2 = 1.0420485 and 1.0522003 (40-digit Newton on the defining system)."""
    found = steady_states(bykov(q2=q2))
    assert found.proved
    assert len(found) == count


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_clones_against_newton_from_many_starts(count):
    problem = clones(count, np.random.default_rng(count))
    compare(problem, 60)


def compare(problem, n_starts, box=None):
    """Newton's results are all among the proved ones or in an undecided box; returns the proved result."""
    found = steady_states(problem, box=box, n_starts=10)
    searched = steady_states(problem, box=found.box, method="search", n_starts=n_starts)
    scale = np.array([max(map(abs, side)) for side in found.box.values()])
    for state in searched:
        y = np.array(list(state.values.values()))
        boxes = [s.enclosure for s in found if s.proved] + list(found.undecided)
        ends = [np.array(list(b.values())) for b in boxes]
        near = [np.all((e[:, 0] - 1e-7 * scale <= y) & (y <= e[:, 1] + 1e-7 * scale)) for e in ends]
        assert any(near), (problem.model.name, state)
    return found


def test_loop_with_its_table():
    """Equilibria of the paracrine loop at e = 0.6 without and with the blocker."""
    for B, sizes in ((0, (2.739069, 364.955328)), (10, (33.629394, 330.872684)), (30, ())):
        found = steady_states(Problem(models.paracrine_loop()).at_constant(e=0.6, B=B))
        assert found.proved
        np.testing.assert_allclose([s["T"] for s in found], (0, *sizes), atol=6e-7)
        assert [s.stability for s in found] == ["stable", "unstable", "stable"][: len(found)]


BOXES = {
    "claret": {"y": (0, 500)},
    "clonal_inflammation": dict.fromkeys("SARX", (0, 5e9)),
    "kuznetsov": {"E": (0, 1e7)},
    "kirschner_panetta": {"E": (0, 1e8), "I": (0, 1e8)},
    "monro_gaffney": dict.fromkeys("SR", (0, 4e12)),
    "oncogene_withdrawal": dict.fromkeys("SAR", (0, 5e9)),
}


def box_of(problem):
    """A box for models that have none: wide around their start."""
    if problem.model.name in BOXES:
        return BOXES[problem.model.name]
    try:
        return steady_states(problem, n_starts=1, time_limit=0.0).box
    except ProblemError:
        start = problem.initial_values()
        return {s.name: (0, 100 * max(1.0, start[s.name], s.info.scale or 0)) for s in problem.model.states}


NAMES = [row["name"] for row in models.list_models()]


def catalogue_problem(name, level):
    problem = Problem(getattr(models, name)())
    return problem.at_constant(**{u.name: level for u in problem.model.inputs}) if level else problem


def table(levels=(0.0, 0.4)):
    """A line for each catalogue model and level of its inputs: states, continua, whether proved and verified."""
    for name in NAMES:
        for level in levels:
            problem = catalogue_problem(name, level)
            if level and not problem.model.inputs:
                continue
            found = steady_states(problem, box=box_of(problem), n_starts=10)
            states = f"{len(found)} states, {sum(s.family for s in found)} continua"
            claim = "proved" if found.proved else f"NOT PROVED: {found.note}"
            yield f"{name:24s} inputs {level:3g}  {states:22s}  {claim}, {verify(found.certificate)}"


@pytest.mark.parametrize("name", NAMES)
def test_catalogue_against_newton_from_a_hundred_starts(name):
    """Everything is proved, and verified where that is quick; no start finds more."""
    problem = catalogue_problem(name, 0.4)
    found = compare(problem, 100, box_of(problem))
    assert found.proved
    assert len(found.box) > 5 or verify(found.certificate)


@pytest.mark.parametrize("name", NAMES)
def test_catalogue_without_inputs_is_proved(name):
    problem = catalogue_problem(name, 0.0)
    assert steady_states(problem, box=box_of(problem), n_starts=10).proved


@pytest.mark.slow
@pytest.mark.parametrize("level", [0.0, 0.4])
@pytest.mark.parametrize("name", NAMES)
def test_catalogue_against_newton_from_three_thousand_starts(name, level):
    problem = catalogue_problem(name, level)
    compare(problem, 3000, box_of(problem))


def test_a_double_root_stays_undecided():
    """x' = -(x - 1/2)^2: one root, which no interval test can tell from none or two."""
    x = State("x", 0.1, bounds=(0, 2))
    found = steady_states(Problem(Model("double", rates={x: -((x - sp.Rational(1, 2)) ** 2)})))
    assert not found.proved
    assert found.complete
    assert len(found.undecided) == 1
    low, high = found.undecided[0]["x"]
    assert low <= 0.5 <= high
    assert high - low < 1e-6
    assert [s.proved for s in found] == [False]
    assert "1 undecided" in str(found)


def test_near_a_fold_states_are_told_apart():
    """x' = a - (x - 1)^2: two states 2 sqrt(a) apart."""
    x, a = State("x", 0.1, bounds=(0, 3)), Parameter("a", 1e-10)
    found = steady_states(Problem(Model("fold", rates={x: a - (x - 1) ** 2})))
    assert found.proved
    np.testing.assert_allclose([s["x"] - 1 for s in found], (-1e-5, 1e-5), rtol=1e-9)
    assert [s.stability for s in found] == ["unstable", "stable"]
    assert len(steady_states(Problem(Model("none", rates={x: -a - (x - 1) ** 2})))) == 0


def test_powers_and_exponentials():
    """Ricker's x = log(r) / b; and von Bertalanffy's x = (a / b)^3 with the tumour-free state beside it."""
    x = State("x", 1.0, bounds=(0, 40))
    r, b = Parameter("r", 3.0), Parameter("b", 0.5)
    none, full = steady_states(Problem(Model("ricker", rates={x: r * x * sp.exp(-b * x) - x})))
    assert none["x"] == 0
    assert full.enclosure["x"][0] <= 2 * np.log(3) <= full.enclosure["x"][1]
    growth = steady_states(Problem(Model("mass", rates={x: r * x ** sp.Rational(2, 3) - 1.0 * x})))
    assert [s["x"] for s in growth if s.proved] == pytest.approx([0, 27])


def test_the_box_is_declared_given_or_invariant():
    assert steady_states(Problem(models.gompertz_growth())).box_from == "invariant box"
    assert steady_states(Problem(models.logistic_growth())).box_from == "declared bounds"
    assert "argument" in steady_states(kuznetsov(), box={"x": (0, 1)}).box_from


def test_a_state_on_the_edge_of_the_box_is_found():
    found = steady_states(kuznetsov(), box={"y": (0, 500)})
    assert len(found) == 4
    R = State("R", 0.1, bounds=(0, 1000))
    edge = steady_states(Problem(Model("edge", rates={R: R * (1 - R / 1000)})))
    assert [s["R"] for s in edge] == [0, 1000]
    assert edge.proved


def test_little_time_is_said():
    found = steady_states(clones(4), time_limit=0.0)
    assert not found.complete
    assert not found.proved
    assert found.undecided
    assert "boxes are left" in str(found)


def test_without_numba_nothing_is_claimed(monkeypatch):
    from remission.analysis.proved import answer

    monkeypatch.setattr(answer, "why_not", lambda: "numba not installed")
    found = steady_states(kuznetsov())
    assert len(found) == 4
    assert not found.proved
    assert "not proved: numba" in str(found)
    with pytest.raises(CertificateError, match="numba"):
        _ = found.certificate
    with pytest.raises(ProblemError, match="numba"):
        steady_states(kuznetsov(), method="proved")


def test_an_enclosure_in_which_nothing_rests_is_a_fault():
    from remission.analysis.proved import answer, stability

    problem = kuznetsov()
    values = answer.parameter_intervals(problem)
    with pytest.raises(CertificateError, match="nothing rests"):
        stability.verdict(problem.model, values, np.array([[1.0, 1.1], [8.0, 8.1]]), np.ones(2))


def test_an_impossible_value_is_no_steady_state():
    """y = log(a) has no value at a = -1; x rests at 1 / 2 all the same, so there is none."""
    x, y, a = State("x", 0.1, bounds=(0, 2)), State("y", 0.1, bounds=(-5, 5)), Parameter("a", -1.0)
    model = Model("impossible", rates={x: 0.5 - x, y: sp.log(a) - y})
    assert len(steady_states(Problem(model), method="proved")) == 0


# --- ranges of parameters ---------------------------------------------------------------------------------------------


def test_how_many_for_all_values_of_a_parameter():
    """Kuznetsov in sigma: a fold at 0.193776823069 and the transcritical point at alpha delta = 0.6123548."""
    found = steady_states(kuznetsov(), over={"sigma": (0.11, 0.7)}, time_limit=60)
    edges = (0.19377682306917787, 1.636 * 0.3743)
    decided = [c for c in found.cells if c.count is not None]
    assert [count for count, _ in itertools.groupby(c.count for c in decided)] == [4, 2, 1]
    assert len(found.undecided) == 2
    for cell, edge in zip(found.undecided, edges, strict=True):
        low, high = cell.ranges["sigma"]
        assert low <= edge <= high
        assert high - low < 0.01
    for cell in decided:  # two stable and two unstable; one and one; one: where a cell decides
        wanted = {4: (2, 2), 2: (1, 1), 1: (1, 0)}[cell.count]
        found_here = [sum(s == word for s in cell.stabilities) for word in ("stable", "unstable")]
        assert all(have <= most for have, most in zip(found_here, wanted, strict=True))
        assert sum(found_here) >= cell.count - 1
    assert found.count is None
    assert "exactly 4" in str(found)
    assert steady_states(kuznetsov(), over={"sigma": (0.11, 0.13)}).count == 4


@pytest.mark.parametrize(("name", "within"), [("r0", (0.6027888692463239, 0.8541111129277992)), ("b", (0.7264, 0.733))])
def test_states_just_below_zero_are_not_counted(name, within):
    """The second of two clones, fed by mutants of the first, is below zero at a third state: outside of the box."""
    counted = steady_states(clones(2), over={name: within}).count
    assert counted == len(steady_states(clones(2).replace(parameters={name: sum(within) / 2}))) == 2


def test_ranges_that_are_refused():
    with pytest.raises(ProblemError, match=r"over names 'sigm'.*sigma"):
        steady_states(kuznetsov(), over={"sigm": (0, 1)})
    with pytest.raises(ProblemError, match="depend on K"):
        steady_states(Problem(models.logistic_growth()), over={"K": (1, 2)})


# --- certificates -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate():
    return json.loads(json.dumps(steady_states(kuznetsov()).certificate))


@pytest.mark.parametrize("make", [kuznetsov, bykov, lambda: clones(2), lambda: Problem(models.gompertz_growth()),
                                  lambda: Problem(models.paracrine_loop()).at_constant(e=0.6),
                                  lambda: Problem(models.de_pillis_radunskaya()), lambda: clones(4),
                                  lambda: Problem(models.dose_window())])  # fmt: skip
def test_certificates_are_verified(make):
    found = steady_states(make())
    assert found.proved
    checked = verify(found.certificate)
    assert checked, str(checked)
    assert checked.n_states == len(found)


def test_a_conserved_total_in_a_certificate():
    S, R = State("S", 2.0, bounds=(0, 5)), State("R", 1.0, bounds=(0, 5))
    k, l = Parameter("k", 0.3), Parameter("l", 0.1)
    found = steady_states(Problem(Model("switching", transfers={(S, R): k * S, (R, S): l * R})))
    assert found.proved
    assert verify(found.certificate)


def moved(pair, by):
    return [float(float.fromhex(v) + by).hex() for v in pair]


def tamper(c, what):
    if what == "a parameter":
        c["parameters"]["sigma"] = moved(c["parameters"]["sigma"], 1e-6)
    elif what == "an equation":
        c["equations"]["y"] = c["equations"]["y"].replace("alpha", "delta")
    elif what == "a state's enclosure":
        c["states"][1]["enclosure"]["x"] = moved(c["states"][1]["enclosure"]["x"], 1e-9)
    elif what == "a stability":
        c["states"][0]["stability"] = "stable"
    elif what == "a state removed":
        del c["states"][2]
    elif what == "a state added":
        c["states"].append(copy.deepcopy(c["states"][1]))
    elif what == "a part removed":
        del c["parts"][0]
    elif what == "a region removed":
        for part in c["parts"]:
            del part["regions"][-1:], part["enclosures"][-1:]
    elif what == "a region widened":
        part = next(p for p in c["parts"] if p["regions"])
        part["regions"][0][0] = [(0.0).hex(), (900.0).hex()]
    elif what == "a root called empty":
        part = next(p for p in c["parts"] if p["regions"])
        part["kinds"] = [-1 if k <= -10 else k for k in part["kinds"]]
        part["regions"], part["enclosures"] = [], []
    elif what == "the box":
        c["box"]["y"] = moved(c["box"]["y"], -600)


@pytest.mark.parametrize("what", [
    "a parameter", "an equation", "a state's enclosure", "a stability", "a state removed", "a state added",
    "a part removed", "a region removed", "a region widened", "a root called empty", "the box",
])  # fmt: skip
def test_a_tampered_certificate_is_rejected(certificate, what):
    assert verify(certificate)
    forged = copy.deepcopy(certificate)
    tamper(forged, what)
    assert forged != certificate
    checked = verify(forged)
    assert not checked
    assert str(checked).startswith("not verified: ")


@pytest.mark.parametrize("make", [
    lambda: Problem(models.sensitive_resistant()), lambda: Problem(models.selective_kill()).at_constant(u=0.5),
    lambda: clones(4),
])  # fmt: skip
def test_what_is_undecided_cannot_be_struck_out(make):
    """A certificate of a partial answer holds; called complete without its undecided boxes it does not."""
    found = steady_states(make(), time_limit=0.0)
    whole = found.certificate
    assert verify(whole), str(verify(whole))
    if not found.proved:
        assert not verify({**whole, "complete": True, "undecided": []})


def test_what_is_no_certificate_is_refused():
    with pytest.raises(CertificateError, match="not a certificate"):
        verify({"states": []})


if __name__ == "__main__":
    print("\n".join(table()))
