"""A tumour and the immune cells that hold it: dormancy, escape, and the healthy cells between them."""

import sympy as sp

from ..model import Model
from ..symbols import Input, State
from .declare import parameters

__all__ = ["de_pillis_radunskaya", "kuznetsov"]


def kuznetsov(scaled=False) -> Model:
    """Effector cells hold a tumour dormant, or lose it: two stable sizes with a separatrix between them.

    Equations, effector cells `E` and tumour cells `T`::

        E' = s + p E T/(g + T) - m E T - d E
        T' = a T (1 - b T) - n E T

    Scaled (the paper's x and y are `E` and `T` in 1e6 cells, one unit of time is 9.083 days)::

        E' = sigma + rho E T/(eta + T) - mu E T - delta E
        T' = alpha T (1 - beta T) - E T

    Parameters
    ----------
    scaled : bool
        The scaled system with its own rounded values, named `kuznetsov_scaled`.

    Returns
    -------
    Model
        States `E` (immune) and `T` (tumour, within 0 and 1/b), in cells; parameters `s` (influx of effectors,
        cells/day), `p` (recruitment by the tumour, 1/day), `g` (tumour of half that recruitment, cells), `m` (loss of
        effectors by encounter, 1/(day cell)), `d` (their death, 1/day), `a` (tumour growth, 1/day), `b` (1/carrying
        capacity, 1/cell), `n` (kill, 1/(day cell)), `E0`, `T0`; observable `burden`; time in days. Scaled: `sigma`,
        `rho`, `eta`, `mu`, `delta`, `alpha`, `beta`, all plain numbers.

    Notes
    -----
    **Main result.** Four steady states: tumour-free (a saddle at the published values), dormant at 8.19e6 cells (a
    stable spiral), a saddle at 2.68e8, and large at 4.47e8 (stable). The stable manifold of the saddle separates
    tumours that end dormant from those that escape. The pair saddle and large vanishes in a fold at s = 21290 cells
    per day; the tumour-free state becomes stable at s = a d/n = 67357. There is no Hopf bifurcation: at an inner state
    the trace of the Jacobian is -s/E - a b T, below zero.

    **Two value sets.** The scaled values were rounded by the authors and differ from the dimensional ones in the
    fourth digit: do not mix them. `nondimensionalise` links the two forms.

    **Undershoot.** From the default start the tumour peaks at 9.7769e7 cells on day 34.02 and then falls to 1.3e6,
    far below the dormant size that it approaches. A coarse time grid finds a lower peak on another day.

    **Letters.** `d`, `rho`, `mu`, `alpha` mean other things in other models; ranges are ours, for sweeps.

    References
    ----------
    .. [1] Kuznetsov, Makalkin, Taylor and Perelson (1994), Bulletin of Mathematical Biology 56, 295-321,
       doi:10.1007/BF02460644; dimensional values and start as encoded in BioModels BIOMD0000000762.

    Examples
    --------
    >>> model = kuznetsov()
    >>> model.states, kuznetsov(scaled=True).time_unit
    ((E, T), '1')
    """
    return _kuznetsov_scaled() if scaled else _kuznetsov()


KUZNETSOV = "Kuznetsov et al. (1994), Bulletin of Mathematical Biology 56, 295-321, doi:10.1007/BF02460644"
DORMANCY = "effector cells hold a tumour dormant or lose it: bistable, no cycles"


def _kuznetsov():
    k = parameters(
        {
            "s": (1.3e4, "cells/day", (1e3, 1e5), "influx of effector cells"),
            "p": (0.1245, "1/day", (0.03, 0.5), "most recruitment of effectors by the tumour"),
            "g": (2.019e7, "cells", (5e6, 1e8), "tumour of half that recruitment"),
            "m": (3.422e-10, "1/(day cell)", (1e-10, 1e-9), "loss of effectors by encounter with tumour cells"),
            "d": (0.0412, "1/day", (0.01, 0.2), "death of effectors"),
            "a": (0.18, "1/day", (0.05, 0.5), "growth rate of the tumour"),
            "b": (2.0e-9, "1/cell", (5e-10, 1e-8), "1 / carrying capacity"),
            "n": (1.101e-7, "1/(day cell)", (2e-8, 5e-7), "kill of tumour cells by effectors"),
            "E0": (3.2e5, "cells", (1e4, 1e7), "effectors at the start"),
            "T0": (5e6, "cells", (1e4, 5e7), "tumour at the start"),
        }
    )
    E = State("E", k["E0"], "cells", "immune", cells_per_unit=1, about="effector cells", scale=1e6)
    T = State("T", k["T0"], "cells", "tumour", 1, about="tumour cells", bounds=(0, 1 / k["b"]), scale=1e7)
    return Model(
        "kuznetsov",
        rates={
            E: k["s"] + k["p"] * E * T / (k["g"] + T) - k["m"] * E * T - k["d"] * E,
            T: k["a"] * T * (1 - k["b"] * T) - k["n"] * E * T,
        },
        observables={"burden": T},
        source=KUZNETSOV,
        about=DORMANCY,
    )


def _kuznetsov_scaled():
    k = parameters(
        {
            "sigma": (0.1181, "1", (0.01, 1), "influx of effector cells"),
            "rho": (1.131, "1", (0.3, 5), "most recruitment of effectors by the tumour"),
            "eta": (20.19, "1", (5, 100), "tumour of half that recruitment"),
            "mu": (0.00311, "1", (1e-3, 1e-2), "loss of effectors by encounter with tumour cells"),
            "delta": (0.3743, "1", (0.1, 2), "death of effectors"),
            "alpha": (1.636, "1", (0.5, 5), "growth rate of the tumour"),
            "beta": (0.002, "1", (5e-4, 1e-2), "1 / carrying capacity"),
            "E0": (0.32, "1", (0.01, 10), "effectors at the start"),
            "T0": (5.0, "1", (0.01, 50), "tumour at the start"),
        }
    )
    E = State("E", k["E0"], "1", "immune", cells_per_unit=1e6, about="effector cells / 1e6 (x)", scale=1)
    T = State("T", k["T0"], "1", "tumour", 1e6, about="tumour cells / 1e6 (y)", bounds=(0, 1 / k["beta"]), scale=10)
    return Model(
        "kuznetsov_scaled",
        rates={
            E: k["sigma"] + k["rho"] * E * T / (k["eta"] + T) - k["mu"] * E * T - k["delta"] * E,
            T: k["alpha"] * T * (1 - k["beta"] * T) - E * T,
        },
        observables={"burden": T},
        time_unit="1",
        source=KUZNETSOV,
        about=DORMANCY + " (scaled)",
    )


def de_pillis_radunskaya() -> Model:
    """Healthy, tumour and immune cells compete while a drug kills all three.

    Equations, `N` healthy cells, `T` tumour, `I` immune cells, `u` drug at the tumour, `v` dose rate::

        N' = r2 N (1 - b2 N) - c4 T N - a3 (1 - exp(-u)) N
        T' = r1 T (1 - b1 T) - c2 I T - c3 T N - a2 (1 - exp(-u)) T
        I' = s + rho I T/(alpha + T) - c1 I T - d1 I - a1 (1 - exp(-u)) I
        u' = v - d2 u

    Returns
    -------
    Model
        States `N`, `T`, `I` (cells / carrying capacity of healthy cells) and `u`, all plain numbers; input `v`;
        parameters `r1`, `r2` (growth), `b1`, `b2` (1/carrying capacity), `c1` to `c4` (competition and kill), `s`
        (influx), `rho`, `alpha` (response of `I` to the tumour), `d1` (death of `I`), `a1` to `a3` (kill by the drug
        of `I`, `T`, `N`), `d2` (loss of drug), `T0`, `I0`; observable `burden`; scaled time.

    Notes
    -----
    **Main result.** Without drug two states are stable: tumour-free (1, 0, 1.65), and a tumour of 0.564796 among as
    many healthy as immune cells (0.435204). A saddle with a tumour of 0.236803 stands between them. From the default
    start the tumour wins, so a drug has only to push the state over the separatrix: it need not kill the last cell.

    **Bounds** `N [0, 1/b2]`, `T [0, 1/b1]` and `I [0, s/(d1 - rho)]` hold for a start inside and `rho < d1`; `u` has
    none, because it depends on the dose: `steady_states` asks for a box of `u`.

    **Units.** Everything is scaled; the unit of time is not stated where the values were read. Ranges are ours.

    References
    ----------
    .. [1] de Pillis and Radunskaya (2003), The dynamics of an optimally controlled tumor model: a case study,
       Mathematical and Computer Modelling, doi:10.1016/S0895-7177(03)00133-X; values and start as encoded in
       BioModels BIOMD0000000909.

    Examples
    --------
    >>> de_pillis_radunskaya().states
    (N, T, I, u)
    """
    k = _de_pillis_parameters()
    N = State("N", 1.0, "1", "other", about="healthy cells", bounds=(0, 1 / k["b2"]), scale=1)
    T = State("T", k["T0"], "1", "tumour", about="tumour cells", bounds=(0, 1 / k["b1"]), scale=1)
    most_I = k["s"] / (k["d1"] - k["rho"])
    I = State("I", k["I0"], "1", "immune", about="immune cells", bounds=(0, most_I), scale=1)
    u = State("u", 0.0, "1", "drug", about="drug at the tumour", scale=1)
    v = Input("v", unit="1", about="dose rate")
    effect = 1 - sp.exp(-u)
    return Model(
        "de_pillis_radunskaya",
        rates={
            N: k["r2"] * N * (1 - k["b2"] * N) - k["c4"] * T * N - k["a3"] * effect * N,
            T: k["r1"] * T * (1 - k["b1"] * T) - k["c2"] * I * T - k["c3"] * T * N - k["a2"] * effect * T,
            I: k["s"] + k["rho"] * I * T / (k["alpha"] + T) - k["c1"] * I * T - k["d1"] * I - k["a1"] * effect * I,
            u: v - k["d2"] * u,
        },
        observables={"burden": T},
        time_unit="1",
        source="de Pillis & Radunskaya (2003), Mathematical and Computer Modelling, doi:10.1016/S0895-7177(03)00133-X",
        about="healthy, tumour and immune cells under a drug: a saddle between cure and tumour",
    )


def _de_pillis_parameters():
    return parameters(
        {
            "r1": (1.5, "1", (0.5, 3), "growth rate of the tumour"),
            "r2": (1.0, "1", (0.3, 3), "growth rate of healthy cells"),
            "b1": (1.0, "1", (0.5, 2), "1 / carrying capacity of the tumour"),
            "b2": (1.0, "1", (0.5, 2), "1 / carrying capacity of healthy cells"),
            "c1": (1.0, "1", (0.3, 3), "loss of immune cells by encounter with the tumour"),
            "c2": (0.5, "1", (0.1, 2), "kill of the tumour by immune cells"),
            "c3": (1.0, "1", (0.3, 3), "loss of the tumour to healthy cells"),
            "c4": (1.0, "1", (0.3, 3), "loss of healthy cells to the tumour"),
            "s": (0.33, "1", (0.05, 1), "influx of immune cells"),
            "rho": (0.01, "1", (1e-3, 0.05), "most recruitment of immune cells by the tumour"),
            "alpha": (0.3, "1", (0.1, 1), "tumour of half that recruitment"),
            "d1": (0.2, "1", (0.1, 1), "death of immune cells"),
            "a1": (0.2, "1", (0, 1), "kill of immune cells by the drug"),
            "a2": (0.3, "1", (0, 1), "kill of the tumour by the drug"),
            "a3": (0.1, "1", (0, 1), "kill of healthy cells by the drug"),
            "d2": (1.0, "1", (0.3, 3), "loss of drug"),
            "T0": (0.25, "1", (0.01, 0.5), "tumour at the start"),
            "I0": (0.15, "1", (0.01, 1), "immune cells at the start"),
        }
    )
