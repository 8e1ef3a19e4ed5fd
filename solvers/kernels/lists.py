"""Expression lists of a model as the kernel wants them: sparse, parameter-only terms lifted out, shared sums named.

Three rewritings of `model.equations`, all exact:

* **Clock.** A model that names `t` gets one more state with rate 1. A Rosenbrock method treats it exactly as its
  non-autonomous form treats time, so nothing else here has to know about time.
* **Totals.** A linear sum of states that several equations share (the burden in every clone's logistic term) becomes
  one symbol. `linear.py` may keep it as an unknown of its own: the Jacobian then stays sparse.
* **Constants.** Whatever depends on parameters and inputs alone is lifted out of every expression and computed once a
  segment, between two doses.
"""

from dataclasses import dataclass

import sympy as sp

from remission.models.symbols import t

__all__ = ["Constants", "Lists", "SensitivityLists", "derivatives", "model_lists", "sensitivity_lists"]


@dataclass(frozen=True, eq=False)
class Lists:
    """What a plain kernel computes.

    `rates[i]` and the entries of `jacobian` are written in states, `totals`, and constants; column `n + k` of the
    Jacobian belongs to total k, whose weight of state j is `weights[k, j]`.
    """

    model: object
    clock: object
    states: tuple
    rates: tuple
    jacobian: dict
    totals: tuple
    weights: dict
    observables: tuple
    constants: "Constants"

    @property
    def n(self):
        return len(self.states)


@dataclass(frozen=True, eq=False)
class SensitivityLists:
    """What the stages of the sensitivities need besides; every matrix is a dict (i, j) -> expression.

    With k the increment of the states in a stage, started from y0, the stage of s_j has on its right-hand side
    J(y) s_j + forcing_j + curvature s_j0, where curvature = d (J(y0) k) / dy and
    forcing_j = df/dp_j (y) + d (J(y0) k) / dp_j. Columns of `forcing` are parameters, those of `steering` inputs.
    """

    start: tuple
    increment: tuple
    jacobian: dict
    forcing: dict
    steering: dict
    curvature: dict
    observed_by_state: dict
    observed_by_parameter: dict
    observed_by_input: dict


class Constants:
    """Terms of parameters and inputs alone, each once, in the order in which they can be computed."""

    def __init__(self, symbols):
        self.symbols = tuple(symbols)
        self._fixed, self._memo = frozenset(self.symbols), {}
        self.lifted = {}

    def __len__(self):
        return len(self.symbols) + len(self.lifted)

    def lift(self, expression):
        """The expression with its constant terms replaced by symbols."""
        if expression not in self._memo:
            self._memo[expression] = self._lift(expression)
        return self._memo[expression]

    def _lift(self, expression):
        free = expression.free_symbols
        if not free or expression.is_Symbol:
            return expression
        if free <= self._fixed and isinstance(expression, sp.Expr):
            return self.lifted.setdefault(expression, sp.Dummy(f"constant_{len(self.lifted)}", real=True))
        if expression.is_Add or expression.is_Mul:
            fixed = [a for a in expression.args if a.free_symbols <= self._fixed]
            moving = [self.lift(a) for a in expression.args if not a.free_symbols <= self._fixed]
            if any(a.free_symbols for a in fixed):
                fixed = [self.lift(expression.func(*fixed))]
            return expression.func(*fixed, *moving)
        return expression.func(*(self.lift(a) for a in expression.args))


def model_lists(model) -> Lists:
    """Derive the lists of a model."""
    equations = [model.equations[s] for s in model.states]
    seen = list(model.observables.values())
    states, clock = list(model.states), None
    if any(e.has(t) for e in (*equations, *seen)):
        clock = sp.Dummy("clock", real=True)
        equations, seen = ([e.xreplace({t: clock}) for e in group] for group in (equations, seen))
        states.append(clock)
        equations.append(sp.Integer(1))
    constants = Constants((*model.parameters, *model.inputs))
    rewritten, totals = _name_totals(equations, states)
    lift = constants.lift
    jacobian = {ij: lift(v) for ij, v in derivatives(rewritten, [*states, *totals]).items()}
    place = {s: j for j, s in enumerate(states)}
    weights = {(k, place[s]): lift(w) for k, sums in enumerate(totals.values()) for s, w in sums.items()}
    return Lists(
        model, clock, tuple(states), tuple(map(lift, rewritten)), jacobian, tuple(totals), weights,
        tuple(map(lift, seen)), constants,
    )  # fmt: skip


def sensitivity_lists(lists) -> SensitivityLists:
    """Second derivatives of a model, along a symbolic increment; lifts its constants into those of `lists`."""
    model, states, n = lists.model, list(lists.states), lists.n
    swap = {t: lists.clock} if lists.clock is not None else {}
    equations = [model.equations[s].xreplace(swap) for s in model.states] + [sp.Integer(1)] * bool(swap)
    seen = [e.xreplace(swap) for e in model.observables.values()]
    start = tuple(sp.Dummy(f"start_{i}", real=True) for i in range(n))
    increment = tuple(sp.Dummy(f"increment_{i}", real=True) for i in range(n))
    at_start = dict(zip(states, start, strict=True))
    jacobian = derivatives(equations, states)
    along = [sp.Integer(0)] * n
    for (i, j), value in jacobian.items():
        along[i] += value * increment[j]

    def outer(symbols):
        table = derivatives(equations, symbols)
        for ij, value in derivatives(along, symbols).items():
            table[ij] = table.get(ij, sp.Integer(0)) + value.xreplace(at_start)
        return table

    curvature = {ij: v.xreplace(at_start) for ij, v in derivatives(along, states).items()}
    tables = [jacobian, outer(model.parameters), outer(model.inputs), curvature]
    tables += [derivatives(seen, group) for group in (states, model.parameters, model.inputs)]
    lift = lists.constants.lift
    return SensitivityLists(start, increment, *({ij: lift(v) for ij, v in table.items()} for table in tables))


def derivatives(expressions, symbols) -> dict:
    """(i, j) -> d expressions[i] / d symbols[j], where it is not structurally zero."""
    place = {s: j for j, s in enumerate(symbols)}
    table = {}
    for i, expression in enumerate(expressions):
        for symbol in sorted(expression.free_symbols & place.keys(), key=place.get):
            value = sp.diff(expression, symbol)
            if value != 0:
                table[i, place[symbol]] = value
    return table


def _name_totals(equations, states):
    """Equations in which shared sums are symbols, and symbol -> {state: weight}."""
    known, looked, found = frozenset(states), {}, {}
    for equation in equations:
        for key in {k for k in (_linear_part(a, known, looked)[0] for a in equation.atoms(sp.Add)) if k}:
            found[key] = found.get(key, 0) + 1
    shared = [key for key, count in found.items() if count > 1]
    names = {key: sp.Dummy(f"total_{k}", real=True) for k, key in enumerate(sorted(shared, key=str))}
    if not names:
        return equations, {}
    memo = {}

    def put(expression):
        if expression not in memo:
            memo[expression] = _put(expression)
        return memo[expression]

    def _put(expression):
        if not expression.args or not expression.free_symbols & known:
            return expression
        if expression.is_Add:
            key, lead, rest = _linear_part(expression, known, looked)
            if key in names:
                return sp.Add(lead * names[key], *map(put, rest))
        return expression.func(*map(put, expression.args))

    return list(map(put, equations)), {symbol: dict(key) for key, symbol in names.items()}


def _linear_part(node, known, looked):
    """The linear terms of an Add: ((state, weight) ... with leading weight 1) or None, the leading factor, the rest."""
    if node not in looked:
        weights, rest = {}, []
        for term in node.args:
            moving = [f for f in sp.Mul.make_args(term) if f.free_symbols & known]
            if len(moving) == 1 and moving[0] in known:
                factor = sp.Mul(*(f for f in sp.Mul.make_args(term) if f is not moving[0]))
                weights[moving[0]] = weights.get(moving[0], 0) + factor  # -k10 C - k12 C is two terms of one state
            else:
                rest.append(term)
        ordered = sorted(weights, key=lambda s: s.name)
        lead = _leading_weight([weights[s] for s in ordered]) if len(weights) > 1 else None
        if lead is None:
            looked[node] = None, None, None
        else:
            looked[node] = tuple((s, weights[s] / lead) for s in ordered), lead, rest
    return looked[node]


def _leading_weight(weights):
    """The first weight that the others can be divided by whatever the parameters are; None if there is none.

    A parameter in a numerator may be zero, as the crowding by a clone may be; one in a denominator is not.
    """
    below = set().union(*(sp.fraction(w)[1].free_symbols for w in weights))
    for lead in weights:
        if all(sp.fraction(w / lead)[1].free_symbols <= below for w in weights):
            return lead
    return None
