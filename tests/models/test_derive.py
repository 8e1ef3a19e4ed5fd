"""Derivatives against central differences for every catalogue model; conserved totals."""

import numpy as np
import pytest
import sympy as sp

from remission import models
from remission.models import Model, Parameter, State, derive

NAMES = [name for names in models.BY_QUESTION.values() for name in names]


def letters(model):
    return (*model.states, *model.parameters, *model.inputs)


def points(model, n, seed):
    """Positive values near the defaults; states away from zero, where fractional powers have no derivative."""
    rng = np.random.default_rng(seed)
    base = [max(float(sp.sympify(s.info.scale or 1)), 1.0) * 0.4 for s in model.states]
    base += [p.info.value or 0.3 for p in model.parameters] + [0.5] * len(model.inputs)
    return np.array(base) * rng.uniform(0.6, 1.2, (n, len(base)))


def function(model, expression):
    """An expression or matrix as a function of one vector of all letters."""
    plain = {s: sp.Symbol(f"v{i}") for i, s in enumerate(letters(model))}
    call = sp.lambdify(list(plain.values()), sp.Matrix(expression).xreplace(plain), "numpy")
    return lambda v: np.asarray(call(*v), float)


def central(call, v, columns):
    """Central differences in some of the letters, one column each."""
    found = []
    for j in columns:
        step = 1e-5 * max(abs(v[j]), 1e-3)
        up, down = v.copy(), v.copy()
        up[j] += step
        down[j] -= step
        found.append((call(up) - call(down))[:, 0] / (up[j] - down[j]))
    return np.array(found).T.reshape(-1, len(found))


@pytest.mark.parametrize("name", NAMES)
def test_first_derivatives_meet_central_differences(name):
    model = getattr(models, name)()
    n, p, q = len(model.states), len(model.parameters), len(model.inputs)
    f = function(model, derive.right_hand_side(model))
    blocks = [
        (derive.jacobian(model), range(n)),
        (derive.parameter_derivatives(model), range(n, n + p)),
        (derive.input_derivatives(model), range(n + p, n + p + q)),
    ]
    for exact, columns in blocks:
        assert exact.shape == (n, len(columns))
        if not len(columns):
            continue
        call = function(model, exact)
        for v in points(model, 3, seed=7):
            expected = central(f, v, columns)
            weight = np.abs([v[j] for j in columns])  # relative change of a letter, so that p = 1e-8 counts too
            scale = np.abs(f(v)).max() + 1e-9
            np.testing.assert_allclose(call(v) * weight / scale, expected * weight / scale, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", NAMES)
def test_second_derivatives_meet_central_differences_of_the_first(name):
    model = getattr(models, name)()
    n, p = len(model.states), len(model.parameters)
    by_state, by_parameter = derive.second_derivatives(model)
    jacobian = function(model, derive.jacobian(model).reshape(n * n, 1))
    v = points(model, 1, seed=3)[0]
    for found, columns in ((by_state, range(n)), (by_parameter, range(n, n + p))):
        expected = central(jacobian, v, columns).reshape(n, n, len(columns))
        exact = np.zeros_like(expected)
        plain = {s: sp.Float(value) for s, value in zip(letters(model), v, strict=True)}
        for key, expression in found.items():
            exact[key] = float(expression.xreplace(plain))
        weight = np.abs([v[j] for j in columns])
        scale = np.abs(jacobian(v)).max()
        np.testing.assert_allclose(exact * weight / scale, expected * weight / scale, rtol=1e-6, atol=1e-7)


def test_second_derivatives_are_symmetric_and_sparse():
    model = models.paracrine_loop()
    by_state, _ = derive.second_derivatives(model)
    assert all(sp.simplify(e - by_state[i, k, j]) == 0 for (i, j, k), e in by_state.items())
    assert not [key for key in by_state if key[0] in (1, 4)]  # F and P are linear
    assert all(e != 0 for e in by_state.values())


S, I, R = State("S", 0.99), State("I", 0.01), State("R", 0.0)
beta, gamma, k = Parameter("beta", 0.3), Parameter("gamma", 0.1), Parameter("k", 1.0)


@pytest.mark.parametrize(
    ("parts", "totals"),
    [
        ({"transfers": {(S, I): k * S}}, (S + I,)),
        ({"transfers": {(S, I, 2): k * S}}, (2 * S + I,)),
        ({"transfers": {(S, I): beta * S * I, (I, R): gamma * I}}, (S + I + R,)),
        ({"transfers": {(S, I): beta * S * I / (S + I + R), (I, R): gamma * I}}, (S + I + R,)),
        ({"rates": {S: -beta * S * I, I: beta * S * I - gamma * I, R: gamma * I}}, (S + I + R,)),
        ({"rates": {S: -0.5 * k * S, I: 0.25 * k * S}}, (S + 2 * I,)),
        ({"rates": {S: k * S, I: -k * I}}, ()),
        ({"transfers": {(S, I): k * S, (I, None): gamma * I}}, ()),
        ({"rates": {S: k * (1 - S)}}, ()),
        ({"rates": {S: 0, I: k}}, (S,)),
        ({"rates": {S: k * S * (1 - I), I: k * S * I - k * S}}, (S + I,)),
    ],
)
def test_conserved_totals(parts, totals):
    model = Model("m", **parts)
    assert derive.conserved_totals(model) == totals
    for total in totals:
        assert sp.expand(sum(total.coeff(s) * e for s, e in model.equations.items())) == 0


def test_two_totals_of_an_enzyme():
    """Enzyme and substrate are conserved on their own: E + C and S + C + P."""
    E, Sub, C, P = (State(n, 1.0) for n in ("E", "S", "C", "P"))
    bind, loose, make = Parameter("a", 1.0) * E * Sub, Parameter("d", 1.0) * C, Parameter("c", 1.0) * C
    model = Model("enzyme", rates={E: -bind + loose + make, Sub: -bind + loose, C: bind - loose - make, P: make})
    totals = derive.conserved_totals(model)
    assert len(totals) == 2
    rows = sp.Matrix([[t.coeff(s) for s in model.states] for t in totals])
    wanted = sp.Matrix([[1, 0, 1, 0], [0, 1, 1, 1]])
    assert rows.rank() == 2
    assert rows.col_join(wanted).rank() == 2


def test_catalogue_totals():
    """Only the drug that cannot leave would be conserved; every catalogue model loses or makes something."""
    for name in NAMES:
        assert derive.conserved_totals(getattr(models, name)()) == ()
    closed = models.two_cpt()
    CL = closed.symbol("CL")
    central, peripheral = closed.states
    still = closed.replace(rates={s: e.xreplace({CL: sp.Integer(0)}) for s, e in closed.rates.items()})
    assert derive.conserved_totals(still) == (central + peripheral,)
