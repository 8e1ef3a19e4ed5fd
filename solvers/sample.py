"""sample: values at given times and nothing else; the fast path of fits and sweeps.

`solve` steps SciPy's solvers one step at a time from Python, to see events and to keep dense output. Where no rule
watches the states, the times of all restarts are known, and LSODA can run from restart to restart in compiled code.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from .integrate import Stop, _Runner
from .solve import SolveWarning, parameter_columns, solve

__all__ = ["Samples", "sample"]

MOST_STEPS = 50_000
LARGEST = 1e250  # beyond it the next step overflows


@dataclass(frozen=True, eq=False)
class Samples:
    """Values of some outputs at some times.

    Attributes
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


def sample(problem, times, names, sensitivities=()) -> Samples:
    """Outputs of a problem at given times, with gradients if asked, without dense output.

    Parameters
    ----------
    problem : Problem
    times : (n_times,) array_like
        Increasing times within `t_span`; at the time of a dose the value before it.
    names : list of str
        States, observables or inputs.
    sensitivities : list of str
        Parameters to differentiate by.

    Returns
    -------
    Samples
        A failure is a value with a message.

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem, sample
    >>> sample(Problem(sensitive_resistant()), [0, 365], ["burden"], ["n0"]).values.round(4).tolist()
    [[0.5], [0.75]]
    """
    times = np.asarray(times, dtype=float)
    columns = parameter_columns(problem, list(sensitivities))
    if problem.treatment.rules or problem.extinction_gate:
        return _from_solution(problem, times, names, sensitivities)
    runner = _Runner(problem, "LSODA", None, None, columns, np.inf)
    collector = _Collector(runner, times)
    try:
        collector.to_the_end()
        message = ""
    except Stop as stop:
        message = stop.message
    return _read(problem, runner, collector, names, message)


def _from_solution(problem, times, names, sensitivities):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SolveWarning)
        solution = solve(problem, t_eval=times, sensitivities=list(sensitivities))
    values = np.column_stack([solution[name] for name in names])
    gradients = None
    if len(sensitivities):
        by_name = [np.column_stack([solution.sensitivity(n, p) for p in sensitivities]) for n in names]
        gradients = np.stack(by_name, axis=1)
    return Samples(values, gradients, solution.success, solution.message)


class _Collector:
    """Runs LSODA's own loop from one moment of the schedule to the next and keeps z and u at the wanted times."""

    def __init__(self, runner, times):
        n_u = len(runner.system.inputs)
        self.runner, self.times = runner, times
        self.z = np.full((len(runner.z()), len(times)), np.nan)
        self.u = np.full((n_u, len(times)), np.nan)
        self.du = np.zeros((n_u, runner.k, len(times)))

    def to_the_end(self):
        runner, moments = self.runner, list(self.runner.schedule.moments)
        end = min(runner.problem.t_span[1], float(self.times[-1])) if len(self.times) else runner.problem.t_span[0]
        width, at = runner.instant_width, 0
        self.keep(
            self.times <= runner.t + width, np.repeat(runner.z()[:, None], np.sum(self.times <= runner.t + width), 1)
        )
        while True:
            now = []
            while at < len(moments) and moments[at].time <= runner.t + width:
                now.append(moments[at])
                at += 1
            if runner.t >= end - width:
                return
            if now:
                runner.instant(now)
            self.segment(min(moments[at].time if at < len(moments) else end, end))

    def segment(self, stop):
        from scipy.integrate import odeint

        runner = self.runner
        flow, begin = runner.flow(), runner.z()
        wanted = (self.times > runner.t + runner.instant_width) & (self.times <= stop + runner.instant_width)
        grid = np.concatenate([[runner.t], np.minimum(self.times[wanted], stop), [stop]])
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            z, info = odeint(
                flow.fun, begin, grid, Dfun=flow.jac, tfirst=True, rtol=max(runner.rtol, 3e-14), atol=runner.z_atol(),
                tcrit=[stop], mxstep=MOST_STEPS, full_output=True,
            )  # fmt: skip
        if info["message"] != "Integration successful.":
            raise Stop("failed", f"LSODA stopped between t = {runner.t:g} and {stop:g}: {info['message']}")
        if not np.all(np.abs(z) < LARGEST):
            raise Stop("not finite", f"{runner.largest(z[-1])} at t = {stop:g}; does the solution blow up?")
        self.keep(wanted, z[1:-1].T)
        runner.t = stop
        runner.take(z[-1].copy())
        runner.check()

    def keep(self, wanted, z):
        runner = self.runner
        inputs, gradients = runner.inputs()
        self.z[:, wanted] = z
        self.u[:, wanted] = inputs[:, None]
        self.du[:, :, wanted] = gradients[:, :, None]


def _read(problem, runner, collector, names, message):
    """Values and gradients of the named outputs from z and u."""
    system, n, k = problem.system, runner.n, runner.k
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
                _observed_gradient(system, runner.columns, s, collector.du, [g[row] for g in slopes]) if k else None
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
