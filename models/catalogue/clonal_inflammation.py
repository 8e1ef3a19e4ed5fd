"""Unstable clones under the inflammatory loop: `oncogene_withdrawal` and `paracrine_loop` in one tumour."""

from ..composition import compose
from ..model import Model
from ..symbols import Input, State
from .oncogene import clone_parts, instability, instability_parameters, withdrawal
from .signals import chemotherapy, inflammation_signals, parameters

__all__ = ["clonal_inflammation"]


def clonal_inflammation() -> Model:
    """Instability makes the clone that relapses, the inflammatory loop shelters all of them.

    Clones S, A, R with the births, missegregation and crowding of `oncogene_withdrawal`; the signals F, X, M, P of
    `inflammation_signals`. With theta the protection, i one of S, A, R, and J, m, h, h_R as in `oncogene_withdrawal`::

        c_i = kap_i e (1 - rho theta) + da (1 - rhoa theta) + off_i u
        S'  = (b_S - d_S) h S - 2 m b_S S - c_S S
        A'  = (b_A - d_A) h A - 2 m (1 - f_v) b_A A + 2 m f_v b_S S - c_A A
        R'  = (b_R - d_R) h_R R - c_R R + J
        L   = S + w_A A + w_R R                   cells that release CXCL1/2
        theta = P^2 / (1 + P^2)
        F'  = gF (e - F)
        X'  = gX ((L/T_X) (1 + etaF F/(eF + F)) - X)
        M'  = dM (m0 + (1 - m0) X/(1 + B + X) - M) - kM e M
        P'  = gP (M/mP - P)

    Returns
    -------
    Model
        States `S` (one cell), `A`, `R` in 1e6 cells, and `F`, `X`, `M`, `P`; inputs `e` (chemotherapy effect, 0 to
        1), `B` (CXCR2 blocker / its K_B), `u` (withdrawal of the oncogene, 0 to 1), `cin` (0 to 1 between `p_off` and
        `p_on`); parameters of the two modules and `off_S`, `off_A`, `off_R` (1/day), `w_A`, `w_R`; observables
        `burden`, `at_risk` (S + A), `aneuploid_fraction`, `missegregation`, `releasing` (L) and `protection` (theta);
        the lineage of `R`; time in days.

    Notes
    -----
    **How it is made.** A clone module with an input for the protection, composed with `inflammation_signals`, and the
    two joined by `Model.bind`. Without clones (m = 0, A = R = 0) it is `paracrine_loop`; without shelter and natural
    death (rho = da = 0) it is `oncogene_withdrawal` with u = e.

    **The bridge.** CXCL1 lies on 4q21, which gains copies in breast cancers [1]_: aneuploid cells release more,
    ``w_A``, ``w_R`` above 1 [assumed].

    **Two kinds of treatment.** Chemotherapy `e` kills, and releases TNF-alpha; withdrawal `u` kills without it and is
    not sheltered [assumed]. They are separate inputs, and u does not drive F.

    **Cure hangs on R.** Every treatment that reaches S and A ends in R if a lineage of R exists, and in none if not
    (``f_r = 0``): blockade deepens the response and slows R, whose net growth in an empty tumour is 0.018 per day
    without shelter and 0.056 at theta = 0.8 under e = 0.8. As in `oncogene_withdrawal` R is an expectation and takes
    no room by default; ``crowd_R = 1`` for a tumour of R.

    **Births above deaths.** The brake acts on net growth: with `b` below `d` it would turn into a boost above K. The
    plausible ranges keep the two apart.

    **Not cooperative.** Clones compete for room, so the argument of `paracrine_loop` against oscillations does not
    hold here.

    **Values** are assumed: of the clones as in `oncogene_withdrawal` but for ``d_R = 0.2`` and kills, of the signals
    as in `paracrine_loop` with ``rho = 0.7``.

    References
    ----------
    .. [1] Acharyya et al. (2012), Cell 150, 165-178.
    .. [2] Sotillo, Schvartzman, Socci and Benezra (2010), Nature 464, 436-440.

    Examples
    --------
    >>> model = clonal_inflammation()
    >>> model.states, model.inputs
    ((S, A, R, F, X, M, P), (B, cin, e, u))
    >>> print(model.observables["releasing"])
    w_A*A + w_R*R + S
    """
    signals = inflammation_signals()
    joint = compose(_sheltered_clones(), signals, name="clonal_inflammation")
    bound = joint.bind({"shelter": "protection", "L": "releasing"})
    return bound.replace(
        source="Sotillo et al. (2010), Nature 464, 436-440, doi:10.1038/nature08803; "
        "Acharyya et al. (2012), Cell 150, 165-178, doi:10.1016/j.cell.2012.04.042 (mechanisms; rates are assumed)",
        about="unstable clones that an inflammatory loop protects from chemotherapy",
    )


def _sheltered_clones() -> Model:
    """S, A, R under chemotherapy and withdrawal, with the protection as an input."""
    k = _parameters()
    million = {"unit": "1e6 cells", "kind": "tumour", "cells_per_unit": 1e6}
    S = State("S", 1e-6, about="oncogene-dependent cells", **million)
    A = State("A", 0.0, about="aneuploid cells, still dependent", **million)
    R = State("R", 0.0, about="oncogene-independent cells", **million)
    e, u, cin = chemotherapy(), withdrawal(), instability()
    shelter = Input("shelter", unit="1", about="protection, 0 to 1")
    natural = k["da"] * (1 - k["rhoa"] * shelter)
    losses = {
        clone: k[f"kap_{clone}"] * e * (1 - k["rho"] * shelter) + natural + k[f"off_{clone}"] * u for clone in (S, A, R)
    }
    parts = clone_parts(k, (S, A, R), cin, losses)
    parts["observables"]["releasing"] = S + k["w_A"] * A + k["w_R"] * R
    return Model("sheltered_clones", **parts)


def _parameters():
    rates = {
        "b_S": (0.50, (0.35, 1), "log", "births of S [assumed]"),
        "d_S": (0.30, (0.1, 0.35), "log", "deaths of S [assumed]"),
        "b_A": (0.47, (0.35, 1), "log", "births of A: 6 % below b_S"),
        "d_A": (0.30, (0.1, 0.35), "log", "deaths of A [assumed]"),
        "b_R": (0.30, (0.25, 1), "log", "births of R [assumed]"),
        "d_R": (0.20, (0.05, 0.25), "log", "deaths of R [assumed]"),
        "kap_S": (0.50, (0.1, 1), "log", "kill of S at full chemotherapy without protection [assumed]"),
        "kap_A": (0.40, (0.1, 1), "log", "kill of A at full chemotherapy without protection [assumed]"),
        "kap_R": (0.04, (0.01, 0.3), "log", "kill of R at full chemotherapy without protection [assumed]"),
        "off_S": (0.55, (0.2, 1), "log", "death of S by withdrawal [assumed]"),
        "off_A": (0.42, (0.1, 0.55), "log", "death of A by withdrawal [assumed]"),
        "off_R": (0.07, (0.01, 0.3), "log", "death of R by withdrawal [assumed]"),
        "da": (0.05, (0, 0.1), "linear", "natural death without protection [assumed]"),
    }
    numbers = {
        "rhoa": (0.5, (0, 0.9), "linear", "part of natural death that protection prevents [assumed]"),
        "rho": (0.7, (0, 0.95), "linear", "part of the kill that protection prevents [assumed]"),
        "w_A": (1.5, (1, 5), "log", "release of CXCL1/2 by A / by S [assumed]"),
        "w_R": (1.5, (1, 5), "log", "release of CXCL1/2 by R / by S [assumed]"),
    }
    sizes = {"K": (1000.0, (100, 3000), "log", "carrying capacity [assumed]")}
    found = parameters("1/day", rates) | parameters("1", numbers) | parameters("1e6 cells", sizes)
    return found | instability_parameters()
