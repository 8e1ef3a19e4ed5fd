"""residual_disease: how many tumour cells may be left after therapy, given what else therapy leaves behind."""

from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError, refuse_unknown_keywords
from remission.solvers import Solution

from ..critical import Threshold
from .attractors import attractors_of, follow, sides_of
from .paths import ray
from .rays import crossings_on, in_words
from .saddles import brief, proper_saddles, states_of

__all__ = ["ResidualDisease", "residual_disease", "residual_of"]

LEAST = 1e-9  # of the range: the smallest residue that is tried
RELAPSE = "above it the tumour comes back"


@dataclass(frozen=True, eq=False, repr=False)
class ResidualDisease:
    """What is left of a tumour against what may be left; `float(residual)` is the margin.

    Attributes
    ----------
    threshold : Threshold
        Most tumour that may be left without relapse: of the composition that is left, all else as it is. 0 where any
        residue comes back, `inf` where none does. Where there is no most, but a least, that.
    left : float
        Tumour that is left, in the unit of the threshold.
    time : float
        When, in the model's unit of time.
    composition : dict of str -> float
        Tumour state -> share of what is left.
    start : dict of str -> float
        State of the model then.
    goes_to : SteadyState or None
        What it tends to, followed; None where it comes to no stable steady state in time.
    window : (float, float)
        Sizes of the residue between which it does not come back; from 0 or to `inf` where it is open. Less than the
        lower end is worse where what is left holds something worse down, or keeps the immune cells going.
    """

    threshold: Threshold
    left: float
    time: float
    composition: dict
    start: dict
    goes_to: object = None
    window: tuple = (0.0, np.inf)

    @property
    def margin(self) -> float:
        """What is left over the threshold; where that is the most that may be left, above 1 the tumour comes back."""
        most = float(self.threshold)
        return self.left / most if most > 0 else np.inf

    @property
    def comes_back(self) -> bool:
        """Whether what is left lies outside the window."""
        return not self.window[0] < self.left <= self.window[1]

    def __float__(self):
        return float(self.margin)

    def __repr__(self):
        return f"<ResidualDisease of {self.threshold.problem.model.name}: margin {self.margin:.4g}>"

    def __str__(self):
        t, model = self.threshold, self.threshold.problem.model
        unit = "" if t.unit in ("", "1") else f" {t.unit}"
        levels = ", ".join(f"{k} = {v:g}" for k, v in t.problem.inputs().items())
        most = _allowed(*self.window)
        then = f" with {levels} from then on" if levels else ""
        verdict = "the tumour comes back" if self.comes_back else "the tumour does not come back"
        if self.goes_to is not None and t.direction != RELAPSE and 0 < float(t) < np.inf:
            verdict = f"it goes to {brief(self.goes_to)}"
        time = f"{model.time_unit} {self.time:g}" if model.time_unit not in ("", "1") else f"time {self.time:g}"
        return f"{model.name}, {time}: {self.left:.6g}{unit} left, {most}{then}; margin {self.margin:.4g}, {verdict}"


@refuse_unknown_keywords
def residual_disease(solution, t=None, *, after=None, box=None, t_max=None) -> ResidualDisease:
    """How many tumour cells may be left at the end of a therapy, and how many are.

    Parameters
    ----------
    solution : Solution
        The therapy.
    t : float, optional
        When it is judged; the end of the solution if not given.
    after : dict, optional
        Input -> constant level from then on; inputs not named, or all of them, stay as they are just after `t`.
    box : dict, optional
        State -> (low, high), as in `steady_states`.
    t_max : float, optional
        How long starts are followed; by default 40 time constants of the slowest direction.

    Returns
    -------
    ResidualDisease
        `.threshold`, `.left` and `.margin`, their ratio: above 1 the tumour comes back.

    Raises
    ------
    ProblemError
        If the model has no tumour state or they have no common unit, if the solution failed, or if where starts end
        changes at something else than a saddle with one unstable direction.

    Notes
    -----
    The tumour is made smaller and larger with its composition (shares of the clones) kept and all other states
    (signals, immune cells, drug) as therapy leaves them, until fates change: on the stable manifold of a saddle. The
    window is the range of sizes, between two such changes, that holds what is left or else is nearest to it.

    Examples
    --------
    Chemotherapy with the blocker for 40 days, then chemotherapy alone:

    >>> from remission.analysis import residual_disease
    >>> from remission.models import paracrine_loop
    >>> from remission.solvers import Problem, Treatment, solve
    >>> both = Problem(paracrine_loop(), t_span=(0, 40)).at_constant(e=0.6, B=100)
    >>> print(residual_disease(solve(both, rtol=1e-9), after={"B": 0}))
    paracrine_loop, day 40: 4.57... 1e6 cells left, at most 3.887... may be left with B = 0, e = 0.6 from then on;
    margin 1.176, the tumour comes back
    """
    if not isinstance(solution, Solution):
        raise ProblemError(
            f"residual_disease: the first argument is a Solution, got {type(solution).__name__}; solve(problem) first"
        )
    t = solution.problem.t_span[1] if t is None else float(t)
    _require_state(solution, t)
    inputs = {name: float(solution.at(t, name, side="right")) for name in solution.problem.system.inputs}
    levels = inputs | {getattr(k, "name", k): float(v) for k, v in (after or {}).items()}
    found = states_of(solution.problem.at_constant(**levels), box)
    attractors = attractors_of(found, t_max)
    saddles = [(s, sides_of(found.problem, s, attractors)) for _, s in proper_saddles(found)]
    return residual_of(found, saddles, attractors, solution, t)


def residual_of(found, saddles, attractors, solution, t) -> ResidualDisease:
    """The same with steady states, saddles and attractors at hand.

    Parameters
    ----------
    found : SteadyStates
        Of what follows.
    saddles : list of (Saddle, (int, int))
        With the attractors on their sides.
    attractors : Attractors
    solution : Solution
    t : float

    Returns
    -------
    ResidualDisease
    """
    _require_state(solution, t)
    problem, names = found.problem, found.problem.system.states
    y = np.array([float(solution.at(t, name, side="right")) for name in names])
    weights, unit = _tumour_weights(problem.model)
    left = float(weights @ y)
    if not left > 0:
        raise ProblemError(f"residual_disease: nothing of the tumour is left at t = {t:g}, so it has no composition")
    tumour = weights != 0
    direction = np.where(tumour, y, 0.0) / left
    high = np.array([high for _, high in found.box.values()])
    most = max(float(np.min(high[tumour & (direction > 0)] / direction[tumour & (direction > 0)])), 1.5 * left)
    path = ray(problem, np.where(tumour, 0.0, y), direction, (LEAST * most, most))
    crossings = [c for s, sides in saddles for c in crossings_on(path, problem, s, attractors, sides)[0]]
    crossings.sort(key=lambda c: c.position)
    window, first = _window(crossings, left)
    state = dict(zip(names, y.tolist(), strict=True))
    composition = {n: float(w * v / left) for n, w, v in zip(names, weights, y, strict=True) if w}
    if first is None:
        value = _without_crossing(path, problem, attractors, weights, t)
        window = (0.0, value)
        change, more = "no residue comes back" if value else "any residue comes back", {}
    else:
        value, change = float(first.position), _what_changes(first, attractors, weights, path)
        more = {"derivatives": first.derivatives, "state": first.state, "coefficients": {"accuracy": first.accuracy}}
    others = tuple(f"it changes at {c.position:.6g} too" for c in crossings if c is not first)
    others += in_words(first) if first is not None else ()
    threshold = Threshold(problem, "residual disease", "tumour left", value, unit, "separatrix", change,
                          conditions=_conditions(problem, composition, state) + others, **more)  # fmt: skip
    label = follow(problem, y[None, :], attractors)[0][0]
    goes_to = attractors.states[label] if label >= 0 else None
    return ResidualDisease(threshold, left, float(t), composition, state, goes_to, window)


def _window(crossings, left):
    """Range of sizes without relapse that holds what is left or is nearest to it, and the crossing that counts."""
    found, low = [], None if crossings and crossings[0].rising < 0 else (0.0, None)
    for c in crossings:
        if c.rising > 0 and low is not None:
            found.append((low, (c.position, c)))
            low = None
        elif c.rising < 0:
            low = (c.position, c)
    if low is not None and low[1] is not None:
        found.append((low, (np.inf, None)))
    if not found:
        return (0.0, np.inf), None
    low, high = min(found, key=lambda w: max(w[0][0] - left, left - w[1][0], 0.0))
    return (float(low[0]), float(high[0])), high[1] or low[1]


def _allowed(low, high):
    """What may be left, in words."""
    if low == 0:
        return {0.0: "any residue comes back", np.inf: "no residue comes back"}.get(
            high, f"at most {high:.6g} may be left"
        )
    return f"at least {low:.6g} has to be left" if high == np.inf else f"between {low:.6g} and {high:.6g} may be left"


def _what_changes(crossing, attractors, weights, path):
    """In words: relapse, or one tumour state against another."""
    below, above = (attractors.states[i] if i >= 0 else None for i in (crossing.before, crossing.after))
    if below is not None and weights @ attractors.centres[crossing.before] <= LEAST * path.high:
        return RELAPSE
    return f"above it to {brief(above)}, below to {brief(below)}"


def _require_state(solution, t):
    first, last = solution.problem.t_span
    if not first <= t <= last:
        raise ProblemError(f"residual_disease: t = {t:g} lies outside the solution, {first:g} to {last:g}")
    if not np.all(np.isfinite([solution.at(t, name) for name in solution.problem.system.states])):
        solution.require()


def _tumour_weights(model):
    """What each state counts for in the tumour, and the unit of the sum."""
    tumour = [s for s in model.states if s.info.kind == "tumour"]
    if not tumour:
        raise ProblemError(f'residual_disease: {model.name} has no state of kind="tumour"')
    units = {s.info.unit for s in tumour}
    if len(units) == 1:
        return np.array([float(s in tumour) for s in model.states]), units.pop()
    bare = [s.name for s in tumour if not s.info.cells_per_unit]
    if bare:
        raise ProblemError(
            f"residual_disease: the tumour states of {model.name} have different units; cells_per_unit of "
            f"{', '.join(bare)} would make them cells"
        )
    return np.array([float(s.info.cells_per_unit or 0) * (s in tumour) for s in model.states]), "cells"


def _without_crossing(path, problem, attractors, weights, t):
    """Infinity where the residue clears whatever its size, zero where it never does."""
    labels, _ = follow(problem, path.starts(np.geomspace(path.low, path.high, 24)), attractors)
    ends = {int(i) for i in labels}
    if len(ends) == 1 and (only := ends.pop()) >= 0:
        free = weights @ attractors.centres[only] <= 1e-9 * path.high
        return float("inf") if free else 0.0
    if not attractors.states:
        raise ProblemError(
            f"residual_disease: no steady state of {problem.model.name} is stable there, so that no residue has an end "
            "to come to; time_to_progression(solution) says when it is back, steady_states(problem, box=...) what rests"
        )
    raise ProblemError(
        f"residual_disease: what becomes of the residue at t = {t:g} changes with its size, but not at a saddle with "
        "one unstable direction, or it comes to no steady state; basins(problem, over=...) shows it"
    )


def _conditions(problem, composition, state):
    levels = ", ".join(f"{k} = {v:g}" for k, v in problem.inputs().items())
    shares = ", ".join(f"{k} {v:.3g}" for k, v in composition.items())
    others = ", ".join(f"{k} = {v:.4g}" for k, v in state.items() if k not in composition)
    return tuple(
        words for words in (
            levels and f"inputs constant at {levels} from then on",
            f"composition kept: {shares}" if len(composition) > 1 else "",
            others and f"other states as left: {others}",
        ) if words
    )  # fmt: skip
