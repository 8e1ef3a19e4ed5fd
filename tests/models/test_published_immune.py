"""Tumours against immune cells: steady states, bifurcations, separatrices and runs of published models.

Numbers were computed from the equations and values of the papers by other programs (SciPy on typed equations).
"""

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import solve_ivp
from scipy.optimize import root

from remission import Problem, Treatment, models, solve
from remission.analysis import steady_states

derive = models.derive


def functions(model, free=(), **changes):
    """Right-hand side and Jacobian at the defaults, with changes; arguments are the states, then free parameters."""
    put = {p: sp.Float(changes.get(p.name, p.info.value)) for p in model.parameters if p.name not in free}
    put |= {u: sp.Float(0) for u in model.inputs}
    letters = [*model.states, *(model.symbol(name) for name in free)]
    plain = {s: sp.Symbol(f"y{i}") for i, s in enumerate(letters)}

    def call(matrix):
        return sp.lambdify(list(plain.values()), matrix.xreplace(put).xreplace(plain), "numpy")

    f, J = call(derive.right_hand_side(model)), call(derive.jacobian(model))
    return lambda *v: np.array(f(*v), float)[:, 0], lambda *v: np.array(J(*v), float)


def rest(model, guess, **changes):
    """A steady state with every state above zero, and its eigenvalues."""
    f, J = functions(model, **changes)
    found = root(lambda z: f(*np.exp(z)) / np.exp(z), np.log(guess), tol=1e-14)
    y = np.exp(found.x)
    assert np.abs(f(*y) / y).max() < 1e-12
    return y, np.sort_complex(np.linalg.eigvals(J(*y)))


def fold(model, free, guess, **changes):
    """State and parameter at which a steady state has a zero eigenvalue."""
    f, J = functions(model, (free,), **changes)

    def conditions(z):
        v = np.exp(z)
        return [*(f(*v) / v[:-1]), np.linalg.det(J(*v))]

    found = root(conditions, np.log(guess), tol=1e-14)
    assert np.abs(found.fun).max() < 1e-11
    return np.exp(found.x)


DIMENSIONAL = [
    ((1.60811e6, 8.186382e6), (1.6e6, 8e6)),
    ((7.58509e5, 2.680227e8), (7.6e5, 2.7e8)),
    ((1.73213e5, 4.470258e8), (1.7e5, 4.5e8)),
]
SCALED = [
    ((1.609203, 8.189707), (1.6, 8), (-0.050094 - 0.576297j, -0.050094 + 0.576297j)),
    ((0.759765, 267.798), (0.76, 270), (-1.356456, 0.324779)),
    ((0.172977, 447.1342), (0.17, 450), (-1.693095, -0.452678)),
]


@pytest.mark.parametrize(("state", "guess", "eigenvalues"), SCALED)
def test_kuznetsov_scaled_inner_states(state, guess, eigenvalues):
    y, found = rest(models.kuznetsov(scaled=True), guess)
    assert y[0] == pytest.approx(state[0], abs=6e-7)
    assert y[1] == pytest.approx(state[1], rel=2e-6 if state[1] > 100 else 6e-8)
    np.testing.assert_allclose(found, eigenvalues, rtol=0, atol=1.1e-6)


@pytest.mark.parametrize(("state", "guess"), DIMENSIONAL)
def test_kuznetsov_dimensional_inner_states(state, guess):
    y, _ = rest(models.kuznetsov(), guess)
    np.testing.assert_allclose(y, state, rtol=4e-6)


def test_kuznetsov_tumour_free_state_and_its_transcritical_point():
    for scaled, effectors in ((True, 0.315522), (False, 3.15534e5)):
        model = models.kuznetsov(scaled)
        E, T = model.states
        k = {name: model.symbol(name) for name in (("sigma", "delta", "alpha") if scaled else ("s", "d", "a", "n"))}
        influx, death, growth = (k[name] for name in (("sigma", "delta", "alpha") if scaled else ("s", "d", "a")))
        kill = 1 if scaled else k["n"]
        free = {E: influx / death, T: sp.Integer(0)}
        J = derive.jacobian(model).subs(free)
        assert sp.simplify(model.equations[E].subs(free)) == 0
        assert sp.simplify(J[1, 1] - (growth - kill * influx / death)) == 0
        assert (J[0, 0], J[1, 0]) == (-death, 0)
        number = {p: sp.Float(p.info.value) for p in model.parameters}
        assert float((influx / death).xreplace(number)) == pytest.approx(effectors, rel=3e-6)
        critical = float((growth * death / kill).xreplace(number))
        assert critical == pytest.approx(0.612355 if scaled else 67357, abs=5e-7 if scaled else 0.5)
        if scaled:
            assert float(J[1, 1].xreplace(number)) == pytest.approx(1.320478, abs=5e-7)
            assert float((influx / growth).xreplace(number)) == pytest.approx(0.072188, abs=5e-7)  # as delta falls


@pytest.mark.parametrize(
    ("scaled", "free", "guess", "tumour", "critical"),
    [
        (True, "sigma", (0.5, 350, 0.2), (358.327, 5e-4), (0.193777, 5e-7)),
        (False, "s", (4.6e5, 3.6e8, 2.1e4), (3.58381e8, 5e3), (21290.5, 0.05)),
        (True, "delta", (0.36, 390, 0.19), (389.84, 5e-3), (0.190559, 5e-7)),
        (True, "delta", (1.4, 68, 0.74), (68.30, 5e-3), (0.744146, 5e-7)),
    ],
)
def test_kuznetsov_folds(scaled, free, guess, tumour, critical):
    _, T, value = fold(models.kuznetsov(scaled), free, guess)
    assert pytest.approx(tumour[0], abs=tumour[1]) == T
    assert value == pytest.approx(critical[0], abs=critical[1])


@pytest.mark.parametrize(
    ("changes", "stable"),
    [
        ({"sigma": 0.1}, ["dormant", "large"]),
        ({"sigma": 0.25}, ["dormant"]),
        ({"sigma": 0.7}, ["free"]),
        ({"delta": 0.05}, ["free"]),
        ({"delta": 0.15}, ["dormant"]),
        ({"delta": 0.8}, ["large"]),
    ],
)
def test_kuznetsov_which_states_are_stable(changes, stable):
    problem = Problem(models.kuznetsov(scaled=True), parameters=changes)
    found = [s for s in steady_states(problem, box={"E": (0, 20)}) if s.stability == "stable"]
    kind = ["free" if s["T"] < 1e-6 else "dormant" if s["T"] < 100 else "large" for s in found]
    assert kind == stable


def test_kuznetsov_has_no_hopf_bifurcation():
    """Where both rates vanish the trace is -s/E - a b T, for all values of all parameters."""
    for scaled in (False, True):
        model = models.kuznetsov(scaled)
        E, T = model.states
        s, a, b = (model.symbol(n) for n in (("sigma", "alpha", "beta") if scaled else ("s", "a", "b")))
        vanishing = model.equations[E] / E + model.equations[T] / T
        assert sp.simplify(derive.jacobian(model).trace() - vanishing + s / E + a * b * T) == 0


@pytest.mark.parametrize(
    ("E0", "T0"), [(0.05, 5.08417), (0.1, 10.1393), (0.315522, 63.7347), (0.5, 136.737), (1.0, 411.819)]
)
def test_kuznetsov_separatrix(E0, T0):
    """One unit of the last digit below, the tumour goes dormant; one above, it escapes."""
    unit = 10.0 ** (np.floor(np.log10(T0)) - 5)
    ends = []
    for start in (T0 - unit, T0 + unit):
        problem = Problem(models.kuznetsov(scaled=True), t_span=(0, 200), initial={"E": E0, "T": start})
        ends.append(solve(problem, rtol=1e-11, atol=1e-12, t_eval=[200]).require()["T"][-1])
    assert ends[0] < 20
    assert ends[1] == pytest.approx(447.1342, abs=1e-3)


def test_kuznetsov_run():
    """The peak is a point of zero slope; a coarse grid finds a lower one on day 34.3."""
    model = models.kuznetsov()
    days = [10, 20, 30, 34.018552, 34.31, 60, 100, 6000]
    solution = solve(Problem(model, t_span=(0, 6000)), rtol=1e-11, atol=1e-3, t_eval=days)
    T = solution["T"]
    np.testing.assert_allclose(T[:3], (1.93337e7, 5.53288e7, 9.34219e7), rtol=3e-6)
    np.testing.assert_allclose(T[3:5], (9.776865e7, 9.774557e7), rtol=1e-7)
    assert T[5] == pytest.approx(1.207e7, rel=3e-5)
    assert T[6] == pytest.approx(1.30521e6, rel=3e-6)
    assert T[7] == pytest.approx(8.186382e6, rel=1e-6)
    f, _ = functions(model)
    assert abs(f(solution["E"][3], T[3])[1] / T[3]) < 1e-7  # per day


def test_kuznetsov_forms_are_one_system():
    """E and T in 1e6 cells, time in 1/(n 1e6): exact for the groups, near for the authors' rounded values."""
    model, scaled = models.kuznetsov(), models.kuznetsov(scaled=True)
    k = {p.name: p.info.value for p in model.parameters}
    pace = k["n"] * 1e6
    assert 1 / pace == pytest.approx(9.083, abs=5e-4)
    groups = {
        "sigma": k["s"] / (pace * 1e6), "rho": k["p"] / pace, "eta": k["g"] / 1e6, "mu": k["m"] * 1e6 / pace,
        "delta": k["d"] / pace, "alpha": k["a"] / pace, "beta": k["b"] * 1e6,
    }  # fmt: skip
    f, F = functions(model)[0], functions(scaled, **groups)[0]
    for E, T in ((0.3, 5.0), (1.6, 8.2), (0.2, 447.0)):
        np.testing.assert_allclose(f(E * 1e6, T * 1e6) / (pace * 1e6), F(E, T), rtol=1e-12, atol=1e-13)
    for name, value in groups.items():
        assert scaled.symbol(name).info.value == pytest.approx(value, rel=2e-3)
    a, b = model.symbol("a"), model.symbol("b")
    found = models.nondimensionalise(model, {"E": 1 / b, "T": 1 / b, "t": 1 / a})
    q = {p.name: p.info.value for p in scaled.parameters}
    again = {
        "s": q["sigma"] * q["beta"] / q["alpha"], "p": q["rho"] / q["alpha"], "g": q["eta"] * q["beta"],
        "m": q["mu"] / (q["alpha"] * q["beta"]), "d": q["delta"] / q["alpha"], "n": 1 / (q["alpha"] * q["beta"]),
    }  # fmt: skip
    assert set(found.groups) == set(again)
    for name, value in again.items():
        assert found.value(name) == pytest.approx(value, rel=2e-3)


CYCLES = [(0.03, 2.19e3, 6.88e4, 107.05), (0.025, 19, 1.66e5, 150.7)]


def test_kirschner_panetta_fold():
    """The upper two of three states merge; the determinant of the inner state is that of a large tumour."""
    _, T, _, c = fold(models.kirschner_panetta(), "c", (6.3e6, 9.6e8, 3e6, 8.5e-5))
    assert pytest.approx(9.652587e8, abs=50) == T  # also as the maximum of c on the nullcline
    assert c == pytest.approx(8.55204e-5, abs=5e-11)


def test_kirschner_panetta_hopf():
    """A pair of eigenvalues +-i omega, found on the characteristic polynomial: a1 a2 = a3 a0."""
    model = models.kirschner_panetta()
    f, J = functions(model, ("c",))

    def conditions(z):
        v = np.exp(z)
        _, a2, a1, a0 = np.poly(J(*v))
        return [*(f(*v) / v[:-1]), a2 * a1 - a0]

    v = np.exp(root(conditions, np.log((2.1e4, 2e4, 1e4, 0.03)), tol=1e-14).x)
    assert v[1] == pytest.approx(19900.97, abs=5e-3)
    assert v[3] == pytest.approx(0.0324644, abs=5e-8)
    pair = [w for w in np.linalg.eigvals(J(*v)) if w.imag > 0]
    assert len(pair) == 1
    assert abs(pair[0].real) < 1e-10
    assert pair[0].imag == pytest.approx(0.0670565, abs=5e-8)
    assert 2 * np.pi / pair[0].imag == pytest.approx(93.70, abs=5e-3)
    for c, sign in ((0.032, 1), (0.033, -1)):
        assert np.sign(rest(model, v[:3], c=c)[1].real.max()) == sign


@pytest.mark.parametrize(("c", "low", "high", "period"), CYCLES)
def test_kirschner_panetta_limit_cycles(c, low, high, period):
    model = models.kirschner_panetta()
    days = np.arange(3600, 4000, 0.05)
    problem = Problem(model, t_span=(0, 4000), parameters={"c": c}, initial={"E": 2e4, "T": 1e4, "I": 1e4})
    T = solve(problem, rtol=1e-10, atol=1e-8, t_eval=days).require()["T"]
    assert T.min() == pytest.approx(low, rel=3e-3)
    assert T.max() == pytest.approx(high, rel=2e-3)
    tops = days[1:-1][(T[1:-1] > T[:-2]) & (T[1:-1] > T[2:])]
    assert np.diff(tops).mean() == pytest.approx(period, abs=0.06)


def test_kirschner_panetta_cycle_in_logarithms():
    """The second method: the logarithms of the states, with SciPy."""
    c, low, high, period = CYCLES[1]
    f, _ = functions(models.kirschner_panetta(), c=c)

    def rates(_, z):
        y = np.exp(z)
        return f(*y) / y

    def turn(t, z):
        return rates(t, z)[1]

    run = solve_ivp(rates, (0, 3000), np.log([2e4, 1e4, 1e4]), "LSODA", rtol=1e-8, atol=1e-8, events=turn, max_step=10)
    turns = np.exp(run.y_events[0][-6:, 1])
    assert turns.min() == pytest.approx(low, rel=3e-3)
    assert turns.max() == pytest.approx(high, rel=2e-3)
    assert run.t_events[0][-1] - run.t_events[0][-3] == pytest.approx(period, abs=0.06)


def test_kirschner_panetta_small_stable_tumour():
    y, eigenvalues = rest(models.kirschner_panetta(), (2e4, 1.4e4, 1e4), c=0.045)
    assert y[1] == pytest.approx(1.3606e4, abs=0.5)
    assert eigenvalues.real.max() < 0
    problem = Problem(models.kirschner_panetta(), t_span=(0, 4000), parameters={"c": 0.045})
    assert solve(problem, rtol=1e-8, t_eval=[4000])["T"][-1] == pytest.approx(y[1], rel=1e-4)


def test_kirschner_panetta_effectors_given():
    """Given alone, effectors settle at s1/mu2 and IL-2 at s2/mu3 where there is no tumour."""
    problem = Problem(
        models.kirschner_panetta(),
        t_span=(0, 2000),
        initial={"T": 0},
        treatment=Treatment.constant({"s1": 300, "s2": 0}),
    )
    assert solve(problem, t_eval=[2000])["E"][-1] == pytest.approx(300 / 0.03, rel=1e-5)
    problem = problem.replace(treatment=Treatment.constant({"s2": 50}), initial={"I": 1.0})
    assert solve(problem, t_eval=[2000])["I"][-1] == pytest.approx(5, rel=1e-5)


STATES = [
    ((1, 0, 1.65), (-1, -0.325, -0.2)),
    ((0.435204, 0.564796, 0.435204), (-1.333572, -0.661864, -0.045227)),
    ((0.763197, 0.236803, 0.763197), (-1.074669, -0.527581, 0.051457)),
    ((0, 0.899244, 0.302268), (-1.610371, -0.830241, 0.100756)),
    ((0, 0, 1.65), (-0.2, 0.675, 1)),
]


def test_de_pillis_radunskaya_steady_states():
    """All of the five states, the drug's own eigenvalue -1 beside the three of the paper's."""
    found = steady_states(Problem(models.de_pillis_radunskaya()), box={"u": (0, 1)})
    assert len(found) == len(STATES)
    for state, eigenvalues in STATES:
        (here,) = [s for s in found if np.allclose([s["N"], s["T"], s["I"]], state, rtol=0, atol=6e-7)]
        np.testing.assert_allclose(np.sort(here.eigenvalues.real), np.sort([*eigenvalues, -1]), rtol=0, atol=6e-7)
        assert here.stability == ("stable" if max(eigenvalues) < 0 else "unstable")


def test_de_pillis_radunskaya_run_and_drug():
    """The tumour wins from the default start, and loses to enough drug; the drug settles at v/d2."""
    model = models.de_pillis_radunskaya()
    problem = Problem(model, t_span=(0, 1000))
    end = solve(problem, rtol=1e-9, t_eval=[1000])
    np.testing.assert_allclose([end[n][-1] for n in "NTI"], STATES[1][0], atol=6e-7)
    treated = solve(problem.replace(treatment=Treatment.constant({"v": 3.0})), t_eval=[1000])
    assert treated["u"][-1] == pytest.approx(3)
    assert treated["T"][-1] < 1e-6


@pytest.mark.parametrize(("c", "sizes"), [(5e-5, [9.884e8]), (1e-3, []), (0.03, []), (0.04, [1.557e4])])
def test_kirschner_panetta_stable_states_on_both_sides(c, sizes):
    """Below the fold the large tumour, between fold and Hopf point nothing but cycles, above it a small tumour."""
    problem = Problem(models.kirschner_panetta(), parameters={"c": c})
    found = steady_states(problem, box={"E": (0, 1e8), "I": (0, 1e8)})
    assert [s["T"] for s in found if s.stability == "stable"] == pytest.approx(sizes, rel=1e-3)
