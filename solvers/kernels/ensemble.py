"""Many members of one problem at once: a table of parameter values in, outputs and a status each out.

A trajectory a lane, a group of lanes a step, groups over threads that hold no interpreter lock. Which members share a
group depends on the table alone, so the number of threads changes nothing.
"""

import functools
import os
from dataclasses import dataclass, replace

import numpy as np

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords
from remission.models.expressions import function_source
from remission.models.operations import ARRAY

from .build import Options, kernel
from .choice import choose_method, implicit_method
from .itinerary import itinerary, kernel_tolerances, model_width
from .record import STATUS
from .single import input_values, reason_not, snapped, wanted_outputs

__all__ = ["Ensemble", "ensemble"]


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
    """

    values: np.ndarray
    status: tuple
    messages: tuple
    method: str

    @property
    def failed(self) -> np.ndarray:
        """Positions of members that are not done."""
        return np.array([i for i, word in enumerate(self.status) if word != "done"], dtype=int)


@refuse_unknown_keywords
def ensemble(problem, names, table, times, outputs, threads=None) -> Ensemble:
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
        return _one_by_one(problem, names, table, times, outputs)
    return _compiled(problem, names, table, times, outputs, threads or _processors())


def _checked(problem, names, table, outputs):
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
    from .jit import host_lanes
    from .members import explain

    system, members = problem.system, len(table)
    p = np.tile(np.array(problem.p, dtype=float), (members, 1))
    p[:, [system.parameters.index(name) for name in names]] = table
    tolerances = kernel_tolerances(problem)
    lanes, method = host_lanes() if members > 1 else 1, choose_method(problem, tolerances[0])
    values = np.full((members, len(times), len(outputs)), np.nan)
    status, reached = np.full(members, -1), np.full((members, 1 + model_width(problem.model)), np.nan)
    for rows, changes, start, kept, amount in _groups(problem, names, p):
        options = Options(method, lanes, changes.infused, tolerances[3])
        part = (problem, options, p[rows], start, changes, kept, amount, times, outputs, tolerances, threads)
        values[rows], status[rows], reached[rows] = _run(*part)
    words = tuple(STATUS[s] if s >= 0 else "not finite" for s in status)
    messages = tuple("" if s == 0 else _told(explain, problem, s, r) for s, r in zip(status, reached, strict=True))
    return Ensemble(values, words, messages, f"{method}, {lanes} lanes")


def _told(explain, problem, status, reached):
    return "a time or amount of the treatment is not finite" if status < 0 else explain(problem, status, reached)


def _run(problem, options, p, start, changes, kept, amount, times, outputs, tolerances, threads):
    from .members import Job, run_job

    inside = [o for o in outputs if o not in problem.system.inputs]
    begin, at = problem.t_span[0], snapped(times, changes, problem)
    code = kernel(problem.model, options)
    implicit = replace(options, method=implicit_method(problem.rtol))
    job = Job(
        code, options.lanes, p[:, : problem.system.n_model_parameters], start, changes, kept, amount, at,
        wanted_outputs(problem, inside), (begin, max(float(times[-1]), begin)), tolerances[:3],
        kernel_tolerances(problem, tight=True)[:3],
        implicit=(lambda: kernel(problem.model, implicit)) if options.method == "Tsit5" else None,
    )  # fmt: skip
    outcome = run_job(job, threads)
    if len(inside) == len(outputs):
        return outcome.values, outcome.status, outcome.reached
    values = np.empty((len(p), len(times), len(outputs)))
    values[:, :, [outputs.index(o) for o in inside]] = outcome.values
    lost = outcome.reached[:, :1] < at  # an input is known at any time, but not shown beyond a failure
    for place, name in enumerate(outputs):
        if name in problem.system.inputs:
            level = input_values(problem, changes, name, at, start, np.broadcast_to(amount, (len(p), changes.n)))
            values[:, :, place] = np.where(lost & (outcome.status != 0)[:, None], np.nan, level)
    return values, outcome.status, outcome.reached


def _groups(problem, names, p):
    """Members whose changes happen at the same times: (rows, changes, starts, kept, amounts)."""
    varied, treated = set(names), {s.name for s in problem.treatment.parameters()}
    if not varied & treated:
        changes = itinerary(problem)
        start = np.tile(changes.start, (len(p), 1))
        start[:, : problem.system.n] = np.array(np.broadcast_arrays(*starts(problem.system)(p.T), p[:, 0])[:-1]).T
        yield np.arange(len(p)), changes, start, changes.kept, changes.amount
        return
    found = {}
    for row, values in enumerate(p):
        try:
            changes = itinerary(problem.replace(parameters=dict(zip(problem.system.parameters, values, strict=True))))
        except ProblemError:
            continue  # told as not finite by its status
        key = (changes.times.tobytes(), changes.rows.tobytes(), changes.infused)
        found.setdefault(key, []).append((row, changes))
    for members in found.values():
        rows = np.array([row for row, _ in members])
        every = [changes for _, changes in members]
        yield (
            rows, every[0], np.array([c.start for c in every]), np.array([c.kept for c in every]),
            np.array([c.amount for c in every]),
        )  # fmt: skip


@functools.lru_cache(maxsize=64)
def starts(system):
    """Initial values as a function of p of shape (n_p, members)."""
    model, initial, _ = system.settings.source
    given = dict(initial)
    expressions = [given.get(s.name, s.info.initial) for s in model.states]
    space = {**ARRAY, "nan": np.nan}
    exec(function_source("start", expressions, ((), system.parameter_symbols, ())), space)

    def start(p):
        with np.errstate(all="ignore"):
            return space["start"](0.0, (), list(p), ())

    return start


def _one_by_one(problem, names, table, times, outputs):
    from ..sample import sample

    values, status, messages = np.full((len(table), len(times), len(outputs)), np.nan), [], []
    for member, row in enumerate(table):
        try:
            found = sample(problem.replace(parameters=dict(zip(names, row, strict=True))), times, outputs)
        except ProblemError as fault:
            status.append("not finite")
            messages.append(str(fault))
            continue
        values[member] = found.values
        status.append("done" if found.success else "failed")
        messages.append(found.message)
    return Ensemble(values, tuple(status), tuple(messages), "LSODA")
