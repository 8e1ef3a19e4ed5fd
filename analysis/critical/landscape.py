"""Where a problem can end once its treatment no longer changes: proved steady states, and regions that converge."""

import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from remission.models.derive import conserved_totals
from remission.models.errors import ProblemError
from remission.solvers import solve
from remission.solvers.solve import SolveWarning

from ..steady_states import steady_states

__all__ = ["Landscape", "NothingStable", "final_levels", "landscape", "settling_time"]


class NothingStable(ProblemError):
    """No steady state in the box is stable, or the treatment has not come to its end."""


def settling_time(problem) -> float:
    """Time of the last change of the treatment, whether or not `t_span` reaches it; the start if nothing changes.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    float

    Raises
    ------
    ProblemError
        If the treatment never stops changing: it is repeated without end, or follows a rule that switches more than
        once (`NothingStable` if a rule that switches once has not done so by the end of `t_span`).

    Examples
    --------
    >>> from remission.models import paracrine_loop
    >>> from remission.solvers import Problem, Treatment
    >>> courses = Treatment.intermittent({"e": 1}, on=7, off=14, cycles=3)
    >>> settling_time(Problem(paracrine_loop(), treatment=courses))
    49.0
    """
    treatment, name = problem.treatment, problem.model.name
    times = [problem.t_span[0], *(_fired(problem) if treatment.rules else ())]
    for first, last, thing in _moments(problem):
        repeats = thing.repeats if thing.period is not None else 1
        if repeats is None:
            raise ProblemError(
                f"{name}: the treatment is repeated without end ({treatment}), so inputs never become constant; say "
                "how often (cycles=, times=)"
            )
        period = _number(problem, thing.period) if thing.period is not None else 0.0
        times += [t + (repeats - 1) * period for t in (first, last) if np.isfinite(t)]
    return float(max(times))


def _fired(problem) -> list:
    """Times at which rules that switch once have switched."""
    name, treatment = problem.model.name, problem.treatment
    if any(len(rule.transitions) != 1 for rule in treatment.rules):
        raise ProblemError(
            f"{name}: a rule watches the tumour and switches again and again ({treatment}), so that inputs never "
            "become constant; ask for an outcome crossing instead: thresholds(..., outcome=, level=)"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SolveWarning)
        solution = solve(problem)
    times = [event.time for event in solution.events if event.kind == "switch"]
    if len(times) < len(treatment.rules):
        raise NothingStable(f"{name}: by t = {problem.t_span[1]:g} the rule has not switched ({treatment})")
    return times


def _moments(problem):
    """(first, last, window or jump) with numbers as ends."""
    for window in problem.treatment.windows:
        yield _number(problem, window.start), _number(problem, window.end), window
    for jump in problem.treatment.jumps:
        time = _number(problem, jump.time)
        yield time, time, jump


def _number(problem, expression):
    if expression.is_infinite:
        return float(expression)
    settings = problem.system.settings
    return float(settings.values(problem.p)[settings.index[expression]])


def final_levels(problem) -> dict:
    """Level of each input after the last change.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    dict of str -> float
    """
    open_ended = [w for w in problem.treatment.windows if w.end.is_infinite and not w.into_state]
    ruled = [level for rule in problem.treatment.rules for level in rule.levels[-1]]
    prescribed = {w.target for w in problem.treatment.windows if not w.into_state} | {name for name, _ in ruled}
    levels = {s.name: 0.0 if s.name in prescribed else s.info.default for s in problem.model.inputs}
    for window in open_ended:
        levels[window.target] += _number(problem, window.level)
    for name, level in ruled:
        levels[name] += _number(problem, level)
    return levels


@dataclass(frozen=True, eq=False)
class Place:
    """A steady state with what is needed near it.

    Attributes
    ----------
    state : SteadyState
    y : (n,) array
    jacobian : (k, k) array
        In scaled coordinates that keep conserved totals and absent clones.
    basis : (n, k) array
        Those coordinates: orthonormal directions in scaled states.
    within : bool
        Whether it has none of the absent clones.
    lyapunov : (k, k) array or None
        Of a stable state: the matrix P of the quadratic form that falls along solutions nearby.
    """

    state: object
    y: np.ndarray
    jacobian: np.ndarray
    basis: np.ndarray
    within: bool
    lyapunov: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Landscape:
    """Steady states of a problem after its last change of treatment.

    Attributes
    ----------
    problem : Problem
        With the final inputs, constant.
    levels : dict of str -> float
    states : SteadyStates
    places : tuple of Place
        In the order of the states.
    scale : (n,) array
        Size that states are measured by.
    basis : (n, k) array
        Orthonormal directions, in scaled states, that keep conserved totals and absent clones.
    absent : tuple of int
        Tumour states that were never there.
    """

    problem: object
    levels: dict
    states: object
    places: tuple
    scale: np.ndarray
    basis: np.ndarray
    absent: tuple = ()

    @cached_property
    def attractors(self) -> tuple:
        """Positions of the stable states."""
        return tuple(i for i, place in enumerate(self.places) if place.lyapunov is not None)

    @cached_property
    def saddles(self) -> tuple:
        """Positions of states with exactly one unstable direction."""
        return tuple(i for i, place in enumerate(self.places) if place.within and _unstable_directions(place) == 1)

    @cached_property
    def slowest(self) -> float:
        """Smallest rate at which anything happens near a steady state."""
        values = [np.abs(np.linalg.eigvals(place.jacobian).real) for place in self.places if place.within]
        rates = [v for v in np.concatenate([*values, [1e-9]]) if v > 1e-9]
        return float(min(rates, default=1.0))

    @cached_property
    def u(self) -> list:
        """Levels in the order of the inputs."""
        return [self.levels[name] for name in self.problem.system.inputs]

    def inside(self, y):
        """Position of the stable state from whose neighbourhood y cannot leave, or None.

        The quadratic form of the linearisation is a Lyapunov function on the ellipsoid through y: the form by the
        Jacobian is negative definite at the ends of all axes of the ellipsoid, at y and half way to it. Tumour states
        that are exactly zero stay so, and stability is asked for in the others alone.
        """
        if not np.all(np.isfinite(y)):
            return None
        gone = tuple(np.flatnonzero(self._tumour & (y == 0)).tolist())
        places = self._among(gone)
        near = sorted(places, key=lambda i: np.linalg.norm((y - places[i].y) / self.scale))
        return next((i for i in near if self._contracts(places[i], y)), None)

    def _among(self, absent):
        """Position -> place of the states that are stable while some tumour states are absent."""
        if set(absent) <= set(self.absent):
            return {i: self.places[i] for i in self.attractors}
        if absent not in self._faces:
            basis = _basis(self.problem.model, self.scale, absent)
            places = {i: _place(self, self.states[i], basis, absent) for i in range(len(self.states))}
            self._faces[absent] = {i: place for i, place in places.items() if place.lyapunov is not None}
        return self._faces[absent]

    def _contracts(self, place, y):
        z = place.basis.T @ ((y - place.y) / self.scale)
        size = np.sqrt(max(z @ place.lyapunov @ z, 0.0))
        values, axes = np.linalg.eigh(place.lyapunov)
        ends = size * axes / np.sqrt(values)
        for d in [z, 0.5 * z, *ends.T, *-ends.T]:
            at = place.y + self.scale * (place.basis @ d)
            jacobian = self.reduced(np.where(self._positive, np.maximum(at, 0.0), at), place.basis)
            form = place.lyapunov @ jacobian
            if not len(form):
                return True
            if not np.all(np.isfinite(form)) or np.linalg.eigvalsh(form + form.T)[-1] >= 0:
                return False
        return True

    @cached_property
    def _faces(self):
        return {}

    @cached_property
    def _tumour(self):
        return np.array([s.info.kind == "tumour" for s in self.problem.model.states])

    @cached_property
    def _positive(self):
        return np.array([s.info.positive for s in self.problem.model.states])

    def reduced(self, y, basis):
        """The Jacobian at y in scaled coordinates."""
        with np.errstate(all="ignore"):
            full = self.problem.system.jac(0.0, y, self.problem.p, self.u)
        return basis.T @ (full * self.scale / self.scale[:, None]) @ basis

    def comes_back(self, i) -> bool:
        """Whether there is tumour in a steady state."""
        tumour = [s.name for s in self.problem.model.states if s.info.kind == "tumour"]
        state = self.states[i]
        return any(abs(state[name]) > 1e-9 * self.scale[self.problem.system.states.index(name)] for name in tumour)

    def name(self, i) -> str:
        """A steady state in words: its tumour states, or that there is none."""
        if not self.comes_back(i):
            return "no tumour"
        state = self.states[i]
        return ", ".join(
            f"{s.name} = {state[s.name]:.6g}" for s in self.problem.model.states if s.info.kind == "tumour"
        )


def landscape(problem, box=None, settled=None, absent=()) -> Landscape:
    """Steady states of a problem after its last change of treatment.

    Parameters
    ----------
    problem : Problem
    box : dict, optional
        As in `steady_states`.
    settled : (n,) array, optional
        State at the last change, whose conserved totals count.
    absent : tuple of int
        Positions of tumour states that were never there, and that nothing founds.

    Returns
    -------
    Landscape

    Raises
    ------
    ProblemError
        If there is no stable state in the box: then nothing is known of where solutions end.

    Examples
    --------
    >>> from remission.models import paracrine_loop
    >>> from remission.solvers import Problem
    >>> found = landscape(Problem(paracrine_loop()).at_constant(e=0.6))
    >>> [found.name(i) for i in found.attractors], [found.name(i) for i in found.saddles]
    (['no tumour', 'T = 364.955'], ['T = 2.73907'])
    """
    levels = final_levels(problem)
    final = problem.at_constant(**levels)
    if settled is not None:
        final = final.replace(initial=dict(zip(problem.system.states, map(float, settled), strict=True)))
    states = steady_states(final, box=box)
    sides = np.array(list(states.box.values()))
    scale = np.maximum(np.abs(sides[:, 0]), np.abs(sides[:, 1]))
    basis = _basis(problem.model, scale, absent)
    bare = Landscape(final, levels, states, (), scale, basis, absent)
    places = tuple(_place(bare, state, basis, absent) for state in states)
    found = Landscape(final, levels, states, places, scale, basis, absent)
    if not found.attractors:
        at = ", ".join(f"{k} = {v:g}" for k, v in levels.items()) or "no inputs"
        raise NothingStable(
            f"{problem.model.name}: none of {len(states)} steady states in the box is stable ({at}): solutions end in "
            "a cycle, outside the box or on a continuum"
        )
    return found


def _basis(model, scale, absent):
    totals = conserved_totals(model)
    rows = [[float(total.coeff(s)) for s in model.states] for total in totals] + [np.eye(len(scale))[i] for i in absent]
    if not rows:
        return np.eye(len(scale))
    return np.linalg.svd(np.array(rows) * scale)[2][len(rows) :].T


def _unstable_directions(place):
    if place.state.family:
        return 0
    values = np.linalg.eigvals(place.jacobian)
    return int(np.sum(values.real > 1e-9 * np.max(np.abs(values), initial=0)))


def _verdict(state):
    """Stability, by eigenvalues clearly off zero where the proof on the enclosure leaves it open."""
    values = state.eigenvalues.real
    if state.stability != "undecided" or np.any(np.abs(values) <= 1e-7 * np.max(np.abs(state.eigenvalues), initial=0)):
        return state.stability
    return "stable" if np.all(values < 0) else "unstable"


def _place(bare, state, basis, absent):
    from scipy.linalg import matrix_balance, solve_continuous_lyapunov

    y = np.array([state.values[name] for name in bare.problem.system.states])
    jacobian = bare.reduced(y, basis)
    within = all(abs(y[i]) <= 1e-9 * bare.scale[i] for i in absent)
    stable = np.max(np.linalg.eigvals(jacobian).real, initial=-1.0) < 0 if absent else _verdict(state) == "stable"
    if not stable or state.family or not within:
        return Place(state, y, jacobian, basis, within, None)
    if not len(jacobian):
        return Place(state, y, jacobian, basis, within, jacobian)
    # Balanced, because a form that is round in badly chosen units reaches far along the insensitive states.
    _, (sizes, _) = matrix_balance(jacobian, permute=False, separate=True)
    balanced = jacobian * sizes / sizes[:, None]
    form = solve_continuous_lyapunov(balanced.T, -np.eye(len(sizes)))
    return Place(state, y, jacobian, basis, within, form / sizes / sizes[:, None])
