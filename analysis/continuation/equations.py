"""A problem's right-hand side for continuation: totals eliminated, tapes of derivatives, numbers in place."""

import functools
import itertools
from dataclasses import dataclass

import numpy as np
import sympy as sp

from remission.models import t
from remission.models.derive import conserved_totals
from remission.models.errors import ProblemError, did_you_mean
from remission.solvers.tape import make_tape, run_python

__all__ = ["Equations", "Written", "equations_of", "moved_symbols", "write"]


@dataclass(frozen=True, eq=False)
class Written:
    """What depends on the model and the moved parameters alone.

    Attributes
    ----------
    variables : tuple of Symbol
        States that are kept, then what is moved.
    given : tuple of Symbol
        Other parameters and inputs, then the values of conserved totals.
    first, second : Tape
        f and its first derivatives; the same followed by the second derivatives.
    index : (k, 3) int array
        Row and columns of the second derivatives, of each mixed pair one.
    recovered : tuple of (position, Expr)
        States that conserved totals give.
    """

    variables: tuple
    given: tuple
    rates: tuple
    first: object
    second: object
    index: np.ndarray
    recovered: tuple
    n: int


@functools.lru_cache(maxsize=64)
def write(rates, states, moved, given) -> Written:
    """Tapes of some rates.

    Parameters
    ----------
    rates : tuple of (Symbol, Expr)
        Unknown -> its rate (any equation that has to vanish); conserved totals are not looked for.
    states : tuple of (int, Expr)
        States that follow from the others.
    moved, given : tuple of Symbol

    Returns
    -------
    Written
    """
    unknowns = tuple(symbol for symbol, _ in rates)
    variables, expressions = (*unknowns, *moved), [e for _, e in rates]
    gradient = [sp.diff(e, v) for e in expressions for v in variables]
    count = len(variables)
    index, second = [], []
    for i in range(len(unknowns)):
        for j in range(count):
            for k in range(j, count):
                found = sp.diff(gradient[i * count + j], variables[k])
                if found != 0:
                    index.append((i, j, k))
                    second.append(found)
    gradient, second = ([without_steps(e) for e in those] for those in (gradient, second))
    first = make_tape([*expressions, *gradient], variables, given)
    both = make_tape([*expressions, *gradient, *second], variables, given)
    index = np.array(index, dtype=np.int64).reshape(-1, 3)
    return Written(variables, given, tuple(expressions), first, both, index, states, len(unknowns))


def without_steps(expression):
    """The expression with steps and signs, which derivatives of the larger of two bring, as quotients."""
    if not expression.has(sp.Heaviside, sp.sign, sp.DiracDelta):
        return expression
    expression = expression.replace(sp.DiracDelta, lambda *x: sp.Integer(0))
    expression = expression.replace(sp.Heaviside, lambda x, *half: (1 + x / sp.Abs(x)) / 2)
    return expression.replace(sp.sign, lambda x: x / sp.Abs(x))


@functools.lru_cache(maxsize=64)
def _third_tape(written):
    n, variables, found = written.n, written.variables, []
    index = []
    for i, e in enumerate(written.rates):
        for j in range(n):
            by_j = sp.diff(e, variables[j])
            for k in range(j, n):
                by_k = sp.diff(by_j, variables[k])
                for l in range(k, n):
                    d = sp.diff(by_k, variables[l]) if by_k != 0 else by_k
                    if d != 0:
                        index.append((i, j, k, l))
                        found.append(d)
    return index, make_tape([without_steps(e) for e in found], variables, written.given)


@dataclass(frozen=True, eq=False)
class Equations:
    """Tapes with numbers.

    Attributes
    ----------
    problem : Problem
    over : tuple of str
        What is moved.
    written : Written
    numbers : (k,) list of float
        Values of `written.given`.
    scale : (n + m,) array
        Size of each unknown.
    """

    problem: object
    over: tuple
    written: Written
    numbers: list
    scale: np.ndarray

    @property
    def n(self) -> int:
        return self.written.n

    @property
    def m(self) -> int:
        return len(self.over)

    def system(self, second=False, scale=None) -> tuple:
        """The tuple that the driver takes; with second derivatives or without, measured in other sizes if given."""
        tape, code, registers = self._ready("second" if second else "first")
        index = self.written.index if second else np.zeros((0, 3), dtype=np.int64)
        scale = np.ascontiguousarray(self.scale if scale is None else scale, dtype=float)
        return code, tape.outputs, registers, tape.first_variable, self.n, self.m, scale, index

    @functools.cached_property
    def _known(self):
        return {}

    def _ready(self, name):
        """A tape with its code and registers, numbers in place: those of sympy are slow to turn into doubles."""
        if name not in self._known:
            tape = _third_tape(self.written)[1] if name == "third" else getattr(self.written, name)
            self._known[name] = tape, np.ascontiguousarray(tape.code), tape.registers(self.numbers)
        tape, code, registers = self._known[name]
        return tape, code, registers.copy()

    def third_system(self) -> tuple:
        """Third derivatives by states for the driver: `(code, outputs, registers, first, index)`, index (k, 4)."""
        tape, code, registers = self._ready("third")
        index = np.array(_third_tape(self.written)[0], dtype=np.int64).reshape(-1, 4)
        return code, tape.outputs, registers, tape.first_variable, index

    def third(self, unknowns, scale) -> np.ndarray:
        """Third derivatives by states (n, n, n, n) at states and moved parameters (n + m,), in units of scale."""
        from . import machine

        index = _third_tape(self.written)[0]
        tape, code, registers = self._ready("third")
        found = np.zeros((self.n,) * 4)
        registers[tape.first_variable : tape.n_given] = unknowns
        machine.run_tape(code, registers, tape.first_variable)
        values = registers[tape.outputs]
        for (i, j, k, l), value in zip(index, values, strict=True):
            scaled = value * scale[j] * scale[k] * scale[l] / scale[i]
            for order in set(itertools.permutations((j, k, l))):
                found[(i, *order)] = scaled
        return found

    def states(self, unknowns) -> np.ndarray:
        """All states of the model, (k, N), from points (k, n + m) in their own units."""
        points = np.atleast_2d(unknowns)
        total = self.n + len(self.written.recovered)
        found = np.empty((len(points), total))
        gone = [at for at, _ in self.written.recovered]
        found[:, [i for i in range(total) if i not in gone]] = points[:, : self.n]
        if gone:
            tape = make_tape([e for _, e in self.written.recovered], self.written.variables, self.written.given)
            for row, point in zip(found, points, strict=True):
                row[gone] = run_python(tape, self.numbers, point.tolist())
        return found


def moved_symbols(problem, over) -> tuple:
    """Parameters or inputs of the model by name.

    Raises
    ------
    ProblemError
        If there is no such parameter or input, with the nearest match.
    """
    model = problem.model
    known = {s.name: s for s in (*model.parameters, *model.inputs)}
    for name in over:
        if name not in known:
            raise ProblemError(
                f"{model.name} has no parameter or input {name!r} to follow; {did_you_mean(name, list(known))}"
            )
    return tuple(known[name] for name in over)


def equations_of(problem, over, points=()) -> Equations:
    """Rates of a problem with constant inputs, ready for continuation.

    Parameters
    ----------
    problem : Problem
    over : tuple of str
        Parameters or inputs that are moved.
    points : sequence of dict
        Steady states from which sizes are taken.

    Returns
    -------
    Equations
    """
    model, inputs = problem.model, problem.inputs()
    moved = moved_symbols(problem, over)
    for state, rate in model.equations.items():
        if rate.has(t):
            raise ProblemError(f"{model.name}: time appears in the equation of {state}, so nothing rests")
    rates, recovered, totals = _without_totals(model)
    symbols = [s for s in (*model.parameters, *model.inputs) if s not in moved]
    start = dict(zip(problem.system.states, problem.system.y0(problem.p), strict=True))
    start = points[0] if points else start
    values = [inputs[s.name] if s in model.inputs else problem.parameters[s.name] for s in symbols]
    values += [float(total.subs({s: start[s.name] for s in model.states})) for _, total in totals]
    written = write(tuple(rates.items()), recovered, moved, (*symbols, *(c for c, _ in totals)))
    states = written.variables[: written.n]
    return Equations(problem, tuple(over), written, [float(v) for v in values], _sizes(problem, states, moved, points))


@functools.lru_cache(maxsize=64)
def _without_totals(model):
    """Rates of independent states, the dependent ones by position, and the totals with the symbols of their values."""
    rates = dict(model.equations)
    replaced, totals = {}, []
    for total in conserved_totals(model):
        value = sp.Dummy(f"total of {total}", real=True)
        rest = total.subs(replaced)
        state = next(s for s in reversed(model.states) if rest.coeff(s) != 0 and s not in replaced)
        by = sp.solve(rest - value, state)[0]
        replaced = {k: v.subs(state, by) for k, v in replaced.items()} | {state: by}
        totals.append((value, total))
    kept = {s: sp.sympify(e).subs(replaced) for s, e in rates.items() if s not in replaced}
    places = {s: i for i, s in enumerate(model.states)}
    return kept, tuple((places[s], e) for s, e in replaced.items()), tuple(totals)


def _sizes(problem, states, moved, points):
    """What each unknown is measured by: its largest value at the starts, else what is declared, else its start."""
    start = dict(zip(problem.system.states, problem.system.y0(problem.p), strict=True))
    values = {s: problem.parameters[s.name] for s in problem.model.parameters}
    sizes = []
    for s in states:
        found = max((abs(p[s.name]) for p in points), default=0.0)
        if not found and s.info.bounds is not None:
            ends = [sp.sympify(b) for b in s.info.bounds]
            found = max(abs(float(b.subs({p: values[p] for p in b.free_symbols}))) for b in ends)
        found = found if 0 < found < np.inf else s.info.scale or abs(start[s.name])
        sizes.append(float(found) or 1.0)
    inputs = problem.inputs()
    for s in moved:
        sizes.append(abs(float(inputs[s.name] if s in problem.model.inputs else values[s])) or 1.0)
    return np.array(sizes)
