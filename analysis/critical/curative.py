"""Curative doses: where the state without tumour changes its stability, and where each clone's rare growth does."""

import numpy as np

from ..proved.reduce import NotReducible
from .closed_form import grid, sign_changes, solve_for, zeros_between
from .moved import words_of
from .special import transcritical_threshold
from .tumour_free import tumour_free

__all__ = ["growth_zeros", "rare_growth"]


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
    free = tumour_free(problem.model)
    numbers = numbers_of(problem, free)
    found, notes, complete = [], [], True
    for group in free.groups:
        zeros, sure, note = growth_zeros(free, group, moved.symbol, numbers, within)
        complete &= sure
        notes += [note] if note else []
        for value, formula, absent in zeros:
            found.append((value, group, formula, absent))
    found.sort(key=lambda row: row[0])
    thresholds = [_threshold(problem, moved, free, numbers, row) for row in found]
    return [t for t in thresholds if t is not None], notes, complete


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
        return [(v, e, solved.absent if e is not None else ()) for v, e in found], sure
    values = grid(within, 120)
    return [(v, None, ()) for v in sign_changes(level, values, np.array([level(v) for v in values]))], False


def _all_over(names, ends):
    """What rare clones do where their growth has no zero in the range."""
    low, high = ends
    way = "grow" if low > 0 and high > 0 else "shrink" if low < 0 and high < 0 else "neither grow nor shrink"
    way += "s" if len(names) == 1 and not way.startswith("neither") else ""
    rate = f"{low:.4g}" if abs(high - low) <= 1e-12 * abs(low) else f"{low:.4g} to {high:.4g}"
    return f"{' and '.join(names)}, where rare, {way} at {rate} all over the range"


def growth_of(matrix) -> float:
    """Largest real part of the eigenvalues of a block; of each of a stack (..., k, k)."""
    if not np.all(np.isfinite(matrix)):
        return np.nan
    return float(np.max(np.linalg.eigvals(matrix).real, initial=-np.inf))


def _threshold(problem, moved, free, numbers, row):
    value, group, formula, absent = row
    at = free.symbols.index(moved.symbol)
    here = (*numbers[:at], value, *numbers[at + 1 :])
    others = dict(zip((s.name for s in free.others), free.values(here).tolist(), strict=True))
    positive = all(others[s.name] >= 0 for s in free.others if s.info.positive)
    if not (np.all(np.isfinite(list(others.values()))) and positive):
        return None  # no such state there
    state = {s.name: others.get(s.name, 0.0) for s in problem.model.states}
    block = free.blocks(here)
    rates = {g: growth_of(block[np.ix_(g, g)]) for g in free.groups if g != group}
    growing = [g for g, rate in rates.items() if rate > 0]
    settled = growth_of(free.rests(here)) < 0
    whole = not growing and settled
    conditions = [f"the state without tumour: {words_of(others, others)}"] if others else []
    conditions += [f"{s.name} is there without tumour" for s in free.present]
    conditions += [f"{name} = 0" for name in absent]
    if growing:
        still = [name for g in growing for name in free.names(g)]
        conditions.append(f"{' and '.join(still)} still grow{'s' if len(still) == 1 else ''}")
    if not settled:
        conditions.append("the state without tumour is unstable in what is not tumour")
    return transcritical_threshold(
        problem, moved, value, state, free.names(group), "curative dose" if whole else "clone dose",
        formula=formula, found="numerical" if formula is None else "symbolic", conditions=tuple(conditions),
    )  # fmt: skip


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
