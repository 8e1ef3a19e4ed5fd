"""Sweeps at scale: members a second, peak memory, what Python adds, one thread against two, and what is read off steps.

    python benchmarks/sweep.py [largest]

The 7-state model of `ode.py` with six doses and all 25 parameters drawn (log-normal, sigma 0.2), output the burden at
the end, rtol 1e-6. Each size runs in a process of its own whose largest memory is read when it ends; rows come from a
sampler, results go to a run folder. Rates are of wall time, so a machine that does other things shows less.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np
from ode import PULSES, VALUES, relapse

from remission.analysis import nadir, sweep, time_to_progression
from remission.models import Parameter
from remission.solvers import Problem, Treatment, kernels

SIZES = (10_000, 100_000, 1_000_000)
NAMES = list(VALUES)


def problem(dose=1.0, day=PULSES[0]):
    treatment = Treatment.none()
    for later in PULSES - PULSES[0]:
        treatment = treatment + Treatment.bolus({"D": dose}, at=day + later)
    return Problem(relapse(), t_span=(0, 365), treatment=treatment, rtol=1e-6, atol=1e-8)


def draws(first, last, sigma=0.2):
    """Rows first..last-1 of the table of samples."""
    noise = np.random.default_rng([3, first]).standard_normal((last - first, len(NAMES)))
    table = np.array(list(VALUES.values())) * np.exp(sigma * noise)
    table[:, NAMES.index("eps")] = np.minimum(table[:, NAMES.index("eps")], 0.99)
    table[:, NAMES.index("B")] = np.minimum(table[:, NAMES.index("B")], 0.9)
    return table


def memory():
    """Largest memory of this process so far, MB; `ru_maxrss` alone would count what the parent had when it forked."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def child(n, threads, where):
    """One sweep in a process of its own: a line of JSON."""
    sweep(problem(), (draws, 64), "N", names=NAMES, progress=False)  # compiled, or from the cache
    before, begin, cpu = memory(), time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as place:
        folder = place if where == "folder" else None
        found = sweep(problem(), (draws, n), "N", names=NAMES, workers=threads, progress=False, folder=folder)
        took, cpu = time.perf_counter() - begin, time.process_time() - cpu
        told = {"took": took, "cpu": cpu, "before": before, "peak": memory(), "failed": int(found.failed.sum())}
        print(json.dumps(told))


def scale(largest):
    print("members      threads  to        members/s    us each, wall and CPU    peak MB (before)   failed")
    for n in (size for size in SIZES if size <= largest):
        for threads, where in ((1, "folder"), (2, "folder"), (2, "memory")):
            told = subprocess.run(
                [sys.executable, __file__, "child", str(n), str(threads), where],
                capture_output=True, text=True, check=True,
            ).stdout  # fmt: skip
            one = json.loads(told.splitlines()[-1])
            wall, cpu = (one[clock] / n * 1e6 for clock in ("took", "cpu"))
            print(
                f"{n:>9}    {threads}        {where}  {n / one['took']:>9.0f}    {wall:>7.1f}  {cpu:>7.1f}        "
                f"{one['peak']:>7.0f} ({one['before']:.0f})    {one['failed']:>9}"
            )


def of_python(n=16_384):
    """CPU time of a sweep beside that of its kernel calls alone."""
    from remission.solvers.kernels import members

    spent, run = [], members.run_job

    def timed(job, threads=1):
        begin = time.process_time()
        found = run(job, threads)
        spent.append(time.process_time() - begin)
        return found

    table = draws(0, n)
    sweep(problem(), table[:16], "N", names=NAMES, workers=1, progress=False)
    members.run_job = timed
    try:
        begin = time.process_time()
        sweep(problem(), table, "N", names=NAMES, workers=1, progress=False)
        took = time.process_time() - begin
    finally:
        members.run_job = run
    rest = (took - sum(spent)) / n * 1e6
    print(f"\nof {took / n * 1e6:.1f} us a member, kernels {sum(spent) / n * 1e6:.1f}, Python {rest:.2f}")


def per_member(label, one, names, table, outputs, **more):
    sweep(one, table[:16], outputs, names=names, workers=1, progress=False, **more)
    begin = time.process_time()
    found = sweep(one, table, outputs, names=names, workers=1, progress=False, **more)
    took = (time.process_time() - begin) / len(table) * 1e6
    print(f"  {label:<52}{took:8.1f} us a member, {found.failed.sum()} failed")


def questions(n=2048):
    rng, table = np.random.default_rng(1), draws(0, n)
    dose, day = Parameter("dose", 1.0), Parameter("day", 14.0)
    print(f"\nother questions, {n} members, one thread, CPU time")
    per_member("burden at 200 times", problem(), NAMES, table, "N", times=np.linspace(0, 365, 200))
    per_member("nadir, from the steps", problem(), NAMES, table, nadir("N"))
    three = [nadir("N"), time_to_progression(of="N"), time_to_progression(of="N", since="nadir")]
    per_member("nadir and two times to progression", problem(), NAMES, table, three)
    per_member("sigma 1.0, at the end", problem(), NAMES, draws(0, n, 1.0), "N")
    per_member("dose varied, at the end", problem(dose), ["dose"], rng.uniform(0.5, 2, (n, 1)), "N")
    per_member("day of the first dose varied", problem(1.0, day), ["day"], rng.uniform(0, 20, (n, 1)), "N")
    few = rng.choice([0.0, 7.0, 14.0], (n, 1))
    per_member("one of three days", problem(1.0, day), ["day"], few, "N")


def likeness(n=4096):
    """What sorting members by likeness inside a chunk would bring: their own number of steps is the best order."""
    print(f"\nlanes of 8 in other orders, {n} members, kernel alone, CPU time a member")
    for sigma in (0.2, 1.0):
        table = draws(0, n, sigma)
        logs = kernels.step_logs(problem(), NAMES, table)
        steps = np.bincount(logs.member, minlength=n).astype(float)
        z = np.log(table) - np.log(table).mean(axis=0)
        first = z @ np.linalg.svd(z, full_matrices=False)[2][0]
        design = np.column_stack([np.ones(n), z])
        fitted = design @ np.linalg.lstsq(design[:256], steps[:256], rcond=None)[0]
        orders = {"as drawn": np.arange(n), "first component": np.argsort(first), "sum of logs": np.argsort(z.sum(1)),
                  "steps, fitted on 256": np.argsort(fitted), "steps, known": np.argsort(steps)}  # fmt: skip
        for label, order in orders.items():
            took = min(timed_ensemble(table[order]) for _ in range(3)) / n * 1e6
            print(f"  sigma {sigma}: {label:<22}{took:6.1f} us")


def timed_ensemble(table):
    begin = time.process_time()
    kernels.ensemble(problem(), NAMES, table, [365.0], ["N"], threads=1)
    return time.process_time() - begin


def main():
    if sys.argv[1:2] == ["child"]:
        child(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
        return
    of_python()
    questions()
    likeness()
    print()
    scale(int(sys.argv[1]) if len(sys.argv) > 1 else SIZES[-1])


if __name__ == "__main__":
    main()
