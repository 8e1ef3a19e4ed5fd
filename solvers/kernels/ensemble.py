"""Many members of one problem at once: a table of parameter values in, outputs and a status each out.

A trajectory a lane, a group of lanes a step, groups over threads that hold no interpreter lock. Which members share a
group depends on the table alone, so the number of threads changes nothing.
"""

import os
from dataclasses import dataclass, replace

import numpy as np

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords

from ..grid import refuse_grid
from ..initial import carried
from .build import Options, kernel
from .choice import IMPLICIT, choose_method
from .itineraries import groups_of, member_tolerances
from .itinerary import kernel_tolerances, model_width
from .record import STATUS
from .single import input_values, reason_not, snapped, wanted_outputs

__all__ = ["LANES", "Ensemble", "ensemble"]

LANES = 8  # members a step on every processor, so that members share their groups everywhere; narrower ones take turns


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Outputs of many members.

    Parameters
    ----------
    values : (n_members, n_times, n_outputs) array
        NaN from a member's failure on.
    status : tuple of str
        `"done"`, or the word of a failure, a member each.
    messages : tuple of str
        The reason of each failure; empty for members that are done.
    method : str
        Name of the method, and lanes a group.
    again : (n_members,) bool array
        Members that were solved a second time: alone, because they failed in their group; with tighter tolerances,
        because a clone regrew from below them; or with an implicit method, because they turned out stiff.
    gradients : (n_members, n_times, n_outputs, n_sensitivities) array or None
        Derivatives by the parameters asked for; NaN from a member's failure on.
    """

    values: np.ndarray
    status: tuple
    messages: tuple
    method: str
    again: np.ndarray
    gradients: np.ndarray | None = None

    @property
    def failed(self) -> np.ndarray:
        """Positions of members that are not done."""
        return np.array([i for i, word in enumerate(self.status) if word != "done"], dtype=int)


@refuse_unknown_keywords
def ensemble(problem, names, table, times, outputs, threads=None, *, sensitivities=()) -> Ensemble:
    """Solve a problem for every row of a table of parameter values.

    Parameters
    ----------
    problem : Problem
        Without rules and extinction gate, for the compiled path.
    names : sequence of str
        Parameters of the problem: those of the model, of the treatment, of initial values.
    table : (n_members, len(names)) array_like
    times : (n_times,) array_like
        Output times, increasing, within `t_span`; at the time of a dose the value before it.
    outputs : sequence of str
        States, observables, inputs.
    threads : int, optional
        All processors that the process may use, if not given.
    sensitivities : list of str
        Parameters to differentiate by; `"S(0)"` is the initial value of the state S. A member then has a lane group
        of its own: the lanes are its parameters.

    Returns
    -------
    Ensemble
        A failing member is NaN with a status and a reason and disturbs no other. Members that the compiled path
        cannot take are solved one by one with `sample`.

    Raises
    ------
    ProblemError
        If a name, the table or a time does not fit the problem.

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem
    >>> from remission.solvers.kernels import ensemble
    >>> problem = Problem(sensitive_resistant(), t_span=(0, 365))
    >>> members = ensemble(problem, ["r"], [[0.02], [0.03]], [365], ["burden"])
    >>> members.values[:, 0, 0].round(3).tolist(), members.status
    ([0.748, 0.75], ('done', 'done'))
    """
    from ..solve import output_times

    times = output_times(problem, times)
    names, outputs = [getattr(n, "name", n) for n in names], [getattr(n, "name", n) for n in outputs]
    table = _checked(problem, names, table, outputs)
    if reason_not(problem) or problem.treatment.rules or problem.extinction_gate:
        return _one_by_one(problem, names, table, times, outputs, sensitivities)
    if len(sensitivities):
        from .gradients import gradient_ensemble

        moved, columns, _ = carried(problem, list(sensitivities))
        return gradient_ensemble(moved, names, table, times, outputs, threads or _processors(), columns)
    return _compiled(problem, names, table, times, outputs, threads or _processors())


def _checked(problem, names, table, outputs):
    refuse_grid(problem, "ensemble")
    system = problem.system
    for name in names:
        if name not in system.parameters:
            raise ProblemError(f"ensemble: no parameter named {name!r}; {did_you_mean(name, system.parameters)}")
    known = (*system.states, *system.observables, *system.inputs)
    for name in outputs:
        if name not in known:
            raise ProblemError(f"{problem.model.name} has no output {name!r}; {did_you_mean(name, known)}")
    table = np.atleast_2d(np.asarray(table, dtype=float))
    if table.ndim != 2 or table.shape[1] != len(names):
        raise ProblemError(f"ensemble: a table of {len(names)} columns ({', '.join(names)}) has shape {table.shape}")
    return table


def _processors():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _compiled(problem, names, table, times, outputs, threads):
    from .members import explain

    system, members = problem.system, len(table)
    p = np.tile(np.array(problem.p, dtype=float), (members, 1))
    p[:, [system.parameters.index(name) for name in names]] = table
    tolerances = kernel_tolerances(problem)
    method = choose_method(problem)
    values = np.full((members, len(times), len(outputs)), np.nan)
    status, reached = np.full(members, -1), np.full((members, 1 + model_width(problem.model)), np.nan)
    again = np.zeros(members, dtype=bool)
    groups, refused = groups_of(problem, names, p)
    for group in groups:
        rows = group.members
        alone = group.own_times is not None or len(rows) == 1  # lanes would have to stop at each other's doses
        options = Options(method, 1 if alone else LANES, group.changes.infused, tolerances[3])
        found = _run(problem, options, p[rows], group, times, outputs, threads)
        values[rows], status[rows], reached[rows], again[rows] = found
    words = tuple("refused" if m in refused else STATUS[s] for m, s in enumerate(status))
    messages = [""] * members
    for member in np.flatnonzero(status):
        messages[member] = refused.get(int(member)) or explain(problem, status[member], reached[member])
    return Ensemble(values, words, tuple(messages), f"{method}, {LANES} lanes", again)


def _run(problem, options, p, group, times, outputs, threads):
    from .members import Job, run_job

    inside = [o for o in outputs if o not in problem.system.inputs]
    begin, changes = problem.t_span[0], group.changes
    at = snapped(times, changes, problem)
    own = None if group.own_times is None else _own(problem, group, times)
    implicit = replace(options, method=IMPLICIT)
    job = Job(
        kernel(problem.model, options), options.lanes, p[:, : problem.system.n_model_parameters], group.start, changes,
        group.kept, group.amount, at, wanted_outputs(problem, inside), (begin, max(float(times[-1]), begin)),
        _strictest(problem, group, False),
        lambda: _strictest(problem, group, True), own=own,
        implicit=(lambda: kernel(problem.model, implicit)) if options.method == "Tsit5" else None,
    )  # fmt: skip
    outcome = run_job(job, threads)
    if len(inside) == len(outputs):
        return outcome.values, outcome.status, outcome.reached, outcome.again
    values = np.empty((len(p), len(times), len(outputs)))
    values[:, :, [outputs.index(o) for o in inside]] = outcome.values
    lost = outcome.reached[:, :1] < at  # an input is known at any time, but not shown beyond a failure
    for place, name in enumerate(outputs):
        if name in problem.system.inputs:
            level = _levels(problem, group, name, at, own)
            values[:, :, place] = np.where(lost & (outcome.status != 0)[:, None], np.nan, level)
    return values, outcome.status, outcome.reached, outcome.again


def _strictest(problem, group, tight):
    """Tolerances that suit all members of a group: default ones depend on where a member starts."""
    n = model_width(problem.model)
    rows = member_tolerances(problem, group.start[:, : problem.system.n], tight)
    return rows[0, 0], rows[:, 1 : 1 + n].min(axis=0), rows[:, 1 + n :].max(axis=0)


def _own(problem, group, times):
    """Change times and output times of each member, each row closed by infinity."""
    end = np.full((len(group.members), 1), np.inf)
    at = [snapped(times, replace(group.changes, times=row), problem) for row in group.own_times]
    return np.hstack([group.own_times, end]), np.hstack([np.array(at), end])


def _levels(problem, group, name, at, own):
    members, changes = len(group.members), group.changes
    amount = np.broadcast_to(group.amount, (members, changes.n))
    if own is None:
        return input_values(problem, changes, name, at, group.start, amount)
    rows = zip(own[0][:, :-1], own[1][:, :-1], group.start, amount, strict=True)
    return np.array([input_values(problem, replace(changes, times=c), name, t, s, a) for c, t, s, a in rows])


def _one_by_one(problem, names, table, times, outputs, sensitivities):
    from ..sample import sample

    values, status, messages = np.full((len(table), len(times), len(outputs)), np.nan), [], []
    by = carried(problem, list(sensitivities))[2]
    gradients = np.full((*values.shape, len(by)), np.nan) if by else None
    for member, row in enumerate(table):
        try:
            found = sample(problem.replace(parameters=dict(zip(names, row, strict=True))), times, outputs, by)
        except ProblemError as fault:
            status.append("not finite")
            messages.append(str(fault))
            continue
        values[member] = found.values
        if by:
            gradients[member] = found.gradients
        status.append("done" if found.success else "failed")
        messages.append(found.message)
    return Ensemble(values, tuple(status), tuple(messages), "LSODA", np.zeros(len(table), dtype=bool), gradients)
