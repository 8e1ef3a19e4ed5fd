"""verify: check a certificate of steady states again, with none of the code that found them.

Equations are read from text, split, eliminated and differentiated anew; intervals are mpmath's; existence and
uniqueness are shown by Krawczyk's operator, stability by Routh's scheme on the characteristic polynomial.
"""

import time
from dataclasses import dataclass

import sympy as sp

from remission.models.errors import CertificateError, refuse_unknown_keywords

from . import recheck_all_points, recheck_points
from . import recheck_families as families
from . import recheck_intervals as vi
from .recheck_boxes import Part

__all__ = ["Verification", "verify"]

FORMAT = "remission steady states, version 1"
PRECISION = 120  # bits


@refuse_unknown_keywords
@dataclass(frozen=True)
class Verification:
    """Outcome of `verify`; true where everything holds.

    Attributes
    ----------
    valid : bool
    reasons : tuple of str
        What does not hold.
    n_states, n_boxes : int
        Steady states (or special points) and boxes that were checked.
    seconds : float
    what : str
        What was checked.
    """

    valid: bool
    reasons: tuple
    n_states: int = 0
    n_boxes: int = 0
    seconds: float = 0.0
    what: str = "steady states"

    def __bool__(self):
        return self.valid

    def __str__(self):
        if self.valid:
            return f"verified: {self.n_states} {self.what}, {self.n_boxes} boxes, {self.seconds:.2g} s"
        return "not verified: " + "; ".join(self.reasons)


@refuse_unknown_keywords
def verify(certificate, time_limit=300.0) -> Verification:
    """Check a certificate of `steady_states`, of a fold, transcritical or Hopf point, or of `certified_points`.

    Parameters
    ----------
    certificate : dict
        `result.certificate` or `point.certificate`, or what `json.load` read of one.
    time_limit : float
        Seconds.

    Returns
    -------
    Verification

    Raises
    ------
    CertificateError
        If it is not a certificate of this format.

    Examples
    --------
    >>> from remission.models import logistic_growth
    >>> from remission.solvers import Problem
    >>> from remission.analysis import steady_states
    >>> found = steady_states(Problem(logistic_growth()))
    >>> bool(verify(found.certificate))
    True
    """
    began = time.monotonic()
    form = certificate.get("format") if isinstance(certificate, dict) else None
    checks = {FORMAT: _reasons, recheck_points.FORMAT: recheck_points.reasons}
    checks[recheck_all_points.FORMAT] = recheck_all_points.reasons
    if form not in checks:
        what = f"{type(certificate).__name__}, give its .certificate" if hasattr(certificate, "certificate") else ""
        forms = " or ".join(map(repr, checks))
        raise CertificateError(f"verify: not a certificate of the format {forms}; got {what or form or certificate!r}")
    try:
        reasons, counts = checks[form](certificate, began + time_limit)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, sp.SympifyError) as error:
        reasons, counts = [f"cannot be read: {type(error).__name__}: {error}"], (0, 0)
    what = {FORMAT: "steady states", recheck_all_points.FORMAT: "special points"}.get(form)
    what = what or f"{certificate.get('kind')} point"
    return Verification(not reasons, tuple(reasons), *counts, time.monotonic() - began, what)


def _reasons(certificate, until):
    names = list(certificate["box"])
    letters = {n: sp.Symbol(n) for n in [*names, *certificate["parameters"]]}
    values = {n: _interval(v) for n, v in certificate["parameters"].items()}
    rates = {n: sp.sympify(certificate["equations"][n], locals=letters) for n in names}
    if set(certificate["equations"]) != set(names):
        return ["box and equations name different states"], (0, 0)
    equations, reasons = dict(rates), []
    for i, total in enumerate(certificate["totals"]):
        value = sp.Symbol(f"total {i}")
        values[value.name] = _interval(total["value"])
        expression = sp.sympify(total["total"], locals=letters)
        along = sum(sp.diff(expression, letters[n]) * rates[n] for n in names)
        if sp.expand(along) != 0 or expression.coeff(letters[total["state"]]) == 0:
            reasons.append(f"{total['total']} is not conserved")
        equations[total["state"]] = expression - value
    if not _covers([(set(p["zeros"]), set(p["divided"])) for p in certificate["parts"]]):
        reasons.append("the parts do not cover all cases")
    box = {n: _interval(v) for n, v in certificate["box"].items()}
    undecided = [{n: _interval(v) for n, v in b.items()} for b in certificate["undecided"]]
    claimed = [{n: _interval(v) for n, v in s["enclosure"].items()} for s in certificate["states"]]
    continua = [c for c, s in zip(claimed, certificate["states"], strict=True) if s["family"]]
    roots, boxes, on = [], 0, []
    for data in certificate["parts"]:
        part = Part(data, equations, letters, values, box)
        faults, found, count = part.check(until, certificate["complete"], undecided, PRECISION)
        if "special" in data and not part.faults:
            shown = families.roots_of(part, data["special"]["shown"], continua, undecided, PRECISION)
            on += shown
        reasons += faults
        roots += found
        boxes += count

    for one in list(on):
        if any(families.part_of(one[2], other[1], letters, values) for other in on if other is not one):
            on.remove(one)
    roots += [(root, True, []) for root, _, _ in on]

    def member(root):
        return any(families.on_it(root, relations, letters, values, PRECISION) for _, relations, _ in on)

    reasons += _compare(certificate, roots, box, undecided, member)
    reasons += _stabilities(certificate, rates, letters, values)
    return reasons, (len(certificate["states"]), boxes)


def _interval(pair):
    low, high = (float.fromhex(v) for v in pair)
    if not low <= high:
        raise ValueError(f"{low} to {high} is no interval")
    return vi.interval(low, high)


def _covers(parts):
    """Whether every choice of states that are zero or not falls into a part."""
    if any(not zeros and not divided for zeros, divided in parts):
        return True
    names = set.intersection(*(z | d for z, d in parts)) if parts else set()
    if not names:
        return False
    name = min(names)
    absent = [(z - {name}, d) for z, d in parts if name in z]
    present = [(z, d - {name}) for z, d in parts if name in d]
    return _covers(absent) and _covers(present)


def _matched(choices):
    """As many different numbers as can be had by taking one from each list (augmenting paths)."""
    taken = {}

    def place(k, tried):
        for i in choices[k]:
            if i not in tried:
                tried.add(i)
                if i not in taken or place(taken[i], tried):
                    taken[i] = k
                    return True
        return False

    for k in range(len(choices)):
        place(k, set())
    return set(taken)


def _compare(certificate, roots, box, undecided, member):
    """Every root of the parts in the box is one of the states, on a continuum or in an undecided box; none is left."""
    claimed = [{n: _interval(v) for n, v in s["enclosure"].items()} for s in certificate["states"]]
    filled = [root for root, family, _ in roots if family]  # continua of free states fill their boxes
    reasons, seen, continua = [], set(), []
    for root, family, divided in roots:
        hits = [i for i, c in enumerate(claimed) if all(vi.inside(root[n], c[n]) for n in box)]
        hits = [i for i in hits if certificate["states"][i]["family"] == family]
        hits = [i for i in hits if all(vi.meet(claimed[i][n], box[n]) is not None for n in box)]
        if family:
            continua.append(hits)
            continue
        if len(hits) == 1 and hits[0] not in seen:
            seen.add(hits[0])
            continue
        if any(vi.meet(root[n], box[n]) is None for n in box):
            continue
        on_face = any(root[n] == vi.ZERO for n in divided)
        met = any(all(vi.meet(root[n], b[n]) is not None for n in box) for b in [*undecided, *filled])
        if not met and not on_face and not member(root):
            reasons.append("a root is not among the states")
    matched = _matched(continua)
    seen |= matched
    if len(matched) < len(continua):
        reasons.append("a continuum is not among the states")
    if len(seen) != len(claimed):
        reasons.append(f"{len(claimed) - len(seen)} states belong to no root")
    return reasons


def _stabilities(certificate, rates, letters, values):
    names = list(rates)
    states = [letters[n] for n in names]
    slopes = [sp.diff(rates[n], s) for n in names for s in states]
    nodes = vi.Nodes(slopes, states, values)
    n, gone, reasons = len(names), len(certificate["totals"]), []
    for state in certificate["states"]:
        if state["family"] or state["stability"] == "undecided":
            continue
        found, _ = nodes.forward([_interval(state["enclosure"][k]) for k in names], PRECISION)
        verdict = "undecided"
        flat = [] if found is None else [found[k] for k in nodes.outputs]
        if flat and not any(vi.libmp.fninf in e or vi.libmp.finf in e for e in flat):
            verdict = routh([flat[i * n : (i + 1) * n] for i in range(n)], gone)
        if verdict != state["stability"]:
            reasons.append(f"a state said to be {state['stability']} is found {verdict}")
    return reasons


def routh(matrix, gone):
    """Stability from the characteristic polynomial, of which the last `gone` coefficients are zero."""
    if not gone and len(parts := blocks(matrix)) > 1:
        verdicts = [routh([[matrix[i][j] for j in part] for i in part], 0) for part in parts]
        return next((v for v in ("unstable", "undecided") if v in verdicts), "stable")
    c = characteristic(matrix)
    return routh_of(c[: len(c) - gone])


def blocks(matrix):
    """Sets of rows that lead to each other: the matrix is block triangular over them."""
    n = len(matrix)
    to = [[i == j or matrix[i][j] != vi.ZERO for j in range(n)] for i in range(n)]
    for k in range(n):
        to = [[to[i][j] or (to[i][k] and to[k][j]) for j in range(n)] for i in range(n)]
    return list({tuple(j for j in range(n) if to[i][j] and to[j][i]) for i in range(n)})


def routh_of(c):
    """Whether all roots of a polynomial have negative real parts; its coefficients are intervals, the first is 1."""
    if any(vi.negative(x) for x in c):
        return "unstable"
    above, row = c[0::2], c[1::2]
    column = [above[0]]
    while row:
        column.append(row[0])
        if vi.negative(row[0]) and all(vi.positive(x) for x in column[:-1]):
            return "unstable"
        if not vi.positive(row[0]):
            return "undecided"
        ratio = vi.libmpi.mpi_div(above[0], row[0], PRECISION)
        following = []
        for k in range(1, len(above)):
            taken = vi.libmpi.mpi_mul(ratio, row[k], PRECISION) if k < len(row) else vi.ZERO
            following.append(vi.libmpi.mpi_sub(above[k], taken, PRECISION))
        above, row = row, following
    return "stable"


def characteristic(matrix):
    """Coefficients of det(x - A), the first is 1 (Faddeev and LeVerrier)."""
    n = len(matrix)
    mul, add, div = vi.libmpi.mpi_mul, vi.libmpi.mpi_add, vi.libmpi.mpi_div
    M, found = [[vi.ZERO] * n for _ in range(n)], [vi.ONE]
    for k in range(1, n + 1):
        product = [[vi.ZERO] * n for _ in range(n)]
        for i in range(n):
            for j in range(n):
                M[i][j] = add(M[i][j], found[-1], PRECISION) if i == j else M[i][j]
        for i in range(n):
            for j in range(n):
                for m in range(n):
                    product[i][j] = add(product[i][j], mul(matrix[i][m], M[m][j], PRECISION), PRECISION)
        trace = vi.ZERO
        for i in range(n):
            trace = add(trace, product[i][i], PRECISION)
        whole = vi.libmp.from_int(-k)
        found.append(div(trace, (whole, whole), PRECISION))
        M = product
    return found
