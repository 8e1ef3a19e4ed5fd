"""Pictures of the package's own models: relapse of clones, the inflammatory loop with clones, two sites, tissue."""

import numpy as np

from remission import models
from remission.analysis.plots import colour_of, label, line_of
from remission.solvers import Problem, Treatment, solve

from .pictures import Recipe
from .strokes import ARMS, GREY, curves, finish, shade, write

__all__ = ["RECIPES"]


def _clonal_relapse(ax):
    protocol = Treatment.switch_when({"u": 1}, of="burden", above=1e8)
    times = np.linspace(0, 170, 341)
    found = []
    for al, style in ((0, "-"), (1e-6, (0, (5, 1.6))), (1e-5, (0, (5, 1.4, 1, 1.4))), (1e-4, (0, (1, 1.1)))):
        problem = Problem(models.clonal_relapse(), t_span=(0, 280), parameters={"al": al}, treatment=protocol)
        solution = solve(problem).require()
        start = solution.events[0].time
        if not found:
            found.append(("sensitive", times, solution.at(start + times, "S"), {"color": colour_of("S")}))
        resistant = solution.at(start + times, "R")
        text = f"resistant, {al:.0e}/day".replace("e-0", "e-") if al else "resistant, not induced"
        found.append((text, times, resistant, {"color": colour_of("R"), "ls": style}))
    ax.axhline(1e7, color=GREY, lw=0.9)
    write(ax, 25, 1.4e7, "detected", ha="left", va="bottom")
    curves(ax, found, label("cells"), log=True, xlim=(0, 170), ylim=(1, 2e9), yticks=[1, 1e3, 1e6, 1e9], above=2)
    ax.set_xlabel("time on therapy (days)")


def _clonal_inflammation(ax):
    """Grown from one cell to 1e8 without treatment, then chemotherapy with three levels of the blocker."""
    from matplotlib.lines import Line2D

    for p_on, style in ((2.5e-3, "-"), (2.5e-4, (0, (4, 1.6)))):
        for blocker, look in zip((0.0, 10.0, 30.0), ARMS, strict=False):
            protocol = Treatment.switch_when({"e": 0.8, "B": blocker}, of="at_risk", above=100.0, before={"cin": 1})
            problem = Problem(
                models.clonal_inflammation(), t_span=(0, 1080), parameters={"p_on": p_on}, treatment=protocol, rtol=1e-8
            )
            solution = solve(problem).require()
            start = solution.events[0].time
            times = np.linspace(0, 1080 - start, 401)
            ax.plot(times, solution.at(start + times, "burden"), color=look["color"], ls=style, lw=1.6)
    handles = [Line2D([], [], color=look["color"], lw=1.6) for look in ARMS[:3]]
    handles += [Line2D([], [], color=GREY, ls=style, lw=1.6) for style in ("-", (0, (4, 1.6)))]
    texts = ["chemotherapy", "+ blocker, B = 10", "+ blocker, B = 30", "unstable", "stable chromosomes"]
    ax.set(xlabel="time on chemotherapy (days)", ylabel=label("burden", "1e6 cells"), yscale="log")
    finish(ax, handles, texts, xlim=(0, 900), ylim=(1e-6, 1e3), above=2)


def _metastasis(ax):
    chemo = {"e": 0.8}
    both = {"e": 0.8, "B": 30.0}
    cut = {"T1": 0.999}
    trials = {
        "surgery alone": Treatment.surgery(cut, at=111),
        "chemo after": Treatment.surgery(cut, at=111) + Treatment.constant(chemo, start=111, end=132),
        "after, with blocker": Treatment.surgery(cut, at=111) + Treatment.constant(both, start=111, end=132),
        "chemo before": Treatment.constant(chemo, start=90, end=111) + Treatment.surgery(cut, at=111),
        "before, with blocker": Treatment.constant(both, start=90, end=111) + Treatment.surgery(cut, at=111),
    }
    times = np.linspace(60, 210, 301)
    looks = (ARMS[0], ARMS[1], {"color": "#E3A8C8", "ls": ":", "lw": 3}, ARMS[2], ARMS[3])
    found = []
    for (text, treatment), look in zip(trials.items(), looks, strict=True):
        solution = solve(Problem(models.metastasis(), t_span=(0, 210), treatment=treatment, rtol=1e-8)).require()
        found.append((text, times, solution.at(times, "T2"), look))
    ax.axvline(111, color=GREY, lw=0.9)
    write(ax, 113, 30, "surgery", va="top")
    curves(
        ax,
        found,
        label("metastases", "1e6 cells"),
        log=True,
        xlim=(60, 210),
        ylim=(1e-6, 1e2),
        xticks=range(60, 211, 30),
        above=2,
    )


def _signals(ax):
    given = {"L": 3.0}
    treatment = Treatment.constant(given) + Treatment.constant({"e": 0.6}, start=20, end=50)
    solution = solve(Problem(models.inflammation_signals(), t_span=(0, 80), treatment=treatment)).require()
    times = np.linspace(0, 80, 801)
    shade(ax, 20, 50, "chemotherapy")
    names = {"F": "F, TNF-alpha", "X": "X, CXCL1/2", "M": "M, myeloid cells", "P": "P, S100A8/9"}
    kinds = {"M": "immune"}
    found = [
        (
            text,
            times,
            solution.at(times, name),
            {"color": colour_of(name, kinds.get(name, "signal")), "ls": line_of(name)},
        )
        for name, text in names.items()
    ]
    curves(ax, found, "signals (scaled)", xlim=(0, 80), ylim=(0, 1.15), above=2)


def _occupancy(radius, tumour, rise, k, blocker, r):
    """Receptor occupancy around a ball of tumour: chemokine of the diffusion equation with loss, in closed form."""
    reach = np.sqrt(k["D_X"] / k["gX"])
    inner, outer = radius / reach, r / reach
    source = k["k_X"] * tumour * rise
    far = np.exp(-outer) / outer * (inner * np.cosh(inner) - np.sinh(inner))
    near = 1 - (1 + inner) * np.exp(-inner) * np.sinh(outer) / outer
    X = source * np.where(r > radius, far, near)
    return X / (1 + blocker + X)


def _invasion(ax):
    problem = Problem(models.paracrine_invasion())
    k, r = problem.parameters, np.linspace(1e-3, 5, 600)
    shade(ax, 0, 1, "tumour")
    arms = (("no treatment", 0.0, 0.0), ("chemotherapy", 0.6, 0.0), ("+ blocker, B = 10", 0.6, 10.0),
            ("+ blocker, B = 30", 0.6, 30.0))  # fmt: skip
    for (text, e, blocker), look in zip(arms, ARMS, strict=False):
        rise = 1 + k["etaF"] * e / (k["eF"] + e)
        ax.plot(r, _occupancy(1.0, 0.5, rise, k, blocker, r), label=text, lw=1.7, **look)
    ax.set(xlabel="distance from the centre (mm)", ylabel="occupied part of CXCR2")
    finish(ax, xlim=(0, 5), ylim=(0, 1.02))


RECIPES = {
    "clonal_relapse": Recipe(
        "One cell grows to 1e8, then full therapy. Sensitive cells die the same way in all runs; resistant ones are "
        "back at 1e7 on day 152 if resistance is spontaneous (1e-7 per division), on day 132, 105 or 76 if therapy "
        "induces it at 1e-6, 1e-5 or 1e-4 per day.", _clonal_relapse),
    "clonal_inflammation": Recipe(
        "One cell grows to 1e8, then chemotherapy (e = 0.8) without and with a CXCR2 blocker; missegregation 2.5e-3 "
        "(unstable) or 2.5e-4 (stable) per chromosome and division until then. Blockade deepens the response, "
        "instability brings relapse forward. Below 1e-6 (one cell) curves are expectations.",
        _clonal_inflammation),
    "metastasis": Recipe(
        "Metastases after removal of 99.9 % of the primary on day 111. A CXCR2 blocker (B = 30) with three weeks of "
        "chemotherapy (e = 0.8) pays before surgery; after surgery it changes nothing, so the two curves lie on each "
        "other. 1e-6 is one cell.", _metastasis),
    "inflammation_signals": Recipe(
        "Signals of a small tumour (L = 3, 1e6 cells) that gets chemotherapy (e = 0.6) from day 20 to 50: TNF-alpha "
        "jumps, CXCL1/2 triples, myeloid cells and S100A8/9, which protects, follow within days.", _signals),
    "paracrine_invasion": Recipe(
        "Part of CXCR2 that chemokine occupies around a ball of tumour (radius 1 mm, density 0.5), in closed form from "
        "the declared diffusion and loss: the call for myeloid cells reaches millimetres into healthy tissue, "
        "chemotherapy (e = 0.6) widens it, a blocker draws it in.", _invasion),
}  # fmt: skip
