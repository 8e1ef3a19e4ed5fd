"""All steady states, proved: time by model beside msolve and SymPy, where they are there.

    python benchmarks/steady_states.py [draws]

"prepare" is the first call for a model less the next one (splitting, elimination, derivatives, tape; compilation by
numba is done once for all models and left out), "search" the interval search alone, "call" all of `steady_states` with
verdicts and certificate data. CPU time, the least of some repeats. Random draws of the clone models show the tail.
msolve's time is that of its process, on numerators over the rationals; SymPy's that of a Groebner basis, not of roots.
"""

import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np
import sympy as sp

from remission import models
from remission.analysis import steady_states, verify
from remission.analysis.proved import answer, search
from remission.models import Model, Parameter, State
from remission.solvers import Problem


def kuznetsov():
    """Kuznetsov et al. (1994), scaled."""
    values = {
        "sigma": 0.1181,
        "rho": 1.131,
        "eta": 20.19,
        "mu": 0.00311,
        "delta": 0.3743,
        "alpha": 1.636,
        "beta": 0.002,
    }
    k = {name: Parameter(name, value) for name, value in values.items()}
    x, y = State("x", 0.32, kind="immune", bounds=(0, 50)), State("y", 5.0, bounds=(0, 1000))
    growth = k["sigma"] + k["rho"] * x * y / (k["eta"] + y) - k["mu"] * x * y - k["delta"] * x
    return Problem(Model("kuznetsov", rates={x: growth, y: k["alpha"] * y * (1 - k["beta"] * y) - x * y}))


def bykov():
    """Catalytic oscillator of Bykov, Yablonskii and Kim at q2 = 1.05."""
    values = {"q1": 2.5, "q2": 1.05, "q3": 10.0, "q4": 0.0675, "q5": 1.0, "q6": 0.1, "k": 0.4}
    q = {name: Parameter(name, value) for name, value in values.items()}
    x, y, s = (State(n, 0.1, kind="other", bounds=(0, 1)) for n in "xys")
    z = 1 - x - y - s
    rates = {
        x: 2 * q["q1"] * z**2 - 2 * q["q5"] * x**2 - q["q3"] * x * y,
        y: q["q2"] * z - q["q6"] * y - q["q3"] * x * y,
        s: q["q4"] * z - q["k"] * q["q4"] * s,
    }
    return Problem(Model("bykov", rates=rates))


def clones(count):
    """Clones in one niche with a mutation chain, a signal they make and myeloid cells that protect them."""
    n = [State(f"n{i}", 0.1, bounds=(0, 1.2)) for i in range(count)]
    c, m = State("c", 0.1, kind="signal", bounds=(0, 12)), State("m", 0.1, kind="immune", bounds=(0, 12))
    r = [Parameter(f"r{i}", 1.0 - 0.1 * i) for i in range(count)]
    k = [Parameter(f"k{i}", value) for i, value in zip(range(count), (1.0, 0.6, 0.3, 0.15, 0.1), strict=False)]
    values = {"s": 5.0, "g": 2.0, "q": 1.2, "b": 0.5, "eps": 0.7, "mu": 0.001, "d": 0.6}
    p = {name: Parameter(name, value) for name, value in values.items()}
    total = sum(n)
    rates = {
        x: r[i] * x * (1 - total) - k[i] * p["d"] * (1 - p["eps"] * m / (1 + m)) * x
        + (p["mu"] * n[i - 1] if i else 0) - (p["mu"] * x if i < count - 1 else 0)
        for i, x in enumerate(n)
    }  # fmt: skip
    rates |= {c: p["s"] * total - p["g"] * c, m: p["q"] * c / (1 + c) - p["b"] * m}
    return Problem(Model(f"{count} clones, signal, myeloid", rates=rates))


def draw(rng, count):
    """Parameters of a clone model at random."""
    found = {f"r{i}": rng.uniform(0.4, 1.2) for i in range(count)} | {
        f"k{i}": rng.uniform(0.05, 1.2) for i in range(count)
    }
    return found | {
        "s": rng.uniform(1, 10), "q": rng.uniform(0.3, 3), "eps": rng.uniform(0.3, 0.95), "d": rng.uniform(0.2, 1.2),
        "mu": 10 ** rng.uniform(-6, -2),
    }  # fmt: skip


def searched(problem, box):
    """CPU seconds of the search alone, and what it found."""
    values = answer.parameter_intervals(problem)
    began = time.process_time()
    found = search.search_box(problem.model, values, box)
    return time.process_time() - began, found


def timed(function, repeats=7):
    """Least CPU seconds of some repeats."""
    best = np.inf
    for _ in range(repeats):
        began = time.process_time()
        function()
        best = min(best, time.process_time() - began)
    return best


def row(problem):
    """A line on one model."""
    box = np.array(list(steady_states_box(problem).values()), dtype=float)
    first, _ = searched(problem, box)
    again = min(searched(problem, box)[0] for _ in range(9))
    result = steady_states(problem)
    call = timed(lambda: steady_states(problem), 5)
    checked = verify(result.certificate)
    parts = [
        f"{problem.model.name:30s} n={len(problem.model.states)}",
        f"prepare {first - again:6.3f} s",
        f"search {again * 1e3:8.3f} ms",
        f"call {call * 1e3:7.2f} ms",
        f"boxes {result.proof.found.n_boxes:6d}",
        f"states {len(result)}",
        "proved" if result.proved else "NOT PROVED",
        f"{'verified' if checked else 'NOT VERIFIED'} in {checked.seconds:.2f} s",
    ]
    return "  ".join(parts) + peers(problem)


def steady_states_box(problem):
    """The declared box of a problem."""
    values = {s: problem.parameters[s.name] for s in problem.system.parameter_symbols}
    return {s.name: tuple(float(b.subs(values)) for b in s.info.bounds) for s in problem.model.states}


def peers(problem):
    """Times of msolve and SymPy on the numerators."""
    put = {p: sp.Rational(str(problem.parameters[p.name])) for p in problem.model.parameters}
    put |= {u: sp.Rational(str(problem.inputs()[u.name])) for u in problem.model.inputs}
    plain = {s: sp.Symbol(s.name) for s in problem.model.states}
    numerators = [
        sp.together(e.xreplace(put)).as_numer_denom()[0].xreplace(plain) for e in problem.model.equations.values()
    ]
    if not all(e.is_polynomial(*plain.values()) for e in numerators):
        return ""
    polynomials = [sp.expand(e * sp.ilcm(*(c.q for c in sp.Poly(e, *plain.values()).coeffs()))) for e in numerators]
    text = ""
    if len(plain) <= 6:
        seconds = timed(lambda: sp.groebner(polynomials, *plain.values(), order="grevlex"), 1)
        text += f"\n    SymPy, Groebner basis only: {seconds * 1e3:.1f} ms"
    program = shutil.which("msolve")
    if program is None:
        return text
    with tempfile.NamedTemporaryFile("w", suffix=".ms") as file:
        file.write(
            ",".join(map(str, plain.values())) + "\n0\n" + ",\n".join(str(p).replace("**", "^") for p in polynomials)
        )
        file.flush()
        began = time.perf_counter()
        subprocess.run([program, "-f", file.name, "-o", "/dev/null"], check=False, timeout=120)
        return text + f"\n    msolve, process included: {(time.perf_counter() - began) * 1e3:.1f} ms (wall)"


def tail(count, draws):
    """A line on random draws."""
    problem, rng = clones(count), np.random.default_rng(1)
    box = np.array(list(steady_states_box(problem).values()), dtype=float)
    searched(problem, box)
    seconds, states, undecided = [], [], 0
    for _ in range(draws):
        used, found = searched(problem.replace(parameters=draw(rng, count)), box)
        seconds.append(used * 1e3)
        states.append(len(found.roots))
        undecided += len(found.undecided)
    return (
        f"{count} clones, {draws} draws: median {np.median(seconds):.2f} ms, 90 % {np.quantile(seconds, 0.9):.2f} ms, "
        f"largest {max(seconds):.1f} ms; {min(states)} to {max(states)} states, {undecided} undecided boxes"
    )


def main():
    """Print the table."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    steady_states(Problem(models.logistic_growth()))  # compiles, or reads what was compiled before
    if shutil.which("msolve") is None:
        print("msolve is not installed: left out")
    loop = Problem(models.paracrine_loop()).at_constant(e=0.6)
    for problem in (kuznetsov(), bykov(), loop, *(clones(k) for k in (2, 3, 4, 5))):
        print(row(problem), flush=True)
    for count in (2, 3, 4, 5):
        print(tail(count, draws), flush=True)


if __name__ == "__main__":
    main()
