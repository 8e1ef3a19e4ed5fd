"""Branches of every model of the catalogue over one parameter against all steady states that are proved beside them."""

import numpy as np
import pytest

from remission import models
from remission.analysis import check_complete, continue_branches, steady_states
from remission.models.errors import ProblemError
from remission.solvers import Problem

NAMES = [row["name"] for row in models.list_models()]
BOXES = {
    "claret": {"y": (0, 500)},
    "clonal_inflammation": dict.fromkeys("SARX", (0, 5e9)),
    "kuznetsov": {"E": (0, 1e7)},
    "kirschner_panetta": {"E": (0, 1e8), "I": (0, 1e8)},
    "monro_gaffney": dict.fromkeys("SR", (0, 4e12)),
    "oncogene_withdrawal": dict.fromkeys("SAR", (0, 5e9)),
}
NOT_FOLLOWED = {  # no steady state from which a curve starts
    "von_bertalanffy_growth": "no branch was found",  # no slope at the only one, V = 0
    "power_law_growth": "no branch was found",  # the same
    "monro_gaffney": "continuum",  # a continuum, and no slope at zero
    "ribba": "no isolated steady state",
}
APART = {"de_pillis_radunskaya": 1, "cml_immune_window": 1}  # curves that meet none of those through the start
SINGULAR = ("gompertz_growth",)  # log(K/c) as c comes to 0


def over(problem):
    """The first input, else the first parameter of the equations that has a plausible range."""
    model = problem.model
    if model.inputs:
        return model.inputs[0].name, (0.0, 1.0)
    own = [p for p in model.parameters if any(p in e.free_symbols for e in model.equations.values())]
    ranged = next((p for p in own if p.info.plausible is not None), None)
    if ranged is not None:
        return ranged.name, tuple(map(float, ranged.info.plausible))
    value = problem.parameters[own[0].name]
    return own[0].name, (value / 4, 3 * value)


def box_of(problem):
    if problem.model.name in BOXES:
        return BOXES[problem.model.name]
    try:
        return steady_states(problem, n_starts=1, time_limit=0.0).box
    except ProblemError:
        start = problem.initial_values()
        return {s.name: (0, 100 * max(1.0, start[s.name], s.info.scale or 0)) for s in problem.model.states}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_branches_hold_every_steady_state(name):
    problem = Problem(getattr(models, name)())
    problem = problem.at_constant(**{u.name: 0.4 for u in problem.model.inputs}) if problem.model.inputs else problem
    parameter, span = over(problem)
    box = box_of(problem)
    start = steady_states(problem, box=box)
    if name in NOT_FOLLOWED:
        try:
            said = " ".join(continue_branches(problem, parameter, span, start=start, box=box).notes)
        except ProblemError as error:
            said = str(error)
        assert NOT_FOLLOWED[name] in said
        return
    found = continue_branches(problem, parameter, span, start=start, box=box)
    checked = check_complete(found, box=box)
    assert len(checked) - len(found) == APART.get(name, 0)
    low, high = span
    again = check_complete(checked, low + (high - low) * np.array([0.03, 0.2, 0.41, 0.64, 0.97]), box=box)
    assert len(again) == len(checked)  # what was added is all there is at five other values too
    if name not in SINGULAR:
        assert not any("small" in end or "most" in end for b in checked for end in b.ends)
