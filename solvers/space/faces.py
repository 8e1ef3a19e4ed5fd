"""Faces between cells: who lies on which side, how far apart, how large; and the faces at walls."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Faces", "WallFaces", "faces_of", "wall_faces"]


@dataclass(frozen=True, eq=False)
class Faces:
    """Inner faces, k of them; the flux through one counts from `left` to `right`.

    Attributes
    ----------
    left, right : (k,) int arrays
        Cells (flat positions) on both sides.
    before, after : (k,) int arrays
        The next cells on from `left` and `right`, for upwind values; -1 where there is none.
    distance, area : (k,) arrays
        Between the middles; of the face.
    axis : (k,) int array
        Across which axis: 0 for x or r, 1 for y.
    """

    left: np.ndarray
    right: np.ndarray
    before: np.ndarray
    after: np.ndarray
    distance: np.ndarray
    area: np.ndarray
    axis: np.ndarray


@dataclass(frozen=True, eq=False)
class WallFaces:
    """Faces at one wall: the cells that touch it, their distance from it, and the areas."""

    side: str
    cells: np.ndarray
    distance: np.ndarray
    area: np.ndarray


def _areas(grid):
    """Areas of all cell ends of a line, disc or ball."""
    r = grid.cell_edges[0]
    return {"line": np.ones_like(r), "disc": 2 * np.pi * r, "ball": 4 * np.pi * r**2}[grid.geometry]


def _along(cells, centres, edges, periodic):
    """(left, right, before, after, distance) along the last axis of an array of cell positions."""
    if not periodic:
        left, right = cells[..., :-1], cells[..., 1:]
        none = np.full_like(cells[..., :1], -1)
        before = np.concatenate([none, cells[..., :-2]], axis=-1)
        after = np.concatenate([cells[..., 2:], none], axis=-1)
        return left, right, before, after, np.diff(centres)
    left, right = cells, np.roll(cells, -1, axis=-1)
    gap = np.append(np.diff(centres), (centres[0] - edges[0]) + (edges[-1] - centres[-1]))
    return left, right, np.roll(cells, 1, axis=-1), np.roll(cells, -2, axis=-1), gap


def faces_of(grid) -> Faces:
    """Inner faces of a grid, those across x (or r) first.

    Parameters
    ----------
    grid : Grid

    Returns
    -------
    Faces
    """
    cells = np.arange(grid.size).reshape(grid.shape)
    if grid.geometry != "rectangle":
        periodic = grid.walls.get("left") == "periodic"
        *sides, distance = _along(cells, grid.x, grid.cell_edges[0], periodic)
        area = _areas(grid)[1:] if periodic else _areas(grid)[1:-1]
        return Faces(*sides, distance, area, np.zeros(len(distance), dtype=int))
    (ey, ex), (cy, cx) = grid.cell_edges, grid.centres
    parts = []
    for axis, (table, centres, edges, wide, side) in enumerate(
        [(cells, cx, ex, np.diff(ey), "left"), (cells.T, cy, ey, np.diff(ex), "bottom")]
    ):
        *sides, gap = _along(table, centres, edges, grid.walls[side] == "periodic")
        shape = sides[0].shape
        distance, area = np.broadcast_to(gap, shape), np.broadcast_to(wide[:, None], shape)
        parts.append([*(s.ravel() for s in sides), distance.ravel(), area.ravel(), np.full(distance.size, axis)])
    return Faces(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def wall_faces(grid, side) -> WallFaces:
    """Faces at one side of a grid.

    Parameters
    ----------
    grid : Grid
    side : str

    Returns
    -------
    WallFaces
    """
    cells = np.arange(grid.size).reshape(grid.shape)
    if grid.geometry != "rectangle":
        at = 0 if side == "left" else -1
        gap = abs(grid.x[at] - grid.cell_edges[0][at])
        return WallFaces(side, cells[[at]], np.array([gap]), _areas(grid)[[at]])
    ey, ex = grid.cell_edges
    row = {"left": cells[:, 0], "right": cells[:, -1], "bottom": cells[0], "top": cells[-1]}[side]
    edges, wide = (ex, np.diff(ey)) if side in ("left", "right") else (ey, np.diff(ex))
    return WallFaces(side, row, np.full(len(row), 0.5 * (edges[1] - edges[0])), wide)
