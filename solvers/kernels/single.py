"""sample's fast path: one problem without rules, outputs and gradients at given times, in one call of a kernel."""

import numpy as np

from ..initial import column_size
from .build import MOST_STATES, Options, available, kernel, model_is_saved, unsupported
from .choice import IMPLICIT
from .itinerary import CLOSE, itinerary, kernel_tolerances, model_width, seeds
from .record import STATUS

__all__ = ["carried_columns", "compiled_sample", "input_values", "inverse_sizes", "reason_not", "snapped", "steers"]


def reason_not(problem) -> str:
    """Why a problem cannot take the compiled path; empty if it can.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    str
    """
    if not available():
        return "llvmlite is not installed, or is too old"
    if model_is_saved(problem.model) and problem.model.unsupported:
        return problem.model.unsupported
    if model_width(problem.model) > MOST_STATES:
        return f"models of more than {MOST_STATES} states are not compiled"
    if missing := unsupported(problem.model):
        return f"the compiled kernels have no rule for {missing}"
    return ""


def carried_columns(problem, columns) -> tuple:
    """Carried parameters as the kernel counts them: positions in the model, None for those it does not have."""
    inside = problem.system.n_model_parameters
    return tuple(c if c < inside else None for c in columns)


def wanted_outputs(problem, names) -> np.ndarray:
    """Positions of named states and observables among the outputs of a kernel."""
    known = (*problem.system.states, *problem.system.observables)
    return np.array([known.index(name) for name in names], dtype=np.int64)


def snapped(times, changes, problem):
    """Times within rounding of a change are at the change: their values are those before it."""
    if not changes.n or not len(times):
        return times
    width = CLOSE * max(map(abs, problem.t_span))
    near = np.clip(np.searchsorted(changes.times, times), 1, changes.n) - 1
    for at in (near, np.minimum(near + 1, changes.n - 1)):
        close = np.abs(changes.times[at] - times) <= width
        times = np.where(close, changes.times[at], times)
    return times


def steers(changes, n, n_u) -> bool:
    """Whether the level of an input depends on a carried parameter."""
    inside = (changes.rows >= n) & (changes.rows < n + n_u)
    return bool(changes.start_gradient[..., n : n + n_u, :].any() or changes.amount_gradient[..., inside, :].any())


def input_values(problem, changes, name, times, start, amount):
    """Level of an input at times, before what happens then.

    Parameters
    ----------
    problem : Problem
    changes : Changes
    name : str
    times : (n_times,) array
    start, amount : (..., N), (..., changes) arrays
        Of one or several members; or derivatives, with the parameter first.

    Returns
    -------
    (..., n_times) array
    """
    row = model_width(problem.model) + problem.system.inputs.index(name)
    own = np.flatnonzero(changes.rows == row)
    levels = np.concatenate([start[..., row, None], amount[..., own]], axis=-1)
    return levels[..., np.searchsorted(changes.times[own], times, side="left")]


def inverse_sizes(problem, columns) -> np.ndarray:
    """1 / what counts as a sizeable change of each carried parameter."""
    return np.array([1.0 / column_size(problem, c) for c in columns])


def compiled_sample(problem, times, names, columns=(), controlled=False):
    """Values (n_times, n_names), gradients or None, the word of the status, and a message that is empty on success.

    Parameters
    ----------
    problem : Problem
        Without rules and extinction gate.
    times : (n_times,) array
    names : sequence of str
        States, observables and inputs.
    columns : sequence of int
        Positions in `problem.p` of the parameters to differentiate by.
    controlled : bool
        Whether the error test looks at the sensitivities too.

    Returns
    -------
    (array, array or None, str, str)
    """
    from .jit import host_lanes
    from .members import Job, explain, run_job

    changes, tolerances = itinerary(problem, columns), kernel_tolerances(problem)
    steered = steers(changes, model_width(problem.model), len(problem.model.inputs))
    width = max(4, host_lanes())
    carried, entered = carried_columns(problem, columns), seeds(problem, changes, columns)
    controlled = controlled and bool(columns)
    options = Options(IMPLICIT, 1, changes.infused, tolerances[3], carried, steered, width, entered, controlled)
    inside, at = [n for n in names if n not in problem.system.inputs], snapped(times, changes, problem)
    begin = problem.t_span[0]
    job = Job(
        kernel(problem.model, options), 1, np.array(problem.system.model_part(problem.p), dtype=float).reshape(1, -1),
        changes.start[None, :], changes, changes.kept, changes.amount, at, wanted_outputs(problem, inside),
        (begin, max(float(times[-1]), begin)), tolerances[:3], lambda: kernel_tolerances(problem, tight=True)[:3],
        sizes=inverse_sizes(problem, columns),
    )  # fmt: skip
    outcome = run_job(job)
    values, gradients = outcome.values[0], outcome.gradients[0] if columns else None
    if len(inside) < len(names):
        values, gradients = _with_inputs(problem, changes, names, at, values, gradients)
        values[at > outcome.reached[0, 0]] = np.nan
    status = outcome.status[0]
    return values, gradients, STATUS[status], explain(problem, status, outcome.reached[0])


def _with_inputs(problem, changes, names, times, values, gradients):
    """The same with the columns of inputs, which the kernel does not write."""
    columns, slopes, source = [], [], iter(range(values.shape[1]))
    for name in names:
        if name in problem.system.inputs:
            columns.append(input_values(problem, changes, name, times, changes.start, changes.amount))
            by = changes.start_gradient.T, changes.amount_gradient.T
            slopes.append(input_values(problem, changes, name, times, *by).T)
        else:
            place = next(source)
            columns.append(values[:, place])
            slopes.append(gradients[:, place] if gradients is not None else None)
    return np.column_stack(columns), np.stack(slopes, axis=1) if gradients is not None else None
