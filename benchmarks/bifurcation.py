"""Microseconds a point of continuation beside AUTO-07p in one run, and how near located points are to 20 digits.

    python benchmarks/bifurcation.py [repeats]

`driver` is our compiled walk alone (Newton steps, tangents, tests for special points); `all` the whole call from the
steady state to the result (tapes cached), with special points located and classified, eigenvalues or normal-form
coefficients of every point, and both directions. AUTO: CPU time of its process less that of the same process stopped
after one point, derivatives given in closed form, the curve walked with steps of about the same number; its
eigenvalues and output file included, compiling its Fortran not. Minimum of several repeats, CPU time.

AUTO is found in `AUTO_DIR` or /usr/lib/auto-07p (`apt install auto-07p gfortran`); without it the column holds
times measured elsewhere, and says so.
"""

import functools
import sys
import time

import bifurcation_auto
import numpy as np

from remission.analysis import continue_branches, continue_points
from remission.analysis.continuation import machine
from remission.models import Model, Parameter, State, kuznetsov
from remission.solvers import Problem

ELSEWHERE = {"Kuznetsov over delta": 5.8, "Bykov over q2": None, "Bykov folds": 10.0, "Bykov Hopf points": 14.5}
LABELS = {"fold": "LP", "Hopf": "HB", "transcritical": "BP", "cusp": "CP", "Bogdanov-Takens": "BT"}
REFERENCE = {
    "Kuznetsov over delta": {
        "fold": [0.19055870949886780085, 0.7441457796011565183],
        "transcritical": [0.1181 / 1.636],
    },
    "Bykov over q2": {
        "fold": [1.0420485053785266593, 1.0522002878699546925],
        "Hopf": [1.0409915695326162863, 1.0515574624577303969],
    },
    "Bykov folds": {"cusp": [1.0064083296783176227], "Bogdanov-Takens": [1.1611987088217386739, 1.417627637600646401]},
    "Bykov Hopf points": {"Bogdanov-Takens": [1.1611987088217386739, 1.417627637600646401]},
}


def bykov():
    x, y, s = (State(name, 0.0, kind="other", positive=False) for name in "xys")
    given = {"q1": 2.5, "q2": 2.204678, "q3": 10.0, "q4": 0.0675, "q5": 1.0, "q6": 0.1, "k": 0.4}
    q1, q2, q3, q4, q5, q6, k = (Parameter(name, value) for name, value in given.items())
    z = 1 - x - y - s
    rates = {
        x: 2 * q1 * z**2 - 2 * q5 * x**2 - q3 * x * y,
        y: q2 * z - q6 * y - q3 * x * y,
        s: q4 * z - k * q4 * s,
    }
    return Problem(Model("bykov", rates=rates))


class Clock:
    """Counts points and CPU time of the driver while it stands in its place."""

    def __init__(self):
        self.driver, self.points, self.seconds = machine.follow, 0, 0.0

    def __call__(self, *arguments):
        begun = time.process_time()
        found = self.driver(*arguments)
        self.seconds += time.process_time() - begun
        self.points += len(found[0])
        return found


def measure(call, repeats):
    """Result, points of all walks, and the least CPU time of the driver and of the whole call."""
    call()
    alone, whole = np.inf, np.inf
    for _ in range(repeats):
        clock = machine.follow = Clock()
        begun = time.process_time()
        found = call()
        whole = min(whole, time.process_time() - begun)
        alone = min(alone, clock.seconds)
        machine.follow = clock.driver
    return found, clock.points, alone, whole


def error(points, wanted):
    """Largest relative error of located values of the first parameter; NaN where their number is another."""
    return _worst({kind: [p.value for p in points if p.kind == kind] for kind in wanted}, wanted)


def auto_error(special, wanted):
    """The same of AUTO's, as it prints them; points found from both sides count once."""
    found = {}
    for kind in wanted:
        values = sorted(special.get(LABELS[kind], []))
        found[kind] = [v for i, v in enumerate(values) if i == 0 or v - values[i - 1] > 1e-4]
    return _worst(found, wanted)


def _worst(found, wanted):
    worst = 0.0
    for kind, values in wanted.items():
        if len(found[kind]) != len(values):
            return np.nan
        worst = max(worst, *(abs(a / b - 1) for a, b in zip(sorted(found[kind]), values, strict=True)))
    return worst


def least(runs, repeats):
    """Points and least CPU time of some runs of AUTO, and the special points by kind."""
    best, found = np.inf, {}
    for _ in range(repeats):
        done = [run() for run in runs]
        best = min(best, sum(d[1] for d in done))
    for _, _, special, _ in done:
        for kind, values in special:
            found.setdefault(kind, []).append(values[0])
    return sum(d[0] for d in done), best, found


def peer(branches, repeats):
    """AUTO's microseconds a point and its located points, by run; None where AUTO is not on the machine."""
    if bifurcation_auto.folder() is None:
        return None
    dormant = {"E": 1.6092032797937964, "T": 8.1897066644876386}
    one = bifurcation_auto.Auto(Problem(kuznetsov(scaled=True)), ("delta",), dormant)
    both = [functools.partial(one.run, [(0.0, 3.0)], ds, 0.25) for ds in (0.01, -0.01)]
    found = {"Kuznetsov over delta": least(both, repeats)}
    row = int(np.argmin(np.abs(branches.values - 1.3)))
    at = branches.problem.replace(parameters={"q2": float(branches.values[row])})
    two = bifurcation_auto.Auto(
        at, ("q2", "k"), dict(zip(at.system.states, branches.states[row].tolist(), strict=True))
    )
    both = [functools.partial(two.run, [(0.4, 3.0)], ds, 0.005) for ds in (0.001, -0.001)]
    found["Bykov over q2"] = least(both, repeats)
    rows = two.run([(0.4, 3.0)], -0.001, 0.005)[3]
    two.keep()
    spans = [(0.4, 3.0), (0.05, 3.0)]
    for name, kind in (("Bykov folds", "LP"), ("Bykov Hopf points", "HB")):
        label = next(int(r[3]) for r in rows if r[2] == kind)
        both = [functools.partial(two.run, spans, ds, 0.01, label=label) for ds in (1e-3, -1e-3)]
        found[name] = least(both, repeats)
    return found


def main(repeats):
    begun = time.perf_counter()
    problem, second = Problem(kuznetsov(scaled=True)), bykov()
    dormant = {"E": 1.6092032797937964, "T": 8.1897066644876386}
    start = {"x": 0.0029538, "y": 0.76211, "s": 0.16781}
    over_q2 = continue_branches(second, "q2", (0.4, 3.0), start=start)
    kind = "compiled" if machine.COMPILED else "plain Python"
    print(f"first branch of this process: {time.perf_counter() - begun:.2f} s, {kind}")
    runs = {
        "Kuznetsov over delta": lambda: continue_branches(problem, "delta", (0.0, 3.0), start=dormant, max_step=0.02),
        "Bykov over q2": lambda: continue_branches(second, "q2", (0.4, 3.0), start=start, max_step=0.02),
        "Bykov folds": lambda: continue_points(over_q2, "k", (0.05, 3.0), kinds=("fold",), max_step=0.02),
        "Bykov Hopf points": lambda: continue_points(over_q2, "k", (0.05, 3.0), kinds=("Hopf",), max_step=0.02),
    }
    auto = peer(over_q2[0], max(repeats // 2, 1))
    print(f"{'':22}{'points':>8}{'driver us':>11}{'all us':>9}{'error':>10}   AUTO:{'points':>8}{'us':>8}{'error':>10}"
          f"{'/ all':>8}{'/ driver':>10}")  # fmt: skip
    for name, call in runs.items():
        found, points, alone, whole = measure(call, repeats)
        alone, whole = alone / points * 1e6, whole / points * 1e6
        line = f"{name:22}{points:8d}{alone:11.2f}{whole:9.2f}{error(found.points, REFERENCE[name]):10.1e}"
        if auto is None:
            known = ELSEWHERE[name]
            line += f"        {'':8}{known:8.1f}{'':10}{known / whole:8.1f}{known / alone:10.1f}" if known else ""
        else:
            count, seconds, special = auto[name]
            us = seconds / count * 1e6
            line += f"        {count:8d}{us:8.1f}{auto_error(special, REFERENCE[name]):10.1e}"
            line += f"{us / whole:8.1f}{us / alone:10.1f}"
        print(line)
    if auto is None:
        print("AUTO-07p is not on this machine: its column holds times measured elsewhere, on another core")
    import cycles  # not above: it takes a problem from here

    print("\nperiodic orbits")
    cycles.main(max(repeats // 4, 1))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
