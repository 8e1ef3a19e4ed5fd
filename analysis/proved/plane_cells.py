"""Cells of a plane of two parameters in which no steady state appears, vanishes, leaves the box or changes stability.

In such a cell the number of steady states and their stabilities are constant: one point tells them for the cell and
for all cells that touch it. Each event (`events`) is a system of one equation more than unknown states; in a cell it
is searched with one parameter as unknown and the other as an interval. Where it has no solution the event does not
happen in the cell; where it has, the cell is trimmed to the hull of what is left and cut. Children begin with what
their parent could not exclude.
"""

import heapq
import time
from dataclasses import dataclass

import numpy as np

from . import answer, events, kernel, plane_kernel, reduce, search

__all__ = []  # of use inside the package only

TRIES = 64  # boxes looked at for one event in one cell
MOST_KEPT = 12  # boxes that children inherit one by one; more are taken together
AS_FINE = 0.25  # relative side of boxes of states that are kept, in those of the cell
LARGE = 1e300
THIN = 1e-9  # relative side of what is left along a boundary that is not cut further
APART = 1e-11  # relative distance of the pieces around what is left from it
TRIMMED = 0.75  # of a cell that may be left for it to be trimmed and not cut
HALF = 0.4921875  # off the middle, where boundaries of tidy models like to lie


class Watch:
    """One event with numbers, with either parameter as the unknown.

    Parameters
    ----------
    names : tuple of str
        The two parameters.
    pair : tuple of (Events, Event)
        The event with the first as unknown, and with the second.
    values : dict of Symbol -> (low, high)
        Of all parameters.
    box : (n, 2) array
        Of the states.
    edge : float
    """

    def __init__(self, names, pair, values, box, edge):
        self.kind = pair[0][1].kind
        self.ways = []
        for (made, event), other in zip(pair, names[::-1], strict=True):
            within = values[next(p for p in values if p.name == made.moved.name)]
            whole = np.vstack([box, (0.0, LARGE), within])
            sides = events.sides_of(event, made.system.states, whole)
            given = [values.get(p, (edge, edge)) for p in made.system.parameters]
            prepared = search.Prepared(made.system, event.part, np.array(given, dtype=float), sides)
            register = len(prepared.tape.numbers) + [p.name for p in made.system.parameters].index(other)
            self.ways.append((prepared, register))
        self.n = len(self.ways[0][0].variables)
        self.start = self.ways[0][0].start[:-1]
        self.sizes = self._sizes()
        self.spans = np.array([way.start[-1, 1] - way.start[-1, 0] for way, _ in self.ways])
        self.room = np.empty((4 * TRIES, self.n, 2)), np.empty((TRIES, self.n, 2))

    def _sizes(self):
        """Sides of what the equations leave of the box."""
        first = self.ways[0][0]
        sides = first.start.copy()
        if kernel.hc4(sides, self.n, first.tape.code, first.shape, first.outs, first.bounds, first.V):
            return np.maximum(sides[:-1, 1] - sides[:-1, 0], 1e-300)
        return np.ones(self.n - 1)

    def left(self, boxes, cell, way):
        """What is not excluded of boxes (r, n + 1, 2), states and both parameters, in a cell (2, 2)."""
        prepared, register = self.ways[way]
        n, (stack, small) = self.n, self.room
        stack[: len(boxes), :-1], stack[: len(boxes), -1] = boxes[:, :-2], boxes[:, -2 + way]
        width = np.append(self.sizes, self.spans[way])
        narrowest = AS_FINE * float(np.max((cell[:, 1] - cell[:, 0]) / self.spans))
        prepared.V[register] = cell[1 - way]
        count = np.array([len(boxes), 0, TRIES])
        plane_kernel.prune(
            prepared.tape.code, prepared.shape, prepared.outs, prepared.bounds, prepared.V, width, narrowest, stack,
            count, small,
        )  # fmt: skip
        kept = np.concatenate([small[: count[1]], stack[: count[0]]])
        if not len(kept):
            return None
        if len(kept) > MOST_KEPT:
            kept = kept[: plane_kernel.joined(kept, len(kept), n)]
        if len(kept) > MOST_KEPT:
            kept = np.column_stack([kept[:, :, 0].min(axis=0), kept[:, :, 1].max(axis=0)])[None]
        whole = np.empty((len(kept), n + 1, 2))
        whole[:, :-2], whole[:, -2 + way], whole[:, -1 - way] = kept[:, :-1], kept[:, -1], cell[1 - way]
        return whole


@dataclass(eq=False)
class Cells:
    """A plane cut into cells.

    Attributes
    ----------
    quiet : (m, 2, 2) array
        Cells without events: cell, parameter, ends.
    open : (k, 2, 2) array
        The others.
    left : tuple of str
        What was not looked for, in words.
    pairs : bool
        Whether changes of stability by a pair of eigenvalues were looked for everywhere.
    seconds : float
    """

    quiet: np.ndarray
    open: np.ndarray
    left: tuple
    pairs: bool
    seconds: float


def watches(problem, over, box):
    """All events over two parameters, and what is not covered.

    Parameters
    ----------
    problem : Problem
    over : dict of str -> (low, high)
        Two parameters or inputs.
    box : dict of str -> (low, high)

    Returns
    -------
    (list of Watch, tuple of str, bool)
        The last: whether pairs of eigenvalues are among them everywhere.
    """
    model, names = problem.model, tuple(over)
    sides = np.array([box[n] for n in problem.system.states], dtype=float)
    splitting = frozenset(n for n in problem.system.states if box[n][0] <= 0 <= box[n][1])
    system = reduce.system_of(model)
    rows = answer.parameter_intervals(problem, over)
    values = dict(zip(system.parameters, rows, strict=True))
    eliminate = True
    for base in reduce.parts_of(model, splitting):
        signs, k = search._constants(base.conditions, rows), len(base.factors)
        eliminate &= bool(np.all((signs[:k, 0] > 0) | (signs[:k, 1] < 0)))
        if not np.all(signs[k:, 0] > 0):
            raise reduce.NotReducible("an exponent of a state is not positive at these parameters")
    found, left = [], []
    for kind in ("fold", "transcritical", "pair", "edge"):
        both = [events.events_of(model, splitting, name, eliminate, frozenset({kind})) for name in names]
        left += both[0].left
        for one, other in zip(both[0].events, both[1].events, strict=True):
            pair = ((both[0], one), (both[1], other))
            if kind != "edge":
                found.append(Watch(names, pair, values, sides, 0.0))
                continue
            i = [s.name for s in model.states].index(one.state.name)
            ends = events.sides_of(one, both[0].system.states, np.vstack([sides, (0, LARGE), (0, 1)]))[i]
            for end in (0, 1):
                if end or one.state not in one.base.divided or ends[0] < 0:
                    found.append(Watch(names, pair, values, sides, float(ends[end])))
    must = [words for kind, words in left if kind != "pair"]
    if must:
        raise reduce.NotReducible(must[0])
    return found, tuple(dict.fromkeys(words for _, words in left)), not left


def cut(problem, over, box, time_limit, share, finest, tell) -> Cells:
    """Cut a plane until no more than a share of it is open.

    Parameters
    ----------
    problem, over, box
        As for `watches`.
    time_limit : float
        Seconds, counted from when the equations are written.
    share : float
        Of the plane that may stay open.
    finest : float
        Relative side of the smallest cell.
    tell : callable
        Is given the share that is decided, now and then.

    Returns
    -------
    Cells
    """
    watched, left, pairs = watches(problem, over, box)
    whole = np.array(list(over.values()), dtype=float)
    size = whole[:, 1] - whole[:, 0]
    area = lambda cell: float(np.prod((cell[:, 1] - cell[:, 0]) / size))  # noqa: E731
    first = [(k, np.concatenate([w.start, whole])[None], 0) for k, w in enumerate(watched)]
    _look(watched, whole, first)  # compiles where nothing is kept on disk
    began = time.monotonic()
    heap, quiet, settled, number = [(-1.0, 0, whole, first)], [], [], 1
    waiting, stuck = 1.0, 0.0  # areas on the heap, and of open cells that are not cut further
    while heap and waiting + stuck > share and time.monotonic() < began + time_limit:
        _, _, cell, todo = heapq.heappop(heap)
        waiting -= area(cell)
        todo, hull = _look(watched, cell, todo)
        if not todo:
            quiet.append(cell)
        else:
            rest, pieces = _trimmed(cell, hull)
            quiet += pieces
            part = (rest[:, 1] - rest[:, 0]) / size
            if np.min(part) < THIN or np.max(part) < finest:
                settled.append(rest)
                stuck += area(rest)
            else:
                for child in [rest] if pieces and area(rest) < TRIMMED * area(cell) else _halves(rest, part):
                    heapq.heappush(heap, (-area(child), number, child, todo))
                    waiting += area(child)
                    number += 1
        if number % 64 == 0:
            tell(1.0 - waiting - stuck)
    tell(1.0 - waiting - stuck)
    open_ = [*settled, *(each[2] for each in heap)]
    return Cells(np.array(quiet).reshape(-1, 2, 2), np.array(open_).reshape(-1, 2, 2), left, pairs,
                 time.monotonic() - began)  # fmt: skip


def _look(watched, cell, todo):
    """What is left to watch in a cell, and the hull of it in the plane, widened as pieces around it are closed."""
    kept, hull = [], None
    for k, boxes, way in todo:
        boxes = _within(boxes, cell)
        for turn in (way, 1 - way):
            boxes = boxes if boxes is None else watched[k].left(boxes, cell, turn)
            if boxes is None:
                break
            ends = np.column_stack([np.min(boxes[:, -2:, 0], axis=0), np.max(boxes[:, -2:, 1], axis=0)])
            if ends[turn, 1] - ends[turn, 0] < 0.5 * (cell[turn, 1] - cell[turn, 0]):
                break
        if boxes is None:
            continue
        kept.append((k, boxes, turn))
        hull = ends if hull is None else np.column_stack([np.minimum(hull[:, 0], ends[:, 0]),
                                                          np.maximum(hull[:, 1], ends[:, 1])])  # fmt: skip
    if hull is not None:
        apart = np.array([-1.0, 1.0]) * (APART * watched[0].spans[:, None] + 4 * np.spacing(np.abs(hull)))
        hull = np.clip(hull + apart, cell[:, :1], cell[:, 1:])
    return kept, hull


def _within(boxes, cell):
    """Boxes cut to a cell; None where nothing is left."""
    boxes = boxes.copy()
    boxes[:, -2:, 0] = np.maximum(boxes[:, -2:, 0], cell[:, 0])
    boxes[:, -2:, 1] = np.minimum(boxes[:, -2:, 1], cell[:, 1])
    boxes = boxes[np.all(boxes[:, -2:, 0] <= boxes[:, -2:, 1], axis=1)]
    return boxes if len(boxes) else None


def _trimmed(cell, hull):
    """The part of a cell that the hull fills, and the pieces around it."""
    rest, pieces = cell.copy(), []
    for j in (0, 1):
        for end in (0, 1):
            low, high = (cell[j, 0], hull[j, 0]) if end == 0 else (hull[j, 1], cell[j, 1])
            if high - low > 0.1 * (cell[j, 1] - cell[j, 0]):
                piece = rest.copy()
                piece[j] = low, high
                rest[j, end] = high if end == 0 else low
                pieces.append(piece)
    return rest, pieces


def _halves(cell, part):
    j = int(np.argmax(part))
    at = cell[j, 0] + HALF * (cell[j, 1] - cell[j, 0])
    lower, upper = cell.copy(), cell.copy()
    lower[j, 1] = upper[j, 0] = at
    return [lower, upper]


def groups(cells) -> np.ndarray:
    """Number of the connected group of each cell (m, 2, 2); cells that share a point are connected."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    m, links = len(cells), []
    for j in (0, 1):
        starts = {}
        for i in np.argsort(cells[:, 1 - j, 0], kind="stable").tolist():
            starts.setdefault(cells[i, j, 0], []).append(i)
        for i in range(m):
            others = starts.get(cells[i, j, 1], [])
            lows = cells[others, 1 - j, 0] if others else np.zeros(0)
            for k in others[: int(np.searchsorted(lows, cells[i, 1 - j, 1], side="right"))]:
                if cells[k, 1 - j, 1] >= cells[i, 1 - j, 0]:
                    links.append((i, k))
    rows, columns = np.array(links, dtype=int).reshape(-1, 2).T
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(m, m))
    return connected_components(graph, directed=False)[1]
