"""Microseconds a point of continuation, and how near the located points are to their 20-digit values.

    python benchmarks/bifurcation.py [repeats]

Beside AUTO-07p as it was measured on one core of a shared machine: 5.8 us a point on Kuznetsov over delta, 10.0 us on
the fold curve of Bykov and 14.5 us on its Hopf curve; eigenvalues and file output included, its Fortran compile and
process not. Ours: `driver` is the compiled walk alone (Newton steps, tangents, tests for special points); `all` is the
whole call from the steady state to the result (tapes cached), with special points located and classified, eigenvalues
or normal-form coefficients of every point, and both directions. Minimum of several repeats, CPU time.
"""

import shutil
import sys
import time

import numpy as np

from remission.analysis import continue_branches, continue_points
from remission.analysis.continuation import machine
from remission.models import Model, Parameter, State, kuznetsov
from remission.solvers import Problem

AUTO = {"Kuznetsov over delta": 5.8, "Bykov over q2": None, "Bykov folds": 10.0, "Bykov Hopf points": 14.5}
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


def error(found, wanted):
    worst = 0.0
    for kind, values in wanted.items():
        got = [p.value for p in found.points if p.kind == kind]
        if len(got) != len(values):
            return np.nan
        worst = max(worst, *(abs(a / b - 1) for a, b in zip(sorted(got), values, strict=True)))
    return worst


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
    print(
        f"{'':22}{'points':>8}{'driver us':>11}{'all us':>9}{'AUTO us':>9}{'ratio':>7}"
        "   largest error of a located value"
    )
    for name, call in runs.items():
        found, points, alone, whole = measure(call, repeats)
        auto = AUTO[name]
        beside = f"{auto:9.1f}{auto / (alone / points * 1e6):7.1f}" if auto else f"{'':16}"
        print(f"{name:22}{points:8d}{alone / points * 1e6:11.2f}{whole / points * 1e6:9.2f}{beside}   "
              f"{error(found, REFERENCE[name]):.1e}")  # fmt: skip
    if shutil.which("auto") is None and shutil.which("auto-07p") is None:
        print("AUTO-07p is not on this machine: its column holds the times measured elsewhere, on another core")
    else:
        print("AUTO-07p is on this machine, but this script does not run it: its column holds times measured before")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
