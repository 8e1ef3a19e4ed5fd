"""Legends that cover no data: every corner is tried against what is drawn, then room is made above or beside."""

import numpy as np

from .style import FONT

__all__ = ["obstacles", "place_legend", "replace_legends"]

CORNERS = (
    "upper right",
    "upper left",
    "lower right",
    "lower left",
    "center right",
    "center left",
    "upper center",
    "lower center",
)
MARK = "remission legend"
WIDEST = 0.22  # part of the width of the figure that a legend on the right may take
TALLEST = 0.4  # part of the height that a legend may take when room is made above the data


def obstacles(ax) -> np.ndarray:
    """Points in pixels that a legend must not cover: lines, markers, bars, bands, contours and texts.

    Full-height shading (a drug that is given) is background and may lie behind a legend.

    Parameters
    ----------
    ax : Axes

    Returns
    -------
    (n, 2) array
    """
    frame = ax.get_window_extent().padded(1)
    found = [np.empty((0, 2))]

    def keep(points, artist):  # what is cut off at the frame cannot be covered
        points = points[np.all(np.isfinite(points), axis=1)]
        if artist.get_clip_on():
            (x, y), (low, high) = points.T, frame.get_points()
            points = points[(x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1])]
        found.append(points)

    for line in ax.lines:
        if line.get_visible():
            keep(_along(line.get_transform().transform(line.get_xydata())), line)
    for collection in ax.collections:
        if collection.get_visible() and collection.get_gid() != "background":
            keep(_collection_points(collection), collection)
    for patch in ax.patches:
        if patch.get_visible() and patch.get_gid() != "background":
            keep(_filled(patch.get_window_extent()), patch)
    for text in ax.texts:
        if text.get_visible() and text.get_text():
            keep(_filled(text.get_window_extent()), text)
    for image in ax.images:
        keep(_filled(image.get_window_extent()), image)
    return np.concatenate(found)


def _along(points):
    """Points no more than three pixels apart along a path."""
    if len(points) < 2:
        return points
    gaps = np.nan_to_num(np.max(np.abs(np.diff(points, axis=0)), axis=1), nan=0.0, posinf=0.0)
    pieces = [points]
    for i in np.flatnonzero(gaps > 3):
        part = np.linspace(0, 1, min(int(gaps[i] / 3) + 2, 2000))[:, None]
        pieces.append(points[i] + part * (points[i + 1] - points[i]))
    return np.concatenate(pieces)


def _filled(box):
    """A grid of points over a rectangle, dense enough that no legend slips between them."""
    if not np.all(np.isfinite([box.x0, box.x1, box.y0, box.y1])):
        return np.empty((0, 2))
    across = np.linspace(box.x0, box.x1, int(np.clip(box.width / 6, 2, 150)))
    up = np.linspace(box.y0, box.y1, int(np.clip(box.height / 6, 2, 150)))
    return np.array(np.meshgrid(across, up)).reshape(2, -1).T


def _collection_points(collection):
    offsets = np.ma.filled(np.ma.asarray(collection.get_offsets(), dtype=float), np.nan)
    paths = collection.get_paths()
    if len(offsets) and hasattr(collection, "get_sizes") and len(collection.get_sizes()):
        return collection.get_offset_transform().transform(offsets)
    transform, found = collection.get_transform(), [np.empty((0, 2))]
    for path in paths:
        if not len(path.vertices):
            continue
        points = _along(transform.transform_path(path).vertices)
        found.append(points)
        if len(points) > 2 and collection.get_facecolor().size:
            found.append(_inside(points))
    return np.concatenate(found)


def _inside(points):
    """Points between the upper and the lower edge of a band, column by column."""
    points = points[np.all(np.isfinite(points), axis=1)]
    if not len(points):
        return points
    columns = np.round(points[:, 0] / 4).astype(int)
    found = []
    for column in np.unique(columns):
        y = points[columns == column, 1]
        up = np.linspace(y.min(), y.max(), int(np.clip((y.max() - y.min()) / 6, 2, 150)))
        found.append(np.column_stack([np.full(len(up), 4.0 * column), up]))
    return np.concatenate(found)


def place_legend(ax, handles=None, labels=None, **options):
    """Draw the legend of an axes where it covers no data.

    The corners and sides are tried in turn; where none is free the axis is made higher for a short legend, and a
    tall one goes outside on the right.

    Parameters
    ----------
    ax : Axes
    handles, labels : sequence, optional
        What the legend shows; everything with a label if not given.
    **options
        Passed to `Axes.legend`, such as `title`, `ncols` or `fontsize`; `outside=True` for axes that are filled.

    Returns
    -------
    Legend or None
        None where nothing has a label.

    Examples
    --------
    >>> from remission.analysis.plots.style import figure
    >>> fig, ax = figure()
    >>> line = ax.plot([0, 1], [0, 1], label="burden")
    >>> place_legend(ax).get_texts()[0].get_text()
    'burden'
    """
    if handles is None:
        handles, labels = ax.get_legend_handles_labels()
    if not len(handles):
        return None
    look = {
        "fontsize": FONT["legend"],
        "frameon": False,
        "borderaxespad": 0.4,
        "handlelength": 2.2,
        "labelspacing": 0.35,
        "borderpad": 0.2,
    } | options
    look.setdefault("title_fontsize", FONT["legend"])
    memory = (tuple(handles), tuple(labels), dict(options))
    legend = _first_free(ax, handles, labels, look)
    legend.set_gid(MARK)
    legend.remission_memory = memory
    return legend


def _first_free(ax, handles, labels, look):
    if ax.get_legend() is not None:
        ax.get_legend().remove()
    if look.pop("outside", False):
        return _outside(ax, handles, labels, look)
    before = ax.get_ylim()
    legend = _in_a_corner(ax, handles, labels, look)
    if legend is None and _make_room(ax, handles, labels, look):
        legend = _in_a_corner(ax, handles, labels, look)
    if legend is None:
        ax.set_ylim(before)
        legend = _outside(ax, handles, labels, look)
    return legend


def _outside(ax, handles, labels, look):
    """On the right where it is narrow, else in columns below the axis label."""
    look = {k: v for k, v in look.items() if k not in ("loc", "bbox_to_anchor")}
    right = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0)}
    legend = ax.legend(handles, labels, **right, **look)
    legend.set_in_layout(False)  # only measured so far
    wide, room = legend.get_window_extent(_renderer(ax)).width, _slot(ax)
    if wide < WIDEST * room:
        legend.set_in_layout(True)
        return legend
    legend.remove()
    renderer = _renderer(ax)
    drop = ax.get_window_extent().y0 - ax.xaxis.get_tightbbox(renderer).y0  # pixels of tick labels and axis label
    size = look["fontsize"] * ax.figure.figure.dpi / 72
    # a distance in font sizes stays right when the legend makes the axes lower
    look = {"ncols": max(1, int(0.95 * room / wide))} | look | {"borderaxespad": max(drop, 0) / size + 0.4}
    return ax.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, 0.0), **look)


def _slot(ax):
    """Width in pixels of the part of the figure that belongs to an axes."""
    spec = ax.get_subplotspec()
    columns = spec.get_gridspec().ncols / len(spec.colspan) if spec is not None else 1
    return ax.figure.bbox.width / columns


def _renderer(ax):
    root = ax.figure.figure
    root.draw_without_rendering()  # the layout decides how large the axes are
    return root.canvas.get_renderer()


def _in_a_corner(ax, handles, labels, look):
    """The legend at the first corner or side where it covers nothing, else None."""
    renderer = _renderer(ax)
    points = obstacles(ax)
    for corner in CORNERS:
        legend = ax.legend(handles, labels, loc=corner, **look)
        box = legend.get_window_extent(renderer).padded(3)
        if _within(ax, box) and not _covers(box, points):
            return legend
    legend.remove()
    return None


def _within(ax, box):
    frame = ax.get_window_extent()
    return box.width <= frame.width + 6 and box.height <= frame.height + 6


def _covers(box, points):
    x, y = points.T
    return bool(np.any((x > box.x0) & (x < box.x1) & (y > box.y0) & (y < box.y1)))


def _make_room(ax, handles, labels, look):
    """Raise the upper limit of the y axis so that the legend fits above the data; False where that is too much."""
    legend = ax.legend(handles, labels, loc="upper left", **look)
    box, frame, points = legend.get_window_extent(_renderer(ax)), ax.get_window_extent(), obstacles(ax)
    legend.remove()
    strips = [p.get_window_extent().y0 for p in ax.patches if p.get_gid() == "strip"]
    ceiling = min([frame.y1, *strips])
    points = points[(points[:, 0] >= frame.x0) & (points[:, 0] <= frame.x1)]
    heights = points[(points[:, 1] < ceiling - 1) & (points[:, 1] >= frame.y0), 1] - frame.y0
    free = ceiling - frame.y0 - box.height - 10
    refused = box.width > frame.width or box.height > TALLEST * frame.height or ax.yaxis_inverted() or ax.images
    if refused or not len(heights) or heights.max() <= free:
        return False
    stretched = frame.y0 + heights.max() / free * frame.height
    ax.set_ylim(top=ax.transData.inverted().transform((frame.x0, stretched))[1])
    return True


def replace_legends(fig) -> None:
    """Place again every legend of a figure that `place_legend` placed.

    Parameters
    ----------
    fig : Figure
    """
    for ax in fig.axes:
        legend = ax.get_legend()
        if legend is not None and legend.get_gid() == MARK:
            handles, labels, options = legend.remission_memory
            place_legend(ax, handles, labels, **options)
