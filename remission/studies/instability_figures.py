"""Figures of the chapter on unstable chromosomes."""

import numpy as np

from .panels import legend_below, letters, power

__all__ = ["critical_over_f_r", "probability", "rate_text", "regression", "survival"]

HOW = (("with crowding", "vermilion", "-"), ("without crowding", "black", (0, (4, 2))))
SHOWN = 45.0  # days after withdrawal that the regression curves show


def _colours():
    from remission.analysis.plots.style import PALETTE

    return {"low": PALETTE["green"], "high": PALETTE["wine"]}


def rate_text(cohort) -> str:
    """Legend entry of a cohort.

    Parameters
    ----------
    cohort : Cohort

    Returns
    -------
    str
    """
    return f"{cohort.name} instability, p = {power(cohort.p)}"


def regression(low, high):
    """S + A after withdrawal, and which cells they are, in both cohorts.

    Parameters
    ----------
    low, high : Cohort

    Returns
    -------
    Figure
    """
    from remission.analysis.plots.style import figure, line_of

    fig, axes = figure(3, width="double", height=72)
    left, *others = axes[0]
    for cohort, line in ((low, "-"), (high, line_of("R"))):
        days = np.linspace(0, SHOWN, 200)
        values = cohort.solution.at(cohort.withdrawn + days, "at_risk")
        left.plot(days, values / values[0], color=_colours()[cohort.name], linestyle=line, linewidth=1.7,
                  label=f"S + A, {cohort.name} instability")  # fmt: skip
    left.set(yscale="log", xlim=(0, SHOWN), ylim=(1e-7, 2), xlabel="days since withdrawal")
    left.set_ylabel("S + A relative to withdrawal")
    for ax, cohort in zip(others, (low, high), strict=True):
        _composition(ax, cohort)
    others[0].set_ylabel("cells")
    letters((left, *others), ("regression", "low instability", "high instability"))
    legend_below(fig, (left, *others), 3)
    return fig


def _composition(ax, cohort):
    from remission.analysis.plots.style import colour_of, line_of

    start = -min(cohort.withdrawn, 125.0)
    days = np.concatenate([np.linspace(start, 0, 300), np.linspace(0, 60, 200)])
    for name, text in (("S", "S: dependent"), ("A", "A: aneuploid, dependent")):
        values = cohort.solution.at(cohort.withdrawn + days, name)
        ax.plot(days, values, color=colour_of(name), linestyle=line_of(name), linewidth=1.7, label=text)
    shade = ax.axvspan(0, 60, facecolor=colour_of("u"), alpha=0.18, edgecolor="none", zorder=0)
    shade.set_gid("background")
    shade.set_label("oncogene and instability off")
    ax.set(yscale="log", ylim=(1, 1e9), xlim=(-125, 60), xlabel="days since withdrawal")


def probability(found, low, high, problem):
    """Relapse probability over the missegregation rate, and the critical rate over the assumed f_r.

    Parameters
    ----------
    found : Scan
    low, high : Cohort
    problem : Problem

    Returns
    -------
    Figure
    """
    from remission.analysis.plots.style import FONT, PALETTE, figure

    fig, axes = figure(2, width="double", height=84)
    left, right = axes[0]
    left.fill_between(found.p, *_band(found), color=PALETTE["vermilion"], alpha=0.13, linewidth=0,
                      label="f_r ten times smaller to larger")  # fmt: skip
    for how, colour, line in HOW:
        left.plot(found.p, found.probability[how], color=PALETTE[colour], linestyle=line, linewidth=1.5,
                  label=f"{how} of the lineage")  # fmt: skip
    for cohort, marker in ((low, "o"), (high, "s")):
        left.plot([cohort.p], [cohort.lineages.relapse_probability], marker=marker, markersize=6, linestyle="none",
                  color=_colours()[cohort.name], label=f"{cohort.name} instability", zorder=4)  # fmt: skip
    critical = found.critical["with crowding"]
    if np.isfinite(critical):
        left.plot([found.p[0], critical, critical], [0.5, 0.5, 0], color=PALETTE["black"], linewidth=0.9,
                  linestyle=(0, (3, 2)))  # fmt: skip
        left.annotate(f"critical rate\n{power(critical, 3)}", (critical, 0.0), xytext=(5, 8), fontsize=FONT["note"],
                      textcoords="offset points", va="bottom")  # fmt: skip
    left.set(xscale="log", xlim=found.p[[0, -1]], ylim=(0, 1.02), ylabel="probability of relapse",
             xlabel="missegregation before withdrawal, p_on\n(per chromosome and division)")  # fmt: skip
    _critical_over_f_r(right, found, problem)
    letters((left, right))
    legend_below(fig, (left,), 3)
    return fig


def _band(found):
    lineages = found.lineages()
    return [-np.expm1(-lineages * factor) for factor in (0.1, 10.0)]


def critical_over_f_r(found, f_r, how="with crowding"):
    """Critical rates where f_r differs: lineages are proportional to f_r, so no further run is needed.

    Parameters
    ----------
    found : Scan
    f_r : float
        At which `found` was made.
    how : str

    Returns
    -------
    (n,) arrays
        Values of f_r, and the rate at which half of the tumours relapse there.
    """
    lineages = found.lineages(how)
    keep = np.isfinite(lineages) & (lineages > 0)
    return f_r * np.log(2) / lineages[keep], found.p[keep]


def _critical_over_f_r(ax, found, problem):
    from remission.analysis.plots.style import FONT, PALETTE

    own = problem.parameters["f_r"]
    for how, colour, line in HOW:
        f_r, p = critical_over_f_r(found, own, how)
        ax.plot(f_r, p, color=PALETTE[colour], linestyle=line, linewidth=1.5)
    if np.isfinite(found.critical["with crowding"]):
        at = (own, found.critical["with crowding"])
        ax.plot(*at, marker="D", color=PALETTE["black"], linestyle="none", markersize=5, zorder=4)
        ax.annotate(f"assumed: {power(own)}", at, xytext=(8, 4), textcoords="offset points", fontsize=FONT["note"])
    ax.set(xscale="log", yscale="log", ylim=found.p[[0, -1]],
           ylabel="critical missegregation rate\n(per chromosome and division)",
           xlabel="independent part of abnormal\ndaughters, f_r (assumed, free)")  # fmt: skip


def survival(low, high, options):
    """Relapse-free survival of both cohorts.

    Parameters
    ----------
    low, high : Cohort
    options : dict

    Returns
    -------
    Figure
    """
    from remission.analysis.plots.style import figure
    from remission.analysis.plots.survival import plot_survival

    fig, ax = figure(width="double", height=84)
    names = {rate_text(c): c for c in (low, high)}
    plot_survival(
        {text: (c.days, c.survival) for text, c in names.items()},
        ax,
        plateaus={text: c.lineages.cure_fraction for text, c in names.items()},
        colours={text: _colours()[c.name] for text, c in names.items()},
        start="withdrawal",
    )
    ax.set_xlim(0, options["follow_up"])
    return fig
