"""Whether numba is there, and the one way in which the interval functions are compiled."""

import importlib.util

__all__ = []  # of use inside the package only

MACHINE = importlib.util.find_spec("numba") is not None  # without it the same functions run as Python, slowly


def compiled(function):
    """The function compiled by numba and kept on disk; without numba the function itself.

    Contraction to fused operations and reordering stay off: each operation has to round on its own.
    """
    if not MACHINE:
        return function
    import numba

    return numba.njit(cache=True, error_model="numpy", fastmath=False)(function)
