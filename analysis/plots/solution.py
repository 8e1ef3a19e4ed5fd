"""Curves of a solution: clones in their colours, what was given behind them, jumps drawn as jumps."""

import numpy as np

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords

from .legend import place_legend
from .names import default_names, kind_of, legend_text, unit_of, value_label
from .style import LINES, colour_of, figure, line_of, log_ticks, new_axes, same_unit, time_label
from .treatment import note, shade_treatment

__all__ = ["curve", "plot_solution", "solution_panels"]

DECADES = 12  # of a logarithmic axis, where no cell count says which is the least value that means something


@refuse_unknown_keywords
def plot_solution(
    solution,
    ax=None,
    *,
    names=None,
    scale="linear",
    labels=None,
    colours=None,
    line=None,
    legend=True,
    shade=True,
):
    """Draw states, observables or inputs of one unit over time; `plot(solution)` calls this.

    Of a problem on a grid these are means over the grid; `plot_fields` draws what differs from place to place.

    Parameters
    ----------
    solution : Solution
        A failed one is drawn up to where it ended, and the reason is written into the figure.
    ax : Axes, optional
    names : str or list of str, optional
        What is drawn. By default the tumour states and their sum; all states of a model without tumour states.
    scale : {"linear", "log"}
        A logarithmic axis ends at one cell where the states have a cell count.
    labels : dict, optional
        Name -> legend entry.
    colours : dict, optional
        Name -> colour, to tell two solutions apart; by default the clone's own.
    line : line style, optional
        One style for all curves, instead of the clone's own.
    legend : bool
    shade : bool
        Whether what was given is shown: one input as shading, several as strips, single doses as triangles.

    Returns
    -------
    Axes

    Raises
    ------
    ProblemError
        If a name is unknown, or the names have different units (use `solution_panels`).

    Examples
    --------
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem, Treatment, solve
    >>> daily = Problem(sensitive_resistant(), treatment=Treatment.constant({"u": 1.0}))
    >>> ax = plot_solution(solve(daily), names=["S", "R"])
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('time (days)', 'cells / carrying capacity')
    """
    model = solution.problem.model
    names = _checked_names(solution, names)
    unit = _one_unit(model, names)
    if scale not in ("linear", "log"):
        raise ProblemError(f"plot: scale is 'linear' or 'log', got {scale!r}")
    texts, chosen = _by_name(labels), _by_name(colours)
    ax = new_axes(ax)
    for name, style in zip(names, _line_styles(model, names), strict=True):
        times, values = curve(solution, name)
        total = name in model.observables
        ax.plot(
            times,
            values,
            color=chosen.get(name) or colour_of(name, kind_of(model, name)),
            linestyle=line or style,
            linewidth=1.9 if total else 1.6,
            label=texts.get(name, legend_text(model, name, names)),
            zorder=2.4 if total else 2.6,
            gid=name,
        )
    _limits(ax, solution, names, scale)
    ax.set_xlabel(time_label(model.time_unit))
    what = value_label(model, names, unit)
    ax.set_ylabel(f"mean of {what}" if solution.problem.grid.spatial else what)
    if shade:
        shade_treatment(ax, solution)
    if not solution.success:
        note(ax, f"ended early: {solution.status}")
    if legend and (len(names) > 1 or len(ax.get_legend_handles_labels()[0]) > 1):
        place_legend(ax)
    return ax


@refuse_unknown_keywords
def solution_panels(solution, names=None, *, scale="linear", width="single", labels=None):
    """One panel for each unit, over one time axis.

    Parameters
    ----------
    solution : Solution
    names : list of str or list of list of str, optional
        All states, if not given. Lists in the list say which names share a panel.
    scale : {"linear", "log"} or dict
        For all panels, or name -> scale for the panel that shows the name.
    width : {"single", "double"} or float
        Of the figure; millimetres.
    labels : dict, optional
        Name -> legend entry.

    Returns
    -------
    Figure
        Its `axes` are the panels, from top to bottom.

    Examples
    --------
    >>> from remission.models import paracrine_loop
    >>> from remission.solvers import Problem, solve
    >>> fig = solution_panels(solve(Problem(paracrine_loop(), t_span=(0, 60))))
    >>> [ax.get_ylabel() for ax in fig.axes]
    ['tumour cells (10⁶ cells)', 'F, X, M, P (scaled)']
    """
    model = solution.problem.model
    names = [s.name for s in model.states] if names is None else names
    given = [_checked_names(solution, n) for n in names] if _nested(names) else None
    groups = given or _by_unit(model, _checked_names(solution, names))
    fig, axes = figure(1, len(groups), width=width, sharex=True)
    panels = np.atleast_1d(axes).ravel()
    for ax, group in zip(panels, groups, strict=True):
        one = scale if isinstance(scale, str) else next((scale[n] for n in group if n in scale), "linear")
        plot_solution(solution, ax, names=group, scale=one, labels=labels, legend=False)
        ax.label_outer()
    for ax in panels:  # what was given is explained once
        handles, texts = ax.get_legend_handles_labels()
        wanted = [i for i, text in enumerate(texts) if ax is panels[0] or not text.startswith("given")]
        if len(wanted) > 1:
            place_legend(ax, [handles[i] for i in wanted], [texts[i] for i in wanted])
    return fig


def _nested(names):
    return all(isinstance(name, (list, tuple)) for name in names)


def curve(solution, name) -> tuple:
    """Times and values dense enough to draw, with both values wherever there is a jump.

    Parameters
    ----------
    solution : Solution
    name : str

    Returns
    -------
    (n,) array, (n,) array
        Times, those of doses and switches twice; values before and after.
    """
    first, last = solution.problem.t_span
    jumps = np.unique([e.time for e in solution.events])
    jumps = jumps[(jumps >= first) & (jumps <= last)]
    steps = [np.asarray(s.dense.ts) for s in solution.trace.segments if hasattr(s.dense, "ts")]
    even = np.linspace(first, last, 401) if not solution.trace.segments or steps else []  # a rectangle keeps its times
    times = np.unique(np.concatenate([solution.t, even, *steps]))
    times = np.setdiff1d(times[(times >= first) & (times <= last)], jumps)
    values = _means(solution, times, name)
    if len(jumps):
        both = np.ravel(np.column_stack([_means(solution, jumps, name, side) for side in ("left", "right")]))
        at = np.searchsorted(times, np.repeat(jumps, 2))
        times, values = np.insert(times, at, np.repeat(jumps, 2)), np.insert(values, at, both)
    return times, values


def _means(solution, times, name, side="left"):
    """Values, of fields the means over the grid."""
    grid = solution.problem.grid
    if not grid.spatial or name in solution.problem.system.inputs:
        return solution.at(times, name, side)
    step = max(1, (1 << 22) // grid.size)
    weights = grid.volumes.ravel() / grid.volumes.sum()
    parts = [solution.at(times[i : i + step], name, side) for i in range(0, len(times), step)]
    return np.concatenate([part.reshape(len(part), -1) @ weights for part in parts])


def _checked_names(solution, names):
    model = solution.problem.model
    if names is None:
        return default_names(model)
    names = [names] if isinstance(names, str) or hasattr(names, "name") else list(names)
    names = [str(getattr(name, "name", name)) for name in names]
    for name in names:
        if name not in solution.names:
            raise ProblemError(f"plot: {model.name} has nothing named {name!r}; {did_you_mean(name, solution.names)}")
    if not names:
        raise ProblemError(f"plot: names is empty; {model.name} has {', '.join(solution.names)}")
    return list(dict.fromkeys(names))


def _by_unit(model, names):
    groups = []
    for name in names:
        for group in groups:
            if same_unit(unit_of(model, group[0]), unit_of(model, name)):
                group.append(name)
                break
        else:
            groups.append([name])
    return groups


def _one_unit(model, names):
    groups = _by_unit(model, names)
    if len(groups) > 1:
        units = [unit_of(model, group[0]) for group in groups]
        told = "; ".join(f"{', '.join(g)} in {u or 'no unit'}" for g, u in zip(groups, units, strict=True))
        calls = ", ".join(f"names={group}" for group in groups)
        raise ProblemError(
            f"plot: one axis cannot show different units ({told}); draw one of {calls}, "
            "or all with plots.solution_panels(solution, names), one panel a unit"
        )
    return unit_of(model, names[0])


def _by_name(mapping):
    return {str(getattr(k, "name", k)): v for k, v in (mapping or {}).items()}


def _line_styles(model, names):
    """The line of each name; a second curve of equal colour and line takes the next free line."""
    taken, found = set(), []
    for name in names:
        colour, style = colour_of(name, kind_of(model, name)), line_of(name)
        style = next((s for s in (style, *LINES) if (colour, s) not in taken), style)
        taken.add((colour, style))
        found.append(style)
    return found


def _limits(ax, solution, names, scale):
    values = np.concatenate([line.get_ydata() for line in ax.lines if line.get_gid() is not None])
    values = values[np.isfinite(values)]
    ax.set_xlim(*solution.problem.t_span)
    if scale == "log":
        positive = values[values > 0]
        ax.set_yscale("log", nonpositive="clip")
        if len(positive):
            floor = _one_cell(solution.problem.model, names) or positive.max() / 10**DECADES
            bottom = max(floor, positive.min() / 1.5)
            ax.set_ylim(bottom, max(positive.max(), 2 * bottom) * 1.6)
            log_ticks(ax.yaxis)
    elif len(values) and values.min() >= -1e-3 * np.abs(values).max():
        ax.set_ylim(0, (values.max() or 1.0) * 1.06)


def _one_cell(model, names):
    """One cell in the unit of the axis, where all that is drawn is counted in cells."""
    table = {s.name: s for s in model.states}
    floors = []
    for name in names:
        parts = [table[name]] if name in table else _parts(model, name)
        if not parts or not all(s.info.cells_per_unit for s in parts):
            return None
        floors += [1 / s.info.cells_per_unit for s in parts]
    return min(floors)


def _parts(model, name):
    expression = model.observables.get(name)
    return [s for s in model.states if expression is not None and expression.has(s)]
