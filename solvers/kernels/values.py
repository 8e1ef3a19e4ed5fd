"""Numbers of the emitted program, with operators.

A `Number` is one value of the program that is being written: a double, an integer, a truth value, or a vector of
them with one entry a lane. `a * b + c` on Numbers does not compute; it writes instructions. Python numbers mix in
freely and are spread over the lanes.
"""

from llvmlite import ir

__all__ = ["BIT", "DOUBLE", "INTEGER", "POINTER", "Number", "element", "like", "literal"]

DOUBLE, INTEGER, BIT, POINTER = ir.DoubleType(), ir.IntType(64), ir.IntType(1), ir.PointerType()

# Fused a*b + c and a lost sign of zero are harmless. `nnan`, `ninf` and `fast` are not: with them LLVM deletes the
# tests for values that are not finite, and a lane that fails is reported as a success.
FLAGS = ("contract", "nsz")


def element(kind):
    """Type of one lane."""
    return kind.element if isinstance(kind, ir.VectorType) else kind


def like(kind, new):
    """The type `kind` with other elements: a vector stays a vector."""
    return ir.VectorType(new, kind.count) if isinstance(kind, ir.VectorType) else new


def literal(kind, x):
    """A Python number as a constant of a type."""
    if isinstance(kind, ir.VectorType):
        return ir.Constant(kind, [literal(kind.element, x)] * kind.count)
    return ir.Constant(kind, float(x) if kind == DOUBLE else int(x))


class Number:
    """One value of the emitted program."""

    __slots__ = ("ir", "writer")
    __hash__ = None

    def __init__(self, writer, value):
        self.writer, self.ir = writer, value

    @property
    def kind(self):
        return self.ir.type

    def _both(self, other, swap):
        a, b = self.writer.alike(self, other)
        return (b, a) if swap else (a, b)

    def _arithmetic(self, other, real, whole, swap=False):
        a, b = self._both(other, swap)
        build = self.writer.builder
        if element(a.kind) == DOUBLE:
            return Number(self.writer, getattr(build, real)(a.ir, b.ir, flags=FLAGS))
        return Number(self.writer, getattr(build, whole)(a.ir, b.ir))

    def __add__(self, other):
        return self._arithmetic(other, "fadd", "add")

    def __sub__(self, other):
        return self._arithmetic(other, "fsub", "sub")

    def __mul__(self, other):
        return self._arithmetic(other, "fmul", "mul")

    def __truediv__(self, other):
        return self._arithmetic(other, "fdiv", "sdiv")

    def __rsub__(self, other):
        return self._arithmetic(other, "fsub", "sub", swap=True)

    def __rtruediv__(self, other):
        return self._arithmetic(other, "fdiv", "sdiv", swap=True)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        if element(self.kind) == DOUBLE:
            return Number(self.writer, self.writer.builder.fneg(self.ir))
        return 0 - self

    def _compare(self, other, word):
        a, b = self.writer.alike(self, other)
        build = self.writer.builder
        if element(a.kind) == DOUBLE:
            # Ordered: false as soon as a NaN is involved. `!=` is the exception, so that x != x finds a NaN.
            compare = build.fcmp_unordered if word == "!=" else build.fcmp_ordered
        else:
            compare = build.icmp_signed
        return Number(self.writer, compare(word, a.ir, b.ir))

    def __lt__(self, other):
        return self._compare(other, "<")

    def __le__(self, other):
        return self._compare(other, "<=")

    def __gt__(self, other):
        return self._compare(other, ">")

    def __ge__(self, other):
        return self._compare(other, ">=")

    def __eq__(self, other):
        return self._compare(other, "==")

    def __ne__(self, other):
        return self._compare(other, "!=")

    def __and__(self, other):
        a, b = self.writer.alike(self, other)
        return Number(self.writer, self.writer.builder.and_(a.ir, b.ir))

    def __or__(self, other):
        a, b = self.writer.alike(self, other)
        return Number(self.writer, self.writer.builder.or_(a.ir, b.ir))

    def __invert__(self):
        return Number(self.writer, self.writer.builder.not_(self.ir))
