"""Resistance that arises by chance beside resistance that the drug itself makes."""

from ..model import Model
from ..symbols import Input, State
from .declare import parameters

__all__ = ["greene"]


def greene() -> Model:
    """Sensitive cells turn resistant by chance and, the faster, the more drug there is.

    Equations, sensitive `S` and resistant `R` cells, drug `u`::

        S' = (1 - S - R) S - (eps + alpha u) S - d u S
        R' = p_r (1 - S - R) R + (eps + alpha u) S

    Returns
    -------
    Model
        States `S`, `R` (parts of the carrying capacity); input `u`; parameters `eps` (spontaneous resistance),
        `alpha` (induced, per drug), `d` (kill per drug), `p_r` (growth of `R` relative to `S`), `S0`, `R0`;
        observables `burden`, `resistant_fraction`; scaled time, in units of 1/growth rate of `S`.

    Notes
    -----
    **Main result.** Treat with u = 1.5 once the burden passes 0.1 (t = 2.397897; ln 11 without mutation). With
    induction, alpha = 0.01, the nadir is 0.0097908 after another 6.608 and the tumour is back at 0.9 after 42.296;
    without it, alpha = 0, 1.6538e-5 after 19.555 and 87.273. The same drug at the same dose fails twice as fast where
    it makes resistance itself, which a growth curve before treatment cannot show.

    **Protocol.** ``Treatment.switch_when({"u": 1.5}, of="burden", above=0.1)``. Ranges are ours.

    **Lineages.** The states carry no number of cells, so extinction and relapse by chance cannot be asked of it.

    References
    ----------
    .. [1] Greene, Gevertz and Sontag (2019), Mathematical approach to differentiate spontaneous and induced evolution
       to drug resistance during cancer treatment, JCO Clinical Cancer Informatics; values as encoded in BioModels
       BIOMD0000000825.

    Examples
    --------
    >>> greene().inputs, greene().time_unit
    ((u,), '1')
    """
    k = parameters(
        {
            "eps": (1e-6, "1", (1e-8, 1e-3), "spontaneous resistance"),
            "alpha": (0.01, "1", (0, 0.1), "induced resistance per drug"),
            "d": (1.0, "1", (0.5, 2), "kill per drug"),
            "p_r": (0.2, "1", (0.05, 1), "growth of resistant cells relative to sensitive ones"),
            "S0": (0.01, "1", (1e-3, 0.1), "sensitive cells at the start"),
            "R0": (0.0, "1", (0, 0.1), "resistant cells at the start"),
        }
    )
    # A nadir of 1e-5 has to be seen: the tolerance must not be that of the carrying capacity.
    seen = {"unit": "1", "kind": "tumour", "scale": 1e-6, "bounds": (0, 1)}
    S = State("S", k["S0"], about="sensitive cells / carrying capacity", **seen)
    R = State("R", k["R0"], about="resistant cells / carrying capacity", **seen)
    u = Input("u", unit="1", about="drug")
    room, turning = 1 - S - R, k["eps"] + k["alpha"] * u
    return Model(
        "greene",
        rates={S: room * S - k["d"] * u * S, R: k["p_r"] * room * R},
        transfers={(S, R): turning * S},
        observables={"burden": S + R, "resistant_fraction": R / (S + R)},
        time_unit="1",
        source="Greene, Gevertz & Sontag (2019), JCO Clinical Cancer Informatics; BioModels BIOMD0000000825",
        about="spontaneous beside drug-induced resistance",
    )
