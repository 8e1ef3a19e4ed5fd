"""What is moved: the parameter or input by name, where it is looked at, and the problem at a value of it."""

import functools
from dataclasses import dataclass

from remission.models.errors import ProblemError, did_you_mean
from remission.solvers import Treatment

from ..given import low_high
from .lever import CYCLES

__all__ = ["Moved", "at_value", "bound", "candidates", "moved_of", "range_of", "words_of"]

REACH = 100.0  # times an input's level, its default or 1: how far it is looked at
DECADES = 100.0  # times a parameter's value, where no plausible range is declared


@dataclass(frozen=True, eq=False)
class Moved:
    """A parameter or input.

    Attributes
    ----------
    name : str
    symbol : Symbol
    role : {"input", "parameter", "initial", "treatment", "cycles"}
        An initial value is a parameter that no equation has; a treatment parameter is one that only doses have;
        cycles are repetitions of a treatment.
    unit : str
    """

    name: str
    symbol: object
    role: str
    unit: str


def candidates(problem) -> list:
    """What a dose threshold is usually asked of: inputs, then parameters of the treatment."""
    own = {s.name for s in problem.model.parameters}
    return [s.name for s in problem.model.inputs] + [
        s.name for s in problem.treatment.parameters() if s.name not in own
    ]


def moved_of(problem, of) -> Moved:
    """The parameter or input that is moved.

    Parameters
    ----------
    problem : Problem
    of : str, Symbol or None
        May be left out where there is one input or treatment parameter alone.

    Returns
    -------
    Moved

    Raises
    ------
    ProblemError
        If there are several and none is named, or there is no such name.
    """
    model = problem.model
    usual = candidates(problem)
    if of is None:
        if len(usual) != 1:
            have = f"several could be: {', '.join(usual)}" if usual else "there is no input"
            raise ProblemError(
                f"thresholds of {model.name}: say what is moved, of=...; {have}; "
                f"parameters: {', '.join(problem.parameters)}"
            )
        of = usual[0]
    name = str(getattr(of, "name", of))
    known = {s.name: s for s in (*problem.system.parameter_symbols, *model.inputs)}
    state = name.removesuffix("(0)")
    if name.endswith("(0)") or (name not in known and name in problem.system.states):
        symbol = next((s for s in model.states if s.name == state), None)
        if symbol is None:
            raise ProblemError(f"{model.name} has no state {state!r}; {did_you_mean(state, problem.system.states)}")
        return Moved(f"{state}(0)", symbol, "initial", symbol.info.unit)
    if name in CYCLES and name not in known:
        return Moved(name, None, "cycles", "1")
    if name not in known:
        raise ProblemError(
            f"thresholds: {model.name} has no parameter or input {name!r}; {did_you_mean(name, list(known))}"
        )
    symbol = known[name]
    return Moved(name, symbol, _role(problem, symbol), symbol.info.unit)


def _role(problem, symbol):
    model = problem.model
    if symbol in model.inputs:
        return "input"
    if any(symbol in rate.free_symbols for rate in model.equations.values()):
        return "parameter"
    return "treatment" if symbol in problem.treatment.parameters() else "initial"


def range_of(problem, moved, within=None) -> tuple:
    """(low, high) in which a parameter or input is moved, and the words that say why.

    Parameters
    ----------
    problem : Problem
    moved : Moved
    within : (low, high), optional

    Returns
    -------
    (float, float), str
    """
    if within is not None:
        return low_high(within, f"thresholds: the range of {moved.name}, within,"), "the given range"
    value = value_of(problem, moved.name)
    if moved.role == "input":
        most = REACH * max(abs(moved.symbol.info.default), abs(value), 1.0)
        return (0.0, most), f"0 to {REACH:g} times the larger of 1, its default and its level"
    if moved.symbol.info.plausible is not None:
        low, high = moved.symbol.info.plausible
        return (min(low, value), max(high, value)), "the plausible range and the problem's value"
    if value == 0:
        return (0.0, 1.0), "0 to 1: no plausible range is declared"
    ends = sorted((value / DECADES, value * DECADES))
    return tuple(ends), f"a {DECADES:g}th of its value to {DECADES:g} times it: no plausible range is declared"


def value_of(problem, name) -> float:
    """Value of a parameter or constant input."""
    return float(problem.parameters[name] if name in problem.parameters else problem.inputs()[name])


def bound(problem, moved) -> tuple:
    """A problem in which a parameter of constant doses is one of the model, and what is moved in it.

    Parameters
    ----------
    problem : Problem
        With constant inputs.
    moved : Moved

    Returns
    -------
    Problem, Moved
        The same two where what is moved is the model's own.
    """
    if moved.role != "treatment":
        return problem, moved
    levels = {}
    for window in problem.treatment.windows:
        levels[window.target] = levels.get(window.target, 0) + window.level
    model = _bound_model(problem.model, tuple(sorted(levels.items())))
    problem = problem.replace(model=model, treatment=Treatment.none())
    return problem, moved_of(problem, moved.name)


@functools.lru_cache(maxsize=32)
def _bound_model(model, levels):
    return model.bind(dict(levels))


def at_value(problem, name, value):
    """The problem with a parameter or constant input at a value."""
    if name in problem.parameters:
        return problem.replace(parameters={name: float(value)})
    return problem.at_constant(**(problem.inputs() | {name: float(value)}))


def words_of(state, names) -> str:
    """Values of some states in words."""
    return ", ".join(f"{name} = {state[name]:.6g}" for name in names)
