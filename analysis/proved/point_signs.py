"""Signs at a proved point, by ball arithmetic over its enclosure, and the point as a value with its certificate."""

from functools import lru_cache

import numpy as np
import sympy as sp

from remission.models.errors import CertificateError

from . import reduce, stability
from .point_value import CertifiedPoint

__all__ = []  # of use inside the package only

FORMAT = "remission special point, version 1"


def point(problem, of, made, work, region, enclosure) -> CertifiedPoint:
    """A proved box as a value.

    Parameters
    ----------
    problem : Problem
    of : str
    made : faces.Defined
    work : points.Work
    region, enclosure : (n, 2) arrays
        Of all unknowns.

    Returns
    -------
    CertifiedPoint

    Raises
    ------
    CertificateError
        If a coefficient that must not vanish is not told from zero.
    """
    import flint

    before, flint.ctx.prec = flint.ctx.prec, stability.DIGITS
    try:
        q = {k: [stability._ball(*v) for v in values] for k, values in work.quantities(enclosure).items()}
        null = [stability._ball(*v) for v in enclosure[len(made.present) : -1]]
        intervals, others = {"fold": _fold, "transcritical": _transcritical, "Hopf": _hopf}[made.kind](
            flint, made, work, q, null
        )
        found = {name: _ends(ball) for name, ball in intervals.items()}
        recovered = [_ends(b) for b in q["recovered"]]
    finally:
        flint.ctx.prec = before
    for name, (low, high) in found.items():
        if low <= 0 <= high and name != "c":
            raise CertificateError(
                f"certify {made.kind} of {problem.model.name}: the coefficient {name} is not told from zero "
                f"({low:.3g} to {high:.3g}); the point is degenerate, or nearly so"
            )
    sides = _sides(problem, made, enclosure, recovered)
    low, high = (float(v) for v in enclosure[-1])
    opens, criticality, text = _words(made, found, others, null)
    certificate = _certificate(problem, of, made, work, region, enclosure, found, others)
    absent = tuple(s.name for s in made.absent)
    state = {n: 0.0 if n in absent else a + 0.5 * (b - a) for n, (a, b) in sides.items()}
    return CertifiedPoint(
        problem, made.kind, of, low + 0.5 * (high - low), (low, high), state, sides, absent, work.along.name, found,
        others, opens, criticality, text, certificate, region,
    )  # fmt: skip


def _ends(ball):
    """Outer doubles of a ball."""
    low, high = float(ball.lower()), float(ball.upper())
    return float(np.nextafter(low, -np.inf)), float(np.nextafter(high, np.inf))


def _sides(problem, made, enclosure, recovered):
    found = dict(zip((s.name for s in made.present), enclosure, strict=False))
    found |= {s.name: (0.0, 0.0) for s in made.absent}
    from .faces import opened

    found |= dict(zip((s.name for s in opened(problem.model).recovered), recovered, strict=True))
    return {s.name: (float(found[s.name][0]), float(found[s.name][1])) for s in problem.model.states}


def _matrix(flint, entries, rows, columns):
    return flint.arb_mat(rows, columns, list(entries)) if rows and columns else None


def _solve(matrix, right):
    """Solution of linear equations in balls, as a list."""
    import flint

    if matrix is None:
        return []
    try:
        found = matrix.solve(flint.arb_mat(len(right), 1, right))
    except ZeroDivisionError:
        raise CertificateError("certify: a matrix that should be regular is not told from a singular one") from None
    return [found[i, 0] for i in range(len(right))]


def _dot(a, b):
    import flint

    return sum((x * y for x, y in zip(a, b, strict=True)), flint.arb(0))


def _left_null(flint, entries, null, normals):
    """The left null vector z of a matrix of which `null` is the right one, with z.null = 1."""
    n = len(null)
    middle = np.array([float(e.mid()) for e in entries]).reshape(n, n)
    size = np.max(np.abs(middle), axis=1)
    size = np.where(size > 0, size, 1.0)
    left = np.linalg.svd((middle / size[:, None]).T)[2][-1] / size
    left /= np.max(np.abs(left))
    rows = []
    for j in range(n):
        rows += [entries[i * n + j] for i in range(n)] + [flint.arb(float(normals[j]))]
    rows += [flint.arb(float(p)) for p in left] + [flint.arb(0)]
    z = _solve(flint.arb_mat(n + 1, n + 1, rows), [flint.arb(0)] * n + [flint.arb(1)])[:n]
    along = _dot(z, null)
    if along.contains(0):
        raise CertificateError("certify: the critical eigenvalue is not told from a double one")
    return [x / along for x in z]


def _scaled(flint, entries, sizes):
    n = len(sizes)
    powers = [flint.arb(2.0 ** float(np.round(np.log2(s)))) for s in sizes]
    return [[entries[i * n + j] * powers[j] / powers[i] for j in range(n)] for i in range(n)], powers


def _rest(flint, entries, sizes, null=None, normals=None):
    """Verdict on a block; with a null vector on all eigenvalues but that one, which is moved to the left."""
    n = len(sizes)
    if not n or (n == 1 and null is not None):
        return "stable"
    rows, powers = _scaled(flint, entries, sizes)
    if null is not None:
        far = 1.37 * max(abs(float(e.mid())) for row in rows for e in row) or 1.0
        v = [x / p for x, p in zip(null, powers, strict=True)]
        u = [flint.arb(float(x)) * p for x, p in zip(normals, powers, strict=True)]
        rows = [[rows[i][j] - far * v[i] * u[j] for j in range(n)] for i in range(n)]
    return stability._verdict_of(rows)


def _joined(*verdicts):
    return next((v for v in ("unstable", "undecided") if v in verdicts), "stable")


def _fold(flint, made, work, q, null):
    """s' = a (p - p*) + b s^2 along the null vector."""
    z = _left_null(flint, q["jacobian"], null, work.normals)
    intervals = {"a": _dot(z, q["moving"]), "b": _dot(z, q["bending"]) / 2}
    others = _joined(
        _rest(flint, q["jacobian"], work.present, null, work.normals), _rest(flint, q["growth"], work.absent)
    )
    return intervals, others


def _transcritical(flint, made, work, q, null):
    """s' = b (p - p*) s + c s^2, s the amount of the absent states along their null vector."""
    n, m = len(made.present), len(made.absent)
    z = _left_null(flint, q["growth"], null, work.normals)
    jacobian = _matrix(flint, q["jacobian"], n, n)
    along = [-x for x in _solve(jacobian, q["moving"])]
    driven = [-x for x in _solve(jacobian, q["coupling"])]
    turning = [q["turning"][i * n : (i + 1) * n] for i in range(m)]
    b = _dot(z, [q["growing"][i] + _dot(turning[i], along) for i in range(m)])
    c = _dot(z, [q["bending"][i] / 2 + _dot(turning[i], driven) for i in range(m)])
    others = _joined(
        _rest(flint, q["jacobian"], work.present), _rest(flint, q["growth"], work.absent, null, work.normals)
    )
    return {"b": b, "c": c}, others


def _hopf(flint, made, work, q, null):
    """Frequency, slope of the pair's real part along the branch, and the other eigenvalues."""
    n = len(made.present)
    square, v = null[-1], null[:-1]
    if not square > 0:
        raise CertificateError(
            f"certify Hopf of {work.problem.model.name}: a neutral saddle, the square is not above 0"
        )
    omega = square.sqrt()
    J = [q["jacobian"][i * n : (i + 1) * n] for i in range(n)]
    Jv = [_dot(row, v) for row in J]
    right = [flint.acb(x, -y / omega) for x, y in zip(v, Jv, strict=True)]  # J right = i omega right
    left = _left_eigenvector(flint, J, omega, right)
    along = [-x for x in _solve(_matrix(flint, q["jacobian"], n, n), q["moving"])] + [flint.arb(1)]
    slope = flint.acb(0)
    for i in range(n):
        for j in range(n):
            entries = q["slopes"][(i * n + j) * (n + 1) : (i * n + j + 1) * (n + 1)]
            slope += left[i] * right[j] * _dot(entries, along)
    others = _joined(
        _without_pair(flint, J, v, Jv, omega, work.present),
        _rest(flint, q["growth"], work.absent),
    )
    return {"omega": omega, "crossing": slope.real}, others


def _left_eigenvector(flint, J, omega, right):
    """p with p J = i omega p and p.right = 1."""
    n = len(J)
    middle = np.array([[float(e.mid()) for e in row] for row in J])
    values, vectors = np.linalg.eig(middle.T)
    start = vectors[:, int(np.argmin(np.abs(values - 1j * float(omega.mid()))))]
    rows = []
    for j in range(n):
        rows += [flint.acb(J[i][j]) - (flint.acb(0, omega) if i == j else 0) for i in range(n)]
        rows.append(flint.acb(float(right[j].real.mid()), -float(right[j].imag.mid())))
    rows += [flint.acb(float(x.real), -float(x.imag)) for x in start] + [flint.acb(0)]
    try:
        found = flint.acb_mat(n + 1, n + 1, rows).solve(flint.acb_mat(n + 1, 1, [flint.acb(0)] * n + [flint.acb(1)]))
    except ZeroDivisionError:
        raise CertificateError("certify Hopf: the pair is not told from a double one") from None
    p = [found[i, 0] for i in range(n)]
    along = sum((a * b for a, b in zip(p, right, strict=True)), flint.acb(0))
    return [x / along for x in p]


def _without_pair(flint, J, v, Jv, omega, sizes):
    """Verdict on all eigenvalues but a pair: on the plane of v and Jv they are moved to the left."""
    n = len(J)
    rows, powers = _scaled(flint, [e for row in J for e in row], sizes)
    one = [x / p for x, p in zip(v, powers, strict=True)]
    two = [x / p / omega for x, p in zip(Jv, powers, strict=True)]
    basis = np.array([[float(x.mid()) for x in one], [float(x.mid()) for x in two]])
    dual = np.linalg.pinv(basis)  # (n, 2) doubles; U = dual (basis dual)^-1 is exact in balls
    a = [[_dot([flint.arb(float(d)) for d in dual[:, k]], w) for w in (one, two)] for k in (0, 1)]
    inverse = flint.arb_mat(2, 2, [a[0][0], a[0][1], a[1][0], a[1][1]]).inv()
    far = 1.37 * max(abs(float(e.mid())) for row in rows for e in row) or 1.0
    moved = [list(row) for row in rows]
    for j in range(n):
        d = [flint.arb(float(dual[j, k])) for k in (0, 1)]
        weight = [inverse[r, 0] * d[0] + inverse[r, 1] * d[1] for r in (0, 1)]
        for i in range(n):
            moved[i][j] -= far * (one[i] * weight[0] + two[i] * weight[1])
    return stability._verdict_of(moved)


def _words(made, found, others, null):
    """Side, criticality and text."""
    met = {"stable": "a stable and an unstable state meet", "unstable": "two unstable states meet"}
    if made.kind == "fold":
        same = (found["a"][0] > 0) == (found["b"][0] > 0)
        opens = -1 if same else 1
        side = "below, none above" if opens < 0 else "above, none below"
        return opens, "", f"{met.get(others, 'two states meet')}; two steady states {side}"
    if made.kind == "Hopf":
        how = "stable below, unstable above" if found["crossing"][0] > 0 else "unstable below, stable above"
        text = {"stable": f"the state is {how}", "unstable": "a pair crosses at an unstable state"}
        return 0, "", text.get(others, "a pair of eigenvalues crosses")
    names = " and ".join(s.name for s in made.absent)
    low, high = found["c"]
    upward = all(not x < 0 for x in null)  # else the new state has a negative amount of something
    criticality = ""
    if upward and not low <= 0 <= high:
        criticality = "supercritical" if high < 0 else "subcritical"
    falls = found["b"][1] < 0
    if others == "unstable":
        what = f"the state without {names} stays unstable"
    else:
        what = f"the state without {names} becomes {'stable' if falls else 'unstable'} above"
        what += "" if others == "stable" else " if the other eigenvalues allow it"
    return 0, criticality, what + (f", {criticality}" if criticality else "")


def _certificate(problem, of, made, work, region, enclosure, found, others):
    system = reduce.system_of(problem.model)
    own = len(system.parameters) - len(system.totals)
    kept = [p for p in system.parameters if p.name != of]
    values = dict(zip((p.name for p in kept), work.values, strict=True))
    return {
        "format": FORMAT,
        "kind": made.kind,
        "model": problem.model.name,
        "of": of,
        "equations": dict(_text(problem.model)),
        "parameters": {p.name: _hex(values[p.name]) for p in system.parameters[:own] if p.name != of},
        "totals": [
            {"state": s.name, "total": sp.sstr(total), "value": _hex(values[v.name])}
            for (s, total), v in zip(system.totals, system.parameters[own:], strict=True)
        ],
        "present": [s.name for s in made.present],
        "absent": [s.name for s in made.absent],
        "normals": [float(v).hex() for v in work.normals],
        "region": [_hex(side) for side in region],
        "enclosure": [_hex(side) for side in enclosure],
        "coefficients": {name: _hex(ends) for name, ends in found.items()},
        "others": others,
    }  # fmt: skip


@lru_cache(maxsize=64)
def _text(model):
    return tuple((s.name, sp.sstr(e)) for s, e in reduce.system_of(model).rates.items())


def _hex(pair):
    return [float(pair[0]).hex(), float(pair[1]).hex()]
