"""Memory of the sensitivities: some rows of numbers for every carried parameter, block after block.

The rows of one block lie together as vectors of its width. The caller's tables have a column a parameter in the
caller's order; `Columns` knows where a column lives.
"""

from llvmlite import ir

from .emit import Array
from .values import DOUBLE

__all__ = ["Blocks", "Columns"]

CLEARED = 4  # lanes of the vectors that `clear` writes; every width is a multiple


class Blocks:
    """`rows` vectors a block."""

    def __init__(self, w, shapes, rows):
        self.w, self.rows = w, rows
        last = shapes[-1]
        self.lanes = last.first + last.count * last.width
        self.numbers = w.array(self.lanes * rows)

    def block(self, shape, b) -> Array:
        """The rows of block b of a shape as vectors."""
        place = self.numbers.at((self.w.whole(b) * shape.width + shape.first) * self.rows)
        return Array(self.w, place.address, ir.VectorType(DOUBLE, shape.width), 8 * shape.width)

    def put(self, place, row, value):
        """One number of a column whose (first lane of its block, width, lane within) is `place`."""
        first, width, within = place
        self.numbers[first * self.rows + row * width + within] = value

    def clear(self):
        quads = Array(self.w, self.numbers.address, ir.VectorType(DOUBLE, CLEARED), 8 * CLEARED)
        with self.w.count(0, self.lanes * self.rows // CLEARED) as c:
            quads[c] = 0.0


class Columns:
    """The carried parameters in the caller's order, for emitted loops."""

    def __init__(self, w, places):
        self.w, self.count = w, len(places)
        self.firsts, self.widths, self.lanes = map(w.table, zip(*places, strict=True))

    def place(self, blocks, c, row):
        """Index of a column's number among `blocks.numbers`."""
        return self.firsts[c] * blocks.rows + row * self.widths[c] + self.lanes[c]
