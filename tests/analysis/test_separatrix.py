"""Separatrices against closed forms, the published thresholds of Kuznetsov et al. and of the paracrine loop."""

import pickle

import numpy as np
import pytest

from remission.analysis import separatrix, steady_states, thresholds
from remission.models import (
    Model,
    Parameter,
    ProblemError,
    State,
    bistable_invasion,
    de_pillis_radunskaya,
    dose_window,
    kuznetsov,
    paracrine_loop,
)
from remission.solvers import Problem, Treatment, sample

KUZ94 = {0.05: 5.08417, 0.1: 10.1393, 0.315522: 63.7347, 0.5: 136.737, 1.0: 411.819}


def planar(x_rate, y_rate, **parameters):
    """Two states between -3 and 3 with rates given as functions of them."""
    x, y = (State(n, 0.5, positive=False, kind=k, bounds=(-3, 3)) for n, k in (("x", "tumour"), ("y", "other")))
    p = {n: Parameter(n, v) for n, v in parameters.items()}
    return Problem(Model("planar", rates={x: x_rate(x, y, **p), y: y_rate(x, y, **p)}, time_unit="1"))


@pytest.fixture(scope="module")
def escape():
    return separatrix(Problem(kuznetsov(scaled=True)), box={"E": (0, 5)})


@pytest.fixture(scope="module")
def loop():
    return separatrix(Problem(paracrine_loop()).at_constant(e=0.6))


def test_straight_line_of_two_decoupled_states():
    """x' = x - x^3, y' = -y: the sign of x decides."""
    edge = separatrix(planar(lambda x, y: x - x**3, lambda x, y: -y))
    assert np.abs(edge.points[:, 0]).max() < 1e-12
    assert edge.points[[0, -1], 1].round(6).tolist() in ([-3, 3], [3, -3])
    assert [edge.side({"x": x, "y": 2}) for x in (-1e-6, 1e-6)] == [-1, 1]
    assert edge.accuracy < 1e-12


def test_turned_line():
    """The same in axes turned by an angle."""
    c, s = np.cos(0.4), np.sin(0.4)

    def rates(x, y):
        u, v = c * x + s * y, -s * x + c * y
        return c * (u - u**3) + s * v, s * (u - u**3) - c * v

    edge = separatrix(planar(lambda x, y: rates(x, y)[0], lambda x, y: rates(x, y)[1]))
    assert np.abs(edge.points @ [c, s]).max() < 1e-11
    assert edge.at(y=2) == pytest.approx([-2 * s / c], abs=1e-10)


def test_parabola_and_how_it_moves():
    """u = x - c y^2 with u' = u - u^3, y' = -y: the separatrix is x = c y^2, so d x = y^2 d c + 2 c y d y."""

    def x_rate(x, y, c):
        u = x - c * y**2
        return u - u**3 - 2 * c * y**2

    edge = separatrix(planar(x_rate, lambda x, y, c: -y, c=0.3))
    x, y = edge.points.T
    np.testing.assert_allclose(x, 0.3 * y**2, atol=1e-9)
    assert edge.at(y=2) == pytest.approx([1.2], abs=1e-9)
    assert edge.at(x=1.2) == pytest.approx([-2, 2], abs=1e-9)
    point = edge.crossing({"y": 2}, "x", within=(-3, 3))
    assert float(point) == pytest.approx(1.2, abs=1e-10)
    assert point.derivatives == pytest.approx({"c": 4, "y(0)": 1.2}, abs=1e-7)


def test_crossings_in_three_states():
    """u = x - y^2 - y z with u' = u - u^3, y' = -y, z' = -3 z: x = y^2 + y z."""
    x, y, z = (State(n, 0.5, positive=False, kind="tumour" if n == "x" else "other", bounds=(-3, 3)) for n in "xyz")
    u = x - y**2 - y * z
    model = Model("spatial", rates={x: u - u**3 - 2 * y**2 - 4 * y * z, y: -y, z: -3 * z}, time_unit="1")
    edge = separatrix(Problem(model))
    assert edge.at(y=1, z=-0.5) == pytest.approx([0.5], abs=1e-10)
    assert edge.at(x=0.5, z=-0.5) == pytest.approx([-0.5, 1], abs=1e-9)
    found = edge.crossings({"x": 0.5, "z": -0.5}, "y", within=(-3, 3))
    assert [t.coefficients["rising"] for t in found] == [1, -1]
    assert found[1].derivatives == pytest.approx({"x(0)": 1 / 1.5, "z(0)": -1 / 1.5}, abs=1e-8)
    with pytest.raises(ProblemError, match=r"3 states, so it is no curve; crossing\(origin, direction\)"):
        _ = edge.points


def test_diagonal_of_two_equal_competitors():
    """x' = x (1 - x - 2 y) and the same with x and y exchanged: the larger one wins."""
    x, y = (State(n, 0.1, kind="tumour", bounds=(0, 2)) for n in "xy")
    edge = separatrix(Problem(Model("equals", rates={x: x * (1 - x - 2 * y), y: y * (1 - y - 2 * x)})))
    assert np.abs(edge.points[:, 0] - edge.points[:, 1]).max() < 1e-10
    (origin,) = (e for e in edge.ends if not isinstance(e, str))
    assert list(origin.values.values()) == [0, 0]
    assert "box" in edge.ends


@pytest.mark.parametrize(("E", "T"), KUZ94.items())
def test_escape_of_the_published_tumour(escape, E, T):
    """Table of the smallest tumours that escape: the curve and Newton steps on runs agree to 1e-10."""
    (curve,) = escape.at(E=E)
    unit = 10.0 ** (np.floor(np.log10(T)) - 5)
    assert curve == pytest.approx(T, abs=unit)
    newton = escape.crossing({"E": E}, "T")
    assert float(newton) == pytest.approx(curve, rel=1e-10)
    assert newton.state == pytest.approx({"E": E, "T": curve})
    assert newton.unit == "1"


def test_oblique_ray_meets_the_curve(escape):
    ray = escape.crossing({"E": 0.1, "T": 1}, {"E": 0.002, "T": 1})
    assert escape.at(E=ray.state["E"]) == pytest.approx([ray.state["T"]], rel=1e-8)
    assert ray.of == "position"
    assert ray.state["E"] == pytest.approx(0.1 + 0.002 * float(ray), rel=1e-12)


def test_escape_in_cells_and_days():
    """The dimensional model in its own units has the curve of the scaled one near its own saddle."""
    edge = separatrix(Problem(kuznetsov()), box={"E": (0, 5e6)})
    assert edge.accuracy < 1e-9
    (T,) = edge.at(E=5e5)
    assert float(edge.crossing({"E": 5e5}, "T")) == pytest.approx(T, rel=1e-8)
    assert [edge.side({"E": 5e5, "T": f * T}) for f in (1 - 1e-6, 1 + 1e-6)] == [-1, 1]


def quasi_steady(model, signals):
    T0, X = model.symbol("T0"), 0
    if signals == "untreated":
        X = T0 / model.symbol("T_X")
    M = model.symbol("m0") + (1 - model.symbol("m0")) * X / (1 + X)
    return {"F": 0, "X": X, "M": M, "P": M / model.symbol("mP")}


@pytest.mark.parametrize(("signals", "T"), [("untreated", 3.339377049), ("none", 4.124384146)])
def test_loop_with_signals_that_follow_the_tumour(signals, T):
    problem = Problem(paracrine_loop()).at_constant(e=0.6)
    problem = problem.replace(initial=quasi_steady(problem.model, signals))
    threshold = separatrix(problem).crossing(along="T0", within=(1, 10))
    assert float(threshold) == pytest.approx(T, abs=1e-9)
    assert threshold.coefficients["accuracy"] < 1e-9
    assert threshold.of == "T0"
    assert threshold.unit == "1e6 cells"


def test_separatrix_and_fates_alone_agree():
    """`thresholds` halves between fates and differentiates runs that part: nothing of this file is used there."""
    problem = Problem(paracrine_loop()).at_constant(e=0.6)
    problem = problem.replace(initial=quasi_steady(problem.model, "untreated"))
    ours = separatrix(problem).crossing(along="T0", within=(1, 10))
    (other,) = thresholds(problem, of="T0", within=(1, 10), kinds=["residual disease"])
    assert float(ours) == pytest.approx(float(other), rel=1e-11)
    assert len(other.derivatives) > 15
    assert {n: ours.derivatives[n] for n in other.derivatives} == pytest.approx(other.derivatives, rel=1e-8)


def test_one_state():
    """c' = k c (1 - c) (c - a): whatever is above a grows."""
    edge = separatrix(Problem(bistable_invasion()))
    point = edge.crossing({}, "c")
    assert float(point) == pytest.approx(0.3, abs=1e-12)
    assert edge.at() == pytest.approx([0.3])
    assert point.derivatives["a"] == pytest.approx(1, abs=1e-8)


def test_derivatives_of_the_loop_against_differences():
    problem = Problem(paracrine_loop()).at_constant(e=0.6)
    problem = problem.replace(initial=quasi_steady(problem.model, "untreated"))
    exact = separatrix(problem).crossing(along="T0", within=(1, 10)).derivatives

    def moved(h, **change):
        at = problem.at_constant(e=0.6 + change.pop("e", 0) * h)
        at = at.replace(parameters={n: problem.parameters[n] + s * h for n, s in change.items()})
        return float(separatrix(at).crossing(along="T0", within=(2, 5)))

    for name, h in (("e", 1e-4), ("T_X", 1e-2), ("gP", 1e-2)):
        difference = (moved(h, **{name: 1}) - moved(-h, **{name: 1})) / (2 * h)
        assert exact[name] == pytest.approx(difference, rel=1e-4)


def test_residual_disease_of_four_states():
    """de Pillis and Radunskaya: a start is on either side of the value, found here by following runs alone."""
    edge = separatrix(Problem(de_pillis_radunskaya()), box={"u": (0, 1)})
    assert edge.state["T"] == pytest.approx(0.236803, abs=1e-6)
    T = float(edge.crossing({"N": 1, "I": 0.15, "u": 0}, "T"))
    for factor, end in ((1 - 1e-7, 0), (1 + 1e-7, 0.564796)):
        start = {"N": 1, "T": T * factor, "I": 0.15}
        run = Problem(de_pillis_radunskaya(), t_span=(0, 900), initial=start, rtol=1e-10, atol=1e-13)
        assert sample(run, [900], ["T"]).values[0, 0] == pytest.approx(end, abs=1e-5)


def test_window_of_doses():
    """Sensitive against resistant cells: the curve comes from the origin, which repels."""
    edge = separatrix(Problem(dose_window()).at_constant(delta=0.012))
    assert [edge.side({"S": s, "R": r}) for s, r in ((800, 190), (200, 200), (450, 500))] == [-1, 1, 1]
    (R,) = edge.at(S=450)
    assert float(edge.crossing({"S": 450}, "R")) == pytest.approx(R, rel=1e-9)


def test_steady_states_at_hand_and_a_saddle_by_place(escape):
    states = steady_states(Problem(kuznetsov(scaled=True)), box={"E": (0, 5)})
    again = separatrix(states, 2)
    assert again.at(E=0.5) == pytest.approx(escape.at(E=0.5), rel=1e-12)
    face = separatrix(states, states[0])  # tumour-free: its manifold is the axis
    assert face.points[:, 1].max() == 0


def test_what_is_refused(escape, loop):
    cured = Problem(paracrine_loop()).at_constant(e=1.0, B=50)
    with pytest.raises(ProblemError, match=r"there is 1 steady state .*: stable\); all starts tend to the stable one"):
        separatrix(cured)
    rates = (lambda x, y: x - x**3, lambda x, y: y - y**3)
    with pytest.raises(ProblemError, match=r"4 saddles that separate; say which: saddle=1 \(x = -1, y = 0\)"):
        separatrix(planar(*rates))
    with pytest.raises(ProblemError, match=r"2 unstable directions.*basins\(problem, over"):
        separatrix(planar(*rates), 4)
    with pytest.raises(ProblemError, match="is stable; a saddle has a way out"):
        separatrix(planar(*rates), 0)
    with pytest.raises(ProblemError, match="the treatment changes in time"):
        separatrix(Problem(paracrine_loop(), treatment=Treatment.intermittent({"e": 1}, on=7, off=7)))
    with pytest.raises(ProblemError, match="no state 'F'"):
        escape.at(F=1)
    with pytest.raises(ProblemError, match="give all states but one of T, F, X, M, P; open are"):
        loop.at(F=0.6)
    with pytest.raises(ProblemError, match="enters the rates, which moves the saddle"):
        loop.crossing(along="kap")
    with pytest.raises(ProblemError, match=r"all starts in 0 to 1 tend to \(T = 0"):
        loop.crossing({"F": 0, "X": 0}, "T", within=(0, 1))


def test_prints_and_pickles(escape):
    assert "2 states" not in str(escape)
    assert "ends: box and box" in str(escape)
    again = pickle.loads(pickle.dumps(escape))
    assert again.at(E=1.0) == pytest.approx(escape.at(E=1.0), rel=1e-14)
