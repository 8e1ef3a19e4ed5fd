"""Grid: the cells on which a model lives. One cell is the well-mixed tumour."""

from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import numpy as np

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords

__all__ = ["Grid", "Wall", "refuse_grid"]

SIDES = {
    "line": ("left", "right"),
    "disc": ("rim",),
    "ball": ("rim",),
    "rectangle": ("left", "right", "bottom", "top"),
}


@refuse_unknown_keywords
@dataclass(frozen=True)
class Wall:
    """What happens at one side of a grid; states that are not named do not pass it.

    Parameters
    ----------
    value : dict of str -> float
        State -> value at the wall.
    inflow : dict of str -> float
        State -> amount that enters, per area of the wall and time.

    Examples
    --------
    >>> Wall(value={"c": 0.0}).value["c"]
    0.0
    """

    value: dict = field(default_factory=dict)
    inflow: dict = field(default_factory=dict)

    def __post_init__(self):
        for name in ("value", "inflow"):
            given = {str(getattr(k, "name", k)): float(v) for k, v in dict(getattr(self, name)).items()}
            if not all(np.isfinite(v) for v in given.values()):
                raise ProblemError(f"Wall: {name} has to be finite, got {given}")
            object.__setattr__(self, name, MappingProxyType(given))
        if both := sorted(set(self.value) & set(self.inflow)):
            raise ProblemError(f"Wall: {both[0]} has a value and an inflow; give one of them")

    def __reduce__(self):
        return Wall, (dict(self.value), dict(self.inflow))


@refuse_unknown_keywords
@dataclass(frozen=True, eq=False, repr=False)
class Grid:
    """Cells of a line, a disc or ball by symmetry, or a rectangle; one cell without argument.

    Parameters
    ----------
    n_cells : int or (int, int)
        Cells; of a rectangle (ny, nx).
    length : float or (float, float)
        Of a line, or the radius, in `unit`; of a rectangle (height, width).
    geometry : {"line", "disc", "ball", "rectangle"}
        Of a line, amounts are per unit of cross section; of a rectangle and a disc, per unit of thickness.
    edges : (n_cells + 1,) array_like, optional
        Ends of the cells of a line, disc or ball, from 0 for the latter two; instead of `n_cells` and `length`.
    walls : dict, optional
        Side -> `"no-flux"` (default), `"periodic"` or `Wall`. Sides are left and right (line), rim (disc, ball), left,
        right, bottom and top (rectangle).
    maps : dict, optional
        Parameter -> array of the grid's shape: a coefficient that differs from place to place.
    unit : str
        Of lengths.

    Raises
    ------
    ProblemError
        If sizes do not fit, or a side is not there.

    Examples
    --------
    >>> Grid().shape, Grid(200, 20.0).shape, Grid((64, 128), (1.0, 2.0), "rectangle").shape
    ((), (200,), (64, 128))
    >>> ball = Grid(50, 2.0, "ball")
    >>> round(float(ball.volumes.sum() / (4 / 3 * np.pi * 2.0**3)), 12)
    1.0
    """

    n_cells: int | tuple = 1
    length: float | tuple = 1.0
    geometry: str = "line"
    edges: object = None
    walls: dict = field(default_factory=dict)
    maps: dict = field(default_factory=dict)
    unit: str = "mm"

    def __post_init__(self):
        own = object.__setattr__
        if self.geometry not in SIDES:
            raise ProblemError(
                f"Grid: there is no geometry {self.geometry!r}; {did_you_mean(str(self.geometry), SIDES)}"
            )
        if self.edges is not None:
            _take_edges(self)
        plane = self.geometry == "rectangle"
        own(self, "n_cells", _counts(self.n_cells, plane))
        own(self, "length", _lengths(self.length, plane))
        own(self, "walls", MappingProxyType(_walls(self)))
        own(self, "maps", MappingProxyType(_maps(self)))

    def __reduce__(self):
        edges = None if self.edges is None else np.array(self.edges)
        return Grid, (
            self.n_cells, self.length, self.geometry, edges, dict(self.walls), dict(self.maps), self.unit,
        )  # fmt: skip

    def __eq__(self, other):
        return isinstance(other, Grid) and self._content() == other._content()

    def __hash__(self):
        return hash(self._content())

    def _content(self):
        edges = None if self.edges is None else self.edges.tobytes()
        walls = tuple(sorted((k, v if isinstance(v, str) else (*v.value.items(), 0, *v.inflow.items()))
                             for k, v in self.walls.items()))  # fmt: skip
        maps = tuple(sorted((k, v.tobytes()) for k, v in self.maps.items()))
        return self.n_cells, self.length, self.geometry, edges, walls, maps, self.unit

    def __repr__(self):
        if not self.spatial:
            return "Grid()"
        return f"Grid({self.n_cells}, {self.length}, {self.geometry!r})"

    @property
    def spatial(self) -> bool:
        """Whether there is more than one cell."""
        return self.size > 1

    @property
    def size(self) -> int:
        """Number of cells."""
        return int(np.prod(self.n_cells))

    @property
    def shape(self) -> tuple:
        """Shape of a field on the grid: empty for one cell, (ny, nx) for a rectangle."""
        if not self.spatial:
            return ()
        return self.n_cells if self.geometry == "rectangle" else (self.n_cells,)

    @property
    def sides(self) -> tuple:
        """Names of the walls."""
        return SIDES[self.geometry]

    @cached_property
    def cell_edges(self) -> tuple:
        """Ends of the cells along each axis: (along x or r,), or of a rectangle (along y, along x)."""
        if self.edges is not None:
            return (self.edges,)
        if self.geometry == "rectangle":
            return tuple(np.linspace(0.0, L, n + 1) for n, L in zip(self.n_cells, self.length, strict=True))
        return (np.linspace(0.0, self.length, self.n_cells + 1),)

    @cached_property
    def centres(self) -> tuple:
        """Middles of the cells along each axis, in the same order."""
        return tuple(0.5 * (e[1:] + e[:-1]) for e in self.cell_edges)

    @property
    def x(self) -> np.ndarray:
        """Middles along x, or distances from the centre."""
        return self.centres[-1]

    @property
    def y(self) -> np.ndarray:
        """Middles along y, of a rectangle."""
        if self.geometry != "rectangle":
            raise ProblemError(f"Grid: a {self.geometry} has no y axis")
        return self.centres[0]

    @cached_property
    def volumes(self) -> np.ndarray:
        """Volume of each cell, in the grid's shape: lengths of a line, areas of a disc or rectangle."""
        first = self.cell_edges[0]
        if self.geometry == "rectangle":
            return np.outer(np.diff(first), np.diff(self.cell_edges[1]))
        power, factor = {"line": (1, 1.0), "disc": (2, np.pi), "ball": (3, 4 / 3 * np.pi)}[self.geometry]
        return factor * np.diff(first**power)

    @cached_property
    def positions(self) -> dict:
        """Coordinate (`"x"`, of a rectangle `"y"` too) -> its value in every cell, (size,)."""
        if self.geometry != "rectangle":
            return {"x": self.x}
        y, x = np.meshgrid(self.y, self.x, indexing="ij")
        return {"x": x.ravel(), "y": y.ravel()}


def _take_edges(grid):
    edges = np.array(grid.edges, dtype=float)
    if grid.geometry == "rectangle":
        raise ProblemError("Grid: edges are for a line, disc or ball; a rectangle has even cells")
    if edges.ndim != 1 or len(edges) < 3 or not np.all(np.isfinite(edges)) or np.any(np.diff(edges) <= 0):
        raise ProblemError("Grid: edges are three numbers or more that increase")
    if grid.geometry != "line" and edges[0] != 0:
        raise ProblemError(f"Grid: the edges of a {grid.geometry} start at 0, got {edges[0]:g}")
    edges.setflags(write=False)
    object.__setattr__(grid, "edges", edges)
    object.__setattr__(grid, "n_cells", len(edges) - 1)
    object.__setattr__(grid, "length", float(edges[-1] - edges[0]))


def _counts(n_cells, plane):
    several = tuple(n_cells) if isinstance(n_cells, (tuple, list)) else (n_cells,)
    whole = all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n >= 1 for n in several)
    if not whole or len(several) != (2 if plane else 1) or (plane and min(several) < 2):
        wanted = "(ny, nx), two or more each" if plane else "a whole number of cells, 1 or more"
        raise ProblemError(f"Grid: n_cells is {wanted}; got {n_cells!r}")
    return tuple(map(int, several)) if plane else int(several[0])


def _lengths(length, plane):
    several = tuple(length) if isinstance(length, (tuple, list)) else (length,) * (2 if plane else 1)
    try:
        several = tuple(float(v) for v in several)
    except (TypeError, ValueError):
        raise ProblemError(f"Grid: length is a number, of a rectangle (height, width); got {length!r}") from None
    if len(several) != (2 if plane else 1) or not all(np.isfinite(v) and v > 0 for v in several):
        raise ProblemError(f"Grid: length is above 0, of a rectangle (height, width); got {length!r}")
    return several if plane else several[0]


def _walls(grid):
    found = dict.fromkeys(grid.sides, "no-flux")
    for side, wall in dict(grid.walls).items():
        if side not in found:
            raise ProblemError(f"Grid: a {grid.geometry} has no side {side!r}; {did_you_mean(str(side), grid.sides)}")
        if isinstance(wall, str) and wall not in ("no-flux", "periodic"):
            raise ProblemError(f"Grid: the wall {side!r} is 'no-flux', 'periodic' or a Wall, got {wall!r}")
        if not isinstance(wall, (str, Wall)):
            raise ProblemError(f"Grid: the wall {side!r} is 'no-flux', 'periodic' or a Wall, got {wall!r}")
        found[side] = wall
    for one, other in (("left", "right"), ("bottom", "top")):
        if one in found and (found[one] == "periodic") != (found[other] == "periodic"):
            raise ProblemError(f"Grid: {one} and {other} are periodic together or not at all")
    if found.get("rim") == "periodic":
        raise ProblemError(f"Grid: the rim of a {grid.geometry} cannot be periodic")
    return found


def _maps(grid):
    found = {}
    for name, values in dict(grid.maps).items():
        values = np.array(values, dtype=float)
        name = str(getattr(name, "name", name))
        if values.shape != grid.shape:
            raise ProblemError(f"Grid: the map of {name} has shape {values.shape}, the grid {grid.shape}")
        if not np.all(np.isfinite(values)):
            raise ProblemError(f"Grid: the map of {name} has values that are not finite")
        values.setflags(write=False)
        found[name] = values
    return found


def refuse_grid(problem, verb):
    """Refuse a problem on a grid in verbs that are for one cell.

    Parameters
    ----------
    problem : Problem
    verb : str

    Raises
    ------
    ProblemError
    """
    if problem.grid.spatial:
        raise ProblemError(
            f"{verb}: {problem.model.name} lives on {problem.grid!r}; this is for one well-mixed cell: use "
            "problem.replace(grid=Grid()), with initial values that do not depend on position; of a solution on a grid "
            "ask solution.mean(name), solution.total(name) or at_end(name), which are for the mean over the grid"
        )
