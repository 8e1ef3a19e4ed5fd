"""Widely spread members of the relapse model: how many come out wrong, lost, or told.

    python benchmarks/robustness.py [members] [members solved one by one] [folder that keeps the references]

`10000 500` is the full table, about 20 minutes; without arguments a thinner one of 3 minutes.

Every parameter is log-normal with sigma 1.0 (fractions stay below one), at plain and at ten-fold doses, rtol 1e-6 and
the default atol. Every member has two references of its own at 1e-13 a step (`log_cells.py`); where they differ by more
than a thousandth of what is asked the member is *undecided*. Of the others a member is

* *wrong*: said to be done, with an error above 10 (atol_i + rtol |peak_i|) in some state at some output time;
* *wrong in cells*: said to be done, with a clone of more than one cell (1e9 a unit) off by more than 0.01 in log10;
* *lost*: not said to be done, and no reason given; *told*: not said to be done, with a reason.
"""

import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from log_cells import reference
from relapse_model import PULSES, VALUES, relapse_problem, spread_table

from remission.solvers import SolveWarning, kernels, solve

__all__ = ["TIMES", "Judged", "judge", "references", "solved_one_by_one"]

TIMES = np.unique(np.concatenate([np.linspace(0, 365, 74), *(PULSES + d for d in (0.0, 0.02, 0.1, 0.3, 1.0))]))
CELLS = 1e9  # a unit
AMOUNTS = (1.0, 10.0)
ROUTES = (None, "Rodas5P", "Rodas3", "LSODA", "Radau")  # Tsit5 says of every member that it is stiff


def references(table, amount, times=TIMES):
    """(members, n_times, 7) values by Taylor series, the same as logarithms of clones, and whether both agree."""
    states, logs, agree = [], [], []
    for row in table:
        (first, steps), (second, other) = (reference(row, times, PULSES, amount, m) for m in ("Taylor", "DOP853"))
        values = first.copy()
        values[:, :3] = np.exp(first[:, :3])
        counted = values[:, :3] * CELLS > 0.1
        apart = np.abs(first - second)
        in_cells = np.where(counted, apart[:, :3], 0.0).max()
        in_signals = (apart[:, 3:].max(axis=0) / (np.abs(values[:, 3:]).max(axis=0) + 1e-300)).max()
        agree.append(steps > 0 and other > 0 and in_cells < 1e-8 and in_signals < 1e-9)
        states.append(values)
        logs.append(first[:, :3])
    return np.array(states), np.array(logs), np.array(agree)


def kept_references(table, amount, folder):
    """The same from a file, or to it."""
    if folder is None:
        return references(table, amount)
    path = Path(folder) / f"references-{len(table)}-{amount:g}.npz"
    if not path.exists():
        np.savez(path, *references(table, amount), table)
    with np.load(path) as found:
        *truth, members = (found[name] for name in found.files)
    if not np.array_equal(members, table):
        raise SystemExit(f"{path} holds references of other members; remove it")
    return tuple(truth)


@dataclass(frozen=True, eq=False)
class Judged:
    """Members of one run, each True where the word holds; `errors` in units of the limit for *wrong*."""

    wrong: np.ndarray
    wrong_in_cells: np.ndarray
    lost: np.ndarray
    told: np.ndarray
    undecided: np.ndarray
    errors: np.ndarray
    in_cells: np.ndarray

    def row(self):
        done = self.errors[np.isfinite(self.errors)]
        cells = self.in_cells[np.isfinite(self.in_cells)]
        counts = (self.wrong, self.wrong_in_cells, self.lost, self.told, self.undecided)
        middle = "  ".join(f"{np.count_nonzero(c):5d}" for c in counts)
        size = [*np.quantile(done, [0.5, 0.99]), done.max(), cells.max()] if done.size else [np.nan] * 4
        return middle + "  " + "  ".join(f"{s:9.1e}" for s in size)


def judge(values, status, messages, truth, problem):
    """Compare (members, n_times, 7) values with `references`."""
    states, logs, agree = truth
    rtol, atol = problem.tolerances()
    limit = 10 * (atol + rtol * np.abs(states).max(axis=1))
    done = np.array([word == "done" for word in status])
    with np.errstate(all="ignore"):
        errors = (np.abs(values - states).max(axis=1) / limit).max(axis=1)
        apart = np.abs(np.log10(values[:, :, :3]) - logs / np.log(10))
        apart = np.where(np.isnan(apart), np.inf, apart)
        in_cells = np.where(states[:, :, :3] * CELLS > 1, apart, 0.0).max(axis=(1, 2))
    errors = np.where(np.isnan(errors), np.inf, errors)
    said = np.array([bool(message) for message in messages])
    sound = done & agree
    return Judged(
        sound & ~(errors <= 1), sound & ~(in_cells <= 0.01), ~done & ~said, ~done & said, ~agree,
        np.where(sound, errors, np.nan), np.where(sound, in_cells, np.nan),
    )  # fmt: skip


def solved_one_by_one(problem, table, method, **options):
    """Values, status and messages of `solve`; the numbers of steps."""
    values, status, messages, steps = [], [], [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SolveWarning)
        for row in table:
            member = problem.replace(parameters=dict(zip(VALUES, row, strict=True)))
            found = solve(member, method, t_eval=TIMES, **options)
            values.append(np.column_stack([found[s] for s in problem.system.states]))
            status.append("done" if found.success else found.status)
            messages.append(found.message)
            steps.append(found.trace.steps)
    return np.array(values), status, messages, np.array(steps)


def chosen_members(table, truth, steps, count, rng):
    """The fifth with most steps, the fifth with the deepest remission, and the rest at random."""
    part = count // 5
    depth = truth[1].max(axis=2).min(axis=1)
    taken = list(np.argsort(-steps)[:part])
    taken += [i for i in np.argsort(depth) if i not in set(taken)][:part]
    rest = np.setdiff1d(np.arange(len(table)), taken)
    return np.sort(np.concatenate([taken, rng.choice(rest, min(count - len(taken), len(rest)), replace=False)]))


def say(text):
    print(text, flush=True)


def reasons(status, messages, members, most=5):
    told = [f"member {i}: {w}: {m}" for i, w, m in zip(members, status, messages, strict=True) if w != "done"]
    for text in told[:most]:
        say(f"    {text}")
    if len(told) > most:
        say(f"    and {len(told) - most} more")


def one_dose(members, alone, amount, folder):
    table, problem = spread_table(members), relapse_problem(amount, rtol=1e-6)
    begin = time.process_time()
    truth = kept_references(table, amount, folder)
    say(f"\ndose {amount:g}: {members} members, two references each in {time.process_time() - begin:.0f} s")
    head = ("wrong", "cells", " lost", " told", "undec")
    say(f"  {'route':<34}{'n':>6}  {'  '.join(head)}  {'median':>9}  {'99 %':>9}  {'largest':>9}  {'log10':>9}")
    begin = time.process_time()
    found = kernels.ensemble(problem, list(VALUES), table, TIMES, problem.system.states, threads=1)
    took = (time.process_time() - begin) / members * 1e6
    judged = judge(found.values, found.status, found.messages, truth, problem)
    say(f"  {'ensemble: ' + found.method:<34}{members:6d}  {judged.row()}  {took:6.0f} us a member")
    reasons(found.status, found.messages, range(members))
    for i in np.argsort(-np.nan_to_num(judged.errors))[:5]:
        say(f"    member {i}: {judged.errors[i]:.3g} limits, log10 {judged.in_cells[i]:.2g}")
    *_, steps = solved_one_by_one(problem, table, "Rodas5P")
    rows = chosen_members(table, truth, steps, alone, np.random.default_rng(1))
    part = tuple(t[rows] for t in truth)
    for method in ROUTES:
        begin = time.process_time()
        values, status, messages, _ = solved_one_by_one(problem, table[rows], method)
        took = (time.process_time() - begin) / len(rows) * 1e6
        judged = judge(values, status, messages, part, problem)
        say(f"  {'solve: ' + (method or 'default'):<34}{len(rows):6d}  {judged.row()}  {took:6.0f} us a member")
        reasons(status, messages, rows)


def main():
    members = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    alone = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    folder = sys.argv[3] if len(sys.argv) > 3 else None
    say("errors in units of 10 (atol_i + rtol |peak_i|); log10: largest error of a clone above one cell")
    for amount in AMOUNTS:
        one_dose(members, alone, amount, folder)


if __name__ == "__main__":
    main()
