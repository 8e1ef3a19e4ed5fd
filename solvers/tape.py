"""Expressions as a tape: a table of integers that drivers run over plain numbers, intervals or balls.

A kernel (`kernels/`) is compiled for one model and is the fastest; a tape costs no compilation for a model, because
the driver that reads it was compiled once. Continuation and certified searches work on tapes.

Registers: numbers | parameters | variables | one for each row of `code`, in the order in which they can be computed.
A row (operation, a, b) names two registers; for `POWER_WHOLE` b is the exponent itself.
"""

from dataclasses import dataclass

import numpy as np
import sympy as sp

from remission.models.errors import ProblemError

__all__ = ["OPERATIONS", "Tape", "make_tape", "run_python"]

OPERATIONS = (
    "ADD", "SUBTRACT", "MULTIPLY", "DIVIDE", "NEGATE", "POWER_WHOLE", "POWER", "EXP", "LOG", "SQRT", "SIN", "COS",
    "TANH", "ABSOLUTE", "MINIMUM", "MAXIMUM",
)  # fmt: skip
(ADD, SUBTRACT, MULTIPLY, DIVIDE, NEGATE, POWER_WHOLE, POWER, EXP, LOG, SQRT, SIN, COS, TANH, ABSOLUTE, MINIMUM,
 MAXIMUM) = range(len(OPERATIONS))  # fmt: skip
UNARY = {sp.log: LOG, sp.sin: SIN, sp.cos: COS, sp.tanh: TANH, sp.Abs: ABSOLUTE}
FOLDED = {sp.Min: MINIMUM, sp.Max: MAXIMUM}


@dataclass(frozen=True, eq=False)
class Tape:
    """Expressions ready to be run.

    Attributes
    ----------
    code : (m, 3) int array
        Rows (operation, a, b).
    numbers : tuple of sympy.Number
        Exact; `tape.number_values` are their nearest doubles.
    parameters, variables : tuple of Symbol
    outputs : (n_out,) int array
        Register of each expression.
    """

    code: np.ndarray
    numbers: tuple
    parameters: tuple
    variables: tuple
    outputs: np.ndarray

    @property
    def number_values(self) -> np.ndarray:
        return np.array([float(x) for x in self.numbers])

    @property
    def n_given(self) -> int:
        """Registers that are filled before the first row: numbers, parameters, variables."""
        return len(self.numbers) + len(self.parameters) + len(self.variables)

    @property
    def n_registers(self) -> int:
        return self.n_given + len(self.code)

    @property
    def first_variable(self) -> int:
        return len(self.numbers) + len(self.parameters)

    def only(self, outputs) -> "Tape":
        """The tape with some of its outputs, without the rows that those do not need.

        Parameters
        ----------
        outputs : sequence of int

        Returns
        -------
        Tape
        """
        wanted, rows = {int(self.outputs[i]) for i in outputs}, []
        for i in range(len(self.code) - 1, -1, -1):
            operation, a, b = self.code[i].tolist()
            if self.n_given + i in wanted:
                wanted.update([a] if operation == POWER_WHOLE else [a, b])
                rows.append(i)
        place = {g: g for g in range(self.n_given)}
        code = []
        for i in reversed(rows):
            operation, a, b = self.code[i].tolist()
            place[self.n_given + i] = self.n_given + len(code)
            code.append((operation, place[a], b if operation == POWER_WHOLE else place[b]))
        kept = np.array([place[int(self.outputs[i])] for i in outputs], dtype=np.int64)
        table = np.array(code, dtype=np.int64).reshape(-1, 3)
        return Tape(table, self.numbers, self.parameters, self.variables, kept)

    def registers(self, parameters) -> np.ndarray:
        """Doubles with numbers and parameters in place, the rest zero.

        Parameters
        ----------
        parameters : (n_p,) sequence of float

        Returns
        -------
        (n_registers,) array
        """
        found = np.zeros(self.n_registers)
        found[: self.first_variable] = [*self.number_values, *parameters]
        return found


def make_tape(expressions, variables, parameters=()) -> Tape:
    """Write expressions as one tape; common parts are computed once.

    Parameters
    ----------
    expressions : sequence of sympy.Expr
    variables, parameters : sequence of Symbol
        Every symbol of the expressions.

    Returns
    -------
    Tape

    Raises
    ------
    ProblemError
        If an expression has a symbol that is neither, or an operation that tapes lack (it is named).

    Examples
    --------
    >>> import sympy as sp
    >>> x, k = sp.symbols("x k")
    >>> tape = make_tape([x * (1 - x / k), 1 - 2 * x / k], [x], [k])
    >>> run_python(tape, [2.0], [0.5])
    [0.375, 0.5]
    """
    writer = _Writer(variables, parameters)
    expressions = [sp.sympify(e) for e in expressions]
    numbers = sorted({sp.Integer(1)}.union(*map(writer.numbers_of, expressions)), key=sp.default_sort_key)
    writer.place(numbers)
    outputs = [writer.register(e) for e in expressions]
    code = np.array(writer.rows, dtype=np.int64).reshape(-1, 3)
    return Tape(code, tuple(numbers), tuple(parameters), tuple(variables), np.array(outputs, dtype=np.int64))


class _Writer:
    def __init__(self, variables, parameters):
        self.variables, self.parameters = tuple(variables), tuple(parameters)
        self.known, self.rows, self.given, self.seen = {}, [], 0, {}

    def place(self, numbers):
        for symbol in (*numbers, *self.parameters, *self.variables):
            self.known[symbol] = self.given
            self.given += 1

    def numbers_of(self, e):
        """Numbers that need a register: whole exponents and signs need none."""
        if e not in self.seen:
            self.seen[e] = frozenset(self._numbers_of(e))
        return self.seen[e]

    def _numbers_of(self, e):
        if e.is_Number or isinstance(e, sp.NumberSymbol):
            return {sp.Integer(abs(e.p)), sp.Integer(e.q)} if e.is_Rational else {abs(e)}
        if e.is_Pow:
            base, exponent = e.args
            if exponent.is_Integer or exponent in (sp.S.Half, -sp.S.Half):
                return self.numbers_of(base)
        found = set()
        for part in e.args:
            found |= self.numbers_of(part)
        return found

    def row(self, operation, a, b=0):
        key = (operation, a, b)
        if key not in self.known:
            self.known[key] = self.given + len(self.rows)
            self.rows.append(key)
        return self.known[key]

    def register(self, e):
        if e not in self.known:
            self.known[e] = self._register(e)
        return self.known[e]

    def _register(self, e):
        if e.is_Number and e.is_negative:
            return self.row(NEGATE, self.register(-e))
        if e.is_Rational:  # exact in every arithmetic, where the nearest double of 1/3 would not be
            return self.row(DIVIDE, self.register(sp.Integer(e.p)), self.register(sp.Integer(e.q)))
        if e.is_Add:
            return self._sum(e.args)
        if e.is_Mul:
            return self._product(e)
        if e.is_Pow:
            return self._power(*e.args)
        if isinstance(e, sp.exp):
            return self.row(EXP, self.register(e.args[0]))
        if type(e) in UNARY:
            return self.row(UNARY[type(e)], self.register(e.args[0]))
        if type(e) in FOLDED:
            return self._folded(FOLDED[type(e)], [self.register(a) for a in e.args])
        if e.is_Symbol:
            raise ProblemError(f"tape: {e} is neither a variable nor a parameter of it")
        raise ProblemError(f"tape: no rule for the operation {type(e).__name__} in {e}")

    def _folded(self, operation, registers):
        found = registers[0]
        for other in registers[1:]:
            found = self.row(operation, found, other)
        return found

    def _sum(self, terms):
        up = [t for t in terms if not t.could_extract_minus_sign()]
        down = [-t for t in terms if t.could_extract_minus_sign()]
        found = self._folded(ADD, [self.register(t) for t in up]) if up else None
        for t in down:
            value = self.register(t)
            found = self.row(NEGATE, value) if found is None else self.row(SUBTRACT, found, value)
        return found

    def _product(self, e):
        above, below, negative = [], [], False
        for factor in e.args:
            if factor == -1:
                negative = True
            elif factor.is_Pow and factor.exp.is_number and factor.exp.is_negative:
                below.append(factor.base ** (-factor.exp))
            elif factor.is_Rational and not factor.is_Integer:
                above += [sp.Integer(factor.p)] if factor.p != 1 else []
                below.append(sp.Integer(factor.q))
            else:
                above.append(factor)
        top = self._folded(MULTIPLY, [self.register(f) for f in above]) if above else self.register(sp.Integer(1))
        if below:
            top = self.row(DIVIDE, top, self._folded(MULTIPLY, [self.register(f) for f in below]))
        return self.row(NEGATE, top) if negative else top

    def _power(self, base, exponent):
        if exponent.is_Integer:
            found = self.register(base)
            found = self.row(POWER_WHOLE, found, abs(int(exponent))) if abs(exponent) != 1 else found
        elif exponent in (sp.S.Half, -sp.S.Half):
            found = self.row(SQRT, self.register(base))
        else:
            return self.row(POWER, self.register(base), self.register(exponent))
        return self.row(DIVIDE, self.register(sp.Integer(1)), found) if exponent.is_negative else found


def run_python(tape, parameters, variables, arithmetic=None) -> list:
    """Values of a tape's expressions in any arithmetic that Python's operators know.

    Parameters
    ----------
    tape : Tape
    parameters, variables : sequences of numbers
    arithmetic : object, optional
        Has `exp`, `log`, `sqrt`, `sin`, `cos`, `tanh`; `math` if not given.

    Returns
    -------
    list
    """
    import math

    arithmetic = arithmetic or math
    registers = [int(n) if n.is_Integer else float(n) for n in tape.numbers] + [*parameters, *variables]
    for operation, a, b in tape.code.tolist():
        registers.append(_apply(arithmetic, operation, registers[a], b if operation == POWER_WHOLE else registers[b]))
    return [registers[i] for i in tape.outputs.tolist()]


def _apply(arithmetic, operation, x, y):
    if operation == ADD:
        return x + y
    if operation == SUBTRACT:
        return x - y
    if operation == MULTIPLY:
        return x * y
    if operation == DIVIDE:
        return x / y
    if operation in (POWER_WHOLE, POWER):
        return x**y
    if operation == NEGATE:
        return -x
    if operation == ABSOLUTE:
        return abs(x)
    if operation in (MINIMUM, MAXIMUM):
        smaller, larger = getattr(arithmetic, "minimum", min), getattr(arithmetic, "maximum", max)
        return smaller(x, y) if operation == MINIMUM else larger(x, y)
    return getattr(arithmetic, OPERATIONS[operation].lower())(x)
