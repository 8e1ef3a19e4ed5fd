"""A tumour that relapses from resistant cells, spontaneous ones or such as the treatment induces."""

from ..model import Model
from ..symbols import Input, Lineage, State
from .signals import parameters

__all__ = ["clonal_relapse"]


def clonal_relapse() -> Model:
    """Sensitive cells die under therapy; what grows back descends from the few that turned resistant.

    ``N`` crowds, ``j`` is the rate at which a sensitive cell turns resistant::

        N  = S + crowd_R R ;  h = 1 - N/K
        j  = nu b_S + al u
        S' = r_S h S - kap_S u S - j S
        R' = r_R h R - kap_R u R + j S

    Returns
    -------
    Model
        States `S` (one cell) and `R` (none), in cells; input `u` (therapy, 0 to 1); parameters `r_S`, `b_S`, `r_R`,
        `b_R`, `kap_S`, `kap_R`, `al` (1/day), `nu` (per division), `K` (cells), `crowd_R`; observables `burden` and
        `resistant_fraction`; the lineage of `R`; time in days.

    Notes
    -----
    `r` is net growth, births `b` less deaths, far below `K`. Resistance is spontaneous (`nu` per division of S) or
    induced (`al` per day of full therapy); ``kap_R > 0`` is a resistance that is not complete.

    **Thresholds** for constant `u`. ``u_S = (r_S - nu b_S)/(kap_S + al)`` (0.3636): below, S does not respond.
    ``u_R = r_R/kap_R`` (0.8 at kap_R = 0.1): above both, the tumour-free state is stable; between the two S shrinks and
    R relapses. Eigenvalues of the tumour-free state are real, there are no cycles.

    **Steady states** (crowd_R = 1): none; R alone at ``K (1 - kap_R u/r_R)``; S with R at
    ``K (1 - (kap_S u + j)/r_S)``, there only if that is larger than the size of R alone. The clone with the larger
    of the two excludes the other: without a cost of resistance R wins in the end for every u above 0, and through
    the one-way flow j even at u = 0, though very slowly. S and R stay within 0 and K for crowd_R = 1.

    **Time to relapse** at a size N_det, from S0 and R0 at the start of therapy and for a large K:
    ``ln(N_det / (R0 + nu b_S S0/(r_R' + |r_S'|))) / r_R'``, primes being net rates under therapy. It leaves crowding
    out: 151.4 days against 151.8 of the equations. (A table that preceded this model had 152.2 and a third of 0.3375
    on day 3; two integrators and the closed form of a logistic tumour with a kill give 151.84 and 0.3374.)

    **Cure.** Equations let a tumour regrow from less than one cell. Whether a lineage of R exists at all is for the
    lineage model (`relapse_probability`); R is then an expectation that must take no room: set ``crowd_R = 0``.

    **Values** are assumed: one cell makes 1e8 in 93 days, and therapy leaves a third on day 3 [1]_; `nu` per gene and
    division [2]_; induced resistance of 1e-4 per day is used in a model of triple-negative breast cancer (QSP-TNBC).
    Scaled by r_S and K the model has five groups: r_R/r_S, kap_S/r_S, kap_R/r_S, nu b_S/r_S and al/r_S.

    **Relatives.** `sensitive_resistant` (drug on dividing cells), `selective_kill` (no mutation). With unequal
    competition either clone can win by its start: the bistable variant is
    `dose_window`.

    References
    ----------
    .. [1] Fisher et al. (2001), Genes & Development 15, 3249-3262.
    .. [2] Stana, Ben-David, Weissman and Ram (2025), Genetics, iyaf098.

    Examples
    --------
    >>> model = clonal_relapse()
    >>> model.states, model.inputs, list(model.lineages)
    ((S, R), (u,), [R])
    >>> print(model.lineages[model.symbol("R")].source)
    S*(u*al + b_S*nu)
    """
    k = _parameters()
    S = State(
        "S", 1.0, unit="cells", kind="tumour", cells_per_unit=1, bounds=(0, k["K"]), about="cells that therapy kills"
    )
    R = State("R", 0.0, unit="cells", kind="tumour", cells_per_unit=1, bounds=(0, k["K"]), about="resistant cells")
    u = Input("u", unit="1", about="therapy, 0 to 1")
    h = 1 - (S + k["crowd_R"] * R) / k["K"]
    turned = (k["nu"] * k["b_S"] + k["al"] * u) * S
    deaths = k["b_R"] - k["r_R"]
    return Model(
        "clonal_relapse",
        rates={S: k["r_S"] * h * S - k["kap_S"] * u * S, R: k["r_R"] * h * R - k["kap_R"] * u * R},
        transfers={(S, R): turned},
        observables={"burden": S + R, "resistant_fraction": R / (S + R)},
        lineages={R: Lineage(birth=deaths + h * k["r_R"], death=deaths + k["kap_R"] * u, source=turned)},
        source="this package; spontaneous and induced resistance as in Greene, Gevertz & Sontag (rates are assumed)",
        about="relapse from resistant cells, spontaneous or induced by the treatment",
    )


def _parameters():
    rates = {
        "r_S": (0.20, (0.05, 0.5), "log", "net growth of S [assumed]"),
        "b_S": (0.5, (0.2, 1), "log", "births of S [assumed]"),
        "r_R": (0.08, (0.01, 0.2), "log", "net growth of R [assumed]"),
        "b_R": (0.3, (0.2, 1), "log", "births of R [assumed]"),
        "kap_S": (0.55, (0.2, 1), "log", "death of S under full therapy [assumed]"),
        "kap_R": (0.0, (0, 0.3), "linear", "death of R under full therapy [assumed]"),
        "al": (0.0, (0, 1e-3), "linear", "resistance induced at full therapy"),
    }
    numbers = {
        "nu": (1e-7, (1e-9, 1e-7), "log", "resistant daughters per division of S"),
        "crowd_R": (1.0, (0, 1), "linear", "how much R crowds; 0 where R is an expectation [assumed]"),
    }
    sizes = {"K": (1e9, (1e8, 1e10), "log", "carrying capacity [assumed]")}
    return parameters("1/day", rates) | parameters("1", numbers) | parameters("cells", sizes)
