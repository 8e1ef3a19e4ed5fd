"""Fields in space: profiles at several times, maps of time and place, panels of a rectangle."""

import numpy as np

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords

from .legend import place_legend
from .names import default_names, kind_of, legend_text, plain, unit_of, value_label
from .style import FONT, colour_of, figure, label, line_of, new_axes, pretty_unit, same_unit, style_axes, time_label
from .treatment import note

__all__ = ["field_map", "plot_fields"]

KINDS = {"line": ("profiles", "map", "mean"), "rectangle": ("panels", "mean")}
FEWEST, MOST = 0.25, 1.0  # strength of the colour at the first and last time


@refuse_unknown_keywords
def plot_fields(solution, ax=None, *, names=None, kind=None, times=None, level=None, legend=True):
    """Draw a solution on a grid; `plot(solution)` calls this.

    Parameters
    ----------
    solution : Solution
        A failed one is drawn up to where it ended.
    ax : Axes, optional
        Of `"panels"` for one name at one time.
    names : str or list of str, optional
        States or observables. By default the tumour states, for a map the first of them.
    kind : {"profiles", "map", "panels", "mean"}, optional
        Values over the position at some times (default for line, disc and ball); values over time and position;
        values over a rectangle at some times (default there); means over the grid over time.
    times : sequence of float, optional
        Of profiles and panels; by default the start, the end and even times between.
    level : float, optional
        Line on a map or panels where the field has this value: the front.
    legend : bool

    Returns
    -------
    Axes
        Of panels the first; `ax.figure.axes` are all.

    Raises
    ------
    ProblemError
        If the problem is one cell, a name is unknown, or a kind does not fit the grid.

    Examples
    --------
    >>> from remission.models import glioma_invasion
    >>> from remission.solvers import Grid, Problem, solve
    >>> seed = {"c": lambda x: 1.0 * (x < 3)}
    >>> solution = solve(Problem(glioma_invasion(), t_span=(0, 600), grid=Grid(100, 60.0), initial=seed))
    >>> ax = plot_fields(solution)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('position (mm)', 'cells / carrying capacity')
    >>> plot_fields(solution, kind="map", level=0.5).get_ylabel()
    'position (mm)'
    """
    grid = solution.problem.grid
    if not grid.spatial:
        raise ProblemError("plot_fields: the problem is one well-mixed cell; plot_solution draws it")
    known = KINDS["rectangle" if grid.geometry == "rectangle" else "line"]
    kind = known[0] if kind is None else kind
    if kind not in known:
        raise ProblemError(f"plot: {kind!r} is no figure of a {grid.geometry}; {did_you_mean(str(kind), known)}")
    if kind == "mean":
        from .solution import plot_solution

        return plot_solution(solution, ax, names=names, legend=legend)
    names = _names(solution, names)
    if kind == "map":
        return _map(solution, ax, names, level)
    times = _times(solution, times, 4 if kind == "panels" else 6)
    if kind == "panels":
        return _panels(solution, ax, names, times, level)
    return _profiles(solution, ax, names, times, legend)


def field_map(name, kind):
    """Colour map of a field, from white to the colour of its clone.

    Parameters
    ----------
    name : str
    kind : str
        As in `colour_of`.

    Returns
    -------
    matplotlib.colors.Colormap

    Examples
    --------
    >>> from matplotlib.colors import to_hex
    >>> to_hex(field_map("S", "tumour")(1.0)), to_hex(field_map("S", "tumour")(0.0))
    ('#003959', '#ffffff')
    """
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    colour = np.array(to_rgb(colour_of(name, kind)))
    stops = ["white", tuple(colour)]
    if colour @ (0.3, 0.59, 0.11) > 0.2:  # a colour that is not dark by itself: so that high values are told apart
        stops.append(tuple(0.5 * colour))
    return LinearSegmentedColormap.from_list(f"field of {name}", stops)


# --- profiles ---------------------------------------------------------------------------------------------------------


def _profiles(solution, ax, names, times, legend):
    model, grid = solution.problem.model, solution.problem.grid
    unit = _one_unit(model, names)
    ax = new_axes(ax)
    strengths = np.linspace(FEWEST, MOST, len(times)) if len(times) > 1 else [MOST]
    for name in names:
        colour, style = colour_of(name, kind_of(model, name)), "-" if len(names) == 1 else line_of(name)
        for time, field, strength in zip(times, solution.at(times, name), strengths, strict=True):
            text = _when(model, time) if len(names) == 1 else None
            shade = _pale(colour, strength)
            ax.plot(grid.x, field, color=shade, linestyle=style, linewidth=1.6, label=text, gid=name)
        if len(names) > 1:
            ax.plot([], [], color=colour, linestyle=style, label=legend_text(model, name, names))
    values = np.concatenate([line.get_ydata() for line in ax.lines])
    if np.nanmin(values) >= -1e-3 * np.nanmax(np.abs(values)):
        ax.set_ylim(0, (np.nanmax(values) or 1.0) * 1.06)
    ax.set_xlim(grid.cell_edges[0][0], grid.cell_edges[0][-1])
    ax.set_xlabel(_place_label(grid))
    ax.set_ylabel(value_label(model, names, unit))
    if len(names) > 1 and len(times) > 1:
        ax.set_title(f"pale to full: {', '.join(_when(model, t) for t in times)}", fontsize=FONT["note"])
    if not solution.success:
        note(ax, f"ended early: {solution.status}")
    if legend and (len(names) > 1 or len(times) > 1):
        place_legend(ax)
    return ax


def _pale(colour, strength):
    from matplotlib.colors import to_rgb

    return tuple(1 - strength * (1 - np.array(to_rgb(colour))))


# --- map of time and place --------------------------------------------------------------------------------------------


def _map(solution, ax, names, level):
    if len(names) > 1:
        names = names[:1]
    name, (model, grid) = names[0], (solution.problem.model, solution.problem.grid)
    ax = new_axes(ax)
    first, last = solution.problem.t_span
    edges = np.linspace(first, last, 201)
    middles = 0.5 * (edges[1:] + edges[:-1])
    values = solution.at(middles, name)
    low, high = _limits(values)
    image = ax.pcolormesh(
        edges, grid.cell_edges[0], values.T, cmap=field_map(name, kind_of(model, name)), vmin=low, vmax=high,
        rasterized=True,
    )  # fmt: skip
    _contour(ax, middles, grid.x, values.T, level)
    ax.set_xlabel(time_label(model.time_unit))
    ax.set_ylabel(_place_label(grid))
    _bar(ax.figure, image, [ax], model, name)
    if not solution.success:
        note(ax, f"ended early: {solution.status}")
    return ax


# --- panels of a rectangle --------------------------------------------------------------------------------------------


def _panels(solution, ax, names, times, level):
    model, grid = solution.problem.model, solution.problem.grid
    if ax is not None:
        if len(names) * len(times) > 1:
            raise ProblemError("plot: one axes shows one name at one time; give names='...' and times=[t], or no ax")
        panels = np.array([[style_axes(ax)]])
    else:
        height, width = grid.length
        wide = 180.0 if len(times) > 2 else 60.0 * len(times) + 30
        tall = max(18.0, ((wide - 28) / len(times) - 4) * height / width)
        _, axes = figure(
            len(times), len(names), width=wide, height=(tall + 3) * len(names) + 15, sharex=True, sharey=True
        )
        panels = np.reshape(axes, (len(names), len(times)))
    for number, (row, name) in enumerate(zip(panels, names, strict=True)):
        fields = solution.at(times, name)
        low, high = _limits(fields)
        for place, time, field in zip(row, times, fields, strict=True):
            image = draw_field(place, grid, field, field_map(name, kind_of(model, name)), low, high)
            _contour(place, grid.x, grid.y, field, level)
            if number == 0:
                place.set_title(_when(model, time))
        row[0].set_ylabel(f"y ({grid.unit})")
        _bar(row[0].figure, image, list(row), model, name, short=True)
    for place in panels[-1]:
        place.set_xlabel(f"x ({grid.unit})")
    if not solution.success:
        note(panels[0, 0], f"ended early: {solution.status}")
    return panels[0, 0]


def draw_field(ax, grid, field, colours, low, high):
    """One field of a rectangle with equal scales along x and y.

    Parameters
    ----------
    ax : Axes
    grid : Grid
    field : (ny, nx) array
    colours : Colormap
    low, high : float

    Returns
    -------
    AxesImage
    """
    height, width = grid.length
    image = ax.imshow(
        field, origin="lower", extent=(0, width, 0, height), cmap=colours, vmin=low, vmax=high, aspect="equal",
        interpolation="nearest",
    )  # fmt: skip
    for side in ("top", "right"):
        ax.spines[side].set_visible(True)
    return image


# --- small helpers ----------------------------------------------------------------------------------------------------


def _contour(ax, x, y, values, level):
    inside = values[np.isfinite(values)]
    if level is not None and inside.size and inside.min() < level < inside.max():
        from matplotlib.patheffects import withStroke

        line = ax.contour(x, y, values, levels=[level], colors="#222222", linewidths=0.9)
        line.set_path_effects([withStroke(linewidth=2.2, foreground="white")])


def _limits(values):
    inside = values[np.isfinite(values)]
    if not inside.size:
        return 0.0, 1.0
    low, high = float(inside.min()), float(inside.max())
    low = 0.0 if low >= -1e-3 * max(abs(high), 1e-300) else low
    return low, high if high > low else low + 1.0


def _bar(figure_of, image, axes, model, name, short=False):
    bar = figure_of.colorbar(image, ax=axes, pad=0.02, aspect=24)
    unit = unit_of(model, name)
    text = value_label(model, [name], unit)
    bar.set_label(label(plain(name), unit) if short or len(text) > 38 else text, fontsize=FONT["label"])
    bar.ax.tick_params(labelsize=FONT["tick"])
    bar.outline.set_linewidth(0.6)
    return bar


def _names(solution, names):
    model, inputs = solution.problem.model, solution.problem.system.inputs
    names = default_names(model) if names is None else names
    names = [names] if isinstance(names, str) or hasattr(names, "info") else list(names)
    names = [str(getattr(n, "name", n)) for n in names]
    known = [n for n in solution.names if n not in inputs]
    for name in names:
        if name in inputs:
            raise ProblemError(f"plot: {name} is an input, the same everywhere; kind='mean' shows what was given")
        if name not in known:
            raise ProblemError(f"plot: {model.name} has nothing named {name!r}; {did_you_mean(name, known)}")
    if not names:
        raise ProblemError(f"plot: names is empty; {model.name} has {', '.join(known)}")
    return list(dict.fromkeys(names))


def _one_unit(model, names):
    units = [unit_of(model, n) for n in names]
    for name, unit in zip(names, units, strict=True):
        if not same_unit(unit, units[0]):
            raise ProblemError(f"plot: one axis cannot show {names[0]} in {units[0]!r} and {name} in {unit!r}")
    return units[0]


def _times(solution, times, count):
    first, last = solution.problem.t_span
    if times is None:
        reached = solution.trace.segments[-1].end if solution.trace.segments else first
        times = np.linspace(first, last if solution.success else reached, count)
        if solution.problem.grid.geometry == "rectangle":  # fields are kept at output times
            there = solution.t[solution.t <= times[-1]]
            times = np.unique(there[np.argmin(np.abs(there[:, None] - times), axis=0)])
    times = np.atleast_1d(np.asarray(times, dtype=float))
    if not times.size or times.min() < first or times.max() > last:
        raise ProblemError(f"plot: times lie between {first:g} and {last:g}, got {times.tolist()}")
    return times


def _place_label(grid):
    return label("position" if grid.geometry == "line" else "distance from the centre", grid.unit)


def _when(model, time):
    unit = pretty_unit(model.time_unit)
    return f"{time:.4g} {unit}" if unit else f"t = {time:.4g}"
