"""A field over time as a moving picture."""

from pathlib import Path

import numpy as np

from remission.models.errors import ProblemError, refuse_unknown_keywords

from .names import kind_of, unit_of, value_label
from .space import _bar, _limits, _names, _place_label, _times, _when, draw_field, field_map
from .style import colour_of, figure

__all__ = ["animate"]


@refuse_unknown_keywords
def animate(solution, name=None, path="field.gif", *, frames=60, fps=12, times=None) -> Path:
    """Write a field over time as a moving picture.

    Parameters
    ----------
    solution : Solution
        On a grid.
    name : str, optional
        State or observable; the first tumour state if not given.
    path : path
        `.gif` needs nothing more; `.mp4` needs the program ffmpeg.
    frames : int
        Pictures, at even times.
    fps : float
        Pictures a second.
    times : sequence of float, optional
        Times of the pictures, instead of `frames`.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ProblemError
        If the problem is one cell, the ending is neither, or the writer is not there.

    Examples
    --------
    >>> from remission.models import glioma_invasion
    >>> from remission.solvers import Grid, Problem, solve
    >>> seed = {"c": lambda x: 1.0 * (x < 3)}
    >>> solution = solve(Problem(glioma_invasion(), t_span=(0, 600), grid=Grid(60, 60.0), initial=seed))
    >>> animate(solution, "c", "front.gif", frames=3).stat().st_size > 1000
    True
    """
    grid, path = solution.problem.grid, Path(path)
    if not grid.spatial:
        raise ProblemError("animate: the problem is one well-mixed cell; plot(solution) draws it")
    if times is None and not (isinstance(frames, (int, np.integer)) and frames >= 1):
        raise ProblemError(f"animate: frames is a number of pictures, 1 or more, got {frames!r}")
    writer = _writer(path, fps)
    name = _names(solution, name)[0]
    times = _times(solution, times, frames)
    fields = solution.at(times, name)
    fig, show = (_rectangle if grid.geometry == "rectangle" else _profile)(solution, name, fields)
    path.parent.mkdir(parents=True, exist_ok=True)
    with writer.saving(fig, str(path), dpi=110):
        for time, field in zip(times, fields, strict=True):
            show(time, field)
            writer.grab_frame()
    return path


def _writer(path, fps):
    from matplotlib.animation import FFMpegWriter, PillowWriter

    ending = path.suffix.lower()
    if ending == ".gif":
        return PillowWriter(fps=fps)
    if ending != ".mp4":
        raise ProblemError(f"animate: the file ends in .gif or .mp4, got {path.name!r}")
    if not FFMpegWriter.isAvailable():
        raise ProblemError("animate: .mp4 needs the program ffmpeg, which is not on the path; write a .gif instead")
    return FFMpegWriter(fps=fps)


def _rectangle(solution, name, fields):
    model, grid = solution.problem.model, solution.problem.grid
    height, width = grid.length
    fig, ax = figure(width=120.0, height=float(np.clip(95.0 * height / width, 45.0, 150.0)) + 12)
    image = draw_field(ax, grid, fields[0], field_map(name, kind_of(model, name)), *_limits(fields))
    ax.set_xlabel(f"x ({grid.unit})")
    ax.set_ylabel(f"y ({grid.unit})")
    _bar(fig, image, [ax], model, name)

    def show(time, field):
        image.set_data(field)
        ax.set_title(_when(model, time))

    return fig, show


def _profile(solution, name, fields):
    model, grid = solution.problem.model, solution.problem.grid
    fig, ax = figure(width=120.0, height=80.0)
    (line,) = ax.plot(grid.x, fields[0], color=colour_of(name, kind_of(model, name)), linewidth=1.8)
    low, high = _limits(fields)
    ax.set_xlim(grid.cell_edges[0][0], grid.cell_edges[0][-1])
    ax.set_ylim(low, high + 0.06 * (high - low))
    ax.set_xlabel(_place_label(grid))
    ax.set_ylabel(value_label(model, [name], unit_of(model, name)))

    def show(time, field):
        line.set_ydata(field)
        ax.set_title(_when(model, time))

    return fig, show
