"""What the compiled scheme needs of a problem, as arrays: tapes, terms of fluxes, geometry."""

from dataclasses import dataclass, replace

import numpy as np

from ...tape import POWER_WHOLE
from ..faces import wall_faces
from .machine import BLOCK

__all__ = ["Plan", "make_plan", "why_not"]

STILL, PLACED, MOVING = range(3)
UNROLLED = 4  # states up to which blocks are unrolled
FEWEST = 6  # cells of a ring


@dataclass(frozen=True, eq=False)
class Plan:
    """Arrays for `rosenbrock.march`.

    Attributes
    ----------
    tapes : (Tape, Tape)
        Without and with derivatives, rows that do not move first.
    still : (int, int)
        Number of these rows.
    plans : (tuple of arrays, tuple of arrays)
        Places of outputs in both tapes, as `assembly` describes.
    field : tuple
        Positions and maps (n_given, N + 2), geometry, walls.
    clock : bool
        Whether time is in the equations.
    shape : tuple or array
        Of the length n; a tuple lets the compiler unroll blocks.
    """

    spatial: object
    tapes: tuple
    still: tuple
    plans: tuple
    field: tuple
    clock: bool
    shape: object

    def tables(self, inputs) -> tuple:
        """Both tapes with numbers in place for a block of cells."""
        return tuple(self._table(tape, still, inputs) for tape, still in zip(self.tapes, self.still, strict=True))

    def _table(self, tape, still, inputs):
        registers = tape.registers([*self.spatial.parameters, *inputs, 0.0])
        level = _levels(tape, self.spatial.n, self.clock)
        moving = np.flatnonzero(level[tape.outputs] > STILL)
        table = np.repeat(registers[:, None], BLOCK, axis=1)
        return np.ascontiguousarray(tape.code), tape.outputs, moving, table, tape.first_variable, still


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

    grid = spatial.grid
    if not COMPILED:
        return "numba is not installed"
    if grid.geometry == "rectangle":
        return "a rectangle is not a line"
    if "periodic" in grid.walls.values() and grid.size < FEWEST:
        return f"a ring of fewer than {FEWEST} cells is not compiled"
    return ""


def make_plan(spatial) -> Plan:
    """Tables of a problem on a line, disc or ball.

    Parameters
    ----------
    spatial : SpatialSystem

    Returns
    -------
    Plan
    """
    from remission.models import t

    written, model, n = spatial.written, spatial.problem.model, spatial.n
    clock = any(e.has(t) for e in (*model.equations.values(), *model.fluxes.values()))
    wanted = list(range(n))
    for term in written.terms:
        wanted += [term.coefficient] + [term.potential] * (term.potential >= 0)
    wanted = list(dict.fromkeys(wanted))
    place = {output: i for i, output in enumerate(wanted)}
    level = _levels(written.tape, n, clock)[written.tape.outputs]
    tapes, still = zip(
        *(_still_first(tape, n, clock) for tape in (written.tape.only(wanted), written.tape)), strict=True
    )
    plans = _places(written, level, place), _places(written, level)
    field = (_beyond(spatial), _geometry(spatial), _walls(spatial))
    return Plan(spatial, tapes, still, plans, field, clock, tuple(range(n)) if n <= UNROLLED else np.zeros(n))


def _levels(tape, n, clock):
    """Of each register, what it depends on: numbers and parameters, the place, or states and time."""
    given, first = tape.n_given, tape.first_variable
    level = [STILL] * (first - 1) + [MOVING if clock else STILL] + [PLACED] * (given - n - first) + [MOVING] * n
    for operation, a, b in tape.code.tolist():
        level.append(max(level[a], STILL if operation == POWER_WHOLE else level[b]))
    return np.array(level)


def _still_first(tape, n, clock):
    """The tape with the rows first that depend on numbers and parameters alone, and how many these are."""
    level = _levels(tape, n, clock)[tape.n_given :]
    order = np.argsort(level > STILL, kind="stable")
    place = np.arange(tape.n_registers)
    place[tape.n_given + order] = tape.n_given + np.arange(len(order))
    code = tape.code[order].copy()
    code[:, 1] = place[code[:, 1]]
    named = code[:, 0] != POWER_WHOLE
    code[named, 2] = place[code[named, 2]]
    return replace(tape, code=code, outputs=place[tape.outputs]), int((level == STILL).sum())


def _beyond(spatial):
    """Positions and maps with a column beyond each wall: of the last cell, or in a ring of the other end."""
    given = np.concatenate([spatial.positions, spatial.maps])
    cyclic = spatial.grid.walls.get("left") == "periodic"
    return np.pad(given, ((0, 0), (1, 1)), mode="wrap" if cyclic else "edge")


def _geometry(spatial):
    """1 / distance and area of all faces from wall to wall, 1 / volume."""
    grid, faces = spatial.grid, spatial.faces
    distance, area = faces.distance, faces.area
    if grid.walls.get("left") == "periodic":
        distance, area = np.append(distance[-1], distance), np.append(area[-1], area)
    else:
        right = wall_faces(grid, "right" if grid.geometry == "line" else "rim")
        left = wall_faces(grid, "left") if grid.geometry == "line" else None
        distance = np.concatenate([left.distance if left else distance[:1], distance, right.distance])
        area = np.concatenate([left.area if left else [0.0], area, right.area])
    return 1.0 / distance, area, 1.0 / spatial.volumes


def _walls(spatial):
    """1 if cyclic; fixed or not, values and inflows at both walls (2, n)."""
    grid, states = spatial.grid, spatial.problem.system.states
    fixed, value, inflow = np.zeros((2, len(states)), dtype=np.int64), *np.zeros((2, 2, len(states)))
    for side, wall in grid.walls.items():
        if not isinstance(wall, str):
            at = 0 if side == "left" else 1
            for name, number in wall.value.items():
                fixed[at, states.index(name)], value[at, states.index(name)] = 1, number
            for name, number in wall.inflow.items():
                inflow[at, states.index(name)] = number
    return int(grid.walls.get("left") == "periodic"), fixed, value, inflow


def _places(written, level, place=None):
    """Terms, slopes, spreading and derivatives of the rates; with places of a shorter tape only what has no slopes."""

    def at(output):
        return output if place is None else place[output]

    terms, slopes, spreading = [], [], []
    for k, term in enumerate(written.terms):
        potential = at(term.potential) if term.potential >= 0 else -1
        constant = [level[o] for o in (term.coefficient, *(o for _, o in term.by_potential))]
        linear = term.potential >= 0 and not term.carried and not term.by_coefficient and max(constant) < MOVING
        terms.append((term.state, term.carried, at(term.coefficient), potential, linear))
        if place is None:
            slopes += [(k, 0, j, o) for j, o in term.by_coefficient] + [(k, 1, j, o) for j, o in term.by_potential]
        for other in written.terms if term.carried else ():
            if other.diffusive and other.state == term.state:
                spreading.append((k, -1, at(other.coefficient)))
                spreading += [(k, j, o) for j, o in other.by_coefficient] if place is None else []
    by = written.rates_by if place is None else ()
    return tuple(
        np.array(rows, dtype=np.int64).reshape(-1, width)
        for rows, width in ((terms, 5), (slopes, 4), (spreading, 3), (by, 3))
    )
