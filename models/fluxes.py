"""Fluxes read as sums: what is driven down or up a gradient, and what is carried along."""

import functools
from dataclasses import dataclass

import sympy as sp

from .errors import ModelError
from .symbols import State, grad

__all__ = ["FluxTerm", "flux_terms"]


@dataclass(frozen=True)
class FluxTerm:
    """One term of a flux: `coefficient * grad(potential)`, or `state * coefficient * grad(potential)` if carried.

    Parameters
    ----------
    state : State
        What flows.
    coefficient : sympy expression
        Without the factor `state` where the term is carried.
    potential : sympy expression or None
        None for a velocity along the axis (from left to right, or outwards): `coefficient` is that velocity.
    carried : bool
        Whether the state is carried by a velocity that does not depend on its own gradient (taxis, advection). Its
        value at a face then comes from upwind, where central values would oscillate.
    """

    state: State
    coefficient: sp.Expr
    potential: sp.Expr | None
    carried: bool

    @property
    def diffusive(self) -> bool:
        """Whether the state flows down its own gradient."""
        return self.potential == self.state


@functools.lru_cache(maxsize=256)
def flux_terms(model) -> tuple:
    """Terms of all fluxes of a model.

    Parameters
    ----------
    model : Model

    Returns
    -------
    tuple of FluxTerm

    Raises
    ------
    ModelError
        If a flux is not linear in gradients.

    Examples
    --------
    >>> from remission.models import paracrine_invasion
    >>> for term in flux_terms(paracrine_invasion()):
    ...     print(term.state, term.coefficient, term.potential, term.carried)
    tau -D_T tau False
    X -D_X X False
    M -D_M M False
    M chi X/(B + X + 1) True
    P -D_P P False
    """
    return tuple(term for state, flux in model.fluxes.items() for term in _terms(model, state, flux))


def _terms(model, state, flux):
    gradients = sorted(flux.atoms(grad), key=sp.default_sort_key)
    letters = {g: sp.Dummy(f"gradient{i}", real=True) for i, g in enumerate(gradients)}
    written = flux.subs(letters)
    found, rest = [], written
    for g, letter in letters.items():
        if len(g.args) != 1:
            raise ModelError(f"{model.name}, flux of {state}: grad takes one expression, got {g}")
        factor = sp.diff(written, letter)
        if factor.free_symbols & set(letters.values()):
            raise ModelError(f"{model.name}, flux of {state}: it is not linear in {g}; write coefficient * grad(...)")
        rest = rest.subs(letter, 0)
        if factor != 0 and g.args[0].free_symbols:  # the gradient of a number is zero
            found.append(_term(state, factor, g.args[0]))
    rest = sp.sympify(rest)
    return [*found, _term(state, rest, None)] if rest != 0 else found


def _term(state, coefficient, potential):
    """Carried where the state is a factor and its own gradient has no part in the velocity."""
    own = potential is not None and potential.has(state)
    if own or coefficient.subs(state, 0) != 0:
        return FluxTerm(state, coefficient, potential, False)
    return FluxTerm(state, sp.cancel(coefficient / state), potential, True)
