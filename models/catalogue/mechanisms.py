"""Six ways in which a tumour may come to resist a drug, as one family."""

import sympy as sp

from ..errors import ModelError, did_you_mean, refuse_unknown_keywords
from ..model import Model
from ..symbols import Parameter, State

__all__ = ["resistance_mechanisms"]

MECHANISMS = {  # name: (resistant cells at the start, acquisition: None, "random" or "induced")
    "none": (False, None),
    "pre-existing": (True, None),
    "random": (False, "random"),
    "random and pre-existing": (True, "random"),
    "induced": (False, "induced"),
    "induced and pre-existing": (True, "induced"),
}


@refuse_unknown_keywords
def resistance_mechanisms(mechanism="induced and pre-existing") -> Model:
    """Sensitive and resistant cells under repeated doses; where resistance comes from is the question.

    Equations::

        S' = r_S S - g S c - lam_S D S
        R' = r_R R + g S c - lam_R D R
        D' = -gam D                          c = 1 acquired at random, c = D drug-induced

    ============================  ============  ==========
    mechanism                     R at start    acquired
    ============================  ============  ==========
    none                          no R at all   no
    pre-existing                  yes           no
    random                        no            at random
    random and pre-existing       yes           at random
    induced                       no            by drug
    induced and pre-existing      yes           by drug
    ============================  ============  ==========

    Parameters
    ----------
    mechanism : str
        A row of the table.

    Returns
    -------
    Model
        States `S`, `R` (mm^3) and `D` (drug, units of dose; give it as boluses, 5 units a week in the paper);
        parameters `r_S`, `r_R`, `gam` (1/day), `lam_S`, `lam_R` (1/day per unit of drug), `g` (1/day, if induced
        per unit of drug), `V0` (mm^3) and `f_R` (resistant part of it), as far as the mechanism has them; observables
        `burden` (volume) and, with `R`, `resistant_fraction`; time in days.

    Raises
    ------
    ModelError
        If the mechanism is not one of the six.

    Notes
    -----
    **Main result.** Volumes at one dose level alone do not tell the mechanisms apart: each member of the family
    can regress and regrow. The initial resistant fraction, and in some instances further data, are needed [1]_.

    **Closed form.** D is known, and with Phi(t) the integral of D up to t,
    `S(t) = S0 exp(r_S t - (lam_S + g) Phi)` if induced, `S0 exp((r_S - g) t - lam_S Phi)` if random; between doses
    nothing is stiff and no carrying capacity is needed while volumes stay small.

    **Values.** `gam` is ln 2/4.75 per day, the half-life of the antibody in the authors' program; the other
    parameters were fitted mouse by mouse within the plausible ranges given here, which are the bounds of their search
    (r_S to 0.2, the others to 0.1), with `lam_S > lam_R` and `r_S >= r_R`. The defaults are assumed, within them. In
    the paper S(0) and R(0) are fitted; here that is `V0` and `f_R`.

    References
    ----------
    .. [1] Cárdenas et al. (2022), npj Systems Biology and Applications 8, 32.

    Examples
    --------
    >>> print(resistance_mechanisms("random").equations)
    {S: -g*S - lam_S*D*S + r_S*S, R: g*S - lam_R*D*R + r_R*R, D: -gam*D}
    >>> resistance_mechanisms("none").states
    (S, D)
    """
    if mechanism not in MECHANISMS:
        raise ModelError(
            f"resistance_mechanisms: no mechanism {mechanism!r}; {did_you_mean(str(mechanism), MECHANISMS)}"
        )
    early, acquired = MECHANISMS[mechanism]
    p = {name: Parameter(name, row[0], unit=row[1], plausible=row[2], scale=row[3], about=row[4]) for name, row in
         VALUES.items()}  # fmt: skip
    V0, f_R = p["V0"], p["f_R"] if early else sp.Integer(0)
    S = State("S", V0 * (1 - f_R), unit="mm^3", kind="tumour", scale=1.0, about="sensitive cells")
    R = State("R", V0 * f_R, unit="mm^3", kind="tumour", scale=1.0, about="resistant cells")
    D = State("D", 0.0, unit="1", kind="drug", scale=1.0, about="drug, units of dose")
    rates = {S: p["r_S"] * S - p["lam_S"] * D * S}
    transfers, observables = {}, {"burden": sp.sympify(S)}
    if early or acquired:
        rates[R] = p["r_R"] * R - p["lam_R"] * D * R
        observables = {"burden": S + R, "resistant_fraction": R / (S + R)}
    if acquired:
        transfers[S, R] = p["g"] * S * (D if acquired == "induced" else 1)
    return Model(
        "resistance_mechanisms",
        rates=rates | {D: -p["gam"] * D},
        transfers=transfers,
        observables=observables,
        source="Cárdenas et al. (2022), npj Systems Biology and Applications 8, 32, doi:10.1038/s41540-022-00244-7",
        about="six mechanisms of resistance to repeated doses, as one family",
    )


VALUES = {
    "r_S": (0.10, "1/day", (0, 0.2), "linear", "growth of sensitive cells [assumed]"),
    "r_R": (0.05, "1/day", (0, 0.1), "linear", "growth of resistant cells [assumed]"),
    "lam_S": (0.05, "1/day", (0, 0.1), "linear", "kill of sensitive cells by a unit of drug [assumed]"),
    "lam_R": (0.002, "1/day", (0, 0.1), "linear", "kill of resistant cells by a unit of drug [assumed]"),
    "g": (0.001, "1/day", (0, 0.1), "linear", "sensitive cells that turn resistant [assumed]"),
    "gam": (0.14592572222314849, "1/day", (0.05, 0.5), "log", "loss of drug: half-life 4.75 days"),
    "V0": (200.0, "mm^3", (20, 2000), "log", "volume at the first dose [assumed]"),
    "f_R": (0.01, "1", (0, 1), "linear", "resistant part of V0 [assumed]"),
}
