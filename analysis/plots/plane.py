"""Two parameters at once: a plane in colour with labelled contours, and lines that mark a threshold."""

import numpy as np

from remission.models.errors import ProblemError, refuse_unknown_keywords

from .style import FONT, PALETTE, label, new_axes, pretty_unit

__all__ = ["mark_threshold", "plot_plane"]


@refuse_unknown_keywords
def plot_plane(x, y, values, ax=None, *, xlabel="", ylabel="", value_label="value", unit="", scale="linear",
               levels=None, critical=None, critical_label="", limits=None):  # fmt: skip
    """Values over two parameters as colour with labelled contours.

    Parameters
    ----------
    x : (nx,) array_like
    y : (ny,) array_like
    values : (ny, nx) array_like
        NaN is left white (failed).
    ax : Axes, optional
    xlabel, ylabel : str
    value_label, unit : str
        Label of the colour bar.
    scale : {"linear", "log"}
        Of the colour. Values at or below zero take the lowest colour of a logarithmic scale.
    levels : sequence of float, optional
        Contours; a few round ones if not given, none if empty.
    critical : float, optional
        One contour drawn heavily, such as one cell.
    critical_label : str
        What it means; written on it.
    limits : (low, high), optional
        Of the colour.

    Returns
    -------
    Axes

    Raises
    ------
    ProblemError
        If the shapes do not agree or there is no finite value.

    Examples
    --------
    >>> ax = plot_plane([0, 1, 2], [0, 10], [[1, 2, 3], [2, 3, 4]], xlabel="dose", ylabel="blocker", unit="cells")
    >>> ax.get_xlabel(), ax.figure.axes[1].get_ylabel()
    ('dose', 'value (cells)')
    """
    x, y, values = (np.asarray(v, dtype=float) for v in (x, y, values))
    if values.shape != (len(y), len(x)):
        raise ProblemError(f"plot_plane: values has shape {values.shape}; x and y need ({len(y)}, {len(x)})")
    if not np.isfinite(values).any():
        raise ProblemError("plot_plane: no value is finite")
    ax = new_axes(ax, width=125)
    norm, shown = _norm(values, scale, limits)
    image = ax.pcolormesh(x, y, np.ma.masked_invalid(shown), norm=norm, cmap="viridis", shading="gouraud"
                          if np.isfinite(values).all() else "nearest", rasterized=True)  # fmt: skip
    _contours(ax, x, y, shown, norm, levels, scale)
    if critical is not None:
        _critical(ax, x, y, shown, critical, critical_label)
    ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(x.min(), x.max()), ylim=(y.min(), y.max()))
    bar = ax.figure.colorbar(image, ax=ax, pad=0.02, extend=_extend(values, norm))
    bar.set_label(label(value_label, unit), fontsize=FONT["label"])
    bar.ax.tick_params(labelsize=FONT["tick"])
    bar.outline.set_visible(False)
    return ax


def _norm(values, scale, limits):
    from matplotlib.colors import LogNorm, Normalize

    finite = values[np.isfinite(values)]
    if scale == "linear":
        low, high = limits or (finite.min(), finite.max())
        return Normalize(low, high if high > low else low + 1), values
    if scale != "log":
        raise ProblemError(f"plot_plane: scale is 'linear' or 'log', got {scale!r}")
    positive = finite[finite > 0]
    if not len(positive):
        raise ProblemError("plot_plane: scale='log' needs a value above 0")
    low, high = limits or (max(positive.min(), positive.max() * 1e-12), positive.max())
    norm = LogNorm(low, high if high > low else 10 * low)
    return norm, np.where(np.isfinite(values), np.maximum(values, low), values)


def _extend(values, norm):
    below, above = np.nanmin(values) < norm.vmin * (1 - 1e-9), np.nanmax(values) > norm.vmax * (1 + 1e-9)
    return "both" if below and above else "min" if below else "max" if above else "neither"


def _contours(ax, x, y, values, norm, levels, scale):
    from matplotlib.ticker import LogLocator, MaxNLocator

    if levels is None:
        if scale == "log":
            decades = np.log10(norm.vmax / norm.vmin)
            levels = (
                LogLocator(10.0, numticks=7).tick_values(norm.vmin, norm.vmax)
                if decades > 2
                else (MaxNLocator(5).tick_values(norm.vmin, norm.vmax))
            )
        else:
            levels = MaxNLocator(6).tick_values(norm.vmin, norm.vmax)
    inside = [v for v in levels if np.nanmin(values) < v < np.nanmax(values)]
    if not inside or min(values.shape) < 2:
        return
    lines = ax.contour(x, y, values, levels=inside, colors="white", linewidths=0.8)
    ax.clabel(lines, fontsize=FONT["tick"], fmt=_number)


def _number(value):
    if value != 0 and not 1e-2 <= abs(value) < 1e4:
        return f"$10^{{{np.log10(value):.0f}}}$" if abs(np.log10(abs(value)) % 1) < 1e-9 else f"{value:.1e}"
    return f"{value:g}"


def _critical(ax, x, y, values, critical, text):
    if not np.nanmin(values) < critical < np.nanmax(values):
        return
    line = ax.contour(x, y, values, levels=[critical], colors=[PALETTE["vermilion"]], linewidths=2.2)
    if text:
        for words in ax.clabel(line, fontsize=FONT["legend"], fmt=lambda _: text, inline_spacing=6):
            words.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.85})
            words.set_color("#A34700")


@refuse_unknown_keywords
def mark_threshold(ax, value, text="", *, axis="x", unit="", interval=None, colour=None):
    """A line at a threshold or critical value, with its interval and a label beside it that covers no curve.

    Parameters
    ----------
    ax : Axes
        Everything else is drawn on it already.
    value : float
    text : str
        What it is; the value and unit are added.
    axis : {"x", "y"}
        Axis that the value belongs to.
    unit : str
    interval : (low, high), optional
        Shaded.
    colour : str, optional

    Returns
    -------
    Text
        The label.

    Examples
    --------
    >>> from remission.analysis.plots.style import figure
    >>> fig, ax = figure()
    >>> line = ax.plot([0, 1], [0, 1])
    >>> mark_threshold(ax, 0.3339, "critical dose").get_text()
    'critical dose\\n0.334'
    """
    from .legend import obstacles

    if axis not in ("x", "y"):
        raise ProblemError(f"mark_threshold: axis is 'x' or 'y', got {axis!r}")
    colour = colour or PALETTE["wine"]
    along = ax.axvline if axis == "x" else ax.axhline
    if interval is not None:
        band = (ax.axvspan if axis == "x" else ax.axhspan)(*interval, color=colour, alpha=0.12, linewidth=0)
        band.set_gid("background")
    ax.figure.figure.draw_without_rendering()
    points = obstacles(ax)
    along(value, color=colour, linestyle=(0, (4, 2)), linewidth=1.2, zorder=1.8)
    printed = f"{value:.3g} {pretty_unit(unit)}".strip()
    words = f"{text}\n{printed}" if text else printed
    return _beside(ax, value, words, axis, colour, points)


def _beside(ax, value, words, axis, colour, points):
    """The first place along the line where the words cover nothing."""
    renderer, frame = ax.figure.figure.canvas.get_renderer(), ax.get_window_extent()
    if axis == "x":
        coords, spots = ("data", "axes fraction"), [(f, s) for f in (0.97, 0.8, 0.6, 0.4, 0.2) for s in (1, -1)]
    else:
        coords, spots = ("axes fraction", "data"), [(f, s) for f in (0.03, 0.97, 0.5, 0.3, 0.7) for s in (1, -1)]
    drawn = None
    for part, side in spots:
        where = (value, part) if axis == "x" else (part, value)
        shift = (4 * side, 0) if axis == "x" else (0, 3 * side)
        look = (
            {"ha": "left" if side > 0 else "right", "va": "top"}
            if axis == "x"
            else {"ha": "left" if part < 0.5 else "right", "va": "bottom" if side > 0 else "top"}
        )
        text = ax.annotate(words, where, xycoords=coords, xytext=shift, textcoords="offset points",
                           fontsize=FONT["note"], color=colour, **look)  # fmt: skip
        box = text.get_window_extent(renderer)
        x, y = points.T
        free = not np.any((x > box.x0) & (x < box.x1) & (y > box.y0) & (y < box.y1))
        if free and box.x0 >= frame.x0 - 1 and box.x1 <= frame.x1 + 1 and box.y0 >= frame.y0 - 1:
            if drawn is not None:
                drawn.remove()
            return text
        if drawn is None:
            drawn = text
        else:
            text.remove()
    return drawn
