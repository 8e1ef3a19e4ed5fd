"""What each stretch of a curve means: cut where its kind changes, named by a threshold in its middle."""

import itertools
import re
from dataclasses import replace

import numpy as np

from remission.models.errors import ProblemError

from ..continuation.coefficients import jacobians_along
from ..continuation.equations import equations_of
from ..proved.reduce import NotReducible
from ..steady_states import steady_states
from .curative import rare_growth
from .curve_solve import special_at
from .folds import from_branches
from .moved import at_value
from .special import tumour_names

__all__ = ["named"]

PARTS = (0.01, 0.2, 0.4, 0.6, 0.8, 0.99)  # of a stretch, where what lies beyond a fold is looked at
BEYOND, JUST = 1e-4, 1e-6  # of a value, or of its range
SAME = 1e-6
HALVINGS = 12  # of a step, where a kind changes
CHANGES = "its kind changes"
TIME_LIMIT = 10.0  # seconds of a search for steady states
PLAIN = {"fold": "fold", "Hopf": "onset of cycles", "transcritical": "clone dose"}
NUMBERS = re.compile(r" \([^()]* = [^()]*\)|, period [^;]*")


def named(problem, piece, of, against, within, span, box) -> list:
    """A stretch with its kind, cut where the kind changes.

    Parameters
    ----------
    problem : Problem
    piece : ThresholdPiece
    of, against : Moved
    within, span : (low, high)
    box : dict or None

    Returns
    -------
    list of ThresholdPiece
    """
    rest = _rest_grows(problem, piece, of, against)
    cuts = [0, *(np.flatnonzero(rest[1:] != rest[:-1]) + 1).tolist(), len(piece) - 1]
    parts = [_part(piece, a, b) for a, b in itertools.pairwise(cuts) if b > a]
    if piece.mechanism == "fold":
        parts = [one for part in parts for one in _by_beyond(problem, part, of, against, box)]
    return [_with_words(problem, part, of, against, within, span, box) for part in parts]


def _rest_grows(problem, piece, of, against):
    """Whether eigenvalues other than the critical ones have positive real part, (k,) bool."""
    state = dict(zip(problem.system.states, piece.states[0].tolist(), strict=True))
    equations = equations_of(problem, (of.name, against.name), [state])
    names = [s.name for s in equations.written.variables[: equations.n]]
    columns = [problem.system.states.index(name) for name in names]
    own = np.column_stack([piece.states[:, columns], piece.values, piece.against])
    n = equations.n
    J = jacobians_along(own / equations.scale, equations.system(second=True))[:, :, :n]
    values = np.linalg.eigvals(np.where(np.isfinite(J), J, 0.0))
    order = np.argsort(np.abs(values.real), axis=1)
    critical = 2 if piece.mechanism == "Hopf" else 1
    others = np.take_along_axis(values.real, order, axis=1)[:, critical:]
    found = np.any(others > SAME * np.max(np.abs(values), axis=1)[:, None], axis=1)
    return np.append(np.append(found[1], found[1:-1]), found[-2]) if len(found) > 2 else found  # ends are degenerate


def _by_beyond(problem, piece, of, against, box):
    """A stretch of folds cut where a stable tumour state begins or ceases to be left beyond them."""
    known, last = {}, len(piece) - 1

    def left(i):
        if i not in known:
            known[i] = _left_beyond(problem, piece, *_between(piece, i, 0.0)[:2], of, against, box)
        return known[i]

    places = sorted({min(max(round(part * last), 1), last - 1) for part in PARTS}) if last > 1 else [0]
    places = [i for i in places if left(i) is not None]
    parts, rest, shift = [], piece, 0
    for a, b in itertools.pairwise(places):
        if left(a) != left(b):
            i = _change(a, b, left)
            first, rest = _cut(problem, rest, i - shift, left(a), of, against, box)
            parts.append(first)
            shift = i
    return [p for p in (*parts, rest) if len(p) > 1]


def _left_beyond(problem, piece, x, y, of, against, box, beyond=BEYOND):
    """Whether a stable tumour state is left where the two of a fold are not; None where that cannot be told."""
    at = at_value(problem, against.name, float(x))
    names = tumour_names(problem)
    gap = beyond * max(abs(y), 1e-3 * float(np.ptp(piece.values)), 1e-12)
    counts = []
    for value in (y - gap, y + gap):
        try:
            found = steady_states(at_value(at, of.name, float(value)), box=box)
        except ProblemError:
            return None
        counts.append((len(found), any(s.stability == "stable" and any(s[n] for n in names) for s in found)))
    return min(counts)[1]


def _change(a, b, left):
    """The last point between two for which the answer is that of the first."""
    here = left(a)
    while b - a > 1:
        middle = (a + b) // 2
        if left(middle) in (None, here):
            a = middle
        else:
            b = middle
    return a


def _between(piece, i, part):
    """A point between point i of a piece and the next, interpolated: second parameter, first, state."""
    rows = (piece.against, piece.values, piece.states)
    return tuple(r[i] if part == 0 else r[i] + part * (r[i + 1] - r[i]) for r in rows)


def _on_curve(problem, piece, i, part, of, against):
    """The same, solved for where Newton steps settle near."""
    x, y, state = _between(piece, i, part)
    at = at_value(problem, against.name, float(x))
    point = special_at(at, of.name, piece.mechanism, float(y), dict(zip(at.system.states, state.tolist(), strict=True)))
    if point is not None and abs(point.value - y) <= abs(piece.values[i + 1] - piece.values[i]):
        y, state = point.value, np.array(list(point.values.values()))
    return x, y, state


def _cut(problem, piece, i, here, of, against, box):
    """A stretch in two at the place behind point i where the answer changes, halved to a part of the step."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        x, y, _ = _on_curve(problem, piece, i, middle, of, against)
        answer = _left_beyond(problem, piece, x, y, of, against, box, JUST)
        low, high = (middle, high) if answer in (None, here) else (low, middle)
    x, y, state = _on_curve(problem, piece, i, 0.5 * (low + high), of, against)
    first, second = slice(0, i + 1), slice(i + 1, None)
    rows = [(piece.against, x), (piece.values, y), (piece.states, state)]
    ones = [np.concatenate([r[first], [new]]) for r, new in rows]
    twos = [np.concatenate([[new], r[second]]) for r, new in rows]
    names = ("against", "values", "states")
    ends = (piece.ends[0], CHANGES), (CHANGES, piece.ends[1])
    return tuple(replace(piece, **dict(zip(names, arrays, strict=True)), ends=e)
                 for arrays, e in zip((ones, twos), ends, strict=True))  # fmt: skip


def _part(piece, a, b):
    rows = slice(a, b + 1)
    ends = piece.ends[0] if a == 0 else CHANGES, piece.ends[1] if b == len(piece) - 1 else CHANGES
    return replace(piece, against=piece.against[rows], values=piece.values[rows], states=piece.states[rows], ends=ends)


def _with_words(problem, piece, of, against, within, span, box):
    """Kind and direction of a threshold in the middle; of the second parameter where the first does not move it."""
    ways = [(of, against, piece.against, piece.values, within), (against, of, piece.values, piece.against, span)]
    if np.ptp(piece.against) <= SAME * np.max(np.abs(piece.against)):
        ways = ways[1:]
    for moved, fixed, ats, values, where in ways:
        for part in (0.5, 0.25, 0.75):
            i = int(part * (len(piece) - 1))
            try:
                found = _thresholds(at_value(problem, fixed.name, float(ats[i])), moved, where, box, piece.mechanism)
            except ProblemError:
                continue
            size = SAME * max(abs(values[i]), 1e-3 * (where[1] - where[0]))
            near = [t for t in found if t.mechanism == piece.mechanism and abs(t.value - values[i]) <= size]
            if near:
                words = NUMBERS.sub("", near[0].direction)
                return replace(piece, kind=near[0].kind, direction=words, of=moved.name)
    return replace(piece, kind=PLAIN[piece.mechanism])


def _thresholds(problem, moved, within, box, mechanism):
    """Those of `thresholds` of one mechanism, not certified: they lie on a curve that is followed anyway."""
    if mechanism == "transcritical":
        try:
            return rare_growth(problem, moved, within)[0]
        except NotReducible:
            pass
    return from_branches(problem, moved, within, box, TIME_LIMIT, mechanism == "transcritical")[0]
