"""Which parameters an output hangs on: Sobol bars with their uncertainty, tornado bars, and a table of many outputs."""

import numpy as np

from remission.models.errors import ProblemError, did_you_mean, refuse_unknown_keywords

from .legend import place_legend
from .names import plain
from .style import FONT, PALETTE, figure, new_axes

__all__ = ["plot_sensitivity", "sensitivity_panels"]

ROW, HEAD = 6.5, 22.0  # millimetres for each parameter, and for the axis
HATCH = "////"


@refuse_unknown_keywords
def plot_sensitivity(result, ax=None, *, output=None, most=12, legend=True):
    """Bars of a sensitivity analysis, largest first; `plot(sensitivity)` calls this.

    Sobol: first and total order with half-widths of 95 % intervals; what is not resolved is hatched. Local: percent
    of output per percent of parameter, in two colours by sign. Several outputs, none of them chosen: a table in
    colour, one column an output.

    Parameters
    ----------
    result : Sensitivity
    ax : Axes, optional
    output : str or Outcome, optional
        Label of the output.
    most : int
        Most parameters that are shown.
    legend : bool

    Returns
    -------
    Axes

    Raises
    ------
    ProblemError
        If there is no such output.

    Examples
    --------
    >>> from remission.analysis import sensitivity
    >>> from remission.models import sensitive_resistant
    >>> from remission.solvers import Problem
    >>> effects = sensitivity(Problem(sensitive_resistant()), "burden", vary=["turnover", "r"])
    >>> plot_sensitivity(effects).get_xlabel()
    '% of burden at the end per % of parameter'
    """
    if output is None and len(result.outputs) > 1:
        return _table(result, ax, most)
    row = _row(result, output)
    order = np.argsort(-np.abs(np.nan_to_num(result.values[row])), kind="stable")[:most][::-1]
    ax = new_axes(ax, height=HEAD + ROW * len(order) + 4)
    if result.method == "local":
        _tornado(ax, result, row, order)
    else:
        _sobol_bars(ax, result, row, order)
    ax.set_yticks(range(len(order)), [result.parameters[j] for j in order])
    ax.set_ylim(-0.6, len(order) - 0.4)
    ax.tick_params(axis="y", length=0)
    hidden = len(result.parameters) - len(order)
    if hidden:
        ax.set_ylabel(f"the {len(order)} largest of {len(result.parameters)}")
    if legend:
        place_legend(ax)
    return ax


@refuse_unknown_keywords
def sensitivity_panels(result, *, most=12):
    """One panel of bars for each output.

    Parameters
    ----------
    result : Sensitivity
    most : int
        Most parameters in a panel.

    Returns
    -------
    Figure
    """
    outputs = result.outputs
    rows = min(most, len(result.parameters))
    fig, axes = figure(len(outputs), 1, width="double", height=HEAD + ROW * rows + 8)
    panels = np.atleast_1d(axes).ravel()
    for ax, output in zip(panels, outputs, strict=True):
        plot_sensitivity(result, ax, output=output, most=most, legend=ax is panels[-1])
    return fig


def _row(result, output):
    if output is None:
        return 0
    text = str(getattr(output, "label", output))
    if text not in result.outputs:
        raise ProblemError(f"plot: the sensitivity has no output {text!r}; {did_you_mean(text, result.outputs)}")
    return result.outputs.index(text)


def _sobol_bars(ax, result, row, order):
    at = np.arange(len(order))
    hatched = ~result.resolved[row][order]
    look = {"height": 0.36, "edgecolor": "white", "linewidth": 0.5}
    error = {"elinewidth": 0.9, "capsize": 2, "ecolor": PALETTE["black"]}
    kinds = (
        ("total", PALETTE["blue"], 0.19, result.total, result.total_halfwidth, "total, with interactions"),
        ("first", PALETTE["sky"], -0.19, result.first, result.first_halfwidth, "first order, alone"),
    )
    for _, colour, shift, index, half, text in kinds:
        bars = ax.barh(
            at + shift, index[row][order], xerr=half[row][order], color=colour, label=text, error_kw=error, **look
        )
        for bar, doubtful in zip(bars, hatched, strict=True):
            if doubtful:
                bar.set_hatch(HATCH)
    if hatched.any():
        ax.barh([0], [np.nan], color="white", hatch=HATCH, edgecolor=PALETTE["grey"], label="not resolved (± > 0.1)")
    ax.axvline(0, color=PALETTE["black"], linewidth=0.8)
    reach = np.nanmax([np.nanmax(i[row][order] + h[row][order]) for *_, i, h, _ in kinds] + [1.0])
    low = np.nanmin([np.nanmin(i[row][order] - h[row][order]) for *_, i, h, _ in kinds] + [0.0])
    ax.set_xlim(low - 0.02 * (low < 0), reach * 1.02)
    ax.set_xlabel(f"part of the variance of {_words(result, row)}")


def _tornado(ax, result, row, order):
    values = result.values[row][order]
    colours = [PALETTE["vermilion"] if v > 0 else PALETTE["blue"] for v in values]
    ax.barh(np.arange(len(order)), values, height=0.62, color=colours)
    for sign, text, colour in ((1, "raises it", "vermilion"), (-1, "lowers it", "blue")):
        if np.any(np.sign(values) == sign):
            ax.barh([0], [np.nan], color=PALETTE[colour], label=text)
    reach = np.nanmax(np.abs(values)) or 1.0
    for at, value in enumerate(values):
        side = "left" if value >= 0 else "right"
        text = f" {signed(value, '.2g')} "
        ax.text(np.nan_to_num(value), at, text, va="center", ha=side, fontsize=FONT["note"])
    low, high = min(np.nanmin(values), 0), max(np.nanmax(values), 0)
    ax.set_xlim(low - 0.22 * reach * (low < 0), high + 0.22 * reach * (high > 0))
    ax.axvline(0, color=PALETTE["black"], linewidth=0.8)
    ax.set_xlabel(f"% of {_words(result, row)} per % of parameter")


def _words(result, row):
    return plain(result.outputs[row])


def _table(result, ax, most):
    """Outputs across, parameters down; numbers written, what is not resolved hatched."""
    sobol = result.method == "sobol"
    values = result.total if sobol else result.values
    order = np.argsort(-np.nanmax(np.abs(np.nan_to_num(values)), axis=0), kind="stable")[:most]
    ax = new_axes(ax, height=34 + 7.0 * len(order))
    reach = 1.0 if sobol else np.nanmax(np.abs(values[:, order])) or 1.0
    image = ax.imshow(
        values[:, order].T,
        cmap="Blues" if sobol else "RdBu_r",
        vmin=0 if sobol else -reach,
        vmax=reach,
        aspect="auto",
    )
    for i, j in np.ndindex(len(order), len(result.outputs)):
        value = values[j, order[i]]
        dark = abs(value) > 0.6 * reach
        back = image.cmap(image.norm(value)) if np.isfinite(value) else "white"
        box = {"facecolor": back, "edgecolor": "none", "pad": 1.2}
        colour = "white" if dark else "black"
        ax.text(j, i, signed(value, ".2f"), ha="center", va="center", fontsize=FONT["tick"], color=colour, bbox=box)
        if sobol and not result.resolved[j, order[i]]:
            ax.fill([j - 0.5, j + 0.5, j + 0.5, j - 0.5], [i - 0.5, i - 0.5, i + 0.5, i + 0.5], fill=False,
                    hatch=HATCH, edgecolor="#00000055", linewidth=0)  # fmt: skip
    ax.set_xticks(range(len(result.outputs)), [folded(plain(o)) for o in result.outputs])
    ax.set_yticks(range(len(order)), [result.parameters[j] for j in order])
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    text = "total order index" if sobol else "% of output per % of parameter"
    if sobol and not np.all(result.resolved):
        text += " (hatched: not resolved)"
    bar = ax.figure.colorbar(image, ax=ax, label=text, pad=0.02)
    bar.ax.tick_params(labelsize=FONT["tick"])
    bar.ax.yaxis.label.set_fontsize(FONT["label"])
    bar.outline.set_visible(False)
    return ax


def folded(text, most=16):
    """Long words over two lines or more."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= most:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


def signed(value, form) -> str:
    """A number with a true minus sign, without a negative zero; "none" where there is no number."""
    if not np.isfinite(value):
        return "none"
    text = f"{value:{form}}"
    text = text if any(c in "123456789" for c in text) else text.replace("-", "")
    return text.replace("-", "\N{MINUS SIGN}")
