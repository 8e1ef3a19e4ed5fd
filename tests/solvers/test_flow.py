"""The written-out sensitivity equations against the matrix form."""

import numpy as np
import pytest

from remission.models import Parameter, sensitive_resistant
from remission.models.catalogue import oncogene_withdrawal, paracrine_loop
from remission.solvers import Problem, Treatment, flow


@pytest.mark.parametrize("make", [sensitive_resistant, oncogene_withdrawal, paracrine_loop])
@pytest.mark.parametrize("steered", [False, True])
def test_both_forms_agree(make, steered, monkeypatch):
    model = make()
    level = Parameter("level", 0.4)
    treatment = Treatment.constant({model.inputs[0].name: level}) if steered else Treatment.none()
    system, p = (problem := Problem(model, treatment=treatment)).system, problem.p
    columns = tuple(range(len(p)))[::-1]
    k, rng = len(columns), np.random.default_rng(1)
    z = np.concatenate([rng.uniform(0.1, 2, system.n), rng.normal(size=system.n * k)])
    gradients = np.zeros((len(model.inputs), k))
    if steered:
        gradients[0, columns.index(len(p) - 1)] = 1
    parts = (
        np.full(len(model.inputs), 0.3),
        rng.uniform(size=system.n),
        columns,
        gradients,
        rng.normal(size=(system.n, k)),
    )
    rates = []
    for limit in (0, 10**6):
        monkeypatch.setattr(flow, "LARGEST_WRITTEN_OUT", limit)
        rates.append(flow.make_flow(system, p, *parts).fun(0.3, z))
    np.testing.assert_allclose(rates[0], rates[1], rtol=1e-11, atol=1e-11)
