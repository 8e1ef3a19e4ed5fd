"""The checker's own reduction of parts that hold continua: numbers put in, common factors divided out.

Steps are read from the certificate and each is checked: what is eliminated follows, what is divided by is not zero, the
common factor divides every equation and is the product of the continua's equations, and what is left is a constant, a
continuum or a square system for `Part` to look at.
"""

import sympy as sp
from mpmath import libmp

from . import recheck_intervals as vi

__all__ = []  # of use inside the package only


def without_logarithm(expression, states, nonzero, constant):
    """q - 1 by its numerator where the expression is c log(q) with constant c; None where it is not of that form."""
    own = [f for f in sp.Mul.make_args(expression) if f.free_symbols & states]
    if len(own) != 1 or not isinstance(own[0], sp.log) or vi.has_zero(constant(expression / own[0])):
        return None
    above, below = sp.fraction(sp.together(own[0].args[0]))
    for factor in sp.Mul.make_args(below):
        base = factor.as_base_exp()[0]
        if base not in nonzero and (base.free_symbols & states or vi.has_zero(constant(base))):
            return None
    return sp.expand(above - below)


def put_in(kept, put, letters, values):
    """Equations with parameters replaced, and faults: each must be the whole number or the equal that is put for it."""
    replaced, faults = {}, []
    for name, text in put.items():
        value = sp.sympify(text, locals=letters)
        own = values[name]
        if value.is_Symbol:
            same = own == values.get(value.name) and own[0] == own[1]
        else:
            same = value.is_Rational and own[0] == own[1] and sp.Rational(*libmp.to_rational(own[0])) == value
        if not same:
            faults.append(f"{name} is not {text}")
        replaced[letters.get(name, sp.Symbol(name))] = value
    return {name: e.xreplace(replaced) for name, e in kept.items()}, faults


def reduce_again(part, kept, plan):
    """Follow the steps of a plan; what is left for the part to look at, name -> expression, or None if nothing rests.

    Faults go to `part.faults`, continua (variables, equations, eliminated) to `part.families`.
    """
    states = {part.letters[n] for n in part.box}
    kept, faults = put_in(kept, plan["put"], part.letters, part.values)
    part.faults += faults
    for step in plan["steps"]:
        kept = {n: e for n, e in kept.items() if e != 0}
        before = part.eliminated
        part.eliminate(kept, step["eliminated"])
        part.eliminated = {n: before[n].xreplace(part.put) for n in before} | part.eliminated
        part.divide_again(kept, step["again"])
        kept = {n: _numerator(e) for n, e in kept.items()}
        kept = {n: e for n, e in kept.items() if e != 0}
        free = [n for n in part.box if n not in part.eliminated and n not in part.data["zeros"]]
        if step["families"]:
            kept = _divided(part, kept, step, states, free)
        if any(not e.free_symbols & states and not vi.has_zero(part.constant(e)) for e in kept.values()):
            return None
        if step["end"] == "family":
            part.families.append((free, list(kept.values()), dict(part.eliminated)))
            return None
        if part.faults or step["end"]:
            break
    return kept


def _divided(part, kept, step, states, free):
    """Equations without their common factor, of which each factor is a continuum."""
    factor = rest = sp.sympify(step["factor"], locals=part.letters)
    for text in step["families"]:
        h = sp.sympify(text, locals=part.letters)
        while h.free_symbols & states and (quotient := _exactly(rest, h, states)) is not None:
            rest = quotient
        plain = without_logarithm(h, states, [part.letters[n] for n in part.data["divided"]], part.constant)
        part.families.append((free, [h if plain is None else plain], dict(part.eliminated)))
    if rest.free_symbols & states or vi.has_zero(part.constant(rest)):
        part.faults.append(f"{factor} is not the product of its factors")
    found = {}
    for name, e in kept.items():
        found[name] = _exactly(e, factor, states)
        if found[name] is None:
            found[name] = e
            part.faults.append(f"{factor} does not divide the equation of {name}")
    return found


def _plain(expressions):
    """Expressions with letters in place of powers, exponentials and logarithms, and what these stand for."""
    found = {}

    def walk(e):
        if e.is_Atom:
            return e
        if e.is_Add or e.is_Mul or (e.is_Pow and e.exp.is_Integer):
            return e.func(*map(walk, e.args))
        return found.setdefault(e.func(*map(sp.expand, e.args)), sp.Dummy())

    return [walk(e) for e in expressions], {letter: e for e, letter in found.items()}


def _numerator(expression):
    """What has to be zero for a fraction to be, in lowest terms."""
    (e,), back = _plain([expression])
    return sp.expand(sp.fraction(sp.cancel(e))[0]).xreplace(back)


def _exactly(e, factor, states):
    """The quotient of two expressions if nothing with states is left below, checked by multiplying; else None."""
    (above, below), back = _plain([e, factor])
    quotient = sp.cancel(above / below)
    left = sp.fraction(quotient)[1].xreplace(back)
    if left.free_symbols & states or sp.expand(sp.cancel(quotient * below - above)) != 0:
        return None
    return sp.expand(quotient).xreplace(back)


def roots_of(part, shown, claimed, undecided, prec):
    """A proved point of each continuum, by state; a fault where one is neither shown nor free of points in the box."""
    by_number = {one["family"]: one for one in shown}
    found = []
    for k, (names, equations, eliminated) in enumerate(part.families):
        symbols = [part.letters[n] for n in names]
        if k not in by_number:
            nodes = vi.Nodes([*equations, *eliminated.values()], symbols, part.values)
            if not any(_outside_is_empty(part, nodes, names, len(equations), eliminated, b) for b in undecided) and (
                not _empty(part, nodes, names, len(equations), eliminated, part.box)
            ):
                part.faults.append("a continuum is neither shown nor absent")
            continue
        one = by_number[k]
        fixed = {n: vi.interval(*[float.fromhex(v)] * 2) for n, v in one["fixed"].items()}
        chosen = one["chosen"]
        if set(chosen) | set(fixed) != set(names) or len(chosen) != len(equations):
            part.faults.append("a continuum's point does not belong to it")
            continue
        constants = part.values | fixed
        letters = [part.letters[n] for n in chosen]
        plain = vi.Nodes([*equations, *eliminated.values()], letters, constants)
        slopes = vi.Nodes([sp.diff(e, x) for e in equations for x in letters], letters, constants)
        X = part.point(plain, slopes, one, prec)
        if X is None:
            continue
        values, _ = plain.forward(X, prec)
        full = dict.fromkeys(part.data["zeros"], vi.ZERO) | fixed | dict(zip(chosen, X, strict=True))
        full |= dict(zip(eliminated, (values[i] for i in plain.outputs[len(equations) :]), strict=True))
        if any(vi.meet(full[n], part.box[n]) is None for n in part.box):
            part.faults.append("a continuum's point is not in the box")
        nodes = vi.Nodes([*equations, *eliminated.values()], symbols, part.values)
        hulls = [c for c in claimed if all(vi.meet(full[n], c[n]) is not None for n in part.box)]
        if not any(_outside_is_empty(part, nodes, names, len(equations), eliminated, hull) for hull in hulls):
            part.faults.append("a continuum is not shown to lie within its ends")
        relations = [*(part.letters[n] for n in part.data["zeros"]), *equations]
        relations += [part.letters[n] - e for n, e in eliminated.items()]
        found.append((full, relations, (part.data["zeros"], equations, eliminated)))
    return found


def part_of(one, relations, letters, values):
    """Whether relations vanish all over a continuum: after putting in what it gives, or modulo its equations."""
    zeros, equations, eliminated = one
    if any(v[0] != v[1] for v in values.values()):
        return False
    put = {letters.get(n, sp.Symbol(n)): sp.Rational(*libmp.to_rational(v[0])) for n, v in values.items()}
    put |= {letters[n]: sp.Integer(0) for n in zeros}
    solved = {letters[n]: e.xreplace(put) for n, e in eliminated.items()}
    states = set(letters.values()) - set(put)
    for relation in relations:
        top = _numerator(relation.xreplace(put).xreplace(solved))
        own = [_numerator(e.xreplace(put)) for e in equations]
        if top != 0 and not any(_exactly(top, e, states) is not None for e in own):
            return False
    return True


def _outside_is_empty(part, nodes, names, m, eliminated, hull):
    """Whether no point of a continuum lies in the box outside of some ends."""
    for name, side in hull.items():
        low, high = part.box[name]
        slabs = [(low, side[0])] * vi.below(low, side[0]) + [(side[1], high)] * vi.below(side[1], high)
        for slab in slabs:
            if name in part.data["zeros"]:
                continue
            if not _empty(part, nodes, names, m, eliminated, {**part.box, name: slab}, hull):
                return False
    return True


def _empty(part, nodes, names, m, eliminated, box, hull=None):
    """Whether equations have no zero in a box, after some narrowing, or only in a hull that the box may touch."""
    X = [box[n] for n in names]
    wanted = [vi.ZERO] * m + [box[n] for n in eliminated]
    for _ in range(30):
        values, _ = nodes.forward(X, 60)
        if values is None:
            return True
        for k, allowed in zip(nodes.outputs, wanted, strict=True):
            values[k] = vi.meet(values[k], allowed)
            if values[k] is None:
                return True
        X = nodes.backward(values, 60)
        if X is None:
            return True
    return hull is not None and all(vi.inside(x, hull[n]) for n, x in zip(names, X, strict=True))


def on_it(root, relations, letters, values, prec):
    """Whether a root lies on a continuum as far as intervals of full precision can tell."""
    names = list(root)
    nodes = vi.Nodes(relations, [letters[n] for n in names], values)
    found, _ = nodes.forward([root[n] for n in names], prec)
    return found is not None and all(vi.has_zero(found[k]) for k in nodes.outputs)
