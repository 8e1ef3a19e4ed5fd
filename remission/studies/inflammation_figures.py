"""Figures of the chapter on inflammation."""

import numpy as np

from .inflammation import ONE_CELL
from .panels import legend_below, letters

__all__ = ["dose_blocker", "steady", "trajectories"]

DASHED = (0, (5, 1.6))
BEYOND = 1.25  # the steady states are followed past the largest dose, to show where they end


def trajectories(given, options):
    """Tumour and protection under each treatment.

    Parameters
    ----------
    given : dict of str -> Arm
    options : dict

    Returns
    -------
    Figure
    """
    from remission.analysis.plots.style import PALETTE, figure

    e, B = options["dose"], options["blocker"]
    strong, weak = options["strong_dose"], options["weak_blocker"]
    first = (
        ("untreated", "untreated", PALETTE["grey"], "-"),
        ("blocker", f"blocker B = {B:g} alone", PALETTE["sky"], DASHED),
        ("chemo", f"chemotherapy e = {e:g} alone", PALETTE["vermilion"], "-"),
        ("both", f"e = {e:g} and B = {B:g}", PALETTE["blue"], (0, (5, 1.4, 1, 1.4))),
    )
    second = (
        ("strong chemo", f"chemotherapy e = {strong:g} alone", PALETTE["wine"], "-"),
        ("strong chemo and weak blocker", f"e = {strong:g} and B = {weak:g}", PALETTE["green"], DASHED),
    )
    fig, axes = figure(3, width="double", height=82)
    left, middle, right = axes[0]
    _curves(left, given, first, "T")
    _curves(middle, given, first, "protection")
    _curves(right, given, second, "T")
    left.set(yscale="log", ylim=(ONE_CELL, 3e3), ylabel="tumour (10⁶ cells)")
    right.set(ylim=(0, None), ylabel="tumour (10⁶ cells)")
    right.axhline(options["start"], color=PALETTE["grey"], linestyle=":", linewidth=1.1, label="size at the start")
    middle.set(ylim=(0, 1.02), ylabel="protection θ by S100A8/9")
    for ax in axes[0]:
        ax.set(xlim=(0, options["t_end"]), xlabel="time (days)")
    letters(axes[0], ("tumour", "protection", "stronger chemotherapy"))
    legend_below(fig, axes[0], 3)
    return fig


def _curves(ax, given, chosen, name):
    for key, text, colour, line in chosen:
        solution = given[key].solution
        ax.plot(solution.t, solution[name], color=colour, linestyle=line, linewidth=1.6, label=text)


def steady(found, limits, options):
    """Steady tumours against the dose, one panel for each blockade.

    Parameters
    ----------
    found : sequence of Branches
    limits : dict
        Of `thresholds`.
    options : dict

    Returns
    -------
    Figure
    """
    from remission.analysis.plots.style import PALETTE, figure

    fig, axes = figure(len(found), width="double", height=84, sharey=True)
    panels, most = np.atleast_1d(axes).ravel(), BEYOND * options["most_dose"]
    for ax, branch in zip(panels, found, strict=True):
        _branch(ax, branch, limits["curative"], most)
        if most > 1:
            span = ax.axvspan(1, most, color=PALETTE["grey"], alpha=0.13, linewidth=0, zorder=0)
            span.set_label("beyond full effect")
        ax.set(xlim=(0, most), xlabel="dose of chemotherapy, e")
        ax.set_yscale("symlog", linthresh=1.0, linscale=0.5)
        ax.set_ylim(-0.12, 2000)
        if 1 <= most <= 2:
            ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
        ax.set_yticks([0, 1, 10, 100, 1000], ["0", "1", "10", "100", "1000"])
    panels[0].set_ylabel("steady tumour (10⁶ cells)")
    panels[0].plot([], [], marker="o", linestyle="none", color=PALETTE["black"], markersize=4.5,
                   label="stable, full system")  # fmt: skip
    panels[0].plot([], [], marker="o", linestyle="none", color=PALETTE["black"], markersize=4.5,
                   markerfacecolor="white", label="unstable, full system")  # fmt: skip
    letters(panels, [f"blocker B = {branch.B:g}" for branch in found])
    legend_below(fig, panels, 4)
    return fig


def _branch(ax, branch, curative, most):
    from remission.analysis.plots.style import FONT, PALETTE

    colour = PALETTE["black"]
    for stable, line, text in ((True, "-", "stable"), (False, DASHED, "unstable")):
        shown = np.where(branch.stable == stable, branch.size, np.nan)
        ax.plot(branch.dose, shown, color=colour, linestyle=line, linewidth=1.6, label=text)
    ends = np.clip([0, curative, most], 0, most)
    ax.plot(ends[:2], [0, 0], color=colour, linestyle=DASHED, linewidth=1.6)
    ax.plot(ends[1:], [0, 0], color=colour, linestyle="-", linewidth=1.6)
    for e, states in branch.checked:
        for state in states:
            face = colour if state.stability == "stable" else "white"
            ax.plot([e], [state["T"]], marker="o", markersize=4.5, color=colour, markerfacecolor=face, zorder=4,
                    linestyle="none")  # fmt: skip
    if curative < most:
        ax.axvline(curative, color=PALETTE["blue"], linestyle=":", linewidth=1.2, zorder=1,
                   label=f"curative dose {curative:.3f}")  # fmt: skip
    dose, size = branch.fold
    if size > 0 and dose < most:
        ax.plot([dose], [size], marker="D", markersize=6, color=PALETTE["vermilion"], linestyle="none", zorder=5,
                label="fold")  # fmt: skip
        ax.annotate(f"{dose:.3f}", (dose, size), xytext=(6, 0), textcoords="offset points", va="center",
                    fontsize=FONT["note"], color=PALETTE["vermilion"])  # fmt: skip


def dose_blocker(grid, limits, options):
    """Residual tumour over dose and blocker, with the lines between the outcomes.

    Parameters
    ----------
    grid : Plane
    limits : dict
        Of `thresholds`.
    options : dict

    Returns
    -------
    Figure
    """
    from remission.analysis.plots.plane import plot_plane
    from remission.analysis.plots.style import figure

    fig, axes = figure(len(grid.starts), width="double", height=88, sharey=True)
    panels = np.atleast_1d(axes).ravel()
    for ax, residual in zip(panels, grid.residual, strict=True):
        plot_plane(
            grid.e, grid.B, residual, ax, xlabel="dose of chemotherapy, e", value_label="tumour on day "
            f"{options['residual_day']:g}", unit="1e6 cells", scale="log", levels=(), limits=(ONE_CELL, 1e3),
        )  # fmt: skip
        _lines(ax, grid, limits["curative"])
    for ax in panels[:-1]:
        ax.collections[0].colorbar.remove()
    panels[0].set_ylabel("CXCR2 blocker / its K_B, B")
    letters(panels, [f"start: {_cells(size)}" for size in grid.starts])
    legend_below(fig, panels, 2)
    return fig


def _cells(size):
    from .panels import power

    return f"{power(size * 1e6, 1)} cells"


def _lines(ax, grid, curative):
    from matplotlib.patheffects import Stroke, withStroke

    from remission.analysis.plots.style import FONT, PALETTE

    halo = [Stroke(linewidth=3.4, foreground="white"), withStroke(linewidth=0)]
    look = {"color": PALETTE["vermilion"], "path_effects": halo}
    ax.plot(*grid.edge.T, linewidth=2.0, label="critical blockade: above it no tumour lasts", **look)
    ax.plot([curative] * 2, grid.B[[0, -1]], linewidth=1.8, linestyle=DASHED,
            label="curative dose: below it every tumour lasts", **look)  # fmt: skip
    place = {"fontsize": FONT["note"], "ha": "center", "va": "center", "transform": ax.transAxes}
    box = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.5}
    for x, y, text in ((0.14, 0.5, "lasts"), (0.47, 0.12, "depends\non size"), (0.78, 0.72, "cleared")):
        ax.text(x, y, text, bbox=box, **place)
