"""The inflammatory loop through which chemotherapy protects the tumour it kills."""

from ..errors import ModelError, did_you_mean, refuse_unknown_keywords
from ..kinetics import hill
from ..model import Model
from ..symbols import State
from .signals import SOURCE, blocker, chemotherapy, induction, signal_parameters, signal_states, site_rates

__all__ = ["paracrine_loop"]

NEUTROPHILS = ("protect", "kill", "both")
TNF = ("dose", "stroma", "killing")


@refuse_unknown_keywords
def paracrine_loop(*, neutrophils="protect", uptake=False, dilution=False, tnf="dose") -> Model:
    """Killing cells calls in the myeloid cells that protect the rest; a CXCR2 blocker cuts the loop.

    `T` tumour, `F` TNF-alpha, `X` CXCL1/2, `M` myeloid cells, `P` S100A8/9, `theta` protection::

        theta = P^2 / (1 + P^2)
        T' = T (r (1 - T/K) - da (1 - rhoa theta) - kap e (1 - rho theta))
        F' = gF (e - F)
        X' = gX ((T/T_X) (1 + etaF F/(eF + F)) - X)
        M' = dM (m0 + (1 - m0) X/(1 + B + X) - M) - kM e M
        P' = gP (M/mP - P)

    Parameters
    ----------
    neutrophils : {"protect", "kill", "both"}
        What myeloid cells do to the tumour. `"kill"`: no protection (theta is 0 in T'), and T' loses ``kN M T``, so
        that the loop changes its sign [3]_; `"both"`: protection and kill.
    uptake : bool
        Myeloid cells take up the chemokine that calls them: X' loses ``kU M X`` [assumed].
    dilution : bool
        The volume that X fills grows with the tumour, ``V = 1 + T/T_V``; the amount X V is kept:
        ``X' = gX ((T/T_X) (1 + etaF F/(eF + F))/V - X) - X T'/(T_V + T)`` [assumed].
    tnf : {"dose", "stroma", "killing"}
        Source of TNF-alpha. `"stroma"`: ``F' = gF (e Z - F)`` with the stroma left, ``Z' = gZ (1 - Z) - kZ e Z``
        (one more state). `"killing"`: from tumour cells that die, ``F' = gF (e (1 - rho theta) T/T_F - F)``. The
        paper names stromal cells as the source [1]_.

    Returns
    -------
    Model
        States `T` (1e6 cells) and `F`, `X`, `M`, `P` (scaled, see below); inputs `e` (chemotherapy effect, 0 to 1) and
        `B` (blocker concentration / its K_B, 0 or more); parameters `r`, `da`, `kap`, `gF`, `gX`, `dM`, `gP`, `kM`
        (1/day), `K`, `T_X`, `T0` (1e6 cells), `rhoa`, `rho`, `etaF`, `eF`, `m0`, `mP`; observables `burden` (T) and
        `protection` (theta); time in days. Options add `kN`, `kU`, `gZ`, `kZ` (1/day), `T_V`, `T_F` (1e6 cells);
        with `"kill"` the observable `myeloid_kill` (1/day) stands in place of `protection`, with `"both"` beside it.

    Raises
    ------
    ModelError
        If an option has no such choice.

    Notes
    -----
    `F` is scaled to its level at full chemotherapy, `X` to half-effect on recruitment, `M` to saturation and `P` to
    half protection. To drive `e` by a concentration bind it: ``model.bind({"e": C / (C50 + C)})``.

    **Bounds.** For `e` within 0 and 1, `B` of 0 or more and a start inside, the states stay in ``T [0, K]``,
    ``F [0, 1]``, ``X [0, (K/T_X)(1 + etaF/(1 + eF))]``, ``M [0, 1]``, ``P [0, 1/mP]``: on each face the flow points
    inward, provided that `rho`, `rhoa` and `m0` are within 0 and 1. They are the box of `steady_states`. With
    `dilution` it is the amount ``X (1 + T/T_V)`` that stays below that bound of `X`.

    **No oscillation.** For constant inputs every off-diagonal entry of the Jacobian is 0 or more (a cooperative
    system): almost every solution converges, and there are thresholds rather than cycles. This holds for any `kM` and
    for `tnf="stroma"`; it is lost with myeloid cells that kill, with `uptake`, with `dilution` and with
    `tnf="killing"`.

    **Fixed volume.** `T_X` is the tumour that makes a half-effect level of `X` in a fixed volume (2 mL). If the volume
    grew with the tumour, `X` would not depend on `T` and the threshold would vanish. With `dilution` it does so by
    degrees: at e = 0.6 and the same ``T_V/T_X`` = 100, the tumour from which chemotherapy fails shrinks in proportion
    to `T_V`, from 2.75 at T_V = 1000 to 0.0027 at T_V = 1 (1e6 cells), while the large tumour stays what it is.

    **Sign.** With `neutrophils="kill"` a blocker makes the tumour larger: it settles at 76 without, at 321 with B = 30
    (1e6 cells, no chemotherapy), and slow myeloid cells (`dM` = 0.015) let it spiral in. Both directions are reported:
    host knock-out of CXCR2 gave smaller tumours [4]_, high CXCR2 went with fewer relapses in 105 patients [5]_.

    **Values to choose, not equations.** `dM` is 0.25 per day in [2]_ and 0.015 in a published model of
    triple-negative breast cancer (QSP-TNBC): 17-fold, which leaves rest points where they are for `kM = 0` and changes
    how long the loop remembers. ``kM > 0``: chemotherapy kills myeloid cells too, as doxorubicin does [6]_.

    **Extinction.** The equations let a tumour regrow from less than one cell (1e-6 here); conclusions about cure need
    the extinction gate or the residual size next to them.

    **Values** are assumed where tagged; the fold changes of [1]_ were not available, so the thresholds hang on
    `etaF`, `rho`, `kap` and `T_X`. Loss of `X` and its production are those of CCL2 in a published model of
    triple-negative breast cancer. The residual size from which a tumour returns has, to our knowledge, not been
    measured: here it is a prediction.

    References
    ----------
    .. [1] Acharyya et al. (2012), Cell 150, 165-178.
    .. [2] Shariatpanahi et al. (2018), Journal of Theoretical Biology 442, 1 (loss of myeloid cells).
    .. [3] Granot (2019), Frontiers in Immunology 10, 1710 (neutrophils for and against tumours).
    .. [4] Sharma et al. (2014), PMC4821540.
    .. [5] CXCR2 and relapse in 105 patients, PMC7465124.
    .. [6] Doxorubicin eliminates myeloid-derived suppressor cells (2014), PubMed 24653963.

    Examples
    --------
    >>> model = paracrine_loop()
    >>> model.states, model.inputs
    ((T, F, X, M, P), (B, e))
    >>> print(paracrine_loop(tnf="stroma").equations[model.symbol("F")])
    gF*(e*Z - F)
    """
    _check(neutrophils=(neutrophils, NEUTROPHILS), tnf=(tnf, TNF))
    k = _parameters(neutrophils, uptake, dilution, tnf)
    most_F = k["K"] / k["T_F"] if tnf == "killing" else 1
    T, F, X, M, P = _states(k, most_F, dilution)
    e, B = chemotherapy(), blocker()
    theta = hill(P, 2)
    shelter = 0 if neutrophils == "kill" else theta
    net = k["r"] * (1 - T / k["K"]) - k["da"] * (1 - k["rhoa"] * shelter) - k["kap"] * e * (1 - k["rho"] * shelter)
    if neutrophils != "protect":
        net = net - k["kN"] * M
    growth, supply = T * net, T / k["T_X"] * induction(k, F)
    if dilution:
        supply = supply / (1 + T / k["T_V"])
    rates = {T: growth, F: None} | site_rates(k, (X, M, P), supply, e, B)
    rates |= _release(k, tnf, F, T, e, shelter)
    if dilution:
        rates[X] = rates[X] - X * growth / (k["T_V"] + T)
    if uptake:
        rates[X] = rates[X] - k["kU"] * M * X
    return Model(
        "paracrine_loop",
        rates=rates,
        observables=_observables(k, neutrophils, T, M, theta),
        source=SOURCE,
        about=_about(neutrophils=neutrophils, uptake=uptake, dilution=dilution, tnf=tnf),
    )


def _check(**choices):
    for name, (value, known) in choices.items():
        if value not in known:
            raise ModelError(f"paracrine_loop: {name}={value!r} is no choice; {did_you_mean(value, known)}")


def _observables(k, neutrophils, T, M, theta):
    found = {"burden": T}
    if neutrophils != "protect":
        found["myeloid_kill"] = k["kN"] * M
    if neutrophils != "kill":
        found["protection"] = theta
    return found


def _about(neutrophils, uptake, dilution, tnf):
    text = "chemotherapy feeds an inflammatory loop that protects the tumour; blockade of CXCR2 cuts it"
    chosen = {
        "myeloid cells kill the tumour": neutrophils == "kill",
        "myeloid cells protect and kill": neutrophils == "both",
        "uptake of CXCL1/2": uptake,
        "volume grows with the tumour": dilution,
        "TNF-alpha from the stroma that is left": tnf == "stroma",
        "TNF-alpha from dying tumour cells": tnf == "killing",
    }
    variants = [words for words, here in chosen.items() if here]
    return text + (f" (variant: {', '.join(variants)})" if variants else "")


def _release(k, tnf, F, T, e, shelter):
    """Rates of TNF-alpha, and of the stroma where that is its source."""
    if tnf == "stroma":
        Z = State("Z", 1.0, unit="1", kind="other", scale=1.0, bounds=(0, 1), about="stroma / that without treatment")
        return {F: k["gF"] * (e * Z - F), Z: k["gZ"] * (1 - Z) - k["kZ"] * e * Z}
    if tnf == "killing":
        return {F: k["gF"] * (e * (1 - k["rho"] * shelter) * T / k["T_F"] - F)}
    return {F: k["gF"] * (e - F)}


def _states(k, most_F, dilution):
    T = State(
        "T",
        k["T0"],
        unit="1e6 cells",
        kind="tumour",
        cells_per_unit=1e6,
        bounds=(0, k["K"]),
        about="tumour cells",
    )
    X0 = k["T0"] / k["T_X"]
    if dilution:
        X0 = X0 / (1 + k["T0"] / k["T_V"])
    most_X = k["K"] / k["T_X"] * (1 + k["etaF"] * most_F / (most_F + k["eF"]))
    return T, *signal_states(k, X0, most_X, most_F)


def _parameters(neutrophils, uptake, dilution, tnf):
    rates = {
        "r": (0.15, (0.05, 0.3), "log", "growth rate [assumed]"),
        "da": (0.05, (0, 0.1), "linear", "natural death without protection [assumed]"),
        "kap": (0.30, (0.1, 1), "log", "kill at full chemotherapy without protection [assumed]"),
    }
    numbers = {
        "rhoa": (0.5, (0, 0.9), "linear", "part of natural death that protection prevents [assumed]"),
        "rho": (0.8, (0, 0.95), "linear", "part of the kill that protection prevents [assumed]"),
    }
    sizes = {
        "K": (1000.0, (100, 3000), "log", "carrying capacity [assumed]"),
        "T0": (100.0, (1, 1000), "log", "tumour at the start [assumed]"),
    }
    if neutrophils != "protect":
        rates["kN"] = (0.1, (0.01, 0.3), "log", "kill by myeloid cells at saturation [assumed]")
    if uptake:
        rates["kU"] = (1.0, (0.1, 10), "log", "uptake of CXCL1/2 by myeloid cells at saturation [assumed]")
    if tnf == "stroma":
        rates["gZ"] = (0.05, (0.01, 0.2), "log", "recovery of the stroma [assumed]")
        rates["kZ"] = (0.05, (0, 0.3), "linear", "loss of stroma at full chemotherapy [assumed]")
    if tnf == "killing":
        sizes["T_F"] = (100.0, (10, 1000), "log", "tumour whose unprotected death makes F = 1 [assumed]")
    if dilution:
        sizes["T_V"] = (100.0, (1, 1e4), "log", "tumour that doubles the volume X fills [assumed]")
    return signal_parameters(rates=rates, numbers=numbers, sizes=sizes)
