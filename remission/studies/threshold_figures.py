"""Figures of the chapter on thresholds."""

import numpy as np

from .inflammation import BEYOND, ONE_CELL
from .panels import legend_below, letters
from .threshold_loop import COLUMNS
from .threshold_patients import FITS

__all__ = ["beside_patients", "dose_blocker", "rates_and_sizes", "residual_disease", "steady_tumours", "tornado"]

DASHED = (0, (5, 1.6))
SEEN = (4.19, 10.0)  # 1e6 cells: sizes at which human tumours are taken to be detectable in published models
MOST_BARS = 9
LEAST_REACH = 0.01  # of the logarithm: bars that move a threshold by less are left out


def steady_tumours(found, options):
    """Steady tumours against the dose, one panel for each blockade, with thresholds and proved states.

    Parameters
    ----------
    found : Loop
    options : dict

    Returns
    -------
    Figure
    """
    from remission.analysis.plots.style import PALETTE, figure

    fig, axes = figure(len(found.diagrams), width="double", height=84, sharey=True)
    panels, most = np.atleast_1d(axes).ravel(), BEYOND * options["most_dose"]
    for ax, diagram in zip(panels, found.diagrams, strict=True):
        _diagram(ax, diagram, most)
        if most > 1:
            span = ax.axvspan(1, most, color=PALETTE["grey"], alpha=0.13, linewidth=0, zorder=0)
            span.set_label("beyond full effect")
        ax.set(xlim=(0, most), xlabel="dose of chemotherapy, e")
        ax.set_yscale("symlog", linthresh=1.0, linscale=0.5)
        ax.set_ylim(-0.12, 2000)
        ax.set_yticks([0, 1, 10, 100, 1000], ["0", "1", "10", "100", "1000"])
    panels[0].set_ylabel("steady tumour (10⁶ cells)")
    letters(panels, [f"blocker B = {d.B:g}" for d in found.diagrams])
    legend_below(fig, panels, 3)
    return fig


def _diagram(ax, diagram, most):
    from remission.analysis.plots.branches import stretches
    from remission.analysis.plots.style import FONT, PALETTE

    colour = PALETTE["black"]
    for branch in diagram.branches:
        for stable, x, y in stretches(branch, "T"):
            ax.plot(x, y, color=colour, linestyle="-" if stable else DASHED, linewidth=1.6,
                    label="stable" if stable else "unstable")  # fmt: skip
    sure = "proved" if all(states.proved for _, states in diagram.proved) else "searched for"
    for face, word in ((colour, "stable"), ("white", "unstable")):
        shown = [(e, s["T"]) for e, states in diagram.proved for s in states if s.stability == word]
        ax.plot(*np.array(shown).T, marker="o", markersize=4.5, color=colour, markerfacecolor=face, linestyle="none",
                zorder=4, label=f"{word}, {sure}")  # fmt: skip
    for t in diagram.limits:
        if t.kind == "curative dose":
            ax.axvline(float(t), color=PALETTE["blue"], linestyle=":", linewidth=1.2, zorder=1,
                       label=f"curative dose {float(t):.3f}")  # fmt: skip
        elif t.kind == "fold dose" and float(t) < most:
            ax.plot([float(t)], [t.state["T"]], marker="D", markersize=6, color=PALETTE["vermilion"],
                    linestyle="none", zorder=5, label="fold dose: no tumour lasts above")  # fmt: skip
            ax.annotate(f"{float(t):.3f}", (float(t), t.state["T"]), xytext=(6, 0), textcoords="offset points",
                        va="center", fontsize=FONT["note"], color=PALETTE["vermilion"])  # fmt: skip


def dose_blocker(found):
    """What can last over dose and blocker, in proved cells, with the thresholds of the dose.

    Parameters
    ----------
    found : Loop

    Returns
    -------
    Figure
    """
    from remission.analysis.plots.stability_map import looks_of, plot_stability_map
    from remission.analysis.plots.style import PALETTE, figure

    fig, axes = figure(len(found.maps), width="double", height=92)
    looks = looks_of(list(dict.fromkeys(r.label for m in found.maps for r in m.regions)))
    lines = {"curative dose": (PALETTE["black"], DASHED), "fold dose": (PALETTE["vermilion"], "-"),
             "fold": (PALETTE["wine"], ":")}  # fmt: skip
    words = {"curative dose": "curative dose", "fold dose": "fold dose", "fold": "fold, a small tumour comes in"}
    for ax, drawn in zip(axes[0], found.maps, strict=True):
        plot_stability_map(drawn, ax, legend=False)
        for piece in found.edges:
            if piece.kind in lines and piece.of == "e":
                colour, line = lines[piece.kind]
                ax.plot(piece.values, piece.against, color=colour, linestyle=line, linewidth=1.6,
                        label=words[piece.kind])  # fmt: skip
        for point in found.edges.points:
            ax.plot(point["e"], point["B"], marker="o", markersize=5, color=PALETTE["black"], linestyle="none",
                    markerfacecolor="white", label=f"{point.kind}, B = {point['B']:.2f}")  # fmt: skip
        ax.set(xlim=drawn.over["e"], ylim=drawn.over["B"], xlabel="dose of chemotherapy, e")
        ax.set_ylabel("CXCR2 blocker / its K_B, B" if ax is axes[0][0] else "")
    for text, colour in looks.items():
        axes[0][0].fill_between([], [], facecolor=colour, edgecolor="none", label=text)
    axes[0][0].fill_between([], [], facecolor=PALETTE["grey"], edgecolor="none", label="undecided")
    letters(axes[0], ("the plane", "around the curative dose"))
    legend_below(fig, axes[0], 2)
    return fig


def residual_disease(found, options):
    """Residual disease over the dose and over the myeloid cells that are left; shortest course over the blocker.

    Parameters
    ----------
    found : Loop
    options : dict

    Returns
    -------
    Figure
    """
    from remission.analysis.plots.style import PALETTE, figure

    fig, axes = figure(3, width="double", height=92)
    left, right, last = axes[0]
    colours = (PALETTE["black"], PALETTE["blue"], PALETTE["green"], PALETTE["wine"], PALETTE["orange"])
    for residue, colour in zip(found.residues, colours, strict=False):
        left.plot(residue.e, residue.size, color=colour, linewidth=1.6, marker="o", markersize=2.5,
                  label=f"most that may be left, B = {residue.B:g}")  # fmt: skip
    band = left.axhspan(*SEEN, color=PALETTE["gold"], alpha=0.25, linewidth=0, zorder=0)
    band.set_label("sizes first seen by imaging")
    left.axvline(float(found.diagrams[0].limits["curative dose"]), color=PALETTE["grey"], linestyle=":", linewidth=1.2,
                 label="curative dose")  # fmt: skip
    left.set(yscale="log", ylim=(0.03, 1000), xlim=(0.3, max(1.0, options["most_dose"])),
             xlabel="dose of chemotherapy, e", ylabel="tumour (10⁶ cells)")  # fmt: skip
    _border(right, found, options)
    _course(last, found, options)
    letters((left, right, last), ("over the dose", "over what is left", "shortest course"))
    legend_below(fig, (left, right, last), 3)
    return fig


def _course(ax, found, options):
    from remission.analysis.plots.style import PALETTE

    if found.course_over is None:
        return
    ax.plot(found.course_over["B_on"], found.course_over["course"], color=PALETTE["sky"], linewidth=1.8, marker="o",
            markersize=2.5, label="shortest course that clears")  # fmt: skip
    for t in found.blockade.of_kind("critical blockade"):
        ax.axvline(float(t), color=PALETTE["sky"], linestyle=":", linewidth=1.2, label="critical blockade")
    ax.plot(options["full_blocker"], float(found.course), marker="D", markersize=5, color=PALETTE["black"],
            linestyle="none", label=f"{float(found.course):.1f} days")  # fmt: skip
    ax.set(xlim=(0, None), ylim=(0, None), xlabel="blocker / its K_B", ylabel="days of blocker")


def _border(ax, found, options):
    from remission.analysis.plots.style import PALETTE

    ax.plot(*found.border.T, color=PALETTE["vermilion"], linewidth=2.0, label="border between cure and relapse")
    top = 2 * options["start"]
    ax.fill_between(found.border[:, 0], found.border[:, 1], 1e4, color=PALETTE["vermilion"], alpha=0.1, linewidth=0)
    for (days, solution), line, colour in zip(found.courses, (DASHED, "-"), ("wine", "blue"), strict=True):
        ax.plot(solution["M"], solution["T"], color=PALETTE[colour], linewidth=1.4, linestyle=line,
                label=f"{days:.0f} days of blocker")  # fmt: skip
        ax.plot(solution.at(days, "M"), solution.at(days, "T"), marker="o", markersize=4.5, color=PALETTE[colour],
                linestyle="none")  # fmt: skip
    ax.set(yscale="log", xlim=(0, 1), ylim=(ONE_CELL * 1e5, top), xlabel="myeloid cells / saturation, M",
           ylabel="tumour (10⁶ cells)")  # fmt: skip


def tornado(found, swings):
    """What thresholds of the loop hang on: each assumed parameter at the ends of its plausible range.

    Parameters
    ----------
    found : dict of str -> (float, str)
        Column -> value at the assumed parameters, and its axis label.
    swings : tuple of Swing

    Returns
    -------
    Figure
    """
    from remission.analysis.plots.style import figure

    fig, axes = figure(len(COLUMNS), width="double", height=92)
    for column, (ax, name) in enumerate(zip(np.atleast_1d(axes).ravel(), COLUMNS, strict=True)):
        _bars(ax, column, *found[name], swings)
    letters(np.atleast_1d(axes).ravel(), [_short(name) for name in COLUMNS])
    legend_below(fig, (axes[0][0],), 3)
    return fig


def _short(name):
    return {"clearing dose with blocker": "clearing dose", "residual disease": "residual disease"}.get(name, name)


def _bars(ax, column, value, label, swings):
    from remission.analysis.plots.style import FONT, PALETTE

    ends = [(s.parameter, s.at_low[column], s.at_high[column]) for s in swings]
    finite = [v for _, *pair in ends for v in pair if np.isfinite(v) and v > 0]
    low, high = min([value, *finite]), max([value, *finite])
    low, high = low / 1.6, high * 1.6

    def place(v):
        return np.clip(v, low, high) if not np.isnan(v) else np.nan

    def reach(row):
        return max(abs(np.log(place(v) / value)) for v in row[1:] if not np.isnan(v))

    known = [row for row in ends if not np.isnan(row[1:]).all()]
    ends = [row for row in sorted(known, key=reach) if reach(row) > LEAST_REACH][-MOST_BARS:]
    for y, (_, a, b) in enumerate(ends):
        ax.plot([place(a), place(b)], [y, y], color=PALETTE["grey"], linewidth=5, solid_capstyle="butt", alpha=0.6,
                zorder=1)  # fmt: skip
        for v, face, word in ((a, "white", "low end of its range"), (b, PALETTE["black"], "high end of its range")):
            if np.isnan(v):
                continue
            inside = low < v < high
            ax.plot(place(v), y, marker="o" if inside else "<" if v <= low else ">", markersize=4.5, zorder=3,
                    color=PALETTE["black"], markerfacecolor=face, linestyle="none", clip_on=False,
                    label=word if inside else None)  # fmt: skip
    ax.axvline(value, color=PALETTE["vermilion"], linewidth=1.2, label="as assumed", zorder=2)
    ax.set(xscale="log", xlim=(low, high), ylim=(-0.7, len(ends) - 0.3), xlabel=label)
    ax.set_yticks(range(len(ends)), [row[0] for row in ends], fontsize=FONT["tick"])


def beside_patients(men):
    """Dose that sensitive cells need, with its interval, beside the part of the time on drug, one row a man.

    Parameters
    ----------
    men : tuple of Patient

    Returns
    -------
    Figure
    """
    from remission.analysis.plots.style import PALETTE, colour_of, figure

    panels = {True: "drug with pauses", False: "drug without pause"}
    heights = [sum(p.adaptive == paused for p in men) for paused in panels]
    fig, axes = figure(2, width="double", height=38 + 4.6 * max(heights))
    for ax, paused in zip(axes[0], panels, strict=True):
        shown = [p for p in men if p.adaptive == paused]
        for y, man in enumerate(shown):
            for fit, shift, colour in (("ours", -0.16, colour_of("S")), ("ours_n0_free", 0.16, PALETTE["sky"])):
                _need(ax, man.needed[fit], y + shift, colour, f"sensitive cells shrink above, {FITS[fit]}")
            ax.plot(man.given, y, marker="D", markersize=5, color=PALETTE["black"], linestyle="none", zorder=4,
                    label="given: part of the time on drug")  # fmt: skip
        ax.axvline(1, color=PALETTE["grey"], linewidth=0.9, linestyle=":", label="full dose all the time", zorder=0)
        ax.set_yticks(range(len(shown)), [p.subject for p in shown])
        ax.set(ylim=(max(heights) - 0.4, -0.6), xlim=(0.04, 6), xscale="log", xlabel="mean dose / full dose")
        ax.set_xticks([0.05, 0.1, 0.2, 0.5, 1, 2, 5], ["0.05", "0.1", "0.2", "0.5", "1", "2", "5"])
        ax.minorticks_off()
        ax.grid(axis="y", color="#EEEEEE", linewidth=0.6)
    letters(axes[0], list(panels.values()))
    legend_below(fig, axes[0], 2)
    return fig


def _need(ax, needed, y, colour, text):
    value, low, high = needed
    if np.isfinite(low):
        ax.plot([low, high], [y, y], color=colour, linewidth=1.5, zorder=2, solid_capstyle="butt")
    ax.plot(value, y, marker="o", markersize=4.2, color=colour, linestyle="none", zorder=3, label=text,
            markerfacecolor=colour if np.isfinite(low) else "white")  # fmt: skip


def rates_and_sizes(rates, sizes):
    """Critical missegregation rates beside measured ones, and probability of rescue over the size.

    Parameters
    ----------
    rates : Missegregation
    sizes : Thresholds
        N*.

    Returns
    -------
    Figure
    """
    from remission.analysis.plots.style import figure

    fig, axes = figure(2, width="double", height=78)
    _rates(axes[0][0], rates)
    _sizes(axes[0][1], sizes)
    letters(axes[0], ("critical missegregation", "rescue by size"))
    legend_below(fig, axes[0], 3)
    return fig


def _rates(ax, rates):
    from remission.analysis.plots.style import FONT, PALETTE

    from .threshold_lineages import MEASURED, PACLITAXEL

    rows = [("half relapse (a)", rates.relapse, "vermilion"), ("growth under\ntherapy ends (b)", rates.ladder, "wine")]
    rows += [(f"{t.direction.split(',')[0]} stops growing\nuntreated (c)", t, "blue") for t in rates.clones]
    rows.sort(key=lambda row: float(row[1]))
    band = ax.axvspan(*MEASURED, color=PALETTE["gold"], alpha=0.25, linewidth=0, zorder=0)
    band.set_label("cancer cell lines")
    ax.axvline(PACLITAXEL, color=PALETTE["black"], linestyle=":", linewidth=1.2, label="under paclitaxel")
    for y, (_, threshold, colour) in enumerate(rows):
        ax.plot(float(threshold), y, marker="D", markersize=6, color=PALETTE[colour], linestyle="none")
    ax.set(xscale="log", xlim=(1e-4, 1), ylim=(-0.6, len(rows) - 0.4),
           xlabel="missegregations per chromosome\nand division")  # fmt: skip
    ax.set_yticks(range(len(rows)), [row[0] for row in rows], fontsize=FONT["tick"])


def _sizes(ax, sizes):
    from remission.analysis.plots.style import PALETTE

    N, level = np.geomspace(1e4, 1e10, 200), 1 - np.exp(-1)
    looks = {"branching": ("black", "-"), "N*_a": ("blue", DASHED), "N*_m": ("wine", ":")}
    for t in sizes:
        key = next(k for k in looks if t.conditions[0].startswith(k))
        colour, line = looks[key]
        text = {"branching": "branching process", "N*_a": "formula, by way of aneuploid cells",
                "N*_m": "formula, mutants alone"}[key]  # fmt: skip
        ax.plot(N, -np.expm1(-N / float(t)), color=PALETTE[colour], linestyle=line, linewidth=1.5, label=text)
        ax.plot(float(t), level, marker="D", markersize=5, color=PALETTE[colour], linestyle="none")
    ax.axhline(level, color=PALETTE["grey"], linewidth=0.8, zorder=0)
    ax.set(xscale="log", xlim=(1e4, 1e10), ylim=(0, 1.02), xlabel="sensitive cells when the drug starts",
           ylabel="probability of rescue")  # fmt: skip
