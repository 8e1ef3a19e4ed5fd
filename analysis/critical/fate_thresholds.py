"""Thresholds between two fates: bisection between them, finished on the stable manifold of the saddle between."""

from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError, did_you_mean

from ..progress import Progress
from .fates import World
from .lever import exposed, lever
from .value import Threshold, Thresholds

__all__ = ["find"]

KIND_OF = {"initial": "residual disease", "time": "minimal duration", "cycles": "minimal duration",
           "surgery": "latest surgery"}  # fmt: skip
FATE_KINDS = ("minimal duration", "latest surgery", "residual disease", "change of fate")
SPAN = 60.0  # time constants of a path near a saddle
NEAR = 0.5  # of a saddle, relative to its own size, where its unstable coordinate is worth a Newton step
CLOSE = 1e-10  # relative width at which bisection ends
TIGHT = 1e-4  # relative width from which fates are found at full accuracy
LOOSE = 100.0  # factor on rtol for the error of the value


def find(problem, of, within=None, kinds=None, *, box=None, n=17, rtol=1e-12, progress=True) -> Thresholds:
    """Values at which what becomes of the tumour changes.

    The fate (`fate`) is found at points of the range; between two that differ, bisection until the solution passes
    near a saddle, then Newton steps on its unstable coordinate: at the threshold the solution ends at the saddle.

    Parameters
    ----------
    problem : Problem
        Whose treatment stops changing at a known time.
    of : str
        What is moved: a time or length of the treatment, the day of an operation, `"cycles"`, an initial value such
        as `"T(0)"`, a parameter that initial values depend on, or any other.
    within : (float, float), optional
        Range; the plausible one of the parameter if not given.
    kinds : sequence of str, optional
        Which to keep of `"minimal duration"`, `"latest surgery"`, `"residual disease"`, `"change of fate"`.
    box : dict, optional
        As in `steady_states`.
    n : int
        Points looked at, even on the parameter's scale; every whole number for cycles.
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
    points = moved.points(within, int(n))
    world = World(moved.at, (points[0], points[-1]), box, rtol, moved.role == "model")
    with Progress(len(points), progress) as bar:
        for value in points:
            bar.add(1, failed=int(world.fate_of(value)[0] is None))
    items, notes = [], []
    for low, high in zip(points[:-1], points[1:], strict=True):
        if not world.same(low, high):
            _between(moved, world, float(low), float(high), items, notes)
    found = tuple(t for t in items if kinds is None or t.kind in kinds)
    notes += [f"{t.kind} at {t.value:.6g} was not asked for" for t in items if t not in found]
    return Thresholds(
        problem, moved.of, within, found, False, _status(moved, world, points, found), tuple(dict.fromkeys(notes))
    )


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


def _status(moved, world, points, found):
    low, high = points[0], points[-1]
    where = f"{moved.of} from {low:g} to {high:g}"
    if found:
        return f"{len(found)} found in {where}, at {len(points)} points looked at"
    if world.same(low, high):
        return f"no change of fate in {where}: {world.words(low)} at both ends and at {len(points)} points"
    return f"none of the kinds asked for in {where}: {world.words(low)} below, {world.words(high)} above"


# --- between two values -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Crossing:
    """Where a solution ends at a saddle."""

    value: float
    saddle: object
    time: float
    y: np.ndarray
    slope: float
    distance: float


def _between(moved, world, low, high, items, notes):
    """All thresholds between two values of different fate, in order."""
    if moved.role == "cycles":
        items.append(_whole(moved, world, low, high))
        return
    start = (low, high)
    while high - low > CLOSE * max(abs(low), abs(high)):
        middle = moved.middle(low, high)
        at = _newton(world, moved.name, middle, low, high)
        if at is not None and _confirmed(world, at, low, high):
            items.append(_threshold(moved, world, at, start, (low, high)))
            return
        world.fate_of(middle, tight=high - low < TIGHT * abs(middle))
        if world.same(middle, low):
            low = middle
        elif world.same(middle, high):
            high = middle
        else:
            _between(moved, world, low, middle, items, notes)
            _between(moved, world, middle, high, items, notes)
            return
    items.append(_bisected(moved, world, low, high))


def _newton(world, name, value, low, high):
    """A Crossing between two values by Newton steps on the unstable coordinate, or None."""
    last = np.inf
    for _ in range(15):
        at = _look(world, name, value)
        if at is None:
            return None
        step = -at.saddle.phi(at.y) / at.slope
        tiny = abs(step) <= 1e-11 * abs(value)
        if abs(step) <= 2e-15 * abs(value) or (tiny and abs(step) >= 0.5 * last):
            return at
        if not low < value + step < high:
            return None
        value, last = value + step, abs(step)
    return at if tiny else None


def _look(world, name, value, rtol=None, times=None):
    """The solution where it is nearest to a saddle, and the slope of the unstable coordinate by the lever."""
    land = world.land(value)
    times, found = world.path(value, SPAN, (name,), rtol)
    if not found.success:
        return None
    best, distance, saddle = None, NEAR, None
    for number in land.saddles:
        candidate = world.saddle(land, number)
        away = candidate.distance(found.values)
        at = int(np.argmin(away))
        if away[at] < distance:
            best, distance, saddle = at, float(away[at]), candidate
    if best is None:
        return None
    y = found.values[best]
    moves = saddle_moves(world.problem(value), land, saddle, (name,), found.gradients[best])
    slope = float(saddle.by_parameters(y, found.gradients[best], moves)[0])
    return Crossing(value, saddle, float(times[best]), y, slope, distance) if slope else None


def saddle_moves(problem, land, saddle, names, sensitivities) -> np.ndarray:
    """Derivatives (n, k) of a saddle by parameters, those of its conserved totals included."""
    system, p = problem.system, problem.p
    columns = [system.parameters.index(name) for name in names]
    _, jacobian, by_parameter, by_input = system.tangent(0.0, saddle.y, p, land.u)
    full = np.zeros((system.n, len(system.parameters)))
    full[:, : system.n_model_parameters] = by_parameter
    full += by_input @ _level_gradients(problem)
    forcing = full[:, columns]
    if land.basis.shape[1] == system.n:
        return -np.linalg.solve(jacobian, forcing)
    kept = np.linalg.svd((land.basis / land.scale[:, None]).T)[2][land.basis.shape[1] :]
    weights = kept * 1.0
    stacked = np.vstack([jacobian, weights])
    return np.linalg.lstsq(stacked, np.vstack([-forcing, weights @ sensitivities]), rcond=None)[0]


def _level_gradients(problem):
    """Derivatives of the final levels of the inputs by all parameters, (n_u, n_p)."""
    settings, inputs = problem.system.settings, problem.system.inputs
    table = np.zeros((len(inputs), len(problem.system.parameters)))
    windows = [w for w in problem.treatment.windows if w.end.is_infinite and not w.into_state]
    if windows:
        rows = settings.gradients(problem.p)
        for window in windows:
            table[inputs.index(window.target)] += rows[settings.index[window.level]]
    return table


def _confirmed(world, at, low, high):
    """Whether just below the value the fate is that of the lower end, and just above that of the upper."""
    width = max(1e-9 * abs(at.value), 1e-300)
    below, above = max(low, at.value - width), min(high, at.value + width)
    for value in (below, above):
        world.fate_of(value, tight=True)
    return world.same(below, low) and world.same(above, high)


# --- results ----------------------------------------------------------------------------------------------------------


def _threshold(moved, world, at, scanned, ends):
    value, land = at.value, world.land(at.value)
    derivatives = _derivatives(moved, world, at)
    again = _look(world, moved.name, value, rtol=LOOSE * world.rtol)
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
    from remission.solvers import sample

    names = [s.name for s in problem.model.states if s.info.kind == "tumour"]
    values = sample(problem, [changed], names).values[0]
    return {f"{name} at the last change": float(v) for name, v in zip(names, values, strict=True)}


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
    return (
        f"{levels}{since}",
        f"{len(land.states)} steady states then, {proved} in the box",
        f"no other change of fate between {scanned[0]:.6g} and {scanned[1]:.6g}, neighbouring points that were looked "
        "at; two that undo each other between such points are missed",
    )


def _derivatives(moved, world, at):
    """Of the value by every parameter and every input held at one level: -phi_p / phi_of at the same instant."""
    problem, shown = exposed(world.problem(at.value))
    hidden = {moved.name: moved.of} if moved.name not in moved.given.parameters else {}
    names = [name for name in problem.system.parameters if name != moved.name]
    from remission.solvers import sample

    found = sample(problem, [at.time], world.names, [moved.name, *names])
    if not found.success:
        return {}
    land = world.land(at.value)
    moves = saddle_moves(problem, land, at.saddle, [moved.name, *names], found.gradients[0])
    slopes = at.saddle.by_parameters(found.values[0], found.gradients[0], moves)
    return {
        (hidden | shown).get(name, name): float(-slope / slopes[0]) for name, slope in zip(names, slopes[1:], strict=True)
    }


def _whole(moved, world, low, high):
    """The smallest whole number of a new fate."""
    conditions = _conditions(moved, world, high, (low, high))[:2]
    return Threshold(
        moved.given, _kind(moved, world, low, high), moved.of, float(high), "1", "separatrix",
        f"{world.words(low)} up to {low:g}, {world.words(high)} from {high:g} on", "numerical", None, {},
        (*conditions, "every whole number of the range was looked at"), None, {}, _residue(world, high),
    )  # fmt: skip


def _bisected(moved, world, low, high):
    value = moved.middle(low, high)
    conditions = (
        *_conditions(moved, world, value, (low, high))[:2],
        "found by bisection between fates: the solution passes near no saddle with one unstable eigenvalue, so there "
        "are no derivatives; a stable state may end here (a fold), or the extinction gate may act",
    )
    return Threshold(
        moved.given, _kind(moved, world, low, high), moved.of, value, moved.unit, "crossing",
        _direction(world, low, high), "numerical", None, {}, conditions, None, {}, {"bracket": high - low},
    )  # fmt: skip
