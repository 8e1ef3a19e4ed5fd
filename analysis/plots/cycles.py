"""Cycles and forced orbits: envelopes over a parameter, periods, orbits in time and in the plane, multipliers."""

import numpy as np

from remission.models.errors import ProblemError, refuse_unknown_keywords

from .branches import MARKS as STEADY
from .branches import UNSTABLE, _parameter_label, _words, plot_branches
from .legend import place_legend
from .names import default_names, kind_of, legend_text, unit_of, value_label
from .spots import place_spots
from .steady_states import _checked
from .style import PALETTE, colour_of, line_of, log_ticks, new_axes, time_label

__all__ = ["plot_cycles", "plot_multipliers", "plot_orbit", "plot_periods"]

MARKS = {"fold of cycles": "o", "period doubling": "v", "torus": "^", "branch point": "X"}
FAR = 2.0  # multipliers beyond are drawn at this distance
SPACING = 0.025  # of the picture's width or height between two marks


@refuse_unknown_keywords
def plot_cycles(
    result, ax=None, *, name=None, scale="linear", xscale="linear", steady=True, points=True, legend=True
):  # fmt: skip
    """Bifurcation diagram with cycles: least and largest value of each, on top of the steady states.

    Stable cycles are filled marks, unstable ones open.

    Parameters
    ----------
    result : CycleBranch or CycleBranches
    ax : Axes, optional
    name : str, optional
        State or observable; the first tumour state if not given.
    scale, xscale : {"linear", "log"}
        Of the vertical axis and of the parameter.
    steady : bool
        Draw the branches of steady states that the cycles are born on, where the result knows them.
    points : bool
        Mark and label folds of cycles and what else was told.
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
    >>> from remission.analysis import continue_branches, continue_cycles
    >>> from remission.models import kirschner_panetta
    >>> from remission.solvers import Problem
    >>> box = {"E": (0, 1e9), "T": (0, 1e9), "I": (0, 1e9)}
    >>> found = continue_branches(Problem(kirschner_panetta()), "c", (0.025, 0.04), box=box)
    >>> ax = plot_cycles(continue_cycles(found), scale="log")
    >>> ax.get_legend_handles_labels()[1]
    ['stable', 'unstable', 'cycles: least and largest value']
    """
    branches = _branches(result)
    problem, over = branches[0].problem, branches[0].parameter
    name = _checked(problem.model, name)
    ax = new_axes(ax, width=125)
    if steady and getattr(result, "steady", None) is not None:
        plot_branches(result.steady, ax, name=name, scale=scale, xscale=xscale, points=False, legend=False)
    else:
        ax.set_xlabel(_parameter_label(problem.model, over))
        ax.set_ylabel(value_label(problem.model, [name], unit_of(problem.model, name)))
    colour = PALETTE["vermilion"]
    for branch in branches:
        for row in (branch.min(name), branch.max(name)):
            ax.plot(branch.values, row, color=colour, linewidth=0.8, zorder=2)
    ax.set(xscale=xscale, yscale=scale)  # again, for ticks that suit the cycles too
    ax.autoscale_view()
    ax.figure.draw_without_rendering()
    for branch in branches:
        for row in (branch.min(name), branch.max(name)):
            _marked(ax, branch, row, colour)
    for axis in (ax.xaxis, ax.yaxis):
        log_ticks(axis)
    for stable, word in ((True, "cycles: least and largest value"), (False, "unstable cycles")):
        if any(np.any(b.stable == stable) for b in branches):
            ax.plot([], [], color=colour, marker="o", markersize=3.5, linewidth=0.8, label=word,
                    markerfacecolor=colour if stable else "white")  # fmt: skip
    if points:
        known = result.steady.points if steady and getattr(result, "steady", None) is not None else ()
        rest = [(p.value, p[name], STEADY[p.kind], _words(p)) for p in known]
        spots = [(p.value, _top(b, p, name), MARKS[p.kind], _told(p)) for b in branches for p in b.points]
        place_spots(ax, [*rest, *spots], PALETTE["black"])
    if legend:
        place_legend(ax)
    return ax


@refuse_unknown_keywords
def plot_periods(result, ax=None, *, scale="linear", xscale="linear", points=True, legend=True):
    """Period of cycles over the parameter; stable ones solid, unstable dashed.

    Parameters
    ----------
    result : CycleBranch or CycleBranches
    ax : Axes, optional
    scale, xscale : {"linear", "log"}
    points : bool
        Mark and label folds of cycles and what else was told.
    legend : bool

    Returns
    -------
    Axes
    """
    branches = _branches(result)
    model, over = branches[0].problem.model, branches[0].parameter
    ax = new_axes(ax, width=125)
    colour, named = PALETTE["vermilion"], set()
    for branch in branches:
        stable = branch.stable.copy()
        stable[0] = stable[min(1, len(stable) - 1)]
        for i in range(len(branch) - 1):
            word = "stable" if stable[i] and stable[i + 1] else "unstable"
            ax.plot(branch.values[i : i + 2], branch.periods[i : i + 2], color=colour, linewidth=1.6,
                    linestyle="-" if word == "stable" else UNSTABLE, label=None if word in named else word)  # fmt: skip
            named.add(word)
    ax.set(xscale=xscale, yscale=scale)
    for axis in (ax.xaxis, ax.yaxis):
        log_ticks(axis)
    if xscale == "linear":
        ax.locator_params(axis="x", nbins=6)
    ax.set_xlabel(_parameter_label(model, over))
    ax.set_ylabel(time_label(model.time_unit).replace("scaled time", "scaled period").replace("time", "period"))
    if points:
        spots = [(p.value, p.period, MARKS[p.kind], _told(p)) for b in branches for p in b.points]
        place_spots(ax, spots, colour)
    if legend:
        place_legend(ax)
    return ax


@refuse_unknown_keywords
def plot_orbit(result, ax=None, *, names=None, plane=False, scale="linear", xscale=None, periods=2, legend=True):
    """An orbit over time, or in the plane of two of its states.

    Parameters
    ----------
    result : Orbit
    ax : Axes, optional
    names : list of str, optional
        States, observables or inputs; with `plane`, one for each axis. The tumour's by default; with `plane` the
        first two states.
    plane : bool
        Draw the second name over the first instead of both over time.
    scale : {"linear", "log"}
        Of the vertical axis.
    xscale : {"linear", "log"}, optional
        Of the horizontal axis of the plane; like `scale` if not given.
    periods : int
        How many are drawn over time.
    legend : bool

    Returns
    -------
    Axes
    """
    model = result.problem.model
    names = [str(getattr(n, "name", n)) for n in names] if names else None
    ax = new_axes(ax, width=110)
    if plane:
        names = names or [s.name for s in model.states[:2]]
        if len(names) != 2:
            raise ProblemError(f"plot: the plane of an orbit takes two names, got {', '.join(names)}")
        x, y = result[names[0]], result[names[1]]
        ax.plot(x, y, color=PALETTE["vermilion"], linewidth=1.6, linestyle="-" if result.stable else UNSTABLE,
                label=f"{'stable' if result.stable else result.stability} orbit")  # fmt: skip
        _arrows(ax, x, y, scale, xscale or scale)
        ax.set_xlabel(value_label(model, [names[0]], unit_of(model, names[0])))
        ax.set_ylabel(value_label(model, [names[1]], unit_of(model, names[1])))
    else:
        names = names or default_names(model)
        t = np.concatenate([result.t - result.t[0] + k * result.period for k in range(periods)])
        for name in names:
            ax.plot(t, np.tile(result[name], periods), color=colour_of(name, kind_of(model, name)),
                    linestyle=line_of(name), linewidth=1.6, label=legend_text(model, name, names))  # fmt: skip
        ax.set(yscale=scale, xlim=(0, t[-1]))
        ax.set_xlabel(time_label(model.time_unit))
        ax.set_ylabel(value_label(model, names, unit_of(model, names[0])))
    for axis in (ax.xaxis, ax.yaxis):
        log_ticks(axis)
    if legend:
        place_legend(ax)
    return ax


@refuse_unknown_keywords
def plot_multipliers(result, ax=None, *, legend=True):
    """Floquet multipliers in the complex plane with the unit circle; what lies outside grows.

    Parameters
    ----------
    result : Orbit, CycleBranch, or (n,) complex array_like
        Of a branch, those of all its orbits.
    ax : Axes, optional
    legend : bool

    Returns
    -------
    Axes
    """
    values = np.asarray(getattr(result, "multipliers", result), dtype=complex).ravel()
    values = values[np.isfinite(values)]
    ax = new_axes(ax, width=85, height=78)
    angle = np.linspace(0, 2 * np.pi, 361)
    ax.plot(np.cos(angle), np.sin(angle), color=PALETTE["grey"], linewidth=0.9, zorder=1)
    ax.axhline(0, color="#E4E4E4", linewidth=0.7, zorder=0)
    ax.axvline(0, color="#E4E4E4", linewidth=0.7, zorder=0)
    size = np.abs(values)
    shown = np.where(size > FAR, values / np.maximum(size, FAR) * FAR, values)
    kinds = (
        ("inside", size < 1 - 1e-6, "blue", "o", True),
        ("on the unit circle", np.abs(size - 1) <= 1e-6, "black", "o", True),
        ("outside", (size > 1 + 1e-6) & (size <= FAR), "vermilion", "o", False),
        (f"beyond {FAR:g}, put at {FAR:g}", size > FAR, "vermilion", "D", False),
    )
    for word, here, colour, marker, filled in kinds:
        if np.any(here):
            ax.plot(shown[here].real, shown[here].imag, linestyle="none", marker=marker, markersize=5,
                    color=PALETTE[colour], markerfacecolor=PALETTE[colour] if filled else "white",
                    label=word)  # fmt: skip
    reach = 1.1 * max(1.0, float(np.max(np.abs(shown), initial=0.0)))
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach))
    ax.set_aspect("equal", adjustable="box")
    ax.set_xlabel("real part")
    ax.set_ylabel("imaginary part")
    if legend:
        place_legend(ax)
    return ax


def _branches(result):
    branches = list(result.branches) if hasattr(result, "branches") else [result]
    if not branches:
        raise ProblemError("plot: there are no cycles to draw")
    return branches


def _told(point):
    return f"{point.kind} {point.value:.4g}".replace("-", "\N{MINUS SIGN}")


def _top(branch, point, name):
    """Where a point is marked: the largest value of its orbit, or what lies between its neighbours."""
    if point.located:
        return point.orbit.max(name)
    i = int(np.argmin(np.abs(branch.values - point.between[0])))
    return float(branch.max(name)[i])


def _marked(ax, branch, row, colour):
    """Marks along an envelope, evenly on the page."""
    page = ax.transAxes.inverted().transform(ax.transData.transform(np.column_stack([branch.values, row])))
    steps = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(page, axis=0), axis=1)))
    if not np.all(np.isfinite(steps)):
        return
    even = np.arange(0.5 * SPACING, steps[-1], SPACING)
    chosen = np.unique(np.searchsorted(steps, even)).clip(0, len(row) - 1)
    stable = branch.stable
    for which in (True, False):
        here = chosen[stable[chosen] == which]
        ax.plot(branch.values[here], row[here], linestyle="none", marker="o", markersize=3.5, color=colour,
                markerfacecolor=colour if which else "white", zorder=4)  # fmt: skip


def _arrows(ax, x, y, scale, xscale):
    """Heads that show which way an orbit is travelled."""
    ax.set(xscale=xscale, yscale=scale)
    ax.autoscale_view()
    page = ax.transAxes.inverted().transform(ax.transData.transform(np.column_stack([x, y])))
    steps = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(page, axis=0), axis=1)))
    for part in (0.2, 0.7):
        i = int(np.clip(np.searchsorted(steps, part * steps[-1]), 1, len(x) - 1))
        if not np.allclose(page[i], page[i - 1], atol=1e-9):
            ax.annotate("", (x[i], y[i]), (x[i - 1], y[i - 1]), zorder=4,
                        arrowprops={"arrowstyle": "-|>", "color": PALETTE["vermilion"], "shrinkA": 0, "shrinkB": 0,
                                    "mutation_scale": 11})  # fmt: skip
