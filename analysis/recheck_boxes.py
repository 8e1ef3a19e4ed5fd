"""One part of a certificate: its equations made again, its regions proved, every box of its tree shown empty."""

import time

import numpy as np
import sympy as sp
from mpmath import libmp
from mpmath.libmp import libmpi

from remission.models.errors import CertificateError

from . import recheck_families as families
from . import recheck_intervals as vi

__all__ = []  # of use inside the package only

ROUGHLY = 60  # bits, for boxes; regions and roots are checked at full precision
MOST_BOXES = 200_000
IN_REGION, EMPTY = -10, -1


class Part:
    """Equations of one part of a certificate, over plain symbols."""

    def __init__(self, data, equations, letters, values, box):
        self.data, self.letters = data, letters
        self.values, self.box = values, box
        self.faults, self.rings = [], []  # rings: regions of which only a core is shown to hold one root
        zeros = [letters[n] for n in data["zeros"]]
        kept = {}
        for name, e in equations.items():
            for x in zeros:
                e = at_zero(e, x, values)
            if name not in data["zeros"]:
                kept[name] = e
            elif e != 0:
                self.faults.append(f"{name} does not stay zero")
        for name in data["divided"]:
            kept[name] = over(kept[name], letters[name])
        self.eliminated, self.put, self.families, self.settled = {}, {}, [], False
        self.names = data["variables"]
        self.symbols = [letters[n] for n in self.names]
        self.free = data["free"]
        if "special" in data:
            kept = families.reduce_again(self, kept, data["special"])
            self.settled = kept is None
            self.equations = [] if kept is None else [once(e) for e in kept.values()]
            return
        kept = {name: once(e) for name, e in kept.items()}
        self._without_logarithms(kept)
        self.eliminate(kept, data["eliminated"])
        self.divide_again(kept, data.get("again", []))
        self.equations = [e for e in kept.values() if e != 0 and not (e.count_ops() < 40 and sp.expand(e) == 0)]

    def _without_logarithms(self, kept):
        """q = 1 in place of c log(q) = 0."""
        states = {self.letters[n] for n in self.box}
        nonzero = [self.letters[n] for n in self.data["divided"]]
        for name in self.data.get("logarithms", []):
            kept[name] = families.without_logarithm(kept[name], states, nonzero, self.constant)
            if kept[name] is None:
                kept[name] = sp.Integer(0)
                self.faults.append(f"the equation of {name} is not that of a logarithm")

    def divide_again(self, kept, again):
        """Divide equations once more by states that are not zero: divided out, or a constant times such a state."""
        states = {self.letters[n] for n in self.box}
        for source, name in again:
            x = self.letters[name]
            values = [e for n, e in self.eliminated.items() if n in self.data["divided"]]
            if name not in self.data["divided"] and all(sp.cancel(e / x).free_symbols & states for e in values):
                self.faults.append(f"{name} may be zero where {source} is divided by it")
                return
            kept[source] = over(kept[source], x)

    def eliminate(self, kept, eliminated):
        """Put what some equations give linearly into the others."""
        states = {self.letters[n] for n in self.box}
        self.eliminated, self.put = {}, {}
        for name, source in eliminated:
            x, e = self.letters[name], kept.pop(source)
            slope = sp.diff(e, x)
            if slope.free_symbols & states and slope.count_ops() < 40:
                slope = sp.expand(slope)
            if slope.free_symbols & states or vi.has_zero(self.constant(slope)):
                self.faults.append(f"{name} does not follow from the equation of {source}")
                return
            put = {x: -e.xreplace({x: sp.Integer(0)}) / slope}
            for other in kept:
                kept[other] = kept[other].xreplace(put)
            self.eliminated = {n: v.xreplace(put) for n, v in self.eliminated.items()} | {name: put[x]}
        self.put = {self.letters[n]: e for n, e in self.eliminated.items()}

    def constant(self, expression):
        """Interval of an expression in parameters."""
        nodes = vi.Nodes([expression], [], self.values)
        return nodes.forward([], 120)[0][nodes.outputs[0]]

    def check(self, until, complete, undecided, prec):
        """Faults, roots (name -> interval, family, divided), and the number of boxes looked at."""
        self.count, self.until = 0, until
        if self.data["degenerate"] and not self._said([self.box[n] for n in self.names], undecided):
            self.faults.append("a part is left out and not said to be undecided")
        if self.faults or self.data["degenerate"] or self.settled:
            return self.faults, [], 0
        n = len(self.names)
        if len(self.equations) != n:
            return [f"{len(self.equations)} equations for {n} variables"], [], 0
        constants = self.values | {x: self.box[x] for x in self.free}
        eliminated = list(self.eliminated.values())
        self.plain = vi.Nodes([*self.equations, *eliminated], self.symbols, constants)
        slopes = [sp.diff(e, s) for e in self.equations for s in self.symbols]
        self.slopes = vi.Nodes(slopes, self.symbols, constants)
        roots = [r for r in (self._root(*pair, prec) for pair in zip(self.data["regions"], self.data["enclosures"],
                 strict=False)) if r is not None] if n else [self._full([], prec)]  # fmt: skip
        self.regions = [self._box(r) for r in self.data["regions"]]
        self.undecided = [self._box(r) for r in self.data["undecided"]]
        roots = self._each_once(roots) if n and not self.faults else roots
        if n and not self.faults and not all(self._settled(whole, [core]) for whole, core in self.rings):
            self.faults.append("a region is not shown to hold no second root")
        if n and not self.faults:
            self._walk(complete)
        for X in self.undecided:
            X = self._narrowed(X)
            if complete and X is not None and not self._said(X, undecided):
                self.faults.append("an undecided box of a part is not said to be undecided")
        return self.faults, [(r, bool(self.free), self.data["divided"]) for r in roots], self.count

    def _box(self, sides):
        return [vi.interval(*(float.fromhex(v) for v in side)) for side in sides]

    def _full(self, X, prec):
        """All states from the variables."""
        values, _ = self.plain.forward(X, prec)
        outputs = [values[k] for k in self.plain.outputs[len(self.equations) :]]
        found = dict.fromkeys(self.data["zeros"], vi.ZERO) | dict(zip(self.names, X, strict=True))
        found |= {x: self.box[x] for x in self.free}
        found |= dict(zip(self.eliminated, outputs, strict=True))
        return found if self.names else found | dict.fromkeys(self._exact_zeros(found), vi.ZERO)

    def _exact_zeros(self, found):
        """Names of states that are zero in exact fractions, where intervals only come near."""
        put = {
            self.letters.get(n, sp.Symbol(n)): sp.Rational(*libmp.to_rational(v[0]))
            for n, v in self.values.items() if v[0] == v[1]
        }  # fmt: skip
        near = [n for n in self.eliminated if vi.has_zero(found[n])]
        return [n for n in near if self.eliminated[n].xreplace(put) == 0]

    def _root(self, region, enclosure, prec):
        """The root that a region holds, from Krawczyk steps; a fault if there is not exactly one."""
        X, part = self._root_in(self.plain, self.slopes, self._box(region), self._box(enclosure), prec)
        if X is not None and part:
            self.rings.append((self._box(region), part))
        return None if X is None else self._full(X, prec)

    def point(self, plain, slopes, one, prec):
        """A proved zero of other equations, from a region and an enclosure."""
        return self._root_in(plain, slopes, self._box(one["region"]), self._box(one["enclosure"]), prec)[0]

    def _root_in(self, plain, slopes, whole, sides, prec):
        """The one root of a region, narrowed, and the core of the region if only that was shown to hold one."""
        if not sides:
            return [], None
        for quarter in range(12):
            X = [_shrunk(w, s, 4.0**-quarter) for w, s in zip(whole, sides, strict=True)]
            K = krawczyk(plain, slopes, X, prec)
            if K is not None and all(vi.strictly_inside(k, x) for k, x in zip(K, X, strict=True)):
                break
        else:
            self.faults.append("a region is not shown to hold exactly one root")
            return None, None
        core, X = X if quarter else None, K
        for _ in range(30):
            K = krawczyk(plain, slopes, X, prec)
            if K is None:
                break
            Y = [vi.meet(k, x) for k, x in zip(K, X, strict=True)]
            if None in Y or Y == X:
                break
            X = Y
        if not all(vi.inside(x, e) for x, e in zip(X, sides, strict=True)):
            self.faults.append("a root is not in its enclosure")
            return None, None
        return X, core

    def _krawczyk(self, X, prec):
        return krawczyk(self.plain, self.slopes, X, prec)

    def _said(self, X, undecided):
        """Whether a box of this part lies in one of the certificate's undecided boxes."""
        sides = dict(zip(self.names, X, strict=True)) | dict.fromkeys(self.data["zeros"], vi.ZERO)
        sides = {n: vi.meet(x, self.box[n]) for n, x in sides.items()}
        return None in sides.values() or any(all(vi.inside(x, u[n]) for n, x in sides.items()) for u in undecided)

    def _each_once(self, roots):
        """Roots without those that lie in the region of one before, which has no second root."""
        kept = []
        for i, root in enumerate(roots):
            X = [root[n] for n in self.names]
            if not any(self._within(X, self.regions[k]) for k in kept):
                kept.append(i)
        return [roots[k] for k in kept]

    def _walk(self, complete):
        """Replay the tree of cuts; what the search called empty has to be empty here too."""
        allowed = [*self.regions, *self.undecided]
        stack = [[self.box[n] for n in self.names]]
        for kind, point in zip(self.data["kinds"], self.data["points"], strict=True):
            X = stack.pop()
            if kind >= 0:
                at = libmp.from_float(float.fromhex(point))
                if vi.below(at, X[kind][0]) or vi.below(X[kind][1], at):
                    raise CertificateError("verify: a cut lies outside its box")
                stack.append([*X[:kind], (at, X[kind][1]), *X[kind + 1 :]])
                stack.append([*X[:kind], (X[kind][0], at), *X[kind + 1 :]])
            elif not self._settled(X, allowed):
                self.faults.append("a box is not shown to be free of further roots")
                return
        if stack and complete:
            self.faults.append("boxes are left that nothing is said about")

    def _settled(self, X, allowed):
        """Whether a box is empty or within an allowed one; cut in two where that helps."""
        stack = [X]
        while stack:
            self.count += 1
            if self.count > MOST_BOXES or time.monotonic() > self.until:
                self.faults.append("it took too long")
                return False
            X = self._narrowed(stack.pop())
            if X is None or any(self._within(X, r) for r in allowed):
                continue
            sizes = [self._size(x, n) for x, n in zip(X, self.names, strict=True)]
            k = int(np.argmax(sizes))
            if sizes[k] < 1e-13:
                return False
            middle = libmpi.mpi_mid(X[k], ROUGHLY)
            stack.append([*X[:k], (X[k][0], middle), *X[k + 1 :]])
            stack.append([*X[:k], (middle, X[k][1]), *X[k + 1 :]])
        return True

    def _within(self, X, region):
        return all(vi.inside(x, r) for x, r in zip(X, region, strict=True))

    def _size(self, x, name):
        whole = libmp.to_float(libmp.mpf_sub(self.box[name][1], self.box[name][0], 53))
        return libmp.to_float(libmp.mpf_sub(x[1], x[0], 53)) / whole

    def _narrowed(self, X):
        """What is left of a box after a few rounds; None when it is empty."""
        n = len(X)
        for _ in range(20):
            before = sum(self._size(x, name) for x, name in zip(X, self.names, strict=True))
            values, _ = self.plain.forward(X, ROUGHLY)
            if values is None:
                return None
            wanted = [vi.ZERO] * n + [self.box[x] for x in self.eliminated]
            for k, allowed in zip(self.plain.outputs, wanted, strict=True):
                values[k] = vi.meet(values[k], allowed)
                if values[k] is None:
                    return None
            X = self.plain.backward(values, ROUGHLY)
            K = None if X is None else self._krawczyk(X, ROUGHLY)
            if K is not None:
                X = [vi.meet(k, x) for k, x in zip(K, X, strict=True)]
            if X is None or None in X:
                return None
            if sum(self._size(x, name) for x, name in zip(X, self.names, strict=True)) > 0.8 * before:
                break
        return X


def krawczyk(plain, slopes, X, prec):
    """m - Y f(m) + (1 - Y J(X)) (X - m), or None where the equations are not smooth or Y is not found."""
    n = len(X)
    values, smooth = slopes.forward(X, prec)
    if values is None or not smooth:
        return None
    J = [[values[slopes.outputs[i * n + j]] for j in range(n)] for i in range(n)]
    if any(e[0] == libmp.fninf or e[1] == libmp.finf for row in J for e in row):
        return None
    Y = _inverse([[libmp.to_float(libmpi.mpi_mid(e, 60)) for e in row] for row in J])
    middle = [libmpi.mpi_mid(x, prec) for x in X]
    m = [(c, c) for c in middle]
    values, _ = plain.forward(m, prec)
    if Y is None or values is None:
        return None
    f = [values[k] for k in plain.outputs[:n]]
    found = []
    for i in range(n):
        s = m[i]
        for j in range(n):
            s = libmpi.mpi_sub(s, libmpi.mpi_mul(Y[i][j], f[j], prec), prec)
            c = vi.ONE if i == j else vi.ZERO
            for k in range(n):
                c = libmpi.mpi_sub(c, libmpi.mpi_mul(Y[i][k], J[k][j], prec), prec)
            s = libmpi.mpi_add(s, libmpi.mpi_mul(c, libmpi.mpi_sub(X[j], m[j], prec), prec), prec)
        found.append(s)
    return found


def _shrunk(whole, side, part):
    """An interval around the enclosure of a root, by a part of the way to the ends of its region."""
    if part == 1.0:
        return whole
    p = libmp.from_float(part)
    low = libmp.mpf_sub(side[0], libmp.mpf_mul(p, libmp.mpf_sub(side[0], whole[0])))
    high = libmp.mpf_add(side[1], libmp.mpf_mul(p, libmp.mpf_sub(whole[1], side[1])))
    return low, high


def _inverse(matrix):
    try:
        found = np.linalg.inv(np.array(matrix))
    except np.linalg.LinAlgError:
        return None
    if not np.all(np.isfinite(found)):
        return None
    return [[vi.interval(v, v) for v in row] for row in found.tolist()]


def over(expression, x):
    """The expression divided by x: zero at the same points, x not being zero."""
    terms = [_quotient(t, x) for t in sp.Add.make_args(expression)]
    if any(t.as_numer_denom()[1].has(x) for t in terms):
        terms = [t / x for t in sp.Add.make_args(sp.factor_terms(expression))]
    return sp.Add(*terms)


def _quotient(term, x):
    """A term divided by x; (c x)^p / x is written as c (c x)^(p - 1)."""
    for power in sp.Mul.make_args(term):
        if power.is_Pow and power.base.is_Mul and power.base.has(x) and not (c := power.base / x).has(x):
            return term / power * c * power.base ** (power.exp - 1)
    return term / x


def once(expression):
    """Saturating fractions with their variable once, a u / (u + b) = a - a b / (u + b): intervals stay narrower."""
    if not expression.args:
        return expression
    expression = expression.func(*map(once, expression.args))
    over_, under = sp.Mul.make_args(expression), None
    for factor in over_:
        if factor.is_Pow and factor.exp == -1 and factor.base.is_Add and expression.is_Mul:
            for u in over_:
                if u.free_symbols and u in factor.base.args:
                    under = (u, factor.base)
    if under is None:
        return expression
    u, total = under
    return (expression * total / u) * (1 - (total - u) / total)


def at_zero(expression, x, values):
    """The expression at x = 0; x^p times logarithms of x counts as zero."""
    found = []
    for term in sp.Add.make_args(expression):
        value = term.subs(x, 0)
        for power in [p for p in value.atoms(sp.Pow) if p.base == 0 and p.exp.is_Symbol]:
            if not vi.positive(values[power.exp.name]):
                raise CertificateError(f"verify: {power.exp} is not positive")
            value = value.subs(power, 0)
        if value.has(sp.nan, sp.zoo, sp.oo):
            factors = sp.Mul.make_args(term)
            powers = [f for f in factors if f == x or (f.is_Pow and f.base == x and f.exp.is_positive)]
            others = [f for f in factors if f.has(x) and f not in powers]
            if not powers or any(not isinstance(f, sp.log) for f in others):
                raise CertificateError(f"verify: {term} has no value where {x} is zero")
            value = sp.Integer(0)
        found.append(value)
    return sp.Add(*found)
