"""Order of the methods, closed forms at every kind of change, and the classical stiff problems."""

import numpy as np
import pytest
import sympy as sp

from remission.models import Input, Model, Parameter, State, t
from remission.solvers import Problem, Treatment

pytest.importorskip("llvmlite")

from remission.solvers.kernels.build import Options, kernel
from remission.solvers.kernels.itinerary import itinerary, kernel_tolerances
from remission.solvers.kernels.members import Job, run_job
from remission.solvers.kernels.single import compiled_sample, wanted_outputs

pytestmark = pytest.mark.optional


def sampled(problem, times, names, columns=()):
    values, gradients, _, message = compiled_sample(problem, np.atleast_1d(np.asarray(times, float)), names, columns)
    assert not message
    return (values, gradients) if columns else values


def with_fixed_steps(problem, method, h, times, names):
    """Every step is h: an error test that always passes, and h as the longest step."""
    changes, (_, absolute, lowest, guarded) = itinerary(problem), kernel_tolerances(problem)
    job = Job(
        kernel(problem.model, Options(method, 1, (), guarded)), 1, np.array([problem.p]), changes.start[None], changes,
        changes.kept, changes.amount, np.asarray(times), wanted_outputs(problem, names), problem.t_span,
        (0.9, np.full(len(absolute), 1e9), lowest), largest=h,
    )  # fmt: skip
    return run_job(job).values[0]


def predator_prey():
    """Not linear, not autonomous; no closed form."""
    a, b = State("a", 1.0, positive=False), State("b", 0.5, positive=False)
    k = Parameter("k", 1.5)
    return Model("order", rates={a: a * (k - b) + 0.1 * t, b: b * (a - 1 - 0.1 * b)})


@pytest.mark.parametrize(("method", "order", "dense"), [("Rodas5P", 5, 4), ("Rodas3", 3, 2)])
def test_order_of_steps_and_of_dense_output(method, order, dense):
    problem = Problem(predator_prey(), t_span=(0, 2))
    inside = np.linspace(0.03, 1.97, 41)
    fine = with_fixed_steps(problem, "Rodas5P", 1 / 512, [*inside, 2.0], ["a", "b"])
    errors = []
    for h in (1 / 8, 1 / 16, 1 / 32):
        found = with_fixed_steps(problem, method, h, [*inside, 2.0], ["a", "b"])
        errors.append((np.abs(found - fine)[-1].max(), np.abs(found - fine)[:-1].max()))
    at_end, between = np.log2(np.divide(errors[:-1], errors[1:])).T
    assert np.all(at_end > order - 0.35), at_end
    assert np.all(between > min(order, dense + 1) - 0.45), between


def decay(**more):
    C, k = State("C", 2.0, kind="drug"), Parameter("k", 0.4)
    return Problem(Model("decay", rates={C: -k * C}), t_span=(0, 10), rtol=1e-9, atol=1e-12, **more)


def dosed(times, doses, start=2.0, k=0.4):
    """Sum of exponentials; a dose at an output time is not in it yet."""
    times = np.asarray(times, float)
    total = start * np.exp(-k * times)
    for at, amount in doses:
        total += np.where(times > at, amount * np.exp(-k * (times - at)), 0.0)
    return total


@pytest.mark.parametrize(
    "doses",
    [[(0.0, 1.0)], [(10.0, 5.0)], [(3.0, 1.0), (3.0, 0.5)], [(0.0, 1.0), (5.0, 1.0), (10.0, 1.0)], [(2.0, 3.0)]],
)
def test_doses_at_the_start_the_end_twice_and_at_output_times(doses):
    treatment = Treatment.none()
    for at, amount in doses:
        treatment = treatment + Treatment.bolus({"C": amount}, at=at)
    times = [0.0, 1.0, 2.0, 3.0, 4.5, 5.0, 9.0, 10.0]
    found = sampled(decay(treatment=treatment), times, ["C"])[:, 0]
    np.testing.assert_allclose(found, dosed(times, doses), rtol=1e-8)


def test_infusion_shorter_than_any_step():
    """Rate 1e6 for 1e-6 days is an amount of 1, to 1e-6."""
    problem = decay(treatment=Treatment.infusion({"C": 1e6}, start=4, duration=1e-6))
    times = [3.9, 5.0, 10.0]
    np.testing.assert_allclose(sampled(problem, times, ["C"])[:, 0], dosed(times, [(4.0, 1.0)]), rtol=1e-6)


def test_infusion_and_surgery():
    treatment = Treatment.infusion({"C": 3.0}, start=1, duration=2) + Treatment.surgery({"C": 0.75}, at=6)
    times = np.array([1.0, 2.0, 3.0, 6.0, 7.0])
    inside = np.clip(times - 1, 0, 2)
    given = 3.0 / 0.4 * (1 - np.exp(-0.4 * inside)) * np.exp(-0.4 * np.clip(times - 3, 0, None))
    expected = (2 * np.exp(-0.4 * times) + given) * np.where(times > 6, 0.25, 1.0)
    found = sampled(decay(treatment=treatment), times, ["C"])[:, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_levels_that_overlap_add_and_are_seen_as_outputs():
    N, r, u = State("N", 1.0), Parameter("r", 0.1), Input("u")
    model = Model("kill", rates={N: (r - u) * N}, observables={"double": 2 * N, "loss": u * N})
    treatment = Treatment.constant({"u": 0.1}, start=2, end=8) + Treatment.constant({"u": 0.2}, start=5, end=6)
    problem = Problem(model, t_span=(0, 10), treatment=treatment, rtol=1e-9, atol=1e-12)
    times = np.array([0.0, 2.0, 2.5, 5.5, 6.0, 7.0, 10.0])
    levels = np.array([0.0, 0.0, 0.1, 0.3, 0.3, 0.1, 0.0])
    dose = 0.1 * (np.clip(times, 2, 8) - 2) + 0.2 * (np.clip(times, 5, 6) - 5)
    expected = np.exp(0.1 * times - dose)
    found = sampled(problem, times, ["u", "N", "loss", "double"])
    np.testing.assert_allclose(found, np.stack([levels, expected, levels * expected, 2 * expected], 1), rtol=1e-8)


def test_explicit_time():
    """y' = y cos t."""
    y = State("y", 1.0)
    problem = Problem(Model("wave", rates={y: y * sp.cos(t)}), t_span=(1.5, 20), rtol=1e-9, atol=1e-12)
    times = np.linspace(1.5, 20, 30)
    np.testing.assert_allclose(sampled(problem, times, ["y"])[:, 0], np.exp(np.sin(times) - np.sin(1.5)), rtol=1e-7)


def test_one_state_no_parameter_and_a_state_that_nothing_moves():
    x, still = State("x", 3.0), State("still", 7.0)
    found = sampled(Problem(Model("bare", rates={x: -x, still: 0}), t_span=(0, 1), rtol=1e-9), [1.0], ["x", "still"])
    np.testing.assert_allclose(found, [[3 * np.exp(-1), 7.0]], rtol=1e-8)
    assert found[0, 1] == 7.0


def rober():
    a, b, c = (State(n, v, scale=1) for n, v in (("a", 1.0), ("b", 0.0), ("c", 0.0)))
    return Model("rober", rates={a: -0.04 * a + 1e4 * b * c, b: 0.04 * a - 1e4 * b * c - 3e7 * b**2, c: 3e7 * b**2})


def orego():
    a, b, c = (State(n, v, scale=1e3) for n, v in (("a", 1.0), ("b", 2.0), ("c", 3.0)))
    rates = {a: 77.27 * (b + a * (1 - 8.375e-6 * a - b)), b: (c - (1 + a) * b) / 77.27, c: 0.161 * (a - c)}
    return Model("orego", rates=rates)


def hires():
    y = [State(f"y{i}", v, scale=1e-2) for i, v in enumerate([1.0, 0, 0, 0, 0, 0, 0, 0.0057], 1)]
    y1, y2, y3, y4, y5, y6, y7, y8 = y
    fast = 280 * y6 * y8
    return Model(
        "hires",
        rates={
            y1: -1.71 * y1 + 0.43 * y2 + 8.32 * y3 + 0.0007,
            y2: 1.71 * y1 - 8.75 * y2,
            y3: -10.03 * y3 + 0.43 * y4 + 0.035 * y5,
            y4: 8.32 * y2 + 1.71 * y3 - 1.12 * y4,
            y5: -1.745 * y5 + 0.43 * y6 + 0.43 * y7,
            y6: -fast + 0.69 * y4 + 1.71 * y5 - 0.43 * y6 + 0.69 * y7,
            y7: fast - 1.81 * y7,
            y8: -fast + 1.81 * y7,
        },
    )


# Mazzia & Magherini, Test Set for IVP Solvers 2.4 (2008), II.10, II.8, II.1: end values at the given times.
PUBLISHED = [
    (rober, 1e11, [0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050], 1e-8),
    (orego, 360.0, [0.1000814870318523e1, 0.1228178521549917e4, 0.1320554942846706e3], 1e-6),
    (
        hires,
        321.8122,
        [0.7371312573325668e-3, 0.1442485726316185e-3, 0.5888729740967575e-4, 0.1175651343283149e-2,
         0.2386356198831331e-2, 0.6238968252742796e-2, 0.2849998395185769e-2, 0.2850001604814231e-2],
        1e-4,
    ),
]  # fmt: skip


@pytest.mark.parametrize("rtol", [1e-3, 1e-5, 1e-7, 1e-9])
@pytest.mark.parametrize(("model", "end", "values", "scale"), PUBLISHED, ids=["rober", "orego", "hires"])
def test_published_end_values(model, end, values, scale, rtol):
    """Relative error below 100 rtol; the smallest component of ROBER needs an absolute tolerance of its own size."""
    problem = Problem(model(), t_span=(0, end), rtol=rtol, atol=rtol * scale * (1e-8 if model is rober else 1.0))
    found = sampled(problem, [end], problem.system.states)[0]
    np.testing.assert_allclose(found, values, rtol=100 * rtol)


def test_sensitivities_of_rober_against_differences():
    a, b, c = (State(n, v, scale=1) for n, v in (("a", 1.0), ("b", 0.0), ("c", 0.0)))
    k1, k2, k3 = Parameter("k1", 0.04), Parameter("k2", 3e7), Parameter("k3", 1e4)
    slow, fast = k1 * a - k3 * b * c, k2 * b**2
    problem = Problem(Model("rober", rates={a: -slow, b: slow - fast, c: fast}), t_span=(0, 1e4), rtol=1e-8, atol=1e-14)
    times = np.array([0.4, 40.0, 4e3])
    _, gradients = sampled(problem, times, ["a", "b", "c"], (0, 1, 2))
    for column, (name, value) in enumerate(problem.parameters.items()):
        near = [
            sampled(problem.replace(rtol=1e-11, atol=1e-17, parameters={name: value * (1 + e)}), times, ["a", "b", "c"])
            for e in (1e-4, -1e-4)
        ]
        expected = (near[0] - near[1]) / (2e-4 * value)
        np.testing.assert_allclose(gradients[:, :, column], expected, rtol=2e-5)
