"""Which way a plane flows: lines along the flow or arrows, even on the page whatever the scales of the axes."""

import numpy as np

__all__ = ["draw_arrows", "draw_flow_lines"]

LOOK = {"color": "#9A9A9A", "alpha": 0.75}
CELLS = 60
SHORTEST = 0.08  # of the plane: a shorter line gets no arrow head


def draw_flow_lines(ax, plane, density=0.85):
    """Lines along the flow with an arrow head on each.

    Parameters
    ----------
    ax : Axes
        Its limits are those of the plane.
    plane : Plane
    density : float
        As in `Axes.streamplot`.
    """
    from matplotlib.collections import LineCollection

    lines = [_in_plane(plane, line) for line in _streams(plane, density)]
    drawn = LineCollection([data for _, data in lines], linewidths=0.6, zorder=1.2, **LOOK)
    drawn.set_gid("background")
    ax.add_collection(drawn, autolim=False)
    for unit, data in lines:
        far = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(unit, axis=0), axis=1))])
        if far[-1] > SHORTEST:
            i = int(np.clip(np.searchsorted(far, 0.5 * far[-1]), 1, len(far) - 1))
            _head(ax, data[i - 1], data[i])


def _head(ax, tail, tip):
    ax.annotate(
        "", xy=tip, xytext=tail, zorder=1.25,
        arrowprops={"arrowstyle": "-|>,head_width=0.13,head_length=0.26", "linewidth": 0.0, "shrinkA": 0, "shrinkB": 0,
                    **LOOK},
    )  # fmt: skip


def _streams(plane, density):
    """Stream lines in parts of the plane, as (m, 2) arrays."""
    from matplotlib.figure import Figure

    side = np.linspace(0, 1, CELLS)
    u, v = np.meshgrid(side, side)
    flow = plane.velocity()(plane.from_unit(0, u), plane.from_unit(1, v))
    flow = np.where(np.isfinite(flow), flow, 0.0)
    size = np.linalg.norm(flow, axis=0)
    flow = flow / np.where(size > 0, size, 1.0)  # the speed may span many decades; lines need the direction alone
    scratch = Figure().add_subplot()
    segments = scratch.streamplot(side, side, *flow, density=density, broken_streamlines=True).lines.get_segments()
    lines = []
    for segment in segments:
        if lines and np.array_equal(lines[-1][-1], segment[0]):
            lines[-1].extend(segment[1:])
        else:
            lines.append(list(segment))
    return [np.array(line) for line in lines]


def _in_plane(plane, line):
    return line, np.column_stack([plane.from_unit(i, line[:, i]) for i in (0, 1)])


def draw_arrows(ax, plane, across=19, up=14):
    """Arrows of one length on an even grid.

    Parameters
    ----------
    ax : Axes
        Its limits are those of the plane.
    plane : Plane
    across, up : int
        How many.
    """
    u, v = np.meshgrid((np.arange(across) + 0.5) / across, (np.arange(up) + 0.5) / up)
    x, y = plane.from_unit(0, u), plane.from_unit(1, v)
    flow = plane.velocity()(x, y)
    box = ax.get_window_extent()
    page = flow * np.array([box.width, box.height])[:, None, None]
    with np.errstate(all="ignore"):
        page = page / np.linalg.norm(page, axis=0)
    drawn = ax.quiver(
        x, y, *page, angles="uv", pivot="mid", scale_units="width", scale=across * 1.7, width=0.0022, headwidth=4.5,
        headlength=5, headaxislength=4.5, zorder=1.2, **LOOK,
    )  # fmt: skip
    drawn.set_gid("background")
