"""From the start of a process to its first solution, and where the time of compilation goes by size of model.

    python benchmarks/cold_start.py [repeats]

Each number is the median of several fresh processes: CPU time (user + system) and elapsed time, in seconds. The model
is the 7-state one of `ode_parts`. The lines above ours are what Python, NumPy and SymPy take on the same machine; an
editable installation adds its finder's 0.01 s to every one. Bytecode is there, as after an installation.

A second table divides the time to a kernel's code for karyotype classes in one niche: deriving expressions, writing
instructions, parsing them, LLVM's passes, machine code.
"""

import itertools
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = str(Path(__file__).parent)
DECLARED = f"""
import sys; sys.path.insert(0, {HERE!r})
from ode_parts.cases import TIMES, relapse
from remission.solvers import sample
problem = relapse().problem
"""
FIRST = "assert sample(problem, TIMES, ['S', 'R', 'N']).success"
SAVE = "from remission.solvers import save_problem; save_problem(problem, {file!r})"
LOADED = """
import numpy as np, remission as rm
assert rm.sample(rm.load_problem({file!r}), np.linspace(0.0, 365.0, 200), ["S", "R", "N"]).success
"""
TARGETS = {"import remission": 0.3, "declared, no cache": 1.0, "declared, warm cache": 0.45, "loaded, warm cache": 0.15}


def run(code, cache):
    env = {**os.environ, "REMISSION_CACHE": str(cache), "PYTHONPYCACHEPREFIX": str(cache.parent / "bytecode")}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run([sys.executable, "-c", code], check=True, env=env)


def measured(code, repeats, cache):
    """Median CPU and elapsed time of fresh processes; `cache()` is the folder of each."""
    used, passed = [], []
    for _ in range(repeats):
        folder = cache()
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        run(code, folder)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        passed.append(time.perf_counter() - begin)
        used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(used), statistics.median(passed)


def starts(repeats):
    """The first table."""
    with tempfile.TemporaryDirectory() as folder:
        file, warm, count = str(Path(folder, "problem")), Path(folder, "warm"), iter(range(10**6))
        run(DECLARED + FIRST + "\n" + SAVE.format(file=file), warm)
        run(LOADED.format(file=file), warm)

        def empty():
            return Path(folder, f"empty_{next(count)}")

        run(DECLARED + FIRST, empty())  # writes the bytecode of what only compilation needs
        cases = [
            ("python", "pass", empty),
            ("import numpy", "import numpy", empty),
            ("import numpy, sympy", "import numpy, sympy", empty),
            ("import remission", "import remission", empty),
            ("import remission.solvers", "import remission.solvers", empty),
            ("declared, not solved", DECLARED, empty),
            ("declared, no cache", DECLARED + FIRST, empty),
            ("declared, warm cache", DECLARED + FIRST, lambda: warm),
            ("loaded, no cache", LOADED.format(file=file), empty),
            ("loaded, warm cache", LOADED.format(file=file), lambda: warm),
        ]
        print(f"{'process start to':28}{'CPU s':>8}{'elapsed':>9}{'target':>8}")
        for name, code, cache in cases:
            used, passed = measured(code, repeats, cache)
            target = f"{TARGETS[name]:8.2f}" if name in TARGETS else ""
            print(f"{name:28}{used:8.3f}{passed:9.3f}{target}")


# --- compilation by size ----------------------------------------------------------------------------------------------


def niche(classes):
    """Karyotype classes that share one niche and turn into their neighbours: a banded Jacobian and one shared sum."""
    from remission.models import Model, Parameter, State

    K, m = Parameter("K", 1.0), Parameter("m", 1e-3)
    clones = [State(f"N{i}", 1e-3 if i else 0.1, scale=1.0) for i in range(classes)]
    rates = [Parameter(f"r{i}", 0.05 + 0.1 * i / classes) for i in range(classes)]
    room = 1 - sum(clones) / K
    grown = {N: r * N * room for N, r in zip(clones, rates, strict=True)}
    moved = {pair: m * pair[0] for pair in itertools.pairwise(clones)}
    return Model(f"niche of {classes}", rates=grown, transfers=moved, observables={"burden": sum(clones)})


def stages(model, method="Rodas5P"):
    """Seconds of each stage, the number of instructions and bytes of code."""
    import llvmlite.binding as llvm

    from remission.solvers import Problem
    from remission.solvers.kernels import build, jit, lists
    from remission.solvers.kernels.itinerary import kernel_tolerances

    guarded = kernel_tolerances(Problem(model))[3]
    clock, passed = time.process_time, []

    def stage(call):
        begin = clock()
        result = call()
        passed.append(clock() - begin)
        return result

    stage(lambda: lists.model_lists(model))
    text = stage(lambda: build.emitted(model, build.Options(method, 1, (), guarded)))
    passed[1] -= passed[0]  # which derives them again
    parsed = stage(lambda: llvm.parse_assembly(text))
    machine = jit.prepared(parsed, text)
    stage(lambda: jit.run_passes(parsed, machine))
    code = stage(lambda: machine.emit_object(parsed))
    return passed, text.count("\n"), len(code)


def sizes():
    """The second table."""
    print(
        f"\n{'classes':>8}{'derive':>9}{'write':>9}{'parse':>9}{'passes':>9}{'code':>9}{'sum':>9}{'lines':>9}{'kB':>7}"
    )
    for classes in (2, 10, 20, 30, 50, 100, 200):
        passed, lines, size = stages(niche(classes))
        print(f"{classes:8}" + "".join(f"{s:9.3f}" for s in (*passed, sum(passed))) + f"{lines:9}{size / 1e3:7.0f}")


if __name__ == "__main__":
    starts(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
    sizes()
