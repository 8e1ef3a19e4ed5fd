"""Figures of the resistance chapter."""

import numpy as np

from remission.analysis.plots.style import FONT, PALETTE, colour_of, figure, time_label
from remission.analysis.plots.treatment import drug_spans, shade_spans

from .resistance_fits import OBSERVABLE

__all__ = ["WAYS", "draw_curves", "draw_errors", "draw_fractions", "draw_progression"]

# Way to forecast -> words and colour, the same in every figure, none of them the colour of a clone.
WAYS = {
    "ours": ("two clones (ours)", PALETTE["wine"]),
    "zhang": ("Zhang, refitted", PALETTE["green"]),
    "carried": ("last value", PALETTE["gold"]),
    "mean": ("subject mean", PALETTE["grey"]),
}
CUT = "#9A9A9A"
LINEAR = 0.5  # differences beyond it are drawn on a logarithmic scale
HIGHEST = 1.12  # panels end this far above the highest value seen; curves that leave are cut there


def draw_curves(found):
    """Small multiples of every subject: values, both models, the drug, and where the forecast begins.

    Parameters
    ----------
    found : Forecast

    Returns
    -------
    Figure
    """
    subjects, columns = found.subjects, min(5, len(found.subjects))
    rows = -(-len(subjects) // columns)
    fig, axes = figure(columns, rows, width="double", height=12 + 40 * rows)
    axes = np.atleast_1d(axes).ravel()
    for ax, subject in zip(axes, subjects, strict=False):
        _curves_of(ax, found, subject)
    for ax in axes[len(subjects) :]:
        ax.set_axis_off()
    fig.supxlabel(time_label("day"), fontsize=FONT["label"])
    fig.supylabel("PSA / highest fitted PSA", fontsize=FONT["label"])
    found_in = dict(zip(*reversed(axes[0].get_legend_handles_labels()), strict=True))
    words = ("PSA, fitted", "PSA, not fitted", "ours, fitted", "ours, predicted", WAYS["zhang"][0], "drug given")
    found_in = {text: found_in[text] for text in words if text in found_in}  # filled column by column
    fig.legend(
        list(found_in.values()), list(found_in), loc="outside upper center", ncols=3, frameon=False,
        fontsize=FONT["legend"],
    )  # fmt: skip
    return fig


def _curves_of(ax, found, subject):
    (early,), (late,) = found.early.series_of(subject), found.late.series_of(subject)
    largest, cut, end = early.value.max(), early.time[-1], late.time[-1]
    ours = found.ours.fit.predict(subject, t_end=end)
    zhang = found.zhang.fit.predict(subject, t_end=end)
    shade_spans(ax, drug_spans(ours.solution, "u"), name="u", text="drug given")
    ax.axvline(cut, color=CUT, linewidth=0.8, linestyle=(0, (2, 2)), zorder=1)
    ax.plot(zhang.t, zhang[OBSERVABLE] / largest, color=WAYS["zhang"][1], linewidth=0.9, label=WAYS["zhang"][0])
    at = int(np.searchsorted(ours.t, cut, side="right"))
    look = {"color": WAYS["ours"][1], "linewidth": 1.4}
    ax.plot(ours.t[:at], ours[OBSERVABLE][:at] / largest, alpha=0.5, label="ours, fitted", **look)
    ax.plot(ours.t[at - 1 :], ours[OBSERVABLE][at - 1 :] / largest, label="ours, predicted", **look)
    dots = {"linestyle": "none", "marker": "o", "markersize": 2.6, "color": PALETTE["black"], "markeredgewidth": 0.7}
    ax.plot(early.time, early.value / largest, label="PSA, fitted", **dots, zorder=3)
    ax.plot(late.time, late.value / largest, markerfacecolor="white", label="PSA, not fitted", **dots, zorder=3)
    highest = max(1.0, late.value.max() / largest, _mild(ours[OBSERVABLE] / largest))
    ax.set(xlim=(0, end * 1.03), ylim=(0, HIGHEST * highest))
    ax.set_title(subject, fontsize=FONT["note"], loc="left", pad=2)
    ax.tick_params(labelsize=FONT["tick"] - 1)
    ax.locator_params(axis="x", nbins=3)
    ax.locator_params(axis="y", nbins=4)


def _mild(curve):
    """Height of a curve, but not more than leaves the values legible."""
    return min(float(np.max(curve)), 2.0)


def draw_errors(found, means, differences):
    """Errors of every subject under each way to forecast, and paired differences of ours to the others.

    Parameters
    ----------
    found : Forecast
    means, differences : dict of str to Interval

    Returns
    -------
    Figure
    """
    fig, axes = figure(2, width="double", height=78)
    left, right = axes[0]
    n = len(found.subjects)
    offsets = np.random.default_rng(0).uniform(-0.16, 0.16, n)
    adaptive = _adaptive(found)
    for row, way in enumerate(WAYS):
        _dots(left, found.errors[way], row + offsets, adaptive, WAYS[way][1])
        _interval(left, means[way], row, WAYS[way][1])
    left.set_yticks(range(len(WAYS)), [words for words, *_ in WAYS.values()])
    left.set(xlabel="forecast error (RMSE of relative PSA)", xlim=(0, None))
    for row, way in enumerate(differences):
        _dots(right, found.errors["ours"] - found.errors[way], row + offsets, adaptive, WAYS[way][1])
        _interval(right, differences[way], row, WAYS[way][1])
    right.axvline(0, color=CUT, linewidth=0.9, zorder=0)
    right.set_yticks(range(len(differences)), [f"minus {WAYS[way][0]}" for way in differences])
    right.set(xlabel="difference of forecast errors")
    right.set_xscale("symlog", linthresh=LINEAR, linscale=0.7)
    ticks = [-2, -1, -0.5, -0.25, 0, 0.25, 0.5, 1, 2]
    right.set_xticks(ticks, [f"{v:g}".replace("-", "−") for v in ticks])
    widest = [d for way in differences for d in (found.errors["ours"] - found.errors[way])]
    right.set_xlim(min(-0.6, 1.25 * min(widest)), max(0.6, 1.25 * max(widest)))
    right.minorticks_off()
    right.text(0.01, 1.02, "← ours is better", transform=right.transAxes, fontsize=FONT["note"], color=CUT)
    for ax in (left, right):
        ax.set_ylim(len(ax.get_yticks()) - 0.45, -0.55)
    handles = [_key(left, "o", full, text) for full, text in ((True, "adaptive arm"), (False, "continuous arm"))]
    handles.append(left.plot([], [], color=PALETTE["black"], marker="|", markersize=9, label="mean, 95 % interval")[0])
    labels = [h.get_label() for h in handles]
    fig.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False, fontsize=FONT["legend"])
    return fig


def _adaptive(found):
    return np.array(["adaptive" in found.arms[s] for s in found.subjects])


def _dots(ax, x, y, filled, colour):
    look = {"linestyle": "none", "marker": "o", "markersize": 3.6, "color": colour, "alpha": 0.65, "zorder": 2}
    ax.plot(x[filled], y[filled], markeredgewidth=0, **look)
    ax.plot(x[~filled], y[~filled], markerfacecolor="white", **look)


def _interval(ax, interval, row, colour):
    at = row + 0.33
    ax.plot([interval.low, interval.high], [at, at], color=colour, linewidth=2.0, solid_capstyle="butt", zorder=3)
    ax.plot([interval.mean], [at], marker="|", markersize=9, markeredgewidth=2, color=colour, zorder=4)


def _key(ax, marker, full, text, colour=PALETTE["black"]):
    look = {} if full else {"markerfacecolor": "white"}
    return ax.plot([], [], linestyle="none", marker=marker, markersize=4.5, color=colour, label=text, **look)[0]


def draw_fractions(rows):
    """Predicted part of resistant cells in each subject when the fitted part ends.

    Parameters
    ----------
    rows : list of dict
        Keys `subject`, `start`, `end`, `bound`, `other`: part of R at the start and at the end of the fitted visits,
        whether the first is at a bound ("", "low", "high"), and the end value by the fit with n0 estimated.

    Returns
    -------
    Figure
    """
    rows = sorted(rows, key=lambda row: -row["end"])
    fig, ax = figure(width=140, height=14 + 5.2 * len(rows))
    colour = colour_of("R")
    for y, row in enumerate(rows):
        open_ = bool(row["bound"])
        ax.plot([row["start"], row["end"]], [y, y], color=colour, linewidth=1.2, alpha=0.5, zorder=1)
        ax.plot(row["start"], y, marker="|", markersize=7, color=colour, markeredgewidth=1.4)
        ax.plot(
            row["end"],
            y,
            marker="o",
            markersize=5,
            color=colour,
            markerfacecolor="white" if open_ else colour,
            zorder=3,
        )
        ax.plot(row["other"], y, marker="x", markersize=4.5, color=PALETTE["grey"], markeredgewidth=1.2, zorder=2)
    ax.set_yticks(range(len(rows)), [row["subject"] for row in rows])
    ax.set(xlabel="resistant part of the tumour, predicted", xlim=(-0.03, 1.03), ylim=(len(rows) - 0.4, -0.6))
    keys = [
        ax.plot([], [], linestyle="none", marker="|", markersize=7, color=colour, markeredgewidth=1.4)[0],
        _key(ax, "o", True, "", colour),
        _key(ax, "o", False, "", colour),
        ax.plot([], [], linestyle="none", marker="x", markersize=4.5, color=PALETTE["grey"], markeredgewidth=1.2)[0],
    ]
    words = (
        "first visit",
        "last fitted visit",
        "last fitted visit, start at a bound",
        "last fitted visit, n0 estimated",
    )
    ax.figure.legend(keys, words, loc="outside upper center", ncols=2, frameon=False, fontsize=FONT["legend"])
    return fig


def draw_progression(by_fit, horizon):
    """Time to progression under continuous and adaptive dosing, one panel for each fit.

    Parameters
    ----------
    by_fit : dict
        Words -> dict subject -> Progression; the same subjects in each.
    horizon : float
        Days.

    Returns
    -------
    Figure
    """
    first = next(iter(by_fit.values()))
    order = sorted(first, key=lambda s: np.nan_to_num([p[s].continuous for p in by_fit.values()][-1], nan=np.inf))
    fig, axes = figure(len(by_fit), width="double", height=20 + 4.9 * len(order))
    axes = np.atleast_1d(axes).ravel()
    for ax, (words, found) in zip(axes, by_fit.items(), strict=True):
        for y, subject in enumerate(order):
            _dumbbell(ax, y, found[subject], horizon)
        ax.set_yticks(range(len(order)), order if ax is axes[0] else [])
        ax.set(xlim=(0, None), ylim=(len(order) - 0.4, -0.6), xlabel="time to progression (days)")
        ax.set_title(words, loc="left", fontsize=FONT["label"])
        ax.grid(axis="y", color="#EEEEEE", linewidth=0.6)
    top = max(ax.get_xlim()[1] for ax in axes)
    for ax in axes:
        ax.set_xlim(0, top)
    handles = [
        _key(axes[0], "o", False, "continuous dosing", PALETTE["black"]),
        _key(axes[0], "o", True, "adaptive dosing", PALETTE["gold"]),
    ]
    fig.legend(
        handles, [h.get_label() for h in handles], loc="outside upper center", ncols=2, frameon=False,
        fontsize=FONT["legend"],
    )  # fmt: skip
    return fig


def _dumbbell(ax, y, one, horizon):
    if not one.defined:
        ax.text(20, y, "not defined", va="center", fontsize=FONT["tick"] - 1, color=PALETTE["grey"])
        return
    a, b = min(one.continuous, horizon), min(one.adaptive, horizon)
    ax.plot([a, b], [y, y], color=PALETTE["grey"], linewidth=1.4, zorder=1)
    ax.plot(b, y, marker="o", markersize=4.2, color=PALETTE["gold"], markeredgewidth=0, zorder=2)
    ax.plot(a, y, marker="o", markersize=5.4, color=PALETTE["black"], markerfacecolor="none", zorder=3)
