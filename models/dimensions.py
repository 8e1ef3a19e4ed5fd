"""Dimension check of a model: every sum adds like to like, every rate is its state's unit per unit of time.

A symbol without a declared unit matches anything, so a model may declare none, some, or all of its units.
"""

import math

import sympy as sp
from sympy.core.function import AppliedUndef

from .errors import ModelError
from .symbols import Input, Parameter, State, grad, t, x, y
from .units import Unit, parse_unit

__all__ = ["check_dimensions", "dimension_of"]

NUMBER = parse_unit("1")
SAME_AS_ARGUMENT = (sp.Abs, sp.Min, sp.Max)


def check_dimensions(model) -> None:
    """Refuse a model in which a term has the wrong unit.

    Parameters
    ----------
    model : Model
        Its symbols may have units or not; what is not declared matches anything.

    Raises
    ------
    ModelError
        Naming the equation, the term, the unit it has and the unit it should have.

    Examples
    --------
    >>> from remission.models import Model, Parameter, State
    >>> S, r = State("S", 1.0, unit="cells"), Parameter("r", 0.1, unit="1/day")
    >>> Model("bad", rates={S: r * S + S})
    Traceback (most recent call last):
    ...
    remission.models.errors.ModelError: bad, dS/dt: the term S has unit cells, but should have cell/day
    """
    time = parse_unit(model.time_unit)
    known = {t: time}  # units found so far: what several terms share is measured once
    if not any(s.info.unit for s in (*model.states, *model.parameters, *model.inputs)):
        return  # nothing to compare with
    for state in model.states:
        unit = _declared(state)
        wanted = None if unit is None else unit / time
        if state in model.rates:
            _check_terms(model, f"d{state}/dt", model.rates[state], wanted, known)
        start = _measure(state.info.initial, f"{model.name}, initial value of {state}", known)
        _compare(f"{model.name}, initial value of {state}", state.info.initial, start, unit)
    for (start, end, gain), flow in model.transfers.items():
        where = f"flow from {start} to {end}"
        for state, factor in ((start, 1), (end, gain)):
            unit = None if state is None else _declared(state)
            if unit is not None:
                _check_terms(model, where, factor * flow, unit / time, known)
    for name, expression in model.observables.items():
        _measure(expression, f"{model.name}, observable {name}", known)
    for state, lineage in model.lineages.items():
        for part in ("birth", "death"):
            _check_terms(model, f"{part} rate of {state}", getattr(lineage, part), NUMBER / time, known)


def dimension_of(expression, time_unit="day") -> Unit | None:
    """Unit of an expression, or None where a symbol without a declared unit leaves it open.

    Parameters
    ----------
    expression : sympy.Expr
        In States, Parameters, Inputs and `t`.
    time_unit : str
        Unit of `t`.

    Returns
    -------
    Unit or None

    Raises
    ------
    ModelError
        If the expression adds unlike things.

    Examples
    --------
    >>> from remission.models import Parameter, State
    >>> S, r = State("S", 1.0, unit="cells"), Parameter("r", 0.1, unit="1/day")
    >>> str(dimension_of(r * S))
    'cell/day'
    """
    return _measure(sp.sympify(expression), f"expression {expression}", {t: parse_unit(time_unit)})


def _declared(symbol):
    text = symbol.info.unit
    return parse_unit(text) if text else None


def _check_terms(model, place, expression, wanted, known):
    """Compare each term of a sum on its own, so that the message names the one that is wrong."""
    where = f"{model.name}, {place}"
    terms = expression.args if expression.is_Add else (expression,)
    for term in terms:
        unit = _measure(term, where, known)
        if not term.is_number or term != 0:
            _compare(where, term, unit, wanted)


def _compare(where, term, unit, wanted):
    if unit is None or wanted is None or _equal(unit, wanted) or term == 0:
        return
    if term.is_number:  # a bare number stands for a quantity in the declared unit
        return
    raise ModelError(f"{where}: the term {term} has unit {_text(unit)}, but should have {_text(wanted)}")


def _equal(a, b):
    return a.same_dimension(b) and math.isclose(a.factor, b.factor, rel_tol=1e-9)


def _text(unit):
    return str(unit) or "1"


def _measure(expression, where, known):
    if expression not in known:
        known[expression] = _found(expression, where, known)
    return known[expression]


def _found(expression, where, known):
    if expression.is_number:
        return NUMBER
    if isinstance(expression, (State, Parameter, Input)):
        return _declared(expression)
    if expression in (x, y) or isinstance(expression, AppliedUndef) or expression.func == grad:
        return None
    if expression.is_Add:
        return _common(expression.args, where, known)
    if isinstance(expression, SAME_AS_ARGUMENT):
        return _common(expression.args, where, known)
    if expression.is_Mul:
        units = [_measure(a, where, known) for a in expression.args]
        told = [u for u in units if u is not None and u != NUMBER]  # products of units are exact fractions, and slow
        return None if None in units else math.prod(told, start=NUMBER) if told else NUMBER
    if expression.is_Pow:
        return _power(expression, where, known)
    if isinstance(expression, sp.Piecewise):
        for _, condition in expression.args:
            for relation in condition.atoms(sp.core.relational.Relational):
                _common(relation.args, where, known)
        return _common([value for value, _ in expression.args], where, known)
    for argument in expression.args:  # exp, log, tanh ... take and give plain numbers
        _must_be_number(_measure(argument, where, known), argument, where)
    return NUMBER


def _power(expression, where, known):
    base, exponent = expression.as_base_exp()
    unit = _measure(base, where, known)
    if base.is_number or not exponent.is_number:
        _must_be_number(_measure(exponent, where, known), exponent, where)
        _must_be_number(unit, base, where)
        return NUMBER if unit is not None else None
    if unit is None or unit == NUMBER:
        return unit
    power = sp.nsimplify(exponent, rational=True)
    return unit ** sp.Rational(power) if power.is_Rational else None


def _must_be_number(unit, term, where):
    if unit is not None and not _equal(unit, NUMBER):
        raise ModelError(f"{where}: {term} has unit {_text(unit)}, but must be a plain number")


def _common(terms, where, known):
    shared, first = None, None
    for term in terms:
        unit = _measure(term, where, known)
        if unit is None or term == 0:
            continue
        if shared is None:
            shared, first = unit, term
        elif not _equal(unit, shared):
            raise ModelError(
                f"{where}: {first} [{_text(shared)}] and {term} [{_text(unit)}] are added or compared; "
                "they differ in unit"
            )
    return shared
