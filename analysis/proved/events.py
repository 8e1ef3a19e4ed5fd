"""Where along a parameter steady states can change: systems whose solutions in a box are all such places.

With what is moved as one more unknown, each part of a model (`reduce.parts_of`) gives
- folds: its equations and the determinant of their Jacobian,
- transcritical points: its equations and the growth rate of one absent state,
- changes of stability by a pair: its equations and a Hurwitz determinant of a block of the Jacobian,
- places where a state leaves the box: its equations and the state being at an edge.
Each is square, so that branch and prune finds every solution or says where one may be.
"""

from dataclasses import dataclass
from functools import lru_cache

import sympy as sp

from remission.solvers.tape import make_tape

from . import reduce

__all__ = []  # of use inside the package only

LARGEST = 4  # of a determinant that is written out
EDGE, SQUARE = sp.Symbol("edge of the box"), sp.Symbol("square of a frequency")
SLACK = 0.01  # of a side, by which a lower side at zero is moved below it where zero is not split off


@dataclass(frozen=True, eq=False)
class Event:
    """One square system.

    Attributes
    ----------
    kind : {"fold", "transcritical", "pair", "edge"}
    state : Symbol, tuple of Symbol or None
        The absent state that can come in; the states of the block of a pair; the state at an edge.
    base : reduce.Part
    part : reduce.Part
        With what is moved as its last variable and one more equation.
    """

    kind: str
    state: object
    base: object
    part: object


@dataclass(frozen=True, eq=False)
class Events:
    """All events of a model over one parameter; `left` has (kind, words) of what is not covered."""

    system: object
    moved: object
    events: tuple
    left: tuple


@lru_cache(maxsize=64)
def events_of(model, splitting, of, eliminate, kinds) -> Events:
    """Systems of all places at which steady states over a parameter can change.

    Parameters
    ----------
    model : Model
    splitting : frozenset of str
        As for `reduce.parts_of`.
    of : str
    eliminate : bool
    kinds : frozenset of str

    Returns
    -------
    Events
    """
    whole = reduce.system_of(model)
    moved = next(p for p in whole.parameters if p.name == of)
    given = (*(p for p in whole.parameters if p != moved), EDGE)
    system = reduce.System((*whole.states, SQUARE, moved), whole.equations, given, whole.totals, whole.rates)
    events, left = [], []
    for base in reduce.parts_of(model, splitting, eliminate):
        where = f"without {', '.join(s.name for s in base.zeros)}" if base.zeros else "with all states"
        if base.tape is None or base.free:
            left += [(kind, f"a continuum of steady states {where}") for kind in sorted(kinds)]
            continue
        for kind in sorted(kinds):
            try:
                found = {"fold": _fold, "transcritical": _transcritical, "pair": _pair, "edge": _edge}[kind](
                    whole, base
                )
            except reduce.NotReducible as error:
                left.append((kind, f"{kind}s {where}: {error}"))
                continue
            for state, e, *square in found:
                events.append(Event(kind, state, base, _with(base, e, square, moved, given)))
    return Events(system, moved, tuple(events), tuple(left))


def _with(base, expression, square, moved, given):
    """A part with one more equation and what is moved as its last variable."""
    variables = (*base.variables, moved)
    written = [*base.equations, reduce.tight(expression)]
    eliminated = (*base.eliminated, *((SQUARE, SQUARE, e) for e in square))
    values = [reduce.tight(e) for _, _, e in eliminated]
    slopes = [sp.diff(e, s) for e in written for s in variables]
    tape, none = make_tape([*written, *values, *slopes], variables, given), make_tape([], (), given)
    return reduce.Part(base.zeros, base.divided, eliminated, variables, tuple(written), (), (), (), tape, none,
                       base.again, base.logarithms)  # fmt: skip


def sides_of(event, states, box):
    """The box of an event: lower sides at zero are moved below it for states that are not divided out.

    Parameters
    ----------
    event : Event
    states : sequence of Symbol
        Of the rows of the box; the last are not states.
    box : (k, 2) array

    Returns
    -------
    (k, 2) array
    """
    found = box.copy()
    kept = {*event.base.divided, *event.base.zeros}
    for i, s in enumerate(states):
        if s not in kept and s != SQUARE and found[i, 0] == 0 and i < len(states) - 1:
            found[i, 0] = -SLACK * (found[i, 1] - found[i, 0])
    return found


def _fold(whole, base):
    n = len(base.variables)
    if n == 0:
        return []
    if n > LARGEST:
        raise reduce.NotReducible(f"{n} equations are left, more than {LARGEST}")
    return [(None, determinant([[sp.diff(e, s) for s in base.variables] for e in base.equations]))]


def _put(base, expression):
    """An expression in the part's own variables."""
    return expression.xreplace({s: e for s, _, e in base.eliminated})


def _transcritical(whole, base):
    """Growth rates of the absent states, in the order in which they were split off."""
    found = []
    for k, state in enumerate(base.zeros):
        e = whole.equations[state]
        for other in base.zeros[:k]:
            e = reduce.at_zero(e, other, set())
        e = reduce.over(e, state, set())
        for other in base.zeros[k:]:
            e = reduce.at_zero(e, other, set())
        found.append((state, _put(base, e)))
    return found


def _pair(whole, base):
    """Hurwitz determinants of the blocks of the Jacobian, without the absent states."""
    found = []
    for states, block in blocks_of(whole, base):
        m = len(block)
        if m < 2:
            continue
        if m > LARGEST:
            raise reduce.NotReducible(f"a block of {m} states, more than {LARGEST}")
        c = characteristic([[_put(base, e) for e in row] for row in block])
        found.append((states, hurwitz(c), c[2] if m < 4 else c[1] * c[3]))  # positive where the pair is not real
    return found


def hurwitz(c):
    """Last but one Hurwitz determinant from the coefficients of det(x - A): zero where two eigenvalues sum to zero."""
    if len(c) == 3:
        return c[1]
    if len(c) == 4:
        return c[1] * c[2] - c[3]
    return c[1] * c[2] * c[3] - c[3] ** 2 - c[1] ** 2 * c[4]


def blocks_of(whole, base):
    """States and diagonal blocks of the Jacobian on a part's face, those that cannot be ordered further."""
    import numpy as np
    from scipy.sparse.csgraph import connected_components

    if whole.totals:
        raise reduce.NotReducible("totals are conserved")
    states = [s for s in whole.states if s not in base.zeros]
    rates = []
    for s in states:
        e = whole.rates[s]
        for absent in base.zeros:
            e = reduce.at_zero(e, absent, set())
        rates.append(e)
    rows = [[sp.diff(e, s) for s in states] for e in rates]
    if not rows:
        return []
    linked = np.array([[entry != 0 for entry in row] for row in rows])
    count, label = connected_components(linked, directed=True, connection="strong")
    groups = [np.flatnonzero(label == c) for c in range(count)]
    return [(tuple(states[i] for i in at), [[rows[i][j] for j in at] for i in at]) for at in groups]


def _edge(whole, base):
    """States that are not zero here, at a value to be given."""
    own = [(s, s - EDGE) for s in base.variables]
    return own + [(s, e - EDGE) for s, _, e in base.eliminated]


def determinant(rows):
    """Determinant by its first row, written out."""
    if len(rows) == 1:
        return rows[0][0]
    total = []
    for j, entry in enumerate(rows[0]):
        if entry != 0:
            minor = [[e for k, e in enumerate(row) if k != j] for row in rows[1:]]
            total.append((-1) ** j * entry * determinant(minor))
    return sp.Add(*total)


def characteristic(rows):
    """Coefficients of det(x - A), the first is 1, by sums of principal minors."""
    from itertools import combinations

    n, found = len(rows), [sp.Integer(1)]
    for k in range(1, n + 1):
        minors = [determinant([[rows[i][j] for j in at] for i in at]) for at in combinations(range(n), k)]
        found.append((-1) ** k * sp.Add(*minors))
    return found
