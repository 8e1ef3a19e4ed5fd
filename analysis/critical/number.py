"""One threshold as a number, fast: for sweeps and sensitivities, where its certificate and its words are not asked for.

Curative and clone doses are read off formulas. Folds and Hopf points are followed from those of a problem at hand (that
of the sweep) by Newton steps with exact derivatives; where that fails they are sought anew.
"""

import contextlib
import functools
import math
from dataclasses import dataclass, replace

import numpy as np

from remission.models.errors import ProblemError, did_you_mean

from ..continuation.equations import equations_of
from ..continuation.points import Local, branch_point, fold_point, hopf_point
from ..proved.reduce import NotReducible
from ..steady_states import steady_states
from .cases import FATES, Asked
from .curative import _threshold, rare_points, without_tumour
from .folds import box_of, branches_over, changes_of, rare_changes
from .moved import at_value, bound, moved_of, range_of
from .special import tumour_names
from .steady import BRANCHED, RARE
from .verb import thresholds

__all__ = ["derivatives", "number"]

FOLLOWED = {"fold": fold_point, "Hopf": hopf_point, "transcritical": branch_point}
SHORTEST = 1 / 512  # step on the way from one set of parameters to another
NEAR, FAR = 0.1, 0.5  # relative distance of a solution from its start that is believed: of what is moved, of a tumour


def number(problem, of, which, within=None, clone=None, base=None) -> float:
    """The first threshold of a kind.

    Parameters
    ----------
    problem : Problem
    of : str or None
        What is moved.
    which : str
        Kind of threshold.
    within : (low, high) or None
    clone : str or None
        Of a clone dose.
    base : Problem or None
        One with the same model and the same inputs but for numbers, from which folds are followed.

    Returns
    -------
    float
        `inf` where there is none in the range and the tumour is there at the end of it, `-inf` where there is none
        and the tumour is gone at the beginning already. For a latest day or a largest residue the other way round.
    """
    _known_clone(problem, clone)
    moved = moved_of(problem, of) if which in (*RARE, *BRANCHED) else None
    if moved is not None and _steady(problem, moved, which):
        base = None if base is None else bound(base, moved)[0]
        problem, moved = bound(problem, moved)
        span = range_of(problem if base is None else base, moved, within)[0]
        if which in RARE:
            try:
                found = [r for r in rare_points(problem, moved, span)[0] if _meant(problem, r, which, clone)]
                return found[0].value if found else _side(problem, moved, span)
            except NotReducible:
                pass
        if base is not None:
            followed = _followed(problem, base, moved, which, span)
            if followed is not None:
                return followed if span[0] <= followed <= span[1] else math.copysign(math.inf, followed - span[0])
            if _lasts(problem, base, moved, which, span):
                return math.inf
        return _sought(problem, moved, which, span)
    found = thresholds(problem, of, within=within, kinds=which)
    if not len(found) and which in FATES:
        from .between_fates import beyond

        return beyond(problem, of, within, which)
    return float(found[0].value) if len(found) else math.inf


def _steady(problem, moved, which):
    return Asked(problem, moved, (which,), None).constant and moved.role in ("input", "parameter", "treatment")


def _known_clone(problem, clone):
    names = [s.name for s in problem.model.states if s.info.kind == "tumour"]
    if clone is not None and clone not in names:
        raise ProblemError(f"threshold: {problem.model.name} has no clone {clone!r}; {did_you_mean(clone, names)}")


def _meant(problem, rare, which, clone):
    names = [s.name for s in problem.model.states if s.info.kind == "tumour"]
    here = clone is None or clone in [names[i] for i in rare.group]
    return here and (rare.kind == which or clone is not None)


def _side(problem, moved, span):
    """Which side the problem lies on where the state without tumour keeps its stability all over the range."""
    return -math.inf if without_tumour(problem, moved, span[0]) == "stable" else math.inf


def _sought(problem, moved, which, span):
    """The first of a kind by continuation."""
    declared = all(s.info.bounds is not None for s in problem.model.states)
    box = None if declared else box_of(problem, moved, span)  # slow: an invariant box is looked for
    branches = branches_over(problem, moved, span, box, brief=True)
    changes = rare_changes if which in RARE else changes_of
    found = sorted(t.value for t in changes(problem, moved, branches) if t.kind == which)
    if found:
        return found[0]
    names = tumour_names(problem)
    at_end = [b for b in branches if b.stable[:-1].any() and max(np.max(b[name]) for name in names) > 0]
    return math.inf if at_end else -math.inf


# --- followed ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Known:
    """A special point of a base problem, with what Newton steps need."""

    mechanism: str
    equations: object
    point: np.ndarray
    opens: float


@functools.lru_cache(maxsize=16)
def _known(base, name, which, span):
    """The first special point of a kind of a base problem, or None."""
    found = thresholds(base, name, within=span, kinds=which)
    if not len(found):
        return None
    t = found[0]
    equations = equations_of(base, (name,), [t.state])
    point = np.array([*(t.state[s.name] for s in equations.written.variables[:-1]), t.value])
    return Known(t.mechanism, equations, point, t.coefficients.get("opens", 0.0))


def _followed(problem, base, moved, which, span):
    """The special point of the base problem at the problem's numbers, or None where it cannot be followed."""
    known = _known(base, moved.name, which, span)
    if known is None:
        return None
    first, last = np.array(known.equations.numbers), np.array(_numbers(known.equations, problem))
    even = first * last > 0  # these are walked evenly in the logarithm
    ratio = np.where(even, last / np.where(even, first, 1.0), 1.0)
    done, step, points = [0.0], 1.0, [known.point]
    while done[-1] < 1:
        at = min(done[-1] + step, 1.0)
        numbers = np.where(even, first * ratio**at, first + at * (last - first)) if at < 1 else last
        point = _stepped(known, replace(known.equations, numbers=numbers.tolist()), _ahead(points, done, at))
        if point is None:
            step = 0.5 * (at - done[-1])
            if step < SHORTEST:
                return None
        else:
            step = 2 * (at - done[-1])
            done, points = [*done[-1:], at], [*points[-1:], point]
    return float(points[-1][-1])


def _lasts(problem, base, moved, which, span):
    """Whether a stable tumour is there at the end of the range, so that the last one has not vanished before."""
    known = _known(base, moved.name, which, span)
    if known is None or known.opens >= 0 or which not in ("fold dose", "critical blockade"):
        return False
    names = tumour_names(problem)
    with contextlib.suppress(ProblemError):
        states = steady_states(at_value(problem, moved.name, span[1]))
        return any(s.stability == "stable" and any(s.values[name] > 0 for name in names) for s in states)
    return False


def _ahead(points, done, at):
    """The straight line through the last two points, where there are two."""
    if len(points) < 2:
        return points[-1]
    return points[-1] + (points[-1] - points[-2]) * ((at - done[-1]) / (done[-1] - done[-2]))


def _stepped(known, equations, start):
    """The special point at some numbers from one nearby, or None where the two are not the same for sure."""
    local = Local(equations, start)
    with np.errstate(all="ignore"):
        found = FOLLOWED[known.mechanism](local, start / local.scale)
    if found is None:
        return None
    point = found[0] * local.scale
    size = np.maximum(np.maximum(np.abs(point), np.abs(start)), 1e-9 * known.equations.scale)
    apart = np.abs(point - start) / size
    tumour = np.array([s.info.kind == "tumour" for s in equations.written.variables[:-1]])
    least = -1e-12 * known.equations.scale[:-1]
    if apart[-1] > NEAR:
        return None
    if known.mechanism == "transcritical":
        return point if np.all(np.abs(point[:-1][tumour]) <= -least[tumour]) else None
    if np.max(apart[:-1][tumour]) > FAR or np.any((point[:-1] < least)[tumour]):
        return None
    return point if np.max(point[:-1][tumour]) > 0 else None


def _numbers(equations, problem):
    """Values of `written.given` in a problem."""
    known = dict(problem.parameters) | problem.inputs()
    start = dict(zip(problem.system.states, problem.system.y0(problem.p).tolist(), strict=True))
    found = [float(known[s.name]) for s in equations.written.given if s.name in known]
    if len(found) < len(equations.written.given):  # totals follow
        from remission.models.derive import conserved_totals

        at = {s: start[s.name] for s in problem.model.states}
        found += [float(total.subs(at)) for total in conserved_totals(problem.model)]
    return found


# --- derivatives ------------------------------------------------------------------------------------------------------


def derivatives(problem, of, which, within=None, clone=None) -> dict:
    """Derivatives of the first threshold of a kind by all parameters; NaN where there is no such threshold.

    Parameters
    ----------
    problem, of, which, within, clone
        As for `number`.

    Returns
    -------
    dict of str -> float
    """
    moved = moved_of(problem, of) if which in RARE else None
    if moved is not None and _steady(problem, moved, which):
        try:
            here, moved = bound(problem, moved)
            found = rare_points(here, moved, range_of(here, moved, within)[0])[0]
            found = [_threshold(here, moved, r) for r in found if _meant(here, r, which, clone)]
        except NotReducible:
            found = thresholds(problem, of, within=within, kinds=which)
    else:
        found = thresholds(problem, of, within=within, kinds=which)
    if not len(found) or not found[0].derivatives:
        return dict.fromkeys(problem.parameters, math.nan)
    return {name: found[0].derivatives.get(name, 0.0) for name in problem.parameters}
