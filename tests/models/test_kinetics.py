"""Rate laws: their limits, their units, and what they refuse."""

import pytest
import sympy as sp

from remission.models import KeywordError, Model, ModelError, Parameter, State, dimension_of
from remission.models.kinetics import (
    competitive_inhibition,
    gompertz,
    hill,
    logistic,
    mass_action,
    michaelis_menten,
)

N = State("N", 1.0, unit="cells")
R = State("R", 1.0, unit="cells")
X = State("X", 1.0, unit="nM")
B = State("B", 1.0, unit="mg/L")
r = Parameter("r", 0.1, unit="1/day")
K = Parameter("K", 1e9, unit="cells")
half = Parameter("half", 2.0, unit="nM")
n = Parameter("n", 2.0, unit="1")


def test_logistic_is_exponential_when_small_and_stops_at_capacity():
    law = logistic(N, r, K)
    assert sp.limit(law / N, N, 0) == r
    assert law.subs(N, K) == 0
    assert sp.solve(sp.diff(law, N), N) == [K / 2]  # fastest at half the capacity


def test_logistic_counts_everyone_who_crowds():
    law = logistic(N, r, K, total=N + R)
    assert sp.simplify(law - r * N * (1 - (N + R) / K)) == 0
    assert law.subs({N: K / 4, R: 3 * K / 4}) == 0


def test_logistic_shape_brakes_late():
    """Richards: at half the capacity the brake is 2**-n, fastest growth at K (n + 1)**(-1/n)."""
    law = logistic(N, r, K, n=3)
    assert sp.simplify(law.subs(N, K / 2) / (r * K / 2)) == sp.Rational(7, 8)
    assert sp.simplify(sp.diff(law, N).subs(N, K * 4 ** sp.Rational(-1, 3))) == 0


def test_gompertz_is_the_limit_of_richards():
    """(1 - (N/K)**n)/n tends to ln(K/N) as the shape n tends to 0."""
    y, k = sp.symbols("y k", positive=True)
    small = sp.Symbol("small", positive=True)
    richards = logistic(y, r, k, n=small) / small
    assert sp.simplify(sp.limit(richards, small, 0) - gompertz(y, r, k)) == 0
    assert gompertz(k, r, k) == 0
    assert sp.solve(sp.diff(gompertz(y, 1, k), y), y) == [k * sp.exp(-1)]


@pytest.mark.parametrize("exponent", [1, 2, 4, sp.Rational(5, 2)])
def test_hill_limits(exponent):
    y, h = sp.symbols("y h", positive=True)
    law = hill(y, exponent, h)
    assert sp.limit(law, y, 0) == 0
    assert sp.simplify(law.subs(y, h)) == sp.Rational(1, 2)
    assert sp.limit(law, y, sp.oo) == 1
    slope = sp.diff(law, y).subs(y, h)
    assert sp.simplify(slope - exponent / (4 * h)) == 0


def test_michaelis_menten_limits():
    y, v, k = sp.symbols("y v k", positive=True)
    law = michaelis_menten(y, v, k)
    assert sp.limit(law / y, y, 0) == v / k
    assert sp.limit(law, y, sp.oo) == v
    assert law.subs(y, k) == v / 2
    assert sp.simplify(law - v * hill(y, 1, k)) == 0


def test_competitive_inhibition_shifts_the_half_effect_and_keeps_the_maximum():
    y, i, h, k = sp.symbols("y i h k", positive=True)
    law = competitive_inhibition(y, i, h, k)
    assert sp.simplify(law.subs(y, h * (1 + i / k))) == sp.Rational(1, 2)
    assert sp.limit(law, y, sp.oo) == 1
    assert sp.simplify(law.subs(i, 0) - hill(y, 1, h)) == 0
    assert sp.limit(law, i, sp.oo) == 0


def test_mass_action_multiplies():
    k = Parameter("k", 1e-7, unit="1/(cell day)")
    assert mass_action(k, N, R) == k * N * R
    assert mass_action(k, N, N) == k * N**2


@pytest.mark.parametrize(
    ("law", "unit"),
    [
        (logistic(N, r, K), "cell/day"),
        (logistic(N, r, K, total=N + R, n=n), "cell/day"),
        (gompertz(N, r, K), "cell/day"),
        (hill(X, 2, half), "1"),
        (hill(X, n, half), "1"),
        (michaelis_menten(X, r, half), "1/day"),
        (competitive_inhibition(X, B, half, Parameter("k_i", 1.0, unit="mg/L")), "1"),
        (mass_action(Parameter("k", 1e-7, unit="1/(cell day)"), N, R), "cell/day"),
    ],
)
def test_laws_are_clean_in_units(law, unit):
    from remission.models.units import parse_unit

    assert dimension_of(law) == parse_unit(unit)


def test_a_wrong_unit_inside_a_law_is_found():
    wrong = Parameter("K", 1e3, unit="mm^3")
    with pytest.raises(ModelError, match="differ in unit"):
        Model("bad", rates={N: logistic(N, r, wrong)})
    with pytest.raises(ModelError, match="unit"):
        Model("bad", rates={N: r * N * hill(X, 2), X: 0})  # X in nM against a bare 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: logistic("N", r, K),
        lambda: gompertz(N, "r", K),
        lambda: mass_action(1.0),
        lambda: hill(X, 0),
        lambda: hill(X, 2, -1),
        lambda: michaelis_menten(X, 1, 0),
        lambda: competitive_inhibition(X, B, half_inhibitor=0),
        lambda: hill(None, 2),
    ],
)
def test_what_has_no_meaning_is_refused(call):
    with pytest.raises(ModelError):
        call()


def test_a_misspelt_keyword_is_answered():
    with pytest.raises(KeywordError, match="did you mean 'total'"):
        logistic(N, r, K, totl=R)
