"""Threshold curves that are bifurcations of steady states: seeds, curves through them, stretches of one meaning."""

from dataclasses import replace

import numpy as np

from remission.models.errors import ProblemError

from ..continuation import continue_points, machine
from ..continuation.curve_walk import Plane, zero_along
from ..continuation.equations import equations_of
from ..continuation.result import SpecialPoint
from .curve_named import named
from .curve_value import ThresholdPiece
from .folds import branches_over
from .moved import at_value, value_of

__all__ = ["MECHANISMS", "follow", "mechanisms_of"]

MECHANISMS = {
    "curative dose": "transcritical", "clone dose": "transcritical", "fold dose": "fold", "critical blockade": "fold",
    "fold": "fold", "onset of cycles": "Hopf",
}  # fmt: skip
SEEDS, BESIDE = (0.02, 0.26, 0.5, 0.74, 0.98), (0.1, 0.5, 0.9)  # parts of the ranges at which branches are made
STEP = 0.02
SAME = 1e-6
CORNER = 1e-6  # of both ranges
LEFT_OUT = "was not followed: no state is absent there"
RARE_POINTS = 33


def mechanisms_of(kind) -> tuple:
    """Bifurcations that a kind can be; none for kinds that are not of this sort."""
    if kind is None:
        return ("fold", "Hopf", "transcritical")
    return (MECHANISMS[kind],) if kind in MECHANISMS else ()


def follow(problem, of, against, within, span, kind, box, time_limit) -> tuple:
    """Stretches of curves, the points on them, and notes.

    Parameters
    ----------
    problem : Problem
        With constant inputs.
    of, against : Moved
    within, span : (low, high)
    kind : str or None
    box : dict or None
    time_limit : float

    Returns
    -------
    tuple of ThresholdPiece, tuple of SpecialPoint, list of str
    """
    curves, notes = _curves(problem, of, against, within, span, mechanisms_of(kind), box, time_limit)
    pieces, points = [], []
    for curve in curves:
        parts, found = _stretches(curve, of.name, against.name, within, span)
        parts = [one for part in parts for one in named(problem, part, of, against, within, span, box)]
        kept = [p for p in parts if (kind is None or p.kind == kind or kind == "fold") and _extends(p, within, span)]
        pieces += kept
        points += [p for p in found if kept and not any(_same_point(p, q) for q in points)]
    if any(LEFT_OUT in note for note in notes):
        notes = [note for note in notes if LEFT_OUT not in note]
        pieces += _rare(problem, of, against, within, span, kind, pieces)
    return tuple(pieces), tuple(points), notes


def _extends(piece, within, span):
    """Whether a piece is more than a corner of the plane."""
    x, y = np.ptp(piece.against) / (span[1] - span[0]), np.ptp(piece.values) / (within[1] - within[0])
    return max(x, y) > CORNER


def _rare(problem, of, against, within, span, kind, known):
    """Doses at which rare clones change, found value by value where no curve of them could be followed."""
    from .curve_track import track

    found = []
    for rare in ("curative dose", "clone dose"):
        if kind in (None, rare) and not any(p.kind == rare for p in known):
            found += track(problem, of, against, within, span, rare, RARE_POINTS, {}, False)[0]
    return found


def _curves(problem, of, against, within, span, mechanisms, box, time_limit):
    """Curves through the special points of branches over either parameter, at some values of the other."""
    curves, notes, errors, sought = [], [], [], 0
    for seed in _seeds(problem, of, against, within, span):
        sought += 1
        try:
            for shell, point in _special(*seed, of, against, within, span, box, time_limit):
                own = np.array([*point.values.values(), point.value, value_of(shell.problem, against.name)])
                if point.kind not in mechanisms or any(c.kind == point.kind and c.passes(own) for c in curves):
                    continue
                more = continue_points(shell, against.name, span, kinds=(point.kind,), points=[point], max_step=STEP)
                curves += list(more)
                notes += [n for n in more.notes if n not in notes]
        except ProblemError as error:
            errors.append(error)
    if len(errors) == sought:
        raise errors[0]
    notes += [f"{len(errors)} of {sought} searches for steady states failed: {errors[0]}"] if errors else []
    return curves, notes


def _seeds(problem, of, against, within, span):
    """(problem, what branches are made over): the second parameter fixed at some values, then the first."""
    low, high = span
    values = {low + part * (high - low) for part in SEEDS}
    here = value_of(problem, against.name)
    for value in sorted(values | ({here} if low <= here <= high else set())):
        yield at_value(problem, against.name, value), of
    low, high = within
    for part in BESIDE:
        yield at_value(problem, of.name, low + part * (high - low)), against


def _special(problem, over, of, against, within, span, box, time_limit):
    """Special points as those of branches over `of`, each with branches that hold no more than where it starts."""
    branches = branches_over(problem, over, within if over is of else span, box, time_limit)
    for point in branches.points:
        if over is of:
            yield branches, point
        else:
            value = value_of(problem, of.name)
            moved = replace(point, parameter=of.name, value=value)
            at = at_value(problem, against.name, point.value)
            yield replace(branches, problem=at, parameter=of.name, span=within, branches=()), moved


def _stretches(curve, of, against, within, span):
    """A curve cut at its special points and where it turns in the second parameter."""
    y, x = curve[of], curve[against]
    sizes = np.array([within[1] - within[0], span[1] - span[0]])
    marks = [(_place(curve, p, of, against, sizes), p) for p in curve.points]
    cuts = {place for place, p in marks if p.kind in ("cusp", "change of criticality", "generalised Hopf")}
    turns = np.flatnonzero(np.diff(x)[:-1] * np.diff(x)[1:] < 0) + 1
    points = list(curve.points)
    if curve.kind != "transcritical":
        for i in turns:
            if any(abs(i - place) <= 2 for place, _ in marks):
                continue
            found = _turning(curve, int(i))
            if found is not None:
                cuts.add(int(i))
                points.append(found)
                marks.append((int(i), found))
    rows = np.column_stack([x, y]), curve.states
    pieces, begun, before = [], 0, None
    for cut in [*sorted(cuts), len(x) - 1]:
        at = next((p for place, p in marks if place == cut), None)
        stop = slice(begun, cut + 1)
        plane, states = (r[stop] for r in rows)
        for mark, first in ((before, True), (at, False)):
            if mark is not None:
                row, state = np.array([[mark[against], mark[of]]]), np.array([list(mark.values.values())])
                plane = np.vstack([row, plane] if first else [plane, row])
                states = np.vstack([state, states] if first else [states, state])
        ends = tuple("" if m is None else m.kind for m in (before, at))
        ends = (ends[0] or curve.ends[0], ends[1] or curve.ends[1])
        if len(plane) > 1:
            pieces.append(ThresholdPiece("", curve.kind, of, "", plane[:, 0], plane[:, 1], states, ends))
        begun, before = cut + 1, at
    return pieces, points


def _place(curve, point, of, against, sizes):
    """The point of a curve after which a special point lies."""
    xy = np.column_stack([curve[of], curve[against], *curve.states.T])
    sizes = np.array([*sizes, *np.maximum(np.ptp(curve.states, axis=0), 1e-300)])
    z = np.array([point[of], point[against], *point.values.values()]) / sizes
    a, b = xy[:-1] / sizes, xy[1:] / sizes
    along = b - a
    part = np.clip(np.einsum("ij,ij->i", z - a, along) / np.maximum(np.einsum("ij,ij->i", along, along), 1e-300), 0, 1)
    return int(np.argmin(np.linalg.norm(a + part[:, None] * along - z, axis=1)))


def _turning(curve, i):
    """The point between i - 1 and i + 1 where the second parameter is largest or smallest along the curve."""
    kind = machine.FOLD if curve.kind == "fold" else machine.HOPF
    rows = [dict(zip(curve.problem.system.states, s.tolist(), strict=True)) for s in curve.states[i - 1 : i + 2]]
    equations = equations_of(curve.problem, curve.parameters, rows[1:2])
    names = [s.name for s in equations.written.variables]
    own = [np.array([row[n] for n in names[:-2]] + curve.values[k].tolist())
           for row, k in zip(rows, range(i - 1, i + 2), strict=True)]  # fmt: skip
    plane = Plane(kind, equations)
    z, after = plane.start(own[0]), plane.start(own[2])
    if z is None or after is None:
        return None
    n = plane.n
    if z[n : 2 * n] @ after[n : 2 * n] < 0:
        after[n : 2 * n] *= -1
    size, border = plane.sizes(z), plane.border(z)
    tau = (after - z) / size
    high = float(np.linalg.norm(tau))
    tau /= high

    def at(h):
        w = plane.correct(z + h * tau * size, z, tau, h, size, border)
        if w is None:
            return None, np.nan
        t = plane.direction(w) / size
        return w, float(np.sign(t @ tau) * t[-1])

    found = zero_along(at, high)
    if found is None:
        return None
    point = plane.own(found[0])
    values = dict(zip(curve.problem.system.states, equations.states(point)[0].tolist(), strict=True))
    one, two = curve.parameters
    text = f"turning point at {one} = {point[-2]:.8g}, {two} = {point[-1]:.8g}: the {curve.kind} curve turns in {two}"
    nothing = np.zeros(0, dtype=complex)
    return SpecialPoint("turning point", one, float(point[-2]), values, nothing, np.nan, {}, text, found[1],
                        {two: float(point[-1])})  # fmt: skip


def _same_point(one, two):
    keys = (one.parameter, *one.others)
    return one.kind == two.kind and all(abs(one[k] - two[k]) <= SAME * max(abs(one[k]), 1e-9) for k in keys)
