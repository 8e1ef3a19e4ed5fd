"""Steady fields on a grid: Newton with sparse LU, and their leading eigenvalues."""

from dataclasses import dataclass

import numpy as np

from remission.models.errors import ProblemError, SolveError, did_you_mean, refuse_unknown_keywords

from .equations import equations_at, newton
from .settle import settle
from .wave import spans

__all__ = ["SteadyField", "leading_eigenvalues", "steady_field", "steady_from"]

DENSE = 300  # unknowns up to which all eigenvalues are computed


@refuse_unknown_keywords
@dataclass(frozen=True, eq=False, repr=False)
class SteadyField:
    """Fields that rest, and whether they stay when disturbed.

    Attributes
    ----------
    problem : Problem
    values : (n, *grid.shape) array
        Fields in the order of the model's states; `field["T"]` is one of them.
    eigenvalues : (k,) complex array
        Leading ones of the linearised system, largest real part first.
    stability : {"stable", "unstable", "undecided"}
        Undecided where the largest real part is zero within rounding.
    residual : float
        Largest rate of change left, each state relative to its size, per time.

    Examples
    --------
    >>> from remission.models import bistable_invasion
    >>> from remission.solvers import Grid, Problem
    >>> problem = Problem(bistable_invasion(), initial={"c": 0.9}, grid=Grid(40, 2.0, "ball"))
    >>> field = steady_field(problem)
    >>> print(field)
    steady field of bistable_invasion on Grid(40, 2.0, 'ball'): stable, largest eigenvalue -0.7; mean of c 1
    """

    problem: object
    values: np.ndarray
    eigenvalues: np.ndarray
    stability: str
    residual: float

    def __getitem__(self, name):
        names = [s.name for s in self.problem.model.states]
        name = getattr(name, "name", name)
        if name not in names:
            raise ProblemError(f"the steady field has no {name!r}; {did_you_mean(str(name), names)}")
        return self.values[names.index(name)]

    @property
    def n_unstable(self) -> int:
        """Directions in which it is left, among the leading ones."""
        return int(np.sum(self.eigenvalues.real > _zero(self.eigenvalues)))

    def mean(self, name) -> float:
        """Mean of a state over the grid.

        Parameters
        ----------
        name : str

        Returns
        -------
        float
        """
        volumes = self.problem.grid.volumes
        return float((self[name] * volumes).sum() / volumes.sum())

    def total(self, name) -> float:
        """Amount of a state on the grid.

        Parameters
        ----------
        name : str

        Returns
        -------
        float
        """
        return float((self[name] * self.problem.grid.volumes).sum())

    def __repr__(self):
        return f"<SteadyField: {self}>"

    def __str__(self):
        means = ", ".join(f"{s.name} {self.mean(s.name):.6g}" for s in self.problem.model.states)
        return (
            f"steady field of {self.problem.model.name} on {self.problem.grid!r}: {self.stability}, largest eigenvalue "
            f"{self.eigenvalues[0].real:.5g}; mean of {means}"
        )


def _zero(eigenvalues):
    return 1e-9 * max(1.0, float(np.abs(eigenvalues).max()))


def leading_eigenvalues(matrix, count=6) -> np.ndarray:
    """Eigenvalues with the largest real parts, by shift and invert.

    Parameters
    ----------
    matrix : (m, m) sparse array
    count : int

    Returns
    -------
    (count,) complex array
        Those nearest to a point to the right of zero, largest real part first. Of large systems, a pair far from the
        real axis can be missed.
    """
    from scipy.sparse.linalg import ArpackNoConvergence, eigs

    m = matrix.shape[0]
    if m <= max(DENSE, count + 2):
        found = np.linalg.eigvals(matrix.toarray())
    else:
        shift = 0.05 * float(np.median(np.abs(matrix.sum(axis=1)))) + 1e-4
        try:
            found = eigs(matrix.tocsc(), k=count, sigma=shift, v0=np.ones(m), return_eigenvectors=False)
        except ArpackNoConvergence as fault:
            found = fault.eigenvalues
        except RuntimeError:  # the shift is an eigenvalue
            found = eigs(matrix.tocsc(), k=count, sigma=1.37 * shift, v0=np.ones(m), return_eigenvectors=False)
    return found[np.argsort(-found.real)][:count].astype(complex)


@refuse_unknown_keywords
def steady_field(problem, start=None, *, settle_first=False, n_eigenvalues=6) -> SteadyField:
    """A steady field next to a start: Newton with exact derivatives and sparse LU.

    Parameters
    ----------
    problem : Problem
        On a line, disc, ball or rectangle, with constant inputs.
    start : Solution, SteadyField, dict or array_like, optional
        Where Newton starts: the last state of a solution, state -> field, or (n, *grid.shape); by default the initial
        fields of the problem.
    settle_first : bool
        First follow the fields in time, by implicit Euler with growing steps, until they nearly rest: reaches the
        stable field that the start leads to. Without it Newton also reaches unstable fields.
    n_eigenvalues : int

    Returns
    -------
    SteadyField

    Raises
    ------
    ProblemError
        If the grid is one cell, inputs or rates change in time, or the start does not fit.
    SolveError
        If Newton does not converge.

    Examples
    --------
    A patch of tumour below the width at which it can hold itself, and one above; cells are lost at both walls:

    >>> from remission.models import glioma_invasion
    >>> from remission.analysis import critical_width, steady_field
    >>> from remission.solvers import Grid, Problem, Wall
    >>> k = Problem(glioma_invasion()).parameters
    >>> lost, width = Wall(value={"c": 0.0}), critical_width(k["D"], k["rho"])
    >>> for part in (0.9, 1.5):
    ...     grid = Grid(60, part * width, walls={"left": lost, "right": lost})
    ...     problem = Problem(glioma_invasion(), initial={"c": 0.5}, grid=grid)
    ...     print(f"{abs(steady_field(problem, settle_first=True).mean('c')):.3f}")
    0.000
    0.426
    """
    equations = equations_at(problem)
    U = equations.flat(_start(problem, start, equations))
    return steady_from(problem, equations, U, settle_first, n_eigenvalues)


def steady_from(problem, equations, U, settle_first=False, n_eigenvalues=6) -> SteadyField:
    """`steady_field` from flat unknowns.

    Parameters
    ----------
    problem : Problem
    equations : FieldEquations
    U : (n N,) array
    settle_first : bool
    n_eigenvalues : int

    Returns
    -------
    SteadyField
    """
    weights = weights_of(equations, U)
    if settle_first:
        U = settle(equations.f, equations.jac, U, weights, 1e-2 / max(np.max(np.abs(equations.f(U)) / weights), 1e-12))
        weights = weights_of(equations, U)
    U, _, _ = newton(equations.f, equations.jac, U, weights, what="steady_field")
    values = equations.fields(U)
    found = leading_eigenvalues(equations.jac(U), n_eigenvalues)
    top, small = found[0].real, _zero(found)
    stability = "stable" if top < -small else "unstable" if top > small else "undecided"
    residual = float(np.max(np.abs(equations.f(U)) / weights))
    return SteadyField(problem, values.reshape(-1, *problem.grid.shape), found, stability, residual)


def weights_of(equations, U) -> np.ndarray:
    """Sizes of the unknowns at a field.

    Parameters
    ----------
    equations : FieldEquations
    U : (n N,) array

    Returns
    -------
    (n N,) array
    """
    sizes = spans(equations.fields(U), equations.sizes)
    return equations.flat(np.repeat(sizes[:, None], equations.shape[1], axis=1))


def _start(problem, start, equations):
    from remission.solvers.space.start import initial_fields

    names = [s.name for s in problem.model.states]
    shape = (len(names), *problem.grid.shape)
    if start is None:
        return initial_fields(problem)
    if isinstance(start, SteadyField):
        start = start.values
    elif hasattr(start, "problem") and hasattr(start, "t"):
        start = [start[n][-1] for n in names]
    elif hasattr(start, "keys"):
        missing = [n for n in names if n not in start]
        if missing:
            raise ProblemError(f"steady_field: the start has no {missing[0]!r}; it names {', '.join(start)}")
        start = [np.broadcast_to(start[n], problem.grid.shape) for n in names]
    fields = np.asarray(start, dtype=float)
    if fields.shape != shape:
        raise ProblemError(f"steady_field: the start has shape {fields.shape}, the fields {shape}")
    if not np.all(np.isfinite(fields)):
        raise SolveError("steady_field: the start is not finite everywhere")
    return fields.reshape(len(names), -1)
