"""For all values of parameters in a range: how many steady states, by cells of the range."""

import time
from dataclasses import dataclass

import numpy as np

__all__ = []  # `StateCounts` is offered by `steady_states`

FINER = 1  # times the resolution, as far as cells are cut to decide stabilities alone
MOST_SLABS, SMALLEST = 400, 2.0**-36  # cells of the range in which a side of the box is looked at, and their part of it
MOST_BOXES, NARROWEST = 600, 1e-4  # of the search in one cell: where it does not decide, the cell is cut instead


@dataclass(frozen=True)
class Cell:
    """Part of a range of parameters.

    Attributes
    ----------
    ranges : dict of str -> (low, high)
    count : int or None
        Exactly as many steady states at every value; None where that is undecided.
    stabilities : tuple of str
        Of each of them, at every value; empty where undecided.
    """

    ranges: dict
    count: int | None
    stabilities: tuple = ()


@dataclass(frozen=True, eq=False, repr=False)
class StateCounts:
    """Numbers of steady states over a range of parameters.

    Attributes
    ----------
    problem : Problem
    over : dict of str -> (low, high)
    box : dict of str -> (low, high)
    box_from : str
    cells : tuple of Cell
        They cover the range; neighbours of equal count and stabilities are one where one parameter is varied.
    seconds : float
    """

    problem: object
    over: dict
    box: dict
    box_from: str
    cells: tuple
    seconds: float

    def __repr__(self):
        return f"<StateCounts of {self.problem.model.name}: {len(self.cells)} cells>"

    @property
    def count(self):
        """The number that holds all over the range; None where it differs or is undecided."""
        counts = {c.count for c in self.cells}
        return counts.pop() if len(counts) == 1 else None

    @property
    def undecided(self) -> tuple:
        """Cells in which nothing is proved: folds and branch points lie in such."""
        return tuple(c for c in self.cells if c.count is None)

    def __str__(self):
        lines = [f"steady states of {self.problem.model.name}, box from {self.box_from}"]
        for cell in self.cells:
            where = ", ".join(f"{low:.8g} <= {name} <= {high:.8g}" for name, (low, high) in cell.ranges.items())
            what = (
                "undecided" if cell.count is None else f"exactly {cell.count}: {', '.join(cell.stabilities) or 'none'}"
            )
            lines.append(f"  {where}: {what}")
        return "\n".join(lines)


def counts(problem, box, box_from, over, time_limit, resolution=2.0**-10) -> StateCounts:
    """Cut a range of parameters until each cell has a proved number of steady states, or is small.

    Parameters
    ----------
    problem : Problem
    box : dict of str -> (low, high)
    box_from : str
    over : dict of str -> (low, high)
    time_limit : float
        Seconds.
    resolution : float
        Part of the range at which a cell is left undecided.

    Returns
    -------
    StateCounts
    """
    began = time.monotonic()
    names = list(over)
    between = {1: _between_points, 2: _in_regions}.get(len(names))
    doubtful = _below(problem, box, over, 0.2 * time_limit) if between else None
    usable = doubtful is not None and (len(names) == 1 or not doubtful)
    found = between(problem, box, over, time_limit, doubtful) if usable else None
    if found:
        sides, cells = found
        return StateCounts(problem, dict(over), sides, box_from, tuple(cells), time.monotonic() - began)
    whole = np.array([over[n] for n in names], dtype=float)
    stack, cells = [whole], []
    while stack:
        cell = stack.pop()
        late = time.monotonic() > began + time_limit
        number, stabilities = (None, ()) if late else _in_cell(problem, box, dict(zip(names, cell, strict=True)))
        width = (cell[:, 1] - cell[:, 0]) / (whole[:, 1] - whole[:, 0])
        k = int(np.argmax(width))
        coarse = width[k] > (resolution if number is None else FINER * resolution)
        if not late and coarse and (number is None or "undecided" in stabilities):
            middle = 0.5 * (cell[k, 0] + cell[k, 1])
            upper, lower = cell.copy(), cell.copy()
            upper[k, 0] = lower[k, 1] = middle
            stack += [upper, lower]
        else:
            ranges = {n: (float(a), float(b)) for n, (a, b) in zip(names, cell, strict=True)}
            cells.append(Cell(ranges, number, stabilities))
    cells = _joined(cells, names[0]) if len(names) == 1 else cells
    return StateCounts(problem, dict(over), box, box_from, tuple(cells), time.monotonic() - began)


def _below(problem, box, over, time_limit):
    """Cells of a range at which steady states may lie just below zero; None where these are not few and small.

    Special points are sought there as well: a state that the box does not hold would be counted with those it does.
    """
    from . import answer, events, reduce, search

    until, names, doubtful = None, list(over), []  # the clock starts after the first search, which may compile
    whole = np.array([over[n] for n in names], dtype=float)
    system = reduce.system_of(problem.model)
    low, high = np.array([box[s.name] for s in system.states], dtype=float).T
    open_ = np.array([low[i] == 0 and reduce.over(system.equations[s], s, set()) is None
                      for i, s in enumerate(system.states)])  # fmt: skip
    sides = np.column_stack([np.where(open_, -1.001 * events.SLACK * (high - low), low), high])
    for k in np.flatnonzero(open_):
        slab, stack, tried = sides.copy(), [whole], 0
        slab[k, 1] = 0.0
        while stack:
            cell, tried = stack.pop(), tried + 1
            if tried > MOST_SLABS or (until is not None and time.monotonic() > until):
                return None
            values = answer.parameter_intervals(problem, dict(zip(names, cell, strict=True)))
            found = search.search_box(problem.model, values, slab, until, MOST_BOXES, NARROWEST)
            until = time.monotonic() + time_limit if until is None else until
            if found.complete and not found.undecided and all(r.enclosure[k, 0] >= 0 for r in found.roots):
                continue
            width = (cell[:, 1] - cell[:, 0]) / (whole[:, 1] - whole[:, 0])
            j = int(np.argmax(width))
            if width[j] <= SMALLEST:
                doubtful.append(cell)
                continue
            upper, lower = cell.copy(), cell.copy()
            upper[j, 0] = lower[j, 1] = 0.5 * (cell[j, 0] + cell[j, 1])
            stack += [upper, lower]
    return doubtful


def _without(low, high, cells):
    """What of an interval is left without the inside of others, as intervals."""
    left = [(low, high)]
    for a, b in cells:
        left = [piece for x, y in left for piece in ((x, min(y, a)), (max(x, b), y)) if piece[0] < piece[1]]
    return left


def _between_points(problem, box, over, time_limit, doubtful):
    """Cells between the special points of one parameter, with the box; None where these are not all proved."""
    from . import reduce
    from .all_points import certified_points

    ((name, within),) = over.items()
    try:
        found = certified_points(problem, name, within, box, time_limit=0.5 * time_limit)
    except reduce.NotReducible:
        return None
    if not found.complete or not found.stretches or any(not s.stable_throughout for s in found.stretches):
        return None
    cells, at = [], within[0]
    cut = [tuple(cell[0].tolist()) for cell in doubtful]
    known = [(a, b, s) for s in found.stretches for a, b in sorted(_without(s.low, s.high, cut))]
    for a, b, s in known:
        if at < a:
            cells.append(Cell({name: (at, a)}, None))
        cells.append(Cell({name: (a, b)}, s.count, s.stabilities))
        at = b
    if at < within[1]:
        cells.append(Cell({name: (at, within[1])}, None))
    return found.box, _joined(cells, name)


def _in_regions(problem, box, over, time_limit, _doubtful):
    """Cells of the plane of two parameters, with the box; None where it cannot be cut that way."""
    from remission.models import ProblemError

    from .stability_map import stability_map

    try:
        found = stability_map(problem, over, box, time_limit=time_limit, progress=False)
    except ProblemError:
        return None
    cells = []
    for ends, k in zip(found.cells.tolist(), found.of_cell.tolist(), strict=True):
        region = found.regions[k] if k >= 0 else None
        stabilities = tuple(s for _, s in region.states) if region and found.stabilities_proved else ()
        ranges = {name: tuple(side) for name, side in zip(over, ends, strict=True)}
        cells.append(Cell(ranges, region.count if region else None, stabilities))
    return found.box, cells


def _in_cell(problem, box, cell):
    """Number and stabilities that hold for all of a cell, or None."""
    from . import answer, search, stability

    sides = np.array([box[s.name] for s in problem.model.states], dtype=float)
    values = answer.parameter_intervals(problem, cell)
    found = search.search_box(problem.model, values, sides, None, MOST_BOXES, NARROWEST)
    if not found.complete or found.undecided or any(r.family for r in found.roots):
        return None, ()
    for root in found.roots:  # one that crosses the edge of the box is in it for some values only
        low, high = root.enclosure.T
        at_edge = (low < sides[:, 0]) & (high >= sides[:, 0]) | (high > sides[:, 1]) & (low <= sides[:, 1])
        if np.any(at_edge):
            return None, ()
    scale = np.max(np.abs(sides), axis=1)
    roots = sorted(found.roots, key=lambda r: r.enclosure[:, 0].tolist())
    return len(roots), tuple(stability.verdict(problem.model, values, r.enclosure, scale) for r in roots)


def _joined(cells, name):
    """Neighbouring cells of one parameter that say the same, as one."""
    found = []
    for cell in cells:
        if found and (found[-1].count, sorted(found[-1].stabilities)) == (cell.count, sorted(cell.stabilities)):
            low = found[-1].ranges[name][0]
            found[-1] = Cell({name: (low, cell.ranges[name][1])}, cell.count, found[-1].stabilities)
        else:
            found.append(cell)
    return found
