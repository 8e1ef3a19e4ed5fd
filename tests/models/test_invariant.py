"""Invariant boxes against known bounds, and against trajectories that start on their corners."""

import itertools

import numpy as np
import pytest

from remission import models
from remission.models import Input, Model, ModelError, Parameter, State, invariant_box
from remission.solvers import Problem, solve


def test_known_bounds():
    assert invariant_box(models.logistic_growth()).bounds == {"V": (0.0, 6920.0)}
    assert invariant_box(models.gompertz_growth()).bounds == {"V": (0.0, 4800.0)}  # b - c
    assert invariant_box(models.two_clone_competition()).bounds == {"S": (0.0, 1e4), "R": (0.0, 1e4)}


def test_bounds_follow_from_one_another():
    """T <= K (1 - da / r); X, M and P follow from the largest T, F and M."""
    box = invariant_box(models.paracrine_loop())
    p = {q.name: q.info.value for q in models.paracrine_loop().parameters}
    assert p["K"] * (1 - p["da"] / p["r"]) < box.bounds["T"][1] < p["K"]
    X = box.bounds["T"][1] / p["T_X"] * (1 + p["etaF"] / (p["eF"] + 1))
    assert box.bounds["X"][1] == pytest.approx(X, rel=1e-3)
    assert box.bounds["P"][1] == pytest.approx(box.bounds["M"][1] / p["mP"], rel=1e-3)


def test_parameters_and_inputs_count():
    assert invariant_box(models.logistic_growth(), {"K": 100.0}).bounds["V"][1] == pytest.approx(220)  # its start
    A, u = State("A", 0.0, scale=1), Input("u")
    fed = Model("fed", rates={A: u - Parameter("k", 0.5) * A})
    assert invariant_box(fed).bounds == {"A": (0.0, 2.0)}
    assert invariant_box(fed, {"k": 2.0}, {"u": (0, 3)}).bounds == {"A": (0.0, 1.5)}


def test_what_can_grow_or_fall_is_named():
    assert invariant_box(models.exponential_growth()).reason == "V could grow without bound"
    assert invariant_box(models.exponential_growth()).nonnegative == ("V",)
    A, B = State("A", 1.0), State("B", 1.0)
    taken = invariant_box(Model("taken", rates={A: -B, B: -B}))
    assert (not taken, taken.nonnegative, taken.reason) == (True, ("B",), "A could become negative")


def test_strobl_at_full_dose_has_no_box():
    """From S(0) = 1.55 it blows up; between doses 0 and 0 it has one."""
    assert not invariant_box(models.sensitive_resistant())
    assert invariant_box(models.sensitive_resistant(), inputs={"u": (0, 0)}).bounds["S"][1] == pytest.approx(1, rel=0.3)


@pytest.mark.parametrize("name", ["selective_kill", "paracrine_loop", "two_clone_competition", "two_cpt"])
def test_no_corner_leaves_its_box(name):
    model = getattr(models, name)()
    box = invariant_box(model)
    highest = np.array([high for _, high in box.bounds.values()])
    problem = Problem(model, t_span=(0, 50))
    for corner in itertools.islice(itertools.product([0.0, 1.0], repeat=len(highest)), 1, 12):
        start = dict(zip(box.bounds, np.array(corner) * highest, strict=True))
        y = solve(problem.replace(initial=start), rtol=1e-9).require().y
        assert np.all(y <= highest[:, None] * (1 + 1e-6))
        assert np.all(y >= -1e-6 * highest[:, None])


def test_unknown_names_are_refused():
    with pytest.raises(ModelError, match="no parameter 'k'; did you mean 'K'"):
        invariant_box(models.logistic_growth(), {"k": 1})
    with pytest.raises(ModelError, match="no input 'v'"):
        invariant_box(models.selective_kill(), inputs={"v": (0, 1)})
