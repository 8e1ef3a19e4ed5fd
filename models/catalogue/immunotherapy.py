"""Effector cells, tumour and interleukin-2: short cycles, long remissions, and what is given from outside."""

from ..model import Model
from ..symbols import Input, State
from .declare import parameters

__all__ = ["kirschner_panetta"]


def kirschner_panetta() -> Model:
    """A tumour that calls in effector cells through interleukin-2: cycles of relapse and remission.

    Equations, effector cells `E`, tumour cells `T`, interleukin-2 `I`::

        E' = c T - mu2 E + p1 E I/(g1 + I) + s1
        T' = r2 T (1 - b T) - a E T/(g2 + T)
        I' = p2 E T/(g3 + T) - mu3 I + s2

    Returns
    -------
    Model
        States `E` (immune), `T` (tumour, within 0 and 1/b), in cells, and `I` (signal, units of IL-2); inputs `s1`
        (effector cells given, cells/day) and `s2` (IL-2 given, 1/day); parameters `c` (antigenicity, 1/day), `mu2`,
        `p1`, `r2`, `a`, `mu3` (1/day), `g1` (units of IL-2), `g2`, `g3` (cells), `b` (1/cell), `p2` (units of IL-2 per
        day and cell), `T0`; observable `burden`; time in days.

    Notes
    -----
    **Main result.** `c`, how well the tumour is seen, decides: for hardly any `c` only a tumour near the carrying
    capacity is stable; at c = 8.55204e-5 (T = 9.6526e8) that tumour vanishes in a fold; up to c = 0.0324644 the
    inner state is unstable and the tumour cycles; above, in a Hopf bifurcation (T = 19901, period 93.7 days), the
    cycles die out to a small stable tumour. At c = 0.03 the tumour swings between 2190 and 68800 cells every 107
    days, at 0.025 between 19 and 166000 every 151.

    **Values** are as commonly quoted and were not checked against the paper; they agree with the encoding in
    BioModels BIOMD0000000732, whose default `c` = 0.035 and start of one tumour cell are taken over. The fold matches a
    remembered published value of 8.55e-5. That encoding writes the IL-2 term as ``p1 E I/g1``, without the `I` of the
    denominator, which belongs there. Ranges are ours.

    **Numbers.** Towards small `c` the cycles pass so close to zero that absolute errors decide what comes back:
    integrate in logarithms, or with tolerances far below one cell. A trough below one cell means a possible
    extinction, which the equations do not have. The ranges are narrow because the first trough of a run from few
    cells soon lies below 1e-200.

    References
    ----------
    .. [1] Kirschner and Panetta (1998), Journal of Mathematical Biology 37, 235-252, doi:10.1007/s002850050127.

    Examples
    --------
    >>> model = kirschner_panetta()
    >>> model.states, model.inputs
    ((E, T, I), (s1, s2))
    """
    k = _parameters()
    E = State("E", 0.0, "cells", "immune", cells_per_unit=1, about="effector cells", scale=1e4)
    T = State("T", k["T0"], "cells", "tumour", 1, about="tumour cells", bounds=(0, 1 / k["b"]), scale=1e4)
    I = State("I", 0.0, "1", "signal", about="interleukin-2", scale=1)
    s1 = Input("s1", unit="cells/day", about="effector cells given")
    s2 = Input("s2", unit="1/day", about="interleukin-2 given")
    return Model(
        "kirschner_panetta",
        rates={
            E: k["c"] * T - k["mu2"] * E + k["p1"] * E * I / (k["g1"] + I) + s1,
            T: k["r2"] * T * (1 - k["b"] * T) - k["a"] * E * T / (k["g2"] + T),
            I: k["p2"] * E * T / (k["g3"] + T) - k["mu3"] * I + s2,
        },
        observables={"burden": T},
        source="Kirschner & Panetta (1998), Journal of Mathematical Biology 37, 235-252, doi:10.1007/s002850050127",
        about="tumour, effector cells and interleukin-2: fold, Hopf bifurcation and limit cycles",
    )


def _parameters():
    return parameters(
        {
            "c": (0.035, "1/day", (0.025, 0.05), "antigenicity: effectors called in per tumour cell"),
            "mu2": (0.03, "1/day", (0.025, 0.04), "death of effectors"),
            "p1": (0.1245, "1/day", (0.05, 0.2), "most proliferation of effectors by IL-2"),
            "g1": (2e7, "1", (1e7, 5e7), "IL-2 of half that proliferation"),
            "r2": (0.18, "1/day", (0.15, 0.21), "growth rate of the tumour"),
            "b": (1e-9, "1/cell", (5e-10, 2e-9), "1 / carrying capacity"),
            "a": (1.0, "1/day", (0.7, 1.5), "most kill per effector"),
            "g2": (1e5, "cells", (5e4, 2e5), "tumour of half that kill"),
            "mu3": (10.0, "1/day", (5, 20), "loss of IL-2"),
            "p2": (5.0, "1/(day cell)", (2, 10), "most IL-2 made per effector"),
            "g3": (1e3, "cells", (500, 2000), "tumour of half that production"),
            "T0": (1.0, "cells", (1, 1e5), "tumour at the start"),
        }
    )
