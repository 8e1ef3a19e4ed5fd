"""Two clones that compete for one niche under a drug."""

from ..model import Model
from ..symbols import Input, Parameter, State

__all__ = ["sensitive_resistant"]


def sensitive_resistant() -> Model:
    """Sensitive and resistant cells share one niche; the drug acts on the sensitive only.

    `r` and `kill` are the paper's values, the other defaults ours. At full dose the paper's drug term turns into
    growth above the carrying capacity: start with a burden below 1.

    Returns
    -------
    Model
        States `S`, `R` (fractions of carrying capacity), input `u` (dose / maximum tolerated dose), observable
        `burden`; time in days.

    Examples
    --------
    >>> sensitive_resistant().states
    (S, R)
    """
    r = Parameter("r", 0.027, unit="1/day", plausible=(0.01, 0.1), about="growth rate")
    turnover = Parameter("turnover", 0.25, plausible=(0, 0.5), scale="linear", about="death rate / r")
    cost = Parameter("cost", 0.0, plausible=(0, 0.5), scale="linear", about="cost of resistance")
    kill = Parameter("kill", 1.5, plausible=(1, 2), scale="linear", about="drug effect at full dose")
    n0 = Parameter("n0", 0.5, plausible=(0.1, 1), about="initial burden")
    f_R = Parameter("f_R", 0.01, plausible=(1e-5, 0.25), about="resistant part of n0")
    S = State("S", n0 * (1 - f_R), kind="tumour", about="sensitive cells / carrying capacity")
    R = State("R", n0 * f_R, kind="tumour", about="resistant cells / carrying capacity")
    u = Input("u", about="dose / maximum tolerated dose")
    room = 1 - (S + R)
    return Model(
        "sensitive_resistant",
        rates={
            S: r * S * room * (1 - kill * u) - turnover * r * S,
            R: (1 - cost) * r * R * room - turnover * r * R,
        },
        observables={"burden": S + R},
        source="Strobl et al. (2021), Cancer Research 81, 1135-1147, doi:10.1158/0008-5472.CAN-20-0806",
        about="sensitive and resistant cells in one niche, drug on dividing sensitive cells",
    )
