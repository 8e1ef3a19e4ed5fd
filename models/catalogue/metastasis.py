"""A primary tumour and a distant site that speak through one inflammatory loop."""

from ..errors import refuse_unknown_keywords
from ..kinetics import hill
from ..model import Model
from ..symbols import State
from .signals import SOURCE, blocker, chemotherapy, induction, signal_parameters, signal_states, site_rates

__all__ = ["metastasis"]


@refuse_unknown_keywords
def metastasis(*, stromal_source=False) -> Model:
    """Cells that leave the primary settle at a distant site which its signals have made ready.

    Site 1 is the primary, site 2 the distant one (lung), each with tumour T, chemokine X, myeloid cells M and S100A8/9
    P; TNF-alpha F is common, because chemotherapy is. For i = 1, 2 and j the other site::

        theta_i = P_i^2 / (1 + P_i^2)
        G_i = r (1 - T_i/K_i) - da (1 - rhoa theta_i) - kap e (1 - rho theta_i)
        T1' = T1 G_1 - s T1
        T2' = T2 G_2 + s T1 (sig0 + (1 - sig0) theta_2)
        F'  = gF (e - F)
        Xi' = gX ((Ti/T_X) (1 + etaF F/(eF + F)) + kc Xj - Xi)
        Mi' = dM (m0 + (1 - m0) Xi/(1 + B + Xi) - Mi) - kM e Mi
        Pi' = gP (Mi/mP - Pi)

    Parameters
    ----------
    stromal_source : bool
        Stroma releases CXCL1/2 too, under TNF-alpha: ``+ x0 F`` within the bracket of Xi' [assumed]. It keeps the
        loop awake at a residue too small to do so itself (see Notes).

    Returns
    -------
    Model
        States `T1`, `T2` (1e6 cells), `F`, `X1`, `M1`, `P1`, `X2`, `M2`, `P2` (scaled as in `paracrine_loop`); inputs
        `e` and `B`; parameters of `paracrine_loop` with `K1`, `K2` (1e6 cells), `s` (1/day), `sig0`, `kc` and `T0`
        (1e6 cells), with the option `x0`; observables `burden` (T1 + T2), `metastatic_fraction`, `protection_1`,
        `protection_2`; time in days.

    Notes
    -----
    **Surgery is an event** of the treatment: ``Treatment.surgery({"T1": 0.999}, at=90)`` keeps a thousandth.

    **Which blockade pays.** Chemotherapy with a CXCR2 blocker *before* surgery leaves 5.5 times fewer metastatic cells
    than chemotherapy alone. *After* surgery the blocker changes nothing here (T2 on day 180: 3.819e-4 with, 3.819e-4
    without), because a residue far below T_X makes no signal; yet a benefit after surgery is what the authors of
    [1]_ expect. It returns if the residue sits in a site rich in signals: with `stromal_source` and x0 = 1 the blocker
    leaves 11 times less (3.94e-4 against 4.20e-3). The model does not decide which holds; it says what to measure.

    **Bounds.** T1 stays within K1, T2 within ``K2 + s K1/r``, the signals within bounds that hold for kc below 1.

    **Small numbers.** T2 is a mean: 1e-6 is one cell, and with a few settled cells chance decides.

    **Values** are assumed; those of the loop are of `paracrine_loop`. Latest day of surgery, length of adjuvant
    treatment and time to metastatic relapse follow from them, and none has been measured.

    References
    ----------
    .. [1] Acharyya et al. (2012), Cell 150, 165-178.

    Examples
    --------
    >>> model = metastasis()
    >>> model.states, model.inputs
    ((T1, T2, F, X1, M1, P1, X2, M2, P2), (B, e))
    >>> [p.name for p in metastasis(stromal_source=True).parameters if p not in model.parameters]
    ['x0']
    """
    k = _parameters(stromal_source)
    T1, T2 = _tumours(k)
    extra = k["x0"] if stromal_source else 0
    most_X = ((k["K1"] + k["K2"] + k["s"] * k["K1"] / k["r"]) / k["T_X"] * (1 + k["etaF"] / (1 + k["eF"])) + extra) / (
        1 - k["kc"]
    )
    F, X1, M1, P1 = signal_states(k, k["T0"] / k["T_X"], most_X, site=1)
    _, X2, M2, P2 = signal_states(k, 0.0, most_X, site=2)
    e, B = chemotherapy(), blocker()
    theta1, theta2 = hill(P1, 2), hill(P2, 2)

    def net(T, K, theta):
        kept = k["da"] * (1 - k["rhoa"] * theta) + k["kap"] * e * (1 - k["rho"] * theta)
        return k["r"] * (1 - T / K) - kept

    def supply(T, other):
        return T / k["T_X"] * induction(k, F) + k["kc"] * other + extra * F

    leaving, settling = k["s"] * T1, k["sig0"] + (1 - k["sig0"]) * theta2
    rates = {T1: T1 * net(T1, k["K1"], theta1), T2: T2 * net(T2, k["K2"], theta2), F: k["gF"] * (e - F)}
    rates |= site_rates(k, (X1, M1, P1), supply(T1, X2), e, B) | site_rates(k, (X2, M2, P2), supply(T2, X1), e, B)
    return Model(
        "metastasis",
        rates=rates,
        transfers={(T1, T2, settling): leaving},
        observables={
            "burden": T1 + T2,
            "metastatic_fraction": T2 / (T1 + T2),
            "protection_1": theta1,
            "protection_2": theta2,
        },
        source=SOURCE,
        about="primary tumour and distant site joined by one inflammatory loop; surgery is an event"
        + (", with a stromal source of CXCL1/2" if stromal_source else ""),
    )


def _tumours(k):
    seen = {"unit": "1e6 cells", "kind": "tumour", "cells_per_unit": 1e6}
    T1 = State("T1", k["T0"], bounds=(0, k["K1"]), about="primary tumour", **seen)
    T2 = State("T2", 0.0, bounds=(0, k["K2"] + k["s"] * k["K1"] / k["r"]), about="metastases", **seen)
    return T1, T2


def _parameters(stromal_source):
    rates = {
        "r": (0.15, (0.05, 0.3), "log", "growth rate [assumed]"),
        "da": (0.05, (0, 0.1), "linear", "natural death without protection [assumed]"),
        "kap": (0.30, (0.1, 1), "log", "kill at full chemotherapy without protection [assumed]"),
        "s": (1e-5, (1e-7, 1e-3), "log", "cells that leave the primary [assumed]"),
    }
    numbers = {
        "rhoa": (0.5, (0, 0.9), "linear", "part of natural death that protection prevents [assumed]"),
        "rho": (0.8, (0, 0.95), "linear", "part of the kill that protection prevents [assumed]"),
        "sig0": (0.01, (1e-4, 1), "log", "settling cells that survive without protection [assumed]"),
        "kc": (0.05, (0, 0.5), "linear", "CXCL1/2 of the other site that arrives [assumed]"),
    }
    if stromal_source:
        numbers["x0"] = (1.0, (0, 10), "linear", "CXCL1/2 from stroma at full chemotherapy [assumed]")
    sizes = {
        "K1": (1000.0, (100, 3000), "log", "carrying capacity of the primary site [assumed]"),
        "K2": (300.0, (30, 1000), "log", "carrying capacity of the distant site [assumed]"),
        "T0": (1e-3, (1e-6, 1000), "log", "primary tumour at the start [assumed]"),
    }
    return signal_parameters(rates=rates, numbers=numbers, sizes=sizes)
