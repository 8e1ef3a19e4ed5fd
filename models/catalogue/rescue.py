"""A tumour that a drug would clear, and the aneuploid cells that carry it over to a resistant mutation."""

from ..model import Model
from ..symbols import Lineage, Parameter, State

__all__ = ["rescue_by_aneuploidy"]


def rescue_by_aneuploidy() -> Model:
    """Sensitive cells die under the drug; aneuploid ones linger and give resistant mutants more time to arise.

    Equations, with `r_k = l_k - mu_k`::

        s' = r_s s                                  sensitive
        a' = r_a a + u l_s s                        aneuploid
        m' = r_m m + v (l_a a + l_s s)              resistant mutant

    Returns
    -------
    Model
        States `s` (`N` cells), `a`, `m` (none), in cells; parameters `l_s`, `mu_s`, `l_a`, `mu_a`, `l_m`, `mu_m`
        (births and deaths, 1/day), `u` (a division makes an aneuploid cell), `v` (or a mutant) and `N`; observables
        `burden` and `resistant_fraction`; the lineage of `m`; time in days, from the start of the drug.

    Notes
    -----
    **Main result.** The probability of rescue is `1 - exp(-N/N_star)`. Mutants of sensitive cells alone need
    N_star = 4.0e7 cells; by way of aneuploid cells, which die at 1e-4 per day, 4.4e6 are enough: see
    `remission.analysis.rescue`, which has the formulas of the paper and the exact branching process.

    **The drug** is in the deaths: `mu_s` above `l_s` while it is given. Without it divisions are aneuploid with
    `u` = 1e-3, ten times more rarely, and aneuploidy costs 0.07 per day.

    **Warnings.** The equations are means. `relapse_probability` counts families founded by the mean number of
    aneuploid cells; that is the paper's first case (aneuploid cells die fast, `r_a T_star << -1`) and overstates rescue
    when they linger or grow, because mutants then come in bursts. New types are added to the division that makes
    them and the mother is not lost, as in the paper's text; its program subtracts her. `u` is the rate to one useful
    karyotype and cannot be compared with missegregation per chromosome.

    References
    ----------
    .. [1] Stana, Ben-David, Weissman and Ram (2025), Genetics, iyaf098.

    Examples
    --------
    >>> print(rescue_by_aneuploidy())
    rescue_by_aneuploidy (time in day)
      ds/dt = s*(l_s - mu_s)
      da/dt = l_s*u*s + a*(l_a - mu_a)
      dm/dt = v*(l_a*a + l_s*s) + m*(l_m - mu_m)
      burden = a + m + s
      resistant_fraction = m/(a + m + s)
      source: Stana, Ben-David, Weissman & Ram (2025), Genetics iyaf098, doi:10.1093/genetics/iyaf098
    """
    rates = {
        "l_s": (0.1, (0.05, 0.2), "births of sensitive cells"),
        "mu_s": (0.14, (0.11, 0.17), "deaths of sensitive cells on the drug"),
        "l_a": (0.0899, (0.06, 0.1), "births of aneuploid cells"),
        "mu_a": (0.09, (0.05, 0.15), "deaths of aneuploid cells"),
        "l_m": (0.1, (0.05, 0.2), "births of mutants"),
        "mu_m": (0.09, (0.05, 0.15), "deaths of mutants"),
    }
    p = {
        name: Parameter(name, value, unit="1/day", plausible=plausible, about=about)
        for name, (value, plausible, about) in rates.items()
    }
    u = Parameter("u", 1e-2, unit="1", plausible=(1e-4, 0.1), about="aneuploid cells a division; 1e-3 without drug")
    v = Parameter("v", 1e-7, unit="1", plausible=(1e-9, 1e-7), about="mutants a division")
    N = Parameter("N", 1e7, unit="cells", plausible=(1e7, 1e9), about="cells at the start of the drug")
    cells = {"unit": "cells", "kind": "tumour", "cells_per_unit": 1}
    s = State("s", N, about="sensitive cells", **cells)
    a = State("a", 0.0, about="aneuploid cells", **cells)
    m = State("m", 0.0, about="resistant mutants", **cells)
    founding = v * (p["l_a"] * a + p["l_s"] * s)
    return Model(
        "rescue_by_aneuploidy",
        rates={
            s: (p["l_s"] - p["mu_s"]) * s,
            a: (p["l_a"] - p["mu_a"]) * a + u * p["l_s"] * s,
            m: (p["l_m"] - p["mu_m"]) * m + founding,
        },
        observables={"burden": s + a + m, "resistant_fraction": m / (s + a + m)},
        lineages={m: Lineage(birth=p["l_m"], death=p["mu_m"], source=founding)},
        source="Stana, Ben-David, Weissman & Ram (2025), Genetics iyaf098, doi:10.1093/genetics/iyaf098",
        about="aneuploid cells carry a tumour over to a resistant mutation",
    )
