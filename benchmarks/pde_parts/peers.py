"""Who solves the cases: each a function (case, rtol) -> fields at the end, (N n,); atol is a tenth of rtol."""

import functools
import time

import numpy as np
from scipy.integrate import solve_ivp

__all__ = ["check", "cost_of_a_step", "found", "reference"]


@functools.cache
def _compiled(loops):
    import numba

    return numba.njit(error_model="numpy", fastmath={"contract", "nsz", "arcp"})(loops)


def _rates(case):
    """f(t, y) of a case."""
    loops, width = _compiled(case.loops), case.problem.grid.length / case.cells

    def f(_, y):
        out = np.empty_like(y)
        loops(y, out, width)
        return out

    return f


def check(case):
    """Stop if the loops of a case are not its problem."""
    from remission.solvers.space.discretise import discretise

    y = case.start + 0.1 * np.random.default_rng(0).random(case.start.size)
    exact = discretise(case.problem).f(0.0, y.reshape(case.cells, case.n).T, []).T.ravel()
    np.testing.assert_allclose(_rates(case)(0.0, y), exact, atol=1e-11 * np.abs(exact).max())


def _solution(case, rtol):
    from remission.solvers import solve

    return solve(case.problem.replace(rtol=rtol, atol=0.1 * rtol), "Rodas5P", t_eval=[case.problem.t_span[1]])


def ours(case, rtol):
    return _solution(case, rtol).require().y[:, -1].T.ravel()


def _scipy(case, rtol, method, **more):
    end = case.problem.t_span[1]
    return solve_ivp(_rates(case), (0, end), case.start, method, [end], rtol=rtol, atol=0.1 * rtol, **more).y[:, -1]


def lsoda(case, rtol):
    band = max(2 * case.n - 1, 1)
    return _scipy(case, rtol, "LSODA", lband=band, uband=band)


def bdf(case, rtol):
    from scipy import sparse

    near = sparse.diags([1.0, 1.0, 1.0], [-1, 0, 1], shape=(case.cells, case.cells))
    return _scipy(case, rtol, "BDF", jac_sparsity=sparse.kron(near, np.ones((case.n, case.n))).tocsc())


def cvode(case, rtol):
    from sksundae.cvode import CVODE

    band, end = max(2 * case.n - 1, 1), case.problem.t_span[1]
    loops, width = _compiled(case.loops), case.problem.grid.length / case.cells

    def rates(t, y, out):
        loops(y, out, width)

    solver = CVODE(
        rates, rtol=rtol, atol=0.1 * rtol, linsolver="band", lband=band, uband=band, max_num_steps=100_000
    )  # fmt: skip
    return solver.solve(np.array([0.0, end]), case.start).y[-1]


def found():
    """Peers that are here, ours first, and a line for each that is not."""
    here, missing = {"remission Rodas5P": ours, "SciPy BDF, sparse": bdf, "LSODA, banded": lsoda}, []
    try:
        import sksundae  # noqa: F401

        here["CVODE, banded"] = cvode
    except ImportError:
        missing.append("CVODE: pip install scikit-sundae")
    return here, missing


def reference(case):
    """Fields at the end by LSODA at 1e-11, and how far ours at 1e-9 are from them."""
    best = lsoda(case, 1e-11)
    return best, np.abs(ours(case, 1e-9) - best).max()


def cost_of_a_step(case):
    """Steps at 1e-5, and CPU nanoseconds a cell and step, least of five turns."""
    least = np.inf
    for _ in range(5):
        begin = time.process_time()
        solution = _solution(case, 1e-5)
        least = min(least, time.process_time() - begin)
    steps = solution.trace.evaluations // 8
    return steps, least / steps / case.cells * 1e9
