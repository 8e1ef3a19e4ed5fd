"""Signs of eigenvalues over the enclosure of a steady state, by ball arithmetic."""

from functools import lru_cache

import numpy as np

from remission.models.errors import CertificateError
from remission.solvers.tape import make_tape

from . import reduce

__all__ = []  # of use inside the package only

DIGITS = 106  # bits: twice a double, so that rounding is small beside the enclosure itself


@lru_cache(maxsize=64)
def jacobian_tape(model):
    """Tape of the full Jacobian, row by row, then of the rates."""
    import sympy as sp

    system = reduce.system_of(model)
    slopes = [sp.diff(reduce.tight(system.rates[s]), k) for s in system.states for k in system.states]
    return make_tape([*slopes, *system.rates.values()], system.states, system.parameters)


@lru_cache(maxsize=64)
def rates_tape(model):
    """Tape of the rates."""
    system = reduce.system_of(model)
    return make_tape(system.rates.values(), system.states, system.parameters)


def has_rates(model, values, enclosure) -> bool:
    """Whether the rates have a value somewhere in an enclosure; where they have none, only limits can be zero."""
    from remission.solvers import intervals

    tape = rates_tape(model)
    V = np.zeros((tape.n_registers, 2))
    V[: tape.n_given] = np.concatenate([reduce.numbers_of(tape), values, enclosure])
    return intervals.forward(tape.code, 0, len(tape.code), tape.n_given, V) != intervals.EMPTY


def jacobian_intervals(model, values, enclosure):
    """Jacobian over an enclosure; None where it is not finite.

    Parameters
    ----------
    model : Model
    values : (n_p, 2) array
    enclosure : (n, 2) array

    Returns
    -------
    (n, n, 2) array or None

    Raises
    ------
    CertificateError
        If the model's own rates are not zero anywhere in the enclosure: a fault of the reduction, never of the model.
    """
    from remission.solvers import intervals

    tape = jacobian_tape(model)
    n = len(enclosure)
    V = np.zeros((tape.n_registers, 2))
    V[: tape.first_variable] = np.concatenate([reduce.numbers_of(tape), values])
    V[tape.first_variable : tape.n_given] = enclosure
    if intervals.forward(tape.code, 0, len(tape.code), tape.n_given, V) == intervals.EMPTY:
        return None
    rates = V[tape.outputs[n * n :]]
    if np.any((rates[:, 0] > 0) | (rates[:, 1] < 0)):
        raise CertificateError(f"{model.name}: nothing rests in the enclosure {enclosure.tolist()}")
    found = V[tape.outputs[: n * n]].reshape(n, n, 2)
    return found if np.all(np.isfinite(found)) else None


def verdict(model, values, enclosure, scale) -> str:
    """Whether the steady state in an enclosure is stable, unstable, or undecided; on the surface of the totals.

    Parameters
    ----------
    model : Model
    values : (n_p, 2) array
        Intervals of the parameters.
    enclosure : (n, 2) array
    scale : (n,) array
        Sizes of the states; only the conditioning depends on them.

    Returns
    -------
    {"stable", "unstable", "undecided"}
    """
    import flint

    jacobian = jacobian_intervals(model, values, enclosure)
    if jacobian is None:
        return "undecided"
    scale = 2.0 ** np.round(np.log2(scale))  # powers of two: exact
    jacobian = jacobian * (scale / scale[:, None])[:, :, None]
    before, flint.ctx.prec = flint.ctx.prec, DIGITS
    try:
        matrix = _on_totals(model, [[_ball(*entry) for entry in row] for row in jacobian], scale)
        return _verdict_of(matrix)
    finally:
        flint.ctx.prec = before


def _ball(low, high):
    import flint

    return flint.arb(low).union(flint.arb(high)) if low != high else flint.arb(low)


def _on_totals(model, rows, scale):
    """The matrix without the states that conserved totals give."""
    import flint

    system = reduce.system_of(model)
    gone = [system.states.index(s) for s, _ in system.totals]
    for k, (state, total) in zip(gone, system.totals, strict=True):
        weight = [flint.fmpq(*_fraction(total.coeff(s))) for s in system.states]
        own = weight[system.states.index(state)]
        for row in rows:
            for j, w in enumerate(weight):
                if j != k and w != 0:
                    row[j] -= row[k] * flint.arb(w / own) * flint.arb(scale[j]) / flint.arb(scale[k])
            row[k] = flint.arb(0)
    kept = [i for i in range(len(rows)) if i not in gone]
    return [[rows[i][j] for j in kept] for i in kept]


def _fraction(number):
    return int(number.p), int(number.q)


def _verdict_of(rows):
    import flint

    if not rows:
        return "stable"
    verdicts = {_of_block(flint, block) for block in _blocks(rows)}
    return next((v for v in ("unstable", "undecided") if v in verdicts), "stable")


def _of_block(flint, block):
    """Verdict on one block; of two states by trace and determinant, which bear wider intervals."""
    if len(block) == 2:
        (a, b), (c, d) = block
        trace, determinant = a + d, a * d - b * c
        if determinant < 0 or trace > 0:
            return "unstable"
        if trace < 0 and determinant > 0:
            return "stable"
    values = _eigenvalues(flint, block)
    if any(v is not None and v.real > 0 for v in values):
        return "unstable"
    return "stable" if all(v is not None and v.real < 0 for v in values) else "undecided"


def _blocks(rows):
    """Diagonal blocks of the matrix when states are ordered so that it is block triangular."""
    from scipy.sparse.csgraph import connected_components

    linked = np.array([[not entry.is_zero() for entry in row] for row in rows])
    count, label = connected_components(linked, directed=True, connection="strong")
    for c in range(count):
        at = np.flatnonzero(label == c)
        yield [[rows[i][j] for j in at] for i in at]


def _eigenvalues(flint, block):
    if len(block) == 1:
        return [flint.acb(block[0][0])]
    matrix = flint.acb_mat([[flint.acb(entry) for entry in row] for row in block])
    for multiple in (False, True):
        try:
            return matrix.eig(multiple=multiple)
        except (ValueError, ZeroDivisionError):
            continue
    return [None]
