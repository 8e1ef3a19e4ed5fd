"""Invading fronts: what follows without solving in space, and the speeds against travelling-wave equations."""

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import solve_ivp

from remission.analysis import bistable_speed, critical_width, front_speed, front_speed_between, steady_states
from remission.models import bistable_invasion, glioma_invasion, grad
from remission.models.errors import ProblemError
from remission.solvers import Problem, sample


def test_speed_of_a_glioma():
    """D = 0.0013 cm^2/day is 0.13 mm^2/day; the rim moves 0.0790 mm/day, 29 mm a year."""
    p = Problem(glioma_invasion()).parameters
    assert p["D"] == pytest.approx(0.0013 * 100)
    assert front_speed(p["D"], p["rho"]) == pytest.approx(0.0790, abs=5e-5)
    assert critical_width(p["D"], p["rho"]) == pytest.approx(np.pi * np.sqrt(0.13 / 0.012))


def test_approach_to_the_final_speed():
    assert front_speed_between(0.01, 0.2, 120, 160) == pytest.approx(0.08703, abs=5e-6)
    assert front_speed(0.01, 0.2) == pytest.approx(0.08944, abs=5e-6)
    assert front_speed_between(0.01, 0.2, 1e6, 2e6) == pytest.approx(front_speed(0.01, 0.2), rel=1e-5)


def test_speed_of_the_bistable_front():
    assert bistable_speed(0.01, 1.0, 0.3) == pytest.approx(0.028284, abs=5e-7)
    assert bistable_speed(0.01, 1.0, 0.5) == 0
    assert bistable_speed(0.01, 1.0, 0.7) == pytest.approx(-bistable_speed(0.01, 1.0, 0.3), rel=1e-14)


def test_bistable_front_solves_its_equation():
    """c = 1/(1 + exp(z sqrt(k/(2 D)))) in the frame of the front: D c'' + s c' + f(c) = 0, by algebra."""
    model = bistable_invasion()
    (c,) = model.states
    D, k, a = (model.symbol(name) for name in ("D", "k", "a"))
    z = sp.Symbol("z", real=True)
    profile = 1 / (1 + sp.exp(z * sp.sqrt(k / (2 * D))))
    speed = sp.sqrt(D * k / 2) * (1 - 2 * a)
    rest = D * profile.diff(z, 2) + speed * profile.diff(z) + model.equations[c].subs(c, profile)
    for values in ({D: 0.01, k: 1.0, a: 0.3, z: 0.4}, {D: 0.2, k: 3.0, a: 0.8, z: -1.1}):
        assert abs(float(rest.subs(values))) < 1e-13


@pytest.mark.parametrize(("factor", "monotone"), [(1.05, True), (0.8, False)])
def test_no_slower_front_of_a_glioma_stays_positive(factor, monotone):
    """Below 2 sqrt(D rho) the travelling wave spirals through zero density: the smallest speed of a front."""
    D, rho = 0.13, 0.012
    speed = factor * front_speed(D, rho)
    growth = (-speed + np.sqrt(speed**2 + 4 * D * rho)) / (2 * D)  # leaving c = 1

    def wave(z, y):
        return [y[1], (-speed * y[1] - rho * y[0] * (1 - y[0])) / D]

    found = solve_ivp(wave, (0, 400), [1 - 1e-6, -1e-6 * growth], rtol=1e-10, atol=1e-14)
    assert (found.y[0].min() > -1e-9) == monotone


def test_homogeneous_states():
    """On a grid of one cell the front is gone and growth is logistic."""
    states = steady_states(Problem(glioma_invasion()))
    assert [(s["c"], s.stability) for s in states] == [(0, "unstable"), (pytest.approx(1), "stable")]
    np.testing.assert_allclose([s.eigenvalues[0].real for s in states], [0.012, -0.012], rtol=1e-9)
    t = np.array([100.0, 300.0, 600.0])
    logistic = 1 / (1 + 99 * np.exp(-0.012 * t))
    found = sample(Problem(glioma_invasion(), t_span=(0, 600), rtol=1e-9), t, ["c"]).values[:, 0]
    np.testing.assert_allclose(found, logistic, rtol=1e-6)


def test_homogeneous_states_with_a_threshold():
    states = steady_states(Problem(bistable_invasion()))
    assert [s["c"] for s in states] == [0, pytest.approx(0.3), pytest.approx(1)]
    np.testing.assert_allclose([s.eigenvalues[0].real for s in states], [-0.3, 0.21, -0.7], rtol=1e-9)


def test_flux_is_declared():
    for model in (glioma_invasion(), bistable_invasion()):
        (c,) = model.states
        assert model.fluxes[c] == -model.symbol("D") * grad(c)


def test_refusals():
    for call in (
        lambda: front_speed(-1, 1),
        lambda: front_speed_between(1, 1, 2, 1),
        lambda: bistable_speed(1, 1, 1.5),
        lambda: critical_width(0, 1),
    ):
        with pytest.raises(ProblemError):
            call()
