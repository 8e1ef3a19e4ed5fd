"""sample: values at given times and nothing else; the fast path of fits and sweeps.

`solve` steps SciPy's solvers one step at a time from Python, to see events and to keep dense output. Where no rule
watches the states, the times of all restarts are known: a compiled kernel runs through all of them in one call, and
where there is none (`kernels.single.reason_not`) LSODA runs from restart to restart.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords

from .grid import refuse_grid
from .initial import carried
from .kernels.single import compiled_sample, reason_not
from .solve import SolveWarning, all_controlled, output_times, solve

__all__ = ["Samples", "sample"]

MOST_STEPS = 50_000
ASKED_AGAIN = ("step too small", "too many steps", "negative")  # what a method that pivots may still get through
LARGEST = 1e100  # the loop in compiled code may pass a blow-up and call it a success; no count or amount is this large


@dataclass(frozen=True, eq=False)
class Samples:
    """Values of some outputs at some times.

    Parameters
    ----------
    values : (n_times, n_names) array
        NaN where the integration did not get.
    gradients : (n_times, n_names, n_sensitivities) array or None
        Derivatives by the parameters asked for.
    success : bool
    message : str
        Why it failed.
    """

    values: np.ndarray
    gradients: np.ndarray | None
    success: bool
    message: str = ""


@refuse_unknown_keywords
def sample(problem, times, names, sensitivities=(), *, error_control="all") -> Samples:
    """Outputs of a problem at given times, with gradients if asked, without dense output.

    Parameters
    ----------
    problem : Problem
    times : (n_times,) array_like
        Increasing times within `t_span`; at the time of a dose the value before it.
    names : list of str
        States, observables or inputs.
    sensitivities : list of str
        Parameters to differentiate by; `"S(0)"` is the initial value of the state S.
    error_control : {"states", "all"}
        As in `solve`.

    Returns
    -------
    Samples
        A failure is a value with a message.

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem, sample
    >>> sample(Problem(sensitive_resistant()), [0, 365], ["burden"], ["n0"]).values.round(4).tolist()
    [[0.5], [0.7498]]
    """
    refuse_grid(problem, "sample")
    times = output_times(problem, times)
    for name in names:
        if name not in (known := (*problem.system.states, *problem.system.observables, *problem.system.inputs)):
            raise ProblemError(f"{problem.model.name} has no output {name!r}; {did_you_mean(name, known)}")
    controlled = all_controlled(error_control)
    given, (problem, columns, _) = problem, carried(problem, list(sensitivities))
    if problem.treatment.rules or problem.extinction_gate:
        return _from_solution(given, times, names, sensitivities, error_control)
    told = None
    if not reason_not(problem):
        values, gradients, status, message = compiled_sample(problem, times, names, columns, controlled)
        told = Samples(values, gradients, not message, message)
        if status not in ASKED_AGAIN:
            return told
    found = _by_lsoda(problem, times, names, columns)
    if found.success:  # one method's doubt is no reason to lose a member
        return found
    # Where all fail, the values before the failure are kept: the kernel has them, and so has solve.
    return told or _from_solution(given, times, names, sensitivities, error_control)


def _by_lsoda(problem, times, names, columns):
    from .moving import Moving, Stop

    moving = Moving(problem, columns)
    collector = _Collector(moving, times)
    try:
        collector.to_the_end()
        message = ""
    except Stop as stop:
        message = stop.message
    return _read(problem, moving, collector, names, message)


def _from_solution(problem, times, names, sensitivities, error_control):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SolveWarning)
        solution = solve(problem, t_eval=times, sensitivities=list(sensitivities), error_control=error_control)
    values = np.column_stack([solution[name] for name in names])
    gradients = None
    if len(sensitivities):
        by_name = [np.column_stack([solution.sensitivity(n, p) for p in sensitivities]) for n in names]
        gradients = np.stack(by_name, axis=1)
    return Samples(values, gradients, solution.success, solution.message)


class _Collector:
    """Runs LSODA's own loop from one moment of the schedule to the next and keeps z and u at the wanted times."""

    def __init__(self, moving, times):
        n_u = len(moving.system.inputs)
        self.moving, self.times = moving, times
        self.z = np.full((len(moving.z()), len(times)), np.nan)
        self.u = np.full((n_u, len(times)), np.nan)
        self.du = np.zeros((n_u, moving.k, len(times)))

    def to_the_end(self):
        moving = self.moving
        end = float(self.times[-1])
        self.keep(self.times <= moving.t + moving.width, moving.z()[:, None])
        while moving.t < end - moving.width:
            self.segment(moving.next_stop(end))

    def segment(self, stop):
        from scipy.integrate import odeint

        from .moving import Stop

        moving = self.moving
        flow, begin = moving.flow(), moving.z()
        wanted = (self.times > moving.t + moving.width) & (self.times <= stop + moving.width)
        inside = self.times[wanted]
        # LSODA refuses a time that it has reached: the end of the segment comes once, as do repeated times
        grid, rows = np.unique(np.concatenate([[moving.t], np.minimum(inside, stop), [stop]]), return_inverse=True)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            z, info = odeint(
                flow.fun, begin, grid, Dfun=flow.jac, tfirst=True, rtol=moving.rtol, atol=moving.z_atol(),
                tcrit=[stop], mxstep=MOST_STEPS, full_output=True,
            )  # fmt: skip
        if info["message"] != "Integration successful.":
            raise Stop("failed", f"LSODA stopped between t = {moving.t:g} and {stop:g}: {info['message']}")
        if not np.all(np.abs(z) < LARGEST):
            raise Stop("not finite", f"{moving.largest(z[-1])} at t = {stop:g}; does the solution blow up?")
        self.keep(wanted, z[rows[1:-1]].T)
        moving.take(stop, z[-1])
        moving.check()

    def keep(self, wanted, z):
        inputs, gradients = self.moving.inputs()
        self.z[:, wanted] = z
        self.u[:, wanted] = inputs[:, None]
        self.du[:, :, wanted] = gradients[:, :, None]


def _read(problem, moving, collector, names, message):
    """Values and gradients of the named outputs from z and u."""
    system, n, k = problem.system, moving.n, moving.k
    z, u = collector.z, collector.u
    observed = system.observe(collector.times, z[:n], problem.p, u) if system.observables else None
    slopes = system.observe_tangent(collector.times, z[:n], problem.p, u) if k and system.observables else None
    s = z[n:].reshape(k, n, z.shape[1])
    values, gradients = [], []
    for name in names:
        if name in system.states:
            row = system.states.index(name)
            values.append(z[row])
            gradients.append(s[:, row].T if k else None)
        elif name in system.inputs:
            values.append(u[system.inputs.index(name)])
            gradients.append(collector.du[system.inputs.index(name)].T)
        else:
            row = system.observables.index(name)
            values.append(observed[row])
            gradients.append(
                _observed_gradient(system, moving.columns, s, collector.du, [g[row] for g in slopes]) if k else None
            )
    stacked = np.stack(gradients, axis=1) if k else None
    return Samples(np.column_stack(values), stacked, not message, message)


def _observed_gradient(system, columns, s, du, slopes):
    """(n_times, k) gradient of one observable."""
    by_state, by_parameter, by_input = slopes
    total = np.einsum("it,jit->tj", by_state, s) + np.einsum("ut,ujt->tj", by_input, du)
    for j, column in enumerate(columns):
        if column < system.n_model_parameters:
            total[:, j] += by_parameter[column]
    return total
