"""Numbers side by side: estimates with intervals, and observed against predicted values."""

import numpy as np

from remission.models.errors import ProblemError, refuse_unknown_keywords

from .legend import place_legend
from .style import FONT, PALETTE, figure, label, log_ticks, new_axes

__all__ = ["plot_forest", "plot_observed_predicted"]

ORDER = ("blue", "vermilion", "green", "orange", "purple", "sky", "gold", "wine", "grey", "black")
MANY = 10  # groups beyond which a legend explains nothing


@refuse_unknown_keywords
def plot_forest(rows, ax=None, *, name="", unit="", reference=None, reference_text="", highlight=None, digits=3,
                scale="linear", interval="95 %"):  # fmt: skip
    """Values with intervals, one a line, numbers written beside them.

    Parameters
    ----------
    rows : sequence of (label, value) or (label, value, low, high)
        From top to bottom.
    ax : Axes, optional
    name, unit : str
        Label of the horizontal axis.
    reference : float, optional
        A vertical line, such as 0 for differences.
    reference_text : str
        What it means.
    highlight : str or sequence of str, optional
        Labels drawn in colour; the others are grey. All are in colour if not given.
    digits : int
        Significant digits of the largest number; the others have as many decimals.
    scale : {"linear", "log"}
    interval : str
        Which interval it is, for the axis.

    Returns
    -------
    Axes

    Raises
    ------
    ProblemError
        If a row is malformed, or its value lies outside its interval.

    Examples
    --------
    >>> ax = plot_forest([("ours", 0.21, 0.18, 0.25), ("last value", 0.35, 0.28, 0.43)], name="RMSE of PSA")
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['ours', 'last value']
    """
    parsed = [_parsed(row) for row in rows]
    if not parsed:
        raise ProblemError("plot_forest: rows is empty")
    ax = new_axes(ax, height=24 + 7.5 * len(parsed))
    chosen = {highlight} if isinstance(highlight, str) else set(highlight or [r[0] for r in parsed])
    largest = np.nanmax([abs(r[1]) for r in parsed] + [1e-300])
    decimals = int(np.clip(digits - 1 - np.floor(np.log10(largest)), 0, 8))
    for at, (text, value, low, high) in enumerate(parsed):
        colour = PALETTE["blue"] if text in chosen else PALETTE["grey"]
        if np.isfinite([low, high]).all():
            ax.plot([low, high], [at, at], color=colour, linewidth=1.8, solid_capstyle="butt")
        ax.plot([value], [at], marker="s", markersize=5.5, color=colour, linestyle="none")
        number = f"{value:.{decimals}f}" if np.isfinite(value) else "not available"
        if np.isfinite([low, high]).all():
            number += f" ({low:.{decimals}f} to {high:.{decimals}f})"
        ax.annotate(number.replace("-", "\N{MINUS SIGN}"), (1.02, at), xycoords=("axes fraction", "data"), va="center",
                    fontsize=FONT["note"])  # fmt: skip
    ax.set_xscale(scale)
    ax.set_yticks(range(len(parsed)), [r[0] for r in parsed])
    ax.set_ylim(len(parsed) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.margins(x=0.08)
    if reference is not None:
        ax.axvline(reference, color=PALETTE["black"], linewidth=0.9, linestyle=(0, (4, 2)), zorder=0)
        if reference_text:
            ax.annotate(reference_text, (reference, 1.01), xycoords=("data", "axes fraction"), ha="center", va="bottom",
                        fontsize=FONT["note"])  # fmt: skip
    with_interval = any(np.isfinite(r[2]) for r in parsed)
    ax.set_xlabel(label(name, unit) + (f", {interval} interval" if with_interval and interval else ""))
    return ax


def _parsed(row):
    if len(row) not in (2, 4):
        raise ProblemError(f"plot_forest: a row is (label, value) or (label, value, low, high), got {row!r}")
    text, value, low, high = (*row, None, None)[:4]
    value, low, high = (np.nan if v is None else float(v) for v in (value, low, high))
    if np.isfinite([value, low, high]).all() and not low <= value <= high:
        raise ProblemError(f"plot_forest: {text}: {value:g} lies outside its interval, {low:g} to {high:g}")
    return str(text), value, low, high


@refuse_unknown_keywords
def plot_observed_predicted(observed, predicted, ax=None, *, groups=None, name="value", unit="", scale=None,
                            legend=True):  # fmt: skip
    """Observed against predicted values with the line of agreement.

    Parameters
    ----------
    observed, predicted : (n,) array_like
        Pairs with a value that is not finite are left out.
    ax : Axes, optional
    groups : (n,) sequence, optional
        Subject or arm of each pair: one colour each, up to ten in the legend.
    name, unit : str
    scale : {"linear", "log"}, optional
        Logarithmic where all values are positive and span more than two decades, if not given.
    legend : bool

    Returns
    -------
    Axes

    Raises
    ------
    ProblemError
        If the lengths differ or no pair is finite.

    Examples
    --------
    >>> ax = plot_observed_predicted([1, 2, 3], [1.1, 1.9, 3.2], name="volume", unit="mm^3")
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('predicted volume (mm³)', 'observed volume (mm³)')
    """
    observed, predicted = np.asarray(observed, dtype=float), np.asarray(predicted, dtype=float)
    if observed.shape != predicted.shape or observed.ndim != 1:
        raise ProblemError(f"observed has shape {observed.shape}, predicted {predicted.shape}; give pairs")
    groups = np.full(len(observed), "", dtype=object) if groups is None else np.asarray(groups, dtype=object)
    keep = np.isfinite(observed) & np.isfinite(predicted)
    if not keep.any():
        raise ProblemError("observed and predicted have no finite pair")
    observed, predicted, groups = observed[keep], predicted[keep], groups[keep]
    both = np.concatenate([observed, predicted])
    if scale is None:
        scale = "log" if both.min() > 0 and both.max() / both.min() > 100 else "linear"
    if ax is None:
        _, ax = figure(width=85, height=85)
    new_axes(ax)
    names = list(dict.fromkeys(groups))
    for i, group in enumerate(names):
        here, few = groups == group, len(names) <= MANY
        ax.plot(predicted[here], observed[here], linestyle="none", marker="o", markersize=3.4, alpha=0.75,
                markeredgewidth=0, color=PALETTE[ORDER[i]] if few else PALETTE["blue"],
                label=str(group) if few and group != "" else None)  # fmt: skip
    pad = (both.min() / 1.3, both.max() * 1.3) if scale == "log" else _padded(both)
    ax.plot(pad, pad, color=PALETTE["black"], linewidth=0.9, linestyle=(0, (4, 2)), label="perfect agreement", zorder=1)
    ax.set(xscale=scale, yscale=scale, xlim=pad, ylim=pad)
    log_ticks(ax.xaxis)
    log_ticks(ax.yaxis)
    ax.set_aspect("equal", adjustable="box")
    ax.set_xlabel(label(f"predicted {name}", unit))
    ax.set_ylabel(label(f"observed {name}", unit))
    if legend:
        place_legend(ax)
    return ax


def _padded(values):
    low, high = min(values.min(), 0) if values.min() > -1e-12 * abs(values).max() else values.min(), values.max()
    room = 0.04 * ((high - low) or 1.0)
    return (low - (room if low < 0 else 0), high + room)
