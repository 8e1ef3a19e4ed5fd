"""fate: where a tumour ends for good, decided by the steady states that are left and not by its size on some day."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import sympy as sp

from remission.models.derive import conserved_totals
from remission.models.errors import ProblemError, refuse_unknown_keywords
from remission.solvers import Problem, sample

from .landscape import NothingStable, final_levels, landscape, settling_time

__all__ = ["Fate", "fate"]

SPANS = (60.0, 240.0, 960.0)  # time constants of the slowest steady state that a solution is followed for
FURTHER = 100.0  # room in the time span for values at which things are slower
LOOKS = 240
FINE = 1e-8  # cells: absolute tolerance where the extinction gate is on
GONE = 1e-3  # cells: what is left of a clone after the extinction gate
ROUGH = 1e-8  # tolerance that tells fates apart where they are not about to change


@dataclass(frozen=True, eq=False, repr=False)
class Fate:
    """Where a solution ends.

    Attributes
    ----------
    problem : Problem
    status : {"settled", "undecided"}
    attractor : SteadyState or None
        The stable state from whose neighbourhood the solution cannot leave.
    comes_back : bool or None
        Whether there is tumour in it.
    changed : float
        Time of the last change of treatment.
    time : float
        When the solution was seen inside that neighbourhood.
    states : SteadyStates
        All steady states under the final inputs.
    message : str
        Why it is undecided.
    name : str
        The attractor in words: its tumour states, or that there is no tumour.
    """

    problem: object
    status: str
    attractor: object
    comes_back: bool | None
    changed: float
    time: float
    states: object
    message: str = ""
    name: str = ""

    def __repr__(self):
        return f"<Fate of {self.problem.model.name}: {self.name or self.message}>"

    def __str__(self):
        model = self.problem.model
        if self.status != "settled":
            return f"fate of {model.name}: undecided, {self.message}"
        word = "the tumour is there for good" if self.comes_back else "the tumour goes"
        sure = "proved to be all" if self.states.proved else "not proved to be all"
        return (
            f"fate of {model.name}: {word} ({self.name}), certain from t = {self.time:.4g} {model.time_unit} on; "
            f"treatment constant from {self.changed:g}, {len(self.states)} steady states ({sure})"
        )


@refuse_unknown_keywords
def fate(problem, *, box=None, rtol=1e-10) -> Fate:
    """Where a problem ends: does the tumour come back?

    After the last change of treatment the inputs are constant. All steady states under them are found
    (`steady_states`), and the solution is followed, as far beyond `t_span` as it takes, until it is so near to a
    stable one that the distance can only shrink.

    Parameters
    ----------
    problem : Problem
        Whose treatment stops changing: at a known time, or by a rule that switches once (`Treatment.switch_when`) and
        does so within `t_span`. For the rest `t_span` gives the start alone.
    box : dict, optional
        As in `steady_states`.
    rtol : float
        Tolerance of the solution.

    Returns
    -------
    Fate
        `status` is `"undecided"` if the solution settles nowhere: it cycles, grows beyond the box, or starts on a
        separatrix.

    Raises
    ------
    ProblemError
        If the treatment never stops changing, time appears in the equations, or no steady state is stable.

    Notes
    -----
    The distance is measured by the quadratic Lyapunov function of the linearisation; that it falls on the whole
    ellipsoid through the solution is looked at in the Jacobian at the ends of all its axes, not proved. The
    equations let a tumour come back from less than one cell: turn on the problem's extinction gate where that counts.

    Examples
    --------
    >>> from remission.models import paracrine_loop
    >>> from remission.solvers import Problem, Treatment
    >>> def blocked(days):
    ...     courses = Treatment.constant({"e": 0.6}) + Treatment.constant({"B": 100}, end=days)
    ...     return Problem(paracrine_loop(), treatment=courses)
    >>> print(fate(blocked(41)))
    fate of paracrine_loop: the tumour is there for good (T = 364.955), certain from t = ... day on; ...
    >>> fate(blocked(43)).comes_back
    False
    """
    if not isinstance(problem, Problem):
        raise ProblemError(f"fate: the first argument must be a Problem, got {type(problem).__name__}")
    return World.of(problem, box, rtol).fate(None)


class World:
    """A problem over the values of a lever: its fates, paths and landscapes, each found once.

    Parameters
    ----------
    at : callable
        Value -> Problem.
    values : sequence
        Values that landscapes and the last change are compared at.
    box, rtol
        As in `fate`.
    """

    def __init__(self, at, values, box, rtol, follows_parameters):
        from .saddle import make_saddle

        problems = [at(v) for v in values]
        first = problems[0]
        if not any(s.info.kind == "tumour" for s in first.model.states):
            raise ProblemError(f"fates of {first.model.name}: no state is declared as tumour (kind='tumour')")
        self.changed = lru_cache(maxsize=512)(lambda value: settling_time(at(value)))
        changed = [t for t in map(self._changed_or_none, values) if t is not None]
        levels = [final_levels(p) for p in problems]
        self.gated, self.ruled = first.extinction_gate, bool(first.treatment.rules)
        self.totals = bool(conserved_totals(first.model))
        self.moving = follows_parameters or self.totals or any(other != levels[0] for other in levels)
        self.absent = tuple(sorted(set.intersection(*(set(_never_there(p)) for p in problems))))
        self.box, self.names = box, list(first.system.states)
        self._at, self.rtol = at, min(rtol, first.rtol)
        self.latest = max(changed, default=first.t_span[1])
        self._fixed = None
        self._fixed = None if self.moving else landscape(first, box, None, self.absent)
        slowest = self._fixed.slowest if self._fixed else min(self._slowest(p) for p in problems)
        self.end = self.latest + FURTHER * SPANS[-1] / min(slowest, 1e6)
        self.problem = lru_cache(maxsize=64)(self._problem)
        self.land = lru_cache(maxsize=512)(self._land)
        self.path = lru_cache(maxsize=32)(self._path)
        self._fates = {}
        self.saddle = lru_cache(maxsize=64)(lambda land, number: make_saddle(land, number))

    def _slowest(self, problem):
        try:
            return self._land_of(problem).slowest
        except NothingStable:
            return np.inf

    @classmethod
    def of(cls, problem, box, rtol):
        """Of one problem alone."""
        return cls(lambda _: problem, [None], box, rtol, False)

    def _problem(self, value):
        problem = self._at(value)
        changes = {"t_span": (problem.t_span[0], self.end), "rtol": self.rtol}
        if self.gated and problem.atol is None:  # the default, 1e-3 cell, is a thousandth of what the gate decides on
            tumour = [s for s in problem.model.states if s.info.kind == "tumour"]
            changes["atol"] = {s.name: FINE / s.info.cells_per_unit for s in tumour}
        return problem.replace(**changes)

    def _changed_or_none(self, value):
        try:
            return self.changed(value)
        except NothingStable:
            return None

    def _land(self, value):
        return self._fixed or self._land_of(self.problem(value))

    def _land_of(self, problem):
        settled = None
        if self.totals:
            changed = settling_time(problem)
            wide = problem.replace(t_span=(problem.t_span[0], max(problem.t_span[1], changed)))
            settled = sample(wide, [changed], self.names).values[0]
        return landscape(problem, self.box, settled, self.absent)

    def _path(self, value, span, names=(), rtol=None, looks=LOOKS):
        """Times after the last change, and what `sample` gives there."""
        problem, changed = self.problem(value), self.changed(value)
        if rtol is not None:
            problem = problem.replace(rtol=rtol)
        length = min(span / self.land(value).slowest, 0.999 * (self.end - changed))
        steps = np.concatenate([np.geomspace(1, 1e-4, looks // 2 + 1), np.linspace(0, 1, looks // 2 + 1)[1:]])
        times = changed + length * np.unique(steps)
        return times, self.sampled(problem, times, names)

    def sampled(self, problem, times, names=()):
        """What `sample` gives of all states at times."""
        if self.gated or self.ruled:  # it then solves up to the end of the span
            problem = problem.replace(t_span=(problem.t_span[0], float(times[-1])))
        return sample(problem, times, self.names, names)

    def fate_of(self, value, tight=False) -> tuple:
        """(position of the attractor or None, why); not `tight` is enough away from thresholds."""
        if value not in self._fates:
            self._fates[value] = self._fate(value, self.rtol if tight else max(self.rtol, ROUGH))
        return self._fates[value]

    def _fate(self, value, rtol):
        try:
            land, _ = self.land(value), self.changed(value)
        except NothingStable as reason:
            return None, str(reason)
        message = ""
        for span in SPANS:
            times, found = self.path(value, span, rtol=rtol, looks=1)
            if not found.success:
                return None, found.message
            where = land.inside(self._without_the_absent(value, found.values[-1]))
            if where is not None:
                return where, ""
            message = f"not near any stable state by t = {times[-1]:.4g}"
        return None, message

    def _without_the_absent(self, value, y):
        """A state with exact zeros for clones that were never there or are extinct; solvers leave rounding there."""
        problem, y = self.problem(value), y.copy()
        y[list(self.absent)] = 0.0
        if self.gated:
            for i, s in enumerate(problem.model.states):
                if s.info.kind == "tumour" and abs(y[i]) * s.info.cells_per_unit < GONE:
                    y[i] = 0.0
        return y

    def _first_inside(self, value, where):
        """Earliest looked-at time from which the solution stays near its attractor."""
        land = self.land(value)
        for span in SPANS:
            times, found = self.path(value, span)
            if land.inside(self._without_the_absent(value, found.values[-1])) == where:
                break
        low, high = -1, len(times) - 1
        while high - low > 1:
            middle = (low + high) // 2
            y = self._without_the_absent(value, found.values[middle])
            low, high = (low, middle) if land.inside(y) == where else (middle, high)
        return float(times[high])

    def fate(self, value) -> Fate:
        """The fate at a value."""
        where, message = self.fate_of(value)
        land, problem = self.land(value), self._at(value)
        changed = self._changed_or_none(value)
        if where is None:
            changed = float("nan") if changed is None else changed
            return Fate(problem, "undecided", None, None, changed, float("nan"), land.states, message)
        state = land.states[where]
        return Fate(
            problem, "settled", state, land.comes_back(where), changed, self._first_inside(value, where), land.states,
            "", land.name(where),
        )  # fmt: skip

    def same(self, one, other) -> bool:
        """Whether two values have the same fate: the same stable state, followed as it moves."""
        a, b = self.fate_of(one)[0], self.fate_of(other)[0]
        if a is None or b is None:
            return a is b
        here, there = self.land(one), self.land(other)
        if here is there:
            return a == b
        if here.comes_back(a) != there.comes_back(b):
            return False
        if a not in here.attractors or b not in there.attractors:  # at rest where a tumour state is absent
            return here.name(a) == there.name(b) if not here.comes_back(a) else a == b
        if len(here.attractors) == len(there.attractors):
            return here.attractors.index(a) == there.attractors.index(b)
        return _nearest(here, a, there) == b and _nearest(there, b, here) == a

    def words(self, value) -> str:
        """The fate at a value, in words."""
        where, message = self.fate_of(value)
        return f"undecided ({message})" if where is None else self.land(value).name(where)


def _never_there(problem) -> tuple:
    """Positions of tumour states that are zero from the start and that nothing founds."""
    start, states = problem.system.y0(problem.p), problem.model.states
    dosed = {jump.target for jump in problem.treatment.jumps} | {w.target for w in problem.treatment.windows}
    zero = tuple(
        s for s, v in zip(states, start, strict=True) if v == 0 and s.info.kind == "tumour" and s.name not in dosed
    )
    off = tuple(s for s in problem.model.parameters if problem.parameters[s.name] == 0)
    return tuple(states.index(s) for s in _founded_by_none(problem.model, zero, off)) if zero else ()


@lru_cache(maxsize=256)
def _founded_by_none(model, zero, off) -> tuple:
    """Those of some states that stay zero while all of them are, some parameters being zero."""
    while zero:
        nothing = dict.fromkeys((*zero, *off), sp.S.Zero)
        kept = tuple(s for s in zero if model.equations[s].xreplace(nothing) == 0)
        if kept == zero:
            break
        zero = kept
    return zero


def _nearest(land, number, other):
    y = land.places[number].y
    return min(other.attractors, key=lambda i: float(np.linalg.norm((other.places[i].y - y) / land.scale)))
