"""The inflammatory loop in tissue: a tumour that spreads, a chemokine that diffuses, myeloid cells that climb it."""

from ..kinetics import competitive_inhibition, hill, michaelis_menten
from ..model import Model
from ..symbols import State, grad
from .signals import SOURCE, blocker, chemotherapy, parameters, signal_parameters, signal_states, site_rates

__all__ = ["paracrine_invasion"]


def paracrine_invasion() -> Model:
    """`paracrine_loop` as fields in space, with motility, diffusion and chemotaxis.

    ``tau`` is the tumour / carrying capacity, ``phi`` the occupancy of CXCR2, ``theta`` the protection::

        theta = P^2 / (1 + P^2) ;  phi = X / (1 + B + X)
        tau_t = D_T Lap tau + tau (r (1 - tau) - da (1 - rhoa theta) - kap e (1 - rho theta))
        X_t   = D_X Lap X + gX ((k_X tau) (1 + etaF e/(eF + e)) - X)
        M_t   = div(D_M grad M - chi M grad phi) + dM (m0 + (1 - m0) phi - M) - kM e M
        P_t   = D_P Lap P + gP (M/mP - P)

    Returns
    -------
    Model
        States `tau`, `X`, `M`, `P` (scaled as in `paracrine_loop`); inputs `e` (chemotherapy effect, 0 to 1) and `B`
        (blocker / its K_B); parameters `r`, `da`, `kap`, `gX`, `dM`, `gP`, `kM` (1/day), `D_T`, `D_X`, `D_M`, `chi`,
        `D_P` (mm^2/day), `k_X` (K/T_X of `paracrine_loop`), `rhoa`, `rho`, `etaF`, `eF`, `m0`, `mP`, `tau0`; fluxes of
        all four; observables `burden` (tau) and `protection`; time in days, length in mm.

    Notes
    -----
    **Fluxes are declared**, ``-D grad(tau)`` and so on; on a grid of one cell they do not act, and the model is
    `paracrine_loop` with TNF-alpha at rest: its homogeneous rest points are those of `paracrine_loop` / K (0.7993,
    0.5102, 0.3650, 0.2180 at e = 0, 0.4, 0.6, 0.8). Boundaries pass nothing.

    **The blocker acts twice**: on recruitment and on climbing, both through `phi`.

    **Space protects the host.** Signal leaks out of a small tumour: at e = 0.6 the density from which it returns is
    3.7 times the well-mixed one in a layer of 1 mm at a wall, and 41 times in a ball of radius 1 mm
    (`threshold_amplitude`). A front stalls at e = 0.98297 (B = 0) and at B = 20.569 (e = 0.6), below the dose 1.0028
    and the blockade 29.861 at which the well-mixed large tumour is lost (`front_stall`).

    **No blow-up.** Myeloid cells climb a chemokine that they do not make. If they made it (CXCL2), aggregation in the
    manner of Keller and Segel could blow up in finite time: do not add that source without a saturation.

    **Diffusion.** Nearly all values are assumed. `D_X` = 8.64 mm^2/day is 1e-6 cm^2/s, for a protein of 8 kDa; with
    `gX` = 24 per day, faster than in `paracrine_loop`, the chemokine reaches sqrt(D_X/gX) = 0.6 mm. A published rule
    that gives 393 mm^2/day for a protein of 42 kDa [2]_ is fifty times too fast and is not used.

    References
    ----------
    .. [1] Acharyya et al. (2012), Cell 150, 165-178.
    .. [2] Glioma virus model (2015), Bulletin of Mathematical Biology, doi:10.1007/s11538-015-0074-8, appendix.

    Examples
    --------
    >>> model = paracrine_invasion()
    >>> tau, X, M, P = model.states
    >>> model.fluxes[tau], model.fluxes[M]
    (-D_T*grad(tau), -D_M*grad(M) + chi*M*grad(X/(B + X + 1)))
    """
    k = _parameters()
    tau = State("tau", k["tau0"], unit="1", scale=1e-3, bounds=(0, 1), about="tumour / carrying capacity")
    rise = 1 + k["etaF"] / (1 + k["eF"])
    _, X, M, P = signal_states(k, k["k_X"] * k["tau0"], k["k_X"] * rise)
    e, B = chemotherapy(), blocker()
    theta, phi = hill(P, 2), competitive_inhibition(X, B)
    net = k["r"] * (1 - tau) - k["da"] * (1 - k["rhoa"] * theta) - k["kap"] * e * (1 - k["rho"] * theta)
    supply = k["k_X"] * tau * (1 + michaelis_menten(e, k["etaF"], k["eF"]))
    return Model(
        "paracrine_invasion",
        rates={tau: tau * net} | site_rates(k, (X, M, P), supply, e, B),
        fluxes={
            tau: -k["D_T"] * grad(tau),
            X: -k["D_X"] * grad(X),
            M: -k["D_M"] * grad(M) + k["chi"] * M * grad(phi),
            P: -k["D_P"] * grad(P),
        },
        observables={"burden": tau, "protection": theta},
        source=SOURCE,
        about="the inflammatory loop in tissue: an invading tumour, a diffusing chemokine, chemotaxis of myeloid cells",
    )


def _parameters():
    rates = {
        "r": (0.15, (0.05, 0.3), "log", "growth rate [assumed]"),
        "da": (0.05, (0, 0.1), "linear", "natural death without protection [assumed]"),
        "kap": (0.30, (0.1, 1), "log", "kill at full chemotherapy without protection [assumed]"),
        "gX": (24.0, (1.4, 60), "log", "loss of CXCL1/2 in tissue [assumed]"),
        "gP": (4.0, (0.3, 10), "log", "loss of S100A8/9 in tissue [assumed]"),
    }
    numbers = {
        "rhoa": (0.5, (0, 0.9), "linear", "part of natural death that protection prevents [assumed]"),
        "rho": (0.8, (0, 0.95), "linear", "part of the kill that protection prevents [assumed]"),
        "k_X": (100.0, (1, 3000), "log", "X made by a full tumour; K/T_X of the well-mixed model [assumed]"),
        "tau0": (0.1, (1e-3, 1), "log", "tumour at the start [assumed]"),
    }
    motion = {
        "D_T": (0.01, (1e-4, 0.13), "log", "motility of tumour cells [assumed]"),
        "D_X": (8.64, (0.9, 13), "log", "diffusion of CXCL1/2 [assumed]"),
        "D_M": (0.0864, (0.01, 0.9), "log", "motility of myeloid cells [assumed]"),
        "chi": (0.5, (0, 5), "linear", "chemotaxis of myeloid cells [assumed]"),
        "D_P": (4.0, (0.9, 13), "log", "diffusion of S100A8/9 [assumed]"),
    }
    return signal_parameters(rates=rates, numbers=numbers) | parameters("mm^2/day", motion)
