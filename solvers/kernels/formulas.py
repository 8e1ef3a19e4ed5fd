"""SymPy expressions -> emitted values, and a model's formulas at a point.

`emit_expressions` walks a list once, common terms first; every operation that is not arithmetic is looked up in
`elementary.LANES` under the name that `models.operations` gives it.
"""

import sympy as sp

from remission.models.expressions import NAMES, RELATIONS

from .elementary import LANES, integer_power
from .emit import Writer
from .values import POINTER

__all__ = ["Formulas", "FormulasInFunction", "Unsupported", "check_operations", "emit_expressions"]


class Unsupported(Exception):
    """A model that cannot be emitted; the message names the operation. SciPy's methods take over."""


def emit_expressions(w, expressions, environment) -> list:
    """Values of expressions; `environment[symbol]` is the Number that a symbol stands for."""
    return list(emit_in_turn(w, expressions, environment))


def emit_in_turn(w, expressions, environment):
    """The same one by one: what is put away at once needs no register until all are there."""
    shared, reduced = sp.cse(list(expressions), symbols=sp.numbered_symbols("shared_", cls=sp.Dummy), order="none")
    walk = _Walk(w, environment)
    for symbol, expression in shared:
        walk.known[symbol] = walk(expression)
    yield from map(walk, reduced)


def check_operations(expressions):
    """Raise `Unsupported` if some operation has no lanes."""
    seen = set()  # equations share most of their terms
    for expression in expressions:
        waiting = [expression]
        while waiting:
            node = waiting.pop()
            if node in seen:
                continue
            seen.add(node)
            waiting += node.args
            named = isinstance(node, sp.Function) and not isinstance(node, (sp.Min, sp.Max, sp.Piecewise))
            if named and NAMES.get(type(node)) not in LANES:
                raise Unsupported(f"the operation {type(node).__name__} in {expression}")


class _Walk:
    def __init__(self, w, environment):
        self.w, self.environment, self.known = w, environment, {}

    def __call__(self, x):
        if x not in self.known:
            self.known[x] = self.visit(x)
        return self.known[x]

    def visit(self, x):
        w = self.w
        if x.is_Symbol:
            return self.environment[x]
        if x.is_Add:
            return self.sum(x.args)
        if x.is_Mul:
            return self.product(x)
        if x.is_Pow:
            return self.power(*x.as_base_exp())
        if x.is_number and x.is_real and not x.has(sp.Function):
            return w.real(float(x))
        if isinstance(x, sp.exp):
            return LANES["exp"](w, self(x.args[0]))
        if isinstance(x, (sp.Min, sp.Max)):
            pick = LANES["minimum" if isinstance(x, sp.Min) else "maximum"]
            value, *rest = map(self, x.args)
            for other in rest:
                value = pick(w, value, other)
            return value
        if isinstance(x, sp.Piecewise):
            return self.piecewise(x.args)
        if type(x) in RELATIONS:
            return self(x.args[0])._compare(self(x.args[1]), RELATIONS[type(x)])
        if isinstance(x, (sp.And, sp.Or)):
            value, *rest = map(self, x.args)
            for other in rest:
                value = value & other if isinstance(x, sp.And) else value | other
            return value
        if NAMES.get(type(x)) in LANES:
            return LANES[NAMES[type(x)]](w, self(x.args[0]))
        raise Unsupported(f"the operation {type(x).__name__} in {x}")

    def sum(self, terms):
        up = [a for a in terms if not a.could_extract_minus_sign()]
        down = [-a for a in terms if a.could_extract_minus_sign()]
        value = self(up[0]) if up else -self(down.pop(0))
        for a in up[1:]:
            value = value + self(a)
        for a in down:
            value = value - self(a)
        return value

    def product(self, x):
        above, below, negative = [], [], False
        for factor in x.args:
            base, exponent = factor.as_base_exp()
            if factor == -1:
                negative = True
            elif factor.is_Pow and exponent.is_number and exponent.is_negative:
                below.append(self.power(base, -exponent))
            elif factor.is_Rational and not factor.is_Integer:
                above.append(self.w.real(float(factor)))
            else:
                above.append(self(factor))
        value = _times(above) if above else self.w.real(1.0)
        value = value / _times(below) if below else value
        return -value if negative else value

    def power(self, base, exponent):
        w = self.w
        if exponent.is_Integer:
            value = integer_power(self(base), abs(int(exponent))) if exponent else w.real(1.0)
            return 1.0 / value if exponent < 0 else value
        if exponent in (sp.S.Half, -sp.S.Half):
            root = LANES["sqrt"](w, self(base))
            return root if exponent > 0 else 1.0 / root
        return LANES["power"](w, self(base), self(exponent))

    def piecewise(self, pieces):
        w = self.w
        *pieces, (last, condition) = pieces
        value = self(last)
        if condition != sp.true:
            value = w.where(self(condition), value, float("nan"))
        for piece, condition in reversed(pieces):
            value = LANES["where"](w, self(condition), self(piece), value)
        return value


def _times(values):
    result = values[0]
    for v in values[1:]:
        result = result * v
    return result


class Formulas:
    """A model's formulas written in place; a point is anything with `point[i]`."""

    def __init__(self, w, lists, constants):
        self.w, self.lists, self.constants = w, lists, constants

    def evaluate(self, expressions, point, extra=()):
        """Values of expressions of the lists at a state."""
        scope = _Scope(self.w, self.lists, self.constants, point)
        scope.update(extra)
        return emit_expressions(self.w, expressions, scope)

    def rates(self, point):
        return self.evaluate(self.lists.rates, point)

    def tangent(self, point):
        """Rates, and the Jacobian as a dict (i, j) -> value; terms that both share are computed once."""
        entries = self.lists.jacobian
        values = self.evaluate([*self.lists.rates, *entries.values()], point)
        return values[: self.lists.n], dict(zip(entries, values[self.lists.n :], strict=True))

    def weights(self):
        values = self.evaluate(self.lists.weights.values(), [])
        return dict(zip(self.lists.weights, values, strict=True))

    def observables(self, point):
        return self.evaluate(self.lists.observables, point)


class FormulasInFunction(Formulas):
    """For large systems: the rates are one function, called once a stage, with its vectors in memory."""

    def __init__(self, w, lists, constants):
        super().__init__(w, lists, constants)
        self.function = rates_function(w, lists)

    def rates(self, point):
        out = self.w.array(self.lists.n)
        self.w.call(self.function, point, self.constants, out)
        return out

    def tangent(self, point):
        entries = self.lists.jacobian
        values = self.evaluate(entries.values(), point)
        return self.rates(point), dict(zip(entries, values, strict=True))


def rates_function(w, lists):
    """`rates(point, constants, out)` as a function of the module."""
    inner = Writer(w.module, "rates", w.lanes, [POINTER] * 3, internal=True)
    point, constants, out = map(inner.own, inner.arguments)
    scope = _Scope(inner, lists, constants, point)
    for i, value in enumerate(emit_in_turn(inner, lists.rates, scope)):
        out[i] = value
    inner.finish()
    return inner.function


def prepare_function(w, lists):
    """`prepare(constants)`: the lifted terms from the parameters and inputs that stand before them."""
    inner = Writer(w.module, "prepare", w.lanes, [POINTER], internal=True)
    constants = inner.own(inner.arguments[0])
    known = {s: constants[j] for j, s in enumerate(lists.constants.symbols)}
    first = len(known)
    for j, value in enumerate(emit_in_turn(inner, list(lists.constants.lifted), known), first):
        constants[j] = value
    inner.finish()
    return inner.function


class _Scope(dict):
    """Symbol -> Number on first use: states from the point, constants from memory, totals by their sum."""

    def __init__(self, w, lists, constants, point):
        super().__init__()
        self._w, self._lists = w, lists
        self._sources = {s: (point, i) for i, s in enumerate(lists.states)}
        self._sources |= {
            s: (constants, j) for j, s in enumerate((*lists.constants.symbols, *lists.constants.lifted.values()))
        }

    def __missing__(self, symbol):
        if symbol in self._lists.totals:
            self[symbol] = self._sum(self._lists.totals.index(symbol))
        else:
            source, place = self._sources[symbol]
            self[symbol] = source[place]
        return self[symbol]

    def _sum(self, total):
        value = None
        for (k, j), weight in self._lists.weights.items():
            if k == total:
                term = self[self._lists.states[j]]
                if weight != 1:
                    term = term * _Walk(self._w, self)(weight)
                value = term if value is None else value + term
        return value
