"""The tape run over many cells at once, in blocks that stay in the processor's cache."""

import numpy as np

from ... import tape as _tape
from .compile import compiled

__all__ = ["BLOCK", "run_cells", "settle"]

ADD, SUBTRACT, MULTIPLY, DIVIDE, NEGATE = _tape.ADD, _tape.SUBTRACT, _tape.MULTIPLY, _tape.DIVIDE, _tape.NEGATE
POWER_WHOLE, POWER, EXP, LOG, SQRT = _tape.POWER_WHOLE, _tape.POWER, _tape.EXP, _tape.LOG, _tape.SQRT
SIN, COS, TANH, ABSOLUTE, MINIMUM = _tape.SIN, _tape.COS, _tape.TANH, _tape.ABSOLUTE, _tape.MINIMUM
BLOCK = 128


@compiled
def _row(R, o, x, y, to, m):
    """One row of the tape over m cells: register `to` from registers x and y; y is the exponent of a whole power."""
    if o == MULTIPLY:
        for c in range(m):
            R[to, c] = R[x, c] * R[y, c]
    elif o == ADD:
        for c in range(m):
            R[to, c] = R[x, c] + R[y, c]
    elif o == SUBTRACT:
        for c in range(m):
            R[to, c] = R[x, c] - R[y, c]
    elif o == DIVIDE:
        for c in range(m):
            R[to, c] = R[x, c] / R[y, c]
    elif o == NEGATE:
        for c in range(m):
            R[to, c] = -R[x, c]
    elif o == POWER_WHOLE:
        for c in range(m):
            R[to, c] = R[x, c] * R[x, c]
        for _ in range(y - 2):
            for c in range(m):
                R[to, c] *= R[x, c]
    elif o == POWER:
        for c in range(m):
            R[to, c] = R[x, c] ** R[y, c]
    else:
        _function(R, o, x, y, to, m)


@compiled
def _function(R, o, x, y, to, m):
    for c in range(m):
        if o == EXP:
            R[to, c] = np.exp(R[x, c])
        elif o == LOG:
            R[to, c] = np.log(R[x, c])
        elif o == SQRT:
            R[to, c] = np.sqrt(R[x, c])
        elif o == SIN:
            R[to, c] = np.sin(R[x, c])
        elif o == COS:
            R[to, c] = np.cos(R[x, c])
        elif o == TANH:
            R[to, c] = np.tanh(R[x, c])
        elif o == ABSOLUTE:
            R[to, c] = abs(R[x, c])
        elif o == MINIMUM:
            R[to, c] = min(R[x, c], R[y, c])
        else:
            R[to, c] = max(R[x, c], R[y, c])


@compiled
def settle(tape, out):
    """What depends on numbers and parameters alone: its registers, and its outputs in all cells of out (n_out, M)."""
    code, outputs, _, registers, _, still = tape
    at = registers.shape[0] - code.shape[0]
    for i in range(still):
        _row(registers, code[i, 0], code[i, 1], code[i, 2], at + i, registers.shape[1])
    for i in range(outputs.shape[0]):
        for c in range(out.shape[1]):
            out[i, c] = registers[outputs[i], 0]


@compiled
def run_cells(tape, time, given, y, out):
    """The outputs that move, in all cells; `settle` comes once before.

    tape: code, of which the first `still` rows are done; registers of the outputs; outputs that move; registers
    (n_registers, BLOCK), where time is the one before `first`; given (n_given, M) are positions and maps, y (n, M) the
    states: variables of the tape from register `first` on. out is (n_out, M).
    """
    code, outputs, moving, registers, first, still = tape
    n, M = y.shape
    at = registers.shape[0] - code.shape[0]
    for c in range(registers.shape[1]):
        registers[first - 1, c] = time
    for start in range(0, M, BLOCK):
        m = min(BLOCK, M - start)
        for g in range(given.shape[0]):
            for c in range(m):
                registers[first + g, c] = given[g, start + c]
        for i in range(n):
            for c in range(m):
                registers[first + given.shape[0] + i, c] = y[i, start + c]
        for i in range(still, code.shape[0]):
            _row(registers, code[i, 0], code[i, 1], code[i, 2], at + i, m)
        for q in range(moving.shape[0]):
            i = moving[q]
            for c in range(m):
                out[i, start + c] = registers[outputs[i], c]
