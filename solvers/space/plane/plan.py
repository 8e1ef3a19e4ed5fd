"""What the schemes on a rectangle need of a problem, as arrays: tapes, terms of fluxes, walls."""

from dataclasses import dataclass

import numpy as np

from .machine import BLOCK

__all__ = ["CONSTANT", "FIELD", "STATE", "Plan", "TapePlan", "make_plan", "why_not"]

CONSTANT, FIELD, STATE = range(3)  # an output is the same in all cells, a field of its own, or a state itself
SIDES = ("left", "right", "bottom", "top")


@dataclass(frozen=True, eq=False)
class TapePlan:
    """Some outputs of a tape, sorted by where they are found.

    Attributes
    ----------
    tape : Tape
    code : (m, 3) int array
    rated, varied, constant : int arrays
        Registers of the rates, of further outputs that are fields, and of those that are one number.
    places : dict of int -> (int, int)
        Output of the full tape -> (CONSTANT, FIELD or STATE, which one).
    """

    tape: object
    code: np.ndarray
    rated: np.ndarray
    varied: np.ndarray
    constant: np.ndarray
    places: dict

    def registers(self, parameters) -> np.ndarray:
        """Registers for a block of cells, numbers and parameters in place."""
        return np.repeat(self.tape.registers(parameters)[:, None], BLOCK, axis=1)


@dataclass(frozen=True, eq=False)
class Plan:
    """Arrays for `rates` and `step`.

    Attributes
    ----------
    spatial : SpatialSystem
    short, full : TapePlan
        For the rates; for derivatives of the rates and coefficients of diffusion.
    terms : (k, 6) int array
        State, carried, kind and place of the coefficient, kind and place of the potential.
    spreading : (m, 3) int array
        Carried term, kind and place of the coefficient of its own diffusion.
    geometry : tuple
        (ny, nx, dy, dx, periodic in y, periodic in x).
    fixed, value, inflow : (4, n) arrays
        At the left, right, bottom and top wall: whether a state has a value there, and which; what flows in.
    given : (n_given, N) array
        Positions and maps.
    by : tuple of (int, int, int, int)
        Row, column, kind and place of derivatives of the rates.
    diffusion : tuple of (int, int, int)
        State, kind and place of coefficients of diffusion, in the full tape.
    """

    spatial: object
    short: TapePlan
    full: TapePlan
    terms: np.ndarray
    spreading: np.ndarray
    geometry: tuple
    fixed: np.ndarray
    value: np.ndarray
    inflow: np.ndarray
    given: np.ndarray
    by: tuple
    diffusion: tuple


def why_not(spatial) -> str:
    """Why a problem cannot take the compiled scheme; empty if it can.

    Parameters
    ----------
    spatial : SpatialSystem

    Returns
    -------
    str
    """
    from .compile import COMPILED

    if not COMPILED:
        return "numba is not installed"
    return "" if spatial.grid.geometry == "rectangle" else "the grid is no rectangle"


def make_plan(spatial) -> Plan:
    """Tables of a problem on a rectangle.

    Parameters
    ----------
    spatial : SpatialSystem

    Returns
    -------
    Plan
    """
    written, grid, n = spatial.written, spatial.grid, spatial.n
    used = [o for term in written.terms for o in (term.coefficient, term.potential)]
    short = _tape_plan(written, range(n), used)
    spread = [term for term in written.terms if term.diffusive and not term.carried]
    full = _tape_plan(written, (), [o for _, _, o in written.rates_by] + [term.coefficient for term in spread])
    terms, spreading = [], []
    for k, term in enumerate(written.terms):
        terms.append((term.state, term.carried, *short.places[term.coefficient], *short.places[term.potential]))
        for other in written.terms if term.carried else ():
            if other.diffusive and other.state == term.state:
                spreading.append((k, *short.places[other.coefficient]))
    (ny, nx), (height, width) = grid.shape, grid.length
    periodic = tuple(grid.walls[side] == "periodic" for side in ("bottom", "left"))
    names = spatial.problem.system.states
    fixed, value, inflow = np.zeros((4, n), dtype=np.bool_), np.zeros((4, n)), np.zeros((4, n))
    for k, side in enumerate(SIDES):
        if not isinstance(wall := grid.walls[side], str):
            for name, number in wall.value.items():
                fixed[k, names.index(name)], value[k, names.index(name)] = True, number
            for name, number in wall.inflow.items():
                inflow[k, names.index(name)] = number
    return Plan(
        spatial, short, full, np.array(terms, dtype=np.int64).reshape(-1, 6),
        np.array(spreading, dtype=np.int64).reshape(-1, 3), (ny, nx, height / ny, width / nx, *periodic), fixed, value,
        inflow, np.concatenate([spatial.positions, spatial.maps]),
        tuple((i, j, *full.places[o]) for i, j, o in written.rates_by),
        tuple((term.state, *full.places[term.coefficient]) for term in spread),
    )  # fmt: skip


def _tape_plan(written, rated, used):
    """The tape for some rates and further outputs, without what neither needs."""
    used = list(dict.fromkeys(used))
    tape = written.tape.only([*rated, *used])
    varies = _varying(tape)
    first_state = tape.first_variable + 2 + len(written.mapped)
    varied, constant, places = [], [], {}
    for output, register in zip(used, tape.outputs[len(rated) :].tolist(), strict=True):
        if not varies[register]:
            places[output] = (CONSTANT, len(constant))
            constant.append(register)
        elif first_state <= register < tape.n_given:
            places[output] = (STATE, register - first_state)
        else:
            places[output] = (FIELD, len(varied))
            varied.append(register)
    lists = (tape.outputs[: len(rated)], varied, constant)
    return TapePlan(tape, np.ascontiguousarray(tape.code), *(np.array(r, dtype=np.int64) for r in lists), places)


def _varying(tape):
    """Whether each register differs from cell to cell."""
    from ...tape import POWER_WHOLE

    found = np.zeros(tape.n_registers, dtype=bool)
    found[tape.first_variable : tape.n_given] = True
    for i, (operation, a, b) in enumerate(tape.code.tolist()):
        found[tape.n_given + i] = found[a] or (operation != POWER_WHOLE and _binary(operation) and found[b])
    return found


def _binary(operation):
    from ... import tape

    return operation in (
        tape.ADD, tape.SUBTRACT, tape.MULTIPLY, tape.DIVIDE, tape.POWER, tape.MINIMUM, tape.MAXIMUM
    )  # fmt: skip
