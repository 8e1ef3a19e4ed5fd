"""pydiffsol: diffsol's BDF, compiled by LLVM; pulses are its own stop and reset events, so one call solves all.

Dense matrices up to 100 states and sparse ones above, whichever was the faster (50 classes: 8 ms dense, 30 sparse; 200
classes do not get through the dense path in minutes). Sensitivities are forward, of the burden alone.
"""

import functools

import numpy as np

from .. import sources

NAME, NEEDS = "pydiffsol", ("pydiffsol",)
DENSE = 100


@functools.cache
def _ode(case, burden=False):
    """Compiled once a case; tolerances are set before each call."""
    import pydiffsol as ds

    kind = {"matrix_type": ds.nalgebra_dense}
    if case.n > DENSE:
        kind = {"matrix_type": ds.faer_sparse, "linear_solver": ds.lu}
    text = sources.diffsl(case) + ("out_i { y0 + y1 + y2 }\n" if burden else "")
    return ds.Ode(text, ode_solver=ds.bdf, **kind)


def _set(ode, case, rtol):
    ode.rtol = ode.sens_rtol = rtol
    ode.atol = ode.sens_atol = rtol * case.part


def one(case, rtol):
    ode, p, times = _ode(case), case.p, case.times

    def go():
        _set(ode, case, rtol)
        return np.asarray(ode.solve_dense(p, times).ys).T

    return go


def many(case, rtol, table):
    ode, times = _ode(case, True), case.times

    def go():
        _set(ode, case, rtol)
        return np.array([np.asarray(ode.solve_dense(p, times).ys)[0] for p in table])

    return go


def gradients(case, rtol):
    ode, p, times = _ode(case, True), case.p, case.times

    def go():
        _set(ode, case, rtol)
        found = ode.solve_fwd_sens(p, times)
        return np.asarray(found.ys)[0], np.array([np.asarray(s)[0] for s in found.sens]).T

    return go
