"""Tumours that lose the oncogene they depend on, after a time of unstable chromosomes."""

import sympy as sp

from ..errors import refuse_unknown_keywords
from ..model import Model
from ..symbols import Input, Lineage, Parameter, State

__all__ = ["oncogene_withdrawal"]


@refuse_unknown_keywords
def oncogene_withdrawal(*, mad2_bonus=False, unstable_drug=False, founder=False) -> Model:
    """Chromosome instability before withdrawal seeds the clones that no longer need the oncogene.

    Sensitive cells `S` missegregate into aneuploid cells `A`, and rarely into oncogene-independent cells `R`::

        p   = p_off + (p_on - p_off) cin        per chromosome and division
        m   = 1 - (1 - p)^n_chromosomes         a division is abnormal
        N   = S + A + crowd_R R ;  h = 1 - N/K ;  h_R = 1 - brake_R N/K
        J   = 2 m f_r (b_S S + b_A A)           founding rate of independent cells
        S'  = (b_S - d_S) h S - 2 m b_S S - kap_S u S
        A'  = (b_A - d_A) h A - 2 m (1 - f_v) b_A A + 2 m f_v b_S S - kap_A u A
        R'  = (b_R - d_R) h_R R - kap_R u R + J

    An abnormal division loses the mother's type and gives two abnormal daughters, a part `f_v` of them viable and
    `f_r` independent of the oncogene.

    Parameters
    ----------
    mad2_bonus : bool
        Births of S and A are higher by the factor ``1 + bonus cin`` while the cause of instability is on: in the lung
        it cooperates with the oncogene [1]_, and a `bonus` of 0.08 makes up for the cells that instability takes; in
        the breast it delays tumours [5]_, a `bonus` below 0.
    unstable_drug : bool
        A drug kills cells with unstable chromosomes: input `v` (0 to 1), ``- kap_v v A`` in A' and
        ``- w_v kap_v v R`` in R', `w_v` being the part of that kill which reaches R [assumed].
    founder : bool
        Adds the observable `founder_survival`: probability that one S cell founds a tumour, at constant inputs.

    Returns
    -------
    Model
        States `S` (one cell), `A`, `R` (none), in cells; inputs `u` (withdrawal, 0 to 1) and `cin` (0 to 1 between
        `p_off` and `p_on`); parameters `b_S`, `d_S`, `b_A`, `d_A`, `b_R`, `d_R`, `kap_S`, `kap_A`, `kap_R` (1/day),
        `p_on`, `p_off`, `n_chromosomes`, `f_v`, `f_r`, `K` (cells), `brake_R`, `crowd_R`; observables `at_risk`
        (S + A), `burden`, `aneuploid_fraction` (of S + A) and `missegregation` (m); the lineage of `R`; time in days.
        Options add `bonus`, `kap_v` (1/day), `w_v`.

    Notes
    -----
    **The protocol** has two phases: `cin = 1`, `u = 0` until `at_risk` passes 1e8 cells, then `cin = 0`, `u = 1`,
    because one switch turns off both the oncogene and the cause of instability [1]_.

    **R is an expectation, not a tumour.** Its mean is carried by rare early lineages, so that curves of `R` below a
    cell, or `1 - exp(-R)`, say nothing about relapse: use the lineage model (`relapse_probability`). For the same
    reason `R` takes no room by default (`crowd_R = 0`); `crowd_R = 1` is for steady states and a tumour of `R`.

    **Crowding of the lineage.** `brake_R = 1`: the tumour around it brakes the births of `R` as it brakes `S` and `A`.
    With `brake_R = 0` lineages grow freely. Relapse probabilities at `p_on` = 2.5e-4 and 2.5e-3 are 0.0506 and 0.363
    with the brake, 0.0520 and 0.375 without.

    **Births above deaths.** The brake acts on net growth: a clone with `b` below `d` is boosted, not braked, once N is
    above K, and the solution blows up. The plausible ranges overlap, so draw b and d of a clone together.

    **Too much instability.** S cannot grow when m is above ``(b_S - d_S)/(2 b_S)`` = 0.2, A when it is above
    ``(b_A - d_A)/(2 b_A (1 - f_v))`` = 0.904. Given a tumour, relapse becomes ever likelier with `p_on`; what turns
    the curve is that fewer founders make a tumour. `founder_survival` is that part: with s_A and s_S the chances that
    the descent of one cell does not die out, ``s_A = max(0, G_A)/(1 - m + m f_v^2)`` and
    ``(1 - m) s_S^2 - G_S s_S - m (1 - (1 - f_v s_A)^2) = 0``, where ``G_A = 1 - 2 m (1 - f_v) - d_A/b_A`` and
    ``G_S = 1 - 2 m - d_S/b_S`` (each death rate with its withdrawal and drug). Read it at the start of the first phase
    and multiply the relapse probability by it. The curves S and A remain means over all founders, those that die
    out included: tumours that exist reach 1e8 cells sooner.

    **Drug against unstable cells.** What counts is what reaches R: only the product ``kap_v v w_v`` matters for it, and
    cure is certain once that is above b_R - d_R - kap_R. With ``w_v = 0`` given from withdrawal on, the drug takes
    away the few lineages founded after withdrawal, and by making room it helps those that are there (Lambda 0.445
    against 0.452 without drug, at p_on = 2.5e-3). With the defaults 9.7 days of v = 1, or v = 0.36 for ever, bring the
    relapse probability from 0.363 to 0.2; no value is published, so show how it changes with `kap_v` and `w_v`.

    **Withdrawal is not chemotherapy**: it ends growth and kills without TNF-alpha (see `clonal_inflammation`).

    **Values.** Rates are assumed, chosen so that one cell makes 1e8 in three months and withdrawal leaves a third of
    the tumour on day 3 [2]_; `p` spans what cancer lines show [3]_; the fitness loss of `A` is 6 % of births [4]_;
    `f_r` is free and is seen only in the product `m f_r`.

    References
    ----------
    .. [1] Sotillo, Schvartzman, Socci and Benezra (2010), Nature 464, 436-440.
    .. [2] Fisher et al. (2001), Genes & Development 15, 3249-3262.
    .. [3] Stana, Ben-David, Weissman and Ram (2025), Genetics, iyaf098.
    .. [4] Aneuploidy tolerance and missegregation, a branching-process study (2013), PMC3722120.
    .. [5] Rowald et al. (2016), Cell Reports, doi:10.1016/j.celrep.2016.05.048.

    Examples
    --------
    >>> model = oncogene_withdrawal()
    >>> model.states, model.inputs, list(model.lineages)
    ((S, A, R), (cin, u), [R])
    >>> oncogene_withdrawal(unstable_drug=True).inputs
    (cin, u, v)
    """
    k = _parameters() | _option_parameters(mad2_bonus, unstable_drug)
    S = State("S", 1.0, unit="cells", kind="tumour", cells_per_unit=1, about="oncogene-dependent cells")
    A = State("A", 0.0, unit="cells", kind="tumour", cells_per_unit=1, about="aneuploid cells, still dependent")
    R = State("R", 0.0, unit="cells", kind="tumour", cells_per_unit=1, about="oncogene-independent cells")
    u, cin = withdrawal(), instability()
    births = {"b_S": k["b_S"], "b_A": k["b_A"]}
    if mad2_bonus:
        births = {name: b * (1 + k["bonus"] * cin) for name, b in births.items()}
    losses = {S: k["kap_S"] * u, A: k["kap_A"] * u, R: k["kap_R"] * u}
    if unstable_drug:
        v = Input("v", unit="1", about="drug against unstable cells, 0 to 1")
        losses |= {A: losses[A] + k["kap_v"] * v, R: losses[R] + k["w_v"] * k["kap_v"] * v}
    parts = clone_parts(k | births, (S, A, R), cin, losses)
    if founder:
        m = parts["observables"]["missegregation"]
        parts["observables"]["founder_survival"] = _founder_survival(k | births, m, losses[S], losses[A])
    return Model(
        "oncogene_withdrawal",
        **parts,
        source="Sotillo et al. (2010), Nature 464, 436-440, doi:10.1038/nature08803 (mechanism; rates are assumed)",
        about="chromosome instability seeds relapse after the oncogene is withdrawn"
        + (", with a drug against unstable cells" if unstable_drug else ""),
    )


def withdrawal() -> Input:
    """The input `u`."""
    return Input("u", unit="1", about="withdrawal of the oncogene, 0 on to 1 off")


def instability() -> Input:
    """The input `cin`."""
    return Input("cin", unit="1", about="cause of instability (Mad2), 0 off to 1 on")


def clone_parts(k, clones, cin, losses) -> dict:
    """Rates, transfers, observables, lineages of S, A, R; `losses` are deaths per cell on top of `d_S`, `d_A`, `d_R`.

    Shared by `oncogene_withdrawal` and `clonal_inflammation`, whose clones differ in what kills them.
    """
    S, A, R = clones
    p = k["p_off"] + (k["p_on"] - k["p_off"]) * cin
    m = 1 - (1 - p) ** k["n_chromosomes"]
    N = S + A + k["crowd_R"] * R
    h, h_R = 1 - N / k["K"], 1 - k["brake_R"] * N / k["K"]
    b_S, b_A, b_R, f_v = k["b_S"], k["b_A"], k["b_R"], k["f_v"]
    founding = k["f_r"] * (b_S * S + b_A * A) * 2 * m  # m last: sympy multiplies a bare 2 * (1 - x) out
    return {
        "rates": {
            S: (b_S - k["d_S"]) * h * S - losses[S] * S,
            A: (b_A - k["d_A"]) * h * A - b_A * A * (1 - f_v) * 2 * m - losses[A] * A,
            R: (b_R - k["d_R"]) * h_R * R - losses[R] * R + founding,
        },
        "transfers": {(S, A, f_v): b_S * S * 2 * m},
        "observables": {
            "burden": S + A + R,
            "at_risk": S + A,
            "aneuploid_fraction": A / (S + A),
            "missegregation": m,
        },
        "lineages": {R: Lineage(birth=k["d_R"] + h_R * (b_R - k["d_R"]), death=k["d_R"] + losses[R], source=founding)},
    }


def _founder_survival(k, m, loss_S, loss_A):
    """Chance that the descent of one S cell does not die out: two types, no crowding, constant rates."""
    f_v, fine = k["f_v"], 1 - m
    net_S = 1 - 2 * m - (k["d_S"] + loss_S) / k["b_S"]
    net_A = 1 - (1 - f_v) * 2 * m - (k["d_A"] + loss_A) / k["b_A"]
    s_A = sp.Max(0, net_A) / (fine + m * f_v**2)
    rescued = m * (1 - (1 - f_v * s_A) ** 2)  # an abnormal division of S leaves an A lineage that lives
    return (net_S + sp.sqrt(net_S**2 + 4 * fine * rescued)) / (2 * fine)


def _option_parameters(mad2_bonus, unstable_drug):
    found = {}
    if mad2_bonus:
        found["bonus"] = Parameter(
            "bonus", 0.1, unit="1", plausible=(-0.3, 0.3), scale="linear", about="gain of births by Mad2 [assumed]"
        )
    if unstable_drug:
        found["kap_v"] = Parameter(
            "kap_v", 0.3, unit="1/day", plausible=(0.05, 1), about="death of A by the drug at v = 1 [assumed]"
        )
        found["w_v"] = Parameter(
            "w_v", 0.5, unit="1", plausible=(0, 1), scale="linear", about="part of that kill that reaches R [assumed]"
        )
    return found


def _parameters():
    rates = {
        "b_S": (0.50, (0.2, 1), "births of S [assumed]"),
        "d_S": (0.30, (0.1, 0.5), "deaths of S [assumed]"),
        "b_A": (0.47, (0.2, 1), "births of A: 6 % below b_S"),
        "d_A": (0.30, (0.1, 0.5), "deaths of A [assumed]"),
        "b_R": (0.30, (0.1, 1), "births of R [assumed]"),
        "d_R": (0.15, (0.05, 0.5), "deaths of R [assumed]"),
        "kap_S": (0.55, (0.2, 1), "death of S by withdrawal [assumed]"),
        "kap_A": (0.42, (0.1, 0.55), "death of A by withdrawal [assumed]"),
        "kap_R": (0.07, (0.01, 0.3), "death of R by withdrawal [assumed]"),
    }
    found = {
        name: Parameter(name, value, unit="1/day", plausible=plausible, about=about)
        for name, (value, plausible, about) in rates.items()
    }
    found["K"] = Parameter("K", 1e9, unit="cells", plausible=(1e8, 1e10), about="carrying capacity [assumed]")
    return found | instability_parameters()


def instability_parameters() -> dict:
    """Parameters of missegregation and of how R crowds, by name."""
    numbers = {
        "p_on": (2.5e-3, (2.5e-4, 1e-2), "log", "missegregation per chromosome and division, cin = 1"),
        "p_off": (2.5e-4, (1e-4, 1e-3), "log", "missegregation per chromosome and division, cin = 0"),
        "n_chromosomes": (40, (38, 92), "linear", "chromosomes: 40 in the mouse, 46 in man"),
        "f_v": (0.8, (0.1, 1), "linear", "viable part of abnormal daughters [assumed]"),
        "f_r": (2e-8, (1e-10, 1e-5), "log", "oncogene-independent part of abnormal daughters [assumed, free]"),
        "brake_R": (1.0, (0, 1), "linear", "how much crowding brakes the births of R [assumed]"),
        "crowd_R": (0.0, (0, 1), "linear", "how much R crowds; 0 while R is an expectation [assumed]"),
    }
    return {
        name: Parameter(name, value, unit="1", plausible=plausible, scale=scale, about=about)
        for name, (value, plausible, scale, about) in numbers.items()
    }
