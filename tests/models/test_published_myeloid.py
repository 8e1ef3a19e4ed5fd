"""Suppressor cells: the module's closed form, and the glioma's long-time state."""

import numpy as np
import pytest

from remission import Problem, Treatment, models, solve
from remission.analysis import steady_states
from remission.models import compose


@pytest.mark.parametrize(("tumour", "cells"), [(0.0, 5e6), (1e10, 2.45e8), (1e18, 4.85e8)])
def test_mdsc_expansion_at_rest(tumour, cells):
    """(1.25e6 + 1.2e8 C/(1e10 + C))/0.25: 5e6 without a tumour, 4.85e8 beside an endless one."""
    treatment = Treatment.constant({"tumour": tumour})
    problem = Problem(models.mdsc_expansion(), t_span=(0, 200), treatment=treatment)
    (state,) = steady_states(problem)
    assert state["M"] == pytest.approx(cells, rel=1e-7)
    assert state.eigenvalues[0] == pytest.approx(-0.25)
    M = solve(problem, rtol=1e-10, t_eval=[4.0, 200])["M"]
    np.testing.assert_allclose(M, [cells + (5e6 - cells) * np.exp(-1), cells], rtol=1e-7)


def test_mdsc_expansion_composes_with_a_tumour_in_cells():
    """Beside a tumour it follows it and does not act on it."""
    alone = models.kuznetsov()
    joint = compose(alone, models.mdsc_expansion()).bind({"tumour": "T"})
    assert (len(joint.states), joint.inputs) == (3, ())
    days = np.linspace(0, 100, 11)
    both = [solve(Problem(m, t_span=(0, 100)), rtol=1e-10, atol=1e-3, t_eval=days)["T"] for m in (alone, joint)]
    np.testing.assert_allclose(both[0], both[1], rtol=1e-7)


def test_glioma_mdsc_long_time_state():
    """Met by the run from the authors' start and, alone of all states with a tumour, by the search."""
    problem = Problem(models.glioma_mdsc(), t_span=(0, 2000))
    end = solve(problem, rtol=1e-10, t_eval=[2000])
    expected = {"C": 2.804221e6, "T": 1.300693e6, "M": 5.30183e5}
    for name, value in expected.items():
        assert end[name][-1] == pytest.approx(value, rel=1.1e-6)
    found = steady_states(problem, box={"T": (0, 1e8), "M": (0, 1e7)})
    (tumour,) = [s for s in found if s["C"] > 1]
    assert tumour.stability == "stable"
    for name, value in expected.items():
        assert tumour[name] == pytest.approx(value, rel=1.1e-6)


def test_glioma_mdsc_tumour_free_state():
    """Without glioma a_T/(1 + rho T^2) = d_T T and no suppressor cells; the tumour invades if lambda_C > eta T."""
    problem = Problem(models.glioma_mdsc())
    (free,) = [s for s in steady_states(problem, box={"T": (0, 1e8), "M": (0, 1e7)}) if s["C"] < 1]
    T = free["T"]
    assert pytest.approx(0.0221 * T, rel=1e-8) == 3.26e6 / (1 + 0.107 * T**2)
    assert free["M"] == 0
    assert max(free.eigenvalues.real) == pytest.approx(0.431 - 2.57e-8 * T, rel=1e-8)
    assert free.stability == "unstable"
