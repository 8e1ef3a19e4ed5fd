"""The letters of a model: states, parameters, inputs and time, as sympy symbols that carry their meaning.

Sympy keeps one object per name, so a second `Parameter("r", 2.0)` would silently change an earlier
`Parameter("r", 1.0)`. Here what a symbol means is part of its identity: two letters are the same only when
name, default, unit, kind and text agree. A model then refuses two different meanings of one name.
"""

import keyword
from dataclasses import dataclass

import sympy as sp

from .errors import ModelError, did_you_mean, refuse_unknown_keywords
from .units import parse_unit

__all__ = ["KINDS", "Input", "Lineage", "Parameter", "State", "grad", "t", "x", "y"]

KINDS = ("tumour", "signal", "immune", "drug", "other")
RESERVED = ("t",)  # time


@dataclass(frozen=True)
class StateInfo:
    """What a state means: see `State`."""

    initial: sp.Expr
    unit: str = ""
    kind: str = "tumour"
    cells_per_unit: float | None = None
    positive: bool = True
    about: str = ""
    bounds: tuple | None = None
    scale: float | None = None


@dataclass(frozen=True)
class ParameterInfo:
    """What a parameter means: see `Parameter`."""

    value: float
    unit: str = ""
    plausible: tuple | None = None
    scale: str = "log"
    about: str = ""


@dataclass(frozen=True)
class InputInfo:
    """What an input means: see `Input`."""

    default: float = 0.0
    unit: str = ""
    about: str = ""


class Letter(sp.Symbol):
    """A sympy symbol whose meaning, `info`, is part of its identity."""

    __slots__ = ("content", "info", "meaning")

    def __new__(cls, name, info):
        """Make the symbol; users call `State`, `Parameter` or `Input`, whose arguments are checked."""
        symbol = sp.Symbol.__xnew__(cls, name, real=True)
        symbol.info = info
        symbol.meaning = _meaning(info)
        symbol.content = (*sp.Symbol._hashable_content(symbol), symbol.meaning)  # compared very often
        return symbol

    def _hashable_content(self):
        return self.content

    def __reduce_ex__(self, protocol):
        return _restore, (type(self), self.name, self.info)


def _restore(kind, name, info):
    return Letter.__new__(kind, name, info)


def _meaning(info):
    """Text that differs whenever the meaning differs: sympy orders symbols by it, so it must be comparable.

    An initial value prints with 15 digits and without the defaults of its letters, so both are spelt out.
    """
    expressions = [info.initial, *(info.bounds or ())] if isinstance(info, StateInfo) else []
    letters = {s for e in expressions for s in e.free_symbols if isinstance(s, Letter)}
    exact = [sp.srepr(e) for e in expressions if e.has(sp.Float)]
    return repr(info) + "".join(exact) + "".join(sorted(f"{s.name}={s.meaning}" for s in letters))


@refuse_unknown_keywords
class State(Letter):
    """A quantity that changes in time: a clone, a signal, a drug amount.

    Parameters
    ----------
    name : str
        A Python identifier, unique in the model.
    initial : float or sympy expression
        Default initial value, in `unit`; may be an expression in parameters.
    unit : str
        Unit such as `"1e6 cells"`; `""` is not declared, `"1"` is dimensionless.
    kind : {"tumour", "signal", "immune", "drug", "other"}
        What it is. Tumour-free means that every `"tumour"` state is zero; nothing is inferred from a name.
    cells_per_unit : float, optional
        Cells in one unit of the state. The extinction gate and the default absolute tolerance use it.
    positive : bool
        Whether a value below zero is an error.
    about : str
        One line for readers, tables and axes.
    bounds : (low, high), optional
        Region that the state stays in, numbers or expressions in parameters; the box of `steady_states`.
    scale : float, optional
        Typical size, for the default absolute tolerance where `cells_per_unit` is not given.

    Raises
    ------
    ModelError
        If the name, unit or kind cannot be used.

    Examples
    --------
    >>> S = State("S", 1.0, unit="cells", cells_per_unit=1)
    >>> S.info.kind, S == State("S", 2.0, unit="cells", cells_per_unit=1)
    ('tumour', False)
    """

    __slots__ = ()

    def __new__(
        cls,
        name,
        initial,
        unit="",
        kind="tumour",
        cells_per_unit=None,
        positive=True,
        about="",
        bounds=None,
        scale=None,
    ):
        """Check the meaning and make the symbol."""
        _check_name("State", name)
        if kind not in KINDS:
            raise ModelError(f"State {name!r}: kind {kind!r} is not known; {did_you_mean(kind, KINDS)}")
        if cells_per_unit is not None and not float(cells_per_unit) > 0:
            raise ModelError(f"State {name!r}: cells_per_unit must be above 0, got {cells_per_unit!r}")
        _check_unit("State", name, unit)
        if bounds is not None:
            if len(bounds) != 2:
                raise ModelError(f"State {name!r}: bounds are (low, high), got {bounds!r}")
            bounds = tuple(_expression("State", name, b) for b in bounds)
        # floats, so that 1 and 1.0 are one meaning
        cells_per_unit, scale = (None if v is None else float(v) for v in (cells_per_unit, scale))
        start = _expression("State", name, initial)
        return Letter.__new__(
            cls, name, StateInfo(start, unit, kind, cells_per_unit, bool(positive), about, bounds, scale)
        )


@refuse_unknown_keywords
class Parameter(Letter):
    """A number of the model, with a default, a unit and a plausible range.

    Parameters
    ----------
    name : str
        A Python identifier, unique in the model.
    value : float
        Default value, in `unit`.
    unit : str
        Unit such as `"1/day"`; `""` is not declared, `"1"` is dimensionless.
    plausible : (low, high), optional
        Range that readers would believe: bounds of fits and of sensitivity analysis unless others are given.
    scale : {"log", "linear"}
        Scale on which the parameter is varied. A parameter that is zero is varied linearly.
    about : str
        One line for readers.

    Raises
    ------
    ModelError
        If the value is not finite, or the range is empty.

    Examples
    --------
    >>> r = Parameter("r", 0.027, unit="1/day", plausible=(0.01, 0.1))
    >>> r.info.value, r.info.plausible
    (0.027, (0.01, 0.1))
    """

    __slots__ = ()

    def __new__(cls, name, value, unit="", plausible=None, scale="log", about=""):
        """Check the meaning and make the symbol."""
        _check_name("Parameter", name)
        _check_unit("Parameter", name, unit)
        number = _finite("Parameter", name, value)
        if scale not in ("log", "linear"):
            raise ModelError(f"Parameter {name!r}: scale {scale!r} is neither 'log' nor 'linear'")
        if plausible is not None:
            low, high = (float(v) for v in plausible)
            if not low < high:
                raise ModelError(f"Parameter {name!r}: plausible range ({low:g}, {high:g}) is empty")
            plausible = (low, high)
        return Letter.__new__(cls, name, ParameterInfo(number, unit, plausible, scale, about))


@refuse_unknown_keywords
class Input(Letter):
    """What a treatment sets: a dose level, an oncogene switch, a blocker.

    Parameters
    ----------
    name : str
        A Python identifier, unique in the model.
    default : float
        Level when no treatment names the input.
    unit : str
        Unit; `""` is not declared.
    about : str
        One line for readers.

    Examples
    --------
    >>> Input("u", about="dose / maximum tolerated dose").info.default
    0.0
    """

    __slots__ = ()

    def __new__(cls, name, default=0, unit="", about=""):
        """Check the meaning and make the symbol."""
        _check_name("Input", name)
        _check_unit("Input", name, unit)
        return Letter.__new__(cls, name, InputInfo(_finite("Input", name, default), unit, about))


@refuse_unknown_keywords
@dataclass(frozen=True)
class Lineage:
    """How a clone is founded and how its families live: the birth-death reading of one equation.

    For a state `R` the model's equation must be `R' = (birth - death) R + source`; `Model` checks it.

    Parameters
    ----------
    birth, death : sympy expression
        Rates per cell and unit of time.
    source : sympy expression
        Founding rate: new families per unit of time, in units of the state.

    Examples
    --------
    >>> b, d = Parameter("b", 0.3, unit="1/day"), Parameter("d", 0.15, unit="1/day")
    >>> Lineage(birth=b, death=d).source
    0
    """

    birth: sp.Expr
    death: sp.Expr
    source: sp.Expr = sp.S.Zero

    def __post_init__(self):
        for name in ("birth", "death", "source"):
            object.__setattr__(self, name, _expression("Lineage", name, getattr(self, name)))


t = sp.Symbol("t", real=True)  # time, in the model's unit
x = sp.Symbol("x", real=True)  # position on a grid: along a line, or the distance from the centre
y = sp.Symbol("y", real=True)  # second position, of a rectangle
grad = sp.Function("grad")  # gradient in fluxes: {S: -D * grad(S)}


def _check_name(kind, name):
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name) or name in RESERVED:
        raise ModelError(
            f"{kind} name {name!r} cannot be used: give a Python identifier, no keyword, and not 't', which is time"
        )


def _check_unit(kind, name, unit):
    try:
        parse_unit(unit)
    except ValueError as fault:
        raise ModelError(f"{kind} {name!r}: {fault}") from None


def _finite(kind, name, value):
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ModelError(f"{kind} {name!r}: {value!r} is not a number") from None
    if number != number or number in (float("inf"), float("-inf")):
        raise ModelError(f"{kind} {name!r}: the value must be finite, got {number}")
    return number


def _expression(kind, name, value):
    if isinstance(value, str):
        raise ModelError(f"{kind} {name!r}: give a number or an expression in Parameters, not the text {value!r}")
    try:
        expression = sp.sympify(value)
    except sp.SympifyError:
        expression = None
    if not isinstance(expression, sp.Expr):
        raise ModelError(f"{kind} {name!r}: {value!r} is not a number or an expression")
    if expression.has(sp.nan, sp.oo, -sp.oo, sp.zoo):
        raise ModelError(f"{kind} {name!r}: the value must be finite, got {expression}")
    return expression
