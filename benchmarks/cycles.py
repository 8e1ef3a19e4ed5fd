"""Milliseconds a periodic orbit beside AUTO-07p in one run, and how near folds of cycles and periods are.

    python benchmarks/cycles.py [repeats]

Ours is the whole call of `continue_cycles` from the Hopf point to the result: Newton steps, tangents, adaptive mesh,
Floquet multipliers of every orbit, folds located, least and largest values and means. AUTO: CPU time of its process
less that of the same process stopped after its first orbit; multipliers included (ISP=2), no orbit written. Both have
the derivatives of the equations. Our mesh grows with what the trivial multiplier asks for; AUTO's has 50 intervals and
4 points in each, and it goes back and forth between two Hopf points, which it lists as folds. Least of several
repeats.

AUTO is found in `AUTO_DIR` or /usr/lib/auto-07p (`apt install auto-07p gfortran`).
"""

import re
import sys
import time

import bifurcation_auto
import numpy as np
import sympy as sp
from bifurcation import bykov

from remission.analysis import continue_branches, continue_cycles
from remission.models import Model, Parameter, State, kirschner_panetta
from remission.solvers import Problem

CELLS = {"E": (0, 1e9), "T": (0, 1e9), "I": (0, 1e9)}
CONSTANTS = """
s='first'
IPS=2, ILP=1, ICP=[1, 11], IRS={label}, ISW=1, ISP=2, NDIM={n}, NTST=50, NCOL=4, IAD=3, IPLT=0, NBC=0, NINT=0,
NMX={most}, NPR=1000000, MXBF=0, IID=0, ITMX=9, ITNW=7, NWTN=3, JAC=1, EPSL=1e-7, EPSU=1e-7, EPSS=1e-6,
DS={ds}, DSMIN=1e-8, DSMAX={dsmax}, IADS=1, RL0={low}, RL1={high}, A0=-1e12, A1=1e12, UZSTOP={{1: [{low}, {high}]}},
THL={{11: 0.0}}, THU={{}}
"""


def stirred_reactor(p2=14.0):
    """AUTO's demo `ab`."""
    u1, u2 = (State(name, 0.0, kind="other", positive=False) for name in ("u1", "u2"))
    p1, b, p3 = Parameter("p1", 0.0), Parameter("p2", p2), Parameter("p3", 3.0)
    made = p1 * (1 - u1) * sp.exp(u2)
    return Problem(Model("ab", rates={u1: -u1 + made, u2: -u2 + b * made - p3 * u2}))


def cases():
    """Name -> branches of steady states, span of the cycles, steps of AUTO (first, largest), number of folds."""
    reactor = continue_branches(stirred_reactor(), "p1", (0, 0.4), start={"u1": 0, "u2": 0})
    relapse = continue_branches(Problem(kirschner_panetta()), "c", (0.025, 0.05), box=CELLS)
    start = {"x": 0.0029538, "y": 0.76211, "s": 0.16781}
    return {
        "reactor ab, p2 = 14": (reactor, (0.0, 0.4), (0.01, 0.5)),
        "Kirschner-Panetta": (relapse, (0.025, 0.05), (-100.0, 5000.0)),
        "Bykov": (continue_branches(bykov(), "q2", (0.4, 3.0), start=start), (0.4, 3.0), (0.001, 0.02)),
    }


def ours(branches, span, repeats):
    """Cycles, orbits, and the least CPU seconds."""
    hopf = branches.of_kind("Hopf")[0]
    best = np.inf
    for _ in range(repeats + 1):
        begun = time.process_time()
        found = continue_cycles(branches, span, hopf=hopf)
        best = min(best, time.process_time() - begun)
    return found, len(found[0]), best


def theirs(branches, span, steps, repeats):
    """Orbits, least CPU seconds, and values at folds of AUTO; None where it is not on the machine."""
    if bifurcation_auto.folder() is None:
        return None
    over, hopf = branches.parameter, branches.of_kind("Hopf")[0]
    problem = branches.problem
    branch = next(b for b in branches if hopf in b.points)
    row = max(branch.places[branch.points.index(hopf)] - 3, 0)
    at = problem.replace(parameters={over: float(branch.values[row])})
    state = dict(zip(at.system.states, branch.states[row].tolist(), strict=True))
    auto = bifurcation_auto.Auto(at, (over,), state)
    way = float(np.sign(hopf.value - branch.values[row]))
    reached = branch.places[branch.points.index(hopf)]
    size = float(np.hypot(*(np.linalg.norm(v[reached] - v[row]) for v in (branch.states, branch.values))))
    named = auto.run([span], way * 0.05 * size, 0.3 * size, most=400)[3]
    label = next(int(r[3]) for r in named if r[2] == "HB")
    auto.keep()
    given = {"label": label, "n": auto.n, "ds": steps[0], "dsmax": steps[1], "low": span[0], "high": span[1]}
    best = np.inf
    for _ in range(repeats):
        first, _ = auto._once(CONSTANTS.format(most=1, **given), 0)
        seconds, text = auto._once(CONSTANTS.format(most=400, **given), 0)
        best = min(best, seconds - first)
    rows = [x for x in (auto.at / "fort.7").read_text().splitlines() if re.match(r"\s+-?[1-9]", x)]
    folds = [float(x.split()[4]) for x in text.splitlines() if re.search(r"\bLP\b", x)]
    return len(rows), best, folds


def main(repeats):
    print(f"{'':22}{'orbits':>8}{'ms':>7}   AUTO:{'orbits':>8}{'ms':>7}{'ratio':>7}   folds of cycles, ours and AUTO's")
    for name, (branches, span, steps) in cases().items():
        found, orbits, seconds = ours(branches, span, repeats)
        line = f"{name:22}{orbits:8d}{seconds / orbits * 1e3:7.2f}"
        peer = theirs(branches, span, steps, repeats)
        folds = ", ".join(f"{p.value:.8f}" for p in found.of_kind("fold of cycles")) or "none"
        if peer is None:
            print(f"{line}   AUTO-07p is not on this machine   {folds}")
            continue
        ms = peer[1] / peer[0] * 1e3
        auto_folds = ", ".join(f"{v:.7g}" for v in sorted(set(peer[2]))) or "none"
        print(f"{line}        {peer[0]:8d}{ms:7.2f}{ms / (seconds / orbits * 1e3):7.1f}   {folds}; {auto_folds}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
