"""What the pictures share: curves with labels, arms of a trial, points of rest, lines that are written on."""

from remission.analysis.plots import PALETTE, label, place_legend, time_label
from remission.analysis.plots.style import FONT, log_ticks
from remission.solvers import solve

__all__ = ["ARMS", "GREY", "arms", "curves", "finish", "rest", "shade", "write"]

GREY = "#8C8C8C"
# Arms are no clones: none has the colour of S, A or R, and each has a line of its own.
ARMS = (
    {"color": PALETTE["black"], "ls": "-"},
    {"color": PALETTE["wine"], "ls": (0, (5, 1.6))},
    {"color": PALETTE["green"], "ls": (0, (5, 1.4, 1, 1.4))},
    {"color": PALETTE["gold"], "ls": (0, (1, 1.1))},
    {"color": PALETTE["purple"], "ls": (0, (8, 2))},
    {"color": PALETTE["sky"], "ls": (0, (3, 1, 1, 1, 1, 1))},
)


def curves(ax, found, ylabel, unit="day", log=False, **limits):
    """Draw curves over time with a legend and labels.

    Parameters
    ----------
    ax : Axes
    found : list of (str, array, array, dict)
        Text of the legend, times, values, and what `Axes.plot` takes.
    ylabel : str
    unit : str
        Of time.
    log : bool
        Whether the vertical axis is logarithmic.
    **limits
        As in `finish`.
    """
    for text, times, values, options in found:
        ax.plot(times, values, label=text, **({"lw": 1.7} | options))
    ax.set(xlabel=time_label(unit), ylabel=ylabel, yscale="log" if log else "linear")
    finish(ax, **limits)


def finish(ax, handles=None, labels=None, above=0, **limits):
    """Set limits, ticks of logarithmic axes and the legend.

    Parameters
    ----------
    ax : Axes
    handles, labels : sequence, optional
        What the legend shows; everything with a label if not given.
    above : int
        Columns of a legend above the axes; 0 for one inside, where it covers nothing.
    **limits
        What `Axes.set` takes.
    """
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


def arms(ax, problem, treatments, name="burden", log=False, t_eval=None, ylabel="", **limits):
    """Solve a problem for each arm of a trial and draw one curve for each.

    Parameters
    ----------
    ax : Axes
    problem : Problem
    treatments : dict
        Text -> Treatment, or a changed Problem.
    name : str
        What is drawn.
    log : bool
    t_eval : array, optional
    ylabel : str
        The name and its unit if not given.
    **limits
        As in `finish`.
    """
    found = []
    for (text, arm), look in zip(treatments.items(), ARMS, strict=False):
        changed = arm if hasattr(arm, "t_span") else problem.replace(treatment=arm)
        solution = solve(changed, t_eval=t_eval).require()
        found.append((text, solution.t, solution[name], look))
    unit = next(s for s in problem.model.states if s.info.kind == "tumour").info.unit
    curves(ax, found, ylabel or label(name.replace("_", " "), unit), problem.model.time_unit, log, **limits)


def rest(ax, x, y, stable, colour=PALETTE["black"], **options):
    """Draw a point of rest: full if stable, open if not.

    Parameters
    ----------
    ax : Axes
    x, y : float
    stable : bool
    colour : str
    **options
        What `Axes.plot` takes.
    """
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
    """Write small grey words into the figure.

    Parameters
    ----------
    ax : Axes
    x, y : float
    text : str
    **options
        What `Axes.annotate` takes.

    Returns
    -------
    Text
    """
    return ax.annotate(text, (x, y), **({"fontsize": FONT["note"], "color": "#4D4D4D"} | options))


def shade(ax, start, end, text=""):
    """Shade a span in which something is given.

    Parameters
    ----------
    ax : Axes
    start, end : float
    text : str
        For the legend.
    """
    ax.axvspan(start, end, color="#EDEDED", lw=0, zorder=0, label=text or None).set_gid("background")
