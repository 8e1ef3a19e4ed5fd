"""ScaledModel models: the groups of the papers, and the same trajectories as the original."""

import pickle

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import solve_ivp

from remission import models
from remission.models import Input, Lineage, Model, ModelError, Parameter, State, nondimensionalise, t

NAMES = [name for names in models.BY_QUESTION.values() for name in names]


def value(expression, changes=None):
    expression = sp.sympify(expression)
    numbers = {p: sp.Float((changes or {}).get(p.name, p.info.value)) for p in expression.free_symbols}
    return float(expression.xreplace(numbers))


def run(model, times, inputs, start=None):
    """Trajectory at the default parameters, shape (n_states, n_times)."""
    numbers = {p: sp.Float(p.info.value) for p in model.parameters}
    numbers |= {u: sp.Float(inputs.get(u.name, u.info.default)) for u in model.inputs}
    plain = [sp.Symbol(f"y{i}") for i in range(len(model.states))]
    swap = numbers | dict(zip(model.states, plain, strict=True))
    call = sp.lambdify([t, *plain], [e.xreplace(swap) for e in model.equations.values()], "numpy")
    y0 = [value(s.info.initial) for s in model.states] if start is None else start
    found = solve_ivp(
        lambda time, y: call(time, *y), (0, times[-1]), y0, t_eval=times, method="LSODA", rtol=1e-11, atol=1e-18
    )
    assert found.success
    return found.y


def agree(model, scaled, days, inputs, starts):
    """Both trajectories in the original units."""
    tau = value(scaled.time_scale)
    sizes = np.array([value(scaled.state_scales[s.name]) for s in model.states])
    times = np.linspace(0, days, 13)
    original = run(model, times, inputs, starts)
    start = None if starts is None else np.asarray(starts) / sizes
    again = run(scaled.model, times / tau, inputs, start) * sizes[:, None]
    peak = np.abs(original).max(axis=1, keepdims=True) + 1e-300
    np.testing.assert_allclose(again / peak, original / peak, rtol=1e-7, atol=1e-9)


def loop_scaled():
    loop = models.paracrine_loop()
    T, K, r = (loop.symbol(name) for name in ("T", "K", "r"))
    return loop, nondimensionalise(loop, scales={T: K, t: 1 / r})


def test_the_groups_of_the_inflammatory_loop():
    """da/r = 1/3, kap/r = 2, K/T_X = 100, gX/r = 9.6, gF/r = 133, gP/r = 6.67, dM/r = 1.667 and the plain numbers."""
    loop, scaled = loop_scaled()
    r, K = loop.symbol("r"), loop.symbol("K")
    for name in ("da", "kap", "gX", "gF", "gP", "dM", "kM"):
        assert scaled.groups[name] == loop.symbol(name) / r
    assert scaled.groups["T_X"] == loop.symbol("T_X") / K
    assert [round(scaled.value(n), 4) for n in ("da", "kap", "gX", "gF", "gP", "dM")] == [
        0.3333,
        2,
        9.6,
        133.3333,
        6.6667,
        1.6667,
    ]
    assert 1 / scaled.value("T_X") == pytest.approx(100)
    plain = {"rho", "rhoa", "etaF", "eF", "m0", "mP"}
    assert all(scaled.groups[name] == loop.symbol(name) for name in plain)
    assert set(scaled.groups) == {"da", "kap", "gX", "gF", "gP", "dM", "kM", "T_X"} | plain
    assert list(scaled.initial_groups) == ["T0"]
    assert {p.name for p in scaled.model.parameters} == set(scaled.groups) | {"T0"}
    assert {u.name for u in scaled.model.inputs} == {"e", "B"}
    assert all(s.info.unit == "1" for s in (*scaled.model.states, *scaled.model.parameters))
    assert scaled.model.time_unit == "1"


def test_a_cell_and_the_bounds_keep_their_size():
    loop, scaled = loop_scaled()
    T, _, X, *_ = scaled.model.states
    assert T.info.cells_per_unit == 1e9  # 1000 times 1e6 cells
    assert T.info.bounds == (0, 1)
    original = value(loop.symbol("X").info.bounds[1])
    assert value(X.info.bounds[1]) == pytest.approx(original)


def test_the_logistic_law_has_no_group():
    scaled = nondimensionalise(models.logistic_growth())
    (V,) = scaled.model.states
    assert scaled.groups == {}
    assert scaled.model.equations[V] == V * (1 - V)
    assert scaled.value("V0") == pytest.approx(220 / 6920)


@pytest.mark.parametrize("name", NAMES)
def test_scaled_and_original_trajectories_agree(name):
    model = getattr(models, name)().replace(fluxes={})  # in place only
    rates = {"e": 0.6, "B": 3.0, "u": 0.4, "cin": 0.7}
    doses = {"bolus_1cpt": [5.0], "oral_1cpt": [5.0, 1.0], "two_cpt": [5.0, 1.0], "kpd": [5.0]}
    cells = {"oncogene_withdrawal": [1e8, 1e7, 1e4], "clonal_relapse": [1e8, 1e4]}
    cells["karyotype_ladder"] = [1e6, 1e8, 1e7, 1e6, 1e5, 1e5, 1e4, 1e4]
    starts = (doses | cells).get(name)
    scales = None
    if name in ("von_bertalanffy_growth", "surface_growth"):  # the loss b is practically zero; a is no rate
        scales = {t: model.symbol("V0") ** sp.Rational(1, 3) / model.symbol("a")}
    agree(model, nondimensionalise(model, scales=scales), 20, rates, starts)


def test_chosen_scales_give_the_same_trajectory():
    loop, scaled = loop_scaled()
    agree(loop, scaled, 60, {"e": 0.8, "B": 10}, None)
    T, T_X, dM = (loop.symbol(name) for name in ("T", "T_X", "dM"))
    other = nondimensionalise(loop, scales={"T": T_X, "t": 1 / dM})
    assert other.groups["K"] == loop.symbol("K") / T_X
    agree(loop, other, 60, {"e": 0.8, "B": 10}, None)
    by_name = nondimensionalise(loop, scales={T: "T_X", t: 1 / dM})
    assert by_name.groups == other.groups


def test_a_scale_may_be_a_difference_of_rates():
    """Net growth b - d as the rate: b is solved for, so that d/(b - d) is left."""
    model = models.oncogene_withdrawal()
    b_S, d_S = model.symbol("b_S"), model.symbol("d_S")
    scaled = nondimensionalise(model, scales={t: 1 / (b_S - d_S)})
    assert "b_S" not in scaled.groups
    assert scaled.value("d_S") == pytest.approx(1.5)
    agree(model, scaled, 30, {"u": 0, "cin": 1}, [1e7, 1e6, 1e3])


def test_lineages_and_yields_are_scaled():
    model = models.oncogene_withdrawal()
    scaled = nondimensionalise(model, scales={t: 1 / model.symbol("b_R")})
    R = scaled.model.symbol("R")
    lineage = scaled.model.lineages[R]
    assert {p.name for p in lineage.death.free_symbols} == {"d_R", "kap_R", "u"}
    assert scaled.value("S_start") == pytest.approx(1e-9)
    assert scaled.initial_groups == {"S_start": 1.0 / model.symbol("K")}
    S, A = scaled.model.symbol("S"), scaled.model.symbol("A")
    assert (S, A, scaled.model.symbol("f_v")) in scaled.model.transfers


def test_states_of_two_units_and_a_yield_between_them():
    r, k, K = Parameter("r", 0.3, unit="1/day"), Parameter("k", 0.2, unit="1/day"), Parameter("K", 50.0, unit="cells")
    make = Parameter("make", 1e-3, unit="ng/cell")
    dose = Parameter("dose", 2.0, unit="ng")
    N, P = State("N", 5.0, unit="cells"), State("P", 0.0, unit="ng")
    model = Model("m", rates={N: r * N * (1 - N / K)}, transfers={(N, P, make): k * N})
    scaled = nondimensionalise(model, scales={t: 1 / r, N: K})
    agree(model, scaled, 20, {}, None)
    with_dose = model.replace(rates=dict(model.rates) | {P: -r * P * P / dose})
    scaled = nondimensionalise(with_dose, scales={t: 1 / r})
    assert scaled.state_scales["P"] == dose
    assert scaled.groups["make"] == make * K / dose
    agree(with_dose, scaled, 20, {}, None)


def test_inputs_with_a_unit_and_explicit_time():
    from remission.models import Input

    rate = Input("rate", 3.0, unit="cells/day")
    r, K = Parameter("r", 0.3, unit="1/day"), Parameter("K", 50.0, unit="cells")
    N = State("N", 5.0, unit="cells")
    model = Model("m", rates={N: r * N * (1 - N / K) * sp.cos(r * t) + rate})
    scaled = nondimensionalise(model)
    assert scaled.groups["rate"] == rate / (K * r)
    assert scaled.model.inputs[0].info.default == pytest.approx(3 / (50 * 0.3))
    agree(model, scaled, 20, {}, None)


def test_a_missing_unit_is_named():
    r, bare, K = Parameter("r", 0.3, unit="1/day"), Parameter("bare", 0.1), Parameter("K", 50.0, unit="cells")
    N = State("N", 5.0, unit="cells")
    model = Model("m", rates={N: r * N * (1 - N / K) - bare * N})
    with pytest.raises(ModelError, match=r"do not cancel from dN/dt = .*without a unit: bare"):
        nondimensionalise(model)
    with pytest.raises(ModelError, match="bare numbers"):
        nondimensionalise(Model("m", rates={N: r * N * (1 - N / K) + 3}))


def test_a_model_without_units_is_scaled_by_what_is_given():
    r, K = Parameter("r", 0.3), Parameter("K", 50.0)
    N = State("N", 5.0)
    model = Model("m", rates={N: r * N * (1 - N / K)})
    with pytest.raises(ModelError, match="no parameter has the unit 1/day"):
        nondimensionalise(model)
    scaled = nondimensionalise(model, scales={t: 1 / r, N: K})
    agree(model, scaled, 20, {}, None)
    assert list(scaled.model.equations.values()) == [scaled.model.states[0] * (1 - scaled.model.states[0])]


@pytest.mark.parametrize(
    ("scales", "says"),
    [
        ({"T": "r"}, "scale of state T must have the dimension cell"),
        ({"t": "r"}, "scale of time must have the dimension time"),
        ({"Q": "K"}, "no symbol named 'Q'"),
        ({"r": "K"}, "no state"),
        ({"t": 0}, "not be 0"),
        ({"t": 1 / State("T", 1.0, unit="day")}, "parameters only"),
    ],
)
def test_a_scale_without_meaning_is_refused(scales, says):
    with pytest.raises(ModelError, match=says):
        nondimensionalise(models.paracrine_loop(), scales=scales)


def test_a_scaled_model_stays_as_it_is():
    _, scaled = loop_scaled()
    again = nondimensionalise(scaled.model)
    assert again.time_scale == 1
    assert [str(e) for e in again.model.equations.values()] == [str(e) for e in scaled.model.equations.values()]


def test_the_result_prints_and_pickles():
    _, scaled = loop_scaled()
    text = str(scaled)
    assert "time in units of 1/r = 6.66667 day" in text
    assert "T in units of K = 1000 (1e6 cells)" in text
    assert "group kap = kap/r = 2" in text
    again = pickle.loads(pickle.dumps(scaled))
    assert again.model == scaled.model
    assert again.groups == scaled.groups
    with pytest.raises(ModelError, match="did you mean 'kap'"):
        scaled.value("kapp")


def test_a_lineage_in_scaled_time():
    b, d = Parameter("b", 0.3, unit="1/day"), Parameter("d", 0.1, unit="1/day")
    N = State("N", 1.0, unit="cells")
    model = Model("m", rates={N: (b - d) * N}, lineages={N: Lineage(birth=b, death=d)})
    scaled = nondimensionalise(model)
    (line,) = scaled.model.lineages.values()
    assert line.birth == 1
    assert value(line.death) == pytest.approx(1 / 3)


def test_a_group_that_holds_an_input_has_the_value_of_its_default():
    r, N, u = Parameter("r", 0.5, unit="1/day"), State("N", 1.0, unit="1"), Input("u", default=0.1, unit="1/day")
    scaled = nondimensionalise(Model("m", rates={N: (r - u) * N}))
    assert scaled.value("u") == pytest.approx(0.2)
    assert "group u = u/r = 0.2" in str(scaled)
