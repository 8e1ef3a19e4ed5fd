"""Widely spread members of the relapse model against references of its own (`benchmarks/robustness.py`), thinned."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("llvmlite")
pytest.importorskip("numba")

pytestmark = [pytest.mark.optional, pytest.mark.slow]
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
MEMBERS = 200


@pytest.fixture(scope="module")
def bench():
    """The benchmark's modules, imported from their folder."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        names = ("relapse_model", "log_cells", "robustness")
        return dict(zip(names, map(importlib.import_module, names), strict=True))
    finally:
        sys.path.remove(str(BENCHMARKS))


def test_the_reference_has_the_equations_of_the_model(bench):
    model, log_cells = bench["relapse_model"], bench["log_cells"]
    problem, rng = model.relapse_problem(), np.random.default_rng(3)
    order = [list(model.VALUES).index(name) for name in problem.system.parameters]
    for p in model.spread_table(20):
        z, drug, found = np.append(rng.uniform(-9, 0, 3), rng.uniform(0.1, 2, 3)), rng.uniform(0, 9), np.empty(6)
        log_cells.rates(z, drug, p, found)
        y = np.concatenate([np.exp(z[:3]), z[3:], [drug]])
        exact = np.array(problem.system.f(0.0, y, p[order], []))[:6]
        exact[:3] /= y[:3]
        np.testing.assert_allclose(found, exact, rtol=1e-12, atol=1e-12 * np.abs(exact).max())


def test_the_two_references_agree(bench):
    """Runge-Kutta of order 8 and Taylor series of order 24, in logarithms that sink below -1000."""
    model, robust = bench["relapse_model"], bench["robustness"]
    for amount in robust.AMOUNTS:
        logs, agree = robust.references(model.spread_table(12), amount)[1:]
        assert agree.all()
        assert np.isfinite(logs).all()
    assert logs.min() < -1000


def test_no_member_is_wrong_or_lost(bench):
    """Errors in cells are small in every member; at ten-fold doses logarithms lose up to some hundred tolerances."""
    model, robust = bench["relapse_model"], bench["robustness"]
    from remission.solvers import kernels

    table = model.spread_table(MEMBERS)
    for amount in robust.AMOUNTS:
        problem = model.relapse_problem(amount, rtol=1e-6)
        truth = robust.references(table, amount)
        found = kernels.ensemble(problem, list(model.VALUES), table, robust.TIMES, problem.system.states)
        judged = robust.judge(found.values, found.status, found.messages, truth, problem)
        assert not judged.wrong_in_cells.any()
        assert not judged.lost.any()
        assert not judged.undecided.any()
        assert np.count_nonzero(judged.told) <= 2
        assert np.nanmax(judged.errors) < (1 if amount == 1 else 5)
        assert np.nanmax(judged.in_cells) < 1e-3


@pytest.mark.parametrize("method", ["Rodas5P", "Rodas3"])
def test_a_clone_damped_below_its_tolerance_is_not_believed(bench, method):
    """Clone R of these two sinks to 1e-39, comes back to 3e-8, and ended at 3e-34 and done with Rodas3."""
    model, robust = bench["relapse_model"], bench["robustness"]
    table, problem = model.spread_table(300)[[198, 287]], model.relapse_problem(10.0, rtol=1e-6)
    truth = robust.references(table, 10.0)
    judged = robust.judge(*robust.solved_one_by_one(problem, table, method)[:3], truth, problem)
    assert not (judged.wrong_in_cells | judged.lost | judged.undecided | judged.told).any()


@pytest.mark.parametrize("method", ["Rodas5P"])
def test_solve_says_the_same(bench, method):
    model, robust = bench["relapse_model"], bench["robustness"]
    table, problem = model.spread_table(40), model.relapse_problem(10.0, rtol=1e-6)
    truth = robust.references(table, 10.0)
    judged = robust.judge(*robust.solved_one_by_one(problem, table, method)[:3], truth, problem)
    assert not (judged.wrong_in_cells | judged.lost | judged.undecided).any()
    assert np.nanmax(judged.errors) < 5
