"""From a model to the square systems that together hold all its steady states.

A clone that is absent stays absent: where a state divides its own equation the search splits into "it is zero" and
"the quotient is zero", so that no box has to straddle zero. Conserved totals replace an equation each. What an
equation gives linearly, with a factor free of the states, is put into the others; what is then divided by a state that
is not zero is divided by it once more, so that corners of the box hold no root of a part that excludes them.
"""

from dataclasses import dataclass
from functools import lru_cache

import sympy as sp

from remission.models.derive import conserved_totals
from remission.models.errors import ProblemError
from remission.solvers.tape import make_tape

__all__ = []  # of use inside the package only

MOST_PARTS = 256
MOST_TERMS = 120  # of a polynomial that is expanded


class NotReducible(ProblemError):
    """The equations have a form for which no proof is offered; the message says which."""


@dataclass(frozen=True, eq=False)
class System:
    """Equations of a model with exact numbers.

    Attributes
    ----------
    states : tuple of Symbol
    equations : dict
        State -> what has to be zero; with conserved totals the total replaces one equation.
    parameters : tuple of Symbol
        Parameters, inputs, then one symbol for the value of each total.
    totals : tuple of (State, Expr)
        The state whose equation each conserved total replaces, and the total.
    rates : dict
        State -> rate, all of them.
    """

    states: tuple
    equations: dict
    parameters: tuple
    totals: tuple
    rates: dict


@dataclass(frozen=True, eq=False)
class Part:
    """One square system: some states zero, some divided out, some eliminated.

    Attributes
    ----------
    zeros, divided : tuple of Symbol
        States that are zero here; states that are not and whose equation was divided by them.
    eliminated : tuple of (Symbol, Symbol, Expr)
        A state, the state whose equation gave it, and its value in terms of `variables`.
    variables, equations : tuples
    factors, exponents : tuples of Expr
        Expressions in parameters that have to differ from zero, and those that have to be positive.
    free : tuple of Symbol
        States on which no equation depends: the part is a continuum.
    tape : Tape or None
        Equations, values of the eliminated states, Jacobian (row by row). None where there are fewer equations than
        states in them.
    conditions : Tape
        Factors and exponents, over the parameters alone.
    again : tuple of (Symbol, Symbol)
        State whose equation was divided once more after the elimination, and by which state, in this order.
    logarithms : tuple of Symbol
        States of whose equation c log(q) = 0 only q = 1 was kept.
    alike : bool
        Whether all equations have a factor with states in common.
    """

    zeros: tuple
    divided: tuple
    eliminated: tuple
    variables: tuple
    equations: tuple
    factors: tuple
    exponents: tuple
    free: tuple
    tape: object
    conditions: object
    again: tuple = ()
    logarithms: tuple = ()
    alike: bool = False


def exact(expression):
    """The expression with decimal numbers as the fractions that their doubles are, so that derivatives are exact."""
    expression = sp.sympify(expression)
    return expression.xreplace({f: sp.Rational(float(f)) for f in expression.atoms(sp.Float)})


@lru_cache(maxsize=64)
def system_of(model) -> System:
    """The model's equations, with conserved totals in place of what they make redundant."""
    rates = {s: exact(e) for s, e in model.equations.items()}
    equations, totals, symbols = dict(rates), [], []
    for total in conserved_totals(model):
        total = exact(total)
        holder = [s for s in model.states if total.coeff(s) != 0 and s not in [k for k, _ in totals]][-1]
        value = sp.Symbol(f"total_of_{holder.name}")
        equations[holder] = total - value
        totals.append((holder, total))
        symbols.append(value)
    return System(model.states, equations, (*model.parameters, *model.inputs, *symbols), tuple(totals), rates)


@lru_cache(maxsize=64)
def parts_of(model, splitting, eliminate=True) -> tuple:
    """All parts of a model's steady states.

    Parameters
    ----------
    model : Model
    splitting : frozenset of str
        States whose box reaches zero: only these are split.
    eliminate : bool

    Returns
    -------
    tuple of Part
    """
    return tuple(part_of(system_of(model), *case, eliminate) for case in cases_of(model, splitting))


@lru_cache(maxsize=64)
def cases_of(model, splitting) -> tuple:
    """What `parts_of` starts from: equations by state, states that are zero, states divided out, exponents met."""
    system = system_of(model)
    can = [s for s in system.states if s.name in splitting]
    found = []
    _split(system, can, dict(system.equations), (), (), set(), found)
    return tuple(found)


def _split(system, can, equations, zeros, divided, exponents, found):
    """Branch on the first state that divides its own equation."""
    if len(found) > MOST_PARTS:
        raise NotReducible(f"more than {MOST_PARTS} sets of states can be absent")
    for state in can:
        if state not in equations or state in divided:
            continue
        quotient = over(equations[state], state, exponents)
        if quotient is None:
            continue
        absent = {s: at_zero(e, state, exponents) for s, e in equations.items() if s != state}
        _split(system, can, absent, (*zeros, state), divided, set(exponents), found)
        _split(system, can, equations | {state: quotient}, zeros, (*divided, state), set(exponents), found)
        return
    found.append((equations, zeros, divided, exponents))


def over(expression, state, exponents):
    """The expression divided by a state that is a factor of it, or None; exponents met are added to the set."""
    if expression == 0:
        return expression
    if expression.is_Add:
        terms = [over(term, state, exponents) for term in expression.args]
        return None if any(t is None for t in terms) else sp.Add(*terms)
    factors = sp.Mul.make_args(expression)
    for i, factor in enumerate(factors):
        rest = sp.Mul(*factors[:i], *factors[i + 1 :])
        if factor == state:
            return rest
        if factor.is_Pow and _positive(factor.exp, exponents):
            around = over(factor.base, state, exponents) if factor.base != state else sp.Integer(1)
            if around is not None and not factor.base.is_Add:  # (c x)^p / x = c (c x)^(p - 1)
                return rest * around * factor.base ** (factor.exp - 1)
        if factor.is_Add:
            quotient = over(factor, state, exponents)
            if quotient is not None:
                return rest * quotient
    return None


def _positive(exponent, exponents):
    if exponent.is_number:
        return bool(exponent > 0)
    if exponent.is_Symbol:
        exponents.add(exponent)
        return True
    return False


def at_zero(expression, state, exponents):
    """The expression where a state is zero, term by term: what has the state as a factor is dropped."""
    if not expression.has(state):
        return expression
    kept = []
    for term in sp.Add.make_args(expression):
        if not term.has(state):
            kept.append(term)
            continue
        factor = over(term, state, exponents) is not None  # x log x goes to zero with x
        logs = {e: sp.Symbol("logarithm") for e in term.atoms(sp.log) if e.has(state)} if factor else {}
        value = term.xreplace(logs).xreplace({state: sp.Integer(0)})
        powers = {p: sp.Integer(0) for p in value.atoms(sp.Pow) if p.base == 0 and _positive(p.exp, exponents)}
        value = value.xreplace(powers)
        if value.has(sp.nan, sp.zoo, sp.oo, -sp.oo) or any(p.base == 0 for p in value.atoms(sp.Pow)):
            raise NotReducible(f"{term} has no value where {state} is zero")
        kept.append(value)
    return sp.Add(*kept)


def part_of(system, equations, zeros, divided, exponents, eliminate=True) -> Part:
    """Eliminate what is linear, and write the tape."""
    states = [s for s in system.states if s not in zeros]
    equations = {s: tight(e) for s, e in equations.items() if e != 0}
    eliminated, factors, again, logarithms, exponents = [], [], (), (), set(exponents)
    if eliminate:
        equations, logarithms = _without_logarithms(equations, states, divided, factors)
        equations, states, eliminated = eliminated_from(equations, states, divided, factors)
        equations, again = divided_again(equations, states, divided, eliminated, exponents)
    equations = {s: e for s, e in equations.items() if e != 0 and not _vanishes(e)}
    written = tuple(_gathered(e, states) if eliminated else tight(e) for e in equations.values())
    free, tape = (), None
    if len(written) != len(states):
        used = set().union(*(e.free_symbols for e in written))
        free = tuple(s for s in states if s not in used)
        states = [s for s in states if s in used]
    exponents = tuple(sorted(exponents, key=str))
    if len(written) == len(states):
        slopes = [sp.diff(e, s) for e in written for s in states]
        values = [tight(e) for _, _, e in eliminated]
        tape = make_tape([*written, *values, *slopes], states, (*system.parameters, *free))
    conditions = make_tape([*factors, *exponents], (), system.parameters)
    return Part(
        zeros, divided, tuple(eliminated), tuple(states), written, tuple(factors), exponents, free, tape, conditions,
        again, logarithms, _alike(written, states),
    )  # fmt: skip


@lru_cache(maxsize=1024)
def numbers_of(tape):
    """Intervals of a tape's numbers, kept with it."""
    from remission.solvers import intervals

    return intervals.number_intervals(tape)


def no_conditions(system):
    """Tape of no factors and no exponents."""
    return make_tape([], (), system.parameters)


def _alike(equations, states):
    shared = [{f for f in sp.Mul.make_args(e) if f.free_symbols & set(states)} for e in equations]
    return len(shared) > 1 and bool(set.intersection(*shared))


def eliminated_from(equations, states, divided, factors):
    """Equations and states that are left, and what was eliminated; factors that must not be zero are added."""
    eliminated, states = [], list(states)
    while step := _linear(equations, states, divided):
        state, source, value, factor = step
        if factor.free_symbols:
            factors.append(factor)
        states.remove(state)
        put = {state: value}
        equations = {s: e.xreplace(put) for s, e in equations.items() if s != source}
        eliminated = [(s, k, e.xreplace(put)) for s, k, e in eliminated] + [(state, source, value)]
    return equations, states, eliminated


def divided_again(equations, states, divided, eliminated, exponents):
    """Equations divided by states that are not zero as often as they can be."""
    nonzero = [s for s in divided if s in states]
    for _, _, value in [each for each in eliminated if each[0] in divided]:
        nonzero += [s for s in states if s not in nonzero and _times(value, s, states)]
    again, found = [], {}
    for source, e in equations.items():
        for state in nonzero:
            while e != 0 and e.has(state) and (quotient := over(e, state, exponents)) is not None:
                e = quotient
                again.append((source, state))
        found[source] = e
    return found, tuple(again)


def _times(value, state, states):
    """Whether a value is a constant times a state: then it is not zero unless the state is not."""
    own = [f for f in sp.Mul.make_args(value) if f.free_symbols & set(states)]
    return own == [state]


def _without_logarithms(equations, states, divided, factors):
    """Equations with q = 1 in place of c log(q) = 0; what must not be zero for that is added to the factors."""
    letters, found, rewritten = set(states), {}, []
    for source, e in equations.items():
        own = [f for f in sp.Mul.make_args(e) if f.free_symbols & letters]
        if len(own) == 1 and isinstance(own[0], sp.log):
            above, below = own[0].args[0].as_numer_denom()
            parts = [f.as_base_exp()[0] for f in sp.Mul.make_args(below)]
            if all(f.is_number or f in divided or not f.free_symbols & letters for f in parts):
                factors += [f for f in (e / own[0], *parts) if f.free_symbols and not f.free_symbols & letters]
                e = above - below
                rewritten.append(source)
        found[source] = e
    return found, tuple(rewritten)


def _vanishes(expression):
    return expression.count_ops() < 40 and sp.expand(expression) == 0


def _gathered(expression, states):
    """A polynomial in one state by powers of it: terms that cancel after an elimination are gone."""
    if len(states) != 1 or expression.count_ops() > MOST_TERMS or not expression.is_polynomial(*states):
        return tight(expression)
    return sp.horner(sp.Poly(expression, *states).as_expr(), *states)


def _linear(equations, states, divided):
    """(state, whose equation, value, factor) of an equation that is linear in a state, own equations first."""
    letters = set(states)
    own = sorted((s for s in states if s in equations), key=lambda s: s in divided)
    pairs = [(s, s) for s in own] + [(k, s) for k in equations for s in states if s != k]
    for source, state in pairs:
        e = equations[source]
        if not e.has(state):
            continue
        slope = sp.diff(e, state)
        if slope != 0 and not slope.free_symbols & letters:
            rest = e.xreplace({state: sp.Integer(0)})
            return state, source, -rest / slope, slope
    return None


def tight(expression):
    """a u / (u + b) written as a (1 - b / (u + b)): with u once instead of twice intervals stay narrow."""
    if not expression.args:
        return expression
    expression = expression.func(*(tight(a) for a in expression.args))
    if not expression.is_Mul:
        return expression
    for i, below in enumerate(expression.args):
        if below.is_Pow and below.exp == -1 and below.base.is_Add:
            for k, u in enumerate(expression.args):
                if u in below.base.args and u.free_symbols:  # equal symbols need not be one object: compare by ==
                    rest = sp.Mul(*(f for j, f in enumerate(expression.args) if j not in (i, k)))
                    return rest * (1 - sp.Add(*(t for t in below.base.args if t != u)) / below.base)
    return expression
