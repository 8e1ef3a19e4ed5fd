"""Hostile numbers: a clear error, a failure with a reason, or the right answer; never a silent wrong one.

Every number goes into a parameter, an initial value, a dose, a time and a tolerance, by every way into the kernels.
"""

import math
import warnings

import numpy as np
import pytest

from remission.models import Input, Model, Parameter, State
from remission.models.errors import RemissionError
from remission.solvers import Problem, SolveWarning, Treatment, kernels, sample, solve
from remission.solvers.methods import COMPILED

pytest.importorskip("llvmlite")
pytestmark = pytest.mark.optional

ROUTES = [*COMPILED, "default", "sample", "ensemble"]
NUMBERS = [0.0, -0.0, 5e-324, 1e-300, 1e-200, 1e-30, 1e-8, 1e8, 1e17, 1e30, 1e150, 1e200, 1e300, 1.7e308]
SIGNED = [*NUMBERS, *(-v for v in NUMBERS if v), math.inf, -math.inf, math.nan]
END = 2.0


def answer(route, make, name, value):
    """What a route says to a number: ("error", text), ("failed", text) or ("done", values at 0, 1, 2)."""
    times = [0.0, 1.0, END]
    try:
        problem = make()
        names = [problem.system.states[0]]
        if route == "ensemble":
            found = kernels.ensemble(problem, [name], [[value], [value]], times, names)
            good, message, values = found.status[0] == "done", found.messages[0], found.values[0, :, 0]
        else:
            problem = problem.replace(parameters={name: value})
            if route == "sample":
                found = sample(problem, times, names)
                good, message, values = found.success, found.message, found.values[:, 0]
            else:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", SolveWarning)
                    found = solve(problem, None if route == "default" else route, t_eval=times)
                good, message, values = found.success, found.message, found[names[0]]
    except RemissionError as fault:
        return "error", str(fault), None
    return ("done" if good else "failed"), message, values


def verdict(said, exact, rtol=1e-4, zero=0.0):
    """Fail unless the answer is an error or failure with a reason, or right; `zero`: what counts as nothing."""
    word, message, values = said
    if word != "done":
        assert message, "a failure without a reason"
        return
    assert np.all(np.isfinite(values)), values
    assert np.all(np.isfinite(exact)), f"done, with {values}, where the answer is {exact}"
    np.testing.assert_allclose(values, exact, rtol=rtol, atol=zero)


def exponential(value=0.3):
    N, r = State("N", 1.0, positive=False), Parameter("r", value)
    return Problem(Model("exponential", rates={N: r * N}), t_span=(0, END), rtol=1e-7)


@pytest.mark.parametrize("value", SIGNED, ids=repr)
@pytest.mark.parametrize("route", ROUTES)
def test_a_rate(route, value):
    """exp(r t): done for rates that a double can hold the answer of."""
    with np.errstate(all="ignore"):
        exact = np.exp(value * np.array([0.0, 1.0, END]))
    said = answer(route, exponential, "r", value)
    verdict(said, exact, zero=1e-6)
    if abs(value) < 1:
        assert said[0] == "done"


@pytest.mark.parametrize("value", SIGNED, ids=repr)
@pytest.mark.parametrize("route", ROUTES)
def test_an_initial_value(route, value):
    """start * exp(-0.5 t), linear: right for any size, since the default tolerance is relative to the start."""

    def make():
        N, start = State("N", Parameter("start", 1.0), positive=False), Parameter("k", 0.5)
        return Problem(Model("scaled", rates={N: -start * N}), t_span=(0, END), rtol=1e-7)

    exact = value * np.exp(-0.5 * np.array([0.0, 1.0, END]))
    small = abs(value) < (1.0 if route == "ensemble" else 1e-8)  # an ensemble has the tolerances of its problem
    verdict(answer(route, make, "start", value), exact, zero=1e-8 if small else 0.0)


@pytest.mark.parametrize("value", SIGNED, ids=repr)
@pytest.mark.parametrize("route", ROUTES)
def test_a_carrying_capacity(route, value):
    """Logistic growth from 0.5: K / (1 + (K / 0.5 - 1) exp(-t)), where a negative or small K must not end elsewhere."""

    def make():
        N, K = State("N", 0.5, kind="tumour"), Parameter("K", 2.0)
        return Problem(Model("logistic", rates={N: N * (1 - N / K)}), t_span=(0, END), rtol=1e-7)

    times = np.array([0.0, 1.0, END])
    with np.errstate(all="ignore"):
        room = 1 / np.float64(value)
        grown = np.exp(times)
        exact = 0.5 * grown / (1 + 0.5 * (grown - 1) * room)
        blows_up = bool(value < 0 and (1 + 0.5 * (grown - 1) * room <= 0).any())
    verdict(answer(route, make, "K", value), np.full(3, np.inf) if blows_up else exact, zero=1e-6)


@pytest.mark.parametrize("value", SIGNED, ids=repr)
@pytest.mark.parametrize("route", ROUTES)
def test_a_dose(route, value):
    """A dose at 1 into what decays as exp(-t)."""

    def make():
        C = State("C", 1.0, kind="drug", positive=False)
        dose = Treatment.bolus({"C": Parameter("dose", 1.0)}, at=1.0)
        return Problem(Model("decay", rates={C: -C}), t_span=(0, END), treatment=dose, rtol=1e-7)

    exact = np.array([1.0, np.exp(-1.0), np.exp(-2.0) + value * np.exp(-1.0)])
    verdict(answer(route, make, "dose", value), exact)


@pytest.mark.parametrize("value", SIGNED, ids=repr)
@pytest.mark.parametrize("route", ROUTES)
def test_a_time_of_a_dose(route, value):
    """A dose of 1 at any time: outside the span it never happens."""

    def make():
        C = State("C", 1.0, kind="drug", positive=False)
        dose = Treatment.bolus({"C": 1.0}, at=Parameter("day", 1.5))
        return Problem(Model("decay", rates={C: -C}), t_span=(0, END), treatment=dose, rtol=1e-7)

    times = np.array([0.0, 1.0, END])
    exact = np.exp(-times)
    if 0 <= value < END:
        exact = exact + np.where(times > value, np.exp(np.minimum(value - times, 0)), 0.0)
    if math.isfinite(value) and abs(value) < 1e-14:  # at the start, to the rounding of the span
        exact = np.exp(-times) + np.where(times > 0, np.exp(-times), 0.0) * (value >= 0)
    verdict(answer(route, make, "day", value), exact)


@pytest.mark.parametrize("value", SIGNED, ids=repr)
@pytest.mark.parametrize("route", ROUTES)
def test_an_exponent(route, value):
    """Hill's function of 0.5 at half its constant: powers that under- and overflow have their limits or are refused."""

    def make():
        x, h = State("x", 0.0, positive=False), Parameter("h", 2.0)
        drug = State("drug", 0.5, positive=False)
        return Problem(Model("hill", rates={x: drug**h / (1 + drug**h), drug: 0}), t_span=(0, END), rtol=1e-7)

    with np.errstate(all="ignore"):
        exact = np.array([0.0, 1.0, END]) / (1 + np.float64(2.0) ** value)
    verdict(answer(route, make, "h", value), exact, zero=1e-6)


@pytest.mark.parametrize("route", COMPILED)
@pytest.mark.parametrize("name", ["rtol", "atol"])
@pytest.mark.parametrize("value", [0.0, -1.0, 5e-324, 1e-300, 1e-16, 1.0, 1e300, math.inf, math.nan], ids=repr)
def test_a_tolerance(name, value, route):
    """Refused, or met as far as doubles go; a huge absolute tolerance asks for nothing and may not give nonsense."""
    refused = not (0 < value < 1) if name == "rtol" else not (0 <= value < math.inf)
    if refused:
        with pytest.raises(RemissionError, match=name):
            exponential().replace(**{name: value})
        return
    problem = exponential().replace(**{name: value})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SolveWarning)
        found = solve(problem, route, t_eval=[END], max_step=0.1)
    assert not found.success or found["N"][-1] == pytest.approx(np.exp(0.6), rel=1e-3)


@pytest.mark.parametrize("route", COMPILED)
@pytest.mark.parametrize(
    "t_span", [(0, 5e-324), (0, 1e-300), (0, 1e300), (1e16, 1e16 + 4), (-1e300, 1e300), (-2.0, -1.0)]
)
def test_a_span(t_span, route):
    """y' = -(y - 1) / length from 0: 1 - 1/e at the end of any span, or a reason."""
    length = t_span[1] - t_span[0]
    if 0 < length < 1e-11 * max(map(abs, t_span)):
        with pytest.raises(RemissionError, match="too short"):
            Problem(exponential().model, t_span=t_span)
        return
    y, scale = State("y", 0.0, scale=1.0, positive=False), Parameter("scale", 1.0)
    problem = Problem(Model("relax", rates={y: (1 - y) / scale}), t_span=t_span, rtol=1e-7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SolveWarning)
        found = solve(problem.replace(parameters={"scale": length}), route, t_eval=[t_span[1]])
    assert found.message if not found.success else found["y"][-1] == pytest.approx(1 - 1 / np.e, rel=1e-5)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("start", [1e-300, 1e-150, 1e-30, 1.0, 1e30, 1e150])
def test_a_clone_of_any_size_grows_as_it_should(start, route):
    """N(0) exp(0.5 t) for a tumour state: relative accuracy at any size."""

    def make():
        N = State("N", Parameter("start", 1.0), kind="tumour")
        return Problem(Model("clone", rates={N: Parameter("r", 0.5) * N}), t_span=(0, END), rtol=1e-7)

    exact = start * np.exp(0.5 * np.array([0.0, 1.0, END]))
    said = answer(route, make, "start", start)
    verdict(said, exact, rtol=1e-3 if route == "ensemble" else 1e-4)  # which has the tolerances of its problem
    if 1e-150 <= start <= 1e30:
        assert said[0] == "done", said


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("power", [2, 3])
def test_a_blow_up_is_told(power, route):
    """1 / (1 - t) and 1 / sqrt(1 - 2 t). A step over the pole of the first ends on its other branch, with no error."""

    def make():
        N, r = State("N", 1.0, positive=False), Parameter("r", 1.0)
        return Problem(Model("explosive", rates={N: r * N**power}), t_span=(0, END), rtol=1e-7)

    word, message, values = answer(route, make, "r", 1.0)
    assert word == "failed"
    assert "N" in message
    assert values[0] == 1.0
    if route != "Rodas3":  # its error estimate is exactly 0 for N' = N^2, so that its dense output ends anywhere
        assert np.all(np.isnan(values[power - 1 :]) | (values[power - 1 :] > 1e3))
    assert math.isnan(values[2])


@pytest.mark.parametrize("route", COMPILED)
def test_a_square_root_that_leaves_its_range(route):
    """y' = -sqrt(y): zero at 2, after which the root of a negative number must not go unnoticed."""
    y = State("y", 1.0, positive=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SolveWarning)
        found = solve(
            Problem(Model("draining", rates={y: -(y**0.5)}), t_span=(0, 4), rtol=1e-6), route, t_eval=[1.0, 4.0]
        )
    assert found["y"][0] == pytest.approx(0.25, rel=1e-4)
    assert abs(found["y"][1]) < 1e-4 if found.success else found.message


@pytest.mark.parametrize("value", SIGNED, ids=repr)
def test_gradients_are_finite_or_the_run_fails(value):
    """A gradient that is not finite never comes back as a success."""
    if not math.isfinite(value):
        with pytest.raises(RemissionError, match="must be finite"):
            exponential().replace(parameters={"r": value})
        return
    found = sample(exponential().replace(parameters={"r": value}), [1.0, END], ["N"], ["r"])
    if found.success:
        with np.errstate(all="ignore"):
            exact = np.array([1.0, END]) * np.exp(value * np.array([1.0, END]))
        assert np.all(np.isfinite(found.gradients))
        np.testing.assert_allclose(found.gradients[:, 0, 0], exact, rtol=1e-4, atol=1e-5)
    else:
        assert found.message


def test_a_clone_that_comes_back_and_stays_nothing_is_no_failure():
    """Down to 3e-199, where even the second run has no digits, and up to 1e-112: nothing that counts; it is done."""
    N, u = State("N", 1.0, kind="tumour"), Input("u")
    model = Model("return", rates={N: (Parameter("g", 8.0) * (1 - u) - 20 * u) * N})
    problem = Problem(model, t_span=(0, 48), treatment=Treatment.constant({"u": 1.0}, end=22.85), rtol=1e-6)
    found = kernels.ensemble(problem, ["g"], [[8.0], [8.1]], [0.0, 20.0, 48.0], ["N"])
    assert found.status == ("done", "done")
    np.testing.assert_allclose(found.values[:, 1, 0], np.exp(-400), rtol=1e-3)
    assert np.all(found.values[:, 2] < 1e-60)
