"""The tasks: one solve, many parameter sets, gradients, cold start. Each returns the entries it timed."""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

from . import ours, peers, reference
from .cases import parameter_sets
from .measure import Entry, error, take_turns

OURS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9)
THEIRS = (1e-4, 1e-6, 1e-8)
KERNEL, PUBLIC, MANY, PLAIN = "remission, kernel", "remission, sample", "remission, ensemble", "plain solve"


def _tried(who, rtol, make, judge, divide=1):
    """An entry with its error, or one without a call and with the reason."""
    entry = Entry(who, rtol, None, divide=divide)
    try:
        begin = time.perf_counter()
        entry.call = make()
        entry.error = judge(entry.call())
        entry.note = f"first {took:.1f} s" if (took := time.perf_counter() - begin) > 1 else ""
    except Exception as failed:  # a peer that refuses a case is a line of the table
        entry.call, entry.note = None, f"failed: {' '.join(str(failed).split())[:80]}"
    return entry


def _timed(entries, **how):
    take_turns([e for e in entries if e.call is not None and np.isfinite(e.error)], **how)
    return entries


def one_solve(case, here, theirs=THEIRS, tolerances=OURS, **how):
    """All states at all output times, by us at our tolerances and by every peer at its own."""
    wanted, apart = reference.states(case)
    seldom = tolerances if case.n < 20 else (1e-4, 1e-6)

    def judge(values):
        return error(values, wanted, case.floor)

    entries = [_tried(KERNEL, r, lambda r=r: ours.bare(case, r), judge) for r in tolerances]
    for entry in entries:
        if entry.call and entry.call.status() != "done":
            entry.note = f"marked {entry.call.status()}"
    entries += [_tried(PUBLIC, r, lambda r=r: ours.public(case, r), judge) for r in seldom]
    left_out = [f"{peer.NAME}: {why}" for peer in here if (why := peers.refusal(peer, case))]
    for peer in here:
        if not peers.refusal(peer, case):
            entries += [_tried(peer.NAME, r, lambda r=r, peer=peer: peer.one(case, r), judge) for r in theirs]
    return _timed(entries, **how), apart, left_out


def many_sets(case, here, members=10_000, few=100, checked=8, theirs=(1e-5, 1e-6, 1e-7), **how):
    """N at all output times for many parameter sets: seconds a set on one core, error the worst of `checked` sets.

    Peers solve the first `few` of the sets, one after the other or in their own way of doing many.
    """
    table = parameter_sets(case, members)
    wanted = reference.members(case, table[:checked])[:, :, :3].sum(axis=2)

    def judge(burdens):
        return max(error(a.reshape(-1, 1), b[:, None]) for a, b in zip(burdens[:checked], wanted, strict=True))

    entries = []
    for rtol in (1e-4, 1e-5, 1e-6, 1e-7, 1e-8):
        run = ours.ensemble(case, rtol, table)
        entries.append(_tried(MANY, rtol, lambda run=run: run, lambda found: judge(found.values), members))
        entries[-1].note = f"{len(run().failed)} failed"
    for peer in here:
        if not peers.refusal(peer, case, "many"):
            entries += [
                _tried(peer.NAME, rtol, lambda p=peer, r=rtol: p.many(case, r, table[:few]), judge, few)
                for rtol in theirs
            ]
    return _timed(entries, **how)


def two_cores(case, rtol=1e-6, members=10_000):
    """Wall time of one thread over that of two, alternating; (ratio, seconds a set with one, with two)."""
    table, walls = parameter_sets(case, members), {1: [], 2: []}
    runs = {threads: ours.ensemble(case, rtol, table, threads=threads) for threads in walls}
    for _ in range(7):
        for threads, run in runs.items():
            begin = time.perf_counter()
            run()
            walls[threads].append(time.perf_counter() - begin)
    one, two = (min(walls[k]) / members for k in (1, 2))
    return one / two, one, two


def gradients(case, here, theirs=THEIRS, **how):
    """N and its derivatives by all parameters; error of d log N / d log p over the largest of them."""
    burden, by = reference.gradients(case)
    wanted = by * case.p / burden[:, None]

    def judge(found):
        found = found[1] * case.p / found[0][:, None]
        return error(found.reshape(-1, 1), wanted.reshape(-1, 1))

    entries = []
    for rtol in (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8):
        public = _tried(PUBLIC, rtol, lambda r=rtol: ours.gradients(case, r), judge)
        bare = _tried(KERNEL, rtol, lambda r=rtol: ours.bare_gradients(case, r), lambda _, e=public.error: e)
        plain = _tried(PLAIN, rtol, lambda r=rtol: ours.bare(case, r, ["N"]), lambda _: 0.0)
        entries += [bare, public, plain]
    for peer in here:
        if not peers.refusal(peer, case, "gradients"):
            entries += [_tried(peer.NAME, r, lambda p=peer, r=r: p.gradients(case, r), judge) for r in theirs]
    return _timed(entries, **how)


def cold(classes=0):
    """Seconds of a process that builds a case and solves it once, without and with a cache: imports included."""
    here = str(pathlib.Path(__file__).resolve().parent.parent)
    made = f"cases.ladder({classes})" if classes else "cases.relapse()"
    code = (
        f"import sys, time; b = time.perf_counter(); sys.path.insert(0, {here!r}); from ode_parts import cases, ours; "
        f"c = {made}; m = time.perf_counter(); ours.public(c, 1e-6, ['N'])(); e = time.perf_counter(); "
        "print(e - b, e - m)"
    )
    with tempfile.TemporaryDirectory() as folder:
        where = os.environ | {"REMISSION_CACHE": folder}
        runs = [subprocess.run([sys.executable, "-c", code], env=where, capture_output=True, text=True) for _ in "12"]
    return [tuple(float(v) for v in run.stdout.split()) for run in runs]
