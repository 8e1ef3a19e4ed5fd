"""What is moved in search of a threshold: a parameter, an input, an initial value, or the number of cycles."""

from dataclasses import dataclass, replace

import numpy as np

from remission.models import Parameter
from remission.models.errors import ProblemError, did_you_mean

__all__ = ["Lever", "exposed", "lever"]

CYCLES = ("cycles", "courses", "times")  # words for the number of repetitions of a schedule


@dataclass(frozen=True, eq=False)
class Lever:
    """A problem in which what is moved is a parameter, or a number of repetitions.

    Attributes
    ----------
    given : Problem
        As the user has it.
    problem : Problem
        The same, with a Parameter in place of a level or an initial value where that is moved.
    of : str
        As the user names it.
    name : str
        Parameter of `problem`; empty where the number of repetitions is moved.
    role : str
        What it enters: `"model"`, the equations; `"input"`, a constant level; `"initial"`, the tumour at the start;
        `"start"`, other initial values; `"time"`, the end or length of a treatment; `"surgery"`, the day of an
        operation; `"removed"`, the part that it removes; `"treatment"`, something else of the treatment; `"cycles"`,
        the repetitions.
    unit : str
    scale : {"log", "linear"}
    plausible : (float, float) or None
    now : float
        Where the problem itself stands.
    """

    given: object
    problem: object
    of: str
    name: str
    role: str
    unit: str = ""
    scale: str = "linear"
    plausible: tuple | None = None
    now: float = np.nan

    def at(self, value):
        """The problem at a value."""
        if self.role == "cycles":
            return self.problem.replace(treatment=_repeated(self.problem.treatment, round(value)))
        return self.problem.replace(parameters={self.name: float(value)})

    def range(self, within) -> tuple:
        """Checked ends of the range; the plausible one where none is given."""
        if within is None:
            within = self._usual()
        try:
            low, high = (float(v) for v in within)
        except (TypeError, ValueError):
            raise ProblemError(f"thresholds: within is (low, high), got {within!r}") from None
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise ProblemError(f"thresholds: within is (low, high), finite and rising, got {low:g} to {high:g}")
        if self.role == "cycles" and (low < 1 or low != int(low) or high != int(high)):
            raise ProblemError(f"thresholds: cycles are whole numbers of 1 or more, got {low:g} to {high:g}")
        return low, high

    def _usual(self):
        """The plausible range; the time span for times; a hundredth to a hundredfold of an initial value."""
        if self.plausible is not None:
            return self.plausible
        if self.role in ("time", "surgery"):
            return self.given.t_span
        if self.role in ("initial", "start") and self.now > 0:
            return 0.01 * self.now, 100 * self.now
        raise ProblemError(
            f"thresholds: {self.of} of {self.given.model.name} has no plausible range: within=(low, high) says where "
            "to look"
        )

    def points(self, within, n) -> np.ndarray:
        """Points of a range, even on the lever's scale; every whole number for cycles."""
        low, high = within
        if self.role == "cycles":
            return np.arange(low, high + 1)
        if not (int(n) == n and n >= 2):
            raise ProblemError(f"thresholds: n is a whole number of points, 2 or more, got {n!r}")
        points = (np.geomspace if self.logarithmic(within) else np.linspace)(low, high, int(n))
        points[0], points[-1] = low, high
        return points

    def logarithmic(self, within) -> bool:
        """Whether the range is looked at on a log scale."""
        return self.scale == "log" and within[0] > 0

    def middle(self, low, high) -> float:
        """Between two values, on the lever's scale."""
        if self.scale == "log" and low > 0:
            return float(np.sqrt(low) * np.sqrt(high))
        return 0.5 * (low + high)


def lever(problem, of) -> Lever:
    """What `of` names in a problem.

    Parameters
    ----------
    problem : Problem
    of : str or symbol
        A parameter of the model, the treatment or the initial values; an input that is held at one level; an initial
        value such as `"T(0)"`; or `"cycles"`, the repetitions of the treatment.

    Returns
    -------
    Lever

    Raises
    ------
    ProblemError
        If there is nothing of that name, or it cannot be moved.

    Examples
    --------
    >>> from remission.models import paracrine_loop
    >>> from remission.solvers import Problem
    >>> found = lever(Problem(paracrine_loop()), "T0")
    >>> found.role, found.unit, found.scale
    ('initial', '1e6 cells', 'log')
    """
    of = getattr(of, "name", of)
    if not isinstance(of, str):
        raise ProblemError(f"thresholds: of= names what is moved, got {of!r}")
    if of in problem.parameters:
        return _parameter(problem, of)
    if of.endswith("(0)"):
        return _initial(problem, of)
    if of in problem.system.inputs:
        return _input(problem, of)
    if of in CYCLES:
        return _cycles(problem, of)
    known = [*problem.parameters, *problem.system.inputs, *(f"{s}(0)" for s in problem.system.states), "cycles"]
    raise ProblemError(f"thresholds: {problem.model.name} has no {of!r} to move; {did_you_mean(of, known)}")


def exposed(problem) -> tuple:
    """The problem with levels of inputs as Parameters, and hidden name -> input.

    Inputs that a treatment holds at one number, always or in windows, can then be differentiated by. Others stay.
    """
    shown = {}
    for name in problem.system.inputs:
        levels = {w.level for w in problem.treatment.windows if w.target == name and not w.into_state}
        if len(levels) == 1 and next(iter(levels)).is_number:
            problem, hidden = _with_level(problem, name, float(next(iter(levels))))
            shown[hidden] = name
    return problem, shown


def _parameter(problem, of):
    symbol = next(s for s in problem.system.parameter_symbols if s.name == of)
    info = symbol.info
    unit = info.unit
    return Lever(problem, problem, of, of, _role(problem, symbol), unit, info.scale, info.plausible,
                 problem.parameters[of])  # fmt: skip


def _role(problem, symbol):
    """What a parameter enters; the equations of the model come first."""
    if any(rate.has(symbol) for rate in problem.model.equations.values()):
        return "model"
    treatment = problem.treatment
    if symbol not in treatment.parameters():
        starts = [(s, problem.initial.get(s.name, s.info.initial)) for s in problem.model.states]
        tumour = any(s.info.kind == "tumour" and start.has(symbol) for s, start in starts)
        return "initial" if tumour else "start"
    if any(j.time.has(symbol) and j.kept != 1 for j in treatment.jumps):
        return "surgery"
    if any(j.kept.has(symbol) for j in treatment.jumps):
        return "removed"
    if any((w.end.has(symbol) and not w.level.has(symbol)) for w in treatment.windows):
        return "time"
    return "treatment"


def _hidden(problem, name, value, about, unit):
    while name in problem.parameters:
        name += "_"
    return Parameter(name, value, unit=unit, about=about)


def _initial(problem, of):
    states = {f"{s.name}(0)": s for s in problem.model.states}
    if of not in states:
        raise ProblemError(f"thresholds: {problem.model.name} has no {of!r}; {did_you_mean(of, states)}")
    state = states[of]
    now = problem.initial_values()[state.name]
    symbol = _hidden(problem, f"start_of_{state.name}", now, of, state.info.unit)
    moved = problem.replace(initial={state.name: symbol})
    role = "initial" if state.info.kind == "tumour" else "start"
    return Lever(problem, moved, of, symbol.name, role, state.info.unit, "log", None, now)


def _input(problem, of):
    levels = {w.level for w in problem.treatment.windows if w.target == of and not w.into_state}
    ruled = any(name == of for rule in problem.treatment.rules for mode in rule.levels for name, _ in mode)
    if ruled or len(levels) > 1 or any(not v.is_number for v in levels):
        raise ProblemError(
            f"thresholds: {of} has several levels in the treatment ({problem.treatment}): make the one that is moved "
            "a Parameter and name that"
        )
    symbol = next(s for s in problem.model.inputs if s.name == of)
    now = float(next(iter(levels))) if levels else symbol.info.default
    moved, hidden = _with_level(problem, of, now)
    return Lever(problem, moved, of, hidden, "input", symbol.info.unit, "linear", None, now)


def _with_level(problem, name, now):
    """The problem with the one level of an input as a Parameter, and its name."""
    from remission.solvers import Treatment

    treatment = problem.treatment
    unit = next(s.info.unit for s in problem.model.inputs if s.name == name)
    level = _hidden(problem, f"level_of_{name}", now, name, unit)
    mine = [w.target == name and not w.into_state for w in treatment.windows]
    windows = tuple(replace(w, level=level) if own else w for w, own in zip(treatment.windows, mine, strict=True))
    changed = replace(treatment, windows=windows) if any(mine) else treatment + Treatment.constant({name: level})
    return problem.replace(treatment=changed), level.name


def _cycles(problem, of):
    counts = {thing.repeats for thing in _periodic(problem.treatment)}
    if len(counts) != 1:
        what = "nothing in the treatment is repeated" if not counts else f"schedules are repeated {counts} times"
        raise ProblemError(f"thresholds: of={of!r} needs one number of repetitions, and {what}: {problem.treatment}")
    now = next(iter(counts))
    return Lever(problem, problem, of, "", "cycles", "1", "linear", None, np.nan if now is None else float(now))


def _periodic(treatment):
    return [thing for thing in (*treatment.windows, *treatment.jumps) if thing.period is not None]


def _repeated(treatment, count):
    """The same treatment with every repeated part given `count` times."""

    def again(things):
        return tuple(thing if thing.period is None else replace(thing, repeats=count) for thing in things)

    return replace(treatment, windows=again(treatment.windows), jumps=again(treatment.jumps))
