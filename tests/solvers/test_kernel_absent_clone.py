"""Clones that are not there: none yet, none any more, none that crowd; the compiled kernels against Radau."""

import numpy as np
import pytest

from remission.models import clonal_relapse, oncogene_withdrawal
from remission.solvers import Problem, Treatment, kernels, solve

pytest.importorskip("llvmlite")
pytestmark = pytest.mark.optional


def test_an_absent_clone_does_not_overflow_the_first_step():
    """S sinks to 1e-25 cells while R is founded from none: the rate of R over its tolerance of 1e-200 has no square."""
    values = {"b_A": 0.3747, "b_R": 0.63321, "b_S": 0.88954, "brake_R": 0.09266, "crowd_R": 0.4057, "d_A": 0.1482,
              "d_R": 0.12401, "d_S": 0.17664, "f_r": 1e-6, "f_v": 0.13095, "K": 4.05e9, "kap_A": 0.149, "kap_R": 0.079,
              "kap_S": 0.90971, "n_chromosomes": 86.82119, "p_off": 7.5e-4, "p_on": 5.69e-3}  # fmt: skip
    course = Treatment.constant({"u": 0.5, "cin": 1}, start=20, end=60)
    problem = Problem(oncogene_withdrawal(), t_span=(0, 120), treatment=course, rtol=1e-5, parameters=values)
    exact = solve(problem, "Radau", rtol=1e-10).at(120, "R")
    assert exact == pytest.approx(1.0768e11, rel=1e-3)
    one = solve(problem, "Rodas5P").require()
    assert one.at(120, "R") == pytest.approx(exact, rel=1e-4)
    many = kernels.ensemble(problem, ["f_v"], [[0.13095]] * 3, [120], ["R"])
    assert many.status == ("done",) * 3
    np.testing.assert_allclose(many.values[:, 0, 0], exact, rtol=1e-4)


def test_a_clone_that_does_not_crowd():
    """crowd_R = 0: the shared sum S + crowd_R R must not be written as crowd_R (R + S/crowd_R)."""
    problem = Problem(clonal_relapse(), t_span=(0, 60), parameters={"crowd_R": 0.0}, initial={"S": 1e8}, rtol=1e-8)
    problem = problem.at_constant(u=1)
    one, exact = (solve(problem, method, t_eval=[20, 60]).require() for method in ("Rodas5P", "Radau"))
    np.testing.assert_allclose(one["R"], exact["R"], rtol=1e-5)
    np.testing.assert_allclose(one["S"], exact["S"], rtol=1e-5)
