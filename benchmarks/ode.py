"""The compiled kernels beside their peers in one run: time, achieved error, and the ratio of times at equal error.

    python benchmarks/ode.py                 everything; about an hour
    python benchmarks/ode.py --quick         fewer classes, sets and tolerances; some minutes
    python benchmarks/ode.py --only relapse sets gradients "ladder 50" stiff cold
    python benchmarks/ode.py --load benchmarks/ode_results.json --figure docs/figures/ode-work-precision.png

Peers that are not installed are named and left out; `benchmarks/README.md` says how to get them. Error is the largest
|y - reference| over states and output times, each state divided by its own peak. References are SciPy's DOP853 and
Radau at 1e-12, or published. Times are CPU time on one core; who is compared takes turns.
"""

import argparse
import os
import time

from ode_parts import cases, figure, peers, report, tasks

TASKS = ("relapse", "sets", "gradients", "ladder 10", "ladder 50", "ladder 200", "stiff", "cold")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a form that takes minutes")
    parser.add_argument("--only", nargs="+", choices=TASKS, metavar="TASK", help=", ".join(TASKS))
    parser.add_argument("--members", type=int, help="parameter sets of the ensemble")
    parser.add_argument("--figure", metavar="PATH", help="draw work-precision lines")
    parser.add_argument("--save", metavar="JSON", help="keep the results")
    parser.add_argument("--load", metavar="JSON", help="begin with earlier results; measure --only, if given")
    return parser.parse_args()


def one_core():
    """Stay on one processor: CPU times of a process that wanders between two are not comparable."""
    if hasattr(os, "sched_setaffinity"):
        everywhere = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {max(everywhere)})
        return everywhere
    return None


def measure(chosen, quick, members):
    here, missing = peers.found()
    print("peers: " + ", ".join(peers.version(peer) for peer in here))
    for line in missing:
        print(f"left out: {line}")
    everywhere = one_core()
    results, how = {}, {"turns": 3, "budget": 0.5} if quick else {}
    less = {"theirs": (1e-6,), "tolerances": (1e-4, 1e-5, 1e-6, 1e-7)} | how if quick else how
    relapse = cases.relapse()
    solvable = [relapse] if "relapse" in chosen else []
    solvable += [cases.ladder(n) for n in (10, 50, 200) if f"ladder {n}" in chosen and not (quick and n == 200)]
    solvable += list(cases.stiff_set()) if "stiff" in chosen else []
    for case in solvable:
        begin = time.perf_counter()
        results[case.name], apart, left_out = tasks.one_solve(case, here, **less)
        title = f"{case.name}: one solve, {case.n} states at {len(case.times)} times"
        source = "published values" if case.published else f"references {apart:.0e} apart"
        report.table(f"{title} ({source}; {time.perf_counter() - begin:.0f} s)", results[case.name])
        print("".join(f"  left out: {line}\n" for line in left_out), end="")
    if "sets" in chosen:
        more = {"theirs": (1e-6,)} | how if quick else how
        results["sets"] = tasks.many_sets(relapse, here, members, **more)
        report.table(f"{members} parameter sets of relapse, N at 200 times, a set on one core", results["sets"])
        if everywhere and len(everywhere) > 1:
            os.sched_setaffinity(0, everywhere)
            gain, one, two = tasks.two_cores(relapse, members=members)
            print(f"  wall time a set: {one * 1e6:.1f} us with 1 thread, {two * 1e6:.1f} us with 2: {gain:.2f} x")
            one_core()
    if "gradients" in chosen:
        more = {"theirs": (1e-6,)} | how if quick else how
        results["gradients"] = tasks.gradients(relapse, here, **more)
        report.table("relapse: N at 200 times with 25 derivatives", results["gradients"])
        counts = report.solves(results["gradients"]).items()
        print("  kernel with 25 derivatives: " + ", ".join(f"{k:.1f} plain solves at {r:.0e}" for r, k in counts))
    return results


def starts(quick):
    """Whole processes that build a case and solve it once, without and with object code on disk."""
    print("\nfirst solution of a new process (imports and model included; of that, solve and compilation)")
    for classes in (0, 50) if quick else (0, 10, 50, 200):
        (whole, part), (again, less) = tasks.cold(classes)
        name = f"ladder {classes}" if classes else "relapse"
        print(f"  {name:<11} empty cache {whole:5.2f} s ({part:.2f} s), warm {again:5.2f} s ({less:.2f} s)")


def main():
    asked = arguments()
    results = report.load(asked.load) if asked.load else {}
    only = asked.only or (() if asked.load else TASKS)
    if only:
        members = asked.members or (1000 if asked.quick else 10_000)
        results |= measure(only, asked.quick, members)
    if "cold" in only:
        starts(asked.quick)
    report.print_targets(results)
    if asked.save:
        report.save(results, asked.save)
    if asked.figure:
        figure.draw(results, asked.figure)
        print(f"\ndrew {asked.figure}")


if __name__ == "__main__":
    main()
