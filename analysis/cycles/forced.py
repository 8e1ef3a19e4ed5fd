"""forced_orbit: periodic orbits under a periodic treatment, by Newton steps on the map of a period."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from remission.models.derive import conserved_totals
from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords
from remission.solvers import Problem, solve

from .orbit import Orbit
from .period_map import PeriodMap, fixed_point
from .periodic import repeating
from .stretches import mean_inputs, read, stretches

__all__ = ["ForcedOrbits", "floquet_multipliers", "forced_orbit", "forced_orbits"]

SETTLING = (0, 30, 300)  # periods that are run before the Newton steps
SAME = 1e-6
WORDS = ("tumour-free", "settled")


@refuse_unknown_keywords
def forced_orbit(problem, period=None, *, start="settled") -> Orbit:
    """The periodic orbit that a periodic treatment leads to, with its Floquet multipliers.

    Parameters
    ----------
    problem : Problem
        With an intermittent treatment, or boluses or infusions repeated without end.
    period : float, optional
        By default that of the treatment; give a multiple for orbits that return after several, or where time appears
        in the equations.
    start : {"settled", "tumour-free"} or dict
        From the problem's initial values after some periods; without tumour; or state -> value where the Newton
        steps begin, for orbits that repel too. States that a dictionary leaves out have their initial value.

    Returns
    -------
    Orbit
        `orbit.multipliers` (n,) are the eigenvalues of the derivative of the map of a period, all inside the unit
        circle if the orbit is stable.

    Raises
    ------
    ProblemError
        If the treatment has no period, or no orbit is reached.

    Notes
    -----
    Newton steps on the map of a period, its derivative by the initial values carried by the compiled engine through
    doses, infusions and changes of level. Multipliers far below the accuracy of 1e-10 are small, but not known to
    their digits.

    Examples
    --------
    Repeated boluses into one compartment, `A` every tau: the trough is A exp(-k tau) / (1 - exp(-k tau)).

    >>> from remission.models import bolus_1cpt
    >>> from remission.solvers import Problem, Treatment
    >>> model = bolus_1cpt()
    >>> daily = Problem(model, treatment=Treatment.bolus({model.states[0]: 10.0}, every=1.0))
    >>> orbit = forced_orbit(daily)
    >>> orbit.period, orbit.stable
    (1.0, True)
    """
    when, period_map, positive = _prepared(problem, period)
    found = None
    for y in _begins(problem, period_map, start):
        found = fixed_point(period_map, y, positive)
        if found is not None:
            break
    if found is None:
        raise ProblemError(
            f"forced_orbit: no periodic orbit of {problem.model.name} was reached from {start!r}; does the tumour grow "
            "without bound? try start= with states near the orbit"
        )
    return _orbit(problem, when, period_map, found)


@refuse_unknown_keywords
def forced_orbits(problem, period=None, *, starts=None) -> "ForcedOrbits":
    """Several periodic orbits under a periodic treatment: without tumour, with it, and from given starts.

    Parameters
    ----------
    problem : Problem
    period : float, optional
        As in `forced_orbit`.
    starts : sequence of dict, optional
        State -> value, besides the initial values. By default also steady states at the mean of the inputs, where
        these can be found.

    Returns
    -------
    ForcedOrbits
        In order of the tumour's mean; those found, of which there may be more.

    Examples
    --------
    >>> from remission.models import selective_kill
    >>> from remission.solvers import Problem, Treatment
    >>> weekly = Treatment.intermittent({"u": 0.2}, on=5, off=2)
    >>> found = forced_orbits(Problem(selective_kill(), treatment=weekly))
    >>> [(round(orbit.mean("burden"), 3), orbit.stability) for orbit in found]
    [(0.0, 'unstable'), (0.714, 'unstable'), (1.0, 'stable')]
    """
    when, period_map, positive = _prepared(problem, period)
    begins = []
    for one in (*WORDS, *(starts if starts is not None else _averaged(problem, when))):
        try:
            begins += _begins(problem, period_map, one)
        except ProblemError:
            if one not in WORDS:
                raise
    found = []
    for y in begins:
        one = fixed_point(period_map, y, positive)
        if one is not None and not any(_same(one[0], other[0], period_map.scale) for other in found):
            found.append(one)
    orbits = [_orbit(problem, when, period_map, one) for one in found]
    names = [s.name for s in problem.model.states if s.info.kind == "tumour"] or [problem.model.states[0].name]
    orbits.sort(key=lambda o: sum(o.mean(name) for name in names))
    return ForcedOrbits(problem, when.period, tuple(orbits))


@refuse_unknown_keywords
def floquet_multipliers(orbit, period=None) -> np.ndarray:
    """Floquet multipliers of an orbit, or of the forced orbit that a problem settles on.

    Parameters
    ----------
    orbit : Orbit or Problem
    period : float, optional
        Of a problem, as in `forced_orbit`.

    Returns
    -------
    (n,) complex array
        Largest absolute value first.

    Examples
    --------
    For x' = r x - kap u(t) x the multiplier is the exponential of the integral of r - kap u over a period.

    >>> from remission.models import Input, Model, Parameter, State
    >>> from remission.solvers import Problem, Treatment
    >>> x, u, r, kap = State("x", 0.0), Input("u"), Parameter("r", 0.1), Parameter("kap", 0.5)
    >>> model = Model("pulsed", rates={x: r * x - kap * u * x})
    >>> problem = Problem(model, treatment=Treatment.intermittent({u: 1.0}, on=2, off=8))
    >>> floquet_multipliers(problem).round(6), round(float(np.exp(0.1 * 10 - 0.5 * 2)), 6)
    (array([1.+0.j]), 1.0)
    """
    if isinstance(orbit, Problem):
        return forced_orbit(orbit, period).multipliers
    if not hasattr(orbit, "multipliers"):
        raise ProblemError(f"floquet_multipliers: takes an Orbit or a Problem, got {type(orbit).__name__}")
    return orbit.multipliers


@dataclass(frozen=True, eq=False, repr=False)
class ForcedOrbits(Sequence):
    """Periodic orbits under one treatment; a sequence of `Orbit`.

    Attributes
    ----------
    problem : Problem
    period : float
    orbits : tuple of Orbit
        In order of the tumour's mean.
    """

    problem: object
    period: float
    orbits: tuple

    def __len__(self):
        return len(self.orbits)

    def __getitem__(self, i):
        return self.orbits[i]

    def __repr__(self):
        return f"<ForcedOrbits of {self.problem.model.name}: {len(self)}>"

    def __str__(self):
        count = f"{len(self)} forced orbit{'' if len(self) == 1 else 's'}"
        return "\n".join([f"{count} of {self.problem.model.name}, period {self.period:g}", *map(str, self.orbits)])


def _prepared(problem, period):
    if not isinstance(problem, Problem):
        raise ProblemError(f"forced_orbit: the first argument must be a Problem, got {type(problem).__name__}")
    when = repeating(problem, period)
    positive = np.array([s.info.positive for s in problem.model.states])
    return when, PeriodMap.of(problem, when.start, when.period), positive


def _begins(problem, period_map, start):
    """Points (n,) at which Newton steps begin, one after the other."""
    values = problem.initial_values()
    if isinstance(start, dict):
        given = {str(getattr(k, "name", k)): float(v) for k, v in start.items()}
        for name in given:
            if name not in values:
                raise ProblemError(f"forced_orbit: start names {name!r}; {did_you_mean(name, list(values))}")
        yield np.array([given.get(name, value) for name, value in values.items()])
        return
    if start not in WORDS:
        raise ProblemError(f"forced_orbit: start is a dict, {' or '.join(map(repr, WORDS))}, got {start!r}")
    y = np.array(list(values.values()))
    if start == "tumour-free":
        tumour = np.array([s.info.kind == "tumour" for s in problem.model.states])
        if not tumour.any():
            raise ProblemError(f"{problem.model.name} declares no state of kind 'tumour'")
        y[tumour] = 0.0
        if np.any(period_map.image(y)[tumour] != 0.0):
            raise ProblemError(f"{problem.model.name}: a tumour comes from nothing, so no orbit is without tumour")
    for periods in SETTLING if start == "tumour-free" else SETTLING[1:] + SETTLING[:1]:
        try:
            yield period_map.image(y, periods) if periods else y
        except Exception as fault:  # a start that blows up is no start
            from remission.models.errors import SolveError

            if not isinstance(fault, SolveError):
                raise


def _averaged(problem, when):
    """Steady states at the mean of the inputs, as starts; none where they cannot be found."""
    from ..steady_states import steady_states

    if any(w.into_state for w in problem.treatment.windows) or problem.treatment.jumps:
        return []
    try:
        solution = solve(problem.replace(t_span=(when.start, when.start + when.period)))
        means = mean_inputs(solution)
        found = steady_states(problem.at_constant(**means))
    except ProblemError:
        return []
    return [one.values for one in found if not getattr(one, "family", False)]


def _same(one, other, scale):
    return np.all(np.abs(one - other) <= SAME * np.maximum(np.maximum(np.abs(one), np.abs(other)), 1e-6 * scale))


def _orbit(problem, when, period_map, found) -> Orbit:
    y, M, residual = found
    start = dict(zip(period_map.states, y.tolist(), strict=True))
    own = problem.replace(t_span=(when.start, when.start + when.period), initial=start)
    solution = solve(period_map.at(y)).require()
    t, weights, right = stretches(solution)
    states = np.column_stack([read(solution, name, t, right) for name in period_map.states])
    inputs = [read(solution, name, t, right) for name in own.system.inputs]
    inputs = np.column_stack(inputs) if inputs else np.zeros((len(t), 0))
    if np.any(states[0] != y):  # something is given at the first time: the states before it, too
        t, weights = np.append(t[0], t), np.append(0.0, weights)
        states, inputs = np.vstack([y, states]), np.vstack([inputs[:1], inputs])
    multipliers = np.linalg.eigvals(M).astype(complex)
    multipliers = multipliers[np.argsort(-np.abs(multipliers), kind="stable")]
    totals = len(conserved_totals(problem.model))
    return Orbit(own, when.period, t, states, inputs, multipliers, True, "", residual, weights, totals)
