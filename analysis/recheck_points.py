"""Certificates of folds, transcritical points and Hopf points checked again, with none of the code that made them.

The defining system is written anew from the text of the equations. Krawczyk's operator over mpmath's intervals shows
that the region holds exactly one solution; coefficients come from elimination over intervals, the other eigenvalues
from Routh's scheme.
"""

import numpy as np
import sympy as sp
from mpmath import libmp
from mpmath.libmp import libmpi

from . import recheck_intervals as vi
from .recheck_boxes import at_zero, krawczyk

__all__ = []  # of use inside the package only

FORMAT = "remission special point, version 1"
PRECISION = 160  # bits
COEFFICIENTS = {"fold": ("a", "b"), "transcritical": ("b", "c"), "Hopf": ("omega", "crossing")}
MAY_VANISH = ("c",)


class Point:
    """A defining system from the text of a certificate."""

    def __init__(self, data):
        self.faults = []
        self.data, self.kind = data, data["kind"]
        names = list(data["equations"])
        of = data["of"]
        if of in data["parameters"]:
            self.faults.append(f"{of} is moved and has a value as well")
        self.letters = {n: sp.Symbol(n) for n in [*names, *data["parameters"], of]}
        self.values = {n: _interval(v) for n, v in data["parameters"].items()}
        self.rates = {n: sp.sympify(e, locals=self.letters) for n, e in data["equations"].items()}
        self._take_out_totals()
        self.present = [self.letters[n] for n in data["present"]]
        self.absent = [self.letters[n] for n in data["absent"]]
        if sorted(map(str, [*self.present, *self.absent])) != sorted(self.rates):
            self.faults.append("present and absent states are not those of the equations")
            return
        self.p = self.letters[of]
        self._write()

    def _take_out_totals(self):
        """Conserved totals give one state each."""
        put = {}
        for i, total in enumerate(self.data["totals"]):
            value = sp.Symbol(f"value of total {i}")
            self.values[value.name] = _interval(total["value"])
            expression = sp.sympify(total["total"], locals=self.letters)
            along = sum(sp.diff(expression, self.letters[n]) * e for n, e in self.rates.items())
            if sp.expand(along) != 0:
                self.faults.append(f"{total['total']} is not conserved")
            x = self.letters[total["state"]]
            by = sp.solve(expression.subs(put) - value, x)[0]
            put = {k: e.subs(x, by) for k, e in put.items()} | {x: by}
        self.rates = {n: e.xreplace(put) for n, e in self.rates.items() if self.letters[n] not in put}

    def _on_face(self, e):
        for x in self.absent:
            e = at_zero(e, x, self.values)
        return e

    def _write(self):
        for x in self.absent:
            if sp.expand(self._on_face(self.rates[x.name])) != 0:
                self.faults.append(f"{x} does not stay zero")
        self.f = [self._on_face(self.rates[x.name]) for x in self.present]
        self.J = [[sp.diff(e, x) for x in self.present] for e in self.f]
        self.G = [[self._on_face(sp.diff(self.rates[x.name], k)) for k in self.absent] for x in self.absent]
        critical = self.G if self.kind == "transcritical" else self.J
        m = len(critical)
        self.v = [sp.Symbol(f"vector {i}") for i in range(m)]
        normals = [sp.Rational(float.fromhex(x)) for x in self.data["normals"]]
        if len(normals) != (2 * m if self.kind == "Hopf" else m):
            self.faults.append("the number of normals does not fit")
            return
        self.normals = normals
        turned = _apply(critical, self.v)
        size = sum(a * b for a, b in zip(normals, self.v, strict=False)) - 1
        self.unknowns = [*self.present, *self.v, self.p]
        self.equations = [*self.f, *turned, size]
        if self.kind == "Hopf":
            k = sp.Symbol("square of the frequency")
            twice = [e + k * x for e, x in zip(_apply(critical, turned), self.v, strict=True)]
            across = sum(a * b for a, b in zip(normals[m:], self.v, strict=True))
            self.unknowns = [*self.present, *self.v, k, self.p]
            self.equations = [*self.f, *twice, size, across]

    def nodes(self, expressions):
        return vi.Nodes(expressions, self.unknowns, self.values)

    def over(self, expressions, X):
        """Intervals of expressions over a box."""
        nodes = self.nodes(expressions)
        values, smooth = nodes.forward(X, PRECISION)
        if values is None or not smooth:
            raise ValueError("a derivative has no value over the enclosure")
        return [values[k] for k in nodes.outputs]


def reasons(data, until):
    """What does not hold of a certificate, and the numbers of points and boxes looked at."""
    kind = data["kind"]
    if kind not in COEFFICIENTS:
        return [f"there is no kind {kind!r}"], (0, 0)
    if set(data["coefficients"]) != set(COEFFICIENTS[kind]):
        return ["the coefficients are not those of the kind"], (0, 0)
    point = Point(data)
    if point.faults:
        return point.faults, (0, 0)
    region, claimed = ([_interval(side) for side in data[k]] for k in ("region", "enclosure"))
    if len(region) != len(point.unknowns) or len(claimed) != len(point.unknowns):
        return ["the boxes have other numbers of sides than there are unknowns"], (0, 0)
    X = _only_root(point, region)
    if X is None:
        return ["the region is not shown to hold exactly one solution"], (0, 1)
    if not all(vi.inside(c, r) for c, r in zip(claimed, region, strict=True)):
        return ["the enclosure is not within the region"], (0, 1)
    if not all(vi.inside(x, c) for x, c in zip(X, claimed, strict=True)):
        return ["the solution is not in its enclosure"], (0, 1)
    faults = [] if data["others"] == "undecided" else _others(point, X)
    return [*_signs(point, X), *faults], (1, 1)


def _interval(pair):
    low, high = (float.fromhex(v) for v in pair)
    if not low <= high or not np.isfinite([low, high]).all():
        raise ValueError(f"{low} to {high} is no interval")
    return vi.interval(low, high)


def _only_root(point, region):
    """A narrow box around the one solution of a region, or None."""
    plain = point.nodes(point.equations)
    slopes = point.nodes([sp.diff(e, u) for e in point.equations for u in point.unknowns])
    K = krawczyk(plain, slopes, region, PRECISION)
    if K is None or not all(vi.strictly_inside(k, r) for k, r in zip(K, region, strict=True)):
        return None
    X = K
    for _ in range(30):
        K = krawczyk(plain, slopes, X, PRECISION)
        if K is None:
            break
        Y = [vi.meet(k, x) for k, x in zip(K, X, strict=True)]
        if None in Y or Y == X:
            break
        X = Y
    return X


def _signs(point, X):
    """Coefficients that are not what the certificate says."""
    found = {"fold": _fold, "transcritical": _transcritical, "Hopf": _hopf}[point.kind](point, X)
    faults = []
    for name, pair in point.data["coefficients"].items():
        said, is_ = _interval(pair), found[name]
        if vi.meet(said, is_) is None:
            faults.append(f"the coefficient {name} is another")
        elif name not in MAY_VANISH and (vi.has_zero(said) or vi.has_zero(is_)):
            faults.append(f"the coefficient {name} is not told from zero")
        elif vi.has_zero(is_) and not vi.has_zero(said):
            faults.append(f"the sign of the coefficient {name} is not shown")
    return faults


def _fold(point, X):
    n = len(point.present)
    along = [sum(sp.diff(e, x) * v for x, v in zip(point.present, point.v, strict=True)) for e in point.f]
    twice = [sum(sp.diff(e, x) * v for x, v in zip(point.present, point.v, strict=True)) for e in along]
    J, moved, bent = (point.over(e, X) for e in (_flat(point.J), [sp.diff(e, point.p) for e in point.f], twice))
    z = _left_null(_square(J, n), X[n : 2 * n], point.normals)
    half = vi.interval(0.5, 0.5)
    return {"a": _dot(z, moved), "b": _mul(half, _dot(z, bent))}


def _transcritical(point, X):
    n, m = len(point.present), len(point.absent)
    w = X[n : n + m]
    growing = _apply(point.G, point.v)
    coupling = [
        sum(point._on_face(sp.diff(point.rates[x.name], k)) * v for k, v in zip(point.absent, point.v, strict=True))
        for x in point.present
    ]
    bent = [
        sum(
            point._on_face(sp.diff(point.rates[x.name], j, k)) * a * b
            for j, a in zip(point.absent, point.v, strict=True) for k, b in zip(point.absent, point.v, strict=True)
        )
        for x in point.absent
    ]  # fmt: skip
    G, J = _square(point.over(_flat(point.G), X), m), _square(point.over(_flat(point.J), X), n)
    z = _left_null(G, w, point.normals)
    moved = point.over([sp.diff(e, point.p) for e in point.f], X)
    along = [_negative(x) for x in solve(J, moved)]
    driven = [_negative(x) for x in solve(J, point.over(coupling, X))]
    turning = [point.over([sp.diff(e, x) for x in point.present], X) for e in growing]
    faster = point.over([sp.diff(e, point.p) for e in growing], X)
    bent = point.over(bent, X)
    half = vi.interval(0.5, 0.5)
    b = [_add(e, _dot(t, along)) for e, t in zip(faster, turning, strict=True)]
    c = [_add(_mul(half, e), _dot(t, driven)) for e, t in zip(bent, turning, strict=True)]
    return {"b": _dot(z, b), "c": _dot(z, c)}


def _hopf(point, X):
    """omega, and the slope of the real part from the derivative of (J - i omega) q = 0 in real form."""
    n = len(point.present)
    v, kappa = X[n : 2 * n], X[2 * n]
    if not vi.positive(kappa):
        raise ValueError("the square of the frequency is not positive")
    omega = libmpi.mpi_sqrt(kappa, PRECISION)
    J = _square(point.over(_flat(point.J), X), n)
    other = [_negative(libmpi.mpi_div(_dot(row, v), omega, PRECISION)) for row in J]  # q = v + i other
    moved = point.over([sp.diff(e, point.p) for e in point.f], X)
    along = [*(_negative(x) for x in solve(J, moved)), vi.ONE]
    turned = [[_dot(point.over([sp.diff(e, u) for u in (*point.present, point.p)], X), along) for e in row]
              for row in point.J]  # fmt: skip
    normals = [_exact(x) for x in point.normals[:n]]
    rows, right = [], []
    for i in range(n):
        unit = [omega if i == j else vi.ZERO for j in range(n)]
        rows.append([*J[i], *unit, _negative(v[i]), other[i]])
        right.append(_negative(_dot(turned[i], v)))
    for i in range(n):
        unit = [_negative(omega) if i == j else vi.ZERO for j in range(n)]
        rows.append([*unit, *J[i], _negative(other[i]), _negative(v[i])])
        right.append(_negative(_dot(turned[i], other)))
    rows.append([*normals, *[vi.ZERO] * (n + 2)])
    rows.append([*[vi.ZERO] * n, *normals, vi.ZERO, vi.ZERO])
    return {"omega": omega, "crossing": solve(rows, [*right, vi.ZERO, vi.ZERO])[2 * n]}


def _others(point, X):
    """Whether all eigenvalues but the critical are what the certificate says."""
    from .recheck import routh_of

    n, m = len(point.present), len(point.absent)
    J = _coefficients(_square(point.over(_flat(point.J), X), n), X[:n])
    G = _coefficients(_square(point.over(_flat(point.G), X), m), None)
    if point.kind == "fold":
        J = J[:-1]
    elif point.kind == "transcritical":
        G = G[:-1]
    else:
        J = _without_pair(J, X[2 * n])
    verdicts = [routh_of(c) for c in (J, G)]
    verdict = next((v for v in ("unstable", "undecided") if v in verdicts), "stable")
    said = point.data["others"]
    return [] if verdict == said else [f"the other eigenvalues are said to be {said} and found {verdict}"]


def _coefficients(matrix, sizes):
    """Of the characteristic polynomial; states are measured by powers of two near their sizes."""
    from .recheck import characteristic

    n = len(matrix)
    powers = [0] * n
    if sizes is not None:
        middle = [abs(libmp.to_float(libmpi.mpi_mid(s, 60))) for s in sizes]
        powers = [int(np.round(np.log2(s))) if s > 1e-30 else 0 for s in middle]
    shifted = [
        [tuple(libmp.mpf_shift(end, powers[j] - powers[i]) for end in matrix[i][j]) for j in range(n)] for i in range(n)
    ]
    return characteristic(shifted)


def _without_pair(c, kappa):
    """Coefficients of a polynomial divided by x^2 + kappa, of which it is a multiple."""
    found = []
    for k in range(len(c) - 2):
        found.append(c[k] if k < 2 else libmpi.mpi_sub(c[k], _mul(kappa, found[k - 2]), PRECISION))
    return found


def _left_null(matrix, null, normals):
    """z with z A = 0 and z.null = 1, A null = 0 being known."""
    n = len(null)
    middle = np.array([[libmp.to_float(libmpi.mpi_mid(e, 60)) for e in row] for row in matrix])
    start = np.linalg.svd(middle)[0][:, -1]
    rows = [[*(matrix[i][j] for i in range(n)), _exact(normals[j])] for j in range(n)]
    rows.append([*(vi.interval(x, x) for x in start.tolist()), vi.ZERO])
    z = solve(rows, [*[vi.ZERO] * n, vi.ONE])[:n]
    along = _dot(z, null)
    if vi.has_zero(along):
        raise ValueError("the critical eigenvalue is not told from a double one")
    return [libmpi.mpi_div(x, along, PRECISION) for x in z]


def solve(matrix, right):
    """Linear equations over intervals by elimination, the largest pivot first."""
    n = len(right)
    rows = [[*row, b] for row, b in zip(matrix, right, strict=True)]
    for k in range(n):
        best = max(range(k, n), key=lambda i: abs(libmp.to_float(libmpi.mpi_mid(rows[i][k], 60))))
        rows[k], rows[best] = rows[best], rows[k]
        if vi.has_zero(rows[k][k]):
            raise ValueError("a matrix that should be regular is not told from a singular one")
        for i in range(k + 1, n):
            if rows[i][k] != vi.ZERO:
                part = libmpi.mpi_div(rows[i][k], rows[k][k], PRECISION)
                rows[i] = [libmpi.mpi_sub(a, _mul(part, b), PRECISION) for a, b in zip(rows[i], rows[k], strict=True)]
                rows[i][k] = vi.ZERO
    found = [vi.ZERO] * n
    for k in range(n - 1, -1, -1):
        rest = libmpi.mpi_sub(rows[k][n], _dot(rows[k][k + 1 : n], found[k + 1 :]), PRECISION)
        found[k] = libmpi.mpi_div(rest, rows[k][k], PRECISION)
    return found


def _mul(a, b):
    return libmpi.mpi_mul(a, b, PRECISION)


def _add(a, b):
    return libmpi.mpi_add(a, b, PRECISION)


def _negative(a):
    return libmpi.mpi_neg(a)


def _dot(a, b):
    found = vi.ZERO
    for x, y in zip(a, b, strict=True):
        found = _add(found, _mul(x, y))
    return found


def _apply(matrix, vector):
    return [sp.Add(*(a * b for a, b in zip(row, vector, strict=True))) for row in matrix]


def _flat(matrix):
    return [e for row in matrix for e in row]


def _square(entries, n):
    return [entries[i * n : (i + 1) * n] for i in range(n)]


def _exact(number):
    p, q = libmp.from_int(int(number.p)), libmp.from_int(int(number.q))
    return libmpi.mpi_div((p, p), (q, q), PRECISION)
