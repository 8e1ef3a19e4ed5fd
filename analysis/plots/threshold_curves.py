"""Thresholds over two parameters: curves by kind, the parts between them filled and named."""

import itertools

import numpy as np

from remission.models.errors import ProblemError, refuse_unknown_keywords

from .branches import MARKS, _parameter_label
from .legend import place_legend
from .names import plain
from .spots import place_spots
from .style import FONT, PALETTE, label, log_ticks, new_axes

__all__ = ["plot_threshold_curve"]

LOOKS = {  # kind -> colour, line
    "curative dose": ("green", (0, (5, 1.4, 1, 1.4))),
    "clone dose": ("sky", (0, (5, 1.4, 1, 1.4))),
    "fold dose": ("blue", "-"),
    "critical blockade": ("blue", "-"),
    "fold": ("grey", "-"),
    "onset of cycles": ("vermilion", (0, (5, 1.6))),
}
FILLS = {  # first words of a region -> colour
    "cleared": "#DCEFE6", "depends": "#FBF0D2", "grows back and": "#EBDDE6", "grows back to": "#EFC4AE",
    "grows back": "#F8DFD3",
    "not known": "#EDEDED", "0": "#F8DFD3", "1": "#E6EEF5", "2": "#C9DCEB",
}  # fmt: skip
SIDES = {  # kind that is found anew at each value -> words below it and above it
    "residual disease": ("cleared", "grows back"),
    "minimal duration": ("grows back after it", "cleared"),
    "latest surgery": ("relapse prevented", "too late"),
    "curative dose": ("grows back", "a rare tumour is cleared"),
    "threshold size": ("rescue unlikely", "rescue likely"),
}


@refuse_unknown_keywords
def plot_threshold_curve(
    result, ax=None, *, regions=True, points=True, legend=True, xscale="linear", scale="linear", n=240
):
    """A threshold of one parameter over another, special points marked, what becomes of the tumour between.

    Parameters
    ----------
    result : ThresholdCurve
        Its second parameter, `against`, on the horizontal axis.
    ax : Axes, optional
    regions : bool
        Fill and name the parts of the plane.
    points : bool
        Mark cusps, turning points and changes of criticality.
    legend : bool
    xscale, scale : {"linear", "log"}
        Regions are filled on linear axes.
    n : int
        Cells of the picture of the regions each way.

    Returns
    -------
    Axes

    Raises
    ------
    ProblemError
        If the curve has no piece.

    Examples
    --------
    >>> from remission.analysis import threshold_curve
    >>> from remission.models import paracrine_loop
    >>> from remission.solvers import Problem
    >>> ax = plot_threshold_curve(threshold_curve(Problem(paracrine_loop()), "B", "e", (0.34, 1.0), within=(0, 100)))
    >>> ax.get_legend_handles_labels()[1]
    ['critical blockade']
    """
    if not len(result):
        raise ProblemError(f"plot: the curve of {result.of} over {result.against} has no piece to draw")
    ax = new_axes(ax, width=125)
    named = set()
    for piece in result:
        colour, style = LOOKS.get(piece.kind, ("black", "-"))
        words = piece.kind if piece.kind not in named else None
        named.add(piece.kind)
        ax.plot(*_smooth(piece), color=PALETTE[colour], linestyle=style, linewidth=1.6, label=words,
                zorder=3)  # fmt: skip
    ax.set_xscale(xscale)
    ax.set_yscale(scale)
    for axis in (ax.xaxis, ax.yaxis):
        log_ticks(axis)
    ax.set_xlabel(_label(result.problem, result.against))
    ax.set_ylabel(_label(result.problem, result.of))
    _limits(ax, result)
    if regions and xscale == scale == "linear":
        _regions(ax, result, n)
    if points:
        place_spots(ax, [(p[result.against], p[result.of], MARKS.get(p.kind, "o"), _words(p)) for p in result.points],
                    PALETTE["black"])  # fmt: skip
    if legend:
        place_legend(ax)
    return ax


def _smooth(piece):
    """Points of a piece, between those found one by one by their values and slopes."""
    x, y, slopes = piece.against, piece.values, piece.slopes
    known = np.isfinite(y)
    if len(slopes) != len(x) or not np.all(np.isfinite(slopes[known])) or known.sum() < 2:
        return x, y
    from scipy.interpolate import CubicHermiteSpline

    fine = [np.linspace(a, b, 9)[:-1] for a, b in itertools.pairwise(x)]
    fine = np.append(np.concatenate(fine), x[-1])
    drawn = CubicHermiteSpline(x[known], y[known], slopes[known])(fine)
    hidden = np.interp(fine, x, np.where(known, 0.0, 1.0)) > 0  # beside a value that was not found
    return fine, np.where(hidden, np.nan, drawn)


def _words(point):
    return {"change of criticality": "criticality changes"}.get(point.kind, point.kind)


def _label(problem, name):
    model = problem.model
    if any(s.name == name for s in (*model.parameters, *model.inputs)):
        return _parameter_label(model, name)
    state = next((s for s in model.states if f"{s.name}(0)" == name), None)
    symbol = next((s for s in problem.treatment.parameters() if s.name == name), state)
    if symbol is None:
        return plain(name)
    about = "" if symbol is state else symbol.info.about
    return label(f"{about}, {plain(name)}" if about and len(about) < 45 else plain(name), symbol.info.unit)


def _limits(ax, result):
    """The ranges that were looked at, or as much of the vertical one as the curves reach."""
    ax.set_xlim(*result.span)
    values = np.concatenate([p.values[np.isfinite(p.values)] for p in result])
    low, high = result.within
    if ax.get_yscale() == "linear":
        room = 0.06 * max(np.ptp(values), 1e-12 * np.max(np.abs(values)), 1e-300)
        spread = np.ptp(values) > 1e-6 * (high - low)
        bottom = max(low, values.min() - (room if spread else 0.5 * abs(values[0])))
        ax.set_ylim(bottom if bottom > 0.3 * values.max() else max(low, min(0.0, bottom)),
                    min(high, values.max() + (2 * room if spread else abs(values[0]))))  # fmt: skip


def _regions(ax, result, n):
    if all(p.mechanism in ("fold", "Hopf", "transcritical") and p.states.shape[1] for p in result.pieces):
        _fill_parts(ax, result.regions(n))
    elif len(result) == 1 and result[0].kind in SIDES:
        _fill_sides(ax, result[0])


def _fill_parts(ax, parts):
    from scipy import ndimage

    colours = [next((c for w, c in FILLS.items() if name.startswith(w)), "#AECBE0") for name in parts.names]
    far = ndimage.distance_transform_edt(parts.which < 0, return_distances=False, return_indices=True)
    filled = parts.which[tuple(far)]  # cells on the curves go to a neighbour
    image = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colours], dtype=np.uint8)[filled]
    steps = [0.5 * (v[1] - v[0]) for v in (parts.against, parts.of)]
    limits = ax.get_xlim(), ax.get_ylim()
    mesh = ax.pcolormesh(
        np.append(parts.against - steps[0], parts.against[-1] + steps[0]),
        np.append(parts.of - steps[1], parts.of[-1] + steps[1]), image, zorder=0, rasterized=True,
    )  # fmt: skip
    mesh.set_gid("background")
    ax.set_xlim(limits[0])
    ax.set_ylim(limits[1])
    _name_parts(ax, parts.against, parts.of, parts.which, parts.names, colours)


def _name_parts(ax, across, up, which, names, colours):
    """Names inside the regions where there is room, in the legend where there is none."""
    ax.figure.draw_without_rendering()
    box = ax.get_window_extent()
    point = ax.figure.dpi / 72
    cells = [np.flatnonzero((v >= low) & (v <= high)) for v, (low, high) in
             ((across, ax.get_xlim()), (up, ax.get_ylim()))]  # fmt: skip
    shown = which[np.ix_(cells[1], cells[0])]
    beside = {}
    for k, name in enumerate(names):
        at, words = None, name
        for words in (name, _in_two(name)):
            lines = words.split("\n")
            wide = 0.57 * FONT["note"] * max(map(len, lines)) * point / box.width * shown.shape[1]
            tall = (0.8 + 1.4 * len(lines)) * FONT["note"] * point / box.height * shown.shape[0]
            at = _room(shown == k, int(np.ceil(wide)), int(np.ceil(tall)))
            if at is not None:
                break
        if at is not None:
            i, j = at
            ax.text(across[cells[0][j]], up[cells[1][i]], words, ha="center", va="center",
                    fontsize=FONT["note"], color="#444444", zorder=4)  # fmt: skip
        elif np.any(shown == k):
            beside[name] = colours[k]
    for name, colour in beside.items():  # empty ones: for the legend alone
        ax.fill_between([], [], [], facecolor=colour, edgecolor="#BBBBBB", linewidth=0.6, label=name)


def _in_two(name):
    """Words on two lines of about the same length."""
    blanks = [i for i, c in enumerate(name) if c == " "]
    if not blanks:
        return name
    cut = min(blanks, key=lambda i: abs(i - len(name) / 2))
    return f"{name[:cut]}\n{name[cut + 1 :]}"


def _room(inside, wide, tall):
    """The middle of the place, most central in the region, in which a box of cells fits; None if there is none."""
    from scipy import ndimage

    if wide >= inside.shape[1] or tall >= inside.shape[0]:
        return None
    fits = ndimage.binary_erosion(inside, np.ones((max(tall, 1), max(wide, 1))), border_value=0)
    if not fits.any():
        return None
    middle = ndimage.center_of_mass(inside)
    places = np.argwhere(fits)
    return places[np.argmin(np.sum(((places - middle) / inside.shape) ** 2, axis=1))]


def _fill_sides(ax, piece):
    x, y = _smooth(piece)
    limits = ax.get_xlim(), ax.get_ylim()
    names = SIDES[piece.kind]
    good = [w.startswith(("cleared", "relapse prevented", "a rare tumour is", "rescue likely")) for w in names]
    colours = [FILLS["cleared" if g else "grows back"] for g in good]
    for edge, colour in zip(limits[1], colours, strict=True):
        ax.fill_between(x, y, edge, color=colour, linewidth=0, zorder=0).set_gid("background")
    ax.set_xlim(limits[0])
    ax.set_ylim(limits[1])
    across, up = (np.linspace(low, high, 120) for low, high in limits)
    level = np.interp(across, x, y, left=np.nan, right=np.nan)
    which = np.where(np.isnan(level), -1, np.where(up[:, None] > level, 1, 0))
    near = np.abs(up[:, None] - level) < 0.02 * (limits[1][1] - limits[1][0])
    _name_parts(ax, across, up, np.where(near, -1, which), names, colours)
