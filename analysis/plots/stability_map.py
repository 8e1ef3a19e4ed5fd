"""Stability maps: regions of a plane of two parameters in colour, undecided cells hatched."""

import numpy as np

from remission.models.errors import refuse_unknown_keywords

from .branches import CURVES, _parameter_label
from .legend import place_legend
from .style import PALETTE, new_axes

__all__ = ["plot_stability_map"]

# what attracts -> colour; pale, so that curves and words on it stay legible
LOOKS = {
    "only tumour-free": "#CFE8DC",
    "two stable: depends on size": "#F6DFA8",
    "several stable: depends on size": "#EFCB85",
    "tumour persists": "#E9B7A3",
    "tumour persists, small or large": "#D89A8B",
    "no steady state attracts": "#C9C6E3",
    "no steady state": "#E4E4E4",
    "stability undecided": "#F2F2F2",
}
OTHERS = ("#CFE0F1", "#E9B7A3", "#F6DFA8", "#CFE8DC", "#C9C6E3", "#D9C2A6", "#B9CBB4")
HATCH = "////"


@refuse_unknown_keywords
def plot_stability_map(result, ax=None, *, curves=None, legend=True):
    """Regions by what attracts in them; white and hatched where nothing is proved.

    Parameters
    ----------
    result : StabilityMap
    ax : Axes, optional
    curves : Curves or Curve, optional
        Of `continue_points` over the same two parameters, drawn on top.
    legend : bool

    Returns
    -------
    Axes

    Examples
    --------
    >>> from remission.analysis import stability_map
    >>> from remission.models import dose_window
    >>> from remission.solvers import Problem
    >>> found = stability_map(Problem(dose_window()), {"delta": (0, 0.05), "c": (0, 3)}, undecided=0.05)
    >>> ax = plot_stability_map(found)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['R alone persists', 'R alone or S alone: depends on the start', 'undecided']
    """
    from matplotlib.collections import PolyCollection
    from matplotlib.patches import Patch

    ax = new_axes(ax, width=125)
    labels = list(dict.fromkeys(r.label for r in result.regions))
    looks = looks_of(labels)
    handles = []
    for text in labels:
        mine = np.isin(result.of_cell, [k for k, r in enumerate(result.regions) if r.label == text])
        ax.add_collection(
            PolyCollection(_corners(result.cells[mine]), facecolor=looks[text], edgecolor=looks[text], linewidth=0.3)
        )
        handles.append(Patch(facecolor=looks[text], edgecolor="none", label=text))
    open_ = result.cells[result.of_cell < 0]
    if len(open_):
        look = {"facecolor": "#FFFFFF", "edgecolor": PALETTE["grey"], "hatch": HATCH, "linewidth": 0.4}
        ax.add_collection(PolyCollection(_corners(open_), **look))
        handles.append(Patch(**look, label="undecided"))
    handles += _curves(ax, curves, tuple(result.over))
    (one, across), (two, up) = result.over.items()
    ax.set_xlim(across)
    ax.set_ylim(up)
    ax.set_xlabel(_parameter_label(result.problem.model, one))
    ax.set_ylabel(_parameter_label(result.problem.model, two))
    if legend:
        place_legend(ax, handles, [h.get_label() for h in handles], outside=True)
    return ax


def looks_of(labels) -> dict:
    """Colour of each label; those of the tumour's fate are the same in every figure.

    Parameters
    ----------
    labels : sequence of str

    Returns
    -------
    dict of str -> str
    """
    free = iter(OTHERS * (1 + len(labels) // len(OTHERS)))
    return {text: LOOKS[text] if text in LOOKS else next(free) for text in labels}


def _corners(cells):
    """Corners (m, 4, 2) of cells (m, 2, 2)."""
    (x0, x1), (y0, y1) = cells[:, 0].T, cells[:, 1].T
    return np.stack([np.column_stack(p) for p in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))], axis=1)


def _curves(ax, curves, names):
    """Lines of curves, one handle a kind."""
    handles = {}
    for curve in [] if curves is None else list(curves) if hasattr(curves, "curves") else [curves]:
        colour, style = CURVES[curve.kind]
        look = {"color": PALETTE[colour], "linestyle": style, "linewidth": 1.6, "label": curve.kind}
        handles.setdefault(curve.kind, ax.plot(curve[names[0]], curve[names[1]], **look)[0])
    return list(handles.values())
