"""Gradients of every catalogue model under every kind of treatment, by all parameters, against differences.

Along a random direction in the space of all parameters (each scaled by its value) the derivative is one number an
output: differences of order 4 of runs at rtol 1e-11 give it to about 1e-7, without any sensitivity equation. All kinds
of a model have two parameters of the treatment (or of the initial values), so that they share their kernels.
"""

import numpy as np
import pytest

from remission.models import Parameter, catalogue
from remission.solvers import Problem, Treatment, sample, solve

pytest.importorskip("llvmlite")
pytestmark = pytest.mark.optional

LEFT_OUT = ("BY_QUESTION", "list_models", "kpd", "bolus_1cpt", "oral_1cpt", "two_cpt")  # the last four are modules
MODELS = {name: getattr(catalogue, name) for name in catalogue.__all__ if name not in LEFT_OUT}
KINDS = (
    "none", "constant", "intermittent", "bolus", "infusion", "surgery", "table", "adaptive", "visits", "switch_when",
)  # fmt: skip
# Fast models: 200 switches in 60 days within 3 %, and one is always near an output.
WIDE = {"oncogene_withdrawal": 0.3, "de_pillis_radunskaya": 0.3}
AT_REST = ("mdsc_expansion",)  # starts where nothing moves, and a rule would only touch its threshold
RULES = ("adaptive", "visits", "switch_when")
WITH_INPUT = ("constant", "intermittent", *RULES)
DAYS = np.array([0.0, 1.0, 3.0, 11.3, 21.5, 40.0, 60.0])
LEVEL, DAY, AMOUNT = Parameter("level", 0.8), Parameter("day", 7.0), Parameter("amount", 0.02)


def watched(problem):
    """The first observable, its value at 0 and at 20 days without treatment."""
    of = next(iter(problem.model.observables))
    return of, *sample(problem, [0.0, 20.0], [of]).values[:, 0]


def treated(name, kind):
    """A problem of a kind."""
    model = MODELS[name]()
    inside = {s.name: 0.05 for s in model.parameters if s.info.value == 0}  # a rate below 0 is another model
    plain = Problem(model, t_span=(0, 60), rtol=1e-9, parameters=inside)
    (state, first), names = next(iter(plain.initial_values().items())), [u.name for u in model.inputs]
    if name in AT_REST:
        plain, first = plain.replace(initial={state: 0.5 * first}), 0.5 * first
    of, start, later = watched(plain)
    size = first or 1.0
    if kind == "none":
        return plain.replace(initial={state: size * (0.98 + AMOUNT) * DAY / 7})
    given = {names[-1]: LEVEL} if names else None
    rows = [{"time": 3, "amount": 0.1 * size, "into": "first"}]
    if names:
        rows += [{"time": 12, "on": 0.5, "duration": 9, "into": "input"}]
    span = WIDE.get(name, 0.03)
    level = (start + 0.7 * (later - start)) * (0.98 + AMOUNT)
    make = {
        "constant": lambda: Treatment.constant(given, start=DAY / 3),
        "intermittent": lambda: Treatment.intermittent(given, on=DAY, off=DAY / 2, start=1),
        "bolus": lambda: Treatment.bolus({state: AMOUNT * size}, at=3, every=DAY, times=4),
        "infusion": lambda: Treatment.infusion({state: AMOUNT * size}, start=DAY, duration=DAY / 3, every=20, times=2),
        "surgery": lambda: Treatment.surgery({state: AMOUNT * 10}, at=DAY),
        "table": lambda: (
            Treatment.bolus({state: AMOUNT * size}, at=DAY)
            + Treatment.from_table(rows, into={"first": state, "input": names[-1] if names else ""})
        ),
        "adaptive": lambda: Treatment.adaptive(
            given, of=of, pause_below=start * (1.02 - span - AMOUNT), resume_above=start * (1 + span), relative_to=None
        ),
        "visits": lambda: Treatment.adaptive(given, of=of, pause_below=0.97, resume_above=1.03, check_every=DAY),
        "switch_when": lambda: Treatment.switch_when(given, of=of, **{"above" if later > start else "below": level}),
    }
    return plain.replace(treatment=make[kind]())


def directions(problem, count=2):
    """Random directions, each parameter by its size: (count, n_p)."""
    sizes = np.abs(problem.p)
    rng = np.random.default_rng(len(sizes))
    return sizes * rng.choice([-1, 1], (count, len(sizes))) * rng.uniform(0.3, 1.0, (count, len(sizes)))


def outputs(problem, kind, p, names):
    moved = problem.replace(parameters=dict(zip(problem.system.parameters, p, strict=True)), rtol=1e-11)
    if kind in RULES:
        found = solve(moved, "Rodas5P", t_eval=DAYS).require()
        return np.column_stack([found[n] for n in names]), [e.label for e in found.events]
    found = sample(moved, DAYS, names)
    assert found.success, found.message
    return found.values, []


def difference(problem, kind, direction, names):
    """Derivative along a direction, of order 4; the same things must happen in all four runs."""
    h = 3e-5 if kind in RULES else 3e-4  # two hundred switches move far: none may pass an output time
    p, weights = np.array(problem.p), {1: 8.0, -1: -8.0, 2: -1.0, -2: 1.0}
    runs = [outputs(problem, kind, p + k * h * direction, names) for k in weights]
    counts = {len(events) for _, events in runs}
    assert len(counts) == 1, counts
    return sum(w * values for w, (values, _) in zip(weights.values(), runs, strict=True)) / (12 * h)


def check(name, kind):
    problem = treated(name, kind)
    names = [*problem.system.states, *problem.system.observables]
    by = problem.system.parameters
    if kind in RULES:
        found = solve(problem, "Rodas5P", t_eval=DAYS, sensitivities=by).require()
        values = np.column_stack([found[n] for n in names])
        ours = np.stack([np.column_stack([found.sensitivity(n, p) for p in by]) for n in names], axis=1)
    else:
        found = sample(problem, DAYS, names, by)
        values, ours = found.values, found.gradients
    scale = np.abs(values).max(axis=0) + 1e-30
    rtol, atol = problem.tolerances()  # a fast signal is given and gone between two days: its scale is the declared one
    scale[: problem.system.n] = np.maximum(scale[: problem.system.n], atol / rtol)
    for direction in directions(problem):
        expected = difference(problem, kind, direction, names)
        size = np.maximum(np.abs(expected).max(axis=0), 1e-3 * scale)
        np.testing.assert_allclose(
            (ours @ direction) / size, expected / size, rtol=0, atol=1e-4 if kind in RULES else 2e-5
        )


CASES = [(name, kind) for name, make in MODELS.items() for kind in KINDS if make().inputs or kind not in WITH_INPUT]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_gradients_against_differences(name, kind):
    check(name, kind)
