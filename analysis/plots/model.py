"""A model as boxes and arrows: what flows, what raises, what lowers."""

import itertools

import numpy as np

from remission.models.errors import refuse_unknown_keywords
from remission.models.text import diagram_arrows

from .style import FONT, PALETTE, colour_of, new_axes

__all__ = ["plot_model"]

# kind of arrow: (legend entry, style of FancyArrowPatch, colour, line, width)
ARROWS = {
    "flow": ("flow", "-|>,head_length=0.55,head_width=0.28", PALETTE["black"], "-", 1.9),
    "raises": ("raises the rate", "-|>,head_length=0.5,head_width=0.22", PALETTE["green"], "-", 1.2),
    "lowers": ("lowers the rate", "|-|,widthA=0,widthB=0.34", PALETTE["vermilion"], "-", 1.2),
    "acts": ("either, by the values", "-|>,head_length=0.4,head_width=0.18", PALETTE["grey"], (0, (3, 1.6)), 1.1),
}
EXHAUSTIVE = 7  # boxes up to which every order on the circle is tried
LENGTH = 0.26  # of an arrow from or to the outside
DETAIL = (20, 15, 12, 0)  # characters a line of the meanings; 0 leaves them out


@refuse_unknown_keywords
def plot_model(model, ax=None, *, legend=True):
    """Compartment diagram; `plot(model)` calls this.

    States are boxes in their colour, inputs rounded and dashed. They stand on an ellipse, so that no arrow runs
    through a third box, in the order with the fewest crossings.

    Parameters
    ----------
    model : Model
    ax : Axes, optional
    legend : bool
        Whether the kinds of arrows are explained below.

    Returns
    -------
    Axes

    Examples
    --------
    >>> from remission.models import Input, Model, Parameter, State
    >>> S, R, u, m = State("S", 1.0), State("R", 0.0), Input("u"), Parameter("m", 0.01)
    >>> ax = plot_model(Model("two", rates={S: -u * S}, transfers={(S, R): m * S}))
    >>> sorted(text.get_text() for text in ax.texts)
    ['R', 'S', 'u']
    """
    arrows = diagram_arrows(model)
    inputs = {s.name for s in model.inputs}
    names = _ordered([*(s.name for s in model.states), *sorted(inputs)], arrows)
    ax = new_axes(ax, width=130, height=92)
    ax.set_axis_off()
    ax.set(xlim=(-1.6, 1.6), ylim=(-1.36, 1.36))
    angles = {name: np.pi / 2 - 2 * np.pi * i / len(names) for i, name in enumerate(names)}
    centres = {name: np.array([1.02 * np.cos(a), 0.98 * np.sin(a)]) for name, a in angles.items()}
    if len(names) == 1:
        centres = {names[0]: np.zeros(2)}
    boxes = _boxes(ax, model, centres)
    pairs = {(a.start, a.end) for a in arrows}
    for arrow in arrows:
        _draw(ax, arrow, boxes, centres, bent=(arrow.end, arrow.start) in pairs)
    if legend:
        _explain(ax, [k for k in ARROWS if any(a.kind == k for a in arrows)])
    return ax


def _ordered(names, arrows):
    """Order on the circle with the fewest crossings, then the shortest arrows."""
    links = [(a.start, a.end) for a in arrows if a.start and a.end]
    first, rest = names[0], names[1:]
    if len(names) <= EXHAUSTIVE:
        orders = ((first, *order) for order in itertools.permutations(rest))
        return list(min(orders, key=lambda order: _cost(order, links)))
    order, best = list(names), _cost(names, links)
    improved = True
    while improved:
        improved = False
        for i, j in itertools.combinations(range(1, len(order)), 2):
            order[i], order[j] = order[j], order[i]
            cost = _cost(order, links)
            if cost < best:
                best, improved = cost, True
            else:
                order[i], order[j] = order[j], order[i]
    return order


def _cost(order, links):
    at = {name: i for i, name in enumerate(order)}
    chords = [tuple(sorted((at[a], at[b]))) for a, b in links]
    crossings = sum(a < c < b < d or c < a < d < b for (a, b), (c, d) in itertools.combinations(chords, 2))
    return crossings, sum(min(b - a, len(order) - b + a) for a, b in chords)


def _boxes(ax, model, centres):
    """Texts with their frames, with as much of the meaning as fits without overlaps."""
    renderer = ax.figure.figure.canvas.get_renderer()
    ax.figure.figure.draw_without_rendering()
    for characters in DETAIL:
        texts = {name: _box(ax, model, name, centre, characters) for name, centre in centres.items()}
        frames = [t.get_bbox_patch().get_window_extent(renderer).padded(6) for t in _drawn(texts, renderer)]
        clash = any(a.overlaps(b) for a, b in itertools.combinations(frames, 2))
        frame = ax.get_window_extent(renderer)
        outside = any(f.x0 < frame.x0 or f.x1 > frame.x1 for f in frames)
        wide = len(centres) > 3 and max(f.width for f in frames) > 0.36 * frame.width
        if not (clash or outside or wide) or characters == DETAIL[-1]:
            return texts
        for text in texts.values():
            text.remove()
    return texts


def _drawn(texts, renderer):
    for text in texts.values():
        text.update_bbox_position_size(renderer)
        yield text


def _box(ax, model, name, centre, characters):
    from .sensitivity import folded

    symbol = next(s for s in (*model.states, *model.inputs) if s.name == name)
    is_input = symbol in model.inputs
    colour = colour_of(name, "input" if is_input else symbol.info.kind)
    about = symbol.info.about.split(" / ")[0].split(",")[0]
    words = f"\n{folded(about, characters)}" if characters and about else ""
    look = {
        "boxstyle": "round,pad=0.5" if is_input else "square,pad=0.5",
        "facecolor": "white" if is_input else _pale(colour),
        "edgecolor": colour,
        "linestyle": (0, (3, 1.5)) if is_input else "-",
        "linewidth": 1.6,
    }
    return ax.text(*centre, f"{name}{words}", ha="center", va="center", fontsize=FONT["label"], bbox=look, zorder=3)


def _pale(colour):
    from matplotlib.colors import to_rgb

    return tuple(1 - 0.16 * (1 - c) for c in to_rgb(colour))


def _draw(ax, arrow, boxes, centres, bent):
    from matplotlib.patches import FancyArrowPatch

    _, style, colour, line, width = ARROWS[arrow.kind]
    ends = [centres.get(arrow.start), centres.get(arrow.end)]
    for i in (0, 1):
        if ends[i] is None:
            ends[i] = _outside(ax, boxes[arrow.end if i == 0 else arrow.start], ends[1 - i])
    patch = FancyArrowPatch(
        ends[0],
        ends[1],
        arrowstyle=style,
        mutation_scale=13,
        color=colour,
        linestyle=line,
        linewidth=width,
        connectionstyle=f"arc3,rad={0.16 if bent else 0.05}",
        patchA=boxes[arrow.start].get_bbox_patch() if arrow.start else None,
        patchB=boxes[arrow.end].get_bbox_patch() if arrow.end else None,
        shrinkA=2,
        shrinkB=3,
        zorder=2,
        gid=f"{arrow.start} {arrow.kind} {arrow.end}",
        clip_on=False,
    )
    ax.add_patch(patch)


def _outside(ax, box, centre):
    """A point outside the model: away from the middle, a little beyond the edge of the box."""
    size = np.linalg.norm(centre)
    away = centre / size if size else np.array([1.0, 0.0])
    frame = ax.transData.inverted().transform(box.get_bbox_patch().get_window_extent())
    half = np.abs(frame[1] - frame[0]) / 2
    with np.errstate(divide="ignore"):
        reach = np.min(half / np.abs(away))
    return centre + (reach + LENGTH) * away


def _explain(ax, kinds):
    from matplotlib.legend_handler import HandlerPatch
    from matplotlib.patches import FancyArrowPatch

    def handle(legend, orig_handle, xdescent, ydescent, width, height, fontsize):
        return FancyArrowPatch((0, height / 2), (width, height / 2), arrowstyle=orig_handle.get_arrowstyle(),
                               mutation_scale=11)  # fmt: skip

    shown = []
    for kind in kinds:
        text, style, colour, line, width = ARROWS[kind]
        shown.append(FancyArrowPatch((0, 0), (1, 0), arrowstyle=style, color=colour, linestyle=line, linewidth=width,
                                     label=text))  # fmt: skip
    if shown:
        ax.legend(shown, [p.get_label() for p in shown], loc="upper center", bbox_to_anchor=(0.5, 0.0),
                  ncols=len(shown), frameon=False, fontsize=FONT["legend"], handlelength=2.6, columnspacing=1.4,
                  handler_map={FancyArrowPatch: HandlerPatch(patch_func=handle)})  # fmt: skip
