"""Writing one function of the emitted program: constants, lanes, memory, branches and loops.

`Writer` is the function being written. What Python loops over is unrolled; `loop` and `count` write loops.

    w = Writer(module, "twice", lanes=8)          # a function of one argument: the address of a call record
    x = w.array(3)                                # three vectors of eight doubles, on the stack
    with w.count(0, 3) as i:                      # for i in range(3), at run time
        x[i] = x[i] * 2.0

`Array` is memory read and written by index, `Cell` a variable that changes. A value made inside `when` or a loop
must leave it through one of them: LLVM refuses a name that is not defined on every path. Nothing here knows about
differential equations.
"""

from contextlib import contextmanager

from llvmlite import ir

from .values import BIT, DOUBLE, INTEGER, POINTER, Number, element, like, literal

__all__ = ["Array", "Cell", "Writer"]

SMALL = ir.IntType(32)
STACK = 2**18  # bytes of a function's arrays on the stack, of which a thread has little; what is more is borrowed
LEAST = 2**10  # bytes from which an array is borrowed: what is smaller may still become registers
LINE = 64  # bytes to which arrays are aligned


class Array:
    """Consecutive numbers of one kind behind an address; the index is a Python number or an emitted integer."""

    def __init__(self, writer, address, kind, align):
        self.writer, self.address, self.kind, self.align = writer, address, kind, align

    def _place(self, index):
        w = self.writer
        return w.builder.gep(self.address, [w.whole(index).ir], source_etype=self.kind, inbounds=True)

    def __getitem__(self, index):
        w = self.writer
        return Number(w, w.builder.load(self._place(index), align=self.align, typ=self.kind))

    def __setitem__(self, index, value):
        w = self.writer
        w.builder.store(w.to(self.kind, value).ir, self._place(index), align=self.align)

    def at(self, index):
        """The array that begins at an element."""
        return Array(self.writer, self._place(index), self.kind, self.align)

    def seen_as(self, kind):
        """The same bytes as numbers of another kind, such as the lanes of vectors one by one."""
        return Array(self.writer, self.address, kind, 8)


class Cell:
    """A variable of the emitted program: read and write `value`."""

    def __init__(self, array):
        self._array = array

    @property
    def value(self):
        return self._array[0]

    @value.setter
    def value(self, new):
        self._array[0] = new


class Loop:
    """The loop being written; `leave_if` goes to its end."""

    def __init__(self, builder, end):
        self._builder, self._end = builder, end

    def leave_if(self, condition):
        further = self._builder.append_basic_block("further")
        self._builder.cbranch(condition.ir, self._end, further)
        self._builder.position_at_end(further)


class Writer:
    """One function under construction, with vectors of `lanes` doubles."""

    def __init__(self, module, name, lanes=1, arguments=(POINTER,), internal=False):
        self.module, self.lanes = module, lanes
        self.vector = ir.VectorType(DOUBLE, lanes) if lanes > 1 else DOUBLE
        self.function = ir.Function(module, ir.FunctionType(ir.VoidType(), arguments), name)
        if internal:
            self.function.linkage = "internal"
            self.function.attributes.add("noinline")
        self.builder = ir.IRBuilder(self.function.append_basic_block("start"))
        self.arguments = [Number(self, a) for a in self.function.args]
        self.stacked, self.borrowed = 0, []

    def finish(self):
        for memory in self.borrowed:
            self.builder.call(self._declared("free", ir.VoidType(), [POINTER]), [memory])
        self.builder.ret_void()

    # --- numbers ------------------------------------------------------------------------------------------------------

    def whole(self, x):
        return x if isinstance(x, Number) else Number(self, literal(INTEGER, x))

    def real(self, x):
        """A vector of lanes that all hold x."""
        return self.to(self.vector, x)

    def to(self, kind, x):
        """`x` as a value of a kind; a scalar is spread over the lanes."""
        if not isinstance(x, Number):
            return Number(self, literal(kind, x))
        if x.kind == kind:
            return x
        if isinstance(kind, ir.VectorType) and x.kind == kind.element:
            empty = ir.Constant(kind, ir.Undefined)
            first = self.builder.insert_element(empty, x.ir, ir.Constant(SMALL, 0))
            zeros = ir.Constant(ir.VectorType(SMALL, kind.count), [0] * kind.count)
            return Number(self, self.builder.shuffle_vector(first, empty, zeros))
        raise TypeError(f"cannot make {kind} of {x.kind}")

    def alike(self, a, b):
        """Both operands in the wider of their kinds."""
        kinds = [x.kind for x in (a, b) if isinstance(x, Number)]
        kind = next((k for k in kinds if isinstance(k, ir.VectorType)), kinds[0] if kinds else DOUBLE)
        return self.to(kind, a), self.to(kind, b)

    def where(self, condition, a, b):
        a, b = self.alike(a, b)
        if isinstance(condition.kind, ir.VectorType) and not isinstance(a.kind, ir.VectorType):
            wide = ir.VectorType(a.kind, condition.kind.count)
            a, b = self.to(wide, a), self.to(wide, b)
        elif isinstance(a.kind, ir.VectorType) and not isinstance(condition.kind, ir.VectorType):
            condition = self.to(ir.VectorType(BIT, a.kind.count), condition)
        return Number(self, self.builder.select(condition.ir, a.ir, b.ir))

    def larger(self, a, b):
        a, b = self.alike(a, b)
        return self.where(a > b, a, b)

    def smaller(self, a, b):
        a, b = self.alike(a, b)
        return self.where(a < b, a, b)

    def absolute(self, x):
        return self.intrinsic("fabs", x)

    def root(self, x):
        return self.intrinsic("sqrt", x)

    def bits(self, x):
        """The pattern of a double as an integer."""
        return Number(self, self.builder.bitcast(x.ir, like(x.kind, INTEGER)))

    def from_bits(self, x):
        return Number(self, self.builder.bitcast(x.ir, like(x.kind, DOUBLE)))

    def to_double(self, x):
        return Number(self, self.builder.sitofp(x.ir, like(x.kind, DOUBLE)))

    def to_whole(self, x):
        return Number(self, self.builder.fptosi(x.ir, like(x.kind, INTEGER)))

    def shifted(self, x, way, places):
        """Integer shifted by a fixed number of places; `way` is "shl" or "ashr"."""
        return Number(self, getattr(self.builder, way)(x.ir, literal(x.kind, places)))

    def intrinsic(self, name, *operands):
        """A function that LLVM knows, on whole vectors; llvmlite has no names for those, so it is declared here."""
        kind = operands[0].kind
        suffix = f"v{kind.count}f64" if isinstance(kind, ir.VectorType) else "f64"
        return self._outside(f"llvm.{name}.{suffix}", kind, operands)

    def library(self, name, x):
        """A function of the C library, called lane by lane."""
        if not isinstance(x.kind, ir.VectorType):
            return self._outside(name, DOUBLE, [x])
        return self.packed([self._outside(name, DOUBLE, [self.lane(x, k)]) for k in range(x.kind.count)])

    def _outside(self, name, kind, operands):
        function = self._declared(name, kind, [kind] * len(operands))
        return Number(self, self.builder.call(function, [o.ir for o in operands]))

    def _declared(self, name, result, operands):
        function = self.module.globals.get(name)
        return function or ir.Function(self.module, ir.FunctionType(result, operands), name)

    # --- lanes --------------------------------------------------------------------------------------------------------

    def lane(self, x, k):
        if not isinstance(x.kind, ir.VectorType):
            return x
        return Number(self, self.builder.extract_element(x.ir, ir.Constant(SMALL, k)))

    def packed(self, scalars):
        """A vector of scalars, one a lane."""
        if len(scalars) == 1:
            return scalars[0]
        kind = ir.VectorType(scalars[0].kind, len(scalars))
        vector = ir.Constant(kind, ir.Undefined)
        for k, scalar in enumerate(scalars):
            vector = self.builder.insert_element(vector, scalar.ir, ir.Constant(SMALL, k))
        return Number(self, vector)

    def largest_lane(self, x):
        values = [self.lane(x, k) for k in range(self.lanes)]
        while len(values) > 1:
            values = [self.larger(a, b) for a, b in zip(values[::2], values[1::2], strict=True)]
        return values[0]

    def any_lane(self, condition):
        if not isinstance(condition.kind, ir.VectorType):
            return condition
        packed = Number(self, self.builder.bitcast(condition.ir, ir.IntType(condition.kind.count)))
        return packed != 0

    # --- memory -------------------------------------------------------------------------------------------------------

    def array(self, count, kind=None):
        """Numbers on the stack, allocated once at the start of the function: in a loop the stack would grow."""
        kind = kind or self.vector
        size = max(count, 1) * (8 * kind.count if isinstance(kind, ir.VectorType) else 8)
        with self.builder.goto_entry_block():
            if size >= LEAST and self.stacked + size > STACK:
                return Array(self, self._borrow(size), kind, _natural(kind))
            self.stacked += size
            address = self.builder.alloca(ir.ArrayType(kind, max(count, 1)))
            address.align = LINE
            address.type = POINTER  # llvmlite types what alloca returns, and then calls it equal
        return Array(self, address, kind, _natural(kind))

    def _borrow(self, size):
        """The address of memory of the C library, given back by `finish`."""
        build = self.builder
        memory = build.call(self._declared("malloc", POINTER, [INTEGER]), [literal(INTEGER, size + LINE)])
        self.borrowed.append(memory)
        start = build.add(build.ptrtoint(memory, INTEGER), literal(INTEGER, LINE - 1))
        return build.inttoptr(build.and_(start, literal(INTEGER, -LINE)), POINTER)

    def cell(self, initial, kind=None):
        kind = kind or (initial.kind if isinstance(initial, Number) else DOUBLE)
        cell = Cell(self.array(1, kind))
        cell.value = initial
        return cell

    def view(self, address, kind=DOUBLE):
        """Numbers of a caller: nothing may be assumed but eight-byte alignment."""
        return Array(self, address.ir, kind, 8)

    def own(self, address, kind=None):
        """Vectors of lanes, or numbers of another kind, in memory of this program."""
        kind = kind or self.vector
        return Array(self, address.ir, kind, _natural(kind))

    def address(self, number):
        """An integer read from a call record as an address."""
        return Number(self, self.builder.inttoptr(number.ir, POINTER))

    def table(self, numbers):
        """Constant integers inside the object code."""
        kind = ir.ArrayType(INTEGER, max(len(numbers), 1))
        variable = ir.GlobalVariable(self.module, kind, self.module.get_unique_name("table"))
        variable.linkage, variable.global_constant = "internal", True
        variable.initializer = ir.Constant(kind, list(numbers) or [0])
        with self.builder.goto_entry_block():  # a cast by hand: llvmlite drops it, holding both types to be equal
            cast = ir.instructions.CastInstr(self.builder.block, "bitcast", variable, POINTER, "")
            self.builder._insert(cast)
        return Array(self, cast, INTEGER, 8)

    # --- control ------------------------------------------------------------------------------------------------------

    @contextmanager
    def loop(self):
        head, end = (self.builder.append_basic_block(name) for name in ("loop", "end"))
        self.builder.branch(head)
        self.builder.position_at_end(head)
        yield Loop(self.builder, end)
        self.builder.branch(head)
        self.builder.position_at_end(end)

    @contextmanager
    def count(self, first, stop):
        index = self.cell(self.whole(first))
        with self.loop() as loop:
            i = index.value
            loop.leave_if(i >= stop)
            yield i
            index.value = i + 1

    @contextmanager
    def when(self, condition):
        with self.builder.if_then(condition.ir):
            yield

    def call(self, function, *operands):
        self.builder.call(function, [o.address if isinstance(o, Array) else o.ir for o in operands])


def _natural(kind):
    return 8 * kind.count if isinstance(kind, ir.VectorType) and element(kind) != BIT else 8
