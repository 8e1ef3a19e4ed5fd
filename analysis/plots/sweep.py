"""Sweeps and ensembles: outputs against what was varied, and bands of trajectories."""

import numpy as np

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords

from .legend import place_legend
from .names import plain
from .style import FONT, PALETTE, label, log_ticks, new_axes, time_label

__all__ = ["parameter_label", "plot_band", "plot_sweep"]

ENOUGH, BINS = 60, 12  # members from which on a running median says something


@refuse_unknown_keywords
def plot_sweep(result, ax=None, *, output=None, x=None, legend=True):
    """Outputs of a sweep against a parameter; `plot(sweep)` calls this.

    One parameter: a line with its members. Two, no `x`: the members in the plane of both, coloured by the output.
    More: the parameter that the output follows most closely, with running median and 90 % band. Courses: median and
    90 % band over time.
    Members that failed are counted in the figure, infinite values sit on its upper edge.

    Parameters
    ----------
    result : Sweep
    ax : Axes, optional
    output : str or Outcome, optional
        Needed where there are several.
    x : str, optional
        Parameter on the horizontal axis.
    legend : bool

    Returns
    -------
    Axes

    Raises
    ------
    ProblemError
        If a name is unknown or the output has to be chosen.

    Examples
    --------
    >>> from remission.analysis import sweep
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem
    >>> found = sweep(Problem(sensitive_resistant()), {"r": [0.01, 0.02, 0.04]}, "burden", progress=False)
    >>> plot_sweep(found).get_xlabel()
    'r: growth rate (per day)'
    """
    outputs, names = tuple(result.outputs), tuple(result.names)
    column = _chosen("output", getattr(output, "label", output), outputs)
    if column is None:
        raise ProblemError(f"plot: choose one output of the sweep, output=...; there is: {', '.join(outputs)}")
    if getattr(result, "times", None) is not None:
        return plot_band(
            result.times, result.values[:, :, column], ax, value_label=_output_label(result, column),
            time_unit=result.problem.model.time_unit, legend=legend,
        )  # fmt: skip
    chosen = _chosen("parameter", x, names)
    values = np.asarray(result.values, dtype=float)[:, column]
    ax = new_axes(ax)
    text = _output_label(result, column)
    if chosen is None and len(names) == 2:
        _plane(ax, result, values, text)
    else:
        row = _closest(result, values) if chosen is None else chosen
        _against(ax, result, row, values)
        ax.set_ylabel(text)
        _remarks(ax, result, values, row)
        if legend and ax.get_legend_handles_labels()[0]:
            place_legend(ax)
        return ax
    _remarks(ax, result, values)
    return ax


@refuse_unknown_keywords
def plot_band(times, members, ax=None, *, text="median and 90 % of members", colour=None, levels=(0.05, 0.5, 0.95),
              value_label="", time_unit="day", legend=True):  # fmt: skip
    """Median and band of many trajectories.

    Parameters
    ----------
    times : (n_t,) array_like
    members : (n_members, n_t) array_like
        NaN where a member failed: it is left out where it has no value.
    ax : Axes, optional
    text : str
        Legend entry.
    colour : str, optional
    levels : (low, middle, high)
        Quantiles.
    value_label : str
        Label of the y axis.
    time_unit : str
    legend : bool

    Returns
    -------
    Axes

    Examples
    --------
    >>> ax = plot_band([0, 1, 2], [[1, 2, 4], [1, 3, 9]], value_label="burden")
    >>> ax.get_ylabel(), len(ax.collections)
    ('burden', 1)
    """
    members = np.atleast_2d(np.asarray(members, dtype=float))
    times = np.asarray(times, dtype=float)
    if members.shape[1] != len(times):
        raise ProblemError(f"plot_band: members has shape {members.shape}, times ({len(times)},); time goes last")
    low, middle, high = np.nanquantile(members, levels, axis=0)
    ax, colour = new_axes(ax), colour or PALETTE["black"]
    ax.fill_between(times, low, high, color=colour, alpha=0.2, linewidth=0)
    ax.plot(times, middle, color=colour, linewidth=1.7, label=text)
    ax.set_xlim(times[0], times[-1])
    ax.set_xlabel(time_label(time_unit))
    if value_label:
        ax.set_ylabel(value_label)
    if legend:
        place_legend(ax)
    return ax


def _chosen(what, name, names):
    if name is None:
        return 0 if len(names) == 1 else None
    text = str(getattr(name, "name", name))
    if text in names:
        return names.index(text)
    at_end = f"{text} at the end"
    if at_end in names:
        return names.index(at_end)
    raise ProblemError(f"plot: the sweep has no {what} {text!r}; {did_you_mean(text, names)}")


def _output_label(result, column):
    outcome = getattr(result, "outcomes", (None,) * (column + 1))[column]
    unit = outcome.unit(result.problem) if outcome is not None else ""
    return label(plain(result.outputs[column]), unit)


def parameter_label(problem, name) -> str:
    """Axis label of a parameter: meaning, letter and unit.

    Parameters
    ----------
    problem : Problem
    name : str

    Returns
    -------
    str
    """
    for symbol in getattr(problem.system, "parameter_symbols", problem.model.parameters):
        if symbol.name == name:
            about = symbol.info.about.split("[")[0].strip()
            text = f"{name}: {about}" if about and len(about) <= 40 and about != name else name
            return label(text, symbol.info.unit)
    return plain(name)


def _is_log(problem, name, values):
    symbols = getattr(problem.system, "parameter_symbols", problem.model.parameters)
    info = next((s.info for s in symbols if s.name == name), None)
    values = values[np.isfinite(values)]
    return (
        info is not None
        and info.scale == "log"
        and len(values)
        and values.min() > 0
        and (values.max() / values.min() > 8)
    )


def _closest(result, values):
    """The parameter with the largest rank correlation."""
    from scipy.stats import spearmanr

    keep = np.isfinite(values)
    if keep.sum() < 3:
        return 0
    size = [abs(np.nan_to_num(spearmanr(s[keep], values[keep])[0])) if np.ptp(s[keep]) else 0 for s in result.samples.T]
    return int(np.argmax(size))


def _against(ax, result, row, values):
    x, name = np.asarray(result.samples, dtype=float)[:, row], result.names[row]
    log = _is_log(result.problem, name, x)
    if log:
        ax.set_xscale("log")
    keep = np.isfinite(values)
    order = np.argsort(x[keep], kind="stable")
    x_kept, y_kept = x[keep][order], values[keep][order]
    alone = len(result.names) == 1
    many = {"alpha": 0.45, "s": 9} if len(x) > 40 else {"s": 16}
    ax.scatter(x_kept, y_kept, color=PALETTE["blue"], linewidths=0, zorder=3, **many)
    if alone:
        ax.plot(x_kept, y_kept, color=PALETTE["blue"], linewidth=1.3)
    elif keep.sum() >= ENOUGH:
        whom = "members" if keep.all() else "those with a value"
        groups = [g for g in np.array_split(np.arange(len(x_kept)), BINS) if len(g)]
        middle = [np.exp(np.mean(np.log(x_kept[g]))) if log else np.mean(x_kept[g]) for g in groups]
        low, mid, high = np.array([np.quantile(y_kept[g], (0.05, 0.5, 0.95)) for g in groups]).T
        ax.fill_between(middle, low, high, color=PALETTE["orange"], alpha=0.25, linewidth=0, label=f"90 % of {whom}")
        ax.plot(middle, mid, color=PALETTE["vermilion"], linewidth=1.7, label=f"running median of {whom}")
    ax.set_xlabel(parameter_label(result.problem, name))
    ax.margins(x=0.03, y=0.06)
    log_ticks(ax.xaxis)


def _plane(ax, result, values, text):
    x, y = np.asarray(result.samples, dtype=float).T
    for axis, name, data in (("x", result.names[0], x), ("y", result.names[1], y)):
        if _is_log(result.problem, name, data):
            getattr(ax, f"set_{axis}scale")("log")
    keep = np.isfinite(values)
    shown = ax.scatter(x[keep], y[keep], c=values[keep], cmap="viridis", s=22, linewidths=0)
    if (~keep).any():
        ax.scatter(x[~keep], y[~keep], marker="x", color=PALETTE["grey"], s=16, linewidths=1)
    bar = ax.figure.colorbar(shown, ax=ax, label=text, pad=0.02)
    bar.ax.tick_params(labelsize=FONT["tick"])
    bar.ax.yaxis.label.set_fontsize(FONT["label"])
    bar.outline.set_visible(False)
    log_ticks(ax.xaxis)
    log_ticks(ax.yaxis)
    ax.set_xlabel(parameter_label(result.problem, result.names[0]))
    ax.set_ylabel(parameter_label(result.problem, result.names[1]))


def _remarks(ax, result, values, row=None):
    failed, infinite = int(np.sum(np.asarray(result.failed))), np.isinf(values)
    parts = [f"{failed} of {len(values)} failed"] if failed else []
    if infinite.any():
        parts.append(f"{infinite.sum()} without an event (triangles)" if row is not None else f"{infinite.sum()} inf")
        if row is not None:
            ax.plot(
                np.asarray(result.samples, dtype=float)[infinite, row],
                np.full(infinite.sum(), 0.98),
                linestyle="none",
                marker="^",
                markersize=4,
                color=PALETTE["grey"],
                transform=ax.get_xaxis_transform(),
                clip_on=False,
            )
    if parts:
        ax.set_title("; ".join(parts), fontsize=FONT["note"], color="#444444", loc="right")
