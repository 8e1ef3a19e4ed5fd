"""Continua of steady states with numbers: that one is there, where it lies, and which states are on it."""

from dataclasses import dataclass

import numpy as np
import sympy as sp

from remission.solvers.tape import make_tape

from . import reduce, special

__all__ = []  # of use inside the package only

STARTS, STEPS = 12, 40


@dataclass(frozen=True, eq=False)
class Shown:
    """A family with a proof that it has points in the box.

    Attributes
    ----------
    family : special.Family
    fixed : dict of str -> float
        Values at which other variables were held to prove a point.
    region, enclosure : (m, 2) arrays
        Of the variables that were not.
    chosen : tuple of Symbol
    """

    family: object
    fixed: dict
    region: np.ndarray
    enclosure: np.ndarray
    chosen: tuple


def settle(model, splitting, index, values, box, gently, until, most_boxes, narrowest):
    """Search a part that holds a continuum, or None where no reduction of it is found.

    Parameters
    ----------
    model : Model
    splitting : frozenset of str
    index : int
    values : (n_p, 2) array
    box : (n, 2) array
    gently : bool
        Put in only numbers that make equations simpler.
    until, most_boxes, narrowest
        As `search.search_box` has them.

    Returns
    -------
    (Searched, Prepared, list of Root, list of boxes that are undecided) or None
    """
    from . import search

    system = reduce.system_of(model)
    for put in special.ways(system, values, reduce.cases_of(model, splitting)[index][0], gently):
        plan = special.reduced(model, splitting, index, put)
        if plan is None or not apart_from_zero(plan.factors, system, values):
            continue
        part = plan.rest or _nothing(system, plan, reduce.cases_of(model, splitting)[index])
        prepared = search.Prepared(system, part, values, box)
        if not prepared.exponents_hold:
            continue
        shown, roots, open_ = [], [], []
        for k, family in enumerate(plan.families):
            hull = _hull(system, family, values, box)
            found = None if hull is None else show(system, family, values, box, hull, plan.below)
            if found is not None:
                shown.append((k, found[0]))
                roots.append(search.Root(hull, True, special.words(family, system, values), found[1], family))
            elif hull is not None:
                open_.append(hull)
        none = np.zeros((0, len(part.variables), 2))
        searched = search.Searched(part, none, none, none, np.zeros(0, np.int32), np.zeros(0))
        if plan.rest is not None:
            searched = prepared.run(until, most_boxes, narrowest)
            if searched.degenerate:
                continue
        searched.special = {"put": put, "steps": plan.steps, "shown": shown}
        searched.below = tuple(plan.below)
        return searched, prepared, roots, open_
    return None


def _nothing(system, plan, case):
    """A part without a root: no variables, and the equation 1 = 0 is not written."""
    _, zeros, divided, _ = case
    return reduce.Part(tuple(zeros), tuple(divided), (), (), (), (), (), (), None, reduce.no_conditions(system))


def apart_from_zero(expressions, system, values, full=None):
    """Whether expressions in parameters, and in all states if `full` encloses them, are proved not to be zero."""
    if not expressions:
        return True
    states = () if full is None else system.states
    signs = evaluate(expressions, system, values, states, np.zeros((0, 2)) if full is None else full)
    return signs is not None and bool(np.all((signs[:, 0] > 0) | (signs[:, 1] < 0)))


def evaluate(expressions, system, values, states, box):
    """Intervals (k, 2) of expressions over a box of some states; None where they are nowhere defined."""
    from remission.solvers import intervals

    tape = make_tape(list(expressions), states, system.parameters)
    V = np.zeros((tape.n_registers, 2))
    V[: tape.n_given] = np.concatenate([intervals.number_intervals(tape), values, np.reshape(box, (-1, 2))])
    if intervals.forward(tape.code, 0, len(tape.code), tape.n_given, V) == intervals.EMPTY:
        return None
    return V[tape.outputs]


def show(system, family, values, box, hull, below):
    """(Shown, a point of it) where it has one in the box at which no denominator is zero, or None if none is proved."""
    at = {s: i for i, s in enumerate(system.states)}
    own = [at[s] for s in family.variables]
    for start in _starts(hull[own]):
        point = _landed(system, family, values, hull[own], start)
        if point is None:
            continue
        chosen, x = point
        part = special.slice_of(system, family, chosen)
        sides = box.copy()
        for s, v in zip(family.variables, x, strict=True):
            if s not in chosen:
                sides[at[s]] = v
        found = _proved_point(system, part, values, sides, box)
        if found is not None and apart_from_zero(below, system, values, found[0]):
            full, region, enclosure = found
            fixed = {s.name: float(v) for s, v in zip(family.variables, x, strict=True) if s not in chosen}
            return Shown(family, fixed, region, enclosure, chosen), full.mean(axis=1)
    return None


def _proved_point(system, part, values, sides, box):
    """Enclosure of all states of a proved root of a slice inside the box, with its region."""
    from . import search

    prepared = search.Prepared(system, part, values, sides)
    if not part.variables:
        regions = enclosures = np.zeros((1 if prepared.defined else 0, 0, 2))
    else:
        searched = prepared.run(None, 20_000)
        regions, enclosures = searched.regions, searched.enclosures
    for region, enclosure in zip(regions, enclosures, strict=True):
        full = prepared.all_states(enclosure)
        if np.all((box[:, 0] <= full[:, 0]) & (full[:, 1] <= box[:, 1])):
            return full, region, enclosure
    return None


def _hull(system, family, values, box):
    """What is left of the box where the equations can hold, or None."""
    from . import kernel, search

    at = {s: i for i, s in enumerate(system.states)}
    full = np.zeros((len(at), 2))
    n, m = len(family.variables), len(family.equations)
    X = np.ascontiguousarray(box[[at[s] for s in family.variables]]).reshape(n, 2)
    if n and (m or family.eliminated):
        padded = [family.equations[min(k, m - 1)] if m else sp.Integer(0) for k in range(n)]
        tape = make_tape([*padded, *(e for _, _, e in family.eliminated)], family.variables, system.parameters)
        part = reduce.Part(
            family.zeros, (), family.eliminated, family.variables, (), (), (), (), tape, reduce.no_conditions(system)
        )  # fmt: skip
        prepared = search.Prepared(system, part, values, box)
        for _ in range(30):
            if not kernel.hc4(X, n, tape.code, prepared.shape, prepared.outs, prepared.bounds, prepared.V):
                return None
    for s, side in zip(family.variables, X, strict=True):
        full[at[s]] = side
    if family.eliminated:
        found = evaluate([e for _, _, e in family.eliminated], system, values, family.variables, X)
        if found is None:
            return None
        for (s, _, _), side in zip(family.eliminated, found, strict=True):
            full[at[s]] = [max(side[0], box[at[s], 0]), min(side[1], box[at[s], 1])]
            if not full[at[s], 0] <= full[at[s], 1]:
                return None
    return full


def _starts(hull):
    """The middle of a hull, then points at random."""
    rng = np.random.default_rng(0)
    for k in range(STARTS):
        yield hull[:, 0] + (hull[:, 1] - hull[:, 0]) * (0.5 if k == 0 else rng.random(len(hull)))


def _landed(system, family, values, hull, x):
    """Chosen variables and a point near the family, by Newton steps of least length; None where they do not settle."""
    m = len(family.equations)
    if not m:
        return (), x
    slopes = [sp.diff(e, s) for e in family.equations for s in family.variables]
    tape = make_tape([*family.equations, *slopes], family.variables, system.parameters)
    width = np.maximum(hull[:, 1] - hull[:, 0], 1e-300)
    from remission.solvers import intervals

    V = np.zeros((tape.n_registers, 2))
    V[: tape.first_variable] = np.concatenate([intervals.number_intervals(tape), values])
    for _ in range(STEPS):
        V[tape.first_variable : tape.n_given] = np.column_stack([x, x])
        if intervals.forward(tape.code, 0, len(tape.code), tape.n_given, V) == intervals.EMPTY:
            return None
        out = V[tape.outputs].mean(axis=1)
        J = out[m:].reshape(m, -1) * width
        size = np.max(np.abs(J), axis=1)
        if not (np.all(np.isfinite(out)) and np.all(size > 0)):
            return None
        step = np.linalg.lstsq(J / size[:, None], -out[:m] / size, rcond=1e-12)[0]
        new = np.clip(x + width * step, hull[:, 0], hull[:, 1])
        moved, x = np.max(np.abs(new - x) / width), new
        if moved < 1e-13:
            break
    from scipy.linalg import qr

    order = qr(J / size[:, None], pivoting=True, mode="r")[1][:m]
    return tuple(family.variables[j] for j in sorted(order)), x


def without_members(roots, system, values):
    """Families that are not part of others, roots apart from them; and enclosures of roots of which that is open."""
    families, unknown = [r for r in roots if r.family], []
    for root in list(families):
        if any(_part_of(root.of, other.of, system, values) for other in families if other is not root):
            families.remove(root)
    kept = list(families)
    for root in [r for r in roots if not r.family]:
        says = {_member(root, f, system, values) for f in families}
        if "member" in says:
            continue
        (unknown if "unknown" in says else kept).append(root if "unknown" not in says else root.enclosure)
    return kept, unknown


def _part_of(one, other, system, values):
    """Whether all points of a family are proved to lie on another: its relations vanish there, in exact fractions."""
    if one is None or other is None or any(v != w for v, w in values):
        return False
    put = {p: sp.Rational(float(v)) for p, (v, _) in zip(system.parameters, values, strict=True)}
    put |= dict.fromkeys(one.zeros, sp.Integer(0))
    solved = {s: e.xreplace(put) for s, _, e in one.eliminated}
    kernels = special.Kernels(one.variables)
    own = [special.fraction(kernels.hidden(e.xreplace(put)))[0] for e in one.equations]
    for relation in other.relations:
        top, _ = special.fraction(kernels.hidden(relation.xreplace(put).xreplace(solved)))
        if top != 0 and not any(not kernels.varies(sp.fraction(sp.cancel(top / e))[1]) for e in own):
            return False
    return True


def _member(root, family, system, values):
    """Whether a proved root lies on a family: "member", "apart" or "unknown"."""
    if family.of is None:  # states that are free fill their box, the others are proved
        inside = np.all(
            (family.enclosure[:, 0] <= root.enclosure[:, 0]) & (root.enclosure[:, 1] <= family.enclosure[:, 1])
        )
        return "member" if inside else "apart"
    relations = family.of.relations
    signs = evaluate(relations, system, values, system.states, root.enclosure)
    if signs is not None and np.any((signs[:, 0] > 0) | (signs[:, 1] < 0)):
        return "apart"
    return "member" if all(_follows(r, root, system, values) for r in relations) else "unknown"


def _follows(relation, root, system, values):
    """Whether a relation is zero at a root because its part's equations are: in exact fractions."""
    if root.part is None or any(v != w for v, w in values):
        return False
    put = {p: sp.Rational(float(v)) for p, (v, _) in zip(system.parameters, values, strict=True)}
    put |= dict.fromkeys(root.part.zeros, sp.Integer(0))
    solved = {s: e.xreplace(put) for s, _, e in root.part.eliminated}
    kernels = special.Kernels(root.part.variables)
    top, _ = special.fraction(kernels.hidden(relation.xreplace(put).xreplace(solved)))
    if top == 0:
        return True
    at = [system.states.index(s) for s in root.part.variables]
    for e in root.part.equations:
        above, _ = special.fraction(kernels.hidden(e.xreplace(put)))
        shared = sp.gcd(above, top)
        if kernels.varies(shared):
            rest = evaluate(
                [kernels.shown(sp.cancel(above / shared))], system, values, root.part.variables, root.enclosure[at]
            )
            if rest is not None and (rest[0, 0] > 0 or rest[0, 1] < 0):
                return True
    return False
