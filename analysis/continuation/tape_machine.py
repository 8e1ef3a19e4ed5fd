"""Tapes run over plain numbers: f, its derivatives in scaled units."""

import numpy as np

from remission.solvers import tape as _tape

from .compile import compiled

__all__ = ["evaluate", "run_tape"]

ADD, SUBTRACT, MULTIPLY, DIVIDE, NEGATE = _tape.ADD, _tape.SUBTRACT, _tape.MULTIPLY, _tape.DIVIDE, _tape.NEGATE
POWER_WHOLE, POWER, EXP, LOG, SQRT = _tape.POWER_WHOLE, _tape.POWER, _tape.EXP, _tape.LOG, _tape.SQRT
SIN, COS, TANH, ABSOLUTE, MINIMUM = _tape.SIN, _tape.COS, _tape.TANH, _tape.ABSOLUTE, _tape.MINIMUM


@compiled
def whole_power(x, k):
    """x to a whole power of 0 or more."""
    found = 1.0
    while k > 0:
        if k & 1:
            found *= x
        x *= x
        k >>= 1
    return found


@compiled
def run_tape(code, registers, first):
    """Fill the registers from the first row of the code on."""
    at = registers.shape[0] - code.shape[0]
    for i in range(code.shape[0]):
        o = code[i, 0]
        x = registers[code[i, 1]]
        if o == MULTIPLY:
            v = x * registers[code[i, 2]]
        elif o == ADD:
            v = x + registers[code[i, 2]]
        elif o == SUBTRACT:
            v = x - registers[code[i, 2]]
        elif o == DIVIDE:
            v = x / registers[code[i, 2]]
        elif o == NEGATE:
            v = -x
        elif o == POWER_WHOLE:
            v = x * x if code[i, 2] == 2 else whole_power(x, code[i, 2])
        elif o == EXP:
            v = np.exp(x)
        elif o == LOG:
            v = np.log(x)
        elif o == SQRT:
            v = np.sqrt(x)
        elif o == POWER:
            v = x ** registers[code[i, 2]]
        elif o == SIN:
            v = np.sin(x)
        elif o == COS:
            v = np.cos(x)
        elif o == TANH:
            v = np.tanh(x)
        elif o == ABSOLUTE:
            v = abs(x)
        elif o == MINIMUM:
            v = min(x, registers[code[i, 2]])
        else:
            v = max(x, registers[code[i, 2]])
        registers[at + i] = v


@compiled
def evaluate(z, system, f, J, H):
    """f (n), J (n, n + m) and, where asked for, H (k) in scaled units at the unknowns z."""
    code, outputs, registers, first, n, m, scale, second = system
    for i in range(n):
        registers[first + i] = z[i] * scale[i]
    for i in range(m):
        registers[first + n + i] = z[z.shape[0] - m + i] * scale[n + i]
    run_tape(code, registers, first)
    at = n
    for i in range(n):
        f[i] = registers[outputs[i]] / scale[i]
        for j in range(n + m):
            J[i, j] = registers[outputs[at]] * scale[j] / scale[i]
            at += 1
    for k in range(second.shape[0]):
        i, j, l = second[k, 0], second[k, 1], second[k, 2]
        H[k] = registers[outputs[at]] * scale[j] * scale[l] / scale[i]
        at += 1
