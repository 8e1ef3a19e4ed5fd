"""Curative doses: where the state without tumour changes its stability, and where each clone's rare growth does."""

import math
from dataclasses import dataclass

import numpy as np

from ..proved.reduce import NotReducible
from .closed_form import grid, sign_changes, solve_for, zeros_between
from .moved import words_of
from .special import rare_threshold, transcritical_threshold
from .tumour_free import tumour_free

__all__ = ["Rare", "growth_zeros", "rare_growth", "rare_points"]

MOST_STATES = 24  # of a model whose second derivatives are written out


def rare_growth(problem, moved, within) -> tuple:
    """Thresholds of the state without tumour.

    Parameters
    ----------
    problem : Problem
        With constant inputs.
    moved : Moved
    within : (low, high)

    Returns
    -------
    list of Threshold, list of str, bool
        `"curative dose"` where the whole state changes, `"clone dose"` where one clone does and others still grow;
        notes; whether none was missed.

    Raises
    ------
    NotReducible
        If there is no state without tumour, or none in closed form.
    """
    found, notes, complete = rare_points(problem, moved, within)
    return [_threshold(problem, moved, rare) for rare in found], notes, complete


def numbers_of(problem, free) -> tuple:
    """Values of `free.symbols` in a problem."""
    known = dict(problem.parameters) | problem.inputs()
    return tuple(float(known[s.name]) for s in free.symbols)


def growth_zeros(free, group, letter, numbers, within) -> tuple:
    """Values at which the growth of a group of rare clones is zero.

    Parameters
    ----------
    free : TumourFree
    group : tuple of int
    letter : Symbol
        What is moved.
    numbers : tuple of float
        Values of `free.symbols`.
    within : (low, high)

    Returns
    -------
    list of (value, formula or None, names of parameters left out of it), bool, str
        In order; whether these are all; a note where the growth does not depend on what is moved.
    """
    at = free.symbols.index(letter)
    entries = [free.block[i, j] for i in group for j in group if (i, j) in free.block]

    def level(value):
        at_value = (*numbers[:at], value, *numbers[at + 1 :])
        return growth_of(free.blocks(at_value)[np.ix_(group, group)])

    found, sure = [], True
    if any(letter in e.free_symbols for e in entries):
        found, sure = _zeros(free, entries, group, letter, numbers, within, level)
    return found, sure, "" if found else _all_over(free.names(group), [level(v) for v in within])


def _zeros(free, entries, group, letter, numbers, within, level):
    if len(group) == 1:
        zeros = frozenset(s for s, v in zip(free.symbols, numbers, strict=True) if v == 0 and s != letter)
        solved = solve_for(entries[0], letter, zeros)
        found, sure = zeros_between(solved, entries[0], letter, free.symbols, numbers, within)
        if len(solved.formulas) != 1:  # several zeros can fall together, and growth then does not change its sign
            found = [(v, e) for v, e in found if _crosses(level, v, within)]
        return [(v, e, solved.absent if e is not None else ()) for v, e in found], sure
    values = grid(within, 120)
    return [(v, None, ()) for v in sign_changes(level, values, np.array([level(v) for v in values]))], False


def _crosses(level, value, within):
    step = max(1e-5 * abs(value), 1e-9 * (within[1] - within[0]))
    return level(value - step) * level(value + step) < 0


def _all_over(names, ends):
    """What rare clones do where their growth has no zero in the range."""
    low, high = ends
    if not np.isfinite(ends).all():
        return f"the growth of rare {' and '.join(names)} has no value at an end of the range"
    way = "grow" if low > 0 and high > 0 else "shrink" if low < 0 and high < 0 else "neither grow nor shrink"
    way += "s" if len(names) == 1 and not way.startswith("neither") else ""
    rate = f"{low:.4g}" if abs(high - low) <= 1e-12 * abs(low) else f"{low:.4g} to {high:.4g}"
    return f"{' and '.join(names)}, where rare, {way} at {rate} all over the range"


def growth_of(matrix) -> float:
    """Largest real part of the eigenvalues of a block; of each of a stack (..., k, k)."""
    if not np.all(np.isfinite(matrix)):
        return np.nan
    return float(np.max(np.linalg.eigvals(matrix).real, initial=-np.inf))


@dataclass(frozen=True, eq=False)
class Rare:
    """The state without tumour where a group of rare clones neither grows nor shrinks."""

    value: float
    group: tuple
    formula: object
    absent: tuple
    others: dict
    growing: tuple
    settled: bool

    @property
    def kind(self) -> str:
        """Whether the whole state changes its stability there, or one clone alone."""
        return "clone dose" if self.growing or not self.settled else "curative dose"


def rare_points(problem, moved, within) -> tuple:
    """Zeros of the growth of all groups, in order: list of Rare, notes, and whether these are all."""
    free = tumour_free(problem.model)
    numbers = numbers_of(problem, free)
    found, notes, complete = [], [], True
    for group in free.groups:
        zeros, sure, note = growth_zeros(free, group, moved.symbol, numbers, within)
        complete &= sure
        notes += [note] if note else []
        found += [_rare(free, numbers, moved.symbol, group, *zero) for zero in zeros]
    return sorted((r for r in found if r is not None), key=lambda r: r.value), notes, complete


def _rare(free, numbers, letter, group, value, formula, absent):
    at = free.symbols.index(letter)
    here = (*numbers[:at], value, *numbers[at + 1 :])
    others = dict(zip((s.name for s in free.others), free.values(here).tolist(), strict=True))
    positive = all(others[s.name] >= 0 for s in free.others if s.info.positive)
    if not (positive and all(map(math.isfinite, others.values()))):
        return None  # no such state there
    block = free.blocks(here)
    growing = tuple(g for g in free.groups if g != group and growth_of(block[np.ix_(g, g)]) > 0)
    return Rare(value, group, formula, absent, others, growing, growth_of(free.rests(here)) < 0)


def _threshold(problem, moved, rare):
    free = tumour_free(problem.model)
    conditions = [f"the state without tumour: {words_of(rare.others, rare.others)}"] if rare.others else []
    conditions += [f"{s.name} is there without tumour" for s in free.present]
    conditions += [f"{name} = 0" for name in rare.absent]
    if rare.growing:
        still = [name for g in rare.growing for name in free.names(g)]
        conditions.append(f"{' and '.join(still)} still grow{'s' if len(still) == 1 else ''}")
    if not rare.settled:
        conditions.append("the state without tumour is unstable in what is not tumour")
    state = {s.name: rare.others.get(s.name, 0.0) for s in problem.model.states}
    more = {"formula": rare.formula, "found": "numerical" if rare.formula is None else "symbolic",
            "conditions": tuple(conditions)}  # fmt: skip
    if len(problem.model.states) > MOST_STATES:
        numbers = numbers_of(problem, free)
        at = free.symbols.index(moved.symbol)
        here = (*numbers[:at], rare.value, *numbers[at + 1 :])
        return rare_threshold(problem, moved, rare.value, state, rare.kind, rare.group, free, here, **more)
    return transcritical_threshold(problem, moved, rare.value, state, rare.kind, free.names(rare.group), **more)


def without_tumour(problem, moved, value) -> str:
    """Whether the state without tumour is stable at a value, in words; empty where it is not known."""
    try:
        free = tumour_free(problem.model)
    except NotReducible:
        return ""
    numbers = numbers_of(problem, free)
    at = free.symbols.index(moved.symbol)
    here = (*numbers[:at], value, *numbers[at + 1 :])
    level = max(growth_of(free.blocks(here)), growth_of(free.rests(here)))
    return "" if not np.isfinite(level) else "stable" if level < 0 else "unstable"
