"""Enclosures narrowed in ball arithmetic of many bits, where doubles leave them wide; parameters are exact doubles."""

import math
from fractions import Fraction

import numpy as np

from remission.solvers.tape import ADD, DIVIDE, MULTIPLY, NEGATE, OPERATIONS, POWER, POWER_WHOLE, SUBTRACT

__all__ = []  # of use inside the package only

BITS, STEPS = 256, 12
LEAST = 1e-30  # of the box, half-width of an enclosure that holds zero
WIDE = 1e-12  # relative width of an enclosure that is narrowed


OF_TWO = {ADD: lambda x, y: x + y, SUBTRACT: lambda x, y: x - y, MULTIPLY: lambda x, y: x * y,
          DIVIDE: lambda x, y: x / y, POWER: lambda x, y: x**y}  # fmt: skip
OF_ONE = {OPERATIONS.index(name): name.lower() for name in ("EXP", "LOG", "SQRT", "SIN", "COS", "TANH")}


def narrowed(prepared, enclosure, full):
    """Enclosure of all states, narrower where it was wide.

    Parameters
    ----------
    prepared : search.Prepared
    enclosure : (m, 2) array
        Of the part's variables; it holds exactly one root.
    full : (n, 2) array
        Of all states.

    Returns
    -------
    (n, 2) array
    """
    import flint

    part, tape = prepared.part, prepared.tape
    size = np.maximum(np.abs(full[:, 0]), np.abs(full[:, 1]))
    exact = np.all(prepared.values[:, 0] == prepared.values[:, 1]) and not part.free
    if not exact or not np.all(np.isfinite(full)) or not np.any(full[:, 1] - full[:, 0] > WIDE * size):
        return full
    known = {*OF_TWO, *OF_ONE, NEGATE, POWER_WHOLE}
    if not all(n.is_Integer for n in tape.numbers) or not set(tape.code[:, 0].tolist()) <= known:
        return full
    before, flint.ctx.prec = flint.ctx.prec, BITS
    try:
        X, values = _newton(flint, tape, prepared, enclosure)
    finally:
        flint.ctx.prec = before
    found = full.copy()
    for state, ball in zip((*part.variables, *(s for s, _, _ in part.eliminated)), (*X, *values), strict=True):
        low, high = _doubles(ball)
        at = prepared.at[state]
        least = LEAST * np.max(np.abs(prepared.box[at]))  # near zero a checker of fewer bits comes no nearer
        low, high = (min(low, -least), max(high, least)) if low <= 0 <= high else (low, high)
        if low <= found[at, 1] and high >= found[at, 0]:
            found[at] = max(low, found[at, 0]), min(high, found[at, 1])
    return found


def _newton(flint, tape, prepared, enclosure):
    """Balls of the variables after Newton steps, and of the eliminated states."""
    n, b = len(enclosure), len(prepared.part.eliminated)
    given = [flint.arb(int(v)) for v in tape.numbers] + [flint.arb(v) for v in prepared.values[:, 0].tolist()]
    X = [flint.arb(low).union(flint.arb(high)) for low, high in enclosure.tolist()]

    def run(at):
        registers = [*given, *at]
        for operation, a, b in tape.code.tolist():
            registers.append(_ball(operation, registers[a], b if operation == POWER_WHOLE else registers[b]))
        return [registers[i] for i in tape.outputs.tolist()]

    for _ in range(STEPS if n else 0):
        middle = [flint.arb(x.mid()) for x in X]
        J = flint.arb_mat(n, n, run(X)[n + b :])
        f = flint.arb_mat(n, 1, run(middle)[:n])
        try:
            step = J.solve(f)
        except ZeroDivisionError:
            break
        new = [_meet(x, m - step[i, 0]) for i, (x, m) in enumerate(zip(X, middle, strict=True))]
        gain = any(y.rad() < x.rad() * 0.5 for x, y in zip(X, new, strict=True))
        X = new
        if not gain:
            break
    return X, run(X)[n : n + b]


def _ball(operation, x, y):
    if operation in OF_TWO:
        return OF_TWO[operation](x, y)
    if operation == POWER_WHOLE:
        return x**y
    return -x if operation == NEGATE else getattr(x, OF_ONE[operation])()


def _meet(x, y):
    """The narrower of two balls that hold the same number."""
    return y if y.is_finite() and y.rad() < x.rad() else x


def _doubles(ball):
    """Doubles below and above all of a ball; infinite where it is."""
    if not ball.is_finite():
        return -math.inf, math.inf
    return _double(ball.lower(), -math.inf), _double(ball.upper(), math.inf)


def _double(end, towards):
    """The next but one double from an end, outward: a checker's own rounding fits between."""
    mantissa, exponent = end.man_exp()
    exact = Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
    near = float(exact)
    return math.nextafter(near, towards) if near != 0 or exact != 0 else near
