"""Equations that define a fold, a transcritical point or a Hopf point, as tapes.

States are split into those that are absent (zero, and staying zero: the point lies on an invariant face) and the
others. On the face the Jacobian is block triangular: the block of the states that are there, and the growth matrix of
the absent ones.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import sympy as sp

from remission.solvers.tape import make_tape

from . import reduce

__all__ = []  # of use inside the package only

KINDS = ("fold", "transcritical", "Hopf")


@dataclass(frozen=True, eq=False)
class Opened:
    """Rates without the states that conserved totals give.

    Attributes
    ----------
    rates : dict
        State -> rate in terms of the kept states.
    recovered : dict
        State -> its value in terms of the others.
    parameters : tuple of Symbol
        As in `reduce.System`.
    """

    rates: dict
    recovered: dict
    parameters: tuple


@dataclass(frozen=True, eq=False)
class Defined:
    """A square system for a special point, and what its signs are computed from.

    Attributes
    ----------
    kind : str
    moved : Symbol
    present, absent : tuple of Symbol
    null : tuple of Symbol
        Unknowns of the null vector; with Hopf points followed by the square of the frequency.
    unknowns : tuple of Symbol
        Present states, null vector, what is moved.
    normals : tuple of Symbol
        Given numbers of the equations that fix the size of the null vector.
    given : tuple of Symbol
        Parameters, inputs and totals without what is moved, then the normals.
    tape : Tape
        Equations, then their Jacobian row by row.
    shape : (5,) int array
        As `kernel.search` takes it.
    parts : dict of str -> slice
        Where each quantity is among the outputs of `signs`.
    signs : Tape
    """

    kind: str
    moved: object
    present: tuple
    absent: tuple
    null: tuple
    unknowns: tuple
    normals: tuple
    given: tuple
    tape: object
    shape: np.ndarray
    parts: dict
    signs: object


@lru_cache(maxsize=64)
def opened(model) -> Opened:
    """A model's rates with conserved totals put in."""
    system = reduce.system_of(model)
    values = system.parameters[len(system.parameters) - len(system.totals) :]
    recovered = {}
    for (state, total), value in zip(system.totals, values, strict=True):
        rest = sp.expand(total.xreplace(recovered) - value)
        by = -rest.coeff(state, 0) / rest.coeff(state, 1)
        recovered = {k: sp.expand(v.xreplace({state: by})) for k, v in recovered.items()} | {state: by}
    rates = {s: e.xreplace(recovered) for s, e in system.rates.items() if s not in recovered}
    return Opened(rates, recovered, system.parameters)


def staying_absent(model, candidates) -> tuple:
    """Those of some states that stay zero when they are all zero.

    Parameters
    ----------
    model : Model
    candidates : iterable of Symbol

    Returns
    -------
    tuple of Symbol
    """
    rates = opened(model).rates
    kept = [s for s in rates if s in candidates]
    while True:
        moving = [s for s in kept if _at_zeros(rates[s], kept) != 0]
        if not moving:
            return tuple(kept)
        kept = [s for s in kept if s not in moving]


def _at_zeros(expression, zeros):
    """The expression with states at zero; None where it has no value there."""
    for state in zeros:
        try:
            expression = reduce.at_zero(expression, state, set())
        except reduce.NotReducible:
            return None
    return sp.expand(expression) if expression.count_ops() < 40 else expression


@lru_cache(maxsize=256)
def defined(model, of, kind, absent) -> Defined:
    """The system of one kind of point on one face.

    Parameters
    ----------
    model : Model
    of : str
        Parameter or input that is moved.
    kind : {"fold", "transcritical", "Hopf"}
    absent : tuple of str

    Returns
    -------
    Defined
    """
    whole = opened(model)
    moved = next(p for p in whole.parameters if p.name == of)
    gone = tuple(s for s in whole.rates if s.name in absent)
    present = tuple(s for s in whole.rates if s not in gone)
    face = _face(whole, gone, present)
    null = [sp.Symbol(f"null {s.name}") for s in (gone if kind == "transcritical" else present)]
    normals = [sp.Symbol(f"normal {s.name}") for s in null]
    equations, extra = _equations(kind, face, null, normals)
    null, normals = (*null, *extra[0]), (*normals, *extra[1])
    unknowns = (*present, *null, moved)
    given = (*(p for p in whole.parameters if p != moved), *normals)
    slopes = [sp.diff(e, u) for e in equations for u in unknowns]
    tape = make_tape([*equations, *slopes], unknowns, given)
    n = len(unknowns)
    last = int(np.max(tape.outputs[:n])) - tape.n_given + 1
    shape = np.array([max(last, 0), len(tape.code), tape.n_given, tape.first_variable, n], np.int64)
    quantities = _quantities(kind, face, null, moved)
    quantities["recovered"] = [_at_zeros(e, gone) for e in whole.recovered.values()]
    parts, flat = {}, []
    for name, values in quantities.items():
        parts[name] = slice(len(flat), len(flat) + len(values))
        flat += values
    signs = make_tape(flat, unknowns, given)
    return Defined(kind, moved, present, gone, null, unknowns, normals, given, tape, shape, parts, signs)


@dataclass(frozen=True, eq=False)
class _Face:
    """Rates, Jacobian and growth matrix on a face, and the second derivatives of the absent states' rates."""

    present: tuple
    absent: tuple
    rates: tuple
    jacobian: list
    coupling: list
    growth: list
    bending: list


def _face(whole, gone, present):
    def at(expression):
        found = _at_zeros(expression, gone)
        if found is None:
            raise reduce.NotReducible(f"{expression} has no value on the face")
        return found

    rates = tuple(at(whole.rates[s]) for s in present)
    return _Face(
        present, gone, rates,
        [[sp.diff(e, s) for s in present] for e in rates],
        [[at(sp.diff(whole.rates[s], k)) for k in gone] for s in present],
        [[at(sp.diff(whole.rates[s], k)) for k in gone] for s in gone],
        [[[at(sp.diff(whole.rates[s], j, k)) for k in gone] for j in gone] for s in gone],
    )  # fmt: skip


def _times(matrix, vector):
    return [sp.Add(*(a * b for a, b in zip(row, vector, strict=True))) for row in matrix]


def _equations(kind, face, null, normals):
    """Equations, and further unknowns and normals."""
    size = sp.Add(*(a * b for a, b in zip(normals, null, strict=True))) - 1
    if kind == "fold":
        return [*face.rates, *_times(face.jacobian, null), size], ((), ())
    if kind == "transcritical":
        return [*face.rates, *_times(face.growth, null), size], ((), ())
    square, others = sp.Symbol("null square"), tuple(sp.Symbol(f"other {n.name}") for n in normals)
    twice = _times(face.jacobian, _times(face.jacobian, null))
    across = sp.Add(*(a * b for a, b in zip(others, null, strict=True)))
    turned = [e + square * v for e, v in zip(twice, null, strict=True)]
    return [*face.rates, *turned, size, across], ((square,), others)


def _quantities(kind, face, null, moved):
    """What the signs at the point are made of: name -> list of expressions, matrices row by row."""
    found = {
        "rates": list(face.rates),
        "jacobian": _flat(face.jacobian),
        "growth": _flat(face.growth),
        "moving": [sp.diff(e, moved) for e in face.rates],
    }
    if kind == "fold":
        along = [sp.Add(*(sp.diff(e, s) * v for s, v in zip(face.present, null, strict=True))) for e in face.rates]
        found["bending"] = [
            sp.Add(*(sp.diff(e, s) * v for s, v in zip(face.present, null, strict=True))) for e in along
        ]
    elif kind == "transcritical":
        growing = _times(face.growth, null)
        found["coupling"] = _times(face.coupling, null)
        found["growing"] = [sp.diff(e, moved) for e in growing]
        found["turning"] = [sp.diff(e, s) for e in growing for s in face.present]
        found["bending"] = [
            sp.Add(*(e * a * b for row, a in zip(rows, null, strict=True) for e, b in zip(row, null, strict=True)))
            for rows in face.bending
        ]
    else:
        found["slopes"] = [sp.diff(e, s) for row in face.jacobian for e in row for s in (*face.present, moved)]
    return found


def _flat(matrix):
    return [e for row in matrix for e in row]
