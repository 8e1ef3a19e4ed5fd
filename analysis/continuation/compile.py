"""The one way in which the driver is compiled: by numba, once for all models, its machine code kept on disk.

The folder is `__pycache__` beside the files, or numba's own in the home folder where that cannot be written to.
numba renews code on disk when the file of a function changes, not when the file of a function it calls does; here
the code is renewed when any file of this folder changes. Without numba the same functions run as plain Python.
"""

import contextlib
import hashlib
import logging
from pathlib import Path

import numpy as np

__all__ = []  # of use inside the package only

try:
    import numba

    COMPILED = True
except ImportError:
    COMPILED = False

FILES = ("compile", "tape_machine", "elimination", "defining", "machine", "coefficients")
log = logging.getLogger("remission")
QUIET = contextlib.nullcontext()


def compiled(function):
    """The function compiled by numba and kept on disk; without numba the function itself."""
    if not COMPILED:
        return function
    try:
        made = numba.njit(cache=True, error_model="numpy")(function)
    except RuntimeError:  # no folder that can be written to
        return numba.njit(error_model="numpy")(function)
    kept = _kept(made)
    if kept is not None:
        kept._source_stamp = (kept._source_stamp, STAMP)
    return made


def _kept(made):
    """numba's index of one function's machine code on disk; None where a version of numba has none of this name."""
    return getattr(getattr(made, "_cache", None), "_cache_file", None)


def _text():
    texts = [Path(__file__).with_name(f"{name}.py") for name in FILES]
    return hashlib.sha256(b"".join(p.read_bytes() for p in texts if p.exists())).hexdigest()


STAMP = _text()


def quiet():
    """Where the functions run as plain Python their overflows say nothing either."""
    return QUIET if COMPILED else np.errstate(all="ignore")


def tell_if_waiting(made):
    """Say that a compiled function is about to wait for the compiler: not in memory and not on disk.

    Parameters
    ----------
    made : function
    """
    if COMPILED and not getattr(made, "signatures", True):
        kept = _kept(made)
        if kept is not None and not kept._load_index():
            log.warning("compiling the driver of continuation, once: 10 to 30 s; later processes load it from disk")
