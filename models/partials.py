"""Derivatives of many expressions by many symbols, from the leaves up: each shared part is differentiated once.

`sympy.diff` walks a whole expression for every symbol. A ladder of hundreds of states has sums of hundreds of terms
in hundreds of equations, and there the walks, not the derivatives, take the time.
"""

import sympy as sp

__all__ = ["letters_of", "partials"]

ZERO, ONE = sp.Integer(0), sp.Integer(1)


def partials(expressions, symbols) -> dict:
    """The derivatives that are not structurally zero.

    Parameters
    ----------
    expressions : sequence of sympy.Expr
    symbols : sequence of sympy.Symbol or None
        A None has no derivatives.

    Returns
    -------
    dict
        (i, j) -> d expressions[i] / d symbols[j], in the order of i and then of j.

    Examples
    --------
    >>> from remission.models import Parameter, State
    >>> S, R, k = State("S", 1.0), State("R", 0.0), Parameter("k", 0.1)
    >>> partials([k * S * (1 - S - R), k**2], [S, R])
    {(0, 0): -k*S + k*(-R - S + 1), (0, 1): -k*S}
    """
    place = {s: j for j, s in enumerate(symbols) if s is not None}
    known = {}
    table = {}
    for i, expression in enumerate(expressions):
        slopes = _slopes(expression, place, known)
        for symbol in sorted(slopes, key=place.get):
            if slopes[symbol] != 0:
                table[i, place[symbol]] = slopes[symbol]
    return table


def letters_of(expressions) -> set:
    """All symbols of some expressions; what they share is visited once.

    Parameters
    ----------
    expressions : iterable of sympy.Expr
        What is no sympy object, such as None, has no symbols.

    Returns
    -------
    set of sympy.Symbol

    Examples
    --------
    >>> from remission.models import Parameter, State
    >>> S, k = State("S", 1.0), Parameter("k", 0.1)
    >>> letters_of([k * S, S**2, 3]) == {S, k}
    True
    """
    waiting, seen, found = list(expressions), set(), set()
    while waiting:
        expression = waiting.pop()
        if not isinstance(expression, sp.Basic) or expression in seen:
            continue
        seen.add(expression)
        if expression.is_Symbol:
            found.add(expression)
        waiting.extend(expression.args)
    return found


def _slopes(expression, place, known):
    """Symbol -> derivative; a symbol that is not there has derivative zero."""
    if expression not in known:
        known[expression] = _differentiate(expression, place, known)
    return known[expression]


def _differentiate(expression, place, known):
    if expression.is_Symbol:
        return {expression: ONE} if expression in place else {}
    inner = [_slopes(a, place, known) for a in expression.args]
    if not any(inner):
        return {}
    if expression.is_Add:
        return _summed(inner)
    if expression.is_Mul:
        parts = []
        for i, slopes in enumerate(inner):
            if slopes:
                rest = expression._new_rawargs(*expression.args[:i], *expression.args[i + 1 :])  # in order already
                parts.append({s: v if rest == 1 else rest if v == 1 else rest * v for s, v in slopes.items()})
        return _summed(parts)
    if expression.is_Pow and not inner[1]:
        base, exponent = expression.args
        outer = exponent * base ** (exponent - 1)
        return {s: outer if v == 1 else outer * v for s, v in inner[0].items()}
    letters = {s for slopes in inner for s in slopes}  # exp, log, Max, Piecewise ...: few and small
    return {s: sp.diff(expression, s) for s in letters}


def _summed(parts):
    """Sum of several gradients, each entry added up in one go."""
    if len(parts) == 1:
        return parts[0]
    terms = {}
    for slopes in parts:
        for symbol, value in slopes.items():
            terms.setdefault(symbol, []).append(value)
    return {s: values[0] if len(values) == 1 else sp.Add(*values) for s, values in terms.items()}
