"""Phase planes: basins shaded, nullclines, separatrices, points of rest, and which way the flow goes."""

import numpy as np

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords

from .flow import draw_arrows, draw_flow_lines
from .names import kind_of, unit_of, value_label
from .style import FONT, PALETTE, SUPERSCRIPT, colour_of, log_ticks, new_axes

__all__ = ["plot_basins", "plot_nullclines", "plot_phase_portrait", "plot_separatrix"]

COOL, WARM = "#D6E6F3", "#FBE3C8"  # least and most tumour, so light that lines are read
BETWEEN = ("#DDEFE3", "#EBD9E6", "#EFE8C8", "#E3E3E3")
ORDER = ("stable", "saddle", "unstable", "undecided")
SEPARATRIX = {"color": PALETTE["black"], "linestyle": (0, (4, 1.6)), "linewidth": 2.2}
DASHES = ("-", (0, (1, 1.2)))
FLOWS = ("lines", "arrows", None)
PLACES = ("right", "above", None)


@refuse_unknown_keywords
def plot_phase_portrait(portrait, ax=None, *, basins=True, nullclines=True, separatrix=True, states=True, flow="lines",
                        legend="right"):  # fmt: skip
    """Basins, nullclines, separatrices, steady states and flow in one plane; `plot(portrait)` calls this.

    Parameters
    ----------
    portrait : PhasePortrait
    ax : Axes, optional
    basins, nullclines, separatrix, states : bool
        What is drawn. Stable steady states are full, saddles half full, other unstable ones open.
    flow : {"lines", "arrows", None}
        Lines along the flow, or arrows of one length.
    legend : {"right", "above", None}
        Beside the axes or over them, never on the plane.

    Returns
    -------
    Axes

    Raises
    ------
    ProblemError
        If `flow` or `legend` is none of these.

    Examples
    --------
    >>> from remission.analysis import phase_portrait
    >>> from remission.models import dose_window
    >>> from remission.solvers import Problem
    >>> portrait = phase_portrait(Problem(dose_window()).at_constant(delta=0.012), over=("S", "R"), n=60)
    >>> ax = plot_phase_portrait(portrait)
    >>> [text.get_text() for text in ax.get_legend().get_texts()][:4]
    ['to S = 400, R = 0', 'to S = 0, R = 1000', "S' = 0", "R' = 0"]
    """
    _check(flow, legend)
    ax = _axes(portrait.plane, ax)
    areas = _shade(ax, portrait.basins) if basins and portrait.basins is not None else ()
    if flow == "lines":
        draw_flow_lines(ax, portrait.plane)
    elif flow == "arrows":
        draw_arrows(ax, portrait.plane)
    if nullclines:
        _draw_nullclines(ax, portrait.nullclines)
    if separatrix:
        for i, edge in enumerate(portrait.separatrices):
            _draw_curve(ax, edge, portrait.plane.names, "" if i else "separatrix")
    if separatrix and basins and portrait.basins is not None and not portrait.separatrices:
        _draw_borders(ax, portrait.basins)
    if states:
        _draw_states(ax, portrait.states, portrait.plane.names)
    return _finish(ax, portrait.plane, legend, areas)


@refuse_unknown_keywords
def plot_basins(result, ax=None, *, states=True, legend="right"):
    """Basins of attraction as light areas; `plot(basins)` calls this.

    Parameters
    ----------
    result : Basins
        Starts that come to no stable steady state are white.
    ax : Axes, optional
    states : bool
        Whether steady states in the plane are marked.
    legend : {"right", "above", None}

    Returns
    -------
    Axes

    Examples
    --------
    >>> from remission.analysis import basins
    >>> from remission.models import dose_window
    >>> from remission.solvers import Problem
    >>> ax = plot_basins(basins(Problem(dose_window()).at_constant(delta=0.012), over=("S", "R"), n=40))
    >>> ax.get_xlabel()
    'sensitive cells'
    """
    _check(None, legend)
    ax = _axes(result.plane, ax)
    areas = _shade(ax, result)
    _draw_borders(ax, result)
    if states:
        _draw_states(ax, [s for s in result.states if result.plane.holds(s.values)], result.names)
    return _finish(ax, result.plane, legend, areas)


@refuse_unknown_keywords
def plot_nullclines(result, ax=None, *, flow=None, legend="right"):
    """Nullclines of a plane; `plot(nullclines)` calls this.

    Parameters
    ----------
    result : Nullclines
    ax : Axes, optional
    flow : {"lines", "arrows", None}
    legend : {"right", "above", None}

    Returns
    -------
    Axes

    Examples
    --------
    >>> from remission.analysis import nullclines
    >>> from remission.models import dose_window
    >>> from remission.solvers import Problem
    >>> ax = plot_nullclines(nullclines(Problem(dose_window()), over=("S", "R")))
    >>> ax.get_legend_handles_labels()[1]
    ["S' = 0", "R' = 0"]
    """
    _check(flow, legend)
    ax = _axes(result.plane, ax)
    if flow:
        (draw_flow_lines if flow == "lines" else draw_arrows)(ax, result.plane)
    _draw_nullclines(ax, result)
    return _finish(ax, result.plane, legend)


@refuse_unknown_keywords
def plot_separatrix(result, ax=None, *, names=None, scale="linear", states=True, legend="right"):
    """The separatrix of two states; `plot(separatrix)` calls this.

    Parameters
    ----------
    result : Separatrix
    ax : Axes, optional
    names : (str, str), optional
        States of the horizontal and the vertical axis; in the order of the problem if not given.
    scale : {"linear", "log"}
        Of both axes.
    states : bool
        Whether steady states are marked.
    legend : {"right", "above", None}

    Returns
    -------
    Axes

    Raises
    ------
    ProblemError
        In more than two states, where it is no curve.

    Examples
    --------
    >>> from remission.analysis import separatrix
    >>> from remission.models import dose_window
    >>> from remission.solvers import Problem
    >>> ax = plot_separatrix(separatrix(Problem(dose_window()).at_constant(delta=0.012)), names=("R", "S"))
    >>> ax.get_ylabel()
    'sensitive cells'
    """
    _check(None, legend)
    known = list(result.problem.system.states)
    names = tuple(getattr(n, "name", n) for n in (names or known))
    for name in names:
        if name not in known:
            raise ProblemError(f"plot: {result.problem.model.name} has no state {name!r}; {did_you_mean(name, known)}")
    result.points  # noqa: B018  refuses more than two states
    ax = new_axes(ax, width=125)
    _draw_curve(ax, result, names, "separatrix")
    ax.set(**{f"{a}scale": scale for a in "xy"}, **{f"{a}lim": result.box[n] for a, n in zip("xy", names, strict=True)
                                                   if scale == "linear"})  # fmt: skip
    if states:
        _draw_states(ax, result.states, names)
    return _label(ax, result.problem.model, names, legend)


def _check(flow, legend):
    for what, value, known in (("flow", flow, FLOWS), ("legend", legend, PLACES)):
        if value not in known:
            raise ProblemError(f"plot: {what} is one of {', '.join(map(repr, known))}, got {value!r}")


def _axes(plane, ax):
    ax = new_axes(ax, width=140, height=92)
    for axis, side, scale in zip("xy", plane.ranges, plane.scales, strict=True):
        ax.set(**{f"{axis}scale": scale, f"{axis}lim": side})
    return ax


def _shade(ax, result):
    """Light areas, and their entries in the legend."""
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    k, order = len(result.attractors), _by_tumour(result)
    tints = [BETWEEN[order.index(i) % len(BETWEEN)] for i in range(k)]
    tints[order[-1]] = WARM
    tints[order[0]] = COOL
    ax.pcolormesh(
        result.x, result.y, np.ma.masked_less(result.labels, 0), cmap=ListedColormap(tints), vmin=-0.5, vmax=k - 0.5,
        shading="nearest", rasterized=True, zorder=0,
    ).set_gid("background")  # fmt: skip
    ax.set(xlim=result.plane.ranges[0], ylim=result.plane.ranges[1])
    return [
        Patch(facecolor=tints[i], edgecolor="#AAAAAA", linewidth=0.5, label=f"to {_where(state, result.names)}")
        for i in order
        if result.shares[i] and (state := result.attractors[i])
    ]


def _by_tumour(result):
    """Places of the attractors from little tumour to much."""
    tumour = [s.name for s in result.problem.model.states if s.info.kind == "tumour"]
    sizes = [sum(state.values[name] for name in tumour) for state in result.attractors]
    return sorted(range(len(sizes)), key=lambda i: sizes[i])


def _where(state, names):
    return ", ".join(f"{n} = {_number(state.values[n])}" for n in names)


def _number(value):
    """Three or four digits, powers of ten as such."""
    if value == 0 or 1e-3 <= abs(value) < 9999.5:
        return f"{value:.4g}" if abs(value) >= 99.95 else f"{value:.3g}"
    digits, power = f"{value:.2e}".split("e")
    return f"{digits}×10{str(int(power)).translate(SUPERSCRIPT)}"


def _draw_nullclines(ax, result):
    model = result.problem.model
    for name, dash in zip(result.names, DASHES, strict=True):
        colour = colour_of(name, kind_of(model, name))
        look = {"color": colour, "linestyle": dash, "linewidth": 1.5, "zorder": 2.2, "gid": "nullcline"}
        text = f"{name}' = 0"
        for curve in result[name]:
            ax.plot(*curve.T, label=text, **look)
            text = ""
        for face in result.faces[name]:
            i = result.names.index(face)
            low, high = result.plane.ranges[i]
            if low < 0 < high:
                (ax.axvline, ax.axhline)[i](0.0, label=text, **look)
                text = ""


def _cased(look):
    """On a white casing, so that a dark line is not lost among others."""
    from matplotlib.patheffects import Normal, Stroke

    return look | {"path_effects": [Stroke(linewidth=look["linewidth"] + 2.0, foreground="white"), Normal()]}


def _draw_curve(ax, edge, names, text):
    order = [edge.problem.system.states.index(name) for name in names]
    ax.plot(*edge.points[:, order].T, label=text, zorder=2.6, gid="separatrix", **_cased(SEPARATRIX))


def _draw_borders(ax, result):
    for i, border in enumerate(result.borders):
        ax.plot(
            *border.T, label="" if i else "border", zorder=2.6, gid="border", **_cased(SEPARATRIX | {"linewidth": 1.6})
        )


def _draw_states(ax, states, names):
    """Full where stable, half full where one direction leads away, else open."""
    from ..phase.saddles import n_unstable

    kinds = {"stable": "full", "saddle": "left", "unstable": "none", "undecided": "none"}
    marked = [("saddle" if 0 < n_unstable(s) < len(s.eigenvalues) else s.stability, s) for s in states]
    drawn = set()
    for kind, state in sorted(marked, key=lambda m: ORDER.index(m[0])):
        ax.plot(
            [state.values[names[0]]], [state.values[names[1]]], "o", markersize=6.5, color=PALETTE["black"],
            fillstyle="full" if kind != "saddle" else "left", markerfacecoloralt="white", markeredgewidth=1.2,
            markerfacecolor=PALETTE["black"] if kinds[kind] != "none" else "white", zorder=4, clip_on=False,
            label="" if kind in drawn else kind,
        )  # fmt: skip
        drawn.add(kind)


def _finish(ax, plane, legend, areas=()):
    ax.set(xlim=plane.ranges[0], ylim=plane.ranges[1])
    return _label(ax, plane.problem.model, plane.names, legend, areas)


def _label(ax, model, names, legend, areas=()):
    for axis, name in zip("xy", names, strict=True):
        ax.set(**{f"{axis}label": value_label(model, [name], unit_of(model, name))})
        log_ticks(getattr(ax, f"{axis}axis"))
    order = [*areas, *ax.get_legend_handles_labels()[0]]
    words = [h.get_label() for h in order]
    if legend and order:
        look = {"fontsize": FONT["legend"], "frameon": False, "handlelength": 2.2, "labelspacing": 0.5}
        if legend == "right":
            ax.legend(order, words, loc="upper left", bbox_to_anchor=(1.01, 1.02), **look)
        else:
            ax.legend(order, words, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=4, columnspacing=1.2, **look)
    return ax
