"""Peers, one file each; every file says what it needs and offers what its package can do.

A file has `NEEDS` (modules), `NAME`, and some of

* `one(case, rtol)` -> function that solves the case and returns (n_times, n) states;
* `many(case, rtol, table)` -> function that solves every row and returns (n_rows, n_times) burdens, N;
* `gradients(case, rtol)` -> function that returns N (n_times,) and dN/dp (n_times, n_parameters);
* `refuses(case)` -> why this case is left out, or "".
"""

import importlib
import importlib.metadata
import importlib.util

REQUIRED = ("numbalsoda", "pydiffsol", "casadi", "scipy")
OPTIONAL = ("amici", "copasi", "diffrax")


def found():
    """(peers that can be imported, lines about those that cannot)."""
    here, missing = [], []
    for name in (*REQUIRED, *OPTIONAL):
        try:
            module = importlib.import_module(f"{__name__}.{name}_peer")
            for needed in module.NEEDS:
                if importlib.util.find_spec(needed) is None:
                    raise ModuleNotFoundError(f"{needed} is not installed", name=needed)
                importlib.import_module(needed)
        except ModuleNotFoundError as gone:
            missing.append(f"{name}: {gone.name} is not installed")
        except Exception as broken:  # a package that is there but does not load is named with its own words
            missing.append(f"{name}: installed, but does not load ({str(broken)[:100]})")
        else:
            here.append(module)
    return here, missing


def version(peer) -> str:
    """Name and version for a table's head."""
    distribution = getattr(peer, "DISTRIBUTION", peer.NEEDS[0])
    return f"{peer.NAME} {importlib.metadata.version(distribution)}"


def refusal(peer, case, task="one") -> str:
    """Why a peer does not do a task for a case; empty if it does."""
    if not hasattr(peer, task):
        return f"{peer.NAME} offers none"
    return peer.refuses(case) if hasattr(peer, "refuses") else ""
