"""Thresholds from special points of steady states: coefficients, derivatives and words."""

import numpy as np

from .slopes import eigenvalue_moves, null_vectors, slopes_at
from .value import Threshold

__all__ = ["cycles_threshold", "fold_threshold", "rare_threshold", "transcritical_threshold"]

DEGENERATE = 1e-9  # of a coefficient beside the sizes of its terms


def transcritical_threshold(problem, moved, value, state, kind, clones=None, **more) -> Threshold:
    """Where a rare clone changes from growing to shrinking in the state without tumour.

    Parameters
    ----------
    problem : Problem
        With constant inputs.
    moved : Moved
    value : float
    state : dict of str -> float
        The state without tumour at the value.
    kind : str
    clones : tuple of str, optional
        The clones of which the growth is zero; read off the null vectors if not given.
    **more
        Other attributes of the threshold.

    Returns
    -------
    Threshold
    """
    slopes = slopes_at(problem, state, moved.name, value)
    names, tumour = slopes.names, tumour_names(problem)
    free = np.array([name not in tumour for name in names])
    q, p = null_vectors(slopes.J)
    mass = sum(q[names.index(name)] for name in tumour if name in names)
    if mass:
        q, p = q / mass, p * mass  # of one unit of tumour
    moves = eigenvalue_moves(slopes, q, p, free)
    b = moves[slopes.column(moved.name)]
    n = len(names)
    second = slopes.H[:, :, :n]
    a = float(0.5 * np.einsum("i,ijk,j,k", p, second, q, q))
    size = float(0.5 * np.einsum("i,ijk,j,k", np.abs(p), np.abs(second), np.abs(q), np.abs(q)))
    one_sided = np.all(q[~free] >= -1e-9 * np.max(np.abs(q[~free])))
    derivatives = slopes.by_name(-moves / b, moved.name) if np.isfinite(b) and b != 0 else {}
    coefficients = {"b": float(b)} | ({"a": a} if one_sided else {})
    if clones is None:  # what founds the group has a part in p alone, what it founds a part in q alone
        share = np.abs(p * q)
        clones = tuple(name for name, s, f in zip(names, share, free, strict=True) if s > 1e-9 and not f)
    direction = _growth_words(clones, kind, b)
    if one_sided and kind == "curative dose":
        direction += _criticality(a, size, b, moved.name)
    return Threshold(
        problem, kind, moved.name, float(value), moved.unit, "transcritical", direction,
        derivatives=derivatives, state=dict(state), coefficients=coefficients, clones=clones, **more,
    )  # fmt: skip


def rare_threshold(problem, moved, value, state, kind, group, free, numbers, **more) -> Threshold:
    """The same for many states, from the closed form of rare growth alone: without what the tumour's size does.

    Derivatives are those of the group's largest eigenvalue, by complex steps in the formulas of its block, which are
    as good as exact.

    Parameters
    ----------
    problem, moved, value, state, kind
        As for `transcritical_threshold`.
    group : tuple of int
    free : TumourFree
    numbers : tuple of float
        Values of `free.symbols`, that of what is moved included.
    **more
        Other attributes of the threshold.

    Returns
    -------
    Threshold
    """
    at = np.ix_(group, group)
    values, vectors = np.linalg.eig(free.blocks(numbers)[at])
    i = int(np.argmax(values.real))
    q, p = vectors[:, i].real, np.linalg.inv(vectors)[i].real
    moves = {}
    for k, symbol in enumerate(free.symbols):
        stepped = (*numbers[:k], numbers[k] + 1e-30j, *numbers[k + 1 :])
        moves[symbol.name] = float(p @ free.blocks(stepped)[at].imag @ q / (p @ q)) * 1e30
    b = moves.pop(moved.name)
    clones = free.names(group)
    return Threshold(
        problem, kind, moved.name, float(value), moved.unit, "transcritical", _growth_words(clones, kind, b),
        derivatives={name: -v / b for name, v in moves.items()} if b else {}, state=dict(state),
        coefficients={"b": b}, clones=clones, **more,
    )  # fmt: skip


def tumour_names(problem) -> set:
    """Names of the tumour states."""
    return {s.name for s in problem.model.states if s.info.kind == "tumour"}


def _growth_words(clones, kind, b):
    who = " and ".join(clones)
    if kind == "curative dose":
        return "a rare tumour " + ("grows below, shrinks above" if b < 0 else "shrinks below, grows above")
    verb = ("grows", "shrinks") if len(clones) == 1 else ("grow", "shrink")
    first, then = verb if b < 0 else reversed(verb)
    return f"{who}, where rare, {first} below, {then} above"


def _criticality(a, size, b, name):
    """Which side the small tumour state lies on: xi' = b (of - value) xi + a xi^2."""
    if abs(a) <= DEGENERATE * size:
        return "; degenerate: a small tumour is not braked by its own size"
    if a < 0:
        return "; supercritical: the tumour comes in small"
    side = "above" if b < 0 else "below"
    return f"; subcritical: just {side}, an unstable tumour state parts cure from growth"


def fold_threshold(problem, moved, kind, point, direction) -> Threshold:
    """Where two tumour states meet and vanish.

    Parameters
    ----------
    problem : Problem
        With constant inputs.
    moved : Moved
    kind : str
    point : SpecialPoint
    direction : str

    Returns
    -------
    Threshold
    """
    slopes = slopes_at(problem, point.values, moved.name, point.value)
    _, p = null_vectors(slopes.J)
    by = p @ slopes.P
    derivatives = slopes.by_name(-by / by[slopes.column(moved.name)], moved.name)
    return Threshold(
        problem, kind, moved.name, point.value, moved.unit, "fold", direction, derivatives=derivatives,
        state=dict(point.values), coefficients={k: float(v) for k, v in point.coefficients.items()},
    )  # fmt: skip


def cycles_threshold(problem, moved, point) -> Threshold:
    """Where a steady tumour starts to cycle.

    Parameters
    ----------
    problem : Problem
        With constant inputs.
    moved : Moved
    point : SpecialPoint
        A Hopf point.

    Returns
    -------
    Threshold
    """
    slopes = slopes_at(problem, point.values, moved.name, point.value)
    values, vectors = np.linalg.eig(slopes.J)
    i = int(np.argmin(np.abs(values - 1j * point.frequency)))
    q, p = vectors[:, i], np.linalg.inv(vectors)[i]
    moves = eigenvalue_moves(slopes, q, p, np.ones(len(q), dtype=bool))
    b = moves[slopes.column(moved.name)]
    unit = problem.model.time_unit
    period = f"{point.period:.6g}" + ("" if unit in ("", "1") else f" {unit}s")
    sides = ("steady below, cycles above") if b > 0 else ("cycles below, steady above")
    born = "supercritical" if point.coefficients.get("l1", 0) < 0 else "subcritical"
    coefficients = {k: float(v) for k, v in point.coefficients.items()} | {"period": float(point.period)}
    return Threshold(
        problem, "onset of cycles", moved.name, point.value, moved.unit, "Hopf", f"{sides}; {born}, period {period}",
        derivatives=slopes.by_name(-moves / b, moved.name), state=dict(point.values), coefficients=coefficients,
    )  # fmt: skip
