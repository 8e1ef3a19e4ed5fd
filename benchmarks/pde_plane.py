"""Time and error on a rectangle: tumour, signal and myeloid cells (stiff, taxis), and Fisher's equation.

    python benchmarks/pde_plane.py [--cells 256] [--quick]    (two tolerances, under 2 minutes)

Errors are the largest over all fields and cells against a reference in time on the same grid: exponential time
differencing of order 4 (Kassam and Trefethen 2005) in cosine modes, which shares the rates with the package and nothing
of its time stepping. Rivals that are not installed are said to be absent. Times are of the processor, one core, without
compilation.
"""

import argparse
import importlib.util
import time

import numpy as np
import scipy.fft as fft

from remission.models import Model, Parameter, State, grad, x, y
from remission.solvers import Grid, Problem, solve
from remission.solvers.space.discretise import discretise
from remission.solvers.space.plane.plan import make_plan
from remission.solvers.space.plane.step import Stepper

TOLERANCES = (1e-2, 1e-3, 1e-4, 1e-5)
QUICK = (1e-3, 1e-5)
RIVAL_TOLERANCES = (1e-3, 1e-5, 1e-6, 1e-7)
TARGETS = (4e-4, 1e-5)
REFERENCE_STEPS = {"fisher": 400, "signal": 1600}


def fisher(cells):
    """Growth and migration on [0, 100]^2, Gaussian start, 15 days."""
    import sympy as sp

    c, D, r = State("c", 0.0, unit="1", scale=1.0), Parameter("D", 1.0), Parameter("r", 1.0)
    model = Model("fisher", rates={c: r * c * (1 - c)}, fluxes={c: -D * grad(c)})
    start = 0.9 * sp.exp(-((x - 48) ** 2 + (y - 50) ** 2) / 16)
    return Problem(model, t_span=(0, 15), grid=Grid((cells, cells), (100.0, 100.0), "rectangle"), initial={"c": start})


def signal(cells):
    """Tumour n, signal c with rates of 100/day, myeloid cells m that climb the signal; [0, 4]^2, 10 days."""
    n, c, m = (State(name, 0.0, unit="1", scale=1.0) for name in "ncm")
    values = {"Dn": 1e-3, "Dc": 1.0, "Dm": 1e-2, "r": 1.0, "k": 0.8, "d": 0.5, "eps": 0.7, "s": 100.0, "g": 100.0}
    values |= {"chi": 0.05, "q": 1.0, "b": 0.5}
    Dn, Dc, Dm, r, k, d, eps, s, g, chi, q, b = (Parameter(name, value) for name, value in values.items())
    model = Model(
        "signal",
        rates={n: r * n * (1 - n) - k * d * n * (1 - eps * m / (1 + m)), c: s * n - g * c, m: q * c / (1 + c) - b * m},
        fluxes={n: -Dn * grad(n), c: -Dc * grad(c), m: -Dm * grad(m) + chi * m * grad(c)},
    )
    grid = Grid((cells, cells), (4.0, 4.0), "rectangle")
    Y, X = np.meshgrid(grid.y, grid.x, indexing="ij")
    tumour = 0.8 * np.exp(-(((Y - 1.8) / 0.6) ** 2) - ((X - 2.2) / 0.5) ** 2)
    modes = eigenvalues(grid)
    level = fft.idctn(fft.dctn(100.0 * tumour, norm="ortho") / (100.0 - modes), norm="ortho")
    myeloid = 0.05 + 0.1 * np.exp(-((X - 2) ** 2 + (Y - 2) ** 2) / 9)
    return Problem(model, t_span=(0, 10), grid=grid, initial={"n": tumour, "c": level, "m": myeloid})


PROBLEMS = {"fisher": fisher, "signal": signal}
LINEAR = {"fisher": [(1.0, 0.0)], "signal": [(1e-3, 0.0), (1.0, 100.0), (1e-2, 0.0)]}  # diffusion and decay, by state


def eigenvalues(grid):
    """Of the five-point difference with closed walls, (ny, nx)."""
    along = [-(2 - 2 * np.cos(np.pi * np.arange(n) / n)) / (L / n) ** 2
             for n, L in zip(grid.shape, grid.length, strict=True)]  # fmt: skip
    return along[0][:, None] + along[1][None, :]


def compiled_rates(problem):
    """(fields (n, ny, nx) -> rates), and the fields at the start."""
    from remission.solvers.space.start import initial_fields

    spatial = discretise(problem)
    stepper = Stepper(make_plan(spatial), [], np.zeros(spatial.n))
    out = np.empty((spatial.n, spatial.size))

    def rates(fields):
        stepper.rates(0.0, fields.reshape(spatial.n, -1), out)
        return out.reshape(spatial.n, *problem.grid.shape)

    return rates, initial_fields(problem).reshape(spatial.n, *problem.grid.shape)


def reference(name, problem, steps):
    """Fields at the end by ETDRK4."""
    rates, start = compiled_rates(problem)
    modes, h = eigenvalues(problem.grid), problem.t_span[1] / steps
    linear = np.array([D * modes - decay for D, decay in LINEAR[name]])
    circle = np.exp(1j * np.pi * (np.arange(1, 17) - 0.5) / 16)
    Q, f1, f2, f3 = np.zeros((4, *linear.shape))
    for point in circle:
        z = h * linear + point
        e = np.exp(z)
        Q += ((np.exp(z / 2) - 1) / z).real / 16 * h
        f1 += ((-4 - z + e * (4 - 3 * z + z * z)) / z**3).real / 16 * h
        f2 += ((2 + z + e * (z - 2)) / z**3).real / 16 * h
        f3 += ((-4 - 3 * z - z * z + e * (4 - z)) / z**3).real / 16 * h
    whole, half = np.exp(h * linear), np.exp(h * linear / 2)

    def forward(v):
        return fft.dctn(v, axes=(1, 2), norm="ortho")

    def rest(v):
        return forward(rates(fft.idctn(v, axes=(1, 2), norm="ortho"))) - linear * v

    v = forward(start)
    for _ in range(steps):
        n0 = rest(v)
        a = half * v + Q * n0
        na = rest(a)
        b = half * v + Q * na
        nb = rest(b)
        c = half * a + Q * (2 * nb - n0)
        v = whole * v + n0 * f1 + 2 * (na + nb) * f2 + rest(c) * f3
    return fft.idctn(v, axes=(1, 2), norm="ortho")


def ours(problem, tolerance):
    """(fields at the end, steps) of `solve`."""
    solution = solve(problem, t_eval=[problem.t_span[1]], rtol=tolerance, atol=0.1 * tolerance).require()
    return np.array([solution[name][-1] for name in problem.system.states]), solution.trace.steps


def cvode(problem, tolerance, preconditioned):
    """(fields at the end, steps) of CVODE with GMRES; the preconditioner is our product of sweeps."""
    from sksundae.cvode import CVODE, CVODEPrecond

    spatial = discretise(problem)
    plan, (rates, start) = make_plan(spatial), compiled_rates(problem)
    stepper, kept = Stepper(plan, [], np.zeros(spatial.n)), {}

    def right(t, v, out):
        out[:] = rates(v.copy()).ravel()

    def setup(t, v, out, jok, jnew, gamma):
        jnew[0] = 0 if jok else 1
        if not jok:
            fields = v.copy().reshape(spatial.n, -1)
            stepper.begin(t, fields, np.abs(fields).max(axis=1) + 1e-12)
            kept.clear()

    def solved(t, v, out, r, z, gamma, delta, lr):
        if kept.get("gamma") != gamma:
            kept.update(gamma=gamma, solvers=[stepper._solver(s, gamma) for s in range(spatial.n)])
        fields = r.copy().reshape(spatial.n, -1)
        for i in stepper.order:
            for j, slope in stepper.before[i]:
                fields[i] += gamma * slope * fields[j]
            kept["solvers"][i](fields[i].reshape(stepper.shape))
        z[:] = fields.ravel()

    more = {"precond": CVODEPrecond(setup, solved)} if preconditioned else {}
    solver = CVODE(
        right, rtol=tolerance, atol=0.1 * tolerance, linsolver="gmres", krylov_dim=10, max_num_steps=100_000, **more
    )
    found = solver.solve(np.array(problem.t_span, dtype=float), start.ravel())
    return found.y[-1].reshape(start.shape), found.nfev


def rows(name, problem, truth, quick):
    """(what, tolerance, error, seconds, count) for each run."""
    runs = [("remission", ours, tolerance) for tolerance in (QUICK if quick else TOLERANCES)]
    if importlib.util.find_spec("sksundae"):
        ladder = QUICK if quick else RIVAL_TOLERANCES
        runs += [("CVODE, GMRES, our sweeps before", lambda p, e: cvode(p, e, True), tolerance) for tolerance in ladder]
        if name == "fisher" or not quick:
            runs += [("CVODE, GMRES", lambda p, e: cvode(p, e, False), tolerance) for tolerance in ladder]
    for what, run, tolerance in runs:
        start = time.process_time()
        try:
            found, count = run(problem, tolerance)
        except Exception as fault:
            yield what, tolerance, np.nan, time.process_time() - start, str(fault)[:60]
            continue
        yield what, tolerance, float(np.abs(found - truth).max()), time.process_time() - start, count


def report(cells, quick):
    for package, called in (("sksundae", "scikit-sundae (CVODE)"), ("pde", "py-pde")):
        if not importlib.util.find_spec(package):
            print(f"{called} is not installed: not measured")
    for name, make in PROBLEMS.items():
        problem = make(cells)
        ours(make(16), 1e-3)  # compiles
        truth = reference(name, problem, REFERENCE_STEPS[name] // (2 if quick else 1))
        print(f"\n{name}, {cells} x {cells} cells, {len(truth)} fields\n")
        print("| method | rtol | largest error | s | steps or evaluations |\n|---|---|---|---|---|")
        times = {}
        for what, tolerance, error, seconds, count in rows(name, problem, truth, quick):
            print(f"| {what} | {tolerance:g} | {error:.1e} | {seconds:.2f} | {count} |", flush=True)
            times.setdefault(what, []).append((error, seconds))
        for target in TARGETS:
            best = {w: min((s for e, s in found if e <= target), default=np.nan) for w, found in times.items()}
            print(f"error below {target:g}: " + ", ".join(f"{w} {s:.2f} s" for w, s in best.items()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--cells", type=int, default=256)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    report(arguments.cells, arguments.quick)
