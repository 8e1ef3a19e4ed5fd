"""Derivatives from the leaves up against sympy's own, and the two ways of writing code against each other."""

import numpy as np
import pytest
import sympy as sp

from remission import models
from remission.models import Input, Parameter, State, expressions
from remission.models.expressions import function_source
from remission.models.operations import SCALAR
from remission.models.partials import partials

S, R, u = State("S", 1.0), State("R", 0.0), Input("u")
k, h = Parameter("k", 0.3), Parameter("h", 2.0)
ALL = (S, R, k, h, u)
VALUES = {S: 1.7, R: 0.4, k: 0.3, h: 2.0, u: 0.6}

CASES = [
    k * S * (1 - (S + R) / h),
    S**h / (k**h + S**h),
    sp.Max(0, k * S - R) * S + sp.exp(-k * S * R),
    sp.log(S / (R + h)) * S ** sp.Rational(2, 3),
    sp.Piecewise((S * R, S > R), (k * S, True)) * u,
    k**S + sp.sqrt(S + R),
    S * R * u / (S + R) ** 2,
    sp.Integer(3),
]


@pytest.mark.parametrize("expression", CASES, ids=str)
def test_gradient_is_that_of_sympy(expression):
    table = partials([expression], ALL)
    for j, symbol in enumerate(ALL):
        wanted = sp.diff(expression, symbol)
        found = table.get((0, j), sp.Integer(0))
        assert float(found.subs(VALUES)) == pytest.approx(float(wanted.subs(VALUES)), rel=1e-13, abs=1e-15)
        assert ((0, j) in table) == (wanted != 0)


@pytest.mark.parametrize("name", ["oncogene_withdrawal", "paracrine_loop"])
def test_code_for_many_letters_says_the_same(name, monkeypatch):
    """Above a number of letters only parts that repeat are shared, and no common factors are looked for."""
    model = getattr(models, name)()
    groups = (model.states, model.parameters, model.inputs)
    rates = [model.equations[s] for s in model.states]
    entries = list(partials(rates, [s for group in groups for s in group]).values())
    y, p, w = (np.linspace(0.2, 0.9, len(group)).tolist() for group in groups)

    def run():
        space = dict(SCALAR)
        exec(function_source("f", rates + entries, groups), space)
        return space["f"](0.0, y, p, w)

    searched = run()
    monkeypatch.setattr(expressions, "MOST_LETTERS", 0)
    np.testing.assert_allclose(run(), searched, rtol=1e-13)
