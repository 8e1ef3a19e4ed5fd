"""Parts that hold a continuum, or whose equations share a factor: split off symbolically.

A part whose Jacobian is singular all over the box, or whose undecided boxes do not come to an end, is reduced once more
with the numbers that make it so: parameters that are whole numbers, or equal to others, then all of them. What vanishes
identically then is dropped; a common factor g of the equations g q_i = 0 is a continuum for each of its factors,
and the q_i are searched like any part.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import sympy as sp

from remission.solvers.tape import make_tape

from . import reduce

__all__ = []  # of use inside the package only

MOST_OPERATIONS = 400  # of equations that are brought over one denominator


@dataclass(frozen=True, eq=False)
class Family:
    """A continuum: all points of a part at which some equations hold.

    Attributes
    ----------
    zeros : tuple of Symbol
        States that are zero on it.
    eliminated : tuple of (Symbol, Symbol, Expr)
    variables, equations : tuples
        Fewer equations than variables.
    """

    zeros: tuple
    eliminated: tuple
    variables: tuple
    equations: tuple

    @property
    def relations(self):
        """Expressions that are zero on it, in all states."""
        return (*self.zeros, *self.equations, *(s - e for s, _, e in self.eliminated))


@dataclass(eq=False)
class Reduced:
    """A part reduced with numbers.

    Attributes
    ----------
    families : list of Family
    rest : reduce.Part or None
        Where all other steady states are; None where there are none.
    factors : list of Expr
        What must differ from zero at the parameters.
    below : list of Expr
        Denominators: a root of the rest at which one is zero proves nothing.
    steps : list of dict
        What was done, for the certificate: eliminated and divided states, the common factor and its factors.
    """

    families: list = field(default_factory=list)
    rest: object = None
    factors: list = field(default_factory=list)
    below: list = field(default_factory=list)
    steps: list = field(default_factory=list)


def ways(system, values, equations, gently):
    """Parameters to put in, gently first: whole numbers and equal values, then every number, where all is rational."""
    pairs = [(p, sp.Rational(float(v))) for p, (v, w) in zip(system.parameters, values, strict=True) if v == w]
    seen, gentle = {}, []
    for p, v in pairs:
        if v.is_Integer:
            gentle.append((p, v))
        elif v in seen:
            gentle.append((p, seen[v]))
        else:
            seen[v] = p
    yield tuple(gentle)
    if gently:
        return
    put = dict(pairs)
    powers = set().union(*(e.atoms(sp.Pow) for e in equations.values()))
    if all(p.exp.xreplace(put).is_Integer or p.has(*system.states) for p in powers) and len(pairs) > len(gentle):
        yield tuple(pairs)


@lru_cache(maxsize=64)
def reduced(model, splitting, index, put):
    """The part of a number with parameters put in; None where nothing is gained.

    Parameters
    ----------
    model : Model
    splitting : frozenset of str
    index : int
        Of the case, as `reduce.cases_of` has it.
    put : tuple of (Symbol, Expr)

    Returns
    -------
    Reduced or None
    """
    system = reduce.system_of(model)
    equations, zeros, divided, exponents = reduce.cases_of(model, splitting)[index]
    equations = {s: e.xreplace(dict(put)) for s, e in equations.items()}
    if any(e.count_ops() > MOST_OPERATIONS or e.has(sp.zoo, sp.nan, sp.oo) for e in equations.values()):
        return None
    states = [s for s in system.states if s not in zeros]
    found = Reduced()
    _reduce(system, equations, states, zeros, divided, set(exponents), (), found)
    usual = len(reduce.parts_of(model, splitting)[index].variables)
    return found if found.families or found.rest is None or len(found.rest.variables) < usual else None


def _reduce(system, equations, states, zeros, divided, exponents, before, found):
    """Eliminate, drop what vanishes, split a common factor off; again for what is left."""
    equations = {s: e for s, e in equations.items() if e != 0}
    equations, states, eliminated = reduce.eliminated_from(equations, states, divided, found.factors)
    put = {s: e for s, _, e in eliminated}
    eliminated = [*((s, k, e.xreplace(put)) for s, k, e in before), *eliminated]
    equations, again = reduce.divided_again(equations, states, divided, eliminated, exponents)
    step = {"eliminated": [(s, k) for s, k, _ in eliminated[len(before) :]], "again": again, "factor": sp.Integer(1),
            "families": (), "end": ""}  # fmt: skip
    found.steps.append(step)
    kernels = Kernels(states)
    above, known = {}, len(found.below)
    for source, e in equations.items():
        top, bottom = fraction(kernels.hidden(e))
        if top != 0:
            above[source] = top
            found.below += [kernels.shown(bottom)] if kernels.varies(bottom) else []
    common, parts = _common(above, len(states), kernels, found.factors)
    if parts:
        above = {s: sp.expand(sp.cancel(e / common)) for s, e in above.items()}
        step["factor"], step["families"] = kernels.shown(common), tuple(map(kernels.shown, parts))
        found.families += [_family(zeros, eliminated, states, [_without_logarithm(h)]) for h in step["families"]]
    above = {s: kernels.shown(e) for s, e in above.items()}
    constant = [e for e in above.values() if not e.free_symbols & set(states)]
    if constant:  # it is not zero, so nothing else rests
        found.factors += constant[:1] if constant[0].free_symbols else []
        step["end"] = "constant"
    elif parts or (len(found.below) > known and _linear_now(above, states)):
        _reduce(system, above, states, zeros, divided, exponents, eliminated, found)
    elif len(above) < len(states):
        step["end"] = "family"
        found.families.append(_family(zeros, eliminated, states, above.values()))
    else:
        step["end"] = "rest"
        found.rest = _square(system, zeros, divided, eliminated, states, above.values(), exponents)


def _linear_now(equations, states):
    """Whether an equation has become linear in a state, with a slope free of them."""
    slopes = [sp.diff(e, s) for e in equations.values() for s in states if e.has(s)]
    return any(not d.free_symbols & set(states) for d in slopes)


class Kernels:
    """Letters for what is not rational in an expression, so that polynomials are of low degree and factors are few."""

    def __init__(self, states):
        self.states, self.letter, self.back = set(states), {}, {}

    def hidden(self, e):
        """The expression as a rational function of symbols and letters."""
        if not e.args:
            return e
        if (e.is_Pow and not e.exp.is_Integer) or not (e.is_Add or e.is_Mul or e.is_Pow):
            e = e.func(*map(sp.expand, e.args))
            if e not in self.letter:
                self.letter[e] = sp.Dummy()
                self.back[self.letter[e]] = e
            return self.letter[e]
        return e.func(*map(self.hidden, e.args))

    def shown(self, e):
        """The expression with what the letters stand for."""
        return e.xreplace(self.back)

    def varies(self, e):
        """Whether it depends on states."""
        return bool(self.shown(e).free_symbols & self.states)


def fraction(expression):
    """Numerator in lowest terms, multiplied out, and denominator as it was, of a rational function."""
    top = sp.fraction(sp.cancel(expression))[0]
    return sp.expand(top), sp.fraction(sp.together(expression))[1]


def _common(above, n, kernels, factors):
    """The common factor of as many polynomials as there are states, and its factors that vary, each once."""
    if len(above) != n or n < 2:
        return sp.Integer(1), []
    common = sp.gcd_list(list(above.values()))
    if not kernels.varies(common):
        return sp.Integer(1), []
    parts = [factor for factor, _ in sp.factor_list(common)[1]]
    factors += [kernels.shown(f) for f in parts if not kernels.varies(f)]
    return common, [f for f in parts if kernels.varies(f)]


def _without_logarithm(factor):
    """What is zero where the factor is, written without a logarithm around all of it."""
    if isinstance(factor, sp.log):
        above, below = factor.args[0].as_numer_denom()
        return sp.expand(above - below)
    return factor


def _family(zeros, eliminated, states, equations):
    return Family(tuple(zeros), tuple(eliminated), tuple(states), tuple(equations))


def _square(system, zeros, divided, eliminated, states, equations, exponents):
    written = tuple(sp.horner(e, *states) if len(states) == 1 and e.is_polynomial(*states) else reduce.tight(e)
                    for e in equations)  # fmt: skip
    values = [reduce.tight(e) for _, _, e in eliminated]
    slopes = [sp.diff(e, s) for e in written for s in states]
    tape = make_tape([*written, *values, *slopes], states, system.parameters)
    exponents = tuple(sorted(exponents, key=str))
    return reduce.Part(
        tuple(zeros), tuple(divided), tuple(eliminated), tuple(states), written, (), exponents, (), tape,
        make_tape(exponents, (), system.parameters),
    )  # fmt: skip


@lru_cache(maxsize=256)
def slice_of(system, family, chosen):
    """A family as a square part: all variables but the chosen are held where they are."""
    fixed = tuple(s for s in family.variables if s not in chosen)
    values = [e for _, _, e in family.eliminated]
    slopes = [sp.diff(e, s) for e in family.equations for s in chosen]
    tape = make_tape([*family.equations, *values, *slopes], chosen, (*system.parameters, *fixed))
    return reduce.Part(
        family.zeros, (), family.eliminated, chosen, family.equations, (), (), fixed, tape, reduce.no_conditions(system)
    )  # fmt: skip


def words(family, system, values):
    """A family's equations as text, with numbers."""
    put = {p: sp.Rational(float(v)) for p, (v, w) in zip(system.parameters, values, strict=True) if v == w}
    lines = [f"{s.name} = 0" for s in family.zeros]
    lines += [_equation(e.xreplace(put), family.variables) for e in family.equations]
    lines += [f"{s.name} = {_number_text(e.xreplace(put))}" for s, _, e in family.eliminated]
    used = set().union(*(e.free_symbols for e in family.equations), *(e.free_symbols for _, _, e in family.eliminated))
    lines += [f"any {s.name}" for s in family.variables if s not in used]
    return ", ".join(lines)


def _equation(expression, states):
    """A linear equation with its states left of the sign, any other as it is."""
    if expression.is_polynomial(*states) and sp.Poly(expression, *states).total_degree() == 1:
        poly = sp.Poly(expression, *states)
        lead = poly.coeffs()[0]
        left = sp.Add(
            *(c / lead * sp.prod(s**k for s, k in zip(states, m, strict=True)) for m, c in poly.terms() if sum(m))
        )
        return f"{_number_text(left)} = {_number_text(-poly.coeff_monomial(1) / lead)}"
    return f"{_number_text(expression)} = 0"


def _number_text(expression):
    expression = sp.sympify(expression)
    numbers = {n: sp.Float(n, 10) for n in expression.atoms(sp.Rational) if not n.is_Integer}
    return sp.sstr(expression.xreplace(numbers), full_prec=False)
