"""A tumour and the blood vessels that carry it."""

import sympy as sp

from ..kinetics import gompertz
from ..model import Model
from ..symbols import State
from .declare import parameters

__all__ = ["hahnfeldt"]


def hahnfeldt() -> Model:
    """A tumour builds its own carrying capacity, the vessels, and an inhibitor takes them away.

    Equations, tumour volume `V`, volume `K` that the vessels carry, inhibitor `g`::

        V' = -l1 V ln(V/K)
        K' = b V - d K V^(2/3) - l2 K - e K g
        g' = -clr g

    Returns
    -------
    Model
        States `V`, `K` (mm^3) and `g` (mg/kg); parameters `l1` (1/day), `b` (stimulation, 1/day), `d` (inhibition
        through the surface, 1/(day mm^2)), `l2` (loss of vessels, 1/day), `e` (effect of the inhibitor, kg/(mg day)),
        `clr` (its clearance, 1/day), `V0`, `K0` (mm^3); observable `burden`; time in days.

    Notes
    -----
    **Main result.** The tumour limits itself: without drug both volumes come to rest at (b/d)^1.5 = 17346.52 mm^3
    (eigenvalues -0.126585 and -5.915415 per day), the vessels at once and the tumour slowly. A drug that only removes
    vessels lowers that size without killing a tumour cell.

    **Drug.** `e` and `clr` are assumed: the paper fits endostatin, angiostatin and TNP-470, and those values were not
    read. Doses go into `g`.

    **Traps.** At a volume of zero neither ln(V/K) nor the derivative of V^(2/3) exists: no eradication here. `K` is
    fast and `V` slow, so that long runs are stiff. A rounded exponent 0.667, as in a public program, moves the
    resting size. Ranges are ours.

    References
    ----------
    .. [1] Hahnfeldt, Panigrahy, Folkman and Hlatky (1999), Cancer Research 59, 4770-4775; growth values as documented
       in the R package canceR.

    Examples
    --------
    >>> hahnfeldt().states
    (V, K, g)
    """
    k = parameters(
        {
            "l1": (0.192, "1/day", (0.05, 0.5), "growth rate of the tumour"),
            "b": (5.85, "1/day", (2, 10), "stimulation of vessels by the tumour"),
            "d": (0.00873, "1/(day mm^2)", (0.003, 0.02), "inhibition of vessels through the surface"),
            "l2": (0.0, "1/day", (0, 0.2), "natural loss of vessels"),
            "e": (0.5, "kg/(mg day)", (0, 1.5), "loss of vessels to the inhibitor [assumed]"),
            "clr": (1.5, "1/day", (0.3, 12), "clearance of the inhibitor [assumed]"),
            "V0": (180.0, "mm^3", (50, 500), "tumour at the start"),
            "K0": (625.0, "mm^3", (200, 2000), "carried volume at the start"),
        }
    )
    V = State("V", k["V0"], "mm^3", "tumour", about="tumour volume", scale=1e3)
    K = State("K", k["K0"], "mm^3", "other", about="volume that the vessels can carry", scale=1e3)
    g = State("g", 0.0, "mg/kg", "drug", about="inhibitor of angiogenesis", scale=10)
    surface = V ** sp.Rational(2, 3)
    return Model(
        "hahnfeldt",
        rates={
            V: gompertz(V, k["l1"], K),
            K: k["b"] * V - k["d"] * K * surface - k["l2"] * K - k["e"] * K * g,
            g: -k["clr"] * g,
        },
        observables={"burden": V},
        source="Hahnfeldt et al. (1999), Cancer Research 59, 4770-4775",
        about="tumour and vessels under an inhibitor of angiogenesis: growth that limits itself",
    )
