"""The state without tumour in closed form, and how fast a rare clone grows there.

Rows of tumour states have no entry outside the tumour block where there is no tumour, so that the Jacobian is block
triangular: its eigenvalues are those of the block of each group of clones that found one another, and those of the
rest [1]_. A clone that no other clone is founded by and back is a group of its own, whose eigenvalue is its net rate.

.. [1] van den Driessche and Watmough (2002), Mathematical Biosciences 180, 29-48.
"""

import functools
from dataclasses import dataclass

import numpy as np
import sympy as sp

from remission.models.partials import partials

from ..proved.reduce import NotReducible, at_zero, over

__all__ = ["TumourFree", "tumour_free"]

MOST_TERMS, FEW_TERMS = 400, 60  # of an expression that is expanded to see whether it is zero


@dataclass(frozen=True, eq=False)
class TumourFree:
    """Where a model has no tumour.

    Attributes
    ----------
    model : Model
    tumour : tuple of State
    others : dict
        State that is no tumour -> its value there, in parameters and inputs.
    block : dict of (int, int) -> Expr
        Entries of the tumour block, those that are not zero.
    groups : tuple of tuple of int
        Clones that found one another, upstream first.
    rest : dict of (int, int) -> Expr
        Entries of the Jacobian of the other states, in the order of `others`.
    present : tuple of State
        Other states that could be absent and are taken to be there.
    """

    model: object
    tumour: tuple
    others: dict
    block: dict
    groups: tuple
    rest: dict
    present: tuple

    @functools.cached_property
    def symbols(self) -> tuple:
        """Parameters, then inputs."""
        return (*self.model.parameters, *self.model.inputs)

    @functools.cached_property
    def _functions(self):
        known = list(self.others.values())
        return tuple(
            sp.lambdify(self.symbols, list(e), "numpy", cse=True)
            for e in (known, self.block.values(), self.rest.values())
        )

    def values(self, numbers) -> np.ndarray:
        """Values of `others` at values of `symbols`, of which one may be an array: (n_others, ...)."""
        return _rows(self._functions[0], numbers)

    def blocks(self, numbers) -> np.ndarray:
        """The tumour block (..., k, k)."""
        return _matrix(self.block, len(self.tumour), self._functions[1], numbers)

    def rests(self, numbers) -> np.ndarray:
        """The Jacobian of the other states (..., j, j)."""
        return _matrix(self.rest, len(self.others), self._functions[2], numbers)

    def names(self, group) -> tuple:
        """Names of the clones of a group."""
        return tuple(self.tumour[i].name for i in group)


def _rows(function, numbers):
    numbers = [np.asarray(x, dtype=np.result_type(float, x))[()] for x in numbers]  # these divide by zero to inf
    with np.errstate(all="ignore"):
        found = function(*numbers)
        shape = np.broadcast_shapes(*(np.shape(x) for x in numbers))
        kind = np.result_type(float, *numbers)  # complex where derivatives are taken by complex steps
        return np.array([np.broadcast_to(x, shape) for x in found], dtype=kind).reshape(len(found), *shape)


def _matrix(entries, n, function, numbers):
    rows = _rows(function, numbers)
    found = np.zeros((*rows.shape[1:], n, n), dtype=rows.dtype)
    for (i, j), row in zip(entries, rows, strict=True):
        found[..., i, j] = row
    return found


@functools.lru_cache(maxsize=64)
def tumour_free(model) -> TumourFree:
    """The state without tumour of a model at constant inputs.

    Parameters
    ----------
    model : Model

    Returns
    -------
    TumourFree

    Raises
    ------
    NotReducible
        If there is no such state, if it has no closed form, or if rates have no slope there; the text says which.
    """
    tumour = tuple(s for s in model.states if s.info.kind == "tumour")
    if not tumour:
        raise NotReducible(f"{model.name} declares no state of kind 'tumour'")
    others = [s for s in model.states if s not in tumour]
    for s in tumour:
        if not _is_zero(without(model.equations[s], tumour)):
            raise NotReducible(f"{s.name} comes from nothing, so that no state of {model.name} is without tumour")
    values, present = _rest({s: without(model.equations[s], tumour) for s in others})
    block = {}
    for (i, j), slope in partials([model.equations[s] for s in tumour], tumour).items():
        _check_regular(slope, tumour, tumour[i], tumour[j])
        slope = without(slope, tumour).xreplace(values)
        if not _is_zero(slope, FEW_TERMS):
            block[i, j] = slope
    rates = [without(model.equations[s], tumour) for s in others]
    rest = {at: slope.xreplace(values) for at, slope in partials(rates, others).items()}
    order = {s: values[s] for s in others}
    return TumourFree(model, tumour, order, block, _groups(block, len(tumour)), rest, present)


def without(expression, tumour):
    """The expression where all tumour states are zero."""
    exponents, here = set(), expression.free_symbols
    for s in tumour:
        if s in here:
            expression = at_zero(expression, s, exponents)
    return expression


def _is_zero(expression, most=MOST_TERMS):
    return expression == 0 or (expression.is_Add and expression.count_ops() < most and sp.expand(expression) == 0)


def _check_regular(slope, tumour, state, by):
    """Refuse quotients and logarithms whose value without tumour depends on the way there, or is infinite."""
    letters = set(tumour)
    if not slope.free_symbols & letters:
        return
    below = [p.base for p in slope.atoms(sp.Pow) if p.exp.could_extract_minus_sign() or not p.exp.is_number]
    below += [l.args[0] for l in slope.atoms(sp.log)]
    for base in below:
        if base.free_symbols & letters and _is_zero(without(base, tumour)):
            raise NotReducible(
                f"the rate of {state.name} has no slope by {by.name} where there is no tumour (a power or a logarithm "
                "of what is zero there): a rare tumour does not grow at a rate"
            )


def _rest(equations):
    """Values of the states that are no tumour, by equations linear in one of them, and those taken to be there."""
    values, present, unknown = {}, [], list(equations)
    while unknown:
        step = _step(equations, unknown)
        if step is None:
            names = ", ".join(s.name for s in unknown)
            raise NotReducible(f"the state without tumour has no closed form (in {names})")
        source, state, value, divided = step
        present += [state] if divided else []
        unknown.remove(state)
        equations = {s: e.xreplace({state: value}) for s, e in equations.items() if s != source}
        values = {s: e.xreplace({state: value}) for s, e in values.items()} | {state: value}
    return values, tuple(present)


def _step(equations, unknown):
    """(whose equation, state, its value, whether its absence was set aside); own equations first."""
    letters = set(unknown)
    pairs = [(s, s) for s in unknown if s in equations] + [(k, s) for k in equations for s in unknown if k != s]
    for divided in (False, True):
        for source, state in pairs:
            e = equations[source]
            if divided:
                e = over(e, state, set()) if source == state else None
            if e is None or not e.has(state):
                continue
            slope = sp.diff(e, state)
            if slope != 0 and not slope.free_symbols & letters:
                return source, state, -e.xreplace({state: sp.Integer(0)}) / slope, divided
    return None


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
