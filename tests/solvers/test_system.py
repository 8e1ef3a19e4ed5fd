"""Generated functions against sympy's own evaluation."""

import numpy as np
import pytest
import sympy as sp

from remission.models import Input, Model, ModelError, Parameter, State, derive, t
from remission.solvers import Problem


def odd_model():
    """Every operation that expressions may use, awkward names included."""
    S, E, lam = State("S", 1.3), State("E", 0.7), State("lambda_", 0.4)
    a, exp_ = Parameter("a", 2.5), Parameter("exp", 0.6)
    u = Input("u", 0.2)
    return Model(
        "odd",
        rates={
            S: -(a**2) * S / (1 + S**2) * sp.exp(-E / 2) + sp.Piecewise((S, S > 1), (E**a, True)) + sp.sin(t) * u,
            E: sp.Min(S, E, 3) - sp.sqrt(E) * sp.Rational(2, 3) + 1 / (a * E**2) - S ** sp.Rational(-3, 2),
            lam: sp.tanh(lam) + sp.log(1 + S) * exp_ - sp.Max(lam, E) + sp.Abs(lam - S) ** 3 - 1 / lam,
        },
        observables={"total": S + E + lam, "share": E * u / (S + a)},
    )


def test_values_and_derivatives_match_sympy():
    model = odd_model()
    problem = Problem(model)
    system, p, u, y, time = problem.system, problem.p, [0.3], np.array([1.3, 0.7, 0.4]), 1.7
    point = dict(zip(model.states, y, strict=True)) | dict(zip(model.parameters, p, strict=True))
    point |= {model.inputs[0]: 0.3, t: time}

    def number(matrix):
        return np.array(matrix.subs(point).evalf(), dtype=float)

    np.testing.assert_allclose(system.f(time, y, p, u), number(derive.right_hand_side(model))[:, 0], rtol=1e-13)
    np.testing.assert_allclose(system.jac(time, y, p, u), number(derive.jacobian(model)), rtol=1e-12)
    np.testing.assert_allclose(system.dfdp(time, y, p, u), number(derive.parameter_derivatives(model)), rtol=1e-12)
    np.testing.assert_allclose(system.dfdu(time, y, p, u), number(derive.input_derivatives(model)), rtol=1e-12)
    seen = system.observe(np.array([time, time]), np.stack([y, y], axis=1), p, np.array([u, u]).T)
    expected = [float(e.subs(point)) for e in model.observables.values()]
    np.testing.assert_allclose(seen, np.array([expected, expected]).T, rtol=1e-13)


def test_division_by_zero_gives_infinity_and_not_an_exception():
    S = State("S", 0.0)
    problem = Problem(Model("pole", rates={S: 1 / S, State("E", 800.0): sp.exp(State("E", 800.0))}))
    assert np.all(np.isinf(problem.system.f(0.0, np.array([0.0, 800.0]), problem.p, [])))


def test_an_operation_without_numbers_is_named():
    S = State("S", 1.0)
    with pytest.raises(ModelError, match="besselj"):
        Problem(Model("bessel", rates={S: sp.besselj(0, S)})).system.f(0, np.ones(1), [], [])


def test_initial_values_and_their_derivatives():
    n0, f = Parameter("n0", 2.0), Parameter("f", 0.25)
    A, B = State("A", n0 * (1 - f)), State("B", 1.0)
    problem = Problem(Model("start", rates={A: -A, B: -B}), initial={"B": n0 * f**2})
    np.testing.assert_allclose(problem.system.y0(problem.p), [1.5, 0.125])
    # columns: f, n0
    np.testing.assert_allclose(problem.system.dy0dp(problem.p), [[-2.0, 0.75], [1.0, 0.0625]])
