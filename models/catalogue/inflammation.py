"""The inflammatory loop through which chemotherapy protects the tumour it kills."""

from ..kinetics import competitive_inhibition, hill, michaelis_menten
from ..model import Model
from ..symbols import Input, Parameter, State

__all__ = ["paracrine_loop"]


def paracrine_loop() -> Model:
    """Killing cells calls in the myeloid cells that protect the rest; a CXCR2 blocker cuts the loop.

    `T` tumour, `F` TNF-alpha, `X` CXCL1/2, `M` myeloid cells, `P` S100A8/9, `theta` protection::

        theta = P^2 / (1 + P^2)
        T' = T (r (1 - T/K) - da (1 - rhoa theta) - kap e (1 - rho theta))
        F' = gF (e - F)
        X' = gX ((T/T_X) (1 + etaF F/(eF + F)) - X)
        M' = dM (m0 + (1 - m0) X/(1 + B + X) - M) - kM e M
        P' = gP (M/mP - P)

    Returns
    -------
    Model
        States `T` (1e6 cells) and `F`, `X`, `M`, `P` (scaled, see below); inputs `e` (chemotherapy effect, 0 to 1) and
        `B` (blocker concentration / its K_B, 0 or more); parameters `r`, `da`, `kap`, `gF`, `gX`, `dM`, `gP`, `kM`
        (1/day), `K`, `T_X`, `T0` (1e6 cells), `rhoa`, `rho`, `etaF`, `eF`, `m0`, `mP`; observables `burden` (T) and
        `protection` (theta); time in days.

    Notes
    -----
    `F` is scaled to its level at full chemotherapy, `X` to half-effect on recruitment, `M` to saturation and `P` to
    half protection. To drive `e` by a concentration bind it: ``model.bind({"e": C / (C50 + C)})``.

    **Bounds.** For `e` within 0 and 1, `B` of 0 or more and a start inside, the states stay in ``T [0, K]``,
    ``F [0, 1]``, ``X [0, (K/T_X)(1 + etaF/(1 + eF))]``, ``M [0, 1]``, ``P [0, 1/mP]``: on each face the flow points
    inward, provided that `rho`, `rhoa` and `m0` are within 0 and 1. They are the box of `steady_states`.

    **No oscillation.** For constant inputs every off-diagonal entry of the Jacobian is 0 or more (a cooperative
    system): almost every solution converges, and there are thresholds rather than cycles.

    **Fixed volume.** `T_X` is the tumour that makes a half-effect level of `X` in a fixed volume (2 mL). If the volume
    grew with the tumour, `X` would not depend on `T` and the threshold would vanish.

    **Extinction.** The equations let a tumour regrow from less than one cell (1e-6 here); conclusions about cure need
    the extinction gate or the residual size next to them.

    **Values** are assumed where tagged; the fold changes of [1]_ were not available, so the thresholds hang on
    `etaF`, `rho`, `kap` and `T_X`. Loss of `X` and its production are those of CCL2 in a published model of
    triple-negative breast cancer; `dM` is 0.015 to 0.25 per day in published models, which changes the memory of the
    loop 17-fold.

    References
    ----------
    .. [1] Acharyya et al. (2012), Cell 150, 165-178.
    .. [2] Shariatpanahi et al. (2018), Journal of Theoretical Biology 442, 1 (loss of myeloid cells).

    Examples
    --------
    >>> model = paracrine_loop()
    >>> model.states, model.inputs
    ((T, F, X, M, P), (B, e))
    """
    k = _parameters()
    T, F, X, M, P = _states(k)
    e = Input("e", unit="1", about="effect of chemotherapy, 0 to 1")
    B = Input("B", unit="1", about="CXCR2 blocker / its K_B")
    theta = hill(P, 2)
    induction = 1 + michaelis_menten(F, k["etaF"], k["eF"])
    recruited = k["m0"] + (1 - k["m0"]) * competitive_inhibition(X, B)
    return Model(
        "paracrine_loop",
        rates={
            T: T
            * (k["r"] * (1 - T / k["K"]) - k["da"] * (1 - k["rhoa"] * theta) - k["kap"] * e * (1 - k["rho"] * theta)),
            F: k["gF"] * (e - F),
            X: k["gX"] * (T / k["T_X"] * induction - X),
            M: k["dM"] * (recruited - M) - k["kM"] * e * M,
            P: k["gP"] * (M / k["mP"] - P),
        },
        observables={"burden": T, "protection": theta},
        source="Acharyya et al. (2012), Cell 150, 165-178, doi:10.1016/j.cell.2012.04.042 (arrows; rates are assumed)",
        about="chemotherapy feeds an inflammatory loop that protects the tumour; blockade of CXCR2 cuts it",
    )


def _states(k):
    most_X = k["K"] / k["T_X"] * (1 + k["etaF"] / (1 + k["eF"]))
    T = State(
        "T",
        k["T0"],
        unit="1e6 cells",
        kind="tumour",
        cells_per_unit=1e6,
        bounds=(0, k["K"]),
        about="tumour cells",
    )
    F = State(
        "F", 0.0, unit="1", kind="signal", scale=1.0, bounds=(0, 1), about="TNF-alpha / level at full chemotherapy"
    )
    X = State(
        "X",
        k["T0"] / k["T_X"],
        unit="1",
        kind="signal",
        scale=1.0,
        bounds=(0, most_X),
        about="CXCL1/2 / level of half recruitment",
    )
    M = State(
        "M", k["m0"], unit="1", kind="immune", scale=1.0, bounds=(0, 1), about="myeloid cells / saturating number"
    )
    P = State(
        "P",
        k["m0"] / k["mP"],
        unit="1",
        kind="signal",
        scale=1.0,
        bounds=(0, 1 / k["mP"]),
        about="S100A8/9 / level of half protection",
    )
    return T, F, X, M, P


def _parameters():
    rates = {
        "r": (0.15, (0.05, 0.3), "log", "growth rate [assumed]"),
        "da": (0.05, (0, 0.1), "linear", "natural death without protection [assumed]"),
        "kap": (0.30, (0.1, 1), "log", "kill at full chemotherapy without protection [assumed]"),
        "gF": (20.0, (10, 60), "log", "loss of TNF-alpha [assumed]"),
        "gX": (1.44, (1, 30), "log", "loss of CXCL1/2 (value of CCL2)"),
        "dM": (0.25, (0.015, 0.7), "log", "loss of myeloid cells"),
        "gP": (1.0, (0.3, 6), "log", "loss of S100A8/9 [assumed]"),
        "kM": (0.0, (0, 0.3), "linear", "kill of myeloid cells at full chemotherapy [assumed]"),
    }
    numbers = {
        "rhoa": (0.5, (0, 0.9), "linear", "part of natural death that protection prevents [assumed]"),
        "rho": (0.8, (0, 0.95), "linear", "part of the kill that protection prevents [assumed]"),
        "etaF": (4.0, (1, 20), "log", "rise of CXCL1/2 by TNF-alpha [assumed]"),
        "eF": (0.5, (0.1, 1), "log", "TNF-alpha of half that rise [assumed]"),
        "m0": (0.02, (0, 0.1), "linear", "myeloid cells without signal / saturation [assumed]"),
        "mP": (0.5, (0.1, 2), "log", "myeloid cells that make P = 1 [assumed]"),
    }
    sizes = {
        "K": (1000.0, (100, 3000), "log", "carrying capacity [assumed]"),
        "T_X": (10.0, (1, 300), "log", "tumour that makes X = 1 in 2 mL [volume assumed]"),
        "T0": (100.0, (1, 1000), "log", "tumour at the start [assumed]"),
    }
    return {
        name: Parameter(name, value, unit=unit, plausible=plausible, scale=scale, about=about)
        for unit, table in (("1/day", rates), ("1", numbers), ("1e6 cells", sizes))
        for name, (value, plausible, scale, about) in table.items()
    }
