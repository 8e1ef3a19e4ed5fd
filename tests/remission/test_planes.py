"""Nullclines and separatrices of the pictures against what is known of the model of Kuznetsov et al."""

import numpy as np
import pytest

from remission import models
from remission.analysis import steady_states
from remission.analysis.plots import figure
from remission.gallery.planes import nullclines, stable_manifold
from remission.solvers import Problem


@pytest.fixture(scope="module")
def problem():
    return Problem(models.kuznetsov(scaled=True))


def test_separatrix_has_the_published_thresholds(problem):
    """Smallest tumours that escape from a number of effector cells."""
    states = steady_states(problem, box={"E": (0, 5), "T": (0, 600)})
    saddle = next(s for s in states if s.stability == "unstable" and s["T"] > 1)
    assert saddle["T"] == pytest.approx(267.798, abs=1e-3)
    low, high = sorted(stable_manifold(problem, saddle, ("E", "T"), (3.2, 700), 60), key=lambda b: b[-1, 0])
    for E, T, branch in ((0.1, 10.1393, low), (0.315522, 63.7347, low), (0.5, 136.737, low), (1.0, 411.819, high)):
        order = np.argsort(branch[:, 0])
        assert np.interp(E, *branch[order].T) == pytest.approx(T, rel=2e-3)


def test_nullclines_cross_where_the_system_rests(problem):
    ax = figure()[1]
    looks = ({"colors": "C0", "label": "T' = 0"}, {"colors": "C1", "label": "E' = 0"})
    entries = nullclines(ax, problem, "T", "E", np.linspace(1, 30, 120), np.linspace(1, 2, 60), looks)
    assert [text for _, text in entries] == ["T' = 0", "E' = 0"]
    dormant = np.array([8.189707, 1.609200])
    for lines in ax.collections:
        points = np.concatenate([path.vertices for path in lines.get_paths()])
        assert np.min(np.hypot(*((points - dormant) / dormant).T)) < 0.02
