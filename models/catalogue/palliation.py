"""Chemotherapy of a tumour that will not be cured: how much buys the most time."""

import sympy as sp

from ..model import Model
from ..symbols import Input, State
from .declare import parameters

__all__ = ["monro_gaffney"]


def monro_gaffney() -> Model:
    """Sensitive and resistant cells of an advanced tumour; a moderate dose lives longest.

    Equations, sensitive `S` and resistant `R` cells, dose `C0`, ``N = S + R``::

        G  = -b ln(N/Ninf)
        S' = G ((1 - C0 - t1) S + t2 R)
        R' = G (R + t1 S - t2 R)

    Returns
    -------
    Model
        States `S`, `R` (cells); input `C0` (kill per growth; 1 holds sensitive cells still); parameters `b` (1/day),
        `Ninf` (cells), `t1`, `t2` (mutation and back, per unit of growth), `N_crit` (lethal burden, cells), `S0`, `R0`;
        observables `burden`, `lethal_fraction` (N/N_crit, 1 at death), `resistant_fraction`; time in days.

    Notes
    -----
    **Main result.** Days until the lethal 5e11 cells: 226.17 untreated, 452.17 at C0 = 0.5, 631.63 at 0.9, then less
    again: 581.58 at 1, 527.62 at 1.2, 464.58 at 2, 444.05 at 3. Sensitive cells hold the resistant ones back, because
    all growth slows with the burden; what kills them all gives the tumour to the resistant ones sooner.

    **Traps.** The drug kills in proportion to growth, `G`: above `Ninf` it would feed the tumour, and at N = 0 the
    logarithm does not exist. Sensitive cells fall far below one cell at high doses and come back only by mutation.
    Ranges are ours.

    References
    ----------
    .. [1] Monro and Gaffney (2009), Journal of Theoretical Biology 257, 292-302, PMID 19135065; values and start as
       encoded in BioModels BIOMD0000000776.

    Examples
    --------
    >>> monro_gaffney().states, list(monro_gaffney().observables)
    ((S, R), ['burden', 'lethal_fraction', 'resistant_fraction'])
    """
    k = parameters(
        {
            "b": (0.005928, "1/day", (0.002, 0.02), "rate of braking of growth"),
            "Ninf": (2e12, "cells", (1e12, 1e13), "burden at which growth stops"),
            "t1": (1e-6, "1", (1e-8, 1e-4), "mutation to resistance per unit of growth"),
            "t2": (1e-6, "1", (1e-8, 1e-4), "mutation back per unit of growth"),
            "N_crit": (5e11, "cells", (1e11, 9e11), "lethal burden"),
            "S0": (1e10, "cells", (1e9, 1e11), "sensitive cells at the start"),
            "R0": (2e5, "cells", (1, 1e8), "resistant cells at the start"),
        }
    )
    S = State("S", k["S0"], "cells", "tumour", cells_per_unit=1, about="sensitive cells", scale=1e10)
    R = State("R", k["R0"], "cells", "tumour", cells_per_unit=1, about="resistant cells", scale=1e6)
    C0 = Input("C0", unit="1", about="dose: kill per growth of sensitive cells")
    N = S + R
    G = -k["b"] * sp.log(N / k["Ninf"])
    return Model(
        "monro_gaffney",
        rates={
            S: G * ((1 - C0 - k["t1"]) * S + k["t2"] * R),
            R: G * (R + k["t1"] * S - k["t2"] * R),
        },
        observables={"burden": N, "lethal_fraction": N / k["N_crit"], "resistant_fraction": R / N},
        source="Monro & Gaffney (2009), Journal of Theoretical Biology 257, 292-302, PMID 19135065",
        about="palliative chemotherapy: a moderate dose lives longest",
    )
