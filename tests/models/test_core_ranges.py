"""The first models of the catalogue over their plausible ranges: finite, not negative, inside what bounds them."""

import numpy as np
import pytest

from remission import models
from remission.solvers import Problem, Treatment, kernels

DAYS = np.linspace(0, 365, 25)
CASES = {
    "exponential_growth": {}, "logistic_growth": {}, "gompertz_growth": {}, "von_bertalanffy_growth": {},
    "sensitive_resistant": {"u": 1.0}, "two_clone_competition": {"u": 1.0}, "selective_kill": {"u": 1.0},
    "oncogene_withdrawal": {"u": 1.0, "cin": 1.0}, "paracrine_loop": {"e": 1.0, "B": 30.0},
    "bolus_1cpt": {"central": 100.0}, "oral_1cpt": {"gut": 100.0}, "two_cpt": {"central": 100.0},
    "kpd": {"biophase": 100.0},
}  # fmt: skip


def drawn(model, members, rng):
    """Rows of parameters, each on its own scale."""
    low, high = np.array([p.info.plausible for p in model.parameters], dtype=float).T
    u = rng.random((members, len(low)))
    logs = np.array([p.info.scale == "log" for p in model.parameters])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(logs, np.exp(np.log(low) + u * np.log(high / low)), low + u * (high - low))


def check(name, members):
    model, given = getattr(models, name)(), CASES[name]
    states = {s.name for s in model.states}
    treatment = Treatment.none()
    if given:
        treatment = Treatment.bolus(given, every=30, times=4) if set(given) <= states else Treatment.constant(given)
    names = [p.name for p in model.parameters]
    table = drawn(model, members, np.random.default_rng(7))
    if name == "oncogene_withdrawal":  # births below deaths turn the brake into a boost above K: see its page
        keep = np.all([table[:, names.index(f"b_{c}")] > table[:, names.index(f"d_{c}")] for c in "SAR"], axis=0)
        table = table[keep]
    for with_treatment in (Treatment.none(), treatment):
        problem = Problem(model, t_span=(0, DAYS[-1]), treatment=with_treatment)
        found = kernels.ensemble(problem, names, table, DAYS, [s.name for s in model.states])
        assert set(found.status) == {"done"}, [m for m in found.messages if m][:3]
        size = np.abs(found.values).max(axis=(0, 1))
        assert np.all(np.isfinite(found.values))
        assert np.all(found.values >= -1e-6 * (1 + size))
        box = models.invariant_box(model, inputs={u.name: (0, max(given.get(u.name, 1), 1)) for u in model.inputs})
        assert set(box.nonnegative) == states or name == "gompertz_growth"


@pytest.mark.parametrize("name", CASES)
def test_runs_are_sane(name):
    check(name, 200)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_ten_thousand_runs_are_sane(name):
    check(name, 10_000)
