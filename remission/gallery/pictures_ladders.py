"""Pictures of karyotypes: the ladder's largest eigenvalue, and rescue by way of aneuploid cells."""

import numpy as np

from remission import models
from remission.analysis.plots import label
from remission.analysis.rescue import rescue
from remission.solvers import Problem

from .pictures import Recipe
from .strokes import ARMS, GREY, finish, write

__all__ = ["RECIPES"]


def _ladder(ax):
    """Growth of the uncrowded ladder: the largest real eigenvalue of its table of rates."""
    problem, betas = Problem(models.karyotype_ladder(8, crowding=False)), np.geomspace(1e-5, 0.12, 60)
    system, at = problem.system, problem.system.parameters.index("beta")
    zero = np.zeros(8)
    for text, u, look in (("no treatment", 0.0, ARMS[0]), ("full therapy", 1.0, ARMS[1])):
        growth = []
        for beta in betas:
            p = np.array(problem.p)
            p[at] = beta
            growth.append(np.linalg.eigvals(system.jac(0.0, zero, p, [u])).real.max())
        ax.plot(betas, growth, label=text, lw=1.8, **look)
    ax.axhline(0, color=GREY, lw=0.9)
    ax.axvline(0.0585267, color=GREY, lw=0.9, ls=":")
    write(ax, 0.05, 0.105, "no relapse above\n0.0585", ha="right", va="center")
    ax.set(xlabel="missegregation per copy and division", ylabel="growth (per day)", xscale="log")
    finish(ax, xlim=(1e-5, 0.12), ylim=(-0.03, 0.22), above=2)


def _rescue(ax):
    found, sizes = rescue(Problem(models.rescue_by_aneuploidy())), np.geomspace(1e4, 1e10, 300)
    for text, size, look in (
        ("by aneuploid cells", found.exact, ARMS[1]),
        ("by mutation alone", found.direct, ARMS[0]),
    ):
        ax.plot(sizes, -np.expm1(-sizes / size), label=text, lw=1.8, **look)
        ax.plot([size], [1 - np.exp(-1)], "o", color=look["color"], ms=5.5)
    ax.axhline(1 - np.exp(-1), color=GREY, lw=0.8, ls=":")
    write(ax, 1.2e4, 0.65, "1 - 1/e", va="bottom")
    ax.set(xlabel=label("tumour at the start of the drug", "cells"), ylabel="probability of rescue", xscale="log")
    finish(ax, xlim=(1e4, 1e10), ylim=(0, 1.03), above=2)


RECIPES = {
    "karyotype_ladder": Recipe(
        "Growth of a ladder of eight classes (largest eigenvalue, default landscape, no crowding) against "
        "missegregation. Under full therapy more of it slows regrowth until, above 0.0585, there is none.", _ladder),
    "rescue_by_aneuploidy": Recipe(
        "Probability that a tumour survives the drug: mutants of sensitive cells alone need 4.0e7 cells, with "
        "aneuploid cells on the way 4.0e6 are enough (points; exact branching process).", _rescue),
}  # fmt: skip
