"""Chronic myeloid leukaemia under a tyrosine kinase inhibitor and after it, with an immune window."""

from ..model import Model
from ..symbols import Input, Parameter, State

__all__ = ["cml_immune_window"]


def cml_immune_window() -> Model:
    """Leukaemia that sleeps and wakes, a drug on the waking cells, and immune cells that act in a window.

    Equations::

        X' = -pxy X + pyx Y                                                    quiescent
        Y' =  pxy X - pyx Y + py Y (1 - Y/Ky) - m Y Z - eTKI u Y                dividing
        Z' =  rz - az Z + pz Y Z/(Kz^2 + Y^2)                                  immune cells

    Returns
    -------
    Model
        States `X`, `Y`, `Z` in cells of the model's scale; input `u` (share of the full dose, 1 on and 0 off);
        parameters `pxy`, `pyx`, `py`, `eTKI`, `az` (1/month), `Ky`, `Kz` (cells), `m` (1/(cell month)), `rz`
        (cell/month), `pz` (cell/month), `X0`, `Y0`, `Z0` (cells); observables `burden` (X + Y) and `ratio`
        (BCR-ABL1/ABL1 in per cent); time in months.

    Notes
    -----
    **Main result.** Immune cells multiply most at Y = Kz, and less with more and with fewer leukaemic cells. Patients
    fall into three classes: no immune control (the drug has to remove every cell), strong control (remission
    without drug whatever the residue), and a window (control only if the residue at the stop is neither too large nor
    too small). The published sets of fifteen patients, run to their stop and five years on, behave like their class:
    all four without control relapse to a ratio above 98, all six with strong control stay below 0.005, and of the
    five with a window one stays (patient 8). The defaults are patient 1, who missed a window: stopping in month 12 or
    24 would have kept the remission, month 6 is too early and month 85.9, the real one, too late.

    **Rest points without the drug** are none, remission, a threshold and disease where there is control. They have
    X = Y pyx/pxy, and Y from `py (1 - Y/Ky) = m Z(Y)`, `Z(Y) = rz/(az - pz Y/(Kz^2 + Y^2))`: without leukaemia
    Z = rz/az = 100.

    **Ratio.** `100 Y/(Y + 2 (Ky - Y))`: a healthy cell has two ABL1 copies where a leukaemic one has one. The package
    that the equations were read from plots `100 Y/Ky`, twice as much at low disease. With the published sets the
    error of log10 ratio is 0.50 on the drug and 0.39 after the stop (medians of fifteen patients, values above
    detection; the mean after the stop is 0.61 because some late relapses are missed).

    **Warnings.** Where `pz Y/(Kz^2 + Y^2)` exceeds `az`, which needs pz > 2 az Kz, immune cells multiply without
    limit until they have brought Y down. Y may start above Ky; the ratio needs Y < 2 Ky. Quiescent cells outnumber
    the rest by orders of magnitude in some patients (X0 up to 1e10). Cells are in the model's scale; `cells_per_unit`
    is not declared, so extinction has no meaning here.

    References
    ----------
    .. [1] Hahnel et al. (2020), Cancer Research 80, 2394-2406.

    Examples
    --------
    >>> model = cml_immune_window()
    >>> model.states, model.inputs, model.time_unit
    ((X, Y, Z), (u,), 'month')
    """
    p = {name: Parameter(name, *row[:1], unit=row[1], plausible=row[2], about=row[3]) for name, row in VALUES.items()}
    X = State("X", p["X0"], unit="cells", kind="tumour", scale=1.0, about="quiescent leukaemic cells")
    Y = State("Y", p["Y0"], unit="cells", kind="tumour", scale=1.0, about="dividing leukaemic cells")
    Z = State("Z", p["Z0"], unit="cells", kind="immune", scale=1.0, about="immune cells against leukaemia")
    u = Input("u", unit="1", about="share of the full dose of the inhibitor, 1 on and 0 off")
    recruited = p["pz"] * Y * Z / (p["Kz"] ** 2 + Y**2)
    return Model(
        "cml_immune_window",
        rates={
            X: 0,
            Y: p["py"] * Y * (1 - Y / p["Ky"]) - p["m"] * Y * Z - p["eTKI"] * u * Y,
            Z: p["rz"] - p["az"] * Z + recruited,
        },
        transfers={(X, Y): p["pxy"] * X, (Y, X): p["pyx"] * Y},
        observables={"burden": X + Y, "ratio": 100 * Y / (Y + 2 * (p["Ky"] - Y))},
        time_unit="month",
        source="Hahnel et al. (2020), Cancer Research 80, 2394-2406, doi:10.1158/0008-5472.CAN-19-2175",
        about="leukaemia under an inhibitor and after stopping it, with an immune window",
    )


VALUES = {
    "pxy": (0.0483, "1/month", (1e-6, 0.2), "waking of quiescent cells"),
    "pyx": (0.0126, "1/month", (1e-5, 1), "falling asleep of dividing cells"),
    "py": (1.658, "1/month", (0.5, 3), "growth of dividing cells; one value for all patients"),
    "Ky": (1e6, "cells", (1e5, 1e7), "carrying capacity of dividing cells; one value for all patients"),
    "eTKI": (13.9, "1/month", (1.5, 20), "death of dividing cells by the full dose"),
    "m": (1e-4, "1/(cell month)", (1e-5, 1e-3), "death by one immune cell; one value for all patients"),
    "rz": (200.0, "cell/month", (20, 2000), "supply of immune cells; one value for all patients"),
    "az": (2.0, "1/month", (0.2, 20), "death of immune cells; one value for all patients"),
    "pz": (2210.0, "cell/month", (1e-7, 1e5), "recruitment of immune cells"),
    "Kz": (362.0, "cells", (1, 1e4), "leukaemic cells at which recruitment is strongest"),
    "X0": (194000.0, "cells", (500, 1e10), "quiescent cells at the start"),
    "Y0": (742834.0, "cells", (1e3, 2e6), "dividing cells at the start"),
    "Z0": (100.0, "cells", (50, 200), "immune cells at the start"),
}
