"""Certificates that some special points are all over a range: every system of every case, its tree of boxes replayed.

Cases (which states are absent), equations, determinants and growth rates are made anew from the text; each box that
the search called empty has to be empty here too, each solution has to be one of the points, and each point has to
hold on its own (`recheck_points`).
"""

import itertools

import sympy as sp
from mpmath import libmp

from . import recheck_intervals as vi
from . import recheck_points
from .recheck_boxes import Part, at_zero, once, over

__all__ = []  # of use inside the package only

FORMAT = "remission special points, version 1"
KINDS = ("fold", "transcritical", "Hopf")
PRECISION = 120  # bits
SQUARE = "square of the frequency, or of its sign"
NOT_NEGATIVE = (libmp.fzero, libmp.finf)


class Event(Part):
    """A case with what is moved as one more variable, and one more equation."""

    def __init__(self, data, certificate, equations, rates, letters, values, box):
        of, part = certificate["of"], data["part"]
        within = _interval(certificate["within"])
        super().__init__(part, equations, letters, values | {of: within}, dict(box))
        self.box[of] = within
        self.kind, self.whole = data["kind"], equations
        if not self.names or self.names[-1] != of or of in self.names[:-1]:
            self.faults.append(f"{of} is not the last variable")
        if self.faults:
            return
        more = {"fold": self._fold, "transcritical": self._growth, "Hopf": self._pair}[self.kind]
        self.equations = [*self.equations, once(more(data, rates))]

    def _fold(self, data, rates):
        return determinant([[sp.diff(e, x) for x in self.symbols[:-1]] for e in self.equations])

    def _growth(self, data, rates):
        """Growth rate of a state that is absent; those split off before it are zero when it is divided out."""
        zeros, state = self.data["zeros"], data["state"]
        e = self.whole[state]
        for name in zeros[: zeros.index(state)]:
            e = at_zero(e, self.letters[name], self.values)
        e = over(e, self.letters[state])
        for name in zeros[zeros.index(state) :]:
            e = at_zero(e, self.letters[name], self.values)
        return e.xreplace(self.put)

    def _pair(self, data, rates):
        slopes, block = jacobian(self, rates), data["block"]
        c = polynomial([[slopes[i][j].xreplace(self.put) for j in block] for i in block])
        square = {3: c[2], 4: c[2] if len(c) > 2 else 0, 5: c[1] * c[3] if len(c) > 4 else 0}[len(c)]
        self.eliminated = self.eliminated | {SQUARE: square}
        self.box[SQUARE] = NOT_NEGATIVE
        if len(c) == 3:
            return c[1]
        return c[1] * c[2] - c[3] if len(c) == 4 else c[1] * c[2] * c[3] - c[3] ** 2 - c[1] ** 2 * c[4]


def determinant(rows):
    """By permutations."""
    total = []
    for order in itertools.permutations(range(len(rows))):
        sign = sp.combinatorics.Permutation(order).signature()
        total.append(sign * sp.Mul(*(rows[i][j] for i, j in enumerate(order))))
    return sp.Add(*total)


def polynomial(rows):
    """Coefficients of det(x - A), the first is 1."""
    n, found = len(rows), [sp.Integer(1)]
    for k in range(1, n + 1):
        minors = [determinant([[rows[i][j] for j in at] for i in at]) for at in itertools.combinations(range(n), k)]
        found.append((-1) ** k * sp.Add(*minors))
    return found


def reasons(certificate, until):
    """What does not hold of a certificate, and the numbers of points and boxes looked at."""
    kinds, of = certificate["kinds"], certificate["of"]
    if not kinds or not set(kinds) <= set(KINDS):
        return ["the kinds are not those of special points"], (0, 0)
    if of in certificate["parameters"]:
        return [f"{of} is moved and has a value as well"], (0, 0)
    faults, points = _points(certificate, until)
    names = list(certificate["equations"])
    letters = {n: sp.Symbol(n) for n in [*names, *certificate["parameters"], of]}
    values = {n: _interval(v) for n, v in certificate["parameters"].items()}
    rates = {n: sp.sympify(e, locals=letters) for n, e in certificate["equations"].items()}
    equations = dict(rates)
    for i, total in enumerate(certificate["totals"]):
        expression, value = sp.sympify(total["total"], locals=letters), sp.Symbol(f"total {i}")
        values[value.name] = _interval(total["value"])
        along = sum(sp.diff(expression, letters[n]) * rates[n] for n in names)
        if sp.expand(along) != 0 or expression.coeff(letters[total["state"]]) == 0:
            faults.append(f"{total['total']} is not conserved")
        equations[total["state"]] = expression - value
    claimed = {n: _interval(v) for n, v in certificate["box"].items()}
    if set(claimed) != set(names):
        return [*faults, "box and equations name different states"], (len(points), 0)
    boxes, looked = 0, {}
    for data in certificate["events"]:
        box = {n: _interval(v) for n, v in data["box"].items() if n != of}
        event = Event(data, certificate, equations, rates, letters, values, box)
        if not all(n in box and vi.inside(claimed[n], box[n]) for n in names):
            faults.append("an event is searched in less than the box")
        found, roots, count = event.check(until, True, [], PRECISION)
        faults += found
        boxes += count
        for k, (root, _, divided) in enumerate(roots):
            region = dict(zip(event.names, event.regions[k], strict=True)) if event.names else {}
            faults += _matched(event, root, region, divided, points, [*names, of])
        looked.setdefault(_case(event.data), set()).add((data["kind"], data["state"], frozenset(data["block"] or ())))
    range_ = {of: _interval(certificate["within"])}
    cases = [Part(data, equations, letters, values | range_, dict(claimed)) for data in certificate["cases"]]
    faults += _covered(certificate, cases, looked, rates)
    return faults, (len(points), boxes)


def _interval(pair):
    low, high = (float.fromhex(v) for v in pair)
    if not low <= high:
        raise ValueError(f"{low} to {high} is no interval")
    return vi.interval(low, high)


def _points(certificate, until):
    """Faults of the points' own certificates, and their enclosures."""
    faults, points = [], []
    shared = ("of", "equations", "totals")
    for one in certificate["points"]:
        if any(one[k] != certificate[k] for k in shared) or one["parameters"] != certificate["parameters"]:
            faults.append("a point belongs to another problem")
        found, _ = recheck_points.reasons(one, until)
        faults += found
        sides = dict(zip(one["present"], map(_interval, one["enclosure"]), strict=False))
        sides |= dict.fromkeys(one["absent"], vi.ZERO)
        points.append((one["kind"], sides | {one["of"]: _interval(one["enclosure"][-1])}))
    return faults, points


def _matched(event, root, region, divided, points, names):
    """No fault if a solution is a point, or lies outside the box, or on a face that is a case of its own."""
    if any(root[n] == vi.ZERO for n in divided):
        return []
    if any(vi.meet(root[n], event.box[n]) is None for n in names):
        return []
    if event.kind == "Hopf" and vi.negative(root[SQUARE]):
        return []
    for kind, sides in points:
        near = kind == event.kind and all(vi.meet(root[n], sides[n]) is not None for n in names if n in sides)
        if near and all(vi.inside(sides[n], region[n]) for n in region if n in sides):
            return []
    return [f"a {event.kind} near {names[-1]} = {libmp.to_str(root[names[-1]][0], 10)} is not among the points"]


def _covered(certificate, cases, looked, rates):
    """Whether every case is there, with all that can happen in it looked at."""
    from .recheck import _covers

    kinds, faults = certificate["kinds"], []
    if not _covers([(set(c.data["zeros"]), set(c.data["divided"])) for c in cases]):
        faults.append("the cases do not cover all states")
    for case in cases:
        faults += case.faults
        if case.free or case.settled or len(case.equations) != len(case.names):
            faults.append("a case is not square")
        seen = looked.get(_case(case.data), set())
        if "fold" in kinds and case.names and ("fold", None, frozenset()) not in seen:
            faults.append("folds were not looked for everywhere")
        if "transcritical" in kinds and not all(("transcritical", z, frozenset()) in seen for z in case.data["zeros"]):
            faults.append("transcritical points were not looked for everywhere")
        if "Hopf" in kinds and not _blocks_covered(case, rates, [b for kind, _, b in seen if kind == "Hopf"]):
            faults.append("Hopf points were not looked for everywhere")
    return faults


def _case(data):
    return frozenset(data["zeros"]), frozenset(data["divided"])


def jacobian(case, rates):
    """State -> state -> slope on the face of a case, in all states."""
    found = {}
    for name, e in rates.items():
        if name not in case.data["zeros"]:
            for absent in case.data["zeros"]:
                e = at_zero(e, case.letters[absent], case.values)
            found[name] = {n: sp.diff(e, case.letters[n]) for n in rates if n not in case.data["zeros"]}
    return found


def _blocks_covered(case, rates, blocks):
    """Whether blocks hold every cycle of states that act on each other."""
    slopes = jacobian(case, rates)
    names = list(slopes)
    reach = {i: {j for j in names if slopes[i][j] != 0} for i in names}
    for k in names:
        for i in names:
            if k in reach[i]:
                reach[i] |= reach[k]
    together = {frozenset({i, *(j for j in reach[i] if i in reach[j])}) for i in names}
    return all(len(group) == 1 or group in blocks for group in together)
