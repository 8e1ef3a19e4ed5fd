"""Interval operations hold the true values (mpmath, 40 digits); tapes forward and backward."""

import random

import mpmath
import numpy as np
import pytest
import sympy as sp

from remission.solvers.tape import make_tape

pytestmark = pytest.mark.optional
x, y, k = sp.symbols("x y k", positive=True)
mp = mpmath.mp.clone()
mp.dps = 40


def operations():
    from remission.solvers import interval_elementary as e

    return {
        "exp": (lambda a: e.exponential(a, a), mp.exp, (-300, 300), 1e-12),
        "log": (lambda a: e.logarithm(a, a), mp.log, (1e-200, 1e200), 1e-14),
        "sin": (lambda a: e.sine(a, a), mp.sin, (-50, 50), 1e-10),
        "cos": (lambda a: e.cosine(a, a), mp.cos, (-50, 50), 1e-10),
        "tanh": (lambda a: e.tangent_hyperbolic(a, a), mp.tanh, (-30, 30), 1e-3),
        "sqrt": (lambda a: e.square_root(a, a), mp.sqrt, (1e-200, 1e200), 1e-15),
        "fifth power": (lambda a: e.power_whole(a, a, 5), lambda a: a**5, (-1e40, 1e40), 1e-14),
        "cube root": (
            lambda a: (e.root_whole(a, 3, False), e.root_whole(a, 3, True)),
            lambda a: mp.sign(a) * mp.cbrt(abs(a)), (-1e40, 1e40), 1e-14,
        ),
        "power 2.3": (lambda a: e.power(a, a, 2.3, 2.3), lambda a: a ** mp.mpf(2.3), (1e-20, 1e20), 1e-12),
    }  # fmt: skip


@pytest.mark.parametrize("name", list(operations()))
def test_points_are_enclosed(name):
    function, exact, (low, high), width = operations()[name]
    rng = random.Random(0)
    for i in range(400):
        if low > 0:
            at = (
                10 ** rng.uniform(np.log10(low), np.log10(high))
                if i % 2
                else 1 + rng.uniform(-1, 1) * 10.0 ** -(i % 16)
            )
            at = max(at, low)
        else:
            at = rng.uniform(low, high) * 10.0 ** -(i % 9)
        ends, value = function(at), exact(mp.mpf(at))
        assert ends[0] <= value <= ends[1]
        assert ends[1] - ends[0] <= width * abs(value) + 1e-290


@pytest.mark.parametrize("expression", [
    x + y, x - y, x * y, x / y, x**2, (x - y) ** 2, (x - y) ** 3, x**-2, sp.exp(x - y), sp.log(x + y), sp.sqrt(x + y),
    x**k, x * y / (1 + x), abs(x - y), sp.Min(x, y), sp.Max(x, y), sp.sin(x + y), sp.cos(3 * x), sp.tanh(x - y), x / 3,
])  # fmt: skip
def test_ranges_hold_all_values_and_narrowing_loses_none(expression):
    from remission.solvers import intervals

    tape = make_tape([expression], [x, y], [k])
    numbers = intervals.number_intervals(tape)
    f = sp.lambdify([x, y, k], expression, "numpy")
    rng = np.random.default_rng(0)
    for _ in range(60):
        low = rng.uniform(0.1, 3, 2)
        high = low + rng.uniform(0, 2, 2)
        V = np.zeros((tape.n_registers, 2))
        V[: tape.first_variable] = [*numbers, (1.7, 1.7)]
        V[tape.first_variable : tape.n_given] = np.column_stack([low, high])
        assert intervals.forward(tape.code, 0, len(tape.code), tape.n_given, V) != intervals.EMPTY
        points = rng.uniform(low, high, (200, 2))
        values = f(points[:, 0], points[:, 1], 1.7)
        at = tape.outputs[0]
        slack = 1e-12 * np.max(np.abs(values))
        assert V[at, 0] <= values.min() + slack
        assert V[at, 1] >= values.max() - slack
        wanted = np.sort(values)[[40, 120]]
        V[at] = wanted
        assert intervals.backward(tape.code, len(tape.code), tape.n_given, tape.first_variable, V)
        kept = points[(values >= wanted[0] + slack) & (values <= wanted[1] - slack)]
        box = V[tape.first_variable : tape.n_given]
        assert np.all((kept >= box[:, 0] - 1e-12) & (kept <= box[:, 1] + 1e-12))


def test_narrowing_finds_the_ends():
    """x^2 + y = 4 with y in [0, 3]: x in [1, 2]."""
    from remission.solvers import intervals

    tape = make_tape([x**2 + y - 4], [x, y])
    V = np.zeros((tape.n_registers, 2))
    V[: tape.first_variable] = intervals.number_intervals(tape)
    V[tape.first_variable : tape.n_given] = [(0, 10), (0, 3)]
    intervals.forward(tape.code, 0, len(tape.code), tape.n_given, V)
    V[tape.outputs[0]] = 0
    assert intervals.backward(tape.code, len(tape.code), tape.n_given, tape.first_variable, V)
    np.testing.assert_allclose(V[tape.first_variable], (1, 2), rtol=1e-14)
    V[tape.first_variable] = (3, 10)
    intervals.forward(tape.code, 0, len(tape.code), tape.n_given, V)
    V[tape.outputs[0]] = (max(V[tape.outputs[0], 0], 0), 0)
    assert V[tape.outputs[0], 0] > V[tape.outputs[0], 1]


def test_what_is_not_defined_is_said():
    from remission.solvers import intervals

    for expression, low, high, state in (
        (sp.log(x - 3), 1, 2, intervals.EMPTY),
        (sp.log(x - 3), 1, 4, intervals.ROUGH),
        (1 / (x - 3), 1, 4, intervals.ROUGH),
        (sp.log(x), 1, 2, intervals.SMOOTH),
        (sp.sqrt(x - 3), 1, 2, intervals.EMPTY),
        (abs(x - 3), 1, 4, intervals.ROUGH),
    ):
        tape = make_tape([expression], [x])
        V = np.zeros((tape.n_registers, 2))
        V[: tape.first_variable] = intervals.number_intervals(tape)
        V[tape.first_variable] = (low, high)
        assert intervals.forward(tape.code, 0, len(tape.code), tape.n_given, V) == state


def test_numbers_that_are_no_doubles_are_enclosed():
    from remission.solvers import intervals

    tape = make_tape([sp.pi * x + sp.Rational(1, 3) * x + sp.Integer(2) ** 60 * y + (2**53 + 1) * y], [x, y])
    found = dict(zip(tape.numbers, intervals.number_intervals(tape).tolist(), strict=True))
    assert found[sp.Integer(3)] == [3.0, 3.0]
    assert all(low <= mp.mpf(str(sp.N(n, 30))) <= high for n, (low, high) in found.items())
    assert found[sp.pi][0] < found[sp.pi][1]
