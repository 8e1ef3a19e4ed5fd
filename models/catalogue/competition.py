"""Two clones that compete for one niche under a drug."""

from ..model import Model
from ..symbols import Input, Parameter, State

__all__ = ["selective_kill", "sensitive_resistant", "two_clone_competition"]


def selective_kill() -> Model:
    """A drug kills sensitive cells at a rate of its own; both clones share one niche.

    Equations: ``S' = r S (1 - S - R) - kill u S``; ``R' = r_R R (1 - S - R)``.

    Returns
    -------
    Model
        States `S`, `R` (fractions of carrying capacity), input `u` (1 on drug, 0 off), parameters `r`, `r_R`, `kill`
        (1/day), `n0`, `f_R`, observables `burden` and `resistant_fraction`; time in days.

    Notes
    -----
    The model of this package for PSA under abiraterone. It differs from `sensitive_resistant` in that cells die under
    the drug whether they divide or not, and that nothing turns over: `r` and `r_R` are net rates. It differs from
    `two_clone_competition` in that the drug takes cells and not room, and that a sensitive cell crowds a resistant one
    no more than another resistant one does. Mutation under treatment is left out: all resistance is there at the start.

    The defaults of `kill` and `n0` are those of the cohort fit in the default study; `r` and `f_R` differ between
    patients by more than a factor of ten. Both states stay between 0 and 1.

    Examples
    --------
    >>> model = selective_kill()
    >>> model.states, sorted(p.name for p in model.parameters)
    ((S, R), ['f_R', 'kill', 'n0', 'r', 'r_R'])
    """
    r = Parameter("r", 0.025, unit="1/day", plausible=(0.002, 0.3), about="net growth rate, sensitive")
    r_R = Parameter("r_R", 0.006, unit="1/day", plausible=(3e-4, 0.1), about="net growth rate, resistant")
    kill = Parameter("kill", 0.05, unit="1/day", plausible=(0.005, 1), about="rate at which the drug kills S")
    n0 = Parameter("n0", 0.3, unit="1", plausible=(0.01, 0.9), about="initial burden")
    f_R = Parameter("f_R", 0.05, unit="1", plausible=(1e-6, 0.99), about="resistant part of n0 [assumed]")
    # A clone that is a millionth of the niche may be the whole tumour a year later: the tolerance must see it.
    seen = {"unit": "1", "kind": "tumour", "scale": 1e-6, "bounds": (0, 1)}
    S = State("S", n0 * (1 - f_R), about="sensitive cells / carrying capacity", **seen)
    R = State("R", n0 * f_R, about="resistant cells / carrying capacity", **seen)
    u = Input("u", unit="1", about="drug, 1 on and 0 off")
    room = 1 - (S + R)
    return Model(
        "selective_kill",
        rates={S: r * S * room - kill * u * S, R: r_R * R * room},
        observables={"burden": S + R, "resistant_fraction": R / (S + R)},
        source="this package; Lotka-Volterra competition for one niche, drug kill proportional to sensitive cells",
        about="drug kills sensitive cells at a rate of its own, both clones share one niche",
    )


def sensitive_resistant() -> Model:
    """Sensitive and resistant cells share one niche; the drug acts on the sensitive only.

    Equations: ``S' = r S (1 - S - R) (1 - kill u) - turnover r S``;
    ``R' = (1 - cost) r R (1 - S - R) - turnover r R``.

    Returns
    -------
    Model
        States `S`, `R` (fractions of carrying capacity), input `u` (dose / maximum tolerated dose), parameters `r`
        (1/day), `turnover`, `cost`, `kill`, `n0`, `f_R`, observables `burden` and `resistant_fraction`; time in days.

    Notes
    -----
    **Main result.** Competition makes pauses pay: with the defaults daily full dose holds the burden below 1.2 times
    its start for 356 days, and stopping at half the burden until it is back for 470 days, with the drug on for 69 %
    of them. The gain of a factor 1.32 is 1.11 without turnover and 1.43 with a cost of resistance of 0.1.

    **Warnings.** `r` and `kill` are the paper's values, the other defaults ours. At full dose the paper's drug term
    turns into growth above the carrying capacity, so start with a burden below 1; there is no region that the states
    provably stay in, and none is declared.

    References
    ----------
    .. [1] Strobl et al. (2021), Cancer Research 81, 1135-1147.

    Examples
    --------
    >>> sensitive_resistant().states
    (S, R)
    """
    r = Parameter("r", 0.027, unit="1/day", plausible=(0.01, 0.1), about="growth rate")
    turnover = Parameter(
        "turnover", 0.25, unit="1", plausible=(0, 0.5), scale="linear", about="death rate / r [assumed]"
    )
    cost = Parameter("cost", 0.0, unit="1", plausible=(0, 0.5), scale="linear", about="cost of resistance [assumed]")
    kill = Parameter("kill", 1.5, unit="1", plausible=(1, 2), scale="linear", about="drug effect at full dose")
    n0 = Parameter("n0", 0.5, unit="1", plausible=(0.1, 1), about="initial burden [assumed]")
    f_R = Parameter("f_R", 0.01, unit="1", plausible=(1e-5, 0.25), about="resistant part of n0 [assumed]")
    S = State("S", n0 * (1 - f_R), unit="1", kind="tumour", scale=1.0, about="sensitive cells / carrying capacity")
    R = State("R", n0 * f_R, unit="1", kind="tumour", scale=1.0, about="resistant cells / carrying capacity")
    u = Input("u", unit="1", about="dose / maximum tolerated dose")
    room = 1 - (S + R)
    return Model(
        "sensitive_resistant",
        rates={
            S: r * S * room * (1 - kill * u) - turnover * r * S,
            R: (1 - cost) * r * R * room - turnover * r * R,
        },
        observables={"burden": S + R, "resistant_fraction": R / (S + R)},
        source="Strobl et al. (2021), Cancer Research 81, 1135-1147, doi:10.1158/0008-5472.CAN-20-0806",
        about="sensitive and resistant cells in one niche, drug on dividing sensitive cells",
    )


def two_clone_competition() -> Model:
    """Abiraterone takes the room of the sensitive cells; they hold the resistant ones down while they last.

    Equations: ``S' = scale r_S S (1 - (S + R) / (K (1 - shrink u)))``;
    ``R' = scale r_R R (1 - (alpha S + R) / K)``.

    Returns
    -------
    Model
        States `S`, `R` (densities, `K` is 10000), input `u` (1 on drug, 0 off), parameters `r_S`, `r_R` (1/day),
        `scale`, `K`, `shrink`, `alpha`, `S0`, `R0`, observables `burden` (PSA is proportional to it) and
        `resistant_fraction`; time in days.

    Notes
    -----
    **Main result.** For patient P1001 continuous abiraterone holds PSA below 1.2 times its start for 444 days, pauses
    at half of the start until PSA is back for 1602 days with 39 % of the drug. In the trial the median time to
    progression was 33.5 months with pauses and 14.3 months without [1]_.

    **The growth rates.** The base rates 0.0156 and 0.0091 per day are the paper's, and so is the cohort's factor 8.
    The authors' program, however, advances a sixth of a day for each day of data: the curves that were published have
    the daily rates base * 8/6. The default `scale` is therefore 8/6; it reproduces the published fits (mean error of
    relative PSA 0.21 on 21 patients), while 8 does not (0.51).

    **The start.** `S0` and `R0` differ between patients; the defaults are those of patient P1001. Both clones are
    densities without a cell count, so that extinction has no meaning here.

    **The drug.** On drug sensitive cells die back to 500, they are not killed at a rate of their own; the resistant
    clone does not feel the drug.

    References
    ----------
    .. [1] Zhang, Cunningham, Brown and Gatenby (2022), eLife 11, e76284.

    Examples
    --------
    >>> model = two_clone_competition()
    >>> model.states, model.inputs
    ((S, R), (u,))
    """
    r_S = Parameter("r_S", 0.0156, unit="1/day", plausible=(0.001, 0.1), about="base growth rate, sensitive")
    r_R = Parameter("r_R", 0.0091, unit="1/day", plausible=(0.001, 0.1), about="base growth rate, resistant")
    scale = Parameter(
        "scale", 8 / 6, unit="1", plausible=(0.1, 10), about="cohort factor of both rates: 8, per sixth of a day"
    )
    K = Parameter("K", 1e4, unit="1", plausible=(1e3, 1e5), about="carrying capacity, density of the paper")
    shrink = Parameter(
        "shrink", 0.95, unit="1", plausible=(0.5, 0.99), scale="linear", about="part of K that the drug takes from S"
    )
    alpha = Parameter("alpha", 6.0, unit="1", plausible=(1, 10), about="effect of one sensitive cell on resistant ones")
    S0 = Parameter("S0", 2158.32, unit="1", plausible=(1, 1e4), about="sensitive cells at the start (patient P1001)")
    R0 = Parameter("R0", 52.35, unit="1", plausible=(1, 1e4), about="resistant cells at the start (patient P1001)")
    S = State("S", S0, unit="1", kind="tumour", scale=1.0, about="density of sensitive cells")
    R = State("R", R0, unit="1", kind="tumour", scale=1.0, about="density of resistant cells")
    u = Input("u", unit="1", about="abiraterone, 1 on and 0 off")
    return Model(
        "two_clone_competition",
        rates={
            S: scale * r_S * S * (1 - (S + R) / (K * (1 - shrink * u))),
            R: scale * r_R * R * (1 - (alpha * S + R) / K),
        },
        observables={"burden": S + R, "resistant_fraction": R / (S + R)},
        source="Zhang, Cunningham, Brown & Gatenby (2022), eLife 11, e76284, doi:10.7554/eLife.76284",
        about="drug shrinks the niche of sensitive cells, which suppress resistant ones",
    )
