"""Units of every term: what does not fit is named, what is not declared fits anything."""

import pytest
import sympy as sp

from remission.models import Input, Lineage, Model, ModelError, Parameter, State, dimension_of, grad, t, x
from remission.models.units import parse_unit

S = State("S", 1.0, unit="cells")
V = State("V", 1.0, unit="mm^3")
T = State("T", 1.0, unit="1e6 cells")
free = State("Q", 1.0)
r = Parameter("r", 0.1, unit="1/day")
K = Parameter("K", 1e9, unit="cells")
hourly = Parameter("hourly", 0.1, unit="1/hour")
bare = Parameter("bare", 0.1)


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"rates": {S: r * S + S}}, r"dS/dt: the term S has unit cells, but should have cell/day"),
        ({"rates": {S: r * S * (1 - S)}}, r"1 \[1\] and -S \[cell\]"),
        ({"rates": {S: r * (S + K**2)}}, "differ in unit"),
        ({"rates": {S: hourly * S}}, r"hourly\*S has unit 24 cell/day, but should have cell/day"),
        ({"rates": {T: r * (T - S), S: 0}}, "differ in unit"),
        ({"rates": {T: r * S, S: 0}}, r"term r\*S has unit cell/day, but should have 1e\+06 cell/day"),
        ({"rates": {T: r * T * (1 - T / K)}}, r"T/K \[1e\+06\]"),
        ({"rates": {S: r * S * sp.exp(-K)}}, "K has unit cell, but must be a plain number"),
        ({"rates": {S: r * S * sp.log(S)}}, "must be a plain number"),
        ({"rates": {S: r * S ** sp.Rational(2, 3)}}, "should have cell/day"),
        ({"rates": {S: r * S * (S / K) ** K}}, "must be a plain number"),
        ({"rates": {S: r * sp.Max(S, r)}}, "differ in unit"),
        ({"rates": {S: r * S * sp.cos(t)}}, "must be a plain number"),
        ({"rates": {S: r * S * sp.Piecewise((1, r < S), (2, True))}}, "differ in unit"),
        ({"transfers": {(S, V): r * S}}, "flow from S to V"),
        ({"rates": {S: 0}, "observables": {"sum": S + r}}, "observable sum"),
        ({"rates": {State("A", 2 * V.info.initial * K, unit="mm^3"): 0}}, "initial value of A"),
        ({"rates": {S: r * S}, "lineages": {S: Lineage(birth=r, death=0)}, "time_unit": "hour"}, "should have"),
    ],
)
def test_a_term_of_the_wrong_unit_is_named(parts, says):
    with pytest.raises(ModelError, match=says):
        Model("bad", **parts)


@pytest.mark.parametrize(
    "parts",
    [
        {"rates": {S: r * S * (1 - S / K)}},
        {"rates": {S: bare * S + bare}},
        {"rates": {free: r * free + free**2 - 3}},
        {"rates": {S: 5}},  # a bare number stands for a quantity in the declared unit
        {"rates": {S: hourly * S}, "time_unit": "hour"},
        {"rates": {V: Parameter("a", 1.0, unit="mm/day") * V ** sp.Rational(2, 3)}},
        {"rates": {V: r * V * sp.sqrt(V / V)}},
        {"rates": {S: r * S * sp.exp(-r * t)}},
        {"rates": {S: r * S * Input("u")}},
        {"rates": {T: Parameter("k", 1.0, unit="1e6 cells/(cell day)") * S, S: 0}},
        {"rates": {S: r * S}, "fluxes": {S: -Parameter("D", 0.1, unit="mm^2/day") * grad(S)}},
        {"rates": {State("A", 3.0, unit="mm^3"): 0}},
    ],
)
def test_what_fits_is_accepted(parts):
    assert Model("good", **parts).states


@pytest.mark.parametrize(
    ("expression", "unit"),
    [
        (r * S, "cell/day"),
        (S / K, "1"),
        (T / K, "1e6"),
        (V ** sp.Rational(2, 3), "mm^2"),
        (1 / r, "day"),
        (r * t, "1"),
        (sp.Min(S, K) / V, "cells/mm^3"),
        (sp.Integer(7), "1"),
    ],
)
def test_the_unit_of_an_expression(expression, unit):
    assert dimension_of(expression) == parse_unit(unit)


@pytest.mark.parametrize("expression", [bare * S, free, x * S, S**bare])
def test_the_unit_stays_open_where_one_is_missing(expression):
    if expression == S**bare:
        with pytest.raises(ModelError, match="plain number"):
            dimension_of(expression)
    else:
        assert dimension_of(expression) is None


def test_rates_per_week_are_not_rates_per_day():
    weekly = Parameter("w", 0.7, unit="1/week")
    with pytest.raises(ModelError, match="should have"):
        Model("bad", rates={S: weekly * S})
    assert Model("good", rates={S: weekly * S}, time_unit="week").time_unit == "week"
