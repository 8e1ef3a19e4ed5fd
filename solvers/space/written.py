"""A model's rates and fluxes as one tape over the values of a cell: what every spatial scheme evaluates."""

import functools
from dataclasses import dataclass

import numpy as np

from remission.models.fluxes import flux_terms
from remission.models.partials import partials
from remission.models.symbols import t, x, y

from ..tape import Tape, make_tape

__all__ = ["Written", "WrittenTerm", "write"]


@dataclass(frozen=True, eq=False)
class WrittenTerm:
    """Where a term of a flux stands among the outputs of the tape.

    Attributes
    ----------
    state : int
        Position of the state that flows.
    carried, diffusive : bool
        As in `models.fluxes.FluxTerm`.
    coefficient, potential : int
        Outputs; the potential is -1 for a velocity along the axis.
    by_coefficient, by_potential : tuple of (int, int)
        (position of a state, output) of each derivative that is not zero.
    """

    state: int
    carried: bool
    diffusive: bool
    coefficient: int
    potential: int
    by_coefficient: tuple
    by_potential: tuple


@dataclass(frozen=True, eq=False)
class Written:
    """A tape with the places of its outputs.

    The tape's variables are position x and y, mapped parameters and states; its parameters are the other parameters,
    the inputs and time. Outputs 0 to n - 1 are the rates.

    Attributes
    ----------
    tape : Tape
    n : int
        Number of states.
    mapped : tuple of str
        Parameters that are fields.
    own : tuple of str
        The other parameters, in the order of the tape.
    inputs : tuple of str
    rates_by : tuple of (int, int, int)
        (row, position of a state, output) of each derivative of a rate that is not zero.
    terms : tuple of WrittenTerm
    """

    tape: Tape
    n: int
    mapped: tuple
    own: tuple
    inputs: tuple
    rates_by: tuple
    terms: tuple

    def outputs(self, time, positions, maps, values, parameters, inputs) -> list:
        """All outputs, each a number or (N,).

        Parameters
        ----------
        time : float
        positions : (2, N) array
        maps : (n_mapped, N) array
        values : (n, N) array
            States.
        parameters, inputs : sequences of float
            In the order of `own` and `inputs`.

        Returns
        -------
        list
        """
        from ..tape import run_python

        with np.errstate(all="ignore"):
            return run_python(self.tape, [*parameters, *inputs, time], [*positions, *maps, *values], np)


@functools.lru_cache(maxsize=64)
def write(model, mapped=()) -> Written:
    """Write a model for spatial schemes.

    Parameters
    ----------
    model : Model
    mapped : tuple of str
        Parameters that are fields.

    Returns
    -------
    Written

    Raises
    ------
    ModelError
        If a flux is not linear in gradients.
    ProblemError
        If an operation of the equations cannot be written; it is named.
    """
    states = model.states
    place = {s: i for i, s in enumerate(states)}
    expressions, listed = list(model.equations.values()), []

    def derivatives(expression):
        found = []
        for (_, j), value in partials([expression], states).items():
            expressions.append(value)
            found.append((j, len(expressions) - 1))
        return tuple(found)

    rates_by = tuple((i, j, at) for i, e in enumerate(tuple(expressions)) for j, at in derivatives(e))
    for term in flux_terms(model):
        expressions.append(term.coefficient)
        coefficient = len(expressions) - 1
        by_coefficient = derivatives(term.coefficient)
        potential, by_potential = -1, ()
        if term.potential is not None:
            expressions.append(term.potential)
            potential = len(expressions) - 1
            by_potential = derivatives(term.potential)
        listed.append(
            WrittenTerm(place[term.state], term.carried, term.diffusive, coefficient, potential, by_coefficient,
                        by_potential)
        )  # fmt: skip
    fields = [p for p in model.parameters if p.name in mapped]
    own = [p for p in model.parameters if p.name not in mapped]
    tape = make_tape(expressions, (x, y, *fields, *states), (*own, *model.inputs, t))
    return Written(
        tape, len(states), tuple(p.name for p in fields), tuple(p.name for p in own),
        tuple(s.name for s in model.inputs), rates_by, tuple(listed),
    )  # fmt: skip
