"""Interval arithmetic of the checker: expressions as lists of nodes over mpmath's intervals.

Nothing of the search is used here. An interval is a pair of mpmath's raw numbers; None stands for "nowhere defined".
"""

import sympy as sp
from mpmath import libmp
from mpmath.libmp import libmpi

from remission.models.errors import CertificateError

__all__ = []  # of use inside the package only

ZERO = (libmp.fzero, libmp.fzero)
ONE = (libmp.fone, libmp.fone)
ALL = (libmp.fninf, libmp.finf)


def interval(low, high):
    """From two doubles, exactly."""
    return libmp.from_float(low), libmp.from_float(high)


def below(a, b):
    """Whether a < b."""
    return libmp.mpf_lt(a, b)


def meet(s, t):
    """Intersection, or None."""
    low = s[0] if below(t[0], s[0]) else t[0]
    high = s[1] if below(s[1], t[1]) else t[1]
    return None if below(high, low) else (low, high)


def inside(s, t):
    """Whether s lies in t."""
    return not below(s[0], t[0]) and not below(t[1], s[1])


def strictly_inside(s, t):
    """Whether s lies in the interior of t."""
    return below(t[0], s[0]) and below(s[1], t[1])


def has_zero(s):
    """Whether zero is in s."""
    return not below(libmp.fzero, s[0]) and not below(s[1], libmp.fzero)


def positive(s):
    """Whether all of s is above zero."""
    return below(libmp.fzero, s[0])


def negative(s):
    """Whether all of s is below zero."""
    return below(s[1], libmp.fzero)


def quotient(s, t, prec):
    """All s / t with t not zero."""
    if not has_zero(t):
        return libmpi.mpi_div(s, t, prec)
    if t == ZERO:
        return ALL
    if t[0] == libmp.fzero or t[1] == libmp.fzero:
        up = t[0] == libmp.fzero
        end = t[1] if up else t[0]
        if not has_zero(s) or s[0] == libmp.fzero or s[1] == libmp.fzero:
            edge = libmpi.mpi_div(s, (end, end), prec)
            if not below(s[0], libmp.fzero):
                return (edge[0], libmp.finf) if up else (libmp.fninf, edge[1])
            if not below(libmp.fzero, s[1]):
                return (libmp.fninf, edge[1]) if up else (edge[0], libmp.finf)
    return ALL


class Nodes:
    """Expressions over variables and constants: forward values, and what results allow (backward)."""

    def __init__(self, expressions, variables, constants):
        self.rows, self.known = [], {}
        self.variables = [self._add(("variable", i), v) for i, v in enumerate(variables)]
        self.constants = dict(constants)
        self.outputs = [self.node(e) for e in expressions]

    def _add(self, row, key):
        if key not in self.known:
            self.known[key] = len(self.rows)
            self.rows.append(row)
        return self.known[key]

    def node(self, e):
        if e in self.known:
            return self.known[e]
        if e.is_Symbol:
            return self._add(("constant", self.constants[e.name]), e)
        if e.is_Rational:
            return self._add(("ratio", int(e.p), int(e.q)), e)
        if e.is_Add or e.is_Mul:
            kind = "add" if e.is_Add else "multiply"
            parts = [self.node(a) for a in e.args]
            at = parts[0]
            for i, other in enumerate(parts[1:]):
                at = self._add((kind, at, other), e if i == len(parts) - 2 else (kind, at, other))
            return at
        if e.is_Pow:
            base, power = e.args
            if power.is_Integer and power < 0:
                return self._add(("divide", self.node(sp.Integer(1)), self.node(base ** (-power))), e)
            if power.is_Integer:
                return self._add(("whole", self.node(base), int(power)), e)
            return self._add(("power", self.node(base), self.node(power)), e)
        if isinstance(e, (sp.exp, sp.log)):
            return self._add(("exp" if isinstance(e, sp.exp) else "log", self.node(e.args[0])), e)
        if isinstance(e, (sp.Max, sp.Min)):
            kind = "largest" if isinstance(e, sp.Max) else "smallest"
            return self._add((kind, *map(self.node, e.args)), e)
        raise CertificateError(f"verify: no rule for {type(e).__name__} in {e}")

    def forward(self, box, prec):
        """Values of all nodes and whether every operation is defined all over the box; None if nowhere."""
        values, smooth = [], True
        for row in self.rows:
            value, fine = self._value(row, values, box, prec)
            if value is None:
                return None, False
            smooth = smooth and fine
            values.append(value)
        return values, smooth

    def _value(self, row, v, box, prec):
        kind = row[0]
        if kind == "variable":
            return box[row[1]], True
        if kind == "constant":
            return row[1], True
        if kind == "ratio":
            p, q = libmp.from_int(row[1]), libmp.from_int(row[2])
            return libmpi.mpi_div((p, p), (q, q), prec), True
        a = v[row[1]]
        if kind == "add":
            return libmpi.mpi_add(a, v[row[2]], prec), True
        if kind == "multiply":
            return libmpi.mpi_mul(a, v[row[2]], prec), True
        if kind == "divide":
            return quotient(a, v[row[2]], prec), not has_zero(v[row[2]])
        if kind == "whole":
            return libmpi.mpi_pow_int(a, row[2], prec), True
        if kind == "exp":
            return libmpi.mpi_exp(a, prec), True
        if kind in ("largest", "smallest"):
            pick = libmp.mpf_gt if kind == "largest" else libmp.mpf_lt
            ends = zip(*(v[k] for k in row[1:]), strict=True)
            return tuple(_best(pick, side) for side in ends), all(v[k][0] == v[k][1] for k in row[1:])
        a = meet(a, (libmp.fzero, libmp.finf))
        if a is None or (kind == "log" and a == ZERO):
            return None, False
        fine = positive(v[row[1]])
        if kind == "log":
            return _logarithm(a, prec), fine
        b = v[row[2]]
        if a == ZERO:
            return (ZERO if positive(b) else ALL), False
        return libmpi.mpi_exp(libmpi.mpi_mul(_logarithm(a, prec), b, prec), prec), fine

    def backward(self, values, prec):
        """Variables narrowed to what the values allow, or None."""
        for at in range(len(self.rows) - 1, -1, -1):
            row, c = self.rows[at], values[at]
            for k, allowed in self._allowed(row, c, values, prec):
                values[k] = meet(values[k], allowed)
                if values[k] is None:
                    return None
        return [values[i] for i in self.variables]

    def _allowed(self, row, c, v, prec):
        kind = row[0]
        if kind == "add":
            yield row[1], libmpi.mpi_sub(c, v[row[2]], prec)
            yield row[2], libmpi.mpi_sub(c, v[row[1]], prec)
        elif kind == "multiply" and row[1] != row[2]:
            for one, other in ((row[1], row[2]), (row[2], row[1])):
                if not has_zero(c) or not has_zero(v[other]):
                    yield one, quotient(c, v[other], prec)
        elif kind == "divide":
            yield row[1], libmpi.mpi_mul(c, v[row[2]], prec)
            if not has_zero(c) or not has_zero(v[row[1]]):
                yield row[2], quotient(v[row[1]], c, prec)
        elif kind == "whole" and row[2] % 2 == 0 and not negative(v[row[1]]) and positive(c):
            if not below(v[row[1]][0], libmp.fzero):
                n = libmp.from_int(row[2])
                root = libmpi.mpi_div(libmpi.mpi_log(c, prec), (n, n), prec)
                yield row[1], libmpi.mpi_exp(root, prec)
        elif kind == "exp" and positive(c):
            yield row[1], libmpi.mpi_log(c, prec)
        elif kind == "log":
            yield row[1], libmpi.mpi_exp(c, prec)
        elif kind == "power" and positive(v[row[2]]):
            c = meet(c, (libmp.fzero, libmp.finf))
            if c is not None and below(libmp.fzero, c[1]):
                yield row[1], libmpi.mpi_exp(libmpi.mpi_div(_logarithm(c, prec), v[row[2]], prec), prec)


def _best(pick, numbers):
    found = numbers[0]
    for other in numbers[1:]:
        found = other if pick(other, found) else found
    return found


def _logarithm(s, prec):
    if s[0] != libmp.fzero:
        return libmpi.mpi_log(s, prec)
    return libmp.fninf, libmpi.mpi_log((s[1], s[1]), prec)[1]
