"""Where a line of starts crosses a stable manifold: bracketed by fate, then Newton steps on the distance from it."""

from dataclasses import dataclass

import numpy as np

from .attractors import follow
from .by_fate import bisected, parting
from .paths import LEVEL
from .saddles import saddle_at

__all__ = ["Crossing", "crossings_on", "in_words"]

COARSE, FINE = 24, 15  # starts of the first look, even and even in the logarithm; of each closer one
ROUNDS, MOST_STEPS = 9, 12
NEAR = (
    0.1  # of the way to the next steady state: a run that comes this close to the saddle can be steered by Newton steps
)
FAR = 0.5  # one that stays this far can not
SETTLED = 1e-12
RTOL = 1e-11
SHIFT = 1e-6  # relative, of differences of the local picture by a parameter


@dataclass(frozen=True, eq=False)
class Crossing:
    """A place where the path crosses the manifold.

    Attributes
    ----------
    position : float
    state : dict of str -> float
    accuracy : float
        What the last Newton step and other tolerances change, in positions.
    derivatives : dict of str -> float
    rising : int
        1 where the path goes to the side of more tumour, else -1.
    before, after : int
        Attractors on both sides, as `Attractors` counts them.
    how : str
        `"Newton"`, or `"fates"` where runs leave before they come near the saddle.
    """

    position: float
    state: dict
    accuracy: float
    derivatives: dict
    rising: int
    before: int
    after: int
    how: str = "Newton"


def crossings_on(path, problem, saddle, attractors, sides):
    """All crossings of a path with the manifold of a saddle.

    Parameters
    ----------
    path : Path
    problem : Problem
    saddle : Saddle
    attractors : Attractors
    sides : (int, int)
        Attractors on the side of less and of more tumour.

    Returns
    -------
    (list of Crossing, list of (low, high), str)
        In order of the position; between which positions fates change at something else; what all starts of the first
        look do, where they do the same.
    """
    at = _first_look(path)
    starts = path.starts(at)
    labels, _ = follow(problem, starts, attractors)
    if labels[0] < 0 and np.any((starts[0] == 0) & (starts[1] != 0)):  # the face on which a clone is absent
        at, labels = at[1:], labels[1:]
    found, missed = [], []
    for i in np.flatnonzero(labels[1:] != labels[:-1]):
        here = _crossings_between(path, problem, saddle, attractors, sides, at[i : i + 2], labels[i : i + 2])
        found += here
        missed += [] if here else [tuple(at[i : i + 2].tolist())]
    found.sort(key=lambda c: c.position)
    return found, missed, _words(attractors, labels, path)


def in_words(crossing) -> tuple:
    """What there is to say of how a crossing was found."""
    if crossing.how == "Newton":
        return ()
    return ("bracketed by fates: runs leave before they come near the saddle",)


def _first_look(path):
    low, high = path.low, path.high
    even = np.linspace(low, high, COARSE)
    return np.unique(np.concatenate([even, low + (high - low) * np.geomspace(1e-6, 1, COARSE)]))


def _words(attractors, labels, path):
    kinds = np.unique(labels)
    if len(kinds) > 1:
        return ""
    if kinds[0] < 0:
        return f"no start in {path.low:g} to {path.high:g} comes to a stable steady state"
    where = ", ".join(f"{k} = {v:.4g}" for k, v in attractors.states[kinds[0]].values.items())
    return f"all starts in {path.low:g} to {path.high:g} tend to ({where})"


def _crossings_between(path, problem, saddle, attractors, sides, ends, labels):
    """Narrow a bracket until a run from it comes close to the saddle, then Newton; several where it holds several."""
    ends, labels = np.array(ends), np.array(labels)
    for _ in range(ROUNDS):
        middle = 0.5 * (ends[0] + ends[1])
        run = _Run(path, saddle, middle, attractors.t_max)
        if run.closest < NEAR:
            found = _polished(path, saddle, run, ends, labels, attractors.t_max)
            if found is not None:
                return [found]
        inner = np.linspace(*ends, FINE + 2)
        fates = np.concatenate([labels[:1], follow(problem, path.starts(inner[1:-1]), attractors)[0], labels[1:]])
        changes = np.flatnonzero(fates[1:] != fates[:-1])
        if len(changes) > 1 and ends[1] - ends[0] > 1e-9 * abs(path.high - path.low):
            parts = [(inner[i : i + 2], fates[i : i + 2]) for i in changes]
            return [c for e, f in parts for c in _crossings_between(path, problem, saddle, attractors, sides, e, f)]
        i = changes[0]
        ends, labels = inner[i : i + 2], fates[i : i + 2]
        if ends[1] - ends[0] < 1e-6 * max(map(abs, ends)) and run.closest > FAR:
            break
    if sorted(labels) != sorted(sides) or labels[0] < 0:
        return []
    found = _from_fates(path, problem, saddle, attractors, sides, ends, labels)
    return [] if found is None else [found]


def _from_fates(path, problem, saddle, attractors, sides, ends, labels):
    """The crossing where no run comes near the saddle, with derivatives from how runs part."""
    ends = bisected(path, problem, saddle.scale, attractors, ends, labels)
    if ends is None:
        return None
    position = 0.5 * (ends[0] + ends[1])
    run = _Run(path, saddle, position, attractors.t_max)
    times = np.linspace(0.0, max(2 * run.time, 10 / saddle.rate), 400)
    by = run.sampled(times, run.names)[1]
    by = by[parting(times, by[:, :, 0], saddle.scale, position)] / saddle.scale[:, None]
    slopes = -(by[:, 0] @ by[:, 1:]) / (by[:, 0] @ by[:, 0])
    derivatives = {shown: float(s) for shown, s in zip(path.shown.values(), slopes, strict=True)}
    start = dict(zip(path.problem.system.states, run.problem.system.y0(run.problem.p).tolist(), strict=True))
    rising = 1 if labels[1] == sides[1] else -1
    doubt = max(ends[1] - ends[0], RTOL * abs(position))
    return Crossing(position, start, doubt, derivatives, rising, int(labels[0]), int(labels[1]), "fates")


class _Run:
    """One start followed with its derivatives by all that is asked for, and when it is nearest to the saddle."""

    def __init__(self, path, saddle, position, t_max, rtol=RTOL):
        self.path, self.saddle, self.position = path, saddle, position
        scale = saddle.scale
        at = path.at(position)
        self.problem = at.replace(t_span=(0.0, t_max), rtol=rtol, atol=dict(
            zip(at.system.states, (rtol * 1e-3 * scale).tolist(), strict=True)))  # fmt: skip
        self.names = [path.name, *path.shown]
        times = np.unique(np.concatenate([np.linspace(0, t_max, 401), np.geomspace(1e-6, 1, 400) * t_max]))
        y = self.sampled(times, ())[0]
        far = saddle.distance(y)
        far[~np.isfinite(far)] = np.inf
        i = int(np.argmin(far))
        around = np.linspace(times[max(i - 1, 0)], times[min(i + 1, len(times) - 1)], 201)
        finer = saddle.distance(self.sampled(around, ())[0])
        j = int(np.nanargmin(finer))
        self.time, self.closest = float(around[j]), float(finer[j])

    def sampled(self, times, sensitivities):
        """Values (m, n) at times and derivatives (m, n, k) by the parameters that are named."""
        from remission.solvers import sample

        found = sample(self.problem, times, list(self.path.problem.system.states), sensitivities)
        return found.values, found.gradients

    def arrival(self, time=None):
        """State, and its derivatives (n, k) by the position and by all that is shown, when it is nearest."""
        time = self.time if time is None else time
        if time <= 0:
            gradient = self.problem.system.dy0dp(self.problem.p)
            columns = [self.problem.system.parameters.index(name) for name in self.names]
            return self.problem.system.y0(self.problem.p), gradient[:, columns]
        values, gradients = self.sampled([0.0, time], self.names)
        return values[1], gradients[1]


def _polished(path, saddle, run, ends, labels, t_max):
    """Newton steps on the height above the manifold where the run is nearest to the saddle."""
    last = np.inf
    for _ in range(MOST_STEPS):
        y, by = run.arrival()
        slope = saddle.slope(y) @ by[:, 0]
        step = -saddle.height(y) / slope
        if not np.isfinite(step) or abs(step) > 2 * (ends[1] - ends[0]):
            return None
        small = abs(step) <= SETTLED * max(abs(run.position), path.high - path.low)
        if small or abs(step) > 0.5 * last:
            break
        last = abs(step)
        run = _Run(path, saddle, run.position + step, t_max)
    if abs(step) > 1e-8 * max(abs(run.position), abs(ends[1] - ends[0])):
        return None
    coarser = _Run(path, saddle, run.position, t_max, rtol=30 * RTOL)
    other, by_other = coarser.arrival(0.7 * run.time)
    doubt = max(abs(step), abs(saddle.height(other) / (saddle.slope(other) @ by_other[:, 0])))
    derivatives = _derivatives(path, saddle, run, y, by, slope)
    start = dict(zip(path.problem.system.states, run.problem.system.y0(run.problem.p).tolist(), strict=True))
    return Crossing(run.position, start, doubt, derivatives, int(np.sign(slope)), int(labels[0]), int(labels[1]))


def _derivatives(path, saddle, run, y, by, slope):
    """Implicit: the height is kept at zero; the saddle and its manifold move with the parameter too."""
    problem, own = run.problem, {}
    system = problem.system
    inputs = list(problem.inputs().values())
    for j, name in enumerate(path.shown, start=1):
        total = saddle.slope(y) @ by[:, j]
        column = system.parameters.index(name)
        if column < system.n_model_parameters or name.startswith(LEVEL):
            total += _moved_height(system, problem.p, inputs, saddle, y, name, column)
        own[path.shown[name]] = float(-total / slope)
    return own


def _moved_height(system, p, inputs, saddle, y, name, column):
    """Derivative of the height of a fixed state by a parameter or an input."""
    heights = []
    value = inputs[system.inputs.index(name.removeprefix(LEVEL))] if name.startswith(LEVEL) else p[column]
    shift = SHIFT * (abs(value) or 1.0)
    for sign in (1, -1):
        q, u = list(p), list(inputs)
        if name.startswith(LEVEL):
            u[system.inputs.index(name.removeprefix(LEVEL))] += sign * shift
        else:
            q[column] += sign * shift
        heights.append(saddle_at(system, saddle.at, q, u, saddle.scale, saddle.gap, like=saddle).height(y))
    return (heights[0] - heights[1]) / (2 * shift)
