"""The inflammatory signals of a tumour without the tumour: TNF-alpha, CXCL1/2, myeloid cells and S100A8/9.

`paracrine_loop`, `clonal_inflammation` and `metastasis` are built from the pieces here, so that they share one
chemistry and one set of values.
"""

from ..kinetics import competitive_inhibition, hill, michaelis_menten
from ..model import Model
from ..symbols import Input, Parameter, State

__all__ = ["inflammation_signals"]

SOURCE = "Acharyya et al. (2012), Cell 150, 165-178, doi:10.1016/j.cell.2012.04.042 (arrows; rates are assumed)"


def inflammation_signals() -> Model:
    """Signals that any tumour model can be joined to: what the tumour releases comes in, protection comes out.

    ``theta`` is the protection, ``L`` the cells that release CXCL1/2 (an input, made by the tumour model)::

        theta = P^2 / (1 + P^2)
        F' = gF (e - F)
        X' = gX ((L/T_X) (1 + etaF F/(eF + F)) - X)
        M' = dM (m0 + (1 - m0) X/(1 + B + X) - M) - kM e M
        P' = gP (M/mP - P)

    Returns
    -------
    Model
        States `F` TNF-alpha, `X` CXCL1/2, `M` myeloid cells, `P` S100A8/9, all scaled as in `paracrine_loop`; inputs
        `e` (chemotherapy effect, 0 to 1), `B` (blocker concentration / its K_B, 0 or more) and `L` (1e6 cells);
        parameters `gF`, `gX`, `dM`, `gP`, `kM` (1/day), `T_X` (1e6 cells), `etaF`, `eF`, `m0`, `mP`; observable
        `protection` (theta); time in days.

    Notes
    -----
    A module: it has no tumour. Join it with `compose` to a model with an input for the protection, then `bind` the
    two inputs, as the example does. `clonal_inflammation` is made so. Values and warnings are those of
    `paracrine_loop`. The input `L` may not be bound to a size in another unit than 1e6 cells.

    For a constant `L` every equation is linear in its own state and driven by those above it: F, X, M and P settle one
    after the other at rates `gF`, `gX`, `dM + kM e` and `gP`, and nothing oscillates.

    References
    ----------
    .. [1] Acharyya et al. (2012), Cell 150, 165-178.

    Examples
    --------
    >>> from remission.models import Input, Model, Parameter, State, compose, inflammation_signals
    >>> T, r = State("T", 1.0, unit="1e6 cells"), Parameter("r", 0.1, unit="1/day")
    >>> e, shelter = Input("e", unit="1", about="effect of chemotherapy, 0 to 1"), Input("shelter", unit="1")
    >>> tumour = Model("tumour", rates={T: r * T * (1 - 3 * e * (1 - shelter))}, observables={"burden": T})
    >>> both = compose(tumour, inflammation_signals()).bind({"shelter": "protection", "L": "burden"})
    >>> both.states, both.inputs
    ((T, F, X, M, P), (B, e))
    """
    k = signal_parameters()
    F, X, M, P = signal_states(k)
    e, B = chemotherapy(), blocker()
    L = Input("L", unit="1e6 cells", about="cells that release CXCL1/2, weighted by how much they release")
    rates = {F: k["gF"] * (e - F)} | site_rates(k, (X, M, P), L / k["T_X"] * induction(k, F), e, B)
    return Model(
        "inflammation_signals",
        rates=rates,
        observables={"protection": hill(P, 2)},
        source=SOURCE,
        about="TNF-alpha, CXCL1/2, myeloid cells and S100A8/9, to be joined to any tumour model",
    )


def chemotherapy() -> Input:
    """The input `e`."""
    return Input("e", unit="1", about="effect of chemotherapy, 0 to 1")


def blocker() -> Input:
    """The input `B`."""
    return Input("B", unit="1", about="CXCR2 blocker / its K_B")


def induction(k, F):
    """Factor by which TNF-alpha raises the release of CXCL1/2."""
    return 1 + michaelis_menten(F, k["etaF"], k["eF"])


def site_rates(k, states, supply, e, B) -> dict:
    """Rates of CXCL1/2, myeloid cells and S100A8/9 at one site; `supply` is the level that X is driven to."""
    X, M, P = states
    recruited = k["m0"] + (1 - k["m0"]) * competitive_inhibition(X, B)
    return {
        X: k["gX"] * (supply - X),
        M: k["dM"] * (recruited - M) - k["kM"] * e * M,
        P: k["gP"] * (M / k["mP"] - P),
    }


def signal_states(k, X0=0.0, most_X=None, most_F=1, site="") -> tuple:
    """States F, X, M, P; `site` is put behind the names of the last three, `most_X` bounds X where it is known."""
    seen = {"unit": "1", "scale": 1.0}
    F = State("F", 0.0, kind="signal", bounds=(0, most_F), about="TNF-alpha / level at full chemotherapy", **seen)
    X = State(
        f"X{site}",
        X0,
        kind="signal",
        bounds=None if most_X is None else (0, most_X),
        about="CXCL1/2 / level of half recruitment",
        **seen,
    )
    M = State(f"M{site}", k["m0"], kind="immune", bounds=(0, 1), about="myeloid cells / saturating number", **seen)
    P = State(
        f"P{site}",
        k["m0"] / k["mP"],
        kind="signal",
        bounds=(0, 1 / k["mP"]),
        about="S100A8/9 / level of half protection",
        **seen,
    )
    return F, X, M, P


def signal_parameters(**tables) -> dict:
    """Parameters of the signals by name, and those of more tables: unit -> name -> (value, range, scale, about)."""
    rates = {
        "gF": (20.0, (10, 60), "log", "loss of TNF-alpha [assumed]"),
        "gX": (1.44, (1, 30), "log", "loss of CXCL1/2 (value of CCL2)"),
        "dM": (0.25, (0.015, 0.7), "log", "loss of myeloid cells"),
        "gP": (1.0, (0.3, 6), "log", "loss of S100A8/9 [assumed]"),
        "kM": (0.0, (0, 0.3), "linear", "kill of myeloid cells at full chemotherapy [assumed]"),
    }
    numbers = {
        "etaF": (4.0, (1, 20), "log", "rise of CXCL1/2 by TNF-alpha [assumed]"),
        "eF": (0.5, (0.1, 1), "log", "TNF-alpha of half that rise [assumed]"),
        "m0": (0.02, (0, 0.1), "linear", "myeloid cells without signal / saturation [assumed]"),
        "mP": (0.5, (0.1, 2), "log", "myeloid cells that make P = 1 [assumed]"),
    }
    sizes = {"T_X": (10.0, (1, 300), "log", "tumour that makes X = 1 in 2 mL [volume assumed]")}
    return {
        **parameters("1/day", rates | tables.get("rates", {})),
        **parameters("1", numbers | tables.get("numbers", {})),
        **parameters("1e6 cells", sizes | tables.get("sizes", {})),
    }


def parameters(unit, table) -> dict:
    """Parameters of one unit from a table: name -> (value, plausible range, scale, about)."""
    return {
        name: Parameter(name, value, unit=unit, plausible=plausible, scale=scale, about=about)
        for name, (value, plausible, scale, about) in table.items()
    }
