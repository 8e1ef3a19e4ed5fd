"""Whether numba is there, and the one way in which the interval functions are compiled."""

import importlib.util

__all__ = []  # of use inside the package only

MACHINE = importlib.util.find_spec("numba") is not None  # without it the same functions run as Python, slowly


def compiled(function):
    """The function compiled by numba and kept on disk; without numba the function itself.

    The copy on disk is renewed when the function's own file changes; after a change to a file it calls, remove it.
    Contraction to fused operations and reordering stay off: each operation has to round on its own.
    """
    if not MACHINE:
        return function
    import numba

    options = {"error_model": "numpy", "fastmath": False}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no folder that can be written to
        return numba.njit(**options)(function)
