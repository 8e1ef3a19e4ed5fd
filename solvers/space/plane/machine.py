"""The tape run over the cells of a rectangle, fields (n, N), in blocks that stay in the processor's cache."""

import numpy as np

from ... import tape as _tape
from .compile import compiled

__all__ = ["BLOCK", "run_fields"]

ADD, SUBTRACT, MULTIPLY, DIVIDE, NEGATE = _tape.ADD, _tape.SUBTRACT, _tape.MULTIPLY, _tape.DIVIDE, _tape.NEGATE
POWER_WHOLE, POWER, EXP, LOG, SQRT = _tape.POWER_WHOLE, _tape.POWER, _tape.EXP, _tape.LOG, _tape.SQRT
SIN, COS, TANH, ABSOLUTE, MINIMUM = _tape.SIN, _tape.COS, _tape.TANH, _tape.ABSOLUTE, _tape.MINIMUM
BLOCK = 256


@compiled
def _arithmetic(o, x, y, k, v):
    """One row of the tape over a block: v from x and y; k is the whole exponent of a power."""
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
    else:
        for c in range(m):
            v[c] = x[c]
        for _ in range(k - 1):
            for c in range(m):
                v[c] *= x[c]


@compiled
def _function(o, x, y, v):
    for c in range(v.shape[0]):
        if o == POWER:
            v[c] = x[c] ** y[c]
        elif o == EXP:
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
def run_fields(code, registers, first, given, y, rated, f, varied, aux):
    """Rates f (n, N), or none if `rated` is empty, and further outputs aux (n_aux, N), from fields y (n, N).

    registers (n_registers, BLOCK) hold numbers and parameters; given (n_given, N) are positions and maps. They and
    the fields are the variables of the tape, from register `first` on. `rated`, `varied` are registers of outputs.
    What is the same in all cells is read from the registers afterwards.
    """
    n, N = y.shape
    at = registers.shape[0] - code.shape[0]
    for start in range(0, N, BLOCK):
        m = min(BLOCK, N - start)
        for g in range(given.shape[0]):
            registers[first + g, :m] = given[g, start : start + m]
        for i in range(n):
            registers[first + given.shape[0] + i, :m] = y[i, start : start + m]
        for i in range(code.shape[0]):
            o, k = code[i, 0], code[i, 2]
            x, v = registers[code[i, 1], :m], registers[at + i, :m]
            if o == POWER_WHOLE:
                _arithmetic(o, x, x, k, v)
            elif o <= NEGATE:
                _arithmetic(o, x, registers[k, :m], 0, v)
            else:
                _function(o, x, registers[k, :m], v)
        for i in range(rated.shape[0]):
            f[i, start : start + m] = registers[rated[i], :m]
        for i in range(varied.shape[0]):
            aux[i, start : start + m] = registers[varied[i], :m]
