"""Ladders of karyotypes: clones that differ in copy number and slip from rung to rung at division."""

from math import comb

import sympy as sp

from ..errors import ModelError, refuse_unknown_keywords
from ..model import Model
from ..symbols import Input, Parameter, State

__all__ = ["karyotype_ladder"]

WHOLE = 100  # classes up to which every daughter is kept, however rare


@refuse_unknown_keywords
def karyotype_ladder(
    n=8,
    *,
    birth=None,
    death=None,
    kill=None,
    normal=2,
    missegregation="binomial",
    crowding=True,
    unstable_drug=False,
    beta_max=None,
    tolerance=1e-12,
) -> Model:
    """Cells with 1 to n copies of a chromosome; division moves them along the ladder, therapy selects among them.

    Equations, for the classes `x_i` and with `q_j = (1 - beta)^j`::

        x_i' = 2 q_i Lam_i x_i + sum_(j != i) W_ij Lam_j x_j - (Lam_i + D_i + u Kap_i) x_i
               - max(Lam_i - D_i, 0) (N/K) x_i                                        crowding
               - kap_v v |i - normal|/n x_i                                           unstable_drug
        W_ij = C(j, k) beta^k (1 - beta)^(j - k),  k = |i - j| <= j                   binomial
        W_ij = 1 - (1 - beta)^j  for  |i - j| = 1, otherwise 0                        one-step

    At a division of class `j` each of its copies goes astray with probability `beta`; `k` strays make one daughter
    of class `j + k` and one of `j - k`. Daughters without a copy, or with more than `n`, die. The default landscape
    has births `Lam_i = b max(1 - cost |i - normal|, 0)`, deaths `D_i = d` and a kill
    `Kap_i = kap exp(-slope max(i - normal, 0))`: extra copies cost fitness and protect.

    Parameters
    ----------
    n : int
        Classes; hundreds build in seconds.
    birth, death, kill : callable or sequence of length n, optional
        `Lam_i`, `D_i` and `Kap_i`: a function of `i` or a table. A number is in units of the parameter `b`, `d` or
        `kap`; an expression in Parameters of your own stands as it is. Births below zero count as zero.
    normal : int
        Copies of the cell that starts the tumour.
    missegregation : {"binomial", "one-step"}
        How daughters are spread; the two agree to first order in `beta` only.
    crowding : bool
        Whether births are braked by the burden. The brake acts on classes whose births outweigh their deaths: a
        plain `(Lam - D)(1 - N/K)` would help the unfit.
    unstable_drug : bool
        Adds the input `v`, a drug that kills cells the harder the further they are from `normal`.
    beta_max : float, optional
        Largest `beta` in question; daughters rarer than `tolerance` at every `beta` up to it are left out. 1 up to
        100 classes (nothing is left out), 0.01 above.
    tolerance : float
        See `beta_max`.

    Returns
    -------
    Model
        States `x_1` to `x_n` in cells (one cell of class `normal` at the start), inputs `u` (therapy, 0 to 1) and
        `v`; parameters `beta` (per copy and division) and, for the default landscape, `b`, `cost`, `d`, `kap`,
        `slope`, and `K` (cells) if crowded; observables `burden`, `mean_copies`, `aneuploid_fraction`; time in days.

    Raises
    ------
    ModelError
        If a table has another length than `n`, or an option is not known.

    Notes
    -----
    **Main result.** More missegregation brings relapse forward and slows it: with the default landscape and full
    therapy the ladder regrows at 0.0461 per day at `beta` = 1e-4 and at 0.0329 at 1e-2; above 0.0585267 it does not
    regrow at all, and instability alone prevents relapse.

    **Of the published model** [1]_ this is the ladder with constant births and deaths,
    `karyotype_ladder(K, birth=lambda i: 1, death=lambda i: 1, crowding=False)`. It counts class 0 and classes above
    K as dead, as here. The one-step rule is that of a public simulator of chromosomal instability.

    **Large ladders.** Of 400 classes one in ten transfers is above 1e-12 at `beta` = 0.01. Daughters that are left
    out count as dead, so do not raise `beta` above `beta_max`. Crowding couples every class to every other and makes
    compilation slower.

    **Warnings.** All rates of the default landscape are assumed. A class below one cell is an expectation carried by
    rare lineages, not a tumour: read relapse off `ladder_establishment`. Missegregation conventions differ between
    papers: here a copy goes astray with `beta` per division and the mother is lost, so that abnormal divisions cost
    the class twice their number.

    References
    ----------
    .. [1] Kimmel et al. (2023), PLoS Computational Biology, doi:10.1371/journal.pcbi.1010815.
    .. [2] Gusev, Kagansky and Dooley (2001), Mathematical and Computer Modelling 33, 1253-1273.
    .. [3] Elizalde, Laughney and Bakhoum (2018), PLoS Computational Biology 14, e1006447.

    Examples
    --------
    >>> ladder = karyotype_ladder(2, birth=[1, 1], crowding=False)
    >>> print(ladder.equations[ladder.states[0]])
    -u*kap*x_1 + 2*b*beta*x_2*(1 - beta) + 2*b*x_1*(1 - beta) - b*x_1 - d*x_1

    A landscape of one's own, as a table of births in units of `b`:

    >>> karyotype_ladder(5, birth=[0.5, 1, 0.9, 0.8, 0.7]).parameters
    (b, beta, d, K, kap, slope)
    """
    _check(n, normal, missegregation)
    limit = (1.0 if n <= WHOLE else 0.01) if beta_max is None else float(beta_max)
    classes = range(1, n + 1)
    x = {i: _class(i, normal) for i in classes}
    u = Input("u", unit="1", about="therapy, 0 off to 1 full")
    beta = Parameter("beta", min(1e-3, limit), unit="1", plausible=(1e-5, min(limit, 0.1)), about=ABOUT_BETA)
    births, deaths, kills = _landscape(n, normal, birth, death, kill)
    rows = {i: [] for i in classes}
    strays, stays = ([p**k for k in range(n + 1)] for p in (beta, 1 - beta))
    spread = _binomial if missegregation == "binomial" else _one_step
    for j in classes:
        for k, weight in spread(j, limit, tolerance, strays, stays):
            term = sp.Mul(*weight, births[j], x[j])  # one product at a time is what makes sympy slow
            for i in {j - k, j + k} & rows.keys():
                rows[i].append(2 * term if k == 0 else term)
        rows[j] += [-births[j] * x[j], -deaths[j] * x[j], sp.Mul(-1, kills[j], u, x[j])]
    N = sp.Add(*x.values())
    if crowding:
        K = Parameter("K", 1e9, unit="cells", plausible=(1e8, 1e10), about="carrying capacity [assumed]")
        for i in classes:
            rows[i].append(sp.Mul(-1, _positive(births[i] - deaths[i]), x[i], N, 1 / K))
    if unstable_drug:
        v = Input("v", unit="1", about="drug against unstable cells, 0 off to 1 full")
        kap_v = Parameter("kap_v", 0.3, unit="1/day", plausible=(0.01, 1), about="kill n copies from normal [assumed]")
        for i in classes:
            rows[i].append(-sp.Rational(abs(i - normal), n) * kap_v * v * x[i])
    return Model(
        "karyotype_ladder",
        rates={x[i]: sp.Add(*rows[i]) for i in classes},
        observables={
            "burden": N,
            "mean_copies": sp.Add(*(i * x[i] for i in classes)) / N,
            "aneuploid_fraction": 1 - x[normal] / N,
        },
        source="Kimmel et al. (2023), PLoS Comput Biol, doi:10.1371/journal.pcbi.1010815 (ladder); landscape assumed",
        about="copy-number classes that missegregation mixes and therapy selects",
    )


ABOUT_BETA = "missegregation per copy and division; 2.5e-4 to 1e-2 in cancer lines"


def _check(n, normal, missegregation):
    if not (isinstance(n, int) and n >= 2):
        raise ModelError(f"karyotype_ladder: n is a whole number of classes, 2 or more, got {n!r}")
    if normal not in range(1, n + 1):
        raise ModelError(f"karyotype_ladder: normal is one of the classes 1 to {n}, got {normal!r}")
    if missegregation not in ("binomial", "one-step"):
        raise ModelError(f"karyotype_ladder: missegregation is 'binomial' or 'one-step', got {missegregation!r}")


def _class(i, normal):
    about = f"cells with {i} {'copy' if i == 1 else 'copies'}"
    return State(f"x_{i}", int(i == normal), unit="cells", kind="tumour", cells_per_unit=1, about=about)


def _binomial(j, limit, tolerance, strays, stays):
    """Pairs (k, factors of the probability of k strays) of a division of class j, while they are likely enough."""
    for k in range(j + 1):
        if k > limit * j and comb(j, k) * limit**k * (1 - limit) ** (j - k) < tolerance:
            return
        yield k, (comb(j, k), strays[k], stays[j - k])


def _one_step(j, limit, tolerance, strays, stays):
    yield 0, (stays[j],)
    yield 1, (1 - stays[j],)


def _landscape(n, normal, birth, death, kill):
    """Births, deaths and kills of each class."""
    b = Parameter("b", 0.5, unit="1/day", plausible=(0.2, 1), about="births at the best copy number [assumed]")
    d = Parameter("d", 0.3, unit="1/day", plausible=(0.1, 0.5), about="deaths [assumed]")
    kap = Parameter("kap", 0.55, unit="1/day", plausible=(0.2, 1), about="death by full therapy, normal [assumed]")
    cost = Parameter(
        "cost", 0.06, unit="1", plausible=(0, 0.3), scale="linear", about="part of births lost per copy off normal"
    )
    slope = Parameter("slope", 0.7, unit="1", plausible=(0.1, 2), about="protection by one more copy [assumed]")
    births = _values(n, "birth", birth, b, lambda i: b * _positive(1 - abs(i - normal) * cost))
    deaths = _values(n, "death", death, d, lambda i: d)
    kills = _values(n, "kill", kill, kap, lambda i: kap * sp.exp(-max(i - normal, 0) * slope))
    return {i: e if e.has(cost) else _positive(e) for i, e in births.items()}, deaths, kills


def _values(n, name, given, unit, default):
    """Class -> expression, from a function, a table or the default; numbers in units of a parameter."""
    if given is not None and not callable(given):
        if len(given) != n:
            raise ModelError(f"karyotype_ladder: {name} has {len(given)} values for {n} classes")
        table = list(given)
        given = lambda i: table[i - 1]  # noqa: E731
    values = {i: sp.sympify((given or default)(i)) for i in range(1, n + 1)}
    for i, value in values.items():
        if value.is_number and not value.is_finite:
            raise ModelError(f"karyotype_ladder: {name} of class {i} is {value}")
    return {i: value * unit if value.is_number else value for i, value in values.items()}


def _positive(expression):
    """The expression, or zero where it is below; as it stands if it cannot be below."""
    return expression if _never_negative(expression) else sp.Max(0, expression)


def _never_negative(expression):
    if isinstance(expression, Parameter):
        return expression.info.plausible is not None and expression.info.plausible[0] >= 0
    if expression.is_Add or expression.is_Mul:
        return all(map(_never_negative, expression.args))
    if expression.is_Pow and expression.exp.is_integer:
        return bool(expression.exp.is_even) or _never_negative(expression.base)
    return bool(expression.is_nonnegative)
