"""The compiled kernels beside their peers in one run: time, achieved error, and the ratio of times at equal error.

    python benchmarks/ode.py [members]

Error is the largest |y - reference| over states and output times, each state scaled by its own peak; the reference is
Rodas5P at 1e-12, so errors near 1e-10 mean nothing. Ratios read our time off our own work-precision line at
the peer's error. Times are CPU time of the fastest of some repeats, of the call of the kernel and, for `sample`, of
the whole Python call. Peers that are not installed are named and left out.
"""

import importlib.util
import itertools
import re
import sys
import time

import numpy as np

from remission.models import Model, Parameter, State
from remission.models.expressions import model_kernel
from remission.solvers import Problem, Treatment, kernels, sample

TIMES, PULSES = np.linspace(0.0, 365.0, 200), 14.0 + 21.0 * np.arange(6)
RTOLS = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
VALUES = {
    "rS": 0.15, "rR": 0.12, "rA": 0.05, "K": 1.0, "uR": 1e-5, "uA": 5e-3, "vR": 0.002, "kS": 60.0, "kR": 6.0, "kA": 3.0,
    "dA": 0.02, "kC": 30.0, "beta": 2.0, "KT": 0.3, "gC": 30.0, "m0": 0.1, "kM": 4.0, "KC": 0.3, "gM": 2.0, "kT": 20.0,
    "gT": 20.0, "kD": 10.0, "eps": 0.9, "KM": 1.0, "B": 0.2,
}  # fmt: skip


def relapse():
    """Sensitive, resistant and adapted cells, two signals, myeloid cells, a drug: 7 states, 25 parameters, stiff."""
    p = type("Parameters", (), {name: Parameter(name, value) for name, value in VALUES.items()})
    S, R, A = (State(n, v, kind="tumour") for n, v in (("S", 0.2), ("R", 1e-6), ("A", 1e-4)))
    C, M, T, D = (State(n, v, kind="signal", scale=1.0) for n, v in (("C", 0.2), ("M", 0.5), ("T", 0.0), ("D", 0.0)))
    N = S + R + A
    room, dose = 1 - N / p.K, D * (1 - p.eps * M / (p.KM + M))
    rates = {
        S: p.rS * S * room - p.uR * S - p.uA * S - p.kS * dose * S,
        R: p.rR * R * room + p.uR * S + p.vR * A - p.kR * dose * R,
        A: p.rA * A * room + p.uA * S - p.vR * A - (p.kA * dose + p.dA) * A,
        C: p.kC * N * (1 + p.beta * T / (p.KT + T)) - p.gC * C,
        M: p.m0 + p.kM * C * (1 - p.B) / (p.KC + C) - p.gM * M,
        T: p.kT * D - p.gT * T,
        D: -p.kD * D,
    }
    return Model("relapse", rates=rates, observables={"N": N})


def stiff_set():
    """ROBER to 1e5, OREGO to 360, HIRES to 321.8: model, end, absolute tolerance as a part of rtol."""
    a, b, c = (State(n, v, kind="other", scale=1) for n, v in (("a", 1.0), ("b", 0.0), ("c", 0.0)))
    slow, fast = 0.04 * a - 1e4 * b * c, 3e7 * b**2
    yield Model("ROBER", rates={a: -slow, b: slow - fast, c: fast}), 1e5, 1e-6
    a, b, c = (State(n, v, kind="other", scale=1) for n, v in (("a", 1.0), ("b", 2.0), ("c", 3.0)))
    rates = {a: 77.27 * (b + a * (1 - 8.375e-6 * a - b)), b: (c - (1 + a) * b) / 77.27, c: 0.161 * (a - c)}
    yield Model("OREGO", rates=rates), 360.0, 1e-2
    y1, y2, y3, y4, y5, y6, y7, y8 = (
        State(f"y{i}", v, kind="other", scale=1) for i, v in enumerate([1.0, 0, 0, 0, 0, 0, 0, 0.0057], 1)
    )
    bound = 280 * y6 * y8
    rates = {
        y1: -1.71 * y1 + 0.43 * y2 + 8.32 * y3 + 0.0007, y2: 1.71 * y1 - 8.75 * y2,
        y3: -10.03 * y3 + 0.43 * y4 + 0.035 * y5, y4: 8.32 * y2 + 1.71 * y3 - 1.12 * y4,
        y5: -1.745 * y5 + 0.43 * y6 + 0.43 * y7, y6: -bound + 0.69 * y4 + 1.71 * y5 - 0.43 * y6 + 0.69 * y7,
        y7: bound - 1.81 * y7, y8: -bound + 1.81 * y7,
    }  # fmt: skip
    yield Model("HIRES", rates=rates), 321.8122, 1e-3


def fastest(call, seconds=0.4):
    """CPU time of the fastest of some calls, and what the last one returned."""
    best, spent = np.inf, 0.0
    while spent < seconds:
        begin = time.process_time()
        result = call()
        took = time.process_time() - begin
        best, spent = min(best, took), spent + max(took, 1e-6)
    return best, result


def error(values, reference):
    return float((np.abs(values - reference).max(axis=0) / np.abs(reference).max(axis=0)).max())


def at_error(points, wanted):
    """Our time at an error, linear in logarithms; the end of the line beyond it."""
    times, errors = np.log([t for t, _ in points]), np.log([e for _, e in points])
    order = np.argsort(errors)
    return float(np.exp(np.interp(np.log(wanted), errors[order], times[order])))


def kernel_call(problem, names, columns=()):
    """The bare call of the kernel for one problem, its arrays made once."""
    from remission.solvers.kernels import members, single

    seen = []
    run, members.run_job = members.run_job, lambda job, threads=1: seen.append(job) or run(job, threads)
    try:
        single.compiled_sample(problem, problem_times(problem), names, columns)
    finally:
        members.run_job = run
    call = members._Call(seen[0])

    def go():
        call.run(0, 1, members.MEMBER_STEPS)
        return call.values[0]

    return go


def problem_times(problem):
    return TIMES if problem.model.name == "relapse" else np.array([problem.t_span[1]])


# --- peers: (problem) -> function that solves it once and returns (n_times, n) ---------------------------------------


def plain_source(model):
    """f(t, y, p) of a model as Python source that takes arrays, for numba: unpacking is written out."""
    text = model_kernel(model).source.split("\n\n")[0].replace("(t, y, p, u)", "(t, y, p)")

    def unpack(found):
        names = [n.strip() for n in found.group(1).split(",") if n.strip()]
        return "\n".join(f"    {name} = {found.group(2)}[{i}]" for i, name in enumerate(names))

    return re.sub(r"^    \(([^()]*)\) = ([yp])$", unpack, text, flags=re.MULTILINE)


def pieces(problem):
    """Stretches between pulses: (start, end, output times in it, its last one being the end)."""
    edges = [0.0, *(PULSES if problem.model.name == "relapse" else []), problem.t_span[1]]
    for start, end in itertools.pairwise(edges):
        inside = problem_times(problem)
        yield start, end, np.unique(np.append(inside[(inside > start) & (inside <= end)], end))


def stitched(problem, advance):
    """A trajectory with pulses, from `advance(y, start, grid) -> states at grid`."""
    y = problem.system.y0(problem.p)
    rows = [y] if problem_times(problem)[0] == 0 else []
    for start, _, grid in pieces(problem):
        if start > 0:
            y = y.copy()
            y[-1] += 1.0
        found = advance(y, start, grid)
        y, wanted = found[-1], np.isin(grid, problem_times(problem))
        rows.extend(found[wanted])
    return np.array(rows)


def scipy_lsoda(problem):
    from scipy.integrate import odeint

    system, p = problem.system, problem.p
    rtol, atol = problem.tolerances()

    def advance(y, start, grid):
        f, jac = system.functions["f"], system.jac
        return odeint(
            lambda t, y: f(t, y.tolist(), p, ()), y, np.concatenate([[start], grid]), tfirst=True, rtol=rtol, atol=atol,
            Dfun=lambda t, y: jac(t, y, p, ()), mxstep=50_000,
        )[1:]  # fmt: skip

    return lambda: stitched(problem, advance)


def numbalsoda_lsoda(problem):
    import numba
    from numbalsoda import lsoda, lsoda_sig

    space = {}
    exec(plain_source(problem.model), space)
    f, n = numba.njit(space["f"]), problem.system.n

    def rhs(t, y, dy, p):
        new = f(t, y, p)
        for i in range(n):
            dy[i] = new[i]

    address, p = numba.cfunc(lsoda_sig)(rhs), np.array(problem.p + [0.0])
    rtol, atol = problem.tolerances()

    def advance(y, start, grid):
        return lsoda(address.address, y, np.concatenate([[start], grid]), data=p, rtol=rtol, atol=float(atol.min()))[0][
            1:
        ]

    advance.keep = address
    return lambda: stitched(problem, advance)


def casadi_cvodes(problem):
    import casadi as ca

    space = {}
    exec(plain_source(problem.model), space)
    y, t = ca.SX.sym("y", problem.system.n), ca.SX.sym("t")
    rate = ca.vertcat(*space["f"](t, y, problem.p))
    rtol, atol = problem.tolerances()
    options = {"abstol": float(atol.min()), "reltol": rtol, "max_num_steps": 100_000}
    solvers = {
        (start, end): ca.integrator("F", "cvodes", {"x": y, "t": t, "ode": rate}, start, grid.tolist(), options)
        for start, end, grid in pieces(problem)
    }

    def advance(y, start, grid):
        return np.array(solvers[start, grid[-1]](x0=y)["xf"]).T

    return lambda: stitched(problem, advance)


PEERS = {"scipy": scipy_lsoda, "numbalsoda": numbalsoda_lsoda, "casadi": casadi_cvodes}
NOT_HERE = "pydiffsol, AMICI, COPASI and diffrax are not driven by this script"


def compare(problem, part, rtols=RTOLS):
    """Work-precision line of ours and of every peer that is installed; `part` is atol / rtol."""
    names = problem.system.states
    reference = kernel_call(problem.replace(rtol=1e-12, atol=1e-12 * part), names)().copy()
    line = []
    print(f"\n{problem.model.name}: one solve, all states at {len(problem_times(problem))} times")
    for rtol in rtols:
        took, values = fastest(kernel_call(problem.replace(rtol=rtol, atol=rtol * part), names))
        line.append((took, error(values, reference)))
        print(f"  {'Rodas5P':<11}{rtol:7.0e}  {took * 1e6:10.1f} us   error {line[-1][1]:.1e}")
    for name, make in PEERS.items():
        if importlib.util.find_spec(name) is None:
            print(f"  {name} is not installed")
            continue
        took, values = fastest(make(problem.replace(rtol=1e-6, atol=1e-6 * part)))
        found = error(values, reference)
        ratio = took / at_error(line, found)
        print(f"  {name:<11}{1e-6:7.0e}  {took * 1e6:10.1f} us   error {found:.1e}   {ratio:8.1f} x ours at that error")


def ensembles(problem, members):
    table = np.array(list(VALUES.values())) * np.exp(0.2 * np.random.default_rng(0).standard_normal((members, 25)))
    table[:, 22], table[:, 24] = np.minimum(table[:, 22], 0.99), np.minimum(table[:, 24], 0.9)
    print(f"\nensemble of {members}, sigma 0.2, burden at 200 times, microseconds a member")
    for rtol in RTOLS[:3]:
        chosen = problem.replace(rtol=rtol, atol=rtol / 100)
        reference = kernels.ensemble(
            problem.replace(rtol=1e-11, atol=1e-13), VALUES, table[:20], TIMES, ["N"], 1
        ).values
        kernels.ensemble(chosen, VALUES, table[:20], TIMES, ["N"], 1)
        for threads in (1, 2):
            clock = time.process_time if threads == 1 else time.perf_counter
            took = np.inf
            for _ in range(3):
                begin = clock()
                found = kernels.ensemble(chosen, VALUES, table, TIMES, ["N"], threads)
                took = min(took, clock() - begin)
            worst = max(error(a, b) for a, b in zip(found.values[:20], reference, strict=True))
            how = ("thread, CPU", "threads, wall")[threads - 1]
            print(
                f"  rtol {rtol:.0e}, {threads} {how}: {took / members * 1e6:6.1f}   worst of 20 {worst:.1e}   "
                f"failed {len(found.failed)}   ({found.method})"
            )


def gradients(problem):
    columns = tuple(range(25))
    p = np.array(problem.p)

    def slopes(tighter):
        found = sample(tighter, TIMES, ["N"], tighter.system.parameters)
        return found.gradients[:, 0] * p / found.values

    reference = slopes(problem.replace(rtol=1e-11, atol=1e-13))
    print("\nburden at 200 times with 25 gradients")
    for rtol in RTOLS[:4]:
        chosen = problem.replace(rtol=rtol, atol=rtol / 100)
        bare, _ = fastest(kernel_call(chosen, ["N"], columns))
        whole, found = fastest(lambda chosen=chosen: slopes(chosen))
        plain, _ = fastest(kernel_call(chosen, ["N"]))
        worst = np.abs(found - reference).max() / np.abs(reference).max()
        print(
            f"  rtol {rtol:.0e}: kernel {bare * 1e6:7.1f} us = {bare / plain:.1f} solves, sample {whole * 1e6:7.1f} us "
            f"  error of d log N / d log p {worst:.1e}"
        )


def main():
    members = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    treatment = Treatment.none()
    for day in PULSES:
        treatment = treatment + Treatment.bolus({"D": 1.0}, at=day)
    problem = Problem(relapse(), t_span=(0, 365), treatment=treatment, rtol=1e-6, atol=1e-8)
    if not kernels.available():
        print("llvmlite is not installed: nothing to compare")
        return
    begin = time.perf_counter()
    sample(problem, TIMES, ["N"])
    print(f"first call, compiled or from the cache: {time.perf_counter() - begin:.2f} s")
    whole, _ = fastest(lambda: sample(problem, TIMES, ["N"]))
    print(f"sample(), the whole Python call: {whole * 1e6:.0f} us")
    compare(problem, 1e-2)
    ensembles(problem, members)
    gradients(problem)
    for model, end, part in stiff_set():
        compare(Problem(model, t_span=(0, end)), part)
    print(f"\n{NOT_HERE}")


if __name__ == "__main__":
    main()
