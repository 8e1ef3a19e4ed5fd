"""Myeloid-derived suppressor cells: how a tumour multiplies them, and how they disarm T cells."""

from ..kinetics import michaelis_menten
from ..model import Model
from ..symbols import Input, State
from .declare import parameters

__all__ = ["glioma_mdsc", "mdsc_expansion"]


def mdsc_expansion() -> Model:
    """Suppressor cells that a tumour multiplies; a module to put beside any model of a tumour in cells.

    Equation, suppressor cells `M`, tumour cells `tumour`::

        M' = s_M - d_M M + a_M tumour/(q_M + tumour)

    Returns
    -------
    Model
        State `M` (cells), within 0 and (s_M + a_M)/d_M; input `tumour` (cells); parameters `s_M` (influx, cells/day),
        `a_M` (most extra influx, cells/day), `q_M` (tumour of half that, cells), `d_M` (death, 1/day); observable
        `suppressors`; time in days.

    Notes
    -----
    **Main result.** 5e6 suppressor cells without a tumour, 4.85e8 beside a large one; half of the rise needs a tumour
    of 1e10 cells, so that it comes late.

    **Death** of these cells is 0.015 to 0.25 per day in published models, 17-fold: it sets how long suppression
    outlasts the tumour. Other ranges are ours.

    **A module.** Here is only the equation of the suppressor cells of a model of four; it does not act on the tumour.

    References
    ----------
    .. [1] Shariatpanahi et al. (2018), Journal of Theoretical Biology 442, 1-10, doi:10.1016/j.jtbi.2018.01.006;
       values as encoded in BioModels MODEL1909090003.

    Examples
    --------
    >>> from remission.models import compose, kuznetsov
    >>> joint = compose(kuznetsov(), mdsc_expansion()).bind({"tumour": "T"})
    >>> joint.states, joint.inputs
    ((E, T, M), ())
    """
    k = parameters(
        {
            "s_M": (1.25e6, "cells/day", (1e5, 1e7), "influx without a tumour"),
            "a_M": (1.2e8, "cells/day", (1e7, 1e9), "most extra influx beside a tumour"),
            "q_M": (1e10, "cells", (1e9, 1e11), "tumour of half that influx"),
            "d_M": (0.25, "1/day", (0.015, 0.25), "death of suppressor cells"),
        }
    )
    most = (k["s_M"] + k["a_M"]) / k["d_M"]
    M = State(
        "M", k["s_M"] / k["d_M"], "cells", "immune", cells_per_unit=1, about="suppressor cells", bounds=(0, most),
        scale=1e6,
    )  # fmt: skip
    tumour = Input("tumour", unit="cells", about="tumour cells")
    return Model(
        "mdsc_expansion",
        rates={M: k["s_M"] + michaelis_menten(tumour, k["a_M"], k["q_M"]) - k["d_M"] * M},
        observables={"suppressors": M},
        source="Shariatpanahi et al. (2018), Journal of Theoretical Biology 442, 1-10, doi:10.1016/j.jtbi.2018.01.006",
        about="a tumour multiplies myeloid-derived suppressor cells; a module to compose",
    )


def glioma_mdsc() -> Model:
    """A glioma silences T cells twice: through PD-L1, and through the suppressor cells that it calls in.

    Equations, glioma cells `C`, T cells `T`, suppressor cells `M`::

        C' = lambda_C C (1 - C/C_max) - eta T C
        T' = (a_T + s_T T C)/(1 + rho T (T + eps_C C)) - r T M - d_T T
        M' = s_M C + alpha C/(q + C) - d_M M

    Returns
    -------
    Model
        States `C` (within 0 and C_max), `T`, `M` (cells); parameters `lambda_C`, `d_T`, `s_M`, `d_M` (1/day),
        `C_max`, `q` (cells), `eta`, `s_T`, `r` (1/(day cell)), `a_T`, `alpha` (cells/day), `rho` (1/cell^2), `eps_C`,
        `C0`; observable `burden`; time in days.

    Notes
    -----
    **Main result.** T cells come first, within days, and fall as suppressor cells build up; the tumour comes to rest
    near its carrying capacity, at C = 2.804221e6, T = 1.300693e6, M = 5.30183e5. Suppression has two arms, `rho`
    (PD-L1) and `r` (suppressor cells), and what cutting both does is not the sum of what cutting each does.

    **Values** are the authors' (their code), with its start of 35000 glioma cells and neither T nor suppressor
    cells. The ranges are the bounds of their uniform prior, not of their fit (0 for the 50 and 100 of `a_T` and
    `s_T`), save that `rho` starts at 0.001: without that brake stimulation makes T cells without end within minutes.

    **Numbers.** Even with it the first T cells multiply at 1e10 per day. ``method="LSODA"`` cannot start on that at
    many values; the default of `solve` and ``method="Rodas5P"`` do.

    **Cells, not concentrations**, of a mouse: `q` is ten thousand times the carrying capacity, so that the second term
    of M' is practically linear, and `s_M` and `alpha/q` cannot be told apart.

    References
    ----------
    .. [1] Anderson, Takacs, Harris, Kuang, Harrison and Stepien, Global stability and parameter analysis reinforce
       therapeutic targets of PD-L1-PD-1 and MDSCs for glioblastoma, bioRxiv, doi:10.1101/2023.05.15.540846; authors'
       code stepien-lab/glioma-Tcell-MDSC.

    Examples
    --------
    >>> glioma_mdsc().states
    (C, T, M)
    """
    k = _glioma_parameters()
    cells = {"unit": "cells", "cells_per_unit": 1, "scale": 1e6}
    C = State("C", k["C0"], kind="tumour", about="glioma cells", bounds=(0, k["C_max"]), **cells)
    T = State("T", 0.0, kind="immune", about="T cells", **cells)
    M = State("M", 0.0, kind="immune", about="suppressor cells", **cells)
    brake = 1 + k["rho"] * T * (T + k["eps_C"] * C)
    return Model(
        "glioma_mdsc",
        rates={
            C: k["lambda_C"] * C * (1 - C / k["C_max"]) - k["eta"] * T * C,
            T: (k["a_T"] + k["s_T"] * T * C) / brake - k["r"] * T * M - k["d_T"] * T,
            M: k["s_M"] * C + michaelis_menten(C, k["alpha"], k["q"]) - k["d_M"] * M,
        },
        observables={"burden": C},
        source="Anderson et al. (2023), bioRxiv, doi:10.1101/2023.05.15.540846; code stepien-lab/glioma-Tcell-MDSC",
        about="glioma, T cells and suppressor cells: two arms of immune suppression",
    )


def _glioma_parameters():
    return parameters(
        {
            "lambda_C": (0.431, "1/day", (0, 0.5), "growth rate of the glioma"),
            "C_max": (3.04e6, "cells", (1e6, 5e7), "carrying capacity"),
            "eta": (2.57e-8, "1/(day cell)", (0, 1e-6), "kill by T cells"),
            "a_T": (3.26e6, "cells/day", (0, 5e6), "activation of T cells"),
            "s_T": (8.56e6, "1/(day cell)", (0, 1e7), "stimulation of T cells by the glioma"),
            "rho": (0.107, "1/cell^2", (1e-3, 0.5), "inhibition of T cells by PD-L1 and PD-1"),
            "eps_C": (16.2, "1", (1, 100), "PD-L1 on glioma cells relative to T cells"),
            "r": (6.92e-6, "1/(day cell)", (0, 1e-4), "inhibition of T cells by suppressor cells"),
            "d_T": (0.0221, "1/day", (0, 0.75), "death of T cells"),
            "s_M": (0.0372, "1/day", (0, 0.1), "suppressor cells called in by CCL2 and CCL7"),
            "alpha": (3.6e8, "cells/day", (1e7, 5e8), "most expansion of suppressor cells"),
            "q": (3.51e10, "cells", (1e9, 1e11), "glioma of half that expansion"),
            "d_M": (0.251, "1/day", (0, 0.5), "death of suppressor cells"),
            "C0": (35000.0, "cells", (1e3, 1e5), "glioma at the start"),
        }
    )
