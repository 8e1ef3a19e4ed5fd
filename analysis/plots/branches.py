"""Bifurcation diagrams: steady states over a parameter, and special points over two."""

import numpy as np

from remission.models.errors import ProblemError, refuse_unknown_keywords

from .legend import place_legend
from .names import kind_of, plain, unit_of, value_label
from .spots import place_spots
from .steady_states import _checked
from .style import PALETTE, colour_of, label, log_ticks, new_axes

__all__ = ["MARKS", "plot_branches", "plot_curves", "stretches"]

MARKS = {
    "fold": "o", "Hopf": "s", "transcritical": "D", "pitchfork": "P", "branch point": "X", "cusp": "^",
    "Bogdanov-Takens": "v", "generalised Hopf": "h", "change of criticality": "D",
}  # fmt: skip
UNSTABLE = (0, (3, 1.6))
CURVES = {
    "fold": ("blue", "-"),
    "Hopf": ("vermilion", (0, (5, 1.6))),
    "transcritical": ("green", (0, (5, 1.4, 1, 1.4))),
}


@refuse_unknown_keywords
def plot_branches(result, ax=None, *, name=None, scale="linear", xscale="linear", points=True, legend=True):
    """Bifurcation diagram: stable states solid, unstable dashed, special points marked with their value.

    Parameters
    ----------
    result : Branch or Branches
    ax : Axes, optional
    name : str, optional
        State or observable of the vertical axis; the first tumour state if not given.
    scale, xscale : {"linear", "log", "symlog"}
        Of the vertical axis and of the parameter. Zero has no place on a logarithmic axis.
    points : bool
        Mark and label folds, Hopf points and branch points.
    legend : bool

    Returns
    -------
    Axes

    Raises
    ------
    ProblemError
        If there is no such state or observable.

    Examples
    --------
    >>> from remission.analysis import continue_branches
    >>> from remission.models import kuznetsov
    >>> from remission.solvers import Problem
    >>> problem = Problem(kuznetsov(scaled=True))
    >>> found = continue_branches(problem, "sigma", (0, 0.8), box={"E": (0, 50), "T": (0, 1000)})
    >>> ax = plot_branches(found)
    >>> ax.get_legend_handles_labels()[1]
    ['stable', 'unstable']
    """
    branches = list(result) if hasattr(result, "branches") else [result]
    if not branches:
        raise ProblemError("plot: there are no branches to draw")
    problem, over = branches[0].problem, branches[0].parameter
    model = problem.model
    name = _checked(model, name)
    ax = new_axes(ax, width=125)
    colour = colour_of(name, kind_of(model, name))
    drawn = {True: [], False: []}
    for branch in branches:
        for stable, x, y in stretches(branch, name):
            drawn[stable] += [(x, y)]
    for stable, word, style in ((True, "stable", "-"), (False, "unstable", UNSTABLE)):
        x, y = _joined(drawn[stable])
        if len(x):
            ax.plot(x, y, color=colour, linestyle=style, linewidth=1.7 if stable else 1.3, label=word,
                    zorder=3 if stable else 2)  # fmt: skip
    _axes(ax, branches, name, scale, xscale)
    ax.set_xlabel(_parameter_label(model, over))
    ax.set_ylabel(value_label(model, [name], unit_of(model, name)))
    if points:
        place_spots(ax, [(p.value, p[name], MARKS[p.kind], _words(p)) for p in result.points], colour)
    if legend:
        place_legend(ax)
    return ax


@refuse_unknown_keywords
def plot_curves(result, ax=None, *, xscale="linear", scale="linear", points=True, legend=True):
    """Curves of special points in the plane of two parameters; cusps and the others on them marked.

    Parameters
    ----------
    result : Curve or Curves
        Their first parameter on the horizontal axis.
    ax : Axes, optional
    xscale, scale : {"linear", "log"}
    points : bool
    legend : bool

    Returns
    -------
    Axes

    Examples
    --------
    >>> from remission.analysis import continue_branches, continue_points
    >>> from remission.models import paracrine_loop
    >>> from remission.solvers import Problem
    >>> branches = continue_branches(Problem(paracrine_loop()).at_constant(e=0.2, B=30.0), "e", (0, 1.2))
    >>> ax = plot_curves(continue_points(branches, "B", (0, 150)))
    >>> ax.get_legend_handles_labels()[1]
    ['fold', 'transcritical']
    """
    curves = list(result) if hasattr(result, "curves") else [result]
    if not curves:
        raise ProblemError("plot: there are no curves to draw")
    model, (one, two) = curves[0].problem.model, curves[0].parameters
    ax = new_axes(ax, width=125)
    named = set()
    for curve in curves:
        colour, style = CURVES[curve.kind]
        words = curve.kind if curve.kind not in named else None
        named.add(curve.kind)
        ax.plot(curve[one], curve[two], color=PALETTE[colour], linestyle=style, linewidth=1.6, label=words)
    ax.set_xscale(xscale)
    ax.set_yscale(scale)
    for axis in (ax.xaxis, ax.yaxis):
        log_ticks(axis)
    ax.set_xlabel(_parameter_label(model, one))
    ax.set_ylabel(_parameter_label(model, two))
    if points:
        place_spots(ax, [(p[one], p[two], MARKS[p.kind], p.kind) for p in result.points], PALETTE["black"])
    if legend:
        place_legend(ax)
    return ax


def _words(point):
    value = point.value
    written = f"{value:.4g}"
    if 1e4 <= abs(value) < 1e7:
        written = f"{float(written):.0f}"
    return f"{point.kind} {written}".replace("-", "\N{MINUS SIGN}")


def _axes(ax, branches, name, scale, xscale):
    values = np.concatenate([b[name] for b in branches])
    over = np.concatenate([b.values for b in branches])
    for axis, kind, found in (("y", scale, values), ("x", xscale, over)):
        sizes = np.abs(found[found != 0])
        threshold = {"linthresh": float(np.min(sizes)) if len(sizes) else 1.0} if kind == "symlog" else {}
        getattr(ax, f"set_{axis}scale")(kind, **threshold)
    low, high = over.min(), over.max()
    if xscale == "linear":
        ax.set_xlim(low - 0.02 * (high - low), high + 0.02 * (high - low))
    for axis in (ax.xaxis, ax.yaxis):
        log_ticks(axis)


def _joined(parts):
    gap = np.array([np.nan])
    x = [a for one, _ in parts for a in (one, gap)]
    y = [a for _, two in parts for a in (two, gap)]
    return (np.concatenate(x), np.concatenate(y)) if parts else (gap[:0], gap[:0])


def stretches(branch, name):
    """Parts of a branch of one stability, with the special points at which it changes as their ends.

    Parameters
    ----------
    branch : Branch
    name : str

    Returns
    -------
    list of (stable, x, y)
    """
    x, y, stable = branch.values, branch[name], branch.stable.astype(float)
    stable[list(branch.places)] = np.nan
    found, begun = [], 0
    current = next((bool(s) for s in stable if np.isfinite(s)), False)
    for i in range(1, len(x)):
        ahead = stable[i] if np.isfinite(stable[i]) else next((s for s in stable[i:] if np.isfinite(s)), current)
        if bool(ahead) != current:
            end = i - 1 if not np.isfinite(stable[i - 1]) else i  # at the special point, if there is one between
            found.append((current, x[begun : end + 1], y[begun : end + 1]))
            begun, current = end, bool(ahead)
    found.append((current, x[begun:], y[begun:]))
    return [part for part in found if len(part[1]) > 1]


def _parameter_label(model, over):
    symbol = next(s for s in (*model.parameters, *model.inputs) if s.name == over)
    about = symbol.info.about
    text = f"{about}, {plain(over)}" if about and len(about) < 45 and about != over else plain(over)
    return label(text, symbol.info.unit)
