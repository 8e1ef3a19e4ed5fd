"""How the schemes on a rectangle are compiled: by numba, once for all models, kept on disk."""

import hashlib
from pathlib import Path

__all__ = ["COMPILED", "compiled"]

try:
    import numba

    COMPILED = True
except ImportError:
    COMPILED = False

# numba itself does not look at the files of functions that are called: what is kept counts for these texts only
STAMP = hashlib.sha256(b"".join(p.read_bytes() for p in sorted(Path(__file__).parent.glob("*.py")))).hexdigest()


def compiled(function):
    """The function compiled by numba and kept on disk; without numba the function itself."""
    if not COMPILED:
        return function
    options = {"error_model": "numpy", "fastmath": {"contract", "nsz", "arcp"}}
    try:
        made = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no folder that can be written to
        return numba.njit(**options)(function)
    kept = getattr(getattr(made, "_cache", None), "_cache_file", None)
    if kept is not None:
        kept._source_stamp = (kept._source_stamp, STAMP)
    return made
