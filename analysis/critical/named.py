"""Thresholds that have a name of their own: threshold size, critical missegregation, time to relapse."""

from dataclasses import replace

import numpy as np
import sympy as sp

from remission.models.errors import ProblemError

from ..proved.reduce import NotReducible
from ..rescue import LETTERS, exact_size, rescue
from .value import Threshold, Thresholds

__all__ = ["find"]

STEP = 1e-5  # of a parameter, in differences of the root of the branching process


def find(problem, of, within, kinds, *, level=None) -> Thresholds:
    """One of the named thresholds.

    Parameters
    ----------
    problem : Problem
    of : Moved or None
        For critical missegregation the parameter or input that is moved; for time to relapse the observable that is
        watched, `"burden"` if not given.
    within : (low, high) or None
    kinds : sequence of str
        `"threshold size"`, `"time to relapse"` (with `level`), `"critical missegregation"` or several of them.
    level : float, optional
        Size at which a tumour is detected.

    Returns
    -------
    Thresholds

    Raises
    ------
    ProblemError
        If the model has not got what the kind is about.

    Examples
    --------
    >>> from remission.models import rescue_by_aneuploidy
    >>> from remission.solvers import Problem
    >>> print(find(Problem(rescue_by_aneuploidy()), None, None, ("threshold size",)))
    thresholds of rescue_by_aneuploidy over N, 0 to inf
      threshold size: N = 4032905.9 cells (formula, numerical); rescue has probability 1 - 1/e; below it is less likely
      threshold size: N = 4449388.2 cells (formula, symbolic); rescue has probability 1 - 1/e; below it is less likely
      threshold size: N = 40000000 cells (formula, symbolic); rescue has probability 1 - 1/e; below it is less likely
    """
    found = [_BY_KIND[kind](problem, of, within, level) for kind in kinds]
    if len(found) == 1:
        return found[0]
    items = tuple(sorted((t for f in found for t in f), key=lambda t: t.value))
    notes = tuple(note for f in found for note in f.notes)
    return Thresholds(problem, found[0].of, found[0].within, items, False, "; ".join(f.status for f in found), notes)


# --- threshold size ---------------------------------------------------------------------------------------------------


def _sizes(problem, of, within, level):
    """N* of a tumour that a drug would clear: the branching process, and the two formulas of the paper."""
    found = rescue(problem)
    s = {name: problem.model.symbol(name) for name in LETTERS}
    fall, rise = s["mu_s"] - s["l_s"], s["l_m"] - s["mu_m"]
    direct = fall / (s["v"] * s["l_s"]) * s["l_m"] / rise
    lasting = {
        "dying": (s["mu_a"] - s["l_a"]) / (s["v"] * s["l_a"]) * s["l_m"] / rise,
        "lingering": 2 * s["l_a"] * sp.sqrt(s["l_m"] / (4 * s["v"] * s["l_a"] ** 2 * rise)),
        "growing": s["l_a"] / (s["l_a"] - s["mu_a"]),
    }[found.regime]
    regime = f"aneuploid cells are {found.regime}: r_a T* = {found.growth_times_waiting:.3g}"
    items = [
        _size(problem, found.exact, None, _exact_slopes(problem), "branching process of all three types, exact"),
        _size(problem, found.by_aneuploidy, fall / (s["u"] * s["l_s"]) * lasting, None, f"N*_a, {regime}"),
        _size(problem, found.direct, direct, None, "N*_m, mutants of sensitive cells alone"),
    ]  # fmt: skip
    items.sort(key=lambda t: t.value)
    status = "three ways to N*, no range is looked at"
    return Thresholds(problem, "N", (0.0, np.inf), tuple(items), False, status)


def _size(problem, value, formula, slopes, what):
    if slopes is None:
        numbers = {problem.model.symbol(name): problem.parameters[name] for name in LETTERS}
        slopes = {s.name: float(sp.diff(formula, s).subs(numbers)) for s in numbers}
    return Threshold(
        problem, "threshold size", "N", float(value), "cells", "formula",
        "rescue has probability 1 - 1/e; below it is less likely", "numerical" if formula is None else "symbolic",
        None, slopes, (what,), formula,
    )  # fmt: skip


def _exact_slopes(problem):
    """Central differences of fourth order of 1/p_s by each rate."""
    found, now = {}, {name: problem.parameters[name] for name in LETTERS}

    def slope(name, h):
        up, down = (exact_size(**(now | {name: now[name] + s * h})) for s in (1, -1))
        return (up - down) / (2 * h)

    for name in LETTERS:
        h = STEP * now[name]
        found[name] = float((4 * slope(name, h) - slope(name, 2 * h)) / 3)
    return found


# --- critical missegregation ------------------------------------------------------------------------------------------


def _missegregation(problem, of, within, level):
    """Where rare growth under missegregation vanishes: of the whole tumour, or of one clone."""
    from .curative import rare_growth
    from .moved import range_of

    if of is None:
        raise ProblemError("thresholds: critical missegregation is of a rate: name it, of='p_on' or of='beta'")
    (low, high), why = range_of(problem, of, within)
    try:
        found, notes, complete = rare_growth(problem, of, (low, high))
    except NotReducible as error:
        raise ProblemError(f"thresholds: critical missegregation of {problem.model.name}: {error}") from None
    items = tuple(_renamed(problem, t) for t in found)
    status = f"{len(items)} of {of.name} within {low:g} to {high:g} ({why})"
    if not items:
        status += "; for a level of relapse probability give outcome= and level="
    return Thresholds(problem, of.name, (low, high), items, complete, status, tuple(notes))


def _renamed(problem, threshold):
    whole = threshold.kind == "curative dose"
    definition = (
        "definition: growth of the whole tumour, where rare, is zero"
        if whole
        else "definition: error threshold, net growth of one clone, where rare, is zero"
    )
    coefficients = dict(threshold.coefficients)
    if "missegregation" in problem.system.observables:
        coefficients["missegregation"] = _abnormal_divisions(problem, threshold)
    return replace(
        threshold, kind="critical missegregation", conditions=(definition, *threshold.conditions),
        coefficients=coefficients,
    )  # fmt: skip


def _abnormal_divisions(problem, threshold):
    """The observable `missegregation` at the threshold: divisions that go wrong."""
    from .moved import at_value

    there = at_value(problem, threshold.of, threshold.value)
    levels = np.array([there.inputs()[name] for name in there.system.inputs])[:, None]
    y = np.array([threshold.state[name] for name in there.system.states])[:, None]
    values = there.system.observe(np.zeros(1), y, there.p, levels)
    return float(values[there.system.observables.index("missegregation"), 0])


# --- time to relapse --------------------------------------------------------------------------------------------------


def _relapse(problem, of, within, level):
    from .relapse import time_to_relapse

    if level is None:
        raise ProblemError("thresholds: time to relapse needs level=, the size at which a tumour is detected")
    found = time_to_relapse(problem, level, of="burden" if of is None else getattr(of, "name", of))
    return Thresholds(problem, found.of, problem.t_span, (found,), False, found.conditions[0])


_BY_KIND = {"threshold size": _sizes, "critical missegregation": _missegregation, "time to relapse": _relapse}
