"""Model: three dictionaries keyed by symbols (rates, transfers, fluxes), observables, and a source."""

import threading
import weakref
from dataclasses import dataclass, field, fields
from functools import cached_property
from types import MappingProxyType

import sympy as sp

from .dimensions import check_dimensions
from .errors import ModelError, did_you_mean, refuse_unknown_keywords
from .parse import parse_expression
from .partials import letters_of
from .symbols import Input, Letter, Lineage, Parameter, State, t, x, y

__all__ = ["Model"]


class Identity:
    """Stands for what a model says; alive as long as one of the equal models is."""

    __slots__ = ("__weakref__", "hash")

    def __init__(self, number):
        self.hash = number


IDENTITIES, IDENTITIES_LOCK = weakref.WeakValueDictionary(), threading.Lock()


@refuse_unknown_keywords
@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """Equations of a well-mixed or spatial compartment model.

    Parameters
    ----------
    name : str
        Name used in messages, titles and files.
    rates : dict
        State -> expression: what is born, dies, is made or lost in place, per unit of time.
    transfers : dict
        (from, to) -> expression, or (from, to, yield): a flow that leaves one state and enters another, `yield`
        of it; `None` is outside the model.
    fluxes : dict
        State -> flux in space, written with `grad`; a grid of one cell has no faces and so no flux.
    observables : dict
        Name -> expression (or text) in states, parameters, inputs and `t`.
    lineages : dict
        State -> `Lineage`: how the clone is founded and how its families live and die.
    time_unit : str
        Unit of time of every rate: `"day"`, `"week"`, `"month"`, or `"1"` for scaled time.
    source : str
        Paper, with its DOI.
    about : str
        One line for lists.

    Raises
    ------
    ModelError
        If a symbol has no equation or two meanings, a term has the wrong dimension, or a lineage does not add up
        to its equation.

    Examples
    --------
    >>> from remission.models import Model, Parameter, State
    >>> N, r = State("N", 1.0), Parameter("r", 0.1, unit="1/day")
    >>> model = Model("growth", rates={N: r * N})
    >>> print(model)
    growth (time in day)
      dN/dt = r*N
    """

    name: str
    rates: dict = field(default_factory=dict)
    transfers: dict = field(default_factory=dict)
    fluxes: dict = field(default_factory=dict)
    observables: dict = field(default_factory=dict)
    lineages: dict = field(default_factory=dict)
    time_unit: str = "day"
    source: str = ""
    about: str = ""

    def __post_init__(self):
        own = object.__setattr__
        if not isinstance(self.name, str) or not self.name:
            raise ModelError(f"a model needs a name, got {self.name!r}")
        for part in ("rates", "fluxes"):
            own(self, part, _frozen({k: _expression(v, f"{part} of {k}") for k, v in _items(self, part)}))
        flows = {}
        for k, v in _items(self, "transfers"):
            if _arrow(k) in flows:
                raise ModelError(f"{self.name}: the transfer {_arrow(k)} is given twice; add the two flows")
            flows[_arrow(k)] = _expression(v, f"transfer {k}")
        own(self, "transfers", _frozen(flows))
        own(self, "lineages", _frozen(dict(_items(self, "lineages"))))
        _check_states(self)
        table = {s.name: s for s in self._declared()}
        readable = {
            k: parse_expression(v, table) if isinstance(v, str) else _expression(v, f"observable {k}")
            for k, v in _items(self, "observables")
        }
        own(self, "observables", _frozen(readable))
        _check_names(self)
        check_dimensions(self)
        _check_lineages(self)

    def __reduce__(self):
        return Model._from_parts, tuple(_plain(getattr(self, f.name)) for f in fields(self))

    @staticmethod
    def _from_parts(*parts):
        return Model(*parts)

    def _content(self):
        return tuple(_plain(getattr(self, f.name), hashable=True) for f in fields(self))

    def __eq__(self, other):
        return self is other or (isinstance(other, Model) and self._identity is other._identity)

    def __hash__(self):
        return self._identity.hash

    @cached_property
    def _identity(self):
        """One object for all models of equal content: they are then told apart without looking at equations."""
        content = self._content()
        with IDENTITIES_LOCK:
            return IDENTITIES.setdefault(content, Identity(hash(content)))

    def __repr__(self):
        return f"<Model {self.name}: {len(self.states)} states, {len(self.parameters)} parameters>"

    def __str__(self):
        from .text import model_text

        return model_text(self)

    def _repr_latex_(self):
        return self.latex()

    def latex(self) -> str:
        """LaTeX of the equations, an `aligned` block."""
        from .text import model_latex

        return model_latex(self)

    @cached_property
    def states(self) -> tuple:
        """States in the order of declaration."""
        ordered = list(self.rates)
        for start, end, _ in self.transfers:
            ordered += [s for s in (start, end) if s is not None]
        return tuple(dict.fromkeys(ordered + list(self.fluxes)))

    @cached_property
    def parameters(self) -> tuple:
        """Parameters, sorted by name."""
        return tuple(sorted((s for s in self._declared() if isinstance(s, Parameter)), key=_by_name))

    @cached_property
    def inputs(self) -> tuple:
        """Inputs, sorted by name."""
        return tuple(sorted((s for s in self._declared() if isinstance(s, Input)), key=_by_name))

    @cached_property
    def equations(self) -> dict:
        """State -> whole right-hand side in place (rates and transfers together)."""
        total = {s: sp.sympify(self.rates.get(s, 0)) for s in self.states}
        for (start, end, gain), flow in self.transfers.items():
            if start is not None:
                total[start] -= flow
            if end is not None:
                total[end] += gain * flow
        return MappingProxyType(total)

    def symbol(self, name) -> sp.Symbol:
        """The state, parameter or input of a name.

        Parameters
        ----------
        name : str or symbol
            Of a symbol only its name is used.

        Returns
        -------
        State, Parameter or Input

        Raises
        ------
        ModelError
            If there is none; with the nearest match.
        """
        table = {s.name: s for s in (*self.states, *self.parameters, *self.inputs)}
        key = getattr(name, "name", name)
        if key not in table:
            raise ModelError(f"{self.name} has no symbol named {key!r}; {did_you_mean(key, table)}")
        return table[key]

    def replace(self, **changes) -> "Model":
        """A copy with other parts; `model.replace(fluxes={S: -D * grad(S)})`.

        Parameters
        ----------
        **changes
            Any argument of `Model`.

        Returns
        -------
        Model

        Raises
        ------
        ModelError
            If there is no such part, or the new model is not sound.
        """
        parts = {f.name: _plain(getattr(self, f.name)) for f in fields(self)}
        for name in changes:
            if name not in parts:
                raise ModelError(f"Model.replace() has no part {name!r}; {did_you_mean(name, parts)}")
        return Model(**(parts | changes))

    def bind(self, expressions, name=None) -> "Model":
        """A model in which inputs are replaced by expressions, such as `{e: C / (C50 + C)}`.

        Parameters
        ----------
        expressions : dict
            Input (or its name) -> expression in the model's states and in new parameters, or text in the names of
            the model's symbols and observables.
        name : str, optional
            Name of the new model; the old one if not given.

        Returns
        -------
        Model
            The bound model; bound inputs are gone.

        Raises
        ------
        ModelError
            If a key is not an input of the model.
        """
        table = dict(self.observables) | {s.name: s for s in self._declared()}
        swap = {}
        for key, value in expressions.items():
            symbol = self.symbol(key)
            if not isinstance(symbol, Input):
                raise ModelError(
                    f"{self.name}: {symbol} is a {type(symbol).__name__.lower()}, only inputs can be bound; "
                    + did_you_mean(symbol.name, self.inputs)
                )
            swap[symbol] = parse_expression(value, table) if isinstance(value, str) else sp.sympify(value)
        return self._substituted(swap, name or self.name)

    def _substituted(self, swap, name):
        def put(expression):
            return sp.sympify(expression).xreplace(swap)

        return Model(
            name,
            rates={s: put(v) for s, v in self.rates.items()},
            transfers={(a, b, put(gain)): put(v) for (a, b, gain), v in self.transfers.items()},
            fluxes={s: put(v) for s, v in self.fluxes.items()},
            observables={k: put(v) for k, v in self.observables.items()},
            lineages={s: Lineage(put(v.birth), put(v.death), put(v.source)) for s, v in self.lineages.items()},
            time_unit=self.time_unit,
            source=self.source,
            about=self.about,
        )

    def __or__(self, other):
        from .composition import compose

        return compose(self, other)

    def _expressions(self):
        yield from self.rates.values()
        yield from self.transfers.values()
        yield from self.fluxes.values()
        yield from self.observables.values()
        for lineage in self.lineages.values():
            yield from (lineage.birth, lineage.death, lineage.source)
        for gain in self.transfers:
            yield gain[2]
        for state in self.states:
            yield state.info.initial
            yield from state.info.bounds or ()

    def _declared(self):
        return (set(self.states) | letters_of(self._expressions())) - {t, x, y}


def _items(model, part):
    value = getattr(model, part)
    if not hasattr(value, "items"):
        raise ModelError(f"{model.name}: {part} must be a dictionary, got {type(value).__name__}")
    return value.items()


def _frozen(mapping):
    return MappingProxyType(mapping)


def _plain(value, hashable=False):
    if isinstance(value, MappingProxyType):
        return tuple(value.items()) if hashable else dict(value)
    return value


def _by_name(symbol):
    return (symbol.name.lower(), symbol.name)


def _expression(value, where):
    try:
        expression = None if isinstance(value, str) else sp.sympify(value)
    except (sp.SympifyError, TypeError):
        expression = None
    if not isinstance(expression, sp.Expr):
        raise ModelError(f"{where}: give an expression in symbols, got {value!r}")
    if expression.has(sp.nan, sp.oo, -sp.oo, sp.zoo):
        raise ModelError(f"{where}: the expression is not finite: {expression}")
    return expression


def _arrow(key):
    if not isinstance(key, tuple) or len(key) not in (2, 3):
        raise ModelError(f"transfer {key!r}: the key is (from, to) or (from, to, yield)")
    start, end, *gain = key
    for place in (start, end):
        if place is not None and not isinstance(place, State):
            raise ModelError(f"transfer {key!r}: {place!r} is not a State; None means outside the model")
    if start is end:
        raise ModelError(f"transfer {key!r}: leaves and enters the same place")
    return start, end, _expression(gain[0], f"yield of transfer {key}") if gain else sp.Integer(1)


def _check_states(model):
    if not model.states:
        raise ModelError(f"{model.name} has no states: give rates, such as {{S: r * S}}")
    for state in (*model.rates, *model.fluxes, *model.lineages):
        if not isinstance(state, State):
            raise ModelError(f"{model.name}: the key {state!r} is not a State")
    for state, lineage in model.lineages.items():
        if state not in model.states:
            raise ModelError(f"{model.name}: lineage of {state}, which has no equation")
        if not isinstance(lineage, Lineage):
            raise ModelError(f"{model.name}: lineages[{state}] must be a Lineage, got {type(lineage).__name__}")


def _check_names(model):
    letters = letters_of(model._expressions())
    doubtful = {s for s in letters - {t, x, y, *model.states} if isinstance(s, State) or not isinstance(s, Letter)}
    for expression in model._expressions() if doubtful else ():
        for symbol in getattr(expression, "free_symbols", set()) & doubtful:
            if not isinstance(symbol, Letter):
                raise ModelError(
                    f"{model.name}: {symbol} in {expression} is a plain symbol; declare it as State, Parameter or Input"
                )
            if isinstance(symbol, State):
                other = [s for s in model.states if s.name == symbol.name]
                reason = (
                    "another State of the same name but a different meaning has the equation"
                    if other
                    else "it has no equation; give it a rate, 0 if it stays constant"
                )
                raise ModelError(f"{model.name}: state {symbol} is used in {expression}, but {reason}")
    seen = {}
    for symbol in letters | set(model.states):
        if symbol in (t, x, y):
            continue
        if symbol.name in seen:
            raise ModelError(
                f"{model.name}: the name {symbol.name!r} has two meanings: {seen[symbol.name].info} and {symbol.info}"
            )
        seen[symbol.name] = symbol
    for name in model.observables:
        if name in seen:
            raise ModelError(f"{model.name}: observable {name!r} has the name of a {type(seen[name]).__name__.lower()}")
    for state in model.states:
        if state.info.initial.free_symbols & set(model.states):
            raise ModelError(f"{model.name}: the initial value of {state} refers to a state; use parameters only")


def _check_lineages(model):
    for state, lineage in model.lineages.items():
        claimed = (lineage.birth - lineage.death) * state + lineage.source
        rest = sp.simplify(sp.expand(claimed - model.equations[state]))
        if rest != 0 and not _zero_numerically(rest):
            raise ModelError(
                f"{model.name}: the lineage of {state} does not add up to its equation; "
                f"(birth - death)*{state} + source differs from d{state}/dt by {rest}"
            )
        if lineage.source.has(state):
            raise ModelError(f"{model.name}: the lineage source of {state} must not depend on {state} itself")


def _zero_numerically(expression):
    """Whether an expression vanishes at three arbitrary points, where simplification alone did not show it."""
    letters = sorted(expression.free_symbols, key=str)
    for shift in (sp.Rational(3, 7), sp.Rational(11, 13), sp.Rational(5, 3)):
        values = {s: shift + sp.Rational(i + 1, 17) for i, s in enumerate(letters)}
        if abs(sp.N(expression.xreplace(values), 30)) > 1e-20:
            return False
    return True
