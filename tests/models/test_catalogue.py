"""Catalogue models against closed forms and published numbers."""

import inspect
import itertools

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import solve_ivp
from scipy.optimize import root

from remission import models
from remission.models import catalogue, compose

NAMES = [name for names in models.BY_QUESTION.values() for name in names]


def numbers(model, changes):
    return {p: sp.Float(changes.get(p.name, p.info.value)) for p in model.parameters}


def functions(model, changes=None, inputs=None):
    """Right-hand side f(t, y) and start at the defaults, with changes."""
    put = numbers(model, changes or {})
    put |= {u: sp.Float((inputs or {}).get(u.name, u.info.default)) for u in model.inputs}
    plain = [sp.Symbol(f"y{i}") for i in range(len(model.states))]
    swap = put | dict(zip(model.states, plain, strict=True))
    call = sp.lambdify(plain, [sp.sympify(e).xreplace(swap) for e in model.equations.values()], "numpy")
    y0 = [float(s.info.initial.xreplace(put)) for s in model.states]
    return (lambda _, y: np.array(call(*y), float)), np.array(y0)


def run(model, times, changes=None, inputs=None, start=None):
    f, y0 = functions(model, changes, inputs)
    y0 = y0 if start is None else start
    found = solve_ivp(f, (0, times[-1]), y0, t_eval=times, method="LSODA", rtol=1e-11, atol=1e-13)
    assert found.success
    return found.y


@pytest.mark.parametrize("name", NAMES)
def test_every_model_is_complete(name):
    function = getattr(models, name)
    model = function()
    assert name in models.__all__
    assert model.name == name
    assert model == function()
    assert model.time_unit in {"day", "week", "month", "1"}  # as the paper counts it
    assert model.source
    text = inspect.getdoc(function)
    for section in ("Returns", "Examples"):
        assert f"{section}\n---" in text
    for p in model.parameters:
        low, high = p.info.plausible
        assert low <= p.info.value <= high or p.info.value < 1e-15, p
        assert low > 0 or p.info.scale == "linear", p


def test_the_listing_names_every_model_once():
    rows = models.list_models()
    assert [row["name"] for row in rows] == NAMES
    assert sorted(NAMES) == sorted(set(catalogue.__all__) - {"BY_QUESTION", "list_models"})
    assert {"growth law", "resistance", "aneuploidy", "inflammation", "pharmacokinetics"} <= set(models.BY_QUESTION)
    assert all(isinstance(v, str) for row in rows for v in row.values())


@pytest.mark.parametrize("order", [1, -1])
def test_models_with_equal_letters_keep_their_defaults_in_either_order(order):
    """S, R, r, u, V and K occur in several models with other values, in one process."""
    made = [getattr(models, name)() for name in NAMES[::order]]
    found = {m.name: m for m in made}
    assert found["exponential_growth"].symbol("r").info.value == 0.0246
    assert found["logistic_growth"].symbol("r").info.value == 0.0295
    assert found["gompertz_growth"].symbol("r").info.value == 0.0919
    assert found["sensitive_resistant"].symbol("r").info.value == 0.027
    assert found["paracrine_loop"].symbol("K").info.value == 1000
    assert found["two_clone_competition"].symbol("K").info.value == 1e4
    for model in made:
        for e in model.equations.values():
            assert e.free_symbols <= {*model.states, *model.parameters, *model.inputs}


days = np.linspace(0, 90, 19)


def test_exponential_growth_closed_form():
    (V,) = run(models.exponential_growth(), days)
    np.testing.assert_allclose(V, 220 * np.exp(0.0246 * days), rtol=1e-9)


def test_logistic_growth_closed_form():
    (V,) = run(models.logistic_growth(), days)
    np.testing.assert_allclose(V, 6920 / (1 + (6920 / 220 - 1) * np.exp(-0.0295 * days)), rtol=1e-9)


def test_gompertz_growth_closed_form_without_offset():
    (V,) = run(models.gompertz_growth(), days, {"c": 0.0})
    np.testing.assert_allclose(V, 15500 * np.exp(np.log(220 / 15500) * np.exp(-0.0919 * days)), rtol=1e-9)


def test_gompertz_growth_with_the_published_offset_stops_at_the_difference():
    (V,) = run(models.gompertz_growth(), np.linspace(0, 2000, 3))
    assert V[-1] == pytest.approx(15500 - 10700, rel=1e-9)


def test_von_bertalanffy_closed_form():
    (V,) = run(models.von_bertalanffy_growth(), days, {"b": 0.05})
    ratio = 0.2344 / 0.05
    np.testing.assert_allclose(V, (ratio + (220 ** (1 / 3) - ratio) * np.exp(-0.05 * days / 3)) ** 3, rtol=1e-9)
    (V,) = run(models.von_bertalanffy_growth(), days)  # the published loss is practically none
    np.testing.assert_allclose(V, (220 ** (1 / 3) + 0.2344 * days / 3) ** 3, rtol=1e-9)


hours = np.linspace(0, 4, 33)


def test_bolus_closed_form():
    model = models.bolus_1cpt()
    (amount,) = run(model, hours, {"CL": 30.0}, start=[100.0])
    np.testing.assert_allclose(amount, 100 * np.exp(-1.5 * hours), rtol=1e-9, atol=1e-9)
    assert model.observables["C"] == model.states[0] / model.symbol("V_c")


def test_oral_closed_form():
    changes = {"k_a": 5.0, "F_oral": 0.6, "CL": 30.0, "V_c": 20.0}
    gut, central = run(models.oral_1cpt(), hours, changes, start=[100.0, 0.0])
    np.testing.assert_allclose(gut, 100 * np.exp(-5 * hours), rtol=1e-9, atol=1e-9)
    expected = 0.6 * 100 * 5 / (5 - 1.5) * (np.exp(-1.5 * hours) - np.exp(-5 * hours))
    np.testing.assert_allclose(central, expected, rtol=1e-9, atol=1e-9)


def test_two_compartments_closed_form():
    """Two exponentials; the area under the concentration is dose / clearance."""
    CL, V_c, Q, V_p = 20.0, 20.0, 30.0, 30.0
    k, k_12, k_21 = CL / V_c, Q / V_c, Q / V_p
    total, product = k + k_12 + k_21, k * k_21
    fast, slow = (total + s * np.sqrt(total**2 - 4 * product) for s in (1, -1))
    fast, slow = fast / 2, slow / 2
    A, B = (fast - k_21) / (fast - slow), (k_21 - slow) / (fast - slow)
    central, peripheral = run(models.two_cpt(), hours, start=[100.0, 0.0])
    np.testing.assert_allclose(central, 100 * (A * np.exp(-fast * hours) + B * np.exp(-slow * hours)), atol=1e-8)
    expected = 100 * k_12 / (fast - slow) * (np.exp(-slow * hours) - np.exp(-fast * hours))
    np.testing.assert_allclose(peripheral, expected, atol=1e-8)
    assert 100 / V_c * (A / fast + B / slow) == pytest.approx(100 / CL)


def test_kpd_closed_form():
    model = models.kpd()
    (A,) = run(model, hours, start=[40.0])
    np.testing.assert_allclose(A, 40 * np.exp(-0.5 * hours), rtol=1e-9)
    half = {model.states[0]: 20.0, model.symbol("KDE"): 0.5, model.symbol("EDK50"): 10.0}
    assert float(model.observables["effect"].xreplace(half)) == pytest.approx(0.5)


def test_sensitive_resistant_is_strobls_right_hand_side():
    f, y0 = functions(models.sensitive_resistant(), inputs={"u": 0.5})
    np.testing.assert_allclose(y0, [0.495, 0.005])
    S, R = y0
    expected = [0.027 * (1 - S - R) * (1 - 0.75) * S - 0.25 * 0.027 * S, 0.027 * (1 - S - R) * R - 0.25 * 0.027 * R]
    np.testing.assert_allclose(f(0, y0), expected, rtol=1e-12)


def test_two_clone_competition_has_the_daily_rates_of_the_published_curves():
    """Base rates times 8, advanced a sixth of a day at a time; niche 500 on drug."""
    model = models.two_clone_competition()
    y = np.array([1500.0, 300.0])
    for u, room in ((0, 10000), (1, 500)):
        f, y0 = functions(model, inputs={"u": u})
        expected = [
            8 * 0.0156 / 6 * 1500 * (1 - 1800 / room),
            8 * 0.0091 / 6 * 300 * (1 - (6 * 1500 + 300) / 10000),
        ]
        np.testing.assert_allclose(f(0, y), expected, rtol=1e-12)
    np.testing.assert_allclose(y0, [2158.32, 52.35])


def test_selective_kill_closed_forms():
    """One clone alone is logistic off drug; on drug S has the logistic law of net rate r - kill and its own room."""
    model = models.selective_kill()
    S, _ = run(model, days, {"f_R": 0.0, "n0": 0.1, "r": 0.03})
    np.testing.assert_allclose(S, 1 / (1 + 9 * np.exp(-0.03 * days)), rtol=1e-9)
    S, R = run(model, days, {"f_R": 0.0, "n0": 0.4, "r": 0.03, "kill": 0.05}, {"u": 1})
    net, room = 0.03 - 0.05, 1 - 0.05 / 0.03
    np.testing.assert_allclose(S, room / (1 + (room / 0.4 - 1) * np.exp(-net * days)), rtol=1e-8)
    assert not R.any()


def test_selective_kill_has_an_invariant_ratio():
    """ln S / r - ln R / r_R falls by kill / r per day on drug: the shared niche drops out."""
    S, R = run(models.selective_kill(), days, {"r": 0.04, "r_R": 0.01, "kill": 0.06}, {"u": 1})
    fall = np.log(S) / 0.04 - np.log(R) / 0.01
    np.testing.assert_allclose(fall - fall[0], -0.06 / 0.04 * days, atol=1e-8)


def withdrawal(p_on, brake_R=1.0, **options):
    """The two-phase protocol: T1, state at T1, and S + A left on day 3 and day 30 of withdrawal."""
    model = models.oncogene_withdrawal()
    changes = {"p_on": p_on, "brake_R": brake_R, **options}
    f, y0 = functions(model, changes, {"cin": 1, "u": 0})

    def full(_, y):
        return y[0] + y[1] - 1e8

    full.terminal = True
    first = solve_ivp(f, (0, 1000), y0, events=full, method="DOP853", rtol=1e-11, atol=1e-12, max_step=1)
    f, _ = functions(model, changes, {"cin": 0, "u": 1})
    y1 = first.y[:, -1]
    second = solve_ivp(f, (0, 30), y1, t_eval=[3, 30], method="DOP853", rtol=1e-11, atol=1e-9)
    return first.t[-1], y1, second.y[:2].sum(axis=0) / y1[:2].sum()


@pytest.mark.parametrize(
    ("p_on", "T1", "aneuploid", "R_braked", "R_free", "left"),
    [
        (2.5e-4, 96.03216908, 0.244501630, 0.47529075, 0.50864, (0.3653460884, 1.622932e-4)),
        (2.5e-3, 118.77860099, 0.997803870, 18.0597582, 19.9136, (0.4532360305, 4.889123e-4)),
    ],
)
def test_oncogene_withdrawal_reproduces_the_protocol(p_on, T1, aneuploid, R_braked, R_free, left):
    """Computed twice with other integrators from the equations in the docstring; all digits are met."""
    end, y, fractions = withdrawal(p_on)
    assert end == pytest.approx(T1, abs=1e-6)
    assert y[1] / (y[0] + y[1]) == pytest.approx(aneuploid, abs=1e-8)
    assert y[2] == pytest.approx(R_braked, rel=1e-6)
    np.testing.assert_allclose(fractions, left, rtol=1e-6)
    assert withdrawal(p_on, brake_R=0.0)[1][2] == pytest.approx(R_free, rel=2e-5)


def test_oncogene_withdrawal_thresholds():
    """The tumour-free state has a triangular Jacobian; its entries vanish at u_S, u_A and u_R."""
    model = models.oncogene_withdrawal()
    S, A, R = model.states
    J = models.derive.jacobian(model).xreplace({S: sp.Integer(0), A: sp.Integer(0), R: sp.Integer(0)})
    J = J.xreplace(numbers(model, {}))
    u, cin = model.symbol("u"), model.symbol("cin")
    J = J.xreplace({cin: sp.Integer(0)})
    assert (J[0, 1], J[0, 2], J[1, 2]) == (0, 0, 0)
    m = 1 - (1 - 2.5e-4) ** 40
    assert m == pytest.approx(0.00995, abs=1e-5)
    exact = [(0.5 * (1 - 2 * m) - 0.3) / 0.55, (0.47 * (1 - 2 * m * 0.2) - 0.3) / 0.42, 0.15 / 0.07]
    assert [round(exact[0], 4), round(exact[1], 3), round(exact[2], 2)] == [0.3455, 0.4, 2.14]
    for i, closed in enumerate(exact):
        (root_u,) = sp.solve(J[i, i], u)
        assert float(root_u) == pytest.approx(closed, rel=1e-12)


def test_oncogene_withdrawal_options_of_crowding():
    """With crowd_R = 1 a tumour of R settles at K (1 - kap_R u / (b_R - d_R)); by default it takes no room."""
    model = models.oncogene_withdrawal()
    f, _ = functions(model, {"crowd_R": 1.0, "f_r": 0.0}, {"u": 1.0})
    assert f(0, [0, 0, 1e9 * (1 - 0.07 / 0.15)])[2] == pytest.approx(0, abs=1e-3)
    default, _ = functions(model)
    np.testing.assert_allclose(default(0, [1e7, 1e6, 0.0])[:2], default(0, [1e7, 1e6, 1e8])[:2], rtol=1e-15)


def test_oncogene_withdrawal_lineage_is_the_birth_death_reading():
    model = models.oncogene_withdrawal()
    S, A, R = model.states
    lineage = model.lineages[R]
    total = (lineage.birth - lineage.death) * R + lineage.source
    assert sp.expand(total - model.equations[R]) == 0
    empty = {S: sp.Integer(0), A: sp.Integer(0)}
    values = numbers(model, {}) | {model.symbol("u"): sp.Float(1)}
    birth, death = (float(e.xreplace(empty).xreplace(values)) for e in (lineage.birth, lineage.death))
    assert 1 - death / birth == pytest.approx(1 - 0.22 / 0.3)  # establishment under withdrawal, 0.2667


def quasi_steady(T, e, B):
    """Signals at equilibrium with a tumour of size T."""
    X = T / 10 * (1 + 4 * e / (0.5 + e))
    M = 0.02 + 0.98 * X / (1 + B + X)
    return [T, e, X, M, M / 0.5]


@pytest.mark.parametrize(
    ("e", "B", "T", "stable"),
    [
        (0.0, 0, 799.345518, True),
        (0.2, 0, 654.911903, True),
        (0.4, 0, 0.943108, False),
        (0.4, 0, 510.214112, True),
        (0.6, 0, 2.739069, False),
        (0.6, 0, 364.955328, True),
        (0.8, 0, 5.967114, False),
        (0.8, 0, 217.981522, True),
        (1.0, 0, 30.983629, False),
        (1.0, 0, 49.140247, True),
        (0.6, 10, 33.629394, False),
        (0.6, 10, 330.872684, True),
        (0.0, 30, 779.218153, True),
        (0.5, 30, 73.031374, False),
        (0.5, 30, 350.086282, True),
        (0.0, 1e9, 666.932909, True),
        (0.3, 1e9, 67.699682, True),
    ],
)
def test_paracrine_loop_steady_states(e, B, T, stable):
    model = models.paracrine_loop()
    f, _ = functions(model, inputs={"e": e, "B": B})
    found = root(lambda y: f(0, y), quasi_steady(T, e, B), tol=1e-13).x
    assert found[0] == pytest.approx(T, rel=2e-6)
    values = numbers(model, {}) | {model.symbol("e"): sp.Float(e), model.symbol("B"): sp.Float(B)}
    values |= {s: sp.Float(v) for s, v in zip(model.states, found, strict=True)}
    J = np.array(models.derive.jacobian(model).xreplace(values)).astype(float)
    real = np.linalg.eigvals(J).real
    assert (real.max() < 0) == stable
    assert np.sum(real > 0) == (0 if stable else 1)


@pytest.mark.parametrize(
    ("e", "B", "expected"),
    [
        (0.0, 0, (326.689302, 658.308232, 794.644597)),
        (0.0, 30, (294.080543, 601.889446, 770.851579)),
        (0.6, 0, (103.294934, 173.975283, 299.414729)),
        (0.6, 10, (77.962993, 105.059877, 185.530600)),
        (0.6, 30, (51.808899, 30.886752, 5.065443)),
        (0.8, 10, (44.802763, 31.601410, 6.224667)),
    ],
)
def test_paracrine_loop_runs(e, B, expected):
    """From T = 100, F = 0, X = T/T_X, M = m0, P = m0/mP; days 14, 30 and 60."""
    model = models.paracrine_loop()
    T = run(model, np.array([0.0, 14, 30, 60]), inputs={"e": e, "B": B})[0]
    np.testing.assert_allclose(T, (100, *expected), rtol=2e-7)


def test_paracrine_loop_tumour_free_threshold():
    """The tumour-free state turns stable at e_c = 0.333893 whatever the blocker."""
    theta = (0.02 / 0.5) ** 2 / (1 + (0.02 / 0.5) ** 2)
    critical = (0.15 - 0.05 * (1 - 0.5 * theta)) / (0.3 * (1 - 0.8 * theta))
    assert critical == pytest.approx(0.33389315, abs=1e-8)
    model = models.paracrine_loop()
    for B in (0, 50):
        values = numbers(model, {}) | {model.symbol("e"): sp.Float(critical), model.symbol("B"): sp.Float(B)}
        free = [0, critical, 0, 0.02, 0.04]
        values |= {s: sp.Float(v) for s, v in zip(model.states, free, strict=True)}
        assert float(models.derive.jacobian(model)[0, 0].xreplace(values)) == pytest.approx(0, abs=1e-12)


def test_paracrine_loop_bounds_are_invariant():
    """On every face of the box the flow points inward, at all its corners and for the extreme inputs.

    Each rate is monotone in every other state, so that corners are enough.
    """
    model = models.paracrine_loop()
    for changes in ({}, {"kM": 0.3, "m0": 0.1, "mP": 2.0, "eF": 0.1, "etaF": 20.0}):
        put = numbers(model, changes)
        box = [tuple(float(b.xreplace(put)) for b in s.info.bounds) for s in model.states]
        for e, B in itertools.product((0.0, 1.0), (0.0, 50.0)):
            f, y0 = functions(model, changes, {"e": e, "B": B})
            assert all(low <= y <= high for y, (low, high) in zip(y0, box, strict=True))
            for corner in itertools.product(*box):
                flow = f(0, np.array(corner))
                for value, (low, high), rate in zip(corner, box, flow, strict=True):
                    assert rate >= -1e-9 if value == low else rate <= 1e-9
                    assert low < high


def test_paracrine_loop_is_cooperative():
    """For constant inputs no state lowers the rate of another, so that it cannot oscillate."""
    model = models.paracrine_loop()
    J = models.derive.jacobian(model)
    rng = np.random.default_rng(5)
    put = numbers(model, {"kM": 0.1})
    for _ in range(50):
        values = {u: sp.Float(v) for u, v in zip(model.inputs, rng.uniform(0, [40, 1]), strict=True)}
        box = [float(s.info.bounds[1].xreplace(put)) for s in model.states]
        values |= {s: sp.Float(v) for s, v in zip(model.states, rng.uniform(0, box), strict=True)}
        numeric = np.array(J.xreplace(put | values)).astype(float)
        assert np.all(numeric[~np.eye(5, dtype=bool)] >= 0)


def test_a_growth_law_with_a_drug():
    """A constant concentration in a composed model kills at the rate of the Hill law: closed form."""
    pk, growth = models.bolus_1cpt(), models.exponential_growth()
    (V,) = growth.states
    kill = models.Parameter("kill", 0.1, unit="1/day")
    u, C50 = models.Input("u", unit="1"), models.Parameter("C50", 5.0, unit="mg/L")
    treated = compose(growth, models.Model("kill", rates={V: -kill * u * V}), pk)
    treated = treated.bind({"u": models.kinetics.hill(treated.observables["C"], 1, C50)})
    volume, _ = run(treated, np.linspace(0, 10, 6), {"CL": 0.0}, start=[220.0, 100.0])
    rate = 0.0246 - 0.1 * (100 / 20) / (5 + 100 / 20)
    np.testing.assert_allclose(volume, 220 * np.exp(rate * np.linspace(0, 10, 6)), rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "daily", "paused"), [("sensitive_resistant", 356.4, 470.0), ("two_clone_competition", 443.8, 1602.2)]
)
def test_pauses_delay_progression(name, daily, paused):
    """The page's main result: days to 1.2 times the start, with the drug daily and paused at half until it is back."""
    from remission.analysis import time_to_progression
    from remission.solvers import Problem, Treatment, solve

    pauses = Treatment.adaptive({"u": 1}, of="burden", pause_below=0.5, resume_above=1.0, relative_to="start")
    for treatment, days in ((Treatment.constant({"u": 1}), daily), (pauses, paused)):
        problem = Problem(getattr(models, name)(), t_span=(0, 1800), treatment=treatment)
        assert time_to_progression(solve(problem)) == pytest.approx(days, abs=0.06)
