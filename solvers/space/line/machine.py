"""The tape run over many cells at once, in blocks that stay in the processor's cache."""

import numpy as np

from ... import tape as _tape
from .compile import compiled

__all__ = ["BLOCK", "run_cells"]

ADD, SUBTRACT, MULTIPLY, DIVIDE, NEGATE = _tape.ADD, _tape.SUBTRACT, _tape.MULTIPLY, _tape.DIVIDE, _tape.NEGATE
POWER_WHOLE, POWER, EXP, LOG, SQRT = _tape.POWER_WHOLE, _tape.POWER, _tape.EXP, _tape.LOG, _tape.SQRT
SIN, COS, TANH, ABSOLUTE, MINIMUM = _tape.SIN, _tape.COS, _tape.TANH, _tape.ABSOLUTE, _tape.MINIMUM
BLOCK = 128


@compiled
def _row(o, x, y, k, v):
    """One row of the tape over a block: v from x and y, k the register or the whole exponent."""
    m = v.shape[0]
    if o == MULTIPLY:
        for c in range(m):
            v[c] = x[c] * y[c]
    elif o == ADD:
        for c in range(m):
            v[c] = x[c] + y[c]
    elif o == SUBTRACT:
        for c in range(m):
            v[c] = x[c] - y[c]
    elif o == DIVIDE:
        for c in range(m):
            v[c] = x[c] / y[c]
    elif o == NEGATE:
        for c in range(m):
            v[c] = -x[c]
    elif o == POWER_WHOLE:
        for c in range(m):
            v[c] = x[c]
        for _ in range(k - 1):
            for c in range(m):
                v[c] *= x[c]
    elif o == POWER:
        for c in range(m):
            v[c] = x[c] ** y[c]
    else:
        _function(o, x, y, v)


@compiled
def _function(o, x, y, v):
    m = v.shape[0]
    for c in range(m):
        if o == EXP:
            v[c] = np.exp(x[c])
        elif o == LOG:
            v[c] = np.log(x[c])
        elif o == SQRT:
            v[c] = np.sqrt(x[c])
        elif o == SIN:
            v[c] = np.sin(x[c])
        elif o == COS:
            v[c] = np.cos(x[c])
        elif o == TANH:
            v[c] = np.tanh(x[c])
        elif o == ABSOLUTE:
            v[c] = abs(x[c])
        elif o == MINIMUM:
            v[c] = min(x[c], y[c])
        else:
            v[c] = max(x[c], y[c])


@compiled
def run_cells(code, outputs, registers, first, given, y, out):
    """All outputs in all cells.

    registers (n_registers, BLOCK) hold numbers and parameters; given (n_given, N) are positions and maps, y (N, n)
    the states: variables of the tape from register `first` on. out is (n_out, N).
    """
    N, n = y.shape
    at = registers.shape[0] - code.shape[0]
    for start in range(0, N, BLOCK):
        m = min(BLOCK, N - start)
        for g in range(given.shape[0]):
            for c in range(m):
                registers[first + g, c] = given[g, start + c]
        for i in range(n):
            for c in range(m):
                registers[first + given.shape[0] + i, c] = y[start + c, i]
        for i in range(code.shape[0]):
            o, k = code[i, 0], code[i, 2]
            second = registers[k, :m] if o != POWER_WHOLE else registers[code[i, 1], :m]
            _row(o, registers[code[i, 1], :m], second, k, registers[at + i, :m])
        for i in range(outputs.shape[0]):
            for c in range(m):
                out[i, start + c] = registers[outputs[i], c]
