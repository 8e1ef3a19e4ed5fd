"""What thresholds hang on: tornado bars of their elasticities."""

import numpy as np

from remission.models.errors import ProblemError, refuse_unknown_keywords

from .legend import place_legend
from .sensitivity import signed
from .style import FONT, PALETTE, new_axes, pretty_unit

__all__ = ["plot_threshold", "plot_thresholds"]

ROW, HEAD = 6.5, 26.0  # millimetres for each parameter, and for the axis
COLOURS = ("vermilion", "blue", "green", "orange", "purple", "sky", "grey")
NONE = 0.005  # percent of the threshold per percent of a parameter that is not worth a bar


@refuse_unknown_keywords
def plot_threshold(threshold, ax=None, *, most=12, legend=True):
    """Tornado of one threshold: percent that it moves per percent of each parameter; `plot(threshold)` calls this.

    Parameters
    ----------
    threshold : Threshold
    ax : Axes, optional
    most : int
        Most parameters that are shown.
    legend : bool

    Returns
    -------
    Axes

    Raises
    ------
    ProblemError
        If the threshold has no derivatives, or is zero or infinite, so that percents of it mean nothing.

    Examples
    --------
    >>> from remission.analysis import thresholds
    >>> from remission.models import paracrine_loop
    >>> from remission.solvers import Problem
    >>> cure = thresholds(Problem(paracrine_loop()), "e", kinds="curative dose")[0]
    >>> plot_threshold(cure).get_xlabel()
    '% of the curative dose per % of parameter'
    """
    return _bars([threshold], ax, most, legend, f"% of the {threshold.kind} per % of parameter")


@refuse_unknown_keywords
def plot_thresholds(result, ax=None, *, kinds=None, most=12, legend=True):
    """Tornado of several thresholds side by side, a colour each; `plot(thresholds)` calls this.

    Parameters
    ----------
    result : Thresholds
    ax : Axes, optional
    kinds : str or sequence of str, optional
        Kinds that are shown; all that have derivatives if not given.
    most : int
        Most parameters that are shown.
    legend : bool

    Returns
    -------
    Axes

    Raises
    ------
    ProblemError
        If no threshold has derivatives.

    Examples
    --------
    >>> from remission.analysis import thresholds
    >>> from remission.models import paracrine_loop
    >>> from remission.solvers import Problem
    >>> found = thresholds(Problem(paracrine_loop()).at_constant(e=0.6, B=10), "e")
    >>> plot_thresholds(found).get_legend_handles_labels()[1]
    ['curative dose, e = 0.3339', 'fold dose, e = 0.7793']
    """
    kinds = {kinds} if isinstance(kinds, str) else set(kinds or [t.kind for t in result])
    chosen = [t for t in result if t.kind in kinds and t.derivatives and 0 < abs(t.value) < np.inf]
    if len(chosen) == 1:
        return plot_threshold(chosen[0], ax, most=most, legend=legend)
    if not chosen:
        raise ProblemError(
            f"plot: no threshold of {result.of} with derivatives is there to draw ({result.status or 'none found'})"
        )
    return _bars(chosen, ax, most, legend, "% of the threshold per % of parameter")


def _bars(thresholds, ax, most, legend, label):
    table = [t.elasticities for t in thresholds]
    names = sorted({name for row in table for name in row})
    values = np.nan_to_num(np.array([[row.get(name, 0.0) for name in names] for row in table]))
    largest = np.max(np.abs(values), axis=0, initial=0.0)
    if not np.any(largest > NONE):
        raise ProblemError(f"plot: {thresholds[0].label} has no derivatives to draw, or percents of it mean nothing")
    shown = [j for j in np.argsort(-largest, kind="stable") if largest[j] > NONE][:most][::-1]
    ax = new_axes(ax, height=HEAD + ROW * len(shown) * (1 + 0.5 * (len(table) - 1)))
    at, width = np.arange(len(shown)), 0.72 / len(table)
    for k, (t, row) in enumerate(zip(thresholds, values, strict=True)):
        bars, one = row[shown], len(table) == 1
        shift = 0.36 - (k + 0.5) * width
        colours = PALETTE[COLOURS[k % len(COLOURS)]]
        if one:
            colours = [PALETTE["vermilion" if v > 0 else "blue"] for v in bars]
        ax.barh(at + shift, bars, height=width, color=colours, label=None if one else _named(t))
        for y, value in zip(at + shift, bars, strict=True):
            if abs(value) > NONE:
                _number(ax, value, y)
    if len(table) == 1:
        for sign, text, colour in ((1, "raises it", "vermilion"), (-1, "lowers it", "blue")):
            if np.any(np.sign(values[0, shown]) == sign):
                ax.barh([0], [np.nan], color=PALETTE[colour], label=text)
        ax.set_title(_named(thresholds[0]), fontsize=FONT["label"], loc="left")
    _finish(ax, thresholds[0].problem, [names[j] for j in shown], values[:, shown], label)
    if legend:
        place_legend(ax)
    return ax


def _finish(ax, problem, names, values, label):
    ax.axvline(0, color=PALETTE["black"], linewidth=0.8)
    ax.set_yticks(range(len(names)), [_with_value(problem, name) for name in names])
    ax.set_ylim(-0.6, len(names) - 0.4)
    ax.tick_params(axis="y", length=0)
    reach, low, high = np.max(np.abs(values)), min(values.min(), 0.0), max(values.max(), 0.0)
    ax.set_xlim(low - 0.2 * reach * (low < 0), high + 0.2 * reach * (high > 0))
    ax.set_xlabel(label)


def _number(ax, value, y):
    side = "left" if value >= 0 else "right"
    ax.text(value, y, f" {signed(value, '.2g')} ", va="center", ha=side, fontsize=FONT["note"])


def _named(t):
    """Kind, value and unit, and the clone where it is about one."""
    kind = f"{t.kind} of {' and '.join(t.clones)}" if t.kind == "clone dose" else t.kind
    return f"{kind}, {_amount(t.of, t.value, t.unit)}"


def _with_value(problem, name):
    """A parameter or input with its value and unit."""
    known = {s.name: s for s in (*problem.system.parameter_symbols, *problem.model.inputs)}
    value = problem.parameters[name] if name in problem.parameters else problem.inputs()[name]
    return _amount(name, value, known[name].info.unit)


def _amount(name, value, unit):
    text = "" if unit in ("", "1") else pretty_unit(unit)
    times = " \N{MULTIPLICATION SIGN}" if text[:1].isdigit() else ""
    return f"{name} = {value:.4g}{times} {text}".rstrip()
