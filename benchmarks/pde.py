"""Lines of cells in time: the compiled scheme beside its peers, on the same cells.

    python benchmarks/pde.py             everything; some minutes
    python benchmarks/pde.py --quick     fewer tolerances; within a minute after the first run has compiled

Peers get their rates from a function compiled by numba, which is checked against ours first. Those that are not
installed are named and left out (`pip install scikit-sundae` for CVODE). Error is the largest difference at the end
from a common fine-time reference on the same cells, so errors of the cells themselves have no part in it; for Fisher's
wave that error against the exact wave [1]_ is printed. Times are CPU time on one core, best of some turns.

References
----------
.. [1] Ablowitz & Zeppetella (1979), Bulletin of Mathematical Biology 41, 835-840.
"""

import argparse
import os
import time

import numpy as np
from pde_parts import cases, peers

TOLERANCES = tuple(10.0**-k for k in range(2, 9))
QUICK = (1e-4, 1e-5, 1e-6, 1e-7)
TARGET = 1e-5  # error at which times are compared


def timed(work, turns):
    """Result and least CPU time of some turns."""
    least = np.inf
    for _ in range(turns):
        begin = time.process_time()
        found = work()
        least = min(least, time.process_time() - begin)
    return found, least


def at_error(rows, error):
    """Time at which a peer reaches an error, between its tolerances by powers; NaN where it does not."""
    errors, times = np.log([r[1] for r in rows]), np.log([r[2] for r in rows])
    order = np.argsort(errors)
    if not errors.min() <= np.log(error):
        return np.nan
    return float(np.exp(np.interp(np.log(error), errors[order], times[order])))


def measure(case, tolerances, turns):
    """Rows (tolerance, error, seconds) of each peer, and what else there is to say."""
    here, missing = peers.found()
    peers.check(case)
    reference, apart = peers.reference(case)
    print(f"\n{case.name}: {case.cells} cells, {case.n} fields (references {apart:.0e} apart)")
    if case.exact is not None:
        print(f"  error of the cells against the exact wave: {np.abs(reference - case.exact).max():.1e}")
    for line in missing:
        print(f"  left out: {line}")
    results = {}
    for name, solver in here.items():
        rows = results[name] = []
        solver(case, 1e-2)  # compilation is not timed
        for tolerance in tolerances:
            found, seconds = timed(lambda: solver(case, tolerance), turns)  # noqa: B023
            rows.append((tolerance, np.abs(found - reference).max(), seconds))
    return results


def table(results):
    tolerances = [r[0] for r in next(iter(results.values()))]
    print(f"  {'rtol':<24}" + "".join(f"{t:>18.0e}" for t in tolerances))
    for name, rows in results.items():
        print(f"  {name:<24}" + "".join(f"{f'{e:.1e} {s * 1e3:.1f} ms':>18}" for _, e, s in rows))
    ours, *others = results
    own = at_error(results[ours], TARGET)
    print(f"  time to an error of {TARGET:.0e}: {ours} {own * 1e3:.2f} ms")
    for name in others:
        theirs = at_error(results[name], TARGET)
        print(f"    {name}: {theirs * 1e3:.1f} ms, {theirs / own:.1f} times ours")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="within a minute")
    asked = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    for case in cases.all_of_them():
        table(measure(case, QUICK if asked.quick else TOLERANCES, 2 if asked.quick else 5))
        steps, nanoseconds = peers.cost_of_a_step(case)
        print(f"  ours: {steps} steps, {nanoseconds:.0f} ns a cell and step")


if __name__ == "__main__":
    main()
