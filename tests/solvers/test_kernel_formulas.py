"""What the compiled kernels compute agrees with the NumPy source, operation by operation and model by model."""

import math

import numpy as np
import pytest
import sympy as sp

from remission.models import Input, Model, Parameter, State, catalogue, t
from remission.models.operations import ARRAY, OPERATIONS
from remission.solvers import Problem

pytest.importorskip("llvmlite")

from llvmlite import ir

from remission.solvers.kernels.build import unsupported
from remission.solvers.kernels.elementary import LANES
from remission.solvers.kernels.emit import Writer
from remission.solvers.kernels.formulas import Formulas, FormulasInFunction, prepare_function
from remission.solvers.kernels.jit import Loaded, compile_module, host_lanes
from remission.solvers.kernels.linear import IndexedLU, Plan, UnrolledLU
from remission.solvers.kernels.lists import model_lists
from remission.solvers.kernels.values import DOUBLE, INTEGER, POINTER
from remission.solvers.kernels.vectors import InMemory, InRegisters

pytestmark = pytest.mark.optional

MODELS = [
    getattr(catalogue, name)()
    for name in catalogue.__all__
    if name not in ("BY_QUESTION", "list_models") and callable(getattr(catalogue, name))
]


def compiled(body, lanes=1):
    """A function of arrays, from `body(writer, *views)` that writes its code."""

    def call(*arrays):
        writer = Writer(ir.Module("test"), "run", lanes, (POINTER, INTEGER, INTEGER))
        fields = writer.view(writer.arguments[0], INTEGER)
        body(writer, *(writer.view(writer.address(fields[i])) for i in range(len(arrays))))
        writer.finish()
        code = Loaded(compile_module(writer.module))
        code.run(np.array([a.ctypes.data for a in arrays], dtype=np.int64).ctypes.data, 0, 0)

    return call


def lanes_of(writer, view, at):
    return writer.packed([view[at * writer.lanes + k] for k in range(writer.lanes)])


def write_lanes(writer, view, at, value):
    for k in range(writer.lanes):
        view[at * writer.lanes + k] = writer.lane(writer.to(writer.vector, value), k)


POINTS = np.array(
    [0.0, -0.0, 1.0, -1.0, 0.3, -0.7, 1e-5, 2.5, 17.0, -30.0, 300.0, -300.0, 709.0, -740.0, 1e-300, 1e300, math.inf,
     -math.inf, math.nan, 1.5, 0.999999, 1.000001, 123456.789, 3e-9]
)  # fmt: skip


@pytest.mark.parametrize("lanes", [1, 4, 8])
@pytest.mark.parametrize("name", [n for n in OPERATIONS if n not in ("where", "power", "minimum", "maximum")])
def test_operation_of_one_argument(name, lanes):
    out = np.empty(len(POINTS))

    def body(w, points, results):
        for at in range(len(POINTS) // lanes):
            write_lanes(w, results, at, LANES[name](w, lanes_of(w, points, at)))

    compiled(body, lanes)(POINTS, out)
    with np.errstate(all="ignore"):
        expected = ARRAY[name](POINTS)
    np.testing.assert_allclose(out, expected, rtol=5e-15, atol=1e-323)


@pytest.mark.parametrize("name", ["power", "minimum", "maximum"])
def test_operation_of_two_arguments(name):
    a, b = (x.ravel() for x in np.meshgrid(POINTS, [0.0, 0.5, 1.0, 2.7, -1.3, math.nan]))
    out = np.empty(len(a))

    def body(w, first, second, results):
        for at in range(len(a) // 8):
            write_lanes(w, results, at, LANES[name](w, lanes_of(w, first, at), lanes_of(w, second, at)))

    compiled(body, 8)(a, b, out)
    with np.errstate(all="ignore"):
        expected = ARRAY[name](a, b)
    usual = np.full(a.shape, True)
    if name == "power":  # whole exponents of negative numbers are multiplied out, and 1**nan is nan here
        usual = ((a >= 0) & ~((a == 1) & np.isnan(b))) | (np.isfinite(a) & (a < 0) & (b % 1 != 0))
    np.testing.assert_allclose(out[usual], expected[usual], rtol=3e-13)


def hard_model():
    """Powers, a piecewise rate, extremes, a shared sum with weights, the time and an input in one model."""
    A, B, C = State("A", 0.4, kind="tumour"), State("B", 0.2), State("C", 0.1)
    h, k, u = Parameter("h", 2.3), Parameter("k", 0.7), Input("u")
    niche = A + k * B + 2 * C
    return Model(
        "hard",
        rates={
            A: A * (1 - niche / 3) * (1 + sp.sin(t) / 4) - u * A**h / (k**h + A**h),
            B: B * (1 - niche / 3) - sp.Piecewise((B * k, B > 0.3), (B**2, True)) + sp.Max(A, C, 0.3) * sp.exp(-C),
            C: sp.Min(A, B) / (1 + C) - sp.tanh(C) * sp.log(1 + B) - sp.Abs(C - B) * sp.sqrt(A),
        },
        observables={"niche": niche, "late": A * t},
    )


@pytest.mark.parametrize("lanes", [1, 8])
@pytest.mark.parametrize("model", [*MODELS, hard_model()], ids=lambda m: m.name)
def test_model_agrees_with_the_numpy_source(model, lanes):
    """Rates, Jacobian and observables at random points, to rounding."""
    rng = np.random.default_rng(5)
    lists, system = model_lists(model), Problem(model).system
    n, n_seen, n_constants = lists.n, len(lists.observables), len(lists.constants)
    time, p = 1.7, np.array(system.model_part(Problem(model).p)) * 1.05
    y = rng.uniform(0.1, 2.0, (lanes, len(model.states)))
    u = rng.uniform(0.1, 1.0, len(model.inputs))
    points = np.column_stack([y, np.full((lanes, n - y.shape[1]), time)]).T.copy()
    f, jac, seen = np.empty((n, lanes)), np.zeros((n, n, lanes)), np.empty((n_seen, lanes))
    fixed = np.concatenate([p, u])

    def body(w, points, fixed, f, jac, seen):
        constants = w.array(n_constants)
        for j in range(len(p) + len(u)):
            constants[j] = fixed[j]
        w.call(prepare_function(w, lists), constants)
        formulas = Formulas(w, lists, constants)
        point = [lanes_of(w, points, i) for i in range(n)]
        rates, entries = formulas.tangent(point)
        weights = formulas.weights()
        for i in range(n):
            write_lanes(w, f, i, rates[i])
        total = {}
        for (i, j), value in entries.items():
            parts = [(j, value)] if j < n else [(s, value * x) for (k, s), x in weights.items() if k == j - n]
            for column, part in parts:
                total[i, column] = total[i, column] + part if (i, column) in total else part
        for (i, j), value in total.items():
            write_lanes(w, jac, i * n + j, value)
        for o, value in enumerate(formulas.observables(point)):
            write_lanes(w, seen, o, value)

    compiled(body, lanes)(points, fixed, f, jac, seen)
    m = len(model.states)
    for k in range(lanes):
        expected_f, expected_j = system.tangent(time, y[k], p, u)[:2]
        scale = np.abs(expected_j).max() + np.abs(expected_f).max()
        np.testing.assert_allclose(f[:m, k], expected_f, rtol=1e-12, atol=1e-14 * scale)
        np.testing.assert_allclose(jac[:m, :m, k], expected_j, rtol=1e-12, atol=1e-14 * scale)
        if n_seen:
            expected = system.observe(np.array([time]), y[k][:, None], p, u[:, None])[:, 0]
            np.testing.assert_allclose(seen[:, k], expected, rtol=1e-12)


def test_shared_sums_are_found_with_their_weights():
    lists = model_lists(hard_model())
    assert len(lists.totals) == 1
    assert {j: str(w) for (_, j), w in lists.weights.items()} == {0: "1", 1: "k", 2: "2"}


def test_constant_terms_are_lifted():
    """No product of parameters is left in a rate: `turnover * r` and the like are computed once a segment."""
    lists = model_lists(catalogue.sensitive_resistant())
    fixed = set(lists.constants.symbols)
    for rate in lists.rates:
        for node in sp.preorder_traversal(rate):
            bare = node.free_symbols
            assert not (bare and bare <= fixed and node.args), node


def ladder(n):
    """n clones in one niche with exchange between neighbours."""
    clones = [State(f"x{i}", 0.1, kind="tumour") for i in range(n)]
    room = 1 - sum(clones) / 3
    rates = {}
    for i, x in enumerate(clones):
        rates[x] = x * room * (0.1 + 0.01 * i) - 0.02 * x + 0.01 * (clones[i - 1] if i else clones[0])
    return Model("ladder", rates=rates)


def test_a_total_becomes_an_unknown_where_that_is_cheaper():
    small, large = model_lists(ladder(4)), model_lists(ladder(50))
    plan = Plan(large.n, large.jacobian, large.weights, len(large.totals))
    folded = {(i, j) for i in range(50) for j in range(50)}
    assert plan.keeps_totals
    assert plan.operations < Plan(50, folded, {}, 0).operations / 50
    assert len(small.totals) == 1


@pytest.mark.parametrize("n", [3, 12, 40])
def test_lu_solves(n):
    """Both ways to write the elimination against NumPy's pivoted solution."""
    model, rng = ladder(n), np.random.default_rng(n)
    lists, system = model_lists(model), Problem(model).system
    y, b, out = rng.uniform(0.1, 1, n), rng.normal(size=n), np.empty((2, n))
    plan = Plan(n, lists.jacobian, lists.weights, len(lists.totals))

    def body(w, y, b, out):
        constants = w.array(len(lists.constants))
        w.call(prepare_function(w, lists), constants)
        for way, (space, lu, formulas) in enumerate(
            [(InRegisters, UnrolledLU, Formulas), (InMemory, IndexedLU, FormulasInFunction)]
        ):
            formulas = formulas(w, lists, constants)
            space, lu = space(w, n), lu(w, plan)
            lu.factor(w.real(5.0), formulas.tangent(space.read(y))[1], formulas.weights())
            x = lu.solve(space.read(b))
            for i in range(n):
                out[way * n + i] = x[i]

    compiled(body)(y, b, out)
    expected = np.linalg.solve(5.0 * np.eye(n) - system.jac(0.0, y, [], []), b)
    np.testing.assert_allclose(out, [expected, expected], rtol=1e-12, atol=1e-14)


def test_a_missing_operation_is_named():
    x = State("x", 0.5)
    model = Model("bessel", rates={x: -x + sp.atan(x)})
    assert "atan" in unsupported(model)
    assert not unsupported(hard_model())


def test_lanes_of_the_processor():
    assert host_lanes() in (2, 4, 8)
    assert DOUBLE != INTEGER
