"""Floor 1, equations: symbols, models, rate laws, what is derived from them, and the catalogue.

The names stand in `shelf.py` and are fetched together when the first of them is used: what needs no equations (the
errors, a saved problem) then runs without sympy, whose import alone takes longer than many a solve.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .shelf import *  # noqa: F403


def __getattr__(name):
    if name.startswith("__") and name != "__all__":  # protocols probe for dunder names
        raise AttributeError(name)
    shelf = vars(importlib.import_module(".shelf", __name__))
    names = shelf.get("__all__", ())  # none yet while the shelf itself is being filled
    globals().update({n: shelf[n] for n in names}, **({"__all__": names} if names else {}))
    if name not in globals():
        raise AttributeError(f"remission.models has no attribute {name!r}")
    return globals()[name]


def __dir__():
    return sorted({*globals(), *__getattr__("__all__")})
