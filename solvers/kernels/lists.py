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

from remission.models.partials import partials
from remission.models.symbols import t

__all__ = ["Constants", "Lists", "SensitivityLists", "model_lists", "sensitivity_lists"]


@dataclass(frozen=True, eq=False)
class Lists:
    """What a plain kernel computes.

    `rates[i]` and the entries of `jacobian` are written in states, `totals`, and constants; column `n + k` of the
    Jacobian belongs to total k, whose weight of state j is `weights[k, j]`. `plain` has rates, observables and weights
    before their constants were lifted: what sensitivities are derived from.
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
    plain: tuple

    @property
    def n(self):
        return len(self.states)


@dataclass(frozen=True, eq=False)
class SensitivityLists:
    """What the stages of the sensitivities need besides; every matrix is a dict (i, j) -> expression.

    A state or total is a *slot*: slot i < n is state i, slot n + k is total k. The sensitivity of total k is
    sum_j weights[k, j] s_j + forcing[n + k, c], where forcing[n + k, c] = sum_j d weights[k, j] / dp_c y_j. With k the
    increment of the states in a stage, started from y0, the stage of s_c has in row i of its right-hand side

        sum over slots of jacobian(y) s_c  +  sum over slots of curvature s_c0  +  forcing_ic,

    curvature = d (J(y0) k) / dy and forcing_ic = df_i/dp_c (y) + d (J(y0) k)_i / dp_c. Columns of `jacobian` and
    `curvature` are slots, those of `forcing` carried parameters, those of `steering` inputs.
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
    jacobian = {ij: lift(v) for ij, v in partials(rewritten, [*states, *totals]).items()}
    place = {s: j for j, s in enumerate(states)}
    plain = {(k, place[s]): w for k, sums in enumerate(totals.values()) for s, w in sums.items()}
    weights = {place: lift(w) for place, w in plain.items()}
    return Lists(
        model, clock, tuple(states), tuple(map(lift, rewritten)), jacobian, tuple(totals), weights,
        tuple(map(lift, seen)), constants, (rewritten, seen, plain),
    )  # fmt: skip


def sensitivity_lists(lists, columns, steered=True) -> SensitivityLists:
    """Second derivatives of a model, along a symbolic increment; lifts its constants into those of `lists`.

    Parameters
    ----------
    lists : Lists
    columns : sequence of int or None
        Position in the model's parameters of each carried one; None for one that the model does not have.
    steered : bool
        Whether inputs depend on carried parameters.

    Returns
    -------
    SensitivityLists
    """
    (rates, seen, weights), n = lists.plain, lists.n
    slots = [*lists.states, *lists.totals]
    start = tuple(sp.Dummy(f"start_{i}", real=True) for i in range(len(slots)))
    increment = tuple(sp.Dummy(f"increment_{i}", real=True) for i in range(len(slots)))
    at_start = dict(zip(slots, start, strict=True))
    parameters = [None if c is None else lists.model.parameters[c] for c in columns]
    inputs = lists.model.inputs if steered else ()
    jacobian = partials(rates, slots)

    def along(symbols):
        """d (J(y0) k) / d symbols, for an increment k."""
        terms = {}
        for (i, j), c, slope in _each_derivative(jacobian, symbols):
            terms.setdefault((i, c), []).append(slope.xreplace(at_start) * increment[j])
        return {place: sp.Add(*found) for place, found in terms.items()}

    def outer(symbols):
        table = partials(rates, symbols)
        for place, value in along(symbols).items():
            table[place] = table.get(place, 0) + value
        for (k, j), c, slope in _each_derivative(weights, symbols):
            table[n + k, c] = table.get((n + k, c), 0) + slope * lists.states[j]
            for i in range(n):
                if (i, n + k) in jacobian:  # the increment of a total is the sum of weights * increments
                    value = jacobian[i, n + k].xreplace(at_start) * slope * increment[j]
                    table[i, c] = table.get((i, c), 0) + value
        return table

    tables = [jacobian, outer(parameters), outer(inputs), along(slots)]
    tables += [partials(seen, group) for group in (lists.states, parameters, inputs)]
    lift = lists.constants.lift
    return SensitivityLists(start, increment, *({ij: lift(v) for ij, v in table.items()} for table in tables))


def _each_derivative(table, symbols):
    """(place in the table, symbol's number, derivative), where that is not structurally zero."""
    places = list(table)
    for (e, c), slope in partials(list(table.values()), symbols).items():
        yield places[e], c, slope


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
