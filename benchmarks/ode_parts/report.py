"""Tables: every line with its time beside its error, then the targets with what was measured."""

import json

from .measure import Entry, ratio
from .tasks import KERNEL, MANY, PLAIN, PUBLIC

OURS = (KERNEL, PUBLIC, MANY, PLAIN)

# task: (peer, smallest ratio that was aimed at)
TARGETS = {
    "relapse": {"numbalsoda": 2, "pydiffsol": 10, "casadi CVODES": 10, "AMICI CVODES": 25},
    "sets": {"numbalsoda": 15, "pydiffsol": 60},
    "gradients": {"pydiffsol": 30, "AMICI CVODES": 50},
    "ladder 50": {"casadi CVODES": 20},
    "ladder 200": {"casadi CVODES": 100},
}


def duration(seconds) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size or unit == "us":
            return f"{seconds / size:.3g} {unit}"


def line_of(entries, who):
    return [e for e in entries if e.who == who and e.times]


def against(entries, entry):
    """Ratios of a peer's time to each of our lines at its error, as text: median and range over the turns."""
    parts = []
    for who, word in ((KERNEL, "kernel"), (MANY, "ensemble"), (PUBLIC, "sample")):
        if line := line_of(entries, who):
            middle, low, high, side = ratio(line, entry)
            parts.append(f"{word} {side}{middle:.3g} x [{low:.3g}-{high:.3g}]")
    return ", ".join(parts)


def table(title, entries):
    print(f"\n{title}")
    print(
        f"  {'who':<20} {'rtol':>6} {'fastest':>9} {'median':>9} {'error':>8}  time over ours at that error, or a note"
    )
    for e in entries:
        if not e.times:
            print(f"  {e.who:<20} {e.rtol:6.0e} {'-':>9} {'-':>9} {e.error:8.1e}  {e.note}")
            continue
        words = e.note if e.who in OURS else against(entries, e)
        shown = f"{e.error:8.1e}" if e.who != PLAIN else " " * 8
        print(f"  {e.who:<20} {e.rtol:6.0e} {duration(e.fastest):>9} {duration(e.median):>9} {shown}  {words}")


def targets(results):
    """Lines of (task, peer, target, measured, error) at the peer's rtol 1e-6."""
    lines = []
    for task, wanted in TARGETS.items():
        entries = results.get(task)
        if entries is None:
            continue
        for peer, least in wanted.items():
            found = [e for e in entries if e.who == peer and e.rtol == 1e-6 and e.times]
            for e in found:
                for who in (KERNEL, MANY, PUBLIC):
                    if line := line_of(entries, who):
                        middle, low, high, side = ratio(line, e)
                        text = f"{side}{middle:.3g} [{low:.3g}-{high:.3g}]"
                        lines.append((task, f"{peer}, {who.split(', ')[1]}", least, text, e.error, middle >= least))
            if not found:
                lines.append((task, peer, least, "not measured", float("nan"), None))
    return lines


def solves(entries):
    """rtol -> kernel time with all gradients over that of a plain solve."""
    plain = {e.rtol: e.fastest for e in line_of(entries, PLAIN)}
    return {e.rtol: e.fastest / plain[e.rtol] for e in line_of(entries, KERNEL) if e.rtol in plain}


def print_targets(results):
    print(
        "\nTargets, each peer at its rtol 1e-6; ratios of CPU time at the peer's error, median [range] over the turns"
    )
    print(f"  {'task':<11} {'peer, our call':<34} {'target':>6}  {'measured':<22} {'error':>8}")
    for task, peer, least, text, error, met in targets(results):
        word = {True: "met", False: "MISSED", None: ""}[met]
        print(f"  {task:<11} {peer:<34} {least:>6}  {text:<22} {error:8.1e}  {word}")


def save(results, path):
    kept = ("who", "rtol", "error", "divide", "times", "note")
    with open(path, "w") as file:
        json.dump(
            {task: [{k: getattr(e, k) for k in kept} for e in entries] for task, entries in results.items()}, file
        )


def load(path):
    with open(path) as file:
        return {task: [Entry(call=None, **e) for e in entries] for task, entries in json.load(file).items()}
