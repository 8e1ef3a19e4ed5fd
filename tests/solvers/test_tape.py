"""Tapes against SymPy's own values, in floats and in high precision."""

import mpmath
import numpy as np
import pytest
import sympy as sp

from remission import models
from remission.models import derive
from remission.models.errors import ProblemError
from remission.solvers.tape import OPERATIONS, POWER_WHOLE, make_tape, run_python

x, y, k = sp.symbols("x y k", positive=True)


@pytest.mark.parametrize("expression", [
    x + y, x - y - 3, -x - y, x * y / 3, -2 * x, 1 / x, x**-3, x**7, sp.sqrt(x), 1 / sp.sqrt(y), x**k,
    x ** sp.Rational(2, 3), -sp.Rational(2, 7) - x, sp.Rational(-3, 5) * x / y,
    sp.exp(-x), sp.log(1 + x) - y, sp.sin(x) * sp.cos(y), sp.tanh(x), abs(y - x), sp.Min(x, y, k), sp.Max(x, 1),
    sp.Rational(1, 3) * x, 0.1 * x, sp.pi * x, sp.Integer(4), k, sp.E**2 * x,
])  # fmt: skip
def test_every_operation(expression):
    tape = make_tape([expression], [x, y], [k])
    given = {x: 0.7, y: 1.9, k: 1.3}
    (value,) = run_python(tape, [1.3], [0.7, 1.9])
    wanted = float(sp.sympify(expression).xreplace({s: sp.Float(v, 30) for s, v in given.items()}))
    assert float(value) == pytest.approx(wanted, rel=1e-14)


@pytest.mark.parametrize("name", ["paracrine_loop", "sensitive_resistant", "two_clone_competition", "gompertz_growth"])
def test_models_and_their_jacobians(name):
    model = getattr(models, name)()
    jacobian = derive.jacobian(model)
    expressions = [*model.equations.values(), *jacobian]
    tape = make_tape(expressions, model.states, [*model.parameters, *model.inputs])
    rng = np.random.default_rng(0)
    at = rng.uniform(0.2, 2, len(model.states))
    values = [p.info.value for p in model.parameters] + [0.4] * len(model.inputs)
    put = dict(zip([*tape.parameters, *model.states], map(sp.Float, [*values, *at]), strict=True))
    wanted = [float(sp.sympify(e).xreplace(put)) for e in expressions]
    np.testing.assert_allclose(np.array(run_python(tape, values, at), float), wanted, rtol=1e-12, atol=1e-300)


def test_common_parts_are_computed_once():
    tape = make_tape([(x + y) ** 2, 1 / (x + y), (x + y) * k], [x, y], [k])
    assert len(tape.code) == 4
    assert tape.n_registers == tape.n_given + 4


def test_other_arithmetics():
    tape = make_tape([sp.Rational(1, 3) * x + sp.exp(y)], [x, y])
    with mpmath.workdps(40):
        (value,) = run_python(tape, [], [mpmath.mpf(2), mpmath.mpf(1)], mpmath)
        assert abs(value - (mpmath.mpf(2) / 3 + mpmath.e)) < mpmath.mpf(10) ** -38


def test_whole_powers_keep_their_exponent():
    tape = make_tape([x**5], [x])
    assert tape.code.tolist() == [[POWER_WHOLE, tape.first_variable, 5]]
    assert OPERATIONS[POWER_WHOLE] == "POWER_WHOLE"


def test_what_is_missing_is_named():
    with pytest.raises(ProblemError, match="k is neither a variable nor a parameter"):
        make_tape([k * x], [x])
    with pytest.raises(ProblemError, match="no rule for the operation Piecewise"):
        make_tape([sp.Piecewise((x, x > 1), (0, True))], [x])
