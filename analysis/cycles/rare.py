"""How fast a rare tumour grows along the forced orbit that the rest of a model has without it.

Without tumour the rows of tumour states have no entry outside the tumour block, so that the multipliers are those of
the block of each group of clones that found one another, and those of the rest. Each block's linear equations become
states of a model of their own beside what is not tumour: the compiled engine carries them through the treatment,
with exact derivatives by all parameters.
"""

import functools
from dataclasses import dataclass

import numpy as np
import sympy as sp

from remission.models import Model, State
from remission.models.errors import ProblemError
from remission.solvers import Problem, Treatment, sample

from ..critical.tumour_free import without
from ..proved.reduce import NotReducible
from .period_map import PeriodMap
from .periodic import Repeating

__all__ = ["Growth", "Rare", "rare_model"]

STEPS, FEW = 30, 4
TOLERANCE = 1e-10
SETTLING = 20  # periods


@dataclass(frozen=True, eq=False)
class Rare:
    """What is not tumour, with the linear equations of rare clones beside it.

    Attributes
    ----------
    model : Model
        States that are no tumour, then those of the groups.
    groups : tuple of tuple of str
        Clones that found one another, upstream first.
    columns : tuple of tuple of str
        Of each group its states: the logarithm of one clone, or the columns of the matrix of several.
    rates : dict of str -> Expr
        Net rate of a clone that is a group of its own.
    n : int
        States that are no tumour.
    """

    model: object
    groups: tuple
    columns: tuple
    rates: dict
    n: int


@functools.lru_cache(maxsize=32)
def rare_model(model) -> Rare:
    """The model of rare clones.

    Parameters
    ----------
    model : Model

    Returns
    -------
    Rare

    Raises
    ------
    ProblemError
        If no state is declared tumour, a tumour comes from nothing, or rates have no slope where there is none.
    """
    tumour = [s for s in model.states if s.info.kind == "tumour"]
    if not tumour:
        raise ProblemError(f"{model.name} declares no state of kind 'tumour'")
    try:
        block, rates = _parts(model, tumour)
    except NotReducible as reason:
        raise ProblemError(f"{model.name}: no growth of a rare tumour is defined: {reason}") from None
    others = len(rates)
    groups, columns, own, taken = [], [], {}, {s.name for s in model.states}
    for group in _groups(block, len(tumour)):
        names = tuple(tumour[i].name for i in group)
        groups.append(names)
        if len(group) == 1:
            rate = block.get((group[0], group[0]), sp.Integer(0))
            letter = _state(f"log_{names[0]}", 0.0, taken)
            rates[letter], own[names[0]] = rate, rate
            columns.append((letter.name,))
            continue
        k = len(group)
        matrix = [[_state(f"{names[a]}_from_{names[b]}", float(a == b), taken) for b in range(k)] for a in range(k)]
        for a in range(k):
            for b in range(k):
                rates[matrix[a][b]] = sum(block.get((group[a], group[c]), 0) * matrix[c][b] for c in range(k))
        columns.append(tuple(s.name for row in matrix for s in row))
    made = Model(f"{model.name}_without_tumour", rates=rates, time_unit=model.time_unit)
    return Rare(made, tuple(groups), tuple(columns), own, others)


def _parts(model, tumour):
    """Entries of the tumour block, and rates of what is not tumour, where there is none."""
    block = {}
    for i, s in enumerate(tumour):
        if sp.simplify(without(model.equations[s], tumour)) != 0:
            raise NotReducible(f"{s.name} comes from nothing, so there is no state without tumour")
        for j, by in enumerate(tumour):
            slope = without(sp.diff(model.equations[s], by), tumour)
            if slope.has(sp.nan, sp.zoo, sp.oo, sp.AccumBounds):
                raise NotReducible(f"the rate of {s.name} has no slope by {by.name} without tumour")
            if slope != 0:
                block[i, j] = slope
    return block, {s: without(model.equations[s], tumour) for s in model.states if s not in tumour}


def _state(name, value, taken):
    while name in taken:
        name += "_"
    taken.add(name)
    return State(name, value, kind="other", positive=False, scale=1.0)


def _groups(block, n):
    """Strongly connected clones, upstream first."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    rows, columns = (np.array([at[k] for at in block], dtype=int) for k in (0, 1))
    _, label = connected_components(coo_matrix((np.ones(len(rows)), (columns, rows)), (n, n)), connection="strong")
    seen = {}
    for i in range(n):
        seen.setdefault(int(label[i]), []).append(i)
    return tuple(tuple(group) for group in sorted(seen.values(), key=lambda g: g[0]))


class Growth:
    """Growth of rare clones under one treatment.

    Parameters
    ----------
    problem : Problem
        Of the whole model; its treatment may hold Parameters.
    treatment : Treatment
        In place of the problem's.
    when : Repeating
    """

    def __init__(self, problem, treatment, when: Repeating):
        self.rare, self.when = rare_model(problem.model), when
        names = {s.name for s in self.rare.model.states}
        for thing in (*treatment.windows, *treatment.jumps):
            into = getattr(thing, "into_state", True)
            if into and thing.target not in names:
                raise ProblemError(
                    f"{problem.model.name}: the treatment acts on {thing.target} itself, which is tumour: no growth "
                    "rate of a rare tumour is defined by the inputs alone"
                )
        inputs = {s.name for s in self.rare.model.inputs}
        kept = tuple(w for w in treatment.windows if w.into_state or w.target in inputs)
        own = Treatment(windows=kept, jumps=treatment.jumps)
        known = {s.name for s in (*self.rare.model.parameters, *own.parameters())}
        start = problem.initial_values()
        initial = {s.name: start[s.name] for s in self.rare.model.states[: self.rare.n]}
        given = {k: v for k, v in problem.parameters.items() if k in known}
        given |= {s.name: s.info.value for s in own.parameters() if s.name not in given}
        made = Problem(self.rare.model, (when.start, when.start + when.period), given, initial, own)
        self.map = PeriodMap.of(made, when.start, when.period)
        self.fixed = np.array(list(made.initial_values().values()))
        self.last = None

    @property
    def parameters(self) -> tuple:
        """Names that the growth may depend on."""
        return tuple(name for name in self.map.problem.parameters if name not in self.map.letters)

    def orbit(self, parameters, others=()) -> tuple:
        """The tumour-free orbit's states now and a period later (N,), the latter's derivatives (N, n), (N, k).

        Parameters
        ----------
        parameters : dict
        others : sequence of str
            Parameters to differentiate by.
        """
        n = self.rare.n
        if not n:
            return (self.fixed, *self.map.derivative(self.fixed, others, parameters, 0))
        for start in (self.last, None):
            y = self._settled(parameters) if start is None else start.copy()
            for _ in range(STEPS if start is None else FEW):
                image, M, P = self.map.derivative(y, others, parameters, n)
                gap = image[:n] - y[:n]
                size = np.maximum(np.maximum(np.abs(y[:n]), np.abs(image[:n])), 1e-6 * self.map.scale[:n])
                if np.max(np.abs(gap) / size) < TOLERANCE:
                    self.last = y
                    return y, image, M, P
                y[:n] += np.linalg.lstsq(np.eye(n) - M[:n, :n], gap, rcond=1e-13)[0]
        raise ProblemError(f"{self.rare.model.name}: no periodic orbit was reached")

    def _settled(self, parameters):
        y, n = self.fixed.copy(), self.rare.n
        problem = self.map.at(y, parameters)
        first, last = problem.t_span
        problem = problem.replace(t_span=(first, first + SETTLING * (last - first)))
        found = sample(problem, [problem.t_span[1]], list(self.map.states[:n]))
        if found.success and np.all(np.isfinite(found.values)):
            y[:n] = found.values[0]
        return y

    def rates(self, parameters=None, others=()) -> tuple:
        """Growth of each group per unit of time, derivatives by named parameters, and what is not tumour.

        Parameters
        ----------
        parameters : dict, optional
        others : sequence of str

        Returns
        -------
        growth : (g,) array
        slopes : (g, k) array
        rest : (n,) complex array
            Multipliers of what is not tumour.
        state : (n,) array
        """
        y, image, M, P = self.orbit(parameters, others)
        n, period = self.rare.n, self.when.period
        moves = np.zeros((n, len(others)))
        if n and len(others):
            moves = np.linalg.lstsq(np.eye(n) - M[:n, :n], P[:n], rcond=1e-13)[0]
        total = P + M[:, :n] @ moves
        growth, slopes, at = [], [], n
        for columns in self.rare.columns:
            k = round(np.sqrt(len(columns)))
            value = image[at : at + k * k]
            slope = total[at : at + k * k]
            if k > 1:
                value, slope = _largest(value.reshape(k, k), slope.reshape(k, k, -1))
            else:
                value, slope = value[0], slope[0]
            growth.append(value / period)
            slopes.append(slope / period)
            at += k * k
        rest = np.linalg.eigvals(M[:n, :n]) if n else np.zeros(0, dtype=complex)
        return np.array(growth), np.array(slopes).reshape(len(growth), len(others)), rest, y[:n]


def _largest(matrix, slopes):
    """Logarithm of the largest modulus of the eigenvalues, and its derivatives (k,)."""
    values, vectors = np.linalg.eig(matrix)
    i = int(np.argmax(np.abs(values)))
    left = np.linalg.inv(vectors)[i]
    moved = np.einsum("a,abk,b->k", left, slopes, vectors[:, i]) / values[i]
    return np.log(np.abs(values[i])), moved.real
