"""The exact thresholds where a curve of bifurcations passes a value of its second parameter."""

import numpy as np

from ..continuation.describe import special_point
from ..continuation.equations import equations_of
from ..continuation.points import Local, fold_point, hopf_point
from ..continuation.walk import Found
from .certify import certified_all
from .moved import at_value
from .special import cycles_threshold, fold_threshold

__all__ = ["on_pieces", "special_at"]

SAME = 1e-9


def on_pieces(curve, problem, moved, value) -> list:
    """Thresholds on all pieces at a value.

    Parameters
    ----------
    curve : ThresholdCurve
    problem : Problem
        At the value.
    moved : Moved
    value : float

    Returns
    -------
    list of Threshold
    """
    found = []
    for piece in curve.pieces:
        if piece.of != curve.of:  # the first parameter does not move it
            continue
        for guess, state, step in _passages(piece, value):
            solve = _transcritical if piece.mechanism == "transcritical" else _special
            one = solve(
                curve, problem, moved, piece, guess, dict(zip(problem.system.states, state, strict=False)), step
            )
            if one is not None and not any(_same(one, other) for other in found):
                found.append(one)
    return certified_all(found)[0]


def _passages(piece, value):
    """Where the points of a piece pass a value: (value of `of`, state, distance of the points beside)."""
    x, y = piece.against, piece.values
    for i in np.flatnonzero((x[:-1] - value) * (x[1:] - value) <= 0):
        width = x[i + 1] - x[i]
        part = (value - x[i]) / width if width else 0.5
        state = piece.states[i] + part * (piece.states[i + 1] - piece.states[i])
        yield float(y[i] + part * (y[i + 1] - y[i])), state.tolist(), abs(float(y[i + 1] - y[i]))


def special_at(problem, name, mechanism, guess, state):
    """A fold or Hopf point near a value of one parameter, by Newton steps on its defining system.

    Parameters
    ----------
    problem : Problem
        With constant inputs.
    name : str
    mechanism : {"fold", "Hopf"}
    guess : float
    state : dict of str -> float

    Returns
    -------
    SpecialPoint or None
    """
    equations = equations_of(at_value(problem, name, guess), (name,), [state])
    own = np.array([state[s.name] for s in equations.written.variables[: equations.n]] + [guess])
    local = Local(equations, own)
    finish = fold_point if mechanism == "fold" else hopf_point
    with np.errstate(all="ignore"):
        found = finish(local, own / local.scale)
    return None if found is None else special_point(equations, Found(mechanism, 0.0, found[0], local, found[1]))


def _special(curve, problem, moved, piece, guess, state, step):
    point = special_at(problem, moved.name, piece.mechanism, guess, state)
    low, high = curve.within
    if point is None or abs(point.value - guess) > 10 * step + 1e-3 * (high - low):
        return None
    if piece.mechanism == "Hopf":
        return cycles_threshold(problem, moved, point)
    return fold_threshold(problem, moved, piece.kind, point, piece.direction)


def _transcritical(curve, problem, moved, piece, guess, state, step):
    """The threshold of the kind that `thresholds` finds nearest, by formula where there is one."""
    from .verb import thresholds

    low, high = curve.within
    found = thresholds(problem, moved.name, within=curve.within, kinds=(piece.kind,), box=curve.options.get("box"))
    near = [t for t in found if abs(t.value - guess) <= 10 * step + 1e-6 * (high - low)]
    return min(near, key=lambda t: abs(t.value - guess), default=None)


def _same(one, two):
    return one.mechanism == two.mechanism and abs(one.value - two.value) <= SAME * max(abs(one.value), 1e-12)
