"""The smallest localised tumour that grows, by bisection of its amplitude, and the unstable field beside it."""

from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError, SolveError, did_you_mean, refuse_unknown_keywords

from .homogeneous import leading_state
from .steady_fields import SteadyField, steady_field

__all__ = ["ThresholdAmplitude", "threshold_amplitude"]

GONE, RISEN = 1e-5, 1.5  # of the total at the start; of its least value


@refuse_unknown_keywords
@dataclass(frozen=True, eq=False, repr=False)
class ThresholdAmplitude:
    """Amplitude of a localised tumour above which it grows; `float(result)` is the value.

    Attributes
    ----------
    problem : Problem
        At the value.
    over : str
        Parameter of the initial fields.
    value : float
        `inf` if the tumour vanishes all over the range, 0 if it grows all over it.
    bracket : (float, float)
        An amplitude that vanishes, one that grows.
    nucleus : SteadyField or None
        The unstable steady field beside which the solution lingers: the critical nucleus.
    status : str

    Examples
    --------
    >>> from remission.analysis.space import ThresholdAmplitude
    >>> float(ThresholdAmplitude(None, "seed", 0.25, (0.2, 0.3), None, ""))
    0.25
    """

    problem: object
    over: str
    value: float
    bracket: tuple
    nucleus: SteadyField | None
    status: str

    def __float__(self):
        return float(self.value)

    def __repr__(self):
        return f"<ThresholdAmplitude: {self}>"

    def __str__(self):
        nucleus = ""
        if self.nucleus is not None:
            nucleus = (
                f"; critical nucleus: {self.nucleus.n_unstable} unstable direction, growth "
                f"{self.nucleus.eigenvalues[0].real:.4g}"
            )
        return f"{self.over} = {self.value:.6g} ({self.status}){nucleus}"


@refuse_unknown_keywords
def threshold_amplitude(problem, over, within, *, precision=1e-5, nucleus=True) -> ThresholdAmplitude:
    """Amplitude of an initial field above which the tumour grows and below which it vanishes.

    Bisection by fate with the solver of the problem: within the time span the total of the first tumour state rises
    from its least value, or falls on. From the solution that lingers longest Newton finds the critical nucleus.

    Parameters
    ----------
    problem : Problem
        On a grid, with constant inputs; its time span is long enough for the tumour to have decided.
    over : str or Parameter
        Parameter of the initial fields.
    within : (float, float)
        Amplitudes between which to look, above 0.
    precision : float
        Relative width of the bracket at which it ends.
    nucleus : bool
        Look for the critical nucleus.

    Returns
    -------
    ThresholdAmplitude

    Raises
    ------
    ProblemError
        If the grid is one cell, or the parameter is not there.
    SolveError
        If the tumour grows at the low end and vanishes at the high one.

    Notes
    -----
    The amplitude converges in the width of the cells at second order where the edge of the seed is an edge of cells.

    Examples
    --------
    >>> import sympy as sp
    >>> from remission.analysis import threshold_amplitude
    >>> from remission.models import Parameter, bistable_invasion, x
    >>> from remission.solvers import Grid, Problem
    >>> seed = Parameter("seed", 0.5)
    >>> start = {"c": sp.Piecewise((seed, x < 1), (0, True))}
    >>> problem = Problem(bistable_invasion(), t_span=(0, 60), initial=start, grid=Grid(60, 3.0, "ball"))
    >>> found = threshold_amplitude(problem, seed, (0.3, 1.0))
    >>> found.nucleus.n_unstable, found.nucleus.stability
    (1, 'unstable')
    """
    over = getattr(over, "name", over)
    low, high = _checked(problem, over, within)
    grows = [_grows(problem, over, v) for v in (low, high)]
    if grows[0] == grows[1]:
        word, value = ("grows", 0.0) if grows[0] else ("vanishes", np.inf)
        return ThresholdAmplitude(problem, over, value, (low, high), None, f"{word} from {low:.6g} to {high:.6g}")
    if grows[0]:
        raise SolveError(f"threshold_amplitude: the tumour grows at {over} = {low:g} and vanishes at {high:g}")
    ends = low, high
    while high / low - 1 > precision:
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if _grows(problem, over, middle) else (middle, high)
    value = float(np.sqrt(low * high))
    here = problem.replace(parameters={over: value})
    status = f"vanishes below, grows above; looked for between {ends[0]:g} and {ends[1]:g}"
    return ThresholdAmplitude(here, over, value, (low, high), _nucleus(here) if nucleus else None, status)


def _checked(problem, over, within):
    if not problem.grid.spatial:
        raise ProblemError("threshold_amplitude: the grid is one cell; for the well-mixed tumour use residual_disease")
    if over not in problem.parameters:
        raise ProblemError(f"threshold_amplitude: no parameter {over!r}; {did_you_mean(over, problem.parameters)}")
    problem.inputs()
    low, high = map(float, within)
    if not 0 < low < high:
        raise ProblemError(f"threshold_amplitude: within is (low, high) above 0, got {within!r}")
    return low, high


def _last(problem, times=None):
    from remission.solvers import solve

    return solve(problem, t_eval=problem.t_span if times is None else times).require()


def _rate(problem, solution, at):
    """Rate of change of the total of the leading state, relative to the total."""
    from .equations import equations_at

    equations, lead = equations_at(problem), leading_state(problem.model)
    names = [s.name for s in problem.model.states]
    U = np.array([np.ravel(solution[n][at]) for n in names])
    volumes = problem.grid.volumes.ravel()
    rates = equations.fields(equations.f(equations.flat(U)))
    return float(rates[lead] @ volumes) / max(float(U[lead] @ volumes), 1e-300)


def _grows(problem, over, value):
    """Whether the tumour comes back: its total rises from its least value, or else is rising at the end."""
    here = problem.replace(parameters={over: value})
    solution = _last(here, np.linspace(*here.t_span, 61))
    name = problem.model.states[leading_state(problem.model)].name
    fields = np.reshape(solution[name], (len(solution.t), -1))
    total = fields @ problem.grid.volumes.ravel()
    if total.min() < GONE * total[0]:  # what is left is of the size of the tolerance
        return False
    if total[-1] > RISEN * total.min():
        return True
    return _rate(here, solution, -1) > 0


def _nucleus(problem):
    """Newton from the moment at which the total of the tumour changes least."""
    times = np.linspace(*problem.t_span, 101)
    solution = _last(problem, times)
    rates = np.abs([_rate(problem, solution, i) for i in range(1, len(times))])
    names = [s.name for s in problem.model.states]
    for i in np.argsort(rates)[:3] + 1:
        try:
            found = steady_field(problem, {n: solution[n][i] for n in names})
        except SolveError:
            continue
        if found.n_unstable:
            return found
    return None
