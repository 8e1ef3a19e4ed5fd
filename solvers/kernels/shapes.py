"""Which carried parameter runs in which lane, and which states it can ever reach.

A parameter of a signal that nothing feeds back on moves no state upstream of that signal: its sensitivities there are
zero for all times. `reach` finds these zeros from the patterns alone; nothing is computed for them. Parameters of
similar reach share blocks of lanes, and blocks of one width and reach share code: a *shape*. Few parameters, and what
is left over, go into blocks of half width.
"""

from dataclasses import dataclass

__all__ = ["Shape", "arrange", "reach"]

NARROWEST = 4  # narrower vectors are no faster
MOST_SHAPES = 2  # each is compiled: a tenth to a third of a second for seven states
WORTH = 0.04  # part of the work of all blocks that a shape has to save
NARROW = 0.6  # work of a block of half width, in blocks of full width


@dataclass(frozen=True)
class Shape:
    """Blocks of `width` lanes that reach the same slots (states, then totals); columns in the order of their lanes."""

    columns: tuple
    width: int
    reach: frozenset
    first: int = 0

    @property
    def count(self):
        return -(-len(self.columns) // self.width)

    def place(self, number):
        """Of the column in a position of `columns`: first lane of its block, its lane within."""
        return self.first + number // self.width * self.width, number % self.width


def reach(sources, jacobian, weights, n) -> frozenset:
    """Slots that become nonzero from the `sources`: closed under the Jacobian, with a total for each sum.

    Parameters
    ----------
    sources : iterable of int
    jacobian : iterable of (row, slot)
    weights : iterable of (total, state)
    n : int
        States; slot n + k is total k.

    Returns
    -------
    frozenset of int

    Examples
    --------
    >>> sorted(reach([1], {(0, 0), (1, 1), (2, 1), (2, 2)}, (), 3))
    [1, 2]
    """
    links = {}
    for row, slot in [*jacobian, *((n + k, j) for k, j in weights)]:
        links.setdefault(slot, set()).add(row)
    found, left = set(), set(sources)
    while left:
        slot = left.pop()
        found.add(slot)
        left |= links.get(slot, set()) - found
    return frozenset(found)


def arrange(reaches, width) -> tuple:
    """Shapes for columns with these reaches.

    Groups of equal reach are joined, and blocks of half width given up, as long as that costs least and there are too
    many shapes or one saves too little.

    Parameters
    ----------
    reaches : sequence of frozenset
        One a column.
    width : int
        Lanes of a full block.

    Returns
    -------
    tuple of Shape

    Examples
    --------
    >>> wide, narrow = arrange([frozenset({0, 1})] * 22 + [frozenset({0, 1, 2, 3})] * 3, 8)
    >>> (wide.count, wide.width), (narrow.count, narrow.width)
    ((3, 8), (1, 4))
    """
    groups = {}
    for column, slots in enumerate(reaches):
        groups.setdefault((slots, True), []).append(column)
    groups = [_Group(tuple(columns), slots, tail) for (slots, tail), columns in groups.items()]
    while True:
        total = sum(g.work(width) for g in groups)
        choices = [_without_tail(groups, i, width) for i in range(len(groups))]
        choices += [_joined(groups, i, j, width) for i in range(len(groups)) for j in range(i)]
        cost, changed = min((c for c in choices if c), key=lambda c: c[0], default=(0.0, None))
        many = sum(len(g.parts(width)) for g in groups) > MOST_SHAPES
        if changed is None or not (many or cost < WORTH * total):
            break
        groups = changed
    parts = [(w, columns, g.slots) for g in groups for w, columns in g.parts(width)]
    shapes, first = [], 0
    for w, columns, slots in sorted(parts, key=lambda part: -part[0]):  # wide ones first: vectors stay aligned
        shapes.append(Shape(columns, w, slots, first))
        first += shapes[-1].count * w
    return tuple(shapes)


@dataclass(frozen=True)
class _Group:
    columns: tuple
    slots: frozenset
    tail: bool

    def parts(self, width):
        """(width, columns) of its shapes."""
        half, rest = width // 2, len(self.columns) % width
        if not self.tail or half < NARROWEST or not 0 < rest <= half:
            return [(width, self.columns)]
        cut = len(self.columns) - rest
        return [(width, self.columns[:cut])] * bool(cut) + [(half, self.columns[cut:])]

    def work(self, width):
        blocks = sum(-(-len(columns) // w) * (1.0 if w == width else NARROW) for w, columns in self.parts(width))
        return blocks * (1 + len(self.slots))


def _without_tail(groups, i, width):
    group = groups[i]
    if len(group.parts(width)) == 1:
        return None
    plain = _Group(group.columns, group.slots, False)
    return plain.work(width) - group.work(width), [*groups[:i], plain, *groups[i + 1 :]]


def _joined(groups, i, j, width):
    a, b = groups[i], groups[j]
    both = _Group(tuple(sorted(a.columns + b.columns)), a.slots | b.slots, a.tail and b.tail)
    cost = both.work(width) - a.work(width) - b.work(width)
    return cost, [*(g for k, g in enumerate(groups) if k not in (i, j)), both]
