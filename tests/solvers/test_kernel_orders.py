"""Order of every compiled method, of its dense output and of its sensitivities, measured on closed forms."""

import numpy as np
import pytest
import sympy as sp

from remission.models import Model, Parameter, State, t
from remission.solvers import Problem, solve
from remission.solvers.methods import COMPILED

pytest.importorskip("llvmlite")
pytestmark = pytest.mark.optional

STEPS, BETWEEN = {"Rodas3": 3}, {"Rodas3": 3}  # orders; 5 for every other method, and at least 4 between the steps
STIFF = [name for name in COMPILED if name.startswith("Rodas")]  # they carry sensitivities, too


def with_fixed_steps(problem, method, h, **more):
    """An error test that always passes, and h as the longest step: every step is h."""
    found = solve(problem, method, rtol=0.9, atol=1e9, max_step=h, **more).require()
    for segment in found.trace.segments:
        np.testing.assert_allclose(np.diff(segment.dense.ts), h, rtol=1e-9)
    return found


def observed(errors):
    """Mean order from errors at steps that are halved each time."""
    return np.log2(errors[0] / errors[-1]) / (len(errors) - 1)


def four():
    """Powers, exponentials, logarithms and the time: exp(sin t^2), exp(5 sin t^2), 1 + sin t^2, cos t^2."""
    a, b, c, d = (State(n, 1.0, positive=False) for n in "abcd")
    rates = {
        a: 2 * t * b ** sp.Rational(1, 5) * d, b: 10 * t * sp.exp(5 * (c - 1)) * d, c: 2 * t * d,
        d: -2 * t * sp.log(a),
    }  # fmt: skip
    return Problem(Model("four", rates=rates), t_span=(0, 1))


def four_exact(times):
    s = np.sin(np.asarray(times) ** 2)
    return np.array([np.exp(s), np.exp(5 * s), 1 + s, np.cos(np.asarray(times) ** 2)]).T


def at(found, times):
    return np.column_stack([found.at(times, name) for name in "abcd"])


@pytest.mark.parametrize("method", COMPILED)
def test_order_of_the_steps(method):
    errors = [np.abs(at(with_fixed_steps(four(), method, 2.0**-k), [1.0]) - four_exact([1.0])).max() for k in (4, 5, 6)]
    assert observed(errors) > STEPS.get(method, 5) - 0.4


@pytest.mark.parametrize("method", COMPILED)
def test_order_of_the_dense_output(method):
    """Of order 4 for methods of order 5: between the steps the error falls as the fifth power too."""
    inside = np.linspace(0.01, 0.99, 197)
    errors = [
        np.abs(at(with_fixed_steps(four(), method, 2.0**-k), inside) - four_exact(inside)).max() for k in (4, 5, 6)
    ]
    assert observed(errors) > BETWEEN.get(method, 5) - 0.6


@pytest.mark.parametrize("method", COMPILED)
def test_dense_output_joins_its_steps(method):
    found = with_fixed_steps(four(), method, 0.125)
    for edge in (0.125, 0.5, 0.875):
        below, above = (found.at(edge * (1 + e), "b") for e in (-1e-13, 1e-13))
        assert above == pytest.approx(below, rel=1e-11)


def logistic():
    N, r, K = State("N", 0.1, positive=False), Parameter("r", 1.0), Parameter("K", 2.0)
    return Problem(Model("logistic", rates={N: r * N * (1 - N / K)}), t_span=(0, 4))


def logistic_exact(times):
    """N and its derivatives by r and K for N0 = 0.1, r = 1, K = 2."""
    r, K, time = sp.symbols("r K time", positive=True)
    N = K / (1 + (10 * K - 1) * sp.exp(-r * time))
    ours = [sp.lambdify(time, f.subs({r: 1, K: 2})) for f in (N, sp.diff(N, r), sp.diff(N, K))]
    return [f(np.asarray(times)) for f in ours]


@pytest.mark.parametrize("method", STIFF)
def test_order_of_the_sensitivities(method):
    times = np.array([4.0])
    _, by_r, by_K = logistic_exact(times)
    errors = []
    for k in (2, 3, 4):
        found = with_fixed_steps(logistic(), method, 2.0**-k, sensitivities=["r", "K"], t_eval=times)
        ours = found.sensitivity("N", "r") - by_r, found.sensitivity("N", "K") - by_K
        errors.append(np.abs(ours).max())
    assert observed(errors) > STEPS.get(method, 5) - 0.6


@pytest.mark.parametrize("method", STIFF)
def test_dense_sensitivities(method):
    """Between steps chosen by the error test, at rtol 1e-8."""
    times = np.linspace(0.05, 3.95, 79)
    exact = logistic_exact(times)
    found = solve(logistic(), method, rtol=1e-8, atol=1e-10, t_eval=times, sensitivities=["r", "K"])
    for ours, theirs in zip((found["N"], *(found.sensitivity("N", p) for p in ("r", "K"))), exact, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-6)


@pytest.mark.parametrize("method", COMPILED)
def test_the_error_follows_the_tolerance(method):
    """From 1e-4 to 1e-9 the error falls by about as much as the tolerance: never less than half the decades."""
    errors = []
    for rtol in (1e-4, 1e-9):
        found = solve(four(), method, rtol=rtol, atol=rtol)
        errors.append(np.abs(at(found, [1.0]) / four_exact([1.0]) - 1).max())
        assert errors[-1] < 50 * rtol
    assert errors[1] < errors[0] * 1e-4


@pytest.mark.parametrize("method", STIFF)
def test_stiff_order(method):
    """Prothero and Robinson, lambda h above 1e4: Rodas3 sinks to h / lambda, Rodas5P keeps an order of 3."""
    y = State("y", 0.0, positive=False)
    problem = Problem(Model("prothero", rates={y: -1e6 * (y - sp.sin(t)) + sp.cos(t)}), t_span=(0, 1))
    errors = [abs(float(with_fixed_steps(problem, method, 2.0**-k).at(1.0, "y")) - np.sin(1.0)) for k in (3, 4, 5)]
    assert observed(errors) > {"Rodas3": 0.8}.get(method, 2.6)
    assert errors[-1] < {"Rodas3": 1e-8}.get(method, 1e-10)


@pytest.mark.parametrize("method", COMPILED)
def test_linear_invariants_are_kept_to_rounding(method):
    """What leaves one compartment enters the other: the sum stays whatever the tolerance."""
    a, b, c = (State(n, v, positive=False) for n, v in (("a", 1.0), ("b", 0.5), ("c", 0.0)))
    flow, back = 3 * a * b / (1 + a), 0.5 * c**2
    model = Model("closed", rates={a: -flow + back, b: flow / 2 - b, c: flow / 2 - back + b})
    found = solve(Problem(model, t_span=(0, 20), rtol=1e-3, atol=1e-3), method)
    np.testing.assert_allclose(found["a"] + found["b"] + found["c"], 1.5, rtol=2e-14)
