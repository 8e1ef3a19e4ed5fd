"""Curative doses of periodic treatments: the amplitude at which the largest multiplier without tumour is 1.

A rare clone grows by its net rate along the forced orbit that the rest has without tumour: where its mean over a
period is zero, its Floquet multiplier is 1. Beside it stands the same total dose spread evenly.
"""

import itertools

import numpy as np
import sympy as sp

from remission.models import Parameter
from remission.models.errors import ProblemError, SolveError
from remission.solvers import Treatment
from remission.solvers.treatment import Window

from ..cycles.periodic import Repeating, repeating
from ..cycles.rare import Growth
from .moved import range_of, words_of
from .pulse_shape import formula_of, part_of_period, spread
from .value import Threshold, Thresholds

__all__ = ["find"]

KINDS = ("curative dose", "clone dose")
GRID = 25
NUDGE = 1e-4
NOTHING = 1e-15


def find(problem, of, within, kinds, *, time_limit=10.0) -> Thresholds:
    """Thresholds of the state without tumour under a periodic treatment.

    Parameters
    ----------
    problem : Problem
        With a periodic treatment.
    of : Moved
        An input, of which all levels are moved in proportion and the largest is the value; or a parameter of the
        model or the treatment.
    within : (low, high) or None
    kinds : tuple of str or None
    time_limit : float
        Not used: nothing is proved.

    Returns
    -------
    Thresholds
    """
    pulses = _Pulses(problem, of)
    (low, high), why = _range(problem, of, within, pulses)
    values = np.unique(np.concatenate([np.linspace(low, high, GRID), np.geomspace(max(low, 1e-3 * high), high, GRID)])
                       if low >= 0 and high > 0 else np.linspace(low, high, 2 * GRID))  # fmt: skip
    notes, rows = [], []
    for value in values:
        try:
            rows.append((value, pulses.growth(value)))
        except (ProblemError, SolveError) as error:
            notes.append(f"not known at {of.name} = {value:.6g}: {error}")
    found = []
    for g, clones in enumerate(pulses.groups):
        for one, two in itertools.pairwise(rows):
            if np.sign(one[1][g]) * np.sign(two[1][g]) < 0 or two[1][g] == 0:
                found.append(_threshold(problem, of, pulses, g, clones, _zero(pulses, g, one[0], two[0])))
    wanted = KINDS if kinds is None else kinds
    found = sorted((t for t in found if t.kind in wanted), key=lambda t: t.value)
    status = f"{len(found)} thresholds" if found else "no " + " and no ".join(wanted)
    status += f" of {of.name} within {low:g} to {high:g} ({why})"
    if not found and rows:
        largest = [max(growth) for _, growth in rows]
        status += f"; the fastest rare clone's mean rate lies between {min(largest):.4g} and {max(largest):.4g}"
    return Thresholds(problem, of.name, (low, high), tuple(found), False, status, tuple(notes[:3]))


def _range(problem, of, within, pulses):
    if within is not None or of.role != "input":
        return range_of(problem, of, within)
    most = 100.0 * max(abs(pulses.amplitude), abs(of.symbol.info.default), 1.0)
    return (0.0, most), "0 to 100 times the larger of 1 and its level"


def _zero(pulses, g, low, high):
    from scipy.optimize import brentq

    if pulses.growth(high)[g] == 0:
        return float(high)
    return float(brentq(lambda v: pulses.growth(v)[g], low, high, xtol=1e-300, rtol=1e-13))


class _Pulses:
    """The treatment with what is moved as a Parameter, and the growth of rare clones at its values."""

    def __init__(self, problem, of):
        self.problem, self.of = problem, of
        self.letters, self.amplitude = {}, np.nan
        self.treatment = problem.treatment
        values = dict(zip(problem.system.parameter_symbols, problem.p, strict=True))
        for name in dict.fromkeys(w.target for w in problem.treatment.windows if not w.into_state):
            self._free(name, values)
        self.name = self.letters.get(of.name, of.name)
        if of.role == "input" and of.name not in self.letters:
            raise ProblemError(f"thresholds: the treatment ({problem.treatment}) does not give {of.name}")
        if of.role == "initial":
            raise ProblemError(f"thresholds: a rare tumour's growth does not depend on {of.name}")
        letter = next(s for s in (*self.treatment.parameters(), *problem.model.parameters) if s.name == self.name)
        timed = {s for x in (*self.treatment.windows, *self.treatment.jumps) for s in _times(x)}
        self.moves_time = letter in timed
        self.timed = {s.name for s in timed}
        self._kept = {}
        self.groups = self.at(None).rare.groups

    def _free(self, name, values):
        """Make the levels of an input a multiple of one Parameter, if they are numbers at all times."""
        levels = [w.level for w in self.treatment.windows if w.target == name and not w.into_state]
        if any(level.free_symbols for level in levels):
            if self.of.name == name:
                raise ProblemError(
                    f"thresholds: the level of {name} is made of Parameters ({', '.join(map(str, levels))}): move one "
                    "of these with of="
                )
            return
        largest = max(levels, key=abs)
        taken = {s.name for s in values} | {s.name for s in self.problem.model.states}
        letter = f"level_of_{name}"
        while letter in taken:
            letter += "_"
        symbol = Parameter(letter, float(largest) or 1.0)
        ratio = {level: (level / largest if float(largest) else sp.Integer(1)) for level in levels}
        windows = tuple(
            Window(w.target, symbol * ratio[w.level], w.start, w.end, w.period, w.repeats)
            if w.target == name and not w.into_state else w
            for w in self.treatment.windows
        )  # fmt: skip
        self.treatment = Treatment(windows, self.treatment.jumps)
        self.letters[name] = letter
        if self.of.name == name:
            self.amplitude = float(largest)

    def _problem(self, value, changes=None):
        given = dict(self.problem.parameters)
        given |= changes or {}
        if value is not None:
            given[self.name] = float(value)
        known = {s.name for s in (*self.problem.model.parameters, *self.treatment.parameters())}
        known |= {s.name for e in self.problem.initial.values() for s in sp.sympify(e).free_symbols}
        given = {k: v for k, v in given.items() if k in known or k in self.problem.parameters}
        return self.problem.replace(treatment=self.treatment).replace(parameters=given)

    def at(self, value, even=False, changes=None) -> Growth:
        """Growth at a value; the machinery is kept where times stay as they are."""
        moved = self.moves_time or any(name in self.timed for name in changes or ())
        key = (even, tuple(sorted((changes or {}).items())), value) if moved else even
        if key not in self._kept:
            if len(self._kept) > 8:
                self._kept.clear()
            problem = self._problem(value, changes)
            when = repeating(problem)
            treatment = self.treatment
            if even:
                treatment, when = spread(self.treatment), Repeating(problem.t_span[0], when.period)
            self._kept[key] = Growth(problem, treatment, when)
        return self._kept[key]

    def growth(self, value, even=False, changes=None) -> np.ndarray:
        """(g,) growth of each group per unit of time."""
        given = dict(changes or {})
        growth = self.at(value, even, changes)
        given |= {self.name: float(value)}
        return growth.rates({k: v for k, v in given.items() if k in growth.parameters})[0]


def _times(thing):
    """Parameters of when a thing happens."""
    found = set()
    for name in ("start", "end", "time", "period"):
        value = getattr(thing, name, None)
        found |= set() if value is None else value.free_symbols
    return found


def _threshold(problem, of, pulses, g, clones, value):
    growth = pulses.at(value)
    names = [n for n in growth.parameters if n not in pulses.timed]
    here = {pulses.name: value} if pulses.name in growth.parameters else {}
    rates, slopes, rest, state = growth.rates(here, names)
    slope, derivatives = _derivatives(pulses, g, value, names, slopes[g])
    whole = all(r < 0 for i, r in enumerate(rates) if i != g) and np.all(np.abs(rest) < 1)
    even, conditions = _evenly(pulses, g, value), []
    coefficients = {"growth slope": float(slope), "period": growth.when.period}
    if even is not None:
        coefficients |= {"spread evenly": even, "ratio to spread evenly": value / even}
        part = part_of_period(pulses, of, value)
        if part is not None:
            coefficients |= {"part of the period": part, "mean level": value * part}
        conditions.append(f"the same dose spread evenly is critical at {of.name} = {even:.8g}"
                          + (f", a constant level of {even * part:.8g}" if part is not None else ""))  # fmt: skip
    others = dict(zip((s.name for s in growth.rare.model.states), state.tolist(), strict=False))
    sizes = {s.name: s.info.scale or 1.0 for s in problem.model.states}
    others = {k: v if abs(v) > NOTHING * sizes[k] else 0.0 for k, v in others.items() if k in sizes}
    if others:
        conditions.append(f"along the orbit without tumour, at the start of a period: {words_of(others, others)}")
    growing = [n for i, r in enumerate(rates) if i != g and r >= 0 for n in growth.rare.groups[i]]
    if growing:
        conditions.append(f"{' and '.join(growing)} still grow{'s' if len(growing) == 1 else ''}")
    if not np.all(np.abs(rest) < 1):
        conditions.append("the orbit without tumour is unstable in what is not tumour")
    formula = formula_of(pulses, clones, growth.rare)
    who = "a rare tumour" if whole else f"{' and '.join(clones)}, where rare,"
    plural = not whole and len(clones) > 1
    verbs = ("grow", "shrink") if plural else ("grows", "shrinks")
    first, then = verbs if slope < 0 else reversed(verbs)
    state = {s.name: others.get(s.name, 0.0) for s in problem.model.states}
    return Threshold(
        problem, "curative dose" if whole else "clone dose", of.name, value, of.unit, "multiplier",
        f"{who} {first} below, {then} above", "symbolic" if formula is not None else "numerical",
        derivatives=derivatives, conditions=tuple(conditions), formula=formula, state=state,
        coefficients=coefficients, clones=clones,
    )  # fmt: skip


def _derivatives(pulses, g, value, names, slopes):
    """Growth's derivative by what is moved, and the threshold's by everything else."""
    known = dict(zip(names, slopes.tolist(), strict=True))
    for name in sorted(pulses.timed):  # times move the period itself: differences of the growth
        known[name] = _difference(pulses, g, value, name)
    slope = known.pop(pulses.name)
    back = {letter: name for name, letter in pulses.letters.items()}
    moved = {back.get(name, name): float(-by / slope) if by else 0.0 for name, by in known.items()}
    idle = {name: 0.0 for name in pulses.problem.parameters if name != pulses.of.name}
    return float(slope), idle | moved


def _difference(pulses, g, value, name):
    """Derivative of the growth by a time, from two pairs of values and extrapolated."""
    centre = value if name == pulses.name else pulses._problem(value).parameters[name]
    found = []
    for part in (NUDGE, NUDGE / 2):
        step = part * (abs(centre) or 1.0)
        pair = []
        for sign in (1, -1):
            moved = centre + sign * step
            if name == pulses.name:
                pair.append(pulses.growth(moved)[g])
            else:
                pair.append(pulses.growth(value, changes={name: moved})[g])
        found.append((pair[0] - pair[1]) / (2 * step))
    return (4 * found[1] - found[0]) / 3


def _evenly(pulses, g, value):
    """The value at which the same amounts, given evenly, are critical; None where it is not found nearby."""
    try:
        return _nearby(lambda v: pulses.growth(v, even=True)[g], value)
    except (ProblemError, SolveError, ArithmeticError, ValueError):
        return None


def _nearby(function, value):
    from scipy.optimize import brentq

    here = function(value)
    if abs(here) < 1e-14:
        return float(value)
    for factor in (1.5, 3.0, 10.0, 100.0):
        for end in (value * factor, value / factor):
            if np.sign(function(end)) * np.sign(here) < 0:
                return float(brentq(function, *sorted((value, end)), xtol=1e-300, rtol=1e-13))
    return None
