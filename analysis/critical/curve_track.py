"""Threshold curves found anew at one value of the second parameter after another, more of them where they bend."""

import itertools
import re

import numpy as np

from remission.models.errors import ProblemError, RemissionError

from ..progress import Progress
from .curve_value import ThresholdPiece
from .moved import at_value

__all__ = ["at_level", "once", "track"]

FIRST = 0.5  # part of the values that are spread evenly, ends included
ROOM = 0.25  # of its prediction, and of the range: where a value is looked for at first
STRAIGHT = 1e-3  # of the range of the values: what bends less is left
NUMBERS = re.compile(r" = -?[\d.]+(e[+-]?\d+)?")
EDGE = 1e-3  # of the span: how near the end of a curve is looked for


def track(problem, of, against, within, span, kind, n, options, progress) -> tuple:
    """Pieces of a curve, values of the second parameter at which there is none, and notes.

    Parameters
    ----------
    problem : Problem
    of, against : Moved
    within, span : (low, high)
    kind : str or None
    n : int
        Values that are solved for.
    options : dict
        Of `thresholds`.
    progress : bool

    Returns
    -------
    tuple of ThresholdPiece, tuple of (float, str), list of str
    """
    if n < 3:
        raise ProblemError(f"threshold_curve: n = {n} values are too few, take 3 or more")
    known, holes = {}, {}

    def solve(x, bar, near=None):
        found, status = once(at_level(problem, against, x), of, _room(within, near), kind, options)
        if near is not None and not found:
            found, status = once(at_level(problem, against, x), of, within, kind, options)
        known[x] = found
        if not found:
            holes[x] = status
        bar.add(1, failed=not found)

    with Progress(n, progress) as bar:
        for x in np.linspace(*span, max(3, round(FIRST * n))).tolist():
            solve(x, bar)
        while len(known) < n:
            x, near = _next(known, against.name, span)
            if x is None:
                break
            solve(x, bar, near)
    pieces = _pieces(known, of.name, against.name)
    kinds = sorted({p.kind for p in pieces})
    notes = [f"curves of {len(kinds)} kinds: {', '.join(kinds)}"] if len(kinds) > 1 else []
    return pieces, tuple(sorted(holes.items())), notes


def at_level(problem, against, value):
    """The problem with the second parameter at a value; an initial value may be it too."""
    if against.role == "initial" and against.name not in problem.parameters:
        return problem.replace(initial={**problem.initial, against.name.removesuffix("(0)"): float(value)})
    return at_value(problem, against.name, value)


def once(problem, of, within, kind, options) -> tuple:
    """Thresholds of a kind at one value, in order, and in words why there is none.

    Parameters
    ----------
    problem : Problem
    of : Moved
    within : (low, high)
    kind : str or None
    options : dict

    Returns
    -------
    list of Threshold, str
    """
    from .verb import thresholds

    try:
        found = thresholds(problem, of.name, within=within, kinds=kind, **options)
    except RemissionError as error:
        return [], str(error)
    kept = [t for t in found if np.isfinite(t.value)]
    return sorted(kept, key=float), "" if kept else found.status or "none in the range"


def _room(within, near):
    """Around a prediction; the whole range where there is none."""
    if near is None:
        return within
    low, high = within
    reach = ROOM * max(abs(near), ROOM * (high - low))
    return max(low, near - reach), min(high, near + reach)


def _next(known, against, span):
    """The value to be solved for next and what is expected there; None where the curve is known well enough."""
    xs = sorted(known)
    levels = [t.value for found in known.values() for t in found]
    if not levels:
        return None, None
    size = max(np.ptp(levels), 1e-3 * max(map(abs, levels)), 1e-300)
    best, choice = 0.0, (None, None)
    for i, (a, b) in enumerate(itertools.pairwise(xs)):
        one, two = known[a], known[b]
        if len(one) != len(two):  # an end of a curve lies between
            score, near = (b - a) / (span[1] - span[0]) / EDGE * STRAIGHT, None
        elif not one:
            continue
        else:
            score = max(_bend(known, xs, i, k, against) for k in range(len(one))) / size
            near = 0.5 * (one[0].value + two[0].value) if len(one) == 1 else None
        if score > best:
            best, choice = score, (0.5 * (a + b), near)
    return choice if best > STRAIGHT else (None, None)


def _bend(known, xs, i, k, against):
    """How far the curve is from straight in the middle between two values, by slopes or by neighbours."""
    a, b = xs[i], xs[i + 1]
    one, two = known[a][k], known[b][k]
    slopes = one.derivatives.get(against, np.nan), two.derivatives.get(against, np.nan)
    if np.all(np.isfinite(slopes)):
        return abs(slopes[0] - slopes[1]) * (b - a) / 8
    bends = []
    for j in (i - 1, i + 2):
        if 0 <= j < len(xs) and len(known[xs[j]]) > k:
            c, three = xs[j], known[xs[j]][k]
            chord = (two.value - one.value) / (b - a)
            outer = (three.value - one.value) / (c - a)
            bends.append(abs((outer - chord) / (c - b)) * (b - a) ** 2 / 4)
    return max(bends, default=0.0)


def _pieces(known, of, against):
    """Tracks of thresholds of one kind over the second parameter, in order of the value."""
    kinds = {(t.kind, t.mechanism) for found in known.values() for t in found}
    pieces = []
    xs = sorted(known)
    for kind, mechanism in sorted(kinds):
        rows = [[t for t in known[x] if (t.kind, t.mechanism) == (kind, mechanism)] for x in xs]
        for track_ in _tracks(xs, rows, against):
            pieces.append(_piece(kind, mechanism, of, against, np.array(xs), track_))
    return tuple(pieces)


def _piece(kind, mechanism, of, against, xs, found):
    """Thresholds along a track (None where there is none) as a piece, what is missing at its ends left out."""
    held = [i for i, t in enumerate(found) if t is not None]
    rows = slice(held[0], held[-1] + 1)
    values = np.array([np.nan if t is None else t.value for t in found])[rows]
    slopes = np.array([np.nan if t is None else t.derivatives.get(against, np.nan) for t in found])[rows]
    ends = tuple(
        "no value beyond" if i not in (0, len(xs) - 1) else f"{against} at its limit" for i in (held[0], held[-1])
    )
    direction = NUMBERS.sub("", found[held[0]].direction)
    nothing = np.zeros((len(values), 0))
    return ThresholdPiece(kind, mechanism, of, direction, xs[rows], values, nothing, ends, slopes)


def _tracks(xs, rows, against):
    """Each threshold joined to the one before that points to it best."""
    tracks = []
    for i, row in enumerate(rows):
        free = list(row)
        for track_ in tracks:
            last = next((j for j in range(i - 1, -1, -1) if track_[j] is not None), None)
            before = track_[last]
            slope = before.derivatives.get(against, 0.0)
            expected = before.value + (slope if np.isfinite(slope) else 0.0) * (xs[i] - xs[last])
            nearest = min(free, key=lambda t: abs(t.value - expected), default=None)
            track_.append(nearest)
            if nearest is not None:
                free.remove(nearest)
        tracks += [[None] * i + [t] for t in free]
    return tracks
