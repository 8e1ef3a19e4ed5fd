"""Exact first and second derivatives of the rates by states, parameters and inputs at one point, and how points move.

Implicit differentiation of the equations that define a threshold. With p and q the null vectors of the Jacobian J and
s any parameter: a fold moves by ``- (p f_s) / (p f_of)``; where a clone can come in, and at a Hopf point, the critical
eigenvalue moves by ``p (J_s + B(., y_s)) q / (p q)``, y_s being how the steady state moves.
"""

import functools
from dataclasses import dataclass

import numpy as np

from remission.models.partials import partials
from remission.solvers.tape import make_tape

from ..continuation import machine
from ..continuation.equations import _without_totals, without_steps

__all__ = ["Slopes", "slopes_at"]

ROUNDING = 1e-13  # entries of a null vector of length 1 that are zero
NUDGE = 1e-150  # stands for a state that is zero where a power has no slope at zero itself


@dataclass(frozen=True, eq=False)
class Written:
    """Derivatives of a model as a tape, with the place of each."""

    unknowns: tuple
    given: tuple
    totals: tuple
    tape: object
    first: np.ndarray
    second: np.ndarray


@functools.lru_cache(maxsize=64)
def write(model) -> Written:
    """Rates, first derivatives by all symbols, second by states and any symbol; only what is not zero."""
    rates, _, totals = _without_totals(model)
    unknowns = tuple(rates)
    given = (*model.parameters, *model.inputs, *(value for value, _ in totals))
    symbols = (*unknowns, *given)
    n = len(unknowns)
    slopes = partials(list(rates.values()), symbols)
    first, by_first = list(slopes), list(slopes.values())
    curved = [k for k, (_, j) in enumerate(first) if j < n]
    seconds = partials([by_first[k] for k in curved], symbols)
    kept = {(*first[curved[k]], l): e for (k, l), e in seconds.items() if l >= first[curved[k]][1]}
    second = list(kept)
    outputs = [*rates.values(), *by_first, *kept.values()]
    tape = make_tape([without_steps(e) for e in outputs], symbols)
    return Written(
        unknowns, given, tuple(totals), tape, np.array(first).reshape(-1, 2), np.array(second).reshape(-1, 3)
    )


@dataclass(frozen=True, eq=False)
class Slopes:
    """Derivatives at a point.

    Attributes
    ----------
    problem : Problem
    written : Written
    f : (n,) array
    J : (n, n) array
        By the unknowns: states, without those that conserved totals give.
    P : (n, m) array
        By parameters, inputs and values of conserved totals.
    H : (n, n, n + m) array
        Derivatives of J by unknowns and all that is given.
    """

    problem: object
    written: Written
    f: np.ndarray
    J: np.ndarray
    P: np.ndarray
    H: np.ndarray

    @property
    def names(self) -> tuple:
        """Names of the unknowns."""
        return tuple(s.name for s in self.written.unknowns)

    def column(self, name) -> int:
        """Place of a parameter or input in `P`."""
        return [s.name for s in self.written.given].index(name)

    def by_name(self, values, of) -> dict:
        """Derivatives by name from those by all that is given (m,), totals carried to the initial values."""
        model, count = self.problem.model, len(self.written.totals)
        own = len(values) - count
        found = {s.name: float(v) for s, v in zip(self.written.given[:own], values[:own], strict=True)}
        if count:
            weights = np.array([[float(total.coeff(s)) for s in model.states] for _, total in self.written.totals])
            by_start = values[own:] @ weights @ self.problem.system.dy0dp(self.problem.p)
            for name, value in zip(self.problem.system.parameters, by_start, strict=True):
                found[name] = found.get(name, 0.0) + float(value)
        found.pop(of, None)
        return found


def slopes_at(problem, state, of, value) -> Slopes:
    """Derivatives at a steady state.

    Parameters
    ----------
    problem : Problem
        With constant inputs.
    state : dict of str -> float
    of : str
        What is moved.
    value : float

    Returns
    -------
    Slopes
    """
    written = write(problem.model)
    numbers = dict(problem.parameters) | problem.inputs() | {of: value}
    given = [float(numbers[s.name]) for s in written.given if s.name in numbers]
    for _, total in written.totals:
        given.append(float(sum(float(total.coeff(s)) * state[s.name] for s in problem.model.states)))
    at = np.array([*(state[s.name] for s in written.unknowns), *given], dtype=float)
    rows = _run(written, at)
    bad = ~np.isfinite(rows)
    if bad.any():
        rows = np.where(bad, _run(written, np.where(at == 0, NUDGE, at)), rows)
    n, count = len(written.unknowns), len(at)
    first, H = np.zeros((n, count)), np.zeros((n, n, count))
    m = n + len(written.first)
    first[written.first[:, 0], written.first[:, 1]] = rows[n:m]
    i, j, k = written.second.T
    H[i, j, k] = rows[m:]
    both = k < n
    H[i[both], k[both], j[both]] = rows[m:][both]
    return Slopes(problem, written, rows[:n], first[:, :n], first[:, n:], H)


def _run(written, at):
    registers = written.tape.registers(())
    registers[written.tape.first_variable : written.tape.n_given] = at
    with np.errstate(all="ignore"):
        machine.run_tape(np.ascontiguousarray(written.tape.code), registers, written.tape.first_variable)
    return registers[written.tape.outputs]


def null_vectors(J) -> tuple:
    """Right and left null vector of a Jacobian, q and p with p q = 1, in scales of its own."""
    from scipy.linalg import matrix_balance

    balanced, (scaling, _) = matrix_balance(J, permute=False, separate=True)
    left, _, right = np.linalg.svd(balanced)
    q, p = (np.where(np.abs(v) < ROUNDING, 0.0, v) for v in (right[-1], left[:, -1]))
    q, p = q * scaling, p / scaling
    q = q / np.linalg.norm(q)
    return q, p / (p @ q)


def fold_moves(slopes, p) -> np.ndarray:
    """p f_s for all that is given (m,)."""
    return p @ slopes.P


def eigenvalue_moves(slopes, q, p, free) -> np.ndarray:
    """Derivatives (m,) of an eigenvalue with vectors q and p (p q = 1) by all that is given.

    Parameters
    ----------
    slopes : Slopes
    q, p : (n,) arrays, complex for a pair
    free : (n,) bool array
        Unknowns that move with the steady state; the others stay zero.
    """
    n = len(slopes.f)
    moves = np.zeros((n, slopes.P.shape[1]))
    if free.any():
        moves[free] = -np.linalg.solve(slopes.J[np.ix_(free, free)], slopes.P[free])
    through = np.einsum("i,ijk,j->k", p, slopes.H, q)
    return np.real(through[n:] + through[:n] @ moves)
