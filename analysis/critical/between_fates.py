"""Thresholds between two fates: bisection between them, finished on the stable manifold of the saddle between."""

from dataclasses import replace

import numpy as np

from remission.models.errors import ProblemError, did_you_mean

from ..progress import Progress
from .fates import World
from .lever import exposed, lever
from .passing import SPAN, look, on_a_saddle, saddle_moves
from .value import Threshold, Thresholds

__all__ = ["find"]

KIND_OF = {"initial": "residual disease", "time": "minimal duration", "cycles": "minimal duration",
           "surgery": "latest surgery"}  # fmt: skip
FATE_KINDS = ("minimal duration", "latest surgery", "residual disease", "change of fate")
LOOKED = 17  # points of a range, if not said
CLOSE = 1e-10  # relative width at which bisection ends
APART, GROWN = 1e-3, 1e4  # of the box, where two solutions part; growth of sensitivities that tells a separatrix
FOLDED = 0.05  # relative width at which a fold is looked for where the number of stable states changes
FOLDS = ("fold dose", "fold", "critical blockade")
NARROW, TRIES = 1e-3, 2  # relative width, and number, of attempts at a saddle where the extinction gate may act instead
TIGHT = 1e-4  # relative width from which fates are found at full accuracy
LOOSE = 100.0  # factor on rtol for the error of the value


def find(problem, of, within=None, kinds=None, *, box=None, n=None, rtol=1e-12, progress=True) -> Thresholds:
    """Values at which what becomes of the tumour changes.

    The fate (`fate`) is found at points of the range; between two that differ, bisection until the solution passes
    near a saddle, then Newton steps on its unstable coordinate: at the threshold the solution ends at the saddle.

    Parameters
    ----------
    problem : Problem
        Whose treatment stops changing: at a known time, or by a rule that switches once within `t_span`.
    of : str
        What is moved: a time or length of the treatment, the day of an operation, `"cycles"`, an initial value such
        as `"T(0)"`, a parameter that initial values depend on, or any other.
    within : (float, float), optional
        Range; the plausible one of the parameter if not given.
    kinds : sequence of str, optional
        Which to keep of `"minimal duration"`, `"latest surgery"`, `"residual disease"`, `"change of fate"`.
    box : dict, optional
        As in `steady_states`.
    n : int, optional
        Points looked at, 17 if not given, even on the parameter's scale; every whole number for cycles.
    rtol : float
        Tolerance of the solutions.
    progress : bool
        Show a bar when it takes more than a second.

    Returns
    -------
    Thresholds
        `state` of each is the saddle, `coefficients` its unstable eigenvalue, how near the solution came, an estimate
        of the error of the value, and the tumour at the last change of treatment.

    Raises
    ------
    ProblemError
        If the treatment does not stop changing, `of` is unknown, or the kind asked for cannot be had by moving it.

    Examples
    --------
    >>> from remission.models import Parameter, paracrine_loop
    >>> from remission.solvers import Problem, Treatment
    >>> days = Parameter("days", 40, unit="day", scale="linear")
    >>> treatment = Treatment.constant({"e": 0.6}) + Treatment.constant({"B": 100}, end=days)
    >>> blocked = Problem(paracrine_loop(), treatment=treatment)
    >>> print(find(blocked, "days", (10, 80))[0])
    minimal duration: days = 41.953943 day (separatrix, numerical); T = 364.955 below, no tumour above
    """
    moved = lever(problem, of)
    within = moved.range(within)
    _check_kinds(moved, kinds)
    points = moved.points(within, LOOKED if n is None else n)
    world = World(moved.at, (points[0], points[-1]), box, rtol, moved.role == "model")
    with Progress(len(points), progress) as bar:
        for value in points:
            bar.add(1, failed=int(world.fate_of(value)[0] is None))
    items, notes = [], _undecided(world, points)
    decided = [v for v in points.tolist() if world.fate_of(v)[0] is not None]
    for low, high in zip(points[:-1].tolist(), points[1:].tolist(), strict=True):
        if low in decided and high in decided and not world.same(low, high):
            _between(moved, world, low, high, items, notes)
    found = tuple(t for t in items if kinds is None or t.kind in kinds)
    notes += [f"{t.kind} at {t.value:.6g} was not asked for" for t in items if t not in found]
    return Thresholds(
        problem,
        moved.of,
        within,
        found,
        False,
        _status(moved, world, decided, points, found),
        tuple(dict.fromkeys(notes)),
    )


def beyond(problem, of, within, kind, box=None) -> float:
    """On which side of a range the threshold lies that is not in it: -inf or inf, NaN where that is not known.

    Parameters
    ----------
    problem : Problem
    of : str
    within : (low, high) or None
    kind : str

    Returns
    -------
    float
    """
    moved = lever(problem, of)
    low = moved.range(within)[0]
    found = World(moved.at, (low,), box, 1e-10, moved.role == "model")
    where = found.fate_of(low)[0]
    if where is None or kind == "change of fate":
        return np.nan
    return np.inf if found.land(low).comes_back(where) == (kind == "minimal duration") else -np.inf


def _undecided(world, points):
    """A note on points at which the fate is not known."""
    lost = [v for v in points.tolist() if world.fate_of(v)[0] is None]
    if not lost:
        return []
    where = f"at {lost[0]:g}" if len(lost) == 1 else f"at {len(lost)} points from {lost[0]:g} to {lost[-1]:g}"
    return [f"the fate is undecided {where}, and nothing is said next to it: {world.fate_of(lost[0])[1]}"]


def _check_kinds(moved, kinds):
    for kind in kinds or ():
        if kind not in FATE_KINDS:
            raise ProblemError(f"thresholds between fates have no kind {kind!r}; {did_you_mean(kind, FATE_KINDS)}")
        possible = (KIND_OF.get(moved.role, "change of fate"), "change of fate")
        if kind not in possible:
            raise ProblemError(
                f"thresholds: moving {moved.of} of {moved.given.model.name} gives {possible[0]!r}, not {kind!r}; "
                f"{NEEDS[kind]}"
            )


NEEDS = {
    "minimal duration": "that needs a Parameter in the end or length of a treatment, or of='cycles'",
    "latest surgery": "that needs a Parameter as the time of an operation (Treatment.surgery(..., at=day))",
    "residual disease": "that needs an initial value, such as of='T(0)', or a parameter that only they depend on",
    "change of fate": "",
}


def _status(moved, world, decided, points, found):
    where = f"{moved.of} from {points[0]:g} to {points[-1]:g}"
    if found:
        return f"{len(found)} found in {where}, at {len(points)} points looked at"
    if not decided:
        return f"the fate is undecided at all of {len(points)} points of {where}"
    low, high = decided[0], decided[-1]
    if all(world.same(v, low) for v in decided):
        return f"no change of fate in {where}: {world.words(low)} at both ends and at {len(decided)} points"
    return f"none of the kinds asked for in {where}: {world.words(low)} at {low:g}, {world.words(high)} at {high:g}"


# --- between two values -----------------------------------------------------------------------------------------------


def _between(moved, world, low, high, items, notes):
    """All thresholds between two values of different fate, in order."""
    if moved.role == "cycles":
        items.append(_whole(moved, world, low, high))
        return
    start, tries = (low, high), 0
    while high - low > CLOSE * max(abs(low), abs(high)):
        if world.moving and high - low < FOLDED * max(abs(low), abs(high)):
            fold = _at_a_fold(moved, world, low, high)
            if fold is not None:
                items.append(fold)
                return
        middle = _next(moved, world, low, high)
        if middle is None:
            break
        wait = world.gated and (high - low > NARROW * abs(middle) or tries == TRIES)
        tries += not wait
        at = None if wait else on_a_saddle(world, moved.name, middle, low, high)
        if at is not None:
            items.append(_threshold(moved, world, at, start, (low, high)))
            return
        if world.same(middle, low):
            low = middle
        elif world.same(middle, high):
            high = middle
        else:
            _between(moved, world, low, middle, items, notes)
            _between(moved, world, middle, high, items, notes)
            return
    items.append(_bisected(moved, world, low, high))


def _next(moved, world, low, high):
    """A value between two whose fate is decided; None if three are not, as right on a separatrix."""
    middle = moved.middle(low, high)
    for value in (middle, 0.7 * low + 0.3 * middle, 0.7 * high + 0.3 * middle):
        if world.fate_of(value, tight=high - low < TIGHT * abs(middle))[0] is not None:
            return value
    return None


# --- results ----------------------------------------------------------------------------------------------------------


def _threshold(moved, world, at, scanned, ends):
    value, land = at.value, world.land(at.value)
    derivatives = _derivatives(moved, world, at)
    again = look(world, moved.name, value, at.saddle.number, LOOSE * world.rtol)
    error = abs(again.saddle.phi(again.y) / again.slope) if again is not None else np.nan
    coefficients = {
        "unstable eigenvalue": at.saddle.rate,
        "nearest to the saddle": at.distance,
        f"moves with {LOOSE:g} times the tolerance by": float(error),
    } | _residue(world, value)
    names = land.problem.system.states
    return Threshold(
        moved.given, _kind(moved, world, *ends), moved.of, value, moved.unit, "separatrix",
        _direction(world, *ends), "numerical", None, derivatives, _conditions(moved, world, value, scanned),
        None, dict(zip(names, at.saddle.y.tolist(), strict=True)), coefficients,
    )  # fmt: skip


def _residue(world, value):
    """Tumour just before the last change of treatment, if there is one."""
    problem, changed = world.problem(value), world.changed(value)
    if changed <= problem.t_span[0]:
        return {}
    values = dict(zip(world.names, world.sampled(problem, [changed]).values[0], strict=True))
    tumour = [s.name for s in problem.model.states if s.info.kind == "tumour"]
    return {f"{name} at the last change": float(values[name]) for name in tumour}


def _kind(moved, world, low, high):
    """By what is moved and which way it helps."""
    kind = KIND_OF.get(moved.role, "change of fate")
    a, b = (world.fate_of(v)[0] for v in (low, high))
    if a is None or b is None:
        return "change of fate"
    backs = tuple(world.land(v).comes_back(i) for v, i in ((low, a), (high, b)))
    wanted = {"minimal duration": (True, False), "latest surgery": (False, True)}
    if kind in wanted and backs[0] != backs[1] and backs != wanted[kind]:
        return "change of fate"
    return kind


def _direction(world, low, high):
    return f"{world.words(low)} below, {world.words(high)} above"


def _conditions(moved, world, value, scanned):
    land = world.land(value)
    levels = ", ".join(f"{k} = {v:g}" for k, v in land.levels.items()) or "no inputs"
    proved = "proved to be all" if land.states.proved else f"not proved to be all ({land.states.note})"
    start, unit = world.changed(value), moved.given.model.time_unit
    since = f" from t = {start:.6g} {unit} on" if start > moved.given.t_span[0] else ""
    names = [land.problem.system.states[i] for i in land.absent]
    never = (f"{' and '.join(names)} never there, and founded by nothing",) if names else ()
    return (
        f"{levels}{since}",
        *never,
        f"{len(land.states)} steady states then, {proved} in the box",
        f"no other change of fate between {scanned[0]:.6g} and {scanned[1]:.6g}, neighbouring points that were looked "
        "at; two that undo each other between such points are missed",
    )


def _carried(moved, world, value):
    """The problem, the names whose sensitivities are carried (what is moved first), and hidden name -> shown name."""
    problem, shown = exposed(world.problem(value))
    names = [moved.name, *(name for name in problem.system.parameters if name != moved.name)]
    return problem, names, shown


def _derivatives(moved, world, at):
    """Of the value by every parameter and every input held at one level: -phi_p / phi_of at the same instant."""
    problem, names, shown = _carried(moved, world, at.value)
    found = world.sampled(problem, [at.time], names)
    if not found.success:
        return {}
    land = world.land(at.value)
    moves = saddle_moves(problem, land, at.saddle, names, found.gradients[0])
    slopes = at.saddle.by_parameters(found.values[0], found.gradients[0], moves)
    found = dict(zip(names[1:], -slopes[1:] / slopes[0], strict=True)) | _founding(land, names, found.gradients[0])
    return {shown.get(name, name): float(slope) for name, slope in found.items()}


def _founding(land, names, sensitivities):
    """NaN for parameters that would found an absent clone: with it there are other fates."""
    return {n: np.nan for n, column in zip(names, sensitivities.T, strict=True) if np.any(column[list(land.absent)])}


def _whole(moved, world, low, high):
    """The smallest whole number of a new fate."""
    conditions = _conditions(moved, world, high, (low, high))[:-1]
    return Threshold(
        moved.given, _kind(moved, world, low, high), moved.of, float(high), "1", "separatrix",
        f"{world.words(low)} up to {low:g}, {world.words(high)} from {high:g} on", "numerical", None, {},
        (*conditions, "every whole number of the range was looked at"), None, {}, _residue(world, high),
    )  # fmt: skip


def _bisected(moved, world, low, high):
    """A change of fate that is bisected to the end: near no simple saddle, or there for too short a time."""
    value = moved.middle(low, high)
    mechanism, slopes, how = "crossing", {}, "found by bisection, as the solution passes near no simple saddle"
    if world.gated:
        how += " (the extinction gate decides): there are no derivatives"
    else:
        slopes, grown = _ratios(moved, world, value, high - low)
        how += f": derivatives from sensitivities that have grown by {grown:.1e}" if slopes else ": no derivatives"
        mechanism = "separatrix" if slopes else mechanism
    return Threshold(
        moved.given, _kind(moved, world, low, high), moved.of, value, moved.unit, mechanism,
        _direction(world, low, high), "numerical", None, slopes,
        (*_conditions(moved, world, low, (low, high))[:-1], how), None, {}, {"bracket": high - low},
    )  # fmt: skip


def _ratios(moved, world, value, width):
    """Derivatives without a saddle: along a separatrix all sensitivities grow in one direction, by one factor."""
    times, found = world.path(value, SPAN, (moved.name,))
    if not found.success:
        return {}, 0.0
    grown = np.linalg.norm(found.gradients[..., 0] / world.land(value).scale, axis=1)
    early = np.flatnonzero(grown * width < APART)
    at = int(early[np.argmax(grown[early])]) if len(early) else 0
    if not grown[at] > GROWN * max(grown[0], 1 / abs(value)):
        return {}, 0.0
    problem, names, shown = _carried(moved, world, value)
    all_at = world.sampled(problem, [times[at]], names).gradients[0] / world.land(value).scale[:, None]
    along = all_at[:, 0] / np.linalg.norm(all_at[:, 0])
    slopes = -(along @ all_at[:, 1:]) / (along @ all_at[:, 0])
    slopes = dict(zip(names[1:], slopes, strict=True)) | _founding(world.land(value), names, all_at)
    told = {shown.get(name, name): float(v) for name, v in slopes.items()}
    return told, grown[at] / max(grown[0], 1 / abs(value))


def _at_a_fold(moved, world, low, high):
    """The fold in which the stable state of one side ends, or None; beside it solutions linger for very long."""
    counts = [len(world.land(v).attractors) for v in (low, high)]
    if counts[0] == counts[1]:
        return None
    from .moved import moved_of
    from .steady import find as of_steady_states

    final = world.land(low).problem
    try:
        found = of_steady_states(final, moved_of(final, moved.of), (low, high), FOLDS, box=world.box)
    except ProblemError:
        return None
    folds = [t for t in found if t.mechanism == "fold"]
    if len(folds) != 1:
        return None
    conditions = (
        *_conditions(moved, world, low, (low, high))[:-1],
        f"{counts[0]} stable states below, {counts[1]} above",
    )
    return replace(
        folds[0], problem=moved.given, kind=_kind(moved, world, low, high), direction=_direction(world, low, high),
        conditions=(*conditions, *folds[0].conditions),
    )  # fmt: skip
