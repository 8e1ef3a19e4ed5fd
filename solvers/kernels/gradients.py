"""Ensembles with gradients: a member after the other, its parameters as lanes, members over threads.

Members whose changes happen at the same times share a call; a change's amounts and all its derivatives are a member's
own where the treatment is varied.
"""

from dataclasses import replace

import numpy as np

from remission.models.errors import ProblemError

from .build import Options, kernel
from .choice import IMPLICIT
from .itineraries import Group, start_values
from .itinerary import DERIVATIVES, itinerary, kernel_tolerances, model_width, seeds
from .record import STATUS
from .single import carried_columns, input_values, inverse_sizes, snapped, steers, wanted_outputs

__all__ = ["gradient_ensemble"]


def gradient_ensemble(problem, names, table, times, outputs, threads, columns):
    """As `ensemble`, with derivatives by the parameters at `columns` of the problem's `p`."""
    from .ensemble import Ensemble
    from .members import explain

    members, method = len(table), IMPLICIT
    p = np.tile(np.array(problem.p, dtype=float), (members, 1))
    p[:, [problem.system.parameters.index(name) for name in names]] = table
    values = np.full((members, len(times), len(outputs)), np.nan)
    gradients = np.full((*values.shape, len(columns)), np.nan)
    status, again = np.full(members, -1), np.zeros(members, dtype=bool)
    reached = np.full((members, 1 + model_width(problem.model)), np.nan)
    groups, refused = _groups(problem, names, p, columns)
    for group in groups:
        found = _run(problem, method, p, group, times, outputs, threads, columns)
        rows = group.members
        values[rows], gradients[rows], status[rows], reached[rows], again[rows] = found
    words = tuple("refused" if m in refused else STATUS[s] for m, s in enumerate(status))
    messages = [refused.get(m) or explain(problem, status[m], reached[m]) for m in range(members)]
    return Ensemble(values, words, tuple(messages), f"{method}, 1 lane", again, gradients)


def _groups(problem, names, p, columns):
    """Groups whose `changes` have their derivatives a member each, and the refusals of members."""
    if not set(names) & {s.name for s in problem.treatment.parameters()}:
        changes, system = itinerary(problem, columns), problem.system
        start, slopes = (np.array([x] * len(p)) for x in (changes.start, changes.start_gradient))
        start[:, : system.n] = start_values(system, p)
        for slope, values in zip(slopes, p.tolist(), strict=True):
            slope[: system.n] = system.dy0dp(values)[:, list(columns)]
        changes = replace(changes, start_gradient=slopes)
        return [Group(np.arange(len(p)), changes, start, changes.kept, changes.amount)], {}
    found, refused = {}, {}
    for row, values in enumerate(p.tolist()):
        try:
            given = dict(zip(problem.system.parameters, values, strict=True))
            changes = itinerary(problem.replace(parameters=given), columns)
        except ProblemError as fault:
            refused[row] = str(fault)
            continue
        key = (changes.times.tobytes(), changes.rows.tobytes(), changes.infused)
        found.setdefault(key, []).append((row, changes))
    return [_stacked(members) for members in found.values()], refused


def _stacked(members):
    rows, every = zip(*members, strict=True)
    whole = {name: np.array([getattr(c, name) for c in every]) for name in (*DERIVATIVES, "start", "kept", "amount")}
    start, kept, amount = (whole.pop(name) for name in ("start", "kept", "amount"))
    return Group(np.array(rows), replace(every[0], **whole), start, kept, amount)


def _run(problem, method, p, group, times, outputs, threads, columns):
    """(values, gradients, status, place of the end, whether solved twice) of the members of a group."""
    from .ensemble import _strictest
    from .jit import host_lanes
    from .members import Job, run_job

    n, changes, rows = model_width(problem.model), group.changes, group.members
    options = Options(
        method, 1, changes.infused, kernel_tolerances(problem)[3], carried_columns(problem, columns),
        steers(changes, n, len(problem.model.inputs)), max(4, host_lanes()), seeds(problem, changes, columns),
        controlled=True,
    )  # fmt: skip
    inside, at = [o for o in outputs if o not in problem.system.inputs], snapped(times, changes, problem)
    begin = problem.t_span[0]
    job = Job(
        kernel(problem.model, options), 1, p[rows, : problem.system.n_model_parameters], group.start, changes,
        group.kept, group.amount, at, wanted_outputs(problem, inside), (begin, max(float(times[-1]), begin)),
        _strictest(problem, group, False), lambda: _strictest(problem, group, True),
        sizes=inverse_sizes(problem, columns),
    )  # fmt: skip
    found = run_job(job, threads)
    values, gradients = np.empty((len(rows), len(times), len(outputs))), None
    gradients = np.empty((*values.shape, len(columns)))
    places = [outputs.index(o) for o in inside]
    values[:, :, places], gradients[:, :, places] = found.values, found.gradients
    gone = (found.reached[:, :1] < at) & (found.status != 0)[:, None]
    for place, name in enumerate(outputs):
        if name in problem.system.inputs:  # known at any time, but not shown beyond a failure
            level, slopes = _levels(problem, group, name, at)
            values[:, :, place] = np.where(gone, np.nan, level)
            gradients[:, :, place] = np.where(gone[..., None], np.nan, slopes)
    return values, gradients, found.status, found.reached, found.again


def _levels(problem, group, name, at):
    """Levels of an input (members, n_times) and their derivatives (members, n_times, k)."""
    changes, members = group.changes, len(group.members)
    level = input_values(problem, changes, name, at, group.start, np.broadcast_to(group.amount, (members, changes.n)))
    start, amount = (np.swapaxes(g, -1, -2) for g in (changes.start_gradient, changes.amount_gradient))
    amount = np.broadcast_to(amount, (*start.shape[:2], changes.n))
    return level, np.swapaxes(input_values(problem, changes, name, at, start, amount), -1, -2)
