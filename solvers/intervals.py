"""Tapes run over intervals: doubles rounded outward, compiled once for all models.

An interval is a pair (low, high). After each operation, rounded to nearest by the machine, both ends move outward by
`|end| 2^-52 + 1e-300`: at least one unit in the last place, and more than any underflow. `exp` and `log` of a point
are Taylor sums in this same arithmetic with their remainder added, so nothing rests on the accuracy of a library.
"""

import math

import numpy as np

from .interval_elementary import (
    INFINITE,
    add,
    cosine,
    divide,
    exponential,
    logarithm,
    multiply,
    power,
    power_whole,
    root_whole,
    sine,
    square_root,
    subtract,
    tangent_hyperbolic,
)
from .interval_machine import compiled
from .tape import (
    ABSOLUTE,
    ADD,
    COS,
    DIVIDE,
    EXP,
    LOG,
    MAXIMUM,
    MINIMUM,
    MULTIPLY,
    NEGATE,
    POWER,
    POWER_WHOLE,
    SIN,
    SQRT,
    SUBTRACT,
    TANH,
)

__all__ = ["number_intervals"]

SMOOTH, ROUGH, EMPTY = 0, 1, 2  # of a box: differentiable all over it; perhaps not; nowhere defined


def number_intervals(tape) -> np.ndarray:
    """Intervals that hold a tape's exact numbers.

    Parameters
    ----------
    tape : remission.solvers.tape.Tape

    Returns
    -------
    (number of numbers, 2) array

    Examples
    --------
    >>> import sympy as sp
    >>> from remission.solvers.tape import make_tape
    >>> number_intervals(make_tape([sp.Integer(3) + sp.Symbol("x")], [sp.Symbol("x")])).tolist()
    [[1.0, 1.0], [3.0, 3.0]]
    """
    import sympy as sp

    found = np.empty((len(tape.numbers), 2))
    for i, number in enumerate(tape.numbers):
        nearest = float(number)
        exact = number.is_Rational and sp.Rational(nearest) == number
        exact = exact or (number.is_Float and sp.Rational(number) == sp.Rational(nearest))
        found[i] = nearest if exact else (math.nextafter(nearest, -np.inf), math.nextafter(nearest, np.inf))
    return found


@compiled
def forward(code, first, last, given, V):
    """Fill registers of rows first to last; says whether all of it is smooth, or nowhere defined."""
    state = SMOOTH
    for i in range(first, last):
        o, a, b = code[i, 0], code[i, 1], code[i, 2]
        k = given + i
        al, ah = V[a, 0], V[a, 1]
        if o == ADD:
            V[k, 0], V[k, 1] = add(al, ah, V[b, 0], V[b, 1])
        elif o == SUBTRACT:
            V[k, 0], V[k, 1] = subtract(al, ah, V[b, 0], V[b, 1])
        elif o == MULTIPLY:
            if a == b:
                V[k, 0], V[k, 1] = power_whole(al, ah, 2)
            else:
                V[k, 0], V[k, 1] = multiply(al, ah, V[b, 0], V[b, 1])
        elif o == DIVIDE:
            bl, bh = V[b, 0], V[b, 1]
            if bl <= 0.0 <= bh:
                state = max(state, ROUGH)
                if bl == 0.0 and bh == 0.0:
                    return EMPTY
            V[k, 0], V[k, 1] = divide(al, ah, bl, bh)
        elif o == NEGATE:
            V[k, 0], V[k, 1] = -ah, -al
        elif o == POWER_WHOLE:
            V[k, 0], V[k, 1] = power_whole(al, ah, b)
        else:
            state = max(state, _other(o, a, b, k, V))
            if state == EMPTY:
                return EMPTY
    return state


@compiled
def _other(o, a, b, k, V):
    """The rarer operations of `forward`."""
    al, ah = V[a, 0], V[a, 1]
    if o == EXP:
        V[k, 0], V[k, 1] = exponential(al, ah)
    elif o in (LOG, SQRT, POWER):
        if ah < 0.0 or (ah == 0.0 and o == LOG):
            return EMPTY
        if o == LOG:
            V[k, 0], V[k, 1] = logarithm(al, ah)
        elif o == SQRT:
            V[k, 0], V[k, 1] = square_root(al, ah)
        else:
            V[k, 0], V[k, 1] = power(al, ah, V[b, 0], V[b, 1])
        return ROUGH if al <= 0.0 else SMOOTH
    elif o == SIN:
        V[k, 0], V[k, 1] = sine(al, ah)
    elif o == COS:
        V[k, 0], V[k, 1] = cosine(al, ah)
    elif o == TANH:
        V[k, 0], V[k, 1] = tangent_hyperbolic(al, ah)
    elif o == ABSOLUTE:
        V[k, 0] = max(0.0, max(al, -ah))
        V[k, 1] = max(-al, ah)
        return ROUGH if al <= 0.0 <= ah else SMOOTH
    else:
        bl, bh = V[b, 0], V[b, 1]
        V[k, 0] = min(al, bl) if o == MINIMUM else max(al, bl)
        V[k, 1] = min(ah, bh) if o == MINIMUM else max(ah, bh)
        return SMOOTH if ah < bl or bh < al else ROUGH
    return SMOOTH


@compiled
def cut(V, i, low, high, fixed):
    """Intersect a register; False when nothing is left. Numbers and parameters are tested, never narrowed."""
    if low > V[i, 1] or high < V[i, 0]:
        return False
    if i >= fixed:
        V[i, 0] = max(V[i, 0], low)
        V[i, 1] = min(V[i, 1], high)
    return True


@compiled
def backward(code, last, given, fixed, V):
    """Narrow registers to what their results allow (HC4-revise), last row first; False when nothing is left."""
    for i in range(last - 1, -1, -1):
        o, a, b = code[i, 0], code[i, 1], code[i, 2]
        low, high = V[given + i, 0], V[given + i, 1]
        if o == ADD:
            p, q = subtract(low, high, V[b, 0], V[b, 1])
            if not cut(V, a, p, q, fixed):
                return False
            p, q = subtract(low, high, V[a, 0], V[a, 1])
            if not cut(V, b, p, q, fixed):
                return False
        elif o == SUBTRACT:
            p, q = add(low, high, V[b, 0], V[b, 1])
            if not cut(V, a, p, q, fixed):
                return False
            p, q = subtract(V[a, 0], V[a, 1], low, high)
            if not cut(V, b, p, q, fixed):
                return False
        elif o == MULTIPLY:
            if a != b:
                if not (low <= 0.0 <= high) or V[b, 0] > 0.0 or V[b, 1] < 0.0:
                    p, q = divide(low, high, V[b, 0], V[b, 1])
                    if not cut(V, a, p, q, fixed):
                        return False
                if not (low <= 0.0 <= high) or V[a, 0] > 0.0 or V[a, 1] < 0.0:
                    p, q = divide(low, high, V[a, 0], V[a, 1])
                    if not cut(V, b, p, q, fixed):
                        return False
        elif o == DIVIDE:
            p, q = multiply(low, high, V[b, 0], V[b, 1])
            if not cut(V, a, p, q, fixed):
                return False
            if not (low <= 0.0 <= high) or V[a, 0] > 0.0 or V[a, 1] < 0.0:
                p, q = divide(V[a, 0], V[a, 1], low, high)
                if not cut(V, b, p, q, fixed):
                    return False
        elif o == NEGATE:
            if not cut(V, a, -high, -low, fixed):
                return False
        elif not _other_backward(o, a, b, low, high, fixed, V):
            return False
    return True


@compiled
def _other_backward(o, a, b, low, high, fixed, V):
    """The rarer operations of `backward`; sine, cosine and tanh narrow nothing."""
    al, ah = V[a, 0], V[a, 1]
    p, q = -INFINITE, INFINITE
    if o == POWER_WHOLE:
        if b % 2:
            p = root_whole(low, b, False)
            q = root_whole(high, b, True)
        else:
            if high < 0.0:
                return False
            q = root_whole(high, b, True)
            p = -q
            inner = root_whole(low, b, False) if low > 0.0 else 0.0
            if al > -inner:
                p = inner
            if ah < inner:
                q = -inner
    elif o == EXP:
        if high <= 0.0:
            return False
        p, q = logarithm(low, high)
    elif o == LOG:
        p, q = exponential(low, high)
    elif o == SQRT:
        if high < 0.0:
            return False
        p, q = power_whole(max(low, 0.0), high, 2)
    elif o == POWER:
        p = 0.0
        bl, bh = V[b, 0], V[b, 1]
        if high < 0.0:
            return False
        if high > 0.0 and (bl > 0.0 or bh < 0.0):
            r, s = logarithm(low, high)
            r, s = divide(r, s, bl, bh)
            p, q = exponential(r, s)
    elif o == ABSOLUTE:
        if high < 0.0:
            return False
        p, q = -high, high
    elif o in (MINIMUM, MAXIMUM):
        if o == MINIMUM:
            p = low
        else:
            q = high
        if not cut(V, b, p, q, fixed):
            return False
    return cut(V, a, p, q, fixed)
