"""Travelling waves: fronts between two homogeneous states as a boundary value problem with unknown speed."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from remission.models.errors import ProblemError, SolveError, did_you_mean, refuse_unknown_keywords
from remission.solvers import Grid

from .equations import equations_at, newton
from .homogeneous import ends_of, leading_state, linear_speed, tail_rate, well_mixed

__all__ = ["Wave", "WaveEquations", "travelling_wave"]

REACH = 18.0  # tails have fallen by exp(-18) = 1.5e-8 at the walls
MOST_CELLS = 6000


@dataclass(frozen=True, eq=False)
class WaveEquations:
    """F(U) + c U' = 0 on a line, and that the leading state is half way between its ends in the middle.

    Attributes
    ----------
    fields : FieldEquations
    leads : int
        Position of the state that fixes the place.
    """

    fields: object
    leads: int

    def moved(self, name, value) -> "WaveEquations":
        """At another value of a parameter or input."""
        return WaveEquations(self.fields.moved(name, value), self.leads)

    @property
    def slope(self):
        """Central differences along the line, sparse (n N, n N), nothing passing the walls."""
        import scipy.sparse as sps

        n, N = self.fields.shape
        h = self.fields.system.grid.x[1] - self.fields.system.grid.x[0]
        D = sps.diags_array([-np.ones(N - 1), np.ones(N - 1)], offsets=[-1, 1]).tolil()
        D[0, 0], D[-1, -1] = -1.0, 1.0
        return sps.kron(D.tocsr() / (2 * h), sps.eye_array(n)).tocsr()

    @property
    def place(self) -> np.ndarray:
        """Row of the phase condition, (n N,)."""
        n, N = self.fields.shape
        row = np.zeros((N, n))
        row[[N // 2 - 1, N // 2], self.leads] = 1.0
        row[[0, -1], self.leads] = -1.0
        return row.ravel()

    def residual(self, z) -> np.ndarray:
        """Of (fields, speed), (n N + 1,)."""
        U, c = z[:-1], z[-1]
        return np.append(self.fields.f(U) + c * (self.slope @ U), self.place @ U)

    def jacobian(self, z):
        """Its derivatives, sparse."""
        U, c = z[:-1], z[-1]
        return bordered(self.fields.jac(U) + c * self.slope, self.slope @ U, self.place)

    def weights(self, U) -> np.ndarray:
        """Sizes of the unknowns."""
        return self.fields.flat(np.repeat(spans(self.fields.fields(U), self.fields.sizes)[:, None],
                                          self.fields.shape[1], axis=1))  # fmt: skip


def spans(fields, sizes) -> np.ndarray:
    """Size of each state over a field, (n,)."""
    return np.maximum(np.abs(fields).max(axis=1), sizes)


def bordered(matrix, column, row, corner=0.0):
    """[[matrix, column], [row, corner]], sparse."""
    import scipy.sparse as sps

    column, row = sps.csr_array(column[:, None]), sps.csr_array(row[None, :])
    return sps.block_array([[matrix, column], [row, sps.csr_array([[corner]])]]).tocsc()


@refuse_unknown_keywords
@dataclass(frozen=True, eq=False, repr=False)
class Wave:
    """A front that moves at constant speed, seen in the frame that moves with it.

    Attributes
    ----------
    problem : Problem
        On the finest grid.
    x : (N,) array
        Position, zero where the leading state is half way; the tumour lies on the left.
    values : (n, N) array
        Fields in the order of the model's states; `wave["tau"]` is one of them.
    speed : float
        Extrapolated to cells of no width; positive where the tumour invades, negative where it retreats.
    speed_error : float
        Estimate: how far the extrapolated value moved from the last but one grid to the last.
    speeds : tuple of (float, float)
        (width of the cells, speed) of each grid.
    behind, ahead : dict of str -> float
        Homogeneous states on the left and on the right.
    residual : float
        Largest rate of change left, each state relative to its size, per time.
    leads : str
        State that fixes the place.

    Examples
    --------
    >>> from remission.models import bistable_invasion
    >>> from remission.solvers import Problem
    >>> problem = Problem(bistable_invasion(), parameters={"D": 0.01, "k": 1.0, "a": 0.3})
    >>> wave = travelling_wave(problem)
    >>> round(wave.speed, 6), round(wave.order, 1), wave.speed_error < 1e-6
    (0.028284, 2.0, True)
    """

    problem: object
    x: np.ndarray
    values: np.ndarray
    speed: float
    speed_error: float
    speeds: tuple
    behind: dict
    ahead: dict
    residual: float
    leads: str

    def __getitem__(self, name):
        names = [s.name for s in self.problem.model.states]
        name = getattr(name, "name", name)
        if name not in names:
            raise ProblemError(f"the wave has no {name!r}; {did_you_mean(str(name), names)}")
        return self.values[names.index(name)]

    @property
    def order(self) -> float:
        """Order at which the speed converges over the last three grids; NaN where rounding is reached."""
        one, two, three = (c for _, c in self.speeds[-3:])
        with np.errstate(all="ignore"):
            return float(np.log2(abs((two - one) / (three - two))))

    @property
    def width(self) -> float:
        """Length over which the leading state falls: its fall / its steepest slope."""
        U = self[self.leads]
        return float((U[0] - U[-1]) / np.abs(np.gradient(U, self.x)).max())

    def derivatives(self, *names) -> dict:
        """Derivative of the speed by parameters and inputs.

        Parameters
        ----------
        *names : str
            All if none are given.

        Returns
        -------
        dict of str -> float

        Examples
        --------
        >>> from remission.models import bistable_invasion
        >>> from remission.solvers import Problem
        >>> wave = travelling_wave(Problem(bistable_invasion(), parameters={"D": 0.01, "k": 1.0, "a": 0.3}))
        >>> round(wave.derivatives("a")["a"], 4)
        -0.1414
        """
        from scipy.sparse.linalg import splu

        equations = wave_equations(self.problem)
        z = np.append(equations.fields.flat(self.values), self.speeds[-1][1])
        left = np.zeros(len(z))
        left[-1] = 1.0
        left = splu(equations.jacobian(z)).solve(left, trans="T")
        known = names or (*(p.name for p in self.problem.model.parameters), *equations.fields.inputs)
        return {name: -float(left[:-1] @ equations.fields.by(name, z[:-1])) for name in known}

    def __repr__(self):
        return f"<Wave of {self.problem.model.name}: {self}>"

    def __str__(self):
        unit = f"{self.problem.grid.unit}/{self.problem.model.time_unit}"
        doing = (
            "invades" if self.speed > self.speed_error else "retreats" if -self.speed > self.speed_error else "rests"
        )
        return (
            f"the tumour {doing} at {self.speed:.6g} {unit} (+- {self.speed_error:.1g}), front of {self.leads} "
            f"{self.width:.3g} {self.problem.grid.unit} wide"
        )


def wave_equations(problem) -> WaveEquations:
    """Equations of the waves of a problem on its line.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    WaveEquations
    """
    return WaveEquations(equations_at(problem), leading_state(problem.model))


@refuse_unknown_keywords
def travelling_wave(problem, between=None, *, length=None, n_cells=None, start=None, grids=3) -> Wave:
    """The front between two stable homogeneous states: profile and speed in the co-moving frame.

    Solves F(U) + c U' = 0 for the fields U and the speed c, F by the finite volumes of the time-dependent problem, by
    Newton with exact derivatives, on grids of twice as many cells each.

    Parameters
    ----------
    problem : Problem
        With constant inputs; its grid and initial values are not used.
    between : (behind, ahead), optional
        Homogeneous states, each a dict, SteadyState or array; by default the stable one with the largest tumour and
        the one with the smallest.
    length : float, optional
        Of the line; by default so that all tails have died out at its ends.
    n_cells : int, optional
        Of the coarsest grid; by default the front has about 12 cells there.
    start : Wave, optional
        From which Newton starts; by default a front is let go for some time first.
    grids : int
        3 or more; each has twice the cells of the one before.

    Returns
    -------
    Wave

    Raises
    ------
    ProblemError
        If the state ahead is unstable: the front is pulled, each speed from `linear_speed` on has a wave.
    SolveError
        If Newton does not converge.

    Notes
    -----
    Where the state ahead is stable (the tumour-free one under treatment) there is one speed. It changes sign at the
    *stall*, see `front_stall`: beyond it a tumour that persists where well mixed retreats in space.

    References
    ----------
    .. [1] Fife and McLeod (1977), Archive for Rational Mechanics and Analysis 65, 335-361.

    Examples
    --------
    >>> from remission.models import bistable_invasion
    >>> from remission.solvers import Problem
    >>> problem = Problem(bistable_invasion(), parameters={"D": 0.01, "k": 1.0, "a": 0.3})
    >>> print(travelling_wave(problem))
    the tumour invades at 0.028284... mm/day (+- ...), front of ... mm wide
    """
    if grids < 3:
        raise ProblemError(f"travelling_wave: grids is 3 or more, for the error of the speed; got {grids}")
    bare = well_mixed(problem)
    behind, ahead = ends_of(bare, between) if start is None else _ends_of_wave(start, bare)
    _refuse_pulled(bare, ahead)
    length, n_cells = _line(bare, behind, ahead, length, n_cells)
    guess = coarse = None
    found = []
    for level in range(grids):
        here = bare.replace(grid=Grid(n_cells * 2**level, length))
        equations = wave_equations(here)
        if level:
            guess = np.append(equations.fields.flat(_finer(coarse)), guess[-1])
        else:
            guess = _first(equations, behind, ahead, start)
        z = guess = solve_wave(equations, guess)
        coarse = equations.fields.fields(z[:-1])
        found.append((length / (n_cells * 2**level), float(z[-1])))
    return wave_of(here, equations, z, tuple(found))


def solve_wave(equations, z):
    """Newton on (fields, speed).

    Parameters
    ----------
    equations : WaveEquations
    z : (n N + 1,) array

    Returns
    -------
    (n N + 1,) array
    """
    h = equations.fields.system.grid.length
    weights = np.append(equations.weights(z[:-1]), max(abs(z[-1]), 1e-4 * h))
    z, _, _ = newton(equations.residual, equations.jacobian, z, weights, what="travelling_wave")
    U = equations.fields.fields(z[:-1])[equations.leads]
    if abs(U[0] - U[-1]) < 1e-6 * np.abs(U).max():
        raise SolveError("travelling_wave: Newton fell on a homogeneous state; give start= or a longer line")
    return z


def wave_of(problem, equations, z, speeds) -> Wave:
    """A Wave from the solution on the finest grid."""
    names = [s.name for s in problem.model.states]
    U, grid = equations.fields.fields(z[:-1]), problem.grid
    rest = equations.fields.fields(equations.residual(z)[:-1])
    residual = float(np.max(np.abs(rest) / spans(U, equations.fields.sizes)[:, None]))
    c = [speed for _, speed in speeds]
    better = [(4 * fine - coarse) / 3 for coarse, fine in pairwise(c)]
    error = abs(better[-1] - better[-2]) if len(better) > 1 else abs(better[-1] - c[-1])
    ends = [dict(zip(names, map(float, U[:, at]), strict=True)) for at in (0, -1)]
    return Wave(problem, grid.x - grid.length / 2, U, better[-1], error, speeds, *ends, residual,
                names[equations.leads])  # fmt: skip


def _ends_of_wave(wave, problem):
    """Ends of the wave that is given, moved to where they rest at the parameters of the problem."""
    from .homogeneous import settled

    return settled(problem, wave.values[:, 0]), settled(problem, wave.values[:, -1])


def _refuse_pulled(problem, ahead):
    speed = linear_speed(problem, ahead)
    if speed > 0:
        raise ProblemError(
            f"travelling_wave: the state ahead is unstable, so that the front of {problem.model.name} is pulled (as "
            f"Fisher's) or pushed and each speed from {speed:.6g} on has a wave; a compact tumour spreads at "
            "linear_speed(problem) or faster; measure it by solve() and front speeds"
        )


def _line(problem, behind, ahead, length, n_cells):
    """Length of the line and cells of the coarsest grid."""
    from .homogeneous import sharpest_rate

    if length is None:
        length = 2 * REACH / min(tail_rate(problem, behind), tail_rate(problem, ahead))
    if n_cells is None:
        n_cells = int(np.clip(2 * round(length * sharpest_rate(problem, behind, ahead) * 2), 80, MOST_CELLS // 4))
    return float(length), int(n_cells) + int(n_cells) % 2


def _first(equations, behind, ahead, start):
    """Guess: the wave that is given on this grid, or a front let go for some time."""
    grid = equations.fields.system.grid
    place = grid.x - grid.length / 2
    if start is not None:
        U = np.array([np.interp(place, start.x, row) for row in start.values])
        return np.append(equations.fields.flat(U), start.speed)
    from .settle import moving_front

    return moving_front(equations, behind, ahead)


def _finer(U):
    """Fields on twice as many cells, cubic in between."""
    from scipy.interpolate import CubicSpline

    N = U.shape[1]
    return CubicSpline(np.arange(N) + 0.5, U, axis=1)(0.5 * (np.arange(2 * N) + 0.5))
