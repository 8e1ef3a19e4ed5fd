"""What the compiled scheme needs of a problem, as arrays: tapes, terms of fluxes, geometry."""

from dataclasses import dataclass

import numpy as np

from .machine import BLOCK

__all__ = ["Plan", "make_plan", "why_not"]


@dataclass(frozen=True, eq=False)
class Plan:
    """Arrays for `rosenbrock.march`.

    Attributes
    ----------
    full, short : Tape
        With and without derivatives.
    short_tables, tables : tuple of arrays
        Places of outputs, as `assembly` describes; of the short tape and of the full one.
    geometry : tuple of arrays
    given : (n_given, N) array
        Positions and maps.
    """

    spatial: object
    full: object
    short: object
    short_tables: tuple
    tables: tuple
    geometry: tuple
    given: np.ndarray

    def tape(self, tape, inputs, time) -> tuple:
        """A tape with numbers in place for a block of cells."""
        registers = tape.registers([*self.spatial.parameters, *inputs, time])
        table = np.repeat(registers[:, None], BLOCK, axis=1)
        return np.ascontiguousarray(tape.code), tape.outputs, table, tape.first_variable


def why_not(spatial) -> str:
    """Why a problem cannot take the compiled scheme; empty if it can.

    Parameters
    ----------
    spatial : SpatialSystem

    Returns
    -------
    str
    """
    from remission.models import t

    from .compile import COMPILED

    grid, model = spatial.grid, spatial.problem.model
    if not COMPILED:
        return "numba is not installed"
    if grid.geometry == "rectangle":
        return "a rectangle is not a line"
    if any(w != "no-flux" for w in grid.walls.values()):
        return "walls that let something pass are not compiled"
    if any(e.has(t) for e in (*model.equations.values(), *model.fluxes.values())):
        return "time appears in the equations"
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
    written = spatial.written
    wanted = list(range(written.n))
    for term in written.terms:
        wanted += [term.coefficient] + [term.potential] * (term.potential >= 0)
    wanted = list(dict.fromkeys(wanted))
    place = {output: i for i, output in enumerate(wanted)}
    faces = spatial.faces
    geometry = tuple(np.ascontiguousarray(v, dtype=float) for v in (faces.distance, faces.area, spatial.volumes))
    given = np.concatenate([spatial.positions, spatial.maps])
    return Plan(
        spatial, written.tape, written.tape.only(wanted), _tables(written, place), _tables(written), geometry, given
    )


def _tables(written, place=None):
    """Terms, slopes, spreading and derivatives of the rates; with places of a shorter tape only what has no slopes."""

    def at(output):
        return output if place is None else place[output]

    terms, slopes, spreading = [], [], []
    for k, term in enumerate(written.terms):
        terms.append(
            (term.state, term.carried, at(term.coefficient), at(term.potential) if term.potential >= 0 else -1)
        )
        if place is None:
            slopes += [(k, 0, j, o) for j, o in term.by_coefficient] + [(k, 1, j, o) for j, o in term.by_potential]
        for other in written.terms if term.carried else ():
            if other.diffusive and other.state == term.state:
                spreading.append((k, -1, at(other.coefficient)))
                spreading += [(k, j, o) for j, o in other.by_coefficient] if place is None else []
    by = written.rates_by if place is None else ()
    return tuple(
        np.array(rows, dtype=np.int64).reshape(-1, width)
        for rows, width in ((terms, 4), (slopes, 4), (spreading, 3), (by, 3))
    )
