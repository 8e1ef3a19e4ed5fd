"""What the pictures share: curves with labels, arms of a trial, points of rest, lines that are written on."""

import numpy as np

from remission.analysis.plots import PALETTE, label, place_legend, time_label
from remission.analysis.plots.style import FONT, log_ticks
from remission.solvers import solve

__all__ = ["ARMS", "GREY", "after", "arms", "curves", "finish", "rest", "shade", "write"]

GREY = "#8C8C8C"
# Arms are no clones: their colours are those that no clone of the catalogue has, each with a line of its own.
ARMS = (
    {"color": PALETTE["black"], "ls": "-"},
    {"color": PALETTE["wine"], "ls": (0, (5, 1.6))},
    {"color": PALETTE["green"], "ls": (0, (5, 1.4, 1, 1.4))},
    {"color": PALETTE["gold"], "ls": (0, (1, 1.1))},
    {"color": PALETTE["purple"], "ls": (0, (8, 2))},
    {"color": PALETTE["sky"], "ls": (0, (3, 1, 1, 1, 1, 1))},
)


def curves(ax, found, ylabel, unit="day", log=False, **limits):
    """Draw (label, times, values, options) curves with a legend and labels."""
    for text, times, values, options in found:
        ax.plot(times, values, label=text, **({"lw": 1.7} | options))
    ax.set(xlabel=time_label(unit), ylabel=ylabel, yscale="log" if log else "linear")
    finish(ax, **limits)


def finish(ax, handles=None, labels=None, above=0, **limits):
    """Limits, ticks of logarithmic axes, and the legend: where it covers nothing, or above in so many columns."""
    ax.set(**limits)
    log_ticks(ax.xaxis)
    log_ticks(ax.yaxis)
    if above:
        if handles is None:
            handles, labels = ax.get_legend_handles_labels()
        place = {"loc": "lower left", "bbox_to_anchor": (-0.14, 1.0), "borderaxespad": 0.2, "frameon": False}
        tight = {"handlelength": 1.9, "handletextpad": 0.5, "columnspacing": 1.0, "labelspacing": 0.3}
        ax.legend(handles, labels, ncols=above, fontsize=FONT["legend"], **place, **tight)
    else:
        place_legend(ax, handles, labels)


def arms(ax, problem, treatments, name="burden", log=False, t_eval=None, since=0.0, ylabel="", **limits):
    """One curve for each arm: text -> Treatment or changed Problem."""
    found = []
    for (text, arm), look in zip(treatments.items(), ARMS, strict=False):
        changed = arm if hasattr(arm, "t_span") else problem.replace(treatment=arm)
        solution = solve(changed, t_eval=t_eval).require()
        found.append((text, solution.t - since, solution[name], look))
    unit = next(s for s in problem.model.states if s.info.kind == "tumour").info.unit
    curves(ax, found, ylabel or label(name.replace("_", " "), unit), problem.model.time_unit, log, **limits)


def after(solution, event=0):
    """Times since an event of the solution, dense, and the function that gives a quantity there."""
    start, end = solution.events[event].time, solution.problem.t_span[1]
    times = np.linspace(0, end - start, 601)
    return times, lambda name: solution.at(start + times, name, "right" if event else "left")


def rest(ax, x, y, stable, colour=PALETTE["black"], **options):
    """A point of rest: full if stable, open if not."""
    ax.plot(
        [x],
        [y],
        "o",
        color=colour,
        mfc=colour if stable else "white",
        ms=6,
        mew=1.3,
        zorder=5,
        clip_on=False,
        **options,
    )


def write(ax, x, y, text, **options):
    """Words in the figure, small and in grey."""
    return ax.annotate(text, (x, y), **({"fontsize": FONT["note"], "color": "#4D4D4D"} | options))


def shade(ax, start, end, text=""):
    """A span in which something is given."""
    ax.axvspan(start, end, color="#EDEDED", lw=0, zorder=0, label=text or None).set_gid("background")
