"""First derivatives of many expressions, several times faster than one `sympy.diff` after the other.

Sums, products and powers are differentiated here and every subexpression only once: the burden in each clone's logistic
term has one derivative by each clone. Everything else is left to SymPy.
"""

import sympy as sp

__all__ = ["partials"]


def partials(expressions, symbols) -> dict:
    """Derivatives that are not structurally zero.

    Parameters
    ----------
    expressions : sequence of Expr
    symbols : sequence of Symbol or None
        A None has no derivatives.

    Returns
    -------
    dict
        (i, j) -> d expressions[i] / d symbols[j], row by row.

    Examples
    --------
    >>> from remission.models import Parameter, State
    >>> N, r = State("N", 1.0), Parameter("r", 0.1)
    >>> partials([N**2, r], [N, r])
    {(0, 0): 2*N, (1, 1): 1}
    """
    place = {s: j for j, s in enumerate(symbols) if s is not None}
    look, table = _Partials(), {}
    for i, expression in enumerate(expressions):
        for symbol in sorted(look.free(expression) & place.keys(), key=place.get):
            value = look.derivative(expression, symbol)
            if value != 0:
                table[i, place[symbol]] = value
    return table


class _Partials:
    def __init__(self):
        self._free, self._known = {}, {}

    def free(self, expression):
        if expression not in self._free:
            self._free[expression] = frozenset(expression.free_symbols)
        return self._free[expression]

    def derivative(self, expression, symbol):
        key = expression, symbol
        if key not in self._known:
            self._known[key] = self._derive(expression, symbol)
        return self._known[key]

    def _derive(self, x, symbol):
        if x == symbol:
            return sp.S.One
        if x.is_Add:
            return sp.Add(*(self.derivative(a, symbol) for a in x.args if symbol in self.free(a)))
        if x.is_Mul:
            moving = [k for k, a in enumerate(x.args) if symbol in self.free(a)]
            return sp.Add(*(sp.Mul(self.derivative(x.args[k], symbol), *x.args[:k], *x.args[k + 1 :]) for k in moving))
        if x.is_Pow and symbol not in self.free(x.exp):
            return sp.Mul(x.exp, sp.Pow(x.base, x.exp - 1), self.derivative(x.base, symbol))
        return sp.diff(x, symbol)
