"""The right-hand side of one segment: constant inputs and infusions, states alone or with their sensitivities.

With sensitivities the integrated vector is z = (y, s_1, ..., s_k), where s_j = d y / d p_j obeys
s_j' = J s_j + d f / d p_j; inputs and infusions that depend on parameters add (d f / d u) (d u / d p_j).
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["Flow", "make_flow"]

LARGEST_WRITTEN_OUT = 60  # entries of s up to which products written out in Python beat NumPy's calls


@dataclass(frozen=True)
class Flow:
    """Functions of one segment. `fun(t, z)` and `jac(t, z)` are what SciPy's solvers take."""

    fun: object
    jac: object
    inputs: np.ndarray
    input_gradients: np.ndarray | None


def make_flow(system, p, inputs, infusion, columns=(), input_gradients=None, infusion_gradients=None) -> Flow:
    """Bind a system to its parameters, inputs and infusions for one segment.

    Parameters
    ----------
    system : System
    p : list of float
        All parameters.
    inputs : (n_u,) array
        Level of each input.
    infusion : (n,) array
        Rate into each state.
    columns : sequence of int
        Positions in p of the parameters whose sensitivities are carried.
    input_gradients, infusion_gradients : (n_u, k), (n, k) arrays
        Derivatives of levels and infusion rates by those parameters.

    Returns
    -------
    Flow
    """
    part, u = system.model_part(p), inputs.tolist()
    flowing = infusion.any()
    if not len(columns):
        f = system.functions["f"]

        def fun(t, y):
            rate = f(t, y.tolist(), part, u)
            return np.add(rate, infusion) if flowing else rate

        def jac(t, y):
            return system.tangent(t, y, part, u)[1]

        return Flow(fun, jac, inputs, None)
    return _with_sensitivities(system, part, u, infusion, columns, input_gradients, infusion_gradients, inputs)


def _with_sensitivities(system, part, u, infusion, columns, input_gradients, infusion_gradients, inputs):
    n, k = system.n, len(columns)
    steered = bool(input_gradients.any())
    written_out = n * k <= LARGEST_WRITTEN_OUT and system.settings.source is not None  # a file has no equations
    source = np.concatenate([infusion, infusion_gradients.T.ravel()])
    flowing = source.any()
    if written_out:
        rates, steering = system.augmented(tuple(columns), steered), input_gradients.ravel().tolist()

        def fun(t, z):
            rate = rates(t, z.tolist(), part, u, steering)
            return np.add(rate, source) if flowing else rate
    else:
        fun = _by_matrices(system, part, u, source, columns, input_gradients if steered else None)

    def jac(t, z):
        # Second derivatives are left out: they couple s to y and only slow the corrector, they do not bias it.
        return np.kron(np.eye(k + 1), system.tangent(t, z[:n], part, u)[1])

    return Flow(fun, jac, inputs, input_gradients)


def _by_matrices(system, part, u, source, columns, input_gradients):
    """The same rates by matrix products, for many states or parameters."""
    n, k, m = system.n, len(columns), system.n_model_parameters
    inside = [(j, c) for j, c in enumerate(columns) if c < m]
    own, wanted = [j for j, _ in inside], [c for _, c in inside]

    def fun(t, z):
        f, by_state, by_parameter, by_input = system.tangent(t, z[:n], part, u)
        forcing = np.zeros((n, k))
        forcing[:, own] = by_parameter[:, wanted]
        if input_gradients is not None:
            forcing += by_input @ input_gradients
        rate = np.empty_like(z)
        rate[:n] = f
        rate[n:] = (z[n:].reshape(k, n) @ by_state.T + forcing.T).ravel()
        return rate + source

    return fun
