"""Published equilibria against proved enclosures: every digit that is given, and digits that the proof contradicts."""

import numpy as np
import pytest
import sympy as sp

from remission import models
from remission.analysis import steady_states
from remission.models import Input, Model, Parameter, State, kinetics
from remission.solvers import Problem

pytestmark = pytest.mark.optional


def holds(enclosure, digits):
    """Whether the decimal number, of which the last digit is rounded, agrees with all of an enclosure."""
    mantissa, _, power = digits.partition("e")
    places = len(mantissa.partition(".")[2]) - int(power or 0)
    half = sp.Rational(10) ** -places / 2
    low, high = (sp.Rational(v) for v in enclosure)
    return sp.Rational(digits) - half <= low <= high <= sp.Rational(digits) + half


def check(found, rows):
    """States in order against rows of (digits by name, stability)."""
    assert found.proved
    assert len(found) == len(rows)
    for state, (digits, stability) in zip(found, rows, strict=True):
        assert state.stability == stability
        for name, text in digits.items():
            assert holds(state.enclosure[name], text), (name, text, state.enclosure[name])


def scaled_kuznetsov():
    """Kuznetsov et al. (1994), scaled."""
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
    growth = k["sigma"] + k["rho"] * x * y / (k["eta"] + y) - k["mu"] * x * y - k["delta"] * x
    return Problem(Model("kuznetsov_scaled", rates={x: growth, y: k["alpha"] * y * (1 - k["beta"] * y) - x * y}))


def test_kuznetsov_scaled():
    """Six digits; the dormant x is 1.609203 (1.6092032797938), not 1.609200 as one table of it has."""
    found = steady_states(scaled_kuznetsov())
    check(found, [
        ({"x": "0.315522", "y": "0"}, "unstable"), ({"x": "1.609203", "y": "8.189707"}, "stable"),
        ({"x": "0.759765", "y": "267.798"}, "unstable"), ({"x": "0.172977", "y": "447.1342"}, "stable"),
    ])  # fmt: skip
    assert not holds(found[1].enclosure["x"], "1.609200")
    wanted = [(1.320478, -0.3743), (-0.050094 + 0.576297j, -0.050094 - 0.576297j), (0.324779, -1.356456),
              (-0.452678, -1.693095)]  # fmt: skip
    for state, eigenvalues in zip(found, wanted, strict=True):
        np.testing.assert_allclose(state.eigenvalues, eigenvalues, atol=8e-7)


def test_kuznetsov_in_cells():
    found = steady_states(Problem(models.kuznetsov()), box={"E": (0, 1e7)})
    check(found, [
        ({"E": "3.15534e5", "T": "0"}, "unstable"), ({"E": "1.60811e6", "T": "8.186382e6"}, "stable"),
        ({"E": "7.58509e5", "T": "2.680227e8"}, "unstable"), ({"E": "1.73213e5", "T": "4.470258e8"}, "stable"),
    ])  # fmt: skip


def test_normal_tumour_and_immune_cells():
    """de Pillis and Radunskaya (2003)."""
    found = steady_states(Problem(models.de_pillis_radunskaya()))
    found_by = sorted(found, key=lambda s: (s["N"], s["T"]))
    assert found.proved
    rows = [
        ("0 0 1.65", "unstable"), ("0 0.899244 0.302268", "unstable"), ("0.435204 0.564796 0.435204", "stable"),
        ("0.763197 0.236803 0.763197", "unstable"), ("1 0 1.65", "stable"),
    ]  # fmt: skip
    assert len(found) == len(rows)
    for state, (digits, stability) in zip(found_by, rows, strict=True):
        assert state.stability == stability
        assert all(holds(state.enclosure[n], text) or np.isclose(state[n], float(text), rtol=1e-14)
                   for n, text in zip("NTI", digits.split(), strict=True))  # fmt: skip
    assert found_by[3].eigenvalues[0].real == pytest.approx(0.0515, abs=5e-5)


@pytest.mark.parametrize(("c", "T", "stability"), [
    (0.035, None, "stable"), (0.03, None, "unstable"), (0.045, "1.3606e4", "stable"), (8.5520e-5, 2, None),
    (8.5521e-5, 0, None),
])  # fmt: skip
def test_kirschner_and_panetta(c, T, stability):
    """Fold at c = 8.55204e-5, Hopf point at 0.0324644, T = 1.3606e4 at 0.045; without tumour unstable."""
    box = {"E": (0, 1e8), "I": (0, 1e8)}
    found = steady_states(Problem(models.kirschner_panetta(), parameters={"c": c}), box=box)
    assert found.proved
    assert found[0]["T"] == 0
    assert found[0].stability == "unstable"
    if stability is None:  # either side of the fold: two states near the carrying capacity, or none
        assert sum(s["T"] > 5e8 for s in found) == T
        return
    (tumour,) = found[1:]
    assert tumour.stability == stability
    if T is not None:
        assert tumour["T"] == pytest.approx(float(T), rel=4e-5)


def test_kirschner_and_panetta_at_the_hopf_point():
    found = steady_states(
        Problem(models.kirschner_panetta(), parameters={"c": 0.0324644}), {"E": (0, 1e8), "I": (0, 1e8)}
    )
    assert found[1]["T"] == pytest.approx(19900.97, abs=0.05)  # c is given to six digits
    assert abs(found[1].eigenvalues[0].imag) == pytest.approx(0.0670565, abs=5e-8)


LOOP = {
    (0, 0): "799.3455s", (0.2, 0): "654.912s", (0.4, 0): "0.9431u 510.214s", (0.6, 0): "2.7391u 364.955s",
    (0.8, 0): "5.9671u 217.982s", (1.0, 0): "30.984u 49.140s", (0.6, 10): "33.629u 330.873s", (0.8, 10): "",
    (0, 30): "779.218s", (0.5, 30): "73.031u 350.086s", (0.6, 30): "", (0, 1e9): "666.933s", (0.3, 1e9): "67.700s",
}  # fmt: skip


@pytest.mark.parametrize(("e", "B"), list(LOOP))
def test_paracrine_loop(e, B):
    """All rows of the table; tumour-free is stable above e = 0.333893."""
    rows = [({"T": "0"}, "stable" if e > 0.333893 else "unstable")]
    rows += [({"T": text[:-1]}, {"s": "stable", "u": "unstable"}[text[-1]]) for text in LOOP[e, B].split()]
    check(steady_states(Problem(models.paracrine_loop()).at_constant(e=e, B=B)), rows)


@pytest.mark.parametrize(
    ("u", "kap_R"), [(0.0, 0.0), (0.2, 0.0), (0.2, 0.3), (0.3, 0.1), (0.5, 0.1), (0.7, 0.1), (0.9, 0.1)]
)
def test_sensitive_and_resistant_in_closed_form(u, kap_R):
    """E0; E_R = K (1 - kap_R u / r_R) if positive; E_S at burden K (1 - (kap_S u + nu b_S) / r_S) if above E_R."""
    problem = Problem(models.clonal_relapse(), parameters={"kap_R": kap_R}).at_constant(u=u)
    found = steady_states(problem)
    assert found.proved
    p = {k: sp.Rational(float(v)) for k, v in problem.parameters.items()}
    dose = sp.Rational(u)
    N_R = p["K"] * (1 - p["kap_R"] * dose / p["r_R"])
    loss = p["nu"] * p["b_S"]
    N_S = p["K"] * (1 - (p["kap_S"] * dose + loss) / p["r_S"])
    wanted = [(0, 0)] + ([(0, N_R)] if N_R > 0 else [])
    if max(0, N_R) < N_S:  # R' = 0 gives S from the flow of mutants
        growth = p["r_R"] * (1 - N_S / p["K"]) - p["kap_R"] * dose
        S = -growth * N_S / (loss - growth)
        wanted.append((S, N_S - S))
    assert len(found) == len(wanted)
    for S, R in wanted:
        near = [s for s in found if abs(s["S"] - S) <= 1e-9 * p["K"] and abs(s["R"] - R) <= 1e-9 * p["K"]]
        assert len(near) == 1
        for name, exact in (("S", S), ("R", R)):
            low, high = near[0].enclosure[name]
            assert low <= exact <= high
            assert high - low <= 1e-12 * max(high, 1e-300) or exact == 0 or high - low < 1e-3


def test_a_hill_exponent_that_is_not_whole():
    """Self-activation with n = 2.5: roots from 40 digits of mpmath; three states, each enclosed to 1e-12."""
    import mpmath

    x = State("x", 0.1, bounds=(0, 10))
    n, K, a, d, s = (Parameter(k, v) for k, v in {"n": 2.5, "K": 1.0, "a": 2.0, "d": 0.95, "s": 0.02}.items())
    found = steady_states(Problem(Model("switch", rates={x: s + a * kinetics.hill(x, n, K) - d * x})))
    assert found.proved
    assert [f.stability for f in found] == ["stable", "unstable", "stable"]
    mpmath.mp.dps = 40
    for state in found:
        root = mpmath.findroot(
            lambda z: mpmath.mpf(0.02) + 2 * z**2.5 / (1 + z**2.5) - mpmath.mpf(0.95) * z, state["x"]
        )  # fmt: skip
        low, high = state.enclosure["x"]
        assert low <= root <= high
        assert high - low <= 1e-12 * root


def test_growth_laws_in_closed_form():
    """Gompertz with a shift rests at K - c, von Bertalanffy at (a/b)^3; the dose by a Hill law with n = 1.7."""
    gompertz = steady_states(Problem(models.gompertz_growth()))
    assert gompertz.proved
    low, high = gompertz[1].enclosure["V"]
    assert low <= 15500 - 10700 <= high
    assert high - low <= 1e-12 * high
    mass = Problem(models.von_bertalanffy_growth(), parameters={"a": 0.6, "b": 0.04})
    _, full = found = steady_states(mass, box={"V": (0, 1e4)})
    assert found.proved
    exact = (sp.Rational(0.6) / sp.Rational(0.04)) ** 3
    low, high = (sp.Rational(v) for v in full.enclosure["V"])
    assert low <= exact <= high
    assert high - low <= exact * 1e-12


def test_a_dose_by_a_hill_law():
    """r (1 - x) = E u^1.7 / (1 + u^1.7) at u = 0.8, against the number itself."""
    x, u = State("x", 0.1, bounds=(0, 1)), Input("u")
    r, E, n = Parameter("r", 0.9), Parameter("E", 0.6), Parameter("n", 1.7)
    model = Model("dosed", rates={x: r * x * (1 - x) - E * u**n / (1 + u**n) * x})
    found = steady_states(Problem(model).at_constant(u=0.8))
    assert found.proved
    power = 0.8**1.7
    assert [s["x"] for s in found] == pytest.approx([0, 1 - 0.6 * power / (1 + power) / 0.9], rel=1e-14)


def test_enclosures_are_narrow_where_doubles_are_not_enough():
    """Seven roots k / 5 of a polynomial that is multiplied out: in doubles they are known to 1e-11 only."""
    x, y = State("x", 0.1, bounds=(0, 2)), State("y", 0.1, bounds=(0, 3))
    product = sp.expand(sp.prod([x - sp.Rational(k, 5) for k in range(1, 8)]))
    found = steady_states(Problem(Model("roots", rates={x: product, y: x ** sp.Rational(0.785) - y})))
    assert found.proved
    assert len(found) == 7
    for k, state in enumerate(found, start=1):
        low, high = (sp.Rational(v) for v in state.enclosure["x"])
        assert low <= sp.Rational(k, 5) <= high
        assert all(b - a <= 1e-12 * b for a, b in state.enclosure.values())
