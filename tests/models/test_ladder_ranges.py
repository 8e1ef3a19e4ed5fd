"""Models over their plausible ranges: finite, and not below zero."""

import numpy as np
import pytest

from remission import models
from remission.solvers import Problem, Treatment, check_gradient
from remission.solvers.kernels import ensemble

pytest.importorskip("llvmlite")  # Rodas5P: differences of LSODA's solutions are noise where a gradient is small
pytestmark = pytest.mark.optional

WEEKLY = Treatment.bolus({"D": 5}, every=7, times=10)
RUNS = {
    "karyotype_ladder": (60.0, Treatment.constant({"u": 1}, start=30)),
    "rescue_by_aneuploidy": (400.0, Treatment.none()),
    "cml_immune_window": (150.0, Treatment.constant({"u": 1}, end=90)),
    "resistance_mechanisms": (90.0, WEEKLY),
    "glioma_invasion": (400.0, Treatment.none()),
    "bistable_invasion": (50.0, Treatment.none()),
    "power_law_growth": (100.0, Treatment.none()),
    "linear_growth": (100.0, Treatment.none()),
    "surface_growth": (100.0, Treatment.none()),
}


def draws(model, n, seed=11):
    """Parameter values from the plausible ranges, evenly on each parameter's scale."""
    rng = np.random.default_rng(seed)
    columns = []
    for p in model.parameters:
        low, high = p.info.plausible
        u = rng.uniform(size=n)
        columns.append(low + u * (high - low) if p.info.scale == "linear" else low * (high / low) ** u)
    return np.column_stack(columns)


def run(name, n):
    model = getattr(models, name)()
    end, treatment = RUNS[name]
    problem = Problem(model, t_span=(0, end), treatment=treatment)
    names = [p.name for p in model.parameters]
    return ensemble(problem, names, draws(model, n), np.linspace(0, end, 7), [s.name for s in model.states])


def check(name, n):
    found = run(name, n)
    assert not len(found.failed), found.messages[found.failed[0]]
    assert np.all(np.isfinite(found.values))
    largest = np.abs(found.values).max(axis=(0, 1))
    assert np.all(found.values.min(axis=(0, 1)) >= -1e-6 * largest - 1e-2)  # within the tolerance of nothing


@pytest.mark.parametrize("name", list(RUNS))
def test_two_hundred_samples(name):
    check(name, 200)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(RUNS))
def test_ten_thousand_samples(name):
    check(name, 10_000)


@pytest.mark.parametrize("name", list(RUNS))
def test_gradients_meet_differences(name):
    end, treatment = RUNS[name]
    problem = Problem(getattr(models, name)(), t_span=(0, min(end, 40)), treatment=treatment, rtol=1e-9)
    found = check_gradient(problem, method="Rodas5P")
    assert found.ok, str(found)
