"""All roots of every part of a model in a box, with what could not be decided."""

import time
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from weakref import WeakSet

import numpy as np

from remission.solvers.tape import ADD, DIVIDE, MULTIPLY, NEGATE, POWER_WHOLE, SUBTRACT

from . import balls, reduce

__all__ = []  # of use inside the package only

NARROWEST = 1e-10  # relative side of a box that is left undecided
COARSER, COARSEST = 30.0, 1e-4  # where there are too many of them it is made larger, up to this
MOST_BOXES, CHUNK, MOST_FOUND = 20_000_000, 4096, 512
RATIONAL = {ADD, SUBTRACT, MULTIPLY, DIVIDE, NEGATE, POWER_WHOLE}
MANY = 64  # undecided boxes of a part that is looked at as a continuum
REGULAR = WeakSet()  # parts whose Jacobian was regular somewhere at some numbers
SINGULAR = 1e-12  # ratio of singular values of a Jacobian that looks singular everywhere


@dataclass(frozen=True, eq=False)
class Root:
    """A proved steady state, or a continuum of them.

    Attributes
    ----------
    enclosure : (n, 2) array
        Of all states, in the order of the model.
    family : bool
        States that are free fill their box.
    words : str
        Of a family, its equations.
    point : (n,) array or None
        On a family.
    of : special.Family or None
    part : reduce.Part or None
        Of which it is a root.
    """

    enclosure: np.ndarray
    family: bool = False
    words: str = ""
    point: object = None
    of: object = None
    part: object = None


@dataclass(eq=False)
class Searched:
    """What became of one part: regions and enclosures of its roots, in its own variables, and the tree of boxes."""

    part: object
    regions: np.ndarray
    enclosures: np.ndarray
    undecided: np.ndarray
    kinds: np.ndarray
    points: np.ndarray
    open: bool = False
    degenerate: bool = False
    full: bool = False
    special: object = None
    below: tuple = ()


@dataclass(eq=False)
class Found:
    """Roots, undecided boxes (n, 2), and whether the search came to its end.

    Attributes
    ----------
    roots : list of Root
    undecided : list of (n, 2) array
    complete : bool
        Whether no box was left unlooked at.
    degenerate : bool
        Whether a part has a Jacobian that is singular everywhere.
    n_boxes : int
    parts : list of Searched
    """

    roots: list = field(default_factory=list)
    undecided: list = field(default_factory=list)
    complete: bool = True
    degenerate: bool = False
    n_boxes: int = 0
    parts: list = field(default_factory=list)


def search_box(model, values, box, until=None, most_boxes=MOST_BOXES, narrowest=NARROWEST) -> Found:
    """Search all parts.

    Parameters
    ----------
    model : Model
    values : (n_p, 2) array
        Intervals of the parameters, inputs and totals, in the order of `reduce.system_of(model).parameters`.
    box : (n, 2) array
    until : float, optional
        Time of `time.monotonic` at which to stop.
    most_boxes : int
        Over all parts.
    narrowest : float
        Relative side of a box that is left undecided.

    Returns
    -------
    Found

    Raises
    ------
    NotReducible
    """
    system = reduce.system_of(model)
    splitting = frozenset(s.name for s, (low, high) in zip(system.states, box, strict=True) if low <= 0 <= high)
    parts = reduce.parts_of(model, splitting)
    prepared = [Prepared(system, part, values, box) for part in parts]
    if not all(p.factors_hold for p in prepared):
        whole = reduce.parts_of(model, splitting, False)
        prepared = [
            p if p.factors_hold else Prepared(system, part, values, box)
            for p, part in zip(prepared, whole, strict=True)
        ]
    found = Found()
    for index, each in enumerate(prepared):
        if not each.exponents_hold:
            raise reduce.NotReducible("an exponent of a state is not positive at these parameters")
        limits = until, most_boxes - found.n_boxes, narrowest
        searched = None if each.part.alike or each.part.free else each.run(*limits)
        gently = None if searched is None or late(until) else _how_open(each, searched)
        numbers = np.all(values[:, 0] == values[:, 1])  # over ranges a continuum decides nothing, and letters are slow
        if numbers and (searched is None or gently is False):
            settled = _settled(model, splitting, index, values, box, bool(gently), limits)
            if settled is not None:
                searched, each, families, undecided = settled
                found.roots += families
                found.undecided += undecided
        _take(system, each, each.run(*limits) if searched is None else searched, box, found)
    if any(r.family for r in found.roots):
        from . import families

        found.roots, unknown = families.without_members(found.roots, system, values)
        found.undecided += unknown
    return found


def _how_open(prepared, searched):
    """False where a part looks like a continuum or has a root that may lie on a face, True where else it is open."""
    if searched.degenerate or len(searched.undecided) >= MANY:
        return False
    divided = [prepared.at[s] for s in prepared.part.divided]
    exact = np.all(prepared.values[:, 0] == prepared.values[:, 1])
    for enclosure in searched.enclosures if divided and exact else ():
        full = prepared.all_states(enclosure)[divided]
        if np.any((full[:, 0] <= 0) & (full[:, 1] >= 0) & (full[:, 0] < full[:, 1])):
            return False
    return True if len(searched.undecided) else None


def late(until):
    """Whether it is time to stop."""
    return until is not None and time.monotonic() >= until


def _settled(model, splitting, index, values, box, gently, limits):
    from . import families

    return families.settle(model, splitting, index, values, box, gently, *limits)


def _take(system, prepared, searched, box, found):
    """Add what one part gave."""
    found.parts.append(searched)
    found.n_boxes += len(searched.kinds)
    found.complete &= not searched.open
    found.degenerate |= searched.degenerate
    divided = [system.states.index(s) for s in prepared.part.divided if s not in prepared.part.free]
    for enclosure in _each_once(searched, found):
        full = prepared.all_states(enclosure)
        full = balls.narrowed(prepared, enclosure, full) if prepared.tape is not None else full
        if np.any(full[:, 1] < box[:, 0]) or np.any(full[:, 0] > box[:, 1]):
            continue
        if not np.all(np.isfinite(full)):
            found.undecided.append(np.clip(full, box[:, :1], box[:, 1:]))
            continue
        if np.any(np.all(full[divided] == 0, axis=1)):
            continue  # it lies on the face, which is a part of its own
        if np.any((full[divided, 0] <= 0) & (full[divided, 1] >= 0)) or not _defined(prepared, searched, full):
            found.undecided.append(full)  # a root that may lie on the face it was split from
        else:
            free = prepared.part.free
            words = ", ".join([*(f"{s.name} = 0" for s in prepared.part.zeros), *(f"any {s.name}" for s in free)])
            found.roots.append(Root(full, bool(free), words if free else "", part=prepared.part))
    for cluster in _clusters(searched.undecided):
        full = prepared.all_states(cluster)
        full[:, 0], full[:, 1] = np.maximum(full[:, 0], box[:, 0]), np.minimum(full[:, 1], box[:, 1])
        if np.all(full[:, 0] <= full[:, 1]):
            found.undecided.append(full)


def _defined(prepared, searched, full):
    """Whether no denominator that was multiplied away is zero."""
    if not searched.below:
        return True
    from . import families

    return families.apart_from_zero(searched.below, prepared.system, prepared.values, full)


def _each_once(searched, found):
    """Enclosures without those that are proved to hold a root already counted; two that only overlap are doubtful."""
    kept = []
    for i, new in enumerate(searched.enclosures):
        overlaps = [k for k in kept if np.all((searched.enclosures[k, :, 0] <= new[:, 1])
                                              & (new[:, 0] <= searched.enclosures[k, :, 1]))]  # fmt: skip
        same = [
            k for k in overlaps
            if np.all((searched.regions[k, :, 0] <= new[:, 0]) & (new[:, 1] <= searched.regions[k, :, 1]))
        ]  # fmt: skip
        if not same:
            kept.append(i)
            found.complete &= not overlaps
    return searched.enclosures[kept]


@lru_cache(maxsize=512)
def _layout(system, part):
    """What of a part does not depend on numbers: registers, outputs, shape for the kernel, places of its states."""
    tape, n, b = part.tape, len(part.variables), len(part.eliminated)
    V = np.zeros((tape.n_registers, 2))
    V[: len(tape.numbers)] = reduce.numbers_of(tape)
    outs = tape.outputs[: n + b + n * n].copy()
    last = int(np.max(outs[: n + b], initial=-1)) - tape.n_given + 1
    shape = np.array([max(last, 0), len(tape.code), tape.n_given, tape.first_variable, n + b], np.int64)
    places = ([system.states.index(s) for s in group]
              for group in (part.variables, [s for s, _, _ in part.eliminated], part.free))  # fmt: skip
    return V, outs, shape, *(np.array(p, dtype=np.int64) for p in places)


class Prepared:
    """A part with numbers: what the kernel needs."""

    def __init__(self, system, part, values, box):
        from remission.solvers import intervals

        self.system, self.part, self.values, self.box = system, part, values, box
        self.at = {s: i for i, s in enumerate(system.states)}
        self.tape = tape = part.tape
        self.factors_hold = self.exponents_hold = True
        if len(part.conditions.outputs):
            k, signs = len(part.factors), _constants(part.conditions, values)
            self.factors_hold = bool(np.all((signs[:k, 0] > 0) | (signs[:k, 1] < 0)))
            self.exponents_hold = bool(np.all(signs[k:, 0] > 0))
        if tape is None or not self.factors_hold:
            return
        numbers, self.outs, self.shape, self.variables, self.eliminated, free = _layout(system, part)
        self.V, k = numbers.copy(), len(tape.numbers)
        self.V[k : k + len(values)] = values
        self.V[k + len(values) : tape.first_variable] = box[free]
        self.start, self.bounds = box[self.variables], box[self.eliminated]
        self.defined = self.forward(self.start) != intervals.EMPTY

    def forward(self, variables):
        from remission.solvers import intervals

        first = self.tape.first_variable
        self.V[first : first + len(variables)] = variables
        return intervals.forward(self.tape.code, 0, len(self.tape.code), self.tape.n_given, self.V)

    def all_states(self, variables):
        """Enclosure (n, 2) of all states from one of the part's variables."""
        full = np.zeros((len(self.at), 2))
        if self.tape is not None:
            self.forward(variables)
            full[self.variables] = variables
            n = len(self.part.variables)
            for k, (state, _, _) in enumerate(self.part.eliminated):
                full[self.at[state]] = self.V[self.tape.outputs[n + k]]
            if not n:
                self._exact_zeros(full)
        else:
            for state in (*self.part.variables, *(s for s, _, _ in self.part.eliminated)):
                full[self.at[state]] = self.box[self.at[state]]
        for state in self.part.free:
            full[self.at[state]] = self.box[self.at[state]]
        return full

    def _exact_zeros(self, full):
        """Make values exactly zero that are: in fractions, where intervals only come near."""
        tape, part = self.tape, self.part
        doubtful = [k for k, (s, _, _) in enumerate(part.eliminated) if full[self.at[s], 0] <= 0 <= full[self.at[s], 1]]
        fixed = self.V[: tape.first_variable]
        if not doubtful or not set(tape.code[:, 0].tolist()) <= RATIONAL or np.any(fixed[:, 0] != fixed[:, 1]):
            return
        numbers = len(tape.numbers)
        registers = [Fraction(int(n.p), int(n.q)) for n in tape.numbers]
        registers += [Fraction(v) for v in fixed[numbers:, 0].tolist()]
        for operation, a, b in tape.code.tolist():
            registers.append(_rational(operation, registers[a], b if operation == POWER_WHOLE else registers[b]))
        for k in doubtful:
            if registers[tape.outputs[k]] == 0:
                full[self.at[part.eliminated[k][0]]] = 0.0

    def run(self, until, most_boxes, narrowest=NARROWEST) -> Searched:
        """Search this part."""
        n, part = len(self.part.variables), self.part
        none = np.zeros((0, n, 2))
        nothing = (np.zeros(0, np.int32), np.zeros(0))
        if self.tape is not None and (self._empty() if n else not self.defined):
            if not n:
                return Searched(part, none, none, none, *nothing)
            return Searched(part, none, none, none, np.array([-1], np.int32), np.zeros(1))
        if self.tape is None or (n and part not in REGULAR and self._singular_everywhere()):
            whole = self.box[[self.at[s] for s in part.variables]].reshape(1, n, 2)
            return Searched(part, none, none, whole, *nothing, degenerate=True)
        if not n:
            return Searched(part, none, np.zeros((1, 0, 2)), none, *nothing)
        searched = self._run(n, part, until, most_boxes, narrowest)
        while searched is not None and searched.full and narrowest < COARSEST:  # so many small boxes are one cluster
            narrowest *= COARSER
            searched = self._run(n, part, until, most_boxes, narrowest)
        if searched is not None:
            REGULAR.add(part)
            return searched
        return Searched(part, none, none, self.start.reshape(1, n, 2), *nothing, degenerate=True)

    def _run(self, n, part, until, most_boxes, narrowest):
        from . import kernel

        stack, count = np.empty((4096, n, 2)), np.array([1, 0, 0, 0])
        stack[0] = self.start
        found = np.empty((3, MOST_FOUND, n, 2))
        width = self.start[:, 1] - self.start[:, 0]
        kinds, points, total = [np.zeros(0, np.int32)], [np.zeros(0)], 0
        while count[0] and total < most_boxes and (until is None or time.monotonic() < until):
            size = min(CHUNK if total else 512, most_boxes - total)
            chunk, at = np.empty(size, np.int32), np.zeros(size)
            count[3] = 0
            kernel.search(
                self.tape.code, self.shape, self.outs, self.bounds, self.V, width, narrowest, stack, count, found,
                chunk, at,
            )  # fmt: skip
            kinds.append(chunk[: count[3]])
            points.append(at[: count[3]])
            total += int(count[3])
            if not count[3]:
                break
            if count[0] and len(kinds) == 2 and part in REGULAR and self._singular_everywhere():
                return None  # regular at other numbers
        left = np.concatenate([found[2, : count[2]], stack[: count[0]]])
        return Searched(
            part, found[0, : count[1]].copy(), found[1, : count[1]].copy(), left, np.concatenate(kinds),
            np.concatenate(points), open=bool(count[0]), full=bool(count[0]) and count[2] >= MOST_FOUND,
        )  # fmt: skip

    def _empty(self):
        from . import kernel

        box = self.start.copy()
        return not kernel.hc4(box, len(box), self.tape.code, self.shape, self.outs, self.bounds, self.V)

    def _singular_everywhere(self):
        """Whether the Jacobian is singular at points taken at random: then the roots, if any, are a continuum."""
        n = len(self.part.variables)
        rng = np.random.default_rng(0)
        width = self.start[:, 1] - self.start[:, 0]
        for _ in range(4):
            x = self.start[:, 0] + width * rng.random(n)
            self.forward(np.column_stack([x, x]))
            jacobian = self.V[self.outs[self.shape[4] :]].mean(axis=1).reshape(n, n) * width
            if not np.all(np.isfinite(jacobian)):
                continue
            rows = np.max(np.abs(jacobian), axis=1)
            if np.any(rows == 0):
                continue
            jacobian = jacobian / rows[:, None]
            columns = np.max(np.abs(jacobian), axis=0)
            sizes = np.linalg.svd(jacobian / np.where(columns > 0, columns, 1), compute_uv=False)
            if sizes[-1] > SINGULAR * sizes[0]:
                return False
        return True


def _constants(tape, values):
    """Intervals (n, 2) of expressions in parameters alone; everything where they have no value."""
    from remission.solvers import intervals

    V = np.zeros((tape.n_registers, 2))
    V[: tape.first_variable] = np.concatenate([reduce.numbers_of(tape), values])
    if intervals.forward(tape.code, 0, len(tape.code), tape.n_given, V) == intervals.EMPTY:
        return np.full((len(tape.outputs), 2), [-np.inf, np.inf])
    return V[tape.outputs]


def _rational(operation, x, y):
    if operation == ADD:
        return x + y
    if operation == SUBTRACT:
        return x - y
    if operation == MULTIPLY:
        return x * y
    if operation == POWER_WHOLE:
        return x**y
    return -x if operation == NEGATE else x / y if y != 0 else Fraction(0)


def _clusters(boxes):
    """Hulls of boxes that touch."""
    hulls = []
    for box in boxes:
        new = box.copy()
        kept = []
        for hull in hulls:
            slack = 1e-9 * np.maximum(np.abs(hull[:, 1]), np.abs(hull[:, 0]))
            if np.all(hull[:, 0] <= new[:, 1] + slack) and np.all(new[:, 0] <= hull[:, 1] + slack):
                new = np.column_stack([np.minimum(hull[:, 0], new[:, 0]), np.maximum(hull[:, 1], new[:, 1])])
            else:
                kept.append(hull)
        hulls = [*kept, new]
    return hulls
