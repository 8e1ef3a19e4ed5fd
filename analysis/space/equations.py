"""Fields on a grid as unknowns of Newton: rates, exact derivatives, derivatives by one parameter."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from remission.models.errors import ProblemError, SolveError, did_you_mean
from remission.solvers.space.discretise import discretise

__all__ = ["FieldEquations", "equations_at", "newton", "with_value"]


def with_value(problem, name, value):
    """The problem with one parameter or constant input changed.

    Parameters
    ----------
    problem : Problem
    name : str
    value : float

    Returns
    -------
    Problem

    Raises
    ------
    ProblemError
        If the model has neither; with the nearest match.
    """
    inputs = problem.inputs()
    if name in inputs:
        return problem.at_constant(**(inputs | {name: float(value)}))
    if name not in problem.parameters:
        known = [*problem.parameters, *inputs]
        raise ProblemError(f"{problem.model.name} has no parameter or input {name!r}; {did_you_mean(name, known)}")
    return problem.replace(parameters={name: float(value)})


@dataclass(frozen=True, eq=False)
class FieldEquations:
    """Rates of the fields of a problem, flat: cell by cell, the states of a cell together.

    Attributes
    ----------
    system : SpatialSystem
    inputs : dict of str -> float
    """

    system: object
    inputs: dict

    @property
    def shape(self) -> tuple:
        """(states, cells)."""
        return self.system.n, self.system.size

    @cached_property
    def sizes(self) -> np.ndarray:
        """What counts as small, by state, where a field is zero."""
        return np.array([s.info.scale or 1e-3 for s in self.system.problem.model.states])

    def flat(self, fields) -> np.ndarray:
        """(n, N) -> (n N,)."""
        return np.ascontiguousarray(np.asarray(fields, dtype=float).T).ravel()

    def fields(self, flat) -> np.ndarray:
        """(n N,) -> (n, N)."""
        n, N = self.shape
        return flat.reshape(N, n).T

    def f(self, flat) -> np.ndarray:
        """Rates, flat."""
        return self.flat(self.system.f(self.system.problem.t_span[0], self.fields(flat), list(self.inputs.values())))

    def jac(self, flat):
        """Their derivatives, sparse."""
        return self.system.jac(self.system.problem.t_span[0], self.fields(flat), list(self.inputs.values()))

    def moved(self, name, value) -> "FieldEquations":
        """The same at another value of a parameter or input.

        Parameters
        ----------
        name : str
        value : float

        Returns
        -------
        FieldEquations
        """
        if name in self.inputs:
            return replace(self, inputs=self.inputs | {name: float(value)})
        problem = self.system.problem.replace(parameters={name: float(value)})
        return replace(self, system=replace(self.system, problem=problem))

    def value(self, name) -> float:
        """A parameter or an input."""
        return float(self.inputs[name] if name in self.inputs else self.system.problem.parameters[name])

    def by(self, name, flat) -> np.ndarray:
        """Derivative of the rates by a parameter or input, by central differences.

        Parameters
        ----------
        name : str
        flat : (n N,) array

        Returns
        -------
        (n N,) array
        """
        value = self.value(name)
        h = 6e-6 * max(abs(value), 1e-2)
        high, low = self.moved(name, value + h), self.moved(name, value - h)
        return (high.f(flat) - low.f(flat)) / (2 * h)


def equations_at(problem) -> FieldEquations:
    """Equations of a problem on its grid.

    Parameters
    ----------
    problem : Problem
        With constant inputs.

    Returns
    -------
    FieldEquations

    Raises
    ------
    ProblemError
        If the grid is one cell, inputs change in time, or rates do.
    """
    from remission.models.symbols import t

    if any(t in e.free_symbols for e in problem.model.equations.values()):
        raise ProblemError(f"{problem.model.name}: rates change in time; steady fields and waves need them constant")
    return FieldEquations(discretise(problem), dict(problem.inputs()))


def newton(residual, jacobian, z, weights, most=30, tolerance=1e-11, what="Newton"):
    """Damped Newton with sparse LU.

    Parameters
    ----------
    residual : callable
        (m,) array -> (m,) array.
    jacobian : callable
        (m,) array -> sparse (m, m).
    z : (m,) array
        Start.
    weights : (m,) array
        Sizes of the unknowns: a step is small against them.
    most : int
        Iterations.
    tolerance : float
        Largest step / size at which it ends.
    what : str
        For the error.

    Returns
    -------
    (m,) array, float, SuperLU
        Solution, largest residual, last factors.

    Raises
    ------
    SolveError
        If it does not converge.
    """
    from scipy.sparse.linalg import splu

    z = np.array(z, dtype=float)
    last = np.inf
    for _ in range(most):
        try:
            factors = splu(jacobian(z).tocsc())
        except RuntimeError:
            raise SolveError(f"{what}: the equations are singular") from None
        step = -factors.solve(residual(z))
        size = float(np.max(np.abs(step) / weights))
        if not np.isfinite(size):
            break
        cut = 1.0
        while cut > 1e-3 and size > 1e-6:  # the next step with the same factors has to be shorter
            follows = factors.solve(residual(z + cut * step))
            shrunk = float(np.max(np.abs(follows) / weights))
            if np.isfinite(shrunk) and shrunk <= (1 - 0.25 * cut) * max(size, 1e-300):
                break
            cut *= 0.5
        z = z + cut * step
        # steps at the level of rounding do not fall any more
        if size < tolerance or (size < 1e-8 and size > 0.3 * last):
            return z, float(np.max(np.abs(residual(z)))), factors
        last = size
    raise SolveError(f"{what} did not converge: the last step was {size:.3g} of the size of the unknowns")
