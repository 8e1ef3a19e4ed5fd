"""Marks with words beside them that cover neither lines nor each other."""

import numpy as np

from .style import FONT

__all__ = ["place_spots"]

DISTANCES = (9.0, 16.0, 26.0, 40.0, 60.0)  # points
ANGLES = np.deg2rad([35, 145, -35, -145, 90, -90, 0, 180, 65, -65, 115, -115])


def place_spots(ax, spots, colour):
    """Mark points and write words where they cover least.

    Parameters
    ----------
    ax : Axes
        With its lines drawn and its limits set.
    spots : list of (x, y, marker, words)
    colour : str

    Returns
    -------
    list of Annotation
    """
    if ax.figure.get_layout_engine() is not None:
        ax.figure.draw_without_rendering()  # the axes take their place, by which the words are laid out
    x_low, x_high = sorted(ax.get_xlim())
    y_low, y_high = sorted(ax.get_ylim())
    spots = [s for s in spots if x_low <= s[0] <= x_high and y_low <= s[1] <= y_high]
    for x, y, marker, _ in spots:
        ax.plot([x], [y], linestyle="none", marker=marker, markersize=5.5, color=colour, markerfacecolor="white",
                markeredgewidth=1.3, zorder=5)  # fmt: skip
    lines = _pixels(ax)
    where = ax.transData.transform([(x, y) for x, y, _, _ in spots]) if spots else np.zeros((0, 2))
    lines = np.concatenate([lines, np.repeat(where, 8, axis=0)])
    frame, boxes, notes = ax.bbox.extents, [], []
    point = ax.figure.dpi / 72
    for (x, y, _, words), at in zip(spots, where, strict=True):
        wide, tall = 0.56 * FONT["note"] * len(words) * point, 1.25 * FONT["note"] * point
        best = min(
            ((d, a) for d in DISTANCES for a in ANGLES),
            key=lambda c: _cost(_box(at, *c, wide, tall, point), lines, boxes, frame) + 0.15 * c[0] / DISTANCES[0],
        )
        boxes.append(_box(at, *best, wide, tall, point))
        offset = best[0] * np.cos(best[1]), best[0] * np.sin(best[1])
        side = "left" if offset[0] > 1 else "right" if offset[0] < -1 else "center"
        level = "bottom" if offset[1] > 1 else "top" if offset[1] < -1 else "center"
        leader = {"arrowstyle": "-", "linewidth": 0.6, "color": "#7F7F7F", "shrinkA": 1, "shrinkB": 4}
        notes.append(
            ax.annotate(words, (x, y), offset, textcoords="offset points", ha=side, va=level, fontsize=FONT["note"],
                        arrowprops=leader if best[0] > DISTANCES[1] else None, zorder=6)
        )  # fmt: skip
    return notes


def _box(at, distance, angle, wide, tall, point):
    dx, dy = distance * np.cos(angle) * point, distance * np.sin(angle) * point
    left = at[0] + dx - (0 if dx > point else wide if dx < -point else wide / 2)
    bottom = at[1] + dy - (0 if dy > point else tall if dy < -point else tall / 2)
    return left, bottom, left + wide, bottom + tall


def _cost(box, lines, boxes, frame):
    inside = (lines[:, 0] > box[0]) & (lines[:, 0] < box[2]) & (lines[:, 1] > box[1]) & (lines[:, 1] < box[3])
    over = sum(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in boxes)
    out = box[0] < frame[0] or box[2] > frame[2] or box[1] < frame[1] or box[3] > frame[3]
    return float(np.sum(inside)) + 40 * over + 200 * out


def _pixels(ax):
    """Points of all lines on the screen, close enough together that no box slips between them."""
    found = []
    for line in ax.get_lines():
        xy = np.column_stack([np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)])
        xy = ax.transData.transform(xy)
        steps = np.linalg.norm(np.diff(xy, axis=0), axis=1) if len(xy) > 1 else np.zeros(0)
        for a, b, length in zip(xy[:-1], xy[1:], steps, strict=True):
            if np.isfinite(length):
                part = np.linspace(0, 1, min(int(length / 4) + 2, 200))[:, None]
                found.append(a + part * (b - a))
    return np.concatenate(found) if found else np.zeros((0, 2))
